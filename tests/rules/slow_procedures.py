"""The slow player of procedures: one election, one paper at a time, in plain Python.

It shares no code with `iomsim.rules`.  A procedure is the table that a TOML file holds, a candidate is a name, a ballot
is a list of papers, and every rule is a few lines that follow the text of the specification:

* a member who may vote hands in a paper for somebody who may be voted for, a stray paper (`STRAY`, a name that does not
  stand), a blank one (`BLANK`), or is absent (`None`); when the leader stands alone, `YES`, `NO` or a blank paper;
* after a ballot that elected nobody comes first the withdrawal, then the phase's drop, then the next phase when the
  phase's ballots are spent or fewer stand than it asks for.

Where the text leaves a choice, the player takes these:

* A ballot of the list of thresholds is any ballot, on the leader alone too, but no extra ballot of a tie.  The list
  goes on when the procedure is repeated; that of a phase starts again with the phase.
* With the threshold "most" one vote is enough if nobody else has as many; the leader alone needs more yes than no.
* How many stand is compared with `standing` twice when a phase begins: before its cut, then nothing is cut if it
  cannot be held, and after it, then the cut stays though the phase is skipped.
* The last ballot, for a cut or for the leader, is the last one between candidates.  Who was not on it had no votes.
* All cuts that follow one ballot are one cut, and a tie there is broken as the phase says that cuts last.  There is
  one extra ballot at most, and none after a yes/no ballot.  What it leaves level is decided by lot: the smallest
  ticket leaves first.
* "All but the last" leaves at least one.
* When three or more stand, anybody may withdraw, and takes the place of one whom the phase would drop; the rule about
  withdrawals is for the last two.
* A member barred by a candidate is barred while that candidate stands, also while another stands alone.
* A procedure that is repeated and comes round without a phase that can be held has failed, as has one without a phase
  for so many from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

STRAY, BLANK, YES, NO = "(somebody else)", "(blank)", "(yes)", "(no)"


class Room(Protocol):
    """Those who vote, and what chance and the candidates do between the ballots."""

    candidates: tuple[str, ...]
    homes: tuple[str | None, ...]  # one a member: the candidate while whom the member is barred, if any

    def papers(self, ballot: int, voters: Sequence[int], choices: Sequence[str], extra: bool) -> list[str | None]:
        """Return what each voter hands in."""

    def withdraws(self, ballot: int, standing: Sequence[str], trailing: str | None) -> str | None:
        """Return who withdraws after a ballot; `trailing` is the one who may, when two stand."""

    def tickets(self, ballot: int) -> dict[str, float]:
        """Return every candidate's lot, numbers in [0, 1)."""


@dataclass(frozen=True)
class Row:
    """One ballot and what it brought about."""

    phase: str
    may_stand: tuple[str, ...]
    alone: bool
    entitled: int
    present: int
    valid: int
    votes: tuple[int, ...]  # of all candidates; of a yes/no ballot (yes, no)
    needed: int
    withdrew: str | None = None
    tied: tuple[str, ...] = ()
    extra: tuple[int, ...] = ()
    ended: str | None = None
    elected: str | None = None
    standing: tuple[str, ...] = ()  # after it, while the election goes on; so are the next two
    next_phase: str | None = None
    next_alone: str | None = None


@dataclass(frozen=True)
class Told:
    """An election from its beginning to its end."""

    first_phase: str | None
    rows: tuple[Row, ...]
    ended: str
    elected: str | None


