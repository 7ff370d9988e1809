"""Folders of one's own: contests that nobody has seen, as analysts copy them from communiques."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.errors import FileError
from iomsim.model.bodies import reading, readings
from iomsim.model.components import Behaviour
from iomsim.validation.contest import Contest
from iomsim.validation.data import contests
from iomsim.validation.prediction import announce, replay_contest
from iomsim.validation.segments import segments

Votes = Mapping[str, int]


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, columns, restval="")
        out.writeheader()
        out.writerows(rows)


def folder(place: Path, rounds: Mapping[int, Votes], told: Mapping[int, Mapping[str, Any]] = {}, **cells: Any) -> Path:
    """Write one contest; `told` are further cells of a round's lines, `cells` those of the contest."""
    row = {"election_id": "X", "decided_how": "majority", "winner": "A", "electorate_size": 100} | cells
    if not {"body", "threshold_share"} & row.keys():
        row["threshold_share"] = "2/3"
    write(place / "elections.csv", [row])
    lines = [
        {"election_id": "X", "round": r, "candidate": name, "votes": n} | dict(told.get(r, {}))
        for r, votes in rounds.items()
        for name, n in votes.items()
    ]
    write(place / "tallies.csv", lines)
    return place


def read(place: Path, rounds: Mapping[int, Votes], told: Mapping[int, Mapping[str, Any]] = {}, **cells: Any) -> Contest:
    [one] = contests(folder(place, rounds, told, **cells))
    return one


def said(place: Path, **arguments: Any) -> pd.DataFrame:
    """Return what the model said, by round."""
    test = iom.backtest(iom.contests(place), **{"particles": 400, "seed": 1, "progress": False} | arguments)
    return test.rows.query("forecaster == 'model'").set_index("round")


# -- strays keep it open -------------------------------------------------------------------------

CHAMBER = {1: {"P": 101, "Q": 96, "R": 5}, 2: {"P": 101, "Q": 97, "R": 4}, 3: {"P": 100, "Q": 97, "R": 5}}
"""More than half of 202 is 102; between the two main ones alone 101 of 197 would be enough."""


@pytest.mark.slow
@pytest.mark.parametrize("third", ["R", "Others", "scattered", "write-ins"])
def test_few_votes_for_a_third_keep_the_first_from_a_majority(tmp_path: Path, third: str) -> None:
    rounds = {r: {third if name == "R" else name: n for name, n in votes.items()} for r, votes in CHAMBER.items()}
    rounds[4] = {"Q": 104, "P": 98}
    one = read(tmp_path, rounds, winner="Q", threshold_share=">1/2", electorate_size=202)
    assert one.points == (1, 2, 3)
    assert [known.base for known in one.rounds[:3]] == [202, 202, 202]
    model = said(tmp_path)
    assert (model["p_over_next"] < 0.97).all()
    assert model["p_winner"].between(1e-9, 1 - 1e-9).all()


def test_papers_for_others_are_no_candidate(tmp_path: Path) -> None:
    one = read(tmp_path, {1: {"A": 60, "B": 25, "Others": 5}, 2: {"A": 70, "B": 20}})
    assert one.candidates == ("A", "B")
    assert (one.rounds[0].base, one.rounds[0].strays) == (90, 5)
    assert one.rounds[0].candidates == ("A", "B")


def test_scattered_votes_by_name_count_in_the_base(tmp_path: Path) -> None:
    one = read(tmp_path, {1: {"A": 61, "B": 30, "Y": 1, "Z": 1}, 2: {"A": 70, "B": 20}}, base="valid")
    assert one.candidates == ("A", "B")
    assert one.rounds[0].base == 93
    assert one.points == (1,)  # 61 of the 91 for A and B would be two thirds
    assert one.needed(1, 93) == 62


# -- never, and other words -----------------------------------------------------------------------


@pytest.mark.slow
def test_nobody_is_put_out_where_the_file_says_never(tmp_path: Path) -> None:
    rounds = {r: {"A": 45, "B": 40, "C": 10} for r in range(1, 5)} | {5: {"A": 52, "B": 43}}
    one = read(tmp_path, rounds, threshold_share=">1/2", eliminate_after="never")
    assert not any(phase.drop for phase in one.rules.phases)
    model = said(tmp_path)
    assert len(model) == 4
    for step in replay_contest(one, particles=300, seed=2):
        assert step.conditioning.startswith("exact")


