"""`Study`: a table of scenarios to a tidy table of results, resumable, on any executor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim import simulate
from iomsim._version import VERSION
from iomsim.errors import FileError, IomsimError, ScenarioError, whole_number
from iomsim.forecast import Forecast
from iomsim.running import count_span
from iomsim.scenario import Scenario
from iomsim.streams import BLOCK
from iomsim.summary import Summary, merge
from iomsim.whatif import resolve

TASK = simulate.SPAN * BLOCK
"""Runs of one task."""


@dataclass(frozen=True, repr=False)
class Study:
    """Many scenarios, to be forecast with the same runs and seed.

    Make one with :meth:`grid`, :meth:`sample` or :meth:`of`; :meth:`run` it.

    Attributes
    ----------
    cells : tuple of Scenario
        The scenarios.
    points : DataFrame
        What sets each of them apart, one row per cell.

    Examples
    --------
    >>> import iomsim as iom
    >>> study = Study.grid(iom.load("minimal"), secrecy=[0.0, 0.5, 1.0])
    >>> study.run(runs=100, seed=1)["secrecy"].tolist()
    [0.0, 0.5, 1.0]
    """

    cells: tuple[Scenario, ...]
    points: pd.DataFrame

    @classmethod
    def grid(cls, race: Scenario, **parameters: Sequence[float]) -> Study:
        """Return the study of every combination of values; parameters by short name or dotted path."""
        paths = [resolve(race, name) for name in parameters]
        points = list(product(*parameters.values()))
        cells = tuple(race.with_parameters(dict(zip(paths, point, strict=True))) for point in points)
        return _checked(cells, pd.DataFrame(points, columns=list(parameters)))

    @classmethod
    def sample(cls, race: Scenario, count: int, seed: int, parameters: Sequence[str] | None = None) -> Study:
        """Return the study of `count` points spread evenly over the parameters' ranges (Latin hypercube).

        Parameters default to all that have a range.
        """
        from scipy.stats import qmc

        whole_number("count", count, 1)
        known = race.parameters()
        names = list(parameters) if parameters is not None else [p for p in known if known[p].low < known[p].high]
        paths = [resolve(race, name) for name in names]
        flat = [path for path in paths if known[path].low >= known[path].high]
        if flat or not paths:
            raise ScenarioError(f"{flat[0] if flat else 'no parameter'} has a range to sample from")
        unit = qmc.LatinHypercube(len(paths), rng=np.random.default_rng(seed)).random(count)
        table = qmc.scale(unit, [known[p].low for p in paths], [known[p].high for p in paths])
        cells = tuple(race.with_parameters(dict(zip(paths, row, strict=True))) for row in table.tolist())
        return _checked(cells, pd.DataFrame(table, columns=names))

    @classmethod
    def of(cls, races: Mapping[str, Scenario] | Iterable[Scenario]) -> Study:
        """Return the study of scenarios as they are, named or numbered."""
        named = dict(races) if isinstance(races, Mapping) else {str(i): race for i, race in enumerate(races)}
        return _checked(tuple(named.values()), pd.DataFrame({"scenario": list(named)}))

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.cells)

    def run(
        self,
        runs: int = 2_000,
        *,
        seed: int,
        executor: Any = None,
        folder: str | Path | None = None,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Forecast every cell.

        Parameters
        ----------
        runs, seed : int
            Runs of each cell, and the seed of all: cells are paired run by run.
        executor : object with ``map`` or ``submit``, optional
            Where tasks are played.  The work is one flat list of (scenario, span) tasks, so that a
            cluster is kept busy to the end.
        folder : str or Path, optional
            Where finished cells are kept.  A study that was interrupted goes on where it stopped; a
            cell counts as finished only for the same scenario (by its hash), runs, seed and version.
        progress : bool, default True
            Show a bar on stderr once the work has taken two seconds.

        Returns
        -------
        DataFrame
            One row per cell: the point; the probability of each candidate, of no winner and of
            spilling into the next day, each with `_low` and `_high`; the median rounds; the scenario's
            hash, runs and seed.
        """
        from iomsim.running import _bar

        whole_number("runs", runs, 1)
        whole_number("seed", seed, 0)
        store = None if folder is None else Store(Path(folder))
        rows: dict[int, dict[str, Any]] = {}
        for i, race in enumerate(self.cells):
            kept = store.read(race, runs, seed) if store else None
            if kept is not None:
                rows[i] = kept
        missing = [i for i in range(len(self)) if i not in rows]
        with _bar(runs * len(missing), progress) as advance:
            for i, summary in self._finished(missing, runs, seed, executor, advance):
                rows[i] = row_of(Forecast(self.cells[i], seed, summary))
                if store:
                    store.write(self.cells[i], runs, seed, rows[i])
        return self.points.join(pd.DataFrame([rows[i] for i in range(len(self))]))

    def _finished(self, cells: list[int], runs: int, seed: int, executor: Any, advance: Any) -> Iterable[Any]:
        """Yield every cell with its summary as soon as its last task is done."""
        sizes = simulate.portions(runs, TASK)
        tasks = [(i, first * TASK // BLOCK, size) for i in cells for first, size in enumerate(sizes)]
        races = [self.cells[i] for i, _, _ in tasks]
        firsts, counts = [first for _, first, _ in tasks], [size for _, _, size in tasks]
        work = [count_span] * len(tasks)
        parts: list[Summary] = []
        done = simulate.spread(executor, simulate.attempt, work, races, [seed] * len(tasks), firsts, counts)
        for (i, _, size), part in zip(tasks, done, strict=True):
            advance(size)
            parts.append(part)
            if len(parts) == len(sizes):
                yield i, merge(parts)
                parts = []

    def __repr__(self) -> str:
        """Return the number of cells and their points."""
        return f"study of {len(self)} scenarios\n{self.points.to_string(max_rows=12)}"


def _checked(cells: tuple[Scenario, ...], points: pd.DataFrame) -> Study:
    if not cells:
        raise IomsimError("a study needs at least one scenario")
    return Study(cells, points)


def row_of(fc: Forecast) -> dict[str, Any]:
    """Return a forecast as one row of a study."""
    row: dict[str, Any] = {}
    for name, chance in fc.win_probability().iterrows():
        row |= {f"{name}": chance["probability"], f"{name}_low": chance["low"], f"{name}_high": chance["high"]}
    spill = fc.spill()
    row |= {"spill": spill.value, "spill_low": spill.low, "spill_high": spill.high}
    return row | {"median_rounds": fc.median_rounds()[0], "hash": fc.scenario.hash, "runs": len(fc), "seed": fc.seed}


@dataclass(frozen=True)
class Store:
    """A folder of finished cells, one file each: Parquet where pyarrow is there, else npz."""

    folder: Path

    def _name(self, race: Scenario, runs: int, seed: int) -> str:
        return f"{race.hash}-{runs}-{seed}-{VERSION}"

    def read(self, race: Scenario, runs: int, seed: int) -> dict[str, Any] | None:
        """Return a finished cell, or None.

        Raises
        ------
        FileError
            If its file is damaged.
        """
        name = self._name(race, runs, seed)
        for path in (self.folder / f"{name}.parquet", self.folder / f"{name}.npz"):
            if path.exists():
                return _read(path)
        return None

    def write(self, race: Scenario, runs: int, seed: int, row: dict[str, Any]) -> None:
        """Keep a finished cell: written beside, then moved into place, so that no half file stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        parquet = _has_pyarrow()
        path = self.folder / f"{self._name(race, runs, seed)}{'.parquet' if parquet else '.npz'}"
        part = path.with_name(f"part-{path.name}")
        if parquet:
            pd.DataFrame([row]).to_parquet(part)
        else:
            np.savez(part, row=np.frombuffer(json.dumps(row).encode(), dtype=np.uint8))
        part.replace(path)


def _has_pyarrow() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".parquet":
            return {str(key): value for key, value in pd.read_parquet(path).iloc[0].to_dict().items()}
        with np.load(path, allow_pickle=False) as file:
            row: dict[str, Any] = json.loads(bytes(file["row"]))
            return row
    except Exception as error:
        raise FileError(
            f"the study's file {str(path)!r} is damaged ({error}); delete it to play the cell again"
        ) from None
