"""Laws that elections must obey, each with a wrong version that the check rejects.

A check returns a p-value, or by how many standard errors a number is off.  It must accept the
engine and reject every liar beside it, so that no check is there for show.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from laws import exact
from scipy import special, stats
from toys import (
    ALPHA,
    FREE,
    PRESENT,
    STILL,
    SURE,
    VERSION_1,
    alike,
    classes,
    digest,
    elect,
    fit,
    mostly_slow,
    neutral,
    play,
    proportion,
    same,
    tallies,
    toy,
)

from iomsim.engine import clock, kernel, laws, rng, simulate
from iomsim.engine.clock import Timetable
from iomsim.engine.outcomes import Outcomes
from iomsim.engine.plan import Draws, draw, leans
from iomsim.model.bodies import readings
from iomsim.model.scenario import Scenario
from iomsim.rules import course
from iomsim.rules.procedure import ENDINGS

Lie = Callable[[Any], Any]
NONE = -1


def doubt(*p_values: float) -> float:
    """Return the p-value of several tests together (Bonferroni)."""
    return min(1.0, min(p_values) * len(p_values))


def lie(patch: pytest.MonkeyPatch, name: str, how: Lie) -> None:
    """Replace a function of the kernel, or else one of the rules or a law, by what `how` makes of it."""
    module = next(module for module in (kernel, course, laws) if hasattr(module, name))
    patch.setattr(module, name, how(getattr(module, name)))


# -- 1: everybody open, no momentum: independent rounds ----------------------------------------------

SIZE, P = 15, 0.6
OPEN = {"appeal": np.log(P / (1 - P)), "behaviour": STILL | FREE}


def independent_rounds(out: Outcomes) -> float:
    """Test that tallies are independent binomials and the rounds to decision geometric.

    With 20 000 runs it sees three members in a hundred who mark the wrong paper.
    """
    law = stats.binom.pmf(np.arange(SIZE + 1), SIZE, P)
    decided = law[10:].sum() + law[:6].sum()
    rounds = stats.geom.pmf(np.arange(41), decided)
    rounds[40] = 1 - rounds[:40].sum()
    first, second = tallies(out, 1)[out.rounds >= 2], tallies(out, 2)
    level = (tallies(out, 1).mean() - SIZE * P) / np.sqrt(SIZE * P * (1 - P) / out.size)
    return doubt(
        2 * stats.norm.sf(abs(level)),
        *(fit(tallies(out, r), law) for r in (1, 2, 3, 4, 7)),
        fit(out.rounds, rounds),
        float(stats.pearsonr(first, second).pvalue),
    )


def test_open_rounds_are_independent_binomials() -> None:
    assert independent_rounds(play(toy(SIZE, **OPEN), 20_000)) > ALPHA


@pytest.mark.parametrize(
    "change",
    [{"momentum_fluid": 0.3, "momentum_entrenched": 0.3}, {"openness_inf": 0.5}, {"abstain": 0.02}, {"absent": 0.02}],
)
def test_and_are_not_if_anything_else_is_at_work(change: dict[str, float]) -> None:
    race = toy(SIZE, **OPEN).with_behaviour(**change)
    assert independent_rounds(play(race, 20_000)) < ALPHA


ROUND_LIARS: dict[str, tuple[str, Lie]] = {
    "numbers used again": ("reconsider", lambda f: lambda s, x, r, n: f(s, x, min(r, 2), n)),
    "more than two thirds needed": ("needed", lambda f: lambda *a: f(*a) + 1),
    "three in a hundred defect": (
        "pull",
        lambda f: lambda s, x, r: f(s, x, r) + np.array([[0.0], [np.log(0.406 / 0.594 * 1.5)]]),
    ),
}


@pytest.mark.parametrize("liar", ROUND_LIARS)
def test_a_wrong_round_is_seen(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, *ROUND_LIARS[liar])
    assert independent_rounds(play(toy(SIZE, **OPEN), 20_000)) < ALPHA


def test_open_rounds_of_three_candidates_are_independent_multinomials() -> None:
    weights = np.array([1.5, 1.0, 1.0])
    race = toy(12, "ABC", np.log(1.5), STILL | FREE, {"name": "strict", "eliminate_after": "never", "max_rounds": 5})
    out = play(race, 20_000)
    marginal = [stats.binom.pmf(np.arange(13), 12, p) for p in weights / weights.sum()]
    assert doubt(*(fit(tallies(out, r, k), law) for r in (1, 2, 4, 5) for k, law in enumerate(marginal))) > ALPHA
    assert doubt(fit(tallies(out, 2, 1), marginal[0]), fit(tallies(out, 5, 0), marginal[1])) < ALPHA


# -- probabilities are not rounded to the bits a ballot begins with ---------------------------------


def test_a_small_chance_is_not_rounded_to_sixteen_bits() -> None:
    """One and a half in 65536: rounded it would be one or two, 80 members more or fewer."""
    p, members, runs = 1.5 / 65536, 175, 60_000
    out = play(toy(members, appeal=np.log(p / (1 - p)), behaviour=STILL), runs)
    assert proportion(tallies(out, 1).sum(), members * runs, p) < 4
    assert min(proportion(tallies(out, 1).sum(), members * runs, q) for q in (1 / 65536, 2 / 65536)) > 4


@pytest.mark.parametrize(("chance", "bits"), [(1.5 / 65536, 16), (1.5 / 256, 8)])
def test_a_small_openness_is_not_rounded(chance: float, bits: int) -> None:
    openness = {"openness_fluid": chance, "openness_entrenched": chance, "openness_inf": chance}
    runs = 30_000 if bits == 16 else 400
    race = toy(175, behaviour=STILL | FREE | openness, rules={"name": "strict", "threshold": 1, "max_rounds": 9})
    out = play(race, runs)
    moved = out.flows[:, 0, 1].astype(int).sum() + out.flows[:, 1, 0].astype(int).sum()
    ballots = 175 * runs * 8
    assert proportion(moved, ballots, chance / 2) < 4
    steps = 2**bits
    assert min(proportion(moved, ballots, q / steps / 2) for q in (1, 2)) > 4


# -- 2: the exact chains ----------------------------------------------------------------------------

LAST = 12
"""Rounds looked at one by one."""

MOVING = STILL | {"fluid": 0.6}
ONE = (31,), (0.15,)
TWO = (16, 14), (1.1, -0.8)


def election(room: tuple[tuple[int, ...], tuple[float, ...]], rules: Any, **behaviour: float) -> Scenario:
    """Return the election of one or two classes that a chain follows; nothing but ballots is drawn."""
    (sizes, log_odds), described = room, MOVING | behaviour
    if len(sizes) == 1:
        return toy(sizes[0], appeal=log_odds[0], behaviour=described, rules=rules)
    return classes(sizes, log_odds, behaviour=described, rules=rules)


def ends_of(race: Scenario, room: tuple[tuple[int, ...], tuple[float, ...]]) -> exact.Ends:
    """Return how it ends, exactly: fluid or entrenched, each a chain of its own."""
    b, rules = {key: q.value for key, q in race.behaviour}, race.rules
    parts = []
    for regime, weight in (("fluid", b["fluid"]), ("entrenched", 1 - b["fluid"])):
        open_ = exact.openness_by_round(b[f"openness_{regime}"], b["openness_inf"], b["decay"], rules.max_rounds)
        concede, others, theirs = ((b[f"{x}_a"], b[f"{x}_b"]) for x in ("concede", "yes_opponent", "yes_conceded"))
        ends = exact.chain(
            *room, openness=open_, momentum=b[f"momentum_{regime}"], rules=rules,
            concede=concede, yes_own=b["yes_own"], yes_others=others, yes_conceded=theirs,
        )  # fmt: skip
        parts.append((weight, ends))
    return exact.mixture(parts)


def strays(out: Outcomes, ends: exact.Ends) -> float:
    """Return by how many standard errors the worst P(decided at r, for one or the other) is off."""
    counts = [[np.sum((out.winner == k) & (out.rounds == r + 1)) for r in range(LAST)] for k in (0, 1)]
    counts.append(np.sum(counts, axis=0))
    chances = [ends.elected(0)[:LAST], ends.elected(1)[:LAST], ends.elected()[:LAST]]
    return max(misses(np.array(counts).ravel(), out.size, np.concatenate(chances)))


def misses(hits: np.ndarray, runs: int, chances: np.ndarray) -> list[float]:
    """Return by how many standard errors each share is off; what cannot happen must not."""
    impossible = chances <= 1e-15
    error = np.sqrt(np.where(impossible, np.inf, chances * (1 - chances) / runs))
    return [*(np.abs(hits / runs - chances) / error), float("inf") if hits[impossible].any() else 0.0]


DEADLOCK = {"name": "strict", "max_rounds": 25}
GIVING_IN = {"name": "until-two-thirds", "max_rounds": 25}
REFUSED = {
    "name": "refused",
    "threshold": ["3/4", "3/4", "2/3"],
    "phases": [
        {"name": "choice", "ballots": 2},
        {"name": "alone", "vote": "yes-no", "ballots": 1},
        {"name": "again", "ballots": 1, "threshold": ["3/5"]},
    ],
    "withdrawal": "vote",
    "after": "repeat",
    "repeat_from": "alone",
    "max_rounds": 12,
}
CHAINS: dict[str, tuple[Any, dict[str, Any], dict[str, float]]] = {
    "one class": (ONE, DEADLOCK, {}),
    "one class, always fluid": (ONE, DEADLOCK, {"fluid": 1.0}),
    "one class, always entrenched": (ONE, DEADLOCK, {"fluid": 0.0, "openness_entrenched": 0.4, "decay": 0.8}),
    "two classes": (TWO, DEADLOCK, {}),
    "two classes, both regimes with momentum": (TWO, DEADLOCK, {"momentum_entrenched": 4.0}),
    "concession": (((8,), (0.0,)), GIVING_IN, {}),
    "concession, two classes": (TWO, GIVING_IN, {"concede_a": 0.5, "concede_b": 0.5}),
    "concession, then yes or no": (TWO, GIVING_IN | {"after_concession": "confirmation"}, {"concede_b": 1.0}),
    "three two-way rounds": (((20,), (0.0,)), {"name": "four-rounds"}, {"yes_opponent_a": 8.0}),
    "a simple majority from round 3": (ONE, DEADLOCK | {"simple_majority_from": 3}, {"fluid": 0.2}),
    "the leader alone, and then more ballots": (((12,), (0.4,)), REFUSED, {"yes_opponent_a": 8.0}),
}


@pytest.mark.parametrize("case", mostly_slow(CHAINS, 3))
def test_the_exact_chain_agrees(case: str) -> None:
    room, rules, behaviour = CHAINS[case]
    race = election(room, rules, **behaviour)
    out, ends = play(race, 60_000), ends_of(race, room)
    assert strays(out, ends) < 4
    chances = np.array([ends.endings()[name] for name in ENDINGS])
    assert max(misses(np.bincount(out.ending, minlength=len(ENDINGS)), out.size, chances)) < 4


def played_with_strays() -> tuple[Outcomes, exact.Ends]:
    """Return an election in which a paper in twelve is for a name that does not stand, and how it ends exactly."""
    room, rules, stray = ((21,), (0.5,)), {"name": "strict", "max_rounds": 8}, 1 / 12
    race = election(room, rules, fluid=1.0, stray=stray, **PRESENT)
    b = {key: q.value for key, q in race.behaviour}
    open_ = exact.openness_by_round(b["openness_fluid"], b["openness_inf"], b["decay"], race.rules.max_rounds)
    ends = exact.chain_with_strays(21, 0.5, stray, openness=open_, momentum=b["momentum_fluid"], rules=race.rules)
    return play(race, 60_000), ends


def off_with_strays() -> float:
    """Return by how many standard errors the worst P(decided at r) is off."""
    out, ends = played_with_strays()
    chances = np.pad(ends.chances, ((0, 0), (0, 0), (0, LAST - ends.chances.shape[2])))
    return strays(out, exact.Ends(chances))


def test_the_exact_chain_agrees_where_papers_go_astray() -> None:
    assert off_with_strays() < 4


STRAY_LIARS: dict[str, Lie] = {
    "strays are in no base": lambda f: lambda *a: (f(*a)[0], 0 * f(*a)[1]),
    "strays are votes": lambda f: lambda *a: (sum(f(*a)), 0 * f(*a)[1]),
    "strays are counted twice": lambda f: lambda *a: (f(*a)[0], 2 * f(*a)[1]),
    "only the leader loses votes": lambda f: lambda s, x, *a: only_the_leader_loses(f, s, x, *a),
}


def only_the_leader_loses(papers_of: Any, plan: Any, runs: Any, *rest: Any) -> Any:
    votes, astray = papers_of(plan, runs, *rest)
    lost = np.where(runs.counts == runs.counts.max(axis=0), astray.sum(axis=0), 0)
    return np.maximum(votes + astray - lost, 0), astray


@pytest.mark.slow
@pytest.mark.parametrize("liar", STRAY_LIARS)
def test_and_rejects_a_wrong_base(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, "papers_of", STRAY_LIARS[liar])
    assert off_with_strays() > 4


def with_non_concessions_forgotten(f: Any) -> Any:
    def concede(plan: Any, runs: Any, round_: int, where: Any) -> Any:
        runs.non_concessions = np.zeros_like(runs.non_concessions)
        return f(plan, runs, round_, where)

    return concede


CHAIN_LIARS: dict[str, tuple[str, str, Lie]] = {
    "momentum a little too weak": ("one class", "pull", lambda f: lambda s, x, r: 0.9 * f(s, x, r)),
    "momentum a little too strong": ("two classes", "pull", lambda f: lambda s, x, r: 1.1 * f(s, x, r)),
    "openness decays a round early": (
        "one class",
        "openness",
        lambda f: lambda b, fluid, r, night, *rest: f(b, fluid, r + (r > 1), night, *rest),
    ),
    "openness decays a round late": (
        "two classes",
        "openness",
        lambda f: lambda b, fluid, r, night, *rest: f(b, fluid, max(r - 1, min(r, 2)), night, *rest),
    ),
    "one vote more is needed": ("one class", "needed", lambda f: lambda *a: f(*a) + 1),
    "one vote less is needed": ("two classes", "needed", lambda f: lambda *a: f(*a) - 1),
    "in a tie the second concedes": (
        "concession",
        "leading",
        lambda f: lambda votes: (votes.argmax(axis=0), np.ones(votes.shape[1], dtype=bool)),
    ),
    "a tie counts as a refusal": (
        "concession",
        "concede",
        lambda f: lambda s, x, r, where: tied_refuse(f, s, x, r, where),
    ),
    "readiness is drawn anew every round": ("concession, two classes", "concede", with_non_concessions_forgotten),
    "the regime is drawn anew every round": (
        "two classes",
        "openness",
        lambda f: lambda b, fluid, r, night, *rest: f(b, np.roll(fluid, r), r, night, *rest),
    ),
    "a tied lead falls to the first": (
        "three two-way rounds",
        "first_of",
        lambda f: lambda votes, standing, tickets: f(votes, standing, in_order(tickets)),
    ),
    "a leader who is refused is asked again": (
        "the leader alone, and then more ballots",
        "moving",
        lambda f: lambda rules, at: f(rules, at) & (at.alone < 0),
    ),
    "the leader alone needs what the choice needed": (
        "the leader alone, and then more ballots",
        "needed",
        lambda f: lambda s, x, valid, r, roll: f(s, x, valid, 1 if (x.alone >= 0).any() else r, roll),
    ),
    "the others say yes as if theirs had been put out": (
        "concession, then yes or no",
        "others_yes",
        lambda f: lambda b, conceded, u: f(b, conceded & False, u),
    ),
    "nobody else says yes": (
        "concession, then yes or no",
        "confirmations",
        lambda f: lambda s, x, r, asked, roll: np.minimum(f(s, x, r, asked, roll), x.votes[:, asked].max(axis=0)),
    ),
}


def in_order(tickets: Any) -> Any:
    """Return lots that fall on the first."""
    return np.zeros_like(tickets) - np.arange(len(tickets))[:, None]


def tied_refuse(f: Any, plan: Any, runs: Any, round_: int, where: Any) -> Any:
    tied = where & ~course.leading(runs.votes)[1]
    conceded = f(plan, runs, round_, where)
    runs.non_concessions = runs.non_concessions + tied
    return conceded


@pytest.mark.slow
@pytest.mark.parametrize("liar", mostly_slow(CHAIN_LIARS, 4))
def test_the_exact_chain_rejects(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case, name, how = CHAIN_LIARS[liar]
    room, rules, behaviour = CHAINS[case]
    race = election(room, rules, **behaviour)
    lie(monkeypatch, name, how)
    assert strays(play(race, 60_000), ends_of(race, room)) > 4


# -- 3: nobody thinks again ----------------------------------------------------------------------

CLOSED = {"openness_fluid": 0, "openness_entrenched": 0, "openness_inf": 0}


def repeats_itself(out: Outcomes) -> bool:
    """Say whether all rounds of a run give the same tally."""
    first = np.repeat(out.starts, out.rounds)
    return bool((out.votes == out.votes[first]).all())


@pytest.mark.parametrize("names", ["AB", "ABCD"])
def test_without_openness_the_first_round_repeats_itself_for_ever(names: str) -> None:
    never = {"name": "strict", "eliminate_after": "never", "max_rounds": 12}
    race = toy(21, names, behaviour=CLOSED | PRESENT, rules=never)
    assert repeats_itself(play(race, 500))
    assert not repeats_itself(play(race.with_behaviour(openness_entrenched=0.01), 500))


def test_then_only_abstention_moves_the_tallies() -> None:
    race = toy(21, behaviour=CLOSED | {"absent": 0.1, "abstain": 0.1}, rules={"name": "strict", "max_rounds": 6})
    out = play(race, 2000)
    assert not repeats_itself(out)
    assert not out.flows[:, 0, 1].any()
    assert not out.flows[:, 1, 0].any()
    held = np.repeat(out.present.astype(int), out.rounds)
    later = np.repeat(out.starts, out.rounds) != np.arange(len(held))
    assert (out.flows.sum(axis=(1, 2))[later] == held[later]).all()
    missing = held - out.valid
    assert proportion(missing.sum(), held.sum(), 0.1) < 4
    assert proportion(missing.sum(), held.sum(), 0.11) > 4


def test_abstainers_are_a_fair_share_of_both_camps() -> None:
    race = toy(30, appeal=0.4, behaviour=CLOSED | STILL | {"abstain": 0.2}, rules={"name": "strict", "max_rounds": 2})
    out = play(race, 4000)
    intending = out.flows[out.starts[out.rounds == 2] + 1].sum(axis=1)
    missing = intending - out.votes[out.starts[out.rounds == 2] + 1]
    for k in (0, 1):
        assert proportion(missing[:, k].sum(), intending[:, k].sum(), 0.2) < 4


# -- 4: names and order do not matter ------------------------------------------------------------

THREE_CAMPS = {
    "candidates": [{"name": "A", "appeal": 0.2}, {"name": "B"}, {"name": "C", "appeal": -0.1}],
    "sponsors": [
        {"name": "W", "backs": "A", "strength": 0.5, "exposure": {"all": 0.5, "near": 1.0}},
        {"name": "Y", "backs": "B", "strength": 0.6},
    ],
    "ties": [{"name": "bloc", "who": "far", "candidate": "B", "log_odds": 1.0}],
    "behaviour": {"abstain": 0.1, "concede_b": 2.0},
    "rules": {"name": "four-rounds", "eliminate_after": 1},
}
TWO_CAMPS = THREE_CAMPS | {"candidates": THREE_CAMPS["candidates"][:2]}
MEMBERS = [{"name": f"M{i}", "g": f"G{i % 3}", "near": int(i % 4 == 0), "far": int(i % 5 == 1)} for i in range(24)]


def camps(description: dict[str, Any], members: list[dict[str, Any]] = MEMBERS, swap: bool = False) -> Scenario:
    """Return the election, with its members in this order, and the candidates backwards if `swap`."""
    described = dict(description)
    described["electorate"] = {"table": members, "group": "g"}
    if swap:
        described["candidates"] = described["candidates"][::-1]
    return Scenario.model_validate(described)


def mirrored(race: Scenario, other: Scenario, runs: int = 12_000) -> float:
    """Test that two descriptions of one election give the same results, by the candidates' names."""
    a, b = play(race, runs, seed=1), play(other, runs, seed=2)
    index = [other.names.index(name) for name in race.names]
    named = np.append(np.argsort(index), NONE)
    tests = [alike(a.winner, named[b.winner]), alike(a.rounds, b.rounds), alike(a.ending, b.ending)]
    tests += [alike(a.present, b.present), alike(a.valid, b.valid)]
    for round_ in (1, 2, 3):
        tests += [alike(tallies(a, round_, k), tallies(b, round_, j)) for k, j in enumerate(index)]
    return doubt(*tests)


