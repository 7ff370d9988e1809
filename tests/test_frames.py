"""Every public table has columns of one kind each, and says what its rows are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from toys import toy

import iomsim as iom

KINDS = {"string", "floating", "integer", "boolean", "datetime64", "categorical", "empty"}
"""What a column may hold, beside missing cells; dates are moments without a time."""

ROW_NUMBERS = ("members", "tallies", "answers", "tallies of the record")
"""Tables whose rows have no name."""


@cache
def race() -> iom.Scenario:
    return toy(9, "ABC", sponsors=[{"name": "W", "backs": "A", "strength": {"value": 1, "low": 0, "high": 2}}])


@cache
def fc() -> iom.Forecast:
    return iom.forecast(race(), 200, 1, assumptions=50, progress=False)


@cache
def day() -> iom.ElectionDay:
    night = iom.live(race(), particles=50, seed=1)
    night.announce(A=4, B=3, C=2)
    night.withdraw("C")
    return night


@cache
def record() -> iom.History:
    return iom.history().filter(body="IOM")


QUICK = {"runs": 40, "seed": 1, "progress": False}

TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "answers": lambda: fc().to_frame(),
    "who wins": lambda: fc().win_probability(),
    "rounds": lambda: fc().rounds(),
    "endings": lambda: fc().endings(),
    "hours": lambda: fc().decided_at(),
    "readings": lambda: fc().rule_sets(),
    "runs": lambda: fc().runs,
    "tallies": lambda: fc().tallies,
    "assumptions": lambda: fc().assumptions,
    "drivers": lambda: fc().drivers().table(),
    "a curve": lambda: fc().drivers().curve("secrecy"),
    "members": lambda: race().members,
    "evidence": lambda: race().evidence(),
    "leanings": lambda: race().leanings(9, seed=1),
    "columns": lambda: iom.load("geneva-2023").columns(),
    "facts": iom.facts,
    "bodies": iom.bodies,
    "scenarios": iom.catalogue,
    "compared": lambda: iom.compare(race(), race().with_rules("strict"), **QUICK).table(),
    "side by side": lambda: iom.side_by_side({"a": race(), "b": race().with_rules("strict")}, **QUICK).table(),
    "a grid": lambda: iom.grid(race(), W=[0, 1], **QUICK).table(),
    "a tornado": lambda: iom.tornado(race(), parameters=["fluid"], **QUICK).table(),
    "pivotal": lambda: iom.pivotal(toy(9), checked=1, checked_runs=40, **QUICK).table(),
    "ways": lambda: iom.paths_to(race(), "B", **QUICK).table(),
    "a day": lambda: day().history(),
    "chances of a day": lambda: day().chances(),
    "learned": lambda: day().learned(),
    "the record": lambda: record().each(),
    "answers of the record": lambda: record().table(),
    "tallies of the record": lambda: record().tallies,
    "alike": lambda: record().like(98, 67).table(),
}


def check(name: str, table: pd.DataFrame) -> None:
    assert len(table), name
    assert table.columns.is_unique
    for column in table:
        assert pd.api.types.infer_dtype(table[column], skipna=True) in KINDS, (name, column)
    assert all(table.index.names) != (name in ROW_NUMBERS)
    for level in range(table.index.nlevels):
        assert pd.api.types.infer_dtype(table.index.get_level_values(level), skipna=True) in KINDS, name


@pytest.mark.parametrize("name", TABLES)
def test_columns_are_of_one_kind(name: str) -> None:
    check(name, TABLES[name]())


def test_and_those_of_a_score(tmp_path: Path) -> None:
    eve = datetime(2023, 5, 14, 18, tzinfo=UTC)
    told = iom.register(race(), tmp_path / "r.toml", runs=200, seed=1, at=eve, progress=False)
    found: Any = iom.score(told, winner="A", rounds=2, ended="Monday 16:35", first=[4, 3, 2])
    check("what came", found.came())
    assert found.came().loc["ended", ["low_at", "median_at", "high_at"]].notna().all()
    assert found.came().loc["rounds", ["low", "median", "high"]].notna().all()
    check("scores", found.table())
    check("registered", told.table())


def test_a_mixed_column_is_seen() -> None:
    with pytest.raises(AssertionError, match="value"):
        check("x", pd.DataFrame({"value": [1, "strict"]}, pd.Index(["a", "b"], name="parameter")))
