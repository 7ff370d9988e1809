"""What all charts share: the class, the axes they draw in, and the caption.

A chart is a subclass of :class:`Chart` (of :class:`Page` if it fills a figure).  Its docstring is the
help of ``result.plot.<name>`` and its fields are the options; `ax` and `stamp` are handled here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Generic, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import AutoLocator, MaxNLocator
from matplotlib.transforms import Affine2D, ScaledTranslation, blended_transform_factory, offset_copy

from iomsim.charts.room import find_room, settle
from iomsim.charts.style import (
    FONT_SIZE,
    PHONE_INCHES,
    Theme,
    dark,
    faint,
    haloed,
    on_a_phone,
    pt,
    quiet,
    small,
    styled,
    tiny,
    title_size,
)
from iomsim.charts.text import balanced, columns, with_announced
from iomsim.errors import IomsimError
from iomsim.forecasting.forecast import Forecast
from iomsim.house_style import together
from iomsim.typing import Flags

R = TypeVar("R")

PAGE_TITLE = 12
"""Points: the title of a page, for the house's letters."""

HIGHER_ON_A_PHONE = 1.35
"""How much higher a narrow chart is: its words take more lines."""

BESIDE = 0.38
"""How much of the width of its place a text beside the axes may take; a wider one stands under its row."""

OF_A_PLACE = 0.4
"""How much of the height of a place the axes have, about."""

TIGHT = 5.0
"""Points of letters below which names are no more broken into lines."""

LEGIBLE = 3.0
"""Points of letters below which words beside rows are left out: nobody could read them."""

LEADING = 1.5
"""Points from line to line of letters of one point."""

ABOVE = 0.22
"""How far over and under the middle of a row words stand on a phone, in rows."""

EDGE = 0.012
"""Where the words of a page begin, as a part of its width."""

HINTED = 0.7
"""By how much letters of one point become wider on the grid of a screen; larger ones by less."""

TICKS = 6
"""Steps between the ticks of an axis of numbers, at most."""

NARROW = 300
"""Points, for the house's letters: over narrower axes the title is wider than they are."""

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
        """Return the size of a figure that is made for the chart, or given empty.

        In proportion to the letters; the user's `figure.figsize`, if it was set, is what the house's is made to fit.
        """
        width, height = self.natural()
        if on_a_phone():
            return PHONE_INCHES, height * (HIGHER_ON_A_PHONE if width > PHONE_INCHES else 1.0)
        wide, high = mpl.rcParams["figure.figsize"]
        if [wide, high] != mpl.rcParamsDefault["figure.figsize"]:
            return wide, high if self.natural() == self.size else height
        larger = mpl.rcParams["font.size"] / FONT_SIZE
        return width * larger, height * larger

    def natural(self) -> tuple[float, float]:
        """Return the size in the house's letters; one that is as narrow as a phone is made for it."""
        width, height, *more = self.size
        return width, height + sum(more) * max(len(self.data), self.min_rows)

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

    def words(self) -> str:
        """Return all words that may be written, for which letters are needed."""
        cells: list[Any] = []
        if type(self).data is not Chart.data:
            frame = self.data.reset_index()
            cells = [*frame.columns, *frame.select_dtypes(exclude=["number", "bool", "datetime"]).to_numpy().ravel()]
        return " ".join([self.caption.text, self.caption.title, *map(str, cells)])

    def sheet(self) -> pd.DataFrame:
        """Return the numbers as tools for charts on the web take them: a column of labels, then columns of numbers."""
        return self.data.reset_index(drop=self.data.index.names == [None])

    def draw(
        self, target: Axes | Figure | SubFigure | None = None, stamp: bool = True, theme: Theme | None = None
    ) -> Any:
        """Draw into axes or an empty figure, by default a new one; return the axes."""
        _ = self.data  # bad options are refused before there is a figure
        with canvas(self, target, theme) as ax:
            if isinstance(target, Axes):
                find_room(ax, lambda tried: self._onto(dressed(tried, None), stamp))
            self._onto(ax, stamp)
        return ax

    def _onto(self, ax: Axes, stamp: bool) -> None:
        """Draw all marks and words onto axes."""
        steady(ax)
        above = self.marks(ax)
        finish(ax, self.caption, stamp, above or 0.0)
        self.late_marks(ax)


