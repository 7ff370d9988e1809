# ruff: noqa: E501 - tables of what was got and what is said, one case a line
"""Parameters by name, and values that many runs take at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import iomsim as iom
from iomsim.model.parameters import check_values
from iomsim.model.scenario import Scenario, build

SHIPPED = {name: iom.load(name) for name in ("geneva-2023", "iom-2018", "minimal")}
PLACES = [(name, path) for name, race in SHIPPED.items() for path in race.parameters()]
NAN, INF = float("nan"), float("inf")


def refusal(call: Any) -> str:
    """Return the sentence with which a call is refused, or "" if it is not."""
    try:
        call()
    except iom.IomsimError as error:
        return str(error)
    return ""


def agreed(race: Scenario, values: dict[str, float]) -> str:
    """Return what is said of values, by the scenario with them and by a check of many at once; it is the same."""
    said = refusal(lambda: race.with_parameters(values))
    likely = {path: q.value for path, q in race.parameters().items() if path in values}
    many = {path: np.array([likely[path], value, likely[path]]) for path, value in values.items()}
    assert refusal(lambda: check_values(race, many)) == said
    assert refusal(lambda: check_values(race, values)) == said
    return said


@pytest.mark.parametrize(("name", "path"), PLACES)
def test_many_values_are_refused_as_one_is(name: str, path: str) -> None:
    race = SHIPPED[name]
    bounds = race._parameters[path].bounds
    outside = (
        np.nextafter(bounds.low, -INF),
        bounds.low - 1,
        np.nextafter(bounds.high, INF),
        2 * bounds.high,
        NAN,
        INF,
    )
    for value in map(float, outside):
        said = agreed(race, {path: value})
        assert said.startswith(
            (f"{race.title}: {path} must be {bounds.words}, got ", f"{path} must be a finite number")
        )
    edge = float(np.nextafter(bounds.low, INF)) if bounds.without_low else bounds.low
    assert refusal(lambda: bounds.check(iom.Quantity(value=edge, low=edge, high=bounds.high))) == ""
    for value in (edge, bounds.high, race.parameters()[path].low, race.parameters()[path].high):
        agreed(race, {path: value})


def test_every_kind_of_bounds_is_met() -> None:
    met = {SHIPPED[name]._parameters[path].bounds.words for name, path in PLACES}
    assert len(met) == 10


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sponsors.W.exposure.near": -2.0}, "toy: the exposure of M1 to W is negative; weights must add up to 0 or more"),
        ({"sponsors.W.exposure.near": 0.0, "sponsors.W.exposure.all": 0.0},
         "toy: no member is exposed to W; give at least one weight above 0"),
        ({"clock.last_call": 400.0}, "toy: clock: the clock never sits: no sitting is long enough for a round to start"),
        ({"clock.last_call": 181.0, "clock.sits_on": 1.0}, ""),
    ],
)  # fmt: skip
def test_values_that_do_not_go_together(values: dict[str, float], said: str) -> None:
    race = build(
        {
            "title": "toy",
            "electorate": {"table": [{"name": f"M{i}", "near": i % 2} for i in range(4)]},
            "candidates": [{"name": "A"}, {"name": "B"}],
            "sponsors": [{"name": "W", "backs": "A", "strength": 0.5, "exposure": {"all": 1.0, "near": 1.0}}],
        }
    )
    assert agreed(race, values) == said


def test_what_is_no_parameter_is_refused() -> None:
    with pytest.raises(iom.UnknownNameError, match=r"^no parameter named 'behaviour.fluidd'; did you mean 'beh"):
        check_values(SHIPPED["minimal"], {"behaviour.fluidd": 0.5})
