"""What the kernel does between rounds, apart from whole elections."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from toys import ALPHA, PRESENT, STILL, elect, play, proportion, same, toy

from iomsim.engine import rng
from iomsim.engine.rng import BLOCK, Lane
from iomsim.engine.simulate import simulate
from iomsim.rules import course
from iomsim.rules.procedure import ENDINGS, Procedure

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


# -- papers for names that do not stand ----------------------------------------------------------------


CLOSED = PRESENT | {"openness_fluid": 0, "openness_entrenched": 0, "openness_inf": 0}
"""Everybody is there, and nobody thinks again."""


def test_strays_are_in_the_base_and_nobody_s_votes() -> None:
    """Of 434 papers 218 elect; 212 to 203, which would do of 415, do not."""
    behaviour = STILL | CLOSED | {"stray": 19 / 434}
    race = toy(434, behaviour=behaviour, rules={"name": "strict", "threshold": ">1/2", "max_rounds": 3})
    out = play(race, 1000)
    most = out.votes.max(axis=1)
    first = out.starts + out.rounds - 1
    assert set(out.valid) == {434}
    assert proportion(int((434 - out.votes.sum(axis=1)).sum()), 434 * len(out.valid), 19 / 434) < 4
    assert ((most[first] > 217) == (out.ending == ENDINGS.index("majority"))).all()
    short = (most[first] <= 217) & (2 * most[first] > out.votes[first].sum(axis=1))
    assert short.mean() > 0.3  # of the papers for candidates these are more than half


def test_a_member_who_strays_keeps_the_intention_and_the_pinned_never_stray() -> None:
    never = {"name": "strict", "max_rounds": 4}
    free = toy(31, behaviour=STILL | CLOSED | {"stray": 0.4}, rules=never)
    out = play(free, 400)
    full = np.flatnonzero(out.rounds == 4)
    rows = out.starts[full][:, None] + np.arange(4)
    assert full.size > 100
    assert np.ptp(out.votes[rows][..., 0], axis=1).mean() > 3
    assert (np.ptp(out.flows[rows[:, 1:]], axis=1) == 0).all()
    out = play(elect("AAAABB", behaviour={"stray": 0.9}, rules=never | {"threshold": "5"}), 20)
    assert (out.votes == [4, 2]).all()
    assert set(out.valid) == {6}


def test_stray_papers_may_be_many_in_some_runs_and_none_in_others() -> None:
    """Chances with one entry a run give the runs of each chance, bit for bit; none is the election without any."""
    race = toy(25, "ABC", behaviour={"momentum_field": 1.0}, rules={"name": "until-two-thirds"})
    path = "behaviour.stray"
    both = simulate(race.plan, {path: [0.0, 0.2]}, 600, 3)
    parts = [play(race.with_behaviour(stray=stray), 600, seed=3) for stray in (0.0, 0.2)]
    assert same(parts[0], play(race, 600, seed=3))
    for run in range(600):
        part = parts[run % 2]
        assert (both.rounds[run], both.winner[run]) == (part.rounds[run], part.winner[run])
        here, there = (slice(out.starts[run], out.starts[run] + out.rounds[run]) for out in (both, part))
        assert np.array_equal(both.votes[here], part.votes[there])
        assert np.array_equal(both.valid[here], part.valid[there])
    points = simulate(race.plan, {path: [[0.0], [0.2]]}, 600, 3)
    assert np.array_equal(points.winner, np.concatenate([part.winner for part in parts]))


def test_nobody_strays_when_asked_yes_or_no() -> None:
    race = toy(21, behaviour=PRESENT | {"stray": 0.3}, rules={"name": "one-two-way"})
    out = play(race, 300)
    second = (out.starts + 1)[out.rounds == 2]
    assert second.size > 200
    assert set(out.valid[second]) == {21}
