"""Scenarios as changes of a base: played and counted wherever a task goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from iomsim._version import VERSION
from iomsim.engine import simulate
from iomsim.engine.executors import as_done
from iomsim.engine.outcomes import Outcomes
from iomsim.engine.plan import Plan
from iomsim.engine.rng import BLOCK
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import COLUMNS, spills
from iomsim.typing import Longs

Changes = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Cell:
    """One scenario of a study, as changes of a base."""

    base: Scenario
    changes: Changes = ()

    def scenario(self) -> Scenario:
        """Return the scenario."""
        return self.base.with_parameters(dict(self.changes)) if self.changes else self.base


class Counts(NamedTuple):
    """What a study keeps of the runs of a cell.

    Runs by winner, shape ``(K + 1,)``, those without one last; how many spill over into the next day; and how
    many held 1, 2, ... rounds, shape ``(R,)``.
    """

    winners: Longs
    late: int
    rounds: Longs

    def plus(self, other: Counts) -> Counts:
        """Return the counts of both."""
        return Counts(self.winners + other.winners, self.late + other.late, self.rounds + other.rounds)


def played(
    cells: Sequence[tuple[int, Cell]], runs: int, seed: int, executor: Any, advance: Callable[[int], Any]
) -> Iterator[tuple[int, Counts | str]]:
    """Yield the number of every cell with its counts, or why there are none, as soon as its last task is done."""
    sizes = simulate.chunk_sizes(runs, COLUMNS)
    tasks = [(group, first, size) for group in _groups(cells, sizes[0]) for first, size in enumerate(sizes)]
    parts: dict[int, list[Counts | str]] = {}
    for task, found, error in as_done(executor, count_cells, _calls(tasks, seed, executor)):
        group, _, size = tasks[task]
        for n, (i, _) in enumerate(group):
            advance(size)
            parts.setdefault(i, []).append(f"{type(error).__name__}: {error}" if error else found[n])
            if len(parts[i]) == len(sizes):
                yield i, _added(parts.pop(i))


def _calls(tasks: Sequence[Any], seed: int, executor: Any) -> Iterator[tuple[Any, ...]]:
    """Yield what travels: the base's plan as it was sent before, and the changes of every cell of a task."""
    base, sent = None, None
    for group, first, size in tasks:
        if group[0][1].base is not base:
            base = group[0][1].base
            sent = simulate.serialised(base.plan, executor)
        yield sent, tuple(cell.changes for _, cell in group), seed, first * COLUMNS // BLOCK, size


def _added(parts: list[Counts | str]) -> Counts | str:
    whole = parts[0]
    for part in parts[1:]:
        if isinstance(whole, str) or isinstance(part, str):
            return whole if isinstance(whole, str) else part
        whole = whole.plus(part)
    return whole


def _groups(cells: Sequence[tuple[int, Cell]], size: int) -> list[Sequence[tuple[int, Cell]]]:
    """Put neighbouring variations of one base together, as many as fill a task."""
    groups: list[list[tuple[int, Cell]]] = []
    most = max(1, COLUMNS // size)
    for number, cell in cells:
        last = groups[-1] if groups else []
        if last and cell.changes and last[0][1].base is cell.base and len(last) < most:
            last.append((number, cell))
        else:
            groups.append([(number, cell)])
    return list(groups)


def count_cells(
    sent: Plan | bytes, changes: Sequence[Changes], seed: int, first: int, size: int
) -> list[Counts | str]:
    """Play the same runs of several variations of a plan and count them: the unit of work that travels.

    One that cannot be played is answered by the reason, and the others are played all the same.
    """
    try:
        plan = simulate.deserialised(sent)
        points = {path: np.array([dict(change)[path] for change in changes])[:, None] for path, _ in changes[0]}
        out = simulate.play_span(plan, points, seed, first, size)
        return [counted(plan, out.part(i * size, (i + 1) * size)) for i in range(len(changes))]
    except Exception as error:
        if len(changes) == 1:
            return [f"{type(error).__name__}: {error}"]
        return [part for change in changes for part in count_cells(sent, [change], seed, first, size)]


def counted(plan: Plan, out: Outcomes) -> Counts:
    """Count what a study keeps."""
    nobody = plan.candidates
    return Counts(
        winners=np.bincount(np.where(out.winner < 0, nobody, out.winner), minlength=nobody + 1),
        late=int(spills(plan, out).sum()),
        rounds=np.bincount(out.rounds - 1, minlength=plan.rules.max_rounds),
    )


def keys(cells: Sequence[Cell], runs: int, seed: int) -> list[str]:
    """Return a key for every cell that changes with everything its counts depend on."""
    bases = {id(cell.base): cell.base for cell in cells}
    hashes = {number: base.hash for number, base in bases.items()}
    what = ([hashes[id(cell.base)], cell.changes, runs, seed, VERSION] for cell in cells)
    return [sha256(json.dumps(each).encode()).hexdigest()[:32] for each in what]
