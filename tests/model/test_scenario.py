"""A scenario is a value: it cannot be changed, is written and read back whole, and gives changed copies."""

from __future__ import annotations

import copy
import html
import pickle
from collections.abc import Callable
from datetime import date, datetime, time
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError
from toys import as_an_editor_sees, mostly_slow, neutral, play, same, toy

import iomsim as iom
from iomsim.forecasting.archive import self_contained
from iomsim.model.bodies import readings
from iomsim.model.catalogue import catalogue
from iomsim.model.differences import differences as told_differences
from iomsim.model.links import limits
from iomsim.model.parameters import describe_parameter, resolve
from iomsim.model.quantities import Quantity, in_digits
from iomsim.model.scenario import Scenario, build
from iomsim.rules.procedure import Procedure

SET = ("value", "low", "high", "source")
"""What is another of a number that an analyst sets."""

SHIPPED = ("geneva-2023", "iom-2018", "minimal")


@pytest.fixture(scope="module")
def geneva() -> Scenario:
    return iom.load("geneva-2023")


# -- it cannot be changed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda race: setattr(race, "title", "x"),
        lambda race: setattr(race.behaviour, "fluid", 0.1),
        lambda race: setattr(race.behaviour.fluid, "value", 0.1),
        lambda race: setattr(race.sponsors[0], "backs", "Vitorino"),
        lambda race: setattr(race.rules, "name", "strict"),
        lambda race: delattr(race, "clock"),
        lambda race: race.sponsors[0].exposure.update({"all": 9}),
        lambda race: race.sponsors[0].exposure.pop("nato and not eu"),
        lambda race: race.electorate.pinned.__setitem__("Pope", ("CAN",)),
        lambda race: race.electorate.own_groups.clear(),
        lambda race: race.electorate.pinned.setdefault("x", ()),
    ],
)
def test_nothing_can_be_changed_in_place(geneva: Scenario, change: Callable[[Scenario], Any]) -> None:
    before = geneva.hash
    with pytest.raises((ValidationError, TypeError, AttributeError)):
        change(geneva)
    assert geneva.hash == before


def test_an_inline_table_cannot_be_changed_either() -> None:
    race = neutral()
    assert race.electorate.table is not None
    with pytest.raises(TypeError, match="make a changed copy"):
        race.electorate.table[0]["g"] = "other"


def test_tables_handed_out_are_copies(geneva: Scenario) -> None:
    table = geneva.members
    table["nato"] = 0
    geneva.exposure[:] = 0
    geneva.tie_table[:] = 0
    geneva.votes[:] = False
    assert geneva.members["nato"].sum() == 31
    assert geneva.exposure.mean() == pytest.approx(1)
    assert geneva.tie_table.any()
    assert geneva.votes.all()


@pytest.mark.parametrize("name", SHIPPED)
def test_it_travels_to_other_processes_whole(name: str) -> None:
    race = iom.load(name)
    for other in (pickle.loads(pickle.dumps(race)), copy.deepcopy(race)):
        assert other == race
        assert other.hash == race.hash
        assert hash(other) == hash(race)


# -- written and read back -----------------------------------------------------------------------------


def odd() -> Scenario:
    """Return a scenario with all that is unusual: names, times, rules, cells."""
    table = [
        {"name": "Côte d'Ivoire", "iso3": "CIV", "near": 1, "score": 0.1 + 0.2, "note": 'said "no"', "flag": True},
        {"name": "St. Kitts, and Nevis", "iso3": "KNA", "near": 0, "score": -1e-9, "note": "", "flag": False},
        {"name": "東京 = [x]", "iso3": "NAN", "near": 0, "score": 3.0, "note": "# no comment", "flag": True},
        {"name": "M.4", "iso3": "'''", "near": 1, "score": 2.0, "note": "\\", "flag": False},
    ]
    return build(
        {
            "title": 'Ein Wahltag: "O\'Higgins" & <b>Åse</b>',
            "as_of": date(1999, 12, 31),
            "electorate": {
                "table": table,
                "pinned": {"A.B. <i>": ["CIV"]},
                "without_vote": ["M.4"],
                "group": "note",
                "barred": {"é": ["KNA", "M.4"]},
            },
            "candidates": [
                {"name": "A.B. <i>", "colour": "#00ff00"},
                {"name": "C & D", "appeal": 1 / 3},
                {"name": "é"},
            ],
            "sponsors": [{"name": "U.S.", "backs": "é", "strength": 0.1, "exposure": {"near": 2, "score=3.0": 0.5}}],
            "ties": [
                {"name": "t.1", "who": ["KNA", "NAN"], "candidate": "C & D", "log_odds": {"value": -0.7, "low": -1}}
            ],
            "behaviour": {"fluid": {"value": 0.7, "source": "why, not? \n two lines"}, "overnight": 0.25},
            "rules": {"threshold": "5/8", "eliminate_after": "never", "max_two_way": 2, "base": "entitled"},
            "clock": {
                "opens": datetime(2024, 2, 29, 23, 59, 30),
                "sittings": [[time(0, 0), time(3, 0, 15)], [time(4), time(23, 59, 59)]],
                "timezone": "America/St_Johns",
                "days": ["Sun", "Mon", "Thu"],
                "closed": [date(2024, 3, 4)],
                "rounds_a_day": 4,
                "first_day": 1,
                "deadline": datetime(2024, 3, 12, 18, 0, 30),
                "sits_on_until": time(23, 30),
                "consultation": 12.5,
            },
        }
    )