class ForecastChart(Chart[Forecast]):
    """A chart of a forecast: its title begins with what was announced."""

    def title(self) -> str:
        """Return the finding after what was announced, or how the election ended."""
        return with_announced(self.result, self.finding())


class Page(Chart[R]):
    """A chart that fills a figure."""

    where: ClassVar[str] = "fig"

    def inches(self) -> tuple[float, float]:
        """Return the size, no narrower than its panels need, whatever the user's `figure.figsize`."""
        width, height = super().inches()
        least = PHONE_INCHES if on_a_phone() else self.natural()[0] * mpl.rcParams["font.size"] / FONT_SIZE
        return max(width, least), height

    def panels(self, fig: Any, stamp: bool) -> None:
        """Draw everything, the words too."""
        raise NotImplementedError

    def draw(
        self, target: Axes | Figure | SubFigure | None = None, stamp: bool = True, theme: Theme | None = None
    ) -> Any:
        """Draw into an empty figure, by default a new one; return it."""
        with page(self, target, theme) as fig:
            self.panels(fig, stamp)
            remember(fig, self.caption)
        return fig


class LeftTitle(Text):
    """A title at the left edge, also after ``ax.set_title("other words")``, which would centre it there.

    Parameters
    ----------
    left : float
        Points by which it begins farther left.
    """

    def __init__(self, left: float) -> None:
        super().__init__(0, 1)
        self.left = left

    def set_horizontalalignment(self, align: Any) -> None:
        """Stay at the left."""
        super().set_horizontalalignment("left")

    def set_transform(self, transform: Any) -> None:
        """Stay farther left."""
        figure: Any = self.figure
        super().set_transform(transform + ScaledTranslation(-self.left / 72, 0, figure.figure.dpi_scale_trans))


# -- where to draw -------------------------------------------------------------------------------


@contextmanager
def canvas(chart: Chart[Any], ax: Axes | Figure | SubFigure | None, theme: Theme | None) -> Iterator[Axes]:
    """Give the axes to draw in, inside the style: the given ones, or those of a figure (:func:`page`)."""
    if isinstance(ax, Axes):
        with styled(theme, _colour_of(root(ax)), chart.words()):
            yield dressed(ax, theme)
    else:
        with page(chart, ax, theme) as fig:
            yield fig.add_subplot()


def dressed(ax: Axes, theme: Theme | None) -> Axes:
    """Give axes that were made elsewhere the look of those that are made here; a theme gives the figure its page."""
    settings: Any = mpl.rcParams
    if theme:
        root(ax).set_facecolor(settings["figure.facecolor"])
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set(
            visible=settings[f"axes.spines.{side}"], color=quiet(), linewidth=settings["axes.linewidth"]
        )
    ax.set(axisbelow=True, facecolor=settings["axes.facecolor"])
    ax.tick_params(labelsize=settings["font.size"], color=quiet(), labelcolor=dark(), grid_color=faint())
    return ax


@contextmanager
def page(chart: Chart[Any], fig: Any, theme: Theme | None) -> Iterator[Any]:
    """Give an empty figure of the chart's size, inside the style: the given one, or a new one of pyplot's."""
    drawn = _new() if fig is None else fig
    if not isinstance(drawn, Figure | SubFigure):
        raise IomsimError(f"ax must be matplotlib Axes or an empty Figure, got {type(drawn).__name__}")
    with styled(theme, words=chart.words()):
        if isinstance(drawn, Figure):
            drawn.set_facecolor(mpl.rcParams["figure.facecolor"])
            drawn.set_size_inches(*chart.inches())
            drawn.set_layout_engine("constrained")
        yield drawn


