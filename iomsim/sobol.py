"""Which assumptions the probability hangs on when all move at once: Sobol indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from iomsim.compare import indicators
from iomsim.errors import IomsimError, whole_number
from iomsim.running import fresh_seed
from iomsim.scenario import Scenario
from iomsim.whatif import checked_target, resolve, side_by_side, tornado

if TYPE_CHECKING:
    from iomsim.charts import SobolPlots

WIDEST = 6
"""Parameters taken by default: those with the widest bars of a tornado."""

CHUNK = 64
"""Scenarios built and played at a time."""


def sobol(
    race: Scenario,
    target: str | None = None,
    *,
    parameters: Sequence[str] | None = None,
    samples: int = 64,
    runs: int = 400,
    seed: int | None = None,
    executor: Any = None,
) -> Sobol:
    """Share the variance of a probability out among the assumptions.

    What is decomposed is P(outcome | parameters), estimated by `runs` runs on the same random
    numbers at every point, never single runs: a naive estimate would call the chance in every
    member's ballot "interaction".

    Parameters
    ----------
    race : Scenario
        The base case; each parameter is uniform over its range, independent of the others.
    target : str, optional
        A candidate's win (default: the first's), "no winner", "spill" or "rounds" (their mean).
    parameters : sequence of str, optional
        Which parameters; default: the six widest of a small tornado.
    samples : int, default 64
        Base samples, a power of two; (parameters + 2) times as many scenarios are played.
    runs, seed : int
        Runs of each scenario, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where scenarios are played.

    Returns
    -------
    Sobol

    Raises
    ------
    IomsimError
        If `samples` is no power of two, or a parameter has no range.

    Notes
    -----
    Saltelli's estimators as in `scipy.stats.sobol_indices`, with bootstrap intervals.  Tallies of
    one election cannot tell Washington's strength from Brussels's or from secrecy: an index says
    what an assumption is worth, not what data could teach about it.
    """
    target = checked_target(race, target)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    whole_number("runs", runs, 1)
    if whole_number("samples", samples, 2) & (samples - 1):
        raise IomsimError(f"samples must be a power of two, got {samples}; try {1 << samples.bit_length()}")
    if parameters is None:
        wide = tornado(race, target, rules=False, runs=1000, seed=seed, executor=executor).table()
        parameters = [str(name) for name in wide.index[:WIDEST]]
    paths = [resolve(race, name) for name in parameters]
    known = race.parameters()
    for path in paths:
        if known[path].low >= known[path].high:
            raise IomsimError(f"{path} has no range; give it a low and a high")

    def probability(points: np.ndarray) -> np.ndarray:
        changes = [dict(zip(paths, point, strict=True)) for point in points.T.tolist()]
        return values(race, changes, target, runs, seed, executor)

    return Sobol(race, target, seed, runs, samples, _indices(probability, [known[p] for p in paths], paths, samples))


def values(
    race: Scenario, changes: list[dict[str, float]], target: str, runs: int, seed: int, executor: Any
) -> np.ndarray:
    """Return the target's mean at each point of the parameters' space."""
    out: list[float] = []
    for start in range(0, len(changes), CHUNK):
        races = [race.with_parameters(change) for change in changes[start : start + CHUNK]]
        out += [float(indicators(fc)[target].mean()) for fc in side_by_side(races, runs, seed, executor)]
    return np.array(out)


def _indices(function: Any, ranges: Sequence[Any], names: Sequence[str], samples: int) -> pd.DataFrame:
    from scipy import stats

    laws = [stats.uniform(q.low, q.high - q.low) for q in ranges]
    found = stats.sobol_indices(func=function, n=samples, dists=laws, rng=np.random.default_rng(0))
    spread = found.bootstrap(confidence_level=0.95, n_resamples=499)
    table = pd.DataFrame(
        {"first": found.first_order, "total": found.total_order}, index=pd.Index(names, name="parameter")
    )
    for key, part in (("first", spread.first_order), ("total", spread.total_order)):
        table[f"{key}_low"], table[f"{key}_high"] = part.confidence_interval.low, part.confidence_interval.high
    table["clear"] = table["total_low"] > 0
    columns = ["first", "first_low", "first_high", "total", "total_low", "total_high", "clear"]
    return table[columns].sort_values("total", ascending=False, kind="stable")


@dataclass(frozen=True, repr=False)
class Sobol:
    """First-order and total indices of a probability.

    Attributes
    ----------
    race : Scenario
        The base case.
    target : str
        What is decomposed.
    seed, runs, samples : int
        Seed of all scenarios, runs of each, and base samples.
    indices : DataFrame
        By parameter: `first` and `total` with their 95 % bootstrap intervals; `clear`, False where
        even the total index is within noise of zero.
    """

    race: Scenario
    target: str
    seed: int
    runs: int
    samples: int
    indices: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return the indices, the largest total first."""
        return self.indices.copy()

    def sentence(self) -> str:
        """Return which assumption matters most, and which are within noise of zero."""
        top, row = self.indices.index[0], self.indices.iloc[0]
        noise = self.indices.index[~self.indices["clear"]].tolist()
        quiet = f"; within noise of zero: {', '.join(noise)}" if noise else ""
        return (
            f"{top} alone explains {100 * max(row['first'], 0):.0f} % of the variance of {self.target} over the ranges "
            f"of the assumptions, with its interactions {100 * row['total']:.0f} %{quiet}."
        )

    def __repr__(self) -> str:
        """Return the sentence and the table."""
        return f"{self.sentence()}\n\n{self.indices.round(2).to_string()}"

    def _repr_html_(self) -> str:
        return f"<div><p>{self.sentence()}</p>{self.indices.round(2).to_html(border=0)}</div>"

    @property
    def plot(self) -> SobolPlots:
        """The charts of Sobol indices."""
        from iomsim.charts import SobolPlots

        return SobolPlots(self)
