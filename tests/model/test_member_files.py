"""Member tables in files as people have them, in frames, and as rows: the same table is the same election."""

from __future__ import annotations

import codecs
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.model import tables
from iomsim.model.electorate import select
from iomsim.model.tables import read_table, table_from_file

AB = "candidates = [{ name = 'A' }, { name = 'B' }]\n"
CANDIDATES = [{"name": "A"}, {"name": "B"}]

ROWS = (
    ("name", "code", "region", "eu", "aid", "note"),
    ("Türkiye", "004", "Asia", "0", "1.5", "one"),
    ("Côte d'Ivoire", "012", "Africa", "0", "", ""),
    ("Peru, Republic of", "604", "America", "1", "-20.25", 'said "no"'),
)


def written(separator: str = ",", rows: Any = ROWS, comma: bool = False, end: str = "\n") -> str:
    """Return rows as a csv; with decimal commas if so asked."""

    def cell(text: str) -> str:
        text = text.replace(".", ",") if comma and text[:1] in "-0123456789" and text[:2] != "00" else text
        held = any(mark in text for mark in (separator, '"', "\n"))
        return '"' + text.replace('"', '""') + '"' if held else text

    return "".join(separator.join(map(cell, row)) + end for row in rows)


def load(path: Path, more: str = "", electorate: str = "") -> iom.Scenario:
    return iom.loads(f"{AB}electorate = {{ members = '{path.name}'{electorate} }}\n{more}", folder=path.parent)


