"""Averages of scores, with the error that few contests leave in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from iomsim.errors import IomsimError, whole_number
from iomsim.forecasting.estimates import Interval
from iomsim.typing import Floats


def bootstrap_mean(
    values: ArrayLike, groups: ArrayLike, *, seed: int, level: float = 0.95, draws: int = 4000, by_group: bool = False
) -> Interval:
    """Return a mean with its bootstrap interval when whole groups are redrawn, not single rows.

    Scores after the rounds of one contest are not independent; contests are.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        Scores, or differences of scores; NaN is left out.
    groups : array_like, shape (n,)
        The contest each belongs to.
    seed : int
        For the redrawn groups.
    level : float, default 0.95
        Probability of the interval (percentile).
    draws : int, default 4000
        Redrawn sets of groups.
    by_group : bool, default False
        Average within each group first, so that a long contest counts no more than a short one.

    Returns
    -------
    Interval
        NaN throughout without a value; NaN at the ends with fewer than two groups.

    Raises
    ------
    IomsimError
        If the two have different lengths.

    Examples
    --------
    >>> mean = bootstrap_mean([1.0, 1.0, 4.0], ["a", "a", "b"], seed=1)
    >>> mean.value, mean.low, mean.high
    (2.0, 1.0, 4.0)
    """
    whole_number("draws", draws, 1)
    total, count = _group_sums(values, groups)
    if by_group:
        total, count = total / count, np.ones(len(count))
    if not len(total):
        return Interval(np.nan, np.nan, np.nan)
    value = float(total.sum() / count.sum())
    if len(total) < 2:
        return Interval(value, np.nan, np.nan)
    drawn = np.random.default_rng(seed).integers(len(total), size=(draws, len(total)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def _group_sums(values: ArrayLike, groups: ArrayLike) -> tuple[Floats, Floats]:
    x, names = np.asarray(values, dtype=float).ravel(), np.asarray(groups).ravel()
    if len(x) != len(names):
        raise IomsimError(f"every value needs its group: got {len(x)} values and {len(names)} groups")
    known = ~np.isnan(x)
    _, which = np.unique(names[known], return_inverse=True)
    return np.bincount(which, weights=x[known]).astype(float), np.bincount(which).astype(float)
