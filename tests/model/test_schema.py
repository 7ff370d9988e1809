"""The JSON schema of a scenario file: beliefs that an editor checks, and what a saved what-if holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from toys import as_an_editor_sees

import iomsim as iom
from iomsim.model.scenario import Scenario, build

HEARD = pd.DataFrame(
    {"member": ["Kenya", "Peru"], "candidate": "Pope", "kind": ["oral", "public"], "date": ["2023-05-02", None]}
)
AB = [{"name": "A"}, {"name": "B"}]


def document(race: Scenario) -> Any:
    """Return a saved scenario as an editor sees it."""
    return as_an_editor_sees(iom.dumps(race))


@pytest.mark.parametrize(
    "said",
    [
        {"level": {"A": 0.5}},
        {"level": {"A": {"value": 0.5, "low": 0.4, "high": 0.6, "grade": "assumed", "source": "tight"}}},
        {
            "readings": [
                {"name": "strict", "weight": 0.25},
                {"name": "four-rounds", "weight": 0.75, "grade": "inferred"},
            ]
        },
        {"readings": [{"rules": {"threshold": ">1/2"}, "weight": 1, "source": "the text"}]},
        {"readings": [{"rules": {"name": "strict", "max_rounds": 12}, "weight": 1.0}], "body": "iom"},
        {"rules": {"name": "strict"}, "readings": [{"name": "strict", "weight": 1.0}]},
    ],
)
def test_levels_and_readings_follow_the_schema(said: dict[str, Any], checker: Any) -> None:
    described = {"electorate": {"size": 9}, "candidates": AB} | said
    assert list(checker.iter_errors(described)) == []
    race = build(described)
    assert list(checker.iter_errors(document(race))) == []
    assert iom.loads(iom.dumps(race)) == race


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": 0.5},
        {"level": {"A": "even"}},
        {"level": {"A": {"low": 0.4, "high": 0.6}}},
        {"level": {"A": {"value": 0.5, "lowest": 0.4}}},
        {"readings": {"strict": 1.0}},
        {"readings": [{"name": "strict"}]},
        {"readings": [{"weight": 1.0}]},
        {"readings": [{"name": "strict", "weight": 0}]},
        {"readings": [{"name": "strict", "weight": 1.5}]},
        {"readings": [{"name": "strict", "weight": "all"}]},
        {"readings": [{"name": "strict", "weight": 1.0, "grade": "sure"}]},
        {"readings": [{"name": "strict", "weight": 1.0, "reason": "practice"}]},
        {"readings": [{"name": "strict", "rules": {"threshold": ">1/2"}, "weight": 1.0}]},
        {"held": {"clock": {}}},
        {"held": {"sponsors": [{"name": "W"}]}},
    ],
)
def test_the_schema_refuses_beliefs_that_the_library_refuses(wrong: dict[str, Any], checker: Any) -> None:
    described = {"electorate": {"size": 9}, "candidates": AB} | wrong
    assert list(checker.iter_errors(described)) != []
    with pytest.raises(iom.ScenarioError):
        build(described)


@pytest.mark.parametrize(
    "change",
    [
        lambda race: race.with_pressure(Washington=0.9),
        lambda race: race.with_behaviour(secrecy=0.0),
        lambda race: race.with_pinned(Pope=["CAN"]).with_pressure(Brussels=0.0),
        lambda race: race.with_rules("four-rounds"),
        lambda race: race.with_rules(max_rounds=12),
        lambda race: race.balanced(0.55),
        lambda race: race.with_readings({"strict": 0.5, "four-rounds": 0.5}),
        lambda race: race.with_pledges(HEARD),
        lambda race: race.with_pledges(HEARD, discounts={"oral": (0.7, 0.4, 1.0)}).with_pressure(Washington=0.9),
        lambda race: race.with_polling(pd.Series({"Kenya": 0.7, "Peru": 0.0}, name="Pope"), trust=(0.7, 0.5, 0.9)),
    ],
)
def test_a_saved_what_if_follows_the_schema_and_remembers_its_level(
    change: Callable[[Scenario], Scenario], checker: Any
) -> None:
    what_if = change(iom.load("geneva-2023"))
    assert list(checker.iter_errors(document(what_if))) == []
    again = iom.loads(iom.dumps(what_if))
    assert again == what_if
    assert (again.hash, again.held is None) == (what_if.hash, what_if.held is None)
    assert again.plan.values == what_if.plan.values


def test_editors_are_told_what_level_readings_and_held_are() -> None:
    parts = iom.schema()["properties"]
    assert parts["level"]["additionalProperties"] == {"$ref": "#/$defs/Quantity"}
    assert parts["readings"]["items"] == {"$ref": "#/$defs/WeightedReading"}
    for name in ("WeightedReading", "Held"):
        assert len(iom.schema()["$defs"][name]["description"]) > 40
