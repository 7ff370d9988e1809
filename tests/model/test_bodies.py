"""The bodies that are shipped: every section says how well it is known, and every contest can have happened."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

FOLDER = Path(__file__).parents[2] / "seeds" / "bodies"
BODIES = {path.parent.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*/body.toml")}
CONTESTS = {
    (name, contest["id"]): contest
    for name in BODIES
    for contest in tomllib.loads((FOLDER / name / "contests.toml").read_text(encoding="utf-8"))["contests"]
}

ASKED_FOR = {
    *("iom", "unsc", "who", "au", "iaea", "unesco", "ilo", "fao", "un-tourism"),
    *("bie", "ioc", "conclave", "council-of-europe", "itu"),
}
GRADES = {"verified", "inferred", "recalled", "assumed"}
CLOCK = {
    *("opens", "timezone", "sittings", "days", "closed", "formalities"),
    *("round_minutes", "rounds_a_day", "first_day", "grade", "source"),
}
READING = {
    *("about", "threshold", "base", "withdrawal", "phases", "after", "repeat_from", "max_rounds"),
    *("grade", "source"),
}
PHASE = {
    *("name", "field", "keep", "standing", "ballots", "drop", "down_to"),
    *("vote", "threshold", "base", "tie", "barred"),
}
CONTEST = {"id", "date", "reading", "entitled", "candidates", "events", "end", "grade", "source"}
EVENTS = (  # what an event must say, and what it may say besides
    ({"votes"}, {"valid", "present"}),
    ({"yes"}, {"no", "present"}),
    ({"unknown"}, set()),
    ({"elected"}, set()),
    ({"withdraws"}, set()),
    ({"out"}, {"extra"}),
)
BALLOTS = {"votes", "yes", "unknown", "elected"}


def sections(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all that must say how well it is known."""
    return {key: body[key] for key in ("electorate", "clock", "secrecy")} | body["readings"]


def names(event: dict[str, Any]) -> set[str]:
    """Return the candidates whom an event names."""
    told = {event[key] for key in ("withdraws", "out", "elected") if key in event}
    return told | set(event.get("votes", {})) | set(event.get("extra", {}))


def papers(event: dict[str, Any]) -> tuple[int, int, int]:
    """Return the papers for somebody, the valid ones and the members present, as far as told."""
    counted = sum(event.get("votes", {}).values()) + event.get("yes", 0) + event.get("no", 0)
    valid = event.get("valid", counted)
    return counted, valid, event.get("present", valid)


def test_the_bodies_asked_for_are_there() -> None:
    assert set(BODIES) >= ASKED_FOR
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} == set(BODIES)
    assert len(BODIES["iom"]["readings"]) == 5


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_section_has_a_grade_and_a_source(name: str) -> None:
    body = BODIES[name]
    assert set(body) == {"name", "about", "reading", "electorate", "clock", "secrecy", "readings"}
    for section in sections(body).values():
        assert section["grade"] in GRADES
        assert len(section["source"]) > 10
        assert section["grade"] != "recalled" or "as remembered" in section["source"]


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_sections_say_what_they_should(name: str) -> None:
    body = BODIES[name]
    assert body["reading"] in body["readings"]
    assert set(body["electorate"]) - {"members"} == {"size", "date", "grade", "source"}
    assert body["electorate"]["size"] > 0
    assert isinstance(body["electorate"]["date"], dt.date)
    assert body["secrecy"]["ballot"] in ("secret", "public")
    for reading in body["readings"].values():
        assert set(reading) <= READING
        assert ("repeat_from" in reading) == (reading.get("after") == "repeat")
        assert all(set(phase) <= PHASE for phase in reading["phases"])
        assert reading["about"].endswith(".")


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_vote_opens_within_a_sitting(name: str) -> None:
    clock = BODIES[name]["clock"]
    assert {"opens", "timezone", "sittings", "days", "formalities", "round_minutes"} <= set(clock) <= CLOCK
    assert ZoneInfo(clock["timezone"]).key == clock["timezone"]
    assert f"{clock['opens']:%a}" in clock["days"]
    assert any(start <= clock["opens"].time() < end for start, end in clock["sittings"])
    hours = [hour for sitting in clock["sittings"] for hour in sitting]
    assert hours == sorted(hours)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_body_has_a_contest_under_its_first_reading(name: str) -> None:
    assert BODIES[name]["reading"] in {contest["reading"] for (body, _), contest in CONTESTS.items() if body == name}


@pytest.mark.parametrize(("name", "contest"), sorted(CONTESTS))
def test_a_contest_can_have_happened(name: str, contest: str) -> None:
    told = CONTESTS[name, contest]
    assert set(told) == CONTEST
    assert told["reading"] in BODIES[name]["readings"]
    assert told["grade"] in GRADES
    assert told["grade"] != "recalled" or "as remembered" in told["source"]
    assert len(set(told["candidates"])) == len(told["candidates"])
    for event in told["events"]:
        assert any(must <= set(event) <= must | may for must, may in EVENTS), event
        assert names(event) <= set(told["candidates"]), event
        counted, valid, present = papers(event)
        assert counted <= valid <= present <= told["entitled"], event


@pytest.mark.parametrize(("name", "contest"), sorted(CONTESTS))
def test_a_contest_says_how_it_ended(name: str, contest: str) -> None:
    told = CONTESTS[name, contest]
    end, last = told["end"], told["events"][-1]
    assert end["how"] in ("majority", "acclamation", "confirmed", "failed")
    assert ("winner" in end) == (end["how"] != "failed")
    assert end.get("winner", told["candidates"][0]) in told["candidates"]
    assert end["ballot"] == sum(bool(BALLOTS & set(event)) for event in told["events"])
    if end["how"] == "majority":
        votes = last["votes"] if "votes" in last else {last["elected"]: 1}
        assert max(votes, key=votes.get) == end["winner"]


def test_contests_have_names_of_their_own() -> None:
    assert len({contest for _, contest in CONTESTS}) == len(CONTESTS)
