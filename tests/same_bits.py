"""Makes one of everything, by fixed seeds, and prints the SHA-256 of every file as JSON.

    python same_bits.py FOLDER [here|threads|processes|dask]
    python same_bits.py compare ONE.json OTHER.json

Where it runs, and on what executor, must change nothing (`tests/test_same_bits.py`).

With other versions of the libraries only this may differ, and `compare` says of two such files whether it is all: what
libraries draw and pack; and the last digits of the ranges over the assumptions, of drivers, of pivotal members, of
leanings and of what an election day has learned, whose sums are matrix products.  They also depend on the processor
and on the threads of BLAS.  No run does: who wins, when and by which tallies is the same everywhere.
"""

from __future__ import annotations

import json
import locale
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from toys import unsure

import iomsim as iom
from iomsim import cli
from iomsim.charts import of

PARTS: dict[str, Callable[[Path, Any], None]] = {}
"""What is made: each part writes files into a folder, and may work on an executor."""

SPREAD = ("forecast", "study", "what-ifs")
"""Parts that an executor does."""

KINDS = ("here", "threads", "processes", "dask")
"""Of executors; without one, all parts are made."""

DRAWN = (".svg", ".html", ".npz")
"""What libraries draw and pack."""

VERSIONED = ".parquet"
"""In which libraries write their versions; what is in them is in a table beside them."""

OF_THE_LIBRARY = ("words and files/schema.json",)
"""What they word."""

ROUNDED = ("forecast/tables", "forecast/drivers", "what-ifs/pivotal", "election day/day")
"""How files begin in which sums of matrix products are: their numbers are compared to nine digits."""

EXACT = ("runs.csv", "tallies.csv")
"""What in their folders has none."""

LINES = ("A=9 B=7 C=5 at 11:30", "A=10 B=7 C=4", "undo", "A at least 9", "withdraw C at 12:50", "A=12 B=8 at 16:00")
"""What is announced on the day."""


def part(function: Callable[[Path, Any], None]) -> Callable[[Path, Any], None]:
    """Make a function a part, called like it with spaces."""
    PARTS[function.__name__.replace("_", "-" if function.__name__ == "what_ifs" else " ")] = function
    return function


@cache
def race() -> iom.Scenario:
    """Return three candidates, unsure of all that a scenario can be."""
    return unsure(21, "ABC", behaviour={"absent": 0.1, "abstain": 0.03})


def write(path: Path, content: str | pd.DataFrame) -> None:
    path.write_text(content if isinstance(content, str) else content.to_csv(), encoding="utf-8", newline="")


@part
def forecast(folder: Path, pool: Any) -> None:
    """Two spans of blocks, all that they tell, and the saved file opened again."""
    fc = iom.forecast(race(), runs=20_000, seed=5, executor=pool, progress=False)
    fc.save(folder / "forecast.npz")
    fc.to_csv(folder / "tables")
    write(folder / "answer.txt", f"{fc.answer(detail=True)}\n{fc.stamp()}\n")
    write(folder / "drivers.csv", fc.drivers().table())
    again = iom.open_forecast(folder / "forecast.npz")
    again.to_csv(folder / "tables of the saved one")
    again.save(folder / "forecast again.npz")


@part
def study(folder: Path, pool: Any) -> None:
    """Made twice, the second time from the files of the first."""
    cells = iom.Study.grid(race(), W=[0.3, 0.6, 0.9], secrecy=[0.2, 0.8])
    for name in ("table", "table from files"):
        table = cells.run(3_000, seed=3, executor=pool, folder=folder / "cells", progress=False)
        write(folder / f"{name}.csv", table)


@part
def what_ifs(folder: Path, pool: Any) -> None:
    options: dict[str, Any] = {"executor": pool, "progress": False}
    write(folder / "tornado.csv", iom.tornado(race(), "A", runs=200, seed=6, **options).table())
    write(folder / "grid.csv", iom.grid(race(), W=[0.3, 0.9], secrecy=[0.2, 0.8], runs=400, seed=7, **options).table())
    shares = iom.sobol(race(), "A", parameters=["W", "E", "secrecy"], samples=8, runs=50, seed=8, **options)
    write(folder / "sobol.csv", shares.table())
    two = iom.compare(race(), race().with_pressure(W=0), runs=2_000, seed=9, **options)
    write(folder / "compare.csv", two.table())
    write(folder / "pivotal.csv", iom.pivotal(race(), "A", runs=2_000, checked=2, checked_runs=200, seed=10).table())


