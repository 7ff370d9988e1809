"""Every table of a forecast against the runs counted in plain pandas."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from toys import FREE, STILL, elect, toy

import iomsim as iom
from iomsim.forecasting import tables
from iomsim.forecasting.estimates import Estimate, in_100, row_in_100, wilson
from iomsim.forecasting.tables import excluded, rounds_in_words, rule_sets_in_words
from iomsim.rules.procedure import ENDINGS, Procedure

NO_WINNER = "no winner"


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


def share(condition: Any) -> float:
    return float(np.mean(condition))


def test_who_wins(fc: iom.Forecast) -> None:
    table = fc.win_probability()
    assert table.index.tolist() == [*fc.race.names, NO_WINNER]
    assert table["probability"].sum() == pytest.approx(1, abs=1e-12)
    agrees(table, fc, [fc.runs["winner"] == name for name in table.index])


def agrees(table: pd.DataFrame, fc: iom.Forecast, happened: list[Any]) -> None:
    """Count for every row the runs in which it happened, draw by draw: its chance, range and error are theirs."""
    draw = fc.runs["draw"].to_numpy()
    assert (draw == np.arange(len(fc)) % max(fc.summary.draws, 1)).all()
    for (_, row), event in zip(table.iterrows(), happened, strict=True):
        counts = pd.Series(np.asarray(event)).groupby(draw).agg(["sum", "size"])
        total = int(counts["sum"].sum())
        assert row["probability"] == total / len(fc)
        if fc.draws is None:
            low, high = wilson(total, len(fc))
            assert np.isnan([row["low"], row["high"]]).all()
            assert row["mc_error"] == pytest.approx(float(high - low) / 2)
            continue
        e = Estimate.over(counts["sum"].to_numpy(), counts["size"].to_numpy())
        assert row[["low", "high", "mc_error"]].tolist() == pytest.approx([e.low, e.high, e.mc_error], nan_ok=True)
        whole = len(fc) >= 2 * fc.summary.draws
        assert np.isnan(row["low"]) == np.isnan(row["high"]) != whole
        assert not whole or 0 <= row["low"] <= row["probability"] <= row["high"] <= 1


def test_the_rounds_in_words_tell_who_ends_in_them_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the rows add up to the rounds held that a chart has: all but those that are still voting."""
    monkeypatch.setattr(tables, "ROUNDS_SHOWN", 2)
    fc = make(iom.load("geneva-2023"))
    told, ends = rounds_in_words(fc), fc.summary.ends
    failed, late = ends["ending"] == ENDINGS.index("failed"), ends["rounds"] > 2
    assert min(fc.share(failed & late).value, fc.share(~failed & late & (ends["winner"] < 0)).value) > 0  # a guard
    expected = [fc.share(failed & (ends["rounds"] == number)) for number in (1, 2)] + [fc.share(failed & late)]
    assert told["nobody"].tolist() == [row_in_100(lost.value, lost.mc_error) for lost in expected]
    assert fc.share(failed).value == pytest.approx(sum(lost.value for lost in expected))
    assert rounds_in_words(make(toy(15))).columns.tolist() == ["in 100", "over the assumptions"]  # the rules exclude it


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
    agrees(table, fc, [won & (runs["rounds"] == r) for r in table.index])


def test_how_it_ends(fc: iom.Forecast) -> None:
    table, runs = fc.endings(), fc.runs
    assert table["probability"].sum() == pytest.approx(1)
    assert set(table.index.get_level_values("ending")) == set(ENDINGS)
    for ending, winner in table.index:
        assert (winner == NO_WINNER) == (ending in ("failed", "open"))
    by_winner = table["probability"].groupby(level="winner").sum()
    assert by_winner.to_dict() == pytest.approx(fc.win_probability()["probability"].to_dict())
    agrees(table, fc, [(runs["ending"] == ending) & (runs["winner"] == winner) for ending, winner in table.index])


def test_on_which_day_and_hour(fc: iom.Forecast) -> None:
    table, runs = fc.decided_at(), fc.runs
    assert table["probability"].sum() == pytest.approx(1)
    assert table.index.dtype == runs["decided_at"].dtype  # as the clocks show it, without a time zone
    assert table.index[-1] is pd.NaT
    assert table["day"].iloc[-1] == NO_WINNER
    for begin, words, chance in table[["day", "probability"]].iloc[:-1].itertuples():
        late = (begin.date() - fc.opening_date.date()).days > 6
        assert words == (f"{begin:%A} {begin.day} {begin:%B}" if late else begin.day_name())
        inside = (runs["decided_at"] >= begin) & (runs["decided_at"] < begin + pd.Timedelta(hours=1))
        assert chance == share(inside)
    assert table["probability"].iloc[-1] == share(runs["decided_at"].isna())
    steps = table["cumulative"].iloc[:-1]
    assert steps.to_numpy() == pytest.approx(table["probability"].iloc[:-1].cumsum().to_numpy())
    assert table.index[:-1].is_monotonic_increasing
    hour = runs["decided_at"].dt.floor("h")
    agrees(table, fc, [*(hour == begin for begin in table.index[:-1]), hour.isna()])


