"""Which assumption matters, from the runs that have been played: shares of the variance, and a curve for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import IomsimError, quote, whole_number
from iomsim.forecasting.effects import Answers, Effects, effects
from iomsim.forecasting.estimates import Z95, in_100, level_with_first, row_in_100
from iomsim.forecasting.result import Result
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING, Tables, excluded
from iomsim.forecasting.targets import ROUNDS, SPILL, checked_target, describe_target, format_value, next_weekday
from iomsim.house_style import capital, percent, some_of
from iomsim.model.parameters import describe_parameter, resolve
from iomsim.model.quantities import in_digits
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Places

READING = "reading"
"""The column of the readings of the rules."""

RULES = "the rules"
"""What readers call it."""

EDGE = 0.02
"""Part of the draws beyond each end of a curve."""

Event = Callable[[pd.DataFrame], Any]
"""Of the table of runs: yes or no, or a number, for each of them."""


def drivers(fc: Tables, target: str | Event | None = None) -> Drivers:
    """Return what an answer hangs on: see :meth:`iomsim.Forecast.drivers`."""
    if fc.draws is None:
        raise IomsimError(
            "this forecast played the best guesses, which say nothing about the assumptions; "
            "make it with assumptions=400 to see what matters"
        )
    if callable(target):
        return _found(fc, EVENT, *_of_runs(fc, target))
    name = str(target) if target in (NOBODY, STILL_VOTING) else checked_target(fc.race, target)
    if name not in fc._found:
        fc._found[name] = _found(fc, name, _subject(fc, name), _of_ends(fc, name))
    known: Drivers = fc._found[name]
    return known


def _found(fc: Tables, name: str, subject: str, answers: Answers) -> Drivers:
    draws = fc.assumptions
    table = draws.drop(columns=[READING] * (draws[READING].nunique() == 1))
    prior = not fc.events and not fc.announced
    found = effects(answers, table, independent=prior)
    return Drivers(fc.race, name, fc.seed, len(fc), fc, found, table[answers.drawn], subject, prior)


# -- what is asked -------------------------------------------------------------------------------

EVENT = "event"
"""The target that is a function of the runs."""


def _subject(fc: Tables, target: str) -> str:
    """Return what a target measures, as the subject of a sentence."""
    words = {
        SPILL: next_weekday(fc.race),
        NOBODY: "the chance that nobody is elected",
        STILL_VOTING: f"the chance of still voting after {fc.race.rules.max_rounds} rounds",
    }
    return words.get(target) or describe_target(fc.race, target)


def _of_ends(fc: Tables, target: str) -> Answers:
    """Return what the draws came to, from the counts of how runs ended."""
    ends = fc.summary.ends
    if target == ROUNDS:
        rounds, weight = ends["rounds"].to_numpy(dtype=float), ends["count"].to_numpy(dtype=float)
        sums, squares = (np.bincount(ends["draw"], weight * x, fc.summary.draws) for x in (rounds, rounds**2))
        return Answers.of(sums, fc.summary.runs_of_draws, squares, _sources(fc))
    return Answers.of(*fc.summary.by_draw(_where(fc, target)), source=_sources(fc))


def _sources(fc: Tables) -> Places | None:
    """Return which draws are of the same parameters: after announcements one may go on under several readings."""
    if fc.draws is None or not fc.events or not fc.draws.values:
        return None
    return np.unique(np.stack(list(fc.draws.values.values())), axis=1, return_inverse=True)[1].ravel()


def _where(fc: Tables, target: str) -> pd.Series:
    """Return which of the summary's ends are those of an event."""
    ends = fc.summary.ends
    if target in fc.race.names:
        return ends["winner"] == fc.race.names.index(target)
    if target == SPILL:
        return fc.runs_into(fc.next_day)
    codes = {NOBODY: ["failed"], STILL_VOTING: ["open"], NO_WINNER: ["failed", "open"]}[target]
    return ends["ending"].isin([ENDINGS.index(code) for code in codes])


