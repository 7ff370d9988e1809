"""What if? Pressure grids and tornadoes: many scenarios on the same random numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from iomsim import simulate
from iomsim.compare import indicators, paired_interval
from iomsim.errors import IomsimError, ScenarioError, unknown, whole_number
from iomsim.estimates import wilson
from iomsim.forecast import NO_WINNER, Forecast, from_outcomes
from iomsim.parts import Behaviour, Clock
from iomsim.rules import RULE_SETS
from iomsim.running import fresh_seed
from iomsim.scenario import Scenario
from iomsim.streams import BLOCK

if TYPE_CHECKING:
    from iomsim.charts import GridPlots, TornadoPlots

POINTS = 21
"""Points of a grid along one parameter, unless values are given."""

COLUMNS = 16 * BLOCK
"""Runs played side by side."""


def resolve(race: Scenario, name: str) -> str:
    """Return the dotted path of a parameter that an analyst calls by a short name.

    A sponsor means its strength, a candidate its appeal; fields of the behaviour and the clock
    need no prefix.

    Examples
    --------
    >>> import iomsim as iom
    >>> resolve(iom.load("geneva-2023"), "Washington")
    'sponsors.Washington.strength'
    """
    known = race.parameters()
    short = {sponsor.name: f"sponsors.{sponsor.name}.strength" for sponsor in race.sponsors}
    short |= {name: f"candidates.{name}.appeal" for name in race.names}
    short |= {key: f"behaviour.{key}" for key in Behaviour.model_fields}
    short |= {key: f"clock.{key}" for key in Clock.model_fields if f"clock.{key}" in known}
    if name in known:
        return name
    if name not in short:
        raise unknown("parameter", name, [*short, *known])
    return short[name]


def targets(race: Scenario) -> list[str]:
    """Return what can be asked of a what-if: candidates, "no winner", "spill" and "rounds"."""
    return [*race.names, NO_WINNER, "spill", "rounds"]


def checked_target(race: Scenario, target: str | None) -> str:
    """Return the target, by default the first candidate's win."""
    if target is None:
        return race.names[0]
    if target not in targets(race):
        raise unknown("target", target, targets(race))
    return target


def side_by_side(races: Sequence[Scenario], runs: int, seed: int, executor: Any = None) -> list[Forecast]:
    """Return the forecasts of many scenarios on the same random numbers.

    Cells that can share their rounds are played together; work is cut into calls of about
    `COLUMNS` runs, which an executor may spread.
    """
    groups = simulate.alike([simulate.plan_of(race) for race in races])
    calls = [(group[i : i + step], *span) for group in groups for step, spans in [_cut(runs)]
             for i in range(0, len(group), step) for span in spans]  # fmt: skip
    work = [
        [tuple(races[i] for i in cells) for cells, _, _ in calls],
        [seed] * len(calls),
        [first for _, first, _ in calls],
        [size for _, _, size in calls],
    ]
    parts: dict[int, list[simulate.Outcomes]] = {i: [] for i in range(len(races))}
    for (cells, _, _), played in zip(calls, simulate.spread(executor, simulate.play_cells, *work), strict=True):
        for cell, outcomes in zip(cells, played, strict=True):
            parts[cell].append(outcomes)
    return [from_outcomes(race, seed, parts[i]) for i, race in enumerate(races)]


def _cut(runs: int) -> tuple[int, list[tuple[int, int]]]:
    """Return how many cells share a call, and the spans (first block, runs) of every cell."""
    sizes = simulate.portions(runs, COLUMNS)
    return max(1, COLUMNS // sizes[0]), [(i * COLUMNS // BLOCK, size) for i, size in enumerate(sizes)]


# -- grid ----------------------------------------------------------------------------------------


def grid(
    race: Scenario, *, runs: int = 2_000, seed: int | None = None, executor: Any = None, **parameters: Any
) -> Grid:
    """Forecast over a grid of one or two parameters, paired on common random numbers.

    Parameters
    ----------
    race : Scenario
        The base case.
    runs, seed : int
        Runs per cell, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where cells are played.
    **parameters
        One or two parameters by short name (``Washington=``, ``secrecy=``), each with the values
        to take, or None for 21 points over its range.  For a dotted path write ``**{path: ...}``.

    Returns
    -------
    Grid

    Raises
    ------
    IomsimError
        If no parameter or more than two are given, or a range is empty or not increasing.

    Examples
    --------
    >>> import iomsim as iom
    >>> cells = grid(iom.load("minimal"), secrecy=[0.0, 1.0], runs=200, seed=1)
    >>> len(cells.table())
    2
    """
    if not 1 <= len(parameters) <= 2:
        raise IomsimError(f"a grid takes one or two parameters, got {len(parameters)}")
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    whole_number("runs", runs, 1)
    paths = [resolve(race, name) for name in parameters]
    axes = [_axis(race, path, values) for path, values in zip(paths, parameters.values(), strict=True)]
    points = list(product(*axes))
    races = [race.with_parameters(dict(zip(paths, point, strict=True))) for point in points]
    cells = side_by_side(races, runs, seed, executor)
    return Grid(race, tuple(parameters), tuple(paths), tuple(axes), seed, runs, _cells(cells, points, list(parameters)))


def _axis(race: Scenario, path: str, values: Any) -> tuple[float, ...]:
    known = race.parameters()[path]
    if values is None:
        if known.low == known.high:
            raise ScenarioError(f"{path} has no range; give the values to take")
        return tuple(np.linspace(known.low, known.high, POINTS).tolist())
    points = np.atleast_1d(np.asarray(values, dtype=float))
    if points.ndim != 1 or not points.size:
        raise ScenarioError(f"the values of {path} are empty")
    if (np.diff(points) <= 0).any():
        raise ScenarioError(f"the values of {path} must increase, got {points.tolist()}")
    return tuple(points.tolist())


def _cells(cells: Iterable[Forecast], points: list[tuple[float, ...]], names: list[str]) -> pd.DataFrame:
    rows = []
    for fc, point in zip(cells, points, strict=True):
        spill = fc.spill()
        chances = fc.win_probability()["probability"].to_dict()
        rows.append({**dict(zip(names, point, strict=True)), **chances, "spill": spill.value,
                     "rounds": fc.median_rounds()[0]})  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True, repr=False)
