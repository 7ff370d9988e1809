"""Room for a chart among others: in a figure that somebody else made, its words stay in the part that is its own.

The axes are made so small that they and all words around them fit there: where the figure has a layout engine, into
the place that it gives them; else into their cell of the grid.  Where lines break depends on how wide the axes are,
so this is tried out on a figure that nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.transforms import Bbox

from iomsim.charts.measures import settle
from iomsim.charts.style import pt, shrink_letters

TRIES = 6
"""How often the size of the axes is corrected: in narrower ones lines break elsewhere."""

RIM = 4.0
"""Points that stay free around a chart."""

ROOM = 270.0
"""The sides of the square, in points, that a chart with all its words needs, for the house's letters."""

LOW = 45.0
"""Points, for the house's letters: axes that are lower are too low for their words."""

SMALLER = 0.85
"""By how much letters are made smaller at a time."""

LEAST = 0.1
"""How much of their place the axes take at least, however long the words are."""

TICK_LABELS = 40.0
"""Points inside a place, in which there is room for the ticks of empty axes."""


class Inside:
    """Finds the place of axes: so many points inside what they have been given.

    Parameters
    ----------
    spec : SubplotSpec
        Where they stand in their grid; layout engines ask for it.
    place : Bbox or None
        What they have been given, as a part of the figure; None for what the figure's layout engine says.
    points : sequence of float
        The points at the left, below, at the right and above.
    """

    def __init__(self, spec: Any, place: Bbox | None, points: Any) -> None:
        self.spec, self.place, self.points = spec, place, points

    def get_subplotspec(self) -> Any:
        """Return where they stand in their grid."""
        return self.spec

    def __call__(self, ax: Any, renderer: Any) -> Bbox:
        """Return it as a part of the figure."""
        fig = ax.figure
        box = _pixels(self.place or ax.get_position(original=True), fig)
        left, low, right, high = (fig.dpi / 72 * points for points in self.points)
        x1, y1 = max(box.x1 - right, box.x0 + left + 1), max(box.y1 - high, box.y0 + low + 1)
        return _part(Bbox.from_extents(box.x0 + left, box.y0 + low, x1, y1), fig.bbox)


def find_room(ax: Axes, draw: Callable[[Axes], None]) -> None:
    """Shrink axes of a grid so that they, and all that will be drawn around them, fit into their place.

    Where that is too small for the letters in force, they are made smaller first.

    Axes that stand elsewhere, where somebody put them on purpose, stay.
    """
    if ax.get_subplotspec() is None:
        return
    fig: Any = ax.figure
    root = fig.figure
    engine = root.get_layout_engine()
    if engine is None or isinstance(engine, PlaceHolderLayoutEngine):
        place: Bbox | None = _part(_cell(ax), fig.bbox)
    else:
        place = None
        ax.set_axes_locator(Inside(ax.get_subplotspec(), None, (TICK_LABELS,) * 4))
        empty = [other for other in fig.axes if other is not ax and other.get_in_layout() and not _drawn(other)]
        for other in empty:
            other.set_in_layout(False)
        for _ in range(2):
            engine.execute(root)
        for other in empty:
            other.set_in_layout(True)
    cell = _pixels(place or ax.get_position(original=True), fig)
    wide, high = ax._iomsim_place = cell.width * 72 / fig.dpi, cell.height * 72 / fig.dpi  # type: ignore[attr-defined]
    shrink_letters((wide * high) ** 0.5 / pt(ROOM))
    frame = _tried_out(ax, cell, draw)
    while frame.height * 72 / fig.dpi < pt(LOW) and shrink_letters(SMALLER):
        frame = _tried_out(ax, cell, draw)
    inside = np.array([frame.x0 - cell.x0, frame.y0 - cell.y0, cell.x1 - frame.x1, cell.y1 - frame.y1])
    ax.set_axes_locator(Inside(ax.get_subplotspec(), place, inside * 72 / fig.dpi))
    settle(ax)


