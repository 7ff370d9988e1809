"""Procedures, paper by paper: the library against a slow player, laws of any procedure, and real elections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from rules.random_procedures import SmallRoom, procedure_for, small_room
from rules.slow_procedures import BLANK, NO, STRAY, YES, Room, Row, SlowPlayer, Told

from iomsim.errors import AnnouncementError, ScenarioError
from iomsim.rules.course import Course
from iomsim.rules.procedure import Procedure, Stage

Player = Callable[[dict[str, Any], Room], Told]
NUMBERS = range(300)
ROOMS = 3  # elections a procedure


def by_hand(table: dict[str, Any], room: Room) -> Told:
    return SlowPlayer(table, room).tell()


def who_withdraws(
    table: dict[str, Any], room: Room, number: int, votes: dict[str, int], standing: Sequence[str]
) -> str | None:
    """Ask the room who withdraws, if anybody may: the one behind of two, anybody of more."""
    trailing, ahead = sorted(standing, key=votes.get)[:2] if len(standing) == 2 else (None, None)
    if len(standing) == 1 or (
        trailing and (table.get("withdrawal", "none") == "none" or votes[trailing] == votes[ahead])
    ):
        return None
    return room.withdraws(number, standing, trailing)


def by_library(table: dict[str, Any], room: Room) -> Told:
    """Play the same election with the library's rules; what these are told are sums over the papers."""
    phases, names = table["phases"], room.candidates
    try:
        course = Course.begin(Procedure.of(table), candidates=len(names), entitled=len(room.homes))
    except ScenarioError:  # no phase is held for so many
        return Told(None, (), "failed", None)

    def named(flags: Sequence[bool]) -> tuple[str, ...]:
        return tuple(name for name, flag in zip(names, flags, strict=True) if flag)

    first, rows = phases[course.phase]["name"], []
    while course.ended is None:
        number, may_stand, standing = course.ballot + 1, named(course.may_stand), named(course.in_race)
        alone, phase = course.alone >= 0, phases[course.phase]
        voters = [i for i, home in enumerate(room.homes) if not (phase.get("barred") and home in standing)]
        papers = room.papers(number, voters, (YES, NO) if alone else may_stand, extra=False)
        present = len(papers) - papers.count(None)
        valid = present - papers.count(BLANK)
        lots = room.tickets(number)
        tickets, withdrew, tied, extra = [lots[name] for name in names], None, (), ()
        needed = course.needed(valid=valid, present=present, entitled=len(voters))
        if alone:
            votes = papers.count(YES), papers.count(NO)
            course = replace(course, entitled=len(voters)).answered(*votes, present=present, tickets=tickets)
        else:
            votes = tuple(papers.count(name) for name in names)
            told = {"votes": votes, "valid": valid, "present": present, "entitled": len(voters), "tickets": tickets}
            after = course.after(**told)
            if after.ended != "majority":
                withdrew = who_withdraws(table, room, number, dict(zip(names, votes, strict=True)), standing)
                gone = None if withdrew is None else names.index(withdrew)
                flags = tuple(k == gone or flag for k, flag in enumerate(course.withdrawn))
                if withdrew is None or len(standing) > 2:
                    tied = named(replace(course, withdrawn=flags).tied(votes))
                if tied:
                    papers = room.papers(number, voters, tied, extra=True)
                    extra = tuple(papers.count(name) for name in tied)
                    told["extra"] = [papers.count(name) if name in tied else 0 for name in names]
                after = course.after(**told, withdraws=gone)
            course = after
        on, elected = course.ended is None, names[course.elected] if course.elected >= 0 else None
        rows.append(
            Row(
                phase["name"],
                may_stand,
                alone,
                len(voters),
                present,
                valid,
                votes,
                needed,
                withdrew,
                tied,
                extra,
                course.ended,
                elected,
                named(course.in_race) if on else (),
                phases[course.phase]["name"] if on else None,
                names[course.alone] if on and course.alone >= 0 else None,
            )
        )
    return Told(first, tuple(rows), course.ended, elected)


# -- the library and the slow player --------------------------------------------------------------------


def elections() -> Iterator[tuple[str, dict[str, Any], SmallRoom]]:
    """Yield three hundred procedures, each with some rooms to hold them in."""
    for number in NUMBERS:
        for room in (small_room(ROOMS * number + i) for i in range(ROOMS)):
            yield f"procedure {number} in {room.seed}", procedure_for(number, len(room.homes)), room


