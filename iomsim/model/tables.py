"""Member tables as people have them: csv from any spreadsheet, workbooks, frames; all come to the same rows.

A column is of numbers if every cell that is not empty is a number, written without zeros in front: `004` is a code.
What is missing there is None in a row and NaN in a frame; in a column of texts an empty cell is an empty text.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from importlib.util import find_spec
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np
import pandas as pd

from iomsim.errors import FileError, ScenarioError, quote, quote_path
from iomsim.files import as_meant, read_bytes
from iomsim.house_style import series

TEXTS = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")
OTHERS = (".xls", ".xlsb", ".ods", ".numbers", ".json", ".parquet", ".feather")
"""Endings of files: what is read as text, what as a workbook, and what is not read but is no name of a table either."""

MOST_BYTES = 32_000_000
"""Bytes of a file at most, and of what is packed in a workbook six times as many."""

MOST_MEMBERS, MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 10_000, 100_000, 1_000, 2_000_000
"""Members of an electorate, and rows, columns and cells of a table at most."""

MOST_EMPTY = 10
"""How often as many cells as that a sheet may have, most of them empty."""

LAST_LINE = 2**20
"""The last line that a sheet can have."""

SAID = re.compile(r'\s*sep=([^"\r\n])\r?\n')
"""A first line that says what separates the cells."""

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
"""What a file begins with that says how it is encoded."""

SEPARATORS = (",", ";", "\t", "|")

WHOLE = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity)", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d+(?:,\d+)?")
CODE = re.compile(r"[+-]?0\d")
"""Begins a code that would be another one without its zeros."""

ANSWERS = {"true": True, "false": False}
EXACT = 2**53
"""Up to here a float tells all whole numbers apart."""

LARGEST = 2**63
"""Whole numbers from here on are codes."""

LONGEST_NUMBER = 15
"""Digits of a whole number that a float holds; what is longer is a code."""


class Grid(NamedTuple):
    """Cells as they were read: a header, the rows, and the line of the file that each row stands on."""

    header: list[str]
    lines: list[int]
    rows: list[list[Any]]

    def frame(self) -> pd.DataFrame:
        """Return the table, each column numbers or texts, and indexed by the lines."""
        columns = {name: normal([row[i] for row in self.rows]) for i, name in enumerate(self.header)}
        return pd.DataFrame({name: as_column(cells) for name, cells in columns.items()}).set_axis(self.lines, axis=0)


# -- from bytes to text ----------------------------------------------------------------------------


def text_of(data: bytes, where: str, spare: str | None = None) -> str:
    r"""Return the text of a file: UTF-8, or what the mark at its beginning says.

    Parameters
    ----------
    data : bytes
        The file.
    where : str
        What it is called in messages.
    spare : str, optional
        The encoding that is tried if it is none of these; that it was is said by a warning.

    Raises
    ------
    FileError
        If it cannot be decoded.

    Examples
    --------
    >>> text_of(b"\xef\xbb\xbfname", "m.csv"), text_of("name".encode("utf-16"), "m.csv")
    ('name', 'name')
    """
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if spare is None or encoding != "utf-8":
            raise FileError(f"cannot read {where}: it is not UTF-8; save it as UTF-8") from None
        text = _decoded(data, where, spare)
    if "\0" in text:
        raise FileError(f"cannot read {where}: it is not text in UTF-8; save it as UTF-8")
    return text


def _decoded(data: bytes, where: str, encoding: str) -> str:
    """Decode a file by an encoding that nothing in it names, and say so with an example."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise FileError(f"cannot read {where}: it is not UTF-8; save it as UTF-8") from None
    word = next(word for word in re.findall(r"[^\W\d_]+", text) + re.findall(r"\S+", text) if not word.isascii())
    warnings.warn(
        f"{where} is not UTF-8; it was read as {encoding} ({quote(word)}): save it as UTF-8 if that is wrong",
        stacklevel=2,
    )
    return text


