"""Sobol indices: known answers, no luck called interaction, and nothing claimed within noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit
from toys import STILL, elect, play, same, toy, voter

import iomsim as iom
from iomsim.errors import IomsimError, ScenarioError, UnknownNameError
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.sobol import crossed, design, indices, probabilities

Floats = NDArray[np.float64]


def exact(function: Any, ranges: list[tuple[float, float]], nodes: int = 24) -> Floats:
    """Return first-order and total indices of a smooth function by Gauss and Legendre's rule."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    axes = [low + (high - low) * (x + 1) / 2 for low, high in ranges]
    values, weight = function(*np.meshgrid(*axes, indexing="ij")), w / 2

    def mean(array: Floats, over: set[int]) -> Floats:
        for axis in sorted(over, reverse=True):
            array = np.tensordot(array, weight, axes=(axis, 0))
        return array

    every = set(range(len(ranges)))
    variance = float(mean(values**2, every) - mean(values, every) ** 2)
    alone = [mean(mean(values, every - {i}) ** 2, {0}) - mean(values, every) ** 2 for i in every]
    without = [mean(mean(values, {i}) ** 2, set(range(len(ranges) - 1))) - mean(values, every) ** 2 for i in every]
    return np.array([np.array(alone) / variance, 1 - np.array(without) / variance])


def test_the_exact_answers_are_exact() -> None:
    """Ishigami's function, whose indices are known in closed form, and a sum."""
    found = exact(lambda x, y: x + 2 * y, [(0, 1), (0, 1)])
    assert found == pytest.approx(np.array([[0.2, 0.8], [0.2, 0.8]]))
    found = exact(lambda x, y, z: np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x), [(-np.pi, np.pi)] * 3)
    assert found == pytest.approx(np.array([[0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]]), abs=2e-4)


# -- the estimator ----------------------------------------------------------------------------------


def looked_at(function: Any, ranges: list[tuple[float, float]], samples: int, seed: int) -> Floats:
    points = design(ranges, samples, seed)
    return np.asarray(function(*np.moveaxis(points, -1, 0)))


def test_the_design_changes_one_column_at_a_time() -> None:
    points = design([(0, 1), (-2, 2), (5, 6)], 16, seed=1)
    a, b = points[:2]
    assert points.shape == (5, 16, 3)
    for i in range(3):
        changed = points[2 + i]
        assert np.array_equal(changed[:, i], b[:, i])
        assert np.array_equal(np.delete(changed, i, 1), np.delete(a, i, 1))
    assert ((points >= [0, -2, 5]) & (points <= [1, 2, 6])).all()
    assert abs(np.corrcoef(a[:, 1], b[:, 1])[0, 1]) < 0.5
    assert np.array_equal(points, design([(0, 1), (-2, 2), (5, 6)], 16, seed=1))
    assert not np.array_equal(points, design([(0, 1), (-2, 2), (5, 6)], 16, seed=2))


@pytest.mark.parametrize("kind", ["sum", "ishigami"])
def test_known_functions_have_their_known_indices(kind: str) -> None:
    function, ranges = {
        "sum": (lambda x, y, z: x + 2 * y + 0 * z, [(0.0, 1.0)] * 3),
        "ishigami": (
            lambda x, y, z: np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x),
            [(-np.pi, np.pi)] * 3,
        ),
    }[kind]
    values = looked_at(function, ranges, 1024, seed=1)
    table = indices(np.stack([values, values]), list("xyz")).loc[list("xyz")]
    for i, key in enumerate(("first", "total")):
        truth = exact(function, ranges)[i]
        assert table[key].to_numpy() == pytest.approx(truth, abs=0.05)
        assert (table[f"{key}_low"].to_numpy() - 0.01 <= truth).all()
        assert (table[f"{key}_high"].to_numpy() + 0.01 >= truth).all()
    assert table["clear"].tolist() == [True, True, kind == "ishigami"]


def test_without_luck_the_estimates_are_scipys() -> None:
    values = looked_at(lambda x, y, z: np.sin(x) * y + z**2, [(0.0, 2.0)] * 3, 64, seed=2)
    theirs = stats.sobol_indices(func={"f_A": values[:1], "f_B": values[1:2], "f_AB": values[2:, None]}, n=64)
    assert crossed(np.stack([values, values])) == pytest.approx(np.stack([theirs.first_order, theirs.total_order]))


