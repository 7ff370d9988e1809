"""The live posterior over assumptions and readings: by hand, against sifted elections, and its calibration.

By hand: in a room in which nothing is hidden, the law of every tally is known for each draw of the assumptions, and
what follows from it under each reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from laws import exact
from numpy.typing import NDArray
from scipy import stats
from toys import ALPHA, STILL, mostly_slow, neutral, toy

import iomsim as iom
from iomsim.election_day import between_rounds
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.state import Particles
from iomsim.forecasting.forecast import Forecast
from iomsim.model.components import Behaviour
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS

quiet = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FAR = 4.5
"""Standard errors that two numbers may be apart."""

# -- by hand: one class, three draws of two parameters, two readings -----------------------------------

SIZE, LEAN, FLUID = 21, 0.25, 0.6
KNOWN: dict[str, Any] = STILL | {"openness_fluid": 0.5, "fluid": FLUID, "momentum_entrenched": 0.6}
UNSURE = {
    "momentum_fluid": {"value": 2.0, "low": 0.2, "high": 4.0},
    "concede_b": {"value": 3.0, "low": 0.5, "high": 9.0},
}
WEIGHTS = {"until-two-thirds": 0.6, "strict": 0.4}
DRAWS = 3


def one_class() -> Scenario:
    """Return a room in which two numbers are unsure, and the reading of the rules."""
    usual = {name: getattr(Behaviour(), name).value for name in Behaviour.model_fields}
    return toy(SIZE, appeal=LEAN, behaviour=usual | KNOWN | UNSURE).with_readings(WEIGHTS)


def next_law(votes: int, fluid: bool, round_: int, momentum: float) -> Floats:
    """Return the law of A's votes in a round, given those of the round before."""
    first, steep = (0.5, momentum) if fluid else (0.15, 0.6)
    omega = 0.10 + (first - 0.10) * 0.65 ** (round_ - 2)
    pull = steep * np.log(max(votes, 0.5) / max(SIZE - votes, 0.5))
    p = 1 / (1 + np.exp(-LEAN - pull))
    return exact.poisson_binomial([1 - omega * (1 - p)] * votes + [omega * p] * (SIZE - votes))


def joint(night: ElectionDay, tallies: list[int]) -> tuple[Floats, Floats]:
    """Return P(draw, reading | tallies), shape (DRAWS, 2), and P(fluid | draw, tallies), by Bayes' theorem."""
    assert night.draws is not None
    momentum = night.draws.values["behaviour.momentum_fluid"]
    a = night.plan.values["behaviour.concede_a"]
    b = night.draws.values["behaviour.concede_b"]
    weight, fluid = np.empty((DRAWS, 2)), np.empty(DRAWS)
    for d in range(DRAWS):
        regimes = {True: FLUID, False: 1 - FLUID}
        refused = 1.0
        for round_, (before, votes) in enumerate(pairwise(tallies), start=2):
            regimes = {f: w * next_law(before, f, round_, momentum[d])[votes] for f, w in regimes.items()}
            refused *= 1 - a / (a + b[d] + round_ - 2)
        weight[d] = sum(regimes.values()) * np.array([WEIGHTS["until-two-thirds"] * refused, WEIGHTS["strict"]])
        fluid[d] = regimes[True] / sum(regimes.values())
    return weight / weight.sum(), fluid


def off(tallies: list[int], particles: int = 6000) -> float:
    """Return by how many standard errors the filter misses draws, readings and the regime."""
    night = iom.live(one_class(), particles=particles, seed=8, assumptions=DRAWS)
    for votes in tallies:
        night.announce(A=votes, B=SIZE - votes)
    truth, fluid = joint(night, tallies)
    belief, worth = night.belief, min(particles, night.state.effective_size)
    found = {
        "draws": (belief.draw_weights(DRAWS), truth.sum(axis=1)),
        "readings": (belief.weights, truth.sum(axis=0)),
        "fluid": (
            np.array([night.learned().loc["the contest is fluid", "now mean"]]),
            np.array([truth.sum(axis=1) @ fluid]),
        ),
    }
    return max(float((np.abs(x - p) / np.sqrt(p * (1 - p) / worth + 1e-12)).max()) for x, p in found.values())


