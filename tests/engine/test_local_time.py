"""Local time against the time zones of the standard library, and the two nights of 2023 in Zurich by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from iomsim.engine.local_time import local_time

ZONES = ("Europe/Zurich", "America/St_Johns", "Australia/Lord_Howe", "America/Havana", "Africa/Casablanca", "UTC")
DAYS = 400


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [1895, 1999, 2023, 2150])
def test_what_the_clocks_show(zone: str, year: int) -> None:
    pick = random.Random(year)
    midnight = datetime(year, 1, 1) + timedelta(days=pick.randrange(365))
    place = ZoneInfo(zone)
    origin = midnight.replace(tzinfo=place).astimezone(UTC)
    ours = local_time(midnight, zone, DAYS)
    for minute in [
        0,
        *(pick.randrange(DAYS * 1440) for _ in range(300)),
        *(int(m) + d for m in ours.at for d in (-1, 1)),
    ]:
        theirs = (origin + timedelta(minutes=minute)).astimezone(place).replace(tzinfo=None)
        shown = float(ours.shown(np.array([float(minute)]))[0])
        assert abs((theirs - midnight).total_seconds() / 60 - shown) < 1e-6
        wall = float(minute)  # and back: a time on the wall, where it comes twice the first
        passed = ((midnight + timedelta(minutes=wall)).replace(tzinfo=place).astimezone(UTC) - origin).total_seconds()
        assert abs(float(ours.passed(np.array(wall))) - passed / 60) < 1e-6


def test_two_changes_a_year_where_there_are_any() -> None:
    assert local_time(datetime(2023, 1, 1), "UTC", DAYS).at.size == 0
    assert local_time(datetime(2023, 1, 1), "Europe/Zurich", 365).jump.tolist() == [60.0, -60.0]
    assert local_time(datetime(2023, 5, 15), "Europe/Zurich", 30).at.size == 0


def test_minutes_pass_even_if_the_clocks_are_put_back() -> None:
    night = local_time(datetime(2023, 10, 29), "Europe/Zurich", 2)
    assert night.shown(np.array([0.0, 119.5, 179.5, 180.0, 240.0])).tolist() == [0.0, 119.5, 179.5, 120.0, 180.0]
    assert night.passed(np.array([119.5, 150.0, 180.0])).tolist() == [119.5, 150.0, 240.0]
    lengths = night.passed(np.arange(0, 600, 60.0))
    assert [b - a for a, b in pairwise(lengths.tolist())] == [60, 60, 120, 60, 60, 60, 60, 60, 60]


def test_an_hour_is_left_out_in_spring() -> None:
    night = local_time(datetime(2023, 3, 26), "Europe/Zurich", 2)
    assert night.shown(np.array([119.0, 120.0, 600.0])).tolist() == [119.0, 180.0, 660.0]
    assert night.passed(np.array([119.0, 150.0, 180.0, 240.0])).tolist() == [119.0, 150.0, 120.0, 180.0]


def test_a_day_that_begins_at_one() -> None:
    """In Havana the clocks were put forward at midnight: 12 March 2023 began at 01:00."""
    assert local_time(datetime(2023, 3, 12), "America/Havana", 2).shown(np.array([0.0, 30.0])).tolist() == [60.0, 90.0]


def test_without_a_change_nothing_is_computed() -> None:
    minutes = np.array([10.0, 20.0])
    assert local_time(datetime(2023, 5, 15), "Europe/Zurich", DAYS).shown(minutes) is minutes
