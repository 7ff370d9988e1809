"""Clocks that cannot be, a sentence each; and what a clock says of itself."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from toys import toy

import iomsim as iom
from iomsim.errors import ScenarioError
from iomsim.model import clock as module

MONDAY = {"opens": "2023-05-15T10:00:00"}
EVENING = {"sittings": [["20:00", "02:00"]]}
TWICE = "10:00-13:00, 15:00-18:00"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # openings
        ({"opens": "2023-05-15T09:00"},
         f"clock: opens on Monday 15 May 2023 09:00, outside every sitting ({TWICE}); open at 10:00"),
        ({"opens": "2023-05-15T14:00"},
         f"clock: opens on Monday 15 May 2023 14:00, outside every sitting ({TWICE}); open at 15:00"),
        ({"opens": "2023-05-15T13:00"},
         f"clock: opens on Monday 15 May 2023 13:00, outside every sitting ({TWICE}); open at 15:00"),
        ({"opens": "2023-05-19T18:00"},
         f"clock: opens on Friday 19 May 2023 18:00, outside every sitting ({TWICE}); give a later sitting, "
         "or open on Monday 22 May 2023 10:00"),
        ({"opens": "2013-09-07T16:00"},
         "clock: opens on Saturday 7 September 2013, a day without sittings; add 'Sat' to days, "
         "or open on Monday 9 September 2013 10:00"),
        ({"closed": [date(2023, 5, 15), date(2023, 5, 16)]},
         "clock: opens on Monday 15 May 2023, a day off; take it out of closed, "
         "or open on Wednesday 17 May 2023 10:00"),
        ({"closed": [date(2023, 5, 15) + timedelta(days=n) for n in range(500)]},
         "clock: opens on Monday 15 May 2023, a day off; take it out of closed"),
        (EVENING | {"opens": "2023-05-16T00:30"},
         "clock: opens on Tuesday 16 May 2023 00:30, in the sitting of the evening before; open with it, "
         "on Monday 15 May 2023 20:00"),
        (EVENING | {"opens": "2023-05-15T00:30"},  # nothing sits on a Sunday
         "clock: opens on Monday 15 May 2023 00:30, outside every sitting (20:00-02:00); open at 20:00"),
        ({"opens": "2023-05-16T14:00"},  # though the evening before has a sitting
         "clock: opens on Tuesday 16 May 2023 14:00, outside every sitting (10:00-13:00, 15:00-18:00); open at 15:00"),
        ({"opens": "2023-03-26T02:30", "days": ["Sun"], "sittings": [["01:00", "04:00"]]},
         "clock: opens on Sunday 26 March 2023 02:30, when clocks in Europe/Zurich are put forward; open at 03:30"),
        # sittings
        ({"sittings": [["10:00", "13:00"], ["12:30", "18:00"]]},
         "clock.sittings must be in order and not overlap, got 10:00-13:00 before 12:30-18:00"),
        ({"sittings": [["15:00", "18:00"], ["10:00", "13:00"]]},
         "clock.sittings must be in order and not overlap, got 15:00-18:00 before 10:00-13:00"),
        ({"sittings": [["22:00", "02:00"], ["10:00", "12:00"]]},
         "clock.sittings must be in order and not overlap, got 22:00-02:00 before 10:00-12:00"),
        ({"sittings": [["10:00", "13:00"], ["20:00", "10:30"]]},
         "clock.sittings must not overlap, but 20:00-10:30 runs into the next day's 10:00-13:00"),
        # zones
        ({"timezone": "Europe/Zurch"}, "clock.timezone: no time zone 'Europe/Zurch'; did you mean 'Europe/Zurich'?"),
        ({"timezone": "Mars/Olympus"},
         "clock.timezone: no time zone 'Mars/Olympus'; write one such as 'Europe/Zurich'"),
        ({"timezone": "Zurich"}, "clock.timezone: no time zone 'Zurich'; did you mean 'Europe/Zurich'?"),
        ({"timezone": ""}, "clock.timezone: no time zone ''; write one such as 'Europe/Zurich'"),
        ({"timezone": "../zoneinfo"}, "clock.timezone: no time zone '../zoneinfo'; write one such as 'Europe/Zurich'"),
        ({"timezone": "Europe"}, "clock.timezone: no time zone 'Europe'"),
        ({"timezone": 2}, "clock.timezone must be a text, got 2"),
        # caps and deadline
        ({"rounds_a_day": -1}, "clock.rounds_a_day must be at least 1, or 0 for no cap, got -1"),
        ({"rounds_a_day": 2.5}, "clock.rounds_a_day must be a whole number, got 2.5"),
        ({"first_day": 0},
         "clock.first_day must be at least 1, got 0; leave it out if the first day is like any other"),
        ({"deadline": "2023-05-15T09:00"},
         "clock: the deadline, Monday 15 May 2023 09:00, is not after the opening, "
         "Monday 15 May 2023 10:00; give a later one"),
        ({"deadline": "2023-05-15T10:00"}, "clock: the deadline, Monday 15 May 2023 10:00, is not after the opening"),
        ({"deadline": "2023-05-15T18:00+02:00"}, "clock.deadline is a local time of the seat; leave out the offset"),
        ({"deadline": "soon"}, "clock.deadline must be a date and time such as 2023-05-15T10:00, got 'soon'"),
        ({"opens": "2023-05-15T12:30", "deadline": "2023-05-15T13:00"},
         "clock: the clock never sits: no sitting before the deadline is long enough for a round to start"),
    ],
)  # fmt: skip
def test_clocks_that_contradict_themselves(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        toy(clock=MONDAY | changes)
    assert str(error.value).startswith(f"scenario: {said}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"opens": "2023-05-15T12:59:30", "last_call": 0},
        {"opens": "2023-05-15T17:45"},
        {"opens": "2023-05-13T10:00", "days": ["Sat", "Mon"]},
        {"opens": "2023-05-15T23:30"} | EVENING,
        {"opens": "2023-05-15T09:00", "sittings": [["09:00", "09:00"]]},  # round the clock
        {"sittings": [["10:00", "13:00"], ["13:00", "18:00"]]},
        {"sittings": [["10:00", "13:00"], ["20:00", "10:00"]]},
        {"opens": "2023-10-29T02:30", "days": ["Sun"], "sittings": [["01:00", "04:00"]]},  # the first of the two
        {"timezone": "America/Argentina/Buenos_Aires"},
        {"timezone": "UTC"},
        {"rounds_a_day": 0, "first_day": 1},
        {"deadline": "2023-05-15T11:00"},
    ],
)
def test_clocks_that_do_not(changes: dict[str, Any]) -> None:
    assert toy(clock=MONDAY | changes).clock.calendar().opens.size > 50


def test_a_machine_without_time_zones_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(module, "ZoneInfo", missing)
    monkeypatch.setattr(module, "available_timezones", set)
    with pytest.raises(ScenarioError, match="this machine knows no time zones; install the package tzdata"):
        toy(clock=MONDAY)


def test_no_cap_is_written_as_none_or_0() -> None:
    one, other = toy(clock=MONDAY), toy(clock=MONDAY | {"rounds_a_day": 0})
    assert one.clock.rounds_a_day is other.clock.rounds_a_day is None
    assert one.clock.caps is other.clock.caps is None
    assert one == other
    assert one.hash == other.hash
    assert toy(clock=MONDAY | {"rounds_a_day": 4, "first_day": 1}).clock.caps == (1, 4)
    assert toy(clock=MONDAY | {"rounds_a_day": 4}).clock.caps == (4, 4)
    first, later = toy(clock=MONDAY | {"first_day": 1}).clock.caps  # type: ignore[misc]
    assert first == 1 < 10**6 < later


def test_what_the_clock_needs_is_told_in_the_briefing() -> None:
    race = toy(clock=MONDAY | {"rounds_a_day": 4, "first_day": 1, "closed": [date(2023, 5, 18)]})
    told = repr(race.with_clock(deadline="2023-05-26T18:00"))
    words = (
        "off on Thursday 18 May",
        "at most four ballots a day",
        "at most one ballot on the first day",
        "over on Friday 26 May 18:00",
    )
    assert "; ".join(words) in " ".join(told.split())
    assert "ballots a day" not in repr(toy(clock=MONDAY))
    assert "first day" not in repr(toy(clock=MONDAY))


@pytest.mark.parametrize(
    ("changes", "day", "words"),
    [
        ({}, date(2023, 5, 16), "Tuesday"),
        ({"opens": "2023-05-19T10:00"}, date(2023, 5, 22), "Monday"),
        ({"days": ["Mon", "Sun"]}, date(2023, 5, 21), "Sunday"),
        ({"days": ["Mon"]}, date(2023, 5, 22), "Monday 22 May"),
        ({"closed": [date(2023, 5, n) for n in range(16, 26)]}, date(2023, 5, 26), "Friday 26 May"),
        ({"opens": "2023-12-25T10:00", "days": ["Mon"]}, date(2024, 1, 1), "Monday 1 January 2024"),
    ],
)
def test_the_next_day_with_a_sitting(changes: dict[str, Any], day: date, words: str) -> None:
    clock = toy(clock=MONDAY | changes).clock
    assert (clock.next_day, clock.next_day_in_words) == (day, words)


def test_another_clock_is_a_difference() -> None:
    one = toy(clock=MONDAY)
    for changes in ({"deadline": datetime(2023, 5, 16, 12)}, {"rounds_a_day": 3}, {"first_day": 2}):
        other = one.with_clock(**changes)
        assert other.hash != one.hash
        assert iom.loads(iom.dumps(other)) == other
        assert other.with_clock(**dict.fromkeys(changes)) == one


def test_times_with_seconds_stay_as_they_are_written() -> None:
    made = toy(clock=MONDAY | {"deadline": "2023-05-16T12:00:30"}).clock
    assert made.deadline == datetime(2023, 5, 16, 12, 0, 30)
    assert made.sittings[0] == (time(10), time(13))


def test_the_hours_of_geneva_are_the_default() -> None:
    """From nine to one and from three to six; a scenario that says nothing opens on 15 May 2023 at nine."""
    clock = iom.loads('electorate.size = 9\ncandidates = [{ name = "A" }, { name = "B" }]').clock
    geneva = iom.load("geneva-2023").clock
    assert (clock.opens, clock.sittings, clock.days) == (geneva.opens, geneva.sittings, geneva.days)
    assert (f"{clock.opens:%d %H:%M}", clock.sittings[0][0].hour, clock.sittings[1][1].hour) == ("15 09:00", 9, 18)
