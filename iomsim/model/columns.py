"""What the columns of a member table mean: the dictionary of the shipped tables, and what a table holds."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from iomsim.model.electorate import Electorate
from iomsim.model.evidence import DICTIONARY, shipped_names, shipped_text, shipped_texts
from iomsim.model.tables import read_table

TOLD = ("meaning", "unit", "year", "source", "licence", "transform")
"""What the dictionary says of a column, before what is counted."""

REMARKS = ("grade", "note")
"""What it says after that."""

OWN = {"id": "short id of the member", "group": "who shares a regional shock"}
"""Columns that the electorate of a scenario adds to its table."""


def _dictionary() -> pd.DataFrame:
    return shipped_texts("column", "members", f"{DICTIONARY}.csv")


def dictionary() -> pd.DataFrame:
    """Return what the columns of the shipped member tables mean, one row a column.

    Returns
    -------
    DataFrame
        By `column`: `meaning`, `unit` ("yes/no" for 1 and 0), `year` of the figures, `source` ("derived: ..." with
        the formula, for columns made of others), `licence`, `transform` advised for a sponsor's exposure ("selector"
        for yes/no columns), the `lowest` and `highest` number that the column may hold, `grade` and `note`.

    Examples
    --------
    >>> dictionary().loc["us_aid_share", ["unit", "year", "transform"]].tolist()
    ['share', '2019', 'share']
    """
    return _dictionary().copy()


def columns_of(electorate: Electorate) -> pd.DataFrame:
    """Return one row for every column of a member table: what it means, and what it holds.

    A column means what the dictionary says if it is that of a shipped table, cell by cell.  Of somebody's own column
    nothing is known but what it holds, whatever it is called.
    """
    frame = electorate.frame
    given = [column for column in frame.columns if column not in OWN]
    known = _dictionary()
    rows = []
    for column in [*OWN, *given]:
        said = known.loc[column] if column in known.index and _is_shipped(electorate, frame, column) else None
        told = {part: "" if said is None else str(said[part]) for part in (*TOLD, *REMARKS)}
        told["meaning"] = told["meaning"] or OWN.get(column, "")
        rows.append({"column": column, **told, **_held(frame[column])})
    held = ("known", "missing", "least", "greatest")
    return pd.DataFrame(rows).set_index("column")[[*TOLD, *held, *REMARKS]]


def _is_shipped(electorate: Electorate, frame: pd.DataFrame, column: str) -> bool:
    """Say whether a column is that of a shipped table, for all members of this one."""
    if electorate.members is not None:
        return True
    for name in shipped_names("members", ".csv"):
        table = _shipped(name)
        for own, key in (("id", "iso3"), ("name", "name")):
            if column in table and frame[own].isin(table[key]).all():
                theirs = table.set_index(table[key])[column].loc[frame[own]]
                if (_cells(theirs) == _cells(frame[column])).all():
                    return True
    return False


@cache
def _shipped(name: str) -> pd.DataFrame:
    return read_table(shipped_text("members", name, ".csv", "shipped member table"), name)


def _cells(values: pd.Series) -> np.ndarray:
    """Return cells as texts: numbers written alike, and what is missing as nothing."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    texts = values.where(values.notna(), "").astype(str).to_numpy(dtype=object)
    return np.where(np.isfinite(numbers), numbers.astype(str), texts).astype(str)


def _held(values: pd.Series) -> dict[str, float | int]:
    """Return how many members have a value, and the least and the greatest if they are numbers."""
    known = values[values.notna() & (values.astype(str).str.strip() != "")]
    numbers = pd.to_numeric(known, errors="coerce").to_numpy(dtype=float)
    ends = (numbers.min(), numbers.max()) if len(known) and np.isfinite(numbers).all() else (np.nan, np.nan)
    return {
        "known": len(known),
        "missing": len(values) - len(known),
        "least": float(ends[0]),
        "greatest": float(ends[1]),
    }
