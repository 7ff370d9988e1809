"""What all charts share: the class, with its numbers, its marks, its words and its options.

A chart is a subclass of :class:`Chart` (of :class:`Page` if it fills a figure).  Its docstring is the
help of ``result.plot.<name>`` and its fields are the options; `ax` and `stamp` are handled here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from iomsim.charts.canvas import colour_of, dressed, page, steady
from iomsim.charts.caption import Caption, finish, keep_order, remember
from iomsim.charts.measures import root
from iomsim.charts.room import find_room
from iomsim.charts.style import FONT_SIZE, PHONE_INCHES, Theme, on_a_phone, shrink_letters, styled
from iomsim.charts.text import with_announced
from iomsim.forecasting.forecast import Forecast

R = TypeVar("R")

ENOUGH = 0.7
"""The part of its natural area that a chart needs at least for the letters in force."""

HIGHER_ON_A_PHONE = 1.35
"""How much higher a narrow chart is: its words take more lines."""


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
        larger = mpl.rcParams["font.size"] / FONT_SIZE
        if [wide, high] != mpl.rcParamsDefault["figure.figsize"]:
            return wide, high if self.natural() == self.size else height * larger
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
        if isinstance(target, Axes):
            with styled(theme, colour_of(root(target)), self.words()):
                ax = dressed(target, theme)
                find_room(ax, lambda tried: self._onto(dressed(tried, None), stamp))
                self._onto(dressed(ax, None), stamp)
        else:
            with page(target, theme, self.words(), self.inches) as fig:
                if isinstance(fig, Figure) and not on_a_phone():  # a size of the user's may be small for the letters
                    wanted = ENOUGH * math.prod(self.natural()) * (mpl.rcParams["font.size"] / FONT_SIZE) ** 2
                    shrink_letters((math.prod(fig.get_size_inches()) / wanted) ** 0.5)
                self._onto(ax := fig.add_subplot(), stamp)
        keep_order(ax)
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
        with page(target, theme, self.words(), self.inches) as fig:
            self.panels(fig, stamp)
            keep_order(fig)
            remember(fig, self.caption)
        return fig
