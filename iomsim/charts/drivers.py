"""Which assumptions matter: the chance along each of the weightiest, on one page, or along one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from iomsim.charts.base import Chart, Page
from iomsim.charts.caption import written
from iomsim.charts.labels import note, place
from iomsim.charts.measures import lay_out, width_points, wrapped
from iomsim.charts.style import (
    LATER_DAY,
    NOBODY_GREY,
    PHONE_INCHES,
    haloed,
    ink,
    mark,
    on_a_phone,
    paper,
    pt,
    quiet,
    small,
    tiny,
)
from iomsim.charts.text import called_short, short, short_names, short_parameter, with_announced
from iomsim.charts.votes import votes_at, votes_scale
from iomsim.errors import whole_number
from iomsim.forecasting.drivers import READING, Drivers
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING
from iomsim.forecasting.targets import SPILL
from iomsim.house_style import percent

MOST = 6
"""Panels on a page."""

PER_LINE = {2: 2, 4: 2}
"""Panels beside one another, by their number; else three, or one."""

HIGHEST = 90
"""Of 100, over which there is no room for numbers over a curve."""

LONGEST_LABEL = 20
"""Letters of what an axis shows, up to which they stand beside it: the title has them too."""

BLUE = "#3B6FA0"
"""What has no colour of its own."""


class DriversChart(Chart[Drivers]):
    """What both charts share."""

    def source(self) -> Any:
        return self.result.forecast

    def reading(self) -> str:
        found, drawn = self.result, set(self.data.index.unique(0))
        what = "chance in 100" if found.is_chance else "mean number"
        draws = f"given {len(found.assumptions)} draws of the assumptions"
        curve = f"Curves: {what}, on average over all other assumptions; bands: {percent(95)} interval of the curve, "
        curve += f"{draws}, which are the ticks below."
        dots = f"Dots: readings of the rules, larger with more weight, with their {percent(95)} intervals."
        shares = (
            "In brackets: how much of the variance over the assumptions it explains by itself. Dashed: the headline."
        )
        whose = short_names(found.race.names, 28)[_whose(found)]
        votes = f"Votes: {whose}'s mean in the first round at that value."
        in_votes = [votes] * any(self._in_votes(path) for path in drawn - {READING})
        parts = [*[curve] * bool(drawn - {READING}), *in_votes, *[dots] * (READING in drawn), *[shares] * bool(drawn)]
        return " ".join(parts)

    def _in_votes(self, path: str) -> bool:
        """Return whether values of an assumption are told in votes too."""
        values = self.data.loc[path].index.to_numpy(dtype=float)[[0, -1]]
        return votes_at(self.result.race, path, values, _whose(self.result)) is not None


@dataclass(kw_only=True)
class DriversPage(Page[Drivers], DriversChart):
    """Draw the chance along each of the assumptions that matter most, side by side.

    A panel for each, the weightiest first: the chance on average over all other assumptions, with a band that
    holds the curve in 95 of 100 forecasts (from the luck of the draws and of the runs), and the draws as ticks below.
    Readings of the rules are dots, larger with more weight.  What is within noise is left out.

    Parameters
    ----------
    most : int, default 6
        Panels at most.

    Examples
    --------
    >>> import iomsim as iom
    >>> found = iom.forecast(iom.load("minimal"), runs=4000, seed=1, progress=False).drivers()
    >>> len(found.plot.drivers(most=2).axes)
    2
    """

    most: int = MOST

    def natural(self) -> tuple[float, float]:
        lines, across = self._grid
        if not len(self.shown):
            return 5.2, 1.6
        if on_a_phone():
            return PHONE_INCHES, 3.6 + 2.3 * lines
        return {1: 5.2, 2: 7.2, 3: 9.6}[across], 1.25 + 2.35 * lines

    @property
    def _grid(self) -> tuple[int, int]:
        """How many lines of how many panels there are."""
        count = max(len(self.shown), 1)
        across = 1 if on_a_phone() else PER_LINE.get(count, min(count, 3))
        return -(-count // across), across

    @cached_property
    def shown(self) -> pd.DataFrame:
        """The assumptions that are drawn, as in the table."""
        table = self.result.table()
        return table[table["clear"]].head(whole_number("most", self.most, 1))

    @cached_property
    def data(self) -> pd.DataFrame:
        """The curves that are drawn.

        One row per `parameter` and `value`: `chance`, and `low` and `high`, its 95 % interval; of the readings of the
        rules also their `weight`.
        """
        curves = {str(path): self.result.curve(str(path)).rename_axis("value") for path in self.shown.index}
        empty = pd.DataFrame(columns=["chance", "low", "high"], index=pd.MultiIndex.from_arrays([[], []]))
        return (pd.concat(curves) if curves else empty).rename_axis(["parameter", "value"])

    def finding(self) -> str:
        return _told(self.result, self.result.finding())

    def alt(self) -> str:
        told = "; ".join(f"{row['name']} {percent(100 * row['share'])}" for _, row in self.shown.iterrows())
        return f"Small multiples. {self.finding()}." + f" Part of the variance explained: {told}." * bool(told)

    def panels(self, fig: Any, stamp: bool) -> None:
        cells = fig.subplots(*self._grid, squeeze=False, sharey=True)
        for ax in cells.ravel()[max(len(self.shown), 1) :]:
            ax.remove()
        written(fig, self.finding(), (self.reading(), self.caption.stamp * stamp))
        if self.shown.empty:
            _nothing(cells[0, 0])
            return
        lay_out(cells[0, 0])  # so that names of readings break where they should
        for ax, path in zip(cells.ravel(), self.shown.index, strict=False):
            draw_curve(ax, self.result, str(path), self.data.loc[path])
            title = wrapped(ax, _panel_title(self.result, path, 46), pt(9), weight="bold")
            ax.set_title(title, loc="left", fontsize=pt(9))
        _scale(cells[0, 0], self.result, self.data)
        for ax in cells[:, 0]:
            ax.set_ylabel(_axis(self.result))
        for line in cells:
            last = [ax for ax in line if ax.figure is not None][-1]
            _headline(last, self.result)


@dataclass
class DriverCurve(DriversChart):
    """Draw the chance along one assumption, on average over all others.

    Parameters
    ----------
    parameter : str, optional
        A short name, a dotted path, a name from the table; or "rules".  Default: the one that matters most.

    Examples
    --------
    >>> import iomsim as iom
    >>> found = iom.forecast(iom.load("minimal"), runs=4000, seed=1, progress=False).drivers()
    >>> found.plot.curve_data("secrecy").columns.tolist()
    ['chance', 'low', 'high']
    """

    parameter: str | None = None
    size = (5.6, 4.2)

    @cached_property
    def path(self) -> str:
        """The assumption."""
        table = self.result.table()
        return str(table.index[0]) if self.parameter is None else self.result.path(self.parameter)

    @cached_property
    def data(self) -> pd.DataFrame:
        """The curve: by `parameter` and `value` the `chance`, and `low` and `high`, its 95 % interval."""
        return pd.concat({self.path: self.result.curve(self.path).rename_axis("value")}, names=["parameter"])

    def finding(self) -> str:
        return _told(self.result, self.result.along(self.path))

    def marks(self, ax: Axes) -> None:
        draw_curve(ax, self.result, self.path, self.data.loc[self.path])
        _scale(ax, self.result, self.data)
        label = wrapped(ax, _panel_title(self.result, self.path, 60), pt(9))
        ax.set(xlabel=label, ylabel=_axis(self.result))
        _headline(ax, self.result)


# -- marks ---------------------------------------------------------------------------------------


def draw_curve(ax: Axes, found: Drivers, path: str, curve: pd.DataFrame) -> None:
    """Draw the curve along one assumption: its band, the draws, and the values at its low and high."""
    scale, colour = (100 if found.is_chance else 1), mark(_colour(found))
    curve = curve.assign(**{name: scale * curve[name] for name in ("chance", "low", "high")})
    ax.axhline(scale * found.overall, color=quiet(), lw=0.9, ls=(0, (4, 3)), zorder=1)
    ax.grid(axis="y", lw=0.6)
    if path == READING:
        _readings(ax, curve, colour)
        return
    values = curve.index.to_numpy(dtype=float)
    ax.fill_between(values, curve["low"], curve["high"], color=colour, alpha=0.2, lw=0)
    ax.plot(values, curve["chance"], color=colour, lw=1.8)
    inside = found.assumptions[path].between(values[0], values[-1]).to_numpy()
    row = found.table().loc[path]
    for end in ("low", "high"):
        at, height = float(row[f"value_{end}"]), scale * float(row[f"at_{end}"])
        ax.plot([at], [height], "o", color=colour, ms=4.5, mec=paper(), mew=0.8, clip_on=False)
        said, edge = in_100(height / 100) if found.is_chance else f"{height:.1f}", at == values[0]
        under = found.is_chance and height > HIGHEST
        look: dict[str, Any] = {"color": ink(colour), "fontsize": small(), "path_effects": haloed(), "weight": "bold"}
        look |= {"ha": "left" if edge else "center", "va": "top" if under else "bottom"}
        note(ax, said, (at, height), (pt(3) * edge, pt(-6 if under else 6)), **look)
    ax.set_xlim(values[0], values[-1])
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    votes_scale(ax.xaxis, found.race, path, _whose(found))
    _rug(ax, found.assumptions[path].to_numpy()[inside], found.effects.answers.weight[inside])


def _rug(ax: Axes, values: Any, weight: Any) -> None:
    """Draw the draws as ticks on the axis, fainter where few runs follow them: a line for all that are as faint."""
    faintness = np.ceil(10 * weight / weight.max()).clip(1) / 10
    for part in np.unique(faintness):
        x = np.repeat(values[faintness == part], 3)
        y = np.tile([0, 0.035, np.nan], x.size // 3)
        ax.plot(x, y, color=quiet(), alpha=0.55 * part, lw=0.6, transform=ax.get_xaxis_transform(), zorder=1)


def _readings(ax: Axes, curve: pd.DataFrame, colour: str) -> None:
    """Draw the readings of the rules as dots with their 95 % intervals, from the lowest chance to the highest."""
    curve = curve.sort_values("chance", kind="stable")
    places = np.arange(len(curve))
    ax.vlines(places, curve["low"], curve["high"], color=colour, lw=1.3)
    ax.scatter(places, curve["chance"], s=18 + 220 * curve["weight"], color=colour, lw=0, zorder=3, clip_on=False)
    letters = max(int(width_points(ax) / len(curve) / (0.6 * tiny())), 5)
    names = [
        f"{fill(str(name), letters, break_long_words=False)}\n{percent(100 * weight)}"
        for name, weight in curve["weight"].items()
    ]
    ax.set_xticks(places, names, fontsize=tiny())
    ax.set_xlim(-0.5, len(curve) - 0.5)


def _headline(ax: Axes, found: Drivers) -> None:
    """Write the headline's value at the right of its line."""
    value = found.overall
    said, height = (in_100(value), 100 * value) if found.is_chance else (f"{value:.1f}", value)
    place_ = {
        "xycoords": ("axes fraction", "data"),
        "ha": "left",
        "va": "center",
        "color": quiet(),
        "fontsize": small(),
    }
    note(ax, said, (1, height), (pt(4), 0), **place_)


