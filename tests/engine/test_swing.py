"""Members who go over before the first count: exactly so many, of those who may, drawn anew in each run, for good."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from toys import ALPHA, FREE, PRESENT, STILL, complete, digest, lean, play, same, tallies, toy, unsure

from iomsim.engine import rng, swings
from iomsim.engine.rng import Lane
from iomsim.engine.simulate import gone_over, play_endings, simulate
from iomsim.engine.state import ActiveRuns
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import Procedure

FIRST = {"name": "strict", "max_rounds": 1}


def first(race: Scenario, runs: int = 200, candidate: int = 0) -> NDArray[np.int16]:
    """Return a candidate's votes in the first round, run by run."""
    return tallies(play(race, runs), 1, candidate)


def intending(race: Scenario, candidate: int, runs: int = 1000, round_: int = 1) -> NDArray[np.bool_]:
    """Return who intends a candidate after a round, shape (members, runs)."""
    seen: list[Any] = []

    def watch(number: int, active: ActiveRuns) -> None:
        if number == round_ and active.choices is not None:
            seen.append(active.choices.intending(candidate))

    play_endings(race.plan, {}, 1, 0, runs, watch)
    return np.concatenate(seen, axis=1)


# -- exactly so many -------------------------------------------------------------------------------


def test_three_go_over_of_five() -> None:
    race = lean("BBBBBAA", rules=FIRST)
    assert set(first(race)) == {2}
    out = play(race.swing(3, "all", to="A"), 200)
    assert set(tallies(out, 1, 0)) == {5}
    assert set(tallies(out, 1, 1)) == {2}


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_the_difference_is_exact_run_by_run(names: str) -> None:
    regions = [{"name": f"M{i}", "g": "NS"[i % 2]} for i in range(40)]
    behaviour = {"absent": 0.1, "abstain": 0}
    race = toy(names=names, electorate={"table": regions, "group": "g"}, behaviour=behaviour, rules=FIRST)
    changed = race.swing(4, "N", to="B")
    enough = gone_over(changed.plan, 500, seed=1)[0] == 4
    assert enough.mean() > 0.95
    moved = first(changed, 500, 1) - first(race, 500, 1)
    assert set(moved[enough]) == {4}
    assert (moved[~enough] < 4).all()
    lost = sum(first(race, 500, k) - first(changed, 500, k) for k in range(len(names)) if k != 1)
    assert np.array_equal(lost, moved)


def test_some_of_them_hand_in_blank_papers() -> None:
    race = lean("BBBBBBBBAA", behaviour={"abstain": 0.3}, rules=FIRST)
    moved = first(race.swing(4, "all", to="A"), 20_000) - first(race, 20_000)
    assert abs(moved.mean() - 4 * 0.7) < 4 * moved.std() / np.sqrt(moved.size)


def test_of_fewer_all_go_over() -> None:
    out = play(lean("AAAAB", rules=FIRST).swing(3, "all", to="A"), 50)
    assert set(tallies(out, 1, 0)) == {5}
    assert set(first(lean("AAAAA", rules=FIRST).swing(5, "all", to="A"), 50)) == {5}


def test_only_who_is_there_and_free_goes_over() -> None:
    """Of six one is pinned, one has no vote, and the absent of a run are others in each."""
    electorate = {"size": 6, "pinned": {"B": ["M1"]}, "without_vote": ["M2"]}
    race = toy(electorate=electorate, appeal=-500, behaviour=STILL | {"absent": 0.5}, rules=FIRST)
    out = play(race.swing(4, "all", to="A"), 400)
    assert np.array_equal(tallies(out, 1, 0), out.present - 1)
    assert set(tallies(out, 1, 1)) == {1}
    assert set(out.present) == {1, 2, 3, 4, 5}


def test_members_certain_beyond_all_floats_go_over_too() -> None:
    assert set(first(lean("BBB", rules=FIRST).swing(2, "all", to="A"))) == {2}
    assert set(first(lean("AAA", rules=FIRST).swing(2, "all", to="B"), candidate=1)) == {2}


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_swings_follow_one_another(names: str) -> None:
    """Who has gone over stays where it is, whatever the next swing asks for."""
    race = lean("BBBBBB", names=names, rules=FIRST)
    both = race.swing(4, "all", to="A").swing(2, "all", to="B")
    assert set(first(both)) == {4}
    assert set(first(both, candidate=1)) == {2}
    back = race.swing(4, ["M1", "M2", "M3", "M4"], to="A").swing(2, "all", to="B")
    assert np.array_equal(first(back, candidate=1), np.full(200, 2))


