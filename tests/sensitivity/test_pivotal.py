"""Pivotal members: against exact counts and brute force, with and without the control variate, mirrored."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from toys import ALONE, LEANS, elect, five, play, slow_but, toy

import iomsim as iom
from iomsim.engine.rng import BLOCK
from iomsim.errors import IomsimError, ScenarioError, UnknownNameError
from iomsim.forecasting.run import MOST_RUNS
from iomsim.model.assumptions import draw_assumptions
from iomsim.model.components import Tie
from iomsim.model.quantities import Quantity
from iomsim.model.scenario import Scenario
from iomsim.sensitivity import influence
from iomsim.sensitivity.goal import pin
from iomsim.sensitivity.influence import PILOT_BLOCKS, Guess, Sums, pilot, played_blocks, pushes
from iomsim.sensitivity.pivotal import (
    ALL,
    ONE,
    changes,
    group_levels,
    members_table,
    pinned,
    with_whole,
    won_over_table,
)
from iomsim.sensitivity.shrinkage import Worths, critical, shrunk

Floats = NDArray[np.float64]


def seen(race: Scenario, name: str, runs: int, seed: int, executor: Any = None) -> pd.DataFrame:
    """Return what pushes are worth as the runs have it, on the best guesses, with a 95 % interval of each member."""
    return pointwise(race, name, pushes(race, name, runs, seed, executor=executor))


def pointwise(race: Scenario, name: str, sums: Sums) -> pd.DataFrame:
    found, worths = members_table(race, name, sums, None)
    for target, own in worths.items():
        wide = (found[f"{target}_high"] - found[f"{target}_low"]) / 2
        half = wide / critical(len(own.worth), own.dof) * 1.95996
        found[target] = found[f"{target}_raw"]
        found[f"{target}_low"], found[f"{target}_high"] = found[target] - half, found[target] + half
    return found


def won_over(race: Scenario, name: str, members: list[str], runs: int, seed: int) -> pd.DataFrame:
    pinned = [(pin(race, name, [member]).plan, {}) for member in members]
    return won_over_table(members, changes(race.plan, pinned, name, None, runs, seed))


def nudged(race: Scenario, member: str, towards: str, by: float) -> Scenario:
    tie = Tie(name=f"push {by}", who=(member,), candidate=towards, log_odds=Quantity(value=by, low=by, high=by))
    return race.with_ties(tie)


# -- exact ------------------------------------------------------------------------------------------


def chances(conviction: float = 1.8) -> tuple[Floats, Floats]:
    """Return every member's chance to vote A in the first round, and its slope in the member's lean."""
    z, w = np.polynomial.hermite_e.hermegauss(80)
    c = np.sqrt(1 + 0.346 * conviction**2)
    p = 1 / (1 + np.exp(-(c * np.array(LEANS)[:, None] + conviction * z)))
    return p @ w / w.sum(), c * (p * (1 - p)) @ w / w.sum()


def law(p: Floats) -> Floats:
    """Return the law of the number of votes of independent members, by counting all papers."""
    out = np.zeros(p.size + 1)
    for papers in product((0, 1), repeat=p.size):
        out[sum(papers)] += np.prod(np.where(papers, p, 1 - p))
    return out


def test_one_round_is_what_counting_gives() -> None:
    """One round among five: the effect of a push and of winning over, for both candidates and the next day."""
    race = five(rules={"name": "strict", "max_rounds": 1})
    for name in "AB":
        found = seen(race, name, 60_000, seed=1).sort_index()
        won = won_over(race, name, list(found.index), 20_000, seed=2)
        p, slope = chances()
        for i, member in enumerate(found.index):
            mine, others = (p if name == "A" else 1 - p), law(np.delete(p, i))
            if name == "B":
                others = others[::-1]
            elects, fails = others[3], -others[1]  # one more makes four; one less unmakes the other's four
            truth = {"win": slope[i] * elects, "spill": -slope[i] * (elects + fails)}
            gain = {"win": (1 - mine[i]) * elects, "spill": -(1 - mine[i]) * (elects + fails)}
            for target in ("win", "spill"):
                assert within(found.loc[member], target, truth[target])
                assert within(won.loc[member], f"won_over_{target}", gain[target])
            assert found.loc[member, "support"] == pytest.approx(mine[i], abs=0.01)


def within(row: pd.Series, key: str, truth: float, errors: float = 4.5) -> bool:
    """Say whether an estimate lies within some standard errors of the truth."""
    half = (row[f"{key}_high"] - row[f"{key}_low"]) / 2
    return bool(abs(row[key] - truth) < errors / 1.96 * half + 1e-9)


def test_the_check_above_can_fail() -> None:
    """An estimate for the other candidate, or one that is a tenth too large, is far outside."""
    race = five(rules={"name": "strict", "max_rounds": 1})
    found = seen(race, "A", 60_000, seed=1).sort_index()
    p, slope = chances()
    truth = [slope[i] * law(np.delete(p, i))[3] for i in range(5)]
    assert not all(within(found.iloc[i], "win", -truth[i]) for i in range(5))
    assert not all(within(found.iloc[i], "win", 1.1 * truth[i]) for i in range(5))


# -- brute force ------------------------------------------------------------------------------------


def brute(
    race: Scenario, member: str, towards: str, runs: int = 30_000, by: float = 0.4
) -> dict[str, tuple[float, float]]:
    """Return the change per log-odds by playing the election twice, on common numbers: mean and standard error."""
    down, up = (play(nudged(race, member, towards, x), runs, seed=7) for x in (-by, by))
    k = race.names.index(towards)
    pairs = {
        "win": ((up.winner == k), (down.winner == k)),
        "spill": tuple((out.minute < 0) | (out.minute >= 24 * 60) for out in (up, down)),
    }
    change = {name: (a.astype(float) - b) / (2 * by) for name, (a, b) in pairs.items()}
    return {name: (float(x.mean()), float(x.std() / np.sqrt(runs))) for name, x in change.items()}


CROWDED = {"name": "strict", "eliminate_after": 1, "max_two_way": 2, "max_rounds": 12}


@pytest.mark.parametrize(
    ("race", "towards"),
    [
        (five(rules="until-two-thirds", behaviour={"absent": 0.2, "abstain": 0.1}), "A"),
        pytest.param(five(rules="four-rounds", behaviour={"absent": 0.2}), "B", marks=pytest.mark.slow),
        pytest.param(five("B", names="ABC", rules=CROWDED, behaviour={"absent": 0.1}), "B", marks=pytest.mark.slow),
        (five("B", names="ABC", rules=CROWDED, behaviour={"absent": 0.1}), "C"),
    ],
    ids=["two", "two, the other", "three", "three, the last"],
)
def test_many_rounds_are_what_brute_force_gives(race: Scenario, towards: str) -> None:
    found = seen(race, towards, 60_000, seed=1)
    for member in ("M1", "M3"):
        for target, (mean, error) in brute(race, member, towards).items():
            half = (found.loc[member, f"{target}_high"] - found.loc[member, target]) / 1.96
            assert abs(found.loc[member, target] - mean) < 4.5 * np.hypot(half, error)
    assert found.loc["M3", "win_low"] > 0


def test_the_interval_of_a_push_by_hand() -> None:
    """Four cells of 100 runs with means 1, 2, 3 and 6 hundredths: 3, with an error of sqrt(14 / 3 / 4)."""
    race, runs = five(), np.full(4, 100)
    worth = np.broadcast_to([1.0, 2.0, 3.0, 6.0], (2, 5, 4)).copy()
    sums = Sums(worth, 0 * worth, np.ones((2, 4)), runs, np.full(5, 100), np.full(5, 400))
    row = members_table(race, "A", sums, None)[0].iloc[0]
    assert row["win_raw"] == pytest.approx(0.03)
    wide = critical(5, 3) * np.sqrt(14 / 3 / 4) / 100
    assert row["win_high"] - row["win_raw"] == pytest.approx(wide)
    assert row["support"] == 0.25
    assert np.isnan(row["win_range_low"])


# -- the control variate ----------------------------------------------------------------------------


def test_the_control_variate_pays() -> None:
    """The same runs with and without it; the factor is printed."""
    race = iom.load("geneva-2023")
    with_it = seen(race, "Pope", 8 * BLOCK, seed=1)
    nothing = ((Guess(np.zeros(1), np.zeros(1)),) * 2,) * 2
    without = summed_by_hand(race, nothing, 8)
    widths = [(t["win_high"] - t["win_low"])[t["free"]].mean() for t in (with_it, without)]
    print(f"control variate: variance divided by {(widths[1] / widths[0]) ** 2:.1f}")
    assert widths[1] / widths[0] > 1.7


def summed_by_hand(race: Scenario, guesses: Any, blocks: int) -> pd.DataFrame:
    sums = influence.summed(race.plan, {}, 1, 0, blocks * BLOCK, k=0, guesses=guesses, cells=400)
    return pointwise(race, race.names[0], sums)


def test_any_guess_leaves_the_estimate_unbiased_if_it_leaves_the_member_out() -> None:
    """A wild guess costs precision but not truth; the guess that looks at the member's own ballot costs the truth."""
    race = five(rules={"name": "strict", "max_rounds": 1})
    p, slope = chances()
    truth = [slope[i] * law(np.delete(p, i))[3] for i in range(5)]
    wild = Guess(np.array([-0.2, 0.5, 1.0]), np.array([3.0, -2.0, 1.0]))
    found = summed_by_hand(race, ((wild,) * 2,) * 2, 60)
    assert all(within(found.loc[f"M{i + 1}"], "win", truth[i]) for i in range(5))