def test_a_number_of_rounds_is_a_rule_and_a_word_that_is_none_is_refused(tmp_path: Path) -> None:
    assert any(
        p.drop for p in read(tmp_path, {1: {"A": 45, "B": 40}, 2: {"A": 70, "B": 20}}, eliminate_after=1).rules.phases
    )
    with pytest.raises(FileError, match=r"elections.csv, line 2: eliminate_after must be .* got 'nevr'"):
        read(tmp_path, {1: {"A": 45, "B": 40}, 2: {"A": 70, "B": 20}}, eliminate_after="nevr")


# -- who stands: entries, withdrawals, ties, growing papers --------------------------------------------


def test_a_last_round_that_is_fought_decides_and_is_no_formality(tmp_path: Path) -> None:
    rounds = {1: {"A": 20, "B": 16, "C": 12, "D": 9}, 2: {"A": 28, "B": 28}, 3: {"B": 30, "A": 26}}
    note = {2: {"note": "C and D withdrew"}}
    one = read(tmp_path, rounds, note, winner="B", threshold_share=">1/2", electorate_size=58)
    assert [known.kind for known in one.rounds] == ["round"] * 3
    assert (one.decided_round, one.ending, one.points) == (3, "majority", (1, 2))
    assert one.aftermath(2).to_come == 1
    assert one.aftermath(2).next_share == pytest.approx((26 / 56, 30 / 56)[one.situation(2).candidates[0] == "B"])
    assert one.rounds[1].tied


def test_after_a_tie_nobody_is_taken_to_withdraw(tmp_path: Path) -> None:
    folder(
        tmp_path, {1: {"A": 28, "B": 28}, 2: {"B": 30, "A": 26}}, winner="B", threshold_share=">1/2", electorate_size=58
    )
    row = said(tmp_path).loc[1]
    assert row["p_over_next"] < 1
    to_come = next(iter(replay_contest(iom.contests(tmp_path)[0], particles=400))).prediction.to_come
    assert to_come is not None
    assert to_come[0] == 0


def test_candidates_who_leave_come_in_and_come_back_give_forecasts(tmp_path: Path) -> None:
    rounds = {
        1: {"A": 40, "B": 30, "C": 22},
        2: {"A": 44, "B": 47},  # C has withdrawn
        3: {"A": 30, "B": 30, "D": 30},  # D comes in
        4: {"A": 30, "C": 31, "D": 30},  # B leaves, C comes back
        5: {"A": 66, "C": 25},
    }
    one = read(tmp_path, rounds)
    assert one.candidates == ("A", "B", "C", "D")
    assert one.points == (1, 2, 3, 4)
    model = said(tmp_path)
    assert list(model.index) == [1, 2, 3, 4]
    assert model["p_winner"].between(0, 1).all()
    assert model.loc[3, "conditioning"] == "restart at round 3 (other candidates before)"


def test_a_round_after_which_somebody_withdrew_at_once_is_forecast(tmp_path: Path) -> None:
    one = read(tmp_path, {1: {"A": 55, "B": 40}}, decided_how="withdrawal", rounds_total=2)
    assert one.points == (1,)
    row = said(tmp_path).loc[1]
    assert 0 < row["p_over_next"] < 1


def test_papers_that_grow_are_no_obstacle(tmp_path: Path) -> None:
    rounds = {1: {"A": 30, "B": 28}, 2: {"A": 42, "B": 40}, 3: {"A": 49, "B": 49}, 4: {"A": 67, "B": 31}}
    read(tmp_path, rounds)
    model = said(tmp_path)
    assert list(model.index) == [1, 2, 3]
    assert model["p_winner"].between(0, 1).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules", ["unsc", "au", "unesco", "ioc", "who", "iaea", "fao", "oas", "itu", "ilo", "bie", "iom"]
)
def test_a_contest_under_any_shipped_body_gives_a_result(tmp_path: Path, rules: str) -> None:
    rounds = {1: {"A": 40, "B": 33, "C": 20}, 2: {"A": 47, "B": 45}, 3: {"A": 48, "B": 44}}
    one = read(tmp_path, rounds, body=rules, decided_how="majority", rounds_total=4)
    assert one.rules.phases == next(iter(readings(rules).values())).phases
    test = iom.backtest(iom.contests(tmp_path), particles=200, progress=False)
    assert len(test.cases) + len(test.skipped) == 3
    assert test.rows["p_winner"].dropna().between(0, 1).all()


