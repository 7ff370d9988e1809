"""Moves from a round among three or more: their law against simulation and by hand, and what they teach."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from toys import play, toy

import iomsim as iom
from iomsim.model.components import Behaviour
from iomsim.typing import Floats
from iomsim.validation.crowded import (
    CrowdedMove,
    _at,
    _conditional,
    _table,
    _thinking,
    crowded_log_likelihood,
    crowded_moves,
)
from iomsim.validation.data import contests
from iomsim.validation.likelihood import TallySeries, series_log_likelihood
from iomsim.validation.priors import LAWS, from_scores, priors
from iomsim.validation.synthetic import synthetic_contests

FROZEN = {"openness_fluid": 0.0, "openness_entrenched": 0.0, "openness_inf": 0.0}


def theta(conviction: float = 1.8, away: float = 0.0, **changes: float) -> SimpleNamespace:
    values = {key: np.array([changes.get(key, getattr(Behaviour(), key).value)]) for key in LAWS}
    return SimpleNamespace(**values, conviction=conviction, away=away)


def moments(move: CrowdedMove, t: SimpleNamespace, regime: str = "fluid") -> tuple[Floats, Floats]:
    table = _table(move, t.conviction)
    pull = getattr(t, f"momentum_{regime}") * t.momentum_field
    mean, spread = _conditional(
        move, table, _at(table, *_thinking(move, t, regime), pull), t.round_sd, move.present(t.away)
    )
    return mean[0], spread[0]


# -- what it looks at ----------------------------------------------------------------------------


def test_the_moves_of_a_contest() -> None:
    """Only between consecutive rounds; nobody comes in; who is named at the end of the line stands."""
    one = next(one for one in contests() if one.id == "WHO2017")
    first, second, third = one.rounds
    assert crowded_moves(one) == (CrowdedMove((95, 52, 38), (121, 62, None), 186),)
    assert crowded_moves(replace(one, rounds=(first, third))) == ()
    assert crowded_moves(replace(one, rounds=(second, third))) == ()
    newcomer = replace(second, candidates=("Tedros", "Somebody"))
    assert crowded_moves(replace(one, rounds=(first, newcomer))) == ()
    again = replace(first, round=2)
    [_, later] = crowded_moves(replace(one, rounds=(first, again, replace(second, round=3))))
    assert later == CrowdedMove((95, 52, 38), (121, 62, None), 186, before=1)


# -- its law, by hand ----------------------------------------------------------------------------


def test_without_conviction_freed_votes_go_in_proportion_to_votes() -> None:
    move = CrowdedMove((60, 30, 10), (66, 34, None), 100)
    mean, spread = moments(move, theta(conviction=0.0, round_sd=0.0, **FROZEN))
    assert mean[:2] == pytest.approx([60 + 20 / 3, 30 + 10 / 3])
    free = 10 * (2 / 3) * (1 / 3)  # binomial; the level is known from ninety
    assert spread[0, 0] == pytest.approx(free * (1 + 10 / 90) + 1 / 12)


def test_freed_votes_feel_no_pull_of_the_last_tally_and_those_who_stay_do() -> None:
    move = CrowdedMove((60, 30, 10), (66, 34, None), 100)
    weak, strong = (moments(move, theta(momentum_fluid=m, **FROZEN))[0] for m in (0.0, 6.0))
    assert strong == pytest.approx(weak)
    stay = CrowdedMove((60, 30, 10), (66, 30, 4), 100)
    weak, strong = (moments(stay, theta(momentum_fluid=m, momentum_field=0.5))[0][0] for m in (0.0, 6.0))
    assert strong > weak + 3


def test_the_pull_is_momentum_times_the_field() -> None:
    move = CrowdedMove((60, 30, 10), (66, 30, 4), 100)
    one, other = (crowded_log_likelihood(move, theta(momentum_fluid=m, momentum_field=f), "fluid")
                  for m, f in ((4.0, 0.25), (2.0, 0.5)))  # fmt: skip
    assert one == pytest.approx(other)
    assert abs(crowded_log_likelihood(move, theta(momentum_fluid=4.0, momentum_field=1.0), "fluid") - one) > 0.1


def test_far_into_a_deadlock_the_same_tally_pulls_no_more() -> None:
    still = {"openness_inf": 0.3, "decay": 1.0, "openness_fluid": 0.3, "momentum_field": 1.0}
    early, late = (moments(CrowdedMove((60, 30, 10), (60, 30, 10), 100, n), theta(**still))[0][0] for n in (0, 40))
    assert early > 63
    assert late == pytest.approx(60, abs=0.5)


@pytest.mark.parametrize("second", [108, 116, 125])
def test_between_two_it_is_what_the_finer_one_says(second: int) -> None:
    """The likelihood between two makes fewer approximations."""
    t = theta(momentum_field=1.0)
    series = TallySeries(np.array([[108.0, 72.0], [second, 180.0 - second]]), 180)
    move = CrowdedMove((108, 72), (second, 180 - second), 180)
    for regime in ("fluid", "entrenched"):
        finer = series_log_likelihood(series, t, regime)
        assert crowded_log_likelihood(move, t, regime) == pytest.approx(finer, rel=0.03, abs=0.1)


# -- its law, against simulation -----------------------------------------------------------------


def residuals(
    size: int, fluid: float, leaves: bool, runs: int = 12_000, **wrong: float
) -> tuple[Floats, list[CrowdedMove]]:
    """Return standardized second tallies of simulated contests among three, in which the last leaves or nobody."""
    behaviour = {"common_sd": 0.5, "region_sd": 0, "absent": 0, "abstain": 0, "fluid": fluid}
    rules = {"name": "strict", "threshold": "1", "max_rounds": 3} | ({"eliminate_after": 1} if leaves else {})
    out = play(toy(size, "ABC", behaviour=behaviour, rules=rules, appeal=0.3), runs, seed=5)
    tallies = out.votes[out.starts[out.rounds >= 2][:, None] + np.arange(2)].astype(int)
    near = np.abs(tallies[:, 0] - np.array([0.45, 0.32, 0.23]) * size).max(axis=1) < 0.04 * size
    found, moves = [], []
    for first, second in tallies[near & (tallies[:, 0].argmin(axis=1) == 2)]:
        move = CrowdedMove(tuple(first.tolist()), tuple(v if v >= 0 else None for v in second.tolist()), size)
        mean, spread = moments(move, theta(**wrong), "fluid" if fluid else "entrenched")
        at = np.flatnonzero(move.stands)[:-1]
        found.append(np.linalg.solve(np.linalg.cholesky(spread[np.ix_(at, at)]), (second - mean)[at]))
        moves.append(move)
    return np.array(found), moves


@pytest.mark.slow
@pytest.mark.parametrize("size", [60, 175])
@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.parametrize("fluid", [0.0, 1.0])
def test_the_next_tally_has_the_moments_that_simulation_shows(size: int, leaves: bool, fluid: float) -> None:
    z, _ = residuals(size, fluid, leaves)
    assert len(z) > 400
    assert np.abs(z.mean(axis=0)).max() < 0.1 + 3 / np.sqrt(len(z))
    assert np.diag(np.atleast_2d(np.cov(z.T))) == pytest.approx(1.0, abs=0.12 + 3 * np.sqrt(2 / len(z)))


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [False, True])
def test_a_wrong_field_is_seen_in_the_moments_and_in_the_likelihood(leaves: bool) -> None:
    z, moves = residuals(175, 1.0, leaves, momentum_field=1.0)
    assert z[:, 0].mean() < -0.3
    right, wrong = (
        sum(float(crowded_log_likelihood(move, theta(momentum_field=f), "fluid")[0]) for move in moves[:150])
        for f in (0.5, 1.0)
    )
    assert right > wrong + 10


# -- what it teaches -----------------------------------------------------------------------------


def made(truth: dict[str, float], number: int, seed: int, candidates: int) -> list[iom.Contest]:
    behaviour = Behaviour(**dict(Behaviour()) | truth)
    told = synthetic_contests(number, behaviour, seed=seed, candidates=candidates)
    return [replace(one, rounds=one.rounds[:6]) for one in told]


def test_the_field_is_found_and_what_is_between_two_says_nothing_of_it() -> None:
    told = iom.fit(made({"momentum_field": 0.1}, 12, 3, 3), ["momentum_field"], draws=200, progress=False)
    row = told.table().loc["momentum_field"]
    assert row["pinned down"] == "yes"
    assert row["disagrees"]
    assert abs(row["mean"] - 0.1) < 3 * row["sd"]
    silent = iom.fit(made({"momentum_field": 0.1}, 3, 3, 2), ["momentum_field"], draws=200, progress=False)
    assert abs(silent.table().loc["momentum_field", "contraction"]) < 0.15


@pytest.mark.slow
def test_truths_are_recovered_with_the_coverage_that_was_promised() -> None:
    """Truths from the prior, twelve contests among four: their ranks in the posterior are uniform."""
    keys = ["fluid", "openness_fluid", "momentum_fluid", "momentum_field"]
    laws, rng, ranks = priors(keys), np.random.default_rng(17), []
    for seed in range(40):
        truth = {key: float(v[0]) for key, v in from_scores(laws, rng.standard_normal((1, len(keys)))).items()}
        learned = iom.fit(made(truth, 12, 900 + seed, 4), keys, draws=700, seed=seed, progress=False)
        ranks.append([float(learned.weights @ (learned.values[key].to_numpy() < truth[key])) for key in keys])
    for key, u in zip(keys, np.array(ranks).T, strict=True):
        assert stats.kstest(u, "uniform").pvalue > 1e-3, key
        for level in (0.8, 0.95):
            covered = int((np.abs(u - 0.5) < level / 2).sum())
            assert stats.binomtest(covered, len(u), level).pvalue > 1e-3, (key, level)
