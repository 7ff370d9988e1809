"""Chances of members in the first round: against elections in which every member is played."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import iomsim as iom
from iomsim.engine import first_round, laws, plan as plans
from iomsim.engine.first_round import class_chances, first_round_chances, first_round_votes
from iomsim.engine.plan import Plan
from iomsim.engine.simulate import simulate
from iomsim.model.scenario import Scenario, build

AWAY = ["m17", "m18"]


def election(candidates: str = "AB", measured: bool = False, **behaviour: float) -> Scenario:
    """Return an election of thirty with regions, ties, pinned members, and sponsors of two candidates.

    If measured, every member is exposed in a way of its own.
    """
    aid = np.random.default_rng(7).lognormal(0.0, 1.0, (30, 2)).round(3).tolist()
    table = [
        {"name": f"m{i}", "g": f"g{i % 4}", "a": i % 3 == 0, "b": i % 5 < 2, "x": x, "y": y}
        for i, (x, y) in enumerate(aid)
    ]
    exposures = {"a": 2.0, "not a": 0.3}, {"b": 1.0, "a": 0.5, "not b": 0.1}
    if measured:
        exposures = {"x": 1.0, "a": 0.5}, {"y": 1.0, "log1p(x)": 0.5}
    sponsors = [
        {"name": "S", "backs": "A", "strength": 1.1, "spread": 0.8, "exposure": exposures[0]},
        {"name": "T", "backs": "B", "strength": 0.7, "spread": 0.4, "exposure": exposures[1]},
    ]
    return build(
        {
            "title": "thirty",
            "electorate": {"table": table, "group": "g", "pinned": {"A": ["m0"], "B": ["m1"]}, "without_vote": AWAY},
            "candidates": [{"name": name, "appeal": 0.4 * k - 0.3} for k, name in enumerate(candidates)],
            "sponsors": sponsors,
            "ties": [{"name": "t", "who": ["m3", "m4", "m5"], "candidate": "B", "log_odds": 1.5}],
            "behaviour": {"secrecy": 0.3, "common_sd": 0.4, "region_sd": 1.2, "conviction": 1.8, **behaviour},
        }
    )


@cache
def played(race: Scenario, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the chances of every member as played, averaged over what runs draw, and their standard errors."""
    plan = race.with_behaviour(absent=0.0, cross_pressure_absence=0.0).plan
    parts = []
    for block in range(blocks):
        odds = plans.member_odds(plan, plans.draw(plan, 11, block)).astype(float)
        if plan.pairwise:
            first = 1.0 / (1.0 + odds)
            parts.append(np.stack([first, 1.0 - first]))
        else:
            weights = np.exp(odds - odds.max(axis=0))
            parts.append(weights / weights.sum(axis=0))
    chances = np.concatenate(parts, axis=-1)
    return chances.mean(axis=-1), chances.std(axis=-1) / np.sqrt(chances.shape[-1])


def worst(race: Scenario, plan: Plan, blocks: int) -> float:
    """Return by how many standard errors the chances of a plan miss those played, at worst."""
    found, (mean, error) = first_round_chances(plan)[..., 0], played(race, blocks)
    free = (plan.pins < 0) & ~np.isin(plan.members, AWAY)
    return float((np.abs(found - mean) / np.maximum(error, 1e-12))[:, free].max())


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_the_chances_are_those_of_members_as_played(names: str, measured: bool) -> None:
    race = election(names, measured)
    assert worst(race, race.plan, 20) < 4.5
    chances = first_round_chances(race.plan)
    assert np.abs(chances.sum(axis=0) - 1.0).max() < 1e-12
    assert chances[:, :2, 0].T.tolist() == np.eye(len(names))[:2].tolist()


WRONG = {
    "pressure in public": {"behaviour.secrecy": 0.0},
    "no regional shock": {"behaviour.region_sd": 0.0},
    "campaigns all average": {"sponsors.S.spread": 0.0},
    "no tie": {"ties.t.log_odds": 0.0},
}


