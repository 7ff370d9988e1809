"""Variants side by side: each with its own error, and paired with the first."""

from __future__ import annotations

from typing import Any

import pytest
from toys import toy, voter

import iomsim as iom
from iomsim.errors import IomsimError, PairingError, UnknownNameError
from iomsim.forecasting.estimates import in_100
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.compare import DIFFERENCE


@pytest.fixture(scope="module")
def beside() -> iom.SideBySide:
    race = iom.load("geneva-2023")
    return iom.side_by_side(
        {
            "as sponsored": race,
            "no pressure": race.with_pressure(Washington=0, Brussels=0),
            "hardly different": race.with_behaviour(secrecy=0.401),
            "four rounds": race.with_rules("four-rounds"),
        },
        runs=1500,
        seed=1,
    )


def test_each_variant_is_its_own_forecast(beside: iom.SideBySide) -> None:
    table = beside.table()
    for name, fc in beside.forecasts.items():
        for winner, row in fc.win_probability().iterrows():
            found = table.loc[(winner, name), ["value", "low", "high", "mc_error"]]
            assert found.tolist() == row.tolist()
        spill = table.loc[("spill", name), ["value", "low", "high", "mc_error"]].tolist()
        assert spill == [fc.spill().value, fc.spill().low, fc.spill().high, fc.spill().mc_error]
        assert table.loc[("rounds", name), "value"] == fc.runs["rounds"].mean()


def test_changes_are_those_of_compare(beside: iom.SideBySide) -> None:
    base = beside.forecasts["as sponsored"]
    for name, fc in list(beside.forecasts.items())[1:]:
        pair = iom.compare(base, fc).table()
        for target in pair.index:
            row = beside.table(target).loc[name]
            changed = row[["change", "change_low", "change_high", "change_error"]].tolist()
            assert changed == pair.loc[target, list(DIFFERENCE[:4])].tolist()
            assert row["clear"] == pair.loc[target, "clear"]
    assert (beside.table("spill").loc["as sponsored", ["change", "change_low", "change_high"]] == 0).all()


def test_the_sentence_gives_all_and_says_what_is_noise(beside: iom.SideBySide) -> None:
    words = beside.sentence()
    row = beside.table("Pope").loc["as sponsored"]
    assert words.startswith(f"Pope's chance in 100: as sponsored {in_100(row['value'], row['mc_error'])}, ")
    assert words.endswith("; within noise of as sponsored: hardly different.")
    assert beside.sentence("Tuesday").startswith("The chance that voting runs into Tuesday in 100: as sponsored ")
    value = beside.table("rounds").loc["four rounds", "value"]
    assert f"four rounds {value:.1f}" in beside.sentence("rounds")
    assert "1\u202f500 runs each" in beside.stamp()
    assert words in " ".join(repr(beside).split())


def test_forecasts_and_scenarios_may_stand_together() -> None:
    race = voter()
    fc = iom.forecast(race, runs=80, seed=5, progress=False)
    found = iom.side_by_side({"made": fc, "played": race.with_pressure(W=0)})
    assert (found.runs, found.seed) == (80, 5)
    assert found.forecasts["made"] is fc


@pytest.mark.parametrize(
    ("variants", "kind", "words"),
    [
        ({"one": voter()}, IomsimError, "takes two or more variants by name"),
        ([voter(), voter()], IomsimError, "takes two or more variants by name"),
        ({"one": voter(), "other": toy(2)}, PairingError, "'other' cannot be put beside 'one': the members differ"),
        ({"one": voter(), "other": "strict"}, PairingError, "can be compared, got str"),
    ],
)
def test_bad_variants_are_refused(variants: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        iom.side_by_side(variants, runs=10, seed=1)


def test_an_unknown_target_is_refused(beside: iom.SideBySide) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'Pope'"):
        beside.table("Popee")
    assert isinstance(beside.race, Scenario)


def test_the_stamp_says_what_was_played_of_the_assumptions_and_the_rules() -> None:
    race = iom.load("geneva-2023")
    variants = {"as it is": race, "strict": race.with_rules("strict")}
    stamp = iom.side_by_side(variants, runs=100, seed=1, assumptions=50).stamp()
    assert "100 runs each of 50 draws of the assumptions" in stamp
    assert stamp.endswith("rules until-two-thirds and 4 other readings")
    assert "100 runs each, assumptions fixed" in iom.compare(race, race, runs=100, seed=1, assumptions="fixed").stamp()
