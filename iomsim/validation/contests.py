"""The past contests of a folder, described from its two files."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from iomsim.errors import unknown
from iomsim.rules.ruleset import Rules
from iomsim.validation.contest import Contest
from iomsim.validation.data import History, history
from iomsim.validation.rounds import Announced, rules_of


def contest(id: str, folder: str | Path | None = None) -> Contest:
    """Return one past contest by its id.

    Parameters
    ----------
    id : str
        An `election_id` of :func:`history`.
    folder : str or Path, optional
        Where your own two files lie; default the shipped contests.

    Raises
    ------
    UnknownNameError
        If there is no such contest; the nearest name is given.
    FileError
        If the files cannot be read.

    Examples
    --------
    >>> [t.before.tally + t.after.tally for t in contest("UNSC2014-WEOG").transitions]
    [(120, 73, 132, 60)]
    """
    found = {one.id: one for one in contests(folder)}
    if id not in found:
        raise unknown("contest", id, found)
    return found[id]


def contests(folder: str | Path | None = None) -> tuple[Contest, ...]:
    """Return all past contests of a folder, by default the shipped ones.

    A contest that is held out among the shipped ones is held out in every folder, also under
    another id if body and year are the same.

    Raises
    ------
    FileError
        If the files cannot be read.

    Examples
    --------
    >>> [one.id for one in contests() if one.held_out]
    ['IOM2023-DG']
    """
    return _shipped() if folder is None else _describe(history(folder), [c for c in _shipped() if c.held_out])


@cache
def _shipped() -> tuple[Contest, ...]:
    return _describe(history(), [])


# -- from the tables -----------------------------------------------------------------------------


def _describe(tables: History, kept: list[Contest]) -> tuple[Contest, ...]:
    tallies = dict(list(tables.tallies.groupby("election_id")))
    none = tables.tallies.iloc[:0]
    rows = tables.elections.to_dict("records")
    return tuple(_contest(row, tallies.get(row["election_id"], none), kept) for row in rows)


def _contest(row: dict[Any, Any], tallies: pd.DataFrame, kept: list[Contest]) -> Contest:
    rounds = tuple(_announced(lines) for _, lines in tallies.groupby("round"))
    winner = None if pd.isna(row["winner"]) else str(row["winner"])
    ending, total, size = _ending(rounds, row["decided_how"], winner), int(row["rounds_total"]), row["electorate_size"]
    year = _known(row["year"]) or next((known.date.year for known in rounds if known.date), None)
    decided = _decided_round(rounds, total, ending)
    same = any(row["election_id"] == c.id or (row["body"], year) == (c.body, c.year) for c in kept)
    return Contest(
        id=row["election_id"],
        body=row["body"],
        year=year,
        size=int(size),
        rules=_rules(row, rounds, decided),
        started=_known(row["candidates_first_round"]) or (len(rounds[0].field) if rounds else 2),
        rounds=rounds,
        rounds_total=total,
        decided_round=decided,
        decided_how=row["decided_how"],
        ending=ending,
        winner=winner,
        held_out=bool(row["held_out"]) or same,
    )


def _announced(lines: pd.DataFrame) -> Announced:
    first = lines.iloc[0]
    days = lines["date"].dropna()
    return Announced(
        round=int(first["round"]),
        candidates=tuple(lines["candidate"]),
        tally=tuple(int(votes) for votes in lines["votes"]),
        valid=_first(lines["votes_cast_or_valid"]),
        needed=_first(lines["majority_required"]),
        date=days.iloc[0].date() if len(days) else None,
        kind=first["kind"],
    )


def _rules(row: dict[Any, Any], rounds: tuple[Announced, ...], decided: int) -> Rules:
    """Return the rules of a contest; their base is what fits the votes needed and the rounds that went on."""
    parts = {key: _known(row[key]) for key in ("simple_majority_from", "eliminate_after", "max_two_way")}
    share: Fraction = row["threshold_share"]
    by_base = {base: rules_of(row["election_id"], share, base, **parts) for base in ("valid", "entitled")}
    fits = {base: _fits(rules, rounds, decided, int(row["electorate_size"])) for base, rules in by_base.items()}
    return by_base["entitled" if fits["entitled"] and not fits["valid"] else "valid"]


def _fits(rules: Rules, rounds: tuple[Announced, ...], decided: int, size: int) -> bool:
    """Say whether the rules agree with the votes needed and let inconclusive rounds be inconclusive."""
    ordinary = [known for known in rounds if known.kind == "round"]
    needs = [(known, rules.needed(size if rules.base == "entitled" else known.base, known.round)) for known in ordinary]
    stated = all(known.needed is None or abs(known.needed - need) <= 1 for known, need in needs)
    return stated and all(max(known.tally) < need for known, need in needs if known.round < decided)


def _ending(rounds: tuple[Announced, ...], how: str, winner: str | None) -> str:
    """Put into the model's words how a contest ended."""
    confirmed = bool(rounds) and rounds[-1].kind == "yes-no"
    if winner is None:
        return "failed" if confirmed or "fail" in how.casefold() else "unresolved"
    stood = {name for known in rounds if known.kind not in ("single", "partial") for name in known.field}
    if winner not in stood:
        return "unresolved"
    if confirmed:
        return "confirmed"
    return "acclamation" if re.search("withdr|acclam|compromise|conce", how.casefold()) else "majority"


def _decided_round(rounds: tuple[Announced, ...], total: int, ending: str) -> int:
    """Return the last round before a formality, or the last of all."""
    for known in rounds:
        if known.kind == "single":
            return known.round - 1
    last_known = bool(rounds) and rounds[-1].round == total
    return total if ending != "acclamation" or last_known else total - 1


def _first(column: pd.Series) -> int | None:
    known = column.dropna()
    return int(known.iloc[0]) if len(known) else None


def _known(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)
