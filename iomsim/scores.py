"""Proper scores: what a forecast earned, once it is known what happened.  Lower is better.

A score is *proper* if nobody can expect a better one by announcing something else than what they
believe.  Everything is vectorised over leading axes; a forecast that is missing (NaN) scores NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from iomsim.errors import IomsimError, whole_number

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """An average with the two ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Decomposition:
    """What a mean Brier score is made of: score = miscalibration - discrimination + uncertainty.

    Attributes
    ----------
    score : float
        The mean Brier score.
    miscalibration : float
        What would be gained by saying at each forecast how often the event then came; 0 is best.
    discrimination : float
        What those corrected forecasts gain over always announcing the overall frequency.
    uncertainty : float
        The score of the overall frequency: how hard the events were.
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


def log_score(p: ArrayLike, happened: ArrayLike) -> Floats:
    """Return minus the natural logarithm of the probability given to what happened.

    Parameters
    ----------
    p : array_like of float, shape (...)
        Probability of the event, in [0, 1].
    happened : array_like of bool, shape (...)
        Did it come?

    Returns
    -------
    ndarray, shape (...)
        In nats; infinite where what happened had been called impossible.

    Raises
    ------
    IomsimError
        If a probability is outside [0, 1].

    Notes
    -----
    Good (1952), *Journal of the Royal Statistical Society B* 14, 107-114.

    Examples
    --------
    >>> log_score([0.5, 0.25], [True, False]).round(4)
    array([0.6931, 0.2877])
    """
    chance, came = _events(p, happened)
    return _surprise(np.where(came, chance, 1.0 - chance))


def categorical_log_score(pmf: ArrayLike, outcome: ArrayLike) -> Floats:
    """Return minus the natural logarithm of the probability given to the category that came.

    Parameters
    ----------
    pmf : array_like of float, shape (..., K)
        Probabilities of K categories, summing to 1.
    outcome : array_like of int, shape (...)
        Index of the category that came, 0..K-1.

    Returns
    -------
    ndarray, shape (...)
        In nats.

    Raises
    ------
    IomsimError
        If the probabilities do not sum to 1, or there is no such category.

    Examples
    --------
    >>> float(categorical_log_score([0.2, 0.5, 0.3], 1).round(4))
    0.6931
    """
    p, came = _categories(pmf, outcome)
    return _surprise(np.take_along_axis(p, came[..., None], axis=-1)[..., 0])


def brier(p: ArrayLike, happened: ArrayLike) -> Floats:
    """Return the squared difference between a probability and what happened (1 or 0).

    Parameters
    ----------
    p : array_like of float, shape (...)
        Probability of the event, in [0, 1].
    happened : array_like of bool, shape (...)
        Did it come?

    Raises
    ------
    IomsimError
        If a probability is outside [0, 1].

    Notes
    -----
    Brier (1950), *Monthly Weather Review* 78, 1-3, halved as is usual for two categories.

    Examples
    --------
    >>> brier([0.75, 0.75], [True, False])
    array([0.0625, 0.5625])
    """
    chance, came = _events(p, happened)
    return (chance - came) ** 2


def categorical_brier(pmf: ArrayLike, outcome: ArrayLike) -> Floats:
    """Return the sum over K categories of the squared differences from what happened.

    With two categories it is twice :func:`brier`.  Parameters as in :func:`categorical_log_score`.

    Examples
    --------
    >>> float(categorical_brier([0.25, 0.75], 1))
    0.125
    """
    p, came = _categories(pmf, outcome)
    return np.sum((p - _indicator(p, came)) ** 2, axis=-1)


def ranked_probability(pmf: ArrayLike, outcome: ArrayLike) -> Floats:
    """Return the ranked probability score of ordered categories, the last one open.

    The sum over the K - 1 boundaries of the Brier score of "not above this boundary": missing by
    one round costs less than missing by four.

    Parameters
    ----------
    pmf : array_like of float, shape (..., K)
        Probabilities of the ordered categories, summing to 1.
    outcome : array_like of int, shape (...)
        Index of the category that came; whatever is above K - 1 falls into the last.

    Raises
    ------
    IomsimError
        If the probabilities do not sum to 1, or an outcome is negative.

    Notes
    -----
    Epstein (1969), *Journal of Applied Meteorology* 8, 985-987; not divided by K - 1.

    Examples
    --------
    Said: one more round 0.5, two 0.3, three or more 0.2.  It took two, or nine:

    >>> ranked_probability([0.5, 0.3, 0.2], [1, 8]).round(2)
    array([0.29, 0.89])
    """
    p = np.asarray(pmf, dtype=float)
    p, came = _categories(p, np.minimum(outcome, p.shape[-1] - 1))
    reached = np.cumsum(p - _indicator(p, came), axis=-1)
    return np.sum(reached[..., :-1] ** 2, axis=-1)


def crps_ensemble(values: ArrayLike, observed: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Return the continuous ranked probability score of an ensemble, in the units of the values.

    Parameters
    ----------
    values : array_like of float, shape (..., n)
        The members of the ensemble, in any order.
    observed : array_like of float, shape (...)
        What came.
    weights : array_like of float, shape (..., n) or (n,), optional
        Relative weights, default equal.

    Returns
    -------
    ndarray, shape (...)
        For one member the absolute error.

    Raises
    ------
    IomsimError
        If there is no member, or weights are negative or all zero.

    Notes
    -----
    O(n log n): with sorted members and W_i the weight up to and including the i-th, the score is
    2 sum w_i (x_i - y)(1{y < x_i} - W_i + w_i / 2), the quantile form; Laio and Tamea (2007),
    *Hydrology and Earth System Sciences* 11, 1267-1277.

    Examples
    --------
    >>> float(crps_ensemble([0.5, 0.6], 0.5).round(6))
    0.025
    """
    x, w = _ensemble(values, weights)
    order = np.argsort(x, axis=-1)
    x, w = np.take_along_axis(x, order, -1), np.take_along_axis(w, order, -1)
    y = np.asarray(observed, dtype=float)[..., None]
    middle = np.cumsum(w, axis=-1) - w / 2
    return 2 * np.sum(w * (x - y) * ((y < x) - middle), axis=-1)


