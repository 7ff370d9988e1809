"""Addressed random numbers: a number depends on where it is used, never on when.

Two kinds of address, for two kinds of draw:

* What a run draws **once** comes in arrays for a whole block of runs, from a NumPy generator
  whose `SeedSequence` is spawned by ``(block, purpose)``.  A block is the same numbers on every
  machine and in every order, and the first runs of a longer forecast are the shorter forecast.
* What happens **inside rounds** is addressed by run, purpose, round and member, because runs end
  at different times: a run must not see other numbers when its neighbour is decided earlier, or
  two scenarios could not be compared run by run.  These are the outputs of SplitMix64 [1]_: every
  run owns a 64-bit key, and output number `n` of the generator seeded with that key is a hash of
  ``key + n * GAMMA``, so that any number can be had without the ones before it.

`BLOCK` and the values of `Purpose` and `Lane` are part of what a seed means: they never change.

References
----------
.. [1] Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA.
"""

from __future__ import annotations

import sys
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024
"""Runs in a block."""

U64 = NDArray[np.uint64]
Floats = NDArray[np.float64]

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LANES_PER_ROUND = np.uint64(1 << 16)


class Purpose(IntEnum):
    """What a block's generator is for."""

    SPONSORS = 0
    APPEAL = 1
    REGIONS = 2
    CONVICTION = 3
    ABSENCE = 4
    REGIME = 5
    KEYS = 6


class Lane(IntEnum):
    """Where the numbers of one run and round lie; ballots take the lanes from `BALLOTS` on."""

    CONCEDE = 0
    LOT = 1
    YES_SHARE = 2
    DURATION = 8  # and 9
    SITS_ON = 10
    ABSTAIN = 16  # one per candidate, 8 at most
    SWAY = 32  # two per candidate
    FINE = 1 << 14  # one per member: the digits below a ballot's sixteen bits; the yes or no
    BALLOTS = 1 << 15  # four members share one


def generator(seed: int, block: int, purpose: Purpose) -> np.random.Generator:
    """Return the generator of one block for one purpose."""
    address = np.random.SeedSequence(seed, spawn_key=(block, int(purpose)))
    return np.random.Generator(np.random.SFC64(address))


def run_keys(seed: int, block: int, size: int = BLOCK) -> U64:
    """Return the 64-bit keys of a block's first `size` runs."""
    return generator(seed, block, Purpose.KEYS).integers(0, 2**64, BLOCK, dtype=np.uint64)[:size]


def splitmix(state: U64, shifted: U64 | None = None) -> U64:
    """Hash SplitMix64 states to its outputs, in place; `shifted` is room to work in.

    Examples
    --------
    The first output of the generator seeded with 1234567 in the published reference code:

    >>> import numpy as np
    >>> int(splitmix(np.array([1234567], dtype=np.uint64) + GAMMA)[0])
    6457827717110365317
    """
    shifted = np.right_shift(state, np.uint64(30), out=shifted)
    state ^= shifted
    state *= _MIX_1
    state ^= np.right_shift(state, np.uint64(27), out=shifted)
    state *= _MIX_2
    state ^= np.right_shift(state, np.uint64(31), out=shifted)
    return state


def _states(keys: U64, round_: int, lane: int | U64) -> U64:
    offset = np.uint64(round_) * _LANES_PER_ROUND + np.asarray(lane, dtype=np.uint64)
    return keys + offset * GAMMA


def uniform(keys: U64, round_: int, lane: int | U64) -> Floats:
    """Return one uniform in [0, 1) with 53 bits per key, for this round and lane."""
    with np.errstate(over="ignore"):
        bits = splitmix(_states(keys, round_, lane))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


EARLY = 3
"""Rounds in which a ballot begins with sixteen bits.

Most members think again then.  Later few do, and eight bits tell which ones may.
"""

STEPS = 1 << 16
"""A ballot's number lies in [0, STEPS)."""


