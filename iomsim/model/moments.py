"""Days and moments as announcements write them: read, and said so that they cannot mislead."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from iomsim.engine.clock import DAY_NAMES, MONTH_NAMES
from iomsim.errors import IomsimError, quote

WEEK = 7

WRITTEN_DATE = re.compile(r"(?:(?P<weekday>[A-Za-z]+) )?(?P<day>\d{1,2}) (?P<month>[A-Za-z]+)(?: (?P<year>\d{4}))?")
"""A date as :func:`date_in_words` says it, the weekday if one likes."""


def read_moment(at: Any, today: datetime) -> datetime:
    """Return a moment from a time, a weekday and a time, or a date and a time.

    A bare "12:20" is on the day of `today`; "Tuesday 10:00" on that day or the next of its name; "Tuesday 23 May
    10:00" is in the year of `today` unless it says another; a date alone means its midnight.  Hours are
    written 9:05, 9.05 or 9h05.

    Raises
    ------
    IomsimError
        If it cannot be read.

    Examples
    --------
    >>> read_moment("Tuesday 10h30", datetime(2023, 5, 15)), read_moment("Tuesday 23 May 9:00", datetime(2023, 5, 15))
    (datetime.datetime(2023, 5, 16, 10, 30), datetime.datetime(2023, 5, 23, 9, 0))
    """
    day, _, hour = str(at).strip().rpartition(" ")
    try:
        if not day and "-" not in hour:
            return datetime.combine(today.date(), _hour(hour))
        if day.isalpha():
            ahead = timedelta(days=(_weekday(day) - today.weekday()) % WEEK)
            return datetime.combine(today.date() + ahead, _hour(hour))
        written = WRITTEN_DATE.fullmatch(day)
        if written:
            return datetime.combine(_date(written, today), _hour(hour))
        moment = datetime.fromisoformat(str(at))
    except ValueError:
        raise IomsimError(f"no time {quote(at)}; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'") from None
    if moment.tzinfo is not None:
        raise IomsimError(f"times are local, without an offset; got {quote(at)}")
    return moment


def read_day_or_moment(at: Any, today: datetime) -> datetime:
    """Return a moment as :func:`read_moment` does; a weekday alone means its midnight, as a date does.

    Examples
    --------
    >>> read_day_or_moment("Tue", datetime(2023, 5, 15))
    datetime.datetime(2023, 5, 16, 0, 0)
    """
    try:
        _weekday(str(at).strip())
    except ValueError:
        return read_moment(at, today)
    return read_moment(f"{str(at).strip()} 00:00", today)


def is_hour(at: Any) -> bool:
    """Return whether a moment is an hour alone, of whatever day.

    Examples
    --------
    >>> is_hour("12:20"), is_hour("Monday 12:20")
    (True, False)
    """
    try:
        _hour(str(at).strip())
    except ValueError:
        return False
    return True


def _weekday(text: str) -> int:
    """Return the number of a weekday, written Tuesday, tue or TUES."""
    found = [i for i, name in enumerate(DAY_NAMES) if name.casefold().startswith(text.casefold())]
    if len(text) < 3 or len(found) != 1:
        raise ValueError
    return found[0]


def _date(written: re.Match[str], today: datetime) -> date:
    """Return a date written in words; a weekday that it does not have is refused."""
    months = [number for number, name in enumerate(MONTH_NAMES, 1) if name.casefold() == written["month"].casefold()]
    if len(months) != 1:
        raise ValueError
    found = date(int(written["year"] or today.year), months[0], int(written["day"]))
    if written["weekday"] and _weekday(written["weekday"]) != found.weekday():
        raise ValueError
    return found


def _hour(text: str) -> time:
    """Return a time of the day, written 9:05, 09.05, 9h05 or 09:05:30."""
    found = re.fullmatch(r"(\d{1,2})[:.h](\d{2})(?::(\d{2})(?:\.\d+)?)?", text)
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2]), int(found[3] or 0))


def weekday_name(day: date) -> str:
    """Return the English name of a day's weekday, whatever language the program around us has set."""
    return DAY_NAMES[day.weekday()]


def month_name(day: date) -> str:
    """Return the English name of a day's month."""
    return MONTH_NAMES[day.month - 1]


def full_date(day: date, weekday: bool = False) -> str:
    """Return a date with its year, without a leading zero.

    Examples
    --------
    >>> full_date(date(2023, 3, 1)), full_date(date(2023, 5, 15), weekday=True)
    ('1 March 2023', 'Monday 15 May 2023')
    """
    return f"{f'{weekday_name(day)} ' * weekday}{day.day} {month_name(day)} {day.year}"


def day_in_words(day: date, since: date) -> str:
    """Return a day by its weekday if that can mean no other: within a week from `since`, else by its date.

    Parameters
    ----------
    day : date
        The day.
    since : date
        The first day that is meant when weekdays are named: that of the opening.

    Examples
    --------
    >>> opening = date(2023, 5, 15)
    >>> day_in_words(date(2023, 5, 16), opening), day_in_words(date(2023, 5, 23), opening)
    ('Tuesday', 'Tuesday 23 May')
    """
    return weekday_name(day) if 0 <= (day - since).days < WEEK else date_in_words(day, since)


def date_in_words(day: date, since: date) -> str:
    """Return a date with its weekday; with the year if it is another than that of `since`.

    Examples
    --------
    >>> date_in_words(date(2024, 1, 2), date(2023, 12, 18))
    'Tuesday 2 January 2024'
    """
    words = f"{weekday_name(day)} {day.day} {month_name(day)}"
    return words if day.year == since.year else f"{words} {day.year}"


def moment_in_words(moment: datetime, since: date) -> str:
    """Return a moment as :func:`read_moment` reads it on the opening date.

    Examples
    --------
    >>> moment_in_words(datetime(2023, 5, 16, 10, 30), date(2023, 5, 15))
    'Tuesday 10:30'
    """
    return f"{day_in_words(moment.date(), since)} {moment:%H:%M}"


def before_the_opening(moment: datetime, opens: datetime) -> str:
    """Return that a moment is before the opening; both with their dates unless these are the same.

    Examples
    --------
    >>> before_the_opening(datetime(2023, 5, 8, 12), datetime(2023, 5, 15, 10))
    'Monday 8 May 12:00 is before the opening on Monday 15 May 10:00'
    """
    if moment.date() == opens.date():
        said, opening = (f"{weekday_name(x)} {x:%H:%M}" for x in (moment, opens))
        return f"{said} is before the opening on {opening}"
    said, opening = (f"{date_in_words(x.date(), opens.date())} {x:%H:%M}" for x in (moment, opens))
    return f"{said} is before the opening on {opening}"
