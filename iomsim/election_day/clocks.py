"""Announced times: read and checked, and what they say about the particles' clocks.

Clocks and votes are independent, except that the first round after a night may have an openness of its own.  So an
announced time resamples the clocks and leaves the particles' weights alone: a round that ends at 19:00 shows that
the chair sits on today, not how anybody votes.  For the same reason a clock follows a draw of the assumptions of its
own: what is unsure of the pace has nothing to do with what is unsure of the votes.

What is announced, a `minute`, is what the clocks of the seat show, since midnight of the opening date.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np

from iomsim.election_day.conditioning import TINY, resample
from iomsim.engine.clock import DAY, Ballots, Timetable, sits_late
from iomsim.engine.laws import select, some
from iomsim.engine.plan import Plan
from iomsim.errors import AnnouncementError, IomsimError, quote
from iomsim.model.moments import before_the_opening, moment_in_words, read_moment
from iomsim.typing import U64, Floats, PerRun, Places

LATEST = 365 * DAY
"""Minutes from the opening date to the last moment that may be announced: the clocks have sittings a little longer."""

DRAWS = 200
"""How often a clock's key is drawn anew until the chair's decision of its day is as it was."""


@dataclass(frozen=True, eq=False)
class Clocks:
    """The clocks: a key each for their random numbers, the minutes passed, a capped day's ballots.

    `draw` is the draw of the assumptions that each follows, its column of the plan; None if all are alike.
    """

    keys: U64
    now: Floats
    ballots: Ballots | None = None
    draw: Places | None = None

    @property
    def all(self) -> Places:
        """Their places."""
        return np.arange(self.now.size)

    def pick(self, index: Places) -> Clocks:
        """Return some of the clocks."""
        return Clocks(
            self.keys[index],
            self.now[index],
            None if self.ballots is None else self.ballots.pick(index),
            None if self.draw is None else self.draw[index],
        )

    def pace(self, plan: Plan) -> SimpleNamespace:
        """Return how long things take: numbers, or arrays with one entry a clock."""
        return plan.pace if self.draw is None else select(plan.pace, self.draw)

    def timetable(self, plan: Plan) -> Timetable:
        """Return a copy of the clocks as the kernel moves them on."""
        copy = self.pick(self.all)
        return Timetable(plan.calendar, plan.pace, copy.keys, copy.now, copy.ballots, copy.draw)

    def after(self, table: Timetable) -> Clocks:
        """Return the clocks as a timetable of theirs has left them."""
        return replace(self, now=table.now, ballots=table.ballots)


def initial_clocks(plan: Plan, keys: U64, draw: Places | None = None) -> Clocks:
    """Return the clocks at the end of the formalities."""
    clocks = Clocks(keys, np.zeros(keys.size), draw=draw)
    return clocks.after(Timetable(plan.calendar, plan.pace, keys, column=draw))


def hold_round(plan: Plan, clocks: Clocks, round_: int) -> Clocks:
    """Let a round pass whose time was not announced."""
    table = clocks.timetable(plan)
    table.hold_round(clocks.all, round_)
    return clocks.after(table)


def with_round_today(plan: Plan, clocks: Clocks) -> Clocks:
    """Count a round that has just ended on all clocks, if a day's ballots are capped."""
    table = clocks.timetable(plan)
    if table.ballots is not None:
        table.ballots.count(clocks.all, plan.calendar.day_of(clocks.now))
    return clocks.after(table)


def after_consultation(plan: Plan, clocks: Clocks) -> Clocks:
    """Let the time of a withdrawal pass."""
    if not np.any(plan.pace.consultation):
        return clocks
    table = clocks.timetable(plan)
    table.concessions(clocks.all)
    return clocks.after(table)


def log_density_of_end(plan: Plan, clocks: Clocks, minute: float) -> Floats:
    """Return the log-density, up to a constant, of a round that ends at this minute, clock by clock."""
    pace = clocks.pace(plan)
    start = clocks.timetable(plan).starts(clocks.all)
    length = passed(plan, minute) - start
    log_length = np.log(np.maximum(length, TINY))
    varies = np.asarray(pace.round_log_sd) > 0  # where it does not, any length is as good
    sd = np.where(varies, np.maximum(pace.round_log_sd, TINY), 1.0)
    deviation = (log_length - np.log(np.maximum(pace.round_minutes, TINY))) / sd
    density = np.where(varies, -(deviation**2) / 2 - log_length, 0.0)
    if sd.ndim:
        density -= np.log(sd)
    return np.where((length > 0) & (start < plan.calendar.deadline), density, -np.inf)


