# ruff: noqa: E501 - tables of what was got and what is said, one case a line
"""Files and objects that are too large, too deep, or hold signs that no name has: refused in a sentence, and soon."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from toys import mostly_slow

import iomsim as iom
from iomsim.errors import FileError
from iomsim.files import write_csv
from iomsim.house_style import unfit_name
from iomsim.model import tables
from iomsim.model.catalogue import dumps
from iomsim.model.names import finder
from iomsim.model.scenario import build

AB = [{"name": "A"}, {"name": "B"}]
BASE: dict[str, Any] = {"electorate": {"size": 9}, "candidates": AB}
SIZE = 'candidates = [{name = "A"}, {name = "B"}]\nelectorate.size = '


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(iom.IomsimError) as caught:
        call()
    return str(caught.value)


# -- texts that no reader can take ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = " + "9" * 5000, "scenario is not valid TOML: it holds a number of thousands of digits"),
        ("x = " + "[" * 2000, "lists or tables within lists or tables, hundreds of them"),
        ("x = " + "{a=" * 2000, "lists or tables within lists or tables, hundreds of them"),
        ("a." * 100_000 + "a = 1", "it holds a key of more than 200 parts"),
        ("a . 'b'." * 50_000 + "a = 1", "it holds a key of more than 200 parts"),
        ("[" + "a." * 100_000 + "a]", "it holds a key of more than 200 parts"),
        (SIZE + "9" * 4000, "electorate: an electorate has 1 to 10000 members, got 999"),
        ("title = " + "[" * 300 + "]" * 300 + "\n" + SIZE + "9", "title must be a text, got [[["),
        (SIZE + "9\nrules.threshold = '1e999999999'", "threshold must be '2/3', '>1/2', a count of votes such as 33"),
        (SIZE + "9\nrules.threshold = 1e-300", "threshold must be '2/3', '>1/2', a count of votes such as 33"),
        (SIZE + "9\nrules.threshold = '1/" + "9" * 5000 + "'", "threshold must be '2/3', '>1/2', a count of votes"),
    ],
    ids=range(11),
)
def test_a_text_that_no_reader_can_take(text: str, said: str) -> None:
    assert said in refusal(lambda: iom.loads(text))


def test_keys_of_a_few_parts_are_read_and_texts_may_have_many_stops() -> None:
    text = "a." * 150 + "..." + ". " * 900
    assert iom.loads(f"about = '{text}'\n{SIZE}9").about == text


def test_a_key_of_many_parts_in_a_title_is_a_key_by_mistake() -> None:
    assert "more than 200 parts" in refusal(lambda: iom.loads("about = '''\n" + "a." * 201 + "'''\n" + SIZE + "9"))


def test_a_file_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"name\n" + b"x" * 33_000_000)
    said = refusal(lambda: iom.start("who", ["A", "B"], path))
    assert said.endswith("m.csv': it has more than 32 MB, the most that is read")
    path.rename(tmp_path / "m.toml")
    assert "m.toml': it has more than 32 MB" in refusal(lambda: iom.load(tmp_path / "m.toml"))


# -- too many of something -------------------------------------------------------------------------------------

SPONSOR = {"backs": "A", "strength": 1}


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({"sponsors": [{"name": f"S{i}", **SPONSOR} for i in range(101)]}, "sponsors must have at most 100 entries, got 101"),
        ({"sponsors": [{"name": "S", **SPONSOR, "exposure": {f"c{i}": 1 for i in range(1001)}}]},
         "an exposure has at most 1000 terms, got 1001"),
        ({"electorate": {"size": 9, "without_vote": ["M1"] * 10_001}}, "without_vote must have at most 10000 entries"),
        ({"electorate": {"table": [{"name": f"M{i}", f"c{i}": 1} for i in range(1000)]}},
         "electorate: the member table has 1001 columns, and may have 1000"),
        ({"electorate": {"table": [{"name": "M", "x": 2**63}]}}, "electorate.table.M holds 9223372036854775808 in column 'x'"),
        ({"rules": {"threshold": ["2/3"] * 1001}}, "threshold has at most 1000 entries, one for each ballot, got 1001"),
        ({"rules": {"phases": [{}] * 101}}, "rules have at most 100 phases, got 101"),
        ({"clock": {"opens": "2023-05-15T10:00", "sittings": [["10:00", "11:00"]] * 25}}, "sittings must have at most 24"),
        ({"about": "x" * 20_001}, "about must have at most 20000 signs, got 20001"),
        ({"candidates": [*AB, {"name": "C" * 201}]}, "candidates.3.name must have at most 200 signs, got 201"),
        ({f"x{i}": 1 for i in range(10_000)}, "unknown key 'x0'"),
    ],
    ids=range(11),
)  # fmt: skip
def test_too_many(described: dict[str, Any], said: str) -> None:
    told = refusal(lambda: build(BASE | described, "f"))
    assert said in told
    assert len(told) < 2_000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("name\n" + "x" * 200_000, "line 2: a cell has more than 131072 signs; is a quotation mark left open?"),
        ('name,x\n"A,1\n' + "B,1\n" * 40_000, "a cell has more than 131072 signs; is a quotation mark left open?"),
        (",".join(f"c{i}" for i in range(10_000)) + "\n", "it has 10000 columns, and at most 1000 are read"),
        ("name\n" + "M\n" * 100_001, "it has more than 100000 rows, the most that are read"),
        ("name\n" + "M\n" * 10_001, "has 10001 rows, and an electorate 1 to 10000 members"),
        (
            "name" + ",c" * 999 + "\n" + ("M" + "," * 999 + "\n") * 2001,
            "it has 2002000 cells, and at most 2000000 are read",
        ),
    ],
    ids=range(6),
)
@pytest.mark.slow
def test_a_table_that_is_too_large(data: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(data, encoding="utf-8")
    assert said in refusal(lambda: iom.start("who", ["A", "B"], tmp_path / "m.csv"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"table": pd.DataFrame({"name": ["M"] * 10_001})}, "the member table has 10001 rows, and may have 10000"),
        (
            {"table": pd.DataFrame({"name": ["A", "B"], "x": pd.Series([10**5000, 3], dtype=object)})},
            "a cell holds a very long number",
        ),
        (
            {"table": pd.DataFrame({"name": ["A", "B"], "x": [1 + 2j, 3]})},
            "the column 'x' of the member table holds (1+2j)",
        ),
        ({"table": pd.DataFrame({"name": ["A", "\0"]})}, "of which a sign is no sign of a text"),
        (
            {"table": pd.DataFrame({"name": ["A", "\ud800"]}, dtype=object)},
            "hold",
        ),  # said otherwise if there is pyarrow
        ({"size": 10**5000}, "an electorate has 1 to 10000 members, got a very long number"),
    ],
    ids=range(6),
)
def test_a_frame_or_a_number_that_is_too_large(given: dict[str, Any], said: str) -> None:
    told = refusal(lambda: iom.Electorate(**given))
    assert told.startswith("electorate: ")
    assert said in told


def test_whip_counts_with_many_wrong_rows_are_refused_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = pd.DataFrame({"member": [f"Zz{i}" for i in range(5_000)], "candidate": "A", "kind": "oral"})
    told = refusal(lambda: build(BASE, "f").with_pledges(wrong)).splitlines()
    assert told[0].startswith("the whip count, row 1: no member named 'Zz0'")
    assert told[4] == "... and more"


def test_who_has_the_id_comes_before_who_has_the_name() -> None:
    find = finder(pd.DataFrame({"id": ["AA", "Peru", "CC"], "name": ["Chad", "Mali", "Peru"]}))
    assert [find(name) for name in ("Peru", "Mali", "Chad", "CC")] == [1, 1, 0, 2]


def test_members_are_found_by_other_names_in_one_go() -> None:
    frame = iom.Electorate(size=3_000).frame
    find = finder(frame)
    assert [find(f"m{i}") for i in range(1, 3_001)] == list(range(3_000))


# -- workbooks -------------------------------------------------------------------------------------------------

SHEET = "xl/worksheets/sheet1.xml"


def workbook(change: Callable[[Any], Any] = lambda sheet: None) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book, out = openpyxl.Workbook(), BytesIO()
    book.active.append(["name", "x"])
    book.active.append(["Peru", 1])
    change(book.active)
    book.save(out)
    return out.getvalue()


def altered(change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook whose sheet was altered as text."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(workbook())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == SHEET else old.read(name))
    return out.getvalue()


def read(folder: Path, data: bytes) -> pd.DataFrame:
    (folder / "m.xlsx").write_bytes(data)
    return iom.start("who", ["A", "B"], folder / "m.xlsx").electorate.frame


def entity(sheet: bytes, declared: bytes) -> bytes:
    told = sheet.replace(b"<worksheet", b"<!DOCTYPE x [" + declared + b"]><worksheet", 1)
    assert told.count(b"Peru") == 1
    return told.replace(b"Peru", b"&e;")


LAUGHS = b'<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 50) for i in range(4)
)  # fmt: skip

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "packed": (lambda: altered(lambda sheet: sheet + b" " * 1_000_000), "there is more in it than can be read"),
    "far columns": (lambda: workbook(lambda sheet: sheet.cell(3, 16384, 1)), "it has 16384 columns"),
    "a far row": (lambda: altered(lambda sheet: sheet.replace(b'row r="2"', b'row r="2000000"').replace(b'r="A2"', b"")),
                  "its first sheet has too many cells"),
    "a file of the machine": (lambda: altered(lambda s: entity(s, b'<!ENTITY e SYSTEM "file:///etc/hostname">')),
                              "open it and save it as csv"),
    "a billion laughs": (lambda: altered(lambda s: entity(s, LAUGHS)), "open it and save it as csv"),
}  # fmt: skip


@pytest.mark.parametrize(
    "bomb", [pytest.param(name, marks=[pytest.mark.slow] * (name == "a far row")) for name in BOMBS]
)
def test_workbooks_that_blow_up(bomb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 150_000)
    make, said = BOMBS[bomb]
    told = refusal(lambda: read(tmp_path, make()))
    assert said in told
    assert "save it as csv" in told or "at most 1000 are read" in told or "as csv" in told


def test_what_a_workbook_says_of_its_size_is_not_believed(tmp_path: Path) -> None:
    assert read(tmp_path, altered(lambda sheet: sheet.replace(b'ref="A1:B2"', b'ref="A1:A1"')))["x"].tolist() == [1]


@pytest.mark.parametrize("rows", [[[1] * 100] + [[1]] * 10, [[None] * 100] * 10], ids=["ragged", "empty"])
def test_a_sheet_has_only_so_many_cells_filled_up_or_not(
    rows: list[list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_EMPTY", 1)
    monkeypatch.setattr(tables, "MOST_CELLS", 1000)
    with pytest.raises(FileError, match="its first sheet has too many cells"):
        tables._records(rows, "x")
    assert len(tables._records(rows[:9], "x")) in (0, 9)


def test_a_table_has_only_so_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 5)
    records = iter(
        [(1, ["name"]), *((line, ["Peru"]) for line in range(2, 7)), (7, [""]), (8, ["Chad"]), (9, ["Mali"])]
    )
    with pytest.raises(FileError, match="more than 5 rows, the most that are read"):
        tables._trimmed(records, "x")
    assert next(records) == (9, ["Mali"])  # the rest is not even looked at


def test_columns_of_a_workbook_without_a_name_are_columns(tmp_path: Path) -> None:
    assert read(tmp_path, workbook(lambda sheet: sheet.cell(2, 4, 7)))["Unnamed: 3"].tolist() == [7]


# -- names -----------------------------------------------------------------------------------------------------

SHOWN = ("Côte d'Ivoire", "Ko\u0302ln", "\u0645\u06cc\u200c\u062e", "עברית\u200f", "東京", "A\u200dB",
         "\U0001f468\u200d\U0001f469", "St.\u00a0Kitts", "$\\frac{", "<script>", "=cmd()", "'=1", "-x", "a" * 200)  # fmt: skip
"""Names that stay as they are."""

HIDDEN = ("\x1b[2J", "a\x00", "a\nb", "a\rb", "a\tb", "a\u2028b", "\u202eabc", "a\u2066", "a\ud800", "\ufeffa", "a\x9b",
          "a\ufdd0", "\u200b\u200d", "  ", "a" * 201)  # fmt: skip
"""Names that are refused wherever they are shown."""


def named(place: str, name: str) -> dict[str, Any]:
    """Return a description in which something is called by a name."""
    rows = [{"name": "X", "region": "North"}, {"name": "Y", "region": "South"}]
    return {
        "candidates": {"candidates": [{"name": name}, {"name": "B"}]},
        "full name": {"candidates": [{"name": "A", "full_name": name}, {"name": "B"}]},
        "sponsors": {"sponsors": [{"name": name, **SPONSOR}]},
        "ties": {"ties": [{"name": name, "who": ["M1"], "candidate": "A", "log_odds": 1}]},
        "labels": {"ties": [{"name": "t", "label": name, "who": ["M1"], "candidate": "A", "log_odds": 1}]},
        "members": {"electorate": {"table": [{"name": name}, {"name": "Y"}]}},
        "ids": {"electorate": {"table": [{"name": "X", "iso3": name}, {"name": "Y", "iso3": "Y"}]}},
        "groups": {"electorate": {"table": [*rows, {"name": "Z", "region": name}], "group": "region"}},
        "own groups": {"electorate": {"table": rows, "own_groups": {name: "region=North"}}},
        "columns": {"electorate": {"table": [{"name": "X", name: 1}]}},
        "rules": {"rules": {"name": name, "threshold": "2/3"}},
        "phases": {"rules": {"phases": [{"name": name, "ballots": 1}], "after": "fail"}},
        "titles": {"title": name},
        "units": {"behaviour": {"fluid": {"value": 0.5, "unit": name}}},
    }[place]


PLACES = ("candidates", "full name", "sponsors", "ties", "labels", "members", "ids", "groups", "own groups", "columns",
          "rules", "phases", "titles", "units")  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_names_that_cannot_be_shown_are_refused(place: str) -> None:
    for name in HIDDEN:
        told = refusal(lambda name=name: build(BASE | named(place, name), "f"))
        assert told.isprintable(), (place, name)
        assert len(told) < 700


@pytest.mark.parametrize("place", mostly_slow(PLACES, 5))
def test_names_of_all_scripts_stay_as_they_are(place: str) -> None:
    for name in SHOWN:
        if place == "candidates" and ("\u00a0" in name or not any(map(str.isalpha, name))):
            continue  # spaces of candidates are single ones, and each has a letter
        race = build(BASE | named(place, name), "f")
        again = iom.loads(dumps(race))
        assert again == race
        assert json.dumps(name, ensure_ascii=False)[1:-1] in json.dumps(
            race.model_dump(), default=str, ensure_ascii=False
        )


@pytest.mark.parametrize("text", ["a\x1bb", "a\u202eb", "a\ud800", "a\x00"])
def test_texts_of_some_lines_hold_no_such_signs_either(text: str) -> None:
    for parts in ({"about": text}, {"behaviour": {"fluid": {"value": 0.5, "source": text}}},
                  {"swings": [{"count": 1, "who": "all", "to": "A", "source": text}]}):  # fmt: skip
        assert "must not hold" in refusal(lambda parts=parts: build(BASE | parts, "f"))
    assert build(BASE | {"about": "one\n\ttwo\r\n"}, "f").about == "one\n\ttwo\r\n"


def test_what_can_be_told_of_a_name() -> None:
    assert unfit_name("a\x1b") == "must not hold '\\x1b', which steers a terminal; leave it out"
    assert unfit_name("a\u202e") == "must not hold '\\u202e', which turns the text around it; leave it out"
    assert unfit_name("a\u2029") == "must not hold '\\u2029', which ends a line; leave it out"
    assert unfit_name("\ufffe") == "must not hold '\\ufffe', which is no sign of a text; leave it out"
    assert unfit_name("\u200d") == "must have a sign that can be seen"


def test_names_come_back_from_our_own_csv(tmp_path: Path) -> None:
    names = ["=cmd()", "'=cmd()", "+1x", "-", "@here", "'quoted'", "Côte d'Ivoire", '"', "a, b", "1e5"]
    frame = iom.Electorate(table=[{"name": name, "near": i} for i, name in enumerate(names)]).frame
    write_csv(tmp_path / "members.csv", frame, index=False)
    assert "'=cmd()" in (tmp_path / "members.csv").read_text(encoding="utf-8")
    again = iom.Electorate(members=tmp_path / "members.csv").frame
    assert again["name"].tolist() == names


# -- made by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: iom.Quantity(0.4), "the parts of Quantity are given by name (value, low, high), got 0.4 without"),
        (lambda: iom.Quantity(value="x"), "quantity: value must be a number, got 'x'"),
        (lambda: iom.Quantity(value=1, low=2, high=3), "quantity: low <= value <= high must hold, got low 2, value 1, high 3"),
        (lambda: iom.Quantity.model_validate("x"), "quantity: it must be a number, or a table with value, low and high, got 'x'"),
        (lambda: iom.Electorate(size=0), "electorate: an electorate has 1 to 10000 members, got 0"),
        (lambda: iom.Electorate(sice=3), "electorate: unknown key 'sice'; did you mean 'size'?"),
        (lambda: iom.Ledger(pledges=[{"member": "A"}]), "ledger: 'pledges.1.candidate' is missing"),
        (lambda: iom.Clock(), "clock: 'opens' is missing"),
        (lambda: iom.Behaviour(secrecy=3), "behaviour: secrecy must be between 0 and 1, got 3"),
        (lambda: iom.Swing(count=0, who="all", to="A"), "swing: count must be at least 1, got 0"),
        (lambda: iom.Scenario(candidates=5, electorate={"size": 9}), "scenario: candidates must be a list of tables, got 5"),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_made_by_hand_is_refused_in_our_words(make: Callable[[], Any], said: str) -> None:
    assert refusal(make).splitlines()[0] == said
