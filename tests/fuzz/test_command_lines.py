"""Command lines that nobody would type: they are done or refused in one sentence, and write where they were told to."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from contest_files import election, tally, write
from fuzz.harness import NASTY, SHORT, bytes_like, each, is_a_sentence, lengths, rng, survives
from toys import night_of, toy

import iomsim as iom
from iomsim import cli
from iomsim.charts.report import MARK

SMALL = ("--runs", "20", "--seed", "1")
DRAWN = ("--assumptions", "4")

LINES: tuple[tuple[str, ...], ...] = (
    ("scenarios",),
    ("schema",),
    ("bodies",),
    ("bodies", "who"),
    ("start", "who", "--candidates", "A", "B", "--members", "m.csv", "--reading", "rule-110"),
    ("validate", "race.toml"),
    ("evidence", "race.toml", "--csv"),
    ("show", "race.toml", "--set", "secrecy=0.2", "--swing", "2:all:A", "--turnout", "12"),
    ("show", "race.toml", "--columns"),
    ("leanings", "race.toml", *DRAWN, "--seed", "1", "--csv"),
    ("leanings", "race.toml", "--polling", "poll.csv", "--trust", "0.5", *DRAWN),
    ("pledges", "race.toml", "--pledges", "whip.csv", "--seed", "1"),
    ("forecast", "race.toml", *SMALL, *DRAWN),
    ("forecast", "race.toml", *SMALL, *DRAWN, "--json", "--set", "behaviour.decay=0.3"),
    ("forecast", "race.toml", "--precision", "0.3", "--seed", "1", *DRAWN, "--share", "0.5"),
    ("rerun", "fc.npz"),
    ("rerun", "r.html"),
    ("compare", "race.toml", "--with", "other.toml", *SMALL, *DRAWN),
    ("grid", "secrecy=0:1:3", "decay", "--scenario", "race.toml", *SMALL, "--csv", "new.csv"),
    ("drivers", "race.toml", "--target", "A", "--runs", "200", "--seed", "1", "--assumptions", "20"),
    ("tornado", "race.toml", "--target", "spill", *SMALL, "--csv", "new.csv"),
    ("sobol", "race.toml", "--target", "A", "--runs", "4", "--seed", "1", "--csv", "new.csv"),
    ("pivotal", "race.toml", "--candidate", "A", "--runs", "40", "--seed", "1", *DRAWN, "--csv", "new.csv"),
    ("live", "race.toml", "--particles", "20", "--seed", "1", *DRAWN, "--from", "lines.txt", "--log", "new.jsonl"),
    ("live", "race.toml", "--particles", "20", "--seed", "1", "--assumptions", "fixed"),
    ("replay", "day.jsonl", "--particles", "20", "--seed", "1", *DRAWN),
    ("register", "race.toml", "--out", "new.toml", *SMALL, *DRAWN),
    (
        "score",
        "mine.toml",
        "--winner",
        "A",
        "--rounds",
        "2",
        "--first",
        "8",
        "7",
        "--market",
        "A=0.6",
        "B=40%",
        "--no-ledger",
    ),
    (
        "score",
        "mine.toml",
        "--winner",
        "A",
        "--share",
        "A=0.5",
        "--ended",
        "12:20",
        "--ledger",
        "scores.csv",
        "--again",
    ),
    ("score", "scores.csv"),
    ("history", "--folder", "past", "--by", "candidates", "--csv", "new.csv"),
    ("history", "X", "--folder", "past"),
    ("history", "--like", "60", "40", "--folder", "past", "-n", "2", "--years", "2000+", "--candidates", "2"),
    ("backtest", "X", "--folder", "past", "--particles", "20", "--seed", "1", *DRAWN, "--csv", "new.csv"),
)
"""Command lines that are fine."""

FILES = (
    "race.toml",
    "other.toml",
    "m.csv",
    "whip.csv",
    "poll.csv",
    "fc.npz",
    "r.html",
    "mine.toml",
    "scores.csv",
    "past",
)
MORE_FILES = (
    "day.jsonl",
    "lines.txt",
    "nowhere",
    "no/where.csv",
    "new.png",
    "new.svg",
    ".",
    "",
    "\0",
    "past/tallies.csv",
)

WORDS = (
    *(
        "-1",
        "0",
        "1",
        "2",
        "7",
        "0.5",
        "1e-3",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1_0",
        "\N{FULLWIDTH DIGIT FIVE}",
        "٣",
        "½",
    ),
    *(
        "1000000000000000",
        "9" * 30,
        "9" * 5000,
        "A",
        "B",
        "C",
        "Blue",
        "nobody",
        "still voting",
        "somebody else",
        "spill",
    ),
    *(
        "rounds",
        "fixed",
        "A=1",
        "=",
        "A=",
        "=1",
        "A=nan",
        "A=1e400",
        "secrecy",
        "secrecy=0:1:3",
        "secrecy=0:1:" + "9" * 10,
    ),
    *(
        "secrecy=1:0:0",
        "secrecy=nan:inf:3",
        "decay=0:1:-1",
        "20:all:A",
        "::",
        "-1:x:A",
        "2:Blue:",
        "Monday",
        "Tuesday",
    ),
    *(
        "2023-05-15 12:20",
        "9999-12-31",
        "0001-01-01T00:00",
        "Tuesday 25:00",
        "2000-2015",
        "3+",
        "2-",
        "2/3",
        ">1/2",
        "1/0",
    ),
    *(
        "majority",
        "open",
        "verified",
        "who",
        "2023",
        "minimal",
        "standing",
        "candidates",
        "x.png",
        "x.exe",
        "*",
        "~",
        "-",
    ),
    *(
        "--",
        "---",
        "--help",
        "-h",
        "--version",
        "--x",
        "-o",
        "--=",
        "$HOME",
        "%s",
        "%(prog)s",
        "{}",
        "{0.x}",
        "a\nb\nc",
    ),
)

HOW_MANY = ("--runs", "--particles", "--assumptions", "--jobs", "--precision", "-n")
"""What takes long in earnest when it is large: these are asked for with a few numbers only."""

FEW: dict[str, tuple[str, ...]] = {
    "--precision": ("0.3", "0", "-1", "nan", "inf", "0.5", "x", ""),
    "--jobs": ("1", "0", "-1", "x", "1.5", "1000000000000000", "9" * 30),
}
NUMBERS = (
    "0",
    "-1",
    "1",
    "3",
    "20",
    "x",
    "",
    "1.5",
    "nan",
    "1e3",
    "1_0",
    "fixed",
    "1000000000000000",
    "9" * 30,
    "9" * 5000,
)

FINE = ("A=8 B=7 at 12:20", "next", "undo", "A: 8; B: 7", "learned", "history", "help", "# nothing")
TYPED = (*FINE, "A: 9; B: 6", "withdraw B", "A is elected")


@cache
def folder() -> Path:
    """Return a folder with a file of every kind."""
    place = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    race = toy(15, "AB", behaviour={"absent": 0.05})
    race.save(place / "race.toml")
    toy(15, "AB", behaviour={"absent": 0.2}).save(place / "other.toml")
    names = race.members["name"].tolist()
    (place / "m.csv").write_text("name,group\n" + "".join(f"{name},Blue\n" for name in names), encoding="utf-8")
    (place / "whip.csv").write_text(f"member,candidate,kind,date,source\n{names[0]},A,signed,2023-05-01,me\n", "utf-8")
    (place / "poll.csv").write_text(f"member,A,B\n{names[1]},0.7,0.3\n", encoding="utf-8")
    fc = iom.forecast(race, 20, 1, assumptions=4, progress=False)
    fc.save(place / "fc.npz")
    (place / "r.html").write_text(f"<html>{MARK}{{}}</script></html>", encoding="utf-8")
    iom.score(iom.register(fc, place / "mine.toml"), winner="A", ledger=place / "scores.csv")
    night_of(race, 20, seed=1, log=place / "day.jsonl").tell("A=8 B=7 at 12:20")
    (place / "lines.txt").write_text("\n".join(FINE), encoding="utf-8")
    (place / "past").mkdir()
    write(place / "past", [election()], tally(1, {"A": 60, "B": 40}) + tally(2, {"A": 70, "B": 30}))
    return place


@cache
def options() -> dict[str, list[str]]:
    """Return the options of every command, as the parser has them."""
    [commands] = [action for action in cli.parser()._actions if isinstance(action.choices, dict)]
    return {
        name: [text for action in sub._actions for text in action.option_strings]
        for name, sub in dict(commands.choices or {}).items()
    }


def typed(chance: random.Random) -> list[str]:
    """Return a command line, changed in a few places."""
    words = list(chance.choice(LINES))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        at = chance.randrange(len(words) + 1)
        match chance.randrange(8):
            case 0 if len(words) > 1:
                del words[at - 1]
            case 1:
                words.insert(
                    at, chance.choice(_own([chance.choice(list(options()))] if chance.random() < 0.2 else words))
                )
            case 2:
                words[at - 1] = chance.choice(FILES + MORE_FILES)
            case 3:
                words.insert(at, words[at - 1])
            case 4:
                words[at - 1] = words[at - 1][: chance.randrange(len(words[at - 1]) + 1)]
            case 5:
                words += [chance.choice(_own(words)), _word(chance)]
            case _:
                words[at - 1] = _word(chance)
    return _few(chance, words)


def _own(words: list[str]) -> list[str]:
    """Return the options of the command of a line, or of all."""
    return options().get(words[0]) or ["--help"] if words else ["--version"]


def _word(chance: random.Random) -> str:
    nasty = [word for word in NASTY if isinstance(word, str)]
    return chance.choice(nasty) if chance.random() < 0.3 else chance.choice(WORDS)


def _few(chance: random.Random, words: list[str]) -> list[str]:
    """Return a line that asks for few elections, or for so many that nobody has the memory or the time."""
    out: list[str] = []
    for word in words:
        option = out[-1].partition("=")[0] if out else ""
        long = [name for name in HOW_MANY if len(option) > 2 and name.startswith(option)] or [option]
        known = word in ("1", "2", "4", "20", "40", "200", "0.3", "fixed")
        if long[0] in HOW_MANY and not known and not word.startswith("--"):
            word = chance.choice(FEW.get(long[0], NUMBERS))
        out.append(word)
    return [word for word in out if "=" not in word or word.partition("=")[0] not in HOW_MANY]


class Watched:
    """What is opened to be written to, wherever it is."""

    paths: list[str] | None = None
    hooked = False

    @classmethod
    def hook(cls, event: str, arguments: tuple[Any, ...]) -> None:
        if cls.paths is not None and event == "open" and isinstance(arguments[0], (str, bytes)):
            flags = arguments[2] if len(arguments) > 2 else 0
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                cls.paths.append(os.fsdecode(arguments[0]))


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Tell which files are written meanwhile."""
    if not Watched.hooked:
        sys.addaudithook(Watched.hook)
        Watched.hooked = True
    Watched.paths = paths = []
    try:
        yield paths
    finally:
        Watched.paths = None


