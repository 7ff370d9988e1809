"""What was announced of a tally, checked: votes, bounds on them, papers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from iomsim.errors import AnnouncementError, unknown
from iomsim.typing import Flags, Longs


@dataclass(frozen=True, eq=False)
class Tally:
    """Bounds on every candidate's votes, and the valid papers if they are known.

    Attributes
    ----------
    names : tuple of str
        The candidates.
    low, high : ndarrays of int, shape (K,)
        Bounds; equal where the votes are known, and 0 for who does not stand.
    valid : int or None
        Valid papers.
    capped : ndarray of bool, shape (K,), optional
        Whose votes were announced as "at most".
    """

    names: tuple[str, ...]
    low: Longs
    high: Longs
    valid: int | None
    capped: Flags | None = None

    def words(self, standing: Flags) -> str:
        """Return the tally as it would be announced, with what follows from it."""
        parts = [self._of(int(k)) for k in np.flatnonzero(standing)]
        return ", ".join(filter(None, parts)) or f"{self.valid} valid papers"

    def _of(self, k: int) -> str:
        name, low, high = self.names[k], self.low[k], self.high[k]
        if low == high:
            return f"{name} {low}"
        if self.capped is not None and self.capped[k]:
            return f"{name} {low} to {high}" if low else f"{name} at most {high}"
        return f"{name} at least {low}" if low else ""


def tally_of(votes: Mapping[str, Any], valid: Any, names: tuple[str, ...], standing: Flags, entitled: int) -> Tally:
    """Return the tally that was announced, with bounds on what was not.

    Raises
    ------
    AnnouncementError, UnknownNameError
        If it names nobody's candidate, is negative, or counts more papers than there are members.

    Examples
    --------
    >>> tally = tally_of({"A": 98, "B": "at least 60"}, None, ("A", "B"), np.array([True, True]), 175)
    >>> tally.low.tolist(), tally.high.tolist()
    ([98, 60], [98, 77])
    """
    low, high = np.zeros(len(names), dtype=np.int64), np.where(standing, entitled, 0)
    told = {name: value for name, value in votes.items() if value is not None}
    for name, value in told.items():
        if name not in names:
            raise unknown("candidate", name, names)
        k = names.index(name)
        if not standing[k]:
            raise AnnouncementError(f"{name} does not stand any more and cannot get votes")
        low[k], high[k] = _bounds(name, value, entitled)
    if low.sum() > entitled:
        raise AnnouncementError(f"{low.sum()} votes are more than the {entitled} members with a vote")
    whole = _papers(valid, low, high, entitled)
    if not told and whole is None:
        raise AnnouncementError("nothing was announced; give votes by candidate, or valid=")
    capped, room = high < np.where(standing, entitled, 0), entitled if whole is None else whole
    for own in np.flatnonzero(standing):
        others = np.arange(len(names)) != own
        high[own] = min(high[own], room - low[others].sum())
        low[own] = low[own] if whole is None else max(low[own], whole - high[others].sum())
    return Tally(names, low, high, whole, capped)


def _bounds(name: str, value: Any, entitled: int) -> tuple[int, int]:
    found = re.fullmatch(r"(?:(at least|>=|at most|<=)\s*)?(\d+)", str(value).strip())
    if found is None or isinstance(value, bool):
        raise AnnouncementError(f"votes for {name} must be a whole number or 'at least 90', got {value!r}")
    bound, number = found[1], int(found[2])
    if number > entitled:
        raise AnnouncementError(f"{name} cannot have {number} votes: only {entitled} members have a vote")
    return (0 if bound in ("at most", "<=") else number), (entitled if bound in ("at least", ">=") else number)


def _papers(valid: Any, low: Longs, high: Longs, entitled: int) -> int | None:
    """Return the number of valid papers: as announced, or the sum of the votes if all are known."""
    if valid is None:
        return int(low.sum()) if (low == high).all() else None
    if isinstance(valid, bool) or not isinstance(valid, (int, np.integer)) or valid < 0:
        raise AnnouncementError(f"valid must be a whole number of papers, got {valid!r}")
    if valid > entitled:
        raise AnnouncementError(f"{valid} papers are more than the {entitled} members with a vote")
    if not low.sum() <= valid <= high.sum():
        few = "at least " * bool((low < high).any()) if valid < low.sum() else "at most "
        total = low.sum() if valid < low.sum() else high.sum()
        few = "" if (low == high).all() else few
        raise AnnouncementError(f"the votes add up to {few}{total}, but {valid} valid papers were announced")
    return int(valid)