class Grid:
    """Forecasts over a grid of parameters.

    Attributes
    ----------
    race : Scenario
        The base case.
    names, paths : tuple of str
        The parameters as asked for, and by dotted path.
    axes : tuple of tuple of float
        The values along each.
    seed, runs : int
        Seed of all cells, and runs of each.
    cells : DataFrame
        One row per cell.
    """

    race: Scenario
    names: tuple[str, ...]
    paths: tuple[str, ...]
    axes: tuple[tuple[float, ...], ...]
    seed: int
    runs: int
    cells: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return one row per cell: the parameters; P(win) of each candidate, P(no winner), P(spill); median rounds."""
        return self.cells.copy()

    def surface(self, target: str) -> pd.DataFrame:
        """Return one target over the grid: the last parameter down, the first across.

        Examples
        --------
        >>> import iomsim as iom
        >>> grid(iom.load("minimal"), secrecy=[0, 1], abstain=[0.0, 0.1, 0.2], runs=50, seed=1).surface("spill").shape
        (3, 2)
        """
        checked_target(self.race, target)
        if len(self.names) == 1:
            return self.cells.set_index(self.names[0])[[target]]
        return self.cells.pivot(index=self.names[1], columns=self.names[0], values=target)

    def errors(self, target: str) -> pd.DataFrame:
        """Return a probability over the grid with its Wilson interval, one row per cell."""
        low, high = wilson(self.cells[target].to_numpy() * self.runs, self.runs)
        return self.cells[[*self.names, target]].assign(low=low, high=high)

    def base(self) -> tuple[float, ...]:
        """Return where the base case lies."""
        known = self.race.parameters()
        return tuple(known[path].value for path in self.paths)

    def __repr__(self) -> str:
        """Return the grid's extent and its table."""
        size = " x ".join(f"{len(axis)} {name}" for name, axis in zip(self.names, self.axes, strict=True))
        return f"grid {size}, {self.runs} runs a cell, seed {self.seed}\n{self.cells.to_string(max_rows=12)}"

    def _repr_html_(self) -> str:
        return self.cells.to_html(border=0, max_rows=12)

    @property
    def plot(self) -> GridPlots:
        """The charts of a grid."""
        from iomsim.charts import GridPlots

        return GridPlots(self)


# -- tornado -------------------------------------------------------------------------------------


def tornado(
    race: Scenario,
    target: str | None = None,
    *,
    parameters: Sequence[str] | None = None,
    rules: bool = True,
    runs: int = 4_000,
    seed: int | None = None,
    executor: Any = None,
) -> Tornado:
    """Move each parameter from its low to its high, one at a time, on common random numbers.

    Parameters
    ----------
    race : Scenario
        The base case.
    target : str, optional
        A candidate's win (default: the first's), "no winner", "spill" or "rounds" (their mean).
    parameters : sequence of str, optional
        Which parameters; default: all that have a range.
    rules : bool, default True
        Add a row for the rule sets: from the one with the lowest to the one with the highest.
    runs, seed : int
        Runs of each scenario, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where scenarios are played.

    Returns
    -------
    Tornado
    """
    target = checked_target(race, target)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    whole_number("runs", runs, 2)
    known = race.parameters()
    paths = [resolve(race, name) for name in parameters] if parameters else list(known)
    paths = [path for path in paths if known[path].low < known[path].high]
    ends = {path: _ends(race, path) for path in paths}
    races = [race, *(changed for pair in ends.values() for changed in pair)]
    races += [race.with_rules(name) for name in RULE_SETS] if rules else []
    cells = [indicators(fc) for fc in side_by_side(races, runs, seed, executor)]
    base, rest = cells[0], cells[1:]
    rows = [_bar(path, known[path].low, known[path].high, base, rest[2 * i], rest[2 * i + 1])
            for i, path in enumerate(paths)]  # fmt: skip
    if rules:
        rows.append(_rules_bar(base, dict(zip(RULE_SETS, rest[2 * len(paths) :], strict=True)), target))
    return Tornado(race, target, seed, runs, rows, base)


