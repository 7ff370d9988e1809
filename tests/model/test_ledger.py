"""Pledges and polls in a scenario: what counts, files, hashes, evidence, differences, and what-ifs on a level."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import complete, toy

import iomsim as iom
from iomsim.model import evidence
from iomsim.model.differences import differences
from iomsim.model.ledger import DISCOUNTS, KINDS, SHARED
from iomsim.model.scenario import Scenario


def heard(*pledges: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(pledges, columns=["member", "candidate", "kind"])


def tied(race: Scenario, name: str = "A") -> np.ndarray:
    return np.asarray(race.tie_table[race.names.index(name)])


@pytest.fixture(scope="module")
def race() -> Scenario:
    return toy(6)


@pytest.fixture(scope="module")
def geneva() -> Scenario:
    return iom.load("geneva-2023")


TWO = heard(("Kenya", "Pope", "written"), ("Brazil", "Vitorino", "oral"))


# -- what a pledge is worth --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "kept", "value", "low", "high"),
    [
        ("public", None, 2.0, 1.4, 2.6),
        ("signed", 0.9, 2.20, 1.1, 2.9),
        ("written", 0.9, 2.20, 0.7, 2.9),
        ("oral", 0.8, 1.39, 0.35, 2.2),
        ("claimed", 0.72, 0.94, 0.4, 1.4),
    ],
)
def test_the_usual_worth(kind: str, kept: float | None, value: float, low: float, high: float) -> None:
    worth = DISCOUNTS[kind]
    assert (worth.value, worth.low, worth.high, worth.unit) == (value, low, high, "log-odds")
    assert evidence.cited(worth.source)
    if kept is not None:
        assert np.log(kept / (1 - kept)) == pytest.approx(value, abs=0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pledge_adds_its_worth_to_the_lean(kind: str, race: Scenario) -> None:
    known = race.with_pledges(heard(("M2", "A", kind), ("M5", "B", kind)))
    worth = DISCOUNTS[kind].value
    assert tied(known).tolist() == [0, worth, 0, 0, 0, 0]
    assert tied(known, "B").tolist() == [0, 0, 0, 0, worth, 0]
    assert [path for path in known.parameters() if path.startswith("ledger")] == [f"ledger.discounts.{kind}"]
    changed = known.with_parameters({f"ledger.discounts.{kind}": 0.5})
    assert tied(changed).tolist() == [0, 0.5, 0, 0, 0, 0]
    assert known.parameters()[f"ledger.discounts.{kind}"] == DISCOUNTS[kind]


@pytest.mark.parametrize(
    ("said", "worth", "notes"),
    [
        ([("M1", "A", "oral"), ("M1", "A", "oral")], (1.39, 0), ["", "counted once"]),
        ([("M1", "A", "oral"), ("M1", "A", "written")], (2.20, 0), ["the written pledge counts", ""]),
        ([("M1", "A", "public"), ("M1", "A", "written")], (2.0, 0), ["", "the public pledge counts"]),
        ([("M1", "A", "oral"), ("M1", "B", "oral")], (1.39 / 2, 1.39 / 2),
         ["counts half: pledged to B too", "counts half: pledged to A too"]),
        ([("M1", "A", "public"), ("M1", "A", "oral"), ("M1", "B", "claimed")], (1.0, 0.47),
         ["counts half: pledged to B too", "the public pledge counts", "counts half: pledged to A too"]),
    ],
)  # fmt: skip
def test_several_pledges_of_a_member(said: Any, worth: tuple[float, float], notes: list[str], race: Scenario) -> None:
    known = race.with_pledges(heard(*said))
    assert (tied(known)[0], tied(known, "B")[0]) == pytest.approx(worth)
    assert known.pledges(seed=1, runs=10).ledger["note"].tolist() == notes
    shuffled = race.with_pledges(heard(*said[::-1]))
    assert (tied(shuffled) == tied(known)).all()


def test_to_have_pledged_to_both_alike_tells_nothing(race: Scenario) -> None:
    both = race.with_pledges(heard(("M1", "A", "written"), ("M1", "B", "written")))
    one, other = (iom.forecast(x, 500, 3, progress=False, assumptions="fixed").outcomes for x in (race, both))
    assert SHARED == 0.5
    assert np.allclose(one.votes, other.votes)


def test_pledges_of_the_pinned_and_of_those_without_a_vote_stay_and_do_nothing() -> None:
    race = toy(electorate={"size": 6, "pinned": {"B": ("M1",)}, "without_vote": ("M2",)})
    known = race.with_pledges(heard(("M1", "A", "written"), ("M2", "A", "written"), ("M3", "A", "written")))
    assert tied(known).tolist() == [0, 0, 2.2, 0, 0, 0]
    found = known.pledges(seed=1, runs=100)
    assert found.ledger["note"].tolist() == ["no effect: pinned to B", "no effect: without a vote", ""]
    assert found.table().loc["A", "pledged"] == 3
    assert 0.8 < found.table().loc["A", "expected"] < 0.95  # neither the pinned nor the voteless come
    assert "Without effect are pledges of M1 (pinned to B) and M2 (without a vote)." in found.sentence()


def test_pledges_add_up(race: Scenario) -> None:
    one = race.with_pledges(heard(("M1", "A", "oral")), discounts={"oral": (1.0, 0.5, 1.5)})
    two = one.with_pledges(heard(("M2", "A", "oral"), ("M1", "A", "written")))
    assert [p.name for p in two.ledger.pledges] == ["M1 to A", "M2 to A", "M1 to A"]
    assert tied(two).tolist() == [2.2, 1.0, 0, 0, 0, 0]
    assert one.with_pledges(heard()) == one
    assert race.with_pledges(heard()) == race


@pytest.mark.parametrize(
    ("discounts", "said"),
    [
        ({"oral": -1.0}, "ledger.discounts.oral must be between 0 and 1e6, got -1"),
        ({"oral": "much"}, "ledger.discounts.oral must be a number, got 'much'"),
        ({"written": 1.0}, "no kind of pledge in the ledger named 'written'; there is oral"),
        ({"spoken": 1.0}, "no kind of pledge in the ledger named 'spoken'; there is oral"),
    ],
)
def test_discounts_that_are_refused(discounts: Any, said: str, race: Scenario) -> None:
    with pytest.raises(iom.IomsimError, match=re.escape(said)):
        race.with_pledges(heard(("M1", "A", "oral")), discounts=discounts)


def test_discounts_of_the_user(race: Scenario) -> None:
    known = race.with_pledges(heard(("M1", "A", "oral")), discounts={"oral": 0.695})
    worth = known.parameters()["ledger.discounts.oral"]
    assert (worth.value, worth.low, worth.high) == pytest.approx((0.695, 0.175, 1.1))  # the range moves in proportion
    exact = race.with_pledges(heard(("M1", "A", "oral")), discounts={"oral": (0.7, 0.6, 0.8)})
    assert exact.parameters()["ledger.discounts.oral"].low == 0.6
    assert "set to 0.7 by the user" in exact.evidence().loc["ledger.discounts.oral", "source"]


# -- hashes, files, evidence --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["geneva-2023", "minimal", "iom-2018"])
def test_what_has_neither_is_hashed_as_ever(name: str) -> None:
    race = iom.load(name)
    pieces = "".join(map(str, race._hashed[0]))
    assert "ledger" not in pieces
    assert "polling" not in pieces
    assert "ledger" not in iom.dumps(race)


def test_the_hash_is_that_of_what_counts(geneva: Scenario) -> None:
    known = geneva.with_pledges(TWO)
    assert known.hash != geneva.hash
    assert geneva.with_pledges(TWO.assign(date="2023-05-01", source="me")).hash == known.hash
    assert geneva.with_pledges(TWO.iloc[::-1]).hash == known.hash
    assert geneva.with_pledges(TWO.replace("oral", "claimed")).hash != known.hash
    values = {"ledger.discounts.oral": 0.9}
    assert known.hash_with(values) == known.with_parameters(values).hash != known.hash
    asked = geneva.with_polling(pd.Series({"Kenya": 0.7}, name="Pope"))
    assert asked.hash_with({"polling.trust": 0.5}) == asked.with_parameters({"polling.trust": 0.5}).hash
    assert len({geneva.hash, asked.hash, geneva.with_polling(pd.Series({"Kenya": 0.71}, name="Pope")).hash}) == 3


def test_files_hold_both(geneva: Scenario, tmp_path: Path) -> None:
    known = geneva.with_pledges(TWO.assign(date=["2023-05-02", None], source=["", "a cable"]))
    known = known.with_polling(pd.Series({"Peru": 0.7, "Chad": 1.0}, name="Pope"), trust=(0.6, 0.4, 0.8))
    for changed in (known, known.with_pressure(Washington=0.9), known.with_parameters({"polling.trust": 0.5})):
        changed.save(tmp_path / "race.toml")
        again = iom.load(tmp_path / "race.toml")
        assert again == changed
        assert again.hash == changed.hash
        assert again.plan.values == changed.plan.values
    text = iom.dumps(known)
    assert "date = 2023-05-02" in text
    assert 'source = ""' not in text


def test_a_ledger_written_by_hand() -> None:
    race = iom.loads("""
        electorate.size = 6
        candidates = [{name = "A"}, {name = "B"}]
        [[ledger.pledges]]
        member = "M1"
        candidate = "A"
        kind = "oral"
        [ledger.discounts]
        oral = 1.0
    """)
    assert tied(race).tolist() == [1.0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ({"member": "M9", "candidate": "A", "kind": "oral"}, "the ledger: no member named 'M9'"),
        ({"member": "M1", "candidate": "C", "kind": "oral"}, "a pledge of M1 to 'C', who does not stand"),
        ({"member": "M1", "candidate": "A", "kind": "vow"}, "ledger.pledges.1.kind must be 'public', 'signed'"),
        ({"member": "M1", "candidate": "A"}, "'ledger.pledges.1.kind' is missing"),
    ],
)
def test_bad_ledgers(ledger: dict[str, str], said: str) -> None:
    with pytest.raises(iom.IomsimError, match=re.escape(said)):
        toy(6, ledger={"pledges": [ledger]})


def test_discounts_without_pledges_are_refused() -> None:
    pledges = [{"member": "M1", "candidate": "A", "kind": "oral"}]
    for kind, said in (("written", "it has no such pledge; it has oral"), ("vow", "which is no kind")):
        with pytest.raises(iom.ScenarioError, match=re.escape(said)):
            toy(6, ledger={"pledges": pledges, "discounts": {kind: 1.0}})


@pytest.mark.parametrize(
    ("chances", "said"),
    [
        ({"M1": {"A": 0.5, "B": 0.4}}, "the polled chances of M1 must add up to 1, got 0.9"),
        ({"M9": {"A": 0.5, "B": 0.5}}, "the poll: no member named 'M9'"),
        ({"M1": {"A": 0.5, "C": 0.5}}, "the poll gives M1 a chance for 'C', who does not stand"),
        ({"M1": {"A": 1.5, "B": -0.5}}, "must be between 0 and 1, got 1.5"),
    ],
)
def test_bad_polls(chances: Any, said: str) -> None:
    with pytest.raises(iom.IomsimError, match=re.escape(said)):
        toy(6, polling={"chances": chances})


def test_the_evidence_has_every_pledge(geneva: Scenario) -> None:
    pledges = heard(("Kenya", "Pope", "written"), ("Brazil", "Vitorino", "oral"), ("Brazil", "Pope", "oral"))
    table = geneva.with_pledges(pledges.assign(source=["a cable", "", ""], date="2023-05-02")).evidence()
    row = table.loc["pledge of Kenya to Pope"]
    assert (row["value"], row["low"], row["high"], row["unit"], row["grade"]) == (2.2, 0.7, 2.9, "log-odds", "recalled")
    assert row["source"] == "a cable"
    assert row["statement"] == "Written pledge of Kenya to Pope, 2023-05-02."
    row = table.loc["pledge of Brazil to Vitorino"]
    assert row["value"] == pytest.approx(1.39 / 2)
    assert "counts half: pledged to Pope too" in row["statement"]
    assert evidence.statements("pledge-both")[0] in row["statement"]
    assert table.loc["ledger.discounts.oral", "statement"]


def test_the_evidence_has_every_answer(geneva: Scenario) -> None:
    asked = geneva.with_polling(pd.Series({"Kenya": 0.7, "Chad": 1.0, "United States of America": 0.5}, name="Pope"))
    table = asked.evidence()
    assert table.loc["polled chance of Kenya for Pope", "value"] == 0.7
    assert "counts as 0.999" in table.loc["polled chance of Chad for Pope", "statement"]
    assert "pinned to Pope" in table.loc["polled chance of United States of America for Pope", "statement"]


def test_the_briefing_and_charts_name_them(geneva: Scenario) -> None:
    known = geneva.with_pledges(TWO).with_polling(pd.Series({"Kenya": 0.7}, name="Pope"), trust=0.5)
    assert "Pledges:     two pledges, one to Pope and one to Vitorino" in repr(known)
    assert "Polled:      one member, trusted 0.5" in repr(known)
    labels = {path: parameter.label for path, parameter in known._parameters.items()}
    assert labels["ledger.discounts.written"] == "what a written pledge is worth"
    assert labels["polling.trust"] == "trust in the poll of members"


def test_differences_name_them(geneva: Scenario) -> None:
    known = geneva.with_pledges(TWO)
    assert differences(geneva, known) == ["one pledge to Pope and one pledge to Vitorino"]
    assert differences(known, geneva) == ["without one pledge to Pope and one pledge to Vitorino"]
    assert differences(geneva, geneva.with_pledges(TWO.head(1))) == ["a written pledge of Kenya to Pope"]
    assert differences(known, known.with_parameters({"ledger.discounts.oral": 0.9})) == [
        "what an oral pledge is worth at 0.9 instead of 1.39"
    ]
    asked = geneva.with_polling(pd.Series({"Kenya": 0.7, "Peru": 0.5}, name="Pope"))
    assert differences(geneva, asked) == ["a poll of Kenya and Peru"]
    assert differences(asked, geneva) == ["without a poll of Kenya and Peru"]
    other = asked.with_polling(pd.Series({"Peru": 0.6}, name="Pope"))
    assert differences(asked, other) == ["other answers of Peru"]
    assert differences(asked, asked.with_parameters({"polling.trust": 0.5})) == [
        "trust in the poll of members at 0.5 instead of 1"
    ]


# -- a stated level is held -----------------------------------------------------------------------


def test_a_whip_count_is_a_what_if_on_a_level(geneva: Scenario) -> None:
    known = geneva.with_pledges(TWO)
    asked = known.with_polling(pd.Series({"Peru": 0.9}, name="Pope"))
    alone = geneva.with_polling(pd.Series({"Peru": 0.9}, name="Pope"))
    for what_if in (known, asked, alone, asked.with_pressure(Washington=0.9)):
        assert what_if._appeals == geneva._appeals
        assert iom.loads(iom.dumps(what_if))._appeals == geneva._appeals
    draws = iom.forecast(geneva, 400, 5, assumptions=20, progress=False).draws
    more = iom.forecast(asked, 400, 5, assumptions=20, progress=False).draws
    for path in geneva._appeals:
        assert (draws.parameters[path] == more.parameters[path]).all()
    assert "ledger.discounts.written" in more.parameters


def test_a_level_stated_with_its_ledger_has_it_inside() -> None:
    known = iom.load("minimal").with_pledges(heard(*((f"M{i}", "A", "public") for i in range(1, 60))))
    assert known.balanced(0.5).plan.values["candidates.A.appeal"] < -0.3  # what the pledges give is taken back


def test_balancing_comes_before_polling(geneva: Scenario) -> None:
    asked = geneva.with_polling(pd.Series({"Peru": 0.9}, name="Pope"))
    with pytest.raises(iom.ScenarioError, match="balance the race first, then with_polling"):
        asked.balanced(0.6)
    assert geneva.balanced(0.6).with_polling(pd.Series({"Peru": 0.9}, name="Pope")).level["Pope"].value == 0.6


def test_everything_at_once_plays() -> None:
    race = complete(3, 20)
    known = race.with_pledges(heard(("M1", race.names[0], "oral"), ("M2", race.names[1], "claimed")))
    known = known.with_polling(pd.DataFrame({name: [1 / 3] for name in race.names}, index=["M3"]), trust=0.5)
    assert len(iom.forecast(known, 100, 1, assumptions=10, progress=False)) == 100