PHASES = [
    {"name": "all", "ballots": 2, "drop": 1, "down_to": 4, "tie": "extra", "barred": True},
    {"name": "two", "keep": 2, "standing": 2, "ballots": 1, "threshold": [">1/2", 117], "base": "entitled"},
    {"name": "alone", "vote": "yes-no", "ballots": 1},
    {"field": "all", "ballots": 1},
    {"field": "all but the last", "ballots": 1},
]
NEIGHBOURS = iom.Tie(name="neighbours", who=("CAN", "MEX"), candidate="Pope", log_odds=0.4)
CHANGED: dict[str, Callable[[Scenario], Scenario]] = {
    "pressure": lambda race: race.with_pressure(Washington=0.123456789012345),
    "behaviour": lambda race: race.with_behaviour(openness=1 / 3, momentum=2),
    "four rounds": lambda race: race.with_rules("four-rounds"),
    "own rules": lambda race: race.with_rules(Procedure(name="mine", threshold="3/5", max_rounds=7)),
    "own phases": lambda race: race.with_rules(
        Procedure(
            name="mine",
            threshold=["2/3", "most"],
            base="present",
            withdrawal="vote",
            after="repeat",
            repeat_from="two",
            phases=PHASES,
        )
    ),
    "body": lambda race: build({**dict(race), "body": "who", "rules": {"name": "rule-110"}, "readings": ()}),
    "changed rules": lambda race: race.with_rules("four-rounds", concession=False, simple_majority_from=4),
    "no cap again": lambda race: race.with_rules("four-rounds", max_two_way=None),
    "clock": lambda race: race.with_clock(opens="2023-05-19T16:45:10", days=["Fri", "Sat"], closed=[date(2023, 5, 20)]),
    "sittings": lambda race: race.with_clock(sittings=[["08:30", "12:00:30"]], sits_on_until="22:15", sits_on=1),
    "ties": lambda race: race.with_ties(NEIGHBOURS),
    "pins": lambda race: race.with_pinned(Pope=["CAN"], Vitorino="BRA"),
    "balanced": lambda race: race.balanced(0.55),
    "balanced after a what-if": lambda race: race.with_pressure(Brussels=0.1).balanced(0.55),
    "two what-ifs": lambda race: race.with_pressure(Washington=0).with_ties(NEIGHBOURS).with_pinned(Pope="CAN"),
    "other weights": lambda race: race.with_readings({"strict": 0.3, "four-rounds": 0.7}),
    "not the weightiest": lambda race: build({**dict(race), "rules": {"name": "strict"}}),
    "a reading of its own": lambda race: build(
        {
            **dict(race),
            "rules": None,
            "readings": [
                {"rules": {"name": "mine", "threshold": ">1/2"}, "weight": 0.6},
                {"name": "strict", "weight": 0.4},
            ],
        }
    ),
    "of a body": lambda race: build(
        {
            **dict(race),
            "body": "who",
            "rules": None,
            "readings": [
                {"rules": {"name": "rule-110", "max_rounds": 30}, "weight": 0.6},
                {"rules": {"name": "mine", "threshold": "3/4", "max_rounds": 30}, "weight": 0.4},
            ],
        }
    ),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_is_written_and_read_back(name: str, tmp_path: Path) -> None:
    assert_round_trip(iom.load(name), tmp_path)


@pytest.mark.parametrize("change", mostly_slow(CHANGED, 2))
def test_a_changed_scenario_is_written_and_read_back(change: str, geneva: Scenario, tmp_path: Path) -> None:
    changed = CHANGED[change](geneva)
    assert changed != geneva
    assert changed.hash != geneva.hash
    assert_round_trip(changed, tmp_path)


def test_the_same_rules_by_another_name_are_the_same_election(geneva: Scenario, tmp_path: Path) -> None:
    again = geneva.with_rules("four-rounds", max_two_way=None)
    assert again.rules.name == "four-rounds, changed"
    assert again.hash == geneva.with_rules("until-two-thirds").hash != geneva.hash
    assert_round_trip(again, tmp_path)


@pytest.mark.parametrize("race", [odd(), neutral(), toy(3, "ABCDEFGH")], ids=["odd", "table", "eight"])
def test_an_odd_scenario_is_written_and_read_back(race: Scenario, tmp_path: Path) -> None:
    assert_round_trip(race, tmp_path)


def assert_round_trip(race: Scenario, folder: Path) -> None:
    race.save(folder / "race.toml")
    again = iom.load(folder / "race.toml")
    assert again == race
    assert again.hash == race.hash
    assert iom.dumps(again) == iom.dumps(race)
    assert same(play(again, 20), play(race, 20))


@pytest.mark.parametrize(
    "race", [iom.load("geneva-2023"), iom.load("minimal"), odd()], ids=["geneva", "minimal", "odd"]
)
def test_with_its_members_inside_it_is_the_same_election(race: Scenario) -> None:
    inside = self_contained(race)
    assert inside.electorate.table is not None
    assert inside.hash == race.hash
    assert iom.loads(iom.dumps(inside)) == inside
    assert same(play(inside, 50), play(race, 50))


def test_a_column_called_group_survives() -> None:
    """The frame has columns of its own called id, name and group; a table's own ones must not be lost."""
    table = [{"who": f"M{i}", "group": f"G{i % 2}", "id": i} for i in range(4)]
    race = build({"electorate": {"table": table, "name": "who", "group": "group"}, "candidates": AB})
    assert race.members["group"].tolist() == ["G0", "G1", "G0", "G1"]
    assert iom.loads(iom.dumps(self_contained(race))).hash == race.hash


AB = [{"name": "A"}, {"name": "B"}]


def test_members_in_a_csv_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("name,near\nX,1\nY,0\nZ,0\n", encoding="utf-8")
    (tmp_path / "race.toml").write_text(
        'electorate = { members = "m.csv" }\ncandidates = [{ name = "A" }, { name = "B" }]\n'
        'sponsors = [{ name = "W", backs = "A", strength = 0.5, exposure = { near = 2 } }]\n',
        encoding="utf-8",
    )
    race = iom.load(tmp_path / "race.toml")
    assert race.exposure.tolist() == [[3.0, 0.0, 0.0]]
    assert iom.load(str(tmp_path / "race.toml")) == race
    assert iom.loads(iom.dumps(race)) == race


# -- changed copies ---------------------------------------------------------------------------------------


def differences(a: Scenario, b: Scenario) -> set[str]:
    """Return the dotted paths at which two descriptions differ."""
    found: set[str] = set()

    def compare(x: Any, y: Any, path: str) -> None:
        if isinstance(x, dict) and isinstance(y, dict):
            for key in {*x, *y}:
                compare(x.get(key), y.get(key), f"{path}.{key}")
        elif isinstance(x, (list, tuple)) and isinstance(y, (list, tuple)) and len(x) == len(y):
            for i, (one, other) in enumerate(zip(x, y, strict=True)):
                compare(one, other, f"{path}.{i}")
        elif x != y:
            found.add(path.lstrip("."))

    compare(a.model_dump(), b.model_dump(), "")
    return found


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        (lambda r: r.with_pressure(Washington=0.7), {f"sponsors.0.strength.{k}" for k in SET}),
        (lambda r: r.with_pressure(Brussels=0.9), {f"sponsors.1.strength.{k}" for k in SET}),
        (lambda r: r.with_pressure(Brussels=0.9, high=0.9), {f"sponsors.1.strength.{k}" for k in SET}),
        (lambda r: r.scaled(Brussels=0.5), {f"sponsors.1.strength.{k}" for k in SET}),
        (lambda r: r.with_behaviour(secrecy=0.5), {f"behaviour.secrecy.{k}" for k in SET}),
        (lambda r: r.with_clock(sits_on=0.5), {f"clock.sits_on.{k}" for k in SET}),
        (lambda r: r.with_clock(opens="2023-05-16T10:00"), {"clock.opens"}),
        (lambda r: r.with_parameters({"sponsors.Brussels.exposure.oif and not eu": 0.5}),
         {f"sponsors.1.exposure.oif and not eu.{k}" for k in SET}),
        (lambda r: r.with_parameters({"ties.declared by name.log_odds": 2.2}),
         {f"ties.1.log_odds.{k}" for k in SET}),
        (lambda r: r.with_pinned(Pope="CAN"), {"electorate.pinned.Pope"}),
    ],
)  # fmt: skip
def test_a_copy_changes_one_thing(geneva: Scenario, change: Callable[[Scenario], Scenario], paths: set[str]) -> None:
    before = iom.dumps(geneva)
    changed = change(geneva)
    assert differences(geneva, changed) - {"held"} == paths
    held = {path.split(".")[0] for path in paths} - {"clock"}  # what the level was stated for
    assert {key for key, part in dict(changed.held or {}).items() if part is not None} == held
    assert all(getattr(changed.held, key) == getattr(geneva, key) for key in held)
    assert iom.dumps(geneva) == before


