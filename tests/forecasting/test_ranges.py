"""The range of a chance over the assumptions, against laws that are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from toys import unsure

from iomsim.engine.simulate import iter_spans
from iomsim.forecasting.estimates import Estimate, over_draws
from iomsim.forecasting.ranges import range_of_chances
from iomsim.forecasting.run import count_span
from iomsim.forecasting.summary import merge
from iomsim.model.assumptions import draw_assumptions, played

Quantiles = Callable[[NDArray[np.float64]], NDArray[np.float64]]
Estimator = Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[float, float]]

ENDS = (0.1, 0.9)
EVENLY = (np.arange(400) + 0.5) / 400


def two_points(u: NDArray[np.float64], below: float, low: float, high: float) -> NDArray[np.float64]:
    return np.where(u < below, low, high)


def never_or(u: NDArray[np.float64], never: float, law: stats.rv_frozen) -> NDArray[np.float64]:
    """Return chances that are 0 under most readings of the rules."""
    return np.where(u < never, 0.0, law.ppf(np.clip((u - never) / (1 - never), 0.0, 1.0)))


LAWS: dict[str, Quantiles] = {
    "even": stats.beta(4, 4).ppf,
    "wide": stats.beta(1, 1.5).ppf,
    "rare": stats.beta(1, 25).ppf,
    "skewed": stats.beta(9, 2).ppf,
    "logit-normal": lambda u: 1 / (1 + np.exp(-0.2 - 1.2 * stats.norm.ppf(u))),
    "two readings": partial(two_points, below=0.5, low=0.1, high=0.8),
    "a rare reading": partial(two_points, below=0.85, low=0.4, high=0.9),
    "never, or": partial(never_or, never=0.75, law=stats.beta(30, 70)),
    "one chance": lambda u: np.full(u.shape, 0.35),
}


def present(hits: NDArray[np.int64], runs: NDArray[np.int64]) -> tuple[float, float]:
    _, low, high, _ = over_draws(hits[None].astype(float), runs)
    return float(low[0]), float(high[0])


def shares(hits: NDArray[np.int64], runs: NDArray[np.int64]) -> tuple[float, float]:
    """Take the shares of the draws as they come, noise and all."""
    low, high = np.quantile(hits / runs, ENDS)
    return float(low), float(high)


def drawn_together(hits: NDArray[np.int64], runs: NDArray[np.int64]) -> tuple[float, float]:
    """Draw the shares together until they have the variance of the chances; they keep the shape of their noise."""
    share = hits / runs
    noise = (share * (1 - share) / (runs - 1)).mean()
    scale = np.sqrt(max(share.var() - noise, 0) / max(share.var(), 1e-12))
    low, high = np.quantile(share.mean() + scale * (share - share.mean()), ENDS)
    return float(low), float(high)


def of_beta(hits: NDArray[np.int64], runs: NDArray[np.int64]) -> tuple[float, float]:
    """Return the points of the Beta law with the mean and variance of the chances."""
    share = hits / runs
    p = share.mean()
    left = share.var() - (share * (1 - share) / (runs - 1)).mean()
    if left <= 0:
        return p, p
    size = p * (1 - p) / left - 1
    low, high = stats.beta(p * size, (1 - p) * size).ppf(ENDS)
    return float(low), float(high)


def bias(estimator: Estimator, law: Quantiles, runs: int, times: int = 12) -> float:
    """Return by how much the ends of the range miss on average, the worse of the two, in points."""
    source, chances = np.random.default_rng(5), law(EVENLY)
    found = [estimator(source.binomial(runs, chances), np.full(400, runs)) for _ in range(times)]
    truth = law(np.array([0.1 + 1e-9, 0.9 - 1e-9]))
    return float(100 * np.abs(np.mean(found, axis=0) - truth).max())


POINTS = {"two readings", "a rare reading"}
"""Laws that 25 runs a draw cannot tell from smooth ones."""


@pytest.mark.parametrize("law", LAWS)
def test_the_range_of_a_known_law(law: str) -> None:
    assert bias(present, LAWS[law], 250) < (2.2 if law in POINTS else 1.0)
    assert bias(present, LAWS[law], 25) < (6.5 if law in POINTS else 2.1)


@pytest.mark.parametrize(
    ("wrong", "law", "runs"),
    [
        (shares, "even", 25),
        (shares, "one chance", 25),
        (drawn_together, "a rare reading", 25),
        (drawn_together, "two readings", 25),
        (of_beta, "two readings", 250),
        (of_beta, "never, or", 250),
    ],
)
def test_other_ways_to_estimate_it_are_worse(wrong: Estimator, law: str, runs: int) -> None:
    assert bias(wrong, LAWS[law], runs) > 1.15 * bias(present, LAWS[law], runs)
    assert bias(wrong, LAWS[law], runs) > 2.5


def test_draws_count_by_their_runs() -> None:
    """After announcements draws have unequal numbers of runs: a draw of twice as many is like two draws."""
    chances = stats.beta(4, 4).ppf((np.arange(200) + 0.5) / 200)
    hits = np.random.default_rng(2).binomial(40, chances)
    even = range_of_chances(np.repeat(hits, 2), np.full(400, 40), 0.027)
    double = range_of_chances(2 * hits, np.full(200, 80), 0.027)
    assert double == pytest.approx(even, abs=0.02)
    mixed = np.where(np.arange(400) < 300, 20, 80)  # the last quarter counts for more than a half
    chance = np.where(np.arange(400) < 300, 0.2, 0.7)
    low, high = range_of_chances(np.random.default_rng(3).binomial(mixed, chance), mixed, 0.06)
    assert (low, high) == pytest.approx((0.2, 0.7), abs=0.08)
    tenth = np.where(np.arange(400) < 396, 80, 20)
    chance = np.where(np.arange(400) < 396, 0.2, 0.7)  # and here for next to nothing
    assert range_of_chances(np.random.default_rng(3).binomial(tenth, chance), tenth, 0.001)[1] < 0.3


@pytest.mark.parametrize("runs", [2, 3, 25, 2500])
def test_it_stays_between_never_and_always(runs: int) -> None:
    for chances in (np.linspace(0, 1, 400), np.repeat([0.0, 1.0], 200), np.append(np.zeros(399), 1.0)):
        hits = np.random.default_rng(4).binomial(runs, chances)
        low, high = present(hits, np.full(400, runs))
        assert 0 <= low <= hits.mean() / runs <= high <= 1


@pytest.mark.parametrize("runs", [1, 3, 10, 25, 250])
def test_what_always_happened_has_a_range_as_what_never_did(runs: int) -> None:
    held = np.full(400, runs)
    assert range_of_chances(held, held, 0.0) == (1.0, 1.0)
    assert range_of_chances(0 * held, held, 0.0) == (0.0, 0.0)


def test_a_draw_counts_by_its_runs() -> None:
    """Most draws have few runs, one in twenty runs is theirs: the range is that of the others."""
    runs = np.repeat([10, 1000], [190, 36])
    hits = np.random.default_rng(3).binomial(runs, np.where(runs == 10, 0.2, 0.6))
    low, high = range_of_chances(hits, runs, 0.05 * 0.95 * 0.4**2)
    assert 0.5 < low < 0.62
    assert 0.58 < high < 0.7


# -- of an election whose chances under every draw are known ----------------------------------------------

NESTED = unsure(9)
DRAWS = draw_assumptions(NESTED, 77, 400)


def counted(runs: int, seed: int) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Play so many runs of each draw; return in how many things happen, and how many there were."""
    work = partial(count_span, draws=400)
    found = merge(iter_spans(played(NESTED), DRAWS.parameters, 400 * runs, seed, work=work))
    winner, minute = found.ends["winner"], found.ends["minute"]
    events = {"A": winner == 0, "no winner": winner < 0, "spill": (minute >= 1440) | (minute < 0)}
    return {name: found.by_draw(event) for name, event in events.items()}


@pytest.mark.slow
def test_the_range_of_an_election_whose_chances_are_known() -> None:
    """The chance under each of 400 draws, from 20 000 runs; the range from 25 and 250 runs of the same draws."""
    truth = {name: np.quantile(hits / runs, ENDS) for name, (hits, runs) in counted(20_000, 1).items()}
    assert truth["A"][1] - truth["A"][0] > 0.3  # a guard
    for few in (25, 250):
        several = [counted(few, seed) for seed in range(2, 12)]
        for name, ends in truth.items():
            told = [Estimate.over(*one[name]) for one in several]
            off = 100 * (np.mean([(e.low, e.high) for e in told], axis=0) - ends)
            assert np.abs(off).max() < 1, (few, name)
    raw = np.mean(
        [np.quantile(one["A"][0] / one["A"][1], ENDS) for one in (counted(25, seed) for seed in (2, 3))], axis=0
    )
    assert 100 * np.abs(raw - truth["A"]).max() > 2  # as the shares come they will not do