# -- from text to cells ----------------------------------------------------------------------------


def read_table(text: str, where: str) -> pd.DataFrame:
    r"""Read a member table with commas, semicolons, tabs or bars between its cells; empty lines are left out.

    With semicolons or tabs the numbers of a column may have decimal commas.

    Raises
    ------
    FileError
        If a line has not as many cells as the header, or two columns have the same name.

    Examples
    --------
    >>> read_table("name;code;aid\nChad;012;1,5\nPeru;;\n", "m.csv").to_dict("list")
    {'name': ['Chad', 'Peru'], 'code': ['012', ''], 'aid': [1.5, nan]}
    """
    return _grid(text, where).frame().reset_index(drop=True)


def _grid(text: str, where: str, name: str = "name") -> Grid:
    """Return the cells of a csv; the separator is one that gives it a column of this name, if there is one."""
    said = SAID.match(text)
    body = text[said.end() :] if said else text
    skipped = text[: said.end()].count("\n") if said else 0
    separator = said[1] if said else _separator(body, name)
    lines = records(body, f"cannot read {where}", separator, skipped)
    grid = _trimmed(((line, [as_meant(cell.strip()) for cell in row]) for line, row in lines), where)
    return grid if separator == "," else grid._replace(rows=_with_points(grid.rows))


