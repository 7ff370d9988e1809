"""Proper scores: what a forecast earned, once it is known what happened.  Lower is better.

A score is *proper* if nobody can expect a better one by announcing something else than what they
believe.  Everything is vectorised over leading axes; a forecast that is missing (NaN) scores NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from iomsim.errors import IomsimError, quote
from iomsim.typing import Flags, Floats, Longs


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
    chance, came = events(p, happened)
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
    chance, came = events(p, happened)
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
    Forecast: one more round 0.5, two 0.3, three or more 0.2.  It took two, or nine:

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
    x, w = ensemble(values, weights)
    order = np.argsort(x, axis=-1)
    x, w = np.take_along_axis(x, order, -1), np.take_along_axis(w, order, -1)
    y = np.asarray(observed, dtype=float)[..., None]
    middle = np.cumsum(w, axis=-1) - w / 2
    return 2 * np.sum(w * (x - y) * ((y < x) - middle), axis=-1)


# --- what they are given ----------------------------------------------------------------------------


def _surprise(p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return -np.log(p)


def _indicator(p: Floats, came: Longs) -> Flags:
    return np.arange(p.shape[-1]) == came[..., None]


def probabilities(p: Floats) -> Floats:
    """Return the probabilities, if they all are some."""
    wrong = (p < 0) | (p > 1)
    if wrong.any():
        raise IomsimError(f"a probability must be between 0 and 1, got {quote(float(p[wrong].flat[0]))}")
    return p


def _sums_to_one(p: Floats) -> Floats:
    total = np.sum(probabilities(p), axis=-1)
    wrong = np.abs(total - 1) > 1e-6
    if np.any(wrong):
        raise IomsimError(f"probabilities must sum to 1, got {float(np.extract(wrong, total)[0]):.6g}")
    return p


def events(p: ArrayLike, happened: ArrayLike) -> tuple[Floats, Flags]:
    """Return probabilities and events in one shape."""
    chance = probabilities(np.asarray(p, dtype=float))
    came = np.asarray(happened, dtype=bool)
    shape = np.broadcast_shapes(chance.shape, came.shape)
    return np.broadcast_to(chance, shape), np.broadcast_to(came, shape)


def _categories(pmf: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Longs]:
    p = _sums_to_one(np.asarray(pmf, dtype=float))
    came = np.asarray(outcome, dtype=np.int64)
    if np.any((came < 0) | (came >= p.shape[-1])):
        raise IomsimError(f"an outcome must be a category from 0 to {p.shape[-1] - 1}, got {came.tolist()}")
    shape = np.broadcast_shapes(p.shape[:-1], came.shape)
    return np.broadcast_to(p, (*shape, p.shape[-1])), np.broadcast_to(came, shape)


def ensemble(values: ArrayLike, weights: Any) -> tuple[Floats, Floats]:
    """Return the members of an ensemble and their weights, which sum to 1."""
    x = np.asarray(values, dtype=float)
    if not x.ndim or not x.shape[-1]:
        raise IomsimError("an ensemble needs at least one member")
    w = np.ones(x.shape) if weights is None else np.broadcast_to(np.asarray(weights, dtype=float), x.shape)
    total = w.sum(axis=-1, keepdims=True)
    if np.any(w < 0) or np.any(total <= 0):
        raise IomsimError("the weights of an ensemble must not be negative, and not all zero")
    return x, w / total
