"""The votes that elect: whole numbers, whatever the share, the base and the way it is written."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from iomsim.errors import ScenarioError
from iomsim.rules.bar import Bar, as_written, bars_of, votes_needed


@pytest.mark.parametrize(
    ("base", "needed"), [(165, 110), (143, 96), (175, 117), (148, 99), (3, 2), (4, 3), (6, 4), (1, 1), (0, 1)]
)
def test_two_thirds_are_exact(base: int, needed: int) -> None:
    assert votes_needed(base) == needed


def wrong_somewhere(rule: Any) -> int:
    """Count the electorates up to 199 in which a rule elects too late or too early."""
    return sum(rule(base) != -(-2 * base // 3) for base in range(1, 200))


def test_only_whole_numbers_get_all_of_them_right() -> None:
    assert wrong_somewhere(votes_needed) == 0
    assert wrong_somewhere(lambda base: int(np.ceil(0.667 * base))) == 66
    assert wrong_somewhere(lambda base: 2 * base // 3 + 1) == 66  # "more than two thirds"
    assert [votes_needed(165, share) for share in (Fraction("0.667"), "667/1000", ">2/3")] == [111, 111, 111]


@pytest.mark.parametrize(
    ("threshold", "base", "needed"),
    [
        (">1/2", 10, 6),
        (">1/2", 11, 6),
        (">1/2", 0, 1),  # an empty urn elects nobody
        ("2/3", 0, 1),
        ("1", 7, 7),
        (1, 5, 5),
        ("3/4", 9, 7),
        (">3/4", 8, 7),
        ("3/4", 8, 6),
        ("2/3", 10**9, 666_666_667),
        ("0.6", 5, 3),
        (33, 49, 33),
        ("33", 20, 33),  # a number of votes is needed however few vote
        ("most", 49, 1),
        ("most", 0, 1),
    ],
)
def test_other_thresholds(threshold: Any, base: int, needed: int) -> None:
    assert Bar.of(threshold).needed(base) == needed
    assert Bar.of(threshold).needed(np.array([base, base])).tolist() == [needed, needed]


@pytest.mark.parametrize("threshold", ["2/3", ">1/2", "3/5", ">2/3", "1/3", "99/100", "1"])
def test_one_vote_less_is_not_enough(threshold: str) -> None:
    """By the definition, for every base: the needed votes reach the share, or exceed it, and one less does not."""
    strict, share = threshold.startswith(">"), Fraction(threshold.removeprefix(">"))
    for base, need in enumerate(np.asarray(Bar.of(threshold).needed(np.arange(300))).tolist()):
        enough = [votes > share * base if strict else votes >= share * base for votes in (need, need - 1)]
        assert enough[0]
        assert need == 1 or not enough[1]


@pytest.mark.parametrize(
    ("written", "kind", "value", "again"),
    [
        ("2/3", "at least", Fraction(2, 3), "2/3"),
        (">= 2/3", "at least", Fraction(2, 3), "2/3"),
        (" 4 / 6 ".replace(" / ", "/"), "at least", Fraction(2, 3), "2/3"),
        (2 / 3, "at least", Fraction(2, 3), "2/3"),
        (0.65, "at least", Fraction(13, 20), "13/20"),
        ("> 1/2", "more than", Fraction(1, 2), ">1/2"),
        (">0.5", "more than", Fraction(1, 2), ">1/2"),
        ("1", "at least", Fraction(1), "1/1"),
        (1.0, "at least", Fraction(1), "1/1"),
        ("1/1", "at least", Fraction(1), "1/1"),
        (33, "count", Fraction(33), "33"),
        ("33", "count", Fraction(33), "33"),
        (2, "count", Fraction(2), "2"),
        ("most", "most", None, "most"),
        ("Most ", "most", None, "most"),
    ],
)
def test_what_is_written_is_meant_and_written_again(written: Any, kind: str, value: Any, again: str) -> None:
    bar = Bar.of(written)
    assert (bar.kind, bar.value, str(bar)) == (kind, value, again)
    assert Bar.of(str(bar)) == bar == Bar.of(bar)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1/2", "threshold 1/2 would elect with exactly half of the votes; write '>1/2' for a majority"),
        (0.5, "threshold 0.5 would elect with exactly half of the votes; write '>1/2' for a majority"),
        (">=1/2", "threshold >=1/2 would elect with exactly half of the votes; write '>1/2' for a majority"),
        ("0.667", "threshold 0.667 is not two thirds and elects otherwise where it matters; write '2/3'"),
        (">0.667", "threshold >0.667 is not two thirds and elects otherwise where it matters; write '>2/3'"),
        (0.6666, "threshold 0.6666 is not two thirds and elects otherwise where it matters; write '2/3'"),
        (0, "threshold must be above 0 and at most 1, or a count of votes, got 0"),
        (-3, "threshold must be above 0 and at most 1, or a count of votes, got -3"),
        ("4/3", "threshold must be above 0 and at most 1, or a count of votes, got '4/3'"),
        (">1", "threshold must be above 0 and at most 1, or a count of votes, got '>1'"),
        (">33", "threshold must be above 0 and at most 1, or a count of votes, got '>33'"),
        ("two thirds", "threshold must be '2/3', '>1/2', a count of votes such as 33, or 'most', got 'two thirds'"),
        ("1/0", "threshold must be '2/3', '>1/2', a count of votes such as 33, or 'most', got '1/0'"),
        (None, "threshold must be '2/3', '>1/2', a count of votes such as 33, or 'most', got None"),
        (True, "threshold must be '2/3', '>1/2', a count of votes such as 33, or 'most', got True"),
    ],
)
def test_a_bar_that_cannot_be_is_refused(written: Any, said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        Bar.of(written)
    assert str(error.value) == said


def test_bars_of_successive_ballots() -> None:
    assert [str(bar) for bar in bars_of(["2/3", 33, ">1/2", "most"])] == ["2/3", "33", ">1/2", "most"]
    assert bars_of("2/3") == bars_of(("2/3",)) == (Bar("at least", Fraction(2, 3)),)
    assert [as_written(bars_of(stated)) for stated in ("2/3", ["2/3", "most"])] == ["2/3", ["2/3", "most"]]
    with pytest.raises(
        ScenarioError, match=r"^threshold is an empty list; give one for each ballot, the last one stays$"
    ):
        bars_of([])


def test_the_share_that_charts_draw() -> None:
    assert [Bar.of(bar).share for bar in ("3/4", ">1/2", 33, "most")] == [0.75, 0.5, None, None]
