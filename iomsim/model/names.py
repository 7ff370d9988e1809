"""What members are called: by name or id as the table has them, by codes of states, and by the names in use.

A state is known by its ISO 3166-1 codes of two and three letters, by its M49 code of three digits, and by the names of
the table `seeds/members/aliases.csv`.  What the member table itself says always comes first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import NamedTuple

import pandas as pd

from iomsim.errors import UnknownNameError, listed, quote
from iomsim.house_style import series
from iomsim.model.evidence import ALIASES, shipped_texts
from iomsim.model.tables import texts

OWN = " (table)"
"""What is put after the name of a column that means something else in a frame of members."""

CALLED = ("id", "name", f"id{OWN}", f"name{OWN}")
"""Columns whose cells members are called by, the first first."""

DASHES = "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"
APOSTROPHES = (
    "\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}\N{PRIME}"
    "\N{MODIFIER LETTER TURNED COMMA}\N{ACUTE ACCENT}\N{GRAVE ACCENT}"
)
ALIKE = str.maketrans({**dict.fromkeys(DASHES, "-"), **dict.fromkeys(APOSTROPHES, "'"), "&": " and "})
"""What is written for one another."""

STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\N{LATIN SMALL LETTER DOTLESS I}": "i"})
"""Letters that do not come apart into a letter and its accent."""

CODES = {"iso3": "iso3|iso3c|isoa3|alpha3|isoalpha3|iso31661alpha3",
         "iso2": "iso2|iso2c|isoa2|alpha2|isoalpha2|iso31661alpha2",
         "m49": "m49|unm49|m49code|unm49code|ison3|isonumeric|iso31661numeric|countrycode"}  # fmt: skip
"""What columns with codes of states are called, in small letters and digits."""

SHORT = 3
"""Letters up to which two names that look alike are two codes."""

SHOWN = 5
"""Most members that an advice names."""

ALMOST = 0.75
"""How much alike two names are, of which one may be misspelt."""


class State(NamedTuple):
    """A state: its codes, its short name in the United Nations, and what else it is called."""

    iso3: str
    iso2: str
    m49: str
    name: str
    aliases: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, str, str]:
        """Its three codes."""
        return self.iso3, self.iso2, self.m49

    def __str__(self) -> str:
        """Return the name with the code."""
        return f"{self.name} ({self.iso3})"


# -- how names are compared ------------------------------------------------------------------------


@cache
def alike(name: str) -> str:
    """Return a name as it is compared: without capitals, kinds of apostrophes and dashes, full stops, and "the".

    Letters with accents are the same, composed or not.

    Examples
    --------
    >>> alike("Côte d\N{RIGHT SINGLE QUOTATION MARK}Ivoire") == alike("co\N{COMBINING CIRCUMFLEX ACCENT}te D'IVOIRE")
    True
    >>> alike("The Gambia"), alike("St. Kitts & Nevis"), alike("Bahamas (the)")
    ('gambia', 'saint kitts and nevis', 'bahamas')
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.translate(ALIKE)).casefold())
    words = " ".join(re.sub(r"(?<!\d)\.|\.(?!\d)", "", folded.translate(ALIKE)).split())
    words = re.sub(r"^the |,? the$| \(the\)$", "", words)
    return re.sub(r"^st ", "saint ", words)


@cache
def bare(name: str) -> str:
    """Return a name as :func:`alike` does, and without accents.

    Examples
    --------
    >>> bare("São Tomé"), bare("Türkiye")
    ('sao tome', 'turkiye')
    """
    apart = unicodedata.normalize("NFKD", alike(name)).translate(STROKES)
    return "".join(c for c in apart if not unicodedata.combining(c))


# -- the states ------------------------------------------------------------------------------------


@cache
def states() -> Mapping[str, State]:
    """Return the states by their code of three letters."""
    table = shipped_texts("iso3", "members", f"{ALIASES}.csv")
    return {
        str(row.Index): State(row.Index, row.iso2, row.m49, row.name, tuple(filter(None, row.aliases.split("|"))))
        for row in table.itertuples()
    }


@cache
def _meanings(fold: Callable[[str], str]) -> Mapping[str, tuple[State, ...]]:
    """Return which states a folded name or code may mean."""
    out: dict[str, dict[str, State]] = {}
    for state in states().values():
        for name in (*state.codes, state.name, *state.aliases):
            out.setdefault(fold(name), {})[state.iso3] = state
    return {name: tuple(meant.values()) for name, meant in out.items()}