def test_several_parameters_at_once(geneva: Scenario) -> None:
    values = {"sponsors.Washington.strength": 0.1, "sponsors.Washington.spread": 0.3, "level.Pope": 0.52}
    changed = geneva.with_parameters(values)
    assert {path: changed.parameters()[path].value for path in values} == values
    assert geneva.with_parameters(dict(reversed(values.items()))) == changed


def test_setting_a_parameter_to_what_it_is_changes_nothing(geneva: Scenario) -> None:
    assert geneva.with_pressure(Washington=0.60) == geneva
    assert geneva.with_parameters({path: q.value for path, q in geneva.parameters().items()}) == geneva


def ranged(race: Scenario, path: str = "sponsors.Washington.strength") -> tuple[float, float, float]:
    q = race.parameters()[path]
    return q.value, q.low, q.high


def test_what_is_believed_of_a_number_moves_with_it(geneva: Scenario) -> None:
    assert ranged(geneva) == (0.6, 0.32, 1.14)
    assert ranged(geneva.with_pressure(Washington=0.9)) == (0.9, 0.48, 1.71)
    assert ranged(geneva.scaled(Washington=2)) == (1.2, 0.64, 2.28)
    assert ranged(geneva.with_pressure(Washington=0)) == (0, 0, 0)
    assert ranged(geneva.with_behaviour(secrecy=1), "behaviour.secrecy") == (1, 1, 1)
    appeal = "candidates.Pope.appeal"
    even = build({**dict(geneva), "level": {}, "candidates": [{"name": "Pope"}, {"name": "Vitorino"}]})
    value, low, high = ranged(even.balanced(0.55), appeal)
    assert (value - low, high - value) == pytest.approx((0.3, 0.3), abs=1e-9)
    assert abs(value) > 0.01
    assert even.balanced(0.55).hash_with({}) == even.hash_with({appeal: value})


