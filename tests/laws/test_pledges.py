"""Whip counts are calibrated, and polled chances are met, in elections that the tests play by themselves.

Worlds are drawn here from the equations of the model, member by member; nothing of the engine is used but its answers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import PRESENT, toy

import iomsim as iom
from iomsim.engine.first_round import first_round_chances
from iomsim.engine.simulate import simulate
from iomsim.model.assumptions import draw_assumptions
from iomsim.model.scenario import Scenario
from iomsim.typing import Floats

MEMBERS = 120
KEPT = 0.8
WORTH = float(np.log(KEPT / (1 - KEPT)))
LEANS = np.random.default_rng(5).normal(0.0, 1.0, MEMBERS).round(2)


STILL = {"conviction": 0, "common_sd": 0, "region_sd": 0}


def world(**behaviour: float) -> Scenario:
    """Return an election whose members lean by known log-odds, in three regions, with a sponsor on either side."""
    table = tuple(
        {"name": f"M{i}", "region": "RST"[i % 3], "east": i % 2, "west": int(i % 5 == 0)} for i in range(MEMBERS)
    )
    ties = [
        {"name": f"tie {i}", "who": [f"M{i}"], "candidate": "A", "log_odds": float(lean)}
        for i, lean in enumerate(LEANS)
    ]
    sponsors = [
        {"name": "East", "backs": "A", "strength": 0.6, "spread": 0.4, "exposure": {"east": 1.0, "all": 0.5}},
        {"name": "West", "backs": "B", "strength": 0.4, "spread": 0.4, "exposure": {"west": 2.0, "all": 0.5}},
    ]
    return toy(
        electorate={"table": table, "group": "region"}, ties=ties, sponsors=sponsors, behaviour=PRESENT | behaviour
    )


def intentions(race: Scenario, runs: int, seed: int) -> np.ndarray:
    """Return who votes for A in the first round, by the equations of the model, shape (N, runs)."""
    rng, b = np.random.default_rng(seed), race.behaviour
    lean = LEANS[:, None] + np.zeros((MEMBERS, runs))
    for sign, sponsor, exposure in zip((1, -1), race.sponsors, race.exposure, strict=True):
        spread = sponsor.spread.value
        effect = np.exp(spread * rng.standard_normal(runs) - spread**2 / 2)
        lean += sign * (1 - b.secrecy.value) * sponsor.strength.value * exposure[:, None] * effect
    region = np.arange(MEMBERS) % 3
    lean += b.common_sd.value * rng.standard_normal(runs)
    lean += b.region_sd.value * rng.standard_normal((3, runs))[region]
    c = np.sqrt(1 + 0.346 * b.conviction.value**2)
    v = c * lean + b.conviction.value * rng.standard_normal(lean.shape)
    return np.asarray(rng.random(v.shape) < 1 / (1 + np.exp(-v)))


def told(intends: np.ndarray, seed: int) -> np.ndarray:
    """Return who pledges to A: the part kept of those who mean it, and the rest of it of those who do not."""
    return np.asarray(np.random.default_rng(seed).random(intends.shape) < np.where(intends, KEPT, 1 - KEPT))


def all_pledged(race: Scenario, worth: float) -> Floats:
    """Return every member's chance to vote for A once it has pledged to it."""
    heard = pd.DataFrame({"member": race.electorate.frame["name"], "candidate": "A", "kind": "oral"})
    known = race.with_pledges(heard, discounts={"oral": (worth, worth, worth)})
    return first_round_chances(known.plan)[0, :, 0]


# -- pledges ------------------------------------------------------------------------------------------


def error_of(chance: Floats, intends: np.ndarray, pledged: np.ndarray) -> tuple[float, float]:
    """Return by how much the predicted share of the pledged who come is off, and its standard error over runs."""
    came, predicted = (intends & pledged).sum(axis=0), (chance[:, None] * pledged).sum(axis=0)
    per_run, number = predicted - came, pledged.sum(axis=0).mean()
    return float(per_run.mean() / number), float(per_run.std() / np.sqrt(per_run.size) / number)


