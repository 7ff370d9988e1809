"""From minutes to dates: sittings, last call, nights, weekends and closed days, by hand."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from toys import ALPHA, FREE, STILL, elect, fit, play, proportion, toy

import iomsim as iom
from iomsim.engine import rng
from iomsim.engine.clock import DAY, Calendar, Timetable, calendar, minute_of
from iomsim.engine.local_time import LocalTime
from iomsim.engine.rng import Lane
from iomsim.errors import ScenarioError
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS

KEYS = rng.run_keys(1, 0)
WEEK = frozenset(range(5))
HALVES = ((time(10), time(13)), (time(15), time(18)))
SURE = {"concede_a": 1e9, "concede_b": 1e-9}


def sittings(
    opens: str = "2023-05-15 10:00",
    halves: tuple = HALVES,
    days: frozenset[int] = WEEK,
    closed: tuple[date, ...] = (),
    until: time = time(21),
) -> Calendar:
    return calendar(datetime.fromisoformat(opens), halves, days, frozenset(closed), until)


def pace(**changes: float) -> SimpleNamespace:
    still = {"formalities": 60, "formalities_log_sd": 0, "round_minutes": 70, "round_log_sd": 0}
    return SimpleNamespace(**(still | {"sits_on": 0.0, "consultation": 0, "last_call": 45} | changes))


def moment(text: str) -> float:
    """Return "Tue 09:30" in minutes since the Monday's midnight; a second week is written "Mon+"."""
    day, _, clock = text.partition(" ")
    week, name = day.count("+"), day.rstrip("+")
    number = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(name) + 7 * week
    return number * DAY + minute_of(time.fromisoformat(clock))


def start(when: str, cal: Calendar | None = None, sits_on: float = 0.0) -> float:
    found = (cal or sittings()).next_start(np.array([moment(when)]), KEYS[:1], pace(sits_on=sits_on))
    return float(found[0])


# -- when a round may start ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ready", "starts"),
    [
        ("Mon 10:00", "Mon 10:00"),
        ("Mon 09:00", "Mon 10:00"),
        ("Mon 12:10", "Mon 12:10"),  # fifty minutes are left
        ("Mon 12:15", "Mon 12:15"),  # exactly the last call
        ("Mon 12:16", "Mon 15:00"),
        ("Mon 12:20", "Mon 15:00"),
        ("Mon 13:40", "Mon 15:00"),  # the round before ran past the end of its sitting
        ("Mon 15:00", "Mon 15:00"),
        ("Mon 17:15", "Mon 17:15"),
        ("Mon 17:16", "Tue 10:00"),
        ("Mon 18:00", "Tue 10:00"),
        ("Mon 23:59", "Tue 10:00"),
        ("Tue 00:30", "Tue 10:00"),
        ("Fri 17:14", "Fri 17:14"),
        ("Fri 17:20", "Mon+ 10:00"),
        ("Sat 12:00", "Mon+ 10:00"),
    ],
)
def test_when_the_next_round_starts(ready: str, starts: str) -> None:
    assert start(ready) == moment(starts)


@pytest.mark.parametrize(
    ("ready", "starts"),
    [
        ("Mon 12:20", "Mon 15:00"),  # only the day's last sitting is made longer
        ("Mon 17:16", "Mon 17:16"),
        ("Mon 20:15", "Mon 20:15"),
        ("Mon 20:16", "Tue 10:00"),
        ("Fri 20:30", "Mon+ 10:00"),
    ],
)
def test_when_the_chair_sits_on(ready: str, starts: str) -> None:
    assert start(ready, sits_on=1.0) == moment(starts)


def test_closed_days_and_other_weeks() -> None:
    cal = sittings(closed=(date(2023, 5, 16), date(2023, 5, 22)))
    assert start("Mon 17:30", cal) == moment("Wed 10:00")
    assert start("Fri 17:30", cal) == moment("Tue+ 10:00")
    cal = sittings(days=frozenset({0, 5}))
    assert start("Mon 17:30", cal) == moment("Sat 10:00")
    assert start("Sat 17:30", cal) == moment("Mon+ 10:00")


