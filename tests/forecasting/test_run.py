"""Getting the runs: until they are enough, until they are precise enough, or until something happens."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import elect, same, slow_but, toy

import iomsim as iom
from iomsim.engine import simulate
from iomsim.engine.rng import BLOCK
from iomsim.errors import BlockError
from iomsim.forecasting import run
from iomsim.forecasting.run import InterruptedForecastWarning, half_width
from iomsim.forecasting.tables import NO_WINNER
from iomsim.model.bodies import readings


def make(race: iom.Scenario, **options: Any) -> iom.Forecast:
    return iom.forecast(race, seed=5, progress=False, **options)


def tables_equal(a: iom.Forecast, b: iom.Forecast) -> None:
    for table in ("win_probability", "rounds", "endings", "decided_at"):
        pd.testing.assert_frame_equal(getattr(a, table)(), getattr(b, table)())


# -- all runs -------------------------------------------------------------------------------------------


def test_ten_thousand_runs_unless_told_otherwise() -> None:
    fc = make(toy(3))
    assert len(fc) == 10_000
    assert fc.stopped == "all 10000 runs were played"
    assert fc.outcomes is not None
    assert fc.outcomes.size == 10_000


def test_a_seed_is_drawn_and_kept() -> None:
    one, other = (iom.forecast(toy(9), runs=200, progress=False) for _ in range(2))
    assert one.seed != other.seed
    again = iom.forecast(toy(9), runs=200, seed=one.seed, progress=False)
    assert again.outcomes is not None
    assert one.outcomes is not None
    assert same(again.outcomes, one.outcomes)


@pytest.mark.parametrize("seed", [0, 2023, 2**63, 2**100, np.int64(7)])
def test_every_whole_number_is_a_seed(seed: Any) -> None:
    fc = iom.forecast(toy(5), runs=np.int32(10), seed=seed, progress=False)
    assert fc.seed == int(seed)
    assert isinstance(fc.seed, int)
    assert len(fc) == 10


@pytest.mark.usefixtures("short_spans")
def test_pieces_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = make(toy(15), runs=20 * BLOCK + 7)  # more than are merged at a time
    assert len(pieces) == 20 * BLOCK + 7
    monkeypatch.setattr(simulate, "SPAN", 64)
    tables_equal(pieces, make(toy(15), runs=20 * BLOCK + 7))


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("keep", slow_but(["runs", "summary"], "summary"))
def test_on_an_executor_the_forecast_is_the_same(keep: str) -> None:
    here = make(toy(15), runs=3000, keep=keep)
    with ThreadPoolExecutor(3) as pool:
        tables_equal(here, make(toy(15), runs=3000, keep=keep, executor=pool))


# -- until it is precise enough ---------------------------------------------------------------------------


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("target", slow_but(["A", "no winner", "spill", None], "no winner", None))
def test_it_stops_when_the_target_is_precise_enough(target: str | None) -> None:
    fc = make(toy(15), precision=0.015, target=target)
    assert len(fc) % BLOCK == 0
    assert half_width(fc, target) <= 0.015
    assert len(fc) == BLOCK or half_width(make(toy(15), runs=len(fc) - BLOCK), target) > 0.015
    assert (
        fc.stopped == f"the 95 % half-width of {target or 'every target'} reached {half_width(fc, target):.4f} <= 0.015"
    )
    tables_equal(fc, make(toy(15), runs=len(fc)))  # the same runs as if their number had been asked for


def test_the_half_width_is_that_of_the_tables() -> None:
    for fc in (make(toy(15), runs=500), make(toy(15), runs=500, assumptions="fixed")):
        table = fc.win_probability()
        assert half_width(fc, "A") == table.loc["A", "mc_error"]
        assert half_width(fc, "spill") == fc.spill().mc_error
        assert half_width(fc, None) == max(half_width(fc, t) for t in ("A", "B", "no winner", "spill"))
        assert half_width(fc, None) == fc.mc_error


@pytest.mark.usefixtures("short_spans")
def test_a_rare_thing_needs_fewer_runs_than_an_open_one() -> None:
    rare, open_ = (make(toy(15), precision=0.02, target=target) for target in ("no winner", "A"))
    assert len(rare) < len(open_)


@pytest.mark.usefixtures("short_spans")
def test_it_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST_RUNS", 3 * BLOCK)
    fc = make(toy(5), precision=0.0001)
    assert len(fc) == 3 * BLOCK
    assert fc.stopped == f"gave up at {3 * BLOCK} runs before the half-width reached 0.0001"


def test_stopping_early_keeps_memory_small() -> None:
    """Looking at the width does not copy the runs together again and again."""
    gathered = run.RunAccumulator(toy(5), 1, "runs", assumptions=4)
    gathered.add(run.play_draws(toy(5).plan, {}, 1, 0, 100, draws=4))
    assert gathered.counts().outcomes is None
    tables_equal(gathered.counts(), gathered.forecast())


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say_although_stopping_looks_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two equals each wins half of the time; 95 % of 800 intervals must hold that, to 4 errors."""
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "SPAN", 1)
    monkeypatch.setattr(simulate, "BLOCK", 64)
    monkeypatch.setattr(run, "BLOCK", 64)
    race = toy(3, behaviour={"absent": 0, "cross_pressure_absence": 0, "abstain": 0})  # two of three elect
    inside = 0
    for seed in range(800):
        row = iom.forecast(
            race, seed=seed, precision=0.05, target="A", progress=False, keep="summary", assumptions="fixed"
        ).win_probability()
        inside += abs(row.loc["A", "probability"] - 0.5) <= row.loc["A", "mc_error"]
    assert abs(inside / 800 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 800)


