"""Several readings side by side: every phase does what it does in its reading alone."""

from __future__ import annotations

import pytest

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
