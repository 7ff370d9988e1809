"""Who votes: the member table, its groups, and who is pinned or has no vote."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from iomsim.errors import ScenarioError, UnknownNameError, advice, nearest, quote
from iomsim.house_style import unfit_name
from iomsim.model.evidence import shipped_text
from iomsim.model.names import OWN, finder, is_member
from iomsim.model.quantities import FrozenDict, FrozenModel, Name, Selector, Whole
from iomsim.model.tables import (
    LARGEST,
    MOST_COLUMNS,
    MOST_MEMBERS,
    frame_of,
    is_file,
    read_table,
    rows_of,
    table_from_file,
    table_from_frame,
    text_of_cell,
    texts,
)
from iomsim.typing import Flags


def _row(cells: dict[str, Any]) -> FrozenDict[str, Any]:
    """Return a row in which what is missing is None: unlike NaN it equals itself."""
    for column, cell in cells.items():
        if isinstance(cell, int) and abs(cell) >= LARGEST:
            raise ValueError(f"holds {quote(cell)} in column {quote(column)}; write so long a number as a text")
        if isinstance(cell, str) and NO_SIGN.search(cell):
            raise ValueError(f"holds {quote(cell)} in column {quote(column)}, of which a sign is no sign of a text")
    return FrozenDict({column: None if cell != cell else cell for column, cell in cells.items()})


Row = Annotated[dict[str, str | int | float | bool | None], AfterValidator(_row)]
Members = Annotated[tuple[Selector, ...], Field(max_length=MOST_MEMBERS)]

NO_SIGN = re.compile("[\0\ud800-\udfff]")
"""Signs that no file of texts can hold: nothing, and halves of others."""

ALONE = " alone"
"""What is put after the name of a member that is a group by itself, if a group has that name."""


class Electorate(FrozenModel):
    """All members entitled to a seat.

    Attributes
    ----------
    members : str, optional
        Name of a shipped member table, or (in a file) the path of a csv or a workbook.  A frame or a `Path` given here
        is read into `table`.
    table : tuple of rows, optional
        The member table itself: one mapping per member, None where a number is missing; or a frame, with the names in
        a column or in the index.
    size : int, optional
        Number of nameless members M1, M2, ... for toy elections.  Exactly one of the three is given.
    name, id, group : str
        Columns with the members' names, short ids, and the group that shares a regional shock.  The ids are by default
        those of a column `iso3` or else `id`, if there is one, else the names; the groups those of a column `group`.
        Without a group all members share one, so that the regional shock is a second common one.  A member whose cell
        is empty is a group by itself; if there are several, a warning says so.
    own_groups : dict
        Further groups by selector, which take precedence, the later over the earlier: ``{"EU": "eu"}``.
    without_vote : tuple of str
        Members that have lost their vote (arrears): never present.
    pinned : dict
        Members that always vote for a candidate and are never absent, by candidate.
    barred : dict
        Members that may not vote while a candidate stands, by candidate, in the phases of the rules that say so:
        compatriots, or finalists themselves.

    Examples
    --------
    >>> import pandas as pd
    >>> Electorate(size=3).frame["name"].tolist()
    ['M1', 'M2', 'M3']
    >>> Electorate(table=pd.DataFrame({"name": ["Peru", "Togo"], "aid": [1.5, None]})).frame["aid"].tolist()
    [1.5, nan]
    """

    members: Selector | None = None
    table: tuple[Row, ...] | None = None
    size: Whole | None = None
    name: Selector = "name"
    id: Selector | None = None
    group: Selector | None = None
    own_groups: Annotated[dict[Name, Selector], AfterValidator(FrozenDict)] = Field(
        FrozenDict(), max_length=MOST_COLUMNS
    )
    without_vote: Members = ()
    pinned: Annotated[dict[Selector, Members], AfterValidator(FrozenDict)] = FrozenDict()
    barred: Annotated[dict[Selector, Members], AfterValidator(FrozenDict)] = FrozenDict()

    if TYPE_CHECKING:

        def __init__(self, **data: Any) -> None:
            """Take a frame for the member table, as `members` or as `table`."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        return _with_rows(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key in ("members", "table", "size") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of members, table and size; got {given or 'none'}")
        count = self.size if self.size is not None else None if self.table is None else len(self.table)
        if count is not None and not 1 <= count <= MOST_MEMBERS:
            raise ValueError(f"an electorate has 1 to {MOST_MEMBERS} members, got {quote(count)}")
        columns = len({column for row in self.table or () for column in row})
        if columns > MOST_COLUMNS:
            raise ValueError(f"the member table has {columns} columns, and may have {MOST_COLUMNS}")
        return self

    @property
    def frame(self) -> pd.DataFrame:
        """The member table with the columns ``id``, ``name`` and ``group`` first."""
        return _frame(self).copy()

    def __hash__(self) -> int:
        """Hash by content, so that the table is built once."""
        return hash(self.model_dump_json())


