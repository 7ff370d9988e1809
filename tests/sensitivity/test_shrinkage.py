"""Many noisy means at once, against planted truths: drawn together, with intervals for all, and ranges over draws."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from iomsim.sensitivity.pivotal import _clearly_behind
from iomsim.sensitivity.shrinkage import Worths, critical, shrunk

Floats = NDArray[np.float64]


def planted(truth: Floats, noise: float, rng: np.random.Generator, cells: int = 100) -> Worths:
    """Return what runs would say of members of a true worth, each estimate with so much noise."""
    seen = truth[:, None] + noise * np.sqrt(cells) * rng.standard_normal((truth.size, cells))
    return Worths(seen, 0 * seen, np.ones(cells), np.ones(cells, dtype=np.int64), 0)


# -- estimates --------------------------------------------------------------------------------------


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0, 5.0])
def test_drawing_together_takes_error_away(spread: float) -> None:
    """Planted worths that scatter by a part of the noise, or by several times it: never worse, and much better."""
    rng, ones = np.random.default_rng(1), np.ones((60, 1))
    errors = np.zeros(2)
    for _ in range(60):
        truth = 3 + spread * rng.standard_normal(60)
        worths = planted(truth, 1.0, rng)
        seen = worths.mean
        errors += [((x - truth) ** 2).mean() for x in (seen, shrunk(seen, worths.error(np.eye(60)), ones))]
    best = spread**2 / (1 + spread**2)  # what is left if the variance were known
    assert errors[1] / errors[0] < best + 0.08
    assert errors[1] / errors[0] < 1.001


def test_what_is_known_of_members_is_followed() -> None:
    """Along a line through a column nothing is lost but the noise; without it half of the truth is."""
    rng = np.random.default_rng(2)
    known = rng.standard_normal(80)
    truth = 1 + known
    seen, error = truth + rng.standard_normal(80), np.ones(80)
    line, level = (shrunk(seen, error, x) for x in (np.column_stack([np.ones(80), known]), np.ones((80, 1))))
    assert ((line - truth) ** 2).mean() < 0.2 < 0.4 < ((level - truth) ** 2).mean()


def test_one_unlike_all_others_stays_what_it_is() -> None:
    seen = np.array([30.0, *np.random.default_rng(3).standard_normal(60)])
    out = shrunk(seen, np.ones(61), np.ones((61, 1)))
    assert out[0] >= 28
    assert out[1:].std() < 0.8 * seen[1:].std()


def test_few_or_certain_estimates_stay() -> None:
    seen = np.array([1.0, 2.0, 4.0])
    assert shrunk(seen, np.ones(3), np.ones((3, 1))).tolist() == [1, 2, 4]
    assert shrunk(seen, np.zeros(3), np.ones((3, 1))).tolist() == [1, 2, 4]
    assert shrunk(np.zeros(0), np.zeros(0), np.ones((0, 1))).size == 0


# -- intervals --------------------------------------------------------------------------------------


def test_intervals_hold_for_all_members_at_once() -> None:
    """Of 50 members of different worth all lie inside in 95 of 100 elections; not so with an interval for each."""
    rng, truth, n = np.random.default_rng(4), np.linspace(0, 5, 50), 400
    inside = dict.fromkeys((50, 1), 0)
    for _ in range(n):
        worths = planted(truth, 0.3, rng)
        off = np.abs(worths.mean - truth) / worths.error(np.eye(50))
        for questions in inside:
            inside[questions] += bool((off < critical(questions, worths.dof)).all())
    assert inside[50] / n > 0.95 - 3 * np.sqrt(0.05 * 0.95 / n)
    assert inside[50] / n < 0.99
    assert inside[1] / n < 0.3


def test_none_of_equal_members_is_crowned_or_left_behind() -> None:
    """In at most five of 100 elections; if pairs are asked one by one, somebody is left behind almost always."""
    rng, n = np.random.default_rng(5), 300
    behind = crowned = naive = 0
    for _ in range(n):
        worths = planted(np.ones(50), 0.5, rng)
        order = np.argsort(-worths.mean)
        far = _clearly_behind(worths.of(order), np.eye(50))
        behind, crowned = behind + bool(far.any()), crowned + bool(far[1:].all())
        off = (np.eye(50)[order[:1]] - np.eye(50)[order[1:]], np.eye(50))
        naive += bool((off[0] @ worths.mean > 1.96 * worths.error(off[0])).any())
    assert behind / n <= 0.05
    assert crowned == 0
    assert naive / n > 0.9


def test_draws_are_the_clusters_of_the_error() -> None:
    """What all runs of a draw have in common is no evidence of its own: ignoring that makes the error too small."""
    rng = np.random.default_rng(6)
    draws, halves = rng.standard_normal(40), 10
    seen = np.tile(draws, 2 * halves) + 0.1 * rng.standard_normal((1, 40 * 2 * halves))
    runs = np.ones(seen.shape[1], dtype=np.int64)
    drawn, fixed = (Worths(seen, seen, np.ones(runs.size), runs, n) for n in (40, 0))
    assert drawn.error(np.eye(1))[0] == pytest.approx(draws.std(ddof=1) / np.sqrt(40), rel=0.05)
    assert fixed.error(np.eye(1))[0] < 0.3 * drawn.error(np.eye(1))[0]


# -- ranges -----------------------------------------------------------------------------------------


def under_draws(rng: np.random.Generator, noise: float, draws: int = 400, members: int = 40) -> tuple[Worths, Floats]:
    """Return what runs say of members whose worth depends on the draw, and the true worths, shape (N, C)."""
    local = rng.uniform(0.5, 1.5, members)[:, None] * np.exp(0.3 * rng.standard_normal(draws))
    truth = local * (1 + 0.3 * rng.standard_normal(draws))
    luck = noise * rng.standard_normal((members, 2 * draws))
    seen = np.tile(truth, 2) + luck
    runs = np.full(2 * draws, 100)
    around = np.tile((truth - local).sum(axis=0), 2)
    square = 100 * ((around + luck.sum(axis=0)) ** 2 + 100 * members * noise**2)
    return Worths(100 * seen, 100 * np.tile(local, 2), square, runs, draws), truth


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_the_range_is_that_of_the_truth_without_the_noise(noise: float) -> None:
    worths, truth = under_draws(np.random.default_rng(7), noise)
    low, high = worths.range_over_draws(np.eye(40), truth.mean(axis=1))
    ends = np.quantile(truth, [0.1, 0.9], axis=1)
    assert (high - low).mean() == pytest.approx((ends[1] - ends[0]).mean(), rel=0.12)
    assert np.corrcoef(high - low, ends[1] - ends[0])[0, 1] > 0.9
    noisy = worths.worth.reshape(40, 2, -1).sum(axis=1) / 200
    wide = np.subtract(*np.quantile(noisy, [0.9, 0.1], axis=1)).mean()
    assert wide > (1.5 if noise > 0.5 else 0.9) * (high - low).mean()


def test_a_range_that_cannot_be_told_is_missing() -> None:
    rng = np.random.default_rng(8)
    worths, truth = under_draws(rng, 0.1)
    fixed = Worths(worths.worth, worths.local, worths.square, worths.runs, 0)
    single = Worths(worths.worth, worths.local, worths.square, np.r_[np.ones(400, int), np.zeros(400, int)], 400)
    for few in (fixed, single):
        assert np.isnan(few.range_over_draws(np.eye(40), truth.mean(axis=1))).all()


def test_what_no_draw_moves_has_next_to_no_range() -> None:
    rng = np.random.default_rng(9)
    local = np.ones((40, 800))
    luck = rng.standard_normal((40, 800))
    square = 100 * (luck.sum(axis=0) ** 2 + 100 * 40)
    worths = Worths(100 * (local + luck), 100 * local, square, np.full(800, 100), 400)
    low, high = worths.range_over_draws(np.full((1, 40), 1 / 40), np.ones(1))
    assert high[0] - low[0] < 0.15
    assert low[0] <= 1 <= high[0]
