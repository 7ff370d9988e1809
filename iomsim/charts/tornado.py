"""The charts of what-ifs: what hangs on which assumption, which member, and which pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Annotation

from iomsim.charts import dotplots
from iomsim.charts import pressure_grid as a_grid
from iomsim.charts.accessor import Accessor, Chart
from iomsim.charts.base import Caption, canvas, finish, lay_out, named_rows, root
from iomsim.charts.style import DARK, SMALL
from iomsim.charts.text import short_parameter
from iomsim.errors import whole_number
from iomsim.forecasting.estimates import count
from iomsim.model.parameters import describe_parameter
from iomsim.sensitivity.paired import ROUNDS, checked_target, describe_target, format_value
from iomsim.sensitivity.tornado import RULES, end_in_words

if TYPE_CHECKING:
    from iomsim.sensitivity.tornado import Tornado

LOW, HIGH = "#C3D1E0", "#5F86B0"
"""An assumption at its low, and at its high; told apart by lightness."""

MOST = 15
"""Bars drawn."""

HYPHEN = "\N{NON-BREAKING HYPHEN}"


def tornado_data(found: Tornado, target: str | None = None, most: int = MOST) -> pd.DataFrame:
    """Return the bars that are drawn: the widest of those that are clear of noise.

    Returns
    -------
    DataFrame
        As :meth:`iomsim.Tornado.table`, with a column `name` as it is written.
    """
    table = found.table(target)
    table.insert(0, "name", [describe_parameter(found.race, str(path)) for path in table.index])
    return table[table["clear"]].head(whole_number("most", most, 1))


def tornado(
    found: Tornado,
    *,
    ax: Axes | Figure | SubFigure | None = None,
    target: str | None = None,
    most: int = MOST,
    stamp: bool = True,
) -> Axes:
    """Draw what each assumption does to the answer, one at a time, the widest bar first.

    A bar runs from the base case to the target at the assumption's low and high, whose values
    stand at its ends.  The whiskers are the Monte Carlo error of the change, which shrinks with
    runs; the width of a bar is what is not known, which does not.

    Parameters
    ----------
    found : Tornado
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    target : str, optional
        Another target than the one asked for.
    most : int, default 15
        Bars at most.  What is within noise is left out, and counted.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> bars = iom.tornado(iom.load("minimal"), "spill", runs=200, seed=1, progress=False)
    >>> bars.plot.tornado().get_xlabel()
    'of 100 elections'
    """
    target = found.target if target is None else checked_target(found.race, target)
    data = tornado_data(found, target, most)
    scale = 1 if target == ROUNDS else 100
    with canvas(ax, (7.6, 1.6 + 0.33 * max(len(data), 3))) as ax:
        base = scale * found.base[target].value
        ax.axvline(base, color=DARK, lw=1, zorder=4)
        for y, (_, row) in enumerate(data.iterrows()):
            _bar(ax, y, row, base, scale)
        _frame(ax, data, target)
        _base(ax, base, format_value(found.base[target].value, target))
        finish(ax, _caption(found, data, target), stamp, above=11)
    return ax


def _bar(ax: Axes, y: int, row: pd.Series, base: float, scale: float) -> None:
    """Draw both ends of one assumption: on either side of the base, or below one another."""
    ends = {end: [scale * row[f"at_{end}{part}"] for part in ("", "_from", "_to")] for end in ("low", "high")}
    same_side = (ends["low"][0] - base) * (ends["high"][0] - base) > 0
    for end, colour in (("low", LOW), ("high", HIGH)):
        value, start, stop = ends[end]
        shift, height = ({"low": -0.19, "high": 0.19}[end], 0.36) if same_side else (0.0, 0.72)
        ax.barh(y + shift, value - base, height, left=base, color=colour, zorder=2)
        ax.errorbar(value, y + shift, xerr=[[value - start], [stop - value]], color=DARK, lw=1, capsize=2, zorder=3)
        right = value > base or (value == base and ends["high" if end == "low" else "low"][0] < base)
        ax.annotate(
            end_in_words(row[end]), (stop if right else start, y + shift), xytext=(4 if right else -4, 0),
            textcoords="offset points", ha="left" if right else "right", va="center_baseline",
            fontsize=SMALL - 1.5 if same_side else SMALL, color=DARK, annotation_clip=False,
        )  # fmt: skip


def _base(ax: Axes, base: float, said: str) -> None:
    ax.annotate(
        f"base {said}", (base, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
        ha="center", va="bottom", fontsize=SMALL,
    )  # fmt: skip


def _frame(ax: Axes, data: pd.DataFrame, target: str) -> None:
    named_rows(ax, [short_parameter(name) for name in data["name"]])
    ax.set(xlabel="rounds in the mean" if target == ROUNDS else "of 100 elections")
    _room(ax)
    limits = ax.get_xlim()
    ax.set_xticks([tick for tick in ax.get_xticks() if tick >= 0 and (target == ROUNDS or tick <= 100)])
    ax.set_xlim(limits)


def _room(ax: Axes) -> None:
    """Widen the axis until the values at the bars' ends fit."""
    lay_out(ax)
    width = ax.get_window_extent().width / root(ax).dpi * 72
    low, high = ax.get_xlim()
    for _ in range(3):  # a wider axis has smaller points
        point = (high - low) / width
        for text in ax.texts:
            assert isinstance(text, Annotation)
            sign = -1 if text.get_horizontalalignment() == "right" else 1
            end = text.xy[0] + sign * point * (8 + 0.6 * SMALL * len(text.get_text()))
            low, high = min(low, end), max(high, end)
    ax.set_xlim(low, high)


