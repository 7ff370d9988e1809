"""Who wins: bars with both kinds of uncertainty, told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from iomsim.charts.base import Caption, canvas, finish, key, place
from iomsim.charts.facts import chance, headed
from iomsim.charts.style import DARK, QUIET, SMALL, ink
from iomsim.charts.text import short
from iomsim.forecasting.estimates import count, in_100
from iomsim.forecasting.wording import is_level, nobody_likely, standing

if TYPE_CHECKING:
    from iomsim.forecasting.forecast import Forecast

MARKERS = "osD^vP"
"""One for each rule set."""


def win_probability_data(fc: Forecast, rules: bool = True) -> pd.DataFrame:
    """Return who wins, and the same under each rule set.

    Returns
    -------
    DataFrame
        By winner: `probability` with its Monte Carlo interval `low` to `high`, and one column for
        each rule set unless `rules` is false.
    """
    table = fc.win_probability()
    return table.join(fc.rule_sets()[list(table.index)].T) if rules else table


def win_probability(
    fc: Forecast, *, ax: Axes | Figure | SubFigure | None = None, rules: bool = True, stamp: bool = True
) -> Axes:
    """Draw who wins as bars, nobody among them.

    The bar's end carries the Monte Carlo interval, which shrinks with runs; below it, hollow marks
    show the same probability under each of the shipped rule sets, a range which does not.

    Parameters
    ----------
    fc : Forecast
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    rules : bool, default True
        Show the rule sets.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.win_probability(rules=False).get_xlabel()
    'of 100 elections'
    """
    table = win_probability_data(fc, rules)
    with canvas(ax, (7.2, 1.5 + 0.5 * len(table))) as ax:
        _bars(ax, fc, table)
        if rules:
            _rule_sets(ax, table)
        _frame(ax, table)
        finish(ax, _caption(fc, table, rules), stamp)
    return ax


def finding(fc: Forecast) -> str:
    """Return who leads, or that two are level, and how often nobody wins."""
    table = fc.win_probability()
    half = (table["high"] - table["low"]) / 2
    first, *others = standing(fc)
    won, nobody = (in_100(table["probability"][name], half[name]) for name in (first, table.index[-1]))
    if nobody_likely(fc):
        return f"Most likely nobody is elected: nobody wins in {nobody} of 100 elections, {short(first, 28)} in {won}"
    if is_level(fc):
        return f"{short(first, 28)} and {short(others[0], 28)} are level; nobody wins in {nobody} of 100 elections"
    return f"{short(first, 28)} is ahead and wins in {won} of 100 elections; nobody wins in {nobody}"


def _caption(fc: Forecast, table: pd.DataFrame, rules: bool) -> Caption:
    reading = f"Bars: {count(len(fc), 'run')}; whiskers: simulation error (95 %), which shrinks with runs."
    if rules:
        reading += " Hollow marks: the same under other rules, a range that does not."
    chances = ", ".join(f"{name} {value_of(fc, row)} in 100" for name, row in table.iterrows())
    return Caption(headed(fc, finding(fc)), reading, f"Bar chart of who wins: {chances}.", fc.stamp(), fc.provenance)


def value_of(fc: Forecast, row: pd.Series) -> str:
    """Return a row's probability per hundred, as exact as its error allows."""
    return chance(fc, row["probability"], (row["high"] - row["low"]) / 2)


def span_of(row: pd.Series) -> str:
    """Return a row's Monte Carlo interval per hundred, with a decimal where it is that narrow."""
    low, high = (float(row[key]) for key in ("low", "high"))
    if high == low:
        return ""
    if high - low > 0.02:
        return f"{in_100(low)} to {in_100(high)}"
    ends = ["<0.1" if p < 5e-4 else ">99.9" if p > 0.9995 else f"{100 * p:.1f}" for p in (low, high)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _bars(ax: Axes, fc: Forecast, table: pd.DataFrame) -> None:
    colours = fc.race.colours
    for y, (name, row) in enumerate(table.iterrows()):
        value, low, high = (100 * row[key] for key in ("probability", "low", "high"))
        ax.barh(y, value, height=0.5, color=colours[str(name)])
        ax.errorbar(value, y, xerr=[[value - low], [high - value]], color=DARK, capsize=2.5, lw=1)
        words = ax.annotate(
            f"{value_of(fc, row)} in 100", (high, y), xytext=(5, 0), textcoords="offset points", va="center",
            color=ink(colours[str(name)]), weight="bold", annotation_clip=False,
        )  # fmt: skip
        ax.annotate(
            f"  {span_of(row)}", (1, 0.5), xycoords=words, va="center",
            color=QUIET, fontsize=SMALL, annotation_clip=False,
        )  # fmt: skip


def _rule_sets(ax: Axes, table: pd.DataFrame) -> None:
    y = np.arange(len(table)) + 0.37
    names = list(table.columns[3:])
    across = 100 * table[names]
    ax.hlines(y, across.min(axis=1), across.max(axis=1), color=QUIET, lw=0.8)
    look: dict[str, Any] = {"mfc": "white", "mec": DARK, "mew": 0.8, "ms": 4.5, "ls": ""}
    marks = [
        ax.plot(across[name], y, marker, clip_on=False, **look)[0] for name, marker in zip(names, MARKERS, strict=False)
    ]
    place(ax, (0, 0), "under each of the rule sets:", (0, -36), ha="left", va="top", fontsize=SMALL, color=QUIET)
    key(ax, marks, names, down=49)


def _frame(ax: Axes, table: pd.DataFrame) -> None:
    longest = 100 * table.drop(columns="low").to_numpy().max()
    end = next((end for end in (20, 40, 60, 80) if longest < end), 100)
    ax.set(xlim=(0, max(end, 1.35 * 100 * table["high"].max())), ylim=(len(table) - 0.35, -0.5))
    ax.set_xticks(range(0, end + 1, end // 4))
    ax.spines["bottom"].set_bounds(0, end)
    ax.set_xlabel("of 100 elections", loc="left", fontsize=SMALL, color=QUIET)
    ax.set_yticks(range(len(table)), [short(str(name), 18, lines=2) for name in table.index])
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
