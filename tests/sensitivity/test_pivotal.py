"""Pivotal members: against exact counts and brute force, with and without the control variate, mirrored."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from toys import ALONE, LEANS, elect, five, play, toy

import iomsim as iom
from iomsim.engine.rng import BLOCK
from iomsim.errors import IomsimError, ScenarioError, UnknownNameError
from iomsim.forecasting.run import MOST_RUNS
from iomsim.house_style import number
from iomsim.model.components import Tie
from iomsim.model.quantities import Quantity
from iomsim.model.scenario import Scenario
from iomsim.sensitivity import influence
from iomsim.sensitivity.influence import PILOT_BLOCKS, Guess, pilot, played_blocks, pushes
from iomsim.sensitivity.pivotal import won_over

Floats = NDArray[np.float64]


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
        found = pushes(race, name, 60_000, seed=1).sort_index()
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
    found = pushes(race, "A", 60_000, seed=1).sort_index()
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
    found = pushes(race, towards, 60_000, seed=1)
    for member in ("M1", "M3"):
        for target, (mean, error) in brute(race, member, towards).items():
            half = (found.loc[member, f"{target}_high"] - found.loc[member, target]) / 1.96
            assert abs(found.loc[member, target] - mean) < 4.5 * np.hypot(half, error)
    assert found.loc["M3", "win_low"] > 0


def test_the_interval_of_a_push_by_hand() -> None:
    """Of 400 runs the mean and the mean square of what is averaged are 0.1 and 0.5, before the gain."""
    race = five()
    gain = np.sqrt(1 + 0.346 * 1.8**2) / 1.8
    sums = influence.Sums(np.full((2, 5), 40.0), np.full((2, 5), 200.0), np.full(5, 100), np.full(5, 400), 400)
    row = influence._table(race, race.plan, 0, sums).iloc[0]
    assert row["win"] == pytest.approx(0.1 * gain)
    assert row["win_high"] - row["win"] == pytest.approx(1.95996 * gain * np.sqrt((0.5 - 0.01) / 400), rel=1e-4)
    assert row["support"] == 0.25


# -- the control variate ----------------------------------------------------------------------------


def test_the_control_variate_pays() -> None:
    """The same runs with and without it; the factor is printed."""
    race = iom.load("geneva-2023")
    with_it = pushes(race, "Pope", 8 * BLOCK, seed=1)
    nothing = ((Guess(np.zeros(1), np.zeros(1)),) * 2,) * 2
    without = summed_by_hand(race, nothing, 8)
    widths = [(t["win_high"] - t["win_low"])[t["free"]].mean() for t in (with_it, without)]
    print(f"control variate: variance divided by {(widths[1] / widths[0]) ** 2:.1f}")
    assert widths[1] / widths[0] > 1.7


def summed_by_hand(race: Scenario, guesses: Any, blocks: int) -> pd.DataFrame:
    sums = influence.summed(race.plan, {}, 1, 0, blocks * BLOCK, k=0, guesses=guesses)
    return influence._table(race, race.plan, 0, sums)


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
    found = pushes(race, "A", 60_000, seed=1)
    assert not all(within(found.loc[f"M{i + 1}"], "win", truth[i]) for i in range(5))


def test_the_opening_is_the_elections_own_first_round() -> None:
    """What the control variate looks at are the ballots that are counted in the run itself."""
    for race in (five(behaviour={"absent": 0.2}), five(names="ABC", behaviour={"absent": 0.2})):
        race = race.with_behaviour(abstain=0)
        out = play(race, BLOCK, seed=3)
        for k in range(len(race.names)):
            [start] = played_blocks(race.plan, k, 3, 0, BLOCK)
            assert np.array_equal(start.intends.sum(axis=0), out.votes[out.starts, k])
            assert np.array_equal(start.present.sum(axis=0), out.present)
            assert np.corrcoef(start.z[2], start.intends[2])[0, 1] > 0.2


def test_the_pilot_learns_that_votes_elect() -> None:
    entrenched, fluid = pilot(iom.load("geneva-2023").plan, 0, seed=1)[0]
    for guess in (entrenched, fluid):
        assert (np.diff(guess.share) > 0).all()
        assert guess.mean[0] < 0.1 < 0.9 < guess.mean[-1]


def test_the_pilot_has_runs_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Farther on than any forecast goes: no run is judged by a guess that has seen it."""
    honest, spans = influence.played_blocks, []
    monkeypatch.setattr(influence, "played_blocks", lambda *call: spans.append(call[3:]) or honest(*call))
    pilot(five().plan, 0, seed=1)
    assert sum(size for _, size in spans) == PILOT_BLOCKS * BLOCK
    assert min(first for first, _ in spans) * BLOCK > MOST_RUNS


# -- what must hold ---------------------------------------------------------------------------------


def test_a_mirrored_scenario_has_mirrored_members() -> None:
    """With the names swapped B's members are A's, within the noise; A's own are not."""
    one = pushes(five(rules="until-two-thirds"), "A", 60_000, seed=1).sort_index()
    other = five("B", rules="until-two-thirds")
    assert apart(one, pushes(other, "B", 60_000, seed=2).sort_index()) < 4.5
    assert apart(one, pushes(other, "A", 60_000, seed=2).sort_index()) > 6


