"""Small elections that the tests play, and ways to play them."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from datetime import date, time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from iomsim.election_day.election_day import ElectionDay, live
from iomsim.engine.outcomes import Outcomes
from iomsim.engine.simulate import simulate
from iomsim.model.scenario import Scenario, build

ALPHA = 1e-4
"""A law is doubted when its p-value falls below this; seeds are fixed, so nothing flickers."""

PRESENT = {"absent": 0, "cross_pressure_absence": 0, "abstain": 0}
"""Everybody is there and hands in a valid paper."""

STILL = PRESENT | {"conviction": 0, "common_sd": 0, "region_sd": 0, "round_sd": 0}
"""Nothing is shared and nothing is hidden: members of a class are alike in every run."""

FREE = {"openness_fluid": 1, "openness_entrenched": 1, "openness_inf": 1, "momentum_fluid": 0, "momentum_entrenched": 0}
"""Everybody thinks again before every round, and nobody looks at the last tally."""

VERSION_1 = {"decay": 0.45, "openness_inf": 0.04, "round_sd": 0.15}
"""How contests moved in version 0.1, of which numbers of an independent implementation are known."""

SURE = {"concede_a": 1e9, "concede_b": 1e-9}
"""The trailing camp concedes at once."""


HALVES = {"sittings": [["10:00", "13:00"], ["15:00", "18:00"]]}
"""When the toys sit, unless they say something else; they open with it on Monday 15 May 2023."""


def timed(described: dict[str, Any]) -> dict[str, Any]:
    """Return a description with the hours of the toys, where it gives none of its own."""
    clock = described.get("clock", {"opens": "2023-05-15T10:00:00"})
    return {**described, "clock": HALVES | clock if isinstance(clock, dict) else clock}


def night_of(race: Scenario, *args: Any, **options: Any) -> ElectionDay:
    """Open an election day on the best guesses: its particles follow the values of the race, and its own rules."""
    return live(race, *args, **{"assumptions": "fixed", **options})


def mostly_slow(cases: Iterable[Any], every: int) -> list[Any]:
    """Return the cases of a test; every so many is quick, the others run with the slow tests."""
    return [x if i % every == 0 else pytest.param(x, marks=pytest.mark.slow) for i, x in enumerate(cases)]


def slow_but(cases: Iterable[Any], *quick: Any) -> list[Any]:
    """Return the cases of a test, tuples of several arguments too; those named are quick, the others slow."""
    cases = list(cases)
    assert all(x in cases for x in quick), f"no such case: {[x for x in quick if x not in cases]}"
    parts = [x if isinstance(x, tuple) else (x,) for x in cases]
    return [
        x if x in quick else pytest.param(*part, marks=pytest.mark.slow) for x, part in zip(cases, parts, strict=True)
    ]


def toy(
    size: int = 15,
    names: str = "AB",
    appeal: float = 0.0,
    behaviour: dict[str, float] | None = None,
    rules: str | dict[str, Any] = "strict",
    **parts: Any,
) -> Scenario:
    """Return an election of `size` nameless members; `appeal` is the first candidate's."""
    candidates = [{"name": name, "appeal": appeal if name == names[0] else 0.0} for name in names]
    described = {
        "title": "toy",
        "electorate": {"size": size},
        "candidates": candidates,
        "behaviour": behaviour or {},
        "rules": {"name": rules} if isinstance(rules, str) else rules,
    }
    return build(timed(described | parts))


def classes(sizes: tuple[int, int], log_odds: tuple[float, float], **parts: Any) -> Scenario:
    """Return an election of two classes of members, who lean towards A by different log-odds."""
    table = tuple({"name": f"{c}{i}", "class": c} for c, size in zip("XY", sizes, strict=True) for i in range(size))
    ties = [
        {"name": c, "who": f"class={c}", "candidate": "A", "log_odds": value}
        for c, value in zip("XY", log_odds, strict=True)
    ]
    return toy(electorate={"table": table}, ties=ties, **parts)


def elect(papers: str, names: str = "AB", behaviour: dict[str, float] | None = None, **parts: Any) -> Scenario:
    """Return an election one can count on one hand: a letter for every member's paper.

    Members are pinned to the candidate of their letter; ``-`` is absent, ``o`` abstains (not both
    in one election), and ``x`` has no vote.
    """
    who = [f"M{i + 1}" for i in range(len(papers))]
    pinned = {name: tuple(m for m, letter in zip(who, papers, strict=True) if letter == name) for name in names}
    electorate = {
        "size": len(papers),
        "pinned": {name: members for name, members in pinned.items() if members},
        "without_vote": tuple(m for m, letter in zip(who, papers, strict=True) if letter == "x"),
    }
    fate = {"absent": float("-" in papers), "abstain": float("o" in papers)}
    return toy(names=names, electorate=electorate, behaviour=STILL | fate | (behaviour or {}), **parts)