def finding(found: Tornado, target: str) -> str:
    """Return what the answer hangs on most."""
    table, what = tornado_data(found, target, 1), describe_target(found.race, target)
    start = what[0].upper() + what[1:]
    if table.empty:
        return f"No single assumption moves {what} beyond noise"
    row = table.iloc[0]
    ends = [row[f"at_{end}"] for end in ("low", "high")]
    low, high = (format_value(x, target) for x in ends)
    unit = "" if target == ROUNDS else " in 100"
    name = "the rules" if table.index[0] == RULES else row["name"]
    at = "under" if table.index[0] == RULES else "at"
    first, last = (end_in_words(row[end]).replace("-", HYPHEN) for end in ("low", "high"))
    return f"{start} hangs most on {name}: {low}{unit} {at} {first}, {high} {at} {last}"


def _caption(found: Tornado, data: pd.DataFrame, target: str) -> Caption:
    quiet = len(found.bars) - int(found.table(target)["clear"].sum())
    rest = f" {count(quiet, 'other')} within noise of the base." if quiet else ""
    reading = (
        "Bars: one assumption at its low (light) or high (dark), all else as in the base; the values stand at the "
        "ends. Whiskers: simulation error of the change (95 %), which shrinks with runs; the bars do not." + rest
    )
    ends = [
        f"{row['name']} {end_in_words(row['low'])} to {end_in_words(row['high'])}: {format_value(row['at_low'], target)} to "
        f"{format_value(row['at_high'], target)}"
        for _, row in data.iterrows()
    ]
    said = finding(found, target)
    return Caption(said, reading, f"Tornado chart. {said}. {'; '.join(ends)}.", found.stamp(), found.provenance)


class TornadoPlots(Accessor):
    """The charts of a tornado."""

    tornado = Chart(tornado)
    tornado_data = Chart(tornado_data)


class SobolPlots(Accessor):
    """The charts of Sobol indices."""

    sobol = Chart(dotplots.sobol)
    sobol_data = Chart(dotplots.sobol_data)


class PivotalPlots(Accessor):
    """The charts of pivotal members."""

    pivotal = Chart(dotplots.pivotal)
    pivotal_data = Chart(dotplots.pivotal_data)


class VariantPlots(Accessor):
    """The charts of variants side by side."""

    scenarios = Chart(dotplots.scenarios)
    scenarios_data = Chart(dotplots.scenarios_data)


class GridPlots(Accessor):
    """The charts of a grid."""

    pressure_grid = Chart(a_grid.pressure_grid)
    pressure_grid_data = Chart(a_grid.pressure_grid_data)