@pytest.mark.parametrize("law", WRONG)
@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_another_law_gives_other_chances(names: str, law: str) -> None:
    race = election(names)
    assert worst(race, race.plan.at(WRONG[law]), 20) > 6


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_flattening_that_is_not_undone_is_seen(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    race = election(names)
    played(race, 20)
    monkeypatch.setattr(laws, "FLATTENING", 0.0)
    assert worst(race, race.plan.at({}), 20) > 6


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_polynomials_of_pulls_give_what_every_pull_gives(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, dice = election(names, measured=True).plan, np.random.default_rng(3)
    paths = (*plan.strengths, *plan.spreads, "behaviour.conviction", "behaviour.region_sd")
    plan = plan.at({path: plan.values[path] * np.exp(dice.normal(0.0, 0.7, 25)) for path in paths})
    assert plan.classes.first.size == 30
    few = class_chances(plan)
    monkeypatch.setattr(first_round, "PULLS", (30,))
    every = class_chances(plan)
    assert 0 < np.abs(few - every).max() < 3e-5
    monkeypatch.setattr(first_round, "PULLS", (3, 96))
    monkeypatch.setattr(first_round, "NEARNESS", 0.0)
    assert np.abs(class_chances(plan) - every).max() > 1e-3


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_columns_are_worked_out_alone_or_together_bit_for_bit(names: str, measured: bool) -> None:
    plan, dice = election(names, measured).plan, np.random.default_rng(1)
    values = {
        path: plan.values[path] * np.exp(dice.normal(0.0, 0.6, 40))
        for path in (*plan.strengths, *plan.spreads, "behaviour.conviction", "sponsors.S.exposure.a")
    }
    together = first_round_chances(plan.at(values))
    for column in (0, 17, 39):
        alone = first_round_chances(plan.at({path: value[[column]] for path, value in values.items()}))
        assert np.array_equal(alone[..., 0], together[..., column])


@pytest.mark.parametrize("stray", [0.0, 0.3])
@pytest.mark.parametrize("names", ["AB", "ABC", "ABCD"])
def test_weighted_by_who_comes_they_are_the_mean_share(names: str, stray: float) -> None:
    """Of elections balanced at a share: the papers expected for a candidate over those expected for all candidates."""
    race = election(names, absent=0.2, stray=stray).balanced({"B": 0.37})
    plan = race.plan
    papers = ((1.0 - plan.absent) * (1.0 - plan.abstain) * (1.0 - plan.stray))[:, 0]
    votes = (papers * first_round_chances(plan)[..., 0]).sum(axis=1)
    assert votes[1] / votes.sum() == pytest.approx(0.37, abs=2e-4)


@pytest.mark.parametrize("name", ["geneva-2023", "iom-2018"])
def test_members_of_a_class_have_the_same_chance_and_order_does_not_matter(name: str) -> None:
    plan = iom.load(name).plan
    by_class, chances = class_chances(plan), first_round_chances(plan)
    free = plan.pins < 0
    assert np.array_equal(chances[:, free], by_class[:, plan.classes.of_member[free]])


def test_certain_members_have_chances_and_no_more_than_one() -> None:
    plan = election().plan
    for log_odds in (40.0, -40.0, 400.0):
        chances = first_round_chances(plan.at({"ties.t.log_odds": log_odds}))
        assert ((chances >= 0) & (chances <= 1)).all()
        assert chances[1, 3, 0] == pytest.approx(float(log_odds > 0), abs=1e-4)


def test_without_sponsors_without_noise_it_is_the_logit() -> None:
    race = election(conviction=0.0, common_sd=0.0, region_sd=0.0)
    plan = replace(race.plan, sponsors=(), backs=race.plan.backs[:0], strengths=(), spreads=(), exposures=())
    first = first_round_chances(plan)[0, [10, 3], 0]
    assert first.tolist() == pytest.approx([1 / (1 + np.exp(0.4)), 1 / (1 + np.exp(1.9))], abs=1e-4)


def test_mean_votes_are_those_of_rounds_as_played() -> None:
    """Members stay away, hand in blank papers, vote for nobody who stands, or are pinned."""
    plan = election(absent=0.1, abstain=0.05, stray=0.1, common_sd=0.4).plan
    out = simulate(plan, {}, 8192, seed=1)
    first = out.votes[np.cumsum(np.append(0, out.rounds[:-1]))]
    error = first.std(axis=0) / np.sqrt(len(first))
    assert np.abs(first.mean(axis=0) - first_round_votes(plan)[:, 0]).max() < 4 * error.max()
    assert (
        np.abs(first.mean(axis=0) - first_round_votes(plan.at({"behaviour.absent": 0.0}))[:, 0]).max() > 8 * error.max()
    )
