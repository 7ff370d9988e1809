"""Probabilities with their range over the assumptions and their Monte Carlo error, and how to say them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from iomsim.errors import IomsimError
from iomsim.forecasting.ranges import RANGE, range_of_chances
from iomsim.house_style import count
from iomsim.typing import Flags, Floats, Longs

Z95 = 1.959963984540054
"""97.5 % point of the normal law."""


class Interval(NamedTuple):
    """A value with the two ends of its interval."""

    value: float
    low: float
    high: float


def wilson(hits: Any, runs: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's 95 % interval of a proportion, elementwise.

    Wilson (1927), *Journal of the American Statistical Association* 22, 209-212: it stays inside
    [0, 1] and is honest where nothing, or everything, was seen.

    Examples
    --------
    >>> low, high = wilson(0, 100)
    >>> float(low), round(float(high), 4)
    (0.0, 0.037)
    """
    p, z = np.asarray(hits, dtype=float) / runs, Z95
    scale = 1.0 + z * z / runs
    middle = (p + z * z / (2 * runs)) / scale
    half = z * np.sqrt(p * (1 - p) / runs + z * z / (4.0 * runs * runs)) / scale
    low = np.where(p == 0, 0.0, np.maximum(middle - half, 0.0))
    return low, np.where(p == 1, 1.0, np.minimum(middle + half, 1.0))


BATCH = 25
"""Neighbouring draws of the assumptions whose mean is one observation of the error: they are spread evenly."""

FEWEST = 2
"""Runs of a draw from which on its share has a variance that can be told from that of the draws."""

FEW = 1000
"""Runs of a condition below which their number is told with its chance."""


def table(hits: Any, runs: Any, index: Any) -> pd.DataFrame:
    """Return a table of probabilities: see :func:`over_draws`.

    Parameters
    ----------
    hits : array_like of int, shape (rows,) or (rows, C)
        Runs in which it happened; of each draw of the assumptions, if they were drawn.
    runs : int, or array_like of int, shape (C,)
        Runs there were.
    index : Index or sequence
        Of the rows.
    """
    counts = np.asarray(hits, dtype=float)
    if counts.ndim == 1:
        low, high = wilson(counts, runs)
        missing = np.full(counts.shape, np.nan)
        columns = {"probability": counts / runs, "low": missing, "high": missing, "mc_error": (high - low) / 2}
        return pd.DataFrame(columns, index=index)
    names = ("probability", "low", "high", "mc_error")
    return pd.DataFrame(dict(zip(names, over_draws(counts, np.asarray(runs)), strict=True)), index=index)


def over_draws(hits: Floats, runs: Longs) -> tuple[Floats, Floats, Floats, Floats]:
    """Return chances over the draws of the assumptions: the chance, the ends of its range, and its error.

    Parameters
    ----------
    hits : ndarray, shape (rows, C)
        Runs of each draw in which it happened.
    runs : ndarray of int, shape (C,)
        Runs of each draw.

    Returns
    -------
    probability, low, high, mc_error : ndarrays, shape (rows,)
        The chance over everything that is unsure; the 10 % and 90 % points of the chance given the assumptions;
        half the width of the 95 % Monte Carlo interval of the chance.

    Notes
    -----
    The range is that of :func:`iomsim.forecasting.ranges.range_of_chances`, and wide enough to hold the chance
    itself; it is missing where the draws have too few runs to tell.  The error is that of :func:`means_over_draws`,
    and no less than that of as many runs on fixed assumptions (Wilson).

    Examples
    --------
    >>> hits = np.array([[10, 20, 30, 40] * 25])
    >>> [round(float(x[0]), 2) for x in over_draws(hits, np.full(100, 50))[:3]]
    [0.5, 0.2, 0.8]
    """
    drawn = runs > 0
    hits, runs = np.ascontiguousarray(hits[:, drawn]), runs[drawn]
    p, variance, error = _moments(hits, hits, runs)
    ends = [
        (np.nan, np.nan) if np.isnan(left) else range_of_chances(row.astype(np.int64), runs, left)
        for row, left in zip(hits, variance, strict=True)
    ]
    low, high = np.reshape(ends, (-1, 2)).T
    least, most = wilson(p * runs.sum(), int(runs.sum()))
    return p, np.minimum(low, p), np.maximum(high, p), np.maximum(error, (most - least) / 2)


