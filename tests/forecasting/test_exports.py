"""A forecast in other forms says what its tables say."""

from __future__ import annotations

import json
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import toy

import iomsim as iom
from iomsim.errors import FileError
from iomsim.forecasting import exports
from iomsim.house_style import thousands

QUESTIONS = ["elected in round", "elected in the hour from", "how it ends", "rounds held", "runs into",
             "share of round 1", "who wins"]  # fmt: skip


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    """Return a forecast of candidates whose names spreadsheets would compute."""
    return iom.forecast(toy(15, ["=A+1", "B, or C", "D"]), 200, 1, progress=False, assumptions=20)


# -- one table -----------------------------------------------------------------------------------------


def test_all_answers_in_one_table(fc: iom.Forecast) -> None:
    table = fc.to_frame()
    assert list(table) == exports.COLUMNS
    assert sorted(table["question"].cat.categories) == QUESTIONS
    assert set(table["unit"]) == {"probability", "rounds", "share of valid papers"}
    assert table["value"].notna().all()
    one = table.query("reading == 'all'").set_index(["question", "outcome"])
    said = ["value", "low", "high", "mc_error"]
    for name, row in pd.concat([fc.win_probability(), fc.chances()]).iterrows():
        assert one.loc[("who wins", name), said].to_numpy(float).ravel() == pytest.approx(row, nan_ok=True)
    spill = one.loc[("runs into", fc.next_day.isoformat()), said].to_numpy(float).ravel().tolist()
    assert spill == pytest.approx([fc.spill().value, fc.spill().low, fc.spill().high, fc.spill().mc_error], nan_ok=True)
    for question, wanted in (
        ("elected in round", fc.rounds().rename(index=str)),
        ("how it ends", fc.endings().set_axis([f"{e}: {w}" for e, w in fc.endings().index])),
        ("elected in the hour from", fc.decided_at().iloc[:-1].rename(index=pd.Timestamp.isoformat)),
    ):
        assert one.loc[question, "value"].tolist() == wanted["probability"].tolist()
        assert one.loc[question].index.tolist() == wanted.index.tolist()
    held = one.loc["rounds held"].set_index("statistic")["value"]
    assert (held["median"], held["10 % point"], held["90 % point"]) == fc.median_rounds()
    shares = one.loc["share of round 1"].set_index("statistic", append=True)["value"]
    assert shares["D", "median"] == fc.summary.share_quantile(1, 2, 0.5)


def test_each_reading_of_the_rules_has_its_rows(fc: iom.Forecast) -> None:
    table, sides = fc.to_frame(), fc.rule_sets()
    for reading, row in sides.iterrows():
        own = table[table["reading"] == reading].set_index(["question", "outcome"])
        assert own.loc[("who wins", "D"), ["value", "mc_error"]].tolist() == row[["D", "D_mc_error"]].tolist()
        assert own.loc[("rounds held", ""), "value"] == row["median_rounds"]
    assert set(table["reading"]) == {"all", *sides.index}


def test_a_deadline_is_asked_after() -> None:
    late = iom.forecast(toy(9).with_clock(deadline="2023-05-15T11:00"), 200, 1, progress=False)
    row = late.to_frame().set_index("question").loc["unfinished at"]
    assert row["outcome"] == "2023-05-15T11:00:00"
    assert row["value"] == late.chances().loc["still voting", "probability"] > 0


# -- files ---------------------------------------------------------------------------------------------


def as_text(value: Any) -> Any:
    missing = value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NaT
    return "" if missing else value


