"""Moves that part the copies of a resampled world without leaving the posterior (Metropolis-Hastings).

Given what the members intended, the run-level normals and the convictions move by preconditioned
Crank-Nicolson steps (Cotter et al. 2013, *Statistical Science* 28, 424-446), whose acceptance needs
only the probability of the intentions; the regime and the rounds' shocks are proposed afresh.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from iomsim.election_day.particles import CHUNK, Cloud, gather, path_chance, shocks, stance_of_all, step_chance
from iomsim.engine.plan import Draws, Plan
from iomsim.typing import Flags, Singles

SWEEPS, MORE = 2, 10
"""How often everything moves after a resampling, and after one that few worlds survived."""

STEP_RUN, STEP_MEMBER = 0.3, 0.6
"""Sizes of the moves of run-level and of members' draws."""


def rejuvenate(rng: np.random.Generator, plan: Plan, cloud: Cloud, sweeps: int = SWEEPS) -> Cloud:
    """Move equally weighted particles that have lived through a round."""
    starts = range(0, cloud.size, CHUNK)
    return gather([_rejuvenate(rng, plan, cloud.pick(slice(start, start + CHUNK)), sweeps) for start in starts])


def _rejuvenate(rng: np.random.Generator, plan: Plan, cloud: Cloud, sweeps: int) -> Cloud:
    likely = path_chance(plan, cloud.draws, cloud.stance, cloud.passages)
    for _ in range(sweeps):
        cloud, likely = move_members(rng, plan, cloud, likely)
        cloud, likely = move_runs(rng, plan, cloud, likely)
        if len(cloud.passages) > 1:
            cloud, likely = move_regime(rng, plan, cloud, likely)
            cloud = move_shocks(rng, plan, cloud)
            likely = path_chance(plan, cloud.draws, cloud.stance, cloud.passages)
    return cloud


def pcn(rng: np.random.Generator, x: np.ndarray, step: float) -> np.ndarray:
    """Propose standard normals near `x`: ``sqrt(1 - step**2) x + step N(0, 1)``."""
    noise = rng.standard_normal(x.shape, dtype=x.dtype)
    return np.asarray(np.sqrt(1.0 - step**2).astype(x.dtype) * x + np.asarray(step, dtype=x.dtype) * noise)


def move_members(rng: np.random.Generator, plan: Plan, cloud: Cloud, likely: Singles) -> tuple[Cloud, Singles]:
    """Move every member's conviction by itself."""
    draws = replace(cloud.draws, conviction=pcn(rng, cloud.draws.conviction, STEP_MEMBER))
    stance = stance_of_all(plan, draws)
    new = path_chance(plan, draws, stance, cloud.passages)
    yes = np.log(rng.random(new.shape)) < new - likely
    kept = replace(cloud.draws, conviction=np.where(yes, draws.conviction, cloud.draws.conviction))
    return replace(cloud, draws=kept, stance=np.where(yes, stance, cloud.stance)), np.where(yes, new, likely)


def move_runs(rng: np.random.Generator, plan: Plan, cloud: Cloud, likely: Singles) -> tuple[Cloud, Singles]:
    """Move what the members of a run share: the campaigns' effect, the common and regional shocks."""
    shared = ("campaign", "appeal", "region")
    draws = replace(cloud.draws, **{name: pcn(rng, getattr(cloud.draws, name), STEP_RUN) for name in shared})
    stance = stance_of_all(plan, draws)
    return _accept(rng, cloud, likely, draws, stance, path_chance(plan, draws, stance, cloud.passages))


def move_regime(rng: np.random.Generator, plan: Plan, cloud: Cloud, likely: Singles) -> tuple[Cloud, Singles]:
    """Propose whether the contest moves or freezes."""
    draws = replace(cloud.draws, fluid=rng.random(cloud.size) < plan.behaviour.fluid)
    new = path_chance(plan, draws, cloud.stance, cloud.passages)
    return _accept(rng, cloud, likely, draws, cloud.stance, new)


def _accept(
    rng: np.random.Generator, cloud: Cloud, likely: Singles, draws: Draws, stance: Singles, new: Singles
) -> tuple[Cloud, Singles]:
    yes = accepted(rng, new, likely)
    names = [f.name for f in fields(Draws)]
    kept = Draws(**{name: np.where(yes, getattr(draws, name), getattr(cloud.draws, name)) for name in names})
    moved = replace(cloud, draws=kept, stance=np.where(yes, stance, cloud.stance))
    return moved, np.where(yes, new, likely)


def accepted(rng: np.random.Generator, new: Singles, old: Singles) -> Flags:
    """Say which runs take a proposal, from the log-probabilities of what their members intended."""
    return np.log(rng.random(new.shape[1])) < (new - old).sum(axis=0)


def move_shocks(rng: np.random.Generator, plan: Plan, cloud: Cloud) -> Cloud:
    """Propose the shocks of every round afresh, one round at a time."""
    passages = [cloud.passages[0]]
    for lived in cloud.passages[1:]:
        new, before = replace(lived, eta=shocks(rng, plan, cloud.size)), passages[-1].after
        chance = [step_chance(plan, cloud.draws, cloud.stance, p, before) for p in (new, lived)]
        yes = accepted(rng, *chance)
        passages.append(replace(lived, eta=np.where(yes, new.eta, lived.eta)))
    return replace(cloud, passages=tuple(passages))
