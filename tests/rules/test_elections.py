"""Who is elected, who leaves and when it stops, as the engine plays it: elections one can count on one hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import SURE, elect, fit, lean, play, proportion, toy

from iomsim.engine.outcomes import Outcomes
from iomsim.model.scenario import Scenario, build
from iomsim.rules.bar import votes_needed
from iomsim.rules.procedure import ENDINGS

YES, NO = {"yes_opponent_a": 1e6, "yes_opponent_b": 1}, {"yes_opponent_a": 1, "yes_opponent_b": 1e6}
"""Of the others, those whose candidate the rules have put out."""

COME_OVER, STAY_AWAY = ({key.replace("opponent", "conceded"): x for key, x in side.items()} for side in (YES, NO))
"""Of the others, those whose candidate withdrew."""


def end(race: Scenario, runs: int = 20) -> tuple[int, str, int]:
    """Return winner, ending and rounds of an election that leaves nothing to chance."""
    out = play(race, runs)
    [ended] = {(int(w), ENDINGS[e], int(r)) for w, e, r in zip(out.winner, out.ending, out.rounds, strict=True)}
    return ended


@pytest.mark.parametrize("valid", [4, 6, 33, 143, 165])
def test_the_kernel_needs_the_same_votes(valid: int) -> None:
    need = votes_needed(valid)
    assert end(elect("A" * need + "B" * (valid - need))) == (0, "majority", 1)
    assert end(elect("B" * need + "A" * (valid - need))) == (1, "majority", 1)
    one_short = elect("A" * (need - 1) + "B" * (valid - need + 1), rules={"name": "strict", "max_rounds": 2})
    assert end(one_short)[1] == "open"


# -- who wins and when -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("papers", "base", "expected"),
    [
        ("AAAABB", "valid", (0, "majority", 1)),  # four of six is exactly two thirds, and carries
        ("AAABBB", "valid", (-1, "open", 3)),  # deadlock after the last round
        ("AAABB", "valid", (-1, "open", 3)),  # three of five is short by one
        ("ABBBB", "valid", (1, "majority", 1)),
        ("AAAB--", "valid", (0, "majority", 1)),  # the absent are not present and voting: three of four
        ("AAAB--", "present", (0, "majority", 1)),
        ("AAAB--", "entitled", (-1, "open", 3)),  # but they are entitled: four of six needed
        ("AAABoo", "valid", (0, "majority", 1)),
        ("AAABoo", "present", (-1, "open", 3)),  # who abstains is present
        ("AAABoo", "entitled", (-1, "open", 3)),
        ("AAABxx", "valid", (0, "majority", 1)),
        ("AAABxx", "present", (0, "majority", 1)),
        ("AAABxx", "entitled", (0, "majority", 1)),  # who has no vote is not entitled
        ("AAAABxo", "entitled", (0, "majority", 1)),  # four of six
        ("oooo", "valid", (-1, "open", 3)),  # no valid paper elects nobody
        ("----", "valid", (-1, "open", 3)),
        ("A---", "valid", (0, "majority", 1)),
    ],
)
def test_who_wins_and_when(papers: str, base: str, expected: tuple[int, str, int]) -> None:
    assert end(elect(papers, rules={"name": "strict", "base": base, "max_rounds": 3})) == expected


@pytest.mark.parametrize(
    ("papers", "threshold", "expected"),
    [
        ("AAABBB", ">1/2", (-1, "open", 2)),  # both have a half, and neither more
        ("AAABB", ">1/2", (0, "majority", 1)),
        ("AAAABB", ">2/3", (-1, "open", 2)),
        ("AAAAAB", "1", (-1, "open", 2)),
        ("AAAAAA", "1", (0, "majority", 1)),
        ("AABBC", "1/3", (-1, "open", 2)),  # two lead together
        ("AABC", "2/5", (0, "majority", 1)),
        ("AABBC", "most", (-1, "open", 2)),  # and nobody has more than the other
        ("AABC", "most", (0, "majority", 1)),
        ("AAABB", 3, (0, "majority", 1)),  # a number of votes
        ("AAABB", 4, (-1, "open", 2)),
        ("AABBBBB", ["1", "3/4", "5/7"], (-1, "open", 2)),
        ("AABBBBB", ["1", "5/7", "1"], (1, "majority", 2)),
    ],
)
def test_other_majorities(papers: str, threshold: Any, expected: tuple[int, str, int]) -> None:
    rules = {"name": "mine", "threshold": threshold, "max_rounds": 2}
    assert end(elect(papers, "ABC", rules=rules)) == expected


@pytest.mark.parametrize(
    ("papers", "since", "expected"),
    [
        ("AAABB", 3, (0, "majority", 3)),  # three of five, too few for two thirds, are more than half
        ("ABBB-", 3, (1, "majority", 1)),  # two thirds still elect before
        ("AAABBB", 3, (-1, "open", 5)),  # three of six are half, and not more
        ("AAABB", 6, (-1, "open", 5)),
        ("AAABB", 1, (0, "majority", 1)),
    ],
)
def test_a_simple_majority_from_some_round_on(papers: str, since: int, expected: tuple[int, str, int]) -> None:
    rules = {"name": "mine", "concession": False, "simple_majority_from": since, "max_rounds": 5}
    assert end(elect(papers, rules=rules)) == expected
    bars = {"name": "mine", "threshold": ["2/3"] * (since - 1) + [">1/2"], "max_rounds": 5}
    assert end(elect(papers, rules=bars)) == expected


# -- concession -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("papers", "rules", "behaviour", "expected"),
    [
        ("AAABB", {}, SURE, (0, "acclamation", 1)),
        ("AABBB", {}, SURE, (1, "acclamation", 1)),
        ("AAABBB", {"max_rounds": 4}, SURE, (-1, "open", 4)),  # in a tie nobody is trailing
        ("AAAABB", {}, SURE, (0, "majority", 1)),  # and nothing is left to concede
        ("AAABB", {"concession": False, "max_rounds": 4}, SURE, (-1, "open", 4)),
        ("AAABB", {"after_concession": "confirmation"}, SURE | NO | COME_OVER, (0, "confirmed", 2)),
        ("AAABB", {"after_concession": "confirmation"}, SURE | YES | STAY_AWAY, (-1, "failed", 2)),
        ("AAABB", {"after_concession": "confirmation", "max_rounds": 1}, SURE, (-1, "open", 1)),
        ("AAABBC", {"eliminate_after": "never", "max_rounds": 3}, SURE, (-1, "open", 3)),  # three still stand
        ("AAABB", {"name": "mine", "max_rounds": 4}, SURE, (-1, "open", 4)),  # what is not said does not happen
        ("AAABB", {"name": "mine", "withdrawal": "vote"}, SURE | NO | COME_OVER, (0, "confirmed", 2)),
        # the vote is the next ballot of its phase: all five were needed in the first, more than half are in the second
        (
            "AAABB",
            {"name": "mine", "withdrawal": "vote", "phases": [{"threshold": ["1", ">1/2"]}]},
            SURE | STAY_AWAY,
            (0, "confirmed", 2),
        ),
    ],
)
def test_concession(papers: str, rules: dict, behaviour: dict, expected: tuple[int, str, int]) -> None:
    stated = {"name": "until-two-thirds"} | rules
    assert end(lean(papers, "ABC" if "C" in papers else "AB", behaviour, rules=stated)) == expected


# -- the leader alone -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "behaviour", "expected"),
    [
        (1, YES, (0, "confirmed", 2)),
        (1, NO, (-1, "failed", 2)),
        (3, YES, (0, "confirmed", 4)),
        (3, NO, (-1, "failed", 4)),
        ("unlimited", YES, (-1, "open", 6)),
        (6, YES, (-1, "open", 6)),  # no round is held after the last one
    ],
)
def test_the_leader_alone(cap: Any, behaviour: dict, expected: tuple[int, str, int]) -> None:
    rules = {"name": "mine", "concession": False, "max_two_way": cap, "max_rounds": 6}
    assert end(lean("AAABB", behaviour=behaviour, rules=rules)) == expected


def test_what_is_recorded_of_a_yes_no_round() -> None:
    out = play(lean("AAABB", behaviour=YES, rules="one-two-way", names="AB").with_rules(concession=False), 5)
    assert out.votes.tolist() == [[3, 2], [5, -1]] * 5  # the leader's entry counts the yes
    assert out.valid.tolist() == [5, 5] * 5
    assert out.flows[1::2].tolist() == [[[3, 0], [0, 2]]] * 5  # and nobody changes camp for it
    assert not out.flows[0::2].any()


def test_members_pinned_to_another_never_say_yes() -> None:
    rules = {"name": "one-two-way", "concession": False}
    assert end(elect("AAABB", behaviour=YES, rules=rules)) == (-1, "failed", 2)  # three of five are no two thirds
    assert end(elect("AAABB", behaviour=YES, rules=rules | {"threshold": ["2/3", "3/5"]})) == (0, "confirmed", 2)


@pytest.mark.parametrize(
    ("stated", "how"),
    [
        ({"name": "one-two-way"}, "confirmed"),  # three of the five that say yes or no
        ({"name": "one-two-way", "base": "present"}, "failed"),  # of seven
        ({"name": "one-two-way", "base": "entitled"}, "failed"),
        ({"name": "mine", "max_two_way": 1, "base": "entitled"}, "confirmed"),  # the short form's asks yes and no
        ({"phases": [{"ballots": 1}, {"vote": "yes-no", "ballots": 1, "base": "present"}], "after": "fail"}, "failed"),
        ({"phases": [{"ballots": 1}, {"vote": "yes-no", "ballots": 1, "threshold": 3}], "after": "fail"}, "confirmed"),
        ({"phases": [{"ballots": 1}, {"vote": "yes-no", "ballots": 1, "threshold": 4}], "after": "fail"}, "failed"),
        (
            {"phases": [{"ballots": 1}, {"vote": "yes-no", "ballots": 1, "threshold": "most"}], "after": "fail"},
            "confirmed",
        ),
    ],
)
def test_a_confirmation_needs_its_share_of_its_base(stated: dict[str, Any], how: str) -> None:
    """Three say yes, two no, and two who are present nothing; the base is the procedure's unless the phase has one."""
    rules = {"concession": False, "threshold": ["1", ">1/2"]} | stated
    assert end(elect("AAABBoo", behaviour=YES, rules=rules)) == (0 if how == "confirmed" else -1, how, 2)


