"""The live posterior against very many elections of which all that do not fit were thrown away.

Rejection sampling needs no theory: whatever was announced, the elections in which it happened are a
sample from the posterior.  In a room of fifteen enough of them are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from toys import night_of, slow_but, toy

from iomsim.election_day import between_rounds, propagate, update
from iomsim.election_day.conditioning import resample
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.state import columns, concatenate
from iomsim.engine import simulate
from iomsim.engine.clock import DAY, Timetable
from iomsim.engine.outcomes import Outcomes
from iomsim.engine.plan import Draws, draw
from iomsim.engine.rng import BLOCK
from iomsim.model.bodies import readings
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats

Where = NDArray[np.bool_]
Ints = NDArray[np.int64]

FAR = 4.5
"""Standard errors by which two means may differ: there are some fifteen in every comparison."""

RUNS, PARTICLES = 250_000, 6000
"""Elections to sift, and particles of a night."""

LIVELY = {"absent": 0.1, "abstain": 0.06, "conviction": 1.2, "round_sd": 0.4, "common_sd": 0.5, "fluid": 0.6}
"""Everything is uncertain, also in a room of fifteen."""

SPONSORS = [{"name": "W", "backs": "A", "strength": 0.8, "spread": 0.6}, {"name": "E", "backs": "B", "strength": 0.5}]


PROCEDURES: dict[str, dict[str, Any]] = {
    "the first two": {"phases": [{"ballots": 1}, {"keep": 2}], "withdrawal": "acclamation"},
    "the last leaves": {"threshold": ">1/2", "phases": [{"drop": 1}]},
    "an extra ballot": {"threshold": ">1/2", "phases": [{"drop": 1, "tie": "extra"}]},
    "the leader alone": {
        "phases": [
            {"ballots": 2},
            {"vote": "yes-no", "ballots": 1, "base": "entitled", "threshold": ">1/2"},
            {"threshold": "3/5"},
        ],
    },
    "everybody again": {"phases": [{"ballots": 1}, {"keep": 2, "ballots": 1}, {"field": "all"}]},
    "members barred until one withdraws": {"withdrawal": "vote", "phases": [{"barred": True}]},
    "members barred": {"threshold": ">1/2", "base": "present", "phases": [{"drop": 1, "barred": True}]},
}
"""Rules of which a posterior is looked at in a room of nine."""


@cache
def room(
    names: str = "AB", rules: str = "until-two-thirds", behaviour: str = "", clock: str = "", members: int = 15
) -> Scenario:
    """Return a small election with everything in it; `rules` and the others are written as ``key=value, ...``."""
    table = [{"name": f"M{i}", "g": "xyz"[i % 3]} for i in range(members)]
    barred = {"A": ("M0", "M1", "M2"), "B": ("M3",)}  # where the rules say so
    electorate = {"table": table, "group": "g", "pinned": {names[0]: ["M0"]}, "barred": barred}
    own_rules: Any = {"name": "until-two-thirds", **pairs(rules)} if "=" in rules else rules
    own_rules = {"name": rules, **PROCEDURES[rules]} if rules in PROCEDURES else own_rules
    parts = {"clock": {"opens": "2023-05-15T10:00:00", **pairs(clock)}} if clock else {}
    mind = LIVELY | pairs(behaviour)
    return toy(names=names, behaviour=mind, electorate=electorate, sponsors=SPONSORS, rules=own_rules, **parts)


def pairs(text: str) -> dict[str, Any]:
    split = (part.split("=") for part in text.split(", ") if part)
    return {key: read(value) for key, value in split}


def read(value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else float(value) if "." in value else value


class Elections:
    """Simulated elections to be sifted, or those that a posterior consists of."""

    def __init__(self, out: Outcomes, draws: Draws) -> None:
        self.out, self.draws = out, draws

    def votes(self, round_: int, k: int) -> Ints:
        """Return a candidate's votes in a round, -9 in elections that did not hold it."""
        return self._row(self.out.votes[:, k], round_)

    def valid(self, round_: int) -> Ints:
        return self._row(self.out.valid, round_)

    def _row(self, column: NDArray[np.int16], round_: int) -> Ints:
        held = self.out.rounds >= round_
        return np.where(held, column[np.where(held, self.out.starts + round_ - 1, 0)].astype(int), -9)

    def tally(self, round_: int, *votes: int) -> Where:
        return np.all([self.votes(round_, k) == n for k, n in enumerate(votes)], axis=0)

    def first_round_ends(self, minute: float, within: float = 10) -> Where:
        """Return where the first round ended at about this minute, by letting the clocks run again."""
        plan = self.race.plan
        table = Timetable(plan.calendar, plan.pace, self.draws.keys)
        table.hold_round(np.arange(self.out.size), 1)
        return np.abs(table.now - minute) <= within

    def story(self, after: int, kept: Where | slice = slice(None)) -> dict[str, Floats]:
        """Return what is compared, election by election."""
        out, d = self.out, self.draws
        told = {
            "A wins": out.winner == 0,
            "nobody wins": out.winner < 0,
            "rounds": np.minimum(out.rounds, 12),
            "ends next": out.rounds == after + 1,
            "acclaimed": out.ending == ENDINGS.index("acclamation"),
            "spill": (out.minute < 0) | (out.minute >= DAY),
            "minute": np.where(out.minute < 0, 4 * DAY, np.minimum(out.minute, 4 * DAY)),
            "present": out.present,
            "votes for A": self.votes(after, 0),
            "votes for B": self.votes(after, 1),
            "valid papers": self.valid(after),
            "fluid": d.fluid,
            "appeal": d.appeal[0] - d.appeal[1],
            "campaign": d.campaign[0],
            "region": d.region[0, 0] - d.region[0, 1],
            "conviction": (d.conviction if d.conviction.ndim == 2 else d.conviction[0])[1:].mean(axis=0),
        }
        k = out.votes.shape[1]
        if after > 1:
            last = out.flows[np.minimum(out.starts + after - 1, len(out.flows) - 1)]
            told |= {f"flow {a}{b}": last[:, a, b] for a in range(k) for b in range(k)}
        return {name: np.asarray(x, dtype=float)[kept] for name, x in told.items()}

    race: Scenario


