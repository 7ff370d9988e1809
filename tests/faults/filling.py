"""Run by the tests: saves where there is no room, and tells what that left.

python filling.py limit FOLDER KIND...      files may not be longer than so many bytes
python filling.py disk FOLDER KIND...       a disk of a few megabytes is mounted there, and filled
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faults.saves import KINDS, LIARS, Kind, contents, folder_with, made_by

from iomsim.errors import FileError

PAGE = 4096

FULL = {"limit": "File too large", "disk": "No space left on device"}


@contextmanager
def limit(_: Path, most: int) -> Iterator[None]:
    """Let no file be longer than so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def disk(folder: Path, most: int) -> Iterator[None]:
    """Leave so many bytes on a disk, in whole pages; or, below 0, no room for another file."""
    ballast = folder / "ballast"
    ballast.mkdir()
    try:
        if most < 0:
            with suppress(OSError):
                for number in range(10**6):
                    (ballast / str(number)).touch()
        else:
            with suppress(OSError), (ballast / "0").open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * PAGE)
            os.truncate(ballast / "0", max(0, (ballast / "0").stat().st_size - most // PAGE * PAGE))
        yield
    finally:
        for path in ballast.iterdir():
            path.unlink()
        ballast.rmdir()


def problems(way: str, kind: Kind, folder: Path) -> dict[str, object]:
    """Save where there is less and less room; return what was said, and what was wrong."""
    old, new = made_by(folder, kind.old), made_by(folder, kind.old, kind.new)
    largest = max(map(len, new.values()))
    sizes = [0, 1, largest // 2, largest - 1] if way == "limit" else [-1, 0, largest // 2 // PAGE * PAGE]
    said, found = [], []
    for size in sizes:
        place = folder_with(folder, old)
        with (limit if way == "limit" else disk)(folder, size):
            try:
                kind.new(place)
                said.append("done")
            except FileError as error:
                said.append(str(error))
            except Exception as error:
                found.append(f"{size}: no sentence of ours but {type(error).__name__}: {error}")
            there = contents(place)
        for name in sorted({*there, *old, *new}):
            allowed = [old.get(name)] if len(new) == 1 else [old.get(name), new.get(name)]
            if there.get(name) not in allowed:
                found.append(f"{size}: {name} is {len(there[name]) if name in there else 'gone'}")
        kind.again(place)
        if contents(place) != new:
            found.append(f"{size}: another time it is {sorted(contents(place))}")
        for path in place.iterdir():
            path.unlink()
    found += [f"said {text}" for text in said if FULL[way] not in text or "cannot write '" not in text]
    return {"said": said, "wrong": found}


def main(way: str, folder: Path, names: list[str]) -> None:
    """Save everything where there is no room."""
    if way == "disk":
        options = ["mount", "-t", "tmpfs", "-o", "size=6m,nr_inodes=200", "tmpfs", str(folder)]
        subprocess.run(options, check=True)
    print(json.dumps({name: problems(way, (KINDS | LIARS)[name](), folder) for name in names}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
