"""Several charts on one page, to be shared."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iomsim.charts import decision_time, rounds, trajectories, win_probability
from iomsim.charts.base import Caption, page, remember
from iomsim.charts.facts import said
from iomsim.charts.style import DARK, QUIET, TINY
from iomsim.charts.text import short

if TYPE_CHECKING:
    from iomsim.forecasting.forecast import Forecast

EDGE = 0.012
"""Where the words at the top and the bottom begin, as a part of the page's width."""


def dashboard(fc: Forecast, *, fig: Figure | None = None) -> Figure:
    """Draw the forecast on one page: the answer in words, and who, how long, when and by how much.

    Both kinds of uncertainty are on it: the simulation error as whiskers and in the answer's last
    sentence, the range over the rule sets as hollow marks and in the same sentence.

    Parameters
    ----------
    fc : Forecast
        What to draw.
    fig : Figure, optional
        An empty figure to draw in; a new one by default.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fig = fc.plot.dashboard()
    >>> len(fig.axes)
    4
    """
    many = len(fc.race.names) > 2
    height = (11.2 if len(fc.race.names) < 5 else 14.0) if many else 9.0
    with page(fig, (12.4, height)) as drawn:
        drawn.set_layout_engine("none")  # once at the end is enough
        drawn.supxlabel(fill(fc.stamp(), 230), x=EDGE, ha="left", fontsize=TINY, color=QUIET)
        words = fill(fc.answer(), 155)
        top = 0.55 + 0.2 * (words.count("\n") + 1)
        _answer(drawn, heading(fc), words, height)
        when, who, how_long, shares = _places(drawn, many)
        rounds.rounds(fc, ax=how_long, stamp=False)
        win_probability.win_probability(fc, ax=who, stamp=False)
        trajectories.trajectories(fc, ax=shares, stamp=False)
        drawn.set_layout_engine("constrained", w_pad=0.12, h_pad=0.1, rect=(0, 0, 1, 1 - top / height))
        decision_time.decision_time(fc, ax=when, stamp=False)  # last: its dots fit what the others leave
        remember(drawn, Caption(heading(fc), fc.answer(), "", fc.stamp(), fc.provenance))
    return drawn


def _places(fig: Figure, many: bool) -> list[Axes]:
    """Return the axes of the four charts; many candidates need more room for bars and shares."""
    if many:
        grid = fig.add_gridspec(3, 2, height_ratios=[0.8, 1, 1.25], width_ratios=[1.1, 1])
        cells = [grid[0, 0], grid[:2, 1], grid[1, 0], grid[2, :]]
    else:
        grid = fig.add_gridspec(2, 2, height_ratios=[0.95, 1], width_ratios=[1.1, 1])
        cells = [grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]]
    return [fig.add_subplot(cell) for cell in cells]


def heading(fc: Forecast) -> str:
    """Return the title of the page, with the day it speaks of."""
    if fc.announced:
        return f"{fc.race.title}, after round {fc.announced} ({said(fc, fc.announced)})"
    day = fc.race.as_of
    return f"{fc.race.title}, as of {day:%A} {day.day} {day:%B %Y}" if day else fc.race.title


def _answer(fig: Figure, title: str, words: str, height: float) -> None:
    """Write the heading and the answer at the top."""
    look: dict[str, Any] = {"color": DARK, "ha": "left", "va": "top"}
    fig.text(EDGE, 1 - 0.12 / height, short(title, 95), fontsize=16, weight="bold", **look)
    fig.text(EDGE, 1 - 0.48 / height, words, fontsize=10, linespacing=1.35, **look)
