"""Laws that the live posterior must obey: the exact chain, total probability, calibration."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from laws import exact
from numpy.typing import NDArray
from scipy import stats
from toys import ALPHA, PRESENT, STILL, neutral, night_of, slow_but, toy

import iomsim as iom
from iomsim.election_day import update
from iomsim.election_day.conditioning import resample
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.report import level
from iomsim.election_day.state import initial_state
from iomsim.engine import outcomes, simulate
from iomsim.model.bodies import readings
from iomsim.model.scenario import Scenario

quiet = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")

Floats = NDArray[np.float64]

# -- one class, nothing hidden: the exact chain ------------------------------------------------------

SIZE, LEAN = 21, 0.25
CLASS: dict[str, float] = STILL | {"openness_fluid": 0.5, "momentum_fluid": 2.0, "fluid": 0.6, "concede_b": 3.0}
MOST = 12


def one_class(rules: str = "until-two-thirds") -> Scenario:
    return toy(SIZE, appeal=LEAN, behaviour=CLASS, rules={"name": rules, "max_rounds": MOST})


def openness(fluid: bool, round_: int) -> float:
    first = 0.5 if fluid else 0.15
    return 0.10 + (first - 0.10) * 0.65 ** (round_ - 2)


def next_law(votes: int, fluid: bool, round_: int) -> Floats:
    """Return the law of A's votes in a round, given those of the round before."""
    momentum = 2.0 if fluid else 0.6
    pull = momentum * np.log(max(votes, 0.5) / max(SIZE - votes, 0.5))
    p, omega = 1 / (1 + np.exp(-LEAN - pull)), openness(fluid, round_)
    return exact.poisson_binomial([1 - omega * (1 - p)] * votes + [omega * p] * (SIZE - votes))


def chain_from(tallies: list[int], concession: bool) -> tuple[Floats, float]:
    """Return, given the first tallies, P(A or B elected in round r), shape (2, MOST + 1), and P(fluid)."""
    regimes = {True: 0.6, False: 0.4}
    for round_, (before, votes) in enumerate(pairwise(tallies), start=2):
        regimes = {fluid: w * next_law(before, fluid, round_)[votes] for fluid, w in regimes.items()}
    total = sum(regimes.values())
    elected = np.zeros((2, MOST + 1))
    for fluid, weight in regimes.items():
        mass = np.zeros(SIZE + 1)
        mass[tallies[-1]] = weight / total
        for round_ in range(len(tallies), MOST + 1):
            if round_ > len(tallies):
                mass = sum(mass[a] * next_law(a, fluid, round_) for a in range(SIZE + 1))
            enough = np.arange(SIZE + 1) >= exact.STRICT.needed(SIZE)
            for k, won in enumerate((enough, enough[::-1])):
                elected[k, round_] += mass[won].sum()
            mass = np.where(enough | enough[::-1], 0.0, mass)
            hazard = 1.1 / (1.1 + 3.0 + round_ - 1) * concession  # an odd room knows no ties
            ahead = np.arange(SIZE + 1) > SIZE / 2
            for k, leads in enumerate((ahead, ~ahead)):
                elected[k, round_] += hazard * mass[leads].sum()
            mass = mass * (1 - hazard)
    return elected, regimes[True] / total


@quiet
@pytest.mark.parametrize("rules", ["until-two-thirds", "strict"])
@pytest.mark.parametrize(
    "tallies", slow_but([[11], [9], [13], [11, 12], [13, 13], [11, 7], [13, 11, 12]], [9], [13, 11, 12])
)
def test_one_class_follows_the_exact_chain(rules: str, tallies: list[int]) -> None:
    particles = 6000
    night = night_of(one_class(rules), particles=particles, seed=8)
    for votes in tallies:
        night.announce(A=votes, B=SIZE - votes)
    elected, fluid = chain_from(tallies, concession=rules == "until-two-thirds")
    out = night.forecast().all_outcomes
    for k, round_ in product(range(2), range(1, MOST + 1)):
        found = float(((out.winner == k) & (out.rounds == round_)).mean())
        truth = elected[k, round_]
        assert (
            abs(found - truth)
            <= 4.5 * np.sqrt(truth * (1 - truth) / min(particles, night.state.effective_size)) + 1e-12
        )
    now = night.learned().loc["the contest is fluid", "now mean"]
    assert now == pytest.approx(fluid, abs=4.5 * np.sqrt(fluid * (1 - fluid) / night.state.effective_size))


