"""What is fast is also right: yardsticks play the same elections, stopping costs no coverage, memory is flat."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import FREE, STILL, slow_but, toy

import iomsim as iom
from iomsim.forecasting.estimates import wilson

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def yardsticks(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import yardsticks

    return yardsticks


@pytest.fixture(scope="module")
def race() -> iom.Scenario:
    return iom.load("geneva-2023")


# -- yardsticks -----------------------------------------------------------------------------------------

RUNS = {"python": 1000, "numpy": 6000, "numba": 8000}


@pytest.mark.parametrize("name", slow_but(["python", "numpy", "numba"], "numpy"))
def test_a_yardstick_plays_the_same_elections(name: str, yardsticks: Any, race: iom.Scenario) -> None:
    if name == "numba":
        pytest.importorskip("numba")
    theirs = getattr(yardsticks, name)(race)(RUNS[name], 3)
    ours = yardsticks.engine(race)(20_000, 1)
    assert yardsticks.agreement(ours, theirs) > yardsticks.ALPHA


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"momentum_fluid": 2.0},
        {"openness_fluid": 0.3},
        {"concede_b": 3.5},
        {"conviction": 1.2},
        {"fluid": 0.5},
        {"decay": 0.2},
    ],
)
def test_and_would_be_seen_to_play_others(change: dict[str, float], yardsticks: Any, race: iom.Scenario) -> None:
    theirs = yardsticks.numpy(race.with_behaviour(**change))(12_000, 3)
    assert yardsticks.agreement(yardsticks.engine(race)(20_000, 1), theirs) < yardsticks.ALPHA


@pytest.mark.slow
def test_another_clock_is_seen_too(yardsticks: Any, race: iom.Scenario) -> None:
    theirs = yardsticks.numpy(race.with_clock(round_minutes=80))(12_000, 3)
    assert yardsticks.agreement(yardsticks.engine(race)(20_000, 1), theirs) < yardsticks.ALPHA


@pytest.mark.slow
def test_what_plays_other_elections_is_not_timed(yardsticks: Any, race: iom.Scenario) -> None:
    other = yardsticks.Yardstick("wrong", yardsticks.numpy(race.with_behaviour(fluid=0.4)), 1000)
    with pytest.raises(AssertionError, match="wrong plays other elections than the engine"):
        yardsticks.check(race, other, 10_000)


@pytest.mark.slow
def test_the_benchmarks_can_be_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import runpy

    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick"])
    runpy.run_path(str(BENCHMARKS), run_name="__main__")
    said = capsys.readouterr().out
    for line in ("a full round of one run, rounds 1 to 3", "pure Python", "100,000 runs", "grid of 21 x 21"):
        assert line in said


# -- stopping when it is precise enough ---------------------------------------------------------------------


def first_wins(p: float) -> iom.Scenario:
    """Return an election of three equal members who decide at once: A wins with probability `p`."""
    low, high = 0.0, 1.0
    for _ in range(60):
        q = (low + high) / 2
        low, high = (q, high) if q * q * (3 - 2 * q) < p else (low, q)
    return toy(3, appeal=math.log(q / (1 - q)), behaviour=STILL | FREE)


@pytest.mark.slow
@pytest.mark.parametrize("p", [0.1, 0.5, 0.85])
def test_intervals_cover_as_often_as_they_say_although_the_runs_are_stopped_by_them(p: float) -> None:
    """By the public interface: 250 forecasts, each stopped by its own interval after two to seven spans."""
    race, inside, runs = first_wins(p), 0, set()
    for seed in range(250):
        options = {"assumptions": "fixed", "keep": "summary", "progress": False}
        fc = iom.forecast(race, seed=seed, precision=0.0038, target="A", **options)
        row = fc.win_probability().loc["A"]
        assert row["mc_error"] <= 0.0038
        low, high = wilson(row["probability"] * len(fc), len(fc))
        inside += low <= p <= high
        runs.add(len(fc))
    assert len(runs) <= 2  # the width hardly depends on luck, so the stopping hardly does
    assert abs(inside / 250 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 250)


# -- memory ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_runs_if_only_counts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from clocks import fresh

    ready = "import iomsim as iom; race = iom.load('minimal')"
    program = "iom.forecast(race, {runs}, seed=1, assumptions='fixed', keep={keep!r}, progress=False)"
    few, many = (fresh(program.format(runs=runs, keep="summary"), before=ready)[1] for runs in (1_800_000, 3_600_000))
    assert many < few + 40, (few, many)
    kept = fresh(program.format(runs=3_600_000, keep="runs"), before=ready)[1]
    assert kept > many + 40  # the check sees what grows
