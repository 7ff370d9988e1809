"""The slow twin: a whole election, one member at a time, in plain Python.

It plays the same elections as the kernel, on the same random numbers, and shares no code with it:
numbers are looked up one run at a time by their address (`engine.rng`), what a run draws once comes
from `engine.plan.draw`, who is elected and who leaves is for the slow player of procedures
(`rules.slow_procedures`), and all the rest - where members stand, what they do, when - is written out
here as MODEL describes it, with loops, `if` and double precision.

Where MODEL leaves a choice, the twin takes these:

* A member pinned to a candidate intends that candidate whenever it stands, also when it comes back.  While it does
  not, the member chooses like any other, but never spoils a paper, and says no to anybody else who stands alone.
* Who comes back counts as level with the last of those who were voted on.
* In a swing go over those who have the smallest numbers of all who may: free members of the group who are there and
  intend somebody else, and have not gone over before.  From then on they are certain of their candidate, but choose
  like others while it does not stand; they spoil papers and answer yes or no as its other voters do.
* Nobody thinks again before a yes/no ballot.  Members barred from a ballot hand in no paper, but think again.
* In an extra ballot the voters of those who are level stay with them, and all others choose between these by their
  lean alone.  Afterwards everybody intends whom they did before it.  It takes the time of a round.

The kernel works in single precision, so that a ballot whose number lies within `NEAR` of the bound
that decides it may fall either way.  Such a run is flagged as too close to call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from rules.slow_procedures import BLANK, NO, STRAY, YES, Row, SlowPlayer, Told
from scipy import stats

from iomsim.engine import rng
from iomsim.engine.kernel import EXTRA_BALLOT
from iomsim.engine.plan import Draws
from iomsim.engine.rng import Lane
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import Procedure

NEAR = 1e-6
DAY = 24 * 60


@dataclass
class Story:
    """What became of one run."""

    present: int
    winner: int = -1
    ending: str = "open"
    minute: int = -1
    votes: list[list[int]] = field(default_factory=list)
    valid: list[int] = field(default_factory=list)
    flows: list[list[list[int]]] = field(default_factory=list)
    nearest: float = 1.0
    seen: set[str] = field(default_factory=set)

    @property
    def rounds(self) -> int:
        return len(self.valid)

    @property
    def too_close(self) -> bool:
        return self.nearest < NEAR


def ballot(keys: np.ndarray, round_: int, member: np.ndarray) -> np.ndarray:
    """Return the numbers of some members' ballots in [0, STEPS), one per key.

    The leading bits are a quarter of a word that four neighbours share, those after the point the round's.
    """
    member = np.asarray(member, dtype=np.uint64)
    word = rng.words(keys, round_, np.uint64(Lane.BALLOTS) + member // np.uint64(4))
    leading = (word >> (member % np.uint64(4) * np.uint64(16))) & np.uint64(0xFFFF)
    return leading + rng.uniform(keys, round_, Lane.FINE)


class Numbers:
    """One run's random numbers, by address."""

    def __init__(self, key: np.ndarray) -> None:
        self.key = key

    def uniform(self, round_: int, lane: int) -> float:
        return float(rng.uniform(self.key, round_, lane)[0])

    def uniforms(self, round_: int, lane: int, count: int) -> list[float]:
        lanes = np.uint64(lane) + np.arange(count, dtype=np.uint64)
        return rng.uniform(np.repeat(self.key, count), round_, lanes).tolist()

    def ballots(self, round_: int, members: int) -> list[float]:
        """Return every member's number in [0, 1)."""
        who = np.arange(members)
        return (ballot(np.repeat(self.key, members), round_, who) / rng.STEPS).tolist()

    def normal(self, round_: int, lane: int) -> float:
        """Return the middle of one of 65536 equally likely parts of the normal law, scaled to variance 1."""
        part = int(rng.words(self.key, round_, lane)[0]) >> 48
        return NormalDist().inv_cdf((part + 0.5) / 2**16) / spread_of_middles()

    def student(self, round_: int, lane: int) -> float:
        """Return a Student t with 5 degrees of freedom, scaled to unit variance: forty bits, and 24 for the angle."""
        word = int(rng.words(self.key, round_, lane)[0])
        u, cosine = ((word >> 24) + 0.5) / 2**40, math.cos(2 * math.pi * (word % 2**24) / 2**24)
        return math.sqrt(0.6 * 5 * math.expm1(-0.4 * math.log(u))) * cosine


