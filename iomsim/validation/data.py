"""The two files of past contests, read and checked line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from iomsim.errors import advice
from iomsim.model.evidence import shipped_text
from iomsim.validation.completing import Record, complete, finish
from iomsim.validation.lines import Line, lines, read, repeated

ELECTION_COLUMNS = ("election_id", "decided_how", "winner", "threshold_share")
TALLY_COLUMNS = ("election_id", "round", "candidate", "votes")
"""Columns that the files must have; all others may be left out, or left empty."""

KINDS = ("round", "two-seat", "yes-no", "single", "partial")
"""A casting of votes between candidates for one seat; for several seats at once; on the leader
alone; a formality after the others withdrew; one of which only some tallies are known."""

_COUNTS = (
    *("year", "candidates_first_round", "rounds_total", "days", "electorate_size", "eliminate_after"),
    *("max_two_way", "simple_majority_from", "round", "votes", "voters_entitled", "votes_cast_or_valid"),
    *("majority_required", "seats"),
)


class History(NamedTuple):
    """Past contests: one row per election, and one per election, round and candidate."""

    elections: pd.DataFrame
    tallies: pd.DataFrame


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
        KINDS), the rules that notes and rule texts state (`simple_majority_from`,
        `eliminate_after`, `max_two_way`, as in :class:`iomsim.Rules`), and `held_out`.

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
    of_elections = _lines(folder, "elections", ELECTION_COLUMNS, ("election_id",))
    elections = {record["election_id"]: record for record in map(_election, of_elections)}
    of_tallies = _lines(folder, "tallies", TALLY_COLUMNS, ("election_id", "round", "candidate"))
    order = {name: place for place, name in enumerate(elections)}
    records = [_tally(line, elections) for line in of_tallies]
    records.sort(key=lambda record: (order[record["election_id"]], record["round"]))
    for name, rows in groupby(records, lambda record: record["election_id"]):
        complete(elections[name], list(rows))
    for record in elections.values():
        finish(record)
    return History(_frame(list(elections.values())), _frame(records))


# --- reading ----------------------------------------------------------------------------------------


def _lines(folder: str | Path | None, name: str, columns: Sequence[str], key: Sequence[str]) -> list[Line]:
    file = f"{name}.csv"
    text = shipped_text("history", name, ".csv", "table") if folder is None else read(Path(folder) / file)
    found = lines(text, file, columns)
    if error := repeated(found, key):
        raise error
    return found


def _election(line: Line) -> Record:
    winner = line.text("winner")
    return line.cells | {
        "election_id": line.name("election_id"),
        "body": line.text("body"),
        "year": line.whole("year", 1),
        "candidates_first_round": line.whole("candidates_first_round", 1),
        "rounds_total": line.whole("rounds_total", 1),
        "days": line.whole("days", 1),
        "decided_how": line.text("decided_how"),
        "winner": None if winner.casefold() in ("", "none", "nobody") else winner,
        "threshold_share": line.share("threshold_share"),
        "electorate_size": line.whole("electorate_size", 1),
        "simple_majority_from": line.whole("simple_majority_from", 1),
        "eliminate_after": line.whole("eliminate_after", 1),
        "max_two_way": line.whole("max_two_way", 1),
        "held_out": line.flag("held_out", False),
        "_line": line,
    }


def _tally(line: Line, elections: Mapping[str, Record]) -> Record:
    name = line.name("election_id")
    if name not in elections:
        raise line.error(f"no election named {name!r} in elections.csv; {advice(name, elections)}")
    kind = line.text("kind")
    if kind and kind not in KINDS:
        raise line.error(f"no kind of round named {kind!r}; {advice(kind, KINDS)}")
    return line.cells | {
        "election_id": name,
        "office": line.text("office"),
        "date": line.day("date"),
        "round": line.number_in("round", 1),
        "candidate": line.name("candidate"),
        "votes": line.number_in("votes"),
        "voters_entitled": line.whole("voters_entitled", 1),
        "votes_cast_or_valid": line.whole("votes_cast_or_valid"),
        "majority_required": line.whole("majority_required", 1),
        "rule": line.text("rule"),
        "secret": line.flag("secret", True),
        "note": line.text("note"),
        "seats": line.whole("seats", 1) or (2 if kind == "two-seat" else None),
        "kind": kind,
        "_line": line,
    }


def _frame(records: list[Record]) -> pd.DataFrame:
    frame = pd.DataFrame(records).drop(columns="_line")
    for column in frame.columns.intersection(list(_COUNTS)):
        frame[column] = frame[column].astype("Int64" if frame[column].isna().any() else "int64")
    if "date" in frame:
        frame["date"] = pd.to_datetime(frame["date"])
    return frame
