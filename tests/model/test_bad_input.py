# ruff: noqa: E501 - tables of what was got and what is said, one case a line
"""Whatever makes no sense is refused in one sentence: the thing's name, what was got, what would work.

And whatever else a file may hold, the answer is a forecast or such a sentence, never a crash.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import tomli_w
from hypothesis import strategies as st
from toys import slow_but, toy

import iomsim as iom
from iomsim.model.catalogue import dumps
from iomsim.model.components import PhaseTable, RulesTable
from iomsim.model.scenario import Scenario, build

AB = [{"name": "A"}, {"name": "B"}]
BASE: dict[str, Any] = {"electorate": {"size": 9}, "candidates": AB}
NAN, INF = float("nan"), float("inf")
W = {"name": "W", "backs": "A", "strength": 0.5}
OPENS = {"opens": "2023-05-15T10:00:00"}
BARS = "threshold must be '2/3', '>1/2', a count of votes such as 33, or 'most'"
TWO = [{"name": "X", "near": 1, "g": "North"}, {"name": "Y", "near": 0, "g": "South and East"}]


def sentence(call: Callable[[], Any], kind: type[Exception] = iom.IomsimError) -> str:
    """Return the one sentence with which a call is refused."""
    with pytest.raises(iom.IomsimError) as error:
        call()
    assert isinstance(error.value, kind)
    said = str(error.value)
    assert "\n" not in said, "more than one sentence"
    assert 10 < len(said) < 300
    for jargon in ("nput should", "pydantic", "type=", "instance of", "dictionary", "tuple", "NoneType", "<class"):
        assert jargon not in said
    return said


def geneva() -> Scenario:
    return iom.load("geneva-2023")


# -- descriptions ---------------------------------------------------------------------------------------

DESCRIPTIONS: list[tuple[dict[str, Any], str]] = [
    # keys
    ({"candidats": AB}, "unknown key 'candidats'; did you mean 'candidates'?"),
    ({"behaviour": {"secrecey": 0.4}}, "unknown key 'behaviour.secrecey'; did you mean 'secrecy'?"),
    ({"behaviour": {"secrecy": {"value": 0.4, "lo": 0.2}}}, "unknown key 'behaviour.secrecy.lo'; did you mean 'low'?"),
    ({"behaviour": {"secrecy": {"valu": 0.4}}}, "unknown key 'behaviour.secrecy.valu'; did you mean 'value'?"),
    ({"behaviour": {"secrecy": {"low": 0.4}}}, "'behaviour.secrecy.value' is missing"),
    ({"sponsors": [W | {"stregnth": 1}]}, "unknown key 'sponsors.W.stregnth'; did you mean 'strength'?"),
    ({"sponsors": [{"name": "W", "backs": "A", "stength": 1}]},
     "unknown key 'sponsors.W.stength'; did you mean 'strength'?"),
    ({"sponsors": [{"name": "W", "backs": "A"}]}, "'sponsors.W.strength' is missing"),
    ({"candidates": [{"nam": "A"}, {"name": "B"}]}, "unknown key 'candidates.1.nam'; did you mean 'name'?"),
    ({"ties": [{"name": "t", "who": "all", "candidate": "A", "log_ods": 1}]},
     "unknown key 'ties.t.log_ods'; did you mean 'log_odds'?"),
    ({"electorate": {"sise": 9}}, "unknown key 'electorate.sise'; did you mean 'size'?"),
    ({"rules": {"treshold": "2/3"}}, "unknown key 'rules.treshold'; did you mean 'threshold'?"),
    ({"clock": OPENS | {"siting": []}}, "unknown key 'clock.siting'; did you mean 'sittings'?"),
    ({"clock": {}}, "'clock.opens' is missing"),
    ({"clock": OPENS | {"sits_on": {"value": 0.5, "grad": "assumed"}}},
     "unknown key 'clock.sits_on.grad'; did you mean 'grade'?"),
    # types
    ({"title": 5}, "title must be a text, got 5"),
    ({"candidates": "AB"}, "candidates must be a list of tables, got 'AB'"),
    ({"candidates": [1, 2]}, "candidates.1 must be a table, got 1\nf: candidates.2 must be a table, got 2"),
    ({"candidates": [{"name": 5}, {"name": "B"}]}, "candidates.1.name must be a text, got 5"),
    ({"electorate": 9}, "electorate must be a table, got 9"),
    ({"electorate": {"size": "nine"}}, "electorate.size must be a whole number, got 'nine'"),
    ({"electorate": {"size": 2.5}}, "electorate.size must be a whole number, got 2.5"),
    ({"electorate": {"size": True}}, "electorate.size must be a whole number, got True"),
    ({"electorate": {"size": 9, "without_vote": "M1"}}, "electorate.without_vote must be a list of texts, got 'M1'"),
    ({"electorate": {"size": 9, "pinned": ["M1"]}}, "electorate.pinned must be a table, got ['M1']"),
    ({"electorate": {"size": 9, "pinned": {"A": "M1"}}}, "electorate.pinned.A must be a list of texts, got 'M1'"),
    ({"electorate": {"table": [{"name": "X", "near": [1]}]}},
     "electorate.table.X.near must be a text, a whole number, a number or true or false, got [1]"),
    ({"behaviour": [1]}, "behaviour must be a table, got [1]"),
    ({"behaviour": {"fluid": "often"}},
     "behaviour.fluid must be a number, or a table with value, low and high, got 'often'"),
    ({"behaviour": {"fluid": True}}, "behaviour.fluid must be a number, or a table with value, low and high, got True"),
    ({"behaviour": {"fluid": {"value": "0.5"}}}, "behaviour.fluid.value must be a number, got '0.5'"),
    ({"behaviour": {"fluid": {"value": True}}}, "behaviour.fluid.value must be a number, got True"),
    ({"behaviour": {"fluid": {"value": 0.5, "grade": "sure"}}},
     "behaviour.fluid.grade must be 'verified', 'inferred', 'recalled' or 'assumed', got 'sure'"),
    ({"rules": {"concession": "maybe"}}, "rules.concession must be true or false, got 'maybe'"),
    ({"rules": {"eliminate_after": "nevr"}}, "rules.eliminate_after must be a whole number or 'never', got 'nevr'"),
    ({"rules": {"max_two_way": 2.5}}, "rules.max_two_way must be a whole number or 'unlimited', got 2.5"),
    ({"rules": {"max_rounds": True}}, "rules.max_rounds must be a whole number, got True"),
    ({"ties": [{"name": "t", "who": 5, "candidate": "A", "log_odds": 1}]},
     "ties.t.who must be a text or a list of texts, got 5"),
    ({"ties": [{"name": "t", "who": [1, 2], "candidate": "A", "log_odds": 1}]},
     "ties.t.who must be a text or a list of texts, got [1, 2]"),
    ({"as_of": "eve"}, "as_of must be a date such as 2023-05-15, got 'eve'"),
    ({"clock": OPENS | {"sits_on_until": date(2023, 5, 15)}}, "clock.sits_on_until must be a time such as 10:00, got 2023-05-15"),
    ({"as_of": 2023}, "as_of must be a date such as 2023-05-15, got 2023"),
    ({"clock": {"opens": "Monday"}}, "clock.opens must be a date and time such as 2023-05-15T10:00, got 'Monday'"),
    ({"clock": {"opens": 10}}, "clock.opens must be a date and time such as 2023-05-15T10:00, got 10"),
    ({"clock": OPENS | {"sits_on_until": "late"}}, "clock.sits_on_until must be a time such as 10:00, got 'late'"),
    ({"clock": OPENS | {"sittings": [["10:00", "ten"]]}}, "clock.sittings.1.2 must be a time such as 10:00, got 'ten'"),
    ({"clock": OPENS | {"sittings": ["10:00"]}}, "clock.sittings.1 must be a list, got '10:00'"),
    # numbers
    ({"behaviour": {"fluid": 1.5}}, "behaviour.fluid must be between 0 and 1, got 1.5"),
    ({"behaviour": {"fluid": -0.01}}, "behaviour.fluid must be between 0 and 1, got -0.01"),
    ({"behaviour": {"fluid": {"value": 0.5, "high": 2}}}, "behaviour.fluid: high must be between 0 and 1, got 2"),
    ({"behaviour": {"region_sd": -0.4}}, "behaviour.region_sd must be between 0 and 1000, got -0.4"),
    ({"behaviour": {"concede_a": 0}}, "behaviour.concede_a must be between 1e-12 and 1e12, got 0"),
    ({"sponsors": [W | {"spread": -1}]}, "sponsors.W.spread must be between 0 and 10, got -1"),
    ({"sponsors": [W | {"strength": -0.5}]}, "sponsors.W.strength must be between 0 and 1e6, got -0.5"),
    ({"candidates": [{"name": "A", "appeal": 1e300}, {"name": "B"}]},
     "candidates.A.appeal must be between -1e6 and 1e6, got 1e+300"),
    ({"behaviour": {"fluid": {"value": 0.5, "low": 0.6}}},
     "behaviour.fluid: low <= value <= high must hold, got low 0.6, value 0.5, high 0.5"),
    ({"behaviour": {"fluid": {"value": 0.5, "high": 0.4}}},
     "behaviour.fluid: low <= value <= high must hold, got low 0.5, value 0.5, high 0.4"),
    ({"behaviour": {"fluid": NAN}}, "behaviour.fluid must be a finite number, got nan"),
    ({"behaviour": {"conviction": INF}}, "behaviour.conviction must be a finite number, got inf"),
    ({"behaviour": {"conviction": {"value": 1, "high": INF}}}, "behaviour.conviction: high must be a finite number, got inf"),
    ({"behaviour": {"conviction": 10**400}}, "behaviour.conviction must be a finite number, got inf"),
    ({"candidates": [{"name": "A", "appeal": -INF}, {"name": "B"}]},
     "candidates.A.appeal must be a finite number, got -inf"),
    ({"sponsors": [W | {"exposure": {"all": NAN}}]}, "sponsors.W.exposure.all must be a finite number, got nan"),
    ({"clock": OPENS | {"round_minutes": NAN}}, "clock.round_minutes must be a finite number, got nan"),
    ({"clock": OPENS | {"round_minutes": 0}}, "clock.round_minutes must be above 0 and at most 1440, got 0"),
    ({"ties": [{"name": "t", "who": "all", "candidate": "A", "log_odds": NAN}]},
     "ties.t.log_odds must be a finite number, got nan"),
    ({"electorate": {"table": [{"name": "X", "near": INF}]}},
     "member 'X' has no finite value in column 'near'; leave it empty"),
    ({"electorate": {"table": [{"name": "X", "near": NAN}, {"name": "Y", "near": 1}]}, "sponsors": [W | {"exposure": {"not near": 1}}]},
     "sponsor 'W': column 'near' has no value for 'X'; fill it in, or write near=1"),
    # electorates
    ({"electorate": {}}, "electorate: give exactly one of members, table and size; got none"),
    ({"electorate": {"size": 9, "members": "iom-2023"}},
     "electorate: give exactly one of members, table and size; got ['members', 'size']"),
    ({"electorate": {"size": 0}}, "electorate: an electorate has 1 to 10000 members, got 0"),
    ({"electorate": {"size": -3}}, "electorate: an electorate has 1 to 10000 members, got -3"),
    ({"electorate": {"size": 10**9}}, "electorate: an electorate has 1 to 10000 members, got 1000000000"),
    ({"electorate": {"table": []}}, "electorate: an electorate has 1 to 10000 members, got 0"),
    ({"electorate": {"table": [{"name": "X"}, {"name": "X"}]}}, "two members share the id 'X'"),
    ({"electorate": {"table": [{"name": "X", "iso3": "X"}, {"name": "X", "iso3": "Y"}]}}, "two members share the name 'X'"),
    ({"electorate": {"table": [{"name": "X"}, {"name": " "}]}}, "member number 2 has no value in column 'name'; write one"),
    ({"electorate": {"table": [{"nam": "X"}]}}, "the member table has no column 'name' for the names; did you mean 'nam'?"),
    ({"electorate": {"table": TWO, "group": "region"}},
     "the member table has no column 'region' for the groups; there are name, near, g"),
    ({"electorate": {"table": TWO, "id": "iso"}}, "the member table has no column 'iso' for the ids; there are name, near, g"),
    ({"electorate": {"table": [{"near": 1}, {"name": "Y", "near": 1}]}}, "member number 1 has no value in column 'name'; write one"),
    ({"electorate": {"table": [{"name": "X", "code": "004"}, {"name": "Y"}], "id": "code"}},
     "member number 2 has no value in column 'code'; write one"),
    ({"electorate": {"members": "iom-2032"}}, "no shipped member table named 'iom-2032'; did you mean 'iom-2023'?"),
    ({"electorate": {"size": 3, "without_vote": ["M1", "M2", "M3"]}}, "no member has a vote"),
    ({"electorate": {"size": 3, "without_vote": ["M4"]}}, "no member named 'M4'; there are M1, M2, M3"),
    # pins
    ({"electorate": {"size": 9, "pinned": {"A": ["M99"]}}}, "no member named 'M99'; did you mean 'M9'?"),
    ({"electorate": {"size": 9, "pinned": {"A": ["M1", "M1"]}}}, "M1 is pinned twice; name it once"),
    ({"electorate": {"size": 9, "pinned": {"A": ["M1"], "B": ["M1"]}}}, "M1 is pinned to two candidates; name it once"),
    ({"electorate": {"size": 9, "pinned": {"C": ["M1"]}}}, "a member is pinned to 'C', who does not stand; there are A, B"),
    ({"electorate": {"size": 9, "pinned": {"A": ["M1"]}, "without_vote": ["M1"]}}, "M1 is pinned but has no vote"),
    # candidates, sponsors, ties
    ({"candidates": []}, "candidates must have at least 2 entries, got 0"),
    ({"candidates": AB[:1]}, "candidates must have at least 2 entries, got 1"),
    ({"candidates": [{"name": c} for c in "ABCDEFGHIJKLMNOPQ"]}, "candidates must have at most 16 entries, got 17"),
    ({"candidates": [*AB, {"name": "A"}]}, "two candidates are called 'A'; names must differ"),
    ({"candidates": [{"name": ""}, {"name": "B"}]}, "candidates.1.name must not be empty"),
    ({"candidates": [*AB, {"name": "no winner"}]}, "a candidate cannot be called 'no winner', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms no winner'"),
    ({"candidates": [*AB, {"name": "High"}]}, "a candidate cannot be called 'High', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms High'"),
    ({"candidates": [*AB, {"name": "VALID"}]}, "a candidate cannot be called 'VALID', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms VALID'"),
    ({"candidates": [*AB, {"name": "Nobody"}]}, "a candidate cannot be called 'Nobody', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms Nobody'"),
    ({"candidates": [*AB, {"name": "Others"}]}, "a candidate cannot be called 'Others', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms Others'"),
    ({"candidates": [*AB, {"name": "Blank"}]}, "a candidate cannot be called 'Blank', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms Blank'"),
    ({"candidates": [*AB, {"name": "Spill"}]}, "a candidate cannot be called 'Spill', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms Spill'"),
    ({"candidates": [*AB, {"name": "Present"}]}, "a candidate cannot be called 'Present', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms Present'"),
    ({"candidates": [*AB, {"name": "Undo"}]}, "a candidate cannot be called 'Undo', which means something else in tables and "
     "announcements; write more of the name, such as 'Ms Undo'"),
    ({"candidates": [*AB, {"name": "A_low"}]}, "a candidate cannot be called 'A_low', as another column of tables is; "
     "write another name"),
    ({"candidates": [*AB, {"name": "2026"}]}, "a candidate cannot be called '2026', which cannot be told from a number of votes; "
     "a name has a letter in it"),
    ({"candidates": [*AB, {"name": " C"}]}, "a candidate cannot be called ' C'; leave out all spaces but single ones between words"),
    ({"candidates": [*AB, {"name": "C\nD"}]}, "candidates.3.name must not hold '\\n', which ends a line; leave it out"),
    ({"candidates": [*AB, {"name": "b"}]}, "candidates 'B' and 'b' differ only in capitals; names must differ"),
    ({"candidates": [{"name": "A", "colour": "blue"}, {"name": "B"}]},
     "candidates.A.colour must be a hex colour such as '#0072B2', got 'blue'"),
    ({"sponsors": [W | {"backs": "C"}]}, "sponsor 'W' backs 'C', who does not stand; there are A, B"),
    ({"sponsors": [W, W]}, "two sponsors are called 'W'; names must differ"),
    ({"sponsors": [W | {"exposure": {"natto": 1}}], "electorate": {"table": [{"name": "X", "nato": 1}]}},
     "sponsor 'W': no column 'natto' in the member table; did you mean 'nato'?"),
    ({"sponsors": [W | {"exposure": {"g=Nord": 1}}], "electorate": {"table": TWO}},
     "sponsor 'W': no member has g = 'Nord'; did you mean 'North'?"),
    ({"sponsors": [W | {"exposure": {"g": 1}}], "electorate": {"table": TWO}},
     "sponsor 'W': column 'g' is not a yes/no column; write g=X for some value X"),
    ({"sponsors": [W | {"exposure": {"all": 0}}]}, "no member is exposed to W; give at least one weight above 0"),
    ({"sponsors": [W | {"exposure": {}}]}, "no member is exposed to W; give at least one weight above 0"),
    ({"sponsors": [W | {"exposure": {"all": 1, "near": -2}}], "electorate": {"table": TWO}},
     "the exposure of X to W is negative; weights must add up to 0 or more"),
    ({"ties": [{"name": "t", "who": "all", "candidate": "C", "log_odds": 1}]},
     "tie 't' binds to 'C', who does not stand; there are A, B"),
    ({"ties": [{"name": "t", "who": "all", "candidate": "A", "log_odds": 1}] * 2}, "two ties are called 't'; names must differ"),
    ({"ties": [{"name": "t", "who": ["M10"], "candidate": "A", "log_odds": 1}]}, "tie 't': no member named 'M10'; did you mean 'M1'?"),
    ({"ties": [{"name": "t", "who": [], "candidate": "A", "log_odds": 1}]},
     "tie 't' binds no member; give a selector that finds some, or names"),
    ({"ties": [{"name": "t", "who": "not all", "candidate": "A", "log_odds": 1}]},
     "tie 't' binds no member; give a selector that finds some, or names"),
    # rules and clock
    ({"rules": {"threshold": 0}}, "rules: threshold must be above 0 and at most 1, or a count of votes, got '0'"),
    ({"rules": {"threshold": "5/4"}}, "rules: threshold must be above 0 and at most 1, or a count of votes, got '5/4'"),
    ({"rules": {"threshold": 1.01}}, "rules: threshold must be above 0 and at most 1, or a count of votes, got '1.01'"),
    ({"rules": {"threshold": "two thirds"}}, f"rules: {BARS}, got 'two thirds'"),
    ({"rules": {"threshold": NAN}}, f"rules: {BARS}, got 'nan'"),
    ({"rules": {"threshold": True}}, "rules.threshold must be a text or a list of texts, got True"),
    ({"rules": {"name": "strikt"}}, "rules: no reading of the rules of 'iom' named 'strikt'; did you mean 'strict'?"),
    ({"rules": {"threshold": "1/2"}},
     "rules: threshold 1/2 would elect with exactly half of the votes; write '>1/2' for a majority"),
    ({"rules": {"threshold": ["2/3", 0.5]}},
     "rules: threshold 0.5 would elect with exactly half of the votes; write '>1/2' for a majority"),
    ({"rules": {"threshold": []}}, "rules: threshold is an empty list; give one for each ballot, the last one stays"),
    ({"rules": {"threshold": 10}}, "rules.threshold asks for 10 votes, but only 9 members have one"),
    ({"rules": {"withdrawal": "yes"}}, "rules: withdrawal must be one of none, acclamation, vote; got 'yes'"),
    ({"rules": {"after_concession": "lot"}}, "rules: after_concession must be acclamation or confirmation; got 'lot'"),
    ({"rules": {"phases": [{"kep": 2}]}}, "unknown key 'rules.phases.1.kep'; did you mean 'keep'?"),
    ({"rules": {"phases": [{"name": "two", "keep": "2"}]}}, "rules.phases.two.keep must be a whole number, got '2'"),
    ({"rules": {"phases": [{"name": "two", "keep": 0}]}},
     "rules: phase 'two': keep must be a whole number of at least 1, got 0"),
    ({"rules": {"phases": [{"name": "two", "threshold": True}]}},
     "rules.phases.two.threshold must be a text or a list of texts, got True"),
    ({"rules": {"phases": [{"threshold": "half"}]}}, f"rules: {BARS}, got 'half'"),
    ({"rules": {"phases": []}}, "rules: the rules 'own rules' have no phase; give at least one, {} for ballots without limit"),
    ({"rules": {"phases": [{}], "max_two_way": 1}},
     "rules: phases, and eliminate_after or max_two_way, exclude each other; leave one out"),
    ({"rules": {"phases": [{"standing": 3}], "after": "fail"}},
     "the rules 'own rules' have no phase in which 2 candidates are voted for"),
    ({"body": "whoo"}, "no body named 'whoo'; did you mean 'who'?"),
    ({"body": "who", "rules": {"name": "rule-11"}},
     "rules: no reading of the rules of 'who' named 'rule-11'; did you mean 'rule-110'?"),
    ({"body": "who", "rules": 5}, "rules must be a table, got 5"),
    ({"rules": {"base": "voters"}}, "rules: base must be one of valid, present, entitled; got 'voters'"),
    ({"rules": {"max_rounds": 0}}, "rules: max_rounds must be a whole number of at least 1, got 0"),
    ({"clock": OPENS | {"sittings": []}}, "clock.sittings: the clock never sits; give at least one sitting"),
    ({"clock": OPENS | {"days": []}}, "clock.days: the clock never sits; give at least one weekday"),
    ({"clock": OPENS | {"days": ["Monday"]}}, "clock.days: no weekday 'Monday'; did you mean 'Mon'?"),
    ({"clock": OPENS | {"last_call": 400}}, "clock: the clock never sits: no sitting is long enough for a round to start"),
    ({"clock": OPENS | {"sittings": [["10:00", "13:00"], ["12:00", "18:00"]]}},
     "clock.sittings must be in order and not overlap, got 10:00-13:00 before 12:00-18:00"),
    ({"clock": OPENS | {"sittings": [["10:00+02:00", "13:00"]]}},
     "clock.sittings.1.1 is a local time of the seat; leave out the offset"),
    ({"clock": {"opens": "2023-05-15T10:00:00Z"}}, "clock.opens is a local time of the seat; leave out the offset"),
    ({"clock": {"opens": "9999-12-31T10:00:00"}}, "clock: opens must lie between the years 1800 and 2200, got 9999"),
]  # fmt: skip


@pytest.mark.parametrize(("described", "said"), DESCRIPTIONS)
def test_a_description_that_makes_no_sense(described: dict[str, Any], said: str) -> None:
    with pytest.raises(iom.ScenarioError) as error:
        build(BASE | described, "f")
    assert str(error.value) == f"f: {said}"


@pytest.mark.parametrize(("described", "said"), [pair for pair in DESCRIPTIONS if "\n" not in pair[1]][::7])
def test_and_nothing_but_a_sentence_comes_out(described: dict[str, Any], said: str) -> None:
    assert said in sentence(lambda: build(BASE | described, "f"), iom.ScenarioError)


def test_two_problems_are_two_sentences() -> None:
    with pytest.raises(iom.ScenarioError) as error:
        build(BASE | {"behaviour": {"fluid": 2, "absent": -1}}, "f.toml")
    assert str(error.value).splitlines() == [
        "f.toml: behaviour.absent must be between 0 and 1, got -1",
        "f.toml: behaviour.fluid must be between 0 and 1, got 2",
    ]


# -- changes ------------------------------------------------------------------------------------------------

CHANGES: list[tuple[Callable[[], Any], str]] = [
    (lambda: geneva().with_pressure(Washingtn=1), "no sponsor named 'Washingtn'; did you mean 'Washington'?"),
    (lambda: geneva().with_pressure(Washington=-1), "sponsors.Washington.strength must be between 0 and 1e6, got -1"),
    (lambda: geneva().with_pressure(Washington="strong"), "sponsors.Washington.strength must be a number, got 'strong'"),
    (lambda: geneva().with_pressure(Washington=True), "sponsors.Washington.strength must be a number, got True"),
    (lambda: geneva().with_pressure(Washington=NAN), "sponsors.Washington.strength must be a finite number, got nan"),
    (lambda: geneva().with_pressure(Washington=0.9, low=1),
     "sponsors.Washington.strength: low <= value <= high must hold, got value 0.9, low 1"),
    (lambda: geneva().with_pressure(Washington=0.9, low=0.8, high=0.7),
     "sponsors.Washington.strength: low <= value <= high must hold, got value 0.9, low 0.8, high 0.7"),
    (lambda: geneva().with_pressure(Washington=0.9, high=NAN), "sponsors.Washington.strength high must be a finite number, got nan"),
    (lambda: geneva().with_pressure(Washington=0.9, low="weak"), "sponsors.Washington.strength low must be a number, got 'weak'"),
    (lambda: geneva().with_pressure(Washington=0.9, low=-1), "sponsors.Washington.strength: low must be between 0 and 1e6, got -1"),
    (lambda: geneva().with_pressure(Washington=(0.9, 0.8)),
     "sponsors.Washington.strength must be a number, or (value, low, high), got (0.9, 0.8)"),
    (lambda: geneva().with_pressure(Washington=(0.9, 0.8, 1), low=0.7),
     "sponsors.Washington.strength must be a number, or (value, low, high), got (0.9, 0.8, 1)"),
    (lambda: geneva().with_pressure(Washington=0.9, Brussels=0, low=0.7),
     "low and high are the range of one number, but 2 are set (sponsors.Washington.strength and sponsors.Brussels.strength); "
     "give each its own: (value, low, high)"),
    (lambda: geneva().with_behaviour(openness=0.5, high=0.7),
     "low and high are the range of one number, but 3 are set (behaviour.openness_fluid and behaviour.openness_entrenched "
     "and behaviour.openness_inf); give each its own: (value, low, high)"),
    (lambda: geneva().with_clock(days=["Mon"], low=3),
     "low and high are the range of one number, but none is set; give each its own: (value, low, high)"),
    (lambda: geneva().scaled(Washingtn=2), "no sponsor named 'Washingtn'; did you mean 'Washington'?"),
    (lambda: geneva().scaled(Washington=0),
     "the factor of Washington must be above 0, got 0; with_pressure(Washington=0) takes its pressure away"),
    (lambda: geneva().scaled(Washington=-2),
     "the factor of Washington must be above 0, got -2; with_pressure(Washington=0) takes its pressure away"),
    (lambda: geneva().scaled(Washington="twice"), "the factor of Washington must be a number, got 'twice'"),
    (lambda: geneva().scaled(Washington=INF), "the factor of Washington must be a finite number, got inf"),
    (lambda: geneva().scaled(Washington=1e7), "sponsors.Washington.strength must be between 0 and 1e6, got 6e+06"),
    (lambda: geneva().with_behaviour(secrecey=1), "no parameter of the behaviour named 'secrecey'; did you mean 'secrecy'?"),
    (lambda: geneva().with_behaviour(secrecy=1.2), "behaviour.secrecy must be between 0 and 1, got 1.2"),
    (lambda: geneva().with_behaviour(momentum=INF), "behaviour.momentum_fluid must be a finite number, got inf"),
    (lambda: geneva().with_rules("four"), "no reading of the rules of 'iom' named 'four'; did you mean 'four-rounds'?"),
    (
        lambda: geneva().with_rules(threshold="1/2"),
        "threshold 1/2 would elect with exactly half of the votes; write '>1/2' for a majority",
    ),
    (lambda: geneva().with_rules(treshold="2/3"), "no part of the rules named 'treshold'; did you mean 'threshold'?"),
    (lambda: geneva().with_rules(max_rounds=2.5), "max_rounds must be a whole number of at least 1, got 2.5"),
    (
        lambda: geneva().with_rules(5),
        "no reading of the rules of 'iom' named '5'; there are until-two-thirds, strict, four-rounds, one-two-way, "
        "withdrawal-then-vote",
    ),
    (lambda: geneva().with_clock(sits=1), "no part of the clock named 'sits'; did you mean 'sits_on'?"),
    (lambda: geneva().with_clock(sits_on=2), "clock.sits_on must be between 0 and 1, got 2"),
    (lambda: geneva().with_clock(opens="soon"), "clock.opens must be a date and time such as 2023-05-15T10:00, got 'soon'"),
    (lambda: geneva().with_parameters({"behavior.fluid": 1}), "no parameter named 'behavior.fluid'; did you mean 'behaviour.fluid'?"),
    (lambda: geneva().with_pinned(Pop="CAN"), "no candidate named 'Pop'; did you mean 'Pope'?"),
    (lambda: geneva().with_pinned(Pope="Kanada"), "no member named 'Kanada'; did you mean 'Canada'?"),
    (lambda: geneva().with_pinned(Pope="USA"), "is pinned twice; name it once"),
    (lambda: geneva().with_pinned(Pope="PRT"), "Portugal is pinned to two candidates; name it once"),
    (lambda: geneva().balanced(0), "the share of Pope must be between 0 and 1, got 0"),
    (lambda: geneva().balanced(1.0), "the share of Pope must be between 0 and 1, got 1.0"),
    (lambda: geneva().balanced(NAN), "the share of Pope must be between 0 and 1, got nan"),
    (lambda: geneva().balanced("half"), "the share of Pope must be between 0 and 1, got 'half'"),
    (lambda: geneva().balanced({"Pop": 0.5}), "no candidate named 'Pop'; did you mean 'Pope'?"),
    (lambda: geneva().balanced({"Pope": 0.7, "Vitorino": 0.4}), "the shares asked for must add up to less than 1, got 1.1"),
    (lambda: geneva().balanced({}), "give the share of at least one candidate"),
    (lambda: toy(electorate={"size": 2, "pinned": {"A": ["M1"], "B": ["M2"]}}).balanced(0.6),
     "no appeal gives A a mean share of 0.6; too many members are pinned or tied"),
    (lambda: geneva().candidate("Popp"), "no candidate named 'Popp'; did you mean 'Pope'?"),
    (lambda: geneva().sponsor("Moscow"), "no sponsor named 'Moscow'; there are Washington, Brussels"),
    (lambda: geneva().save("/nowhere/at/all.toml"), "cannot write '/nowhere/at/all.toml': No such file or directory"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), CHANGES)
def test_a_change_that_makes_no_sense(call: Callable[[], Any], said: str) -> None:
    assert said in sentence(call)


# -- runs, seeds and the rest -----------------------------------------------------------------------------------

CALLS: list[tuple[dict[str, Any], str]] = [
    ({"runs": 0}, "runs must be a whole number of at least 1, got 0"),
    ({"runs": -5}, "runs must be a whole number of at least 1, got -5"),
    ({"runs": 2.5}, "runs must be a whole number of at least 1, got 2.5"),
    ({"runs": 1e3}, "runs must be a whole number of at least 1, got 1000.0"),
    ({"runs": True}, "runs must be a whole number of at least 1, got True"),
    ({"runs": "many"}, "runs must be a whole number of at least 1, got 'many'"),
    ({"runs": NAN}, "runs must be a whole number of at least 1, got nan"),
    ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
    ({"seed": "lucky"}, "seed must be a whole number of at least 0, got 'lucky'"),
    ({"seed": 1.0}, "seed must be a whole number of at least 0, got 1.0"),
    ({"seed": False}, "seed must be a whole number of at least 0, got False"),
    ({"keep": "everything"}, "keep must be 'runs' or 'summary', got 'everything'"),
    ({"precision": 0}, "precision must be between 0 and 0.5, got 0; 0.005 is half a point"),
    ({"precision": 1}, "precision must be between 0 and 0.5, got 1; 0.005 is half a point"),
    ({"precision": NAN}, "precision must be between 0 and 0.5, got nan; 0.005 is half a point"),
    ({"precision": "high"}, "precision must be between 0 and 0.5, got 'high'; 0.005 is half a point"),
    ({"precision": 0.1, "runs": 10}, "give runs or precision, not both"),
    ({"precision": 0.1, "target": "C"}, "target must be one of A, B, no winner, spill; got 'C'"),
    ({"target": "A"}, "target 'A' is what precision is about; give precision too"),
    ({"executor": 5}, "an executor needs map or submit, got int"),
]


@pytest.mark.parametrize(("arguments", "said"), CALLS)
def test_a_forecast_that_makes_no_sense(arguments: dict[str, Any], said: str) -> None:
    assert sentence(lambda: iom.forecast(toy(5), **arguments)) == said


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("Monday", "the session opens on a Monday; ask for a later day"),
        ("Tuseday", "no day named 'Tuseday'; did you mean 'Tuesday'?"),
        ("2023-05-15", "2023-05-15 is not after the opening on 2023-05-15; ask for a later day"),
        ("2023-05-1", "no day named '2023-05-1'"),
        (2, "no day named '2'"),
        ("", "no day named ''"),
    ],
)
def test_a_day_that_makes_no_sense(day: Any, said: str, centre_forecast: iom.Forecast) -> None:
    assert said in sentence(lambda: centre_forecast.spill(day))


# -- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("geneva", "no scenario named 'geneva'; did you mean 'geneva-2023'? (a file's path ends in .toml)"),
        ("Geneva-2023", "no scenario named 'Geneva-2023'; did you mean 'geneva-2023'?"),
        ("", "no scenario named ''; there are geneva-2023, iom-2018, minimal"),
        ("race.json", "no scenario named 'race.json'; there are geneva-2023, iom-2018, minimal"),
    ],
)
def test_a_name_that_nothing_has(name: str, said: str) -> None:
    assert said in sentence(lambda: iom.load(name), iom.UnknownNameError)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    gone, folder, latin, broken = (tmp_path / f"{n}.toml" for n in ("gone", "folder", "latin", "broken"))
    folder.mkdir()
    latin.write_bytes("title = 'Köln'".encode("latin-1"))
    broken.write_text("title = 'x\n", encoding="utf-8")
    assert sentence(lambda: iom.load(gone), iom.FileError).endswith("gone.toml': No such file or directory")
    assert sentence(lambda: iom.load(folder), iom.FileError).endswith("folder.toml': Is a directory")
    assert "cannot read the scenario" in sentence(lambda: iom.load(latin), iom.FileError)
    assert "broken.toml is not valid TOML: " in sentence(lambda: iom.load(broken), iom.FileError)
    assert "scenario is not valid TOML: " in sentence(lambda: iom.loads("= 5"), iom.FileError)


def test_a_problem_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "race.toml"
    path.write_text(dumps(geneva()).replace("decay", "decai"), encoding="utf-8")
    with pytest.raises(iom.ScenarioError) as error:
        iom.load(path)
    assert str(error.value) == f"{path}: unknown key 'behaviour.decai'; did you mean 'decay'?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "m.csv': No such file or directory"),
        ("", "cannot read the member table"),
        ("name\n", "electorate: an electorate has 1 to 10000 members, got 0"),
        ("nato,eu\n1,0\n", "the member table has no column 'name' for the names; there are nato, eu"),
        ("name,nato\nX,1\nX,0\n", "two members share the id 'X'"),
        ("name,nato\nX,1\n,0\n", "m.csv', line 3: no name in column 'name'; write one, or leave the line out"),
        ("name,nato\nX,1,5,7\nY,2\n", "m.csv', line 2: the header has 2 cells, this line 4"),
        ("name,nato\nX,1\n\nY\n", "m.csv', line 4: the header has 2 cells, this line 1"),
        ("name,nato\nX,1\nY,inf\n", "member 'Y' has no finite value in column 'nato'; leave it empty"),
        ("name,nato\nX,1\nY,2\n", "column 'nato' is not a yes/no column; write nato=X for some value X"),
    ],
)
def test_member_tables_that_cannot_be_read(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "m.csv").write_text(text, encoding="utf-8")
    described = {"electorate": {"members": "m.csv"}, "candidates": AB, "sponsors": [W | {"exposure": {"not nato": 1}}]}
    (tmp_path / "race.toml").write_text(tomli_w.dumps(described), encoding="utf-8")
    assert said in sentence(lambda: iom.load(tmp_path / "race.toml"))


# -- handed to the wrong place, or nowhere to write ---------------------------------------------------------------

ASKERS: dict[str, Callable[[Any], Any]] = {
    "forecast": iom.forecast,
    "live": iom.live,
    "grid": lambda race: iom.grid(race, secrecy=[0.0]),
    "tornado": iom.tornado,
    "sobol": iom.sobol,
    "pivotal": iom.pivotal,
    "paths_to": lambda race: iom.paths_to(race, "A"),
    "dumps": iom.dumps,
    "a study": lambda race: iom.Study.grid(race, secrecy=[0.0]),
}


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    return iom.forecast(iom.load("minimal"), runs=50, seed=1, progress=False)


@pytest.mark.parametrize("asker", ASKERS)
def test_a_name_is_no_scenario(asker: str) -> None:
    with pytest.raises(iom.IomsimError, match=f"^{asker} takes a Scenario, got str; read one with iomsim.load$"):
        ASKERS[asker]("minimal")


def test_a_study_takes_scenarios() -> None:
    for make in (lambda x: iom.Study.sample(x, 2, 1), lambda x: iom.Study.of([x])):
        with pytest.raises(iom.IomsimError, match=r"^a study takes a Scenario, got int"):
            make(3)


def test_text_is_what_loads_takes() -> None:
    with pytest.raises(iom.IomsimError, match=r"^loads takes the text of a scenario, got PosixPath; load reads"):
        iom.loads(Path("x.toml"))  # type: ignore[arg-type]


def test_contests_are_a_list() -> None:
    with pytest.raises(iom.IomsimError, match=r"^contests must be ids or contests, got 3; "):
        iom.backtest(contests=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("hits", "runs"), [(0, 0), (5, 3), (-1, 3)])
def test_a_share_of_nothing(hits: int, runs: int) -> None:
    with pytest.raises(iom.IomsimError, match=f"^{hits} in {runs} runs is no share"):
        iom.Estimate.of(hits, runs)


def writers(fc: iom.Forecast, there: Path) -> list[Callable[[], Any]]:
    return [
        lambda: iom.report(fc, there / "x.html"),
        lambda: fc.plot.save("rounds", there / "x.png"),
        lambda: fc.save(there / "x.npz"),
        lambda: fc.to_csv(there / "x"),
        lambda: fc.race.save(there / "x.toml"),
        lambda: iom.Study.of([fc.race]).run(runs=10, seed=1, folder=there / "x", progress=False),
    ]


@pytest.mark.parametrize("which", slow_but(range(6), 1, 2, 3, 4))
def test_where_nothing_can_be_written(fc: iom.Forecast, tmp_path: Path, which: int) -> None:
    (tmp_path / "file").write_text("")
    said = r"^cannot write '.*': Not a directory$|^'.*' is no folder; a study keeps"
    with pytest.raises(iom.FileError, match=said) as told:
        writers(fc, tmp_path / "file")[which]()
    assert str(told.value).count("file") == 1


def test_a_folder_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(iom.FileError, match=r"^cannot read '.*elections.csv': No such file or directory$"):
        iom.history(tmp_path)


@pytest.mark.parametrize("nearly", [0.667, "0.6667", 0.67, 0.6666])
def test_nearly_two_thirds_is_not_two_thirds(nearly: Any) -> None:
    with pytest.raises(iom.ScenarioError, match="is not two thirds and elects otherwise where it matters; write '2/3'"):
        iom.load("minimal").with_rules(threshold=nearly)


@pytest.mark.parametrize(
    ("written", "meant"), [(2 / 3, "2/3"), ("667/1000", "667/1000"), (0.66, "33/50"), (0.7, "7/10"), ("2/3", "2/3")]
)
def test_what_is_meant_is_taken(written: Any, meant: str) -> None:
    [bar] = iom.load("minimal").with_rules(threshold=written).rules.threshold
    assert (bar.kind, bar.value) == ("at least", Fraction(meant))


# -- past contests ----------------------------------------------------------------------------------

ELECTIONS = "election_id,year,rounds_total,decided_how,winner,threshold_share,electorate_size\n"
TALLIES = "election_id,round,candidate,votes\nX,1,Anna,80\nX,1,Bob,70\nX,2,Anna,110\nX,2,Bob,40\n"


def past(folder: Path, winner: str) -> Path:
    (folder / "elections.csv").write_text(f"{ELECTIONS}X,2000,2,majority,{winner},2/3,160\n")
    (folder / "tallies.csv").write_text(TALLIES)
    return folder


def test_who_had_the_votes_in_the_last_round_won(tmp_path: Path) -> None:
    with pytest.raises(iom.FileError, match=r"line 2: the winner is Bob, but Anna had the votes in round 2, the last$"):
        iom.history(past(tmp_path, "Bob"))
    assert iom.history(past(tmp_path, "Anna")).elections["winner"].tolist() == ["Anna"]
    assert iom.history(past(tmp_path, "Carl")).elections["winner"].tolist() == ["Carl"]  # perhaps a fuller name


def test_one_contest_is_told_in_the_singular(tmp_path: Path) -> None:
    test = iom.backtest(folder=past(tmp_path, "Anna"))
    assert test.sentence().startswith("Judged after 1 round of 1 past contest, ")


# -- whatever a file may hold ------------------------------------------------------------------------------------

SEED_TEXT = """
title = "fuzzed"
as_of = 2023-05-14
[electorate]
table = [
  { name = "X", iso3 = "XXX", near = 1, g = "North" }, { name = "Y", iso3 = "YYY", near = 0, g = "North" },
  { name = "Z", iso3 = "ZZZ", near = 1, g = "South" }, { name = "V", iso3 = "VVV", near = 0, g = "South" },
]
group = "g"
own_groups = { Near = "near" }
without_vote = ["V"]
pinned = { A = ["XXX"] }
[[candidates]]
name = "A"
appeal = { value = 0.2, low = -0.2, high = 0.5, unit = "log-odds", grade = "assumed", source = "tight-race" }
[[candidates]]
name = "B"
colour = "#D55E00"
[[sponsors]]
name = "W"
backs = "A"
strength = 0.6
spread = { value = 0.4, low = 0.2, high = 0.8 }
exposure = { all = 0.5, "near and g=North" = 1.5 }
[[ties]]
name = "bloc"
who = "g=South"
candidate = "B"
log_odds = 1.9
[behaviour]
secrecy = 0.4
absent = { value = 0.05, low = 0.01, high = 0.17 }
conviction = 1.8
momentum_fluid = 3.0
concede_a = 1.1
round_sd = 0.15
overnight = 0.1
[rules]
name = "four-rounds"
threshold = "2/3"
eliminate_after = 3
max_rounds = 5
base = "present"
[clock]
opens = 2023-05-15T10:00:00
sittings = [[10:00:00, 13:00:00], [15:00:00, 18:00:00]]
days = ["Mon", "Tue"]
sits_on_until = 21:00:00
closed = [2023-05-17]
round_minutes = 70
round_log_sd = 0.25
consultation = 30
"""

PHASES = """
phases = [
  { name = "all", ballots = 2, tie = "extra" },
  { name = "two", keep = 2, ballots = 1, threshold = ["2/3", ">1/2"], drop = 1, down_to = 1 },
  { name = "alone", vote = "yes-no", ballots = 1, base = "valid", barred = false, standing = 1, field = "remaining" },
]
withdrawal = "vote"
after = "repeat"
repeat_from = "two"
"""
SEED_TEXTS = (SEED_TEXT, SEED_TEXT.replace("eliminate_after = 3", PHASES))
"""A reading changed by a knob of the short form, and one with phases of its own."""

WORDS = ("", " ", "A", "B", "W", "X", "all", "not all", "near", "g=South", "not near and g=North", "nan", "never",
         "unlimited", "off", "2/3", ">1/2", "most", "0", "strict", "until-two-thirds", "who", "valid", "entitled", "all but the last", "two", "extra", "vote", "yes-no", "fail", "repeat", "Mon", "10:00", "eu-27", "tight-raec",
         "and", " and ", "=", "g=", "'\"\\", "a\nb", "é" * 40, "\x00", "no winner", "iom-2023", "m.csv", "[x]", "{x}")  # fmt: skip
NUMBERS = (0, 1, -1, 2, 3, 0.5, 1e-300, -1e-300, 5e-324, 1e-9, 1e6, 1e9, 1e18, 1e300, -1e300, 2**63, 10**30,
           NAN, INF, -INF, 1440, 1.5, 10, 1000, 1001)  # fmt: skip
MOMENTS = [tomllib.loads(f"x = {text}")["x"] for text in (
    "2023-05-15T10:00:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "2023-05-15T10:00:00+02:00", "2023-05-15",
    "2100-02-28", "00:00:00", "23:59:59.999999", "10:00:00")]  # fmt: skip

numbers = st.one_of(st.sampled_from(NUMBERS), st.floats(0, 1), st.floats(), st.integers(-5, 50))
words = st.one_of(st.sampled_from(WORDS), st.text(max_size=6))
moments = st.sampled_from(MOMENTS)
atoms = st.one_of(numbers, words, moments, st.booleans())
anything = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*WORDS[2:8], "value", "low", "name"]), inner, max_size=3),
    ),
    max_leaves=4,
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a document."""
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    return [path, *(place for key in keys for place in places(tree[key], (*path, key)))]


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def like(value: Any) -> st.SearchStrategy[Any]:
    """Return values of the same kind, so that many documents get past the first look."""
    if isinstance(value, bool | dict | list):
        return st.just(value)
    return numbers if isinstance(value, int | float) else words if isinstance(value, str) else moments


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return a valid document in which up to four things were replaced, removed, added or doubled."""
    document = tomllib.loads(draw(st.sampled_from(SEED_TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(places(document)[1:] or [()]))
        if not path:
            break
        parent, key = at(document, path[:-1]), path[-1]
        match draw(st.sampled_from((*["tweak"] * 6, "replace", "remove", "add", "double"))):
            case "tweak":
                parent[key] = draw(like(parent[key]))
            case "replace":
                parent[key] = draw(anything)
            case "remove":
                del parent[key]
            case "add" if isinstance(parent, dict):
                fields = [*Scenario.model_fields, *iom.Behaviour.model_fields, *iom.Clock.model_fields, *RulesTable.model_fields,
                          *PhaseTable.model_fields, *WORDS]  # fmt: skip
                parent[draw(st.sampled_from(fields))] = draw(anything)
            case "double" if isinstance(parent, list):
                parent.append(parent[key])
    return document


def outcome(document: dict[str, Any]) -> str:
    """Return the sentences with which a document is refused, or "" if it can be forecast."""
    try:
        race = iom.loads(tomli_w.dumps(document))
        again = iom.loads(iom.dumps(race))
        forecast = iom.forecast(race, runs=3, seed=1, progress=False)
    except iom.IomsimError as error:
        return str(error)
    assert again == race
    assert again.hash == race.hash
    probability = forecast.win_probability()["probability"]
    assert math.isclose(probability.sum(), 1)
    assert np.isfinite(race.exposure).all()
    assert len(repr(race)) > 20
    return ""


@pytest.mark.slow
@hypothesis.settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(documents())
def test_any_document_is_forecast_or_refused_in_words(document: dict[str, Any]) -> None:
    said = outcome(document)
    for line in said.splitlines():
        assert len(line) < 400
    assert len(said) < 4000


@pytest.mark.slow
@hypothesis.settings(
    max_examples=3000, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(documents())
def test_many_documents_are_forecast_or_refused_in_words(document: dict[str, Any]) -> None:
    said = outcome(document)
    assert max(map(len, said.splitlines()), default=0) < 400
    assert len(said) < 4000


@pytest.mark.parametrize("text", SEED_TEXTS, ids=["knobs", "phases"])
def test_the_document_itself_can_be_forecast(text: str) -> None:
    assert outcome(tomllib.loads(text)) == ""
