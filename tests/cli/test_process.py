"""The process around the command: streams that are closed or full, readers that leave, Ctrl-C while it imports."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from command import Captured, iomsim

from iomsim import __main__ as process
from iomsim.cli import common

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs a shell")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")


def shell(line: str) -> tuple[int, str, str]:
    """Run a line in which ``iomsim`` is the command; return its exit code, and what it printed and said."""
    line = line.replace("iomsim ", f"{shlex.quote(sys.executable)} -m iomsim ")
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=ROOT, check=False)
    return done.returncode, done.stdout, done.stderr


SHORT = "minimal --runs 300"


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        (f"iomsim forecast {SHORT} >&-", 0, "", ""),
        (f"iomsim forecast {SHORT} 2>&- | tail -1", 0, "iomsim ", ""),
        (f"iomsim forecast {SHORT} --jobs 2 <&- >&- 2>&-", 0, "", ""),
        ("iomsim live minimal --particles 100 <&- | head -1", 0, "An election", ""),
        ("iomsim live minimal --particles 100 <&- >&-", 0, "", ""),
        ("iomsim forecast nowhere >&- 2>&-", 2, "", ""),
        ("set -o pipefail; iomsim evidence 2>&1 | head -1", 0, " ", ""),
        ("set -o pipefail; iomsim forecast nowhere 2>&1 >&- | true", 2, "", ""),
        ("PYTHONIOENCODING=ascii iomsim leanings --assumptions 4 | grep Ivoire", 0, "C\\xf4te d'Ivoire", ""),
        pytest.param(
            "iomsim evidence > /dev/full",
            2,
            "",
            "iomsim: cannot write the output: No space left on device\n",
            marks=FULL,
        ),
        pytest.param("iomsim forecast nowhere 2> /dev/full", 2, "", "", marks=FULL),
        pytest.param(
            "iomsim leanings minimal --assumptions 4 > /dev/null; iomsim grid secrecy=0:1:2 --runs 10 --csv /dev/full",
            2,
            "With secrecy",
            "iomsim: cannot write '/dev/full': No space left on device\n",
            marks=FULL,
        ),
    ],
)
def test_streams(line: str, code: int, out: str, err: str) -> None:
    found = shell(line)
    assert (found[0], found[2]) == (code, err)
    assert out in found[1]
    assert bool(out) == bool(found[1])


def test_closed_streams_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert iomsim("forecast", "minimal", "--runs", 50) == 0
    streams = sys.stdin, sys.stdout, sys.stderr
    assert all(stream.name == os.devnull for stream in streams)
    print("\udc80")
    for stream in streams:
        stream.close()


def test_a_complaint_that_nobody_hears_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, _: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    common.complain("help")


def test_the_command_is_this_process() -> None:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    scripts = parser["options.entry_points"]["console_scripts"].split("\n")
    assert "iomsim = iomsim.__main__:main" in scripts


def test_little_is_imported_before_ctrl_c_is_taken_care_of() -> None:
    program = "import sys, iomsim.__main__; print(sorted(name for name in sys.modules if name.startswith('iomsim')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "['iomsim', 'iomsim.__main__', 'iomsim._version']\n"


def test_while_it_imports_ctrl_c_ends_it_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    left, said = [], []
    monkeypatch.setattr(os, "_exit", left.append)
    monkeypatch.setattr(os, "write", lambda *what: said.append(what))
    process._leave()
    assert (left, said) == ([130], [(2, b"iomsim: interrupted\n")])


def test_interrupted_again_while_it_says_so_it_says_no_more(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def twice() -> int:
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        raise KeyboardInterrupt

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr("iomsim.cli.main", twice)
    monkeypatch.setattr(process, "open_streams", lambda: None)
    try:
        assert process.main() == 130
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
        assert ended.value.code == 143
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
    assert capsys.readouterr() == ("", "")