@pytest.mark.slow
def test_a_workbook_holds_the_tables_and_no_formula(
    fc: iom.Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    fc.to_excel(tmp_path / "fc.xlsx", runs=True)
    made = (tmp_path / "fc.xlsx").read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    fc.to_excel(tmp_path / "fc.xlsx", runs=True)
    assert (tmp_path / "fc.xlsx").read_bytes() == made
    book = openpyxl.load_workbook(tmp_path / "fc.xlsx")
    tables = exports.tables_of(fc, runs=True)
    assert book.sheetnames == ["about", *tables]
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    about = {row[0].value: row[1].value for row in book["about"].iter_rows(min_row=2)}
    assert about == {"title": fc.race.title, "answer": fc.answer(detail=True)[:], "made by": fc.stamp()}
    for name, table in tables.items():
        flat = table if name in exports.ROW_NUMBERS else table.reset_index()
        heading, *rows = book[name].iter_rows(values_only=True)
        assert list(heading) == list(flat)
        for cell, value in zip(rows[0], flat.astype(object).iloc[0], strict=True):
            assert as_text(cell) == (
                pytest.approx(value) if isinstance(value, float) and value == value else as_text(value)
            )
        assert len(rows) == len(flat)
    assert book["decided_at"]["A2"].value == fc.decided_at().index[0].to_pydatetime()
    formats = {name: {cell.number_format for row in book[name] for cell in row} for name in book.sheetnames}
    assert formats["win_probability"] == {"General", exports.DIGITS}
    assert formats["evidence"] == {"General"}
    answer = book["about"]["B3"]
    assert answer.alignment.wrap_text
    assert book["about"].row_dimensions[3].height * exports.WIDEST > exports.HEIGHT * len(answer.value)
    assert (book["answers"].freeze_panes, book["answers"].auto_filter.ref) == ("A2", book["answers"].dimensions)


def test_a_sheet_has_so_many_rows(fc: iom.Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "ROWS", 199)
    said = f"runs has 200 rows, and a sheet has {thousands(199)}; leave runs=True out, or write them with to_csv"
    with pytest.raises(iom.IomsimError, match=said):
        fc.to_excel(tmp_path / "fc.xlsx", runs=True)
    with pytest.raises(FileError, match=r"'.*fc.ods': a workbook is called .xlsx"):
        fc.to_excel(tmp_path / "fc.ods")
    assert not list(tmp_path.iterdir())


def test_parquet_keeps_the_types(fc: iom.Forecast, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    files = fc.to_parquet(tmp_path / "new")
    assert [path.name for path in files] == [*(f"{name}.parquet" for name in exports.tables_of(fc, True)), "stamp.json"]
    for name, table in exports.tables_of(fc, runs=True).items():
        again = pd.read_parquet(tmp_path / "new" / f"{name}.parquet")
        for column in again.select_dtypes("datetime"):
            again[column] = again[column].astype("datetime64[s]")  # they come back as milliseconds
        if name == "decided_at":
            again.index = again.index.astype("datetime64[s]")
        pd.testing.assert_frame_equal(again, table)
    assert json.loads((tmp_path / "new" / "stamp.json").read_text(encoding="utf-8")) == fc.provenance


def test_arrays_with_names(fc: iom.Forecast) -> None:
    xarray = pytest.importorskip("xarray")
    found = fc.to_xarray()
    assert isinstance(found, xarray.Dataset)
    assert found["chance"].sel(outcome="D").item() == fc.win_probability().loc["D", "probability"]
    assert found["elected_in_high"].sel(round=1).item() == pytest.approx(fc.rounds().loc[1, "high"], nan_ok=True)
    tallies = found["votes"].to_series().dropna()
    wanted = fc.tallies.set_index(["run", "round", "candidate"])["votes"]
    assert (tallies.index == wanted.index).all()
    assert tallies.tolist() == wanted.tolist()
    assert found["valid"].to_series().dropna().sum() == fc.tallies.drop_duplicates(["run", "round"])["valid"].sum()
    assert found["winner"].to_series().tolist() == fc.runs["winner"].astype(str).tolist()
    path = next(iter(fc.assumptions))
    assert found["assumption"].sel(parameter=path).to_series().tolist() == fc.assumptions[path].tolist()
    assert found.attrs["scenario"] == fc.race.hash
    counts = iom.forecast(toy(9), 50, 1, keep="summary", assumptions="fixed", progress=False).to_xarray()
    assert set(counts.dims) == {"outcome", "round"}


@pytest.mark.parametrize(
    ("what", "library", "install"),
    [
        ("to_excel", "openpyxl", "iomsim[files]"),
        ("to_parquet", "pyarrow", "iomsim[files]"),
        ("to_xarray", "xarray", "xarray"),
    ],
)
def test_a_library_that_is_missing_is_named(
    what: str, library: str, install: str, fc: iom.Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda name: None if name == library else util.find_spec(name))
    with pytest.raises(iom.IomsimError) as error:
        getattr(fc, what)(*[tmp_path / "a.xlsx"] * (what != "to_xarray"))
    assert str(error.value) == f"{what} needs {library}; install it with: pip install '{install}'"
