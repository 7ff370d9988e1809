"""From shares to appeals and back: what `balanced` promises, played and computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from laws import exact
from toys import PRESENT, STILL, classes, neutral, play, toy

import iomsim as iom
from iomsim.model.scenario import Scenario


def shares(race: Scenario, runs: int = 15_000) -> np.ndarray:
    """Return every candidate's share of the first round, run by run."""
    out = play(race.with_rules("strict", max_rounds=1), runs, seed=9)
    return out.votes / out.valid[:, None]


def strays(race: Scenario, targets: list[float]) -> float:
    """Return by how many standard errors the mean shares miss the targets, at worst."""
    found = shares(race)
    errors = found.std(axis=0) / np.sqrt(len(found))
    return float(np.max(np.abs(found.mean(axis=0) - targets) / errors))


@pytest.mark.parametrize("share", [0.15, 0.5, 0.62])
@pytest.mark.parametrize("name", ["geneva-2023", "minimal"])
def test_the_mean_first_share_is_as_asked(name: str, share: float) -> None:
    race = iom.load(name).balanced(share)
    assert strays(race, [share, 1 - share]) < 4
    assert strays(race, [share + 0.007, 1 - share - 0.007]) > 4  # and less than a point would be seen


def test_the_shares_of_three_are_as_asked() -> None:
    race = iom.load("iom-2018").balanced({"Thompson": 0.5, "Isaacs": 0.2})
    assert strays(race, [0.3, 0.5, 0.2]) < 4
    assert race.candidate("Vitorino").appeal == iom.load("iom-2018").candidate("Vitorino").appeal


def test_the_second_candidate_can_be_named() -> None:
    race = neutral()
    assert strays(race.balanced({"B": 0.45}), [0.55, 0.45]) < 4
    mirrored = race.balanced({"B": 0.45}).candidate("B").appeal.value
    direct = race.balanced(0.55).candidate("A").appeal.value - race.candidate("A").appeal.value
    assert mirrored == pytest.approx(-direct, abs=1e-6)


def test_equals_need_no_appeal() -> None:
    assert toy(30).balanced().candidate("A").appeal.value == pytest.approx(0, abs=1e-9)
    assert iom.load("minimal").balanced().candidate("A").appeal.value == pytest.approx(0, abs=1e-9)


def test_a_level_is_a_share_of_the_papers_for_candidates() -> None:
    """Also where many papers are for names that do not stand, but not those of the pinned."""
    race = neutral().with_pinned(A=[f"M{i}" for i in range(30)]).with_behaviour(stray=0.3).balanced(0.6)
    out = play(race.with_rules("strict", max_rounds=1), 15_000, seed=9)
    assert (out.votes.sum(axis=1) < out.valid).all()
    share = out.votes[:, 0] / out.votes.sum(axis=1)
    assert abs(share.mean() - 0.6) < 0.003 + 4 * share.std() / np.sqrt(share.size)
    without = play(race.with_behaviour(stray=0.0).with_rules("strict", max_rounds=1), 15_000, seed=9)
    less = without.votes[:, 0] / without.votes.sum(axis=1)  # a guard: the pinned weigh less then
    assert share.mean() - less.mean() > 0.01


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_without_shocks_the_appeal_is_known_exactly(share: float) -> None:
    """All alike, nothing hidden: the appeal is the logit of the share."""
    appeal = toy(25, behaviour=STILL).balanced(share).candidate("A").appeal.value
    assert appeal == pytest.approx(np.log(share / (1 - share)), abs=3e-4)


@pytest.mark.parametrize("conviction", [0.3, 1.8, 2.5, 6.0])
def test_with_hidden_conviction_it_is_that_of_the_exact_law(conviction: float) -> None:
    known = PRESENT | {"common_sd": 0, "region_sd": 0, "conviction": conviction}
    race = classes((12, 8), (0.9, -0.4), behaviour=known).balanced(0.6)
    leans = race.candidate("A").appeal.value + np.repeat([0.9, -0.4], [12, 8])
    law = exact.share_law(exact.first_round(leans, conviction=conviction))
    assert float(law.index @ law) == pytest.approx(0.6, abs=2e-5)


def test_the_appeal_that_gives_the_level_of_geneva() -> None:
    assert iom.load("geneva-2023").plan.values["candidates.Pope.appeal"] == pytest.approx(0.341, abs=0.005)


def test_pinned_members_count_and_never_move() -> None:
    electorate = {"size": 10, "pinned": {"A": ["M1", "M2"], "B": ["M3"]}}
    race = toy(electorate=electorate, behaviour=STILL).balanced(0.6)
    free = (0.6 * 10 - 2) / 7
    assert race.candidate("A").appeal.value == pytest.approx(np.log(free / (1 - free)), abs=3e-4)
    with pytest.raises(iom.ScenarioError, match="too many members are pinned or tied"):
        race.balanced(0.15)
    half = race.with_behaviour(abstain=0.5).balanced(0.6)  # of the free; the pinned always hand in their paper
    free = (0.6 * (3 + 3.5) - 2) / 3.5
    assert half.candidate("A").appeal.value == pytest.approx(np.log(free / (1 - free)), abs=3e-4)


def test_the_answer_is_the_same_every_time_and_changes_nothing_else() -> None:
    race = neutral()
    assert race.balanced(0.55) == race.balanced(0.55)
    back = race.balanced(0.55).with_parameters({"candidates.A.appeal": -0.09})
    assert {p: q.value for p, q in back.parameters().items()} == {p: q.value for p, q in race.parameters().items()}
    balanced_twice = race.balanced(0.55).balanced(0.55).candidate("A").appeal.value
    assert balanced_twice == pytest.approx(race.balanced(0.55).candidate("A").appeal.value, abs=1e-5)


@pytest.mark.parametrize("levelled", [None, "A", "B"])
@pytest.mark.parametrize("share", [0.6, 0.35])
def test_the_shares_of_both_are_the_share_of_one(levelled: str | None, share: float) -> None:
    level = "" if levelled is None else f"level.{levelled} = 0.5\n"
    race = iom.loads(f"{level}electorate.size = 100\ncandidates = [{{ name = 'A' }}, {{ name = 'B' }}]")
    both, one = race.balanced({"A": share, "B": 1.0 - share}), race.balanced(share)
    assert race.balanced(pd.Series({"B": 1.0 - share, "A": share})) == both
    gaps = [
        there.plan.values["candidates.A.appeal"] - there.plan.values["candidates.B.appeal"] for there in (both, one)
    ]
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-3)


@pytest.mark.slow
def test_the_shares_of_all_of_three() -> None:
    targets = {"A": 0.5, "B": 0.2, "C": 0.3}
    race = toy(100, "ABC").balanced(targets)
    assert strays(race, list(targets.values())) < 4.0
    assert race.candidate("C").appeal == toy(100, "ABC").candidate("C").appeal


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"A": 0.6, "B": 0.5}, "the shares asked for must add up to less than 1, got 1.1; those of all add up to 1"),
        ({"A": 0.6, "B": 0.3}, "the shares of all candidates must add up to 1, got 0.9; or leave one out"),
        ({"A": 0.6, "B": float("nan")}, "the share of B must be between 0 and 1, got nan"),
        ({"A": 60, "B": 40}, "the share of A must be between 0 and 1, got 60"),
    ],
)
def test_shares_that_do_not_add_up_are_refused(shares: dict[str, float], said: str) -> None:
    with pytest.raises(iom.ScenarioError) as caught:
        toy(100).balanced(shares)
    assert str(caught.value) == said
