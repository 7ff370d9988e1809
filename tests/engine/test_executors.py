"""Where the work is done does not matter, nothing that is done is lost, and only small things travel."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache
from io import StringIO
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pytest
from laws.slow_twin import differences, election
from toys import mostly_slow, same, slow_but, toy, unsure

import iomsim as iom
from iomsim.engine import executors, rng, simulate
from iomsim.engine.executors import _is_seen, as_done, in_order, spread
from iomsim.engine.outcomes import Outcomes, join
from iomsim.engine.plan import draw
from iomsim.engine.rng import BLOCK
from iomsim.engine.simulate import play_span
from iomsim.errors import BlockError, IomsimError
from iomsim.forecasting import run
from iomsim.forecasting.summary import Summary
from iomsim.rules.procedure import ENDINGS
from iomsim.sensitivity.tasks import count_cells

RACE = toy(15, "ABC", behaviour={"absent": 0.1}, rules={"name": "until-two-thirds", "eliminate_after": 1})


UNSURE = unsure(9, "ABC")
"""With a level and readings, so that a plan has columns of everything."""


class Backwards:
    """Only maps, and does the last piece of work first."""

    def map(self, function: Any, calls: list[Any]) -> list[Any]:
        return [function(call) for call in reversed(calls)][::-1]


class Lazy:
    """Only maps, and does nothing before it is asked for the result."""

    def map(self, function: Any, calls: list[Any]) -> Iterator[Any]:
        return map(function, calls)


class Eager:
    """Does every piece of work as soon as it is handed over, and counts what has not been fetched."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, function: Any, *call: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.futures.append(future)
        try:
            future.set_result(function(*call))
        except Exception as error:
            future.set_exception(error)
        return future


class Idle:
    """Takes work and never does it."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, function: Any, *call: Any) -> Future[Any]:
        self.futures.append(Future())
        return self.futures[-1]


def spawned() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


PLACES: dict[str, Callable[[], Any]] = {
    "backwards": lambda: nullcontext(Backwards()),
    "lazy": lambda: nullcontext(Lazy()),
    "eager": lambda: nullcontext(Eager()),
    "threads": lambda: ThreadPoolExecutor(3),
    "processes": spawned,
    "multiprocessing": lambda: get_context("spawn").Pool(2),
}


@pytest.fixture
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a span be one block, so that a forecast of a few thousand runs has several."""
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "SPAN", 1)


def forecast(runs: int = 3 * BLOCK + 100, race: iom.Scenario = RACE, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=9, progress=False, **options)


@cache
def forecast_here(*args: Any, keep: str = "runs", assumptions: Any = None) -> iom.Forecast:
    """Return a forecast that is played in this process, span by span of one block."""
    given = {} if assumptions is None else {"assumptions": assumptions}
    return forecast(*args, keep=keep, **given)


def equal(a: iom.Forecast, b: iom.Forecast) -> bool:
    """Say whether two forecasts are equal in every count, and in every run if they kept them."""
    pd.testing.assert_frame_equal(a.summary.ends, b.summary.ends)
    arrays = ((getattr(a.summary, name), getattr(b.summary, name)) for name in ("shares", "flows", "voting"))
    assert all(np.array_equal(one, other) for one, other in arrays)
    assert same(a.summary.examples, b.summary.examples)
    return (a.outcomes is None and b.outcomes is None) or same(a.outcomes, b.outcomes)


@pytest.mark.slow
@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("place", slow_but(PLACES, "backwards", "eager", "threads"))
def test_where_it_is_played_does_not_matter(place: str) -> None:
    with PLACES[place]() as executor:
        for keep in ("runs", "summary"):
            assert equal(forecast_here(keep=keep), forecast(keep=keep, executor=executor))
        for assumptions in (7, "fixed"):
            here = forecast_here(BLOCK + 100, UNSURE, assumptions=assumptions)
            assert equal(here, forecast(BLOCK + 100, UNSURE, executor=executor, assumptions=assumptions))


@pytest.mark.usefixtures("short_spans")
def test_until_a_precision_it_is_the_same_too() -> None:
    with ThreadPoolExecutor(2) as pool:
        there = iom.forecast(RACE, seed=9, precision=0.02, target="A", executor=pool, progress=False)
    assert equal(there, iom.forecast(RACE, seed=9, precision=0.02, target="A", progress=False))


def test_what_is_no_executor_is_refused() -> None:
    with pytest.raises(IomsimError, match="an executor needs map or submit, got int"):
        forecast(executor=3)


# -- the beginning of a longer forecast ------------------------------------------------------------------


@pytest.mark.parametrize(
    "race", [pytest.param(RACE, marks=pytest.mark.slow), toy(15, behaviour={"absent": 0.1})], ids=["three", "two"]
)
def test_ten_thousand_runs_are_the_head_of_a_hundred_thousand(race: iom.Scenario) -> None:
    """The longer one is played in longer spans: it makes no difference."""
    short, long = (join(simulate.iter_spans(race.plan, {}, runs, seed=3)) for runs in (10_000, 100_000))
    assert simulate.span_blocks(10_000) != simulate.span_blocks(100_000)
    assert same(long.head(10_000), short)