def _ends(race: Scenario, path: str) -> tuple[Scenario, Scenario]:
    known = race.parameters()[path]
    return race.with_parameters({path: known.low}), race.with_parameters({path: known.high})


def _bar(name: str, low: Any, high: Any, base: pd.DataFrame, at_low: pd.DataFrame, at_high: pd.DataFrame) -> Bar:
    return Bar(name, low, high, *({key: paired_interval(base[key].to_numpy(), end[key].to_numpy()) for key in base}
                                  for end in (at_low, at_high)))  # fmt: skip


def _rules_bar(base: pd.DataFrame, sides: Mapping[str, pd.DataFrame], target: str) -> Bar:
    order = sorted(sides, key=lambda name: float(sides[name][target].mean()))
    return _bar("rules", order[0], order[-1], base, sides[order[0]], sides[order[-1]])


@dataclass(frozen=True)
class Bar:
    """One parameter's ends and what they do: for each target (change, low, high) against the base."""

    name: str
    low: Any
    high: Any
    at_low: dict[str, tuple[float, float, float]]
    at_high: dict[str, tuple[float, float, float]]


@dataclass(frozen=True, repr=False)
class Tornado:
    """Which assumptions the answer hangs on, one at a time.

    Attributes
    ----------
    race : Scenario
        The base case.
    target : str
        What was asked for.
    seed, runs : int
        Seed of all scenarios, and runs of each.
    bars : list of Bar
        One per parameter.
    base : DataFrame
        The base case run by run.
    """

    race: Scenario
    target: str
    seed: int
    runs: int
    bars: list[Bar]
    base: pd.DataFrame

    def table(self, target: str | None = None) -> pd.DataFrame:
        """Return one row per parameter, the widest first.

        Returns
        -------
        DataFrame
            By parameter: its `low` and `high`; the target there (`at_low`, `at_high`) with the ends of
            the paired 95 % Monte Carlo intervals; the `range`; and `clear`, False where it is within noise.
        """
        target = self.target if target is None else checked_target(self.race, target)
        middle = float(self.base[target].mean())
        rows = []
        for bar in self.bars:
            (low, *low_ci), (high, *high_ci) = bar.at_low[target], bar.at_high[target]
            clear = any(a > 0 or b < 0 for a, b in (low_ci, high_ci))
            rows.append((bar.name, bar.low, bar.high, middle + low, middle + low_ci[0], middle + low_ci[1],
                         middle + high, middle + high_ci[0], middle + high_ci[1],
                         max(low, high, 0.0) - min(low, high, 0.0), clear))  # fmt: skip
        columns = ["parameter", "low", "high", "at_low", "at_low_from", "at_low_to", "at_high", "at_high_from",
                   "at_high_to", "range", "clear"]  # fmt: skip
        table = pd.DataFrame(rows, columns=columns).set_index("parameter")
        return table.sort_values("range", ascending=False, kind="stable")

    @cached_property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest value that any single assumption in its range gives the target."""
        table = self.table()
        ends = table[["at_low", "at_high"]]
        return float(ends.min(axis=None)), float(ends.max(axis=None))

    def sentence(self) -> str:
        """Return the span and the assumption that matters most, in words."""
        table, (low, high) = self.table(), self.span
        say = (lambda x: f"{x:.1f}") if self.target == "rounds" else (lambda x: f"{100 * x:.0f}")
        unit = "rounds" if self.target == "rounds" else "in 100"
        what = "voting into the next day" if self.target == "spill" else self.target
        return (
            f"Within the ranges of the assumptions, one at a time, {what} moves between {say(low)} and {say(high)} "
            f"{unit} (base {say(float(self.base[self.target].mean()))}); what matters most is {table.index[0]}."
        )

    def __repr__(self) -> str:
        """Return the sentence and the widest bars."""
        return f"{self.sentence()}\n\n{self.table().head(12).round(3).to_string()}"

    def _repr_html_(self) -> str:
        return f"<div><p>{self.sentence()}</p>{self.table().head(12).round(3).to_html(border=0)}</div>"

    @property
    def plot(self) -> TornadoPlots:
        """The charts of a tornado."""
        from iomsim.charts import TornadoPlots

        return TornadoPlots(self)
