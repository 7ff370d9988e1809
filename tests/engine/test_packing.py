"""Members packed eight to a byte, the bits of their ballots, and buffers that are used again."""

from __future__ import annotations

import numpy as np
import pytest
from laws.slow_twin import ballot

from iomsim.engine import packing, rng
from iomsim.engine.packing import MEMBERS_PER_BYTE, BallotBits

KEYS = rng.run_keys(2023, 0)


@pytest.mark.parametrize("members", [1, 4, 7, 8, 9, 175])
@pytest.mark.parametrize("round_", [1, 12])
def test_ballot_bits_are_the_leading_bits_of_the_ballots(members: int, round_: int) -> None:
    keys, who = KEYS[:33], np.arange(members)
    numbers = ballot(np.tile(keys, members), round_, np.repeat(who, keys.size).astype(np.uint64))
    bits = BallotBits(members, 40).of(packing.pairs(keys, round_))
    assert bits.shape == (-(-members // MEMBERS_PER_BYTE), MEMBERS_PER_BYTE * keys.size)
    octet, place = np.divmod(who[:, None], MEMBERS_PER_BYTE)
    assert np.array_equal(
        bits[octet, MEMBERS_PER_BYTE * np.arange(keys.size) + place], np.floor(numbers.reshape(members, keys.size))
    )


def test_ballot_bits_do_not_depend_on_those_handed_out_before() -> None:
    bits = BallotBits(10, 64)
    first = bits.of(packing.pairs(KEYS[:64], 1)).copy()
    bits.of(packing.pairs(KEYS[64:80], 2))
    assert np.array_equal(bits.of(packing.pairs(KEYS[:64], 1)), first)


@pytest.mark.parametrize("members", [8, 248, 256, 300, 4000])
def test_everybody_is_counted_however_many_there_are(members: int) -> None:
    everybody = np.ones((members, 5), dtype=bool)
    everybody[1, 3] = everybody[7, 3] = False
    expected = [members, members, members, members - 2, members]
    assert packing.total(everybody.view(np.uint8)).tolist() == expected
    bytes_ = packing.pack_flags(everybody)
    assert packing.total_packed(bytes_).tolist() == expected
    assert np.array_equal(packing.unpack_flags(bytes_, members), everybody)


def test_arrays_come_back_from_the_pool_but_never_two_at_a_time() -> None:
    pool = packing.BufferPool()
    one, two = pool.take((3, 100, 8)), pool.take((3, 100, 8))
    assert one.shape == two.shape == (3, 100, 8)
    assert not np.shares_memory(one, two)
    pool.put(one)
    again = pool.take((2, 90, 8))
    assert np.shares_memory(again, one)
    assert not np.shares_memory(pool.take((2, 90, 8)), one)
    pool.put(again)
    assert not np.shares_memory(pool.take((1, 5, 8)), one)  # it would be wasted on so little
    assert not np.shares_memory(pool.take((9, 100, 8)), one)
    for _ in range(10):
        pool.put(pool.take((3, 1000, 8)))
    assert len(pool.arrays) <= pool.PLACES
    pool.put(np.empty((3, 100, 8), dtype=np.float32))  # not from here
    assert all(array.ndim == 1 for array in pool.arrays)