def test_a_guess_that_does_not_leave_the_member_out_is_biased(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(guess: tuple[Guess, ...], block: Any) -> tuple[Floats, Floats]:
        said = np.interp(block.intends.sum(axis=0) / block.present.sum(axis=0), guess[1].share, guess[1].mean)
        return said, said

    race = five(rules={"name": "strict", "max_rounds": 1})
    p, slope = chances()
    truth = [slope[i] * law(np.delete(p, i))[3] for i in range(5)]
    monkeypatch.setattr(influence, "guess_of", whole)
    found = seen(race, "A", 60_000, seed=1)
    assert not all(within(found.loc[f"M{i + 1}"], "win", truth[i]) for i in range(5))


def test_the_opening_is_the_elections_own_first_round() -> None:
    """What the control variate looks at are the ballots that are counted in the run itself."""
    for race in (five(behaviour={"absent": 0.2}), five(names="ABC", behaviour={"absent": 0.2})):
        race = race.with_behaviour(abstain=0)
        out = play(race, BLOCK, seed=3)
        for k in range(len(race.names)):
            [start] = played_blocks(race.plan, {}, k, 3, 0, BLOCK)
            assert np.array_equal(start.intends.sum(axis=0), out.votes[out.starts, k])
            assert np.array_equal(start.present.sum(axis=0), out.present)
            assert np.corrcoef(start.z[2], start.intends[2])[0, 1] > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_the_slope_of_a_first_ballot_is_that_of_its_chance(names: str) -> None:
    """The same derivative two ways: from the odds, and as the score of the hidden conviction; the pinned have none."""
    race = five(names=names, behaviour={"absent": 0.2, "round_sd": 0}, electorate={"size": 5, "pinned": {"B": ("M1",)}})
    for k in range(len(names)):
        blocks = played_blocks(race.plan, {}, k, 3, 0, 60 * BLOCK)
        slope, score = (
            sum(getter(b).sum(axis=1) for b in blocks) / (60 * BLOCK)
            for getter in (lambda b: b.slope * b.present, lambda b: b.gain * b.z * b.intends)
        )
        assert slope[0] == score[0] == 0
        assert np.abs(slope - score)[1:].max() < 4.5 * blocks[0].gain / np.sqrt(60 * BLOCK)
        assert slope[1:].min() > 0.1


def test_the_pilot_learns_that_votes_elect() -> None:
    entrenched, fluid = pilot(iom.load("geneva-2023").plan, {}, 0, seed=1)[0]
    for guess in (entrenched, fluid):
        assert (np.diff(guess.share) > 0).all()
        assert guess.mean[0] < 0.1 < 0.9 < guess.mean[-1]


def test_the_pilot_has_runs_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Farther on than any forecast goes: no run is judged by a guess that has seen it."""
    honest, spans = influence.played_blocks, []
    monkeypatch.setattr(influence, "played_blocks", lambda *call: spans.append(call[4:]) or honest(*call))
    pilot(five().plan, {}, 0, seed=1)
    assert sum(size for _, size in spans) == PILOT_BLOCKS * BLOCK
    assert min(first for first, _ in spans) * BLOCK > MOST_RUNS


# -- what must hold ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_mirrored_scenario_has_mirrored_members() -> None:
    """With the names swapped B's members are A's, within the noise; A's own are not."""
    one = seen(five(rules="until-two-thirds"), "A", 60_000, seed=1).sort_index()
    other = five("B", rules="until-two-thirds")
    assert apart(one, seen(other, "B", 60_000, seed=2).sort_index()) < 4.5
    assert apart(one, seen(other, "A", 60_000, seed=2).sort_index()) > 6


def apart(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """Return by how many standard errors two tables of members differ at most."""
    worst = 0.0
    for target in ("win", "spill"):
        error = np.hypot(*((t[f"{target}_high"] - t[target]) / 1.96 for t in (a, b)))
        worst = max(worst, float((np.abs(a[target] - b[target]) / error).max()))
    return worst


def test_members_that_cannot_be_moved_are_worth_nothing() -> None:
    race = five(rules="strict", electorate={"size": 5, "pinned": {"B": ("M1",)}, "without_vote": ("M2",)})
    found = iom.pivotal(race, "B", runs=3000, assumptions="fixed", checked=5, checked_runs=200, seed=1).table()
    assert found.index[-2:].tolist() == ["M1", "M2"]
    assert not found["free"].iloc[-2:].any()
    assert found["free"].iloc[:3].all()
    assert (found.loc[["M1", "M2"], ["win", "win_low", "win_high", "spill"]] == 0).all(axis=None)
    assert found.loc[["M1", "M2"], "support"].tolist() == [1.0, 0.0]
    assert found["won_over_win"].isna().tolist() == [False] * 3 + [True] * 2


def test_support_is_the_chance_of_those_who_are_there() -> None:
    found = seen(five(behaviour=ALONE | {"absent": 0.6}), "A", 30_000, seed=1).sort_index()
    p, _ = chances()
    assert np.abs(found["support"].to_numpy() - p).max() < 4 * np.sqrt(0.25 / 12_000)


@pytest.mark.slow
@pytest.mark.parametrize("assumptions", slow_but(["fixed", 30], 30))
def test_where_spans_are_played_does_not_matter(assumptions: int | str) -> None:
    options: dict[str, Any] = {"runs": 17 * BLOCK, "checked": 1, "checked_runs": 9000, "seed": 1}
    here = iom.pivotal(grouped(), assumptions=assumptions, **options)
    with ThreadPoolExecutor(2) as pool:
        there = iom.pivotal(grouped(), assumptions=assumptions, executor=pool, **options)
    pd.testing.assert_frame_equal(here.table(), there.table())
    pd.testing.assert_frame_equal(here.by_group(), there.by_group())


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "draws"), [(250, 300), (2, 400), (3, 1), (700, 3), (700, 8), (1025, 400)])
def test_any_number_of_runs_and_draws_goes_together(runs: int, draws: int) -> None:
    """Draws that no run follows count for nothing, and where draws have a run or two there is no range."""
    found = iom.pivotal(unsure(), runs=runs, assumptions=draws, checked=1, checked_runs=runs, seed=1)
    table = found.table()
    assert np.isfinite(table[["win", "win_low", "win_high", "win_raw"]]).all(axis=None)
    assert ((table["win_low"] <= table["win"]) & (table["win"] <= table["win_high"])).all()
    assert table["win_range_low"].notna().all() == (runs > 2 * draws >= 10)
    assert found.worths.clusters[1].sum() == runs
    assert f"{min(runs, draws)} draw" in found.stamp()


