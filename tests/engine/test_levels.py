"""Appeals that give a level: any election, any number of columns, against sums over many sampled elections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, ndtri
from scipy.stats import qmc
from toys import PRESENT, STILL, classes, toy

import iomsim as iom
from iomsim.engine.balance import solve_levels
from iomsim.model.scenario import Scenario, build

NEAR = 0.001


def scenario(seed: int) -> Scenario:
    """Return a small election of 2 to 5 candidates and up to 4 sponsors, as it comes."""
    dice = np.random.default_rng(seed)
    k, sponsors, size = int(dice.integers(2, 6)), int(dice.integers(0, 5)), int(dice.integers(10, 40))
    names, order = "ABCDE"[:k], [f"M{i}" for i in dice.permutation(size)]
    spreads = ("common_sd", "region_sd", "conviction")
    behaviour = {
        "secrecy": dice.uniform(0, 0.8),
        "common_sd": dice.uniform(0, 1.5),
        "region_sd": dice.uniform(0, 1.5),
        "conviction": dice.uniform(0, 4),
        "absent": dice.uniform(0, 0.4),
        "cross_pressure_absence": dice.uniform(0, 0.3),
        "abstain": dice.uniform(0, 0.3),
        **(dict.fromkeys(spreads, 0.0) if dice.random() < 0.2 else {}),
    }
    pinned = {"A": order[: dice.integers(0, 3)], "B": order[4 : 4 + dice.integers(0, 2)]}
    electorate: dict[str, Any] = {
        "table": [
            {
                "name": f"M{i}",
                "g": f"g{dice.integers(3)}",
                "a": bool(dice.random() < 0.5),
                "b": bool(dice.random() < 0.3),
            }
            for i in range(size)
        ],
        "group": "g",
        "pinned": {name: who for name, who in pinned.items() if who},
        "without_vote": order[6 : 6 + dice.integers(0, 5)],
        "barred": {"A": order[3:9], "B": order[10 : 10 + dice.integers(0, 2)]} if dice.random() < 0.4 else {},
    }
    phases = [{"ballots": 1, "barred": bool(dice.random() < 0.5)}, {}]
    return build(
        {
            "title": "as it comes",
            "electorate": electorate,
            "candidates": [{"name": name, "appeal": dice.normal(0, 0.7)} for name in names],
            "sponsors": [
                {
                    "name": f"S{s}",
                    "backs": names[dice.integers(k)],
                    "strength": dice.gamma(1.5, 0.7),
                    "spread": dice.uniform(0, 1.5),
                    "exposure": {"a": dice.uniform(0.2, 2), "b": dice.uniform(0, 2), "not a": 0.3 * dice.integers(2)},
                }
                for s in range(sponsors)
            ],
            "ties": [
                {
                    "name": f"t{t}",
                    "who": dice.choice(order, 3, replace=False).tolist(),
                    "candidate": names[dice.integers(k)],
                    "log_odds": dice.normal(0, 2),
                }
                for t in range(dice.integers(0, 4))
            ],
            "behaviour": behaviour,
            "rules": {"name": "two phases", "phases": phases},
        }
    )


@cache
def normals(columns: int, power: int) -> np.ndarray:
    drawn = ndtri(qmc.Sobol(columns, scramble=True, seed=1).random(2**power)) if columns else np.zeros((1, 0))
    return np.concatenate([drawn, -drawn])


def sampled(race: Scenario, added: np.ndarray, power: int = 13) -> np.ndarray:
    """Return the mean shares by playing what a run draws once, many times over, and adding up member by member."""
    b = {name: getattr(race.behaviour, name).value for name in type(race.behaviour).model_fields}
    k, s = len(race.names), len(race.sponsors)
    z = normals(s + k, power)
    c = np.sqrt(1 + 0.346 * b["conviction"] ** 2)
    hidden = np.sqrt((c * b["common_sd"]) ** 2 + (c * b["region_sd"]) ** 2 + b["conviction"] ** 2) / np.sqrt(2)
    exposure, ties, pins = race.exposure, race.tie_table, race.pins
    barred = race.barred.any(axis=0) & race.rules.phases[0].barred
    papers, chance = np.zeros(k), {}
    for i in range(len(race.members)):
        if not race.votes[i] or barred[i]:
            continue
        if pins[i] >= 0:
            papers[pins[i]] += 1
            continue
        there = 1 - b["absent"] - b["cross_pressure_absence"] * (exposure[:, i].min() if s else 0)
        alike = (*exposure[:, i], *ties[:, i])
        if alike not in chance:
            v = np.tile(ties[:, i] + added + [person.appeal.value for person in race.candidates], (len(z), 1))
            for j, sponsor in enumerate(race.sponsors):
                spread = sponsor.spread.value
                effect = np.exp(spread * z[:, j] - spread**2 / 2)
                push = (1 - b["secrecy"]) * sponsor.strength.value * exposure[j, i]
                v[:, race.names.index(sponsor.backs)] += push * effect
            v = c * v + hidden * z[:, s:]
            weights = np.exp(v - v.max(axis=1, keepdims=True))
            chance[alike] = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
        papers += max(there, 0) * (1 - b["abstain"]) * chance[alike]
    return papers / papers.sum()


def asked_of(race: Scenario, seed: int) -> dict[int, float]:
    """Return shares that can be reached, for some of the candidates."""
    dice = np.random.default_rng(seed + 10_000)
    k = len(race.names)
    reached = sampled(race, dice.normal(0, 1.2, k), power=8)
    return {int(who): float(reached[who]) for who in dice.choice(k, dice.integers(1, k), replace=False)}


def miss(race: Scenario, added: np.ndarray, asked: Mapping[int, float]) -> float:
    """Return by how much the shares differ from those asked for, at most."""
    shares = sampled(race, added)
    return max(abs(shares[who] - share) for who, share in asked.items())


@pytest.mark.parametrize("first", [0, *(pytest.param(x, marks=pytest.mark.slow) for x in range(8, 200, 8))])
def test_the_level_is_met_in_any_election(first: int) -> None:
    for seed in range(first, first + 8):
        race = scenario(seed)
        asked = asked_of(race, seed)
        added = solve_levels(race.plan, asked)[:, 0]
        assert miss(race, added, asked) < NEAR
        assert not added[[k for k in range(len(race.names)) if k not in asked]].any()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_three_in_a_thousand_off_is_seen(seed: int) -> None:
    race = scenario(seed)
    asked = asked_of(race, seed)
    who = next(iter(asked))
    beside = solve_levels(race.plan, {**asked, who: asked[who] + 0.003 * (1 if asked[who] < 0.5 else -1)})
    assert miss(race, beside[:, 0], asked) > NEAR


WRONG = {
    "campaigns are all average": lambda plan: plan.at(dict.fromkeys(plan.spreads, 0.0)),
    "no regional shock": lambda plan: plan.at({"behaviour.region_sd": 0.0}),
    "no hidden conviction": lambda plan: plan.at({"behaviour.conviction": 0.0}),
    "all attend alike": lambda plan: plan.at({"behaviour.cross_pressure_absence": 0.0}),
    "pinned members are absent too": lambda plan: replace(plan, votes=plan.votes & (plan.pins < 0)),
    "those without a vote have one": lambda plan: replace(plan, votes=np.ones_like(plan.votes)),
    "nobody is barred": lambda plan: replace(plan, barred=np.zeros_like(plan.barred)),
}


@pytest.mark.parametrize("law", WRONG)
def test_another_law_is_seen(law: str) -> None:
    """Somewhere among a few elections, the levels that a wrong law gives are not met."""
    worst = 0.0
    for seed in (8, 9, 0):
        race = scenario(seed)
        asked = asked_of(race, seed)
        worst = max(worst, miss(race, solve_levels(WRONG[law](race.plan), asked)[:, 0], asked))
        if worst > 2 * NEAR:
            return
    raise AssertionError(f"the worst miss is {worst:.4f}")


# -- columns ---------------------------------------------------------------------------------------


def drawn(race: Scenario, count: int, seed: int = 5) -> dict[str, np.ndarray]:
    """Return values of all parameters that the first round depends on, spread widely around the stated."""
    dice = np.random.default_rng(seed)
    parts = (
        "sponsors",
        "ties",
        "behaviour.secrecy",
        "behaviour.co",
        "behaviour.region",
        "behaviour.a",
        "behaviour.cross",
    )
    keep = ("behaviour.concede",)
    values = race.plan.values
    chosen = [path for path in values if path.startswith(parts) and not path.startswith(keep)]
    numbers = {path: values[path] * np.exp(dice.normal(0, 0.5, count)) for path in chosen}
    return numbers | {"behaviour.secrecy": dice.uniform(0, 0.9, count), "behaviour.absent": dice.uniform(0, 0.5, count)}


ELECTIONS = {
    "two": lambda: iom.load("geneva-2023"),
    "three": lambda: iom.load("iom-2018"),
    "two, all alike": lambda: iom.load("minimal"),
    "two, no sponsors": lambda: toy(12),
    "nine, all alike": lambda: toy(12, names="ABCDEFGHI"),
    "as it comes": lambda: scenario(14),
}


@pytest.mark.parametrize("name", ELECTIONS)
def test_a_column_has_the_same_bits_alone_and_among_others(name: str) -> None:
    race = ELECTIONS[name]()
    values, k = drawn(race, 24), len(race.names)
    goals = {who: np.random.default_rng(1).uniform(0.5 / k, 1.1 / k, 24) for who in range(1, k)}
    base = race.plan

    def solved(columns: Any) -> np.ndarray:
        part = {path: value[columns] for path, value in values.items()}
        return solve_levels(base.at(part), {who: goal[columns] for who, goal in goals.items()})

    together = solved(slice(None))
    assert together.shape == (k, 24)
    assert np.array_equal(solved(slice(0, 11)), together[:, :11])
    assert np.array_equal(solved(slice(None, None, -1)), together[:, ::-1])
    for column in (0, 7, 23):
        assert np.array_equal(solved([column]), together[:, [column]])
        numbers = {path: float(value[column]) for path, value in values.items()}
        alone = solve_levels(base.at(numbers), {who: float(goal[column]) for who, goal in goals.items()})
        assert np.array_equal(alone[:, 0], together[:, column])


@pytest.mark.parametrize("name", ["three", "as it comes"])
def test_every_column_is_met(name: str) -> None:
    race = ELECTIONS[name]()
    values, asked = drawn(race, 40), {1: np.linspace(0.25, 0.6, 40)}
    added = solve_levels(race.plan.at(values), asked)
    for column in (0, 13, 39):
        one = race.with_parameters({path: float(value[column]) for path, value in values.items()})
        assert miss(one, added[:, column], {1: float(asked[1][column])}) < NEAR


def test_a_target_alone_may_have_columns() -> None:
    plan = toy(12, behaviour=STILL).plan
    added = solve_levels(plan, {0: np.array([0.3, 0.5])})
    assert added[0] == pytest.approx(np.log([0.3 / 0.7, 1.0]), abs=3e-4)


# -- what is known ---------------------------------------------------------------------------------


@pytest.mark.parametrize("conviction", [0.5, 1.8, 4.0])
def test_more_than_two_agree_with_the_law_of_two(conviction: float) -> None:
    """A third candidate of whom nobody thinks changes nothing, though another integral is added up."""
    known = PRESENT | {"conviction": conviction}
    campaign = [{"name": "W", "backs": "A", "strength": 1.5, "spread": 0.9}]
    ties = [{"name": "t", "who": ["M1", "M2", "M3"], "candidate": "B", "log_odds": 1.5}]
    two, three = (toy(9, names=names, behaviour=known, sponsors=campaign, ties=ties) for names in ("AB", "ABC"))
    far = three.plan.at({"candidates.C.appeal": -30.0})
    assert solve_levels(far, {0: 0.4})[0] == pytest.approx(solve_levels(two.plan, {0: 0.4})[0], abs=1e-3)


@pytest.mark.parametrize(("apart", "where"), [(5, -5), (20, -20), (60, -60)])
def test_camps_that_are_far_apart(apart: float, where: float) -> None:
    """Of two halves tied to different candidates, half of one half is a quarter."""
    race = classes((6, 6), (apart, -apart), behaviour=STILL)
    assert solve_levels(race.plan, {0: 0.25})[0, 0] == pytest.approx(where, abs=1e-2)


@pytest.mark.parametrize("share", [0.0005, 0.9995])
def test_shares_near_the_edge(share: float) -> None:
    race = toy(9, behaviour=PRESENT)
    lean = solve_levels(race.plan, {0: share})[0, 0]
    known, z = race.behaviour, np.linspace(-8, 8, 4001)
    c = np.sqrt(1 + 0.346 * known.conviction.value**2)
    sd = np.sqrt(c**2 * (known.common_sd.value**2 + known.region_sd.value**2) + known.conviction.value**2)
    law = np.exp(-z * z / 2)
    assert float(expit(c * lean + sd * z) @ law / law.sum()) == pytest.approx(share, abs=2e-5)


def test_of_eight_all_but_one_may_be_named() -> None:
    race = toy(9, names="ABCDEFGH", behaviour=PRESENT)
    added = solve_levels(race.plan, dict.fromkeys(range(7), 0.125))
    assert added[:, 0] == pytest.approx(0, abs=1e-3)


def test_all_may_be_named_if_the_shares_add_up() -> None:
    plan = toy(9, behaviour=STILL).plan
    assert solve_levels(plan, {0: 0.4, 1: 0.6})[:, 0] == pytest.approx([np.log(0.4 / 0.6), 0], abs=3e-4)
    with pytest.raises(
        iom.ScenarioError, match=r"the shares of all candidates must add up to 1, got 0\.9; leave one out"
    ):
        solve_levels(plan, {0: 0.4, 1: 0.5})


def test_who_is_barred_depends_on_the_reading() -> None:
    """M1 and M2, tied to A, do not vote while A stands under the second reading."""
    ties = [{"name": "t", "who": ["M1", "M2"], "candidate": "A", "log_odds": 3}]
    electorate = {"size": 6, "barred": {"A": ["M1", "M2"]}}
    race = toy(electorate=electorate, ties=ties, behaviour=STILL)
    barring = race.with_rules(phases=[{"barred": True}])
    both = replace(race.plan, readings=(race.rules, barring.rules), values={**race.plan.values, "readings": 0.0})
    added = solve_levels(both.at({"readings": np.array([0.0, 1.0])}), {0: 0.6})[0]
    share = [(2 * expit(added[0] + 3) + 4 * expit(added[0])) / 6, expit(added[1])]
    assert share == pytest.approx([0.6, 0.6], abs=1e-4)
    assert solve_levels(barring.plan, {0: 0.6})[0, 0] == added[1]


def test_what_is_out_of_reach_is_told_with_its_draw() -> None:
    plan = toy(electorate={"size": 10, "pinned": {"A": ["M1", "M2"]}}, behaviour=STILL).plan
    with pytest.raises(
        iom.ScenarioError, match=r"^no appeal gives A a mean share of 0\.15 \(draw 1\); too many members"
    ):
        solve_levels(plan, {0: np.array([0.5, 0.15])})
    with pytest.raises(
        iom.ScenarioError, match=r"^no appeal gives B a mean share of 0\.85; too many members are pinned"
    ):
        solve_levels(plan, {1: 0.85})
    nobody = toy(4, behaviour={"absent": 1.0}).plan
    with pytest.raises(iom.ScenarioError, match=r"no appeal gives A a mean share of 0\.5"):
        solve_levels(nobody, {0: 0.5})