@pytest.mark.parametrize("description", [TWO_CAMPS, THREE_CAMPS], ids=["two", "three"])
def test_naming_the_candidates_in_another_order_changes_nothing(description: dict[str, Any]) -> None:
    assert mirrored(camps(description), camps(description, swap=True)) > ALPHA


@pytest.mark.parametrize("description", [TWO_CAMPS, THREE_CAMPS], ids=["two", "three"])
def test_listing_the_members_in_another_order_changes_nothing(description: dict[str, Any]) -> None:
    assert mirrored(camps(description), camps(description, MEMBERS[::-1])) > ALPHA


def test_calling_the_members_by_other_names_changes_not_a_bit() -> None:
    renamed = [row | {"name": f"state {row['name'][::-1]}"} for row in MEMBERS]
    assert same(play(camps(TWO_CAMPS), 3000), play(camps(TWO_CAMPS, renamed), 3000))


def only_first(f: Any) -> Any:
    return lambda s, *rest: f(s, *rest) * (np.arange(s.candidates) == 0)[:, None]


UNFAIR: dict[str, tuple[str, Lie]] = {
    "only the first one's voters abstain": ("binomial_at", only_first),
    "only the first one's opponent concedes": (
        "concede",
        lambda f: lambda s, x, r, where: f(s, x, r, where & (x.votes.argmax(axis=0) == 0)),
    ),
    "lots fall on the first": (
        "survivors",
        lambda f: lambda votes, standing, places, tickets, *rest: f(votes, standing, places, in_order(tickets), *rest),
    ),
    "the first one gains a little": (
        "pull",
        lambda f: lambda s, x, r: f(s, x, r) + 0.12 * (np.arange(s.candidates) == 0)[:, None],
    ),
}


