"""The kernel against its slow twin: equal in every array, run by run, on the same random numbers."""

from __future__ import annotations

import random
from datetime import date, datetime

import numpy as np
import pytest
from laws.slow_twin import Story, differences, election
from toys import complete, same

from iomsim.engine import kernel, laws, rng
from iomsim.engine.outcomes import Outcomes
from iomsim.engine.plan import draw
from iomsim.engine.simulate import play_span
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS


def anything(number: int) -> Scenario:
    """Return an election of any kind: rules, behaviour and clock drawn at random."""
    pick = random.Random(number)
    chance = pick.random
    k = 2 + number % 3
    behaviour = {
        "absent": pick.choice([0, 0.05, 0.2]),
        "cross_pressure_absence": pick.choice([0, 0.1]),
        "abstain": pick.choice([0, 0.02, 0.15]),
        "conviction": pick.choice([0, 1, 1.8]),
        "openness_fluid": chance(),
        "openness_entrenched": 0.3 * chance(),
        "openness_inf": 0.1 * chance(),
        "overnight": pick.choice([0, 0.5, 1]),
        "round_sd": pick.choice([0, 0.15, 1]),
        "momentum_fluid": pick.choice([0, 1, 3]),
        "momentum_entrenched": pick.choice([-0.5, 0.6]),
        "momentum_field": pick.choice([0, 0.5, 1.5]),
        "concede_b": pick.choice([2, 10, 40]),
        "yes_opponent_a": pick.choice([1, 8]),
        "yes_conceded_b": pick.choice([0.5, 4]),
    }
    rules = {
        "name": "mine",
        "threshold": pick.choice(["2/3", "2/3", "1/2", "3/4"]),
        "base": pick.choice(["valid", "valid", "present", "entitled"]),
        "concession": chance() < 0.6,
        "after_concession": pick.choice(["acclamation", "confirmation"]),
        "eliminate_after": pick.choice([1, 2, 3, "never"]),
        "eliminate_every": pick.choice([1, 2]),
        "max_two_way": pick.choice(["unlimited", 1, 2, 4]),
        "max_rounds": pick.choice([3, 8, 14]),
        "simple_majority_from": pick.choice(["never", "never", 3]),
    }
    clock = {
        "opens": pick.choice(["2023-05-15T10:00:00", "2023-05-19T15:30:00"]),
        "sittings": pick.choice([[["10:00", "13:00"], ["15:00", "18:00"]], [["09:30", "12:15"]]]),
        "days": pick.choice([["Mon", "Tue", "Wed", "Thu", "Fri"], ["Mon", "Wed", "Fri", "Sat"]]),
        "closed": pick.choice([[], [date(2023, 5, 16), date(2023, 5, 20)]]),
        "sits_on": pick.choice([0, 0.25, 1]),
        "sits_on_until": pick.choice(["21:00", "23:30"]),
        "last_call": pick.choice([20, 45, 75]),
        "consultation": pick.choice([0, 30, 240]),
        "rounds_a_day": pick.choice([None, None, 1, 3]),
        "first_day": pick.choice([None, None, 1, 2]),
        "deadline": pick.choice([None, None, datetime(2023, 5, 22, 16)]),
    }
    if chance() < 0.3:
        clock |= {"sittings": [["16:00", "18:30"], ["20:00", "01:30"]], "opens": clock["opens"][:11] + "17:00:00"}
    elif len(clock["sittings"]) == 1:
        clock["opens"] = clock["opens"][:11] + "10:00:00"
    return complete(k, pick.choice([7, 13, 22]), behaviour=behaviour, rules=rules, clock=clock)