def crps_pmf(grid: ArrayLike, pmf: ArrayLike, observed: ArrayLike) -> Floats:
    """Return the continuous ranked probability score of probabilities on a grid.

    Parameters
    ----------
    grid : array_like of float, shape (n,)
        The possible values, increasing.
    pmf : array_like of float, shape (..., n)
        Their probabilities, summing to 1.
    observed : array_like of float, shape (...)
        What came; it need not lie on the grid.

    Raises
    ------
    IomsimError
        If the grid does not increase or the probabilities do not sum to 1.

    Notes
    -----
    O(n): the squared distance between two step functions, integrated piece by piece.

    Examples
    --------
    >>> float(crps_pmf([0.4, 0.6], [0.5, 0.5], 0.5).round(6))
    0.05
    """
    g = np.asarray(grid, dtype=float)
    if g.ndim != 1 or not len(g) or not np.all(np.diff(g) > 0):
        raise IomsimError("a grid must be one row of increasing values")
    below = np.cumsum(_sums_to_one(np.asarray(pmf, dtype=float)), axis=-1)[..., :-1]
    y = np.asarray(observed, dtype=float)[..., None]
    cut = np.clip(y, g[:-1], g[1:])
    inside = np.sum(below**2 * (cut - g[:-1]) + (1 - below) ** 2 * (g[1:] - cut), axis=-1)
    outside = np.maximum(g[0] - y, 0) + np.maximum(y - g[-1], 0)
    return inside + outside[..., 0]


def corp(p: ArrayLike, happened: ArrayLike) -> Decomposition:
    """Split a mean Brier score into miscalibration, discrimination and uncertainty.

    The recalibrated forecasts are the isotonic regression of what happened on what was said
    (pool adjacent violators), so no bins have to be chosen.

    Parameters
    ----------
    p : array_like of float, shape (n,)
        Probabilities, in [0, 1].
    happened : array_like of bool, shape (n,)
        Did the event come?

    Raises
    ------
    IomsimError
        If there is no forecast, or a probability is outside [0, 1].

    Notes
    -----
    Dimitriadis, Gneiting and Jordan (2021), *PNAS* 118, e2016191118.

    Examples
    --------
    >>> parts = corp([0.1, 0.1, 0.9, 0.9], [False, False, True, True])
    >>> round(parts.miscalibration, 4), parts.discrimination, parts.uncertainty
    (0.01, 0.25, 0.25)
    """
    chance, came = _cases(p, happened)
    level, which, _ = _levels(chance)
    corrected = _isotonic(which, came, len(level))[which]
    score, best = np.mean((chance - came) ** 2), np.mean((corrected - came) ** 2)
    hard = np.mean((came.mean() - came) ** 2)
    return Decomposition(float(score), float(score - best), float(hard - best), float(hard))


