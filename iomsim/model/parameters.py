"""Parameters by name: the names that analysts type, those that charts show, and their ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from iomsim.engine import paths
from iomsim.errors import ScenarioError, quote, unknown
from iomsim.model.clock import Clock
from iomsim.model.components import Behaviour
from iomsim.model.description import Description, appeals
from iomsim.typing import Floats


def resolve(race: Description, name: str) -> str:
    """Return the dotted path of a parameter that an analyst calls by a short name.

    A sponsor means its strength, a candidate its appeal, or its level if that is stated instead; fields
    of the behaviour and the clock need no prefix; and every name that tables and charts show is understood.

    Raises
    ------
    UnknownNameError
        If nothing is called so; the nearest name is given.
    ScenarioError
        If several parameters are called so, such as those of a candidate and of a sponsor of the same name.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> resolve(race, "Washington"), resolve(race, "secrecy")
    ('sponsors.Washington.strength', 'behaviour.secrecy')
    """
    known = race._parameters
    if not isinstance(name, str):
        raise ScenarioError(f"a parameter is called by its name, got {quote(name)}")
    if name in known:
        return name
    called = [(parameter.label, path) for path, parameter in known.items()]
    called += [(sponsor.name, paths.strength(sponsor.name)) for sponsor in race.sponsors]
    called += [(candidate, path(candidate)) for candidate in race.names for path in (paths.appeal, paths.level)]
    called += [(field, paths.behaviour(field)) for field in Behaviour.model_fields]
    called += [(field, paths.clock(field)) for field in Clock.model_fields]
    meant = list(dict.fromkeys(path for short, path in called if short == name and path in known))
    if not meant:
        raise unknown("parameter", name, [*dict.fromkeys(short for short, path in called if path in known), *known])
    if len(meant) > 1:
        raise ScenarioError(f"{quote(name)} can mean {' or '.join(meant)}; write which")
    return meant[0]


def describe_parameter(race: Description, path: str) -> str:
    """Return what readers of a chart call a parameter; what is none keeps its name.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> describe_parameter(race, "sponsors.Washington.strength"), describe_parameter(race, "behaviour.fluid")
    ("Washington's strength", 'chance of a fluid contest')
    """
    return race._parameters[path].label if path in race._parameters else path


def ranges(
    race: Description, parameters: Iterable[str] | Mapping[str, Sequence[float]] | None
) -> dict[str, tuple[float, float]]:
    """Return low and high by dotted path: the scenario's own, or those given.

    Parameters
    ----------
    race : Scenario
        Whose parameters.
    parameters : iterable of str, mapping of str to (low, high), or None
        Names; names with other ranges; or None for all that have a range.

    Raises
    ------
    ScenarioError
        If a parameter has no range, or its low is not below its high.

    Examples
    --------
    >>> import iomsim as iom
    >>> ranges(iom.load("geneva-2023"), {"Washington": (0, 1)})
    {'sponsors.Washington.strength': (0.0, 1.0)}
    """
    known = race.parameters()
    if parameters is None:
        return {path: (q.low, q.high) for path, q in known.items() if q.low < q.high}
    if isinstance(parameters, str):
        parameters = [parameters]
    if not isinstance(parameters, Iterable):
        raise ScenarioError(f"parameters must be a list of names, got {quote(parameters)}")
    out: dict[str, tuple[float, float]] = {}
    for name in parameters:
        path = resolve(race, name)
        given = parameters[name] if isinstance(parameters, Mapping) else (known[path].low, known[path].high)
        try:
            low, high = map(float, given)
        except (TypeError, ValueError):
            raise ScenarioError(f"the range of {name} must be a pair (low, high), got {quote(given)}") from None
        if path in out:
            raise ScenarioError(f"{name} is given twice ({path})")
        if low == high:
            raise ScenarioError(f"{name} has no range and is always {low:g}; give one: {{{quote(name)}: (low, high)}}")
        if low > high:
            raise ScenarioError(f"the low of {name} must be below its high, got {low:g} and {high:g}")
        out[path] = (low, high)
    if not out:
        raise ScenarioError("no parameters were given; leave them out for all that have a range")
    return out


def check_values(race: Description, values: Mapping[str, Any]) -> None:
    """Refuse values that a description would refuse: one sentence, as for the description itself.

    Parameters
    ----------
    race : Scenario
        Whose parameters.
    values : mapping of float or array_like, by dotted path
        The values to take; of several paths, entry by entry together.

    Raises
    ------
    UnknownNameError
        If there is no such parameter; the nearest path is named.
    ScenarioError
        If a value is not possible.

    Examples
    --------
    >>> import iomsim as iom
    >>> check_values(iom.load("minimal"), {"behaviour.secrecy": [0.5, 1.5]})
    Traceback (most recent call last):
    iomsim.errors.ScenarioError: An election of your own: behaviour.secrecy must be between 0 and 1, got 1.5
    """
    known = race._parameters
    for path, given in values.items():
        if path not in known:
            raise unknown("parameter", path, known)
        array = np.atleast_1d(_numbers(path, given))
        wrong = array[~np.isfinite(array)]
        if wrong.size:
            raise ScenarioError(f"{path} must be a finite number, got {wrong[0]}")
        bounds = known[path].bounds
        wrong = array[~bounds.fit(array)]
        if wrong.size:
            raise ScenarioError(f"{race.title}: {path} must be {bounds.words}, got {wrong[0]:g}")
    changed = race.plan.at({path: np.ravel(_numbers(path, given)) for path, given in values.items()})
    where = f"{race.title}: clock"
    try:
        changed.calendar.check(changed.pace)
        where = race.title
        _check_level(race, {path: given for path, given in values.items() if paths.head(path) == paths.LEVEL})
        changed.check_exposure()
    except ScenarioError as error:
        raise ScenarioError(f"{where}: {error}") from None


def _numbers(path: str, given: Any) -> Floats:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise ScenarioError(f"{path} must be a finite number, got {quote(given)}") from None


def _check_level(race: Description, given: Mapping[str, Any]) -> None:
    """Refuse levels that no appeals give: the least of each, and those that leave least to the others, decide."""
    if given:
        rows = np.broadcast_arrays(*(np.ravel(np.asarray(values, dtype=float)) for values in given.values()))
        for place in sorted({*(int(np.argmin(row)) for row in rows), int(np.argmax(np.sum(rows, axis=0)))}):
            appeals(race, {path: float(row[place]) for path, row in zip(given, rows, strict=True)})
