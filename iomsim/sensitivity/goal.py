"""What would have to happen: the smallest change that gives a candidate a wanted probability, on the best guesses."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from textwrap import shorten
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim.engine import paths
from iomsim.engine.executors import progress_bar
from iomsim.engine.rng import BLOCK
from iomsim.errors import IomsimError, quote
from iomsim.forecasting.estimates import Interval, in_100
from iomsim.forecasting.result import Result, frame
from iomsim.model.parameters import describe_parameter, ranges
from iomsim.model.quantities import in_digits
from iomsim.model.scenario import Scenario, described, refuse_swings
from iomsim.sensitivity.influence import played_blocks
from iomsim.sensitivity.paired import mean_interval, seed_and_runs, simulate_points
from iomsim.typing import Floats

POINTS = 33
"""Values tried over a parameter's range; between them the chance is interpolated."""

FEWEST, WAVERERS = "fewest members", "waverers first"
"""Whom to win over: those with most votes to give, or those nearest to even."""

BLOCKS = 8
"""Blocks of runs behind the members' support."""

NAMED = 6
"""Members named in the sentence; the table names all."""


def paths_to(
    race: Scenario,
    candidate: str,
    probability: float = 0.5,
    *,
    parameters: Iterable[str] | Mapping[str, Sequence[float]] | None = None,
    runs: int = 4_000,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Paths:
    """Return the smallest changes that give a candidate a wanted probability to win, on the best guesses.

    One at a time, all else staying as it is, on common random numbers: each parameter moved from where it is, in
    either direction but within its range; or members won over for good (always there, always for the candidate).

    Parameters
    ----------
    race : Scenario
        The base case.
    candidate : str
        Who is to win.
    probability : float, default 0.5
        How probably.
    parameters : sequence of str, or mapping of str to (low, high), optional
        What may be moved, within its own range or the one given; default: every sponsor's strength.
    runs, seed : int
        Runs of each scenario that is tried, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Paths

    Raises
    ------
    UnknownNameError
        If there is no such candidate or parameter.
    IomsimError
        If the probability is not between 0 and 1.
    ScenarioError
        If the scenario has a swing.

    Notes
    -----
    Members are won over in two orders.  *Fewest members* takes first those with most votes to
    give, that is with the smallest chance to vote for the candidate now: pinning one changes the
    tally by what is missing to a certain vote, and the chance to win depends on members through
    the tally.  *Waverers first* takes those whose support is nearest to even, who are easier to
    reach but give less.  Within each order the number is the smallest; that no other set is
    smaller would take trying all sets (for small electorates the tests do).

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("minimal")
    >>> ways = iom.paths_to(race, race.names[1], 0.6, runs=300, seed=1)
    >>> "value" in ways.table().columns
    True
    """
    name = described("paths_to", race).candidate(candidate).name
    refuse_swings("paths_to", race, "it wins members over one by one")
    if isinstance(probability, bool) or not isinstance(probability, (int, float)) or not 0 < probability < 1:
        raise IomsimError(f"probability must be between 0 and 1, got {quote(probability)}; 0.5 makes it even")
    seed, runs = seed_and_runs(seed, runs)
    over = _strengths(race) if parameters is None else ranges(race, parameters)

    def chances(case: Scenario, points: Mapping[str, Floats]) -> list[Interval]:
        size = max((len(values) for values in points.values()), default=1)
        with progress_bar(runs * size, progress) as advance:
            found = simulate_points([(case, points)], runs, seed, executor, advance)
        return [mean_interval(outcomes[name]) for outcomes in found]

    [base] = chances(race, {})
    ways: list[Way] = []
    if base.value < probability:
        ways = [by_parameter(race, path, ends, probability, chances) for path, ends in over.items()]
        ways += [by_members(race, name, order, probability, chances) for order in orders(race, name, seed).items()]
    return Paths(race, name, probability, base, seed, runs, tuple(ways))


def _strengths(race: Scenario) -> dict[str, tuple[float, float]]:
    """Return the ranges of the sponsors' strengths, of those that have one."""
    strengths = {paths.strength(sponsor.name) for sponsor in race.sponsors}
    return {path: ends for path, ends in ranges(race, None).items() if path in strengths}


Chances = Callable[[Scenario, Mapping[str, Floats]], list[Interval]]
"""Plays a scenario at points of its parameters; returns the candidate's chance and its interval at each."""


class Way(NamedTuple):
    """One way to the goal.

    Attributes
    ----------
    path : str
        A parameter's dotted path, or in which order members are won over.
    now, value : float
        Today's value and the value needed (of members: how many); NaN if none in range is enough.
    at_best, at_worst : float
        The value needed if the true chance lies at the upper, or the lower, end of its Monte Carlo
        interval; NaN if none in range is enough then.
    reaches : float
        The highest chance in range.
    members : tuple of str
        Who is won over.
    """

    path: str
    now: float
    value: float
    at_best: float
    at_worst: float
    reaches: float
    members: tuple[str, ...] = ()


# -- parameters ----------------------------------------------------------------------------------


def by_parameter(race: Scenario, path: str, ends: tuple[float, float], goal: float, chances: Chances) -> Way:
    """Find the value nearest to today's at which the goal is met."""
    now = race.parameters()[path].value
    values = np.unique([now, *np.linspace(*ends, POINTS)])
    curves = np.array(chances(race, {path: values})).T
    value, at_worst, at_best = (nearest_crossing(values, curve, now, goal) for curve in curves)
    return Way(path, now, value, at_best, at_worst, float(curves[0].max()))


def nearest_crossing(values: Floats, curve: Floats, now: float, goal: float) -> float:
    """Return the place nearest to `now` at which a curve reaches the goal, NaN if it never does.

    Between its points the curve is straight.

    Examples
    --------
    >>> nearest_crossing(np.array([0.0, 1.0, 2.0]), np.array([0.2, 0.4, 0.8]), 0.0, 0.5)
    1.25
    >>> nearest_crossing(np.array([0.0, 1.0]), np.array([0.2, 0.4]), 0.0, 0.5)
    nan
    """
    met = curve >= goal
    steps = np.flatnonzero(met[1:] != met[:-1])
    part = (goal - curve[steps]) / (curve[steps + 1] - curve[steps])
    places = np.concatenate([values[met], values[steps] + part * (values[steps + 1] - values[steps])])
    return float(places[np.abs(places - now).argmin()]) if places.size else float("nan")


# -- members -------------------------------------------------------------------------------------


def orders(race: Scenario, name: str, seed: int) -> dict[str, tuple[str, ...]]:
    """Return the members that can be won over, in the order in which they would be.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("minimal")
    >>> sorted(orders(race, race.names[0], seed=1))
    ['fewest members', 'waverers first']
    """
    plan, k = race.plan, race.names.index(name)
    blocks = played_blocks(plan, {}, k, seed, 0, BLOCKS * BLOCK)
    votes, present = (sum(getattr(block, name).sum(axis=1) for block in blocks) for name in ("intends", "present"))
    support = votes / np.maximum(present, 1)
    free = np.flatnonzero((plan.pins < 0) & (plan.absent[:, 0] < 1))
    members = race.electorate.frame["name"].to_numpy()
    ranks = {FEWEST: votes, WAVERERS: np.abs(support - 0.5)}
    return {order: tuple(members[free[np.argsort(rank[free], kind="stable")]]) for order, rank in ranks.items()}


def pin(race: Scenario, name: str, members: Sequence[str]) -> Scenario:
    """Return the scenario in which these members are won over for good."""
    return race.with_pinned(**{name: tuple(members)}) if members else race


def by_members(race: Scenario, name: str, order: tuple[str, tuple[str, ...]], goal: float, chances: Chances) -> Way:
    """Find how many members must be won over, in this order, by bisection on their number."""
    path, members = order

    @cache
    def chance(count: int) -> Interval:
        return chances(pin(race, name, members[:count]), {})[0]

    def needed(end: int) -> float:
        if not members or chance(len(members))[end] < goal:
            return float("nan")
        return bisect_left(range(len(members)), True, key=lambda count: chance(count)[end] >= goal)

    value, at_worst, at_best = (needed(end) for end in (0, 1, 2))
    who = () if np.isnan(value) else members[: int(value)]
    return Way(path, 0, value, at_best, at_worst, chance(len(members))[0], who)


# -- the result ----------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Paths(Result):
    """What would have to happen for a candidate to win with a given probability.

    Attributes
    ----------
    race : Scenario
        The base case.
    candidate : str
        Who is to win.
    probability : float
        How probably.
    base : (value, low, high)
        The chance now, with its Monte Carlo interval.
    seed, runs : int
        Seed of all scenarios, and runs of each.
    ways : tuple of Way
        What was tried; nothing if the candidate is there already.
    """

    race: Scenario
    candidate: str
    probability: float
    base: Interval
    seed: int
    runs: int
    ways: tuple[Way, ...]

    def table(self) -> pd.DataFrame:
        """Return one row per way.

        Returns
        -------
        DataFrame
            By way (a parameter's dotted path, or in which order members are won over): `now`, and
            the `value` needed, missing if none in range is enough (of members: how many); the value
            needed `at_best` and `at_worst`, if the true chance lies at the upper or the lower end
            of its Monte Carlo interval; the highest chance that the range `reaches`; the names of `members`, one
            after the other.
        """
        rows = {way.path: (*way[1:-1], ", ".join(way.members)) for way in self.ways}
        numbers = dict.fromkeys(Way._fields[1:-1], float)
        return frame(rows, [*numbers, "members"], "way").astype(numbers | {"members": str})

    def sentence(self) -> str:
        """Return the ways in words, and what is not enough."""
        now, goal = in_100(self.base.value), in_100(self.probability)
        if not self.ways:
            at = f"{self.candidate} is at {now} in 100 on the best guesses already"
            return f"Nothing is needed: {at}, and the goal is {goal}."
        found = [_words(self.race, way) for way in self.ways if not np.isnan(way.value)]
        short = [
            f"{_plain(self.race, way)} ({in_100(way.reaches)} at most)" for way in self.ways if np.isnan(way.value)
        ]
        not_enough = f" Not enough within the ranges: {', '.join(short)}." if short else ""
        if not found:
            nothing = (
                f"Nothing within the ranges puts {self.candidate} at {goal} in 100 on the best guesses (now {now})"
            )
            return f"{nothing}.{not_enough}"
        doubt = " The difference is within noise already." if self.base.high >= self.probability else ""
        to = f"To put {self.candidate} at {goal} in 100 on the best guesses (now {now})"
        return f"{to}: {'; or '.join(found)}.{doubt}{not_enough}"

    def _head(self) -> pd.DataFrame:
        table = self.table().round(3)
        return table.assign(members=[shorten(text, 60, placeholder=" ...") for text in table["members"]])


def _plain(race: Scenario, way: Way) -> str:
    return way.path if way.path in (FEWEST, WAVERERS) else describe_parameter(race, way.path)


def _words(race: Scenario, way: Way) -> str:
    worst = "beyond its range" if np.isnan(way.at_worst) else in_digits(way.at_worst)[0]
    span = f"{in_digits(way.at_best)[0]} to {worst}"
    if way.path in (FEWEST, WAVERERS):
        who = ", ".join(way.members[:NAMED]) + (", ..." if len(way.members) > NAMED else "")
        return f"{int(way.value)} won over, {way.path} ({span}): {who}"
    return f"{describe_parameter(race, way.path)} at {' instead of '.join(in_digits(way.value, way.now))} ({span})"
