"""iomsim: who wins a secret vote of states that needs two thirds, after how many rounds, and when.

>>> import iomsim as iom
>>> race = iom.load("geneva-2023")
>>> fc = iom.forecast(race, runs=1000, seed=2023)
>>> fc.answer()                                                     # doctest: +SKIP
"""

from importlib import import_module
from typing import Any

from iomsim._version import VERSION as __version__

_PUBLIC = {
    "charts.interactive": "interactive",
    "charts.report": "report",
    "charts.sliders": "Sliders sliders",
    "election_day.election_day": "ElectionDay UnexpectedTallyWarning live replay",
    "errors": "AnnouncementError BlockError FileError IomsimError PairingError ScenarioError UnknownNameError",
    "forecasting.drivers": "Drivers",
    "forecasting.estimates": "Estimate",
    "forecasting.forecast": "Forecast open_forecast",
    "forecasting.run": "InterruptedForecastWarning forecast",
    "house_style": "options",
    "model.bodies": "bodies",
    "model.catalogue": "catalogue dumps load loads parameters schema start",
    "model.clock": "Clock",
    "model.components": "Behaviour Candidate Sponsor Swing Tie",
    "model.electorate": "Electorate",
    "model.evidence": "facts",
    "model.ledger": "Ledger Pledge",
    "model.pledges": "Pledges",
    "model.polling": "Polling",
    "model.quantities": "Quantity",
    "model.scenario": "Scenario",
    "rules.phase": "Phase",
    "rules.procedure": "Procedure",
    "sensitivity.compare": "Comparison SideBySide compare side_by_side",
    "sensitivity.goal": "Paths paths_to",
    "sensitivity.grid": "Grid grid",
    "sensitivity.pivotal": "Pivotal pivotal",
    "sensitivity.sobol": "Sobol sobol",
    "sensitivity.study": "Study",
    "sensitivity.tornado": "Tornado tornado",
    "validation.backtest": "backtest",
    "validation.contest": "Contest",
    "validation.data": "contest contests",
    "validation.fit": "Fit fit",
    "validation.record": "History history",
    "registered.register": "register",
    "registered.registration": "Registration registration",
    "registered.scorebook": "scorebook",
    "registered.scoring": "Score score",
    "validation.similar": "Alike",
    "validation.verdict": "Backtest",
}
"""The public names by the module they live in, which is loaded when one of them is first asked for."""

_HOME = {name: module for module, names in _PUBLIC.items() for name in names.split()}

__all__ = ["__version__", *sorted(_HOME)]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Load a public name: workers need the engine only, and nobody waits for what is not used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"iomsim.{_HOME[name]}"), name)
    return value
