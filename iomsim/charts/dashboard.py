"""Several charts on one page, to be shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iomsim.charts.base import Chart, Page
from iomsim.charts.caption import EDGE
from iomsim.charts.decision_time import DecisionTime
from iomsim.charts.measures import lines_of
from iomsim.charts.rounds import Rounds
from iomsim.charts.style import dark, on_a_phone, pt, quiet, tiny
from iomsim.charts.text import tally_text
from iomsim.charts.trajectories import Trajectories
from iomsim.charts.win_probability import WinProbability
from iomsim.forecasting.forecast import Forecast
from iomsim.model.moments import full_date

LINE = 1.17
"""How high a line of letters is, in their size."""

TITLE, ANSWER = 16.0, 10.0
"""Points of the title and of the answer; on a phone they are smaller."""

ON_A_PHONE = 0.85
"""How much smaller."""

RIM = 0.1
"""Inches over what is written."""

LEADING = 1.4
"""From line to line, in the size of the letters."""


class Dashboard(Page[Forecast]):
    """Draw the forecast on one page: the answer in words, and who, how long, when and by how much.

    Both kinds of uncertainty are on it: the simulation error in the answer's last sentence, the range over the
    assumptions as lines, that over the readings of the rules as hollow marks.  On a phone the charts stand below one
    another.
    """

    @property
    def charts(self) -> list[Chart[Forecast]]:
        """The charts of the page."""
        return [chart(self.result) for chart in (DecisionTime, WinProbability, Rounds, Trajectories)]

    def natural(self) -> tuple[float, float]:
        """Return the size for the house's letters."""
        names = len(self.result.race.names)
        return 12.4, 9.0 if names == 2 else 11.2 if names < 5 else 14.0

    def inches(self) -> tuple[float, float]:
        """Return the size of a figure that is made for the page; on a phone as high as what stands on it."""
        width, height = super().inches()
        if on_a_phone():
            height = sum(chart.inches()[1] for chart in self.charts) + self._head(width).high + self._foot(width).high
        return width, height

    def finding(self) -> str:
        fc, day = self.result, self.result.race.as_of
        if fc.announced:
            return f"{fc.race.title}, after round {fc.announced} ({tally_text(fc, fc.announced)})"
        return f"{fc.race.title}, as of {full_date(day, weekday=True)}" if day else fc.race.title

    def reading(self) -> str:
        return self.result.answer()

    def _head(self, width: float) -> Words:
        """Return what stands over the charts, for a page so wide."""
        part = ON_A_PHONE if on_a_phone() else 1.0
        title, answer = self.caption.title, self.caption.reading
        return Words(width, [(title, pt(TITLE * part), "bold"), (answer, pt(ANSWER * part), "normal")])

    def _foot(self, width: float) -> Words:
        """Return what stands under the charts."""
        return Words(width, [(self.result.stamp(), tiny(), "normal")])

    def panels(self, fig: Any, stamp: bool) -> None:
        width, height = fig.bbox.size / fig.figure.dpi
        head, foot = self._head(width), self._foot(width)
        head.write(fig, height, dark())
        if stamp:
            foot.write(fig, foot.high, quiet())
        if isinstance(fig, Figure):
            fig.set_layout_engine("none")  # each chart finds room in its own part of the page
        many = len(self.result.race.names) > 2
        cells = _cells(fig, many, (foot.high / height, 1 - head.high / height), [c.inches()[1] for c in self.charts])
        for chart, ax in zip(self.charts, cells, strict=True):
            chart.draw(ax, stamp=False)


@dataclass(frozen=True)
class Words:
    """Texts below one another on a page: each with its size in points and its weight."""

    width: float
    texts: list[tuple[str, float, str]]

    @property
    def lines(self) -> list[str]:
        """The texts, broken into lines that are as wide as the page."""
        points = 72 * self.width * (1 - 2 * EDGE)
        return [lines_of(text, points, size, weight) for text, size, weight in self.texts]

    @property
    def heights(self) -> list[float]:
        """How high each is, with the space under it, in inches."""
        return [
            (LEADING * (text.count("\n") + 1) + 0.6) * size / 72
            for text, (_, size, _) in zip(self.lines, self.texts, strict=True)
        ]

    @property
    def high(self) -> float:
        """How high all are, in inches."""
        return sum(self.heights) + 1.5 * RIM

    def write(self, fig: Any, top: float, colour: str) -> None:
        """Write them on a page, from a height above its bottom on, in inches."""
        whole = fig.bbox.height / fig.figure.dpi
        look: dict[str, Any] = {"color": colour, "ha": "left", "va": "top", "linespacing": LEADING / LINE}
        top -= RIM
        for text, high, (_, size, weight) in zip(self.lines, self.heights, self.texts, strict=True):
            fig.text(EDGE, top / whole, text, fontsize=size, weight=weight, **look)
            top -= high


def _cells(fig: Any, many: bool, floor_and_top: tuple[float, float], heights: list[float]) -> list[Axes]:
    """Return the axes of the charts: below one another on a phone; many candidates need room for bars and shares."""
    bottom, top = floor_and_top
    edges: dict[str, float] = {"left": 0, "right": 1, "bottom": bottom, "top": top, "wspace": 0.03, "hspace": 0.06}
    if on_a_phone():
        grid = fig.add_gridspec(len(heights), 1, height_ratios=heights, **edges)
        cells = [grid[line, 0] for line in range(len(heights))]
    elif many:
        grid = fig.add_gridspec(3, 2, height_ratios=[0.8, 1, 1.25], width_ratios=[1.1, 1], **edges)
        cells = [grid[0, 0], grid[:2, 1], grid[1, 0], grid[2, :]]
    else:
        grid = fig.add_gridspec(2, 2, height_ratios=[0.95, 1], width_ratios=[1.1, 1], **edges)
        cells = [grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]]
    return [fig.add_subplot(cell) for cell in cells]
