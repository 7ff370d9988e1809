"""iomsim: who wins a secret vote of states that needs two thirds, after how many rounds, and when.

>>> import iomsim as iom
>>> race = iom.load("geneva-2023")
>>> fc = iom.forecast(race, runs=1000, seed=2023)
>>> fc.answer()                                                     # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

from iomsim._version import VERSION as __version__
from iomsim.election_day.election_day import ElectionDay, UnexpectedTallyWarning, live, replay
from iomsim.errors import (
    AnnouncementError,
    BlockError,
    FileError,
    IomsimError,
    PairingError,
    ScenarioError,
    UnknownNameError,
)
from iomsim.forecasting.estimates import Estimate
from iomsim.forecasting.forecast import Forecast, open_forecast
from iomsim.forecasting.run import InterruptedForecastWarning, forecast
from iomsim.model.catalogue import catalogue, dumps, load, loads, schema
from iomsim.model.components import Behaviour, Candidate, Clock, Sponsor, Tie
from iomsim.model.electorate import Electorate
from iomsim.model.evidence import facts
from iomsim.model.quantities import Quantity
from iomsim.model.scenario import Scenario
from iomsim.rules.ruleset import RULE_SETS, Rules
from iomsim.sensitivity.compare import Comparison, SideBySide, compare, side_by_side
from iomsim.sensitivity.goal import Paths, paths_to
from iomsim.sensitivity.grid import Grid, grid
from iomsim.sensitivity.pivotal import Pivotal, pivotal
from iomsim.sensitivity.sobol import Sobol, sobol
from iomsim.sensitivity.study import Study
from iomsim.sensitivity.tornado import Tornado, tornado
from iomsim.validation.backtest import backtest
from iomsim.validation.contest import Contest
from iomsim.validation.data import contest, contests, history
from iomsim.validation.fit import Fit, fit
from iomsim.validation.verdict import Backtest

if TYPE_CHECKING:
    from iomsim.charts.report import report

__all__ = [
    "RULE_SETS",
    "AnnouncementError",
    "Backtest",
    "Behaviour",
    "BlockError",
    "Candidate",
    "Clock",
    "Comparison",
    "Contest",
    "Electorate",
    "Estimate",
    "FileError",
    "Fit",
    "Forecast",
    "Grid",
    "InterruptedForecastWarning",
    "IomsimError",
    "ElectionDay",
    "PairingError",
    "Paths",
    "Pivotal",
    "Quantity",
    "Rules",
    "Scenario",
    "ScenarioError",
    "SideBySide",
    "Sobol",
    "Sponsor",
    "Study",
    "Tie",
    "Tornado",
    "UnexpectedTallyWarning",
    "UnknownNameError",
    "__version__",
    "backtest",
    "catalogue",
    "compare",
    "contest",
    "contests",
    "dumps",
    "facts",
    "fit",
    "forecast",
    "grid",
    "history",
    "live",
    "load",
    "loads",
    "open_forecast",
    "paths_to",
    "pivotal",
    "replay",
    "report",
    "schema",
    "side_by_side",
    "sobol",
    "tornado",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Return `report` when it is first asked for, so that ``import iomsim`` loads no matplotlib."""
    if name != "report":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from iomsim.charts.report import report

    return report
