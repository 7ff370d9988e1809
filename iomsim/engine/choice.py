"""Whom members intend to vote for, round after round: what two and more candidates have in common.

Between two candidates a ballot costs one uniform of sixteen bits.  A member who thinks again with
probability `omega`, and would then intend the first candidate with probability `p`, is decided by one
number in [0, 2**16): think again if it lies below ``omega 2**16``, intend the first if it lies
below ``omega p 2**16``.  The digits after the point are shared by all ballots of a run and round,
so that they can be added to the thresholds instead: sixteen bits are compared with whole numbers, and
still no probability is rounded.

The odds against the first candidate are a product, of a member's own part `a` (once a run) and a
part `m` that all share (once a round), so that the loop over rounds has no exponential and

    omega p 2**16  =  omega 2**16 / (1 + a m)  =  (omega 2**16 / m) / (1 / m + a)

is one addition and one division a member, between what belongs to the member and two numbers
that belong to the round.

Members are packed eight to a byte (`packing`); once the thresholds are compared, eight are handled at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from iomsim.engine.packing import MEMBERS_PER_BYTE, BallotBits, for_each_member, to_bytes
from iomsim.engine.rng import STEPS
from iomsim.typing import Codes, Flags, Floats, Singles

TILE = 1024
"""Runs of a pass over all members: what one pass touches stays in the cache."""

TOP = np.float32(STEPS - 1)


class Reconsideration(NamedTuple):
    """What moves the members of every run before a round.

    `omega`, the probability to think again, shape ``(B,)``; `pull`, the log-odds every candidate
    gains by the last tally and by the round's shocks, ``(K, B)``; `shocks`, those alone; `departed`, whose
    voters must think again, without the last tally's pull, ``(K, B)``; `standing`, ``(K, B)``; `recalled`, members
    who must too, as the candidate to whom they are pinned is back, a bit each, ``(octets, B)``.  Between two
    candidates who stay in the race nobody departs or comes back.
    """

    omega: Floats
    pull: Floats
    shocks: Floats
    departed: Flags
    standing: Flags
    recalled: Codes | None = None


def tiles(width: int, size: int) -> Iterator[slice]:
    """Cut the columns into tiles."""
    return (slice(start, min(start + size, width)) for start in range(0, width, size))


class Thresholds(NamedTuple):
    """What a round's numbers are compared with, one of each per run.

    `reach` is ``omega 2**16``; `lift`, in [0, 1), makes of a threshold with all its digits the whole
    number that sixteen bits are compared with, once the digits after the point are cut off; those
    who think again have bits below the whole number `below`.  `wide` says that whole numbers may
    reach 2**16, which sixteen bits do not hold.
    """

    reach: Singles
    lift: Singles
    below: Singles
    wide: bool

    @classmethod
    def of(cls, omega: Floats, fraction: Floats) -> Thresholds:
        """Return the round's thresholds, given the digits after the point of its ballots' numbers."""
        reach = (omega * STEPS).astype(np.float32)
        lift = np.minimum((1.0 - fraction).astype(np.float32), np.float32(1.0 - 2.0**-24))
        return cls(reach, lift, np.floor(reach + lift), bool(reach.max(initial=0) > TOP - 1))

    def part(self, tile: slice) -> Thresholds:
        """Return the thresholds of some runs."""
        return Thresholds(self.reach[tile], self.lift[tile], self.below[tile], self.wide)

    def everybody(self) -> Codes:
        """Return all members of the runs in which sixteen bits cannot say that everybody thinks again."""
        return np.where(self.below > TOP, np.uint8(255), np.uint8(0))


class Workspace:
    """Buffers for one tile: arrays made anew for every pass would cost more than the pass."""

    def __init__(self, members: int, width: int) -> None:
        self.bits, self.width = BallotBits(members, width), width
        places = self.bits.octets * width * MEMBERS_PER_BYTE
        self._threshold = np.empty(places, dtype=np.float32)
        self._whole = np.empty(places, dtype=np.uint16)
        self._flags = np.empty(places, dtype=bool)

    def threshold(self, width: int) -> Singles:
        """Return room for the thresholds of so many runs."""
        return self._threshold[: self.bits.octets * width * MEMBERS_PER_BYTE].reshape(self.bits.octets, -1)

    def beyond(self, bits: NDArray[np.uint16], threshold: Singles, thresholds: Thresholds) -> Codes:
        """Return whose numbers are not below their thresholds; these are used up."""
        flags = self._flags[: bits.size].reshape(bits.shape)
        threshold += for_each_member(thresholds.lift)
        if thresholds.wide:
            return to_bytes(np.greater_equal(bits, np.floor(threshold, out=threshold), out=flags))
        whole = self._whole[: bits.size].reshape(bits.shape)
        np.copyto(whole, threshold, casting="unsafe")
        return to_bytes(np.greater_equal(bits, whole, out=flags))

    def below(self, bits: NDArray[np.uint16], thresholds: Thresholds) -> Codes:
        """Return whose numbers say that they think again."""
        flags = self._flags[: bits.size].reshape(bits.shape)
        whole = for_each_member(np.minimum(thresholds.below, TOP).astype(np.uint16))
        return to_bytes(np.less(bits, whole, out=flags))
