"""Past contests: what was announced, what followed, and what a forecaster knew in between."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from iomsim.errors import AnnouncementError, unknown
from iomsim.records import History, history, main_candidates
from iomsim.rules import TWO_THIRDS, votes_needed


@dataclass(frozen=True, slots=True)
class Announced:
    """What was announced of one round.

    Attributes
    ----------
    round : int
        From 1.
    candidates : tuple of str
        Everybody named, in the order of the file.
    tally : tuple of int
        Their votes.
    valid : int or None
        Valid papers, None if not announced.
    needed : int or None
        Votes that would have elected, None if not announced.
    date : date or None
        The day.
    kind : str
        "round", "two-seat", "yes-no", "single" or "partial" (see :data:`iomsim.records.KINDS`).
    """

    round: int
    candidates: tuple[str, ...]
    tally: tuple[int, ...]
    valid: int | None = None
    needed: int | None = None
    date: date | None = None
    kind: str = "round"

    @property
    def votes(self) -> dict[str, int]:
        """Votes by candidate."""
        return dict(zip(self.candidates, self.tally, strict=True))

    @property
    def base(self) -> int:
        """Valid papers, or the sum of the votes if they were not announced."""
        return sum(self.tally) if self.valid is None else self.valid

    @property
    def field(self) -> tuple[str, ...]:
        """The main candidates, most votes first: those with over 5 % of the votes."""
        return main_candidates(self.votes)

    def among(self, names: tuple[str, ...]) -> Announced:
        """Return the round with the votes of these candidates only, strays pooled out."""
        votes = self.votes
        tally = tuple(votes.get(name, 0) for name in names)
        return Announced(self.round, names, tally, sum(tally), self.needed, self.date, self.kind)


class Transition(NamedTuple):
    """Two consecutive rounds between the same candidates, the leader of the first named first."""

    before: Announced
    after: Announced


@dataclass(frozen=True, slots=True)
class Position:
    """All that a forecaster may use after a round.

    Attributes
    ----------
    candidates : tuple of str
        The main candidates, the leader of this round first.
    rounds : tuple of int
        The known rounds between exactly these candidates, this one last.
    tallies : tuple of tuple of int, shape (len(rounds), K)
        Their votes.
    size : int
        Members entitled to vote.
    threshold : Fraction
        Share of the valid papers that elects.
    simple_majority_from : int or None
        From this round on more than half suffices.
    fresh : bool
        Is the next round the first in which these candidates meet again?
    """

    candidates: tuple[str, ...]
    rounds: tuple[int, ...]
    tallies: tuple[tuple[int, ...], ...]
    size: int
    threshold: Fraction = TWO_THIRDS
    simple_majority_from: int | None = None
    fresh: bool = True

    @property
    def round(self) -> int:
        """The round just announced."""
        return self.rounds[-1]

    @property
    def votes(self) -> tuple[int, ...]:
        """Its votes, the leader's first."""
        return self.tallies[-1]

    def needed(self, round_: int, valid: int) -> int:
        """Return the votes that elect in a round with so many valid papers."""
        return _needed(round_, valid, self.threshold, self.simple_majority_from)


@dataclass(frozen=True, slots=True)
class Sequel:
    """What followed a round.

    Attributes
    ----------
    next_share : float or None
        The leader's share of the next round's votes, strays pooled out; None if not known.
    to_come : int
        Rounds until the one that decided; 0 if a withdrawal decided at once.
    winner : str or None
        Who of the field finally won; None if nobody of them did.
    ending : str
        How it ended, one of :data:`iomsim.rules.ENDINGS`.
    """

    next_share: float | None
    to_come: int
    winner: str | None
    ending: str

    @property
    def over_next(self) -> bool:
        """Whether it was over by the end of the next round, in whatever way."""
        return self.to_come <= 1


