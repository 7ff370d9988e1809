"""Three candidates and more: a bound for every candidate but the last says whom a member would intend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from iomsim.engine import rng
from iomsim.engine.choice import TILE, Desk, Share, Urge, tiles
from iomsim.engine.packing import bench, benched_flags, seats, total_of_bytes, unbenched_flags
from iomsim.engine.rng import SEATS
from iomsim.typing import U64, Codes, Places, Shorts, Singles


@dataclass(eq=False)
class Crowd:
    """The intentions of members among three or more candidates, B runs abreast.

    Attributes
    ----------
    stance : ndarray of float32, shape (K, benches, B, SEATS)
        Log-odds of every candidate.
    intends : ndarray of uint8, shape (K, benches, B)
        Who intends which candidate, a bit per seat; the absent none.
    here : ndarray of uint8, shape (benches, B)
        Who is present.
    """

    stance: Singles
    intends: Codes
    here: Codes
    desk: Desk = field(repr=False)

    @classmethod
    def room(cls, shape: tuple[int, ...], width: int) -> Crowd:
        """Return empty seats for `width` runs of arrays of this shape."""
        k, members, _ = shape
        desk = Desk(members, max(1, 2 * TILE // k))
        places = desk.booth.benches, width
        stance = np.zeros((k, *places, SEATS), dtype=np.float32)
        return cls(stance, np.zeros((k, *places), dtype=np.uint8), np.zeros(places, dtype=np.uint8), desk)

    def put(self, columns: slice, stance: Singles, intention: Codes) -> None:
        """Seat the members of some runs, from arrays ``(K, N, B)`` and ``(N, B)``."""
        for k, row in enumerate(stance):
            bench(row, self.stance[k, :, columns])
            self.intends[k, :, columns] = benched_flags(intention == k)
        self.here[:, columns] = np.bitwise_or.reduce(self.intends[..., columns], axis=0)

    def intentions(self) -> Codes:
        """Return whom members intend, shape ``(N, B)``; K for the absent."""
        flags = np.stack([unbenched_flags(plane, self.desk.booth.members) for plane in self.intends])
        return np.where(flags.any(axis=0), flags.argmax(axis=0), len(flags)).astype(np.uint8)

    def beside(self, others: Sequence[Any]) -> Crowd:
        """Return these runs and others, side by side."""
        parts = [self, *others]
        stance = np.concatenate([part.stance for part in parts], axis=2)
        intends, here = (np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in ("intends", "here"))
        return Crowd(stance, intends, here, self.desk)

    def keep(self, columns: Places) -> Crowd:
        """Return only these runs."""
        stance, intends = self.stance.take(columns, axis=2), self.intends.take(columns, axis=2)
        return Crowd(stance, intends, self.here.take(columns, axis=1), self.desk)

    def think(self, keys: U64, round_: int, urge: Urge) -> Shorts:
        """Let the open think again; return who went from where to where, shape ``(K, K, B)``, off the diagonal."""
        open_, choice = self._ask(keys, round_, urge)
        left = np.flatnonzero(urge.gone >= 0)
        if left.size:  # the voters of who has left must think again, whatever their numbers
            _, again = self.keep(left)._ask(keys[left], round_, urge.of(left)._replace(omega=np.ones(left.size)))
            must = np.take_along_axis(self.intends[..., left], urge.gone[left][None, None], axis=0)[0]
            open_[:, left] |= must
            choice[..., left] = choice[..., left] & ~must | again & must
        old = self.intends
        self.intends = (choice & open_ | old & ~open_) & self.here
        k = len(old)
        flows = np.zeros((k, k, keys.size), dtype=np.int16)
        for a in range(k):
            for b in range(k):
                if a != b:
                    flows[a, b] = total_of_bytes(old[a] & self.intends[b])
        return flows

    def _ask(self, keys: U64, round_: int, urge: Urge) -> tuple[Codes, Codes]:
        """Return who thinks again, and whom everybody would then intend.

        The multinomial logit among those standing, by its cumulative probabilities: the weight of
        who is out is nothing, and of the last bound nothing is left over, whatever the rounding.
        """
        k, finer, states = len(self.stance), rng.finer(keys, round_), rng.pairs(keys, round_)
        share = Share.of(urge, finer)
        pull = np.where(urge.standing, urge.pull, -np.inf).astype(np.float32)
        beyond = np.empty((k - 1, *self.here.shape), dtype=np.uint8)
        open_ = np.empty_like(self.here)
        weights = np.empty((k, self.desk.booth.benches, self.desk.width * SEATS), dtype=np.float32)
        with rng.unbuffered():
            for tile in tiles(keys.size, self.desk.width):
                part, bits = share.part(tile), self.desk.booth.of(states[2 * tile.start : 2 * tile.stop])
                weight = cumulated(self.stance[:, :, tile], pull[:, tile], weights[..., : bits.shape[1]])
                for c in range(k - 1):
                    bound = np.divide(weight[c], weight[-1], out=weight[c])
                    bound *= seats(part.reach)
                    beyond[c][:, tile] = self.desk.beyond(bits, bound, part)
                open_[:, tile] = self.desk.below(bits, part)
        if share.wide:
            open_ |= share.everybody()
        choice = np.concatenate([np.full_like(open_, 255)[None], beyond])  # not below the bound of the one before
        choice[:-1] &= ~beyond
        return open_, choice


def cumulated(stance: Singles, pull: Singles, out: Singles) -> Singles:
    """Return the candidates' weights ``exp(stance + pull)`` added up, shape ``(K, benches, B * SEATS)``.

    Those of a member are in units of its largest one.
    """
    for c, row in enumerate(stance):
        np.add(row.reshape(out[c].shape), seats(pull[c]), out=out[c])
    top = out.max(axis=0)
    for c in range(len(out)):
        out[c] -= top
        np.exp(out[c], out=out[c])
    for c in range(1, len(out)):
        out[c] += out[c - 1]
    return out
