"""Draws of the assumptions: readings by their weights, the level of the race as it was stated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import toy

import iomsim as iom
from iomsim.engine.rng import assumption_uniforms
from iomsim.model.assumptions import completed, draw_assumptions
from iomsim.model.links import quantile
from iomsim.model.scenario import Scenario

LEVEL = {"value": 0.5, "low": 0.42, "high": 0.57}
WEIGHTS = {"until-two-thirds": 0.55, "four-rounds": 0.3, "strict": 0.15}
APPEAL, STRENGTH, SECRECY = "candidates.A.appeal", "sponsors.W.strength", "behaviour.secrecy"
COUNT = 25


def stated(behaviour: Any = None, sponsor: Any = None, level: Any = None) -> Scenario:
    """Return a race whose level is stated; W backs A, with a strength that is uncertain."""
    strength = {"strength": {"value": 0.5, "low": 0.2, "high": 1.0}}
    return toy(
        9,
        candidates=[{"name": "A"}, {"name": "B", "appeal": 0.1}],
        sponsors=[{"name": "W", "backs": "A", "exposure": {"all": 1.0}} | (sponsor or strength)],
        behaviour=behaviour or {"secrecy": {"value": 0.3, "low": 0.1, "high": 0.6}},
        level={"A": level or LEVEL},
    )


def test_readings_are_drawn_by_their_weights() -> None:
    draws = draw_assumptions(toy().with_readings(WEIGHTS), 1, 400)
    found = dict(zip([rules.name for rules in draws.readings], np.bincount(draws.reading), strict=True))
    assert {name: pytest.approx(400 * weight, abs=1) for name, weight in WEIGHTS.items()} == found
    assert np.array_equal(draws.parameters["readings"], draws.reading)


def test_a_draw_is_the_quantile_of_its_own_number() -> None:
    race = stated()
    draws = draw_assumptions(race, 3, COUNT)
    for path in (STRENGTH, SECRECY, "level.A"):
        known = race._parameters[path]
        expected = quantile(known.quantity, known.bounds, assumption_uniforms(3, path, COUNT))
        assert np.array_equal(draws.values[path], expected)


def test_appeals_give_the_level_of_each_draw() -> None:
    """The scenario with the numbers of one draw, its level among them, has the appeal of that draw."""
    race, c = stated(), 7
    draws = draw_assumptions(race, 3, COUNT)
    one = {path: float(values[c]) for path, values in draws.values.items()}
    behaviour = {path.removeprefix("behaviour."): x for path, x in one.items() if path.startswith("behaviour.")}
    sponsor = {path.removeprefix("sponsors.W."): x for path, x in one.items() if path.startswith("sponsors.W.")}
    alone = stated(behaviour, sponsor, one["level.A"])
    assert alone.plan.values[APPEAL] == pytest.approx(draws.parameters[APPEAL][c], abs=1e-9)
    others = np.delete(draws.parameters[APPEAL], c)
    assert np.abs(others - alone.plan.values[APPEAL]).min() > 1e-6


def test_a_what_if_keeps_the_appeals_of_every_draw() -> None:
    race = stated()
    before, after = (draw_assumptions(one, 3, COUNT) for one in (race, race.with_pressure(W=1.5)))
    assert (after.values[STRENGTH] > 1.5 * before.values[STRENGTH]).all()
    assert np.array_equal(after.parameters[APPEAL], before.parameters[APPEAL])


def test_a_level_that_is_moved_moves_the_appeal_and_nothing_else_does() -> None:
    race = stated()
    moved = completed(race, {"level.A": np.array([0.4, 0.5, 0.6]), STRENGTH: np.array([0.0, 0.5, 2.0])})
    appeal = np.asarray(moved[APPEAL])
    assert appeal[1] == pytest.approx(race.plan.values[APPEAL], abs=1e-9)
    for share, found in zip((0.4, 0.6), appeal[[0, 2]], strict=True):
        other = stated(level=share)
        assert other.plan.values[APPEAL] == pytest.approx(found, abs=1e-9)
    assert completed(race, {STRENGTH: 2.0}) == {STRENGTH: 2.0}
    assert completed(iom.load("minimal"), {SECRECY: 0.1}) == {SECRECY: 0.1}