def states_called(name: str) -> tuple[State, ...]:
    """Return the states that a name or a code may mean; the one whose short name it is comes first.

    Examples
    --------
    >>> [state.iso3 for state in states_called("Swaziland")], [state.iso3 for state in states_called("Korea")]
    (['SWZ'], ['KOR', 'PRK'])
    """
    for fold in (alike, bare):
        meant = _meanings(fold).get(fold(name), ())
        if meant:
            return tuple(sorted(meant, key=lambda state: fold(state.name) != fold(name)))
    return ()


def _is_own(state: State, name: str) -> bool:
    """Say whether a name is the short name of a state, and no other is meant if it is not there."""
    return bare(state.name) == bare(name)


# -- the members -----------------------------------------------------------------------------------


Fold = Callable[[str], str]


@dataclass(frozen=True, eq=False)
class Index:
    """Who is called how: rows by what their cells say, by columns; and the state of every row, None if it is none."""

    cells: tuple[tuple[str, ...], ...]
    states: tuple[State | None, ...]
    _folded: dict[Fold, list[dict[str, tuple[int, ...]]]] = field(default_factory=dict, repr=False)

    def rows(self, name: str, fold: Fold) -> tuple[int, ...]:
        """Return the rows of which a cell is a name, folded; those of the first column that has any."""
        if fold not in self._folded:
            self._folded[fold] = [_places(map(fold, cells)) for cells in self.cells]
        wanted = fold(name)
        return next((rows[wanted] for rows in self._folded[fold] if wanted in rows), ())

    def rows_of(self, meant: Iterable[State]) -> tuple[int, ...]:
        """Return the rows of states."""
        codes = {state.iso3 for state in meant}
        return tuple(i for i, state in enumerate(self.states) if state is not None and state.iso3 in codes)


