"""Calibration: did what was given 30 in 100 come 30 times in 100; and mean scores with their bootstrap error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from iomsim.errors import IomsimError, whole_number
from iomsim.forecasting.estimates import Interval, wilson
from iomsim.typing import Flags, Floats, Places
from iomsim.validation.scores import ensemble, events, probabilities

ROUNDING = 1e-9
"""What is rounding, of a frequency."""


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
    level, which = np.unique(chance, return_inverse=True)
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
    said, which, count = np.unique(chance, return_inverse=True, return_counts=True)
    curves = _calibrated(tuple(chance.tolist()), seed, draws)
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    observed = _isotonic(which, came, len(said))
    return pd.DataFrame({"forecast": said, "observed": observed, "count": count, "low": low, "high": high})


def outside(p: ArrayLike, happened: ArrayLike, *, seed: int, level: float = 0.9, draws: int = 1000) -> tuple[int, int]:
    """Return how many forecasts lie outside the band of :func:`reliability`, and how many may by luck.

    The band is pointwise, so that some of a calibrated forecaster's lie outside: in 95 of 100 sets of events no more
    than the second number, if the events are independent.

    Examples
    --------
    >>> said = [0.1] * 20 + [0.9] * 20
    >>> outside(said, [False] * 18 + [True] * 2 + [True] * 18 + [False] * 2, seed=1)[0]
    0
    >>> outside(said, [True] * 20 + [False] * 20, seed=1)[0]
    2
    """
    table = reliability(p, happened, seed=seed, level=level, draws=draws)
    low, high = table["low"].to_numpy() - ROUNDING, table["high"].to_numpy() + ROUNDING
    by_luck = _calibrated(tuple(_cases(p, happened)[0].tolist()), seed, draws)
    counts = ((by_luck < low) | (by_luck > high)).sum(axis=1)
    return int((~table["observed"].between(low, high)).sum()), int(np.quantile(counts, 0.95, method="inverted_cdf"))


@lru_cache(maxsize=8)
def _calibrated(chance: tuple[float, ...], seed: int, draws: int) -> Floats:
    """Return the reliability curves of a calibrated forecaster's events, shape (draws, distinct forecasts)."""
    said, which = np.unique(chance, return_inverse=True)
    redrawn = np.random.default_rng(seed).random((draws, len(chance))) < np.array(chance)
    curves = np.array([_isotonic(which, row, len(said)) for row in redrawn])
    curves.setflags(write=False)
    return curves


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
    x, w = ensemble(values, weights)
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
    u = probabilities(np.asarray(pits, dtype=float).ravel())
    u = u[~np.isnan(u)]
    count, edges = np.histogram(u, bins=bins, range=(0.0, 1.0))
    band = np.asarray(binom.ppf([(1 - level) / 2, (1 + level) / 2], len(u), 1 / bins), dtype=int)
    columns = {"start": edges[:-1], "end": edges[1:], "count": count, "expected": len(u) / bins}
    return pd.DataFrame(columns).assign(low=band[0], high=band[1])


def _cases(p: ArrayLike, happened: ArrayLike) -> tuple[Floats, Flags]:
    chance, came = events(np.ravel(p), np.ravel(happened))
    if not len(chance) or np.isnan(chance).any():
        raise IomsimError("a reliability curve needs at least one forecast, and none missing")
    return chance, came


def _isotonic(which: Places, came: Flags, levels: int) -> Floats:
    """Return how often the event came at each distinct forecast, made non-decreasing."""
    from scipy.optimize import isotonic_regression

    count = np.bincount(which, minlength=levels)
    hits = np.bincount(which, weights=came, minlength=levels)
    return np.asarray(isotonic_regression(hits / count, weights=count).x)


# -- mean scores ----------------------------------------------------------------------------------


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
    x, names = _grouped(values, groups)
    total, count = _totals(x, names)
    if by_group:
        total, count = total / count, np.ones(len(count))
    return _bootstrap_ratio(total, count, seed, level, draws)


