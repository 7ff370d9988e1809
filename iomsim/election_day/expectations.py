"""What the possible worlds expect of a round, and how far from it an announcement lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from iomsim.election_day.conditioning import TINY, up_to
from iomsim.election_day.particles import CHUNK, Cloud, Passage, chances, columns
from iomsim.election_day.propagate import still_away
from iomsim.election_day.tally import Tally
from iomsim.engine.plan import Plan
from iomsim.typing import Floats, Singles

OPEN = 0.9
"""Bounds that hold more often say nothing of a candidate."""


class Moments(NamedTuple):
    """Mean, variance and third central moment of sums of independent members, in every world."""

    mean: Floats
    variance: Floats
    third: Floats

    @classmethod
    def of(cls, p: Floats | Singles, weight: Floats | float = 1.0) -> Moments:
        """Return the moments of the sum over members (last axis but one) of indicators of chance `p`."""
        one, two, three = ((weight * p**power).sum(axis=-2) for power in (1, 2, 3))
        return cls(one, one - two, one - 3 * two + 2 * three)

    def up_to(self, count: float) -> Floats:
        """Return the probability of at most `count` in every world."""
        return up_to(count, *self)


class Expected(NamedTuple):
    """What every world expects of a round: of each candidate's votes, (K, P), and of the valid papers, (P,)."""

    votes: Moments
    papers: Moments


class Surprise(NamedTuple):
    """How far out an announcement lies: the probability of anything as far out, and what it is about."""

    odds: float
    what: str


def expect(plan: Plan, cloud: Cloud, lived: Passage, valid: int | None) -> Expected:
    """Return what every world expects of a round, given the number of valid papers if it is known."""
    parts = (slice(start, start + CHUNK) for start in range(0, cloud.size, CHUNK))
    found = [_expect(plan, cloud.pick(part), columns(lived, part), valid) for part in parts]
    votes, papers = zip(*found, strict=True)
    return Expected(_joined(votes), _joined(papers))


def _joined(parts: Sequence[Moments]) -> Moments:
    return Moments(*(np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)))


def _expect(plan: Plan, cloud: Cloud, lived: Passage, valid: int | None) -> Expected:
    chance = chances(plan, cloud.draws, cloud.stance, lived, cloud.intention if cloud.passages else None)
    away = still_away(plan, cloud)
    votes = np.broadcast_to((1.0 - away) * (1.0 - plan.abstain), cloud.draws.absent.shape)
    if valid is None:
        return Expected(Moments.of(chance * votes), Moments.of(votes))
    return Expected(Moments.of(chance, votes * valid / np.maximum(votes.sum(axis=0), TINY)), Moments.of(votes))


def surprise(tally: Tally, expected: Expected, w: Floats) -> Surprise:
    """Return how far out an announcement lies in the eyes of weighted worlds.

    A count is as far out as the rarer of "at most as many" and "at least as many", doubled; a bound as
    far as it is improbable.  Of several candidates the rarest counts, times how many of them are free
    to vary (Bonferroni).  The number of valid papers is judged likewise, and the rarer of the two is told.
    """
    k = len(tally.names)
    moments = [Moments(*(part[c] for part in expected.votes)) for c in range(k)]
    odds = [_odds(m, low, high, w) for m, low, high in zip(moments, tally.low, tally.high, strict=True)]
    told = [c for c in range(k) if tally.low[c] == tally.high[c] or odds[c] < OPEN]
    votes = min(1.0, min(odds) * max(1, len(told) - 1))
    papers = 1.0 if tally.valid is None else _odds(expected.papers, tally.valid, tally.valid, w)
    if tally.valid is not None and papers < votes:
        many = "many" if w @ expected.papers.mean < tally.valid else "few"
        return Surprise(papers, f"so {many} valid papers")
    return Surprise(votes, "a tally this far out")


def _odds(expected: Moments, low: int, high: int, w: Floats) -> float:
    at_least, at_most = 1.0 - float(w @ expected.up_to(low - 1)), float(w @ expected.up_to(high))
    if low == high:
        return min(1.0, 2 * min(at_least, at_most))
    return max(0.0, min(at_least, at_most))