def test_who_is_put_out_may_be_somebody_with_next_to_no_votes(tmp_path: Path) -> None:
    """D has one vote of 97 and leaves: C, who is third, stays for the second round, and A has not won yet."""
    rounds = {1: {"A": 47, "B": 30, "C": 19, "D": 1}, 2: {"A": 46, "B": 30, "C": 21}, 3: {"A": 55, "B": 42}}
    one = read(tmp_path, rounds, body="ioc", candidates_first_round=4)
    first, second = replay_contest(one, particles=500, seed=1)
    assert first.conditioning == "exact: round 1"
    assert second.conditioning == "exact: rounds 1-2"
    assert first.prediction.over_next is not None
    assert first.prediction.over_next < 0.9
    assert second.prediction.over_next is not None
    assert second.prediction.over_next > 0.95  # two are left: one more round, but for a tie
    few = read(tmp_path, rounds, body="ioc", candidates_first_round=3)  # D is a name on a paper, and C leaves
    with_strays = next(iter(replay_contest(few, particles=500, seed=1)))
    assert with_strays.prediction.over_next is not None
    assert with_strays.prediction.over_next > 0.9


# -- papers without a candidate ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Abstentions", "abstentions"), ("abstention", "abstentions"), ("Invalid", "invalid"),
        ("Invalid papers", "invalid"),
        ("Spoilt votes", "invalid"), ("void", "invalid"), ("Blank", "blank"), ("blank ballots", "blank"),
    ],
)  # fmt: skip
def test_papers_that_name_nobody_are_no_candidate_and_no_valid_paper(tmp_path: Path, line: str, kept: str) -> None:
    one = read(tmp_path, {1: {"A": 50, "B": 33, line: 11}, 2: {"A": 65, "B": 28}})
    assert one.candidates == ("A", "B")
    assert one.rounds[0].base == 83
    assert dict(one.rounds[0].papers) == {kept: 11}


def test_a_candidate_may_be_called_like_a_paper_if_the_name_says_more(tmp_path: Path) -> None:
    rounds = {1: {"Void Baptiste": 50, "Blanka": 33}, 2: {"Void Baptiste": 65, "Blanka": 28}}
    one = read(tmp_path, rounds, winner="Void Baptiste")
    assert one.candidates == ("Void Baptiste", "Blanka")


def test_more_papers_than_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=r"tallies.csv, line 4: round 1 has more votes than members: 112 papers, 100 memb"
    ):
        read(tmp_path, {1: {"A": 50, "B": 40, "Abstentions": 22}, 2: {"A": 65, "B": 28}})


def test_papers_for_others_are_among_the_valid_ones(tmp_path: Path) -> None:
    rounds = {1: {"A": 50, "B": 33, "Others": 9}, 2: {"A": 65, "B": 28}}
    assert read(tmp_path, rounds, {1: {"votes_cast_or_valid": 92}}).rounds[0].strays == 9
    with pytest.raises(FileError, match="the tallies of round 1 add up to 92, more than the 90 valid papers"):
        read(tmp_path, rounds, {1: {"votes_cast_or_valid": 90}})
    with pytest.raises(FileError, match="round 1 has more votes than members: 101 papers, 100 members"):
        read(tmp_path, {1: {"A": 50, "B": 33, "Others": 18}, 2: {"A": 65, "B": 28}})


def test_a_round_of_papers_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="round 2 has papers without a candidate only"):
        read(tmp_path, {1: {"A": 50, "B": 40}, 2: {"Blank": 28}})


