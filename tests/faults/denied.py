"""Run by the tests: saves where nothing may be written, by somebody whom modes bind, and tells what that left.

python denied.py FOLDER KIND...             modes; nobody in place of root
python denied.py FOLDER KIND... read-only   a disk is mounted there that cannot be written
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from faults.saves import KINDS, Kind, contents, folder_with, made_by

from iomsim.errors import FileError

NOBODY = 65534

Way = Callable[[Path], AbstractContextManager[str]]


@contextmanager
def read_only_folder(place: Path) -> Iterator[str]:
    """Forbid new files in a folder."""
    place.chmod(0o555)
    yield "Permission denied"
    place.chmod(0o755)


@contextmanager
def protected_files(place: Path) -> Iterator[str]:
    """Protect the files that are there."""
    for path in place.iterdir():
        path.chmod(0o444)
    yield "write-protected"
    for path in place.iterdir():
        path.chmod(0o644)


@contextmanager
def read_only_disk(place: Path) -> Iterator[str]:
    """Make the whole disk one that cannot be written."""
    mounted = str(place.parent)
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    yield "Read-only file system|write-protected"
    subprocess.run(["mount", "-o", "remount,rw", mounted], check=True)


def problems(kind: Kind, folder: Path, ways: list[Way]) -> list[str]:
    """Save where it is forbidden; return what was wrong."""
    old, new, found = made_by(folder, kind.old), made_by(folder, kind.old, kind.new), []
    for way in ways:
        if way is protected_files and not old:
            continue
        place = folder_with(folder, old)
        name = way.__name__
        with way(place) as expected:
            try:
                kind.new(place)
                found.append(f"{name}: nothing was said")
            except FileError as error:
                if not any(reason in str(error) for reason in expected.split("|")) or "cannot write '" not in str(
                    error
                ):
                    found.append(f"{name}: said {error}")
            except Exception as error:
                found.append(f"{name}: no sentence of ours but {type(error).__name__}: {error}")
            if contents(place) != old:
                found.append(f"{name}: now it is {sorted(contents(place))}")
        kind.again(place)
        if contents(place) != new:
            found.append(f"{name}: another time it is {sorted(contents(place))}")
    return found


def main(folder: Path, names: list[str]) -> None:
    """Save everything where it is forbidden."""
    kinds = {name: KINDS[name]() for name in names if name in KINDS}
    if "read-only" in names:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True)
        told = {name: problems(kind, folder, [read_only_disk]) for name, kind in kinds.items()}
        print(json.dumps(told))
        return
    for kind in kinds.values():
        made_by(folder, kind.old, kind.new)  # what is imported late is imported
    with tempfile.TemporaryDirectory() as place:  # whose parents anybody may enter
        if os.geteuid() == 0:
            os.chown(place, NOBODY, NOBODY)
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        told = {name: problems(kind, Path(place), [read_only_folder, protected_files]) for name, kind in kinds.items()}
        print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
