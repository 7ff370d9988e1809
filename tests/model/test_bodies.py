"""The bodies that are shipped: every section says how well it is known, and every contest can have happened."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

import iomsim as iom
from iomsim.errors import IomsimError
from iomsim.model.bodies import readings
from iomsim.rules.course import Course
from iomsim.rules.procedure import Procedure

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
    assert set(body) == {"name", "about", "kind", "reading", "electorate", "clock", "secrecy", "readings"}
    for section in sections(body).values():
        assert section["grade"] in GRADES
        assert len(section["source"]) > 10
        assert section["grade"] != "recalled" or "as remembered" in section["source"]


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_sections_say_what_they_should(name: str) -> None:
    body = BODIES[name]
    assert body["reading"] in body["readings"]
    assert set(body["electorate"]) - {"members", "group"} == {"size", "date", "grade", "source"}
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


# -- played to their real end -------------------------------------------------------------------------------


class Ballot(NamedTuple):
    """One ballot as it is told: its event, who withdrew after it, whom a lot or an extra ballot put out."""

    told: dict[str, Any]
    withdraws: list[int]
    out: list[int]
    extra: dict[str, int]


def ballots(contest: dict[str, Any]) -> Iterator[Ballot]:
    """Yield the ballots of a contest with what followed each of them."""
    names, found = contest["candidates"], None
    for event in contest["events"]:
        if set(event) & BALLOTS:
            if found:
                yield found
            found = Ballot(event, [], [], {})
        else:
            found.withdraws.extend(names.index(event[key]) for key in ("withdraws",) if key in event)
            found.out.extend(names.index(event[key]) for key in ("out",) if key in event)
            found.extra.update(event.get("extra", {}))
    yield found


def held(course: Course, names: list[str], ballot: Ballot) -> Course:
    """Return an election after one more ballot; refuse one that these rules could not have held so."""
    told = ballot.told
    if "unknown" in told:
        return course.unknown(out=ballot.out, withdraws=ballot.withdraws)
    if "elected" in told:
        if not course.may_stand[names.index(told["elected"])]:
            raise IomsimError("one is elected who does not stand")
        return replace(course, ballot=course.ballot + 1, ended="majority", elected=names.index(told["elected"]))
    if "yes" in told:
        return course.answered(told["yes"], told.get("no", 0), present=told.get("present"))
    stood = {name for name, stands in zip(names, course.may_stand, strict=True) if stands}
    votes = [told["votes"].get(name, 0) for name in names]
    if sum(votes) == told.get("valid") and set(told["votes"]) != stood:
        raise IomsimError("all votes are told, and others stood")
    tied = {name for name, level in zip(names, course.tied(votes, ballot.withdraws), strict=True) if level}
    lots = [float(k not in ballot.out) + k / 100 for k in range(len(names))] if ballot.out else None
    after = course.after(
        votes,
        valid=told.get("valid"),
        present=told.get("present"),
        tickets=lots,
        extra=[ballot.extra.get(name, 0) for name in names] if ballot.extra else None,
        withdraws=ballot.withdraws,
    )
    if after.ended != "majority" and tied != set(ballot.extra):
        raise IomsimError("the extra ballot was held between others, or not at all")
    if after.ended is None and any(after.may_stand[k] for k in ballot.out):
        raise IomsimError("one is out who may stand")
    return after


def played(contest: dict[str, Any], rules: Procedure) -> dict[str, Any]:
    """Return how a contest ends under these rules, in the words of its file; who ends it early is refused."""
    names = contest["candidates"]
    course = Course.begin(rules, len(names), contest["entitled"])
    for ballot in ballots(contest):
        course = held(course, names, ballot)  # refused if a ballot before has elected somebody
    winner = {"winner": names[course.elected]} if course.elected >= 0 else {}
    return {"how": course.ended, **winner, "ballot": course.ballot}


@pytest.mark.parametrize(("name", "contest"), sorted(CONTESTS))
def test_the_rules_lead_to_the_real_end(name: str, contest: str) -> None:
    told = CONTESTS[name, contest]
    assert played(told, readings(name)[told["reading"]]) == told["end"]


WRONG: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("au", "rule-42"): [
        {"threshold": ">1/2"}, {"threshold": "3/4"}, {"all.ballots": 2}, {"all.ballots": 4}, {"all.standing": 2},
        {"all.drop": 1}, {"two.keep": 3}, {"two.ballots": 2}, {"two.ballots": 4}, {"alone.vote": "choice"},
        {"alone.ballots": 2}, {"alone.threshold": ">1/2"},
    ],
    ("bie", "last-leaves"): [
        {"threshold": ">1/2"}, {"two thirds.drop": 0}, {"two thirds.drop": 2}, {"two thirds.standing": 2},
        {"two thirds.ballots": 1}, {"majority.threshold": "2/3"}, {"majority.field": "all"},
    ],
    ("conclave", "two-thirds"): [
        {"threshold": ">1/2"}, {"threshold": "3/4"}, {"all.ballots": 3}, {"all.drop": 1},
    ],
    ("council-of-europe", "two-ballots"): [
        {"threshold": ">1/2"}, {"threshold": "most"}, {"threshold": "2/3"}, {"ballots.drop": 1},
    ],
    ("fao", "rule-36"): [
        {"threshold": "2/3"}, {"threshold": "most"}, {"base": "entitled"}, {"two.keep": 1}, {"two.base": "entitled"},
    ],
    ("iaea", "procedure-2009"): [
        {"threshold": ">1/2"}, {"threshold": "3/5"}, {"two.ballots": 3}, {"two.ballots": 5}, {"alone.ballots": 2},
        {"alone.threshold": ">1/2"}, {"alone.vote": "choice"},
    ],
    ("iaea", "procedure-2019"): [
        {"threshold": ">1/2"}, {"threshold": "3/4"}, {"two.ballots": 2}, {"two.field": "all but the last"},
    ],
    ("ilo", "last-leaves"): [{"threshold": "3/5"}, {"ballots.drop": 0}, {"ballots.drop": 2}],
    ("ioc", "last-leaves"): [
        {"threshold": "2/3"}, {"threshold": "most"}, {"base": "entitled"}, {"ballots.drop": 0}, {"ballots.drop": 2},
        {"ballots.tie": "lot"},
    ],
    ("iom", "until-two-thirds"): [
        {"threshold": ">1/2"}, {"withdrawal": "none"}, {"withdrawal": "vote"}, {"all.ballots": 2}, {"all.ballots": 4},
        {"all.drop": 1}, {"elimination.field": "remaining"}, {"two.field": "all"},
    ],
    ("iom", "one-two-way"): [
        {"threshold": "3/5"}, {"two.ballots": 2}, {"alone.threshold": ">1/2"}, {"alone.vote": "choice"},
    ],
    ("itu", "majority"): [
        {"threshold": "2/3"}, {"threshold": "most"}, {"base": "entitled"}, {"all.ballots": 1}, {"all.drop": 1},
    ],
    ("oas", "article-74"): [{"all.ballots": 4}, {"all.ballots": 6}],
    ("un-tourism", "top-two"): [
        {"threshold": "3/5"}, {"threshold": "most"}, {"all.ballots": 2}, {"two.keep": 3}, {"two.threshold": "2/3"},
    ],
    ("unesco", "five-ballots"): [
        {"threshold": "3/5"}, {"threshold": "most"}, {"all.ballots": 3}, {"all.ballots": 5}, {"all.drop": 1},
        {"two.keep": 3}, {"two.tie": "lot"},
    ],
    ("unsc", "rule-93"): [
        {"threshold": ">1/2"}, {"threshold": "3/5"}, {"withdrawal": "none"}, {"withdrawal": "acclamation"},
        {"first.ballots": 2}, {"restricted.keep": 3}, {"restricted.ballots": 2}, {"restricted.ballots": 4},
        {"open.ballots": 2}, {"open.ballots": 4}, {"open.drop": 1},
    ],
    ("who", "rule-110"): [
        {"threshold": ">1/2"}, {"threshold": "3/5"}, {"three.standing": 4}, {"three.drop": 0},
        {"three.threshold": ">1/2"}, {"two.threshold": ">1/2"},
    ],
}  # fmt: skip
"""Readings that are wrong in one thing, as at least one contest of their body shows: parts, or those of a phase."""


def changed(rules: Procedure, part: str, value: Any) -> Procedure:
    """Return rules with one part changed, perhaps of a phase."""
    phase, _, key = part.rpartition(".")
    if not phase:
        return rules.with_(**{part: value})
    [at] = [i for i, one in enumerate(rules.phases) if one.name == phase]
    phases = [replace(one, **{key: value}) if i == at else one for i, one in enumerate(rules.phases)]
    return rules.with_(phases=tuple(phases))


def refuted(contest: dict[str, Any], rules: Procedure) -> bool:
    """Return whether a contest cannot have gone as it is told under these rules."""
    try:
        return played(contest, rules) != contest["end"]
    except IomsimError:
        return True


@pytest.mark.parametrize(
    ("name", "reading", "part", "value"),
    [(*where, part, value) for where, wrongs in WRONG.items() for wrong in wrongs for part, value in wrong.items()],
)
def test_a_wrong_reading_is_refuted(name: str, reading: str, part: str, value: Any) -> None:
    wrong = changed(readings(name)[reading], part, value)
    assert wrong != readings(name)[reading]
    told = [contest for (body, _), contest in CONTESTS.items() if (body, contest["reading"]) == (name, reading)]
    assert any(refuted(contest, wrong) for contest in told)


def test_no_body_goes_without_a_wrong_reading() -> None:
    assert {name for name, _ in WRONG} == set(BODIES)
    assert set(WRONG) == {(name, contest["reading"]) for (name, _), contest in CONTESTS.items()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["events"].insert(0, c["events"][-1]), "more than one stands"),
        (lambda c: c["events"].append(c["events"][-1]), "the election is over"),
        (lambda c: c["events"].pop(), ""),  # it would not be over
        (lambda c: c["events"][0]["votes"].update(Odinga=33), "the election is over"),
        (lambda c: c["events"][3]["votes"].update(Randriamandrato=2), "does not stand"),
        (lambda c: c["events"].insert(1, {"withdraws": "Odinga"}), ""),
        (lambda c: c["end"].update(winner="Odinga"), ""),
        (lambda c: c["end"].update(ballot=6), ""),
    ],
)
def test_a_contest_that_went_otherwise_is_seen(change: Any, said: str) -> None:
    text = (FOLDER / "au" / "contests.toml").read_text(encoding="utf-8")
    contest, rules = tomllib.loads(text)["contests"][0], readings("au")["rule-42"]
    assert not refuted(contest, rules)
    change(contest)
    assert refuted(contest, rules)
    if said:
        with pytest.raises(IomsimError, match=said):
            played(contest, rules)


# -- as scenarios ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_body_can_be_started_and_forecast(name: str) -> None:
    race = iom.start(name, ["A", "B", "C"])
    told = BODIES[name]
    assert (race.title, race.about, race.body, race.names) == (told["name"], told["about"], name, ("A", "B", "C"))
    assert len(race.members) == race.plan.entitled == told["electorate"]["size"]
    usual = told["readings"][told["reading"]]
    assert race.rules == readings(name)[told["reading"]]
    assert (race.rules.grade, race.rules.source) == (usual["grade"], usual["source"])
    assert iom.loads(iom.dumps(race)) == race
    fc = iom.forecast(race, runs=20, seed=1, progress=False)
    assert fc.rule_sets().index.tolist() == list(readings(name))
    row = iom.bodies().loc[name]
    assert (row["name"], row["members"], row["readings"]) == (
        BODIES[name]["name"], BODIES[name]["electorate"]["size"], len(BODIES[name]["readings"]),
    )  # fmt: skip
