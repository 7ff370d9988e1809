"""How wide things are, in points: axes and their places, rows, words, and lines of words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from iomsim.house_style import together

NARROW = 300
"""Points, for the house's letters: over narrower axes the title is wider than they are."""

LEADING = 1.5
"""Points from line to line of letters of one point."""

OF_A_PLACE = 0.4
"""How much of the height of a place the axes have, about."""

HINTED = 0.7
"""By how much letters of one point become wider on the grid of a screen; larger ones by less."""


def root(drawn: Axes | Figure | SubFigure) -> Any:
    """Return the figure that holds everything else."""
    return drawn.figure.figure


def settle(ax: Any) -> None:
    """Move axes to where they will be drawn."""
    locator = ax.get_axes_locator()
    ax.apply_aspect(None if locator is None else locator(ax, None))


def lay_out(ax: Axes) -> None:
    """Move the axes to where the figure's layout engine wants them, if it has one."""
    engine = root(ax).get_layout_engine()
    if engine is not None:
        engine.execute(root(ax))
        settle(ax)


def width_points(ax: Axes) -> float:
    """Return how many points wide the axes are."""
    return float(ax.get_window_extent().width / root(ax).dpi * 72)


def height_points(ax: Axes) -> float:
    """Return how many points high the axes are."""
    return float(ax.get_window_extent().height / root(ax).dpi * 72)


def place_points(ax: Axes) -> float:
    """Return how many points wide the place is that the axes have with all their words: a part of a figure, or it."""
    width, _ = getattr(ax, "_iomsim_place", (root(ax).bbox.width / root(ax).dpi * 72, 0.0))
    return float(width)


def row_points(ax: Axes) -> float:
    """Return about how many points there are from row to row of axes whose rows are at 0, 1, ...

    In a place among others it is what the place leaves, however many lines the words take: so the size of letters does
    not hang on how lines break, which hangs on the size of letters.
    """
    low, high = ax.get_ylim()
    _, place_ = getattr(ax, "_iomsim_place", (0.0, height_points(ax) / OF_A_PLACE))
    return float(OF_A_PLACE * place_ / max(abs(high - low), 1))


def overhang(ax: Axes) -> tuple[float, float, float]:
    """Return how many points what is drawn reaches over the axes: at the left, at the right, and below."""
    box, frame, dpi = ax.get_tightbbox(), ax.get_window_extent(), root(ax).dpi
    if box is None:
        return 0.0, 0.0, 0.0
    return (frame.x0 - box.x0) / dpi * 72, (box.x1 - frame.x1) / dpi * 72, (frame.y0 - box.y0) / dpi * 72


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return how many points wide a text is at most: on the grid of a screen small letters become wider."""
    return _text_width(text, tuple(mpl.rcParams["font.family"]), size, weight)


@lru_cache(maxsize=4096)
def _text_width(text: str, family: tuple[str, ...], size: float, weight: str) -> float:
    font = FontProperties(family=list(family), size=size, weight=weight)
    return (1 + HINTED / size) * float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def wrapped(ax: Axes, text: str, size: float, more: float = 0.0, weight: str = "normal") -> str:
    """Return a text broken into lines that fit the width of the axes, and `more` points, at a font size."""
    return lines_of(text, room_points(ax, size, more), size, weight)


def room_points(ax: Axes, size: float, more: float = 0.0) -> float:
    """Return how wide lines are over axes: as wide as they and `more` points, but a word or two at a font size."""
    return max(width_points(ax) + more, 6.5 * size)


def balanced(text: str, points: float, size: float, weight: str = "normal") -> str:
    r"""Return a text in as few lines of at most so many points as hold it, of about the same width.

    Examples
    --------
    >>> lines_of("nobody wins in three of a hundred elections", 200, 9)
    'nobody wins in three of a hundred\nelections'
    >>> balanced("nobody wins in three of a hundred elections", 200, 9)
    'nobody wins in three\nof a hundred elections'
    """
    breaks = lines_of(text, points, size, weight).count("\n")
    tries = (lines_of(text, part * points / 20, size, weight) for part in range(20 // (breaks + 1), 21))
    return next(lines for lines in tries if lines.count("\n") == breaks)


def lines_of(text: str, points: float, size: float, weight: str = "normal") -> str:
    r"""Return a text broken into lines of at most so many points, as wide as the letters in force are.

    Examples
    --------
    >>> lines_of("as many words as fit", 60, 8)
    'as many\nwords as fit'
    """
    space = text_width(" ", size, weight)
    lines: list[list[str]] = []
    left = -1.0
    for word in together(text).split(" "):
        left -= text_width(word, size, weight) + space
        if left < 0:
            lines.append([])
            left = points - text_width(word, size, weight)
        lines[-1].append(word)
    return "\n".join(map(" ".join, lines))
