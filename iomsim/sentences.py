"""The answer in words; every number comes from the forecast's own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from iomsim.estimates import in_100

if TYPE_CHECKING:
    from iomsim.forecast import Forecast

MARGIN = 0.02
"""Leads below this are called level."""


def answer(fc: Forecast) -> str:
    """Return who wins, after how many rounds, whether it spills over, and how sure this is."""
    return " ".join([who(fc), how_long(fc), how_sure(fc)])


def who(fc: Forecast) -> str:
    """Return who wins, with the chances of all.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1)
    >>> "in 100" in who(fc)
    True
    """
    table = fc.win_probability()
    chances = table["probability"].iloc[:-1].sort_values(ascending=False, kind="stable")
    half = (table["high"] - table["low"]) / 2
    first, second = chances.index[:2]
    others = ", ".join(f"{name} {_chance(chances[name], half[name])}" for name in chances.index[1:])
    nobody = _chance(table["probability"].iloc[-1], half.iloc[-1])
    noise = max(MARGIN, half[first] + half[second])
    if chances[first] - chances[second] < noise:
        opening = f"{first} and {second} are level"
        return f"{opening}: {first} wins in {_chance(chances[first], half[first])}, {others}, nobody in {nobody}."
    return f"{first} is ahead and wins in {_chance(chances[first], half[first])}; {others}, nobody {nobody}."


def _chance(p: float, half_width: float) -> str:
    return f"{in_100(p, half_width)} in 100"


def how_long(fc: Forecast) -> str:
    """Return the median and the 80 % range of the rounds, and the chance of another day."""
    middle, low, high = fc.median_rounds()
    cap = fc.scenario.rules.rules.max_rounds
    word = "round" if middle == 1 else "rounds"
    top = f"{high} or more" if high >= cap else str(high)
    return (
        f"Voting takes {middle} {word} in the median, {low} to {top} in the middle 80 of 100 runs, "
        f"and {fc.spill()} spill into {fc.next_day:%A}."
    )


def how_sure(fc: Forecast) -> str:
    """Return the Monte Carlo error and, apart from it, the range over the rule sets."""
    spill, sides = fc.spill(), fc.rule_sets()
    points = max(_half_width(fc.win_probability()), spill.half_width) * 100
    low, high = sides["spill"].idxmin(), sides["spill"].idxmax()
    return (
        f"Simulation error is at most {_points(points)} ({len(fc):,} runs, 95 %). It shrinks with runs; what "
        f"does not is the choice of rules: over the {len(sides)} rule sets {fc.next_day:%A} lies between "
        f"{in_100(sides['spill'][low])} ({low}) and {in_100(sides['spill'][high])} in 100 ({high})."
    ).replace(",", "\u202f", 1)


def _half_width(table: pd.DataFrame) -> float:
    return float(((table["high"] - table["low"]) / 2).max())


def _points(points: float) -> str:
    """Return an error in points, rounded up to one digit.

    Examples
    --------
    >>> _points(0.31), _points(2.4)
    ('0.4 points', '3 points')
    """
    digits = 1 if points < 1 else 0
    step = 10**digits
    up = -(-points * step // 1) / step
    return f"{up:.{digits}f} point{'' if up == 1 else 's'}"
