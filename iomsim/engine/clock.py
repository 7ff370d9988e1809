"""From minutes of balloting to dates and times: sittings, nights, weekends, caps of ballots, a deadline.

Times are minutes that have passed since midnight of the opening date; what the clocks of the seat then show
is for :mod:`iomsim.engine.local_time` to say.

A sitting may pass midnight.  What happens in it after midnight belongs to the day on which it opened: a ballot
counts for that day, and no night has come before it.  In other words a day lasts from the hour at which its first
sitting opens to that hour of the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from iomsim.engine import rng
from iomsim.engine.laws import select, some
from iomsim.engine.local_time import LocalTime, local_time
from iomsim.engine.rng import Lane
from iomsim.errors import ScenarioError
from iomsim.typing import U64, Flags, Floats, PerRun, Places

DAY = 24 * 60
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

HORIZON = 400
"""Days for which sittings are laid out; forty rounds need a few weeks at most."""

SLOT = 16
"""Minutes of the slots in which a sitting is looked up."""

NO_CAP = 2**31
"""More ballots than any day holds."""

NOBODY = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Calendar:
    """The sittings from the opening on, in time order.

    Attributes
    ----------
    opens : ndarray, shape (sittings,)
        When each sitting opens.
    closes : ndarray, shape (sittings, 2)
        When it closes, and when it closes if the chair sits on that day.
    days : ndarray, shape (sittings,)
        The day on which it opens, counted from the opening date.
    opening : float
        When the session begins.
    dawn : float
        Minute of the day at which its first sitting opens: what comes before it belongs to the night.
    seat : LocalTime
        What the clocks of the seat show.
    caps : tuple of int, optional
        Most ballots of the opening day, and of any other; None without caps.
    deadline : float
        When the vote ends unfinished: no round starts at or after it.
    """

    opens: Floats
    closes: Floats
    days: Floats
    opening: float
    dawn: float
    seat: LocalTime
    caps: tuple[int, int] | None = None
    deadline: float = np.inf

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # what is computed stays here

    def check(self, pace: SimpleNamespace) -> None:
        """Refuse a pace at which no round could ever start.

        Raises
        ------
        ScenarioError
            If no sitting before the deadline is long enough for a round to start.
        """
        usual, late = self.longest
        if np.any(pace.last_call > np.where(np.asarray(pace.sits_on) > 0, late, usual)):
            before = "" if np.isinf(self.deadline) else " before the deadline"
            raise ScenarioError(f"the clock never sits: no sitting{before} is long enough for a round to start")

    @property
    def longest(self) -> tuple[float, float]:
        """Minutes of the longest sitting before the deadline, as planned and if the chair sits on."""
        start = np.maximum(self.opens, self.opening)
        usual, late = (self.closes - start[:, None])[start < self.deadline].max(axis=0, initial=-np.inf)
        return float(usual), float(late)

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
        later = self.days[self.days > 0]
        return int(later[0]) if later.size else 1

    def day_of(self, when: Floats) -> Floats:
        """Return the day to which a moment belongs, counted from the opening date; it begins with its first sitting."""
        return np.asarray((self.seat.shown(when) - self.dawn) // DAY)

    def reopens(self, day: Floats, held: Places) -> Floats:
        """Return from when on a ballot may be held after so many on a day: any time, or on the next day with sittings.

        Whoever calls has seen to it that there are caps.
        """
        first, other = self.caps or (NO_CAP, NO_CAP)
        full = held >= np.where(day == 0, first, other)
        index = np.where(full, np.searchsorted(self.days, day, side="right"), 0)
        return np.where(full, self._at(self.opens, index), -np.inf)

    @cached_property
    def _slots(self) -> Places:
        starts = np.arange(0, (HORIZON + 1) * DAY, SLOT)
        return np.searchsorted(self.closes[:, 1], starts, side="right")

    def _close(self, index: Places, keys: U64, sits_on: PerRun) -> Floats:
        index = np.minimum(index, len(self.opens) - 1)
        longer = sits_late(keys, self.days[index], sits_on)
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
    timezone: str = "UTC",
    caps: tuple[int, int] | None = None,
    deadline: datetime | None = None,
) -> Calendar:
    """Lay out the sittings of `HORIZON` days, leaving out the days without one; equal ones only once.

    A sitting that ends at or before the hour at which it opens ends on the next day.  The day's last sitting
    has a second closing time, for days on which the chair sits on: `sits_on_until`, which is after midnight
    if it lies before noon and before the day's first sitting.
    """
    midnight = datetime.combine(opens.date(), time())
    seat = local_time(midnight, timezone, HORIZON + 2)
    hours = minutes_of(sittings)
    dawn, until = (hours[0][0] if hours else 0), minute_of(sits_on_until)
    until += DAY * (until < min(dawn, DAY // 2))
    rows = []
    for offset in range(HORIZON):
        today = opens.date() + timedelta(days=offset)
        if today.weekday() not in days or today in closed:
            continue
        for number, (start, end) in enumerate(hours):
            longer = max(until, end) if number == len(hours) - 1 else end
            rows.append([offset, *(offset * DAY + minute for minute in (start, end, longer))])
    table = np.array(rows, dtype=float).reshape(-1, 4)
    table[:, 1:] = seat.passed(table[:, 1:])
    table.setflags(write=False)

    def passed(moment: datetime) -> float:
        return float(seat.passed(np.array((moment - midnight) // timedelta(minutes=1), dtype=float)))

    return Calendar(
        opens=table[:, 1],
        closes=table[:, 2:],
        days=table[:, 0],
        opening=passed(opens),
        dawn=float(dawn),
        seat=seat,
        caps=caps,
        deadline=np.inf if deadline is None else passed(deadline),
    )


def minutes_of(sittings: Iterable[tuple[time, time]]) -> list[tuple[int, int]]:
    """Return the sittings of a day in minutes since its midnight; one that passes midnight ends after `DAY`.

    Examples
    --------
    >>> minutes_of([(time(10), time(13)), (time(20), time(2))])
    [(600, 780), (1200, 1560)]
    """
    return [(minute_of(start), minute_of(end) + DAY * (end <= start)) for start, end in sittings]


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


@dataclass(eq=False)
class Ballots:
    """How many ballots a run has held on the last day on which it held one; `n` runs.

    Attributes
    ----------
    day : ndarray, shape (n,)
        That day, counted from the opening date.
    held : ndarray of int, shape (n,)
        Its ballots.
    """

    day: Floats
    held: Places

    @classmethod
    def none(cls, size: int) -> Ballots:
        """Return those of runs that have held none."""
        return cls(np.zeros(size), np.zeros(size, dtype=np.intp))

    def pick(self, index: Places) -> Ballots:
        """Return a copy of those of some runs."""
        return Ballots(self.day[index], self.held[index])

    def count(self, active: Places, day: Floats) -> None:
        """Count one more in the `active` runs, on this day."""
        self.held[active] = np.where(self.day[active] == day, self.held[active], 0) + 1
        self.day[active] = day


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
    ballots : Ballots, optional
        What has been held of late, if a day's ballots are capped; by default nothing.
    column : ndarray of int, shape (runs,), optional
        Which entry of the arrays of the pace each run takes; by default its own.

    Attributes
    ----------
    now : ndarray, shape (runs,)
        End of the last round held in each run; before the first round, the end of the formalities.
    ballots : Ballots or None
        What has been held of late; None without caps.
    """

    def __init__(
        self,
        calendar: Calendar,
        pace: SimpleNamespace,
        keys: U64,
        now: Floats | None = None,
        ballots: Ballots | None = None,
        column: Places | None = None,
    ) -> None:
        self.calendar, self.pace, self.keys, self.column = calendar, pace, keys, column
        self.ballots = Ballots.none(keys.size) if ballots is None and calendar.caps else ballots
        if now is None:
            pace = self._pace(np.arange(keys.size))
            length = np.exp(pace.formalities_log_sd * rng.normal(keys, 0, Lane.DURATION))
            now = calendar.opening + pace.formalities * length
        self.now = now

    def _pace(self, runs: Places) -> SimpleNamespace:
        """Return the pace of some of the runs."""
        return select(self.pace, runs if self.column is None else self.column[runs])

    def starts(self, active: Places) -> Floats:
        """Return when the next round may start in the `active` runs, whatever the deadline."""
        return self._starts(active, self.now[active], self.keys[active], self._pace(active))

    def _starts(self, active: Places, before: Floats, keys: U64, pace: SimpleNamespace) -> Floats:
        if self.ballots is not None:
            before = np.maximum(before, self.calendar.reopens(self.ballots.day[active], self.ballots.held[active]))
        return self.calendar.next_start(before, keys, pace)

    def too_late(self, active: Places) -> Places:
        """Return which of the `active` runs, by their place in it, may start no further round."""
        if np.isinf(self.calendar.deadline):
            return NOBODY
        return np.flatnonzero(self.starts(active) >= self.calendar.deadline)

    def hold_round(self, active: Places, round_: int) -> Flags:
        """Let one round pass in the `active` runs; return where a night came before it."""
        keys, before, pace = self.keys[active], self.now[active], self._pace(active)
        start = self._starts(active, before, keys, pace)
        length = np.exp(pace.round_log_sd * rng.normal(keys, round_, Lane.DURATION))
        self.now[active] = start + pace.round_minutes * length
        if self.ballots is not None:
            self.ballots.count(active, self.calendar.day_of(start))
        night = np.zeros(active.size, dtype=bool)
        waited = np.flatnonzero(start > before)
        days = [self.calendar.day_of(moment[waited]) for moment in (before, start)]
        night[waited] = days[0] < days[1]
        return night

    def concessions(self, runs: Places) -> None:
        """Move the clock of `runs` to the moment at which a withdrawal becomes known.

        Without consultation that is the end of the round.  Otherwise it is `consultation` minutes
        later, and if the room is then empty, the opening of the next sitting.
        """
        pace = self._pace(runs)
        if runs.size and np.any(pace.consultation):
            later = self.calendar.next_open(self.now[runs] + pace.consultation, self.keys[runs], pace)
            self.now[runs] = np.where(np.asarray(pace.consultation) > 0, later, self.now[runs])
