"""Every sentence of a forecast against its tables."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from toys import elect, toy

import iomsim as iom
from iomsim.forecasting import wording
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.tables import rule_sets_in_words


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


CHANCE = r"((?:about )?[<>]?\d+) in 100"


def told(fc: iom.Forecast) -> dict[str, Any]:
    """Return every number of the answer, read from its words alone."""
    answer = fc.answer()
    who, how_long, how_sure = answer.split(". ")
    day = f"{fc.next_day:%A}"
    chances = {
        name: re.search(rf"{re.escape(name)}(?: wins)? {CHANCE}", who.partition(":")[2]) for name in fc.race.names
    }
    *_, still = re.findall(rf"; {CHANCE} are still voting(?: after (\d+) rounds)?$", who) or [None]
    rounds = re.search(
        r"takes (\d+)(?: or more)? rounds? in the median \(80 % range: (\d+) to (\d+)( or more)?\)", how_long
    )
    spill = re.search(rf"runs into {day} is {CHANCE}$", how_long)
    error = re.search(r"at most ([\d.]+) points? \(([\d\u202f]+) runs?, 95 %\)", how_sure)
    moves = re.search(rf"moves {day} from {CHANCE} \((.+?)\) to {CHANCE} \((.+?)\) over the (\d) readings", how_sure)
    nobody = re.search(rf"nobody {CHANCE}", who)
    assert rounds
    assert spill
    assert error
    return {
        "opening": who.partition(":")[0],
        "chances": {name: found and found[1] for name, found in chances.items()},
        "nobody": nobody and nobody[1],
        "still": still and still[0],
        "rounds": [int(rounds[i]) for i in (1, 2, 3)],
        "spill": spill[1],
        "points": float(error[1]),
        "runs": int(error[2].replace("\u202f", "")),
        "moves": moves and moves.groups(),
        "sure": how_sure,
    }


def test_every_number_of_the_answer_is_one_of_the_tables(fc: iom.Forecast) -> None:
    said, table = told(fc), fc.chances()
    half = (table["high"] - table["low"]) / 2
    shown = {name: in_100(table.loc[name, "probability"], half[name]) for name in table.index}
    assert said["chances"] == {name: shown[name] for name in fc.race.names}
    assert said["nobody"] == (shown["nobody"] if fc.race.rules.can_fail else None)
    assert said["still"] == (shown["still voting"] if table.loc["still voting", "probability"] >= 0.005 else None)
    middle, low, high = fc.median_rounds()
    assert said["rounds"] == [middle, low, high]
    assert f"{said['spill']} in 100" == str(fc.spill())
    assert said["runs"] == len(fc)
    winners = fc.win_probability()
    widest = 100 * max(((winners["high"] - winners["low"]) / 2).max(), fc.spill().half_width)
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
        assert f"leaves {fc.next_day:%A} at {shown[most]} in 100 under all {len(sides)} readings" in said["sure"]
    else:
        assert said["moves"] == (shown[least], least, shown[most], most, str(len(sides)))


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
    assert lost.answer() == "Voting is still open after 3 rounds, where the forecast ends."
    assert wording.over(whole) == ""  # all runs agree, but nothing was announced


def test_how_an_election_without_a_winner_ended() -> None:
    four = {"phases": [{"ballots": 1}], "after": "fail"}
    lost = replace(make(elect("AAABBB", rules=four), 20), announced=1, certain=True)
    assert lost.answer() == "It is over: nobody is elected, and the election fails after 1 round."
    put_off = replace(make(elect("AAABBB", rules=four | {"after": "suspend"}), 20), announced=1, certain=True)
    assert put_off.answer() == "It is over: nobody is elected, and the election is suspended after 1 round."
    vote = four | {"after": "suspend", "withdrawal": "vote"}  # if it fails so does the election; either may have been
    either = replace(make(elect("AAABBB", rules=vote), 20), announced=1, certain=True)
    assert either.answer() == "It is over: nobody is elected, and the election fails after 1 round."
    late = elect("AAABBB", clock=HOURS | {"deadline": datetime(2023, 5, 15, 11)})
    cut = replace(make(late, 20), announced=1, certain=True)
    assert cut.answer() == "Voting ended unfinished at the deadline, Monday 11:00, after 1 round."


HOURS = {"opens": datetime(2023, 5, 15, 10), "formalities_log_sd": 0, "round_log_sd": 0}


def test_nobody_is_not_who_is_still_voting() -> None:
    """Six members, three and three: what becomes of it hangs on the rules and the clock alone."""
    said: dict[str, tuple[dict[str, Any], str]] = {
        "rules that go on": ({}, "Most likely voting is not over after 40 rounds: A wins <8 in 100 and B <8 in 100; "
                             ">92 in 100 are still voting."),
        "rules with an end": ({"rules": {"phases": [{"ballots": 3}], "after": "fail"}},
                              "Most likely nobody is elected: A wins <8 in 100, B <8 in 100, and nobody >92 in 100."),
        "a deadline": ({"clock": HOURS | {"deadline": datetime(2023, 5, 16, 12)}},
                       "Most likely voting is not over at the deadline, Tuesday 12:00: A wins <8 in 100 and B <8 in "
                       "100."),
    }  # fmt: skip
    for parts, words in said.values():
        fc = make(elect("AAABBB", **parts), 50)
        assert wording.who(fc) == words
        assert fc.win_probability().loc["no winner", "probability"] == 1
        assert fc.chances()["probability"].sum() == 1


def test_no_winner_of_either_kind() -> None:
    rules = {"name": "own", "threshold": "1/1", "withdrawal": "vote", "max_rounds": 12}
    fc = make(toy(20, rules=rules, behaviour={"concede_b": 8.0}), 2000)
    failed, still = fc.chances()["probability"][["nobody", "still voting"]]
    assert max(failed, still) < 0.5 < failed + still  # a guard
    assert wording.who(fc).startswith("Most likely there is no winner: ")
    assert wording.likely(fc) == "no winner"
    assert re.search(r", and nobody \d+ in 100; \d+ in 100 are still voting after 12 rounds\.$", wording.who(fc))


def test_chances_by_rule_and_by_count(forecasts: dict[str, iom.Forecast]) -> None:
    for name, fc in forecasts.items():
        table, ends = fc.chances(), fc.endings()["probability"]
        assert table.index.tolist() == [*fc.race.names, "nobody", "still voting"], name
        assert table["probability"].iloc[-2:].tolist() == [ends["failed"].sum(), ends["open"].sum()], name
        assert table["probability"].sum() == pytest.approx(1)
    assert forecasts["strict"].chances().loc["nobody"].tolist() == [0, 0, 0]  # excluded by the rules, not by chance
    assert forecasts["four-rounds"].chances().loc["still voting"].tolist() == [0, 0, 0]
    assert forecasts["at once"].chances().loc["still voting", "high"] > 0


def test_why_there_is_no_other_reading() -> None:
    def by_rules(fc: iom.Forecast) -> str:
        return fc.answer().rpartition("uncertainty about the rules, which does not, ")[2]

    own = iom.loads('candidates = [{name = "A"}, {name = "B"}]\nelectorate.size = 9\nrules = {threshold = "3/5"}')
    assert by_rules(make(own, 50)) == "cannot be shown, for the election has rules of its own."
    one = iom.start("who", ["A", "B"])
    assert by_rules(make(one, 50)) == "cannot be shown, for only one reading of them is known."
    changed = make(one.with_rules(threshold=">1/2"), 50)
    assert "over the 2 readings of them." in by_rules(changed) or "under all 2 readings of them." in by_rules(changed)
    day = iom.live(iom.load("geneva-2023").with_rules("withdrawal-then-vote"), particles=200, seed=1)
    day.announce(Pope=98, Vitorino=67)
    day.announce(Pope=99, Vitorino=66)
    day.withdraw("Vitorino")
    assert by_rules(day.forecast()) == "cannot be shown, for no other reading of them agrees with what has happened."


def test_rounds_already_held_are_mentioned(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["strict"]
    fc.rule_sets()
    assert ", 1 round of them already held)" in replace(fc, announced=1).answer()
    assert "already held" not in fc.answer()


# -- deadlines and dates ---------------------------------------------------------------------------------


def unfinished(fc: iom.Forecast) -> str:
    return f"{in_100(float((fc.runs['ending'] == 'open').mean()), fc.spill().half_width)} in 100"


def test_a_deadline_on_the_first_day_takes_the_place_of_the_second() -> None:
    fc = make(toy(15).with_clock(deadline="2023-05-15T16:00"))
    assert f"), and the chance that it is unfinished at the deadline, Monday 16:00, is {unfinished(fc)}." in fc.answer()
    assert "Tuesday" not in fc.answer()
    assert re.search(r"(moves|leaves) an unfinished vote (from|at) ", fc.answer())
    assert rule_sets_in_words(fc).columns[-2] == "unfinished"
    early = make(toy(15).with_clock(deadline="2023-05-16T09:00"), 100)  # before anything sits on the Tuesday
    assert "the deadline, Tuesday 09:00, is " in early.answer()
    assert "runs into" not in early.answer()


def test_a_later_deadline_is_told_beside_the_second_day() -> None:
    fc = make(toy(15).with_clock(deadline="2023-05-16T12:00"))
    assert (
        f"), the chance that it runs into Tuesday is {fc.spill()}, and the chance that it is unfinished" in fc.answer()
    )
    assert f"unfinished at the deadline, Tuesday 12:00, is {unfinished(fc)}." in fc.answer()
    assert (
        "at the deadline, Friday 26 May 12:00, is "
        in make(toy(15).with_clock(deadline="2023-05-26T12:00"), 50).answer()
    )


def test_what_has_used_up_its_rounds_was_not_ended_by_the_deadline() -> None:
    race = elect("AAABBB", rules={"name": "strict", "max_rounds": 3}).with_clock(sits_on=0, formalities_log_sd=0)
    late = make(race.with_clock(deadline="2023-05-19T12:00"), 50)
    assert "at the deadline, Friday 12:00, is <8 in 100" in late.answer()
    early = make(race.with_clock(deadline="2023-05-15T11:30"), 50)
    assert "at the deadline, Monday 11:30, is >92 in 100" in early.answer()
    assert wording.unfinished(early) == "at the deadline, Monday 11:30"
    assert wording.unfinished(late) == "after 3 rounds or at the deadline, Friday 12:00"  # none at the deadline so far


def test_a_second_week_is_told_by_its_date() -> None:
    fc = make(toy(15).with_clock(days=["Mon"]), 500)
    assert f"the chance that it runs into Monday 22 May is {fc.spill()}." in fc.answer()
    assert "moves Monday 22 May from " in fc.answer()
    assert rule_sets_in_words(fc).columns[-2] == "into Monday 22 May"
    over = replace(make(elect("AAAABB"), 20), announced=1, certain=True)
    ends = over.summary.ends.assign(minute=8 * 1440 + 730)
    over = replace(over, summary=replace(over.summary, ends=ends), reached=8 * 1440 + 730.0)
    assert over.answer() == "It is over: A is elected by majority after 1 round, on Tuesday 23 May at 12:10."
