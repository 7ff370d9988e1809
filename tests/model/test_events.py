"""What is typed on the day, read and checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

import iomsim as iom
from iomsim.election_day.clocks import moment_of
from iomsim.election_day.tally import tally_of
from iomsim.errors import AnnouncementError, IomsimError
from iomsim.model.events import EVENTS, event_of, events_digest, in_words, say

TWO, THREE = ("Pope", "Vitorino"), ("António Vitorino", "Laura Thompson", "Isaacs")
OPENS = datetime(2023, 5, 15, 10)


def told(event: str, **parts: Any) -> dict[str, Any]:
    whole = {"announce": ("votes", "valid", "at"), "confirm": ("yes", "no", "at"), "adjourn": ("until",)}
    keys = whole.get(event, ("at",) if event in ("go on", "undo") else ("name", "at"))
    return {"event": event, **{key: parts.get(key) for key in keys}}


LINES = [
    ("announce Pope=98 Vitorino=67 at 12:20", told("announce", votes={"Pope": 98, "Vitorino": 67}, at="12:20")),
    ("Pope=98 Vitorino=67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("pope 98, VITORINO 67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("98-67 at 12:20", told("announce", votes={"Pope": 98, "Vitorino": 67}, at="12:20")),
    ("98\N{EN DASH}67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("98 to 67", told("announce", votes={"Pope": 98, "Vitorino": 67})),
    ("Pope at least 90 valid=165", told("announce", votes={"Pope": "at least 90"}, valid=165)),
    ("Pope>=90 at Tuesday 10:30", told("announce", votes={"Pope": "at least 90"}, at="Tuesday 10:30")),
    ("tally Vitorino <= 70", told("announce", votes={"Vitorino": "at most 70"})),
    ("valid=165", told("announce", votes={}, valid=165)),
    ("withdraw Vitorino at 16:30", told("withdraw", name="Vitorino", at="16:30")),
    ("Withdraws vitorino", told("withdraw", name="Vitorino")),
    ("eliminate Pope", told("eliminate", name="Pope")),
    ("confirm yes=86 no=57 at 18:00", told("confirm", yes=86, no=57, at="18:00")),
    ("confirm 86 57", told("confirm", yes=86, no=57)),
    ("confirm 86-57", told("confirm", yes=86, no=57)),
    ("go on at 15:00", told("go on", at="15:00")),
    ("goes on", told("go on")),
    ("adjourn until 15:00", told("adjourn", until="15:00")),
    ("adjourned until 2023-05-16 10:00", told("adjourn", until="2023-05-16 10:00")),
    ("undo", told("undo")),
]


@pytest.mark.parametrize(("line", "event"), LINES)
def test_a_line_says_an_event(line: str, event: dict[str, Any]) -> None:
    assert event_of(line, TWO) == event


@pytest.mark.parametrize(("line", "event"), LINES)
def test_an_event_is_written_as_a_line_that_says_it(line: str, event: dict[str, Any]) -> None:
    assert event_of(say(event), TWO) == event


def test_names_of_several_words() -> None:
    event = event_of("António Vitorino=65 Laura Thompson 51, Isaacs at most 27 at 13:00", THREE)
    assert event["votes"] == {"António Vitorino": 65, "Laura Thompson": 51, "Isaacs": "at most 27"}
    assert event_of("withdraw laura thompson", THREE)["name"] == "Laura Thompson"
    assert event_of("65-51-27", THREE)["votes"] == dict(zip(THREE, (65, 51, 27), strict=True))


REFUSED = [
    ("", "cannot read ''; there are announce, withdraw, eliminate, confirm, go on, adjourn, undo, such as "
         "'announce Pope=98 Vitorino=67 at 12:20'"),
    ("hello", "cannot read 'hello'; there are announce, withdraw, eliminate, confirm, go on, adjourn, undo, such as "
              "'announce Pope=98 Vitorino=67 at 12:20'"),
    ("Popp=98", "no candidate named 'Popp'; did you mean 'Pope'?"),
    ("98", "cannot read '98'; write for instance 'announce Pope=98 Vitorino=67 at 12:20'"),
    ("Pope=98 and so on", "cannot read 'and so on'; write for instance 'announce Pope=98 Vitorino=67 at 12:20'"),
    ("announce Pope=many", "cannot read 'Pope=many'; write for instance 'announce Pope=98 Vitorino=67 at 12:20'"),
    ("98-67-3", "3 numbers for 2 candidates; write whose they are"),
    ("withdraw", "who? write for instance 'withdraw Vitorino at 16:30'"),
    ("withdraw Bush", "no candidate named 'Bush'; there are Pope, Vitorino"),
    ("confirm yes", "cannot read 'confirm yes'; write for instance 'confirm yes=110 no=40 at 18:00'"),
    ("adjourn", "cannot read 'adjourn'; write for instance 'adjourn until 15:00'"),
    ("undo until 15:00", "cannot read 'undo until 15:00'; write for instance 'adjourn until 15:00'"),
    ("undo it", "cannot read 'it' after 'undo'"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), REFUSED)
def test_what_cannot_be_read_is_refused(line: str, sentence: str) -> None:
    with pytest.raises(IomsimError) as error:
        event_of(line, TWO)
    assert str(error.value) == sentence


def test_every_example_can_be_read() -> None:
    assert [event_of(line, TWO)["event"] for line in EVENTS.values()] == list(EVENTS)


def test_events_in_words() -> None:
    words = [in_words(event) for _, event in LINES if event["event"] != "undo"]
    assert {"Pope 98, Vitorino 67", "Pope at least 90, 165 valid papers", "Vitorino withdraws"} < set(words)
    assert {"Pope is out", "86 yes, 57 no", "voting goes on", "adjourned until 15:00"} < set(words)


def test_the_digest_names_the_events() -> None:
    events = [event for _, event in LINES]
    assert events_digest(events[:2]) == events_digest(events[:2])
    assert len({events_digest(events[:n]) for n in range(6)}) == 6
    other = told("announce", votes={"Pope": 99, "Vitorino": 67}, at="12:20")
    assert events_digest([other]) != events_digest(events[:1])


# -- tallies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "valid", "low", "high", "papers"),
    [
        ({"A": 98, "B": 67}, None, [98, 67], [98, 67], 165),
        ({"A": 98}, None, [98, 0], [98, 77], None),
        ({"A": 98}, 165, [98, 67], [98, 67], 165),
        ({"A": "at least 90"}, 165, [90, 0], [165, 75], 165),
        ({"A": "at most 90"}, 165, [0, 75], [90, 165], 165),
        ({"A": "at least 90", "B": ">=80"}, None, [90, 80], [95, 85], None),
        ({"A": None}, 165, [0, 0], [165, 165], 165),
        ({"A": np.int64(98), "B": "67"}, np.int64(165), [98, 67], [98, 67], 165),
        ({}, 0, [0, 0], [0, 0], 0),
    ],
)
def test_bounds_follow_from_what_is_known(
    votes: dict[str, Any], valid: Any, low: list[int], high: list[int], papers: int | None
) -> None:
    tally = tally_of(votes, valid, ("A", "B"), np.array([True, True]), 175)
    assert (tally.low.tolist(), tally.high.tolist(), tally.valid) == (low, high, papers)


@pytest.mark.parametrize(
    ("votes", "valid", "sentence"),
    [
        ({"D": 90}, None, "no candidate named 'D'; there are A, B, C"),
        ({"C": 1}, None, "C does not stand any more and cannot get votes"),
        ({"A": 176}, None, "A cannot have 176 votes: only 175 members have a vote"),
        ({"A": "9x"}, None, "votes for A must be a whole number or 'at least 90', got '9x'"),
        ({"A": -1}, None, "votes for A must be a whole number or 'at least 90', got -1"),
        ({"A": 98.5}, None, "votes for A must be a whole number or 'at least 90', got 98.5"),
        ({"A": True}, None, "votes for A must be a whole number or 'at least 90', got True"),
        ({"A": 100, "B": 80}, None, "180 votes are more than the 175 members with a vote"),
        ({"A": 98, "B": 67}, 170, "the votes add up to 165, but 170 valid papers were announced"),
        ({"A": 98}, 90, "the votes add up to at least 98, but 90 valid papers were announced"),
        ({"A": "at most 60", "B": 50}, 120, "the votes add up to at most 110, but 120 valid papers were announced"),
        ({"A": 98}, 176, "176 papers are more than the 175 members with a vote"),
        ({"A": 98}, "165", "valid must be a whole number of papers, got '165'"),
        ({"A": 98}, -1, "valid must be a whole number of papers, got -1"),
        ({}, None, "nothing was announced; give votes by candidate, or valid="),
        ({"A": None}, None, "nothing was announced; give votes by candidate, or valid="),
    ],
)
def test_tallies_that_cannot_be(votes: dict[str, Any], valid: Any, sentence: str) -> None:
    with pytest.raises(IomsimError) as error:
        tally_of(votes, valid, ("A", "B", "C"), np.array([True, True, False]), 175)
    assert str(error.value) == sentence


# -- moments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "last", "minute"),
    [
        ("12:20", None, 740),
        ("12:20", 700, 740),
        ("10:30", 1440 + 600, 1440 + 630),
        ("Tuesday 10:30", None, 1440 + 630),
        ("tue 10:30", 740, 1440 + 630),
        ("Monday 12:20", 740, 740),
        ("Monday 12:20", 2000, 7 * 1440 + 740),
        ("2023-05-16 10:30", None, 1440 + 630),
        ("2023-05-16T10:30:00", None, 1440 + 630),
        ("2023-05-16", None, 1440),
        (datetime(2023, 5, 16, 10, 30), None, 1440 + 630),
    ],
)
def test_moments(at: Any, last: float | None, minute: float) -> None:
    assert moment_of(at, OPENS, last) == minute


@pytest.mark.parametrize(
    ("at", "last", "sentence"),
    [
        ("09:59", None, "Monday 09:59 is before the opening on Monday 10:00"),
        ("11:00", 740, "Monday 11:00 is before the last event on Monday 12:20; write the date for another day"),
        ("noon", None, "no time 'noon'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ("Someday 10:00", None, "no time 'Someday 10:00'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ("25:00", None, "no time '25:00'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ("2023-05-15T12:00+02:00", None, "times are local, without an offset; got '2023-05-15T12:00+02:00'"),
    ],
)  # fmt: skip
def test_moments_that_cannot_be(at: Any, last: float | None, sentence: str) -> None:
    with pytest.raises(IomsimError) as error:
        moment_of(at, OPENS, last)
    assert str(error.value) == sentence


# -- typed in a hurry, and told back -------------------------------------------------------------------


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
