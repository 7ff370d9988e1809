"""What is believed of an election: its particles under every reading of the rules that is still possible.

Under which reading an election is held depends on nothing else in it, and members vote as they do whatever the
reading: it only says what follows from a ballot.  So the readings share the particles.  Each has a state of its own,
in which the weight of a particle is multiplied by the probability under this reading of what is known to have
followed from its ballots.  What is done in the hall is done once (`UpdateContext.once`); only where the readings
disagree about who stands in a ballot do they go on with particles of their own.  The posterior weight of a reading is
the sum of the weights of its particles, and nothing of it is left to chance that need not be.

An announcement is applied under every reading.  One under which it cannot have happened is ruled out, and so is one
that does not foresee it (a withdrawal where the rules know none) if another does; what none foresees is a fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from iomsim.election_day.between_rounds import OpenQuestion, begins_alone, next_step
from iomsim.election_day.clocks import Clocks, with_new_keys
from iomsim.election_day.conditioning import effective_size, resample, resample_within
from iomsim.election_day.moves import rejuvenate, sweeps_after
from iomsim.election_day.state import (
    FilterState,
    UpdateContext,
    clocks_apart,
    initial_state,
    picked,
    resampled,
    with_own_keys,
)
from iomsim.election_day.update import update
from iomsim.engine.plan import Plan
from iomsim.errors import AnnouncementError
from iomsim.house_style import count
from iomsim.memory import refuse_too_many
from iomsim.typing import Flags, Floats, Longs, Places

GOLDEN = 0.6180339887498949

OF_A_PARTICLE, OF_A_DRAW = 40.0, 220.0
"""Bytes by member and candidate: measured after a few rounds, with those of the forecasts in between."""


@dataclass(frozen=True, eq=False)
class Belief:
    """How an election stands under every reading of its rules; immutable, so that an event can be undone.

    Attributes
    ----------
    plans : tuple of Plan
        The election under each reading.
    states : tuple of FilterState or None
        How it stands under each; None if the reading is ruled out.
    gone : tuple of str
        The readings that the last event ruled out.
    """

    plans: tuple[Plan, ...]
    states: tuple[FilterState | None, ...]
    gone: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there were several readings at the start."""
        return len(self.states) > 1

    @property
    def alive(self) -> list[int]:
        """The readings that are possible."""
        return [r for r, state in enumerate(self.states) if state is not None]

    def at(self, reading: int) -> FilterState:
        """Return the state under a possible reading."""
        state = self.states[reading]
        assert state is not None
        return state

    @property
    def possible(self) -> list[FilterState]:
        """The states under the possible readings."""
        return [self.at(r) for r in self.alive]

    @cached_property
    def weights(self) -> Floats:
        """The probability of each reading."""
        mass = np.array([-np.inf if s is None else np.logaddexp.reduce(s.particles.log_weight) for s in self.states])
        weight = np.exp(mass - mass.max())
        return np.asarray(weight / weight.sum())

    @property
    def main(self) -> int:
        """The weightiest reading."""
        return int(self.weights.argmax())

    @property
    def plan(self) -> Plan:
        """The election under the weightiest reading."""
        return self.plans[self.main]

    @cached_property
    def state(self) -> FilterState:
        """How it stands under the weightiest reading."""
        return self.at(self.main)

    @property
    def name(self) -> str:
        """The name of the weightiest reading."""
        return self.plan.rules.name

    @cached_property
    def halls(self) -> list[list[int]]:
        """The possible readings, put together that share their particles."""
        found: dict[tuple[int, ...], list[int]] = {}
        for r in self.alive:
            state = self.at(r)
            parts = state.particles.draws, state.particles.rounds, state.clocks, state.votes, state.flows
            found.setdefault(tuple(map(id, parts)), []).append(r)
        return list(found.values())

    @property
    def over(self) -> bool:
        """Whether the election is over under all possible readings, with the same winner."""
        ends = {None if state.ended is None else state.ended[0] for state in self.possible}
        return len(ends) == 1 and None not in ends

    @property
    def out_for_all(self) -> Flags:
        """Who cannot be elected any more under any of them, shape (K,)."""
        everybody = np.arange(self.plan.candidates)
        out = np.ones(everybody.size, dtype=bool)
        for state in self.possible:
            over = self.several and state.ended is not None
            out &= everybody != state.ended[0] if over and state.ended else np.isin(everybody, state.out)
        return out

    def total(self, readings: Sequence[int]) -> Floats:
        """Return the log-weights of the particles that these readings share, whatever the reading."""
        return log_total([self.at(r).particles.log_weight for r in readings])

    def told(self, about: Mapping[str, Any]) -> Belief:
        """Return the same with other words and chances of the last event, by field of its states."""
        return replace(self, states=tuple(state and replace(state, **about) for state in self.states))

    def draw_weights(self, count: int, clock: bool = False) -> Floats:
        """Return the probability of each draw of the assumptions, or of what they say of the `clock`.

        Where the clocks are kept apart from the particles, all clocks weigh alike.
        """
        out, parts = np.zeros(count), []
        for hall in self.halls:
            state, log_weight = self.at(hall[0]), self.total(hall)
            if not clock or state.clocks.draw is None:
                parts.append((state.particles.draw, log_weight))
            elif clocks_apart(self.plan, state.particles):
                whole = np.logaddexp.reduce(log_weight)
                parts.append((state.clocks.draw, np.full(log_weight.size, whole - np.log(log_weight.size))))
            else:
                parts.append((state.clocks.draw, log_weight))
        top = max(log_weight.max() for _, log_weight in parts)
        for draw, log_weight in parts:
            out += np.bincount(draw, np.exp(log_weight - top), minlength=count)
        return out / out.sum()


