"""From minutes to dates: sittings, last call, nights, weekends and closed days, by hand."""

from __future__ import annotations

from datetime import date, datetime, time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from toys import ALPHA, elect, fit, play, proportion, toy

from iomsim.engine import rng
from iomsim.engine.clock import DAY, Calendar, Timetable, calendar, minute_of
from iomsim.errors import ScenarioError
from iomsim.model.scenario import Scenario

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
