"""Ctrl-C waits while finished work is taken in, comes where something is played, and the second time at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from command import Captured, iomsim
from toys import same, toy

import iomsim as iom
from iomsim import files
from iomsim.engine import simulate
from iomsim.engine.executors import as_done, in_order, progress_bar
from iomsim.engine.rng import BLOCK
from iomsim.forecasting import run
from iomsim.forecasting.run import InterruptedForecastWarning
from iomsim.interrupts import interrupts_wait, interrupts_welcome, not_for_children, uninterrupted
from iomsim.sensitivity import study as studies

RACE = toy(9)


def press(*_: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def then_press(function: Any, when: int = 1) -> Any:
    """Return a function that does the same, and in whose call of this number Ctrl-C is pressed in the end."""
    calls = 0

    def pressed(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        result = function(*arguments, **named)
        if calls == when:
            press()
        return result

    return pressed


@pytest.fixture
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "SPAN", 1)


# -- waiting ------------------------------------------------------------------------------------------------


def steps_until_interrupted(steps: Iterator[str]) -> list[str]:
    """Return how far some steps come."""
    taken = []
    with suppress(KeyboardInterrupt):
        for step in steps:
            taken.append(step)
        taken.append("all")
    return taken


def test_it_waits_until_it_is_welcome() -> None:
    def steps() -> Iterator[str]:
        with interrupts_wait():
            press()
            yield "pressed"
            with interrupts_welcome():
                yield "welcome"

    assert steps_until_interrupted(steps()) == ["pressed"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_it_is_welcome_it_comes_at_once() -> None:
    def steps() -> Iterator[str]:
        with interrupts_wait(), interrupts_welcome():
            yield "welcome"
            press()
            yield "pressed"

    assert steps_until_interrupted(steps()) == ["welcome"]


def test_the_second_comes_at_once() -> None:
    def steps() -> Iterator[str]:
        with interrupts_wait():
            press()
            yield "once"
            press()
            yield "twice"

    assert steps_until_interrupted(steps()) == ["once"]


def test_one_that_was_swallowed_comes_again() -> None:
    """As in a callback of a library, whose exceptions are printed and forgotten."""
    with interrupts_wait():
        with suppress(KeyboardInterrupt), interrupts_welcome():
            press()
        with pytest.raises(KeyboardInterrupt), interrupts_welcome():
            pass


def test_uninterrupted_it_comes_in_the_end() -> None:
    def steps() -> Iterator[str]:
        with uninterrupted():
            press()
            yield "pressed"
        yield "after"

    assert steps_until_interrupted(steps()) == ["pressed"]


def test_nobody_else_s_handler_is_touched() -> None:
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with interrupts_wait() as ctrl_c, interrupts_welcome():
            press()
        assert (heard, ctrl_c.pressed) == ([1], 0)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_do_not_open_the_door() -> None:
    def work() -> None:
        with interrupts_wait(), interrupts_welcome():
            pass

    with interrupts_wait() as ctrl_c:
        press()
        thread = Thread(target=work)
        thread.start()
        thread.join()
        assert (ctrl_c.pressed, ctrl_c.welcome) == (1, False)


@pytest.mark.skipif(os.name != "posix", reason="needs signal masks")
def test_children_are_born_deaf_and_we_are_not() -> None:
    with not_for_children(signal.SIGINT):
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


# -- what is finished stays ---------------------------------------------------------------------------------


def done(*values: int) -> list[Future[int]]:
    futures: list[Future[int]] = [Future() for _ in values]
    for future, value in zip(futures, values, strict=True):
        if value:
            future.set_result(value)
    return futures


class Given:
    """Has the results of some calls already; Ctrl-C is pressed while the first that it has not is waited for."""

    def __init__(self, *values: int) -> None:
        self.futures = done(*values)
        next(future for future in self.futures if not future.done()).result = press  # type: ignore[method-assign]

    def submit(self, _: Any, number: int) -> Future[int]:
        return self.futures[number]


def test_what_workers_have_finished_is_taken_up_to_the_first_gap() -> None:
    def steps() -> Iterator[str]:
        with uninterrupted():
            for result in in_order(Given(1, 2, 3, 0, 5), abs, [(i,) for i in range(5)], rescue=True):
                if result == 1:
                    press()
                yield str(result)

    assert steps_until_interrupted(steps()) == ["1", "2", "3"]


def test_in_any_order_all_that_is_finished_is_taken() -> None:
    def steps() -> Iterator[str]:
        with uninterrupted():
            for number, result, _ in as_done(Given(1, 2, 0, 4), abs, [(i,) for i in range(4)]):
                if number == 0:
                    press()
                yield f"{number}: {result}"

    assert steps_until_interrupted(steps()) == ["0: 1", "1: 2", "3: 4"]


def test_it_is_said_how_far_the_work_was() -> None:
    def work() -> None:
        with progress_bar(10, wanted=False) as advance:
            advance(3)
            press()

    with pytest.raises(KeyboardInterrupt, match=r"^interrupted after 3 of 10 runs$"):
        work()


@pytest.mark.usefixtures("short_spans")
def test_a_span_that_is_being_added_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "summarise", then_press(run.summarise, 2))
    with pytest.warns(InterruptedForecastWarning, match=f"^interrupted after {2 * BLOCK} of 5000 runs$"):
        fc = iom.forecast(RACE, 5000, 1, progress=False)
    assert fc.outcomes is not None
    assert fc.outcomes.size == len(fc) == 2 * BLOCK


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("pool", [nullcontext, lambda: ThreadPool(2), lambda: ThreadPoolExecutor(2)])
def test_when_the_last_span_is_being_added_nothing_is_left_to_interrupt(
    pool: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = iom.forecast(RACE, 2500, 1, progress=False)
    monkeypatch.setattr(run, "summarise", then_press(run.summarise, 3))
    with pool() as executor, pytest.warns(InterruptedForecastWarning, match="^interrupted when all 2500 runs were pl"):
        fc = iom.forecast(RACE, 2500, 1, executor=executor, progress=False)
    assert fc.stopped == "all 2500 runs were played"
    assert same(fc.outcomes, whole.outcomes)


@pytest.mark.usefixtures("short_spans")
def test_what_is_complete_is_not_lost_while_it_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = iom.forecast(RACE, 2500, 1, progress=False)
    monkeypatch.setattr(run, "join", then_press(run.join))
    with pytest.warns(InterruptedForecastWarning, match="^interrupted when all 2500 runs were played$"):
        fc = iom.forecast(RACE, 2500, 1, progress=False)
    assert same(fc.outcomes, whole.outcomes)


@pytest.mark.usefixtures("short_spans")
def test_pressed_twice_while_a_span_is_added_there_is_what_was_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "summarise", then_press(then_press(run.summarise, 2), 2))
    with pytest.warns(InterruptedForecastWarning, match=f"^interrupted after {BLOCK} of 5000 runs$"):
        fc = iom.forecast(RACE, 5000, 1, progress=False)
    assert fc.outcomes is not None
    assert fc.outcomes.size == len(fc) == BLOCK


@pytest.mark.usefixtures("short_spans")
def test_half_a_forecast_is_neither_compared_nor_registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "summarise", then_press(run.summarise))
    said = f"^interrupted after {BLOCK} of 5000 runs; nothing is kept$"
    with pytest.raises(KeyboardInterrupt, match=said):
        iom.compare(RACE, RACE, runs=5000, seed=1, progress=False)
    monkeypatch.setattr(run, "summarise", then_press(run.summarise))
    monkeypatch.setattr(run, "count_span", then_press(run.count_span))
    with pytest.raises(KeyboardInterrupt):
        iom.register(RACE, tmp_path / "mine.toml", runs=5000, seed=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_study_says_how_many_are_kept_and_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    study = iom.Study.grid(RACE, fluid=[0.1, 0.3, 0.5])
    whole = study.run(9000, seed=1, progress=False)
    monkeypatch.setattr("iomsim.sensitivity.tasks.write_whole", then_press(files.write_whole, 2))
    said = (
        rf"^interrupted after 2 of 3 scenarios; they are kept in '{tmp_path}': run the study again to go on from them$"
    )
    with pytest.raises(KeyboardInterrupt, match=said):
        study.run(9000, seed=1, folder=tmp_path, progress=False)
    assert len(list(tmp_path.iterdir())) == 2
    assert study.run(9000, seed=1, folder=tmp_path, progress=False).equals(whole)
    monkeypatch.setattr(studies, "counted_up", then_press(studies.counted_up))
    with pytest.raises(KeyboardInterrupt, match=r"^interrupted after 1 of 3 scenarios; nothing is kept; name a folder"):
        study.run(9000, seed=1, progress=False)


@pytest.mark.parametrize("step", ["_claimed", "_like", "_close"])
@pytest.mark.parametrize("writing", [files.whole, files.alone])
def test_nothing_is_left_beside_a_file(
    writing: Callable[[Path], Any], step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not even where Ctrl-C is pressed between the making of a hidden name and the care for it."""
    function, pressed = getattr(files, step), 0

    def between(*arguments: Any) -> Any:
        nonlocal pressed
        pressed += 1
        if step == "_close":
            press()
        result = function(*arguments)
        if step != "_close":
            press()
        return result

    monkeypatch.setattr(files, step, between)
    place = tmp_path / "whole.txt"
    with suppress(KeyboardInterrupt), writing(place):
        pass
    assert [path.name for path in tmp_path.iterdir()] == (["whole.txt"] if writing is files.whole else [])
    assert pressed == (0 if (writing, step) == (files.alone, "_like") else 1)


