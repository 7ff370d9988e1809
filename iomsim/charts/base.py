"""What all charts share: the class, the axes they draw in, and the caption.

A chart is a subclass of :class:`Chart` (of :class:`Page` if it fills a figure).  Its docstring is the
help of ``result.plot.<name>`` and its fields are the options; `ax` and `stamp` are handled here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from textwrap import fill
from typing import Any, ClassVar, Generic, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text
from matplotlib.transforms import offset_copy

from iomsim.charts.style import DARK, FAINT, QUIET, SMALL, STYLE, TINY, contrast, haloed, styled
from iomsim.charts.text import balanced, columns, with_announced
from iomsim.errors import IomsimError
from iomsim.forecasting.forecast import Forecast
from iomsim.house_style import together
from iomsim.typing import Flags

R = TypeVar("R")

PAPER = 1.4
"""The contrast to white from which on a page is too dark for dark words."""

PAGE_TITLE = 12
"""Points: the title of a page."""

EDGE = 0.012
"""Where the words of a page begin, as a part of its width."""

RANGE = "range over the assumptions"
"""The label of the lines that show it."""


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


@dataclass
class Chart(Generic[R]):
    """A chart of a result: its numbers, its marks and its words."""

    result: R
    where: ClassVar[str] = "ax"  # the name of the argument that says where to draw
    size: ClassVar[tuple[float, ...]] = (7.2, 3.8)  # inches: width, height, and what each row of the data adds
    min_rows: ClassVar[int] = 0

    def inches(self) -> tuple[float, float]:
        """Return the size of a figure that is made for the chart, or given empty."""
        width, height, *more = self.size
        return width, height + sum(more) * max(len(self.data), self.min_rows) if more else height

    @cached_property
    def data(self) -> pd.DataFrame:
        """The numbers that are drawn."""
        raise NotImplementedError

    def marks(self, ax: Axes) -> float | None:
        """Draw the numbers; return the points over the axes that are taken."""
        raise NotImplementedError

    def late_marks(self, ax: Axes) -> None:
        """Draw what depends on the room that the words leave."""

    def finding(self) -> str:
        """Return what the chart shows, as a sentence."""
        raise NotImplementedError

    def reading(self) -> str:
        """Return how to read the marks."""
        return ""

    def alt(self) -> str:
        """Return the text alternative, "" for the title and the reading."""
        return ""

    def title(self) -> str:
        """Return what stands over the chart."""
        return self.finding()

    def source(self) -> Any:
        """Return what has the stamp and the provenance of the numbers."""
        return self.result

    @cached_property
    def caption(self) -> Caption:
        """What the chart says in words."""
        source = self.source()
        return Caption(self.title(), self.reading(), self.alt(), source.stamp(), source.provenance)

    def draw(self, target: Axes | Figure | SubFigure | None = None, stamp: bool = True) -> Any:
        """Draw into axes or an empty figure, by default a new one; return the axes."""
        _ = self.data  # bad options are refused before there is a figure
        with canvas(target, self.inches()) as ax:
            above = self.marks(ax)
            finish(ax, self.caption, stamp, above or 0.0)
            self.late_marks(ax)
        return ax


class ForecastChart(Chart[Forecast]):
    """A chart of a forecast: its title begins with what was announced."""

    def title(self) -> str:
        """Return the finding after what was announced, or how the election ended."""
        return with_announced(self.result, self.finding())


class Page(Chart[R]):
    """A chart that fills a figure."""

    where: ClassVar[str] = "fig"

    def panels(self, fig: Any, stamp: bool) -> None:
        """Draw everything, the words too."""
        raise NotImplementedError

    def draw(self, target: Axes | Figure | SubFigure | None = None, stamp: bool = True) -> Any:
        """Draw into an empty figure, by default a new one; return it."""
        with page(target, self.inches()) as fig:
            self.panels(fig, stamp)
            remember(fig, self.caption)
        return fig


class LeftTitle(Text):
    """A title at the left edge, also after ``ax.set_title("other words")``, which would centre it there."""

    def set_horizontalalignment(self, align: Any) -> None:
        """Stay at the left."""
        super().set_horizontalalignment("left")


# -- where to draw -------------------------------------------------------------------------------


@contextmanager
def canvas(ax: Axes | Figure | SubFigure | None, size: tuple[float, float]) -> Iterator[Axes]:
    """Give the axes to draw in, inside the style: the given ones, or those of a figure (:func:`page`)."""
    if isinstance(ax, Axes):
        with styled():
            yield dressed(ax)
    else:
        with page(ax, size) as fig:
            yield fig.add_subplot()


def dressed(ax: Axes) -> Axes:
    """Give axes that were made elsewhere the look of those that are made here.

    The words around them are dark: behind them a dark figure becomes white, too.
    """
    fig = root(ax)
    if to_rgba(fig.get_facecolor())[3] < 1 or contrast(to_hex(fig.get_facecolor())) > PAPER:
        fig.set_facecolor(STYLE["figure.facecolor"])
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set(color=QUIET, linewidth=mpl.rcParams["axes.linewidth"])
    ax.set(axisbelow=True, facecolor=mpl.rcParams["axes.facecolor"])
    ax.tick_params(labelsize=mpl.rcParams["font.size"], color=QUIET, labelcolor=DARK, grid_color=FAINT)
    return ax


@contextmanager
def page(fig: Any, size: tuple[float, float]) -> Iterator[Any]:
    """Give an empty figure of this size, inside the style: the given one, or a new one of pyplot's."""
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


# -- words ---------------------------------------------------------------------------------------


