"""An axis of sessions: the days of an election side by side, without their nights.

What a sitting that passes midnight holds after it is drawn with the day on which the sitting opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from iomsim.charts.labels import note
from iomsim.charts.measures import NARROW, width_points
from iomsim.charts.style import FIRST_DAY, LATER_DAY, dark, faint, ink, mark, pt, quiet, small
from iomsim.charts.text import tally_text
from iomsim.engine.clock import DAY, minute_of, minutes_of
from iomsim.errors import whole_number
from iomsim.forecasting.forecast import Forecast
from iomsim.model.moments import month_name, weekday_name

STACK_MINUTES = 30
"""Minutes of a unit of the axis: of the narrowest stack of dots."""

WHOLE = 60
"""Minutes of which a day is made, so that wider stacks fill it too."""

WIDE = 3.1
"""How wide an hour is with the space around it, in the size of its letters."""

APART = 0.07
"""How far hours stand apart at least, as a part of the axis."""

NIGHT = 3.0
"""Width of a night, in stacks."""

AFTER_THAT = "#44AA99"
"""The colour of a day after the next one."""

HEAD_POINTS = 28.0
"""Points above the axes for the names of the days."""


@dataclass(frozen=True)
class Day:
    """A day on the axis: its number, from where to where it is shown, in minutes, and where it begins, in stacks."""

    number: int
    start: int
    stop: int
    x: float

    @property
    def end(self) -> float:
        """Where the day ends, in stacks."""
        return self.x + (self.stop - self.start) / STACK_MINUTES

    def place(self, minute: Any) -> Any:
        """Return where a minute lies, in stacks."""
        return self.x + (minute - self.start) / STACK_MINUTES


def sittings_of(fc: Forecast) -> list[int]:
    """Return when the sittings of a day open and close, in minutes; a sitting that passes midnight closes after it."""
    return [minute for sitting in minutes_of(fc.race.clock.sittings) for minute in sitting]


def day_of(fc: Forecast, minute: Any) -> Any:
    """Return the day with which a minute is drawn: its date's, where a sitting passes midnight that of the sitting."""
    first, *_, last = sittings_of(fc)
    return (minute - (first if last > DAY else 0)) // DAY


def shown_days(fc: Forecast, days: int) -> list[int]:
    """Return the days on the axis, counted from the opening date: the first ones with a sitting before the deadline.

    If rounds have been announced, they begin with the first day that may still end it.
    """
    calendar = fc.race.clock.calendar()
    sittings = np.unique(calendar.days[calendar.opens < calendar.deadline]).astype(int)
    first = day_of(fc, present(fc)) if fc.announced else 0
    return [int(day) for day in sittings[sittings >= first][: whole_number("days", days, 1)]] or [int(first)]


def later_day(fc: Forecast) -> int | None:
    """Return the day of which it is asked whether voting runs into it, counted from the opening date.

    It is the next day with a sitting; once voting has run into that, the one after the present.  None where there is
    none before the deadline.
    """
    opening, calendar = fc.opening_date.date(), fc.race.clock.calendar()
    if not fc.spilled:
        return None if fc.over_before_next_day else (fc.next_day - opening).days
    ahead = calendar.days[(calendar.opens < calendar.deadline) & (calendar.days * DAY > present(fc))]
    return int(ahead.min()) if ahead.size else None


def day_colours(fc: Forecast) -> tuple[str, str]:
    """Return the colours of the days until the later one, and of that."""
    return (LATER_DAY, AFTER_THAT) if fc.spilled else (FIRST_DAY, LATER_DAY)


def called(fc: Forecast, day: int) -> str:
    """Return what a day is called: the next one as the forecast calls it."""
    moment = fc.opening_date.date() + timedelta(days=day)
    return fc.next_day_in_words if moment == fc.next_day else fc.day_in_words(moment)


def present(fc: Forecast) -> int:
    """Return the last announced minute; if no time was announced, the one before which no run ends."""
    if fc.reached is not None:
        return int(fc.reached)
    minute = fc.summary.ends["minute"]
    return int(minute[minute >= 0].min()) if (minute >= 0).any() else 0


