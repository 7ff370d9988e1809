"""What a forecast says: every table against the runs counted in plain pandas, every sentence against the tables."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from toys import FREE, STILL, elect, neutral, same, toy

import iomsim as iom
from iomsim.engine import simulate
from iomsim.forecasting import estimates, run, wording
from iomsim.forecasting.estimates import Estimate, in_100, in_words, thousands, wilson
from iomsim.forecasting.summary import merge, summarise
from iomsim.rules.ruleset import ENDINGS, RULE_SETS

NO_WINNER = "no winner"


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


@pytest.fixture(scope="module")
def forecasts() -> dict[str, iom.Forecast]:
    """A race of two and one of three under the rule sets, and some that end in odd ways."""
    race = neutral()
    made = {name: make(race.with_rules(name)) for name in RULE_SETS}
    made["three"] = make(iom.load("iom-2018").with_rules("four-rounds"), 1000)
    made["nobody"] = make(elect("AAABBB", rules={"name": "strict", "max_rounds": 3}), 50)
    made["at once"] = make(elect("AAAABB"), 50)
    made["asked late"] = make(race.with_rules(after_concession="confirmation", max_rounds=12))
    made["one run"] = make(race, 1)
    made["handful"] = make(toy(4, "ABC", behaviour={"abstain": 0.4}, rules={"name": "strict", "max_rounds": 4}), 300)
    return made


NAMES = (*RULE_SETS, "three", "nobody", "at once", "asked late", "one run", "handful")


@pytest.fixture(params=NAMES)
def fc(request: pytest.FixtureRequest, forecasts: dict[str, iom.Forecast]) -> iom.Forecast:
    return forecasts[request.param]


# -- intervals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hits", "runs"), [(0, 1), (1, 1), (0, 100), (100, 100), (1, 30), (38, 100), (5000, 10_000)])
def test_intervals_are_wilsons(hits: int, runs: int) -> None:
    theirs = stats.binomtest(hits, runs).proportion_ci(0.95, method="wilson")
    low, high = wilson(hits, runs)
    assert (float(low), float(high)) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    e = Estimate.of(hits, runs)
    assert (e.low, e.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert e.low <= e.value <= e.high


def test_intervals_of_many_at_once() -> None:
    low, high = wilson(np.array([0, 5, 10]), 10)
    assert low[0] == 0.0
    assert high[2] == 1.0
    assert (low[1], high[1]) == (Estimate.of(5, 10).low, Estimate.of(5, 10).high)


@pytest.mark.parametrize(
    ("p", "half_width", "said"),
    [
        (0.38, 0.0, "38"),
        (0.384, 0.01, "38"),
        (0.386, 0.03, "39"),
        (0.38, 0.05, "about 40"),
        (0.33, 0.05, "about 35"),
        (0.38, 0.1, "about 40"),
        (0.01, 0.05, "about 5"),
        (0.99, 0.1, "about 90"),
        (0.005, 0.0, "1"),
        (0.0049, 0.0, "<1"),
        (0.0, 0.0, "<1"),
        (0.995, 0.0, "99"),
        (0.996, 0.0, ">99"),
        (1.0, 0.0, ">99"),
        (0.0, 0.0185, "<4"),  # none of a hundred runs
        (1.0, 0.0185, ">96"),
        (0.0, 0.0019, "<1"),  # none of a thousand
        (0.0, 0.4, "<80"),
        (0.0, 0.5, "<99"),
    ],
)
def test_no_more_digits_than_the_error_supports(p: float, half_width: float, said: str) -> None:
    assert in_100(p, half_width) == said


@pytest.mark.parametrize("runs", [1, 7, 100, 1000, 10_000])
def test_what_is_said_is_never_zero_or_a_hundred_and_lies_near_its_interval(runs: int) -> None:
    for hits in {0, 1, runs // 2, runs - 1, runs}:
        e = Estimate.of(hits, runs)
        number = int(re.findall(r"\d+", str(e))[0])
        assert 1 <= number <= 99
        assert str(e).endswith(" in 100")
        if str(e)[0] == "<":
            assert number >= min(100 * e.high, 99) - 0.5 or number == 1
        elif str(e)[0] == ">":
            assert number <= max(100 * e.low, 1) + 0.5 or number == 99
        else:
            assert 100 * e.low - 5.5 <= number <= 100 * e.high + 5.5


def test_an_estimate() -> None:
    e = Estimate.of(3800, 10_000)
    assert float(e) == 0.38
    assert str(e) == "38 in 100"
    assert e.span == "37 to 39 in 100"
    assert e.half_width == pytest.approx(0.0095, abs=1e-4)
    assert e == Estimate.of(3800, 10_000)
    assert e.runs == 10_000
    with pytest.raises(AttributeError):
        e.value = 1.0  # type: ignore[misc]


def test_a_table_in_words() -> None:
    table = pd.DataFrame({"probability": [0.0, 0.5], "low": [0.0, 0.4], "high": [0.1, 0.6]}, index=["a", "b"])
    assert in_words(table).to_dict("list") == {
        "in 100": ["<10", "about 50"],
        "95 % (Monte Carlo)": ["<1 to 10", "40 to 60"],
    }


def test_thousands_are_apart() -> None:
    assert thousands(1234567) == "1\u202f234\u202f567"
    assert thousands(999) == "999"


# -- tables, against the runs ---------------------------------------------------------------------------


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
        assert (winner == NO_WINNER) == (ending in ("failed", "unresolved"))
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


@pytest.mark.parametrize("runs", [1, 2, 3, 7, 10, 11, 100])
def test_the_middle_of_a_few_runs(runs: int, forecasts: dict[str, iom.Forecast]) -> None:
    """The smallest number that at least a tenth, half, nine tenths of the runs do not exceed.

    In floats 0.07 of a hundred runs are more than seven.
    """
    levels = (0.07, 0.1, 0.5, 0.9)
    whole = forecasts["strict"].outcomes
    assert whole is not None
    for start in range(0, 400, 20):
        summary = summarise(whole.part(start, start + runs), 40)
        held = whole.rounds[start : start + runs]
        for q, found in zip(levels, summary.quantile("rounds", levels), strict=True):
            assert found == min(n for n in held if np.mean(held <= n) >= q - 1e-9)


def test_shares_are_spread_evenly_over_their_class() -> None:
    summary = make(elect("AAABB", rules={"name": "strict", "max_rounds": 1}), 50).summary
    assert summary.share_quantile(1, 0, [0.1, 0.5, 0.9]) == pytest.approx([0.60025, 0.60125, 0.60225])
    nobody = make(elect("BBBBB", rules={"name": "strict", "max_rounds": 1}), 50).summary
    assert nobody.share_quantile(1, 0, [0.1, 0.5, 0.9]) == pytest.approx([0.00025, 0.00125, 0.00225])


def test_counts_of_parts_add_up(forecasts: dict[str, iom.Forecast]) -> None:
    out = forecasts["four-rounds"].outcomes
    assert out is not None
    parts = [summarise(out.part(a, b), 40) for a, b in ((0, 10), (10, 11), (11, 300))]
    merged, whole = merge(parts), summarise(out.part(0, 300), 40)
    assert merged.runs == whole.runs == 300
    pd.testing.assert_frame_equal(merged.ends, whole.ends)
    for key in ("shares", "flows", "voting"):
        assert np.array_equal(getattr(merged, key), getattr(whole, key)), key


def test_the_examples_are_the_first_runs(forecasts: dict[str, iom.Forecast]) -> None:
    out = forecasts["strict"].outcomes
    assert out is not None
    parts = [summarise(out.part(a, b), 40) for a, b in ((0, 4), (4, 50), (50, 200))]
    assert same(parts[1].examples, out.part(4, 13))
    assert same(merge(parts[1:]).examples, out.part(4, 13))
    assert same(merge(parts).examples, out.part(0, 4))


# -- runs and tallies ---------------------------------------------------------------------------------------


def test_the_table_of_runs(fc: iom.Forecast) -> None:
    runs = fc.runs
    assert list(runs) == ["winner", "ending", "rounds", "present", "ended_at", "decided_at"]
    assert runs.index.tolist() == list(range(len(fc)))
    assert runs.index.name == "run"
    assert (runs["ended_at"].isna() == (runs["ending"] == "unresolved")).all()
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


def test_a_forecast_is_not_changed_or_compared_by_accident(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["strict"]
    with pytest.raises(AttributeError):
        fc.seed = 5  # type: ignore[misc]
    assert fc == fc
    assert fc != forecasts["four-rounds"]
    assert len({fc, forecasts["four-rounds"]}) == 2


def test_the_summary_alone_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "OTHER_RULES_RUNS", 300)
    race = iom.load("iom-2018").with_rules("four-rounds")
    whole, counts = (make(race, 2500, keep=keep) for keep in ("runs", "summary"))
    assert counts.outcomes is None
    for table in ("win_probability", "rounds", "endings", "decided_at", "rule_sets"):
        pd.testing.assert_frame_equal(getattr(whole, table)(), getattr(counts, table)())
    assert whole.answer() == counts.answer()
    assert repr(whole) == repr(counts)
    assert np.array_equal(whole.summary.shares, counts.summary.shares)
    assert np.array_equal(whole.summary.flows, counts.summary.flows)
    for table in ("runs", "tallies"):
        with pytest.raises(iom.IomsimError, match="kept only its summary; make it with keep='runs'"):
            getattr(counts, table)


def test_counts_of_shares_and_flows_are_those_of_the_runs(fc: iom.Forecast) -> None:
    t, out = fc.tallies, fc.outcomes
    assert out is not None
    ballots = t[(t["kind"] == "ballot")]
    for r in (1, 2, 3):
        cell = ballots[ballots["round"] == r]
        assert fc.summary.voting[r - 1] == cell["run"].nunique()
        for k, name in enumerate(fc.race.names):
            shares = cell[(cell["candidate"] == name) & (cell["valid"] > 0)]["share"]
            counts = np.bincount(np.minimum((shares * 400).astype(int), 399), minlength=400)
            assert np.array_equal(fc.summary.shares[r - 1, k], counts)
        rows = (out.starts + r - 1)[out.rounds >= r]
        asked = np.isin(out.ending[out.rounds >= r], [2, 3]) & (out.rounds[out.rounds >= r] == r)
        assert np.array_equal(fc.summary.flows[r - 1], out.flows[rows[~asked]].astype(int).sum(axis=0))


# -- the rule sets side by side ---------------------------------------------------------------------------


def test_rule_sets_are_played_on_the_same_numbers(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["until-two-thirds"]
    sides = fc.rule_sets()
    assert sides.index.tolist() == list(RULE_SETS)
    for name in RULE_SETS:
        own = forecasts[name]
        assert sides.loc[name, [*fc.race.names, NO_WINNER]].tolist() == own.win_probability()["probability"].tolist()
        assert sides.loc[name, ["spill", "low", "high"]].tolist() == [
            own.spill().value,
            own.spill().low,
            own.spill().high,
        ]
        assert sides.loc[name, "median_rounds"] == own.median_rounds()[0]
    assert sides.loc["strict", "spill"] > sides.loc["until-two-thirds", "spill"] > sides.loc["one-two-way", "spill"]


def test_rule_sets_are_the_same_whatever_the_rules_of_the_scenario(forecasts: dict[str, iom.Forecast]) -> None:
    pd.testing.assert_frame_equal(forecasts["strict"].rule_sets(), forecasts["four-rounds"].rule_sets())


# -- sentences, against the tables --------------------------------------------------------------------------

CHANCE = r"((?:about )?[<>]?\d+) in 100"


def told(fc: iom.Forecast) -> dict[str, Any]:
    """Return every number of the answer, read from its words alone."""
    answer = fc.answer()
    who, how_long, how_sure = answer.split(". ")
    day = f"{fc.next_day:%A}"
    chances = {
        name: re.search(rf"{re.escape(name)}(?: wins)? {CHANCE}", who.partition(":")[2]) for name in fc.race.names
    }
    rounds = re.search(
        r"takes (\d+)(?: or more)? rounds? in the median \(80 % range: (\d+) to (\d+)( or more)?\)", how_long
    )
    spill = re.search(rf"runs into {day} is {CHANCE}$", how_long)
    error = re.search(r"at most ([\d.]+) points? \(([\d\u202f]+) runs?, 95 %\)", how_sure)
    moves = re.search(rf"moves {day} from {CHANCE} \((.+?)\) to {CHANCE} \((.+?)\) over the [45] rule sets", how_sure)
    assert rounds
    assert spill
    assert error
    return {
        "opening": who.partition(":")[0],
        "chances": {name: found and found[1] for name, found in chances.items()},
        "nobody": re.search(rf"nobody {CHANCE}$", who)[1],  # type: ignore[index]
        "rounds": [int(rounds[i]) for i in (1, 2, 3)],
        "spill": spill[1],
        "points": float(error[1]),
        "runs": int(error[2].replace("\u202f", "")),
        "moves": moves and moves.groups(),
        "sure": how_sure,
    }


def test_every_number_of_the_answer_is_one_of_the_tables(fc: iom.Forecast) -> None:
    said, table = told(fc), fc.win_probability()
    half = (table["high"] - table["low"]) / 2
    shown = {name: in_100(table.loc[name, "probability"], half[name]) for name in table.index}
    assert said["chances"] == {name: shown[name] for name in fc.race.names}
    assert said["nobody"] == shown[NO_WINNER]
    middle, low, high = fc.median_rounds()
    assert said["rounds"] == [middle, low, high]
    assert f"{said['spill']} in 100" == str(fc.spill())
    assert said["runs"] == len(fc)
    widest = 100 * max(half.max(), fc.spill().half_width)
    assert widest <= said["points"] <= widest + 1
    assert "which shrinks with more runs" in said["sure"]
    assert "uncertainty about the rules, which does not" in said["sure"]


def test_the_answer_tells_how_far_the_day_moves(fc: iom.Forecast) -> None:
    sides = fc.rule_sets()
    half = (sides["high"] - sides["low"]) / 2
    shown = {name: in_100(sides.loc[name, "spill"], half[name]) for name in sides.index}
    said = told(fc)
    least, most = sides["spill"].idxmin(), sides["spill"].idxmax()
    if shown[least] == shown[most]:
        assert f"leaves {fc.next_day:%A} at {shown[most]} in 100 under all {len(sides)} rule sets" in said["sure"]
    else:
        assert said["moves"] == (shown[least], least, shown[most], most)


def test_the_answer_is_three_sentences_that_can_be_quoted(fc: iom.Forecast) -> None:
    answer = fc.answer()
    assert answer.count(". ") == 2
    assert answer.endswith(".")
    assert "\n" not in answer
    assert 150 < len(answer) < 600
    assert "nan" not in answer.lower()
    assert not re.search(r"\b(0|100) in 100", answer)
    assert not re.search(r"\d\.\d{2}", answer)


@pytest.mark.parametrize(
    ("appeal", "opening"), [(0.0, "A and B are level"), (0.3, "A is ahead"), (-0.3, "B is ahead")]
)  # fmt: skip
def test_who_is_ahead(appeal: float, opening: str) -> None:
    fc = make(toy(25, appeal=appeal, rules="until-two-thirds"), 4000)
    assert told(fc)["opening"] in (opening, opening.replace("A and B", "B and A"))


def test_a_lead_within_the_error_is_none() -> None:
    race = toy(25, appeal=0.08, rules="until-two-thirds")
    few, many = make(race, 100), make(race, 20_000)
    assert "level" in told(few)["opening"]
    assert told(many)["opening"] == "A is ahead"


def test_a_lead_that_no_assumption_can_bear_is_none() -> None:
    fc = make(toy(25, appeal=0.02, rules="until-two-thirds"), 60_000)
    table = fc.win_probability()
    assert table.loc["A", "low"] > table.loc["B", "high"]  # beyond the simulation's error
    assert told(fc)["opening"] == "A and B are level"


def test_counts_at_the_last_round_are_lower_bounds() -> None:
    fc = make(elect("AAABBB", rules={"name": "strict", "max_rounds": 3}), 50)
    assert "takes 3 or more rounds in the median (80 % range: 3 to 3 or more)" in fc.answer()
    assert "takes 1 round in the median (80 % range: 1 to 1)" in make(elect("AAAABB"), 50).answer()


def test_what_is_over_is_told_as_a_fact() -> None:
    whole = make(elect("AAAABB"), 20)
    over = replace(whole, announced=1, certain=True)
    assert over.answer() == "It is over: A is elected by majority after 1 round."
    assert replace(over, reached=730.0).answer() == over.answer()  # not when the runs end
    assert over.win_probability().loc["A"].tolist() == [1.0, 1.0, 1.0]
    nobody = make(elect("AAABBB", rules={"name": "strict", "max_rounds": 3}), 50)
    lost = replace(nobody, announced=3, certain=True)
    assert lost.answer() == "It is over: nobody is elected after 3 rounds (unresolved)."
    assert wording.over(whole) == ""  # all runs agree, but nothing was announced


def test_rounds_already_held_are_mentioned(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["strict"]
    fc.rule_sets()
    assert ", 1 round of them already held)" in replace(fc, announced=1).answer()
    assert "already held" not in fc.answer()


# -- how it shows itself ---------------------------------------------------------------------------------------


def test_a_forecast_shows_answer_table_and_stamp(fc: iom.Forecast) -> None:
    shown = repr(fc)
    assert shown.startswith(fc.race.title)
    assert fc.answer() in shown
    assert fc.stamp() in shown
    for name in (*fc.race.names, NO_WINNER):
        assert name in shown
    assert "0.0%" not in shown
    assert "100.0%" not in shown


def test_the_stamp_is_what_is_needed_to_do_it_again(fc: iom.Forecast) -> None:
    p = fc.provenance
    assert fc.stamp() == (
        f"iomsim {iom.__version__} · seed {p['seed']} · {thousands(p['runs'])} runs"
        f" · scenario {fc.race.hash} · rules {fc.race.rules.label}"
    )
    assert p == {
        "version": iom.__version__, "seed": fc.seed, "runs": len(fc), "scenario": fc.race.hash,
        "rules": fc.race.rules.label, "title": fc.race.title, "announced": 0, "events": [],
    }  # fmt: skip


class Text(HTMLParser):
    """Collects what can be read on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_forecast_in_html_is_escaped() -> None:
    race = toy(9, candidates=[{"name": "<b>A</b>"}, {"name": "B & C"}], title="<script>alert(1)</script>")
    page = Text()
    page.feed(make(race, 50)._repr_html_())
    assert {"script", "b"}.isdisjoint(page.tags)
    for said in (
        "<script>alert(1)</script>",
        "B & C",
        "95 % (Monte Carlo)",
        make(race, 50).answer(),
        make(race, 50).stamp(),
    ):
        assert said in page.words
    assert "svg" in page.tags


