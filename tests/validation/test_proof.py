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
from iomsim.validation.rounds import rules_of
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
    return [cut(one, 4) for one in made]


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
    held = elimination(70, candidates, seed=40 + candidates)
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