# -- columns ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "column", "meant"),
    [
        ("elections.csv", "bodie", "body"), ("elections.csv", "treshold_share", "threshold_share"),
        ("elections.csv", "electorate_sise", "electorate_size"), ("elections.csv", "elimnate_after", "eliminate_after"),
        ("tallies.csv", "vallid", ""), ("tallies.csv", "majority_require", "majority_required"),
        ("tallies.csv", "votes_cast_or_vaild", "votes_cast_or_valid"), ("tallies.csv", "colour", ""),
        ("elections.csv", "Winner", "winner"),
    ],
)  # fmt: skip
def test_a_column_that_says_nothing_is_refused_and_the_nearest_named(
    tmp_path: Path, file: str, column: str, meant: str
) -> None:
    folder(tmp_path, {1: {"A": 50, "B": 40}, 2: {"A": 65, "B": 28}})
    text = (tmp_path / file).read_text().splitlines()
    (tmp_path / file).write_text("\n".join([f"{text[0]},{column}", *(f"{line}," for line in text[1:])]) + "\n")
    with pytest.raises(FileError) as refused:
        contests(tmp_path)
    assert f"{file} has a column {column!r}, which says nothing" in str(refused.value)
    assert not meant or f"did you mean {meant!r}" in str(refused.value)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"body": "unsc", "reading": "rule-94"}, "no reading of the rules of 'unsc' named 'rule-94'; did you mean 'r"),
        ({"body": "a club", "threshold_share": ""}, "threshold_share is empty, and no rules are known of a body 'a cl"),
        ({"body": "a club", "threshold_share": "2/3", "reading": "x"}, "a reading needs the id of a shipped body, got"),
        ({"threshold_share": "1/2"}, "threshold_share must be a bar such as .* got '1/2'"),
        ({"threshold_share": "2/3", "base": "vaild"}, "no base named 'vaild'; did you mean 'valid'"),
        ({"threshold_share": "2/3", "withdrawal": "allowed"}, "no withdrawal named 'allowed'; there are none, accl"),
        ({"body": "au", "phases": "three ballots"}, "phases must list phases as the rules of a scenario do, such as"),
        ({"body": "au", "phases": "[{ balots = 3 }]"}, "no part of a phase named 'balots'; did you mean 'ballots'"),
        ({"body": "au", "phases": "[{ ballots = 3 }]"}, "the last phase has an end; say what then follows"),
        ({"body": "au", "phases": "[{ ballots = 3 }]", "after": "stop"}, "no after named 'stop'; there are fail, sus"),
        ({"body": "au", "phases": "[]"}, "no phase; give at least one"),
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused_in_one_sentence(
    tmp_path: Path, cells: dict[str, Any], words: str
) -> None:
    with pytest.raises(FileError, match=r"elections.csv, line 2: ") as refused:
        read(tmp_path, {1: {"A": 50, "B": 40}, 2: {"A": 65, "B": 28}}, **cells)
    assert refused.match(words)
    assert "\n" not in str(refused.value)


# -- a body, its readings, and phases of one's own ------------------------------------------------------


def test_a_body_brings_its_rules_and_a_reading_another_set(tmp_path: Path) -> None:
    rounds = {1: {"A": 14, "B": 12, "C": 9}, 2: {"A": 18, "B": 17}}
    for name in ("procedure-2019", "procedure-2009"):
        one = read(tmp_path, rounds, body="IAEA", reading=name, winner="none", decided_how="failed", electorate_size=35)
        assert one.body == "iaea"
        assert one.rules.phases == reading(name, "iaea").phases
    assert read(tmp_path, rounds, body="iaea", electorate_size=35, rounds_total=3).rules.name == "procedure-2019"


def test_what_the_row_says_differs_from_the_body(tmp_path: Path) -> None:
    rounds = {1: {"A": 20, "B": 16, "C": 12}, 2: {"A": 29, "B": 19}}
    one = read(tmp_path, rounds, body="au", base="valid", threshold_share=">1/2", electorate_size=50)
    assert (one.rules.base, one.needed(1, 48)) == ("valid", 25)
    assert one.rules.phases == reading("rule-42", "au").phases


