"""The rest of the election: every possible world played from where it stands to its end."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from iomsim.election_day.between_rounds import elected_by
from iomsim.election_day.state import Stage, evened, field_of
from iomsim.engine import kernel, outcomes, state
from iomsim.engine.clock import Timetable
from iomsim.engine.plan import Plan
from iomsim.forecasting.forecast import Forecast, from_outcomes
from iomsim.forecasting.run import OTHER_RULES_RUNS, by_shipped_rules
from iomsim.forecasting.tables import Tables, rule_sets_table
from iomsim.model.events import Event
from iomsim.model.scenario import Scenario
from iomsim.rules.ruleset import RULE_SETS, Rules


def forecast_from(
    race: Scenario, plan: Plan, seed: int, rng: np.random.Generator, stage: Stage, events: tuple[Event, ...]
) -> Forecast:
    """Return the forecast from a stage on: what happened is the same in every run, as far as it is known."""
    again = deepcopy(rng)
    told = {
        "announced": stage.round_,
        "events": events,
        "out": tuple(race.names[c] for c in stage.out),
        "certain": stage.over is not None,
        "reached": stage.at,
    }
    compare_rules = partial(side_by_side, plan=plan, stage=stage, rng=again) if events else by_shipped_rules
    return from_outcomes(race, seed, [play_on(plan, evened(rng, plan, stage))], **told, compare_rules=compare_rules)


def play_on(plan: Plan, stage: Stage) -> outcomes.Outcomes:
    """Play equally weighted worlds from the stage to their end, and put the rounds held before that."""
    table = Timetable(plan.calendar, plan.pace, stage.hours.keys, stage.hours.now.copy())
    played = finished(stage) if stage.over is not None else unfinished(plan, stage, table)
    run = np.arange(stage.cloud.size)
    past = [state.RoundRecord(r + 1, run, stage.votes[r], stage.valid[r], stage.flows[r]) for r in range(stage.round_)]
    whole = state.KernelOutput(played.winner, played.ending, played.rounds, [*past, *played.records])
    return outcomes.outcomes(whole, plan.candidates, table.now, stage.present)


def finished(stage: Stage) -> state.KernelOutput:
    """Return how an election that is over ended: the same in all worlds."""
    assert stage.over is not None
    size, (who, how) = stage.cloud.size, stage.over
    winner, ending = np.full(size, who, dtype=np.int8), np.full(size, how, dtype=np.uint8)
    return state.KernelOutput(winner, ending, np.full(size, stage.round_, dtype=np.int16), [])


def unfinished(plan: Plan, stage: Stage, table: Timetable) -> state.KernelOutput:
    """Play on, beginning with what follows from the last round."""
    entry = field_of(plan, stage)
    runs = entry.runs
    how, elected = np.full(runs.width, kernel.STILL_OPEN), np.full(runs.width, -1)
    if stage.pending:
        decided, leader = elected_by(plan, stage)
        how[decided] = kernel.MAJORITY
        conceded, elected, how = kernel.apply_rules(plan, runs, stage.round_, (leader, how))
        table.concessions(np.flatnonzero(conceded))
    runs.done = how != kernel.STILL_OPEN
    done = runs.done.copy()
    packed = state.pack_runs(plan, [entry], runs.width)
    played = kernel.play(plan, [packed], runs.width, table, after=stage.round_)
    played.winner[done], played.ending[done], played.rounds[done] = elected[done], how[done], stage.round_
    return played


# -- other rules ---------------------------------------------------------------------------------


def side_by_side(fc: Tables, plan: Plan, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """Return the table of the shipped rule sets under which what happened could have happened, the own first."""
    race, stage = fc.race, evened(deepcopy(rng), plan, stage)
    thin = stage.pick(np.arange(0, stage.cloud.size, max(1, stage.cloud.size // OTHER_RULES_RUNS)))
    rows = {race.rules.label: fc.as_row()}
    for name, rules in RULE_SETS.items():
        if rules != race.rules and allows(rules, plan, stage):
            part = play_on(replace(plan, rules=rules), thin)
            rows[name] = from_outcomes(race.with_rules(name), fc.seed, [part]).as_row()
    return rule_sets_table(rows)


def allows(rules: Rules, plan: Plan, stage: Stage) -> bool:
    """Return whether other rules would have led to the same stage.

    They must have elected nobody in the earlier rounds, have put nobody out who still stands, and leave
    the leader alone neither earlier nor later.
    """
    ours = plan.rules
    if stage.over is not None or not stage.round_:
        return stage.over is None
    cap = rules.max_two_way
    same_exits = (rules.eliminate_after, rules.eliminate_every) == (ours.eliminate_after, ours.eliminate_every)
    return (
        (same_exits or plan.candidates == 2)
        and stage.alone < 0
        and (cap is None or stage.two_way < cap)
        and rules.max_rounds > stage.round_
        and not elected_before(replace(plan, rules=rules), stage)
    )


def elected_before(plan: Plan, stage: Stage) -> bool:
    """Return whether these rules would have elected somebody in a round before the last, in any world."""
    settled = stage.round_ - stage.pending
    earlier = (replace(stage, round_=r, votes=stage.votes[:r], valid=stage.valid[:r]) for r in range(1, settled + 1))
    return any(elected_by(plan, early)[0].any() for early in earlier)