@pytest.mark.parametrize(("behaviour", "how"), [(YES, "confirmed"), (NO, "failed")])
def test_where_most_votes_elect_the_leader_alone_needs_more_yes_than_no(behaviour: dict, how: str) -> None:
    phases = [{"ballots": 1}, {"vote": "yes-no", "ballots": 1, "threshold": "most"}]
    rules = {"phases": phases, "after": "fail", "threshold": "1"}
    assert end(lean("AABCD", "ABCD", behaviour, rules=rules))[1:] == (how, 2)  # all, or two of five


def test_the_lead_is_drawn_by_lot_when_two_share_it() -> None:
    out = play(lean("AABB", behaviour=YES, rules={"name": "one-two-way", "concession": False}), 2000)
    assert set(out.ending) == {ENDINGS.index("confirmed")}
    assert proportion((out.winner == 0).sum(), out.size, 0.5) < 4


# -- elimination ------------------------------------------------------------------------------------------


def drawn_to_a(papers: str, **rules: Any) -> Outcomes:
    """Play elections with up to four candidates whose voters, once orphaned, choose A for certain."""
    return play(
        elect(papers, "ABCD", ties=[{"name": "next", "who": "all", "candidate": "A", "log_odds": 500}],
              rules={"name": "strict", **rules}), 400
    )  # fmt: skip


