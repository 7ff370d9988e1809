"""The charts.

Each is a method of a result's ``.plot`` and a function of its own: ``fc.plot.rounds()`` is
``iomsim.charts.duration.rounds(fc)``.  They return Axes (those of a whole page a Figure), draw into a
new figure unless they are given axes, and leave matplotlib's global settings alone.  Titles, keys and
rows under the axes need room: several charts in one figure want ``layout="constrained"``.
"""

from __future__ import annotations

from iomsim.charts import decision, duration, moves, pages, paths, winners
from iomsim.charts.accessor import Accessor, Chart
from iomsim.charts.files import save
from iomsim.charts.style import STYLE

__all__ = ["STYLE", "Plots", "save"]


class Plots(Accessor):
    """The charts of a forecast."""

    win_probability = Chart(winners.win_probability)
    win_probability_data = Chart(winners.win_probability_data)
    rounds = Chart(duration.rounds)
    rounds_data = Chart(duration.rounds_data)
    decision_time = Chart(decision.decision_time)
    decision_time_data = Chart(decision.decision_time_data)
    trajectories = Chart(paths.trajectories)
    trajectories_data = Chart(paths.trajectories_data)
    flows = Chart(moves.flows)
    flows_data = Chart(moves.flows_data)
    dashboard = Chart(pages.dashboard)
