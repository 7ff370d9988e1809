"""The charts.

Each is a method of a result's ``.plot`` and a function of its own: ``fc.plot.rounds()`` is
``iomsim.charts.rounds.rounds(fc)``.  They return Axes (those of a whole page a Figure), draw into a
new figure unless they are given axes, and leave matplotlib's global settings alone.  Titles, keys and
rows under the axes need room: several charts in one figure want ``layout="constrained"``.

Knows every result.  It must not know the command line.
"""

from __future__ import annotations

from typing import Any

from iomsim.charts import dashboard as a_dashboard
from iomsim.charts import decision_time as a_decision_time
from iomsim.charts import flows as a_flows
from iomsim.charts import rounds as a_rounds
from iomsim.charts import trajectories as a_trajectories
from iomsim.charts import win_probability as a_win_probability
from iomsim.charts.accessor import Accessor, Chart
from iomsim.charts.election_day import ElectionDayPlots
from iomsim.charts.files import save
from iomsim.charts.style import STYLE
from iomsim.charts.tornado import GridPlots, PivotalPlots, SobolPlots, TornadoPlots, VariantPlots
from iomsim.charts.validation import BacktestPlots
from iomsim.election_day.election_day import ElectionDay
from iomsim.forecasting.forecast import Forecast
from iomsim.sensitivity.compare import SideBySide
from iomsim.sensitivity.grid import Grid
from iomsim.sensitivity.pivotal import Pivotal
from iomsim.sensitivity.sobol import Sobol
from iomsim.sensitivity.tornado import Tornado
from iomsim.validation.verdict import Backtest

__all__ = ["STYLE", "Plots", "of", "save"]


class Plots(Accessor):
    """The charts of a forecast."""

    win_probability = Chart(a_win_probability.win_probability)
    win_probability_data = Chart(a_win_probability.win_probability_data)
    rounds = Chart(a_rounds.rounds)
    rounds_data = Chart(a_rounds.rounds_data)
    decision_time = Chart(a_decision_time.decision_time)
    decision_time_data = Chart(a_decision_time.decision_time_data)
    trajectories = Chart(a_trajectories.trajectories)
    trajectories_data = Chart(a_trajectories.trajectories_data)
    flows = Chart(a_flows.flows)
    flows_data = Chart(a_flows.flows_data)
    dashboard = Chart(a_dashboard.dashboard)


PLOTS: dict[type, type[Accessor]] = {
    Forecast: Plots,
    Tornado: TornadoPlots,
    Sobol: SobolPlots,
    Pivotal: PivotalPlots,
    SideBySide: VariantPlots,
    Grid: GridPlots,
    ElectionDay: ElectionDayPlots,
    Backtest: BacktestPlots,
}
"""The charts of each kind of result."""


def of(result: Any) -> Any:
    """Return the charts of a result: what is behind its ``.plot``.

    Raises
    ------
    AttributeError
        If there are none of its kind.
    """
    if type(result) not in PLOTS:
        raise AttributeError(f"there is no chart of a {type(result).__name__}")
    return PLOTS[type(result)](result)
