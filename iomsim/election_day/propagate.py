"""A round as the possible worlds live through it: who takes part, who votes how, and what that weighs.

A tally weighs every particle by its exact probability; who was there, what all members intended and,
in the first round, what they are convinced of is then drawn given it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from iomsim.election_day.conditioning import TINY, allot, sample_sum
from iomsim.election_day.particles import CHUNK, Cloud, Passage, chances, chosen, columns, stance_of_all
from iomsim.election_day.tally import Tally
from iomsim.engine.plan import Draws, Plan
from iomsim.typing import Codes, Flags, Floats, Shorts, Singles

PAIRS = 3
"""Pairs of convictions, z and -z, tried for every member in the first round."""

# -- who takes part ------------------------------------------------------------------------------


def still_away(plan: Plan, cloud: Cloud) -> Floats:
    """Return the probability that each member is absent, given who has voted so far.

    Where the votes needed depend on the members present, the rounds held say something about their
    number, and it stays as it was drawn.
    """
    rounds = len(cloud.passages)
    if not rounds:
        return plan.absent
    if plan.rules.base == "present":
        return cloud.draws.absent.astype(float)
    away = plan.absent
    silent = (1.0 - away) * plan.abstain ** rounds
    return np.where(cloud.seen, 0.0, away / np.maximum(away + silent, TINY))


def attend(rng: np.random.Generator, plan: Plan, cloud: Cloud, valid: int | None) -> tuple[Flags, Flags, Floats]:
    """Draw who hands in a valid paper and who is absent, given the number of papers if it is known.

    Returns
    -------
    voters, absent : ndarrays of bool, shape (N, P)
    log_chance : ndarray, shape (P,)
        Log-probability of the number of papers.
    """
    shape = cloud.draws.absent.shape
    away = still_away(plan, cloud)
    miss = away + (1.0 - away) * plan.abstain
    if valid is None:
        missing, log_chance = rng.random(shape) < miss, np.zeros(shape[1])
    else:
        number = np.full(shape[1], shape[0] - valid)
        missing, log_chance = sample_sum(rng, miss, number, number)
    absent = missing & (rng.random(shape) * miss < away)
    return ~missing, absent, log_chance


# -- a round -------------------------------------------------------------------------------------


def live_through(
    rng: np.random.Generator, plan: Plan, cloud: Cloud, lived: Passage, tally: Tally
) -> tuple[Cloud, Shorts]:
    """Let the particles live through a round of which something was announced.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    plan : Plan
        The election.
    cloud : Cloud
        The worlds before the round.
    lived : Passage
        The round; its `after` is still empty.
    tally : Tally
        What was announced.

    Returns
    -------
    cloud : Cloud
        The worlds after it, weighed by the probability of what was announced, with everybody's
        intention drawn given it.
    votes : ndarray of int, shape (K, P)
        The tally in every world.
    """
    starts = (slice(start, start + CHUNK) for start in range(0, cloud.size, CHUNK))
    parts = [_live_through(rng, plan, cloud.pick(part), columns(lived, part), tally) for part in starts]
    came = Came(*(np.concatenate(pieces, axis=-1) for pieces in zip(*parts, strict=True)))
    draws, stance = replace(cloud.draws, absent=came.absent), cloud.stance
    if not cloud.passages:
        draws = replace(draws, conviction=came.conviction)
        stance = stance_of_all(plan, draws)
    moved = Cloud(
        draws=draws,
        stance=stance,
        log_weight=cloud.log_weight + came.log_chance,
        seen=cloud.seen | came.voters,
        passages=(*cloud.passages, replace(lived, after=came.after)),
    )
    return moved, came.votes


class Came(NamedTuple):
    """What came of a round: who voted, who was absent, what all intended and (in the first) are convinced of."""

    voters: Flags
    absent: Flags
    after: Codes
    conviction: Singles
    votes: Shorts
    log_chance: Floats


def _live_through(rng: np.random.Generator, plan: Plan, cloud: Cloud, lived: Passage, tally: Tally) -> Came:
    voters, absent, log_valid = attend(rng, plan, cloud, tally.valid)
    before = cloud.intention if cloud.passages else None
    tried = tries(rng, plan, cloud.draws) if before is None else [cloud.draws]
    chance_of = [chances(plan, d, stance_of_all(plan, d), lived, before) for d in tried[1:]]
    chance_of.insert(0, chances(plan, cloud.draws, cloud.stance, lived, before))
    chance = np.add.reduce(chance_of) / np.float32(len(tried))
    choice, log_tally = allot(rng, chance, voters, tally.low, tally.high)
    after = np.where(voters, choice, drawn(rng, chance)).astype(np.uint8)
    conviction = convinced(rng, tried, chance_of, after) if before is None else cloud.draws.conviction[..., :0, :]
    votes = np.stack([np.count_nonzero(choice == k, axis=0) for k in range(plan.candidates)]).astype(np.int16)
    return Came(voters, absent, after, conviction, votes, log_valid + log_tally)


def drawn(rng: np.random.Generator, chance: Singles) -> Codes:
    """Draw everybody's intention, shape (N, P)."""
    bounds = np.cumsum(chance[:-1], axis=0)
    return np.asarray((rng.random(chance.shape[1:]) >= bounds).sum(axis=0, dtype=np.uint8))


# Before the first tally nobody's conviction has shown.  A member's probability, averaged over several
# convictions tried, is an unbiased stand-in for its mean over all of them; members are independent and
# the probability of a tally is linear in each, so the weight stays unbiased too and hardly depends on
# what was tried.  Of those tried one is then kept, as likely as it explains what the member intended.


def tries(rng: np.random.Generator, plan: Plan, draws: Draws) -> list[Draws]:
    """Return the draws with several convictions, their own first; opposites cancel some of the noise."""
    if not plan.behaviour.conviction:
        return [draws]
    shape = draws.conviction.shape
    own = [draws.conviction, *(rng.standard_normal(shape, dtype=np.float32) for _ in range(PAIRS - 1))]
    return [replace(draws, conviction=sign * z) for z in own for sign in (np.float32(1), np.float32(-1))]


def convinced(rng: np.random.Generator, tried: list[Draws], chance_of: list[Singles], after: Codes) -> Singles:
    """Keep one conviction of every member, as likely as it explains what the member intends."""
    fit = np.cumsum([chosen(after, chance) for chance in chance_of], axis=0)
    kept = (rng.random(after.shape) * fit[-1] >= fit[:-1]).sum(axis=0, dtype=np.uint8)
    return chosen(kept, [draws.conviction for draws in tried])
