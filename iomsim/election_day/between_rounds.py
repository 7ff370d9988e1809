"""What the rules make of the rounds held: who was elected, who leaves, who stands alone, and whether it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from iomsim.election_day.state import FilterState, UpdateContext, need_of, reweight
from iomsim.election_day.tally import Tally
from iomsim.engine import kernel, laws
from iomsim.engine.plan import Plan
from iomsim.errors import AnnouncementError
from iomsim.rules.course import leading
from iomsim.rules.procedure import Step
from iomsim.typing import Flags, Floats, Longs, Places, Shorts


class OpenQuestion(AnnouncementError):
    """Something that has to be announced first, because the rules turn on it."""


def elected_by_count(plan: Plan, state: FilterState) -> tuple[Flags, Shorts]:
    """Return in which particles the last round elected somebody, and who leads."""
    votes = np.maximum(state.votes[-1], 0)
    leader, ahead = leading(votes)
    return ahead & (votes.max(axis=0) >= needed_last(plan, state)), leader


def needed_last(plan: Plan, state: FilterState) -> Longs:
    """Return the votes that elected in the last round, in every particle."""
    alone = int((state.votes[-1] >= 0).any(axis=1).sum()) == 1
    need = need_of(plan, state.stages[-1], state.entitled[-1], state.round_)
    return need.votes(state.valid[-1], state.attendance[-1], alone)


def assume_inconclusive(plan: Plan, state: FilterState) -> FilterState:
    """Condition on the last round having elected nobody."""
    elected, _ = elected_by_count(plan, state)
    return reweight(state, np.where(elected, -np.inf, 0.0), "the last round elected somebody in every particle")


def shared_by_lot(place: Callable[[Shorts, Flags], Flags], state: FilterState) -> Floats:
    """Return each candidate's chance of a place after the last round (a law of `laws`), ties by lot, shape (K, P)."""
    tied = place(state.last_choice, state.standing[:, None])
    return np.asarray(tied / tied.sum(axis=0))


def concession_probability(plan: Plan, state: FilterState) -> Floats:
    """Return the chance that the trailing one of two concedes now, in every particle; in a tie nobody does."""
    ahead = leading(np.maximum(state.votes[-1], 0))[1]
    chance = laws.concession(plan.behaviour, state.non_concessions, state.particles.draw)
    return np.where(ahead & (plan.rules.withdrawal != "none"), chance, 0.0)


def assume_no_concession(context: UpdateContext, state: FilterState) -> FilterState:
    """Condition on the last round having ended nothing: it elected nobody, and no concession came.

    Raises
    ------
    AnnouncementError
        If the announcements leave open who is out by the rules, or who stands alone, or if the rules have ended it.
    """
    if not state.pending:
        return state
    plan = context.plan
    return proceed(plan, assume_nobody_conceded(plan, assume_inconclusive(plan, state)))


def assume_nobody_conceded(plan: Plan, state: FilterState) -> FilterState:
    """Condition on the trailing one of two not having withdrawn."""
    if state.contenders != 2 or plan.rules.withdrawal == "none":
        return state
    concedes = concession_probability(plan, state)
    with np.errstate(divide="ignore"):
        log_refused = np.log1p(-concedes)
    state = reweight(state, log_refused, "the trailing candidate concedes for certain under the scenario")
    return replace(state, non_concessions=state.non_concessions + (concedes > 0))


def proceed(plan: Plan, state: FilterState) -> FilterState:
    """Apply the rules after an inconclusive round: they end it, put somebody out, or leave one alone.

    Raises
    ------
    AnnouncementError
        If the announcements leave open whom that concerns.
    """
    step = next_step(plan, state)
    if step.stage is None:
        return replace(state, ended=(-1, kernel.FAILED), pending=False, label=f"{state.label}; the rules end it")
    after = settled(state, step)
    if step.stage.standing != state.contenders or step.reopened:
        stays = surviving(state, step, step.stage.standing)[:, np.isfinite(state.particles.log_weight)]
        unsure = np.flatnonzero(((stays > 0) & (stays < 1)).any(axis=1) | (np.ptp(stays, axis=1) > 0))
        if unsure.size:
            raise OpenQuestion(open_question(plan, unsure, "is out; announce it"))
        after = replace(after, standing=stays[:, 0] > 0)
    if begins_alone(plan, step):
        leads = possible(after, shared_by_lot(laws.leads, replace(after, pending=False)))
        if leads.size > 1:
            raise OpenQuestion(open_question(plan, leads, "stands alone now; announce who is out"))
        after = replace(after, alone=int(leads[0]))
    return after