def _places(cells: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return where each cell stands."""
    found: dict[str, tuple[int, ...]] = {}
    for row, cell in enumerate(cells):
        found[cell] = (*found.get(cell, ()), row)
    return found


def _index(members: pd.DataFrame) -> Index:
    columns = [_column_of(members, kind) for kind in CODES]
    given = tuple(tuple(texts(members[column])) for column in CALLED if column in members)
    codes = tuple(tuple(texts(members[column])) for column in columns if column is not None)
    return _indexed(given, codes)


def _column_of(members: pd.DataFrame, kind: str) -> str | None:
    """Return the column that holds codes of a kind."""
    for column in members.columns:
        plain = re.sub(r"[^a-z0-9]", "", str(column).casefold())
        if plain in CODES[kind].split("|"):
            return str(column)
    return None


@lru_cache(maxsize=32)
def _indexed(cells: tuple[tuple[str, ...], ...], codes: tuple[tuple[str, ...], ...]) -> Index:
    by_code = {code: state for state in states().values() for code in state.codes}

    def state_of(row: int) -> State | None:
        for column in codes:
            code = column[row].upper()
            code = code.zfill(3) if code.isdigit() else code
            if code in by_code:
                return by_code[code]
        meant = states_called(cells[1][row])
        named = len(meant) == 1 or (meant and _is_own(meant[0], cells[1][row]))
        return meant[0] if named else by_code.get(cells[0][row].upper())

    return Index(cells, tuple(map(state_of, range(len(cells[0])))))


def find(members: pd.DataFrame, name: str) -> int:
    """Return the row of a member.

    Parameters
    ----------
    members : DataFrame
        One row per member, with columns `id` and `name` among others.
    name : str
        Its id or name as the table has it; else the same without regard to capitals, apostrophes, dashes and how
        accents are written; else, of a state, its code of two or three letters, the M49 code of three digits, or a
        name in use such as "UK"; at last its name without accents.

    Raises
    ------
    UnknownNameError
        If there is no such member, or the name may mean several.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["GBR", "KOR"], "name": ["United Kingdom", "Republic of Korea"]})
    >>> [find(table, name) for name in ("GBR", "UK", "gb", "South Korea", "410")]
    [0, 0, 0, 1, 1]
    """
    return finder(members)(name)


def finder(members: pd.DataFrame) -> Callable[[str], int]:
    """Return :func:`find` for many names of one table."""
    exact: dict[object, int] = {}
    for column in ("id", "name"):
        for row, called in enumerate(members[column]):
            exact.setdefault(called, row)

    @cache
    def index() -> Index:
        return _index(members)

    def row_of(name: str) -> int:
        return exact[name] if name in exact else _row(index(), name)

    return row_of


def _row(index: Index, name: str) -> int:
    """Return the row of a member that is called by something else than its id or name as they are written."""
    for rows in _ways(index, str(name)):
        if len(rows) == 1:
            return rows[0]
        if rows:
            raise _several(index, name, rows)
    raise _unknown(index, str(name))


def is_member(members: pd.DataFrame, name: str) -> bool:
    """Say whether a name means one member."""
    try:
        find(members, name)
    except UnknownNameError:
        return False
    return True


def _ways(index: Index, name: str) -> Iterable[tuple[int, ...]]:
    """Yield the rows that a name may mean, the surest way of reading it first."""
    yield index.rows(name, str)
    yield index.rows(name, alike)
    meant = states_called(name)
    if not meant or not _is_own(meant[0], name) or index.rows_of(meant[:1]):
        yield index.rows_of(meant)
    yield index.rows(name, bare)


# -- who is not found ------------------------------------------------------------------------------


def _told(index: Index, row: int) -> str:
    """Return what an advice calls a member: its name, with the id if that is another word."""
    id, name = index.cells[0][row], index.cells[1][row]
    return name if id == name else f"{name} ({id})"


def _several(index: Index, name: object, rows: tuple[int, ...]) -> UnknownNameError:
    who = [_told(index, row) for row in rows]
    return UnknownNameError(f"{quote(str(name))} may mean {series(who, 'or')}; write the one that is meant")


def _unknown(index: Index, name: str) -> UnknownNameError:
    no = f"no member named {quote(name)}"
    of_states = any(state is not None for state in index.states)
    meant = states_called(name) if of_states else ()
    if meant:
        return UnknownNameError(f"{no}; {series([str(state) for state in meant], 'or')} is not in the member table")
    close = _begun(index, name)
    if close:
        return UnknownNameError(f"{no}; did you mean {series([repr(index.cells[1][row]) for row in close], 'or')}?")
    near = _near(index, name, of_states)
    if isinstance(near, State):
        return UnknownNameError(f"{no}; {near}, if that is meant, is not in the member table")
    if near is not None:
        return UnknownNameError(f"{no}; did you mean {quote(index.cells[1][near])}?")
    return UnknownNameError(f"{no}; {listed([*index.cells[1], *index.cells[0]])}")


def _begun(index: Index, name: str) -> list[int]:
    """Return the members of which what was typed is the beginning, or a word; or that begin what was typed."""
    typed = bare(name)
    if len(typed) < SHORT:
        return []
    own = [(bare(cells[row]), row) for cells in index.cells[1::-1] for row in range(len(index.states))]
    others = [(bare(alias), row) for row, state in enumerate(index.states) if state for alias in _names_of(state)]
    for calls in (own, others):
        for fits in (
            lambda call: call.startswith(typed),
            lambda call: f" {typed}" in call or f"({typed}" in call,
            lambda call: len(call) > SHORT and typed.startswith(f"{call} "),
        ):
            rows = list(dict.fromkeys(row for call, row in calls if fits(call)))
            if 0 < len(rows) <= SHOWN:
                return rows
    return []


def _near(index: Index, name: str, of_states: bool) -> int | State | None:
    """Return the member, or the state that is none, whose name looks most like what was typed."""
    options: dict[str, int | State] = {}
    for state in states().values() if of_states else ():
        options |= {bare(call): state for call in _names_of(state) if len(call) > SHORT}
    for row, of_row in enumerate(index.states):
        own = [cells[row] for cells in index.cells[:2]]
        calls = own if of_row is None else [call for call in (*_names_of(of_row), *own) if len(call) > SHORT]
        options |= {bare(call): row for call in calls}
    near = get_close_matches(bare(name), options, n=1, cutoff=ALMOST)
    return options[near[0]] if near else None


def _names_of(state: State) -> tuple[str, ...]:
    return (state.name, *state.aliases)
