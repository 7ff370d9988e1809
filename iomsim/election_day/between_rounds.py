"""What the rules make of the last round: who is elected, who leaves, who stands alone, who might concede."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from iomsim.election_day.particles import weights
from iomsim.election_day.state import Scene, Stage, state_of, weigh
from iomsim.engine import kernel, laws
from iomsim.engine.plan import Plan
from iomsim.errors import AnnouncementError
from iomsim.typing import Flags, Floats, Places, Shorts


def elected_by(plan: Plan, stage: Stage) -> tuple[Flags, Shorts]:
    """Return in which worlds the last round elected somebody, and who leads."""
    state = state_of(plan, stage)
    need = kernel.needed(plan, state, stage.valid[-1], stage.round_)
    leader, ahead = kernel.leading(state.votes)
    return ahead & (state.votes.max(axis=0) >= need), leader


class Lead(NamedTuple):
    """Who leads after a round, with how many votes, how many elect, and whether either is only a median."""

    candidate: int
    votes: int
    need: int
    rough_votes: bool
    rough_need: bool


def lead(plan: Plan, stage: Stage) -> Lead:
    """Return who leads after the last round; what was not announced is put at its median over the worlds."""
    need = kernel.needed(plan, state_of(plan, stage), stage.valid[-1], stage.round_)
    w = weights(stage.cloud.log_weight)
    votes = [middle(row, w) for row in stage.votes[-1]]
    leader, real = int(np.argmax(votes)), w > 0
    rough = (bool(np.ptp(x[real])) for x in (stage.votes[-1][leader], need))
    return Lead(leader, votes[leader], middle(need, w), *rough)


def middle(x: Shorts, w: Floats) -> int:
    """Return the weighted median."""
    order = np.argsort(x, kind="stable")
    return int(x[order][np.searchsorted(np.cumsum(w[order]), 0.5)])


def decided(plan: Plan, stage: Stage) -> Stage:
    """Return the stage with its winner, if the announced tally elects one whatever was not announced."""
    elected, leader = elected_by(plan, stage)
    real = np.isfinite(stage.cloud.log_weight)
    who = np.unique(leader[real])
    if elected[real].all() and who.size == 1:
        return replace(stage, over=(int(who[0]), kernel.MAJORITY), pending=False)
    return stage


def inconclusive(plan: Plan, stage: Stage) -> Stage:
    """Return the worlds in which the last round elected nobody."""
    elected, _ = elected_by(plan, stage)
    return weigh(stage, np.where(elected, -np.inf, 0.0), "the last round elected somebody in every possible world")


def first_among(votes: Shorts, standing: Flags) -> Floats:
    """Return each candidate's chance to lead, ties broken by lot, shape (K, P)."""
    top = laws.leads(votes, standing[:, None])
    return np.asarray(top / top.sum(axis=0))


def last_among(votes: Shorts, standing: Flags) -> Floats:
    """Return each candidate's chance to be last of those standing, ties broken by lot, shape (K, P)."""
    bottom = laws.trails(votes, standing[:, None])
    return np.asarray(bottom / bottom.sum(axis=0))


def readiness(plan: Plan, stage: Stage) -> Floats:
    """Return the chance that the trailing one of two concedes now, in every world.

    Before anything was seen it is the mean of Beta(a, b); every refusal makes it less ready: the law
    of a Polya urn.  In a tie nobody concedes.
    """
    ahead = kernel.leading(np.maximum(stage.votes[-1], 0))[1]
    return np.where(ahead & plan.rules.concession, laws.concession(plan.behaviour, stage.refusals), 0.0)


def went_on(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after a round, given that nothing has ended the election: no concession came.

    Raises
    ------
    AnnouncementError
        If the announcements leave open who is out by the rules, or who stands alone.
    """
    if not stage.pending:
        return stage
    plan = scene.plan
    stage = inconclusive(plan, stage)
    return after_two(scene, stage) if stage.contenders == 2 else after_more(scene, stage)


def after_two(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after an inconclusive round between two, given that nobody conceded."""
    rules, ready = scene.plan.rules, readiness(scene.plan, stage)
    with np.errstate(divide="ignore"):
        stage = weigh(stage, np.log1p(-ready), "the trailing candidate concedes for certain under the scenario")
    stage = replace(stage, refusals=stage.refusals + (ready > 0), two_way=stage.two_way + 1, pending=False)
    if rules.max_two_way is None or stage.two_way < rules.max_two_way:
        return stage
    leads = first_among(stage.votes[-1], stage.standing)
    return replace(stage, alone=the_one(scene, stage, leads, "stands alone now; announce who is out"))


def after_more(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after an inconclusive round between three or more."""
    stage = replace(stage, crowded=stage.crowded + 1, pending=False)
    if not scene.plan.rules.elimination_due(stage.crowded):
        return stage
    last = last_among(stage.votes[-1], stage.standing)
    return without(stage, the_one(scene, stage, last, "is out; announce it"))


def by_rule(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after a round between three or more, if the rules alone say what follows from it."""
    if stage.over is not None or stage.contenders == 2:
        return stage
    elected, _ = elected_by(scene.plan, stage)
    last = possible(stage, last_among(stage.votes[-1], stage.standing))
    due = scene.plan.rules.elimination_due(stage.crowded + 1)
    if elected[np.isfinite(stage.cloud.log_weight)].any() or (due and last.size > 1):
        return stage
    out = f"; {scene.race.names[last[0]]} is out by the rules" if due else ""
    return replace(after_more(scene, stage), told=stage.told + out)


def possible(stage: Stage, chance: Floats) -> Places:
    """Return the candidates of whom something may be true, by its chance in every world, (K, P)."""
    return np.flatnonzero((chance[:, np.isfinite(stage.cloud.log_weight)] > 0).any(axis=1))


def the_one(scene: Scene, stage: Stage, chance: Floats, what: str) -> int:
    """Return the candidate of whom something is true in every world, or ask."""
    maybe = possible(stage, chance)
    if maybe.size == 1:
        return int(maybe[0])
    names = " or ".join(scene.race.names[c] for c in maybe)
    raise AnnouncementError(f"the announcements leave open whether {names} {what} with night.eliminate(...)")


def without(stage: Stage, candidate: int) -> Stage:
    """Return the stage without a candidate."""
    standing = stage.standing.copy()
    standing[candidate] = False
    return replace(stage, standing=standing)