def records(text: str, where: str, separator: str = ",", skipped: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of a csv at which its records end, after so many that were `skipped`, with their cells.

    Raises
    ------
    FileError
        If a cell is longer than what is read: `where`, and the line.
    """
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            yield reader.line_num + skipped, row
    except csv.Error:
        raise FileError(
            f"{where}, line {reader.line_num + skipped}: a cell has more than {csv.field_size_limit()} signs; "
            "is a quotation mark left open?"
        ) from None


def _separator(text: str, name: str) -> str:
    """Return what separates the cells: what gives the header most of them, and as many to the lines after it."""

    def fit(separator: str) -> tuple[bool, bool, bool, int]:
        reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
        try:
            first = [row for row, _ in zip((row for row in reader if row), range(20), strict=False)]
        except csv.Error:
            return False, False, False, 0
        widths = [len(row) for row in first] or [0]
        named = any(name in (cell.strip() for cell in row) for row in first[:1])
        return named, widths[0] > 1, len(set(widths)) == 1, widths[0]

    return max(SEPARATORS, key=fit)  # the first of equals


def _trimmed(records: Iterable[tuple[int, Sequence[Any]]], where: str) -> Grid:
    """Return records as a grid, without empty rows and without empty columns that have no name."""
    kept: list[tuple[int, list[Any]]] = []
    for line, row in records:
        cells = [cell.strip() if isinstance(cell, str) else cell for cell in row]
        if any(cell not in ("", None) for cell in cells):
            kept.append((line, cells))
        if len(kept) > MOST_ROWS + 1:
            raise FileError(f"cannot read {where}: it has more than {MOST_ROWS} rows, the most that are read")
    if not kept:
        raise FileError(f"cannot read {where}: it is empty")
    header = [" ".join(text_of_cell(cell).split()) for cell in kept[0][1]]
    rows, lines = [], []
    least = max([i for i, name in enumerate(header, 1) if name], default=0)
    used = max((_width(row[: len(header)]) for _, row in kept[1:]), default=0)
    header = header[: max(least, used)]
    width = len(header)
    if width > MOST_COLUMNS:
        raise FileError(f"cannot read {where}: it has {width} columns, and at most {MOST_COLUMNS} are read")
    if width * len(kept) > MOST_CELLS:
        raise FileError(f"cannot read {where}: it has {width * len(kept)} cells, and at most {MOST_CELLS} are read")
    for line, row in kept[1:]:
        cells = row[:width] + [cell for cell in row[width:] if cell not in ("", None)]
        if len(cells) != width:
            raise FileError(f"{where}, line {line}: the header has {width} cells, this line {len(row)}")
        rows.append(cells)
        lines.append(line)
    named = [name or f"Unnamed: {i}" for i, name in enumerate(header)]
    if twice := first_twice(named):
        raise FileError(f"{where} has two columns {quote(twice)}; leave one out")
    return Grid(named, lines, rows)


def _width(row: Sequence[Any]) -> int:
    """Return how many cells a row has, without the empty ones at its end."""
    return next((i for i in range(len(row), 0, -1) if row[i - 1] not in ("", None)), 0)


def first_twice(names: Iterable[str]) -> str | None:
    """Return the first name that is there a second time, or None.

    Examples
    --------
    >>> first_twice(["a", "b", "b", "a"]), first_twice(["a"])
    ('b', None)
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _with_points(rows: list[list[Any]]) -> list[list[Any]]:
    """Return cells in which the decimal commas are points, in the columns that hold nothing but such numbers."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    for i, column in enumerate(columns):
        cells = [cell for cell in column if cell]
        if any("," in cell for cell in cells) and all(DECIMAL_COMMA.fullmatch(cell) for cell in cells):
            columns[i] = [cell.replace(",", ".") for cell in column]
    return [list(row) for row in zip(*columns, strict=True)] if columns else rows


# -- from cells to numbers and texts ---------------------------------------------------------------


def normal(cells: Sequence[Any]) -> list[str | int | float | bool | None]:
    """Return the cells of a column: all numbers, all true or false, or all texts; None where a number is missing.

    Examples
    --------
    >>> normal(["1", "0", ""]), normal(["004", ""]), normal([2.0, 3.0]), normal(["NA", 1.0])
    ([1.0, 0.0, None], ['004', ''], [2, 3], ['NA', '1'])
    """
    bare = [_bare(cell) for cell in cells]
    present = [cell for cell in bare if cell is not None]
    gaps = len(present) < len(bare)
    answers = [ANSWERS.get(cell.casefold()) if isinstance(cell, str) else cell for cell in present]
    if present and all(isinstance(answer, bool) for answer in answers):
        told: Iterator[Any] = iter(answers)
        return [None if cell is None else float(next(told)) if gaps else next(told) for cell in bare]
    numbers = [_number(cell) for cell in present]
    if any(x is None for x in numbers) or all(x != x for x in numbers):
        return [text_of_cell(cell) for cell in bare]
    known = iter(numbers)
    return _numbers([None if cell is None else next(known) for cell in bare])


def _numbers(cells: list[Any]) -> list[Any]:
    """Return numbers, None and NaN as whole numbers if they all are, else as numbers with a point and None."""
    if all(isinstance(x, int) and not isinstance(x, bool) for x in cells):
        return cells
    missing = [x is None or x != x for x in cells]
    whole = not any(missing) and all(abs(x) < EXACT and x == int(x) for x in cells)
    return [None if gone else int(x) if whole else float(x) for x, gone in zip(cells, missing, strict=True)]


def _bare(cell: Any) -> Any:
    """Return a cell as Python has it: a text without spaces around it, a number, true or false; None if it is empty."""
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if cell is None or pd.isna(cell):
        return None
    return cell.item() if isinstance(cell, np.generic) else cell


def _number(cell: Any) -> Any:
    """Return a cell as a number; None if it is a text, or a code."""
    if not isinstance(cell, str):
        return cell if isinstance(cell, float) or abs(cell) < LARGEST else None
    if cell in ("nan", "NaN"):
        return math.nan
    if CODE.match(cell) or (WHOLE.fullmatch(cell) and len(cell) > LONGEST_NUMBER):
        return None
    return float(cell) if NUMBER.fullmatch(cell) else None


def text_of_cell(cell: Any) -> str:
    """Return a cell as a file would have it: a whole number without a point, nothing where nothing is.

    Examples
    --------
    >>> text_of_cell(804.0), text_of_cell(1.5), text_of_cell(float("nan")), text_of_cell("004")
    ('804', '1.5', '', '004')
    """
    if cell is None or cell != cell:
        return ""
    number = float(cell) if isinstance(cell, (float, np.floating)) else math.nan
    try:
        return str(int(number)) if number.is_integer() and abs(number) < EXACT else str(cell)
    except ValueError:  # a whole number of thousands of digits
        raise ScenarioError(f"a cell holds {quote(cell)}; write it as a text") from None


def texts(column: pd.Series) -> pd.Series:
    """Return a column as texts, as a file would have them."""
    return pd.Series([text_of_cell(cell) for cell in column], column.index, object, column.name)


def as_column(cells: Sequence[Any]) -> pd.Series:
    """Return cells of rows as a column of a frame: NaN where a number is missing, else an empty text."""
    column = pd.Series(list(cells))
    missing = column.isna()
    if not missing.any():
        return column
    present = [cell for cell, gone in zip(cells, missing, strict=True) if not gone]
    if any(isinstance(cell, str) for cell in present):
        return pd.Series(["" if gone else cell for cell, gone in zip(cells, missing, strict=True)], dtype=object)
    return column.astype(float)


def frame_of(rows: Sequence[Any]) -> pd.DataFrame:
    """Return rows, mappings of cells by column, as a frame."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame({name: as_column([row.get(name) for row in rows]) for name in names})


def rows_of(frame: pd.DataFrame) -> tuple[Any, ...]:
    """Return the rows of a frame as mappings; None where a number is missing."""
    return tuple(frame.astype(object).where(frame.notna(), None).to_dict("records"))


# -- files and frames ------------------------------------------------------------------------------


def is_file(name: str) -> bool:
    """Say whether a member table is named by the path of a file."""
    return Path(name).suffix.casefold() in (*TEXTS, *WORKBOOKS, *OTHERS)


def table_from_file(path: Path, name: str = "name") -> tuple[Any, ...]:
    """Read a csv or a workbook into the rows of an inline member table.

    Parameters
    ----------
    path : Path
        A file, as :func:`grid_from_file` takes it.
    name : str
        The column with the members' names: a row without one is refused by its line.

    Raises
    ------
    FileError
        If the file is missing or is no table with a header.
    """
    where = f"the member table {quote_path(path)}"
    frame = grid_from_file(path, where, name).frame()
    if name in frame:
        nameless = frame.index[texts(frame[name]) == ""]
        _refuse_nameless(f"{where}, line", [str(line) for line in nameless], name)
    if len(frame) > MOST_MEMBERS:
        raise FileError(f"{where} has {len(frame)} rows, and an electorate 1 to {MOST_MEMBERS} members")
    return rows_of(frame)


def grid_from_file(path: Path, where: str, name: str) -> Grid:
    """Read the cells of a csv or a workbook.

    Parameters
    ----------
    path : Path
        A csv, with the ending .csv, .tsv or .txt in any letters, or a workbook (.xlsx), of which the first sheet is
        read.  It has at most 32 MB, 100 000 rows, 1 000 columns and 2 000 000 cells.  Cells are separated by commas,
        semicolons, tabs or bars; the text is UTF-8, or UTF-16 with a mark; what is neither is read as Windows-1252,
        with a warning.
    where : str
        What it is called in messages.
    name : str
        A column that it should have: of several ways to read it, one that gives it that.

    Raises
    ------
    FileError
        If the file is missing or is no table with a header.
    """
    kind = path.suffix.casefold()
    if kind not in (*TEXTS, *WORKBOOKS):
        raise FileError(f"{where} is of a kind that is not read; save it as csv")
    data = read_bytes(path, where, MOST_BYTES)
    return _of_workbook(data, where) if kind in WORKBOOKS else _grid(text_of(data, where, "cp1252"), where, name)


def _refuse_nameless(where: str, places: Sequence[str], name: str) -> None:
    """Refuse rows without a name, if there are any."""
    if len(places) == 1:
        raise FileError(f"{where} {places[0]}: no name in column {quote(name)}; write one, or leave the line out")
    if places:
        told = series([*places[:5], f"{len(places) - 5} more"] if len(places) > 6 else list(places))
        raise FileError(f"{where}s {told}: no name in column {quote(name)}; write them, or leave the lines out")


def _of_workbook(data: bytes, where: str) -> Grid:
    """Return the first sheet of a workbook."""
    if find_spec("openpyxl") is None:
        raise FileError(f"cannot read {where}: a workbook; save it as csv, or pip install iomsim[files]")
    import openpyxl

    try:
        with warnings.catch_warnings(action="ignore"):  # of styles and checks that it cannot keep
            with ZipFile(BytesIO(data)) as packed:
                large = sum(part.file_size for part in packed.infolist()) > 6 * MOST_BYTES
            if large:
                raise FileError(f"cannot read {where}: there is more in it than can be read; save it as csv")
            with closing(openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)) as book:
                sheet = book.worksheets[0]
                sheet.reset_dimensions()  # what a file says of its size may be wrong
                return _trimmed(_records(sheet.iter_rows(values_only=True), where), where)
    except FileError:
        raise
    except Exception:  # whatever a broken archive makes a reader stumble over
        raise FileError(f"cannot read {where} as a workbook; open it and save it as csv") from None


