"""What a backtest says of groups of forecasts, of its honesty, of another backtest; wherever it was played."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from contest_files import own

import iomsim as iom
from iomsim.engine.executors import Spread
from iomsim.errors import AnnouncementError, IomsimError, UnknownNameError
from iomsim.validation import backtest as judging
from iomsim.validation.backtest import EARLIER, assumptions_of, behaviour_by_contest
from iomsim.validation.prediction import SCORES, Prediction
from iomsim.validation.rounds import Aftermath
from iomsim.validation.verdict import MODEL, Backtest, Case

FEW = ["UNSC2007-EEG", "WHO2017", "IOM2018-DG", "IOM2019-DDG"]


@pytest.fixture(scope="module")
def few() -> Backtest:
    return iom.backtest(FEW, particles=200)


def told(template: Case, contest: str, **said: Any) -> Case:
    """Return a case of a contest by this name, with what was said of the leader and what came."""
    p, wins, shares, came = (said.get(key) for key in ("p", "wins", "shares", "came"))
    names = template.situation.candidates
    rest = (1 - p) / len(names) if p is not None else 0.0
    prediction = Prediction(
        winner=None if p is None else np.array([p, *[rest] * len(names)]),
        shares=None if shares is None else np.asarray(shares, dtype=float),
        over_next=0.5,
    )
    return replace(
        template,
        contest=replace(template.contest, id=contest),
        aftermath=Aftermath(came, 1, names[0] if wins else names[1], "majority"),
        step=replace(template.step, prediction=prediction),
        predictions={MODEL: prediction},
    )


# -- groups --------------------------------------------------------------------------------------------


def test_a_group_is_the_table_of_its_own_rounds(few: Backtest) -> None:
    by = few.by("standing")
    assert set(by.index.get_level_values("standing")) == {"two", "three or more"}
    for label, least, most in (("two", 2, 2), ("three or more", 3, 99)):
        held = tuple(case for case in few.cases if least <= len(case.situation.candidates) <= most)
        assert held
        pd.testing.assert_frame_equal(by.loc[label], replace(few, cases=held).table())
    row = by.loc[("two", "winner, log", "leader wins at 0.8")]
    scores = few.wide("winner, log")
    mine = [(case.contest.id, case.situation.round) for case in few.cases if len(case.situation.candidates) == 2]
    assert row["rounds"] == len(mine)
    assert row["model's"] == pytest.approx(scores.loc[mine, "model"].groupby("contest").mean().mean())


def test_bodies_and_kinds_are_those_of_the_contests(few: Backtest) -> None:
    assert set(few.by("body").index.get_level_values("body")) == {case.contest.body for case in few.cases}
    kinds = few.forecasts.set_index("contest")["kind"].to_dict()
    assert set(few.by("kind").index.get_level_values("kind")) == set(kinds.values())
    assert kinds["UNSC2007-EEG"] == "two thirds until reached"
    assert kinds["IOM2019-DDG"] == "two thirds, with an end"  # after five rounds the leader alone, or it fails


def test_a_group_that_is_none_is_refused(few: Backtest) -> None:
    with pytest.raises(
        UnknownNameError, match="no group of forecasts named 'size'; there are standing, kind, body, class"
    ):
        few.by("size")
    with pytest.raises(IomsimError, match="say nothing of their class"):
        few.by("class")
    with pytest.raises(UnknownNameError, match="no group of forecasts named 'rounds'"):
        few.coverage("rounds")


def test_the_classes_of_ones_own_file_are_groups(few: Backtest) -> None:
    classes = {"UNSC2007-EEG": "council", "WHO2017": "assembly"}
    cases = tuple(replace(c, contest=replace(c.contest, label=classes.get(c.contest.id, ""))) for c in few.cases)
    by = replace(few, cases=cases).by("class")
    assert set(by.index.get_level_values("class")) == {"council", "assembly", "not said"}
    assert by.loc[("council", "winner, log", "leader wins at 0.8"), "contests"] == 1


# -- said and came -------------------------------------------------------------------------------------


def test_coverage_counts_by_hand(few: Backtest) -> None:
    """A hundred equal shares from 0.01 to 1.00: the middle 80 are 0.10 or 0.11 to 0.90."""
    shares, [two, *_] = np.arange(1, 101) / 100, [c for c in few.cases if c.standing == "two"]
    came = {"a": [0.5, 0.12, 0.95], "b": [0.5], "c": [0.99]}
    cases = tuple(told(two, name, p=0.5, shares=shares, came=x) for name, xs in came.items() for x in xs)
    table = replace(few, cases=cases).coverage()
    assert table["came"].tolist() == pytest.approx([2 / 5, 3 / 5, 4 / 5])  # 0.99 is outside of 0.03 to 0.98
    assert table["came by contest"].tolist() == pytest.approx([4 / 9, 5 / 9, 2 / 3])
    assert table["said"].tolist() == pytest.approx([0.5, 0.8, 0.95], abs=0.015)
    assert (table[["rounds", "contests"]] == [5, 3]).all(axis=None)
    assert (table["low"] < table["came"]).all()
    assert (table["came"] < table["high"]).all()


def test_shares_that_are_few_are_said_to_hold_more(few: Backtest) -> None:
    """Two possible shares: every middle part that reaches both holds all, and the table says so."""
    case = told(few.cases[0], "a", p=0.5, shares=[0.4] * 50 + [0.6] * 50, came=0.6)
    assert replace(few, cases=(case,)).coverage()["said"].tolist() == [1.0, 1.0, 1.0]


def test_what_is_not_known_of_the_next_share_does_not_count(few: Backtest) -> None:
    cases = (
        told(few.cases[0], "a", p=0.5, shares=[0.5], came=None),
        told(few.cases[0], "b", p=0.5, shares=[], came=0.4),
    )
    table = replace(few, cases=cases).coverage()
    assert table["rounds"].tolist() == [0, 0, 0]
    assert table["came"].isna().all()


def test_reliability_counts_by_hand_rounds_alike_and_contests_alike(few: Backtest) -> None:
    said = {"a": [(0.8, True), (0.9, False), (0.9, False)], "b": [(0.8, True)], "c": [(0.3, False)]}
    cases = tuple(told(few.cases[0], name, p=p, wins=wins) for name, rows in said.items() for p, wins in rows)
    table = replace(few, cases=cases).reliability_table("leader wins")
    assert table.index.tolist() == ["0.25 to 0.5", "0.75 to 0.95", "all"]
    high, all_ = table.loc["0.75 to 0.95"], table.loc["all"]
    assert (high["said"], high["came"], high["rounds"], high["contests"]) == (pytest.approx(0.85), 0.5, 4, 2)
    assert high["came by contest"] == pytest.approx((1 / 3 + 1) / 2)
    assert (all_["said"], all_["came"]) == (pytest.approx(3.7 / 5), pytest.approx(2 / 5))
    assert all_["said by contest"] == pytest.approx((2.6 / 3 + 0.8 + 0.3) / 3)


def test_every_forecast_is_in_one_bin_and_every_bin_in_all(few: Backtest) -> None:
    for event in ("leader wins", "over next"):
        for label, table in few.reliability_table(event, "standing").groupby(level=0):
            bins, all_ = table.droplevel(0).drop("all"), table.droplevel(0).loc["all"]
            assert bins["rounds"].sum() == all_["rounds"] == few.labels("standing").count(label)
            assert bins["said"] @ bins["rounds"] == pytest.approx(all_["said"] * all_["rounds"])


def test_the_sentence_counts_what_was_said_of_the_leader(few: Backtest) -> None:
    said = {"a": [(0.99, True), (0.99, False)], "b": [(0.6, True)]}
    rows = [(name, p, wins) for name, pairs in said.items() for p, wins in pairs]
    cases = tuple(told(few.cases[0], name, p=p, wins=wins, shares=[0.5], came=0.5) for name, p, wins in rows)
    words = replace(few, cases=cases).honesty()
    assert "said with 0.86 on average and came in 2 of 3 rounds, 0.67 (0.79 and 0.75 if contests count alike)" in words
    assert "given more than 95 % it came 1 of 2 times" in words
    assert "the middle 80 in 100 of the forecasts of the next share held 3 of 3 real ones" in words
    assert "Of what came, it had given least to the winner of a after round 1, 0.5 % and to the end" in words


# -- beside another ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_backtest_beside_itself_and_turned_round(few: Backtest) -> None:
    same = few.against(few)
    assert (same[["ratio", "ratio_low", "ratio_high"]] == 1).all(axis=None)
    assert (same["ahead"] == 0).all()
    other = iom.backtest(FEW, {"fluid": 0.2}, particles=200)
    one, two = few.against(other), other.against(few)
    assert one["ratio"].to_numpy() == pytest.approx(1 / two["ratio"].to_numpy())
    assert one["ratio_low"].to_numpy() == pytest.approx(1 / two["ratio_high"].to_numpy(), rel=1e-6)
    by = few.by_contest("next share, CRPS")["model"].mean() / other.by_contest("next share, CRPS")["model"].mean()
    assert one.loc["next share, CRPS", "ratio"] == pytest.approx(by)
    assert set(one["this is"]) == {"too few contests"}
    assert set(one.index) == set(SCORES)


def test_the_stamp_says_what_was_drawn(few: Backtest) -> None:
    assert "assumptions: 400 draws" in few.stamp()
    assert "assumptions: fixed" in replace(few, assumptions="fixed").stamp()


def test_backtests_of_other_contests_cannot_be_compared(few: Backtest) -> None:
    with pytest.raises(IomsimError, match="no round in common"):
        few.against(iom.backtest("UNSC2020-AF", particles=100))


# -- what is played ------------------------------------------------------------------------------------


def test_version_0_1_is_a_model_by_its_name(few: Backtest) -> None:
    old = behaviour_by_contest("0.1", ())(few.contests[0])
    assert (old.decay.value, old.openness_inf.value, old.round_sd.value) == (0.45, 0.04, 0.15)
    assert (old.momentum_field.value, old.stray.value) == (1.0, 0.0)
    changed = {key for key, value in dict(old).items() if value.value != getattr(iom.Behaviour(), key).value}
    assert changed <= set(EARLIER["0.1"])
    played = iom.backtest(FEW[:1], "0.1", particles=200)
    assert (played.assumptions, played.model) == ("fixed", "the model with the values of version 0.1")
    by_hand = iom.backtest(FEW[:1], EARLIER["0.1"], particles=200, assumptions="fixed")
    pd.testing.assert_frame_equal(played.rows, by_hand.rows)


@pytest.mark.slow
def test_uncertain_values_are_drawn_unless_they_are_fixed() -> None:
    plain, drawn, fixed = (
        iom.backtest("UNSC2007-EEG", particles=300, **{"assumptions": a} if a else {}) for a in (None, 400, "fixed")
    )
    assert (plain.assumptions, drawn.assumptions, fixed.assumptions) == (400, 400, "fixed")
    pd.testing.assert_frame_equal(plain.rows, drawn.rows)
    assert not drawn.rows.equals(fixed.rows)
    others = fixed.rows["forecaster"] != MODEL
    pd.testing.assert_frame_equal(drawn.rows[others], fixed.rows[others])  # baselines have no assumptions


@pytest.mark.parametrize("wrong", ["fix", 0, 2.5, True])
def test_assumptions_that_are_none_are_refused(wrong: Any) -> None:
    with pytest.raises(IomsimError, match="assumptions must be a"):
        assumptions_of(None, wrong)


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["threads", "maps"])
def test_wherever_it_is_played_it_is_the_same(few: Backtest, pool: str) -> None:
    class Maps:
        def map(self, function: Spread, calls: list[Any]) -> list[Any]:
            return [function(call) for call in calls]

    with ThreadPoolExecutor(2) as threads:
        there = iom.backtest(FEW, particles=200, executor=threads if pool == "threads" else Maps(), progress=False)
    pd.testing.assert_frame_equal(there.rows, few.rows)


@pytest.mark.slow
def test_in_processes_it_is_the_same_bit_for_bit(few: Backtest) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        there = iom.backtest(FEW, particles=200, executor=pool, progress=False)
    pd.testing.assert_frame_equal(there.rows, few.rows, check_exact=True)
    assert [case.contest.id for case in there.cases] == [case.contest.id for case in few.cases]


@pytest.mark.slow
def test_contests_stay_in_their_order_though_the_longest_begin(tmp_path: Path) -> None:
    backwards = list(reversed(FEW))
    ids = [case.contest.id for case in iom.backtest(backwards, particles=50).cases]
    assert list(dict.fromkeys(ids)) == backwards


@pytest.mark.slow
def test_a_small_folder_of_ones_own_is_judged_in_words(tmp_path: Path) -> None:
    own(tmp_path, {1: {"A": 40, "B": 35, "C": 20}, 2: {"A": 44, "B": 51}, 3: {"A": 20, "B": 75}}, winner="B", start=3)
    test = iom.backtest(folder=tmp_path, particles=100)
    assert "came in 1 of 2 rounds" in test.honesty()
    assert test.by("standing")["model's"].notna().all()
    assert test.loses().sentence()


def test_a_contest_that_cannot_be_followed_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own rounds are skipped with the reason, those of the others stay what they are."""
    alone = iom.backtest("UNSC2020-AF", particles=100)
    replay = judging.replay_contest

    def broken(contest: Any, *args: Any, **options: Any) -> Any:
        if contest.id == "WHO2017":
            raise AnnouncementError("WHO2017, round 1: no particle agrees with the tally")
        return replay(contest, *args, **options)

    monkeypatch.setattr(judging, "replay_contest", broken)
    test = iom.backtest(["WHO2017", "UNSC2020-AF"], particles=100)
    pd.testing.assert_frame_equal(test.rows, alone.rows)
    assert dict(test.refused) == {"WHO2017": "WHO2017, round 1: no particle agrees with the tally"}
    assert ("WHO2017", 1, test.refused["WHO2017"]) in test.skipped.itertuples(index=False, name=None)
    assert "Not followed to the end, as its rules do not allow what is recorded: WHO2017." in test.sentence()
    with pytest.raises(IomsimError, match=r"nothing to forecast: .* no particle agrees"):
        iom.backtest("WHO2017", particles=100)


def test_few_particles_and_many_candidates_are_no_end(tmp_path: Path) -> None:
    """Of ten particles hardly one agrees with eight votes; more are taken until some do."""
    votes = dict(zip("ABCDEFGH", (30, 20, 15, 10, 8, 7, 6, 4), strict=True))
    own(tmp_path, {1: votes, 2: {"A": 70, "B": 27}}, start=8)
    test = iom.backtest(folder=tmp_path, particles=10)
    assert test.forecasts.query("forecaster == 'model'")["effective"].iloc[0] >= 5