# -- what may happen ------------------------------------------------------------------------------------------


class Stops:
    """An executor that does some pieces of work and then raises."""

    def __init__(self, pieces: int, error: BaseException) -> None:
        self.pieces, self.error = pieces, error

    def map(self, function: Any, *arguments: list[Any]) -> Iterator[Any]:
        for done, call in enumerate(zip(*arguments, strict=True)):
            if done == self.pieces:
                raise self.error
            yield function(*call)


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("keep", ["runs", "summary"])
def test_interrupted_it_returns_what_was_finished(keep: str) -> None:
    with pytest.warns(InterruptedForecastWarning, match=f"interrupted after {2 * BLOCK} of 5000 runs"):
        fc = make(toy(15), runs=5000, executor=Stops(2, KeyboardInterrupt()), keep=keep)
    assert len(fc) == 2 * BLOCK
    assert fc.stopped == f"interrupted after {2 * BLOCK} of 5000 runs"
    tables_equal(fc, make(toy(15), runs=2 * BLOCK))
    assert (fc.outcomes is None) == (keep == "summary")


@pytest.mark.usefixtures("short_spans")
def test_interrupted_before_anything_is_finished_it_stops() -> None:
    with pytest.raises(KeyboardInterrupt):
        make(toy(15), runs=5000, executor=Stops(0, KeyboardInterrupt()))


@pytest.mark.usefixtures("short_spans")
def test_interrupted_on_the_way_to_a_precision_it_returns_too() -> None:
    pieces = iter([1, 1, 0])

    class Later:
        def map(self, function: Any, *arguments: list[Any]) -> Iterator[Any]:
            return Stops(next(pieces), KeyboardInterrupt()).map(function, *arguments)

    with pytest.warns(InterruptedForecastWarning, match=f"interrupted after {2 * BLOCK} runs, on the way to"):
        fc = make(toy(15), precision=0.001, executor=Later())
    assert len(fc) == 2 * BLOCK