def test_phases_of_ones_own_stand_in_a_cell(tmp_path: Path) -> None:
    alone = "{ vote = 'yes-no', ballots = 1, threshold = '>1/2' }"
    phases = f"[{{ name = 'all', ballots = 2 }}, {{ keep = 2, ballots = 1 }}, {alone}]"
    rounds = {
        1: {"A": 40, "B": 32, "C": 20},
        2: {"A": 41, "B": 33, "C": 18},
        3: {"A": 48, "B": 44},
        4: {"A": 50, "No": 44},
    }
    one = read(tmp_path, rounds, threshold_share="2/3", phases=phases, after="fail", decided_how="confirmed")
    assert [(phase.ballots, phase.keep, phase.vote) for phase in one.rules.phases] == [
        (2, None, "choice"), (1, 2, "choice"), (1, None, "yes-no"),
    ]  # fmt: skip
    assert (one.rounds[3].kind, one.ending, one.points) == ("yes-no", "confirmed", (1, 2, 3))
    model = said(tmp_path)
    assert model.loc[3, "p_over_next"] == 1  # the vote on the leader ends it, whatever it says
    assert model.loc[2, "p_over_next"] < 0.9


# -- how it ended ----------------------------------------------------------------------------------------


def test_who_won_may_have_been_behind_in_a_last_round_that_elected_nobody(tmp_path: Path) -> None:
    rounds = {1: {"A": 44, "B": 50}, 2: {"A": 45, "B": 49}}
    assert read(tmp_path, rounds, decided_how="withdrawal").winner == "A"
    with pytest.raises(FileError, match="the winner is A, but B had the votes in round 2, the last"):
        read(tmp_path, {1: {"A": 44, "B": 50}, 2: {"A": 25, "B": 69}})


def test_a_round_that_elected_is_no_point_though_the_stated_share_asks_for_more(tmp_path: Path) -> None:
    one = read(tmp_path, {1: {"A": 50, "B": 44}, 2: {"A": 60, "B": 35}})  # a lower bar that no column tells
    assert one.points == (1,)
    assert one.unused(one.rounds[1]) == "it elected"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"body": "unsc"}, "two thirds until reached"),
        ({"body": "who"}, "two thirds, with an end"),
        ({"body": "au"}, "two thirds, with an end"),
        ({"threshold_share": "2/3", "simple_majority_from": 4}, "two thirds, with an end"),
        ({"threshold_share": "2/3"}, "two thirds until reached"),
        ({"body": "unesco"}, "more than half"),
        ({"threshold_share": ">1/2"}, "more than half"),
    ],
)
def test_kinds_of_rules(tmp_path: Path, cells: dict[str, Any], kind: str) -> None:
    rounds = {1: {"A": 40, "B": 38, "C": 15}, 2: {"A": 47, "B": 46}}
    assert read(tmp_path, rounds, rounds_total=3, **cells).kind == kind


def test_the_bar_of_the_baselines_falls_when_that_of_the_contest_does(tmp_path: Path) -> None:
    """Of three, two thirds are asked twice: rounds count from those who stood first, not from the two who are left."""
    one = read(tmp_path, {1: {"A": 40, "B": 38, "C": 15}, 2: {"A": 47, "B": 46}, 3: {"A": 48, "B": 45}}, body="who")
    assert [one.situation(2).needed(round_, 93) for round_ in (2, 3)] == [62, 47]


def test_version_0_1_knew_no_camp(tmp_path: Path) -> None:
    folder(tmp_path, {1: {"A": 45, "B": 30, "C": 18}, 2: {"A": 66, "B": 27}})
    usual, without, with_ = (said(tmp_path, model="0.1", **camp) for camp in ({}, {"camp": False}, {"camp": True}))
    pd.testing.assert_frame_equal(usual, without)
    assert usual.loc[1, "next_median"] != with_.loc[1, "next_median"]


# -- what a replay starts from ------------------------------------------------------------------------------


def test_one_who_withdraws_between_rounds_leaves_the_others_to_be_followed_on(tmp_path: Path) -> None:
    rounds = {1: {"A": 45, "B": 30, "C": 20}, 2: {"A": 50, "B": 45}, 3: {"A": 66, "B": 29}}
    one = read(tmp_path, rounds)
    assert [step.conditioning for step in replay_contest(one, particles=300)] == ["exact: round 1", "exact: rounds 1-2"]


