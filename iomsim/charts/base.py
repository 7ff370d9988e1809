"""What all charts share: a new figure or the given axes, one style, the caption, and files.

Every chart draws with :func:`canvas`, says what it shows with a :class:`Caption`, and has a twin
called ``<name>_data`` that returns the numbers it draws.  An :class:`Accessor` gathers the charts of
one kind of result under ``.plot``.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from inspect import signature
from pathlib import Path
from textwrap import fill, shorten
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import matplotlib as mpl
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import offset_copy

from iomsim.errors import IomsimError, unknown
from iomsim.estimates import thousands

P = ParamSpec("P")
R = TypeVar("R")

DARK, QUIET, FAINT = "#222222", "#767676", "#E6E6E6"
"""Text and lines that matter; text that steps back (contrast 4.5 on white); grids and shades."""

FIRST_DAY, LATER_DAY = "#BBBBBB", "#882255"
"""Voting ends on the opening day, or later; clear of every candidate's colour."""

INKS = {"#D55E00": "#C25400", "#999999": QUIET, FIRST_DAY: QUIET}
"""Darker twins, for text, of colours that are too light for it on white."""

STYLE: dict[str, Any] = {
    "font.size": 9,
    "text.color": DARK,
    "text.parse_math": False,  # a name may hold a dollar sign
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.labelcolor": DARK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": "cycler('color', ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'])",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": DARK,
    "ytick.labelcolor": DARK,
    "grid.color": FAINT,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "iomsim",
    "pdf.fonttype": 42,
}
"""The look of the charts; ``plt.style.use(iomsim.charts.STYLE)`` gives it to charts of your own."""

KINDS = ("png", "svg", "pdf")
SMALL = 8.0
TINY = 6.5
"""Points: annotations, and the stamp."""


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
def styled() -> Iterator[None]:
    """Draw in the style of the charts, whatever the global settings are; they stay untouched."""
    sharpness = {"figure.dpi": mpl.rcParams["figure.dpi"]}
    with matplotlib.style.context([STYLE, sharpness], after_reset=True):
        yield


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
    with styled():
        yield ax if isinstance(ax, Axes) else page(ax, size).add_subplot()


def page(fig: Figure | SubFigure | None, size: tuple[float, float]) -> Figure | SubFigure:
    """Return an empty figure of this size: a new one of pyplot's, or the given one."""
    if fig is None:
        import matplotlib.pyplot as plt

        fig = plt.figure()
    if not isinstance(fig, Figure | SubFigure):
        raise IomsimError(f"ax must be matplotlib Axes or an empty Figure, got {type(fig).__name__}")
    if isinstance(fig, Figure):
        fig.set_size_inches(*size)
        fig.set_layout_engine("constrained")
    return fig


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
    place(ax, (0, 0), text, (-left, -depth - 7), ha="left", va="top", fontsize=TINY, color=QUIET)


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


