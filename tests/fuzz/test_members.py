"""Member tables, whip counts and polls that are broken in every way: the members as they stand there, or a sentence."""

from __future__ import annotations

import csv
import random
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fuzz.harness import NASTY, bytes_like, each, lengths, plain_like, rng, survives

import iomsim as iom
from iomsim.files import as_meant, write_csv
from iomsim.house_style import unfit_name

ROWS: tuple[dict[str, Any], ...] = tuple(
    {"name": name, "iso3": code, "code": number, "eu": eu, "aid": aid, "region": region}
    for name, code, number, eu, aid, region in (
        ("Afghanistan", "AFG", "004", 0, 1.5, "Asia and Oceania"),
        ("Côte d'Ivoire", "CIV", "384", 0, None, "Africa"),
        ("France", "FRA", "250", 1, -20.25, "Europe"),
        ("Peru", "PER", "604", 0, 1e6, "America"),
        ('The "Sixth"', "SIX", "006", 1, 0.0, ""),
    )
)
KINDS = ("oral", "written", "public", "claimed by the camp", "signed")


@cache
def race() -> iom.Scenario:
    return iom.Scenario(electorate={"table": ROWS}, candidates=[{"name": "A"}, {"name": "B"}])


def tables(chance: random.Random) -> list[dict[str, Any]]:
    """Return the rows of a member table, a whip count or a poll."""
    pledges = [{"member": row["name"], "candidate": "AB"[i % 2], "kind": KINDS[i], "date": "2023-05-01", "source": "x"}
               for i, row in enumerate(ROWS)]  # fmt: skip
    chances = [{"member": row["iso3"], "A": i / 4, "B": 1 - i / 4} for i, row in enumerate(ROWS)]
    return chance.choice(([dict(row) for row in ROWS], [dict(row) for row in ROWS], pledges, chances))


def read(source: Any, rows: list[Any]) -> Any:
    """Return what comes of a table, which is a member table, a whip count or a poll."""
    keys = {key for row in rows if isinstance(row, dict) for key in row}
    if "kind" in keys:
        return race().with_pledges(source).ledger
    if "A" in keys:
        return race().with_polling(source).polling
    return iom.Electorate(table=source) if isinstance(source, list) else iom.start("who", ["A", "B"], source).electorate


def as_text(chance: random.Random, rows: list[dict[str, Any]]) -> bytes:
    out = StringIO(newline="")
    writer = csv.DictWriter(
        out, list(rows[0]), delimiter=chance.choice(",;\t|"), lineterminator=chance.choice(("\n", "\r\n"))
    )
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(chance.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252")))


def as_workbook(chance: random.Random, rows: list[dict[str, Any]]) -> bytes:
    """Return a workbook with nasty cells, or of which the parts were changed and packed again."""
    openpyxl = pytest.importorskip("openpyxl")
    book, out = openpyxl.Workbook(), BytesIO()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    for _ in range(chance.randrange(4)):
        place = book.active.cell(chance.choice((1, 2, 4, 9, 1_000, 100_000)), chance.choice((1, 2, 5, 60, 900)))
        try:
            place.value = chance.choice(NASTY)
        except Exception:  # what no workbook holds
            place.value = None
    book.save(out)
    if chance.random() < 0.3:
        return bytes_like(chance, out.getvalue())
    packed = BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(packed, "w") as new:
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, bytes_like(chance, data) if "sheet" in part and chance.random() < 0.3 else data)
    return packed.getvalue()


def case(number: int, folder: Path) -> None:
    chance = rng("members", number)
    rows = tables(chance)
    make: Callable[[], Any]
    kind = chance.choice(("text", "text", "text", "workbook", "frame", "rows"))
    if kind in ("text", "workbook"):
        data = bytes_like(chance, as_text(chance, rows)) if kind == "text" else as_workbook(chance, rows)
        path = folder / (f"{number}.csv" if kind == "text" else f"{number}.xlsx")
        path.write_bytes(data)
        make = lambda: read(path, rows)  # noqa: E731
    else:
        changed = plain_like(chance, rows)
        if kind == "frame":
            try:
                changed = pd.DataFrame(changed)
            except Exception:
                return
        make = lambda: read(changed, rows)  # noqa: E731
    found = survives(make)
    if not isinstance(found, iom.Electorate):
        return
    frame = survives(lambda: found.frame)
    if frame is None:
        return
    assert not any(map(unfit_name, frame[["id", "name", "group"]].to_numpy().ravel()))
    if kind == "text":
        with warnings.catch_warnings(action="ignore"):
            text = path.read_bytes().decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
        for name in frame["name"]:
            assert name.replace('"', "") in text.replace('"', "") or not name.isascii(), name
    back = folder / f"{number}-back.csv"
    write_csv(back, frame, index=False)
    with warnings.catch_warnings(action="ignore"):
        again = iom.Electorate(members=back).frame
    assert again["name"].tolist() == [name.strip() for name in frame["name"]]
    assert all(as_meant(name) in frame["name"].tolist() or name in frame["name"].tolist() for name in again["name"])


@lengths()
def test_members(numbers: range, tmp_path: Path) -> None:
    each(numbers, case, tmp_path)
