"""What-ifs of an election that is unsure of itself: comparisons play the belief, all others the best guesses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from toys import PRESENT, play, tallies, toy, voter

import iomsim as iom
from iomsim.errors import BlockError, ScenarioError
from iomsim.forecasting.tables import NO_WINNER
from iomsim.model.assumptions import draw_assumptions
from iomsim.model.scenario import Scenario
from iomsim.sensitivity import tasks
from iomsim.sensitivity.compare import DIFFERENCE, moves
from iomsim.sensitivity.paired import change_over_draws, simulate_points
from iomsim.typing import Floats

BESIDE = ["difference", "difference_low", "difference_high", "difference_error"]


def wide(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


@pytest.fixture(scope="module")
def geneva() -> Scenario:
    return iom.load("geneva-2023")


def even(size: int = 15, **parts: Any) -> Scenario:
    """Return an election that states its level, with a sponsor whose strength is not known."""
    described: dict[str, Any] = {
        "candidates": [{"name": "A"}, {"name": "B"}],
        "level": {"A": wide(0.5, 0.4, 0.6)},
        "sponsors": [{"name": "W", "backs": "A", "strength": wide(0.8, 0.4, 1.6)}],
        "behaviour": PRESENT,
    }
    return toy(size, **(described | parts))


def fixed(race: Scenario, runs: int, seed: int) -> iom.Forecast:
    return iom.forecast(race, runs, seed, assumptions="fixed", progress=False)


# -- a difference has a range -----------------------------------------------------------------------


def exact_changes(race: Scenario, without: Scenario, seed: int) -> Floats:
    """Return by how much A's chance changes in each draw of the assumptions, for one voter: a logit."""

    def chances(one: Scenario) -> Floats:
        known = {path: q.value for path, q in one.parameters().items()} | dict(draw_assumptions(one, seed, 400).values)
        appeal, secrecy, strength = (
            known[path] for path in ("candidates.A.appeal", "behaviour.secrecy", "sponsors.W.strength")
        )
        return np.asarray(expit(appeal + (1 - secrecy) * strength))

    return chances(without) - chances(race)


