"""Ranges are stated one by one: what a draw of all of them may hold that no election is played with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import PRESENT, tallies, toy

import iomsim as iom
from iomsim.engine.rng import assumption_uniforms
from iomsim.engine.simulate import simulate
from iomsim.errors import ScenarioError
from iomsim.model import assumptions
from iomsim.model.assumptions import Assumptions, draw_assumptions
from iomsim.model.links import quantile
from iomsim.model.parameters import check_values
from iomsim.typing import Floats

COUNT = 200

IMPOSSIBLE = r"must be above 0 and below 1|must add up to less than 1|no appeal gives"


def wide(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def standing(names: str) -> dict[str, Any]:
    return {"candidates": [{"name": name} for name in names]}


def drawn(race: iom.Scenario) -> Assumptions:
    """Return draws of the assumptions, with which elections can be played."""
    found = draw_assumptions(race, 1, COUNT)
    assert len(iom.forecast(race, COUNT, seed=1, assumptions=COUNT, progress=False)) == COUNT
    return found


def as_stated(race: iom.Scenario, path: str) -> Floats:
    """Return draws of a parameter as its range has them."""
    parameter = race._parameters[path]
    return quantile(parameter.quantity, parameter.bounds, assumption_uniforms(1, path, COUNT))


# -- levels ---------------------------------------------------------------------------------------------------------


def test_levels_of_several_leave_something_to_the_others() -> None:
    race = toy(15, "ABC", **standing("ABC"), level={"A": wide(0.45, 0.3, 0.6), "B": wide(0.45, 0.3, 0.6)})
    found, stated = drawn(race).values, {name: as_stated(race, f"level.{name}") for name in "AB"}
    total, before = found["level.A"] + found["level.B"], stated["A"] + stated["B"]
    assert (before >= 1).any()  # a guard
    assert total.max() == pytest.approx(0.99)
    small = before < 0.99
    for name, draws in stated.items():
        assert np.array_equal(found[f"level.{name}"][small], draws[small])
    assert np.allclose(found["level.A"] / found["level.B"], stated["A"] / stated["B"])  # made smaller together


def test_a_level_that_is_known_is_not_made_smaller() -> None:
    race = toy(15, "ABC", **standing("ABC"), level={"A": 0.6, "B": wide(0.35, 0.2, 0.6)})
    found = drawn(race).values
    assert "level.A" not in found
    assert found["level.B"].max() == pytest.approx(1 - 0.6 - 0.005)
    assert (as_stated(race, "level.B") > 0.4).any()


@pytest.mark.parametrize(("pinned", "low", "high"), [("A", 0.3, 0.6), ("B", 0.3, 0.9)])
def test_levels_that_the_pinned_put_out_of_reach_are_moved_into_it(
    pinned: str, low: float, high: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    electorate = {"size": 20, "pinned": {pinned: [f"M{i}" for i in range(1, 8)]}}
    race = toy(20, **standing("AB"), level={"A": wide(0.5, low, high)}, electorate=electorate, behaviour=PRESENT)
    found, stated = drawn(race), as_stated(race, "level.A")
    ends = (7 / 20, 1.0) if pinned == "A" else (0.0, 13 / 20)
    out = (stated <= ends[0]) | (stated >= ends[1])
    assert 0 < out.sum() < COUNT / 2
    assert np.array_equal(found.values["level.A"][~out], stated[~out])
    moved = found.values["level.A"][out]
    assert np.allclose(moved, ends[0] + 0.01 * 13 / 20 if pinned == "A" else ends[1] - 0.01 * 13 / 20)
    assert np.array_equal(found.parameters["level.A"], found.values["level.A"])
    worst = {path: values[out][:1] for path, values in found.parameters.items()}  # and these are the shares there are
    votes = tallies(simulate(race.plan, worst, 4000, 1), 1)
    assert votes.mean() / 20 == pytest.approx(moved[0], abs=0.005)
    monkeypatch.setattr(assumptions, "reachable_levels", lambda race, values: {})
    with pytest.raises(ScenarioError, match=r"no appeal gives A a mean share of 0\.\d+ \(draw \d+\)"):
        draw_assumptions(race, 2, COUNT)


def test_where_everybody_stays_away_the_level_is_that_of_how_they_would_vote() -> None:
    race = toy(20, **standing("AB"), level={"A": wide(0.5, 0.4, 0.6)}, behaviour={"absent": wide(0.5, 0.1, 1.0)})
    found = drawn(race)
    away = found.values["behaviour.absent"] == 1.0
    assert 0 < away.sum() < COUNT
    assert np.isfinite(found.parameters["candidates.A.appeal"]).all()
    order = np.argsort(found.values["level.A"][away])
    assert (np.diff(found.values["level.A"][away][order]) > 0).all()


def test_a_level_that_no_election_has_is_refused_where_it_is_stated() -> None:
    race = toy(15, "ABC", **standing("ABC"), level={"A": wide(0.45, 0.3, 0.6), "B": wide(0.45, 0.3, 0.6)})
    for wrong in ({"level.A": 0.0}, {"level.A": 1.0}, {"level.A": 0.6}, {"level.A": 0.5, "level.B": 0.5}):
        with pytest.raises(ScenarioError, match=IMPOSSIBLE):
            race.with_parameters(wrong)
        with pytest.raises(ScenarioError, match=IMPOSSIBLE):
            check_values(race, {path: [value, 0.2] for path, value in wrong.items()})


# -- exposures ------------------------------------------------------------------------------------------------------


def pressed(**exposure: Any) -> iom.Scenario:
    table = [{"name": f"M{i}", "x": i % 2} for i in range(12)]
    sponsors = [{"name": "W", "backs": "A", "strength": 1.0, "exposure": exposure}]
    return toy(electorate={"table": table}, sponsors=sponsors)


def test_a_member_whose_weights_add_up_to_less_than_nothing_is_not_exposed() -> None:
    race = pressed(all=wide(0.5, 0.2, 0.8), x=wide(-0.3, -0.6, 0.1))
    found = drawn(race)
    plain, odd = (found.values[f"sponsors.W.exposure.{who}"] for who in ("all", "x"))
    negative = plain + odd < 0
    assert 0 < negative.sum() < COUNT
    exposure = found.plan(race).exposure[0]
    assert (exposure >= 0).all()
    assert np.allclose(exposure.mean(axis=0), 1)
    assert (exposure[1::2, negative] == 0).all()
    assert (exposure[1::2, ~negative] > 0).all()
    for draw in np.flatnonzero(~negative)[:3]:
        alone = race.with_parameters({path: float(values[draw]) for path, values in found.values.items()})
        assert np.array_equal(alone.plan.exposure[0, :, 0], exposure[:, draw])
    for draw in np.flatnonzero(negative)[:3]:  # it is refused where it is stated
        values = {
            path: float(found.values[path][draw]) for path in ("sponsors.W.exposure.all", "sponsors.W.exposure.x")
        }
        for refuse in (race.with_parameters, lambda values: check_values(race, values)):
            with pytest.raises(ScenarioError, match=r"the exposure of M\d+ to W is negative"):
                refuse(values)


def test_where_nobody_is_exposed_there_is_no_pressure() -> None:
    race = pressed(all=wide(0.5, 0.0, 1.8))
    found = drawn(race)
    nobody = found.values["sponsors.W.exposure.all"] == 0
    assert 0 < nobody.sum() < COUNT
    exposure = found.plan(race).exposure[0]
    assert np.array_equal(exposure.any(axis=0), ~nobody)
    draw = {path: float(values[np.argmax(nobody)]) for path, values in found.parameters.items()}
    none = simulate(race.plan, draw, 200, 1)
    assert np.array_equal(none.votes, simulate(race.plan, draw | {"sponsors.W.strength": 0.0}, 200, 1).votes)
    assert not np.array_equal(none.votes, simulate(race.plan, draw | {"sponsors.W.exposure.all": 1.0}, 200, 1).votes)
    with pytest.raises(ScenarioError, match="no member is exposed to W"):
        race.with_parameters({"sponsors.W.exposure.all": 0.0})


# -- the clock ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sits_on", [0.0, 0.5, wide(0.5, 0.0, 0.9)])
@pytest.mark.parametrize("last_call", [wide(100, 50, 400), wide(170, 10, 300)])
def test_a_last_call_is_no_longer_than_a_sitting(sits_on: Any, last_call: dict[str, float]) -> None:
    """Sittings last three hours, six if the chair sits on."""
    race = toy(12, clock={"opens": "2023-05-15T10:00:00", "last_call": last_call, "sits_on": sits_on})
    found, stated = drawn(race).values, as_stated(race, "clock.last_call")
    often = found.get("clock.sits_on", np.full(COUNT, sits_on)) >= 0.25
    limit = np.where(often, 360, 180)
    assert (stated > limit).any()
    assert np.array_equal(found["clock.last_call"], np.minimum(stated, limit))


def test_rounds_that_start_only_late_are_held_where_the_chair_is_drawn_to_leave_in_time() -> None:
    late = {"last_call": 200.0, "sits_on": wide(0.5, 0.0, 0.9)}
    race = toy(12, clock={"opens": "2023-05-15T10:00:00", **late})
    found = drawn(race).values
    assert set(np.unique(found["clock.last_call"])) == {180.0, 200.0}
    assert np.array_equal(found["clock.last_call"] == 180, found["clock.sits_on"] < 0.25)
    known = toy(12, clock={"opens": "2023-05-15T10:00:00", "last_call": 200.0, "sits_on": 0.2})
    assert "clock.last_call" not in draw_assumptions(known, 1, COUNT).values  # as it is stated
