"""Scenarios as changes of a base, on the best guesses: played and counted wherever a task goes, kept in a folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.engine import simulate
from iomsim.engine.executors import as_done
from iomsim.engine.outcomes import Endings
from iomsim.engine.plan import Plan
from iomsim.engine.rng import BLOCK
from iomsim.errors import BlockError, FileError, ScenarioError, quote_path, reason, writing
from iomsim.files import clear_left, write_whole
from iomsim.house_style import thousands
from iomsim.memory import refuse_too_many
from iomsim.model.assumptions import completed
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import spills
from iomsim.typing import Longs

MAX_RUNS = simulate.SPAN * BLOCK
"""Runs of a task, all its cells together."""

BEST_GUESSES = "best guesses"
"""What a study plays, as its keys have it: rows of forecasts over draws of the assumptions would be others."""

FORMAT = 2
"""Of the files of a study; those of another format are not looked at."""

LARGEST = 4_000_000
"""Bytes of a cell's file, and of what is in it: the largest takes some thousand."""

LEFT = re.compile(r"\.[0-9a-f]{32}\.(npz|parquet)(\.\w+)?\.part")
"""What a cell's file is called while it is written."""

RECORD = "iomsim cell"
"""What holds a cell in its file: its key, its row and their checksum, as JSON."""

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


def refuse_too_many_cells(number: int, parameters: int) -> None:
    """Refuse more scenarios than fit into memory, each with a row of results, as measured."""
    refuse_too_many(number, "scenarios", 12_000.0 + 150.0 * parameters)


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
    refuse_too_many(len(cells), f"scenarios of {thousands(runs)} runs", 300.0 * runs / MAX_RUNS)
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
            parts.setdefault(i, []).append(_why(error) if error else found[n])
            if len(parts[i]) == len(sizes):
                whole = parts.pop(i)
                failed = [part for part in whole if isinstance(part, str)]
                yield i, failed[0] if failed else _added(whole)  # type: ignore[arg-type]


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, BlockError) else f"{type(error).__name__}: {error}"


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
    what = ([hashes[id(cell.base)], cell.changes, BEST_GUESSES, runs, seed, VERSION, FORMAT] for cell in cells)
    return [sha256(json.dumps(each).encode()).hexdigest()[:32] for each in what]


# -- a folder of finished rows ------------------------------------------------------------------


class NotOursError(Exception):
    """Why a file is not the cell that it is taken for."""


@dataclass(frozen=True)
class Store:
    """A folder of rows of plain numbers and words, one small file each: Parquet where pyarrow is there, else npz.

    Each file says which cell it holds and has a checksum.  It takes its place as a whole, so that no half file
    stays, and several processes may use one folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     store.write("a", {"spill": 0.31})
    ...     store.read(["a", "b"], lambda number, row: row)
    ({0: {'spill': 0.31}}, [])
    """

    folder: Path

    def make(self) -> None:
        """Make the folder.

        Raises
        ------
        FileError
            If it cannot be made, or nothing can be written into it.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise OSError("nothing may be written there")

    def read(self, keys: Iterable[str], valid: Callable[[int, Row], Row]) -> tuple[dict[int, Row], list[str]]:
        """Return the rows that are there, by the number of their key, and why others are not used.

        Parameters
        ----------
        keys : iterable of str
            The rows wanted.
        valid : callable
            Takes the number of a key and a row; returns the row as it must be, or raises `NotOursError`.

        Raises
        ------
        FileError
            If the folder, or a file, cannot be read.
        """
        there, rows, refused = self._names(), dict[int, Row](), []
        for number, key in enumerate(keys):
            wrong = []
            for name in (f"{key}{suffix}" for suffix in _READERS):
                try:
                    if name in there and (data := self._bytes(name)) is not None:
                        rows[number] = valid(number, _row_of(name, data))
                        break
                except NotOursError as error:
                    wrong.append(f"{name} {error}")
            else:
                refused += wrong[:1]
        return rows, refused

    def _names(self) -> frozenset[str]:
        """Return the names of what is in the folder; what killed processes left is cleared away."""
        try:
            names = frozenset(os.listdir(self.folder))
        except FileNotFoundError:
            return frozenset()
        except NotADirectoryError:
            raise FileError(f"{quote_path(self.folder)} is no folder; a study keeps its cells in one") from None
        except (OSError, ValueError) as error:
            raise FileError(f"cannot read {quote_path(self.folder)}: {reason(error)}") from None
        for name in filter(LEFT.fullmatch, names):
            clear_left(self.folder / name)
        return names

    def _bytes(self, name: str) -> bytes | None:
        """Return what is in a file, None if it is gone."""
        path = self.folder / name
        try:
            if path.exists() and not path.is_file():
                raise FileError(f"{quote_path(path)} is no file; move it away, and its cell is played again")
            with path.open("rb") as file:
                return file.read(LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileError(f"cannot read {quote_path(path)}: {reason(error)}") from None

    def write(self, key: str, row: Row) -> None:
        """Keep a row.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        text = json.dumps({"key": key, "row": row, "checksum": _checksum(key, row)})
        suffix, data = _as_file(row, text)
        place = self.folder / f"{key}{suffix}"
        with writing(place):
            if place.is_symlink():  # what it leads to may be another cell's
                place.unlink(missing_ok=True)
        write_whole(place, data, keep_on_power_loss=False)


