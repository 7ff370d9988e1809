"""What the shipped defaults are to achieve on the shipped contests: the targets met, and those known to be missed."""

from __future__ import annotations

import numpy as np
import pytest

import iomsim as iom
from iomsim.validation.verdict import Backtest

NEAR = 0.08
"""By how much what is said of the leader may differ from what came."""

KNOWN_MISSES = {"leader wins, two, rounds alike", "leader wins, three or more, rounds alike", "over next, least"}
"""Rounds alike, 22 of UNSC2006-GRULAC, where the leader never won, outweigh all else; and after a tie the model lets
nobody withdraw, as somebody did in UNSC2016-WEOG."""


@pytest.fixture(scope="module")
def shipped() -> Backtest:
    return iom.backtest(progress=False)


def targets(test: Backtest) -> dict[str, bool]:
    """Return which targets are met."""
    held, wins = test.coverage("standing")["came"], test.reliability_table("leader wins", "standing")
    kinds = test.by("kind").xs(("winner, log", "leader wins at 0.8"), level=("score", "baseline"))
    own = test.forecasts.query("forecaster == 'model'")
    ends = np.where(own["over_next"], own["p_over_next"], 1 - own["p_over_next"])
    found = {f"80 % intervals, {group}": 0.7 <= held[group, 0.8] <= 0.9 for group in ("two", "three or more")}
    for group in ("two", "three or more"):
        row = wins.loc[(group, "all")]
        found[f"leader wins, {group}, rounds alike"] = abs(row["said"] - row["came"]) <= NEAR
        found[f"leader wins, {group}"] = abs(row["said by contest"] - row["came by contest"]) <= NEAR
    found |= {f"winner, {kind}": row["model's"] <= row["baseline's"] for kind, row in kinds.iterrows()}
    return found | {"winner, least": own["p_winner"].min() >= 1e-3, "over next, least": ends.min() >= 1e-3}


@pytest.mark.slow
def test_the_targets_are_met_but_for_those_known_to_be_missed(shipped: Backtest) -> None:
    met = targets(shipped)
    assert len(met) == 11
    assert {name for name, yes in met.items() if not yes} <= KNOWN_MISSES


@pytest.mark.slow
def test_the_next_share_is_foretold_better_than_by_version_0_1(shipped: Backtest) -> None:
    beside = shipped.against(iom.backtest(model="0.1", progress=False))
    assert beside.loc["next share, CRPS", "ratio"] <= 0.88
    assert beside.loc["next share, CRPS", "ratio_high"] < 1
    assert not beside["this is"].eq("worse").any()


@pytest.mark.slow
def test_no_score_is_clearly_worse_than_a_baselines(shipped: Backtest) -> None:
    assert not shipped.table()["model is"].eq("worse").any()
    assert not shipped.by("kind")["model is"].eq("worse").any()
