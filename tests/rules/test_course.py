"""One election, tally after tally: who may stand next, what elects, how it ends; each countable on one hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from iomsim.errors import AnnouncementError
from iomsim.model.bodies import reading
from iomsim.rules import course as rules_of_many
from iomsim.rules.course import Course
from iomsim.rules.procedure import Procedure

TWO_LEFT = [{"name": "all", "ballots": 1}, {"name": "two", "keep": 2}]


def begin(candidates: int = 3, entitled: int = 12, **parts: Any) -> Course:
    return Course.begin(Procedure(**parts), candidates, entitled)


def standing(course: Course) -> str:
    """Return who may be voted for."""
    return "".join("ABCDEFGH"[k] for k, may in enumerate(course.may_stand) if may)


def end(course: Course) -> tuple[str | None, int]:
    return course.ended, course.elected


# -- who is elected ---------------------------------------------------------------------------------


def test_an_election_before_its_first_ballot() -> None:
    course = begin()
    assert (course.ballot, course.held, standing(course), end(course)) == (0, 0, "ABC", (None, -1))


@pytest.mark.parametrize(
    ("parts", "told", "expected"),
    [
        ({}, {"votes": (8, 4, 0)}, ("majority", 0)),  # eight of twelve
        ({}, {"votes": (7, 5, 0)}, (None, -1)),
        ({}, {"votes": (2, 1, 8)}, ("majority", 2)),
        ({}, {"votes": (7, 3, 0), "valid": 11}, (None, -1)),  # a stray paper is a valid paper: eight are needed
        ({}, {"votes": (7, 3, 0)}, ("majority", 0)),
        ({"base": "present"}, {"votes": (7, 3, 0), "present": 11}, (None, -1)),
        ({"base": "present"}, {"votes": (7, 3, 0)}, ("majority", 0)),
        ({"base": "entitled"}, {"votes": (7, 0, 0)}, (None, -1)),
        ({"base": "entitled"}, {"votes": (8, 0, 0)}, ("majority", 0)),
        ({"base": "entitled"}, {"votes": (6, 0, 0), "entitled": 9}, ("majority", 0)),  # three are barred
        ({"threshold": 5}, {"votes": (5, 4, 0)}, ("majority", 0)),
        ({"threshold": 5}, {"votes": (5, 5, 0)}, (None, -1)),  # a tie at the top elects nobody
        ({"threshold": "1/3"}, {"votes": (4, 4, 4)}, (None, -1)),
        ({"threshold": "most"}, {"votes": (3, 2, 2)}, ("majority", 0)),
        ({"threshold": "most"}, {"votes": (3, 3, 2)}, (None, -1)),
        ({}, {"votes": (0, 0, 0)}, (None, -1)),
    ],
)
def test_who_is_elected(parts: dict[str, Any], told: dict[str, Any], expected: tuple[str | None, int]) -> None:
    after = begin(**parts).after(**told)
    assert end(after) == expected
    assert after.ballot == 1


def test_what_elects_in_the_coming_ballot() -> None:
    course = begin(threshold=["3/4", ">1/2"], phases=[{"ballots": 2}, {"base": "entitled", "threshold": [9, "2/3"]}])
    needed = [course.needed(valid=8, present=9)]
    for _ in range(4):
        course = course.after((3, 3, 2))
        needed.append(course.needed(valid=8, present=9))
    assert needed == [6, 5, 9, 8, 8]
    assert course.needed(entitled=9) == 6


# -- who leaves -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "votes", "expected"),
    [
        ({"phases": TWO_LEFT}, (5, 4, 3), "AB"),
        ({"phases": TWO_LEFT}, (3, 5, 4), "BC"),
        ({"phases": [{"drop": 1}]}, (5, 2, 5), "AC"),
        ({"phases": [{"drop": 2, "down_to": 1}]}, (5, 4, 3), "A"),
        ({"phases": [{"drop": 2}]}, (5, 4, 3), "AB"),
        ({"phases": [{"ballots": 1}, {"field": "all but the last"}]}, (5, 2, 5), "AC"),
        ({"phases": [{"ballots": 1}, {"keep": 1}]}, (4, 5, 3), "B"),
        ({"phases": [{}]}, (5, 4, 3), "ABC"),
        ({"phases": [{"ballots": 1}, {"vote": "yes-no", "ballots": 1}], "after": "fail"}, (4, 5, 3), "B"),
        ({"phases": [{"drop": 1, "ballots": 1}, {"keep": 2}]}, (5, 4, 3), "AB"),  # both cut, and two are left
    ],
)
def test_who_leaves(parts: dict[str, Any], votes: tuple[int, ...], expected: str) -> None:
    assert standing(begin(**parts).after(votes)) == expected


def test_everybody_comes_back_but_those_who_withdrew() -> None:
    phases = [{"name": "all", "field": "all", "ballots": 1}, {"keep": 2, "ballots": 1}]
    course = begin(4, phases=phases, after="repeat", repeat_from="all").after((4, 3, 2, 3), withdraws=1)
    assert standing(course) == "AD"  # two places, and B does not want one
    assert standing(course.after((6, 0, 0, 6))) == "ACD"


def test_one_who_withdraws_takes_the_place_of_one_who_would_leave() -> None:
    course = begin(4, phases=[{"drop": 1}])
    assert standing(course.after((4, 3, 3, 2), withdraws=0)) == "BCD"
    assert standing(course.after((4, 3, 2, 2), withdraws=(0, 1))) == "CD"


def test_a_phase_for_three_is_over_when_two_stand() -> None:
    phases = [{"standing": 3, "ballots": 5}, {"threshold": ">1/2"}]
    course = begin(phases=phases).after((5, 4, 3), withdraws=2)
    assert (course.phase, course.held) == (1, 0)
    assert end(course.after((7, 5, 0))) == ("majority", 0)


# -- ties ------------------------------------------------------------------------------------------------------


def test_a_lot_must_be_told() -> None:
    course = begin(phases=TWO_LEFT)
    with pytest.raises(AnnouncementError, match=r"^the tally leaves a tie, which a lot decides; say who is out$"):
        course.after((6, 3, 3))
    assert standing(course.after((6, 3, 3), tickets=(0.0, 0.5, 0.1))) == "AB"
    assert standing(course.after((6, 3, 3), tickets=(0.0, 0.1, 0.5))) == "AC"
    assert standing(course.after((3, 3, 6), tickets=(0.5, 0.1, 0.0))) == "AC"
    assert standing(begin(phases=[{}]).after((4, 4, 4))) == "ABC"  # no cut, no lot


def test_a_lot_says_who_of_two_stands_alone() -> None:
    course = begin(2, phases=[{"ballots": 1}, {"vote": "yes-no", "ballots": 1}], after="fail")
    with pytest.raises(AnnouncementError, match="a lot decides"):
        course.after((6, 6))
    assert [course.after((6, 6), tickets=pair).alone for pair in ((0.9, 0.2), (0.2, 0.9))] == [0, 1]


@pytest.mark.parametrize(
    ("votes", "tied"),
    [
        ((6, 2, 2, 2), "BCD"),
        ((3, 3, 3, 3), "ABCD"),
        ((4, 4, 2, 2), "CD"),
        ((5, 3, 3, 1), ""),  # the last is alone
        ((5, 4, 2, 1), ""),
    ],
)
def test_who_faces_an_extra_ballot(votes: tuple[int, ...], tied: str) -> None:
    course = begin(4, phases=[{"drop": 1, "tie": "extra"}])
    assert "".join("ABCD"[k] for k, flag in enumerate(course.tied(votes)) if flag) == tied
    assert not any(begin(4, phases=[{"drop": 1}]).tied(votes))  # a lot decides there


def test_an_extra_ballot_and_then_a_lot() -> None:
    course = begin(4, phases=[{"drop": 1, "tie": "extra"}])
    assert standing(course.after((6, 2, 2, 2), extra=(0, 5, 4, 3))) == "ABC"
    assert standing(course.after((6, 2, 2, 2), extra=(0, 3, 5, 4))) == "ACD"
    with pytest.raises(AnnouncementError, match="a lot decides"):
        course.after((6, 2, 2, 2), extra=(0, 6, 3, 3))
    assert standing(course.after((6, 2, 2, 2), extra=(0, 6, 3, 3), tickets=(0, 0, 0.2, 0.1))) == "ABC"
    assert course.after((6, 2, 2, 2), extra=(0, 5, 4, 3)).ballot == 1  # no ballot of its own


@pytest.mark.parametrize(("kind", "faced"), [("extra", "BC"), ("lot", "")])
def test_the_phase_that_makes_the_cut_says_how_a_tie_is_broken(kind: str, faced: str) -> None:
    course = begin(phases=[{"ballots": 1, "tie": "lot"}, {"keep": 2, "tie": kind}])
    assert "".join("ABC"[k] for k, flag in enumerate(course.tied((6, 3, 3))) if flag) == faced


def test_a_withdrawal_may_make_an_extra_ballot_needless() -> None:
    course = begin(phases=[{"ballots": 1}, {"keep": 2, "tie": "extra"}])
    assert any(course.tied((6, 3, 3)))
    assert not any(course.tied((6, 3, 3), withdraws=0))
    assert standing(course.after((6, 3, 3), withdraws=0)) == "BC"


# -- withdrawals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("withdrawal", "expected"), [("acclamation", ("acclamation", 0)), ("vote", (None, -1)), ("none", (None, -1))]
)
def test_what_follows_when_one_of_two_withdraws(withdrawal: str, expected: tuple[str | None, int]) -> None:
    after = begin(2, withdrawal=withdrawal).after((7, 5), withdraws=1)
    assert end(after) == expected
    assert after.ballot == 1
    assert (after.alone, after.conceded) == ((0, True) if withdrawal == "vote" else (-1, False))


def test_the_vote_after_a_withdrawal_decides() -> None:
    """It needs what the phase needs, and a third of the papers against is the end."""
    alone = begin(2, withdrawal="vote", phases=[{"ballots": 1}, {}]).after((7, 5), withdraws=1)
    assert standing(alone) == "A"
    assert alone.needed(valid=12) == 8
    assert end(alone.answered(8, 4)) == ("confirmed", 0)
    assert end(alone.answered(7, 5)) == ("failed", -1)
    assert alone.answered(8, 4).ballot == 2


def test_both_may_withdraw() -> None:
    assert end(begin(2, withdrawal="acclamation").after((6, 6), withdraws=(0, 1))) == ("failed", -1)


def test_of_three_nobody_is_acclaimed_before_two_are_gone() -> None:
    course = begin(withdrawal="acclamation")
    assert end(course.after((5, 4, 3), withdraws=2)) == (None, -1)
    assert end(course.after((5, 4, 3), withdraws=(2, 0))) == ("acclamation", 1)


# -- the leader alone -------------------------------------------------------------------------------


def test_the_leader_alone() -> None:
    rules = reading("four-rounds")
    course = Course.begin(rules, 2, 12)
    for _ in range(3):
        assert course.alone == -1
        course = course.after((5, 7))
    assert (course.alone, course.conceded, standing(course)) == (1, False, "B")
    assert end(course.answered(8, 4)) == ("confirmed", 1)
    assert end(course.answered(7, 4)) == ("failed", -1)  # eight of eleven were needed
    assert course.answered(7, 4).ballot == 4


@pytest.mark.parametrize(
    ("phase", "yes", "no", "present", "how"),
    [
        ({}, 8, 4, None, "confirmed"),
        ({"base": "entitled"}, 7, 0, None, "failed"),
        ({"base": "present"}, 7, 2, 11, "failed"),
        ({"base": "present"}, 8, 2, 11, "confirmed"),
        ({"threshold": ">1/2"}, 6, 6, None, "failed"),
        ({"threshold": ">1/2"}, 7, 5, None, "confirmed"),
        ({"threshold": "most"}, 6, 6, None, "failed"),  # more yes than no
        ({"threshold": "most"}, 6, 5, None, "confirmed"),
    ],
)
def test_what_the_leader_alone_needs(phase: dict[str, Any], yes: int, no: int, present: int | None, how: str) -> None:
    course = begin(2, phases=[{"ballots": 1}, {"vote": "yes-no", "ballots": 1} | phase], after="fail").after((7, 5))
    assert course.answered(yes, no, present=present).ended == how


def test_after_a_lost_vote_the_rules_go_on() -> None:
    """Two votes on the leader alone, then all of the last choice once more."""
    phases = [
        {"name": "all", "ballots": 1},
        {"name": "alone", "vote": "yes-no", "ballots": 2},
        {"name": "again", "keep": 2},
    ]
    course = begin(phases=phases).after((5, 4, 3))
    assert (standing(course), standing(course.answered(6, 6))) == ("A", "A")
    back = course.answered(6, 6).answered(5, 7)
    assert (standing(back), back.alone, back.ballot) == ("AB", -1, 3)


# -- how it ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "how"), [("fail", "failed"), ("suspend", "failed")])
def test_where_the_rules_end_it(after: str, how: str) -> None:
    course = begin(phases=[{"ballots": 2}], after=after).after((4, 4, 4))
    assert course.ended is None
    assert end(course.after((4, 4, 4))) == (how, -1)


def test_the_horizon_leaves_it_open() -> None:
    course = begin(max_rounds=2).after((4, 4, 4))
    assert end(course.after((4, 4, 4))) == ("open", -1)
    asked = begin(2, withdrawal="vote", max_rounds=1).after((7, 5), withdraws=1)
    assert end(asked) == ("open", -1)  # no ballot is left for yes or no


# -- a ballot of which no tally is known ------------------------------------------------------------


def test_a_ballot_without_a_tally_elects_nobody_and_the_rules_go_on() -> None:
    course = begin(phases=[*TWO_LEFT[:1], {"ballots": 2}, {"threshold": "most"}]).unknown()
    assert (course.ballot, course.phase, course.held, course.votes) == (1, 1, 0, (0, 0, 0))
    assert standing(course) == "ABC"
    assert end(course.unknown().unknown().after((5, 4, 3))) == ("majority", 0)
    assert begin(phases=[{"ballots": 1}], after="fail").unknown().ended == "failed"
    assert begin(max_rounds=1).unknown().ended == "open"


def test_who_leaves_by_a_tally_that_is_not_known_must_be_told() -> None:
    course = begin(4, phases=[{"drop": 1}])
    with pytest.raises(AnnouncementError, match="say who is out"):
        course.unknown()
    assert [standing(course.unknown(out=k)) for k in range(4)] == ["BCD", "ACD", "ABD", "ABC"]
    assert standing(begin(4, phases=TWO_LEFT).unknown(out=(0, 2))) == "BD"
    with pytest.raises(AnnouncementError, match="say who is out"):
        begin(4, phases=TWO_LEFT).unknown(out=0)  # two leave


def test_nobody_is_out_whom_the_rules_leave_in() -> None:
    with pytest.raises(AnnouncementError, match=r"^nobody leaves by the rules now, or not those named$"):
        begin(4).unknown(out=1)
    with pytest.raises(AnnouncementError, match="say who is out"):
        begin(4, phases=[{"drop": 1}]).unknown(out=(1, 2))


def test_who_stands_alone_after_an_unknown_tally_is_whoever_is_not_out() -> None:
    course = begin(phases=[{"ballots": 1}, {"vote": "yes-no", "ballots": 1}], after="fail")
    with pytest.raises(AnnouncementError, match="say who is out"):
        course.unknown()
    assert course.unknown(out=(0, 2)).alone == 1


def test_withdrawals_after_an_unknown_tally() -> None:
    assert end(begin(2, withdrawal="acclamation").unknown(withdraws=0)) == ("acclamation", 1)
    assert begin(2, withdrawal="vote").unknown(withdraws=0).alone == 1
    assert standing(begin(4, phases=[{"drop": 1}]).unknown(withdraws=3)) == "ABC"  # one place is free already


# -- what cannot have happened ----------------------------------------------------------------------


def test_what_cannot_have_happened_is_refused() -> None:
    over = begin().after((9, 2, 1))
    for call in (lambda: over.after((4, 4, 4)), over.unknown, lambda: over.answered(7, 5)):
        with pytest.raises(AnnouncementError, match=r"^the election is over \(majority\); no ballot follows$"):
            call()
    alone = begin(2, withdrawal="vote").after((7, 5), withdraws=1)
    for call in (lambda: alone.after((7, 5)), alone.unknown):
        with pytest.raises(AnnouncementError, match=r"^one stands alone: tell yes and no$"):
            call()
    with pytest.raises(AnnouncementError, match=r"^more than one stands$"):
        begin().answered(7, 5)
    with pytest.raises(AnnouncementError, match=r"^candidate 2 does not stand and cannot get 1 votes; say valid=$"):
        begin(phases=TWO_LEFT).after((5, 4, 3)).after((6, 5, 1))
    gone = begin(4, phases=TWO_LEFT).after((5, 4, 2, 1))
    with pytest.raises(AnnouncementError, match=r"^candidate 3 does not stand any more and cannot withdraw$"):
        gone.after((6, 6, 0, 0), withdraws=3)
    with pytest.raises(AnnouncementError, match=r"^candidate 1 does not stand any more and cannot withdraw$"):
        begin(4).after((4, 4, 3, 1), withdraws=1).after((4, 0, 4, 4), withdraws=1)


# -- many at once -----------------------------------------------------------------------------------


def at(standing: Sequence[Sequence[int]], phase: Sequence[int], held: Sequence[int]) -> rules_of_many.Position:
    """Return where elections stand, a row each."""
    flags = np.array(standing, dtype=bool).T
    ints = [np.array(part, dtype=np.int16) for part in (phase, held)]
    return rules_of_many.Position(*ints, flags, np.zeros_like(flags), np.full(len(phase), -1, dtype=np.int16))


def test_elections_side_by_side_are_the_same_elections() -> None:
    """Of four that stand differently each goes on as it would alone."""
    rules = Procedure(phases=[{"standing": 3, "drop": 1, "ballots": 3}, {"ballots": 2}], after="fail")
    votes = np.array([[5, 4, 3], [3, 5, 4], [7, 5, 0], [6, 6, 0]]).T
    before = at([(1, 1, 1), (1, 1, 1), (1, 1, 0), (1, 1, 0)], [0, 0, 1, 1], [0, 2, 0, 1])
    tickets = np.zeros((3, 4))
    after, failed = rules_of_many.proceed(rules, before, votes, lambda columns: tickets[:, columns])
    assert failed.tolist() == [False, False, False, True]
    assert after.standing.T.astype(int).tolist()[:3] == [[1, 1, 0], [0, 1, 1], [1, 1, 0]]
    assert list(zip(after.phase.tolist(), after.held.tolist(), strict=True))[:3] == [(1, 0), (1, 0), (1, 1)]
    assert before.standing.sum() == 10  # what was before is left as it was
    bases = {name: np.array([12, 12, 12, 9]) for name in ("valid", "present", "entitled")}
    assert rules_of_many.needed(rules, before, 1, bases).tolist() == [8, 8, 8, 6]


def test_rules_that_change_nothing_are_idle() -> None:
    rules = Procedure(phases=[{"standing": 3, "drop": 1}, {}])
    two = at([(1, 1, 0)] * 3, [1] * 3, [0, 1, 5])
    assert not rules_of_many.moving(Procedure(), at([(1, 1, 1)], [0], [0])).any()
    assert rules_of_many.moving(rules, at([(1, 1, 1)], [0], [0])).all()
    assert rules_of_many.moving(Procedure(phases=[{"ballots": 1}], after="fail"), at([(1, 1, 1)], [0], [0])).all()
    after, failed = rules_of_many.proceed(rules, two, np.array([[6] * 3, [6] * 3, [0] * 3]), lambda c: np.zeros((3, 3)))
    assert not failed.any()
    assert (after.standing == two.standing).all()
