"""Two candidates: one threshold a member says whom it would intend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from iomsim.engine import packing, rng
from iomsim.engine.choice import TILE, Reconsideration, Thresholds, Workspace, tiles
from iomsim.engine.packing import (
    MEMBERS_PER_BYTE,
    POOL,
    flags_of,
    for_each_member,
    pack,
    pack_flags,
    total_packed,
    unpack_flags,
)
from iomsim.engine.plan import SLIGHTEST
from iomsim.typing import U64, Codes, Flags, Places, Shorts, Singles

STEEPEST = 64.0
"""Bound on the common log-odds of a round, inside the range of single precision."""


@dataclass(eq=False)
class BinaryChoice:
    """The intentions of members between two candidates, B runs side by side.

    Attributes
    ----------
    against : ndarray of float32, shape (octets, B, 8)
        Odds against the first candidate; 0 for the absent, who never move, and for places without a member.
    second : ndarray of uint8, shape (octets, B)
        Who intends the second candidate, a bit per member.
    """

    against: Singles
    second: Codes
    workspace: Workspace = field(repr=False)

    @classmethod
    def empty(cls, shape: tuple[int, ...], width: int) -> BinaryChoice:
        """Return room for `width` runs of arrays of this shape."""
        workspace = Workspace(shape[0], TILE)
        against = POOL.take((workspace.bits.octets, width, MEMBERS_PER_BYTE))
        against[-1] = 0.0  # where places may have no member
        return cls(against, np.zeros(against.shape[:2], dtype=np.uint8), workspace)

    def fill(self, columns: slice, against: Singles, intention: Codes) -> None:
        """Put in the members of some runs, from arrays ``(N, B)``."""
        pack(against, self.against[:, columns])
        if intention.any():
            self.second[:, columns] = pack_flags(intention == 1)

    def intentions(self) -> Codes:
        """Return whom members intend, shape ``(N, B)``."""
        return unpack_flags(self.second, self.workspace.bits.members)

    def intending(self, k: int, members: Places | None = None) -> Flags:
        """Return who intends a candidate, shape ``(N, B)``, or which of some members do.

        The absent count where they intend the first of two.
        """
        if members is None:
            second = unpack_flags(self.second, self.workspace.bits.members).view(bool)
        else:
            second = flags_of(self.second, members)
        return second if k else ~second

    def there(self, members: Places) -> Flags:
        """Return in which runs members are present, shape ``(members, B)``; of the pinned it is not known."""
        return np.asarray(self.against[members // MEMBERS_PER_BYTE, :, members % MEMBERS_PER_BYTE] > 0)

    def bind(self, members: Places, chosen: Flags, k: int) -> None:
        """Have members intend a candidate from now on in some runs, flags of shape ``(members, B)``."""
        odds = np.float32(np.inf) if k else SLIGHTEST
        for member, where in zip(members.tolist(), chosen, strict=True):
            octet, place = divmod(member, MEMBERS_PER_BYTE)
            np.copyto(self.against[octet, :, place], odds, where=where)
            bit = where.view(np.uint8) << np.uint8(place)
            if k:
                self.second[octet] |= bit
            else:
                self.second[octet] &= ~bit

    def beside(self, others: Sequence[Any]) -> BinaryChoice:
        """Return these runs and others, side by side; they are used up."""
        parts = [self, *others]
        second = np.concatenate([part.second for part in parts], axis=1)
        against = POOL.take((*second.shape, MEMBERS_PER_BYTE))
        np.concatenate([part.against for part in parts], axis=1, out=against)
        for part in parts:
            POOL.put(part.against)
        return BinaryChoice(against, second, self.workspace)

    def part(self, columns: Places) -> BinaryChoice:
        """Return a copy of these runs."""
        second = self.second.take(columns, axis=1)
        out = POOL.take((*second.shape, MEMBERS_PER_BYTE))
        against = self.against.take(columns, axis=1, out=out, mode="clip")
        return BinaryChoice(against, second, self.workspace)

    def release(self) -> None:
        """Give back the room of runs that are used up."""
        POOL.put(self.against)

    def reconsider(self, keys: U64, round_: int, moved: Reconsideration) -> Shorts:
        """Let the open think again; return who went from where to where, shape ``(2, 2, B)``, off the diagonal."""
        thresholds = Thresholds.of(moved.omega, rng.shared_fraction(keys, round_))
        states, workspace = packing.pairs(keys, round_), self.workspace
        near = np.exp(np.clip(moved.pull[0] - moved.pull[1], -STEEPEST, STEEPEST).astype(np.float32))
        far = rounded_up(thresholds.reach, near)
        beyond, open_ = np.empty((2, *self.second.shape), dtype=np.uint8)
        with rng.unbuffered():
            for tile in tiles(keys.size, workspace.width):
                part, bits = thresholds.part(tile), workspace.bits.of(states[2 * tile.start : 2 * tile.stop])
                threshold = workspace.threshold(part.reach.size)
                np.add(self.against[:, tile].reshape(threshold.shape), for_each_member(near[tile]), out=threshold)
                np.divide(for_each_member(far[tile]), threshold, out=threshold)
                beyond[:, tile] = workspace.beyond(bits, threshold, part)
                open_[:, tile] = workspace.below(bits, part)
        if thresholds.wide:
            open_ |= thresholds.everybody()
        old = self.second
        open_ |= old
        self.second = np.bitwise_and(beyond, open_, out=beyond)
        flows = np.zeros((2, 2, keys.size), dtype=np.int16)
        flows[0, 1] = total_packed(self.second & ~old)
        flows[1, 0] = total_packed(old & ~self.second)
        return flows


def rounded_up(reach: Singles, near: Singles) -> Singles:
    """Return ``reach * near``, not rounded down: divided by `near` it is never less than `reach`.

    So a member whose odds against the first candidate are 0 never goes to the second.
    """
    exact = reach.astype(np.float64) * near
    product = exact.astype(np.float32)
    return np.where(product < exact, np.nextafter(product, np.float32(np.inf)), product)
