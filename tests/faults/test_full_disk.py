"""Where there is no room, what was there stays and the sentence names the file; the next save, with room, is whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults.saves import KINDS
from faults.scripts import environment, told_by

pytestmark = [pytest.mark.faults, pytest.mark.skipif(os.name != "posix", reason="needs limits")]


def test_files_that_may_be_no_longer(tmp_path: Path) -> None:
    found = told_by("filling", "limit", tmp_path, *KINDS)
    assert {kind: told["wrong"] for kind, told in found.items() if told["wrong"]} == {}
    assert all(len(told["said"]) == 4 for told in found.values())


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    found = told_by("filling", "disk", tmp_path, *KINDS, before=mounting())
    assert {kind: told["wrong"] for kind, told in found.items() if told["wrong"]} == {}
    assert all(len(told["said"]) == 3 for told in found.values())


def mounting() -> list[str]:
    """Return the command in whose processes a disk can be mounted, without a trace elsewhere."""
    for words in (["unshare", "-m"], ["unshare", "-rm"]):
        mount = [*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if shutil.which("unshare") and not subprocess.run(mount, capture_output=True, check=False).returncode:
            return words
    pytest.skip("no disk can be mounted here; limits of files are tried all the same")


def test_a_save_in_place_is_seen(tmp_path: Path) -> None:
    assert told_by("filling", "limit", tmp_path, "in place")["in place"]["wrong"]


COMMANDS: dict[str, tuple[str, ...]] = {
    "t.csv": ("tornado", "minimal", "--runs", "50", "--csv", "t.csv"),
    "t.png": ("tornado", "minimal", "--runs", "50", "--chart", "t.png"),
    "out/": ("forecast", "minimal", "--runs", "200", "--out", "out"),
    "mine.toml": ("register", "minimal", "--runs", "200", "-o", "mine.toml"),
    "day.jsonl": ("live", "minimal", "--particles", "200", "--log", "day.jsonl"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_which_file_has_no_room(name: str, tmp_path: Path) -> None:
    done = limited(COMMANDS[name], tmp_path)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("iomsim: cannot write '")
    assert name in lines[0]
    assert lines[0].endswith("File too large")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def limited(words: tuple[str, ...], folder: Path) -> Any:
    """Run a command that may write no byte into a file."""
    command = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-m", "iomsim", *words]
    more = environment(PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(command, cwd=folder, env=more, capture_output=True, text=True, input="", check=False)
