"""The assumptions as draws: every uncertain parameter of a scenario, its level and the reading of its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine import paths
from iomsim.engine.plan import Plan
from iomsim.engine.rng import assumption_uniforms
from iomsim.errors import IomsimError, ScenarioError, quote, whole_number
from iomsim.house_style import thousands
from iomsim.model.description import Description, appeals, reachable_levels
from iomsim.model.links import quantile
from iomsim.rules.procedure import Procedure
from iomsim.typing import Floats, Longs

DRAWS = 400
"""Draws of the assumptions."""

DRAWS_AT_MOST = 100_000
"""Draws beyond which they take more memory and time than their runs."""

LEFT = 0.1
"""Part of what stated levels leave to the other candidates that drawn levels always leave them."""

OFTEN = 0.25
"""Chance that the chair sits on late from which on rounds may wait for that: forty of them are held within the year."""

READINGS = "readings"
"""The path of the reading of the rules."""


@dataclass(frozen=True, eq=False)
class Assumptions:
    """Draws of what a scenario is unsure of; C draws.

    Attributes
    ----------
    values : dict of ndarray, shape (C,)
        The parameters that vary, by path; of a scenario with a level, the level.
    reading : ndarray of int, shape (C,)
        The reading of the rules that each follows, by its number.
    readings : tuple of Procedure
        The readings.
    parameters : dict of ndarray, shape (C,)
        What the engine plays: the same, with the appeals that give the level.
    """

    values: Mapping[str, Floats]
    reading: Longs
    readings: tuple[Procedure, ...]
    parameters: Mapping[str, Floats]

    @property
    def count(self) -> int:
        """How many draws there are."""
        return self.reading.size

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a draw: the value of every parameter that varies, by path, and the reading of the rules, by name."""
        names = [rules.name for rules in self.readings]
        columns = {**self.values, "reading": pd.Categorical.from_codes(self.reading, names)}
        return pd.DataFrame(columns, index=pd.RangeIndex(self.count, name="draw"))

    def under(self, rules: Procedure) -> Assumptions:
        """Return the same draws, all of them under one reading."""
        return replace(self, readings=(rules,), reading=np.zeros_like(self.reading))

    def plan(self, race: Description) -> Plan:
        """Return the plan of the race with one column a draw, under all readings."""
        return played(race).at(self.parameters)


def played(race: Description) -> Plan:
    """Return the plan of a race with all its readings; which is followed is a parameter."""
    if not race.readings:
        return race.plan
    first = race.procedures.index(race.rules)
    plan = race.plan
    return replace(plan, readings=race.procedures, values={**plan.values, READINGS: float(first)})


def drawn(race: Description, seed: int, assumptions: int | str) -> Assumptions | None:
    """Return the draws of the assumptions that are asked for; None if they are fixed.

    Raises
    ------
    IomsimError
        If it is neither a number of draws nor "fixed".
    """
    if isinstance(assumptions, str):
        if assumptions != "fixed":
            raise IomsimError(f"assumptions must be a number of draws, or 'fixed', got {quote(assumptions)}")
        return None
    draws = whole_number("assumptions", assumptions, 1)
    if draws > DRAWS_AT_MOST:
        raise IomsimError(f"assumptions must be at most {thousands(DRAWS_AT_MOST)} draws, got {thousands(draws)}")
    return draw_assumptions(race, seed, draws)


def draw_assumptions(race: Description, seed: int, count: int) -> Assumptions:
    """Draw the assumptions of a scenario.

    Draw `c` of a parameter depends on the seed, `c` and the parameter's path only, so that a parameter more, or
    another range, moves no other draw.  They are drawn as the ranges say (two-piece normal laws: see
    :func:`iomsim.model.links.quantile`), the reading by the weights; the appeals of a scenario with a level are
    solved for every draw.

    Ranges are stated one by one, so that a draw may hold what no election is played with.  Then

    * levels of several candidates that leave too little to the others are made smaller together;
    * a level that the pinned members put out of reach is moved into it (:func:`iomsim.engine.balance.within_reach`);
      where all members stay away, it is that of how they would vote;
    * a last call longer than any sitting is cut to the longest;
    * a member whose weights add up to less than 0 is not exposed to the sponsor, and where all weights are 0 there is
      no pressure (:attr:`iomsim.engine.plan.Plan.exposure`).

    Examples
    --------
    >>> import iomsim as iom
    >>> draws = draw_assumptions(iom.load("minimal"), seed=1, count=4)
    >>> draws.count, round(float(np.median(draws.values["behaviour.secrecy"])), 1)
    (4, 0.4)
    """
    return _cached(_Drawn(race), seed, count)