@pytest.mark.parametrize("liar", UNFAIR)
def test_the_mirror_shows_who_is_favoured(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, *UNFAIR[liar])
    assert mirrored(camps(THREE_CAMPS), camps(THREE_CAMPS, swap=True)) < ALPHA


def test_another_sponsor_or_another_exposure_is_not_a_mirror() -> None:
    swapped = camps(TWO_CAMPS, swap=True)
    assert mirrored(camps(TWO_CAMPS), swapped.with_pressure(W=0.7)) < ALPHA
    far = [row | {"far": row["near"], "near": row["far"]} for row in MEMBERS]
    assert mirrored(camps(TWO_CAMPS), camps(TWO_CAMPS, far, swap=True), 25_000) < ALPHA


@pytest.mark.parametrize("names", ["AB", "ABC", "ABCDE"])
def test_equals_win_equally_often(names: str) -> None:
    out = play(toy(20, names, rules={"name": "four-rounds", "eliminate_after": 1}), 8000)
    won = np.bincount(out.winner[out.winner >= 0], minlength=len(names))
    assert stats.chisquare(won).pvalue > ALPHA
    rows = out.votes[(out.starts + 1)[out.rounds > 1]]
    assert len(names) == 2 or stats.chisquare((rows < 0).sum(axis=0)).pvalue > ALPHA


