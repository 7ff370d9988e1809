"""Moves of the particles: towards a first tally before it is observed, and afterwards within the posterior.

A tally far from what was expected leaves few of the particles drawn before it.  But the first shares are almost a
linear function of the standard normals that a run draws once, so that their posterior is almost normal.
:func:`guide` moves the particles along the direction that the tally informs to where that posterior lies, and
multiplies their weights by the ratio of the densities before and after.  However rough the approximation, the
weighted particles follow the exact posterior.

:func:`rejuvenate` parts the copies of a resampled particle without leaving the posterior (Metropolis-Hastings).
Given what the members intended, the run-level normals and the convictions move by preconditioned Crank-Nicolson
steps (Cotter et al. 2013, *Statistical Science* 28, 424-446), whose acceptance needs only the probability of the
intentions; the regime and the rounds' shocks are proposed afresh.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from iomsim.election_day.conditioning import TINY
from iomsim.election_day.propagate import Moments
from iomsim.election_day.state import (
    FilterState,
    Particles,
    UpdateContext,
    chunks,
    draw_shocks,
    gathered,
    log_path_probability,
    log_round_probability,
    odds_of_all,
    resampled,
)
from iomsim.election_day.tally import Tally
from iomsim.engine.plan import Draws, Plan
from iomsim.engine.rng import normal_block
from iomsim.typing import Flags, Floats, Singles

SWEEPS, MORE, FEW = 2, 10, 0.01
"""How often everything moves after a resampling, and after one that fewer than this share of particles survived."""

STEP_RUN, STEP_MEMBER = 0.3, 0.6
"""Step sizes for run-level and for members' draws."""

WIDER = 1.3
"""By how much the guided particles are spread wider than the approximation says, never beyond the prior."""


# -- before an observation -----------------------------------------------------------------------


def guide(draws: Draws, expected: Moments, tally: Tally) -> tuple[Draws, Floats]:
    """Move what runs draw once towards a first tally.

    Parameters
    ----------
    draws : Draws
        Draws from the prior.
    expected : Moments
        What each particle expects of the first tally.
    tally : Tally
        What was announced.

    Returns
    -------
    draws : Draws
        The moved draws.
    log_ratio : ndarray, shape (P,)
        Log of prior over proposal density: their log-weights as draws from the prior.
    """
    x = normals(draws)
    ratio, target, noise = log_ratios(expected, tally)
    slope, middle, rest = regress(x, ratio)
    axes, pull = np.linalg.qr(slope.T)  # slope @ x = pull.T @ (axes.T @ x)
    precision = pull @ np.linalg.solve(noise + rest, np.eye(len(noise)))
    values, vectors = np.linalg.eigh(np.eye(len(noise)) + precision @ pull.T)
    centre = vectors @ (vectors.T @ precision @ (target - middle) / values)
    exact = bool((tally.low == tally.high).all())
    spread = np.minimum(WIDER / np.sqrt(values), 1.0) if exact else np.ones(len(values))
    old = axes.T @ x
    new = centre[:, None] + (vectors * spread) @ vectors.T @ old
    log_ratio = ((old**2).sum(axis=0) - (new**2).sum(axis=0)) / 2 + np.log(spread).sum()
    return unpack(draws, x + axes @ (new - old)), log_ratio


def normals(draws: Draws) -> Floats:
    """Return the standard normals that the members of a run share, one row each."""
    return np.concatenate([draws.campaign, draws.appeal, draws.region.reshape(-1, draws.keys.size)])


def unpack(draws: Draws, x: Floats) -> Draws:
    """Put rows of standard normals back where they came from."""
    campaign, appeal, region = np.split(x, np.cumsum([len(draws.campaign), len(draws.appeal)]))
    return replace(draws, campaign=campaign, appeal=appeal, region=region.reshape(draws.region.shape))


def log_ratios(expected: Moments, tally: Tally) -> tuple[Floats, Floats, Floats]:
    """Return log-ratios of the expected votes to the last candidate's, their target, and its noise.

    The target is the tally within what was announced that is nearest to what was expected.
    """
    votes, mean = _logs(expected.mean), expected.mean.mean(axis=1)
    papers = mean.sum() if tally.counted is None else tally.counted
    target = _logs(np.clip(mean * papers / max(mean.sum(), TINY), tally.low, tally.high))
    size = np.maximum(mean, 0.5)
    noise = np.diag(1.0 / size[:-1]) + 1.0 / size[-1]
    return votes[:-1] - votes[-1], target[:-1] - target[-1], noise


def _logs(votes: Floats) -> Floats:
    """Return the logarithms of votes, floored at half a vote."""
    return np.log(np.maximum(votes, 0.5))


