"""Turnout in heads: the absence that gives so many members, its range, what is not possible, and how it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import complete, play, toy

import iomsim as iom
from iomsim.model.differences import differences
from iomsim.model.scenario import Scenario
from iomsim.model.turnout import mean_present

STILL_THERE = {"cross_pressure_absence": 0}


def sponsored(**behaviour: float) -> Scenario:
    """Return an election in which pressure from both sides keeps members away by different chances."""
    weights = {"near": 2.0, "all": 0.5}
    table = [{"name": f"M{i}", "near": int(i < 4)} for i in range(20)]
    sponsors = [{"name": s, "backs": b, "strength": 0.5, "exposure": weights} for s, b in (("W", "A"), ("E", "B"))]
    electorate = {"table": table, "pinned": {"A": ["M0"]}, "without_vote": ["M19"]}
    return toy(electorate=electorate, sponsors=sponsors, behaviour=behaviour)


def counted(race: Scenario) -> float:
    """Return the mean number of members present, added up member by member as the model has it."""
    b, total = race.behaviour, 0.0
    for i in range(len(race.members)):
        away = min(1.0, b.absent.value + b.cross_pressure_absence.value * race.exposure[:, i].min())
        total += 1.0 if race.pins[i] >= 0 else 0.0 if not race.votes[i] else 1.0 - away
    return total


@pytest.mark.parametrize("heads", [1, 4, 9.5, 15, 17, 18.4])
@pytest.mark.parametrize("cross", [0.0, 0.02, 0.3])
def test_so_many_are_present_in_the_mean(heads: float, cross: float) -> None:
    """With 0.3 some are always away, whatever else: the closed form is a broken line."""
    race = sponsored(cross_pressure_absence=cross)
    most = counted(race.with_behaviour(absent=0.0))
    if heads > most:
        with pytest.raises(iom.ScenarioError, match="the turnout must be between 1 and "):
            race.with_turnout(heads)
        return
    changed = race.with_turnout(heads)
    assert counted(changed) == pytest.approx(heads, abs=1e-9)
    assert mean_present(changed.plan) == pytest.approx(heads, abs=1e-9)


def test_without_cross_pressure_it_is_a_share_of_the_free() -> None:
    race = sponsored(**STILL_THERE).with_turnout(10)
    assert race.behaviour.absent.value == 0.5  # one is pinned, and of 18 others half are there


def test_so_many_are_present_in_the_simulation() -> None:
    race = complete(3, 40).with_turnout(30)
    present = play(race, 4000).present
    assert abs(present.mean() - 30) < 4 * present.std() / np.sqrt(present.size)


def test_the_range_is_shifted_or_given_in_heads() -> None:
    base = iom.load("geneva-2023")
    shifted = base.with_turnout(150)
    assert shifted.behaviour.absent.low < shifted.behaviour.absent.value < shifted.behaviour.absent.high
    value = shifted.behaviour.absent.value
    assert shifted.hash == base.with_behaviour(absent=value).hash
    given = base.with_turnout(150, low=140, high=160).behaviour.absent
    for heads, absent in ((160, given.low), (150, given.value), (140, given.high)):
        assert mean_present(base.with_behaviour(absent=absent).plan) == pytest.approx(heads, abs=1e-6)
    one = base.with_turnout(150, high=160).behaviour.absent
    assert (one.low, one.high) == (given.low, shifted.behaviour.absent.high)
    assert base.with_turnout(np.int64(150)).hash == shifted.hash


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a share": (
        {"members": 0.94},
        "the turnout is given in heads, got the share 0.94; 0.94 of the 19 with a vote are 18$",
    ),
    "more than can be": (
        {"members": 25},
        "must be between 1 and 18.1 members, of 19 with a vote, 1 of them pinned, got 25$",
    ),
    "more than pressure lets": ({"members": 19}, "for more, lower the absence under cross-pressure too"),
    "less than the pinned": ({"members": 0}, "the turnout must be between 1 and 18.1 members"),
    "below nothing": ({"members": -3}, "must be between 1 and 18.1 members, .* got -3$"),
    "a word": ({"members": "all"}, "the turnout is a number of members, such as 18, got 'all'$"),
    "yes": ({"members": True}, "the turnout is a number of members, such as 18, got True$"),
    "no number": ({"members": float("nan")}, "the turnout is a number of members, such as 18, got nan$"),
    "a low above it": ({"members": 15, "low": 16}, "low <= turnout <= high must hold, got 16, 15$"),
    "a high below it": ({"members": 15, "low": 10, "high": 12}, "low <= turnout <= high must hold, got 10, 15, 12$"),
    "a share for a low": ({"members": 15, "low": 0.5}, "the low of the turnout is given in heads"),
    "a high beyond": ({"members": 15, "high": 19}, "the high of the turnout must be between 1 and 18"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_possible_is_refused_in_a_sentence(case: str) -> None:
    asked, said = REFUSED[case]
    with pytest.raises(iom.ScenarioError, match=said) as caught:
        sponsored(cross_pressure_absence=0.05).with_turnout(**asked)
    assert "\n" not in str(caught.value)


def test_the_ends_of_what_is_possible_are_reached() -> None:
    race = sponsored(**STILL_THERE)
    assert race.with_turnout(1).behaviour.absent.value == 1.0
    assert race.with_turnout(19).behaviour.absent.value == 0.0
    assert set(play(race.with_turnout(1), 50).present) == {1}
    assert set(play(race.with_turnout(19), 50).present) == {19}


def test_it_is_told_in_heads() -> None:
    base = iom.load("geneva-2023")
    changed = base.with_turnout(165)
    assert differences(base, changed) == ["turnout 165 instead of 160"]
    assert differences(base, base.with_behaviour(absent=0.1)) == ["absence at 0.1 instead of 0.05"]
    assert differences(base, changed.with_behaviour(absent=0.1)) == ["absence at 0.1 instead of 0.05"]
    assert iom.loads(iom.dumps(changed)) == changed
    assert (
        changed.evidence().loc["behaviour.absent", "source"].startswith("set to a turnout of 165 by the user (was 0.05")
    )
    again = changed.with_turnout(150).behaviour.absent.source
    assert again.startswith("set to a turnout of 150 by the user (was 0.0")
    assert "turnout of 165" not in again
    found = iom.compare(base, changed, runs=500, seed=1, assumptions=20, progress=False)
    assert found.sentence().startswith("With turnout 165 instead of 160, Pope's chance ")
