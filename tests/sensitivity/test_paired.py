"""What every what-if shares, and grids: names, questions, and many scenarios on the same numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import chance, play, toy, voter

import iomsim as iom
from iomsim.engine.rng import BLOCK
from iomsim.errors import IomsimError, ScenarioError, UnknownNameError
from iomsim.forecasting.estimates import wilson
from iomsim.forecasting.targets import checked_target, describe_target
from iomsim.model.parameters import describe_parameter, ranges, resolve
from iomsim.model.scenario import Scenario
from iomsim.sensitivity import paired
from iomsim.sensitivity.paired import change_over_draws, mean_interval, run_outcomes, simulate_points


@pytest.fixture(scope="module")
def geneva() -> Scenario:
    return iom.load("geneva-2023")


# -- parameters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Washington", "sponsors.Washington.strength"),
        ("Washington's strength", "sponsors.Washington.strength"),
        ("how unevenly Washington's pressure works", "sponsors.Washington.spread"),
        ("exposure of 'not eu' to Washington", "sponsors.Washington.exposure.not eu"),
        ("Pope", "level.Pope"),
        ("Pope's first-round level", "level.Pope"),
        ("fluid", "behaviour.fluid"),
        ("round_minutes", "clock.round_minutes"),
        ("clock.round_minutes", "clock.round_minutes"),
        ("EU members' loyalty to Vitorino", "ties.European Union.log_odds"),
    ],
)
def test_a_parameter_goes_by_many_names(geneva: Scenario, name: str, path: str) -> None:
    assert resolve(geneva, name) == path


def test_every_name_that_is_shown_is_understood(geneva: Scenario) -> None:
    paths = list(geneva.parameters())
    assert [resolve(geneva, describe_parameter(geneva, path)) for path in paths] == paths
    assert len({describe_parameter(geneva, path) for path in paths}) == len(paths)


@pytest.mark.parametrize(
    ("name", "meant"), [("Washingtn", "Washington"), ("secrecyy", "secrecy"), ("clock.sits", "clock.sits_on")]
)
def test_an_unknown_parameter_names_the_nearest(geneva: Scenario, name: str, meant: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no parameter named '{name}'; did you mean '{meant}'"):
        resolve(geneva, name)


def test_ranges_are_the_scenarios_own_or_those_given(geneva: Scenario) -> None:
    own = ranges(geneva, None)
    known = geneva.parameters()
    assert own == {path: (q.low, q.high) for path, q in known.items() if q.low < q.high}
    assert not [path for path in own if path.endswith("appeal")]  # they follow from the level
    assert own["level.Pope"] == (0.44, 0.56)
    assert ranges(geneva, ["fluid", "Brussels"]) == {
        "behaviour.fluid": (0.55, 0.88),
        "sponsors.Brussels.strength": (0.24, 0.85),
    }
    assert ranges(geneva, "fluid") == ranges(geneva, ["fluid"])
    assert ranges(geneva, {"Pope": (0.3, 0.6)}) == {"level.Pope": (0.3, 0.6)}
    assert ranges(voter(), {"B": (-1, 2)}) == {"candidates.B.appeal": (-1.0, 2.0)}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"secrecy": (0.6, 0.2)}, "the low of secrecy must be below its high, got 0.6 and 0.2"),
        ({"secrecy": (0.5, 0.5)}, r"secrecy has no range and is always 0.5; give one: \{'secrecy': \(low, high\)\}"),
        (["Washington", "sponsors.Washington.strength"], "sponsors.Washington.strength is given twice"),
        ([], "no parameters were given"),
        (5, "parameters must be a list of names, got 5"),
        ({"secrecy": 0.5}, r"the range of secrecy must be a pair \(low, high\), got 0.5"),
        ({"secrecy": (0, 0.5, 1)}, "must be a pair"),
        ({"secrecy": ("a", "b")}, "must be a pair"),
    ],
)
def test_a_bad_range_is_refused(geneva: Scenario, given: Any, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        ranges(geneva, given)


def test_what_is_always_the_same_has_no_range(geneva: Scenario) -> None:
    with pytest.raises(ScenarioError, match="B has no range and is always 0"):
        ranges(voter(), ["B"])
    with pytest.raises(UnknownNameError, match="no parameter named 'Vitorino'"):  # the level of the other says it
        ranges(geneva, ["Vitorino"])


# -- what is asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (None, "Pope"),
        ("win", "Pope"),
        ("Vitorino", "Vitorino"),
        ("no winner", "no winner"),
        ("rounds", "rounds"),
        ("spill", "spill"),
        ("Tuesday", "spill"),
        ("tuesday", "spill"),
    ],
)
def test_a_target_goes_by_many_names(geneva: Scenario, asked: str | None, target: str) -> None:
    assert checked_target(geneva, asked) == target


def test_the_next_day_is_the_next_with_a_sitting(geneva: Scenario) -> None:
    skipping = geneva.with_clock(days=("Mon", "Thu"))
    assert checked_target(skipping, "Thursday") == "spill"
    with pytest.raises(IomsimError, match="ask for 'Thursday'"):
        checked_target(skipping, "Tuesday")


def test_a_next_day_that_needs_a_date_goes_by_both_names(geneva: Scenario) -> None:
    weekly = geneva.with_clock(days=("Mon",))
    assert describe_target(weekly, "spill") == "the chance that voting runs into Monday 22 May"
    assert checked_target(weekly, "Monday 22 May") == checked_target(weekly, "monday") == "spill"
    with pytest.raises(IomsimError, match="ask for 'Monday 22 May'"):
        checked_target(weekly, "Tuesday")


def test_an_end_in_the_night_is_no_spill_into_monday(geneva: Scenario) -> None:
    """A round that begins on Friday and ends on Saturday: voting goes on on no day with a sitting."""
    friday = geneva.with_clock(opens=datetime(2023, 5, 19, 10), round_minutes=900, round_log_sd=0.1)
    race = friday.with_rules(threshold=">1/2")
    fc = iom.forecast(race, 300, seed=1, assumptions="fixed", progress=False)
    saturday, spill = (fc.outcomes.minute >= 1440).mean(), fc.spill().value  # type: ignore[union-attr]
    assert spill < 0.5 < saturday  # a guard
    [cell] = simulate_points([(race, {})], 300, 1)
    assert cell["spill"].mean() == spill
    assert iom.Study.of([race]).run(300, seed=1, progress=False)["spill"].tolist() == [spill]


def test_the_opening_day_cannot_be_spilled_into(geneva: Scenario) -> None:
    with pytest.raises(IomsimError, match=r"no target 'Monday': voting begins on Monday.*; ask for 'Tuesday'"):
        checked_target(geneva, "Monday")


@pytest.mark.parametrize(
    ("asked", "meant"), [("Popee", "Pope"), ("no-winner", "no winner"), ("round", "rounds"), ("Tusday", "Tuesday")]
)
def test_an_unknown_target_names_the_nearest(geneva: Scenario, asked: str, meant: str) -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean '{meant}'"):
        checked_target(geneva, asked)


def test_a_candidate_may_not_hide_a_question() -> None:
    for name in ("spill", "rounds"):
        with pytest.raises(ScenarioError, match=f"a candidate cannot be called '{name}'"):
            toy(names=[name, "B"])  # type: ignore[arg-type]


def test_what_is_seen_is_what_the_forecast_says(geneva: Scenario) -> None:
    race = geneva.with_rules("four-rounds")
    fc = iom.forecast(race, runs=600, seed=5, assumptions="fixed", progress=False)
    found = run_outcomes(race.plan, play(race, 600, seed=5))
    assert list(found) == ["Pope", "Vitorino", "no winner", "spill", "rounds"]
    for name, row in fc.win_probability().iterrows():
        assert found[str(name)].mean() == row["probability"]
    assert found["spill"].mean() == fc.spill().value
    assert found["rounds"].tolist() == fc.runs["rounds"].tolist()


# -- playing ----------------------------------------------------------------------------------------


def test_points_side_by_side_are_the_scenarios_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points of one election, elections with other rules, and more runs than one span takes."""
    monkeypatch.setattr(paired, "SPAN", 2)
    race = toy(7, rules="until-two-thirds")
    points = {"behaviour.secrecy": [0.0, 0.9, 0.0], "behaviour.abstain": [0.0, 0.0, 0.3]}
    appeals = {"candidates.A.appeal": [0.1, 0.2, 0.3]}
    races = [race.with_parameters({path: values[i] for path, values in points.items()}) for i in range(3)]
    races += [race.with_rules("strict")]
    races += [race.with_parameters({path: x}) for path, values in appeals.items() for x in values]
    cases = [(race, points), (race.with_rules("strict"), {}), (race, appeals)]
    for runs in (300, 2 * BLOCK + 700):
        for alone, found in zip(races, simulate_points(cases, runs, seed=4), strict=True):
            expected = run_outcomes(alone.plan, play(alone, runs, seed=4))
            assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_where_cells_are_played_does_not_matter() -> None:
    race = toy(7)
    here = iom.grid(race, secrecy=[0.0, 1.0], abstain=[0.0, 0.3], runs=300, seed=1)
    with ThreadPoolExecutor(2) as pool:
        there = iom.grid(race, secrecy=[0.0, 1.0], abstain=[0.0, 0.3], runs=300, seed=1, executor=pool)
    assert here.table().equals(there.table())


