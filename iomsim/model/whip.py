"""Tables that analysts hand over - whip counts and polls of members - read into pledges and chances.

A table is a DataFrame or the path of a file.  What cannot be read is refused with the row; nothing is left out silently
but rows and columns without anything in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from iomsim.errors import MOST_LINES, IomsimError, ScenarioError, UnknownNameError, advice, quote, quote_path, unknown
from iomsim.house_style import series
from iomsim.model.ledger import KINDS, Kind, Pledge
from iomsim.model.names import finder
from iomsim.model.polling import check_chances
from iomsim.model.tables import MOST_COLUMNS, MOST_ROWS, first_twice, grid_from_file, text_of_cell

PLEDGE = ("member", "candidate", "kind", "date", "source")
NEEDED = 3
"""Columns of a whip count; the first so many are needed."""

CODE = 3
"""Digits of the codes of states."""

SAID: dict[str, Kind] = {
    "claim": "claimed",
    "claimed by the candidate's side": "claimed",
    "claimed by the candidate": "claimed",
    "claimed by the camp": "claimed",
    "claimed by the campaign": "claimed",
    "verbal": "oral",
    "by word of mouth": "oral",
    "in writing": "written",
    "in public": "public",
}
"""Other words for kinds of pledges."""

EMPTY = ("", None)

T = TypeVar("T")


def pledges_of(source: Any, members: pd.DataFrame, names: tuple[str, ...]) -> tuple[Pledge, ...]:
    """Return the pledges of a whip count, members by their names in the member table.

    Parameters
    ----------
    source : DataFrame, str or Path
        A table with the columns member, candidate and kind, and if one likes date and source; capitals and blanks
        in their names do not matter.
    members : DataFrame
        The member table.
    names : tuple of str
        The candidates.

    Raises
    ------
    ScenarioError, UnknownNameError
        If a column or a cell cannot be read; a sentence for every row.
    """
    table = _table(source, "the whip count", "member")
    for column in PLEDGE[:NEEDED]:
        if column not in table.columns:
            have = f"it has {series(list(table.columns))}" if len(table.columns) else "it is empty"
            raise ScenarioError(f"the whip count has no column {quote(column)}; {have}")
    unread = [column for column in table.columns if column not in PLEDGE]
    if unread:
        said = f"the whip count has a column {quote(unread[0])}, which is none of a pledge's"
        raise ScenarioError(f"{said}; {advice(unread[0], PLEDGE)} (drop what is not read)")
    name_of = _names_of(members)
    return tuple(_each(table, "the whip count", lambda cells: _pledge(cells, name_of, names)))


def _pledge(cells: Mapping[Any, Any], name_of: Callable[[Any], str], names: tuple[str, ...]) -> Pledge:
    for column in PLEDGE[:NEEDED]:
        if cells[column] in EMPTY:
            raise ScenarioError(f"no {column}; write one, or leave the row out")
    return Pledge(
        member=name_of(cells["member"]),
        candidate=_candidate(_text(cells["candidate"]), names),
        kind=_kind(_text(cells["kind"])),
        date=_date(cells.get("date")),
        source=_text(cells.get("source")),
    )


def _names_of(members: pd.DataFrame) -> Callable[[Any], str]:
    """Return what gives the names of members as the table has them; a number may be a code that has lost its zeros."""
    find, names = finder(members), members["name"].tolist()

    def name_of(cell: Any) -> str:
        called = _text(cell)
        code = called.zfill(CODE) if not isinstance(cell, str) else called
        try:
            return str(names[find(called)])
        except UnknownNameError as error:
            with suppress(UnknownNameError):
                return str(names[find(code)])
            raise error from None

    return name_of


def _kind(word: str) -> Kind:
    """Return the kind that a word means.

    Examples
    --------
    >>> _kind("Claimed by the  camp"), _kind("ORAL")
    ('claimed', 'oral')
    """
    plain = " ".join(word.casefold().replace("\u2019", "'").split())
    for kind in KINDS:
        if plain in (kind, f"{kind} pledge"):
            return kind
    if plain not in SAID:
        raise unknown("kind of pledge", word, KINDS)
    return SAID[plain]


def _candidate(word: str, names: tuple[str, ...]) -> str:
    meant = [name for name in names if name.casefold() == word.casefold()]
    if not meant:
        raise UnknownNameError(f"no candidate named {quote(word)}; {advice(word, names)}")
    return meant[0]


def _date(cell: Any) -> date | None:
    """Return a date from a cell: a date, a time stamp, or a text such as 2023-05-12.

    Examples
    --------
    >>> _date("2023-05-12"), _date(pd.Timestamp(2023, 5, 12)), _date("")
    (datetime.date(2023, 5, 12), datetime.date(2023, 5, 12), None)
    """
    if cell in EMPTY:
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return datetime.fromisoformat(str(cell)).date() if isinstance(cell, str) else date.fromisoformat("")
    except ValueError:
        raise ScenarioError(f"the date must be written as 2023-05-12, got {quote(cell)}") from None


def chances_of(source: Any, members: pd.DataFrame, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the chances of a poll of members, by member and candidate, members by their names in the member table.

    Parameters
    ----------
    source : DataFrame, Series, str or Path
        A table with the members in a column `member` or in the index, and a column of chances for every candidate; one
        may be left out, whose chances follow from the others'.  A row without chances is a member that was not asked.
    members : DataFrame
        The member table.
    names : tuple of str
        The candidates.

    Raises
    ------
    ScenarioError, UnknownNameError
        If a column or a cell cannot be read; a sentence for every row.
    """
    table = _table(source.to_frame() if isinstance(source, pd.Series) else source, "the poll", "member")
    if "member" not in table.columns:
        have = f"it has {series(list(table.columns))}" if len(table.columns) else "it is empty"
        raise ScenarioError(f"the poll has no column 'member', and no members in its index; {have}")
    shown = [column for column in table.columns if column != "member"]
    columns = {}
    for column in shown:
        meant = [name for name in names if name.casefold() == column]
        if not meant:
            said = f"the poll has a column {quote(column)}, which is no candidate's"
            raise ScenarioError(f"{said}; {advice(column, names)} (drop what is not read)")
        columns[column] = meant[0]
    if len(columns) < len(names) - 1:
        left = [name for name in names if name not in columns.values()]
        raise ScenarioError(f"the poll has no column for {series(left)}; one candidate may be left out")
    found: dict[str, dict[str, float]] = {}
    name_of = _names_of(members)

    def add(cells: Mapping[Any, Any]) -> None:
        name, chances = _answer(cells, columns, name_of, names)
        if name in found and chances:
            raise ScenarioError(f"{name} was asked twice; give it once")
        found.update({name: chances} if chances else {})

    _each(table, "the poll", add)
    return found


