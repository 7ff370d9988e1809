"""Backtests: forecasts that know the truth win, wrong ones lose, nothing is peeked at."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from contest_files import election, own, tally, write
from scipy import stats

import iomsim as iom
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import IomsimError, UnknownNameError
from iomsim.model.components import Behaviour
from iomsim.rules.procedure import Procedure
from iomsim.validation.backtest import leaving_out, score_outcomes
from iomsim.validation.baselines import (
    MomentumRegression,
    binomial_redraw,
    constant_hazard,
    leader_wins,
    log_odds,
    momentum,
    nothing_changes,
)
from iomsim.validation.contest import Contest
from iomsim.validation.data import contests
from iomsim.validation.prediction import MAX_TO_COME, SCORES, Prediction, predict, scored, segment_seed
from iomsim.validation.rounds import Aftermath, Situation
from iomsim.validation.synthetic import synthetic_contests
from iomsim.validation.verdict import Backtest

QUICK = ["UNSC2007-EEG", "UNSC2016-WEOG", "IOM2018-DG", "IOM2019-DDG", "WHO2017"]


def behaviour(**changes: float) -> Behaviour:
    return Behaviour(**dict(Behaviour()) | changes)


@pytest.fixture(scope="module")
def quick() -> Backtest:
    return iom.backtest(QUICK, particles=400)


def said(test: Backtest, forecaster: str = "model") -> pd.DataFrame:
    return test.rows[test.rows["forecaster"] == forecaster].set_index(["contest", "round"])


# -- baselines --------------------------------------------------------------------------------------

LEVEL = Situation(("A", "B"), (1,), ((60, 40),), 100, 100, Procedure(), 2, True)


def test_nothing_changes_by_hand() -> None:
    prediction = nothing_changes(LEVEL)
    assert prediction.shares is not None
    assert prediction.to_come is not None
    assert (prediction.shares.tolist(), prediction.over_next, prediction.to_come[MAX_TO_COME]) == ([0.6], 0.0, 1.0)
    score = scored(prediction, LEVEL.candidates, Aftermath(0.65, 2, "A", "majority"))["next share, CRPS"]
    assert score == pytest.approx(5.0)


def test_leader_wins_and_constant_hazard_by_hand() -> None:
    winner, rounds = leader_wins(LEVEL).winner, constant_hazard(LEVEL).to_come
    assert winner is not None
    assert rounds is not None
    assert winner == pytest.approx([0.8, 0.1, 0.1])
    assert rounds[:3] == pytest.approx([0.0, 0.45, 0.45 * 0.55])
    assert rounds.sum() == pytest.approx(1.0)


def test_the_redraw_is_binomial() -> None:
    prediction = binomial_redraw(LEVEL)
    hit = stats.binom.sf(66, 100, 0.6)  # 67 of 100
    assert prediction.over_next == pytest.approx(hit + stats.binom.sf(66, 100, 0.4))
    assert prediction.to_come is not None
    assert prediction.to_come[2] == pytest.approx((1 - prediction.over_next) * prediction.over_next)
    assert prediction.winner is not None
    assert prediction.winner[0] == pytest.approx(hit / prediction.over_next)
    drawn = np.random.default_rng(1).binomial(100, 0.6, 40_000) / 100
    assert prediction.quantiles(0.1, 0.5, 0.9) == pytest.approx(np.quantile(drawn, [0.1, 0.5, 0.9]), abs=0.011)


def test_papers_for_others_raise_the_bar_of_the_baselines() -> None:
    """Two thirds of 120 papers are 80, of the 100 for the two 67."""
    others = replace(LEVEL, tallies=((66, 34),), valid=120)
    plain = replace(others, valid=100)
    hit = stats.binom.sf(79, 100, 0.66)
    assert binomial_redraw(others).over_next == pytest.approx(hit + stats.binom.sf(79, 100, 0.34))
    learned = momentum([])
    with_, without = (learned(situation).over_next for situation in (others, plain))
    assert with_ is not None
    assert without is not None
    assert with_ < without - 0.1


def test_the_redraw_knows_when_a_simple_majority_comes() -> None:
    later = replace(LEVEL, rules=Procedure(threshold=["2/3", "2/3", ">1/2"]))
    now, then = (binomial_redraw(p).to_come for p in (LEVEL, later))
    assert now is not None
    assert then is not None
    assert then[1] == pytest.approx(now[1])  # round 2 still needs two thirds
    assert then[2] > 0.8


def test_the_redraw_lets_the_rounds_compete_for_the_winner() -> None:
    later = replace(LEVEL, rules=Procedure(threshold=["2/3", "2/3", ">1/2"]))
    first, then = ([stats.binom.sf(need - 1, 100, p) for p in (0.6, 0.4)] for need in (67, 51))
    winner = binomial_redraw(later).winner
    assert winner is not None
    assert winner[0] == pytest.approx(first[0] + (1 - sum(first)) * then[0] / sum(then), abs=1e-6)


def test_the_weights_of_a_forecast_count() -> None:
    prediction = binomial_redraw(LEVEL)
    assert prediction.weights is not None
    exact = stats.energy_distance(np.arange(101) / 100, [0.63], prediction.weights) ** 2 / 2
    score = scored(prediction, LEVEL.candidates, Aftermath(0.63, 2, "A", "majority"))["next share, CRPS"]
    assert score == pytest.approx(100 * float(exact))


def test_the_first_meeting_again_counts_once() -> None:
    """Almost no noise, and 0.15 log-odds on the first: 60 % become 63.5 % and stay there, short of two thirds."""
    still = MomentumRegression(np.array([0.0, 1.0, 0.15]), 1e12 * np.eye(3), 1e6, 1.0)
    prediction = still(LEVEL)
    assert prediction.quantiles(0.5) == pytest.approx([0.6353], abs=2e-3)
    assert prediction.winner is not None
    assert prediction.winner.tolist() == [0.0, 0.0, 1.0]
    assert prediction.to_come is not None
    assert prediction.to_come.tolist() == [0.0] * 10 + [1.0]  # ten rounds, or more
    again = MomentumRegression(np.array([0.15, 1.0, 0.0]), 1e12 * np.eye(3), 1e6, 1.0)(LEVEL)
    assert again.to_come is not None
    assert again.to_come[2] == 1.0  # 0.405 + 2 * 0.15 = ln(67 / 33)


def test_the_regression_is_least_squares_when_the_prior_is_outweighed(tmp_path: Path) -> None:
    many = contests() * 40
    rows = [t for one in contests() for t in one.transitions] * 40
    x = np.array([[1, log_odds(t.before.tally[0], sum(t.before.tally)), t.first] for t in rows], dtype=float)
    y = np.array([log_odds(t.after.tally[0], sum(t.after.tally)) for t in rows])
    fitted = momentum(many)
    assert fitted.mean == pytest.approx(np.linalg.lstsq(x, y, rcond=None)[0], abs=0.01)
    assert fitted.rate / fitted.shape == pytest.approx(np.mean((y - x @ fitted.mean) ** 2), rel=0.02)


def test_without_contests_the_regression_says_that_nothing_changes() -> None:
    fitted = momentum([])
    assert fitted.mean.tolist() == [0.0, 1.0, 0.0]
    low, middle, high = fitted(LEVEL).quantiles(0.1, 0.5, 0.9)
    assert low < 0.5 < middle == pytest.approx(0.6, abs=0.02)
    assert high > 0.7


# -- the model's forecasts -----------------------------------------------------------------------


def test_runs_become_a_forecast_by_hand() -> None:
    """Five runs after one held round: conceded at once, decided in round 2, in 3, by a yes/no round, never."""
    votes = [
        [60, 40],
        [60, 40],
        [70, 30],
        [60, 40],
        [55, 45],
        [30, 70],
        [60, 40],
        [80, -1],
        [60, 40],
        [50, 50],
        [50, 50],
    ]
    out = Outcomes(
        winner=np.array([0, 0, 1, -1, -1], dtype=np.int8),
        ending=np.array([1, 0, 0, 3, 4], dtype=np.uint8),
        rounds=np.array([1, 2, 3, 2, 3], dtype=np.int16),
        minute=np.zeros(5, dtype=np.int32),
        present=np.full(5, 100, dtype=np.int16),
        votes=np.array(votes, dtype=np.int16),
        valid=np.full(11, 100, dtype=np.int16),
        flows=np.zeros((11, 2, 2), dtype=np.int16),
        draw=np.zeros(5, dtype=np.int32),
    )
    prediction = predict(out, 1, [0, 1])
    assert prediction.over_next == 0.6
    assert prediction.to_come is not None
    assert prediction.to_come[:3].tolist() == [0.2, 0.4, 0.4]
    assert prediction.winner is not None
    assert prediction.winner.tolist() == [0.4, 0.2, 0.4]
    assert prediction.ending is not None
    assert prediction.ending.tolist() == [0.4, 0.2, 0.0, 0.2, 0.2]
    assert prediction.shares is not None
    assert sorted(prediction.shares.tolist()) == [0.5, 0.55, 0.7]  # a yes/no round is no share
    turned = predict(out, 1, [1, 0])
    assert turned.winner is not None
    assert turned.winner.tolist() == [0.2, 0.4, 0.4]
    assert turned.shares is not None
    assert sorted(turned.shares.tolist()) == pytest.approx([0.3, 0.45, 0.5])


def test_a_share_is_one_of_those_who_are_followed() -> None:
    """Others who still stand in the model count for nothing: 48 to 32 is 60 % whatever they get."""
    out = Outcomes(
        winner=np.array([0], dtype=np.int8),
        ending=np.array([0], dtype=np.uint8),
        rounds=np.array([2], dtype=np.int16),
        minute=np.zeros(1, dtype=np.int32),
        present=np.full(1, 100, dtype=np.int16),
        votes=np.array([[40, 30, 30], [48, 32, 20]], dtype=np.int16),
        valid=np.full(2, 100, dtype=np.int16),
        flows=np.zeros((2, 3, 3), dtype=np.int16),
        draw=np.zeros(1, dtype=np.int32),
    )
    shares = predict(out, 1, [0, 1]).shares
    assert shares is not None
    assert shares.tolist() == [0.6]


def test_no_two_segments_share_their_random_numbers() -> None:
    found = [segment_seed(seed, name, r) for seed in (1, 2) for name in ("UNSC2007-A", "UNSC2007-B") for r in (1, 2)]
    assert len(set(found)) == 8


def test_what_a_forecast_is_conditioned_on_is_said(quick: Backtest) -> None:
    by = said(quick)["conditioning"]
    assert by["UNSC2007-EEG", 2] == "exact: rounds 1-2"
    assert by["UNSC2016-WEOG", 2] == "restart at round 2 (two seats at once before)"
    assert by["UNSC2016-WEOG", 4] == "restart at round 2 (two seats at once before), then exact to 4"
    assert by["IOM2018-DG", 3] == "restart at round 3 (round 2 unknown)"


def test_a_tally_says_how_much_it_surprised(quick: Backtest) -> None:
    by = said(quick)["surprise"]
    assert by["UNSC2007-EEG", 1] == by["IOM2018-DG", 3] == 1.0  # where a segment starts nothing had been said
    assert 0 < by["UNSC2007-EEG", 2] < 0.9
    assert by["UNSC2007-EEG", 2] < by["UNSC2016-WEOG", 4]  # 95 to 91 became 106 to 81; 96 to 94 became 96 to 95


def test_probabilities_are_probabilities(quick: Backtest) -> None:
    for case in quick.cases:
        for prediction in case.predictions.values():
            for pmf in (prediction.to_come, prediction.winner, prediction.ending):
                assert pmf is None or (pmf.sum() == pytest.approx(1.0) and (pmf >= 0).all())
            assert prediction.to_come is None or len(prediction.to_come) == MAX_TO_COME + 1
            assert prediction.winner is None or len(prediction.winner) == len(case.situation.candidates) + 1


def test_the_model_knows_the_rules_of_the_house(quick: Backtest) -> None:
    by = said(quick)
    assert by.loc[("WHO2017", 2), "p_over_next"] == 1.0  # more than half suffices in round 3
    assert by.loc[("IOM2019-DDG", 5), "p_ending"] > 0.5  # 75 to 73, then the leader alone: it fails
    assert np.isnan(by.loc[("IOM2019-DDG", 5), "next_median"])  # no further vote between candidates
    assert (
        by.loc[("UNSC2016-WEOG", 5), "p_over_next"] < by.loc[("UNSC2016-WEOG", 4), "p_over_next"]
    )  # a tie: nobody concedes


def test_a_forecast_uses_nothing_that_came_later() -> None:
    whole = contests()[0]
    cut = replace(whole, rounds=tuple(known for known in whole.rounds if known.round <= 2))
    cut = replace(cut, rounds_total=5, decided_round=4, ending="majority", winner="Guatemala")
    early, late = (iom.backtest([one], particles=300) for one in (cut, replace(whole, rounds=whole.rounds[:3])))
    columns = ["next_low", "next_median", "next_high", "p_over_next", "rounds_median", "p_leader", "p_nobody"]
    assert said(early)[columns].loc[[(whole.id, 1), (whole.id, 2)]].equals(said(late)[columns].iloc[:2])


def test_where_no_particle_is_left_the_forecast_restarts(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 62, "B": 36}, 2: {"A": 34, "B": 64}, 3: {"A": 70, "B": 28}})
    by = said(iom.backtest(folder=tmp_path, particles=150))
    assert by.loc[(one.id, 2), "conditioning"] == "restart at round 2 (the rounds before left too few particles)"
    assert by.loc[(one.id, 2), "leader"] == "B"


def test_the_same_seed_gives_the_same_numbers_and_another_does_not() -> None:
    one, two, three = (iom.backtest("UNSC2020-AF", particles=200, seed=seed).rows for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(three)


# -- scores --------------------------------------------------------------------------------------


def test_every_score_is_the_score_of_what_was_said(quick: Backtest) -> None:
    case = next(case for case in quick.cases if (case.contest.id, case.situation.round) == ("UNSC2007-EEG", 1))
    row = said(quick).loc[("UNSC2007-EEG", 1)]
    prediction = case.step.prediction
    assert row["over next, Brier"] == pytest.approx((prediction.over_next - float(case.aftermath.over_next)) ** 2)
    assert row["winner, log"] == pytest.approx(-np.log(0.999 * row["p_winner"] + 0.001 / 3))
    assert prediction.shares is not None
    half = stats.energy_distance(prediction.shares, [106 / 187]) ** 2 / 2
    assert row["next share, CRPS"] == pytest.approx(100 * half)


def test_what_was_not_said_is_not_scored(quick: Backtest) -> None:
    silent = said(quick, "leader wins at 0.8")
    assert silent[["over next, log", "next share, CRPS", "rounds, RPS"]].isna().all(axis=None)
    assert silent["winner, log"].notna().all()
    assert "ending, log" not in quick.table().index.get_level_values(0)  # no baseline speaks of it


def test_nobody_is_ruined_by_an_impossible_event() -> None:
    sure = Prediction(winner=np.array([1.0, 0.0, 0.0]), over_next=0.0)
    scores = scored(sure, ("A", "B"), Aftermath(None, 1, None, "failed"))
    assert scores["winner, log"] == pytest.approx(np.log(3000))
    assert scores["over next, log"] == pytest.approx(np.log(2000))


def test_contests_count_alike_in_the_table(quick: Backtest) -> None:
    table, by = quick.table(), quick.by_contest("over next, Brier")
    row = table.loc[("over next, Brier", "binomial redraw")]
    assert row["model's"] == pytest.approx(by["model"].mean())
    assert row["difference"] == pytest.approx((by["binomial redraw"] - by["model"]).mean())
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    assert (row["ahead"], row["contests"]) == ((by["model"] < by["binomial redraw"]).sum(), len(QUICK))


def test_calibration_asks_what_was_said_of_the_leader_and_of_the_next_round(quick: Backtest) -> None:
    for event, said_of, came_of in (
        ("leader wins", lambda o: o.winner[0], lambda case: case.aftermath.winner == case.situation.candidates[0]),
        ("over next", lambda o: o.over_next, lambda case: case.aftermath.to_come <= 1),
    ):
        chance, came = quick.events(event)
        assert chance.tolist() == [said_of(case.step.prediction) for case in quick.cases]
        assert came.tolist() == [came_of(case) for case in quick.cases]


def test_a_twin_of_the_model_is_neither_ahead_nor_behind(quick: Backtest) -> None:
    cases = tuple(
        replace(case, predictions={"model": case.step.prediction, "twin": case.step.prediction}) for case in quick.cases
    )
    table = replace(quick, cases=cases).table()
    assert len(table) == len(SCORES)
    assert (table[["difference", "difference_low", "difference_high", "ahead"]] == 0).all(axis=None)
    assert set(table["model is"]) == {"too few contests"}


def test_the_verdict_is_the_interval_and_of_few_contests_there_is_none(quick: Backtest) -> None:
    assert set(quick.table()["model is"]) == {"too few contests"}  # five that go one way do so by luck, too
    six = renamed(quick, 6).table()
    assert (six["model is"].eq("better") == (six["difference_low"] > 0)).all()
    assert (six["model is"].eq("worse") == (six["difference_high"] < 0)).all()
    assert set(six["model is"]) > {"better"}


def renamed(test: Backtest, number: int) -> Backtest:
    """Return a backtest whose first rounds are of so many contests."""
    cases = [replace(case, contest=replace(case.contest, id=f"C{i}")) for i, case in enumerate(test.cases[:number])]
    return replace(test, cases=tuple(cases))


def test_the_sentence_says_what_the_table_says(quick: Backtest) -> None:
    table = quick.table()
    assert f"Judged after {len(quick.cases)} rounds of 5 past contests" in quick.sentence()
    assert str(quick.sentence()) in repr(quick).replace("\n", " ")
    behind = table[2 * table["ahead"] < table["contests"]]
    said_ = quick.sentence().split("it was behind on ")[1].split(". It was")[0]
    assert all(score in said_ and baseline in said_ for score, baseline in behind.index)
    assert len(behind) > 0
    assert "two seats at once" in quick._repr_html_()


def test_the_sentence_warns_where_the_defaults_have_seen_the_contests(quick: Backtest, tmp_path: Path) -> None:
    assert "chosen with these contests in view" in quick.sentence()
    own(tmp_path, {1: {"A": 55, "B": 40}, 2: {"A": 70, "B": 27}})
    assert "in view" not in iom.backtest(folder=tmp_path, particles=50).sentence()
    assert "in view" not in iom.backtest("UNSC2020-AF", {"fluid": 0.5}, particles=50).sentence()


def test_every_announced_round_is_forecast_or_skipped_with_a_reason(quick: Backtest) -> None:
    known = {(one.id, a.round) for one in quick.contests for a in one.rounds}
    left = set(zip(quick.skipped["contest"], quick.skipped["round"], strict=True))
    assert known == left | set(said(quick).index)
    assert not left & set(said(quick).index)
    assert quick.skipped["why"].str.len().gt(0).all()


def test_an_unknown_score_or_event_is_named(quick: Backtest) -> None:
    with pytest.raises(UnknownNameError, match="no score named 'winner'"):
        quick.by_contest("winner")
    with pytest.raises(UnknownNameError, match="no event named 'over'; did you mean 'over next'"):
        quick.reliability("over")
    assert set(quick.model_scores().index) == set(SCORES)


# -- calibration ---------------------------------------------------------------------------------


def test_calibration_is_of_the_cases(quick: Backtest) -> None:
    said_, came = quick.events("leader wins")
    assert len(said_) == len(quick.cases)
    assert quick.decomposition("leader wins").score == pytest.approx(np.mean((said_ - came) ** 2))
    assert quick.ranks()["count"].sum() == len(quick.pits) == said(quick)["next_share"].notna().sum()


@pytest.mark.slow
def test_the_model_is_calibrated_on_contests_of_its_own_making() -> None:
    own_kind = [cut(one) for one in synthetic_contests(150, seed=8, size=60)]
    test = iom.backtest(own_kind, particles=400, train=own_kind[:20], assumptions="fixed")
    assert test.kind == "synthetic contests"
    assert stats.kstest(test.pits, "uniform").pvalue > 1e-3
    assert test.decomposition("over next").miscalibration < 0.02
    wrong = iom.backtest(
        own_kind, behaviour(momentum_fluid=0.0, fluid=0.3), particles=400, train=own_kind[:20], assumptions="fixed"
    )
    assert stats.kstest(wrong.pits, "uniform").pvalue < 1e-3


# -- truth and lies ------------------------------------------------------------------------------

TRUTH = behaviour(
    fluid=0.5, openness_fluid=1.0, openness_entrenched=0.05, openness_inf=0.02, decay=0.3,
    momentum_fluid=4.0, momentum_entrenched=0.0, round_sd=1.2, concede_a=1.0, concede_b=5.0, absent=0.03, abstain=0.03,
)  # fmt: skip
LIE = behaviour(
    fluid=0.0, openness_entrenched=0.02, openness_inf=0.01, momentum_entrenched=0.0, concede_a=0.3, concede_b=20.0
)


def cut(one: Contest) -> Contest:
    """Return a contest of which only two rounds were ever announced: many contests for little work."""
    return replace(one, rounds=one.rounds[:2])


def played(number: int, seed: int = 4) -> list[Contest]:
    return [cut(one) for one in synthetic_contests(number, TRUTH, seed=seed, size=40, level_sd=0.15)]


@pytest.mark.slow
def test_a_model_that_knows_the_truth_is_beaten_by_nobody_and_a_wrong_one_is() -> None:
    held = played(45)
    truth = iom.backtest(held, TRUTH, train=held, particles=200, assumptions="fixed").table()
    assert not truth["model is"].eq("worse").any()
    assert truth["model is"].eq("better").sum() >= 12
    lie = iom.backtest(held, LIE, train=held, particles=200, assumptions="fixed").table()
    assert lie["model is"].eq("worse").sum() >= 8
    assert (truth["model's"] < lie["model's"]).all()


@pytest.mark.slow
def test_a_model_that_knows_the_truth_beats_every_baseline_on_many_contests() -> None:
    held = played(300, seed=7)
    table = iom.backtest(held, TRUTH, train=held[:50], particles=300, assumptions="fixed").table()
    close = ("winner, Brier", "binomial redraw")  # who wins is nearly all that the redraw gets right
    assert table.drop(index=[close])["model is"].eq("better").all()
    assert table.loc[close, "model is"] != "worse"


# -- leaving out ---------------------------------------------------------------------------------


def planted() -> Contest:
    """Return a contest as no other: the trailing one comes from 39 % to 74 in a round."""
    base = next(one for one in contests() if one.id == "UNSC2016-AP")
    rounds = (replace(base.rounds[0], tally=(75, 115)), replace(base.rounds[1], tally=(150, 40)))
    return replace(base, id="planted", rounds=tuple(replace(r, valid=None, needed=None) for r in rounds))


@pytest.mark.slow
def test_a_planted_contest_changes_only_its_own_rows() -> None:
    before = iom.backtest(["UNSC2007-EEG", "UNSC2020-AF"], particles=200)
    base = [one for one in contests() if one.id in ("UNSC2007-EEG", "UNSC2020-AF")]
    after = iom.backtest([planted(), *base], particles=200)
    rows = after.rows[after.rows["contest"] != "planted"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, before.rows)
    assert (after.rows["contest"] == "planted").any()


def test_a_contest_learns_from_the_planted_one_but_not_from_itself() -> None:
    training, ids = [*contests(), planted()], ["planted", "UNSC2020-AF"]
    chosen = [one for one in training if one.id in ids]
    with_, without = (
        said(iom.backtest(chosen, particles=200, train=train), "momentum regression")
        for train in (training, contests())
    )
    columns = ["next_low", "next_median", "next_high", "p_over_next", "p_leader"]
    assert with_.loc["planted", columns].equals(without.loc["planted", columns])
    assert not with_.loc["UNSC2020-AF", columns].equals(without.loc["UNSC2020-AF", columns])


def test_the_check_of_leaving_out_can_fail() -> None:
    """A backtest that forgot to leave the contest out would be seen."""
    one, training = planted(), [*contests(), planted()]
    honest, peeking = momentum(leaving_out(one, training)), momentum(training)
    assert honest.mean == pytest.approx(momentum(leaving_out(one, contests())).mean)
    assert np.abs(honest.mean - peeking.mean).max() > 0.01


def test_a_copy_under_another_name_is_left_out_too() -> None:
    one = next(one for one in contests() if one.id == "UNSC2020-AF")
    renamed = replace(one, id="Kenya again")
    assert one not in leaving_out(renamed, contests())
    assert not any(other.held_out for other in leaving_out(one, contests()))


@pytest.mark.slow
def test_the_fitted_model_is_fitted_without_the_contest_it_is_judged_on() -> None:
    odd = planted()
    learned = iom.fit([*contests(), odd], ["momentum", "fluid"], draws=300)
    plain = learned.without(odd)
    test = iom.backtest([odd], learned, train=contests(), particles=200)
    direct = iom.backtest([odd], plain.behaviour, train=contests(), particles=200)
    pd.testing.assert_frame_equal(test.rows, direct.rows)
    assert learned.behaviour.fluid.value != plain.behaviour.fluid.value


@pytest.mark.slow
def test_the_held_out_case_is_in_no_table() -> None:
    test = iom.backtest(particles=20, contests=None)
    assert "IOM2023-DG" not in set(test.rows["contest"])
    assert ("IOM2023-DG", 1, "held out") in test.skipped.itertuples(index=False, name=None)


def test_the_held_out_case_is_in_no_training_set() -> None:
    training = leaving_out(planted(), contests())
    assert "IOM2023-DG" not in [one.id for one in training]
    assert len(training) == 34


def test_a_forecast_made_before_the_vote_is_scored_by_what_came() -> None:
    race, case = iom.load("geneva-2023"), iom.contest("IOM2023-DG")
    fc = iom.forecast(race, runs=2000, seed=2023, progress=False)
    day = iom.live(race, 1000, 2023)
    day.announce(case.rounds[0].votes, at="12:20")
    before = score_outcomes(fc.all_outcomes, race.names, case)
    after = score_outcomes(day.play_on(), race.names, case, after=1)
    assert before["winner, log"] == pytest.approx(-np.log(np.mean(fc.outcomes.winner == 0)), abs=0.01)
    assert after["winner, log"] < before["winner, log"]
    out = fc.outcomes
    first = out.votes[out.starts, 0] / out.votes[out.starts].sum(axis=1)
    half = stats.energy_distance(first, [98 / 165]) ** 2 / 2
    assert before["next share, CRPS"] == pytest.approx(100 * half)
    assert np.isnan(after["next share, CRPS"])  # there was no second round
    assert before["over next, Brier"] == pytest.approx(np.mean(out.rounds > 1) ** 2)


# -- folders of one's own ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        ({1: {"A": 55, "B": 40}, 2: {"A": 70, "B": 27}}, {}),
        ({1: dict(zip("ABCDEFGH", (30, 20, 15, 10, 8, 7, 6, 4), strict=True)), 2: {"A": 70, "B": 27}}, {"start": 8}),
        ({1: {chr(65 + i): 8 for i in range(12)}, 2: {"A": 70, "B": 27}}, {"start": 12, "share": ">1/2"}),
        ({2: {"A": 55, "B": 40}, 5: {"A": 60, "B": 36}, 6: {"A": 58, "B": 38}}, {"total": 9, "how": "withdrawal"}),
        ({1: {"A": 5, "B": 4}, 2: {"A": 7, "B": 2}}, {"size": 9}),
        ({1: {"A": 4, "B": 3, "C": 1, "D": 1}, 2: {"A": 7, "B": 2}}, {"size": 9, "start": 4}),
        ({1: {"A": 505, "B": 434}, 2: {"A": 707, "B": 212}}, {"size": 1000}),
        ({1: {"A": 29, "B": 29}, 2: {"A": 30, "B": 28}}, {"size": 58, "share": ">1/2"}),
        ({1: {"A": 40, "B": 18}, 2: {"A": 50, "B": 3}}, {"size": 58, "share": 0.75}),
        (
            {1: {"A": 55, "B": 40}, 2: {"A": 54, "B": 42}, 3: {"Z": 90}},
            {"winner": "Z", "how": "compromise", "kinds": {3: "single"}},
        ),
        ({1: {"A": 55, "B": 40}, 2: {"A": 70, "No": 27}}, {"how": "yes/no"}),
        ({1: {"A": 50, "B": 45}, 2: {"A": 40, "B": 30, "C": 25}, 3: {"C": 70, "A": 27}}, {"winner": "C"}),
    ],
    ids=["two", "eight", "twelve", "gaps", "nine", "nine-four", "thousand", "half", "three-quarters", "outsider",
         "yes-no", "newcomer"],
)  # fmt: skip
def test_contests_never_seen_give_a_result(
    tmp_path: Path, rounds: dict[int, dict[str, int]], told: dict[str, object]
) -> None:
    one = own(tmp_path, rounds, **told)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        test = iom.backtest(folder=tmp_path, particles=150)
    assert len(said(test)) + len(test.skipped) == len(one.rounds)
    assert said(test)["p_winner"].between(0, 1).all()
    assert test.table()["model's"].notna().all()


def test_a_folder_with_nothing_to_forecast_says_why(tmp_path: Path) -> None:
    own(tmp_path, {1: {"A": 70, "B": 25}})
    with pytest.raises(IomsimError, match=r"nothing to forecast: .*\(X: round 1: it elected\)"):
        iom.backtest(folder=tmp_path)


def test_contests_of_a_folder_can_be_chosen(tmp_path: Path) -> None:
    lines = [*tally(1, {"A": 55, "B": 40}), *tally(2, {"A": 70, "B": 25})]
    more = [line.replace("X,Body", "Y,Body") for line in lines]
    write(tmp_path, [election(), election("Y")], [*lines, *more])
    test = iom.backtest("Y", folder=tmp_path, particles=100)
    assert set(test.rows["contest"]) == {"Y"}
    with pytest.raises(UnknownNameError, match="no contest named 'Z'; there are X, Y"):
        iom.backtest("Z", folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"contests": "UNSC2006-GRULA"}, "no contest named 'UNSC2006-GRULA'; did you mean 'UNSC2006-GRULAC'"),
        ({"contests": ["WHO2017", "WHO2017"]}, "for none twice; got"),
        ({"contests": []}, "at least one contest"),
        ({"contests": "WHO2017", "model": "fittd"}, "no model named 'fittd'; did you mean 'fitted'"),
        ({"contests": "WHO2017", "model": {"momentun": 3}}, "no parameter of the behaviour named 'momentun'"),
        ({"contests": "WHO2017", "model": 3.0}, "model must be a Behaviour, a Scenario, a Fit"),
        ({"contests": "WHO2017", "particles": 1}, "particles must be a whole number of at least 2"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(IomsimError, match=words):
        iom.backtest(**arguments)  # type: ignore[arg-type]


def test_a_model_may_be_given_in_several_ways() -> None:
    changed = iom.load("geneva-2023").with_behaviour(fluid=0.2)
    by_scenario, by_name = (
        iom.backtest("UNSC2020-AF", model, particles=200).rows for model in (changed, {"fluid": 0.2})
    )
    pd.testing.assert_frame_equal(by_scenario, by_name)