def means_over_draws(sums: Floats, squares: Floats, runs: Longs) -> tuple[Floats, Floats, Floats, Floats]:
    """Return means over the draws of the assumptions, of anything that runs come to: a share, rounds, a difference.

    Parameters
    ----------
    sums, squares : ndarray, shape (rows, C)
        Sums of the values and of their squares over the runs of each draw.
    runs : ndarray of int, shape (C,)
        Runs of each draw.

    Returns
    -------
    mean, low, high, mc_error : ndarrays, shape (rows,)
        The mean over all runs, the 10 % and 90 % points of the mean given the assumptions, and half the width of the
        95 % Monte Carlo interval of the mean.

    Notes
    -----
    The mean of a draw's runs varies more than the mean given the draw, by the noise of so many runs.  The variance
    of the draws' means, less the mean of their noise, is that of the means given the draws; the means are drawn
    together towards the mean of all until they have it, and the range is that of the means so drawn together.  It
    is missing where the draws have too few runs to tell.

    The error takes batches of neighbouring draws as clusters, for these are spread evenly; where the draws have
    unequal numbers of runs, as after announcements, single draws.
    """
    drawn = runs > 0
    sums, squares = (np.ascontiguousarray(table[:, drawn]) for table in (sums, squares))  # bits depend on the layout
    runs = runs[drawn]
    middle, left, error = _moments(sums, squares, runs)
    weight, gap = runs / runs.sum(), sums / runs - middle[:, None]
    spread = (weight * gap**2).sum(axis=1) / np.maximum(1.0 - (weight**2).sum(), 1e-300)
    scale = np.sqrt(np.divide(left, spread, out=np.zeros_like(left), where=spread > 0))
    low, high = _weighted_quantiles(middle[:, None] + scale[:, None] * gap, weight)
    low[np.isnan(left)] = high[np.isnan(left)] = np.nan
    return middle, low, high, error


def _moments(sums: Floats, squares: Floats, runs: Longs) -> tuple[Floats, Floats, Floats]:
    """Return means over all runs, the variance of the means given the draws, and the Monte Carlo error of the former.

    Where the draws have too few runs to tell, the variance is missing.
    """
    total, means, weight = runs.sum(), sums / runs, runs / runs.sum()
    middle = sums.sum(axis=1) / total
    left, several = np.full(middle.size, np.nan), runs >= FEWEST
    if runs.size > 1 and weight[several].sum() > 0.99:
        spread = (weight * (means - middle[:, None]) ** 2).sum(axis=1) / (1.0 - (weight**2).sum())
        whole = (squares.sum(axis=1) / total - middle**2)[:, None]
        noise = np.where(several, (squares / runs - means**2) / np.maximum(runs - 1, 1), whole)
        left = np.maximum(spread - (weight * noise).sum(axis=1), 0.0)
    first = _batches(runs)
    lots, counts = np.add.reduceat(sums, first, axis=1), np.add.reduceat(runs, first)
    off = ((lots - middle[:, None] * counts) ** 2).sum(axis=1) * first.size / max(first.size - 1, 1)
    return middle, left, Z95 * np.sqrt(off) / total


def _batches(runs: Longs) -> Longs:
    """Return the first draw of every batch: of 25 that are spread evenly, else single ones."""
    even = runs.max() - runs.min() <= 1 and runs.size >= 2 * BATCH
    return np.arange(0, runs.size, BATCH if even else 1)


