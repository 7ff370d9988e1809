"""What was announced of a tally, checked: votes, bounds on them, papers, members present."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from iomsim.errors import AnnouncementError
from iomsim.model.events import figure_of, paper_count
from iomsim.model.lines import PAPERS, newcomer
from iomsim.rules.bar import Bar
from iomsim.rules.course import MORE_THAN_HALF
from iomsim.typing import Flags, Ints, Longs

SILENT = ("blank", "invalid", "abstentions")
"""Papers, and members present, that are no valid paper."""


class Need(NamedTuple):
    """How many votes elect in a round: the bar, of what it is taken, and the members who may vote."""

    bar: Bar
    base: str
    entitled: int

    def votes(self, valid: Ints, present: Ints, alone: bool = False) -> Longs:
        """Return the votes that elect, given the papers and the members present.

        Of one who stands `alone` "most" are more yes than no.
        """
        bases = {"valid": valid, "present": present, "entitled": np.full(valid.shape, self.entitled)}
        bar, base = self.bar, bases[self.base]
        if alone and bar.kind == "most":
            bar, base = MORE_THAN_HALF, valid
        return np.asarray(bar.needed(base.astype(np.int64)))


@dataclass(frozen=True, eq=False)
class Tally:
    """Bounds on every candidate's votes, and of the papers what is known.

    Attributes
    ----------
    names : tuple of str
        The candidates.
    low, high : ndarrays of int, shape (K,)
        Bounds; equal where the votes are known, and 0 for who does not stand.
    valid : int or None
        Valid papers, those for names that do not stand among them; None if their number is open.
    capped : ndarray of bool, shape (K,), optional
        Whose votes were announced as "at most".
    others : int or None
        Valid papers for names that do not stand; None if their number is open.
    present : int or None
        Members present.
    told : dict
        The papers as they were told, for the words.
    elected : int
        Candidate whose votes reached the bar, wherever that was; -1 if that is not known.
    need : Need or None
        How many votes that took.
    strays : bool
        Whether the scenario expects papers for names that do not stand, under any of its assumptions.
    """

    names: tuple[str, ...]
    low: Longs
    high: Longs
    valid: int | None
    capped: Flags | None = None
    others: int | None = 0
    present: int | None = None
    told: Mapping[str, int] = field(default_factory=dict)
    elected: int = -1
    need: Need | None = None
    strays: bool = False

    @property
    def bounds(self) -> tuple[Any, ...]:
        """What it says of the votes, the papers and the members present, to be compared."""
        return (
            self.low.tobytes(), self.high.tobytes(), self.valid, self.others, self.present, self.elected, self.need
        )  # fmt: skip

    @property
    def counted(self) -> int | None:
        """Valid papers for candidates who stand, if their number is known."""
        if self.others is None or self.valid is None:
            return int(self.low.sum()) if (self.low == self.high).all() else None
        return self.valid - self.others

    def words(self, standing: Flags) -> str:
        """Return the tally as it would be announced, with what follows from it."""
        votes = [self._of(int(k)) for k in np.flatnonzero(standing)]
        papers = {"others": self.others or None} | {key: self.told.get(key) for key in (*SILENT, "present")}
        parts = [*filter(None, votes), *(f"{n} {PAPERS[key]}" for key, n in papers.items() if n is not None)]
        if not any(votes) and self.valid is not None:
            parts.insert(0, f"{self.valid} {PAPERS['valid']}")
        return ", ".join(parts)

    def _of(self, k: int) -> str:
        name, low, high = self.names[k], self.low[k], self.high[k]
        if low == high:
            return f"{name} {low}"
        if self.capped is not None and self.capped[k]:
            return f"{name} {low} to {high}" if low else f"{name} at most {high}"
        return f"{name} at least {low}" if low else ""


def tally_of(
    votes: Mapping[str, Any],
    valid: Any,
    names: tuple[str, ...],
    standing: Flags,
    entitled: int,
    told: Mapping[str, Any] | None = None,
    required: bool = True,
    strays: bool = False,
) -> Tally:
    """Return the tally that was announced, with bounds on what was not.

    Parameters
    ----------
    votes : mapping
        Votes by candidate: a number, a bound, or None.
    valid : int or None
        Valid papers.
    names : tuple of str
        The candidates.
    standing : ndarray of bool, shape (K,)
        Who stands.
    entitled : int
        Members with a vote.
    told : mapping, optional
        What else was told of the papers, by the words of `iomsim.model.lines.PAPERS`.
    required : bool, default True
        Whether anything has to be told at all.
    strays : bool, default False
        Whether the scenario expects papers for names that do not stand.

    Notes
    -----
    Papers for names that do not stand are as many as were told; otherwise as few as agree with the votes and the
    valid papers: 2 of 191 where the candidates have 127 and 62, none where somebody's votes are open.  Where strays
    are to be expected, as many as follow from the votes and the valid papers, and open where one of these is.  The
    members present are as many as were told; otherwise, if any blank or invalid papers or abstentions were, these and
    the valid ones together.

    Raises
    ------
    AnnouncementError, UnknownNameError
        If it names nobody's candidate, is negative, or counts more papers than there are members.

    Examples
    --------
    >>> tally = tally_of({"A": 98, "B": "at least 60"}, None, ("A", "B"), np.array([True, True]), 175)
    >>> tally.low.tolist(), tally.high.tolist()
    ([98, 60], [98, 77])
    >>> tally = tally_of({"A": 127, "B": 62}, 191, ("A", "B"), np.array([True, True]), 193, {"abstentions": 1})
    >>> tally.others, tally.present
    (2, 192)
    """
    papers = _papers_told({**(told or {}), "valid": valid}, entitled)
    room = _Room.of(papers, entitled)
    low, high = np.zeros(len(names), dtype=np.int64), np.where(standing, room.papers, 0)
    given = {name: value for name, value in votes.items() if value is not None}
    for name, value in given.items():
        if name not in names:
            raise newcomer(name, names, tuple(PAPERS))
        k = names.index(name)
        if not standing[k]:
            raise AnnouncementError(f"{name} does not stand any more and cannot get votes")
        low[k], high[k] = _bounds(name, value, entitled)
    if not given and not papers and required:
        raise AnnouncementError(
            "nothing was announced; give votes by candidate, or valid=, or say that the round was inconclusive"
        )
    capped = high < np.where(standing, room.papers, 0)
    whole, others = _whole(papers, low, high, room, strays)
    left = (room.papers if whole is None else whole) - (others or 0)
    for own in np.flatnonzero(standing):
        rest = np.arange(len(names)) != own
        high[own] = min(high[own], left - low[rest].sum())
        low[own] = low[own] if whole is None or others is None else max(low[own], left - high[rest].sum())
    present = papers.get("present")
    if present is None and whole is not None and any(key in papers for key in SILENT):
        present = whole + room.silent
    return Tally(names, low, high, whole, capped, others, present, papers, strays=strays)


class _Room(NamedTuple):
    """How many valid papers there can be, why, and how many members present hand in none."""

    papers: int
    why: str
    silent: int

    @classmethod
    def of(cls, papers: Mapping[str, int], entitled: int) -> _Room:
        silent = sum(papers.get(key, 0) for key in SILENT)
        who = "members present" if "present" in papers else "members with a vote"
        less = f", less {silent} without a valid paper" if silent else ""
        most = papers.get("present", entitled)
        return cls(most - silent, f"the {most} {who}{less}", silent)


def _papers_told(told: Mapping[str, Any], entitled: int) -> dict[str, int]:
    """Return the numbers of papers and members that were told, checked one by one."""
    papers = {}
    for key, value in told.items():
        if value is None:
            continue
        papers[key] = paper_count(key, value)
        if key != "needed" and value > entitled:
            what = "members present" if key == "present" else "papers"
            raise AnnouncementError(f"{value} {what} are more than the {entitled} members with a vote")
    return papers


def _bounds(name: str, value: Any, entitled: int) -> tuple[int, int]:
    bound, number = figure_of(name, value)
    if number > entitled:
        raise AnnouncementError(f"{name} cannot have {number} votes: only {entitled} members have a vote")
    return (0 if bound == "at most" else number), (entitled if bound == "at least" else number)


def _whole(
    papers: Mapping[str, int], low: Longs, high: Longs, room: _Room, strays: bool
) -> tuple[int | None, int | None]:
    """Return the number of valid papers, and of those for names that do not stand, where they are known."""
    valid, others, known = papers.get("valid"), papers.get("others"), bool((low == high).all())
    open_ = others is None and strays  # unless it follows from all others
    if valid is None and known and not open_:
        valid = int(low.sum()) + (others or 0)
    least = int(low.sum()) + (others or 0)
    if max(least, valid or 0) > room.papers:
        what = "votes" if valid is None or valid == low.sum() else "papers"
        raise AnnouncementError(f"{max(least, valid or 0)} {what} are more than {room.why}")
    if valid is None:
        return None, None if open_ else others or 0
    few = "" if known else "at least " if valid < least else "at most "
    told = f"the votes{f' and {others} papers for others' * bool(others)} add up to {few}"
    if valid < least:
        raise AnnouncementError(f"{told}{least}, but {valid} valid papers were announced")
    if others is not None and valid > high.sum() + others:
        raise AnnouncementError(f"{told}{high.sum() + others}, but {valid} valid papers were announced")
    if open_ and not known:
        return valid, None
    return valid, max(0, valid - int(high.sum())) if others is None else others
