"""Addressed random numbers: the published generator, uniform, independent, and where they should be."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from laws.slow_twin import ballot
from numpy.typing import NDArray
from scipy import stats
from toys import ALPHA, fit, proportion

from iomsim.engine import rng
from iomsim.engine.packing import MEMBERS_PER_BYTE
from iomsim.engine.rng import BLOCK, Lane, Purpose
from iomsim.model.tables import MOST_MEMBERS

KEYS = rng.run_keys(2023, 0)
MASK = 2**64 - 1

CONCEDE = [0.230499611230509, 0.9289248407139415]
BALLOTS = [28438.21014931601, 50510.00421327664]


def by_hand(state: int) -> int:
    """Return SplitMix64's output for a state, in Python's own whole numbers."""
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & MASK
    return state ^ state >> 31


def address(key: int, round_: int, lane: int) -> int:
    return key + (round_ * 65536 + lane) * 0x9E3779B97F4A7C15 & MASK


# -- the generator ----------------------------------------------------------------------------------


def test_the_first_outputs_are_the_published_ones() -> None:
    """Seeded with 1234567, as the authors' reference code prints them."""
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    steps = np.arange(1, 6, dtype=np.uint64)
    assert rng.splitmix(np.uint64(1234567) + steps * rng.GAMMA).tolist() == published


@pytest.mark.parametrize(("round_", "lane"), [(0, 8), (1, 0), (3, 33), (40, 32767), (1000, 40000)])
def test_a_number_is_the_hash_of_its_address(round_: int, lane: int) -> None:
    expected = [(by_hand(address(int(key), round_, lane)) >> 11) * 2.0**-53 for key in KEYS[:20]]
    assert rng.uniform(KEYS[:20], round_, lane).tolist() == expected


def test_a_number_does_not_depend_on_its_neighbours() -> None:
    alone = [rng.uniform(KEYS[i : i + 1], 4, 17)[0] for i in range(50)]
    assert rng.uniform(KEYS[:50], 4, 17).tolist() == alone
    lanes = np.arange(50, dtype=np.uint64)
    assert rng.uniform(KEYS[:50], 4, lanes).tolist() == [rng.uniform(KEYS[i : i + 1], 4, i)[0] for i in range(50)]


# -- addresses --------------------------------------------------------------------------------------