# -- whoever they are ------------------------------------------------------------------------------


def pairs(race: Scenario, candidate: int = 0, runs: int = 3000) -> list[int]:
    """Return how often every two members of six have gone over together."""
    seen = intending(race, candidate, runs)
    counts = Counter(tuple(np.flatnonzero(column)) for column in seen.T)
    assert set(counts) <= set(combinations(range(6), 2))
    return [counts[two] for two in combinations(range(6), 2)]


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_any_two_go_over_as_often_as_any_other(names: str) -> None:
    assert stats.chisquare(pairs(lean("BBBBBB", names=names).swing(2, "all", to="A"))).pvalue > ALPHA


def test_how_firmly_they_lean_does_not_matter() -> None:
    ties = [{"name": f"t{i}", "who": [f"M{i}"], "candidate": "B", "log_odds": 20 * i} for i in range(1, 7)]
    assert stats.chisquare(pairs(toy(6, behaviour=STILL, ties=ties).swing(2, "all", to="A"))).pvalue > ALPHA


def test_a_second_swing_is_drawn_by_numbers_of_its_own() -> None:
    """By the numbers of the first it would take those who were not eligible for that one more often."""
    race = lean("AABB", names="ABC").swing(1, "all", to="A").swing(1, "all", to="C")
    seen = intending(race, 2, 4000)
    share = seen.mean(axis=1)  # of A's two, and of B's one that is left
    assert abs(share[:2].sum() - 2 / 3) < 4 * np.sqrt(2 / 9 / 4000)


def test_the_smaller_swing_is_part_of_the_larger() -> None:
    race = complete(3, 40)
    one, two = (intending(race.swing(count, "all", to="A"), 0) for count in (3, 8))
    assert not (one & ~two).any()
    assert (two & ~one).sum(axis=0).max() == 5


# -- for good --------------------------------------------------------------------------------------

ON = {"name": "strict", "threshold": "7", "max_rounds": 5}


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_they_do_not_think_again(names: str) -> None:
    """Everybody else thinks again before every round, and would have them think of B."""
    race = lean("BBBBBAA", names=names, behaviour=FREE, rules=ON).swing(4, ["M1", "M2", "M3", "M4"], to="A")
    out = play(race, 100)
    assert set(out.rounds) == {5}
    for round_ in range(1, 6):
        assert set(tallies(out, round_)) == {6}


def test_once_the_candidate_has_left_they_choose_like_others() -> None:
    last_leaves = Procedure(threshold="7", phases=[{"ballots": 1, "drop": 1}, {}], max_rounds=2)
    race = lean("AAAABBB", names="ABC").with_rules(last_leaves)
    out = play(race.swing(1, ["M1"], to="C"), 30)
    assert out.votes.reshape(30, 2, 3)[0].tolist() == [[3, 3, 1], [4, 3, -1]]
    assert (out.votes.reshape(30, 2, 3) == out.votes[:2]).all()


def test_if_it_comes_back_they_return_as_others_do_when_they_think_again() -> None:
    rules = Procedure(
        threshold="7", phases=[{"name": "all", "field": "all", "ballots": 1}, {"keep": 2, "ballots": 1}],
        after="repeat", repeat_from="all", max_rounds=3,
    )  # fmt: skip
    frozen = {"openness_fluid": 0, "openness_entrenched": 0, "openness_inf": 0}
    for openness, third in ((frozen, [4, 3, 0]), (FREE, [3, 3, 1])):
        race = lean("AAAABBB", names="ABC", behaviour=openness).with_rules(rules).swing(1, ["M1"], to="C")
        assert play(race, 10).votes[2].tolist() == third


def test_they_answer_like_the_others_of_their_candidate() -> None:
    """They say yes to it as its voters do, here never; the pinned would always."""
    behaviour = {"yes_own": 0, "yes_opponent_a": 1e-12, "yes_opponent_b": 1e12}
    alone = Procedure(threshold="5", phases=[{"ballots": 1}, {"vote": "yes-no", "ballots": 1}], after="fail")
    race = lean("BBBAA", behaviour=behaviour).with_rules(alone).swing(2, "all", to="A")
    out = play(race, 20)
    assert out.votes[:2].tolist() == [[4, 1], [0, -1]]


