"""Members packed eight to a byte, and the random bits of their ballots.

Arrays of members, ``(N, B)`` with the runs last, become ``(octets, B, 8)``: an octet is eight members.
Flags become bytes, ``(octets, B)``, and eight members are then handled at a time.
"""

from __future__ import annotations

import sys
from math import prod
from threading import local

import numpy as np
from numpy.typing import NDArray

from iomsim.engine.rng import GAMMA, Lane, splitmix
from iomsim.typing import U64, Codes, Flags, Places, Shorts, Singles

MEMBERS_PER_BYTE = 8


class BufferPool(local):
    """Large arrays, put back after use: memory fresh from the system costs more than filling it."""

    PLACES, WASTE = 4, 2.5

    def __init__(self) -> None:
        self.arrays: list[Singles] = []

    def take(self, shape: tuple[int, ...]) -> Singles:
        """Return an array of this shape, with anything in it."""
        size = prod(shape)
        for i, array in enumerate(self.arrays):
            if size <= array.size <= self.WASTE * size:
                return self.arrays.pop(i)[:size].reshape(shape)
        return np.empty(size, dtype=np.float32)[:].reshape(shape)

    def put(self, array: Singles) -> None:
        """Put an array back that was taken from here and that nobody uses any more."""
        if isinstance(array.base, np.ndarray):
            self.arrays = [*self.arrays[1 - self.PLACES :], array.base]


POOL = BufferPool()
"""One for every thread."""


class BallotBits:
    """The leading bits of ballots, in buffers that are used again and again.

    Parameters
    ----------
    members, width : int
        Members, and the most runs asked for at a time.
    """

    def __init__(self, members: int, width: int) -> None:
        self.members, self.octets = members, -(-members // MEMBERS_PER_BYTE)
        self._words = np.empty(2 * self.octets * width, dtype=np.uint64)
        self._shifted = np.empty(2 * self.octets * width, dtype=np.uint64)
        self._steps = 2 * np.arange(self.octets, dtype=np.uint64)[:, None] * GAMMA  # from octet to octet

    def of(self, pairs: U64) -> NDArray[np.uint16]:
        """Return sixteen bits for every member in the runs with these :func:`pairs` of states, until the next call.

        The shape is ``(octets, runs * 8)``; those of member ``8 * i + s`` in run `r` are at ``[i, 8 * r + s]``.
        """
        shape = self.octets, pairs.size
        words = self._words[: shape[0] * shape[1]].reshape(shape)
        np.add(pairs, self._steps, out=words)
        splitmix(words, self._shifted[: words.size].reshape(shape))
        return (words if sys.byteorder == "little" else words.astype("<u8")).view("<u2")


def pairs(keys: U64, round_: int) -> U64:
    """Return the states behind the two words of every run's first octet, next to each other."""
    out = np.empty((keys.size, 2), dtype=np.uint64)
    np.add(keys, np.uint64((round_ * 2**16 + Lane.BALLOTS) * int(GAMMA) % 2**64), out=out[:, 0])
    np.add(out[:, 0], GAMMA, out=out[:, 1])
    return out.reshape(-1)


def for_each_member(column: np.ndarray) -> np.ndarray:
    """Repeat a number per run for every member of an octet."""
    return column.repeat(MEMBERS_PER_BYTE)


def pack(array: np.ndarray, out: np.ndarray) -> None:
    """Copy members ``(N, B)`` to octets ``(octets, B, 8)``; places without a member stay as they are."""
    for place in range(MEMBERS_PER_BYTE):
        row = array[place::MEMBERS_PER_BYTE]
        out[: len(row), :, place] = row


def to_bytes(flags: Flags) -> Codes:
    """Write an octet's flags as one byte: ``(octets, B * 8)`` to ``(octets, B)``."""
    return np.packbits(flags.reshape(-1), bitorder="little").reshape(len(flags), -1)


def pack_flags(flags: Flags) -> Codes:
    """Write members' flags as bytes: ``(N, B)`` to ``(octets, B)``."""
    out = np.zeros((-(-len(flags) // MEMBERS_PER_BYTE), flags.shape[1], MEMBERS_PER_BYTE), dtype=bool)
    pack(flags, out)
    return to_bytes(out.reshape(len(out), -1))


def unpack_flags(packed: Codes, members: int) -> Codes:
    """Return members' flags from bytes: ``(octets, B)`` to ``(N, B)``."""
    flags = np.unpackbits(packed[..., None], axis=2, bitorder="little")
    return flags.transpose(0, 2, 1).reshape(-1, packed.shape[1])[:members]


def flags_of(packed: Codes, members: Places) -> Flags:
    """Return some members' flags from bytes: ``(octets, B)`` to ``(members, B)``."""
    bits = np.uint8(1) << (members % MEMBERS_PER_BYTE).astype(np.uint8)
    return np.asarray(packed[members // MEMBERS_PER_BYTE] & bits[:, None] > 0)


def total(flags: Codes) -> Shorts:
    """Count the members flagged in every column, in the narrowest numbers that hold them."""
    narrow = np.uint8 if len(flags) < 256 else np.uint16
    return np.add.reduce(flags, axis=0, dtype=narrow).astype(np.int16)


def total_packed(packed: Codes) -> Shorts:
    """Count the members flagged in every column of bytes."""
    narrow = np.uint8 if MEMBERS_PER_BYTE * len(packed) < 256 else np.uint16
    return np.add.reduce(np.bitwise_count(packed), axis=0, dtype=narrow).astype(np.int16)
