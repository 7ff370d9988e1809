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
from iomsim.streams import SEATS, STEPS, U64, Floats

TILE = 1024
"""Runs of a pass over all members: what one pass touches stays in the cache."""

SCALE = np.float32(STEPS)
TOP = np.float32(STEPS - 1)
STEEP = 64.0
"""Bound on the common log-odds of a round, inside the range of single precision."""

Singles = NDArray[np.float32]
Codes = NDArray[np.uint8]
Counts = NDArray[np.int16]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


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

    def part(self, tile: slice) -> Urge:
        """Return what moves some of the runs."""
        return Urge(self.omega[tile], self.pull[:, tile], self.gone[tile], self.standing[:, tile])


def tiles(width: int, size: int | None = None) -> Iterator[slice]:
    """Cut the columns into tiles."""
    return (slice(start, min(start + (size or TILE), width)) for start in range(0, width, size or TILE))


def total(flags: Codes) -> Counts:
    """Count the members flagged in every column, in the narrowest numbers that hold them."""
    narrow = np.uint8 if len(flags) < 256 else np.uint16
    return np.add.reduce(flags, axis=0, dtype=narrow).astype(np.int16)


def total_of_bytes(benches: Codes) -> Counts:
    """Count the members flagged in every column, eight to a byte."""
    narrow = np.uint8 if SEATS * len(benches) < 256 else np.uint16
    return np.add.reduce(np.bitwise_count(benches), axis=0, dtype=narrow).astype(np.int16)


# -- two candidates ------------------------------------------------------------------------------


class Desk:
    """Buffers for one tile: arrays made anew for every pass would cost more than the pass."""

    def __init__(self, members: int) -> None:
        self.booth = streams.Booth(members, TILE)
        seats = self.booth.benches * TILE * SEATS
        self._bound = np.empty(seats, dtype=np.float32)
        self._whole = np.empty(seats, dtype=np.uint16)
        self._flags = np.empty(seats, dtype=bool)

    def room(self, width: int) -> tuple[Singles, NDArray[np.uint16], Flags]:
        """Return room for bounds, their integer parts, and flags."""
        shape = self.booth.benches, width * SEATS
        size = shape[0] * shape[1]
        return self._bound[:size].reshape(shape), self._whole[:size].reshape(shape), self._flags[:size].reshape(shape)


@dataclass
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
        desk = Desk(shape[0])
        against = np.zeros((desk.booth.benches, width, SEATS), dtype=np.float32)
        return cls(against, np.zeros(against.shape[:2], dtype=np.uint8), desk)

    def put(self, columns: slice, against: Singles, intention: Codes) -> None:
        """Seat the members of some runs, from arrays ``(N, B)``."""
        bench(against, self.against[:, columns])
        if intention.any():
            flags = np.zeros((len(self.second), len(against[0]), SEATS), dtype=bool)
            bench(intention == 1, flags)
            self.second[:, columns] = packed(flags.reshape(len(flags), -1))

    def intentions(self) -> Codes:
        """Return whom members intend, shape ``(N, B)``."""
        seats = np.unpackbits(self.second[..., None], axis=2, bitorder="little")
        return seats.transpose(0, 2, 1).reshape(-1, self.second.shape[1])[: self.desk.booth.members]

    def beside(self, others: Sequence[Any]) -> Pair:
        """Return these runs and others, side by side."""
        parts = [self, *others]
        against = np.concatenate([part.against for part in parts], axis=1)
        return Pair(against, np.concatenate([part.second for part in parts], axis=1), self.desk)

    def keep(self, columns: Places) -> Pair:
        """Return only these runs."""
        return Pair(self.against.take(columns, axis=1), self.second.take(columns, axis=1), self.desk)

    def think(self, keys: U64, round_: int, urge: Urge) -> Counts:
        """Let the open think again; return who went from where to where, shape ``(2, 2, B)``, off the diagonal."""
        share = Share.of(urge, streams.finer(keys, round_))
        says = np.empty((2, *self.second.shape), dtype=np.uint8)
        states = streams.pairs(keys, round_)
        with streams.unbuffered():
            for tile in tiles(keys.size):
                bits = self.desk.booth.of(states[2 * tile.start : 2 * tile.stop])
                self._ask(self.against[:, tile], bits, share.part(tile), says[..., tile])
        beyond, open_ = says
        if share.wide:
            open_ |= np.where(share.below > TOP, np.uint8(255), np.uint8(0))
        old = self.second
        open_ |= old
        self.second = np.bitwise_and(beyond, open_, out=beyond)
        flows = np.zeros((2, 2, keys.size), dtype=np.int16)
        flows[0, 1] = total_of_bytes(self.second & ~old)
        flows[1, 0] = total_of_bytes(old & ~self.second)
        return flows

    def _ask(self, against: Singles, bits: NDArray[np.uint16], share: Share, says: Codes) -> None:
        """Write down whose numbers lie at or beyond the bound for the first candidate, and who thinks again."""
        bound, whole, flags = self.desk.room(share.near.size)
        np.add(against.reshape(bound.shape), seats(share.near), out=bound)
        np.divide(seats(share.far), bound, out=bound)
        bound += seats(share.lift)
        if share.wide:
            np.greater_equal(bits, np.floor(bound, out=bound), out=flags)
        else:
            np.copyto(whole, bound, casting="unsafe")
            np.greater_equal(bits, whole, out=flags)
        says[0] = packed(flags)
        says[1] = packed(np.less(bits, seats(np.minimum(share.below, TOP).astype(np.uint16)), out=flags))