# -- 5: the neutral centre -----------------------------------------------------------------------


def off_centre(out: Outcomes) -> list[str]:
    """Return what is not as it should be in the first round of the neutral centre."""
    share = tallies(out, 1) / out.valid[out.starts]
    logit = np.log(share / (1 - share))
    at_once = np.mean((out.rounds == 1) & (out.ending == 0))
    said = {
        "mean share": abs(share.mean() - 0.5) < 0.005,
        "sd of the share": 0.08 < share.std() < 0.12,
        "sd of the logit": 0.36 < logit.std() < 0.44,
        "two thirds at once": 0.05 < at_once < 0.15,
    }
    return [what for what, holds in said.items() if not holds]


def test_the_neutral_centre_is_where_it_should_be(centre_outcomes: dict[str, Outcomes]) -> None:
    assert off_centre(centre_outcomes["strict"]) == []


OFF_CENTRE: dict[str, tuple[str, Lie]] = {
    "the flattening is not undone": ("conviction_scale", lambda f: lambda conviction: 1.0),
    "it is undone twice": ("conviction_scale", lambda f: lambda conviction: f(conviction) ** 2),
}


@pytest.mark.parametrize("liar", OFF_CENTRE)
def test_a_wrong_scale_moves_the_neutral_centre(liar: str, monkeypatch: pytest.MonkeyPatch, centre: Scenario) -> None:
    lie(monkeypatch, *OFF_CENTRE[liar])
    assert off_centre(play(centre.with_rules("strict", max_rounds=1), 5000)) != []


