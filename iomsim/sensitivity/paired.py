"""What every what-if shares: what is asked, and many points or scenarios on the same random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from iomsim.engine.clock import DAY, DAY_NAMES
from iomsim.engine.outcomes import Outcomes
from iomsim.engine.plan import Plan
from iomsim.engine.rng import BLOCK
from iomsim.engine.simulate import SPAN, Parameters, iter_spans, play_span
from iomsim.errors import IomsimError, unknown, whole_number
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.run import fresh_seed
from iomsim.forecasting.tables import NO_WINNER
from iomsim.model.parameters import check_values
from iomsim.model.scenario import Scenario
from iomsim.typing import Flags, Floats

COLUMNS = SPAN * BLOCK
"""Runs played side by side."""

SPILL, ROUNDS = "spill", "rounds"

RunOutcomes = dict[str, Floats]
"""What a what-if looks at, run by run: who won, nobody, spilling over (0 or 1), and the rounds held."""

# -- what is asked -------------------------------------------------------------------------------


def targets(race: Scenario) -> list[str]:
    """Return what can be asked of a what-if: candidates, "no winner", "spill" and "rounds"."""
    return [*race.names, NO_WINNER, SPILL, ROUNDS]


def checked_target(race: Scenario, target: str | None) -> str:
    """Return the target under its own name; None and "win" mean the first candidate's win.

    The weekday of the next day with a sitting means "spill".

    Raises
    ------
    UnknownNameError
        If nothing of that name can be asked.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> checked_target(race, None), checked_target(race, "Tuesday")
    ('Pope', 'spill')
    """
    known, later = targets(race), next_weekday(race)
    if target is None or target in known:
        return race.names[0] if target is None else target
    word = str(target).casefold()
    if word == "win":
        return race.names[0]
    if word == later.casefold():
        return SPILL
    if word in {day.casefold() for day in DAY_NAMES}:
        raise IomsimError(
            f"no target {target!r}: voting begins on {race.clock.opens:%A}, and what is asked is whether it goes on "
            f"on the next day with a sitting; ask for {later!r}"
        )
    raise unknown("target", target, [*known, later])


def next_weekday(race: Scenario) -> str:
    """Return the weekday of the first day with a sitting after the opening date."""
    return f"{race.clock.opens + timedelta(days=race.clock.calendar().next_day):%A}"


def spoken(race: Scenario, target: str) -> str:
    """Return what a target measures, in words."""
    words = {NO_WINNER: "the chance of no winner", ROUNDS: "the mean number of rounds"}
    words[SPILL] = f"the chance that voting runs into {next_weekday(race)}"
    return words.get(target, f"{target}'s chance")


def worded(value: float, target: str) -> str:
    """Return a value of a target in words: a chance per hundred, or rounds with a decimal.

    Examples
    --------
    >>> worded(0.314, "spill"), worded(4.27, "rounds")
    ('31', '4.3')
    """
    return f"{value:.1f}" if target == ROUNDS else in_100(value)


def spills(plan: Plan, out: Outcomes) -> Flags:
    """Return in which runs voting goes on on the next day with a sitting, or is never over."""
    return (out.minute < 0) | (out.minute >= plan.calendar.next_day * DAY)


def run_outcomes(plan: Plan, out: Outcomes) -> RunOutcomes:
    """Return, run by run, who won, whether voting spilled over, and the rounds held."""
    columns = {name: out.winner == k for k, name in enumerate(plan.names)}
    columns |= {NO_WINNER: out.winner < 0, SPILL: spills(plan, out), ROUNDS: out.rounds}
    return {name: values.astype(float) for name, values in columns.items()}


# -- playing -------------------------------------------------------------------------------------


def simulate_points(
    race: Scenario,
    points: Mapping[str, ArrayLike],
    runs: int,
    seed: int,
    executor: Any = None,
    advance: Callable[[int], Any] = lambda _: None,
) -> list[RunOutcomes]:
    """Play an election at many points of its parameters, on the same random numbers.

    Parameters
    ----------
    race : Scenario
        The base case.
    points : mapping of array_like, shape (points,), by dotted path
        The parameters' values at every point.
    runs, seed : int
        Runs of each point, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.
    advance : callable
        Is told how many runs are done.

    Returns
    -------
    list of RunOutcomes
        One for every point.

    Raises
    ------
    ScenarioError
        If a value is not possible.
    """
    check_values(race, points)
    tables = {path: np.asarray(values, dtype=float).reshape(-1, 1) for path, values in points.items()}
    found: dict[int, list[RunOutcomes]] = {}
    for number, part in _enumerated(iter_spans(race.plan, tables, runs, seed, executor, observe, blocks=SPAN), runs):
        found.setdefault(number, []).append(part)
        advance(part[ROUNDS].size)
    return [_joined(parts) for parts in found.values()]


def _enumerated(spans: Iterable[list[RunOutcomes]], runs: int) -> Iterator[tuple[int, RunOutcomes]]:
    """Number the points of spans in order: those of many runs come in several spans."""
    done = 0
    for span in spans:
        for part in span:
            yield done // runs, part
            done += part[ROUNDS].size


def _joined(parts: list[RunOutcomes]) -> RunOutcomes:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if len(parts) > 1 else parts[0]


def observe(plan: Plan, parameters: Parameters, seed: int, first: int, size: int) -> list[RunOutcomes]:
    """Play a span of runs at some points and bring back what a what-if looks at, point by point."""
    values = run_outcomes(plan, play_span(plan, parameters, seed, first, size))
    points = values[ROUNDS].size // size
    return [{name: column[i * size : (i + 1) * size] for name, column in values.items()} for i in range(points)]


def simulate_scenarios(
    races: Sequence[Scenario],
    runs: int,
    seed: int,
    executor: Any = None,
    advance: Callable[[int], Any] = lambda _: None,
) -> list[RunOutcomes]:
    """Play scenarios that differ in more than numbers on the same random numbers."""
    return [simulate_points(race, {}, runs, seed, executor, advance)[0] for race in races]


def seed_and_runs(seed: int | None, runs: int, at_least: int = 2) -> tuple[int, int]:
    """Return a seed, a fresh one if none is given, and the checked number of runs."""
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    return seed, whole_number("runs", runs, at_least)
