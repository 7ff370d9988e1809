"""Who wins: bars with their range over the assumptions, and the readings of the rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from iomsim.charts.base import ForecastChart
from iomsim.charts.labels import key, note, place, range_lines, tips
from iomsim.charts.measures import LEADING, NARROW, overhang, row_points, width_points, wrapped
from iomsim.charts.style import NOBODY_GREY, STILL_GREY, dark, haloed, ink, mark, open_look, paper, pt, quiet, small
from iomsim.charts.text import IN_TITLES, how_sure, short_names
from iomsim.forecasting.estimates import in_100, row_in_100, span_in_100
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.forecasting.wording import (
    TOLD,
    are_level,
    in_a_sentence,
    level,
    likely,
    standing,
    unfinished,
    without_winner,
)
from iomsim.house_style import capital, count

MARKERS = "osD^vP"
"""One for each reading of the rules."""

HALF = 50
"""Of 100 elections: who wins in more is likelier to win than not."""

CHANCE = 4
"""Columns of a chance, before those of the readings."""


@dataclass(kw_only=True)
class WinProbability(ForecastChart):
    """Draw who wins as bars; "nobody", if the rules can end without a winner, and "still voting" among them.

    A bar's length is the chance over everything that is unsure; the thin line over it is its range over the
    assumptions, which more runs do not shorten.  On the best guesses there is no line: the simulation error stands
    in the caption, as it says nothing of the assumptions.  Below the bar, hollow marks show the same chance under
    each reading of the rules, with its weight; where there is one reading only, there are no marks.

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

        By winner: `probability`, its range over the assumptions, `low` to `high`, its Monte Carlo error,
        `mc_error`, and one column for each reading, if there are several and `rules` is not false.  "nobody" and
        "still voting" are left out where they cannot be, or have never been seen.
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
        said = {str(name): in_a_sentence(*row) for name, *row in table[["probability", "mc_error"]].itertuples()}
        first = standing(fc)[0]
        called, most, elections = short_names(fc.race.names, IN_TITLES), likely(fc), " of 100 elections"
        name = called[first]
        even = sorted(level(fc), key=fc.race.names.index)
        start = capital(are_level([called[one] for one in even])) if even else ""
        if not start and not most:
            start, elections = f"{name} is ahead and wins in {said[first]}{elections}", ""
        rest = []
        if table["probability"][NOBODY] >= TOLD:
            rest.append(f"nobody wins in {said[NOBODY]}{elections}")
            elections = ""
        if table["probability"][STILL_VOTING] >= TOLD:
            when = f" {unfinished(fc)}" * (most != STILL_VOTING)
            verb = "is" if said[STILL_VOTING] == "1" else "are"
            rest.append(f"{said[STILL_VOTING]}{elections} {verb} still voting{when}")
        if most:
            return f"{without_winner(fc)}: {', '.join([*rest, f'{name} wins in {said[first]}'])}"
        return "; ".join([start, *rest])

    def reading(self) -> str:
        marks = "Hollow marks: the same under each reading of the rules." * bool(len(self._sides))
        parts = [f"Bars: {count(len(self.result), 'run')}.", how_sure(self.result, self.data), marks]
        return " ".join(filter(None, parts))

    def alt(self) -> str:
        chances, spans = [], [span_of(row) for _, row in self.data.iterrows()]
        for (name, p, error), span in zip(self.data[["probability", "mc_error"]].itertuples(), spans, strict=True):
            chances.append(f"{name} {row_in_100(p, error)} in 100{f' ({span})' if span else ''}")
        over = ", with the range over the assumptions" * any(spans)
        return f"Bar chart of who wins{over}: {', '.join(chances)}."

    def marks(self, ax: Axes) -> None:
        table, colours = self.data, self.result.race.colours | {NOBODY: NOBODY_GREY, STILL_VOTING: STILL_GREY}
        ends, spans = tips(table), [span_of(row) for _, row in table.iterrows()]
        clear = np.where(any(spans), ends.max(), ends)  # at its end a chance would seem the line's
        ax.set_ylim(len(table) - 0.35, -0.5)
        size = min(float(mpl.rcParams["font.size"]), row_points(ax) / LEADING)
        look: dict[str, Any]
        for y, (name, row) in enumerate(table.iterrows()):
            look = open_look() if name == STILL_VOTING else {"color": mark(colours[str(name)]), "lw": 0}
            ax.barh(y, 100 * row["probability"], height=0.5, **look)
            look = {"va": "center", "color": ink(colours[str(name)]), "weight": "bold", "fontsize": size}
            look["path_effects"] = haloed()
            chance = f"{row_in_100(row['probability'], row['mc_error'])} in 100"
            words = note(ax, chance, (clear[y], y), (5, 0), **look)
            look = {"va": "center", "color": quiet(), "fontsize": min(size, small())}
            note(ax, spans[y], (1, 0.5), (pt(5), 0), xycoords=words, **look)
        range_lines(ax, range(len(table)), table)
        longest = max(ends.max(), 100 * table.iloc[:, CHANCE:].max(axis=None)) if len(self._sides) else ends.max()
        end = next((end for end in (20, 40) if longest < end), 100)
        ax.set_xlim(0, max(end, 1.45 * ends.max()))
        ax.set_xticks(range(0, end + 1, end // 4))
        ax.spines["bottom"].set_bounds(0, end)
        ax.set_xlabel("of 100 elections", loc="left", fontsize=small(), color=quiet())
        called = short_names(self.result.race.names, 18, lines=2 if row_points(ax) > pt(24) else 1)
        if end > HALF:
            ax.axvline(HALF, color=dark(), lw=0.9, ls=(0, (4, 2)), zorder=0.9, label="half")
        ax.set_yticks(range(len(table)), [called.get(str(name), name) for name in table.index])
        ax.tick_params(axis="y", length=0, labelsize=size)
        ax.grid(axis="x")
        if len(self._sides):
            _readings(ax, table, self._sides["weight"])


def _readings(ax: Axes, table: pd.DataFrame, weight: pd.Series) -> None:
    y = np.arange(len(table)) + 0.37
    names = list(table.columns[CHANCE:])
    across, size = 100 * table[names], 4.5 * min(row_points(ax) / pt(18), 1)
    ax.hlines(y, across.min(axis=1), across.max(axis=1), color=quiet(), lw=0.8)
    look: dict[str, Any] = {"mfc": paper(), "mec": dark(), "mew": 0.8, "ms": size, "ls": "", "clip_on": False}
    marks = [ax.plot(across[name], y, marker, **look)[0] for name, marker in zip(names, MARKERS, strict=False)]
    known = bool(weight.notna().any())
    over = f"under each reading of the rules{' and its weight, of 100' * known}:"
    left = overhang(ax)[0] if width_points(ax) < pt(NARROW) else 0.0
    over = wrapped(ax, over, small(), left)
    place(ax, (0, 0), over, (-left, pt(-36)), ha="left", va="top", fontsize=small(), color=quiet())
    words = [f"{name} ({in_100(weight[name])})" if known else name for name in names]
    key(ax, marks, words, down=49 + 11 * over.count("\n"))


def span_of(row: pd.Series) -> str:
    """Return a row's range over the assumptions per hundred; "" where it has none, or one that says no more."""
    span = span_in_100(row["low"], row["high"])
    return span if row["mc_error"] and span != row_in_100(row["probability"], row["mc_error"]) else ""