class Share(NamedTuple):
    """What belongs to a round alone, one number per run.

    `near` is ``1 / m`` and `far` is ``omega 2**16 / m``; `lift`, in [0, 1), makes of a bound with
    all its digits the whole number that sixteen bits are compared with, once the digits after the
    point are cut off; those who think again have bits below the whole number `below`.  `wide` says
    that whole numbers may reach 2**16, which sixteen bits do not hold.
    """

    near: Singles
    far: Singles
    lift: Singles
    below: Singles
    wide: bool

    @classmethod
    def of(cls, urge: Urge, finer: Floats) -> Share:
        """Return the round's share, given the digits after the point of its ballots' numbers."""
        reach = (urge.omega * STEPS).astype(np.float32)
        near = np.exp(np.clip(urge.pull[0] - urge.pull[1], -STEEP, STEEP).astype(np.float32))
        lift = np.minimum((1.0 - finer).astype(np.float32), np.float32(1.0 - 2.0**-24))
        return cls(near, at_least(reach, near), lift, np.floor(reach + lift), bool(reach.max(initial=0) > TOP - 1))

    def part(self, tile: slice) -> Share:
        """Return the share of some runs."""
        return Share(self.near[tile], self.far[tile], self.lift[tile], self.below[tile], self.wide)


def seats(column: np.ndarray) -> np.ndarray:
    """Repeat a number per run for every seat of a bench."""
    return column.repeat(SEATS)


def at_least(reach: Singles, near: Singles) -> Singles:
    """Return ``reach * near``, not rounded down: divided by `near` it is never less than `reach`.

    So a member whose odds against the first candidate are 0 never goes to the second.
    """
    exact = reach.astype(np.float64) * near
    product = exact.astype(np.float32)
    return np.where(product < exact, np.nextafter(product, np.float32(np.inf)), product)


def bench(array: np.ndarray, seats: np.ndarray) -> None:
    """Seat members: copy ``(N, B)`` to ``(benches, B, SEATS)``; empty seats stay as they are."""
    for seat in range(SEATS):
        row = array[seat::SEATS]
        seats[: len(row), :, seat] = row


def packed(flags: Flags) -> Codes:
    """Write a bench's flags as one byte: ``(benches, B * SEATS)`` to ``(benches, B)``."""
    return np.packbits(flags.reshape(-1), bitorder="little").reshape(len(flags), -1)


# -- three and more ------------------------------------------------------------------------------