def standing(out: Outcomes) -> list[str]:
    """Return who stood, round by round, in the first run."""
    return [
        "".join(n for n, votes in zip("ABCD", row, strict=True) if votes >= 0) for row in out.votes[: out.rounds[0]]
    ]


def test_the_one_with_the_fewest_votes_leaves() -> None:
    out = drawn_to_a("AAABBBCCD", eliminate_after=2)
    assert standing(out) == ["ABCD", "ABCD", "ABC", "AB"]
    assert out.votes[:4].tolist() == [[3, 3, 2, 1], [3, 3, 2, 1], [4, 3, 2, -1], [6, 3, -1, -1]]
    assert out.flows[2].tolist() == [[3, 0, 0, 0], [0, 3, 0, 0], [0, 0, 2, 0], [1, 0, 0, 0]]
    assert set(zip(out.winner, out.rounds, strict=True)) == {(0, 4)}


WHOLE = {"threshold": "1", "max_rounds": 6}
"""Nobody is elected before only one is left."""


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"eliminate_after": 1}, ["ABCD", "ABC", "AB"]),
        ({"eliminate_after": 3}, ["ABCD"] * 3 + ["ABC", "AB"]),
        ({"eliminate_after": "never", "max_rounds": 5}, ["ABCD"] * 5),
        ({"eliminate_after": 5, "max_rounds": 5}, ["ABCD"] * 5),
        ({"phases": [{}], "max_rounds": 4}, ["ABCD"] * 4),
        ({"phases": [{"drop": 1}]}, ["ABCD", "ABC", "AB"]),
        ({"phases": [{"drop": 1, "down_to": 3}], "max_rounds": 4}, ["ABCD", "ABC", "ABC", "ABC"]),
        ({"phases": [{"drop": 2}]}, ["ABCD", "AB"]),
        ({"phases": [{"drop": 1, "down_to": 1}]} | WHOLE, ["ABCD", "ABC", "AB", "A"]),
        ({"phases": [{"ballots": 2}, {"keep": 2}]}, ["ABCD", "ABCD", "AB"]),
        ({"phases": [{"ballots": 1, "drop": 1}, {"ballots": 2}, {"field": "all but the last"}]},
         ["ABCD", "ABC", "ABC", "AB"]),  # after the first, and every second from then on
        ({"phases": [{"standing": 4, "ballots": 2}, {"standing": 3, "keep": 3, "ballots": 1}, {"keep": 2}]},
         ["ABCD", "ABCD", "ABC", "AB"]),
        ({"phases": [{"standing": 4, "drop": 1}, {"ballots": 2}], "after": "fail"} | WHOLE, ["ABCD", "ABC", "ABC"]),
        ({"phases": [{"standing": 5, "ballots": 9}, {"drop": 1}]}, ["ABCD", "ABC", "AB"]),  # never five
        ({"phases": [{"ballots": 1}, {"keep": 2, "ballots": 1}, {"field": "all"}]} | WHOLE,
         ["ABCD", "AB", *["ABCD"] * 4]),
        ({"phases": [{"name": "first", "field": "all", "ballots": 1}, {"keep": 2, "ballots": 2}], "after": "repeat",
          "repeat_from": "first"} | WHOLE, ["ABCD", "AB", "AB", "ABCD", "AB", "AB"]),
    ],
)  # fmt: skip
def test_when_somebody_leaves(rules: dict[str, Any], expected: list[str]) -> None:
    assert standing(drawn_to_a("AAABBBCCD", **rules)) == expected


