"""Binomial numbers by inversion, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from iomsim.engine import rng
from iomsim.engine.binomial import binomial_quantile
from iomsim.engine.rng import Lane

KEYS = rng.run_keys(2023, 0)


@pytest.mark.parametrize("p", [0.0, 0.018, 0.5, 0.93, 1.0])
def test_binomial_quantiles_are_exact(p: float) -> None:
    trials = np.repeat([0, 1, 2, 7, 100, 175], 300)
    u = rng.uniform(np.tile(KEYS[:300], 6), 1, Lane.ABSTAIN)
    expected = np.maximum(stats.binom.ppf(u, trials, p), 0) if 0 < p < 1 else trials * p
    assert np.array_equal(binomial_quantile(trials, p, u), expected)


def test_binomial_quantiles_of_an_electorate_too_large_for_tables() -> None:
    trials, u = np.array([3000, 10, 0, 9999] * 50), rng.uniform(KEYS[:200], 1, Lane.ABSTAIN)
    assert np.array_equal(binomial_quantile(trials, 0.02, u), np.maximum(stats.binom.ppf(u, trials, 0.02), 0))
    small = binomial_quantile(np.full(200, 10), 0.3, u)
    assert np.array_equal(small, binomial_quantile(np.append(np.full(200, 10), 5000), 0.3, np.append(u, 0.5))[:-1])


def test_binomial_quantiles_at_the_edges_of_a_cell() -> None:
    u = np.array([0.0, 0.5 - 2**-53, 0.5, 1 - 2**-53])
    assert binomial_quantile(np.full(4, 1), 0.5, u).tolist() == [0, 0, 1, 1]


# -- a chance of its own for every column --------------------------------------------------------------

CHANCES = [0.0, 1e-9, 0.004, 0.018, 0.3, 0.5, 0.93, 1 - 1e-9, 1.0]


@pytest.mark.parametrize("most", [1, 20, 175, 1500, 30_000])
def test_quantiles_of_many_laws_are_exact(most: int) -> None:
    pick = np.random.default_rng(most)
    p = np.repeat(CHANCES, 40)
    trials = pick.integers(0, most, (3, p.size), endpoint=True)
    trials[0, :5] = 0
    u = pick.random(trials.shape)
    found = binomial_quantile(trials, p, u)
    assert found.dtype == np.int16
    open_ = (p > 0) & (p < 1)
    expected = np.where(open_, np.maximum(stats.binom.ppf(u, trials, np.where(open_, p, 0.5)), 0), trials * p)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("p", CHANCES)
def test_quantiles_of_many_equal_laws_are_those_of_one(p: float) -> None:
    trials = np.repeat([[0, 1, 2, 7, 100, 175]], 170, axis=1)
    u = rng.uniform(KEYS[: trials.size].reshape(trials.shape), 1, Lane.ABSTAIN)
    one, many = binomial_quantile(trials, p, u), binomial_quantile(trials, np.full(trials.size, p), u)
    assert one.dtype == many.dtype
    assert np.array_equal(one, many)


def test_a_column_does_not_depend_on_the_laws_of_its_neighbours() -> None:
    pick = np.random.default_rng(3)
    trials, p, u = pick.integers(0, 500, (2, 60)), pick.random(60), pick.random((2, 60))
    whole = binomial_quantile(trials, p, u)
    for i in range(60):
        column = slice(i, i + 1)
        assert np.array_equal(binomial_quantile(trials[:, column], p[column], u[:, column]), whole[:, column])
        assert np.array_equal(binomial_quantile(trials[:, column], float(p[i]), u[:, column]), whole[:, column])
