"""The frozen clock of a scenario: when it sits, for how long, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from iomsim.engine.clock import DAY, HORIZON, NO_CAP, Calendar, calendar, minutes_of
from iomsim.errors import advice, nearest, quote
from iomsim.model.components import WEEKDAYS
from iomsim.model.dates import Day, Hour, Moment
from iomsim.model.moments import day_in_words, full_date
from iomsim.model.quantities import CLOCK, FrozenModel, Minutes, PaceSpread, Pause, Probability, Whole, default

Sitting = tuple[Hour, Hour]


class Clock(FrozenModel):
    """The session: when it opens, when it sits, and how long things take.

    Times are local times of the seat, as its clocks show them on the day: where they are put forward or
    back for daylight saving, sittings follow the clocks, and a round lasts as many minutes as pass.
    """

    opens: Moment
    """When the session opens, inside a sitting."""
    timezone: str = Field("Europe/Zurich", validate_default=True)
    """Time zone of the seat, such as "Europe/Zurich"."""
    sittings: tuple[Sitting, ...] = Field(((time(9), time(13)), (time(15), time(18))), max_length=24)
    """The sittings of a day, in order; by default those of Geneva, 9 to 13 and 15 to 18 hours.  The last may pass
    midnight: if it ends at or before the hour at which it opens, it ends on the next day.  What happens in it after
    midnight belongs to the day on which it opened: a ballot counts for that day's cap, and no night has come before
    it."""
    days: tuple[str, ...] = Field(WEEKDAYS[:5], max_length=7)
    """Weekdays with sittings, "Mon" to "Sun"."""
    sits_on_until: Hour = time(21)
    """Until when a day's last sitting runs on, with probability `sits_on`; an hour before noon and before the day's
    first sitting is one of the next day."""
    closed: tuple[Day, ...] = Field((), max_length=1000)
    """Days off."""
    rounds_a_day: Whole | None = None
    """Most ballots of a day; none or 0 for no cap."""
    first_day: Whole | None = None
    """Most ballots of the opening day, if that has a cap of its own."""
    deadline: Moment | None = None
    """Ends the vote unfinished: no round starts at or after it, and one that has begun is finished."""
    formalities: Minutes = default(60, 30, 120, "minutes", "minutes of formalities", acts=CLOCK)
    """Median time from the opening to the first round (lognormal)."""
    formalities_log_sd: PaceSpread = default(0.30, 0.15, 0.5, "log-sd", "spread of the formalities' length", acts=CLOCK)
    """Spread of the logarithm of the time from the opening to the first round."""
    round_minutes: Minutes = default(70, 50, 90, "minutes", "minutes a round", acts=CLOCK)
    """Median time that a round takes, roll call to count (lognormal)."""
    round_log_sd: PaceSpread = default(0.25, 0.1, 0.4, "log-sd", "spread of the rounds' length", acts=CLOCK)
    """Spread of the logarithm of the time that a round takes."""
    last_call: Pause = default(45, 20, 75, "minutes", "minutes between last call and close", acts=CLOCK)
    """Time that must be left of a sitting for a round to start; else it waits for the next sitting."""
    sits_on: Probability = default(0.25, 0.0, 0.7, "probability", "chance of sitting on late", acts=CLOCK)
    """Chance that a day's last sitting runs on, until `sits_on_until`."""
    consultation: Pause = default(0, 0, 240, "minutes", "minutes of consultation", acts=CLOCK)
    """Time after the count until a withdrawal is known."""

    @field_validator("timezone", mode="after")
    @classmethod
    def _on_earth(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            known = sorted(available_timezones())
            if not known:
                raise ValueError("this machine knows no time zones; install the package tzdata") from None
            close = nearest(zone, known)
            cure = "write one such as 'Europe/Zurich'" if close is None else f"did you mean {quote(close)}?"
            raise ValueError(f"no time zone {quote(zone)}; {cure}") from None
        return zone

    @field_validator("sittings", mode="after")
    @classmethod
    def _in_order(cls, sittings: tuple[Sitting, ...]) -> tuple[Sitting, ...]:
        if not sittings:
            raise ValueError("the clock never sits; give at least one sitting")
        words, hours = listed(sittings), minutes_of(sittings)
        for i, ((_, end), (start, _)) in enumerate(pairwise(hours)):
            if start < end:
                raise ValueError(f"must be in order and not overlap, got {words[i]} before {words[i + 1]}")
        if hours[-1][1] > hours[0][0] + DAY:
            raise ValueError(f"must not overlap, but {words[-1]} runs into the next day's {words[0]}")
        return sittings

    @field_validator("days", mode="after")
    @classmethod
    def _weekdays(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for day in days:
            if day not in WEEKDAYS:
                raise ValueError(f"no weekday {quote(day)}; {advice(day, WEEKDAYS)}")
        if not days:
            raise ValueError("the clock never sits; give at least one weekday")
        return days

    @field_validator("rounds_a_day", mode="after")
    @classmethod
    def _capped(cls, most: int | None) -> int | None:
        if most is not None and most < 0:
            raise ValueError(f"must be at least 1, or 0 for no cap, got {most}")
        return most or None

    @field_validator("first_day", mode="after")
    @classmethod
    def _capped_at_first(cls, most: int | None) -> int | None:
        if most is not None and most < 1:
            raise ValueError(f"must be at least 1, got {most}; leave it out if the first day is like any other")
        return most

    @model_validator(mode="after")
    def _sits(self) -> Self:
        if not 1800 <= self.opens.year <= 2200:
            raise ValueError(f"opens must lie between the years 1800 and 2200, got {self.opens.year}")
        for complaint in (no_sitting_that_day, no_sitting_at_that_hour, hour_left_out, over_before_it_begins):
            said = complaint(self)
            if said:
                raise ValueError(said)
        self.calendar().check(SimpleNamespace(last_call=self.last_call.value, sits_on=self.sits_on.value))
        return self

    def has_sittings(self, day: date) -> bool:
        """Return whether there are sittings on a day."""
        return WEEKDAYS[day.weekday()] in self.days and day not in self.closed

    @property
    def next_day(self) -> date:
        """The first day with a sitting after the opening date; if there is none, the day after it."""
        return self.opens.date() + timedelta(days=self.calendar().next_day)

    @property
    def next_day_in_words(self) -> str:
        """That day by its weekday, or by its date where the weekday could mean another."""
        return day_in_words(self.next_day, self.opens.date())

    @property
    def caps(self) -> tuple[int, int] | None:
        """Most ballots of the opening day, and of any other; None without caps."""
        if self.rounds_a_day is None and self.first_day is None:
            return None
        each = self.rounds_a_day or NO_CAP
        return self.first_day or each, each

    def calendar(self) -> Calendar:
        """Return the sittings laid out from the opening on."""
        weekdays = frozenset(WEEKDAYS.index(day) for day in self.days)
        return calendar(
            self.opens,
            self.sittings,
            weekdays,
            frozenset(self.closed),
            self.sits_on_until,
            self.timezone,
            self.caps,
            self.deadline,
        )


def listed(sittings: Iterable[Sitting]) -> list[str]:
    """Return sittings in words.

    Examples
    --------
    >>> listed([(time(10), time(13)), (time(20), time(2))])
    ['10:00-13:00', '20:00-02:00']
    """
    return [f"{start:%H:%M}-{end:%H:%M}" for start, end in sittings]


# -- openings and deadlines that cannot be: a sentence each, or nothing ----------------------------


def no_sitting_that_day(clock: Clock) -> str:
    """Complain about an opening on a day without sittings."""
    day = clock.opens.date()
    if clock.has_sittings(day):
        return ""
    weekday = WEEKDAYS[day.weekday()]
    why, cure = "a day without sittings", f"add {quote(weekday)} to days"
    if weekday in clock.days:
        why, cure = "a day off", "take it out of closed"
    return f"opens on {full_date(day, weekday=True)}, {why}; {cure}{_or_on_the_next_day(clock)}"


def no_sitting_at_that_hour(clock: Clock) -> str:
    """Complain about an opening before the day's first sitting, between two, or after the last."""
    hour = clock.opens.time()
    if any(start <= hour and (hour < end or end <= start) for start, end in clock.sittings):
        return ""
    last, end = clock.sittings[-1]
    before = clock.opens.date() - timedelta(days=1)
    if hour < end <= last and clock.has_sittings(before):
        evening = _in_full(datetime.combine(before, last))
        return f"opens on {_in_full(clock.opens)}, in the sitting of the evening before; open with it, on {evening}"
    later = [start for start, _ in clock.sittings if start > hour]
    cure = f"open at {later[0]:%H:%M}" if later else f"give a later sitting{_or_on_the_next_day(clock)}"
    return f"opens on {_in_full(clock.opens)}, outside every sitting ({', '.join(listed(clock.sittings))}); {cure}"


def _or_on_the_next_day(clock: Clock) -> str:
    """Return the beginning of the next day with sittings as a way out, if there is one."""
    coming = (clock.opens.date() + timedelta(days=ahead) for ahead in range(1, HORIZON))
    day = next(filter(clock.has_sittings, coming), None)
    return "" if day is None else f", or open on {_in_full(datetime.combine(day, clock.sittings[0][0]))}"


def hour_left_out(clock: Clock) -> str:
    """Complain about an opening in the hour that is left out when clocks are put forward."""
    there = clock.opens.replace(tzinfo=ZoneInfo(clock.timezone))
    shown = there.astimezone(UTC).astimezone(there.tzinfo).replace(tzinfo=None)
    if shown == clock.opens:
        return ""
    return f"opens on {_in_full(clock.opens)}, when clocks in {clock.timezone} are put forward; open at {shown:%H:%M}"


def over_before_it_begins(clock: Clock) -> str:
    """Complain about a deadline that is not after the opening."""
    if clock.deadline is None or clock.deadline > clock.opens:
        return ""
    return (
        f"the deadline, {_in_full(clock.deadline)}, is not after the opening, {_in_full(clock.opens)}; give a later one"
    )


def _in_full(moment: datetime) -> str:
    return f"{full_date(moment, weekday=True)} {moment:%H:%M}"
