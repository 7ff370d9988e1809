"""The two files of past contests: read, checked line by line, and completed where they are silent."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from io import StringIO
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pandas as pd

from iomsim.errors import FileError, advice
from iomsim.evidence import shipped_text
from iomsim.rules import votes_needed

# fmt: off
ELECTION_COLUMNS = (
    "election_id", "body", "year", "candidates_first_round", "rounds_total", "days", "decided_how",
    "winner", "threshold_share", "electorate_size", "source_url",
)
TALLY_COLUMNS = (
    "election_id", "body", "office", "date", "round", "candidate", "votes", "voters_entitled",
    "votes_cast_or_valid", "majority_required", "rule", "secret", "note", "source_url",
)
_COUNTS = [
    "year", "candidates_first_round", "rounds_total", "days", "electorate_size",
    "simple_majority_from", "round", "votes", "voters_entitled", "votes_cast_or_valid",
    "majority_required", "seats",
]
# fmt: on

KINDS = ("round", "two-seat", "yes-no", "single", "partial")
"""A casting of votes between candidates for one seat; for several seats at once; on the leader
alone; a formality after the others withdrew; one of which only some tallies are known."""

STRAY = 0.05
"""A candidate with no more than this share of a round's votes is a stray, not one of its field."""

_SEATS = re.compile(r"\b(\d+|two|three|four|five)[ -]seats?\b", re.IGNORECASE)
_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5}
_YES_NO = re.compile(r"\byes ?(/|-|or) ?no\b", re.IGNORECASE)
_LEAVES = re.compile(r"\bwithdr[ae]w|\bconced|\bsplit|\bshare the term", re.IGNORECASE)
_SIMPLE = re.compile(r"rounds? (?:1 ?(?:-|to|and) ?)?(\d+),? then (?:a )?simple majority", re.IGNORECASE)

Record = dict[str, Any]