@cache
def spread_of_middles() -> float:
    """Return the standard deviation of the middles of 65536 equally likely parts of the normal law."""
    law = NormalDist()
    return math.sqrt(sum(law.inv_cdf((i + 0.5) / 2**16) ** 2 for i in range(2**16)) / 2**16)


def leans(race: Scenario, draws: Draws, run: int) -> list[list[float]]:
    """Return v[i][k], the log-odds of every member for every candidate, as section 2 has them."""
    b, names = race.behaviour, race.names
    conviction = b.conviction.value
    c = math.sqrt(1 + 0.346 * conviction**2)
    frame, exposure, ties = race.electorate.frame, race.exposure, race.tie_table
    groups = sorted(set(frame["group"]))
    out = []
    for i in range(len(frame)):
        g = groups.index(frame["group"][i])
        row = []
        for k, candidate in enumerate(race.candidates):
            a = candidate.appeal.value + ties[k, i]
            for s, sponsor in enumerate(race.sponsors):
                if sponsor.backs == names[k]:
                    spread = sponsor.spread.value
                    xi = math.exp(spread * draws.campaign[s, run] - spread**2 / 2)
                    a += (1 - b.secrecy.value) * sponsor.strength.value * xi * exposure[s, i]
            a += b.common_sd.value / math.sqrt(2) * draws.appeal[k, run]
            a += b.region_sd.value / math.sqrt(2) * draws.region[g, k, run]
            row.append(c * float(a))
        if len(names) == 2:  # the difference of two convictions over sqrt 2 is one normal
            row[0] += conviction * float(draws.conviction[i, run])
        else:
            for k in range(len(names)):
                row[k] += conviction / math.sqrt(2) * float(draws.conviction[k, i, run])
        out.append(row)
    return out


class Session:
    """The clock of one run; it knows no daylight saving."""

    def __init__(self, race: Scenario, numbers: Numbers) -> None:
        self.clock, self.numbers, self.day = race.clock, numbers, 0  # the day on which the last round began
        self.ballots = [0] * 400
        opens = race.clock.opens
        spread = self.clock.formalities_log_sd.value * numbers.normal(0, Lane.DURATION)
        self.now = opens.hour * 60 + opens.minute + self.clock.formalities.value * math.exp(spread)

    def sittings(self) -> Iterator[tuple[int, float, float]]:
        """Yield the day, the opening and the close of every sitting."""
        names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        for day in range(400):
            date = self.clock.opens.date() + timedelta(days=day)
            if names[date.weekday()] not in self.clock.days or date in self.clock.closed:
                continue
            for start, end in self.clock.sittings:
                opens, close = start.hour * 60 + start.minute, end.hour * 60 + end.minute
                if close <= opens:  # it passes midnight
                    close += DAY
                if (start, end) == self.clock.sittings[-1]:
                    long = self.clock.sits_on_until.hour * 60 + self.clock.sits_on_until.minute
                    if self.numbers.uniform(0, Lane.SITS_ON + 64 * day) < self.clock.sits_on.value:
                        close = max(close, long)
                yield day, day * DAY + opens, day * DAY + close

    def next_start(self) -> tuple[int, float]:
        """Return the day and the minute at which the next round may start, whatever the deadline."""
        for day, a, b in self.sittings():
            cap = (day == 0 and self.clock.first_day) or self.clock.rounds_a_day
            if max(self.now, a) <= b - self.clock.last_call.value and (not cap or self.ballots[day] < cap):
                return day, max(self.now, a)
        raise AssertionError("the sittings have run out")

    def too_late(self) -> bool:
        """Return whether the deadline leaves no further round."""
        deadline, (_, start) = self.clock.deadline, self.next_start()
        return deadline is not None and start >= (deadline - midnight(self.clock.opens)).total_seconds() / 60

    def hold_round(self, round_: int) -> bool:
        """Let a round pass; return whether a night came before it."""
        day, start = self.next_start()
        night, self.day = day > self.day, day
        self.ballots[day] += 1
        spread = self.clock.round_log_sd.value * self.numbers.normal(round_, Lane.DURATION)
        self.now = start + self.clock.round_minutes.value * math.exp(spread)
        return night

    def withdrawal(self) -> bool:
        """Let the time of a withdrawal pass; return whether it had to wait for a sitting."""
        if not self.clock.consultation.value:
            return False
        later = self.now + self.clock.consultation.value
        self.now = next(max(later, a) for _, a, b in self.sittings() if later <= b)
        return self.now > later


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def binomial(trials: int, p: float, u: float) -> int:
    """Return the binomial number whose distribution function first exceeds `u`."""
    total = 0.0
    for x in range(trials + 1):
        total += math.comb(trials, x) * p**x * (1 - p) ** (trials - x)
        if u < total:
            return x
    return trials