def _checksum(key: str, row: Row) -> str:
    return sha256(json.dumps([key, row]).encode()).hexdigest()


def _as_file(row: Row, text: str) -> tuple[str, bytes]:
    """Return what a file is called behind its key, and what is in it."""
    with suppress(Exception):  # no pyarrow, one that pandas finds too old, or a number that is too large for it
        return ".parquet", _as_parquet(row | {RECORD: text})
    file = BytesIO()
    np.savez(file, **{RECORD: np.frombuffer(text.encode(), dtype=np.uint8)})  # type: ignore[arg-type]
    return ".npz", file.getvalue()


def _as_parquet(row: Row) -> bytes:
    data: bytes = pd.DataFrame([row]).to_parquet(engine="pyarrow")
    return data


def _row_of(name: str, data: bytes) -> Row:
    """Return the row that a file holds, if it is as it was written."""
    key, suffix = os.path.splitext(name)
    if len(data) > LARGEST:
        raise NotOursError("is too large")
    try:
        text, shown = _READERS[suffix](data)
        record = json.loads(text)
        found, row, checksum = record["key"], dict(record["row"]), record["checksum"]
        agrees = checksum == _checksum(found, row) and shown in (None, row | {RECORD: text})
    except ImportError:
        raise NotOursError("takes pyarrow to be read") from None
    except Exception:  # what a damaged or foreign file does to its reader has no end of names
        raise NotOursError("is damaged") from None
    if not agrees:
        raise NotOursError("does not match its checksum")
    if found != key:
        raise NotOursError("holds another cell")
    return row


def _read_parquet(data: bytes) -> tuple[str, Row]:
    """Return the record of a cell, and the row as others see it."""
    file = import_module("pyarrow.parquet").ParquetFile(BytesIO(data))
    meta = file.metadata
    if meta.num_rows != 1 or sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)) > LARGEST:
        raise NotOursError
    [row] = file.read().to_pylist()
    return row[RECORD], row


def _read_npz(data: bytes) -> tuple[str, None]:
    """Return the record of a cell."""
    with ZipFile(BytesIO(data)) as parts:
        if sum(part.file_size for part in parts.infolist()) > LARGEST:
            raise NotOursError
    with np.load(BytesIO(data), allow_pickle=False) as file:
        return bytes(file[RECORD]).decode(), None


_READERS: dict[str, Callable[[bytes], tuple[str, Row | None]]] = {".parquet": _read_parquet, ".npz": _read_npz}
