"""Intervals against scipy, and probabilities in words."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from iomsim.forecasting import estimates
from iomsim.forecasting.estimates import Estimate, in_100, in_words, wilson
from iomsim.house_style import thousands


@pytest.mark.parametrize(("hits", "runs"), [(0, 1), (1, 1), (0, 100), (100, 100), (1, 30), (38, 100), (5000, 10_000)])
def test_intervals_are_wilsons(hits: int, runs: int) -> None:
    theirs = stats.binomtest(hits, runs).proportion_ci(0.95, method="wilson")
    low, high = wilson(hits, runs)
    assert (float(low), float(high)) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    e = Estimate.of(hits, runs)
    assert (e.low, e.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert e.low <= e.value <= e.high


def test_intervals_of_many_at_once() -> None:
    low, high = wilson(np.array([0, 5, 10]), 10)
    assert low[0] == 0.0
    assert high[2] == 1.0
    assert (low[1], high[1]) == (Estimate.of(5, 10).low, Estimate.of(5, 10).high)


@pytest.mark.parametrize(
    ("p", "half_width", "said"),
    [
        (0.38, 0.0, "38"),
        (0.384, 0.01, "38"),
        (0.386, 0.03, "39"),
        (0.38, 0.05, "about 40"),
        (0.33, 0.05, "about 35"),
        (0.38, 0.1, "about 40"),
        (0.01, 0.05, "about 5"),
        (0.99, 0.1, "about 90"),
        (0.005, 0.0, "1"),
        (0.0049, 0.0, "<1"),
        (0.0, 0.0, "<1"),
        (0.995, 0.0, "99"),
        (0.996, 0.0, ">99"),
        (1.0, 0.0, ">99"),
        (0.0, 0.0185, "<4"),  # none of a hundred runs
        (1.0, 0.0185, ">96"),
        (0.0, 0.0019, "<1"),  # none of a thousand
        (0.0, 0.4, "<80"),
        (0.0, 0.5, "<99"),
    ],
)
def test_no_more_digits_than_the_error_supports(p: float, half_width: float, said: str) -> None:
    assert in_100(p, half_width) == said


@pytest.mark.parametrize("runs", [1, 7, 100, 1000, 10_000])
def test_what_is_said_is_never_zero_or_a_hundred_and_lies_near_its_interval(runs: int) -> None:
    for hits in {0, 1, runs // 2, runs - 1, runs}:
        e = Estimate.of(hits, runs)
        number = int(re.findall(r"\d+", str(e))[0])
        assert 1 <= number <= 99
        assert str(e).endswith(" in 100")
        if str(e)[0] == "<":
            assert number >= min(100 * e.high, 99) - 0.5 or number == 1
        elif str(e)[0] == ">":
            assert number <= max(100 * e.low, 1) + 0.5 or number == 99
        else:
            assert 100 * e.low - 5.5 <= number <= 100 * e.high + 5.5


def test_an_estimate() -> None:
    e = Estimate.of(3800, 10_000)
    assert float(e) == 0.38
    assert str(e) == "38 in 100"
    assert e.span == "37 to 39 in 100"
    assert e.half_width == pytest.approx(0.0095, abs=1e-4)
    assert e == Estimate.of(3800, 10_000)
    assert e.runs == 10_000
    with pytest.raises(AttributeError):
        e.value = 1.0  # type: ignore[misc]


def test_a_table_in_words() -> None:
    table = pd.DataFrame({"probability": [0.0, 0.5], "low": [0.0, 0.4], "high": [0.1, 0.6]}, index=["a", "b"])
    assert in_words(table).to_dict("list") == {
        "in 100": ["<10", "about 50"],
        "95 % (Monte Carlo)": ["<1 to 10", "40 to 60"],
    }


def test_thousands_are_apart() -> None:
    assert thousands(1234567) == "1\u202f234\u202f567"
    assert thousands(999) == "999"


def test_a_narrow_interval_is_told_with_a_decimal() -> None:
    e = Estimate.of(31_111, 100_000)
    assert e.span == "30.8 to 31.4 in 100"
    assert Estimate.of(0, 100_000).span == "<0.1 in 100"


def test_the_widest_interval_decides_whether_there_are_decimals() -> None:
    shown = in_words(estimates.table([8, 500], 1000, ["narrow", "wide"]))
    assert shown["95 % (Monte Carlo)"].tolist() == ["<1 to 2", "47 to 53"]
    shown = in_words(estimates.table([20, 80], 10_000, ["narrow", "wider"]))
    assert shown["95 % (Monte Carlo)"].tolist() == ["0.1 to 0.3", "0.6 to 1.0"]
