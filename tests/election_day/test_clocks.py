"""What announced times say about the clocks, against clocks that happened to agree with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import night_of, toy

import iomsim as iom
from iomsim.election_day.clocks import (
    Clocks,
    after_consultation,
    hold_round,
    initial_clocks,
    log_agreement,
    log_density_of_end,
    log_in_time,
    renew_keys,
    set_to,
    with_round_today,
)
from iomsim.election_day.conditioning import weights
from iomsim.engine.clock import Ballots, sits_late
from iomsim.engine.plan import Plan
from iomsim.typing import Floats

CLOCKS = 200_000


def plan(**clock: Any) -> Plan:
    return iom.load("geneva-2023").with_clock(**clock).plan


def clocks(size: int = CLOCKS) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 2**64, size, dtype=np.uint64)


@pytest.mark.parametrize("minute", [680.0, 740.0, 775.0])
def test_clocks_are_sorted_as_if_the_others_were_thrown_away(minute: float) -> None:
    """By when the formalities ended: a round that took long had begun early."""
    race = plan(formalities_log_sd=0.5)
    before = initial_clocks(race, clocks())
    after = hold_round(race, before, 1)
    agree = np.abs(after.now - minute) < 4
    w = weights(log_density_of_end(race, before, minute))
    assert agree.sum() > 1000
    error = before.now[agree].std() / np.sqrt(agree.sum())
    assert w @ before.now == pytest.approx(before.now[agree].mean(), abs=4 * error + 0.2)
    assert w @ before.now**2 == pytest.approx((before.now[agree] ** 2).mean(), rel=0.01)


def test_they_learn_whether_the_chair_sits_on() -> None:
    race = plan(formalities=430, formalities_log_sd=0.1, sits_on=0.25)
    before = initial_clocks(race, clocks())
    after = hold_round(race, before, 1)
    agree = np.abs(after.now - 1100) < 8
    late = sits_late(before.keys, np.zeros(CLOCKS), 0.25)
    sat_on = late[agree].mean()
    assert 0.3 < sat_on < 0.9
    assert weights(log_density_of_end(race, before, 1100.0)) @ late == pytest.approx(sat_on, abs=0.03)


@pytest.mark.parametrize("sits_on", [0.0, 0.25, 1.0])
def test_a_clock_is_renewed_but_remembers_today(sits_on: float) -> None:
    keys, day = clocks(5000), np.zeros(5000)
    new = renew_keys(np.random.default_rng(1), keys, day, sits_on)
    assert (new != keys).all()
    assert np.array_equal(sits_late(new, day, sits_on), sits_late(keys, day, sits_on))
    tomorrow = sits_late(new, day + 1, sits_on)
    assert tomorrow.mean() == pytest.approx(sits_on, abs=0.03)


def announced(minute: float, log_weight: Floats, keys: np.ndarray) -> Clocks:
    return set_to(np.random.default_rng(1), plan(), Clocks(keys, np.full(keys.size, 600.0)), log_weight, minute)


def test_known_times_are_the_same_on_all_clocks() -> None:
    keys = clocks(4000)
    late = sits_late(keys, np.zeros(4000), 0.25)
    hours = announced(740.0, np.where(late, 0.0, -np.inf), keys)
    assert (hours.now == 740.0).all()
    assert sits_late(hours.keys, np.zeros(4000), 0.25).all()
    nothing = announced(740.0, np.full(4000, -np.inf), keys)
    assert sits_late(nothing.keys, np.zeros(4000), 0.25).mean() == late.mean()


def test_an_adjournment_shows_when_the_room_meets() -> None:
    race, keys = plan(), clocks(2000)
    late = sits_late(keys, np.zeros(2000), 0.25)
    hours = Clocks(keys, np.full(2000, 1070.0))
    assert np.array_equal(np.isfinite(log_agreement(race, hours, 1140.0)), late)  # 19:00
    assert np.isfinite(log_agreement(race, hours, 1440.0 + 600)).all()  # Tuesday 10:00
    assert np.isfinite(log_agreement(race, hours, 1440.0 + 540)).all()  # Tuesday 09:00, when nobody meets
    mixed = Clocks(keys, np.where(late, 800.0, 950.0))
    assert np.array_equal(np.isfinite(log_agreement(race, mixed, 900.0)), late)  # the round was over by 15:00


def test_without_spread_a_time_teaches_only_that_the_round_had_begun() -> None:
    race = plan(round_log_sd=0.0)
    hours = initial_clocks(race, clocks(2000))
    found = log_density_of_end(race, hours, 665.0)
    assert np.array_equal(np.isfinite(found), hours.now < 665.0)
    assert set(found[np.isfinite(found)]) == {0.0}


def test_consultation() -> None:
    race, keys = plan(consultation=60.0), clocks(500)
    late = sits_late(keys, np.zeros(500), 0.25)
    after = after_consultation(race, Clocks(keys, np.full(500, 1070.0)))
    assert np.array_equal(after.now, np.where(late, 1130.0, 1440.0 + 540))


# -- caps, deadlines, sittings past midnight, daylight saving -------------------------------------------


def held(race: Plan, hours: Clocks, *ends: float | None) -> Clocks:
    """Return the clocks after rounds that end at announced minutes, or at any (None)."""
    for round_, minute in enumerate(ends, 1):
        if minute is None:
            hours = hold_round(race, hours, round_)
        else:
            weight = log_density_of_end(race, hours, minute)
            hours = with_round_today(race, set_to(np.random.default_rng(round_), race, hours, weight, minute))
    return hours


def test_a_full_day_teaches_that_the_next_round_is_tomorrows() -> None:
    race = plan(rounds_a_day=2, sits_on=0.0)
    two = held(race, initial_clocks(race, clocks(500)), 725.0, 790.0)  # 12:05 and 13:10: there is time for a third
    assert two.ballots is not None
    assert set(two.ballots.held) == {2}
    assert not np.isfinite(log_density_of_end(race, two, 1000.0)).any()
    assert np.isfinite(log_density_of_end(race, two, 1440.0 + 665)).all()
    assert (hold_round(race, two, 3).now > 1440 + 540).all()
    three = hold_round(race, held(race, two, 1440.0 + 665), 4)
    assert three.ballots is not None
    assert set(three.ballots.held) == {2}
    uncapped = plan(sits_on=0.0)
    assert initial_clocks(uncapped, clocks(5)).ballots is None
    assert np.isfinite(log_density_of_end(uncapped, Clocks(two.keys, two.now), 1000.0)).all()


def test_nobody_meets_for_a_ballot_on_a_full_day() -> None:
    race = plan(rounds_a_day=1, sits_on=0.0)
    one = held(race, initial_clocks(race, clocks(500)), 740.0)
    mixed = Clocks(one.keys, one.now, Ballots(one.ballots.day, np.arange(500) % 2))  # type: ignore[union-attr]
    assert np.array_equal(np.isfinite(log_agreement(race, mixed, 900.0)), np.arange(500) % 2 == 0)


def test_copies_of_clocks_keep_their_ballots_apart() -> None:
    race = plan(rounds_a_day=2)
    one = initial_clocks(race, clocks(50))
    two = hold_round(race, one, 1)
    assert one.ballots is not None
    assert two.ballots is not None
    assert (set(one.ballots.held), set(two.ballots.held)) == ({0}, {1})


def test_a_round_that_is_held_began_before_the_deadline() -> None:
    race = plan(deadline="2023-05-15T11:10", formalities_log_sd=0.5)
    one = hold_round(race, initial_clocks(race, clocks(2000)), 1)
    in_time = np.isfinite(log_in_time(race, one))
    assert np.array_equal(in_time, one.now < 670)
    assert 0.2 < in_time.mean() < 0.8
    late = Clocks(one.keys, np.full(2000, 680.0))
    assert np.isfinite(log_in_time(race, late)).all()  # somebody has put it off
    assert not np.isfinite(log_density_of_end(race, late, 750.0)).any()
    assert not log_in_time(plan(), one).any()


def test_after_midnight_the_chair_s_decision_of_the_evening_holds() -> None:
    race = plan(opens="2023-05-15T20:00", sittings=[["20:00", "00:30"]], sits_on_until="03:00", sits_on=0.5)
    keys = clocks(4000)
    late = sits_late(keys, np.zeros(4000), 0.5)
    hours = Clocks(keys, np.full(4000, 1430.0))
    after = set_to(np.random.default_rng(2), race, hours, np.where(late, 0.0, -np.inf), 1440.0 + 60)
    assert sits_late(after.keys, np.zeros(4000), 0.5).all()
    assert 0.45 < sits_late(after.keys, np.ones(4000), 0.5).mean() < 0.55
    assert np.isfinite(log_density_of_end(race, after, 1440.0 + 130)).all()


def test_announced_times_are_those_of_the_clocks_on_the_wall() -> None:
    """In the night to 26 March 2023 a round from 01:30 on that ends at 03:40 has taken 70 minutes, not 130."""
    spring = {"opens": "2023-03-25T22:00", "sittings": [["22:00", "05:00"]], "days": ["Sat", "Mon"]}
    race = plan(**spring, round_log_sd=0.1)
    hours = set_to(np.random.default_rng(1), race, initial_clocks(race, clocks(10)), np.zeros(10), 1440.0 + 90)
    density = [log_density_of_end(race, hours, 1440.0 + minute)[0] for minute in (200, 220, 240)]
    assert max(density) == density[1]
    end = set_to(np.random.default_rng(1), race, hours, np.zeros(10), 1440.0 + 220)
    assert set(end.now - hours.now) == {70.0}
    assert set(race.calendar.seat.shown(end.now)) == {1440.0 + 220}


# -- in a whole day ------------------------------------------------------------------------------------


def day(**clock: Any) -> iom.ElectionDay:
    return night_of(toy(9, clock={"opens": "2023-05-15T10:00:00"} | clock, behaviour={"overnight": 0.5}), 400, seed=3)


@pytest.mark.parametrize(
    ("clock", "times", "nights"),
    [
        ({}, ("12:20", "17:20", "Tuesday 11:00", "Tuesday 12:10"), [False, False, True, False]),
        ({"sits_on_until": "23:45"}, ("23:00", "Tuesday 00:40", "Tuesday 11:00"), [False, False, True]),
        (
            {"opens": "2023-05-15T20:00:00", "sittings": [["20:00", "02:00"]]},
            ("21:00", "23:40", "Tuesday 01:00", "Tuesday 02:20", "Tuesday 21:30", "Wednesday 00:20"),
            [False, False, False, False, True, False],
        ),
        ({"rounds_a_day": 1}, ("12:20", "Tuesday 11:00"), [False, True]),
    ],
)
def test_before_which_rounds_a_night_came(clock: dict[str, Any], times: tuple[str, ...], nights: list[bool]) -> None:
    told = day(**clock)
    for at in times:
        told.announce(A=5, B=4, at=at)
    found = [set(observed.night.tolist()) for observed in told.state.particles.rounds]
    assert found[1:] == [{night} for night in nights[1:]]


def test_the_cap_of_a_day_is_remembered_from_round_to_round() -> None:
    told = day(rounds_a_day=2, sits_on=0)
    for known, coming in (("12:05", 15), ("13:15", 16), ("Tuesday 11:10", 16), ("Tuesday 12:10", 17)):
        told.announce(A=5, B=4, at=known)
        ended = told.forecast().runs.query("rounds > @told.state.round_")["ended_at"].dropna()
        assert ended.min().day == coming
    told = day(rounds_a_day=2, sits_on=0)
    for _ in range(4):
        told.announce(A=5, B=4)
    assert told.forecast().runs["ended_at"].dropna().min().day == 17


def test_the_deadline_on_an_election_day() -> None:
    told = day(deadline="2023-05-15T15:00:00", round_minutes=60)
    before = told.forecast()
    told.announce(A=5, B=4, at="12:00")
    after = told.forecast()
    assert before.runs["rounds"].max() <= 3
    assert set(after.runs["rounds"]) <= {1, 2, 3}
    unfinished = [float(fc.endings().loc[("open", "no winner"), "probability"]) for fc in (before, after)]
    assert 0 < unfinished[0] < unfinished[1] < 1
    told.announce(A=5, B=4, at="13:05")  # the next would start at 15:00
    assert told.forecast().endings().loc[("open", "no winner"), "probability"] == 1
    told.announce(A=7, B=2, at="16:05")  # the chair has put it off
    assert told.forecast().answer() == "It is over: A is elected by majority after three rounds, on Monday at 16:05."
