"""What can be announced of a round, read and checked: votes, bounds, valid papers, times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iomsim.errors import AnnouncementError, unknown


@dataclass(frozen=True)
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
    """

    names: tuple[str, ...]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    valid: int | None

    def __str__(self) -> str:
        """Return the tally as it would be announced."""
        parts = [f"{name} {_say(a, b)}" for name, a, b in zip(self.names, self.low, self.high, strict=True) if b]
        known = [part for part in parts if not part.endswith("?")]
        return ", ".join(known) if known else f"{self.valid} valid papers"


def _say(low: int, high: int) -> str:
    if low == high:
        return str(low)
    return f"at least {low}" if low else "?"


def tally_of(
    votes: Mapping[str, Any], valid: Any, names: tuple[str, ...], standing: NDArray[np.bool_], entitled: int
) -> Tally:
    """Return the tally that was announced.

    Raises
    ------
    AnnouncementError, UnknownNameError
        If it names nobody's candidate, is negative, or counts more papers than there are members.

    Examples
    --------
    >>> print(tally_of({"A": 98, "B": "at least 60"}, None, ("A", "B"), np.array([True, True]), 175))
    A 98, B at least 60
    """
    low, high = np.zeros(len(names), dtype=np.int64), np.where(standing, entitled, 0)
    for name, value in votes.items():
        if name not in names:
            raise unknown("candidate", name, names)
        k = names.index(name)
        if not standing[k]:
            raise AnnouncementError(f"{name} does not stand any more and cannot get votes")
        low[k], high[k] = _bounds(name, value, entitled)
    known = bool((low[standing] == high[standing]).all())
    whole = _valid(valid, low, known, entitled)
    if not votes and whole is None:
        raise AnnouncementError("nothing was announced; give votes by candidate, or valid=")
    if whole is not None:
        _close(low, high, standing, whole)
    return Tally(names, low, high, whole)


def _bounds(name: str, value: Any, entitled: int) -> tuple[int, int]:
    text = str(value).strip().removeprefix(">=").removeprefix("at least").strip()
    least = isinstance(value, str) and text != value.strip()
    number = int(text) if text.isdigit() and not isinstance(value, bool) else None
    if number is None:
        raise AnnouncementError(f"votes for {name} must be a whole number or 'at least 90', got {value!r}")
    if number > entitled:
        raise AnnouncementError(f"{name} cannot have {number} votes: only {entitled} members have a vote")
    return number, entitled if least else number


def _valid(valid: Any, low: NDArray[np.int64], known: bool, entitled: int) -> int | None:
    whole = int(low.sum()) if known and valid is None else valid
    if whole is None:
        if low.sum() > entitled:
            raise AnnouncementError(f"{low.sum()} votes are more than the {entitled} members with a vote")
        return None
    if isinstance(whole, bool) or not isinstance(whole, (int, np.integer)) or whole < 0:
        raise AnnouncementError(f"valid must be a whole number of papers, got {valid!r}")
    if whole > entitled:
        raise AnnouncementError(f"{whole} papers are more than the {entitled} members with a vote")
    if low.sum() > whole or (known and low.sum() != whole):
        raise AnnouncementError(f"the votes add up to {low.sum()}, but {whole} valid papers were announced")
    return int(whole)


def _close(low: NDArray[np.int64], high: NDArray[np.int64], standing: NDArray[np.bool_], whole: int) -> None:
    """Tighten the bounds by the number of valid papers."""
    for k in np.flatnonzero(standing):
        others = standing & (np.arange(len(low)) != k)
        high[k] = min(high[k], whole - low[others].sum())
        low[k] = max(low[k], whole - high[others].sum())


def moment_of(at: Any, opens: datetime, last: float | None) -> float:
    """Return a moment in minutes since midnight of the opening date.

    A bare "12:20" is on the day of the last event (or of the opening).

    Raises
    ------
    AnnouncementError
        If it cannot be read, or lies before the opening or before the last event.

    Examples
    --------
    >>> moment_of("12:20", datetime(2023, 5, 15, 10), None)
    740.0
    """
    midnight = datetime.combine(opens.date(), time())
    today = midnight + timedelta(days=0 if last is None else last // (24 * 60))
    moment = _read(at, today)
    minute = (moment - midnight).total_seconds() / 60
    if moment < opens:
        raise AnnouncementError(f"{moment:%A %H:%M} is before the opening on {opens:%A %H:%M}")
    if last is not None and minute < last:
        before = midnight + timedelta(minutes=last)
        raise AnnouncementError(
            f"{moment:%A %H:%M} is before the last event on {before:%A %H:%M}; write the date for another day"
        )
    return minute


def _read(at: Any, today: datetime) -> datetime:
    if isinstance(at, datetime):
        return at.replace(tzinfo=None)
    try:
        return datetime.combine(today.date(), time.fromisoformat(str(at)))
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(str(at))
    except ValueError:
        raise AnnouncementError(f"no time {at!r}; write '12:20' or '2023-05-16 10:30'") from None
