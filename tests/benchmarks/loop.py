"""The plain loop: whole elections, member by member, as one would first write them.

It is the yardstick for pure Python as it stands, and for numba compiled.  Two candidates, the rules
until-two-thirds (two thirds of the valid papers, the trailing camp may withdraw, acclamation), the
full model between rounds and the clock.  It owes the engine nothing but the numbers in `World`.
"""

from __future__ import annotations

import random
from math import exp, floor, log, sqrt
from typing import NamedTuple

import numpy as np

from iomsim.engine.plan import Plan


class World(NamedTuple):
    """The scenario as numbers, tuples and tuples of tuples, which numba understands as well."""

    lean: tuple  # by member: (towards the first, towards the second)
    pressure: tuple  # by member: what every sponsor moves
    backs: tuple
    spreads: tuple
    group: tuple
    absent: tuple
    pins: tuple
    conviction_scale: float
    common_sd: float
    region_sd: float
    conviction: float
    abstain: float
    fluid: float
    openness: tuple  # entrenched, fluid
    openness_inf: float
    decay: float
    momentum: tuple  # entrenched, fluid
    round_sd: float
    concede_a: float
    concede_b: float
    max_rounds: int
    opening: float
    opens: tuple
    closes: tuple
    closes_late: tuple
    last_call: float
    sits_on: float
    formalities: tuple  # median, log-sd
    minutes: tuple  # median, log-sd of a round


def world_of(plan: Plan, sittings: int = 80) -> World:
    """Return a plan as plain numbers."""
    b, pace, cal, values = plan.behaviour, plan.pace, plan.calendar, plan.values
    assert plan.candidates == 2
    lean = [values[path] + table[:, 0] for path, table in zip(plan.appeals, plan.tie_table, strict=True)]
    strength = np.array([values[path] for path in plan.strengths]) * (1 - b.secrecy)
    between_two = plan.rules.phases[plan.rules.first_stage(2).phase]
    assert (plan.rules.withdrawal, between_two.ballots, plan.rules.needed(165)) == ("acclamation", None, 110)
    return World(
        lean=tuple(map(tuple, np.transpose(lean).tolist())),
        pressure=tuple(map(tuple, (strength[:, None] * plan.exposure[..., 0]).T.tolist())),
        backs=tuple(plan.backs.tolist()),
        spreads=tuple(values[path] for path in plan.spreads),
        group=tuple(plan.group.tolist()),
        absent=tuple(plan.absent[:, 0].tolist()),
        pins=tuple(plan.pins.tolist()),
        conviction_scale=sqrt(1 + 0.346 * b.conviction**2),
        common_sd=b.common_sd,
        region_sd=b.region_sd,
        conviction=b.conviction,
        abstain=b.abstain,
        fluid=b.fluid,
        openness=(b.openness_entrenched, b.openness_fluid),
        openness_inf=b.openness_inf,
        decay=b.decay,
        momentum=(b.momentum_entrenched, b.momentum_fluid),
        round_sd=b.round_sd,
        concede_a=b.concede_a,
        concede_b=b.concede_b,
        max_rounds=plan.rules.max_rounds,
        opening=cal.opening,
        opens=tuple(cal.opens[:sittings].tolist()),
        closes=tuple(cal.closes[:sittings, 0].tolist()),
        closes_late=tuple(cal.closes[:sittings, 1].tolist()),
        last_call=pace.last_call,
        sits_on=pace.sits_on,
        formalities=(pace.formalities, pace.formalities_log_sd),
        minutes=(pace.round_minutes, pace.round_log_sd),
    )


def simulate(w: World, runs: int, seed: int, winner: list, rounds: list, minute: list) -> None:
    """Play `runs` elections; write who won (-1 for nobody), in which round, and at what minute it ended."""
    random.seed(seed)
    n, groups, sponsors, days = len(w.group), max(w.group) + 1, len(w.backs), int(w.opens[-1] // 1440) + 1
    half = sqrt(0.5)
    against = [0.0] * n
    here = [True] * n
    intention = [0] * n
    effect = [0.0] * sponsors
    level = [0.0] * (2 * groups)
    for run in range(runs):
        # what a run draws once
        for s in range(sponsors):
            effect[s] = exp(w.spreads[s] * random.gauss(0.0, 1.0) - w.spreads[s] ** 2 / 2)
        common_0 = w.common_sd * half * random.gauss(0.0, 1.0)
        common_1 = w.common_sd * half * random.gauss(0.0, 1.0)
        for g in range(groups):
            level[2 * g] = common_0 + w.region_sd * half * random.gauss(0.0, 1.0)
            level[2 * g + 1] = common_1 + w.region_sd * half * random.gauss(0.0, 1.0)
        present = 0
        for i in range(n):
            here[i] = random.random() >= w.absent[i]
            if not here[i]:
                continue
            present += 1
            v = level[2 * w.group[i] + 1] + w.lean[i][1] - level[2 * w.group[i]] - w.lean[i][0]
            for s in range(sponsors):
                v += (2 * w.backs[s] - 1) * w.pressure[i][s] * effect[s]
            against[i] = w.conviction_scale * v - w.conviction * random.gauss(0.0, 1.0)
        fluid = 1 if random.random() < w.fluid else 0
        readiness = random.betavariate(w.concede_a, w.concede_b)
        longer = [random.random() < w.sits_on for _ in range(days)]
        now = w.opening + w.formalities[0] * exp(w.formalities[1] * random.gauss(0.0, 1.0))
        sitting = 0
        winner[run], rounds[run], minute[run] = -1, w.max_rounds, -1
        votes_0 = votes_1 = 0
        for round_ in range(1, w.max_rounds + 1):
            # the clock
            while True:
                start = max(now, w.opens[sitting])
                late = longer[int(w.opens[sitting] // 1440)]
                close = w.closes_late[sitting] if late else w.closes[sitting]
                if start <= close - w.last_call:
                    break
                sitting += 1
            now = start + w.minutes[0] * exp(w.minutes[1] * random.gauss(0.0, 1.0))
            # what happened since the last round
            omega, pull = 1.0, 0.0
            if round_ > 1:
                omega = w.openness_inf + (w.openness[fluid] - w.openness_inf) * w.decay ** (round_ - 2)
                pull = w.momentum[fluid] * (log(max(votes_1, 0.5)) - log(max(votes_0, 0.5)))
                for sign in (1.0, -1.0):
                    chi = random.gammavariate(2.5, 2.0)
                    pull += sign * w.round_sd * half * sqrt(3.0 / chi) * random.gauss(0.0, 1.0)
            # the papers
            votes_0 = votes_1 = 0
            for i in range(n):
                if not here[i]:
                    continue
                if w.pins[i] >= 0:
                    intention[i] = w.pins[i]
                elif round_ == 1 or random.random() < omega:
                    x = min(against[i] + pull, 500.0)
                    intention[i] = 0 if random.random() < 1.0 / (1.0 + exp(x)) else 1
                if w.pins[i] >= 0 or random.random() >= w.abstain:
                    if intention[i] == 0:
                        votes_0 += 1
                    else:
                        votes_1 += 1
            # the count
            top = max(votes_0, votes_1)
            if votes_0 != votes_1 and (3 * top >= 2 * (votes_0 + votes_1) or random.random() < readiness):
                winner[run], rounds[run], minute[run] = int(votes_1 > votes_0), round_, floor(now)
                break
