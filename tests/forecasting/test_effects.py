"""Shares of the variance and curves: against additive truths with known shares, and noise is not crowned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtri

from iomsim.errors import IomsimError
from iomsim.forecasting.effects import Answers, Effects, Scale, effects

SIZE = 400
READINGS = ["short", "long", "other"]
WEIGHTS = [0.6, 0.3, 0.1]
MOVES = np.array([0.0, 0.2, -0.1])
SHARES = {"steep": 0.3**2 / 12, "bent": 0.2**2 / 180, "wave": 0.06**2 / 2}
SHARES["reading"] = float(WEIGHTS @ MOVES**2 - (WEIGHTS @ MOVES) ** 2)
TRUE = {name: variance / sum(SHARES.values()) for name, variance in SHARES.items()}
"""Shares of the additive toy, from the variances of x, of x squared less x, of a sine, and of three levels."""

FIRST = ["steep", "bent", "wave"]
IDLE = [f"idle {i}" for i in range(20)]


def table(source: np.random.Generator, size: int = SIZE, even: bool = True) -> pd.DataFrame:
    """Return draws: a Latin hypercube, or independent ones."""
    names = [*FIRST, *IDLE, "reading"]
    unit = source.random((size, len(names)))
    unit = (unit.argsort(axis=0) + source.random(unit.shape)) / size if even else unit
    out = pd.DataFrame(unit, columns=names)
    level = np.searchsorted(np.cumsum(WEIGHTS), unit[:, -1])
    return out.assign(reading=pd.Categorical.from_codes(level.clip(0, 2), READINGS))


def chance(draws: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the chance of the additive toy."""
    wave = 0.06 * np.sin(2 * np.pi * draws["wave"])
    bent = 0.2 * (draws["bent"] ** 2 - draws["bent"] + 1 / 6)
    moved = MOVES[draws["reading"].cat.codes.to_numpy()]
    return (0.25 + 0.3 * draws["steep"] + bent + wave + moved).to_numpy()


def played(seed: int, runs: Any = 250, even: bool = True, size: int = SIZE) -> Effects:
    source = np.random.default_rng(seed)
    draws = table(source, size, even)
    runs = np.broadcast_to(runs, size)
    return effects(Answers.of(source.binomial(runs, chance(draws)), runs), draws, independent=even)


@pytest.fixture(scope="module")
def many() -> list[Effects]:
    return [played(seed) for seed in range(25)]


def shares(found: list[Effects]) -> pd.DataFrame:
    return pd.DataFrame([each.shares["share"] for each in found])


# -- shares ---------------------------------------------------------------------------------------


def test_shares_are_those_of_the_truth(many: list[Effects]) -> None:
    got = shares(many)
    spread = got.std() / np.sqrt(len(many))
    for name, true in TRUE.items():
        assert abs(got[name].mean() - true) < 4 * spread[name] + 0.01 * true, name


def test_what_does_nothing_averages_nothing(many: list[Effects]) -> None:
    """Without the correction a spline would explain five parts in 400 of what is left, by luck."""
    got = shares(many)[IDLE]
    assert abs(got.to_numpy().mean()) < 4 * got.mean(axis=1).std() / np.sqrt(len(many))
    assert (got < 0).to_numpy().mean() > 0.3
    naive = np.mean([[each.by_name[name].size @ each.by_name[name].size for name in IDLE] for each in many])
    assert naive > 20 * abs(got.to_numpy().mean()) * many[0].variance


def test_the_error_is_how_far_shares_are_off(many: list[Effects]) -> None:
    got = shares(many)
    told = pd.DataFrame([each.shares["error"] for each in many]).mean()
    for name in TRUE:
        off = np.sqrt(np.square(got[name] - TRUE[name]).mean())
        assert 0.6 * told[name] < off < 1.6 * told[name], name
    assert 0.5 < got[IDLE].to_numpy().std() / told[IDLE].mean() < 1.5