def reliability(p: ArrayLike, happened: ArrayLike, *, seed: int, level: float = 0.9, draws: int = 1000) -> pd.DataFrame:
    """Return the reliability curve, with the band in which a calibrated forecaster's would lie.

    Parameters
    ----------
    p : array_like of float, shape (n,)
        Probabilities, in [0, 1].
    happened : array_like of bool, shape (n,)
        Did the event come?
    seed : int
        For the band: events are redrawn with exactly the stated probabilities.
    level : float, default 0.9
        Probability of the band, pointwise.
    draws : int, default 1000
        Redrawn sets of events.

    Returns
    -------
    DataFrame
        One row per distinct forecast: `forecast`, `observed` (recalibrated by isotonic
        regression), `count`, and the band's `low` and `high`.

    Raises
    ------
    IomsimError
        If there is no forecast, or a probability is outside [0, 1].

    Notes
    -----
    The consistency bands of Dimitriadis, Gneiting and Jordan (2021), the forecasts held fixed.

    Examples
    --------
    >>> reliability([0.2, 0.2, 0.8], [0, 1, 1], seed=1)["observed"].tolist()
    [0.5, 1.0]
    """
    whole_number("draws", draws, 1)
    chance, came = _cases(p, happened)
    said, which, count = _levels(chance)
    redrawn = np.random.default_rng(seed).random((draws, len(chance))) < chance
    curves = np.array([_isotonic(which, row, len(said)) for row in redrawn])
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    observed = _isotonic(which, came, len(said))
    return pd.DataFrame({"forecast": said, "observed": observed, "count": count, "low": low, "high": high})


def pit(values: ArrayLike, observed: ArrayLike, weights: ArrayLike | None = None, *, seed: int) -> Floats:
    """Return where the observed lies in its forecast, in [0, 1]: uniform if the forecast is right.

    Parameters
    ----------
    values : array_like of float, shape (..., n)
        An ensemble, or with `weights` the possible values of an exact forecast.
    observed : array_like of float, shape (...)
        What came.
    weights : array_like of float, shape (..., n) or (n,), optional
        Probabilities of the values.  Without them the values are a sample from the forecast, and
        the observed is ranked among them.
    seed : int
        Ties are broken by lot.

    Raises
    ------
    IomsimError
        If there is no value, or weights are negative or all zero.

    Notes
    -----
    A sample gives (members below + u (ties + 1)) / (n + 1), exactly uniform if the observed is
    one more draw from the same law; probabilities give F(y-) + u P(y).

    Examples
    --------
    >>> 2 / 3 <= float(pit([0.5, 0.6], 0.7, seed=1)) <= 1
    True
    """
    x, w = _ensemble(values, weights)
    y = np.asarray(observed, dtype=float)[..., None]
    below, ties = np.sum(w * (x < y), axis=-1), np.sum(w * (x == y), axis=-1)
    u = np.random.default_rng(seed).random(below.shape)
    if weights is not None:
        return below + u * ties
    n = x.shape[-1]
    return (n * below + u * (n * ties + 1)) / (n + 1)


