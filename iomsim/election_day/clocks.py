"""Announced times: read and checked, and what they say about the particles' clocks.

Clocks and votes are independent, except that the first round after a night may have an openness of its own.  So an
announced time resamples the clocks and leaves the particles' weights alone: a round that ends at 19:00 shows that
the chair sits on today, not how anybody votes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from iomsim.election_day.conditioning import TINY, resample
from iomsim.engine.clock import DAY, DAY_NAMES, Timetable, sits_late
from iomsim.engine.plan import Plan
from iomsim.errors import AnnouncementError
from iomsim.typing import U64, Floats, Places

DRAWS = 200
"""How often a clock's key is drawn anew until the chair's decision of its day is as it was."""


@dataclass(frozen=True, eq=False)
class Clocks:
    """The clocks: one key each for their random numbers, and the minute they show."""

    keys: U64
    now: Floats

    def pick(self, index: Places) -> Clocks:
        """Return some of the clocks."""
        return Clocks(self.keys[index], self.now[index])

    def timetable(self, plan: Plan) -> Timetable:
        """Return the clocks as the kernel moves them on."""
        return Timetable(plan.calendar, plan.pace, self.keys, self.now.copy())


def initial_clocks(plan: Plan, keys: U64) -> Clocks:
    """Return the clocks at the end of the formalities."""
    return Clocks(keys, Timetable(plan.calendar, plan.pace, keys).now)


def hold_round(plan: Plan, clocks: Clocks, round_: int) -> Clocks:
    """Let a round pass whose time was not announced."""
    table = clocks.timetable(plan)
    table.hold_round(np.arange(clocks.now.size), round_)
    return Clocks(clocks.keys, table.now)


def after_consultation(plan: Plan, clocks: Clocks) -> Clocks:
    """Let the time of a withdrawal pass."""
    table = clocks.timetable(plan)
    table.concessions(np.arange(clocks.now.size))
    return Clocks(clocks.keys, table.now)


def log_density_of_end(plan: Plan, clocks: Clocks, minute: float) -> Floats:
    """Return the log-density, up to a constant, of a round that ends at this minute, clock by clock."""
    pace = plan.pace
    length = minute - plan.calendar.next_start(clocks.now, clocks.keys, pace)
    log_length = np.log(np.maximum(length, TINY))
    deviation = (log_length - np.log(max(pace.round_minutes, TINY))) / max(pace.round_log_sd, TINY)
    density = -(deviation**2) / 2 - log_length if pace.round_log_sd else np.zeros(length.size)
    return np.where(length > 0, density, -np.inf)


def log_agreement(plan: Plan, clocks: Clocks, minute: float) -> Floats:
    """Return 0 for the clocks with which an adjournment until this minute agrees, else minus infinity.

    The last round was over by then, and a round may start then: a meeting at 19:00 shows that the chair sits on.
    (At a minute at which no clock has a sitting, only the first is asked.)
    """
    before = clocks.now <= minute
    at = np.full(clocks.now.size, minute)
    meets = before & (plan.calendar.next_start(at, clocks.keys, plan.pace) == minute)
    return np.where(meets if meets.any() else before, 0.0, -np.inf)


def set_to(rng: np.random.Generator, plan: Plan, clocks: Clocks, log_weight: Floats, minute: float) -> Clocks:
    """Return the clocks resampled by these weights and set to an announced minute.

    A time to which every clock gives probability 0 changes nothing else.
    """
    size = clocks.now.size
    if np.isfinite(log_weight).any() and np.ptp(log_weight):
        clocks = clocks.pick(rng.permutation(resample(log_weight, float(rng.random()))))
    return Clocks(renew_keys(rng, clocks.keys, np.full(size, minute // DAY), plan.pace.sits_on), np.full(size, minute))


def renew_keys(rng: np.random.Generator, keys: U64, day: Floats, sits_on: float) -> U64:
    """Return new keys, so that copies of a clock part, under which the chair sits on today as under the old."""
    late = sits_late(keys, day, sits_on)
    out = keys.copy()
    open_ = np.arange(keys.size)
    for _ in range(DRAWS):
        fresh = rng.integers(0, 2**64, open_.size, dtype=np.uint64)
        fits = sits_late(fresh, day[open_], sits_on) == late[open_]
        out[open_[fits]] = fresh[fits]
        open_ = open_[~fits]
        if not open_.size:
            break
    return out


# -- times as announced --------------------------------------------------------------------------


def moment_of(at: Any, opens: datetime, last: float | None) -> float:
    """Return a moment in minutes since midnight of the opening date.

    A bare "12:20" is on the day of the last event (or of the opening); "Tuesday 10:00" is on that day
    or the next of its name.  Hours are written 9:05, 9.05 or 9h05.

    Raises
    ------
    AnnouncementError
        If it cannot be read, or lies before the opening or before the last event.

    Examples
    --------
    >>> moment_of("12:20", datetime(2023, 5, 15, 10), None)
    740.0
    """
    midnight = datetime.combine(opens.date(), time())
    today = midnight + timedelta(days=0 if last is None else last // DAY)
    moment = _read(at, today)
    minute = (moment - midnight).total_seconds() / 60
    if moment < opens:
        raise AnnouncementError(f"{moment:%A %H:%M} is before the opening on {opens:%A %H:%M}")
    if last is not None and minute < last:
        before = midnight + timedelta(minutes=last)
        raise AnnouncementError(
            f"{moment:%A %H:%M} is before the last event on {before:%A %H:%M}; write the date for another day"
        )
    return minute


def _read(at: Any, today: datetime) -> datetime:
    """Return a moment from a time, a weekday and a time, or a date and a time."""
    day, _, hour = str(at).strip().rpartition(" ")
    try:
        if not day and "-" not in hour:
            return datetime.combine(today.date(), _hour(hour))
        if len(day) >= 3 and day.isalpha():
            [weekday] = [i for i, name in enumerate(DAY_NAMES) if name.casefold().startswith(day.casefold())]
            ahead = timedelta(days=(weekday - today.weekday()) % 7)
            return datetime.combine(today.date() + ahead, _hour(hour))
        moment = datetime.fromisoformat(str(at))
    except ValueError:
        raise AnnouncementError(f"no time {at!r}; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'") from None
    if moment.tzinfo is not None:
        raise AnnouncementError(f"times are local, without an offset; got {at!r}")
    return moment


def _hour(text: str) -> time:
    """Return a time of the day, written 9:05, 09.05, 9h05 or 09:05:30."""
    found = re.fullmatch(r"(\d{1,2})[:.h](\d{2})(?::(\d{2})(?:\.\d+)?)?", text)
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2]), int(found[3] or 0))