def test_the_pledged_who_come_are_as_many_as_predicted() -> None:
    """Where nothing normal flattens the logits, within the error of so many worlds; a naive worth is far off."""
    race = world(**STILL)
    intends = intentions(race, 4000, 1)
    pledged = told(intends, 2)
    off, error = error_of(all_pledged(race, WORTH), intends, pledged)
    assert abs(off) < 0.002 + 4 * error  # of two campaigns that work unevenly
    assert error < 0.001
    for naive in (0.5 * WORTH, 2.0 * WORTH):
        assert abs(error_of(all_pledged(race, naive), intends, pledged)[0]) > 0.05


def test_it_holds_among_the_likely_and_the_unlikely() -> None:
    race = world(**STILL)
    intends = intentions(race, 4000, 3)
    pledged = told(intends, 4)
    chance, keep = all_pledged(race, WORTH), np.full(MEMBERS, KEPT)
    for some in (LEANS < -0.7, np.abs(LEANS) < 0.3, LEANS > 0.7):
        off, error = error_of(chance[some], intends[some], pledged[some])
        assert abs(off) < 0.004 + 4 * error
    for some in (LEANS < -0.7, LEANS > 0.7):  # "80 % of them come", whoever they are
        assert abs(error_of(keep[some], intends[some], pledged[some])[0]) > 0.1


def test_shocks_and_conviction_flatten_what_a_pledge_is_worth_a_little() -> None:
    """As they do every log-odds of the model: two points fewer are expected than come, three of those against."""
    race = world()
    intends = intentions(race, 4000, 3)
    pledged = told(intends, 4)
    chance = all_pledged(race, WORTH)
    assert -0.022 < error_of(chance, intends, pledged)[0] < 0.0
    against = LEANS < -0.7
    assert -0.04 < error_of(chance[against], intends[against], pledged[against])[0] < 0.0


@pytest.mark.slow
def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """A whip count of half of the members at a time: the pledged of eight in ten worlds are within low and high."""
    race, worlds = world(), 80
    intends = intentions(race, worlds, 7)
    asked = np.random.default_rng(8).random(intends.shape) < 0.5
    pledged = told(intends, 9) & asked
    inside, expected, came = 0, [], []
    for i in range(worlds):
        heard = pd.DataFrame({"member": [f"M{m}" for m in np.flatnonzero(pledged[:, i])], "candidate": "A"})
        known = race.with_pledges(heard.assign(kind="oral"), discounts={"oral": (WORTH, WORTH, WORTH)})
        row = known.pledges(seed=i, runs=1024).table().loc["A"]
        truth = int((intends & pledged)[:, i].sum())
        assert row["pledged"] == pledged[:, i].sum()
        inside += row["low"] <= truth <= row["high"]
        expected.append(row["expected"])
        came.append(truth)
    assert 0.72 <= inside / worlds <= 0.98
    error = np.std(np.subtract(expected, came)) / np.sqrt(worlds)
    assert abs(np.mean(expected) - np.mean(came)) < 4 * error + 0.02 * np.mean(came)


@pytest.mark.parametrize("absent", [0.0, 0.5])
def test_the_summary_counts_what_first_rounds_show(absent: float) -> None:
    """Without conviction and shocks the pledged come independently: the law of the count is known, if present."""
    race = toy(100, behaviour=PRESENT | STILL | {"absent": absent})
    heard = pd.DataFrame({"member": [f"M{i + 1}" for i in range(60)], "candidate": "A", "kind": "oral"})
    found = race.with_pledges(heard, discounts={"oral": (WORTH, WORTH, WORTH)}).pledges(seed=1, runs=20_000)
    row = found.table().loc["A"]
    assert row["expected"] == pytest.approx(60 * KEPT, abs=0.02)
    assert (row["low"], row["high"]) == (44, 52)  # the 10 % and 90 % points of Binomial(60, 0.8)
    assert found.sentence() == "A: 60 pledged, 44 to 52 expected."


def test_the_summary_is_over_the_assumptions_too() -> None:
    race = toy(100, behaviour=PRESENT)
    heard = pd.DataFrame({"member": [f"M{i + 1}" for i in range(60)], "candidate": "A", "kind": "oral"})
    exact = race.with_pledges(heard, discounts={"oral": (WORTH, WORTH, WORTH)}).pledges(seed=1).table().loc["A"]
    wide = race.with_pledges(heard, discounts={"oral": (WORTH, 0.2, 3.0)}).pledges(seed=1).table().loc["A"]
    assert wide["high"] - wide["low"] > 1.2 * (exact["high"] - exact["low"])


# -- polls --------------------------------------------------------------------------------------------


