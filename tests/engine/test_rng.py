"""Addressed random numbers: the published generator, uniform, independent, and where they should be."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from laws.slow_twin import ballot
from toys import ALPHA, fit, proportion

from iomsim.engine import choice, choice_binary, kernel, packing, rng
from iomsim.engine.binomial import binomial_quantile
from iomsim.engine.packing import MEMBERS_PER_BYTE, BallotBits
from iomsim.engine.rng import BLOCK, Lane, Purpose
from iomsim.model.electorate import LARGEST

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
    assert rng.uniform(KEYS[:50], 4, lanes).tolist() == [
        rng.uniform(KEYS[i : i + 1], 4, i)[0] for i in range(50)
    ]


# -- addresses --------------------------------------------------------------------------------------


def test_no_two_uses_share_a_number() -> None:
    """Lanes of one round: the largest electorate and eight candidates fit without touching."""
    uses = {
        "concede": {Lane.CONCEDE},
        "lot": {Lane.LOT},
        "yes share": {Lane.YES_SHARE},
        "the digits of all ballots": {Lane.FINE},
        "duration": {Lane.DURATION},
        "abstain": {Lane.ABSTAIN + k for k in range(8)},
        "sway": {Lane.SWAY + k for k in range(8)},
        "yes or no": set(range(Lane.YES, Lane.YES + LARGEST)),
        "ballots": set(range(Lane.BALLOTS, Lane.BALLOTS + -(-LARGEST // MEMBERS_PER_BYTE) * 2)),
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
    assert [purpose.value for purpose in Purpose] == list(range(7))
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


@pytest.mark.parametrize("members", [1, 4, 7, 8, 9, 175])
@pytest.mark.parametrize("round_", [1, 12])
def test_the_booth_hands_out_the_leading_bits_of_the_ballots(members: int, round_: int) -> None:
    keys, who = KEYS[:33], np.arange(members)
    numbers = ballot(np.tile(keys, members), round_, np.repeat(who, keys.size).astype(np.uint64))
    bits = BallotBits(members, 40).of(packing.pairs(keys, round_))
    assert bits.shape == (-(-members // MEMBERS_PER_BYTE), MEMBERS_PER_BYTE * keys.size)
    seats = bits[who[:, None] // MEMBERS_PER_BYTE, MEMBERS_PER_BYTE * np.arange(keys.size) + who[:, None] % MEMBERS_PER_BYTE]
    assert np.array_equal(seats, np.floor(numbers.reshape(members, keys.size)))


def test_a_booth_forgets_what_it_handed_out_before() -> None:
    booth = BallotBits(10, 64)
    first = booth.of(packing.pairs(KEYS[:64], 1)).copy()
    booth.of(packing.pairs(KEYS[64:80], 2))
    assert np.array_equal(booth.of(packing.pairs(KEYS[:64], 1)), first)


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
        [rng.bernoulli_block(rng.generator(1, block, Purpose.ABSENCE), chances) for block in range(40)], axis=1
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
    coins = rng.bernoulli_block(Zeros(), np.repeat(chances, 50) / 2**16)  # type: ignore[arg-type]
    assert coins.reshape(4, -1).mean(axis=1) == pytest.approx(chances, abs=4 * 0.433 / np.sqrt(50 * BLOCK))


@pytest.mark.parametrize("p", [0.0, 0.018, 0.5, 0.93, 1.0])
def test_binomial_quantiles_are_exact(p: float) -> None:
    trials = np.repeat([0, 1, 2, 7, 100, 175], 300)
    u = rng.uniform(np.tile(KEYS[:300], 6), 1, Lane.ABSTAIN)
    expected = np.maximum(stats.binom.ppf(u, trials, p), 0) if 0 < p < 1 else trials * p
    assert np.array_equal(binomial_quantile(trials, p, u), expected)


def test_binomial_quantiles_of_an_electorate_too_large_for_tables() -> None:
    trials, u = np.array([3000, 10, 0, 9999] * 50), rng.uniform(KEYS[:200], 1, Lane.ABSTAIN)
    assert np.array_equal(binomial_quantile(trials, 0.02, u), np.maximum(stats.binom.ppf(u, trials, 0.02), 0))
    small = binomial_quantile(np.full(200, 10), 0.3, u)
    assert np.array_equal(small, binomial_quantile(np.append(np.full(200, 10), 5000), 0.3, np.append(u, 0.5))[:-1])


def test_binomial_quantiles_at_the_edges_of_a_cell() -> None:
    u = np.array([0.0, 0.5 - 2**-53, 0.5, 1 - 2**-53])
    assert binomial_quantile(np.full(4, 1), 0.5, u).tolist() == [0, 0, 1, 1]


def test_a_lot_is_fair() -> None:
    tied = np.array([[1, 0, 1, 1]] * 3 * BLOCK, dtype=bool).T
    keys = np.concatenate([rng.run_keys(1, block) for block in range(3)])
    drawn = kernel.by_lot(tied, keys, 2)
    assert set(drawn) == {0, 2, 3}
    assert stats.chisquare(np.bincount(drawn)[[0, 2, 3]]).pvalue > ALPHA
    alone = np.zeros((4, 5), dtype=bool)
    alone[2] = True
    assert kernel.by_lot(alone, KEYS[:5], 1).tolist() == [2] * 5


# -- no probability is rounded ------------------------------------------------------------------------


def told(
    odds: float, omega: float, bits: np.ndarray, digits: float, second: int, pull: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """Return whom members intend after a round in which their ballots' numbers are ``bits + digits``."""
    size = bits.size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rng, "finer", lambda keys, round_: np.full(keys.size, digits))
        patch.setattr(rng, "pairs", lambda keys, round_: np.repeat(keys, 2))
        patch.setattr(BallotBits, "of", lambda booth, pairs: np.repeat(bits[pairs[::2].astype(int)], MEMBERS_PER_BYTE)[None])
        two = choice_binary.BinaryChoice.room((MEMBERS_PER_BYTE, size), size)
        shape = (MEMBERS_PER_BYTE, size)
        two.put(slice(0, size), np.full(shape, odds, dtype=np.float32), np.full(shape, second, dtype=np.uint8))
        nobody = np.full(size, -1)
        pulls = np.repeat(np.array(pull)[:, None], size, axis=1)
        urge = choice.Reconsideration(np.full(size, omega), pulls, nobody, np.ones((2, size), dtype=bool))
        two.think(np.arange(size, dtype=np.uint64), 2, urge)
    intentions = two.intentions()
    assert (intentions == intentions[0]).all()
    return intentions[0]


