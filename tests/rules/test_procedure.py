"""Who is elected, who leaves and when it stops: elections one can count on one hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from toys import SURE, elect, fit, play, proportion, toy

import iomsim as iom
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import ScenarioError, UnknownNameError
from iomsim.model.bodies import readings
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS, rule_set, votes_needed

YES, NO = {"yes_opponent_a": 1e6, "yes_opponent_b": 1}, {"yes_opponent_a": 1, "yes_opponent_b": 1e6}
"""Of the others, those whose candidate the rules have put out."""

COME_OVER, STAY_AWAY = ({key.replace("opponent", "conceded"): x for key, x in side.items()} for side in (YES, NO))
"""Of the others, those whose candidate withdrew."""


def end(race: Scenario, runs: int = 20) -> tuple[int, str, int]:
    """Return winner, ending and rounds of an election that leaves nothing to chance."""
    out = play(race, runs)
    [ended] = {(int(w), ENDINGS[e], int(r)) for w, e, r in zip(out.winner, out.ending, out.rounds, strict=True)}
    return ended


# -- votes needed -------------------------------------------------------------------------------------


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
    assert votes_needed(165, Fraction("0.667")) == 111


@pytest.mark.parametrize(
    ("threshold", "base", "needed"), [("1/2", 10, 5), ("1/2", 11, 6), ("1", 7, 7), ("3/4", 9, 7), (1, 5, 5)]
)
def test_other_thresholds(threshold: str, base: int, needed: int) -> None:
    assert Rules(threshold=threshold).needed(base) == needed


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
        ("AAABBB", "1/2", (-1, "open", 2)),  # both reach a half, so nobody does
        ("AAABB", "1/2", (0, "majority", 1)),
        ("AAAAAB", "1", (-1, "open", 2)),
        ("AAAAAA", "1", (0, "majority", 1)),
        ("AABBC", "1/3", (-1, "open", 2)),  # two lead together
        ("AABC", "2/5", (0, "majority", 1)),
    ],
)
def test_other_majorities(papers: str, threshold: str, expected: tuple[int, str, int]) -> None:
    rules = {"name": "mine", "threshold": threshold, "concession": False, "eliminate_after": "never", "max_rounds": 2}
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
    ],
)
def test_concession(papers: str, rules: dict, behaviour: dict, expected: tuple[int, str, int]) -> None:
    assert end(elect(papers, "ABC" if "C" in papers else "AB", behaviour, rules=rules)) == expected


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
    assert end(elect("AAABB", behaviour=behaviour, rules=rules)) == expected


def test_what_is_recorded_of_a_yes_no_round() -> None:
    out = play(elect("AAABB", behaviour=YES, rules="one-two-way", names="AB").with_rules(concession=False), 5)
    assert out.votes.tolist() == [[3, 2], [5, -1]] * 5  # the leader's entry counts the yes
    assert out.valid.tolist() == [5, 5] * 5
    assert out.flows[1::2].tolist() == [[[3, 0], [0, 2]]] * 5  # and nobody changes camp for it
    assert not out.flows[0::2].any()


@pytest.mark.parametrize("base", ["valid", "present", "entitled"])
def test_a_confirmation_needs_its_share_of_yes_and_no(base: str) -> None:
    """All five papers say yes, or three of five, of nine members: four of five are needed, not six of nine."""
    rules = {"name": "one-two-way", "concession": False, "base": base}
    assert end(elect("AAABBoooo", behaviour=YES, rules=rules))[1:] == ("confirmed", 2)
    assert end(elect("AAABBoooo", behaviour=NO, rules=rules))[1:] == ("failed", 2)


def test_the_lead_is_drawn_by_lot_when_two_share_it() -> None:
    out = play(elect("AABB", behaviour=YES, rules={"name": "one-two-way", "concession": False}), 2000)
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


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"eliminate_after": 1}, ["ABCD", "ABC", "AB"]),
        ({"eliminate_after": 3}, ["ABCD"] * 3 + ["ABC", "AB"]),
        ({"eliminate_after": 1, "eliminate_every": 2}, ["ABCD", "ABC", "ABC", "AB"]),
        ({"eliminate_after": 2, "eliminate_every": 3}, ["ABCD"] * 2 + ["ABC"] * 3 + ["AB"]),
        ({"eliminate_after": "never", "max_rounds": 5}, ["ABCD"] * 5),
        ({"eliminate_after": 5, "max_rounds": 5}, ["ABCD"] * 5),
    ],
)
def test_when_somebody_leaves(rules: dict[str, Any], expected: list[str]) -> None:
    assert standing(drawn_to_a("AAABBBCCD", **rules)) == expected


def test_two_way_rounds_are_counted_from_the_first_one_between_two() -> None:
    papers, rules = "AAABBBBBCCD", {"eliminate_after": 1, "max_two_way": 2}
    tie = [{"name": "never", "who": "all", "candidate": "A", "log_odds": 500}]
    race = elect(papers, "ABCD", YES, ties=tie, rules={"name": "strict", **rules})
    assert standing(play(race, 1)) == ["ABCD", "ABC", "AB", "AB", "A"]
    assert end(race) == (0, "confirmed", 5)


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


# -- the rules as values -----------------------------------------------------------------------------


def test_the_shipped_rule_sets() -> None:
    assert {name: (r.concession, r.max_two_way) for name, r in readings().items()} == {
        "until-two-thirds": (True, None),
        "strict": (False, None),
        "four-rounds": (True, 3),
        "one-two-way": (True, 1),
    }
    for name, rules in readings().items():
        assert rules.name == name
        assert (rules.threshold, rules.base, rules.eliminate_after, rules.eliminate_every, rules.max_rounds) == (
            Fraction(2, 3), "valid", 3, 1, 40,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": 0}, "threshold must be above 0 and at most 1, got 0; write '2/3'"),
        ({"threshold": "4/3"}, "threshold must be above 0 and at most 1, got '4/3'; write '2/3'"),
        ({"threshold": "two thirds"}, "threshold must be a fraction such as '2/3', got 'two thirds'"),
        ({"threshold": "1/0"}, "threshold must be a fraction such as '2/3', got '1/0'"),
        ({"base": "voters"}, "base must be one of valid, present, entitled; got 'voters'"),
        ({"after_concession": "vote"}, "after_concession must be one of acclamation, confirmation; got 'vote'"),
        ({"concession": "no"}, "concession must be true or false, got 'no'"),
        ({"max_two_way": 0}, "max_two_way must be a whole number of at least 1, got 0"),
        ({"eliminate_every": None}, "eliminate_every must be a whole number of at least 1, got None"),
        ({"eliminate_after": 2.5}, "eliminate_after must be a whole number of at least 1, got 2.5"),
        ({"simple_majority_from": 0}, "simple_majority_from must be a whole number of at least 1, got 0"),
        ({"max_rounds": True}, "max_rounds must be a whole number of at least 1, got True"),
        ({"max_rounds": 1001}, "max_rounds must be at most 1000, got 1001"),
    ],
)
def test_rules_that_make_no_sense(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as error:
        Rules(**changes)
    assert str(error.value) == said


def test_unknown_rules_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no rule set named 'four-round'; did you mean 'four-rounds'\?"):
        rule_set("four-round")
    with pytest.raises(
        UnknownNameError, match=r"no part of the rules named 'max_twoway'; did you mean 'max_two_way'\?"
    ):
        rule_set("strict").with_(max_twoway=3)


@pytest.mark.parametrize(
    "rules",
    [
        *readings().values(),
        Rules(after_concession="confirmation", base="present"),
        Rules(simple_majority_from=3),
        Rules(max_rounds=5),
    ],
)
def test_the_rules_in_words(rules: Rules) -> None:
    words = rules.sentence()
    assert "2/3 of the " + {"valid": "valid papers", "present": "members present"}[rules.base] in words
    assert ("withdraw" in words) == rules.concession
    assert ("more than half" in words) == (rules.simple_majority_from is not None)
    assert ("no cap on the rounds" in words) == (rules.max_two_way is None and rules.max_rounds == 40)
    assert ("given up after round 5" in words) == (rules.max_rounds == 5)
    assert ("no concession" in words) == (not rules.concession)
    assert ("leader alone" in words) == (rules.max_two_way is not None)
    assert ("acclaimed" in words) == (rules.concession and rules.after_concession == "acclamation")


def test_the_rules_say_who_leaves_where_three_stand() -> None:
    rules = Rules(eliminate_after=2, eliminate_every=3)
    assert "the last is out after round 2, and another after every 3 rounds" in rules.sentence(3)
    assert "is out" not in rules.sentence(2)
    assert "is out" not in Rules(eliminate_after=None).sentence(3)


# -- a shipped set changed in parts is never taken for it -----------------------------------------------


def test_rules_of_its_own_stand_beside_the_shipped_ones() -> None:
    race = elect("AAABBB", rules={"name": "strict", "max_rounds": 1})
    fc = iom.forecast(race, runs=50, seed=4, progress=False)
    sides = fc.rule_sets()
    assert sides.index.tolist() == ["strict, changed", *readings()]
    assert sides.loc["strict, changed"].to_dict() == fc.as_row() != sides.loc["strict"].to_dict()
    assert fc.stamp().endswith("rules strict, changed")
    assert " rule sets" in fc.answer()
    assert fc.answer().count("5 rule sets") == 1
    assert "takes 1 or more rounds in the median (80 % range: 1 to 1 or more)" in fc.answer()


def test_a_shipped_set_keeps_its_name() -> None:
    race = iom.load("minimal")
    assert [race.with_rules(name).rules.label for name in readings()] == list(readings())
    assert race.with_rules(iom.Rules(name="mine", concession=False)).rules.label == "mine"


def test_the_briefing_tells_what_was_changed() -> None:
    told = str(iom.load("iom-2018").with_rules(max_rounds=5))
    assert "until-two-thirds, changed: elected with 2/3" in told
    assert "given up after round 5" in told
    assert "the last is out after round 3" in told
    assert "no cap" not in told


def test_a_comparison_tells_the_two_apart() -> None:
    race = iom.load("minimal")
    found = iom.compare(race, race.with_rules("strict", max_rounds=2), runs=50, seed=1)
    assert found.sentence().startswith("With rules strict, changed instead of until-two-thirds,")


@pytest.mark.parametrize(
    "rules",
    [
        iom.Rules(name="mine"),
        iom.Rules(name="mine", threshold="3/5", eliminate_after=None, max_two_way=2, simple_majority_from=4),
        iom.Rules(name="four-rounds"),
        iom.Rules(name="strict", concession=False, source="eu-27", grade="verified"),
    ],
)
def test_rules_are_written_and_read_back(rules: Rules) -> None:
    race = iom.load("minimal").with_rules(rules)
    again = iom.loads(iom.dumps(race)).rules
    assert again == race.rules == rules
    assert (again.source, again.grade) == (rules.source, rules.grade)


def test_where_rules_are_known_from_does_not_set_them_apart() -> None:
    known = iom.Rules(source="eu-27", grade="verified")
    assert known == iom.Rules()
    assert hash(known) == hash(iom.Rules())
    assert known.shipped
    race = iom.load("minimal").with_rules(known)
    assert race.evidence().loc["rules", ["grade", "source"]].tolist() == ["verified", "eu-27"]
    assert race.with_rules(max_rounds=5).rules.source == "set by the user"
    with pytest.raises(
        ScenarioError, match=r"^grade must be one of verified, inferred, recalled, assumed; got 'sure'$"
    ):
        iom.Rules(grade="sure")
