"""Sliders: pressure, secrecy, level and the reading of the rules, answered at once from points that were played before.

A sponsor moves members only by what secrecy leaves of its strength, ``(1 - secrecy) * strength``.
So a grid of two such pressures answers for three sliders: no new run is needed, and the sliders
show by the way that less secrecy and more strength cannot be told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from itertools import product
from typing import Any

import numpy as np

from iomsim.charts.style import LATER_DAY
from iomsim.engine import paths
from iomsim.engine.executors import progress_bar
from iomsim.errors import BlockError, IomsimError, quote, unknown, whole_number
from iomsim.forecasting.estimates import in_100, wilson
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import ROUNDS, SPILL, next_weekday
from iomsim.house_style import count, in_html
from iomsim.model.bodies import siblings
from iomsim.model.parameters import check_values, describe_parameter
from iomsim.model.quantities import in_digits
from iomsim.model.scenario import Scenario, described
from iomsim.rules.procedure import Procedure
from iomsim.sensitivity.grid import MEDIAN, POINTS
from iomsim.sensitivity.paired import seed_and_runs
from iomsim.sensitivity.tasks import Cell, Counts, played, refuse_too_many_cells
from iomsim.typing import Floats, Longs

SECRECY, LEVEL, READING = "secrecy", "level", "reading"
"""What the sliders are called that are no sponsor's."""

SINGLE = 3
"""So many rounds are told one by one; what took more is told together."""

INTERPOLATED = "Interpolated between points that were played."


