"""Files as a whole: what is written takes its place in one step, so that nobody ever sees, or is left with, half of it.

Everything that iomsim writes goes through :func:`whole`: the content is written beside its place, and then
renamed.  Whatever goes wrong before - a full disk, Ctrl-C, a process that is killed - what was there stays.
"""

from __future__ import annotations

import csv
import errno
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from iomsim.errors import FileError, quote_path, reason, writing
from iomsim.interrupts import interrupts_welcome, uninterrupted

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be renamed or replaced either
    fcntl = None  # type: ignore[assignment]

FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that some spreadsheet would compute: with spaces, or with wide signs, too."""

CELL, NEEDS_QUOTES = re.compile(r'"((?:[^"]|"")*)"'), re.compile(r'[",\r\n]')
"""A cell of csv in quotes, and what a cell holds that needs them."""

WRITERS = 8
"""Processes that may write one file at once and leave nothing behind, even where they are killed."""

PAGES = (".html", ".htm", "")
"""How the name of a page ends."""

LONGEST_NAME = 255
"""Bytes of a name in a folder."""

PATIENCE = 10.0
"""Seconds to wait for somebody else who is writing."""

OPEN_ALREADY = re.compile(r"/dev/std(out|err)|(?:/dev|/proc/self)/fd/(\d+)")
"""Paths of what this process has open: what is written there goes on where it was."""


def read_bytes(path: Path, what: str | None = None, most: int | None = None) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    path : Path
        The file.
    what : str, optional
        What it is called in messages; default its path.
    most : int, optional
        How many bytes it may have; default any number.

    Raises
    ------
    FileError
        If it cannot be read, or is larger: why, in a sentence.
    """
    what = what or quote_path(path)
    try:
        with path.open("rb") as file:
            data = file.read() if most is None else file.read(most + 1)
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {what}: {reason(error)}") from None
    if most is not None and len(data) > most:
        raise FileError(f"cannot read {what}: it has more than {most // 10**6} MB, the most that is read")
    return data


def write_whole(path: str | Path, content: str | bytes, *, new: bool = False, keep_on_power_loss: bool = True) -> None:
    """Write a file as a whole.

    Parameters
    ----------
    path, new, keep_on_power_loss
        As for :func:`whole`.
    content : str or bytes
        What is in it; texts are written in UTF-8, with the line ends they have.

    Raises
    ------
    FileError
        If it cannot be written, or must not be there and is.  What was there is as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder) / "answer.txt"
    ...     write_whole(place, "Probably not.")
    ...     place.read_text(encoding="utf-8"), [file.name for file in Path(folder).iterdir()]
    ('Probably not.', ['answer.txt'])
    """
    with writing(path):
        data = content.encode() if isinstance(content, str) else content
    with whole(path, new=new, keep_on_power_loss=keep_on_power_loss) as file:
        file.write(data)


