"""Several readings side by side: every phase does what it does in its reading alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rules.random_procedures import procedure_for
from toys import complete, same

from iomsim.engine import state
from iomsim.engine.outcomes import Outcomes, join
from iomsim.engine.plan import Plan
from iomsim.engine.simulate import simulate
from iomsim.errors import ScenarioError
from iomsim.model.bodies import reading
from iomsim.rules.phase import Phase
from iomsim.rules.procedure import Procedure, Stage
from iomsim.rules.rulebook import Rulebook

NAMES = ("four-rounds", "strict", "withdrawal-then-vote", "one-two-way")
PHASED = Procedure(phases=[Phase(threshold=">1/2", drop=1, ballots=2), Phase(threshold=">1/2", base="present")])
READINGS = (*(reading(name, "iom") for name in NAMES), PHASED)
BOOK = Rulebook(READINGS)
PHASES = [(own, i) for own in READINGS for i in range(len(own.phases))]


def test_a_phase_is_that_of_its_reading() -> None:
    assert BOOK.phases == tuple(own.phases[i] for own, i in PHASES)
    assert BOOK.withdrawals == tuple(own.withdrawal for own, _ in PHASES)
    assert len(set(BOOK.withdrawals)) > 1
    assert BOOK.bases == {own.base_of(i) for own, i in PHASES}
    for place, (own, i) in enumerate(PHASES):
        assert BOOK.base_of(place) == own.base_of(i)
        for held, ballot in ((1, 1), (3, 2), (5, 5)):
            assert BOOK.bar(place, held, ballot) == own.bar(i, held, ballot)


@pytest.mark.parametrize("candidates", [2, 3, 5])
def test_an_election_stays_in_its_reading(candidates: int) -> None:
    firsts = [sum(len(before.phases) for before in READINGS[:r]) for r in range(len(READINGS))]
    own_first = [own.first_stage(candidates).phase for own in READINGS]
    assert BOOK.first_phases(candidates) == tuple(a + b for a, b in zip(firsts, own_first, strict=True))
    for own, first in zip(READINGS, firsts, strict=True):
        for i in range(len(own.phases)):
            for ballots in (1, 2, 4):
                stage = Stage(i, ballots, candidates)
                alone = own.next_stage(stage, candidates)
                step = BOOK.next_stage(stage._replace(phase=first + i), candidates)
                if alone.stage is not None:
                    alone = alone._replace(stage=alone.stage._replace(phase=first + alone.stage.phase))
                assert step == alone


def test_readings_have_one_horizon() -> None:
    with pytest.raises(ScenarioError, match="as many rounds"):
        Rulebook((Procedure(max_rounds=10), Procedure(max_rounds=20)))


# -- whole elections -----------------------------------------------------------------------------------

RUNS = 60
WHICH = np.array([0, 2, 1, 1, 0])
"""The reading that each run follows, in turn."""


def triples(first: int, last: int) -> Iterator[tuple[int, Plan]]:
    """Yield plans with three random readings each, between two, three or four candidates."""
    for number in range(first, last):
        k = (2, 2, 3, 4)[number % 4]
        tables = [procedure_for(3 * number + i, 13) | {"name": f"made up {i}", "max_rounds": 12} for i in range(3)]
        readings = tuple(Procedure.of(table) for table in tables)
        if all(can_begin(own, k) for own in readings):
            plan = complete(k, 13).plan
            yield number, replace(plan, readings=readings, values={**plan.values, "readings": 0.0})


def can_begin(rules: Procedure, candidates: int) -> bool:
    try:
        rules.first_stage(candidates)
    except ScenarioError:  # no phase is held for so many
        return False
    return True


def of_reading(out: Outcomes, reading: int) -> Outcomes:
    return join(out.part(run, run + 1) for run in range(RUNS) if WHICH[run % WHICH.size] == reading)


def alone(plan: Plan, rules: Procedure, seed: int) -> Outcomes:
    """Play all runs under one reading; choices are drawn as between as many as the readings together may need."""
    own = replace(plan, rules=rules, readings=())
    own.__dict__["pairwise"] = plan.pairwise
    return simulate(own, {}, RUNS, seed)


def mistaken(first: int, last: int) -> tuple[int, int, set[int]]:
    """Return of how many readings the runs are not those of the reading alone, of how many, and what ends they had."""
    wrong, all_, endings = 0, 0, set()
    for number, plan in triples(first, last):
        whole = simulate(plan, {"readings": WHICH.astype(float)}, RUNS, number)
        for place, rules in enumerate(plan.readings):
            one, other = (of_reading(out, place) for out in (whole, alone(plan, rules, number)))
            wrong, all_ = wrong + (not same(one, other)), all_ + 1
            endings |= set(map(int, other.ending))
    return wrong, all_, endings


@pytest.mark.slow
def test_every_run_is_that_of_its_reading_alone() -> None:
    wrong, all_, endings = mistaken(0, 24)
    assert (wrong, endings) == (0, {0, 1, 2, 3, 4})
    assert all_ > 50


@pytest.mark.slow
def test_more_runs_are_those_of_their_reading_alone() -> None:
    wrong, all_, _ = mistaken(24, 300)
    assert wrong == 0
    assert all_ > 600


@pytest.mark.parametrize("shift", [0, 1])
def test_another_reading_is_seen(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All begin in the first reading; or each in the next one."""
    begin = state.course.begin

    def wrongly(book: Any, candidates: int, width: int, reading: Any) -> Any:
        return begin(book, candidates, width, (np.asarray(reading) + 1) % 3 if shift else 0 * np.asarray(reading))

    monkeypatch.setattr(
        state.course,
        "begin",
        lambda book, k, n, r=0: wrongly(book, k, n, r) if isinstance(book, Rulebook) else begin(book, k, n, r),
    )
    wrong, all_, _ = mistaken(0, 6)
    assert wrong > all_ / 2
