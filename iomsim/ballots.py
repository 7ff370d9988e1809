"""Whom members intend to vote for, round after round: the arithmetic of the booth.

Between two candidates a ballot costs one uniform of sixteen bits.  A member who thinks again with
probability `omega`, and would then intend the first candidate with probability `p`, is told by one
number in [0, 2**16): think again if it lies below ``omega 2**16``, intend the first if it lies
below ``omega p 2**16``.  The digits after the point are shared by all ballots of a run and round,
so that they can be added to the bounds instead: sixteen bits are compared with whole numbers, and
still no probability is rounded.

The odds against the first candidate are a product, of a member's own part `a` (once a run) and a
part `m` that all share (once a round), so that the loop over rounds has no exponential and

    omega p 2**16  =  omega 2**16 / (1 + a m)  =  (omega 2**16 / m) / (1 / m + a)

is one addition and one division a member, between what belongs to the member and two numbers
that belong to the round.

Members sit eight to a bench.  What is said on one bench in one run is a byte, and once the bounds
are compared, eight members are handled at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from iomsim import streams
from iomsim.arrays import U64, Codes, Flags, Floats, Places, Shorts, Singles
from iomsim.benches import SHELF, bench, benched_flags, packed, seats, total_of_bytes, unbenched_flags
from iomsim.streams import SEATS, STEPS

TILE = 1024
"""Runs of a pass over all members: what one pass touches stays in the cache."""

TOP = np.float32(STEPS - 1)
STEEP = 64.0
"""Bound on the common log-odds of a round, inside the range of single precision."""


class Urge(NamedTuple):
    """What moves the members of every run before a round.

    `omega`, the probability to think again, shape ``(B,)``; `pull`, the log-odds every candidate
    gains by what all have seen, ``(K, B)``; `gone`, whose voters must think again, or -1, ``(B,)``;
    `standing`, ``(K, B)``.
    """

    omega: Floats
    pull: Floats
    gone: NDArray[np.integer]
    standing: Flags

    def of(self, columns: Places) -> Urge:
        """Return what moves some of the runs."""
        return Urge(self.omega[columns], self.pull[:, columns], self.gone[columns], self.standing[:, columns])


def tiles(width: int, size: int) -> Iterator[slice]:
    """Cut the columns into tiles."""
    return (slice(start, min(start + size, width)) for start in range(0, width, size))


# -- numbers and bounds -------------------------------------------------------------------------


class Share(NamedTuple):
    """What a round's numbers are compared with, one of each per run.

    `reach` is ``omega 2**16``; `lift`, in [0, 1), makes of a bound with all its digits the whole
    number that sixteen bits are compared with, once the digits after the point are cut off; those
    who think again have bits below the whole number `below`.  `wide` says that whole numbers may
    reach 2**16, which sixteen bits do not hold.
    """

    reach: Singles
    lift: Singles
    below: Singles
    wide: bool

    @classmethod
    def of(cls, urge: Urge, finer: Floats) -> Share:
        """Return the round's share, given the digits after the point of its ballots' numbers."""
        reach = (urge.omega * STEPS).astype(np.float32)
        lift = np.minimum((1.0 - finer).astype(np.float32), np.float32(1.0 - 2.0**-24))
        return cls(reach, lift, np.floor(reach + lift), bool(reach.max(initial=0) > TOP - 1))

    def part(self, tile: slice) -> Share:
        """Return the share of some runs."""
        return Share(self.reach[tile], self.lift[tile], self.below[tile], self.wide)

    def everybody(self) -> Codes:
        """Return all seats of the runs in which sixteen bits cannot say that everybody thinks again."""
        return np.where(self.below > TOP, np.uint8(255), np.uint8(0))


class Desk:
    """Buffers for one tile: arrays made anew for every pass would cost more than the pass."""

    def __init__(self, members: int, width: int) -> None:
        self.booth, self.width = streams.Booth(members, width), width
        seats = self.booth.benches * width * SEATS
        self._bound = np.empty(seats, dtype=np.float32)
        self._whole = np.empty(seats, dtype=np.uint16)
        self._flags = np.empty(seats, dtype=bool)

    def bound(self, width: int) -> Singles:
        """Return room for the bounds of so many runs."""
        return self._bound[: self.booth.benches * width * SEATS].reshape(self.booth.benches, -1)

    def beyond(self, bits: NDArray[np.uint16], bound: Singles, share: Share) -> Codes:
        """Return whose numbers are not below their bounds; the bounds are used up."""
        flags = self._flags[: bits.size].reshape(bits.shape)
        bound += seats(share.lift)
        if share.wide:
            return packed(np.greater_equal(bits, np.floor(bound, out=bound), out=flags))
        whole = self._whole[: bits.size].reshape(bits.shape)
        np.copyto(whole, bound, casting="unsafe")
        return packed(np.greater_equal(bits, whole, out=flags))

    def below(self, bits: NDArray[np.uint16], share: Share) -> Codes:
        """Return whose numbers say that they think again."""
        flags = self._flags[: bits.size].reshape(bits.shape)
        return packed(np.less(bits, seats(np.minimum(share.below, TOP).astype(np.uint16)), out=flags))


# -- two candidates ------------------------------------------------------------------------------


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
        share, states = Share.of(urge, streams.finer(keys, round_)), streams.pairs(keys, round_)
        near = np.exp(np.clip(urge.pull[0] - urge.pull[1], -STEEP, STEEP).astype(np.float32))
        far = at_least(share.reach, near)
        beyond, open_ = np.empty((2, *self.second.shape), dtype=np.uint8)
        with streams.unbuffered():
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


def at_least(reach: Singles, near: Singles) -> Singles:
    """Return ``reach * near``, not rounded down: divided by `near` it is never less than `reach`.

    So a member whose odds against the first candidate are 0 never goes to the second.
    """
    exact = reach.astype(np.float64) * near
    product = exact.astype(np.float32)
    return np.where(product < exact, np.nextafter(product, np.float32(np.inf)), product)


# -- three and more ------------------------------------------------------------------------------


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
        k, finer, states = len(self.stance), streams.finer(keys, round_), streams.pairs(keys, round_)
        share = Share.of(urge, finer)
        pull = np.where(urge.standing, urge.pull, -np.inf).astype(np.float32)
        beyond = np.empty((k - 1, *self.here.shape), dtype=np.uint8)
        open_ = np.empty_like(self.here)
        weights = np.empty((k, self.desk.booth.benches, self.desk.width * SEATS), dtype=np.float32)
        with streams.unbuffered():
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
