"""Who wins: bars with both kinds of uncertainty, told apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from iomsim.charts.base import ForecastChart, key, note, place
from iomsim.charts.style import DARK, QUIET, SMALL, ink
from iomsim.charts.text import short
from iomsim.forecasting.estimates import count, in_100, interval, row_in_100
from iomsim.forecasting.wording import is_level, nobody_likely, standing

MARKERS = "osD^vP"
"""One for each rule set."""


@dataclass(kw_only=True)
class WinProbability(ForecastChart):
    """Draw who wins as bars, nobody among them.

    The bar's end carries the Monte Carlo interval, which shrinks with runs; below it, hollow marks
    show the same probability under each of the shipped rule sets, a range which does not.

    Parameters
    ----------
    rules : bool, default True
        Show the rule sets.
    """

    rules: bool = True
    size = (7.2, 1.5, 0.5)

    @cached_property
    def data(self) -> pd.DataFrame:
        """Who wins, and the same under each rule set.

        By winner: `probability` with its Monte Carlo interval `low` to `high`, and one column for
        each rule set unless `rules` is false.
        """
        table = self.result.win_probability()
        return table.join(self.result.rule_sets()[list(table.index)].T) if self.rules else table

    def finding(self) -> str:
        fc, table = self.result, self.result.win_probability()
        half = (table["high"] - table["low"]) / 2
        first, *others = standing(fc)
        name = short(first, 28)
        won, nobody = (in_100(table["probability"][name], half[name]) for name in (first, table.index[-1]))
        if nobody_likely(fc):
            return f"Most likely nobody is elected: nobody wins in {nobody} of 100 elections, {name} in {won}"
        if is_level(fc):
            return f"{name} and {short(others[0], 28)} are level; nobody wins in {nobody} of 100 elections"
        return f"{name} is ahead and wins in {won} of 100 elections; nobody wins in {nobody}"

    def reading(self) -> str:
        runs = count(len(self.result), "run")
        marks = " Hollow marks: the same under other rules, a range that does not." * self.rules
        return f"Bars: {runs}; whiskers: simulation error (95 %), which shrinks with runs.{marks}"

    def alt(self) -> str:
        chances = ", ".join(f"{name} {row_in_100(*row.iloc[:3])} in 100" for name, row in self.data.iterrows())
        return f"Bar chart of who wins: {chances}."

    def marks(self, ax: Axes) -> None:
        table, colours = self.data, self.result.race.colours
        for y, (name, row) in enumerate(table.iterrows()):
            value, low, high = (100 * row[part] for part in ("probability", "low", "high"))
            ax.barh(y, value, height=0.5, color=colours[str(name)])
            ax.errorbar(value, y, xerr=[[value - low], [high - value]], color=DARK, capsize=2.5, lw=1)
            look: dict[str, Any] = {"va": "center", "color": ink(colours[str(name)]), "weight": "bold"}
            words = note(ax, f"{row_in_100(*row.iloc[:3])} in 100", (high, y), (5, 0), **look)
            note(ax, f"  {span_of(row)}", (1, 0.5), xycoords=words, va="center", color=QUIET, fontsize=SMALL)
        if self.rules:
            _rule_sets(ax, table)
        longest = 100 * table.drop(columns="low").to_numpy().max()
        end = next((end for end in (20, 40, 60, 80) if longest < end), 100)
        ax.set(xlim=(0, max(end, 1.35 * 100 * table["high"].max())), ylim=(len(table) - 0.35, -0.5))
        ax.set_xticks(range(0, end + 1, end // 4))
        ax.spines["bottom"].set_bounds(0, end)
        ax.set_xlabel("of 100 elections", loc="left", fontsize=SMALL, color=QUIET)
        ax.set_yticks(range(len(table)), [short(str(name), 18, lines=2) for name in table.index])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")


def _rule_sets(ax: Axes, table: pd.DataFrame) -> None:
    y = np.arange(len(table)) + 0.37
    names = list(table.columns[3:])
    across = 100 * table[names]
    ax.hlines(y, across.min(axis=1), across.max(axis=1), color=QUIET, lw=0.8)
    look: dict[str, Any] = {"mfc": "white", "mec": DARK, "mew": 0.8, "ms": 4.5, "ls": "", "clip_on": False}
    marks = [ax.plot(across[name], y, marker, **look)[0] for name, marker in zip(names, MARKERS, strict=False)]
    place(ax, (0, 0), "under each of the rule sets:", (0, -36), ha="left", va="top", fontsize=SMALL, color=QUIET)
    key(ax, marks, names, down=49)


def span_of(row: pd.Series) -> str:
    """Return a row's Monte Carlo interval per hundred, with a decimal where it is narrow, "" where it has none."""
    low, high = row["low"], row["high"]
    return "" if high == low else interval(low, high, 0.75 * (high - low))
