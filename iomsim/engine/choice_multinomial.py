"""Three candidates and more: a threshold for every candidate but the last says whom a member would intend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iomsim.engine import packing, rng
from iomsim.engine.choice import TILE, Reconsideration, Thresholds, Workspace, tiles
from iomsim.engine.packing import (
    MEMBERS_PER_BYTE,
    POOL,
    flags_of,
    for_each_member,
    pack,
    pack_flags,
    total,
    total_packed,
    unpack_flags,
)
from iomsim.engine.plan import CERTAIN
from iomsim.typing import U64, Codes, Flags, Places, Shorts, Singles

SPARSE = 0.2
"""Where a smaller share of a tile's members think again, only their thresholds are worked out."""


@dataclass(eq=False)
class MultinomialChoice:
    """The intentions of members among three or more candidates, B runs side by side.

    Attributes
    ----------
    log_odds : ndarray of float32, shape (K, octets, B, 8)
        Log-odds of every candidate.
    intends : ndarray of uint8, shape (K, octets, B)
        Who intends which candidate, a bit per member; the absent none.
    present : ndarray of uint8, shape (octets, B)
        Who is present.
    """

    log_odds: Singles
    intends: Codes
    present: Codes
    workspace: Workspace = field(repr=False)

    @classmethod
    def empty(cls, shape: tuple[int, ...], width: int) -> MultinomialChoice:
        """Return room for `width` runs of arrays of this shape."""
        k, members, _ = shape
        workspace = Workspace(members, max(1, 2 * TILE // k))
        places = workspace.bits.octets, width
        log_odds = POOL.take((k, *places, MEMBERS_PER_BYTE))
        log_odds[:, -1] = 0.0  # where places may have no member
        return cls(log_odds, np.zeros((k, *places), dtype=np.uint8), np.zeros(places, dtype=np.uint8), workspace)

    def fill(self, columns: slice, log_odds: Singles, intention: Codes) -> None:
        """Put in the members of some runs, from arrays ``(K, N, B)`` and ``(N, B)``."""
        for k, row in enumerate(log_odds):
            pack(row, self.log_odds[k, :, columns])
            self.intends[k, :, columns] = pack_flags(intention == k)
        self.present[:, columns] = np.bitwise_or.reduce(self.intends[..., columns], axis=0)

    def intentions(self) -> Codes:
        """Return whom members intend, shape ``(N, B)``; K for the absent."""
        flags = np.stack([unpack_flags(plane, self.workspace.bits.members) for plane in self.intends])
        return np.where(flags.any(axis=0), flags.argmax(axis=0), len(flags)).astype(np.uint8)

    def intending(self, k: int, members: Places | None = None) -> Flags:
        """Return who intends a candidate, shape ``(N, B)``, or which of some members do."""
        if members is not None:
            return flags_of(self.intends[k], members)
        return unpack_flags(self.intends[k], self.workspace.bits.members).view(bool)

    def beside(self, others: Sequence[Any]) -> MultinomialChoice:
        """Return these runs and others, side by side; they are used up."""
        parts = [self, *others]
        intends = np.concatenate([part.intends for part in parts], axis=2)
        log_odds = POOL.take((*intends.shape, MEMBERS_PER_BYTE))
        np.concatenate([part.log_odds for part in parts], axis=2, out=log_odds)
        for part in parts:
            POOL.put(part.log_odds)
        present = np.concatenate([part.present for part in parts], axis=1)
        return MultinomialChoice(log_odds, intends, present, self.workspace)

    def part(self, columns: Places) -> MultinomialChoice:
        """Return a copy of these runs."""
        intends = self.intends.take(columns, axis=2)
        out = POOL.take((*intends.shape, MEMBERS_PER_BYTE))
        log_odds = self.log_odds.take(columns, axis=2, out=out, mode="clip")
        return MultinomialChoice(log_odds, intends, self.present.take(columns, axis=1), self.workspace)

    def release(self) -> None:
        """Give back the room of runs that are used up."""
        POOL.put(self.log_odds)

    def there(self, members: Places) -> Flags:
        """Return in which runs members are present, shape ``(members, B)``."""
        return flags_of(self.present, members)

    def bind(self, members: Places, chosen: Flags, k: int) -> None:
        """Have members intend a candidate from now on in some runs, flags of shape ``(members, B)``.

        Where it does not stand they choose like others, by their own log-odds for those who do.
        """
        for member, where in zip(members.tolist(), chosen, strict=True):
            octet, place = divmod(member, MEMBERS_PER_BYTE)
            row = self.log_odds[:, octet, :, place]
            np.copyto(row[k], row.max(axis=0) + np.float32(CERTAIN), where=where)
            bit = where.view(np.uint8) << np.uint8(place)
            self.intends[:, octet] &= ~bit
            self.intends[k, octet] |= bit

    def reconsider(self, keys: U64, round_: int, moved: Reconsideration) -> Shorts:
        """Let the open think again; return who went from where to where, shape ``(K, K, B)``, off the diagonal."""
        old = self.intends
        open_, choice = self._choose(keys, round_, moved)
        self.intends = (choice & open_ | old & ~open_) & self.present
        k = len(old)
        flows = np.zeros((k, k, keys.size), dtype=np.int16)
        for a in range(k):
            for b in range(k):
                if a != b:
                    flows[a, b] = total_packed(old[a] & self.intends[b])
        return flows

    def _choose(self, keys: U64, round_: int, moved: Reconsideration) -> tuple[Codes, Codes]:
        """Return who thinks again, and whom they would then intend.

        The multinomial logit among those standing, by its cumulative probabilities: the weight of
        who is out is nothing, and of the last threshold nothing is left over, whatever the rounding.
        Where few think again, only their thresholds are worked out.
        """
        k, workspace, states = len(self.log_odds), self.workspace, packing.pairs(keys, round_)
        fraction = rng.shared_fraction(keys, round_)
        thresholds, certain = (Thresholds.of(omega, fraction) for omega in (moved.omega, np.ones(keys.size)))
        pull, shocks = (np.where(moved.standing, x, -np.inf).astype(np.float32) for x in (moved.pull, moved.shocks))
        choice, open_ = np.empty_like(self.intends), np.empty_like(self.present)
        everybody = thresholds.everybody() if thresholds.wide else np.zeros(keys.size, dtype=np.uint8)
        left, gone = np.asarray(moved.departed.any(axis=0)), np.flatnonzero(moved.departed.any(axis=1))
        if moved.recalled is not None:
            left = left | moved.recalled.any(axis=0)
        weights = POOL.take((k, workspace.bits.octets, workspace.width * MEMBERS_PER_BYTE))
        with rng.unbuffered():
            for tile in tiles(keys.size, workspace.width):
                part, bits = thresholds.part(tile), workspace.bits.of(states[2 * tile.start : 2 * tile.stop])
                again = (workspace.below(bits, part) | everybody[tile]) & self.present[:, tile]
                if np.bitwise_count(again).sum() < SPARSE * bits.size:
                    chosen = self._of_some(again, tile, pull[:, tile], bits, part)
                else:
                    chosen = self._of_all(tile, pull[:, tile], bits, part, weights)
                if left[tile].any():  # the voters of who has left must think again, whatever their numbers
                    free = [self.intends[c, :, tile] * moved.departed[c, tile] for c in gone]
                    if moved.recalled is not None:
                        free.append(moved.recalled[:, tile])
                    must = np.bitwise_or.reduce(free)
                    elsewhere = self._of_some(must, tile, shocks[:, tile], bits, certain.part(tile))
                    again |= must
                    chosen = chosen & ~must | elsewhere & must
                choice[:, :, tile], open_[:, tile] = chosen, again
        POOL.put(weights)
        return open_, choice

    def _of_all(
        self, tile: slice, pull: Singles, bits: NDArray[np.uint16], thresholds: Thresholds, weights: Singles
    ) -> Codes:
        """Return whom the members of a tile would intend if they thought again."""
        weight = cumulated(self.log_odds[:, :, tile], pull, weights[..., : bits.shape[1]])
        beyond = [np.full_like(self.present[:, tile], 255)]  # not below the threshold of the one before
        for row in weight[:-1]:
            np.divide(row, weight[-1], out=row)
            row *= for_each_member(thresholds.reach)
            beyond.append(self.workspace.beyond(bits, row, thresholds))
        out = np.stack(beyond)
        out[:-1] &= ~out[1:]
        return out

    def _of_some(
        self, who: Codes, tile: slice, pull: Singles, bits: NDArray[np.uint16], thresholds: Thresholds
    ) -> Codes:
        """Return whom some members of a tile would intend, and nothing of the others."""
        k, width = len(pull), bits.shape[1]
        place = rng.sparse_nonzero(np.unpackbits(who.reshape(-1), bitorder="little").view(bool))
        octet, column = np.divmod(place, width)
        at = octet * (self.present.shape[1] * MEMBERS_PER_BYTE) + tile.start * MEMBERS_PER_BYTE + column
        column //= MEMBERS_PER_BYTE
        weight = np.stack([row.reshape(-1).take(at) for row in self.log_odds])
        weight += pull.take(column, axis=1)
        weight -= weight.max(axis=0)
        np.exp(weight, out=weight)
        for c in range(1, k):
            weight[c] += weight[c - 1]
        weight[:-1] /= weight[-1]
        weight[:-1] *= thresholds.reach.take(column)
        weight[:-1] += thresholds.lift.take(column)
        beyond = bits.reshape(-1).take(place) >= np.floor(weight[:-1], out=weight[:-1])
        flags = np.zeros((k, bits.size), dtype=bool)
        flags[total(beyond.view(np.uint8)), place] = True
        return np.packbits(flags.reshape(-1), bitorder="little").reshape(k, *who.shape)


def cumulated(log_odds: Singles, pull: Singles, out: Singles) -> Singles:
    """Return the candidates' weights ``exp(log_odds + pull)`` added up, shape ``(K, octets, B * 8)``.

    Those of a member are in units of its largest one.
    """
    for c, row in enumerate(log_odds):
        np.add(row.reshape(out[c].shape), for_each_member(pull[c]), out=out[c])
    top = out.max(axis=0)
    for c in range(len(out)):
        out[c] -= top
        np.exp(out[c], out=out[c])
    for c in range(1, len(out)):
        out[c] += out[c - 1]
    return out
