"""What announced times say about the clocks, against clocks that happened to agree with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import iomsim as iom
from iomsim.election_day.clocks import (
    Clocks,
    after_consultation,
    hold_round,
    initial_clocks,
    log_agreement,
    log_density_of_end,
    renew_keys,
    set_to,
)
from iomsim.election_day.conditioning import weights
from iomsim.engine.clock import sits_late
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
    assert np.array_equal(after.now, np.where(late, 1130.0, 1440.0 + 600))