class SlowPlayer:
    """Plays one election; `tell` is the way in, what is wrong on purpose overrides one of the small methods."""

    def __init__(self, table: dict[str, Any], room: Room) -> None:
        self.table, self.room, self.phases = table, room, table["phases"]
        self.standing = list(room.candidates)
        self.withdrawn: set[str] = set()
        self.place = 0  # of the phase among the phases
        self.held = 0  # ballots of this phase
        self.ballots = 0
        self.alone: str | None = None
        self.nearly_acclaimed = False  # alone because the other withdrew
        self.last: dict[str, int] | None = None  # votes in the last ballot between candidates
        self.places: int | None = None  # how many may stay, while the consequences of a ballot are worked out
        self.tie = "lot"
        self.extra: dict[str, int] = {}  # votes in the extra ballot after the present one
        self.extra_due = False  # whether there may be one
        self.withdrew: str | None = None  # after the present ballot
        self.ended: str | None = None
        self.elected: str | None = None

    def tell(self) -> Told:
        rows = []
        self.enter(0)
        first = None if self.ended else self.phase["name"]
        while self.ended is None:
            rows.append(self.ballot())
        return Told(first, tuple(rows), self.ended, self.elected)

    @property
    def phase(self) -> dict[str, Any]:
        return self.phases[self.place]

    def says(self, key: str) -> Any:
        """Return what the phase says of a thing, else what the procedure says."""
        return self.phase.get(key, self.table.get(key))

    # -- a ballot -----------------------------------------------------------------------------------------

    def ballot(self) -> Row:
        self.ballots += 1
        self.held += 1
        self.extra, self.tied, self.withdrew = {}, [], None
        before = self.phase["name"]
        alone = self.alone is not None
        may_stand = [self.alone] if self.alone is not None else list(self.standing)
        choices = [YES, NO] if alone else may_stand
        self.voters = [i for i in range(len(self.room.homes)) if not self.is_barred(i)]
        votes = dict.fromkeys(choices, 0)
        present = valid = 0
        for paper in self.room.papers(self.ballots, self.voters, choices, extra=False):
            if paper is None:
                continue
            present += 1
            if self.is_valid(paper):
                valid += 1
            if paper in votes:
                votes[paper] += 1
        needed = self.needed(valid, present, len(self.voters))
        if alone:
            self.answer(votes[YES], votes[NO], needed)
        else:
            self.choose(votes, needed)
        if self.ended is None and self.ballots >= self.table["max_rounds"]:
            self.ended = "open"
        on = self.ended is None
        return Row(
            before,
            tuple(may_stand),
            alone,
            len(self.voters),
            present,
            valid,
            tuple(votes.values()) if alone else tuple(votes.get(name, 0) for name in self.room.candidates),
            needed,
            self.withdrew,
            tuple(self.tied),
            tuple(self.extra[name] for name in self.tied),
            self.ended,
            self.elected,
            tuple(name for name in self.room.candidates if name in self.standing) if on else (),
            self.phase["name"] if on else None,
            self.alone if on else None,
        )

    def is_barred(self, member: int) -> bool:
        return bool(self.phase.get("barred")) and self.room.homes[member] in self.standing

    def is_valid(self, paper: str) -> bool:
        return paper != BLANK

    def threshold(self) -> str:
        """Return the threshold of the ballot that is being held."""
        if "threshold" in self.phase:
            said, number = self.phase["threshold"], self.held
        else:
            said, number = self.table["threshold"], self.ballots
        if isinstance(said, list):
            said = said[number - 1] if number <= len(said) else said[-1]
        return str(said)

    def needed(self, valid: int, present: int, entitled: int) -> int:
        """Return the smallest number of votes that meets the threshold: try one, two, three ..."""
        base = {"valid": valid, "present": present, "entitled": entitled}[self.says("base") or "valid"]
        threshold, votes = self.threshold(), 1
        if threshold == "most" and self.alone is not None:
            base = valid
        while not self.meets(votes, threshold, base):
            votes += 1
        return votes

    def meets(self, votes: int, threshold: str, base: int) -> bool:
        if threshold == "most":
            return self.alone is None or votes > base - votes
        if threshold.startswith(">"):
            return votes > Fraction(threshold[1:]) * base
        if "/" in threshold:
            return votes >= Fraction(threshold) * base
        return votes >= int(threshold)

    def choose(self, votes: dict[str, int], needed: int) -> None:
        self.last = votes
        winner = self.winner(votes, needed)
        if winner is not None:
            self.ended, self.elected = "majority", winner
            return
        self.extra_due = True
        self.consequences()
        self.extra_due = False

    def winner(self, votes: dict[str, int], needed: int) -> str | None:
        for name in votes:
            if votes[name] >= needed and all(votes[name] > votes[other] for other in votes if other != name):
                return name
        return None

    def answer(self, yes: int, no: int, needed: int) -> None:
        if yes >= needed:
            self.ended, self.elected = "confirmed", self.alone
        elif self.nearly_acclaimed:
            self.ended = "failed"
        else:
            self.go_on()

    # -- after a ballot that elected nobody ---------------------------------------------------------------

    def consequences(self) -> None:
        self.withdrawal()
        if self.ended is None and not self.nearly_acclaimed:
            self.drop()
            self.go_on()

    def withdrawal(self) -> None:
        rule, trailing = self.table.get("withdrawal", "none"), None
        if len(self.standing) < 2:
            return
        if len(self.standing) == 2:
            one, other = self.standing
            if rule == "none" or self.last[one] == self.last[other]:
                return
            trailing = one if self.last[one] < self.last[other] else other
        self.withdrew = self.room.withdraws(self.ballots, tuple(self.standing), trailing)
        if self.withdrew is None:
            return
        self.standing.remove(self.withdrew)
        self.withdrawn.add(self.withdrew)
        if trailing is not None and rule == "acclamation":
            self.ended, self.elected = "acclamation", self.standing[0]
        elif trailing is not None:
            self.alone, self.nearly_acclaimed = self.standing[0], True

    def drop(self) -> None:
        stood = len(self.standing) + (self.withdrew is not None)
        for _ in range(self.phase.get("drop", 0)):
            if stood > self.phase.get("down_to", 2):
                stood -= 1
                self.cut_to(stood)

    def go_on(self) -> None:
        """Stay in the phase, or go to the next one that can be held; then let those leave who must."""
        spent = "ballots" in self.phase and self.held >= self.phase["ballots"]
        if spent or self.too_few():
            self.enter(self.place + 1)
        if self.ended is None:
            self.send_away()
            if self.phase.get("vote") == "yes-no" and self.alone is None:
                self.alone = self.leader()

    def cut_to(self, places: int) -> None:
        """Remember how many places there will be, and how a tie for the last of them is broken."""
        if places < self.left():
            self.places, self.tie = places, self.phase.get("tie", "lot")

    def left(self) -> int:
        return len(self.standing) if self.places is None else min(self.places, len(self.standing))

    def too_few(self) -> bool:
        return self.left() < self.phase.get("standing", 1)

    def enter(self, place: int) -> None:
        rounds = []
        while True:
            if place == len(self.phases):
                now = sorted(self.standing), self.left()
                if self.table.get("after") != "repeat" or now in rounds:
                    self.ended = "failed"
                    return
                rounds.append(now)
                [place] = [i for i, phase in enumerate(self.phases) if phase["name"] == self.table["repeat_from"]]
            self.place, self.held, self.alone = place, 0, None
            if self.begins():
                return
            place += 1

    def begins(self) -> bool:
        """Cut the field for a phase; return whether enough stand for it."""
        field, before = self.phase.get("field"), (self.standing, self.places)
        if field == "all" and self.last is not None:
            self.standing = [name for name in self.room.candidates if name not in self.withdrawn]
            self.places = None
        if self.too_few():
            self.standing, self.places = before
            return False
        if self.last is not None:
            if field == "all but the last":
                self.cut_to(max(1, self.left() - 1))
            self.cut_to(self.phase.get("keep", self.left()))
        return not self.too_few()

    def send_away(self) -> None:
        """Let the last leave until as many stand as there are places."""
        places, self.places = self.left(), None
        level = self.level(places)
        if level and self.tie == "extra" and self.extra_due:
            self.tied = level
            self.extra = dict.fromkeys(level, 0)
            for paper in self.room.papers(self.ballots, self.voters, level, extra=True):
                if paper in self.extra:
                    self.extra[paper] += 1
        while len(self.standing) > places:
            self.standing.remove(self.first_to_go())

    def level(self, places: int) -> list[str]:
        """Return those who have equally many votes, of whom some stay and some leave."""
        votes = sorted((self.last.get(name, 0) for name in self.standing), reverse=True)
        if places >= len(votes) or votes[places - 1] != votes[places]:
            return []
        return [
            name for name in self.room.candidates if name in self.standing and self.last.get(name, 0) == votes[places]
        ]

    def first_to_go(self) -> str:
        lots = self.room.tickets(self.ballots)
        return min(self.standing, key=lambda name: (self.last.get(name, 0), self.extra.get(name, 0), lots[name]))

    def leader(self) -> str:
        lots = self.room.tickets(self.ballots)
        return max(self.standing, key=lambda name: (self.last.get(name, 0), lots[name]))
