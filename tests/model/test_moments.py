"""Days and moments in words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from iomsim.errors import IomsimError
from iomsim.model.moments import (
    before_the_opening,
    date_in_words,
    day_in_words,
    moment_in_words,
    read_day_or_moment,
    read_moment,
)

OPENING = datetime(2023, 5, 15)
HOURS = [timedelta(hours=7 * n) for n in range(24)]


def test_no_two_days_are_called_the_same() -> None:
    days = [OPENING.date() + timedelta(days=n) for n in range(-400, 800)]
    words = [day_in_words(day, OPENING.date()) for day in days]
    assert len(set(words)) == len(words)
    assert words[400:408] == [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Monday 22 May"
    ]  # fmt: skip
    assert words[399] == "Sunday 14 May"


@pytest.mark.parametrize("ahead", HOURS)
def test_what_is_said_within_a_week_is_read_as_the_same_moment(ahead: timedelta) -> None:
    moment = OPENING + ahead
    assert read_moment(moment_in_words(moment, OPENING.date()), OPENING) == moment


def test_a_year_is_told_if_it_is_another() -> None:
    assert date_in_words(date(2024, 5, 15), date(2023, 5, 15)) == "Wednesday 15 May 2024"
    assert moment_in_words(datetime(2023, 5, 30, 9, 5), date(2023, 5, 15)) == "Tuesday 30 May 09:05"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Tuesday", datetime(2023, 5, 16)),
        (" tue ", datetime(2023, 5, 16)),
        ("Monday", datetime(2023, 5, 15)),
        ("2023-05-17", datetime(2023, 5, 17)),
        (date(2023, 5, 17), datetime(2023, 5, 17)),
        (datetime(2023, 5, 17, 9), datetime(2023, 5, 17, 9)),
        ("Tuesday 9:05", datetime(2023, 5, 16, 9, 5)),
        ("18.30", datetime(2023, 5, 15, 18, 30)),
    ],
)
def test_a_day_alone_means_its_midnight(written: Any, meant: datetime) -> None:
    assert read_day_or_moment(written, OPENING) == meant


@pytest.mark.parametrize("written", ["Tu", "T", "Someday", "", "Tuesday Tuesday", "noon"])
def test_what_is_no_day(written: str) -> None:
    with pytest.raises(IomsimError, match="write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"):
        read_day_or_moment(written, OPENING)


def test_a_weekday_alone_is_no_moment() -> None:
    with pytest.raises(IomsimError, match="no time 'Tuesday'"):
        read_moment("Tuesday", OPENING)


def test_before_the_opening_of_another_year() -> None:
    said = before_the_opening(datetime(2022, 5, 16, 11), datetime(2023, 5, 15, 10))
    assert said == "Monday 16 May 2022 11:00 is before the opening on Monday 15 May 10:00"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Monday 22 May 18:00", datetime(2023, 5, 22, 18)),
        ("15 May 9h05", datetime(2023, 5, 15, 9, 5)),
        ("Tuesday 2 January 2024 10:00", datetime(2024, 1, 2, 10)),
    ],
)
def test_a_moment_is_read_as_it_is_said(written: str, moment: datetime) -> None:
    assert read_moment(written, datetime(2023, 5, 15)) == moment


@pytest.mark.parametrize("written", ["Tuesday 22 May 18:00", "31 April 10:00", "22 Foo 18:00"])
def test_a_date_that_there_is_not_is_refused(written: str) -> None:
    with pytest.raises(IomsimError, match="no time"):
        read_moment(written, datetime(2023, 5, 15))