@cache
def past(race: Scenario, runs: int, seed: int = 99) -> Elections:
    """Return elections simulated without knowing anything."""
    plan = race.plan
    draws = [draw(plan, seed, block, n) for block, n in enumerate(simulate.chunk_sizes(runs, BLOCK))]
    found = Elections(simulate.simulate(plan, {}, runs, seed), concatenate(draws))
    found.race = race
    return found


def posterior(night: ElectionDay) -> Elections:
    """Return the elections that the forecast of a night consists of."""
    particles = night.state.particles
    index = resample(particles.log_weight, 0.5)
    return Elections(night.forecast().all_outcomes, columns(particles.draws, index))


def told(race: Scenario, lines: Sequence[str], particles: int, seed: int = 5) -> ElectionDay:
    night = night_of(race, particles=particles, seed=seed)
    for line in lines:
        night.tell(line)
    return night


def errors_apart(a: Floats, b: Floats, effective: float) -> float:
    """Return by how many standard errors the means of two samples differ; `b` is worth so many draws."""
    pooled = (len(a) * a.var() + effective * b.var()) / (len(a) + effective)
    error = np.sqrt(pooled * (1 / len(a) + 1 / effective))
    return float(abs(a.mean() - b.mean()) / error) if error else 99.0 * (a.mean() != b.mean())


def widest(race: Scenario, lines: Sequence[str], sift: Callable[[Elections], Where], runs: int, particles: int) -> Any:
    """Return the quantity in which posterior and sifted elections differ most, and by how many errors."""
    night, many = told(race, lines, particles), past(race, runs)
    kept, after = sift(many), night.state.round_
    assert kept.sum() >= 60, "a guard: too few to compare with"
    sifted, mine = many.story(after, kept), posterior(night).story(after)
    effective = min(night.state.effective_size, particles) / 2
    return max((errors_apart(sifted[name], mine[name], effective), name) for name in sifted)


