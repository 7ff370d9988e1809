"""One call plays everything: any parameter is a number or an array, and every run is that of its scenario alone."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import complete, digest, same, slow_but

import iomsim as iom
from iomsim.engine import simulate as engine
from iomsim.engine.outcomes import Outcomes, join
from iomsim.engine.rng import BLOCK
from iomsim.engine.simulate import iter_spans, simulate

ROOT = Path(__file__).parents[2]

RULES = {"name": "mine", "concession": True, "after_concession": "confirmation", "eliminate_after": 1}
RULES |= {"max_two_way": 4, "max_rounds": 14}
BEHAVIOUR = {"overnight": 0.5, "abstain": 0.06, "absent": 0.06, "concede_b": 30, "secrecy": 0.3, "round_sd": 0.3}
BEHAVIOUR |= {"openness_entrenched": 0.2, "fluid": 0.5, "cross_pressure_absence": 0.06, "yes_opponent_a": 8}
CLOCK = {"opens": "2023-05-18T10:00:00", "sits_on": 0.5, "consultation": 30}

RACES = {
    k: complete(k, members, behaviour=BEHAVIOUR, rules=RULES, clock=CLOCK) for k, members in ((2, 30), (3, 25), (8, 40))
}
PATHS = sorted({path for race in RACES.values() for path in race.plan.values})
KINDS = ("appeal", "strength", "spread", "exposure", "ties", "behaviour", "clock")


def kind_of(path: str) -> str:
    return next(kind for kind in KINDS if kind in path.split("."))


def another(path: str, value: float) -> float:
    """Return another value of a parameter, so far away that it changes what happens."""
    if path.startswith("clock"):
        return {"clock.consultation": 100.0, "clock.last_call": 80.0}.get(path, 0.5 * value)
    if path.startswith("behaviour.momentum"):
        return value + 1.0
    return 0.4 * value + 0.1 if value < 1 else 0.5 * value


def some_runs(out: Outcomes, which: np.ndarray) -> list[np.ndarray]:
    """Return every array of some of the runs."""
    rows = np.repeat(which, out.rounds)
    by_row = {"votes", "valid", "flows"}
    return [array[rows if name in by_row else which] for name, array in vars(out).items()]


def equal_in(a: Outcomes, b: Outcomes, which: np.ndarray) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(some_runs(a, which), some_runs(b, which), strict=True))


# -- a number, an entry a run, a point of a design: bit for bit the scenario with these numbers -------------


def test_every_kind_of_parameter_is_looked_at() -> None:
    assert {kind_of(path) for path in PATHS} == set(KINDS)
    assert {path for path in PATHS if path.startswith("behaviour.")} == {
        f"behaviour.{name}" for name in iom.Behaviour.model_fields
    }


@pytest.mark.parametrize(
    ("k", "kind"), slow_but(product(RACES, KINDS), *product((2,), KINDS[:5]), *product((3,), KINDS), (8, "strength"))
)
def test_a_number_a_point_and_an_entry_a_run_are_the_scenario_alone(k: int, kind: str) -> None:
    race, runs = RACES[k], 120
    here = simulate(race.plan, {}, runs, seed=4)
    odd = np.arange(runs) % 2 == 1
    for path, value in race.plan.values.items():
        if kind_of(path) != kind:
            continue
        changed = another(path, value)
        alone = simulate(race.with_parameters({path: changed}).plan, {}, runs, seed=4)
        scaled_away = path == "sponsors.X.exposure.all"  # the only weight of its sponsor
        never_felt = k == 2 and path == "behaviour.momentum_field"  # of three or more
        assert same(here, alone) == (scaled_away or never_felt), path
        assert same(alone, simulate(race.plan, {path: changed}, runs, seed=4)), path
        points = simulate(race.plan, {path: [[value], [changed]]}, runs, seed=4)
        assert same(points.part(0, runs), here), path
        assert same(points.part(runs, 2 * runs), alone), path
        mixed = simulate(race.plan, {path: np.where(odd, changed, value)}, runs, seed=4)
        assert equal_in(mixed, alone, odd), path
        assert equal_in(mixed, here, ~odd), path


@pytest.mark.parametrize("k", RACES)
def test_everything_may_differ_from_run_to_run_and_from_point_to_point(k: int) -> None:
    race, runs, points = RACES[k], 40, 3
    pick = np.random.default_rng(k)
    table = {
        path: value + pick.random((points, runs)) * (another(path, value) - value)
        for path, value in race.plan.values.items()
    }
    table["behaviour.fluid"] = table["behaviour.fluid"][:, :1]
    table["clock.round_minutes"] = table["clock.round_minutes"][0]
    out = simulate(race.plan, table, runs, seed=4)
    for point, run in ((0, 0), (0, 39), (1, 7), (2, 20), (2, 39)):
        own = {path: float(np.broadcast_to(x, (points, runs))[point, run]) for path, x in table.items()}
        alone = simulate(race.with_parameters(own).plan, {}, run + 1, seed=4)
        assert same(out.part(point * runs + run, point * runs + run + 1), alone.part(run, run + 1))


def test_one_row_is_for_every_point_and_one_column_for_every_run() -> None:
    plan, runs = RACES[2].plan, 50
    secrecy, minutes = np.linspace(0, 1, runs), [[50.0], [90.0]]
    both = simulate(plan, {"behaviour.secrecy": secrecy, "clock.round_minutes": minutes}, runs, seed=1)
    assert both.size == 2 * runs
    for i, (value,) in enumerate(minutes):
        alone = simulate(plan, {"behaviour.secrecy": secrecy, "clock.round_minutes": value}, runs, seed=1)
        assert same(both.part(i * runs, (i + 1) * runs), alone)
    one_row, one_run = (simulate(plan, {"behaviour.secrecy": x}, runs, seed=1) for x in ([secrecy], secrecy))
    assert same(one_row, one_run)


def test_equal_entries_are_a_number() -> None:
    plan = RACES[3].plan
    for path in ("behaviour.abstain", "behaviour.conviction", "clock.sits_on"):
        alike = simulate(plan, {path: np.full(300, 0.2)}, 300, seed=1)
        assert same(alike, simulate(plan, {path: 0.2}, 300, seed=1))


# -- where and in what portions it is played does not matter -------------------------------------------------

TABLES = {
    "an entry a run": lambda runs: {
        "behaviour.conviction": np.linspace(0.5, 2.5, runs),
        "behaviour.decay": np.linspace(0.3, 0.9, runs),
        "sponsors.W.strength": np.linspace(0.0, 1.0, runs),
        "clock.last_call": np.linspace(20.0, 60.0, runs),
    },
    "points": lambda runs: {"behaviour.secrecy": [[0.1], [0.5], [0.9]], "behaviour.abstain": [[0.0], [0.02], [0.1]]},
    "both": lambda runs: {
        "behaviour.secrecy": [[0.1], [0.5]],
        "behaviour.concede_b": np.linspace(2.0, 40.0, runs),
        "behaviour.absent": np.linspace(0.0, 0.2, 2 * runs).reshape(2, runs),
    },
}  # fmt: skip


class Backwards:
    """Only maps, and does the last piece of work first."""

    def map(self, function: Any, calls: list[Any]) -> list[Any]:
        return [function(call) for call in reversed(calls)][::-1]


PLACES: dict[str, Any] = {
    "backwards": lambda: nullcontext(Backwards()),
    "threads": lambda: ThreadPoolExecutor(3),
    "processes": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
}


@pytest.mark.parametrize(
    ("place", "table"),
    [*product(("backwards", "threads"), TABLES), pytest.param("processes", "both", marks=pytest.mark.slow)],
)
def test_where_it_is_played_does_not_matter(place: str, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, runs = RACES[3].plan, 2 * BLOCK + 100
    parameters = TABLES[table](runs)
    here = simulate(plan, parameters, runs, seed=9)
    monkeypatch.setattr(engine, "SPAN", 1)
    with PLACES[place]() as executor:
        assert same(here, simulate(plan, parameters, runs, 9, executor))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("blocks", slow_but([1, 2, 7], 1, 7))
def test_how_many_blocks_are_played_together_does_not_matter(blocks: int, table: str) -> None:
    plan, runs = RACES[2].plan, 3 * BLOCK - 5
    parameters = TABLES[table](runs)
    whole = simulate(plan, parameters, runs, seed=9)
    assert same(whole, join(iter_spans(plan, parameters, runs, 9, blocks=blocks)))


@pytest.mark.parametrize("runs", [1, 100, BLOCK, BLOCK + 1])
def test_fewer_runs_are_the_beginning_of_more(runs: int) -> None:
    plan, most = RACES[2].plan, 2 * BLOCK
    parameters = TABLES["an entry a run"](most)
    short = simulate(plan, {path: values[:runs] for path, values in parameters.items()}, runs, seed=9)
    assert same(short, simulate(plan, parameters, most, seed=9).head(runs))


def test_few_points_of_many_are_played_as_among_many() -> None:
    plan, values = RACES[2].plan, np.linspace(0, 1, 50)
    many = simulate(plan, {"behaviour.secrecy": values[:, None]}, 700, seed=2)
    few = simulate(plan, {"behaviour.secrecy": values[[3, 48], None]}, 700, seed=2)
    assert same(few, join([many.part(700 * i, 700 * (i + 1)) for i in (3, 48)]))


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"behaviour.secrecy": np.zeros(11)}, "behaviour.secrecy has shape (11,); give a number, or an array of shape "
         "(n,) or (points, n), with n at most the 10 runs"),
        ({"behaviour.secrecy": np.zeros((3, 14))}, "behaviour.secrecy has shape (3, 14); give a number, or an array of "
         "shape (n,) or (3, n), with n at most the 10 runs"),
        ({"behaviour.secrecy": np.zeros((3, 1)), "behaviour.decay": np.zeros((2, 1))}, "behaviour.decay has shape "
         "(2, 1); give a number, or an array of shape (n,) or (3, n), with n at most the 10 runs"),
        ({"behaviour.secrecy": np.zeros((1, 1, 10))}, "behaviour.secrecy has shape (1, 1, 10); give a number"),
        ({"behaviour.secrecy": np.zeros((0, 1))}, "behaviour.secrecy has shape (0, 1); give a number"),
        ({"behaviour.secrecy": []}, "behaviour.secrecy has shape (0,); give a number"),
        ({"behaviour.secercy": 0.5}, "no parameter named 'behaviour.secercy'; did you mean 'behaviour.secrecy'?"),
        ({"sponsors.Nobody.strength": [[1.0]]}, "no parameter named 'sponsors.Nobody.strength'"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_refused_in_one_sentence(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(iom.IomsimError) as error:
        simulate(RACES[2].plan, parameters, 10, seed=1)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("runs", [0, -1, 2.5, True])
def test_runs_are_a_whole_number(runs: Any) -> None:
    with pytest.raises(iom.IomsimError, match="runs must be a whole number of at least 1, got"):
        simulate(RACES[2].plan, {}, runs, seed=1)


def test_exposures_that_come_out_negative_in_a_run_are_nothing() -> None:
    """A number that makes them negative is refused; a draw that does counts as no exposure."""
    plan = RACES[2].plan
    path = next(path for path in plan.values if ".exposure." in path)
    exposure = plan.at({path: np.array([1.0, -5.0])}).exposure
    assert exposure.min() == 0
    assert np.isfinite(exposure).all()
    with pytest.raises(
        iom.ScenarioError, match="the exposure of M1 to W is negative; weights must add up to 0 or more"
    ):
        plan.at({path: -5.0}).check_exposure()


# -- the engine stands alone --------------------------------------------------------------------------------

ALONE = """
import hashlib, pickle, sys, types
stub = types.ModuleType("iomsim")
stub.__path__ = [{package!r}]
sys.modules["iomsim"] = stub
from iomsim.engine.simulate import simulate
plan = pickle.load(sys.stdin.buffer)
out = simulate(plan, {{"behaviour.secrecy": [[0.2], [0.7]]}}, 500, seed=3)
print(hashlib.sha256(b"".join(part.tobytes() for part in vars(out).values())).hexdigest())
print(sorted({{"pandas", "pydantic", "scipy", "tqdm", "matplotlib"}} & set(sys.modules)))
"""


@pytest.mark.parametrize("k", slow_but([2, 3], 3))
def test_a_plan_is_played_where_there_is_only_numpy(k: int) -> None:
    """In a process that has loaded the engine and nothing else of iomsim; yes or no takes a beta quantile of scipy."""
    plan = RACES[k].with_rules("strict", max_rounds=6).plan
    program = ALONE.format(package=str(ROOT / "iomsim"))
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(plan), capture_output=True, check=True)
    here = simulate(plan, {"behaviour.secrecy": [[0.2], [0.7]]}, 500, seed=3)
    assert done.stdout.decode().split("\n")[:2] == [digest(here), "[]"]