def left_by_draws(hits: Longs, runs: Longs) -> tuple[float, float]:
    """Return the error of a chance that no number of runs of the same draws takes away, and what it is at least.

    Parameters
    ----------
    hits, runs : ndarray of int, shape (C,)
        Runs of each draw of the assumptions in which it happened, and all of them.

    Returns
    -------
    error, at_least : float
        Half the width of the 95 % interval if every draw had endless runs: that of the runs there are, without the
        part of their noise.  Then its lower end, given that noise: two standard deviations below.

    Examples
    --------
    >>> hits = np.repeat([30, 50, 70, 50], 10)
    >>> [round(x, 3) for x in left_by_draws(hits, np.full(40, 100))]
    [0.042, 0.037]
    """
    drawn = runs > 0
    hits, runs = hits[drawn], runs[drawn]
    error = float(means_over_draws(hits[None].astype(float), hits[None].astype(float), runs)[3][0])
    p, total = hits / runs, float(runs.sum())
    whole = float(hits.sum() / total * (1.0 - hits.sum() / total))  # a single run says nothing of its draw's luck
    luck = np.where(runs >= FEWEST, runs / np.maximum(runs - 1, 1) * p * (1.0 - p), whole)
    noise = float((runs * luck).sum()) * (Z95 / total) ** 2
    left = max(error**2 - noise, 0.0)
    unsure = np.sqrt((2.0 * noise**2 + 4.0 * left * noise) / max(_batches(runs).size - 1, 1))
    return float(np.sqrt(left)), float(np.sqrt(max(left - 2.0 * unsure, 0.0)))


