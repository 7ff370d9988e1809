"""A forecast in other forms: one tidy table of all answers, csv, a workbook, Parquet, a Dataset of xarray."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pandas as pd

from iomsim.errors import IomsimError, writing
from iomsim.files import csv_text, refuse_another_kind, write_whole
from iomsim.forecasting.summary import round_numbers
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING, TABLES, Tables
from iomsim.forecasting.wording import answer, late
from iomsim.house_style import thousands
from iomsim.memory import refuse_too_many
from iomsim.model.leanings import leanings

CHANCE, POINTS = "chance", {"10 % point": 0.1, "median": 0.5, "90 % point": 0.9}
"""What is told of an outcome: its chance; or points of the distribution of a number over the runs."""

PAPERS = "share of valid papers"

COLUMNS = ["question", "outcome", "reading", "statistic", "value", "unit", "low", "high", "mc_error"]
CHANCES = ["probability", "low", "high", "mc_error"]

ALL = "all"
"""The reading of what is told over all readings of the rules."""

ROW_NUMBERS = ("answers", "tallies", "members")
"""Tables whose index is only a row number."""

ROWS = 2**20 - 1
"""Rows of a sheet below its heading."""

WIDEST, LOOKED_AT = 60, 1000
"""Letters of the widest column of a sheet, and rows that are looked at for it."""

HEIGHT = 15
"""Points of a line in a sheet."""

ABOUT = "about"
"""The first sheet: the answer in words."""

DIGITS, AS_GIVEN = "0.000", ("evidence", "members")
"""How a spreadsheet shows numbers, which it holds in full; but not those that somebody else has given."""


# -- one table -----------------------------------------------------------------------------------


def answers(fc: Tables) -> pd.DataFrame:
    """Return all answers of a forecast as one tidy table; see :meth:`iomsim.Forecast.to_frame`."""
    rows = [*_chances(fc), *_numbers(fc), *_by_reading(fc)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype({"question": "category", "statistic": "category", "unit": "category"})


def _row(question: str, outcome: object, chance: Any, reading: str = ALL) -> tuple[Any, ...]:
    return question, str(outcome), reading, CHANCE, chance[0], "probability", *chance[1:]


def _chances(fc: Tables) -> Iterator[tuple[Any, ...]]:
    """Yield the chances over everything that is unsure."""
    winners, ends, spill = fc.win_probability(), fc.chances(), fc.spill()
    for table in (winners, ends.loc[[NOBODY, STILL_VOTING]]):
        yield from (_row("who wins", name, row) for name, *row in table[CHANCES].itertuples())
    yield _row("runs into", fc.next_day.isoformat(), (spill.value, spill.low, spill.high, spill.mc_error))
    if fc.race.clock.deadline is not None:
        found = fc.share(late(fc))
        moment = fc.race.clock.deadline.isoformat()
        yield _row("unfinished at", moment, (found.value, found.low, found.high, found.mc_error))
    yield from (_row("elected in round", name, row) for name, *row in fc.rounds()[CHANCES].itertuples())
    for (ending, winner), *row in fc.endings()[CHANCES].itertuples():
        yield _row("how it ends", f"{ending}: {winner}", row)
    for hour, *row in fc.decided_at()[CHANCES].iloc[:-1].itertuples():
        yield _row("elected in the hour from", hour.isoformat(), row)


def _numbers(fc: Tables) -> Iterator[tuple[Any, ...]]:
    """Yield points of what is a number in every run: the rounds held, and the shares of the next round."""
    missing = (np.nan,) * 3
    held = fc.summary.quantile("rounds", list(POINTS.values()))
    for point, value in zip(POINTS, held, strict=True):
        yield "rounds held", "", ALL, point, float(value), "rounds", *missing
    for k, name in enumerate(fc.race.names):
        shares = fc.summary.share_quantile(fc.announced + 1, k, list(POINTS.values()))
        for point, share in zip(POINTS, shares, strict=True) if not np.isnan(shares).any() else ():
            yield f"share of round {fc.announced + 1}", name, ALL, point, float(share), PAPERS, *missing


def _by_reading(fc: Tables) -> Iterator[tuple[Any, ...]]:
    """Yield the chances under each reading of the rules."""
    for reading, row in fc.rule_sets().iterrows():
        for name in (*fc.race.names, NO_WINNER, NOBODY, STILL_VOTING, "spill"):
            asked = ("runs into", fc.next_day.isoformat()) if name == "spill" else ("who wins", name)
            yield _row(*asked, [row[name], *(row[f"{name}_{end}"] for end in CHANCES[1:])], str(reading))
        rounds = float(row["median_rounds"])
        yield "rounds held", "", str(reading), "median", rounds, "rounds", *(np.nan,) * 3


# -- files ---------------------------------------------------------------------------------------


def tables_of(fc: Tables, runs: bool) -> dict[str, pd.DataFrame]:
    """Return every table by the name of its file or sheet, those of the members too."""
    tables = {"answers": answers(fc)} | {name: table.numbers(fc) for name, table in TABLES.items()}
    tables |= {"evidence": fc.race.evidence(), "members": fc.race.members, "leanings": leanings(fc.race, fc.draws)}
    if runs and fc.outcomes is not None:
        tables |= {"runs": fc.runs, "tallies": fc.tallies}
    return tables


def to_csv(fc: Tables, folder: str | Path, runs: bool = True) -> list[Path]:
    """Write every table as csv into a folder, those of the members too, with the stamp as JSON; return the files.

    Raises
    ------
    FileError
        If the folder or a file in it cannot be written.
    """
    return _written(fc, folder, runs, "csv", lambda table, index: csv_text(table, index=index))


def to_parquet(fc: Tables, folder: str | Path, runs: bool = True) -> list[Path]:
    """Write the tables of :func:`to_csv` as Parquet files, types and all.

    Raises
    ------
    IomsimError
        If pyarrow is not installed.
    FileError
        If the folder or a file in it cannot be written.
    """
    _needed("to_parquet", "pyarrow", "iomsim[files]")

    def packed(table: pd.DataFrame, index: bool) -> bytes:
        buffer = BytesIO()
        table.to_parquet(buffer, engine="pyarrow", index=index)
        return buffer.getvalue()

    return _written(fc, folder, runs, "parquet", packed)


def _written(
    fc: Tables, folder: str | Path, runs: bool, end: str, packed: Callable[[pd.DataFrame, bool], str | bytes]
) -> list[Path]:
    """Write every table, and the stamp, into a folder: all of them are made before the first is written."""
    tables = tables_of(fc, runs)
    contents = {f"{name}.{end}": packed(table, name not in ROW_NUMBERS) for name, table in tables.items()}
    contents["stamp.json"] = json.dumps(fc.provenance, indent=2) + "\n"
    folder = Path(folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_whole(folder / name, content)
    return [folder / name for name in contents]


def to_excel(fc: Tables, path: str | Path, runs: bool = False) -> None:
    """Write one workbook, a sheet for each table of :func:`to_csv`, the answer in words on the first.

    Raises
    ------
    IomsimError
        If openpyxl is not installed, or a table has more rows than a sheet.
    FileError
        If the file is not called .xlsx, or cannot be written.
    """
    _needed("to_excel", "openpyxl", "iomsim[files]")
    refuse_another_kind(path, "a workbook", ".xlsx")
    tables = tables_of(fc, runs)
    for name, table in tables.items():
        if len(table) > ROWS:
            raise IomsimError(
                f"{name} has {thousands(len(table))} rows, and a sheet has {thousands(ROWS)}; leave runs=True out, or "
                "write them with to_csv or to_parquet"
            )
    from openpyxl import Workbook

    book, buffer = Workbook(write_only=True), BytesIO()
    words = {"title": fc.race.title, "answer": answer(fc, detail=True)[:], "made by": fc.stamp()}
    with writing(path):  # sheets are kept in files of their own until they are packed
        _sheet(book, ABOUT, pd.DataFrame({"what": [*words], "text": [*words.values()]}))
        for name, table in tables.items():
            _sheet(book, name, table if name in ROW_NUMBERS else table.reset_index())
        book.save(buffer)
    write_whole(path, _still(buffer.getvalue()))


def _still(book: bytes) -> bytes:
    """Return a workbook without the time at which it was made, so that the same forecast makes the same file."""
    buffer = BytesIO()
    with ZipFile(BytesIO(book)) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb">\d{4}-\d\d-\d\dT[\d:.]+Z<", b">1980-01-01T00:00:00Z<", data)
            new.writestr(ZipInfo(name), data, ZIP_DEFLATED)
    return buffer.getvalue()


def _sheet(book: Any, name: str, table: pd.DataFrame) -> None:
    """Add a table to a workbook: its heading stays in sight and filters it, and no text is a formula."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet, digits = book.create_sheet(name), "General" if name in AS_GIVEN else DIGITS
    bold, above = Font(bold=True), Alignment(vertical="top", wrap_text=True)

    def cell(value: object, heading: bool = False, tall: bool = False) -> Any:
        number = isinstance(value, float) and not value.is_integer()
        if not (number or tall or isinstance(value, str)):
            return value
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value)
        if isinstance(value, str):
            made.data_type = "s"  # else what begins with "=" is a formula
        if number:
            made.number_format = digits
        if heading:
            made.font = bold
        if tall:
            made.alignment = above
        return made

    columns = {str(name): _values(table.iloc[:, i]) for i, name in enumerate(table.columns)}
    for i, (heading, values) in enumerate(columns.items(), 1):
        shown = (f"{value:.4g}" if isinstance(value, float) else str(value) for value in values[:LOOKED_AT])
        sheet.column_dimensions[get_column_letter(i)].width = min(max([len(heading), *map(len, shown)]), WIDEST) + 2
    sheet.freeze_panes = "A2"
    if name != ABOUT:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(table) + 1}"
    sheet.append([cell(heading, heading=True) for heading in columns])
    for i, row in enumerate(zip(*columns.values(), strict=True), 2):
        letters = max(len(value) if isinstance(value, str) else 0 for value in row)
        tall = letters > WIDEST
        if tall:  # not every program finds the height itself
            sheet.row_dimensions[i].height = HEIGHT * math.ceil(1.1 * letters / WIDEST)
        sheet.append([cell(value, tall=tall) for value in row])