def test_who_waits_for_somebody_else_need_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    waits = iter([press])
    monkeypatch.setattr(files, "_claimed", lambda _: None)
    monkeypatch.setattr(files.time, "sleep", lambda _: next(waits)())
    with pytest.raises(KeyboardInterrupt), files.alone(tmp_path / "scores.csv"):
        pass


def test_an_event_is_in_the_log_and_in_the_day_or_in_neither(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = tmp_path / "day.log"
    day = iom.live(RACE, 100, seed=1, log=log)
    write = type(day)._write
    monkeypatch.setattr(type(day), "_write", then_press(write))
    with pytest.raises(KeyboardInterrupt):
        day.announce(A=5, B=4)
    assert len(day.events) == len(iom.replay(log).events) == 1
    monkeypatch.setattr(type(day), "_write", then_press(write))
    with pytest.raises(KeyboardInterrupt):
        day.undo()
    assert len(day.events) == len(iom.replay(log).events) == 0


@pytest.mark.usefixtures("short_spans")
def test_the_command_prints_what_was_finished_and_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(run, "summarise", then_press(run.summarise))
    assert iomsim("forecast", "minimal", "--runs", 5000) == 130
    out, err = capsys.readouterr()
    assert f"{BLOCK} runs".replace("1024", "1\u202f024") in out
    assert err == f"iomsim: interrupted after {BLOCK} of 5000 runs\n"


def test_a_command_with_nothing_to_keep_says_how_far_it_was(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr("iomsim.sensitivity.paired.play_endings", press)
    assert iomsim("tornado", "minimal", "--runs", 20) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("iomsim: interrupted after 0 of ")