def _scale(ax: Axes, found: Drivers, data: pd.DataFrame) -> None:
    """Have the axis of chances go from 0 to a little above what is drawn."""
    top = max(float(data["high"].max()), found.overall)
    ax.set_ylim(0, min(115 * top, 103) if found.is_chance else 1.15 * top)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 2.5, 5, 10]))


def _nothing(ax: Axes) -> None:
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])
    place(ax, (0.5, 0.5), "No assumption stands out from noise.", (0, 0), ha="center", va="center", color=quiet())


# -- words ---------------------------------------------------------------------------------------


def _told(found: Drivers, sentence: str) -> str:
    return with_announced(found.forecast, called_short(sentence, found.race.names))  # type: ignore[arg-type]


def _panel_title(found: Drivers, path: str, width: int) -> str:
    """Return the name of an assumption, cut short, with its share."""
    row = found.table().loc[path]
    share = f" ({percent(in_100(min(row['share'], 1.0)))})"
    return short_parameter(called_short(row["name"], found.race.names, 20), width) + share


def _axis(found: Drivers) -> str:
    if not found.is_chance:
        return short(found.label, 32)
    return f"{found.label}, in 100" if len(found.label) <= LONGEST_LABEL else "chance in 100"


def _whose(found: Drivers) -> str:
    """Return whose votes are told: those of the candidate that is asked for, or of the first."""
    return found.target if found.target in found.race.names else found.race.names[0]


def _colour(found: Drivers) -> str:
    greys = {NOBODY: NOBODY_GREY, NO_WINNER: NOBODY_GREY, STILL_VOTING: NOBODY_GREY, SPILL: LATER_DAY}
    return found.race.colours.get(found.target) or greys.get(found.target, BLUE)
