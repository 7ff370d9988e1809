"""What what-ifs share: what is looked at, many points on the same random numbers, and intervals of paired runs.

What-ifs of points - tornadoes, grids, Sobol indices, paths, studies - are played on the best guesses: what is
not moved has its value, the rules are the weightiest reading, and the appeals are those that give the stated level
(another level moves them).  Comparisons and calls play all that is unsure, on both sides the same draws of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from iomsim.engine.clock import DAY
from iomsim.engine.executors import in_order
from iomsim.engine.outcomes import Endings
from iomsim.engine.plan import Plan
from iomsim.engine.rng import fresh_seed
from iomsim.engine.simulate import SPAN, Parameters, play_endings, run_span, span_calls
from iomsim.errors import whole_number
from iomsim.forecasting.estimates import Z95, Interval, means_over_draws, wilson
from iomsim.forecasting.tables import NO_WINNER, Tables
from iomsim.forecasting.targets import ROUNDS, SPILL
from iomsim.house_style import count
from iomsim.memory import refuse_too_many
from iomsim.model.assumptions import completed
from iomsim.model.parameters import check_values
from iomsim.model.scenario import Scenario
from iomsim.typing import Flags, Floats

RunOutcomes = dict[str, Floats]
"""What a what-if looks at, run by run: who won, nobody, spilling over (0 or 1), and the rounds held."""

# -- what is looked at ---------------------------------------------------------------------------


def spills(plan: Plan, out: Endings) -> Flags:
    """Return in which runs voting runs into the next day with a sitting, or is never over."""
    return (out.minute < 0) | (out.minute >= plan.calendar.next_day * DAY)


def run_outcomes(plan: Plan, out: Endings) -> RunOutcomes:
    """Return, run by run, who won, whether voting spilled over, and the rounds held."""
    columns = {name: out.winner == k for k, name in enumerate(plan.names)}
    columns |= {NO_WINNER: out.winner < 0, SPILL: spills(plan, out), ROUNDS: out.rounds}
    return {name: values.astype(float) for name, values in columns.items()}


# -- playing -------------------------------------------------------------------------------------


OF_A_NUMBER = 20.0
"""Bytes of what is looked at in a run, while spans are put together and compared."""

Case = tuple[Scenario, Mapping[str, ArrayLike]]
"""An election, and the values of its parameters at every point by dotted path; without any there is one point."""


def simulate_points(
    cases: Sequence[Case],
    runs: int,
    seed: int,
    executor: Any = None,
    advance: Callable[[int], Any] = lambda _: None,
    together: bool = False,
) -> list[RunOutcomes]:
    """Play elections at many points of their parameters, on the best guesses and the same random numbers.

    Parameters
    ----------
    cases : sequence of (Scenario, mapping of array_like of shape (points,))
        What is played.
    runs, seed : int
        Runs of each point, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.
    advance : callable
        Is told how many runs are done.
    together : bool, default False
        Solve the appeals of a race with a level for all the values of a point, as for a draw of the assumptions;
        else they are held as they are, but where the level itself is moved.

    Returns
    -------
    list of RunOutcomes
        One for every point of every case, in order.

    Raises
    ------
    ScenarioError
        If a value is not possible.
    """
    for race, points in cases:
        check_values(race, points)
    refuse_too_many_runs(runs, [(len(race.names), points) for race, points in cases])
    tables = [
        {path: np.reshape(values, (-1, 1)) for path, values in completed(race, points, together).items()}
        for race, points in cases
    ]
    calls = chain.from_iterable(
        span_calls(race.plan, table, runs, seed, executor, observe, blocks=SPAN)
        for (race, _), table in zip(cases, tables, strict=True)
    )
    found: dict[int, list[RunOutcomes]] = {}
    done = 0
    for span in in_order(executor, run_span, calls):
        for part in span:  # a point of many runs comes in several spans
            found.setdefault(done // runs, []).append(part)
            done += part[ROUNDS].size
            advance(part[ROUNDS].size)
    return [
        parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in found.values()
    ]


def refuse_too_many_runs(runs: int, cases: Sequence[tuple[int, Mapping[str, ArrayLike]]]) -> None:
    """Refuse more runs than fit into memory with what is looked at in each: of so many candidates, at these points."""
    sizes = [max(map(np.size, points.values()), default=1) for _, points in cases]
    numbers = sum(size * (k + 3) for size, (k, _) in zip(sizes, cases, strict=True))
    refuse_too_many(runs, f"runs of each of {count(sum(sizes), 'scenario')}", OF_A_NUMBER * numbers)


def observe(plan: Plan, parameters: Parameters, seed: int, first: int, size: int) -> list[RunOutcomes]:
    """Play a span of runs at some points; return what a what-if looks at, point by point."""
    values = run_outcomes(plan, play_endings(plan, parameters, seed, first, size))
    points = values[ROUNDS].size // size
    return [{name: column[i * size : (i + 1) * size] for name, column in values.items()} for i in range(points)]


def seed_and_runs(seed: int | None, runs: int, at_least: int = 2) -> tuple[int, int]:
    """Return a seed, a fresh one if none is given, and the checked number of runs."""
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    return seed, whole_number("runs", runs, at_least)


Means = dict[str, tuple[float, float, float, float]]
"""By what can be asked: the value, its range over the assumptions, and its Monte Carlo error."""


def forecast_means(fc: Tables) -> Means:
    """Return what a forecast says of everything that can be asked, as its tables have it."""
    chances, spill, ends = fc.win_probability(), fc.spill(), fc.summary.ends
    out = {str(name): row for name, *row in chances[["probability", "low", "high", "mc_error"]].itertuples()}
    rounds, draws = ends["rounds"].to_numpy(), fc.summary.draws
    held = (ends["count"] * rounds**power for power in (1, 2))
    sums, squares = (np.bincount(ends["draw"], x, max(draws, 1)).astype(float) for x in held)
    mean, error = float(sums.sum() / len(fc)), 0.0
    if len(fc) > 1:
        variance = max(float(squares.sum() / len(fc)) - mean**2, 0.0) * len(fc) / (len(fc) - 1)
        error = Z95 * float(np.sqrt(variance / len(fc)))
    low = high = np.nan
    if draws:
        _, low, high, clustered = _over_draws(sums, squares, fc.summary.runs_of_draws)
        error = max(error, clustered)
    out |= {SPILL: [spill.value, spill.low, spill.high, spill.mc_error], ROUNDS: [mean, low, high, error]}
    return {name: tuple(row) for name, row in out.items()}


def _over_draws(sums: Floats, squares: Floats, runs: NDArray[np.int64]) -> tuple[float, float, float, float]:
    """Return a mean over the draws of the assumptions, its range, which holds it, and its error."""
    mean, low, high, error = (float(x[0]) for x in means_over_draws(sums[None], squares[None], runs))
    return mean, float(np.minimum(low, mean)), float(np.maximum(high, mean)), error


# -- intervals -----------------------------------------------------------------------------------


def mean_interval(values: Floats) -> Interval:
    """Return a mean and its 95 % interval: Wilson's for shares, else the normal law's.

    Examples
    --------
    >>> [round(x, 2) for x in mean_interval(np.array([0.0, 1.0, 1.0, 1.0]))]
    [0.75, 0.3, 0.95]
    """
    middle, n = float(values.mean()), values.size
    if ((values == 0) | (values == 1)).all():
        low, high = wilson(values.sum(), n)
        return Interval(middle, float(low), float(high))
    half = Z95 * float(values.std(ddof=1) / np.sqrt(n))
    return Interval(middle, middle - half, middle + half)


def paired_interval(a: Floats, b: Floats) -> Interval:
    """Return the mean of b - a and its 95 % interval.

    For shares (0 or 1) half a run is added to each kind of discordant pair (Agresti and Min 2005,
    *Statistics in Medicine* 24, 729-740), so that few changes do not look like certainty.

    Examples
    --------
    Four runs of which one changes hands:

    >>> middle, low, high = paired_interval(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    >>> middle, round(low, 2), round(high, 2)
    (0.25, -0.28, 0.61)
    """
    change, n = np.asarray(b, dtype=float) - a, len(a)
    middle = float(change.mean())
    ups, downs = np.count_nonzero(change == 1), np.count_nonzero(change == -1)
    if ups + downs == np.count_nonzero(change):
        up, down, m = ups + 0.5, downs + 0.5, n + 2
        centre = (up - down) / m
        half = Z95 * np.sqrt(up + down - (up - down) ** 2 / m) / m
        return Interval(middle, float(min(centre - half, middle)), float(max(centre + half, middle)))
    half = Z95 * float(change.std(ddof=1) / np.sqrt(n))
    return Interval(middle, middle - half, middle + half)


def change_over_draws(change: Floats, draw: NDArray[np.int32], draws: int) -> tuple[float, float, float, float]:
    """Return the mean of a change between paired runs, its range over the assumptions, and its error.

    Parameters
    ----------
    change : ndarray, shape (runs,)
        The change in every pair of runs.
    draw : ndarray of int, shape (runs,)
        The draw of the assumptions that both runs of a pair follow.
    draws : int
        How many there are; 0 if the assumptions are fixed: then there is no range, and it is missing.

    Notes
    -----
    The range is that of the mean change given the draw, without the luck of the draw's runs (see
    :func:`iomsim.forecasting.estimates.means_over_draws`).  The error is no less than that of as many pairs on fixed
    assumptions, so that few changes, or none, do not look like certainty.

    Examples
    --------
    Every other draw moves a tenth of its runs:

    >>> change = np.tile([0.0, 1.0] + 18 * [0.0], 100)
    >>> draw = np.tile(np.arange(2), 1000).astype(np.int32)
    >>> [round(x, 3) for x in change_over_draws(change, draw, 2)][:3]
    [0.05, 0.0, 0.1]
    """
    least = paired_interval(np.zeros(change.size), change)
    half = (least.high - least.low) / 2
    if not draws:
        return least.value, np.nan, np.nan, half
    runs = np.bincount(draw, minlength=draws)
    sums, squares = (np.bincount(draw, values, draws).astype(float) for values in (change, change**2))
    mean, low, high, error = _over_draws(sums, squares, runs)
    return mean, low, high, max(error, half)


def is_clear(interval: Interval) -> bool:
    """Return whether an interval of a difference leaves out zero."""
    return interval.low > 0 or interval.high < 0
