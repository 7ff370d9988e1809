"""Updates: from one state to the next by an announced event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

import numpy as np

from iomsim.election_day.between_rounds import (
    OpenQuestion,
    after_withdrawal,
    apply_certain_rules,
    assume_inconclusive,
    assume_no_concession,
    assume_nobody_conceded,
    begins_alone,
    concession_probability,
    elected_by_count,
    needed_last,
    next_step,
    proceed,
    reweight_if_possible,
    settled,
    shared_by_lot,
    surviving,
    without,
)
from iomsim.election_day.clocks import (
    Clocks,
    after_consultation,
    hold_round,
    log_agreement,
    log_density_of_end,
    log_in_time,
    moment_of,
    resampled,
    set_to,
    with_round_today,
)
from iomsim.election_day.conditioning import effective_size, weights
from iomsim.election_day.moves import guide, resample_move
from iomsim.election_day.propagate import (
    Expected,
    Surprise,
    expect,
    propagate,
    still_away,
    surprise,
)
from iomsim.election_day.state import (
    FilterState,
    ObservedRound,
    Particles,
    UpdateContext,
    barred_from,
    draw_shocks,
    entry_of,
    need_of,
    nights_matter,
    reweight,
)
from iomsim.election_day.tally import Tally, tally_of
from iomsim.engine import kernel, laws
from iomsim.engine.plan import Plan
from iomsim.engine.state import pack_runs
from iomsim.errors import AnnouncementError
from iomsim.model.lines import PAPERS, newcomer
from iomsim.model.moments import moment_in_words
from iomsim.typing import Flags, Floats, PerRun, Shorts


def update(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after an event.

    Raises
    ------
    AnnouncementError
        If it cannot have happened.
    """
    if state.ended is not None and not may_follow(context.plan, state.ended, event):
        raise AnnouncementError(OVER)
    return UPDATES[event["event"]](context, replace(state, foreseen=True), event)


OVER = "the election is over; day.undo() takes the last event back, day.correct(...) changes a tally"


def may_follow(plan: Plan, ended: tuple[int, int], event: Mapping[str, Any]) -> bool:
    """Return whether an event may follow the end: the one acclaimed withdraws too, the winner is called elected."""
    winner, how = ended
    called = event["event"] == "elect" and winner >= 0 and event["name"] == plan.names[winner]
    return called or (event["event"] == "withdraw" and how == kernel.ACCLAMATION)


# -- a round -------------------------------------------------------------------------------------