def finish(ax: Axes, caption: Caption, stamp: bool = True, above: float = 0.0) -> None:
    """Write title, reading and stamp, and remember the caption for files.

    Call it last: the stamp goes under whatever is lowest.  The title leaves `above` points free
    over the axes.
    """
    lay_out(ax)  # so that lines break where they should
    _headline(ax, caption.title, caption.reading, above)
    if stamp and caption.stamp:
        _below(ax, caption.stamp)
    remember(ax, caption)


def lay_out(ax: Axes) -> None:
    """Move the axes to where the figure's layout engine wants them, if it has one."""
    engine = root(ax).get_layout_engine()
    if engine is not None:
        engine.execute(root(ax))


def _headline(ax: Axes, title: str, reading: str, above: float) -> None:
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


def _below(ax: Axes, text: str) -> None:
    """Write in small print under everything that is drawn."""
    box, frame, dpi = ax.get_tightbbox(), ax.get_window_extent(), root(ax).dpi
    depth = (frame.y0 - box.y0) / dpi * 72 if box is not None else 0.0
    left = (frame.x0 - box.x0) / dpi * 72 if box is not None else 0.0
    words = wrapped(ax, text, TINY, left)
    place(ax, (0, 0), words, (-left, -depth - 7), ha="left", va="top", fontsize=TINY, color=QUIET)


def written(fig: Any, title: str, texts: Sequence[str]) -> None:
    """Write the title of a page over its panels and texts below them, in lines as wide as the figure."""
    points = 72 * fig.bbox.width / root(fig).dpi
    fig.suptitle(_lines(title, points / (0.64 * PAGE_TITLE)), x=EDGE, ha="left", fontsize=PAGE_TITLE, weight="bold")
    below = [_lines(text, points / (0.53 * SMALL)) for text in texts if text]
    fig.supxlabel("\n".join(below), x=EDGE, ha="left", fontsize=SMALL, color=QUIET)


def _lines(text: str, letters: float) -> str:
    """Return a text in lines of so many letters."""
    return fill(together(text), int(letters), break_on_hyphens=False)


def note(ax: Axes, text: str, at: tuple[Any, Any], shift: tuple[float, float] = (0, 0), **look: Any) -> Any:
    """Write a text at a place (of the data, unless `xycoords` says otherwise), shifted by points."""
    look = {"annotation_clip": False} | look
    return ax.annotate(text, at, xytext=shift, textcoords="offset points", **look)


def place(ax: Axes, at: tuple[float, float], text: str, shift: tuple[float, float], **look: Any) -> Any:
    """Write a text at a place of the axes (fractions), shifted by points."""
    return note(ax, text, at, shift, xycoords="axes fraction", **look)


def row(ax: Axes, label: str, x: Any, words: Any, line: int, **look: Any) -> None:
    """Write a row of words under the axis: a label at the left, and a word under each place of `x`.

    Line 0 is that of the tick labels.
    """
    depth = -5 - 13 * line
    style: dict[str, Any] = {"va": "top", "fontsize": SMALL, "color": QUIET} | look
    place(ax, (0, 0), label, (-7, depth), ha="right", **style)
    for at, word in zip(x, words, strict=True):
        note(ax, str(word), (at, 0), (0, depth), xycoords=("data", "axes fraction"), ha="center", **style)


def range_lines(ax: Axes, at: Any, table: pd.DataFrame, upright: bool = False) -> Flags:
    """Draw ranges over the assumptions as thin lines, per hundred; return which there are: what is certain has none."""
    low, high = (100 * table[end].to_numpy(dtype=float) for end in ("low", "high"))
    some = np.asarray(low < high)
    draw = ax.vlines if upright else ax.hlines
    look: dict[str, Any] = {"color": DARK, "lw": 1.1, "zorder": 3.5, "path_effects": haloed(2.6), "label": RANGE}
    draw(np.asarray(at, dtype=float)[some], low[some], high[some], **look)
    return some


def tips(table: pd.DataFrame, value: str = "probability") -> pd.Series:
    """Return up to where values and their ranges reach, per hundred."""
    return 100 * table[[value, "high"]].max(axis=1)


def right_of(ax: Axes, y: float, text: str, **look: Any) -> None:
    """Write a text at the right of the axes, at a height of the data."""
    look = {"va": "center", "fontsize": SMALL, "color": QUIET} | look
    note(ax, text, (1, y), (6, 0), xycoords=("axes fraction", "data"), **look)


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
    across = columns(words, width_points(ax) - spare)
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
    letters = max(int((width_points(ax) + more) / (size * 0.54)), 12)
    return fill(together(text), letters, break_long_words=False, break_on_hyphens=False)


# -- measures, and what belongs to a figure --------------------------------------------------------


def width_points(ax: Axes) -> float:
    """Return how many points wide the axes are."""
    return float(ax.get_window_extent().width / root(ax).dpi * 72)


def root(drawn: Axes | Figure | SubFigure) -> Any:
    """Return the figure that holds everything else."""
    return drawn.figure.figure


def remember(drawn: Axes | Figure | SubFigure, caption: Caption) -> None:
    """Attach a caption to what was drawn."""
    drawn._iomsim_caption = caption  # type: ignore[union-attr]


def captions(drawn: Axes | Figure | SubFigure) -> list[Caption]:
    """Return the captions in a figure: its own, or those of its axes."""
    fig = root(drawn)
    own = [getattr(fig, "_iomsim_caption", None)]
    found = own if own[0] else [getattr(ax, "_iomsim_caption", None) for ax in fig.axes]
    return [caption for caption in found if caption is not None]