def put(folder: Path, data: bytes | str, name: str = "m.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def frame() -> pd.DataFrame:
    columns = dict(zip(ROWS[0], zip(*ROWS[1:], strict=True), strict=True))
    numbers = {"eu": [0, 0, 1], "aid": [1.5, np.nan, -20.25]}
    return pd.DataFrame({**columns, **numbers})


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(iom.IomsimError) as caught:
        load(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- the same table ------------------------------------------------------------------------------------------------

FILES: dict[str, tuple[str, bytes]] = {
    "plain": ("m.csv", written().encode()),
    "capitals": ("M.CSV", written().encode()),
    "text": ("m.txt", written("\t").encode()),
    "tabs": ("m.tsv", written("\t").encode()),
    "semicolons": ("m.csv", written(";").encode()),
    "semicolons and decimal commas": ("m.csv", written(";", comma=True).encode()),
    "bars": ("m.csv", written("|").encode()),
    "said in the first line": ("m.csv", ("sep=;\r\n" + written(";", end="\r\n")).encode()),
    "a mark": ("m.csv", written().encode("utf-8-sig")),
    "UTF-16": ("m.csv", written("\t").encode("utf-16")),
    "UTF-16, big end first": ("m.csv", codecs.BOM_UTF16_BE + written("\t").encode("utf-16-be")),
    "UTF-32": ("m.csv", written().encode("utf-32")),
    "lines of Windows": ("m.csv", written(end="\r\n").encode()),
    "lines of an old Mac": ("m.csv", written(end="\r").encode()),
    "blanks around": ("m.csv", written(rows=[[f" {cell} " for cell in row] for row in ROWS]).encode()),
    "empty rows": ("m.csv", (written() + ",,,,,\n\n , ,,,,\n").encode()),
    "empty columns": ("m.csv", written(rows=[[*row, "", " "] for row in ROWS]).encode()),
    "quotes around everything": (
        "m.csv",
        "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in ROWS).encode(),
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_table_is_the_same_in_every_file_and_in_a_frame(kind: str, tmp_path: Path) -> None:
    with warnings.catch_warnings(action="error"):
        race = load(put(tmp_path, FILES[kind][1], FILES[kind][0]))
    as_frame = iom.Scenario.model_validate({"candidates": CANDIDATES, "electorate": {"table": frame()}})
    assert race.electorate == as_frame.electorate
    assert race.hash == as_frame.hash
    assert race.electorate.frame["code"].tolist() == ["004", "012", "604"]


def test_a_table_of_the_years_of_windows_is_read_and_said_to_be(tmp_path: Path) -> None:
    path = put(tmp_path, written().encode("cp1252"))
    with pytest.warns(UserWarning, match=r"m.csv' is not UTF-8; it was read as cp1252 \('Türkiye'\): save it as UTF-8"):
        race = load(path)
    assert race == load(put(tmp_path, written(), "u.csv"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"name\nT\x81rkiye\n", "is not UTF-8; save it as UTF-8"),  # no letter of Windows-1252
        (codecs.BOM_UTF8 + b"name\nT\xfcrkiye\n", "is not UTF-8; save it as UTF-8"),
        (codecs.BOM_UTF16_LE + b"n\0a\0\xff", "is not UTF-8; save it as UTF-8"),
        ("name\nPeru\n".encode("utf-16-le"), "is not text in UTF-8; save it as UTF-8"),
        (b"", "m.csv': it is empty"),
        (b"\n , \n", "m.csv': it is empty"),
        (b"name,x\nPeru,1\n,2\n", "m.csv', line 3: no name in column 'name'; write one, or leave the line out"),
        (b"name,x\n\n,1\nPeru,2\n,3\n",
         "m.csv', lines 3 and 5: no name in column 'name'; write them, or leave the lines out"),
        (b"name,x\n" + b",1\n" * 9, "m.csv', lines 2, 3, 4, 5, 6 and 4 more: no name in column 'name'"),
        (b"name;x\nPeru;1;2\n", "m.csv', line 2: the header has 2 cells, this line 3"),
        (b"name;x\nPeru\n", "m.csv', line 2: the header has 2 cells, this line 1"),
        (b"name,x,x\nPeru,1,2\n", "m.csv' has two columns 'x'; leave one out"),
        (b'name,x\n"Peru,1\n' + b"x" * 200_000, "cannot read the member table"),
    ],
)  # fmt: skip
def test_files_that_are_refused_with_what_would_work(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refusal(put(tmp_path, data))


@pytest.mark.parametrize("name", ["m.xls", "m.ods", "m.json", "M.XLSB"])
def test_files_of_other_kinds_are_to_be_saved_as_csv(tmp_path: Path, name: str) -> None:
    assert refusal(put(tmp_path, b"x", name)).endswith("is of a kind that is not read; save it as csv")


def test_a_workbook_without_its_reader_is_to_be_saved_as_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "find_spec", lambda _: None)
    said = refusal(put(tmp_path, b"PK", "m.xlsx"))
    assert said.endswith("m.xlsx': a workbook; save it as csv, or pip install iomsim[files]")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("name\nPeru\n", ["name"]),
        ("name,a;b;c\nPeru,1;2;3\n", ["name", "a;b;c"]),
        ("name;aid, musd\nPeru;1,5\n", ["name", "aid, musd"]),
        ('"a;b;c;d",name\n1,Peru\n', ["a;b;c;d", "name"]),
        ("a,name,c\n1,Peru,2\n", ["a", "name", "c"]),
        ("a;name\n1,5;Peru\n", ["a", "name"]),
        ('name, "a"," two\nlines "\nPeru,1,2\n', ["name", '"a"', "two lines"]),
    ],
)
def test_what_separates_the_cells_is_seen_in_the_header(text: str, columns: list[str]) -> None:
    assert list(read_table(text, "m")) == columns


def test_commas_are_decimal_only_where_all_numbers_of_a_column_are_written_so() -> None:
    table = read_table("name;a;b;c;d\nX;1,5;1,5;1.234,5;\nY;;2.5;2;3,25\nZ;-2;1;7;4\n", "m")
    np.testing.assert_array_equal(table["a"], [1.5, np.nan, -2.0])
    assert table["b"].tolist() == ["1,5", "2.5", "1"]
    assert table["c"].tolist() == ["1.234,5", "2", "7"]
    np.testing.assert_array_equal(table["d"], [np.nan, 3.25, 4.0])
    assert read_table('name,a\nX,"1,5"\n', "m")["a"].tolist() == ["1,5"]


def test_namibia_is_a_text_wherever_it_stands(tmp_path: Path) -> None:
    race = load(put(tmp_path, "name,iso2,continent\nNamibia,NA,AF\nCanada,CA,NA\n"), electorate=", id = 'iso2'")
    there = race.electorate.frame
    assert select(there, ["NA"]).tolist() == select(there, "continent=AF").tolist() == [True, False]
    assert select(there, "continent=NA").tolist() == [False, True]


@pytest.mark.parametrize("who", ['"region-code=002"', '["012"]'])
def test_codes_with_zeros_in_front(tmp_path: Path, who: str) -> None:
    for last in ("150", ""):
        path = put(tmp_path, f"name,code,region-code\nAfghanistan,004,142\nAlgeria,012,002\nX,804,{last}\n")
        tie = f"ties = [{{ name = 't', who = {who}, candidate = 'A', log_odds = 1.0 }}]\n"
        assert load(path, tie, ", id = 'code'").tie_table[0].tolist() == [0.0, 1.0, 0.0]


# -- workbooks -----------------------------------------------------------------------------------------------------


def workbook(path: Path, *rows: Any, more: Callable[[Any], None] = lambda _: None) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    more(book)
    book.save(path)
    return path


def test_a_workbook_is_the_same_table(tmp_path: Path) -> None:
    numbers = [[*row[:3], int(row[3]), float(row[4]) if row[4] else None, row[5]] for row in ROWS[1:]]
    path = workbook(tmp_path / "m.xlsx", ROWS[0], *numbers, [None] * 6, more=lambda book: book.create_sheet("other"))
    assert load(path).hash == load(put(tmp_path, written())).hash
    assert load(path) == load(put(tmp_path, written()))
    assert iom.start("who", ["A", "B"], path) == iom.start("who", ["A", "B"], frame())
    assert table_from_file(workbook(tmp_path / "N.XLSX", *ROWS)) == table_from_file(path)  # numbers kept as texts


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    from datetime import date, datetime, time

    path = workbook(
        tmp_path / "m.xlsx",
        ["name", "since", "at", "on", 2023, "sum"],
        [" Peru ", date(2020, 1, 2), time(9, 30), True, 1, "=1+1"],
        ["Togo", datetime(2020, 1, 2, 10), None, False, 2.5, None],
    )
    assert table_from_file(path) == (
        {"name": "Peru", "since": "2020-01-02", "at": "09:30:00", "on": True, "2023": 1.0, "sum": ""},
        {"name": "Togo", "since": "2020-01-02 10:00:00", "at": "", "on": False, "2023": 2.5, "sum": ""},
    )
    nameless = workbook(tmp_path / "n.xlsx", ["name", "x"], ["Peru", 1], [None, 2])
    assert "n.xlsx', line 3: no name in column 'name'" in refusal(nameless)


@pytest.mark.parametrize("data", [b"PK", b"", b"name,x\nPeru,1\n", b"PK\x03\x04" + bytes(100)])
def test_a_broken_workbook_is_to_be_saved_as_csv(tmp_path: Path, data: bytes) -> None:
    said = refusal(put(tmp_path, data, "m.xlsx"))
    assert "cannot read the member table" in said
    assert "save it as csv" in said


# -- columns with names that mean something ------------------------------------------------------------------------

OWN = "id,name,group,pinned,has_vote\nq1,Peru,donors,0,1\nq2,Togo,others,1,1\n"


@pytest.mark.parametrize("who", ["'group=donors'", "['q1']", "['Q1']", "'not pinned'", "['Peru']"])
def test_columns_of_somebodys_own_serve_in_selectors_and_lists(tmp_path: Path, who: str) -> None:
    tie = f"ties = [{{ name = 't', who = {who}, candidate = 'A', log_odds = 1.0 }}]\n"
    race = load(put(tmp_path, OWN), tie)
    assert race.tie_table[0].tolist() == [1.0, 0.0]
    assert race.electorate.frame["id"].tolist() == ["q1", "q2"]
    assert race.plan.group.tolist() == [0, 1]
    assert race.members["pinned (table)"].tolist() == [0, 1]
    assert race.members["pinned"].tolist() == ["", ""]


@pytest.mark.parametrize("who", ["'group=donors'", "'group=Andes'", "['q1']", "['PER']"])
def test_they_serve_too_where_others_are_the_ids_and_groups(tmp_path: Path, who: str) -> None:
    path = put(tmp_path, "id,iso3,name,group,region\nq1,PER,Peru,donors,Andes\nq2,TGO,Togo,others,Gulf\n")
    tie = f"ties = [{{ name = 't', who = {who}, candidate = 'A', log_odds = 1.0 }}]\n"
    race = load(path, tie, ", group = 'region'")
    assert race.tie_table[0].tolist() == [1.0, 0.0]
    assert race.electorate.frame["id"].tolist() == ["PER", "TGO"]
    assert race.electorate.frame["group (table)"].tolist() == ["donors", "others"]


@pytest.mark.parametrize("ids", [("q1", ""), ("q1", "q1")])
def test_a_column_called_id_that_is_none_leaves_the_names(tmp_path: Path, ids: tuple[str, str]) -> None:
    race = load(put(tmp_path, f"id,name\n{ids[0]},Peru\n{ids[1]},Togo\n"))
    assert race.electorate.frame["id"].tolist() == ["Peru", "Togo"]


def test_members_without_a_group_are_groups_by_themselves_and_said(tmp_path: Path) -> None:
    path = put(tmp_path, "name,region,eu\nAlgeria,,0\nEgypt,,0\nFrance,,1\nKenya,East,0\nUganda,East,0\nEast,,0\n")
    said = "the column 'region' of the groups is empty for 'Algeria' and 3 more: each is a group by itself"
    with pytest.warns(UserWarning, match=said):
        race = load(path, electorate=", group = 'region'")
    assert race.electorate.frame["group"].tolist() == ["Algeria", "Egypt", "France", "East", "East", "East alone"]
    assert len(set(race.plan.group)) == 5
    with pytest.warns(UserWarning, match="'Algeria' and 2 more"):  # of whom a group of one's own says something
        race = load(path, electorate=", group = 'region', own_groups = { EU = 'eu' }")
    assert race.electorate.frame["group"].tolist()[2] == "EU"


# -- frames --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"table": frame()},
        {"members": frame()},
        {"members": frame().set_index("name")},
        {"members": frame().set_index("name").rename_axis(None)},
        {"members": pd.concat([frame(), pd.DataFrame([{}])])},
        {"members": frame().astype({"eu": float})},
        {"members": frame().assign(aid=["1.5", None, "-20.25"], eu=["0", "0", "1"])},
        {"members": frame().rename(columns={"name": "state"}), "name": "state"},
        {"members": frame().rename(columns={"name": "state"}).set_index("state"), "name": "state"},
        {"members": frame().set_index("name").rename_axis(None), "name": "state"},
    ],
)
def test_a_frame_is_an_electorate(given: dict[str, Any]) -> None:
    one = iom.Electorate(**given)
    two = iom.Electorate(table=frame())
    assert one.frame["name"].tolist() == two.frame["name"].tolist()
    pd.testing.assert_series_equal(one.frame["aid"], two.frame["aid"])
    pd.testing.assert_series_equal(one.frame["eu"], two.frame["eu"])
    nested = iom.Scenario.model_validate({"candidates": CANDIDATES, "electorate": given})
    assert nested.electorate == one


