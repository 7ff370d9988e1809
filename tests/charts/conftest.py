"""What several tests of charts look at."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from chart_cases import MANY
from toys import toy

import iomsim as iom


@pytest.fixture(autouse=True)
def _tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody shows a figure, and none is left behind by one test for the next."""
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a chart was shown"))
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    """A quick forecast: thirty members, two candidates."""
    return iom.forecast(
        toy(30, behaviour={"common_sd": 0.6}, rules="until-two-thirds"), runs=400, seed=3, progress=False
    )


@pytest.fixture(scope="module")
def many() -> iom.Scenario:
    names = ", ".join(f'{{ name = "{name}" }}' for name in MANY)
    return iom.loads(f"electorate = {{ size = 25 }}\ncandidates = [{names}]")
