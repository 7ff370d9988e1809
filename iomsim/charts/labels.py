"""Words beside marks: notes, rows of words, names of rows, keys, and ranges with their label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import Affine2D, blended_transform_factory, offset_copy

from iomsim.charts.measures import LEADING, NARROW, overhang, place_points, root, row_points, text_width, width_points
from iomsim.charts.style import dark, haloed, ink, on_a_phone, pt, quiet, small
from iomsim.charts.text import announced_votes, columns, short_names
from iomsim.forecasting.forecast import Forecast
from iomsim.typing import Flags

BESIDE = 0.38
"""How much of the width of its place a text beside the axes may take; a wider one stands under its row."""

TIGHT = 5.0
"""Points of letters below which names are no more broken into lines."""

LEGIBLE = 3.0
"""Points of letters below which words beside rows are left out: nobody could read them."""

ABOVE = 0.22
"""How far over and under the middle of a row words stand on a phone, in rows."""

ROW = 13.0
"""Points from row to row of words under an axis."""

RANGE = "range over the assumptions"
"""The label of the lines that show it."""


def note(ax: Axes, text: str, at: tuple[Any, Any], shift: tuple[float, float] = (0, 0), **look: Any) -> Any:
    """Write a text at a place (of the data, unless `xycoords` says otherwise), shifted by points."""
    look = {"annotation_clip": False} | look
    return ax.annotate(text, at, xytext=shift, textcoords="offset points", **look)


def place(ax: Axes, at: tuple[float, float], text: str, shift: tuple[float, float], **look: Any) -> Any:
    """Write a text at a place of the axes (fractions), shifted by points."""
    return note(ax, text, at, shift, xycoords="axes fraction", **look)


def heading(ax: Axes, y: float, text: str, left: float, **look: Any) -> None:
    """Write a heading over rows of names: from `left` points beside the axes on, on a phone from the edge on."""
    phone = on_a_phone()
    look = {"weight": "bold", "va": "center", "ha": "left", "color": dark(), "in_layout": not phone} | look
    across: Any = ax.figure.transSubfigure if phone else "axes fraction"
    note(ax, text, (0, y), (pt(4 if phone else left), 0), xycoords=(across, "data"), **look)


def row(ax: Axes, label: str, x: Any, words: Any, line: int, **look: Any) -> None:
    """Write a row of words under the axis: a label at the left, and a word under each place of `x`.

    Line 0 is that of the tick labels.
    """
    depth = pt(-5 - ROW * line)
    style: dict[str, Any] = {"va": "top", "fontsize": small(), "color": quiet()} | look
    place(ax, (0, 0), label, (pt(-7), depth), ha="right", **style)
    for at, word in zip(x, words, strict=True):
        note(ax, str(word), (at, 0), (0, depth), xycoords=("data", "axes fraction"), ha="center", **style)


def announced_rows(ax: Axes, fc: Forecast, x: list[float], size: float | None = None) -> None:
    """Write the votes announced in the first rounds, which stand at `x`, in rows under an axis and another row."""
    called, narrow = short_names(fc.race.names), width_points(ax) < pt(NARROW)
    for line, (name, votes) in enumerate(announced_votes(fc, len(x)).items(), start=2):
        look = {"color": ink(fc.race.colours[name]), "weight": "bold", "fontsize": size or small()}
        row(ax, called[name] if narrow else f"{called[name]}, announced", x, votes, line, **look)


def announced_inches(fc: Forecast) -> float:
    """Return how much higher a chart is for the announced votes of more than two, in the house's letters."""
    return ROW / 72 * max(len(fc.race.names) - 2, 0) * bool(fc.announced)