@pytest.mark.parametrize("assumptions", ["fixed", 50])
def test_the_first_columns_are_sorted_and_the_top_is_checked(assumptions: int | str) -> None:
    """Won over for good is what a comparison of the two elections says, on the same draws of the assumptions."""
    race, options = unsure(), {"assumptions": assumptions, "seed": 1}
    found = iom.pivotal(race, runs=8000, checked=2, checked_runs=2000, **options)  # type: ignore[arg-type]
    table = found.table()
    assert table["win"].is_monotonic_decreasing
    assert table["won_over_win"].notna().tolist() == [True, True, False, False, False]
    pair = iom.compare(race, race.with_pinned(A=[table.index[0]]), runs=2000, **options).table()  # type: ignore[arg-type]
    assert table["won_over_win"].iloc[0] == pytest.approx(pair.loc["A", "difference"], abs=1e-12)
    low, high = table[["won_over_spill_low", "won_over_spill_high"]].iloc[0]
    assert (high - low) / 2 == pytest.approx(pair.loc["spill", "difference_error"])


def unsure(**parts: Any) -> Scenario:
    return five(rules="until-two-thirds", **parts).with_parameters(
        {"behaviour.fluid": (0.5, 0.1, 0.9), "behaviour.absent": (0.1, 0.02, 0.3)}
    )