def rank_histogram(pits: ArrayLike, bins: int = 10, level: float = 0.9) -> pd.DataFrame:
    """Count where the observed fell, bin by bin, beside what a right forecast would give.

    Parameters
    ----------
    pits : array_like of float, shape (n,)
        From :func:`pit`; NaN is left out.
    bins : int, default 10
        Bins of equal width.
    level : float, default 0.9
        Probability of the band of each count (binomial).

    Returns
    -------
    DataFrame
        `start`, `end`, `count`, `expected`, `low`, `high`.

    Raises
    ------
    IomsimError
        If a value is outside [0, 1] or `bins` is not a whole number of at least 1.

    Examples
    --------
    >>> rank_histogram([0.1, 0.2, 0.9], bins=2)["count"].tolist()
    [2, 1]
    """
    from scipy.stats import binom

    whole_number("bins", bins, 1)
    u = _probabilities(np.asarray(pits, dtype=float).ravel())
    u = u[~np.isnan(u)]
    count, edges = np.histogram(u, bins=bins, range=(0.0, 1.0))
    band = np.asarray(binom.ppf([(1 - level) / 2, (1 + level) / 2], len(u), 1 / bins), dtype=int)
    columns = {"start": edges[:-1], "end": edges[1:], "count": count, "expected": len(u) / bins}
    return pd.DataFrame(columns).assign(low=band[0], high=band[1])


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


def _surprise(p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return -np.log(p)


def _indicator(p: Floats, came: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.arange(p.shape[-1]) == came[..., None]


def _probabilities(p: Floats) -> Floats:
    wrong = (p < 0) | (p > 1)
    if wrong.any():
        raise IomsimError(f"a probability must be between 0 and 1, got {float(p[wrong].flat[0])!r}")
    return p


def _sums_to_one(p: Floats) -> Floats:
    total = np.sum(_probabilities(p), axis=-1)
    wrong = np.abs(total - 1) > 1e-6
    if np.any(wrong):
        raise IomsimError(f"probabilities must sum to 1, got {float(np.extract(wrong, total)[0]):.6g}")
    return p


def _events(p: ArrayLike, happened: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    chance = _probabilities(np.asarray(p, dtype=float))
    came = np.asarray(happened, dtype=bool)
    shape = np.broadcast_shapes(chance.shape, came.shape)
    return np.broadcast_to(chance, shape), np.broadcast_to(came, shape)


def _cases(p: ArrayLike, happened: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    chance, came = _events(np.ravel(p), np.ravel(happened))
    if not len(chance) or np.isnan(chance).any():
        raise IomsimError("a reliability curve needs at least one forecast, and none missing")
    return chance, came


def _categories(pmf: ArrayLike, outcome: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    p = _sums_to_one(np.asarray(pmf, dtype=float))
    came = np.asarray(outcome, dtype=np.int64)
    if np.any((came < 0) | (came >= p.shape[-1])):
        raise IomsimError(f"an outcome must be a category from 0 to {p.shape[-1] - 1}, got {came.tolist()}")
    shape = np.broadcast_shapes(p.shape[:-1], came.shape)
    return np.broadcast_to(p, (*shape, p.shape[-1])), np.broadcast_to(came, shape)


def _ensemble(values: ArrayLike, weights: Any) -> tuple[Floats, Floats]:
    x = np.asarray(values, dtype=float)
    if not x.ndim or not x.shape[-1]:
        raise IomsimError("an ensemble needs at least one member")
    w = np.ones(x.shape) if weights is None else np.broadcast_to(np.asarray(weights, dtype=float), x.shape)
    total = w.sum(axis=-1, keepdims=True)
    if np.any(w < 0) or np.any(total <= 0):
        raise IomsimError("the weights of an ensemble must not be negative, and not all zero")
    return x, w / total


def _levels(p: Floats) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct forecasts, which of them each case had, and how many cases had it."""
    return np.unique(p, return_inverse=True, return_counts=True)


def _isotonic(which: NDArray[np.intp], came: NDArray[np.bool_], levels: int) -> Floats:
    """Return how often the event came at each distinct forecast, made non-decreasing."""
    from scipy.optimize import isotonic_regression

    count = np.bincount(which, minlength=levels)
    hits = np.bincount(which, weights=came, minlength=levels)
    return np.asarray(isotonic_regression(hits / count, weights=count).x)


def _group_sums(values: ArrayLike, groups: ArrayLike) -> tuple[Floats, Floats]:
    x, names = np.asarray(values, dtype=float).ravel(), np.asarray(groups).ravel()
    if len(x) != len(names):
        raise IomsimError(f"every value needs its group: got {len(x)} values and {len(names)} groups")
    known = ~np.isnan(x)
    _, which = np.unique(names[known], return_inverse=True)
    return np.bincount(which, weights=x[known]).astype(float), np.bincount(which).astype(float)