def _each(table: pd.DataFrame, what: str, read: Callable[[Mapping[Any, Any]], T]) -> list[T]:
    """Read every row of a table; refuse all that cannot be read at once, a sentence for each."""
    found: list[T] = []
    wrong: list[IomsimError] = []
    for line, cells in zip(table.index, table.to_dict("records"), strict=True):
        try:
            found.append(read(cells))
        except IomsimError as error:
            wrong.append(type(error)(f"{what}, {line}: {error}"))
        if len(wrong) == MOST_LINES:  # the rest might take long, and would not be told
            raise type(wrong[0])("\n".join([*map(str, wrong[:-1]), "... and more"]))
    if wrong:
        raise type(wrong[0])("\n".join(map(str, wrong)))
    return found


def _answer(
    cells: Mapping[Any, Any], columns: Mapping[str, str], name_of: Callable[[Any], str], names: tuple[str, ...]
) -> tuple[str, dict[str, float]]:
    if cells["member"] in EMPTY:
        raise ScenarioError("no member; write one, or leave the row out")
    name = name_of(cells["member"])
    given = {candidate: cells[column] for column, candidate in columns.items() if cells[column] not in EMPTY}
    if not given:
        return name, {}
    left = [candidate for candidate in names if candidate not in given]
    if len(left) > 1:
        raise ScenarioError(f"no chance of {name} for {series(left)}; one candidate may be left out")
    chances = {candidate: _chance(name, candidate, cell) for candidate, cell in given.items()}
    chances |= {candidate: max(0.0, round(1.0 - sum(chances.values()), 12)) for candidate in left}
    check_chances(name, chances)
    return name, {candidate: chances[candidate] for candidate in names}


