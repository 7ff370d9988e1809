"""What analysts get wrong, or do in another way, when they hand over what they know: said or understood, never raw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import toy

import iomsim as iom
from iomsim.model.exposure import by_key, term
from iomsim.model.scenario import Scenario

HEARD = pd.DataFrame({"member": ["M1", "M2"], "candidate": ["A", "B"], "kind": ["oral", "written"]})


@pytest.fixture(scope="module")
def race() -> Scenario:
    return toy(8)


@pytest.fixture(scope="module")
def states() -> Scenario:
    return iom.load("geneva-2023")


WRONG: list[tuple[Callable[[Scenario], Any], str]] = [
    (lambda r: r.with_pledges(HEARD, discounts=["oral"]), "give the discounts by kind of pledge, {'oral': 1.0}, got"),
    (lambda r: r.with_pledges(HEARD, discounts=2), "give the discounts by kind of pledge, {'oral': 1.0}, got 2"),
    (lambda r: r.with_pinned(A=None), "electorate.pinned.A.1 must be a text, got None"),
    (lambda r: r.with_turnout(None), "the turnout is a number of members, such as 8, got None"),
    (lambda r: r.swing(1, len, to="A"), "a swing is of a group, a selector or a list of members, got <built-in"),
    (lambda r: r.swing(2, ["M1"], to="A"), "asks for 2 members, but only 1 is free to go over"),
    (lambda r: r.with_pinned(A=["M1"]).swing(1, ["M1"], to="B"), "asks for 1 member, but none is free to go over"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_what_is_no_such_thing_is_told_so(wrong: Callable[[Scenario], Any], said: str, race: Scenario) -> None:
    with pytest.raises(iom.IomsimError) as caught:
        wrong(race)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["member", "Unsettled"])
def test_a_candidate_is_not_called_what_tables_of_members_call_otherwise(name: str) -> None:
    with pytest.raises(iom.ScenarioError, match=f"a candidate cannot be called '{name}'"):
        toy(8, [name, "B"])


@pytest.mark.parametrize("called", ["name", "country", None])
def test_an_index_of_texts_holds_the_members_whatever_it_is_called(called: str | None, race: Scenario) -> None:
    asked = pd.DataFrame({"A": [0.7, 0.4]}, index=pd.Index(["M1", "M5"], name=called))
    known = race.with_polling(pd.Series({"M1": 0.7, "M5": 0.4}, name="A"))
    assert race.with_polling(asked) == known
    assert race.with_pledges(HEARD.set_index("member").rename_axis(called)) == race.with_pledges(HEARD)


def test_codes_that_a_frame_took_for_numbers_have_lost_their_zeros(states: Scenario) -> None:
    frame = pd.DataFrame({"member": [4, 76.0, 404], "candidate": "Pope", "kind": "oral"})
    named = frame.assign(member=["Afghanistan", "Brazil", "Kenya"])
    assert states.with_pledges(frame) == states.with_pledges(named)
    with pytest.raises(iom.UnknownNameError, match="no member named '76'"):  # a text says what it says
        states.with_pledges(frame.assign(member=["4", "76", "404"]))


def test_numbers_that_are_ids_stay_what_they_are() -> None:
    table = pd.DataFrame({"name": ["7", "007"], "x": [1, 2]})
    candidates = [{"name": "A"}, {"name": "B"}]
    race = Scenario.model_validate({"electorate": {"table": table}, "candidates": candidates})
    ledger = race.with_pledges(pd.DataFrame({"member": [7], "candidate": "A", "kind": "oral"})).ledger
    assert ledger is not None
    assert ledger.pledges[0].member == "7"


@pytest.mark.parametrize("transform", [["rank"], {"rank": 1}, 3])
def test_a_transform_that_is_no_text_is_none(transform: Any) -> None:
    with pytest.raises(ValueError, match="no transform"):
        by_key([{"column": "aid", "transform": transform, "weight": 1.0}])


def test_a_table_with_a_weight_alone_is_the_term_that_it_stands_under() -> None:
    weights = {"rank(aid)": {"weight": 0.5}, "eu": {"weight": 1.0}, "aid": {"transform": "log1p", "weight": 2.0}}
    assert by_key(weights) == {"rank(aid)": 0.5, "eu": 1.0, "log1p(aid)": 2.0}


@pytest.mark.parametrize("cells", [["", ""], [None, None]])
def test_an_empty_column_has_no_value_and_no_texts(cells: list[Any]) -> None:
    table = pd.DataFrame({"name": ["Peru", "Togo"], "aid": pd.Series(cells, dtype=object)})
    with pytest.raises(iom.ScenarioError, match="column 'aid' has no value for any member"):
        term(table, "log1p(aid)")


def test_everything_at_once_comes_back_from_a_file(states: Scenario) -> None:
    heard = pd.DataFrame(
        {
            "member": ["UK", "Ghana", "Ghana", "USA"],
            "candidate": ["Pope", "Pope", "Vitorino", "Vitorino"],
            "kind": ["public", "signed", "claimed", "oral"],
            "source": ['a "word"', "one\ntwo", np.nan, "é\\"],
        }
    )
    asked = pd.Series({"Kenya": 0.7, "PRT": 0.1, "Peru": 0.0}, name="Pope")
    known = states.with_pledges(heard).with_polling(asked, trust=(0.5, 0.2, 0.8)).swing(9, "African", to="Pope")
    other = states.swing(9, "African", to="Pope").with_polling(asked, trust=(0.5, 0.2, 0.8)).with_pledges(heard)
    for race in (known, known.with_readings({"strict": 0.3, "four-rounds": 0.7}).with_turnout(160)):
        again = iom.loads(iom.dumps(race))
        assert again == race
        assert again.hash == race.hash
    assert other == known  # in whatever order they become known
    assert other.hash == known.hash


FRAME = pd.DataFrame({"name": ["Peru", "Togo"], "eu": [1, 0]})
BY_HAND: list[tuple[dict[str, Any], str]] = [
    ({"candidates": [{"name": "A"}]}, "scenario: candidates must have at least 2 entries, got 1"),
    ({"electorate": {"table": FRAME.drop(columns="name")}}, "the member table has no column 'name' for the names"),
    (
        {"sponsors": [{"name": "W", "backs": "A", "strength": 1, "exposure": {"log1p(aid)": 1}}]},
        "scenario: sponsor 'W': no column 'aid' in the member table; did you mean 'id'?",
    ),
    ({"swings": [{"count": 9, "who": "all", "to": "A"}]}, "asks for 9 members, but only 2 are free to go over"),
    ({"poling": {}}, "scenario: unknown key 'poling'; did you mean 'polling'?"),
]


@pytest.mark.parametrize(("parts", "said"), BY_HAND)
def test_scenarios_made_by_hand_are_refused_in_our_words(parts: dict[str, Any], said: str) -> None:
    made = {"electorate": iom.Electorate(table=FRAME), "candidates": [{"name": "A"}, {"name": "B"}]}
    assert iom.Scenario(**made).names == ("A", "B")
    with pytest.raises(iom.ScenarioError) as caught:
        iom.Scenario(**{**made, **parts})
    assert said in str(caught.value)


def test_double_are_only_those_that_have_pledged_to_several(race: Scenario) -> None:
    heard = pd.DataFrame({"member": ["M1", "M2", "M2", "M3"], "candidate": ["A", "A", "B", "A"], "kind": "oral"})
    table = race.with_pledges(heard).pledges(seed=1, runs=64).table()
    assert table["double"].to_dict() == {"A": 1, "B": 1}
    assert table["pledged"].to_dict() == {"A": 3, "B": 1}


def test_a_line_is_counted_from_the_top_of_the_file(race: Scenario, tmp_path: Path) -> None:
    file = tmp_path / "count.csv"
    file.write_text("sep=;\nmember;candidate;kind\nM1;A;oral\nM77;A;oral\n", encoding="utf-8")
    with pytest.raises(iom.UnknownNameError, match=r"^the whip count, line 4: no member named 'M77'"):
        race.with_pledges(file)
