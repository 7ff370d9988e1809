"""What every what-if shares: names of parameters, what is asked, many scenarios on the same random numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from iomsim.engine import spans
from iomsim.engine.clock import DAY, DAY_NAMES
from iomsim.engine.executors import spread
from iomsim.engine.progress import progress_bar
from iomsim.engine.rng import BLOCK
from iomsim.engine.spans import SPAN, Outcomes
from iomsim.errors import IomsimError, ScenarioError, unknown, whole_number
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.forecast import NO_WINNER
from iomsim.forecasting.run import fresh_seed
from iomsim.model.components import Behaviour, Clock
from iomsim.model.scenario import Scenario
from iomsim.typing import Flags, Floats

COLUMNS = SPAN * BLOCK
"""Runs played side by side."""

SPILL, ROUNDS = "spill", "rounds"

SPOKEN = {
    "absent": "absence",
    "cross_pressure_absence": "absence under cross-pressure",
    "abstain": "abstention",
    "common_sd": "spread of the common swing",
    "region_sd": "spread of regional swings",
    "conviction": "spread of convictions",
    "fluid": "chance of a fluid contest",
    "openness_fluid": "openness when fluid",
    "openness_entrenched": "openness when entrenched",
    "openness_inf": "openness in the long run",
    "decay": "decay of openness",
    "momentum_fluid": "momentum when fluid",
    "momentum_entrenched": "momentum when entrenched",
    "round_sd": "spread of swings between rounds",
    "overnight": "openness overnight",
    "concede_a": "readiness to concede",
    "concede_b": "reluctance to concede",
    "yes_own": "yes to the leader from its own voters",
    "yes_opponent_a": "readiness of opponents to say yes",
    "yes_opponent_b": "reluctance of opponents to say yes",
    "formalities": "minutes of formalities",
    "formalities_log_sd": "spread of the formalities' length",
    "round_minutes": "minutes a round",
    "round_log_sd": "spread of the rounds' length",
    "last_call": "minutes between last call and close",
    "sits_on": "chance of sitting on late",
    "consultation": "minutes of consultation",
}
"""Fields of the behaviour and the clock as readers of a chart would say them."""

Seen = dict[str, Floats]
"""What a what-if looks at, run by run: who won, nobody, spilling over (0 or 1), and the rounds held."""

# -- parameters ----------------------------------------------------------------------------------


def resolve(race: Scenario, name: str) -> str:
    """Return the dotted path of a parameter that an analyst calls by a short name.

    A sponsor means its strength, a candidate its appeal; fields of the behaviour and the clock
    need no prefix; and every name that tables and charts show is understood.

    Raises
    ------
    UnknownNameError
        If nothing is called so; the nearest name is given.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> resolve(race, "Washington"), resolve(race, "secrecy")
    ('sponsors.Washington.strength', 'behaviour.secrecy')
    """
    known = race.parameters()
    short = {plain(path): path for path in known}
    short |= {sponsor.name: f"sponsors.{sponsor.name}.strength" for sponsor in race.sponsors}
    short |= {name: f"candidates.{name}.appeal" for name in race.names}
    short |= {key: f"behaviour.{key}" for key in Behaviour.model_fields}
    short |= {key: f"clock.{key}" for key in Clock.model_fields if f"clock.{key}" in known}
    if name in known:
        return name
    if name not in short:
        raise unknown("parameter", name, [*short, *known])
    return short[name]


def plain(path: str) -> str:
    """Return a parameter's name as people say it.

    Examples
    --------
    >>> plain("sponsors.Washington.strength"), plain("ties.European Union.log_odds"), plain("behaviour.fluid")
    ("Washington's strength", "the tie 'European Union'", 'chance of a fluid contest')
    """
    head, _, rest = path.partition(".")
    if head == "ties":
        return f"the tie {rest.rpartition('.')[0]!r}"
    if head not in ("sponsors", "candidates"):
        return SPOKEN.get(rest, rest or head)
    name, _, what = rest.partition(".")
    what, _, selector = what.partition(".")
    return f"{name}'s {what} of {selector!r}" if selector else f"{name}'s {what}"


def ranges(
    race: Scenario, parameters: Iterable[str] | Mapping[str, Sequence[float]] | None
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
    out: dict[str, tuple[float, float]] = {}
    for name in parameters:
        path = resolve(race, name)
        own = (known[path].low, known[path].high)
        low, high = _ends(name, parameters[name]) if isinstance(parameters, Mapping) else own
        if path in out:
            raise ScenarioError(f"{name} is given twice ({path})")
        if low == high:
            raise ScenarioError(f"{name} has no range, it is always {low:g}; give one: {{{name!r}: (low, high)}}")
        if low > high:
            raise ScenarioError(f"the low of {name} must be below its high, got {low:g} and {high:g}")
        out[path] = (low, high)
    if not out:
        raise ScenarioError("no parameters were given; leave them out for all that have a range")
    return out


def _ends(name: str, values: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in values)
    except (TypeError, ValueError):
        raise ScenarioError(f"the range of {name} must be a pair (low, high), got {values!r}") from None
    return low, high


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


def spills(race: Scenario, out: Outcomes) -> Flags:
    """Return in which runs voting goes on on the next day with a sitting, or is never over."""
    return (out.minute < 0) | (out.minute >= race.clock.calendar().next_day * DAY)


def seen(race: Scenario, out: Outcomes) -> Seen:
    """Return, run by run, who won, whether voting spilled over, and the rounds held."""
    targets(race)
    columns = {name: out.winner == k for k, name in enumerate(race.names)}
    columns[NO_WINNER] = out.winner < 0
    columns[SPILL] = spills(race, out)
    return {name: values.astype(float) for name, values in (columns | {ROUNDS: out.rounds}).items()}


# -- playing -------------------------------------------------------------------------------------


def watched(
    races: Sequence[Scenario], runs: int, seed: int, executor: Any = None, progress: bool = False
) -> list[Seen]:
    """Play many scenarios on the same random numbers and bring back what a what-if looks at.

    Scenarios that can share their rounds are played together; the work is cut into calls of about
    `COLUMNS` runs, which an executor may spread.
    """
    sizes = spans.portions(runs, COLUMNS)
    step = max(1, COLUMNS // sizes[0])
    groups = spans.alike([spans.plan_of(race) for race in races])
    calls = [
        (group[i : i + step], first * COLUMNS // BLOCK, size)
        for group in groups
        for i in range(0, len(group), step)
        for first, size in enumerate(sizes)
    ]
    cells, firsts, counts = (list(part) for part in zip(*calls, strict=True))
    work = [tuple(races[i] for i in group) for group in cells]
    done = spread(executor, watch, work, [seed] * len(calls), firsts, counts)
    parts: list[list[Seen]] = [[] for _ in races]
    with progress_bar(runs * len(races), progress) as advance:
        for group, size, played in zip(cells, counts, done, strict=True):
            for cell, part in zip(group, played, strict=True):
                parts[cell].append(part)
            advance(len(group) * size)
    return [{name: np.concatenate([part[name] for part in pieces]) for name in pieces[0]} for pieces in parts]


def watch(races: Sequence[Scenario], seed: int, first: int, size: int) -> list[Seen]:
    """Play the same runs of several scenarios: the unit of work that travels to executors."""
    played = spans.play_cells(races, seed, first, size)
    return [seen(race, out) for race, out in zip(races, played, strict=True)]


def seed_and_runs(seed: int | None, runs: int, at_least: int = 2) -> tuple[int, int]:
    """Return a seed, a fresh one if none is given, and the checked number of runs."""
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    return seed, whole_number("runs", runs, at_least)
