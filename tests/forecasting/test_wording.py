"""Every sentence of a forecast: on counts made by hand, and against the tables of forecasts that were played."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import elect, toy

import iomsim as iom
from iomsim.forecasting import wording
from iomsim.forecasting.tables import rule_sets_in_words
from iomsim.forecasting.wording import in_a_sentence
from iomsim.model.assumptions import Assumptions
from iomsim.rules.procedure import ENDINGS


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


MONDAY, TUESDAY = 700, 1440 + 700
DAYS = {"clock": {"opens": datetime(2023, 5, 15, 10)}}

End = tuple[str, int, int, int]
"""Who wins ("nobody" if the rules end it, "open" if it is still voting), in which round, at which minute, how often."""


def counted(
    race: iom.Scenario, *draws: list[End], reading: Any = None, values: Any = None, runs: int = 0, **fields: Any
) -> iom.Forecast:
    """Return a forecast of which the runs ended as is said, of each draw; of one list the assumptions are fixed."""
    rows = []
    for draw, ends in enumerate(draws):
        for who, rounds, minute, count in ends:
            ending = {"nobody": "failed", "open": "open"}.get(who, "majority")
            winner = race.names.index(who) if who in race.names else -1
            rows.append((draw, winner, ENDINGS.index(ending), rounds, -1 if who == "open" else minute, count))
    table = pd.DataFrame(rows, columns=["draw", "winner", "ending", "rounds", "minute", "count"])
    drawn = len(draws) > 1
    fixed = make(race, 10, assumptions="fixed")
    total = int(table["count"].sum())
    summary = replace(fixed.summary, ends=table, runs=total, draws=len(draws) * drawn)
    found = None
    if drawn:
        readings = race.procedures if reading is not None else (race.rules,)
        codes = np.zeros(len(draws), dtype=int) if reading is None else np.asarray(reading)
        found = Assumptions(values or {}, codes, readings, {})
    return replace(fixed, summary=summary, outcomes=None, draws=found, **fields)


def sentences(fc: iom.Forecast) -> list[str]:
    return re.split(r"(?<=\.) (?=[A-Z])", f"{fc.answer()}")


MANY = 10_000
OPEN, ENDED, THREE = toy(rules="strict"), toy(rules="four-rounds"), toy(names="ABC")


# -- who ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("race", "ends", "said"),
    [
        (OPEN, [("A", 1, MONDAY, 4900), ("B", 3, MONDAY, 5100)],
         "A and B are level, with chances of 49 and 51 in 100."),
        (OPEN, [("A", 1, MONDAY, 4980), ("B", 3, MONDAY, 5020)], "A and B are level, each with a 50 in 100 chance."),
        (OPEN, [("A", 1, MONDAY, 4700), ("B", 3, MONDAY, 4600), ("open", 40, 0, 700)],
         "A and B are level, with chances of 47 and 46 in 100, leaving 7 still voting after 40 "
         "rounds."),
        (ENDED, [("A", 1, MONDAY, 6200), ("B", 3, MONDAY, 3300), ("nobody", 4, MONDAY, 500)],
         "A is ahead, with a 62 in 100 chance, leaving 33 for B and 5 for nobody."),
        (ENDED, [("B", 1, MONDAY, 8100), ("A", 3, MONDAY, 1900)],
         "B is ahead, with an 81 in 100 chance, leaving 19 for A."),
        (OPEN, [("B", 1, MONDAY, 9980), ("A", 3, MONDAY, 20)],
         "B is ahead, with a chance of more than 99 in 100."),
        (THREE, [("A", 1, MONDAY, 3300), ("B", 3, MONDAY, 3300), ("C", 3, MONDAY, 3400)],
         "A, B and C are level, with chances of 33, 33 and 34 in 100."),
        (THREE, [("A", 1, MONDAY, 4000), ("B", 3, MONDAY, 4000), ("C", 3, MONDAY, 2000)],
         "A and B are level, each with a 40 in 100 chance, leaving 20 for C."),
        (ENDED, [("A", 1, MONDAY, 3000), ("B", 3, MONDAY, 1000), ("nobody", 4, MONDAY, 6000)],
         "Most likely nobody is elected, with a 60 in 100 chance, leaving 30 for A and 10 for B."),
        (OPEN, [("A", 1, MONDAY, 3000), ("open", 40, 0, 7000)],
         "Most likely voting is not over after 40 rounds, with a 70 in 100 chance, leaving 30 for A."),
        (ENDED, [("A", 1, MONDAY, 3000), ("nobody", 3, MONDAY, 3000), ("open", 40, 0, 4000)],
         "Most likely there is no winner, leaving 30 for A, 30 for nobody and 40 still "
         "voting after 40 rounds."),
    ],
)  # fmt: skip
def test_who(race: iom.Scenario, ends: list[End], said: str) -> None:
    start = "On the best guesses "
    words = wording.who(counted(race, ends))
    assert words == start + (said if said[1] in (" ", ",") else said[0].lower() + said[1:])
    draws = [[(who, rounds, minute, count // 10) for who, rounds, minute, count in ends]] * 10
    assert wording.who(counted(race, *draws)) == said


def test_many_candidates_are_told_together() -> None:
    race = toy(names="ABCDEFGHI")
    even = counted(race, [(name, 1, MONDAY, 1000 + 10 * i) for i, name in enumerate("ABCDEFGHI")])
    assert wording.who(even) == "On the best guesses nine candidates are level, with chances between 11 and 12 in 100."
    ahead = counted(race, [("A", 1, MONDAY, 6000), *((name, 1, MONDAY, 500) for name in "BCDEFGHI")])
    assert wording.who(ahead) == (
        "On the best guesses A is ahead, with a 60 in 100 chance, leaving 5 for B, 5 for C, 5 for D, 5 for E, 5 for F "
        "and 15 for the three others."
    )


def test_who_is_out_has_no_chance_that_is_told() -> None:
    fc = counted(THREE, [("A", 3, MONDAY, 9000), ("B", 3, MONDAY, 1000)], out=("C",))
    assert wording.who(fc) == "On the best guesses A is ahead, with a 90 in 100 chance, leaving 10 for B."
    alone = counted(ENDED, [("A", 3, MONDAY, 9000), ("nobody", 3, MONDAY, 1000)], out=("B",))
    assert wording.who(alone) == (
        "On the best guesses only A still stands, with a 90 in 100 chance of being elected, leaving 10 for nobody."
    )


def test_a_lead_within_the_error_is_none() -> None:
    few, many = ([("A", 1, MONDAY, 56 * n), ("B", 1, MONDAY, 44 * n)] for n in (1, 100))
    assert "level, with chances of about 60 and about 40 in 100" in wording.who(counted(OPEN, few))
    assert "A is ahead, with a 56 in 100 chance" in wording.who(counted(OPEN, many))


def test_a_lead_that_no_assumption_can_bear_is_none() -> None:
    fc = counted(OPEN, [("A", 1, MONDAY, 520_000), ("B", 1, MONDAY, 480_000)])
    assert fc.win_probability()["mc_error"].max() < 0.01
    assert "A and B are level" in wording.who(fc)


# -- how long -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ([("A", 1, MONDAY, 1500), ("A", 3, MONDAY, 6000), ("A", 9, TUESDAY, 2500)],
         "Voting takes 3 rounds in the median (80 % chance of 1 to 9); the chance that voting runs into Tuesday is 25 "
         "in 100."),
        ([("A", 1, MONDAY, 10_000)],
         "Voting takes 1 round in the median; the chance that voting runs into Tuesday is less than 1 in 100."),
        ([("A", 1, MONDAY, 2000), ("A", 2, MONDAY, 8000)],
         "Voting takes 2 rounds in the median (80 % chance of 1 or 2); the chance that voting runs into Tuesday is "
         "less than 1 in 100."),
        ([("A", 15, TUESDAY, 6000), ("open", 40, 0, 4000)],
         "Voting takes 15 rounds in the median (80 % chance of 15 to 40 or more); the chance that voting runs into "
         "Tuesday is more than 99 in 100."),
        ([("open", 40, 0, 10_000)],
         "Voting takes 40 rounds or more in the median; the chance that voting runs into Tuesday is more than 99 in "
         "100."),
    ],
)  # fmt: skip
def test_how_long(ends: list[End], said: str) -> None:
    assert wording.how_long(counted(OPEN, ends)) == said


def test_rounds_already_held_are_among_those_expected() -> None:
    fc = counted(OPEN, [("A", 2, MONDAY, 5000), ("A", 4, MONDAY, 5000)])
    assert "already held" not in fc.answer()
    one, two = (wording.how_long(replace(fc, announced=held)) for held in (1, 2))
    assert one.startswith("Voting takes 2 rounds in the median, with 1 already held (80 % chance of 2 to 4); the ")
    assert two.startswith("Voting takes 2 rounds in the median, with 2 already held (80 % chance of 2 to 4); the ")


def test_a_day_that_has_come_is_a_fact() -> None:
    fc = counted(OPEN, [("A", 9, TUESDAY, 10_000)], announced=8, reached=TUESDAY - 60.0)
    assert wording.how_long(fc) == (
        "Voting takes 9 rounds in the median, with 8 already held; voting has run into Tuesday already."
    )
    assert "Tuesday" not in wording.no_poll(fc)


HOURS = {"opens": datetime(2023, 5, 15, 10), "formalities_log_sd": 0, "round_log_sd": 0}


def test_a_deadline_on_the_first_day_takes_the_place_of_the_second() -> None:
    race = OPEN.with_clock(deadline="2023-05-15T16:00")
    fc = counted(race, [("A", 2, MONDAY, 8900), ("open", 5, 0, 1100)])
    assert wording.who(fc).endswith("leaving 11 still voting at the deadline, Monday 16:00.")
    assert wording.how_long(fc) == "Voting takes 2 rounds in the median (80 % chance of 2 to 5)."
    assert "Tuesday" not in fc.answer(detail=True)
    assert fc.headline().endswith(", leaving 11 still voting at the deadline, Monday 16:00; "
                                  "voting takes 2 rounds in the median (80 % chance of 2 to 5).")  # fmt: skip
    assert rule_sets_in_words(fc).columns[-2] == "unfinished"
    sure = counted(race, [("A", 2, MONDAY, 10_000)])
    assert wording.how_long(sure) == (
        "Voting takes 2 rounds in the median; the chance that it is unfinished at the deadline, Monday 16:00, is less "
        "than 1 in 100."
    )


def test_a_later_deadline_is_told_beside_the_second_day() -> None:
    fc = counted(OPEN.with_clock(deadline="2023-05-26T12:00"), [("A", 2, MONDAY, 9000), ("A", 5, TUESDAY, 1000)])
    assert wording.how_long(fc) == (
        "Voting takes 2 rounds in the median; the chance that voting runs into Tuesday is 10 in 100 and the chance "
        "that it is unfinished at the deadline, Friday 26 May 12:00, is less than 1 in 100."
    )
    assert fc.headline().endswith(" and a chance of less than 1 in 100 that it is unfinished at the deadline, Friday "
                                  "26 May 12:00.")  # fmt: skip


def test_what_has_used_up_its_rounds_was_not_ended_by_the_deadline() -> None:
    race = elect("AAABBB", rules={"name": "strict", "max_rounds": 3}).with_clock(sits_on=0, formalities_log_sd=0)
    late = make(race.with_clock(deadline="2023-05-19T12:00"), 50)
    assert "at the deadline, Friday 12:00, is less than 8 in 100" in late.answer()
    early = make(race.with_clock(deadline="2023-05-15T11:30"), 50)
    assert (
        "Most likely voting is not over at the deadline, Monday 11:30, with a chance of more than 92" in early.answer()
    )
    assert wording.unfinished(early) == "at the deadline, Monday 11:30"
    assert wording.unfinished(late) == "after three rounds or at the deadline, Friday 12:00"  # none there so far


def test_a_second_week_is_told_by_its_date() -> None:
    fc = make(toy(15).with_clock(days=["Mon"]), 500)
    assert f"the chance that voting runs into Monday 22 May is {fc.spill()}." in fc.answer()
    assert rule_sets_in_words(fc).columns[-2] == "into Monday 22 May"
    over = replace(make(elect("AAAABB"), 20), announced=1, certain=True)
    ends = over.summary.ends.assign(minute=8 * 1440 + 730)
    over = replace(over, summary=replace(over.summary, ends=ends), reached=8 * 1440 + 730.0)
    assert over.answer() == "It is over: A is elected by majority after one round, on Tuesday 23 May at 12:10."


# -- what it hangs on ---------------------------------------------------------------------------------


def test_how_far_the_readings_are_apart_for_the_winner_for_nobody_and_for_the_day() -> None:
    race = iom.load("geneva-2023")
    names = [rules.name for rules in race.procedures]
    one, two = names.index("until-two-thirds"), names.index("four-rounds")
    goes_on = [("Pope", 3, MONDAY, 500), ("Vitorino", 3, MONDAY, 100), ("Vitorino", 9, TUESDAY, 400)]
    ends = [("Pope", 3, MONDAY, 400), ("Vitorino", 3, MONDAY, 360), ("nobody", 4, MONDAY, 240)]
    fc = counted(race, *[goes_on] * 10, *[ends] * 10, reading=[one] * 10 + [two] * 10)
    assert wording.hangs_on(fc) == (
        "Much hangs on how the rules are read: the chance that voting runs into Tuesday goes from less than 1 in 100 "
        "(four-rounds) to 40 (until-two-thirds), that nobody is elected from 0 (until-two-thirds) to 24 (four-rounds) "
        "and Pope's from 40 (four-rounds) to 50 (until-two-thirds)."
    )
    alike = counted(race, *[goes_on] * 20, reading=[one] * 10 + [two] * 10)
    assert wording.hangs_on(alike) == ""
    assert wording.hangs_on(counted(race, *[goes_on] * 20)) == ""  # one reading is played
    few = [[(who, rounds, minute, count // 100) for who, rounds, minute, count in part] for part in (goes_on, ends)]
    within_noise = counted(race, *few[:1] * 10, *few[1:] * 10, reading=[one] * 10 + [two] * 10)
    assert "Pope" not in wording.hangs_on(within_noise)
    assert "By the reading of the rules the chances, in 100, are: until-two-thirds (weight 50) 50 for Pope" in (
        fc.answer(detail=True)
    )


def test_the_assumption_that_matters_most() -> None:
    secrecy = np.linspace(0.15, 0.65, 400)  # 0.2 and 0.6 are the ends of its range
    hits = np.linspace(20, 80, 400).round().astype(int)
    draws = [[("A", 1, MONDAY, int(n)), ("B", 1, MONDAY, 100 - int(n))] for n in hits]
    shuffled = np.random.default_rng(1).permutation(400)
    values = {"behaviour.secrecy": secrecy, "behaviour.fluid": secrecy[shuffled]}
    fc = counted(OPEN, *draws, values=values)
    assert wording.hangs_on(fc) == "A's chance hangs most on secrecy (26 in 100 where it is low, 74 where it is high)."
    assert wording.no_poll(fc).startswith(
        "This is a model and no poll: over its assumptions A's chance lies between 27 and 73 in 100 and that of "
        "Tuesday at less than 1; "
    )
    noise = counted(OPEN, *(draws[i] for i in shuffled), values={"behaviour.secrecy": secrecy})
    assert wording.hangs_on(noise) == ""


def test_what_was_announced_teaches_about_the_rules() -> None:
    race = iom.load("geneva-2023")
    names = [rules.name for rules in race.procedures]
    reading = [names.index("until-two-thirds"), names.index("strict")] * 10 + [names.index("one-two-way")]
    pope, both = [("Pope", 3, MONDAY, 100)], ({"event": "go on"},)
    fc = counted(race, *[pope] * 20, [], reading=reading, events=both)
    out = "what was announced rules out four-rounds, withdrawal-then-vote and one-two-way and makes "
    assert wording.learned(fc) == f"{out}strict likelier (50 in 100, 5 before)"
    assert wording.learned(replace(fc, events=())) == ""
    more = counted(race, *[pope, [("Pope", 3, MONDAY, 25)]] * 10, [], reading=reading, events=both)
    assert wording.learned(more) == f"{out}until-two-thirds likelier (80 in 100, 55 before)"


def test_what_was_announced_teaches_about_the_level() -> None:
    race = iom.load("geneva-2023")
    values = {"level.Pope": np.array([0.45, 0.55] * 20), "behaviour.secrecy": np.linspace(0.5, 0.7, 40)}
    told: tuple[dict[str, Any], ...] = ({"event": "announce", "votes": {"Pope": 98, "Vitorino": 67}},)
    less, more = [("Pope", 3, MONDAY, 30)], [("Pope", 3, MONDAY, 90)]
    fc = counted(race, *[less, more] * 20, values=values, announced=1, events=told)
    said = "What was announced moves Pope's first-round level from 50 to 55 in 100"
    assert said in fc.answer()
    assert "Of the other assumptions secrecy has moved most, from 0.4 to 0.597." in fc.answer(detail=True)
    few = replace(fc, draws=replace(fc.draws, values=values | {"behaviour.secrecy": np.array([0.5, 0.6] * 20)}))
    assert "other assumptions" not in few.answer(detail=True)
    assert said not in replace(fc, events=()).answer()
    still = counted(race, *[more] * 40, values=values | {"level.Pope": np.full(40, 0.5)}, announced=1, events=told)
    assert "level" not in wording.learned(still)


# -- how sure -----------------------------------------------------------------------------------------


def test_on_the_best_guesses_there_is_no_range() -> None:
    fc = counted(OPEN, [("A", 1, MONDAY, 6000), ("B", 1, MONDAY, 4000)])
    assert sentences(fc)[-1] == (
        "This is a model and no poll, on the best guesses alone: it does not say how far these may be off."
    )
    read = counted(iom.load("geneva-2023"), [("Pope", 1, MONDAY, 6000), ("Vitorino", 1, MONDAY, 4000)])
    assert ", on the best guesses alone and with the rules read as until-two-thirds: it does" in read.answer()


def test_the_simulation_error_is_told_if_it_is_large() -> None:
    few, many = (counted(OPEN, [("A", 1, MONDAY, 6 * n), ("B", 1, MONDAY, 4 * n)]) for n in (100, 10_000))
    assert few.answer().endswith("; the simulation itself may be off by 3.0 points.")
    assert "simulation error 3.0 points" in few.stamp()
    assert "simulation" not in many.answer()
    assert "The simulation error is at most 0.3 points (100\u202f000 runs, 95 %)." in many.answer(detail=True)


def test_too_few_runs_of_each_draw_give_no_range() -> None:
    values = {"behaviour.secrecy": np.linspace(0.2, 0.6, 200)}
    fc = counted(OPEN, *[[("A", 1, MONDAY, 1)], [("B", 1, MONDAY, 1)]] * 100, values=values)
    assert ", and too few elections were simulated to say how much hangs on its assumptions" in fc.answer()


# -- the whole ----------------------------------------------------------------------------------------


def test_the_answer_is_three_or_four_sentences_that_can_be_quoted(fc: iom.Forecast) -> None:
    answer = fc.answer()
    assert 3 <= len(sentences(fc)) <= 4
    assert answer.endswith(".")
    assert "\n" not in answer
    assert 150 < len(answer) < 900
    assert "nan" not in answer.lower()
    assert not re.search(r"[<>±]|\.\.|,,| [,.;:]|\d\.\d{2}|behaviour\.|: [A-Z]\w+ (is|are)\b", answer)
    assert not re.search(r"[.;:] [a-z]+: ", answer)


def test_every_number_of_the_answer_is_one_of_the_tables(fc: iom.Forecast) -> None:
    who, how_long = sentences(fc)[:2]
    table = fc.chances()
    for name in fc.race.names:
        shown = in_a_sentence(*table.loc[name, ["probability", "mc_error"]])
        assert shown in who or table.loc[name, "probability"] < 0.005
    nobody, still = (in_a_sentence(*row) for row in table[["probability", "mc_error"]].to_numpy()[-2:])
    if "leaving" in who:
        assert (f"{nobody} for nobody" in who) == (table.loc["nobody", "probability"] >= 0.005)
        assert (f"{still} still voting after" in who) == (table.loc["still voting", "probability"] >= 0.005)
    assert f"runs into {fc.next_day:%A} is {in_a_sentence(fc.spill().value, fc.spill().mc_error)} in 100." in how_long


def test_the_headline_is_one_sentence_of_the_same_numbers(fc: iom.Forecast) -> None:
    line, who = fc.headline(), sentences(fc)[0]
    assert line.endswith(".")
    assert not re.search(r"\.\s", line)
    assert line.partition(";")[0].rstrip(".") in who
    assert "; voting takes " in line
    assert f"that it runs into {fc.next_day:%A}" in line


def test_everything_is_told_on_request(fc: iom.Forecast) -> None:
    answer, all_ = fc.answer(), fc.answer(detail=True)
    assert all_.startswith(answer)
    assert "The simulation error is at most" in all_[len(answer) :]
    goes_on = fc.chances().loc["still voting", "mc_error"] > 0
    assert ("as many as are simulated, not a rule" in all_) == goes_on
    assert ("Over the draws of the assumptions the chances, in 100, are" in all_) == bool(
        fc.win_probability()["low"].notna().all()
    )


def test_a_printed_answer_is_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    fc = counted(OPEN, [("A", 1, MONDAY, 6000), ("B", 1, MONDAY, 4000)])
    print(fc.answer())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 88
    assert " ".join(lines) == f"{fc.answer()}"
    assert str(fc.answer()) in repr(fc)


# -- what is over -------------------------------------------------------------------------------------


def test_what_is_over_is_told_as_a_fact() -> None:
    whole = make(elect("AAAABB"), 20)
    over = replace(whole, announced=1, certain=True)
    assert over.answer() == over.headline() == "It is over: A is elected by majority after one round."
    assert replace(over, reached=730.0).answer() == over.answer()  # not when the runs end
    assert over.win_probability().loc["A", ["probability", "low", "high"]].tolist() == [1.0, 1.0, 1.0]
    nobody = make(elect("AAABBB", rules={"name": "strict", "max_rounds": 3}), 50)
    lost = replace(nobody, announced=3, certain=True)
    assert lost.answer() == "Voting is still open after three rounds, where the forecast ends."
    assert wording.over(whole) == ""  # all runs agree, but nothing was announced


def test_how_an_election_without_a_winner_ended() -> None:
    four = {"phases": [{"ballots": 1}], "after": "fail"}
    lost = replace(make(elect("AAABBB", rules=four), 20), announced=1, certain=True)
    assert lost.answer() == "It is over: nobody is elected, and the election fails after one round."
    put_off = replace(make(elect("AAABBB", rules=four | {"after": "suspend"}), 20), announced=1, certain=True)
    assert put_off.answer() == "It is over: nobody is elected, and the election is suspended after one round."
    vote = four | {"after": "suspend", "withdrawal": "vote"}  # if it fails so does the election; either may have been
    either = replace(make(elect("AAABBB", rules=vote), 20), announced=1, certain=True)
    assert either.answer() == "It is over: nobody is elected, and the election fails after one round."
    late = elect("AAABBB", clock=HOURS | {"deadline": datetime(2023, 5, 15, 11)})
    cut = replace(make(late, 20), announced=1, certain=True)
    assert cut.answer() == "Voting ended unfinished at the deadline, Monday 11:00, after one round."


# -- nobody, and still voting -------------------------------------------------------------------------


def test_nobody_is_not_who_is_still_voting() -> None:
    """Six members, three and three: what becomes of it hangs on the rules and the clock alone."""
    said: dict[str, tuple[dict[str, Any], str]] = {
        "rules that go on": ({}, "most likely voting is not over after 40 rounds, with a chance of more than 92 in "
                             "100."),
        "rules with an end": ({"rules": {"phases": [{"ballots": 3}], "after": "fail"}},
                              "most likely nobody is elected, with a chance of more than 92 in 100."),
        "a deadline": ({"clock": HOURS | {"deadline": datetime(2023, 5, 16, 12)}},
                       "most likely voting is not over at the deadline, Tuesday 12:00, with a chance of more than 92 "
                       "in 100."),
    }  # fmt: skip
    for parts, words in said.values():
        fc = make(elect("AAABBB", **parts), 50, assumptions="fixed")
        assert wording.who(fc) == f"On the best guesses {words}"
        assert fc.win_probability().loc["no winner", "probability"] == 1
        assert fc.chances()["probability"].sum() == 1


def test_chances_by_rule_and_by_count(forecasts: dict[str, iom.Forecast]) -> None:
    for name, fc in forecasts.items():
        table, ends = fc.chances(), fc.endings()["probability"]
        assert table.index.tolist() == [*fc.race.names, "nobody", "still voting"], name
        assert table["probability"].iloc[-2:].tolist() == [ends["failed"].sum(), ends["open"].sum()], name
        assert table["probability"].sum() == pytest.approx(1)
    assert forecasts["strict"].chances().loc["nobody"].tolist() == [0, 0, 0, 0]  # by the rules, not by chance
    assert forecasts["four-rounds"].chances().loc["still voting"].tolist() == [0, 0, 0, 0]
    assert forecasts["at once"].chances().loc["still voting", "mc_error"] > 0


def test_a_landslide_takes_one_round() -> None:
    answer = make(toy(100).balanced(0.97), 500).answer()
    assert "Voting takes 1 round in the median;" in answer
    assert re.match(r"A is ahead, with a chance of more than \d\d in 100\.", answer)


def test_a_contest_that_drags_on_is_still_voting_after_as_many_rounds_as_are_simulated() -> None:
    rules = {"name": "high bar", "threshold": "9/10", "concession": False}
    answer = make(toy(175, rules=rules), 500).answer()
    assert " still voting after 40 rounds." in answer
    assert "nobody" not in answer


@pytest.mark.parametrize("how", ["absent", "abstain"])
def test_an_election_without_votes_is_not_over(how: str) -> None:
    fc = make(toy(100).with_behaviour(**{how: 1.0}), 200)
    assert fc.answer().startswith(
        "Most likely voting is not over after 40 rounds, with a chance of more than 98 in 100."
    )


def test_all_who_are_level_are_named() -> None:
    answer = make(toy(100, "ABC"), 2000).answer()
    assert re.match(r"([ABC]), (?!\1)[ABC] and [ABC] are level, ", answer)


# -- after announcements ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([{"event": "announce", "votes": {"A": 98, "B": 67}}], "After 98\N{EN DASH}67 A is ahead, with a 98 in 100 "),
        ([{"event": "announce", "votes": {"A": 98, "B": "at least 60"}}],
         "After a tally of A 98, B at least 60, A is ahead, "),
        ([{"event": "announce", "votes": {"A": 98, "B": 67}}, {"event": "go on"}],
         "After 98\N{EN DASH}67 and the call for another round, A is ahead, "),
        ([{"event": "announce", "votes": {"A": 98, "B": 67}}, {"event": "adjourn", "until": "17:30"}],
         "After 98\N{EN DASH}67 and an adjournment until 17:30, A is ahead, "),
        ([{"event": "announce", "votes": {"A": 98, "B": 67}}, {"event": "withdraw", "name": "B"}],
         "After 98\N{EN DASH}67 and B's withdrawal, A is ahead, "),
        ([{"event": "announce", "votes": {"A": 9, "B": 7}}, {"event": "inconclusive"}],
         "After a round without result, A is ahead, "),
    ],
)  # fmt: skip
def test_what_was_announced_begins_the_answer(events: list[dict[str, Any]], said: str) -> None:
    fc = counted(OPEN, [("A", 3, MONDAY, 9800), ("B", 3, MONDAY, 200)], announced=1, events=tuple(events))
    assert fc.answer().startswith(said)
    assert fc.headline().startswith(said)


def test_a_name_that_ends_with_a_stop_ends_the_sentence(tmp_path: Path) -> None:
    path = tmp_path / "stop.toml"
    path.write_text(
        'title = "Stops"\nelectorate = { size = 60 }\nrules = { threshold = "most", max_rounds = 2 }\n'
        'candidates = [{ name = "A", appeal = 0.5 }, { name = "C. D." }]\n'
    )
    told = wording.who(iom.forecast(iom.load(path), runs=2000, seed=1, assumptions="fixed"))
    assert told.endswith("for C. D.") or told.endswith("after two rounds."), told
    assert ".." not in told


def test_a_small_error_is_never_none() -> None:
    assert wording.points(0.0003) == "0.1 points"