def log_total(log_weights: Sequence[Floats]) -> Floats:
    """Return the logarithms of sums of weights."""
    if len(log_weights) == 1:
        return log_weights[0]
    return np.asarray(np.logaddexp.reduce(np.stack(log_weights), axis=0))


def first_belief(plan: Plan, weights: Sequence[float], size: int, seed: int) -> Belief:
    """Return what is believed before the vote: the particles are the runs of the ordinary forecast of this seed.

    `weights` are those of the readings of the rules; none if there is one only.
    """
    numbers, draws = len(plan.members) * plan.candidates, max(map(np.size, plan.values.values()))
    things = f"particles of {len(plan.members)} members and {plan.candidates} candidates on {count(draws, 'draw')}"
    refuse_too_many(size, things, OF_A_PARTICLE * numbers, OF_A_DRAW * numbers * draws)
    state = initial_state(plan, size, seed)
    if not weights:
        return Belief((plan,), (state,))
    plans = tuple(under(plan, number) for number in range(len(weights)))
    states = []
    for own, weight in zip(plans, weights, strict=True):
        particles = replace(state.particles, log_weight=np.full(size, np.log(weight)))
        states.append(replace(state, particles=particles, stage=own.rules.first_stage(own.candidates)))
    return Belief(plans, tuple(states))


def under(plan: Plan, number: int) -> Plan:
    """Return a plan of several readings under one of them."""
    values = {path: value for path, value in plan.values.items() if path != "readings"}
    return replace(plan, rules=plan.readings[number], readings=(), values=values).compiled()


# -- an event ------------------------------------------------------------------------------------


def updated(context: UpdateContext, belief: Belief, event: Mapping[str, Any]) -> Belief:
    """Return what is believed after an event.

    Raises
    ------
    AnnouncementError
        If it cannot have happened under any reading: what the weightiest says.  Also if the announcements leave open
        what follows under one of the readings.
    """
    if not belief.several:
        return replace(belief, states=(update(context, belief.state, event),))
    context = replace(context, hall={})
    states, refused = list(belief.states), {}
    for r in belief.alive:
        try:
            states[r] = update(replace(context, plan=belief.plans[r]), belief.at(r), event)
        except AnnouncementError as error:
            states[r], refused[r] = None, error
    for r, why in refused.items():
        if isinstance(why, OpenQuestion) and not impossible_whoever_is_out(belief.plans[r], belief.at(r), event):
            raise why
    if len(refused) == len(belief.alive):
        raise refused[max(refused, key=lambda r: belief.weights[r])]
    if any(state.foreseen for state in states if state is not None):
        states = [state if state is not None and state.foreseen else None for state in states]
    gone = tuple(belief.plans[r].rules.name for r in belief.alive if states[r] is None)
    after = replace(belief, states=tuple(states), gone=gone)
    return resampled_together(context, with_event_of_all(belief, after))


def impossible_whoever_is_out(plan: Plan, state: FilterState, event: Mapping[str, Any]) -> bool:
    """Return whether rules that leave open who is out, or who stands alone, forbid an event in any case.

    So they forbid a ballot between candidates where a vote on one alone is due, and votes of more than may stand.
    """
    if not state.pending or event["event"] not in ("announce", "inconclusive"):
        return False
    step = next_step(plan, state)
    told = [name for name, votes in (event.get("votes") or {}).items() if votes is not None]
    return step.stage is not None and (begins_alone(plan, step) or len(told) > step.stage.standing)


def with_event_of_all(before: Belief, after: Belief) -> Belief:
    """Return a belief whose states say of the last event what all readings together say of it."""
    prior, alive = before.weights, after.alive
    surprise, chance = (float(sum(prior[r] * getattr(after.at(r), x) for r in alive)) for x in ("surprise", "chance"))
    size = effective_size(np.concatenate([after.total(hall) for hall in after.halls]))
    return after.told({"surprise": min(1.0, surprise), "chance": chance, "effective_size": size})


