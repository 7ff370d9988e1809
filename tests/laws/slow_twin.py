"""The slow twin: a whole election, one member at a time, in plain Python.

It plays the same elections as the kernel, on the same random numbers, and shares no code with it:
numbers are looked up one run at a time by their address (`engine.rng`), what a run draws once comes
from `engine.plan.draw`, and all the rest - where members stand, what they do, who is elected, when -
is written out here as MODEL describes it, with loops, `if` and double precision.

The kernel works in single precision, so that a ballot whose number lies within `NEAR` of the bound
that decides it may fall either way.  Such a run is flagged as too close to call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy import stats

from iomsim.engine import rng
from iomsim.engine.plan import Draws
from iomsim.engine.rng import Lane
from iomsim.model.scenario import Scenario

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


def election(race: Scenario, draws: Draws, run: int) -> Story:
    """Play one run from the first round to its end."""
    b = {name: getattr(race.behaviour, name).value for name in type(race.behaviour).model_fields}
    rules, pins, n, k_all = race.rules, race.pins.tolist(), len(race.pins), len(race.names)
    numbers = Numbers(draws.keys[run : run + 1])
    session = Session(race, numbers)
    here = [i for i in range(n) if not draws.absent[i, run]]
    story = Story(present=len(here))
    lean = leans(race, draws, run)
    fluid = bool(draws.fluid[run])
    standing = list(range(k_all))
    intention: dict[int, int] = {}
    votes = [0] * k_all
    unopposed, withdrew, stood = -1, False, k_all
    non_concessions = multiway = two_way = 0

    for round_ in range(1, rules.max_rounds + 1):
        if session.too_late():
            story.seen.add("the deadline comes first")
            break
        night = session.hold_round(round_)

        # who thinks again, and what they then intend
        if round_ == 1:
            omega = 1.0
        else:
            first = b["openness_fluid"] if fluid else b["openness_entrenched"]
            omega = b["openness_inf"] + (first - b["openness_inf"]) * b["decay"] ** (round_ - 2)
            if night and b["overnight"] > omega:
                omega = b["overnight"]
                story.seen.add("overnight")
        pull, shock = [0.0] * k_all, [0.0] * k_all
        if round_ > 1:
            momentum = b["momentum_fluid"] if fluid else b["momentum_entrenched"]
            if stood > 2:
                momentum *= b["momentum_field"]
            for k in range(k_all):
                shock[k] = b["round_sd"] / math.sqrt(2) * numbers.student(round_, Lane.SWAY + k)
                pull[k] = momentum * math.log(max(votes[k], 0.5) / max(sum(votes), 1)) + shock[k]
        stood = len(standing)
        moves = [[0] * k_all for _ in range(k_all)]
        if unopposed < 0:
            number = numbers.ballots(round_, n)
            for i in here:
                old = intention.get(i, -1)
                if round_ > 1 and old not in standing:  # whose candidate has left
                    intention[i] = reconsider(story, number[i], 1.0, old, lean[i], shock, standing, pins[i])
                    story.seen.add("pinned to one who left" if pins[i] == old else "free of the last tally")
                else:
                    intention[i] = reconsider(story, number[i], omega, old, lean[i], pull, standing, pins[i])
                if round_ > 1:
                    moves[old][intention[i]] += 1
        else:
            for i in here:
                moves[intention[i]][intention[i]] += 1

        # papers
        counts = [sum(intention[i] == k for i in here) for k in range(k_all)]
        for k in range(k_all):
            pinned = sum(pin == k for pin in pins)
            missing = binomial(max(counts[k] - pinned, 0), b["abstain"], numbers.uniform(round_, Lane.ABSTAIN + k))
            votes[k] = counts[k] - missing
        valid = sum(votes)
        base = {"valid": valid, "present": len(here), "entitled": int(race.votes.sum())}[rules.base]
        need = max(1, math.ceil(Fraction(base) * rules.threshold))
        if rules.simple_majority_from is not None and round_ >= rules.simple_majority_from:
            need = math.floor(Fraction(base, 2)) + 1
            story.seen.add("a simple majority suffices")
        if rules.base != "valid" and need != max(1, math.ceil(valid * rules.threshold)):
            story.seen.add(f"the base is {rules.base}")
        story.valid.append(valid)
        story.flows.append(moves)

        # a yes/no round ends it
        if unopposed >= 0:
            own, sure = votes[unopposed], min(sum(pin == unopposed for pin in pins), votes[unopposed])
            kind = "conceded" if withdrew else "opponent"
            y = stats.beta.ppf(numbers.uniform(round_, Lane.YES_SHARE), b[f"yes_{kind}_a"], b[f"yes_{kind}_b"])
            draw = numbers.uniforms(round_, Lane.YES, max(valid, 1))
            yes = sum(j < sure or draw[j] < (b["yes_own"] if j < own else y) for j in range(valid))
            story.votes.append([yes if k == unopposed else -1 for k in range(k_all)])
            half = rules.simple_majority_from is not None and round_ >= rules.simple_majority_from
            need = valid // 2 + 1 if half else max(1, math.ceil(Fraction(valid) * rules.threshold))
            story.ending = "confirmed" if yes >= need else "failed"
            story.winner = unopposed if yes >= need else -1
            break

        # a majority ends it
        story.votes.append([votes[k] if k in standing else -1 for k in range(k_all)])
        top = max(votes)
        leaders = [k for k in standing if votes[k] == top]
        if len(leaders) == 1 and top >= need:
            story.ending, story.winner = "majority", leaders[0]
            break

        # inconclusive: concession, elimination, the last two
        if len(standing) == 2:
            if rules.concession and len(leaders) == 1:
                if numbers.uniform(round_, Lane.CONCEDE) < b["concede_a"] / (
                    b["concede_a"] + b["concede_b"] + non_concessions
                ):
                    if session.withdrawal():
                        story.seen.add("a withdrawal waits for a sitting")
                    if rules.after_concession == "acclamation":
                        story.ending, story.winner = "acclamation", leaders[0]
                        break
                    unopposed, withdrew = leaders[0], True
                    story.seen.add("confirmation after a concession")
                    continue
                non_concessions += 1
            two_way += 1
            if rules.max_two_way is not None and two_way >= rules.max_two_way:
                unopposed = drawn(story, leaders, numbers, round_, "lot for the lead")
        else:
            multiway += 1
            due = rules.eliminate_after is not None and multiway >= rules.eliminate_after
            if due and (multiway - rules.eliminate_after) % rules.eliminate_every == 0:
                fewest = min(votes[k] for k in standing)
                last = [k for k in standing if votes[k] == fewest]
                standing.remove(drawn(story, last, numbers, round_, "lot for the last place"))
                story.seen.add(f"elimination with {len(standing) + 1} standing")
    if story.ending != "open":
        story.minute = math.floor(session.now)
    return story


def drawn(story: Story, tied: list[int], numbers: Numbers, round_: int, what: str) -> int:
    """Draw one of the tied."""
    if len(tied) > 1:
        story.seen.add(what)
    return tied[math.floor(numbers.uniform(round_, Lane.LOT) * len(tied))]


def reconsider(
    story: Story, s: float, omega: float, old: int, lean: list[float], pull: list[float], standing: list[int], pin: int
) -> int:
    """Return what a member intends: the old intention, or a new one when it thinks again."""
    story.nearest = min(story.nearest, abs(s - omega) if 0 < omega < 1 else 1.0)
    if s >= omega:
        return old
    if pin in standing:
        return pin
    top = max(lean[k] + pull[k] for k in standing)
    weight = {k: math.exp(lean[k] + pull[k] - top) for k in standing}
    total, reached = sum(weight.values()), 0.0
    for k in standing[:-1]:
        reached += weight[k] / total
        story.nearest = min(story.nearest, abs(s - omega * reached))
        if s < omega * reached:
            return k
    return standing[-1]


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