@pytest.mark.parametrize("tallies", [[11, 12], [13, 11, 12]])
def test_and_the_chance_of_a_tally_is_the_chain_s(tallies: list[int]) -> None:
    night = night_of(one_class(), particles=8000, seed=8)
    for votes in tallies:
        night.announce(A=votes, B=SIZE - votes)
    regimes = {True: 0.6, False: 0.4}
    for round_, (before, votes) in enumerate(pairwise(tallies), start=2):
        laws = {fluid: next_law(before, fluid, round_)[votes] for fluid in regimes}
        chance = sum(w * laws[fluid] for fluid, w in regimes.items()) / sum(regimes.values())
        regimes = {fluid: w * laws[fluid] for fluid, w in regimes.items()}
    assert night.state.chance == pytest.approx(chance, rel=0.02)


# -- total probability -------------------------------------------------------------------------------


def branches(race: Scenario, events: list[dict[str, Any]], particles: int) -> tuple[Floats, Floats]:
    """Return the chance of every event, and everybody's chance to win after it."""
    chance, wins = [], []
    for seed, event in enumerate(events):
        night = night_of(race, particles=particles, seed=seed)
        night.apply({"event": "announce", **event})
        chance.append(night.state.chance)
        wins.append(night.forecast().win_probability()["probability"].to_numpy())
    return np.array(chance), np.array(wins)


def every_tally(names: str, size: int) -> list[dict[str, Any]]:
    """Return every way in which a room of this size can vote."""
    tallies = [n for n in product(range(size + 1), repeat=len(names)) if sum(n) == size]
    return [{"votes": dict(zip(names, n, strict=True))} for n in tallies]


ROOMS = {
    "two": (toy(11, appeal=0.3, behaviour=PRESENT | {"conviction": 1.5}, rules="until-two-thirds"), 3000),
    "two, far apart": (toy(31, behaviour=PRESENT | {"common_sd": 1.5}, rules="until-two-thirds"), 1000),
    "three": (
        toy(5, "ABC", 0.3, PRESENT | {"conviction": 1.5}, {"name": "x", "eliminate_after": 1, "concession": True}),
        3000,
    ),
}


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("room", slow_but(ROOMS, "two"))
def test_what_the_tallies_say_averages_to_what_was_said_before(room: str) -> None:
    """The martingale: no announcement can be expected to move a forecast one way."""
    race, particles = ROOMS[room]
    chance, wins = branches(race, every_tally("".join(race.names), len(race.members)), particles)
    prior = (
        iom.forecast(race, runs=60_000, seed=4, assumptions="fixed", progress=False)
        .win_probability()["probability"]
        .to_numpy()
    )
    assert chance.sum() == pytest.approx(1.0, abs=0.01)
    assert chance @ wins == pytest.approx(prior, abs=0.012)
    assert np.ptp(wins[:, 0]) > 0.5  # a guard: the tallies do say something


@pytest.mark.slow
@quiet
def test_parts_of_what_can_be_add_up() -> None:
    race = toy(15, behaviour={"conviction": 1.0, "absent": 0.1})
    halves = [{"votes": {"A": "at least 8"}}, {"votes": {"A": "at most 7"}}]
    by_papers = [{"votes": {}, "valid": n} for n in range(16)]
    prior = (
        iom.forecast(race, runs=60_000, seed=4, assumptions="fixed", progress=False)
        .win_probability()["probability"]
        .to_numpy()
    )
    for events in (halves, by_papers):
        chance, wins = branches(race, events, 2000)
        assert chance.sum() == pytest.approx(1.0, abs=0.03)
        assert chance @ wins == pytest.approx(prior, abs=0.03)


# -- calibration -------------------------------------------------------------------------------------
#
# Draw a particle, announce its first tallies, and rank the truth among draws from the posterior: if the
# posterior is right, all ranks are equally likely (Cook, Gelman and Rubin 2006, Journal of
# Computational and Graphical Statistics 15, 675-692).  Ties are broken by lot.

DRAWS = 99


def truths(race: Scenario, particles: int, seed: int) -> tuple[outcomes.Outcomes, dict[str, Floats]]:
    """Return elections and what of them is ranked."""
    plan = race.plan
    out = simulate.play_span(plan, {}, seed, 0, particles)
    lean = level(plan, initial_state(plan, particles, seed), 0)
    return out, {"A wins": (out.winner == 0).astype(float), "rounds": out.rounds.astype(float), "level": lean}


