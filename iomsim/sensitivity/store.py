"""A folder of finished rows, one small file each: Parquet where pyarrow is there, else npz."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import FileError, writing

Row = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """Rows of plain numbers and words, by key.

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
        raise FileError(f"the file {str(path)!r} is damaged; delete it to have it made again") from None