@pytest.mark.parametrize(
    ("parts", "clock", "none"),
    [
        ({}, {}, ["nobody"]),
        ({"phases": [{"ballots": 3}], "after": "fail"}, {}, ["still voting"]),
        ({"phases": [{"ballots": 3}], "after": "fail"}, {"deadline": "2023-05-19T12:00"}, []),
        ({"phases": [{"ballots": 3}], "after": "suspend", "max_rounds": 3}, {}, ["still voting"]),
        ({"phases": [{"ballots": 3}], "after": "suspend", "max_rounds": 2}, {}, []),
        ({"phases": [{"ballots": 3}], "after": "fail", "withdrawal": "vote", "max_rounds": 3}, {}, []),  # not yet held
        ({"withdrawal": "vote"}, {}, []),
        ({"withdrawal": "acclamation"}, {}, ["nobody"]),
        ({"phases": [{"name": "a", "ballots": 3}], "after": "repeat", "repeat_from": "a"}, {}, ["nobody"]),
    ],
)
def test_which_ends_without_a_winner_the_rules_exclude(
    parts: dict[str, Any], clock: dict[str, Any], none: list[str]
) -> None:
    race = toy(15).with_clock(**clock)
    assert excluded(race, [Procedure(**parts)]) == none


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
    told = make(closed, 5).answer()
    assert "Tuesday" in told
    assert "Monday" not in told


# -- before a moment -----------------------------------------------------------------------------------

MOMENTS = {
    "Monday 18:00": "2023-05-15 18:00",
    "mon 12h11": "2023-05-15 12:11",
    "13:20": "2023-05-15 13:20",
    "Tuesday 12:00": "2023-05-16 12:00",
    "2023-05-16 12:00": "2023-05-16 12:00",
    "Tuesday": "2023-05-16",
    "2023-05-17": "2023-05-17",
    "Sunday 10:00": "2023-05-21 10:00",
    "2024-01-01": "2024-01-01",
}


@pytest.mark.parametrize("before", MOMENTS)
def test_whether_it_is_over_before_a_moment(forecasts: dict[str, iom.Forecast], before: str) -> None:
    moment = pd.Timestamp(MOMENTS[before])
    for fc in (fc for fc in forecasts.values() if fc.opening_date == datetime(2023, 5, 15)):
        estimate = fc.probability(before=before)
        assert (estimate.value, estimate.runs) == (share(fc.runs["ended_at"] < moment), len(fc))
        assert fc.probability(before=moment) == fc.probability(before=moment.to_pydatetime()) == estimate
        assert replace(fc, outcomes=None).probability(before=before) == estimate
        if moment == moment.normalize():
            assert fc.probability(before=moment.date()) == estimate
            assert estimate.value == pytest.approx(1 - fc.spill(moment.date()).value)


def test_before_and_not_at(forecasts: dict[str, iom.Forecast]) -> None:
    """Everybody is elected at 12:10."""
    still = {"formalities_log_sd": 0, "round_log_sd": 0, "opens": "2023-05-15T10:00:00"}
    fc = make(elect("AAAABB", clock=still), 20, assumptions="fixed")
    assert [fc.probability(before=f"12:{minute}").value for minute in ("09", "10", "11")] == [0, 0, 1]
    assert fc.probability(before="10:00").value == 0
    assert str(fc.probability(before="12:11")) == str(fc.probability(before="13:00"))


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("Monday", "Monday 00:00 is before the opening on Monday 10:00; ask for a later moment"),
        ("09:59", "Monday 09:59 is before the opening on Monday 10:00; ask for a later moment"),
        ("2022-05-16 12:00", "Monday 16 May 2022 12:00 is before the opening on Monday 15 May 10:00; ask for a later"),
        ("noon", "no time 'noon'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ("T 10:00", "no time 'T 10:00'"),
        (18, "no time 18; write"),
        ("2023-05-16T10:00+02:00", "times are local, without an offset"),
    ],
)
def test_moments_that_cannot_be_asked_for(forecasts: dict[str, iom.Forecast], before: Any, said: str) -> None:
    with pytest.raises(iom.IomsimError, match=f"^{re.escape(said)}"):
        forecasts["at once"].probability(before=before)