def test_means_have_their_own_intervals() -> None:
    shares = np.array([0.0, 1, 1, 1])
    assert mean_interval(shares) == pytest.approx((0.75, *map(float, wilson(3, 4))))
    middle, low, high = mean_interval(np.array([1.0, 2, 6]))
    half = 1.959964 * np.sqrt(7 / 3)
    assert (middle, low, high) == pytest.approx((3, 3 - half, 3 + half), abs=1e-6)


# -- grids ------------------------------------------------------------------------------------------


def test_a_grid_says_what_is_known() -> None:
    """Every cell of the one-voter election against its exact chance, within 4.5 standard errors."""
    found = iom.grid(voter(), W=[0.0, 1.0, 2.0], A=[-1.0, 0.0, 1.0], runs=4000, seed=1)
    assert len(found.table()) == 9
    for (w, a), row in found.table().iterrows():
        exact = chance(a, strength=w)
        assert abs(row["A"] - exact) < 4.5 * np.sqrt(exact * (1 - exact) / 4000)
        assert row["A"] + row["B"] == pytest.approx(1)
        assert (row["no winner"], row["rounds"], row["median_rounds"]) == (0, 1, 1)
    assert found.base["A"] == found.table().loc[(1.0, 0.0), "A"]
    assert found.where == (1.0, 0.0)