def test_the_range_comes_back_when_the_value_does(geneva: Scenario) -> None:
    for path, q in geneva.parameters().items():
        bounds = geneva._parameters[path].bounds
        least, most = limits(bounds, q.low, q.high)
        if not least < q.low <= q.high < most:
            continue  # what is clipped is lost
        for other in (q.value * 1.07 + 0.013, q.value * 0.81 + 0.0037):
            there = geneva.with_parameters({path: min(other, (q.value + bounds.high) / 2)})
            _, low, high = ranged(there, path)
            back = there.with_parameters({path: q.value})
            if least < low <= high < most:
                assert ranged(back, path) == ranged(geneva, path)
                assert back.hash == geneva.hash


def test_a_range_may_be_given(geneva: Scenario) -> None:
    for changed in (
        geneva.with_pressure(Washington=0.9, low=0.8, high=1.0),
        geneva.with_pressure(Washington=(0.9, 0.8, 1)),
        geneva.with_parameters({"sponsors.Washington.strength": 0.9}, low=0.8, high=1),
        geneva.with_parameters({"sponsors.Washington.strength": (0.9, 0.8, 1)}),
    ):
        assert ranged(changed) == (0.9, 0.8, 1.0)
    assert ranged(geneva.with_pressure(Washington=0.6, low=0.6)) == (
        0.6,
        0.6,
        1.14,
    )  # the value stays, it is known better
    assert ranged(geneva.with_pressure(Washington=0, high=0.3)) == (0, 0, 0.3)
    assert ranged(geneva.with_behaviour(secrecy=0.5, high=0.5), "behaviour.secrecy")[::2] == (0.5, 0.5)
    clock = geneva.with_clock(round_minutes=60, low=59, high=61, days=["Mon", "Tue"])
    assert ranged(clock, "clock.round_minutes") == (60, 59, 61)
    assert clock.clock.days == ("Mon", "Tue")
    several = geneva.with_pressure(Washington=(0.9, 0.8, 1), Brussels=0)
    assert (ranged(several), ranged(several, "sponsors.Brussels.strength")) == ((0.9, 0.8, 1), (0, 0, 0))


def test_numbers_in_words_have_three_digits(geneva: Scenario) -> None:
    race = geneva.with_behaviour(secrecy=0.22727, absent=0.2 / 3)
    assert str(race.behaviour.secrecy) == "0.227 (0.0993 to 0.398) fraction"
    assert race.behaviour.secrecy.source.startswith("set to 0.227 by the user (was 0.4: ")
    assert told_differences(geneva, race) == ["secrecy at 0.227 instead of 0.4", "absence at 0.0667 instead of 0.05"]
    near = geneva.with_behaviour(secrecy=0.40004)
    assert told_differences(geneva, near) == ["secrecy at 0.40004 instead of 0.4"]  # as many as tell them apart
    assert "about 71.2 minutes a round" in repr(geneva.with_clock(round_minutes=71.2345))
    assert in_digits(0.22727) == ("0.227",)
    assert in_digits(1440.0) == ("1440",)
    assert in_digits(999.96) == ("1000",)
    assert in_digits(-1e-17 * 0) == ("0",)
    assert in_digits(0.5, 0.5) == ("0.5", "0.5")


@pytest.mark.parametrize("value", [1, 0.5, np.float64(0.5), np.float32(0.5), np.int64(1)])
def test_numbers_of_every_kind(geneva: Scenario, value: Any) -> None:
    assert geneva.with_behaviour(fluid=value).behaviour.fluid.value == float(value)


def test_every_parameter_can_be_set(geneva: Scenario) -> None:
    for path, quantity in geneva.parameters().items():
        middle = (quantity.low + quantity.value + quantity.high + 0.01) / 3.01
        changed = geneva.with_parameters({path: middle})
        assert changed.parameters()[path].value == middle
        assert [p for p, q in changed.parameters().items() if q.value != geneva.parameters()[p].value] == [path]


def test_names_with_dots_can_be_set() -> None:
    race = odd()
    for path in ("sponsors.U.S..strength", "sponsors.U.S..exposure.score=3.0", "ties.t.1.log_odds"):
        assert path in race.parameters()
        assert race.with_parameters({path: 0.75}).parameters()[path].value == 0.75
    assert race.with_parameters({"candidates.A.B. <i>.appeal": -1.0}).candidate("A.B. <i>").appeal.value == -1.0