def bootstrap_ratio(
    values: ArrayLike, others: ArrayLike, groups: ArrayLike, *, seed: int, level: float = 0.95, draws: int = 4000
) -> Interval:
    """Return the ratio of two means over groups that count alike, with its bootstrap interval over groups.

    Parameters
    ----------
    values, others : array_like of float, shape (n,)
        Scores of two forecasters on the same cases; the ratio is that of the first to the second.
    groups : array_like, shape (n,)
        The contest each belongs to.
    seed, level, draws
        As in :func:`bootstrap_mean`.

    Raises
    ------
    IomsimError
        If they have different lengths.

    Examples
    --------
    >>> ratio = bootstrap_ratio([1.0, 1.0, 4.0], [2.0, 2.0, 4.0], ["a", "a", "b"], seed=1)
    >>> round(ratio.value, 3), ratio.low, ratio.high
    (0.833, 0.5, 1.0)
    """
    whole_number("draws", draws, 1)
    x, names = _grouped(values, groups)
    y, _ = _grouped(others, groups)
    missing = np.isnan(x) | np.isnan(y)
    (top, count), (bottom, _) = (_totals(np.where(missing, np.nan, z), names) for z in (x, y))
    return _bootstrap_ratio(top / count, bottom / count, seed, level, draws)


def _bootstrap_ratio(top: Floats, bottom: Floats, seed: int, level: float, draws: int) -> Interval:
    """Return sum over sum, with the interval when the pairs are redrawn."""
    if not len(top):
        return Interval(np.nan, np.nan, np.nan)
    drawn = np.random.default_rng(seed).integers(len(top), size=(draws, len(top)))
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing over nothing is left out
        value, ratios = top.sum() / bottom.sum(), top[drawn].sum(axis=1) / bottom[drawn].sum(axis=1)
    ratios = ratios[~np.isnan(ratios)]
    if len(top) < 2 or not len(ratios):
        return Interval(float(value), np.nan, np.nan)
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def frequency(happened: ArrayLike, groups: ArrayLike, *, by_group: bool = False) -> Interval:
    """Return how often something happened, with a 95 % interval that knows that cases of a group are alike.

    Parameters
    ----------
    happened : array_like of bool, shape (n,)
        Did it come?
    groups : array_like, shape (n,)
        The contest each belongs to.
    by_group : bool, default False
        Average within each group first, so that a long contest counts no more than a short one.

    Returns
    -------
    Interval
        NaN throughout without a case.

    Notes
    -----
    Wilson's interval with an effective number of cases: as many independent ones as would give the variance between
    the groups (linearized), and at most those that there are; where the groups do not differ at all, as many as there
    are groups.  So it is honest also where everything came, or nothing.  Korn and Graubard (1998), *Survey
    Methodology* 24, 193-201, with the exact interval in place of Wilson's.

    Examples
    --------
    >>> [round(x, 2) for x in frequency([1, 1, 0, 0], ["a", "b", "c", "d"])]
    [0.5, 0.13, 0.87]
    >>> frequency([1, 1, 0, 0], ["a", "a", "c", "c"]).low < 0.1  # two contests, not four cases
    True
    """
    x, names = _grouped(np.asarray(happened, dtype=float), groups)
    if not len(x):
        return Interval(np.nan, np.nan, np.nan)
    _, which, count = np.unique(names, return_inverse=True, return_counts=True)
    weight = 1 / count[which] if by_group else np.ones(len(x))
    weight = weight / weight.sum()
    value = float(np.clip(weight @ x, 0.0, 1.0))
    most = 1 / float(weight @ weight)
    between = np.bincount(which, weights=weight * (x - value))
    variance = len(count) / max(len(count) - 1, 1) * float(between @ between)
    effective = max(min(value * (1 - value) / variance if variance > 1e-12 else len(count), most), 1.0)
    low, high = wilson(value * effective, effective)
    return Interval(value, float(low), float(high))


def _grouped(values: ArrayLike, groups: ArrayLike) -> tuple[Floats, NDArray[Any]]:
    x, names = np.asarray(values, dtype=float).ravel(), np.asarray(groups).ravel()
    if len(x) != len(names):
        raise IomsimError(f"every value needs its group: got {len(x)} values and {len(names)} groups")
    return x, names


def _totals(x: Floats, names: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the sum and the number of the values of each group; NaN is left out."""
    _, which = np.unique(names[~np.isnan(x)], return_inverse=True)
    return np.bincount(which, weights=x[~np.isnan(x)]).astype(float), np.bincount(which).astype(float)
