"""Simulated contests: they follow their body's rules, and are told as records tell them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from iomsim.errors import IomsimError
from iomsim.model.bodies import reading
from iomsim.model.components import Behaviour
from iomsim.rules.procedure import Procedure
from iomsim.validation.contest import Contest
from iomsim.validation.data import contests
from iomsim.validation.rounds import RoundTally, rules_of
from iomsim.validation.segments import segments
from iomsim.validation.synthetic import synthetic_contests, to_files


def behaviour(**changes: float) -> Behaviour:
    return Behaviour(**dict(Behaviour()) | changes)


STUBBORN = behaviour(fluid=0.0, openness_entrenched=0.05, openness_inf=0.02, concede_a=0.2, concede_b=30.0)
"""Hardly anybody moves, and nobody gives way: all ballots that the rules allow are held."""

YIELDING = behaviour(concede_a=30.0, concede_b=0.2)
"""The one behind of two withdraws at once."""


def held(contest: Contest) -> list[tuple[str, ...]]:
    """Return who stood in each round between candidates."""
    return [known.candidates for known in contest.rounds if known.kind == "round"]


def last(known: RoundTally) -> set[str]:
    return {name for name, votes in known.votes.items() if votes == min(known.tally)}


# -- whose rules they follow -----------------------------------------------------------------------


def test_the_african_union_has_seven_ballots_and_needs_two_thirds_of_those_entitled() -> None:
    told = synthetic_contests(60, STUBBORN, seed=2, candidates=4, rules="au")
    for one in told:
        assert [len(who) for who in held(one)] == [4, 4, 4, 2, 2, 2][: len(held(one))]
        assert all(max(known.tally) < 33 for known in one.rounds[:-1])
        elected = max(one.rounds[-1].tally) >= 33 if one.rounds[-1].kind == "round" else one.rounds[-1].tally[0] >= 33
        assert (one.winner is not None) == elected
    alone = [one.rounds[-1] for one in told if one.rounds[-1].kind == "yes-no"]
    assert {known.round for known in alone} == {7}
    assert all(known.candidates[1] == "No" and sum(known.tally) == known.valid for known in alone)
    assert {one.ending for one in told} == {"majority", "confirmed", "failed"}
    assert {one.size for one in told} == {49}


def test_the_leader_alone_is_the_one_who_led_the_last_ballot() -> None:
    for one in synthetic_contests(60, STUBBORN, seed=3, candidates=3, rules="au"):
        if one.rounds[-1].kind == "yes-no":
            assert one.rounds[-1].candidates[0] in {
                name for name, votes in one.rounds[-2].votes.items() if votes == max(one.rounds[-2].tally)
            }


def test_the_security_council_takes_turns_between_two_and_all() -> None:
    told = synthetic_contests(40, STUBBORN, seed=2, candidates=3, rules="unsc")
    longest = max(told, key=lambda one: len(held(one)))
    assert [len(who) for who in held(longest)][:13] == [3, 2, 2, 2, 3, 3, 3, 2, 2, 2, 3, 3, 3]


def test_after_a_withdrawal_the_other_is_voted_on_as_a_formality() -> None:
    told = synthetic_contests(60, YIELDING, seed=2, candidates=2, rules="unsc")
    formal = [one for one in told if one.rounds[-1].kind == "single"]
    assert len(formal) > 30
    for one in formal:
        [name], before = one.rounds[-1].candidates, one.rounds[-2].votes
        assert before[name] == max(before.values())
        assert (one.winner == name) == (3 * one.rounds[-1].tally[0] >= 2 * one.rounds[-1].base)
        assert one.decided_how == "withdrawal"
    assert not any(known.kind == "yes-no" for one in told for known in one.rounds)


def test_an_acclamation_leaves_a_round_to_come_that_nobody_announced() -> None:
    told = synthetic_contests(40, YIELDING, seed=2, candidates=2)
    acclaimed = [one for one in told if one.ending == "acclamation"]
    assert len(acclaimed) > 20
    assert all(one.rounds_total == len(one.rounds) + 1 and one.decided_round == len(one.rounds) for one in acclaimed)


def test_unesco_votes_four_times_and_a_fifth_between_the_leaders() -> None:
    told = synthetic_contests(80, STUBBORN, seed=4, candidates=6, rules="unesco")
    assert max(len(one.rounds) for one in told) == 5
    for one in told:
        for before, after in pairwise(one.rounds):
            assert 2 * max(before.tally) <= before.base
            assert len(after.candidates) == (2 if after.round == 5 else 6)
        if one.winner:
            assert 2 * one.rounds[-1].votes[one.winner] > one.rounds[-1].base
        else:
            assert len(set(one.rounds[-1].tally)) == 1  # a tie in the fifth ends it


@pytest.mark.parametrize(("rules", "candidates"), [("ioc", 6), ("who", 5)])
def test_where_the_last_leaves_somebody_with_fewest_votes_does(rules: str, candidates: int) -> None:
    told = synthetic_contests(40, seed=4, candidates=candidates, rules=rules)
    for one in told:
        for before, after in pairwise(one.rounds):
            gone = set(before.candidates) - set(after.candidates)
            assert gone <= last(before)
            assert len(gone) == (len(before.candidates) > 2)
    assert {one.ending for one in told} == {"majority"}


def test_the_health_assembly_asks_less_after_two_thirds_have_failed_between_two() -> None:
    told = synthetic_contests(80, STUBBORN, seed=4, candidates=3, rules="who")
    for one in told:
        shares = [max(known.tally) / known.base for known in one.rounds]
        assert all(share < 2 / 3 for share in shares[:-1])
        assert len(shares) <= 3 or max(shares[2:-1]) <= 0.5
    assert any(len(one.rounds) == 3 and max(one.rounds[2].tally) < 2 / 3 * one.rounds[2].base for one in told)


def test_any_procedure_may_be_given() -> None:
    told = synthetic_contests(30, STUBBORN, seed=1, size=50, candidates=2, rules=reading("four-rounds", "iom"))
    assert {one.size for one in told} == {50}
    assert all(known.kind == "yes-no" for one in told for known in one.rounds[3:])
    assert {len(one.rounds) for one in told} >= {4}


# -- how they are told -----------------------------------------------------------------------------


def test_more_contests_leave_the_first_ones_as_they_are() -> None:
    few, many = (synthetic_contests(n, seed=6, candidates=3, uncertain=True) for n in (3, 8))
    assert few == many[:3]


def test_uncertain_contests_each_have_a_behaviour_of_their_own() -> None:
    """Absence ranges from 1 to 17 in 100: papers differ more than by chance."""
    plain, unsure = (synthetic_contests(200, seed=6, size=1000, uncertain=doubt) for doubt in (False, True))
    spread = [max(c.rounds[0].base for c in told) - min(c.rounds[0].base for c in told) for told in (plain, unsure)]
    assert spread[0] < 80
    assert spread[1] > 200


def test_a_stated_spread_of_the_level_is_kept_when_all_else_is_unsure() -> None:
    told = synthetic_contests(300, behaviour(conviction=0.0), seed=6, size=1000, level_sd=0.0, uncertain=True)
    shares = [one.rounds[0].tally[0] / one.rounds[0].base for one in told]
    assert max(abs(share - 0.5) for share in shares) < 0.07  # 4.5 binomial standard errors of the smallest electorate


def test_rounds_have_dates_and_nights_come_when_they_are_asked_for() -> None:
    [one] = synthetic_contests(1, STUBBORN, seed=1, rounds_a_day=4, rules=reading("strict", "iom"), level_sd=0.0)
    days = [known.date for known in one.rounds[:26]]
    assert days[:9] == [date(2001, 1, 1)] * 4 + [date(2001, 1, 2)] * 4 + [date(2001, 1, 3)]
    assert days[20] == date(2001, 1, 6)
    [same] = synthetic_contests(1, STUBBORN, seed=1, rules=reading("strict", "iom"), level_sd=0.0)
    assert {known.date for known in same.rounds} == {date(2001, 1, 1)}
    undated = [[replace(known, date=None) for known in told.rounds] for told in (one, same)]
    assert undated[0] == undated[1]  # without `overnight` a night changes nothing


def test_the_nights_that_are_told_are_those_that_were_played() -> None:
    all_vote = {"absent": 0.0, "abstain": 0.0, "cross_pressure_absence": 0.0}
    restless = behaviour(fluid=0.0, openness_entrenched=0.0, openness_inf=0.0, overnight=1.0, **all_vote)
    rules = reading("strict", "iom")
    told = synthetic_contests(20, restless, seed=1, rounds_a_day=2, rules=rules, level_sd=0.0)
    moved = [
        (after.date != before.date, after.tally != before.tally)
        for one in told
        for before, after in pairwise(one.rounds[:6])
    ]
    assert {changed for night, changed in moved if not night} == {False}
    assert sum(changed for night, changed in moved if night) > 0.8 * sum(night for night, _ in moved)


def test_stray_papers_are_valid_and_nobodys_and_keep_the_bar_up() -> None:
    told = synthetic_contests(300, behaviour(stray=0.1), seed=3, size=400, level_sd=1.5)
    strays = [known.strays / known.base for one in told for known in one.rounds]
    assert 0.095 < sum(strays) / len(strays) < 0.105
    for one in told:
        for known in one.rounds:
            assert (3 * max(known.tally) >= 2 * known.base) == (known is one.rounds[-1] and one.ending == "majority")
    short = [known for one in told for known in one.rounds[:-1] if 3 * max(known.tally) >= 2 * sum(known.tally)]
    assert short  # two thirds of the votes, and not of the papers


def test_those_who_hand_in_no_paper_cannot_stray() -> None:
    told = synthetic_contests(100, behaviour(stray=0.3, abstain=0.5), seed=3, size=400)
    firsts = [one.rounds[0] for one in told]
    assert 0.28 < sum(known.strays for known in firsts) / sum(known.base for known in firsts) < 0.32


def test_a_vote_of_yes_or_no_is_no_question_of_names() -> None:
    told = synthetic_contests(60, behaviour(stray=0.5), seed=3, rules="au")
    alone = [one.rounds[-1] for one in told if one.rounds[-1].kind == "yes-no"]
    assert len(alone) > 40
    assert min(known.base for known in alone) > 30
    assert {one.ending for one in told} >= {"confirmed", "failed"}


def test_nobody_has_a_camp_in_a_simulated_contest() -> None:
    [made] = synthetic_contests(1, STUBBORN, seed=1, candidates=4, level_sd=1.5)
    camps = [segments(one)[0].camp_strength for one in (made, replace(made, synthetic=False))]
    assert camps[0] == 0
    assert camps[1] > 0


# -- through the files -----------------------------------------------------------------------------


def told_of(contest: Contest) -> dict[str, Any]:
    """Return what files can tell of a contest: what its rules say, not what they are called, nor that it is made up."""
    return asdict(contest) | {"rules": contest.rules.nameless, "synthetic": False}


@pytest.mark.slow
@pytest.mark.parametrize("candidates", [2, 4])
@pytest.mark.parametrize("rules", [None, "unsc", "au", "unesco", "ioc", "who", "iaea", "iom", "oas"])
def test_synthetic_contests_come_back_from_their_files(tmp_path: Path, rules: str | None, candidates: int) -> None:
    told = synthetic_contests(15, behaviour(stray=0.03), seed=3, candidates=candidates, rules=rules, rounds_a_day=2)
    assert list(map(told_of, contests(to_files(told, tmp_path)))) == list(map(told_of, told))


def test_past_contests_come_back_from_their_files(tmp_path: Path) -> None:
    assert list(map(told_of, contests(to_files(contests(), tmp_path)))) == list(map(told_of, contests()))


@pytest.mark.parametrize(
    "table",
    [
        {"withdrawal": "none", "base": "present"},
        {"threshold": "33", "base": "entitled", "withdrawal": "vote"},
        {
            "phases": [
                {"name": "all", "standing": 3, "ballots": 2, "threshold": ["2/3", ">1/2"], "tie": "extra"},
                {"name": "two", "keep": 2, "ballots": 2, "barred": True},
                {"name": "alone", "vote": "yes-no", "ballots": 1, "base": "valid"},
            ],
            "after": "repeat",
            "repeat_from": "all",
        },
    ],
)
def test_rules_of_ones_own_come_back_from_their_files(tmp_path: Path, table: dict[str, Any]) -> None:
    rules = Procedure.of({"threshold": "2/3", "max_rounds": 60} | table)
    told = synthetic_contests(5, seed=3, size=50, candidates=3, rules=rules)
    assert list(map(told_of, contests(to_files(told, tmp_path)))) == list(map(told_of, told))


def test_bars_that_no_column_says_are_refused(tmp_path: Path) -> None:
    rules = rules_of("X", threshold="2/3", simple_majority_from=3)
    with pytest.raises(IomsimError, match="synthetic-1 has several bars, 2/3, 2/3 and >1/2; give them to its"):
        to_files(synthetic_contests(1, seed=1, rules=rules), tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"number": 0}, "number must be a whole number of at least 1, got 0"),
        ({"candidates": 1}, "candidates must be a whole number of at least 2, got 1"),
        ({"candidates": 17}, "candidates must be at most 16, got 17"),
        ({"rules": "unasco"}, "no body named 'unasco'; did you mean 'unesco'"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(IomsimError, match=words):
        synthetic_contests(**{"number": 1, "seed": 1} | arguments)  # type: ignore[arg-type]