def announce(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after a round of which something is known."""
    state = before_ballot(context, as_told_by_names(context, state, event), event.get("round"))
    tally = announced(context.plan, state, event)
    state, observed = begin_round(context, state, event.get("at"))
    state = resample_move(context, observe(context, state, observed, tally))
    elected, leader = elected_by_count(context.plan, state)
    possible = np.isfinite(state.particles.log_weight)
    who = np.unique(leader[possible])
    if elected[possible].all() and who.size == 1:  # whatever was not announced
        return replace(state, ended=(int(who[0]), kernel.MAJORITY), pending=False)
    return apply_certain_rules(context, state, elected, tally)


def inconclusive(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after a round that elected nobody, whatever else is known of it."""
    state = before_ballot(context, state, event.get("round"))
    tally = announced(context.plan, state, event, required=False)
    state, observed = begin_round(context, state, event.get("at"))
    held = observe(context, state, observed, tally)
    counted = tally.words(observed.standing)
    elected, _ = elected_by_count(context.plan, held)
    state = reweight(held, np.where(elected, -np.inf, 0.0), f"{counted or 'the round'} elects somebody under the rules")
    passed = share_left(held, state)
    state = replace(state, label=f"nobody is elected{f' ({counted})' if counted else ''}", chance=held.chance * passed)
    if passed < state.surprise:
        state = replace(state, surprise=passed, surprising="a round that elects nobody")
    return apply_certain_rules(context, resample_move(context, state), np.zeros_like(elected), tally)


def as_told_by_names(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state before a ballot in which those stand whose votes are told, where that was open.

    They must be as many as may stand, and the last tally, as far as it was announced, must allow it.
    """
    plan = context.plan
    told = {name for name, votes in (event.get("votes") or {}).items() if votes is not None}
    if not state.pending or state.contenders == 2:
        return state
    step, possible = next_step(plan, state), np.isfinite(state.particles.log_weight)
    now = {plan.names[k] for k in np.flatnonzero(state.standing)}
    places = 0 if step.stage is None or step.reopened or begins_alone(plan, step) else step.stage.standing
    if not told < now or len(told) != places:
        return state
    stays = surviving(state, step, places)[:, possible]
    stand = np.array([name in told for name in plan.names])
    counted = np.ptp(state.last_choice[:, possible], axis=1) == 0
    stays_or_leaves = np.where(stand[:, None], stays, 1.0 - stays).max(axis=1) > 0
    if not stays_or_leaves[counted & state.standing].all():
        return state
    for name in sorted(now - told, key=plan.names.index):
        state = eliminate(context, state, {"event": "eliminate", "name": name})
    return state


def before_ballot(context: UpdateContext, state: FilterState, number: int | None) -> FilterState:
    """Return the state before a ballot between candidates: the last round ended nothing, and two or more stand."""
    plan = context.plan
    refuse_another(number, state.round_ + 1)
    state = assume_no_concession(context, state)
    if state.ended is not None:
        raise AnnouncementError(f"the rules end the election after {state.round_} rounds")
    if state.alone >= 0:
        name = plan.names[state.alone]
        raise AnnouncementError(f"{name} stands alone; announce the yes/no round: day.confirm(yes, no)")
    if state.contenders == 1:
        raise AnnouncementError("nobody else stands")
    if state.round_ >= plan.rules.max_rounds:
        raise AnnouncementError(f"the rules end the election after {state.round_} rounds")
    return state


def refuse_another(number: int | None, coming: int) -> None:
    """Refuse what is told of a round that is not the coming one."""
    if number is not None and number != coming:
        rest = f", and correct round {number}: ... changes that one" if number < coming else ""
        raise AnnouncementError(f"the coming round is round {coming}, not {number}{rest}")


def announced(plan: Plan, state: FilterState, event: Mapping[str, Any], required: bool = True) -> Tally:
    """Return the tally that an event tells, checked; also whether as many votes elect as it says."""
    told = {key: event.get(key) for key in PAPERS if key != "valid"}
    votes = event.get("votes") or {}
    strays = bool(np.any(plan.behaviour.stray))
    tally = tally_of(votes, event.get("valid"), plan.names, state.standing, plan.entitled, told, required, strays)
    phase, held, _ = state.stage
    what, bar = plan.rules.base_of(phase), plan.rules.bar(phase, held, state.round_ + 1)
    base, said = {"valid": tally.valid, "present": tally.present}.get(what, plan.entitled), tally.told.get("needed")
    if said is not None and base is not None and bar.kind != "most" and bar.needed(base) != said:
        words = {"valid": "valid papers", "present": "members present"}.get(what, "members with a vote")
        raise AnnouncementError(
            f"{said} votes are said to be needed, but {bar.needed(base)} elect by the rules of the scenario, of {base} "
            f"{words}; tell all valid papers or the members present, or change the rules"
        )
    return tally


def begin_round(context: UpdateContext, state: FilterState, at: Any) -> tuple[FilterState, ObservedRound]:
    """Return the state with its clocks at the end of the coming round, and the round before its votes."""
    plan, size, before = context.plan, state.particles.size, state.clocks.now
    state = advance_clocks(context, state, at)
    barred = barred_now(plan, state)

    def begun() -> ObservedRound:
        day_of = plan.calendar.day_of
        last = state.looked_back_at if state.round_ else np.ones((plan.candidates, size))
        return ObservedRound(
            round_=state.round_ + 1,
            standing=state.standing,
            crowded=state.crowded,
            barred=barred,
            intention=np.zeros((1, size), dtype=np.uint8),
            shocks=draw_shocks(context.rng, state.particles.under(plan), size),
            last_votes=last.astype(float),
            night=day_of(before) < day_of(state.clocks.now),
        )

    who = state.standing.tobytes(), barred.tobytes()
    return state, context.once(("round", state.particles.draws, before, state.clocks, state.votes, *who), begun)


def advance_clocks(context: UpdateContext, state: FilterState, at: Any) -> FilterState:
    """Return the state with its clocks at the end of the coming round, announced or not."""
    plan = context.plan
    if at is not None:
        minute = moment_of(at, context.opens, state.at)
        state = condition_clocks(context, state, log_density_of_end(plan, state.clocks, minute), minute)
        counted = context.once(("counted", state.clocks), lambda: with_round_today(plan, state.clocks))
        return replace(state, clocks=counted)
    in_time = log_in_time(plan, state.clocks)
    if in_time.any():
        state, in_time = with_votes(state, plan, in_time, "the deadline has passed in every particle")
    if in_time.any():
        clocks = context.once(
            ("in time", state.clocks), lambda: resampled(context.clock_rng, plan, state.clocks, in_time)
        )
        state = replace(state, clocks=clocks)
    held = context.once(("held", state.clocks), lambda: hold_round(plan, state.clocks, state.round_ + 1))
    return replace(state, clocks=held)


def condition_clocks(context: UpdateContext, state: FilterState, log_density: Floats, minute: float) -> FilterState:
    """Return the state after something was announced for a minute."""
    if np.isfinite(log_density).any():
        otherwise = "the announced time agrees with no particle"
        state, log_density = with_votes(state, context.plan, log_density, otherwise)
    return set_clocks(context, state, log_density, minute)


def set_clocks(context: UpdateContext, state: FilterState, log_weight: Floats, minute: float) -> FilterState:
    """Return the state with its clocks resampled by weights and set to a minute."""

    def reset() -> Clocks:
        return set_to(context.clock_rng, context.plan, state.clocks, log_weight, minute)

    return replace(state, clocks=context.once(("set", state.clocks, minute), reset), at=minute)


def with_votes(state: FilterState, plan: Plan, log_weight: Floats, otherwise: str) -> tuple[FilterState, Floats]:
    """Return the state after weights of its clocks have weighed its particles, and the weights left for the clocks.

    Where the night before a round matters to how members vote, clocks and votes belong together, and the particles
    are reweighted.  Otherwise the clocks are resampled by themselves.
    """
    if nights_matter(plan, state.particles):
        return reweight(state, log_weight, otherwise), np.zeros_like(log_weight)
    return state, log_weight


class Sampled(NamedTuple):
    """A round as it was held in the hall, whatever the reading of the rules.

    What was expected of it; the particles after it, their log-weight being that of the tally; the log-ratio of those
    guided; and the rounds on record.
    """

    expected: Expected
    guided: Particles
    log_ratio: PerRun
    moved: Particles
    record: Record


def observe(context: UpdateContext, state: FilterState, observed: ObservedRound, tally: Tally) -> FilterState:
    """Return the state after a round: guide, reweight, and draw who voted how."""
    log_weight = state.particles.log_weight
    key = ("observe", state.particles.draws, state.particles.rounds, observed, *tally.bounds)
    held = context.once(key, lambda: hold(context, state, observed, tally))
    odds, what = surprise(tally, held.expected, weights(log_weight))
    before = np.logaddexp.reduce(log_weight)
    log_weight = log_weight + held.log_ratio + held.moved.log_weight
    label = tally.words(observed.standing)
    if not np.isfinite(log_weight).any():
        raise AnnouncementError(why_impossible(context.plan, held.guided, observed.barred, tally, label))
    return append_round(
        context.plan, state, held.record,
        particles=replace(held.moved, log_weight=log_weight), pending=True, label=label, surprise=odds, surprising=what,
        chance=float(np.exp(np.logaddexp.reduce(log_weight) - before)), effective_size=effective_size(log_weight),
    )  # fmt: skip


def hold(context: UpdateContext, state: FilterState, observed: ObservedRound, tally: Tally) -> Sampled:
    """Hold a round in the hall: guide the particles before the first, and draw who voted how given the tally."""
    plan, particles = context.plan, replace(state.particles, log_weight=np.zeros(state.particles.size))
    expected, log_ratio = expect(plan, particles, observed, tally.counted), np.zeros(())
    if not particles.rounds:
        draws, log_ratio = guide(particles.draws, expected.votes, aim(plan, particles, observed, expected, tally))
        particles = replace(particles, draws=draws)
    moved, votes, papers = propagate(context.rng, plan, particles, observed, tally)
    flow = flows(particles.intention, moved.rounds[-1].intention, moved.draws.absent, plan.candidates)
    shown = np.where(observed.standing[:, None], votes, np.int16(-1))
    record = recorded(state, shown, papers, present_in(moved, observed.barred), flow)
    return Sampled(expected, particles, log_ratio, moved, record)


def aim(plan: Plan, particles: Particles, observed: ObservedRound, expected: Expected, tally: Tally) -> Tally:
    """Return the tally towards which particles are guided: where somebody was elected, at the bar to be expected."""
    if tally.need is None:
        return tally
    papers = np.round(expected.papers.mean).astype(np.int64)
    bar = tally.need.votes(papers, present_in(particles, observed.barred))
    low = np.where(np.arange(plan.candidates) == tally.elected, np.maximum(tally.low, int(bar.mean())), tally.low)
    return replace(tally, low=low)


def why_impossible(plan: Plan, particles: Particles, barred: Flags, tally: Tally, label: str) -> str:
    """Return why no particle agrees with a tally, and what to change."""
    plan = particles.under(plan)
    away = np.where(barred[:, None], 1.0, still_away(plan, particles))
    silent = away + (1.0 - away) * plan.abstain
    least, most = int((silent <= 0).sum(axis=0).min()), int((silent < 1).sum(axis=0).max())
    valid, present = tally.valid, tally.present
    if valid is not None and valid < least:
        return (
            f"{valid} valid papers are fewer than the scenario allows: {least} members can neither be absent nor hand "
            "in a blank paper; raise its absent or abstain, as in race.with_behaviour(abstain=0.02)"
        )
    if valid is not None and valid > most:
        return f"{valid} valid papers are more than the scenario allows: only {most} members can be there; lower absent"
    if present is not None and not (away <= 0).sum(axis=0).min() <= present <= (away < 1).sum(axis=0).max():
        return f"{present} members present are not possible under the scenario; change its absent or without_vote"
    bound = [int(((plan.pins == k) & ~barred).sum()) for k in range(plan.candidates)]
    for k in np.flatnonzero(tally.high < bound):
        return f"{label} is impossible under the scenario: pinned members give {plan.names[k]} {bound[k]}"
    return f"{label} is impossible under the scenario: no particle agrees with it"


def present_in(particles: Particles, barred: Flags) -> Shorts:
    """Return the members present in every particle who are not barred."""
    return np.count_nonzero(~particles.draws.absent & ~barred[:, None], axis=0).astype(np.int16)


def barred_now(plan: Plan, state: FilterState) -> Flags:
    """Return who may not vote in the coming round, shape (N,)."""
    return barred_from(plan, state.stage, state.in_race)


def share_left(before: FilterState, after: FilterState) -> float:
    """Return which share of the weight is left."""
    old, new = (np.logaddexp.reduce(state.particles.log_weight) for state in (before, after))
    return float(min(1.0, np.exp(new - old)))


class Record(NamedTuple):
    """The rounds held: votes (m, K, P), valid papers and members present (m, P), and flows (m, K, K, P)."""

    votes: Shorts
    valid: Shorts
    attendance: Shorts
    flows: Shorts


def recorded(state: FilterState, *latest: Shorts) -> Record:
    """Return the rounds held with one more: its votes, valid papers, members present and flows."""
    before = (getattr(state, name) for name in Record._fields)
    return Record(*(np.concatenate([past, now[None]]) for past, now in zip(before, latest, strict=True)))


def append_round(plan: Plan, state: FilterState, record: Record, **changes: Any) -> FilterState:
    """Return the state with one more round on record."""
    return replace(
        state,
        round_=state.round_ + 1,
        **record._asdict(),
        stages=(*state.stages, state.stage._replace(standing=state.contenders)),
        entitled=(*state.entitled, entitled_now(plan, state)),
        **changes,
    )


def entitled_now(plan: Plan, state: FilterState) -> int:
    """Return how many members may vote in the coming round."""
    return int((plan.votes & ~barred_now(plan, state)).sum())


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


# -- elected, without figures --------------------------------------------------------------------


def elect(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after the chair has called a candidate elected, without any figures.

    It was the last round, if what is known of it leaves that open; otherwise one more, in which the candidate's
    votes reached the bar, or the yes/no round of the one who stands alone.  Where the model finds none of this
    possible it is a fact all the same, and no round is put on record.
    """
    plan, name = context.plan, event["name"]
    k = standing_candidate(plan, state, name)
    if state.ended is not None:
        return finish_event(context, state, event, f"{name} is elected")
    if event.get("at") is not None:
        moment_of(event["at"], context.opens, state.at)  # a time that cannot be is refused, whatever happened
    try:
        after = elected_in_a_round(context, state, k, event.get("at"))
        chance = share_left(state, after)
    except OpenQuestion:
        raise
    except AnnouncementError:
        after, chance = replace(state, ended=(k, kernel.ACCLAMATION), foreseen=False), 0.0
    untimed = {} if after.round_ > state.round_ else event  # the clocks of a new round are at its end already
    after = finish_event(context, after, untimed, f"{name} is elected")
    return replace(after, surprise=chance, surprising=f"an election of {name}", chance=chance)


def elected_in_a_round(context: UpdateContext, state: FilterState, k: int, at: Any) -> FilterState:
    """Return the state after a candidate was elected by the last round or by the next.

    Raises
    ------
    AnnouncementError
        If the model finds both impossible.
    """
    plan = context.plan
    if state.pending:
        elected, leader = elected_by_count(plan, state)
        if (elected & (leader == k))[np.isfinite(state.particles.log_weight)].any():
            return reach(plan, state, k)
    state = assume_no_concession(context, state)
    if state.alone >= 0:
        return confirmed(context, state, k, at)
    state = before_ballot(context, state, None)
    strays = bool(np.any(plan.behaviour.stray))
    tally = tally_of({}, None, plan.names, state.standing, plan.entitled, required=False, strays=strays)
    need = need_of(plan, state.stage, entitled_now(plan, state), state.round_ + 1)
    state, observed = begin_round(context, state, at)
    return reach(plan, observe(context, state, observed, replace(tally, elected=k, need=need)), k)


def reach(plan: Plan, state: FilterState, k: int) -> FilterState:
    """Condition on the last round having elected a candidate."""
    elected, leader = elected_by_count(plan, state)
    log_chance = np.where(elected & (leader == k), 0.0, -np.inf)
    state = reweight(state, log_chance, f"{plan.names[k]} is elected in no particle")
    return replace(state, ended=(k, kernel.MAJORITY))


def confirmed(context: UpdateContext, state: FilterState, k: int, at: Any) -> FilterState:
    """Return the state after the one who stands alone has passed the yes/no round."""
    plan, size = context.plan, state.particles.size
    if state.alone != k:
        raise AnnouncementError(f"{plan.names[state.alone]} stands alone")
    state = advance_clocks(context, state, at)
    runs = pack_runs(plan, [entry_of(plan, state)], size)
    counted, (_, how) = kernel.play_round(plan, runs, state.round_ + 1, np.zeros(runs.width, dtype=bool))
    votes, valid, flow = counted
    present = present_in(state.particles, barred_now(plan, state))
    key = ("passed", state.particles.draws, state.votes, state.alone, state.conceded, present.tobytes())
    state = append_round(plan, state, context.once(key, lambda: recorded(state, votes, valid, present, flow)))
    state = reweight(state, np.where(how == kernel.CONFIRMED, 0.0, -np.inf), f"{plan.names[k]} passes in no particle")
    return replace(state, ended=(k, kernel.CONFIRMED))


# -- other events --------------------------------------------------------------------------------


def withdraw(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after a withdrawal.

    Between two it is the concession of the model where the candidate trails; a withdrawal that the
    model does not foresee is a fact that changes no weight.
    """
    plan, name = context.plan, event["name"]
    k = standing_candidate(plan, state, name)
    alone = state.ended[0] if state.ended is not None else state.alone
    if alone == k:
        after_another = state.ended is not None or state.conceded or bool(state.withdrawn.any())
        both = plan.candidates == 2 and after_another
        label = "both have withdrawn" if both else f"{name} withdraws{' too' * after_another}, and nobody is left"
        return finish_event(context, replace(state, ended=(-1, kernel.FAILED)), event, label)
    if state.ended is not None:
        raise AnnouncementError(OVER)
    if alone >= 0:
        raise AnnouncementError(f"{plan.names[alone]} stands alone already; a withdrawal changes nothing")
    if state.pending:
        state = assume_inconclusive(plan, state)
    if state.contenders > 2:
        return finish_event(context, after_withdrawal(plan, state, k), event, f"{name} withdraws")
    if state.pending:
        trails = shared_by_lot(laws.trails, state)[k]
        state = reweight_if_possible(state, trails * concession_probability(plan, state))
    else:
        state = replace(state, foreseen=False)
    other = int(np.flatnonzero(without(state, k).standing)[0])
    if plan.rules.withdrawal == "vote":
        stage = state.stage._replace(held=state.stage.held + state.pending)
        state = replace(state, alone=other, conceded=True, stage=stage)
        return finish_event(context, state, event, f"{name} withdraws")
    clocks = context.once(("consultation", state.clocks), lambda: after_consultation(plan, state.clocks))
    state = replace(state, clocks=clocks, ended=(other, kernel.ACCLAMATION))
    return finish_event(context, state, event, f"{name} withdraws, and {plan.names[other]} is acclaimed")


def eliminate(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after a candidate is out by the rules, by lot, or by decision of the chair.

    If the rules put more than one out, or leave one alone, what they do is settled once it is known of all.
    """
    plan, name = context.plan, event["name"]
    k, label = standing_candidate(plan, state, name), f"{name} is out"
    if not state.pending:
        if state.contenders == 2:
            raise AnnouncementError("only two stand, and the rules put neither out now: announce a withdrawal")
        return finish_event(context, replace(without(state, k), foreseen=False), event, label)
    step = next_step(plan, state)
    alone = begins_alone(plan, step)
    places = 1 if alone and state.contenders == 2 else state.contenders if step.stage is None else step.stage.standing
    if state.contenders == 2 and places == 2:
        raise AnnouncementError("only two stand, and the rules put neither out now: announce a withdrawal")
    state = assume_nobody_conceded(plan, assume_inconclusive(plan, state))
    if places == state.contenders:  # by decision of the chair
        return finish_event(context, replace(without(settled(state, step), k), foreseen=False), event, label)
    if step.tie == "extra":
        state, stays = after_extra_ballot(plan, state)
    else:
        stays = surviving(state, step, places)
    state = reweight_if_possible(state, 1.0 - stays[k])
    if alone and state.contenders == 2:
        other = int(np.flatnonzero(without(state, k).standing)[0])
        return finish_event(context, replace(settled(state, step), alone=other), event, label)
    if places == state.contenders - 1 and not alone:
        return finish_event(context, without(settled(state, step), k), event, label)
    return finish_event(context, without(state, k), event, label, pending=True)


def after_extra_ballot(plan: Plan, state: FilterState) -> tuple[FilterState, Floats]:
    """Return the state after the extra ballot that the rules hold where there is a tie, and who stays after it, (K, P).

    It is played once in every particle, and the time that it takes passes.
    """
    size = state.particles.size
    runs = pack_runs(plan, [entry_of(plan, state)], size)
    extra = kernel.proceed(plan, runs, state.round_, np.arange(size), np.full(size, kernel.STILL_OPEN))
    table = state.clocks.timetable(plan)
    table.hold_round(np.flatnonzero(extra), state.round_)
    return replace(state, clocks=state.clocks.after(table)), runs.standing.astype(float)


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
    refuse_another(event.get("round"), state.round_ + 1)
    state, plan = assume_no_concession(context, state), context.plan
    if state.alone < 0:
        raise AnnouncementError("more than one candidate stands; announce a tally, or a withdrawal first")
    yes, no = event["yes"], event["no"]
    if yes + no > plan.entitled:
        raise AnnouncementError(f"{yes + no} papers are more than the {plan.entitled} members with a vote")
    k, size = plan.candidates, state.particles.size
    votes = np.full((k, size), -1, dtype=np.int16)
    votes[state.alone] = yes
    odds, what = yes_no_surprise(plan, state, yes / max(yes + no, 1))
    told = {key: event.get(key) for key in PAPERS if key != "valid"}
    answer = {"yes": yes, "no": no}
    present = tally_of(answer, event.get("valid"), tuple(answer), np.array([True, True]), plan.entitled, told).present
    there = present_in(state.particles, barred_now(plan, state))
    attendance = there if present is None else np.full(size, present, dtype=np.int16)
    state = advance_clocks(context, state, event.get("at"))
    papers, particles = np.full(size, yes + no, dtype=np.int16), state.particles
    after = np.zeros((1, size), dtype=np.uint8) if particles.intention is None else particles.intention
    nobody_moves = flows(particles.intention, after, particles.draws.absent, k)
    key = ("answered", particles.draws, state.votes, state.alone, attendance.tobytes())
    record = context.once(key, lambda: recorded(state, votes, papers, attendance, nobody_moves))
    state = append_round(plan, state, record)
    label = f"{plan.names[state.alone]} alone: {yes} yes, {no} no"
    state = replace(state, label=label, surprise=odds, surprising=what, chance=1.0)
    need, said = needed_last(plan, state)[np.isfinite(state.particles.log_weight)], told["needed"]
    if said is not None and (need != said).all():
        raise AnnouncementError(
            f"{said} votes are said to be needed, but {need[0]} confirm by the rules of the scenario; tell the members "
            "present, or change the rules"
        )
    passed = yes >= need
    if passed.all():
        return replace(state, ended=(state.alone, kernel.CONFIRMED))
    if passed.any():
        raise OpenQuestion(
            f"the announcements leave open whether {yes} of yes are enough; tell the members present too"
        )
    return replace(state, ended=(-1, kernel.FAILED)) if state.conceded else proceed(plan, state)


def yes_no_surprise(plan: Plan, state: FilterState, share: float) -> Surprise:
    """Return how far out a share of yes is: by playing the round in every particle."""
    runs = pack_runs(plan, [entry_of(plan, state)], state.particles.size)
    (votes, valid, _), _ = kernel.play_round(plan, runs, state.round_ + 1, np.zeros(runs.width, dtype=bool))
    played, w = votes[state.alone] / np.maximum(valid, 1), weights(state.particles.log_weight)
    return Surprise(float(min(1.0, 2 * min(w @ (played <= share), w @ (played >= share)))), "an answer this far out")


def adjourn(context: UpdateContext, state: FilterState, event: Mapping[str, Any]) -> FilterState:
    """Return the state after it is known that nothing happens before a moment."""
    minute = moment_of(event["until"], context.opens, state.at)
    state = condition_clocks(context, state, log_agreement(context.plan, state.clocks, minute), minute)
    moment = datetime.combine(context.opens.date(), time()) + timedelta(minutes=minute)
    label = f"adjourned until {moment_in_words(moment, context.opens.date())}"
    state = replace(state, label=label, surprise=1.0, chance=1.0)
    return resample_move(context, state)


def finish_event(
    context: UpdateContext, state: FilterState, event: Mapping[str, Any], label: str, pending: bool = False
) -> FilterState:
    """Return the state after an event that settles what follows from the last round."""
    if event.get("at") is not None:
        minute = moment_of(event["at"], context.opens, state.at)
        state = set_clocks(context, state, np.zeros(state.particles.size), minute)
    return resample_move(context, replace(state, pending=pending, label=label, surprise=1.0, chance=1.0))


def standing_candidate(plan: Plan, state: FilterState, name: str) -> int:
    """Return the index of a candidate who still stands."""
    if name not in plan.names:
        raise newcomer(name, plan.names)
    k = plan.names.index(name)
    if not state.standing[k]:
        raise AnnouncementError(f"{name} does not stand any more")
    return k


UPDATES: dict[str, Callable[[UpdateContext, FilterState, Mapping[str, Any]], FilterState]] = {
    "announce": announce,
    "inconclusive": inconclusive,
    "elect": elect,
    "withdraw": withdraw,
    "eliminate": eliminate,
    "confirm": confirm,
    "go on": go_on,
    "adjourn": adjourn,
}
