"""The rules in words: of every shipped body, and of procedures that no body has."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from iomsim.errors import ScenarioError
from iomsim.model.bodies import readings
from iomsim.rules.phase import Phase
from iomsim.rules.procedure import Procedure

THREE = "With three or more, the last leaves after each inconclusive ballot"
TIE = " A tie over who leaves is decided by an extra ballot."

OF_BODIES = {
    ("iom", "four-rounds", 2): (
        "Two thirds of the votes cast elect. There are three ballots; then the leader stands alone and "
        "needs two thirds of yes and no; otherwise the election fails. Of two, the one behind may "
        "withdraw, and the other is then acclaimed."
    ),
    ("iom", "four-rounds", 3): (
        "Two thirds of the votes cast elect. With three or more, the last leaves after each inconclusive "
        "ballot from the third on. Between two there are three ballots; then the leader stands alone and "
        "needs two thirds of yes and no; otherwise the election fails. Of two, the one behind may "
        "withdraw, and the other is then acclaimed."
    ),
    ("iom", "until-two-thirds", 5): (
        "Two thirds of the votes cast elect. With three or more, the last leaves after each inconclusive "
        "ballot from the third on. Between two, ballots go on without limit. Of two, the one behind may "
        "withdraw, and the other is then acclaimed."
    ),
    ("iom", "strict", 2): "Two thirds of the votes cast elect. Ballots go on without limit.",
    ("iom", "withdrawal-then-vote", 2): (
        "Two thirds of the votes cast elect. Ballots go on without limit. Of two, the one behind may "
        "withdraw, and the other then stands alone in one more ballot, of yes or no, which decides."
    ),
    ("au", "rule-42", 2): (
        "Two thirds of all members with a vote elect. There are three ballots; then the leader stands "
        "alone and needs two thirds of all members with a vote; otherwise the election is suspended."
    ),
    ("au", "rule-42", 3): (
        "Two thirds of all members with a vote elect. With three or more there are three ballots. Between"
        " the two with most votes there are three ballots; then the leader stands alone and needs two "
        "thirds of all members with a vote; otherwise the election is suspended."
    ),
    ("bie", "last-leaves", 2): "More than half of the votes cast elect. Ballots go on without limit.",
    ("bie", "last-leaves", 4): (
        "Two thirds of the votes cast elect. With three or more, the last leaves after each inconclusive "
        "ballot. Between two, more than half of the votes cast elect, in ballots without limit."
    ),
    ("conclave", "two-thirds", 9): (
        "Two thirds of the members present elect. There are 34 ballots; then ballots between the two with"
        " most votes, without limit (members barred while their candidate stands do not vote)."
    ),
    ("council-of-europe", "two-ballots", 3): (
        "More than half of the votes cast elect, and from the second ballot on more votes than anybody "
        "else. Ballots go on without limit."
    ),
    ("fao", "rule-36", 6): (
        "More than half of the votes cast elect. With four or more, the last leaves after each "
        "inconclusive ballot from the second on. With three there are two ballots. Between the two with "
        "most votes, ballots go on without limit. A tie over who leaves is decided by an extra ballot."
    ),
    ("fao", "rule-36", 3): (
        "More than half of the votes cast elect. With three there are two ballots. Between the two with "
        "most votes, ballots go on without limit. A tie over who leaves is decided by an extra ballot."
    ),
    ("iaea", "procedure-2009", 3): (
        "Two thirds of the votes cast elect. With three or more, the last leaves after each inconclusive "
        "ballot. Between two there are four ballots; then the leader stands alone and needs two thirds of"
        " yes and no; otherwise the election fails."
    ),
    ("ilo", "last-leaves", 5): (
        "More than half of all members with a vote elect. With three or more, the last leaves after each "
        "inconclusive ballot. Between two, ballots go on without limit. A tie over who leaves is decided "
        "by an extra ballot."
    ),
    ("ioc", "last-leaves", 2): (
        "More than half of the votes cast elect. Ballots go on without limit. Members barred while their "
        "candidate stands do not vote."
    ),
    ("itu", "majority", 4): (
        "More than half of the votes cast elect. With three or more there are three ballots. Between the "
        "two with most votes, ballots go on without limit."
    ),
    ("oas", "article-74", 2): (
        "More than half of all members with a vote elect. There are five ballots; otherwise the election is suspended."
    ),
    ("un-tourism", "top-two", 4): (
        "More than half of the votes cast elect. There is one ballot; then ballots between the two with "
        "most votes, without limit."
    ),
    ("unesco", "five-ballots", 2): (
        "More than half of the votes cast elect. There are five ballots; otherwise the election fails."
    ),
    ("unesco", "five-ballots", 3): (
        "More than half of the votes cast elect. There are four ballots; then one ballot between the two "
        "with most votes; otherwise the election fails. A tie over who leaves is decided by an extra "
        "ballot."
    ),
    ("unsc", "rule-93", 2): (
        "Two thirds of the votes cast elect. Ballots go on without limit. Of two, the one behind may "
        "withdraw, and the other then stands alone in one more ballot, of yes or no, which decides."
    ),
    ("unsc", "rule-93", 3): (
        "Two thirds of the votes cast elect. There is one ballot; then three ballots between the two with"
        " most votes; then three ballots with everybody again; and so on from the three ballots between "
        "the two with most votes. A tie over who leaves is decided by an extra ballot. Of two, the one "
        "behind may withdraw, and the other then stands alone in one more ballot, of yes or no, which "
        "decides."
    ),
    ("who", "rule-110", 3): (
        "Two thirds of the votes cast elect. With three or more, the last leaves after each inconclusive "
        "ballot. Between two there is one ballot; then more than half of the votes cast elect, in ballots"
        " without limit. A tie over who leaves is decided by an extra ballot."
    ),
}


@pytest.mark.parametrize(("body", "reading", "candidates"), OF_BODIES)
def test_the_rules_of_bodies(body: str, reading: str, candidates: int) -> None:
    assert readings(body)[reading].sentence(candidates) == OF_BODIES[body, reading, candidates]


@pytest.mark.parametrize(
    ("parts", "candidates", "said"),
    [
        ({"threshold": 33}, 2, "33 votes elect. Ballots go on without limit."),
        (
            {"threshold": "9/10", "base": "present"},
            2,
            "9/10 of the members present elect. Ballots go on without limit.",
        ),
        (
            {"threshold": ["2/3", "2/3", "3/5"]},
            2,
            "Two thirds of the votes cast elect, and from the third ballot on three fifths. Ballots go on without "
            "limit.",
        ),
        (
            {"threshold": "most", "phases": [{"ballots": 1}], "after": "fail"},
            3,
            "More votes than anybody else elect. There is one ballot; otherwise the election fails.",
        ),
        (
            {"phases": [{"ballots": 22, "drop": 1}, {}]},
            4,
            "Two thirds of the votes cast elect. There are 22 ballots, after each of which the last leaves while "
            "more than two stand; "
            "then ballots without limit.",
        ),
        (
            {"phases": [{"ballots": 3}, {"field": "all but the last", "ballots": 1}, {"keep": 2}]},
            4,
            "Two thirds of the votes cast elect. There are three ballots; then one ballot without the last; then "
            "ballots "
            "between the two with most votes, without limit.",
        ),
        (
            {"phases": [{"standing": 3, "drop": 2}], "after": "fail"},
            5,
            "Two thirds of the votes cast elect. With three or more, the last two leave after each inconclusive "
            "ballot; "
            "with fewer than three the election fails.",
        ),
        (
            {"phases": [{"name": "a", "field": "all", "ballots": 2}, {"keep": 2, "ballots": 1}], "after": "repeat",
             "repeat_from": "a"},
            3,
            "Two thirds of the votes cast elect. There are two ballots; then one ballot between the two with most "
            "votes; then it begins again with everybody.",
        ),
        (
            {"phases": [{"ballots": 2}, {"name": "b", "keep": 2, "ballots": 2}], "after": "repeat",
             "repeat_from": "b"},
            5,
            "Two thirds of the votes cast elect. There are two ballots; then ballots between the two with most votes, "
            "without limit.",
        ),
        (
            {"phases": [{"name": "a", "standing": 3, "ballots": 1, "drop": 1}], "after": "repeat", "repeat_from": "a"},
            5,
            "Two thirds of the votes cast elect. With three or more there is one ballot, after which the last leaves; "
            "then it begins again. With fewer than three the election fails.",
        ),
        (
            {"phases": [{"ballots": 2}, {"threshold": [">1/2", "most"], "ballots": 4}], "after": "fail"},
            2,
            "Two thirds of the votes cast elect. There are two ballots; then in four ballots, more than half of "
            "the votes "
            "cast elect, and from the second of them on more votes than anybody else; otherwise the election fails.",
        ),
        (
            {"phases": [{"ballots": 1}, {"vote": "yes-no", "ballots": 1, "threshold": "most"}], "after": "fail"},
            2,
            "Two thirds of the votes cast elect. There is one ballot; then the leader stands alone and needs more "
            "yes than no; "
            "otherwise the election fails.",
        ),
        (
            {"phases": [{"standing": 3, "ballots": 2}, {}]},
            3,
            "Two thirds of the votes cast elect. With three or more there are two ballots. After that, ballots go on "
            "without limit.",
        ),
        (
            {"phases": [{"standing": 3, "ballots": 2, "tie": "extra", "drop": 1}, {"keep": 2, "ballots": 1},
                        {"vote": "yes-no", "ballots": 2, "threshold": ">1/2", "base": "entitled"}], "after": "fail"},
            5,
            "Two thirds of the votes cast elect. With three or more there are two ballots, after each of which "
            "the last "
            "leaves (a tie over who leaves is decided by an extra ballot). Between the two with most votes there "
            "is one "
            "ballot; then the leader stands alone and needs more than half of all members with a vote in one of "
            "two ballots; otherwise "
            "the election fails.",
        ),
    ],
)  # fmt: skip
def test_rules_of_ones_own(parts: dict[str, Any], candidates: int, said: str) -> None:
    assert Procedure(**parts).sentence(candidates) == said


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "Ballots go on without limit."),
        ({"threshold": ">1/2", "ballots": 2}, "More than half of the votes cast elect, in two ballots."),
        ({"keep": 3}, "Ballots go on between the three with most votes without limit."),
        ({"field": "all", "ballots": 3}, "There are three ballots with everybody again."),
        ({"field": "all but the last", "standing": 4, "drop": 1},
         "With four or more, the last leaves, and another after each inconclusive ballot."),
        ({"vote": "yes-no", "ballots": 1}, "The leader stands alone in a vote of yes or no."),
        ({"barred": True}, "Ballots go on without limit. Members barred while their candidate stands do not vote."),
        ({"drop": 1, "tie": "extra"}, f"{THREE}. Between two, ballots go on without limit.{TIE}"),
    ],
)  # fmt: skip
def test_phases(parts: dict[str, Any], said: str) -> None:
    assert Phase(**parts).sentence() == said


def test_rules_are_told_of_as_many_as_are_voted_for() -> None:
    rules = Procedure(phases=[{"standing": 3, "ballots": 2}], after="fail")
    with pytest.raises(ScenarioError, match=r"have no phase in which 2 candidates are voted for$"):
        rules.sentence()
    with pytest.raises(ScenarioError, match=r"^candidates must be a whole number of at least 1, got 0$"):
        rules.sentence(0)


@pytest.mark.parametrize(
    ("number", "word"),
    [(10, "tenth"), (11, "11th"), (21, "21st"), (32, "32nd"), (43, "43rd"), (100, "100th"), (112, "112th")],
)
def test_ballots_by_their_number(number: int, word: str) -> None:
    rules = Procedure(threshold=["2/3"] * (number - 1) + [">1/2"])
    assert f" elect, and from the {word} ballot on more than half. " in rules.sentence()


def drawn(rng: np.random.Generator) -> Procedure:
    """Return a procedure at random; most that come out of this cannot be, and are drawn again."""
    names = [f"phase {i}" for i in range(int(rng.integers(1, 5)))]
    pick: Any = rng.choice
    while True:
        choice: Any = [{}, {"keep": int(pick([2, 3]))}, {"field": "all"}, {"field": "all but the last"}]
        leaves: Any = [{}, {"drop": 1}, {"drop": 2, "down_to": 3}, {"vote": "yes-no"}]
        others: Any = [{}, {"threshold": ">1/2"}, {"base": "present"}, {"tie": "extra"}, {"barred": True}]
        phases = [
            {
                "name": name,
                "standing": int(pick([1, 2, 3, 4])),
                "ballots": [None, 1, 3][rng.integers(3)],
                **choice[rng.integers(4)],
                **leaves[rng.integers(4)],
                **others[rng.integers(5)],
            }
            for name in names
        ]
        after = [None, "fail", "suspend", "repeat"][rng.integers(4)]
        again = {"repeat_from": str(pick(names))} if after == "repeat" else {}
        try:
            return Procedure(phases=phases, after=after, withdrawal=str(pick(["none", "vote"])), **again)  # type: ignore[arg-type]
        except ScenarioError:
            continue


def test_every_procedure_can_be_told() -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        rules, candidates = drawn(rng), int(rng.integers(2, 7))
        try:
            rules.first_stage(candidates)
        except ScenarioError:
            continue
        words = rules.sentence(candidates)
        assert words[0].isupper(), words
        assert words.endswith("."), words
        assert not re.search(r"  |\.\.|,,| [,.;:]|; ?\.|\b0\b|None", words), words
        fails = rules.after in ("fail", "suspend") or rules.fewest_again > 2
        assert ("the election " in words) == fails, words
        assert all(phase.sentence().endswith(".") for phase in rules.phases)


def test_what_is_told_of_a_phase_is_held() -> None:
    """With two a cut down to two cuts nobody, and phases for three are not told."""
    rng = np.random.default_rng(2)
    for _ in range(200):
        rules = drawn(rng)
        try:
            rules.first_stage(2)
        except ScenarioError:
            continue
        words = rules.sentence(2)
        assert not re.search(r"with (three|four)|with most votes|while more than two", words), words
