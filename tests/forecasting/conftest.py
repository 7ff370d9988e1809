"""Forecasts that several tests look at: made once a session."""

from __future__ import annotations

from typing import Any

import pytest
from toys import elect, neutral, slow_but, toy, unsure

import iomsim as iom
from iomsim.engine import simulate
from iomsim.forecasting import run
from iomsim.model.bodies import readings


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


@pytest.fixture
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a span be one block, so that a forecast of a few thousand runs has several."""
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "SPAN", 1)


@pytest.fixture(scope="session")
def forecasts() -> dict[str, iom.Forecast]:
    """A race of two and one of three under the rule sets, and some that end in odd ways."""
    race = neutral()
    made = {name: make(race.with_rules(name)) for name in readings()}
    made["three"] = make(iom.load("iom-2018").with_rules("four-rounds"), 1000)
    made["nobody"] = make(elect("AAABBB", rules={"name": "strict", "max_rounds": 3}), 50)
    made["at once"] = make(elect("AAAABB"), 50)
    made["asked late"] = make(race.with_rules(after_concession="confirmation", max_rounds=12))
    made["one run"] = make(race, 1)
    made["fixed"] = make(unsure(), assumptions="fixed")
    made["unsure"] = make(unsure(), 2100)
    made["unsure three"] = make(unsure(names="ABC"), 1000, assumptions=40)
    made["handful"] = make(toy(4, "ABC", behaviour={"abstain": 0.4}, rules={"name": "strict", "max_rounds": 4}), 300)
    return made


NAMES = (*readings(), "three", "nobody", "at once", "asked late", "one run", "handful", "fixed", "unsure",
         "unsure three")  # fmt: skip


SLOW = ("strict", "four-rounds", "withdrawal-then-vote", "unsure")


@pytest.fixture(params=slow_but(NAMES, *(name for name in NAMES if name not in SLOW)))
def fc(request: pytest.FixtureRequest, forecasts: dict[str, iom.Forecast]) -> iom.Forecast:
    return forecasts[request.param]