def after_tallies(race: Scenario, out: outcomes.Outcomes, run: int, most: int, particles: int) -> ElectionDay:
    """Announce the first tallies of an election, at most so many, and whatever became of it before the last of them."""
    night = night_of(race, particles=particles, seed=10_000 + run)
    held, names = int(out.rounds[run]), np.array(race.names)
    rows = slice(out.starts[run], out.starts[run] + min(most, held))
    for votes, valid in zip(out.votes[rows], out.valid[rows], strict=True):
        for name in names[night.state.standing & (votes < 0)]:
            night.eliminate(name)
        others = int(valid) - int(votes[votes >= 0].sum())
        night.announce({name: int(n) for name, n in zip(names, votes, strict=True) if n >= 0}, others=others or None)
    if held < most and night.state.ended is None:
        [loser] = names[night.state.standing & (np.arange(len(names)) != out.winner[run])]
        night.withdraw(loser)
    return night


def ranks(race: Scenario, particles: int, most: int, size: int = 400) -> dict[str, NDArray[np.int64]]:
    out, truth = truths(race, particles, seed=77)
    rng = np.random.default_rng(1)
    found: dict[str, list[int]] = {name: [] for name in truth}
    for run in range(particles):
        night = after_tallies(race, out, run, most, size)
        played = night.forecast().all_outcomes
        pick = rng.permutation(size)[:DRAWS]
        index = resample(night.state.particles.log_weight, float(rng.random()))
        lean = level(night.plan, night.state, 0)[index]
        mine = {"A wins": played.winner == 0, "rounds": played.rounds, "level": lean}
        for name, values in mine.items():
            drawn, own = np.asarray(values, dtype=float)[pick], truth[name][run]
            found[name].append(int((drawn < own).sum() + rng.integers(0, (drawn == own).sum() + 1)))
    return {name: np.array(values) for name, values in found.items()}


def uniform(values: NDArray[np.int64]) -> float:
    """Return the p-value of the test that ranks 0..DRAWS are equally likely."""
    return float(stats.chisquare(np.bincount(values * 20 // (DRAWS + 1), minlength=20)).pvalue)


GROUPS = (9, 8, 8, 8, 8)
CONTESTS = {
    "two, one tally": (neutral(GROUPS), 1),
    "two, two tallies": (neutral(GROUPS), 2),
    "two, stray papers, two tallies": (neutral(GROUPS, behaviour={"stray": 0.08}), 2),
    "two, without concession, four tallies": (neutral(GROUPS, rules={"name": "strict"}), 4),
    "three, two tallies": (
        neutral(GROUPS, candidates=[{"name": "A"}, {"name": "B"}, {"name": "C"}], rules={"eliminate_after": 1}),
        2,
    ),
}


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("contest", CONTESTS)
def test_ranks_are_uniform(contest: str) -> None:
    race, most = CONTESTS[contest]
    for name, values in ranks(race, 500, most).items():
        assert uniform(values) > 1e-3, name


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("lie", ["the tally counts three times", "three votes are counted for the wrong one"])
def test_and_not_with_a_wrong_likelihood(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is blind to one lie only: who hears nothing of the tally keeps the prior, and it is calibrated."""
    honest = update.propagate

    def thrice(rng: Any, plan: Any, particles: Any, observed: Any, tally: Any) -> Any:
        moved, *counted = honest(rng, plan, particles, observed, tally)
        return replace(moved, log_weight=3 * moved.log_weight - 2 * particles.log_weight), *counted

    def miscounted(rng: Any, plan: Any, particles: Any, observed: Any, tally: Any) -> Any:
        low = np.clip(np.add(tally.low, [3, -3]), 0, tally.valid)
        return honest(rng, plan, particles, observed, replace(tally, low=low, high=low))

    monkeypatch.setattr(update, "propagate", thrice if "times" in lie else miscounted)
    assert min(map(uniform, ranks(CONTESTS["two, one tally"][0], 500, 1).values())) < ALPHA


@quiet
@pytest.mark.slow
def test_simulated_first_tallies_of_geneva_average_to_the_forecast() -> None:
    race = iom.load("geneva-2023")
    particles = 200
    out = simulate.play_span(race.plan, {}, 55, 0, particles)
    nights = (after_tallies(race, out, run, 1, 400) for run in range(particles))
    wins = [night.forecast().win_probability()["probability"]["Pope"] for night in nights]
    prior = iom.forecast(race, runs=100_000, seed=6, assumptions="fixed", progress=False).win_probability()[
        "probability"
    ]["Pope"]
    assert np.mean(wins) == pytest.approx(prior, abs=4 * np.std(wins) / np.sqrt(particles))


def test_the_rule_sets_of_the_chain_are_the_shipped_ones() -> None:
    """A guard: the chain above is written for these."""
    assert readings()["strict"] == exact.STRICT
    assert readings()["until-two-thirds"] == exact.STRICT.with_(name="until-two-thirds", withdrawal="acclamation")
