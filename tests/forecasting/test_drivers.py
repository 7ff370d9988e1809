"""`fc.drivers`: what is asked, what is answered, in numbers and in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import STILL, elect, toy, unsure

import iomsim as iom
from iomsim.errors import IomsimError, UnknownNameError
from iomsim.forecasting.drivers import Drivers
from iomsim.forecasting.effects import Effects
from iomsim.model.scenario import Scenario

RUNS = 8_000


APPEAL = {"value": 0.2, "low": -0.4, "high": 0.6}


def uncertain(appeal: dict[str, float] = APPEAL, **parts: Any) -> Scenario:
    """Return an election of 15 members of whose leanings little is known."""
    behaviour = STILL | {
        "conviction": {"value": 1.0, "low": 0.5, "high": 2.0},
        "concede_b": {"value": 4.8, "low": 2.0, "high": 10.0},
        "yes_own": {"value": 0.95, "low": 0.9, "high": 0.99},
    }
    candidates = [{"name": "A", "appeal": appeal}, {"name": "B"}]
    return toy(behaviour=behaviour, candidates=candidates, **parts)


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    return iom.forecast(uncertain(), runs=RUNS, seed=1, progress=False)


@pytest.fixture(scope="module")
def read() -> iom.Forecast:
    """A forecast of Geneva under its readings."""
    return iom.forecast(iom.load("geneva-2023"), runs=RUNS, seed=1, progress=False, assumptions=100)


@pytest.fixture(scope="module")
def found(fc: iom.Forecast) -> Drivers:
    return fc.drivers()


# -- the table --------------------------------------------------------------------------------------


def test_the_first_candidates_chance_hangs_on_the_appeal(found: Drivers) -> None:
    table = found.table()
    assert table.index[0] == "candidates.A.appeal"
    first = table.iloc[0]
    assert first["name"] == "A's appeal"
    assert first["clear"]
    assert 0.6 < first["share"] < 0.85  # the other candidate has a range too
    assert (first["value_low"], first["value_high"]) == (-0.4, 0.6)
    assert first["at_low"] < 0.3 < 0.6 < first["at_high"]
    assert not table.loc[["behaviour.yes_own"], "clear"].any()


def test_chances_stay_between_0_and_1_and_rounds_do_not(fc: iom.Forecast, monkeypatch: pytest.MonkeyPatch) -> None:
    curve = Effects.curve
    monkeypatch.setattr(Effects, "curve", lambda *asked: curve(*asked) + 5)
    chance, rounds = replace(fc.drivers()), replace(fc.drivers("rounds"))
    assert (chance.curve("candidates.A.appeal")[["chance", "low", "high"]] == 1).all(axis=None)
    assert (chance.table()[["at_low", "at_high"]] == 1).all(axis=None)
    assert (rounds.table()[["at_low", "at_high"]] > 5).all(axis=None)


def test_every_assumption_that_varies_has_a_row_and_no_other(fc: iom.Forecast, found: Drivers) -> None:
    assert set(found.table().index) == set(fc.assumptions) - {"reading"}
    assert found.table()["share"].abs().max() < 1.2
    shares, clear = found.table()["share"], found.table()["clear"]
    assert clear.is_monotonic_decreasing
    assert shares[clear].is_monotonic_decreasing
    assert shares[~clear].is_monotonic_decreasing


def test_the_table_is_a_copy(found: Drivers) -> None:
    table = found.table()
    table["share"] = 0.0
    assert found.table()["share"].max() > 0.5


def test_the_chance_at_low_and_high_is_that_of_the_runs_there(fc: iom.Forecast, found: Drivers) -> None:
    """From another forecast, in which the assumption is known to be near there."""
    row = found.table().loc["candidates.A.appeal"]
    for end in ("low", "high"):
        at = row[f"value_{end}"]
        near = {"value": at, "low": at - 0.01, "high": at + 0.01}
        other = iom.forecast(uncertain(near), runs=RUNS, seed=2, progress=False)
        assert abs(other.win_probability()["probability"]["A"] - row[f"at_{end}"]) < 0.05


# -- what is asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "event"),
    [
        ("B", lambda runs: runs["winner"] == "B"),
        ("no winner", lambda runs: runs["winner"] == "no winner"),
        ("still voting", lambda runs: runs["ending"] == "open"),
        ("rounds", lambda runs: runs["rounds"]),
    ],
)
def test_a_target_by_name_is_that_of_the_runs(fc: iom.Forecast, target: str, event: Any) -> None:
    pd.testing.assert_frame_equal(fc.drivers(target).table(), fc.drivers(event).table())


def test_the_next_day_goes_by_several_names(fc: iom.Forecast) -> None:
    table = fc.drivers("spill").table()
    pd.testing.assert_frame_equal(fc.drivers(fc.race.clock.next_day_in_words).table(), table)
    assert abs(fc.drivers("spill").effects.answers.overall - fc.spill().value) < 1e-12


def test_the_first_candidate_is_the_default(fc: iom.Forecast, found: Drivers) -> None:
    assert found.target == "A"
    pd.testing.assert_frame_equal(fc.drivers("win").table(), found.table())


def test_a_function_is_told_by_its_name(fc: iom.Forecast) -> None:
    def long_vote(runs: pd.DataFrame) -> pd.Series:
        return runs["rounds"] > 3

    assert "the chance of 'long vote' " in fc.drivers(long_vote).sentence()
    assert fc.drivers(lambda runs: runs["present"] > 20).sentence() == (
        "No assumption moves the chance of what was asked: it is <1 in 100."
    )
    assert "the mean of what was asked " in fc.drivers(lambda runs: 2 * runs["rounds"]).sentence()


@pytest.mark.parametrize("event", [lambda _: True, lambda runs: runs, lambda runs: runs["ended_at"]])
def test_an_event_that_says_nothing_of_each_run_is_refused(fc: iom.Forecast, event: Any) -> None:
    with pytest.raises(IomsimError, match=r'of each of the 8000 runs; for instance lambda runs: runs\["rounds"\] > 5'):
        fc.drivers(event)


def test_an_unknown_target_is_refused(fc: iom.Forecast) -> None:
    with pytest.raises(UnknownNameError, match="no target named 'Pop'"):
        fc.drivers("Pop")


# -- words ------------------------------------------------------------------------------------------


def test_the_sentence_tells_two_with_their_ends(found: Drivers) -> None:
    row = found.table().iloc[0]
    low, high = (round(100 * row[f"at_{end}"]) for end in ("low", "high"))
    assert found.sentence().startswith(f"A's chance hangs most on A's appeal ({low} to {high} in 100)")
    assert found.sentence().count(" in 100") == 1


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((0.6, 0.2, 0.05), "hangs most on a ({}) and on b ({})"),
        ((0.6, 0.2, 0.19), "hangs most on a ({})"),
        ((0.4, 0.39, 0.38, 0.1), "hangs most on a ({}) and on b ({}) and on c ({})"),
        ((0.2, 0.195, 0.19, 0.185, 0.18, 0.05), "may hang most on a, b, c (and two others)"),
    ],
)
def test_the_sentence_names_only_what_can_be_told_apart(
    found: Drivers, monkeypatch: pytest.MonkeyPatch, shares: tuple[float, ...], said: str
) -> None:
    rows = [
        {**found.table().iloc[0], "name": name, "share": share} for name, share in zip("abcdef", shares, strict=False)
    ]
    table = pd.DataFrame(rows, index=list("abcdef"[: len(shares)])).assign(share_error=0.01, clear=True)
    monkeypatch.setitem(vars(found), "_table", table)
    assert re.sub(r"\(\d+ to \d+( in 100)?\)", "({})", found.finding()).endswith(said)


def test_rounds_are_no_chance(fc: iom.Forecast) -> None:
    said = fc.drivers("rounds").sentence()
    assert "the mean number of rounds " in said
    assert "in 100" not in said


def test_a_result_shows_itself(found: Drivers, fc: iom.Forecast) -> None:
    shown = repr(found)
    assert shown.startswith(found.sentence())
    assert shown.endswith(fc.stamp())
    assert "A's appeal" in shown
    assert "candidates.A.appeal" not in shown
    assert "<table" in found._repr_html_()
    assert "nan" not in shown.casefold()


def test_the_rules_are_a_driver_of_their_own(read: iom.Forecast) -> None:
    """Some readings end without a winner and others cannot."""
    found = read.drivers("nobody")
    first = found.table().iloc[0]
    assert first.name == "reading"
    assert first["name"] == "the rules"
    assert found.sentence().startswith("The chance that nobody is elected hangs most on the rules (")
    assert f" in 100 under {first['reading_low']}, " in found.sentence()
    curve = found.curve("rules")
    assert list(curve.index) == [rules.name for rules in read.draws.readings]
    assert abs(curve["weight"].sum() - 1) < 1e-9
    assert curve["chance"].idxmin() == first["reading_low"]
    assert curve["chance"].idxmax() == first["reading_high"]
    sides = read.rule_sets()
    assert curve["chance"].tolist() == pytest.approx(sides.loc[curve.index, "nobody"].tolist())


# -- curves -----------------------------------------------------------------------------------------


def test_a_curve_is_a_table_by_value(found: Drivers) -> None:
    curve = found.curve("A", points=21)
    assert curve.index.name == "candidates.A.appeal"
    assert list(curve) == ["chance", "low", "high"]
    assert len(curve) == 21
    assert ((curve["low"] <= curve["chance"]) & (curve["chance"] <= curve["high"])).all()
    assert curve.to_numpy().min() >= 0
    assert curve.to_numpy().max() <= 1
    assert curve["chance"].is_monotonic_increasing
    pd.testing.assert_frame_equal(curve, found.curve("candidates.A.appeal", points=21))
    pd.testing.assert_frame_equal(curve, found.curve("A's appeal", points=21))


def test_a_curve_of_what_does_not_vary_is_refused(found: Drivers) -> None:
    with pytest.raises(IomsimError, match="abstain is the same in every draw: it has no range in this scenario"):
        found.curve("abstain")
    with pytest.raises(UnknownNameError, match="no parameter named 'conceded'"):
        found.curve("conceded")
    with pytest.raises(UnknownNameError, match="no parameter named 'rules'"):
        found.curve("rules")
    with pytest.raises(IomsimError, match="points must be a whole number of at least 2, got 1"):
        found.curve("A", points=1)


# -- nothing to tell --------------------------------------------------------------------------------


def test_a_fixed_forecast_has_no_drivers() -> None:
    fixed = iom.forecast(uncertain(), runs=500, seed=1, assumptions="fixed")
    with pytest.raises(IomsimError, match="this forecast played the best guesses, which say nothing about the assum"):
        fixed.drivers()


def test_too_few_runs_are_refused() -> None:
    few = iom.forecast(uncertain(), runs=300, seed=1, assumptions=400)
    with pytest.raises(IomsimError, match="no draw of the assumptions has two runs; play at least twice as many runs"):
        few.drivers()


def test_a_sure_election_hangs_on_nothing() -> None:
    sure = elect("AAAAAAAAAAAB", behaviour={"concede_b": {"value": 4.8, "low": 2.0, "high": 10.0}})
    forecast = iom.forecast(sure, runs=2000, seed=1, assumptions=50)
    for target in ("A", "spill", "rounds", "no winner"):
        found = forecast.drivers(target)
        assert found.sentence().startswith("No assumption moves ")
        assert not found.table()[["share", "share_error", "clear"]].to_numpy().any()
        assert "nan" not in repr(found).casefold()
    assert (
        forecast.drivers("nobody").sentence()
        == "No assumption moves the chance that nobody is elected: it is 0 in 100 by rule."
    )


# -- after announcements ----------------------------------------------------------------------------


def test_the_drivers_of_the_posterior() -> None:
    """What was announced ties assumptions to one another; runs are spread over the draws unevenly."""
    day = iom.live(uncertain(), seed=1)
    day.announce(A=8, B=7)
    after = day.forecast()
    found = after.drivers()
    assert not found.prior
    table = found.table()
    assert not table[["share", "share_error", "at_low", "at_high"]].isna().any(axis=None)
    row = table.loc["candidates.A.appeal"]
    assert (row["value_low"], row["value_high"]) != (-0.4, 0.6)
    weight = np.repeat(after.assumptions["candidates.A.appeal"], after.summary.runs_of_draws)
    assert row["value_low"] == pytest.approx(np.quantile(weight, 0.1, method="inverted_cdf"))
    assert found.overall == pytest.approx(after.win_probability()["probability"]["A"])


@pytest.mark.slow
def test_the_rules_after_an_announcement() -> None:
    """The same particles go on under every reading, so that the rules are told apart and nothing else is made up."""
    day = iom.live(iom.load("geneva-2023"), seed=1)
    day.announce(Pope=98, Vitorino=67)
    after = day.forecast()
    found = after.drivers("nobody")
    answers = found.effects.answers
    assert answers.effective < 0.8 * np.count_nonzero(after.summary.runs_of_draws)
    assert found.table().index[0] == "reading"
    assert found.table()["clear"].sum() <= 3
    curve = found.curve("rules")
    for name, part in after.by_reading().items():
        assert curve["chance"][name] == pytest.approx(part.chances()["probability"]["nobody"])


def test_where_nothing_is_unsure_nothing_drives() -> None:
    race = unsure(15)
    known = race.with_parameters({path: (q.value, q.value, q.value) for path, q in race.parameters().items()})
    found = iom.forecast(known.with_rules("strict"), 800, seed=1, progress=False).drivers()
    assert len(found.table()) == 0
    assert repr(found).startswith("No single assumption moves A's chance beyond noise.")
