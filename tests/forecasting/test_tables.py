"""Every table of a forecast against the runs counted in plain pandas."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from toys import FREE, STILL, elect, toy

import iomsim as iom
from iomsim.forecasting.estimates import wilson
from iomsim.rules.procedure import ENDINGS

NO_WINNER = "no winner"


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


def share(condition: Any) -> float:
    return float(np.mean(condition))


def test_who_wins(fc: iom.Forecast) -> None:
    table = fc.win_probability()
    assert table.index.tolist() == [*fc.race.names, NO_WINNER]
    assert table["probability"].sum() == pytest.approx(1, abs=1e-12)
    for name in table.index:
        assert table.loc[name, "probability"] == share(fc.runs["winner"] == name)
    interval_holds(table, len(fc))


def interval_holds(table: pd.DataFrame, runs: int) -> None:
    low, high = wilson(np.rint(table["probability"] * runs), runs)
    assert table["low"].to_numpy() == pytest.approx(low)
    assert table["high"].to_numpy() == pytest.approx(high)
    assert ((table["low"] <= table["probability"]) & (table["probability"] <= table["high"])).all()


def test_after_how_many_rounds(fc: iom.Forecast) -> None:
    table, runs = fc.rounds(), fc.runs
    won = runs["winner"] != NO_WINNER
    assert table.index.tolist() == list(range(1, runs["rounds"].max() + 1))
    for r in table.index:
        row = table.loc[r]
        assert row["probability"] == share(won & (runs["rounds"] == r))
        assert row["cumulative"] == pytest.approx(share(won & (runs["rounds"] <= r)))
        assert row["ended_without_winner"] == share(~won & (runs["rounds"] == r))
        assert row["undecided"] == pytest.approx(share(runs["rounds"] > r), abs=1e-12)
    assert table["undecided"].iloc[-1] == 0.0
    total = table["cumulative"] + table["ended_without_winner"].cumsum() + table["undecided"]
    assert total.to_numpy() == pytest.approx(np.ones(len(table)))
    interval_holds(table, len(fc))


def test_how_it_ends(fc: iom.Forecast) -> None:
    table, runs = fc.endings(), fc.runs
    assert table["probability"].sum() == pytest.approx(1)
    assert set(table.index.get_level_values("ending")) == set(ENDINGS)
    for ending, winner in table.index:
        expected = share((runs["ending"] == ending) & (runs["winner"] == winner))
        assert table.loc[(ending, winner), "probability"] == expected
        assert (winner == NO_WINNER) == (ending in ("failed", "open"))
    by_winner = table["probability"].groupby(level="winner").sum()
    assert by_winner.to_dict() == pytest.approx(fc.win_probability()["probability"].to_dict())
    interval_holds(table, len(fc))


def test_on_which_day_and_hour(fc: iom.Forecast) -> None:
    table, runs = fc.decided_at(), fc.runs
    assert table["probability"].sum() == pytest.approx(1)
    assert table.index[-1] == (NO_WINNER, "", "")
    for day, weekday, hour in table.index[:-1]:
        begin = pd.Timestamp(f"{day} {hour}")
        assert begin.day_name() == weekday
        inside = (runs["decided_at"] >= begin) & (runs["decided_at"] < begin + pd.Timedelta(hours=1))
        assert table.loc[(day, weekday, hour), "probability"] == share(inside)
    assert table.loc[(NO_WINNER, "", ""), "probability"] == share(runs["decided_at"].isna())
    steps = table["cumulative"].iloc[:-1]
    assert steps.to_numpy() == pytest.approx(table["probability"].iloc[:-1].cumsum().to_numpy())
    assert table.index[:-1].is_monotonic_increasing
    interval_holds(table, len(fc))


def test_whether_it_spills(fc: iom.Forecast) -> None:
    ended = fc.runs["ended_at"]
    for day in (None, fc.next_day, fc.next_day.isoformat(), pd.Timestamp(fc.next_day)):
        estimate = fc.spill(day)
        assert estimate.value == share(ended.isna() | (ended >= pd.Timestamp(fc.next_day)))
        assert estimate.runs == len(fc)
    later = fc.spill("2029-12-31")
    assert later.value == share(ended.isna())
    assert later.value <= fc.spill().value


def test_days_are_told_by_name(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["strict"]
    assert fc.next_day == date(2023, 5, 16)
    for name in ("Tuesday", "tuesday", "Tue", "tues"):
        assert fc.spill(name) == fc.spill("2023-05-16") == fc.spill()
    assert fc.spill("Wednesday") == fc.spill(date(2023, 5, 17)) == fc.spill(datetime(2023, 5, 17, 12))
    assert fc.spill("Sunday") == fc.spill("2023-05-21")
    assert fc.spill("Wednesday").value < fc.spill("Tuesday").value


def test_the_next_day_is_the_next_sitting() -> None:
    friday = toy(9).with_clock(opens="2023-05-19T10:00")
    assert make(friday, 5).next_day == date(2023, 5, 22)
    fc = make(friday, 200)
    for name, day in (("Saturday", 20), ("Monday", 22), ("Tuesday", 23), ("Thursday", 25)):
        assert fc.spill(name) == fc.spill(date(2023, 5, day))
    assert fc.spill("Monday").value > fc.spill("Tuesday").value > fc.spill("2023-05-29").value
    closed = friday.with_clock(closed=[date(2023, 5, 22)])
    assert make(closed, 5).next_day == date(2023, 5, 23)
    assert make(closed, 5).answer().count("Tuesday") == 2


def test_a_session_of_one_day_only_has_a_next_day_too() -> None:
    opens = date(2023, 5, 15)
    closed = [date.fromordinal(opens.toordinal() + i) for i in range(1, 401)]
    fc = make(elect("AAAABB").with_clock(closed=closed), 20)
    assert fc.next_day == date(2023, 5, 16)
    assert fc.spill().value == 0


def test_the_rounds_in_the_middle(fc: iom.Forecast) -> None:
    held = np.sort(fc.runs["rounds"].to_numpy())
    middle, low, high = fc.median_rounds()
    assert [low, middle, high] == [held[int(np.ceil(q * len(held) - 1e-9)) - 1] for q in (0.1, 0.5, 0.9)]


def test_the_table_of_runs(fc: iom.Forecast) -> None:
    runs = fc.runs
    assert list(runs) == ["winner", "ending", "rounds", "present", "ended_at", "decided_at"]
    assert runs.index.tolist() == list(range(len(fc)))
    assert runs.index.name == "run"
    assert (runs["ended_at"].isna() == (runs["ending"] == "open")).all()
    assert (runs["decided_at"].isna() == (runs["winner"] == NO_WINNER)).all()
    known = runs["decided_at"].notna()
    assert (runs["decided_at"][known] == runs["ended_at"][known]).all()
    assert (runs["ended_at"].dropna() >= pd.Timestamp(fc.race.clock.opens)).all()


def test_the_table_of_tallies(fc: iom.Forecast) -> None:
    t, runs = fc.tallies, fc.runs
    assert list(t) == ["run", "round", "candidate", "votes", "valid", "share", "kind"]
    assert not t.duplicated(["run", "round", "candidate"]).any()
    assert t.groupby("run")["round"].agg(["min", "max", "nunique"]).to_numpy().tolist() == [
        [1, n, n] for n in runs["rounds"]
    ]
    sums = t[t["kind"] == "ballot"].groupby(["run", "round"])
    assert (sums["votes"].sum() == sums["valid"].first()).all()
    assert t["share"].to_numpy() == pytest.approx((t["votes"] / t["valid"].clip(lower=1)).to_numpy())
    assert (t["valid"] <= runs["present"].loc[t["run"]].to_numpy()).all()
    last = t.groupby("run").tail(1).set_index("run")
    asked = runs["ending"].isin(["confirmed", "failed"])
    assert ((last["kind"] == "yes/no") == asked).all()


def test_the_winner_by_majority_has_two_thirds(fc: iom.Forecast) -> None:
    t = fc.tallies.merge(fc.runs[["winner", "ending", "rounds"]], left_on="run", right_index=True)
    final = t[(t["round"] == t["rounds"]) & (t["ending"] == "majority")]
    final = final[final["candidate"].astype(str) == final["winner"].astype(str)]
    assert len(final) == (fc.runs["ending"] == "majority").sum()
    assert (3 * final["votes"] >= 2 * final["valid"]).all()
    before = t[(t["round"] < t["rounds"]) & (t["kind"] == "ballot")]
    assert (3 * before["votes"] < 2 * before["valid"].clip(lower=1)).all()


def test_tables_handed_out_cannot_spoil_the_forecast(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["strict"]
    for name in ("runs", "tallies"):
        table = getattr(fc, name)
        table.iloc[:, 2] = table.iloc[0, 2]
        assert not getattr(fc, name).equals(table)
    sides = fc.rule_sets()
    sides["spill"] = 0.0
    assert (fc.rule_sets()["spill"] > 0).any()
    assert fc.outcomes is not None
    with pytest.raises(ValueError, match="read-only"):
        fc.outcomes.winner[0] = 1


def test_nothing_is_lost_in_elections_of_a_handful() -> None:
    """Twenty independent rounds of fifteen members: the tables against the binomial law."""
    fc = make(toy(15, appeal=0.4, behaviour=STILL | FREE, rules={"name": "strict", "max_rounds": 20}), 8000)
    p = 1 / (1 + np.exp(-0.4))
    a, b = (stats.binom.sf(9, 15, q) for q in (p, 1 - p))
    table = fc.win_probability()
    expected = np.array([a, b]) / (a + b) * (1 - (1 - a - b) ** 20)
    assert table["probability"].iloc[:2].to_numpy() == pytest.approx(expected, abs=4 * 0.0056)
    assert fc.rounds()["probability"].iloc[0] == pytest.approx(a + b, abs=4 * 0.0056)
