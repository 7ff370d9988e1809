"""What several tests look at: made once a session."""

from __future__ import annotations

import gc
import signal
from typing import Any

import pytest
from browser import NONE_HERE
from toys import neutral, play

import iomsim as iom
from iomsim.engine.outcomes import Outcomes
from iomsim.model.bodies import readings
from iomsim.model.scenario import Scenario

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells have it for what they run in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # many tests press Ctrl-C, here and in processes of theirs


@pytest.fixture(scope="session")
def centre() -> Scenario:
    return neutral()


@pytest.fixture(scope="session")
def centre_outcomes(centre: Scenario) -> dict[str, Outcomes]:
    """The neutral centre under every rule set, on the same random numbers."""
    return {name: play(centre.with_rules(name), 20_000, seed=7) for name in readings()}


@pytest.fixture(scope="session")
def centre_forecast(centre: Scenario) -> iom.Forecast:
    return iom.forecast(centre, runs=3000, seed=11, progress=False)


def pytest_collection_finish() -> None:
    """Have garbage be looked for among what the tests make alone: thousands of them would be gone through each time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say aloud that pages were not tried in a browser, where there is none."""
    skipped = terminalreporter.stats.get("skipped", [])
    if count := sum(NONE_HERE in str(report.longrepr) for report in skipped):
        terminalreporter.write_sep("!", f"{count} tests of pages were NOT run", red=True, bold=True)
        terminalreporter.write_line(NONE_HERE, red=True)
