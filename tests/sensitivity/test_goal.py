"""Paths to a probability: the smallest change, against all sets and against the exact answer."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.special import logit
from toys import ALONE, elect, five, toy, voter

import iomsim as iom
from iomsim.errors import IomsimError, ScenarioError, UnknownNameError
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.goal import FEWEST, WAVERERS, nearest_crossing, orders
from iomsim.sensitivity.paired import simulate_points


def ways(found: iom.Paths) -> dict[str, Any]:
    return {way.path: way for way in found.ways}


# -- parameters -------------------------------------------------------------------------------------


def test_the_strength_needed_is_the_exact_one() -> None:
    """One voter: sigma(strength / 2) = 0.7 at strength 1.69, and the interval holds it."""
    found = iom.paths_to(voter(), "A", 0.7, runs=20_000, seed=1)
    way = ways(found)["sponsors.W.strength"]
    exact = 2 * logit(0.7)
    assert way.now == 1.0
    assert way.at_best < exact < way.at_worst
    assert way.value == pytest.approx(exact, abs=0.1)
    again = voter().with_pressure(W=way.value)
    reached = iom.forecast(again, 20_000, seed=1, assumptions="fixed", progress=False).win_probability()
    assert reached.loc["A", "probability"] == pytest.approx(0.7, abs=0.002)


def test_less_may_be_needed_instead_of_more() -> None:
    """B needs less pressure from A's sponsor, or other parameters, if they are asked for."""
    found = iom.paths_to(voter(), "B", 0.42, parameters=["W", "secrecy", "A"], runs=6_000, seed=1)
    exact = {"W": -2 * logit(0.42), "secrecy": 1 + logit(0.42), "A": -logit(0.42) - 0.5}
    for way, (name, value) in zip(found.ways[:3], exact.items(), strict=True):
        assert way.path.split(".")[1].startswith(name)
        assert way.value == pytest.approx(value, abs=0.15)
        ends = sorted((way.at_best, way.at_worst))
        assert ends[0] <= value <= ends[1]
        assert abs(way.at_best - way.now) <= abs(way.value - way.now) <= abs(way.at_worst - way.now)


def test_where_nothing_in_range_is_enough_it_says_so() -> None:
    found = iom.paths_to(voter(electorate={"size": 1, "pinned": {}}), "A", 0.9, runs=2000, seed=1)
    way = ways(found)["sponsors.W.strength"]
    assert np.isnan([way.value, way.at_best, way.at_worst]).all()
    assert way.reaches == pytest.approx(0.73, abs=0.03)
    assert "Not enough within the ranges: W's strength (73 at most)" in found.sentence()
    hopeless = iom.paths_to(elect("AAAB"), "B", 0.5, runs=50, seed=1)
    assert hopeless.sentence().startswith("Nothing within the ranges puts B at 50 in 100 on the best guesses (now <1).")
    assert "fewest members (<1 at most), waverers first (<1 at most)" in hopeless.sentence()


@pytest.mark.parametrize(
    ("curve", "now", "goal", "place"),
    [
        ([0.1, 0.3, 0.5, 0.7], 0.0, 0.4, 1.5),
        ([0.7, 0.5, 0.3, 0.1], 3.0, 0.4, 1.5),
        ([0.6, 0.2, 0.2, 0.6], 1.2, 0.4, 0.5),
        ([0.6, 0.2, 0.2, 0.6], 1.8, 0.4, 2.5),
        ([0.1, 0.2, 0.3, 0.4], 0.0, 0.4, 3.0),
        ([0.5, 0.6, 0.7, 0.8], 2.0, 0.4, 2.0),
    ],
)
def test_the_nearest_crossing(curve: list[float], now: float, goal: float, place: float) -> None:
    assert nearest_crossing(np.arange(4.0), np.array(curve), now, goal) == pytest.approx(place)


def test_no_crossing() -> None:
    assert np.isnan(nearest_crossing(np.arange(3.0), np.array([0.1, 0.2, 0.3]), 0.0, 0.4))


# -- members ----------------------------------------------------------------------------------------


def smallest_set(race: Scenario, name: str, goal: float, runs: int) -> int:
    """Return the size of the smallest set of members whose votes for good reach the goal, trying all."""
    members = list(race.electorate.frame["name"])
    for size in range(1, len(members) + 1):
        races = [race.with_pinned(**{name: who}) for who in combinations(members, size)]
        if max(cell[name].mean() for cell in simulate_points([(each, {}) for each in races], runs, seed=1)) >= goal:
            return size
    return len(members) + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("race", "name", "goals"),
    [
        (five(), "A", (0.5, 0.7, 0.9)),
        (five(behaviour=ALONE | {"openness_inf": 0.3}, rules="until-two-thirds"), "B", (0.6, 0.8)),
        pytest.param(
            toy(6, "ABC", behaviour={"absent": 0.2}, rules="four-rounds"), "C", (0.6, 0.8), marks=pytest.mark.slow
        ),
    ],
    ids=["strict", "until two thirds", "three candidates"],
)
def test_no_set_is_smaller(race: Scenario, name: str, goals: tuple[float, ...]) -> None:
    """Against every set of members there is."""
    race = race if race.rules.name == "until-two-thirds" else race.with_rules(max_rounds=6)
    for goal in goals:
        way = ways(iom.paths_to(race, name, goal, runs=800, seed=1))[FEWEST]
        assert way.value == smallest_set(race, name, goal, runs=800)
        assert len(way.members) == way.value