def test_a_path_is_an_electorate_too(tmp_path: Path) -> None:
    assert iom.Electorate(members=put(tmp_path, written())) == iom.Electorate(table=frame())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"table": frame().assign(x=[[1], [2], [3]])},
            "the column 'x' of the member table holds [1]; give texts",
        ),
        ({"table": frame(), "members": "iom-2023"}, "give the members once: a table, or members"),
        ({"members": frame(), "table": [{"name": "X"}]}, "give the members once: a table, or members"),
        ({"members": Path("gone.csv")}, "cannot read the member table 'gone.csv': No such file or directory"),
    ],
)
def test_frames_that_are_refused_in_our_words(given: dict[str, Any], said: str) -> None:
    with pytest.raises(iom.IomsimError) as caught:
        iom.Electorate(**given)
    assert str(caught.value).startswith(f"electorate: {said}")


# -- scenarios -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_scenario_with_a_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "Race.TOML"
    path.write_bytes(f"title = 'Köln'\n{AB}electorate.size = 9\n".encode(encoding))
    assert iom.load(path).title == "Köln"
    assert iom.loads("\N{BYTE ORDER MARK}" + AB + "electorate.size = 9\n").names == ("A", "B")


def test_lists_of_nobody_are_nothing_and_an_empty_name_is_shown() -> None:
    race = iom.loads(AB + "electorate = { size = 9, pinned = { A = [] }, barred = { A = [] }, without_vote = [] }\n")
    assert race.votes.all()
    assert (race.pins == -1).all()
    for key in ("without_vote = ['']", "pinned = { A = [''] }", "barred = { A = ['M1', ''] }"):
        with pytest.raises(iom.IomsimError, match="no member named ''; there are M1, "):
            iom.loads(f"{AB}electorate = {{ size = 9, {key} }}\n")


def test_members_without_a_group_are_no_groups_to_call(tmp_path: Path) -> None:
    rows = "".join(f"M{i},{'North' if i < 4 else ''},{i % 2}\n" for i in range(8))
    with pytest.warns(UserWarning, match="'M4' and 3 more"):
        race = load(put(tmp_path, f"name,region,near\n{rows}"), electorate=", group = 'region'")
    found = iom.pivotal(race, runs=1024, seed=1, checked=1, checked_runs=100)
    assert set(found.by_group().index.get_level_values(0)) == {"North"}
    assert found.worth(["m1"]) == found.worth(["M1"])
    with pytest.raises(iom.UnknownNameError, match="no member named 'M9'; there are M0, M1"):
        found.worth(["M9"])
