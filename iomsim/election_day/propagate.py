"""A round in every particle: what is expected of it, who takes part, who votes how, and the weight of its tally.

A tally multiplies every particle's weight by its exact probability; who was there, what all members intended and,
in the first round, their convictions are then drawn given it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from iomsim.election_day.conditioning import TINY, distribution, sample_sum, sample_votes
from iomsim.election_day.state import (
    ObservedRound,
    Particles,
    by_code,
    chunks,
    columns,
    gathered,
    intention_probabilities,
    odds_of_all,
)
from iomsim.election_day.tally import Tally
from iomsim.engine.plan import Draws, Plan
from iomsim.engine.rng import normal_block
from iomsim.typing import Codes, Flags, Floats, Shorts, Singles

PAIRS = 3
"""Pairs of convictions, z and -z, proposed for every member in the first round."""

UNINFORMATIVE = 0.9
"""Bounds that hold more often say nothing of a candidate."""

# -- who takes part ------------------------------------------------------------------------------


def still_away(plan: Plan, particles: Particles) -> Floats:
    """Return the probability that each member is absent, given who has voted so far.

    Where the votes needed depend on the members present, the rounds held say something about their
    number, and it stays as it was drawn.
    """
    rounds = len(particles.rounds)
    if not rounds:
        return plan.absent
    if "present" in plan.rules.bases:
        return particles.draws.absent.astype(float)
    away = plan.absent
    silent = (1.0 - away) * plan.abstain**rounds
    return np.where(particles.seen, 0.0, away / np.maximum(away + silent, TINY))


def sample_attendance(
    rng: np.random.Generator, plan: Plan, particles: Particles, valid: int | None
) -> tuple[Flags, Flags, Floats]:
    """Draw who hands in a valid paper and who is absent, given the number of papers if it is known.

    Returns
    -------
    voters, absent : ndarrays of bool, shape (N, P)
    log_chance : ndarray, shape (P,)
        Log-probability of the number of papers.
    """
    shape = particles.draws.absent.shape
    away = still_away(plan, particles)
    miss = away + (1.0 - away) * plan.abstain
    if valid is None:
        missing, log_chance = rng.random(shape) < miss, np.zeros(shape[1])
    else:
        number = np.full(shape[1], shape[0] - valid)
        missing, log_chance = sample_sum(rng, miss, number, number)
    absent = missing & (rng.random(shape) * miss < away)
    return ~missing, absent, log_chance


# -- a round -------------------------------------------------------------------------------------


def propagate(
    rng: np.random.Generator, plan: Plan, particles: Particles, observed: ObservedRound, tally: Tally
) -> tuple[Particles, Shorts]:
    """Propagate the particles through a round of which something was announced.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    plan : Plan
        The election.
    particles : Particles
        The particles before the round.
    observed : ObservedRound
        The round; its `intention` is still empty.
    tally : Tally
        What was announced.

    Returns
    -------
    particles : Particles
        The particles after it: weights multiplied by the probability of what was announced, and everybody's
        intention drawn given it.
    votes : ndarray of int, shape (K, P)
        The tally in every particle.
    """
    where = chunks(plan, particles.size)
    parts = (_propagate(rng, plan, particles.pick(part), columns(observed, part), tally) for part in where)
    sample = RoundSample(*gathered(parts, where))
    draws = replace(particles.draws, absent=sample.absent)
    if not particles.rounds:
        draws = replace(draws, conviction=sample.conviction)
    moved = Particles(
        draws=draws,
        log_weight=particles.log_weight + sample.log_chance,
        seen=particles.seen | sample.voters,
        rounds=(*particles.rounds, replace(observed, intention=sample.intention)),
    )
    return moved, sample.votes


class RoundSample(NamedTuple):
    """A round drawn given its tally: voters, absent, intentions, (in the first) convictions, votes, log-weights."""

    voters: Flags
    absent: Flags
    intention: Codes
    conviction: Singles
    votes: Shorts
    log_chance: Floats


def _propagate(
    rng: np.random.Generator, plan: Plan, particles: Particles, observed: ObservedRound, tally: Tally
) -> RoundSample:
    voters, absent, log_valid = sample_attendance(rng, plan, particles, tally.valid)
    before, draws = particles.intention, particles.draws
    proposed = propose_convictions(rng, plan, draws) if before is None else [draws]
    chances = [intention_probabilities(plan, d, odds_of_all(plan, d), observed, before) for d in proposed]
    chance = np.add.reduce(chances) / np.float32(len(proposed))
    choice, log_tally = sample_votes(rng, chance, voters, tally.low, tally.high)
    silent = np.nonzero(~voters)
    intention = choice.copy()
    bounds = np.cumsum(chance[:-1, *silent], axis=0)
    intention[silent] = (rng.random(silent[0].size) >= bounds).sum(axis=0, dtype=np.uint8)
    conviction = draws.conviction[..., :0, :]
    if before is None:
        conviction = keep_conviction(rng, proposed, chances, intention)
    votes = np.stack([np.count_nonzero(choice == k, axis=0) for k in range(plan.candidates)]).astype(np.int16)
    return RoundSample(voters, absent, intention, conviction, votes, log_valid + log_tally)


# Before the first tally nothing is known of a member's conviction.  A member's probability, averaged over several
# proposed convictions, is an unbiased estimate of its mean over all of them; members are independent and the
# probability of a tally is linear in each, so the weight stays unbiased too and hardly depends on what was
# proposed.  One of them is then kept, with probability in proportion to that of what the member intended.


def propose_convictions(rng: np.random.Generator, plan: Plan, draws: Draws) -> list[Draws]:
    """Return the draws with several convictions, their own first, in antithetic pairs."""
    if not plan.behaviour.conviction:
        return [draws]
    shape = draws.conviction.shape
    own = [draws.conviction, *(normal_block(rng, shape) for _ in range(PAIRS - 1))]
    return [replace(draws, conviction=sign * z) for z in own for sign in (np.float32(1), np.float32(-1))]


def keep_conviction(
    rng: np.random.Generator, proposed: list[Draws], chances: list[Singles], intention: Codes
) -> Singles:
    """Keep one conviction of every member, in proportion to the probability of what the member intends."""
    likelihood = list(accumulate(by_code(intention, chance) for chance in chances))
    u = rng.random(intention.shape) * likelihood[-1]
    kept = np.zeros(intention.shape, dtype=np.uint8)
    for reached in likelihood[:-1]:
        kept += u >= reached
    convictions = np.stack([draws.conviction for draws in proposed])
    if convictions.ndim == 3:
        return by_code(kept, convictions)
    return np.stack([by_code(kept, convictions[:, k]) for k in range(convictions.shape[1])])


# -- what is expected ----------------------------------------------------------------------------


class Moments(NamedTuple):
    """Mean, variance and third central moment of sums of independent members, in every particle."""

    mean: Floats
    variance: Floats
    third: Floats

    @classmethod
    def of(cls, p: Floats | Singles, weight: Floats | float = 1.0) -> Moments:
        """Return the moments of the sum over members (last axis but one) of indicators of chance `p`."""
        one, two, three = ((weight * p**power).sum(axis=-2) for power in (1, 2, 3))
        return cls(one, one - two, one - 3 * two + 2 * three)

    def up_to(self, count: float) -> Floats:
        """Return the probability of at most `count` in every particle."""
        return distribution(count, *self)


class Expected(NamedTuple):
    """What every particle expects of a round: of each candidate's votes, (K, P), and of the valid papers, (P,)."""

    votes: Moments
    papers: Moments


