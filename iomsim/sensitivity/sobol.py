"""Which assumptions the probability hangs on when several move at once, the others on the best guesses: Sobol indices.

What is decomposed is the probability as a function of the parameters, never the single run: every
run has its own luck, and an index of single runs would call that luck interaction.

What an index says, and what it does not.  It shares out the variance of the *answer* over the
ranges of the assumptions.  It does not say what data could teach: from one election's tallies one
can learn the net level and, in a long deadlock, the floor of openness.  One cannot separate one
sponsor's strength from another's or from secrecy - only ``(1 - secrecy) * strength`` enters, so two
scenarios with the same products give the same tallies run by run - nor see regional shocks, which
only spread the totals as a common shock would, nor gross switching, of which totals show the net.
Large indices of such parameters are therefore a reason to ask experts, not to wait for tallies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.executors import progress_bar
from iomsim.errors import IomsimError, whole_number
from iomsim.forecasting.estimates import level_with_first
from iomsim.forecasting.result import Result
from iomsim.forecasting.targets import checked_target, describe_target
from iomsim.house_style import percent, some_of
from iomsim.memory import refuse_too_many
from iomsim.model.parameters import describe_parameter, ranges
from iomsim.model.scenario import Scenario, described
from iomsim.sensitivity.paired import seed_and_runs, simulate_points
from iomsim.sensitivity.tornado import tornado
from iomsim.typing import Floats

WIDEST = 6
"""Parameters taken by default: those with the widest bars of a tornado."""

CHUNK = 1024
"""Points whose runs are held at a time."""

RESAMPLES = 499
"""Bootstrap samples behind the intervals."""


def sobol(
    race: Scenario,
    target: str | None = None,
    *,
    parameters: Iterable[str] | Mapping[str, Sequence[float]] | None = None,
    samples: int = 128,
    runs: int = 500,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Sobol:
    """Share the variance of a probability out among the assumptions.

    Parameters
    ----------
    race : Scenario
        The base case; each parameter is uniform over its range, independent of the others.  What is not among them
        stays on the best guesses.  The appeals of a race with a level are solved at every point, as for a draw of the
        assumptions.
    target : str, optional
        A candidate's win (default: the first's), "no winner", "spill" (or the weekday it means)
        or "rounds" (their mean).
    parameters : sequence of str, or mapping of str to (low, high), optional
        Which parameters, over their own range or the one given; default: the six widest of a
        small tornado.  Readings of the rules have no place here: they are no scale to vary along.
    samples : int, default 128
        Base points, a power of two; (parameters + 2) times as many scenarios are played.
    runs, seed : int
        Runs of each scenario, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where scenarios are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Sobol

    Raises
    ------
    UnknownNameError
        If there is no such parameter or target; the nearest name is given.
    IomsimError
        If `samples` is no power of two, or a parameter has no range.

    Notes
    -----
    Estimators of Saltelli et al. (2010, *Computer Physics Communications* 181, 259-270), those of
    `scipy.stats.sobol_indices`, with one change: the probability at each point is estimated twice,
    from the two halves of the runs, and every product takes one factor from each half.  The luck
    of the runs then drops out of the means instead of adding to the variance.  Intervals are 95 %
    bootstrap intervals over the base points.

    Examples
    --------
    >>> import iomsim as iom
    >>> shares = iom.sobol(
    ...     iom.load("minimal"), parameters=["secrecy", "yes_own"], samples=8, runs=100, seed=1, progress=False)
    >>> shares.table().columns.tolist()[:3]
    ['first', 'first_low', 'first_high']
    """
    target = checked_target(described("sobol", race), target)
    seed, runs = seed_and_runs(seed, runs, at_least=4)
    if whole_number("samples", samples, 2) & (samples - 1):
        raise IomsimError(f"samples must be a power of two, got {samples}; try {1 << samples.bit_length()}")
    over = ranges(race, parameters) if parameters is not None else _widest(race, target, seed, executor, progress)
    refuse_too_many(samples, "samples", (len(over) + 2) * (40.0 * len(over) + 200.0))
    points = design(list(over.values()), samples, seed)
    table = points.reshape(-1, len(over))
    halves = probabilities(race, dict(zip(over, table.T, strict=True)), target, runs, seed, executor, progress)
    table = indices(halves.T.reshape(2, len(over) + 2, samples), list(over))
    return Sobol(race, target, seed, runs, samples, table)


def _widest(race: Scenario, target: str, seed: int, executor: Any, progress: bool) -> dict[str, tuple[float, float]]:
    bars = tornado(race, target, rules=False, runs=1_000, seed=seed, executor=executor, progress=progress)
    return ranges(race, [str(name) for name in bars.table().index[:WIDEST]])


def design(over: Sequence[tuple[float, float]], samples: int, seed: int) -> Floats:
    """Return the points at which to look: A, B, and A with one column of B, for each parameter.

    Sobol's sequence, shifted at random (Cranley and Patterson 1976).

    Returns
    -------
    ndarray, shape (parameters + 2, samples, parameters)
    """
    from scipy.stats import qmc

    d = len(over)
    unit = qmc.Sobol(2 * d, scramble=False).random(samples)
    unit = (unit + np.random.default_rng(seed).random(2 * d)) % 1.0
    low, high = np.array(over, dtype=float).T
    a, b = (low + (high - low) * part for part in (unit[:, :d], unit[:, d:]))
    return np.stack([a, b, *(np.where(np.arange(d) == i, b, a) for i in range(d))])


def probabilities(
    race: Scenario,
    points: Mapping[str, Floats],
    target: str,
    runs: int,
    seed: int,
    executor: Any = None,
    progress: bool = False,
) -> Floats:
    """Return the target's mean over each half of the runs, at each point; shape ``(points, 2)``."""
    size = len(next(iter(points.values())))
    out: list[list[float]] = []
    with progress_bar(runs * size, progress) as advance:
        for start in range(0, size, CHUNK):
            some = {path: values[start : start + CHUNK] for path, values in points.items()}
            cells = [
                cell[target] for cell in simulate_points([(race, some)], runs, seed, executor, advance, together=True)
            ]
            out += [[float(half.mean()) for half in np.array_split(cell, 2)] for cell in cells]
    return np.array(out)