def _weighted_quantiles(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the range of rows of values, interpolated between their weighted ranks."""
    order = np.argsort(values, axis=1, kind="stable")
    ends = []
    for row, places in zip(values, order, strict=True):
        own = weight[places]
        ends.append(np.interp(RANGE, np.cumsum(own) - own / 2, row[places]))
    return tuple(np.reshape(ends, (-1, 2)).T)


def level_with_first(values: ArrayLike, errors: ArrayLike) -> Flags:
    """Return which of some estimates cannot be told from the first, which is one of them.

    Parameters
    ----------
    values : array_like, shape (C,)
        Estimates, the greatest first.
    errors : array_like, shape (C,)
        Half the widths of their 95 % intervals; the estimates are taken as independent.

    Examples
    --------
    >>> level_with_first([40.0, 36.0, 20.0], [3.0, 3.0, 3.0]).tolist()
    [True, True, False]
    """
    x, half = np.asarray(values, dtype=float), np.asarray(errors, dtype=float)
    return np.asarray(x[:1] - x <= np.hypot(half[:1], half))


@dataclass(frozen=True, repr=False)
class Estimate:
    """A probability estimated from runs.

    Attributes
    ----------
    value : float
        The chance over everything that is unsure: the share of the runs.
    low, high : float
        Its range over the assumptions: the 10 % and 90 % points of the chance given the assumptions.  Missing where
        the assumptions are fixed, or the runs too few to tell.
    mc_error : float
        Half the width of the 95 % Monte Carlo interval, which shrinks with more runs and says nothing of the
        assumptions; 0 of what is certain by rule.
    runs : int
        The runs behind it.
    among : bool
        Whether these are the runs that fulfil a condition; few of them are told.

    Examples
    --------
    >>> print(Estimate.of(3800, 10_000))
    38 in 100
    >>> print(Estimate.of(0, 1000))
    <1 in 100
    >>> from dataclasses import replace
    >>> print(replace(Estimate.of(21, 41), among=True))
    about 50 in 100, of 41 runs
    >>> Estimate(0.3814, 0.306, 0.682, 0.0081, 10_000)
    38 in 100 (31 to 68 over the assumptions; simulation error 0.8 points)
    """

    value: float
    low: float
    high: float
    mc_error: float
    runs: int
    among: bool = False

    def __post_init__(self) -> None:
        """Have missing ends be one object, so that equal estimates compare equal."""
        for end in ("low", "high"):
            if math.isnan(getattr(self, end)):
                object.__setattr__(self, end, math.nan)

    @classmethod
    def of(cls, hits: int, runs: int) -> Estimate:
        """Return the estimate from `hits` in `runs` on fixed assumptions.

        Raises
        ------
        IomsimError
            If there are no runs, or more hits than runs.
        """
        if not 0 <= hits <= runs or runs < 1:
            raise IomsimError(f"{hits} in {runs} runs is no share; give at least one run and no more hits than runs")
        low, high = wilson(hits, runs)
        return cls(hits / runs, math.nan, math.nan, float(high - low) / 2, runs)

    @classmethod
    def over(cls, hits: Longs, runs: Longs) -> Estimate:
        """Return the estimate from the hits and runs of each draw of the assumptions, shapes ``(C,)``."""
        value, low, high, error = (float(x[0]) for x in over_draws(hits[None].astype(float), runs))
        return cls(value, low, high, error, int(runs.sum()))

    def __float__(self) -> float:
        """Return the share."""
        return self.value

    def __str__(self) -> str:
        """Return it in words: "38 in 100"; with the runs behind it if a condition leaves few."""
        few = f", of {count(self.runs, 'run')}" if self.among and self.runs < FEW else ""
        return f"{row_in_100(self.value, self.mc_error)} in 100{few}"

    def __repr__(self) -> str:
        """Return it in words, with its range over the assumptions and its simulation error."""
        told = [f"{self.span} over the assumptions"] * bool(self.span and self.mc_error)
        told += [f"simulation error {_error(self.mc_error)} points"] * bool(self.mc_error)
        return f"{self} ({'; '.join(told)})" if told else str(self)

    @property
    def span(self) -> str:
        """The range over the assumptions in words: "31 to 68"; nothing if it is missing."""
        return span_in_100(self.low, self.high)


def span_in_100(low: float, high: float, joint: str = "to") -> str:
    """Return a range over the assumptions per hundred in words; nothing if it is missing.

    Examples
    --------
    >>> span_in_100(0.306, 0.682), span_in_100(0.001, 0.044, "and"), span_in_100(0.2, 0.2), span_in_100(np.nan, np.nan)
    ('31 to 68', '<1 and 4', '20', '')
    """
    return "" if np.isnan(low) else f" {joint} ".join(dict.fromkeys(in_100(end) for end in (low, high)))


def in_100(p: float, half_width: float = 0.0) -> str:
    """Return a probability per hundred, with no more digits than its error supports.

    It is never "0" or "100": those are for what is certain by rule, which no count of runs shows.
    What never happened in few runs is bounded by what they can exclude.

    Parameters
    ----------
    p : float
        The probability.
    half_width : float
        Half the length of its 95 % interval; 0 if it has no error.

    Examples
    --------
    >>> in_100(0.3814), in_100(0.0003), in_100(0.9999), in_100(0.38, half_width=0.07)
    ('38', '<1', '>99', 'about 40')
    >>> in_100(0.0, half_width=0.0185)
    '<4'
    """
    if not 0.005 <= p <= 0.995:
        bound = min(max(math.ceil(200 * half_width - 1e-9), 1), 99)
        return f"<{bound}" if p < 0.5 else f">{100 - bound}"
    step = 1 if half_width <= 0.03 else 5 if half_width <= 0.06 else 10
    rounded = min(max(step * round(100 * p / step), step), 100 - step)
    return str(rounded) if step == 1 else f"about {rounded}"


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of probabilities as it is shown: per hundred, with the range over the assumptions beside it.

    What has no error because it is 0 or 1 by rule is shown as that.  On fixed assumptions the simulation error stands
    beside it.

    Examples
    --------
    >>> in_words(table([380, 9620], 10_000, ["yes", "no"]))
        in 100 simulation error
    yes      4             ±0.4
    no      96             ±0.4
    """
    numbers = table[["probability", "low", "high", "mc_error"]].to_numpy()
    chances = [row_in_100(p, error) for p, *_, error in numbers]
    if np.isnan(numbers[:, 1]).all():
        beside, told = "simulation error", [_error_in_words(p, error) for p, *_, error in numbers]
    else:
        beside = "over the assumptions"
        told = ["by rule" if _by_rule(p, error) else span_in_100(low, high) for p, low, high, error in numbers]
    return pd.DataFrame({"in 100": chances, beside: told}, index=table.index)


def _error_in_words(p: float, error: float) -> str:
    return "by rule" if _by_rule(p, error) else f"±{_error(error)}"


def _error(half_width: float) -> str:
    return f"{max(100 * half_width, 0.1):.1f}"


def row_in_100(p: float, mc_error: float) -> str:
    """Return a probability per hundred, with no more digits than its error supports; "0" or "100" if that is the rule.

    Examples
    --------
    >>> row_in_100(0.0, 0.0), row_in_100(0.0, 0.0185)
    ('0', '<4')
    """
    return f"{100 * p:.0f}" if _by_rule(p, mc_error) else in_100(p, mc_error)


def _by_rule(p: float, mc_error: float) -> bool:
    return mc_error == 0 and p in (0.0, 1.0)