class Surprise(NamedTuple):
    """How far out an announcement lies: the probability of anything as far out, and what it is about."""

    odds: float
    what: str


def expect(plan: Plan, particles: Particles, observed: ObservedRound, valid: int | None) -> Expected:
    """Return what every particle expects of a round, given the number of valid papers if it is known."""
    where = chunks(plan, particles.size)
    parts = (_expect(plan, particles.pick(part), columns(observed, part), valid) for part in where)
    found = gathered(((*votes, *papers) for votes, papers in parts), where)
    return Expected(Moments(*found[:3]), Moments(*found[3:]))


def _expect(plan: Plan, particles: Particles, observed: ObservedRound, valid: int | None) -> Expected:
    odds = odds_of_all(plan, particles.draws)
    chance = intention_probabilities(plan, particles.draws, odds, observed, particles.intention)
    away = still_away(plan, particles)
    votes = np.broadcast_to((1.0 - away) * (1.0 - plan.abstain), particles.draws.absent.shape)
    if valid is None:
        return Expected(Moments.of(chance * votes), Moments.of(votes))
    return Expected(Moments.of(chance, votes * valid / np.maximum(votes.sum(axis=0), TINY)), Moments.of(votes))


def surprise(tally: Tally, expected: Expected, w: Floats) -> Surprise:
    """Return how far out an announcement lies under the weighted particles.

    A count is as far out as the rarer of "at most as many" and "at least as many", doubled; a bound as
    far as it is improbable.  Of several candidates the rarest counts, times how many of them are free
    to vary (Bonferroni).  The number of valid papers is judged likewise, and the rarer of the two is returned.
    """
    k = len(tally.names)
    moments = [Moments(*(part[c] for part in expected.votes)) for c in range(k)]
    odds = [_odds(m, low, high, w) for m, low, high in zip(moments, tally.low, tally.high, strict=True)]
    told = [c for c in range(k) if tally.low[c] == tally.high[c] or odds[c] < UNINFORMATIVE]
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