@pytest.mark.parametrize(("rules", "gone"), [("unesco", True), ("ioc", False)])
def test_who_is_not_named_any_more_is_out_by_the_rules_or_has_withdrawn(tmp_path: Path, rules: str, gone: bool) -> None:
    rounds = {1: {"A": 40, "B": 30, "C": 25}, 2: {"A": 46, "B": 47}, 3: {"A": 56, "B": 39}}
    [part, *_] = segments(read(tmp_path, rounds, body=rules))
    day = iom.live(part.scenario(), 300, 1, assumptions="fixed")
    assert all(announce(day, known) for known in part.rounds[:2])
    assert day.state.withdrawn.tolist() == [False, False, gone]
    assert day.state.standing.tolist() == [True, True, False]


def test_one_who_comes_back_begins_a_new_stretch(tmp_path: Path) -> None:
    rounds = {
        1: {"A": 45, "B": 30, "C": 20},
        2: {"A": 50, "B": 45},
        3: {"A": 44, "B": 30, "C": 21},
        4: {"A": 66, "B": 29},
    }
    assert [part.start for part in segments(read(tmp_path, rounds))] == [1, 3]


def test_where_members_are_barred_nobody_is_away_for_good(tmp_path: Path) -> None:
    rounds = {1: {"A": 30, "B": 29, "C": 20}, 2: {"A": 46, "B": 41}}
    barred, free = (read(tmp_path, rounds, body=name, base="valid") for name in ("ioc", "fao"))
    absent = [segments(one)[0].scenario().behaviour.absent.value for one in (barred, free)]
    assert absent[0] == 0
    assert absent[1] > 0.1


def test_the_bar_that_was_announced_is_that_of_the_first_ballot_followed(tmp_path: Path) -> None:
    told = {1: {"majority_required": 70}}
    one = read(tmp_path, {1: {"A": 65, "B": 25}, 2: {"A": 70, "B": 22}}, told, base="valid")  # 60 of 90 are two thirds
    rules = segments(one)[0].rules
    assert (rules.needed(90, 1), rules.needed(90, 2)) == (70, 60)


def test_ranges_move_with_their_values_where_rounds_are_not_known(tmp_path: Path) -> None:
    one = read(tmp_path, {4: {"A": 50, "B": 44}, 5: {"A": 70, "B": 22}})
    usual, then = Behaviour(), segments(one)[0].scenario().behaviour
    for name in ("openness_fluid", "momentum_fluid"):
        before, after = getattr(usual, name), getattr(then, name)
        assert after.low < before.low
        assert after.value < before.value
        assert after.high < before.high
    assert (then.concede_b.low, then.concede_b.high) == (usual.concede_b.low + 3, usual.concede_b.high + 3)


def test_uncertain_assumptions_say_something_else_than_the_values(tmp_path: Path) -> None:
    one = read(tmp_path, {1: {"A": 50, "B": 44}, 2: {"A": 70, "B": 22}})
    fixed, drawn = (next(iter(replay_contest(one, particles=400, assumptions=how))) for how in ("fixed", 200))
    assert fixed.prediction.shares is not None
    assert drawn.prediction.shares is not None
    assert not np.array_equal(fixed.prediction.shares, drawn.prediction.shares)
    assert drawn.prediction.shares.std() > 1.1 * fixed.prediction.shares.std()


def test_where_few_particles_agree_with_a_first_tally_more_are_taken(tmp_path: Path) -> None:
    votes = {"A": 18, "B": 12, "C": 9, "D": 8, "E": 6, "F": 4}
    one = read(tmp_path, {1: votes, 2: votes | {"A": 20, "B": 10}}, body="unesco", electorate_size=58, rounds_total=5)
    [first, *_] = replay_contest(one, particles=6)
    assert first.effective >= 5


# -- nights --------------------------------------------------------------------------------------------

RESTLESS = Behaviour(
    **dict(Behaviour()) | {"fluid": 0.0, "openness_entrenched": 0.0, "openness_inf": 0.0, "overnight": 0.9}
)
"""Nobody thinks again by day, and nearly everybody at night."""

QUIET = {r: {"A": 50, "B": 45} for r in (1, 2, 3)} | {4: {"A": 66, "B": 30}}


def dated(*days: int) -> dict[int, dict[str, str]]:
    return {r: {"date": date(2021, 3, day).isoformat()} for r, day in enumerate(days, start=1)}


def spreads(place: Path, model: Behaviour, *days: int) -> dict[int, float]:
    one = read(place, QUIET, dated(*days))
    steps = replay_contest(one, model, particles=400, seed=4)
    return {step.round: float(step.prediction.shares.std()) for step in steps if step.prediction.shares is not None}