@part
def election_day(folder: Path, pool: Any) -> None:
    """A day, its log, and the day again from its log."""
    night = iom.live(race(), particles=2_000, seed=11, log=folder / "log.jsonl")
    told = [str(night.tell(line)) for line in LINES]
    write(folder / "told.txt", "\n".join(told))
    for name, day in {"day": night, "day again": iom.replay(folder / "log.jsonl")}.items():
        day.forecast().to_csv(folder / name)
        write(folder / f"{name}.csv", day.history())
        write(folder / f"{name} next.csv", day.what_next().table())


@part
def words_and_files(folder: Path, pool: Any) -> None:
    """What is written down for people and other programs."""
    write(folder / "scenario.toml", iom.dumps(race()))
    write(folder / "schema.json", json.dumps(iom.schema()))
    write(folder / "catalogue.csv", iom.catalogue())
    iom.register(race(), folder / "registered.toml", runs=1_000, seed=12, at=datetime(2026, 5, 1, 12), progress=False)
    for words in (["forecast", "geneva-2023", "--runs", "600", "--seed", "1"], ["bodies", "who"], ["scenarios"]):
        with redirect_stdout(StringIO()) as said, suppress(SystemExit):
            cli.main(words)
        write(folder / f"{words[0]}.txt", said.getvalue())


@part
def charts(folder: Path, pool: Any) -> None:
    """Three drawings, the report, and the page with sliders."""
    fc = iom.forecast(race(), runs=1_000, seed=13, progress=False)
    for name in ("win_probability", "decision_time", "trajectories"):
        of(fc).save(name, folder / f"{name}.svg")
    iom.report(fc, folder / "report.html")
    few: Any = {"points": 2, "levels": 2, "runs": 100, "seed": 14, "executor": pool, "progress": False}
    iom.interactive(race(), folder / "what-if.html", **few)


@part
def past_contests(folder: Path, pool: Any) -> None:
    write(folder / "history.csv", iom.history().table())


@contextmanager
def executor(kind: str) -> Iterator[Any]:
    """Offer an executor of a kind."""
    if kind == "here":
        yield None
    elif kind == "dask":
        from distributed import Client, LocalCluster

        quiet: dict[str, Any] = {"dashboard_address": None, "silence_logs": "CRITICAL"}
        with LocalCluster(n_workers=2, threads_per_worker=1, **quiet) as cluster, Client(cluster) as client:
            yield client.get_executor()
    else:
        spawned = partial(ProcessPoolExecutor, mp_context=get_context("spawn"))
        with {"threads": ThreadPoolExecutor, "processes": spawned}[kind](2) as pool:
            yield pool


def made(folder: Path, kind: str = "") -> dict[str, list[str]]:
    """Make everything, or what an executor of a kind does; return of each file the SHA-256, and that of it rounded."""
    with executor(kind or "here") as pool:
        for name, make in PARTS.items():
            if not kind or name in SPREAD:
                (folder / name).mkdir(parents=True)
                make(folder / name, pool)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): [digest(data), digest(rounded(data))] for path, data in contents(files)
    }


def contents(files: list[Path]) -> Iterator[tuple[Path, bytes]]:
    return ((path, path.read_bytes()) for path in files)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def rounded(data: bytes) -> bytes:
    """Return a text with its numbers to nine digits."""
    return re.sub(rb"-?\d+\.\d+(?:e[-+]?\d+)?", lambda number: b"%.8e" % float(number[0]), data)


def differing(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """Return the files that differ, and should not with other versions of the libraries."""

    def same(name: str) -> bool:
        inexact = name.startswith(ROUNDED) and not name.endswith(EXACT)
        left_out = name.startswith(OF_THE_LIBRARY) or (name.endswith(DRAWN) and not name.startswith("study/"))
        left_out |= name.endswith(VERSIONED)
        return left_out or one[name][inexact] == other[name][inexact]

    return sorted({*one} ^ {*other} | {name for name in {*one} & {*other} if not same(name)})


def main(words: list[str]) -> int:
    """Make, or compare."""
    if words[0] == "compare":
        one, other = (json.loads(Path(name).read_text(encoding="utf-8")) for name in words[1:])
        names = differing(one, other)
        print("\n".join(f"differs: {name}" for name in names) or f"{len(one)} files, nothing differs that should not")
        return bool(names)
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")  # as a program around us may do
    print(json.dumps(made(Path(words[0]), *words[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