def next_step(plan: Plan, state: FilterState) -> Step:
    """Return what the rules make of an inconclusive round."""
    return plan.rules.next_stage(state.stage._replace(standing=state.contenders), int((~state.withdrawn).sum()))


def begins_alone(plan: Plan, step: Step) -> bool:
    """Return whether a yes/no vote on the leader alone begins."""
    return step.stage is not None and step.begins and plan.rules.phases[step.stage.phase].vote == "yes-no"


def settled(state: FilterState, step: Step) -> FilterState:
    """Return the state at the stage of the next ballot."""
    assert step.stage is not None
    alone = -1 if step.begins else state.alone
    return replace(state, stage=step.stage, pending=False, alone=alone, conceded=False)


def surviving(state: FilterState, step: Step, places: int) -> Floats:
    """Return each candidate's chance to keep one of so many places, ties by lot, in every particle, (K, P)."""
    base = ~state.withdrawn if step.reopened else state.standing
    votes = np.where(base[:, None], state.last_choice, -1)
    if places >= base.sum():
        return np.repeat(base[:, None], votes.shape[1], axis=1).astype(float)
    last = -np.sort(-votes, axis=0)[places - 1]
    above, level = votes > last, votes == last
    return np.where(above, 1.0, np.where(level, (places - above.sum(axis=0)) / level.sum(axis=0), 0.0))


def after_withdrawal(plan: Plan, state: FilterState, candidate: int) -> FilterState:
    """Return the state after one of three or more has withdrawn, who takes the place of one who would be dropped."""
    stage, in_race = state.stage._replace(standing=state.contenders), int((~state.withdrawn).sum()) - 1
    rules = plan.rules
    step = rules.next_stage(stage, in_race, withdrew=1) if state.pending else rules.without(stage, in_race)
    withdrawn = state.withdrawn | (np.arange(state.standing.size) == candidate)
    left = replace(without(state, candidate), withdrawn=withdrawn)
    if step.stage is None:
        return replace(left, ended=(-1, kernel.FAILED), pending=False)
    if step.stage.standing == left.contenders and not step.reopened and not begins_alone(plan, step):
        return settled(left, step)
    return replace(left, pending=state.pending)


def apply_certain_rules(context: UpdateContext, state: FilterState, elected: Flags, tally: Tally) -> FilterState:
    """Return the state after a round, if the rules alone say what follows from what was announced of it."""
    plan = context.plan
    may_concede = state.contenders == 2 and plan.rules.withdrawal != "none"
    if may_concede or elected[np.isfinite(state.particles.log_weight)].any():
        return state
    try:
        after = proceed(plan, state)
    except AnnouncementError:
        return state
    out = state.standing & ~after.standing
    if out.any() and (tally.low < tally.high).any() and tally.high[out].max() >= tally.low[after.standing].min():
        return state  # certain of the particles only
    gone = [plan.names[c] for c in np.flatnonzero(out)]
    be = "is" if len(gone) == 1 else "are"
    return replace(after, label=f"{after.label}; {' and '.join(gone)} {be} out by the rules") if gone else after


def possible(state: FilterState, chance: Floats) -> Places:
    """Return the candidates of whom something may be true, by its chance in every particle, (K, P)."""
    return np.flatnonzero((chance[:, np.isfinite(state.particles.log_weight)] > 0).any(axis=1))


def open_question(plan: Plan, candidates: Places, what: str) -> str:
    """Return the question that the announcements leave open."""
    names = " or ".join(plan.names[c] for c in candidates)
    return f"the announcements leave open whether {names} {what} with day.eliminate(...)"


def without(state: FilterState, candidate: int) -> FilterState:
    """Return the state without a candidate."""
    standing = state.standing.copy()
    standing[candidate] = False
    return replace(state, standing=standing)


def reweight_if_possible(state: FilterState, chance: Floats) -> FilterState:
    """Multiply the weights by the chance of what happened, unless it was 0 in every particle."""
    with np.errstate(divide="ignore"):
        log_chance = np.log(chance)
    if not np.isfinite(state.particles.log_weight + log_chance).any():
        return replace(state, foreseen=False)
    return reweight(state, log_chance, "")
