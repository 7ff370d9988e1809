"""Errors against scipy, ranges of what is known, and probabilities in words."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import iomsim as iom
from iomsim.forecasting import estimates
from iomsim.forecasting.estimates import Z95, Estimate, in_100, in_words, means_over_draws, wilson
from iomsim.house_style import thousands


@pytest.mark.parametrize(("hits", "runs"), [(0, 1), (1, 1), (0, 100), (100, 100), (1, 30), (38, 100), (5000, 10_000)])
def test_the_error_on_fixed_assumptions_is_wilsons(hits: int, runs: int) -> None:
    theirs = stats.binomtest(hits, runs).proportion_ci(0.95, method="wilson")
    low, high = wilson(hits, runs)
    assert (float(low), float(high)) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    e = Estimate.of(hits, runs)
    assert (e.value, e.runs) == (hits / runs, runs)
    assert e.mc_error == pytest.approx((theirs.high - theirs.low) / 2, abs=1e-12)
    assert np.isnan([e.low, e.high]).all()
    assert e == Estimate.of(hits, runs)  # though nothing equals a missing number
    row = estimates.table([hits], runs, ["x"]).loc["x"]
    assert row["mc_error"] == e.mc_error
    assert row[["low", "high"]].isna().all()


def test_intervals_of_many_at_once() -> None:
    low, high = wilson(np.array([0, 5, 10]), 10)
    assert low[0] == 0.0
    assert high[2] == 1.0
    assert (low[1], high[1]) == tuple(map(float, wilson(5, 10)))


# -- over the draws of the assumptions -----------------------------------------------------------------


def played(chances: np.ndarray, runs: int, seed: int = 1) -> np.ndarray:
    """Return in how many of its runs something happens, for every draw of the assumptions."""
    return np.random.default_rng(seed).binomial(runs, chances)


def spread_evenly(law: stats.rv_frozen, draws: int = 400, seed: int = 1) -> np.ndarray:
    """Return draws of chances as those of the assumptions are: evenly, in batches too."""
    source = np.random.default_rng(seed)
    points = [(source.permutation(25) + source.random(25)) / 25 for _ in range(draws // 25)]
    return law.ppf(np.concatenate(points))


def test_the_chance_over_the_draws_is_the_share_of_all_runs() -> None:
    hits, runs = np.array([3, 0, 10, 7]), np.array([10, 5, 20, 7])
    e = Estimate.over(hits, runs)
    assert (e.value, e.runs) == (pytest.approx(20 / 42), 42)
    assert Estimate.over(hits[:1], runs[:1]).mc_error >= Estimate.of(3, 10).mc_error
    row = estimates.table(hits[None], runs, ["x"]).loc["x"]
    assert row.to_dict() == {"probability": e.value, "low": e.low, "high": e.high, "mc_error": e.mc_error}
    unused = Estimate.over(np.append(hits, 0), np.append(runs, 0))  # a draw that no run follows
    assert unused == e


@pytest.mark.parametrize("runs", [np.ones(40, dtype=int), np.array([200] + [1] * 10), np.array([300])])
def test_draws_of_too_few_runs_do_not_tell_a_range(runs: np.ndarray) -> None:
    hits = np.minimum(np.arange(runs.size) % 3, runs)
    assert np.isnan([Estimate.over(hits, runs).low, Estimate.over(hits, runs).high]).all()
    assert Estimate.over(hits, runs).mc_error > 0
    assert Estimate.over(hits, runs).span == ""


def test_where_all_draws_have_the_same_chance_the_range_is_narrow_and_the_error_that_of_the_runs() -> None:
    e = Estimate.over(played(np.full(400, 0.3), 250), np.full(400, 250))
    assert e.high - e.low < 0.02
    assert e.low <= e.value <= e.high
    fixed = Estimate.of(30_000, 100_000).mc_error
    assert fixed * 0.99 < e.mc_error < 1.6 * fixed
    none = Estimate.over(np.zeros(400, dtype=int), np.full(400, 25))
    assert (none.value, none.low, none.high) == (0, 0, 0)
    assert none.mc_error == Estimate.of(0, 10_000).mc_error


def test_the_range_is_not_that_of_the_noise() -> None:
    """The shares of 25 runs each stray by 9 points, the chances by none: the range must not hold that."""
    hits = played(np.full(400, 0.3), 25)
    raw = np.quantile(hits / 25, [0.1, 0.9])
    e = Estimate.over(hits, np.full(400, 25))
    assert raw[1] - raw[0] > 0.15
    assert e.high - e.low < 0.06


def test_more_runs_shrink_the_error_but_not_the_range() -> None:
    """Draws that are spread evenly leave little of the assumptions' spread in the error of the mean."""
    chances = spread_evenly(stats.beta(3, 4))
    few, many = (Estimate.over(played(chances, m), np.full(400, m)) for m in (25, 2500))
    assert many.mc_error < 0.5 * few.mc_error
    assert (many.low, many.high) == pytest.approx((few.low, few.high), abs=0.05)
    assert many.high - many.low > 0.35
    simple = estimates.Z95 * chances.std() / 20  # of draws that are independent
    assert many.mc_error < 0.6 * simple


