"""Scenarios as changes of a base, on the best guesses: played and counted wherever a task goes, kept in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.engine import simulate
from iomsim.engine.executors import as_done
from iomsim.engine.outcomes import Endings
from iomsim.engine.plan import Plan
from iomsim.engine.rng import BLOCK
from iomsim.errors import FileError, ScenarioError, quote_path, writing
from iomsim.model.assumptions import completed
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import spills
from iomsim.typing import Longs

MAX_RUNS = simulate.SPAN * BLOCK
"""Runs of a task, all its cells together."""

BEST_GUESSES = "best guesses"
"""What a study plays, as its keys have it: rows of forecasts over draws of the assumptions would be others."""

Changes = tuple[tuple[str, float], ...]

Row = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One scenario of a study, as changes of a base."""

    base: Scenario
    changes: Changes = ()

    def scenario(self) -> Scenario:
        """Return the scenario."""
        return self.base.with_parameters(dict(self.changes)) if self.changes else self.base

    @property
    def hash(self) -> str:
        """The scenario's hash."""
        return self.base.hash_with(dict(self.changes))


Numbered = list[tuple[int, Cell]]
"""Cells with their numbers."""


class Counts(NamedTuple):
    """What a study keeps of the runs of a cell.

    Runs by winner, shape ``(K + 1,)``, those without one last; how many spill over into the next day; and how
    many held 1, 2, ... rounds, shape ``(R,)``.
    """

    winners: Longs
    late: int
    rounds: Longs


def played(
    cells: Sequence[tuple[int, Cell]], runs: int, seed: int, executor: Any, advance: Callable[[int], Any]
) -> Iterator[tuple[int, Counts | str]]:
    """Yield the number of every cell with its counts, or why there are none, as soon as its last task is done."""
    sizes = simulate.chunk_sizes(runs, MAX_RUNS)
    groups = []
    for group in _groups(cells, sizes[0]):
        possible, impossible = _completed(group)
        groups += [possible] * bool(possible)
        yield from impossible
    tasks = [(group, first, size) for group in groups for first, size in enumerate(sizes)]
    parts: dict[int, list[Counts | str]] = {}
    for task, found, error in as_done(executor, count_cells, _calls(tasks, seed, executor)):
        group, _, size = tasks[task]
        for n, (i, _) in enumerate(group):
            advance(size)
            parts.setdefault(i, []).append(f"{type(error).__name__}: {error}" if error else found[n])
            if len(parts[i]) == len(sizes):
                whole = parts.pop(i)
                failed = [part for part in whole if isinstance(part, str)]
                yield i, failed[0] if failed else _added(whole)  # type: ignore[arg-type]


def _completed(group: Numbered) -> tuple[Numbered, list[tuple[int, str]]]:
    """Return cells with the appeals that give their level, where it is moved; and why others have none."""
    base, changes = group[0][1].base, [dict(cell.changes) for _, cell in group]
    if not changes[0]:
        return group, []
    try:
        values = completed(base, {path: np.array([change[path] for change in changes]) for path in changes[0]})
    except ScenarioError as error:
        if len(group) == 1:
            return [], [(group[0][0], f"{type(error).__name__}: {error}")]
        parts = [_completed([one]) for one in group]
        return [cell for cells, _ in parts for cell in cells], [reason for _, reasons in parts for reason in reasons]
    rows = np.array(np.broadcast_arrays(*values.values())).T.tolist()
    return [(i, Cell(base, tuple(zip(values, row, strict=True)))) for (i, _), row in zip(group, rows, strict=True)], []


def _added(parts: Sequence[Counts]) -> Counts:
    winners, late, rounds = zip(*parts, strict=True)
    return Counts(np.sum(winners, axis=0), sum(late), np.sum(rounds, axis=0))