def _of_runs(fc: Tables, event: Event) -> tuple[str, Answers]:
    """Return what a function of the runs measures, and what the draws came to, run by run."""
    runs = fc.runs
    values = np.asarray(event(runs))
    if values.shape != (len(runs),) or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise IomsimError(
            f"an event says yes or no, or a number, of each of the {len(runs)} runs; "
            'for instance lambda runs: runs["rounds"] > 5'
        )
    values = values.astype(float)
    draw, size = runs["draw"].to_numpy(), fc.summary.draws
    sums, squares = (np.bincount(draw, part, size) for part in (values, values**2))
    name = getattr(event, "__name__", "")
    subject = f"{quote(name.replace('_', ' '))}" if name.isidentifier() else "what was asked"
    kind = "chance" if np.isin(values, (0, 1)).all() else "mean"
    return f"the {kind} of {subject}", Answers.of(sums, np.bincount(draw, minlength=size), squares, _sources(fc))


# -- ends of ranges: numbers, or readings of the rules ----------------------------------------------


def ends_apart(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose `low` and `high`, numbers and readings of the rules, are columns of one kind each.

    Examples
    --------
    >>> ends_apart(pd.DataFrame({"low": [0.5, "strict"], "high": [1.5, "open"], "clear": True}))
       value_low  value_high reading_low reading_high  clear
    0        0.5         1.5         NaN          NaN   True
    1        NaN         NaN      strict         open   True
    """
    ends, rest = table[["low", "high"]], table.drop(columns=["low", "high"])
    numbers = ends.map(lambda end: np.nan if isinstance(end, str) else end).astype(float).add_prefix("value_")
    readings = ends.map(lambda end: end if isinstance(end, str) else None).astype("category").add_prefix("reading_")
    return pd.concat([numbers, readings, rest], axis=1)


def end_in_words(row: pd.Series, end: str) -> str:
    """Return the low or the high of an assumption as it is told: a number in digits, or the name of a reading."""
    value, reading = row[f"value_{end}"], row[f"reading_{end}"]
    return str(reading) if np.isnan(value) else in_digits(value)[0]


# -- the answer ----------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False, eq=False)
class Drivers(Result):
    """Which assumption matters.

    Attributes
    ----------
    race : Scenario
        The election.
    target : str
        What was asked for; "event" if it was a function of the runs.
    seed, runs : int
        Those of the forecast.
    forecast : Forecast
        The forecast itself.
    effects : Effects
        What every assumption does.
    assumptions : DataFrame
        The draws that have runs, one row each.
    subject : str
        What was asked for, in words.
    prior : bool
        Nothing was announced: draws are those of the scenario's ranges, independent of one another.
    """

    race: Scenario
    target: str
    seed: int
    runs: int
    forecast: Tables
    effects: Effects
    assumptions: pd.DataFrame
    subject: str
    prior: bool

    def table(self) -> pd.DataFrame:
        """Return one row for each assumption, the weightiest first; what is not clear of noise comes last.

        Returns
        -------
        DataFrame
            By parameter ("reading" for the rules): its `name` in words; `share`, the part of the variance of the
            chance over the assumptions that it explains by itself, with its standard error, `share_error` (estimates
            near 0 may fall below it); `clear`, False where it cannot be told from noise (of all that do nothing,
            however many, one is called clear in one forecast of twenty); its 10 % and 90 % points, `value_low` and
            `value_high`, or of the rules the readings with the lowest and the highest chance, `reading_low` and
            `reading_high` (categories); and the chance there, `at_low` and `at_high`.
        """
        return self._table.copy()

    @cached_property
    def _table(self) -> pd.DataFrame:
        shares = self.effects.shares
        ends = {path: self._ends(path) for path in shares.index}
        out = pd.DataFrame(list(ends.values()), index=list(ends), columns=["low", "high", "at_low", "at_high"])
        out = pd.concat([shares.rename(columns={"error": "share_error"}), ends_apart(out)], axis=1)
        out.insert(0, "name", [self.name(path) for path in out.index])
        return out.rename_axis("parameter").sort_values(["clear", "share"], ascending=False, kind="stable")

    def _ends(self, path: str) -> tuple[Any, Any, float, float]:
        """Return the low and the high of an assumption, and the target there."""
        if path == READING:
            chances = self.curve(path)["chance"]
            low, high = chances.idxmin(), chances.idxmax()
            return low, high, float(chances[low]), float(chances[high])
        ends = self._quantiles(path, [0.1, 0.9])
        at_low, at_high = self._possible(self.effects.curve(path, ends)["value"])
        stated = self.race.parameters().get(path) if self.prior else None
        low, high = ends if stated is None else (stated.low, stated.high)
        return low, high, float(at_low), float(at_high)

    def name(self, path: str) -> str:
        """Return what readers call an assumption."""
        return RULES if path == READING else describe_parameter(self.race, path)

    def curve(self, parameter: str, points: int = 41) -> pd.DataFrame:
        """Return the chance along an assumption, on average over all others.

        Parameters
        ----------
        parameter : str
            A short name, a dotted path, a name from the table; or "reading" or "rules".
        points : int, default 41
            Values from the 2 % to the 98 % point of the draws, evenly spaced; of the rules, the readings.

        Returns
        -------
        DataFrame
            By value: `chance` (of "rounds", their mean), and `low` and `high`, its 95 % interval from the luck of the
            draws and of the runs, which shrinks with both.  Of the rules these are the means of the runs under
            each reading, as in :meth:`iomsim.Forecast.rule_sets`, with their `weight` among the runs.

        Raises
        ------
        UnknownNameError
            If there is no such parameter; the nearest name is given.
        IomsimError
            If it has no range, so that it is the same in every draw.
        """
        path = self.path(parameter)
        if path == READING:
            return self._within(self.effects.means(self.assumptions[READING]), READING)
        first, last = self._quantiles(path, [EDGE, 1 - EDGE])
        values = list(np.linspace(first, last, whole_number("points", points, 2)))
        return self._within(self.effects.curve(path, values).set_axis(values), path)

    def path(self, parameter: str) -> str:
        """Return the path of an assumption by any of its names."""
        if parameter in (READING, "readings", "rules", RULES) and READING in self.assumptions:
            return READING
        path = parameter if parameter in self.assumptions else resolve(self.race, parameter)
        if path not in self.assumptions:
            raise IomsimError(f"{parameter} is the same in every draw: it has no range in this scenario")
        return path

    def _within(self, curve: pd.DataFrame, path: str) -> pd.DataFrame:
        """Return a curve whose chances stay between 0 and 1."""
        curve[["value", "low", "high"]] = self._possible(curve[["value", "low", "high"]])
        return curve.rename(columns={"value": "chance"}).rename_axis(path)

    def _possible(self, values: Any) -> Any:
        """Return values of the target; those of a chance stay between 0 and 1."""
        return values.clip(0.0, 1.0) if self.is_chance else values

    def _quantiles(self, path: str, ranks: list[float]) -> list[float]:
        """Return quantiles of an assumption over the draws, which count by their runs."""
        values, weight = self.assumptions[path], self.effects.answers.weight
        return [float(x) for x in np.quantile(values, ranks, weights=weight, method="inverted_cdf")]

    @property
    def overall(self) -> float:
        """The target itself, over all that is unsure."""
        return self.effects.answers.overall

    @property
    def label(self) -> str:
        """What was asked for, as a chart writes it beside an axis."""
        if self.target in (NOBODY, STILL_VOTING, *self.race.names):
            return self.target
        return self.subject.removeprefix("the chance of ").removeprefix("the mean of ").removeprefix("the mean ")

    @property
    def is_chance(self) -> bool:
        """Whether the target is an event, not a number."""
        return not self.subject.startswith("the mean ")

    # -- sentences --------------------------------------------------------------------------

    def sentence(self) -> str:
        """Return which assumptions matter most, with the chance at their low and high.

        Two are named, or as many of one and three as can be told from those that follow.
        """
        return f"{self.finding()}."

    def finding(self) -> str:
        """Return the sentence without its full stop."""
        table = self._table[self._table["clear"].astype(bool)]  # of no assumption at all it is empty
        if np.ptp(self.effects.answers.mean) == 0:
            return f"No assumption moves {self.subject}: it is {self._always}"
        if table.empty:
            return f"No single assumption moves {self.subject} beyond noise"
        share, half = (x.to_numpy(dtype=float) for x in (table["share"], Z95 * table["share_error"]))
        above = share[:, None] - share > np.hypot(half[:, None], half)  # the one clearly over the other
        top = next((n for n in (2, 1, 3) if above[:n, n:].all()), 0)
        if not top:
            names = some_of(table["name"][level_with_first(share, half)].tolist())
            return f"No single assumption stands out: {self.subject} may hang most on {names}"
        told = [self._clause(row, self._unit * (not i)) for i, (_, row) in enumerate(table.head(top).iterrows())]
        return f"{capital(self.subject)} hangs most on {' and on '.join(told)}"

    @property
    def _always(self) -> str:
        """Return what the target is in every run; what is so by rule is 0 or 100."""
        fc, value = self.forecast, self.overall
        chances = pd.concat([fc.win_probability(), fc.chances()])
        errors = {str(name): error for name, error in chances["mc_error"].items()} | {SPILL: fc.spill().mc_error}
        by_rule = value in (0, 1) and not errors.get(self.target, 1)
        return f"{100 * value:.0f}{self._unit} by rule" if by_rule else f"{self._said(value)}{self._unit}"

    def along(self, parameter: str) -> str:
        """Return the target at the low and the high of one assumption, without a full stop."""
        row = self._table.loc[self.path(parameter)]
        low, high = (self._at(row, end) for end in ("low", "high"))
        if row.name == READING:
            under = [row[f"reading_{end}"] for end in ("low", "high")]
            return f"{capital(self.subject)} is {low}{self._unit} under {under[0]}, and {high} under {under[1]}"
        if not row["clear"]:
            return f"{capital(row['name'])} does not move {self.subject} beyond noise"
        first, last = in_digits(row["value_low"], row["value_high"])
        verb = "rises" if row["at_high"] >= row["at_low"] else "falls"
        goes = f"{verb} from {low} to {high}{self._unit}" if low != high else f"stays at {low}{self._unit}"
        return f"Along {row['name']} ({first} to {last}) {self.subject} {goes}"

    def _clause(self, row: pd.Series, unit: str) -> str:
        low, high = (self._at(row, end) for end in ("low", "high"))
        if row.name == READING:
            return f"{row['name']} ({low}{unit} under {row['reading_low']}, {high} under {row['reading_high']})"
        return f"{row['name']} ({low} to {high}{unit})"

    def _at(self, row: pd.Series, end: str) -> str:
        """Return the target at the low or the high of an assumption, in words: under a reading, as other tables do."""
        part = self.forecast.by_reading().get(row[f"reading_{end}"]) if row.name == READING else None
        if part is None or self.target in (ROUNDS, EVENT):
            return self._said(row[f"at_{end}"])
        there = part.share(_where(part, self.target))
        never = not there.value and self.target in excluded(self.race, part.rules_played)
        return row_in_100(there.value, 0.0 if never else there.mc_error)

    @property
    def _unit(self) -> str:
        return " in 100" if self.is_chance else ""

    def _said(self, value: float) -> str:
        return in_100(value) if self.is_chance else format_value(value, ROUNDS)

    # -- how it is shown --------------------------------------------------------------------

    @property
    def provenance(self) -> dict[str, Any]:
        """That of the forecast."""
        return self.forecast.provenance

    def stamp(self) -> str:
        """Return what is needed to make this again, in one line: the forecast's."""
        return self.forecast.stamp()

    def in_words(self) -> pd.DataFrame:
        """Return the assumptions that are clear of noise as readers are shown them, by their names."""
        table = self._table[self._table["clear"].astype(bool)]  # of no assumption at all it is empty
        low, high = ([end_in_words(row, end) for _, row in table.iterrows()] for end in ("low", "high"))
        chances = {f"at {end}": [self._at(row, end) for _, row in table.iterrows()] for end in ("low", "high")}
        share = table["share"].map(lambda share: percent(in_100(min(share, 1.0))))
        return pd.DataFrame({"share": share, "low": low, "high": high, **chances}).set_index(table["name"].rename(None))

    def _head(self) -> pd.DataFrame:
        return self.in_words()