@pytest.mark.slow
@pytest.mark.parametrize("runs", [2, 25])
def test_the_error_covers(runs: int) -> None:
    """In 95 of 100 forecasts the chance over everything lies within the error; half as much would not do."""
    law, missed, half = stats.beta(2, 5), 0, 0
    for seed in range(300):
        e = Estimate.over(played(spread_evenly(law, seed=seed), runs, seed + 999), np.full(400, runs))
        missed += abs(e.value - law.mean()) > e.mc_error
        half += abs(e.value - law.mean()) > e.mc_error / 2
    assert stats.binomtest(missed, 300, 0.05).pvalue > 0.005
    assert half > 60


# -- in words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "half_width", "said"),
    [
        (0.38, 0.0, "38"),
        (0.384, 0.01, "38"),
        (0.386, 0.03, "39"),
        (0.38, 0.05, "about 40"),
        (0.33, 0.05, "about 35"),
        (0.38, 0.1, "about 40"),
        (0.01, 0.05, "about 5"),
        (0.99, 0.1, "about 90"),
        (0.005, 0.0, "1"),
        (0.0049, 0.0, "<1"),
        (0.0, 0.0, "<1"),
        (0.995, 0.0, "99"),
        (0.996, 0.0, ">99"),
        (1.0, 0.0, ">99"),
        (0.0, 0.0185, "<4"),  # none of a hundred runs
        (1.0, 0.0185, ">96"),
        (0.0, 0.0019, "<1"),  # none of a thousand
        (0.0, 0.4, "<80"),
        (0.0, 0.5, "<99"),
    ],
)
def test_no_more_digits_than_the_error_supports(p: float, half_width: float, said: str) -> None:
    assert in_100(p, half_width) == said