def log_in_time(plan: Plan, clocks: Clocks) -> Floats:
    """Return 0 for the clocks that have the next round start before the deadline, else minus infinity.

    (If none has, somebody has put the deadline off, and all are as good.)
    """
    out = np.zeros(clocks.now.size)
    late = clocks.timetable(plan).too_late(clocks.all)
    if late.size < out.size:
        out[late] = -np.inf
    return out


def passed(plan: Plan, minute: float) -> float:
    """Return how many minutes have passed when the clocks of the seat show a minute."""
    return float(plan.calendar.seat.passed(np.array(minute)))


def log_agreement(plan: Plan, clocks: Clocks, minute: float) -> Floats:
    """Return 0 for the clocks with which an adjournment until this minute agrees, else minus infinity.

    The last round was over by then, and a round may start then: a meeting at 19:00 shows that the chair sits on.
    (At a minute at which no clock has a sitting, only the first is asked.)
    """
    then = passed(plan, minute)
    before = clocks.now <= then
    at = replace(clocks, now=np.full(clocks.now.size, then))
    meets = before & (at.timetable(plan).starts(at.all) == then)
    return np.where(meets if meets.any() else before, 0.0, -np.inf)


def set_to(rng: np.random.Generator, plan: Plan, clocks: Clocks, log_weight: Floats, minute: float) -> Clocks:
    """Return the clocks resampled by these weights and set to an announced minute.

    A time to which every clock gives probability 0 changes nothing else.
    """
    if np.isfinite(log_weight).any() and np.ptp(log_weight):
        clocks = clocks.pick(rng.permutation(resample(log_weight, float(rng.random()))))
    return with_new_keys(rng, plan, replace(clocks, now=np.full(clocks.now.size, passed(plan, minute))))


def resampled(rng: np.random.Generator, plan: Plan, clocks: Clocks, log_weight: Floats) -> Clocks:
    """Return the clocks resampled by weights that differ; copies get keys of their own."""
    return with_new_keys(rng, plan, clocks.pick(rng.permutation(resample(log_weight, float(rng.random())))))


def with_new_keys(rng: np.random.Generator, plan: Plan, clocks: Clocks) -> Clocks:
    """Return the clocks with new keys that remember today."""
    day, sits_on = plan.calendar.day_of(clocks.now), clocks.pace(plan).sits_on
    return replace(clocks, keys=renew_keys(rng, clocks.keys, day, sits_on))


def renew_keys(rng: np.random.Generator, keys: U64, day: Floats, sits_on: PerRun) -> U64:
    """Return new keys, so that copies of a clock part, under which the chair sits on today as under the old."""
    late = sits_late(keys, day, sits_on)
    out = keys.copy()
    open_ = np.arange(keys.size)
    for _ in range(DRAWS):
        fresh = rng.integers(0, 2**64, open_.size, dtype=np.uint64)
        fits = sits_late(fresh, day[open_], some(sits_on, open_)) == late[open_]
        out[open_[fits]] = fresh[fits]
        open_ = open_[~fits]
        if not open_.size:
            break
    return out


# -- times as announced --------------------------------------------------------------------------


def moment_of(at: Any, opens: datetime, last: float | None) -> float:
    """Return a moment in minutes since midnight of the opening date.

    A bare "12:20" is on the day of the last event (or of the opening); "Tuesday 10:00" is on that day
    or the next of its name.  Hours are written 9:05, 9.05 or 9h05.

    Raises
    ------
    AnnouncementError
        If it cannot be read, or lies before the opening, before the last event, or a year after the opening.

    Examples
    --------
    >>> moment_of("12:20", datetime(2023, 5, 15, 10), None)
    740.0
    """
    midnight = datetime.combine(opens.date(), time())
    today = midnight + timedelta(days=0 if last is None else last // DAY)
    try:
        moment = read_moment(at, today)
    except IomsimError as error:
        raise AnnouncementError(str(error)) from None
    minute = (moment - midnight).total_seconds() / 60
    if moment < opens:
        raise AnnouncementError(before_the_opening(moment, opens))
    if minute > LATEST:
        raise AnnouncementError(f"{quote(at)} is more than a year after the opening")
    if last is not None and minute < last:
        said, before = (moment_in_words(x, opens.date()) for x in (moment, midnight + timedelta(minutes=last)))
        raise AnnouncementError(f"{said} is before the last event on {before}; write the date for another day")
    return minute
