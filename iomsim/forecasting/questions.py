"""How probable anything is that runs can tell: who, in which round, when, how; and one thing given another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.errors import IomsimError, quote, unknown, whole_number
from iomsim.forecasting.estimates import Estimate
from iomsim.forecasting.summary import Summary
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING, Tables, excluded
from iomsim.house_style import count, thousands
from iomsim.model.moments import before_the_opening, date_in_words, is_hour, read_day_or_moment, read_moment
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Flags, Longs

Event = Callable[[pd.DataFrame], Any] | Any
"""A function of ``fc.runs`` that says of every run whether it happened, or what such a function gives."""

FAILED, OPEN = ENDINGS.index("failed"), ENDINGS.index("open")

NAMES = {"failed": NOBODY, "open": STILL_VOTING}
"""What tables call the endings without a winner."""


@dataclass(frozen=True, eq=False)
class Ends:
    """How runs ended, one entry a run, or one for all runs that ended alike.

    Attributes
    ----------
    winner, ending, rounds, minute : ndarray of int
        As in :class:`iomsim.engine.outcomes.Endings`.
    draw : ndarray of int
        Which draw of the assumptions the runs follow.
    count : ndarray of int
        How many runs they are.
    """

    winner: Longs
    ending: Longs
    rounds: Longs
    minute: Longs
    draw: Longs
    count: Longs

    @classmethod
    def counted(cls, summary: Summary) -> Ends:
        """Return the ends that a summary counts."""
        return cls(*(summary.ends[name].to_numpy() for name in cls.__dataclass_fields__))

    @classmethod
    def of_runs(cls, outcomes: Outcomes) -> Ends:
        """Return the end of every run."""
        one = np.ones(outcomes.size, dtype=np.int64)
        return cls(*(getattr(outcomes, name, one) for name in cls.__dataclass_fields__))


@dataclass(frozen=True)
class Question:
    """What is asked of a run; see :meth:`iomsim.Forecast.probability`."""

    winner: str | None = None
    round: int | None = None
    day: str | date | None = None
    between: Any = None
    before: str | date | None = None
    ending: str | None = None
    event: Event | None = None

    @classmethod
    def of(cls, given: Any) -> Question:
        """Return a condition as a question: a mapping of what may be asked, or an event."""
        if not isinstance(given, Mapping):
            return cls(event=given)
        for key in given:
            if key not in cls.__dataclass_fields__:
                raise unknown("part of a condition", key, cls.__dataclass_fields__)
        return cls(**given)

    @property
    def within(self) -> dict[str, Any]:
        """What is asked of the time at which it ended."""
        return {key: getattr(self, key) for key in ("day", "between", "before")}

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return all(part is None for part in vars(self).values())


def probability(fc: Tables, asked: Question, given: Any = None) -> Estimate:
    """Return how probable an event is, or how probable given another: :meth:`iomsim.Forecast.probability`."""
    if asked.empty:
        raise IomsimError("ask for something: a winner, a round, a day, an ending, or an event of the runs")
    condition = Question() if given is None else Question.of(given)
    by_run = asked.event is not None or condition.event is not None
    ends = Ends.of_runs(fc.all_outcomes) if by_run else Ends.counted(fc.summary)
    among = fulfilled(fc, condition, ends)
    hits, runs = (by_draw(fc, ends, where) for where in (among & fulfilled(fc, asked, ends), among))
    total = int(runs.sum())
    if not total:
        raise IomsimError(f"of {count(len(fc), 'run')} none fulfils what is given; ask for less, or play more runs")
    found = Estimate.over(hits, runs) if fc.summary.draws else Estimate.of(int(hits.sum()), total)
    if by_rule(fc, asked, found.value):
        found = replace(found, low=found.value, high=found.value, mc_error=0.0)
    return replace(found, among=given is not None)


def by_rule(fc: Tables, asked: Question, value: float) -> bool:
    """Return whether a chance of 0 or 1 is that for certain, and not for want of runs."""
    without = {NOBODY, STILL_VOTING, NO_WINNER}
    never = asked.winner in fc.out
    never |= asked.ending in ("failed", "open") and asked.winner in fc.race.names
    never |= asked.ending not in ("failed", "open", None) and asked.winner in without
    never |= bool({asked.winner, NAMES.get(asked.ending or "")} & set(excluded(fc.race, fc.rules_played)))
    known = asked.event is None and asked.within == Question().within
    return (value == 0 and never) or (value in (0, 1) and fc.certain and known)


def by_draw(fc: Tables, ends: Ends, where: Flags) -> Longs:
    """Return how many runs of each draw of the assumptions fulfil a condition on their ends."""
    counts = np.bincount(ends.draw[where], weights=ends.count[where], minlength=max(fc.summary.draws, 1))
    return counts.astype(np.int64)


# -- which runs ----------------------------------------------------------------------------------


def fulfilled(fc: Tables, asked: Question, ends: Ends) -> Flags:
    """Return in which ends everything is as asked."""
    where = np.ones(ends.count.size, dtype=bool)
    if asked.winner is not None:
        where &= _won(fc, asked.winner, ends)
    if asked.ending is not None:
        if asked.ending not in ENDINGS:
            raise unknown("ending", asked.ending, ENDINGS)
        where &= ends.ending == ENDINGS.index(asked.ending)
    if asked.round is not None:
        where &= ends.rounds == _round(fc, asked.round)
        if asked.ending != "open" and asked.winner != STILL_VOTING:
            where &= ends.ending != OPEN
    if any(part is not None for part in asked.within.values()):
        start, stop = ended_within(fc, asked)
        where &= (ends.minute >= start) & (ends.minute < stop)
    if asked.event is not None:
        where &= of_runs(fc.runs, asked.event)
    return where


def _won(fc: Tables, winner: str, ends: Ends) -> Flags:
    nobody = {NO_WINNER: ends.winner < 0, NOBODY: ends.ending == FAILED, STILL_VOTING: ends.ending == OPEN}
    if winner in nobody:
        return nobody[winner]
    if winner not in fc.race.names:
        raise unknown("winner", winner, [*fc.race.names, *nobody])
    return np.asarray(ends.winner == fc.race.names.index(winner))


def _round(fc: Tables, round_: int) -> int:
    most = fc.race.rules.max_rounds
    if whole_number("round", round_, 1) > most:
        raise IomsimError(f"round {round_} is not simulated, the last is round {most}; ask for an earlier one")
    return int(round_)


def of_runs(runs: pd.DataFrame, event: Event) -> Flags:
    """Return an event of the runs, one entry a run.

    Examples
    --------
    >>> of_runs(pd.DataFrame({"rounds": [1, 5, 2]}), lambda runs: runs["rounds"] > 1)
    array([False,  True,  True])
    """
    found = event(runs) if callable(event) else event
    if isinstance(found, pd.Series) and found.index.is_unique and set(found.index) == set(runs.index):
        found = found.reindex(runs.index)  # whatever the order in which they were looked at
    flags = np.asarray(found)
    if flags.dtype == object and all(isinstance(flag, bool | np.bool_) for flag in flags.flat):
        flags = flags.astype(bool)
    if flags.dtype != bool or flags.shape != (len(runs),):
        got = f"{flags.dtype} of shape {flags.shape}" if flags.ndim else repr(found)
        raise IomsimError(f"an event says True or False of each of the {thousands(len(runs))} runs, got {got}")
    return flags


# -- when ----------------------------------------------------------------------------------------


def ended_within(fc: Tables, asked: Question) -> tuple[float, float]:
    """Return from which minute on and before which one a run must have ended, since midnight of the opening date."""
    opening, opens = fc.opening_date, fc.race.clock.opens
    today = opening if asked.day is None else _day(asked.day, opening, opens)
    start, stop = (opening, datetime.max) if asked.day is None else (today, today + timedelta(days=1))
    if asked.between is not None:
        first, last = _between(asked.between, today, opening)
        _not_before_the_opening(last, opens)
        start, stop = max(start, first), min(stop, last)
    if asked.before is not None:
        last = _moment(asked.before, today, opening)
        _not_before_the_opening(last, opens)
        stop = min(stop, last)
    if start >= stop:
        told = [f"{key} {quote(value)}" for key, value in asked.within.items() if value is not None]
        raise IomsimError(f"{' and '.join(told)} have no moment in common")
    return tuple((moment - opening) / timedelta(minutes=1) for moment in (start, stop))  # type: ignore[return-value]


def _not_before_the_opening(moment: datetime, opens: datetime) -> None:
    if moment < opens:
        raise IomsimError(f"{before_the_opening(moment, opens)}; ask for a later moment")


def _day(day: Any, opening: datetime, opens: datetime) -> datetime:
    """Return the midnight at which a day begins."""
    midnight = isinstance(day, datetime) and day.time() == time.min
    text = str(day.date() if midnight else day).strip()
    try:
        found = read_moment(f"{text or '-'} 00:00", opening)
    except IomsimError:
        raise IomsimError(
            f"no day {quote(day)}; write 'Monday', 'Tuesday 16 May' or '2023-05-16', and hours into between"
        ) from None
    if found < opening:
        said, first = (date_in_words(x.date(), opens.date()) for x in (found, opens))
        raise IomsimError(f"{said} is before the opening on {first}; ask for a later day")
    return found


def _moment(at: Any, today: datetime, opening: datetime) -> datetime:
    """Return a moment: a bare hour is one of `today`, anything else is as seen from the opening."""
    return read_moment(at, today) if is_hour(at) else read_day_or_moment(at, opening)


def _between(pair: Any, today: datetime, opening: datetime) -> tuple[datetime, datetime]:
    if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
        raise IomsimError(f"between takes two moments, such as ('15:00', '18:00'), got {quote(pair)}")
    first = _moment(pair[0], today, opening)
    last = _moment(pair[1], first, opening)
    if first >= last:
        raise IomsimError(f"between takes an earlier and a later moment, got {quote(pair[0])} and {quote(pair[1])}")
    return first, last