@pytest.mark.parametrize("after", ["fail", "suspend"])
def test_when_the_last_phase_is_spent_nobody_is_elected(after: str) -> None:
    rules = {"name": "mine", "phases": [{"ballots": 1}, {"keep": 2, "ballots": 2}], "after": after}
    assert end(elect("AAABBC", "ABC", rules=rules | {"threshold": "1"})) == (-1, "failed", 3)


@pytest.mark.parametrize(
    ("papers", "second", "expected"),
    [
        ("AAAABB", {}, (-1, "failed", 3)),  # two ballots on the leader alone
        ("AAAABB", {"threshold": "2/3"}, (0, "confirmed", 2)),
        ("AAAABB", {"threshold": ["3/4", "2/3"]}, (0, "confirmed", 3)),
        ("AAAABB", {"threshold": ["3/4", "3/4", "2/3"]}, (-1, "failed", 3)),
        ("AAAABBoo", {"threshold": "2/3"}, (0, "confirmed", 2)),
        ("AAAABBoo", {"threshold": "2/3", "base": "present"}, (-1, "failed", 3)),  # four of eight
    ],
)
def test_the_leader_alone_may_have_another_bar(papers: str, second: dict, expected: tuple[int, str, int]) -> None:
    phases = [{"ballots": 1}, {"vote": "yes-no", "ballots": 2} | second]
    rules = {"name": "mine", "threshold": "4/5", "phases": phases, "after": "fail"}
    assert end(elect(papers, rules=rules)) == expected


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({}, (-1, "open", 3)),  # three of five are no two thirds
        ({"threshold": ">1/2"}, (0, "majority", 2)),
        ({"threshold": ["1", "1", ">1/2"]}, (-1, "open", 3)),  # its third ballot would be the fourth
        ({"threshold": ["1", ">1/2"]}, (0, "majority", 3)),
        ({"threshold": ">1/2", "base": "entitled"}, (-1, "open", 3)),  # three of nine
    ],
)
def test_a_phase_may_have_another_bar(second: dict, expected: tuple[int, str, int]) -> None:
    rules = {"name": "mine", "phases": [{"ballots": 1}, second], "max_rounds": 3}
    assert end(elect("AAABB----", rules=rules)) == expected


def test_members_barred_while_their_candidate_stands() -> None:
    """Without M5 and M7, while C stands, A has three of six papers; when C is out, both vote again, C's two for B."""
    rules = {"name": "mine", "threshold": "3/4", "phases": [{"drop": 1}]}
    race = lean("AAABBBCC", "ABC", then="      BB", rules=rules)
    race = build({**dict(race), "electorate": {"size": 8, "barred": {"C": ["M5", "M7"]}}})
    assert play(race, 5).votes[:2].tolist() == [[3, 3, 2], [3, 5, -1]]
    out = play(race.with_rules(phases=[{"drop": 1, "barred": True}]), 5)
    assert out.votes[:2].tolist() == [[3, 2, 1], [3, 5, -1]]
    assert out.valid[:2].tolist() == [6, 8]


