"""When voting ends: fifty equally likely elections on a clock without its nights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from iomsim.charts.base import (
    DARK,
    FAINT,
    FIRST_DAY,
    LATER_DAY,
    QUIET,
    SMALL,
    Caption,
    canvas,
    count,
    finish,
    ink,
    key,
    lay_out,
    root,
    row,
    short,
)
from iomsim.charts.facts import headed, said
from iomsim.clock import DAY, minute_of
from iomsim.errors import IomsimError, whole_number
from iomsim.forecast import NO_WINNER

if TYPE_CHECKING:
    from iomsim.forecast import Forecast

DOTS = 50
"""Equally likely elections; fifty are few enough to count and many enough to decide by."""

BIN = 30
"""Minutes of a stack of dots."""

GAP = 3.0
"""Width of a night, in stacks."""

HEAD = 28.0
"""Points above the axes for the names of the days."""

NEVER = np.iinfo(np.int64).max
OFF = "later or never"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Day:
    """A day on the axis: from where to where it is shown, in minutes, and where it begins, in stacks."""

    start: int
    stop: int
    x: float

    @property
    def end(self) -> float:
        """Where the day ends, in stacks."""
        return self.x + (self.stop - self.start) / BIN

    def place(self, minute: Any) -> Any:
        """Return where a minute lies, in stacks."""
        return self.x + (minute - self.start) / BIN


# -- the numbers ---------------------------------------------------------------------------------


def decision_time_data(fc: Forecast, n_dots: int = DOTS, days: int = 2) -> pd.DataFrame:
    """Return the dots: equally likely elections in the order in which their voting ends.

    Each stands for the same share of the runs and takes the middle one's end (quantiles at
    ``(i - 1/2) / n_dots``, inverted distribution).  Winners are dealt so that every winner's dots
    keep pace with its share of the runs; a dot's winner is not that of the middle run.

    Parameters
    ----------
    fc : Forecast
        What to draw.
    n_dots : int, default 50
        Number of dots.
    days : int, default 2
        Days with a sitting on the axis.

    Returns
    -------
    DataFrame
        By dot, from 1: `ended_at` (missing if voting is never over), `day` ("Monday", ..., or
        "later or never" off the axis), `spills` (after the opening day) and `winner`.
    """
    number = whole_number("n_dots", n_dots, 1)
    minute = np.sort(_quantiles(fc, (np.arange(number) + 0.5) / number))
    ended = [fc.opening_date + timedelta(minutes=int(m)) if m < NEVER else pd.NaT for m in minute]
    shown = _shown(fc, days)
    return pd.DataFrame(
        {
            "ended_at": pd.to_datetime(pd.Series(ended)),
            "day": [f"{when:%A}" if m // DAY in shown else OFF for when, m in zip(ended, minute, strict=True)],
            "spills": minute >= DAY,
            "winner": _dealt(fc, int((minute < NEVER).sum())) + [NO_WINNER] * int((minute == NEVER).sum()),
        }
    ).set_axis(pd.RangeIndex(1, number + 1, name="dot"))


def _quantiles(fc: Forecast, probability: Floats) -> NDArray[np.int64]:
    """Return quantiles of the minute in which voting ends, `NEVER` for what is never over."""
    minute, count = (fc.summary.ends[key].to_numpy() for key in ("minute", "count"))
    minute = np.where(minute < 0, NEVER, minute)
    order = np.argsort(minute, kind="stable")
    cumulative = np.cumsum(count[order])
    rank = np.ceil(probability * cumulative[-1] - 1e-9).clip(1)
    return minute[order][np.searchsorted(cumulative, rank)]


def _dealt(fc: Forecast, number: int) -> list[str]:
    """Deal dots to winners: each goes to who is furthest behind the due share of the runs so far."""
    ends = fc.summary.ends
    ends = ends[ends["minute"] >= 0].sort_values("minute", kind="stable")
    codes = [*range(len(fc.scenario.names)), -1]
    hits = np.array([np.cumsum(np.where(ends["winner"] == k, ends["count"], 0)) for k in codes])
    runs = np.cumsum(ends["count"].to_numpy())
    names, dealt = [], np.zeros(len(codes))
    for dot in range(1, number + 1):
        mark = dot / number * runs[-1]
        due = [np.interp(mark, np.append(0, runs), np.append(0, row)) for row in hits] / runs[-1] * number
        first = int(np.argmax(due - dealt))
        dealt[first] += 1
        names.append([*fc.scenario.names, NO_WINNER][codes[first]])
    return names


def _shown(fc: Forecast, days: int) -> list[int]:
    """Return the days on the axis, counted from the opening date: the first ones with a sitting.

    If rounds have been announced, they begin with the first day that may still end it.
    """
    sittings = np.unique(fc.scenario.clock.calendar().opens // DAY).astype(int)
    first = _earliest(fc) // DAY if fc.announced else 0
    return [int(day) for day in sittings[sittings >= first][: whole_number("days", days, 1)]]


def _earliest(fc: Forecast) -> int:
    """Return the minute before which no run ends."""
    minute = fc.summary.ends["minute"]
    return int(minute[minute >= 0].min()) if (minute >= 0).any() else 0


# -- the picture ---------------------------------------------------------------------------------


def decision_time(
    fc: Forecast,
    *,
    ax: Axes | Figure | SubFigure | None = None,
    by: str = "winner",
    n_dots: int = DOTS,
    days: int = 2,
    stamp: bool = True,
) -> Axes:
    """Draw when voting ends: a quantile dotplot on a clock without its nights.

    Each dot is one of `n_dots` equally likely elections, so a question such as "is it over by
    lunch?" is answered by counting.  What ends after the days shown, or never, is in the last column.

    Parameters
    ----------
    fc : Forecast
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    by : {"winner", "day"}
        What the colours say.
    n_dots : int, default 50
        Number of dots.
    days : int, default 2
        Days with a sitting on the axis.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Raises
    ------
    IomsimError
        If `by` is neither "day" nor "winner", or there is no whole number of dots or days.

    References
    ----------
    Fernandes, Walls, Munson, Hullman and Kay (2018), Uncertainty displays using quantile dotplots
    or CDFs improve transit decision-making, *CHI 2018*.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.decision_time_data(n_dots=20).shape
    (20, 4)
    """
    if by not in ("day", "winner"):
        raise IomsimError(f"dots can be coloured by 'day' or 'winner', got {by!r}")
    data = decision_time_data(fc, n_dots, days)
    with canvas(ax, (7.2, 3.3)) as ax:
        clock, off = _clock(fc, data, days), int((data["day"] == OFF).sum())
        width = max(4, -(-off // 7)) if off else 0
        right = clock[-1].end + (GAP + width if off else 0.0)
        ax.set(xlim=(-0.3, right + 0.3), ylim=(0, 1), yticks=[])
        _axis(ax, fc, clock)
        _nights(ax, fc, clock)
        _days(ax, fc, data, clock)
        _past(ax, fc, clock)
        if off:
            ax.plot([right - width, right], [0, 0], color=QUIET, lw=1.6, ls=":", clip_on=False)
            row(ax, "", [right - width / 2], [f"later or\nnever: {off}"], 0)
        if by == "winner":
            _key(ax, fc, data)
        finish(ax, _caption(fc, data, by), stamp, above=HEAD)
        _dots(ax, fc, data, by, clock, (right - width, width))
    return ax


def _caption(fc: Forecast, data: pd.DataFrame, by: str) -> Caption:
    late, day = int(data["spills"].sum()), f"{fc.next_day:%A}"
    reading = f"Each dot is 1 in {len(data)} elections, placed where its voting ends"
    reading += ", in the winner's colour." if by == "winner" else "."
    places = "; ".join(f"{day} {n}" for day, n in data["day"].value_counts(sort=False).items())
    alt = f"Dot plot of when voting ends, {len(data)} equally likely elections: {places}. {late} on {day} or later."
    return Caption(headed(fc, finding(fc)), reading, alt, fc.stamp(), fc.provenance)


def finding(fc: Forecast) -> str:
    """Return how often voting runs into the next day."""
    return f"Voting runs into {fc.next_day:%A} in {str(fc.spill()).replace(' in ', ' of ')} elections"


def _clock(fc: Forecast, data: pd.DataFrame, days: int) -> list[Day]:
    """Lay the days out side by side: their sittings, and as far on as their dots go."""
    sittings = [minute_of(moment) for sitting in fc.scenario.clock.sittings for moment in sitting]
    opens = minute_of(fc.scenario.clock.opens.time())
    minutes = (data["ended_at"].dropna() - fc.opening_date) / pd.Timedelta(minutes=1)
    out: list[Day] = []
    for day in _shown(fc, days):
        dots = minutes[minutes // DAY == day]
        start = max(sittings[0], opens if day == 0 and opens < sittings[-1] else 0)
        start = day * DAY + min(start, int(dots.min()) - day * DAY if len(dots) else start)
        if fc.announced and not out:  # what may come begins with a stack of its own
            start = _earliest(fc) + (start - _earliest(fc)) // BIN * BIN
        last = max(day * DAY + sittings[-1], int(dots.max()) + 1 if len(dots) else 0)
        bins = -(-(last - start) // BIN)
        out.append(Day(start, start + bins * BIN, out[-1].end + GAP if out else 0.0))
    return out


def _axis(ax: Axes, fc: Forecast, clock: list[Day]) -> None:
    """Draw the hours, one stretch of axis a day, and shade the breaks between sittings."""
    ax.spines[["bottom", "left"]].set_visible(False)
    sittings = [minute_of(moment) for sitting in fc.scenario.clock.sittings for moment in sitting]
    for day in clock:
        ax.plot([day.x, day.end], [0, 0], color=QUIET, lw=1.6, clip_on=False)
        midnight = day.start // DAY * DAY
        for close, opens in pairwise(sittings[1:-1]):
            left, right = day.place(midnight + close), day.place(midnight + opens)
            if sittings.index(close) % 2 and left >= day.x:
                ax.axvspan(left, right, color=FAINT, lw=0, zorder=0)
                _label(ax, (left + right) / 2, "lunch" if close < 14 * 60 <= opens + 60 else "break")
    marks = _hours(fc, clock, sittings, apart=29 / points_per_unit(ax))
    ax.set_xticks(list(marks), list(marks.values()))


def _hours(fc: Forecast, clock: list[Day], sittings: list[int], apart: float) -> dict[float, str]:
    """Return places and names of hours: those of the sittings first, then later ones where there is room."""
    opens, later = minute_of(fc.scenario.clock.opens.time()), range(sittings[-1] + 180, DAY, 180)
    marks: dict[float, str] = {}
    for hours in ({*sittings, opens}, later):
        for day in clock:
            midnight = day.start // DAY * DAY
            for minute in sorted(hours):
                x = day.place(midnight + minute)
                skipped = minute < opens if not midnight else minute == opens and opens not in sittings
                if not skipped and day.x <= x <= day.end and all(abs(x - mark) >= apart for mark in marks):
                    marks[x] = f"{minute // 60}:{minute % 60:02}"
    return marks


def _label(ax: Axes, x: float, text: str) -> None:
    ax.annotate(
        text, (x, 1), xytext=(0, -3), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="center", va="top", color=QUIET, fontsize=SMALL - 1,
    )  # fmt: skip


def _nights(ax: Axes, fc: Forecast, clock: list[Day]) -> None:
    for before, after in pairwise(clock):
        between = range(before.start // DAY + 1, after.start // DAY)
        weekend = any((fc.opening_date + timedelta(days=day)).weekday() > 4 for day in between)
        ax.text(
            before.end + GAP / 2, 0.04, "weekend" if weekend else "no sitting" if between else "night", rotation=90,
            ha="center", va="bottom", color=QUIET, fontsize=SMALL - 1, transform=ax.get_xaxis_transform(),
        )  # fmt: skip


def _days(ax: Axes, fc: Forecast, data: pd.DataFrame, clock: list[Day]) -> None:
    """Name the days, shade those after the first, and count their dots."""
    late = int(data["spills"].sum())
    counts = {
        False: f"{len(data) - late} of {len(data)} dots",
        True: f"{late} of {len(data)} dots on {fc.next_day:%A} or later",
    }
    for day in clock:
        spills = day.start >= DAY
        moment = fc.opening_date + timedelta(minutes=day.start)
        _head(ax, day.x, f"{moment:%A} {moment.day} {moment:%B}", 0, DARK)
        if spills and counts:
            ax.axvspan(day.x - 0.3, ax.get_xlim()[1], color=LATER_DAY, alpha=0.07, lw=0, zorder=0)
        if spills in counts:
            _head(ax, day.x, counts.pop(spills), 1, LATER_DAY if spills else QUIET)


def _head(ax: Axes, x: float, text: str, line: int, colour: str) -> None:
    ax.annotate(
        text, (x, 1), xytext=(0, 16 - 12 * line), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="left", va="bottom", color=colour, weight="bold", fontsize=SMALL,
    )  # fmt: skip


def _past(ax: Axes, fc: Forecast, clock: list[Day]) -> None:
    """Shade what has passed in a forecast of election day, and say what was announced."""
    if not fc.announced:
        return
    first, day = _earliest(fc), clock[0]
    right = min(day.place(first), day.end)
    ax.axvspan(day.x, right, color="#DDDDDD", lw=0, zorder=0)
    ax.plot([day.x, right], [0, 0], color=DARK, lw=4, solid_capstyle="butt", clip_on=False)
    moment = fc.opening_date + timedelta(minutes=first)
    words = [
        f"not over\nbefore {moment.hour}:{moment:%M}",
        "announced:",
        *(said(fc, r) for r in range(1, fc.announced + 1)),
    ]
    narrow = (right - day.x) * points_per_unit(ax) < 58
    at, ha = (right - 0.2, "right") if narrow else ((day.x + right) / 2, "center")
    ax.text(
        at, 0.04, "\n".join(words), ha=ha, va="bottom", fontsize=SMALL - 1, weight="bold",
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip


def _key(ax: Axes, fc: Forecast, data: pd.DataFrame) -> None:
    """Say which winner has which colour, and how many dots."""
    colours, counts, names = fc.scenario.colours, data["winner"].value_counts(), [*fc.scenario.names, NO_WINNER]
    words = [f"{short(name)}: {count(int(counts.get(name, 0)), 'dot')}" for name in names]
    handles = [Line2D([], [], marker="o", ls="", color=colours[name]) for name in names]
    key(ax, handles, words, [ink(colours[name]) for name in names])


def _dots(ax: Axes, fc: Forecast, data: pd.DataFrame, by: str, clock: list[Day], block: tuple[float, int]) -> None:
    """Stack the dots, as large as fits: so many side by side in a stack that the tallest stays below the heads."""
    lay_out(ax)
    frame = ax.get_window_extent()
    unit = frame.width / np.ptp(ax.get_xlim())
    room = (frame.height - 16 / 72 * root(ax).dpi) / unit
    stack = _stacks(data, fc, clock)
    side = next(side for side in range(1, len(data) + 1) if _height(stack, block[1], side) <= room)
    codes = data["winner"].map({name: k for k, name in enumerate([*fc.scenario.names, NO_WINNER])})
    offsets = _offsets(stack, codes.to_numpy(), block, side)
    colours = (
        data["winner"].map(fc.scenario.colours) if by == "winner" else np.where(data["spills"], LATER_DAY, FIRST_DAY)
    )
    size = np.full(len(data), 0.92 / side)
    ax.set_ylim(0, frame.height / unit)
    ax.add_collection(
        EllipseCollection(
            size, size, np.zeros(len(data)), units="x", offsets=offsets, offset_transform=ax.transData,
            facecolors=list(colours), lw=0, label="dots",
        ),
        autolim=False,
    )  # fmt: skip


def _stacks(data: pd.DataFrame, fc: Forecast, clock: list[Day]) -> Floats:
    """Return the left edge of each dot's stack, NaN for those off the axis."""
    minutes = (data["ended_at"] - fc.opening_date) / pd.Timedelta(minutes=1)
    out = np.full(len(data), np.nan)
    for day in clock:
        here = ((minutes >= day.start) & (minutes < day.stop)).to_numpy()
        out[here] = np.floor(day.place(minutes[here]))
    return out