def sliders(
    race: Scenario,
    *,
    points: int = POINTS,
    levels: int = 0,
    readings: bool = False,
    runs: int = 2_000,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Sliders:
    """Play the points behind the sliders: from no pressure to the high of every sponsor's strength.

    Parameters
    ----------
    race : Scenario
        An election with one or two sponsors; with none, if there are other sliders.
    points : int, default 21
        Points along each pressure; in between it is interpolated.  The scenario's own pressure is one more.
    levels : int, default 0
        Points along the level, over twice its range; 0 for no such slider.  It is the first-round level that the
        scenario states, or else the first candidate's appeal: that before the other sliders move anything.
    readings : bool, default False
        Play every reading of the rules that the scenario weighs, or that its body has.
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
        If the election has no sponsor, or more than two, or a sponsor is called like another slider.

    Notes
    -----
    Where the sliders stand at first the numbers are those of ``iomsim.forecast(race, runs, seed,
    assumptions="fixed")``, and all points share its random numbers.

    Examples
    --------
    >>> import iomsim as iom
    >>> from iomsim.charts.sliders import sliders
    >>> panel = sliders(iom.load("geneva-2023"), points=3, runs=50, seed=1, progress=False)
    >>> sorted(panel.at(Washington=0.9, secrecy=0.0))
    ['Pope', 'Vitorino', 'median_rounds', 'no winner', 'rounds', 'spill']
    """
    described("sliders", race)
    if len(race.sponsors) > 2 or not (race.sponsors or levels or readings):
        raise IomsimError(f"the sliders are for one or two sponsors, this election has {len(race.sponsors)}; use grid")
    for name in (SECRECY, LEVEL, READING):
        if any(sponsor.name == name for sponsor in race.sponsors):
            raise IomsimError(
                f"the sliders cannot tell the sponsor {quote(name)} from {name} itself; give it another name"
            )
    whole_number("points", points, 2)
    whole_number("levels", levels, 0)
    seed, runs = seed_and_runs(seed, runs, at_least=1)
    tops = {sponsor.name: sponsor.strength.high or 1.0 for sponsor in race.sponsors}
    left = 1 - race.behaviour.secrecy.value
    axes = {
        name: _through(np.linspace(0.0, top, points), left * race.sponsor(name).strength.value)
        for name, top in tops.items()
    }
    path = level_path(race)
    there = np.array([race.parameters()[path].value])
    level = _through(np.linspace(*_level_ends(race, path), levels), there[0]) if levels else there
    rulings = _rulings(race) if readings else {race.rules.name: race.rules}
    bases = [_open(race, rules, path, share) for rules in rulings.values() for share in level.tolist()]
    moves = [dict(zip(map(paths.strength, tops), point, strict=True)) for point in product(*axes.values())]
    refuse_too_many_cells(len(bases) * len(moves), len(axes))
    for base in bases:
        check_values(base, {name: [move[name] for move in moves] for name in moves[0]})
    cells = list(enumerate(Cell(base, tuple(move.items())) for base in bases for move in moves))
    rows: dict[int, Longs] = {}
    with progress_bar(runs * len(cells), progress) as advance:
        for i, counts in played(cells, runs, seed, executor, advance):
            if isinstance(counts, str):
                raise BlockError(f"the point {dict(cells[i][1].changes)} could not be played: {counts}")
            rows[i] = _row(counts)
    shape = (len(rulings), level.size, *(axis.size for axis in axes.values()), -1)
    table = np.array([rows[i] for i in range(len(cells))]).reshape(shape)
    return Sliders(race, seed, runs, tops, {LEVEL: level, **axes}, rulings, table)


def level_path(race: Scenario) -> str:
    """Return the parameter that says how strong the first candidate is before a sponsor does anything.

    Examples
    --------
    >>> import iomsim as iom
    >>> level_path(iom.load("geneva-2023")), level_path(iom.load("minimal"))
    ('level.Pope', 'candidates.A.appeal')
    """
    first = race.names[0]
    stated = first if first in race.level else next(iter(race.level), None)
    return paths.appeal(first) if stated is None else paths.level(stated)


def _level_ends(race: Scenario, path: str) -> tuple[float, float]:
    """Return where the slider of the level ends: twice as far from the best guess as its range does."""
    known = race.parameters()[path]
    low, high = (
        known.value + 2 * ((end - known.value) or side) for end, side in ((known.low, -0.5), (known.high, 0.5))
    )
    if not race.level:
        return low, high
    others = sum(share.value for name, share in race.level.items() if paths.level(name) != path)
    return max(low, known.value / 10), min(high, known.value + 0.9 * (1 - others - known.value))


def _through(axis: Floats, own: float) -> Floats:
    """Return points of which one is the scenario's own, in place of those that lie on it but for a rounding."""
    apart = np.abs(axis - own) > 1e-9 * max(float(np.ptp(axis)), 1.0)
    return np.sort(np.append(axis[apart], own))


def _rulings(race: Scenario) -> dict[str, Procedure]:
    """Return the readings by name: those weighed, or those of the body; the scenario's own stands first."""
    known = {part.name: part.rules for part in race.readings} or dict(siblings(race.rules, race.body))
    return {race.rules.name: race.rules} | known


def _open(race: Scenario, rules: Procedure, path: str, level: float) -> Scenario:
    """Return the election at a level and under a reading, as if everybody could see the vote."""
    race = race if rules == race.rules else race.with_rules(rules)
    race = race if level == race.parameters()[path].value else race.with_parameters({path: level})
    return race.with_behaviour(secrecy=0.0) if race.sponsors else race


def _row(counts: Counts) -> Longs:
    """Return a point in whole numbers: runs by winner, into the next day, after 1 to 3 rounds; all rounds; the median.

    The median comes last: it alone is no count of runs.
    """
    held = np.cumsum(counts.rounds)
    single = np.pad(counts.rounds, (0, SINGLE))[:SINGLE]
    total, median = counts.rounds @ np.arange(1, held.size + 1), np.searchsorted(2 * held, held[-1]) + 1
    return np.array([*counts.winners, counts.late, *single, total, median], dtype=np.int64)


def between(table: Floats | Longs, axes: list[Floats], where: list[float]) -> Any:
    """Return what a table over some axes says at a point: along each axis, linear between the two points beside it.

    Examples
    --------
    >>> between(np.array([[0, 2], [10, 12]]), [np.array([0.0, 1.0]), np.array([0.0, 1.0])], [0.5, 0.25]).item()
    5.5
    """
    for axis, x in zip(axes, where, strict=True):
        i = min(max(int(np.searchsorted(axis, x, side="right")) - 1, 0), axis.size - 1)
        weight = (x - axis[i]) / (axis[i + 1] - axis[i]) if x > axis[i] and i + 1 < axis.size else 0.0
        table = (1 - weight) * table[i] + weight * table[i + 1] if weight else table[i]
    return table


@dataclass(frozen=True, repr=False, eq=False)
class Sliders:
    """What points that were played say for any strengths, secrecy, level and reading within reach.

    Attributes
    ----------
    race : Scenario
        The election as described: where the sliders start.
    seed, runs : int
        Seed of all points, and runs of each.
    tops : dict of float
        The highest strength of each sponsor.
    axes : dict of ndarray
        The points along the level, and along what secrecy leaves of each sponsor's strength.
    rulings : dict of Procedure
        The readings of the rules by name, the scenario's own first.
    table : ndarray of int
        Counts by reading, level and pressures: runs won by each candidate, without a winner, that run into the next
        day, that held 1, 2 and 3 rounds; the rounds of all runs; and the median of the rounds, which is no count.
    """

    race: Scenario
    seed: int
    runs: int
    tops: dict[str, float]
    axes: dict[str, Floats]
    rulings: dict[str, Procedure]
    table: Longs

    def start(self) -> dict[str, Any]:
        """Return where the sliders stand at first: the scenario's own values."""
        where: dict[str, Any] = {name: self.race.sponsor(name).strength.value for name in self.tops}
        where |= {SECRECY: self.race.behaviour.secrecy.value} if self.tops else {}
        where |= {LEVEL: self.race.parameters()[level_path(self.race)].value} if self.axes[LEVEL].size > 1 else {}
        return where | ({READING: self.race.rules.name} if len(self.rulings) > 1 else {})

    def ends(self) -> dict[str, tuple[float, float]]:
        """Return where every slider ends; a reading is chosen, and has no ends."""
        known = {name: (0.0, top) for name, top in self.tops.items()} | {SECRECY: (0.0, 1.0)}
        known[LEVEL] = (float(self.axes[LEVEL][0]), float(self.axes[LEVEL][-1]))
        return {name: known[name] for name in self.start() if name in known}

    def digits(self, name: str) -> int:
        """Return to how many digits a slider is set; it moves by one of the last."""
        low, high = self.ends()[name]
        return max(math.ceil(-math.log10((high - low) / 20)), 0)

    def at(self, /, **values: Any) -> dict[str, float]:
        """Return the forecast for some strengths, secrecy, level and reading; what is left out keeps its value.

        Returns
        -------
        dict
            By candidate, "no winner" and "spill": the probability; "rounds": the mean number; "median_rounds": the
            median.  At the points that were played it is exact, in between interpolated.

        Raises
        ------
        UnknownNameError
            If there is no slider, or no reading, of that name.
        IomsimError
            If a value lies outside its slider.
        """
        row = self.row(values)
        names = [*self.race.names, NO_WINNER, SPILL]
        chances = dict(zip(names, row[: len(names)].tolist(), strict=True))
        return chances | {ROUNDS: float(row[-2]), MEDIAN: float(row[-1])}

    def row(self, values: dict[str, Any]) -> Floats:
        """Return a row of the table at some values, a run each: all but the median are divided by the runs."""
        reading, where = self._where(values)
        row = np.array(between(self.table[reading], list(self.axes.values()), where), dtype=float)
        return np.append(row[:-1] / self.runs, row[-1])

    def played(self, /, **values: Any) -> bool:
        """Return whether elections were played at these values, so that nothing is interpolated."""
        _, where = self._where(values)
        return all(x in axis for x, axis in zip(where, self.axes.values(), strict=True))

    def _where(self, values: dict[str, Any]) -> tuple[int, list[float]]:
        """Return the number of the reading, and the level and the pressures."""
        where, ends = self.start(), self.ends()
        for name, value in values.items():
            if name not in where:
                raise unknown("slider", name, where)
            if name in ends:
                low, high = ends[name]
                if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                    raise IomsimError(f"{name} must be between {low:g} and {high:g}, got {quote(value)}")
            elif value not in self.rulings:
                raise unknown("reading", value, self.rulings)
            where[name] = value
        left = 1 - where.get(SECRECY, 0.0)
        level = where.get(LEVEL, float(self.axes[LEVEL][0]))
        reading = list(self.rulings).index(where.get(READING, self.race.rules.name))
        return reading, [level, *(left * where[name] for name in self.tops)]

    def sentence(self, /, **values: Any) -> str:
        """Return the forecast for some values in words."""
        found = self.at(**values)
        wins = ", ".join(f"{name} {self.say(found[name])}" for name in self.race.names)
        return (
            f"On the best guesses of all else, wins in 100: {wins}, no winner {self.say(found[NO_WINNER])}. Voting "
            f"runs into {next_weekday(self.race)} in {self.say(found[SPILL])}; {count(round(found[MEDIAN]), 'round')} "
            f"in the median.{'' if self.played(**values) else f' {INTERPOLATED}'}"
        )

    def say(self, p: float) -> str:
        """Return a chance per hundred, with no more digits than so many runs support."""
        return in_100(p, self.error(p))

    def error(self, p: float) -> float:
        """Return the simulation error of a chance at a point: half of Wilson's 95 % interval."""
        low, high = wilson(p * self.runs, self.runs)
        return float(high - low) / 2

    def html(self, /, **values: Any) -> str:
        """Return the sentence with bars, as HTML."""
        found, colours = self.at(**values), self.race.colours | {SPILL: LATER_DAY}
        label, bars = "display:inline-block;width:9em", ""
        for name, colour in colours.items():
            box = f"display:inline-block;height:0.8em;width:{30 * found[name]:.2f}em;background:{colour}"
            word = f"into {next_weekday(self.race)}" if name == SPILL else name
            bars += (
                f"<div><span style='{label}'>{escape(word)}</span><span style='{box}'></span> "
                f"{escape(self.say(found[name]))}</div>"
            )
        return in_html(f"{bars}<p>{escape(self.sentence(**values))}</p>")

    def label(self, name: str) -> str:
        """Return what a slider is called in words."""
        known = {SECRECY: "secrecy", LEVEL: describe_parameter(self.race, level_path(self.race))}
        known[READING] = "reading of the rules"
        return known[name] if name in known else describe_parameter(self.race, paths.strength(name))

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
        controls, ends = {}, self.ends()
        wide: dict[str, Any] = {"style": {"description_width": "14em"}, "layout": {"width": "34em"}}
        for name, value in self.start().items():
            shown = {"value": value, "description": self.label(name)} | wide
            if name in ends:
                low, high = ends[name]
                steps: dict[str, Any] = {"step": 10.0 ** -self.digits(name), "readout_format": f".{self.digits(name)}f"}
                controls[name] = ipywidgets.FloatSlider(min=low, max=high, **steps, **shown)
            else:
                controls[name] = ipywidgets.Dropdown(options=list(self.rulings), **shown)
        answer = ipywidgets.HTML(self.html())

        def update(change: Any) -> None:
            answer.value = self.html(**{name: control.value for name, control in controls.items()})

        for control in controls.values():
            control.observe(update, names="value")
        return ipywidgets.VBox([*controls.values(), answer])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        shown = {"text/html": self.html(), "text/plain": repr(self)}  # where no widget can be: a page that is kept
        display(self.show()._repr_mimebundle_() | shown, raw=True)

    def __repr__(self) -> str:
        """Return what the sliders are, and where they stand at first."""
        told = [f"{name} {' to '.join(in_digits(low, high))}" for name, (low, high) in self.ends().items()]
        told += [f"{READING} {' or '.join(self.rulings)}"] * (READING in self.start())
        return f"sliders: {', '.join(told)}\n{self.sentence()}"