def test_sittings_shorter_than_the_last_call_are_passed_over() -> None:
    cal = sittings(halves=((time(10), time(10, 30)), (time(15), time(18))))
    assert start("Mon 09:00", cal) == moment("Mon 15:00")


def test_sits_on_until_never_shortens_a_sitting() -> None:
    cal = sittings(halves=((time(10), time(22)),))
    assert start("Mon 21:10", cal, sits_on=1.0) == moment("Mon 21:10")


def test_where_many_runs_stand_at_different_times() -> None:
    ready = ["Mon 09:00", "Mon 12:10", "Mon 12:20", "Mon 17:20", "Fri 17:20"]
    found = sittings().next_start(np.array([moment(x) for x in ready]), KEYS[:5], pace())
    assert found.tolist() == [start(x) for x in ready]


def test_sitting_on_is_drawn_once_a_run_and_day() -> None:
    when = np.full(KEYS.size, moment("Mon 18:30"))
    cal = sittings()
    monday = cal.next_start(when, KEYS, pace(sits_on=0.25)) == when
    assert proportion(monday.sum(), KEYS.size, 0.25) < 4
    assert np.array_equal(
        cal.next_start(when + 60, KEYS, pace(sits_on=0.25)) == when + 60, monday
    )  # the same an hour later
    tuesday = cal.next_start(when + DAY, KEYS, pace(sits_on=0.25)) == when + DAY
    together = np.bincount(2 * monday + tuesday, minlength=4) / KEYS.size
    assert fit(2 * monday + tuesday, np.array([0.5625, 0.1875, 0.1875, 0.0625])) > ALPHA, together


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("Mon 12:00", "Mon 12:00"),
        ("Mon 13:00", "Mon 13:00"),
        ("Mon 13:01", "Mon 15:00"),
        ("Mon 18:00", "Mon 18:00"),
        ("Mon 18:30", "Tue 10:00"),
        ("Fri 19:00", "Mon+ 10:00"),
    ],
)
def test_when_the_room_is_open_again(when: str, opens: str) -> None:
    assert sittings().next_open(np.array([moment(when)]), KEYS[:1], pace())[0] == moment(opens)
    if when == "Mon 18:30":
        assert sittings().next_open(np.array([moment(when)]), KEYS[:1], pace(sits_on=1.0))[0] == moment(when)


# -- the timetable of a run ---------------------------------------------------------------------------


def ends(rounds: int, **changes: float) -> tuple[list[float], list[bool]]:
    """Return when each round ends in one run, and before which one a night came."""
    timetable, found, nights = Timetable(sittings(), pace(**changes), KEYS[:1]), [], []
    for round_ in range(1, rounds + 1):
        nights.append(bool(timetable.hold_round(np.array([0]), round_)[0]))
        found.append(float(timetable.now[0]))
    return found, nights


def test_a_week_by_hand() -> None:
    """Formalities until 11:00; rounds of 70 minutes; one started at 12:10 ends after the sitting does."""
    found, nights = ends(14)
    expected = ["Mon 12:10", "Mon 13:20", "Mon 16:10", "Mon 17:20"]
    expected += ["Tue 11:10", "Tue 12:20", "Tue 16:10", "Tue 17:20", "Wed 11:10"]
    assert found[:9] == [moment(x) for x in expected]
    assert nights == [False] * 4 + [True, False, False, False] * 2 + [True, False]


def test_a_round_is_finished_past_the_end_of_its_sitting() -> None:
    found, nights = ends(3, round_minutes=300)
    assert found == [moment(x) for x in ("Mon 16:00", "Mon 21:00", "Tue 15:00")]
    assert nights == [False, False, True]


def test_formalities_may_last_into_the_next_day() -> None:
    found, nights = ends(1, formalities=8 * 60)
    assert found == [moment("Tue 11:10")]
    assert nights == [True]