def test_a_cell_is_the_forecast_of_its_scenario(geneva: Scenario) -> None:
    found = iom.grid(geneva, Washington=[0.3, 0.9], round_minutes=[50, 90], runs=500, seed=3)
    race = geneva.with_pressure(Washington=0.9).with_clock(round_minutes=50)
    fc = iom.forecast(race, runs=500, seed=3, assumptions="fixed", progress=False)
    row = found.table().loc[(0.9, 50)]
    assert row[["Pope", "Vitorino", "no winner"]].tolist() == fc.win_probability()["probability"].tolist()
    assert row["spill"] == fc.spill().value
    assert row["median_rounds"] == np.median(fc.runs["rounds"])
    assert found.surface("Tuesday").loc[50, 0.9] == fc.spill().value  # the second parameter down, the first across
    errors = found.errors("spill").loc[(0.9, 50)]
    assert errors.tolist() == pytest.approx([fc.spill().value, fc.spill().mc_error])


def roughness(surface: pd.DataFrame) -> float:
    """Return the mean size of the second differences both ways: 0 for a plane."""
    z = surface.to_numpy()
    return float(np.mean([np.abs(np.diff(z, 2, axis=axis)).mean() for axis in (0, 1)]))


@pytest.mark.slow
def test_surfaces_are_smooth_because_cells_share_their_numbers(geneva: Scenario) -> None:
    """Contours wander where neighbours differ by luck; without common numbers they would."""
    axis = np.linspace(0.5, 0.7, 6)
    smooth = iom.grid(geneva, Washington=axis, Brussels=axis, runs=600, seed=1).surface("Pope")
    cells = {
        (w, e): (play(geneva.with_pressure(Washington=w, Brussels=e), 600, seed=100 + i).winner == 0).mean()
        for i, (w, e) in enumerate((w, e) for w in axis for e in axis)
    }
    ragged = pd.Series(cells).unstack(level=0)
    factor = roughness(ragged) / roughness(smooth)
    print(f"surfaces are {factor:.1f} times smoother on common random numbers")
    assert factor > 2
    assert (np.diff(smooth.to_numpy(), axis=1) >= 0).all()  # Washington helps Pope, in every row
    assert (np.diff(smooth.to_numpy(), axis=0) <= 0).all()
    assert (np.diff(ragged.to_numpy(), axis=1) < 0).any()


def test_a_parameter_may_share_its_name_with_a_candidate() -> None:
    found = iom.grid(voter(), A=[-2.0, 2.0], runs=500, seed=1)
    table = found.table()
    assert table.index.names == ["candidates.A.appeal"]  # not called like the column beside it
    assert table["A"].iloc[0] < 0.5 < table["A"].iloc[1]
    assert found.surface().index.tolist() == [-2.0, 2.0]


