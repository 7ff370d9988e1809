"""Lines of a csv file that know where they stand, so that a complaint can name the line."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

from iomsim.errors import FileError, advice, reason

MISSING = ("nan", "na", "n/a", "<na>", "nat", "null")
"""Words that stand for an empty cell, in any case."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Examples
    --------
    >>> line = Line("tallies.csv", 2, {"round": "3.0", "votes": "NaN"})
    >>> line.whole("round"), line.whole("votes"), line.text("note")
    (3, None, '')
    """

    file: str
    number: int
    cells: dict[str, str]

    def error(self, text: str) -> FileError:
        """Return an error that names this line."""
        return FileError(f"{self.file}, line {self.number}: {text}")

    def text(self, column: str) -> str:
        """Return a cell, empty if the file has no such column or nothing in it."""
        cell = self.cells.get(column, "").strip()
        return "" if cell.casefold() in MISSING else cell

    def name(self, column: str) -> str:
        """Return a cell that must not be empty."""
        if cell := self.text(column):
            return cell
        raise self.error(f"{column} is empty")

    def whole(self, column: str, least: int = 0) -> int | None:
        """Return a whole number, also one written 2.0; None if the cell is empty."""
        cell = self.text(column)
        if not cell:
            return None
        try:
            value = Fraction(cell)
        except (ValueError, ZeroDivisionError):
            value = Fraction(-1, 2)
        if value.denominator != 1 or value < least:
            raise self.error(f"{column} must be a whole number of at least {least}, got {cell!r}")
        return int(value)

    def number_in(self, column: str, least: int = 0) -> int:
        """Return a whole number that must be there."""
        value = self.whole(column, least)
        if value is None:
            raise self.error(f"{column} is empty")
        return value

    def share(self, column: str) -> Fraction:
        """Return a share in (0, 1]; a rounded decimal is the simple fraction it stands for.

        Examples
        --------
        >>> line = Line("elections.csv", 2, {"a": "0.6667", "b": "0.75", "c": "0.66", "d": "2/3"})
        >>> print(line.share("a"), line.share("b"), line.share("c"), line.share("d"))
        2/3 3/4 33/50 2/3
        """
        cell = self.name(column)
        try:
            share = Fraction(cell)
        except (ValueError, ZeroDivisionError):
            share = Fraction(0)
        if not 0 < share <= 1:
            raise self.error(f"{column} must be a share such as 2/3 or 0.6667, got {cell!r}")
        simple, digits = share.limit_denominator(6), len(cell.partition(".")[2])
        return simple if digits >= 2 and round(float(simple), digits) == float(share) else share

    def flag(self, column: str, default: bool) -> bool:
        """Return a yes or no, written 1 or 0."""
        cell = self.text(column).casefold()
        if cell not in ("", "0", "1", "0.0", "1.0", "true", "false"):
            raise self.error(f"{column} must be 1 or 0, got {cell!r}")
        return cell in ("1", "1.0", "true") if cell else default

    def day(self, column: str) -> date | None:
        """Return a date, None if the cell is empty."""
        cell = self.text(column)
        try:
            return date.fromisoformat(cell[:10]) if cell else None
        except ValueError:
            raise self.error(f"{column} must be a date such as 2023-05-15, got {cell!r}") from None


def lines(text: str, file: str, columns: Collection[str]) -> list[Line]:
    r"""Return the lines of a csv text below its header; blank ones are left out.

    Raises
    ------
    FileError
        If a column is missing, a line has not the header's number of cells, or there is no line.

    Examples
    --------
    >>> [line.cells for line in lines("id,votes\na,3\n", "t.csv", ["votes"])]
    [{'id': 'a', 'votes': '3'}]
    """
    reader = csv.reader(StringIO(text))
    header = [column.strip() for column in next(reader, [])]
    for column in columns:
        if column not in header:
            raise FileError(f"{file} has no column {column!r}; {advice(column, header)}")
    for column in header:
        if header.count(column) > 1:
            raise FileError(f"{file} has two columns {column!r}")
    found = [Line(file, number, dict(zip(header, row, strict=True))) for number, row in _full(reader, header, file)]
    if not found:
        raise FileError(f"{file} has a header but no rows")
    return found


def _full(reader: Any, header: Sequence[str], file: str) -> Iterator[tuple[int, list[str]]]:
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise FileError(f"{file}, line {reader.line_num}: {len(row)} cells, but the header has {len(header)}")
        yield reader.line_num, row


def read(path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    FileError
        If it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {str(path)!r}: {reason(error)}") from None


def repeated(found: Sequence[Line], columns: Sequence[str]) -> FileError | None:
    """Return the error for the first line whose key stands in an earlier one, None if all differ."""
    seen = set()
    for line in found:
        key = tuple(line.whole(column, 1) if column == "round" else line.text(column) for column in columns)
        if key in seen:
            return line.error(f"{', '.join(map(str, key))} stands here a second time")
        seen.add(key)
    return None
