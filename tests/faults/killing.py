"""Run by the tests: kills processes that save, at every step and at every so many bytes, and tells what they left.

A process of its own, so that it has one thread and can be forked: a child saves what was made before, and is killed;
then its parent looks at the folder, saves itself, and looks again.

    python killing.py FOLDER KIND...       prints what was wrong as JSON, by kind
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from faults.saves import KINDS, LIARS, Kind, contents, folder_with, made_by

STEPS = ("open", "os.rename", "os.remove", "os.link", "os.chmod", "os.chown", "os.mkdir", "os.truncate", "fcntl.flock")
"""What a process tells its auditors before it does it."""

AT_RANDOM = 10
"""Times that somebody else kills it, at some moment."""


def at_step(number: int) -> Callable[[], None]:
    """Return what makes a process die before it takes step `number` at a file."""
    left = [number]

    def count(event: str, arguments: tuple[object, ...] = ()) -> None:
        if event not in STEPS or (event == "open" and not _writes(arguments)):
            return
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def arm() -> None:
        honest = os.fsync

        def synced(handle: int) -> None:
            count("os.truncate")
            honest(handle)

        os.fsync = synced
        sys.addaudithook(count)

    return arm


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def at_byte(number: int) -> Callable[[], None]:
    """Return what makes the system kill a process that writes more than so many bytes into a file."""

    def arm() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))

    return arm


def child(save: Callable[[], object], arm: Callable[[], None], kill_after: float | None = None) -> int:
    """Save in a process that may be killed meanwhile; return the signal that ended it, or 0."""
    number = os.fork()
    if number == 0:
        try:
            arm()
            save()
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(number, signal.SIGKILL)
    _, status = os.waitpid(number, 0)
    return status & 127 if status & 127 else -(status >> 8)


def problems(kind: Kind, folder: Path, chance: random.Random) -> dict[str, Any]:
    """Kill a kind of save in every way; return how often, and what was wrong then."""
    old, new = made_by(folder, kind.old), made_by(folder, kind.old, kind.new)
    place, start = folder_with(folder, old), time.perf_counter()
    child(partial(kind.new, place), lambda: None)
    took = time.perf_counter() - start
    largest = max(map(len, new.values()))
    sizes = sorted({0, 1, 100, largest // 2, largest - 1})
    ways = [("byte", n, at_byte(n), None) for n in sizes]
    ways += [("moment", n, lambda: None, chance.uniform(0, took)) for n in range(AT_RANDOM)]
    found: list[str] = []
    killed, step = dict.fromkeys(("byte", "step", "moment"), 0), 0
    while ways or step >= 0:
        name, number, arm, after = ways.pop() if ways else ("step", step, at_step(step), None)
        place = folder_with(folder, old)
        ended = child(partial(kind.new, place), arm, after)
        if name == "step":
            step = step + kind.stride if ended == signal.SIGKILL else -1
        if ended < 0:
            found.append(f"{name} {number}: the save failed")
        killed[name] += ended > 0
        found += [f"{name} {number}, killed: {what}" for what in wrong(contents(place), old, new, partly=True)]
        kind.again(place)
        found += [f"{name} {number}, saved again: {what}" for what in wrong(contents(place), old, new, partly=False)]
    return {"killed": killed, "wrong": found}


def wrong(there: dict[str, bytes], old: dict[str, bytes], new: dict[str, bytes], partly: bool) -> list[str]:
    """Say what is wrong with a folder: files are old or new ones, but while a save is `partly` done."""
    told = []
    for name in sorted({*there, *old, *new}):
        if partly and name.startswith(".") and name not in {*old, *new}:
            continue  # what a killed process leaves, until the next save
        allowed = [new.get(name), old.get(name)] if partly else [new.get(name)]
        if there.get(name) not in allowed:
            told.append(f"{name} is {'gone' if name not in there else f'of {len(there[name])} bytes, neither'}")
    return told


def main(folder: Path, names: list[str]) -> None:
    """Kill every kind of save, and print what was wrong."""
    told = {name: problems((KINDS | LIARS)[name](), folder, random.Random(name)) for name in names}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
