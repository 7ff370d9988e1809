"""What may still come: every particle played from where it stands to its end, and the coming round of that forecast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iomsim.election_day.belief import Belief, Posterior, Sample, sampled
from iomsim.election_day.between_rounds import elected_by_count
from iomsim.election_day.clocks import Clocks
from iomsim.election_day.state import FilterState, entry_of, resampled
from iomsim.engine import kernel, paths
from iomsim.engine.clock import Ballots, Timetable
from iomsim.engine.outcomes import Outcomes, outcomes
from iomsim.engine.plan import Plan
from iomsim.engine.rng import assumption_uniforms
from iomsim.engine.state import ActiveRuns, KernelOutput, RoundRecord, pack_runs
from iomsim.errors import AnnouncementError
from iomsim.forecasting.estimates import Estimate, in_100
from iomsim.forecasting.forecast import Forecast, from_outcomes
from iomsim.forecasting.run import OTHER_RULES_RUNS, by_readings
from iomsim.forecasting.summary import yes_no_rows
from iomsim.forecasting.tables import NO_WINNER, Tables, rule_sets_table
from iomsim.house_style import in_lines
from iomsim.model.assumptions import READINGS, Assumptions
from iomsim.model.bodies import siblings
from iomsim.model.events import Event
from iomsim.model.scenario import Scenario
from iomsim.rules.course import leading
from iomsim.rules.procedure import Procedure
from iomsim.typing import Flags, Floats, Ints, Longs, Shorts

MIDDLE = (0.1, 0.5, 0.9)
"""Quantiles shown: the median and the middle 80 of 100."""


def forecast_from(
    race: Scenario,
    seed: int,
    rng: np.random.Generator,
    belief: Belief,
    events: tuple[Event, ...],
    draws: Assumptions | None = None,
) -> Forecast:
    """Return the forecast from what is believed on: what happened is the same in every run, as far as it is known.

    Parameters
    ----------
    race : Scenario
        The election.
    seed : int
        The seed of the day.
    rng : Generator
        Source of the draws.
    belief : Belief
        What is believed after the events.
    events : tuple of Event
        What was announced.
    draws : Assumptions, optional
        The draws of the assumptions before the vote; None if they are fixed.
    """
    again, plan = deepcopy(rng), plan_of(race, draws)
    states = belief.possible
    facts = {
        "announced": min(state.round_ for state in states),
        "events": events,
        "out": tuple(race.names[c] for c in np.flatnonzero(belief.out_for_all)),
        "certain": belief.over,
        "reached": belief.state.at,
    }
    found = sampled(rng, belief, reading_uniforms(seed, draws), None if events or draws is None else draws.reading)
    out = play_samples(plan, found.samples)
    compare: Callable[[Tables], pd.DataFrame] = by_readings
    if events and not belief.several:
        compare = partial(by_possible_rules, state=belief.state, rng=again, draws=draws)
    if draws is not None:
        draws, out = of_posterior(draws, found), replace(out, draw=found.draw.astype(out.draw.dtype))
    return from_outcomes(race, seed, [out], **facts, draws=draws, compare_rules=compare)


def plan_of(race: Scenario, draws: Assumptions | None) -> Plan:
    """Return the plan of a race: of its values, or with one column for each draw of its assumptions."""
    return race.plan if draws is None else draws.plan(race).compiled()


def reading_uniforms(seed: int, draws: Assumptions | None) -> Floats | None:
    """Return the uniforms by which each draw's reading of the rules was drawn; None if the assumptions are fixed."""
    return None if draws is None else assumption_uniforms(seed, READINGS, draws.count)


def of_posterior(draws: Assumptions, found: Posterior) -> Assumptions:
    """Return the draws of the assumptions that equally weighted particles follow, and their readings."""
    whole, same = np.arange(draws.count), np.array_equal
    if same(found.source, whole) and same(found.clock, whole) and same(found.reading, draws.reading):
        return draws

    def taken(table: Mapping[str, Floats]) -> dict[str, Floats]:
        return {
            path: value[found.clock if paths.head(path) == paths.CLOCK else found.source]
            for path, value in table.items()
        }

    parameters = taken(draws.parameters)
    if READINGS in parameters:
        parameters[READINGS] = found.reading.astype(float)
    return replace(draws, values=taken(draws.values), reading=found.reading, parameters=parameters)


def play_on(plan: Plan, state: FilterState) -> Outcomes:
    """Play equally weighted particles under one reading from a state to their end; the rounds held come first."""
    return play_samples(plan, [Sample(0, state, np.arange(state.particles.size))])


