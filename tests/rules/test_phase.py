"""One phase: what it states, how many it leaves, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from iomsim.errors import ScenarioError, UnknownNameError
from iomsim.rules.phase import Phase


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"drop": 1}, [1, 2, 3, 4, 5]),  # nobody leaves when it begins
        ({"standing": 3}, [1, 2, 3, 4, 5]),
        ({"field": "all"}, [1, 2, 3, 4, 5]),
        ({"field": "all but the last"}, [1, 1, 2, 3, 4]),
        ({"keep": 2}, [1, 2, 2, 2, 2]),
        ({"keep": 4}, [1, 2, 3, 4, 4]),
    ],
)
def test_how_many_may_stand_when_it_begins(parts: dict[str, Any], left: list[int]) -> None:
    assert [Phase(**parts).cut(standing) for standing in (1, 2, 3, 4, 5)] == left


@pytest.mark.parametrize(
    ("parts", "bounded"),
    [({}, False), ({"drop": 1}, False), ({"ballots": 1}, True), ({"standing": 2}, True), ({"standing": 1}, False)],
)
def test_whether_it_can_be_over(parts: dict[str, Any], bounded: bool) -> None:
    assert Phase(**parts).bounded is bounded


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"name": "two", "keep": 2, "ballots": 3, "threshold": ">1/2"},
        {"field": "all but the last", "standing": 3, "drop": 2, "down_to": 4, "threshold": ["2/3", "most"]},
        {"ballots": 1, "vote": "yes-no", "base": "entitled", "tie": "extra", "barred": True},
    ],
)
def test_it_is_written_as_it_was_read(table: dict[str, Any]) -> None:
    phase = Phase.of(table)
    assert phase.table() == table
    assert Phase.of(phase.table()) == phase == Phase.of(phase)
    assert eval(repr(phase), {"Phase": Phase}) == phase


def test_what_it_does_not_state_is_not_written() -> None:
    assert Phase(field="remaining", standing=1, drop=0, vote="choice").table() == {}
    assert Phase(threshold=33).table() == {"threshold": "33"}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"field": "some"}, "a phase: field must be one of remaining, all but the last, all; got 'some'"),
        ({"name": "x", "vote": "secret"}, "phase 'x': vote must be one of choice, yes-no; got 'secret'"),
        ({"tie": "coin"}, "a phase: tie must be one of lot, extra; got 'coin'"),
        ({"base": "voters"}, "a phase: base must be one of valid, present, entitled; got 'voters'"),
        ({"keep": 0}, "a phase: keep must be a whole number of at least 1, got 0"),
        ({"keep": "2"}, "a phase: keep must be a whole number of at least 1, got '2'"),
        ({"ballots": 1.0}, "a phase: ballots must be a whole number of at least 1, got 1.0"),
        ({"ballots": True}, "a phase: ballots must be a whole number of at least 1, got True"),
        ({"standing": 0}, "a phase: standing must be a whole number of at least 1, got 0"),
        ({"standing": None}, "a phase: standing must be a whole number of at least 1, got None"),
        ({"drop": -1}, "a phase: drop must be a whole number of at least 0, got -1"),
        ({"down_to": 0}, "a phase: down_to must be a whole number of at least 1, got 0"),
        ({"barred": 1}, "a phase: barred must be true or false, got 1"),
        ({"threshold": "1/2"}, "threshold 1/2 would elect with exactly half of the votes; write '>1/2' for a majority"),
        ({"keep": 2, "field": "all"}, "a phase: keep = 2 and field = 'all' exclude each other; leave one out"),
        (
            {"name": "alone", "vote": "yes-no"},
            "phase 'alone': a yes/no vote on one needs a number of ballots, and nobody can be dropped by it",
        ),
        (
            {"vote": "yes-no", "ballots": 1, "drop": 1},
            "a phase: a yes/no vote on one needs a number of ballots, and nobody can be dropped by it",
        ),
    ],
)
def test_what_cannot_be_is_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        Phase(**parts)
    assert str(error.value) == said


def test_an_unknown_part_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"^no part of a phase named 'kep'; did you mean 'keep'\?$"):
        Phase.of({"kep": 2})
