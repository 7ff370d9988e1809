# ruff: noqa: E501 - tables of what is asked and of the runs that it means, one case a line
"""Chances of any event, and of one given another: against runs one can count, and against pandas."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import elect, toy

import iomsim as iom
from iomsim.engine.outcomes import Outcomes
from iomsim.forecasting.estimates import Estimate, over_draws
from iomsim.forecasting.forecast import from_outcomes
from iomsim.forecasting.summary import summarise
from iomsim.rules.procedure import ENDINGS

# -- nine runs by hand ----------------------------------------------------------------------------------------

MONDAY, TUESDAY = 0, 24 * 60

NINE = [  # winner, ending, rounds, minute
    (0, "majority", 1, MONDAY + 12 * 60),
    (0, "majority", 2, MONDAY + 15 * 60),
    (0, "majority", 2, MONDAY + 17 * 60 + 59),
    (1, "majority", 2, MONDAY + 18 * 60),
    (1, "acclamation", 2, TUESDAY + 10 * 60),
    (0, "confirmed", 3, TUESDAY + 0),
    (-1, "failed", 3, TUESDAY + 15 * 60 + 30),
    (-1, "open", 5, -1),
    (-1, "open", 2, -1),  # cut off by a deadline
]
"""Of a vote between Pope and Vitorino that opens on Monday 15 May 2023 at 10:00."""


def made(rows: list[tuple[int, str, int, int]], draw: Any = 0, most: int = 5) -> iom.Forecast:
    """Return the forecast that runs written by hand add up to, one draw of the assumptions for each number in `draw`."""
    race = toy(3, "AB", rules={"name": "strict", "max_rounds": most}, clock={"opens": "2023-05-15T10:00:00"})
    race = race.model_copy(
        update={
            "candidates": tuple(
                c.model_copy(update={"name": name})
                for c, name in zip(race.candidates, ("Pope", "Vitorino"), strict=True)
            )
        }
    )
    winner, ending, rounds, minute = zip(*rows, strict=True)
    held = sum(rounds)
    draws = np.broadcast_to(draw, len(rows)).astype(np.int32)
    out = Outcomes(
        winner=np.array(winner, dtype=np.int8), ending=np.array([ENDINGS.index(e) for e in ending], dtype=np.uint8),
        rounds=np.array(rounds, dtype=np.int16), minute=np.array(minute, dtype=np.int32),
        present=np.full(len(rows), 3, dtype=np.int16), draw=draws,
        votes=np.ones((held, 2), dtype=np.int16), valid=np.full(held, 2, dtype=np.int16), flows=np.zeros((held, 2, 2), dtype=np.int16),
    )  # fmt: skip
    fc = from_outcomes(race, 1, [out])
    return replace(fc, summary=summarise(out, most, draws=int(draws.max()) + 1)) if np.ndim(draw) else fc


ASKED: list[tuple[dict[str, Any], set[int]]] = [
    ({"winner": "Pope"}, {0, 1, 2, 5}),
    ({"winner": "no winner"}, {6, 7, 8}),
    ({"winner": "nobody"}, {6}),
    ({"winner": "still voting"}, {7, 8}),
    ({"round": 1}, {0}),
    ({"round": 2}, {1, 2, 3, 4}),
    ({"round": 2, "ending": "open"}, {8}),
    ({"round": 5}, set()),
    ({"round": 5, "winner": "still voting"}, {7}),
    ({"ending": "failed"}, {6}),
    ({"ending": "acclamation", "winner": "Pope"}, set()),
    ({"day": "Monday"}, {0, 1, 2, 3}),
    ({"day": "mon"}, {0, 1, 2, 3}),
    ({"day": date(2023, 5, 16)}, {4, 5, 6}),
    ({"day": datetime(2023, 5, 16)}, {4, 5, 6}),
    ({"day": "2023-05-16"}, {4, 5, 6}),
    ({"day": "Tuesday 16 May", "ending": "failed"}, {6}),
    ({"day": "Wednesday"}, set()),
    ({"between": ("15:00", "18:00")}, {1, 2}),
    ({"between": ("14:59", "18:01")}, {1, 2, 3}),
    ({"between": (time(15), time(18))}, {1, 2}),
    ({"between": ("15:00", "Tuesday 10:00")}, {1, 2, 3, 5}),
    ({"between": ("15:00", "Tuesday 10:01")}, {1, 2, 3, 4, 5}),
    ({"between": ["Monday", "Wednesday"]}, {0, 1, 2, 3, 4, 5, 6}),
    ({"between": ("Tuesday 15:00", "16:00")}, {6}),
    ({"between": ("15:00", "16:00"), "day": "Tuesday"}, {6}),
    ({"between": ("09:00", "16:00"), "day": "Tuesday"}, {4, 6}),
    ({"between": ("Monday 15:00", "Tuesday 15:00"), "day": "Tuesday"}, {4, 5}),
    ({"before": "15:00"}, {0}),
    ({"before": "Monday 18:00"}, {0, 1, 2}),
    ({"before": "Tuesday"}, {0, 1, 2, 3}),
    ({"before": "15:30", "day": "Tuesday"}, {4, 5}),
    ({"before": "Tuesday 15:31", "between": ("Monday 18:00", "Wednesday")}, {3, 4, 5, 6}),
    ({"before": "2024-01-01"}, {0, 1, 2, 3, 4, 5, 6}),
    ({"winner": "Pope", "round": 2, "day": "Monday", "between": ("15:00", "18:00"), "ending": "majority"}, {1, 2}),
    ({"winner": "Pope", "round": 2, "day": "Monday", "between": ("15:00", "18:00"), "before": "17:59"}, {1}),
]
"""What is asked, and in which of the nine runs it happens."""


@pytest.mark.parametrize(("asked", "runs"), ASKED)
def test_runs_one_can_count(asked: dict[str, Any], runs: set[int]) -> None:
    fc = made(NINE)
    found = fc.probability(**asked)
    assert (found.value, found.runs) == (len(runs) / 9, 9)
    assert replace(fc, outcomes=None).probability(**asked) == found
    where = np.isin(np.arange(9), list(runs))
    assert fc.probability(where).value == found.value
    assert fc.probability(lambda _: where, **asked).value == found.value
    assert fc.probability(~where, **asked).value == 0


@pytest.mark.parametrize(("given", "among"), [case for case in ASKED if case[1]])
def test_conditions_one_can_count(given: dict[str, Any], among: set[int]) -> None:
    fc = made(NINE)
    for asked, runs in ASKED:
        found = fc.probability(**asked, given=given)
        assert (found.value, found.runs) == (len(runs & among) / len(among), len(among))
        assert replace(fc, outcomes=None).probability(**asked, given=given) == found
    where = np.isin(np.arange(9), list(among))
    for condition in (where, lambda _: where, {"event": where}, {**given, "event": where}, pd.Series(where)):
        assert fc.probability(winner="Pope", given=condition) == fc.probability(winner="Pope", given=given)


def test_events_of_the_runs_follow_them_whatever_their_order() -> None:
    fc = made(NINE)
    runs = fc.runs.sort_values("rounds", ascending=False)
    assert fc.probability(runs["rounds"] > 2, winner="Pope").value == 1 / 9
    assert fc.probability((fc.runs["rounds"] > 2).astype("boolean")).value == 3 / 9
    assert fc.probability((fc.runs["rounds"] > 2).to_list()).value == 3 / 9
    assert fc.probability((fc.runs["rounds"] > 2).set_axis(["x"] * 9)).value == 3 / 9


def test_an_event_sees_a_copy_of_the_runs() -> None:
    fc = made(NINE)

    def spoil(runs: pd.DataFrame) -> Any:
        runs["rounds"] = 1
        return runs["rounds"] == 1

    assert fc.probability(spoil).value == 1
    assert fc.probability(round=1).value == 1 / 9
    assert fc.runs["rounds"].max() == 5


# -- as pandas counts ------------------------------------------------------------------------------------------

COUNTED: dict[str, tuple[dict[str, Any], Callable[[pd.DataFrame], Any]]] = {
    "round": ({"round": 2}, lambda r: (r["rounds"] == 2) & (r["ending"] != "open")),
    "first": ({"winner": 0}, lambda r: r["winner"] == r["winner"].cat.categories[0]),
    "ending": ({"ending": "acclamation"}, lambda r: r["ending"] == "acclamation"),
    "day": ({"day": "Tuesday"}, lambda r: r["ended_at"].dt.date == date(2023, 5, 16)),
    "morning": ({"between": ("Monday 12:00", "13:00")}, lambda r: r["ended_at"].between("2023-05-15 12:00", "2023-05-15 13:00", "left")),
    "all": (
        {"winner": 0, "round": 3, "ending": "majority", "before": "Wednesday"},
        lambda r: (r["winner"] == r["winner"].cat.categories[0]) & (r["rounds"] == 3) & (r["ending"] == "majority") & (r["ended_at"] < "2023-05-17"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("which", ["until-two-thirds", "four-rounds", "nobody", "at once", "asked late", "one run"])
def test_what_pandas_counts(forecasts: dict[str, iom.Forecast], which: str, name: str) -> None:
    fc = forecasts[which]
    assert fc.opening_date == datetime(2023, 5, 15)
    first = {"winner": fc.race.names[0]}
    counted = [(asked | first if "winner" in asked else asked, event(fc.runs)) for asked, event in COUNTED.values()]
    asked, hits = counted[list(COUNTED).index(name)]
    event = COUNTED[name][1]
    assert fc.probability(**asked).value == hits.mean()
    assert fc.probability(event).value == fc.probability(hits, **asked).value == hits.mean()
    for given, condition in counted:
        if condition.any():
            found = fc.probability(**asked, given=given)
            assert (found.value, found.runs) == (hits[condition].mean(), condition.sum())
            assert replace(fc, outcomes=None).probability(**asked, given=given) == found
            assert fc.probability(event, given=condition).value == found.value


# -- over the assumptions --------------------------------------------------------------------------------------


def drawn(draws: int = 60, runs: int = 80) -> iom.Forecast:
    """Return runs of many draws; in draw `c` a share of about c / draws elects Pope, and fewer and fewer end in round 1."""
    rng = np.random.default_rng(5)
    draw = np.arange(draws * runs) % draws
    winner = (rng.random(draw.size) > draw / draws).astype(int)
    rounds = 1 + (rng.random(draw.size) < draw / draws)
    return made([(int(w), "majority", int(r), 720) for w, r in zip(winner, rounds, strict=True)], draw)


def test_a_chance_has_a_range_over_the_assumptions() -> None:
    fc = drawn()
    table = fc.win_probability().loc["Pope"]
    found = fc.probability(winner="Pope")
    assert (found.value, found.low, found.high, found.mc_error) == tuple(table)
    assert found.low == pytest.approx(0.1, abs=0.06)
    assert found.high == pytest.approx(0.9, abs=0.06)
    assert fc.probability(lambda runs: runs["winner"] == "Pope") == found


def test_a_condition_weighs_the_draws_by_its_runs() -> None:
    """In the first round hardly anything is left of the late draws, in which Pope wins."""
    fc = drawn()
    runs = fc.runs
    first = runs[runs["rounds"] == 1]
    sizes = first.groupby("draw").size()
    hits = (first["winner"] == "Pope").groupby(first["draw"]).sum()
    value, low, high, error = (float(x[0]) for x in over_draws(hits.to_numpy(dtype=float)[None], sizes.to_numpy()))
    found = fc.probability(winner="Pope", given={"round": 1})
    assert found == Estimate(value, low, high, error, len(first), among=True)
    assert found.value == pytest.approx(1 / 3, abs=0.03)
    assert found.high < 0.8
    assert fc.probability(winner="Pope", given=lambda runs: runs["rounds"] == 1) == found


def test_draws_without_a_run_of_the_condition_are_left_out() -> None:
    fc = drawn()
    early = fc.probability(winner="Pope", given=lambda runs: runs["draw"] < 6)
    assert early.runs == 480
    assert early.value < 0.1
    assert early.high < 0.15
    alone = fc.probability(winner="Pope", given=lambda runs: runs["draw"] == 30)
    assert np.isnan([alone.low, alone.high]).all()
    assert alone.span == ""


def test_a_range_is_missing_where_the_condition_leaves_too_few_runs() -> None:
    fc = drawn()
    few = fc.probability(winner="Pope", given=lambda runs: np.arange(len(runs)) < 60)
    assert (few.runs, few.span) == (60, "")
    assert np.isnan(few.low)


def test_on_fixed_assumptions_there_is_no_range() -> None:
    race = toy(9)
    fc = iom.forecast(race, runs=300, seed=1, assumptions="fixed", progress=False)
    for found in (fc.probability(winner="A"), fc.probability(winner="A", given={"round": 1})):
        assert np.isnan([found.low, found.high]).all()
        assert found.mc_error > 0


def test_given_an_assumption(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["until-two-thirds"]
    path = fc.assumptions.columns[0]
    high = fc.assumptions[path] > fc.assumptions[path].median()
    found = fc.probability(winner=fc.race.names[0], given=lambda runs: high[runs["draw"]])
    mine = fc.runs[high[fc.runs["draw"]].to_numpy()]
    assert (found.value, found.runs) == ((mine["winner"] == fc.race.names[0]).mean(), len(mine))


# -- in words, and by rule -------------------------------------------------------------------------------------


def test_a_small_sample_is_told() -> None:
    fc = made(NINE * 100)
    assert str(fc.probability(winner="Pope")) == "about 45 in 100"
    assert str(fc.probability(winner="Pope", given={"round": 2})) == "about 50 in 100, of 400 runs"
    assert str(made(NINE * 300).probability(winner="Pope", given={"round": 2})) == "50 in 100"
    assert str(made(NINE).probability(winner="Pope", given={"round": 1})) == ">20 in 100, of 1 run"


def test_what_cannot_be_is_certain() -> None:
    fc = made(NINE)
    never = [
        {"winner": "Pope", "ending": "failed"},
        {"winner": "Vitorino", "ending": "open"},
        {"winner": "no winner", "ending": "majority"},
        {"winner": "nobody", "ending": "confirmed"},
    ]
    for asked in never:
        assert fc.probability(**asked) == Estimate(0.0, 0.0, 0.0, 0.0, 9)
        assert str(fc.probability(**asked)) == "0 in 100"
    assert str(fc.probability(winner="Pope", ending="acclamation")) == "<30 in 100"
    assert str(replace(fc, out=("Vitorino",)).probability(winner="Vitorino", ending="confirmed")) == "0 in 100"


def test_a_fact_is_certain_but_not_when_it_happened() -> None:
    fc = replace(made(NINE[:1] * 9), certain=True)
    assert fc.probability(winner="Pope") == Estimate(1.0, 1.0, 1.0, 0.0, 9)
    assert fc.probability(winner="Vitorino") == Estimate(0.0, 0.0, 0.0, 0.0, 9)
    assert fc.probability(before="Tuesday").mc_error > 0


# -- what cannot be asked --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "ask for something: a winner, a round, a day, an ending, or an event of the runs"),
        ({"given": {"winner": "Pope"}}, "ask for something"),
        ({"winner": "Pop"}, "no winner named 'Pop'; did you mean 'Pope'?"),
        ({"winner": 3}, "no winner named '3'; there are Pope, Vitorino, no winner, nobody, still voting"),
        ({"round": 0}, "round must be a whole number of at least 1, got 0"),
        ({"round": 2.0}, "round must be a whole number of at least 1, got 2.0"),
        ({"round": True}, "round must be a whole number of at least 1, got True"),
        ({"round": 6}, "round 6 is not simulated, the last is round 5; ask for an earlier one"),
        ({"ending": "fail"}, "no ending named 'fail'; did you mean 'failed'?"),
        ({"day": "2023-05-14"}, "Sunday 14 May is before the opening on Monday 15 May; ask for a later day"),
        ({"day": "someday"}, "no day 'someday'; write 'Monday', 'Tuesday 16 May' or '2023-05-16', and hours into between"),
        ({"day": "Monday 12:00"}, "no day 'Monday 12:00'; write"),
        ({"day": "18:00"}, "no day '18:00'; write"),
        ({"day": datetime(2023, 5, 15, 12)}, "no day datetime.datetime(2023, 5, 15, 12, 0); write"),
        ({"day": ""}, "no day ''; write"),
        ({"day": 16}, "no day 16; write"),
        ({"between": ("18:00", "15:00")}, "between takes an earlier and a later moment, got '18:00' and '15:00'"),
        ({"between": ("15:00", "15:00")}, "between takes an earlier and a later moment, got '15:00' and '15:00'"),
        ({"between": "15:00"}, "between takes two moments, such as ('15:00', '18:00'), got '15:00'"),
        ({"between": ("15:00",)}, "between takes two moments, such as ('15:00', '18:00'), got ('15:00',)"),
        ({"between": 15}, "between takes two moments, such as ('15:00', '18:00'), got 15"),
        ({"between": ("noon", "18:00")}, "no time 'noon'; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'"),
        ({"between": ("08:00", "09:00")}, "Monday 09:00 is before the opening on Monday 10:00; ask for a later moment"),
        ({"before": "09:00"}, "Monday 09:00 is before the opening on Monday 10:00; ask for a later moment"),
        ({"day": "Tuesday", "before": "Monday 18:00"}, "day 'Tuesday' and before 'Monday 18:00' have no moment in common"),
        ({"between": ("15:00", "18:00"), "before": "14:00"}, "between ('15:00', '18:00') and before '14:00' have no moment"),
        ({"winner": "Pope", "given": {"who": "Pope"}}, "no part of a condition named 'who'; there are winner, round, day"),
        ({"winner": "Pope", "given": {"winner": "Pop"}}, "no winner named 'Pop'; did you mean 'Pope'?"),
        ({"winner": "Pope", "given": {"day": "Friday"}}, "of 9 runs none fulfils what is given; ask for less, or play more runs"),
        ({"winner": "Pope", "given": lambda runs: runs["rounds"] > 5}, "of 9 runs none fulfils what is given"),
        ({"winner": "Pope", "given": lambda runs: runs["rounds"]}, "an event says True or False of each of the 9 runs, got int16 of shape (9,)"),
        ({"winner": "Pope", "given": "Vitorino"}, "an event says True or False of each of the 9 runs, got 'Vitorino'"),
        ({"winner": "Pope", "given": True}, "an event says True or False of each of the 9 runs, got True"),
        ({"winner": "Pope", "given": [True]}, "an event says True or False of each of the 9 runs, got bool of shape (1,)"),
        ({"winner": "Pope", "given": lambda runs: runs["ended_at"].where(runs["rounds"] > 1)}, "an event says True or False"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(iom.IomsimError, match=f"^{re.escape(said)}") as refused:
        made(NINE).probability(**asked)
    assert "\n" not in str(refused.value)


def test_an_event_needs_the_runs() -> None:
    fc = replace(made(NINE), outcomes=None)
    for asked in (
        {"winner": "Pope", "given": lambda runs: runs["rounds"] > 1},
        {"winner": "Pope", "given": [True] * 9},
    ):
        with pytest.raises(iom.IomsimError, match="kept only its summary; make it with keep='runs' to see every run"):
            fc.probability(**asked)


def test_on_an_election_day() -> None:
    day = iom.live(elect("AAAABBB").with_clock(opens="2023-05-15T10:00"), particles=100, seed=1)
    day.announce(A=4, B=3, at="Monday 12:10")
    fc = day.forecast()
    assert fc.probability(round=1).value == 0
    assert fc.probability(before="Monday 12:10").value == 0
    found = fc.probability(ending="open", given={"winner": "no winner"})
    assert found.value == (fc.runs["ending"] == "open").mean()
