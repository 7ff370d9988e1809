"""Where the model loses, and why: every reason from a small contest in which it is the one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contest_files import own

import iomsim as iom
from iomsim.validation.losses import JUDGED, REASONS, Told, told_of, why
from iomsim.validation.prediction import MAX_TO_COME, Prediction
from iomsim.validation.verdict import Backtest

SURE = Prediction(
    shares=np.linspace(0.55, 0.6, 101),
    over_next=0.02,
    to_come=np.eye(MAX_TO_COME + 1)[8],
    winner=np.array([0.98, 0.01, 0.01]),
)
"""The leader wins after eight more rounds, and goes on with 55 to 60 %."""


def after(folder: Path, rounds: dict[int, dict[str, int]], round_: int = 1, **told: Any) -> Told:
    """Return what came after a round of a contest in which somebody had been sure."""
    contest = own(folder, rounds, **told)
    names = contest.at(round_).field
    rest = 0.02 / len(names)
    said = replace(SURE, winner=np.array([0.98, *[rest] * len(names)]))
    case = contest, contest.situation(round_), contest.aftermath(round_), said

    class Stands:
        contest, situation, aftermath, step = case[0], case[1], case[2], type("Step", (), {"prediction": case[3]})

    return told_of(Stands)


def test_somebody_who_did_not_stand_is_the_reason(tmp_path: Path) -> None:
    t = after(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 54, "B": 42}}, winner="Z", how="compromise candidate", total=3)
    assert why(t, "winner, log").startswith("Z was elected, who did not stand")


def test_nobody_at_all_is_another(tmp_path: Path) -> None:
    t = after(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 54, "B": 42}}, winner="none", how="failed", total=2)
    assert why(t, "winner, log") == "nobody was elected, which was given 1.0 %"


def test_one_who_comes_from_behind_is_named_with_both_tallies(tmp_path: Path) -> None:
    t = after(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 20, "B": 75}}, winner="B")
    assert why(t, "winner, log") == "B came from behind, 40 to 55, which was given 1.0 %"
    assert why(t, "over next, log") == "somebody was elected in the next round, and an end by then was given 2.0 %"


def test_a_withdrawal_among_three_is_told_apart_from_the_rules(tmp_path: Path) -> None:
    rounds = {1: {"A": 40, "B": 35, "C": 20}, 2: {"A": 44, "B": 51}, 3: {"A": 20, "B": 75}}
    free = after(tmp_path, rounds, winner="B", start=3)
    assert free.withdrew == ("C",)
    assert "C withdrew while three stood" in why(free, "next share, CRPS")
    put_out = replace(free.contest, rules=iom.Procedure(phases=[{"drop": 1}]))
    ruled = replace(free, contest=put_out)
    assert ruled.gone == ("C",)
    assert ruled.withdrew == ()
    assert why(ruled, "next share, CRPS").startswith("of 20 votes that became free A gained four")


def test_where_two_stand_nobody_withdraws_among_three(tmp_path: Path) -> None:
    t = after(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 60, "B": 35}}, total=3, how="withdrawal")
    assert "withdrew while" not in why(t, "next share, CRPS")


def test_newcomers_are_named(tmp_path: Path) -> None:
    t = after(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 30, "B": 30, "C": 35}, 3: {"A": 10, "C": 85}}, winner="C")
    assert "C came in, whom nobody had voted on" in why(t, "next share, CRPS")


def test_a_tie_makes_the_leader_a_lot(tmp_path: Path) -> None:
    t = after(tmp_path, {1: {"A": 47, "B": 47}, 2: {"A": 20, "B": 75}}, winner="B")
    assert "A and B were level, so that who leads is a lot" in why(t, "next share, CRPS")


def test_papers_that_stay_away_are_counted(tmp_path: Path) -> None:
    t = after(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 55, "B": 20}})
    assert "75 valid papers were handed in after 95, fewer than" in why(t, "next share, CRPS")
    level = after(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 70, "B": 25}})
    assert "papers" not in why(level, "next share, CRPS")


@pytest.mark.parametrize(
    ("votes", "words"), [((80, 15), "late, A went from 57.9 % to 84.2 %, outside"), ((55, 40), "A went from 57.9 %")]
)
def test_a_late_jump_is_told_from_a_small_move(tmp_path: Path, votes: tuple[int, int], words: str) -> None:
    same = {"A": 55, "B": 40}
    rounds = {1: same, 2: same, 3: same, 4: dict(zip("AB", votes, strict=True)), 5: {"A": 80, "B": 15}}
    t = after(tmp_path, rounds, round_=3)
    assert why(t, "next share, CRPS").startswith(words)
    assert ("within" in why(t, "next share, CRPS")) == (votes == (55, 40))


def test_an_end_that_came_and_one_that_did_not(tmp_path: Path) -> None:
    two = {1: {"A": 55, "B": 40}, 2: {"A": 60, "B": 35}}
    conceded = after(tmp_path, two, round_=2, how="withdrawal", total=2)
    assert why(conceded, "over next, log").startswith("a withdrawal ended it at once")
    level = {1: {"A": 55, "B": 40}, 2: {"A": 48, "B": 48}, 3: {"A": 90}}
    voted = after(tmp_path, level, round_=2, how="withdrawal", total=3, kinds={3: "single"})
    assert "a withdrawal ended it, though the two were level, which the model rules out" in why(voted, "over next, log")
    rounds = {r: {"A": 55, "B": 40} for r in range(1, 6)} | {6: {"A": 75, "B": 20}}
    long = after(tmp_path, rounds)
    sure = replace(long, said=replace(SURE, over_next=0.9, to_come=np.eye(MAX_TO_COME + 1)[1]))
    assert why(sure, "over next, log") == "it took five more rounds, and an end by the next was given 90 %"
    early = replace(long, said=replace(SURE, over_next=0.3, to_come=np.eye(MAX_TO_COME + 1)[2]))
    assert why(early, "rounds, RPS") == "five rounds came where two had been the median"


def test_reasons_know_no_names(tmp_path: Path) -> None:
    """The same contest under other names is told in the same words."""
    words = {
        a: why(after(tmp_path, {1: {a: 55, b: 40}, 2: {a: 20, b: 75}}, winner=b), "winner, log")
        for a, b in (("A", "B"), ("Hosny", "Bokova"))
    }
    assert words["Hosny"] == words["A"].replace("B ", "Bokova ")


def test_every_score_that_is_looked_at_has_reasons() -> None:
    assert set(REASONS) == set(JUDGED)


# -- the whole -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged() -> Backtest:
    return iom.backtest(["UNSC2006-GRULAC", "WHO2017", "UNSC2016-WEOG", "IOM2018-DG"], particles=60)


@pytest.mark.slow
def test_what_cost_most_is_the_difference_to_the_best_baseline(judged: Backtest) -> None:
    lost = judged.loses()
    for score, rows in lost.rounds.groupby("score"):
        best = judged.table().loc[score]["baseline's"].idxmin()
        assert set(rows["baseline"]) == {best}
        both = judged.wide(score)[["model", best]].dropna()
        cost = rows.droplevel("score")["cost"]
        assert cost.sort_index().to_numpy() == pytest.approx((both["model"] - both[best]).sort_index().to_numpy())
        assert cost.is_monotonic_decreasing
        assert (rows["why"].str.len() > 0).eq(rows["cost"] > 0).all()


@pytest.mark.slow
def test_the_table_names_a_contest_once_and_the_words_have_its_reasons(judged: Backtest) -> None:
    lost = judged.loses()
    table = lost.table().reset_index()
    assert not table.duplicated(["score", "contest"]).any()
    assert (table["cost"] > 0).all()
    words = lost.sentence()
    assert all(row.why in words for row in table.itertuples())
    assert words == " ".join(lost.paragraphs())
    assert "Panama was elected, who did not stand" in words
    assert str(judged.stamp()) in repr(lost)


@pytest.mark.slow
def test_groups_in_which_it_is_behind_are_listed_and_no_others(judged: Backtest) -> None:
    groups = judged.loses().groups
    assert (groups["difference"] < 0).all()
    for (score, by, group), row in groups.iterrows():
        assert judged.by(by).loc[(group, score, row["baseline"]), "difference"] == row["difference"]


@pytest.mark.slow
def test_who_beats_every_baseline_loses_nothing(judged: Backtest) -> None:
    """A forecaster that knew what came: no row costs anything, and the words say so."""

    def knew(case: Any) -> Any:
        winner = [*case.situation.candidates, None].index(case.aftermath.winner)
        to_come = np.eye(MAX_TO_COME + 1)[min(case.aftermath.to_come, MAX_TO_COME)]
        known = Prediction(
            shares=np.array([case.aftermath.next_share]) if case.aftermath.next_share else None,
            over_next=float(case.aftermath.over_next),
            to_come=to_come,
            winner=np.eye(len(case.situation.candidates) + 1)[winner],
        )
        step = replace(case.step, prediction=known)
        return replace(case, step=step, predictions=case.predictions | {"model": known})

    lost = replace(judged, cases=tuple(knew(case) for case in judged.cases)).loses()
    assert len(lost.groups) == 0
    assert "In no group of forecasts is the model clearly worse" in lost.sentence()
    assert len(lost.table()) == 0