def test_spreads_that_are_not_of_differences_move_the_neutral_centre(centre: Scenario) -> None:
    wide = centre.with_behaviour(common_sd=0.3 * np.sqrt(2), region_sd=0.4 * np.sqrt(2))
    assert off_centre(play(wide.with_rules("strict", max_rounds=1), 5000)) != []


# An independent implementation of the same model, 12 000 runs, and of version 0.1, 20 000 runs.  Its six
# groups were drawn at random, so they are not of equal size: that adds to the variance which the members
# share.  GROUPS of sizes as uneven as chance makes them shift these probabilities by up to 0.004 (the test
# below), which the numbers of version 0.1 are allowed; those of today agree without.  The published numbers are
# rounded to 0.001, or where they have two digits to 0.01.
ORIENTATION = {
    "until-two-thirds": {
        "open": 0.016,
        "by round 1": 0.257,
        "by round 2": 0.519,
        "by round 3": 0.666,
        "by round 5": 0.797,
        "acclamation": 0.490,
        "not over on Monday": 0.239,
        "not over on Monday from nine": 0.199,
    },
    "strict": {
        "open": 0.186,
        "by round 1": 0.086,
        "by round 2": 0.296,
        "by round 3": 0.436,
        "by round 5": 0.559,
        "not over on Monday": 0.473,
        "not over on Monday from nine": 0.436,
    },
    "four-rounds": {
        "failed": 0.200,
        "confirmed": 0.136,
        "acclamation": 0.316,
        "not over on Monday": 0.075,
        "not over on Monday from nine": 0.004,
    },
    "one-two-way": {"failed": 0.474, "confirmed": 0.269},
    "withdrawal-then-vote": {
        "failed": 0.011,
        "open": 0.018,
        "confirmed": 0.478,
        "by round 1": 0.086,
        "by round 2": 0.425,
        "by round 3": 0.599,
        "by round 5": 0.764,
        "not over on Monday": 0.273,
        "not over on Monday from nine": 0.224,
    },
}
ORIENTATION_OF_VERSION_1 = {
    "until-two-thirds": {
        "no winner": 0.024,
        "by round 1": 0.259,
        "by round 2": 0.521,
        "by round 3": 0.645,
        "by round 5": 0.756,
        "acclamation": 0.557,
        "not over on Monday": 0.27,
    },
    "strict": {
        "no winner": 0.284,
        "by round 1": 0.082,
        "by round 2": 0.296,
        "by round 5": 0.469,
        "not over on Monday": 0.55,
    },
    "four-rounds": {"failed": 0.215, "confirmed": 0.144, "not over on Monday": 0.07},
    "one-two-way": {"failed": 0.474, "confirmed": 0.267},
}
SLACK = 0.004
TWO_DIGITS = 0.005
"""Version 0.1's Mondays are rounded to 0.01."""


def probabilities(out: Outcomes) -> dict[str, float]:
    won = out.winner >= 0
    found = {name: np.mean(out.ending == code) for code, name in enumerate(ENDINGS)}
    found |= {f"by round {r}": np.mean(won & (out.rounds <= r)) for r in (1, 2, 3, 5)}
    later = (out.minute < 0) | (out.minute >= clock.DAY)
    return found | {"no winner": np.mean(~won), "not over on Monday": np.mean(later)}


def from_nine(race: Scenario) -> Scenario:
    """Return the election with the opening, and the morning's sitting, an hour earlier."""
    sittings = [[time(9), time(13)], [time(15), time(18)]]
    return race.with_clock(opens=datetime(2023, 5, 15, 9), sittings=sittings)


def disagreements(
    found: dict[str, float],
    expected: dict[str, float],
    runs: int = 20_000,
    their_runs: int = 12_000,
    slack: float = 0.0,
) -> list[str]:
    """Return the numbers that differ by more than four combined standard errors and the slack."""
    error = {k: np.sqrt(p * (1 - p) * (1 / their_runs + 1 / runs)) for k, p in expected.items()}
    room = {k: 4 * error[k] + slack for k in expected}
    return [f"{k}: {found[k]:.3f} for {p}" for k, p in expected.items() if abs(found[k] - p) > room[k]]


@pytest.mark.parametrize("rules", ORIENTATION)
def test_an_independent_implementation_agrees(
    rules: str, centre: Scenario, centre_outcomes: dict[str, Outcomes]
) -> None:
    found = probabilities(centre_outcomes[rules])
    early = probabilities(play(from_nine(centre).with_rules(rules), 20_000, seed=7))
    found["not over on Monday from nine"] = early["not over on Monday"]
    assert disagreements(found, ORIENTATION[rules]) == []


def disagreements_of_version_1(race: Scenario, rules: str) -> list[str]:
    """Return the numbers of version 0.1 that do not come back."""
    found = probabilities(play(race.with_rules(rules), 20_000, seed=7))
    expected = ORIENTATION_OF_VERSION_1[rules]
    rounded = {k: p + np.clip(found[k] - p, -TWO_DIGITS, TWO_DIGITS) for k, p in expected.items() if "Monday" in k}
    return disagreements(found, expected | rounded, their_runs=20_000, slack=SLACK)


@pytest.mark.parametrize("rules", ORIENTATION_OF_VERSION_1)
def test_with_the_dynamics_of_version_1_its_numbers_come_back(rules: str, centre: Scenario) -> None:
    assert disagreements_of_version_1(centre.with_behaviour(**VERSION_1), rules) == []


@pytest.mark.parametrize("rules", ["until-two-thirds", "strict"])
def test_and_with_those_of_today_they_do_not(rules: str, centre: Scenario) -> None:
    assert disagreements_of_version_1(centre, rules) != []


