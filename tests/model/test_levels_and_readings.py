"""The assumptions of a scenario as draws: laws, weights, the appeals of a level, and what they do not depend on."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from toys import ALPHA, neutral, toy, unsure

import iomsim as iom
from iomsim.engine.balance import solve_levels
from iomsim.engine.rng import assumption_uniforms
from iomsim.model.assumptions import Assumptions, draw_assumptions
from iomsim.model.links import quantile
from iomsim.model.scenario import Scenario, build

WEIGHTS = {"strict": 0.5, "four-rounds": 0.3, "one-two-way": 0.2}
MORE = iom.Tie(name="more", who=("M5", "M6"), candidate="A", log_odds=0.7)


def drawn(race: Scenario, count: int = 60, seed: int = 1) -> Assumptions:
    return draw_assumptions(race, seed, count)


def equal(a: Any, b: Any) -> bool:
    """Say whether two sets of draws have the same bits, path by path."""
    return a.keys() == b.keys() and all(np.array_equal(a[path], b[path]) for path in a)


# -- what is drawn ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["geneva-2023", "iom-2018", "minimal"])
def test_what_varies_is_what_has_a_range(name: str) -> None:
    race = iom.load(name)
    found = drawn(race, 30)
    ranged = {path for path, q in race.parameters().items() if q.low < q.high}
    assert found.values.keys() == ranged
    for path, draws in found.values.items():
        parameter = race._parameters[path]
        assert (
            draws.tolist() == quantile(parameter.quantity, parameter.bounds, assumption_uniforms(1, path, 30)).tolist()
        )
    assert list(found.table) == [*found.values, "reading"]
    assert found.table.index.tolist() == list(range(30))
    assert found.count == len(found.reading) == 30


def test_the_ends_of_a_range_are_the_tenths_of_its_draws() -> None:
    race = iom.load("geneva-2023")
    found, known = drawn(race, 400), race.parameters()
    for path, draws in found.values.items():
        q = known[path]
        if q.low < q.value:  # what is clipped lies on the low
            assert np.mean(draws <= q.low) == pytest.approx(0.1, abs=0.006), path
            assert np.mean(draws < q.value) == pytest.approx(0.5, abs=0.006), path
        if q.value < q.high:
            assert np.mean(draws < q.high) == pytest.approx(0.9, abs=0.006), path


def test_readings_follow_their_weights() -> None:
    race = iom.load("geneva-2023")
    found = drawn(race, 400)
    weights = np.array([part.weight for part in race.readings])
    assert np.abs(np.bincount(found.reading) / 400 - weights).max() < 0.005  # they are spread evenly
    race = toy(9, rules=None, readings=[{"name": n, "weight": w} for n, w in WEIGHTS.items()])
    assert found.readings == iom.load("geneva-2023").procedures
    first = np.array([drawn(race, 1, seed).reading[0] for seed in range(120)])
    counts = np.bincount(first, minlength=3)
    assert stats.chisquare(counts, 120 * np.array([0.5, 0.3, 0.2])).pvalue > ALPHA
    race = iom.load("geneva-2023")
    assert found.table["reading"].tolist() == [race.readings[number].name for number in found.reading]
    assert found.parameters["readings"].tolist() == found.reading.tolist()


def test_without_readings_all_follow_the_rules() -> None:
    found = drawn(neutral(), 10)
    assert (found.readings, set(found.reading)) == ((neutral().rules,), {0})
    assert "readings" not in found.parameters
    assert set(found.table["reading"]) == {"until-two-thirds"}


# -- what does not move ----------------------------------------------------------------------------


def test_fewer_draws_are_the_first_of_more() -> None:
    few, more = drawn(unsure(), 25), drawn(unsure(), 90)
    for path, draws in more.parameters.items():
        assert np.array_equal(draws[:25], few.parameters[path]), path
    assert not equal(drawn(unsure(), 25, 2).values, few.values)


@pytest.mark.parametrize(
    "change",
    [
        lambda race: race.with_parameters({"clock.sits_on": (0.25, 0.1, 0.5)}),
        lambda race: race.with_pressure(W=(0.6, 0.6, 0.6)),
        lambda race: race.with_readings({"strict": 0.9, "four-rounds": 0.1}),
        lambda race: race.with_rules("strict"),
        lambda race: race.with_ties(MORE),
        lambda race: race.with_clock(opens="2024-01-08T10:00"),
    ],
)
def test_a_change_moves_no_other_draw(change: Any) -> None:
    race = unsure()
    before, after = drawn(race).values, drawn(change(race)).values
    told = change(race).parameters()
    for path in before.keys() & after.keys():
        if told[path] == race.parameters()[path]:
            assert np.array_equal(before[path], after[path]), path
        else:
            assert not np.array_equal(before[path], after[path]), path
    assert len(before.keys() & after.keys()) >= len(before) - 1


def test_the_same_race_described_anew_has_the_same_draws() -> None:
    race = iom.load("geneva-2023")
    again = iom.loads(iom.dumps(race))
    assert again is not race
    assert equal(drawn(again, 20).parameters, drawn(race, 20).parameters)
    assert equal(drawn(pickle.loads(pickle.dumps(race)), 20).parameters, drawn(race, 20).parameters)


def test_races_that_differ_in_the_names_of_readings_do_not_lend_each_other_theirs() -> None:
    race = iom.load("minimal").with_readings({"strict": 0.5, "four-rounds": 0.5})
    strict, other = race.procedures
    named = [{"rules": strict.with_(name="mine"), "weight": 0.5}, {"rules": other, "weight": 0.5}]
    renamed = build({**dict(race), "rules": None, "readings": named})
    assert renamed.hash == race.hash  # a name changes no number
    assert set(drawn(race, 10).table["reading"]) == {"strict", "four-rounds"}
    assert set(drawn(renamed, 10).table["reading"]) == {"mine", "four-rounds"}


def test_draws_handed_out_cannot_be_changed() -> None:
    found = drawn(unsure(), 10)
    for array in (found.reading, found.values["level.A"], found.parameters["candidates.A.appeal"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    fc = iom.forecast(unsure(), 10, seed=1, progress=False)
    table = fc.assumptions
    table.iloc[:, 0] = 9.0
    assert not (fc.assumptions.iloc[:, 0] == 9.0).any()


# -- the appeals of a level ------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_the_appeals_of_a_draw_give_its_level(names: str) -> None:
    """The solver asked once more, of the plan that is played, has nothing left to add."""
    race = unsure(names=names)
    found = drawn(race, 20)
    left = solve_levels(found.plan(race), {0: found.values["level.A"]})
    assert np.abs(left).max() < 1e-4
    appeal = found.parameters["candidates.A.appeal"]
    assert np.corrcoef(appeal, found.values["level.A"])[0, 1] > 0.5
    assert not np.array_equal(appeal, drawn(race.balanced(0.4), 20).parameters["candidates.A.appeal"])
    assert set(found.parameters) - set(found.values) == {"readings", "candidates.A.appeal"}


def test_the_appeal_of_the_best_guesses_is_that_of_the_values() -> None:
    race = unsure()
    assert np.abs(solve_levels(race.plan, {0: 0.5})).max() < 1e-4
    assert "candidates.A.appeal" not in race.parameters()
    with pytest.raises(
        iom.ScenarioError, match=r"candidates\.A\.appeal follows from the level that the scenario states"
    ):
        race.with_parameters({"candidates.A.appeal": 0.3})
    with pytest.raises(iom.UnknownNameError, match=r"no parameter named 'candidates\.Z\.appeal'"):
        race.with_parameters({"candidates.Z.appeal": 0.3})
    three = unsure(names="ABC").with_parameters({"candidates.C.appeal": 0.3})  # the level of A says nothing of C's
    assert three.parameters()["candidates.C.appeal"].value == 0.3


WHAT_IFS = {
    "pressure": lambda race: race.with_pressure(W=2.0),
    "no pressure": lambda race: race.with_pressure(W=0, E=0),
    "ties": lambda race: race.with_ties(MORE),
    "pinned": lambda race: race.with_pinned(B=["M7", "M8", "M9"]),
    "behaviour": lambda race: race.with_behaviour(secrecy=0.9, conviction=0.2),
    "one after the other": lambda race: (
        race.with_pressure(W=0).with_ties(MORE).with_pressure(W=0.1).with_pinned(B="M7")
    ),
    "the clock": lambda race: race.with_clock(round_minutes=99),
    "the rules": lambda race: race.with_rules("strict"),
}


@pytest.mark.slow
@pytest.mark.parametrize("names", ["AB", "ABC"])
@pytest.mark.parametrize("what_if", WHAT_IFS)
def test_a_what_if_keeps_the_appeals_of_every_draw(what_if: str, names: str) -> None:
    race = unsure(names=names)
    changed, path = WHAT_IFS[what_if](race), "candidates.A.appeal"
    assert np.array_equal(drawn(changed).parameters[path], drawn(race).parameters[path])
    assert changed.plan.values[path] == race.plan.values[path]
    again = iom.loads(iom.dumps(changed))
    assert again.hash == changed.hash == changed.hash_with({})
    assert equal(drawn(again).parameters, drawn(changed).parameters)


def test_an_appeal_that_is_moved_beside_a_level_keeps_the_other_s() -> None:
    race = unsure(names="ABC")
    changed = race.with_parameters({"candidates.C.appeal": 0.5})
    assert np.array_equal(
        drawn(changed).parameters["candidates.A.appeal"], drawn(race).parameters["candidates.A.appeal"]
    )
    assert changed.plan.values["candidates.C.appeal"] == 0.5
    again = iom.loads(iom.dumps(changed))
    assert again == changed
    assert equal(drawn(again).parameters, drawn(changed).parameters)


@pytest.mark.parametrize("what_if", ["pressure", "ties", "pinned", "one after the other"])
def test_balanced_states_the_level_of_what_is_there_now(what_if: str) -> None:
    race = unsure()
    changed = WHAT_IFS[what_if](race)
    stated = changed.balanced(0.5)
    assert (changed.held is not None, stated.held) == (True, None)
    assert ranged(stated) == pytest.approx(ranged(race), abs=1e-9)
    assert np.abs(solve_levels(stated.plan, {0: 0.5})).max() < 1e-4
    assert np.abs(solve_levels(changed.plan, {0: 0.5})).max() > 0.02
    found = drawn(stated, 10)
    assert np.abs(solve_levels(found.plan(stated), {0: found.values["level.A"]})).max() < 1e-4
    assert not np.array_equal(
        found.parameters["candidates.A.appeal"], drawn(race, 10).parameters["candidates.A.appeal"]
    )


def ranged(race: Scenario) -> tuple[float, float, float]:
    q = race.level["A"]
    return q.value, q.low, q.high


def test_a_level_asked_for_keeps_the_width_of_what_is_believed() -> None:
    race = unsure()
    value, low, high = ranged(race.balanced(0.55))
    assert value == 0.55
    assert (stats.logistic.ppf(high) - stats.logistic.ppf(low)) == pytest.approx(
        stats.logistic.ppf(0.58) - stats.logistic.ppf(0.42)
    )
    assert race.balanced(0.55).balanced(0.5).hash == race.hash


# -- in files --------------------------------------------------------------------------------------


def test_level_readings_and_what_is_held_are_written_and_read_back(tmp_path: Path) -> None:
    race = unsure(names="ABC")
    changed = race.with_pressure(W=2.0).with_ties(MORE).with_pinned(B="M7")
    text = iom.dumps(changed)
    assert text.count("[[held.sponsors]]") == 2
    assert {key for key, part in dict(changed.held).items() if part is not None} == {"sponsors", "ties", "electorate"}
    changed.save(tmp_path / "race.toml")
    again = iom.load(tmp_path / "race.toml")
    assert again == changed
    assert again.held == changed.held
    values = {"level.A": 0.3, "behaviour.secrecy": 0.7}
    assert again.hash_with(values) == changed.with_parameters(values).hash != changed.hash
    assert changed.hash != race.hash != build({**dict(changed), "held": None}).hash
    assert changed.hash != build({**dict(changed), "held": None}).hash  # the same numbers, another appeal


# -- refused ---------------------------------------------------------------------------------------


THREE = {"candidates": [{"name": name} for name in "ABC"]}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"level": {"A": 0.5}, "candidates": [{"name": "A", "appeal": 0.1}, {"name": "B"}]},
         "A has a level and an appeal; the appeal follows from the level, so leave it out"),
        ({"level": {"A": 0.5, "B": 0.5}},
         "level names every candidate; leave one out, whose share follows from the others'"),
        ({"level": {"Z": 0.5}}, "level names 'Z', who does not stand; there are A, B"),
        ({"level": {"A": 0.0}}, "level.A must be above 0 and below 1, got 0"),
        ({"level": {"A": {"value": 0.5, "low": 0.4, "high": 1.0}}}, "level.A: high must be above 0 and below 1, got 1"),
        ({"level": {"A": {"value": 0.5, "low": 0.6, "high": 0.7}}}, "level.A: low <= value <= high must hold"),
        ({"level": {"A": "half"}}, "level.A must be a number, or a table with value, low and high, got 'half'"),
        ({**THREE, "level": {"A": 0.5, "B": 0.6}}, "the levels must add up to less than 1, got 1.1"),
        ({**THREE, "level": {"A": 0.5, "B": 0.3, "C": 0.2}}, "level names every candidate; leave one out"),
        ({"level": {"A": 0.05}, "electorate": {"size": 10, "pinned": {"A": ["M1", "M2"]}}},
         "no appeal gives A a mean share of 0.05; too many members are pinned or tied"),
        ({"readings": [("strict", 0.5), ("four-rounds", 0.4)]},
         "the weights of the readings must add up to 1, got 0.9"),
        ({"readings": [("strict", 0.5), ("four-rounds", 0.6)]},
         "the weights of the readings must add up to 1, got 1.1"),
        ({"readings": [("strict", 1.0), ("four-rounds", 0.0)]},
         "readings.four-rounds.weight must be above 0 and at most 1, got 0"),
        ({"readings": [("strict", "half"), ("four-rounds", 0.5)]},
         "readings.strict.weight must be a number, got 'half'"),
        ({"readings": [("strict", 0.5), ("strict", 0.5)]}, "two readings are called 'strict'; names must differ"),
        ({"readings": [("strickt", 0.5), ("four-rounds", 0.5)]},
         "no reading of the rules of 'iom' named 'strickt'; did you mean 'strict'?"),
        ({"readings": [("strict", 0.5), ("four-rounds", 0.5)], "rules": {"name": "one-two-way"}},
         "the rules 'one-two-way' are none of the readings; leave rules out, or add their weight"),
        ({"readings": [("strict", 0.5), {"rules": {"name": "short", "max_rounds": 9}, "weight": 0.5}]},
         "readings must be simulated over as many rounds, got max_rounds 9 and 40"),
        ({"readings": [{"name": "strict", "rules": {"threshold": ">1/2"}, "weight": 1.0}]},
         "the reading 'strict' is given by its name and by its rules; leave one out"),
        ({"readings": [{"weight": 1.0}]}, "'readings.1.rules' is missing"),
        ({"readings": [7]}, "readings.1 must be a table, got 7"),
        ({"readings": "strict"}, "readings must be a list of tables, got 'strict'"),
    ],
)  # fmt: skip
def test_what_is_no_level_and_no_law_over_readings(parts: dict[str, Any], said: str) -> None:
    described: dict[str, Any] = {"electorate": {"size": 9}, "candidates": [{"name": "A"}, {"name": "B"}]} | parts
    if isinstance(described.get("readings"), list):
        described["readings"] = [
            dict(zip(("name", "weight"), part, strict=True)) if isinstance(part, tuple) else part
            for part in described["readings"]
        ]
    with pytest.raises(iom.IomsimError) as error:
        build(described)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda race: race.with_readings({}), "give the weight of at least one reading"),
        (lambda race: race.with_readings({"strict": 0.4}), "the weights of the readings must add up to 1, got 0.4"),
        (lambda race: race.with_readings({"stric": 1.0}), "did you mean 'strict'?"),
        (lambda race: race.balanced({"A": 0.5, "B": 0.4}), "level names every candidate; leave one out"),
        (lambda race: race.balanced(1.0), "the share of A must be between 0 and 1, got 1.0"),
        (lambda race: race.with_parameters({"level.A": 1.0}), "level.A must be above 0 and below 1, got 1"),
        (lambda race: race.with_parameters({"level.B": 0.4}), "no parameter named 'level.B'; did you mean 'level.A'?"),
    ],
)
def test_changes_of_level_and_readings_that_make_no_sense(call: Any, said: str) -> None:
    with pytest.raises(iom.IomsimError) as error:
        call(unsure())
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_weights_that_miss_one_by_a_rounding_will_do() -> None:
    race = toy(9, rules=None, readings=[{"name": n, "weight": 1 / 3} for n in ("strict", "four-rounds", "one-two-way")])
    assert race.rules.name == "strict"  # of those that weigh the same the first
    assert set(drawn(race, 30).reading) == {0, 1, 2}


def test_one_of_the_readings_may_be_the_best_guess_though_another_weighs_more(tmp_path: Path) -> None:
    race = build({**dict(unsure()), "rules": {"name": "one-two-way"}})
    assert race.rules.name == "one-two-way"
    assert race.hash != unsure().hash
    race.save(tmp_path / "race.toml")
    assert iom.load(tmp_path / "race.toml") == race
    assert np.array_equal(drawn(race).reading, drawn(unsure()).reading)
    known = [
        iom.forecast(x, 50, seed=2, assumptions="fixed", progress=False) for x in (race, race.with_rules("one-two-way"))
    ]
    assert known[0].runs.equals(known[1].runs)
