"""`Study`: a table of scenarios to a tidy table of results, resumable, on any executor."""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import prod
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.executors import progress_bar
from iomsim.engine.paths import joined
from iomsim.errors import BlockError, FileError, IomsimError, ScenarioError, quote, quote_path, whole_number
from iomsim.forecasting.estimates import wilson
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import SPILL
from iomsim.house_style import count
from iomsim.interrupts import uninterrupted
from iomsim.model.parameters import check_values, ranges, resolve
from iomsim.model.scenario import Scenario, described
from iomsim.sensitivity.tasks import Cell, Counts, NotOursError, Row, Store, keys, played, refuse_too_many_cells

POINT = "scenario"
"""The column of points that are scenarios as they are."""

NAMED = 3
"""Files that cannot be used and are named."""


@dataclass(frozen=True, repr=False, eq=False)
class Study:
    """Many scenarios, to be played on their best guesses with the same runs and seed.

    Make one with :meth:`grid`, :meth:`sample` or :meth:`of`; :meth:`run` it.  What a scenario is unsure of is not
    drawn: a study says what follows from numbers, and which numbers are looked at is for its table to say
    (:meth:`sample` spreads them over their ranges).  A few scenarios over all that is unsure are for
    :func:`iomsim.side_by_side`.

    Attributes
    ----------
    cells : tuple of Cell
        The scenarios; ``study.cells[0].scenario()`` builds the first.
    points : DataFrame
        What sets each of them apart, one row per cell.

    Examples
    --------
    >>> import iomsim as iom
    >>> study = iom.Study.grid(iom.load("minimal"), secrecy=[0.0, 0.5, 1.0])
    >>> study.run(runs=100, seed=1, progress=False)["secrecy"].tolist()
    [0.0, 0.5, 1.0]
    """

    cells: tuple[Cell, ...]
    points: pd.DataFrame

    @classmethod
    def grid(cls, race: Scenario, /, **parameters: Sequence[float]) -> Study:
        """Return the study of every combination of values.

        Parameters
        ----------
        race : Scenario
            The base.
        **parameters
            Values by short name (``Washington=[0, 0.6]``) or, as ``**{path: values}``, by dotted path.

        Raises
        ------
        ScenarioError
            If a value makes no sense for its parameter.
        """
        paths = _paths(described("a study", race), parameters)
        lists = {path: _listed(name, values) for path, (name, values) in zip(paths, parameters.items(), strict=True)}
        refuse_too_many_cells(prod(map(len, lists.values())), len(lists))
        for path, values in lists.items():
            check_values(race, {path: values})  # refused now, not in the middle of the night
        points = [tuple(map(float, point)) for point in product(*lists.values())]
        return cls._varied(race, paths, pd.DataFrame(points, columns=headings(race, parameters, paths)))

    @classmethod
    def sample(cls, race: Scenario, count: int, seed: int, parameters: Iterable[str] | None = None) -> Study:
        """Return the study of `count` points spread evenly over the parameters' ranges (Latin hypercube).

        Parameters
        ----------
        race : Scenario
            The base.
        count, seed : int
            How many points, and the seed that places them.
        parameters : iterable of str, optional
            Which parameters; default: all that have a range.

        Examples
        --------
        >>> import iomsim as iom
        >>> study = iom.Study.sample(iom.load("minimal"), 4, seed=1, parameters=["secrecy", "absent"])
        >>> len(study), study.points.columns.tolist()
        (4, ['secrecy', 'absent'])
        """
        described("a study", race)
        whole_number("count", count, 1)
        whole_number("seed", seed, 0)
        names = [parameters] if isinstance(parameters, str) else parameters
        names = list(names) if isinstance(names, Iterable) else names
        wide = ranges(race, names)
        low, high = np.array(list(wide.values())).T
        refuse_too_many_cells(count, len(wide))
        rng = np.random.default_rng(seed)
        strata = rng.permuted(np.tile(np.arange(count), (len(wide), 1)), axis=1).T  # one point in each, per parameter
        table = low + (high - low) * (strata + rng.random(strata.shape)) / count
        columns = headings(race, names if names is not None else list(wide), list(wide))
        return cls._varied(race, list(wide), pd.DataFrame(table, columns=columns))

    @classmethod
    def of(cls, races: Mapping[str, Scenario] | Iterable[Scenario]) -> Study:
        """Return the study of scenarios as they are, named or numbered."""
        if not isinstance(races, Iterable):
            raise IomsimError(f"a study takes scenarios, named or in a list, got {quote(races)}")
        named = races if isinstance(races, Mapping) else dict(enumerate(races))
        cells = tuple(Cell(described("a study", race)) for race in named.values())
        return cls(cells, pd.DataFrame({POINT: [str(name) for name in named]}))

    @classmethod
    def _varied(cls, race: Scenario, paths: Sequence[str], points: pd.DataFrame) -> Study:
        rows = points.to_numpy(dtype=float).tolist()
        return cls(tuple(Cell(race, tuple(zip(paths, row, strict=True))) for row in rows), points)

    def __post_init__(self) -> None:
        if not self.cells:
            raise IomsimError("a study needs at least one scenario")

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.cells)

    def run(
        self,
        runs: int = 2_000,
        *,
        seed: int,
        executor: Any = None,
        folder: str | PathLike[str] | None = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Play every cell, on the best guesses of its scenario.

        Parameters
        ----------
        runs, seed : int
            Runs of each cell, and the seed of all: cells are paired run by run.
        executor : object with ``submit`` or ``map``, optional
            Where tasks are done.  The work is one flat list of (scenarios, span of runs) tasks, so
            that a cluster is kept busy to the end.
        folder : str or Path, optional
            Where finished cells are kept.  A study that was interrupted goes on where it stopped; a
            cell counts as finished only for the same scenario, runs, seed and version.  A file that is damaged,
            or was changed, renamed or swapped for another, is named in a warning and its cell is played again.
        progress : bool, default True
            Show a bar on stderr once the work has taken two seconds.

        Returns
        -------
        DataFrame
            One row per cell: the point; the probability of each candidate, of no winner and of spilling into the
            next day, each with its Monte Carlo error, `_error`; the median rounds; the scenario's hash, runs and
            seed.  A row is that of ``iomsim.forecast(..., assumptions="fixed")``.

        Raises
        ------
        BlockError
            If a scenario could not be played: all the others are, and `partial` holds their rows.
        FileError
            If the folder or a file in it cannot be read or written.
        KeyboardInterrupt
            After Ctrl-C: says how many scenarios are done, and where they are kept.
        """
        runs, seed = whole_number("runs", runs, 1), whole_number("seed", seed, 0)
        if not isinstance(folder, (str, PathLike, NoneType)):
            raise IomsimError(f"folder must be a path, got {quote(folder)}")
        store = None if folder is None else Store(Path(folder))
        names = keys(self.cells, runs, seed) if store else []
        rows = self._kept(store, names, runs, seed) if store else {}
        missing = [(i, cell) for i, cell in enumerate(self.cells) if i not in rows]
        if store and missing:
            store.make()  # said now, not when the first is done
        failures: dict[int, str] = {}
        saying, bar = self._saying_what_is_kept(rows, folder), progress_bar(runs * len(missing), progress)
        with saying, uninterrupted(), bar as advance:
            for i, counts in played(missing, runs, seed, executor, advance):
                if isinstance(counts, str):
                    failures[i] = counts
                    continue
                row = self._row(i, counted_up(self.cells[i], counts, runs, seed))
                if store:
                    self._keep(store, names[i], row, len(rows))
                rows[i] = row
        if failures:
            raise self._failed(failures, rows)
        return self._table(rows)

    def _row(self, i: int, results: Row) -> Row:
        """Return a row: the point of a cell, and its results."""
        return self.points.loc[i].to_dict() | results

    def _kept(self, store: Store, names: Sequence[str], runs: int, seed: int) -> dict[int, Row]:
        """Return the rows that are kept; say which files hold none of them."""
        rows, refused = store.read(names, lambda i, row: self._row(i, checked(self.cells[i], row, runs, seed)))
        if refused:
            some = ", ".join(refused[:NAMED]) + (", ..." if len(refused) > NAMED else "")
            warnings.warn(
                f"{len(refused)} of {count(len(self), 'scenario')} kept in {quote_path(store.folder)} cannot be used, "
                f"and will be played again: {some}",
                stacklevel=3,
            )
        return rows

    def _keep(self, store: Store, key: str, row: Row, before: int) -> None:
        """Keep a row; if that fails, say how many were kept before."""
        try:
            store.write(key, row)
        except FileError as error:
            kept = f"{before} of {count(len(self), 'scenario')} are kept: run the study again to go on from them"
            raise FileError(f"{error}; {kept}") from None

    @contextmanager
    def _saying_what_is_kept(self, rows: dict[int, Row], folder: str | PathLike[str] | None) -> Iterator[None]:
        """Say of an interruption how many scenarios are done, and where they are."""
        try:
            yield
        except KeyboardInterrupt:
            kept = "nothing is kept; name a folder to go on where a study stopped"
            if folder is not None:
                kept = f"they are kept in {quote_path(folder)}: run the study again to go on from them"
            done = f"interrupted after {len(rows)} of {count(len(self), 'scenario')}"
            raise KeyboardInterrupt(f"{done}; {kept}") from None

    def _table(self, rows: dict[int, Row]) -> pd.DataFrame:
        index = sorted(rows)
        return pd.DataFrame([rows[i] for i in index], index=pd.Index(index))

    def _failed(self, failures: dict[int, str], rows: dict[int, Row]) -> BlockError:
        first = min(failures)
        point = ", ".join(f"{key} {value}" for key, value in self.points.loc[first].items())
        error = BlockError(
            f"{len(failures)} of {len(self)} scenarios could not be played; the first, with {point}: {failures[first]}"
        )
        error.partial = self._table(rows) if rows else None
        return error

    def __repr__(self) -> str:
        """Return the number of cells and the first and last of their points."""
        points = self.points.to_string(max_rows=8, max_cols=4, float_format="{:.3g}".format)
        return f"study of {len(self)} scenarios\n{points}"


def _paths(race: Scenario, parameters: Iterable[str]) -> list[str]:
    names = list(parameters)
    paths = [resolve(race, name) for name in names]
    if not paths:
        raise ScenarioError("a grid needs parameters; for instance secrecy=[0, 0.5, 1]")
    for i, path in enumerate(paths):
        if path in paths[:i]:
            raise ScenarioError(f"{names[paths.index(path)]} and {names[i]} are the same parameter")
    return paths


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, Iterable) and not isinstance(values, str):
        listed = list(values)
        if not any(isinstance(value, Iterable) for value in listed):
            return listed
    raise ScenarioError(f"the values of {name} must be a list of numbers, got {quote(values)}")


def headings(race: Scenario, names: Iterable[str], paths: Sequence[str]) -> list[str]:
    """Return the columns of points: names as given, but where results have the same name, the path."""
    taken = set(result_columns(race))
    return [_heading(name, path, taken) for name, path in zip(names, paths, strict=True)]


def _heading(name: str, path: str, taken: Container[str]) -> str:
    heading = path if name in taken else name
    while heading in taken:  # a candidate may be called like a path
        heading = f"parameters.{heading}"
    return heading


def result_columns(race: Scenario) -> list[str]:
    """Return the names of all results of a scenario.

    A candidate who is called like another column has ``candidates.`` in front.

    Examples
    --------
    >>> import iomsim as iom
    >>> result_columns(iom.load("minimal"))[-6:]
    ['spill', 'spill_error', 'median_rounds', 'hash', 'runs', 'seed']
    """
    last = ["median_rounds", "hash", "runs", "seed"]
    chances: list[str] = []
    taken = {POINT, *last, *_with_error(NO_WINNER), *_with_error(SPILL)}
    for name in race.names:
        while not taken.isdisjoint(_with_error(name)):
            name = joined(("candidates", name))
        chances += _with_error(name)
        taken.update(chances)
    return [*chances, *_with_error(NO_WINNER), *_with_error(SPILL), *last]


def _with_error(name: str) -> tuple[str, str]:
    return name, f"{name}_error"


def counted_up(cell: Cell, counts: Counts, runs: int, seed: int) -> Row:
    """Return the counts of a cell as results."""
    median = int(np.searchsorted(np.cumsum(counts.rounds), (runs + 1) // 2) + 1)
    return results(cell, [*counts.winners.tolist(), counts.late], median, runs, seed)


def results(cell: Cell, hits: Sequence[int], median: int, runs: int, seed: int) -> Row:
    """Return results: shares of the runs with their errors, the median of the rounds, and what was played."""
    low, high = wilson(np.array(hits), runs)
    numbers = np.stack([np.array(hits) / runs, (high - low) / 2], axis=1).ravel().tolist()
    return dict(zip(result_columns(cell.base), [*numbers, median, cell.hash, runs, seed], strict=True))


def checked(cell: Cell, row: Row, runs: int, seed: int) -> Row:
    """Return the results in a row that was kept, if such runs of the cell can have given them.

    Raises
    ------
    NotOursError
        If they cannot.
    """
    values: list[Any] = [row.get(name) for name in result_columns(cell.base)]
    *shares, median, scenario, _, _ = values
    if scenario != cell.hash:
        raise NotOursError("is of another scenario")
    if (
        all(type(share) is float and 0 <= share <= 1 for share in shares)
        and type(median) is int
        and 1 <= median <= cell.base.rules.max_rounds
    ):
        hits = [round(share * runs) for share in shares[::2]]
        found = results(cell, hits, median, runs, seed)
        if sum(hits[:-1]) == runs and found == {name: row.get(name) for name in found}:
            return found
    raise NotOursError("has numbers that its runs cannot have given")