def test_a_grid_takes_its_range_where_none_is_given() -> None:
    found = iom.grid(voter(), secrecy=None, runs=20, seed=1)
    assert found.axes == (pytest.approx(np.linspace(0.2, 0.8, 21)),)


def test_a_grid_tells_what_it_spans() -> None:
    found = iom.grid(voter(), W=[0.0, 2.0], runs=4000, seed=1)
    words = found.sentence()
    assert words.startswith("With W's strength from 0 to 2, all else on the best guesses, A wins in ")
    assert f"(base {round(100 * found.base['A'])})" in words
    assert "there is no winner in <1 of 100" in words
    assert "voting runs into Tuesday in" in words
    assert "4\u202f000 runs a cell" in found.stamp()
    assert words in " ".join(repr(found).split())


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({}, "a grid takes one or two parameters, got 0"),
        ({"A": [0], "B": [0], "W": [0]}, "got 3"),
        ({"W": []}, r"the values of W are empty; give at least one, for instance \[1\]"),
        ({"W": [0.0, 2.0, 1.0]}, "the values of W must increase, got 1 after 2"),
        ({"W": [1.0, 1.0]}, "must increase, got 1 after 1"),
        ({"W": "high"}, "the values of W must be numbers, got 'high'"),
        ({"B": None}, "B has no range and is always 0; give the values to take"),
        ({"W": [1], "sponsors.W.strength": [1]}, "W and sponsors.W.strength are the same parameter"),
        ({"V": [1]}, "no parameter named 'V'"),
        ({"secrecy": [0.5, 1.5]}, "secrecy.*1.5"),
        ({"secrecy": [0.5, np.nan]}, "finite"),
    ],
)
def test_a_bad_grid_is_refused(axes: dict[str, Any], words: str) -> None:
    with pytest.raises(IomsimError, match=words):
        iom.grid(voter(), runs=10, seed=1, **axes)


def test_errors_and_surfaces_of_what_a_grid_lacks() -> None:
    found = iom.grid(voter(), secrecy=[0.0, 1.0], runs=50, seed=1)
    with pytest.raises(IomsimError, match="errors are given for probabilities"):
        found.errors("rounds")
    with pytest.raises(UnknownNameError, match="no target named 'C'"):
        found.surface("C")
    for bad in ({"runs": 0}, {"runs": 1.5}, {"seed": -1}):
        with pytest.raises(IomsimError, match="must be a whole number"):
            iom.grid(voter(), secrecy=[0.0, 1.0], **({"runs": 10, "seed": 1} | bad))  # type: ignore[arg-type]


def test_every_assumption_has_words_and_answers_to_them(geneva: Scenario) -> None:
    named = {path: describe_parameter(geneva, path) for path in geneva.parameters()}
    assert len(set(named.values())) == len(named)
    assert not [words for path, words in named.items() if "_" in words and path.startswith(("behaviour", "clock"))]
    assert {path: resolve(geneva, words) for path, words in named.items()} == {path: path for path in named}


def test_the_range_of_a_change_is_that_of_the_draws_without_the_luck_of_their_runs() -> None:
    """Pairs follow the draws in turn; a draw's change is the same in all of its runs, or goes up in half of them."""
    by_draw = np.random.default_rng(2).permutation(np.linspace(-1.0, 1.0, 100))
    draw = (np.arange(20_000) % 100).astype(np.int32)
    mean, low, high, error = change_over_draws(by_draw[draw], draw, 100)
    assert (mean, low, high) == pytest.approx((0.0, -0.8, 0.8), abs=0.02)
    assert error > 0
    luck = np.random.default_rng(1).permuted(np.tile([-1.0, 1.0], 10_000))
    mean, low, high, _ = change_over_draws(luck, draw, 100)
    assert mean == pytest.approx(0.0, abs=1e-12)
    assert high - low < 0.06  # the means of the draws stray by 0.14 from luck alone
    mixed = change_over_draws(by_draw[draw] / 4 + luck, draw, 100)
    assert mixed[1:3] == pytest.approx((-0.2, 0.2), abs=0.04)


def test_a_change_on_fixed_assumptions_has_no_range() -> None:
    mean, low, high, error = change_over_draws(np.array([0.0, 1.0, 1.0, 0.0]), np.zeros(4, dtype=np.int32), 0)
    assert mean == 0.5
    assert np.isnan([low, high]).all()
    assert error > 0
