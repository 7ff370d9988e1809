"""A draw of the assumptions inside a forecast is that election played alone, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from toys import complete, mostly_slow, neutral, same, slow_but, unsure

import iomsim as iom
from iomsim.engine import simulate
from iomsim.engine.outcomes import Outcomes, join
from iomsim.engine.plan import Plan
from iomsim.engine.rng import BLOCK
from iomsim.forecasting import run
from iomsim.model import assumptions as drawing
from iomsim.model.scenario import Scenario, build

RANGES = {
    "secrecy": {"value": 0.4, "low": 0.1, "high": 0.8},
    "overnight": {"value": 0.2, "low": 0.0, "high": 0.6},
    "absent": {"value": 0.05, "low": 0.0, "high": 0.3},
}
RACES: dict[str, Callable[[], Scenario]] = {
    "geneva-2023": lambda: iom.load("geneva-2023"),
    "iom-2018": lambda: iom.load("iom-2018"),
    "minimal": lambda: iom.load("minimal"),
    "level and readings": unsure,
    "three, level and readings": lambda: unsure(names="ABC"),
    "a what-if": lambda: unsure(behaviour=RANGES).with_pressure(W=1.4).with_ties(
        iom.Tie(name="more", who=("M5", "M6"), candidate="A", log_odds=0.7)
    ),
    "everything": lambda: complete(4, 31, behaviour=RANGES, readings=[
        {"rules": {"name": "quick", "threshold": ">1/2", "phases": [{"drop": 1, "barred": True}]}, "weight": 0.5},
        {"rules": {"name": "slow", "base": "present", "withdrawal": "vote", "phases": [
            {"ballots": 2}, {"keep": 2, "ballots": 2, "tie": "extra"}, {"vote": "yes-no", "ballots": 1}],
            "after": "fail"}, "weight": 0.5},
    ]),
}  # fmt: skip


def make(race: Scenario, runs: int, seed: int = 3, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


def alone(race: Scenario, fc: iom.Forecast, draw: int) -> Scenario:
    """Return the race with the numbers of one draw stated as known, its level stated anew for them."""
    row = fc.assumptions.loc[draw]
    numbers = {path: float(value) for path, value in row.drop("reading").items()}
    levels = {path: numbers.pop(path) for path in list(numbers) if path.startswith("level.")}
    race = race.with_rules(next(rules for rules in race.procedures if rules.name == row["reading"]))
    if race.held is not None:  # what was changed since is changed again, after the level is stated
        then = {key: part for key, part in dict(race.held).items() if part is not None}
        before = build({**dict(race), **then, "held": None})
        stated = restated(before, {path: x for path, x in first_numbers(fc, draw).items() if x is not None}, levels)
        appeal = {path: stated.plan.values[path] for path in stated.plan.appeals}
        changed = race.with_parameters(numbers)
        return build({**dict(changed), "level": {}, "held": None, "candidates": with_appeals(changed, appeal)})
    return restated(race, numbers, levels)


def restated(race: Scenario, numbers: dict[str, float], levels: dict[str, float]) -> Scenario:
    known = race.with_parameters(numbers)
    return known.balanced({path.removeprefix("level."): share for path, share in levels.items()}) if levels else known


def first_numbers(fc: iom.Forecast, draw: int) -> dict[str, float]:
    """Return the draw of the race for which the level was stated, without the level."""
    then = drawing.draw_assumptions(fc.race._levelled, fc.seed, fc.draws.count)
    return {path: float(x[draw]) for path, x in then.values.items() if not path.startswith("level.")}


def with_appeals(race: Scenario, appeals: dict[str, float]) -> list[dict[str, Any]]:
    return [{"name": name, "appeal": appeals[f"candidates.{name}.appeal"]} for name in race.names]


def of_draw(out: Outcomes, draw: int, draws: int) -> Outcomes:
    """Return the runs that follow a draw."""
    return join([out.part(run, run + 1) for run in range(draw, out.size, draws)])


def bits_of(race: Scenario, fc: iom.Forecast, draw: int) -> tuple[Outcomes, Outcomes]:
    """Return the runs of a draw inside a forecast, and the same runs of that election alone."""
    draws = fc.draws.count
    inside = of_draw(fc.outcomes, draw, draws)
    other = make(alone(race, fc, draw), len(fc), fc.seed, assumptions="fixed").outcomes
    assert (inside.draw == draw).all()
    other = of_draw(other, draw, draws)
    return inside, Outcomes(**{**vars(other), "draw": inside.draw})


@pytest.mark.parametrize("name", mostly_slow(RACES, 2))
def test_a_draw_inside_is_the_election_alone(name: str) -> None:
    race = RACES[name]()
    draws, runs = (3, 30) if len(race.members) > 100 else (6, 120)
    fc = make(race, runs, assumptions=draws)
    for draw in range(draws):
        inside, other = bits_of(race, fc, draw)
        assert same(inside, other)
        assert not np.array_equal(inside.votes, of_draw(fc.outcomes, (draw + 1) % draws, draws).votes)  # a guard


def test_so_it_is_in_a_later_block_and_where_draws_do_not_divide_a_block() -> None:
    race = unsure(15)
    fc = make(race, BLOCK + 200, assumptions=7)
    for draw in (0, 5):
        assert same(*bits_of(race, fc, draw))
    assert fc.outcomes.draw[BLOCK] == BLOCK % 7


LIES: dict[str, tuple[str, Any, str, Callable[[Any], Any]]] = {
    "columns of the next draw": (
        "level and readings", Plan, "of", lambda f: lambda self, columns: f(self, np.roll(columns, 1))),
    "appeals of the best guesses": (
        "level and readings", drawing, "appeals", lambda f: lambda race, then: f(race, {}) | {}),
    "appeals of the what-if": (
        "a what-if", Scenario, "_levelled", lambda f: property(lambda self: self)),
    "the weightiest reading alone": (
        "level and readings", run, "played", lambda f: lambda race: replace(f(race), readings=(race.rules,) * 3)),
    "every run has its own draw": (
        "minimal", run, "followed",
        lambda f: lambda draws, runs: {p: np.resize(v, 4 * 6 + 1) for p, v in draws.parameters.items()}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES)
def test_another_way_to_play_draws_is_seen(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, where, what, change = LIES[lie]
    race = RACES[name]()
    truth = make(race, 120, assumptions=6)
    monkeypatch.setattr(where, what, change(getattr(where, what)))
    drawing._cached.cache_clear()
    told = make(RACES[name](), 120, assumptions=6)
    monkeypatch.undo()
    drawing._cached.cache_clear()
    assert not same(told.outcomes, truth.outcomes)
    assert not all(same(of_draw(told.outcomes, draw, 6), bits_of(race, truth, draw)[1]) for draw in range(6))


# -- what does not move ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", slow_but(["AB", "ABC"], "ABC"))
def test_the_beginning_of_a_longer_forecast(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    race = unsure(15, names)
    whole = make(race, 3000)
    for runs in (1000, 399, 401):
        fc = make(race, runs)
        assert same(fc.outcomes, whole.outcomes.head(runs))
        assert fc.assumptions.equals(whole.assumptions)
    monkeypatch.setattr(simulate, "SPAN", 1)  # pieces of one block
    assert same(make(race, 3000).outcomes, whole.outcomes)


def test_a_forecast_of_more_draws_has_the_same_first_draws() -> None:
    race = unsure(15)
    few, many = (make(race, 300, assumptions=count) for count in (100, 400))
    assert few.assumptions.equals(many.assumptions.head(100))
    assert same(few.outcomes.head(100), many.outcomes.head(100))
    assert not same(few.outcomes, many.outcomes)


def test_another_range_moves_no_other_draw() -> None:
    """Nor does it move runs in which the number plays no part: here the clock, which only says when."""
    race = unsure(15)
    wider = race.with_clock(round_minutes=(70, 20, 200))
    fc, other = (make(one, 400) for one in (race, wider))
    moved = "clock.round_minutes"
    pd_equal = fc.assumptions.drop(columns=moved).equals(other.assumptions.drop(columns=moved))
    assert pd_equal
    assert not fc.assumptions[moved].equals(other.assumptions[moved])
    assert (fc.runs[["winner", "rounds"]] == other.runs[["winner", "rounds"]]).all(axis=None)
    known = make(race.with_clock(round_minutes=(70, 70, 70)), 400)
    assert fc.assumptions.drop(columns=moved).equals(known.assumptions)
    assert (known.runs[["winner", "rounds"]] == fc.runs[["winner", "rounds"]]).all(axis=None)


def test_counts_alone_say_the_same() -> None:
    race = unsure(15, "ABC")
    whole, counts = (make(race, 90, assumptions=30, keep=keep) for keep in ("runs", "summary"))
    for table in ("win_probability", "chances", "rounds", "endings", "decided_at", "rule_sets", "assumptions"):
        one, other = (getattr(fc, table) for fc in (whole, counts))
        one, other = (x() if callable(x) else x for x in (one, other))
        assert one.equals(other), table
    assert whole.spill() == counts.spill()
    assert whole.headline() == counts.headline()


# -- without draws -------------------------------------------------------------------------------------------------


def test_the_best_guesses_are_the_values_and_the_weightiest_reading() -> None:
    race = unsure()
    fc = make(race, 300, assumptions="fixed")
    assert same(fc.outcomes, make(race.with_rules("until-two-thirds"), 300, assumptions="fixed").outcomes)
    assert (fc.draws, fc.provenance["assumptions"], set(fc.outcomes.draw)) == (None, "fixed", {0})
    assert fc.win_probability()[["low", "high"]].isna().all(axis=None)
    with pytest.raises(iom.IomsimError, match=r"played the best guesses; make it with assumptions=400 to see draws"):
        _ = fc.assumptions
    assert same(fc.outcomes, simulate.simulate(race.plan, {}, 300, 3))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("fix", "assumptions must be a number of draws, or 'fixed', got 'fix'"),
        (0, "assumptions must be a whole number of at least 1, got 0"),
        (2.5, "assumptions must be a whole number of at least 1, got 2.5"),
        (None, "assumptions must be a whole number of at least 1, got None"),
        (True, "assumptions must be a whole number of at least 1, got True"),
    ],
)
def test_what_is_no_number_of_draws(given: Any, said: str) -> None:
    with pytest.raises(iom.IomsimError) as error:
        make(neutral(), 10, assumptions=given)
    assert str(error.value) == said


def test_one_draw_is_a_draw_and_has_no_range() -> None:
    fc = make(unsure(), 50, assumptions=1)
    assert len(fc.assumptions) == 1
    assert set(fc.runs["draw"]) == {0}
    assert fc.win_probability()[["low", "high"]].isna().all(axis=None)
    assert "nan" not in repr(fc)


# -- by reading ------------------------------------------------------------------------------------------------------


def test_a_forecast_under_each_reading_is_that_of_its_runs() -> None:
    race = unsure()
    fc = make(race, 1200)
    parts, name = fc.by_reading(), fc.assumptions["reading"].loc[fc.runs["draw"]].to_numpy()
    assert list(parts) == [part.name for part in race.readings]
    for reading, part in parts.items():
        own = fc.runs[name == reading]
        assert len(part) == len(own)
        won = part.win_probability()["probability"]
        assert won.to_dict() == pytest.approx({who: (own["winner"] == who).mean() for who in won.index})
        assert part.rules_played == (race.procedures[list(parts).index(reading)],)
        assert part.assumptions["reading"].unique().tolist() == [reading]
        assert str(part).startswith(f"{race.title}\n")
        assert fc.rule_sets().loc[reading, "weight"] == len(own) / 1200
        assert fc.rule_sets().loc[reading, "spill"] == part.spill().value
    assert sum(map(len, parts.values())) == len(fc)
    assert (fc.rule_sets()["weight"] - [0.5, 0.3, 0.2]).abs().max() < 0.01  # spread evenly, and not by luck
    assert make(race.with_rules("strict"), 50).by_reading() == {}
    capped = parts["one-two-way"].rounds()
    assert capped.index.max() <= 2 < parts["until-two-thirds"].rounds().index.max()


# -- the error -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_error_of_forecasts_covers_what_endless_runs_and_draws_would_tell() -> None:
    """Seed by seed the draws are other ones: the error holds their luck and that of the runs."""
    race = unsure(9)
    truth = make(race, 1_000_000, seed=10**6, assumptions=20_000, keep="summary").win_probability()["probability"]
    missed, half = np.zeros(3), np.zeros(3)
    for seed in range(150):
        table = make(race, 2000, seed, keep="summary").win_probability()
        off = (table["probability"] - truth).abs()
        missed += (off > table["mc_error"]).to_numpy()
        half += (off > table["mc_error"] / 2).to_numpy()
    assert all(stats.binomtest(int(count), 150, 0.05).pvalue > 0.005 for count in missed), missed
    assert (half > 30).all(), half