def regress(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return slope, intercept and residual covariance of the least-squares fit of `y` by `x`."""
    design = np.vstack([x, np.ones(x.shape[1])])
    both = np.einsum("ip,jp->ij", np.vstack([y, design]), design)  # BLAS is slow for so few rows
    fit = both[: len(y)] @ np.linalg.pinv(both[len(y) :], hermitian=True)
    rest = y - fit @ design
    return fit[:, :-1], fit[:, -1], rest @ rest.T / x.shape[1]


# -- after it ------------------------------------------------------------------------------------


def resample_move(context: UpdateContext, state: FilterState) -> FilterState:
    """Resample below half the effective sample size, and rejuvenate the copies."""
    if context.hall is not None or state.effective_size >= state.particles.size / 2:
        return state  # several readings are resampled together, after the event
    state = resampled(context.rng, context.plan, state)
    if not state.particles.rounds:
        return state
    sweeps = sweeps_after(state.effective_size, state.particles.size)
    return replace(state, particles=rejuvenate(context.rng, context.plan, state.particles, sweeps))


def sweeps_after(effective: float, size: int) -> int:
    """Return how often everything moves after a resampling."""
    return MORE if effective < FEW * size else SWEEPS


class Chain(NamedTuple):
    """Particles on their moves: where their members stand, and the log-probability of their intentions, (N, P)."""

    particles: Particles
    odds: Singles
    log_chance: Singles


def rejuvenate(rng: np.random.Generator, plan: Plan, particles: Particles, sweeps: int = SWEEPS) -> Particles:
    """Move equally weighted particles that have observed a round."""
    where = chunks(plan, particles.size)
    parts = (_rejuvenate(rng, plan, particles.pick(part), sweeps) for part in where)
    moved = gathered(((*vars(part.draws).values(), *(r.shocks for r in part.rounds)) for part in parts), where)
    draws = Draws(*moved[: len(fields(Draws))])
    shocks = moved[len(fields(Draws)) :]
    rounds = tuple(replace(r, shocks=x) for r, x in zip(particles.rounds, shocks, strict=True))
    return replace(particles, draws=draws, rounds=rounds)


def _rejuvenate(rng: np.random.Generator, plan: Plan, particles: Particles, sweeps: int) -> Particles:
    plan = particles.under(plan)
    odds = odds_of_all(plan, particles.draws)
    chain = Chain(particles, odds, log_path_probability(plan, particles.draws, odds, particles.rounds))
    for _ in range(sweeps):
        chain = move_members(rng, plan, chain)
        chain = move_runs(rng, plan, chain)
        if len(particles.rounds) > 1:
            chain = move_regime(rng, plan, chain)
            chain = move_shocks(rng, plan, chain)
    return chain.particles


def pcn(rng: np.random.Generator, x: np.ndarray, step: float) -> np.ndarray:
    """Propose standard normals near `x`: ``sqrt(1 - step**2) x + step N(0, 1)``."""
    noise = normal_block(rng, x.shape) if x.dtype == np.float32 else rng.standard_normal(x.shape)
    return np.asarray(np.sqrt(1.0 - step**2).astype(x.dtype) * x + np.asarray(step, dtype=x.dtype) * noise)


def move_members(rng: np.random.Generator, plan: Plan, chain: Chain) -> Chain:
    """Move every member's conviction by itself."""
    old = chain.particles.draws
    new = _proposed(plan, chain, replace(old, conviction=pcn(rng, old.conviction, STEP_MEMBER)))
    yes = -rng.standard_exponential(new.log_chance.shape, dtype=np.float32) < new.log_chance - chain.log_chance
    kept = replace(old, conviction=np.where(yes, new.particles.draws.conviction, old.conviction))
    return Chain(
        replace(chain.particles, draws=kept), *(np.where(yes, *x) for x in zip(new[1:], chain[1:], strict=True))
    )


def move_runs(rng: np.random.Generator, plan: Plan, chain: Chain) -> Chain:
    """Move what the members of a run share: the campaigns' effect, the common and regional shocks."""
    old = chain.particles.draws
    shared = {name: pcn(rng, getattr(old, name), STEP_RUN) for name in ("campaign", "appeal", "region")}
    return _accept(rng, chain, _proposed(plan, chain, replace(old, **shared)))


def move_regime(rng: np.random.Generator, plan: Plan, chain: Chain) -> Chain:
    """Propose whether the contest moves or freezes."""
    fluid = rng.random(chain.particles.size) < plan.behaviour.fluid
    return _accept(rng, chain, _proposed(plan, chain, replace(chain.particles.draws, fluid=fluid), chain.odds))


def _proposed(plan: Plan, chain: Chain, draws: Draws, odds: Singles | None = None) -> Chain:
    odds = odds_of_all(plan, draws) if odds is None else odds
    particles = replace(chain.particles, draws=draws)
    return Chain(particles, odds, log_path_probability(plan, draws, odds, particles.rounds))


def _accept(rng: np.random.Generator, old: Chain, new: Chain) -> Chain:
    yes = accepted(rng, new.log_chance, old.log_chance)
    pairs = zip(vars(new.particles.draws).values(), vars(old.particles.draws).values(), strict=True)
    kept = Draws(*(x if x is y else np.where(yes, x, y) for x, y in pairs))
    odds = old.odds if new.odds is old.odds else np.where(yes, new.odds, old.odds)
    return Chain(replace(old.particles, draws=kept), odds, np.where(yes, new.log_chance, old.log_chance))


def accepted(rng: np.random.Generator, new: Singles, old: Singles) -> Flags:
    """Say which runs take a proposal, from the log-probabilities of what their members intended."""
    return np.log(rng.random(new.shape[1])) < (new - old).sum(axis=0)


def move_shocks(rng: np.random.Generator, plan: Plan, chain: Chain) -> Chain:
    """Propose the shocks of every round afresh, one round at a time."""
    particles = chain.particles
    rounds = [particles.rounds[0]]
    log_chance = log_round_probability(plan, particles.draws, chain.odds, rounds[0], None)
    for observed in particles.rounds[1:]:
        new, before = replace(observed, shocks=draw_shocks(rng, plan, particles.size)), rounds[-1].intention
        proposed, old = (log_round_probability(plan, particles.draws, chain.odds, r, before) for r in (new, observed))
        yes = accepted(rng, proposed, old)
        rounds.append(replace(observed, shocks=np.where(yes, new.shocks, observed.shocks)))
        log_chance += np.where(yes, proposed, old)
    return Chain(replace(particles, rounds=tuple(rounds)), chain.odds, log_chance)
