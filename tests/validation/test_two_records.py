"""Contests that are told twice, among the past ones and with the rules of their body, are told alike."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from iomsim.model.evidence import shipped_folders, shipped_text
from iomsim.validation import data
from iomsim.validation.contest import Contest
from iomsim.validation.data import contests

LATER = {"IOM2019-DDG": 4}
"""Contests that the body's file tells from a later round on: rounds before that."""

OTHER_NAMES = {"IOM2019-DDG"}
"""Contests whose candidates the body's file calls by other names."""

OTHER_SIZE = {"IOC2020": 103}
"""Members, where the body's file counts those who were barred and the record only those who could vote."""

BALLOTS = {"votes", "yes", "unknown", "elected"}


def told() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in shipped_folders("bodies"):
        for one in tomllib.loads(shipped_text(f"bodies/{name}", "contests", ".toml", "contests"))["contests"]:
            yield name, one


PAST = {one.id: one for one in contests()}
BOTH = [(name, one) for name, one in told() if one["id"] in PAST]


def ballots(one: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the ballots of a body's contest by the number of the round in the record."""
    held = [event for event in one["events"] if event.keys() & BALLOTS]
    return enumerate(held, start=1 + LATER.get(one["id"], 0))


def differences(name: str, one: dict[str, Any], past: Contest) -> list[str]:
    """Return in what the two records differ."""
    rounds, out = {known.round: known for known in past.rounds}, []
    if past.body != name:
        out.append(f"body {past.body}")
    if past.size != one["entitled"] and OTHER_SIZE.get(past.id) != one["entitled"]:
        out.append(f"{past.size} members, {one['entitled']} entitled")
    first = next((known.date for known in past.rounds if known.date), None)
    if first and first.year != one["date"].year:
        out.append(f"{first}, {one['date']}")
    for number, event in ballots(one):
        known = rounds.get(number)
        if known is None:
            continue
        votes = dict(event.get("votes", {}))
        if votes and _named(past, known.votes, votes) != _named(past, votes, votes):
            out.append(f"round {number}: {known.votes}, {votes}")
        if votes and known.valid and event.get("valid", known.valid) != known.valid:
            out.append(f"round {number}: {known.valid} papers, {event['valid']}")
        if "yes" in event and (known.kind not in ("yes-no", "single") or known.tally[0] != event["yes"]):
            out.append(f"round {number}: {known.kind} {known.tally}, yes {event['yes']}")
    end = one["end"]
    if (end["how"], end.get("winner")) != (past.ending, past.winner):
        out.append(f"{past.ending} {past.winner}, {end}")
    if end["ballot"] + LATER.get(past.id, 0) != past.decided_round:
        out.append(f"decided in round {past.decided_round}, {end}")
    return out


def _named(past: Contest, tally: dict[str, int], votes: dict[str, int]) -> Any:
    """Return the votes of a tally that the body's file has too; without the names where it has others."""
    if past.id in OTHER_NAMES:
        return sorted(tally.values())
    return {name: number for name, number in tally.items() if number and name in votes}


def test_enough_contests_are_told_twice() -> None:
    assert len(BOTH) >= 18


@pytest.mark.parametrize(("name", "one"), BOTH, ids=[one["id"] for _, one in BOTH])
def test_a_contest_told_twice_is_told_alike(name: str, one: dict[str, Any]) -> None:
    assert not differences(name, one, PAST[one["id"]])


def test_a_difference_would_be_seen() -> None:
    name, one = next((name, one) for name, one in BOTH if one["id"] == "UNSC2020-AF")
    wrong = one | {"events": [{"votes": {"Kenya": 114, "Djibouti": 78}}, *one["events"][1:]]}
    assert differences(name, wrong, PAST["UNSC2020-AF"]) == [
        "round 1: {'Kenya': 113, 'Djibouti': 78}, {'Kenya': 114, 'Djibouti': 78}"
    ]
    assert differences("au", one, PAST["UNSC2020-AF"]) == ["body unsc"]
    assert differences(name, one | {"entitled": 190}, PAST["UNSC2020-AF"]) == ["193 members, 190 entitled"]
    assert (
        len(differences(name, one | {"end": {"how": "majority", "winner": "Djibouti", "ballot": 1}}, PAST[one["id"]]))
        == 2
    )


# -- what every row of the record has to say ------------------------------------------------------------


def test_every_tally_has_a_grade_and_a_source_unless_it_is_remembered() -> None:
    for _, rounds in data._records(None):
        for row in (row for rows in rounds for row in rows):
            assert row.grade, row
            assert row.source_url or row.grade in ("recalled", "inferred", "assumed"), row
            assert row.source_url != "recalled", row


@pytest.mark.parametrize("one", contests(), ids=[one.id for one in contests()])
def test_the_record_of_a_contest_agrees_with_itself(one: Contest) -> None:
    assert one.body in shipped_folders("bodies")
    assert one.rounds_total >= max((known.round for known in one.rounds), default=1)
    assert one.started >= max((len(known.field) for known in one.rounds[:1] if known.kind == "round"), default=2)
    for known in one.rounds:
        if known.kind == "two-seat":
            continue
        assert sum(known.tally) <= known.base <= one.size
        if known.needed and known.kind == "round":
            assert known.needed <= one.size
            reached = max(known.tally) >= known.needed
            assert reached == (known.round == one.decided_round and one.ending == "majority")
    ordinary = [known.round for known in one.ordinary]
    assert set(one.points) >= {r for r in ordinary if r < one.decided_round}
    if one.winner and one.ending == "majority" and one.ordinary[-1].round == one.decided_round:
        assert one.ordinary[-1].field[0] == one.winner
