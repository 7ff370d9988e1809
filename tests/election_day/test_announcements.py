"""What bodies announce beside a tally: papers for others, members present, a name without figures, a correction."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import PRESENT, night_of, toy

import iomsim as iom
from iomsim.election_day.election_day import ElectionDay
from iomsim.engine import kernel
from iomsim.errors import AnnouncementError, IomsimError
from iomsim.model.events import in_words, say
from iomsim.model.scenario import Scenario

pytestmark = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")

LIVELY = {"absent": 0.08, "abstain": 0.04}


def assembly(size: int = 193, names: str = "AB", **parts: Any) -> Scenario:
    return toy(size, names, **({"behaviour": LIVELY} | parts))


def told(race: Scenario, *lines: str, particles: int = 300, **options: Any) -> ElectionDay:
    day = night_of(race, particles=particles, seed=2, **options)
    for line in lines:
        day.tell(line)
    return day


def numbers(day: ElectionDay) -> Any:
    """Return every number of a state."""
    state = day.state
    particles = state.particles
    return [state.votes, state.valid, state.attendance, state.flows, particles.log_weight, particles.draws.conviction,
            particles.intention, state.clocks.now, state.standing, state.ended]  # fmt: skip


def alike(a: ElectionDay, b: ElectionDay) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(numbers(a), numbers(b), strict=True))


# -- papers ------------------------------------------------------------------------------------------

TWO_STRAYS: list[Callable[[ElectionDay], Any]] = [
    lambda day: day.announce(A=127, B=62, valid=191),
    lambda day: day.announce(A=127, B=62, others=2),
    lambda day: day.announce({"A": 127}, valid=191, others=2),
    lambda day: day.tell("A 127, B 62; 2 for others"),
    lambda day: day.tell("A=127 B=62 valid=191"),
    lambda day: day.apply({"event": "announce", "votes": {"A": 127, "B": 62}, "others": 2}),
]


@pytest.mark.parametrize("how", TWO_STRAYS)
def test_papers_for_others_count_in_the_bar_however_they_are_told(how: Callable[[ElectionDay], Any]) -> None:
    day = told(assembly())
    assert str(how(day)).startswith("A 127, B 62, 2 for others. A is 1 vote short of 128.")
    assert day.state.ended is None
    assert alike(day, told(assembly(), "A=127 B=62 others=2"))
    tallies = day.forecast().tallies.query("round == 1")
    assert set(tallies["valid"]) == {191}
    assert set(tallies["votes"]) == {127, 62}
    assert told(assembly(), "A=127 B=62").state.ended == (0, kernel.MAJORITY)


def test_the_votes_of_who_is_in_the_race_leave_room_for_others() -> None:
    day = told(assembly(9, behaviour=PRESENT), "A at least 3; 4 others; 9 valid")
    votes = day.state.votes[-1]
    assert set(votes.sum(axis=0)) == {5}
    assert votes[0].min() >= 3
    assert set(day.state.valid[-1]) == {9}


def test_all_that_is_told_of_the_papers_is_said_again() -> None:
    day = told(assembly(), "A 100, B 60; 3 others, 4 blank, 2 void, 6 abstentions")
    assert day.state.label == "A 100, B 60, 3 for others, 4 blank, 2 invalid, 6 abstaining"
    assert set(day.state.attendance[-1]) == {175}
    assert "3 for others, 4 blank" in in_words(day.events[-1])
    assert told(assembly(), say(day.events[-1])).events == day.events


# -- members present ---------------------------------------------------------------------------------

ALL_THERE = assembly(175, rules={"name": "of those present", "base": "present", "concession": False})


@pytest.mark.parametrize("extra", ["present=171", "6 abstentions", "4 blank 2 invalid", "171 present, 165 valid"])
def test_two_thirds_of_those_announced_as_present(extra: str) -> None:
    assert told(ALL_THERE, f"A=114 B=51 {extra}").state.ended == (0, kernel.MAJORITY)
    open_ = told(ALL_THERE, f"A=113 B=52 {extra}")
    assert open_.state.ended is None
    assert open_.needed() == "A is 1 vote short of 114."
    assert set(open_.state.present) == {171}


def test_the_bar_of_a_round_stays_what_was_announced_of_that_round() -> None:
    day = told(ALL_THERE, "A=110 B=60 present=175", "A=110 B=50 present=164")
    assert [set(present) for present in day.state.attendance] == [{175}, {164}]
    assert day.state.ended == (0, kernel.MAJORITY)
    assert told(ALL_THERE, "A=110 B=60 present=175", "A=109 B=51 present=164").needed() == "A is 1 vote short of 110."


def test_a_number_of_members_present_that_nobody_foresaw_is_a_fact() -> None:
    """Members come and go, though not in the model: the particles come as near as they can."""
    day = told(ALL_THERE, "A=98 B=67 present=171", "A=70 B=40 present=118", "A=98 B=67 present=172")
    assert set(day.state.present) == {172}
    assert [set(present) for present in day.state.attendance] == [{171}, {118}, {172}]


def test_who_is_known_to_be_there_stays() -> None:
    day = told(assembly(175), "A=98 B=67 present=171", "A=95 B=66")
    assert set(day.state.present) == {171}
    assert set(day.forecast().runs["present"]) == {171}


@pytest.mark.parametrize(
    ("behaviour", "line", "sentence"),
    [
        ({"absent": 0, "abstain": 0}, "A=20 B=10",
         "30 valid papers are fewer than the scenario allows: 40 members can neither be absent nor hand in a blank "
         "paper; raise its absent or abstain, as in race.with_behaviour(abstain=0.02)"),
        ({"absent": 1}, "A=20 B=10",
         "30 valid papers are more than the scenario allows: only 0 members can be there; lower absent"),
        ({"absent": 0, "abstain": 0.1}, "A=20 B=10 present=39",
         "39 members present are not possible under the scenario; change its absent or without_vote"),
    ],
)  # fmt: skip
def test_what_the_scenario_rules_out_is_refused_with_what_to_change(
    behaviour: dict[str, float], line: str, sentence: str
) -> None:
    race = assembly(40, behaviour={"cross_pressure_absence": 0} | behaviour)
    with pytest.raises(AnnouncementError) as error:
        told(race, line)
    assert str(error.value) == sentence


@pytest.mark.filterwarnings("default::iomsim.UnexpectedTallyWarning")
def test_a_ballot_of_blank_papers() -> None:
    """1008 electors, 976 present: 672 blank and 49 void papers, 194 for others, and the best have 36, 16 and 9."""
    race = assembly(1008, "ABC", rules={"name": "of all", "base": "entitled", "eliminate_after": "never"})
    with pytest.warns(iom.UnexpectedTallyWarning, match="so few valid papers"):
        day = told(race, "A 36 B 16 C 9; 194 others, 672 blank, 49 void", particles=100)
    assert set(day.state.attendance[-1]) == {976}
    assert set(day.state.valid[-1]) == {255}
    assert day.needed() == "A is 636 votes short of 672."
    assert day.forecast().all_outcomes.valid[day.forecast().all_outcomes.starts + 1].mean() > 900
    with pytest.warns(iom.UnexpectedTallyWarning, match="so few valid papers"):
        assert told(race, "A=36 B=16 C=9", particles=100).effective_size > 50


@pytest.mark.parametrize(
    ("rules", "line", "ok"),
    [
        ("strict", "A=98 B=67 needed=110", True),
        ("strict", "A=98 B=67 others=2 needed=112", True),
        ("strict", "A=98 B=67 needed=112", False),
        ("strict", "A=98 needed=112", True),
        ({"name": "e", "base": "entitled"}, "A=98 needed=129", True),
        ({"name": "e", "base": "entitled"}, "A=98 needed=128", False),
        ({"name": "p", "base": "present"}, "A=98 B=67 6 abstentions needed=114", True),
        ({"name": "m", "threshold": "most"}, "A=98 B=67 needed=99", True),  # where most elect there is no bar to check
    ],
)
def test_the_bar_that_the_chair_names_is_checked(rules: Any, line: str, ok: bool) -> None:
    race = assembly(rules=rules)
    if ok:
        assert told(race, line).state.round_ == 1
        return
    with pytest.raises(AnnouncementError, match=r"votes are said to be needed, but \d+ elect by the rules"):
        told(race, line)


# -- elected, or nobody, without figures -------------------------------------------------------------


@pytest.mark.parametrize("line", ["A elected", "A is elected", "elected A", "a has been elected"])
def test_a_name_without_figures(line: str) -> None:
    day = told(assembly(), line)
    assert str(day.forecast().answer()) == "It is over: A is elected by majority after one round."
    assert (3 * day.state.votes[-1][0] >= 2 * day.state.valid[-1]).all()
    by_method = night_of(assembly(), particles=300, seed=2)
    by_method.elect("A")
    assert alike(day, by_method)
    assert 0 < day.history()["chance"].iloc[-1] < 0.6


def test_it_was_the_last_round_if_that_is_left_open() -> None:
    known = told(assembly(), "valid=160", "A is elected at 12:30")
    assert known.state.round_ == 1
    assert known.forecast().answer().endswith("after one round, on Monday at 12:30.")
    assert set(known.state.valid[-1]) == {160}
    assert told(assembly(), "A=80 B=80", "A is elected").state.round_ == 2


def test_the_one_who_stands_alone_is_confirmed() -> None:
    race = assembly(rules={"name": "x", "max_two_way": 1, "concession": False})
    day = told(race, "A=90 B=80", "A is elected")
    assert day.forecast().answer() == "It is over: A is elected in a yes/no round after two rounds."
    assert (day.state.votes[-1][1] == -1).all()
    assert (3 * day.state.votes[-1][0] >= 2 * day.state.valid[-1]).all()


def test_of_who_stands_alone_most_votes_are_more_yes_than_no() -> None:
    phases = [{"ballots": 1}, {"vote": "yes-no", "ballots": 1, "threshold": "most"}]
    race = toy(9, rules={"name": "x", "phases": phases, "after": "fail"}, behaviour=PRESENT)
    endings = [told(race, "A=5 B=4", f"confirm yes={yes} no={9 - yes}").state.ended for yes in (4, 5)]
    assert endings == [(-1, kernel.FAILED), (0, kernel.CONFIRMED)]
    of_all = toy(9, rules={"name": "x", "base": "entitled", "phases": phases, "after": "fail"}, behaviour=PRESENT)
    assert told(of_all, "A=5 B=4", "confirm yes=4 no=3").state.ended == (0, kernel.CONFIRMED)  # though of nine


def test_whether_so_many_yes_are_enough_may_be_open() -> None:
    rules = {"name": "x", "base": "present", "phases": [{"ballots": 1}, {"vote": "yes-no", "ballots": 1}, {}]}
    race = toy(12, rules=rules, behaviour={"absent": 0.3, "abstain": 0.3})
    with pytest.raises(AnnouncementError, match="leave open whether 6 of yes are enough; tell the members present too"):
        told(race, "A=5 B=2", "confirm yes=6 no=1")
    assert told(race, "A=5 B=2", "confirm yes=6 no=1 present=9").state.ended == (0, kernel.CONFIRMED)
    refused = told(race, "A=5 B=2", "confirm yes=6 no=1 present=10").state
    assert (refused.ended, refused.alone) == (None, -1)
    assert (refused.flows[-1].sum(axis=(0, 1)) == refused.present).all()  # nobody has moved


def test_who_won_may_be_called_elected_and_nobody_else() -> None:
    day = told(assembly(rules="until-two-thirds"), "A=98 B=67", "withdraw B", "A is elected at 17:00")
    assert day.forecast().answer() == "It is over: A is elected by acclamation after one round, on Monday at 17:00."
    assert day.state.surprise == 1.0
    with pytest.raises(AnnouncementError, match="the election is over"):
        day.elect("B")


@pytest.mark.parametrize(
    ("rules", "lines"),
    [("until-two-thirds", ["A=130 B=60"]), ("one-two-way", ["A=100 B=90", "go on", "confirm yes=150 no=40"])],
)
def test_who_was_elected_by_votes_does_not_withdraw(rules: str, lines: list[str]) -> None:
    day = told(assembly(rules=rules), *lines)
    for name in "AB":
        with pytest.raises(AnnouncementError, match="the election is over"):
            day.withdraw(name)
    assert day.forecast().win_probability()["probability"]["A"] == 1.0


def test_who_is_out_is_asked_before_a_name_without_figures() -> None:
    race = assembly(names="ABC", rules={"name": "x", "eliminate_after": 1})
    day = told(race, "A at least 100; 160 valid", "A is elected")  # it was that round
    assert day.state.round_ == 1
    with pytest.raises(AnnouncementError, match=r"leave open whether B or C is out; announce it with day.eliminate"):
        told(race, "A=80 B=40 C=40", "A is elected")


def test_what_the_model_finds_impossible_is_a_fact_and_a_surprise() -> None:
    papers = {"B": tuple(f"M{i}" for i in range(1, 8))}
    race = toy(15, electorate={"size": 15, "pinned": papers}, behaviour=LIVELY)
    day = night_of(race, particles=300, seed=2)
    with pytest.warns(iom.UnexpectedTallyWarning, match=r"The model gave an election of A less than 1 in 300;"):
        day.elect("A")
    assert day.forecast().win_probability()["probability"]["A"] == 1.0
    with pytest.raises(AnnouncementError, match="A does not stand any more"):
        told(assembly(names="ABC"), "A=60 B=60 C=60", "withdraw A", "A is elected")
    with pytest.raises(AnnouncementError, match="is before the opening"):
        told(assembly(), "A is elected at 03:00")


def test_a_round_without_figures() -> None:
    day = told(assembly(rules="strict"), "no result", "round 2 without result", "nobody elected; 150 valid")
    assert day.state.round_ == 3
    assert (3 * day.state.votes.max(axis=1) < 2 * day.state.valid).all()
    assert set(day.state.valid[-1]) == {150}
    assert day.history()["event"].tolist()[1:] == [
        "nobody is elected", "nobody is elected", "nobody is elected (150 valid papers)"
    ]  # fmt: skip
    by_method = night_of(assembly(rules="strict"), particles=300, seed=2)
    by_method.inconclusive()
    by_method.inconclusive()
    by_method.inconclusive(valid=150)
    assert alike(day, by_method)
    with pytest.raises(AnnouncementError, match=r"^A 140, B 20 elects somebody under the rules$"):
        day.tell("no result; A=140 B=20")
    with pytest.raises(AnnouncementError, match=r"or say that the round was inconclusive$"):
        day.announce()


def test_a_line_may_say_which_round_it_is() -> None:
    day = told(assembly(), "Round 1: 98-67")
    with pytest.raises(AnnouncementError) as error:
        day.tell("Round 1: 99-66")
    assert str(error.value) == "the coming round is round 2, not 1, and correct round 1: ... changes that one"
    with pytest.raises(AnnouncementError, match=r"^the coming round is round 2, not 3$"):
        day.tell("round 3: 99-66")


# -- who stands ----------------------------------------------------------------------------------------

CUT = {"name": "x", "threshold": ">1/2", "phases": [{"ballots": 1}, {"keep": 2}]}


def test_the_next_tally_tells_who_went_on() -> None:
    day = told(assembly(33, "ABCD", rules=CUT), "A=11 B=8; 33 valid", "B=17 A=16")
    assert day.state.ended == (1, kernel.MAJORITY)
    day = told(assembly(33, "ABCD", rules=CUT), "A=12 B=10 C=10 D=1", "B=12 A=16")  # as if by lot
    assert day.state.standing.tolist() == [True, True, False, False]
    for line in ("B=17 C=15", "A=16 D=16", "A=16"):  # A goes on for certain, D does not, one name tells nothing
        with pytest.raises(AnnouncementError, match=r"^the announcements leave open whether B or C is out; "):
            told(assembly(33, "ABCD", rules=CUT), "A=12 B=10 C=10 D=1", line)


def test_who_is_out_is_not_taken_from_the_particles() -> None:
    """Of a ballot without a tally nobody knows who was last, however sure the model is."""
    race = assembly(names="ABC", rules={"name": "x", "phases": [{"ballots": 2}, {"keep": 2}]})
    day = told(race, "A=100 B=90 C=3", "nobody is elected")
    assert day.state.standing.all()
    assert str(day.tell("B is out")).startswith("B is out.")
    day.undo()
    day.tell("C=100 A=90")
    assert day.state.standing.tolist() == [True, False, True]
    bound = told(race, "A=100 B=90 C=3", "A=100; B at least 80")
    assert bound.state.label.endswith("C is out by the rules")


def test_one_who_stands_alone_is_told() -> None:
    rules = {"name": "x", "concession": True, "after_concession": "confirmation"}
    day = told(assembly(rules=rules), "A=102 B=77")
    assert "A stands alone now, and the next round is a vote of yes or no." in str(day.tell("withdraw B"))
    said = r"^130 votes are said to be needed, but 126 confirm by the rules of the scenario; "
    with pytest.raises(AnnouncementError, match=said):
        day.tell("128 yes, 60 no, 130 needed")
    assert str(day.tell("126 yes, 62 no, 126 needed")) == "A alone: 126 yes, 62 no."


# -- nobody is left ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules", ["until-two-thirds", {"name": "x", "concession": True, "after_concession": "confirmation"}]
)
def test_both_withdraw(rules: Any) -> None:
    day = told(assembly(rules=rules), "A=102 B=77", "withdraw B")
    assert str(day.tell("A withdraws at 16:00")) == "Both have withdrawn."
    fc = day.forecast()
    assert fc.win_probability()["probability"].to_dict() == {"A": 0.0, "B": 0.0, "no winner": 1.0}
    assert fc.answer() == "It is over: nobody is elected after one round (both have withdrawn), on Monday at 16:00."
    assert set(fc.tallies["kind"]) == {"ballot"}
    day.undo()
    assert day.state.label == ("B withdraws, and A is acclaimed" if rules == "until-two-thirds" else "B withdraws")


def test_the_vote_after_a_withdrawal_is_the_next_of_its_phase() -> None:
    """Ninety of 179 are more than half, which elect in the second ballot of the phase, and not two thirds."""
    phases = [{"threshold": ["2/3", ">1/2", "3/4"]}]
    race = assembly(rules={"name": "x", "withdrawal": "vote", "phases": phases})
    day = told(race, "A=102 B=77", "withdraw B", "confirm yes=90 no=89")
    assert day.state.ended == (0, kernel.CONFIRMED)
    early = told(race, "withdraw B", "confirm yes=90 no=89")  # before a ballot: the first of the phase
    assert early.state.ended == (-1, kernel.FAILED)


def test_who_is_left_alone_may_go_too() -> None:
    race = assembly(names="ABC", rules={"name": "x", "concession": True})
    day = told(race, "A=60 B=60 C=50", "withdraw C", "withdraw A", "withdraw B")
    assert day.state.label == "B withdraws too, and nobody is left"
    assert day.state.ended == (-1, kernel.FAILED)
    with pytest.raises(AnnouncementError, match="the election is over"):
        day.tell("withdraw A")


def test_a_withdrawal_may_leave_too_few_for_the_next_phase() -> None:
    """After the first ballot all four would have stood again; of three the rules hold no further one."""
    phases = [{"ballots": 1}, {"field": "all", "standing": 4, "ballots": 1}]
    race = assembly(names="ABCD", rules={"name": "x", "phases": phases, "after": "fail"})
    day = told(race, "A=60 B=50 C=40 D=30", "withdraw D")
    assert day.state.ended == (-1, kernel.FAILED)


def test_who_has_withdrawn_does_not_come_back() -> None:
    phases = [{"ballots": 2}, {"keep": 2, "ballots": 1}, {"field": "all"}]
    day = told(assembly(names="ABCD", rules={"name": "x", "phases": phases}), "A=60 B=50 C=40 D=30", "withdraw B")
    seen = []
    for line in ("A=60 C=50 D=40", "A=80 C=70"):
        day.tell(line)
        seen.append("".join(name for name, stands in zip("ABCD", day.state.standing, strict=True) if stands))
    assert seen == ["AC", "ACD"]


def test_papers_for_others_are_not_those_of_the_pinned() -> None:
    race = toy(9, electorate={"size": 9, "pinned": {"A": [f"M{i}" for i in range(1, 8)]}}, behaviour=PRESENT)
    assert told(race, "A=7 B=0 others=2", particles=50).state.round_ == 1
    with pytest.raises(AnnouncementError, match="impossible under the scenario"):
        told(race, "A=6 B=0 others=3", particles=50)


def test_who_withdraws_after_the_rules_have_put_out_the_other_is_not_both() -> None:
    day = told(assembly(rules="one-two-way"), "A=100 B=90", "go on", "withdraw A")
    assert day.state.label == "A withdraws, and nobody is left"
    assert day.state.ended == (-1, kernel.FAILED)
    assert day.forecast().answer() == "It is over: nobody is elected after one round (nobody is left)."


@pytest.mark.parametrize("line", ["Panama 120 A 60", "Panama is elected", "withdraw Panama", "120 for Panama"])
def test_a_newcomer_is_told_what_can_be_done(line: str) -> None:
    with pytest.raises(IomsimError) as error:
        told(assembly(), line)
    assert str(error.value) == (
        "no candidate named 'Panama'; there are A, B; count papers for anybody else as others, or start a new "
        "election day from a scenario in which 'Panama' stands"
    )
    with pytest.raises(IomsimError, match=r"in which 'Panama' stands$"):
        night_of(assembly(), particles=50, seed=1).announce(Panama=12)


# -- corrections -------------------------------------------------------------------------------------

LATER = ("go on", "A=97 B=64 at 16:00", "adjourn until 17:00", "A=99 B=63; 2 others")


@pytest.mark.parametrize(
    ("number", "line"),
    [
        pytest.param(1, "A=101 B=66", marks=pytest.mark.slow),
        (2, "A=90 B=70; 3 others at 16:10"),
        pytest.param(3, "A 100, B 60, 170 present", marks=pytest.mark.slow),
    ],
)
def test_a_corrected_day_is_the_day_on_which_it_was_right_at_once(number: int, line: str, tmp_path: Path) -> None:
    lines = ["A=98 B=67 at 12:20", *LATER]
    place = {1: 0, 2: 2, 3: 4}[number]
    wrong = told(assembly(rules="until-two-thirds"), *lines, log=tmp_path / "log")
    report = wrong.tell(f"correct round {number}: {line}")
    at = " at 12:20" if number == 1 else ""
    right = told(assembly(rules="until-two-thirds"), *lines[:place], line + at, *lines[place + 1 :])
    assert alike(wrong, right)
    assert str(report).startswith(f"Round {number} corrected: ")
    wrong.tell("A=100 B=60")
    right.tell("A=100 B=60")
    assert alike(wrong, right)
    assert wrong.forecast().runs.equals(right.forecast().runs)
    again = iom.replay(tmp_path / "log")
    assert alike(again, wrong)
    assert [event["event"] for event in again.events[-2:]] == ["correct", "announce"]


def test_a_correction_can_be_undone_and_corrected() -> None:
    day = told(assembly(rules="strict"), "A=98 B=67", "A=97 B=64")
    before, forecast = numbers(day), day.forecast().runs
    day.correct(1, A=90, B=70, others=5)
    day.correct(1, {"A": 91}, B=70)
    assert alike(day, told(assembly(rules="strict"), "A=91 B=70", "A=97 B=64"))
    assert len(day.history()) == 5
    day.undo()
    day.undo()
    assert all(np.array_equal(x, y) for x, y in zip(numbers(day), before, strict=True))
    assert day.forecast().runs.equals(forecast)
    json.dumps(day.events)


def test_figures_that_come_after_a_name_correct_it() -> None:
    day = told(assembly(), "A is elected at 12:20")
    day.correct(1, A=130, B=50)
    assert alike(day, told(assembly(), "A=130 B=50 at 12:20"))
    alone = told(assembly(rules={"name": "x", "max_two_way": 1, "concession": False}), "A=90 B=80", "A is elected")
    alone.tell("correct round 2: 120 yes, 50 no")
    assert alone.state.label == "round 2 corrected: A alone: 120 yes, 50 no"
    alone.correct(2, yes=100, no=70)
    assert alone.state.ended == (-1, kernel.FAILED)


def test_an_election_that_was_over_goes_on_if_the_tally_was_wrong() -> None:
    day = told(assembly(rules="strict"), "A=110 B=55")
    assert day.state.ended is not None
    day.tell("correct round 1: 109-55; 1 other")
    assert day.state.ended is None
    assert day.needed() == "A is 1 vote short of 110."
    assert (
        day.forecast().answer().startswith("After the correction of round 1 to A 109, B 55, 1 for others, A is ahead")
    )


def test_bare_numbers_belong_to_those_who_stood_then() -> None:
    race = assembly(names="ABC", rules={"name": "x", "eliminate_after": 1})
    day = told(race, "A=70 B=60 C=40", "90-80")
    day.tell("correct round 1: 71-60-39")
    assert day.events[-1]["votes"] == {"A": 71, "B": 60, "C": 39}
    with pytest.raises(AnnouncementError, match="3 numbers for 2 candidates"):
        day.tell("correct round 2: 71-60-39")


def test_corrections_that_cannot_be() -> None:
    day = told(assembly(rules="until-two-thirds"), "A=98 B=67", "go on")
    state, events = day.state, list(day.events)
    for line, sentence in [
        ("correct round 2: 98-66", "round 2 was not announced; round 1 was"),
        ("correct round 1: 198-66", "A cannot have 198 votes: only 193 members have a vote"),
        ("correct round 1: yes=5 no=3", "more than one candidate stands; announce a tally, or a withdrawal first"),
        ("correct round 1: 120-40", "after round 1 so corrected, 'voting goes on' cannot have happened (the election "
         "is over; day.undo() takes the last event back, day.correct(...) changes a tally); undo what was announced "
         "since, then correct it"),
    ]:  # fmt: skip
        with pytest.raises(IomsimError) as error:
            day.tell(line)
        assert str(error.value) == sentence
        assert day.state is state
        assert day.events == events
    with pytest.raises(AnnouncementError, match=r"^round 1 was not announced; none was so far$"):
        told(assembly()).correct(1, A=98)
    with pytest.raises(IomsimError, match=r"^round must be a whole number of at least 1, got 'one'$"):
        day.correct("one", A=98)  # type: ignore[arg-type]


def test_the_readings_beside_it_take_the_bar_from_what_was_announced() -> None:
    """109 of 162 would have elected, but two of 164 papers were for others: 110 were needed under every reading."""
    race = iom.load("geneva-2023").with_rules("until-two-thirds")
    sides = told(race, "Pope=109 Vitorino=53; 2 others", "go on", particles=100).forecast().rule_sets()
    assert len(sides) > 1


# -- tallies out of tables -----------------------------------------------------------------------------------------

TABLE = pd.DataFrame(
    [[50.0, 40.0, 91.0, np.nan], [52.0, np.nan, np.nan, 3.0], [np.nan, np.nan, 90.0, np.nan]],
    index=[1, 2, 3],
    columns=["A", "B", "valid", "blank"],
)


@pytest.mark.parametrize(
    ("handed", "plain"),
    [
        ({"A": 50.0, "B": np.float32(40)}, {"A": 50, "B": 40}),
        ({"A": 50, "B": np.nan}, {"A": 50}),
        ({"A": np.int64(50), "B": pd.NA}, {"A": 50}),
        ({"A": 50.0, "B": "at least 30"}, {"A": 50, "B": "at least 30"}),
        (pd.Series({"A": 50.0, "B": 40.0}), {"A": 50, "B": 40}),
        (pd.Series([50, None], index=["A", "B"], dtype="Int64"), {"A": 50}),
        (TABLE.loc[1], {"A": 50, "B": 40, "valid": 91}),
        (TABLE.loc[2], {"A": 52, "blank": 3}),
        (TABLE.loc[3], {"valid": 90}),
    ],
)
def test_a_tally_out_of_a_table_is_the_same_as_one_that_is_typed(handed: Any, plain: dict[str, Any]) -> None:
    one, two = (night_of(toy(100), particles=100, seed=1) for _ in range(2))
    one.announce(handed)
    two.announce(**plain)
    known = [{key: value for key, value in night.events[0].items() if value is not None} for night in (one, two)]
    for event in known:
        event["votes"] = {key: value for key, value in event["votes"].items() if value is not None}
    assert known[0] == known[1]
    assert json.dumps(one.events)
    pd.testing.assert_frame_equal(one.history(), two.history())


def test_numbers_with_a_point_serve_wherever_figures_are_told() -> None:
    one, two = (night_of(toy(100), particles=100, seed=1) for _ in range(2))
    one.announce(A=50.0, B=40, abstentions=2.0, present=np.nan)
    two.announce(A=50, B=40, abstentions=2)
    one.inconclusive(pd.Series({"A": 51.0}), blank=1.0)
    two.inconclusive(A=51, blank=1)
    assert str(one.correct(1, pd.Series({"A": 51.0, "B": 40.0, "abstentions": 2.0}))) == str(
        two.correct(1, A=51, B=40, abstentions=2)
    )
    pd.testing.assert_frame_equal(one.history(), two.history())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda night: night.announce(A=50.5, B=40), "votes for A must be a whole number or 'at least 90', got 50.5"),
        (lambda night: night.announce({"A": np.inf}), "votes for A must be a whole number or 'at least 90', got inf"),
        (lambda night: night.announce(A=50, valid=90.5), "valid must be a whole number of papers, got 90.5"),
        (lambda night: night.announce({"A": np.nan, "B": None}), "nothing was announced; give votes by candidate"),
        (lambda night: night.announce(TABLE), "a tally is a mapping or a Series of votes by candidate, such as "
                                              "table.loc[1], got DataFrame"),
        (lambda night: night.announce([50, 40]), "a tally is a mapping or a Series of votes by candidate"),
        (lambda night: night.announce({"A": 50}, A=51), "A is told twice, in the tally and beside it; tell it once"),
        (lambda night: night.announce(TABLE.loc[1], valid=90), "valid is told twice, in the tally and beside it"),
        (lambda night: night.announce(pd.Series([50.0, 40.0])), "no candidate named '0'; there are A, B"),
    ],
)  # fmt: skip
def test_figures_that_are_none_are_refused_whatever_they_come_from(call: Any, said: str) -> None:
    night = night_of(toy(100), particles=50, seed=1)
    with pytest.raises(iom.IomsimError) as caught:
        call(night)
    assert str(caught.value).startswith(said)
    assert night.events == []
