"""Several charts on one page, to be shared."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iomsim.charts.base import Page
from iomsim.charts.decision_time import DecisionTime
from iomsim.charts.rounds import Rounds
from iomsim.charts.style import dark, quiet, tiny
from iomsim.charts.text import short, tally_text
from iomsim.charts.trajectories import Trajectories
from iomsim.charts.win_probability import WinProbability
from iomsim.forecasting.forecast import Forecast
from iomsim.model.moments import full_date

MARGIN = 0.012
"""Where the words at the top and the bottom begin, as a part of the page's width."""


class Dashboard(Page[Forecast]):
    """Draw the forecast on one page: the answer in words, and who, how long, when and by how much.

    Both kinds of uncertainty are on it: the simulation error as whiskers and in the answer's last
    sentence, the range over the readings of the rules as hollow marks and in the same sentence.
    """

    def inches(self) -> tuple[float, float]:
        names = len(self.result.race.names)
        return 12.4, 9.0 if names == 2 else 11.2 if names < 5 else 14.0

    def finding(self) -> str:
        fc, day = self.result, self.result.race.as_of
        if fc.announced:
            return f"{fc.race.title}, after round {fc.announced} ({tally_text(fc, fc.announced)})"
        return f"{fc.race.title}, as of {full_date(day, weekday=True)}" if day else fc.race.title

    def reading(self) -> str:
        return self.result.answer()

    def panels(self, fig: Any, stamp: bool) -> None:
        fc, height = self.result, self.inches()[1]
        fig.set_layout_engine("none")  # once at the end is enough
        if stamp:
            fig.supxlabel(fill(fc.stamp(), 230), x=MARGIN, ha="left", fontsize=tiny(), color=quiet())
        words = fill(fc.answer(), 155, break_on_hyphens=False)
        top = 0.55 + 0.2 * (words.count("\n") + 1)
        look: dict[str, Any] = {"color": dark(), "ha": "left", "va": "top"}
        fig.text(MARGIN, 1 - 0.12 / height, short(self.finding(), 95), fontsize=16, weight="bold", **look)
        fig.text(MARGIN, 1 - 0.48 / height, words, fontsize=10, linespacing=1.35, **look)
        when, who, how_long, shares = _cells(fig, len(fc.race.names) > 2)
        for chart, ax in ((Rounds(fc), how_long), (WinProbability(fc), who), (Trajectories(fc), shares)):
            chart.draw(ax, stamp=False)
        fig.set_layout_engine("constrained", w_pad=0.12, h_pad=0.1, rect=(0, 0, 1, 1 - top / height))
        DecisionTime(fc).draw(when, stamp=False)  # last: its dots fit what the others leave


def _cells(fig: Figure, many: bool) -> list[Axes]:
    """Return the axes of the four charts; many candidates need more room for bars and shares."""
    if many:
        grid = fig.add_gridspec(3, 2, height_ratios=[0.8, 1, 1.25], width_ratios=[1.1, 1])
        cells = [grid[0, 0], grid[:2, 1], grid[1, 0], grid[2, :]]
    else:
        grid = fig.add_gridspec(2, 2, height_ratios=[0.95, 1], width_ratios=[1.1, 1])
        cells = [grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]]
    return [fig.add_subplot(cell) for cell in cells]