def elected(e: Elections, how: str, round_: int, k: int = 0) -> Where:
    ended = (e.out.winner == k) & (e.out.ending == ENDINGS.index(how))
    return np.asarray(ended & (e.out.rounds == round_))


def first_round_elects(e: Elections) -> Where:
    return np.asarray((e.out.rounds == 1) & (e.out.ending == ENDINGS.index("majority")))


CROWD = "momentum_fluid=6, momentum_entrenched=6, momentum_field=0.1, openness_fluid=0.9, openness_entrenched=0.9"
PULLED = "momentum_fluid=6, momentum_entrenched=6, momentum_field=1"

CASES: dict[str, tuple[dict[str, str], list[str], Callable[[Elections], Where]]] = {
    "a tally": ({}, ["A=8 B=5"], lambda e: e.tally(1, 8, 5)),
    "an unlikely tally": ({}, ["A=4 B=7"], lambda e: e.tally(1, 4, 7)),
    "a tie": ({}, ["A=6 B=6"], lambda e: e.tally(1, 6, 6)),
    "two rounds": ({}, ["A=8 B=5", "A=7 B=6"], lambda e: e.tally(1, 8, 5) & e.tally(2, 7, 6)),
    "more papers than before": ({}, ["A=7 B=5", "A=8 B=6"], lambda e: e.tally(1, 7, 5) & e.tally(2, 8, 6)),
    "the leader's votes": ({}, ["A=8"], lambda e: e.votes(1, 0) == 8),
    "at least": ({}, ["A at least 8"], lambda e: e.votes(1, 0) >= 8),
    "at most, of known papers": ({}, ["A at most 8 valid=14"], lambda e: (e.votes(1, 0) <= 8) & (e.valid(1) == 14)),
    "papers only": ({}, ["valid=12"], lambda e: e.valid(1) == 12),
    "it goes on": ({}, ["A at least 8", "go on"], lambda e: (e.votes(1, 0) >= 8) & (e.out.rounds > 1)),
    "a camp that might give in": (
        {"behaviour": "concede_a=1, concede_b=1"},
        ["A=8 B=5", "go on"],
        lambda e: e.tally(1, 8, 5) & (e.out.rounds > 1),
    ),
    "at least, twice": (
        {},
        ["A at least 8", "A at least 7"],
        lambda e: (e.votes(1, 0) >= 8) & (e.votes(2, 0) >= 7),
    ),
    "a withdrawal after little was known": (
        {"behaviour": "concede_a=1, concede_b=1"},
        ["valid=12", "withdraw B"],
        lambda e: (
            (e.valid(1) == 12)
            & (e.out.rounds == 1)
            & (e.out.ending == ENDINGS.index("acclamation"))
            & (e.out.winner == 0)
        ),
    ),
    "papers, then a tally": ({}, ["valid=13", "A=7 B=6"], lambda e: (e.valid(1) == 13) & e.tally(2, 7, 6)),
    "three, one is out": (
        {"names": "ABC", "rules": "eliminate_after=1"},
        ["A=5 B=5 C=3", "A=7 B=6"],
        lambda e: e.tally(1, 5, 5, 3) & e.tally(2, 7, 6),
    ),
    "three, a lot": (
        {"names": "ABC", "rules": "eliminate_after=1"},
        ["A=5 B=4 C=4", "eliminate B"],
        lambda e: e.tally(1, 5, 4, 4) & (e.out.rounds > 1) & (e.votes(2, 1) < 0),
    ),
    "three, twice, and the last tally hardly pulls": (
        {"names": "ABC", "rules": "eliminate_after=never", "behaviour": CROWD},
        ["A=6", "A=5"],
        lambda e: (e.votes(1, 0) == 6) & (e.votes(2, 0) == 5),
    ),
    "three, one is out, and the last tally pulls much": (
        {"names": "ABC", "rules": "eliminate_after=1", "behaviour": PULLED},
        ["A=6 B=4 C=3", "A=7 B=6"],
        lambda e: e.tally(1, 6, 4, 3) & e.tally(2, 7, 6),
    ),
    "three, little is known of who is out": (
        {"names": "ABC", "rules": "eliminate_after=1"},
        ["A=5", "eliminate B"],
        lambda e: (e.votes(1, 0) == 5) & (e.out.rounds > 1) & (e.votes(2, 1) < 0),
    ),
    "a night matters": (
        {
            "clock": "formalities=420, formalities_log_sd=0.1, sits_on=0.5",
            "behaviour": "overnight=0.9",
            "rules": "strict",
        },
        ["A=8 B=5", "A=7 B=6"],
        lambda e: e.tally(1, 8, 5) & e.tally(2, 7, 6),
    ),
    "the chair sits on": (
        {"clock": "formalities=420, formalities_log_sd=0.1, round_minutes=90, sits_on=0.3"},
        ["A=8 B=5 at 19:00"],
        lambda e: e.tally(1, 8, 5) & e.first_round_ends(19 * 60),
    ),
    "three candidates": ({"names": "ABC"}, ["A=6 B=4 C=3"], lambda e: e.tally(1, 6, 4, 3)),
    "three, at least": (
        {"names": "ABC"},
        ["A at least 6 C at most 3 valid=13"],
        lambda e: (e.votes(1, 0) >= 6) & (e.votes(1, 2) <= 3) & (e.valid(1) == 13),
    ),
    "three, twice": (
        {"names": "ABC"},
        ["A=5 B=5 C=3", "A=6 B=5 C=2"],
        lambda e: e.tally(1, 5, 5, 3) & e.tally(2, 6, 5, 2),
    ),
    "two thirds of the members present": (
        {"rules": "base=present"},
        ["A=8 B=4", "A=8 B=4"],
        lambda e: e.tally(1, 8, 4) & e.tally(2, 8, 4),
    ),
    "members present": ({}, ["A=8 B=4 present=14"], lambda e: e.tally(1, 8, 4) & (e.out.present == 14)),
    "members present, then a tally": (
        {},
        ["A=7 B=5 present=14", "A=7 B=6"],
        lambda e: e.tally(1, 7, 5) & (e.out.present == 14) & e.tally(2, 7, 6),
    ),
    "members present, known late": (
        {},
        ["A=8 B=5", "A=7 B=6, 1 abstention"],
        lambda e: e.tally(1, 8, 5) & e.tally(2, 7, 6) & (e.out.present == 14),
    ),
    "members present and little else": (
        {"behaviour": "abstain=0.2"},
        ["A at least 6 present=14"],
        lambda e: (e.votes(1, 0) >= 6) & (e.out.present == 14),
    ),
    "two thirds of those announced as present": (
        {"rules": "base=present"},
        ["A=8 B=5", "A=8 B=4 present=14"],
        lambda e: e.tally(1, 8, 5) & e.tally(2, 8, 4) & (e.out.present == 14),
    ),
    "elected, no figures": ({}, ["A is elected"], lambda e: elected(e, "majority", 1)),
    "elected after a tie, no figures": (
        {},
        ["A=7 B=7", "A is elected"],
        lambda e: e.tally(1, 7, 7) & elected(e, "majority", 2),
    ),
    "elected in a round of which little was known": (
        {},
        ["valid=13", "A is elected"],
        lambda e: (e.valid(1) == 13) & elected(e, "majority", 1),
    ),
    "one of three elected, no figures": ({"names": "ABC"}, ["B is elected"], lambda e: elected(e, "majority", 1, 1)),
    "elected alone, no figures": (
        {"rules": "max_two_way=1, concession=false", "behaviour": "yes_opponent_a=2, yes_opponent_b=3"},
        ["A=8 B=5", "A is elected"],
        lambda e: e.tally(1, 8, 5) & elected(e, "confirmed", 2),
    ),
    "nobody elected, no figures": ({}, ["no result"], lambda e: ~first_round_elects(e)),
    "nobody elected, of so many papers": (
        {"names": "ABC"},
        ["no result; 13 valid, A at least 6"],
        lambda e: (e.valid(1) == 13) & (e.votes(1, 0) >= 6) & ~first_round_elects(e),
    ),
    "the leader alone after two rounds": (
        {"rules": "max_two_way=2"},
        ["A=8 B=5", "A=8 B=5"],
        lambda e: e.tally(1, 8, 5) & e.tally(2, 8, 5),
    ),
    "a yes/no round after a concession": (
        {"rules": "after_concession=confirmation"},
        ["A=8 B=5", "A=8 B=5"],
        lambda e: e.tally(1, 8, 5) & e.tally(2, 8, 5),
    ),
    "a simple majority from the third round on": (
        {"rules": "simple_majority_from=3"},
        ["A=8 B=5", "A=7 B=6"],
        lambda e: e.tally(1, 8, 5) & e.tally(2, 7, 6),
    ),
    "a night matters, and the time is known": (
        {
            "clock": "formalities=420, formalities_log_sd=0.1, sits_on=0.5",
            "behaviour": "overnight=0.9",
            "rules": "strict",
        },
        ["A=8 B=5 at 18:30", "A=7 B=6"],
        lambda e: e.tally(1, 8, 5) & e.tally(2, 7, 6) & e.first_round_ends(18.5 * 60, within=15),
    ),
}

