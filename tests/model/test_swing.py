"""Swings as a description: what is refused, what changes its hash, how they are told, and who takes none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import STILL, as_an_editor_sees, lean, play, same, toy, unsure

import iomsim as iom
from iomsim.model.assumptions import draw_assumptions
from iomsim.model.differences import differences
from iomsim.model.scenario import Scenario, build

TABLE = [{"name": f"M{i}", "region": "NSE"[i % 3] * 2, "near": i % 2} for i in range(12)]


def race(**parts: Any) -> Scenario:
    electorate = {"table": TABLE, "group": "region", "own_groups": {"The Club": "near and not region=EE"}}
    return toy(electorate=electorate | parts.pop("electorate", {}), **parts)


def who(changed: Scenario) -> list[int]:
    return np.flatnonzero(changed.plan.swings[-1].who).tolist()


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        ("EE", [2, 5, 8, 11]),
        ("NN", [0, 6]),
        ("The Club", [1, 3, 7, 9]),
        ("region=NN", [0, 3, 6, 9]),
        ("near", [1, 3, 5, 7, 9, 11]),
        ("near and region=EE", [5, 11]),
        ("all", list(range(12))),
        ("M4", [4]),
        (["M4", "M2"], [2, 4]),
        (("M4", "M2", "M2"), [2, 4]),
        ({"M3"}, [3]),
        (iter(["M7"]), [7]),
    ],
)
def test_a_swing_is_of_a_group_a_selector_or_names(asked: Any, members: list[int]) -> None:
    assert who(race().swing(1, asked, to="A")) == members


REFUSED: list[tuple[Callable[[Scenario], Any], str]] = [
    (lambda r: r.swing(0, "NN", to="A"), "the count of a swing must be a whole number of at least 1, got 0"),
    (lambda r: r.swing(2.0, "NN", to="A"), "the count of a swing must be a whole number of at least 1, got 2.0"),
    (lambda r: r.swing(True, "NN", to="A"), "the count of a swing must be a whole number of at least 1, got True"),
    (lambda r: r.swing(1, "NN", to="C"), "no candidate named 'C'; there are A, B"),
    (
        lambda r: r.swing(1, "N", to="A"),
        "toy: the swing of 1 of the N members to A: no group of members named 'N'; did you mean",
    ),
    (lambda r: r.swing(1, "Club", to="A"), "did you mean 'The Club'\\? the groups are EE, NN, SS, The Club$"),
    (lambda r: r.swing(1, "Arabs", to="A"), "no group of members named 'Arabs'; the groups are EE, NN, SS, The Club$"),
    (lambda r: r.swing(1, "near and far", to="A"), "no column 'far' in the member table"),
    (lambda r: r.swing(1, "region", to="A"), "column 'region' is not a yes/no column"),
    (lambda r: r.swing(1, ["M1", "M99"], to="A"), "no member named 'M99'"),
    (lambda r: r.swing(1, 7, to="A"), "a swing is of a group, a selector or a list of members, got 7"),
    (lambda r: r.swing(1, [], to="A"), r"a swing is of a group, a selector or a list of members, got \[\]"),
    (lambda r: r.swing(1, "", to="A"), "a swing is of a group, a selector or a list of members, got ''"),
    (lambda r: r.swing(5, "EE", to="A"), "asks for 5 members, but only 4 are free to go over"),
    (lambda r: r.with_pinned(A=["M2"], B=["M5"]).swing(3, "EE", to="A"), "but only 2 are free to go over: not pinned"),
    (lambda r: r.swing(2, "EE", to="A").with_pinned(A=["M2", "M5", "M8"]), "but only 1 is free to go over"),
    (lambda r: r.swing(2, "EE", to="A").swing(3, "EE", to="B"), "2 swings together for 5, but only 4 are free"),
    (lambda r: r.swing(3, ["M2", "M5", "M8"], to="A").swing(2, "EE", to="B"), "2 swings together for 5, but only 4"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_swing_is_refused_in_a_sentence(number: int) -> None:
    change, said = REFUSED[number]
    with pytest.raises(iom.IomsimError, match=said) as caught:
        change(race())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"count": 0, "who": "EE", "to": "A"}, "swings.1.count must be at least 1, got 0"),
        ({"count": 1.5, "who": "EE", "to": "A"}, "swings.1.count must be a whole number, got 1.5"),
        ({"count": 1, "who": "EE"}, "'swings.1.to' is missing"),
        ({"count": 1, "who": "EE", "too": "A"}, "unknown key 'swings.1.too'; did you mean 'to'?"),
        ({"count": 1, "who": 3, "to": "A"}, "swings.1.who must be a text or a list of texts, got 3"),
        ({"count": 1, "who": "EE", "to": "C"}, "the swing of 1 of the EE members to C goes to 'C', who does not stand"),
    ],
)
def test_in_a_file_too(wrong: dict[str, Any], said: str, checker: Any) -> None:
    described = {"electorate": {"size": 3}, "candidates": [{"name": "A"}, {"name": "B"}], "swings": [wrong]}
    with pytest.raises(iom.ScenarioError) as caught:
        build(described)
    assert said in str(caught.value)
    if wrong.get("to") != "C":
        assert list(checker.iter_errors(described)) != []


def test_a_file_holds_it(checker: Any) -> None:
    changed = race().swing(2, "EE", to="A").swing(1, ["M1", "M3"], to="B")
    text = iom.dumps(changed)
    assert "[[swings]]" in text
    assert iom.loads(text) == changed
    assert list(checker.iter_errors(as_an_editor_sees(text))) == []
    assert "swings" not in iom.dumps(race())
    short = iom.loads(iom.dumps(race()) + '\n[[swings]]\ncount = 2\nwho = "EE"\nto = "A"\n')
    assert short.hash == race().swing(2, "EE", to="A").hash


def test_the_hash_is_that_of_what_is_played() -> None:
    base = race()
    changes = [base.swing(*asked) for asked in ((1, "EE", "A"), (2, "EE", "A"), (2, "EE", "B"), (2, "NN", "B"))]
    both = [base.swing(1, "EE", "A").swing(1, "NN", "B"), base.swing(1, "NN", "B").swing(1, "EE", "A")]
    assert len({one.hash for one in [base, *changes, *both]}) == 7
    assert base.swing(1, "EE", to="A").without_swings().hash == base.hash
    assert build({**dict(base), "swings": ()}).hash == base.hash
    changed = base.swing(1, "EE", to="A")
    rumour = build({**dict(base), "swings": [{"count": 1, "who": "EE", "to": "A", "source": "a rumour"}]})
    assert rumour.hash == changed.hash
    values = {"behaviour.secrecy": 0.7}
    assert changed.hash_with(values) == changed.with_parameters(values).hash != base.hash_with(values)


def test_other_what_ifs_keep_it() -> None:
    changed = race().swing(2, "EE", to="A")
    for again in (changed.with_behaviour(absent=0.2), changed.with_rules("four-rounds"), changed.with_pinned(B="M1")):
        assert again.swings == changed.swings
        assert len(again.plan.swings) == 1


def test_differences_tell_it() -> None:
    base = lean("BBBBBBAA")
    one, two = base.swing(3, "all", to="A"), base.swing(3, "all", to="A").swing(1, ["M7", "M8"], to="B")
    assert differences(base, one) == ["3 of all members to A"]
    assert differences(one, base) == ["without 3 of all members to A"]
    assert differences(one, two) == ["1 of M7 and M8 to B"]
    assert differences(one, base.swing(2, "all", to="A")) == ["2 of all members to A", "without 3 of all members to A"]
    again = base.swing(1, ["M7", "M8"], to="B").swing(3, "all", to="A")
    assert differences(two, again) == ["the swings in another order"]
    many = base.swing(1, ["M1", "M2", "M3", "M4"], to="A")
    assert differences(base, many) == ["1 of 4 members to A"]


def test_that_fewer_are_left_is_said() -> None:
    few = lean("AAAAAB").swing(3, "all", to="A")
    said = "3 of all members to A (1.0 on average, as fewer are left in every run)"
    assert differences(few.without_swings(), few) == [said]
    assert "of 6 members, 1.0 go over on average: in 1024 of 1024 runs fewer than 3 are left" in repr(few)
    assert "of 6 members, 3 go over in every run" in repr(lean("ABBBBB").swing(3, "all", to="A"))
    assert "Swing:" in repr(few)
    assert "Swing:" not in repr(few.without_swings())


def test_evidence_has_a_row_for_it() -> None:
    row = race().swing(2, "EE", to="A").evidence().loc["swings.2 of the EE members to A"]
    assert (row["value"], row["unit"], row["grade"], row["source"]) == (2, "members", "assumed", "set by the user")


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_a_level_is_that_before_the_swing(names: str) -> None:
    base = unsure(21, names)
    changed = base.swing(5, "all", to="B")
    assert changed.plan.values == base.plan.values
    one, other = (draw_assumptions(each, 1, 50).parameters for each in (base, changed))
    assert all(np.array_equal(one[path], other[path]) for path in one | other)
    assert changed.balanced(0.4).plan.values == base.balanced(0.4).plan.values
    assert changed.held is None


def test_a_comparison_is_paired_and_told() -> None:
    base = toy(40, behaviour=STILL | {"conviction": 1}, rules={"name": "strict", "max_rounds": 1})
    found = iom.compare(base, base.swing(10, "all", to="A"), runs=400, seed=1, assumptions="fixed", progress=False)
    assert found.sentence().startswith("On the best guesses, with 10 of all members to A, A's chance rises by ")
    assert not found.unpaired
    left, right = (fc.all_outcomes.votes[:, 0] for fc in (found.a, found.b))
    assert set(right - left) == {10}


def test_forecasts_with_draws_and_readings_are_saved_and_read(tmp_path: Path) -> None:
    changed = unsure(21).swing(5, "all", to="B")
    fc = iom.forecast(changed, runs=300, seed=1, assumptions=20, progress=False)
    fc.save(tmp_path / "fc.npz")
    again = iom.open_forecast(tmp_path / "fc.npz")
    assert again.race.swings == changed.swings
    assert again.race.hash == changed.hash
    anew = iom.forecast(again.race, runs=300, seed=1, assumptions=20, progress=False)
    assert same(fc.all_outcomes, anew.all_outcomes)
    assert fc.rule_sets().equals(again.rule_sets())


@pytest.mark.parametrize(
    "use",
    [
        lambda changed: iom.live(changed, particles=100, seed=1),
        lambda changed: iom.pivotal(changed, runs=100, seed=1),
        lambda changed: iom.paths_to(changed, "A", runs=100, seed=1),
    ],
)
def test_what_cannot_follow_a_swing_says_so(use: Callable[[Scenario], Any]) -> None:
    changed = toy(9).swing(2, "all", to="A")
    with pytest.raises(iom.ScenarioError, match=r"without swings, as .* with 2 of all members to A; use"):
        use(changed)
    use(changed.without_swings())


def test_a_sensitivity_to_a_parameter_is_played_with_it() -> None:
    base = lean("BBBBBBAA", rules={"name": "strict", "max_rounds": 1})
    grid = iom.grid(base.swing(5, "all", to="A"), absent=[0.0, 0.001], runs=50, seed=1, progress=False)
    assert (grid.table()["A"] > 0.9).all()
    assert set(play(base, 20).winner) == {1}