@pytest.mark.slow
def test_one_fewer_is_not_enough() -> None:
    race = iom.load("geneva-2023")
    found = iom.paths_to(race, "Pope", 0.6, parameters={"secrecy": (0.0, 1.0)}, runs=400, seed=1)
    for order in (FEWEST, WAVERERS):
        way = ways(found)[order]
        assert way.at_best <= way.value <= way.at_worst
        few, enough = (race.with_pinned(Pope=way.members[:count]) for count in (len(way.members) - 1, len(way.members)))
        less, reached = (cell["Pope"].mean() for cell in simulate_points([(few, {}), (enough, {})], 400, seed=1))
        assert less < 0.6 <= reached
    assert ways(found)[FEWEST].value <= ways(found)[WAVERERS].value


def test_whom_to_win_over_first() -> None:
    """Those with most votes to give are the other side's; waverers are in the middle; nobody who cannot move."""
    race = five(behaviour=ALONE, electorate={"size": 5, "without_vote": ("M4",)})
    found = orders(race, "A", seed=1)
    assert found[FEWEST] == ("M5", "M3", "M2", "M1")
    assert found[WAVERERS] == ("M3", "M2", "M5", "M1")
    assert orders(race, "B", seed=1)[FEWEST] == ("M1", "M2", "M3", "M5")


def test_who_is_often_away_has_more_votes_to_give() -> None:
    """A member of B's who is always there gives less than a waverer who is hardly ever there."""
    table = tuple({"name": f"M{i}", "torn": int(i == 1)} for i in range(1, 6))
    torn = [{"name": n, "backs": b, "strength": 0, "exposure": {"torn": 1}} for n, b in (("W", "A"), ("E", "B"))]
    ties = [{"name": "b", "who": ["M2"], "candidate": "B", "log_odds": 1.5}]
    race = toy(electorate={"table": table}, sponsors=torn, ties=ties,
               behaviour=ALONE | {"cross_pressure_absence": 0.19})  # fmt: skip
    found = orders(race, "A", seed=1)
    assert found[FEWEST][:2] == ("M1", "M2")
    assert found[WAVERERS][-1] == "M2"


# -- words and refusals -----------------------------------------------------------------------------


def test_where_the_candidate_is_ahead_nothing_is_needed() -> None:
    found = iom.paths_to(voter(), "A", 0.4, runs=500, seed=1)
    assert found.ways == ()
    assert found.table().empty
    assert found.sentence().startswith("Nothing is needed: A is at 6")
    assert found.sentence().endswith(" in 100 on the best guesses already, and the goal is 40.")
    assert "seed 1" in repr(found)


def test_a_goal_within_noise_is_called_so() -> None:
    base = iom.paths_to(voter(), "A", 0.4, runs=400, seed=1).base
    found = iom.paths_to(voter(), "A", (base.value + base.high) / 2, runs=400, seed=1)
    assert "The difference is within noise already." in found.sentence()
    way = ways(found)["sponsors.W.strength"]
    assert way.at_best == way.now < way.value


def test_the_sentence_names_every_way() -> None:
    found = iom.paths_to(five(sponsors=[{"name": "W", "backs": "A", "strength": {"value": 0, "low": 0, "high": 9}}]),
                         "A", 0.5, runs=2000, seed=1)  # fmt: skip
    table, words = found.table(), found.sentence()
    assert words.startswith(
        f"To put A at 50 in 100 on the best guesses (now {100 * found.base[0]:.0f}): W's strength at "
    )
    count = int(table.loc[FEWEST, "value"])
    assert f"; or {count} won over, fewest members (" in words
    assert table.loc[FEWEST, "members"] == ", ".join(ways(found)[FEWEST].members)
    assert list(table.columns) == ["now", "value", "at_best", "at_worst", "reaches", "members"]


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"candidate": "C"}, UnknownNameError, "no candidate named 'C'"),
        ({"probability": 1}, IomsimError, "probability must be between 0 and 1, got 1"),
        ({"probability": "half"}, IomsimError, "got 'half'"),
        ({"parameters": ["secrcy"]}, UnknownNameError, "did you mean 'secrecy'"),
        ({"parameters": {"W": (2, 1)}}, ScenarioError, "must be below its high"),
        ({"runs": 1}, IomsimError, "runs must be a whole number of at least 2"),
    ],
)
def test_a_bad_wish_is_refused(how: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        iom.paths_to(voter(), **({"candidate": "A", "runs": 10, "seed": 1} | how))
