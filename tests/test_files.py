"""Files as a whole, and messages that may be shown anywhere."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pandas as pd
import pytest

import iomsim
from iomsim import files
from iomsim.errors import LONGEST, FileError, IomsimError, presentable, quote
from iomsim.files import as_meant, csv_text, harmless, write_whole


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


# -- writing ---------------------------------------------------------------------------------------


@pytest.fixture(params=["locks", "no locks"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there already, on a machine that can lock files or cannot."""
    if request.param == "no locks":
        monkeypatch.setattr(files, "fcntl", None)
    place = tmp_path / "place.txt"
    place.write_text("old", encoding="utf-8")
    return place


def test_what_was_there_is_replaced(place: Path) -> None:
    write_whole(place, "neu é\r\n")
    assert place.read_bytes() == "neu é\r\n".encode()
    assert names(place.parent) == ["place.txt"]


def test_what_was_there_stays_when_the_disk_is_full(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(FileError, match=r"cannot write '.*place\.txt': No space left on device"):
        write_whole(place, "new")
    assert place.read_text(encoding="utf-8") == "old"
    assert names(place.parent) == ["place.txt"]


def test_a_disk_elsewhere_may_say_late_that_it_is_full(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody waits for the disk it is asked once more, as the file is closed, before what was there goes."""
    closed = files.os.close

    def full(handle: int) -> None:
        closed(handle)
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(files.os, "close", full)
    with pytest.raises(FileError, match="Disk quota exceeded"):
        write_whole(place, "new", keep_on_power_loss=False)
    monkeypatch.undo()
    assert place.read_text(encoding="utf-8") == "old"
    assert names(place.parent) == ["place.txt"]


def test_what_was_there_stays_after_an_interrupt(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(place, "new")
    assert place.read_text(encoding="utf-8") == "old"
    assert names(place.parent) == ["place.txt"]


def test_modes_stay(place: Path) -> None:
    place.chmod(0o640)
    write_whole(place, "new")
    assert stat.S_IMODE(place.stat().st_mode) == 0o640


def test_a_link_is_followed(place: Path) -> None:
    link = place.with_name("link")
    link.symlink_to(place.name)
    write_whole(link, "new")
    assert link.is_symlink()
    assert place.read_text(encoding="utf-8") == "new"


def test_a_device_is_written_to() -> None:
    write_whole("/dev/null", "gone")
    assert Path("/dev/null").is_char_device()


def test_what_a_killed_process_left_is_used_up(place: Path) -> None:
    place.with_name(".place.txt.part").write_text("half of a much longer te", encoding="utf-8")
    write_whole(place, "new")
    assert place.read_text(encoding="utf-8") == "new"
    assert names(place.parent) == ["place.txt"] or not files.fcntl


@pytest.mark.skipif(not files.fcntl, reason="no locks on this system")
def test_two_who_write_the_same_do_not_meet(tmp_path: Path) -> None:
    place = tmp_path / "place.txt"
    with files._beside(place) as (one, first):
        first.write(b"one")
        write_whole(place, "two")
        assert place.read_text(encoding="utf-8") == "two"
        first.flush()
        os.replace(one, place)
    assert place.read_text(encoding="utf-8") == "one"
    assert names(tmp_path) == ["place.txt"]


def test_a_part_is_no_way_to_another_file(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious", encoding="utf-8")
    (tmp_path / ".place.txt.part").symlink_to(tmp_path / "precious")
    write_whole(tmp_path / "place.txt", "new")
    assert (tmp_path / "place.txt").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "precious"


posix = pytest.mark.skipif(not files.fcntl, reason="no locks and no limits on this system")


@posix
@pytest.mark.parametrize("most", [0, 1, 4096, 99_999])
def test_what_was_there_stays_when_files_may_be_no_longer(tmp_path: Path, most: int) -> None:
    resource = pytest.importorskip("resource")
    write_whole(tmp_path / "place.txt", "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(FileError, match=r"cannot write '.*place\.txt': File too large"):
            write_whole(tmp_path / "place.txt", "x" * 100_000, keep_on_power_loss=most > 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "place.txt").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["place.txt"]


@posix
def test_who_was_killed_with_two_names_for_a_new_file_loses_it_not(tmp_path: Path) -> None:
    """The name beside its place is one of the file in place: nobody may empty it, and nobody needs it."""
    place = tmp_path / "place.txt"
    for save in (lambda: write_whole(place, "x", new=True), lambda: write_whole(place, "newer")):
        place.write_text("registered", encoding="utf-8")
        os.link(place, tmp_path / ".place.txt.part")
        other = tmp_path / "other name"
        os.link(place, other)
        with suppress(FileError):
            save()
        assert other.read_text(encoding="utf-8") == "registered"
        other.unlink()
        assert names(tmp_path) == ["place.txt"]
    assert place.read_text(encoding="utf-8") == "newer"


@posix
def test_many_who_write_the_same_leave_nothing_behind(tmp_path: Path) -> None:
    """Also those who were killed while others wrote; what is no part of ours is left alone."""
    place = tmp_path / "place.txt"
    with ExitStack() as others:
        for _ in range(files.WRITERS + 2):
            others.enter_context(files._beside(place))
        write_whole(place, "mine")
        assert len(names(tmp_path)) == files.WRITERS + 3
    for number in (1, 3, 4):
        (tmp_path / f".place.txt.{number}.part").write_text("half", encoding="utf-8")
    os.mkfifo(tmp_path / ".place.txt.part")
    (tmp_path / ".place.txt.2.part").mkdir()
    write_whole(place, "mine again")
    assert names(tmp_path) == [".place.txt.2.part", ".place.txt.part", "place.txt"]
    assert place.read_text(encoding="utf-8") == "mine again"


def test_who_comes_later_keeps_the_name_that_was_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our file taking its place and our going, the name beside it is free: another may have it by then."""
    part, real = tmp_path / ".place.txt.part", os.replace

    def replaced(one: Path, other: Path) -> None:
        real(one, other)
        part.write_text("another's", encoding="utf-8")

    monkeypatch.setattr(files.os, "replace", replaced)
    write_whole(tmp_path / "place.txt", "mine")
    assert part.read_text(encoding="utf-8") == "another's"


@posix
def test_links_to_one_another_are_no_place(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FileError, match="symbolic links"):
        write_whole(tmp_path / "a", "new")
    assert names(tmp_path) == ["a", "b"]


def test_a_folder_is_not_kept_for_oneself(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(FileError, match=r"cannot write '.*here': Is a directory"), files.alone(tmp_path / "here"):
        pass
    assert names(tmp_path) == ["here"]


@posix
def test_a_full_device_says_so() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no such device here")
    with pytest.raises(FileError, match="cannot write '/dev/full': No space left on device"):
        write_whole("/dev/full", "x")


@posix
@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_what_is_open_already_goes_on_where_it_was(path: str, tmp_path: Path) -> None:
    """The shell opened the file: what comes before and after on stdout stays."""
    if path.startswith("/proc") and not Path(path).exists():
        pytest.skip("no such path here")
    code = f"from iomsim.files import write_whole; print('one'); write_whole({path!r}, 'two\\n'); print('three')"
    with (tmp_path / "out.txt").open("w", encoding="utf-8") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").split() == ["one", "two", "three"]


def test_what_fails_while_it_is_written_leaves_nothing(place: Path) -> None:
    with pytest.raises(TypeError), files.whole(place) as file:
        file.writelines([b"new", 7])  # type: ignore[list-item]
    assert place.read_text(encoding="utf-8") == "old"
    assert names(place.parent) == ["place.txt"]


@pytest.mark.parametrize("name", ["", "no/such/folder", "a\0b", "\ud800", "x" * 300])
def test_places_that_cannot_be(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot write "):
        write_whole(tmp_path / name, "new")
    assert not names(tmp_path)


def test_half_a_sign_is_no_text(place: Path) -> None:
    with pytest.raises(FileError, match="half a sign is no text"):
        write_whole(place, "\ud800")
    assert place.read_text(encoding="utf-8") == "old"


def test_a_long_name_that_can_be(tmp_path: Path) -> None:
    write_whole(tmp_path / ("é" * 125), "new")
    assert len(names(tmp_path)) == 1


# -- csv -------------------------------------------------------------------------------------------

CELLS = (
    "=1+1",
    "+x",
    "-x",
    "@x",
    "\tx",
    "'=1",
    "''-x",
    "'Chad'",
    "-5",
    "-5.5e3",
    "1",
    "",
    "a,b",
    'a"b',
    "a\r\nb",
    "-inf",
    " =1",
    "\u3000@x",
    "\uff1d1+1",
)


@pytest.mark.parametrize("cell", CELLS)
def test_cells_come_back_as_they_were(cell: str) -> None:
    assert as_meant(harmless(cell)) == cell
    assert harmless(cell) == cell or harmless(cell) == f"'{cell}"
    begins = unicodedata.normalize("NFKC", harmless(cell)).lstrip()[:1]
    assert begins not in ("=", "+", "-", "@") or float(cell)  # as spreadsheets see it


def test_no_cell_is_a_formula() -> None:
    table = pd.DataFrame(
        {"=a": list(CELLS), "x": range(len(CELLS))}, index=pd.Index([f"@{i}" for i in CELLS], name="-n")
    )
    text = csv_text(table)
    assert text.startswith("'-n,'=a,x\n'@=1+1,'=1+1,0\n")
    assert "\n'@-5,-5,8\n" in text


def test_a_harmless_table_is_written_as_pandas_does() -> None:
    table = pd.DataFrame({"name": ["Chad", "a, b", 'a "b"', None], "x": [0.1, 1e-9, float("nan"), 2.0]})
    assert csv_text(table) == table.to_csv()
    assert csv_text(table.set_index("name").T) == table.set_index("name").T.to_csv()


# -- messages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [*"\x1b\x07\r\x9b\u202e\u2066\u2028\ud800\u061c\u200e\u200f"])
def test_nothing_in_a_message_steers_a_terminal(sign: str) -> None:
    text = str(IomsimError(f"no member named {sign}[2J"))
    assert sign not in text
    assert text.encode()


def test_letters_of_all_scripts_stay() -> None:
    text = "no member named Åland, Қазақстан, مصر, 中国 \N{ZERO WIDTH JOINER}"
    assert presentable(text) == text


def test_a_message_is_short() -> None:
    text = str(IomsimError("\n".join([f"{'x' * 100_000}"] * 100)))
    assert len(text.splitlines()) == 5
    assert text.endswith("... and 96 more")
    assert len(text) < 5_000


def test_what_is_quoted_is_short() -> None:
    values: tuple[object, ...] = ("a" * 10**6, b"a" * 10**6, list(range(10**5)), 10**5000, {"a": 10**5000})
    assert all(5 < len(quote(value)) <= LONGEST for value in values)


def test_what_cannot_be_written_is_named() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert quote(deep) == "a list"


def repeated(tree: ast.AST) -> list[int]:
    """Return the lines of a module on which a text repeats a value as Python writes it, cut by nothing."""
    own = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__repr__"]
    shown = {id(part) for node in own for part in ast.walk(node)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue) and node.conversion == ord("r") and id(node) not in shown
    ]


def test_a_value_that_is_repeated_uncut_is_seen() -> None:
    assert repeated(ast.parse("raise ValueError(f'got {x!r}')")) == [1]
    assert not repeated(ast.parse("class A:\n  def __repr__(self): return f'{self.x!r}'"))


def test_messages_repeat_what_is_not_ours_through_one_function() -> None:
    ours = ("__init__.py",)  # of modules: what a programmer mistyped
    found = {
        str(path): repeated(ast.parse(path.read_text(encoding="utf-8")))
        for path in Path(iomsim.__file__).parent.rglob("*.py")
        if path.name not in ours
    }
    assert not {path: lines for path, lines in found.items() if lines}


@pytest.mark.parametrize(
    ("what", "called", "write"),
    [
        ("a registration", ".toml", lambda place: iomsim.register(iomsim.load("minimal"), place, runs=50, seed=1)),
        ("a scenario", ".toml", lambda place: iomsim.load("minimal").save(place)),
        ("a page", ".html", lambda place: iomsim.report(iomsim.forecast(iomsim.load("minimal"), 50, 1), place)),
        ("a page", ".html", lambda place: iomsim.interactive(iomsim.load("minimal"), place)),
    ],
)
def test_no_file_is_called_like_one_of_another_kind(
    what: str, called: str, write: Callable[[Path], object], tmp_path: Path
) -> None:
    with pytest.raises(FileError, match=rf"cannot write '.*mine\.json': {what} is called \{called}$"):
        write(tmp_path / "mine.json")
    assert not list(tmp_path.iterdir())