def resampled_together(context: UpdateContext, belief: Belief) -> Belief:
    """Return particles resampled where too few are effective, together under all readings that share them."""
    size, states = belief.state.particles.size, list(belief.states)
    scale = np.logaddexp.reduce([np.logaddexp.reduce(belief.total(hall)) for hall in belief.halls]) - np.log(size)
    for hall in belief.halls:
        total, held = belief.total(hall), [belief.at(r) for r in hall]
        effective = effective_size(total)
        if effective >= size / 2:
            index, level = None, scale
        else:
            index = resample(total, float(context.rng.random()))
            level = total[index] - (np.logaddexp.reduce(total) - np.log(size) - scale)
        first = held[0] if index is None else parted(context, picked(context.plan, held[0], index), effective)
        for r, state in zip(hall, held, strict=True):
            own = state.particles.log_weight
            log_weight = own - level if index is None else own[index] - level
            states[r] = beside(first, state if index is None else state.own(index), log_weight)
    return replace(belief, states=tuple(states))


def parted(context: UpdateContext, state: FilterState, effective: float) -> FilterState:
    """Return copies of particles with numbers of their own from now on, moved apart."""
    state = with_own_keys(context.rng, context.plan, state)
    if not state.particles.rounds:
        return state
    sweeps = sweeps_after(effective, state.particles.size)
    return replace(state, particles=rejuvenate(context.rng, context.plan, state.particles, sweeps))


def beside(hall: FilterState, state: FilterState, log_weight: Floats) -> FilterState:
    """Return a state whose particles, clocks and rounds are those of another, under its own reading and weights."""
    shared = {name: getattr(hall, name) for name in ("clocks", "votes", "valid", "attendance", "flows")}
    return replace(state, **shared, particles=replace(hall.particles, log_weight=log_weight))


# -- one reading a particle ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sample:
    """Equally weighted particles under one reading of the rules; n particles.

    Attributes
    ----------
    reading : int
        The reading.
    state : FilterState
        The particles, and how they stand.
    place : ndarray of int, shape (n,)
        Where each belongs among the particles of all readings.
    """

    reading: int
    state: FilterState
    place: Places


class Posterior(NamedTuple):
    """Equally weighted particles by reading, and the draws of the assumptions that they follow.

    `draw` says which draw each particle follows, shape (P,).  Shapes (D,): `source` says of which draw before the vote
    its values are, `clock` of which those of the clock are, and `reading` which reading of the rules it follows.
    """

    samples: list[Sample]
    draw: Longs
    source: Longs
    clock: Longs
    reading: Longs


