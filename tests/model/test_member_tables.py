"""Member tables: numbers and texts, what is missing, and what is the same table in another file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.model.electorate import select
from iomsim.model.tables import normal, read_table

AB = 'candidates = [{ name = "A" }, { name = "B" }]\n'


def load(folder: Path, table: str, electorate: str = 'members = "m.csv"', more: str = "") -> iom.Scenario:
    (folder / "m.csv").write_text(table, encoding="utf-8")
    return iom.loads(f"{AB}electorate = {{ {electorate} }}\n{more}", folder=folder)


GAPS = "name,code,aid,eu,note\nChad,012,1.5,0,\nPeru,,,1,x\nTogo,768,2,,\n"


def test_a_number_that_is_missing_is_nan_and_a_text_is_empty(tmp_path: Path) -> None:
    frame = load(tmp_path, GAPS).electorate.frame
    assert frame["code"].tolist() == ["012", "", "768"]
    np.testing.assert_array_equal(frame["aid"], [1.5, np.nan, 2.0])
    np.testing.assert_array_equal(frame["eu"], [0.0, 1.0, np.nan])
    assert frame["aid"].dtype == frame["eu"].dtype == np.float64
    assert frame["note"].tolist() == ["", "x", ""]


def test_a_table_with_gaps_is_saved_copied_and_sent(tmp_path: Path) -> None:
    """NaN differs from itself, which no scenario does."""
    race = load(tmp_path, GAPS)
    again = iom.loads(iom.dumps(race))
    assert again == race == pickle.loads(pickle.dumps(race))
    assert again.hash == race.hash
    pd.testing.assert_frame_equal(again.electorate.frame, race.electorate.frame)
    other = load(tmp_path, GAPS.replace("Peru,,,", "Peru,,0,"))
    assert other != race
    assert other.hash != race.hash


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1", "0"], [1, 0]),
        (["1", ""], [1.0, None]),
        (["1.0", "2.0"], [1, 2]),
        (["1.5", "2"], [1.5, 2.0]),
        ([" 7 ", ".5", "1e3", "+2", "-3."], [7.0, 0.5, 1000.0, 2.0, -3.0]),
        (["1", "nan"], [1.0, None]),
        (["nan", ""], ["nan", ""]),
        (["NA", "1"], ["NA", "1"]),
        (["1_000", "1"], ["1_000", "1"]),
        (["0x1", "1"], ["0x1", "1"]),
        (["0", "0.5"], [0.0, 0.5]),
        (["00", "1"], ["00", "1"]),
        (["-01", ""], ["-01", ""]),
        (["12345678901234567", "1"], ["12345678901234567", "1"]),
        ([2**60, 1], [2**60, 1]),
        ([10**400, 1.0], [str(10**400), "1"]),
        (["1e400", "-inf"], [np.inf, -np.inf]),
        (["True", "false"], [True, False]),
        ([True, None], [1.0, None]),
        ([True, 2], [1, 2]),
        (["true", "1"], ["true", "1"]),
        ([np.float32(0.5), np.int64(2), float("nan")], [0.5, 2.0, None]),
        ([1.0, "x", None, 2.5], ["1", "x", "", "2.5"]),
        ([None, " ", float("nan")], ["", "", ""]),
        ([], []),
    ],
)
def test_what_the_cells_of_a_column_are(cells: list[Any], said: list[Any]) -> None:
    found = normal(cells)
    assert found == said
    assert [type(cell) for cell in found] == [type(cell) for cell in said]


@pytest.mark.parametrize(
    ("who", "chosen"),
    [
        ("code=012", [1, 0, 0]),
        ("not code=012", [0, 1, 1]),
        ("n=4", [1, 0, 0]),
        ("n=4.0", [1, 0, 0]),
        ("n=4.00", [1, 0, 0]),
        ("x=1.50", [1, 0, 0]),
        ("x=2", [0, 1, 0]),
        ("on=True", [1, 0, 1]),
        ("on=1", [1, 0, 1]),
        ("on and not x=2", [1, 0, 1]),
    ],
)
def test_a_value_is_written_as_in_the_file_or_as_the_same_number(who: str, chosen: list[int]) -> None:
    table = read_table("name,code,n,x,on\nA,012,4,1.5,True\nB,12,,2,False\nC,,40,,True\n", "m.csv")
    assert select(table.assign(id=table["name"]), who).astype(int).tolist() == chosen


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("code=12", "no member has code = '12'; did you mean '012'?"),
        ("eu", "column 'eu' has no value for 'Togo'; fill it in, or write eu=1"),
        ("aid", "column 'aid' is not a yes/no column; write aid=X for some value X"),
        ("aid=x", "no member has aid = 'x'; there are 1.5, 2"),
    ],
)
def test_selectors_that_say_nothing_are_refused(tmp_path: Path, who: str, said: str) -> None:
    tie = f'ties = [{{ name = "t", who = "{who}", candidate = "A", log_odds = 1.0 }}]'
    with pytest.raises(iom.IomsimError) as caught:
        load(tmp_path, GAPS, more=tie)
    assert str(caught.value).endswith(f"tie 't': {said}")