def test_two_way_rounds_are_counted_from_the_first_one_between_two() -> None:
    papers, rules = "AAABBBBBCCD", {"eliminate_after": 1, "max_two_way": 2}
    race = lean(papers, "ABCD", YES, then="AAAAAAAAAAA", rules={"name": "strict", **rules})
    assert standing(play(race, 1)) == ["ABCD", "ABC", "AB", "AB", "A"]
    assert end(race) == (0, "confirmed", 5)


@pytest.mark.parametrize(("then", "left"), [("CCCCCC", "ABC"), ("DDDDDD", "ABD"), ("CCCDDD", "")])
def test_an_extra_ballot_decides_who_leaves(then: str, left: str) -> None:
    """C and D have two each, and the six others choose between them; where these are split too, a lot decides."""
    rules = {"name": "mine", "phases": [{"drop": 1, "tie": "extra"}], "max_rounds": 2}
    race = lean("AAABBBCCDD", "ABCD", then=then, rules=rules)
    out = play(race, 300)
    second = {"".join(np.array(list("ABCD"))[row >= 0]) for row in out.votes[1::2]}
    assert second == ({left} if left else {"ABC", "ABD"})
    assert (out.votes[::2] == [3, 3, 2, 2]).all()
    by_lot = play(race.with_rules(phases=[{"drop": 1}]), 300)
    assert {"".join(np.array(list("ABCD"))[row >= 0]) for row in by_lot.votes[1::2]} == {"ABC", "ABD"}


def test_the_last_place_is_drawn_by_lot_when_several_share_it() -> None:
    out = play(elect("AAABBBCCDD", "ABCD", rules={"name": "strict", "eliminate_after": 1, "max_rounds": 2}), 2000)
    second = out.votes[out.starts + 1]
    gone = np.argmin(second, axis=1)
    assert ((second < 0).sum(axis=1) == 1).all()
    assert set(gone) == {2, 3}
    assert proportion((gone == 2).sum(), gone.size, 0.5) < 4


def test_a_vote_for_somebody_who_left_does_not_exist() -> None:
    out = play(toy(11, "ABCDE", behaviour={"abstain": 0.2}, rules={"name": "strict", "eliminate_after": 1}), 1500)
    row = np.repeat(np.arange(out.size), out.rounds)
    later = np.flatnonzero(np.diff(row) == 0) + 1
    left = (out.votes[later] < 0) & (out.votes[later - 1] >= 0)
    assert ((out.votes[later - 1] < 0) <= (out.votes[later] < 0)).all()  # nobody comes back
    fewest = np.where(out.votes < 0, 999, out.votes).min(axis=1)
    assert (out.votes[later - 1][left] == fewest[later - 1][left.any(axis=1)]).all()
    orphaned, gone = np.nonzero(left)
    assert orphaned.size > 1000
    assert not out.flows[later[orphaned], gone, gone].any()
    assert (np.where(out.votes < 0, 0, out.votes).sum(axis=1) == out.valid).all()


def test_who_voted_for_the_one_who_left_must_choose_again() -> None:
    """Closed minds all, and yet the orphaned go elsewhere."""
    closed = {"openness_fluid": 0, "openness_entrenched": 0, "openness_inf": 0}
    rules = {"name": "strict", "eliminate_after": 1, "max_rounds": 3}
    out = play(toy(30, "ABC", behaviour=closed | {"abstain": 0}, rules=rules), 500)
    second = (out.starts + 1)[out.rounds > 1]
    flows, gone = out.flows[second], np.argmin(out.votes[second], axis=1)
    first, kept = out.votes[second - 1], flows[:, range(3), range(3)]
    for k in range(3):
        assert (kept[gone == k, k] == 0).all()
        stay = [j for j in range(3) if j != k]
        assert np.array_equal(kept[gone == k][:, stay], first[gone == k][:, stay])


def test_a_member_pinned_to_one_who_left_is_free() -> None:
    """Of 3 : 3 : 1 with C out, the last member decides between A and B by a coin."""
    out = play(elect("AAABBBC", "ABC", rules={"name": "strict", "eliminate_after": 1, "max_rounds": 2}), 3000)
    second = out.votes[out.starts + 1]
    assert fit(second[:, 0] - 3, np.array([0.5, 0.5])) > 1e-4
    assert set(map(tuple, second.tolist())) == {(3, 4, -1), (4, 3, -1)}