def test_nothing_is_lost_in_elections_of_a_handful() -> None:
    """Twenty independent rounds of fifteen members: the tables against the binomial law."""
    fc = make(toy(15, appeal=0.4, behaviour=STILL | FREE, rules={"name": "strict", "max_rounds": 20}), 8000)
    p = 1 / (1 + np.exp(-0.4))
    a, b = (stats.binom.sf(9, 15, q) for q in (p, 1 - p))
    table = fc.win_probability()
    expected = np.array([a, b]) / (a + b) * (1 - (1 - a - b) ** 20)
    assert table["probability"].iloc[:2].to_numpy() == pytest.approx(expected, abs=4 * 0.0056)
    assert fc.rounds()["probability"].iloc[0] == pytest.approx(a + b, abs=4 * 0.0056)


def test_the_rules_in_force_are_told_by_the_forecast_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by fewer runs: the table beside the answer must not give another number for the same thing."""
    monkeypatch.setattr(run, "OTHER_RULES_RUNS", 300)
    fc = iom.forecast(iom.load("minimal").with_rules("four-rounds"), 2000, seed=3, progress=False)
    table = fc.rule_sets()
    assert table.loc["four-rounds"].to_dict() == fc.as_row()
    beside = iom.forecast(fc.race.with_rules("strict"), 300, seed=3, progress=False)
    assert table.loc["strict"].to_dict() == beside.as_row()
    changed = iom.forecast(fc.race.with_rules(max_rounds=12), 600, seed=3, progress=False).rule_sets()
    shipped = iom.forecast(fc.race, 300, seed=3, progress=False)
    assert changed.loc["four-rounds"].to_dict() == shipped.as_row()  # the same name, and not the rules in force


def test_a_narrow_interval_is_told_with_a_decimal() -> None:
    e = Estimate.of(31_111, 100_000)
    assert e.span == "30.8 to 31.4 in 100"
    assert Estimate.of(0, 100_000).span == "<0.1 in 100"


def test_the_widest_interval_decides_whether_there_are_decimals() -> None:
    shown = in_words(estimates.table([8, 500], 1000, ["narrow", "wide"]))
    assert shown["95 % (Monte Carlo)"].tolist() == ["<1 to 2", "47 to 53"]
    shown = in_words(estimates.table([20, 80], 10_000, ["narrow", "wider"]))
    assert shown["95 % (Monte Carlo)"].tolist() == ["0.1 to 0.3", "0.6 to 1.0"]
