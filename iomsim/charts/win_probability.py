"""Who wins: bars with both kinds of uncertainty, told apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from iomsim.charts.base import ForecastChart, key, note, place
from iomsim.charts.style import DARK, NOBODY_GREY, QUIET, SMALL, STILL_GREY, ink
from iomsim.charts.text import short
from iomsim.forecasting.estimates import interval, row_in_100
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.forecasting.wording import TOLD, are_level, level, likely, standing, unfinished, without_winner
from iomsim.house_style import capital, count, percent

MARKERS = "osD^vP"
"""One for each reading of the rules."""


@dataclass(kw_only=True)
class WinProbability(ForecastChart):
    """Draw who wins as bars; "nobody", if the rules can end without a winner, and "still voting" among them.

    The bar's end carries the Monte Carlo interval, which shrinks with runs; below it, hollow marks
    show the same probability under each reading of the body's rules, a range which does not.  Where there
    is one reading only, there are no marks.

    Parameters
    ----------
    rules : bool, default True
        Show the readings of the rules.
    """

    rules: bool = True
    size = (7.2, 1.5, 0.5)

    @cached_property
    def data(self) -> pd.DataFrame:
        """Who wins, and the same under each reading of the rules.

        By winner: `probability` with its Monte Carlo interval `low` to `high`, and one column for
        each reading, if there are several and `rules` is not false.  "nobody" and "still voting" are left out
        where they cannot be, or have never been seen.
        """
        table, never = self.result.chances(), []
        sides = self._sides.reindex(columns=table.index)
        for name in (NOBODY, STILL_VOTING):
            excluded = not table["mc_error"][name] or (name == STILL_VOTING and not table["probability"][name])
            if excluded and not sides[name].any():
                never.append(name)
        return table.join(sides.T).drop(never)

    @cached_property
    def _sides(self) -> pd.DataFrame:
        """The readings, if there are several."""
        sides = self.result.rule_sets() if self.rules else pd.DataFrame()
        return sides if len(sides) > 1 else sides.iloc[:0]

    def finding(self) -> str:
        fc, table = self.result, self.result.chances()
        said = {str(name): row_in_100(*row) for name, *row in table[["probability", "mc_error"]].itertuples()}
        first = standing(fc)[0]
        name, most, elections = short(first, 28), likely(fc), " of 100 elections"
        start = capital(are_level([short(one, 28) for one in level(fc)])) if level(fc) else ""
        if not start and not most:
            start, elections = f"{name} is ahead and wins in {said[first]}{elections}", ""
        rest = []
        if table["mc_error"][NOBODY]:
            rest.append(f"nobody wins in {said[NOBODY]}{elections}")
            elections = ""
        if table["probability"][STILL_VOTING] >= TOLD:
            when = f" {unfinished(fc)}" * (most != STILL_VOTING)
            rest.append(f"{said[STILL_VOTING]}{elections} are still voting{when}")
        if most:
            return f"{without_winner(fc)}: {', '.join([*rest, f'{name} wins in {said[first]}'])}"
        return "; ".join([start, *rest])

    def reading(self) -> str:
        runs = count(len(self.result), "run")
        marks = " Hollow marks: the same under other readings of the rules, which does not." * bool(len(self._sides))
        return f"Bars: {runs}; whiskers: simulation error ({percent(95)}), which shrinks with runs.{marks}"

    def alt(self) -> str:
        rows = self.data[["probability", "mc_error"]].itertuples()
        chances = ", ".join(f"{name} {row_in_100(*row)} in 100" for name, *row in rows)
        return f"Bar chart of who wins: {chances}."

    def marks(self, ax: Axes) -> None:
        table, colours = self.data, self.result.race.colours | {NOBODY: NOBODY_GREY, STILL_VOTING: STILL_GREY}
        for y, (name, row) in enumerate(table.iterrows()):
            value, low, high = (100 * row[part] for part in ("probability", "low", "high"))
            ax.barh(y, value, height=0.5, color=colours[str(name)])
            ax.errorbar(value, y, xerr=[[value - low], [high - value]], color=DARK, capsize=2.5, lw=1)
            look: dict[str, Any] = {"va": "center", "color": ink(colours[str(name)]), "weight": "bold"}
            words = note(ax, f"{row_in_100(row['probability'], row['mc_error'])} in 100", (high, y), (5, 0), **look)
            note(ax, f"  {span_of(row)}", (1, 0.5), xycoords=words, va="center", color=QUIET, fontsize=SMALL)
        if len(self._sides):
            _readings(ax, table)
        longest = 100 * np.nanmax(table.drop(columns="low").to_numpy())
        end = next((end for end in (20, 40, 60, 80) if longest < end), 100)
        ax.set(xlim=(0, max(end, 1.35 * 100 * table["high"].max())), ylim=(len(table) - 0.35, -0.5))
        ax.set_xticks(range(0, end + 1, end // 4))
        ax.spines["bottom"].set_bounds(0, end)
        ax.set_xlabel("of 100 elections", loc="left", fontsize=SMALL, color=QUIET)
        ax.set_yticks(range(len(table)), [short(str(name), 18, lines=2) for name in table.index])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")


def _readings(ax: Axes, table: pd.DataFrame) -> None:
    y = np.arange(len(table)) + 0.37
    names = list(table.columns[4:])
    across = 100 * table[names]
    ax.hlines(y, across.min(axis=1), across.max(axis=1), color=QUIET, lw=0.8)
    look: dict[str, Any] = {"mfc": "white", "mec": DARK, "mew": 0.8, "ms": 4.5, "ls": "", "clip_on": False}
    marks = [ax.plot(across[name], y, marker, **look)[0] for name, marker in zip(names, MARKERS, strict=False)]
    place(ax, (0, 0), "under each reading of the rules:", (0, -36), ha="left", va="top", fontsize=SMALL, color=QUIET)
    key(ax, marks, names, down=49)


def span_of(row: pd.Series) -> str:
    """Return a row's Monte Carlo interval per hundred, with a decimal where it is narrow, "" where it has none."""
    low, high = row["low"], row["high"]
    return "" if high == low else interval(low, high, 0.75 * (high - low))