def _chance(name: str, candidate: str, cell: Any) -> float:
    try:
        if isinstance(cell, bool):
            raise ValueError
        return float(cell.replace(",", ".")) if isinstance(cell, str) else float(cell)
    except (TypeError, ValueError, OverflowError):
        raise ScenarioError(
            f"the chance of {name} for {candidate} must be a number such as 0.58, got {quote(cell)}"
        ) from None


def _table(source: Any, what: str, name: str) -> pd.DataFrame:
    """Return a table with plain names of columns and plain cells, without empty rows; indexed by rows."""
    if isinstance(source, (str, Path)):
        frame = grid_from_file(Path(source), f"{what} {quote_path(source)}", name).frame()
        return plain(frame.reset_index(drop=True), what, name, [f"line {line}" for line in frame.index])
    if not isinstance(source, pd.DataFrame):
        raise ScenarioError(f"{what} must be a DataFrame or the path of a file, got {type(source).__name__}")
    return plain(source, what, name, [f"row {i}" for i in range(1, len(source) + 1)])


def plain(raw: pd.DataFrame, what: str, name: str, rows: list[str]) -> pd.DataFrame:
    """Return a frame with plain names of columns and plain cells, without empty rows, each called by its number.

    What the index is called is a column too; but an index of texts holds the names, whatever it is called, if no column
    does.
    """
    for kind, count, most in (("rows", len(raw), MOST_ROWS), ("columns", len(raw.columns), MOST_COLUMNS)):
        if count > most:
            raise ScenarioError(f"{what} has {count} {kind}, and may have {most}")
    labels = [_text(column).casefold() for column in raw.columns]
    spare = [
        (_text(level).casefold(), raw.index.get_level_values(i)) for i, level in enumerate(raw.index.names) if level
    ]
    texts = raw.index.nlevels == 1 and not pd.api.types.is_numeric_dtype(raw.index)
    if texts and name not in labels and len(raw):
        spare = [(name, raw.index)]
    cells = [(label, list(values)) for label, values in spare if label not in labels]
    cells += [(label, raw.iloc[:, i].tolist()) for i, label in enumerate(labels)]
    table = [(label, [_bare(cell) for cell in column]) for label, column in cells]
    table = [
        (label, column)
        for label, column in table
        if not (label == "" or label.startswith("unnamed:")) or any(cell not in EMPTY for cell in column)
    ]
    names = [label for label, _ in table]
    if twice := first_twice(names):
        raise ScenarioError(f"{what} has two columns {quote(twice)}; leave one out")
    frame = pd.DataFrame({label: pd.Series(column, dtype=object) for label, column in table})
    frame.index = pd.Index(rows)
    full = [any(cell not in EMPTY for cell in row) for row in frame.itertuples(index=False)]
    return frame.loc[full]


def _bare(cell: Any) -> Any:
    """Return a cell as Python has it; None if it is empty."""
    if isinstance(cell, str):
        return " ".join(cell.split()) or None
    if not pd.api.types.is_scalar(cell) and not isinstance(cell, date):
        return str(cell)
    if pd.isna(cell):
        return None
    if isinstance(cell, pd.Timestamp):
        return cell.to_pydatetime()
    return cell.item() if hasattr(cell, "item") else cell


def _text(cell: Any) -> str:
    """Return a cell as a text, a whole number without its point."""
    return " ".join(text_of_cell(cell).split())