def test_medians_and_spreads() -> None:
    timetable = Timetable(sittings(), pace(formalities_log_sd=0.3, round_log_sd=0.25), KEYS)
    formalities = timetable.now - moment("Mon 10:00")
    begin = sittings().next_start(timetable.now.copy(), KEYS, pace())
    timetable.hold_round(np.arange(KEYS.size), 1)
    for minutes, median, spread in ((formalities, 60, 0.3), (timetable.now - begin, 70, 0.25)):
        logs = np.log(minutes / median)
        assert abs(logs.mean()) < 4 * spread / np.sqrt(KEYS.size)
        assert abs(logs.std() / spread - 1) < 4 / np.sqrt(2 * KEYS.size)
    assert abs(np.corrcoef(formalities, timetable.now - begin)[0, 1]) < 4 / np.sqrt(KEYS.size)


def test_a_pause_holds_nobody_else_up() -> None:
    timetable = Timetable(sittings(), pace(), KEYS[:4])
    timetable.hold_round(np.array([1, 3]), 1)
    assert timetable.now.tolist() == [moment(x) for x in ("Mon 11:00", "Mon 12:10", "Mon 11:00", "Mon 12:10")]


# -- in whole elections ---------------------------------------------------------------------------------

QUIET = {"formalities_log_sd": 0, "round_log_sd": 0, "sits_on": 0, "opens": "2023-05-15T10:00:00"}


def minutes(race: Scenario) -> set[int]:
    return set(play(race, 5).minute.tolist())


def test_the_minute_at_which_an_election_ends() -> None:
    assert minutes(elect("AAAABB", clock=QUIET)) == {moment("Mon 12:10")}
    alone = {"name": "one-two-way", "concession": False}
    assert minutes(elect("AAABB", rules=alone, clock=QUIET)) == {moment("Mon 13:20")}  # a yes/no round takes a round
    assert minutes(elect("AAABB", clock=QUIET, rules={"name": "strict", "max_rounds": 3})) == {-1}
    assert minutes(elect("AAAABB", clock=QUIET | {"opens": "2023-05-19T17:00:00"})) == {3 * DAY + 670}  # the Monday


@pytest.mark.parametrize(
    ("consultation", "known"),
    [(0, "Mon 12:10"), (30, "Mon 12:40"), (50, "Mon 13:00"), (60, "Mon 15:00"), (300, "Mon 17:10"), (400, "Tue 10:00")],
)
def test_when_a_concession_is_known(consultation: float, known: str) -> None:
    race = elect("AAABB", behaviour=SURE, rules="until-two-thirds", clock=QUIET | {"consultation": consultation})
    assert minutes(race) == {moment(known)}


def test_a_confirmation_after_a_concession_waits_for_the_consultation() -> None:
    rules = {"concession": True, "after_concession": "confirmation"}
    race = elect("AAABB", behaviour=SURE, rules=rules, clock=QUIET | {"consultation": 240})
    assert minutes(race) == {moment("Mon 17:20")}  # known at 16:10, then a round


def test_a_night_makes_members_think_again_if_asked_to() -> None:
    """Closed minds, except after a night: the fifth round is the first of the Tuesday.

    One member is pinned to each side, so that nobody is ever elected unanimously.
    """
    closed = {"openness_fluid": 0, "openness_entrenched": 0, "openness_inf": 0, "absent": 0, "abstain": 0}
    rules = {"name": "strict", "threshold": 1, "max_rounds": 10}
    electorate = {"size": 31, "pinned": {"A": ["M1"], "B": ["M2"]}}
    still = toy(electorate=electorate, behaviour=closed, clock=QUIET, rules=rules)
    out = play(still.with_behaviour(overnight=0.8), 300)
    moved = (out.flows[:, 0, 1] + out.flows[:, 1, 0]).reshape(300, 10)
    assert moved.sum(axis=0).astype(bool).tolist() == [r in (5, 9) for r in range(1, 11)]
    assert not (play(still, 300).flows[:, 0, 1]).any()
    open_ = still.with_behaviour(openness=0.9)
    floored = play(open_.with_behaviour(overnight=0.8), 300)
    assert np.array_equal(floored.flows, play(open_, 300).flows)  # a floor, not a sum