def test_noise_is_not_crowned(many: list[Effects]) -> None:
    """Of 20 that do nothing none is clear in 19 forecasts of 20; what does something always is."""
    clear = pd.DataFrame([each.shares["clear"] for each in many])
    assert clear[list(TRUE)].all(axis=None)
    assert clear[IDLE].any(axis=1).sum() <= 4
    by_hundreds = np.mean([[each.by_name[name].chance for name in IDLE] for each in many])
    assert abs(by_hundreds - 0.5) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("size", "runs"), [(400, 50), (100, 200), (60, 50), (400, 2)])
def test_noise_is_not_crowned_in_small_samples_either(size: int, runs: int) -> None:
    found = [played(seed, runs, size=size) for seed in range(200)]
    wrong = sum(bool(each.shares["clear"][IDLE].any()) for each in found)
    assert wrong <= 22  # 10 are expected


def test_bins_would_be_off() -> None:
    """A wrong kernel: eight bins, their squared means as they come."""
    got = []
    for seed in range(5):
        source = np.random.default_rng(seed)
        draws = table(source)
        share = source.binomial(250, chance(draws)) / 250
        means = pd.Series(share).groupby((8 * draws[IDLE[0]]).astype(int)).mean()
        got.append(float(means.var(ddof=0) / share.var()))
    assert np.mean(got) > 0.008


def test_independent_draws_and_unequal_runs_are_explained_one_by_one() -> None:
    source = np.random.default_rng(3)
    runs = source.integers(0, 400, 800)
    found = [played(seed, runs, even=False, size=800) for seed in range(12)]
    got, told = shares(found), pd.DataFrame([each.shares["error"] for each in found]).mean()
    for name, true in TRUE.items():
        assert abs(got[name].mean() - true) < 4 * got[name].std() / np.sqrt(12), name
        assert 0.4 * told[name] < got[name].std() < 2 * told[name], name
    assert abs(got[IDLE].to_numpy().mean()) < 0.004


def beside(seed: int, sources: int, moved: float, told: bool = True) -> Effects:
    """Return effects where every draw goes on under two readings, a few of them with most of the runs."""
    source = np.random.default_rng(seed)
    rows = np.repeat(np.arange(sources), 2)
    unit, luck, weight = source.random((sources, 20)), source.normal(0, 0.15, sources), source.gamma(1.0, size=sources)
    draws = pd.DataFrame(unit[rows], columns=IDLE)
    draws["reading"] = pd.Categorical.from_codes(np.tile([0, 1], sources), ["a", "b"])
    runs = source.multinomial(20_000, weight[rows] / weight[rows].sum())
    p = (0.4 + moved * draws["reading"].cat.codes + luck[rows]).clip(0, 1)
    return effects(Answers.of(source.binomial(runs, p), runs, source=rows if told else None), draws, False)


@pytest.mark.slow
def test_several_draws_of_one_are_no_more_than_one() -> None:
    """As after announcements; who took them for as many independent ones would see effects where there are none."""
    found, liar = ([beside(seed, 40, 0.0, told) for seed in range(30)] for told in (True, False))
    assert sum(each.shares["clear"].any() for each in found) <= 3
    assert sum(each.shares["clear"].any() for each in liar) > 10
    moved = [beside(seed, 40, 0.1) for seed in range(10)]
    assert all(each.shares["clear"]["reading"] for each in moved)
    assert abs(shares(moved)["reading"].mean() - 0.0025 / (0.0025 + 0.15**2)) < 0.03


def test_draws_that_say_the_same_share_what_they_explain() -> None:
    """Of two parameters that are tied to one another, each explains all of it by itself."""
    source = np.random.default_rng(1)
    x = source.random(SIZE)
    draws = pd.DataFrame({"one": x, "same": x + 0.02 * source.random(SIZE), "other": source.random(SIZE)})
    hits = source.binomial(250, 0.2 + 0.5 * x)
    got = effects(Answers.of(hits, np.full(SIZE, 250)), draws, independent=False).shares["share"]
    assert got.round(1).tolist() == [1.0, 1.0, 0.0]


def test_interactions_are_nobodys() -> None:
    source = np.random.default_rng(1)
    draws = table(source)
    p = 0.5 + 0.4 * (2 * draws["steep"] - 1) * (2 * draws["bent"] - 1)
    got = effects(Answers.of(source.binomial(250, p), np.full(SIZE, 250)), draws)
    assert got.shares["share"].sum() < 0.1
    assert abs(got.variance - 0.16 / 9) < 0.003
    assert not got.shares["clear"].any()