def ballot(keys: U64, round_: int, member: U64) -> Floats:
    """Return the ballots' numbers in [0, STEPS) of some members, one per key.

    The leading bits come from a hash that neighbouring members share, the further digits from
    the member's own lane.

    Examples
    --------
    >>> one = ballot(run_keys(1, 0, 1), 3, np.array([7], dtype=np.uint64))
    >>> bool(0 <= one[0] < STEPS)
    True
    """
    bits = 16 if round_ <= EARLY else 8
    share = np.uint64(64 // bits)
    with np.errstate(over="ignore"):
        word = splitmix(_states(keys, round_, np.uint64(Lane.BALLOTS) + member // share))
    first = (word >> (member % share * np.uint64(bits))) & np.uint64((1 << bits) - 1)
    return (first + finer(keys, round_, member)) * float(STEPS >> bits)


def finer(keys: U64, round_: int, member: U64) -> Floats:
    """Return a ballot's digits beyond its leading bits, as a uniform in [0, 1)."""
    return uniform(keys, round_, np.uint64(Lane.FINE) + member)


class Booth:
    """Hands out the leading bits of ballots, from buffers that are used again and again.

    Parameters
    ----------
    members, width : int
        Members, and the most runs asked for at a time.
    """

    def __init__(self, members: int, width: int) -> None:
        quads = -(-members // 4)
        self.members = members
        self._words = np.empty(quads * width, dtype=np.uint64)
        self._shifted = np.empty(quads * width, dtype=np.uint64)
        self._bits = np.empty(4 * quads * width, dtype=np.uint16)

    def sixteen(self, keys: U64, round_: int) -> NDArray[np.uint16]:
        """Return sixteen bits per member and run: shape ``(members, runs)``, until the next call."""
        words = self._hash(keys, round_, 4)
        quarters = words.view("<u2").reshape(*words.shape, 4)
        bits = self._bits[: quarters.size].reshape(len(words), 4, keys.size)
        for quarter in range(4):
            bits[:, quarter] = quarters[..., quarter]
        return bits.reshape(-1, keys.size)[: self.members]

    def eight(self, keys: U64, round_: int) -> NDArray[np.uint8]:
        """Return eight bits per member and run as they fall: shape ``(ceil(members / 8), 8 runs)``.

        Member `8 i + j` of run `r` is found at ``[i, 8 r + j]``.
        """
        return self._hash(keys, round_, 8).view(np.uint8)

    def _hash(self, keys: U64, round_: int, share: int) -> U64:
        count = -(-self.members // share)
        lanes = np.uint64(Lane.BALLOTS) + np.arange(count, dtype=np.uint64)
        words = self._words[: count * keys.size].reshape(count, keys.size)
        with np.errstate(over="ignore"):
            np.add(keys, (np.uint64(round_) * _LANES_PER_ROUND + lanes[:, None]) * GAMMA, out=words)
            splitmix(words, self._shifted[: words.size].reshape(words.shape))
        return words if sys.byteorder == "little" else words.astype("<u8")


def many_coins(source: np.random.Generator, chances: Floats) -> NDArray[np.bool_]:
    """Toss a coin per member and run of a block: True with the member's chance; shape ``(N, BLOCK)``."""
    count = len(chances) * BLOCK
    words = source.bit_generator.random_raw(-(-count // 2)).view(np.uint32)[:count].reshape(-1, BLOCK)
    bounds = np.minimum(np.floor(chances * 2.0**32), 2**32 - 1).astype(np.uint32)
    tossed = words < bounds[:, None]
    tossed[chances >= 1.0] = True
    return tossed


def many_normals(source: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return standard normals in single precision, three times as fast as one by one.

    Box and Muller's pairs from 32-bit uniforms, in vector instructions throughout; the tails
    reach 6.7 standard deviations.
    """
    count = int(np.prod(shape))
    pairs = -(-count // 2)
    halves = source.bit_generator.random_raw(pairs).view(np.uint32).reshape(pairs, 2)
    radius = halves[:, 0].astype(np.float32)
    radius += np.float32(0.5)
    radius *= np.float32(2.0**-32)
    np.log(radius, out=radius)
    radius *= np.float32(-2.0)
    np.sqrt(np.maximum(radius, 0, out=radius), out=radius)
    angle = halves[:, 1].astype(np.float32)
    angle *= np.float32(2.0 * np.pi * 2.0**-32)
    out = np.empty((2, pairs), dtype=np.float32)
    np.multiply(radius, np.cos(angle), out=out[0])
    np.multiply(radius, np.sin(angle), out=out[1])
    return out.reshape(-1)[:count].reshape(shape)


def normal(keys: U64, round_: int, lane: int) -> Floats:
    """Return one standard normal per key, from two lanes (Box and Muller)."""
    radius = np.sqrt(-2.0 * np.log(_open(keys, round_, lane)))
    return radius * np.cos(2.0 * np.pi * uniform(keys, round_, lane + 1))


def student(keys: U64, round_: int, lane: int, freedom: float = 5.0) -> Floats:
    """Return one Student t of unit variance per key, from two lanes.

    Bailey's polar method: ``sqrt(nu (U**(-2/nu) - 1)) cos(2 pi V)`` has exactly Student's law
    (Bailey 1994, *Mathematics of Computation* 62, 779-781).
    """
    tail = np.expm1(-2.0 / freedom * np.log(_open(keys, round_, lane)))
    scale = np.sqrt((freedom - 2.0) / freedom)
    angle = 2.0 * np.pi * uniform(keys, round_, lane + 1)
    return scale * np.sqrt(freedom * tail) * np.cos(angle)


def _open(keys: U64, round_: int, lane: int) -> Floats:
    """Return uniforms in (0, 1], whose logarithm exists."""
    return 1.0 - uniform(keys, round_, lane)
