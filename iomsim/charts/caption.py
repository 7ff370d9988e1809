"""What a chart says in words, and where that is written: the title, how to read it, and its stamp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import ScaledTranslation

from iomsim.charts.fonts import isolated, joins_letters
from iomsim.charts.labels import place
from iomsim.charts.measures import (
    NARROW,
    balanced,
    lay_out,
    lines_of,
    overhang,
    room_points,
    root,
    width_points,
    wrapped,
)
from iomsim.charts.style import pt, quiet, small, tiny, title_size

PAGE_TITLE = 12
"""Points: the title of a page, for the house's letters."""

EDGE = 0.012
"""Where the words of a page begin, as a part of its width."""


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


def remember(drawn: Axes | Figure | SubFigure, caption: Caption) -> None:
    """Attach a caption to what was drawn."""
    drawn._iomsim_caption = caption  # type: ignore[union-attr]


def captions(drawn: Axes | Figure | SubFigure) -> list[Caption]:
    """Return the captions in a figure: its own, or those of its axes."""
    fig = root(drawn)
    own = [getattr(fig, "_iomsim_caption", None)]
    found = own if own[0] else [getattr(ax, "_iomsim_caption", None) for ax in fig.axes]
    return [caption for caption in found if caption is not None]


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


def _headline(ax: Axes, title: str, reading: str, above: float) -> None:
    """Write the title, and under it how to read the chart, wrapped to the width of the axes.

    Over narrow axes they are as wide as all that is drawn.
    """
    large = title_size()
    left, right, _ = overhang(ax) if width_points(ax) < pt(NARROW) else (0.0, 0.0, 0.0)
    lines = wrapped(ax, reading, small(), left + right)
    pad = above + pt(6.8) + 0.2 * large + (lines.count("\n") + 1) * small() * 1.35 * bool(lines)
    ax.title = LeftTitle(left)
    ax.title.set(figure=ax.figure, clip_on=False)
    ax.title.axes = ax
    room = room_points(ax, large, left + right)
    ax.set_title(balanced(title, room, large, mpl.rcParams["axes.titleweight"]), pad=pad)
    if lines:
        look: dict[str, Any] = {"fontsize": small(), "color": quiet(), "linespacing": 1.2, "in_layout": False}
        place(ax, (0, 1), lines, (-left, above + pt(7)), ha="left", va="bottom", **look)


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


def _below(ax: Axes, text: str) -> None:
    """Write in small print under everything that is drawn."""
    left, _, depth = overhang(ax)
    words = wrapped(ax, text, tiny(), left)
    place(ax, (0, 0), words, (-left, -depth - pt(7)), ha="left", va="top", fontsize=tiny(), color=quiet())


def keep_order(drawn: Axes | Figure | SubFigure) -> None:
    """Isolate words from right to left in all that is drawn, where matplotlib sets them so."""
    if not joins_letters():
        return
    for text in drawn.findobj(Text):
        text.set_text(isolated(text.get_text()))
    for axis in drawn.findobj(Axis):
        if isinstance(axis.get_major_locator(), FixedLocator):  # the words are in its formatter
            labels = axis.get_major_formatter().format_ticks([*axis.get_majorticklocs()])
            if (ordered := [*map(isolated, labels)]) != labels:
                axis.set_ticklabels(ordered)


def written(fig: Any, title: str, texts: Sequence[str]) -> None:
    """Write the title of a page over its panels and texts below them, in lines as wide as the figure."""
    points, size = 72 * fig.bbox.width / root(fig).dpi * (1 - 2 * EDGE), pt(PAGE_TITLE)
    fig.suptitle(lines_of(title, points, size, "bold"), x=EDGE, ha="left", fontsize=size, weight="bold")
    below = [lines_of(text, points, small()) for text in texts if text]
    fig.supxlabel("\n".join(below), x=EDGE, ha="left", fontsize=small(), color=quiet())