# -- under draws --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_draws_are_what_playing_each_of_them_gives() -> None:
    """Two draws, each played on its own as numbers: the mean over both; only one of them is another number."""
    race = unsure()
    draws = draw_assumptions(race, 1, 2)
    both = pushes(race, "A", 60_000, 1, draws).worth[0].sum(axis=1) / 60_000
    alone = [
        seen(race.with_parameters({path: float(v[c]) for path, v in draws.parameters.items()}), "A", 60_000, 2)
        for c in range(2)
    ]
    table = sum(part.sort_index()[["win", "win_high"]] for part in alone) / 2
    error = (table["win_high"] - table["win"]) / 1.96
    assert (np.abs(both - table["win"]) < 4.5 * error).all()
    ends = np.array([part.sort_index()["win"] for part in alone])
    assert (np.abs(ends[0] - ends[1]) > 4.5 * error).any()


def test_without_ranges_draws_are_the_best_guesses() -> None:
    race = five(rules="until-two-thirds")
    sure = race.with_parameters({path: (q.value, q.value, q.value) for path, q in race.parameters().items()})
    one, other = (iom.pivotal(sure, runs=4000, assumptions=n, checked=0, seed=1).table() for n in (50, "fixed"))
    assert np.allclose(one["win_raw"].sort_index(), other["win_raw"].sort_index(), atol=1e-7)


