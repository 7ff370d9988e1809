"""What is believed about a number: its quantiles on every link, and how they move with a what-if."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from statistics import NormalDist

import numpy as np
import pytest

import iomsim as iom
from iomsim.model import links
from iomsim.model.links import LINKS, limits, link_of, quantile, shifted
from iomsim.model.quantities import LOG_ODDS, PROBABILITIES, STRENGTHS, WEIGHTS, Bounds, Parameter, Quantity
from iomsim.typing import Floats

CASES = {
    "probability": (PROBABILITIES, Quantity(value=0.55, low=0.37, high=0.83)),
    "small probability": (PROBABILITIES, Quantity(value=1e-3, low=1e-9, high=0.9)),
    "strength": (STRENGTHS, Quantity(value=0.6, low=0.2, high=1.0)),
    "spread of many orders": (STRENGTHS, Quantity(value=1e-3, low=1e-9, high=1e5)),
    "log-odds": (LOG_ODDS, Quantity(value=-0.1, low=-0.7, high=0.2)),
    "weight": (WEIGHTS, Quantity(value=1.5, low=1.0, high=3.0)),
    "negative weight": (WEIGHTS, Quantity(value=-1.5, low=-3.0, high=0.5)),
    "weight from 0": (WEIGHTS, Quantity(value=0.4, low=0.0, high=1.0)),
    "low at the edge": (PROBABILITIES, Quantity(value=0.25, low=0.0, high=0.7)),
    "value at the edge": (PROBABILITIES, Quantity(value=0.0, low=0.0, high=0.11)),
    "high at the edge": (PROBABILITIES, Quantity(value=0.9, low=0.6, high=1.0)),
    "strength down to 0": (STRENGTHS, Quantity(value=0.3, low=0.0, high=0.5)),
    "nothing below": (STRENGTHS, Quantity(value=0.3, low=0.3, high=0.5)),
    "nothing above": (PROBABILITIES, Quantity(value=0.3, low=0.1, high=0.3)),
    "known": (PROBABILITIES, Quantity(value=0.3, low=0.3, high=0.3)),
}
LEVELS = np.concatenate([[1e-15, 1e-6], np.linspace(0.001, 0.999, 999), [1 - 1e-6, 1 - 1e-15]])
Kernel = Callable[[Quantity, Bounds, Floats], Floats]


def shipped() -> Iterator[Parameter]:
    for name in ("geneva-2023", "iom-2018", "minimal"):
        yield from iom.load(name)._parameters.values()


def law_holds(kernel: Kernel) -> bool:
    """Return whether a kernel has the quantiles of the two-piece normal, for every case and every shipped number."""
    numbers = itertools.chain(CASES.values(), ((one.bounds, one.quantity) for one in shipped()))
    return all(_right(kernel, bounds, quantity) for bounds, quantity in numbers)


def _right(kernel: Kernel, bounds: Bounds, quantity: Quantity) -> bool:
    ends = [quantity.low, quantity.value, quantity.high]
    if not np.allclose(kernel(quantity, bounds, np.array([0.1, 0.5, 0.9])), ends, rtol=1e-9, atol=1e-12):
        return False
    drawn = kernel(quantity, bounds, LEVELS)
    steps = np.diff(drawn)
    return bool((steps >= 0).all() and bounds.fit(drawn).all())


@pytest.mark.parametrize("name", CASES)
def test_the_range_is_the_middle_80_percent_around_the_median(name: str) -> None:
    bounds, quantity = CASES[name]
    assert _right(quantile, bounds, quantity)
    assert quantile(quantity, bounds, 0.5) == quantity.value  # to the bit


def test_so_it_is_for_every_number_of_the_shipped_scenarios() -> None:
    assert law_holds(quantile)


def _one_side(q: Quantity, bounds: Bounds, u: Floats) -> Floats:
    """Take one spread for both sides."""
    link = link_of(bounds, q.value, q.low, q.high)
    z = np.array([NormalDist().inv_cdf(x) for x in u]) / links.Z90
    return np.clip(link.back(link.to(q.value) + z * (link.to(q.high) - link.to(q.low)) / 2), bounds.least, bounds.high)


def _swapped(q: Quantity, bounds: Bounds, u: Floats) -> Floats:
    """Take each side's spread on the other side."""
    link = link_of(bounds, q.value, q.low, q.high)
    z = np.array([NormalDist().inv_cdf(x) for x in u]) / links.Z90
    s = np.where(z > 0, link.to(q.value) - link.to(q.low), link.to(q.high) - link.to(q.value))
    return np.clip(link.back(link.to(q.value) + z * s), bounds.least, bounds.high)


def _unclipped(q: Quantity, bounds: Bounds, u: Floats) -> Floats:
    return quantile(q, Bounds(bounds.words, -np.inf, np.inf, link=bounds.link), u)


@pytest.mark.parametrize("liar", [_one_side, _swapped, _unclipped])
def test_wrong_laws_are_rejected(liar: Kernel) -> None:
    assert not law_holds(liar)


@pytest.mark.parametrize("wrong", [1.2, 1.645, 1.96])
def test_another_level_of_the_range_is_rejected(monkeypatch: pytest.MonkeyPatch, wrong: float) -> None:
    monkeypatch.setattr(links, "Z90", wrong)
    assert not law_holds(quantile)