ASKED = np.random.default_rng(11).uniform(0.02, 0.98, MEMBERS).round(3)


def polled(race: Scenario, trust: Any = 1.0, first: int = 0) -> Scenario:
    answers = pd.Series(ASKED[first:], index=[f"M{i}" for i in range(first, MEMBERS)], name="A")
    return race.with_polling(answers, trust=trust)


def first_tallies(race: Scenario, runs: int, seed: int = 1) -> Floats:
    """Return the first round's shares."""
    out = simulate(race.plan, {}, runs, seed)
    votes = out.votes[out.starts]
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def test_with_full_trust_the_chances_are_those_polled() -> None:
    race = polled(world(), first=20)
    chances = first_round_chances(race.plan)[0, :, 0]
    assert np.abs(chances[20:] - ASKED[20:]).max() < 0.001
    unasked = first_round_chances(world().plan)[0, :20, 0]
    assert chances[:20] == pytest.approx(unasked, abs=1e-4)  # sums are laid out by all members


def test_simulated_first_rounds_show_them_too() -> None:
    race = polled(world())
    shares = first_tallies(race, 8000)[:, 0]
    error = shares.std() / np.sqrt(shares.size)
    assert abs(shares.mean() - ASKED.mean()) < 0.001 + 4 * error
    ties = [
        iom.Tie(name=f"answer {i}", who=(f"M{i}",), candidate="A", log_odds=float(np.log(p / (1 - p))))
        for i, p in enumerate(ASKED)
    ]
    naive = toy(MEMBERS, behaviour=PRESENT, electorate=world().electorate).with_ties(*ties)  # as they are
    assert np.abs(first_round_chances(naive.plan)[0, :, 0] - ASKED).max() > 0.01


@pytest.mark.parametrize("answer", [0.05, 0.3, 0.9])
def test_all_members_polled_alike(answer: float) -> None:
    race = world().with_polling(pd.Series(answer, index=[f"M{i}" for i in range(MEMBERS)], name="A"))
    shares = first_tallies(race, 8000)[:, 0]
    assert abs(shares.mean() - answer) < 0.001 + 4 * shares.std() / np.sqrt(shares.size)
    assert shares.std() > 1.2 * np.sqrt(answer * (1 - answer) / MEMBERS)  # they still move together


def test_among_three_the_chances_are_those_polled() -> None:
    rng = np.random.default_rng(3)
    asked = rng.dirichlet([1.5, 1.0, 0.7], 60)
    sponsors = [{"name": "East", "backs": "A", "strength": 0.8}]
    race = toy(60, "ABC", behaviour=PRESENT, sponsors=sponsors)
    race = race.with_polling(pd.DataFrame(asked, index=[f"M{i + 1}" for i in range(60)], columns=list("ABC")))
    kept = np.clip(asked, 0.001, 0.999)
    kept /= kept.sum(axis=1, keepdims=True)
    assert np.abs(first_round_chances(race.plan)[:, :, 0] - kept.T).max() < 0.002
    shares = first_tallies(race, 8000)
    assert (np.abs(shares.mean(axis=0) - kept.mean(axis=0)) < 0.002 + 4 * shares.std(axis=0) / np.sqrt(8000)).all()


def test_without_trust_nothing_changes() -> None:
    for race, asked in ((world(), polled(world(), 0.0)), (toy(9, "ABC"), None)):
        other = asked or race.with_polling(pd.DataFrame({"A": [0.7], "B": [0.2]}, index=["M1"]), trust=0)
        one, two = (simulate(x.plan, {}, 2048, 4) for x in (race, other))
        assert (one.votes == two.votes).all()
        assert (one.winner == two.winner).all()
    level = iom.load("geneva-2023")
    asked = level.with_polling(pd.Series({"Kenya": 0.9}, name="Pope"), trust=0.0)
    one, two = (iom.forecast(x, 1000, 2, progress=False).outcomes for x in (level, asked))
    assert (one.votes == two.votes).all()


def test_half_trust_is_half_way() -> None:
    """On the scale of the leans, with half of the pull left."""
    race = toy(3, appeal=0.4, behaviour=PRESENT | {"conviction": 0, "common_sd": 0, "region_sd": 0, "secrecy": 0},
               sponsors=[{"name": "East", "backs": "A", "strength": 0.6, "spread": 0}])  # fmt: skip
    asked = race.with_polling(pd.Series({"M1": 0.9}, name="A"), trust=0.25)
    lean = 0.75 * 0.4 + 0.25 * np.log(9) + 0.75 * 0.6
    chances = first_round_chances(asked.plan)[0, :, 0]
    assert chances == pytest.approx(1 / (1 + np.exp(-np.array([lean, 1.0, 1.0]))), abs=5e-4)