class _Drawn:
    """A race as a key of what was drawn for it."""

    def __init__(self, race: Description) -> None:
        self.race, self.key = race, (race.hash, race.procedures)  # readings by their names, which the hash leaves out

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drawn) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=16)
def _cached(key: _Drawn, seed: int, count: int) -> Assumptions:
    race = key.race
    values = _values(race, seed, count)
    reading = np.zeros(count, dtype=np.intp)
    parameters: dict[str, Any] = dict(values)
    if race.readings:
        upper = np.cumsum([part.weight for part in race.readings])
        u = assumption_uniforms(seed, READINGS, count)
        reading = np.minimum(np.searchsorted(upper, u, side="right"), len(upper) - 1)
        parameters[READINGS] = reading.astype(float)
    if race.level:
        then = values if race.held is None else _values(race._levelled, seed, count)
        try:
            parameters |= appeals(race, then)
        except ScenarioError:
            away = [path for path in map(paths.behaviour, ("absent", "abstain", "stray")) if path in then]
            then = then | {path: np.where(then[path] < 1.0, then[path], 0.0) for path in away}
            moved = reachable_levels(race, then)
            values, parameters = values | moved, parameters | moved | appeals(race, then | moved)
    for array in (reading, *values.values(), *parameters.values()):
        array.setflags(write=False)
    return Assumptions(values, reading, race.procedures, parameters)


def _values(race: Description, seed: int, count: int) -> dict[str, Floats]:
    """Return the draws of the parameters that vary, by path, as far as an election can be played with them."""
    drawn = {
        path: quantile(parameter.quantity, parameter.bounds, assumption_uniforms(seed, path, count))
        for path, parameter in race._parameters.items()
        if parameter.quantity.low < parameter.quantity.high
    }
    return {**drawn, **_shares(race, drawn), **_sittings(race, drawn)}


def _shares(race: Description, drawn: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return drawn levels of several candidates, made smaller together where they leave too little to the others."""
    stated = {paths.level(name): share.value for name, share in race.level.items()}
    varied = [path for path in stated if path in drawn]
    if len(stated) < 2 or not varied:
        return {}
    fixed = sum(value for path, value in stated.items() if path not in drawn)
    most = 1.0 - LEFT * (1.0 - sum(stated.values())) - fixed
    total = np.sum([drawn[path] for path in varied], axis=0)
    return {path: drawn[path] * np.minimum(1.0, most / total) for path in varied}


def _sittings(race: Description, drawn: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the last call cut to the longest sitting, if a draw is longer: with that no round would ever start.

    The hours for which the chair may sit on late count where it does so often enough that rounds start now and then.
    """
    call, late = (paths.clock(field) for field in ("last_call", "sits_on"))
    usual, longest = race.plan.calendar.longest
    last_call, sits_on = (drawn.get(path, np.asarray(race.plan.values[path])) for path in (call, late))
    limit = np.where(sits_on >= OFTEN, longest, usual)
    return {call: np.minimum(last_call, limit)} if (last_call > limit).any() and {call, late} & drawn.keys() else {}


def completed(race: Description, values: Mapping[str, Any], together: bool = False) -> dict[str, Any]:
    """Return values of parameters as the engine takes them: where the level is moved, with the appeals that give it.

    Other parameters are moved with the appeals held at what they are, as what-ifs do; `together`, the appeals are
    solved for all the values of a point, as they are for a draw of the assumptions.
    """
    level = {path: value for path, value in values.items() if paths.head(path) == paths.LEVEL}
    if together and race.level and race.held is None:
        level = dict(values)
    return {**values, **(appeals(race, level) if level else {})}
