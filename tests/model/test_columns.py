"""The dictionary of the member tables: a line for every column, a range for every number, every formula done again."""

from __future__ import annotations

import csv
from importlib.resources import files
from io import StringIO

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.cli import main
from iomsim.model.columns import dictionary
from iomsim.model.evidence import SHIPPED, shipped_names

TABLES = ("iom-2018", "iom-2023")
TRANSFORMS = {"", "selector", "none", "log1p", "share", "rank"}
UNKNOWN = {
    "unga_ideal_point_2019": ["COK", "SRB", "VAT"],
    "visa_us_2023": ["COK"],
    "visa_france_2023": ["COK"],
}
"""What is really not known, and for whom; everything else is there."""

AID = (
    "us_aid_musd_2020_22", "oda_us_musd_2019", "oda_eu_members_musd_2019", "oda_eu_institutions_musd_2019",
    "oda_portugal_musd_2019", "oda_all_musd_2019", "eu_aid_musd_2019",
)  # fmt: skip


def cells(name: str) -> list[dict[str, str]]:
    """Return a shipped table as it is written, cell by cell."""
    return list(csv.DictReader(StringIO((files(SHIPPED) / "members" / f"{name}.csv").read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def members() -> pd.DataFrame:
    """Return the cells of 2023 as texts, by code."""
    return pd.DataFrame(cells("iom-2023")).set_index("iso3", drop=False)


def number(members: pd.DataFrame, column: str) -> pd.Series:
    return members[column].astype(float)


def test_every_column_has_its_line_and_every_line_its_column() -> None:
    columns = {column for name in TABLES for column in cells(name)[0]}
    lines = dictionary()
    assert lines.index.is_unique
    assert set(lines.index) == columns
    assert set(shipped_names("members", ".csv")) == set(TABLES)  # the dictionary is no table of members


def test_every_line_says_what_from_when_from_whom_and_on_what_terms() -> None:
    lines = dictionary()
    for part in ("meaning", "year", "source", "licence", "grade"):
        assert (lines[part].str.strip() != "").all(), part
    assert set(lines["transform"]) <= TRANSFORMS
    assert set(lines["grade"]) <= {"verified", "inferred", "recalled", "assumed"}
    flags = lines.index[lines["unit"] == "yes/no"]
    assert (lines.loc[flags, ["transform", "lowest", "highest"]].to_numpy() == ["selector", "0", "1"]).all()
    assert not lines["transform"][~lines.index.isin(flags)].eq("selector").any()
    for column in AID:  # an empty cell would be a mean recipient; a donor is none, and the dictionary says so
        assert lines.loc[column, "note"].startswith(("0 ", "Negative")), column
        assert "0 for" in lines.loc[column, "note"] or "0 where" in lines.loc[column, "note"], column


@pytest.mark.parametrize("name", TABLES)
def test_every_number_is_within_its_range(name: str) -> None:
    rows, lines = cells(name), dictionary()
    for column in rows[0]:
        low, high, unit = lines.loc[column, ["lowest", "highest", "unit"]]
        held = [row[column] for row in rows if row[column] != ""]
        if low == "":
            assert not all(cell.replace(".", "").isdecimal() for cell in held), column
            continue
        assert all(float(low) <= float(cell) <= float(high) for cell in held), column
        if unit == "yes/no":
            assert set(held) <= {"0", "1"}, column


def test_what_is_not_known_is_empty_and_nothing_else(members: pd.DataFrame) -> None:
    for column in members:
        assert members.index[members[column] == ""].tolist() == UNKNOWN.get(column, []), column


def test_who_is_no_recipient_has_no_aid(members: pd.DataFrame) -> None:
    donors = [*members.index[members["eu"] == "1"], "USA", "GBR", "JPN", "CAN", "NOR", "CHE", "AUS", "RUS"]
    oda = [column for column in AID if column != "us_aid_musd_2020_22"]
    assert (members.loc[donors, [*oda, "us_aid_share", "eu_aid_share"]].astype(float) == 0).all(axis=None)
    assert (number(members, "oda_all_musd_2019") != 0).sum() == 128
    assert members.loc[["POL", "KEN", "UKR"], "us_aid_musd_2020_22"].tolist() == ["102.8", "706.8", "4047.9"]


def test_derived_columns_follow_from_the_others(members: pd.DataFrame) -> None:
    us, every = number(members, "oda_us_musd_2019"), number(members, "oda_all_musd_2019")
    eu = number(members, "oda_eu_members_musd_2019") + number(members, "oda_eu_institutions_musd_2019")
    assert number(members, "eu_aid_musd_2019").to_numpy() == pytest.approx(eu.to_numpy(), abs=1e-6)
    for column, part in (("us_aid_share", us), ("eu_aid_share", eu)):
        share = np.where(every == 0, 0.0, np.clip(part / every.replace(0, np.nan), 0, 1))
        assert number(members, column).to_numpy() == pytest.approx(share, abs=5.1e-5), column
    assert number(members, "us_aid_share")[["AFG", "EGY", "CHN", "AGO"]].tolist() == [0.345, 0, 0, 1]
    us_visa, schengen = members["visa_us_2023"].copy(), members["visa_france_2023"].copy()
    us_visa["COK"], schengen["COK"] = us_visa["NZL"], schengen["NZL"]  # whose passport its citizens carry
    assert (number(members, "us_visa_free") == (us_visa != "visa required")).all()
    assert (number(members, "schengen_visa") == (schengen == "visa required")).all()


def test_visa_regimes_of_some(members: pd.DataFrame) -> None:
    assert members.loc[["USA", "FRA"], ["visa_us_2023", "visa_france_2023"]].to_numpy().tolist() == [
        ["own country", "90 days"],
        ["e-visa", "own country"],
    ]
    flags = members[["us_visa_free", "schengen_visa"]]
    assert flags.loc[["FRA", "ROU", "CAN", "KEN", "BRA", "USA", "COK"]].to_numpy().tolist() == [
        ["1", "0"], ["0", "0"], ["1", "0"], ["0", "1"], ["0", "0"], ["1", "0"], ["1", "0"],
    ]  # fmt: skip


# -- race.columns() ---------------------------------------------------------------------------------------


HELD = ["known", "missing", "least", "greatest"]


def test_columns_of_the_shipped_race(members: pd.DataFrame) -> None:
    table, lines = iom.load("geneva-2023").columns(), dictionary()
    said = ["meaning", "unit", "year", "source", "licence", "transform"]
    assert list(table) == [*said, *HELD, "grade", "note"]
    assert table.index.name == "column"
    assert set(table.index) == {"id", "group", *members}
    for column in members:
        assert table.loc[column, said].tolist() == lines.loc[column, said].tolist(), column
        assert table.loc[column, "missing"] == len(UNKNOWN.get(column, [])), column
    assert (table["known"] + table["missing"] == 175).all()
    aid = number(members, "us_aid_musd_2020_22")
    assert table.loc["us_aid_musd_2020_22", HELD].tolist() == [175, 0, aid.min(), aid.max()]
    assert table.loc["unga_ideal_point_2019", HELD].tolist() == [172, 3, -1.8, 2.695]
    assert np.isnan(table.loc["visa_us_2023", "least"])


def test_columns_of_somebodys_own_table() -> None:
    """A column is called what it likes; it means what the dictionary says if it is the shipped one, cell by cell."""
    shipped = iom.load("geneva-2023").members
    own = shipped[["name", "iso3", "eu", "nato", "us_aid_share"]].assign(ldc=1.5, wealth=range(175))
    own.loc[own["iso3"] == "SWE", "nato"] = 1
    table = iom.start("iom", ["A", "B"], members=own.iloc[::-1]).columns()
    meant = {column: table.loc[column, "meaning"] != "" for column in own}
    assert meant == {
        "name": True, "iso3": True, "eu": True, "us_aid_share": True, "nato": False, "ldc": False, "wealth": False,
    }  # fmt: skip
    assert table.loc["nato", ["source", "licence"]].tolist() == ["", ""]
    assert table.loc["wealth", HELD].tolist() == [175, 0, 0, 174]
    nameless = iom.load("minimal").columns()
    assert nameless.index.tolist() == ["id", "group", "name"]
    assert nameless.loc["name", ["source", "known"]].tolist() == ["", 175]


def test_the_command_prints_the_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "iom-2018", "--columns"]) in (None, 0)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:1] == ["oacps"] and "African, Caribbean and Pacific" in line for line in lines)
    assert not any("us_aid" in line for line in lines)
