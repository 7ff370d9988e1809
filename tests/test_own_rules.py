"""Rules that are a shipped set changed in parts are never taken for it."""

from __future__ import annotations

from toys import elect

import iomsim as iom
from iomsim.rules.ruleset import RULE_SETS


def test_rules_of_its_own_stand_beside_the_shipped_ones() -> None:
    race = elect("AAABBB", rules={"name": "strict", "max_rounds": 1})
    fc = iom.forecast(race, runs=50, seed=4, progress=False)
    sides = fc.rule_sets()
    assert sides.index.tolist() == ["strict, changed", *RULE_SETS]
    assert sides.loc["strict, changed"].to_dict() == fc.as_row() != sides.loc["strict"].to_dict()
    assert fc.stamp().endswith("rules strict, changed")
    assert " rule sets" in fc.answer()
    assert fc.answer().count("5 rule sets") == 1
    assert "takes 1 or more rounds in the median (80 % range: 1 to 1 or more)" in fc.answer()


def test_a_shipped_set_keeps_its_name() -> None:
    race = iom.load("minimal")
    assert [race.with_rules(name).rules.label for name in RULE_SETS] == list(RULE_SETS)
    assert race.with_rules(iom.Rules(name="mine", concession=False)).rules.label == "mine"


def test_the_briefing_tells_what_was_changed() -> None:
    told = str(iom.load("iom-2018").with_rules(max_rounds=5))
    assert "until-two-thirds, changed: elected with 2/3" in told
    assert "given up after round 5" in told
    assert "the last is out after round 3" in told
    assert "no cap" not in told


def test_a_comparison_tells_the_two_apart() -> None:
    race = iom.load("minimal")
    found = iom.compare(race, race.with_rules("strict", max_rounds=2), runs=50, seed=1)
    assert found.sentence().startswith("With rules strict, changed instead of until-two-thirds,")