@quiet
@pytest.mark.parametrize("tallies", mostly_slow([[11], [11, 12], [13, 13], [13, 11, 12], [9, 10, 9, 10]], 2))
def test_draws_and_readings_are_weighed_by_bayes(tallies: list[int]) -> None:
    assert off(tallies) < FAR


def test_a_first_tally_says_nothing_of_readings_that_agree_about_it() -> None:
    night = iom.live(one_class(), particles=200, seed=3, assumptions=DRAWS)
    night.announce(A=11, B=10)
    assert night.belief.weights == pytest.approx([0.6, 0.4], abs=1e-12)


LIARS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "all follow the first draw": (
        Particles,
        "under",
        lambda honest: lambda self, plan: honest(replace(self, draw=np.zeros_like(self.draw)), plan),
    ),
    "refusals teach nothing": (
        between_rounds,
        "concession_probability",
        lambda honest: lambda plan, state: 0.0 * honest(plan, state),
    ),
    "refusals are the same under all draws": (
        between_rounds,
        "concession_probability",
        lambda honest: lambda plan, state: np.full(state.particles.size, honest(plan, state).mean()),
    ),
}


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("lie", mostly_slow(LIARS, 2))
def test_and_not_by_anything_else(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, wrong = LIARS[lie]
    monkeypatch.setattr(owner, name, wrong(getattr(owner, name)))
    assert off([13, 11, 12]) > FAR


@quiet
def test_the_forecast_follows_the_mixture() -> None:
    """P(A or B elected in round r) from the chain of every draw and reading, and each run's own draw and reading."""
    tallies = [11, 12]
    night = iom.live(one_class(), particles=6000, seed=8, assumptions=DRAWS)
    for votes in tallies:
        night.announce(A=votes, B=SIZE - votes)
    fc = night.forecast()
    weight, fluid = joint(night, tallies)
    assert fc.draws is not None
    assert night.draws is not None
    out, momentum = fc.all_outcomes, night.draws.values["behaviour.momentum_fluid"]
    b = night.draws.values["behaviour.concede_b"]
    source = np.array([int(np.argmin(abs(momentum - m))) for m in fc.draws.values["behaviour.momentum_fluid"]])
    mine = np.zeros((DRAWS, 2))
    np.add.at(mine, (source[out.draw], fc.draws.reading[out.draw]), 1 / out.size)
    assert mine == pytest.approx(weight, abs=0.03)
    elected = np.zeros((2, 9))
    for d, r, f in product(range(DRAWS), range(2), (True, False)):
        mass = np.zeros(SIZE + 1)
        mass[tallies[-1]] = weight[d, r] * (fluid[d] if f else 1 - fluid[d])
        for round_ in range(2, 9):
            if round_ > 2:
                mass = sum(mass[v] * next_law(v, f, round_, momentum[d]) for v in range(SIZE + 1))
            enough = np.arange(SIZE + 1) >= exact.STRICT.needed(SIZE)
            for k, won in enumerate((enough, enough[::-1])):
                elected[k, round_] += mass[won].sum()
            mass = np.where(enough | enough[::-1], 0.0, mass)
            hazard = 1.1 / (1.1 + b[d] + round_ - 1) * (r == 0)
            ahead = np.arange(SIZE + 1) > SIZE / 2
            for k, leads in enumerate((ahead, ~ahead)):
                elected[k, round_] += hazard * mass[leads].sum()
            mass = mass * (1 - hazard)
    for k, round_ in product(range(2), range(2, 9)):
        found, truth = float(((out.winner == k) & (out.rounds == round_)).mean()), elected[k, round_]
        assert found == pytest.approx(truth, abs=FAR * np.sqrt(truth * (1 - truth) / 2500) + 1e-3)


# -- against sifted elections --------------------------------------------------------------------------

RUNS, PARTICLES, SEED = 80_000, 4000, 17
MIND = {
    "absent": {"value": 0.1, "low": 0.05, "high": 0.2},
    "abstain": 0.06,
    "conviction": {"value": 1.2, "low": 0.6, "high": 2.0},
    "round_sd": 0.4,
    "common_sd": {"value": 0.5, "low": 0.2, "high": 0.9},
    "concede_b": {"value": 4.8, "low": 2.0, "high": 9.0},
}
PACE = {"opens": "2023-05-15T10:00:00", "round_minutes": {"value": 70, "low": 40, "high": 120}}
GOES_ON, LEAVES = "all stay", "the last leaves"
OWN_RULES = {
    GOES_ON: {"name": GOES_ON, "threshold": ">1/2", "withdrawal": "acclamation"},
    LEAVES: {"name": LEAVES, "threshold": ">1/2", "phases": [{"drop": 1}]},
}


@cache
def room(names: str = "AB") -> Scenario:
    """Return a small election of which much is unsure, the rules among it."""
    electorate = {"table": [{"name": f"M{i}", "g": "xyz"[i % 3]} for i in range(15)], "group": "g"}
    appeal = {"value": 0.1, "low": -0.4, "high": 0.6}
    candidates = [{"name": name, **({"appeal": appeal} if name == "A" else {})} for name in names]
    race = toy(names=names, behaviour=MIND, electorate=electorate, candidates=candidates, clock=PACE)
    if names == "AB":
        return race.with_readings({"until-two-thirds": 0.5, "strict": 0.2, "four-rounds": 0.2, "one-two-way": 0.1})
    readings = [{"rules": rules, "weight": 0.5} for rules in OWN_RULES.values()]
    return race._with(rules=None, readings=readings)


@cache
def past(names: str) -> list[tuple[float, Forecast]]:
    """Return elections simulated without knowing anything, under each reading, with the weight of the reading.

    A forecast of all readings would have every draw of the assumptions follow one of them; in the posterior each is
    believed whatever the draw.
    """
    return [
        (part.weight, iom.forecast(room(names).with_rules(part.rules), RUNS, SEED, assumptions=100, progress=False))
        for part in room(names).readings
    ]


def votes(fc: Forecast, round_: int, k: int) -> NDArray[np.int64]:
    """Return a candidate's votes in a round, -9 in elections that did not hold it."""
    out = fc.all_outcomes
    held = out.rounds >= round_
    return np.where(held, out.votes[np.where(held, out.starts + round_ - 1, 0), k].astype(int), -9)


def tally(fc: Forecast, round_: int, *counts: int) -> Flags:
    return np.all([votes(fc, round_, k) == n for k, n in enumerate(counts)], axis=0)


def story(fc: Forecast, kept: Flags | slice = slice(None)) -> dict[str, Floats]:
    """Return what is compared, election by election."""
    out, draws = fc.all_outcomes, fc.draws
    assert draws is not None
    told = {
        "A wins": out.winner == 0,
        "nobody wins": out.winner < 0,
        "rounds": np.minimum(out.rounds, 12),
        "minute": np.where(out.minute < 0, 5760, np.minimum(out.minute, 5760)),
        "present": out.present,
        **{path: values[out.draw] for path, values in draws.values.items() if path in COMPARED},
    }
    return {name: np.asarray(x, dtype=float)[kept] for name, x in told.items()}


def twice_nobody(fc: Forecast) -> Flags:
    """Return where two ballots between two were held that elected nobody, whatever came of the second."""
    out = fc.all_outcomes
    elected = (out.rounds == 2) & (out.ending == ENDINGS.index("majority"))
    return (votes(fc, 2, 0) >= 0) & (votes(fc, 2, 1) >= 0) & ~elected


COMPARED = ("candidates.A.appeal", "behaviour.absent", "behaviour.conviction", "behaviour.concede_b",
            "behaviour.common_sd", "clock.round_minutes")  # fmt: skip

CASES: dict[str, tuple[str, list[str], Callable[[Forecast], Flags]]] = {
    "a tally": ("AB", ["A=8 B=5"], lambda fc: tally(fc, 1, 8, 5)),
    "two tallies": ("AB", ["A=8 B=5", "A=7 B=6"], lambda fc: tally(fc, 1, 8, 5) & tally(fc, 2, 7, 6)),
    "no result": ("AB", ["no result", "no result"], twice_nobody),
    "a withdrawal": (
        "AB",
        ["A=8 B=5", "withdraw B"],
        lambda fc: tally(fc, 1, 8, 5) & (fc.all_outcomes.rounds == 1) & (fc.all_outcomes.winner == 0),
    ),
    "the readings disagree about who stands": ("ABC", ["A=6 B=4 C=3"], lambda fc: tally(fc, 1, 6, 4, 3)),
    "and little is told": (
        "ABC",
        ["A=6 B=4 C=3", "A=6"],
        lambda fc: tally(fc, 1, 6, 4, 3) & (votes(fc, 2, 0) == 6),
    ),
    "and all of it": (
        "ABC",
        ["A=5 B=4 C=4", "A at least 5 B at least 4 C at least 2"],
        lambda fc: tally(fc, 1, 5, 4, 4) & (votes(fc, 2, 0) >= 5) & (votes(fc, 2, 1) >= 4) & (votes(fc, 2, 2) >= 2),
    ),
}


def sifted(names: str, sift: Callable[[Forecast], Flags]) -> tuple[dict[str, Floats], Floats, Floats]:
    """Return the elections that are left, their weights, and the posterior weights of the readings."""
    kept = [(weight, fc, sift(fc)) for weight, fc in past(names)]
    parts = [story(fc, keep) for _, fc, keep in kept]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    weight = np.repeat([weight for weight, *_ in kept], [keep.sum() for *_, keep in kept])
    readings = np.array([weight * keep.sum() for weight, _, keep in kept])
    return whole, weight / weight.sum(), readings / readings.sum()


def errors_apart(a: Floats, weight: Floats, b: Floats, worth: float) -> float:
    """Return by how many standard errors two means differ; elections of several readings are the same up to a point."""
    mean = float(weight @ a)
    variance = max(float(weight @ (a - mean) ** 2), float(b.var()))
    error = np.sqrt(variance * (4 * (weight**2).sum() + 1 / worth))
    return abs(mean - float(b.mean())) / max(error, 1e-9)


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("case", mostly_slow(CASES, 3))
def test_the_posterior_is_what_is_left_of_many_elections(case: str) -> None:
    names, lines, sift = CASES[case]
    night = iom.live(room(names), PARTICLES, SEED, assumptions=100)
    for line in lines:
        night.tell(line)
    left, weight, readings = sifted(names, sift)
    assert 1 / (weight**2).sum() >= 150, "a guard: too few to compare with"
    mine, worth = story(night.forecast()), min(night.state.effective_size, PARTICLES) / 3
    gaps = {name: errors_apart(left[name], weight, mine[name], worth) for name in left}
    assert {name: gap for name, gap in gaps.items() if gap > FAR} == {}
    noise = np.sqrt(readings * (1 - readings) * (4 * (weight**2).sum() + 1 / worth)) + 1e-12
    assert (np.abs(night.belief.weights - readings) / noise).max() < FAR


# -- how many papers go astray -------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize(("line", "others"), [("A=30 B=24 others=6", 6), ("A=30 B=30 valid=60", 0)])
def test_papers_for_nobody_who_stands_teach_how_many_go_astray(line: str, others: int) -> None:
    """By hand: of sixty papers so many were astray, a binomial number; whom the others were for says nothing of it."""
    race = toy(60, behaviour=STILL | {"stray": {"value": 0.05, "low": 0.02, "high": 0.15}})
    night = iom.live(race, 2000, 3, assumptions=2000)
    night.tell(line)
    after = night.forecast()
    assert after.draws is not None
    drawn = after.draws.values["behaviour.stray"]
    chance = drawn[after.all_outcomes.draw]
    weight = stats.binom.pmf(others, 60, drawn)
    mean = (drawn * weight).sum() / weight.sum()
    spread = np.sqrt((drawn**2 * weight).sum() / weight.sum() - mean**2)
    assert abs(chance.mean() - mean) < 4 * spread * np.sqrt(2 / night.state.effective_size)
    assert abs(mean - drawn.mean()) > 10 * spread * np.sqrt(2 / night.state.effective_size)  # a guard


# -- calibration ---------------------------------------------------------------------------------------

RANKED = 99
GROUPS = (9, 8, 8, 8, 8)
UNSURE_LEVEL = {"value": 0.0, "low": -0.6, "high": 0.6}


def unsure(width: float = 1.0) -> Scenario:
    """Return an even contest of which the level, the mind and the rules are unsure."""
    clock = {"opens": "2023-05-15T10:00:00", "last_call": 45}
    race = neutral(GROUPS, behaviour={"momentum_fluid": {"value": 3.0, "low": 1.0, "high": 5.0}}, clock=clock)
    names = [{"name": name} for name in race.names]
    names[0]["appeal"] = UNSURE_LEVEL | {"low": -0.6 * width, "high": 0.6 * width}
    race = race._with(candidates=names)
    return race.with_readings({"until-two-thirds": 0.5, "strict": 0.3, "one-two-way": 0.2})


def ranks(worlds: int, most: int, believed: Scenario, size: int = 400) -> tuple[dict[str, NDArray[np.int64]], float]:
    """Return the ranks of truths among draws from the posterior, and how far its chances of readings are out."""
    fc = iom.forecast(unsure(), worlds, 77, assumptions=worlds, progress=False)
    out, draws, rng = fc.all_outcomes, fc.draws, np.random.default_rng(1)
    assert draws is not None
    found: dict[str, list[int]] = {}
    gap, variance = 0.0, 0.0
    for run in range(worlds):
        night = iom.live(believed, size, 10_000 + run, assumptions=size)
        held = int(out.rounds[run])
        rows = out.votes[out.starts[run] :][:held]
        for row in rows[:most]:
            if (row >= 0).all():
                night.announce(A=int(row[0]), B=int(row[1]))
        if held < most and night.state.ended is None:
            night.withdraw("AB"[1 - out.winner[run]])
        after = night.forecast()
        assert after.draws is not None
        played, own = after.all_outcomes, after.all_outcomes.draw
        mine = {
            "A wins": played.winner == 0,
            "rounds": played.rounds,
            "level": after.draws.values["candidates.A.appeal"][own],
            "momentum": after.draws.values["behaviour.momentum_fluid"][own],
        }
        truth = {
            "A wins": out.winner[run] == 0,
            "rounds": held,
            "level": draws.values["candidates.A.appeal"][run],
            "momentum": draws.values["behaviour.momentum_fluid"][run],
        }
        if held > most and (rows[most] >= 0).all():
            on = (played.rounds > most) & (
                played.votes[np.minimum(played.starts + most, len(played.votes) - 1)] >= 0
            ).all(axis=1)
            row = played.votes[(played.starts + most)[on]].astype(float)
            if on.sum() >= RANKED:
                mine["next share"] = row[:, 0] / row.sum(axis=1)
                truth["next share"] = rows[most][0] / rows[most].sum()
        for name, values in mine.items():
            drawn = rng.permutation(np.asarray(values, dtype=float))[:RANKED]
            below, same = (drawn < truth[name]).sum(), (drawn == truth[name]).sum()
            found.setdefault(name, []).append(int(below + rng.integers(0, same + 1)))
        chance = night.belief.weights
        reading = draws.reading[run]
        gap += float((np.arange(3) == reading)[0] - chance[0])
        variance += float(chance[0] * (1 - chance[0]))
    return {name: np.array(values) for name, values in found.items()}, gap / np.sqrt(variance)


def uniform(values: NDArray[np.int64], bins: int) -> float:
    """Return the p-value of the test that ranks 0..RANKED are equally likely."""
    return float(stats.chisquare(np.bincount(values * bins // (RANKED + 1), minlength=bins)).pvalue)


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 2])
def test_ranks_are_uniform(most: int) -> None:
    found, readings = ranks(500, most, unsure())
    assert {name: p for name, values in found.items() if (p := uniform(values, 20)) < 1e-3} == {}
    assert abs(readings) < 4


@quiet
@pytest.mark.slow
def test_and_not_if_the_level_is_believed_to_be_known_better() -> None:
    found, _ = ranks(500, 1, unsure(width=0.2))
    assert uniform(found["level"], 20) < ALPHA


@quiet
@pytest.mark.slow
def test_a_few_ranks_are_uniform() -> None:
    found, readings = ranks(24, 2, unsure(), size=120)
    assert {name: p for name, values in found.items() if (p := uniform(values, 4)) < 1e-3} == {}
    assert abs(readings) < 4
