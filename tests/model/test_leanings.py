"""Whom members lean to: against first rounds as they are played, by hand, and where there is little to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from toys import ALPHA, toy

import iomsim as iom
from iomsim.engine.plan import Plan, draw, member_odds
from iomsim.engine.rng import BLOCK
from iomsim.model.assumptions import draw_assumptions
from iomsim.model.leanings import leanings, mean_votes
from iomsim.model.scenario import Scenario, build


def small(names: str = "AB", **parts: Any) -> Scenario:
    """Return an election of twelve, with everything that moves them."""
    table = [{"name": f"m{i}", "g": f"g{i % 3}", "a": i % 2 == 0, "x": 0.5 * i} for i in range(12)]
    west = {"name": "W", "backs": "A", "strength": {"value": 0.8, "low": 0.4, "high": 1.6}}
    east = {"name": "E", "backs": "B", "strength": {"value": 0.5, "low": 0.3, "high": 0.9}}
    whole = {
        "title": "twelve",
        "electorate": {"table": table, "group": "g", "pinned": {"A": ["m0"]}, "without_vote": ["m11"]},
        "candidates": [{"name": name, "appeal": 0.2 * k} for k, name in enumerate(names)],
        "sponsors": [west | {"exposure": {"a": 1.0, "not a": 0.2}}, east | {"exposure": {"x": 1.0, "a": 0.1}}],
        "ties": [{"name": "bloc", "who": ["m2", "m3"], "candidate": "B", "log_odds": 1.2}],
    }
    return build(whole | parts)


def known(race: Scenario) -> Scenario:
    """Return an election with a whip count and a poll."""
    heard = pd.DataFrame(
        {"member": ["m3", "m4", "m5"], "candidate": ["A", "B", "A"], "kind": ["oral", "signed", "oral"]}
    )
    names = list(race.names)
    asked = pd.DataFrame({"member": ["m5", "m6"], names[0]: [0.7, 0.2]} | {name: [0.3, 0.8] for name in names[1:2]})
    asked = asked.assign(**dict.fromkeys(names[2:], 0.0))
    return race.with_pledges(heard).with_polling(asked, trust=0.6)


# -- against first rounds as they are played ----------------------------------------------------------


PRESENT = {"behaviour.absent": 0.0, "behaviour.cross_pressure_absence": 0.0}


def votes(plan: Plan, seed: int, block: int) -> np.ndarray:
    """Return whom each member votes for in a block of runs, shape (N, runs)."""
    odds = member_odds(plan, draw(plan, seed, block)).astype(float)
    u = np.random.default_rng([seed, block]).random(odds.shape[-2:])
    if plan.pairwise:
        return (u >= 1.0 / (1.0 + odds)).astype(int)
    weights = np.exp(odds - odds.max(axis=0))
    return np.asarray((u >= np.cumsum(weights / weights.sum(axis=0), axis=0)[:-1]).sum(axis=0))


def misses(race: Scenario, found: pd.DataFrame, blocks: int, draws: int = 0) -> np.ndarray:
    """Return by how many standard errors each free member's votes miss its chance to vote for the first candidate."""
    plan = race.plan
    if draws:
        plan = draw_assumptions(race, 3, draws).plan(race).of(np.arange(BLOCK) % draws)
    plan, runs = plan.at(PRESENT), blocks * BLOCK
    first = sum((votes(plan, 5, block) == 0).sum(axis=1) for block in range(blocks))
    free = (found["vote"] == "free").to_numpy()
    p = found[race.names[0]].to_numpy()[free]
    return np.asarray((first[free] / runs - p) / np.sqrt(p * (1 - p) / runs))


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_chances_are_those_of_first_rounds_as_they_are_played(names: str) -> None:
    race = known(small(names))
    found = misses(race, race.leanings("fixed"), blocks=8)
    assert np.abs(found).max() < 4
    assert stats.chi2.sf(np.square(found).sum(), found.size) > ALPHA


@pytest.mark.parametrize(
    ("changed", "law"),
    [
        ({"behaviour.secrecy": 0.0}, "pressure in public"),
        ({"behaviour.region_sd": 2.5}, "another regional shock"),
        ({"sponsors.E.exposure.a": 3.0}, "other exposures"),
        ({"ledger.discounts.oral": 0.0}, "no pledges"),
    ],
)
def test_chances_under_another_law_are_seen(changed: dict[str, float], law: str) -> None:
    race = known(small())
    found = misses(race, race.with_parameters(changed).leanings("fixed"), blocks=8)
    assert stats.chi2.sf(np.square(found).sum(), found.size) < 1e-12, law


