"""A plan of columns for some of them: what was computed already is taken along, and nothing is forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from toys import complete, same

from iomsim.engine.outcomes import join
from iomsim.engine.plan import Plan, draw, member_odds
from iomsim.engine.simulate import iter_spans, simulate
from iomsim.typing import Places

WIDTH = 5
FIRST, THEN = np.array([4, 4, 0, 2, 1, 3, 3]), np.array([6, 0, 2, 2, 1])
RACES = {k: complete(k, 20) for k in (2, 3)}


def wide(k: int) -> Plan:
    """Return a plan in which every number has columns of its own."""
    source, plan = np.random.default_rng(k), RACES[k].plan
    return plan.at({path: value * (0.5 + 0.5 * source.random(WIDTH)) for path, value in plan.values.items()})


def before_the_vote(plan: Plan, runs: int) -> list[np.ndarray]:
    drawn = draw(plan, 3, 0, runs)
    return [*(np.asarray(part) for part in vars(drawn).values() if part is not None), member_odds(plan, drawn)]


def chosen(plan: Plan, columns: Places) -> Plan:
    """Return the plan with nothing known but the values."""
    return RACES[plan.candidates].plan.at({path: np.asarray(value)[columns] for path, value in plan.values.items()})


@pytest.mark.parametrize("k", RACES)
@pytest.mark.parametrize("known", [False, True])
def test_columns_of_a_plan_are_those_of_its_values(k: int, known: bool) -> None:
    plan = wide(k)
    if known:
        plan = plan.compiled()
        before_the_vote(plan, WIDTH)
    once, twice = plan.of(FIRST), plan.of(FIRST).of(THEN)
    for found, columns in ((once, FIRST), (twice, FIRST[THEN])):
        expected = before_the_vote(chosen(plan, columns), columns.size)
        parts = before_the_vote(found, columns.size)
        assert all(np.array_equal(a, b) for a, b in zip(parts, expected, strict=True))
    other = before_the_vote(chosen(plan, np.roll(FIRST, 1)), FIRST.size)
    assert not np.array_equal(other[-1], before_the_vote(once, FIRST.size)[-1])


def test_columns_are_taken_in_turn_whatever_their_number() -> None:
    """Early and late parameters, of three, four and five columns; in spans of one block, which begin anywhere."""
    plan, runs = RACES[2].plan, 1100
    own = {
        "behaviour.conviction": np.linspace(0.5, 2.5, 3),
        "sponsors.W.strength": np.linspace(0.0, 1.0, 5),
        "behaviour.decay": np.linspace(0.3, 0.9, 4),
        "clock.last_call": np.linspace(20.0, 60.0, 3),
    }
    a_run = {path: values[np.arange(runs) % values.size] for path, values in own.items()}
    expected = simulate(plan, a_run, runs, seed=4)
    assert same(simulate(plan, own, runs, seed=4), expected)
    assert same(join(list(iter_spans(plan, own, runs, 4, blocks=1))), expected)
