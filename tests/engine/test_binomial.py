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