def test_flattening_that_is_not_undone_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    race = small()
    with monkeypatch.context() as patch:
        patch.setattr(iom.engine.laws, "FLATTENING", 0.0)
        wrong = leanings(race, None)
    found = misses(race, wrong, blocks=8)
    assert stats.chi2.sf(np.square(found).sum(), found.size) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("name", ["geneva-2023", "iom-2018"])
def test_every_member_of_a_shipped_election_votes_by_its_chance(name: str) -> None:
    """Over many runs, on the best guesses: each member within its error, and all together."""
    race = iom.load(name)
    found = misses(race, race.leanings("fixed"), blocks=150)
    assert np.abs(found).max() < 4.5
    assert 0.8 < found.std() < 1.2


@pytest.mark.slow
def test_over_the_assumptions_too() -> None:
    race = iom.load("geneva-2023")
    found = misses(race, leanings(race, draw_assumptions(race, 3, 64)), blocks=100, draws=64)
    assert np.abs(found).max() < 4.5
    assert 0.8 < found.std() < 1.2


def test_their_mean_is_the_level() -> None:
    race = iom.load("geneva-2023").balanced(0.55)
    found, plan = race.leanings("fixed"), race.plan
    papers = found["present"] * (1.0 - plan.abstain[:, 0])
    assert float((papers * found["Pope"]).sum() / papers.sum()) == pytest.approx(0.55, abs=3e-4)


# -- what it comes from ------------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["AB", "ABC"])
@pytest.mark.parametrize("more", [False, True])
def test_the_parts_add_up_to_the_lean_on_the_best_guesses(names: str, more: bool) -> None:
    race = known(small(names)) if more else small(names)
    found, plan = race.leanings(8, seed=1), race.plan
    still = replace(draw(plan, 1, 0, 1), campaign=np.full((2, 1), 0.2), appeal=np.zeros((len(names), 1)))
    still = replace(still, campaign=plan.spread / 2)  # campaigns of average effect
    still = replace(still, region=np.zeros_like(still.region))
    leans = iom.engine.plan.leans(plan, still)[..., 0]
    free = (found["vote"] == "free").to_numpy()
    words = ("appeal of {}", "ties to {}", "pledges to {}", "polling of {}")
    if names == "AB":
        parts = ["appeal", "pull of W", "pull of E", "ties", *["pledges", "polling"] * more]
        assert found["log_odds"][free].to_numpy() == pytest.approx((leans[0] - leans[1])[free], abs=1e-5)
        assert found[parts].sum(axis=1)[free].to_numpy() == pytest.approx(found["log_odds"][free].to_numpy())
        assert found["net_pull"][free].to_numpy() == pytest.approx((found["pull of W"] + found["pull of E"])[free])
        assert found.loc["m2", "ties"] == pytest.approx(-1.2)
        return
    for k, name in enumerate(names):
        parts = [word.format(name) for word in words[: 4 if more else 2]]
        total = found[parts].sum(axis=1) + (found["pull of W"] if name == "A" else 0) * 1.0
        total = total + (found["pull of E"] if name == "B" else 0) * 1.0
        assert total[free].to_numpy() == pytest.approx(leans[k][free], abs=1e-5)
        assert found[f"log_odds of {name}"][free].to_numpy() == pytest.approx(leans[k][free], abs=1e-5)


def test_a_sponsor_pulls_towards_whom_it_backs_and_in_secret() -> None:
    race = small()
    found, exposure = race.leanings("fixed"), race.exposure
    secret = 1 - race.behaviour.secrecy.value
    assert found.loc["m2", "pull of W"] == pytest.approx(secret * 0.8 * exposure[0, 2])
    assert found.loc["m2", "pull of E"] == pytest.approx(-secret * 0.5 * exposure[1, 2])
    assert race.with_behaviour(secrecy=1.0).leanings("fixed").loc["m2", "net_pull"] == 0.0


# -- ranges, and what is settled -----------------------------------------------------------------------