def test_on_an_election_day_moments_are_counted_from_the_opening() -> None:
    day = iom.live(toy(9).with_clock(opens="2023-05-15T10:00"), particles=300, seed=1)
    day.announce(A=5, B=4, at="Tuesday 11:10")
    fc = day.forecast()
    assert fc.probability(before="Tuesday 11:10").value == 0
    assert fc.probability(before="Monday 18:00").value == 0
    assert 0 < fc.probability(before="Tuesday 18:00").value <= share(fc.runs["ended_at"] < "2023-05-16 18:00")


# -- days ---------------------------------------------------------------------------------------------


def weekly(**clock: Any) -> iom.Forecast:
    """Return a forecast of a body that meets on Mondays only: a round a week, and six runs in seven never end."""
    still = {"formalities_log_sd": 0, "round_log_sd": 0, "round_minutes": 300, "sits_on": 0}
    return make(toy(9, clock=still | {"opens": "2023-05-15T10:00:00", "days": ["Mon"]} | clock), 2000)


def test_two_mondays_are_not_called_the_same() -> None:
    fc = weekly()
    table = fc.decided_at().iloc[:-1].assign(date=lambda hours: hours.index.normalize())
    called = table.groupby("date")["day"].unique().map(list)
    assert called.iloc[:3].tolist() == [["Monday"], ["Monday 22 May"], ["Monday 29 May"]]
    assert table.groupby("day")["date"].nunique().max() == 1
    assert fc.next_day == date(2023, 5, 22)
    assert "Monday 22 May" in fc.answer()
    assert fc.spill() == fc.spill("Monday 22 May") == fc.spill("2023-05-22")
    with pytest.raises(iom.IomsimError, match="the session opens on a Monday; ask for a later day, or by its date"):
        fc.spill("Monday")


def test_a_year_is_told_where_it_is_another() -> None:
    fc = weekly(opens="2023-12-25T10:00:00")
    assert fc.decided_at()["day"].unique().tolist()[:2] == ["Monday", "Monday 1 January 2024"]


def test_a_sitting_that_passes_midnight_runs_into_the_next_day() -> None:
    """Rounds of 100 minutes from 20:00 to 02:00: the third ends at 01:00, on Tuesday."""
    clock = {"formalities": 1e-9, "formalities_log_sd": 0, "round_log_sd": 0, "round_minutes": 100, "sits_on": 0}
    clock |= {"opens": "2023-05-15T20:00:00", "sittings": [["20:00", "02:00"]], "last_call": 1}
    fc = make(toy(9, behaviour=STILL | FREE, clock=clock), 500)
    assert fc.spill().value == fc.spill("Tuesday").value == share(fc.runs["rounds"] > 2)
    third = fc.runs["ended_at"][fc.runs["rounds"] == 3].dropna()
    assert set(third) == {pd.Timestamp("2023-05-16 01:00")}


# -- a deadline ------------------------------------------------------------------------------------------


def test_elections_that_the_deadline_leaves_open() -> None:
    """At 10:35 formalities are over in about half of the runs: these have begun their only round, the others none."""
    fc = make(toy(9, clock={"opens": "2023-05-15T10:00:00", "formalities": 35, "deadline": "2023-05-15T10:35:00"}), 800)
    runs, table = fc.runs, fc.rounds()
    none = share(runs["rounds"] == 0)
    assert 0.4 < none < 0.6
    assert set(runs["ending"][runs["rounds"] == 0]) == {"open"}
    assert runs["ended_at"][runs["ending"] == "open"].isna().all()
    assert table.index.tolist() == [1]
    assert table.loc[1, "ended_without_winner"] == pytest.approx(share(runs["ending"] == "open"))
    assert table.loc[1, "undecided"] == 0
    assert len(fc.tallies) == 2 * (runs["rounds"] == 1).sum()
    assert fc.endings().loc[("open", NO_WINNER), "probability"] == share(runs["ending"] == "open")
    assert fc.probability(before="2024-01-01").value == share(runs["winner"] != NO_WINNER)


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
    assert list(runs) == ["winner", "ending", "rounds", "present", "ended_at", "decided_at", "draw"]
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


def test_readings_of_old_files_are_told_without_their_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    fc = make(toy(9), runs=50)
    sides = fc.rule_sets()
    errors = [name for name in sides if name.endswith("_mc_error")]
    monkeypatch.setattr(type(fc), "rule_sets", lambda _: sides.assign(**dict.fromkeys(errors, np.nan)))
    assert rule_sets_in_words(fc)["A"].tolist() == sides["A"].map(in_100).tolist()
