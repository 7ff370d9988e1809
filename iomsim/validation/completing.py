"""Past contests completed where their files are silent: rules, seats, and what kind of round each was."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from statistics import median
from typing import Any

from iomsim.rules.ruleset import votes_needed
from iomsim.validation.rounds import main_candidates

_SEATS = re.compile(r"\b(\d+|two|three|four|five)[ -]seats?\b", re.IGNORECASE)
_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5}
_YES_NO = re.compile(r"\byes ?(/|-|or) ?no\b", re.IGNORECASE)
_LEAVES = re.compile(r"\bwithdr[ae]w|\bconced|\bsplit|\bshare the term", re.IGNORECASE)
_SIMPLE = re.compile(r"rounds? (?:1 ?(?:-|to|and) ?)?(\d+),? then (?:a )?simple majority", re.IGNORECASE)
_OUT = re.compile(r"\bout after round (\d+)", re.IGNORECASE)
_LAST_OUT = re.compile(r"\b(?:last|lowest|third)\b[^;.]*\b(?:eliminated|out|drops)", re.IGNORECASE)
_ALONE = re.compile(r"\byes ?/ ?no\b[^;.]*\bafter round (\d+)", re.IGNORECASE)

Record = dict[str, Any]
"""A line of a file, cell by cell."""


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


def complete(election: Record, records: list[Record]) -> None:
    """Check the tallies of one contest against each other, and fill in what the files leave out."""
    size = election["electorate_size"] or max((r["voters_entitled"] or 0 for r in records), default=0)
    election["electorate_size"] = size or None
    groups = [list(rows) for _, rows in groupby(records, lambda record: record["round"])]
    rounds = [_round(rows, size) for rows in groups]
    _check_order(groups)
    total = election["rounds_total"] = election["rounds_total"] or rounds[-1].number
    if total < rounds[-1].number:
        raise election["_line"].error(f"rounds_total is {total}, but tallies.csv has round {rounds[-1].number}")
    for place, rows in enumerate(groups):
        kind = _kind(rounds, place, election)
        for record in rows:
            record.update(seats=rounds[place].seats, kind=kind)
    if total == rounds[-1].number and records[-1]["kind"] == "round":
        _check_winner(election, rounds)
    _complete_rules(election, records)


def _check_winner(election: Record, rounds: list[_Round]) -> None:
    """Refuse a winner who stood, while somebody else had the votes in the last round."""
    last, winner = rounds[-1], election["winner"]
    first = max(last.votes, key=lambda name: last.votes[name])
    stood = any(winner in round_.votes for round_ in rounds)
    if stood and first != winner and last.elects(election["threshold_share"]):
        raise election["_line"].error(
            f"the winner is {winner}, but {first} had the votes in round {last.number}, the last"
        )


def _complete_rules(election: Record, records: list[Record]) -> None:
    """Take rules from the words of the files, where no column states them."""
    rules = "; ".join(dict.fromkeys(record["rule"] for record in records))
    last_out = (record["round"] for record in records if _LAST_OUT.search(record["note"]))
    found = {
        "simple_majority_from": (int(m[1]) + 1 for m in _SIMPLE.finditer(rules)),
        "eliminate_after": (*(int(m[1]) for m in _OUT.finditer(rules)), *last_out),
        "max_two_way": (_two_way_rounds(election, int(m[1])) for m in _ALONE.finditer(rules)),
    }
    for column, values in found.items():
        if election[column] is None:
            election[column] = next(iter(values), None)


def _two_way_rounds(election: Record, last: int) -> int:
    """Return how many rounds two had met when the leader stood alone after round `last`."""
    start = election["candidates_first_round"] or 2
    first = 1 if start <= 2 else (election["eliminate_after"] or 3) + start - 2
    return max(last - first + 1, 1)


def _round(rows: list[Record], size: int) -> _Round:
    """Gather the lines of one round, and refuse what cannot have been."""
    line, number = rows[-1]["_line"], rows[0]["round"]
    votes = {record["candidate"]: record["votes"] for record in rows}
    for column in ("date", "seats", "kind"):
        _common(rows, column)
    valid, needed = _common(rows, "votes_cast_or_valid"), _common(rows, "majority_required")
    entitled = _common(rows, "voters_entitled") or size
    if not entitled:
        raise line.error("neither voters_entitled nor electorate_size says how many members there are")
    total = sum(votes.values())
    seats = _common(rows, "seats") or _seats(rows, total, min(valid or entitled, entitled))
    most = max(total, valid or 0)
    if max(votes.values()) > entitled or most > seats * entitled:
        hint = "; if several seats were filled at once, say so in the note or in a column seats" if seats == 1 else ""
        raise line.error(f"round {number} has more votes than members: {most} votes, {entitled} members{hint}")
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


def finish(record: Record) -> None:
    """Refuse what is still missing in an election without tallies."""
    for column in ("electorate_size", "rounds_total"):
        if record[column] is None:
            raise record["_line"].error(f"{column} is empty, and there are no tallies to take it from")