def test_the_range_is_that_of_the_chances_under_each_draw() -> None:
    race, count = small(), 15
    found = race.leanings(count, seed=4)
    draws = draw_assumptions(race, 4, count)
    each = [leanings_of_draw(race, draws.parameters, c) for c in range(count)]
    chances = np.array([one["A"].to_numpy() for one in each])
    free = (found["vote"] == "free").to_numpy()
    assert found["A"][free].to_numpy() == pytest.approx(chances.mean(axis=0)[free], abs=1e-9)
    for end, q in (("low", 0.1), ("high", 0.9)):
        assert found[f"A_{end}"][free].to_numpy() == pytest.approx(np.quantile(chances, q, axis=0)[free], abs=1e-9)
    pulls = np.array([one["net_pull"].to_numpy() for one in each])[:, free]
    agreed = np.maximum((pulls > 0).mean(axis=0), (pulls < 0).mean(axis=0))
    assert found["agreed"][free].to_numpy() == pytest.approx(agreed)


def leanings_of_draw(race: Scenario, parameters: Any, column: int) -> pd.DataFrame:
    """Return the leanings of an election whose best guesses are one of the draws."""
    changed = race.with_parameters({path: float(values[column]) for path, values in parameters.items()})
    return changed.leanings("fixed")


def test_fixed_assumptions_have_no_range() -> None:
    found = small().leanings("fixed")
    assert found[["A_low", "B_high", "agreed"]].isna().all().all()
    assert found.loc["m2", "leans_to"] == ("A" if found.loc["m2", "A"] > 0.5 else "B")
    assert found.loc["m2", "pull_towards"] == ("A" if found.loc["m2", "net_pull"] > 0 else "B")


@pytest.mark.parametrize(
    ("high", "towards"), [(0.55, "A"), (3.0, "unsettled")], ids=["the stronger is known", "it may be either"]
)
def test_whether_the_sign_of_the_pull_is_settled(high: float, towards: str) -> None:
    """Of two sponsors that reach everybody alike, the one pulls with 1; the other with 0.5, known or not."""
    sponsors = [
        {"name": "W", "backs": "A", "strength": {"value": 1.0, "low": 1.0, "high": 1.0}},
        {"name": "E", "backs": "B", "strength": {"value": 0.5, "low": 0.45, "high": high}},
    ]
    found = toy(4, sponsors=sponsors).leanings(500, seed=1)
    assert found["pull_towards"].tolist() == [towards] * 4
    z = 1.2816 * np.log(1.0 / 0.5) / np.log(high / 0.5)  # where the second pulls with 1 too
    assert found["agreed"].iloc[0] == pytest.approx(stats.norm.cdf(z), abs=0.04)


def test_whom_a_member_leans_to_is_settled_where_the_range_is_on_one_side() -> None:
    found = iom.load("geneva-2023").leanings(100, seed=2)
    free = found[found["vote"] == "free"]
    assert (free["leans_to"].eq("Pope") == (free["Pope_low"] > 0.5)).all()
    assert (free["leans_to"].eq("Vitorino") == (free["Pope_high"] < 0.5)).all()
    assert set(found["leans_to"].unique()) == {"Pope", "Vitorino", "unsettled"}


def test_of_three_the_one_that_is_ahead_in_nine_of_ten_draws() -> None:
    race = small("ABC", ties=[{"name": "t", "who": ["m2"], "candidate": "C", "log_odds": 9.0}])
    found = race.leanings(50, seed=2)
    assert found.loc["m2", "leans_to"] == "C"
    assert found.loc["m2", "C_low"] > 0.9
    assert found["leans_to"].eq("unsettled").sum() > 5


# -- those who do not choose, and elections with little in them ----------------------------------------


def test_pinned_members_and_those_without_a_vote() -> None:
    found = small().leanings(20, seed=1)
    pinned, away = found.loc["m0"], found.loc["m11"]
    assert (pinned["vote"], pinned["A"], pinned["A_low"], pinned["present"], pinned["leans_to"]) == (
        "pinned",
        1,
        1,
        1,
        "A",
    )
    assert (away["vote"], away["present"]) == ("none", 0)
    nothing = ["A", "B", "A_low", "B_high", "leans_to", "log_odds", "net_pull", "pull_towards", "agreed"]
    assert away[nothing].isna().all()
    assert pinned[nothing[5:]].isna().all()


