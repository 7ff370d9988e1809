"""Workers that are killed: one sentence, what was finished is kept, and the next try gives identical bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pandas as pd
import pytest
from faults.scripts import dies_in_the_middle_of_a_result, environment
from toys import same, toy

import iomsim as iom
from iomsim.engine import simulate
from iomsim.engine.rng import BLOCK
from iomsim.forecasting import run
from iomsim.workers import Workers

pytestmark = [pytest.mark.faults, pytest.mark.skipif(os.name != "posix", reason="needs signals")]

RACE = toy(25, "ABC", behaviour={"absent": 0.1})
RUNS = 24 * BLOCK + 17
ENDED = "a worker process ended all at once; it was killed, perhaps because there was no memory left"


class Kills:
    """A pool of processes, one of which is killed when so many pieces of work are done."""

    def __init__(self, pool: ProcessPoolExecutor, after: int) -> None:
        self.pool, self.after = pool, after

    def submit(self, function: Any, *call: Any) -> Future[Any]:
        future: Future[Any] = self.pool.submit(function, *call)
        future.add_done_callback(lambda _: self.count())
        return future

    def count(self) -> None:
        self.after -= 1
        if self.after == 0:
            os.kill(next(iter(self.pool._processes)), signal.SIGKILL)
            last = Timer(30, self.kill_all, [list(self.pool._processes)])
            last.daemon = True
            last.start()

    @staticmethod
    def kill_all(numbers: list[int]) -> None:
        """Kill those that are left: Python's pool may wait for one that waits for the one that was killed."""
        for number in numbers:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


@pytest.fixture
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "SPAN", 1)


def forecast(executor: Any = None) -> iom.Forecast:
    return iom.forecast(RACE, RUNS, 9, executor=executor, progress=False)


@pytest.mark.usefixtures("short_spans")
def test_a_forecast_keeps_what_was_finished(pool: ProcessPoolExecutor) -> None:
    with pytest.raises(iom.BlockError, match=rf"^the executor broke after \d+ of {RUNS} runs: {ENDED}$") as failed:
        forecast(Kills(pool, 5))
    part, whole = failed.value.partial, forecast()
    assert BLOCK <= len(part) < RUNS
    assert part.stopped.startswith(f"failed after {len(part)} of {RUNS} runs")
    blocks = iter(range(0, RUNS, BLOCK))
    for start in range(0, len(part), BLOCK):  # its blocks are some of those of the whole, in order
        own = part.outcomes.part(start, start + BLOCK)
        assert any(same(own, whole.outcomes.part(other, other + BLOCK)) for other in blocks)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as another:
        again = forecast(another)
    assert same(again.outcomes, whole.outcomes)
    pd.testing.assert_frame_equal(again.summary.ends, whole.summary.ends)


def test_a_study_goes_on_where_it_was(pool: ProcessPoolExecutor, tmp_path: Path) -> None:
    study = iom.Study.grid(RACE, openness_fluid=[0.2, 0.4, 0.6, 0.8], decay=[0.2, 0.5, 0.8])

    def played(folder: Path | None = None, executor: Any = None) -> pd.DataFrame:  # so many that a cell is a task
        return study.run(runs=9000, seed=3, executor=executor, folder=folder, progress=False)

    with pytest.raises(iom.BlockError, match=rf"^\d+ of 12 scenarios could not be played; the first, .*{ENDED}$") as e:
        played(tmp_path, Kills(pool, 4))
    whole, part = played(), e.value.partial
    assert 0 < len(part) < 12
    pd.testing.assert_frame_equal(part, whole.loc[part.index])
    assert len(list(tmp_path.iterdir())) == len(part)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as another:
        pd.testing.assert_frame_equal(played(tmp_path, another), whole)
    assert before.items() <= {path.name: path.read_bytes() for path in tmp_path.iterdir()}.items()
    assert len(list(tmp_path.iterdir())) == 12


OTHERS: dict[str, Callable[[Any], object]] = {
    "compare": lambda pool: iom.compare(
        RACE, RACE.with_parameters({"behaviour.decay": 0.3}), runs=RUNS, seed=9, executor=pool, progress=False
    ),
    "grid": lambda pool: iom.grid(RACE, runs=9000, seed=3, executor=pool, progress=False, decay=[0.2, 0.4, 0.6, 0.8]),
    "tornado": lambda pool: iom.tornado(RACE, "A", runs=5000, seed=3, executor=pool, progress=False),
    "sobol": lambda pool: iom.sobol(RACE, "A", runs=1000, seed=3, executor=pool, progress=False),
    "pivotal": lambda pool: iom.pivotal(RACE, "A", runs=RUNS, seed=3, executor=pool, progress=False),
    "backtest": lambda pool: iom.backtest(particles=100, seed=3, executor=pool, progress=False),
}


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("name", OTHERS)
def test_whatever_plays_elections_says_so(name: str, pool: ProcessPoolExecutor) -> None:
    with pytest.raises(iom.BlockError, match=rf"executor broke.*: {ENDED}$"):
        OTHERS[name](Kills(pool, 2))


