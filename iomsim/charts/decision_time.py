"""When voting ends: fifty equally likely elections on a clock without its nights."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from iomsim.charts.base import Caption, canvas, finish, key, lay_out, root, row
from iomsim.charts.facts import headed
from iomsim.charts.session_axis import GAP, HEAD, Day, draw_days, lay_days, name_days, shade_past, shown_days
from iomsim.charts.style import FIRST_DAY, LATER_DAY, QUIET, ink
from iomsim.charts.text import short
from iomsim.engine.clock import DAY
from iomsim.errors import IomsimError, whole_number
from iomsim.forecasting.estimates import count
from iomsim.forecasting.tables import NO_WINNER
from iomsim.typing import Floats, Longs

if TYPE_CHECKING:
    from iomsim.forecasting.forecast import Forecast

DOTS = 50
"""Equally likely elections; fifty are few enough to count and many enough to decide by."""

NEVER = np.iinfo(np.int64).max
OFF = "later or never"


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
    shown = shown_days(fc, days)
    return pd.DataFrame(
        {
            "ended_at": pd.to_datetime(pd.Series(ended)),
            "day": [f"{when:%A}" if m // DAY in shown else OFF for when, m in zip(ended, minute, strict=True)],
            "spills": minute >= DAY,
            "winner": _dealt(fc, int((minute < NEVER).sum())) + [NO_WINNER] * int((minute == NEVER).sum()),
        }
    ).set_axis(pd.RangeIndex(1, number + 1, name="dot"))


def _quantiles(fc: Forecast, probability: Floats) -> Longs:
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
    codes = [*range(len(fc.race.names)), -1]
    hits = np.array([np.cumsum(np.where(ends["winner"] == k, ends["count"], 0)) for k in codes])
    runs = np.cumsum(ends["count"].to_numpy())
    names, dealt = [], np.zeros(len(codes))
    for dot in range(1, number + 1):
        mark = dot / number * runs[-1]
        due = [np.interp(mark, np.append(0, runs), np.append(0, row)) for row in hits] / runs[-1] * number
        first = int(np.argmax(due - dealt))
        dealt[first] += 1
        names.append([*fc.race.names, NO_WINNER][codes[first]])
    return names


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
        clock, off = lay_days(fc, data, days), int((data["day"] == OFF).sum())
        width = max(4, -(-off // 7)) if off else 0
        right = clock[-1].end + (GAP + width if off else 0.0)
        ax.set(xlim=(-0.3, right + 0.3), ylim=(0, 1), yticks=[])
        draw_days(ax, fc, clock)
        name_days(ax, fc, data, clock)
        shade_past(ax, fc, clock)
        if off:
            ax.plot([right - width, right], [0, 0], color=QUIET, lw=1.6, ls=":", clip_on=False)
            row(ax, "", [right - width / 2], [f"later or\nnever: {off}"], 0)
        if by == "winner":
            _key(ax, fc, data, spare=80 if off else 0)
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
    if fc.spilled:
        return f"Voting has run into {fc.next_day:%A}"
    return f"Voting runs into {fc.next_day:%A} in {str(fc.spill()).replace(' in ', ' of ')} elections"


def _key(ax: Axes, fc: Forecast, data: pd.DataFrame, spare: float) -> None:
    """Say which winner has which colour, and how many dots."""
    colours, counts, names = fc.race.colours, data["winner"].value_counts(), [*fc.race.names, NO_WINNER]
    words = [f"{short(name)}: {count(int(counts.get(name, 0)), 'dot')}" for name in names]
    handles = [Line2D([], [], marker="o", ls="", color=colours[name]) for name in names]
    key(ax, handles, words, [ink(colours[name]) for name in names], spare=spare)


def _dots(ax: Axes, fc: Forecast, data: pd.DataFrame, by: str, clock: list[Day], block: tuple[float, int]) -> None:
    """Stack the dots, as large as they can be without any leaving the axes."""
    lay_out(ax)
    frame = ax.get_window_extent()
    unit = frame.width / np.ptp(ax.get_xlim())
    room = (frame.height - 16 / 72 * root(ax).dpi) / unit
    order = [*fc.race.names, NO_WINNER]
    stack, code = _stacks(data, fc, clock), data["winner"].map(order.index).to_numpy()
    size = _size(stack, block[1], room)
    days = np.where(data["spills"], LATER_DAY, FIRST_DAY)
    ax.set_ylim(0, frame.height / unit)
    width = np.full(len(data), 0.92 * size)
    ax.add_collection(
        EllipseCollection(
            width, width, np.zeros(len(data)), units="x", lw=0, label="dots",
            offsets=_offsets(stack, code, block, size), offset_transform=ax.transData,
            facecolors=list(data["winner"].map(fc.race.colours) if by == "winner" else days),
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


def _size(stack: Floats, width: int, room: float) -> float:
    """Return the largest size at which all stacks, and the block of those off the axis, are at most `room` high."""
    tallest = np.unique(stack[~np.isnan(stack)], return_counts=True)[1].max(initial=0)
    off = np.isnan(stack).sum()

    def height(size: float) -> float:
        stacked, apart = (-(-number // _across(wide, size)) for number, wide in ((tallest, 1), (off, width)))
        return size * max(stacked, apart)

    return next((size for size in np.arange(1.0, 0.05, -0.01) if height(size) <= room), 0.05)


def _across(width: float, size: float) -> int:
    """Return how many dots stand side by side."""
    return max(int(width / size + 1e-9), 1)


def _offsets(stack: Floats, order: Longs, block: tuple[float, int], size: float) -> Floats:
    """Return the centres of the dots; those of one stack are set in the given order."""
    out = np.zeros((len(stack), 2))
    lefts = np.unique(stack[~np.isnan(stack)])
    places = [(stack == left, left, 1) for left in lefts] + [(np.isnan(stack), *block)]
    for here, left, width in places:
        dots = np.flatnonzero(here)
        dots = dots[np.argsort(order[dots], kind="stable")]
        out[dots] = _grid(left + width / 2, _across(width, size), size, len(dots))
    return out


def _grid(middle: float, across: int, size: float, number: int) -> Floats:
    """Return the centres of dots set row by row from the bottom, `across` in a row."""
    index, wide = np.arange(number), min(across, max(number, 1))
    return size * np.column_stack([index % wide - (wide - 1) / 2, index // wide + 0.5]) + [middle, 0]
