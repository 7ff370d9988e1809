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
    absence,
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
from iomsim.typing import Codes, Flags, Floats, Longs, Shorts, Singles

PAIRS = 3
"""Pairs of convictions, z and -z, proposed for every member in the first round."""

HARDLY = 1e-6
"""Chance that a free member who was there is away in the next round, or the other way round."""

UNINFORMATIVE = 0.9
"""Bounds that hold more often say nothing of a candidate."""

# -- who takes part ------------------------------------------------------------------------------


def still_away(plan: Plan, particles: Particles) -> Floats:
    """Return the probability that each member is absent, given who has voted so far.

    Where the members present were announced, or the votes needed depend on them, so that the rounds held say
    something about their number, it stays as it was drawn: a member who may come and go does so hardly ever.
    """
    rounds = len(particles.rounds)
    away = absence(plan)
    if not rounds:
        return away
    if particles.called:
        drawn = particles.draws.absent.astype(float)
        return np.where((away > 0) & (away < 1), np.clip(drawn, HARDLY, 1.0 - HARDLY), drawn)
    might = sum((~known.barred[:, None]).astype(int) for known in particles.rounds)  # rounds in which each might vote
    silent = (1.0 - away) * plan.abstain**might
    return np.where(particles.seen, 0.0, away / np.maximum(away + silent, TINY))


class Attendance(NamedTuple):
    """Who hands in a paper for a candidate, who a valid paper at all, who is absent, (N, P); and the log-chance, (P,).

    The log-chance is that of what was announced of the papers and of the members present.
    """

    voters: Flags
    papers: Flags
    absent: Flags
    log_chance: Floats


def sample_attendance(
    rng: np.random.Generator,
    plan: Plan,
    particles: Particles,
    observed: ObservedRound,
    tally: Tally,
) -> Attendance:
    """Draw who takes part in a round, given what was announced of the papers and of the members present.

    Notes
    -----
    A paper for a name that does not stand, like an abstention, does not depend on the member's intention, and says
    that the member is there.  Who of the free members handed in such a paper is drawn given their number; if that was
    not announced, as `stray` says.  Where the scenario knows none, but some were announced, they are drawn from those
    of the free members who hand in a valid paper, all alike, and teach nothing.
    """
    members, size = shape = particles.draws.absent.shape
    barred = observed.barred[:, None]
    away = np.where(barred, 1.0, still_away(plan, particles))
    if tally.valid is None and tally.counted is not None:
        return _attendance_of(rng, plan, particles, observed, tally, away)
    miss = away + (1.0 - away) * plan.abstain
    if tally.valid is None and tally.present is not None:
        absent, log_chance = sample_sum(rng, away, *_exactly(members - tally.present, size))
        missing = absent | (rng.random(shape) < plan.abstain)
    else:
        if tally.valid is None:
            missing, log_chance = rng.random(shape) < miss, np.zeros(size)
        else:
            missing, log_chance = sample_sum(rng, miss, *_exactly(members - tally.valid, size))
        if tally.present is None:
            absent = missing & (rng.random(shape) * miss < away)
        else:
            gone = np.where(missing, away / np.maximum(miss, TINY), 0.0)
            absent, log_present = sample_sum(rng, gone, *_exactly(members - tally.present, size))
            log_chance = log_chance + log_present
    papers, absent = ~missing, np.where(barred, particles.draws.absent, absent)
    strays, log_strays = sample_strays(rng, plan, papers, tally)
    return Attendance(papers & ~strays, papers, absent, log_chance + log_strays)


def sample_strays(rng: np.random.Generator, plan: Plan, papers: Flags, tally: Tally) -> tuple[Flags, Floats]:
    """Draw whose valid papers are for names that do not stand, given their number if it is known; and its log-chance.

    Where the scenario expects none, their number is taken as it is.
    """
    others, expected, nothing = tally.others, tally.strays, np.zeros(papers.shape[1])
    if not expected and not others:
        return np.zeros_like(papers), nothing
    free = papers & (plan.pins[:, None] < 0)
    if others is None:
        return free & (rng.random(papers.shape) < plan.stray), nothing
    alike = plan.behaviour.stray if expected else np.minimum(1.0, others / np.maximum(free.sum(axis=0), 1))
    strays, log_chance = sample_sum(rng, np.where(free, alike, 0.0), *_exactly(others, papers.shape[1]))
    return strays, log_chance if expected else np.where(np.isfinite(log_chance), 0.0, -np.inf)


def _attendance_of(
    rng: np.random.Generator,
    plan: Plan,
    particles: Particles,
    observed: ObservedRound,
    tally: Tally,
    away: Floats,
) -> Attendance:
    """Draw who takes part where the papers for candidates are known, but not how many others are valid."""
    assert tally.counted is not None
    members, size = shape = particles.draws.absent.shape
    there = (1.0 - away) * (1.0 - (1.0 - plan.abstain) * (1.0 - plan.stray))  # but without a paper for a candidate
    none, log_chance = sample_sum(rng, away + there, *_exactly(members - tally.counted, size))
    gone = np.where(none, away / np.maximum(away + there, TINY), 0.0)
    if tally.present is None:
        absent = rng.random(shape) < gone
    else:
        absent, log_present = sample_sum(rng, gone, *_exactly(members - tally.present, size))
        log_chance = log_chance + log_present
    stray = (1.0 - away) * (1.0 - plan.abstain) * plan.stray
    strays = none & ~absent & (rng.random(shape) * there < stray)
    absent = np.where(observed.barred[:, None], particles.draws.absent, absent)
    return Attendance(~none, ~none | strays, absent, log_chance)