def test_shorthands(geneva: Scenario) -> None:
    b = geneva.with_behaviour(openness=0.3, momentum=1.5).behaviour
    assert [b.openness_fluid.value, b.openness_entrenched.value, b.openness_inf.value] == [0.3] * 3
    assert [b.momentum_fluid.value, b.momentum_entrenched.value] == [1.5] * 2


@pytest.mark.parametrize("name", readings())
def test_rules_by_name(geneva: Scenario, name: str) -> None:
    changed = geneva.with_rules(name)
    assert changed.rules == readings()[name]
    assert changed.rules.name == name
    assert changed.with_rules(geneva.rules).rules == geneva.rules


def test_rules_in_part(geneva: Scenario) -> None:
    changed = geneva.with_rules("four-rounds", concession=False).with_rules(threshold=">1/2")
    rules = changed.rules
    assert ([phase.ballots for phase in rules.phases], rules.withdrawal) == ([3, None, 3, 1], "none")
    assert [str(bar) for bar in rules.threshold] == [">1/2"]
    words = [geneva.with_rules(max_two_way=cap).rules.sentence() for cap in (1, 2)]
    assert all(
        f"{told}; then the leader stands alone" in said
        for told, said in zip(("There is one ballot", "There are two ballots"), words, strict=True)
    )
    simple = geneva.with_rules(simple_majority_from=3).rules
    assert "from the third ballot on more than half" in simple.sentence()
    assert [simple.needed(votes, 3) for votes in (57, 58)] == [29, 30]
    assert [bar.value for bar in geneva.with_rules(threshold="0.65").rules.threshold] == [Fraction(13, 20)]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.62])
def test_balanced_keeps_all_but_the_appeal(geneva: Scenario, share: float) -> None:
    free = build({**dict(geneva), "level": {}, "candidates": [{"name": name} for name in geneva.names]})
    assert {path.rsplit(".", 1)[0] for path in differences(free, free.balanced(share))} == {"candidates.0.appeal"}
    moved = {path.rsplit(".", 1)[0] for path in differences(geneva, geneva.balanced(share))}
    assert moved == ({"level.Pope"} if share != geneva.level["Pope"].value else set())


def test_the_member_table_tells_exposures_of_mean_one(geneva: Scenario) -> None:
    for sponsor, row in zip(geneva.sponsors, geneva.exposure, strict=True):
        told = geneva.members[f"exposure to {sponsor.name}"]
        assert told.tolist() == row.tolist()
        assert told.mean() == pytest.approx(1)


def test_ties_of_a_member_add_up() -> None:
    ties = [
        ("bloc", "all", "A", 0.5),
        ("own", ["M2"], "A", 0.7),
        ("other", ["M2"], "B", 0.2),
        ("not", ["M3"], "A", -0.5),
    ]
    race = toy(3, ties=[dict(zip(("name", "who", "candidate", "log_odds"), tie, strict=True)) for tie in ties])
    assert race.tie_table == pytest.approx(np.array([[0.5, 1.2, 0.0], [0.0, 0.2, 0.0]]))


def test_of_two_groups_of_one_s_own_the_later_holds_whom_both_name() -> None:
    rows = [{"name": f"M{i}", "g": "x", "near": int(i < 3), "small": int(i > 1)} for i in range(4)]
    electorate = {"table": rows, "group": "g", "own_groups": {"Near": "near", "Small": "small"}}
    assert toy(electorate=electorate).electorate.frame["group"].tolist() == ["Near", "Near", "Small", "Small"]


# -- the hash -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(iom.load("geneva-2023").parameters()))
def test_the_hash_changes_with_every_parameter_and_its_range(geneva: Scenario, path: str) -> None:
    value = geneva.parameters()[path].value
    other = value + 0.001 if value + 0.001 <= 1 else value - 0.001
    assert geneva.with_parameters({path: other}).hash != geneva.hash
    for given in (other, value, geneva.parameters()[path].high):
        assert geneva.hash_with({path: given}) == geneva.with_parameters({path: given}).hash


def test_stray_papers_are_not_told_where_they_are_off(geneva: Scenario) -> None:
    """What was written before they were known is the same election, and so is what is written of it now."""
    assert "stray" not in iom.dumps(geneva)
    assert "stray" not in "".join(geneva._hashed[0])
    assert "behaviour.stray" not in geneva.evidence().index
    some = geneva.with_behaviour(stray=0.04)
    assert some.hash == geneva.hash_with({"behaviour.stray": 0.04}) != geneva.hash
    assert some.with_behaviour(stray=0.0).hash == some.hash_with({"behaviour.stray": 0.0}) == geneva.hash
    assert geneva.with_parameters({"behaviour.stray": (0.0, 0.0, 0.1)}).hash not in (geneva.hash, some.hash)
    assert some.evidence().loc["behaviour.stray", "value"] == 0.04
    for race in (geneva, some, some.with_behaviour(stray=0.0)):
        assert iom.loads(iom.dumps(race)) == race
    assert geneva.parameters()["behaviour.stray"].value == 0
    parts = {"level": {"A": 0.6}, "candidates": [{"name": "A"}, {"name": "B"}]}
    levelled = [toy(9, behaviour={"stray": stray}, **parts) for stray in (0.0, 0.04)]
    assert levelled[0]._level_key == toy(9, **parts)._level_key != levelled[1]._level_key