STRAYS = {"behaviour": "stray=0.12"}
CASES |= {
    "strays, told": (STRAYS, ["A=7 B=5 others=2"], lambda e: e.tally(1, 7, 5) & (e.valid(1) == 14)),
    "strays of whom nothing is told": (STRAYS, ["A=8 B=4"], lambda e: e.tally(1, 8, 4)),
    "no strays": (STRAYS, ["A=8 B=4 others=0"], lambda e: e.tally(1, 8, 4) & (e.valid(1) == 12)),
    "strays, twice": (
        STRAYS,
        ["A=7 B=5 others=2", "A=7 B=6"],
        lambda e: e.tally(1, 7, 5) & (e.valid(1) == 14) & e.tally(2, 7, 6),
    ),
    "strays among the valid papers, little else is known": (
        STRAYS,
        ["A at least 8 valid=13"],
        lambda e: (e.votes(1, 0) >= 8) & (e.valid(1) == 13),
    ),
    "strays, and members present": (
        STRAYS | {"behaviour": "stray=0.12, abstain=0.15"},
        ["A=7 B=4 present=14"],
        lambda e: e.tally(1, 7, 4) & (e.out.present == 14),
    ),
    "strays of three": (
        STRAYS | {"names": "ABC"},
        ["A=5 B=4 C=2 others=2", "A=5"],
        lambda e: e.tally(1, 5, 4, 2) & (e.valid(1) == 13) & (e.votes(2, 0) == 5),
    ),
    "strays, elected, no figures": (STRAYS, ["A is elected"], lambda e: elected(e, "majority", 1)),
    "strays, nobody elected": (STRAYS, ["no result; A=8"], lambda e: (e.votes(1, 0) == 8) & ~first_round_elects(e)),
}

