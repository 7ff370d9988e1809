"""Tornadoes: ends against known answers, sorted, honest about noise, and mirrored where the scenario is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from toys import chance, elect, toy, voter

import iomsim as iom
from iomsim.errors import IomsimError, ScenarioError, UnknownNameError
from iomsim.forecasting.estimates import in_100, wilson
from iomsim.model.bodies import readings
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import mean_interval
from iomsim.sensitivity.tornado import RULES, Tornado

RUNS = 6000

PATHS = {"A": "candidates.A.appeal", "secrecy": "behaviour.secrecy", "W": "sponsors.W.strength"}


@pytest.fixture(scope="module")
def known() -> Tornado:
    """Return the tornado of an election of which every end is known."""
    return iom.tornado(voter(), parameters=list(PATHS), rules=False, runs=RUNS, seed=1)


@pytest.fixture(scope="module")
def geneva() -> Tornado:
    race = iom.load("geneva-2023")
    names = ["Washington", "secrecy", "yes_own", "consultation", "abstain"]
    return iom.tornado(race, "Tuesday", parameters=names, runs=1000, seed=1)


def fixed(race: Scenario, runs: int, seed: int) -> iom.Forecast:
    """Return a forecast on the best guesses, as tornadoes are."""
    return iom.forecast(race, runs, seed, assumptions="fixed", progress=False)


def error(p: float, q: float) -> float:
    """Return the standard error of the difference of two chances on common numbers: one always holds the other."""
    return float(np.sqrt((abs(p - q) + 1e-4) / RUNS))


# -- known answers ----------------------------------------------------------------------------------


def test_ends_are_what_is_known(known: Tornado) -> None:
    table, base = known.table(), chance()
    exact = {
        "A": (chance(appeal=-0.6), chance(appeal=1.0)),
        "secrecy": (chance(secrecy=0.2), chance(secrecy=0.8)),
        "W": (chance(strength=0.0), chance(strength=2.0)),
    }
    for name, ends in exact.items():
        row = table.loc[PATHS[name]]
        for end, truth in zip(("low", "high"), ends, strict=True):
            change = row[f"at_{end}"] - known.base["A"][0]
            assert abs(change - (truth - base)) < 4.5 * error(truth, base)
            assert row[f"at_{end}_from"] <= row[f"at_{end}"] <= row[f"at_{end}_to"]
        assert row["clear"]
    assert table["range"].is_monotonic_decreasing
    widths = {PATHS[name]: max(*ends, base) - min(*ends, base) for name, ends in exact.items()}
    assert list(table.index) == sorted(widths, key=lambda path: -widths[path])


def test_an_additive_election_adds_up() -> None:
    """Where the chance is a straight line, moving two assumptions is moving one and then the other."""
    wiggle = {"value": 0.0, "low": -0.1, "high": 0.1}
    race = toy(1, candidates=[{"name": "A", "appeal": wiggle}, {"name": "B", "appeal": wiggle}])
    race = race.with_behaviour(conviction=0, common_sd=0, region_sd=0, absent=0, abstain=0, cross_pressure_absence=0)
    found = iom.tornado(race, parameters=["A", "B"], rules=False, runs=20_000, seed=1)
    both = iom.compare(race, race.with_parameters({"candidates.A.appeal": 0.1, "candidates.B.appeal": -0.1}),
                       runs=20_000, seed=1, assumptions="fixed").table().loc["A", "difference"]  # fmt: skip
    up = found.bars["candidates.A.appeal"][0.1]["A"][0]
    down = found.bars["candidates.B.appeal"][-0.1]["A"][0]
    assert both == pytest.approx(up + down, abs=0.002)
    assert up == pytest.approx(0.025, abs=0.005)  # a quarter of a log-odds


def test_what_does_nothing_is_told_from_what_does(geneva: Tornado) -> None:
    table = geneva.table()
    assert not table.loc["behaviour.yes_own", "clear"]  # nobody stands alone under these rules
    assert table.loc["behaviour.yes_own", "range"] == 0
    assert table.loc["clock.consultation", "clear"]
    assert table.index[0] == "rules"


def test_luck_is_rarely_taken_for_an_effect() -> None:
    """Of twenty parameters that do next to nothing, about one may look clear."""
    nothing = {"value": 0, "low": -0.001, "high": 0.001}
    ties = [{"name": f"t{i}", "who": [f"M{i}"], "candidate": "A", "log_odds": nothing} for i in range(1, 21)]
    race = toy(20, ties=ties)
    found = iom.tornado(race, rules=False, parameters=[f"ties.t{i}.log_odds" for i in range(1, 21)], runs=1000, seed=2)
    assert found.table()["clear"].sum() <= 3


# -- targets, rules and words -----------------------------------------------------------------------


@pytest.mark.slow
def test_one_tornado_answers_for_every_target(geneva: Tornado) -> None:
    race, names = geneva.race, ["Washington", "secrecy", "yes_own", "consultation", "abstain"]
    for target in ("Vitorino", "no winner", "rounds"):
        alone = iom.tornado(race, target, parameters=names, runs=1000, seed=1)
        assert geneva.table(target).equals(alone.table())
        assert geneva.sentence(target) == alone.sentence()
        assert geneva.span(target) == alone.span()


def test_the_range_holds_the_base() -> None:
    """Where both ends lie on one side of the base, the bar still begins there."""
    found = iom.tornado(voter(), parameters={"A": (0.3, 1.0)}, rules=False, runs=2000, seed=1)
    row = found.table().iloc[0]
    assert found.base["A"][0] < row["at_low"] < row["at_high"]
    assert row["range"] == pytest.approx(row["at_high"] - found.base["A"][0])
    assert found.span() == pytest.approx((found.base["A"][0], row["at_high"]))


def test_ends_agree_with_compare(geneva: Tornado) -> None:
    other = geneva.race.with_pressure(Washington=1.14)
    pair = iom.compare(geneva.race, other, runs=1000, seed=1, assumptions="fixed").table()
    row = geneva.bars["sponsors.Washington.strength"][1.14]
    for target in pair.index:
        assert row[target].value == pytest.approx(pair.loc[target, "difference"])
        assert (row[target].high - row[target].low) / 2 == pytest.approx(pair.loc[target, "difference_error"])
        assert geneva.base[target][0] == pytest.approx(pair.loc[target, "a"])


def test_rule_sets_make_a_row(geneva: Tornado) -> None:
    sets = geneva.rule_sets()
    assert set(sets.index) == set(readings())
    assert sets.loc["until-two-thirds", "change"] == 0
    assert sets["value"].tolist() == pytest.approx(
        [fixed(geneva.race.with_rules(n), 1000, 1).spill().value for n in sets.index]
    )
    for target in ("spill", "no winner", "rounds"):
        row, sets = geneva.table(target).loc["rules"], geneva.rule_sets(target)
        assert (row["reading_low"], row["reading_high"]) == (sets["change"].idxmin(), sets["change"].idxmax())
        assert row["range"] == pytest.approx(sets["change"].max() - sets["change"].min())
    assert iom.tornado(geneva.race, parameters=["fluid"], rules=False, runs=10, seed=1).rule_sets().empty


def test_probabilities_stay_probabilities(geneva: Tornado) -> None:
    ends = geneva.table("spill").filter(like="at_")
    assert ((ends >= 0) & (ends <= 1)).all(axis=None)
    assert geneva.table("rounds")["at_high"].max() > 1


def test_the_span_holds_every_end(geneva: Tornado) -> None:
    for target in ("Pope", "spill", "rounds"):
        low, high = geneva.span(target)
        table = geneva.table(target)
        assert low == pytest.approx(table[["at_low", "at_high"]].min(axis=None))
        assert high == pytest.approx(table[["at_low", "at_high"]].max(axis=None))


def test_the_sentence_names_what_matters_most(geneva: Tornado, known: Tornado) -> None:
    words = geneva.sentence()
    assert "voting runs into Tuesday in <1 to " in words
    assert "what matters most is the rules (one-two-way: <1, strict: " in words
    assert f"(base {100 * geneva.base['spill'][0]:.0f})" in words
    beginning = "Over the ranges of the assumptions, one at a time and the others on the best guesses, "
    assert known.sentence().startswith(f"{beginning}A wins in ")
    assert "what matters most is A's appeal (-0.6: 48, 1: 82)" in known.sentence()
    assert "the mean number of rounds lies between " in geneva.sentence("rounds")
    assert "there is no winner in " in geneva.sentence("no winner")


def test_what_is_shown_is_what_is_clear_by_the_names_and_in_the_digits_of_readers(geneva: Tornado) -> None:
    told, table = geneva.in_words(), geneva.table()
    clear = table[table["clear"].astype(bool)]
    assert 0 < len(clear) < len(table)
    assert told.index.tolist() == [geneva.name(path) for path in clear.index]
    readings = told.loc["the rules", ["low", "high"]].tolist()
    assert readings == clear.loc[RULES, ["reading_low", "reading_high"]].tolist()
    value = clear.loc[RULES, "at_high"]
    low, high = wilson(round(1000 * value), 1000)
    assert told.loc["the rules", "at high"] == in_100(value, float(high - low) / 2)
    assert "the rules" in repr(geneva)
    assert "NaN" not in repr(geneva) + geneva._repr_html_()


def test_where_nothing_matters_the_sentence_says_so() -> None:
    """Everybody is pinned: three of four elect A whatever anybody assumes."""
    found = iom.tornado(elect("AAAB"), parameters=["decay", "fluid"], rules=False, runs=200, seed=1)
    assert "A wins in >98 to >98 of 100 elections (base >98); no single assumption moves it beyond" in found.sentence()


def test_the_sentence_has_no_more_digits_than_its_runs_support() -> None:
    found = iom.tornado(toy(15), parameters=["behaviour.decay"], rules=False, runs=200, seed=1)
    value = found.base["A"].value
    assert 0.2 < value < 0.8
    told = f"about {10 * round(10 * value)}"
    assert f"(base {told})" in found.sentence()
    title = found.plot.tornado().texts
    assert f"best guesses: {told}" in [text.get_text() for text in title]


@pytest.mark.slow
def test_a_forecast_has_its_own_tornado(geneva: Tornado) -> None:
    """On the best guesses, whatever the forecast played."""
    drawn, fc = iom.forecast(geneva.race, 500, seed=9, progress=False), fixed(geneva.race, 500, 9)
    assert iom.tornado(drawn, "spill", parameters=["fluid"]).bars == iom.tornado(fc, parameters=["fluid"]).bars
    assert drawn.spill().value != fc.spill().value
    found = iom.tornado(fc, "spill", parameters=["fluid"])
    assert (found.race, found.seed, found.runs, found.target) == (fc.race, 9, 500, "spill")
    spill, winners = fc.spill(), fc.win_probability()
    assert found.base["spill"].value == spill.value
    for name, row in winners.iterrows():
        assert found.base[str(name)].value == row["probability"]
    assert found.base["rounds"] == pytest.approx(mean_interval(fc.runs["rounds"].to_numpy(dtype=float)), rel=1e-3)
    with pytest.raises(IomsimError, match=r"or for the tornado of its scenario: iomsim\.tornado"):
        iom.tornado(replace(fc, announced=1))


# -- mirrored ---------------------------------------------------------------------------------------


def lopsided(first: str, second: str) -> Scenario:
    """Return an election in which the first leads; its mirror image has the names swapped."""
    sponsors = [
        {"name": "W", "backs": first, "strength": {"value": 0.8, "low": 0.2, "high": 1.6}},
        {"name": "E", "backs": second, "strength": {"value": 0.4, "low": 0.0, "high": 1.0}},
    ]
    who = {"X": [f"M{i}" for i in range(1, 9)], "Y": [f"M{i}" for i in range(9, 18)]}
    ties = [{"name": c, "who": who[c], "candidate": first, "log_odds": value} for c, value in (("X", 0.6), ("Y", -0.2))]
    return toy(17, sponsors=sponsors, ties=ties, rules="until-two-thirds")


@pytest.mark.slow
def test_a_mirrored_scenario_has_the_mirrored_tornado() -> None:
    """With names and backers swapped, B's tornado is A's, bar by bar within the noise, and no other's."""
    names = ["W", "E", "secrecy", "fluid", "conviction"]
    one = iom.tornado(lopsided("A", "B"), "A", parameters=names, runs=4000, seed=1)
    other = iom.tornado(lopsided("B", "A"), "B", parameters=names, runs=4000, seed=2)
    assert mirrored(one, "A", other, "B") < 4.5
    assert mirrored(one, "spill", other, "spill") < 4.5
    assert mirrored(one, "A", other, "A") > 10  # the law can fail


