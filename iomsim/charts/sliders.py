"""Sliders for a notebook: pressure and secrecy, answered at once from a grid that was played before.

A sponsor moves members only by what secrecy leaves of its strength, ``(1 - secrecy) * strength``.
So a grid of two such pressures answers for three sliders: no new run is needed, and the sliders
show by the way that less secrecy and more strength cannot be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from iomsim.charts.style import LATER_DAY
from iomsim.engine import paths
from iomsim.errors import IomsimError, quote, unknown, whole_number
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import ROUNDS, SPILL, next_weekday
from iomsim.house_style import in_html
from iomsim.model.quantities import in_digits
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.grid import POINTS, Grid, grid

SECRECY = "secrecy"


def sliders(
    race: Scenario,
    *,
    points: int = POINTS,
    runs: int = 2_000,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Sliders:
    """Play the grid behind the sliders: from no pressure to the high of every sponsor's strength.

    Parameters
    ----------
    race : Scenario
        An election with one or two sponsors.
    points : int, default 21
        Points of the grid along each pressure; in between it is interpolated.
    runs, seed : int
        Runs of each point, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Sliders
        Shows itself in a notebook; :meth:`Sliders.at` answers without one.

    Raises
    ------
    IomsimError
        If the election has no sponsor, or more than two.

    Examples
    --------
    >>> import iomsim as iom
    >>> from iomsim.charts.sliders import sliders
    >>> panel = sliders(iom.load("geneva-2023"), points=3, runs=50, seed=1, progress=False)
    >>> sorted(panel.at(Washington=0.9, secrecy=0.0))
    ['Pope', 'Vitorino', 'no winner', 'rounds', 'spill']
    """
    if not 1 <= len(race.sponsors) <= 2:
        raise IomsimError(f"the sliders are for one or two sponsors, this election has {len(race.sponsors)}; use grid")
    if any(sponsor.name == SECRECY for sponsor in race.sponsors):
        raise IomsimError(
            f"the sliders cannot tell the sponsor {quote(SECRECY)} from secrecy itself; give it another name"
        )
    whole_number("points", points, 2)
    tops = {sponsor.name: sponsor.strength.high or 1.0 for sponsor in race.sponsors}
    axes = {paths.strength(name): np.linspace(0.0, top, points) for name, top in tops.items()}
    open_vote = race.with_behaviour(secrecy=0.0)
    played = grid(open_vote, runs=runs, seed=seed, executor=executor, progress=progress, **axes)
    return Sliders(race, tops, played)


@dataclass(frozen=True, repr=False, eq=False)
class Sliders:
    """What a played grid says for any strengths and any secrecy within reach.

    Attributes
    ----------
    race : Scenario
        The election as described: where the sliders start.
    tops : dict of float
        The highest strength of each sponsor.
    grid : Grid
        Forecasts by what secrecy leaves of the strengths.
    """

    race: Scenario
    tops: dict[str, float]
    grid: Grid

    def start(self) -> dict[str, float]:
        """Return where the sliders stand at first: the scenario's own values."""
        strengths = {name: min(self.race.sponsor(name).strength.value, top) for name, top in self.tops.items()}
        return strengths | {SECRECY: self.race.behaviour.secrecy.value}

    def at(self, /, **values: float) -> dict[str, float]:
        """Return the forecast for some strengths and secrecy; what is left out keeps its value.

        Returns
        -------
        dict
            By candidate, "no winner" and "spill": the probability; "rounds": the mean number.

        Raises
        ------
        UnknownNameError
            If there is no slider of that name.
        IomsimError
            If a value lies outside its slider.
        """
        from scipy.interpolate import RegularGridInterpolator

        where = self.start()
        for name, value in values.items():
            if name not in where:
                raise unknown("slider", name, where)
            top = self.tops.get(name, 1.0)
            if not 0 <= value <= top:
                raise IomsimError(f"{name} must be between 0 and {top:g}, got {quote(value)}")
            where[name] = value
        pressures = [(1 - where[SECRECY]) * where[name] for name in self.tops]
        columns = [*self.race.names, NO_WINNER, SPILL, ROUNDS]
        table, axes = self.grid.table()[columns].to_numpy(), self.grid.axes
        surface = RegularGridInterpolator(axes, table.reshape(*map(len, axes), len(columns)))
        return dict(zip(columns, surface(pressures)[0].tolist(), strict=True))

    def sentence(self, /, **values: float) -> str:
        """Return the forecast for some strengths and secrecy in words."""
        found = self.at(**values)
        wins = ", ".join(f"{name} {self._say(found[name])}" for name in self.race.names)
        return (
            f"On the best guesses of all else, wins in 100: {wins}, no winner {self._say(found[NO_WINNER])}. Voting "
            f"runs into {next_weekday(self.race)} in {self._say(found[SPILL])}; {found[ROUNDS]:.1f} rounds on average."
        )

    def _say(self, p: float) -> str:
        return in_100(p, 1.96 * float(np.sqrt(p * (1 - p) / self.grid.runs)))

    def html(self, /, **values: float) -> str:
        """Return the sentence with bars, as HTML."""
        found, colours = self.at(**values), self.race.colours | {SPILL: LATER_DAY}
        label, bars = "display:inline-block;width:9em", ""
        for name, colour in colours.items():
            box = f"display:inline-block;height:0.8em;width:{30 * found[name]:.2f}em;background:{colour}"
            word = f"into {next_weekday(self.race)}" if name == SPILL else name
            bars += f"<div><span style='{label}'>{escape(word)}</span><span style='{box}'></span></div>"
        return in_html(f"{bars}<p>{escape(self.sentence(**values))}</p>")

    # -- in a notebook ----------------------------------------------------------------------

    def show(self) -> Any:
        """Return the sliders with the answer below them, as an ipywidgets box.

        Raises
        ------
        IomsimError
            If ipywidgets is not installed.
        """
        try:
            import ipywidgets
        except ImportError:
            raise IomsimError("the sliders need ipywidgets; install it with: pip install 'iomsim[notebook]'") from None
        start = self.start()
        ends = {name: self.tops.get(name, 1.0) for name in start}
        controls = {
            name: ipywidgets.FloatSlider(value=value, min=0.0, max=ends[name], step=ends[name] / 50, description=name)
            for name, value in start.items()
        }
        answer = ipywidgets.HTML(self.html())

        def update(change: Any) -> None:
            answer.value = self.html(**{name: control.value for name, control in controls.items()})

        for control in controls.values():
            control.observe(update, names="value")
        return ipywidgets.VBox([*controls.values(), answer])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.show())

    def __repr__(self) -> str:
        """Return what the sliders are, and where they stand at first."""
        names = ", ".join(f"{name} 0 to {in_digits(self.tops.get(name, 1.0))[0]}" for name in self.start())
        return f"sliders: {names}\n{self.sentence()}"