def lean(
    papers: str, names: str = "AB", behaviour: dict[str, float] | None = None, then: str = "", **parts: Any
) -> Scenario:
    """Return an election one can count on one hand of members who are free: a letter for every member's paper.

    They are as sure as can be, but unlike the pinned of :func:`elect` they may say yes to another when their own
    candidate is out; their own voters always do.  `then` has a letter for every member's second choice.
    """
    who = [f"M{i + 1}" for i in range(len(papers))]
    ties = [
        {"name": f"{letters} {name}", "who": chosen, "candidate": name, "log_odds": odds}
        for letters, odds in ((papers, 500), (then, 200))
        for name in names
        if (chosen := [m for m, letter in zip(who, letters, strict=False) if letter == name])
    ]
    return toy(len(papers), names, behaviour=STILL | {"yes_own": 1} | (behaviour or {}), ties=ties, **parts)


def complete(k: int, members: int, **parts: Any) -> Scenario:
    """Return an election of `k` candidates with everything in it: sponsors, ties, groups, pins, bars, arrears.

    Members are barred only in the phases that say so.
    """
    names = "ABCDEFGHIJKLMNOP"[:k]
    regions = ("north", "south", "east")
    table = [
        {"name": f"M{i}", "g": regions[i % 3], "near": int(i % 4 == 0), "ally": int(i % 5 < 2)} for i in range(members)
    ]
    whole = {
        "electorate": {
            "table": table,
            "group": "g",
            "own_groups": {"allies": "ally"},
            "without_vote": ["M5"],
            "pinned": {names[0]: ["M1"], names[-1]: ["M2", "M3"]},
            "barred": {names[0]: ["M0", "M1"], names[-1]: ["M1", "M4", "M5"]},
        },
        "candidates": [{"name": name, "appeal": 0.1 * i} for i, name in enumerate(names)],
        "sponsors": [
            {"name": "W", "backs": names[0], "strength": 0.7, "exposure": {"all": 0.5, "near": 1.0}},
            {"name": "X", "backs": names[0], "strength": 0.2, "spread": 0.1},
            {"name": "Y", "backs": names[1], "strength": 0.5, "exposure": {"not near": 1.0, "g=south": 2.0}},
        ],
        "ties": [{"name": "bloc", "who": "ally", "candidate": names[1], "log_odds": 0.8}],
        "clock": {"opens": "2023-05-18T10:00:00"},  # a Thursday: a weekend comes soon
    }
    return build(timed(whole | parts))


LEANS = (1.2, 0.3, 0.0, -0.4, -1.0)
ALONE = PRESENT | {"common_sd": 0, "region_sd": 0, "round_sd": 0}
"""Nothing is shared: what members do in the first round is independent."""


def five(first: str = "A", **parts: Any) -> Scenario:
    """Return an election of five members who lean differently towards the first candidate; four votes elect."""
    ties = [{"name": f"t{i}", "who": [f"M{i}"], "candidate": first, "log_odds": x} for i, x in enumerate(LEANS, 1)]
    return toy(5, **({"ties": ties, "behaviour": ALONE} | parts))


def voter(**parts: Any) -> Scenario:
    """Return an election by one member, of which everything is known: A wins with sigma(lean).

    The lean is A's appeal plus what secrecy leaves of W's pressure.
    """
    described: dict[str, Any] = {
        "behaviour": STILL | {"secrecy": {"value": 0.5, "low": 0.2, "high": 0.8}},
        "candidates": [{"name": "A", "appeal": {"value": 0.0, "low": -0.6, "high": 1.0}}, {"name": "B", "appeal": 0}],
        "sponsors": [{"name": "W", "backs": "A", "strength": {"value": 1.0, "low": 0.0, "high": 2.0}, "spread": 0}],
    }
    return toy(1, **(described | parts))


def chance(appeal: float = 0.0, secrecy: float = 0.5, strength: float = 1.0) -> float:
    return float(expit(appeal + (1 - secrecy) * strength))


def neutral(groups: tuple[int, ...] = (30, 29, 29, 29, 29, 29), **parts: Any) -> Scenario:
    """Return the neutral centre: no ties, two sponsors felt alike by all, six groups, 175 members."""
    letters = [f"G{g}" for g, size in enumerate(groups) for _ in range(size)]
    described = {
        "title": "neutral centre",
        "electorate": {"table": [{"name": f"M{i}", "g": g} for i, g in enumerate(letters)], "group": "g"},
        "candidates": [{"name": "A", "appeal": -0.09}, {"name": "B"}],
        "sponsors": [{"name": "W", "backs": "A", "strength": 0.60}, {"name": "E", "backs": "B", "strength": 0.45}],
    }
    return build(timed(described | parts))


