"""Which assumptions the answer hangs on, one at a time, the others on the best guesses.

`Forecast.drivers` answers the same over all that is unsure, from the runs already played; a tornado is for ranges of
one's own, and for what a single number is worth when all else is as guessed.

A tornado says what an assumption is worth to the answer, not what could be learnt about it.  From
one election's tallies one can learn the net level and, in a long deadlock, the floor of openness;
one cannot separate one sponsor's strength from another's or from secrecy, and regional shocks and
switching back and forth leave no trace in the totals.  The pull of each sponsor stays an assumption.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.executors import progress_bar
from iomsim.errors import IomsimError
from iomsim.forecasting.drivers import end_in_words, ends_apart
from iomsim.forecasting.estimates import Interval, level_with_first, wilson
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.result import Result, frame
from iomsim.forecasting.targets import ROUNDS, SPILL, checked_target, format_value, next_weekday
from iomsim.house_style import some_of, thousands
from iomsim.model.bodies import siblings
from iomsim.model.parameters import describe_parameter, ranges
from iomsim.model.scenario import Scenario, described
from iomsim.rules.procedure import Procedure
from iomsim.sensitivity.paired import is_clear, mean_interval, paired_interval, seed_and_runs, simulate_points
from iomsim.typing import Floats

RULES = "rules"
"""The row of the readings of the rules."""

DEFAULT_RUNS = 4_000


def tornado(
    race: Scenario | Forecast,
    target: str | None = None,
    *,
    parameters: Iterable[str] | Mapping[str, Sequence[float]] | None = None,
    rules: bool = True,
    runs: int | None = None,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Tornado:
    """Move each parameter from its low to its high, one at a time, on common random numbers.

    All others stay on the best guesses, and so does the base: it is not the chance of a forecast, which is over all
    that is unsure.  Where a scenario states its level, other parameters are moved with the appeals held; only the
    level itself moves them.

    Parameters
    ----------
    race : Scenario or Forecast
        The base case.  Of a forecast its election is moved, on its random numbers.
    target : str, optional
        A candidate's win (default: the first's), "no winner", "spill" (or the weekday it means,
        such as "Tuesday") or "rounds" (their mean).  All are played at once: the result answers
        for any of them.
    parameters : sequence of str, or mapping of str to (low, high), optional
        Which parameters, by short name or dotted path, over their own range or the one given;
        default: all that have a range.
    rules : bool, default True
        Add a row for the readings of the rules, if there are several, from the lowest to the highest: those that the
        scenario weighs, else those of its body.
    runs : int, default 4_000
        Runs of each scenario; by default no more than a forecast has.
    seed : int, optional
        The seed of all; None draws one, or takes the forecast's.
    executor : object with ``map`` or ``submit``, optional
        Where scenarios are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Tornado

    Raises
    ------
    UnknownNameError
        If there is no such parameter or target; the nearest name is given.
    ScenarioError
        If a parameter has no range, or its low is not below its high.
    IomsimError
        If the forecast knows announced rounds: the tallies bind the assumptions behind it, which
        cannot be moved one by one.

    Examples
    --------
    >>> import iomsim as iom
    >>> bars = iom.tornado(iom.load("minimal"), parameters=["secrecy", "fluid"], rules=False, runs=200, seed=1)
    >>> sorted(bars.table().index)
    ['behaviour.fluid', 'behaviour.secrecy']
    """
    fc = race if isinstance(race, Forecast) else None
    case = described("tornado", fc.race if fc else race)
    if fc:
        if fc.announced or fc.certain:
            raise IomsimError(
                "the assumptions of a forecast that knows announced rounds cannot be moved one by one; "
                "ask what it hangs on, fc.drivers(), or for the tornado of its scenario: iomsim.tornado(fc.race)"
            )
        seed = fc.seed if seed is None else seed
        runs = min(len(fc), DEFAULT_RUNS) if runs is None else runs
    target = checked_target(case, target)
    seed, runs = seed_and_runs(seed, DEFAULT_RUNS if runs is None else runs)
    over = ranges(case, parameters)
    readings = _readings(case) if rules else {}
    names = list(readings)
    cases = [(case, _design(case, over)), *((case.with_rules(reading), {}) for reading in readings.values())]
    with progress_bar(runs * (1 + 2 * len(over) + len(names)), progress) as advance:
        base, *others = simulate_points(cases, runs, seed, executor, advance)
    changes = [{key: paired_interval(base[key], other[key]) for key in base} for other in others]
    bars: dict[str, dict[float | str, dict[str, Interval]]] = {
        path: dict(zip(ends, changes[2 * i : 2 * i + 2], strict=True)) for i, (path, ends) in enumerate(over.items())
    }
    if names:
        bars[RULES] = dict(zip(names, changes[2 * len(over) :], strict=True))
    means = {key: mean_interval(values) for key, values in base.items()}
    return Tornado(case, target, seed, runs, means, bars)


def _readings(race: Scenario) -> dict[str, Procedure]:
    """Return the readings that are weighed, or those of the body, and own rules that are none; nothing if it is one."""
    if race.readings:
        return {part.name: part.rules for part in race.readings}
    known = dict(siblings(race.rules, race.body))
    own = {} if race.rules in known.values() else {race.rules.name: race.rules}
    return own | known if len(own | known) > 1 else {}


def _design(race: Scenario, over: Mapping[str, tuple[float, float]]) -> dict[str, Floats]:
    """Return the points: the base, then the low and the high of one parameter after the other."""
    known = race.parameters()
    points = {path: np.full(1 + 2 * len(over), known[path].value) for path in over}
    for i, (path, ends) in enumerate(over.items()):
        points[path][1 + 2 * i : 3 + 2 * i] = ends
    return points


@dataclass(frozen=True, repr=False)
class Tornado(Result):
    """Which assumptions the answer hangs on, one at a time.

    Attributes
    ----------
    race : Scenario
        The base case.
    target : str
        What was asked for.
    seed, runs : int
        Seed of all scenarios, and runs of each.
    base : dict
        By target: the mean on the best guesses with its 95 % Monte Carlo interval.
    bars : dict
        By parameter (dotted path; "rules"), value and target: the paired change against the base
        with its 95 % Monte Carlo interval.
    """

    race: Scenario
    target: str
    seed: int
    runs: int
    base: dict[str, Interval]
    bars: dict[str, dict[float | str, dict[str, Interval]]]

    EACH = "an end"

    def table(self, target: str | None = None) -> pd.DataFrame:
        """Return one row per parameter, the widest first.

        Parameters
        ----------
        target : str, optional
            Another target than the one asked for.

        Returns
        -------
        DataFrame
            By parameter: its low and high, `value_low` and `value_high`, or of the rules the readings with the lowest
            and the highest target, `reading_low` and `reading_high` (categories); the target there, `at_low` and
            `at_high`, each with the ends of the paired interval of the change against the base (`_from`, `_to`), laid
            off from the base; the `range` of the three; and `clear`, False where neither end can be told from the
            base.  One in twenty parameters that do nothing would look clear by luck; those that
            cannot do anything change no run at all.
        """
        target = self._target(target)
        rows = {name: self._row(ends, target) for name, ends in self.bars.items()}
        columns = ["low", "high"]
        columns += [f"at_{end}{part}" for end in columns for part in ("", "_from", "_to")] + ["range", "clear"]
        table = ends_apart(frame(rows, columns, "parameter"))
        return table.sort_values("range", ascending=False, kind="stable")

    def _row(self, ends: dict[float | str, dict[str, Interval]], target: str) -> tuple[Any, ...]:
        """Return a parameter's row; of the readings of the rules those with the lowest and the highest target."""
        values = list(ends)
        if isinstance(values[0], str):
            values.sort(key=lambda value: ends[value][target].value)
        low, high = (ends[value][target] for value in (values[0], values[-1]))
        width = max(low.value, high.value, 0.0) - min(low.value, high.value, 0.0)
        at = [self._laid_off(x, target) for change in (low, high) for x in change]
        return (values[0], values[-1], *at, width, is_clear(low) or is_clear(high))

    def _laid_off(self, change: float, target: str) -> float:
        """Return the target after a change, inside [0, 1] if it is a probability."""
        value = self.base[target].value + change
        return value if target == ROUNDS else min(max(value, 0.0), 1.0)

    def rule_sets(self, target: str | None = None) -> pd.DataFrame:
        """Return each reading's target (`value`), its paired `change` against the base, and the `change_error`."""
        target = self._target(target)
        rows = {
            name: (self._laid_off(x[target].value, target), x[target].value, (x[target].high - x[target].low) / 2)
            for name, x in self.bars.get(RULES, {}).items()
        }
        return frame(rows, ["value", "change", "change_error"], RULES)

    def span(self, target: str | None = None) -> tuple[float, float]:
        """Return the lowest and the highest value of the target, in the base case or with any one assumption moved."""
        target = self._target(target)
        changes = [0.0, *(change[target].value for ends in self.bars.values() for change in ends.values())]
        return self._laid_off(min(changes), target), self._laid_off(max(changes), target)

    def _target(self, target: str | None) -> str:
        return self.target if target is None else checked_target(self.race, target)

    def widest(self, target: str | None = None) -> list[str]:
        """Return the parameter with the widest bar of those clear of noise, and those that cannot be told from it."""
        table = self.table(target)
        table = table[table["clear"]]
        half = [table[f"at_{end}_to"] - table[f"at_{end}_from"] for end in ("low", "high")]
        alike = level_with_first(table["range"], np.hypot(*half) / 2)
        return [str(path) for path in table.index[alike]]

    def in_words(self) -> pd.DataFrame:
        """Return the parameters that are clear of noise as readers are shown them, the widest first, by their names."""
        table = self.table()
        table = table[table["clear"].astype(bool)]
        told = {end: [end_in_words(row, end) for _, row in table.iterrows()] for end in ("low", "high")}
        for end in ("low", "high"):
            told[f"at {end}"] = [self.say(x, self.target) for x in table[f"at_{end}"]]
        return pd.DataFrame(told, index=[self.name(path) for path in table.index])

    def _head(self) -> pd.DataFrame:
        return self.in_words()

    # -- sentences --------------------------------------------------------------------------

    def name(self, path: str) -> str:
        """Return what readers call a parameter, or the rules."""
        return "the rules" if path == RULES else describe_parameter(self.race, path)

    def say(self, value: float, target: str) -> str:
        """Return a value of a target in words, with no more digits than so many runs support."""
        low, high = (0.0, 0.0) if target == ROUNDS else wilson(value * self.runs, self.runs)
        return format_value(value, target, float(high - low) / 2)

    def sentence(self, target: str | None = None) -> str:
        """Return the span and the assumption that matters most, in words."""
        target = self._target(target)
        beginning = "Over the ranges of the assumptions, one at a time and the others on the best guesses"
        return f"{beginning}, {self.clause(target)}."

    def clause(self, target: str) -> str:
        """Return what the assumptions do to one target, without a beginning and an end."""
        what = {ROUNDS: "the mean number of rounds", SPILL: f"voting runs into {next_weekday(self.race)} in"}
        low, high = (self.say(x, target) for x in self.span(target))
        unit = "" if target == ROUNDS else " of 100 elections"
        start = what.get(target, "there is no winner in" if target not in self.race.names else f"{target} wins in")
        start += " lies between" if target == ROUNDS else ""
        joint = "and" if target == ROUNDS else "to"
        base = self.say(self.base[target].value, target)
        return f"{start} {low} {joint} {high}{unit} (base {base}); {self._most(target)}"

    def _most(self, target: str) -> str:
        """Return the assumption that moves the target most, with its ends."""
        table, widest = self.table(target), self.widest(target)
        if not widest:
            return f"no single assumption moves it beyond the noise of {thousands(self.runs)} runs"
        if len(widest) > 1:
            return f"what matters most may be {some_of([self.name(path) for path in widest])}"
        top = table.loc[widest[0]]
        said = (f"{end_in_words(top, end)}: {self.say(top[f'at_{end}'], target)}" for end in ("low", "high"))
        return f"what matters most is {self.name(widest[0])} ({', '.join(said)})"
