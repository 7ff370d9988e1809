"""Time that other programs on the machine disturb as little as possible, and what a new process needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np

MEMBERS = 175
DRAWN = 256
"""Runs' worth of numbers in one measurement of the unit: so few that no fresh memory is asked of the system."""

Job = Callable[[], int]
"""Something to time; returns how many things it did."""


def cost(job: Job) -> float:
    """Return the seconds of processor time that one of the job's things takes."""
    start = time.process_time()
    count = job()
    return (time.process_time() - start) / count


def draw(source: np.random.SFC64) -> int:
    """Draw 175 uniforms of sixteen bits for each of `DRAWN` runs: the unit of everything below."""
    assert source.random_raw(MEMBERS * DRAWN // 4).view(np.uint16).size == MEMBERS * DRAWN
    return DRAWN


def in_turn(jobs: Mapping[str, Job], repeat: int) -> tuple[dict[str, float], dict[str, float], float]:
    """Time jobs in turn, each between two measurements of the unit.

    Returns
    -------
    seconds, ratios : dict of float
        Medians by job: processor time of one thing, and how many units that is.
    unit : float
        Median of the unit in seconds.
    """
    source = np.random.SFC64(1)
    for job in jobs.values():
        job()
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    ratios: dict[str, list[float]] = {name: [] for name in jobs}
    units: list[float] = []
    for _ in range(repeat):
        for name, job in jobs.items():
            before = unit_now(source)
            seconds[name].append(cost(job))
            units.append((before + unit_now(source)) / 2)
            ratios[name].append(seconds[name][-1] / units[-1])
    return {k: median(v) for k, v in seconds.items()}, {k: median(v) for k, v in ratios.items()}, median(units)


def unit_now(source: np.random.SFC64) -> float:
    """Return the unit as it is at this moment."""
    return median(cost(lambda: draw(source)) for _ in range(61))


# -- a process of its own ----------------------------------------------------------------------------

CHILD = """
import json, sys, time
start = time.perf_counter()
exec(sys.argv[1])
seconds = time.perf_counter() - start
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1]
print(json.dumps({"seconds": seconds, "megabytes": int(peak) / 1024}))
"""


def fresh(program: str, repeat: int = 1, before: str = "") -> tuple[float, float]:
    """Return the seconds that a program takes in a new process, and the most memory it held, in MB.

    Wall time, best of `repeat`: what a person waits for on a machine of their own.  `before` is run
    first and not timed.
    """
    code = CHILD if not before else CHILD.replace("start = time", f"{before}\nstart = time", 1)
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    found: list[dict[str, Any]] = []
    for _ in range(repeat):
        command = [sys.executable, "-c", code, program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return min(row["seconds"] for row in found), median(row["megabytes"] for row in found)