def test_barred_members_who_have_gone_over_hand_in_no_paper() -> None:
    rules = Procedure(threshold="5", phases=[{"ballots": 1}, {"ballots": 1, "barred": True}], after="fail")
    for to, other in ("AB", "BA"):
        electorate = {"size": 5, "barred": {"A": ["M1", "M2"]}}
        ties = [{"name": "t", "who": "all", "candidate": other, "log_odds": 500}]
        race = toy(electorate=electorate, ties=ties, behaviour=STILL).with_rules(rules)
        out = play(race.swing(2, ["M1", "M2"], to=to), 3)
        k = "AB".index(to)
        assert (out.votes[0, k], out.votes[0, 1 - k]) == (2, 3)
        assert (out.votes[1, k], out.votes[1, 1 - k], out.valid[1]) == (0, 3, 3)


# -- the same bits ---------------------------------------------------------------------------------


def swung(k: int = 2, **parts: Any) -> Scenario:
    return complete(k, 40, **parts).swing(3, "south", to="A").swing(4, "not ally", to="B")


@pytest.mark.parametrize("k", [2, 3])
def test_a_run_is_the_same_whatever_is_played_beside_it(k: int) -> None:
    race = swung(k)
    whole = play(race, 3000)
    assert same(simulate(race.plan, {}, 3000, 1, ThreadPoolExecutor(2)), whole)
    assert same(simulate(pickle.loads(pickle.dumps(race.plan)), {}, 3000, 1), whole)
    few = play(race, 700)
    assert np.array_equal(few.votes, whole.votes[: len(few.votes)])
    array = simulate(race.plan, {"behaviour.absent": [[0.05], [0.2]]}, 300, 1)
    alone = [simulate(race.plan, {"behaviour.absent": value}, 300, 1).votes for value in (0.05, 0.2)]
    assert np.array_equal(array.votes, np.concatenate(alone))


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_draws_and_readings_change_nothing_in_it(names: str) -> None:
    """Every run goes over as it does alone, with its own draw of the assumptions."""
    race = unsure(21, names).swing(3, "not near", to=names[1])
    values = np.linspace(0.1, 0.7, 10)
    many = simulate(race.plan, {"behaviour.secrecy": values}, 20, 1)
    for run in (0, 7, 13):
        alone = simulate(race.plan, {"behaviour.secrecy": float(values[run % 10])}, 20, 1)
        one, other = (out.votes[out.starts[run] : out.starts[run] + out.rounds[run]] for out in (many, alone))
        assert np.array_equal(one, other)


def test_without_swings_nothing_is_another() -> None:
    assert digest(play(swung().without_swings(), 500)) == digest(play(complete(2, 40), 500))


# -- wrong ways to do it ---------------------------------------------------------------------------


APART = {"common_sd": 0, "region_sd": 0}


def moved() -> NDArray[np.int16]:
    race = toy(60, behaviour=PRESENT | APART, rules=FIRST)
    return np.asarray(first(race.swing(10, "all", to="A"), 2000) - first(race, 2000))


def test_ten_go_over_in_every_run() -> None:
    assert set(moved()) == {10}


def by_chance(keys: Any, number: int, who: Any, may: Any, size: int) -> Any:
    """Let each of those who may go over with the same chance, so many in the mean."""
    lanes = (Lane.SWING + who).astype(np.uint64)[:, None]
    return may & (rng.uniform(keys, number, lanes) < size / may.sum(axis=0))


WRONG: dict[str, tuple[Callable[..., Any], float]] = {
    "whomever they intend": (lambda f: lambda keys, n, who, may, size: may & f(keys, n, who, may | True, size), 5.0),
    "so many in the mean": (lambda f: by_chance, 10.0),
    "one too many": (lambda f: lambda keys, n, who, may, size: f(keys, n, who, may, size + 1), 11.0),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_swing_is_seen(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie, mean = WRONG[wrong]
    monkeypatch.setattr(swings, "lowest", lie(swings.lowest))
    found = moved()
    assert abs(found.mean() - mean) < 0.3
    assert set(found) != {10}


def test_a_hand_counted_election_is_decided_by_who_goes_over() -> None:
    """Eight to four: two thirds are eight, so that four who go over make it the other way round."""
    twelve = lean("AAAABBBBBBBB", rules=FIRST)
    assert set(play(twelve, 20).winner) == {1}
    assert set(play(twelve.swing(4, "all", to="A"), 20).winner) == {0}
    assert set(play(twelve.swing(3, "all", to="A"), 20).winner) == {-1}