def test_a_night_moves_the_round_after_it_and_only_that(tmp_path: Path) -> None:
    night = spreads(tmp_path, RESTLESS, 1, 1, 2, 2)
    assert night[1] < 0.02
    assert night[2] > 0.05
    assert night[3] < 0.02
    assert all(wide < 0.02 for wide in spreads(tmp_path, RESTLESS, 1, 1, 1, 1).values())
    assert all(wide < 0.02 for r, wide in spreads(tmp_path, RESTLESS, 1, 2, 2, 2).items() if r != 1)


def test_without_overnight_nobody_moves_at_night(tmp_path: Path) -> None:
    calm = RESTLESS.model_copy(update={"overnight": Behaviour().overnight})
    assert all(wide < 0.02 for wide in spreads(tmp_path, calm, 1, 1, 2, 2).values())


def test_a_contest_without_dates_has_no_nights(tmp_path: Path) -> None:
    one = read(tmp_path, QUIET)
    assert [one.night_after(r) for r in (1, 2, 3, 4)] == [None] * 4
    steps = replay_contest(one, RESTLESS, particles=400, seed=4)
    assert all(step.prediction.shares is not None and step.prediction.shares.std() < 0.02 for step in steps)


def test_a_night_is_of_the_dates_and_a_long_break_is_one_too(tmp_path: Path) -> None:
    one = read(tmp_path, QUIET, dated(1, 1, 9, 9))
    assert [one.night_after(r) for r in (1, 2, 3, 4)] == [None, date(2021, 3, 9), None, None]
    assert spreads(tmp_path, RESTLESS, 1, 1, 9, 9)[2] > 0.05


def test_dates_that_run_backwards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"dated 2021-03-01, before an earlier one \(2021-03-02\)"):
        read(tmp_path, QUIET, dated(1, 2, 1, 2))


# -- the bar and the papers that were announced -----------------------------------------------------------


def test_the_announced_papers_are_the_base(tmp_path: Path) -> None:
    rounds = {1: {"A": 62, "B": 28}, 2: {"A": 67, "B": 25}}
    assert read(tmp_path, rounds, {1: {"votes_cast_or_valid": 96}}, base="valid").points == (1,)
    assert read(tmp_path, rounds, base="valid").points == ()  # 62 of 90 would have elected


def test_a_base_that_nobody_stated_is_the_one_by_which_what_went_on_could_go_on(tmp_path: Path) -> None:
    one = read(tmp_path, {1: {"A": 62, "B": 28}, 2: {"A": 67, "B": 25}})  # 62 of 90 are two thirds, of 100 not
    assert (one.rules.base, one.points) == ("entitled", (1,))


def test_the_announced_bar_counts_whatever_the_share_says(tmp_path: Path) -> None:
    rounds = {1: {"A": 62, "B": 28}, 2: {"A": 67, "B": 25}}
    one = read(tmp_path, rounds, {1: {"majority_required": 67}, 2: {"majority_required": 67}})
    assert one.points == (1,)
    row = said(tmp_path).loc[1]
    assert 0 < row["p_over_next"] < 1
    assert row["conditioning"] == "exact: round 1"


def test_a_bar_that_was_reached_elected(tmp_path: Path) -> None:
    rounds = {1: {"A": 52, "B": 40}, 2: {"A": 60, "B": 34}}
    assert read(tmp_path, rounds, {2: {"majority_required": 60}}).points == (1,)


def test_strays_of_the_first_tally_are_expected_in_the_next(tmp_path: Path) -> None:
    """With 12 of 96 papers for others two thirds are hard to reach; without them they are not."""
    rounds = {1: {"A": 58, "B": 26}, 2: {"A": 65, "B": 28}}
    folder(tmp_path, rounds, {1: {"votes_cast_or_valid": 96}})
    with_strays = said(tmp_path, assumptions="fixed").loc[1]
    one = iom.contests(tmp_path)[0]
    step = next(iter(replay_contest(one, particles=400, seed=1)))
    assert one.situation(1).valid == 96
    assert step.prediction.shares is not None
    assert with_strays["p_over_next"] < (step.prediction.shares >= 2 / 3).mean()