def _with_rows(data: dict[str, Any]) -> dict[str, Any]:
    """Return a raw electorate with rows in place of a frame, or of the path of a file that is no text."""
    for key in ("table", "members"):
        given, name = data.get(key), data.get("name", "name")
        if not isinstance(given, (pd.DataFrame, Path)):
            continue
        if data.get({"table": "members", "members": "table"}[key]) is not None:
            raise ScenarioError("give the members once: a table, or members")
        rest = {part: value for part, value in data.items() if part not in ("table", "members")}
        read = table_from_frame if isinstance(given, pd.DataFrame) else table_from_file
        return {**rest, "table": read(given, str(name))}
    return data


@lru_cache(maxsize=64)
def as_csv(electorate: Electorate) -> str:
    """Return the member table as csv, from which a scenario's hash is made."""
    return _frame(electorate).to_csv()


@lru_cache(maxsize=64)
def _frame(electorate: Electorate) -> pd.DataFrame:
    raw = _raw(electorate)
    short, group = _id_of(electorate, raw), electorate.group or ("group" if "group" in raw else None)
    for column, what in ((electorate.name, "names"), (short, "ids"), (group, "groups")):
        if column is not None and column not in raw.columns:
            hint = advice(column, map(str, raw.columns))
            raise ScenarioError(f"the member table has no column {quote(column)} for the {what}; {hint}")
    _complete(raw, (electorate.name, short))
    frame = pd.DataFrame({"id": texts(raw[short]), "name": texts(raw[electorate.name])})
    meant = {"id": short, "name": electorate.name, "group": group}
    others = {column: column + OWN for column, used in meant.items() if column in raw and column != used}
    frame = frame.join(
        raw.drop(columns=[column for column in meant if column in raw and column not in others]).rename(columns=others)
    )
    for column in ("id", "name"):
        twice = frame[column][frame[column].duplicated()]
        if not twice.empty:
            raise ScenarioError(f"two members share the {column} {quote(twice.iloc[0])}")
    frame.insert(2, "group", _groups(electorate, raw, frame, group))
    _shown(frame)
    return frame


def _shown(frame: pd.DataFrame) -> None:
    """Refuse columns, and ids, names and groups of members, that cannot be shown."""
    for column in map(str, frame.columns):
        if column and (said := unfit_name(column)):
            raise ScenarioError(f"the name {quote(column)} of a column of the member table {said}")
    for column in ("id", "name", "group"):
        for number, cell in enumerate(frame[column], 1):
            if said := unfit_name(cell):
                raise ScenarioError(f"the {column} {quote(cell)} of member number {number} {said}")


def _id_of(electorate: Electorate, raw: pd.DataFrame) -> str:
    """Return the column of the ids: the one asked for, else codes of states, else one called id that can serve."""
    if electorate.id or "iso3" in raw:
        return electorate.id or "iso3"
    there = texts(raw["id"]).str.strip() if "id" in raw else pd.Series([""])
    return "id" if (there != "").all() and not there.duplicated().any() else electorate.name


def _complete(raw: pd.DataFrame, named: Sequence[str]) -> None:
    """Refuse numbers that are not finite, and members without a name or an id; another number may be missing."""
    for column in named:
        missing = np.flatnonzero(texts(raw[column]).str.strip() == "")
        if missing.size:
            raise ScenarioError(f"member number {missing[0] + 1} has no value in column {quote(column)}; write one")
    for column in raw:
        infinite = raw[column].isin([np.inf, -np.inf])
        if infinite.any():
            member = text_of_cell(raw[named[0]].iloc[int(infinite.to_numpy().argmax())])
            raise ScenarioError(f"member {quote(member)} has no finite value in column {quote(column)}; leave it empty")


