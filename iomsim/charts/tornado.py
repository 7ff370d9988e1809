"""What the answer hangs on: one assumption at a time, the widest bar first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from iomsim.charts.base import Chart
from iomsim.charts.labels import named_rows, note
from iomsim.charts.measures import LEADING, lay_out, row_points, text_width, width_points
from iomsim.charts.style import dark, on_a_phone, pt, small
from iomsim.charts.text import called_short, short_parameter
from iomsim.errors import whole_number
from iomsim.forecasting.drivers import end_in_words
from iomsim.forecasting.targets import ROUNDS, checked_target, describe_target
from iomsim.forecasting.wording import points
from iomsim.house_style import capital, count, percent, some_of
from iomsim.model.parameters import describe_parameter
from iomsim.sensitivity.tornado import RULES, Tornado

LOW, HIGH = "#C3D1E0", "#5F86B0"
"""An assumption at its low, and at its high; told apart by lightness."""

MAX_BARS = 15
"""Bars drawn."""

HYPHEN, MINUS = "\N{NON-BREAKING HYPHEN}", "\N{MINUS SIGN}"


@dataclass(kw_only=True)
class TornadoBars(Chart[Tornado]):
    """Draw what each assumption does to the answer, one at a time, the widest bar first.

    A bar runs from the best guesses to the target at the assumption's low and high, whose values
    stand at its ends.  The Monte Carlo error of the changes is in the caption: it shrinks with
    runs; the width of a bar is what is not known, which does not.

    Parameters
    ----------
    target : str, optional
        Another target than the one asked for.
    most : int, default 15
        Bars at most.  What is within noise is left out, and counted.
    """

    target: str | None = None
    most: int = MAX_BARS
    size, min_rows = (7.6, 1.6, 0.33), 3

    def __post_init__(self) -> None:
        found, target = self.result, self.target
        self.of: str = found.target if target is None else checked_target(found.race, target)
        self.scale = 1 if self.of == ROUNDS else 100

    @cached_property
    def data(self) -> pd.DataFrame:
        """The bars that are drawn: the widest of those that are clear of noise.

        As :meth:`iomsim.Tornado.table`, with a column `name` as it is written.
        """
        table = self.result.table(self.of)
        table.insert(0, "name", [describe_parameter(self.result.race, str(path)) for path in table.index])
        return table[table["clear"]].head(whole_number("most", self.most, 1))

    def finding(self) -> str:
        what = describe_target(self.result.race, self.of)
        if self.data.empty:
            return f"No single assumption moves {what} beyond noise"
        row, widest = self.data.iloc[0], self.result.widest(self.of)
        if len(widest) > 1:
            names = some_of([short_parameter(self.result.name(path)) for path in widest])
            return f"No single assumption stands out: {what} may hang most on {names}"
        low, high = (self.result.say(row[f"at_{end}"], self.of) for end in ("low", "high"))
        first, last = (_end(row, end).replace("-", HYPHEN) for end in ("low", "high"))
        unit, at = "" if self.of == ROUNDS else " in 100", "under" if widest == [RULES] else "at"
        name = self.result.name(widest[0])
        return f"{capital(what)} hangs most on {name}: {low}{unit} {at} {first}, and {high} {at} {last}"

    def title(self) -> str:
        return called_short(self.finding(), self.result.race.names)

    def reading(self) -> str:
        quiet = len(self.result.bars) - int(self.result.table(self.of)["clear"].sum())
        rest = f" {count(quiet, 'other')} within noise of zero." if quiet else ""
        error = f" Simulation error of a change at most {self._error()} ({percent(95)})." if len(self.data) else ""
        return (
            "Bars move one assumption at a time from the best guesses, to its low (light) or high (dark), which stand "
            f"at the ends.{error}{rest}"
        )

    def _error(self) -> str:
        """Return the largest Monte Carlo error of the changes that are drawn."""
        ends = [self.data[f"at_{end}_to"] - self.data[f"at_{end}_from"] for end in ("low", "high")]
        error = float(np.max(ends)) / 2
        return f"{error:.2f} rounds" if self.of == ROUNDS else points(error)

    def alt(self) -> str:
        ends = [
            f"{row['name']} {_end(row, 'low')} to {_end(row, 'high')}: "
            f"{self.result.say(row['at_low'], self.of)} to {self.result.say(row['at_high'], self.of)}"
            for _, row in self.data.iterrows()
        ]
        return f"Tornado chart. {self.finding()}. {'; '.join(ends)}."

    def marks(self, ax: Axes) -> float:
        value = self.result.base[self.of].value
        base = self.scale * value
        ax.axvline(base, color=dark(), lw=1, zorder=2.4 if on_a_phone() else 4)  # there it crosses names, under them
        names = self.result.race.names
        named_rows(ax, [short_parameter(called_short(name, names, 20), 28, 2) for name in self.data["name"]])
        for y, (_, row) in enumerate(self.data.iterrows()):
            self._bar(ax, y, row, base)
        ax.set(xlabel="rounds on average" if self.of == ROUNDS else "of 100 elections")
        if self.data.empty and self.of != ROUNDS:
            ax.set_xlim(0, 100)
        _widen(ax)
        limits = ax.get_xlim()
        ax.set_xticks([tick for tick in ax.get_xticks() if tick >= 0 and (self.of == ROUNDS or tick <= 100)])
        ax.set_xlim(limits)
        look: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
        note(ax, f"best guesses: {self.result.say(value, self.of)}", (base, 1), (0, pt(2)), fontsize=small(), **look)
        return pt(11.0)

    def _bar(self, ax: Axes, y: int, row: pd.Series, base: float) -> None:
        """Draw both ends of one assumption: on either side of the base, or below one another with both values."""
        ends = {end: self.scale * row[f"at_{end}"] for end in ("low", "high")}
        same_side = (ends["low"] - base) * (ends["high"] - base) > 0
        room = 0.36 if on_a_phone() else 0.72  # there the name stands over the bar
        size, height = min(small(), row_points(ax) * room / LEADING), room / (1 + same_side)
        said = {end: _end(row, end) for end in ends}
        if same_side:
            said = {max(ends, key=lambda end: abs(ends[end] - base)): ", ".join(said.values())}
        for end, other, colour, side in (("low", "high", LOW, -1), ("high", "low", HIGH, 1)):
            value, at = ends[end], y + (height * 19 / 36 * side if same_side else 0.0)
            ax.barh(at, value - base, height, left=base, color=colour, zorder=3)
            right = value > base or (value == base and ends[other] < base)
            look: dict[str, Any] = {"ha": "left" if right else "right", "va": "center_baseline", "color": dark()}
            if end in said:
                note(ax, said[end], (value, y), (pt(4 if right else -4), 0), fontsize=size, **look)


def _end(row: pd.Series, end: str) -> str:
    """Return the low or the high of an assumption as it is told, with a sign for minus that is no hyphen."""
    told = end_in_words(row, end)
    return told if np.isnan(row[f"value_{end}"]) else told.replace("-", MINUS)


def _widen(ax: Axes) -> None:
    """Widen the axis until the values at the bars' ends fit."""
    lay_out(ax)
    width = width_points(ax)
    low, high = ax.get_xlim()
    for _ in range(3):  # a wider axis has smaller points
        point = (high - low) / width
        for text in ax.texts:
            assert isinstance(text, Annotation)
            sign = -1 if text.get_horizontalalignment() == "right" else 1
            size = float(text.get_fontsize())
            end = text.xy[0] + sign * point * (pt(7) + text_width(text.get_text(), size))
            low, high = min(low, end), max(high, end)
    ax.set_xlim(low, high)