@dataclass(frozen=True, slots=True)
class Contest:
    """One past election.

    Attributes
    ----------
    id, body, year : str, str, int
        What it is called, who voted, and when.
    size : int
        Members entitled to vote.
    threshold : Fraction
        Share of the valid papers that elects.
    simple_majority_from : int or None
        From this round on more than half suffices (WHO 2017: 3).
    rounds : tuple of Announced
        What is known, by round number; there may be gaps.
    rounds_total : int
        Rounds held.
    decided_round : int
        The round that decided as the model counts: after a withdrawal the last round before it, the
        vote on whoever remained being a formality.
    decided_how : str
        In the words of the file.
    ending : str
        In the words of the model, one of :data:`iomsim.rules.ENDINGS`: a compromise on somebody who
        had not stood leaves the contest between those who had "unresolved".
    winner : str or None
        Who was elected in the end, also an outsider.
    held_out : bool
        Kept for scoring; nothing may be fitted to it.
    """

    id: str
    body: str
    year: int
    size: int
    threshold: Fraction
    simple_majority_from: int | None
    rounds: tuple[Announced, ...]
    rounds_total: int
    decided_round: int
    decided_how: str
    ending: str
    winner: str | None
    held_out: bool = False

    @property
    def ordinary(self) -> tuple[Announced, ...]:
        """The known castings of votes between candidates for one seat."""
        return tuple(known for known in self.rounds if known.kind == "round")

    @property
    def candidates(self) -> tuple[str, ...]:
        """The main candidates of the ordinary rounds, by first appearance."""
        return tuple(dict.fromkeys(name for known in self.ordinary for name in known.field))

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """Consecutive known ordinary rounds between the same main candidates."""
        pairs = ((a, b) for a, b in pairwise(self.ordinary) if b.round == a.round + 1)
        same = ((a, b) for a, b in pairs if set(a.field) == set(b.field))
        return tuple(Transition(a.among(a.field), b.among(a.field)) for a, b in same)

    @property
    def points(self) -> tuple[int, ...]:
        """The announced rounds that left it open, with at least one more round to come."""
        return tuple(
            known.round
            for known in self.ordinary
            if known.round <= self.decided_round and known.round < self.rounds_total and not self._elects(known)
        )

    def needed(self, round_: int, valid: int) -> int:
        """Return the votes that elect in a round with so many valid papers.

        Examples
        --------
        >>> contest("WHO2017").needed(2, 183), contest("WHO2017").needed(3, 183)
        (122, 92)
        """
        return _needed(round_, valid, self.threshold, self.simple_majority_from)

    def at(self, round_: int) -> Announced:
        """Return what was announced of an ordinary round.

        Raises
        ------
        AnnouncementError
            If this round is not known, or was not a vote between candidates for one seat.
        """
        for known in self.ordinary:
            if known.round == round_:
                return known
        have = ", ".join(str(known.round) for known in self.ordinary) or "none"
        raise AnnouncementError(f"{self.id} has no tally to forecast from in round {round_}; it has {have}")

    def position(self, round_: int) -> Position:
        """Return what a forecaster knew after a round; raises as :meth:`at`.

        Examples
        --------
        >>> contest("UNSC2007-EEG").position(2).tallies
        ((95, 91), (106, 81))
        """
        now = self.at(round_)
        met = [a for a in self.ordinary if a.round <= round_ and set(a.field) == set(now.field)]
        continued = any(known.round == round_ - 1 for known in self.rounds)
        return Position(
            candidates=now.field,
            rounds=tuple(a.round for a in met),
            tallies=tuple(a.among(now.field).tally for a in met),
            size=self.size,
            threshold=self.threshold,
            simple_majority_from=self.simple_majority_from,
            fresh=len(met) == 1 and (round_ == 1 or continued),
        )

    def sequel(self, round_: int) -> Sequel:
        """Return what followed a round; raises as :meth:`at`.

        Examples
        --------
        >>> contest("UNSC2007-EEG").sequel(1)
        Sequel(next_share=0.5668449197860963, to_come=1, winner='Croatia', ending='acclamation')
        """
        now = self.at(round_)
        share = next((_share(a, now.field[0]) for a in self.ordinary if a.round == round_ + 1), None)
        winner = self.winner if self.winner in now.field else None
        return Sequel(share, max(self.decided_round - round_, 0), winner, self.ending)

    def _elects(self, known: Announced) -> bool:
        return max(known.tally) >= (known.needed or self.needed(known.round, known.base))


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

    Raises
    ------
    FileError
        If the files cannot be read.

    Examples
    --------
    >>> [one.id for one in contests() if one.held_out]
    ['IOM2023-DG']
    """
    return _shipped() if folder is None else _describe(history(folder))


@cache
def _shipped() -> tuple[Contest, ...]:
    return _describe(history())


def _describe(tables: History) -> tuple[Contest, ...]:
    tallies = dict(list(tables.tallies.groupby("election_id")))
    none = tables.tallies.iloc[:0]
    rows = tables.elections.to_dict("records")
    return tuple(_contest(row, tallies.get(row["election_id"], none)) for row in rows)


def _contest(row: dict[Any, Any], tallies: pd.DataFrame) -> Contest:
    rounds = tuple(_announced(lines) for _, lines in tallies.groupby("round"))
    winner = None if pd.isna(row["winner"]) else str(row["winner"])
    ending = _ending(rounds, row["decided_how"], winner)
    return Contest(
        id=row["election_id"],
        body=row["body"],
        year=int(row["year"]),
        size=int(row["electorate_size"]),
        threshold=row["threshold_share"],
        simple_majority_from=_known(row["simple_majority_from"]),
        rounds=rounds,
        rounds_total=int(row["rounds_total"]),
        decided_round=_decided_round(rounds, int(row["rounds_total"]), ending),
        decided_how=row["decided_how"],
        ending=ending,
        winner=winner,
        held_out=bool(row["held_out"]),
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


def _needed(round_: int, valid: int, threshold: Fraction, simple_majority_from: int | None) -> int:
    if simple_majority_from is not None and round_ >= simple_majority_from:
        return valid // 2 + 1
    return votes_needed(valid, threshold)


def _share(known: Announced, name: str) -> float | None:
    """Return a candidate's share of the votes for the main candidates."""
    votes = known.votes
    return votes[name] / sum(votes[other] for other in {*known.field, name}) if name in votes else None


def _first(column: pd.Series) -> int | None:
    known = column.dropna()
    return int(known.iloc[0]) if len(known) else None


def _known(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)