@pytest.mark.skip(reason="to close the pool waits for ever at times: the killed worker had the lock of its queue")
@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("work", [forecast, OTHERS["backtest"]])
def test_a_multiprocessing_pool_is_not_waited_for_forever(work: Callable[[Any], object]) -> None:
    class Doomed:
        """Has a worker killed as soon as it has work."""

        def __init__(self, pool: Any) -> None:
            self._pool, self._maxtasksperchild, self.pool = pool._pool, None, pool

        def map_async(self, *given: Any) -> Any:
            doing = self.pool.map_async(*given)
            os.kill(self._pool[0].pid, signal.SIGKILL)
            return doing

        map = None

    with get_context("spawn").Pool(2) as pool, pytest.raises(iom.BlockError, match=f"executor broke.*: {ENDED}$"):
        work(Doomed(pool))


# -- Dask ------------------------------------------------------------------------------------------------


def suicidal(plan: Any, parameters: Any, seed: int, first: int, size: int) -> Any:
    """Kill the worker over one piece of work, wherever it is tried."""
    if first == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return simulate.play_span(plan, parameters, seed, first, size)


@pytest.fixture
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with (
        distributed.LocalCluster(**options, silence_logs="CRITICAL") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.filterwarnings("ignore")  # a cluster that loses workers on purpose has a lot to say
@pytest.mark.usefixtures("short_spans")
def test_dask_workers_that_die_over_the_same_work(client: Any) -> None:
    parts = simulate.iter_spans(RACE.plan, {}, 6 * BLOCK, 9, client.get_executor(), work=suicidal)
    done = [next(parts) for _ in range(3)]
    with pytest.raises(iom.BlockError, match=r"^the executor broke: its workers died, one after the other"):
        done += list(parts)
    assert all(part.size == BLOCK for part in done)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("short_spans")
def test_a_dask_cluster_that_goes_away(client: Any) -> None:
    class Closes(Kills):
        def count(self) -> None:
            self.after -= 1
            if self.after == 0:
                Thread(target=client.close).start()

    with pytest.raises(iom.BlockError, match=r"^the executor broke after \d+ of"):
        forecast(Closes(client.get_executor(), 5))


# -- the command line --------------------------------------------------------------------------------------


def children(number: int) -> list[int]:
    """Return the processes that a process has begun and that do its work."""
    told = subprocess.run(
        ["ps", "-ww", "-o", "pid=", "-o", "args=", "--ppid", str(number)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in told.stdout.splitlines() if "spawn_main" in line]


@pytest.mark.parametrize("words", [("forecast", "minimal", "--runs", "3000000"), ("tornado", "--runs", "200000")])
def test_a_command_says_so_and_leaves_nobody_behind(words: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "iomsim", *words, "--jobs", "2"]
    options: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment()}
    with subprocess.Popen(command, cwd=tmp_path, **options) as doing:
        while not (workers := children(doing.pid)) and doing.poll() is None:
            time.sleep(0.02)
        time.sleep(1)
        os.kill(workers[0], signal.SIGKILL)
        try:
            out, err = doing.communicate(timeout=120)
        finally:
            doing.kill()
    assert doing.returncode == 2, err
    lines = [line for line in err.replace("\r", "\n").splitlines() if line.strip() and "it/s" not in line]
    assert len(lines) == 1, err
    assert lines[0].startswith("iomsim: the executor broke")
    assert not out
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_a_worker_that_is_killed_in_the_middle_of_a_result_breaks_the_pool() -> None:
    """Else who reads the result would wait for the rest of it for ever, and the other worker for its turn to write."""
    others = set(active_children())
    with Workers(2) as pool:
        futures = [pool.submit(os.getpid), pool.submit(dies_in_the_middle_of_a_result), pool.submit(os.getpid)]
        with pytest.raises(BrokenExecutor, match="terminated abruptly"):
            futures[1].result(60)
        workers = set(active_children()) - others
    assert not any(worker.is_alive() for worker in workers)


def test_a_worker_that_waits_ends_soon_when_it_is_told_to() -> None:
    """It may wait for ever: where another was killed that had the queue of calls for itself."""
    with Workers(1) as pool:
        number = pool.submit(os.getpid).result()
        os.kill(number, signal.SIGTERM)
        [worker] = [process for process in active_children() if process.pid == number]
        worker.join(60)
        assert worker.exitcode == -signal.SIGALRM