ANSWERS = "yes_opponent_a=3, yes_opponent_b=4, openness_fluid=0.9"
READY = "concede_a=2, concede_b=2"

PHASES: dict[str, tuple[dict[str, Any], list[str], Callable[[Elections], Where]]] = {
    "the first two go on": (
        {"names": "ABCD", "rules": "the first two"},
        ["A=3 B=3 C=1 D=1"],
        lambda e: e.tally(1, 3, 3, 1, 1),
    ),
    "a tie for the second place, told": (
        {"names": "ABCD", "rules": "the first two"},
        ["A=3 B=2 C=2 D=1", "eliminate C", "A=5 B=3"],
        lambda e: e.tally(1, 3, 2, 2, 1) & e.tally(2, 5, 3),
    ),
    "little is known of who goes on": (
        {"names": "ABCD", "rules": "the first two"},
        ["A=3", "eliminate C", "eliminate D", "A=5 B=3"],
        lambda e: (e.votes(1, 0) == 3) & e.tally(2, 5, 3),
    ),
    "the last leaves, twice": (
        {"names": "ABCD", "rules": "the last leaves"},
        ["A=3 B=3 C=2 D=0", "A=3 B=3 C=2"],
        lambda e: e.tally(1, 3, 3, 2, 0) & e.tally(2, 3, 3, 2),
    ),
    "the last leaves, by lot": (
        {"names": "ABCD", "rules": "the last leaves"},
        ["A=3 B=2 C=1 D=1", "eliminate D"],
        lambda e: e.tally(1, 3, 2, 1, 1) & (e.votes(2, 2) >= 0),
    ),
    "an extra ballot is to come": (
        {"names": "ABC", "rules": "an extra ballot"},
        ["A=4 B=2 C=2"],
        lambda e: e.tally(1, 4, 2, 2),
    ),
    "an extra ballot was held": (
        {"names": "ABC", "rules": "an extra ballot"},
        ["A=4 B=2 C=2", "eliminate B"],
        lambda e: e.tally(1, 4, 2, 2) & (e.votes(2, 2) >= 0),
    ),
    "the leader is asked of all members": (
        {"rules": "the leader alone", "behaviour": ANSWERS},
        ["A=5 B=3", "A=5 B=3"],
        lambda e: e.tally(1, 5, 3) & e.tally(2, 5, 3),
    ),
    "the leader is refused": (
        {"rules": "the leader alone", "behaviour": ANSWERS},
        ["A=5 B=3", "A=5 B=3", "confirm yes=4 no=4"],
        lambda e: e.tally(1, 5, 3) & e.tally(2, 5, 3) & (e.votes(3, 0) == 4) & (e.valid(3) == 8),
    ),
    "everybody may come back": (
        {"names": "ABCD", "rules": "everybody again"},
        ["A=3 B=3 C=1 D=1", "A=4 B=4"],
        lambda e: e.tally(1, 3, 3, 1, 1) & e.tally(2, 4, 4),
    ),
    "everybody has come back": (
        {"names": "ABCD", "rules": "everybody again"},
        ["A=3", "eliminate C", "eliminate D", "A=4 B=4", "A=4"],
        lambda e: (e.votes(1, 0) == 3) & e.tally(2, 4, 4) & (e.votes(3, 0) == 4),
    ),
    "some may not vote": (
        {"names": "ABC", "rules": "members barred"},
        ["A=2 B=2 C=1"],
        lambda e: e.tally(1, 2, 2, 1),
    ),
    "some may vote again": (
        {"names": "BCA", "rules": "members barred"},
        ["A=1 B=2 C=2", "B=4 C=4"],
        lambda e: e.tally(1, 2, 2, 1) & e.tally(2, 4, 4),
    ),
    "some may vote after a withdrawal": (
        {"rules": "members barred until one withdraws", "behaviour": READY},
        ["A=2 B=3", "withdraw A"],
        lambda e: e.tally(1, 2, 3) & (e.votes(2, 0) == -1),
    ),
    "a vote after a withdrawal": (
        {"rules": "withdrawal-then-vote", "behaviour": READY},
        ["A=5 B=3", "withdraw B"],
        lambda e: e.tally(1, 5, 3) & (e.out.rounds >= 2) & (e.votes(2, 1) == -1),
    ),
    "a vote after a withdrawal of which little is known": (
        {"rules": "withdrawal-then-vote", "behaviour": READY},
        ["valid=8", "withdraw B"],
        lambda e: (e.valid(1) == 8) & (e.votes(2, 1) == -1) & (e.votes(2, 0) >= 0),
    ),
}
"""Cases by the phases of a procedure, in a room of nine."""

