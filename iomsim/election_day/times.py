"""What was announced of a time, checked: on which day it was, and not before what came before it."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

from iomsim.engine.clock import DAY, DAY_NAMES
from iomsim.errors import AnnouncementError


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
