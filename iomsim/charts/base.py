"""What all charts share: a new figure or the given axes, and the caption.

Every chart draws with :func:`canvas`, says what it shows with a :class:`Caption` and
:func:`finish`, and has a twin called ``<name>_data`` that returns the numbers it draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text
from matplotlib.transforms import offset_copy

from iomsim.charts.style import DARK, FAINT, QUIET, SMALL, STYLE, TINY, styled
from iomsim.charts.text import balanced, columns
from iomsim.errors import IomsimError


@dataclass(frozen=True)
class Caption:
    """What a chart says in words.

    Attributes
    ----------
    title : str
        The finding, as a sentence.
    reading : str
        How to read the marks; printed under the title.
    alt : str
        Text alternative; the title and the reading unless given.
    stamp : str
        What is needed to make the chart again; printed small under it.
    provenance : dict
        The same for machines; written into files.
    """

    title: str
    reading: str = ""
    alt: str = ""
    stamp: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text alternative."""
        return self.alt or f"{self.title} {self.reading}".strip()


class LeftTitle(Text):
    """A title at the left edge, also after ``ax.set_title("other words")``, which would centre it there."""

    def set_horizontalalignment(self, align: Any) -> None:
        """Stay at the left."""
        super().set_horizontalalignment("left")


# -- drawing -------------------------------------------------------------------------------------


@contextmanager
def canvas(ax: Axes | Figure | SubFigure | None, size: tuple[float, float] = (7.2, 3.8)) -> Iterator[Axes]:
    """Give the axes to draw in, inside the style.

    Parameters
    ----------
    ax : Axes, Figure or SubFigure, optional
        Where to draw; an empty figure gets one set of axes.  Default: a new pyplot figure, never
        the current axes.
    size : (float, float)
        Inches of a figure that this makes, or that it is given empty.
    """
    if isinstance(ax, Axes):
        with styled():
            yield dressed(ax)
    else:
        with page(ax, size) as fig:
            yield fig.add_subplot()


def dressed(ax: Axes) -> Axes:
    """Give axes that were made elsewhere the look of those that are made here."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set(color=QUIET, linewidth=mpl.rcParams["axes.linewidth"])
    ax.set(axisbelow=True, facecolor=mpl.rcParams["axes.facecolor"])
    ax.tick_params(labelsize=mpl.rcParams["font.size"], color=QUIET, labelcolor=DARK, grid_color=FAINT)
    return ax


@contextmanager
def page(fig: Figure | SubFigure | None, size: tuple[float, float]) -> Iterator[Any]:
    """Give an empty figure of this size, inside the style: a new one of pyplot's, or the given one."""
    drawn = _new() if fig is None else fig
    if not isinstance(drawn, Figure | SubFigure):
        raise IomsimError(f"ax must be matplotlib Axes or an empty Figure, got {type(drawn).__name__}")
    with styled():
        if isinstance(drawn, Figure):
            drawn.set_size_inches(*size)
            drawn.set_layout_engine("constrained")
        yield drawn


def _new() -> Figure:
    """Return a new figure of pyplot's, made outside the style.

    The first one in a notebook switches the display of figures on for good; inside the style that
    would be taken back with it.
    """
    import matplotlib.pyplot as plt

    return plt.figure(facecolor=STYLE["figure.facecolor"])


def finish(ax: Axes, caption: Caption, stamp: bool = True, above: float = 0.0) -> None:
    """Write title, reading and stamp, and remember the caption for files.

    Call it last: the stamp goes under whatever is lowest.  The title leaves `above` points free
    over the axes.
    """
    lay_out(ax)  # so that lines break where they should
    headline(ax, caption.title, caption.reading, above)
    if stamp and caption.stamp:
        below(ax, caption.stamp)
    remember(ax, caption)


def lay_out(ax: Axes) -> None:
    """Move the axes to where the figure's layout engine wants them, if it has one."""
    engine = root(ax).get_layout_engine()
    if engine is not None:
        engine.execute(root(ax))