def test_who_is_barred_from_the_first_ballot_has_no_chances() -> None:
    rules = {"name": "bars", "phases": [{"barred": True}]}
    race = small(electorate={"size": 5, "barred": {"A": ["M2"]}}, sponsors=[], ties=[], rules=rules)
    found = race.leanings("fixed")
    assert found["vote"].tolist() == ["free", "barred", "free", "free", "free"]
    assert np.isnan(found.loc["M2", "A"])


def test_nobody_pulls() -> None:
    found = toy(3, appeal=0.5).leanings(50, seed=1)
    assert (found["net_pull"] == 0).all()
    assert found["pull_towards"].isna().all()
    assert found["agreed"].isna().all()
    assert not [name for name in found if name.startswith("pull of")]


def test_one_pulls() -> None:
    found = toy(3, sponsors=[{"name": "W", "backs": "B", "strength": 0.5}]).leanings(50, seed=1)
    assert (found["net_pull"] < 0).all()
    assert found["pull_towards"].tolist() == ["B"] * 3
    assert found["agreed"].tolist() == [1.0] * 3


def test_the_same_seed_gives_the_same_and_columns_have_their_kinds() -> None:
    race = iom.load("geneva-2023")
    one, again, other = (race.leanings(20, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert one.attrs["seed"] == 1
    assert not np.array_equal(one["Pope"], other["Pope"])
    kinds = {"id": "str", "group": "str", "vote": "category", "leans_to": "category", "pull_towards": "category"}
    for name in one:
        wanted = kinds.get(name, "float64")
        assert str(one[name].dtype) == wanted or wanted == "str"
    assert one.index.name == "member"
    fresh = race.leanings(5)
    pd.testing.assert_frame_equal(fresh, race.leanings(5, seed=fresh.attrs["seed"]))


@pytest.mark.parametrize(("given", "message"), [("guess", "or 'fixed'"), (0, "at least 1"), (10**6, "at most")])
def test_what_is_no_number_of_draws_is_refused(given: Any, message: str) -> None:
    with pytest.raises(iom.IomsimError, match=message):
        small().leanings(given)
    with pytest.raises(iom.IomsimError, match="seed must be"):
        small().leanings(5, seed=-1)


@pytest.mark.parametrize("name", ["leans_to", "Group", "appeal"])
def test_no_candidate_is_called_like_a_column(name: str) -> None:
    with pytest.raises(iom.ScenarioError, match=name):
        toy(3, names=(name, "B"))  # type: ignore[arg-type]


def test_a_phase_that_bars_nobody_lets_them_all_vote() -> None:
    rules = {"name": "bars later", "phases": [{"ballots": 1}, {"barred": True}]}
    race = small(electorate={"size": 5, "barred": {"A": ["M2"]}}, sponsors=[], ties=[], rules=rules)
    assert race.leanings("fixed")["vote"].tolist() == ["free"] * 5


def test_the_chance_to_be_there_is_the_mean_over_the_draws() -> None:
    behaviour = {"absent": {"value": 0.1, "low": 0.05, "high": 0.5}}
    race = small(behaviour=behaviour)
    present = race.leanings(200, seed=4)["present"].to_numpy()
    drawn = draw_assumptions(race, 4, 200).plan(race)
    assert present == pytest.approx(1.0 - drawn.absent.mean(axis=1))
    assert np.abs(present - race.leanings("fixed")["present"].to_numpy())[1:-1].min() > 0.03  # which is another one


@pytest.mark.parametrize("trust", [0.25, 1.0])
def test_a_poll_takes_from_the_pulls_what_it_is_trusted(trust: float) -> None:
    race = small()
    before, after = (
        r.leanings("fixed") for r in (race, race.with_polling(pd.Series({"m5": 0.7}, name="A"), trust=trust))
    )
    for column in ("pull of W", "pull of E", "net_pull", "appeal"):
        left = np.where(before.index == "m5", 1.0 - trust, 1.0)
        assert after[column].to_numpy() == pytest.approx(before[column].to_numpy() * left, nan_ok=True)


def test_votes_are_not_told_where_some_go_over_before_the_count() -> None:
    race = iom.load("geneva-2023")
    assert mean_votes(race, "level.Pope", [0.5]) is not None
    assert mean_votes(race.swing(20, "African", to="Pope"), "level.Pope", [0.5]) is None
