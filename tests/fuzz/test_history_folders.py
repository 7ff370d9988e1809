"""Folders of past contests that are broken in every way: the contests as they stand there, or a sentence."""

from __future__ import annotations

import csv
import random
from functools import cache
from io import StringIO
from pathlib import Path

from contest_files import ELECTIONS, TALLIES, election, tally
from fuzz.harness import NASTY, bytes_like, each, lengths, rng, survives

import iomsim as iom
from iomsim.files import as_meant
from iomsim.house_style import unfit_name
from iomsim.model.evidence import shipped_text
from iomsim.validation.data import contests, tables

Files = tuple[str, str]


@cache
def some() -> tuple[Files, ...]:
    """Return the texts of both files: a few shipped contests, and one of somebody's own."""
    elections, tallies = (shipped_text("history", name, ".csv", "").splitlines() for name in ("elections", "tallies"))
    ids = [line.partition(",")[0] for line in elections[1:]]
    files = []
    for chosen in (ids[:4], ids[8:11], ids[-3:]):
        both = [
            [lines[0], *(line for line in lines if line.partition(",")[0] in chosen)] for lines in (elections, tallies)
        ]
        files.append(("\n".join(both[0]) + "\n", "\n".join(both[1]) + "\n"))
    rounds = [*tally(1, {"A": 40, "B": 35, "C": 20}), *tally(2, {"A": 50, "B": 41}), *tally(3, {"A": 67, "B": 20})]
    files.append((f"{ELECTIONS}\n{election(start=3)}\n", "\n".join([TALLIES, *rounds]) + "\n"))
    return tuple(files)


def changed(chance: random.Random, text: str) -> bytes:
    """Return the text of a file with bytes changed, or with cells replaced by other cells or something nasty."""
    if chance.random() < 0.4:
        return bytes_like(chance, text.encode())
    rows = list(csv.reader(StringIO(text)))
    cells = [cell for row in rows for cell in row]
    for _ in range(chance.randint(1, 3)):
        row = chance.choice(rows if chance.random() < 0.1 else rows[1:])
        nasty = [str(value) for value in NASTY if "\ud800" not in str(value)]
        row[chance.randrange(len(row))] = chance.choice(cells if chance.random() < 0.5 else nasty)
    out = StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode(chance.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252")), "replace")


def case(number: int, folder: Path) -> None:
    chance = rng("history folders", number)
    elections, tallies = chance.choice(some())
    place = folder / str(number)
    place.mkdir()
    which = chance.randrange(3)
    (place / "elections.csv").write_bytes(changed(chance, elections) if which != 1 else elections.encode())
    (place / "tallies.csv").write_bytes(changed(chance, tallies) if which != 0 else tallies.encode())
    told = survives(lambda: tables(place))
    found = survives(lambda: contests(place))
    assert (told is None) == (found is None)
    if told is None or found is None:
        return
    data = (place / "tallies.csv").read_bytes()
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    rows = [row for row in csv.reader(StringIO(text, newline="")) if any(cell.strip() for cell in row)]
    places = [[cell.strip() for cell in rows[0]].index(column) for column in ("election_id", "candidate", "votes")]
    cells = [tuple(as_meant(row[i]).strip() for i in places) for row in rows[1:]]
    said = [(str(row.election_id), str(row.candidate), int(row.votes)) for row in told.tallies.itertuples()]
    assert sorted((id, name, int(votes)) for id, name, votes in cells) == sorted(said)
    assert not any(unfit_name(name) for one in found for name in (one.id, *one.candidates))
    for one in found if number % 4 == 0 else ():
        survives(one.story)
        survives(lambda one=one: one.scenario.plan)
    if number % 4 == 1:
        record = survives(lambda: iom.history(place))
        survives(lambda: record and (record.sentence(), record.by("body")))


@lengths()
def test_history_folders(numbers: range, tmp_path: Path) -> None:
    each(numbers, case, tmp_path)