def play_samples(plan: Plan, samples: Sequence[Sample]) -> Outcomes:
    """Play equally weighted particles, each under its reading, from where they stand to their end, in one pass.

    Parameters
    ----------
    plan : Plan
        The election, with all readings.
    samples : sequence of Sample
        The particles by reading.
    """
    size = sum(sample.place.size for sample in samples)
    draw = in_place([sample.state.particles.draw for sample in samples], samples)
    table = timetable_of(plan, samples)
    whole = KernelOutput(
        winner=np.full(size, -1, dtype=np.int8),
        ending=np.full(size, kernel.OPEN, dtype=np.uint8),
        rounds=np.zeros(size, dtype=np.int16),
        records=[],
    )
    for sample in samples:
        state = sample.state
        rounds = zip(state.votes, state.valid, state.flows, strict=True)
        whole.records.extend(RoundRecord(r, sample.place, *held) for r, held in enumerate(rounds, start=1))
        winner, ending = (-1, kernel.OPEN) if state.ended is None else state.ended
        whole.winner[sample.place], whole.ending[sample.place] = winner, ending
        whole.rounds[sample.place] = state.round_
    going_on = [sample for sample in samples if sample.state.ended is None]
    if going_on:
        play_open(plan, going_on, table, whole)
    present = in_place([sample.state.present for sample in samples], samples)
    out = outcomes(whole, plan.candidates, plan.calendar.seat.shown(table.now), present)
    return replace(out, draw=draw.astype(out.draw.dtype))


def in_place(parts: Sequence[NDArray[Any]], samples: Sequence[Sample]) -> NDArray[Any]:
    """Return what the samples have, one entry a particle, where the particles belong."""
    out = np.empty(sum(part.size for part in parts), dtype=parts[0].dtype)
    for part, sample in zip(parts, samples, strict=True):
        out[sample.place] = part
    return out


def timetable_of(plan: Plan, samples: Sequence[Sample]) -> Timetable:
    """Return the clocks of all particles as the kernel moves them on."""
    clocks = [sample.state.clocks for sample in samples]

    def of_all(parts: Sequence[Any]) -> Any:
        return None if any(part is None for part in parts) else in_place(parts, samples)

    held = [one.ballots for one in clocks]
    ballots = None
    if all(one is not None for one in held):
        day, count = (of_all([getattr(one, name) for one in held]) for name in ("day", "held"))
        ballots = Ballots(day, count)
    keys, now = (of_all([getattr(one, name) for one in clocks]) for name in ("keys", "now"))
    return Clocks(keys, now, ballots, of_all([one.draw for one in clocks])).timetable(plan)


def play_open(plan: Plan, samples: Sequence[Sample], table: Timetable, whole: KernelOutput) -> None:
    """Play on, beginning with what follows from the last round; the readings hold the first rounds one by one."""
    first = np.cumsum([0, *(len(reading.phases) for reading in plan.book.readings)])
    after = samples[0].state.round_

    def waves() -> Iterator[ActiveRuns]:
        for sample in samples:
            entry, state = entry_of(plan, sample.state), sample.state
            runs = replace(entry.runs, run=sample.place, phase=entry.runs.phase + np.int16(first[sample.reading]))
            wave = pack_runs(plan, [entry._replace(runs=runs)], runs.width)
            if state.pending:
                rules = replace(plan, rules=plan.book.readings[sample.reading])
                follow(plan, wave, elected_by_count(rules, state), after, table, whole)
            yield wave

    played = kernel.play(plan, waves(), table.now.size, table, after=after)
    whole.records.extend(played.records)
    place = np.concatenate([sample.place for sample in samples])
    on = place[whole.ending[place] == kernel.OPEN]
    whole.winner[on], whole.ending[on], whole.rounds[on] = played.winner[on], played.ending[on], played.rounds[on]


def follow(
    plan: Plan, runs: ActiveRuns, last: tuple[Flags, Shorts], round_: int, table: Timetable, whole: KernelOutput
) -> None:
    """Let the last round have its consequences, and write down whom it ends."""
    decided, leader = last
    how = np.where(decided, kernel.MAJORITY, kernel.STILL_OPEN)
    conceded, extra, elected, how = kernel.apply_rules(plan, runs, round_, (leader, how))
    table.concessions(runs.run[conceded])
    if extra.any():
        table.hold_round(runs.run[extra], round_)
    runs.done = how != kernel.STILL_OPEN
    over = runs.run[runs.done]
    whole.winner[over], whole.ending[over] = elected[runs.done], how[runs.done]


# -- other rules ---------------------------------------------------------------------------------


