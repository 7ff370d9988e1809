"""Run by the tests: several processes write one file at once, some are killed; tells what readers saw and what is left.

python racing.py FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from hashlib import sha256
from pathlib import Path

from faults.saves import EVE, forecast
from faults.scripts import forked

import iomsim as iom
from iomsim import files
from iomsim.files import write_whole
from iomsim.registered import scorebook

WRITERS, LETTERS, SIGNS = 5, "abcde", 200_000

files.PATIENCE = 120.0  # a machine may be busy


def ended(numbers: list[int]) -> list[int]:
    """Wait for processes; return their exit codes, negative for signals."""
    return sorted(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) for number in numbers)


def over_one_another(folder: Path) -> list[str]:
    """Write one file again and again; kill those who write, again and again; read it all the while."""
    place = folder / "place.txt"
    write_whole(place, "x" * SIGNS)

    def write(letter: str) -> None:
        while True:
            write_whole(place, letter * SIGNS, keep_on_power_loss=False)

    wrong, seen = [], set()
    writers = {letter: forked(lambda letter=letter: write(letter)) for letter in LETTERS}  # type: ignore[misc]
    for turn in range(100):
        for _ in range(10):
            text = place.read_text(encoding="utf-8")
            seen |= set(text)
            if len(text) != SIGNS or len(set(text)) != 1:
                wrong.append(f"read {len(text)} signs, {sorted(set(text))}")
            time.sleep(0.001)
        letter = LETTERS[turn % len(LETTERS)]
        os.kill(writers[letter], signal.SIGKILL)
        if ended([writers[letter]]) != [-signal.SIGKILL]:
            wrong.append("one who wrote failed")
        writers[letter] = forked(lambda letter=letter: write(letter))  # type: ignore[misc]
    for number in writers.values():
        os.kill(number, signal.SIGKILL)
    ended(list(writers.values()))
    write_whole(place, "last")
    if [path.name for path in folder.iterdir()] != ["place.txt"]:
        wrong.append(f"left behind: {sorted(path.name for path in folder.iterdir())}")
    if len(seen & set(LETTERS)) < 2:
        wrong.append(f"only {sorted(seen)} were ever read")
    return wrong


def first_of_all(folder: Path) -> list[str]:
    """Register several forecasts as one file: one is the first, the others are refused."""
    fcs = [forecast(seed) for seed in range(1, WRITERS + 1)]
    wrong = []
    for turn in range(6):
        place = folder / f"{turn}.toml"
        codes = ended([forked(lambda fc=fc, place=place: iom.register(fc, place, at=EVE)) for fc in fcs])  # type: ignore[misc]
        if codes != [0] + [2] * (WRITERS - 1):
            wrong.append(f"exit codes {codes}")
        if iom.registration(place).seed not in range(1, WRITERS + 1):
            wrong.append("another one is registered")
    if len(list(folder.iterdir())) != 6:
        wrong.append(f"left behind: {sorted(path.name for path in folder.iterdir())}")
    return wrong


def checksum(number: int, turn: int) -> str:
    """Return what tells a line from all others."""
    return sha256(f"{number} {turn}".encode()).hexdigest()


def one_ledger(folder: Path) -> list[str]:
    """Append lines to one ledger, some from processes that are killed."""
    told = iom.register(forecast(1), folder / "mine.toml", at=EVE)
    line = iom.score(told, winner="A", rounds=2, at=EVE).line
    place = folder / "scores.csv"

    def append(number: int) -> None:
        for turn in range(10):
            scorebook.append(place, line | {"checksum": checksum(number, turn)})

    writers = [forked(lambda n=n: append(n)) for n in range(WRITERS)]  # type: ignore[misc]
    for number in range(100, 110):
        doomed = forked(lambda n=number: append(n))  # type: ignore[misc]
        time.sleep(0.02)
        os.kill(doomed, signal.SIGKILL)
        ended([doomed])
    wrong = [f"exit codes {codes}" for codes in [ended(writers)] if any(codes)]
    there = [line["checksum"] for line in scorebook.read(place)]
    lost = {checksum(n, turn) for n in range(WRITERS) for turn in range(10)} - set(there)
    wrong += [f"lost: {sorted(lost)}"] * bool(lost) + ["a line twice"] * (len(there) != len(set(there)))
    scorebook.append(place, line)
    if sorted(path.name for path in folder.iterdir()) != ["mine.toml", "scores.csv"]:
        wrong.append(f"left behind: {sorted(path.name for path in folder.iterdir())}")
    return wrong


if __name__ == "__main__":
    parent, told = Path(sys.argv[1]), {}
    for race in (over_one_another, first_of_all, one_ledger):
        (parent / race.__name__).mkdir()
        told[race.__name__] = race(parent / race.__name__)
    print(json.dumps(told))