def written_out(procedure: Procedure) -> dict[str, Any]:
    """Return a procedure as a table, with the names and the horizon that a file may leave out."""
    table = procedure.table()
    phases = [{"name": f"phase {i}"} | phase for i, phase in enumerate(table["phases"], start=1)]
    return {"max_rounds": procedure.max_rounds} | table | {"phases": phases}


class Election(SlowPlayer):
    """One run: the slow player of procedures, in a room whose members do what MODEL says.

    Candidates go by their numbers here, as in the kernel.
    """

    def __init__(self, race: Scenario, draws: Draws, run: int) -> None:
        self.candidates, self.homes = tuple(range(len(race.names))), tuple(range(len(race.pins)))
        super().__init__(written_out(race.rules), self)
        self.b = {name: getattr(race.behaviour, name).value for name in type(race.behaviour).model_fields}
        self.pins, self.has_vote, self.barred_by = race.pins.tolist(), race.votes.tolist(), race.barred.T.tolist()
        self.lean, self.fluid = leans(race, draws, run), bool(draws.fluid[run])
        self.key = draws.keys[run : run + 1]
        self.numbers = Numbers(self.key)
        self.session = Session(race, self.numbers)
        self.here = [i for i in self.homes if not draws.absent[i, run]]
        self.intention: dict[int, int] = {}
        self.went_over: dict[int, tuple[int, ...]] = {}
        frame = race.electorate.frame
        self.swings = [
            (swing.count, [i for i in self.homes if frame["group"][i] == swing.who or frame["name"][i] in swing.who])
            for swing in race.swings
        ]
        self.targets = [race.names.index(swing.to) for swing in race.swings]
        self.stood, self.refusals = 0, 0  # how many stood in the last choice, and how often the one behind stayed
        self.story = Story(present=len(self.here))

    def play(self) -> Story:
        told = self.tell()
        self.story.ending, self.story.winner = told.ended, -1 if told.elected is None else told.elected
        if told.ended != "open":
            self.story.minute = math.floor(self.session.now)
        return self.story

    # -- a ballot -----------------------------------------------------------------------------------------

    def tell(self) -> Told:
        """Tell as the player does, but hold no ballot when it is too late for one."""
        self.enter(0)
        while self.ended is None:
            if self.session.too_late():
                self.story.seen.add("the deadline comes first")
                self.ended = "open"
            else:
                self.write_down(self.ballot())
        return Told(None, (), self.ended, self.elected)

    def write_down(self, row: Row) -> None:
        votes = dict(zip(row.may_stand, row.votes, strict=False)) if row.alone else dict(enumerate(row.votes))
        self.story.votes.append([votes[k] if k in row.may_stand else -1 for k in self.candidates])
        self.story.valid.append(row.valid)
        self.story.seen |= set(happened(row, self.table))

    def papers(self, ballot: int, voters: Sequence[int], choices: Sequence[Any], extra: bool) -> list[Any]:
        if extra:
            self.session.hold_round(ballot)
            numbers = Numbers(self.key ^ EXTRA_BALLOT)
            intention, number = dict(self.intention), numbers.ballots(ballot, len(self.homes))
            for i in self.here:
                if intention[i] not in choices:
                    level = [k for k in self.candidates if k in choices]
                    nothing = [0.0] * len(self.candidates)
                    intention[i] = self.reconsidered(i, number[i], 1.0, nothing, level)
            return self.handed_in(numbers, ballot, voters, intention)
        night = self.session.hold_round(ballot)
        moves = [[0] * len(self.candidates) for _ in self.candidates]
        before = dict(self.intention)
        if self.alone is None:
            self.think_again(ballot, night)
        for i, old in before.items():
            moves[old][self.intention[i]] += 1
        self.story.flows.append(moves)
        papers = self.handed_in(self.numbers, ballot, voters, self.intention)
        if self.alone is not None:
            return self.answers(ballot, voters, papers)
        return papers

    def handed_in(self, numbers: Numbers, ballot: int, voters: Sequence[int], intention: dict[int, int]) -> list[Any]:
        """Return every voter's paper: of those who intend a candidate and are free, a binomial number spoil theirs.

        Of the others a binomial number write a name that does not stand, if they are asked for one.
        """
        papers: dict[int, Any] = {i: intention[i] for i in voters if i in intention}
        for k in self.candidates:
            free = [i for i, paper in papers.items() if paper == k and self.pins[i] < 0]
            silent = binomial(len(free), self.b["abstain"], numbers.uniform(ballot, Lane.ABSTAIN + k))
            rest = free[silent:] if self.alone is None else []
            stray = binomial(len(rest), self.b["stray"], numbers.uniform(ballot, Lane.STRAY + k))
            for i in free[:silent]:
                papers[i] = BLANK
            for i in rest[:stray]:
                papers[i] = STRAY
                self.story.seen.add("stray")
        return [papers.get(i) for i in voters]

    def answers(self, ballot: int, voters: Sequence[int], papers: list[Any]) -> list[Any]:
        """Return every voter's yes or no to the one who stands alone, instead of a paper between candidates."""
        kind = "conceded" if self.nearly_acclaimed else "opponent"
        beta = stats.beta(self.b[f"yes_{kind}_a"], self.b[f"yes_{kind}_b"])
        y = float(beta.ppf(self.numbers.uniform(ballot, Lane.YES_SHARE)))
        chances = []
        for i, paper in zip(voters, papers, strict=True):
            if paper is not None and paper != BLANK:
                own = self.b["yes_own"] if paper == self.alone else y
                chances.append(own if self.pins[i] < 0 else 1.0 if self.pins[i] == self.alone else 0.0)
                if self.pins[i] >= 0 and self.pins[i] != paper:
                    self.story.seen.add("pinned to one who left, asked about another")
        # numbers go to voters in this order: the pinned, its other voters, those of others, those pinned to others
        order = {1.0: 0, self.b["yes_own"]: 1, y: 2, 0.0: 3}
        chances.sort(key=order.__getitem__)
        draw = self.numbers.uniforms(ballot, Lane.YES, max(len(chances), 1))
        said = [YES if draw[j] < chance else NO for j, chance in enumerate(chances)]
        return said + [BLANK] * papers.count(BLANK) + [None] * papers.count(None)

    # -- intentions ---------------------------------------------------------------------------------------

    def think_again(self, ballot: int, night: bool) -> None:
        """Let members think again before a ballot, each with the openness of the round."""
        b, number = self.b, self.numbers.ballots(ballot, len(self.homes))
        omega, pull, shock = 1.0, [0.0] * len(self.candidates), [0.0] * len(self.candidates)
        if ballot > 1:
            first = b["openness_fluid"] if self.fluid else b["openness_entrenched"]
            omega = b["openness_inf"] + (first - b["openness_inf"]) * b["decay"] ** (ballot - 2)
            if night and b["overnight"] > omega:
                omega = b["overnight"]
                self.story.seen.add("overnight")
            momentum = b["momentum_fluid"] if self.fluid else b["momentum_entrenched"]
            if self.stood > 2:
                momentum *= b["momentum_field"]
            total, fewest = max(sum(self.last.values()), 1), min(self.last.values())
            for k in self.candidates:
                shock[k] = b["round_sd"] / math.sqrt(2) * self.numbers.student(ballot, Lane.SWAY + k)
                pull[k] = momentum * math.log(max(self.last.get(k, fewest), 0.5) / total) + shock[k]
        self.stood = len(self.standing)
        for i in self.here:
            old, pin = self.intention.get(i), self.pins[i]
            if pin in self.standing:
                self.intention[i] = pin
                if old not in (None, pin):
                    self.story.seen.add("pinned to one who comes back")
            elif old is None or old in self.standing:
                self.intention[i] = self.reconsidered(i, number[i], omega, pull, self.standing)
            else:
                self.intention[i] = self.reconsidered(i, number[i], 1.0, shock, self.standing)
                self.story.seen.add("pinned to one who left" if pin == old else "free of the last tally")
                if old in self.went_over.get(i, ()):
                    self.story.seen.add("went over to one who left")
        if ballot == 1:
            self.go_over()

    def go_over(self) -> None:
        """Let the swings' members go over, each swing in its turn."""
        for number, ((count, group), to) in enumerate(zip(self.swings, self.targets, strict=True), start=1):
            may = [i for i in group if i in self.here and self.pins[i] < 0 and self.intention[i] != to]
            may = [i for i in may if i not in self.went_over]
            may.sort(key=lambda i: int(rng.words(self.key, number, Lane.SWING + i)[0]))
            self.story.seen.add("went over" if len(may) >= count else "fewer went over than asked for")
            for i in may[:count]:
                self.went_over[i], self.intention[i] = (to,), to
                self.lean[i][to] = max(self.lean[i]) + 1e4

    def reconsidered(self, member: int, s: float, omega: float, pull: list[float], standing: list[int]) -> int:
        """Return what a member intends: the old intention, or a new one when it thinks again."""
        lean, story = self.lean[member], self.story
        story.nearest = min(story.nearest, abs(s - omega) if 0 < omega < 1 else 1.0)
        if s >= omega:
            return self.intention[member]
        standing = sorted(standing)
        top = max(lean[k] + pull[k] for k in standing)
        weight = {k: math.exp(lean[k] + pull[k] - top) for k in standing}
        total, reached = sum(weight.values()), 0.0
        for k in standing[:-1]:
            reached += weight[k] / total
            story.nearest = min(story.nearest, abs(s - omega * reached))
            if s < omega * reached:
                return k
        return standing[-1]

    # -- after a ballot -----------------------------------------------------------------------------------

    def is_barred(self, member: int) -> bool:
        """Return whether a member may not vote now: it has no vote, or the phase bars it."""
        bars = self.phase.get("barred") and any(self.barred_by[member][k] for k in self.standing)
        if bars and self.has_vote[member]:
            self.story.seen.add("barred")
        return not self.has_vote[member] or bool(bars)

    def withdraws(self, ballot: int, standing: Sequence[Any], trailing: int | None) -> int | None:
        """Return who withdraws: only the one behind of two ever does, as ready as the times it did not leave it."""
        if trailing is None:
            return None
        a, b = self.b["concede_a"], self.b["concede_b"]
        if self.numbers.uniform(ballot, Lane.CONCEDE) >= a / (a + b + self.refusals):
            self.refusals += 1
            return None
        if self.session.withdrawal():
            self.story.seen.add("a withdrawal waits for a sitting")
        return trailing

    def tickets(self, ballot: int) -> dict[Any, float]:
        return {k: self.numbers.uniform(ballot, Lane.TICKET + k) for k in self.candidates}

    def first_to_go(self) -> Any:
        level = [(self.last.get(k, 0), self.extra.get(k, 0)) for k in self.standing]
        if level.count(min(level)) > 1:
            self.story.seen.add("lot for the last place")
        return super().first_to_go()

    def leader(self) -> Any:
        votes = [self.last.get(k, 0) for k in self.standing]
        if votes.count(max(votes)) > 1:
            self.story.seen.add("lot for the lead")
        return super().leader()


