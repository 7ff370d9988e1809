"""Two candidates: one bound a member says whom it would intend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from iomsim.engine import rng
from iomsim.engine.choice import TILE, Desk, Share, Urge, tiles
from iomsim.engine.packing import SHELF, bench, benched_flags, seats, total_of_bytes, unbenched_flags
from iomsim.engine.rng import SEATS
from iomsim.typing import U64, Codes, Places, Shorts, Singles

STEEP = 64.0
"""Bound on the common log-odds of a round, inside the range of single precision."""


@dataclass(eq=False)
class Pair:
    """The intentions of members between two candidates, B runs abreast.

    Attributes
    ----------
    against : ndarray of float32, shape (benches, B, SEATS)
        Odds against the first candidate; 0 for the absent, who never move, and for empty seats.
    second : ndarray of uint8, shape (benches, B)
        Who intends the second candidate, a bit per seat.
    """

    against: Singles
    second: Codes
    desk: Desk = field(repr=False)

    @classmethod
    def room(cls, shape: tuple[int, ...], width: int) -> Pair:
        """Return empty seats for `width` runs of arrays of this shape."""
        desk = Desk(shape[0], TILE)
        against = SHELF.take((desk.booth.benches, width, SEATS))
        against[-1] = 0.0  # where seats may stay empty
        return cls(against, np.zeros(against.shape[:2], dtype=np.uint8), desk)

    def put(self, columns: slice, against: Singles, intention: Codes) -> None:
        """Seat the members of some runs, from arrays ``(N, B)``."""
        bench(against, self.against[:, columns])
        if intention.any():
            self.second[:, columns] = benched_flags(intention == 1)

    def intentions(self) -> Codes:
        """Return whom members intend, shape ``(N, B)``."""
        return unbenched_flags(self.second, self.desk.booth.members)

    def beside(self, others: Sequence[Any]) -> Pair:
        """Return these runs and others, side by side; they are used up."""
        parts = [self, *others]
        second = np.concatenate([part.second for part in parts], axis=1)
        against = SHELF.take((*second.shape, SEATS))
        np.concatenate([part.against for part in parts], axis=1, out=against)
        for part in parts:
            SHELF.put(part.against)
        return Pair(against, second, self.desk)

    def keep(self, columns: Places) -> Pair:
        """Return only these runs; the others are used up."""
        second = self.second.take(columns, axis=1)
        against = self.against.take(columns, axis=1, out=SHELF.take((*second.shape, SEATS)), mode="clip")
        SHELF.put(self.against)
        return Pair(against, second, self.desk)

    def think(self, keys: U64, round_: int, urge: Urge) -> Shorts:
        """Let the open think again; return who went from where to where, shape ``(2, 2, B)``, off the diagonal."""
        share, states = Share.of(urge, rng.finer(keys, round_)), rng.pairs(keys, round_)
        near = np.exp(np.clip(urge.pull[0] - urge.pull[1], -STEEP, STEEP).astype(np.float32))
        far = rounded_up(share.reach, near)
        beyond, open_ = np.empty((2, *self.second.shape), dtype=np.uint8)
        with rng.unbuffered():
            for tile in tiles(keys.size, self.desk.width):
                part, bits = share.part(tile), self.desk.booth.of(states[2 * tile.start : 2 * tile.stop])
                bound = self.desk.bound(part.reach.size)
                np.add(self.against[:, tile].reshape(bound.shape), seats(near[tile]), out=bound)
                np.divide(seats(far[tile]), bound, out=bound)
                beyond[:, tile] = self.desk.beyond(bits, bound, part)
                open_[:, tile] = self.desk.below(bits, part)
        if share.wide:
            open_ |= share.everybody()
        old = self.second
        open_ |= old
        self.second = np.bitwise_and(beyond, open_, out=beyond)
        flows = np.zeros((2, 2, keys.size), dtype=np.int16)
        flows[0, 1] = total_of_bytes(self.second & ~old)
        flows[1, 0] = total_of_bytes(old & ~self.second)
        return flows


def rounded_up(reach: Singles, near: Singles) -> Singles:
    """Return ``reach * near``, not rounded down: divided by `near` it is never less than `reach`.

    So a member whose odds against the first candidate are 0 never goes to the second.
    """
    exact = reach.astype(np.float64) * near
    product = exact.astype(np.float32)
    return np.where(product < exact, np.nextafter(product, np.float32(np.inf)), product)
