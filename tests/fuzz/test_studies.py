"""Studies: whatever is done to the folder of one, it gives its table; an odd request gets a table or a sentence."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fuzz.harness import NASTY, bytes_like, each, lengths, plain_like, rng, survives
from toys import toy

import iomsim as iom
from iomsim.sensitivity import tasks
from iomsim.sensitivity.study import result_columns, results

RUNS, SEED = 40, 4


@lengths()
def test_studies(numbers: range) -> None:
    each(numbers, case)


def case(number: int) -> None:
    chance = rng("studies", number)
    if number % 4 < 3:
        altered_folder(chance)
    else:
        odd_request(chance)


# -- a folder that somebody has been in ----------------------------------------------------------------


@cache
def race() -> iom.Scenario:
    return toy(9, sponsors=[{"name": "W", "backs": "A", "strength": {"value": 0.4, "low": 0.1, "high": 0.9}}])


@cache
def study() -> iom.Study:
    return iom.Study.grid(race(), W=[0.0, 0.9], fluid=[0.3, 0.8])


@cache
def finished() -> tuple[dict[str, bytes], pd.DataFrame]:
    """The files of the study, and its table."""
    with tempfile.TemporaryDirectory() as folder:
        table = run(Path(folder))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}, table


def run(folder: Path) -> pd.DataFrame:
    return study().run(RUNS, seed=SEED, folder=folder, progress=False)


def altered_folder(chance: random.Random) -> None:
    files, table = finished()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        done = [chance.choice(ALTERATIONS) for _ in range(chance.randint(1, 3))]
        for alter in done:
            alter(chance, folder)
        found = survives(lambda: run(folder))
        if found is None:  # only where there is no telling what stands in the way
            assert {into_a_folder, linked} & {*done}
            return
        same(found, table, numbers_too=crafted not in done)
        with warnings.catch_warnings():  # what was wrong has been made again, unless two cells were one file
            warnings.simplefilter("ignore" if linked in done else "error")
            same(run(folder), found)


def same(found: pd.DataFrame, table: pd.DataFrame, numbers_too: bool = True) -> None:
    """Fail unless a table is the other; or one that differs in what a right checksum vouches for."""
    if not numbers_too:
        chances = result_columns(race())[:-4:2]
        free = [name for name in (*result_columns(race())[:-4], "median_rounds") if name in found]
        hits = found[chances] * RUNS
        assert (hits == hits.round()).all().all()
        assert np.allclose(found[chances[:-1]].sum(axis=1), 1)
        assert list(found) == list(table)
        found, table = found.drop(columns=free), table.drop(columns=free)
    pd.testing.assert_frame_equal(found, table)


def victim(chance: random.Random, folder: Path) -> Path:
    """Return a file that is, or was, a cell's."""
    return folder / chance.choice(list(finished()[0]))