def headline(ax: Axes, title: str, reading: str = "", above: float = 0.0) -> None:
    """Write the title, and under it how to read the chart, both wrapped to the width of the axes."""
    large = mpl.rcParams["axes.titlesize"]
    lines = wrapped(ax, reading, SMALL)
    pad = above + 9 + (lines.count("\n") + 1) * SMALL * 1.35 * bool(lines)
    ax.title = LeftTitle(0, 1)
    ax.title.set(figure=ax.figure, clip_on=False)
    ax.title.axes = ax
    ax.set_title(balanced(wrapped(ax, title, 1.1 * large)), pad=pad)
    if lines:
        look: dict[str, Any] = {"fontsize": SMALL, "color": QUIET, "linespacing": 1.2, "in_layout": False}
        place(ax, (0, 1), lines, (0, above + 7), ha="left", va="bottom", **look)


def below(ax: Axes, text: str) -> None:
    """Write in small print under everything that is drawn."""
    box, frame, dpi = ax.get_tightbbox(), ax.get_window_extent(), root(ax).dpi
    depth = (frame.y0 - box.y0) / dpi * 72 if box is not None else 0.0
    left = (frame.x0 - box.x0) / dpi * 72 if box is not None else 0.0
    words = wrapped(ax, text, TINY, left)
    place(ax, (0, 0), words, (-left, -depth - 7), ha="left", va="top", fontsize=TINY, color=QUIET)


def place(ax: Axes, at: tuple[float, float], text: str, shift: tuple[float, float], **look: Any) -> Any:
    """Write a text at a place of the axes (fractions), shifted by points."""
    return ax.annotate(
        text, at, xytext=shift, xycoords="axes fraction", textcoords="offset points", annotation_clip=False, **look
    )


def row(ax: Axes, label: str, x: Any, words: Any, line: int, **look: Any) -> None:
    """Write a row of words under the axis: a label at the left, and a word under each place of `x`.

    Line 0 is that of the tick labels.
    """
    depth = -5 - 13 * line
    style: dict[str, Any] = {"va": "top", "fontsize": SMALL, "color": QUIET} | look
    place(ax, (0, 0), label, (-7, depth), ha="right", **style)
    for at, word in zip(x, words, strict=True):
        ax.annotate(
            str(word), (at, 0), xytext=(0, depth), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", annotation_clip=False, **style,
        )  # fmt: skip


def named_rows(ax: Axes, names: Sequence[str]) -> None:
    """Give things that lie below one another, at 0, 1, ..., their names at the left."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")


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

    At the right, `spare` points are left free.

    Returns
    -------
    float
        Points that it is high.
    """
    points = ax.get_window_extent().width / root(ax).dpi * 72
    across = columns(words, points - spare)
    lift = offset_copy(ax.transAxes, root(ax), y=3 if above else -down, units="points")
    legend = ax.legend(
        handles, ["x"] * len(words), ncols=across, loc="lower left" if above else "upper left",
        bbox_to_anchor=(0, above), bbox_transform=lift,
        borderaxespad=0, borderpad=0, handletextpad=0.4, handlelength=1.2, handleheight=1.0, columnspacing=1.4,
    )  # fmt: skip
    for text, word, colour in zip(legend.get_texts(), words, inks or [DARK] * len(words), strict=True):
        text.set(text=word, color=colour)  # as a label, matplotlib would leave out what begins with "_"
    return 13.0 * -(-len(words) // across)


def wrapped(ax: Axes, text: str, size: float, more: float = 0.0) -> str:
    """Return a text broken into lines that fit the width of the axes, and `more` points, at a font size."""
    points = ax.get_window_extent().width / root(ax).dpi * 72 + more
    return fill(text, max(int(points / (size * 0.53)), 12), break_long_words=False, break_on_hyphens=False)


def remember(drawn: Axes | Figure | SubFigure, caption: Caption) -> None:
    """Attach a caption to what was drawn."""
    drawn._iomsim_caption = caption  # type: ignore[union-attr]


def root(drawn: Axes | Figure | SubFigure) -> Any:
    """Return the figure that holds everything else."""
    return drawn.figure.figure


def captions(drawn: Axes | Figure | SubFigure) -> list[Caption]:
    """Return the captions in a figure: its own, or those of its axes."""
    fig = root(drawn)
    own = [getattr(fig, "_iomsim_caption", None)]
    found = own if own[0] else [getattr(ax, "_iomsim_caption", None) for ax in fig.axes]
    return [caption for caption in found if caption is not None]
