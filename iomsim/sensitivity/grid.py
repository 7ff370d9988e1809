"""Chances over a grid of one or two parameters, all else on the best guesses."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.executors import progress_bar
from iomsim.errors import BlockError, IomsimError, ScenarioError, quote
from iomsim.forecasting.estimates import in_100, wilson
from iomsim.forecasting.result import Result
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import ROUNDS, SPILL, checked_target, next_weekday
from iomsim.house_style import series
from iomsim.model.parameters import check_values, describe_parameter, resolve
from iomsim.model.quantities import in_digits
from iomsim.model.scenario import Scenario, described
from iomsim.sensitivity.paired import seed_and_runs
from iomsim.sensitivity.study import headings
from iomsim.sensitivity.tasks import Cell, Counts, played, refuse_too_many_cells

POINTS = 21
"""Points of a grid along one parameter, unless values are given."""

MEDIAN = "median_rounds"


def grid(
    race: Scenario,
    /,
    *,
    runs: int = 2_000,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
    **parameters: Any,
) -> Grid:
    """Play an election over a grid of one or two parameters, all else on the best guesses.

    All cells share their random numbers, so that neighbours differ by what the parameters do and hardly by luck:
    surfaces and contours are smooth.  A cell is ``iomsim.forecast(..., assumptions="fixed")`` of its scenario.  Where
    a scenario states its level, other parameters are moved with the appeals held; only the level itself moves them.

    Parameters
    ----------
    race : Scenario
        The base case: its best guesses.
    runs, seed : int
        Runs per cell, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where cells are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.
    **parameters
        One or two parameters by short name (``Washington=``, ``secrecy=``), each with the values
        to take, or None for 21 points over its range.  For a dotted path write ``**{path: ...}``.

    Returns
    -------
    Grid

    Raises
    ------
    UnknownNameError
        If there is no such parameter; the nearest name is given.
    IomsimError
        If no parameter or more than two are given, or values are missing or do not increase.

    Examples
    --------
    >>> import iomsim as iom
    >>> cells = iom.grid(iom.load("minimal"), secrecy=[0.0, 1.0], runs=200, seed=1)
    >>> len(cells.table())
    2
    """
    described("grid", race)
    if not 1 <= len(parameters) <= 2:
        raise IomsimError(
            f"a grid takes one or two parameters, got {len(parameters)}; for instance secrecy=[0, 0.5, 1]"
        )
    seed, runs = seed_and_runs(seed, runs, at_least=1)
    paths = [resolve(race, name) for name in parameters]
    if len(set(paths)) < len(paths):
        raise ScenarioError(f"{' and '.join(parameters)} are the same parameter")
    axes = [_axis(race, name, path, values) for path, (name, values) in zip(paths, parameters.items(), strict=True)]
    known = race.parameters()
    refuse_too_many_cells(prod(map(len, axes)), len(axes))
    points = [tuple(known[path].value for path in paths), *product(*axes)]
    check_values(race, dict(zip(paths, zip(*points, strict=True), strict=True)))
    cells = [(i, Cell(race, tuple(zip(paths, point, strict=True)))) for i, point in enumerate(points)]
    rows: dict[int, dict[str, float]] = {}
    with progress_bar(runs * len(cells), progress) as advance:
        for i, counts in played(cells, runs, seed, executor, advance):
            if isinstance(counts, str):
                raise BlockError(f"the cell {dict(cells[i][1].changes)} could not be played: {counts}")
            rows[i] = _row(race, counts)
    index = pd.MultiIndex.from_tuples(points[1:], names=headings(race, parameters, paths))
    table = pd.DataFrame([rows[i] for i in range(1, len(cells))], index)
    return Grid(race, tuple(parameters), tuple(paths), tuple(axes), seed, runs, rows[0], table)


def _axis(race: Scenario, name: str, path: str, values: Any) -> tuple[float, ...]:
    known = race.parameters()[path]
    if values is None:
        if known.low == known.high:
            raise ScenarioError(f"{name} has no range and is always {known.value:g}; give the values to take")
        return tuple(np.linspace(known.low, known.high, POINTS).tolist())
    try:
        points = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        raise ScenarioError(f"the values of {name} must be numbers, got {quote(values)}") from None
    if points.ndim != 1 or not points.size:
        raise ScenarioError(f"the values of {name} are empty; give at least one, for instance [{known.value:g}]")
    step = int(np.argmin(np.diff(points))) if points.size > 1 else 0
    if (np.diff(points) <= 0).any():
        raise ScenarioError(f"the values of {name} must increase, got {points[step + 1]:g} after {points[step]:g}")
    return tuple(points.tolist())


def _row(race: Scenario, counts: Counts) -> dict[str, float]:
    runs, number = counts.winners.sum(), np.arange(1, counts.rounds.size + 1)
    values = [*counts.winners / runs, counts.late / runs, counts.rounds @ number / runs]
    names = [*race.names, NO_WINNER, SPILL, ROUNDS, MEDIAN]
    return dict(zip(names, map(float, [*values, np.median(number.repeat(counts.rounds))]), strict=True))


@dataclass(frozen=True, repr=False, eq=False)
class Grid(Result):
    """Forecasts over a grid of parameters.

    Attributes
    ----------
    race : Scenario
        The base case: its best guesses.
    names, paths : tuple of str
        The parameters as asked for, and by dotted path.
    axes : tuple of tuple of float
        The values along each.
    seed, runs : int
        Seed of all cells, and runs of each.
    base : dict of float
        The base case, with the columns of a cell.
    cells : DataFrame
        One row per cell.
    """

    race: Scenario
    names: tuple[str, ...]
    paths: tuple[str, ...]
    axes: tuple[tuple[float, ...], ...]
    seed: int
    runs: int
    base: dict[str, float]
    cells: pd.DataFrame

    EACH = "a cell"

    def table(self) -> pd.DataFrame:
        """Return one row per cell, by the parameters' values.

        Returns
        -------
        DataFrame
            The probability of each candidate, of "no winner" and of "spill" (voting runs into the
            next day with a sitting); mean "rounds" and "median_rounds".
        """
        return self.cells.copy()

    def surface(self, target: str | None = None) -> pd.DataFrame:
        """Return one target over the grid: the last parameter down, the first across.

        Examples
        --------
        >>> import iomsim as iom
        >>> cells = iom.grid(iom.load("minimal"), secrecy=[0, 1], abstain=[0.0, 0.1, 0.2], runs=50, seed=1)
        >>> cells.surface("spill").shape
        (3, 2)
        """
        column = MEDIAN if target == MEDIAN else checked_target(self.race, target)
        if len(self.names) == 1:
            return self.cells[[column]].set_index(pd.Index(self.axes[0], name=self.names[0]))
        return self.cells[column].unstack(level=0)

    def errors(self, target: str | None = None) -> pd.DataFrame:
        """Return a probability over the grid with its Monte Carlo error, `mc_error`, one row per cell.

        The errors, half the width of Wilson's 95 % interval, tell how far all cells may be off together; the
        differences between cells are known better, because cells share their random numbers.
        """
        column = checked_target(self.race, target)
        if column == ROUNDS:
            raise IomsimError("errors are given for probabilities; for the rounds use iomsim.tornado or iomsim.compare")
        chance = self.cells[column]
        low, high = wilson(chance.to_numpy() * self.runs, self.runs)
        return pd.DataFrame({"probability": chance, "mc_error": (high - low) / 2})

    @property
    def where(self) -> tuple[float, ...]:
        """The base case's values of the parameters."""
        known = self.race.parameters()
        return tuple(known[path].value for path in self.paths)

    def sentence(self) -> str:
        """Return what the grid spans, in words."""
        ends = zip(self.paths, self.axes, strict=True)
        axes = [
            f"{describe_parameter(self.race, path)} from {' to '.join(in_digits(axis[0], axis[-1]))}"
            for path, axis in ends
        ]
        first, day = self.race.names[0], next_weekday(self.race)
        return (
            f"With {series(axes)}, all else on the best guesses, {first} wins in {self._span(first)}; "
            f"there is no winner in {self._span(NO_WINNER)}; voting runs into {day} in {self._span(SPILL)}."
        )

    def _span(self, target: str) -> str:
        low, high = self.cells[target].min(), self.cells[target].max()
        ends = " to ".join(dict.fromkeys([in_100(low), in_100(high)]))
        return f"{ends} of 100 elections (base {in_100(self.base[target])})"