@contextmanager
def whole(path: str | Path, *, new: bool = False, keep_on_power_loss: bool = True) -> Iterator[BinaryIO]:
    """Open a file that takes its place as a whole, once all that is in it was written without an error.

    Ctrl-C waits until it is there; the second time it comes at once.

    Parameters
    ----------
    path : str or Path
        Its place.  A link is followed; what is no file, such as ``/dev/stdout``, is written to.
    new : bool
        Whether it must not be there yet.
    keep_on_power_loss : bool
        Whether to wait until the disk has it; many small files, each of which can be made again, need not.

    Raises
    ------
    FileError
        If it cannot be written, is write-protected, or must not be there and is.  What was there is as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder) / "numbers.txt"
    ...     with whole(place) as file:
    ...         _ = file.write(b"1 2 3")
    ...         place.exists()
    ...     place.exists()
    False
    True
    """
    with writing(path):
        place = Path(path)
        if new:
            refuse_existing(place)
        if (open_already := _open_already(place)) is not None or (place.exists() and not place.is_file()):
            with open(place if open_already is None else open_already, "wb") as file:  # a folder says that it is one
                yield file
            return
        place = Path(os.path.realpath(place))
        _check(place)
        with _beside(place) as (part, file):
            yield file
            file.flush()
            if keep_on_power_loss:
                os.fsync(file.fileno())
            else:
                os.close(os.dup(file.fileno()))  # a disk elsewhere says only now that it is full
            if not fcntl:
                file.close()
            if new:
                _name(part, place)
            else:
                os.replace(part, place)
        if keep_on_power_loss:
            _keep_names(place.parent)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep every other process that asks for the same from writing a file meanwhile.

    Raises
    ------
    FileError
        If somebody else does not finish, or the folder cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with alone(Path(folder) / "scores.csv"):
    ...         [file.name for file in Path(folder).iterdir()]
    ...     list(Path(folder).iterdir())
    ['.scores.csv.lock']
    []
    """
    with uninterrupted():
        with writing(path):
            place = Path(os.path.realpath(path))
            _check(place)
            lock, until = _named_beside(place, ".lock"), time.monotonic() + PATIENCE
            while (held := _claimed(lock)) is None:
                if time.monotonic() > until:
                    cure = f"if nobody is, delete {quote_path(lock)}"
                    raise FileError(f"somebody else is writing {quote_path(path)}; {cure}")
                with interrupts_welcome():
                    time.sleep(0.01)
        try:
            yield
        finally:
            _close(held, lock)


def write_csv(path: str | Path, table: Any, index: bool = True) -> None:
    """Write a frame as csv in UTF-8, as a whole; see :func:`csv_text`."""
    write_whole(path, csv_text(table, index))


def csv_text(table: Any, index: bool = True) -> str:
    r"""Return a frame as csv in which no text is a formula: one that looks so has a ``'`` in front, as spreadsheets do.

    Examples
    --------
    >>> import pandas as pd
    >>> csv_text(pd.DataFrame({"name": ["=1+1", "-5", "Chad"], "lean": [-0.5, 0.0, 0.5]}), index=False)
    "name,lean\n'=1+1,-0.5\n-5,0.0\nChad,0.5\n"
    """
    quoted = table.to_csv(index=index, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    return CELL.sub(lambda cell: _as_short(harmless(cell[1].replace('""', '"'))), quoted)


def _as_short(cell: str) -> str:
    """Return a cell as csv has it, in quotes where it needs them."""
    return '"{}"'.format(cell.replace('"', '""')) if NEEDS_QUOTES.search(cell) else cell


def harmless(cell: str) -> str:
    """Return a text as a cell that no spreadsheet computes; :func:`as_meant` gives it back."""
    if not FORMULA.match(cell):
        return cell
    with suppress(ValueError):
        float(cell)
        return cell
    return f"'{cell}"


def as_meant(cell: str) -> str:
    """Return the text that :func:`harmless` wrote.

    Examples
    --------
    >>> [as_meant(harmless(cell)) for cell in ("=1+1", "'=1+1", "-5", "Chad", "'Chad'")]
    ['=1+1', "'=1+1", '-5', 'Chad', "'Chad'"]
    """
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _check(place: Path) -> None:
    """Refuse what the error of a file beside a place would not say well."""
    for unfit, number in ((place.is_symlink(), errno.ELOOP), (place.is_dir(), errno.EISDIR)):
        if unfit:
            raise OSError(number, os.strerror(number))
    if place.exists() and not os.access(place, os.W_OK):
        raise FileError(f"cannot write {quote_path(place)}: it is write-protected")


def _open_already(place: Path) -> int | None:
    """Return the descriptor that a path stands for, made anew so that it can be closed; None if it is another path."""
    found = OPEN_ALREADY.fullmatch(os.path.abspath(place)) if os.name == "posix" else None
    if not found:
        return None
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # there is none, or it is closed
            stream.flush()
    return os.dup(int(found[2] or {"out": 1, "err": 2}[found[1]]))


@contextmanager
def _beside(place: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a file beside a place, which is gone in the end, whatever happened.

    Who writes has it locked.  So what a killed process left is told from what is in use, and is cleared away by the
    next who writes to the same place.
    """
    with uninterrupted():  # between a name that is made and the care for it, too
        parts = _parts(place)
        for part in parts:
            if file := _claimed(part):
                break
        else:
            part = _named_beside(place, f".{token_hex(4)}.part")
            file = open(part, "xb")  # noqa: SIM115
        try:
            for other in parts:
                if other != part:
                    clear_left(other)
            _like(part, place)
            yield part, file
        finally:
            _close(file, part)