ALL = np.arange(2**16, dtype=np.uint16)


@pytest.mark.parametrize(
    ("omega", "first"),
    [(1, 1 / 3), (0.999995, 0.99999), (0.3, 0.5), (0.3, 1e-7), (1.5 / 65536, 0.5), (0.4 / 65536, 0.99999), (0, 0.5)],
)
def test_over_all_numbers_a_ballot_has_its_exact_chance(omega: float, first: float) -> None:
    """Every number once, with further digits an eighth apart: shares are within half of such a cell."""
    odds, digits = np.float32(1 / first - 1), (np.arange(8) + 0.5) / 8
    exact = omega / (1 + float(odds))
    to_first = np.mean([1 - told(odds, omega, ALL, d, 1).mean() for d in digits])
    to_second = np.mean([told(odds, omega, ALL, d, 0).mean() for d in digits])
    cell = 0.51 / 8 / 65536 + 2e-7
    assert abs(to_first - exact) < cell
    assert abs(to_second - (omega - exact)) < 2 * cell


@pytest.mark.parametrize("omega", [1.0, 0.3, 0.7 / 65536])
@pytest.mark.parametrize(("odds", "goes"), [(0.0, 0), (np.inf, 1)])
def test_what_is_certain_stays_certain(odds: float, goes: int, omega: float) -> None:
    for digits in (0.0, 0.5, 1 - 2**-20):
        assert (told(odds, omega, ALL, digits, goes) == goes).all()