def lay_days(fc: Forecast, data: pd.DataFrame, days: int) -> list[Day]:
    """Lay the days out side by side: their sittings, and as far on as their dots go."""
    sittings = sittings_of(fc)
    opens = minute_of(fc.race.clock.opens.time())
    minutes = (data["ended_at"].dropna() - fc.opening_date) / pd.Timedelta(minutes=1)
    out: list[Day] = []
    for day in shown_days(fc, days):
        dots = minutes[day_of(fc, minutes) == day]
        start = max(sittings[0], opens if day == 0 and opens < sittings[-1] else 0)
        start = day * DAY + min(start, int(dots.min()) - day * DAY if len(dots) else start)
        if fc.announced and not out:  # what may come begins with a stack of its own
            start = present(fc) + (min(start, present(fc)) - present(fc)) // WHOLE * WHOLE
        last = max(day * DAY + sittings[-1], int(dots.max()) + 1 if len(dots) else 0)
        stop = start + -(-(last - start) // WHOLE) * WHOLE
        out.append(Day(day, start, stop, out[-1].end + NIGHT if out else 0.0))
    return out


def draw_days(ax: Axes, fc: Forecast, clock: list[Day]) -> None:
    """Draw the hours, one part of the axis a day, and shade the breaks between sittings."""
    ax.spines[["bottom", "left"]].set_visible(False)
    sittings = sittings_of(fc)
    past = clock[0].place(present(fc)) if fc.announced else clock[0].x
    for day in clock:
        ax.plot([day.x, day.end], [0, 0], color=quiet(), lw=1.6, clip_on=False)
        midnight = day.number * DAY
        for close, opens in pairwise(sittings[1:-1]):
            left, right = day.place(midnight + close), day.place(midnight + opens)
            if sittings.index(close) % 2 and left >= day.x:
                ax.axvspan(left, right, color=faint(), lw=0, zorder=0)
                if right > past and (right - left) * points_per_unit(ax) > pt(24):
                    look = {"ha": "center", "va": "top", "color": quiet(), "fontsize": small() - 1}
                    _head(ax, (left + right) / 2, "lunch" if close < 14 * 60 <= opens + 60 else "break", -3, **look)
    marks = _hours(fc, clock, sittings, apart=APART * float(np.ptp(ax.get_xlim())))
    ax.set_xticks(list(marks), list(marks.values()))
    if upright(ax):
        ax.tick_params(axis="x", rotation=90)
    _nights(ax, fc, clock)


def upright(ax: Axes) -> bool:
    """Return whether hours have to stand upright, as they would run into each other otherwise."""
    gap = np.diff(np.sort(ax.get_xticks())).min(initial=np.inf) * points_per_unit(ax)
    return bool(gap < WIDE * float(mpl.rcParams["font.size"]))


def _hours(fc: Forecast, clock: list[Day], sittings: list[int], apart: float) -> dict[float, str]:
    """Return places and names of hours: those of the sittings first, then later ones where there is room."""
    opens, later = minute_of(fc.race.clock.opens.time()), range(sittings[-1] + 180, DAY, 180)
    marks: dict[float, str] = {}
    for hours in ({*sittings, opens}, later):
        for day in clock:
            midnight = day.number * DAY
            for minute in sorted(hours):
                x = day.place(midnight + minute)
                skipped = minute < opens if not midnight else minute == opens and opens not in sittings
                if not skipped and day.x <= x <= day.end and all(abs(x - mark) >= apart for mark in marks):
                    marks[x] = f"{minute // 60 % 24}:{minute % 60:02}"
    return marks


def _nights(ax: Axes, fc: Forecast, clock: list[Day]) -> None:
    for before, after in pairwise(clock):
        between = range(before.number + 1, after.number)
        weekend = any((fc.opening_date + timedelta(days=day)).weekday() > 4 for day in between)
        ax.text(
            before.end + NIGHT / 2, 0.04, "weekend" if weekend else "no sitting" if between else "night", rotation=90,
            ha="center", va="bottom", color=quiet(), fontsize=small() - 1, transform=ax.get_xaxis_transform(),
        )  # fmt: skip


def name_days(ax: Axes, fc: Forecast, data: pd.DataFrame, clock: list[Day]) -> None:
    """Name the days, shade those after the first, and count their dots: before the later day, and from it on."""
    later, late = later_day(fc), int(from_later_day(fc, data).sum())
    counts = {False: f"{len(data) - late} of {len(data)} dots"}
    narrow = width_points(ax) < pt(NARROW)
    if later is not None:
        counts[True] = f"{late} of {len(data)} dots{'' if narrow else f' on {called(fc, later)}'} or later"
    shade = next((day.place(DAY) for day in clock if day.start < DAY < day.stop), None)
    for day in clock:
        comes = later is not None and day.number >= later
        moment = fc.opening_date + timedelta(days=day.number)
        bold = {"ha": "left", "va": "bottom", "weight": "bold", "fontsize": small()}
        weekday, month = weekday_name(moment), month_name(moment)
        name = f"{weekday[:3]} {moment.day} {month[:3]}" if narrow else f"{weekday} {moment.day} {month}"
        _head(ax, day.x, name, pt(16), color=dark(), **bold)
        if comes and comes in counts:
            left = day.x - 0.3 if shade is None else shade
            ax.axvspan(left, ax.get_xlim()[1], color=mark(day_colours(fc)[1]), alpha=0.07, lw=0, zorder=0)
        if comes in counts:
            _head(ax, day.x, counts.pop(comes), pt(4), color=ink(day_colours(fc)[1]) if comes else quiet(), **bold)


def from_later_day(fc: Forecast, data: pd.DataFrame) -> pd.Series:
    """Return which dots are not over when the later day begins."""
    later = later_day(fc)
    days = (data["ended_at"] - fc.opening_date) // pd.Timedelta(days=1)
    return days.isna() | (days >= (np.inf if later is None else later))


def _head(ax: Axes, x: float, text: str, up: float, **look: Any) -> None:
    """Write at the upper edge of the axes, `up` points higher."""
    note(ax, text, (x, 1), (0, up), xycoords=("data", "axes fraction"), **look)


def shade_past(ax: Axes, fc: Forecast, clock: list[Day]) -> None:
    """Shade what has passed in a forecast of election day, and say what was announced."""
    if not fc.announced:
        return
    first, day = present(fc), clock[0]
    right = min(day.place(first), day.end)
    ax.axvspan(day.x, right, color=faint(), lw=0, zorder=0)
    ax.plot([day.x, right], [0, 0], color=dark(), lw=4, solid_capstyle="butt", clip_on=False)
    moment = fc.opening_date + timedelta(minutes=first)
    when = f"{'not over before' if fc.reached is None else 'as of'} {moment.hour}:{moment:%M}"
    words = ["announced", *(tally_text(fc, r) for r in range(1, fc.announced + 1)), when]
    narrow = (right - day.x) * points_per_unit(ax) < 58
    at, ha = (right - 0.2, "right") if narrow else ((day.x + right) / 2, "center")
    ax.text(
        at, 0.04, "\n".join(words), ha=ha, va="bottom", fontsize=small() - 1, weight="bold",
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip


def points_per_unit(ax: Axes) -> float:
    """Return how many points wide a unit of x is."""
    return width_points(ax) / float(np.ptp(ax.get_xlim()))