@pytest.mark.slow
def test_the_range_over_the_assumptions_is_that_of_the_draws_played_one_by_one() -> None:
    """A member's effect under each of 60 draws, from as many runs as all have together."""
    race = unsure()
    draws = draw_assumptions(race, 1, 60)
    found, worths = members_table(race, "A", pushes(race, "A", 60_000, 1, draws), draws)
    truth = np.array([
        seen(race.with_parameters({path: float(v[c]) for path, v in draws.parameters.items()}), "A", 16_000, 2)
        .loc[found.index, "win"]
        for c in range(60)
    ])  # fmt: skip
    low, high = np.quantile(truth, [0.1, 0.9], axis=0)
    width = (found["win_range_high"] - found["win_range_low"]).mean()
    assert width == pytest.approx((high - low).mean(), rel=0.25)
    assert found["win_range_low"].mean() == pytest.approx(low.mean(), rel=0.1)
    raw = worths["win"].worth.reshape(5, -1, 60).sum(axis=1) / (worths["win"].runs.reshape(-1, 60).sum(axis=0))
    assert np.ptp(np.quantile(raw, [0.1, 0.9], axis=1), axis=0).mean() > 1.4 * (high - low).mean()  # with its noise


def test_groups_are_what_their_members_are_worth() -> None:
    race = grouped()
    found = iom.pivotal(race, runs=40_000, checked=1, checked_runs=8000, seed=1)
    table, groups = found.table(), found.by_group()
    for name in ("X", "Y"):
        own = table[table["group"] == name]
        each, whole = groups.loc[(name, ONE)], groups.loc[(name, ALL)]
        assert each["members"] == len(own) == 4
        assert each["win_raw"] == pytest.approx(own["win_raw"].mean())
        assert each["win_range_low"] <= each["win"] <= each["win_range_high"]
        assert each["win_low"] <= each["win"] <= each["win_high"]
        members = tuple(str(member) for member in own.index)
        tie = Tie(name="all", who=members, candidate="A", log_odds=Quantity(value=1, low=1, high=1))
        pair = iom.compare(race, race.with_ties(tie), runs=8000, seed=1).table().loc["A"]
        assert whole[["win", "win_range_low", "win_range_high"]].tolist() == pytest.approx(pair.iloc[2:5].tolist())
    assert iom.pivotal(five(), runs=2000, checked=0, seed=1).by_group().index.get_level_values(1).tolist() == [ONE]