LITTLE = "a vote after a withdrawal of which little is known"

SHORT = list(CASES)[:21]
"""Those that need no more than the first of many elections."""

WITH_STRAYS = [name for name in CASES if "strays" in name]

QUICK = [name for name in SHORT[::4] if not name.startswith("three")]

quiet = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("case", slow_but(SHORT + WITH_STRAYS, *QUICK, "strays, twice"))
def test_the_posterior_is_what_is_left_of_many_elections(case: str) -> None:
    parts, lines, sift = CASES[case]
    gap, what = widest(room(**parts), lines, sift, runs=RUNS, particles=PARTICLES)
    assert gap < FAR, what


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_is_also_in_the_fine_print(case: str) -> None:
    parts, lines, sift = CASES[case]
    gap, what = widest(room(**parts), lines, sift, runs=700_000, particles=20_000)
    assert gap < FAR, what


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("case", slow_but(PHASES, "the first two go on", LITTLE))
def test_the_posterior_follows_the_phases_of_the_rules(case: str) -> None:
    parts, lines, sift = PHASES[case]
    gap, what = widest(room(**parts, members=9), lines, sift, runs=RUNS, particles=PARTICLES)
    assert gap < FAR, what


@quiet
def test_a_paper_for_somebody_else_is_anybody_s() -> None:
    """The elections in which 7 to 5 are left when the paper of one free voter, drawn by lot, is for somebody else."""
    race = room()
    many = past(race, RUNS)
    u = np.random.default_rng(4).random(RUNS)  # of the thirteen who vote, one is pinned to A
    kept = (many.tally(1, 8, 5) & (u < 7 / 12)) | (many.tally(1, 7, 6) & (u < 6 / 12))
    night = told(race, ["A=7 B=5 others=1"], PARTICLES)
    sifted, mine = many.story(1, kept), posterior(night).story(1)
    drawn = ("present", "fluid", "appeal", "campaign", "region", "conviction")
    assert max(errors_apart(sifted[name], mine[name], night.state.effective_size / 2) for name in drawn) < FAR
    assert set(night.state.valid[-1]) == {13}
    heard = told(race, ["A=7 B=5 valid=12"], PARTICLES)  # a guard: one member more was there
    assert errors_apart(sifted["present"], posterior(heard).story(1)["present"], PARTICLES / 2) > 10