def _tried_out(ax: Axes, cell: Bbox, draw: Callable[[Axes], None]) -> Bbox:
    """Return how large axes may be, if they and all that is drawn around them are to fit into their cell."""
    fig: Any = ax.figure
    frame, tries = cell, [cell]
    for _ in range(TRIES):
        trial = Figure(figsize=fig.figure.get_size_inches(), dpi=fig.dpi)
        tried = trial.add_axes(_part(frame, trial.bbox).bounds)
        tried._iomsim_place = ax._iomsim_place  # type: ignore[attr-defined]
        draw(tried)
        found = _within(cell, frame, tried.get_tightbbox())
        if np.abs(found.get_points() - frame.get_points()).max() < 2:
            return frame
        frame = found
        tries.append(found)
    # it goes to and fro: where the words of the last two sizes fit, it is small enough
    return Bbox.intersection(*tries[-2:]) or frame


def _drawn(ax: Axes) -> bool:
    return ax.has_data() or bool(ax.texts)


def _pixels(part: Any, fig: Any) -> Bbox:
    """Return a part of a figure in pixels."""
    return Bbox.from_extents(*fig.transSubfigure.transform_bbox(part).extents)


def _part(box: Bbox, of: Any) -> Bbox:
    """Return pixels as a part of a figure."""
    return Bbox((box.get_points() - of.get_points()[0]) / (of.width, of.height))


def _within(cell: Bbox, frame: Bbox, box: Any) -> Bbox:
    """Return the axes that fill a cell, if words reach as far over them as `box` reaches over `frame`."""
    box = Bbox.union([box, frame]) if box is not None else frame
    x = cell.x0 + frame.x0 - box.x0, cell.x1 - box.x1 + frame.x1
    y = cell.y0 + frame.y0 - box.y0, cell.y1 - box.y1 + frame.y1
    return Bbox.from_extents(x[0], y[0], max(x[1], x[0] + LEAST * cell.width), max(y[1], y[0] + LEAST * cell.height))


def _cell(ax: Axes) -> Bbox:
    """Return the part of the figure that belongs to axes, in pixels: up to the middle of the gaps around them.

    What stands in the figure already is left free.
    """
    fig: Any = ax.figure
    spec: Any = ax.get_subplotspec()
    bottoms, tops, lefts, rights = spec.get_gridspec().get_grid_positions(fig)
    whole = not hasattr(spec.get_gridspec(), "get_topmost_subplotspec")
    first, last = spec.colspan.start, spec.colspan.stop - 1
    high, low = spec.rowspan.start, spec.rowspan.stop - 1
    x0 = (rights[first - 1] + lefts[first]) / 2 if first else 0.0 if whole else lefts[0]
    x1 = (rights[last] + lefts[last + 1]) / 2 if last + 1 < len(lefts) else 1.0 if whole else rights[-1]
    y1 = (bottoms[high - 1] + tops[high]) / 2 if high else 1.0 if whole else tops[0]
    y0 = (bottoms[low] + tops[low + 1]) / 2 if low + 1 < len(tops) else 0.0 if whole else bottoms[-1]
    cell = _pixels(Bbox.from_extents(x0, y0, x1, y1), fig)
    return _beside(cell, ax.get_window_extent(), _others(ax)).padded(-RIM / 72 * fig.dpi)


def _others(ax: Axes) -> Iterator[Bbox]:
    """Yield where words of the figure are, and other axes with theirs."""
    fig: Any = ax.figure
    axes = [other for other in fig.axes if other is not ax and _drawn(other) and other.get_axes_locator() is None]
    for artist in [*axes, *(text for text in fig.texts if text.get_text().strip())]:
        yield artist.get_tightbbox()


def _beside(cell: Bbox, frame: Bbox, others: Iterator[Bbox]) -> Bbox:
    """Return what of a cell lies beside, under and over other things."""
    x0, y0, x1, y1 = cell.extents
    for box in others:
        if min(box.x1, x1) > max(box.x0, x0) and min(box.y1, y1) > max(box.y0, y0):
            x0, x1 = max(x0, box.x1) if box.x1 < frame.x0 + 1 else x0, min(x1, box.x0) if box.x0 > frame.x1 - 1 else x1
            y0, y1 = max(y0, box.y1) if box.y1 < frame.y0 + 1 else y0, min(y1, box.y0) if box.y0 > frame.y1 - 1 else y1
    return Bbox.from_extents(x0, y0, x1, y1)
