"""A few knobs instead of phases: what each of them means, alone and as a change of rules that are there."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from iomsim.errors import IomsimError, ScenarioError
from iomsim.model.bodies import readings
from iomsim.rules.phase import Phase
from iomsim.rules.procedure import Procedure
from iomsim.rules.short_form import from_short_form

IOM = readings("iom")
MANY = (
    Phase(name="all", standing=3, ballots=3),
    Phase(name="elimination", standing=3, field="all but the last", drop=1),
)
TWO, ALONE = Phase(name="two", ballots=2), Phase(name="alone", vote="yes-no", ballots=1)


def test_what_is_not_said_does_not_happen() -> None:
    """Nobody is put out, nobody may withdraw, and voting goes on."""
    assert from_short_form({}) == Procedure(phases=[{}], threshold="2/3", base="valid", withdrawal="none")
    nothing = {"eliminate_after": "never", "max_two_way": "unlimited", "simple_majority_from": "never"}
    assert from_short_form(nothing | {"concession": False}) == from_short_form(dict.fromkeys(nothing)) == Procedure()


@pytest.mark.parametrize(
    ("knobs", "phases", "after"),
    [
        ({"eliminate_after": 1}, (Phase(standing=3, drop=1), Phase()), None),
        ({"eliminate_after": 3}, (*MANY, Phase(name="two")), None),
        ({"max_two_way": 2}, (Phase(standing=3), TWO, ALONE), "fail"),  # of three nobody is ever put out
        ({"eliminate_after": 3, "max_two_way": 2}, (*MANY, TWO, ALONE), "fail"),
        ({"eliminate_after": 1, "max_two_way": 2}, (Phase(standing=3, drop=1), TWO, ALONE), "fail"),
    ],
)
def test_who_leaves_and_when_one_stands_alone(knobs: dict[str, Any], phases: tuple[Phase, ...], after: Any) -> None:
    assert from_short_form(knobs) == Procedure(phases=phases, after=after)


@pytest.mark.parametrize(
    ("knobs", "withdrawal"),
    [
        ({"concession": False}, "none"),
        ({"concession": True}, "acclamation"),
        ({"concession": True, "after_concession": "acclamation"}, "acclamation"),
        ({"concession": True, "after_concession": "confirmation"}, "vote"),
        ({"concession": True, "after_concession": "vote"}, "vote"),
        ({"concession": False, "after_concession": "confirmation"}, "none"),
        ({"after_concession": "confirmation"}, "none"),  # nobody may withdraw
        ({"withdrawal": "vote"}, "vote"),
    ],
)
def test_what_follows_a_withdrawal(knobs: dict[str, Any], withdrawal: str) -> None:
    assert from_short_form(knobs) == Procedure(withdrawal=withdrawal)


@pytest.mark.parametrize(
    ("knobs", "bars"),
    [
        ({"simple_majority_from": 1}, [">1/2"]),
        ({"simple_majority_from": 3}, ["2/3", "2/3", ">1/2"]),
        ({"simple_majority_from": 2, "threshold": "3/4"}, ["3/4", ">1/2"]),
        ({"simple_majority_from": "never", "threshold": "3/4"}, ["3/4"]),
        ({"threshold": ["3/4", "most"]}, ["3/4", "most"]),
    ],
)
def test_the_bars_of_the_ballots(knobs: dict[str, Any], bars: list[str]) -> None:
    assert list(map(str, from_short_form(knobs).threshold)) == bars


def test_a_yes_no_vote_counts_yes_and_no_unless_it_is_said() -> None:
    """Where the base is another, the vote on the leader alone keeps the papers that say yes or no."""
    assert from_short_form({"max_two_way": 2}).phases[-1] == ALONE
    assert from_short_form({"max_two_way": 2, "base": "present"}).phases[-1].base == "valid"


# -- as a change of rules that are there ---------------------------------------------------------------------


def test_the_readings_of_the_iom_are_what_the_knobs_say() -> None:
    short = {
        "until-two-thirds": {"eliminate_after": 3, "concession": True},
        "strict": {"eliminate_after": 3},
        "four-rounds": {"eliminate_after": 3, "concession": True, "max_two_way": 3},
        "one-two-way": {"eliminate_after": 3, "concession": True, "max_two_way": 1},
        "withdrawal-then-vote": {"eliminate_after": 3, "concession": True, "after_concession": "confirmation"},
    }
    assert {name: from_short_form({"name": name} | knobs) for name, knobs in short.items()} == IOM


@pytest.mark.parametrize("name", IOM)
def test_one_knob_changes_one_thing(name: str) -> None:
    old, called = IOM[name], f"{name}, changed"
    two = {"four-rounds": 3, "one-two-way": 1}.get(name)
    for eliminate_after, cap in product((None, 1, 2, 3), (None, 1, 2, 3)):
        whole = from_short_form({"name": called, "withdrawal": old.withdrawal, "eliminate_after": eliminate_after,
                                 "max_two_way": cap})  # fmt: skip
        same = (eliminate_after, cap) == (3, two)
        for knobs in ({"eliminate_after": eliminate_after, "max_two_way": cap},
                      {"eliminate_after": eliminate_after} if cap == two else {},
                      {"max_two_way": cap} if eliminate_after == 3 else {}):  # fmt: skip
            changed = from_short_form(knobs, old)
            assert changed == (old if same or not knobs else whole)
            back = from_short_form({"eliminate_after": 3, "max_two_way": two}, changed)
            assert back.with_(name=name) == old
    simple = from_short_form({"simple_majority_from": 2}, old)
    assert (simple.phases, simple.withdrawal, len(simple.threshold)) == (old.phases, old.withdrawal, 2)
    assert from_short_form({"concession": False}, old).phases == old.phases
    assert from_short_form({"concession": False}, old).withdrawal == "none"
    kept = "acclamation" if old.withdrawal == "none" else old.withdrawal
    assert from_short_form({"concession": True}, old).withdrawal == kept


def test_the_base_of_the_leader_alone_stays_when_knobs_change_something_else() -> None:
    entitled = from_short_form({"base": "entitled"}, IOM["four-rounds"])
    assert entitled.phases[-1].base is None  # that of the rules, as in the reading
    assert from_short_form({"max_two_way": 2}, entitled).phases[-1] == ALONE
    assert (
        from_short_form({"eliminate_after": 1}, from_short_form({"max_two_way": 2, "base": "present"})).phases[-1].base
        == "valid"
    )


@pytest.mark.parametrize(("body", "name"), [("au", "rule-42"), ("who", "rule-110"), ("unesco", "five-ballots")])
def test_phases_that_knobs_cannot_say_are_kept_or_refused(body: str, name: str) -> None:
    old = readings(body)[name]
    assert from_short_form({"concession": True, "threshold": ">1/2"}, old).phases == old.phases
    with pytest.raises(ScenarioError) as error:
        from_short_form({"eliminate_after": 2}, old)
    assert str(error.value) == (
        f"the rules {name!r} have phases of their own, which eliminate_after and max_two_way cannot say; "
        "give with_rules(phases=[...])"
    )
    assert from_short_form({"phases": [{}], "after": None}, old).phases == (Phase(),)


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"concession": "no"}, "concession must be true or false, got 'no'"),
        (
            {"concession": True, "after_concession": "lot"},
            "after_concession must be acclamation or confirmation; got 'lot'",
        ),
        (
            {"concession": True, "withdrawal": "vote"},
            "withdrawal, and concession or after_concession, exclude each other; leave one out",
        ),
        ({"simple_majority_from": 10**6}, "simple_majority_from must be at most 1000, got 1000000"),
        ({"eliminate_after": 0}, "eliminate_after must be a whole number of at least 1, got 0"),
        ({"eliminate_after": 2.5}, "eliminate_after must be a whole number of at least 1, got 2.5"),
        ({"max_two_way": 0}, "max_two_way must be a whole number of at least 1, got 0"),
        ({"simple_majority_from": True}, "simple_majority_from must be a whole number of at least 1, got True"),
        (
            {"max_two_way": 1, "phases": [{}]},
            "phases, and eliminate_after or max_two_way, exclude each other; leave one out",
        ),
        ({"max_twoway": 2}, "no part of the rules named 'max_twoway'; did you mean 'max_two_way'?"),
        ({"basis": "valid"}, "no part of the rules named 'basis'; did you mean 'base'?"),
        ({"base": "voters", "max_two_way": 1}, "base must be one of valid, present, entitled; got 'voters'"),
    ],
)
def test_knobs_that_make_no_sense(knobs: dict[str, Any], said: str) -> None:
    for old in (None, IOM["strict"]):
        with pytest.raises(IomsimError) as error:
            from_short_form(knobs, old)
        assert str(error.value) == said