@pytest.mark.usefixtures("short_spans")
def test_interrupted_here_without_an_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    play_span, calls = simulate.play_span, iter(range(10))

    def played(*address: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return play_span(*address)

    monkeypatch.setattr(simulate, "play_span", played)
    with pytest.warns(InterruptedForecastWarning):
        fc = make(toy(15), runs=5000)
    assert len(fc) == 2 * BLOCK


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("finished", [0, 3])
def test_a_worker_that_fails_is_named_and_the_rest_is_kept(finished: int, monkeypatch: pytest.MonkeyPatch) -> None:
    play_span = simulate.play_span

    def played(plan: Any, parameters: Any, seed: int, first: int, size: int) -> Any:
        if first == finished:
            raise MemoryError("no room")
        return play_span(plan, parameters, seed, first, size)

    monkeypatch.setattr(simulate, "play_span", played)
    with pytest.raises(BlockError) as error:
        make(toy(15), runs=5000)
    assert str(error.value) == f"the span of {BLOCK} runs from block {finished} failed: MemoryError: no room"
    partial = error.value.partial
    if finished:
        assert len(partial) == finished * BLOCK
        tables_equal(partial, make(toy(15), runs=finished * BLOCK))
    else:
        assert partial is None


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("kind", [BrokenExecutor, BrokenProcessPool])
def test_an_executor_that_breaks_is_told_and_the_rest_is_kept(kind: type[Exception]) -> None:
    with pytest.raises(BlockError) as error:
        make(toy(15), runs=5000, executor=Stops(1, kind("a worker was killed")))
    assert str(error.value) == f"the executor broke after {BLOCK} of 5000 runs: a worker was killed"
    assert len(error.value.partial) == BLOCK


def test_a_scenario_that_fails_at_work_says_why() -> None:
    race = elect("AAABBB", rules={"name": "strict", "max_rounds": 900}).with_clock(round_minutes=1400)
    with pytest.raises(BlockError, match="ScenarioError: the clock ran out of sittings after 400 days"):
        make(race, runs=3)


# -- the bar ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", [True, False])
def test_short_work_is_quiet(progress: bool, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iom.forecast(toy(5), runs=100, seed=1, progress=progress)
    assert capfd.readouterr() == ("", "")


class Stream(io.StringIO):
    """Where stderr may lead: to a terminal, or not."""

    terminal = True

    def isatty(self) -> bool:
        return self.terminal


class Pipe(Stream):
    terminal = False


@pytest.mark.parametrize(
    ("said", "stream", "notebook", "off"),
    [("", Stream, False, False), ("1", Stream, False, True), ("", Pipe, False, True), ("", Pipe, True, False),
     ("1", Pipe, True, True), ("", lambda: None, False, True)],
)  # fmt: skip
def test_the_bar_moves_with_the_runs_where_it_is_seen(
    said: str, stream: Any, notebook: bool, off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setenv("TQDM_DISABLE", said)
    monkeypatch.setattr(sys, "stderr", stream())
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    else:
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)

    class Bar:
        def __init__(self, **options: Any) -> None:
            seen.append(options)

        def close(self) -> None:
            seen.append("closed")

        def update(self, runs: int) -> None:
            seen.append(runs)

    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    iom.forecast(toy(5), runs=2500, seed=1)
    options = {"total": 2500, "unit": " runs", "delay": 2, "leave": False, "disable": off}
    assert seen == [options, 1024, 1024, 452, "closed"]


def test_importing_iomsim_is_light() -> None:
    """What only some calls need is imported by them: scipy alone took as long as all the rest."""
    heavy = ("scipy", "tqdm", "matplotlib", "distributed", "iomsim.charts")
    program = f"import sys, iomsim; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_a_precision_is_reached_at_the_same_runs_wherever_they_are_played() -> None:
    """Several spans are handed out at a time, but none beyond the one that suffices is counted."""
    race = toy(9, rules={"name": "strict", "max_rounds": 2})
    here = iom.forecast(race, seed=3, precision=0.003, target="A", progress=False)
    with ThreadPoolExecutor(3) as pool:
        there = iom.forecast(race, seed=3, precision=0.003, target="A", executor=pool, progress=False)
    assert len(here) == len(there) > 2 * 16_384
    assert here.stopped == there.stopped
    assert here.summary.ends.equals(there.summary.ends)
    shorter = iom.forecast(race, len(here) - 16_384, seed=3, progress=False)
    assert run.half_width(shorter, "A") > 0.003 >= run.half_width(here, "A")


# -- the rule sets ------------------------------------------------------------------------------------------


def test_rule_sets_are_played_on_the_same_numbers(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["until-two-thirds"]
    sides = fc.rule_sets()
    assert sides.index.tolist() == list(readings())
    for name in readings():
        own = forecasts[name]
        assert sides.loc[name, [*fc.race.names, NO_WINNER]].tolist() == own.win_probability()["probability"].tolist()
        chances = pd.concat([own.chances(), own.win_probability().loc[[NO_WINNER]]])
        chances.loc["spill"] = [getattr(own.spill(), key) for key in ("value", "low", "high", "mc_error")]
        for chance in chances.index:
            told = sides.loc[name, [chance, *(f"{chance}_{key}" for key in ("low", "high", "mc_error"))]]
            assert np.array_equal(told, chances.loc[chance], equal_nan=True)
        assert sides.loc[name, "median_rounds"] == own.median_rounds()[0]
    assert sides.loc["strict", "spill"] > sides.loc["until-two-thirds", "spill"] > sides.loc["one-two-way", "spill"]


def test_beside_a_forecast_stand_the_readings_of_its_body_only() -> None:
    race = iom.start("iaea", ["A", "B", "C"])
    both = ["procedure-2019", "procedure-2009"]
    assert iom.forecast(race, 100, seed=1, progress=False).rule_sets().index.tolist() == both
    own = race.with_rules(max_rounds=4)
    beside = iom.forecast(own, 100, seed=1, progress=False).rule_sets()
    assert beside.index.tolist() == ["procedure-2019, changed", *both]


def test_rule_sets_are_the_same_whatever_the_rules_of_the_scenario(forecasts: dict[str, iom.Forecast]) -> None:
    pd.testing.assert_frame_equal(forecasts["strict"].rule_sets(), forecasts["four-rounds"].rule_sets())


def test_the_rules_in_force_are_told_by_the_forecast_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by fewer runs: the table beside the answer must not give another number for the same thing."""
    monkeypatch.setattr(run, "OTHER_RULES_RUNS", 300)
    fc = iom.forecast(iom.load("minimal").with_rules("four-rounds"), 2000, seed=3, progress=False)
    table = fc.rule_sets()
    same_row(table, "four-rounds", fc)
    beside = iom.forecast(fc.race.with_rules("strict"), 300, seed=3, progress=False)
    same_row(table, "strict", beside)
    changed = iom.forecast(fc.race.with_rules(max_rounds=12), 600, seed=3, progress=False).rule_sets()
    shipped = iom.forecast(fc.race, 300, seed=3, progress=False)
    same_row(changed, "four-rounds", shipped)  # the same name, and not the rules in force


def same_row(table: pd.DataFrame, name: str, fc: iom.Forecast) -> None:
    pd.testing.assert_series_equal(table.loc[name], pd.Series(fc.as_row()), check_names=False, check_exact=True)


def test_more_draws_than_memory_holds_are_refused() -> None:
    with pytest.raises(iom.IomsimError, match=r"assumptions must be at most 100.000 draws, got 10.000.000"):
        iom.forecast(iom.load("minimal"), runs=1, seed=1, assumptions=10_000_000)


def test_one_run_is_one_run() -> None:
    assert " · 1 run of 400 draws " in iom.forecast(iom.load("minimal"), runs=1, seed=1).stamp()