# -- other readings of the rules ---------------------------------------------------------------------


def off_under(reading: str, row: Any, sift: Callable[[Elections], Where]) -> float:
    """Return by how many standard errors a reading's row of the table misses the elections that were played by it."""
    many = past(room(rules=reading), RUNS)
    kept = sift(many)
    assert kept.sum() >= 400, "a guard: too few to compare with"
    played = {name: float((many.out.winner == k)[kept].mean()) for k, name in enumerate("AB")}
    played["spill"] = float(((many.out.minute < 0) | (many.out.minute >= DAY))[kept].mean())
    error = {name: np.sqrt(p * (1 - p) * (1 / kept.sum() + 1 / 2000)) + 1e-9 for name, p in played.items()}
    return max(abs(row[name] - p) / error[name] for name, p in played.items())


@quiet
@pytest.mark.slow
def test_the_other_readings_are_told_as_if_the_day_had_been_held_under_them() -> None:
    """Also those that let somebody withdraw, after the last round too, where the day's own rules do not."""
    sifts = [lambda e: e.tally(1, 8, 5), lambda e: e.tally(1, 8, 5) & e.tally(2, 7, 6)]
    for lines, sift in zip((["A=8 B=5"], ["A=8 B=5", "A=7 B=6"]), sifts, strict=True):
        rows = told(room(rules="strict"), lines, PARTICLES).forecast().rule_sets()
        assert set(rows.index) == set(readings()) - ({"one-two-way"} if len(lines) == 2 else set())
        assert [name for name, row in rows.iterrows() if off_under(name, row, sift) > FAR] == []
    three = told(room("ABC", "strict", members=9), ["A=3 B=3 C=2"] * 3, 1000)  # the last leaves under all five
    assert set(three.forecast().rule_sets().index) == set(readings())