def test_no_two_uses_share_a_number() -> None:
    """Lanes of one round: the largest electorate and sixteen candidates fit without touching."""
    uses = {
        "concede": {Lane.CONCEDE},
        "lot": {Lane.TICKET + k for k in range(16)},
        "yes share": {Lane.YES_SHARE},
        "the digits of all ballots": {Lane.FINE},
        "duration": {Lane.DURATION},
        "abstain": {Lane.ABSTAIN + k for k in range(16)},
        "sway": {Lane.SWAY + k for k in range(16)},
        "yes or no": set(range(Lane.YES, Lane.YES + MOST_MEMBERS)),
        "ballots": set(range(Lane.BALLOTS, Lane.BALLOTS + -(-MOST_MEMBERS // MEMBERS_PER_BYTE) * 2)),
    }
    assert max(uses["ballots"]) < 65536
    for (one, lanes), (other, more) in combinations(uses.items(), 2):
        assert not lanes & more, (one, other)
    before_the_first = {Lane.SITS_ON + 64 * day for day in range(401)} & {Lane.DURATION}
    assert not before_the_first
    assert Lane.SITS_ON + 64 * 401 < 65536


def test_what_a_seed_means_never_changes() -> None:
    """These numbers are in files that people keep."""
    assert BLOCK == 1024
    assert [purpose.value for purpose in Purpose] == list(range(8))
    assert rng.run_keys(2023, 0, 2).tolist() == [2294317905247100747, 17636470077961694564]
    assert rng.generator(2023, 5, Purpose.REGIONS).random(2).tolist() == [0.11833151335520042, 0.5026088176930222]
    assert rng.uniform(KEYS[:2], 3, Lane.CONCEDE).tolist() == CONCEDE
    assert ballot(KEYS[:2], 3, np.array([0, 174], dtype=np.uint64)).tolist() == BALLOTS


def test_keys_are_addressed_by_block() -> None:
    assert rng.run_keys(1, 3, 10).tolist() == rng.run_keys(1, 3)[:10].tolist()
    keys = [rng.run_keys(seed, block) for seed in (1, 2, 2**80) for block in (0, 1, 77)]
    assert np.unique(np.concatenate(keys)).size == 9 * BLOCK


def test_purposes_blocks_and_seeds_give_other_numbers() -> None:
    sources = [rng.generator(s, b, p) for s in (1, 2) for b in (0, 1) for p in Purpose]
    draws = [source.random(2000) for source in sources]
    together = np.corrcoef(draws)[np.triu_indices(len(draws), 1)]
    assert np.abs(together).max() * np.sqrt(2000) < stats.norm.ppf(1 - ALPHA / 2 / together.size)


# -- ballots ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("round_", [2, 11])
def test_ballots_are_uniform_in_their_leading_and_their_further_digits(round_: int) -> None:
    everybody = [ballot(KEYS, round_, np.full(BLOCK, member, dtype=np.uint64)) for member in range(60)]
    numbers = np.concatenate(everybody)
    assert numbers.min() >= 0
    assert numbers.max() < rng.STEPS
    assert stats.kstest(numbers / rng.STEPS, "uniform").pvalue > ALPHA
    assert stats.kstest(numbers / 256 % 1, "uniform").pvalue > ALPHA
    leading = np.floor(numbers / 256).astype(int)
    assert fit(leading, np.full(256, 1 / 256)) > ALPHA
    assert fit(leading, np.concatenate([np.full(128, 1.08 / 256), np.full(128, 0.92 / 256)])) < ALPHA
    assert stats.kstest(everybody[0] % 1, "uniform").pvalue > ALPHA
    assert all(np.allclose(one % 1, everybody[0] % 1, atol=1e-9) for one in everybody)  # a round's ballots share these


def test_ballots_of_neighbours_of_rounds_and_of_runs_do_not_go_together() -> None:
    def column(round_: int, member: int, keys: np.ndarray = KEYS) -> np.ndarray:
        return ballot(keys, round_, np.full(keys.size, member, dtype=np.uint64))

    rows = [column(r, member) for r in (1, 2, 3, 4, 5) for member in (0, 1, 2, 3, 4, 7, 8, 174)]
    rows += [column(r, 0) % 1 for r in (1, 2, 4)]
    rows += [rng.uniform(KEYS, r, lane) for r in (0, 1, 2) for lane in (0, 1, 8, 9, 10, 16, 32, 33)]
    rows += [np.roll(rows[0], 1)]
    together = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.abs(together).max() * np.sqrt(BLOCK) < stats.norm.ppf(1 - ALPHA / 2 / together.size)


# -- laws ---------------------------------------------------------------------------------------------


def normal(z: np.ndarray) -> float:
    """Test that numbers are standard normal, in their shape and in their spread."""
    spread = 2 * stats.norm.sf(abs(z.std() - 1) * np.sqrt(2 * z.size))
    return min(1.0, 2 * min(spread, float(stats.kstest(z, "norm").pvalue)))


def test_normals_are_normal() -> None:
    z = np.concatenate([rng.normal(KEYS, round_, Lane.DURATION) for round_ in range(30)])
    assert normal(z) > ALPHA
    assert normal(1.03 * z) < ALPHA
    assert normal(z + 0.03) < ALPHA


def test_student_has_five_degrees_of_freedom_and_unit_variance() -> None:
    t = np.concatenate([rng.student(KEYS, round_, Lane.SWAY) for round_ in range(60)])
    law = stats.t(5, scale=np.sqrt(3 / 5))
    assert law.var() == pytest.approx(1)
    assert stats.kstest(t, law.cdf).pvalue > ALPHA
    for wrong in (stats.t(5), stats.t(4, scale=np.sqrt(2 / 4)), stats.norm()):
        assert stats.kstest(t, wrong.cdf).pvalue < ALPHA


def test_many_normals_are_normal_and_independent() -> None:
    z = rng.normal_block(rng.generator(1, 0, Purpose.CONVICTION), (64, BLOCK))
    assert z.shape == (64, BLOCK)
    assert z.dtype == np.float32
    flat = z.ravel().astype(float)
    assert normal(flat) > ALPHA
    assert normal(1.02 * flat) < ALPHA
    assert proportion((np.abs(z) > 3).sum(), z.size, 2 * stats.norm.sf(3)) < 4
    half = flat.size // 2  # the two of a pair lie half the array apart
    for a, b in ((flat[:half], flat[half:]), (flat[:half] ** 2, flat[half:] ** 2), (flat[:-1], flat[1:])):
        assert abs(np.corrcoef(a, b)[0, 1]) * np.sqrt(a.size) < 4
    assert rng.normal_block(rng.generator(1, 0, Purpose.CONVICTION), (3, 5)).shape == (3, 5)


def test_many_coins_fall_with_their_chances() -> None:
    chances = np.array([0.0, 1e-4, 0.05, 0.5, 0.999, 1.0])
    coins = np.concatenate(
        [
            rng.bernoulli_block(
                rng.bernoulli_words(rng.generator(1, block, Purpose.ABSENCE), len(chances)), chances[:, None]
            )
            for block in range(40)
        ],
        axis=1,
    )
    assert coins.shape == (6, 40 * BLOCK)
    assert not coins[0].any()
    assert coins[5].all()
    for row, chance in zip(coins[1:5], chances[1:5], strict=True):
        assert proportion(row.sum(), row.size, chance) < 4


def test_the_further_digits_of_ballots_are_others_in_every_round() -> None:
    for round_ in (1, 2, 40):
        assert np.array_equal(rng.shared_fraction(KEYS, round_), rng.uniform(KEYS, round_, Lane.FINE))


class Zeros:
    """A source whose sixteen leading bits are always 0."""

    @property
    def bit_generator(self) -> Any:
        return self

    def random_raw(self, count: int) -> NDArray[np.uint64]:
        return np.zeros(count, dtype=np.uint64)


def test_a_coin_whose_sixteen_bits_tie_is_decided_by_further_ones() -> None:
    chances = np.array([0.0, 0.25, 0.75, 1.0])
    coins = rng.bernoulli_block(
        rng.bernoulli_words(Zeros(), 50 * len(chances)), np.repeat(chances, 50)[:, None] / 2**16
    )  # type: ignore[arg-type]
    assert coins.reshape(4, -1).mean(axis=1) == pytest.approx(chances, abs=4 * 0.433 / np.sqrt(50 * BLOCK))


def test_few_flags_are_found_where_they_are() -> None:
    flags = np.zeros((5, 64), dtype=bool)
    flags.reshape(-1)[[0, 7, 8, 100, 101, 319]] = True
    assert rng.sparse_nonzero(flags).tolist() == [0, 7, 8, 100, 101, 319]


def test_the_quantiles_stand_for_the_normal_law_as_their_docstring_says() -> None:
    z = rng.quantiles()
    assert np.array_equal(z, -z[::-1])
    assert (np.diff(z) > 0).all()
    assert np.mean(z**2) == pytest.approx(1, abs=1e-12)
    assert np.mean(z**4) == pytest.approx(3 - 0.0008, abs=1e-4)
    assert z.max() == pytest.approx(4.32, abs=0.01)
    x, weight = np.polynomial.hermite_e.hermegauss(80)
    for level in (-3.0, -0.5, 0.0, 1.0, 4.0):
        exact = weight @ (1 / (1 + np.exp(-level - 1.8 * x))) / weight.sum()
        assert np.mean(1 / (1 + np.exp(-level - 1.8 * z))) == pytest.approx(exact, abs=2e-6)


# -- assumptions ------------------------------------------------------------------------------------

NAMES = [f"behaviour.{i}" for i in range(60)]
SOURCES = [np.random.default_rng(seed) for seed in range(20)]


def draws(count: int, seed: int) -> NDArray[np.float64]:
    return np.array([rng.assumption_uniforms(seed, name, count) for name in NAMES])


def moments(tables: list[NDArray[np.float64]]) -> list[float]:
    """Return how far pairs of assumptions are from independent, in standard deviations, by several features."""
    out = []
    for feature in (lambda u: u - 0.5, lambda u: np.where(u < 0.5, -1, 1), lambda u: np.abs(u - 0.5) - 0.25):
        pairs = [np.corrcoef(feature(table))[np.triu_indices(len(NAMES), 1)] for table in tables]
        out.append(float(np.mean(np.square(pairs)) * tables[0].shape[1]))
    return out


def test_draws_of_one_assumption_are_spread_evenly() -> None:
    for u in draws(1000, 1):
        assert all(sorted((25 * part).astype(int)) == list(range(25)) for part in u.reshape(-1, 25))
        assert all(sorted((400 * part).astype(int)) == list(range(400)) for part in (u[:400], u[400:800]))
    assert ((u > 0) & (u < 1)).all()


def test_draws_of_different_assumptions_are_independent() -> None:
    """The mean square of correlations is what it is of independent draws; a twin of one sequence is found out."""
    found = moments([draws(400, seed) for seed in range(20)])
    assert all(0.9 < each < 1.15 for each in found), found
    even = np.arange(400) % 2  # a van der Corput sequence whose digits are swapped at random: its first digit is this
    liar = [np.where(source.random(60)[:, None] < 0.5, even, 1 - even) + source.random((60, 400)) for source in SOURCES]
    assert max(moments([table / 2 for table in liar])) > 10


def test_the_first_draws_of_more_are_those_of_fewer_and_a_path_moves_no_other() -> None:
    some, more = draws(130, 3), draws(900, 3)
    assert (more[:, :130] == some).all()
    assert len({row.tobytes() for row in some}) == len(NAMES)
    assert (draws(130, 4) != some).all()


def test_a_draw_is_uniform_over_the_seeds() -> None:
    each = np.array([rng.assumption_uniforms(seed, "clock.pause", 3) for seed in range(2000)])
    assert min(stats.kstest(column, "uniform").pvalue for column in each.T) > ALPHA
    assert abs(np.corrcoef(each.T)[0, 1]) < 0.12  # two of one slice are never in the same part: -1/25 at most