def test_a_round_that_ends_after_midnight_is_followed_by_a_night() -> None:
    """One a day, from 10:00 to 00:40: a night lies between any two, though the date is the same."""
    table = Timetable(sittings(), pace(formalities=0, round_minutes=880), KEYS[:1])
    assert [table.hold_round(np.array([0]), r).tolist() for r in (2, 3, 4)] == [[False], [True], [True]]
    assert table.now[0] == moment("Thu 00:40")


# -- against a slow clock that knows nothing but dates -----------------------------------------------------


class SlowClock:
    """The clock of one run, by dates with time zones: one sitting after the other, one round after the other."""

    def __init__(self, clock: iom.Clock, key: np.ndarray) -> None:
        self.clock, self.key, self.zone = clock, key, ZoneInfo(clock.timezone)
        self.held: Counter[date] = Counter()
        self.last = clock.opens.date()
        spread = clock.formalities_log_sd.value * float(rng.normal(key, 0, Lane.DURATION)[0])
        self.now = self.utc(clock.opens) + timedelta(minutes=clock.formalities.value * math.exp(spread))

    def utc(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    @property
    def wall(self) -> datetime:
        return self.now.astimezone(self.zone).replace(tzinfo=None)

    def sittings(self) -> Iterator[tuple[date, datetime, datetime]]:
        clock = self.clock
        for number in range(60):
            day = clock.opens.date() + timedelta(days=number)
            if f"{day:%a}" not in clock.days or day in clock.closed:
                continue
            for place, (start, end) in enumerate(clock.sittings, 1):
                opens, closes = datetime.combine(day, start), datetime.combine(day, end)
                if closes <= opens:
                    closes += timedelta(days=1)
                if place == len(clock.sittings) and self.sits_on(number):
                    until = datetime.combine(day, clock.sits_on_until)
                    if clock.sits_on_until < min(time(12), clock.sittings[0][0]):
                        until += timedelta(days=1)
                    closes = max(closes, until)
                yield day, self.utc(opens), self.utc(closes)

    def sits_on(self, number: int) -> bool:
        return float(rng.uniform(self.key, 0, Lane.SITS_ON + 64 * number)[0]) < self.clock.sits_on.value

    def start(self) -> tuple[date, datetime]:
        first, clock = self.clock.opens.date(), self.clock
        for day, opens, closes in self.sittings():
            cap = clock.first_day if day == first and clock.first_day else clock.rounds_a_day
            begins = max(self.now, opens)
            if begins <= closes - timedelta(minutes=clock.last_call.value) and not (cap and self.held[day] >= cap):
                return day, begins
        raise AssertionError("no sitting is left")

    @property
    def too_late(self) -> bool:
        return self.clock.deadline is not None and self.start()[1] >= self.utc(self.clock.deadline)

    def hold(self, round_: int) -> bool:
        """Hold a round; return whether a night came before it."""
        day, begins = self.start()
        night, self.last = day > self.last, day
        self.held[day] += 1
        spread = self.clock.round_log_sd.value * float(rng.normal(self.key, round_, Lane.DURATION)[0])
        self.now = begins + timedelta(minutes=self.clock.round_minutes.value * math.exp(spread))
        return night

    def consult(self) -> None:
        later = self.now + timedelta(minutes=self.clock.consultation.value)
        if self.clock.consultation.value:
            day, self.now = next((day, max(later, a)) for day, a, b in self.sittings() if later <= b)
            self.last = max(self.last, day)  # the night, if there was one, was before the withdrawal


def any_clock(number: int) -> iom.Clock:
    """Return a clock with anything in it, in half of the cases around a night in which clocks are changed."""
    pick = random.Random(number)
    first = pick.choice([date(2023, 3, 24), date(2023, 10, 27), date(2023, 5, 15), date(2023, 12, 28)])
    day = first + timedelta(days=pick.randrange(3))
    sittings = pick.choice(
        [
            [(time(10), time(13)), (time(15), time(18))],
            [(time(9, 30), time(12, 15))],
            [(time(20), time(2))],
            [(time(18), time(4, 30))],
            [(time(11), time(13)), (time(21), time(3, 30))],
            [(time(0, 30), time(5)), (time(9), time(12))],
        ]
    )
    start, _ = pick.choice(sittings)
    return iom.Clock(
        opens=datetime.combine(day, start) + timedelta(minutes=pick.choice([0, 30, 61])),
        timezone=pick.choice(["Europe/Zurich", "Europe/Zurich", "America/New_York"]),
        sittings=tuple(sittings),
        days=tuple(sorted({f"{day:%a}", *pick.sample(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], 5)})),
        closed=tuple(day + timedelta(days=n) for n in pick.sample(range(1, 9), pick.choice([0, 2]))),
        sits_on_until=pick.choice([time(21), time(23, 45), time(0, 20)]),
        rounds_a_day=pick.choice([None, 0, 1, 2, 5]),
        first_day=pick.choice([None, None, 1, 3]),
        deadline=pick.choice(
            [None, datetime.combine(day + timedelta(days=pick.randrange(1, 6)), start) + timedelta(minutes=100)]
        ),
        formalities=pick.choice([1, 45, 200]),
        round_minutes=pick.choice([20, 55, 80]),
        last_call=pick.choice([0, 10, 45]),
        sits_on=pick.choice([0, 0.5]),
        consultation=pick.choice([0, 30, 240]),
    )