@dataclass
class Crowd:
    """The intentions of members among three or more candidates, B runs abreast.

    Attributes
    ----------
    stance : ndarray of float32, shape (K, N, B)
        Log-odds of every candidate.
    intention : ndarray of uint8, shape (N, B)
        Candidate a member intends to vote for; K for the absent.
    """

    stance: Singles
    intention: Codes
    booth: streams.Booth = field(repr=False)

    @classmethod
    def room(cls, shape: tuple[int, ...], width: int) -> Crowd:
        """Return room for `width` runs of arrays of this shape."""
        k, n, _ = shape
        intention = np.zeros((n, width), dtype=np.uint8)
        return cls(np.empty((k, n, width), dtype=np.float32), intention, streams.Booth(n, TILE))

    def put(self, columns: slice, stance: Singles, intention: Codes) -> None:
        """Seat the members of some runs."""
        self.stance[..., columns] = stance
        self.intention[..., columns] = intention

    def intentions(self) -> Codes:
        """Return whom members intend, shape ``(N, B)``."""
        return self.intention.copy()

    def beside(self, others: Sequence[Any]) -> Crowd:
        """Return these runs and others, side by side."""
        parts = [self, *others]
        stance = np.concatenate([part.stance for part in parts], axis=-1)
        return Crowd(stance, np.concatenate([part.intention for part in parts], axis=-1), self.booth)

    def keep(self, columns: Places) -> Crowd:
        """Return only these runs."""
        return Crowd(self.stance.take(columns, axis=-1), self.intention.take(columns, axis=-1), self.booth)

    def think(self, keys: U64, round_: int, urge: Urge) -> Counts:
        """Let the open think again; return who went from where to where, shape ``(K, K, B)``, off the diagonal."""
        k = len(self.stance)
        flows = np.zeros((k, k, keys.size), dtype=np.int16)
        for tile in tiles(keys.size):
            flows[:, :, tile] = self._think(tile, keys[tile], round_, urge.part(tile))
        return flows

    def _think(self, tile: slice, keys: U64, round_: int, urge: Urge) -> Counts:
        """Let members think again one by one, but all of a tile at once.

        Only members whose leading bits say that they may think again are looked at.
        """
        k, width, intention = len(self.stance), keys.size, self.intention[:, tile]
        reach = urge.omega * STEPS
        member, column = self._suspects(keys, round_, np.where(urge.gone >= 0, float(STEPS), reach))
        old = intention[member, column]
        s = streams.ballot(keys[column], round_, member.astype(np.uint64))
        reach = np.where(old == urge.gone[column], float(STEPS), reach[column])
        think = np.flatnonzero((s < reach) & (old < k))
        member, column, old = member[think], column[think], old[think]
        new = choose(self.stance[:, :, tile][:, member, column], urge, column, s[think] / reach[think])
        moved = np.flatnonzero(old != new)
        member, column, old, new = member[moved], column[moved], old[moved], new[moved]
        intention[member, column] = new
        code = (old.astype(np.int64) * k + new) * width + column
        return np.bincount(code, minlength=k * k * width).reshape(k, k, width).astype(np.int16)

    def _suspects(self, keys: U64, round_: int, reach: Floats) -> tuple[Places, Places]:
        """Return member and column wherever the leading bits leave open that a member thinks again."""
        limit = np.repeat(np.minimum(reach, TOP).astype(np.uint16), SEATS)
        row, place = np.divmod(np.flatnonzero(self.booth.bits(keys, round_) <= limit), limit.size)
        member, column = SEATS * row + place % SEATS, place // SEATS
        real = member < len(self.intention)
        return member[real], column[real]


def choose(stance: Singles, urge: Urge, column: Places, u: Floats) -> Codes:
    """Return whom members intend when they think again, by uniforms `u`.

    The multinomial logit among those standing, by its cumulative probabilities.  Nobody chooses
    a candidate who is out, whatever the rounding.

    Parameters
    ----------
    stance : ndarray of float32, shape (K, n)
        Log-odds of these members; changed.
    urge : Urge
        What moves them.
    column, u : ndarrays, shape (n,)
        Their runs, and a uniform for each.
    """
    standing = urge.standing
    stance += np.where(standing, urge.pull, -np.inf).astype(np.float32)[:, column]
    stance -= stance.max(axis=0)
    np.exp(stance, out=stance)
    bounds = np.cumsum(stance, axis=0)
    bounds /= bounds[-1]
    last = len(standing) - 1 - standing[::-1].argmax(axis=0)
    return np.minimum((u >= bounds[:-1]).sum(axis=0), last[column]).astype(np.uint8)
