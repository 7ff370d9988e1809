"""Other ways to play the same elections, and the check that they do play the same ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import batch
import loop
import numpy as np
from scipy import stats

import iomsim as iom
from iomsim.engine.simulate import simulate

Table = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Who won (-1 for nobody), in which round, at what minute (-1 if never)."""

ALPHA = 1e-4


@dataclass(frozen=True)
class Yardstick:
    """One way to play: its name, how to play with it, and how many runs take a second or so."""

    name: str
    play: Callable[[int, int], Table]
    runs: int
    aim: float | None = None
    """How many times faster the engine is to be."""


def python(race: iom.Scenario) -> Callable[[int, int], Table]:
    """Return the plain loop as Python runs it."""
    world = loop.world_of(race.plan)

    def play(runs: int, seed: int) -> Table:
        columns: list[list[int]] = [[0] * runs for _ in range(3)]
        loop.simulate(world, runs, seed, *columns)
        return tuple(np.array(column) for column in columns)  # type: ignore[return-value]

    return play


def numpy(race: iom.Scenario) -> Callable[[int, int], Table]:
    """Return the plain batch."""
    world = loop.world_of(race.plan)
    return lambda runs, seed: batch.simulate(world, runs, seed)


def numba(race: iom.Scenario) -> Callable[[int, int], Table]:
    """Return the plain loop compiled; compiled once, before it is timed.

    Raises
    ------
    ImportError
        If numba is not there.
    """
    from numba import njit

    world = loop.world_of(race.plan)
    arrays = world._replace(
        **{
            name: np.array(value) if name not in ("openness", "momentum", "formalities", "minutes") else value
            for name, value in world._asdict().items()
            if isinstance(value, tuple)
        }
    )
    compiled = njit(loop.simulate)

    def play(runs: int, seed: int) -> Table:
        columns = tuple(np.zeros(runs, dtype=np.int64) for _ in range(3))
        compiled(arrays, runs, seed, *columns)
        return columns

    play(2, 1)
    return play


def engine(race: iom.Scenario) -> Callable[[int, int], Table]:
    """Return the engine itself."""

    def play(runs: int, seed: int) -> Table:
        out = simulate(race.plan, {}, runs, seed)
        return out.winner, out.rounds, out.minute

    return play


def known(race: iom.Scenario) -> list[Yardstick]:
    """Return the yardsticks that can be made here."""
    there = [Yardstick("pure Python", python(race), 400, 400), Yardstick("plain NumPy", numpy(race), 10_000, 15)]
    try:
        return [*there, Yardstick("numba", numba(race), 10_000, 5)]
    except ImportError:
        return there


def agreement(ours: Table, theirs: Table, day: int = 1440) -> float:
    """Return the p-value of the test that two samples have one joint law of winner, round and day.

    Pearson's, on the cells (winner, rounds up to 12 or more, over on the first day or not); cells
    with fewer than twenty runs in all are put together.
    """
    code = [(w.astype(int) + 1) * 1000 + np.minimum(r, 12) * 10 + ((m < 0) | (m >= day)) for w, r, m in (ours, theirs)]
    cells = np.unique(np.concatenate(code))
    table = np.array([(c[:, None] == cells).sum(axis=0) for c in code])
    few = table.sum(axis=0) < 20
    table = np.column_stack([table[:, ~few], table[:, few].sum(axis=1)])
    return float(stats.chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue)


@cache
def reference(race: iom.Scenario, runs: int = 60_000) -> Table:
    """Return what the engine says, to compare with."""
    return engine(race)(runs, 1)


def check(race: iom.Scenario, yardstick: Yardstick, runs: int, seed: int = 7) -> float:
    """Return the p-value of agreement; refuse a yardstick that plays other elections.

    Raises
    ------
    AssertionError
        If the p-value is below `ALPHA`.
    """
    p = agreement(reference(race), yardstick.play(runs, seed))
    if p < ALPHA:
        raise AssertionError(f"{yardstick.name} plays other elections than the engine (p = {p:.1g}); not timed")
    return p


def chances(table: Table) -> dict[str, Any]:
    """Return a few numbers to look at."""
    winner, rounds, minute = table
    late = (minute < 0) | (minute >= 1440)
    return {"first wins": np.mean(winner == 0), "rounds": np.mean(rounds), "spill": np.mean(late)}