def test_the_hash_of_several_changes(geneva: Scenario) -> None:
    values = {"clock.last_call": 50, "behaviour.fluid": np.float32(0.5), "sponsors.Washington.exposure.not eu": 3.0}
    assert geneva.hash_with(values) == geneva.with_parameters(values).hash
    assert geneva.hash_with({}) == geneva.hash
    with pytest.raises(iom.UnknownNameError, match=r"no parameter named 'behaviour.fluidd'; did you mean"):
        geneva.hash_with({"behaviour.fluidd": 0.5})


def test_a_pickled_scenario_is_small(geneva: Scenario) -> None:
    before = geneva.hash, geneva.plan
    again = pickle.loads(pickle.dumps(geneva))
    assert (again, again.hash, again.plan.values) == (geneva, before[0], before[1].values)
    assert len(pickle.dumps(geneva)) < 20_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('backs = "Vitorino"', 'backs = "Pope"'),
        ('group = "un_regional_group"', 'group = "iom_region"'),
        ('"European Union" = "eu"', '"European Union" = "nato"'),
        ('    "USA",', '    "CAN",'),
        ('name = "Pope"', 'name = "Popi"'),
        ('"Brazil"', '"Chile"'),
        ("last_call = { value = 45, ", "last_call = { value = 46, "),
        ("high = 75,", "high = 76,"),
        ("value = 0.50, low = 0.44", "value = 0.51, low = 0.44"),
        ("low = 0.44, high = 0.56", "low = 0.43, high = 0.56"),
        ("low = 0.44, high = 0.56", "low = 0.44, high = 0.57"),
        ('name = "until-two-thirds"', 'rules = { threshold = "3/5" }'),
        ('name = "strict"', 'rules = { name = "strict", base = "present" }'),
        ("weight = 0.20", "weight = 0.25"),
        ("13:00:00]", "12:30:00]"),
        ("\nsits_on_until", "\nrounds_a_day = 4\nsits_on_until"),
        ("\nsits_on_until", "\nfirst_day = 1\nsits_on_until"),
        ("\nsits_on_until", "\ndeadline = 2023-05-19T18:00:00\nsits_on_until"),
        ("Europe/Zurich", "Europe/Rome"),
        ('    "Fri",', '    "Sat",'),
        ("opens = 2023-05-15T09:00:00", "opens = 2023-05-15T10:00:00"),
    ],
)
def test_the_hash_changes_with_whatever_can_change_a_result(geneva: Scenario, old: str, new: str) -> None:
    text = as_written("geneva-2023").replace('{ Pope = ["USA"]', '{ Pope = [\n    "USA",\n]')
    text = text.replace('"Thu", "Fri"', '"Thu",\n    "Fri",\n')
    assert old in text
    changed = text.replace(old, new)
    if old == 'name = "Pope"':
        changed = changed.replace('backs = "Pope"', 'backs = "Popi"').replace("Pope =", "Popi =")
    if "weight = 0.25" in new:
        changed = changed.replace("weight = 0.55", "weight = 0.50")
    assert iom.loads(changed).hash != iom.loads(text).hash == geneva.hash


def test_the_hash_changes_with_the_members() -> None:
    text = as_written("iom-2018")
    assert iom.loads(text.replace('"iom-2018"', '"iom-2023"', 1)).hash != iom.loads(text).hash
    table = [{"name": f"M{i}", "near": i % 2} for i in range(4)]
    hashes = {
        build({"electorate": {"table": rows}, "candidates": AB}).hash
        for rows in (
            table,
            table[::-1],
            table[:3],
            [*table[:3], {"name": "M3", "near": 0}],
            [*table[:3], {"name": "N", "near": 1}],
        )
    }
    assert len(hashes) == 5


