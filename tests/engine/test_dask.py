"""On a Dask cluster of two processes the numbers are the same, also when one of them is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pandas as pd
import pytest
from toys import same, toy

import iomsim as iom
from iomsim.engine import simulate
from iomsim.engine.outcomes import join
from iomsim.engine.rng import BLOCK
from iomsim.engine.simulate import play_span
from iomsim.forecasting import run

pytestmark = [
    pytest.mark.dask,
    pytest.mark.filterwarnings("ignore"),  # a cluster that loses a worker on purpose has a lot to say
]

RACE = toy(25, "ABC", behaviour={"absent": 0.1}, rules={"name": "until-two-thirds", "eliminate_after": 1})


@pytest.fixture
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs="CRITICAL"
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: Any) -> Iterator[Any]:
    from distributed import Client

    with Client(cluster) as client:
        yield client


@pytest.fixture
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "SPAN", 1)


def forecast(runs: int, executor: Any = None, keep: str = "runs") -> iom.Forecast:
    return iom.forecast(RACE, runs=runs, seed=9, progress=False, executor=executor, keep=keep)


def process_numbers(client: Any) -> list[int]:
    return sorted(client.run(os.getpid).values())


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("keep", ["runs", "summary"])
def test_the_numbers_are_the_same(keep: str, client: Any) -> None:
    assert len(process_numbers(client)) == 2
    here, there = (forecast(12 * BLOCK + 5, executor, keep) for executor in (None, client.get_executor()))
    pd.testing.assert_frame_equal(here.summary.ends, there.summary.ends)
    assert same(here.summary.examples, there.summary.examples)
    assert keep == "summary" or same(here.outcomes, there.outcomes)


def test_addresses_are_told_apart_and_equal_calls_give_equal_numbers(client: Any) -> None:
    """Dask takes equal calls for one; the block's address makes them differ."""
    pool = client.get_executor()
    parts = [pool.submit(play_span, RACE.plan, {}, seed, block, 50) for seed in (1, 2) for block in (0, 1, 1)]
    found = [part.result() for part in parts]
    assert same(found[1], found[2])
    assert same(found[4], found[5])
    pairs = [(0, 1), (0, 3), (1, 4), (3, 4)]
    assert not any(same(found[i], found[j]) for i, j in pairs)
    assert all(
        same(found[3 * (seed - 1) + block], play_span(RACE.plan, {}, seed, block, 50))
        for seed in (1, 2)
        for block in (0, 1)
    )


class Kills:
    """An executor that kills one of the workers when so many results have been fetched."""

    def __init__(self, client: Any, after: int) -> None:
        self.client, self.pool, self.after = client, client.get_executor(), after
        self.before = process_numbers(client)
        self.killed = 0

    def submit(self, function: Any, *call: Any) -> Future[Any]:
        future: Future[Any] = self.pool.submit(function, *call)
        future.add_done_callback(lambda _: self.count())
        return future

    def count(self) -> None:
        self.after -= 1
        if self.after == 0:
            self.killed = self.before[0]
            os.kill(self.killed, signal.SIGKILL)


@pytest.mark.usefixtures("short_spans")
def test_a_worker_killed_in_the_middle_costs_nothing(client: Any) -> None:
    runs = 60 * BLOCK + 17
    pool = Kills(client, after=15)
    there = forecast(runs, pool)
    assert pool.killed
    assert pool.killed not in process_numbers(client)
    here = forecast(runs)
    assert len(there) == runs
    assert same(here.outcomes, there.outcomes)
    pd.testing.assert_frame_equal(here.summary.ends, there.summary.ends)


def test_a_study_on_the_cluster_is_the_same_although_a_worker_is_killed(client: Any, tmp_path: Any) -> None:
    study = iom.Study.grid(RACE, openness_fluid=[0.2, 0.4, 0.6, 0.8], decay=[0.2, 0.5, 0.8])
    here = study.run(runs=9000, seed=3, progress=False)  # so many that every cell is a task
    pool = Kills(client, after=4)
    there = study.run(runs=9000, seed=3, executor=pool, folder=tmp_path, progress=False)
    assert pool.killed
    pd.testing.assert_frame_equal(there, here)
    assert len(list(tmp_path.glob("*"))) == 12


def breaks(plan: Any, parameters: Any, seed: int, first: int, size: int) -> Any:
    """Fail on a worker."""
    if first == 3:
        raise ValueError("as agreed")
    return play_span(plan, parameters, seed, first, size)


@pytest.mark.usefixtures("short_spans")
def test_a_failure_on_a_worker_names_its_block(client: Any) -> None:
    parts = simulate.iter_spans(RACE.plan, {}, 6 * BLOCK, 9, client.get_executor(), work=breaks)
    done = [next(parts) for _ in range(3)]
    with pytest.raises(iom.BlockError, match="from block 3 failed: ValueError: as agreed"):
        done += list(parts)
    assert same(join(done[:3]), join(simulate.iter_spans(RACE.plan, {}, 3 * BLOCK, 9)))
