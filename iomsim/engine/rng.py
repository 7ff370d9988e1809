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

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cache
from statistics import NormalDist
from zlib import crc32

import numpy as np

from iomsim.typing import U64, Flags, Floats, Places, Singles

BLOCK = 1024
"""Runs in a block."""


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
    ASSUMPTIONS = 7


class Lane(IntEnum):
    """Where the numbers of one run and round lie; ballots take the lanes from `BALLOTS` on."""

    CONCEDE = 0
    YES_SHARE = 2
    FINE = 3  # the digits of all ballots below their sixteen bits
    DURATION = 8
    SITS_ON = 10
    ABSTAIN = 16  # one per candidate, 16 at most
    SWAY = 32  # one per candidate
    STRAY = 48  # one per candidate, 16 at most
    TICKET = 1 << 10  # one per candidate: lots
    YES = 1 << 14  # one per member: the yes or no
    BALLOTS = 1 << 15  # four members share one
    SWING = 3 << 14  # one per member: who goes over; the swings take the place of the rounds


def generator(seed: int, block: int, purpose: Purpose, name: str = "") -> np.random.Generator:
    """Return the generator of one block for one purpose, or for one of several that share a purpose, by name."""
    key = (block, int(purpose), *((crc32(name.encode()),) if name else ()))
    address = np.random.SeedSequence(seed, spawn_key=key)
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


def words(keys: U64, round_: int, lane: int | U64) -> U64:
    """Return one word of 64 random bits per key, for this round and lane."""
    with np.errstate(over="ignore"):
        offset = np.uint64(round_) * _LANES_PER_ROUND + np.asarray(lane, dtype=np.uint64)
        return splitmix(keys + offset * GAMMA)


def lanes(first: int, count: int) -> U64:
    """Return neighbouring lanes as a column."""
    return np.arange(first, first + count, dtype=np.uint64)[:, None]


def uniform(keys: U64, round_: int, lane: int | U64) -> Floats:
    """Return one uniform in [0, 1) with 53 bits per key, for this round and lane."""
    bits = words(keys, round_, lane)
    bits >>= np.uint64(11)
    return bits.view(np.int64) * np.float64(2.0**-53)


STEPS = 1 << 16
"""A ballot's number lies in [0, STEPS)."""


def shared_fraction(keys: U64, round_: int) -> Floats:
    """Return the digits after the point of all ballots of a round, as a uniform in [0, 1).

    A ballot's number lies in [0, STEPS).  Its sixteen leading bits are the member's own, those after
    the point are the same for all members of a run and round.  So every number is uniform, and what
    that costs in independence, a covariance of at most 2**-34 between the ballots of two members, is
    less than the error of single precision.
    """
    return uniform(keys, round_, Lane.FINE)


# -- assumptions ---------------------------------------------------------------------------------

SLICES, PARTS = 16, 25
"""Draws come in slices, one in each of so many equal parts; so many slices together have one in each part of a part."""


