"""Scripts of the tests, run as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from iomsim.errors import FileError

TESTS = Path(__file__).resolve().parents[1]

ENOUGH = 500
"""Seconds after which a script is taken to hang."""


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which scripts find the package and the tests, and compute in one thread."""
    found = os.pathsep.join((str(TESTS), str(TESTS.parent)))
    return {**os.environ, "PYTHONPATH": found, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg", **more}


def dies_in_the_middle_of_a_result() -> None:
    """Kill this worker of a pool where it has told how long its result is, and nothing of it."""
    frame: Any = sys._getframe()
    while "result_queue" not in frame.f_locals:
        frame = frame.f_back
    results = frame.f_locals["result_queue"]
    results._wlock.acquire()
    os.write(results._writer.fileno(), struct.pack("!i", 1000))
    os.kill(os.getpid(), signal.SIGKILL)


def told_by(script: str, *words: object, before: Sequence[str] = ()) -> Any:
    """Run a script of this folder, `before` it what runs it; return what it prints as JSON."""
    command = [*before, sys.executable, str(Path(__file__).with_name(f"{script}.py")), *map(str, words)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=ENOUGH, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def forked(work: Callable[[], object]) -> int:
    """Do work in a process of its own; return its number."""
    number = os.fork()
    if number == 0:
        try:
            work()
            os._exit(0)
        except FileError as error:
            print(error, file=sys.stderr)
            os._exit(2)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    return number