def sampled(
    rng: np.random.Generator, belief: Belief, uniforms: Floats | None, readings: Longs | None = None
) -> Posterior:
    """Return as many particles as there are, equally weighted, each under one reading of the rules.

    As before the vote, particles of one draw of the assumptions follow one reading, and one draw of the clock's pace;
    where they are very many, some of them another.  Both are drawn given the draw and what was announced.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    belief : Belief
        What is believed.
    uniforms : ndarray, shape (C,), or None
        Those by which each draw's reading was drawn before the vote: it changes only as far as its law has.  None
        where the assumptions are fixed.
    readings : ndarray of int, shape (C,), optional
        The readings of the draws, where nothing was announced yet: the particles are the runs of the forecast then.
    """
    size = belief.state.particles.size
    if uniforms is None:
        sample, only = Sample(0, resampled(rng, belief.plan, belief.state), np.arange(size)), np.zeros(1, dtype=np.intp)
        return Posterior([sample], np.zeros(size, dtype=np.intp), only, only, only)
    count = uniforms.size
    rows, of_hall, chance = chosen_by_hall(rng, belief)
    draws = np.stack([belief.at(hall[0]).particles.draw for hall in belief.halls])
    lot, source = lots(draws[of_hall, rows], of_hall, count, size if readings is not None else max(size // LOTS, 1))
    weight = np.bincount(lot, minlength=source.size) / size
    mean = np.stack([np.bincount(lot, row, source.size) for row in chance]) / np.maximum(weight * size, 1)
    mean[:, weight == 0] = belief.weights[:, None]
    u = (uniforms[source] + GOLDEN * np.maximum(np.arange(source.size) - count + 1, 0)) % 1.0
    u = evenly_spread(u, weight)
    reading = (np.cumsum(mean, axis=0) / mean.sum(axis=0) <= u).sum(axis=0) if readings is None else readings
    mine = chance[reading[lot], np.arange(size)] / mean[reading, np.arange(source.size)][lot]
    if np.ptp(mine) > SAME:  # those of a draw whose votes agree better with its reading come first
        rows = rows[resample_within(rng, lot, mine)[0]]
    samples, clock = [], source.copy()
    for number, hall in enumerate(belief.halls):
        here = np.flatnonzero(of_hall == number)
        state, index = belief.at(hall[0]), rows[here]
        clocks = state.clocks
        if not np.array_equal(index, np.arange(size)):
            state = with_own_keys(rng, belief.plan, state.pick(index))
        if clocks_apart(belief.plan, state.particles) and readings is None:
            state, own_clock = with_clocks(rng, belief.plan, state, clocks, lot[here])
            clock[lot[here]] = own_clock
        for r in hall:
            where = np.flatnonzero(reading[lot[here]] == r)
            if where.size:
                own = beside(state, belief.at(r).own(index), np.zeros(index.size))
                samples.append(Sample(r, own.pick(where), here[where]))
    return Posterior(samples, lot, source, clock, reading)


def with_clocks(
    rng: np.random.Generator, plan: Plan, state: FilterState, clocks: Clocks, lot: Longs
) -> tuple[FilterState, Longs]:
    """Return particles with clocks that were kept apart from them, and the draw of the pace that each then follows.

    The particles of a lot get clocks of one draw, as often as there are clocks of it.
    """
    assert clocks.draw is not None
    order = np.argsort(clocks.draw, kind="stable")
    names, of = np.unique(lot, return_inverse=True)
    u = evenly_spread(rng.random(names.size), np.bincount(of) / lot.size)
    draw = clocks.draw[order[(u * order.size).astype(np.intp)]][of]
    first = np.searchsorted(clocks.draw[order], draw, side="left")
    many = np.searchsorted(clocks.draw[order], draw, side="right") - first
    place = order[first + (rng.random(lot.size) * many).astype(np.intp)]
    return replace(state, clocks=with_new_keys(rng, plan, clocks.pick(place))), draw


def evenly_spread(u: Floats, weight: Floats) -> Floats:
    """Return uniforms in the same order that are spread evenly over things of these weights, which add up to 1.

    Examples
    --------
    >>> evenly_spread(np.array([0.9, 0.1, 0.2]), np.array([0.5, 0.2, 0.3])).tolist()
    [0.75, 0.1, 0.35]
    """
    order = np.argsort(u, kind="stable")
    out = np.empty_like(u)
    out[order] = np.cumsum(weight[order]) - weight[order] / 2
    return np.minimum(out, BELOW_ONE)


BELOW_ONE = float(np.nextafter(1.0, 0.0))


LOTS = 400
"""About as many lots of particles are made that follow one reading each, at least."""

SAME = 1e-9
"""How far weights may differ that are the same."""


def chosen_by_hall(rng: np.random.Generator, belief: Belief) -> tuple[Places, Longs, Floats]:
    """Return equally weighted particles, whatever the reading, as many as there are in all.

    That is which of those of its hall each one is, its hall by number, and the probability of each reading given it,
    shapes (P,), (P,) and (R, P).
    """
    size = belief.state.particles.size
    masses = np.array([np.logaddexp.reduce(belief.total(hall)) for hall in belief.halls])
    of_hall = resample(masses, float(rng.random()), size)
    rows, chance = np.zeros(size, dtype=np.intp), np.zeros((len(belief.states), size))
    for number, hall in enumerate(belief.halls):
        total, here = belief.total(hall), np.flatnonzero(of_hall == number)
        if not here.size:
            continue
        index = np.arange(size)
        if here.size != size or np.ptp(total) > SAME:
            index = resample(total, float(rng.random()), here.size)
        rows[here] = index
        for r in hall:
            chance[r, here] = np.exp(belief.at(r).particles.log_weight[index] - total[index])
    return rows, of_hall, chance


def lots(draw: Longs, of_hall: Longs, count: int, most: int) -> tuple[Longs, Longs]:
    """Return which lot each particle belongs to, and of which draw each lot is.

    A lot are particles of one hall and one draw of the assumptions; those of a draw that has more than twice as many
    as a lot has at most are several.  The first lots are those of the draws, by number.
    """
    code = of_hall * count + draw
    held = np.bincount(code)
    parts = np.maximum(1, held // (2 * most))
    order = np.argsort(code, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(draw.size) - np.repeat(np.cumsum(held) - held, held)
    part = rank % parts[code]
    lot, further = draw.copy(), (of_hall > 0) | (part > 0)
    if not further.any():
        return lot, np.arange(count)
    names, lot_of = np.unique(code[further] * (1 + part.max()) + part[further], return_inverse=True)
    lot[further] = count + lot_of.reshape(-1)
    return lot, np.concatenate([np.arange(count), names // (1 + part.max()) % count])
