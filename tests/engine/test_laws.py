"""Every law against its formula by hand, for numbers and for arrays with one entry a run."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from iomsim.engine import laws

RUNS = 7
PICK = np.random.default_rng(5)
FLUID = np.array([1, 0, 1, 1, 0, 0, 1], dtype=bool)
NIGHT = np.array([0, 0, 1, 0, 1, 0, 1], dtype=bool)
CROWDED = np.array([0, 1, 1, 0, 0, 1, 0], dtype=bool)
CONCEDED = np.array([1, 0, 0, 1, 0, 1, 1], dtype=bool)
VOTES = np.array([[80, 3, 0, 40, 60, 9, 100], [75, 90, 5, 40, 0, 9, 20], [0, 2, 170, 8, 60, 9, 3]], dtype=np.int16)

FIELDS = {
    "openness_fluid": 0.9,
    "openness_entrenched": 0.2,
    "openness_inf": 0.04,
    "decay": 0.45,
    "overnight": 0.15,
    "momentum_fluid": 3.0,
    "momentum_entrenched": 0.6,
    "momentum_field": 0.4,
    "concede_a": 1.1,
    "concede_b": 4.8,
    "yes_opponent_a": 2.2,
    "yes_opponent_b": 7.8,
    "yes_conceded_a": 3.0,
    "yes_conceded_b": 1.0,
    "round_sd": 0.15,
}
NUMBERS = SimpleNamespace(**FIELDS)
ARRAYS = SimpleNamespace(**{name: value * PICK.uniform(0.5, 1.1, RUNS) for name, value in FIELDS.items()})


def entry(b: SimpleNamespace, run: int) -> SimpleNamespace:
    """Return the numbers of one run."""
    return SimpleNamespace(**{name: float(np.broadcast_to(value, RUNS)[run]) for name, value in vars(b).items()})


# -- by hand: one run at a time, in Python's own numbers -------------------------------------------------


def openness(b: SimpleNamespace, run: int, round_: int) -> float:
    if round_ == 1:
        return 1.0
    first = b.openness_fluid if FLUID[run] else b.openness_entrenched
    omega = b.openness_inf + (first - b.openness_inf) * b.decay ** (round_ - 2)
    return max(omega, b.overnight) if NIGHT[run] else omega


def pull(b: SimpleNamespace, run: int, candidate: int) -> float:
    momentum = b.momentum_fluid if FLUID[run] else b.momentum_entrenched
    momentum *= b.momentum_field if CROWDED[run] else 1.0
    return momentum * math.log(max(float(VOTES[candidate, run]), 0.5))


@pytest.mark.parametrize("b", [NUMBERS, ARRAYS], ids=["numbers", "arrays"])
@pytest.mark.parametrize("round_", [1, 2, 3, 8])
def test_openness_decays_to_a_floor_and_a_night_is_another(b: SimpleNamespace, round_: int) -> None:
    found = laws.openness(b, FLUID, round_, NIGHT)
    assert found == pytest.approx([openness(entry(b, run), run, round_) for run in range(RUNS)], rel=1e-14)


def test_where_no_night_matters_openness_is_that_of_the_day() -> None:
    calm = SimpleNamespace(**vars(NUMBERS) | {"overnight": 0.0})
    assert np.array_equal(laws.openness(calm, FLUID, 4, NIGHT), laws.openness(calm, FLUID, 4, NIGHT & False))


@pytest.mark.parametrize("b", [NUMBERS, ARRAYS], ids=["numbers", "arrays"])
def test_the_last_tally_pulls_by_its_logarithm(b: SimpleNamespace) -> None:
    expected = [[pull(entry(b, run), run, k) for run in range(RUNS)] for k in range(3)]
    assert laws.pull(b, FLUID, CROWDED, VOTES) == pytest.approx(np.array(expected), rel=1e-14)


def test_between_two_momentum_is_whole() -> None:
    whole = SimpleNamespace(**vars(NUMBERS) | {"momentum_field": 1.0})
    between_two = laws.momentum(NUMBERS, FLUID, CROWDED & False)
    assert np.array_equal(between_two, np.where(FLUID, NUMBERS.momentum_fluid, NUMBERS.momentum_entrenched))
    assert np.array_equal(between_two, laws.momentum(whole, FLUID, CROWDED))


@pytest.mark.parametrize("b", [NUMBERS, ARRAYS], ids=["numbers", "arrays"])
def test_who_has_not_conceded_so_often_is_less_ready_to(b: SimpleNamespace) -> None:
    times = np.arange(RUNS)
    by_hand = [x.concede_a / (x.concede_a + x.concede_b + m) for m, x in ((m, entry(b, m)) for m in range(RUNS))]
    assert laws.concession(b, times) == pytest.approx(by_hand, rel=1e-15)


def test_it_is_a_readiness_drawn_once_and_never_seen() -> None:
    """P(concede at the m-th asking | not before) of a Beta(a, b) readiness, by integration."""
    h = (np.arange(200_000) + 0.5) / 200_000
    density = stats.beta.pdf(h, NUMBERS.concede_a, NUMBERS.concede_b)
    for m in (0, 1, 5):
        refused = density * (1 - h) ** m
        assert laws.concession(NUMBERS, m) == pytest.approx(float((h * refused).sum() / refused.sum()), rel=1e-5)


@pytest.mark.parametrize("b", [NUMBERS, ARRAYS], ids=["numbers", "arrays"])
def test_others_say_yes_by_a_beta_quantile_and_more_of_them_after_a_withdrawal(b: SimpleNamespace) -> None:
    u, expected = PICK.random(RUNS), []
    for run in range(RUNS):
        x = entry(b, run)
        shape = (x.yes_conceded_a, x.yes_conceded_b) if CONCEDED[run] else (x.yes_opponent_a, x.yes_opponent_b)
        expected.append(stats.beta.ppf(u[run], *shape))
    assert laws.others_yes(b, CONCEDED, u) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("b", [NUMBERS, ARRAYS], ids=["numbers", "arrays"])
def test_two_shocks_differ_by_the_stated_spread(b: SimpleNamespace) -> None:
    scale = np.broadcast_to(laws.shock_scale(b), RUNS)
    assert np.hypot(scale, scale) == pytest.approx(np.broadcast_to(b.round_sd, RUNS), rel=1e-14)


@pytest.mark.parametrize("conviction", [0.0, 1.8, np.array([0.0, 1.0, 2.5])])
def test_leans_are_scaled_up_as_hidden_conviction_flattens_them(conviction: Any) -> None:
    expected = [math.sqrt(1 + 0.346 * s * s) for s in np.atleast_1d(conviction)]
    assert np.atleast_1d(laws.conviction_scale(conviction)) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("spread", [0.0, 0.4, np.array([[0.4], [0.1]]), np.array([[0.4] * RUNS, [0.1] * RUNS])])
def test_a_campaign_is_lognormal_with_mean_one(spread: Any) -> None:
    normals = PICK.normal(size=(2, RUNS))
    s = np.broadcast_to(spread, normals.shape)
    expected = [[math.exp(s[i, j] * normals[i, j] - s[i, j] ** 2 / 2) for j in range(RUNS)] for i in range(2)]
    assert laws.campaign_effect(spread, normals) == pytest.approx(np.array(expected), rel=1e-14)


@pytest.mark.parametrize("absent", [0.05, np.linspace(0, 0.9, RUNS)])
@pytest.mark.parametrize("cross", [0.0, 0.1, np.linspace(0, 0.5, RUNS)])
def test_pressure_from_every_side_keeps_members_away(absent: Any, cross: Any) -> None:
    exposure = PICK.uniform(0, 2.5, (2, 4, 1))
    found = np.broadcast_to(laws.absence(absent, cross, exposure), (4, RUNS))
    a, c = np.broadcast_to(absent, RUNS), np.broadcast_to(cross, RUNS)
    for i in range(4):
        least = min(float(exposure[0, i, 0]), float(exposure[1, i, 0]))
        assert found[i] == pytest.approx([min(1.0, a[run] + c[run] * least) for run in range(RUNS)], rel=1e-14)
    nobody = laws.absence(absent, cross, np.zeros((0, 4, 1)))
    assert np.broadcast_to(nobody, (4, RUNS)) == pytest.approx(np.broadcast_to(np.minimum(1, a), (4, RUNS)))


def test_the_pinned_always_hand_in_a_paper() -> None:
    pinned = np.array([[True], [False]])
    assert laws.abstention(0.1, pinned).tolist() == [[0.0], [0.1]]
    assert laws.abstention(np.array([0.1, 0.2]), pinned).tolist() == [[0.0, 0.0], [0.1, 0.2]]


def test_who_leads_and_who_trails_among_those_standing() -> None:
    votes = np.array([[5, 4, 0, 2], [5, 9, 0, 3], [3, 1, 0, 1]], dtype=np.int16)
    standing = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 0]], dtype=bool)
    for law, best in ((laws.leads, max), (laws.trails, min)):
        for column, found in enumerate(law(votes, standing).T):
            there = [k for k in range(3) if standing[k, column]]
            top = best(votes[k, column] for k in there)
            assert np.flatnonzero(found).tolist() == [k for k in there if votes[k, column] == top]


# -- an array entry has the bits of the number ---------------------------------------------------------------

ONCE: dict[str, Callable[[SimpleNamespace, Any], Any]] = {
    "openness": lambda b, i: laws.openness(b, FLUID[i], 5, NIGHT[i]),
    "momentum": lambda b, i: laws.momentum(b, FLUID[i], CROWDED[i]),
    "pull": lambda b, i: laws.pull(b, FLUID[i], CROWDED[i], VOTES[:, i]),
    "concession": lambda b, i: laws.concession(b, np.arange(RUNS)[i]),
    "others_yes": lambda b, i: laws.others_yes(b, CONCEDED[i], np.linspace(0.1, 0.9, RUNS)[i]),
    "shock_scale": lambda b, i: laws.shock_scale(b) * np.ones(RUNS)[i],
    "conviction_scale": lambda b, i: laws.conviction_scale(b.momentum_fluid) * np.ones(RUNS)[i],
    "campaign_effect": lambda b, i: laws.campaign_effect(b.round_sd, np.linspace(-2, 2, RUNS)[i]),
    "absence": lambda b, i: laws.absence(b.openness_inf, b.decay, np.linspace(0, 2, RUNS)[None, None, i]),
}


@pytest.mark.parametrize("law", ONCE)
def test_an_entry_of_an_array_has_the_bits_of_the_number(law: str) -> None:
    whole = ONCE[law](ARRAYS, slice(None))
    for run in range(RUNS):
        alone = ONCE[law](entry(ARRAYS, run), slice(run, run + 1))
        assert np.array_equal(whole[..., run], np.asarray(alone)[..., 0])


def test_numbers_of_some_of_the_runs() -> None:
    mixed = SimpleNamespace(a=0.5, b=np.arange(5.0))
    chosen = laws.select(mixed, np.array([3, 1]))
    assert chosen.a == 0.5
    assert chosen.b.tolist() == [3.0, 1.0]
    assert laws.select(NUMBERS, np.array([3, 1])) is NUMBERS
    assert laws.some(0.5, slice(2)) == 0.5


def test_who_comes_back_is_level_with_the_last_of_those_voted_on() -> None:
    votes = np.array([[60, 50], [40, 0], [0, 30], [0, 0]])
    stood = np.array([[True, True], [True, False], [False, True], [False, False]])
    stands = np.array([[True, True], [True, True], [True, True], [False, True]])
    assert laws.looked_back_at(votes, stood, stands).tolist() == [[60, 50], [40, 30], [40, 30], [0, 30]]