@pytest.mark.parametrize("steep", [0.0, 3.0, 20.0, 60.0])
def test_what_a_round_pulls_and_what_a_member_resists_cancel(steep: float) -> None:
    """Log-odds of 2 against the first, with the round pulling as strongly as the member resists."""
    odds, exact = np.exp(2.0 + steep), 1 / (1 + np.exp(2.0))
    found = [1 - told(odds, 1.0, ALL, d, 1, pull=(steep, 0.0)).mean() for d in (0.25, 0.75)]
    assert np.mean(found) == pytest.approx(exact, abs=2e-5)


@pytest.mark.parametrize("members", [8, 248, 256, 300, 4000])
def test_everybody_is_counted_however_many_there_are(members: int) -> None:
    everybody = np.ones((members, 5), dtype=bool)
    everybody[1, 3] = everybody[7, 3] = False
    expected = [members, members, members, members - 2, members]
    assert packing.total(everybody.view(np.uint8)).tolist() == expected
    bytes_ = packing.pack_flags(everybody)
    assert packing.total_packed(bytes_).tolist() == expected
    assert np.array_equal(packing.unpack_flags(bytes_, members), everybody)


def test_arrays_come_back_from_the_shelf_but_never_two_at_a_time() -> None:
    shelf = packing.BufferPool()
    one, two = shelf.take((3, 100, 8)), shelf.take((3, 100, 8))
    assert one.shape == two.shape == (3, 100, 8)
    assert not np.shares_memory(one, two)
    shelf.put(one)
    again = shelf.take((2, 90, 8))
    assert np.shares_memory(again, one)
    assert not np.shares_memory(shelf.take((2, 90, 8)), one)
    shelf.put(again)
    assert not np.shares_memory(shelf.take((1, 5, 8)), one)  # it would be wasted on so little
    assert not np.shares_memory(shelf.take((9, 100, 8)), one)
    for _ in range(10):
        shelf.put(shelf.take((3, 1000, 8)))
    assert len(shelf.arrays) <= shelf.PLACES
    shelf.put(np.empty((3, 100, 8), dtype=np.float32))  # not from here
    assert all(array.ndim == 1 for array in shelf.arrays)


def test_no_bound_for_certainty_is_rounded_below_it() -> None:
    """The bound of a member with odds 0 is never below what thinking again reaches, whatever the round's part."""
    pick = np.random.default_rng(1)
    reach = (pick.random(100_000) * rng.STEPS).astype(np.float32)
    near = np.exp(pick.normal(0, 5, reach.size)).astype(np.float32)
    far = choice_binary.rounded_up(reach, near)
    assert (far / near >= reach).all()
    assert not (reach * near / near >= reach).all()
    assert (np.abs(far.astype(float) / (reach.astype(float) * near) - 1) < 2.0**-23).all()


@pytest.mark.parametrize("steps", [65_533.5, 65_534.5, 65_535.0, 65_535.5, 65_536.0])
def test_whole_numbers_that_sixteen_bits_do_not_hold_are_known(steps: float) -> None:
    """Also those to which single precision rounds a bound up: 65535 and all but one are 65536."""
    nobody = np.full(1, -1)
    urge = choice.Reconsideration(np.array([steps / 2**16]), np.zeros((2, 1)), nobody, np.ones((2, 1), dtype=bool))
    share = choice.Thresholds.of(urge, np.zeros(1))
    assert share.wide or share.below.max() < 2**16
    assert not (share.wide and steps < 65_534)


def test_where_sixteen_bits_tie_the_further_digits_decide() -> None:
    odds = np.float32(2**16 / 1000.25 - 1)
    bits = np.array([999, 1000, 1001], dtype=np.uint16)
    assert told(odds, 1.0, bits, 0.2, 0).tolist() == [0, 0, 1]
    assert told(odds, 1.0, bits, 0.3, 0).tolist() == [0, 1, 1]


def test_few_flags_are_found_where_they_are() -> None:
    flags = np.zeros((5, 64), dtype=bool)
    flags.reshape(-1)[[0, 7, 8, 100, 101, 319]] = True
    assert rng.sparse_nonzero(flags).tolist() == [0, 7, 8, 100, 101, 319]