@cache
def told_by_library() -> tuple[Told, ...]:
    return tuple(by_library(table, room) for _, table, room in elections())


def difference(own: Told, library: Told) -> str:
    """Return the first thing that a player and the library tell differently; "" if they tell the same."""
    if own == library:
        return ""
    for number, (one, other) in enumerate(zip(own.rows, library.rows, strict=False), start=1):
        if one != other:
            return f"ballot {number}: {one}, library: {other}"
    return f"ends after {len(own.rows)} ballots, {own.ended}; library: after {len(library.rows)}, {library.ended}"


def test_the_library_plays_as_one_counts_by_hand() -> None:
    found = []
    for (what, table, room), library in zip(elections(), told_by_library(), strict=True):
        differs = difference(by_hand(table, room), library)
        if differs:
            found.append(f"{what}, {differs}; {table}")
    assert not found, f"{len(found)} elections differ, such as {found[0]}"


def test_the_three_hundred_are_of_every_kind() -> None:
    """A guard: elections that all end in the first ballot would prove little."""
    told = told_by_library()
    rows = [row for one in told for row in one.rows]
    ends = Counter(one.ended for one in told)
    assert min(ends[end] for end in ("majority", "acclamation", "confirmed", "failed", "open")) >= 20
    assert sum(bool(row.tied) for row in rows) >= 50  # extra ballots
    assert sum(row.withdrew is not None for row in rows) >= 100
    assert sum(row.valid == 0 for row in rows) >= 50
    assert sum(row.alone for row in rows) >= 100
    assert sum(len(row.standing) > len(row.may_stand) and not row.alone for row in rows) >= 20  # somebody came back
    assert len({row.phase for row in rows}) == 6


class OneVoteMore(SlowPlayer):
    def meets(self, votes: int, threshold: str, base: int) -> bool:
        return super().meets(votes - 1, threshold, base)


class MoreThanIsAtLeast(SlowPlayer):
    def meets(self, votes: int, threshold: str, base: int) -> bool:
        return super().meets(votes, threshold.removeprefix(">"), base)


class DropsBeforeTheyWithdraw(SlowPlayer):
    def consequences(self) -> None:
        self.drop()
        self.send_away()
        self.withdrawal()
        if self.ended is None and not self.nearly_acclaimed:
            self.go_on()


class TieElects(SlowPlayer):
    def winner(self, votes: dict[str, int], needed: int) -> str | None:
        best = max(votes.values())
        return next(name for name in votes if votes[name] == best) if best >= needed else None


class KeepsTheLowest(SlowPlayer):
    def first_to_go(self) -> str:
        return max(self.standing, key=lambda name: (self.last.get(name, 0), self.room.tickets(self.ballots)[name]))


class StraysDoNotCount(SlowPlayer):
    def is_valid(self, paper: str) -> bool:
        return paper not in (BLANK, STRAY)


class BlanksCount(SlowPlayer):
    def is_valid(self, paper: str) -> bool:
        return True


class AbsentBarred(SlowPlayer):
    def is_barred(self, member: int) -> bool:
        return False


class WithdrawnAreNotMissed(SlowPlayer):
    def too_few(self) -> bool:
        """Count those who have withdrawn in this very ballot as if they stood."""
        return self.left() + (self.withdrew is not None) < self.phase.get("standing", 1)


class WithdrawnComeBack(SlowPlayer):
    def begins(self) -> bool:
        self.withdrawn = set()
        return super().begins()


class SkippedPhasesCutNothing(SlowPlayer):
    def begins(self) -> bool:
        before = self.standing, self.places
        held = super().begins()
        if not held:
            self.standing, self.places = before
        return held


class LastBallotDropsNobody(SlowPlayer):
    def drop(self) -> None:
        if self.held < self.phase.get("ballots", self.held + 1):
            super().drop()


class LotsTheOtherWay(SlowPlayer):
    def first_to_go(self) -> str:
        lots = self.room.tickets(self.ballots)
        return min(self.standing, key=lambda name: (self.last.get(name, 0), self.extra.get(name, 0), -lots[name]))


