"""Announcements as an analyst types them in a hurry, and as they are told back."""

from __future__ import annotations

from datetime import datetime

import pytest

import iomsim as iom
from iomsim.election_day.times import moment_of
from iomsim.errors import AnnouncementError
from iomsim.model.events import event_of

OPENS = datetime(2023, 5, 15, 10)


@pytest.fixture(scope="module")
def geneva() -> iom.Scenario:
    return iom.load("geneva-2023")


@pytest.mark.parametrize("written", ["12:20", "12.20", "12h20", "12:20:00", "Mon 12:20", "Monday 12h20"])
def test_hours_as_they_are_written_in_geneva(written: str) -> None:
    assert moment_of(written, OPENS, None) == 740


def test_an_hour_of_one_digit() -> None:
    assert moment_of("Tue 9:05", OPENS, 740.0) == 24 * 60 + 545


@pytest.mark.parametrize("written", ["12:20+02:00", "12", "24:00", "12:60", "12:20 pm", "noon", "1220"])
def test_what_is_no_hour(written: str) -> None:
    with pytest.raises(AnnouncementError, match=r"no time '.*'; write '12:20'"):
        moment_of(written, OPENS, None)


@pytest.mark.parametrize(("line", "twice"), [("Pope=98 Pope=97", "Pope"), ("Pope=98 valid=165 valid=160", "valid")])
def test_nothing_is_announced_twice_in_a_line(line: str, twice: str) -> None:
    with pytest.raises(AnnouncementError, match=f"^{twice} stands twice in '{line}'; write it once$"):
        event_of(line, ["Pope", "Vitorino"])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Pope at least 90, Vitorino at most 70", "Pope at least 90, Vitorino at most 70."),
        ("Vitorino at most 80", "Vitorino at most 80."),
        ("Pope=98 valid=165", "Pope 98, Vitorino 67."),
        ("Pope at least 90", "Pope at least 90."),
        ("valid=165", "165 valid papers."),
        ("Vitorino at most 80 valid=165", "Pope at least 85, Vitorino at most 80."),
    ],
)
def test_a_report_tells_all_that_was_announced(geneva: iom.Scenario, line: str, told: str) -> None:
    night = iom.live(geneva, particles=200, seed=1)
    assert str(night.tell(line)).startswith(told)
    assert night.history()["event"].iloc[-1] == told[:-1]


def test_nobody_is_short_of_votes_when_it_is_over(geneva: iom.Scenario) -> None:
    night = iom.live(geneva, particles=200, seed=1)
    night.tell("98-67 at 12:20")
    night.withdraw("Vitorino")
    assert night.needed() == "The election is over; no votes are needed."
    night.undo()
    assert night.needed() == "Pope is 12 votes short of 110."