def indices(values: Floats, names: Sequence[str]) -> pd.DataFrame:
    """Return the table of indices from the target's values at a :func:`design`.

    Parameters
    ----------
    values : ndarray, shape (2, parameters + 2, samples)
        Two independent estimates of the target at every point.
    names : sequence of str
        The parameters.
    """
    n = values.shape[-1]
    found = crossed(values)
    rng = np.random.default_rng(0)
    draws = np.array([crossed(values[..., rng.integers(n, size=n)]) for _ in range(RESAMPLES)])
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    columns = {"first": found[0], "first_low": low[0], "first_high": high[0]}
    columns |= {"total": found[1], "total_low": low[1], "total_high": high[1]}
    table = pd.DataFrame(columns, index=pd.Index(names, name="parameter"))
    table["clear"] = table["total_low"] > 0
    return table.sort_values("total", ascending=False, kind="stable")


def crossed(values: Floats) -> Floats:
    """Return first-order and total indices by Saltelli's estimators, every product across the halves.

    Where the halves are equal these are the estimates of `scipy.stats.sobol_indices`.

    Parameters
    ----------
    values : ndarray, shape (2, parameters + 2, samples)
        As in :func:`indices`.

    Returns
    -------
    ndarray, shape (2, parameters)
        0 throughout if the target does not move.
    """
    a, b, ab = values[:, 0], values[:, 1], values[:, 2:]
    centre = values[:, :2].mean(axis=(1, 2))[:, None]
    variance = float(((a - centre).prod(axis=0) + (b - centre).prod(axis=0)).mean() / 2)
    if variance <= 0:
        return np.zeros((2, ab.shape[1]))
    first = ((b - centre)[::-1, None] * (ab - a[:, None])).mean(axis=(0, 2))
    total = (a[:, None] - ab).prod(axis=0).mean(axis=-1) / 2
    return np.stack([first, total]) / variance


@dataclass(frozen=True, repr=False, eq=False)
class Sobol(Result):
    """First-order and total indices of a probability.

    Attributes
    ----------
    race : Scenario
        The base case.
    target : str
        What is decomposed.
    seed, runs, samples : int
        Seed of all scenarios, runs of each, and base points.
    indices : DataFrame
        See :meth:`table`.
    """

    race: Scenario
    target: str
    seed: int
    runs: int
    samples: int
    indices: pd.DataFrame

    EACH = "a point"

    def table(self) -> pd.DataFrame:
        """Return the indices, the largest total first.

        Returns
        -------
        DataFrame
            By parameter: `first`, the share of the variance that it explains alone, and `total`,
            with its interactions, each with its 95 % bootstrap interval (estimates near 0 may
            fall below it); `clear`, False where even the total is within noise of zero.
        """
        return self.indices.copy()

    def sentence(self) -> str:
        """Return which assumption matters most, and which are within noise of zero."""
        what = describe_target(self.race, self.target)
        clear, noise = (self.indices[self.indices["clear"] == flag] for flag in (True, False))
        if clear.empty:
            return f"None of these assumptions moves {what} beyond noise; take wider ranges or more runs."
        top, most = clear.iloc[0], self.most()
        alone = min(float(self.indices["first"].clip(lower=0).sum()), 1.0)
        names = ", ".join(describe_parameter(self.race, str(name)) for name in noise.index)
        quiet = f" Within noise of zero: {names}." if names else ""
        name = describe_parameter(self.race, str(top.name))
        told = f"{name} alone explains {_percent(top, 'first')} of the variance of {what}"
        told += f", and with its interactions {_percent(top, 'total')}"
        if len(most) > 1:
            names = some_of([describe_parameter(self.race, path) for path in most])
            told = f"no single one stands out: most of the variance of {what} may come from {names}"
        return (
            f"Over the ranges of these assumptions, all others on the best guesses, {told}. "
            f"All of them, each alone, explain {percent(100 * alone)}.{quiet}"
        )

    def most(self) -> list[str]:
        """Return the parameter with the largest total of those clear of noise, and those that cannot be told from it.

        A bootstrap interval is wider on one side: what counts is the side between the two.
        """
        table = self.indices[self.indices["clear"]]
        up, down = table["total_high"] - table["total"], table["total"] - table["total_low"]
        half = np.concatenate([down[:1], up[1:]])
        return [str(path) for path in table.index[level_with_first(table["total"], half)]]


def _percent(row: pd.Series, key: str) -> str:
    """Return an index with its interval, in percent and inside 0 to 100."""
    value, low, high = (100 * min(max(float(row[f"{key}{end}"]), 0.0), 1.0) for end in ("", "_low", "_high"))
    return f"{percent(value)} ({low:.0f} to {high:.0f})"