def _raw(electorate: Electorate) -> pd.DataFrame:
    if electorate.size is not None:
        return pd.DataFrame({electorate.name: [f"M{i + 1}" for i in range(electorate.size)]})
    if electorate.table is not None:
        return frame_of(electorate.table)
    assert electorate.members is not None
    text = shipped_text("members", electorate.members, ".csv", "shipped member table")
    return read_table(text, f"the member table {quote(electorate.members)}")


def _groups(electorate: Electorate, raw: pd.DataFrame, frame: pd.DataFrame, column: str | None) -> np.ndarray:
    """Return every member's group; one of whom the table says nothing is a group by itself, and that is said."""
    groups = texts(raw[column]) if column else pd.Series("all", index=raw.index)
    names = groups.to_numpy(dtype=object).copy()
    blank = names == ""
    names[blank] = [_own_group(name, set(names)) for name in frame["name"][blank]]
    frame = frame.assign(group=names)
    for name, who in electorate.own_groups.items():
        chosen = select(frame, who)
        names[chosen] = name
        blank &= ~chosen
    if blank.sum() > 1:  # one is a group by itself anyhow
        who = f"{quote(frame['name'][blank].iloc[0])} and {int(blank.sum()) - 1} more"
        warnings.warn(
            f"the column {quote(column)} of the groups is empty for {who}: each is a group by itself", stacklevel=2
        )
    return names


def _own_group(name: str, groups: set[str]) -> str:
    """Return what the group of one member is called, which no other group is."""
    return f"{name}{ALONE}" if name in groups else name


def grouped(names: Sequence[object], groups: Sequence[object]) -> Flags:
    """Return which members are of a group, and not just groups by themselves because the table says none.

    Examples
    --------
    >>> grouped(["Chad", "Peru", "Togo"], ["Africa", "Peru", "Africa"]).tolist()
    [True, False, True]
    """
    own = [(str(name), str(group)) for name, group in zip(names, groups, strict=True)]
    return np.array([group not in ("", name, f"{name}{ALONE}") for name, group in own], dtype=bool)


def rows(frame: pd.DataFrame, names: tuple[str, ...] | list[str]) -> np.ndarray:
    """Return the rows of the named members."""
    return np.array(list(map(finder(frame), names)) if names else [], dtype=np.intp)


def self_contained(electorate: Electorate) -> Electorate:
    """Return the electorate with its member table inside, so that later tables cannot change it."""
    if electorate.table is not None:
        return electorate
    rows_ = rows_of(_raw(electorate))
    return Electorate.model_validate({**dict(electorate), "members": None, "size": None, "table": rows_})


def inlined(data: Any, folder: Path | None, shipped: Callable[[], list[str]]) -> Any:
    """Replace the path of a file in a raw electorate by the rows of that file."""
    members = data.get("members") if isinstance(data, dict) else None
    if not isinstance(members, str) or members in shipped() or not is_file(members):
        return data
    path, name = Path(members), data.get("name", "name")
    rest = {key: value for key, value in data.items() if key != "members"}
    return rest | {"table": table_from_file(path if folder is None else folder / path, str(name))}


# -- the language that names members: ``nato and not eu`` ----------------------------------------


def select(members: pd.DataFrame, who: str | Sequence[str]) -> Flags:
    """Return which members a selector or a list of names means.

    Parameters
    ----------
    members : DataFrame
        One row per member, with columns ``id`` and ``name`` among others.
    who : str or sequence of str
        ``"all"``, or terms joined by ``and``, each one ``column``, ``not column``,
        ``column=value`` or ``not column=value``; or a list of names or ids.  A value may itself
        hold an "and": ``iom_region=Asia and Oceania``.

    Raises
    ------
    UnknownNameError
        If a column or a member does not exist; the nearest one is named.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["FRA", "USA"], "name": ["France", "United States"],
    ...                       "nato": [1, 1], "eu": [1, 0]})
    >>> select(table, "nato and not eu").tolist()
    [False, True]
    >>> select(table, ["France"]).tolist()
    [True, False]
    """
    if isinstance(who, str):
        chosen = np.ones(len(members), dtype=bool)
        for term in _terms(members, who):
            chosen &= _term(members, term)
        return chosen
    chosen = np.zeros(len(members), dtype=bool)
    chosen[list(map(finder(members), who))] = True
    return chosen


