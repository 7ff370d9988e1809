"""Scores by hand, by identity, and by what makes a score proper."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from toys import ALPHA

from iomsim.errors import IomsimError
from iomsim.validation.calibration import (
    bootstrap_mean,
    bootstrap_ratio,
    corp,
    frequency,
    pit,
    rank_histogram,
    reliability,
)
from iomsim.validation.scores import (
    brier,
    categorical_brier,
    categorical_log_score,
    crps_ensemble,
    log_score,
    ranked_probability,
)

RNG = np.random.default_rng(7)
PMF = RNG.dirichlet(np.ones(5))
SAMPLE = RNG.normal(0.55, 0.05, 40)


# -- by hand -------------------------------------------------------------------------------------


def test_a_log_score_is_minus_the_logarithm_of_what_came() -> None:
    assert log_score([0.25, 0.25], [True, False]) == pytest.approx([np.log(4), np.log(4 / 3)])
    assert log_score(0.0, True) == np.inf
    assert categorical_log_score([0.2, 0.5, 0.3], [1, 2]) == pytest.approx(-np.log([0.5, 0.3]))


def test_a_brier_score_is_the_squared_miss() -> None:
    assert brier([0.7, 0.7], [True, False]).tolist() == pytest.approx([0.09, 0.49])
    assert categorical_brier([0.2, 0.5, 0.3], 2) == pytest.approx(0.04 + 0.25 + 0.49)


def test_missing_by_one_round_costs_less_than_by_three() -> None:
    said = [0.5, 0.3, 0.2, 0.0]
    expected = [0.25 + 0.04 + 0, 0.25 + 0.04 + 0, 0.25 + 0.64 + 0, 0.25 + 0.64 + 1]
    assert ranked_probability(said, [0, 1, 2, 3]) == pytest.approx(expected)
    assert ranked_probability(said, 9) == ranked_probability(said, 3)  # the last category is open


def test_one_member_scores_its_absolute_error() -> None:
    assert crps_ensemble([0.6], 0.45) == pytest.approx(0.15)
    assert crps_ensemble([0.2, 0.6], 0.45, [0.0, 1.0]) == pytest.approx(0.15)


def test_what_is_missing_scores_nothing() -> None:
    assert np.isnan(log_score([np.nan, 0.5], [True, True])).tolist() == [True, False]
    assert np.isnan(brier(np.nan, False))


# -- identities ----------------------------------------------------------------------------------


def test_two_categories_are_twice_one_event() -> None:
    p, came = RNG.random(20), RNG.random(20) < 0.5
    pair = np.stack([1 - p, p], axis=-1)
    assert categorical_brier(pair, came.astype(int)) == pytest.approx(2 * brier(p, came))
    assert categorical_log_score(pair, came.astype(int)) == pytest.approx(log_score(p, came))
    assert ranked_probability(pair, came.astype(int)) == pytest.approx(brier(p, came))


@pytest.mark.parametrize("observed", [0.41, 0.55, 0.553, 0.8])
def test_the_ensemble_score_is_half_the_squared_energy_distance(observed: float) -> None:
    assert crps_ensemble(SAMPLE, observed) == pytest.approx(stats.energy_distance(SAMPLE, [observed]) ** 2 / 2)


@pytest.mark.parametrize("observed", [0.3, 0.55, 0.7])
def test_the_ensemble_score_is_the_mean_miss_less_half_the_spread(observed: float) -> None:
    w = RNG.dirichlet(np.ones(SAMPLE.size))
    miss = w @ np.abs(SAMPLE - observed)
    spread = w @ np.abs(SAMPLE[:, None] - SAMPLE) @ w
    assert crps_ensemble(SAMPLE, observed, w) == pytest.approx(miss - spread / 2)


def test_the_score_on_a_grid_is_the_integral_of_the_squared_difference() -> None:
    grid, observed = np.array([0.1, 0.4, 0.5, 0.7, 0.9]), 0.62
    below = np.cumsum(PMF)

    def gap(x: float) -> float:
        return float(((below[grid <= x].max(initial=0.0)) - (x >= observed)) ** 2)

    whole = integrate.quad(gap, 0, 1, points=[*grid, observed], limit=200)[0]
    assert crps_ensemble(grid, observed, PMF) == pytest.approx(whole, abs=1e-6)


def test_ranked_probability_is_the_score_on_the_grid_of_whole_numbers() -> None:
    for came in range(5):
        assert ranked_probability(PMF, came) == pytest.approx(crps_ensemble(np.arange(5.0), came, PMF))


def test_a_large_normal_ensemble_scores_as_the_normal_law() -> None:
    members = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000, 1.0, 2.0)
    z = (2.5 - 1.0) / 2.0
    law = 2.0 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert crps_ensemble(members, 2.5) == pytest.approx(law, rel=1e-3)


# -- propriety -----------------------------------------------------------------------------------

TRUTH = np.array([0.5, 0.3, 0.2])
LIES = np.random.default_rng(1).dirichlet(np.ones(3), 500)


def expected(score, said: np.ndarray) -> float:  # type: ignore[no-untyped-def]
    return float(sum(p * float(score(said, came)) for came, p in enumerate(TRUTH)))


def overclaims(said: np.ndarray, came: int) -> float:
    """A score that is not proper: the plain miss, best served by certainty in the likeliest."""
    return 1 - float(said[came])


@pytest.mark.parametrize(
    "score",
    [
        categorical_log_score,
        categorical_brier,
        ranked_probability,
        lambda said, came: crps_ensemble(np.arange(3.0), came, said),
    ],
)
def test_nobody_can_expect_more_than_by_saying_what_they_believe(score) -> None:  # type: ignore[no-untyped-def]
    honest = expected(score, TRUTH)
    assert all(expected(score, lie) > honest - 1e-12 for lie in LIES)


def test_the_check_of_propriety_can_fail() -> None:
    assert any(expected(overclaims, lie) < expected(overclaims, TRUTH) for lie in LIES)


# -- calibration ---------------------------------------------------------------------------------


def test_the_parts_of_a_brier_score_add_up() -> None:
    said = np.random.default_rng(2).random(200)
    came = np.random.default_rng(3).random(200) < said**2
    parts = corp(said, came)
    assert parts.score == pytest.approx(float(np.mean(brier(said, came))))
    assert parts.score == pytest.approx(parts.miscalibration - parts.discrimination + parts.uncertainty)
    assert parts.miscalibration > 0.03  # events were rarer than said
    assert min(parts.miscalibration, parts.discrimination, parts.uncertainty) >= 0


def test_a_reversed_forecaster_has_no_discrimination() -> None:
    parts = corp([0.9, 0.8, 0.1, 0.2], [False, False, True, True])
    assert parts.discrimination == pytest.approx(0.0)
    assert parts.uncertainty == 0.25


def test_the_reliability_curve_pools_violators_by_hand() -> None:
    table = reliability([0.1, 0.3, 0.5, 0.7], [0, 1, 0, 1], seed=1)
    assert table["observed"].tolist() == [0.0, 0.5, 0.5, 1.0]  # 1, 0 at 0.3 and 0.5 are pooled
    assert table["count"].tolist() == [1, 1, 1, 1]
    assert ((table["low"] <= table["high"]) & (table["low"] >= 0) & (table["high"] <= 1)).all()


def test_the_band_of_one_probability_is_binomial() -> None:
    table = reliability([0.4] * 50, [True] * 50, seed=1, draws=4000)
    for end, level in (("low", 0.05), ("high", 0.95)):
        assert table[end].tolist() == pytest.approx([stats.binom.ppf(level, 50, 0.4) / 50], abs=0.021)
    narrow = reliability([0.4] * 50, [True] * 50, seed=1, draws=4000, level=0.5)
    assert (narrow["low"] > table["low"]).all()
    assert (narrow["high"] < table["high"]).all()


def test_a_calibrated_forecaster_lies_in_the_band_and_a_liar_does_not() -> None:
    said = np.repeat(np.linspace(0.1, 0.9, 9), 400)
    came = np.random.default_rng(5).random(said.size) < said
    honest = reliability(said, came, seed=2, level=0.99)
    assert honest["observed"].between(honest["low"] - 1e-12, honest["high"] + 1e-12).all()
    boast = reliability(np.clip(said + 0.1, 0, 1), came, seed=2, level=0.99)
    assert not boast["observed"].between(boast["low"], boast["high"]).all()


@pytest.mark.parametrize(("wrong", "fits"), [(1.0, True), (0.7, False)])
def test_ranks_are_uniform_exactly_if_the_ensemble_has_the_right_spread(wrong: float, fits: bool) -> None:
    rng = np.random.default_rng(11)
    u = pit(wrong * rng.standard_normal((1500, 9)), rng.standard_normal(1500), seed=3)
    assert (stats.kstest(u, "uniform").pvalue > ALPHA) == fits


def test_ranks_of_whole_numbers_break_ties_by_lot() -> None:
    law = np.array([0.2, 0.5, 0.3])
    came = np.random.default_rng(4).choice(3, 2000, p=law)
    u = pit(np.broadcast_to(np.arange(3.0), (2000, 3)), came, law, seed=5)
    assert stats.kstest(u, "uniform").pvalue > ALPHA


def test_a_rank_histogram_counts_and_bounds() -> None:
    table = rank_histogram([0.05, 0.1, 0.55, 0.99, np.nan], bins=2, level=0.9)
    assert table["count"].tolist() == [2, 2]
    assert table["expected"].tolist() == [2.0, 2.0]
    assert table["low"].tolist() == [0, 0]
    assert table["high"].tolist() == stats.binom.ppf([0.95, 0.95], 4, 0.5).astype(int).tolist()


# -- averages ------------------------------------------------------------------------------------


def test_a_group_counts_by_its_rows_or_as_one() -> None:
    values, groups = [1.0, 1.0, 1.0, 5.0, np.nan], ["a", "a", "a", "b", "b"]
    assert bootstrap_mean(values, groups, seed=1).value == 2.0
    assert bootstrap_mean(values, groups, seed=1, by_group=True).value == 3.0


def test_rows_of_one_group_are_not_independent() -> None:
    x = np.random.default_rng(6).standard_normal(30)
    one = bootstrap_mean(x, np.arange(30), seed=1)
    ten = bootstrap_mean(np.repeat(x, 10), np.repeat(np.arange(30), 10), seed=1)
    assert (ten.low, ten.high) == pytest.approx((one.low, one.high))
    naive = bootstrap_mean(np.repeat(x, 10), np.arange(300), seed=1)
    assert naive.high - naive.low < 0.5 * (one.high - one.low)


def test_the_bootstrap_interval_covers_the_mean_of_few_contests() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for seed in range(200):
        low, high = bootstrap_mean(rng.standard_normal(15), np.arange(15), seed=seed, draws=400)[1:]
        hits += low < 0 < high
    assert 0.86 <= hits / 200 <= 0.97  # 95 nominal; the percentile interval is a little short at 15


def test_one_group_has_no_interval() -> None:
    mean = bootstrap_mean([1.0, 2.0], ["a", "a"], seed=1)
    assert mean.value == 1.5
    assert np.isnan(mean.low)
    assert np.isnan(mean.high)
    assert np.isnan(bootstrap_mean([np.nan], ["a"], seed=1).value)


# -- non_concessions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: log_score(1.2, True), "between 0 and 1, got 1.2"),
        (lambda: categorical_log_score([0.5, 0.6], 0), "must sum to 1, got 1.1"),
        (lambda: categorical_brier([0.5, 0.5], 2), "a category from 0 to 1, got 2"),
        (lambda: ranked_probability([0.5, 0.5], -1), "a category from 0 to 1"),
        (lambda: crps_ensemble([], 0.5), "at least one member"),
        (lambda: crps_ensemble([0.5], 0.5, [-1.0]), "must not be negative"),
        (lambda: corp([], []), "at least one forecast"),
        (lambda: reliability([np.nan], [True], seed=1), "none missing"),
        (lambda: rank_histogram([1.5]), "between 0 and 1"),
        (lambda: rank_histogram([0.5], bins=0), "bins must be a whole number of at least 1"),
        (lambda: bootstrap_mean([1.0], ["a", "b"], seed=1), "1 values and 2 groups"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(call, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(IomsimError, match=words):
        call()


# -- frequencies and ratios ------------------------------------------------------------------------------


def test_a_frequency_of_independent_cases_has_wilsons_interval() -> None:
    came = np.array([1, 1, 1, 0, 1, 0, 0, 1, 1, 1])
    value, low, high = frequency(came, np.arange(10))
    assert value == pytest.approx(0.7)
    exact = stats.binomtest(7, 10).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.02)  # n - 1 in the variance between groups


def test_cases_of_a_group_that_are_alike_count_as_one() -> None:
    came = np.array([1, 1, 0, 1, 0, 1, 1, 0])
    ten = frequency(np.repeat(came, 10), np.repeat(np.arange(8), 10))
    assert ten == pytest.approx(frequency(came, np.arange(8)))
    naive = frequency(np.repeat(came, 10), np.arange(80))
    assert naive.high - naive.low < 0.6 * (ten.high - ten.low)


def test_groups_count_alike_if_asked() -> None:
    came, groups = [1] * 8 + [0, 0], ["a"] * 8 + ["b", "c"]
    assert frequency(came, groups).value == pytest.approx(0.8)
    assert frequency(came, groups, by_group=True).value == pytest.approx(1 / 3)


def test_where_everything_came_the_interval_still_has_a_width() -> None:
    value, low, high = frequency(np.ones(40), np.repeat(np.arange(5), 8))
    assert (value, high) == (1.0, 1.0)
    assert low == pytest.approx(stats.binomtest(5, 5).proportion_ci(method="wilson").low)  # five groups, not forty
    assert np.isnan(frequency([], [])).all()
    assert frequency([True, False], ["a", "a"]).low < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("by_group", [False, True])
def test_the_interval_of_a_frequency_holds_the_truth_in_95_of_100(by_group: bool) -> None:
    rng, held = np.random.default_rng(5), 0
    for _ in range(1000):
        sizes = rng.integers(1, 6, 25)
        level = rng.beta(1.4, 0.6, 25)  # 0.7 on average; each group its own
        groups = np.repeat(np.arange(25), sizes)
        _, low, high = frequency(rng.random(len(groups)) < level[groups], groups, by_group=by_group)
        held += low <= 0.7 <= high
    assert 915 <= held <= 985


def test_a_ratio_of_means_by_hand() -> None:
    x, y, groups = [1.0, 3.0, 4.0], [2.0, 2.0, 8.0], ["a", "a", "b"]
    assert bootstrap_ratio(x, y, groups, seed=1).value == pytest.approx((2 + 4) / (2 + 8))
    assert bootstrap_ratio([1.0, np.nan, 4.0], y, groups, seed=1).value == pytest.approx((1 + 4) / (2 + 8))
    assert np.isnan(bootstrap_ratio([], [], [], seed=1).value)
    assert np.isnan(bootstrap_ratio([0.0, 0.0], [0.0, 0.0], ["a", "b"], seed=1).value)
    one = bootstrap_ratio([1.0, 1.0], [2.0, 4.0], ["a", "b"], seed=1)
    assert (one.low, one.high) == (0.25, 0.5)