class History(NamedTuple):
    """Past contests: one row per election, and one per election, round and candidate."""

    elections: pd.DataFrame
    tallies: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, which knows where it stands."""

    file: str
    number: int
    cells: dict[str, str]

    def error(self, text: str) -> FileError:
        """Return an error that names this line."""
        return FileError(f"{self.file}, line {self.number}: {text}")

    def text(self, column: str) -> str:
        """Return a cell, empty if the file has no such column or nothing in it."""
        cell = self.cells.get(column, "").strip()
        return "" if cell.casefold() in ("nan", "na", "<na>") else cell

    def name(self, column: str) -> str:
        """Return a cell that must not be empty."""
        if cell := self.text(column):
            return cell
        raise self.error(f"{column} is empty")

    def whole(self, column: str, least: int = 0) -> int | None:
        """Return a whole number, also one written 2.0; None if the cell is empty."""
        cell = self.text(column)
        if not cell:
            return None
        try:
            value = Fraction(cell)
        except (ValueError, ZeroDivisionError):
            value = Fraction(-1, 2)
        if value.denominator != 1 or value < least:
            raise self.error(f"{column} must be a whole number of at least {least}, got {cell!r}")
        return int(value)

    def number_in(self, column: str, least: int = 0) -> int:
        """Return a whole number that must be there."""
        value = self.whole(column, least)
        if value is None:
            raise self.error(f"{column} is empty")
        return value

    def flag(self, column: str, default: bool) -> bool:
        """Return a yes or no, written 1 or 0."""
        cell = self.text(column).casefold()
        if cell not in ("", "0", "1", "0.0", "1.0", "true", "false"):
            raise self.error(f"{column} must be 1 or 0, got {cell!r}")
        return cell in ("1", "1.0", "true") if cell else default

    def day(self, column: str) -> date | None:
        """Return a date, None if the cell is empty."""
        cell = self.text(column)
        try:
            return date.fromisoformat(cell) if cell else None
        except ValueError:
            raise self.error(f"{column} must be a date such as 2023-05-15, got {cell!r}") from None


@dataclass(frozen=True, slots=True)
class _Round:
    """All lines of one round."""

    number: int
    votes: dict[str, int]
    valid: int | None
    needed: int | None
    seats: int
    note: str
    given: str

    @property
    def total(self) -> int:
        return sum(self.votes.values())

    def elects(self, threshold: Fraction) -> bool:
        need = self.needed or votes_needed(self.valid or self.total, threshold)
        return max(self.votes.values()) >= need


def history(folder: str | Path | None = None) -> History:
    """Return past elections by repeated secret vote, and their announced tallies.

    Parameters
    ----------
    folder : str or Path, optional
        A folder with your own ``elections.csv`` and ``tallies.csv``, in the format of the shipped
        ones; default the shipped contests.

    Returns
    -------
    History
        `elections`, one row per contest, and `tallies`, one row per contest, round and candidate,
        ordered by contest and round.  What was not announced is missing.  Columns that the files
        may leave out are filled in: `seats` (2 where two were filled at once), `kind` (one of
        KINDS), `simple_majority_from` (the round from which more than half suffices), `held_out`.

    Raises
    ------
    FileError
        For the first thing that is wrong: file, line, what was got and what would work.

    Examples
    --------
    >>> elections, tallies = history()
    >>> len(elections)
    15
    >>> tallies.query("election_id == 'UNSC2020-AF'")[["round", "candidate", "votes"]].values.tolist()
    [[1, 'Kenya', 113], [1, 'Djibouti', 78], [2, 'Kenya', 129], [2, 'Djibouti', 62]]
    """
    lines = _lines(folder, "elections", ELECTION_COLUMNS)
    elections = {record["election_id"]: record for record in map(_election, lines)}
    if len(elections) < len(lines):
        raise _repeated(lines, ("election_id",))
    tallies = _lines(folder, "tallies", TALLY_COLUMNS)
    records = [_tally(line, elections) for line in tallies]
    if len({_key(record) for record in records}) < len(records):
        raise _repeated(tallies, ("election_id", "round", "candidate"))
    order = {name: place for place, name in enumerate(elections)}
    records.sort(key=lambda record: (order[record["election_id"]], record["round"]))
    for name, rows in groupby(records, lambda record: record["election_id"]):
        _complete(elections[name], list(rows))
    for record in elections.values():
        _finish(record)
    return History(_frame(list(elections.values())), _frame(records))


def main_candidates(votes: Mapping[str, int]) -> tuple[str, ...]:
    """Return those with more than STRAY of the votes, most votes first.

    Examples
    --------
    >>> main_candidates({"Romania": 78, "Estonia": 111, "Latvia": 1})
    ('Estonia', 'Romania')
    """
    least = STRAY * sum(votes.values())
    return tuple(name for name in sorted(votes, key=lambda name: -votes[name]) if votes[name] > least)


# --- reading ----------------------------------------------------------------------------------------


def _lines(folder: str | Path | None, name: str, columns: Collection[str]) -> list[Line]:
    file = f"{name}.csv"
    text = shipped_text("history", name, ".csv", "table") if folder is None else _read(Path(folder) / file)
    reader = csv.reader(StringIO(text))
    header = [column.strip() for column in next(reader, [])]
    for column in columns:
        if column not in header:
            raise FileError(f"{file} has no column {column!r}; {advice(column, header)}")
    lines = [Line(file, reader.line_num, dict(zip(header, row, strict=False))) for row in _full(reader, header, file)]
    if not lines:
        raise FileError(f"{file} has a header but no rows")
    return lines


def _full(reader: Any, header: Sequence[str], file: str) -> Iterator[list[str]]:
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise FileError(f"{file}, line {reader.line_num}: {len(row)} cells, but the header has {len(header)}")
        yield row


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {str(path)!r}: {error}") from None


def _election(line: Line) -> Record:
    winner = line.text("winner")
    return line.cells | {
        "election_id": line.name("election_id"),
        "year": line.number_in("year", 1),
        "candidates_first_round": line.whole("candidates_first_round", 1),
        "rounds_total": line.whole("rounds_total", 1),
        "days": line.whole("days", 1),
        "winner": None if winner.casefold() in ("", "none") else winner,
        "threshold_share": _threshold(line),
        "electorate_size": line.whole("electorate_size", 1),
        "simple_majority_from": line.whole("simple_majority_from", 1),
        "held_out": line.flag("held_out", False),
        "_line": line,
    }


def _threshold(line: Line) -> Fraction:
    """Return the share that elects; a rounded decimal such as 0.6667 is the simple fraction it stands for."""
    cell = line.name("threshold_share")
    try:
        share = Fraction(cell)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise line.error(f"threshold_share must be a share such as 2/3 or 0.6667, got {cell!r}")
    simple, digits = share.limit_denominator(6), len(cell.partition(".")[2])
    return simple if digits >= 2 and round(float(simple), digits) == float(share) else share


def _tally(line: Line, elections: Mapping[str, Record]) -> Record:
    name = line.name("election_id")
    if name not in elections:
        raise line.error(f"no election named {name!r} in elections.csv; {advice(name, elections)}")
    kind = line.text("kind")
    if kind and kind not in KINDS:
        raise line.error(f"no kind of round named {kind!r}; {advice(kind, KINDS)}")
    return line.cells | {
        "election_id": name,
        "date": line.day("date"),
        "round": line.number_in("round", 1),
        "candidate": line.name("candidate"),
        "votes": line.number_in("votes"),
        "voters_entitled": line.whole("voters_entitled", 1),
        "votes_cast_or_valid": line.whole("votes_cast_or_valid"),
        "majority_required": line.whole("majority_required", 1),
        "secret": line.flag("secret", True),
        "note": line.text("note"),
        "seats": line.whole("seats", 1) or (2 if kind == "two-seat" else None),
        "kind": kind,
        "_line": line,
    }


def _key(record: Record) -> tuple[Any, ...]:
    return record["election_id"], record["round"], record["candidate"]


def _repeated(lines: Sequence[Line], columns: Sequence[str]) -> FileError:
    seen = set()
    for line in lines:
        key = tuple(line.whole(column) if column == "round" else line.text(column) for column in columns)
        if key in seen:
            break
        seen.add(key)
    return line.error(f"{', '.join(map(str, key))} stands here a second time")


# --- completing -------------------------------------------------------------------------------------


def _complete(election: Record, records: list[Record]) -> None:
    """Check the tallies of one contest against each other, and fill in what the files leave out."""
    size = election["electorate_size"] or max((r["voters_entitled"] or 0 for r in records), default=0)
    election["electorate_size"] = size or None
    groups = [list(rows) for _, rows in groupby(records, lambda record: record["round"])]
    rounds = [_round(rows, size) for rows in groups]
    _check_order(groups)
    _finish_total(election, rounds[-1].number)
    for place, rows in enumerate(groups):
        kind = _kind(rounds, place, election)
        for record in rows:
            record.update(seats=rounds[place].seats, kind=kind)
    if election["simple_majority_from"] is None:
        found = next(filter(None, (_SIMPLE.search(record["rule"]) for record in records)), None)
        election["simple_majority_from"] = int(found[1]) + 1 if found else None


def _round(rows: list[Record], size: int) -> _Round:
    """Gather the lines of one round, and refuse what cannot have been."""
    line = rows[-1]["_line"]
    votes = {record["candidate"]: record["votes"] for record in rows}
    for column in ("date", "seats", "kind"):
        _common(rows, column)
    valid, needed = _common(rows, "votes_cast_or_valid"), _common(rows, "majority_required")
    entitled = _common(rows, "voters_entitled") or size
    if not entitled:
        raise line.error("neither voters_entitled nor electorate_size says how many members there are")
    total = sum(votes.values())
    seats = _common(rows, "seats") or _seats(rows, total, min(valid or entitled, entitled))
    number = rows[0]["round"]
    if max(votes.values()) > entitled or max(total, valid or 0) > seats * entitled:
        most = max(total, valid or 0)
        raise line.error(f"round {number} has more votes than members: {most} votes, {entitled} members")
    if valid is not None and total > seats * valid:
        raise line.error(f"the tallies of round {number} add up to {total}, more than the {valid} valid papers")
    note = "; ".join(dict.fromkeys(record["note"] for record in rows))
    return _Round(number, votes, valid, needed, seats, note, _common(rows, "kind") or "")


def _common(rows: list[Record], column: str) -> Any:
    """Return what the lines of a round say in this column; they may be silent but must not differ."""
    known = [record for record in rows if record[column] not in (None, "")]
    for record in known:
        if record[column] != known[0][column]:
            here, there = known[0][column], record[column]
            raise record["_line"].error(f"{column} is {there} here and {here} elsewhere in round {record['round']}")
    return known[0][column] if known else None


def _seats(rows: list[Record], total: int, papers: int) -> int:
    """Return how many seats a round fills: several if it says so and has more votes than papers."""
    if total <= papers:
        return 1
    texts = (record[column] for record in rows for column in ("note", "rule", "office"))
    found = next(filter(None, map(_SEATS.search, texts)), None)
    return 1 if found is None else _WORDS.get(found[1].casefold()) or int(found[1])


def _check_order(groups: list[list[Record]]) -> None:
    days = [(rows[0]["_line"], _common(rows, "date")) for rows in groups]
    dated = [(line, day) for line, day in days if day is not None]
    for (_, before), (line, day) in pairwise(dated):
        if day < before:
            raise line.error(f"this round is dated {day}, before an earlier one ({before})")


def _kind(rounds: list[_Round], place: int, election: Record) -> str:
    this = rounds[place]
    if this.given:
        return this.given
    if this.seats > 1:
        return "two-seat"
    if _is_yes_no(this):
        return "yes-no"
    if this.total < 0.75 * _usual(rounds, place, election["electorate_size"]):
        return "partial"
    return "single" if place and _is_formality(this, rounds[place - 1], election) else "round"


def _is_yes_no(this: _Round) -> bool:
    names = {name.casefold() for name in this.votes}
    return bool(names & {"no", "against"}) or (len(names) == 1 and bool(_YES_NO.search(this.note)))


def _usual(rounds: list[_Round], place: int, size: int) -> float:
    """Return how many votes one would expect in a round of which everything is known."""
    this = rounds[place]
    others = [other.valid or other.total for other in rounds if other is not this and other.seats == 1]
    return this.valid or (median(others) if others else 2 * size / 3)


def _is_formality(this: _Round, before: _Round, election: Record) -> bool:
    """Say whether the winner of this round stood alone, the other having withdrawn."""
    if not this.elects(election["threshold_share"]):
        return False
    alone = len(main_candidates(this.votes)) == 1
    left = len(main_candidates(before.votes)) <= 2 and bool(_LEAVES.search(before.note))
    how = election["decided_how"].casefold()
    agreed = re.search("withdr|compromise|acclam|conce", how) and "majority" not in how
    return alone or left or bool(agreed and this.number == election["rounds_total"])


def _finish_total(election: Record, last: int) -> None:
    total = election["rounds_total"] = election["rounds_total"] or last
    if total < last:
        raise election["_line"].error(f"rounds_total is {total}, but tallies.csv has round {last}")


def _finish(election: Record) -> None:
    """Refuse what is still missing in an election without tallies."""
    for column in ("electorate_size", "rounds_total"):
        if election[column] is None:
            raise election["_line"].error(f"{column} is empty, and there are no tallies to take it from")


def _frame(records: list[Record]) -> pd.DataFrame:
    frame = pd.DataFrame(records).drop(columns="_line")
    for column in frame.columns.intersection(_COUNTS):
        frame[column] = frame[column].astype("Int64" if frame[column].isna().any() else "int64")
    if "date" in frame:
        frame["date"] = pd.to_datetime(frame["date"])
    return frame