def test_the_order_of_parameters_does_not_matter() -> None:
    source = np.random.default_rng(1)
    draws = table(source)
    answers = Answers.of(source.binomial(250, chance(draws)), np.full(SIZE, 250))
    there, back = (effects(answers, draws[names]).shares for names in (list(draws), list(draws)[::-1]))
    pd.testing.assert_frame_equal(there, back.loc[there.index], atol=1e-9)


# -- what is explained ----------------------------------------------------------------------------


def test_the_luck_of_the_runs_is_taken_out() -> None:
    """With two runs a draw nearly all variance is luck; what is left is that of the chance."""
    got = np.mean([played(seed, 2).variance for seed in range(16)])
    assert abs(got / sum(SHARES.values()) - 1) < 0.3
    source = np.random.default_rng(0)
    raw = np.var(source.binomial(2, chance(table(source))) / 2)
    assert raw > 4 * got


def test_numbers_are_explained_like_events() -> None:
    source = np.random.default_rng(2)
    draws = table(source)
    values = 3 + 2 * draws["steep"].to_numpy()[:, None] + source.exponential(2, (SIZE, 50))
    answers = Answers.of(values.sum(axis=1), np.full(SIZE, 50), np.square(values).sum(axis=1))
    found = effects(answers, draws)
    assert abs(found.variance - 1 / 3) < 0.08
    assert found.shares["share"].idxmax() == "steep"
    assert abs(found.shares["share"]["steep"] - 1) < 4 * found.shares["error"]["steep"] + 0.02
    assert np.allclose(found.curve("steep", [0.25, 0.75])["value"], [5.5, 6.5], atol=0.2)


# -- curves ---------------------------------------------------------------------------------------


def test_the_band_holds_the_curve(many: list[Effects]) -> None:
    at = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    middle = 0.25 + 0.15 + float(WEIGHTS @ MOVES)
    for name, true in {
        "steep": middle + 0.3 * (at - 0.5),
        "bent": middle + 0.2 * (at**2 - at + 1 / 6),
        "idle 3": np.full(5, middle),
    }.items():
        curves = [each.curve(name, at) for each in many]
        inside = np.mean([(curve["low"] <= true) & (true <= curve["high"]) for curve in curves])
        assert 0.88 <= inside <= 1, name
        assert max((curve["high"] - curve["low"]).max() for curve in curves) < 0.08


@pytest.mark.slow
def test_the_means_of_levels_are_those_of_their_draws() -> None:
    inside = []
    for seed in range(25):
        source = np.random.default_rng(seed)
        draws = table(source)
        share = source.binomial(250, chance(draws)) / 250
        found = effects(Answers.of(250 * share, np.full(SIZE, 250)), draws).means(draws["reading"])
        assert found["value"].tolist() == pytest.approx(pd.Series(share).groupby(draws["reading"]).mean().tolist())
        assert found["weight"].tolist() == pytest.approx((draws["reading"].value_counts(sort=False) / SIZE).tolist())
        inside.append((found["low"] <= 0.4 + MOVES) & (found["high"] >= 0.4 + MOVES))
    assert np.mean(inside) > 0.85


def test_a_curve_may_turn_round() -> None:
    source = np.random.default_rng(1)
    x = source.random(SIZE)
    score = ndtri(x)
    hits = source.binomial(250, expit(-(score**2)))
    curve = effects(Answers.of(hits, np.full(SIZE, 250)), pd.DataFrame({"x": x})).curve("x", [0.1, 0.5, 0.9])
    assert np.allclose(curve["value"], [0.162, 0.5, 0.162], atol=0.05)