def _exactly(number: int, size: int) -> tuple[Longs, Longs]:
    """Return a number as both bounds in every particle."""
    return np.full(size, number), np.full(size, number)


# -- a round -------------------------------------------------------------------------------------


def propagate(
    rng: np.random.Generator, plan: Plan, particles: Particles, observed: ObservedRound, tally: Tally
) -> tuple[Particles, Shorts, Shorts]:
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
    papers : ndarray of int, shape (P,)
        The valid papers in every particle.
    """
    where = chunks(plan, particles.size)
    parts = (_propagate(rng, plan, particles.pick(part), columns(observed, part), tally) for part in where)
    sample = RoundSample(*gathered(parts, where))
    draws = replace(particles.draws, absent=sample.absent)
    if not particles.rounds:
        draws = replace(draws, conviction=sample.conviction)
    moved = replace(
        particles,
        draws=draws,
        log_weight=particles.log_weight + sample.log_chance,
        seen=particles.seen | sample.papers,
        called=particles.called or tally.present is not None,
        rounds=(*particles.rounds, replace(observed, intention=sample.intention)),
    )
    return moved, sample.votes, np.count_nonzero(sample.papers, axis=0).astype(np.int16)


class RoundSample(NamedTuple):
    """A round drawn given its tally: who hands in a valid paper, who is absent, the intentions, and so on."""

    papers: Flags
    absent: Flags
    intention: Codes
    conviction: Singles
    votes: Shorts
    log_chance: Floats


def _propagate(
    rng: np.random.Generator, plan: Plan, particles: Particles, observed: ObservedRound, tally: Tally
) -> RoundSample:
    plan = particles.under(plan)
    voters, papers, absent, log_papers = sample_attendance(rng, plan, particles, observed, tally)
    before, draws = particles.intention, particles.draws
    proposed = propose_convictions(rng, plan, draws) if before is None else [draws]
    chances = [intention_probabilities(plan, d, odds_of_all(plan, d), observed, before) for d in proposed]
    chance = np.add.reduce(chances) / np.float32(len(proposed))
    low = tally.low
    if tally.need is not None:
        there = (~absent & ~observed.barred[:, None]).sum(axis=0)
        bar = tally.need.votes(papers.sum(axis=0), there)
        low = np.repeat(low[:, None], bar.size, axis=1)
        low[tally.elected] = np.maximum(low[tally.elected], bar)
    choice, log_tally = sample_votes(rng, chance, voters, low, tally.high)
    silent = np.nonzero(~voters)
    intention = choice.copy()
    bounds = np.cumsum(chance[:-1, *silent], axis=0)
    intention[silent] = (rng.random(silent[0].size) >= bounds).sum(axis=0, dtype=np.uint8)
    conviction = draws.conviction[..., :0, :]
    if before is None:
        conviction = keep_conviction(rng, proposed, chances, intention)
    votes = np.stack([np.count_nonzero(choice == k, axis=0) for k in range(plan.candidates)]).astype(np.int16)
    return RoundSample(papers, absent, intention, conviction, votes, log_papers + log_tally)


# Before the first tally nothing is known of a member's conviction.  A member's probability, averaged over several
# proposed convictions, is an unbiased estimate of its mean over all of them; members are independent and the
# probability of a tally is linear in each, so the weight stays unbiased too and hardly depends on what was
# proposed.  One of them is then kept, with probability in proportion to that of what the member intended.


def propose_convictions(rng: np.random.Generator, plan: Plan, draws: Draws) -> list[Draws]:
    """Return the draws with several convictions, their own first, in antithetic pairs."""
    if not np.any(plan.behaviour.conviction):
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


def expect(plan: Plan, particles: Particles, observed: ObservedRound, counted: int | None) -> Expected:
    """Return what every particle expects of a round, given the number of papers for candidates if it is known."""
    where = chunks(plan, particles.size)
    parts = (_expect(plan, particles.pick(part), columns(observed, part), counted) for part in where)
    found = gathered(((*votes, *papers) for votes, papers in parts), where)
    return Expected(Moments(*found[:3]), Moments(*found[3:]))


def _expect(plan: Plan, particles: Particles, observed: ObservedRound, counted: int | None) -> Expected:
    plan = particles.under(plan)
    odds = odds_of_all(plan, particles.draws)
    chance = intention_probabilities(plan, particles.draws, odds, observed, particles.intention)
    away = np.where(observed.barred[:, None], 1.0, still_away(plan, particles))
    papers = np.broadcast_to((1.0 - away) * (1.0 - plan.abstain), particles.draws.absent.shape)
    votes = papers * (1.0 - plan.stray)
    if counted is None:
        return Expected(Moments.of(chance * votes), Moments.of(papers))
    return Expected(Moments.of(chance, votes * counted / np.maximum(votes.sum(axis=0), TINY)), Moments.of(papers))


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
