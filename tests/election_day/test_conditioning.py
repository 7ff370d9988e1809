"""Members drawn given their sums, against the enumeration of all there is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from laws import exact
from numpy.typing import NDArray
from scipy import stats
from toys import ALPHA, slow_but

from iomsim.election_day import conditioning
from iomsim.election_day.conditioning import distribution, partial_sums, sample_sum, sample_votes

Q = np.array([0.05, 0.3, 0.5, 0.9, 1.0, 0.0])
"""Members who are not alike, one certain and one impossible."""

PARTICLES = 40_000


def subsets(q: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """Return the probability of every set of members."""
    sets = product((0, 1), repeat=len(q))
    return {s: float(np.prod([p if x else 1 - p for p, x in zip(q, s, strict=True)])) for s in sets}


def fits(drawn: NDArray[Any], law: dict[tuple[int, ...], float], w: NDArray[np.float64]) -> float:
    """Return the p-value of the test that weighted draws (in columns) follow a law given up to a factor."""
    found = dict.fromkeys(law, 0.0)
    for column, weight in zip(drawn.T.tolist(), w.tolist(), strict=True):
        found[tuple(map(int, column))] += weight
    total, size = sum(law.values()), w.sum() ** 2 / (w**2).sum()
    cells = [(found[key] / w.sum() * size, p / total * size) for key, p in law.items() if p > 0]
    if any(found[key] for key, p in law.items() if p <= 0):
        return 0.0
    seen, expected = map(np.array, zip(*cells, strict=True))
    if len(cells) == 1:
        return 1.0
    return float(stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue)


@pytest.mark.slow
@pytest.mark.parametrize(("bottom", "top"), [(3, 3), (2, 4), (1, 1), (0, 6)])
def test_who_was_drawn_given_the_sum(bottom: int, top: int) -> None:
    rng = np.random.default_rng(1)
    q = np.repeat(Q[:, None], PARTICLES, axis=1)
    drawn = sample_sum(rng, q, np.full(PARTICLES, bottom), np.full(PARTICLES, top))
    law = {s: p * (bottom <= sum(s) <= top) for s, p in subsets(Q).items()}
    assert np.exp(drawn.log_chance) == pytest.approx(sum(law.values()), rel=1e-12)
    assert fits(drawn.chosen, law, np.ones(PARTICLES)) > ALPHA


@pytest.mark.slow
@pytest.mark.parametrize(("bottom", "top"), slow_but([(1, 1), (4, 4), (1, 2), (4, 6)], (4, 4), (1, 2)))
def test_far_sums_follow_the_same_law(bottom: int, top: int) -> None:
    """The way that is taken where chances are too small for a double, where they are not."""
    rng, q = np.random.default_rng(2), np.repeat(Q[:, None], PARTICLES, axis=1)
    drawn = conditioning._far_sum(rng, q, np.full(PARTICLES, bottom), np.full(PARTICLES, top))
    law = {s: p * (bottom <= sum(s) <= top) for s, p in subsets(Q).items()}
    assert np.exp(drawn.log_chance) == pytest.approx(sum(law.values()), rel=1e-9)
    assert fits(drawn.chosen, law, np.ones(PARTICLES)) > ALPHA


@pytest.mark.parametrize(("bottom", "top"), [(947, 947), (950, 1000), (1007, 1008)])
def test_chances_that_no_double_holds(bottom: int, top: int) -> None:
    """947 of 1008 electors hand in no valid paper, each with a chance of one in ten."""
    q, numbers = np.full((1008, 1), 0.1), (np.full(3, bottom), np.full(3, top))
    drawn = sample_sum(np.random.default_rng(1), q, *numbers)
    law = stats.binom.logpmf(np.arange(bottom, top + 1), 1008, 0.1)
    assert law.max() < -1400
    assert drawn.log_chance == pytest.approx(np.logaddexp.reduce(law), rel=1e-9)
    assert ((drawn.chosen.sum(axis=0) >= bottom) & (drawn.chosen.sum(axis=0) <= top)).all()
    assert not np.isfinite(sample_sum(np.random.default_rng(1), np.zeros((1008, 1)), *numbers).log_chance).any()


def test_one_column_serves_all_worlds() -> None:
    number = np.array([1, 2, 3, 4])
    one = sample_sum(np.random.default_rng(3), Q[:, None], number, number)
    many = sample_sum(np.random.default_rng(3), np.repeat(Q[:, None], 4, axis=1), number, number)
    assert np.array_equal(one.chosen, many.chosen)
    assert one.chosen.sum(axis=0).tolist() == [1, 2, 3, 4]


def test_what_cannot_be_has_no_chance() -> None:
    numbers = np.array([0, 1, 5, 6, 7, -1])
    drawn = sample_sum(np.random.default_rng(1), np.repeat(Q[:, None], 6, axis=1), numbers, numbers)
    assert np.isfinite(drawn.log_chance).tolist() == [False, True, True, False, False, False]


def test_the_table_is_the_poisson_binomial_law() -> None:
    q = np.random.default_rng(2).random((40, 3))
    assert partial_sums(q, 40)[-1] == pytest.approx(exact.poisson_binomial(q), rel=1e-12)
    assert partial_sums(q, 7)[-1] == pytest.approx(exact.poisson_binomial(q)[:8], rel=1e-12)


# -- who voted for whom ------------------------------------------------------------------------------

LEANS = np.array(
    [[0.7, 0.1, 0.6, 0.2, 0.5], [0.2, 0.3, 0.3, 0.1, 0.4], [0.1, 0.6, 0.1, 0.7, 0.1]]
)  # five members, three candidates, and very different from each other


def tables(k: int, low: tuple[int, ...], high: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """Return the probability of every way to vote with tallies in bounds."""
    chance = LEANS if k == 3 else np.stack([LEANS[0], 1 - LEANS[0]])
    law = {}
    for papers in product(range(k), repeat=5):
        counts = [papers.count(c) for c in range(k)]
        inside = all(a <= n <= b for a, n, b in zip(low, counts, high, strict=True))
        law[papers] = inside * float(np.prod([chance[c, i] for i, c in enumerate(papers)]))
    return law


def drawn(k: int, low: tuple[int, ...], high: tuple[int, ...], how: Callable[..., Any] = sample_votes) -> Any:
    chance = LEANS if k == 3 else np.stack([LEANS[0], 1 - LEANS[0]])
    many = np.repeat(chance[:, :, None], PARTICLES, axis=2)
    rng, everybody = np.random.default_rng(4), np.ones((5, PARTICLES), dtype=bool)
    return how(rng, many, everybody, np.array(low), np.array(high))


BOUNDS = [
    ((2, 3), (2, 3)),
    ((2, 0), (5, 3)),
    ((2, 2, 1), (2, 2, 1)),
    ((1, 3, 1), (1, 3, 1)),
    ((0, 0, 5), (0, 0, 5)),
    ((2, 0, 0), (5, 5, 1)),
    ((1, 1, 1), (3, 5, 2)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_votes_given_the_tally(low: tuple[int, ...], high: tuple[int, ...]) -> None:
    choice, log_chance = drawn(len(low), low, high)
    law, w = tables(len(low), low, high), np.exp(log_chance)
    assert w.mean() == pytest.approx(sum(law.values()), abs=5 * w.std() / np.sqrt(PARTICLES) + 1e-12)
    assert fits(choice, law, w) > ALPHA


def test_between_two_the_weight_is_exact() -> None:
    _, log_chance = drawn(2, (2, 3), (2, 3))
    assert np.exp(log_chance) == pytest.approx(exact.poisson_binomial(LEANS[0])[2], rel=1e-12)


@pytest.mark.slow
def test_between_three_the_factors_must_weigh() -> None:
    """The draw alone is not the posterior: a check that did not see it would prove nothing."""
    choice, log_chance = drawn(3, (2, 2, 1), (2, 2, 1))
    law = tables(3, (2, 2, 1), (2, 2, 1))
    assert fits(choice, law, np.ones(PARTICLES)) < ALPHA < fits(choice, law, np.exp(log_chance))


def test_only_voters_vote_and_nobody_for_who_does_not_stand() -> None:
    chance = np.repeat(np.array([[0.5], [0.0], [0.5]])[:, :, None], 6, axis=1).repeat(50, axis=2)
    voters = np.random.default_rng(5).random((6, 50)) < 0.7
    choice, log_chance = sample_votes(
        np.random.default_rng(6), chance, voters, np.array([0, 0, 0]), np.array([6, 0, 6])
    )
    assert (choice[~voters] == 3).all()
    assert set(np.unique(choice[voters])) == {0, 2}
    assert np.exp(log_chance) == pytest.approx(1.0)


def test_impossible_tallies_weigh_nothing() -> None:
    _, log_chance = drawn(3, (3, 3, 1), (3, 3, 1))
    assert np.isneginf(log_chance).all()
    _, log_chance = drawn(2, (6, 0), (6, 0))
    assert np.isneginf(log_chance).all()


# -- tails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [30, 60, 165])
def test_tails_are_those_of_the_exact_law(members: int) -> None:
    q = np.random.default_rng(members).beta(0.6, 0.5, members)
    below = np.cumsum(exact.poisson_binomial(q))
    one, two, three = (float((q**power).sum()) for power in (1, 2, 3))
    counts = np.arange(members + 1)
    found = distribution(counts, np.array(one), np.array(one - two), np.array(one - 3 * two + 2 * three))
    assert np.abs(found - below).max() < 0.006
    inside = (below > 1e-3) & (below < 0.5)
    assert found[inside] == pytest.approx(below[inside], rel=0.15)


def test_tails_of_what_is_certain() -> None:
    assert distribution(np.array([4, 5, 6]), np.array(5.0), np.array(0.0), np.array(0.0)).tolist() == [0.0, 1.0, 1.0]


def test_the_skewness_matters() -> None:
    """Without it the tails of a lopsided room would be wrong by more than the test above allows."""
    q = np.full(60, 0.06)
    below, mean, variance = np.cumsum(exact.poisson_binomial(q)), np.array(3.6), np.array(60 * 0.06 * 0.94)
    third = np.array(60 * 0.06 * 0.94 * 0.88)
    errors = [np.abs(distribution(np.arange(61), mean, variance, x) - below).max() for x in (third, np.array(0.0))]
    assert errors[0] < 0.01 < 0.02 < errors[1]
    assert conditioning.TINY > 0
