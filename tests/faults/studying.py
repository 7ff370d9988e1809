"""Run by the tests: kills processes in the middle of a study, lets others go on, and tells what became of its folder.

python studying.py FOLDER       prints what was found as JSON
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from faults.scripts import forked
from toys import toy

import iomsim as iom
from iomsim.sensitivity import tasks

RUNS, CELLS = 300, 40
STUDY = iom.Study.grid(toy(21, "ABC", behaviour={"absent": 0.1}), fluid=[i / CELLS for i in range(CELLS)])
FOLDERS, KILLS, PAIRS = 6, 4, 8
"""Folders in which a study is killed, how often in each before it is left alone, and those in which two meet."""


def run(folder: Path | None) -> pd.DataFrame:
    """Run the study."""
    return STUDY.run(RUNS, seed=3, folder=folder, progress=False)


def ended(number: int) -> int:
    """Wait for another process; return what it exits with, or the signal that ended it, below 0."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def killed(number: int, folder: Path, more: int, after: float) -> bool:
    """Kill another process some seconds after a folder holds so many more cells; say whether it lived until then."""
    enough = len(kept(folder)) + more
    while len(kept(folder)) < enough and os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.001)
    time.sleep(after)
    os.kill(number, signal.SIGKILL)
    return ended(number) == -signal.SIGKILL


def kept(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the cells of a folder, with what tells one that was written again."""
    there = {path.name: path.stat() for path in folder.glob("[!.]*")}
    return {name: (found.st_ino, found.st_mtime_ns) for name, found in there.items()}


def killed_again_and_again(folder: Path, table: pd.DataFrame, took: float, chance: random.Random) -> dict[str, Any]:
    """Kill a study again and again, then let it end: what is kept stays, and all is as if nothing had happened."""
    kills, sizes, lost = 0, [0], 0
    for _ in range(KILLS):
        before = kept(folder)
        more, later = chance.randrange(CELLS // KILLS - 2), chance.uniform(0, took / CELLS)
        kills += killed(forked(partial(run, folder)), folder, more, later)
        after = kept(folder)
        lost += len(before.items() - after.items())
        sizes.append(len(after))
    before = kept(folder)
    found = run(folder)
    lost += len(before.items() - kept(folder).items())
    rest = sorted(path.name for path in folder.iterdir() if path.name not in kept(folder))
    return {"kills": kills, "sizes": sizes, "lost": lost, "equal": found.equals(table), "rest": rest}


def two_at_once(folder: Path, table: pd.DataFrame, took: float, chance: random.Random) -> dict[str, Any]:
    """Let two run a study into one folder, one of whom is killed: the other ends as if it were alone."""
    one, other = forked(partial(run, folder)), forked(partial(run, folder))
    kills = int(killed(one, folder, chance.randrange(CELLS), chance.uniform(0, took / CELLS)))
    codes = [ended(other)]
    found = run(folder)
    rest = sorted(path.name for path in folder.iterdir() if path.name not in kept(folder))
    return {"kills": kills, "codes": codes, "equal": found.equals(table), "rest": rest, "cells": len(kept(folder))}


def main(folder: Path) -> None:
    """Kill studies, and print what was found."""
    tasks.MAX_RUNS = RUNS  # each cell is a task, and is kept when it is done
    chance = random.Random("studies")
    start = time.perf_counter()
    table = run(folder / "whole")
    took = time.perf_counter() - start
    assert table.equals(run(None))
    alone = [killed_again_and_again(folder / f"alone {n}", table, took, chance) for n in range(FOLDERS)]
    pairs = [two_at_once(folder / f"pair {n}", table, took, chance) for n in range(PAIRS)]
    print(json.dumps({"alone": alone, "pairs": pairs}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