def happened(row: Row, table: dict[str, Any]) -> Iterator[str]:
    """Yield what a ballot brought about, in words."""
    phase = next(phase for phase in table["phases"] if phase["name"] == row.phase)
    base, threshold = (phase.get(key, table.get(key)) for key in ("base", "threshold"))
    vote = "yes or no" if row.alone else "a choice"
    yield f"the base is {base or 'valid'}"
    yield f"{vote}, {'a list of thresholds' if isinstance(threshold, list) else threshold}"
    if row.tied:
        yield "extra ballot"
    if row.ended is None:
        left, came = set(row.may_stand) - set(row.standing), set(row.standing) - set(row.may_stand)
        if came and not row.alone:
            yield "reopened"
        if len(left) > 1:
            yield "several leave at once"
        if row.next_alone is not None and row.withdrew is not None:
            yield "alone after a withdrawal"
        if row.alone:
            yield "it goes on after a no"
        if row.next_phase != row.phase:
            names = [phase["name"] for phase in table["phases"]]
            yield "repeated" if names.index(row.next_phase) < names.index(row.phase) else "the next phase"
    if len(row.may_stand) == 1 and not row.alone:
        yield "a choice of one"


def election(race: Scenario, draws: Draws, run: int) -> Story:
    """Play one run from the first round to its end."""
    return Election(race, draws, run).play()


def differences(story: Story, out: Any, run: int, endings: tuple[str, ...]) -> list[str]:
    """Return in which arrays a run of the kernel's differs from the twin's."""
    rows = slice(out.starts[run], out.starts[run] + out.rounds[run])
    pairs = {
        "present": (out.present[run], story.present),
        "winner": (out.winner[run], story.winner),
        "ending": (endings[out.ending[run]], story.ending),
        "rounds": (out.rounds[run], story.rounds),
        "minute": (out.minute[run], story.minute),
        "votes": (out.votes[rows].tolist(), story.votes),
        "valid": (out.valid[rows].tolist(), story.valid),
        "flows": (out.flows[rows].tolist(), story.flows),
    }
    return [name for name, (fast, slow) in pairs.items() if fast != slow]