def test_a_parameter_with_an_atom_and_one_of_few_values() -> None:
    """Half of the draws lie on the edge; a whole number takes three values."""
    source = np.random.default_rng(1)
    draws = pd.DataFrame({"edge": np.maximum(source.normal(size=SIZE), 0.0), "whole": source.integers(1, 4, SIZE)})
    hits = source.binomial(250, (0.2 + 0.1 * draws["edge"] + 0.1 * draws["whole"]).clip(0, 1))
    found = effects(Answers.of(hits, np.full(SIZE, 250)), draws)
    assert found.shares["clear"].all()
    assert found.by_name["whole"].scale.free == 2
    assert np.allclose(found.curve("whole", [1, 2, 3])["value"].diff().dropna(), 0.1, atol=0.03)
    assert abs(found.shares["share"].sum() - 1) < 0.1


def test_columns_are_orthonormal_under_the_weights() -> None:
    source = np.random.default_rng(1)
    weight = source.random(SIZE)
    weight /= weight.sum()
    for values in table(source, even=False)[["steep", "reading"]].items():
        columns = Scale(values[1], weight, 5).columns(values[1])
        assert np.allclose(weight @ columns, 0, atol=1e-9)
        assert np.allclose(columns.T @ (weight[:, None] * columns), np.eye(columns.shape[1]), atol=1e-8)


# -- nothing to tell ------------------------------------------------------------------------------


@pytest.mark.parametrize("hits", [0, 250, 100])
def test_what_is_the_same_in_every_draw_is_moved_by_nothing(hits: int) -> None:
    draws = table(np.random.default_rng(1))
    found = effects(Answers.of(np.full(SIZE, hits), np.full(SIZE, 250)), draws)
    assert found.variance == 0
    assert not found.shares.to_numpy().any()
    assert np.allclose(found.curve("steep", [0.2, 0.8]), hits / 250)
    assert np.allclose(found.means(draws["reading"])[["value", "low", "high"]], hits / 250)


def test_what_does_not_vary_over_the_assumptions_is_moved_by_nothing() -> None:
    """Mere luck of the runs is no effect of the assumptions."""
    found = [effects(_noise(seed), table(np.random.default_rng(seed))) for seed in range(10)]
    assert sum(each.shares["clear"].any() for each in found) <= 2
    assert sum(each.variance == 0 for each in found) >= 5
    assert all(np.isfinite(each.shares.to_numpy(dtype=float)).all() for each in found)


def _noise(seed: int) -> Answers:
    return Answers.of(np.random.default_rng(seed + 100).binomial(250, 0.3, SIZE), np.full(SIZE, 250))


def test_a_parameter_that_is_always_the_same_explains_nothing() -> None:
    source = np.random.default_rng(1)
    draws = table(source).assign(fixed=1.0)
    found = effects(Answers.of(source.binomial(250, chance(draws)), np.full(SIZE, 250)), draws)
    assert found.shares.loc["fixed"].tolist() == [0, 0, False]
    assert found.curve("fixed", [1.0])["value"].tolist() == [found.answers.overall]


def test_nothing_varies() -> None:
    found = effects(_noise(1), pd.DataFrame(index=range(SIZE)))
    assert found.shares.empty
    assert found.variance == 0


def test_an_event_that_is_certain_given_one_assumption() -> None:
    """Nothing is left to luck, and no division by zero comes of it."""
    draws = table(np.random.default_rng(1))
    runs = np.full(SIZE, 250)
    found = effects(Answers.of(np.where(draws["reading"] == "long", 250, 0), runs), draws)
    assert found.shares["share"].round(6).drop(IDLE).tolist() == [0, 0, 0, 1]
    assert found.shares["clear"].sum() == 1
    assert found.means(draws["reading"])["value"].tolist() == pytest.approx([0, 1, 0])


def test_too_little_is_refused() -> None:
    with pytest.raises(IomsimError, match="no draw of the assumptions has two runs; play at least twice as many runs"):
        Answers.of([0, 1, 1], [1, 1, 1])
    few = pd.DataFrame({"x": [0.1, 0.2, 0.3]})
    with pytest.raises(IomsimError, match="3 draws of the assumptions are too few to see which of them matters; at"):
        effects(Answers.of([1, 2, 3], [5, 5, 5]), few)
    some = pd.DataFrame({"x": np.arange(8.0), "y": np.arange(8.0) ** 2 % 5})
    assert np.isfinite(effects(Answers.of(np.arange(8), np.full(8, 9)), some).shares.to_numpy(dtype=float)).all()