@pytest.mark.parametrize("runs", [20_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_the_range_of_a_difference_is_that_of_its_law(runs: int) -> None:
    """One voter, of whom everything is known but three assumptions; other draws on either side are a wrong kernel."""
    race, without = voter(), voter().with_pressure(W=0.0)
    exact = exact_changes(race, without, 1)
    found = iom.compare(race, without, runs=runs, seed=1).table().loc["A"]
    assert found["difference"] == pytest.approx(exact.mean(), abs=3 * found["difference_error"])
    assert found["difference_low"] == pytest.approx(np.quantile(exact, 0.1), abs=0.015)
    assert found["difference_high"] == pytest.approx(np.quantile(exact, 0.9), abs=0.015)
    other = iom.forecast(without, runs, 2, progress=False)
    lie = iom.compare(iom.forecast(race, runs, 1, progress=False), replace(other, seed=1)).table().loc["A"]
    assert abs(lie["difference_high"] - np.quantile(exact, 0.9)) > 0.04


@pytest.mark.slow
def test_few_runs_of_a_draw_give_the_range_that_many_give() -> None:
    """Nested truth, with rounds: 400 draws of 1000 runs each against the same draws of 25; bias under a point."""
    race = even(9, rules="until-two-thirds")
    other, off = race.with_pressure(W=0.0), []
    for seed in range(1, 7):
        tables = (iom.compare(race, other, runs=400 * runs, seed=seed).table() for runs in (1000, 25))
        many, few = (table.loc[["A", "spill"], BESIDE[1:3]] for table in tables)
        off.append((few - many).to_numpy())
    assert np.abs(np.mean(off, axis=0)).max() < 0.01
    raw = change_range_with_noise(race, other, 25)
    assert raw[0] < many.loc["A", "difference_low"] - 0.03  # the luck of so few runs is no assumption


def change_range_with_noise(race: Scenario, other: Scenario, runs: int) -> Floats:
    """Return a wrong range: the 10 % and 90 % points of the draws' changes as they come."""
    one, two = (iom.forecast(r, 400 * runs, 6, progress=False).runs for r in (race, other))
    change = (two["winner"] == "A").astype(float) - (one["winner"] == "A")
    return np.quantile(change.groupby(one["draw"]).mean(), [0.1, 0.9])


def test_equal_scenarios_differ_by_nothing_in_every_draw(geneva: Scenario) -> None:
    again = iom.loads(iom.dumps(geneva))
    table = iom.compare(geneva, again, runs=800, seed=1).table()
    assert (table[BESIDE] == 0).all(axis=None)
    assert not table["clear"].any()
    told = iom.compare(geneva, again, runs=800, seed=1, assumptions="fixed").table()
    assert (told[[BESIDE[0], BESIDE[3]]] == 0).all(axis=None)
    assert told[BESIDE[1:3]].isna().all(axis=None)


def test_what_can_do_nothing_changes_no_run_but_has_an_error() -> None:
    """Of runs without a change one cannot say that none ever would."""
    race = even()  # its rules know no withdrawal
    table = iom.compare(race, race.with_behaviour(concede_a=5.0), runs=800, seed=1).table()
    assert (table[BESIDE[:3]] == 0).all(axis=None)
    assert (table.loc[["A", "B", NO_WINNER, "spill"], "difference_error"] > 0.001).all()
    assert not table["clear"].any()


def test_the_error_of_a_change_is_no_less_than_that_of_as_many_pairs() -> None:
    """Two draws whose means happen to be alike are no reason to be certain."""
    change = np.tile([1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 50)
    draw = np.tile(np.repeat([0, 1], 3), 50).astype(np.int32)
    mean, low, high, error = change_over_draws(change, draw, 2)
    assert (mean, low, high) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert error > 0.05
    assert error == change_over_draws(change, draw, 0)[3]


@pytest.mark.slow
def test_both_sides_play_the_same_draws(geneva: Scenario) -> None:
    others = {
        "weaker": geneva.with_pressure(Washington=0.3),
        "public": geneva.with_behaviour(secrecy=0.0),
        "four rounds": geneva.with_rules("four-rounds"),
        "won over": geneva.with_pinned(Pope=["Chile"]),
    }
    beside = iom.side_by_side({"as it is": geneva, **others}, runs=800, seed=1)
    first = beside.base.assumptions
    for fc in beside.forecasts.values():
        assert fc.draws is not None
        draws = fc.assumptions.drop(columns="reading")
        moved = [path for path in draws if not np.array_equal(draws[path], first[path])]
        assert moved == (["sponsors.Washington.strength"] if fc.race == others["weaker"] else [])
        appeal = fc.draws.parameters["candidates.Pope.appeal"]
        assert np.array_equal(appeal, draw_assumptions(geneva, 1, 400).parameters["candidates.Pope.appeal"])
    weaker = beside.forecasts["weaker"].assumptions["sponsors.Washington.strength"]
    assert np.allclose(weaker / first["sponsors.Washington.strength"], 0.5)  # the belief goes with the number
    assert "behaviour.secrecy" not in beside.forecasts["public"].assumptions
    stated = draw_assumptions(geneva.balanced(0.55), 1, 400).parameters["candidates.Pope.appeal"]
    assert not np.array_equal(stated, draw_assumptions(geneva, 1, 400).parameters["candidates.Pope.appeal"])


def test_a_what_if_keeps_the_appeals_that_gave_the_level() -> None:
    """Without the pressure the level is not reached any more; a level stated anew would be."""
    race = even(40)
    without = race.with_pressure(W=0.0)
    table = iom.compare(race, without, runs=2000, seed=1).table().loc["A"]
    assert table["difference"] < -0.1
    assert table["difference_high"] < 0
    level = draw_assumptions(race, 1, 400).values["level.A"]
    share = {}
    for name, one in (("before", race), ("after", without), ("anew", without.balanced(0.5))):
        fc = iom.forecast(one, 20_000, 1, progress=False)
        share[name] = fc.tallies.query("round == 1 and candidate == 'A'")["share"].mean()
    assert share["before"] == pytest.approx(level.mean(), abs=0.01)
    assert share["anew"] == pytest.approx(level.mean(), abs=0.01)
    assert share["after"] < share["before"] - 0.05


def test_on_the_best_guesses_it_is_said() -> None:
    race = even()
    for assumptions, begins in (("fixed", "On the best guesses, without W's pressure "), (20, "Without W's pressure ")):
        found = iom.compare(race, race.with_pressure(W=0.0), runs=400, seed=1, assumptions=assumptions)
        assert found.sentence().startswith(begins)
        assert ("over the assumptions" in found.sentence()) == (assumptions != "fixed")
    variants = {"as it is": race, "without": race.with_pressure(W=0.0)}
    beside = iom.side_by_side(variants, runs=400, seed=1, assumptions="fixed")
    assert beside.sentence().startswith("On the best guesses, A's chance in 100: as it is ")
    assert beside.sentence("spill").startswith("On the best guesses, the chance that voting runs into Tuesday in 100: ")
    assert beside.table()[["low", "high", "change_low", "change_high"]].isna().all(axis=None)


def test_what_moves_nothing_on_average_may_move_something() -> None:
    row = pd.Series([0.001, -0.08, 0.09, 0.006, False], DIFFERENCE)
    told = "A's chance does not move on average, but by -8 to +9 points over the assumptions"
    assert moves("A's chance", row) == told
    narrow = row.replace({-0.08: -0.004, 0.09: 0.005})
    assert moves("A's chance", narrow) == "A's chance does not move beyond the simulation error (0.6 points)"


# -- the best guesses, and the level ----------------------------------------------------------------


def test_a_grid_over_the_level_moves_the_appeals() -> None:
    race = even(31)
    levels = [0.42, 0.5, 0.58]
    cells = iom.grid(race, A=levels, W=[0.2, 0.8], runs=1500, seed=3)
    assert cells.paths == ("level.A", "sponsors.W.strength")
    for level in levels:
        for strength in (0.2, 0.8):
            fc = fixed(race.with_pressure(W=strength).with_parameters({"level.A": level}), 1500, 3)
            row = cells.table().loc[(level, strength)]
            assert row[["A", "B", NO_WINNER]].tolist() == fc.win_probability()["probability"].tolist()
        stated = race.with_parameters({"level.A": level})
        assert tallies(play(stated, 6000), 1).mean() / 31 == pytest.approx(level, abs=0.01)
    wins = cells.surface("A")
    assert (wins.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert (wins.diff().iloc[1:] > 0).all(axis=None)  # the appeals are held where the pressure is moved
    assert cells.base["A"] == fixed(race, 1500, 3).win_probability().loc["A", "probability"]
    assert cells.sentence().startswith(
        "With A's first-round level from 0.42 to 0.58 and W's strength from 0.2 to 0.8, all else on the best guesses, "
    )


def test_a_tornado_over_the_level() -> None:
    race = even(31)
    found = iom.tornado(race, parameters=["A", "W"], rules=False, runs=1500, seed=3)
    for path, ends in {"level.A": (0.4, 0.6), "sponsors.W.strength": (0.4, 1.6)}.items():
        for end in ends:
            other = race.with_parameters({path: end})
            pair = iom.compare(race, other, runs=1500, seed=3, assumptions="fixed").table()
            assert found.bars[path][end]["A"].value == pytest.approx(pair.loc["A", "difference"], abs=1e-12)
    assert found.table().index[0] == "level.A"
    assert "and the others on the best guesses, A wins in " in found.sentence()
    assert "what matters most is A's first-round level (0.4: " in found.sentence()


def test_indices_over_the_level() -> None:
    """The law of a race of two is about the level alone, whatever else is pressed a little."""
    over = {"A": (0.4, 0.6), "secrecy": (0.39, 0.41)}
    found = iom.sobol(even(31), parameters=over, samples=32, runs=400, seed=1)
    table = found.table()
    assert table.index[0] == "level.A"
    assert table.loc["level.A", "first"] > 0.7
    assert not table.loc["behaviour.secrecy", "clear"] or table.loc["behaviour.secrecy", "total"] < 0.1
    assert " of these assumptions, all others on the best guesses, A's first-round level alone explains " in (
        found.sentence()
    )


def test_the_level_that_is_needed() -> None:
    """One voter: the mean share is the chance."""
    race = toy(1, candidates=[{"name": "A"}, {"name": "B"}], level={"A": wide(0.5, 0.2, 0.8)}, behaviour=PRESENT)
    found = iom.paths_to(race, "A", 0.65, parameters=["A"], runs=20_000, seed=1)
    way = found.ways[0]
    assert (way.path, way.now) == ("level.A", 0.5)
    assert way.value == pytest.approx(0.65, abs=0.01)
    assert "To put A at 65 in 100 on the best guesses (now " in found.sentence()


def test_a_level_that_no_appeal_gives_is_refused_before_anything_is_played() -> None:
    pinned = even(20, electorate={"size": 20, "pinned": {"A": [f"M{i}" for i in range(1, 8)]}})
    for ask in (
        lambda: iom.grid(pinned, A=[0.3, 0.5], runs=10, seed=1),
        lambda: iom.tornado(pinned, parameters={"A": (0.3, 0.6)}, rules=False, runs=10, seed=1),
        lambda: iom.Study.grid(pinned, A=[0.3, 0.5]),
        lambda: simulate_points([(pinned, {"level.A": [0.3]})], 10, 1),
    ):
        with pytest.raises(ScenarioError, match=r"no appeal gives A a mean share of 0\.3; too many members are pinned"):
            ask()
    for edge in (0.0, 1.0):
        with pytest.raises(ScenarioError, match=r"level\.A must be above 0 and below 1, got"):
            iom.grid(pinned, A=sorted([edge, 0.5]), runs=10, seed=1)


@pytest.mark.parametrize("runs", [300, tasks.MAX_RUNS + 5])
def test_a_study_over_the_level_is_that_of_forecasts_on_the_best_guesses(runs: int) -> None:
    race = even(9, rules="until-two-thirds")
    table = iom.Study.grid(race, A=[0.45, 0.55], secrecy=[0.2]).run(runs, seed=1, progress=False)
    assert list(table.columns[:2]) == ["level.A", "secrecy"]
    for _, row in table.iterrows():
        other = race.with_parameters({"level.A": row["level.A"], "behaviour.secrecy": 0.2})
        fc = fixed(other, runs, 1)
        assert (row["A"], row["hash"]) == (fc.win_probability().loc["A", "probability"], other.hash)
        assert row["A_error"] == fc.win_probability().loc["A", "mc_error"]


def test_a_cell_whose_level_is_out_of_reach_costs_no_other() -> None:
    low = even(
        20, level={"A": wide(0.5, 0.3, 0.7)}, electorate={"size": 20, "pinned": {"A": [f"M{i}" for i in range(1, 8)]}}
    )
    study = iom.Study.sample(low, 8, seed=1, parameters=["A", "W"])
    reached = study.points["level.A"] > 0.35
    assert 0 < reached.sum() < 8
    with pytest.raises(BlockError, match=r"of 8 scenarios could not be played; .* no appeal gives A") as error:
        study.run(50, seed=1, progress=False)
    assert error.value.partial["level.A"].tolist() == study.points["level.A"][reached].tolist()


def test_rows_of_other_assumptions_would_be_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = iom.Study.grid(even(5), W=[0.1, 0.2])
    before = tasks.keys(study.cells, 50, 1)
    monkeypatch.setattr(tasks, "BEST_GUESSES", "400 draws")
    assert not set(before) & set(tasks.keys(study.cells, 50, 1))


def test_the_readings_that_are_weighed_make_the_row_of_the_rules(geneva: Scenario) -> None:
    two = geneva.with_readings({"until-two-thirds": 0.6, "four-rounds": 0.4})
    found = iom.tornado(two, "spill", parameters=["fluid"], runs=300, seed=1)
    assert found.rule_sets().index.tolist() == ["until-two-thirds", "four-rounds"]
    assert found.rule_sets().loc["until-two-thirds"].tolist()[1:] == [0.0, pytest.approx(0.0065, abs=0.002)]
    assert found.base["spill"].value == fixed(two.with_rules("until-two-thirds"), 300, 1).spill().value


def test_fixed_calls_are_made_on_the_best_guesses() -> None:
    """Then pushes do not depend on what might be, only on what is thought most likely; else they do."""
    race = even(9)
    sure = race.with_parameters({path: (q.value, q.value, q.value) for path, q in race.parameters().items()})
    options: dict[str, Any] = {"runs": 2000, "checked": 1, "checked_runs": 200, "seed": 1}
    one, other = (iom.pivotal(r, assumptions="fixed", **options) for r in (race, sure))
    pd.testing.assert_frame_equal(one.table(), other.table())
    assert one.table()[["win_range_low", "win_range_high"]].isna().all(axis=None)
    assert one.sentence().startswith("On the best guesses, no single member stands out; a call in any of ")
    drawn = iom.pivotal(race, **options)
    assert not np.allclose(drawn.table()["win_raw"].sort_index(), one.table()["win_raw"].sort_index())