def _height(stack: Floats, width: int, side: int) -> float:
    """Return the height of the tallest stack with so many dots side by side."""
    _, counts = np.unique(stack[~np.isnan(stack)], return_counts=True)
    off = int(np.isnan(stack).sum())
    rows = max(-(-counts.max(initial=0) // side), -(-off // (width * side)) if off else 0)
    return rows / side


def _offsets(stack: Floats, order: NDArray[np.int64], block: tuple[float, int], side: int) -> Floats:
    """Return the centres of the dots; those of one stack are set in the given order."""
    out = np.zeros((len(stack), 2))
    off = np.isnan(stack)
    for left in np.unique(stack[~off]):
        here = np.flatnonzero(stack == left)
        out[here[np.argsort(order[here], kind="stable")]] = _grid(left, side, side, len(here))
    last = np.flatnonzero(off)
    out[last[np.argsort(order[last], kind="stable")]] = _grid(block[0], block[1] * side, side, len(last))
    return out


def _grid(left: float, across: int, side: int, number: int) -> Floats:
    """Return the centres of dots set row by row from the bottom, `across` in a row."""
    index, across = np.arange(number), max(across, 1)
    left += max(across - number, 0) / 2 / side  # a single row stands in the middle
    return np.column_stack([left + (index % across + 0.5) / side, (index // across + 0.5) / side])


def points_per_unit(ax: Axes) -> float:
    """Return how many points wide a unit of x is."""
    return float(ax.get_window_extent().width / root(ax).dpi * 72 / np.ptp(ax.get_xlim()))
