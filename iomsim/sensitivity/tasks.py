"""Scenarios as changes of a base: made, played and counted wherever a task goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from iomsim._version import VERSION
from iomsim.engine import spans
from iomsim.engine.executors import as_done
from iomsim.engine.rng import BLOCK
from iomsim.engine.spans import BEFORE_ROUNDS, Outcomes
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import COLUMNS, spills
from iomsim.typing import Longs

MANY = 512
"""Tasks that keep any cluster busy; from there on they may as well be larger."""

EARLY = {f"behaviour.{name}" for name in BEFORE_ROUNDS}
"""Parameters that have done their work before the first round."""


Changes = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Cell:
    """One scenario of a study, as changes of a base: it is built where it is played."""

    base: Scenario
    changes: Changes = ()

    def scenario(self) -> Scenario:
        """Return the scenario."""
        return self.base.with_parameters(dict(self.changes)) if self.changes else self.base


class Counts(NamedTuple):
    """What a study keeps of the runs of a cell.

    The scenario's hash; runs by winner, shape ``(K + 1,)``, those without one last; how many spill
    over into the next day; and how many held 1, 2, ... rounds, shape ``(R,)``.
    """

    hash: str
    winners: Longs
    late: int
    rounds: Longs

    def plus(self, other: Counts) -> Counts:
        """Return the counts of both."""
        added = (self.winners + other.winners, self.late + other.late, self.rounds + other.rounds)
        return Counts(self.hash, *added)


def played(
    cells: Sequence[tuple[int, Cell]], runs: int, seed: int, executor: Any, advance: Callable[[int], Any]
) -> Iterator[tuple[int, Counts | str]]:
    """Yield the number of every cell with its counts, or why there are none, as soon as its last task is done."""
    sizes = spans.portions(runs, COLUMNS)
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
    """Yield what travels: the base as it was sent before, and the changes of every cell of a task."""
    base, sent = None, None
    for group, first, size in tasks:
        if group[0][1].base is not base:
            base = group[0][1].base
            sent = spans.packed(base, executor)
        yield sent, tuple(cell.changes for _, cell in group), seed, first * COLUMNS // BLOCK, size


def _added(parts: list[Counts | str]) -> Counts | str:
    whole = parts[0]
    for part in parts[1:]:
        if isinstance(whole, str) or isinstance(part, str):
            return whole if isinstance(whole, str) else part
        whole = whole.plus(part)
    return whole


def _groups(cells: Sequence[tuple[int, Cell]], size: int) -> list[Sequence[tuple[int, Cell]]]:
    """Put neighbouring variations together, as many as fill a task, if they can share their rounds.

    If they cannot, being together only spares the scheduler, and that only where cells are very many.
    """
    groups: list[list[tuple[int, Cell]]] = []
    most = max(1, COLUMNS // size)
    apart = min(most, max(1, len(cells) // MANY))
    for number, cell in cells:
        last = groups[-1] if groups else []
        if last and cell.changes and len(last) < (most if _shares_rounds(cell) else apart):
            last.append((number, cell))
        else:
            groups.append([(number, cell)])
    return list(groups)


def _shares_rounds(cell: Cell) -> bool:
    """Return whether a cell differs from its base only in what has done its work before the first round."""
    return all(path in EARLY or path.startswith(("sponsors.", "candidates.", "ties.")) for path, _ in cell.changes)


def count_cells(
    sent: Scenario | bytes, changes: Sequence[Changes], seed: int, first: int, size: int
) -> list[Counts | str]:
    """Play the same runs of several variations of a scenario and count them: the unit of work that travels.

    One that cannot be played is answered by the reason, and the others are played all the same.
    """
    try:
        base = spans.unpacked(sent)
        races = [Cell(base, change).scenario() for change in changes]
        return list(map(counted, races, spans.play_cells(races, seed, first, size)))
    except Exception as error:
        if len(changes) == 1:
            return [f"{type(error).__name__}: {error}"]
        return [part for change in changes for part in count_cells(sent, [change], seed, first, size)]


def counted(race: Scenario, out: Outcomes) -> Counts:
    """Count what a study keeps."""
    nobody = len(race.names)
    return Counts(
        hash=race.hash,
        winners=np.bincount(np.where(out.winner < 0, nobody, out.winner), minlength=nobody + 1),
        late=int(spills(race, out).sum()),
        rounds=np.bincount(out.rounds - 1, minlength=race.rules.rules.max_rounds),
    )


def keys(cells: Sequence[Cell], runs: int, seed: int) -> list[str]:
    """Return a key for every cell that changes with everything its counts depend on."""
    bases = {id(cell.base): cell.base for cell in cells}
    hashes = {number: base.hash for number, base in bases.items()}
    what = ([hashes[id(cell.base)], cell.changes, runs, seed, VERSION] for cell in cells)
    return [sha256(json.dumps(each).encode()).hexdigest()[:32] for each in what]
