"""iomsim: who wins a secret vote of states that needs two thirds, after how many rounds, and when.

>>> import iomsim as iom
>>> race = iom.load("geneva-2023")
>>> fc = iom.forecast(race, runs=1000, seed=2023)
>>> fc.answer()                                                     # doctest: +SKIP
"""

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
from iomsim.library import catalogue, dumps, load, loads
from iomsim.live import Night, UnexpectedTallyWarning, live, replay
from iomsim.parts import Behaviour, Candidate, Clock, RuleBook, Sponsor, Tie
from iomsim.quantities import Quantity
from iomsim.rules import RULE_SETS, Rules
from iomsim.running import InterruptedForecastWarning, forecast
from iomsim.scenario import Scenario

__all__ = [
    "RULE_SETS",
    "AnnouncementError",
    "Behaviour",
    "BlockError",
    "Candidate",
    "Clock",
    "Electorate",
    "Estimate",
    "FileError",
    "Forecast",
    "InterruptedForecastWarning",
    "IomsimError",
    "Night",
    "PairingError",
    "Quantity",
    "RuleBook",
    "Rules",
    "Scenario",
    "ScenarioError",
    "Sponsor",
    "Tie",
    "UnexpectedTallyWarning",
    "UnknownNameError",
    "__version__",
    "catalogue",
    "dumps",
    "facts",
    "forecast",
    "live",
    "load",
    "loads",
    "open_forecast",
    "replay",
]
