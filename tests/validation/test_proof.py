"""Proof: on simulated contests the model that knows the truth wins, is calibrated, and minds its own business."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.model.components import Behaviour
from iomsim.validation.contest import LEVEL_SD, Contest
from iomsim.validation.data import contests
from iomsim.validation.rounds import RoundTally, rules_of
from iomsim.validation.synthetic import synthetic_contests
from iomsim.validation.verdict import MODEL, Backtest

MANY = (3, 4, 5, 6)

BASELINES = {
    "winner, log": ("nothing changes", "leader wins at 0.8", "binomial redraw", "momentum regression"),
    "over next, log": ("nothing changes", "constant hazard 0.45", "binomial redraw", "momentum regression"),
    "next share, CRPS": ("nothing changes", "binomial redraw", "momentum regression"),
}


def behaviour(**changes: float) -> Behaviour:
    return Behaviour(**dict(Behaviour()) | changes)


def cut(one: Contest, rounds: int) -> Contest:
    """Return a contest of which only the first rounds were announced: many contests for little work."""
    return replace(one, rounds=one.rounds[:rounds])


def elimination(number: int, candidates: int, seed: int, **told: Any) -> list[Contest]:
    """Return contests in which the last of three or more leaves after every ballot."""
    rules = rules_of("elimination", threshold="2/3", eliminate_after=1)
    level = LEVEL_SD if candidates == 2 else 0.6
    made = synthetic_contests(
        number, seed=seed, candidates=candidates, rules=rules, **{"size": 150, "level_sd": level} | told
    )
    return [cut(one, max(3, candidates - 1)) for one in made]  # until two or three are left


def z(gaps: pd.Series) -> float:
    """Return the mean over contests in standard errors."""
    by = gaps.groupby(level="contest").mean().dropna()
    return float(by.mean() / by.std() * np.sqrt(len(by)))


def model_scores(test: Backtest, score: str) -> pd.Series:
    return test.scores[test.scores["forecaster"] == MODEL].set_index(["contest", "round"])[score]


# -- who knows the truth, and who does not ------------------------------------------------------------


@cache
def known(candidates: int) -> Backtest:
    """Return the backtest of the model by which the contests were made."""
    held = elimination(100, candidates, seed=40 + candidates)
    return iom.backtest(held, train=held[:30], particles=300, assumptions="fixed", progress=False)


@cache
def old(candidates: int) -> Backtest:
    """Return the backtest of version 0.1 on the same contests."""
    held = known(candidates).contests
    return iom.backtest(held, "0.1", train=held[:2], particles=300, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("candidates", MANY)
def test_the_truth_beats_every_baseline(candidates: int) -> None:
    for score, baselines in BASELINES.items():
        wide = known(candidates).wide(score)
        assert {MODEL, *baselines} == set(wide.columns[wide.notna().any()])
        for baseline in baselines:
            assert z(wide[baseline] - wide[MODEL]) > 2, (score, baseline)


@pytest.mark.slow
@pytest.mark.parametrize("candidates", MANY)
def test_the_momentum_of_version_0_1_loses(candidates: int) -> None:
    gap = model_scores(old(candidates), "next share, CRPS") - model_scores(known(candidates), "next share, CRPS")
    assert gap.groupby("contest").mean().mean() > 0.15  # points of the leader's share
    assert z(gap) > 2


@pytest.mark.slow
def test_the_momentum_of_version_0_1_loses_clearly_on_all_together() -> None:
    def gaps(score: str) -> pd.Series:
        every = {k: model_scores(old(k), score) - model_scores(known(k), score) for k in MANY}
        joined = pd.concat({k: gap.groupby("contest").mean() for k, gap in every.items()})
        return joined.rename_axis(["k", "contest"]).reset_index(name="gap").assign(
            contest=lambda rows: rows["k"].astype(str) + rows["contest"]
        ).set_index("contest")["gap"]  # fmt: skip

    assert z(gaps("next share, CRPS")) > 5
    assert z(gaps("over next, log")) > 2
    assert z(gaps("rounds, RPS")) > 2


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["unsc", "au", "unesco", "who"])
def test_the_truth_is_behind_nobody_under_the_rules_of_a_body(rules: str) -> None:
    held = [cut(one, 5) for one in synthetic_contests(60, behaviour(stray=0.02), seed=9, candidates=3, rules=rules)]
    test = iom.backtest(
        held, behaviour(stray=0.02), train=held[:20], particles=250, assumptions="fixed", progress=False
    )
    for score, baselines in BASELINES.items():
        wide = test.wide(score)
        for baseline in baselines:
            assert z(wide[baseline] - wide[MODEL]) > 0, (score, baseline)


# -- calibration ------------------------------------------------------------------------------------


def off(test: Backtest, level: float) -> float:
    """Return by how many standard errors an interval of the next share holds more or less than said."""
    rows = []
    for case in test.cases:
        share, said = case.aftermath.next_share, case.step.prediction
        if share is None or said.shares is None or not said.shares.size:
            continue
        low, high = said.quantiles((1 - level) / 2, (1 + level) / 2)
        held = (said.shares >= low - 1e-9) & (said.shares <= high + 1e-9)
        rows.append((case.contest.id, held.mean(), low - 1e-9 <= share <= high + 1e-9))
    frame = pd.DataFrame(rows, columns=["contest", "said", "came"])
    return _off(frame["came"] - frame["said"], frame["contest"])


def surprised(test: Backtest, event: str) -> float:
    """Return by how many standard errors an event came more or less often than said."""
    said, came = test.events(event)
    return _off(pd.Series(came - said), pd.Series([case.contest.id for case in test.cases]))


def _off(gap: pd.Series, contest: pd.Series) -> float:
    """Return a sum in its standard errors over contests.

    Of rounds alike: were contests counted alike, those that are soon over would count more for each of their rounds.
    """
    total = gap.groupby(contest).sum()
    return float(total.sum() / np.sqrt((total**2).sum()))


def unsure(number: int, candidates: int, seed: int, **told: Any) -> list[Contest]:
    """Return contests each with a behaviour of its own, drawn from the ranges."""
    return elimination(number, candidates, seed, uncertain=True, **told)


@pytest.mark.slow
@pytest.mark.parametrize("candidates", [2, 3, 4])
def test_intervals_hold_what_they_promise_and_the_leader_wins_as_often_as_said(candidates: int) -> None:
    number = 300 if candidates == 2 else 150  # of those between two most are decided at once
    held = elimination(number, candidates, seed=70 + candidates)
    test = iom.backtest(held, train=held[:5], particles=500, assumptions="fixed", progress=False)
    assert all(abs(off(test, level)) < 3 for level in (0.5, 0.8, 0.95))
    assert all(abs(surprised(test, event)) < 3 for event in ("leader wins", "over next"))
    table = test.coverage()
    assert table["rounds"].min() > 100
    assert (table["came"] - table["said"]).abs().max() < 0.08


@pytest.mark.slow
@pytest.mark.parametrize("candidates", [2, 3])
def test_uncertain_assumptions_are_calibrated_where_the_truth_is_drawn_from_them(candidates: int) -> None:
    number = 300 if candidates == 2 else 150
    held = unsure(number, candidates, seed=80 + candidates)
    test = iom.backtest(held, train=held[:5], particles=800, assumptions=400, progress=False)
    assert all(abs(off(test, level)) < 3 for level in (0.5, 0.8, 0.95))
    assert all(abs(surprised(test, event)) < 3 for event in ("leader wins", "over next"))


@pytest.mark.slow
def test_who_is_too_sure_of_the_assumptions_is_found_out() -> None:
    """The check can fail: values that are sure of a frozen contest do not hold what they promise."""
    held = unsure(150, 3, seed=83)
    wrong = {"openness_fluid": 0.2, "openness_entrenched": 0.02, "openness_inf": 0.01, "round_sd": 0.02}
    test = iom.backtest(held, wrong, train=held[:5], particles=300, assumptions="fixed", progress=False)
    assert min(off(test, level) for level in (0.5, 0.8, 0.95)) < -4


# -- nobody else's business ----------------------------------------------------------------------------

FEW = ("UNSC2020-AF", "FAO2011", "IOC2016")


def model_rows(test: Backtest, *without: str) -> pd.DataFrame:
    rows = test.rows[(test.rows["forecaster"] == MODEL) & ~test.rows["contest"].isin(without)]
    return rows.sort_values(["contest", "round"]).reset_index(drop=True)


def past(*ids: str) -> list[Contest]:
    return [one for one in contests() if one.id in ids]


def played(held: list[Contest], model: Any = None, **arguments: Any) -> Backtest:
    return iom.backtest(held, model, **{"particles": 60, "progress": False, "assumptions": 20} | arguments)


def extreme() -> Contest:
    """Return a contest as none was: the last of three comes from 6 to 81 in 100 in a round."""
    base = next(one for one in contests() if one.id == "IOC2016")
    rounds = (
        RoundTally(1, ("P", "Q", "R"), (48, 45, 6), 99, None, None, "round"),
        RoundTally(2, ("R", "P"), (80, 19), 99, None, None, "round"),
    )
    return replace(base, id="extreme", year=1999, rounds=rounds, winner="R", started=3, rounds_total=2, decided_round=2)


def altered(one: Contest) -> Contest:
    """Return a contest with other votes in its first round."""
    first = one.rounds[0]
    tally = (first.tally[0] - 9, first.tally[1] + 9, *first.tally[2:])
    return replace(one, rounds=(replace(first, tally=tally), *one.rounds[1:]))


@pytest.mark.parametrize("model", [None, pytest.param("fitted", marks=pytest.mark.slow)])
def test_a_planted_contest_changes_only_its_own_rows_of_the_model(model: str | None) -> None:
    held = past(*FEW)
    train = [*past("UNSC2014-WEOG", "UNSC2016-AP", "UNSC2019-EEG"), *held]
    before = played(held, model, train=train)
    after = played([extreme(), *held], model, train=train)
    pd.testing.assert_frame_equal(model_rows(before), model_rows(after, "extreme"), check_exact=True)
    assert (after.rows["contest"] == "extreme").any()


@pytest.mark.slow
def test_a_contest_with_other_tallies_changes_only_its_own_rows_of_the_model() -> None:
    held = past(*FEW)
    changed = [altered(one) if one.id == "UNSC2020-AF" else one for one in held]
    before, after = played(held), played(changed, train=[*contests()])
    pd.testing.assert_frame_equal(model_rows(before, "UNSC2020-AF"), model_rows(after, "UNSC2020-AF"), check_exact=True)
    own = [model_rows(test, "FAO2011", "IOC2016").loc[0, "next_median"] for test in (before, after)]
    assert own[0] != own[1]


@pytest.mark.slow
def test_what_learns_from_others_may_change_and_nothing_else_does() -> None:
    """The regression and the fitted model learn from the contests they are given; they alone see a planted one."""
    held = past(*FEW)
    plain, more = played(held, train=[*contests()]), played(held, train=[*contests(), extreme(), planted_two()])
    same = [
        test.rows[test.rows["forecaster"] != "momentum regression"].reset_index(drop=True) for test in (plain, more)
    ]
    pd.testing.assert_frame_equal(*same, check_exact=True)
    learnt = [test.rows[test.rows["forecaster"] == "momentum regression"] for test in (plain, more)]
    assert not learnt[0]["p_leader"].equals(learnt[1]["p_leader"])


def planted_two() -> Contest:
    """Return a contest between two, one of whom comes from 39 to 79 in 100."""
    base = next(one for one in contests() if one.id == "UNSC2016-AP")
    rounds = (replace(base.rounds[0], tally=(75, 115), valid=190), replace(base.rounds[1], tally=(150, 40), valid=190))
    return replace(base, id="planted", rounds=tuple(replace(known, needed=None) for known in rounds))


@pytest.mark.slow
def test_order_and_company_change_nothing() -> None:
    held = past(*FEW)
    together, backwards = played(held), played(held[::-1])
    pd.testing.assert_frame_equal(model_rows(together), model_rows(backwards), check_exact=True)
    alone = pd.concat([model_rows(played([one])) for one in held])
    alone = alone.sort_values(["contest", "round"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(model_rows(together), alone, check_exact=True)


def test_names_of_candidates_do_not_matter() -> None:
    [one] = past("UNSC2020-AF")
    names = {"Kenya": "Abel", "Djibouti": "Cain"}
    rounds = [replace(known, candidates=tuple(names[name] for name in known.candidates)) for known in one.rounds]
    columns = ["p_leader", "p_over_next", "next_low", "next_median", "next_high", "p_winner"]
    renamed = replace(one, rounds=tuple(rounds), winner=names[one.winner or ""])
    before, after = (model_rows(played([told]))[columns] for told in (one, renamed))
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def test_what_comes_later_is_not_known_before() -> None:
    """A forecast after a round is the same whatever follows it, and however the contest ends."""
    [one] = past("IOC2016")
    first, *_ = played([one]).cases
    other = replace(one, rounds=(one.rounds[0], replace(one.rounds[1], tally=one.rounds[1].tally[::-1])), winner=None)
    again, *_ = played([replace(other, rounds_total=9, decided_round=9, ending="open")]).cases
    for part in ("shares", "winner", "to_come", "ending"):
        assert np.array_equal(getattr(first.step.prediction, part), getattr(again.step.prediction, part))