def test_uneven_groups_shift_these_numbers_by_no_more_than_the_slack(centre_outcomes: dict[str, Outcomes]) -> None:
    out = play(neutral((20, 24, 27, 31, 34, 39)).with_rules("until-two-thirds"), 20_000, seed=7)
    even, uneven = probabilities(centre_outcomes["until-two-thirds"]), probabilities(out)
    noise = 4 * np.sqrt(0.25 * 2 / 20_000)
    assert all(abs(even[k] - uneven[k]) < SLACK + noise for k in even)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "change"),
    [
        ("until-two-thirds", {"concede_a": 0.8}),
        ("until-two-thirds", {"momentum_fluid": 2.5}),
        ("strict", {"fluid": 0.6}),
        ("strict", {"openness_inf": 0.04}),
        ("strict", {"decay": 0.5}),
        ("four-rounds", {"yes_opponent_a": 3.0}),
        ("one-two-way", {"yes_own": 0.9}),
        ("withdrawal-then-vote", {"yes_conceded_a": 2.0}),
    ],
)
def test_and_would_not_with_another_parameter(rules: str, change: dict[str, float], centre: Scenario) -> None:
    found = probabilities(play(centre.with_rules(rules).with_behaviour(**change), 20_000, seed=7))
    assert disagreements(found, {k: p for k, p in ORIENTATION[rules].items() if k in found}) != []


def on_monday(**changes: float) -> list[float]:
    """Return how often 3, 4, 5, or 6 and more rounds fit into the Monday, if nobody is ever elected.

    No round runs past midnight, so that it does not matter whether the beginning or the end counts.
    """
    plan = toy().with_clock(**changes).plan
    keys = np.concatenate([rng.run_keys(1, block) for block in range(20)])
    timetable, held = Timetable(plan.calendar, plan.pace, keys), np.zeros(keys.size, dtype=int)
    for round_ in range(1, 14):
        timetable.hold_round(np.arange(keys.size), round_)
        held += timetable.now < clock.DAY
    return [float(np.mean(held == n)) for n in (3, 4, 5)] + [float(np.mean(held >= 6))]


def test_the_rounds_that_fit_into_a_monday() -> None:
    expected = np.array([0.21, 0.38, 0.18, 0.22])
    room = 4 * np.sqrt(expected * (1 - expected) * (1 / 20_000 + 1 / 20_480)) + 0.005
    assert (np.abs(on_monday() - expected) < room).all()
    for wrong in ({"sits_on": 0.35}, {"last_call": 60}, {"round_minutes": 75}, {"formalities": 75}):
        assert (np.abs(on_monday(**wrong) - expected) > room).any(), wrong


# -- 6: from the first round to the second --------------------------------------------------------

LEVELS = {  # of version 0.1: first share: mean second share, two thirds in round 2, open after round 15
    0.51: (0.517, 0.00, 0.90),
    0.55: (0.588, 0.02, 0.37),
    0.59: (0.658, 0.52, 0.24),
    0.62: (0.701, 0.71, 0.16),
    0.65: (0.736, 0.81, 0.05),
}


def from_level(share: float, runs: int = 25_000, **behaviour: float) -> list[tuple[float, float]]:
    """Return what follows a first share of `share`, each with its standard error.

    No run-level shock, no concession, no cap; all 168 members vote.
    """
    known = PRESENT | VERSION_1 | {"common_sd": 0, "region_sd": 0} | behaviour
    race = toy(168, behaviour=known, rules={"name": "strict", "max_rounds": 16}).balanced(share)
    out = play(race, runs, seed=3)
    near = np.abs(tallies(out, 1) / 168 - share) <= 0.006
    second = out.votes[(out.starts + 1)[near & (out.rounds >= 2)], 0]
    parts = [second / 168, second >= 112, (out.rounds > 15)[near]]
    return [(part.mean(), part.std() / np.sqrt(part.size)) for part in parts]


def off(found: list[tuple[float, float]], expected: tuple[float, ...]) -> float:
    """Return by how many standard errors the worst number is off; theirs was about 0.015."""
    theirs = (0.002, 0.015, 0.015)  # the mean second share has an sd of about 0.06 over as many runs
    errors = [np.hypot(error, other) for (_, error), other in zip(found, theirs, strict=True)]
    return max(abs(mean - x) / error for (mean, _), x, error in zip(found, expected, errors, strict=True))


@pytest.mark.parametrize("share", LEVELS)
def test_what_follows_a_first_share(share: float) -> None:
    assert off(from_level(share), LEVELS[share]) < 4


@pytest.mark.parametrize("change", [{"momentum_fluid": 2.4}, {"openness_fluid": 0.45}, {"conviction": 2.4}])
def test_another_behaviour_moves_what_follows(change: dict[str, float]) -> None:
    assert off(from_level(0.59, **change), LEVELS[0.59]) > 4


# -- 7: yes or no -------------------------------------------------------------------------------------


def confirmation(a: int, b: int, **behaviour: float) -> Outcomes:
    """Play elections whose first round is a : b for certain, without a pin, and whose second is yes or no."""
    known = STILL | behaviour
    race = classes((a, b), (2000.0, -2000.0), behaviour=known, rules={"name": "one-two-way", "concession": False})
    return play(race, 20_000)


def test_a_confirmation_from_75_to_73_passes_in_one_case_of_six() -> None:
    assert exact.confirmation(75, 73) == pytest.approx(0.165, abs=0.001)
    out = confirmation(75, 73)
    assert (out.votes[out.starts] == [75, 73]).all()
    assert proportion((out.ending == ENDINGS.index("confirmed")).sum(), out.size, exact.confirmation(75, 73)) < 4


def test_the_yes_votes_follow_their_exact_law() -> None:
    out = confirmation(30, 25)
    assert fit(out.votes[out.starts + 1, 0], exact.yes_law(30, 25)) > ALPHA
    binomial = np.convolve(stats.binom.pmf(np.arange(31), 30, 0.97), stats.binom.pmf(np.arange(26), 25, 0.22))
    assert fit(out.votes[out.starts + 1, 0], binomial) < ALPHA


@pytest.mark.parametrize("wrong", [{"yes_own": 1.0}, {"yes_opponent_a": 22, "yes_opponent_b": 78}])
def test_another_readiness_to_say_yes_is_seen(wrong: dict[str, float]) -> None:
    out = confirmation(75, 73, **wrong)
    assert proportion((out.winner >= 0).sum(), out.size, exact.confirmation(75, 73)) > 4