def bytes_of(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def put(path: Path, data: bytes) -> None:
    if path.is_symlink():
        path.unlink()
    path.parent.mkdir(exist_ok=True)
    if not path.is_dir():
        path.write_bytes(data)


def damaged(chance: random.Random, folder: Path) -> None:
    path = victim(chance, folder)
    put(path, bytes_like(chance, bytes_of(path)))


def swapped(chance: random.Random, folder: Path) -> None:
    one, two = victim(chance, folder), victim(chance, folder)
    first, second = bytes_of(one), bytes_of(two)
    put(one, second)
    put(two, first)


def renamed(chance: random.Random, folder: Path) -> None:
    path, others = victim(chance, folder), list(finished()[0])
    if path.is_symlink():
        return
    name = chance.choice([*others, "x.npz", "..npz", f"{path.stem}.parquet", f"{path.stem}.NPZ", path.stem])
    if path.is_file() and not (folder / name).is_dir():
        path.replace(folder / name)


def removed(chance: random.Random, folder: Path) -> None:
    path = victim(chance, folder)
    if path.is_file():
        path.unlink()


def into_a_folder(chance: random.Random, folder: Path) -> None:
    path = victim(chance, folder)
    if not path.is_dir():
        path.unlink(missing_ok=True)
        path.mkdir(parents=True)


def foreign(chance: random.Random, folder: Path) -> None:
    name = chance.choice(
        ["notes.txt", ".hidden", "a.npz", "b.parquet", "é.npz", "tmpabc.part", ".x.part", "\u202e.npz"]
    )
    put(folder / name, bytes_like(chance, chance.choice(list(finished()[0].values()))))


def linked(chance: random.Random, folder: Path) -> None:
    path = victim(chance, folder)
    if path.is_file():
        path.unlink()
        path.symlink_to(chance.choice([folder / "nowhere", victim(chance, folder), path]))


def record(path: Path) -> dict[str, Any]:
    """Return what a cell's file says, as it was written."""
    [reader] = {tasks._READERS[path.suffix]}
    found: dict[str, Any] = json.loads(reader(finished()[0][path.name])[0])
    return found


def packed(chance: random.Random, said: Any, row: Any) -> bytes:
    """Return a file of the kind that is written here, with whatever in it."""
    text = json.dumps(said)
    if isinstance(row, dict) and chance.random() < 0.5:
        return tasks._as_file(row, text)[1]
    array: Any = np.frombuffer(text.encode(), dtype=np.uint8)
    kind = chance.choice(["plain", "wide", "text", "object", "big-endian", "flat", "missing", "compressed"])
    if kind in ("wide", "big-endian"):
        array = array.astype({"wide": "<i8", "big-endian": ">u4"}[kind])
    array = {"text": np.array(text), "object": np.array([text], object), "flat": array[None]}.get(kind, array)
    file = BytesIO()
    save = np.savez_compressed if kind == "compressed" else np.savez
    save(file, **{"x" if kind == "missing" else tasks.RECORD: array})
    return file.getvalue()


def reworded(chance: random.Random, folder: Path) -> None:
    """Change what a file says, and leave its checksum."""
    path = victim(chance, folder)
    said = plain_like(chance, record(path))
    put(path, packed(chance, said, said.get("row") if isinstance(said, dict) else None))


def believable(chance: random.Random, folder: Path) -> None:
    """Let other runs have won, as it well could be, and leave the checksum."""
    path = victim(chance, folder)
    said = record(path)
    wins = chance.randrange(RUNS)
    cell = next(cell for cell in study().cells if cell.hash == said["row"]["hash"])
    said["row"] |= results(cell, [wins, RUNS - wins, 0, chance.randrange(RUNS)], chance.randint(1, 3), RUNS, SEED)
    put(path, packed(chance, said, said["row"]))


def crafted(chance: random.Random, folder: Path) -> None:
    """Change what a file says, and make its checksum anew."""
    path = victim(chance, folder)
    said = record(path)
    row = said["row"]
    names = list(row)
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(names)
        match chance.randrange(4):
            case 0:
                row[name] = chance.choice(NASTY)
            case 1:
                row[name] = row[chance.choice(names)]
            case 2 if isinstance(row[name], float):
                row[name] = chance.choice([row[name] + 1 / RUNS, row[name] * (1 + 1e-15), 1 - row[name], -row[name]])
            case _:
                row[f"{name}x"] = row[name]
    said |= {"checksum": tasks._checksum(said["key"], row)}
    put(path, packed(chance, said, row))


def not_a_number(chance: random.Random, folder: Path) -> None:
    """Make a row of missing values, with a right checksum."""
    path = victim(chance, folder)
    said = record(path)
    row = {name: float("nan") if isinstance(value, float) else value for name, value in said["row"].items()}
    put(path, packed(chance, said | {"row": row, "checksum": tasks._checksum(said["key"], row)}, row))


def emptied(chance: random.Random, folder: Path) -> None:
    if chance.random() < 0.2:
        shutil.rmtree(folder)
        if chance.random() < 0.5:
            folder.mkdir()
    else:
        put(victim(chance, folder), b"")


ALTERATIONS: tuple[Callable[[random.Random, Path], None], ...] = (
    *(damaged, swapped, renamed, removed, into_a_folder, foreign, linked),
    *(reworded, believable, crafted, not_a_number, emptied),
)


# -- what nobody would ask -------------------------------------------------------------------------------


def odd_request(chance: random.Random) -> None:
    """Ask for a study with something odd in it; what is answered is as long as it was asked to be."""
    request = plain_like(chance, chance.choice(REQUESTS))
    if not isinstance(request, dict):
        return
    with tempfile.TemporaryDirectory() as folder:
        found = survives(lambda: answered(request, Path(folder)))
        if found is not None:
            table, cells = found
            assert len(table) == cells
            assert table.columns.is_unique
            assert not table.isna().any().any()
            pd.testing.assert_frame_equal(answered(request, Path(folder))[0], table)


REQUESTS: list[dict[str, Any]] = [
    {"grid": {"W": [0.0, 0.5], "behaviour.secrecy": [0.25]}, "run": {"runs": 20, "seed": 1}},
    {"sample": {"count": 3, "seed": 2, "parameters": ["W", "fluid"]}, "run": {"runs": 20, "seed": 1}},
    {"of": ["calm", "strict"], "run": {"runs": 20, "seed": 1}},
]


def answered(request: dict[str, Any], folder: Path) -> tuple[pd.DataFrame, int]:
    """Return the table of a request, and the number of its cells."""
    made: dict[str, Any] = {name: value for name, value in request.items() if name in ("grid", "sample", "of")}
    [(how, what)] = list(made.items()) or [("grid", {})]
    if how == "of":
        mine = iom.Study.of(dict.fromkeys(what, race()) if isinstance(what, list) and hashable(what) else what)
    else:
        what = {k: v for k, v in what.items() if isinstance(k, str)} if isinstance(what, dict) else {"W": what}
        if how == "sample":
            what = {"count": 1, "seed": 1} | {k: v for k, v in what.items() if k in ("count", "seed", "parameters")}
            if isinstance(what["count"], int) and what["count"] > 200:
                what["count"] = 200
        mine = getattr(iom.Study, how)(race(), **what)
    options = request.get("run", {})
    options = options if isinstance(options, dict) else {"runs": options}
    options = {"seed": 1} | {k: v for k, v in options.items() if k in ("runs", "seed", "folder")}
    if not isinstance(options.get("runs"), int) or options["runs"] <= 200:
        return mine.run(**options | {"folder": folder, "progress": False}), len(mine)
    return mine.run(**options | {"runs": 20, "folder": folder, "progress": False}), len(mine)


def hashable(values: list[Any]) -> bool:
    return not any(isinstance(value, (list, dict)) for value in values)