SAME_RULES = """
name = "mine"
threshold = "4/6"
base = "valid"
withdrawal = "acclamation"
phases = [
    { name = "A", ballots = 3, standing = 3 },
    { name = "B", drop = 1, field = "all but the last", standing = 3 },
    { name = "C", down_to = 2 },
]
max_rounds = 40
"""
SAME_INLINE = f"{{ {', '.join(SAME_RULES.strip().splitlines())} }}".replace("[,", "[").replace(",,", ",")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("IOM Director General", "Somebody"),
        ("António Vitorino (Portugal)", "A. Vitorino"),
        ("#0072B2", "#000000"),
        ('"several-rounds", ', ""),
        ('source = "sponsor-spread"', 'source = "nobody knows at all"'),
        ('grade = "inferred"', 'grade = "assumed"'),
        ('unit = "weight"', 'unit = "w"'),
        ("as_of = 2023-05-14", "as_of = 2023-05-13"),
        ('name = "until-two-thirds"', f"rules = {SAME_INLINE}"),
        ('source = "rules-practice"', 'source = "so they say"'),
        ('source = "tight-race, both-confident, norms-cancel"', 'source = "nobody knows at all"'),
        ("# ", "## "),
    ],
)
def test_the_hash_does_not_change_with_words(geneva: Scenario, old: str, new: str) -> None:
    text = as_written("geneva-2023")
    assert old in text
    assert iom.loads(text.replace(old, new)).hash == geneva.hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("4/6", ">4/6"),
        ("4/6", "117"),
        ('"4/6"', '["2/3", "most"]'),
        ('base = "valid"', 'base = "present"'),
        ('"acclamation"', '"vote"'),
        ("ballots = 3", "ballots = 2"),
        ("standing = 3 }", "standing = 4 }"),
        ("drop = 1", "drop = 2"),
        ('"all but the last"', '"all"'),
        ("down_to = 2", "keep = 2"),
        ("down_to = 2", 'tie = "extra"'),
        ("down_to = 2", "barred = true"),
        ("down_to = 2", 'threshold = ">1/2"'),
        ("down_to = 2 },\n]", 'ballots = 2 },\n]\nafter = "fail"'),
        ("down_to = 2 },\n]", 'ballots = 2 },\n]\nafter = "repeat"\nrepeat_from = "A"'),
        ("max_rounds = 40", "max_rounds = 39"),
    ],
)
def test_every_part_of_the_rules_changes_the_hash(geneva: Scenario, old: str, new: str) -> None:
    assert old in SAME_RULES
    head, _, rest = as_written("geneva-2023").partition("[[readings]]")
    text = f"{head}[rules]{SAME_RULES}[behaviour]{rest.partition('[behaviour]')[2]}"
    known = geneva.with_rules("until-two-thirds").hash
    assert iom.loads(text).hash == known
    assert iom.loads(text.replace(SAME_RULES, SAME_RULES.replace(old, new))).hash != known


def test_where_the_rules_begin_again_is_in_the_hash(geneva: Scenario) -> None:
    phases = [{"name": name, "ballots": 1} for name in "AB"]
    told = [geneva.with_rules(phases=phases, after="repeat", repeat_from=name).hash for name in "AB"]
    called = [{"name": name, "ballots": 1} for name in "XY"]
    assert told[0] != told[1] == geneva.with_rules(phases=called, after="repeat", repeat_from="Y").hash