def test_spans_are_long_for_many_runs_but_there_are_enough_for_the_workers() -> None:
    pool = Lazy()
    assert simulate.span_blocks(10_000) == simulate.span_blocks(100_000, pool) == simulate.SPAN
    assert simulate.span_blocks(100_000) == simulate.span_blocks(10_000_000, pool) == simulate.LONG * simulate.SPAN
    assert 10_000_000 / (simulate.span_blocks(10_000_000, pool) * BLOCK) > 100


# -- addresses -------------------------------------------------------------------------------------------


def at_home(out: Outcomes, race: iom.Scenario, seed: int, first: int = 0) -> bool:
    """Say whether runs of every block are those that the slow twin finds at the block's address."""
    plan, wrong = race.plan, []
    for at in range(0, out.size, BLOCK):
        draws = draw(plan, seed, first + at // BLOCK)
        runs = [run for run in (0, 1, 500, BLOCK - 1) if at + run < out.size]
        stories = {at + run: election(race, draws, run) for run in runs}
        wrong += [run for run, story in stories.items() if differences(story, out, run, ENDINGS)]
    return not wrong


def elsewhere(shift: Callable[[int], int]) -> Callable[[Any], Any]:
    return lambda f: lambda plan, seed, block, size: f(plan, seed, shift(block), size)


WRONG: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "always the first block": (simulate, "draw", elsewhere(lambda block: 0)),
    "the next block": (simulate, "draw", elsewhere(lambda block: block + 1)),
    "every block twice": (simulate, "draw", elsewhere(lambda block: block // 2)),
    "blocks counted from the span": (
        simulate,
        "play_span",
        lambda f: lambda plan, parameters, seed, first, size: f(plan, parameters, seed, 0, size),
    ),
    "another seed": (simulate, "draw", lambda f: lambda plan, seed, block, size: f(plan, seed + block, block, size)),
    "keys of the first block": (
        rng,
        "run_keys",
        lambda f: lambda seed, block, size=BLOCK: f(seed, 0, size),
    ),
}


@pytest.mark.usefixtures("short_spans")
def test_every_block_is_at_home() -> None:
    assert at_home(join(simulate.iter_spans(RACE.plan, {}, 3 * BLOCK + 50, seed=3)), RACE, 3)
    assert at_home(play_span(RACE.plan, {}, 3, 5, 2 * BLOCK), RACE, 3, first=5)


@pytest.mark.slow
@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("mistake", mostly_slow(WRONG, 2))
def test_a_wrong_address_is_seen(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, how = WRONG[mistake]
    honest = getattr(module, name)
    lie = how(honest)
    if name == "run_keys":  # the twin must not be lied to as well
        monkeypatch.setattr(simulate, "rng", type("Lying", (), vars(rng) | {"run_keys": staticmethod(lie)}))
    else:
        monkeypatch.setattr(module, name, lie)
    out = join(simulate.iter_spans(RACE.plan, {}, 3 * BLOCK + 50, seed=3, work=simulate.play_span))
    assert not at_home(out, RACE, 3)


def test_a_span_is_the_same_wherever_it_lies_in_a_longer_one() -> None:
    whole = play_span(RACE.plan, {}, 3, 0, 4 * BLOCK)
    assert same(whole.part(2 * BLOCK, 3 * BLOCK), join([play_span(RACE.plan, {}, 3, 2, BLOCK)]))


# -- what fails ------------------------------------------------------------------------------------------


def fails_in(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = simulate.play_span

    def played(plan: Any, parameters: Any, seed: int, first: int, size: int) -> Any:
        if first == block:
            raise MemoryError("no room")
        return honest(plan, parameters, seed, first, size)

    monkeypatch.setattr(simulate, "play_span", played)


class Behind(Eager):
    """Is done at once with everything but 100, which it has not begun."""

    def submit(self, function: Any, *call: Any) -> Future[Any]:
        return Future() if call == (100,) else super().submit(function, *call)


def test_what_failed_or_was_cancelled_after_a_failure_is_passed_over() -> None:
    """The first failure is the one that is told, and no result after it is lost."""

    def half(number: int) -> int:
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number // 2

    kept: list[int] = []
    with pytest.raises(ValueError, match="3 is odd"):
        kept.extend(iter(in_order(Behind(), half, [(2,), (3,), (5,), (8,), (100,), (4,)], rescue=True)))
    assert kept == [1, 4, 2]


@pytest.mark.usefixtures("short_spans")
def test_a_failure_names_its_block_and_what_is_done_after_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = forecast(5 * BLOCK).outcomes
    assert whole is not None
    fails_in(1, monkeypatch)
    with pytest.raises(BlockError) as error:
        forecast(5 * BLOCK, executor=Eager())
    assert str(error.value) == f"the span of {BLOCK} runs from block 1 failed: MemoryError: no room"
    kept = error.value.partial.outcomes
    assert same(kept.part(0, BLOCK), whole.part(0, BLOCK))
    assert same(kept.part(BLOCK, 4 * BLOCK), whole.part(2 * BLOCK, 5 * BLOCK))


@pytest.mark.usefixtures("short_spans")
def test_what_is_kept_does_not_say_that_all_runs_were_played(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_in(2, monkeypatch)
    with pytest.raises(BlockError) as error:
        forecast(5 * BLOCK)
    assert error.value.partial.stopped == f"failed after {2 * BLOCK} of {5 * BLOCK} runs"


def dies(plan: Any, parameters: Any, seed: int, first: int, size: int) -> Any:
    """Fail in a worker process, at an address."""
    if first == 2:
        raise ValueError("as agreed")
    return play_span(plan, parameters, seed, first, size)


@pytest.mark.slow
def test_from_another_process_the_failure_comes_back_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SPAN", 1)
    with spawned() as pool:
        parts = simulate.iter_spans(RACE.plan, {}, 4 * BLOCK, 9, pool, work=dies)
        done = [next(parts), next(parts)]
        with pytest.raises(BlockError, match="from block 2 failed: ValueError: as agreed"):
            done += list(parts)
    assert [part.size for part in done[:2]] == [BLOCK, BLOCK]


def test_what_nobody_waits_for_is_cancelled() -> None:
    idle = Idle()
    parts = spread(idle, divmod, range(5), range(1, 6))
    idle_first = iter(parts)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: next(idle_first))
        while len(idle.futures) < 5:
            pass
        idle.futures[0].set_result("done")
        assert waiting.result() == "done"
    parts.close()  # type: ignore[attr-defined]
    assert all(future.cancelled() for future in idle.futures[1:])


def test_only_so_many_calls_are_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "AHEAD", 3)
    for way in (spread, lambda e, f, *a: as_done(e, f, zip(*a, strict=True))):
        eager, ahead = Eager(), []
        answers = []
        for taken, answer in enumerate(way(eager, divmod, range(10), [1] * 10), start=1):
            ahead.append(len(eager.futures) - taken)
            answers.append(answer)
        assert max(ahead) == 2
        assert answers in ([(i, 0) for i in range(10)], [(i, (i, 0), None) for i in range(10)])


@pytest.mark.parametrize("executor", [None, Lazy(), Eager()], ids=["here", "map", "submit"])
def test_as_done_every_call_is_answered(executor: Any) -> None:
    calls = [(7, 2), (1, 0), (9, 3)]
    answers = {number: (result, type(error)) for number, result, error in as_done(executor, divmod, calls)}
    assert answers == {0: ((3, 1), type(None)), 1: (None, ZeroDivisionError), 2: ((3, 0), type(None))}


def test_as_done_the_first_that_is_done_comes_first() -> None:
    class Reversed(Idle):
        def submit(self, function: Any, *call: Any) -> Future[Any]:
            future = super().submit(function, *call)
            if len(self.futures) == 4:  # the fourth is handed over already done
                for number in (3, 1, 2, 0):
                    self.futures[number].set_result(number)
            return future

    answers = [number for number, _, _ in as_done(Reversed(), divmod, [(1, 1)] * 4)]
    assert answers == [1, 2, 0, 3]


# -- what travels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [simulate.run_span, play_span, run.count_span, count_cells])
def test_workers_find_their_functions_in_the_package(function: Any) -> None:
    assert pickle.loads(pickle.dumps(function)) is function


def test_only_small_things_travel() -> None:
    race = iom.load("geneva-2023")
    sent = simulate.serialised(race.plan, Lazy())
    task = (simulate.run_span, play_span, sent, {}, 2023, 64, simulate.SPAN * BLOCK)
    assert len(pickle.dumps(task)) < 16_000
    changes = [(("behaviour.secrecy", 0.1 * i),) for i in range(8)]
    assert len(pickle.dumps((count_cells, sent, changes, 2023, 0, 2000))) < 14_000
    runs = play_span(race.plan, {}, 1, 0, 4000)
    assert simulate.serialised(race.plan, Lazy()) == sent  # what was computed meanwhile stays here
    assert len(pickle.dumps(runs)) < 120 * 4000
    assert len(pickle.dumps(count_cells(sent, changes, 1, 0, 500))) < 8 * 1500


def test_a_plan_is_sent_as_bytes_and_read_once() -> None:
    sent = simulate.serialised(RACE.plan, Lazy())
    assert isinstance(sent, bytes)
    assert same(play_span(simulate.deserialised(sent), {}, 3, 0, 500), play_span(RACE.plan, {}, 3, 0, 500))
    assert simulate.deserialised(bytes(sent)) is simulate.deserialised(sent)
    assert simulate.serialised(RACE.plan, None) is RACE.plan is simulate.deserialised(RACE.plan)


def test_a_summary_does_not_grow_with_the_runs() -> None:
    sizes = []
    for runs in (2 * BLOCK, 16 * BLOCK):
        summary = run.count_span(RACE.plan, {}, 1, 0, runs, draws=0)
        assert isinstance(summary, Summary)
        sizes.append(summary.shares.nbytes + summary.flows.nbytes + summary.voting.nbytes)
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("seen", [True, False])
def test_bars_are_for_terminals(seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: seen)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert _is_seen() is seen