def _calls(tasks: Sequence[Any], seed: int, executor: Any) -> Iterator[tuple[Any, ...]]:
    """Yield what travels: the base's plan as it was sent before, and the changes of every cell of a task."""
    base, sent = None, None
    for group, first, size in tasks:
        if group[0][1].base is not base:
            base = group[0][1].base
            sent = simulate.serialised(base.plan, executor)
        yield sent, tuple(cell.changes for _, cell in group), seed, first * MAX_RUNS // BLOCK, size


def _groups(cells: Sequence[tuple[int, Cell]], size: int) -> list[Numbered]:
    """Put neighbouring variations of one base together, as many as fill a task."""
    groups: list[Numbered] = []
    for number, cell in cells:
        last = groups[-1] if groups else []
        if last and cell.changes and last[0][1].base is cell.base and len(last) < MAX_RUNS // size:
            last.append((number, cell))
        else:
            groups.append([(number, cell)])
    return groups


def count_cells(sent: Plan | bytes, changes: Sequence[Changes], seed: int, first: int, size: int) -> list[Counts | str]:
    """Play the same runs of several variations of a plan and count them: the unit of work that travels.

    One that cannot be played is answered by the reason, and the others are played all the same.
    """
    try:
        plan = simulate.deserialised(sent)
        points = {path: np.array([dict(change)[path] for change in changes])[:, None] for path, _ in changes[0]}
        out = simulate.play_endings(plan, points, seed, first, size)
        return [counted(plan, out.part(i * size, (i + 1) * size)) for i in range(len(changes))]
    except Exception as error:
        if len(changes) == 1:
            return [f"{type(error).__name__}: {error}"]
        return [part for change in changes for part in count_cells(sent, [change], seed, first, size)]


def counted(plan: Plan, out: Endings) -> Counts:
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
    what = ([hashes[id(cell.base)], cell.changes, BEST_GUESSES, runs, seed, VERSION] for cell in cells)
    return [sha256(json.dumps(each).encode()).hexdigest()[:32] for each in what]


# -- a folder of finished rows ------------------------------------------------------------------


@dataclass(frozen=True)
class Store:
    """A folder of rows of plain numbers and words, one small file each: Parquet where pyarrow is there, else npz.

    A file is written beside its place and then moved there, so that no half file stays, and several
    processes may use one folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     store.write("a", {"spill": 0.31})
    ...     store.read(["a", "b"])
    {'a': {'spill': 0.31}}
    """

    folder: Path

    def read(self, keys: Iterable[str]) -> dict[str, Row]:
        """Return the rows that are there.

        Raises
        ------
        FileError
            If a file is damaged.
        """
        there = {path.stem: path for path in self.folder.glob("*") if path.suffix in _READERS}
        return {key: _read(there[key]) for key in keys if key in there}

    def write(self, key: str, row: Row) -> None:
        """Keep a row.

        Raises
        ------
        FileError
            If the folder cannot be written.
        """
        suffix = ".parquet" if find_spec("pyarrow") else ".npz"
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
                part = Path(file.name)
            try:
                _WRITERS[suffix](part, row)
                part.replace(self.folder / f"{key}{suffix}")
            finally:
                part.unlink(missing_ok=True)


def _write_npz(path: Path, row: Row) -> None:
    with path.open("wb") as file:
        np.savez(file, row=np.frombuffer(json.dumps(row).encode(), dtype=np.uint8))


def _read_npz(path: Path) -> Row:
    with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as file:
        row: Row = json.loads(bytes(file["row"]))
    return row


def _write_parquet(path: Path, row: Row) -> None:
    pd.DataFrame([row]).to_parquet(path)


def _read_parquet(path: Path) -> Row:
    [row] = pd.read_parquet(path).to_dict("records")
    return {str(key): value for key, value in row.items()}


_WRITERS = {".npz": _write_npz, ".parquet": _write_parquet}
_READERS = {".npz": _read_npz, ".parquet": _read_parquet}


def _read(path: Path) -> Row:
    try:
        return _READERS[path.suffix](path)
    except Exception:
        raise FileError(f"the file {quote_path(path)} is damaged; delete it to have it made again") from None