def play(race: Scenario, runs: int, seed: int = 1, executor: Any = None) -> Outcomes:
    """Return the outcomes of many runs."""
    return simulate(race.plan, {}, runs, seed, executor)


def same(a: Outcomes, b: Outcomes) -> bool:
    """Say whether two outcomes are equal in every bit."""
    pairs = [(part, getattr(b, name)) for name, part in vars(a).items()]
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in pairs)


def digest(out: Outcomes) -> str:
    """Return a hash of every bit of outcomes."""
    return hashlib.sha256(b"".join(part.tobytes() for part in vars(out).values())).hexdigest()


def tallies(out: Outcomes, round_: int, candidate: int = 0) -> NDArray[np.int16]:
    """Return a candidate's votes in one round, of the runs that held it."""
    return out.votes[(out.starts + round_ - 1)[out.rounds >= round_], candidate]


def pooled(observed: NDArray[Any], expected: NDArray[Any], least: float = 5.0) -> tuple[list[float], list[float]]:
    """Pool neighbouring cells until each is expected to hold at least `least`."""
    counts, means, o, e = [], [], 0.0, 0.0
    for seen, mean in zip(observed, expected, strict=True):
        o, e = o + seen, e + mean
        if e >= least:
            counts.append(o)
            means.append(e)
            o = e = 0.0
    counts[-1] += o
    means[-1] += e
    return counts, means


def fit(values: NDArray[Any], law: NDArray[Any]) -> float:
    """Return the p-value of Pearson's test that `values` 0, 1, ... come from `law` (all of its mass)."""
    values = np.asarray(values, dtype=np.int64)
    seen = np.bincount(values, minlength=len(law)).astype(float)
    if len(seen) > len(law) or seen[np.asarray(law) <= 0].any():
        return 0.0
    observed, expected = pooled(seen, np.asarray(law) * values.size)
    return float(stats.chisquare(observed, np.array(expected) * values.size / np.sum(expected)).pvalue)


def alike(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the p-value of the test that two samples of whole numbers have one law."""
    a, b = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
    low = min(a.min(), b.min())
    size = max(a.max(), b.max()) - low + 1
    one, two = (np.bincount(x - low, minlength=size).astype(float) for x in (a, b))
    both, _ = pooled(one + two, one + two, least=20.0)
    edges = np.searchsorted(np.cumsum(one + two), np.cumsum(both))
    table = np.array([np.diff(np.concatenate([[0], np.cumsum(x)[edges]])) for x in (one, two)])
    return float(stats.chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0


def proportion(hits: int, runs: int, truth: float) -> float:
    """Return by how many standard errors a share of the runs misses the truth."""
    return abs(hits / runs - truth) / np.sqrt(truth * (1 - truth) / runs)


def unsure(size: int = 21, names: str = "AB", **parts: Any) -> Scenario:
    """Return an election that is unsure of all that a scenario can be: numbers, the level, the reading of the rules.

    The first candidate has a level; there is a sponsor on either side, and a tie that binds three members.
    """
    share = 1 / len(names)
    described = {
        "title": "unsure",
        "electorate": {"table": [{"name": f"M{i}", "g": "NS"[i % 2], "near": int(i < 3)} for i in range(size)]},
        "candidates": [{"name": name} for name in names],
        "level": {names[0]: {"value": share, "low": share - 0.08, "high": share + 0.08}},
        "sponsors": [
            {"name": "W", "backs": names[0], "strength": {"value": 0.6, "low": 0.3, "high": 1.1}},
            {"name": "E", "backs": names[1], "strength": {"value": 0.4, "low": 0.0, "high": 0.9}},
        ],
        "ties": [
            {"name": "t", "who": "near", "candidate": names[1], "log_odds": {"value": 1.0, "low": 0.2, "high": 1.8}}
        ],
        "readings": [
            {"name": "until-two-thirds", "weight": 0.5},
            {"name": "four-rounds", "weight": 0.3},
            {"name": "one-two-way", "weight": 0.2},
        ],
    }
    return build(timed(described | parts))


def as_an_editor_sees(text: str) -> Any:
    """Return TOML as an editor with the schema sees it: dates and times are texts."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        if isinstance(value, list):
            return [plain(part) for part in value]
        return value.isoformat() if isinstance(value, (date, time)) else value

    return plain(tomllib.loads(text))