def _records(rows: Iterable[Sequence[Any]], where: str) -> list[tuple[int, list[Any]]]:
    """Return the rows of a sheet that hold something, all as wide as the widest."""
    kept: list[tuple[int, list[Any]]] = []
    cells = width = 0
    for line, row in enumerate(rows, 1):
        held = list(row[: _width(row)])
        if held:
            kept.append((line, held))
            width = max(width, len(held))
        cells += len(row) + 1
        if line > LAST_LINE or max(cells, width * len(kept)) > MOST_EMPTY * MOST_CELLS:
            raise FileError(f"cannot read {where}: its first sheet has too many cells; save what is needed as csv")
    return [(line, held + [None] * (width - len(held))) for line, held in kept]


def table_from_frame(frame: pd.DataFrame, name: str = "name") -> tuple[Any, ...]:
    """Return the rows of a member table; names may stand in the index, which then is the column `name`.

    Raises
    ------
    ScenarioError
        If two columns have the same name, or a column holds what is neither text nor a number.
    """
    raw = frame
    if name not in raw.columns and not any(raw.index.names) and not pd.api.types.is_numeric_dtype(raw.index):
        raw = raw.rename_axis(name)
    spare = [level for level in raw.index.names if level is not None and level not in raw.columns]
    raw = raw.reset_index(spare).reset_index(drop=True) if spare else raw.reset_index(drop=True)
    raw = raw.set_axis([str(column) for column in raw.columns], axis=1)
    if twice := first_twice(raw.columns):
        raise ScenarioError(f"the member table has two columns {quote(twice)}; leave one out")
    for kind, count, most in (("rows", len(raw), MOST_MEMBERS), ("columns", len(raw.columns), MOST_COLUMNS)):
        if count > most:
            raise ScenarioError(f"the member table has {count} {kind}, and may have {most}")
    for column in raw.columns:
        odd = [value for value in raw[column] if not _fits(value)]
        if odd:
            what = f"the column {quote(column)} of the member table holds {quote(odd[0])}"
            raise ScenarioError(f"{what}; give texts, numbers, or true and false")
    full = raw.astype(object).map(lambda cell: _bare(cell) is not None).any(axis=1)
    raw = raw[full.to_numpy(dtype=bool)]
    cells = {column: normal(raw[column].astype(object).tolist()) for column in raw.columns}
    return rows_of(pd.DataFrame({column: as_column(found) for column, found in cells.items()}))


def _fits(value: Any) -> bool:
    """Return whether a cell of a member table can hold it; what is missing is looked at later."""
    scalar = pd.api.types.is_scalar(value)
    return scalar and (bool(pd.isna(value)) or isinstance(value, (str, int, float, np.integer, np.floating, np.bool_)))
