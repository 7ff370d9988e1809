"""Updates: from one state to the next by an announced event, and what the rules make of the rounds held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from iomsim.election_day.clocks import (
    after_consultation,
    hold_round,
    log_agreement,
    log_density_of_end,
    moment_of,
    set_to,
)
from iomsim.election_day.conditioning import effective_size, weights
from iomsim.election_day.moves import guide, resample_move
from iomsim.election_day.propagate import Surprise, expect, propagate, surprise
from iomsim.election_day.state import (
    FilterState,
    ObservedRound,
    UpdateContext,
    active_runs,
    draw_shocks,
    entry_of,
    reweight,
)
from iomsim.election_day.tally import Tally, tally_of
from iomsim.engine import kernel, laws
from iomsim.engine.clock import DAY
from iomsim.engine.plan import Plan
from iomsim.engine.state import pack_runs
from iomsim.errors import AnnouncementError, unknown, whole_number
from iomsim.typing import Flags, Floats, Places, Shorts


def update(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after an event.

    Raises
    ------
    AnnouncementError
        If it cannot have happened.
    """
    if state.ended is not None:
        raise AnnouncementError("the election is over; day.undo() takes the last event back")
    return UPDATES[event["event"]](context, state, event)


# -- a round -------------------------------------------------------------------------------------


