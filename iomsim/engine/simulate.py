"""`simulate`: an election many times, with any parameter a number or an array.

This is the one way in which elections are played.  A forecast is one call with numbers; a tornado, a grid and
a Sobol design are calls with arrays, one entry a point; the live update plays on with the same kernel.

Runs are cut into blocks of 1024, whose random numbers are addressed by the seed and the block; up to 16 blocks
are played together, for what a round costs apart from its members is then shared.  What is played together, and
where, changes no number.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from iomsim.engine import paths, rng
from iomsim.engine.clock import Timetable
from iomsim.engine.executors import in_order
from iomsim.engine.kernel import Watch, play, reconsider
from iomsim.engine.outcomes import Endings, Outcomes, endings, join, outcomes
from iomsim.engine.plan import Plan, draw, member_odds
from iomsim.engine.rng import BLOCK
from iomsim.engine.state import ActiveRuns, Entry, KernelOutput, before_round_one, numbered, pack_runs
from iomsim.engine.swings import go_over
from iomsim.errors import BlockError, IomsimError, whole_number
from iomsim.typing import Floats, Ints, PerRun, Places, Shorts

SPAN = 16
"""Blocks that are played together."""

LONG, MANY = 4, 5
"""With more than so `MANY` spans to play here, `LONG` ones are made: so many times as long."""

MOST_NUMBERS = 1024
"""Numbers of a run beyond which no long spans are made: they would take more than half a gigabyte."""

WAVE = 16
"""Blocks of 175 members that hold their first rounds side by side, and stay in the cache."""

EARLY = {
    paths.behaviour(field)
    for field in ("secrecy", "common_sd", "region_sd", "conviction", "absent", "cross_pressure_absence", "fluid")
}
"""Behaviour that has done its work before the first round, as have appeals, sponsors and ties."""

Parameters = Mapping[str, ArrayLike]
"""Values by path: numbers, or arrays that broadcast to ``(points, runs)``."""


def simulate(plan: Plan, parameters: Parameters, runs: int, seed: int, executor: Any = None) -> Outcomes:
    """Simulate an election many times.

    Parameters
    ----------
    plan : Plan
        The election.
    parameters : mapping of float or array_like, by the parameter's path
        What differs from the plan's values.  A number is the same in all runs; of an array of shape ``(n,)`` run
        `i` takes entry ``i mod n``, so that one of ``(runs,)`` has one entry a run; one of shape ``(points, n)``
        plays the runs once for every point of a design, all on the same random numbers.  Whoever calls has checked
        that the values make sense.
    runs, seed : int
        How many runs (of each point), and the seed that addresses their random numbers.
    executor : object with ``map`` or ``submit``, optional
        Where to play; None plays here.  The numbers do not depend on it.

    Returns
    -------
    Outcomes
        Of all runs; with several points, one point after the other.

    Raises
    ------
    UnknownNameError
        If the plan has no such parameter.
    IomsimError
        If an array has another shape.
    BlockError
        If a worker fails.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").plan
    >>> simulate(plan, {"behaviour.secrecy": 0.5}, runs=10, seed=1).size
    10
    >>> simulate(plan, {"behaviour.secrecy": [[0.0], [1.0]]}, runs=10, seed=1).size
    20
    """
    return join(iter_spans(plan, parameters, runs, seed, executor))


def play_span(plan: Plan, parameters: Parameters, seed: int, first: int, size: int) -> Outcomes:
    """Play `size` runs of every point from block `first` on: the unit of work that travels to executors.

    Of the columns of a parameter, run `i` of those here takes number `i` modulo their number.
    """
    played, timetable, present = _played(plan, parameters, seed, first, size, recorded=True)
    return outcomes(played, plan.candidates, plan.calendar.seat.shown(timetable.now), present)


def play_endings(
    plan: Plan, parameters: Parameters, seed: int, first: int, size: int, watch: Watch | None = None
) -> Endings:
    """Play as :func:`play_span` does, and return only how the runs end: the rounds are not recorded.

    `watch` is shown the runs of each wave after every round; see :func:`iomsim.engine.kernel.play`.
    """
    played, timetable, present = _played(plan, parameters, seed, first, size, recorded=False, watch=watch)
    return endings(played, plan.calendar.seat.shown(timetable.now), present)


def _played(
    plan: Plan, parameters: Parameters, seed: int, first: int, size: int, recorded: bool, watch: Watch | None = None
) -> tuple[KernelOutput, Timetable, Shorts]:
    values = {path: np.asarray(value, dtype=float) for path, value in parameters.items()}
    given = {path: np.atleast_2d(value) for path, value in values.items() if value.ndim}
    points = max((len(table) for table in given.values()), default=1)
    tables = {path: np.broadcast_to(table, (points, table.shape[1])) for path, table in given.items()}
    sizes = chunk_sizes(size, BLOCK)
    base = plan.at({path: float(value) for path, value in values.items() if not value.ndim})
    late, width = _of_one_width({path: table for path, table in tables.items() if not is_early(path)}, size)
    whole = base.at({path: _by_column(np.broadcast_to(table, (points, width))) for path, table in late.items()})
    column = (np.arange(points)[:, None] * width + np.arange(size) % width).reshape(-1)
    keys = np.concatenate([rng.run_keys(seed, first + i, n) for i, n in enumerate(sizes)] * points)
    base.calendar.check(whole.pace)
    timetable = Timetable(plan.calendar, whole.pace, keys, column=column)
    present = np.empty(keys.size, dtype=np.int16)
    early, width = _of_one_width({path: table for path, table in tables.items() if is_early(path)}, size)
    _ = base.coins, base.tie_table, base.spread  # computed once for all points that do not change them
    rows = [
        {path: table[point] if table.shape[1] > 1 else float(table[point, 0]) for path, table in early.items()}
        for point in range(points)
    ]
    plans = [base.at(row) for row in rows]
    if 1 < width <= BLOCK:
        plans = [plan.compiled() for plan in plans]

    def entries() -> Iterator[Entry]:
        """Yield the points of one block after the other: they share what the block draws."""
        for i, n in enumerate(sizes):
            columns = (i * BLOCK + np.arange(n)) % width
            before: Entry | None = None
            for point, same in enumerate(plans):
                run = point * size + i * BLOCK
                if before is not None and width == 1 and rows[point] == rows[point - 1]:
                    entry = numbered(before, run, column[run : run + n])
                else:
                    entry = enter(same.of(columns), seed, first + i, n, run, column[run : run + n])
                before = entry
                present[run : run + n] = entry.runs.present
                yield entry

    def waves() -> Iterator[ActiveRuns]:
        waiting, together = entries(), blocks_side_by_side(plan)
        widths = [n for n in sizes for _ in plans]
        for at in range(0, len(widths), together):
            wave = widths[at : at + together]
            yield pack_runs(whole, islice(waiting, len(wave)), sum(wave))

    played = play(whole, waves(), keys.size, timetable, recorded=recorded, watch=watch)
    return played, timetable, present


def gone_over(plan: Plan, runs: int = BLOCK, seed: int = 0) -> Ints:
    """Return how many members go over in each swing of some runs, at most a block, shape ``(swings, runs)``.

    No round is counted: it takes a hundredth of a second.

    Examples
    --------
    >>> import iomsim as iom
    >>> gone_over(iom.load("minimal").swing(5, "all", to="A").plan, runs=3).tolist()
    [[5, 5, 5]]
    """
    wave = pack_runs(plan, [enter(plan, seed, 0, runs)], runs)
    reconsider(plan, wave, 1, np.zeros(runs, dtype=bool))
    gone = go_over(plan, wave)
    wave.keep(np.arange(0))
    return gone


def enter(plan: Plan, seed: int, block: int, size: int, first: int = 0, column: Places | None = None) -> Entry:
    """Return the first runs of a block before their first round, numbered from `first` on."""
    draws = draw(plan, seed, block, size)
    return before_round_one(plan, draws, member_odds(plan, draws), first, column)


def is_early(path: str) -> bool:
    """Return whether a parameter has done its work before the first round."""
    return path in EARLY if paths.head(path) == paths.BEHAVIOUR else paths.head(path) != paths.CLOCK


def _of_one_width(tables: dict[str, Floats], size: int) -> tuple[dict[str, Floats], int]:
    """Return tables that have as many columns as one another, or one, and how many: those of most, or all runs."""
    widths = {table.shape[1] for table in tables.values()} - {1}
    if len(widths) < 2:
        return tables, max(widths, default=1)
    return {path: table[:, np.arange(size) % table.shape[1]] for path, table in tables.items()}, size


def _by_column(table: Floats) -> PerRun:
    """Return one entry a column, point by point; a number if all are equal."""
    return float(table[0, 0]) if table.min() == table.max() else table.reshape(-1)


def blocks_side_by_side(plan: Plan) -> int:
    """Return how many blocks hold their first rounds side by side."""
    return max(1, WAVE * 175 // numbers(plan))


def numbers(plan: Plan) -> int:
    """Return how many numbers a run holds for its members."""
    return len(plan.members) * (1 if plan.candidates == 2 else plan.candidates)


def chunk_sizes(total: int, size: int) -> list[int]:
    """Cut a total into chunks of a size, the last one with what is left.

    Examples
    --------
    >>> chunk_sizes(2500, 1024)
    [1024, 1024, 452]
    """
    return [min(size, total - start) for start in range(0, total, size)]


# -- over spans ----------------------------------------------------------------------------------


def iter_spans(
    plan: Plan,
    parameters: Parameters,
    runs: int,
    seed: int,
    executor: Any = None,
    work: Callable[..., Any] = play_span,
    start: int = 0,
    blocks: int | None = None,
) -> Generator[Any, None, None]:
    """Yield what `work` makes of every span of blocks, in order: point by point, as many as fit into a span.

    If one fails, what is done already of those after it comes before its error.

    Parameters
    ----------
    plan, parameters, runs, seed, executor
        As in :func:`simulate`.
    work : callable
        What a worker does with ``(plan, parameters, seed, first block, size)``.
    start : int
        Runs already played, a whole number of spans.
    blocks : int, optional
        Blocks of a span; default: short ones, or long ones if there are many.
    """
    calls = span_calls(plan, parameters, runs, seed, executor, work, start, blocks)
    yield from in_order(executor, run_span, calls, rescue=True)


def span_calls(
    plan: Plan,
    parameters: Parameters,
    runs: int,
    seed: int,
    executor: Any = None,
    work: Callable[..., Any] = play_span,
    start: int = 0,
    blocks: int | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Return the arguments of :func:`run_span` for every span, made as they are asked for; see :func:`iter_spans`."""
    tables, points = checked(parameters, whole_number("runs", runs, 1))
    plan.at(tables)  # refuses unknown paths
    width = BLOCK * (blocks or span_blocks(runs - start, executor, numbers(plan)))
    together = max(1, width // runs)
    sent = serialised(plan, executor)

    def calls() -> Iterator[tuple[Any, ...]]:
        for point in range(0, points, together):
            for first in range(start, runs, width):
                size = min(width, runs - first)
                here = slice(point, point + together), slice(first, first + size)
                own = {path: _cut(table, *here) for path, table in tables.items()}
                yield work, sent, own, seed, first // BLOCK, size

    return calls()


def checked(parameters: Parameters, runs: int) -> tuple[dict[str, Floats], int]:
    """Return parameters as arrays ``()`` or ``(1 or points, columns)``, and the number of points.

    Raises
    ------
    IomsimError
        If an array has another shape.
    """
    tables = {path: np.asarray(value, dtype=float) for path, value in parameters.items()}
    points = max((len(table) for table in tables.values() if table.ndim == 2), default=1)
    for path, table in tables.items():
        shape = table.shape if table.ndim == 2 else (1, *table.shape)
        fits = len(shape) == 2 and shape[0] in (1, points) and shape[1] <= runs and table.size
        if table.ndim and not fits:
            rows = points if points > 1 else "points"
            raise IomsimError(
                f"{path} has shape {table.shape}; give a number, or an array of shape (n,) or ({rows}, n), with n at "
                f"most the {runs} runs"
            )
    return {path: table if table.ndim != 1 else table[None] for path, table in tables.items()}, points


def _cut(table: Floats, points: slice, runs: slice) -> PerRun:
    """Return a parameter's values at some points, its columns turned so that the first is that of the first run."""
    if not table.ndim:
        return float(table)
    columns = np.arange(runs.start, min(runs.stop, runs.start + table.shape[1])) % table.shape[1]
    return table[points if len(table) > 1 else slice(1)].take(columns, axis=1)


def serialised(plan: Plan, executor: Any) -> Plan | bytes:
    """Return what of a plan goes to an executor: its bytes, which every worker reads once."""
    return plan if executor is None else zlib.compress(pickle.dumps(plan))


def deserialised(sent: Plan | bytes) -> Plan:
    """Return the plan that was sent."""
    return _read(sent) if isinstance(sent, bytes) else sent


@lru_cache(maxsize=64)
def _read(sent: bytes) -> Plan:
    plan: Plan = pickle.loads(zlib.decompress(sent))
    return plan


def span_blocks(runs: int, executor: Any = None, numbers: int = 175) -> int:
    """Return how many blocks are played together: more of them the more there are.

    What few runs come to, in the late rounds, costs least together; but here somebody waits and may
    interrupt, elsewhere there must be work for every worker, and the `numbers` of a run take room.
    """
    enough = MANY if executor is None else 50 * MANY
    return SPAN * (LONG if runs > enough * SPAN * BLOCK and numbers <= MOST_NUMBERS else 1)


def run_span(
    work: Callable[..., Any], sent: Plan | bytes, parameters: Parameters, seed: int, first: int, size: int
) -> Any:
    """Do a worker's work; if it fails, say where."""
    try:
        return work(deserialised(sent), parameters, seed, first, size)
    except Exception as error:
        raise BlockError(
            f"the span of {size} runs from block {first} failed: {type(error).__name__}: {error}"
        ) from error
