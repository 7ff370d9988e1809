"""Members sit eight to a bench: what is said on one bench in one run is a byte.

Arrays of members, ``(N, B)`` with the runs last, become ``(benches, B, SEATS)``; flags become bytes,
``(benches, B)``, and eight members are then handled at a time.
"""

from __future__ import annotations

from math import prod
from threading import local

import numpy as np

from iomsim.engine.rng import SEATS
from iomsim.typing import Codes, Flags, Shorts, Singles


class Shelf(local):
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


SHELF = Shelf()
"""One for every thread."""


def seats(column: np.ndarray) -> np.ndarray:
    """Repeat a number per run for every seat of a bench."""
    return column.repeat(SEATS)


def bench(array: np.ndarray, seats: np.ndarray) -> None:
    """Seat members: copy ``(N, B)`` to ``(benches, B, SEATS)``; empty seats stay as they are."""
    for seat in range(SEATS):
        row = array[seat::SEATS]
        seats[: len(row), :, seat] = row


def packed(flags: Flags) -> Codes:
    """Write a bench's flags as one byte: ``(benches, B * SEATS)`` to ``(benches, B)``."""
    return np.packbits(flags.reshape(-1), bitorder="little").reshape(len(flags), -1)


def benched_flags(flags: Flags) -> Codes:
    """Seat members' flags and write them as bytes: ``(N, B)`` to ``(benches, B)``."""
    out = np.zeros((-(-len(flags) // SEATS), flags.shape[1], SEATS), dtype=bool)
    bench(flags, out)
    return packed(out.reshape(len(out), -1))


def unbenched_flags(benches: Codes, members: int) -> Codes:
    """Return members' flags from bytes: ``(benches, B)`` to ``(N, B)``."""
    seats = np.unpackbits(benches[..., None], axis=2, bitorder="little")
    return seats.transpose(0, 2, 1).reshape(-1, benches.shape[1])[:members]


def total(flags: Codes) -> Shorts:
    """Count the members flagged in every column, in the narrowest numbers that hold them."""
    narrow = np.uint8 if len(flags) < 256 else np.uint16
    return np.add.reduce(flags, axis=0, dtype=narrow).astype(np.int16)


def total_of_bytes(benches: Codes) -> Shorts:
    """Count the members flagged in every column, eight to a byte."""
    narrow = np.uint8 if SEATS * len(benches) < 256 else np.uint16
    return np.add.reduce(np.bitwise_count(benches), axis=0, dtype=narrow).astype(np.int16)