def members_of(members: pd.DataFrame, who: str | Sequence[str]) -> Flags:
    """Return which members a group, a selector, a name or a list of names means.

    A group is a value of the column `group`: the scenario's own groups among them.

    Raises
    ------
    UnknownNameError
        If there is no such group, column or member.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["FRA", "USA"], "name": ["France", "United States"],
    ...                       "group": ["Europe", "America"], "eu": [1, 0]})
    >>> members_of(table, "America").tolist(), members_of(table, "eu").tolist()
    ([False, True], [True, False])
    """
    if isinstance(who, str):
        named = (members["group"].astype(str) == who).to_numpy(dtype=bool)
        if named.any():
            return named
        who = [who] if who not in members.columns and is_member(members, who) else who
    try:
        return select(members, who)
    except UnknownNameError:
        if isinstance(who, str) and "=" not in who and " and " not in who and not who.startswith("not "):
            raise _no_group(members, who) from None
        raise


def _no_group(members: pd.DataFrame, who: str) -> UnknownNameError:
    groups = sorted(set(members["group"].astype(str)))
    close, told = nearest(who, groups), ", ".join(groups[:12]) + (", ..." if len(groups) > 12 else "")
    meant = f"did you mean {quote(close)}? the" if close else "the"
    return UnknownNameError(f"no group of members named {quote(who)}; {meant} groups are {told}")


def _terms(members: pd.DataFrame, who: str) -> list[str]:
    """Split a selector at its "and"s, except within a value: ``region=Asia and Oceania``."""
    terms: list[str] = []
    for part in who.split(" and "):
        longer = f"{terms[-1]} and {part.strip()}" if terms else ""
        if terms and _is_value(members, longer):
            terms[-1] = longer
        else:
            terms.append(part.strip())
    return terms


def _is_value(members: pd.DataFrame, term: str) -> bool:
    """Say whether the part of a term after "=" is a value of its column, or the beginning of one."""
    column, equals, value = (part.strip() for part in term.removeprefix("not ").partition("="))
    if not equals or column not in members.columns:
        return False
    values = texts(members[column])
    return bool((values == value).any() or values.str.startswith(f"{value} and ").any())


def _term(members: pd.DataFrame, term: str) -> Flags:
    words = term.removeprefix("not ").strip()
    chosen = np.ones(len(members), dtype=bool) if words == "all" else _column(members, words)
    return ~chosen if term.startswith("not ") else chosen


def _column(members: pd.DataFrame, words: str) -> Flags:
    column, equals, value = (part.strip() for part in words.partition("="))
    if column not in members.columns:
        if not equals and is_member(members, column):
            raise UnknownNameError(
                f"no column {quote(column)} in the member table; members are named in a list: [{quote(column)}]"
            )
        raise UnknownNameError(
            f"no column {quote(column)} in the member table; {advice(column, map(str, members.columns))}"
        )
    values = members[column]
    if not equals:
        return _flags(members, column)
    chosen = _equal(values, value)
    if not chosen.any() and column + OWN in members:
        chosen = _equal(members[column + OWN], value)
    if not chosen.any():
        there = sorted(set(texts(values)) - {""})
        raise UnknownNameError(f"no member has {column} = {quote(value)}; {advice(value, there)}")
    return chosen


def _equal(values: pd.Series, value: str) -> Flags:
    """Return which cells are a value as it is written: `1`, `1.0` and `True` may be the same number or answer."""
    written = texts(values)
    chosen = ((written == value) | (values.astype(str) == value)).to_numpy(dtype=bool)
    if not chosen.any() and not value.isascii():
        wanted = unicodedata.normalize("NFC", value)
        chosen = np.array([unicodedata.normalize("NFC", cell) == wanted for cell in written], dtype=bool)
    if not chosen.any() and pd.api.types.is_numeric_dtype(values):
        try:
            return (values == float(value)).to_numpy(dtype=bool)
        except ValueError:
            return chosen
    return chosen


def _flags(members: pd.DataFrame, column: str) -> Flags:
    values = members[column]
    cells = values.to_numpy()
    if cells.dtype.kind in "biuf" and ((cells == 0) | (cells == 1)).all():
        return cells.astype(bool)
    missing = values.isna()
    if not set(values[~missing].unique()) <= {0, 1}:
        raise ScenarioError(f"column {quote(column)} is not a yes/no column; write {column}=X for some value X")
    if missing.any():
        who, others = members["name"][missing].iloc[0], int(missing.sum()) - 1
        whose = f"{quote(who)}{f' and {others} more' if others else ''}"
        raise ScenarioError(f"column {quote(column)} has no value for {whose}; fill it in, or write {column}=1")
    return values.to_numpy(dtype=bool)
