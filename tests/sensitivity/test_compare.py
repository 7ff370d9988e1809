"""Comparisons: run by run, exactly zero where nothing differs, refused where nothing can be paired."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from toys import classes, elect, play, tallies, toy

import iomsim as iom
from iomsim.engine.plan import draw
from iomsim.errors import IomsimError, PairingError
from iomsim.model.components import Tie
from iomsim.model.differences import differences, phrase
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.compare import DIFFERENCE, chance_moves, moves, points
from iomsim.sensitivity.paired import paired_interval

NAMED = {"candidates": [{"name": "A"}, {"name": "B"}]}
SPONSORS = [{"name": "W", "backs": "A", "strength": 0.8}, {"name": "E", "backs": "B", "strength": 0.5}]


@pytest.fixture(scope="module")
def geneva() -> Scenario:
    return iom.load("geneva-2023")


def row(difference: float, mc_error: float, low: float = np.nan, high: float = np.nan) -> pd.Series:
    return pd.Series([difference, low, high, mc_error, abs(difference) > mc_error], DIFFERENCE)


# -- zero, and what does not shift ------------------------------------------------------------------


def test_a_scenario_differs_from_itself_by_exactly_nothing(geneva: Scenario) -> None:
    other = iom.loads(iom.dumps(geneva))
    for found in (iom.compare(geneva, geneva, runs=300, seed=1), iom.compare(geneva, other, runs=300, seed=1)):
        table = found.table()
        assert (table[["difference", "difference_low", "difference_high"]] == 0).all(axis=None)
        assert not table["clear"].any()
        assert "does not move" in found.sentence()


def test_the_two_sides_are_the_forecasts_own_numbers(geneva: Scenario) -> None:
    other = geneva.with_pressure(Washington=0)
    table = iom.compare(geneva, other, runs=700, seed=3).table()
    for side, race in (("a", geneva), ("b", other)):
        fc = iom.forecast(race, runs=700, seed=3, progress=False)
        assert (
            table[side].loc[["Pope", "Vitorino", "no winner"]].tolist() == fc.win_probability()["probability"].tolist()
        )
        assert table.loc["spill", side] == fc.spill().value
        assert table.loc["rounds", side] == fc.runs["rounds"].mean()
    assert np.allclose(table["difference"], table["b"] - table["a"], atol=1e-12)


def same_elections(a: Scenario, b: Scenario, runs: int = 400) -> bool:
    """Say whether two scenarios play the same elections, to the last paper."""
    one, other = play(a, runs), play(b, runs)
    return bool(np.array_equal(one.votes, other.votes) and np.array_equal(one.minute, other.minute))


def idle(name: str) -> dict[str, Any]:
    return {"name": name, "backs": "A", "strength": 0.0}


def test_further_and_reordered_ties_shift_nobody() -> None:
    ties = [{"name": n, "who": [f"M{n}"], "candidate": "A", "log_odds": float(n)} for n in ("1", "2", "3")]
    nothing = {"name": "0", "who": ["M4"], "candidate": "B", "log_odds": 0.0}
    race = toy(ties=ties, sponsors=SPONSORS)
    assert same_elections(race, toy(ties=[nothing, *ties[::-1]], sponsors=SPONSORS))
    assert not same_elections(race, toy(ties=[*ties, nothing | {"log_odds": 1.0}], sponsors=SPONSORS))


def test_a_sponsor_added_behind_the_others_leaves_their_numbers_alone() -> None:
    race = toy(sponsors=SPONSORS)
    assert same_elections(race, toy(sponsors=[*SPONSORS, idle("N")]))


def test_a_sponsor_s_numbers_go_with_its_name_not_with_its_place() -> None:
    assert same_elections(toy(sponsors=SPONSORS), toy(sponsors=[idle("N"), *SPONSORS]))
    assert same_elections(toy(sponsors=SPONSORS), toy(sponsors=SPONSORS[::-1]))
    renamed = [SPONSORS[0] | {"name": "Washington"}, SPONSORS[1]]
    assert not same_elections(toy(sponsors=SPONSORS), toy(sponsors=renamed))


@pytest.mark.parametrize(
    "change",
    [
        {"sponsors.W.strength": 2.0},
        {"sponsors.E.spread": 0.0},
        {"behaviour.secrecy": 0.0, "behaviour.fluid": 0.2},
        {"behaviour.conviction": 0.5, "behaviour.absent": 0.3, "candidates.B.appeal": 1.0},
    ],
)
def test_no_parameter_shifts_what_is_drawn(change: dict[str, float]) -> None:
    race = toy(sponsors=SPONSORS)
    other = race.with_parameters(change)
    one, two = (draw(r.plan, 1, 0, 200) for r in (race, other))
    for name in ("keys", "campaign", "appeal", "region", "conviction"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert not (one.absent & ~two.absent).any()  # who was away stays away
    assert not (two.fluid & ~one.fluid).any()


# -- pressure, run by run ---------------------------------------------------------------------------


def first_votes(race: Scenario, seed: int, candidate: int, runs: int = 600) -> NDArray[np.int16]:
    return tallies(play(race, runs, seed), 1, candidate)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["two", "three", "two classes", "geneva"])
def test_more_pressure_never_loses_a_first_round_vote(kind: str, geneva: Scenario) -> None:
    third = {"name": "N", "backs": "C", "strength": 0.4}
    race = {
        "two": toy(21, sponsors=SPONSORS),
        "three": toy(21, "ABC", sponsors=[*SPONSORS, third]),
        "two classes": classes((8, 9), (-1.0, 1.0), sponsors=SPONSORS),
        "geneva": geneva,
    }[kind]
    for sponsor in race.sponsors:
        k = race.names.index(sponsor.backs)
        steps = [race.with_pressure(**{sponsor.name: strength}) for strength in (0.0, 0.1, 1.0, 3.0)]
        votes = np.stack([first_votes(step, 1, k) for step in steps])
        assert (np.diff(votes, axis=0) >= 0).all()
        assert (votes[-1] > votes[0]).any()


def test_the_law_above_needs_the_same_numbers(geneva: Scenario) -> None:
    weak, strong = geneva.with_pressure(Washington=0.6), geneva.with_pressure(Washington=0.7)
    assert (first_votes(strong, 2, 0) < first_votes(weak, 1, 0)).any()


# -- errors -----------------------------------------------------------------------------------------


def test_intervals_by_hand() -> None:
    """Four runs of which one changes hands; six of which one goes each way; whole rounds."""
    middle, low, high = paired_interval(np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 1, 1]))
    half = 1.959964 * np.sqrt(1.5 + 0.5 - 1 / 6) / 6
    assert (middle, low, high) == pytest.approx((0.25, 1 / 6 - half, 1 / 6 + half))
    middle, low, high = paired_interval(np.array([0.0, 1, 1, 0, 0, 0]), np.array([1.0, 0, 1, 0, 0, 0]))
    assert (middle, low, high) == pytest.approx((0.0, -1.959964 * np.sqrt(3) / 8, 1.959964 * np.sqrt(3) / 8))
    middle, low, high = paired_interval(np.array([1.0, 2, 3]), np.array([1.0, 4, 7]))
    assert (middle, low, high) == pytest.approx((2.0, 2 - 1.959964 * 2 / np.sqrt(3), 2 + 1.959964 * 2 / np.sqrt(3)))


@pytest.mark.parametrize(("up", "down"), [(0.02, 0.005), (0.3, 0.1), (0.001, 0.0)])
def test_intervals_cover(up: float, down: float) -> None:
    """Of 2000 comparisons of 400 runs, some 95 of 100 intervals hold the true difference."""
    u = np.random.default_rng(1).random((2000, 400))
    a, b = ((u < down).astype(float), ((u >= down) & (u < down + up)).astype(float))
    ends = np.array([paired_interval(x, y) for x, y in zip(a, b, strict=True)])
    covered = ((ends[:, 1] <= up - down) & (up - down <= ends[:, 2])).mean()
    assert 0.94 <= covered <= 1.0
    assert up < 0.01 or covered < 0.97  # nor are they so wide that they say nothing


@pytest.mark.slow
def test_common_random_numbers_reduce_the_variance(geneva: Scenario) -> None:
    """Thirty small comparisons with common numbers, and thirty without: the factor is printed."""
    other = geneva.with_pressure(Washington=0.8)
    wins = {
        (name, seed): (play(race, 256, seed).winner == 0).mean()
        for name, race in (("a", geneva), ("b", other))
        for seed in range(60)
    }
    together = np.var([wins["b", seed] - wins["a", seed] for seed in range(30)], ddof=1)
    apart = np.var([wins["b", seed + 30] - wins["a", seed] for seed in range(30)], ddof=1)
    promised = iom.compare(geneva, other, runs=4000, seed=1).variance_ratio()
    print(f"common random numbers: variance divided by {apart / together:.1f} (promised {promised['Pope']:.1f})")
    assert apart / together > 2
    assert 0.4 < (apart / together) / promised["Pope"] < 2.5
    assert promised["spill"] > 1.5


def test_without_common_numbers_nothing_is_gained(geneva: Scenario) -> None:
    a = iom.forecast(geneva, runs=3000, seed=1, progress=False)
    b = iom.forecast(geneva.with_pressure(Washington=0.8), runs=3000, seed=2, progress=False)
    factor = iom.compare(a, replace(b, seed=1)).variance_ratio()["Pope"]  # a lie about the seed
    assert 0.9 < factor < 1.1


def test_the_variance_ratio_is_never_undefined() -> None:
    sure = elect("AAAB")
    ratio = iom.compare(sure, sure, runs=20, seed=1).variance_ratio()
    assert (ratio == 1).all()
    race = toy()
    assert np.isinf(iom.compare(race, race, runs=200, seed=1).variance_ratio()["A"])


# -- sentences --------------------------------------------------------------------------------------


def test_the_sentence_says_what_the_pressure_is_worth(geneva: Scenario) -> None:
    found = iom.compare(geneva, geneva.with_pressure(Washington=0), runs=4000, seed=1)
    table, words = found.table(), found.sentence()
    assert words.startswith("Without Washington's pressure Pope's chance falls by ")
    assert f"{-100 * table.loc['Pope', 'difference']:.0f} points" in words
    assert "; the chance that voting runs into Tuesday falls by " in words
    assert "points (" in words
    assert " over the assumptions)" in words
    assert words in " ".join(repr(found).split())
    assert "Washington&#x27;s" in found._repr_html_()


def test_a_difference_within_noise_is_called_so(geneva: Scenario) -> None:
    words = iom.compare(geneva, geneva.with_behaviour(secrecy=0.401), runs=1000, seed=1).sentence()
    assert words.startswith("With secrecy at 0.401 instead of 0.4, Pope's chance does not move")
    assert "the chance that voting runs into Tuesday does not move beyond the simulation error (" in words


def test_of_three_the_one_who_moves_most_is_named() -> None:
    race = toy(31, "ABC", sponsors=[{"name": "N", "backs": "C", "strength": 0.0}])
    words = iom.compare(race, race.with_pressure(N=3.0), runs=500, seed=1).sentence()
    assert ", C's chance rises by " in words


def test_more_deadlock_is_told_when_it_matters(geneva: Scenario) -> None:
    words = iom.compare(geneva, geneva.with_rules("one-two-way"), runs=500, seed=1).sentence()
    assert "; the chance of no winner rises by " in words
    assert "no winner" not in iom.compare(geneva, geneva.with_pressure(Brussels=0.5), runs=500, seed=1).sentence()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (row(-0.141, 0.01, -0.24, -0.06), "A's chance falls by 14 points (6 to 24 over the assumptions)"),
        (row(-0.141, 0.01), "A's chance falls by 14 points"),
        (row(0.0093, 0.002), "A's chance rises by 0.9 points"),
        (row(0.0100, 0.0004), "A's chance rises by 1.0 point"),
        (
            row(0.012, 0.003, -0.002, 0.022),
            "A's chance rises by 1.2 points (from a fall of 0.2 to a rise of 2.2 over the assumptions)",
        ),
        (row(-0.01, 0.02), "A's chance does not move beyond the simulation error (2.0 points)"),
        (row(0.0, 0.0), "A's chance does not move"),
        (row(0.0, 0.0004), "A's chance does not move"),
    ],
)
def test_words_for_a_chance(given: pd.Series, words: str) -> None:
    assert chance_moves("A", given) == words


def test_words_for_another_chance() -> None:
    assert moves("the chance of no winner", row(0.3, 0.01)) == "the chance of no winner rises by 30 points"
    assert points(row(0.02, 0.008, 0.012, 0.028)) == "2 points (1 to 3 over the assumptions)"


def test_another_next_day_is_not_called_tuesday(geneva: Scenario) -> None:
    other = geneva.with_clock(days=("Mon", "Wed"))
    assert (
        "; the chance that voting runs into a second day does not move"
        in iom.compare(geneva, other, runs=100, seed=1).sentence()
    )


# -- what differs -----------------------------------------------------------------------------------


def test_every_difference_has_its_words(geneva: Scenario) -> None:
    tie = Tie(name="a pledge", who=("Chile",), candidate="Pope", log_odds=iom.Quantity(value=1, low=1, high=1))
    assert differences(geneva, geneva) == []
    assert differences(geneva, geneva.with_parameters({"ties.European Union.log_odds": 1.0})) == [
        "EU members' loyalty to Vitorino at 1 instead of 1.9"
    ]
    assert differences(geneva, geneva.with_ties(tie)) == ["loyalty to Pope (a pledge)"]
    assert differences(geneva.with_ties(tie), geneva) == ["without loyalty to Pope (a pledge)"]
    moved = tie.model_copy(update={"who": ("Peru",)})
    assert differences(geneva.with_ties(tie), geneva.with_ties(moved)) == [
        "loyalty to Pope (a pledge), aimed otherwise"
    ]
    assert differences(geneva, geneva.with_pinned(Pope=["FRA", "Chile"])) == ["France and Chile won over to Pope"]
    assert differences(geneva.with_pinned(Pope=["FRA"]), geneva) == ["without France pinned to Pope"]
    three = geneva.with_pinned(Vitorino=["FRA", "DEU", "ITA"])
    assert differences(geneva, three) == ["France, Germany and Italy won over to Vitorino"]
    many = geneva.with_pinned(Vitorino=["FRA", "DEU", "ITA", "ESP"])
    assert differences(geneva, many) == ["four members won over to Vitorino"]
    one = geneva.with_rules("until-two-thirds")
    assert differences(one, one.with_rules(concession=False)) == ["withdrawal none instead of acclamation"]
    assert differences(one, one.with_rules(max_two_way=3)) == ["other phases of the rules"]
    assert differences(one, one.with_rules(base="entitled", max_rounds=12)) == [
        "base entitled instead of valid",
        "max rounds 12 instead of 40",
    ]
    assert differences(one, one.with_rules(simple_majority_from=2, eliminate_after=1)) == [
        "other phases of the rules",
        "threshold 2/3, >1/2 instead of 2/3",
    ]
    four = geneva.with_rules("four-rounds")
    assert differences(four, four.with_rules(after="suspend")) == ["after suspend instead of fail"]
    assert differences(one, four) == ["rules four-rounds instead of until-two-thirds"]
    assert differences(one, one.with_rules(source="the text")) == []
    later = geneva.with_clock(opens=datetime(2023, 5, 15, 11))
    assert differences(geneva, later) == ["another clock (opens)"]
    assert differences(geneva, geneva.with_clock(sits_on=0.5)) == ["chance of sitting on late at 0.5 instead of 0.25"]


def test_differences_of_beliefs_have_their_words(geneva: Scenario) -> None:
    """Ranges, readings and levels move results, whatever the best guesses are."""
    assert differences(geneva, geneva.with_pressure(Washington=(0.6, 0.5, 0.7))) == [
        "Washington's strength at 0.6 (0.5 to 0.7) instead of 0.6 (0.32 to 1.14)"
    ]
    sure = geneva.with_behaviour(fluid=(0.7, 0.7, 0.7))
    assert differences(geneva, sure) == ["chance of a fluid contest at 0.7 for sure instead of 0.7 (0.55 to 0.88)"]
    assert differences(geneva, geneva.balanced(0.55)) == ["Pope's first-round level at 0.55 instead of 0.5"]
    pressed = geneva.with_pressure(Washington=0.9)
    assert differences(pressed, pressed.balanced(0.5)) == ["the level stated anew"]
    assert differences(pressed.balanced(0.5), pressed) == ["a level that was stated for other assumptions"]
    plain, stated = toy(**NAMED), toy(**NAMED, level={"A": 0.6})
    assert differences(plain, stated) == ["A's first-round level stated as 0.6"]
    assert differences(stated, plain) == ["without A's first-round level"]


def test_differences_of_sponsors_and_electorates() -> None:
    race = toy(sponsors=SPONSORS)
    assert differences(race, toy(sponsors=[*SPONSORS, idle("N")])) == ["N's pressure for A"]
    assert differences(race, toy(sponsors=SPONSORS[::-1])) == ["the sponsors in another order"]
    turned = [SPONSORS[0] | {"backs": "B"}, SPONSORS[1]]
    assert differences(race, toy(sponsors=turned)) == ["W's pressure for B, aimed otherwise"]
    silent = toy(sponsors=SPONSORS, electorate={"size": 15, "without_vote": ("M1",)})
    assert differences(race, silent) == ["M1 without a vote"]
    assert differences(silent, race) == ["a vote for M1"]
    assert differences(race, toy(16, sponsors=SPONSORS)) == ["another electorate"]


def test_changes_begin_a_sentence() -> None:
    three = ["a 1 instead of 2", "b 3 instead of 4", "without c"]
    assert phrase(three) == "With a 1 instead of 2 and b 3 instead of 4, and without c,"
    assert phrase(["without a", "without b"]) == "Without a and b,"
    assert phrase(["a", "b", "c"]) == "With a, b and c,"
    assert phrase(["a", "b", "c", "d"]) == "With four changes,"


# -- refusals ---------------------------------------------------------------------------------------


def made(race: Scenario, **how: Any) -> iom.Forecast:
    return iom.forecast(race, **({"runs": 60, "seed": 1, "progress": False} | how))


def members(order: str) -> dict[str, Any]:
    return {"electorate": {"table": tuple({"name": letter} for letter in order)}}


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (toy(names="AB"), toy(names="AC"), "the candidates differ, so that runs cannot be paired: B, C only in one"),
        (toy(names="AB"), toy(names="BA"), "the candidates stand in another order"),
    ],
)
def test_other_candidates_cannot_be_compared(a: Scenario, b: Scenario, words: str) -> None:
    with pytest.raises(PairingError, match=words):
        iom.compare(a, b, runs=10, seed=1)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (toy(9), toy(11), "the members differ, so that runs cannot be paired: M10, M11 only in one"),
        (toy(9), toy(15), "M10, M11, M12 and 3 more only in one"),
        (toy(**members("abcd")), toy(**members("abdc")), "the members stand in another order"),
    ],
)
def test_elections_of_other_members_are_compared_unpaired(a: Scenario, b: Scenario, words: str) -> None:
    found = iom.compare(a, b, runs=100, seed=1)
    assert words in found.unpaired
    assert f" (not paired: {found.unpaired})." in found.sentence()
    with pytest.raises(PairingError, match="these forecasts are not paired: the members"):
        found.variance_ratio()


def test_other_forecasts_are_compared_unpaired() -> None:
    race = toy(9)
    base = made(race)
    for other, words in (
        (made(race, seed=2), r"the seeds differ (1 and 2); make both forecasts with the same seed"),
        (made(race, runs=61), r"the numbers of runs differ (60 and 61)"),
        (made(race, assumptions=20), "the draws of the assumptions differ (400 and 20)"),
        (made(race, assumptions="fixed"), "the draws of the assumptions differ (400 and fixed)"),
        (made(race, keep="summary"), "kept only its summary cannot be paired; make it with keep='runs'"),
        (replace(base, announced=1), "knows announced rounds"),
        (replace(base, version="0.0.1"), "and 0.0.1; make them again with the same one"),
    ):
        found = iom.compare(base, other)
        assert words in found.unpaired
        assert words in found.sentence()
        table = found.table()
        assert table[["difference_low", "difference_high"]].isna().all(axis=None)
        expected = np.hypot(base.spill().mc_error, other.spill().mc_error)
        assert table.loc["spill", "difference_error"] == pytest.approx(expected)
        assert table.loc["spill", "difference"] == pytest.approx(other.spill().value - base.spill().value)
    one = iom.compare(race, race, runs=1, seed=1)
    assert "one run is not enough" in one.unpaired


def test_only_scenarios_and_forecasts_are_compared() -> None:
    with pytest.raises(PairingError, match="can be compared, got str"):
        iom.compare(toy(), "geneva-2023")  # type: ignore[arg-type]


def test_a_scenario_beside_a_forecast_takes_its_runs_and_seed() -> None:
    race = toy(9)
    other = race.with_behaviour(abstain=0.5)
    found = iom.compare(made(race), other)
    assert found.table().equals(iom.compare(race, other, runs=60, seed=1).table())
    assert (found.runs, found.seed) == (60, 1)
    with pytest.raises(PairingError, match="the forecast given has runs 60; leave runs=100 out"):
        iom.compare(made(race), other, runs=100)
    with pytest.raises(PairingError, match="has seed 1; leave seed=2 out"):
        iom.compare(other, made(race), seed=2)


def test_a_seed_is_drawn_and_kept() -> None:
    race = toy(9)
    found = iom.compare(race, race.with_behaviour(abstain=0.5), runs=40)
    again = iom.compare(race, race.with_behaviour(abstain=0.5), runs=40, seed=found.seed)
    assert found.table().equals(again.table())
    assert f"seed {found.seed} · 40 runs each" in found.stamp()


# -- what the sides are called ------------------------------------------------------------------------


def test_the_sides_are_called_by_name() -> None:
    race = toy(5)
    other = race.model_copy(update={"title": "Another"})
    named = iom.compare(race, other, runs=20, seed=1, names=("as it is", "otherwise"))
    assert named.table().columns.tolist() == ["as it is", "otherwise", *DIFFERENCE]
    assert iom.compare(race, other, runs=20, seed=1).names == (race.title, "Another")
    assert iom.compare(race, race, runs=20, seed=1).names == ("a", "b")
    taken = race.model_copy(update={"title": "clear"})
    assert iom.compare(race, taken, runs=20, seed=1).names == ("a", "b")


@pytest.mark.parametrize("names", ["ab", ("a",), ("a", "a"), ("a", "clear"), ("a", 5), ("a", "b\n"), ("a", "b", "c")])
def test_names_of_sides_that_are_none(names: Any) -> None:
    with pytest.raises(IomsimError, match=r'names must be two different ones, such as \("secret", "public"\), got '):
        iom.compare(toy(5), toy(5), runs=20, seed=1, names=names)
