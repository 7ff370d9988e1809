"""The rules as values: what they state, what cannot be, through which stages they lead, and that changes show."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pandas as pd
import pytest
from toys import elect

import iomsim as iom
from iomsim.errors import IomsimError, ScenarioError, UnknownNameError
from iomsim.model.bodies import reading, readings
from iomsim.rules.phase import Phase
from iomsim.rules.procedure import Procedure, Stage

# -- the readings of the IOM, exactly ----------------------------------------------------------------------

MANY = [
    {"name": "all", "standing": 3, "ballots": 3},
    {"name": "elimination", "standing": 3, "field": "all but the last", "drop": 1},
]
ALONE = {"name": "alone", "vote": "yes-no", "ballots": 1}
IOM = {
    "until-two-thirds": {"withdrawal": "acclamation", "phases": [*MANY, {"name": "two"}]},
    "strict": {"phases": [*MANY, {"name": "two"}]},
    "four-rounds": {
        "withdrawal": "acclamation", "phases": [*MANY, {"name": "two", "ballots": 3}, ALONE], "after": "fail",
    },
    "one-two-way": {
        "withdrawal": "acclamation", "phases": [*MANY, {"name": "two", "ballots": 1}, ALONE], "after": "fail",
    },
    "withdrawal-then-vote": {"withdrawal": "vote", "phases": [*MANY, {"name": "two"}]},
}  # fmt: skip


def test_the_readings_of_the_iom() -> None:
    assert dict(readings("iom")) == {name: Procedure(name=name, **parts) for name, parts in IOM.items()}
    assert next(iter(readings("iom"))) == "until-two-thirds"
    for rules in readings("iom").values():
        assert (list(map(str, rules.threshold)), rules.base, rules.max_rounds) == (["2/3"], "valid", 40)


def test_unknown_rules_are_refused_with_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match=r"^no reading of the rules of 'iom' named 'four-round'; did you mean 'four-rounds'\?$"
    ):
        reading("four-round")
    with pytest.raises(UnknownNameError, match=r"^no part of the rules named 'phase'; did you mean 'phases'\?$"):
        reading("strict").with_(phase=[])
    with pytest.raises(UnknownNameError, match=r"^no part of the rules named 'treshold'; did you mean 'threshold'\?$"):
        Procedure.of({"treshold": "2/3"})


def test_a_misspelt_reading_is_no_procedure_of_its_own_whatever_its_source() -> None:
    """A file names a reading with its grade and source; that these are there makes no rules."""
    written = {"name": "four-round", "grade": "verified", "source": "the text"}
    with pytest.raises(IomsimError, match=r"no reading of the rules of 'iom' named 'four-round'; did you mean 'four-"):
        elect("AAB", rules=written)


# -- what they state --------------------------------------------------------------------------------------------


def test_what_is_not_said_does_not_happen() -> None:
    rules = Procedure()
    assert (rules.phases, rules.withdrawal, rules.after, rules.base) == ((Phase(),), "none", None, "valid")
    assert [bar.needed(165) for bar in rules.bars] == [110]


@pytest.mark.parametrize(
    "table",
    [
        {"name": "own rules", "phases": [{}], "threshold": "2/3", "grade": "assumed", "source": "given by the user"},
        {
            "name": "mine",
            "phases": [{"name": "a", "ballots": 2, "threshold": ["3/4", "most"]}, {"keep": 2, "ballots": 1}],
            "threshold": ["2/3", ">1/2"],
            "base": "entitled",
            "withdrawal": "vote",
            "after": "repeat",
            "repeat_from": "a",
            "max_rounds": 12,
            "grade": "verified",
            "source": "the text",
        },
    ],
)
def test_they_are_written_as_they_were_read(table: dict[str, Any]) -> None:
    rules = Procedure.of(table)
    assert rules.table() == table
    assert Procedure.of(rules.table()) == rules
    assert hash(Procedure.of(rules.table())) == hash(rules)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"threshold": 0}, "threshold must be above 0 and at most 1, or a count of votes, got 0"),
        ({"threshold": "1/2"}, "threshold 1/2 would elect with exactly half of the votes; write '>1/2' for a majority"),
        ({"base": "voters"}, "base must be one of valid, present, entitled; got 'voters'"),
        ({"withdrawal": True}, "withdrawal must be one of none, acclamation, vote; got True"),
        ({"max_rounds": True}, "max_rounds must be a whole number of at least 1, got True"),
        ({"max_rounds": None}, "max_rounds must be a whole number of at least 1, got None"),
        ({"max_rounds": 1001}, "max_rounds must be at most 1000, got 1001"),
        ({"grade": "sure"}, "grade must be one of verified, inferred, recalled, assumed; got 'sure'"),
        (
            {"phases": []},
            "the rules 'own rules' have no phase; give at least one, {} for ballots without limit",
        ),
        (
            {"phases": [{"name": "x", "ballots": 1}, {"name": "x"}]},
            "two phases are called 'x'; names must differ",
        ),
        (
            {"phases": [{"drop": 1}, {}]},
            "phase number 1 never ends, so that the next is never held; give it ballots or standing",
        ),
        (
            {"phases": [{"ballots": 1}, {"name": "x"}, {}]},
            "phase 'x' never ends, so that the next is never held; give it ballots or standing",
        ),
        (
            {"phases": [{"vote": "yes-no", "ballots": 1}], "after": "fail"},
            "the first phase is a vote on the leader alone, but nobody leads before a ballot",
        ),
        (
            {"phases": [{"ballots": 1}]},
            "the last phase has an end; say what then follows: after = 'fail', 'suspend' or 'repeat'",
        ),
        (
            {"phases": [{"standing": 3}]},
            "the last phase has an end; say what then follows: after = 'fail', 'suspend' or 'repeat'",
        ),
        ({"after": "fail"}, "after = 'fail' is never reached, for the last phase has no end; give it ballots"),
        (
            {"phases": [{"ballots": 1}], "after": "stop"},
            "after must be one of fail, suspend, repeat; got 'stop'",
        ),
        (
            {"phases": [{"name": "a", "ballots": 1}], "after": "repeat"},
            "after = 'repeat' and repeat_from = the name of a phase belong together",
        ),
        (
            {"phases": [{"name": "a", "ballots": 1}], "after": "fail", "repeat_from": "a"},
            "after = 'repeat' and repeat_from = the name of a phase belong together",
        ),
        (
            {"phases": [{"name": "first", "ballots": 1}], "after": "repeat", "repeat_from": "frist"},
            "no phase named 'frist'; did you mean 'first'?",
        ),
        (
            {"phases": [{"name": "a", "ballots": 10**11}], "after": "fail"},
            "phase 'a': ballots must be at most 1000, got 100000000000; leave it out for no limit",
        ),
        ({"phases": None}, "phases must be a list of phases or tables, got None"),
        ({"phases": "all"}, "phases must be a list of phases or tables, got 'all'"),
        ({"phases": ["all"]}, "a phase must be a Phase or a table such as {'ballots': 3}, got 'all'"),
        ({"phases": [{"name": 3}]}, "the name of a phase must be a text, got 3"),
        ({"name": 3}, "the name of the rules must be a text, got 3"),
    ],
)
def test_rules_that_make_no_sense(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(iom.IomsimError) as error:
        Procedure(**parts)
    assert str(error.value) == said


# -- the bars of the ballots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "candidates", "needed"),
    [
        ({}, 2, [66, 66, 66]),
        ({"threshold": ["3/4", "2/3", ">1/2"]}, 2, [74, 66, 50, 50]),
        # the ballots of the whole go on counting where a phase has no bar of its own, and not within one that has
        ({"threshold": ["3/4", "2/3", "3/5", ">1/2"], "phases": [{"ballots": 1}, {"ballots": 1, "threshold": 40}, {}]},
         2, [74, 40, 59, 50]),
        ({"phases": [{"standing": 3, "ballots": 2}, {"threshold": [">1/2", "most"]}]}, 3, [66, 66, 50, 1, 1]),
        ({"phases": [{"standing": 3, "ballots": 2}, {"threshold": [">1/2", "most"]}]}, 2, [50, 1, 1]),
        ({"phases": [{"ballots": 2}], "after": "fail"}, 2, [66, 66, 66]),  # beyond the last one, that one
    ],
)  # fmt: skip
def test_the_votes_that_each_ballot_needs(parts: dict[str, Any], candidates: int, needed: list[int]) -> None:
    rules = Procedure(**parts)
    numbers = range(1, len(needed) + 1)
    assert [rules.needed(98, ballot=number, candidates=candidates) for number in numbers] == needed


def test_a_ballot_has_a_number() -> None:
    with pytest.raises(iom.IomsimError, match=r"^ballot must be a whole number of at least 1, got 0$"):
        Procedure().needed(99, ballot=0)


def test_rules_that_begin_again_fail_where_too_few_stand_for_it() -> None:
    parts = {"ballots": 2, "name": "a"}
    assert [
        Procedure(phases=[{**parts, "standing": least}], after="repeat", repeat_from="a").can_fail for least in (1, 3)
    ] == [False, True]


def test_the_bases_of_its_phases() -> None:
    rules = Procedure(base="present", phases=[{"ballots": 1}, {"base": "entitled"}])
    assert (rules.bases, rules.base_of(0), rules.base_of(1)) == ({"present", "entitled"}, "present", "entitled")


# -- stages ------------------------------------------------------------------------------------------------------------


def told(parts: dict[str, Any], candidates: int, most: int = 6) -> list[str]:
    """Return the phase and how many stand, ballot by ballot, if none decides."""
    rules = Procedure(**parts)
    return [
        f"{rules.phases[stage.phase].name}{stage.standing}" for stage in islice(rules.stages(candidates), most)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "candidates", "expected"),
    [
        ({"phases": [{"name": "a"}]}, 4, "a4 a4 a4 a4 a4 a4"),
        ({"phases": [{"name": "a", "drop": 1}]}, 4, "a4 a3 a2 a2 a2 a2"),
        ({"phases": [{"name": "a", "drop": 2}]}, 5, "a5 a3 a2 a2 a2 a2"),  # never below two
        ({"phases": [{"name": "a", "drop": 1, "down_to": 1}]}, 3, "a3 a2 a1 a1 a1 a1"),
        ({"phases": [{"name": "a", "ballots": 2, "drop": 1}, {"name": "b"}]}, 4, "a4 a3 b2 b2 b2 b2"),  # also the last
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "keep": 2}]}, 4, "a4 b2 b2 b2 b2 b2"),
        ({"phases": [{"name": "a", "keep": 2}]}, 4, "a4 a4 a4 a4 a4 a4"),  # nothing to cut by before a ballot
        ({"phases": [{"name": "a", "standing": 3, "ballots": 1}, {"name": "b"}]}, 2, "b2 b2 b2 b2 b2 b2"),
        ({"phases": [{"name": "a", "standing": 3, "drop": 1}, {"name": "b"}]}, 4, "a4 a3 b2 b2 b2 b2"),
        # asked before the cut, so that nothing is cut where it is skipped, and after it
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "standing": 4, "keep": 3, "ballots": 1},
                     {"name": "c"}]}, 3, "a3 c3 c3 c3 c3 c3"),
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "standing": 3, "field": "all but the last",
                                                   "ballots": 1}, {"name": "d"}]}, 3, "a3 d2 d2 d2 d2 d2"),
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "keep": 2, "ballots": 1}], "after": "fail"},
         4, "a4 b2"),
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "keep": 2, "ballots": 1},
                     {"name": "c", "field": "all", "ballots": 1}], "after": "repeat", "repeat_from": "b"},
         4, "a4 b2 c4 b2 c4 b2"),
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "keep": 2, "ballots": 1}], "after": "repeat",
          "repeat_from": "a"}, 4, "a4 b2 a2 b2 a2 b2"),
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "vote": "yes-no", "ballots": 2}], "after": "suspend"},
         4, "a4 b4 b4"),
        # of those who come back all count
        ({"phases": [{"name": "a", "ballots": 1}, {"name": "b", "keep": 2, "ballots": 1},
                     {"name": "c", "field": "all", "standing": 4, "ballots": 1}], "after": "fail"}, 4, "a4 b2 c4"),
        ({"phases": [{"name": "a", "ballots": 1}], "after": "fail", "max_rounds": 1}, 4, "a4"),
    ],
)  # fmt: skip
def test_through_which_stages_they_lead(parts: dict[str, Any], candidates: int, expected: str) -> None:
    assert " ".join(told(parts, candidates)) == expected


@pytest.mark.parametrize(
    ("phases", "candidates"),
    [
        ([{"standing": 4, "ballots": 2}], 3),
        ([{"standing": 3, "ballots": 2}, {"vote": "yes-no", "ballots": 1}], 2),
    ],
)
def test_rules_without_a_phase_for_so_many(phases: list[dict[str, Any]], candidates: int) -> None:
    said = f"^the rules 'own rules' have no phase in which {candidates} candidates are voted for$"
    with pytest.raises(ScenarioError, match=said):
        Procedure(phases=phases, after="fail").first_stage(candidates)


@pytest.mark.parametrize(
    ("parts", "most"),
    [
        ({"phases": [{"ballots": 3}], "after": "fail"}, 3),
        ({"phases": [{"ballots": 3}], "after": "fail", "withdrawal": "vote"}, 4),  # after the third one may withdraw
        ({"phases": [{"ballots": 3}], "after": "fail", "withdrawal": "acclamation"}, 3),
        ({"phases": [{"standing": 5, "ballots": 7}, {"ballots": 1}], "after": "fail"}, 1),  # there are only four
        ({"phases": [{"drop": 1}]}, None),  # the last two go on for ever
        ({"phases": [{"standing": 3}, {"ballots": 1}], "after": "fail"}, None),
        ({"phases": [{"name": "a", "ballots": 3}], "after": "repeat", "repeat_from": "a"}, None),
    ],
)
def test_the_most_ballots_that_they_can_take(parts: dict[str, Any], most: int | None) -> None:
    assert Procedure(**parts).longest(4) == most


def test_a_phase_of_which_all_but_two_leave_has_an_end() -> None:
    rules = Procedure(phases=[{"standing": 3, "drop": 1}, {"ballots": 1}], after="fail")
    assert len(list(rules.stages(6))) == 5 <= (rules.longest(6) or 0) <= 10


@pytest.mark.parametrize("ballot", range(1, 8))
@pytest.mark.parametrize("name", ["until-two-thirds", "four-rounds"])
def test_what_is_left_of_them_leads_through_the_same_stages(name: str, ballot: int) -> None:
    rules = reading(name).with_(threshold=["2/3", "3/4", "3/5", ">1/2"], max_rounds=20)
    stages = list(rules.stages(4))
    if ballot > len(stages):
        return
    left = rules.resumed(stages[ballot - 1], ballot)
    again = list(left.stages(stages[ballot - 1].standing))[: len(stages) - ballot + 1]
    assert [stage.standing for stage in again] == [stage.standing for stage in stages[ballot - 1 :]]
    numbers = range(ballot, len(stages) + 1)
    assert [left.needed(100, n - ballot + 1, stages[ballot - 1].standing) for n in numbers] == [
        rules.needed(100, n, 4) for n in numbers
    ]


def test_what_is_left_of_rules_that_begin_again() -> None:
    """In the second ballot of the second phase: one more of it, then as ever."""
    phases = [
        {"name": "a", "ballots": 1},
        {"name": "b", "keep": 3, "ballots": 2},
        {"name": "c", "field": "all", "ballots": 1},
    ]
    rules = Procedure(phases=phases, after="repeat", repeat_from="b", max_rounds=12)
    stages = list(rules.stages(4))
    assert [stage.standing for stage in stages] == [4, 3, 3, 4] + [3, 3, 4] * 2 + [3, 3]
    left = rules.resumed(Stage(1, 1, 3), 3)
    assert [phase.ballots for phase in left.phases] == [1, 1, 2, 1]
    assert left.phases[0].keep is None  # who stands has been cut already
    assert (left.after, left.repeat_from) == ("repeat", "b again")


# -- a reading changed in parts is never taken for it ----------------------------------------------------------------


def test_rules_of_its_own_stand_beside_the_shipped_ones() -> None:
    race = elect("AAABBB", rules={"name": "strict", "max_rounds": 1})
    fc = iom.forecast(race, runs=50, seed=4, progress=False)
    sides = fc.rule_sets()
    assert sides.index.tolist() == ["strict, changed", *readings("iom")]
    own = pd.Series(fc.as_row())
    pd.testing.assert_series_equal(sides.loc["strict, changed"], own, check_names=False)
    assert own["no winner"] == sides.loc["strict", "no winner"] == 1
    assert own["median_rounds"] < sides.loc["strict", "median_rounds"]
    assert fc.stamp().endswith("rules strict, changed")
    assert "Voting takes 1 round or more in the median" in fc.answer()


def test_rules_that_are_nobody_elses_stand_alone() -> None:
    """A forecast is shown beside the readings of its own body: no body has these rules."""
    fc = iom.forecast(elect("AAABBB", rules={"name": "mine", "max_rounds": 1}), runs=50, seed=4, progress=False)
    assert fc.rule_sets().index.tolist() == ["mine"]
    body = iom.start("au", ["A", "B"], members=None)
    beside = iom.forecast(body, runs=20, seed=4, progress=False).rule_sets().index
    assert beside.tolist() == list(readings("au"))


def test_a_reading_keeps_its_name() -> None:
    race = iom.load("minimal")
    assert [race.with_rules(name).rules.name for name in readings("iom")] == list(readings("iom"))
    assert race.with_rules(Procedure(name="mine")).rules.name == "mine"
    changed = race.with_rules("strict", max_rounds=5).rules
    assert changed.name == "strict, changed"
    assert changed.with_(max_rounds=6).name == "strict, changed"  # once is enough
    assert changed.with_(name="ours").name == "ours"
    assert race.with_rules("strict", threshold="4/6").rules.name == "strict"  # nothing has changed
    assert race.with_rules("strict", source="the press").rules.name == "strict"


def test_the_briefing_tells_what_was_changed() -> None:
    told = str(iom.load("iom-2018").with_rules(threshold=">1/2", eliminate_after=2))
    assert "until-two-thirds, changed [assumed]: More than half of the votes cast elect." in told
    assert "With three or more, the last leaves after each inconclusive ballot from the second on." in told


def test_a_comparison_tells_the_two_apart() -> None:
    race = iom.load("minimal")
    found = iom.compare(race, race.with_rules("strict", max_rounds=2), runs=50, seed=1)
    assert found.sentence().startswith("With rules strict, changed instead of until-two-thirds,")


@pytest.mark.parametrize(
    "rules",
    [
        Procedure(name="mine"),
        Procedure(name="mine", threshold="3/5", phases=[{"name": "two", "ballots": 2}, ALONE], after="fail"),
        Procedure(name="strict", **IOM["strict"], source="eu-27", grade="verified"),
    ],
)
def test_rules_are_written_and_read_back(rules: Procedure) -> None:
    race = iom.load("minimal").with_rules(rules)
    again = iom.loads(iom.dumps(race)).rules
    assert again == race.rules == rules
    assert (again.source, again.grade) == (rules.source, rules.grade)


def test_rules_called_like_a_reading_are_told_apart_from_it() -> None:
    race = iom.load("minimal").with_rules(Procedure(name="four-rounds"))
    assert race.rules == Procedure(name="four-rounds, changed")
    assert iom.loads(iom.dumps(race)) == race
    fc = iom.forecast(race, runs=20, seed=1, progress=False)
    assert fc.rule_sets().index.tolist() == ["four-rounds, changed", *readings("iom")]
    same = iom.load("minimal").with_rules(Procedure(name="strict", **IOM["strict"]))
    assert same.rules.name == "strict"


def test_they_are_told_apart_from_those_of_their_own_body() -> None:
    race = iom.start("who", ["A", "B", "C"])
    assert race.with_rules(Procedure(name="rule-110", threshold=">1/2")).rules.name == "rule-110, changed"
    assert race.with_rules(Procedure(name="strict")).rules.name == "strict"  # the name of a reading of the IOM's rules


def test_where_rules_are_known_from_does_not_set_them_apart() -> None:
    known = Procedure(source="eu-27", grade="verified")
    assert known == Procedure()
    assert hash(known) == hash(Procedure())
    race = iom.load("minimal").with_rules(known)
    assert race.evidence().loc[f"readings.{race.rules.name}", ["grade", "source"]].tolist() == ["verified", "eu-27"]
    assert race.with_rules(max_rounds=5).rules.source == "set by the user"
