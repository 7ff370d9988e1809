"""What exposes members to a power: terms over yes/no columns of the member table, and over columns of numbers.

A sponsor's `exposure` is a weight for every term.  A term is a selector, ``"nato and not eu"``, which is 1 for whom it
means and 0 for the others; or a transform of a column of numbers, ``"log1p(us_aid)"``.  In a file such a term may also
be a table, ``{ column = "us_aid", transform = "log1p", weight = 0.5 }``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim.errors import ScenarioError, UnknownNameError, advice, quote
from iomsim.model.electorate import select
from iomsim.model.tables import MOST_COLUMNS, text_of_cell
from iomsim.typing import Flags, Floats

NONE = "none"
"""The transform of a column that stands without one."""


def _ranks(x: Floats) -> Floats:
    """Return average ranks, the least 1."""
    from scipy.stats import rankdata  # loads slowly

    return np.asarray(rankdata(x), dtype=float)


TRANSFORMS: dict[str, Callable[[Floats], Floats]] = {
    "log1p": lambda x: np.log1p(np.maximum(x, 0.0)),
    "rank": _ranks,
    "share": lambda x: np.clip(x, 0.0, 1.0),
    NONE: lambda x: x,
}
"""What a column of numbers may be taken through: ``ln(1 + x)``, with 0 for what is below 0; average ranks from 1;
shares, clipped to 0 to 1, as shares of net amounts may lie outside; and nothing."""

WRITTEN = re.compile(rf"\s*({'|'.join(TRANSFORMS)})\s*\((.+)\)\s*")
"""A term over a column of numbers: its transform, and the column in brackets."""

CALLED = re.compile(r"\s*(?!not\b)(\w+)\s*\((.+)\)\s*")
"""What looks like such a term, with whatever transform."""

ENTRY = {"column", "transform", "who", "weight"}


class Column(NamedTuple):
    """A term over a column of numbers: its name, and the transform."""

    name: str
    transform: str

    @property
    def key(self) -> str:
        """The term as it is written.

        Examples
        --------
        >>> Column("us_aid", "log1p").key
        'log1p(us_aid)'
        """
        return f"{self.transform}({self.name})"


def column_of(key: str, members: pd.DataFrame) -> Column | None:
    """Return the column of numbers that a term means, or None if it is a selector.

    The name of a column alone means the numbers as they are, unless they are all 0 or 1: that is a selector.

    Examples
    --------
    >>> table = pd.DataFrame({"aid": [3.0, 0.0], "eu": [0, 1]})
    >>> [column_of(key, table) for key in ("log1p(aid)", "aid", "eu", "not eu")]
    [Column(name='aid', transform='log1p'), Column(name='aid', transform='none'), None, None]
    """
    name = key.strip()
    if name in members.columns:
        values = members[name]
        numbers = pd.api.types.is_numeric_dtype(values) and not set(values.dropna().unique()) <= {0, 1}
        return Column(name, NONE) if numbers else None
    written = WRITTEN.fullmatch(key)
    return Column(written[2].strip(), written[1]) if written else None


def term(members: pd.DataFrame, key: str) -> Floats:
    """Return what a term is for every member, before it is weighted.

    A selector is 1 or 0.  A column of numbers is transformed and scaled to mean 1 over the members where it is known;
    where it is not known, it counts as that mean.

    Parameters
    ----------
    members : DataFrame
        The member table.
    key : str
        A selector, or ``transform(column)`` with one of "log1p", "rank", "share" and "none".

    Returns
    -------
    ndarray, shape (N,)

    Raises
    ------
    UnknownNameError
        If there is no such column or transform.
    ScenarioError
        If the column is text, has no value, or its mean is not above 0; or if shares are asked of most of whose
        numbers are above 1.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["A", "B", "C", "D"], "aid": [0.0, 30.0, 10.0, np.nan]})
    >>> term(table, "rank(aid)").tolist()
    [0.5, 1.5, 1.0, 1.0]
    """
    column = column_of(key, members)
    if column is None:
        meant = CALLED.fullmatch(key)
        if meant and meant[2].strip() in members.columns and key.strip() not in members.columns:
            raise UnknownNameError(f"no transform {quote(meant[1])}; {advice(meant[1], TRANSFORMS)}")
        return select(members, key).astype(float)
    values, there = _numbers(members, column)
    if column.transform == "share" and np.median(values[there]) > 1.0:
        got = f"column {quote(column.name)} holds numbers such as {np.median(values[there]):g}"
        raise ScenarioError(
            f"{got}, and share takes shares between 0 and 1; write none({column.name}), or divide by 100"
        )
    measured = TRANSFORMS[column.transform](values[there])
    mean = float(measured.mean())
    if not mean > 0.0:
        cure = "" if column.transform == "rank" else f"; write rank({column.name})" if np.ptp(values[there]) else ""
        raise ScenarioError(f"{column.key} has mean {mean:.3g} over the members, which must be above 0{cure}")
    out = np.ones(len(members))
    out[there] = measured / mean
    return out


def missing(members: pd.DataFrame, key: str) -> Flags:
    """Return for which members a term is not known, and counts as its mean, shape (N,)."""
    column = column_of(key, members)
    return np.zeros(len(members), dtype=bool) if column is None else ~_numbers(members, column)[1]


def _numbers(members: pd.DataFrame, column: Column) -> tuple[Floats, Flags]:
    """Return the numbers of a column, and where they are known."""
    if column.name not in members.columns:
        hint = advice(column.name, map(str, members.columns))
        raise UnknownNameError(f"no column {quote(column.name)} in the member table; {hint}")
    cells = members[column.name]
    if not pd.api.types.is_numeric_dtype(cells) and not cells.map(text_of_cell).eq("").all():
        odd = next((cell for cell in members[column.name] if not _is_number(cell)), "")
        raise ScenarioError(
            f"column {quote(column.name)} holds texts such as {quote(odd)}, and {column.transform} takes numbers; "
            f"a selector says whom a text means: {column.name}={odd}"
        )
    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
    there = np.isfinite(values)
    if not there.any():
        raise ScenarioError(f"column {quote(column.name)} has no value for any member")
    return values, there


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float, np.number))


def by_key(exposure: Any) -> Any:
    """Return the terms of a file by their key, whether they are written so, as tables, or as a list of tables.

    Examples
    --------
    >>> by_key([{"column": "us_aid", "transform": "log1p", "weight": 0.5}, {"who": "nato", "weight": 1.5}])
    {'log1p(us_aid)': 0.5, 'nato': 1.5}
    """
    if isinstance(exposure, (list, tuple)):
        pairs = [_pair(entry, "") for entry in exposure]
    elif isinstance(exposure, Mapping):
        pairs = [_pair(part, key) if _is_entry(part) else (key, part) for key, part in exposure.items()]
    else:
        return exposure
    keys = [key for key, _ in pairs]
    if len(pairs) > MOST_COLUMNS:
        raise ValueError(f"an exposure has at most {MOST_COLUMNS} terms, got {len(pairs)}")
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"two terms of an exposure are {quote(key)}; leave one out")
    return dict(pairs)


def _is_entry(part: Any) -> bool:
    return isinstance(part, Mapping) and bool(part.keys() & ENTRY)


def _pair(entry: Any, key: str) -> tuple[str, Any]:
    """Return the key and the weight of a term that is written as a table."""
    if not isinstance(entry, Mapping):
        shown = '{ column = "aid", transform = "log1p", weight = 0.5 }'
        raise ValueError(f"a term of an exposure must be a table such as {shown}, got {quote(entry)}")
    for part in entry:
        if part not in ENTRY:
            raise ValueError(f"unknown key {quote(part)} in a term of an exposure; {advice(str(part), sorted(ENTRY))}")
    if "weight" not in entry:
        raise ValueError(f"a term of an exposure has no weight: {quote(dict(entry))}")
    who, column = entry.get("who"), entry.get("column")
    if who is not None and (column is not None or "transform" in entry):
        raise ValueError(f"a term of an exposure is a selector (who) or a column, got both: {quote(dict(entry))}")
    transform = entry.get("transform", NONE)
    if not isinstance(transform, str) or transform not in TRANSFORMS:
        raise ValueError(f"no transform {quote(transform)}; {advice(str(transform), TRANSFORMS)}")
    if who is None and key and column is None and "transform" not in entry:
        who = key
    if who is None:
        who = Column(str(column or key), transform).key if column or key else None
    if who is None:
        raise ValueError(f"a term of an exposure names no column and no selector (who): {quote(dict(entry))}")
    return str(who), entry["weight"]
