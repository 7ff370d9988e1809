"""What levels, appeals, strengths and ties mean in votes: a second scale under theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axis import Axis, XAxis

from iomsim.charts.labels import row
from iomsim.charts.style import pt
from iomsim.errors import ScenarioError
from iomsim.model.leanings import mean_votes
from iomsim.model.scenario import Scenario
from iomsim.typing import Floats


def votes_at(race: Scenario, path: str, values: Any, candidate: str, held: bool = False) -> Floats | None:
    """Return what values of a parameter mean in a candidate's votes: mean papers of the first round, exactly.

    All other parameters stay at their best guesses.

    Parameters
    ----------
    race : Scenario
        The election.
    path : str
        The parameter.
    values : array_like
        Its values.
    candidate : str
        Whose votes.
    held : bool, default False
        The appeals are held, as in what-ifs of points; else a level that is stated stays as it is.

    Returns
    -------
    ndarray or None
        None where it is no parameter of that kind, or moves no vote: no strength does if the level is stated.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> votes_at(race, "sponsors.Washington.strength", [0.3, 0.9], "Pope", held=True).round().tolist()
    [73.0, 84.0]
    >>> votes_at(race, "sponsors.Washington.strength", [0.3, 0.9], "Pope")
    """
    try:
        found = mean_votes(race, path, values, held)
    except ScenarioError:  # a level that cannot be reached
        return None
    own = None if found is None else found[race.names.index(candidate)]
    return None if own is None or np.ptp(own) < 1 else own


def votes_scale(axis: Axis, race: Scenario, path: str, candidate: str, held: bool = False) -> None:
    """Write under the ticks of an axis, which has its limits, what they mean in votes: see :func:`votes_at`."""
    low, high = sorted(axis.get_view_interval())
    fit = race._parameters[path].bounds.fit if path in race._parameters else bool
    ticks = [float(tick) for tick in axis.get_majorticklocs() if low <= tick <= high and fit(tick)]
    votes = votes_at(race, path, ticks, candidate, held) if ticks else None
    if votes is None:
        return
    said, numbers = axis.get_major_formatter().format_ticks(ticks), [f"{number:.0f}" for number in votes]
    if isinstance(axis, XAxis):
        axis.set_ticks(ticks, said)
        axis.labelpad += pt(13)
        row(axis.axes, "votes", ticks, numbers, 1)
    else:
        axis.set_ticks(ticks, [f"{word}\n{number} votes" for word, number in zip(said, numbers, strict=True)])