def test_a_group_of_one_is_drawn_together_with_all_others() -> None:
    """It is no level of its own, through which its noise would go unchecked; groups that are large are."""
    rng = np.random.default_rng(1)
    seen = rng.standard_normal(40)
    seen[-1] = 2.0
    groups = np.array(["X"] * 20 + ["Y"] * 19 + ["Z"], dtype=object)
    drawn = shrunk(seen, np.ones(40), group_levels(groups))
    assert drawn[-1] < 1.0
    apart = shrunk(seen + 10 * (groups == "Y"), np.ones(40), group_levels(groups))
    assert np.allclose(apart - 10 * (groups == "Y"), drawn)
    few = group_levels(np.array(["A", "B", "B"], dtype=object))
    assert few.tolist() == [[1.0]] * 3


def grouped() -> Scenario:
    table = tuple({"name": f"{g}{i}", "part": g} for g in "XY" for i in range(4))
    tie = {"name": "firm", "who": "part=Y", "candidate": "B", "log_odds": 3.0}
    return toy(electorate={"table": table, "group": "part"}, ties=[tie], appeal=1.0).with_parameters(
        {"behaviour.fluid": (0.5, 0.1, 0.9)}
    )


# -- sentences and refusals -------------------------------------------------------------------------


def dominant() -> Scenario:
    """Four are firmly for A, four for B, and one decides."""
    ties = [
        {"name": name, "who": [f"M{i}" for i in places], "candidate": name, "log_odds": 6.0}
        for name, places in (("A", range(1, 5)), ("B", range(5, 9)))
    ]
    return toy(9, rules={"name": "strict", "max_rounds": 1, "threshold": ">1/2"}, behaviour={"absent": 0}, ties=ties)


def test_who_decides_is_crowned() -> None:
    found = iom.pivotal(dominant(), runs=20_000, checked=1, checked_runs=2000, seed=1)
    assert found.best() == "M9"
    assert found.rivals() == []
    words = found.sentence()
    worth = found.worth(["M9"])
    assert words.startswith(f"A call for A in M9 is worth most, {round(100 * worth.value)} points of A's chance to win")
    assert "Over the assumptions that is " in words
    assert "To win it over for good is worth about " in words
    assert words in " ".join(repr(found).split())
    first, told = found.members.iloc[0], found.in_words()
    assert told.index.tolist() == found.members.index.tolist()
    assert told.loc["M9", "points"] == f"{100 * first['win']:.1f}"
    assert told.loc["M9", "95 % interval"] == f"{100 * first['win_low']:.1f} to {100 * first['win_high']:.1f}"
    assert [bool(cell) for cell in told["won over"]] == found.members["won_over_win"].notna().tolist()
    assert not repr(told).count("-0.0 ")


def test_equal_members_are_not_crowned() -> None:
    """Alike members are told apart by luck only, and the sentence says so."""
    found = iom.pivotal(toy(9, behaviour={"absent": 0}), runs=20_000, checked=0, seed=1)
    assert len(found.rivals()) == 8
    assert found.best() is None
    first = ", ".join(found.alike()[:3])
    assert found.sentence().startswith(
        f"No single member stands out; a call in any of {first} (and six others) is worth about "
    )
    assert "for good" not in found.sentence()
    assert found.table()["win"].std() < found.table()["win_raw"].std()
    far = iom.pivotal(dominant(), "B", runs=20_000, checked=0, seed=1)
    assert far.rivals() == []


@pytest.mark.slow
def test_elections_of_equal_members_crown_nobody() -> None:
    """Nor is anybody called behind, in at most five of 100 elections."""
    race, behind = toy(15, behaviour={"absent": 0}), 0
    for seed in range(40):
        found = iom.pivotal(race, runs=4000, checked=0, seed=seed)
        assert found.best() is None
        behind += len(found.rivals()) < 14
    assert behind <= 5


def test_digits_are_those_that_the_error_supports() -> None:
    """More runs tell more of them."""
    few, many = (iom.pivotal(toy(9), runs=runs, checked=0, seed=1) for runs in (2000, 100_000))
    for found in (few, many):
        worth = found.worth(found.alike())
        said = re.search(r"about ([\d.]+) points? of", found.sentence())
        assert said
        digits = len(said[1].partition(".")[2])
        assert 10.0**-digits >= 100 * (worth.high - worth.value) or digits == 0
        assert float(said[1]) == round(100 * worth.value, digits)


