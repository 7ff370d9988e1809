"""Drivers, from the runs of one forecast, against Sobol indices, from a design of their own: the same shares.

``iom.sobol`` has parameters uniform between their low and high, a forecast draws them from two-piece laws with tails
beyond.  The two are compared twice, each time under one law for both: Sobol's points are put through the two-piece
laws, and compared with `fc.drivers`; and draws of drivers are made uniform, and compared with `iom.sobol` itself.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import iomsim as iom
from iomsim.engine.rng import assumption_uniforms
from iomsim.engine.simulate import simulate
from iomsim.forecasting.effects import Answers, effects
from iomsim.model.links import quantile
from iomsim.model.scenario import Scenario, build
from iomsim.sensitivity.paired import run_outcomes
from iomsim.sensitivity.sobol import design, indices, probabilities

MOVED = [
    "sponsors.Washington.strength",
    "sponsors.Brussels.strength",
    "ties.European Union.log_odds",
    "behaviour.concede_a",
    "behaviour.concede_b",
    "behaviour.conviction",
    "clock.round_minutes",
]


@pytest.fixture(scope="module")
def race() -> Scenario:
    """Geneva under one reading of the rules, all but seven assumptions known.

    The appeal that gives the level is stated in its place: Sobol's designs hold it, forecasts solve it for every draw.
    """
    race = iom.load("geneva-2023").with_rules("until-two-thirds")
    appeal = {"value": float(race.plan.values["candidates.Pope.appeal"])}
    pope, vitorino = (dict(candidate) for candidate in race.candidates)
    race = build(dict(race) | {"level": {}, "candidates": (pope | {"appeal": appeal}, vitorino)})
    known = {path: quantity.value for path, quantity in race.parameters().items() if path not in MOVED}
    return race.with_parameters({path: (value, value, value) for path, value in known.items()})


def agree(drivers: pd.DataFrame, sobol: pd.DataFrame) -> None:
    """Check shares against first-order indices, within the errors of both."""
    error = np.hypot(drivers["share_error"], (sobol["first_high"] - sobol["first_low"]) / 4)
    gap = (drivers["share"] - sobol["first"]).abs()
    assert (gap < 3.5 * error + 0.015).all(), pd.DataFrame({"drivers": drivers["share"], "sobol": sobol["first"]})
    assert (sobol["first"] > 0.08).sum() >= 2
    assert drivers.loc[sobol["first"] > 0.08, "clear"].all()


@pytest.mark.slow
@pytest.mark.parametrize("target", ["Pope", "spill"])
def test_drivers_of_a_forecast_are_first_order_indices(race: Scenario, target: str) -> None:
    fc = iom.forecast(race, runs=200_000, seed=1, progress=False, assumptions=800)
    assert set(fc.assumptions) - {"reading"} == set(MOVED)
    unit = design([(0.0, 1.0)] * len(MOVED), 256, 3)
    known = race._parameters
    points = {
        path: quantile(known[path].quantity, known[path].bounds, unit[..., i].ravel().clip(1e-6, 1 - 1e-6))
        for i, path in enumerate(MOVED)
    }
    values = probabilities(race, points, target, 1000, 5).T.reshape(2, len(MOVED) + 2, 256)
    found = fc.drivers(target).table()
    agree(found.loc[MOVED], indices(values, MOVED).loc[MOVED])
    assert abs(np.sqrt(fc.drivers(target).effects.variance) / np.sqrt(_variance(values)) - 1) < 0.15


def _variance(values: np.ndarray) -> float:
    """Return the variance of a chance over Sobol's points, every product across the halves."""
    both = values[:, :2].reshape(2, -1)
    return float(np.cov(both)[0, 1])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["Pope", "spill"])
def test_shares_of_uniform_draws_are_the_indices_of_sobol(race: Scenario, target: str) -> None:
    count, runs = 800, 250
    known = race.parameters()
    draws = {
        path: known[path].low + (known[path].high - known[path].low) * assumption_uniforms(1, path, count)
        for path in MOVED
    }
    played = run_outcomes(race.plan, simulate(race.plan, draws, count * runs, 1))[target]
    answers = Answers.of(played.reshape(runs, count).sum(axis=0), np.full(count, runs))
    sobol = iom.sobol(race, target, parameters=MOVED, samples=256, runs=1000, seed=7, progress=False).table()
    shares = effects(answers, pd.DataFrame(draws)).shares.rename(columns={"error": "share_error"})
    agree(shares, sobol.loc[MOVED])