def disagreements(clock: iom.Clock, runs: int = 6, rounds: int = 9) -> list[str]:
    """Return in which rounds the timetable and slow clocks part, and what happened on the way."""
    pace = SimpleNamespace(**{key: q.value for key, q in clock if isinstance(q, iom.Quantity)})
    calendar, keys, found = clock.calendar(), KEYS[:runs], []
    table, slow = Timetable(calendar, pace, keys), [SlowClock(clock, keys[run : run + 1]) for run in range(runs)]
    midnight, open_ = datetime.combine(clock.opens.date(), time()), np.arange(runs)
    for round_ in range(1, rounds + 1):
        late = [run for run in open_ if slow[run].too_late]
        if open_[table.too_late(open_)].tolist() != late:
            return [f"too late for round {round_}"]
        open_ = np.setdiff1d(open_, late)
        nights = table.hold_round(open_, round_).tolist()
        expected = [slow[run].hold(round_) for run in open_]
        found += [f"night before round {round_}"] * (round_ > 1 and nights != expected)
        if round_ == 4:
            table.concessions(open_)
            for run in open_:
                slow[run].consult()
        shown = calendar.seat.shown(table.now[open_]).tolist()
        walls = [(slow[run].wall - midnight).total_seconds() / 60 for run in open_]
        found += [f"end of round {round_}"] * (not np.allclose(shown, walls, rtol=0, atol=1e-4))
    return found


@pytest.mark.parametrize("number", range(60))
def test_the_timetable_agrees_with_a_slow_clock(number: int) -> None:
    assert not disagreements(any_clock(number))