def test_who_cannot_be_told_apart_by_hand() -> None:
    """Four free members make six pairs: 2.404 standard errors of the difference tell two apart, with 399 clusters."""
    win, error = np.array([0.0500, 0.0400, 0.0379, 0.0377]), np.array([0.003, 0.003, 0.004, 0.004])
    noise = np.linalg.qr(np.column_stack([np.ones(400), np.random.default_rng(1).standard_normal((400, 4))]))[0][:, 1:]
    cells = win[:, None] + error[:, None] * np.sqrt(399 * 400) * noise.T
    worths = Worths(cells, cells, np.ones(400), np.ones(400, dtype=int), 0)
    assert worths.error(np.eye(4)) == pytest.approx(error)
    members = pd.DataFrame({"win": win, "free": True, "group": ""}, index=[f"M{i}" for i in range(1, 5)])
    calls = iom.Pivotal(five(), "A", 1, 1000, members, pd.DataFrame(), worths)
    assert calls.rivals() == ["M2"]  # M3 is 0.0121 behind, and 2.404 * 0.005 is 0.01202


def test_where_no_call_helps_the_sentence_says_so() -> None:
    found = iom.pivotal(elect("AAAB", behaviour={"conviction": 1.0}), runs=2000, seed=1)
    assert found.sentence().startswith("No member can be moved")
    sure = toy(6, behaviour=ALONE, appeal=60.0)
    assert "does anything beyond noise" in iom.pivotal(sure, runs=2000, checked=0, seed=1).sentence()


def test_bad_questions_are_refused() -> None:
    race = five()
    with pytest.raises(UnknownNameError, match="no candidate named 'C'"):
        iom.pivotal(race, "C", runs=10, seed=1)
    with pytest.raises(ScenarioError, match="need a hidden conviction above 0"):
        iom.pivotal(race.with_behaviour(conviction=0), runs=10, seed=1)
    with pytest.raises(IomsimError, match="assumptions must be at most 4\u202f000 draws for pivotal members"):
        iom.pivotal(race, runs=10_000, assumptions=5000, seed=1)
    with pytest.raises(IomsimError, match="assumptions must be a number of draws, or 'fixed'"):
        iom.pivotal(race, runs=10, assumptions="drawn", seed=1)
    for bad in ({"runs": 1}, {"checked": -1}, {"seed": 0.5}):
        with pytest.raises(IomsimError, match="must be a whole number"):
            iom.pivotal(race, **({"runs": 10, "seed": 1} | bad))  # type: ignore[arg-type]


def test_who_is_won_over_is_pinned_to_the_candidate_that_is_asked_about() -> None:
    plan = toy(5, "ABC").plan
    assert pinned(plan, 2, 1).pins.tolist() == [-1, -1, 1, -1, -1]
    assert plan.pins.tolist() == [-1] * 5


def test_intervals_of_whole_groups_hold_for_all_of_them_at_once() -> None:
    index = pd.MultiIndex.from_product([["X", "Y"], [ONE]], names=["group", "push"])
    columns = [
        *(f"{t}{end}" for t in ("win", "spill") for end in ("", "_low", "_high", "_raw")),
        "win_range_low",
        "win_range_high",
    ]
    groups = pd.DataFrame(0.0, index=index, columns=columns).assign(members=3)
    found = dict.fromkeys(("win", "spill"), (0.10, 0.06, 0.14, 0.02, 0.20))
    row = with_whole(groups, ["X", "Y"], [found, found]).loc[("Y", ALL)]
    wider = critical(2, 10**9) / 1.959964
    assert wider > 1.1
    assert row[["win", "win_low", "win_high"]].tolist() == pytest.approx(
        [0.10, 0.10 - 0.04 * wider, 0.10 + 0.04 * wider]
    )
    assert row[["win_range_low", "win_range_high"]].tolist() == [0.02, 0.20]


def test_members_without_a_group_are_no_groups() -> None:
    table = [{"name": f"M{i}", "region": "East" if i < 4 else ""} for i in range(7)]
    with pytest.warns(UserWarning, match="each is a group by itself"):
        race = toy(electorate={"table": table, "group": "region"})
    calls = iom.pivotal(race, runs=400, checked=0, assumptions="fixed", seed=1)
    assert calls.by_group().index.tolist() == [("East", ONE)]
    assert len(calls.table()) == 7