def _close(file: BinaryIO, part: Path) -> None:
    """Close a file and take away the name that it had meanwhile, unless another file has that name by now."""
    with suppress(OSError):
        if file.closed or os.path.samestat(os.stat(part, follow_symlinks=False), os.fstat(file.fileno())):
            part.unlink()
    with suppress(OSError):  # a full disk says so again, about what is not wanted any more
        file.close()


def _parts(place: Path) -> list[Path]:
    return [_named_beside(place, f".{n}.part" if n else ".part") for n in range(WRITERS)]


def _named_beside(place: Path, end: str) -> Path:
    """Return a hidden name beside a place."""
    name = os.fsencode(place.name)[: LONGEST_NAME - len(end) - 1].decode(errors="ignore")
    return place.with_name(f".{name}{end}")


def _like(part: Path, place: Path) -> None:
    """Give a file the mode and the owner of the file that is at a place, as far as we may."""
    with suppress(OSError):
        there = place.stat()
        if hasattr(os, "chown"):
            for owner, group in ((-1, there.st_gid), (there.st_uid, -1)):
                with suppress(OSError):
                    os.chown(part, owner, group)
        os.chmod(part, there.st_mode & 0o7777)


def _claimed(part: Path) -> BinaryIO | None:
    """Make a file that nobody else has, and lock it until it is closed; None if somebody else has it."""
    for _ in range(3):
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            number = os.open(part, flags, 0o666)
        except FileExistsError:
            if clear_left(part):
                continue
            return None
        if not fcntl or _locked(number, part):
            return os.fdopen(number, "wb")
        os.close(number)  # somebody has just cleared it away
    return None


def clear_left(part: Path) -> bool:
    """Clear away what a killed process left, if nobody has it; return whether the name is free."""
    if not fcntl:
        return False
    try:
        number = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        if stat.S_ISREG(os.fstat(number).st_mode) and _locked(number, part, must=True):
            part.unlink()
            return True
    except OSError:
        pass
    finally:
        os.close(number)
    return False


def _locked(number: int, part: Path, must: bool = False) -> bool:
    """Lock an open file and return whether it has this name and is ours; where there are no locks, unless it `must`."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return not must
    try:
        return os.path.samestat(os.stat(part, follow_symlinks=False), os.fstat(number))
    except FileNotFoundError:
        return False


def _name(part: Path, place: Path) -> None:
    """Give a file its name, unless another has it."""
    try:
        os.link(part, place)
    except FileExistsError:
        refuse_existing(place)
    except OSError:  # no second names here
        refuse_existing(place)
        os.rename(part, place)


def _keep_names(folder: Path) -> None:
    """Wait until the disk has the names in a folder, if it can tell."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def refuse_another_kind(path: str | Path, what: str, *ends: str) -> None:
    """Refuse a name that ends as that of another kind of file does.

    Examples
    --------
    >>> refuse_another_kind("mine.json", "a registration", ".toml")
    Traceback (most recent call last):
    iomsim.errors.FileError: cannot write 'mine.json': a registration is called .toml
    """
    if Path(path).suffix.casefold() not in ends:
        raise FileError(f"cannot write {quote_path(path)}: {what} is called {ends[0]}")


def refuse_existing(path: Path) -> None:
    """Refuse to write where something is."""
    if os.path.lexists(path):
        for part in _parts(path):
            clear_left(part)  # a second name of what is there, if a process was killed that had just given it the first
        raise FileError(f"{quote_path(path)} exists already and is not overwritten; give another name")
