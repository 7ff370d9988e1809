"""What the kernel does between rounds, apart from whole elections."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from toys import ALPHA, STILL, play, toy

from iomsim.engine import rng
from iomsim.engine.rng import BLOCK, Lane
from iomsim.rules import course
from iomsim.rules.procedure import Procedure

BLOCKS = np.concatenate([rng.run_keys(1, block) for block in range(3)])


def drawn(votes: list[int], round_: int) -> np.ndarray:
    """Return who leads by votes and lot in many runs with the same tally; -1 does not stand."""
    tally = np.repeat(np.array(votes)[:, None], BLOCKS.size, axis=1)
    tickets = rng.uniform(BLOCKS, round_, rng.lanes(Lane.TICKET, len(votes)))
    return course.first_of(tally, tally >= 0, np.asarray(tickets))


def test_a_lot_is_fair() -> None:
    assert BLOCKS.size == 3 * BLOCK
    first = drawn([5, 3, 5, 5], 2)
    assert set(first) == {0, 2, 3}
    assert stats.chisquare(np.bincount(first)[[0, 2, 3]]).pvalue > ALPHA
    assert set(drawn([3, -1, 5, 3], 1)) == {2}


def test_another_round_has_another_lot() -> None:
    again = np.mean(drawn([1, 1, 1, 1], 2) == drawn([1, 1, 1, 1], 3))
    assert abs(again - 1 / 4) < 4 * np.sqrt(3 / 16 / BLOCKS.size)


def test_a_lot_decides_fairly_who_leaves() -> None:
    tally = np.repeat(np.array([[4], [2], [2], [2]]), BLOCKS.size, axis=1)
    stay = course.survivors(tally, tally >= 0, 3, np.asarray(rng.uniform(BLOCKS, 1, rng.lanes(Lane.TICKET, 4))))
    assert stay[0].all()
    gone = np.argmin(stay, axis=0)
    assert (np.count_nonzero(stay, axis=0) == 3).all()
    assert stats.chisquare(np.bincount(gone)[1:]).pvalue > ALPHA


@pytest.mark.parametrize("to", ["A", "B"])
def test_barred_members_hand_in_no_paper_however_firmly_they_lean(to: str) -> None:
    """Odds that single precision cannot hold do not make a member absent."""
    rules = Procedure(threshold="5", phases=[{"ballots": 1, "barred": True}], after="fail")
    ties = [{"name": "t", "who": "all", "candidate": to, "log_odds": 500}]
    race = toy(electorate={"size": 5, "barred": {"A": ["M1", "M2"]}}, ties=ties, behaviour=STILL).with_rules(rules)
    assert set(play(race, 3).valid) == {3}
