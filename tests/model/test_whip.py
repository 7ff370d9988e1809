"""Whip counts and polls as tables: read from frames and files, and refused with the row."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import toy

import iomsim as iom
from iomsim.model.scenario import Scenario

HEARD = pd.DataFrame(
    {
        "member": ["M1", "M2", "M3", "M4"],
        "candidate": ["A", "A", "B", "B"],
        "kind": ["written", "oral", "public", "claimed"],
        "date": ["2023-05-02", "", "2023-05-12", ""],
        "source": ["letter", "", "speech", ""],
    }
)


@pytest.fixture(scope="module")
def race() -> Scenario:
    return toy(8)


@pytest.fixture(scope="module")
def three() -> Scenario:
    return toy(8, "ABC")


def pledges(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"member": ["M1"], "candidate": ["A"], "kind": ["oral"]} | columns)


# -- pledges ------------------------------------------------------------------------------------------


def test_a_whip_count_becomes_a_ledger(race: Scenario) -> None:
    ledger = race.with_pledges(HEARD).ledger
    assert ledger is not None
    assert [(p.member, p.candidate, p.kind) for p in ledger.pledges] == list(
        HEARD[["member", "candidate", "kind"]].itertuples(index=False, name=None)
    )
    assert [p.date for p in ledger.pledges] == [date(2023, 5, 2), None, date(2023, 5, 12), None]
    assert [p.source for p in ledger.pledges] == ["letter", "", "speech", ""]
    assert list(ledger.discounts) == ["public", "written", "oral", "claimed"]  # strongest first, kinds in use only


@pytest.mark.parametrize("ending", [".csv", ".CSV", ".tsv"])
def test_a_file_is_the_same_as_the_frame(ending: str, race: Scenario, tmp_path: Path) -> None:
    path = tmp_path / f"whip{ending}"
    HEARD.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    assert race.with_pledges(path) == race.with_pledges(str(path)) == race.with_pledges(HEARD)


def test_a_workbook_is_the_same_as_the_frame(race: Scenario, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "whip.xlsx"
    dates = [pd.Timestamp("2023-05-02"), pd.NaT, pd.Timestamp("2023-05-12"), pd.NaT]
    HEARD.assign(date=dates).to_excel(path, index=False)
    assert race.with_pledges(path) == race.with_pledges(HEARD) == race.with_pledges(HEARD.assign(date=dates))


@pytest.mark.parametrize(
    "frame",
    [
        pledges().rename(columns=lambda name: f" {name.upper()} "),
        pledges(candidate=["a"], kind=["ORAL"]),
        pledges(member=[" M1 "]),
        pledges(date=[None], source=[np.nan]),
        pledges().set_index("member"),
        pledges().drop(columns="member").set_axis(["M1"]),
        pd.concat([pledges(), pledges(member=[""], candidate=[None], kind=[np.nan])]),
        pledges(**{"Unnamed: 3": [None]}),
    ],
)
def test_what_is_plainly_meant_is_read(frame: pd.DataFrame, race: Scenario) -> None:
    assert race.with_pledges(frame) == race.with_pledges(pledges())


@pytest.mark.parametrize("word", ["claimed", "Claimed by the candidate's side", "claimed by the  camp",
                                  "Claimed by the candidate\u2019s side"])  # fmt: skip
def test_claims_by_other_words(word: str, race: Scenario) -> None:
    ledger = race.with_pledges(pledges(kind=[word])).ledger
    assert ledger is not None
    assert ledger.pledges[0].kind == "claimed"


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pledges(member=["M0"]), "the whip count, row 1: no member named 'M0'; there are M1, M2"),
        (pledges(candidate=["AA"]), "the whip count, row 1: no candidate named 'AA'; did you mean 'A'?"),
        (pledges(kind=["writen"]), "the whip count, row 1: no kind of pledge named 'writen'; did you mean 'written'?"),
        (pledges(member=[""]), "the whip count, row 1: no member; write one, or leave the row out"),
        (pledges(kind=[None]), "the whip count, row 1: no kind; write one, or leave the row out"),
        (
            pledges(date=["12/05/2023"]),
            "row 1: the date must be written as 2023-05-12, got '12/05/2023'",
        ),
        (pledges(date=[45058]), "the whip count, row 1: the date must be written as 2023-05-12, got 45058"),
        (pledges(when=["2023"]), "the whip count has a column 'when', which is none of a pledge's; there are member"),
        (pledges(sorce=["me"]), "did you mean 'source'?"),
        (pledges().drop(columns="kind"), "the whip count has no column 'kind'; it has member and candidate"),
        (pd.DataFrame(), "the whip count has no column 'member'; it is empty"),
        (pledges(KIND=["oral"]), "the whip count has two columns 'kind'; leave one out"),
        ([("M1", "A", "oral")], "the whip count must be a DataFrame or the path of a file, got list"),
        ("none.csv", "cannot read the whip count 'none.csv': No such file or directory"),
        ("whip.json", "is of a kind that is not read; save it as csv"),
    ],
)
def test_what_cannot_be_read_is_refused(frame: Any, said: str, race: Scenario) -> None:
    with pytest.raises(iom.IomsimError, match=re.escape(said)):
        race.with_pledges(frame)


def test_every_bad_row_is_named_with_its_line(race: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "whip.csv"
    path.write_text("member,candidate,kind\nM1,A,oral\n\nM9,A,oral\nM2,A,vow\n,,\n", encoding="utf-8")
    with pytest.raises(iom.IomsimError) as refused:
        race.with_pledges(path)
    lines = str(refused.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["the whip count, line 4", "the whip count, line 5"]


# -- polls --------------------------------------------------------------------------------------------


def test_a_poll_becomes_chances(race: Scenario) -> None:
    polling = race.with_polling(pd.DataFrame({"A": [0.58, 0.2]}, index=["M1", "M2"]), trust=0.7).polling
    assert polling is not None
    assert polling.chances == {"M1": {"A": 0.58, "B": 0.42}, "M2": {"A": 0.2, "B": 0.8}}
    assert (polling.trust.value, polling.trust.low, polling.trust.high) == (0.7, 0.7, 0.7)


@pytest.mark.parametrize(
    "frame",
    [
        pd.Series({"M1": 0.58}, name="A"),
        pd.DataFrame({"Member": ["M1"], " a ": [0.58]}),
        pd.DataFrame({"member": ["M1"], "A": ["0,58"]}),
        pd.DataFrame({"member": ["M1"], "B": [0.42]}),
        pd.DataFrame({"member": ["M1"], "A": [0.58], "B": [0.42]}),
        pd.DataFrame({"member": ["M1", "M2", ""], "A": [0.58, np.nan, np.nan]}),
    ],
)
def test_the_same_poll_in_other_forms(frame: Any, race: Scenario) -> None:
    assert race.with_polling(frame) == race.with_polling(pd.DataFrame({"A": [0.58]}, index=["M1"]))


def test_a_poll_from_a_file(race: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "poll.csv"
    path.write_text("member;A\nM1;0,58\n", encoding="utf-8")
    assert race.with_polling(path) == race.with_polling(pd.Series({"M1": 0.58}, name="A"))


def test_of_three_one_follows(three: Scenario) -> None:
    polling = three.with_polling(pd.DataFrame({"A": [0.5], "C": [0.2]}, index=["M1"])).polling
    assert polling is not None
    assert polling.chances["M1"] == pytest.approx({"A": 0.5, "B": 0.3, "C": 0.2})


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"A": [58]}, "the chance of M1 for A must be between 0 and 1, got 58; write 0.58 for 58 %"),
        ({"A": ["58 %"]}, "the chance of M1 for A must be a number such as 0.58, got '58 %'"),
        ({"A": [True]}, "the chance of M1 for A must be a number such as 0.58, got True"),
        ({"A": [-0.1]}, "the chance of M1 for A must be between 0 and 1, got -0.1"),
        ({"A": [0.5], "B": [0.4]}, "the polled chances of M1 must add up to 1, got 0.9"),
        ({"X": [0.5]}, "the poll has a column 'x', which is no candidate's; there are A, B (drop what is not read)"),
        ({"A": [0.5], "asked": [3]}, "the poll has a column 'asked', which is no candidate's"),
        ({}, "the poll has no column for A and B; one candidate may be left out"),
    ],
)
def test_polls_that_are_refused(frame: dict[str, Any], said: str, race: Scenario) -> None:
    with pytest.raises(iom.IomsimError, match=re.escape(said)):
        race.with_polling(pd.DataFrame(frame, index=["M1"]))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"A": [0.5]}), "the poll has no column 'member', and no members in its index; it has a"),
        (pd.DataFrame({"member": ["M1", "M1"], "A": [0.5, 0.5]}), "the poll, row 2: M1 was asked twice; give it once"),
        (pd.Series({"M9": 0.5}, name="A"), "the poll, row 1: no member named 'M9'"),
        (0.5, "the poll must be a DataFrame or the path of a file, got float"),
    ],
)
def test_other_polls_that_are_refused(frame: Any, said: str, race: Scenario) -> None:
    with pytest.raises(iom.IomsimError, match=re.escape(said)):
        race.with_polling(frame)


def test_of_three_two_are_needed(three: Scenario) -> None:
    with pytest.raises(iom.ScenarioError, match=re.escape("the poll has no column for B and C")):
        three.with_polling(pd.Series({"M1": 0.5}, name="A"))
    with pytest.raises(iom.ScenarioError, match=re.escape("no chance of M1 for B and C; one candidate may")):
        three.with_polling(pd.DataFrame({"A": [0.5], "B": [np.nan]}, index=["M1"]))
    with pytest.raises(iom.ScenarioError, match=re.escape("the polled chances of M1 must add up to 1, got 1.3")):
        three.with_polling(pd.DataFrame({"A": [0.7], "B": [0.6]}, index=["M1"]))


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        (1.5, "polling.trust must be between 0 and 1, got 1.5"),
        ("much", "polling.trust must be a number, got 'much'"),
        ((0.5, 0.6, 0.7), "polling.trust: low <= value <= high must hold, got value 0.5, low 0.6, high 0.7"),
        ((0.5, 0.6), "polling.trust must be a number, or (value, low, high), got (0.5, 0.6)"),
        (float("nan"), "polling.trust must be a finite number, got nan"),
    ],
)
def test_trust_that_is_none(trust: Any, said: str, race: Scenario) -> None:
    with pytest.raises(iom.ScenarioError, match=re.escape(said)):
        race.with_polling(pd.Series({"M1": 0.5}, name="A"), trust=trust)
