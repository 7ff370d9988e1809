"""What announced times say about the clocks of the possible worlds.

Clocks and votes have nothing to do with each other, except that the first round after a night may have
an openness of its own.  So an announced time sorts the clocks and leaves the worlds' weights alone: a
round that ends at 19:00 shows that the chair sits on today, not how anybody votes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from iomsim.election_day.conditioning import TINY
from iomsim.election_day.particles import resample
from iomsim.engine.clock import DAY, Timetable, sits_late
from iomsim.engine.plan import Plan
from iomsim.typing import U64, Floats, Places

DRAWS = 200
"""How often a clock's further numbers are drawn anew until its day is as it was."""


@dataclass(frozen=True, eq=False)
class Hours:
    """The clocks: one key each for their random numbers, and the minute they show."""

    keys: U64
    now: Floats

    def pick(self, index: Places) -> Hours:
        """Return some of the clocks."""
        return Hours(self.keys[index], self.now[index])


def opening_hours(plan: Plan, keys: U64) -> Hours:
    """Return the clocks at the end of the formalities."""
    return Hours(keys, Timetable(plan.calendar, plan.pace, keys).now)


def pass_round(plan: Plan, hours: Hours, round_: int) -> Hours:
    """Let a round pass whose time was not announced."""
    table = Timetable(plan.calendar, plan.pace, hours.keys, hours.now.copy())
    table.hold_round(np.arange(hours.now.size), round_)
    return Hours(hours.keys, table.now)


def consulted(plan: Plan, hours: Hours) -> Hours:
    """Let the time of a withdrawal pass."""
    table = Timetable(plan.calendar, plan.pace, hours.keys, hours.now.copy())
    table.concessions(np.arange(hours.now.size))
    return Hours(hours.keys, table.now)


def ends_at(plan: Plan, hours: Hours, minute: float) -> Floats:
    """Return the log-density, up to a constant, of a round that ends at this minute, clock by clock."""
    pace = plan.pace
    length = minute - plan.calendar.next_start(hours.now, hours.keys, pace)
    log_length = np.log(np.maximum(length, TINY))
    deviation = (log_length - np.log(max(pace.round_minutes, TINY))) / max(pace.round_log_sd, TINY)
    density = -(deviation**2) / 2 - log_length if pace.round_log_sd else np.zeros(length.size)
    return np.where(length > 0, density, -np.inf)


def waits_until(plan: Plan, hours: Hours, minute: float) -> Floats:
    """Return 0 for the clocks with which an adjournment until this minute agrees, else minus infinity.

    The last round was over by then, and a round may start then: that the room meets at 19:00 shows that
    the chair sits on.  (At a minute at which no clock has a sitting, only the first is asked.)
    """
    before = hours.now <= minute
    at = np.full(hours.now.size, minute)
    meets = before & (plan.calendar.next_start(at, hours.keys, plan.pace) == minute)
    return np.where(meets if meets.any() else before, 0.0, -np.inf)


def known(rng: np.random.Generator, plan: Plan, hours: Hours, log_weight: Floats, minute: float) -> Hours:
    """Return the clocks sorted by their weights and set to an announced minute.

    A time that no clock had thought possible is taken for a fact that teaches nothing.
    """
    size = hours.now.size
    if np.isfinite(log_weight).any() and np.ptp(log_weight):
        hours = hours.pick(rng.permutation(resample(log_weight, float(rng.random()))))
    return Hours(renewed(rng, hours.keys, np.full(size, minute // DAY), plan.pace.sits_on), np.full(size, minute))


def renewed(rng: np.random.Generator, keys: U64, day: Floats, sits_on: float) -> U64:
    """Return new keys, so that copies of a clock part, under which the chair sits on today as under the old."""
    late = sits_late(keys, day, sits_on)
    out = keys.copy()
    open_ = np.arange(keys.size)
    for _ in range(DRAWS):
        fresh = rng.integers(0, 2**64, open_.size, dtype=np.uint64)
        fits = sits_late(fresh, day[open_], sits_on) == late[open_]
        out[open_[fits]] = fresh[fits]
        open_ = open_[~fits]
        if not open_.size:
            break
    return out