CLOCK_LIARS: dict[str, tuple[Any, str, Any]] = {
    "nothing is capped": (Calendar, "reopens", lambda self, day, held: np.full(day.shape, -np.inf)),
    "the first day is like any other": (
        Calendar, "reopens", lambda self, day, held: Calendar_reopens(replace(self, caps=self.caps[1:] * 2), day, held)
    ),
    "a ballot after midnight is the next day's": (Calendar, "day_of", lambda self, when: self.seat.shown(when) // DAY),
    "the deadline is forgotten": (Timetable, "too_late", lambda self, active: np.zeros(0, dtype=int)),
    "rounds are cut short by it": (
        Timetable, "too_late", lambda self, active: np.flatnonzero(self.starts(active) + 60 >= self.calendar.deadline)
    ),
    "clocks are never changed": (LocalTime, "shown", lambda self, passed: passed),
    "sittings do not follow the clocks": (LocalTime, "passed", lambda self, shown: np.asarray(shown, dtype=float)),
}  # fmt: skip
Calendar_reopens = Calendar.reopens


@pytest.mark.parametrize("liar", CLOCK_LIARS)
def test_a_slow_clock_sees_a_wrong_timetable(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*CLOCK_LIARS[liar])
    calendar.cache_clear()
    assert any(disagreements(any_clock(number)) for number in range(60))
    calendar.cache_clear()


# -- midnight, caps, deadlines and daylight saving by hand -----------------------------------------------


def told(rounds: int, minutes: float = 60, formalities: float = 0, last_call: float = 1, **clock: Any) -> list[str]:
    """Return when the rounds of one run end, as the clocks of the seat show it; fewer if a deadline comes first."""
    hours = {"sittings": HALVES, "formalities": formalities or 1e-9, "round_minutes": minutes}
    made = iom.Clock.model_validate(hours | clock)
    cal, still = made.calendar(), pace(formalities=formalities, round_minutes=minutes, last_call=last_call)
    table, found, one = Timetable(cal, still, KEYS[:1]), [], np.array([0])
    for round_ in range(1, rounds + 1):
        if table.too_late(one).size:
            break
        table.hold_round(one, round_)
        shown = datetime.combine(made.opens.date(), time()) + timedelta(minutes=float(cal.seat.shown(table.now)[0]))
        found.append(f"{shown:%a %H:%M}")
    return found


EVENINGS = {"opens": "2023-05-15T20:00", "sittings": [["20:00", "02:00"]]}


def test_a_sitting_passes_midnight() -> None:
    found = told(5, 100, **EVENINGS)
    assert found == ["Mon 21:40", "Mon 23:20", "Tue 01:00", "Tue 02:40", "Tue 21:40"]
    friday = told(3, 150, **EVENINGS | {"opens": "2023-05-19T20:00"})
    assert friday == ["Fri 22:30", "Sat 01:00", "Sat 03:30"]  # the Friday's sitting, though nothing sits on a Saturday
    assert told(4, 150, **EVENINGS | {"opens": "2023-05-19T20:00"})[-1] == "Mon 22:30"
    off = told(4, 150, **EVENINGS | {"closed": [date(2023, 5, 16)]})
    assert off[2:] == ["Tue 03:30", "Wed 22:30"]  # so does the sitting that began before a day off


def test_what_is_held_after_midnight_belongs_to_the_day_before() -> None:
    assert told(5, 100, rounds_a_day=4, **EVENINGS)[3:] == ["Tue 02:40", "Tue 21:40"]
    assert told(6, 100, rounds_a_day=3, **EVENINGS)[2:] == ["Tue 01:00", "Tue 21:40", "Tue 23:20", "Wed 01:00"]
    table = Timetable(iom.Clock(**EVENINGS).calendar(), pace(formalities=0, round_minutes=100, last_call=1), KEYS[:1])
    assert [bool(table.hold_round(np.array([0]), r)[0]) for r in range(1, 6)] == [False] * 4 + [True]


def test_the_chair_sits_on_until_after_midnight() -> None:
    cal = sittings(until=time(0, 30))
    assert start("Mon 23:45", cal, sits_on=1.0) == moment("Mon 23:45")
    assert start("Mon 23:46", cal, sits_on=1.0) == moment("Tue 10:00")
    late = sittings("2023-05-15 22:00", halves=((time(22), time(23, 30)),))
    assert start("Mon 22:50", late, sits_on=1.0) == moment("Tue 22:00")  # until 21:00 is not until the next day's


def test_ballots_a_day() -> None:
    """A conclave: one ballot on the first afternoon, then two in the morning and two in the afternoon."""
    halves = [["09:00", "12:30"], ["16:00", "19:30"]]
    week = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    clock = {"opens": "2025-05-07T16:00", "sittings": halves, "days": week, "rounds_a_day": 4, "first_day": 1}
    days = [when[:3] for when in told(10, 30, **clock)]
    assert days == ["Wed"] + ["Thu"] * 4 + ["Fri"] * 4 + ["Sat"]
    for first, each, expected in ((1, 0, "Wed Thu Thu Thu"), (None, 2, "Wed Wed Thu Thu"), (3, 1, "Wed Wed Wed Thu")):
        found = told(4, 30, **clock | {"first_day": first, "rounds_a_day": each})
        assert " ".join(when[:3] for when in found) == expected


def test_a_ballot_counts_for_the_day_on_which_it_starts() -> None:
    """Two of twelve hours a day, day and night from 10:00 on: the second ends as the next day begins."""
    clock = {"opens": "2023-05-15T10:00", "sittings": [["10:00", "10:00"]], "rounds_a_day": 2}
    assert told(5, 720, **clock) == ["Mon 22:00", "Tue 10:00", "Tue 22:00", "Wed 10:00", "Wed 22:00"]


def test_formalities_that_last_into_the_next_day_leave_the_first_days_cap_behind() -> None:
    clock = {"opens": "2023-05-15T10:00", "rounds_a_day": 2, "first_day": 1}
    assert [when[:3] for when in told(4, 60, formalities=500, **clock)] == ["Tue", "Tue", "Wed", "Wed"]


@pytest.mark.parametrize(
    ("deadline", "held"),
    [("10:59", 1), ("11:00", 1), ("11:01", 2), ("13:30", 3), ("15:00", 3), ("15:01", 4), ("2023-05-16T10:00", 6)],
)
def test_no_round_starts_at_or_after_the_deadline(deadline: str, held: int) -> None:
    """Rounds of an hour from 10:00 on, and from 15:00 on; one that has begun is finished."""
    whole = deadline if "-" in deadline else f"2023-05-15T{deadline}"
    assert len(told(9, opens="2023-05-15T10:00", deadline=whole)) == held


def test_the_night_in_which_the_clocks_are_put_forward() -> None:
    """02:00 becomes 03:00: a sitting from 22:00 to 04:00 has five hours, and an hour after 01:00 it is 03:00."""
    clock = {"opens": "2023-03-25T22:00", "sittings": [["22:00", "04:00"]], "days": ["Sat", "Sun"]}
    assert told(6, **clock) == ["Sat 23:00", "Sun 00:00", "Sun 01:00", "Sun 03:00", "Sun 04:00", "Sun 23:00"]
    assert told(1, 270, **clock) == ["Sun 03:30"]
    assert told(5, last_call=60, **clock)[4] == "Sun 04:00"  # at 03:00 exactly an hour is left
    later = told(11, **clock | {"opens": "2023-03-22T22:00", "days": ["Wed", "Sat"]})
    assert later[6:] == ["Sat 23:00", "Sun 00:00", "Sun 01:00", "Sun 03:00", "Sun 04:00"]  # whenever the vote began


def test_the_night_in_which_the_clocks_are_put_back() -> None:
    """03:00 becomes 02:00: the same sitting has seven hours, and 02:30 comes twice."""
    clock = {"opens": "2023-10-28T22:00", "sittings": [["22:00", "04:00"]], "days": ["Sat", "Sun"]}
    ends = ["Sat 23:00", "Sun 00:00", "Sun 01:00", "Sun 02:00", "Sun 02:00", "Sun 03:00", "Sun 04:00", "Sun 23:00"]
    assert told(8, **clock) == ends
    assert told(2, 240, **clock) == ["Sun 02:00", "Sun 05:00"]


@pytest.mark.parametrize("friday", [date(2023, 3, 24), date(2023, 10, 27), date(2023, 5, 19)])
def test_after_a_weekend_with_a_change_sittings_open_at_the_same_hour(friday: date) -> None:
    found = told(5, opens=f"{friday}T16:00", deadline=f"{friday + timedelta(days=3)}T12:00")
    assert found == ["Fri 17:00", "Fri 18:00", "Mon 11:00", "Mon 12:00"]
    assert minutes(elect("AAAABB", clock=QUIET | {"opens": f"{friday}T17:00:00"})) == {3 * DAY + 670}


def test_a_round_held_while_the_clocks_are_changed_has_its_length() -> None:
    """The minute of an outcome is what the clocks show: 23:00, formalities of an hour, and three hours of a round."""
    clock = QUIET | {"sittings": [["22:00", "05:00"]], "days": ["Sat"], "round_minutes": 180}
    for night, ended in (("2023-03-25", 24 * 60 + 240), ("2023-10-28", 24 * 60 + 120), ("2023-05-20", 24 * 60 + 180)):
        assert minutes(elect("AAAABB", clock=clock | {"opens": f"{night}T23:00:00"})) == {ended}


# -- the deadline in whole elections -----------------------------------------------------------------------


def test_what_the_deadline_leaves_open() -> None:
    """Rounds end at 12:10, 13:20, 16:10: three against three are never decided."""
    for deadline, rounds in (("10:30", 0), ("11:00", 0), ("12:10", 1), ("12:11", 2), ("15:00", 2), ("15:01", 3)):
        out = play(elect("AAABBB", clock=QUIET | {"deadline": f"2023-05-15T{deadline}:00"}), 4)
        assert set(out.rounds.tolist()) == {rounds}
        assert set(out.minute.tolist()) == set(out.winner.tolist()) == {-1}
        assert {ENDINGS[code] for code in out.ending} == {"open"}
        assert out.votes.shape == (4 * rounds, 2)


def test_who_was_elected_before_the_deadline_stays_elected() -> None:
    """Equal members who think afresh each time: cut after three rounds, the runs that end before are the same."""
    free = toy(15, behaviour=STILL | FREE, clock=QUIET)
    cut = toy(15, behaviour=STILL | FREE, clock=QUIET | {"deadline": "2023-05-15T16:00:00"})
    whole, short = play(free, 3000), play(cut, 3000)
    early = whole.rounds <= 3
    assert 0.2 < early.mean() < 0.95
    for name in ("winner", "ending", "rounds", "minute"):
        assert np.array_equal(getattr(whole, name)[early], getattr(short, name)[early])
    assert (short.rounds[~early] == 3).all()
    assert (short.ending[~early] == ENDINGS.index("open")).all()
    kept = whole.starts[:, None] + np.arange(3)
    kept = kept[np.arange(3) < np.minimum(whole.rounds, 3)[:, None]]
    assert np.array_equal(whole.votes[kept], short.votes)


def test_caps_move_the_days_and_not_the_votes() -> None:
    race = toy(15, behaviour=STILL | FREE, clock=QUIET)
    whole, slow = play(race, 500), play(race.with_clock(rounds_a_day=1), 500)
    assert np.array_equal(whole.votes, slow.votes)
    for rounds, day in enumerate((0, 1, 2, 3, 4, 7, 8, 9), 1):  # a weekend comes after the fifth
        ended = (slow.rounds == rounds) & (slow.winner >= 0)
        assert ended.any()
        assert (slow.minute[ended] // DAY == day).all()


def test_a_deadline_before_anything_can_start_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no sitting before the deadline is long enough for a round to start"):
        toy(clock={"opens": "2023-05-15T12:30:00", "deadline": "2023-05-15T13:30:00"})


# -- clocks that make no sense --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sittings": []}, "the clock never sits; give at least one sitting"),
        ({"days": []}, "the clock never sits; give at least one weekday"),
        ({"last_call": 600}, "the clock never sits: no sitting is long enough for a round to start"),
        ({"last_call": 200, "sits_on": 0}, "the clock never sits: no sitting is long enough for a round to start"),
        ({"days": ["Mon", "Tues"]}, "no weekday 'Tues'; did you mean 'Tue'?"),
        ({"opens": "2023-05-15T10:00:00+02:00"}, "opens is a local time of the seat; leave out the offset"),
        ({"round_minutes": 0}, "clock.round_minutes must be above 0 and at most 1440, got 0"),
        ({"sits_on": 1.5}, "clock.sits_on must be between 0 and 1, got 1.5"),
        ({"round_log_sd": -0.1}, "clock.round_log_sd must be between 0 and 1.5, got -0.1"),
    ],
)
def test_clocks_that_make_no_sense(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        toy(clock={"opens": "2023-05-15T10:00:00"} | change)
    assert str(error.value).startswith("scenario: clock")
    assert said in str(error.value)


def test_a_clock_that_runs_out_of_days_says_so() -> None:
    cal = sittings(days=frozenset({0}))
    with pytest.raises(ScenarioError, match="the clock ran out of sittings after 400 days; add sitting days"):
        cal.next_start(np.array([400.0 * DAY]), KEYS[:1], pace())
