"""Probabilities with their Monte Carlo error, and how to say them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim.errors import IomsimError

Z95 = 1.959963984540054
"""97.5 % point of the normal law."""


class Interval(NamedTuple):
    """A value with the two ends of its interval."""

    value: float
    low: float
    high: float


def wilson(hits: Any, runs: int) -> tuple[np.ndarray, np.ndarray]:
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


def table(hits: Any, runs: int, index: Any) -> pd.DataFrame:
    """Return a table of probabilities with their Wilson intervals."""
    low, high = wilson(hits, runs)
    return pd.DataFrame({"probability": np.asarray(hits) / runs, "low": low, "high": high}, index=index)


@dataclass(frozen=True)
class Estimate:
    """A probability estimated from runs.

    Attributes
    ----------
    value, low, high : float
        The share of the runs and its 95 % Monte Carlo interval (Wilson).  The interval shrinks
        with the runs; it says nothing about the assumptions.
    runs : int
        The runs behind it.

    Examples
    --------
    >>> print(Estimate.of(3800, 10_000))
    38 in 100
    >>> print(Estimate.of(0, 1000))
    <1 in 100
    """

    value: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, hits: int, runs: int) -> Estimate:
        """Return the estimate from `hits` in `runs`.

        Raises
        ------
        IomsimError
            If there are no runs, or more hits than runs.
        """
        if not 0 <= hits <= runs or runs < 1:
            raise IomsimError(f"{hits} in {runs} runs is no share; give at least one run and no more hits than runs")
        low, high = wilson(hits, runs)
        return cls(hits / runs, float(low), float(high), runs)

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2

    def __float__(self) -> float:
        """Return the share."""
        return self.value

    def __str__(self) -> str:
        """Return it in words: "38 in 100"."""
        return f"{in_100(self.value, self.half_width)} in 100"

    @property
    def span(self) -> str:
        """The interval in words: "37 to 39 in 100"."""
        return f"{interval(self.low, self.high)} in 100"


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
    """Return a table of probabilities as it is shown: per hundred, with the interval beside it.

    What has no interval because it is 0 or 1 by rule is shown as that.

    Examples
    --------
    >>> in_words(table([380, 9620], 10_000, ["yes", "no"]))
        in 100 95 % (Monte Carlo)
    yes      4         3.4 to 4.2
    no      96       95.8 to 96.6
    """
    widest = (table["high"] - table["low"]).max()
    shown = [
        (row_in_100(p, low, high), "by rule" if _by_rule(p, low, high) else interval(low, high, widest))
        for p, low, high in table[["probability", "low", "high"]].to_numpy()
    ]
    return pd.DataFrame(shown, index=table.index, columns=["in 100", "95 % (Monte Carlo)"])


def row_in_100(p: float, low: float, high: float) -> str:
    """Return a probability with an interval per hundred; "0" or "100" if it has none because that is the rule.

    Examples
    --------
    >>> row_in_100(0.0, 0.0, 0.0), row_in_100(0.0, 0.0, 0.037)
    ('0', '<4')
    """
    return f"{100 * p:.0f}" if _by_rule(p, low, high) else in_100(p, (high - low) / 2)


def _by_rule(p: float, low: float, high: float) -> bool:
    return low == high and p in (0.0, 1.0)


def thousands(count: int) -> str:
    """Return a count with narrow spaces between the thousands.

    Examples
    --------
    >>> thousands(100_000) == "100\u202f000"
    True
    """
    return f"{count:,}".replace(",", "\u202f")


def count(number: int, thing: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> count(1, "run"), count(20_000, "run")
    ('1 run', '20\u202f000 runs')
    """
    return f"{thousands(number)} {thing}{'' if number == 1 else 's'}"


def interval(low: float, high: float, width: float | None = None) -> str:
    """Return an interval of probabilities per hundred in words, with a decimal if it is narrow.

    Parameters
    ----------
    low, high : float
        Its ends.
    width : float, optional
        What decides about decimals; default: its own width.

    Examples
    --------
    >>> interval(0.3081, 0.3142), interval(0.0, 0.04)
    ('30.8 to 31.4', '<1 to 4')
    """
    digits = 1 if (high - low if width is None else width) < 0.015 else 0
    smallest = 10.0**-digits
    ends = [
        f"<{smallest:g}"
        if 100 * p < smallest / 2
        else f">{100 - smallest:g}"
        if 100 * p > 100 - smallest / 2
        else f"{100 * p:.{digits}f}"
        for p in (low, high)
    ]
    return " to ".join(dict.fromkeys(ends))
