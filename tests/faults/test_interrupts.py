"""Ctrl-C and SIGTERM at random moments: nothing that was finished is lost, one line is said, nobody stays behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults.scripts import ENOUGH, environment, told_by

pytestmark = [pytest.mark.faults, pytest.mark.skipif(os.name != "posix", reason="needs signals")]


@pytest.mark.parametrize("kind", ["forecast", "study", "tornado", "live"])
def test_at_thirty_random_moments(kind: str, tmp_path: Path) -> None:
    told = told_by("interrupting", kind, tmp_path)
    assert told["wrong"] == []
    assert sum(told["became"].values()) >= 30
    assert set(told["became"]) - {"whole", "3 events"}  # some moments fell into the work


def ended_by(sent: signal.Signals, after: float, *words: str) -> tuple[int, str, str, list[str]]:
    """Run a command as the leader of a group of processes, and send them a signal, as a terminal does.

    Returns the exit code, what was printed, what was said on stderr without the bar, and who of the group lives on.
    """
    command = [sys.executable, "-m", "iomsim", *words]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            has_begun(process)
            time.sleep(after)
            if process.poll() is None:
                os.killpg(process.pid, sent)
            out, err = process.communicate(timeout=ENOUGH)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    said = [line for line in err.replace("\r", "\n").splitlines() if line.strip() and "runs/s" not in line]
    return process.returncode, out, "\n".join(line for line in said if "?runs/s" not in line), left_of(process.pid)


def has_begun(process: subprocess.Popen[str]) -> None:
    """Wait until a command is past what Python does at its start, which prints a traceback of its own."""
    maps = Path(f"/proc/{process.pid}/maps")
    for _ in range(1000):
        if not maps.parent.exists() or "numpy" in maps.read_text():
            return
        time.sleep(0.01)


def left_of(group: int) -> list[str]:
    """Return who of a group of processes is there a moment after its leader has ended; who tracks resources may be."""
    for _ in range(100):
        ps = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(maxsplit=2) for line in ps.stdout.splitlines()]
        left = [" ".join(row) for row in rows if row[0] == str(group) and not row[1].startswith("Z")]
        if not left:
            return []
        time.sleep(0.1)
    return left


COMMANDS = {
    "forecast": ("forecast", "minimal", "--runs", "3000000"),
    "forecast, two processes": ("forecast", "minimal", "--runs", "3000000", "--jobs", "2"),
    "tornado, two processes": ("tornado", "minimal", "--runs", "200000", "--jobs", "2"),
    "replay": ("replay", "2023", "--particles", "60000"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_ends_with_130_and_one_line(name: str) -> None:
    chance = random.Random(name)
    for after in (0.0, chance.uniform(0.0, 2.0), chance.uniform(2.0, 7.0)):
        code, out, said, left = ended_by(signal.SIGINT, after, *COMMANDS[name])
        if code == 0:
            continue  # it was done before
        assert (code, left) == (130, [])
        assert said.startswith("iomsim: interrupted"), said
        assert len(said.splitlines()) == 1, said
        assert bool(out) <= ((name.startswith("forecast") and "interrupted after" in said) or name == "replay")


def test_sigterm_ends_a_command_and_its_processes() -> None:
    for after in (0.0, 3.0, 6.0):
        code, out, said, left = ended_by(signal.SIGTERM, after, *COMMANDS["forecast, two processes"])
        assert code in (143, -signal.SIGTERM)
        assert (out, said, left) == ("", "", [])


def test_who_is_killed_leaves_no_processes() -> None:
    """Only who gave the command: its workers leave by themselves."""
    words = COMMANDS["forecast, two processes"]
    command = [sys.executable, "-m", "iomsim", *words]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        time.sleep(5.0)
        process.kill()
    assert left_of(process.pid) == []