def test_trust_may_be_unsure() -> None:
    race = polled(world(), (0.5, 0.2, 0.8))
    draws = draw_assumptions(race, 3, 12)
    trust = draws.parameters["polling.trust"]
    assert np.ptp(trust) > 0.2
    together = first_round_chances(draws.plan(race))
    for column in (0, 5, 11):
        alone = first_round_chances(race.plan.at({path: x[column] for path, x in draws.parameters.items()}))
        assert together[..., column] == pytest.approx(alone[..., 0], abs=2e-4)
    whole = simulate(race.plan, draws.parameters, 24, 3)
    for run in (0, 7, 23):  # bit for bit the election of its draw alone
        alone = simulate(race.plan, {path: float(x[run % 12]) for path, x in draws.parameters.items()}, 24, 3)
        for out in (whole, alone):
            assert out.rounds.size == 24
        assert (whole.votes[whole.starts[run]] == alone.votes[alone.starts[run]]).all()
        assert whole.rounds[run] == alone.rounds[run]


def test_what_is_computed_is_computed_anew_where_it_matters() -> None:
    race = polled(world(), (0.5, 0.2, 0.8))
    for path, value in (("polling.trust", 0.9), ("behaviour.common_sd", 0.9), ("behaviour.region_sd", 0.1),
                        ("behaviour.conviction", 0.5), ("sponsors.East.strength", 0.1)):  # fmt: skip
        race.plan.by_class(race.plan.against)  # is kept
        kept, fresh = race.plan.at({path: value}), race.with_parameters({path: (value, value, value)})
        again = iom.loads(iom.dumps(fresh)).plan
        lean, other = (plan.by_class(plan.against) for plan in (kept, again))
        assert (lean[0] == other[0]).all()
        assert all((x == y).all() for x, y in zip(lean[1], other[1], strict=True))
        assert (lean[0] != race.plan.by_class(race.plan.against)[0]).any() or path.startswith("sponsors")


# -- elections as a whole ------------------------------------------------------------------------------


def test_pledges_to_pope_raise_her_chance() -> None:
    race = iom.load("geneva-2023")
    free = race.members.query("pinned == ''")["name"]
    heard = pd.DataFrame({"member": free[:40], "candidate": "Pope", "kind": "written"})
    found = iom.compare(race, race.with_pledges(heard), runs=2000, seed=1, progress=False)
    row = found.table().loc["Pope"]
    assert row["difference"] > 0.1
    assert row["clear"]
    assert "With 40 pledges to Pope" in found.sentence()


@pytest.mark.slow
def test_a_night_with_a_ledger_and_a_poll() -> None:
    race = iom.load("geneva-2023")
    free = list(race.members.query("pinned == ''")["name"])
    known = race.with_pledges(pd.DataFrame({"member": free[:30], "candidate": "Pope", "kind": "oral"}))
    known = known.with_polling(pd.Series(0.7, index=free[20:50], name="Pope"), trust=(0.5, 0.3, 0.8))
    night = iom.live(known, particles=2000, seed=1)
    before = night.forecast().win_probability()["probability"]["Pope"]
    night.announce(Pope=95, Vitorino=70)
    assert night.forecast().win_probability()["probability"]["Pope"] > before
    learned = night.learned()
    assert np.isfinite(np.asarray(learned.select_dtypes("number"), dtype=float)).any()


def test_forecasts_are_archived_with_both(tmp_path: Any) -> None:
    race = iom.load("minimal").with_pledges(pd.DataFrame({"member": ["M1"], "candidate": "A", "kind": "oral"}))
    race = race.with_polling(pd.Series({"M2": 0.6}, name="A"), trust=0.5)
    fc = iom.forecast(race, 200, 1, assumptions=20, progress=False)
    fc.save(tmp_path / "fc.zip")
    again = iom.open_forecast(tmp_path / "fc.zip")
    assert again.race.ledger == race.ledger
    assert again.race.polling == race.polling
    assert again.race.hash == race.hash
    assert again.win_probability().equals(fc.win_probability())