def by_possible_rules(
    fc: Tables, state: FilterState, rng: np.random.Generator, draws: Assumptions | None = None
) -> pd.DataFrame:
    """Return the readings of the body's rules under which what happened could have happened, the own first.

    `draws` are those of the assumptions before the vote, which the particles follow.
    """
    race, plan = fc.race, plan_of(fc.race, draws)
    state = resampled(deepcopy(rng), plan, state)
    thin = state.pick(np.arange(0, state.particles.size, max(1, state.particles.size // OTHER_RULES_RUNS)))
    if fc.events and fc.events[-1]["event"] == "announce":
        thin = before_the_rules(thin)
    rows = {race.rules.name: fc.as_row()}
    for name, rules in siblings(race.rules, race.body).items():
        other = under(rules, plan, thin) if rules != race.rules else None
        if other is not None:
            part = play_on(replace(plan, rules=rules), other)
            own = None if draws is None else replace(draws, readings=(rules,))
            rows[name] = from_outcomes(race.with_rules(rules), fc.seed, [part], draws=own).as_row()
    return rule_sets_table(rows)


def before_the_rules(state: FilterState) -> FilterState:
    """Return the state right after its last tally, before its rules have made anything of it."""
    if state.pending or state.ended is not None:
        return state
    stood = (state.votes[-1] >= 0).any(axis=1)
    return replace(state, pending=True, standing=stood, stage=state.stages[-1], alone=-1)


def under(rules: Procedure, plan: Plan, state: FilterState) -> FilterState | None:
    """Return the state as it would be under other rules; None if these would not have led to it.

    They must have had the same candidates stand in every round, elected nobody before the last, and leave the leader
    alone neither earlier nor later.
    """
    if state.ended is not None:
        return None
    stage, in_race = rules.first_stage(plan.candidates), int((~state.withdrawn).sum())
    stages = []
    stood = [int((votes >= 0).any(axis=1).sum()) for votes in state.votes]
    settled = state.round_ - state.pending
    for number, standing in enumerate(stood, start=1):
        stage = rules.without(stage, in_race, max(stage.standing - standing, 0)).stage or stage
        if stage.standing != standing or rules.phases[stage.phase].vote == "yes-no":
            return None
        stages.append(stage)
        if number <= settled:
            step = rules.next_stage(stage, in_race, max(standing - (stood[number:] or [state.contenders])[0], 0))
            if step.stage is None:
                return None
            stage = step.stage
    alone = rules.phases[stage.phase].vote == "yes-no"
    if stage.standing != state.contenders or alone != (state.alone >= 0) or rules.max_rounds <= state.round_:
        return None
    refusals = sum((refused_in(votes) for votes in state.votes[:settled]), np.zeros(state.particles.size, dtype=int))
    state = replace(state, stage=stage, stages=tuple(stages), non_concessions=refusals.astype(np.int16))
    return None if elected_before(replace(plan, rules=rules), state) else state


def refused_in(votes: Shorts) -> Ints:
    """Return in which particles the one behind of two did not withdraw after a round, by its votes, (K, P)."""
    two = int((votes >= 0).any(axis=1).sum()) == 2
    return (leading(np.maximum(votes, 0))[1] & two).astype(int)


def elected_before(plan: Plan, state: FilterState) -> bool:
    """Return whether these rules would have elected somebody in a round before the last, in any particle."""
    settled = state.round_ - state.pending
    return any(elected_by_count(plan, state.as_after(r))[0].any() for r in range(1, settled + 1))


# -- the coming round ----------------------------------------------------------------------------


def next_round(fc: Forecast, name: str | None = None) -> NextRound:
    """Return the coming round of a forecast, seen from one candidate (default: the favourite).

    Raises
    ------
    AnnouncementError
        If the election is over.
    """
    if fc.certain:
        raise AnnouncementError("the election is over; there is no next round")
    chances = fc.win_probability()["probability"].drop(NO_WINNER)
    return NextRound(fc, fc.race.candidate(name or chances.idxmax()).name)


@dataclass(frozen=True, repr=False)
class NextRound:
    """The coming round as the forecast has it; prints as a sentence or two.

    Attributes
    ----------
    fc : Forecast
        The forecast.
    name : str
        The candidate from whom it is seen.
    """

    fc: Forecast
    name: str

    @property
    def number(self) -> int:
        """Number of the coming round."""
        return self.fc.announced + 1

    @property
    def held(self) -> Estimate:
        """Probability that it is held at all: neither a concession nor a decision comes before it."""
        return Estimate.of(int(self._held.sum()), len(self.fc))

    @property
    def decides(self) -> Estimate:
        """Probability that the election ends with it, if it is held."""
        return self._share(self._out.rounds[self._held] == self.number)

    @property
    def elects(self) -> Estimate:
        """Probability that it elects the candidate, if it is held."""
        ends = self._out.rounds[self._held] == self.number
        return self._share(ends & (self._out.winner[self._held] == self._k))

    @property
    def alone(self) -> Estimate:
        """Probability that it is a yes/no round on a candidate who stands alone, if it is held."""
        return self._share(self._yes_no)

    def tally(self) -> pd.DataFrame:
        """Return the predicted votes of everybody who stands, if the round is an ordinary one.

        Returns
        -------
        DataFrame
            By candidate: 10 %, 50 % and 90 % points of the votes and of the share of valid papers.
        """
        votes, valid = self._votes[~self._yes_no], self._valid[~self._yes_no]
        rows = {}
        for k, name in enumerate(self.fc.race.names):
            own = votes[:, k] >= 0
            if own.any():
                share = votes[own, k] / np.maximum(valid[own], 1)
                rows[name] = {**_points("votes", votes[own, k]), **_points("share", share)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("candidate")

    def table(self) -> pd.DataFrame:
        """Return what the candidate's votes in the coming round would mean.

        Returns
        -------
        DataFrame
            By votes: `probability` of exactly these, if the candidate stands in an ordinary round, and
            everybody's and nobody's chance to win the election after them.
        """
        votes, winner = self._own
        names = [*self.fc.race.names, NO_WINNER]
        codes = np.where(winner < 0, len(names) - 1, winner)
        counts = pd.crosstab(votes, codes).reindex(columns=range(len(names)), fill_value=0)
        out = counts.div(counts.sum(axis=1), axis=0).set_axis(names, axis=1)
        out.insert(0, "probability", counts.sum(axis=1) / max(len(votes), 1))
        return out.rename_axis(f"votes for {self.name}").rename_axis(None, axis=1)

    def turning_point(self) -> int | None:
        """Return the fewest votes in the coming round from which on the candidate is the favourite.

        The cut that agrees best with the runs: with fewer votes the others win more often than the
        candidate, from it on the candidate more often than they.  None if the candidate is ahead, or
        behind, whatever the tally.
        """
        votes, winner = self._own
        lead = np.where(winner == self._k, 1, np.where(winner >= 0, -1, 0))
        level, index = np.unique(votes, return_inverse=True)
        gain = np.cumsum(np.concatenate([[0.0], np.bincount(index, weights=lead, minlength=level.size)]))
        best = int(np.argmin(gain))
        return int(level[best]) if 0 < best < level.size else None

    def __str__(self) -> str:
        """Return the coming round in words."""
        if not self._held.any():
            return "No further round is expected."
        parts = [f"Round {self.number} is held in {str(self.held).replace(' in ', ' of ')} elections."]
        if self._own[0].size:
            parts.append(self._ballot())
        if self._yes_no.any():
            parts.append(self._alone())
        return " ".join(parts)

    def __repr__(self) -> str:
        """Return the same in lines."""
        return in_lines(str(self))

    # -- inside -----------------------------------------------------------------------------

    def _ballot(self) -> str:
        low, middle, high = np.quantile(self._own[0], MIDDLE, method="inverted_cdf")
        turn = self.turning_point()
        where = f" {self.name} is the favourite from {turn} votes on." if turn is not None else ""
        return (
            f"{self.name} then gets {middle:.0f} votes ({low:.0f} to {high:.0f} in the middle 80 of 100), and the "
            f"election ends with it in {in_100(self.decides.value)} of 100 elections.{where}"
        )

    def _alone(self) -> str:
        passed = in_100(float((self._out.winner[self._held][self._yes_no] >= 0).mean()))
        opening = "It" if self._yes_no.all() else f"In {self.alone} it"
        return f"{opening} is a vote of yes or no on the leader alone, who passes in {passed} of 100 elections."

    @property
    def _k(self) -> int:
        return self.fc.race.names.index(self.name)

    @property
    def _out(self) -> Outcomes:
        return self.fc.all_outcomes

    @cached_property
    def _held(self) -> Flags:
        return np.asarray(self._out.rounds >= self.number)

    @property
    def _rows(self) -> Longs:
        return np.asarray((self._out.starts + self.number - 1)[self._held])

    @cached_property
    def _votes(self) -> Longs:
        return np.asarray(self._out.votes[self._rows], dtype=np.int64)

    @cached_property
    def _valid(self) -> Longs:
        return np.asarray(self._out.valid[self._rows], dtype=np.int64)

    @cached_property
    def _yes_no(self) -> Flags:
        """Which of the runs that hold it hold it on one candidate alone."""
        return yes_no_rows(self._out)[self._rows]

    @cached_property
    def _own(self) -> tuple[Longs, NDArray[np.int8]]:
        """The candidate's votes and the winner, in the runs in which it is an ordinary round."""
        stands = ~self._yes_no & (self._votes[:, self._k] >= 0)
        return self._votes[stands, self._k], self._out.winner[self._held][stands]

    def _share(self, where: Flags) -> Estimate:
        return Estimate.of(int(where.sum()), where.size) if where.size else Estimate(0.0, np.nan, np.nan, 1.0, 0)


def _points(what: str, values: np.ndarray) -> dict[str, float]:
    points = np.quantile(values, MIDDLE, method="inverted_cdf")
    return {f"{what} {100 * q:.0f} %": p for q, p in zip(MIDDLE, points, strict=True)}