@pytest.mark.parametrize("runs", [1, 7, 100, 1000, 10_000])
def test_what_is_said_is_never_zero_or_a_hundred_and_lies_near_its_interval(runs: int) -> None:
    for hits in {0, 1, runs // 2, runs - 1, runs}:
        e, (low, high) = Estimate.of(hits, runs), map(float, wilson(hits, runs))
        number = int(re.findall(r"\d+", str(e))[0])
        assert 1 <= number <= 99
        assert str(e).endswith(" in 100")
        if str(e)[0] == "<":
            assert number >= min(100 * high, 99) - 0.5 or number == 1
        elif str(e)[0] == ">":
            assert number <= max(100 * low, 1) + 0.5 or number == 99
        else:
            assert 100 * low - 5.5 <= number <= 100 * high + 5.5


def test_an_estimate() -> None:
    e = Estimate.of(3800, 10_000)
    assert float(e) == 0.38
    assert str(e) == "38 in 100"
    assert e.span == ""
    assert e.mc_error == pytest.approx(0.0095, abs=1e-4)
    assert e.runs == 10_000
    with pytest.raises(AttributeError):
        e.value = 1.0  # type: ignore[misc]
    assert Estimate(0.38, 0.306, 0.682, 0.01, 1000).span == "31 to 68"
    assert Estimate(0.002, 0.0, 0.0306, 0.01, 1000).span == "<1 to 3"


def test_an_estimate_shows_no_more_digits_than_it_has() -> None:
    assert repr(Estimate(0.1994, 0.0061, 0.4106, 0.0086, 20_000)) == (
        "20 in 100 (1 to 41 over the assumptions; simulation error 0.9 points)"
    )
    assert repr(Estimate.of(3800, 10_000)) == "38 in 100 (simulation error 1.0 points)"
    assert repr(Estimate(0.0, 0.0, 0.0, 0.0, 9)) == "0 in 100"
    assert repr(Estimate(0.5, 0.2, 0.8, 0.07, 41, among=True)) == (
        "about 50 in 100, of 41 runs (20 to 80 over the assumptions; simulation error 7.0 points)"
    )


@pytest.mark.parametrize(("hits", "runs"), [(-1, 10), (11, 10), (0, 0)])
def test_what_is_no_share_is_refused(hits: int, runs: int) -> None:
    with pytest.raises(iom.IomsimError, match=r"is no share; give at least one run and no more hits than runs"):
        Estimate.of(hits, runs)


def test_a_table_in_words() -> None:
    table = pd.DataFrame(
        {
            "probability": [0.0, 0.5, 0.384, 0.0, 1.0],
            "low": [0.0, 0.4, 0.306, 0.0, 1.0],
            "high": [0.01, 0.6, 0.682, 0.0, 1.0],
            "mc_error": [0.05, 0.05, 0.01, 0.0, 0.0],
        },
        index=list("abcde"),
    )
    assert in_words(table).to_dict("list") == {
        "in 100": ["<10", "about 50", "38", "0", "100"],
        "over the assumptions": ["<1 to 1", "40 to 60", "31 to 68", "by rule", "by rule"],
    }
    fixed = table.assign(low=np.nan, high=np.nan)
    assert in_words(fixed)["simulation error"].tolist() == ["±5.0", "±5.0", "±1.0", "by rule", "by rule"]


def test_thousands_are_apart() -> None:
    assert thousands(1234567) == "1\u202f234\u202f567"
    assert thousands(999) == "999"


# -- draws of unequal runs -------------------------------------------------------------------------------


def test_draws_weigh_by_their_runs() -> None:
    """Without luck in the runs the range is that of the draws' means: six in ten runs lie at its ends."""
    means, runs = np.repeat([-1.0, 0.0, 1.0], [20, 2, 20]), np.repeat([30, 400, 30], [20, 2, 20])
    middle, low, high, _ = means_over_draws((means * runs)[None], (means**2 * runs)[None], runs)
    assert (middle[0], low[0], high[0]) == pytest.approx((0.0, -1.0, 1.0), abs=1e-9)


def test_the_error_takes_batches_of_draws_only_where_these_are_spread_evenly() -> None:
    rng = np.random.default_rng(4)
    for runs, batch in ((np.full(100, 50), 25), (np.arange(100) % 2 + 50, 25), (rng.integers(5, 90, 100), 1)):
        sums = rng.binomial(runs, rng.random(100)).astype(float)
        gap = (sums - runs * sums.sum() / runs.sum()).reshape(-1, batch).sum(axis=1)
        expected = Z95 * np.sqrt((gap**2).sum() * gap.size / (gap.size - 1)) / runs.sum()
        assert means_over_draws(sums[None], sums[None], runs)[3][0] == pytest.approx(expected, rel=1e-12)