# -- concession: a readiness drawn once a run, without drawing it -------------------------------------


def test_concession_comes_as_if_readiness_were_drawn_once_a_run() -> None:
    """The rounds until a Beta(a, b) camp gives way: a mixture of geometrics."""
    out = play(elect("AAABB", rules={"concession": True, "max_rounds": 30}), 20_000)
    a, b, t = 1.1, 4.8, np.arange(1, 31)
    law = np.concatenate([[0], special.beta(a + 1, b + t - 1) / special.beta(a, b)])
    law[30] += 1 - law.sum()  # those who never did are unresolved after round 30
    assert fit(out.rounds, law) > ALPHA
    assert (out.winner[out.ending == ENDINGS.index("acclamation")] == 0).all()
    geometric = np.concatenate([[0], stats.geom.pmf(t, a / (a + b))])
    geometric[30] += 1 - geometric.sum()
    assert fit(out.rounds, geometric) < ALPHA


def test_in_a_tie_nobody_concedes() -> None:
    out = play(elect("AAABBB", behaviour=SURE, rules={"concession": True, "max_rounds": 5}), 200)
    assert set(out.ending) == {ENDINGS.index("open")}


# -- what a run draws once ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def draws(centre: Scenario) -> Draws:
    """What some thousand runs draw once, side by side."""
    plan = centre.plan
    parts = [draw(plan, 3, block) for block in range(12)]
    return Draws(**{key: np.concatenate([getattr(p, key) for p in parts], axis=-1) for key in vars(parts[0])})


def test_shocks_have_the_spread_of_differences(centre: Scenario, draws: Draws) -> None:
    calm = centre.with_parameters({"sponsors.W.spread": 0.0, "sponsors.E.spread": 0.0})
    a = leans(calm.plan, draws)
    gap = a[0] - a[1]
    runs, error = gap.shape[1], 4 / np.sqrt(2 * gap.shape[1])
    assert abs(gap[0].std() / np.hypot(0.3, 0.4) - 1) < error
    within = gap[0] - gap[40]  # two groups share the common shock
    assert abs(within.std() / (0.4 * np.sqrt(2)) - 1) < error
    assert np.array_equal(gap[0], gap[5])  # and two members of a group share everything
    assert abs(gap[0].mean() - (-0.09 + 0.6 * 0.6 - 0.6 * 0.45)) < 4 * 0.5 / np.sqrt(runs)


def test_a_campaign_works_as_well_as_stated_on_average(centre: Scenario, draws: Draws) -> None:
    """Lognormal of mean 1, and nothing else moves a member whom no shock reaches."""
    quiet = centre.with_behaviour(common_sd=0, region_sd=0, secrecy=0.25).with_pressure(E=0.0)
    effect = (leans(quiet.plan, draws)[0, 0] + 0.09) / (0.75 * 0.6)
    assert abs(effect.mean() - 1) < 4 * 0.417 / np.sqrt(effect.size)
    assert stats.kstest(np.log(effect), "norm", (-0.08, 0.4)).pvalue > ALPHA
    assert stats.kstest(np.log(effect), "norm", (0.0, 0.4)).pvalue < ALPHA


def test_absence_grows_with_pressure_from_every_side() -> None:
    table = [{"name": f"M{i}", "near": int(i < 5)} for i in range(10)]
    sponsors = [
        {"name": "W", "backs": "A", "strength": 0.5, "exposure": {"near": 1.0}},
        {"name": "Y", "backs": "B", "strength": 0.5, "exposure": {"all": 0.25, "near": 0.5}},
    ]
    behaviour = {"absent": 0.05, "cross_pressure_absence": 0.1}
    electorate = {"table": table, "pinned": {"A": ["M0"]}, "without_vote": ["M9"]}
    race = toy(electorate=electorate, sponsors=sponsors, behaviour=behaviour)
    # exposures: W 2 or 0, Y 1.5 or 0.5; the smaller of the two counts
    expected = np.array([0.0] + [0.05 + 0.1 * 1.5] * 4 + [0.05] * 4 + [1.0])
    plan = race.plan
    assert plan.absent[:, 0] == pytest.approx(expected)
    absent = np.concatenate([draw(plan, 1, block).absent for block in range(10)], axis=1)
    assert (absent[0] == 0).all()
    assert (absent[9] == 1).all()
    for row, p in zip(absent[1:9], expected[1:9], strict=True):
        assert proportion(row.sum(), row.size, p) < 4


def test_what_a_run_draws_is_drawn_apart(draws: Draws) -> None:
    """No two of the draws of a run go together: each purpose has numbers of its own."""
    rows = [*draws.campaign, *draws.appeal, *draws.region.reshape(12, -1), *draws.conviction[::25]]
    rows += [*draws.absent[::35].astype(float), draws.fluid.astype(float)]
    rows += [rng.uniform(draws.keys, r, lane) for r in (1, 2) for lane in (0, 1, 16)]
    together = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.abs(together).max() * np.sqrt(draws.fluid.size) < stats.norm.ppf(1 - ALPHA / 2 / together.size)
    assert proportion(draws.fluid.sum(), draws.fluid.size, 0.7) < 4


# -- 8: where it is computed does not matter -----------------------------------------------------------


class Backwards:
    """An executor that does the last piece of work first."""

    def map(self, function: Any, *arguments: list[Any]) -> list[Any]:
        done = [function(*call) for call in reversed(list(zip(*arguments, strict=True)))]
        return done[::-1]