def _new() -> Figure:
    """Return a new figure of pyplot's, made outside the style.

    The first one in a notebook switches the display of figures on for good; inside the style that
    would be taken back with it.
    """
    import matplotlib.pyplot as plt

    return plt.figure(FigureClass=ShownOnce)


def _colour_of(fig: Figure) -> Any:
    """Return the colour of a figure that is there already, None where what is behind it shows through."""
    colour = fig.get_facecolor()
    return to_hex(colour) if to_rgba(colour)[3] == 1 else None


class ShownOnce(Figure):
    """A figure of pyplot's that a notebook shows once, also where it is the last line of a cell.

    At the end of a cell the inline backend shows every open figure, and closes it.  A figure that is the value of the
    cell has been shown by then: so it is closed here.
    """

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.core.getipython import get_ipython
        from IPython.core.pylabtools import print_figure
        from IPython.display import display

        inline = "inline" in mpl.get_backend()
        if mpl.is_interactive() and not inline:
            return  # in a window, or a widget, of its own
        formatters = getattr(getattr(get_ipython(), "display_formatter", None), "formatters", {}) if inline else {}
        shown = {kind: data for kind, format_ in formatters.items() if (data := format_(self))}
        if not any(kind.startswith("image/") for kind in shown):
            shown["image/png"] = print_figure(self, "png", base64=True)
        display({kind: data[0] if isinstance(data, tuple) else data for kind, data in shown.items()}, raw=True)
        plt.close(self)


def steady(ax: Axes) -> None:
    """Have ticks that do not depend on how large the axes are, unless there are others already."""
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_locator(), AutoLocator):
            axis.set_major_locator(MaxNLocator(TICKS, steps=[1, 2, 5, 10]))


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
        settle(ax)


def _headline(ax: Axes, title: str, reading: str, above: float) -> None:
    """Write the title, and under it how to read the chart, wrapped to the width of the axes.

    Over narrow axes they are as wide as all that is drawn.
    """
    large = title_size()
    left, right = overhang(ax) if width_points(ax) < pt(NARROW) else (0.0, 0.0)
    lines = wrapped(ax, reading, small(), left + right)
    pad = above + pt(9) + (lines.count("\n") + 1) * small() * 1.35 * bool(lines)
    ax.title = LeftTitle(left)
    ax.title.set(figure=ax.figure, clip_on=False)
    ax.title.axes = ax
    wide = wrapped(ax, title, large, left + right, weight=mpl.rcParams["axes.titleweight"])
    ax.set_title(balanced(wide), pad=pad)
    if lines:
        look: dict[str, Any] = {"fontsize": small(), "color": quiet(), "linespacing": 1.2, "in_layout": False}
        place(ax, (0, 1), lines, (-left, above + pt(7)), ha="left", va="bottom", **look)


def overhang(ax: Axes) -> tuple[float, float]:
    """Return how many points what is drawn reaches over the axes, at the left and at the right."""
    box, frame = ax.get_tightbbox(), ax.get_window_extent()
    over = (0.0, 0.0) if box is None else (frame.x0 - box.x0, box.x1 - frame.x1)
    return over[0] / root(ax).dpi * 72, over[1] / root(ax).dpi * 72


def _below(ax: Axes, text: str) -> None:
    """Write in small print under everything that is drawn."""
    box, frame = ax.get_tightbbox(), ax.get_window_extent()
    depth = (frame.y0 - box.y0) / root(ax).dpi * 72 if box is not None else 0.0
    left = overhang(ax)[0]
    words = wrapped(ax, text, tiny(), left)
    place(ax, (0, 0), words, (-left, -depth - pt(7)), ha="left", va="top", fontsize=tiny(), color=quiet())