def mirrored(one: Tornado, target: str, other: Tornado, image: str) -> float:
    """Return by how many standard errors the ends of two tornadoes differ at most."""
    worst = 0.0
    for path, ends in one.bars.items():
        for value, change in ends.items():
            a, b = np.array(change[target]), np.array(other.bars[path][value][image])
            spread = np.hypot(a[2] - a[1], b[2] - b[1]) / (2 * 1.96)
            worst = max(worst, abs(a[0] - b[0]) / spread)
    return worst


# -- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"target": "Tusday"}, UnknownNameError, "no target named 'Tusday'; did you mean 'Tuesday'"),
        ({"target": "Monday"}, IomsimError, "ask for 'Tuesday'"),
        ({"parameters": ["secrcy"]}, UnknownNameError, "did you mean 'secrecy'"),
        ({"parameters": ["B"]}, ScenarioError, "B has no range"),
        ({"parameters": {"W": (2, 1)}}, ScenarioError, "the low of W must be below its high, got 2 and 1"),
        ({"runs": 1}, IomsimError, "runs must be a whole number of at least 2, got 1"),
        ({"seed": "x"}, IomsimError, "seed must be a whole number"),
    ],
)
def test_a_bad_tornado_is_refused(how: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        iom.tornado(voter(), **({"runs": 10, "seed": 1} | how))


def test_other_ranges_may_be_given() -> None:
    found = iom.tornado(voter(), parameters={"W": (0.5, 4.0)}, rules=False, runs=RUNS, seed=1)
    row = found.table().loc["sponsors.W.strength"]
    assert (row["value_low"], row["value_high"]) == (0.5, 4.0)
    assert row["at_high"] == pytest.approx(chance(strength=4.0), abs=0.03)


def test_the_rules_have_a_row_where_there_are_several_readings() -> None:
    who = iom.start("who", ["A", "B"])
    alone = iom.tornado(who, parameters=["fluid"], runs=100, seed=1)
    assert alone.table().index.tolist() == ["behaviour.fluid"]  # one reading: nothing to compare
    assert alone.rule_sets().empty
    assert "the rules" not in alone.sentence()
    assert alone.plot.tornado().get_title()
    own = iom.tornado(elect("AAABB", rules={"name": "own", "threshold": "3/5"}), parameters=["fluid"], runs=100, seed=1)
    assert RULES not in own.bars
    changed = iom.tornado(who.with_rules(threshold=">1/2"), parameters=["fluid"], runs=100, seed=1)
    assert changed.rule_sets().index.tolist() == ["rule-110, changed", "rule-110"]
    assert changed.rule_sets().loc["rule-110, changed", "change"] == 0
    several = iom.tornado(iom.start("iaea", ["A", "B"]), parameters=["fluid"], runs=100, seed=1)
    assert several.rule_sets().index.tolist() == ["procedure-2019", "procedure-2009"]