class ThresholdsByPhase(SlowPlayer):
    def threshold(self) -> str:
        said = self.says("threshold")
        return str(said[min(self.held, len(said)) - 1] if isinstance(said, list) else said)


class ExtraBallotsForNothing(SlowPlayer):
    def first_to_go(self) -> str:
        return min(self.standing, key=lambda name: (self.last.get(name, 0), self.room.tickets(self.ballots)[name]))


class AnswersPutOut(SlowPlayer):
    def answer(self, yes: int, no: int, needed: int) -> None:
        leader = self.alone
        super().answer(yes, no, needed)
        if self.ended is None and leader in self.standing and len(self.standing) > 1:
            self.standing.remove(leader)


class RefusedGoesOn(SlowPlayer):
    def answer(self, yes: int, no: int, needed: int) -> None:
        self.nearly_acclaimed = False
        super().answer(yes, no, needed)


WRONG = [
    OneVoteMore,
    MoreThanIsAtLeast,
    DropsBeforeTheyWithdraw,
    TieElects,
    KeepsTheLowest,
    StraysDoNotCount,
    BlanksCount,
    AbsentBarred,
    WithdrawnAreNotMissed,
    WithdrawnComeBack,
    SkippedPhasesCutNothing,
    LastBallotDropsNobody,
    LotsTheOtherWay,
    ThresholdsByPhase,
    ExtraBallotsForNothing,
    AnswersPutOut,
    RefusedGoesOn,
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_rule_is_found(wrong: type[SlowPlayer]) -> None:
    """Found where the right rule and the library agree, that is."""
    for (_, table, room), library in zip(elections(), told_by_library(), strict=True):
        if difference(wrong(table, room).tell(), library) and not difference(by_hand(table, room), library):
            return
    pytest.fail("the comparison does not notice")


# -- laws -----------------------------------------------------------------------------------------------


def next_phase(
    table: dict[str, Any], place: int, held: int, stood: int, withdrew: int, may_return: int
) -> tuple[int, int, int] | None:
    """Return place, ballots held and how many stand in the phase after a ballot that elected nobody; None if it fails.

    For that one needs to know how many stood and withdrew, not who.
    """
    phases, phase = table["phases"], table["phases"][place]
    standing = stood - withdrew
    if "drop" in phase and stood > phase.get("down_to", 2):
        standing = min(standing, max(stood - phase["drop"], phase.get("down_to", 2)))
    if held < phase.get("ballots", held + 1) and standing >= phase.get("standing", 0):
        return place, held, standing
    been: set[int] = set()
    while True:
        place += 1
        if place == len(phases):
            if table["after"] != "repeat" or standing in been:
                return None
            been.add(standing)
            place = next(i for i, phase in enumerate(phases) if phase["name"] == table["repeat_from"])
        phase = phases[place]
        before = may_return if phase.get("field") == "all" else standing
        if before >= phase.get("standing", 0):
            standing = min(before, phase.get("keep", before))
            if phase.get("field") == "all but the last":
                standing = max(1, before - 1)
            if standing >= phase.get("standing", 0):
                return place, 0, standing


def laws_of_a_ballot(row: Row, votes: dict[str, int], standing: set[str]) -> Iterator[str]:
    """Yield what no ballot may do and this one did."""
    if row.needed < 1:
        yield "nobody's vote is enough"
    if not set(row.may_stand) <= standing:
        yield "who left may be voted for"
    if (row.elected is not None) != (row.ended in ("majority", "confirmed", "acclamation")):
        yield "elected without an end, or an end without somebody elected"
    if row.ended == "majority":
        others = [votes[name] for name in row.may_stand if name != row.elected]
        if row.elected not in row.may_stand:
            yield "who left is elected"
        elif votes[row.elected] < row.needed:
            yield "too few votes elect"
        elif votes[row.elected] <= max(others, default=0):
            yield "a tie elects"
    if row.ended == "confirmed" and (row.elected,) != row.may_stand:
        yield "who left is elected"
    if row.ended == "confirmed" and row.votes[0] < row.needed:
        yield "too few votes elect"
    if row.ended == "acclamation" and row.elected not in standing - {row.withdrew}:
        yield "who left is elected"


def broken_laws(table: dict[str, Any], room: Room, told: Told) -> set[str]:
    """Return what no procedure allows and an election did all the same."""
    phases, standing, withdrawn = table["phases"], set(room.candidates), set()
    place = next((i for i, phase in enumerate(phases) if phase.get("standing", 0) <= len(standing)), None)
    if place is None:
        return set() if told.ended == "failed" else {"it goes on though the rules end it"}
    held, last, broken = 0, {}, set()
    if len(told.rows) > table["max_rounds"]:
        broken.add("it goes on after the horizon")
    for number, row in enumerate(told.rows, 1):
        votes = {} if row.alone else dict(zip(room.candidates, row.votes, strict=True))
        last = votes or last
        broken |= set(laws_of_a_ballot(row, votes, standing))
        if (row.ended is None) == (number == len(told.rows)):
            broken.add("it goes on after its end")
        held += 1
        refused = row.alone and phases[place].get("vote") != "yes-no"
        stood, withdrew = len(standing), row.withdrew is not None
        left_alone = withdrew and stood == 2
        if withdrew:
            standing.discard(row.withdrew)
            withdrawn.add(row.withdrew)
        if row.elected is not None:
            break
        may_return = len(room.candidates) - len(withdrawn)
        following = next_phase(table, place, held, stood, withdrew, may_return)
        if left_alone:
            following = place, held, 1
        if refused or following is None:
            if row.ended != "failed":
                broken.add("it goes on though the rules end it")
            break
        if row.ended is not None:
            if row.ended == "failed":
                broken.add("failed without a rule")
            break
        place, held, size = following
        stay = set(row.standing)
        if row.next_phase != phases[place]["name"]:
            broken.add("another phase")
        if len(stay) != size:
            broken.add("more or fewer leave than the phase says")
        if stay & withdrawn or (stay - standing and not any(phase.get("field") == "all" for phase in phases)):
            broken.add("somebody comes back")
        best, worst = (pick(last.get(name, 0) for name in stay) for pick in (max, min))
        if any(last.get(name, 0) > worst for name in standing - stay):
            broken.add("somebody with more votes leaves")
        if (row.next_alone is not None) != (left_alone or phases[place].get("vote") == "yes-no"):
            broken.add("the leader does not stand alone")
        if row.next_alone is not None and last.get(row.next_alone, 0) < best:
            broken.add("the leader does not stand alone")
        standing = stay
    return broken


class AnyVoteElects(SlowPlayer):
    def needed(self, valid: int, present: int, entitled: int) -> int:
        return super().needed(valid, present, entitled) if valid else 0


class OneVoteLess(SlowPlayer):
    def choose(self, votes: dict[str, int], needed: int) -> None:
        super().choose(votes, needed - 1)


class TheOtherIsAcclaimed(SlowPlayer):
    def withdrawal(self) -> None:
        super().withdrawal()
        if self.ended == "acclamation":
            self.elected = self.withdrew


class GivesUp(SlowPlayer):
    def enter(self, place: int) -> None:
        if self.ballots and place == len(self.phases):
            self.ended = "failed"
        else:
            super().enter(place)


class AnybodyAlone(SlowPlayer):
    def leader(self) -> str:
        return min(self.standing)


class LongBreath(SlowPlayer):
    def __init__(self, table: dict[str, Any], room: Room) -> None:
        super().__init__(table | {"max_rounds": table["max_rounds"] + 1}, room)


@pytest.mark.parametrize("player", [by_hand, by_library])
def test_no_election_breaks_a_law(player: Player) -> None:
    tell = told_by_library() if player is by_library else (by_hand(table, room) for _, table, room in elections())
    for (what, table, room), told in zip(elections(), tell, strict=True):
        assert not broken_laws(table, room, told), f"{what}: {table}"


@pytest.mark.parametrize(
    ("wrong", "law"),
    [
        (AnyVoteElects, "nobody's vote is enough"),
        (OneVoteLess, "too few votes elect"),
        (TieElects, "a tie elects"),
        (TheOtherIsAcclaimed, "who left is elected"),
        (KeepsTheLowest, "somebody with more votes leaves"),
        (LastBallotDropsNobody, "more or fewer leave than the phase says"),
        (WithdrawnAreNotMissed, "another phase"),
        (WithdrawnComeBack, "somebody comes back"),
        (AnybodyAlone, "the leader does not stand alone"),
        (RefusedGoesOn, "it goes on though the rules end it"),
        (GivesUp, "failed without a rule"),
        (LongBreath, "it goes on after the horizon"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_lawless_election_is_found(wrong: type[SlowPlayer], law: str) -> None:
    broken = (broken_laws(table, room, wrong(table, room).tell()) for _, table, room in elections())
    assert any(law in laws for laws in broken)


# -- elections one can count by hand ----------------------------------------------------------------------


@dataclass
class Case:
    """An election as it was announced: a tally a ballot, and what had to follow from each."""

    table: dict[str, Any]
    candidates: str
    members: int
    ballots: list[tuple[dict[str, int], str, int]]  # the papers, the phase they belong to, the votes needed
    end: tuple[str, str | None]
    may_stand: dict[int, str] = field(default_factory=dict)  # by ballot
    extra: dict[int, dict[str, int]] = field(default_factory=dict)
    withdraw: dict[int, str] = field(default_factory=dict)
    barred: dict[str, int] = field(default_factory=dict)  # how many members each candidate bars
    tickets: tuple[str, ...] = ()  # the first to leave first


class Announced:
    """A room whose members hand in the papers that were announced."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.candidates = tuple(case.candidates.split())
        homes = [name for name, members in case.barred.items() for _ in range(members)]
        self.homes = (*homes, *[None] * (case.members - len(homes)))

    def papers(self, ballot: int, voters: Sequence[int], choices: Sequence[str], extra: bool) -> list[str | None]:
        tally = self.case.extra[ballot] if extra else self.case.ballots[ballot - 1][0]
        named = {name for name, votes in tally.items() if votes}
        assert named <= {*choices, STRAY, BLANK}, f"ballot {ballot}: {choices} may be voted for"
        papers = [name for name, votes in tally.items() for _ in range(votes)]
        assert len(papers) <= len(voters), f"ballot {ballot}: more papers than members"
        return papers + [None] * (len(voters) - len(papers))

    def withdraws(self, ballot: int, standing: Sequence[str], trailing: str | None) -> str | None:
        return self.case.withdraw.get(ballot)

    def tickets(self, ballot: int) -> dict[str, float]:
        order = self.case.tickets or self.candidates
        return {name: (1 + i) / 100 for i, name in enumerate(order)}


def procedure(threshold: str | list[str], *phases: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"name": "by hand", "threshold": threshold, "max_rounds": 60, "phases": list(phases)} | rest


AFRICAN_UNION = procedure(
    "2/3",
    {"name": "all", "standing": 3, "ballots": 3},
    {"name": "two", "keep": 2, "ballots": 3},
    {"name": "alone", "vote": "yes-no", "ballots": 1},
    base="entitled",
    after="suspend",
)
HEALTH = procedure(["2/3", "2/3", ">1/2"], {"name": "three", "ballots": 1, "drop": 1}, {"name": "two"})
ATOMIC = procedure(
    "2/3",
    {"name": "all", "field": "all", "standing": 3, "drop": 1},
    {"name": "two", "ballots": 3},
    after="repeat",
    repeat_from="all",
)
EXHIBITIONS = procedure(
    "2/3", {"name": "many", "standing": 3, "drop": 1}, {"name": "two", "threshold": ">1/2"}, max_rounds=20
)
OLYMPIC = procedure(">1/2", {"name": "cities", "drop": 1, "tie": "extra", "barred": True})
SECURITY_COUNCIL = procedure(
    "2/3",
    {"name": "first", "ballots": 1},
    {"name": "two", "keep": 2, "ballots": 3},
    {"name": "any state", "field": "all", "ballots": 3},
    after="repeat",
    repeat_from="two",
)
GUATEMALA = {  # the ballots of which a tally is known, and who had other papers in the open ones
    1: (109, 76, 0), 2: (114, 74, 0), 3: (116, 70, 0), 6: (93, 93, 1), 7: (96, 89, 2), 10: (110, 77, 0),
    11: (107, 76, 0), 12: (107, 77, 0), 13: (112, 75, 0), 14: (108, 76, 0), 15: (107, 78, 0), 16: (108, 76, 0),
    22: (102, 77, 0), 23: (108, 77, 0), 24: (106, 79, 0), 25: (103, 81, 0), 35: (103, 81, 0), 36: (109, 72, 0),
    39: (105, 78, 0), 40: (101, 84, 0), 41: (100, 82, 2), 47: (101, 78, 3),
}  # fmt: skip


def panama() -> Case:
    """2006: 47 ballots, and the 48th is one of those in which any state may be voted for.

    A ballot whose tally is not known here is taken to have repeated the one before.
    """
    both, three = "Guatemala Venezuela", "Guatemala Venezuela Panama"
    ballots, may_stand, votes = [], {}, (0, 0)
    for number in range(1, 48):
        *votes, others = GUATEMALA.get(number, (*votes, 0))
        restricted = number % 6 in (2, 3, 4)
        may_stand[number] = both if restricted else three
        phase = "first" if number == 1 else "two" if restricted else "any state"
        papers = {"Guatemala": votes[0], "Venezuela": votes[1], STRAY: others}
        ballots.append((papers, phase, -(-2 * sum(papers.values()) // 3)))
    ballots.append(({"Panama": 164, "Venezuela": 11, "Guatemala": 4, STRAY: 1}, "any state", 120))
    may_stand[48] = three
    return Case(SECURITY_COUNCIL, three, 192, ballots, ("majority", "Panama"), may_stand)


def tallies(names: str, *rows: str) -> list[tuple[dict[str, int], str, int]]:
    """Return ballots from lines such as "20 18 10: all 33"; what comes after the names is stray, then blank."""
    ballots = []
    for row in rows:
        votes, what = row.split(": ")
        phase, needed = what.rsplit(" ", 1)
        papers = (YES, NO, BLANK) if votes.startswith("yes ") else (*names.split(), STRAY, BLANK)
        counts = votes.removeprefix("yes ").split()
        ballots.append((dict(zip(papers, map(int, counts), strict=False)), phase, int(needed)))
    return ballots


AU = "Youssouf Odinga Randriamandrato"
TO_SIX = ("18 20 10: all 33", "19 22 7: all 33", "23 20 5: all 33", "25 21: two 33", "26 21: two 33", "26 22: two 33")
IAEA = "Grossi Feruta Zerbo"
ZERBO_OUT = ("15 14 5: all 23", "16 17: two 22", "20 14: two 23")
RIO = "Madrid Rio Tokyo Chicago"

CASES = {
    "African Union 2025: 33 of 49, the leader alone too": Case(
        AFRICAN_UNION,
        AU,
        49,
        tallies(AU, *TO_SIX, "yes 33 15: alone 33"),
        ("confirmed", "Youssouf"),
        {1: AU, 3: AU, 4: "Youssouf Odinga", 6: "Youssouf Odinga", 7: "Youssouf"},
    ),
    "African Union 2025, had he got one vote less": Case(
        AFRICAN_UNION, AU, 49, tallies(AU, *TO_SIX, "yes 32 0: alone 33"), ("failed", None)
    ),
    "African Union, January 2012: two from the start, the leader alone is refused": Case(
        AFRICAN_UNION,
        "Ping Dlamini-Zuma",
        53,
        tallies("Ping Dlamini-Zuma", "28 25: two 36", "27 26: two 36", "29 24: two 36", "yes 32 21: alone 36"),
        ("failed", None),
        {4: "Ping"},
    ),
    "World Health Organization 2017: a vote short, then more than half": Case(
        HEALTH,
        "Tedros Nabarro Nishtar",
        186,
        tallies("Tedros Nabarro Nishtar", "95 52 38: three 124", "121 62: two 122", "133 50: two 92"),
        ("majority", "Tedros"),
        {2: "Tedros Nabarro", 3: "Tedros Nabarro"},
    ),
    "International Atomic Energy Agency 2019: the third ballot between two": Case(
        ATOMIC, IAEA, 35, tallies(IAEA, *ZERBO_OUT, "24 10: two 23"), ("majority", "Grossi"), {2: "Grossi Feruta"}
    ),
    "International Atomic Energy Agency, had he got 22: all over again": Case(
        ATOMIC,
        IAEA,
        35,
        tallies(IAEA, *ZERBO_OUT, "22 12: two 23", "22 9 3: all 23", "23 10 0 1: two 23"),
        ("majority", "Grossi"),
        {4: "Grossi Feruta", 5: IAEA, 6: "Grossi Feruta"},
    ),
    "Bureau of Expositions 2013: the last leaves, two are decided by more than half": Case(
        EXHIBITIONS,
        "Dubai Yekaterinburg Izmir Sao-Paulo",
        168,
        tallies("Dubai Yekaterinburg Izmir Sao-Paulo", "77 39 33 13: many 108", "87 41 36: many 110", "116 47: two 82"),
        ("majority", "Dubai"),
        {2: "Dubai Yekaterinburg Izmir", 3: "Dubai Yekaterinburg"},
    ),
    "Olympic Committee 2009: who has lost a city may vote again (two members each, assumed)": Case(
        OLYMPIC,
        RIO,
        106,
        tallies(RIO, "28 26 22 18: cities 48", "29 46 20: cities 48", "32 66: cities 50"),
        ("majority", "Rio"),
        {2: "Madrid Rio Tokyo", 3: "Madrid Rio"},
        barred={"Madrid": 2, "Rio": 2, "Tokyo": 2, "Chicago": 2},
    ),
    "Olympic Committee 2013: two are level for the second place, an extra ballot": Case(
        OLYMPIC,
        "Tokyo Istanbul Madrid",
        98,
        tallies("Tokyo Istanbul Madrid", "42 26 26: cities 48", "60 36: cities 49"),
        ("majority", "Tokyo"),
        {2: "Tokyo Istanbul"},
        extra={1: {"Istanbul": 49, "Madrid": 45}},
        tickets=("Istanbul", "Madrid", "Tokyo"),
    ),
    "Security Council 2006: any state, every fourth to sixth ballot": panama(),
    "Security Council 2007: one of two withdraws, the other stands alone": Case(
        procedure("2/3", {"name": "open"}, withdrawal="vote"),
        "Croatia Czechia",
        192,
        tallies("Croatia Czechia", "95 91: open 124", "106 81: open 125", "yes 184 1: open 124"),
        ("confirmed", "Croatia"),
        {3: "Croatia"},
        withdraw={2: "Czechia"},
    ),
    "the same, and nine members will not have it": Case(
        procedure("2/3", {"name": "open"}, withdrawal="vote"),
        "A B",
        27,
        tallies("A B", "14 13: open 18", "yes 17 9 1: open 18"),
        ("failed", None),
        {2: "A"},
        withdraw={1: "B"},
    ),
    "three thresholds, and the votes of the present": Case(
        procedure(["2/3", ">1/2", "most"], {"name": "all"}, base="present"),
        "A B C",
        10,
        tallies("A B C", "5 2 1 0 1: all 6", "5 4 0 0 1: all 6", "3 3 1: all 1", "2 1 1 4 2: all 1"),
        ("majority", "A"),
    ),
    "nobody is elected by nobody": Case(
        procedure("most", {"name": "one", "ballots": 2}, after="fail"),
        "A B",
        3,
        tallies("A B", "0 0 0 3: one 1", "0 0: one 1"),
        ("failed", None),
    ),
    "the lead is shared: a lot decides who stands alone, and half of the members are barred": Case(
        procedure(
            ">1/2",
            {"name": "two", "ballots": 1},
            {"name": "alone", "vote": "yes-no", "ballots": 2, "base": "entitled", "barred": True, "threshold": "3/4"},
            {"name": "again", "field": "all", "threshold": "33"},
            max_rounds=4,
        ),
        "A B",
        40,
        tallies("A B", "20 20: two 21", "yes 14 6: alone 15", "yes 14 0: alone 15", "32 0: again 33"),
        ("open", None),
        {2: "A", 3: "A", 4: "A B"},
        barred={"A": 10, "B": 10},
        tickets=("B", "A"),
    ),
    "a third withdraws before anybody is put out": Case(
        procedure(">1/2", {"name": "all", "standing": 3, "drop": 1}, {"name": "two"}),
        "A B C",
        9,
        tallies("A B C", "4 3 2: all 5", "4 0 5: two 5"),
        ("majority", "C"),
        {2: "A C"},
        withdraw={1: "B"},
    ),
    "most votes elect, but not somebody whom most refuse": Case(
        procedure(
            "most", {"name": "two", "ballots": 1}, {"name": "alone", "vote": "yes-no", "ballots": 2}, after="fail"
        ),
        "A B",
        9,
        tallies("A B", "4 4: two 1", "yes 4 4: alone 5", "yes 1 8: alone 5"),
        ("failed", None),
        tickets=("B", "A"),
    ),
    "the ballot after a withdrawal is one of the phase": Case(
        procedure("2/3", {"name": "two", "threshold": ["2/3", ">1/2"]}, withdrawal="vote"),
        "A B",
        9,
        tallies("A B", "5 4: two 6", "yes 5 4: two 5"),
        ("confirmed", "A"),
        withdraw={1: "B"},
    ),
    "no vote on who is left after a withdrawal in the last ballot of the horizon": Case(
        procedure("2/3", {"name": "two"}, withdrawal="vote", max_rounds=1),
        "A B",
        9,
        tallies("A B", "5 4: two 6"),
        ("open", None),
        withdraw={1: "B"},
    ),
}


@pytest.mark.parametrize(
    ("case", "player"),
    [
        pytest.param(
            case,
            player,
            id=f"{name} {player.__name__}",
        )
        for name, case in CASES.items()
        for player in (by_hand, by_library)
    ],
)
def test_elections_as_they_were(case: Case, player: Player) -> None:
    told = player(case.table, Announced(case))
    assert [(row.phase, row.needed) for row in told.rows] == [(phase, needed) for _, phase, needed in case.ballots]
    for number, names in case.may_stand.items():
        assert set(told.rows[number - 1].may_stand) == set(names.split()), f"ballot {number}"
    assert (told.ended, told.elected) == case.end


@pytest.mark.parametrize("player", [by_hand, by_library])
def test_the_electorate_grows_when_a_city_is_out(player: Player) -> None:
    case = next(case for name, case in CASES.items() if "2009" in name)
    assert [row.entitled for row in player(case.table, Announced(case)).rows] == [98, 100, 102]


def test_if_both_withdraw_neither_is_acclaimed() -> None:
    course = Course.begin(Procedure(withdrawal="acclamation"), candidates=2, entitled=10)
    assert course.after(votes=(6, 4), withdraws=(0, 1)).elected == -1
    assert course.after(votes=(6, 4), withdraws=(1, 0)).elected == -1


class Later(SmallRoom):
    """A room after some ballots."""

    def __init__(self, room: SmallRoom, ballots: int) -> None:
        super().__init__(room.seed, len(room.homes), len(room.candidates))
        self.held = ballots

    def papers(self, ballot: int, voters: Sequence[int], choices: Sequence[str], extra: bool) -> list[str | None]:
        return super().papers(self.held + ballot, voters, choices, extra)

    def withdraws(self, ballot: int, standing: Sequence[str], trailing: str | None) -> str | None:
        return super().withdraws(self.held + ballot, standing, trailing)

    def tickets(self, ballot: int) -> dict[str, float]:
        return super().tickets(self.held + ballot)


def test_what_is_left_of_a_procedure_plays_the_rest() -> None:
    """Resumed after any ballot up to which nobody has left."""
    resumed = 0
    for what, table, room in elections():
        told, count = by_hand(table, room), len(room.candidates)
        stage = None if told.first_phase is None else (int(told.first_phase[-1]) - 1, 0, count)
        for number, row in enumerate(told.rows[:-1], start=1):
            if len(row.standing) < count or row.next_alone is not None:
                break
            stage = next_phase(table, stage[0], stage[1] + 1, count, 0, count)
            rest = Procedure.of(table).resumed(Stage(*stage), number + 1).table()
            left = by_hand(rest | {"max_rounds": table["max_rounds"] - number}, Later(room, number))
            now, then = (
                [(ballot.may_stand, ballot.needed, ballot.votes, ballot.ended, ballot.elected) for ballot in rows]
                for rows in (left.rows, told.rows[number:])
            )
            assert now == then, f"{what} after ballot {number}: {table}"
            resumed += 1
    assert resumed > 300


def test_votes_for_who_does_not_stand_are_refused() -> None:
    course = Course.begin(Procedure(threshold=">1/2", phases=({"ballots": 1, "drop": 1}, {})), 3, 10).after((4, 4, 2))
    with pytest.raises(AnnouncementError, match="candidate 2 does not stand and cannot get 8 votes; say valid="):
        course.after(votes=(1, 1, 8))
    assert course.after(votes=(2, 1, 0), valid=10).ended is None