def assumption_uniforms(seed: int, path: str, count: int) -> Floats:
    """Return uniforms in (0, 1) for the first draws of an assumption, shape ``(count,)``.

    Number `c` depends on seed, `c` and the assumption's path only.  They are a sliced Latin hypercube (Qian 2012,
    *Journal of the American Statistical Association* 107, 393-399): every 25 draws that begin at a multiple of 25
    fall one into each of 25 equal parts, every 400 one into each of 400, so that a mean over the draws has less
    noise than over independent ones.  Which draw falls where is shuffled for each path by itself: those of different
    paths are independent.  (A scrambled van der Corput sequence is as even, but the last bit of `c` decides on which
    side of the middle a draw lies, of every path alike.)

    Examples
    --------
    >>> u = assumption_uniforms(1, "behaviour.secrecy", 400)
    >>> sorted((25 * u[50:75]).astype(int).tolist()) == list(range(25))
    True
    >>> sorted((400 * u).astype(int).tolist()) == list(range(400))
    True
    """
    address = np.random.SeedSequence(seed, spawn_key=(0, int(Purpose.ASSUMPTIONS), *path.encode()))
    key, size = address.generate_state(1, np.uint64), SLICES * PARTS
    blocks = -(-count // size)
    with np.errstate(over="ignore"):
        hashed = splitmix(key + np.arange(3 * blocks * size, dtype=np.uint64) * GAMMA).reshape(blocks, 3, size)
    part = hashed[:, 0].reshape(blocks, SLICES, PARTS).argsort(axis=2, kind="stable")
    within = hashed[:, 1].reshape(blocks, PARTS, SLICES).argsort(axis=2, kind="stable")
    place = part * SLICES + within[np.arange(blocks)[:, None, None], part, np.arange(SLICES)[:, None]]
    rest = (hashed[:, 2] >> np.uint64(12)) * 2.0**-52 + 2.0**-53
    return ((place.reshape(blocks, size) + rest) / size).ravel()[:count]


# -- laws ----------------------------------------------------------------------------------------


FREEDOM = 5.0
"""Degrees of freedom of the rounds' shocks."""


def normal(keys: U64, round_: int, lane: int | U64) -> Floats:
    """Return one standard normal per key, each one of 65536 :func:`quantiles`."""
    return quantiles().take((words(keys, round_, lane) >> np.uint64(48)).view(np.int64), mode="clip")


def student(keys: U64, round_: int, lane: int | U64) -> Singles:
    """Return one Student t with five degrees of freedom, scaled to unit variance, per key.

    Bailey's polar method: ``sqrt(nu (U**(-2/nu) - 1)) cos(2 pi V)`` has exactly Student's law
    (Bailey 1994, *Mathematics of Computation* 62, 779-781).  `U` has 40 bits and `V` the other 24; what follows is
    in single precision, whose functions are several times as fast.
    """
    bits = words(keys, round_, lane)
    first = (bits >> np.uint64(24)).view(np.int64).astype(np.float32)
    first += np.float32(0.5)
    first *= np.float32(2.0**-40)
    angle = (bits & np.uint64(0xFFFFFF)).view(np.int64).astype(np.float32)
    angle *= np.float32(2.0 * np.pi * 2.0**-24)
    scale = np.float32(FREEDOM - 2.0)  # the variance is nu / (nu - 2)
    radius = scale * np.maximum(np.exp(np.float32(-2.0 / FREEDOM) * np.log(first)) - np.float32(1.0), np.float32(0.0))
    return np.asarray(np.sqrt(radius) * np.cos(angle))


def bernoulli_words(source: np.random.Generator, members: int) -> U64:
    """Return the random bits of :func:`bernoulli_block` for so many members."""
    return source.bit_generator.random_raw(1 + -(-members * BLOCK // 4))


def bernoulli_block(raw: U64, chances: Floats, columns: Places | None = None) -> Flags:
    """Toss a coin per member and run of a block: True with the member's chance; shape ``(N, BLOCK)``.

    Sixteen bits decide, but for one toss in 65536, in which 53 further bits do.

    Parameters
    ----------
    raw : ndarray of uint64
        The bits, of :func:`bernoulli_words`.
    chances : ndarray, shape (N, 1) or (N, C)
        One chance for all runs, or columns of them.
    columns : ndarray of int, shape (B,), optional
        Which column each of the first `B` runs takes; default: of several, each its own.
    """
    leading = raw[1:].view(np.uint16)[: len(chances) * BLOCK].reshape(-1, BLOCK)
    wide = chances.shape[1] > 1
    whole = np.minimum(chances * STEPS, STEPS - 1).astype(np.uint16)
    if wide:
        columns = np.arange(chances.shape[1]) if columns is None else columns
        columns = np.pad(columns, (0, BLOCK - columns.size))
        whole = whole.take(columns, axis=1)
    with unbuffered():
        tossed = leading < whole
        tied = sparse_nonzero(leading == whole)
    row, run = np.divmod(tied, BLOCK)
    rest = chances[row, columns[run] if wide and columns is not None else 0] * STEPS - whole[row, run if wide else 0]
    tossed.reshape(-1)[tied] = uniform(raw[:1], 0, tied.astype(np.uint64)) < rest
    return tossed


@contextmanager
def unbuffered() -> Iterator[None]:
    """Keep NumPy from copying the rows that it broadcasts over, as it does with rows shorter than its buffer."""
    with np.errstate(over="ignore"):
        np.setbufsize(512)  # undone with the error state
        yield


def sparse_nonzero(flags: Flags) -> Places:
    """Return where flags are set, in flat order; fast if few are, as eight are looked at together.

    Examples
    --------
    >>> sparse_nonzero(np.arange(16) % 7 == 6).tolist()
    [6, 13]
    """
    eights = np.flatnonzero(flags.reshape(-1).view(np.uint64).astype(bool))
    eighth, place = np.nonzero(flags.reshape(-1, 8)[eights])
    return 8 * eights[eighth] + place


def normal_block(source: np.random.Generator, shape: tuple[int, ...]) -> Singles:
    """Return standard normals in single precision, each one of 65536 :func:`quantiles`: sixteen bits say which."""
    count = int(np.prod(shape))
    bits = source.bit_generator.random_raw(-(-count // 4)).view(np.uint16)[:count]
    return _single_quantiles().take(bits.reshape(shape), mode="clip")


@cache
def quantiles() -> Floats:
    """Return 65536 equally likely numbers that stand for the normal law: its middle quantiles, scaled to variance 1.

    Odd moments are 0, the kurtosis is 3 - 0.0008, and no number lies beyond 4.32.  The mean of a
    logistic function of a conviction is off by less than 2e-6.
    """
    law, half = NormalDist(), STEPS // 2
    upper = np.array([law.inv_cdf((half + i + 0.5) / STEPS) for i in range(half)])
    upper *= np.sqrt(half / (upper**2).sum())
    table = np.concatenate([-upper[::-1], upper])
    table.setflags(write=False)
    return table


@cache
def _single_quantiles() -> Singles:
    return quantiles().astype(np.float32)


def fresh_seed() -> int:
    """Return a seed nobody chose."""
    return int(np.random.SeedSequence().generate_state(1)[0])