def run(words: list[str], stdin: str) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code and what it prints."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in range(2))
    before, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            try:
                code = cli.main(words)
            except SystemExit as left:
                code = int(left.code or 0)
    finally:
        sys.stdin = before
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return code, texts[0], "\n".join(line.rpartition("\r")[2] for line in texts[1].split("\n"))  # no progress bar


def complaint(text: str) -> None:
    """Fail unless what was said on stderr are sentences: ours, or those of the parser after what can be typed."""
    assert not text.strip() or text.startswith(("iomsim: ", "refused: ", "usage: ")), text
    said = text.partition(": error: ")[2] if text.startswith("usage:") else text
    for line in [part for part in said.split("\niomsim: ") if part.strip()]:
        for refused in line.split("refused: "):
            if refused.strip():
                is_a_sentence(refused.strip("\n").removeprefix("iomsim: "))


def case(number: int) -> None:
    """Run a command line: its exit code is 0, 1 or 2, and it writes into its folder only."""
    chance = rng("command lines", number)
    words, start = typed(chance), os.getcwd()
    with tempfile.TemporaryDirectory() as parent:
        place = Path(parent) / "here"
        shutil.copytree(folder(), place)
        if chance.random() < 0.15:
            path = place / chance.choice([name for name in FILES if name != "past"])
            path.write_bytes(bytes_like(chance, path.read_bytes()))
        lines = "\n".join(chance.choice(TYPED + WORDS) for _ in range(chance.randrange(4)))
        os.chdir(place)
        try:
            with watched() as paths:
                code, out, err = survives(lambda: run(words, lines)) or (None, "", "")
        finally:
            os.chdir(start)
        assert code in (0, 1, 2), (code, words)
        outside = [path for path in paths if not Path(os.path.abspath(place / path)).is_relative_to(place)]
        assert not [path for path in outside if path not in ("/dev/null", "/dev/tty")], (outside, words)
        assert os.listdir(parent) == ["here"]
        assert not list(place.rglob(".*")), "something is left behind"
    complaint(err)
    if code == 2:
        assert err.strip(), words
    assert code != 1 or words[0] in ("validate", "rerun", "live"), words
    assert "Traceback" not in out


@lengths(SHORT // 2)
def test_command_lines(numbers: range) -> None:
    each(numbers, case)


@pytest.mark.fuzz
@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_what_is_changed_is_fine_before(words: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as parent:
        place = shutil.copytree(folder(), Path(parent) / "here")
        with contextlib.chdir(place):
            code, _, err = run(list(words), "A=8 B=7 at 12:20\nhelp\n")
    assert code == 0 or words == ("rerun", "r.html"), err