# -- a check that accepts a wrong posterior is no check ----------------------------------------------


def all_alike(honest: Any) -> Any:
    """Draw who voted how, but give no particle more weight than another."""

    def lie(rng: Any, plan: Any, particles: Any, observed: Any, tally: Any) -> Any:
        moved, *counted = honest(rng, plan, particles, observed, tally)
        return replace(moved, log_weight=particles.log_weight), *counted

    return lie


LIARS: dict[str, tuple[str, Any, str, Any]] = {
    "the tally does not weigh": ("an unlikely tally", update, "propagate", all_alike),
    "nobody is steered back": (
        "an unlikely tally",
        update,
        "guide",
        lambda f: lambda *a: (f(*a)[0], np.zeros(a[0].keys.size)),
    ),
    "convictions stay as they were": (
        "an unlikely tally",
        propagate,
        "keep_conviction",
        lambda f: lambda rng, tried, chance, after: tried[0].conviction,
    ),
    "who was silent twice might as well be there": (
        "two rounds",
        propagate,
        "still_away",
        lambda f: lambda plan, particles: np.where(particles.seen, 0.0, plan.absent),
    ),
    "refusals teach nothing": (
        "a camp that might give in",
        between_rounds,
        "concession_probability",
        lambda f: lambda plan, state: 0.0 * f(plan, state),
    ),
    "rounds that elected are still open": (
        "it goes on",
        between_rounds,
        "assume_inconclusive",
        lambda f: lambda plan, state: state,
    ),
    "anybody may be the last": (
        "three, little is known of who is out",
        update,
        "surviving",
        lambda f: lambda state, step, places: 0.5 + 0.0 * f(state, step, places),
    ),
    "anybody may be among the first two": (
        "little is known of who goes on",
        update,
        "surviving",
        lambda f: lambda *a: 0.5 + 0.0 * f(*a),
    ),
    "an extra ballot is a lot, drawn at once": (
        "an extra ballot was held",
        update,
        "after_extra_ballot",
        lambda f: lambda plan, state: (state, np.full(state.votes[-1].shape, 0.5)),
    ),
    "who is present is not asked": (
        "members present",
        propagate,
        "sample_attendance",
        lambda f: lambda *a: f(*a[:-1], replace(a[-1], present=None)),
    ),
    "strays are in no base": (
        "strays, nobody elected",
        propagate,
        "sample_attendance",
        lambda f: lambda *a: (lambda x: x._replace(papers=x.voters))(f(*a)),
    ),
    "strays are not there": (
        "strays, twice",
        propagate,
        "sample_attendance",
        lambda f: lambda *a: (lambda x: x._replace(papers=x.voters))(f(*a)),
    ),
    "an election without figures teaches nothing": ("elected, no figures", update, "propagate", all_alike),
    "the clock learns nothing": (
        "the chair sits on",
        update,
        "log_density_of_end",
        lambda f: lambda plan, clocks, minute: 0.0 * clocks.now,
    ),
}


@quiet
@pytest.mark.parametrize("lie", slow_but(LIARS, "the tally does not weigh", "who is present is not asked"))
def test_the_check_above_can_fail(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case, module, name, wrong = LIARS[lie]
    parts, lines, sift = CASES[case] if case in CASES else PHASES[case]
    members = {} if case in CASES else {"members": 9}
    monkeypatch.setattr(module, name, wrong(getattr(module, name)))
    gap, _ = widest(room(**parts, **members), lines, sift, runs=RUNS, particles=PARTICLES)
    assert gap > FAR


def test_there_are_cases_of_every_kind() -> None:
    """A guard: a posterior that is the prior would agree with elections that nothing was said of."""
    race = room()
    sifted = past(race, RUNS)
    for case in ("a tally", "an unlikely tally", "two rounds"):
        kept = CASES[case][2](sifted)
        before, now = sifted.story(1), sifted.story(1, kept)
        assert max(errors_apart(now[name], before[name], 1e4) for name in now) > 10