def compared(race: Scenario, size: int, sample: int, seed: int = 5) -> list[Story]:
    """Play `size` runs with the kernel and some of them with the twin; return the twin's stories."""
    out = play_span(race.plan, {}, seed, 0, size)
    plan = race.plan
    stories = []
    blocks = {block: draw(plan, seed, block) for block in range(-(-size // rng.BLOCK))}
    for run in np.linspace(0, size - 1, sample).astype(int):
        block, column = divmod(int(run), rng.BLOCK)
        story = election(race, blocks[block], column)
        if not story.too_close:
            assert not differences(story, out, run, ENDINGS), f"run {run}"
            stories.append(story)
    assert len(stories) >= 0.9 * sample
    return stories


TWO, THREE, FOUR = ({"k": k, "members": members} for k, members in ((2, 21), (3, 20), (4, 23)))
KINDS = {
    "until two thirds": TWO,
    "strict, with nights": TWO | {"rules": {"name": "strict", "max_rounds": 12}, "behaviour": {"overnight": 0.3}},
    "four rounds": TWO | {"rules": {"name": "four-rounds"}},
    "one round, then the leader": TWO | {"rules": {"name": "one-two-way", "base": "present"}},
    "confirmation after a concession": TWO | {"rules": {"after_concession": "confirmation"}},
    "three": THREE | {"rules": {"eliminate_after": 2}},
    "three, of the entitled": THREE | {"rules": {"base": "entitled", "max_two_way": 2, "max_rounds": 20}},
    "four": FOUR | {"rules": {"eliminate_after": 1}},
    "four, every other round": FOUR | {"rules": {"eliminate_after": 2, "eliminate_every": 2, "max_rounds": 9}},
    "four, a few": {"k": 4, "members": 8, "rules": {"eliminate_after": 1, "max_two_way": 2}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_kernel_plays_as_its_twin_does(kind: str) -> None:
    compared(complete(**KINDS[kind]), size=1500, sample=90)


@pytest.mark.parametrize("number", range(36))
def test_whatever_the_rules_the_behaviour_and_the_clock(number: int) -> None:
    compared(anything(number), size=300, sample=30)


def test_with_many_candidates_and_many_members() -> None:
    compared(complete(8, 300, rules={"name": "strict", "eliminate_after": 1}), size=60, sample=12)
    compared(complete(16, 60, rules={"name": "four-rounds", "eliminate_after": 1}), size=120, sample=24)
    compared(complete(2, 300, rules={"name": "strict", "max_rounds": 10}), size=60, sample=12)


def test_everything_that_can_happen_has_happened() -> None:
    """A guard: an empty comparison would pass as well."""
    stories = [s for number in range(36) for s in compared(anything(number), size=60, sample=30)]
    assert {story.ending for story in stories} == set(ENDINGS)
    assert set().union(*(story.seen for story in stories)) == {
        "overnight",
        "the base is present",
        "the base is entitled",
        "a withdrawal waits for a sitting",
        "confirmation after a concession",
        "lot for the lead",
        "lot for the last place",
        "elimination with 3 standing",
        "elimination with 4 standing",
        "pinned to one who left",
        "free of the last tally",
        "a simple majority suffices",
        "the deadline comes first",
    }


# -- a twin that cannot tell a wrong kernel from a right one is no twin -----------------------------


def wrong(outcomes: Outcomes, race: Scenario) -> bool:
    """Say whether the twin sees that these outcomes are wrong."""
    draws = draw(race.plan, 5, 0)
    return any(differences(election(race, draws, run), outcomes, run, ENDINGS) for run in range(120))


LIARS = {
    "numbers used again in the next round": ("reconsider", lambda f: lambda s, x, r, n: f(s, x, max(r - 1, 1), n)),
    "no momentum": ("pull", lambda f: lambda s, x, r: 0 * f(s, x, r)),
    "shares of the round before last": ("pull", lambda f: lambda s, x, r: f(s, x, r)[::-1]),
    "among three or more momentum is that between two": (
        "momentum",
        lambda f: lambda b, x, crowded: f(b, x, x & False),
    ),
    "between two that are left momentum is that among many": (
        "momentum",
        lambda f: lambda b, x, crowded: f(b, x, crowded | True),
    ),
    "who has lost a candidate follows the last tally": (
        "Reconsideration",
        lambda f: lambda omega, pull, shocks, departed, standing: f(omega, pull, pull, departed, standing),
    ),
    "who has lost a candidate feels no shock": (
        "Reconsideration",
        lambda f: lambda omega, pull, shocks, departed, standing: f(omega, pull, 0 * shocks, departed, standing),
    ),
    "the votes of one who withdrew are those of one put out": (
        "others_yes",
        lambda f: lambda b, conceded, u: f(b, conceded & False, u),
    ),
    "openness decays a round early": ("openness", lambda f: lambda b, x, r, n: f(b, x, r + (r > 1), n)),
    "nights do not matter": ("openness", lambda f: lambda b, x, r, n: f(b, x, r, n & False)),
    "the lot always falls on the first": ("by_lot", lambda f: lambda tied, keys, r: tied.argmax(axis=0)),
    "nobody abstains": ("abstentions", lambda f: lambda s, x, r: 0 * f(s, x, r)),
    "one vote more is needed": ("needed", lambda f: lambda s, x, valid, r: f(s, x, valid, r) + 1),
    "one vote less is needed": ("needed", lambda f: lambda s, x, valid, r: f(s, x, valid, r) - 1),
}


@pytest.mark.parametrize("liar", LIARS)
def test_the_twin_sees_a_wrong_kernel(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, lie = LIARS[liar]
    rules = {"eliminate_after": 1, "max_two_way": 3, "concession": True, "after_concession": "confirmation"}
    race = complete(4, 9, rules=rules, behaviour={"overnight": 0.5, "absent": 0.2})
    honest = play_span(race.plan, {}, 5, 0, 120)
    assert not wrong(honest, race)
    module = kernel if hasattr(kernel, name) else laws
    monkeypatch.setattr(module, name, lie(getattr(module, name)))
    lied = play_span(race.plan, {}, 5, 0, 120)
    assert not same(honest, lied)
    assert wrong(lied, race)