def key(
    ax: Axes,
    handles: list[Any],
    words: list[str],
    inks: list[str] | None = None,
    above: bool = False,
    down: float = 21,
) -> float:
    """Write what the marks are, in as many columns as fit: `down` points under the axes, or right above them.

    Returns
    -------
    float
        Points that it is high.
    """
    points = ax.get_window_extent().width / root(ax).dpi * 72
    across = columns(words, points)
    lift = offset_copy(ax.transAxes, root(ax), y=3 if above else -down, units="points")
    legend = ax.legend(
        handles, ["x"] * len(words), ncols=across, loc="lower left" if above else "upper left",
        bbox_to_anchor=(0, above), bbox_transform=lift,
        borderaxespad=0, borderpad=0, handletextpad=0.4, handlelength=1.2, handleheight=1.0, columnspacing=1.4,
    )  # fmt: skip
    for text, word, colour in zip(legend.get_texts(), words, inks or [DARK] * len(words), strict=True):
        text.set(text=word, color=colour)  # as a label, matplotlib would leave out what begins with "_"
    return 13.0 * -(-len(words) // across)


def columns(words: list[str], points: float) -> int:
    """Return in how many columns small words fit into a width, filled column by column.

    Examples
    --------
    >>> columns(["one", "two", "three"], 400), columns(["one", "two", "three"], 80)
    (3, 1)
    """
    for across in range(len(words), 1, -1):
        deep = -(-len(words) // across)
        longest = [max(map(len, words[first : first + deep])) for first in range(0, len(words), deep)]
        if sum(4.2 * letters + 24 for letters in longest) <= points:
            return across
    return 1


def wrapped(ax: Axes, text: str, size: float) -> str:
    """Return a text broken into lines that fit the width of the axes at a font size."""
    inches = ax.get_window_extent().width / root(ax).dpi
    return fill(text, max(int(inches * 72 / (size * 0.53)), 12), break_long_words=False)


def haloed(width: float = 2.0) -> list[Any]:
    """Return the effect that keeps words legible over lines: a white rim."""
    return [withStroke(linewidth=width, foreground="white")]


def balanced(text: str) -> str:
    r"""Return the text in as many lines, of about the same length.

    Examples
    --------
    >>> balanced("nobody wins in three of a hundred\nelections")
    'nobody wins in three\nof a hundred elections'
    """
    words, breaks = text.replace("\n", " "), text.count("\n")
    tries = (fill(words, max(width, 1)) for width in range(len(words) // (breaks + 1), len(words) + 1))
    return next((lines for lines in tries if lines.count("\n") <= breaks), text)


def short(name: str, width: int = 18, lines: int = 1) -> str:
    """Return a name broken into a few lines, the rest left out.

    Examples
    --------
    >>> short("Amy Pope"), short("Wilhelmina Featherstonehaugh-Cholmondeley", 14)
    ('Amy Pope', 'Wilhelmina …')
    """
    if lines > 1:
        return fill(short(name, width * lines - lines), width)
    cut = shorten(name, width, placeholder=" …").strip()
    return cut if cut != "…" else f"{name[: width - 1]}…"


def count(number: int, thing: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> count(1, "run"), count(20_000, "run")
    ('1 run', '20\u202f000 runs')
    """
    return f"{thousands(number)} {thing}{'' if number == 1 else 's'}"


# -- colours -------------------------------------------------------------------------------------


def ink(colour: str) -> str:
    """Return a colour dark enough for text on white (contrast 4.5, WCAG 2).

    Examples
    --------
    >>> ink("#0072B2"), ink("#D55E00"), ink("#999999")
    ('#0072B2', '#C25400', '#767676')
    """
    dark = INKS.get(colour.upper(), colour)
    while contrast(dark) < 4.5:
        red, green, blue = to_rgb(dark)
        dark = to_hex((0.97 * red, 0.97 * green, 0.97 * blue)).upper()
    return dark


def contrast(colour: str) -> float:
    """Return the contrast of a colour to white, 1 to 21 (WCAG 2).

    Examples
    --------
    >>> round(contrast("#000000"), 1), round(contrast("#0072B2"), 1)
    (21.0, 5.2)
    """
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


# -- files ---------------------------------------------------------------------------------------


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


def save(drawn: Axes | Figure, path: str | Path) -> Path:
    """Write the figure to a file that knows how it was made.

    Parameters
    ----------
    drawn : Axes or Figure
        What a chart returned.
    path : str or Path
        A png, svg or pdf.  The provenance is in the file's metadata (`iomsim` in a png, `Source`
        in an svg, `Keywords` in a pdf) as JSON, the text alternative in `Description`, `<desc>`
        and `Subject`.  Written twice, an svg is the same byte for byte.

    Raises
    ------
    IomsimError
        If the file's ending is none of these.
    """
    path = Path(path)
    kind = path.suffix[1:].lower()
    if kind not in KINDS:
        raise IomsimError(f"a chart can be saved as {', '.join(KINDS)}; got {path.name!r}")
    path.write_bytes(written(drawn, kind))
    return path


def written(drawn: Axes | Figure, kind: str) -> bytes:
    """Return the file that a figure makes, as bytes."""
    found, out = captions(drawn), io.BytesIO()
    title, alt = "; ".join(c.title for c in found), " ".join(c.text for c in found)
    made = json.dumps(_common([c.provenance for c in found]), ensure_ascii=False)
    metadata: dict[str, dict[str, Any]] = {
        "png": {"Title": title, "Description": alt, "iomsim": made},
        "svg": {"Title": title, "Description": alt, "Source": made, "Date": None},
        "pdf": {"Title": title, "Subject": alt, "Keywords": made, "CreationDate": None},
    }
    fig = root(drawn)
    with styled():
        fig.savefig(out, format=kind, metadata=metadata[kind], dpi=200, bbox_inches="tight", pad_inches=0.08)
    return _spoken(out.getvalue().decode(), title, alt).encode() if kind == "svg" else out.getvalue()


def svg(drawn: Axes | Figure, width: int | None = None) -> str:
    """Return the figure as an SVG element, to be put into a page; `width` in pixels."""
    text = written(drawn, "svg").decode()
    text = text[text.index("<svg") :]
    if width is not None:
        text = re.sub(r'height="[^"]*"', "", text, count=1)
        text = re.sub(r'width="[^"]*"', f'width="{width}px"', text, count=1)
    return text


def _common(records: list[dict[str, Any]]) -> Any:
    """Return the one provenance that all charts share, or the list of those that differ."""
    different = [record for i, record in enumerate(records) if record not in records[:i]]
    return different[0] if len(different) == 1 else different


def _spoken(text: str, title: str, alt: str) -> str:
    """Give an SVG the title and description that screen readers look for."""
    head = text.index(">", text.index("<svg"))
    size = "max-width: 100%; height: auto"
    words = f"\n <title>{escape(title)}</title>\n <desc>{escape(alt)}</desc>"
    return f'{text[:head]} role="img" aria-label="{escape(alt)}" style="{size}">{words}{text[head + 1 :]}'


# -- the accessor --------------------------------------------------------------------------------


class Chart(Generic[P, R]):
    """A function of a result, shown as a method of the result's accessor.

    Its help is the function's own; the first argument is filled in.
    """

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self.function = function

    def __get__(self, plots: Accessor | None, owner: type) -> Callable[P, R]:
        """Return the function with the result filled in."""
        return self.function if plots is None else MethodType(self.function, plots._result)  # type: ignore[return-value]


class Accessor:
    """The charts of a result: ``.plot.<name>()`` draws, ``.plot.<name>_data()`` gives the numbers."""

    def __init__(self, result: Any) -> None:
        self._result = result

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the charts."""
        found = {name for kind in cls.__mro__ for name, value in vars(kind).items() if isinstance(value, Chart)}
        return sorted(name for name in found if not name.endswith("_data"))

    def draw(self, name: str, **options: Any) -> Figure:
        """Return a chart as a figure that nobody shows: for files and pages.

        Raises
        ------
        UnknownNameError
            If there is no such chart.
        """
        if name not in self.names():
            raise unknown("chart", name, self.names())
        chart, fig = getattr(self, name), Figure()
        where = "fig" if "fig" in signature(chart).parameters else "ax"
        chart(**{where: fig}, **options)
        return fig

    def save(self, name: str, path: str | Path, **options: Any) -> Path:
        """Draw a chart into a file; see :func:`iomsim.charts.save`."""
        return save(self.draw(name, **options), path)

    def svg(self, name: str, *, width: int | None = None, **options: Any) -> str:
        """Return a chart as an SVG element, for a page; `width` in pixels."""
        return svg(self.draw(name, **options), width)

    def alt(self, name: str, **options: Any) -> str:
        """Return a chart's text alternative."""
        return " ".join(caption.text for caption in captions(self.draw(name, **options)))

    def __repr__(self) -> str:
        """Return the names of the charts."""
        return f"charts: {', '.join(self.names())}"
