"""The small language in which a scenario names members: ``nato and not eu``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from iomsim.errors import ScenarioError, UnknownNameError, advice, unknown
from iomsim.typing import Flags


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
    for name in who:
        chosen[find(members, name)] = True
    return chosen


def find(members: pd.DataFrame, name: str) -> int:
    """Return the row of the member with this id or name."""
    for column in ("id", "name"):
        hits = np.flatnonzero(members[column].to_numpy() == name)
        if hits.size:
            return int(hits[0])
    raise unknown("member", name, [*members["name"], *members["id"]])


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
    values = members[column].astype(str)
    return bool((values == value).any() or values.str.startswith(f"{value} and ").any())


def _term(members: pd.DataFrame, term: str) -> Flags:
    words = term.removeprefix("not ").strip()
    chosen = np.ones(len(members), dtype=bool) if words == "all" else _column(members, words)
    return ~chosen if term.startswith("not ") else chosen


def _column(members: pd.DataFrame, words: str) -> Flags:
    column, equals, value = (part.strip() for part in words.partition("="))
    if column not in members.columns:
        raise UnknownNameError(f"no column {column!r} in the member table; {advice(column, map(str, members.columns))}")
    values = members[column]
    if not equals:
        return _flags(values, column)
    chosen = (values.astype(str) == value).to_numpy(dtype=bool)
    if not chosen.any():
        raise UnknownNameError(f"no member has {column} = {value!r}; {advice(value, sorted(set(values.astype(str))))}")
    return chosen


def _flags(values: pd.Series, column: str) -> Flags:
    if not set(values.unique()) <= {0, 1}:
        raise ScenarioError(f"column {column!r} is not a yes/no column; write {column}=X for some value X")
    return values.to_numpy(dtype=bool)
