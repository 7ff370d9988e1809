"""Scenarios of a body to start from: its electorate, rules and clock, and any table of members."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.errors import FileError, IomsimError, ScenarioError, UnknownNameError
from iomsim.model.bodies import MANY, body, readings
from iomsim.model.catalogue import draft
from iomsim.model.evidence import shipped_folders

BODIES = shipped_folders("bodies")


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"name": ["France", "Spain", "Chad"], "eu": [1, 1, 0], **columns})


def test_minutes_of_the_clock_have_the_source_of_the_body() -> None:
    clock, one = iom.start("au", ["A", "B"]).clock, body("au").clock
    for quantity in (clock.formalities, clock.round_minutes):
        assert (quantity.grade, quantity.source, quantity.unit) == (one.grade, one.source, "minutes")
    usual = iom.Clock.model_fields["round_minutes"].default
    length = clock.round_minutes
    assert (length.low / length.value, length.high / length.value) == pytest.approx(
        (usual.low / usual.value, usual.high / usual.value), abs=0.002
    )
    assert clock.last_call == iom.Clock.model_fields["last_call"].default  # of which the body says nothing


def test_a_body_with_a_table_of_members() -> None:
    race = iom.start("iom", ["A", "B"], reading="strict")
    assert "France" in set(race.members["name"])
    assert race.members["group"].nunique() > 3  # a regional shock has regions
    assert race.rules == readings("iom")["strict"]
    other = iom.start("iom", ["A", "B"], members="iom-2018")
    assert len(other.members) == 171


@pytest.mark.parametrize(
    "members",
    [
        frame(),
        frame().set_index("name"),
        frame().set_index("name").rename_axis(None),
        frame().set_index("name", drop=False),
        frame().set_index(["name", "eu"]),
        frame()[::-1][::-1].set_axis([5, 7, 9]),
        frame(half=[0.5, 1, np.float32(2)], on=[True, False, True], n=pd.array([1, 2, 3], dtype="Int64")),
        frame(n=pd.array([1, None, 3], dtype="Int64"), x=[np.nan, 0.5, 2], y=None, z=["a", None, "b"]),
        frame(kind=pd.Categorical(["x", "y", "x"])).rename(columns={"eu": 3}),
    ],
)
def test_any_table_of_members(members: pd.DataFrame) -> None:
    before = members.copy()
    race = iom.start("who", ("A", "B"), members)
    assert race.members["name"].tolist() == ["France", "Spain", "Chad"]
    assert race.plan.entitled == 3
    assert iom.loads(iom.dumps(race)) == race
    pd.testing.assert_frame_equal(members, before)


def test_members_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    frame().to_csv(path, index=False)
    by_path, by_text = iom.start("who", ["A", "B"], path), iom.start("who", ["A", "B"], str(path))
    assert by_path == by_text == iom.start("who", ["A", "B"], frame())


@pytest.mark.parametrize(
    "candidates", [("A", "B"), ["A", "B"], np.array(["A", "B"]), pd.Series(["A", "B"]), (name for name in "AB")]
)
def test_candidates_in_any_list(candidates: Any) -> None:
    assert iom.start("who", candidates).names == ("A", "B")


START: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: iom.start("who", "A, B"), IomsimError,
     "candidates must be a list of names, such as ['A', 'B'], got 'A, B'"),
    (lambda: iom.start("who", None), IomsimError, "candidates must be a list of names, such as ['A', 'B'], got None"),  # type: ignore[arg-type]
    (lambda: iom.start("who", {"A"}), IomsimError, "candidates must be a list of names, such as ['A', 'B'], got {'A'}"),
    (lambda: iom.start("who", ["A"]), ScenarioError, "start('who'): candidates must have at least 2 entries, got 1"),
    (lambda: iom.start("who", ["A", "A"]), ScenarioError,
     "start('who'): two candidates are called 'A'; names must differ"),
    (lambda: iom.start("WHO", "AB"), UnknownNameError, "no body named 'WHO'; did you mean 'who'?"),
    (lambda: iom.start("un tourism", ["A", "B"]), UnknownNameError,
     "no body named 'un tourism'; did you mean 'un-tourism'?"),
    (lambda: iom.start("Olympic Committee", ["A", "B"]), UnknownNameError,
     "no body named 'Olympic Committee'; did you mean 'ioc'?"),
    (lambda: iom.start([1], ["A", "B"]), UnknownNameError, "no body named '[1]'; there are au, bie, "),  # type: ignore[arg-type]
    (lambda: iom.start("who", ["A", "B"], reading="strict"), UnknownNameError,
     "no reading of the rules of 'who' named 'strict'; there is rule-110"),
    (lambda: iom.start("iom", ["A", "B"], reading="stric"), UnknownNameError,
     "no reading of the rules of 'iom' named 'stric'; did you mean 'strict'?"),
    (lambda: iom.start("who", ["A", "B"], ["France"]), IomsimError,  # type: ignore[arg-type]
     "members must be a DataFrame, the name of a shipped table, or the path of a file, got list"),
    (lambda: iom.start("who", ["A", "B"], "iom-2022"), UnknownNameError,
     "no member table named 'iom-2022'; did you mean 'iom-2023'? (a file's path ends in .csv or .xlsx)"),
    (lambda: iom.start("who", ["A", "B"], "gone.csv"), FileError,
     "cannot read the member table 'gone.csv': No such file or directory"),
    (lambda: iom.start("who", ["A", "B"], frame().iloc[:0]), ScenarioError,
     "an electorate has 1 to 10000 members, got 0"),
    (lambda: iom.start("who", ["A", "B"], frame().rename(columns={"name": "state"})), ScenarioError,
     "the member table has no column 'name' for the names; there are state, eu"),
    (lambda: iom.start("who", ["A", "B"], pd.concat([frame(), frame()[["eu"]]], axis=1)), ScenarioError,
     "the member table has two columns 'eu'; leave one out"),
    (lambda: iom.start("who", ["A", "B"], frame(since=pd.Timestamp("2020-01-01"))), ScenarioError,
     "the column 'since' of the member table holds Timestamp('2020-01-01 00:00:00'); give texts, numbers, or true and "
     "false"),
    (lambda: iom.start("who", ["A", "B"], frame(w=[1, np.inf, 3])), ScenarioError,
     "member 'Spain' has no finite value in column 'w'; leave it empty"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "said"), START)
def test_what_cannot_be_started_is_refused_in_one_sentence(
    call: Callable[[], Any], kind: type[Exception], said: str
) -> None:
    with warnings.catch_warnings(action="error"), pytest.raises(kind) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", BODIES)
def test_a_draft_is_short_and_loads_as_what_it_is(name: str) -> None:
    text = draft(name, ["Ann", 'Bob "B"', "Cy"])
    assert iom.loads(text) == iom.start(name, ["Ann", 'Bob "B"', "Cy"])
    assert len(text.splitlines()) < 80
    assert f"`iomsim bodies {name}`" in text
    said = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    assert readings(name)[body(name).reading].sentence(3) in said
    example = re.sub(r"(?m)^# ?", "", text.rpartition("every key):\n#\n")[2])
    assert [sponsor.backs for sponsor in iom.loads(text + example).sponsors] == ["Ann"]


def test_a_draft_names_its_table(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "mine.csv", index=False)
    text = draft("iom", ["A", "B"], str(tmp_path / "mine.csv"), "strict")
    assert "France" not in text
    assert iom.loads(text) == iom.start("iom", ["A", "B"], frame(), "strict")
    with pytest.raises(FileError):
        draft("iom", ["A", "B"], "gone.csv")


def test_a_started_scenario_shows_body_reading_and_grade() -> None:
    words = repr(iom.start("who", ["A", "B"]))
    assert "\nBody:        who (World Health Organization, Director-General)\n" in words
    told = "Two thirds of the votes cast elect. There is one ballot; then more than half of the votes cast elect"
    assert f"\nRules:       rule-110 [inferred]: {told}" in words
    assert "Body:" not in repr(iom.load("minimal"))


def test_the_table_of_bodies() -> None:
    table = iom.bodies()
    assert table.index.tolist() == BODIES
    assert list(table) == ["name", "kind", "members", "date", "readings", "rules", "ballot", "grade"]
    assert table.loc["iom", ["members", "readings", "ballot", "grade"]].tolist() == [175, 5, "secret", "inferred"]
    assert table.loc[["who", "au", "iaea", "ioc"], "kind"].tolist() == [
        "world assembly", "regional assembly", "board", "persons",
    ]  # fmt: skip
    for name, row in table.iterrows():
        assert row["rules"] == readings(str(name))[body(str(name)).reading].sentence(MANY)


def test_what_is_too_long_to_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    race = iom.start("who", ["Zoë", "B"], frame())
    path, longest = tmp_path / "mine.toml", len(iom.dumps(race).encode())
    monkeypatch.setattr("iomsim.model.toml.MOST_BYTES", longest)
    race.save(path)
    monkeypatch.setattr("iomsim.model.toml.MOST_BYTES", longest - 1)
    with pytest.raises(ScenarioError, match="the most that is read; leave out columns of the member table"):
        race.save(path)
    assert iom.load(path) == race