def key(
    ax: Axes,
    handles: list[Any],
    words: list[str],
    inks: list[str] | None = None,
    above: bool = False,
    down: float = 21,
    spare: float = 0,
) -> float:
    """Write what the marks are, in as many columns as fit: `down` points under the axes, or right above them.

    At the right, `spare` points are left free.  Of narrow axes it begins where the words beside them do.

    Returns
    -------
    float
        Points that it is high.
    """
    left = overhang(ax)[0] if width_points(ax) < pt(NARROW) else 0.0
    widths = [text_width(word, small()) / small() for word in words]
    across = columns(widths, (width_points(ax) + left - spare) / small())
    lift = offset_copy(ax.transAxes, root(ax), x=-left, y=pt(3 if above else -down), units="points")
    legend = ax.legend(
        handles, ["x"] * len(words), ncols=across, loc="lower left" if above else "upper left",
        bbox_to_anchor=(0, above), bbox_transform=lift,
        borderaxespad=0, borderpad=0, handletextpad=0.4, handlelength=1.2, handleheight=1.0, columnspacing=1.4,
    )  # fmt: skip
    for text, word, colour in zip(legend.get_texts(), words, inks or [dark()] * len(words), strict=True):
        text.set(text=word, color=colour)  # as a label, matplotlib would leave out what begins with "_"
    return pt(13.0 * -(-len(words) // across))


def range_lines(ax: Axes, at: Any, table: pd.DataFrame, upright: bool = False) -> Flags:
    """Draw ranges over the assumptions as thin lines, per hundred; return which there are: what is certain has none."""
    low, high = (100 * table[end].to_numpy(dtype=float) for end in ("low", "high"))
    some = np.asarray(low < high)
    draw = ax.vlines if upright else ax.hlines
    look: dict[str, Any] = {"color": dark(), "lw": 1.1, "zorder": 3.5, "path_effects": haloed(2.6), "label": RANGE}
    draw(np.asarray(at, dtype=float)[some], low[some], high[some], **look)
    return some


def tips(table: pd.DataFrame, value: str = "probability") -> pd.Series:
    """Return up to where values and their ranges reach, per hundred."""
    return 100 * table[[value, "high"]].max(axis=1)


def right_of(ax: Axes, y: float, text: str, **look: Any) -> None:
    """Write a text at the right of the axes, at a height of the data, no larger than its row; a wide one under it."""
    size = look.pop("fontsize", small())
    look = {"va": "center", "ha": "left", "color": quiet()} | look
    at, shift = (1.0, y), (pt(6), 0.0)
    wide = max(text_width(line, size) for line in text.split("\n"))
    if on_a_phone() or wide > BESIDE * place_points(ax):
        text, at, shift = text.replace("\n", ": "), (1.0, y + ABOVE), (0.0, 0.0)
        look |= {"ha": "right", "va": "top", "path_effects": haloed()}
        size = size if on_a_phone() else min(size, row_points(ax) * (0.6 - ABOVE) / LEADING)
    else:
        size = min(size, row_points(ax) / (LEADING * (text.count("\n") + 1)))
    if size > LEGIBLE:
        note(ax, text, at, shift, xycoords=("axes fraction", "data"), fontsize=size, **look)


def named_rows(ax: Axes, names: Sequence[str]) -> None:
    """Give things that lie below one another, at 0, 1, ..., their names: at the left, on a phone over them."""
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    lines = max((name.count("\n") + 1 for name in names), default=1)
    if on_a_phone() or row_points(ax) < LEADING * lines * pt(TIGHT):
        names, lines = [_unbroken(name) for name in names], 1
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    if not on_a_phone():
        size = min(float(mpl.rcParams["font.size"]), row_points(ax) / (LEADING * lines))
        ax.tick_params(axis="y", labelsize=size)
        return
    ax.set_ylim(max(len(names), 1) - 0.3, -0.9)
    ax.spines["left"].set_visible(False)
    ax.set_axisbelow(False)  # names stand over lines that cross them
    over = blended_transform_factory(ax.transAxes, Affine2D().translate(0, -ABOVE) + ax.transData)
    for label in ax.get_yticklabels():
        label.set(ha="left", va="bottom", path_effects=haloed(), zorder=4, fontsize=small(), transform=over)


def _unbroken(name: str) -> str:
    """Return a name that was broken into lines in one."""
    return name.replace("-\n", "-").replace("\n", " ")
