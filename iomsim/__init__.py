"""iomsim: who wins a secret vote of states that needs two thirds, after how many rounds, and when.

>>> import iomsim as iom
>>> race = iom.load("geneva-2023")
>>> fc = iom.forecast(race, runs=1000, seed=2023)
>>> fc.answer()                                                     # doctest: +SKIP
"""

from iomsim import exact
from iomsim._version import VERSION as __version__
from iomsim.archive import open_forecast
from iomsim.electorate import Electorate
from iomsim.errors import (
    AnnouncementError,
    BlockError,
    FileError,
    IomsimError,
    PairingError,
    ScenarioError,
    UnknownNameError,
)
from iomsim.estimates import Estimate
from iomsim.evidence import facts
from iomsim.forecast import Forecast
from iomsim.history.backtesting import backtest
from iomsim.history.contests import contest, contests
from iomsim.history.fitting import Fit, fit
from iomsim.history.heldout import HeldOut, held_out
from iomsim.history.past import Contest
from iomsim.history.records import history
from iomsim.history.synthetic import synthetic_contests
from iomsim.history.verdicts import Backtest
from iomsim.library import catalogue, dumps, load, loads, schema
from iomsim.live.night import Night, UnexpectedTallyWarning, live, replay
from iomsim.parts import Behaviour, Candidate, Clock, RuleBook, Sponsor, Tie
from iomsim.quantities import Quantity
from iomsim.rules import RULE_SETS, Rules
from iomsim.running import InterruptedForecastWarning, forecast
from iomsim.scenario import Scenario
from iomsim.study import Study
from iomsim.whatif.compare import Comparison, compare
from iomsim.whatif.grid import Grid, grid
from iomsim.whatif.paths import Paths, paths_to
from iomsim.whatif.pivotal import Pivotal, pivotal
from iomsim.whatif.sobol import Sobol, sobol
from iomsim.whatif.tornado import Tornado, tornado
from iomsim.whatif.variants import SideBySide, side_by_side

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
    "HeldOut",
    "InterruptedForecastWarning",
    "IomsimError",
    "Night",
    "PairingError",
    "Paths",
    "Pivotal",
    "Quantity",
    "RuleBook",
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
    "exact",
    "facts",
    "fit",
    "forecast",
    "grid",
    "held_out",
    "history",
    "live",
    "load",
    "loads",
    "open_forecast",
    "paths_to",
    "pivotal",
    "replay",
    "schema",
    "side_by_side",
    "sobol",
    "synthetic_contests",
    "tornado",
]
