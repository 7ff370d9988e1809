"""A precision asked for that the draws of the assumptions do not allow: how that is known, and what is said."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from toys import PRESENT, toy

import iomsim as iom
from iomsim.engine import simulate
from iomsim.forecasting import run
from iomsim.forecasting.estimates import left_by_draws, over_draws
from iomsim.forecasting.run import half_width, out_of_reach
from iomsim.typing import Floats

NOBODY_KNOWS = {"candidates": [{"name": "A", "appeal": {"value": 0.0, "low": -1.0, "high": 1.0}}, {"name": "B"}]}


def make(race: iom.Scenario, **options: Any) -> iom.Forecast:
    return iom.forecast(race, seed=5, progress=False, **options)


def error_of(hits: Any, runs: Any) -> float:
    """Return the Monte Carlo error of a chance."""
    return float(over_draws(np.asarray(hits, dtype=float)[None], runs)[3][0])


def truth(p: Floats) -> float:
    """Return the error of a mean over draws whose chances are known: endless runs of each."""
    endless = 10**7
    return error_of(np.round(p * endless), np.full(p.size, endless))


@pytest.mark.parametrize(("draws", "runs"), [(400, 40), (400, 400), (30, 400)])
def test_what_is_left_is_the_error_of_endless_runs(draws: int, runs: int) -> None:
    """On average over luck; and the lower end lies above it in no more cases than it says."""
    rng = np.random.default_rng(1)
    p = rng.beta(2, 2, draws)
    exact, found = truth(p), [left_by_draws(rng.binomial(runs, p), np.full(draws, runs)) for _ in range(300)]
    error, at_least = np.array(found).T
    assert np.sqrt(np.mean(error**2)) == pytest.approx(exact, rel=0.05)
    assert (at_least > exact).mean() < 0.06
    assert np.median(at_least) > 0.3 * exact  # nor so low that it says nothing


def test_the_noise_of_the_runs_is_taken_out() -> None:
    """Half of the variance of these shares is luck: the error that there is would be a wrong answer."""
    rng = np.random.default_rng(3)
    p, runs = rng.beta(20, 20, 400), np.full(400, 40)
    hits = [rng.binomial(40, p) for _ in range(300)]
    left, there = ([f(x) for x in hits] for f in (lambda x: left_by_draws(x, runs)[0], lambda x: error_of(x, runs)))
    assert np.sqrt(np.mean(np.square(left))) == pytest.approx(truth(p), rel=0.1)
    assert np.sqrt(np.mean(np.square(there))) > 1.2 * truth(p)


def test_where_draws_are_alike_nothing_is_left() -> None:
    rng = np.random.default_rng(2)
    found = np.array([left_by_draws(rng.binomial(100, np.full(400, 0.3)), np.full(400, 100)) for _ in range(300)])
    assert (found[:, 1] > 0.0005).mean() < 0.06
    assert left_by_draws(np.array([3]), np.array([10])) == (0.0, 0.0)  # one draw says nothing of others
    assert left_by_draws(np.array([0, 10]), np.array([10, 10]))[0] > 0.5
    single = np.append(np.tile([0, 1], 200), [2, 1, 0])  # hardly a draw has two runs: they may all be alike
    assert left_by_draws(single, np.append(np.ones(400, dtype=int), [2, 2, 2]))[1] == 0


@pytest.mark.usefixtures("short_spans")
def test_it_stops_where_more_runs_would_not_do() -> None:
    race = toy(9, behaviour=PRESENT, **NOBODY_KNOWS)
    fc = make(race, precision=0.03, target="A", assumptions=30)
    assert len(fc) < 10_000
    assert half_width(fc, "A") > 0.03
    error = out_of_reach(fc, "A", 0.03)
    told = re.fullmatch(
        rf"stopped at {len(fc)} runs: 30 draws of the assumptions leave an error of {100 * error:.2g} points, however "
        r"many runs there are, and 3 were asked for; assumptions=(\d+) or assumptions='fixed' would do",
        fc.stopped,
    )
    assert told
    for cure in (int(told[1]), "fixed"):
        reached = make(race, precision=0.03, target="A", assumptions=cure)
        assert reached.stopped.startswith("the 95 % half-width of A reached 0.0")
        assert half_width(reached, "A") <= 0.03


@pytest.mark.usefixtures("short_spans")
def test_it_does_not_stop_where_more_runs_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same draws, and a little more than the error that they leave."""
    race = toy(9, behaviour=PRESENT, **NOBODY_KNOWS)
    left = out_of_reach(make(race, runs=6_000, assumptions=30), "A", 0.01)
    fc = make(race, precision=1.3 * left, target="A", assumptions=30)
    assert fc.stopped.startswith("the 95 % half-width of A reached")
    monkeypatch.setattr(run, "left_by_draws", lambda hits, runs: (1.0, 0.0))  # a bound that never holds
    monkeypatch.setattr(run, "MOST_RUNS", 4 * simulate.BLOCK)
    assert make(race, precision=0.03, target="A", assumptions=30).stopped.startswith("gave up at ")


@pytest.mark.usefixtures("short_spans")
def test_every_target_is_looked_at_and_far_goals_are_for_the_best_guesses() -> None:
    race = toy(9, behaviour=PRESENT, **NOBODY_KNOWS)
    fc = make(race, precision=0.0005, assumptions=30)
    assert fc.stopped.endswith("however many runs there are, and 0.05 were asked for; assumptions='fixed' would do")
    assert out_of_reach(fc, None, 0.0005) == max(out_of_reach(fc, name, 0.0005) for name in ("A", "B"))
    assert out_of_reach(make(race, runs=500, assumptions="fixed"), None, 0.0005) == 0