def written(fig: Any, title: str, texts: Sequence[str]) -> None:
    """Write the title of a page over its panels and texts below them, in lines as wide as the figure."""
    points, size = 72 * fig.bbox.width / root(fig).dpi * (1 - 2 * EDGE), pt(PAGE_TITLE)
    fig.suptitle(lines_of(title, points, size, "bold"), x=EDGE, ha="left", fontsize=size, weight="bold")
    below = [lines_of(text, points, small()) for text in texts if text]
    fig.supxlabel("\n".join(below), x=EDGE, ha="left", fontsize=small(), color=quiet())


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
    depth = pt(-5 - 13 * line)
    style: dict[str, Any] = {"va": "top", "fontsize": small(), "color": quiet()} | look
    place(ax, (0, 0), label, (pt(-7), depth), ha="right", **style)
    for at, word in zip(x, words, strict=True):
        note(ax, str(word), (at, 0), (0, depth), xycoords=("data", "axes fraction"), ha="center", **style)


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
    wide = max(text_width(line, tuple(mpl.rcParams["font.family"]), size, "normal") for line in text.split("\n"))
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
    over = blended_transform_factory(ax.transAxes, Affine2D().translate(0, -ABOVE) + ax.transData)
    for label in ax.get_yticklabels():
        label.set(ha="left", va="bottom", path_effects=haloed(), zorder=4, fontsize=small(), transform=over)


def _unbroken(name: str) -> str:
    """Return a name that was broken into lines in one."""
    return name.replace("-\n", "-").replace("\n", " ")


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
    _, place_ = getattr(ax, "_iomsim_place", (0.0, ax.get_window_extent().height / root(ax).dpi * 72 / OF_A_PLACE))
    return float(OF_A_PLACE * place_ / max(abs(high - low), 1))


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
    across = columns(words, (width_points(ax) + left - spare) / pt(1))
    lift = offset_copy(ax.transAxes, root(ax), x=-left, y=pt(3 if above else -down), units="points")
    legend = ax.legend(
        handles, ["x"] * len(words), ncols=across, loc="lower left" if above else "upper left",
        bbox_to_anchor=(0, above), bbox_transform=lift,
        borderaxespad=0, borderpad=0, handletextpad=0.4, handlelength=1.2, handleheight=1.0, columnspacing=1.4,
    )  # fmt: skip
    for text, word, colour in zip(legend.get_texts(), words, inks or [dark()] * len(words), strict=True):
        text.set(text=word, color=colour)  # as a label, matplotlib would leave out what begins with "_"
    return pt(13.0 * -(-len(words) // across))


def wrapped(ax: Axes, text: str, size: float, more: float = 0.0, weight: str = "normal") -> str:
    """Return a text broken into lines that fit the width of the axes, and `more` points, at a font size."""
    return lines_of(text, max(width_points(ax) + more, 6.5 * size), size, weight)


def lines_of(text: str, points: float, size: float, weight: str = "normal") -> str:
    r"""Return a text broken into lines of at most so many points, as wide as the letters in force are.

    Examples
    --------
    >>> lines_of("as many words as fit", 60, 8)
    'as many\nwords as fit'
    """
    look = tuple(mpl.rcParams["font.family"]), size, weight
    space = text_width(" ", *look)
    lines: list[list[str]] = []
    left = -1.0
    for word in together(text).split(" "):
        left -= text_width(word, *look) + space
        if left < 0:
            lines.append([])
            left = points - text_width(word, *look)
        lines[-1].append(word)
    return "\n".join(map(" ".join, lines))


# -- measures, and what belongs to a figure --------------------------------------------------------


def width_points(ax: Axes) -> float:
    """Return how many points wide the axes are."""
    return float(ax.get_window_extent().width / root(ax).dpi * 72)


@lru_cache(maxsize=4096)
def text_width(text: str, family: tuple[str, ...], size: float, weight: str) -> float:
    """Return how many points wide a text is at most: on the grid of a screen small letters become wider."""
    font = FontProperties(family=list(family), size=size, weight=weight)
    return (1 + HINTED / size) * float(text_to_path.get_text_width_height_descent(text, font, False)[0])


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