def _values(column: pd.Series) -> list[Any]:
    """Return a column as Python has its values; what is missing is None."""
    gone = column.isna() | column.isin([np.inf, -np.inf])
    return [None if missing else value for value, missing in zip(column.astype(object), gone, strict=True)]


def _needed(what: str, library: str, install: str) -> None:
    """Refuse what needs a library that is not there."""
    if find_spec(library) is None:
        raise IomsimError(f"{what} needs {library}; install it with: pip install '{install}'")


# -- arrays with names ---------------------------------------------------------------------------


def to_xarray(fc: Tables) -> Any:
    """Return what a forecast holds as arrays with names; see :meth:`iomsim.Forecast.to_xarray`."""
    _needed("to_xarray", "xarray", "xarray")
    import xarray as xr

    ends, rounds = pd.concat([fc.win_probability(), fc.chances().iloc[-2:]]), fc.rounds()
    arrays: dict[str, Any] = {}
    for name, dimension, table in (("chance", "outcome", ends), ("elected_in", "round", rounds)):
        for column in CHANCES:
            called = name if column == CHANCES[0] else f"{name}_{column}"
            arrays[called] = (dimension, table[column].to_numpy(), {"units": "probability"})
    places: dict[str, Any] = {"outcome": ends.index.to_numpy(dtype=str), "round": rounds.index.to_numpy()}
    if fc.draws is not None and fc.draws.values:
        values = np.array([*fc.draws.values.values()], dtype=float).T
        arrays["assumption"] = (("draw", "parameter"), values)
        places |= {"draw": np.arange(len(values)), "parameter": np.array([*fc.draws.values], dtype=str)}
    if fc.outcomes is not None:
        arrays |= _of_runs(fc)
        places |= {"run": np.arange(len(fc)), "candidate": np.array(fc.race.names, dtype=str)}
    stamp = {key: value for key, value in fc.provenance.items() if key != "events"}
    return xr.Dataset(arrays, coords=places, attrs=stamp | {"events": json.dumps(fc.provenance["events"])})


def _of_runs(fc: Tables) -> dict[str, Any]:
    """Return what every run came to, round by round; rounds that it did not hold are missing."""
    out, runs, most, k = fc.all_outcomes, fc.runs, len(fc.rounds()), len(fc.race.names)
    refuse_too_many(len(fc), "runs", 8.0 * most * (k + 1))
    votes, valid = np.full((len(fc), most, k), np.nan, np.float32), np.full((len(fc), most), np.nan, np.float32)
    run, round_ = np.repeat(np.arange(out.size), out.rounds), round_numbers(out) - 1
    votes[run, round_] = np.where(out.votes < 0, np.nan, out.votes)
    valid[run, round_] = out.valid
    own: dict[str, Any] = {name: ("run", runs[name].to_numpy(dtype=str)) for name in ("winner", "ending")}
    own |= {name: ("run", runs[name].to_numpy()) for name in ("present", "ended_at", "decided_at")}
    own |= {"rounds_held": ("run", runs["rounds"].to_numpy()), "draw_of_run": ("run", runs["draw"].to_numpy())}
    units = {"units": "papers"}
    return own | {"votes": (("run", "round", "candidate"), votes, units), "valid": (("run", "round"), valid, units)}