def as_written(name: str) -> str:
    return (Path(__file__).parents[2] / "seeds" / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")


def test_the_hash_comes_back_when_a_value_does(geneva: Scenario) -> None:
    assert geneva.with_pressure(Washington=0.9).with_pressure(Washington=0.6).hash == geneva.hash
    known = geneva.with_rules("until-two-thirds")
    assert known.with_rules("strict").with_rules("until-two-thirds").hash == known.hash != geneva.hash


# -- names with dots ------------------------------------------------------------------------------------------


def test_names_may_hold_dots() -> None:
    race = build(
        {
            "electorate": {"table": [{"name": f"M{i}", "v1.5": i % 2} for i in range(4)]},
            "candidates": [{"name": "Dr. No"}, {"name": "U.S."}],
            "sponsors": [{"name": "U.K. et al.", "backs": "U.S.", "strength": 0.5, "exposure": {"v1.5": 1.0}}],
            "ties": [{"name": "No. 1", "who": "v1.5", "candidate": "Dr. No", "log_odds": 1.0}],
        }
    )
    named = {
        "candidates.Dr. No.appeal": "Dr. No's appeal",
        "sponsors.U.K. et al..exposure.v1.5": "exposure of 'v1.5' to U.K. et al.",
        "sponsors.U.K. et al..strength": "U.K. et al.'s strength",
        "ties.No. 1.log_odds": "loyalty to Dr. No (No. 1)",
    }
    for path, label in named.items():
        assert describe_parameter(race, path) == label
        assert resolve(race, label) == path
        changed = race.with_parameters({path: 0.255})
        assert {path for path, q in changed.parameters().items() if q.value == 0.255} == {path}
        assert race.hash_with({path: 0.255}) == changed.hash
    assert iom.loads(iom.dumps(race)) == race
    assert told_differences(race, race.with_pressure(**{"U.K. et al.": 0})) == ["without U.K. et al.'s pressure"]


# -- asking ---------------------------------------------------------------------------------------------------


def test_the_catalogue() -> None:
    table = catalogue()
    assert table.index.tolist() == sorted(SHIPPED)
    assert table.loc["geneva-2023", ["members", "candidates"]].tolist() == [175, "Pope, Vitorino"]
    for name in table.index:
        assert iom.load(name).title == table.loc[name, "title"]


def test_the_briefing(geneva: Scenario) -> None:
    words = repr(geneva)
    for said in (
        "IOM Director General, Geneva, 15 May 2023",
        "Sunday 14 May 2023",
        "175 members, 175 with a vote, 2 pinned",
        "Amy Pope (United States), backed by Washington",
        "iom (International Organization for Migration, Director General)",
        "Rules:       until-two-thirds, weight 0.55 [assumed]: Two thirds of the votes cast elect. Ballots go on",
        "Rules:       four-rounds, weight 0.2 [assumed]: Two thirds of the votes cast elect. There are three ballots",
        "opens Monday 15 May 2023 09:00 (Europe/Zurich); sits 09:00-13:00, 15:00-18:00",
        "Washington's strength 0.6 (0.32 to 1.14) log-odds [assumed]",
    ):
        assert said in words
    assert words.count("Rules:") == 5
    assert "until-two-thirds [assumed]: Two thirds" in repr(geneva.with_rules("until-two-thirds"))
    assert str(geneva) == words
    assert "C & D, without a sponsor" in repr(odd())


class Tags(HTMLParser):
    """Collects the tags and the text of a page, and whether the tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_briefing_in_html_is_escaped(geneva: Scenario) -> None:
    for race in (geneva, odd()):
        page = Tags()
        page.feed(race._repr_html_())
        assert page.open == []
        assert page.seen <= {"div", "h4", "p", "table", "tr", "th", "td", "details", "summary", "ul", "li"}
        assert race.title in page.words
        assert html.escape(race.title) in race._repr_html_()
    assert "Washington nominated" not in page.words


def test_the_briefing_shows_the_facts(geneva: Scenario) -> None:
    page = Tags()
    page.feed(geneva._repr_html_())
    assert iom.facts().loc["secret-ballot", "statement"] in page.words


def test_completion_shows_our_names(geneva: Scenario) -> None:
    shown = {type(part): dir(part) for part in (geneva, geneva.clock, geneva.sponsors[0], geneva.electorate)}
    assert {"candidates", "with_pressure", "balanced", "hash_with", "names"} < set(shown[Scenario])
    assert {"opens", "round_minutes", "calendar"} < set(shown[iom.Clock])
    assert {"name", "backs", "strength"} < set(shown[iom.Sponsor])
    for kind in (Scenario, iom.Clock, iom.Sponsor, iom.Electorate):
        assert not [name for name in shown[kind] if name in dir(BaseModel) or name.startswith("_")]
        assert set(kind.model_fields) <= set(shown[kind])


# -- the schema ---------------------------------------------------------------------------------------------------


def document(name: str) -> Any:
    """Return a shipped file as an editor sees it."""
    return as_an_editor_sees(as_written(name))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_follow_the_schema(name: str, checker: Any) -> None:
    assert list(checker.iter_errors(document(name))) == []


def test_a_plain_number_will_do_for_the_schema(checker: Any) -> None:
    described = {"electorate": {"size": 9}, "candidates": AB, "behaviour": {"fluid": 0.5}, "rules": {"threshold": 0.6}}
    assert list(checker.iter_errors(described)) == []
    assert build(described).behaviour.fluid == Quantity(value=0.5, low=0.5, high=0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"candidats": []},
        {"candidates": AB[:1]},
        {"behaviour": {"flud": 0.5}},
        {"behaviour": {"fluid": "often"}},
        {"behaviour": {"fluid": {"low": 0.5}}},
        {"electorate": {"size": "nine"}},
        {"sponsors": [{"name": "W", "backs": "A"}]},
        {"rules": {"max_rounds": "many"}},
    ],
)
def test_the_schema_refuses_what_the_library_refuses(wrong: dict[str, Any], checker: Any) -> None:
    described = {"electorate": {"size": 9}, "candidates": AB} | wrong
    assert list(checker.iter_errors(described)) != []
    with pytest.raises(iom.ScenarioError):
        build(described)


def test_the_parts_of_a_description_show_a_line_for_each_thing_they_hold(geneva: Scenario) -> None:
    lines = repr(geneva.clock).splitlines()
    assert lines[0] == "Clock"
    assert "  round_minutes: 70 (50 to 90) minutes [inferred]" in lines
    assert "  sittings: 09:00 to 13:00, 15:00 to 18:00" in lines
    assert str(geneva.ties[0]) == repr(geneva.ties[0])
    assert [line.split(":")[0].strip() for line in repr(geneva.ties[0]).splitlines()[1:]] == [
        *type(geneva.ties[0]).model_fields
    ]


def test_a_briefing_counts_the_members(geneva: Scenario) -> None:
    assert "175 members, 175 with a vote, 2 pinned" in repr(geneva)
    assert "175 members, 175 with a vote, 4 pinned" in repr(geneva.with_pinned(Pope=["CAN", "JPN"]))


def test_the_assumptions_of_a_briefing_give_their_reasons(geneva: Scenario) -> None:
    told = [line for line in repr(geneva).splitlines() if line.startswith("Assumption:")]
    assert len(told) == 5
    assert told[0].endswith(str(iom.facts().loc["tight-race", "statement"]))
    own = [line for line in repr(iom.load("minimal")).splitlines() if line.startswith("Assumption:")]
    assert own[1].endswith(iom.load("minimal").sponsors[0].strength.source)


def test_the_facts_of_a_briefing_are_folded_away_in_html(geneva: Scenario) -> None:
    page = geneva._repr_html_()
    folded = page[page.index("<details>") :]
    statement = html.escape(str(iom.facts().loc["wrath-joke", "statement"]))
    assert statement in folded
    assert page.count(statement) == 1
    assert f"{len(geneva.facts)} facts" in folded
    assert "<details>" not in iom.load("minimal")._repr_html_()