class Submits:
    """An executor that knows `submit` only."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.submit = pool.submit


@pytest.fixture
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SPAN", 1)


SPREAD = {"names": "ABC", "rules": {"name": "until-two-thirds", "eliminate_after": 1}, "behaviour": {"absent": 0.1}}


@pytest.mark.usefixtures("short_spans")
@pytest.mark.parametrize("parts", [{}, pytest.param(SPREAD, marks=pytest.mark.slow)], ids=["two", "three"])
def test_backwards_and_in_threads_the_numbers_are_the_same(parts: dict[str, Any]) -> None:
    race = toy(21, **parts)
    here = play(race, 4500, seed=9)
    assert same(here, play(race, 4500, seed=9, executor=Backwards()))
    with ThreadPoolExecutor(3) as pool:
        assert same(here, play(race, 4500, seed=9, executor=pool))
        assert same(here, play(race, 4500, seed=9, executor=Submits(pool)))
    assert not same(here, play(race, 4500, seed=10))


@pytest.mark.slow
@pytest.mark.usefixtures("short_spans")
def test_in_other_processes_the_numbers_are_the_same() -> None:
    race = toy(21, **SPREAD)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert same(play(race, 3000, seed=9), play(race, 3000, seed=9, executor=pool))


def test_blocks_side_by_side_or_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    race = toy(21, **SPREAD)
    wide = play(race, 4500, seed=9)
    monkeypatch.setattr(simulate, "SPAN", 3)
    assert same(wide, play(race, 4500, seed=9))


@pytest.mark.parametrize("runs", [1, 2, 255, 1000, 1024, 1025, 4000])
def test_a_short_forecast_is_the_beginning_of_a_long_one(runs: int) -> None:
    race = camps(THREE_CAMPS)
    assert same(play(race, runs, seed=4), play(race, 5000, seed=4).head(runs))


def test_points_of_a_design_play_as_their_scenarios_alone() -> None:
    race = camps(TWO_CAMPS)
    cells = [
        race,
        race.with_pressure(W=1.2),
        race.with_behaviour(secrecy=0.9, fluid=0.2),
        race.with_behaviour(abstain=0.3),
        race.with_clock(sits_on=1.0),
        race.with_clock(last_call=90),
    ]
    for variant in (race, race.with_rules("strict"), race.with_pinned(A=["M3"])):
        whole = simulate.play_span(variant.plan, table(cells), 3, 1, 1500)
        for i, cell in enumerate(cells):
            alone = simulate.play_span(variant.plan.at(cell.plan.values), {}, 3, 1, 1500)
            assert same(whole.part(1500 * i, 1500 * (i + 1)), alone)


def table(cells: list[Scenario]) -> dict[str, list[list[float]]]:
    """Return every parameter of some scenarios, one row each."""
    return {path: [[cell.plan.values[path]] for cell in cells] for path in cells[0].plan.values}


def test_whatever_of_the_behaviour_is_changed_the_point_is_as_alone() -> None:
    race = camps(TWO_CAMPS).with_rules("one-two-way").with_behaviour(overnight=0.1)
    paths = [path for path in race.parameters() if path.startswith("behaviour.")]
    cells = [race.with_parameters({path: 0.6 * race.parameters()[path].value + 0.05}) for path in paths]
    whole = simulate.play_span(race.plan, table(cells), 3, 0, 300)
    for i, cell in enumerate(cells):
        assert same(whole.part(300 * i, 300 * (i + 1)), simulate.play_span(cell.plan, {}, 3, 0, 300))


def test_the_size_of_the_electorate_says_what_elects_if_the_rules_say_so() -> None:
    rules = {"name": "strict", "base": "entitled"}
    for gone, need in (((), 10), (("M15",), 10), (("M13", "M14", "M15"), 8)):
        out = play(toy(electorate={"size": 15, "without_vote": gone}, behaviour=PRESENT, rules=rules), 400, seed=3)
        assert out.votes.max(axis=1)[out.starts + out.rounds - 1][out.winner >= 0].min() == need


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from laws.test_oracles import THREE_CAMPS, camps, digest, play
race = camps(THREE_CAMPS)
print(race.hash, digest(play(race, 1500)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "31"])
def test_the_order_of_sets_does_not_matter(hash_seed: str) -> None:
    tests = Path(__file__).parents[1]
    program = PROGRAM.format(path=[str(tests.parent), str(tests)])
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    race = camps(THREE_CAMPS)
    assert done.stdout.split() == [race.hash, digest(play(race, 1500))]


def test_every_reading_is_in_the_orientation_table() -> None:
    assert set(ORIENTATION) == {*ORIENTATION_OF_VERSION_1, "withdrawal-then-vote"} == set(readings())


def test_a_pin_is_stronger_than_any_tie() -> None:
    """Also among three, where everybody is counted by log-odds, and also once a candidate has left."""
    ties = [{"name": "a whip", "who": "all", "candidate": "B", "log_odds": 1e5}]
    electorate = {"size": 12, "pinned": {"A": ["M1", "M2", "M3", "M4"], "C": ["M5", "M6"]}}
    rules = {"name": "strict", "eliminate_after": 1, "max_rounds": 3, "threshold": 1}
    out = play(toy(names="ABC", electorate=electorate, ties=ties, behaviour=STILL, rules=rules), 50)
    assert (out.votes[out.starts] == [4, 6, 2]).all()
    assert (out.votes[out.starts + 1] == [4, 8, -1]).all()  # those of C go where their own ties lead


def test_a_pin_is_stronger_than_any_landslide() -> None:
    """One of two is pinned to whom nobody else wants, and the last tally pulls with a factor of 10**12."""
    crowd = FREE | {"momentum_fluid": 11, "momentum_entrenched": 11}
    for names in ("AB", "BA"):
        out = play(elect("A" * 12 + "B", names, crowd, rules={"name": "strict", "threshold": 1, "max_rounds": 30}), 300)
        assert (out.votes[:, names.index("B")] == 1).all()


def test_another_sponsor_leaves_the_numbers_of_the_others_alone() -> None:
    """Before, behind or between: a sponsor's campaign is addressed by its name."""
    sponsors = [{"name": name, "backs": "A", "strength": 0.5} for name in ("W", "X", "Y")]

    def drawn(*which: int) -> dict[str, np.ndarray]:
        race = toy(sponsors=[sponsors[i] for i in which])
        plan = race.plan
        return dict(zip(plan.sponsors, draw(plan, 3, 2).campaign, strict=True))

    alone, all_, turned = drawn(1), drawn(0, 1, 2), drawn(2, 1, 0)
    assert np.array_equal(alone["X"], all_["X"])
    assert all(np.array_equal(all_[name], turned[name]) for name in "WXY")
    assert not np.array_equal(all_["W"], all_["X"])
    still = toy(sponsors=sponsors[:2])
    added = toy(sponsors=[sponsors[2] | {"strength": 0.0}, *sponsors[:2]])
    assert same(play(still, 500), play(added, 500))