def test_quantiles_between_the_ends_are_those_of_the_two_piece_normal() -> None:
    q, normal = Quantity(value=0.6, low=0.2, high=1.0), NormalDist()
    for u in (0.01, 0.25, 0.6, 0.75, 0.99):
        z = normal.inv_cdf(u) / normal.inv_cdf(0.9)
        by_hand = 0.6 * (0.6 / 0.2) ** z if z < 0 else 0.6 * (1.0 / 0.6) ** z
        assert quantile(q, STRENGTHS, u) == pytest.approx(by_hand, rel=1e-12)
    odds = quantile(Quantity(value=0.5, low=0.2, high=0.9), PROBABILITIES, normal.cdf(2 * normal.inv_cdf(0.9)))
    assert odds / (1 - odds) == pytest.approx(81, rel=1e-9)  # two ranges up: odds of 9, squared


def test_what_lies_beyond_the_bounds_is_clipped_to_them() -> None:
    bounds, q = CASES["low at the edge"]
    drawn = quantile(q, bounds, LEVELS)
    assert (drawn[LEVELS < 0.0999] == 0).all()
    assert (drawn[LEVELS > 0.101] > 0).all()
    weight = quantile(CASES["weight from 0"][1], WEIGHTS, LEVELS)
    assert weight.min() == 0  # no campaign works backwards unless somebody says so
    assert quantile(CASES["negative weight"][1], WEIGHTS, LEVELS).min() < -3
    minutes = Bounds("above 0 and at most 1440", 0, 1440, without_low=True, link="log")
    far = quantile(Quantity(value=1e-200, low=1e-300, high=1440), minutes, np.array([1e-15, 1 - 1e-15]))
    assert far[0] > 0
    assert far[1] == 1440
    assert (quantile(Quantity(value=1.0, low=1e-300, high=1e6), STRENGTHS, LEVELS) <= 1e6).all()


def test_a_known_number_does_not_vary_and_one_side_may_be_known() -> None:
    assert set(quantile(*reversed(CASES["known"]), LEVELS)) == {0.3}
    below, above = (quantile(*reversed(CASES[name]), LEVELS) for name in ("nothing below", "nothing above"))
    assert set(below[LEVELS <= 0.5]) == {0.3}
    assert (below[LEVELS > 0.51] > 0.3).all()
    assert set(above[LEVELS >= 0.5]) == {0.3}
    assert (above[LEVELS < 0.49] < 0.3).all()


def test_every_parameter_has_the_link_of_its_kind() -> None:
    race = iom.load("geneva-2023")
    kinds = {
        "behaviour.secrecy": "logit",
        "behaviour.decay": "logit",
        "behaviour.conviction": "log",
        "behaviour.momentum_fluid": "identity",
        "behaviour.momentum_field": "log",
        "behaviour.concede_b": "log",
        "sponsors.Washington.strength": "log",
        "sponsors.Washington.spread": "log",
        "clock.round_minutes": "log",
        "clock.round_log_sd": "log",
        "clock.last_call": "log",
        "clock.sits_on": "logit",
    }
    assert {path: race._parameters[path].bounds.link for path in kinds} == kinds
    for path, one in race._parameters.items():
        assert one.bounds.link in LINKS
        if ".exposure." in path or path.endswith((".appeal", ".log_odds")):
            assert one.bounds.link == ("log" if ".exposure." in path else "identity")


# -- what-ifs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("value", [0.02, 0.5, 0.97])
def test_a_shifted_range_is_as_wide_on_the_link_scale(name: str, value: float) -> None:
    bounds, q = CASES[name]
    low, high = shifted(q, bounds, value)
    assert bounds.least <= low <= value <= high <= bounds.high
    link = link_of(bounds, q.value, q.low, q.high)
    least, most = limits(bounds, q.low, q.high)
    for end, was in ((low, q.low), (high, q.high)):
        if least < end < most:
            assert link.to(end) - link.to(value) == pytest.approx(link.to(was) - link.to(q.value), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["probability", "strength", "log-odds", "weight", "nothing below"])
def test_there_and_back_the_range_is_what_it_was(name: str) -> None:
    bounds, q = CASES[name]
    low, high = shifted(q, bounds, 0.61)
    back = shifted(Quantity(value=0.61, low=low, high=high), bounds, q.value)
    assert back == pytest.approx((q.low, q.high), rel=1e-9)


def test_a_number_set_to_the_end_of_its_scale_is_known() -> None:
    assert shifted(CASES["strength"][1], STRENGTHS, 0.0) == (0.0, 0.0)
    assert shifted(CASES["probability"][1], PROBABILITIES, 1.0) == (1.0, 1.0)
    assert shifted(CASES["probability"][1], PROBABILITIES, 0.0) == (0.0, 0.0)
    assert shifted(CASES["log-odds"][1], LOG_ODDS, 0.0) == pytest.approx((-0.6, 0.3))  # 0 is nothing special there
    assert shifted(CASES["value at the edge"][1], PROBABILITIES, 0.0) == (0.0, 0.11)  # not moved at all


def test_a_shift_is_clipped_to_the_bounds() -> None:
    assert shifted(CASES["low at the edge"][1], PROBABILITIES, 0.9) == (0.65, 1.0)
    assert shifted(CASES["strength"][1], STRENGTHS, 9e5)[1] == 1e6
    assert shifted(CASES["weight from 0"][1], WEIGHTS, 0.2) == (0.0, 0.8)
