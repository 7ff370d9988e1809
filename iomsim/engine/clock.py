"""From minutes of balloting to dates and times: sittings, nights, weekends.

Times are minutes since midnight of the opening date, in the seat's local time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from iomsim.engine import rng
from iomsim.engine.laws import select, some
from iomsim.engine.rng import Lane
from iomsim.errors import ScenarioError
from iomsim.typing import U64, Flags, Floats, PerRun, Places

DAY = 24 * 60
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

HORIZON = 400
"""Days for which sittings are laid out; forty rounds need a few weeks at most."""

SLOT = 16
"""Minutes of the slots in which a sitting is looked up."""


@dataclass(frozen=True, eq=False)
class Calendar:
    """The sittings from the opening on, in time order.

    Attributes
    ----------
    opens : ndarray, shape (sittings,)
        When each sitting opens.
    closes : ndarray, shape (sittings, 2)
        When it closes, and when it closes if the chair sits on that day.
    opening : float
        When the session begins.
    """

    opens: Floats
    closes: Floats
    opening: float

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # what is computed stays here

    def check(self, pace: SimpleNamespace) -> None:
        """Refuse a pace at which no round could ever start.

        Raises
        ------
        ScenarioError
            If no sitting is long enough for a round to start.
        """
        usual, late = (self.closes - np.maximum(self.opens, self.opening)[:, None]).max(axis=0, initial=-np.inf)
        if np.any(pace.last_call > np.where(np.asarray(pace.sits_on) > 0, late, usual)):
            raise ScenarioError("the clock never sits: no sitting is long enough for a round to start")

    def next_start(self, when: Floats, keys: U64, pace: SimpleNamespace) -> Floats:
        """Return the first moment at or after `when` at which a round may start.

        A round starts at once if the sitting has `last_call` minutes left, else at the opening
        of the next sitting.
        """
        index = self._coming(when)
        start = np.maximum(when, self._at(self.opens, index))
        late = np.flatnonzero(start > self.closes[:, 0].take(index) - pace.last_call)
        while late.size:
            close = self._close(index[late], keys[late], some(pace.sits_on, late))
            late = late[start[late] > close - some(pace.last_call, late)]
            index[late] += 1
            start[late] = np.maximum(when[late], self._at(self.opens, index[late]))
        return start

    def next_open(self, when: Floats, keys: U64, pace: SimpleNamespace) -> Floats:
        """Return `when` itself inside a sitting (its end included), else the next opening."""
        index = np.searchsorted(self.closes[:, 1], when, side="left")
        late = np.flatnonzero(when > self._close(index, keys, pace.sits_on))
        index[late] += 1
        return np.maximum(when, self._at(self.opens, index))

    def _coming(self, when: Floats) -> Places:
        """Return a sitting that has not ended long before `when`, and is not after the next one."""
        slot = when.astype(np.intp)
        slot //= SLOT
        return self._slots.take(slot, mode="clip")

    @cached_property
    def next_day(self) -> int:
        """The first day with a sitting after the opening date, in days from it; 1 if there is none."""
        later = self.opens[self.opens >= DAY]
        return int(later[0] // DAY) if later.size else 1

    @cached_property
    def _slots(self) -> Places:
        starts = np.arange(0, (HORIZON + 1) * DAY, SLOT)
        return np.searchsorted(self.closes[:, 1], starts, side="right")

    @cached_property
    def _days(self) -> Floats:
        return self.opens // DAY

    @cached_property
    def dawn(self) -> float:
        """Minute of the day at which its first sitting opens: what comes before it belongs to the night."""
        return float((self.opens % DAY).min())

    def _close(self, index: Places, keys: U64, sits_on: PerRun) -> Floats:
        index = np.minimum(index, len(self.opens) - 1)
        longer = sits_late(keys, self._days[index], sits_on)
        return np.where(longer, self.closes[:, 1].take(index), self.closes[:, 0].take(index))

    def _at(self, table: Floats, index: Places) -> Floats:
        if index.max(initial=0) >= len(table):
            raise ScenarioError(f"the clock ran out of sittings after {HORIZON} days; add sitting days")
        return table[index]


@lru_cache(maxsize=64)
def calendar(
    opens: datetime,
    sittings: tuple[tuple[time, time], ...],
    days: frozenset[int],
    closed: frozenset[date],
    sits_on_until: time,
) -> Calendar:
    """Lay out the sittings of `HORIZON` days, leaving out the days without one; equal ones only once.

    The day's last sitting has a second closing time, for days on which the chair sits on.
    """
    rows = []
    for offset in range(HORIZON):
        today = opens.date() + timedelta(days=offset)
        if today.weekday() not in days or today in closed:
            continue
        for number, (start, end) in enumerate(sittings):
            last = number == len(sittings) - 1
            longer = max(minute_of(sits_on_until), minute_of(end)) if last else minute_of(end)
            rows.append([offset * DAY + minute_of(x) for x in (start, end)] + [offset * DAY + longer])
    table = np.array(rows, dtype=float).reshape(-1, 3)
    table.setflags(write=False)
    return Calendar(table[:, 0], table[:, 1:], float(minute_of(opens.time())))


def sits_late(keys: U64, day: Floats, sits_on: PerRun) -> Flags:
    """Return whether the chair lets the last sitting of a day run on: drawn once per run and day."""
    return rng.uniform(keys, 0, np.uint64(Lane.SITS_ON) + day.astype(np.uint64) * np.uint64(64)) < sits_on


def minute_of(moment: time) -> int:
    """Return the minutes since midnight.

    Examples
    --------
    >>> minute_of(time(13, 30))
    810
    """
    return moment.hour * 60 + moment.minute


class Timetable:
    """The clocks of many runs, moved on round by round.

    Parameters
    ----------
    calendar : Calendar
        The sittings.
    pace : namespace
        Numbers of the clock, each for all runs or with one entry a run: medians in minutes
        (`formalities`, `round_minutes`), their log-sds, `last_call` and `consultation` in minutes, and
        the chance that the chair `sits_on`.
    keys : ndarray of uint64, shape (runs,)
        The runs' keys.
    now : ndarray, shape (runs,), optional
        Where the clocks stand; by default at the end of the formalities.

    Attributes
    ----------
    now : ndarray, shape (runs,)
        End of the last round held in each run; before the first round, the end of the formalities.
    """

    def __init__(self, calendar: Calendar, pace: SimpleNamespace, keys: U64, now: Floats | None = None) -> None:
        self.calendar, self.pace, self.keys = calendar, pace, keys
        if now is None:
            length = np.exp(pace.formalities_log_sd * rng.normal(keys, 0, Lane.DURATION))
            now = calendar.opening + pace.formalities * length
        self.now = now

    def hold_round(self, active: Places, round_: int) -> Flags:
        """Let one round pass in the `active` runs; return where a night came before it."""
        keys, before, pace = self.keys[active], self.now[active], select(self.pace, active)
        start = self.calendar.next_start(before, keys, pace)
        length = np.exp(pace.round_log_sd * rng.normal(keys, round_, Lane.DURATION))
        self.now[active] = start + pace.round_minutes * length
        night = np.zeros(active.size, dtype=bool)
        waited = np.flatnonzero(start > before)
        days = [(moment[waited] - self.calendar.dawn) // DAY for moment in (before, start)]
        night[waited] = days[0] < days[1]
        return night

    def concessions(self, runs: Places) -> None:
        """Move the clock of `runs` to the moment at which a withdrawal becomes known.

        Without consultation that is the end of the round.  Otherwise it is `consultation` minutes
        later, and if the room is then empty, the opening of the next sitting.
        """
        pace = select(self.pace, runs)
        if runs.size and np.any(pace.consultation):
            later = self.calendar.next_open(self.now[runs] + pace.consultation, self.keys[runs], pace)
            self.now[runs] = np.where(np.asarray(pace.consultation) > 0, later, self.now[runs])