def noisy(samples: int, runs: int, seed: int) -> tuple[Floats, Floats]:
    """Return shares of few runs at a design for p = 0.1 + 0.4 x + 0.4 y, in two halves."""
    p = looked_at(lambda x, y: 0.1 + 0.4 * x + 0.4 * y, [(0.0, 1.0)] * 2, samples, seed)
    rng = np.random.default_rng(seed)
    one, other = (rng.binomial(runs // 2, p) / (runs // 2) for _ in range(2))
    return one, other


def test_luck_is_not_called_interaction() -> None:
    """With ten runs a point nearly half of the scatter is luck; the indices of the sum are a half each all the same.

    Without the crossing, first-order indices shrink and totals swell: interaction that is none.
    """
    found, naive = [], []
    for seed in range(30):
        one, other = noisy(512, 10, seed)
        both = (one + other) / 2
        for values, out in ((np.stack([one, other]), found), (np.stack([both, both]), naive)):
            out.append(crossed(values))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(30)
    assert (np.abs(mean - 0.5) < 4.5 * error + 0.02).all()
    assert (error < 0.03).all()
    first, total = np.mean(naive, axis=0)
    assert (first < 0.35).all()
    assert (total > 0.65).all()


def test_luck_that_all_points_share_is_not_called_an_effect() -> None:
    """On common random numbers luck is a function of the parameters: here the slope in y, which is none.

    Within one half of the runs y does something; only across the halves does it turn out to be luck.
    """
    x, y = np.moveaxis(design([(0.0, 1.0)] * 2, 64, seed=1), -1, 0)
    found, naive = [], []
    for seed in range(200):
        one, other = (x + slope * y for slope in np.random.default_rng(seed).normal(0, 0.5, 2))
        found.append(crossed(np.stack([one, other])))
        naive.append(crossed(np.stack([one, one])))
    assert np.abs(np.mean(found, axis=0)[:, 1]).max() < 0.05
    assert np.mean(naive, axis=0)[:, 1].min() > 0.1


def test_each_point_is_looked_at_by_two_halves_of_the_runs() -> None:
    race = voter()
    found = probabilities(race, {"candidates.A.appeal": np.array([0.0, 1.0])}, "A", 101, seed=3)
    for values, scenario in zip(found, (race, race.with_parameters({"candidates.A.appeal": 1.0})), strict=True):
        won = play(scenario, 101, seed=3).winner == 0
        assert values.tolist() == [won[:51].mean(), won[51:].mean()]


@pytest.mark.slow
def test_intervals_hold_the_middle_95_of_100_bootstrap_samples() -> None:
    values = np.stack(noisy(256, 40, seed=1))
    rng = np.random.default_rng(7)
    samples = [crossed(values[..., rng.integers(256, size=256)]) for _ in range(4000)]
    table = indices(values, ["x", "y"]).loc[["x", "y"]]
    for row, key in enumerate(("first", "total")):
        widths = np.diff(np.quantile(samples, [0.025, 0.975], axis=0)[:, row], axis=0)[0]
        told = (table[f"{key}_high"] - table[f"{key}_low"]).to_numpy()
        assert told == pytest.approx(widths, rel=0.1)  # of the middle 90 they would be a sixth shorter


# -- elections --------------------------------------------------------------------------------------


def test_an_election_has_the_indices_that_are_known() -> None:
    """One voter, three assumptions that interact, and their exact indices by quadrature."""
    race = voter()
    names = ["A", "secrecy", "W"]
    found = iom.sobol(race, parameters=names, samples=128, runs=500, seed=1, progress=False).table()
    ranges = [(-0.6, 1.0), (0.2, 0.8), (0.0, 2.0)]
    truth = exact(lambda a, s, w: expit(a + (1 - s) * w), ranges)
    paths = ["candidates.A.appeal", "behaviour.secrecy", "sponsors.W.strength"]
    for i, key in enumerate(("first", "total")):
        assert found.loc[paths, key].to_numpy() == pytest.approx(truth[i], abs=0.12)
        assert (found.loc[paths, f"{key}_low"] - 0.02 <= truth[i]).all()
        assert (found.loc[paths, f"{key}_high"] + 0.02 >= truth[i]).all()
    assert list(found.index) == [paths[i] for i in np.argsort(-truth[1])]


def test_an_additive_election_has_no_interactions() -> None:
    """Small moves of two appeals, the one twice the other: a fifth and four fifths, alone as in all."""
    appeals = [{"value": 0.0, "low": -0.2, "high": 0.2}, {"value": 0.0, "low": -0.4, "high": 0.4}]
    race = toy(1, candidates=[{"name": n, "appeal": q} for n, q in zip("AB", appeals, strict=True)], behaviour=STILL)
    found = iom.sobol(race, parameters=["A", "B"], samples=128, runs=1000, seed=1, progress=False)
    table = found.table().loc[["candidates.A.appeal", "candidates.B.appeal"]]
    assert table["first"].to_numpy() == pytest.approx([0.2, 0.8], abs=0.1)
    assert table["total"].to_numpy() == pytest.approx([0.2, 0.8], abs=0.1)
    assert "B's appeal alone explains " in found.sentence()
    assert "within noise" not in found.sentence().lower()


def test_what_does_nothing_is_within_noise_of_zero() -> None:
    found = iom.sobol(voter(), parameters={"A": (-1, 1), "yes_own": (0.5, 1)}, samples=16, runs=100, seed=1)
    table = found.table()
    assert not table.loc["behaviour.yes_own", "clear"]
    assert table.loc["candidates.A.appeal", "clear"]
    assert "Within noise of zero: yes to the leader from its own voters." in found.sentence()


def test_where_nothing_moves_the_sentence_says_so() -> None:
    found = iom.sobol(elect("AAAB"), parameters={"fluid": (0, 1)}, samples=8, runs=20, seed=1)
    assert found.table()[["first", "total"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert found.sentence().startswith("None of these assumptions moves A's chance beyond noise")


def test_the_widest_bars_are_taken_by_default() -> None:
    race = voter()
    found = iom.sobol(race, samples=4, runs=20, seed=1, progress=False)
    wide = iom.tornado(race, rules=False, runs=1000, seed=1).table()
    assert sorted(found.table().index) == sorted(wide.index[:6])


def test_the_same_seed_gives_the_same_indices() -> None:
    how: dict[str, Any] = {"parameters": ["A", "W"], "samples": 8, "runs": 40, "seed": 3}
    pd.testing.assert_frame_equal(iom.sobol(voter(), **how).table(), iom.sobol(voter(), **how).table())


# -- what tallies can tell --------------------------------------------------------------------------


def pressed(race: Scenario, secrecy: float) -> Scenario:
    """Return the scenario with other secrecy, and strengths that leave the same pressure behind it."""
    kept = (1 - race.behaviour.secrecy.value) / (1 - secrecy)
    return race.with_behaviour(secrecy=secrecy).with_pressure(
        **{sponsor.name: sponsor.strength.value * kept for sponsor in race.sponsors}
    )


def test_no_tally_tells_pressure_from_secrecy() -> None:
    """Less secrecy and less pressure: the same elections to the last paper; and one alone: others."""
    race = iom.load("geneva-2023")
    base = play(race, 500)
    for secrecy in (0.0, 0.2, 0.7):
        assert same(base, play(pressed(race, secrecy), 500))
    assert not same(base, play(race.with_behaviour(secrecy=0.0), 500))


# -- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"samples": 100}, IomsimError, "samples must be a power of two, got 100; try 128"),
        ({"samples": 1}, IomsimError, "samples must be a whole number of at least 2, got 1"),
        ({"runs": 3}, IomsimError, "runs must be a whole number of at least 4, got 3"),
        ({"target": "C"}, UnknownNameError, "no target named 'C'"),
        ({"parameters": ["secrcy"]}, UnknownNameError, "did you mean 'secrecy'"),
        ({"parameters": ["B"]}, ScenarioError, "B has no range"),
        ({"parameters": {"W": (1, 0)}}, ScenarioError, "must be below its high"),
    ],
)
def test_a_bad_question_is_refused(how: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        iom.sobol(voter(), **({"samples": 4, "runs": 10, "seed": 1} | how))


def test_every_corner_of_the_ranges_is_a_scenario() -> None:
    """The default parameters can be moved together without leaving what a scenario allows."""
    race = iom.load("geneva-2023")
    ends = {path: (q.low, q.high) for path, q in race.parameters().items() if q.low < q.high}
    for side in (0, 1):
        race.with_parameters({path: pair[side] for path, pair in ends.items()})
