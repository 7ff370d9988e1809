"""Files as a whole: what is written takes its place in one step, so that nobody ever sees, or is left with, half of it.

Everything that iomsim writes goes through :func:`write_whole`: the content is written beside its place, and then
renamed.  Whatever goes wrong before - a full disk, Ctrl-C, a process that is killed - what was there stays.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from iomsim.errors import FileError, quote_path, reason, writing

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be renamed or replaced either
    fcntl = None  # type: ignore[assignment]

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How a cell begins that a spreadsheet would compute."""


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    FileError
        If it cannot be read: why, in a sentence.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {quote_path(path)}: {reason(error)}") from None


def write_whole(path: str | Path, content: str | bytes, *, new: bool = False, keep_on_power_loss: bool = True) -> None:
    """Write a file as a whole.

    Parameters
    ----------
    path : str or Path
        Its place.  A link is followed; what is no file, such as ``/dev/stdout``, is written to.
    content : str or bytes
        What is in it; texts are written in UTF-8, with the line ends they have.
    new : bool
        Whether it must not be there yet.
    keep_on_power_loss : bool
        Whether to wait until the disk has it; many small files, each of which can be made again, need not.

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
        if new:
            refuse_existing(Path(path))  # a link to nowhere is something too
        data = content.encode() if isinstance(content, str) else content
        place = Path(path)
        if place.exists() and not place.is_file():
            place.write_bytes(data)  # a device or a pipe; a folder says that it is one
            return
        place = Path(os.path.realpath(place))
        with _beside(place) as (part, file):
            file.write(data)
            file.flush()
            if keep_on_power_loss:
                os.fsync(file.fileno())
            if not fcntl:
                file.close()
            if new:
                _name(part, place)
            else:
                os.replace(part, place)


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
    rows = csv.reader(StringIO(table.to_csv(index=index), newline=""))
    out = StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return a text as a cell that no spreadsheet computes; :func:`as_meant` gives it back."""
    with suppress(ValueError):
        float(cell)
        return cell
    return f"'{cell}" if FORMULA.match(cell) else cell


def as_meant(cell: str) -> str:
    """Return the text that :func:`harmless` wrote.

    Examples
    --------
    >>> [as_meant(harmless(cell)) for cell in ("=1+1", "'=1+1", "-5", "Chad", "'Chad'")]
    ['=1+1', "'=1+1", '-5', 'Chad', "'Chad'"]
    """
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


@contextmanager
def _beside(place: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a file beside a place, which is gone in the end, whatever happened.

    Its name follows from that of the place, so that what a killed process left is used up by the next one; who
    writes has it locked.  Where it is in use, or files cannot be locked, it has a name of its own.
    """
    name = os.fsdecode(os.fsencode(place.name)[:200])
    part = place.with_name(f".{name}.part")
    file = _locked(part)
    if file is None:
        part = place.with_name(f".{name}.{token_hex(4)}.part")
        file = open(part, "xb")  # noqa: SIM115
    try:
        with file:
            with suppress(OSError):
                os.chmod(part, place.stat().st_mode & 0o7777)
            yield part, file
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _locked(part: Path) -> BinaryIO | None:
    """Open a file that nobody else writes, empty and locked until it is closed; None if somebody else has it."""
    if not fcntl:
        return None
    number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.stat(part), os.fstat(number)):  # it has not got its final name meanwhile
            os.ftruncate(number, 0)
            return os.fdopen(number, "wb")
    except OSError:  # somebody has it, or there are no locks here
        pass
    os.close(number)
    return None


def _name(part: Path, place: Path) -> None:
    """Give a file its name, unless another has it."""
    try:
        os.link(part, place)
    except FileExistsError:
        refuse_existing(place)
    except OSError:  # no second names here
        refuse_existing(place)
        os.rename(part, place)


def refuse_existing(path: Path) -> None:
    """Refuse to write where something is."""
    if os.path.lexists(path):
        raise FileError(f"{quote_path(path)} exists already and is not overwritten; give another name")
