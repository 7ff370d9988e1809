"""Moves from a round among three or more: their law against simulation and by hand, and what they teach."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from toys import play, toy

import iomsim as iom
from iomsim.model.components import Behaviour
from iomsim.model.scenario import build
from iomsim.typing import Floats
from iomsim.validation.crowded import (
    CrowdedMove,
    _at,
    _given_camp,
    _moments,
    _table,
    _thinking,
    camps,
    crowded_log_likelihood,
    crowded_moves,
)
from iomsim.validation.data import contests
from iomsim.validation.likelihood import TallySeries, series_log_likelihood
from iomsim.validation.priors import LAWS, from_scores, priors
from iomsim.validation.segments import CAMP
from iomsim.validation.synthetic import synthetic_contests

FROZEN = {"openness_fluid": 0.0, "openness_entrenched": 0.0, "openness_inf": 0.0}


def theta(conviction: float = 1.8, away: float = 0.0, **changes: float) -> SimpleNamespace:
    values = {key: np.array([changes.get(key, getattr(Behaviour(), key).value)]) for key in LAWS}
    return SimpleNamespace(**values, conviction=conviction, secrecy=0.4, away=away)


def moments(move: CrowdedMove, t: SimpleNamespace, regime: str = "fluid", camp: float = 0.0) -> tuple[Floats, Floats]:
    """Return mean and covariance of the later votes of those who are told apart."""
    table = _table(move, t.conviction, camp, move.present(t.away))
    pull = getattr(t, f"momentum_{regime}") * t.momentum_field
    mean, spread = _moments(move, _at(table, *_thinking(move, t, regime), pull), t.round_sd)
    return mean[0], spread[0]


# -- what it looks at ----------------------------------------------------------------------------


def test_the_moves_of_a_contest() -> None:
    """Only between consecutive rounds; nobody comes in; who is named at the end of the line stands."""
    one = next(one for one in contests() if one.id == "WHO2017")
    first, second, third = one.rounds
    assert crowded_moves(one) == (CrowdedMove((95, 52, 38), (121, 62, None), 186, 0, CAMP["strength"]),)
    assert crowded_moves(replace(one, rounds=(first, third))) == ()
    assert crowded_moves(replace(one, rounds=(second, third))) == ()
    newcomer = replace(second, candidates=("Tedros", "Somebody"))
    assert crowded_moves(replace(one, rounds=(first, newcomer))) == ()
    again = replace(first, round=2)
    [_, later] = crowded_moves(replace(one, rounds=(first, again, replace(second, round=3))))
    assert later == CrowdedMove((95, 52, 38), (121, 62, None), 186, 1, CAMP["strength"])


def test_the_camp_is_that_of_the_leader_of_the_first_round() -> None:
    """Nobody has one whose lead is none, nor has anybody after that leader has left."""
    one = next(one for one in contests() if one.id == "WHO2017")
    first, second, _ = one.rounds
    overtaken = replace(first, round=2, tally=(40, 90, 55))
    [_, move] = crowded_moves(replace(one, rounds=(first, overtaken, replace(second, round=3))))
    assert (move.votes[move.leader], move.camp) == (40, CAMP["strength"])
    [level] = crowded_moves(replace(one, rounds=(replace(first, tally=(70, 70, 45)), second)))
    assert level.camp == 0
    four = replace(first, candidates=(*first.candidates, "D"), tally=(60, 50, 40, 35), valid=185)
    three = replace(four, round=2, candidates=four.candidates[1:], tally=(70, 60, 55))
    [_, orphan] = crowded_moves(replace(one, rounds=(four, three, replace(three, round=3))))
    assert orphan.camp == 0


@pytest.mark.parametrize(
    ("votes", "after", "apart"),
    [
        ((60, 30, 10), (60, 30, 10), [0, 1]),
        ((60, 30, 10), (66, 34, None), [0]),
        ((60, 7, 30, 3), (60, 7, 30, 3), [0, 2]),
        ((30, 20, 8, 5, 2), (30, 20, 8, 5, 2), [0, 1]),
        ((30, 20, 9, 5, 3), (30, 20, 9, 5, 3), [0, 1, 2]),
        ((30, 20, 9, 5, 3), (None, 20, None, 5, 3), [1]),
        ((5, 3, 2), (5, 3, 2), [0]),
    ],
)
def test_the_smallest_are_taken_together(votes: tuple[int, ...], after: tuple[int, ...], apart: list[int]) -> None:
    assert CrowdedMove(votes, after, 100).apart.tolist() == apart


# -- its law, by hand ----------------------------------------------------------------------------


def test_without_conviction_freed_votes_go_in_proportion_to_votes() -> None:
    move = CrowdedMove((60, 30, 10), (66, 34, None), 100)
    mean, spread = moments(move, theta(conviction=0.0, round_sd=0.0, **FROZEN))
    assert mean == pytest.approx([60 + 20 / 3])
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


def test_what_is_freed_outside_a_camp_does_not_go_to_its_leader() -> None:
    """The open half is all the leader's: so the others' votes are those of the other half, and stay there."""
    move = CrowdedMove((500, 300, 200), (500, 500, None), 1000)
    strong, none = (moments(move, theta(conviction=0.0, **FROZEN), camp=camp)[0] for camp in (11.0, 0.0))
    assert strong == pytest.approx([500], abs=3)
    assert none == pytest.approx([625])


def test_camps_have_their_law_and_the_likelihood_is_the_mean_over_them() -> None:
    move = CrowdedMove((60, 30, 10), (66, 34, None), 100, camp=2.0)
    t = theta()
    found = camps(move, t)
    public = np.sqrt(1 + 0.346 * 1.8**2) * 0.6 * 2.0 * 2
    law = stats.lognorm(CAMP["spread"], scale=public * np.exp(-(CAMP["spread"] ** 2) / 2))
    assert law.cdf(found) == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    each = [np.exp(_given_camp(move, t, "fluid", camp)) for camp in found]
    assert np.exp(crowded_log_likelihood(move, t, "fluid")) == pytest.approx(np.mean(each, axis=0))
    assert camps(replace(move, camp=0.0), t) == [0.0]


@pytest.mark.slow
def test_with_a_camp_too_the_next_tally_has_the_moments_that_simulation_shows() -> None:
    """Contests among three with a camp of one strength for all, played by the engine."""
    size, strength = 174, 2.0
    members = pd.DataFrame({"name": [f"M{i}" for i in range(size)], "open": [i % 2 == 0 for i in range(size)]})
    sponsor = {"name": "camp", "backs": "A", "strength": strength, "spread": 0.0, "exposure": {"open": 1.0}}
    race = build(
        {
            "title": "camp",
            "electorate": {"members": members},
            "candidates": [{"name": "A", "appeal": -0.9}, {"name": "B", "appeal": 0.4}, {"name": "C", "appeal": 0.0}],
            "sponsors": [sponsor],
            "behaviour": {"common_sd": 0.5, "region_sd": 0, "absent": 0, "cross_pressure_absence": 0, "abstain": 0,
                          "fluid": 1.0, "secrecy": 0.0},
            "rules": {"name": "strict", "threshold": "1", "max_rounds": 2, "eliminate_after": 1},
        },
        "camp",
    )  # fmt: skip
    out = play(race, 20_000, seed=4)
    tallies = out.votes[out.starts[out.rounds >= 2][:, None] + np.arange(2)].astype(int)
    middle = tallies[:, 0].mean(axis=0)  # where the law of the level before the vote is as good as flat
    near = (np.abs(tallies[:, 0] - middle).max(axis=1) < 8) & (tallies[:, 0].argmin(axis=1) == 2)
    pull, z = float(np.sqrt(1 + 0.346 * 1.8**2)) * strength * 2, {}
    for camp in (pull, 0.0):
        found = []
        for first, second in tallies[near][:500]:
            move = CrowdedMove(tuple(first.tolist()), (int(second[0]), int(second[1]), None), size)
            mean, spread = moments(move, theta(), camp=camp)
            found.append((second[0] - mean[0]) / np.sqrt(spread[0, 0]))
        z[camp] = np.array(found)
    assert len(z[pull]) > 300
    assert abs(z[pull].mean()) < 0.1 + 3 / np.sqrt(len(z[pull]))
    assert z[pull].std() == pytest.approx(1.0, abs=0.15)
    assert abs(z[0.0].mean()) > 0.5


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
        found.append(np.linalg.solve(np.linalg.cholesky(spread), second[move.apart] - mean))
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


@pytest.mark.slow
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
