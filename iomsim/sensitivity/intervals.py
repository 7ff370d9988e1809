"""Means of runs and differences between paired runs, with their Monte Carlo errors."""

from __future__ import annotations

import numpy as np

from iomsim.forecasting.estimates import Z95, Interval, wilson
from iomsim.typing import Floats

NO_CHANGE = Interval(0.0, 0.0, 0.0)
"""Between scenarios that are the same."""


def mean_interval(values: Floats) -> Interval:
    """Return a mean and its 95 % interval: Wilson's for shares, else the normal law's.

    Examples
    --------
    >>> [round(x, 2) for x in mean_interval(np.array([0.0, 1.0, 1.0, 1.0]))]
    [0.75, 0.3, 0.95]
    """
    middle, n = float(values.mean()), values.size
    if ((values == 0) | (values == 1)).all():
        low, high = wilson(values.sum(), n)
        return Interval(middle, float(low), float(high))
    half = Z95 * float(values.std(ddof=1) / np.sqrt(n))
    return Interval(middle, middle - half, middle + half)


def paired_interval(a: Floats, b: Floats) -> Interval:
    """Return the mean of b - a and its 95 % interval.

    For shares (0 or 1) half a run is added to each kind of discordant pair (Agresti and Min 2005,
    *Statistics in Medicine* 24, 729-740), so that few changes do not look like certainty.

    Examples
    --------
    Four runs of which one changes hands:

    >>> middle, low, high = paired_interval(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    >>> middle, round(low, 2), round(high, 2)
    (0.25, -0.28, 0.61)
    """
    change, n = np.asarray(b, dtype=float) - a, len(a)
    middle = float(change.mean())
    if set(np.unique(change)) <= {-1.0, 0.0, 1.0}:
        up, down = (change > 0).sum() + 0.5, (change < 0).sum() + 0.5
        centre, m = (up - down) / (n + 2), n + 2
        half = Z95 * np.sqrt(up + down - (up - down) ** 2 / m) / m
        return Interval(middle, float(min(centre - half, middle)), float(max(centre + half, middle)))
    half = Z95 * float(change.std(ddof=1) / np.sqrt(n))
    return Interval(middle, middle - half, middle + half)


def is_clear(interval: Interval) -> bool:
    """Say whether an interval of a difference leaves out zero."""
    return interval.low > 0 or interval.high < 0