def apart(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """Return by how many standard errors two tables of members differ at most."""
    worst = 0.0
    for target in ("win", "spill"):
        error = np.hypot(*((t[f"{target}_high"] - t[target]) / 1.96 for t in (a, b)))
        worst = max(worst, float((np.abs(a[target] - b[target]) / error).max()))
    return worst


def test_members_that_cannot_be_moved_are_worth_nothing() -> None:
    race = five(rules="strict", electorate={"size": 5, "pinned": {"B": ("M1",)}, "without_vote": ("M2",)})
    found = iom.pivotal(race, "B", runs=3000, checked=5, checked_runs=200, seed=1).table()
    assert found.index[-2:].tolist() == ["M1", "M2"]
    assert not found["free"].iloc[-2:].any()
    assert found["free"].iloc[:3].all()
    assert (found.loc[["M1", "M2"], ["win", "win_low", "win_high", "spill"]] == 0).all(axis=None)
    assert found.loc[["M1", "M2"], "support"].tolist() == [1.0, 0.0]
    assert found["won_over_win"].isna().tolist() == [False] * 3 + [True] * 2


def test_support_is_the_chance_of_those_who_are_there() -> None:
    found = pushes(five(behaviour=ALONE | {"absent": 0.6}), "A", 30_000, seed=1).sort_index()
    p, _ = chances()
    assert np.abs(found["support"].to_numpy() - p).max() < 4 * np.sqrt(0.25 / 12_000)


def test_where_spans_are_played_does_not_matter() -> None:
    from concurrent.futures import ThreadPoolExecutor

    race = five(rules="until-two-thirds")
    here = pushes(race, "A", 20 * BLOCK, seed=1)
    with ThreadPoolExecutor(2) as pool:
        there = pushes(race, "A", 20 * BLOCK, seed=1, executor=pool)
    pd.testing.assert_frame_equal(here, there)


def test_the_first_columns_are_sorted_and_the_top_is_checked() -> None:
    found = iom.pivotal(five(rules="until-two-thirds"), runs=8000, checked=2, checked_runs=2000, seed=1)
    table = found.table()
    assert table["win"].is_monotonic_decreasing
    assert table["won_over_win"].notna().tolist() == [True, True, False, False, False]
    pair = iom.compare(found.race, found.race.with_pinned(A=[table.index[0]]), runs=2000, seed=1, assumptions="fixed")
    pair = pair.table()
    assert table["won_over_win"].iloc[0] == pair.loc["A", "difference"]
    low, high = table[["won_over_spill_low", "won_over_spill_high"]].iloc[0]
    assert (high - low) / 2 == pair.loc["spill", "mc_error"]


# -- sentences and refusals -------------------------------------------------------------------------


def test_the_sentence_says_where_to_call() -> None:
    found = iom.pivotal(five(rules="until-two-thirds"), runs=20_000, checked=1, checked_runs=2000, seed=1)
    top = found.table().iloc[0]
    words = found.sentence()
    assert words.startswith(
        f"On the best guesses, the next phone call for A does most in {top.name}: a push of one log-odds raises the "
        "chance of winning by "
    )
    assert f"{100 * top['win']:.1f} points ({100 * top['win_low']:.1f} to {100 * top['win_high']:.1f})" in words
    assert f"To win it over for good would raise the chance by {100 * top['won_over_win']:.1f} points" in words
    assert "Tuesday" in words
    assert words in " ".join(repr(found).split())


def test_it_says_how_many_cannot_be_told_apart() -> None:
    """Alike members are told apart by luck only, and the sentence says so."""
    found = iom.pivotal(toy(9, behaviour={"absent": 0}), runs=6000, checked=0, seed=1)
    assert len(found.rivals()) == 8
    assert f"{number(len(found.rivals()))} others cannot be told apart from it." in found.sentence()
    assert "for good" not in found.sentence()
    far = iom.pivotal(five(rules={"name": "strict", "max_rounds": 1}), runs=60_000, checked=0, seed=1)
    assert far.rivals() == [m for m in far.rivals() if m != far.table().index[0]]
    assert len(far.rivals()) < 4


def test_who_cannot_be_told_apart_by_hand() -> None:
    """Four free members make six pairs: 2.394 standard errors of the difference tell two apart."""
    win, error = np.array([0.0500, 0.0390, 0.0381, 0.0379, 0.0]), np.array([0.003, 0.003, 0.004, 0.004, 0.0])
    columns = {"win": win, "win_high": win + 1.95996 * error, "free": win > 0}
    members = pd.DataFrame(columns, index=[f"M{i}" for i in range(1, 6)])
    assert iom.Pivotal(five(), "A", 1, 1000, members).rivals() == ["M3"]  # 0.0119 behind, and 2.394 * 0.005 is 0.01197


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
    for bad in ({"runs": 1}, {"checked": -1}, {"seed": 0.5}):
        with pytest.raises(IomsimError, match="must be a whole number"):
            iom.pivotal(race, **({"runs": 10, "seed": 1} | bad))  # type: ignore[arg-type]
