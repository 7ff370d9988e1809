"""The seat's local time: what the clocks on the wall show, against the minutes that pass.

The two part where clocks are put forward or back for daylight saving.  Sittings, openings, deadlines and
announcements are told by the clocks on the wall; a round lasts as many minutes as pass.  So a round of 70
minutes that begins at 01:30 in the night in which 02:00 becomes 03:00 ends at 03:40.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from iomsim.typing import Floats

DAY = 24 * 60 * 60
"""Seconds of a day."""


@dataclass(frozen=True, eq=False)
class LocalTime:
    """Local time, counted in minutes since midnight of the opening date, as shown and as passed.

    Attributes
    ----------
    at : ndarray, shape (changes,)
        Minutes passed when the clocks are changed.
    jump : ndarray, shape (changes,)
        By how many minutes they are put forward; negative where they are put back.

    Examples
    --------
    In Zurich 02:00 became 03:00 on 26 March 2023, and 03:00 became 02:00 on 29 October:

    >>> spring = local_time(datetime(2023, 3, 26), "Europe/Zurich", 2)
    >>> spring.shown(np.array([119.0, 120.0])).tolist(), spring.passed(np.array([190.0])).tolist()
    ([119.0, 180.0], [130.0])
    >>> local_time(datetime(2023, 10, 29), "Europe/Zurich", 2).shown(np.array([179.0, 180.0])).tolist()
    [179.0, 120.0]
    """

    at: Floats
    jump: Floats

    def shown(self, passed: Floats) -> Floats:
        """Return what the clocks show when so many minutes have passed."""
        if not self.at.size or passed.max(initial=-np.inf) < self.at[0]:
            return passed
        jumps = np.concatenate([[0.0], np.cumsum(self.jump)])
        return np.asarray(passed + jumps[np.searchsorted(self.at, passed, side="right")])

    def passed(self, shown: Floats) -> Floats:
        """Return how many minutes have passed when the clocks show this.

        An hour that comes twice means the first time; one that is left out is counted from before the
        change, so that 02:30 is half an hour after 02:00, when the clocks show 03:30 (as PEP 495 has it).
        """
        before = np.cumsum(self.jump) - self.jump
        from_then_on = self.at + before + np.maximum(self.jump, 0.0)
        jumps = np.concatenate([[0.0], np.cumsum(self.jump)])
        return np.asarray(shown - jumps[np.searchsorted(from_then_on, shown, side="right")])


@lru_cache(maxsize=64)
def local_time(midnight: datetime, zone: str, days: int) -> LocalTime:
    """Return the local time of a zone for so many days from a midnight on."""
    place = ZoneInfo(zone)
    first = midnight.replace(tzinfo=place)
    origin, before = first.astimezone(UTC), first.utcoffset()

    def offset(second: int) -> Any:
        return (origin + timedelta(seconds=second)).astimezone(place).utcoffset()

    found = []
    for evening in range(0, (days + 1) * DAY, DAY):
        after = offset(evening)
        if after != before:
            old, new = max(evening - DAY, -1), evening
            while new - old > 1:
                middle = (old + new) // 2
                old, new = (old, middle) if offset(middle) == after else (middle, new)
            found.append((new / 60, (after - before).total_seconds() / 60))
            before = after
    table = np.array(found, dtype=float).reshape(-1, 2)
    table.setflags(write=False)
    return LocalTime(table[:, 0], table[:, 1])