def announce(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after a round of which something is known."""
    state, plan = assume_no_concession(context, state), context.plan
    if state.unopposed >= 0:
        name = plan.names[state.unopposed]
        raise AnnouncementError(f"{name} stands alone; announce the yes/no round: day.confirm(yes, no)")
    if state.contenders == 1:
        raise AnnouncementError("nobody else stands")
    if state.round_ >= plan.rules.max_rounds:
        raise AnnouncementError(f"the rules end the election after {state.round_} rounds")
    tally = tally_of(event["votes"], event.get("valid"), plan.names, state.standing, plan.entitled)
    state, observed = begin_round(context, state, event.get("at"))
    state = resample_move(context, observe(context, state, observed, tally))
    elected, leader = elected_by_count(plan, state)
    possible = np.isfinite(state.particles.log_weight)
    who = np.unique(leader[possible])
    if elected[possible].all() and who.size == 1:  # whatever was not announced
        return replace(state, ended=(int(who[0]), kernel.MAJORITY), pending=False)
    return apply_certain_rules(context, state, elected)


def begin_round(context: UpdateContext, state: FilterState, at: Any) -> tuple[FilterState, ObservedRound]:
    """Return the state with its clocks at the end of the coming round, and the round before its votes."""
    plan, size, day = context.plan, state.particles.size, state.clocks.now // DAY
    state = advance_clocks(context, state, at)
    last = state.votes[-1] if state.round_ else np.ones((plan.candidates, size))
    observed = ObservedRound(
        round_=state.round_ + 1,
        standing=state.standing,
        crowded=state.crowded,
        intention=np.zeros((1, size), dtype=np.uint8),
        shocks=draw_shocks(context.rng, plan, size),
        last_votes=last.astype(float),
        night=day < state.clocks.now // DAY,
    )
    return state, observed


def advance_clocks(context: UpdateContext, state: FilterState, at: Any) -> FilterState:
    """Return the state with its clocks at the end of the coming round, announced or not."""
    if at is None:
        return replace(state, clocks=hold_round(context.plan, state.clocks, state.round_ + 1))
    minute = moment_of(at, context.opens, state.at)
    return condition_clocks(context, state, log_density_of_end(context.plan, state.clocks, minute), minute)


def condition_clocks(context: UpdateContext, state: FilterState, log_density: Floats, minute: float) -> FilterState:
    """Return the state after something was announced for a minute.

    Where the night before a round matters to how members vote, clocks and votes belong together, and
    the particles are reweighted; otherwise the clocks are resampled by themselves.
    """
    if context.plan.behaviour.overnight and np.isfinite(log_density).any():
        state = reweight(state, log_density, "the announced time agrees with no particle")
        log_density = np.zeros_like(log_density)
    return replace(state, clocks=set_to(context.clock_rng, context.plan, state.clocks, log_density, minute), at=minute)


def observe(context: UpdateContext, state: FilterState, observed: ObservedRound, tally: Tally) -> FilterState:
    """Return the state after a round: guide, reweight, and draw who voted how."""
    plan, rng, particles = context.plan, context.rng, state.particles
    expected = expect(plan, particles, observed, tally.valid)
    odds, what = surprise(tally, expected, weights(particles.log_weight))
    before = np.logaddexp.reduce(particles.log_weight)
    if not particles.rounds:
        draws, log_ratio = guide(particles.draws, expected.votes, tally)
        log_weight = particles.log_weight + log_ratio
        particles = replace(particles, draws=draws, log_weight=log_weight)
    moved, votes = propagate(rng, plan, particles, observed, tally)
    label, log_weight = tally.words(observed.standing), moved.log_weight
    if not np.isfinite(log_weight).any():
        raise AnnouncementError(f"{label} is impossible under the scenario: no particle agrees with it")
    flow = flows(particles.intention, moved.rounds[-1].intention, moved.draws.absent, plan.candidates)
    shown = np.where(observed.standing[:, None], votes, np.int16(-1))
    return append_round(
        state, shown, votes.sum(axis=0, dtype=np.int16), flow,
        particles=moved, pending=True, label=label, surprise=odds, surprising=what,
        chance=float(np.exp(np.logaddexp.reduce(log_weight) - before)), effective_size=effective_size(log_weight),
    )  # fmt: skip


def append_round(state: FilterState, votes: Shorts, valid: Shorts, flow: Shorts, **changes: Any) -> FilterState:
    """Return the state with one more round on record."""
    return replace(
        state,
        round_=state.round_ + 1,
        votes=np.concatenate([state.votes, votes[None]]),
        valid=np.concatenate([state.valid, valid[None]]),
        flows=np.concatenate([state.flows, flow[None]]),
        **changes,
    )


def flows(before: np.ndarray | None, after: np.ndarray, absent: Flags, k: int) -> Shorts:
    """Return how many members present went from one candidate to another, shape (K, K, P)."""
    out = np.zeros((k, k, after.shape[1]), dtype=np.int16)
    if before is not None:
        wide = np.min_scalar_type(k * k).type
        code = np.where(absent, wide(k * k), before * wide(k) + after)
        for a in range(k):
            for b in range(k):
                out[a, b] = np.count_nonzero(code == a * k + b, axis=0)
    return out


# -- other events --------------------------------------------------------------------------------


def withdraw(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after a withdrawal.

    Between two it is the concession of the model where the candidate trails; a withdrawal that the
    model does not foresee is a fact that changes no weight.
    """
    plan, name = context.plan, event["name"]
    k = standing_candidate(plan, state, name)
    if state.unopposed >= 0:
        raise AnnouncementError(f"{plan.names[state.unopposed]} stands alone already; a withdrawal changes nothing")
    if state.pending:
        state = assume_inconclusive(plan, state)
    if state.contenders > 2:
        state = without(replace(state, multiway_rounds=state.multiway_rounds + state.pending), k)
        return finish_event(context, state, event, f"{name} withdraws")
    if state.pending:
        trails = shared_by_lot(laws.trails, state)[k]
        state = reweight_if_possible(state, trails * concession_probability(plan, state))
    other = int(np.flatnonzero(without(state, k).standing)[0])
    if plan.rules.after_concession == "confirmation":
        return finish_event(context, replace(state, unopposed=other, conceded=True), event, f"{name} withdraws")
    state = replace(state, clocks=after_consultation(plan, state.clocks), ended=(other, kernel.ACCLAMATION))
    return finish_event(context, state, event, f"{name} withdraws, {plan.names[other]} is acclaimed")


def eliminate(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after a candidate is out by the rules, by lot, or by decision of the chair."""
    plan, name = context.plan, event["name"]
    k = standing_candidate(plan, state, name)
    if state.contenders == 2:
        return leave_one_unopposed(context, state, k, event)
    if state.pending:
        state = replace(assume_inconclusive(plan, state), multiway_rounds=state.multiway_rounds + 1)
        if plan.rules.elimination_due(state.multiway_rounds):
            state = reweight_if_possible(state, shared_by_lot(laws.trails, state)[k])
    return finish_event(context, without(state, k), event, f"{name} is out")


def leave_one_unopposed(context: UpdateContext, state: FilterState, out: int, event: Mapping[str, Any]) -> FilterState:
    """Return the state after one of the last two is out, so that the other faces a yes/no round."""
    plan = context.plan
    cap = plan.rules.max_two_way
    if not state.pending or cap is None or state.two_way_rounds + 1 < cap:
        raise AnnouncementError("only two stand, and the rules put neither out now: announce a withdrawal")
    state = assume_inconclusive(plan, state)
    concedes = concession_probability(plan, state)
    other = int(np.flatnonzero(without(state, out).standing)[0])
    state = reweight_if_possible(state, (1.0 - concedes) * shared_by_lot(laws.leads, state)[other])
    state = replace(
        state,
        non_concessions=state.non_concessions + (concedes > 0),
        two_way_rounds=state.two_way_rounds + 1,
        unopposed=other,
    )
    return finish_event(context, state, event, f"{event['name']} is out")


def go_on(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after it is known that nobody conceded and another round will be held."""
    if not state.pending:
        raise AnnouncementError("nothing is open after the last event: announce a tally")
    if state.round_ >= context.plan.rules.max_rounds:
        raise AnnouncementError(f"the rules end the election after {state.round_} rounds")
    label = "nobody concedes" if state.contenders == 2 else "voting goes on"
    return finish_event(context, assume_no_concession(context, state), event, label)


def confirm(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after the yes/no round, which ends the election."""
    state, plan = assume_no_concession(context, state), context.plan
    if state.unopposed < 0:
        raise AnnouncementError("more than one candidate stands; announce a tally, or a withdrawal first")
    yes, no = (paper_count(key, event[key]) for key in ("yes", "no"))
    if yes + no > plan.entitled:
        raise AnnouncementError(f"{yes + no} papers are more than the {plan.entitled} members with a vote")
    k, size = plan.candidates, state.particles.size
    votes = np.full((k, size), -1, dtype=np.int16)
    votes[state.unopposed] = yes
    odds, what = yes_no_surprise(plan, state, yes / max(yes + no, 1))
    state = advance_clocks(context, state, event.get("at"))
    state = append_round(state, votes, np.full(size, yes + no, dtype=np.int16), np.zeros((k, k, size), dtype=np.int16))
    passed = yes >= plan.rules.needed(yes + no, state.round_)
    ended = (state.unopposed, kernel.CONFIRMED) if passed else (-1, kernel.FAILED)
    label = f"{plan.names[state.unopposed]} alone: {yes} yes, {no} no"
    return replace(state, ended=ended, label=label, surprise=odds, surprising=what, chance=1.0)


def yes_no_surprise(plan: Plan, state: FilterState, share: float) -> Surprise:
    """Return how far out a share of yes is: by playing the round in every particle."""
    runs = pack_runs(plan, [entry_of(plan, state)], state.particles.size)
    (votes, valid, _), _ = kernel.play_round(plan, runs, state.round_ + 1, np.zeros(runs.width, dtype=bool))
    played, w = votes[state.unopposed] / np.maximum(valid, 1), weights(state.particles.log_weight)
    return Surprise(float(min(1.0, 2 * min(w @ (played <= share), w @ (played >= share)))), "an answer this far out")


def adjourn(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after it is known that nothing happens before a moment."""
    minute = moment_of(event["until"], context.opens, state.at)
    state = condition_clocks(context, state, log_agreement(context.plan, state.clocks, minute), minute)
    moment = datetime.combine(context.opens.date(), time()) + timedelta(minutes=minute)
    state = replace(state, label=f"adjourned until {moment:%A %H:%M}", surprise=1.0, chance=1.0)
    return resample_move(context, state)


def finish_event(context: UpdateContext, state: FilterState, event: Mapping[str, Any], label: str) -> FilterState:
    """Return the state after an event that settles what follows from the last round."""
    if event.get("at") is not None:
        minute = moment_of(event["at"], context.opens, state.at)
        nothing = np.zeros(state.particles.size)
        clocks = set_to(context.clock_rng, context.plan, state.clocks, nothing, minute)
        state = replace(state, clocks=clocks, at=minute)
    return resample_move(context, replace(state, pending=False, label=label, surprise=1.0, chance=1.0))


def standing_candidate(plan: Plan, state: FilterState, name: str) -> int:
    """Return the index of a candidate who still stands."""
    if name not in plan.names:
        raise unknown("candidate", name, plan.names)
    k = plan.names.index(name)
    if not state.standing[k]:
        raise AnnouncementError(f"{name} does not stand any more")
    return k


def paper_count(key: str, value: Any) -> int:
    """Return a number of papers."""
    try:
        return whole_number(key, value, 0)
    except ValueError as error:
        raise AnnouncementError(str(error)) from None


def reweight_if_possible(state: FilterState, chance: Floats) -> FilterState:
    """Multiply the weights by the chance of what happened, unless it was 0 in every particle."""
    with np.errstate(divide="ignore"):
        log_chance = np.log(chance)
    if not np.isfinite(state.particles.log_weight + log_chance).any():
        return state
    return reweight(state, log_chance, "")


# -- between rounds ------------------------------------------------------------------------------


def elected_by_count(plan: Plan, state: FilterState) -> tuple[Flags, Shorts]:
    """Return in which particles the last round elected somebody, and who leads."""
    runs = active_runs(plan, state)
    need = kernel.needed(plan, runs, state.valid[-1], state.round_)
    leader, ahead = kernel.leading(runs.votes)
    return ahead & (runs.votes.max(axis=0) >= need), leader


def assume_inconclusive(plan: Plan, state: FilterState) -> FilterState:
    """Condition on the last round having elected nobody."""
    elected, _ = elected_by_count(plan, state)
    return reweight(state, np.where(elected, -np.inf, 0.0), "the last round elected somebody in every particle")


def shared_by_lot(place: Callable[[Shorts, Flags], Flags], state: FilterState) -> Floats:
    """Return each candidate's chance of a place after the last round (a law of `laws`), ties by lot, shape (K, P)."""
    tied = place(state.votes[-1], state.standing[:, None])
    return np.asarray(tied / tied.sum(axis=0))


def concession_probability(plan: Plan, state: FilterState) -> Floats:
    """Return the chance that the trailing one of two concedes now, in every particle; in a tie nobody does."""
    ahead = kernel.leading(np.maximum(state.votes[-1], 0))[1]
    return np.where(ahead & plan.rules.concession, laws.concession(plan.behaviour, state.non_concessions), 0.0)


def assume_no_concession(context: UpdateContext, state: FilterState) -> FilterState:
    """Condition on the last round having ended nothing: it elected nobody, and no concession came.

    Raises
    ------
    AnnouncementError
        If the announcements leave open who is out by the rules, or who stands alone.
    """
    if not state.pending:
        return state
    plan = context.plan
    state = assume_inconclusive(plan, state)
    if state.contenders > 2:
        return after_multiway_round(plan, state)
    concedes = concession_probability(plan, state)
    with np.errstate(divide="ignore"):
        log_refused = np.log1p(-concedes)
    state = reweight(state, log_refused, "the trailing candidate concedes for certain under the scenario")
    state = replace(
        state,
        non_concessions=state.non_concessions + (concedes > 0),
        two_way_rounds=state.two_way_rounds + 1,
        pending=False,
    )
    if plan.rules.max_two_way is None or state.two_way_rounds < plan.rules.max_two_way:
        return state
    leads = shared_by_lot(laws.leads, state)
    return replace(state, unopposed=the_only(plan, state, leads, "stands alone now; announce who is out"))


def after_multiway_round(plan: Plan, state: FilterState) -> FilterState:
    """Return the state after an inconclusive round between three or more."""
    state = replace(state, multiway_rounds=state.multiway_rounds + 1, pending=False)
    if not plan.rules.elimination_due(state.multiway_rounds):
        return state
    last = shared_by_lot(laws.trails, state)
    return without(state, the_only(plan, state, last, "is out; announce it"))


def apply_certain_rules(context: UpdateContext, state: FilterState, elected: Flags) -> FilterState:
    """Return the state after a round between three or more, if the rules alone say what follows from it."""
    if state.contenders == 2:
        return state
    last = possible(state, shared_by_lot(laws.trails, state))
    due = context.plan.rules.elimination_due(state.multiway_rounds + 1)
    if elected[np.isfinite(state.particles.log_weight)].any() or (due and last.size > 1):
        return state
    out = f"; {context.plan.names[last[0]]} is out by the rules" if due else ""
    return replace(after_multiway_round(context.plan, state), label=state.label + out)


def possible(state: FilterState, chance: Floats) -> Places:
    """Return the candidates of whom something may be true, by its chance in every particle, (K, P)."""
    return np.flatnonzero((chance[:, np.isfinite(state.particles.log_weight)] > 0).any(axis=1))


def the_only(plan: Plan, state: FilterState, chance: Floats, what: str) -> int:
    """Return the candidate of whom something is true in every particle, or ask."""
    maybe = possible(state, chance)
    if maybe.size == 1:
        return int(maybe[0])
    names = " or ".join(plan.names[c] for c in maybe)
    raise AnnouncementError(f"the announcements leave open whether {names} {what} with day.eliminate(...)")


def without(state: FilterState, candidate: int) -> FilterState:
    """Return the state without a candidate."""
    standing = state.standing.copy()
    standing[candidate] = False
    return replace(state, standing=standing)


UPDATES: dict[str, Callable[[UpdateContext, FilterState, Mapping[str, Any]], FilterState]] = {
    "announce": announce,
    "withdraw": withdraw,
    "eliminate": eliminate,
    "confirm": confirm,
    "go on": go_on,
    "adjourn": adjourn,
}
