"""The record of past contests: filters, what came of them, and the rounds most like a tally."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from contest_files import election, own, tally, write
from toys import slow_but

import iomsim as iom
from iomsim.errors import AnnouncementError, IomsimError, UnknownNameError
from iomsim.validation.courses import first_between, left_open, overtaken, withdrew
from iomsim.validation.record import (
    AFTER,
    BEHIND,
    FROM,
    GROUPS,
    MOVE,
    NOBODY,
    OVER_NEXT,
    QUESTIONS,
    ROUNDS,
    TOWARDS,
    WITHDREW,
    WON_FIRST,
    WON_OPEN,
    WON_TWO,
    History,
)
from iomsim.validation.similar import apart, luck


@pytest.fixture(scope="module")
def past() -> History:
    return iom.history()


@pytest.fixture
def five(tmp_path: Path) -> History:
    """Return five contests that can be counted on one hand; two thirds elect."""
    rounds: dict[str, dict[int, dict[str, int]]] = {
        "LED1": {1: {"A": 60, "B": 40}, 2: {"A": 70, "B": 30}},  # the leader wins in the next round
        "GAVE2": {1: {"A": 55, "B": 45}, 2: {"A": 52, "B": 48}, 3: {"A": 62, "B": 38}},  # B withdraws
        "TURN3": {1: {"A": 51, "B": 49}, 2: {"A": 45, "B": 55}, 3: {"A": 30, "B": 70}},  # overtaken
        "ONCE4": {1: {"A": 80, "B": 20}},  # elected at once
        "TRIO5": {1: {"A": 40, "B": 35, "C": 25}, 2: {"A": 50, "B": 50}, 3: {"A": 68, "B": 32}},  # tied between two
    }
    elections = [
        election("LED1", year=2001),
        election("GAVE2", "withdrawal", year=2002, total=4),
        election("TURN3", winner="B", year=2003),
        election("ONCE4", year=2004),
        election("TRIO5", year=2005, start=3),
    ]
    lines = [line for name, told in rounds.items() for r, votes in told.items() for line in tally(r, dict(votes), name)]
    return iom.history(write(tmp_path, elections, lines))


def counts(past: History) -> dict[str, tuple[int, int]]:
    table = past.table()
    return {str(name): (row["count"], row["of"]) for name, row in table.iterrows() if not pd.isna(row["count"])}


# -- the record ------------------------------------------------------------------------------------


def test_it_unpacks_into_the_tables(past: History) -> None:
    elections, tallies = past
    assert elections is past.elections
    assert tallies is past.tallies
    assert tuple(elections["election_id"]) == tuple(one.id for one in past.contests)
    assert set(tallies["election_id"]) <= set(elections["election_id"])
    assert past.record == past.contests == iom.contests()


def test_each_contest_has_a_row(five: History) -> None:
    each = five.each()
    assert each.index.tolist() == ["LED1", "GAVE2", "TURN3", "ONCE4", "TRIO5"]
    assert each["two_from"].tolist() == [1, 1, 1, 1, 2]
    assert each["two_left_open"].tolist() == [True, True, True, False, True]
    assert each["two_leader"].fillna("").tolist() == ["A", "A", "A", "A", ""]
    assert each["first_leader_won"].tolist() == [True, True, False, True, True]
    assert each.loc["GAVE2", ["withdrew", "withdrew_after", "withdrew_after_two"]].tolist() == ["B", 3, 3]
    assert each.loc["GAVE2", "withdrew_share"] == pytest.approx(0.38)
    assert each["move"].iloc[:3].tolist() == pytest.approx([10, -3, -6])
    assert each["move"].isna().tolist() == [False, False, False, True, False]  # nothing follows an election
    assert each["next_share"].iloc[-1] == pytest.approx(0.68)
    each["body"] = "changed"
    assert five.each()["body"].tolist() == ["Body"] * 5


def test_what_is_counted(five: History) -> None:
    assert counts(five) == {
        NOBODY: (0, 5),
        WON_FIRST: (4, 5),
        WON_TWO: (3, 4),  # a tie has no leader
        WON_OPEN: (2, 3),
        BEHIND: (1, 3),
        OVER_NEXT: (2, 4),
        TOWARDS: (2, 4),
        WITHDREW: (1, 4),
    }
    table = five.table()
    assert table.loc[ROUNDS, ["of", "median", "least", "most"]].tolist() == [5, 3, 1, 4]
    assert table.loc[MOVE, ["of", "median", "least", "most"]].tolist() == pytest.approx([4, 8, 3, 18])
    assert table.loc[AFTER, ["of", "median"]].tolist() == [1, 3]
    assert table.loc[FROM, ["of", "median"]].tolist() == pytest.approx([1, 38])
    shares = (table["count"] / table["of"]).astype(float).dropna()
    assert table["share"].dropna().tolist() == pytest.approx(shares.tolist())


def test_no_number_without_its_count(past: History, five: History) -> None:
    for one in (past, five, past.filter(years=1900)):
        table = one.table()
        assert table.index.tolist() == list(QUESTIONS)
        known = table[["share", "median", "least", "most"]].notna().any(axis=1)
        assert (known == (table["of"] > 0)).all()
        assert (table["count"].dropna() <= table["of"][table["count"].notna()]).all()


def test_a_withdrawal_after_which_the_other_is_voted_on_is_one_too(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 50, "B": 48}, 2: {"A": 80, "B": 3}}, kinds={2: "single"}, how="withdrawal", size=100)
    out = withdrew(one)
    assert out is not None
    assert (out[0], out[1].round) == ("B", 1)
    oas = iom.history().filter(body="oas").each()
    assert oas["withdrew_after_two"].tolist() == [5]


@pytest.mark.parametrize("group", slow_but(GROUPS, "kind", "candidates"))
def test_groups_add_up(past: History, group: str) -> None:
    by, table = past.by(group), past.table()
    assert by["contests", "count"].sum() == len(past.contests)
    for question in QUESTIONS:
        assert by[question, "of"].sum() == table.at[question, "of"]
        if not QUESTIONS[question].unit:
            assert by[question, "count"].sum() == table.at[question, "count"]


def test_a_group_is_the_record_of_its_own(past: History) -> None:
    by = past.by("bar")
    alone = past.filter(bar="2/3").table()
    for question, key in ((WON_OPEN, "count"), (ROUNDS, "median"), (MOVE, "median")):
        assert by.loc["2/3", (question, key)] == pytest.approx(alone.at[question, key])


def test_an_unknown_group_is_refused(past: History) -> None:
    with pytest.raises(UnknownNameError, match="no group named 'bodies'; did you mean 'body'"):
        past.by("bodies")


# -- questions to one contest ---------------------------------------------------------------------------


def test_who_led_may_be_overtaken(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 51, "B": 49}, 2: {"A": 49, "B": 51}, 3: {"A": 70, "B": 30}})
    assert overtaken(one, one.at(1)) is True
    assert overtaken(one, one.at(2)) is True
    assert overtaken(one, one.at(3)) is None  # nothing follows


def test_a_first_ballot_is_one_before_which_nothing_is_unknown(tmp_path: Path) -> None:
    known = own(tmp_path, {1: {"A": 40, "B": 35, "C": 25}, 2: {"A": 55, "B": 45}, 3: {"A": 70, "B": 30}}, start=3)
    [two, three] = [first_between(known, many) for many in (2, 3)]
    assert (two and two.round, three and three.round) == (2, 1)
    gap = own(tmp_path, {4: {"A": 55, "B": 45}, 5: {"A": 70, "B": 30}})
    assert first_between(gap, 2) is None


def test_what_left_it_open(tmp_path: Path) -> None:
    one = own(tmp_path, {1: {"A": 55, "B": 45}, 2: {"A": 70, "B": 30}})
    assert [left_open(one, one.at(round_)) for round_ in (1, 2)] == [True, False]
    at_once = own(tmp_path, {1: {"A": 55, "B": 45}}, how="withdrawal", total=1)
    assert left_open(at_once, at_once.at(1))
    out = withdrew(at_once)
    assert out is not None
    assert (out[0], out[1].round) == ("B", 1)


def test_who_withdrew_is_told_of_two_only(tmp_path: Path) -> None:
    three = own(tmp_path, {1: {"A": 40, "B": 35, "C": 25}}, how="withdrawal", total=1, start=3)
    assert withdrew(three) is None


def test_kinds_of_rules(past: History) -> None:
    kinds = past.each()["kind"]
    assert set(kinds) <= {"two thirds until reached", "two thirds, with an end", "more than half"}
    assert kinds["UNSC2007-EEG"] == "two thirds until reached"


# -- filters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picked", "left"),
    [
        ({"candidates": 3}, ["TRIO5"]),
        ({"candidates": "3+"}, ["TRIO5"]),
        ({"candidates": "2-3", "rounds": "3+"}, ["GAVE2", "TURN3", "TRIO5"]),
        ({"years": (2002, 2003)}, ["GAVE2", "TURN3"]),
        ({"years": (None, 2001)}, ["LED1"]),
        ({"years": (2005, None)}, ["TRIO5"]),
        ({"years": np.int64(2004)}, ["ONCE4"]),
        ({"ending": "withdrawal"}, ["GAVE2"]),
        ({"ending": "acclamation"}, ["GAVE2"]),
        ({"ending": ["failed", "Withdrawal"]}, ["GAVE2"]),
        ({"contest": ["ONCE4", "led1"]}, ["LED1", "ONCE4"]),
        ({"size": 100, "body": "body", "bar": "2/3"}, ["LED1", "GAVE2", "TURN3", "ONCE4", "TRIO5"]),
        ({"bar": ">1/2"}, []),
        ({"size": "101+"}, []),
        ({"held_out": True}, []),
    ],
)
def test_filters(five: History, picked: dict[str, Any], left: list[str]) -> None:
    found = five.filter(**picked)
    assert [one.id for one in found.contests] == left
    assert found.elections["election_id"].tolist() == left
    assert list(dict.fromkeys(found.tallies["election_id"])) == left
    assert len(found.filters) == len(picked)
    assert found.record == five.record
    chained = five
    for name, value in picked.items():
        chained = chained.filter(**{name: value})
    assert [one.id for one in chained.contests] == left


def test_an_empty_result_says_so(five: History) -> None:
    found = five.filter(bar=">1/2").filter(years=2001)
    assert found.sentence() == "No contest of the record fits: bar >1/2; years 2001."
    assert "No contest of the record fits" in repr(found)
    assert "No contest" in found._repr_html_()
    assert found.like(98, 67).sentence().startswith("No first ballot between two is known")
    assert found.each().columns.tolist() == five.each().columns.tolist()
    assert len(found.by("body")) == 0


@pytest.mark.parametrize(
    ("picked", "said"),
    [
        ({"body": "Bdy"}, "no body named 'Bdy'; did you mean 'Body'?"),
        ({"ending": "withdrawl"}, "no ending named 'withdrawl'; did you mean 'withdrawal'?"),
        ({"grade": "certain"}, "no grade named 'certain'"),
        ({"contest": "LED2"}, "no contest named 'LED2'; did you mean 'LED1'?"),
        ({"kind": "half"}, "no kind named 'half'"),
        ({"candidates": "many"}, "candidates must be a number, '3+', '2-4' or a pair such as (2, 4), got 'many'"),
        ({"body": 5}, "no body named '5'"),
        ({"body": []}, "body is an empty list; leave it out to pick all"),
        ({"held_out": "no"}, "held_out must be True or False, got 'no'"),
        ({"years": (2001, 2002, 2003)}, "years must be a number, '3+', '2-4' or a pair"),
        ({"rounds": True}, "rounds must be a number"),
        ({"size": 2.5}, "size must be a number"),
        ({"years": (2015, 2000)}, "years must go from the least to the most, got (2015, 2000)"),
        ({"bar": "1/2"}, "write '>1/2' for a majority"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(five: History, picked: dict[str, Any], said: str) -> None:
    with pytest.raises(IomsimError) as error:
        five.filter(**picked)
    assert said in str(error.value)


def test_a_name_of_the_record_stays_known_when_nothing_of_it_is_left(five: History) -> None:
    assert not five.filter(years=2001).filter(contest="TRIO5").contests


def test_the_grade_of_a_contest_is_its_worst(past: History) -> None:
    grades = past.each()["grade"]
    rows = past.tallies.groupby("election_id")["grade"].agg(set)
    for name, found in rows.items():
        assert grades[name] in found
        assert (grades[name] == "verified") == (found == {"verified"})
    verified = past.filter(grade="verified")
    assert set(verified.tallies["grade"]) == {"verified"}


# -- words -------------------------------------------------------------------------------------------------


def test_the_sentence_says_what_the_table_says(five: History) -> None:
    assert five.sentence() == (
        "5 contests of Body, 2001 to 2005. The leader of the first ballot won 4 of 5; where a first ballot between two "
        "elected nobody, its leader won 2 of 3. They took 3 rounds at the median (1 to 4); 2 of 4 were over by the "
        "ballot after the first between two. The first move between two was 8.0 points at the median of 4, in 2 "
        "towards the leader; 1 of 3 leaders were behind later. One of two withdrew in 1 of 4, with 38 % of the votes."
    )


def test_one_contest_is_told_as_one(five: History) -> None:
    said = five.filter(contest="LED1").sentence()
    assert said.startswith("1 contest of Body, 2001 (contest LED1).")
    assert "It took 2 rounds." in said


def test_few_contests_have_no_percentages(past: History, five: History) -> None:
    assert "4 of 5" in repr(five)
    assert "80 %" not in repr(five)
    table = past.table()
    assert f"({100 * table.at[WON_FIRST, 'share']:.0f} %)" in repr(past)


def test_it_knows_from_which_record_it_was_made(five: History, past: History) -> None:
    assert five.provenance["record"] != past.provenance["record"]
    assert five.filter(years=2001).provenance["filters"] == ["years 2001"]
    assert five.stamp().endswith("5 contests")
    assert "years 2001" in five.filter(years=2001).stamp()


# -- the most similar rounds ----------------------------------------------------------------------------------


def test_the_distance_of_two_is_that_of_log_odds() -> None:
    assert apart((98, 67), (113, 78)) == pytest.approx(abs(math.log(98 / 67) - math.log(113 / 78)))
    assert apart((98, 67), (980, 670)) == pytest.approx(0)
    assert apart((50, 0), (50, 1)) == pytest.approx(math.log(2))  # nothing counts as half a vote


def test_the_distance_of_many_is_a_mean_over_pairs() -> None:
    one, other = (50, 30, 20), (45, 35, 20)
    pairs = [(0, 1), (0, 2), (1, 2)]
    weights = [(one[i] + other[i]) * (one[j] + other[j]) for i, j in pairs]
    gaps = [math.log(one[i] / one[j]) - math.log(other[i] / other[j]) for i, j in pairs]
    assert apart(one, other) == pytest.approx(math.sqrt(np.average(np.square(gaps), weights=weights)))
    assert apart(one, other) == pytest.approx(apart(other, one))
    assert apart((60, 39, 1), (60, 38, 2)) < 0.5 * abs(math.log(39) - math.log(38 / 2))  # a small one weighs little


@pytest.mark.parametrize("chances", [(0.6, 0.4), (0.5, 0.3, 0.2), (0.4, 0.2, 0.2, 0.1, 0.1)])
def test_the_sampling_error_is_how_far_luck_alone_goes(chances: tuple[float, ...]) -> None:
    rng = np.random.default_rng(1)
    draws = rng.multinomial((400, 150), chances, size=(600, 2))
    draws = np.array([[rng.multinomial(many, chances) for many in (400, 150)] for _ in range(600)])
    found = np.sqrt(np.mean([apart(tuple(a), tuple(b)) ** 2 for a, b in draws]))
    told = np.mean([luck(tuple(a), tuple(b)) for a, b in draws])
    assert told == pytest.approx(found, rel=0.1)


def test_the_most_similar_come_first(five: History) -> None:
    table = five.like(98, 67).table()
    assert table.index.tolist() == ["LED1", "GAVE2", "TURN3", "TRIO5", "ONCE4"]
    assert table["distance"].is_monotonic_increasing
    assert table["distance"].iloc[0] == pytest.approx(abs(math.log(98 / 67) - math.log(60 / 40)))
    assert table["points"].iloc[0] == pytest.approx(60 - 100 * 98 / 165)
    assert table["errors"].iloc[0] == pytest.approx(table["distance"].iloc[0] / luck((98, 67), (60, 40)))
    assert table["short"].iloc[0] == pytest.approx(0.07)
    assert table["rounds_after"].tolist() == [1, 2, 2, 1, 0]
    assert table["leader_won"].tolist() == [True, True, False, pd.NA, True]
    assert table["next_share"].iloc[:3].tolist() == pytest.approx([0.70, 0.52, 0.45])
    assert table["winner"].tolist() == ["A", "A", "B", "A", "A"]
    assert five.like(67, 98).table().equals(table)
    assert five.like([98, 67]).table().equals(table)


def test_any_round_is_the_nearest_of_each_contest(five: History) -> None:
    found = five.like(98, 67, rounds="any").table()
    assert found["round"].to_dict() == {"LED1": 1, "GAVE2": 3, "TURN3": 2, "ONCE4": 1, "TRIO5": 3}
    assert found.loc["TURN3", "leader"] == "B"
    assert found.loc["GAVE2", ["rounds_after", "leader_won"]].tolist() == [0, True]


def test_three_are_compared_with_three(five: History) -> None:
    found = five.like(65, 51, 27)
    assert found.table().index.tolist() == ["TRIO5"]
    assert "The record has only one such round. That is too few to tell a chance from." in found.sentence()
    four = five.like(5, 4, 3, 3).sentence()
    assert four.startswith("No first ballot between four is known")


def test_the_bar_counts_if_it_is_given(tmp_path: Path) -> None:
    elections = [election("HALF", share=">1/2"), election("THIRDS"), election("FAR")]
    lines = tally(1, {"A": 49, "B": 41, "C": 10}, "HALF") + tally(1, {"A": 48, "B": 42, "C": 10}, "THIRDS")
    lines += tally(1, {"A": 60, "B": 30, "C": 10}, "FAR")
    lines += [line for name in ("HALF", "THIRDS", "FAR") for line in tally(2, {"A": 70, "B": 30}, name)]
    past = iom.history(write(tmp_path, elections, lines))
    assert past.like(490, 410, 100).table().index.tolist() == ["HALF", "THIRDS", "FAR"]
    table = past.like(490, 410, 100, bar="2/3").table()
    assert table.index.tolist() == ["THIRDS", "FAR", "HALF"]
    shares, bar = apart((490, 410, 100), (48, 42, 10)), 4 * ((67 - 48) / 100 - (667 - 490) / 1000)
    assert table.loc["THIRDS", "distance"] == pytest.approx(math.hypot(shares, bar))
    spoiled = past.like(490, 410, 100, bar="2/3", valid=1200).table()
    bar = 4 * ((67 - 48) / 100 - (800 - 490) / 1200)
    assert spoiled.loc["THIRDS", "distance"] == pytest.approx(math.hypot(shares, bar))


def test_stray_votes_are_left_out_and_told(five: History) -> None:
    found = five.like(98, 67, 1)
    assert found.table().equals(five.like(98, 67).table())
    assert "One with at most 2 % of the votes left out." in found.sentence()


def test_what_is_held_out_is_found_only_if_asked_for(past: History) -> None:
    hidden = past.like(98, 67)
    assert "IOM2023-DG" not in hidden.table().index
    assert "without IOM2023-DG" in hidden.stamp()
    shown = past.like(98, 67, held_out=True)
    assert shown.table().index[0] == "IOM2023-DG"
    assert shown.table()["held_out"].tolist() == [True, *[False] * 4]
    assert "IOM2023-DG is held out for scoring." in shown.sentence()
    assert "held_out" in repr(shown)
    assert "held_out" not in repr(hidden)
    assert "the very same tally" in shown.sentence()
    assert "UNSC2020-AF" not in past.like(113, 78, without="UNSC2020-AF").table().index


def test_the_sentence_says_what_came_of_them(five: History) -> None:
    assert five.like(98, 67, n=3).sentence() == (
        "Of the three most similar first ballots between two (leader 51 to 60 %, two thirds needed) the leader won "
        "two; one was over by the next round. Nearest is LED1 (A 60-40), 0.03 in log-odds away: A won in the next "
        "round. It went otherwise in TURN3 (A 51-49): B won after two more rounds. That is too few to tell a chance "
        "from."
    )
    assert (
        five.like(98, 67, n=1)
        .sentence()
        .startswith("In the most similar first ballot between two (leader 60 %, two thirds needed) the leader won.")
    )


def test_what_luck_does_not_explain_is_told(five: History) -> None:
    assert "sampling error" not in five.like(98, 67).sentence()
    found = five.like(9800, 4300, n=1)
    [errors] = found.table()["errors"]
    assert 1 < errors < 3
    assert f"in log-odds away, {errors:.1f} sampling errors: A won" in found.sentence()


def test_the_bar_is_taken_from_all_papers(tmp_path: Path) -> None:
    lines = tally(1, {"A": 54, "B": 36}, valid=96) + tally(2, {"A": 70, "B": 26}, valid=96)
    [short] = iom.history(write(tmp_path, [election()], lines)).like(98, 67).table()["short"]
    assert short == pytest.approx((64 - 54) / 96)


def test_a_tie_has_no_leader(five: History) -> None:
    said = five.like(80, 80).sentence()
    assert "Nearest is TRIO5 (50-50), with equal shares: A won in the next round." in said
    assert "the leader won three of the four in which one led alone" in said
    assert "The tally asked about is tied: the shares are compared, nobody leads it." in said


def test_what_is_not_similar_is_not_called_so(five: History) -> None:
    assert "Even the nearest is not similar." in five.like(100, 8).sentence()
    assert "not similar" not in five.like(98, 67).sentence()


@pytest.mark.parametrize(
    ("votes", "options", "said"),
    [
        ((98,), {}, "a tally has two votes or more, such as like(98, 67); got [98]"),
        ((), {}, "a tally has two votes or more"),
        ((98, 0), {}, "two or more must have votes, got 98-0"),
        ((98, -1), {}, "votes must be a whole number of at least 0, got -1"),
        ((0.6, 0.4), {}, "votes must be a whole number of at least 0, got 0.6"),
        (("98", 67), {}, "votes must be a whole number of at least 0, got '98'"),
        (tuple(range(1, 18)), {}, "a tally has at most 16 votes, got 17"),
        ((98, 67), {"n": 0}, "n must be a whole number of at least 1, got 0"),
        ((98, 67), {"valid": 168}, "valid papers matter for the bar only; give it too, such as bar='2/3'"),
        ((98, 67), {"valid": 160, "bar": "2/3"}, "the votes add up to 165, more than the 160 valid papers"),
        ((98, 67), {"rounds": "fist"}, "no choice of rounds named 'fist'; did you mean 'first'?"),
        ((98, 67), {"bar": "1/2"}, "write '>1/2' for a majority"),
        ((98, 67), {"without": "LED2"}, "no contest named 'LED2'; did you mean 'LED1'?"),
    ],
)
def test_a_tally_that_cannot_be_meant_is_refused(
    five: History, votes: tuple[Any, ...], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(IomsimError) as error:
        five.like(*votes, **options)
    assert said in str(error.value)


def test_a_wrong_tally_is_a_wrong_announcement(five: History) -> None:
    with pytest.raises(AnnouncementError):
        five.like(98)
