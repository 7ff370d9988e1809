"""Scenarios on the same random numbers: what a difference in the assumptions is worth.

How runs are paired: what a run draws once is addressed by seed, block and purpose, a sponsor's
campaign by the sponsor's name too, and lies in arrays by candidate, group and member; what happens
inside rounds is addressed by run, round, candidate and member.  Nothing is drawn for a parameter or
a tie.  So

* another value of any parameter, other rules, another clock, further or reordered ties, pins and
  sponsors shift nobody's numbers;
* a sponsor under another name is another campaign, with numbers of its own;
* candidates and members are told apart by their place: in another order they cannot be paired.

Whatever the pairing, the interval of a difference is honest, as it is measured run by run; the
better the pairing, the shorter it is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import IomsimError, PairingError
from iomsim.forecasting.estimates import thousands
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.result import Result, frame
from iomsim.forecasting.run import forecast, fresh_seed
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import (
    ROUNDS,
    SPILL,
    checked_target,
    describe_target,
    format_value,
    next_weekday,
    targets,
)
from iomsim.model.differences import differences, phrase
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import NO_CHANGE, RunOutcomes, is_clear, mean_interval, paired_interval, run_outcomes

DEFAULT_RUNS = 10_000

WORTH_A_WORD = 0.01
"""A change of P(no winner) below this is left to the table."""


def compare(
    a: Scenario | Forecast,
    b: Scenario | Forecast,
    *,
    runs: int | None = None,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Comparison:
    """Compare two scenarios run by run, on common random numbers.

    Parameters
    ----------
    a, b : Scenario or Forecast
        What is compared.  Two forecasts must have the same seed and number of runs; beside one
        forecast, a scenario is played with its seed and runs.
    runs : int, default 10_000
        For two scenarios: how many runs.
    seed : int, optional
        For two scenarios: the seed of both; None draws one.
    executor : object with ``map`` or ``submit``, optional
        Where runs are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Comparison

    Raises
    ------
    PairingError
        If the two cannot be paired: other candidates, other members, another seed or number of
        runs, runs that were not kept, or rounds that have been announced already.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> same = iom.compare(race, race, runs=500, seed=1).table()
    >>> float(same["difference"].abs().max())
    0.0
    """
    one, other = forecasts([a, b], runs, seed, executor, progress)
    if problem := pairing_problem(one, other):
        raise PairingError(problem)
    return Comparison(one, other)


def side_by_side(
    variants: Mapping[str, Scenario | Forecast],
    *,
    runs: int | None = None,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> SideBySide:
    """Forecast named variants of an election on the same random numbers; the first is the base.

    Parameters
    ----------
    variants : mapping of str to Scenario or Forecast
        At least two, with the same candidates and members.
    runs, seed, executor, progress
        As in :func:`compare`.

    Returns
    -------
    SideBySide

    Raises
    ------
    PairingError
        If a variant cannot be paired with the first; the sentence names it and says why.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> beside = iom.side_by_side({
    ...     "as sponsored": race,
    ...     "no pressure": race.with_pressure(Washington=0, Brussels=0),
    ...     "three rounds, then the leader alone": race.with_rules("four-rounds"),
    ... }, runs=500, seed=1)
    >>> beside.table("spill").index.tolist()
    ['as sponsored', 'no pressure', 'three rounds, then the leader alone']
    """
    if not isinstance(variants, Mapping) or len(variants) < 2:
        raise IomsimError('side_by_side takes two or more variants by name: {"as it is": race, "public": other}')
    made = dict(zip(variants, forecasts(list(variants.values()), runs, seed, executor, progress), strict=True))
    base, *others = made.items()
    for name, fc in others:
        if problem := pairing_problem(base[1], fc):
            raise PairingError(f"{name!r} cannot be put beside {base[0]!r}: {problem}")
    return SideBySide(made)


def forecasts(
    races: Sequence[Scenario | Forecast], runs: int | None, seed: int | None, executor: Any, progress: bool
) -> list[Forecast]:
    """Return forecasts on the same random numbers; those that are forecasts already say which.

    Raises
    ------
    PairingError
        If something is neither, or runs or a seed are asked for that the forecasts do not have.
    """
    for race in races:
        if not isinstance(race, Scenario | Forecast):
            raise PairingError(f"scenarios and forecasts can be compared, got {type(race).__name__}")
    made = [race for race in races if isinstance(race, Forecast)]
    if made:
        for what, asked, has in (("runs", runs, len(made[0])), ("seed", seed, made[0].seed)):
            if asked is not None and asked != has:
                raise PairingError(f"the forecast given has {what} {has}; leave {what}={asked} out, or give scenarios")
        runs, seed = len(made[0]), made[0].seed
    runs = DEFAULT_RUNS if runs is None else runs
    seed = fresh_seed() if seed is None else seed
    return [
        race if isinstance(race, Forecast) else forecast(race, runs, seed, executor=executor, progress=progress)
        for race in races
    ]


def pairing_problem(a: Forecast, b: Forecast) -> str:
    """Return why two forecasts cannot be paired run by run, or nothing."""
    names, members = ([list(fc.race.names) for fc in (a, b)], [list(fc.race.electorate.frame["id"]) for fc in (a, b)])
    for kind, (one, other) in (("candidates", names), ("members", members)):
        odd = sorted(set(one) ^ set(other))
        if odd:
            more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
            return f"the {kind} differ, so that runs cannot be paired: {', '.join(odd[:3])}{more} only in one of them"
        if one != other:
            return f"the {kind} stand in another order, so that runs cannot be paired; put them in the same order"
    if a.seed != b.seed:
        return f"the seeds differ ({a.seed} and {b.seed}); make both forecasts with the same seed"
    if len(a) != len(b):
        return f"the numbers of runs differ ({len(a)} and {len(b)}); make both with the same runs"
    if len(a) < 2:
        return "one run is not enough to compare; make both forecasts with more runs"
    if a.version != b.version:
        return f"the forecasts were made by versions {a.version} and {b.version}; make them again with the same one"
    if a.announced or b.announced:
        return "a forecast that knows announced rounds has no runs to pair; compare the forecasts' tables instead"
    if a.outcomes is None or b.outcomes is None:
        return "a forecast that kept only its summary cannot be paired; make it with keep='runs'"
    return ""


def kept_outcomes(fc: Forecast) -> RunOutcomes:
    """Return what a what-if looks at, run by run, in a forecast that kept its runs."""
    return run_outcomes(fc.race.plan, fc.all_outcomes)


class OfForecasts(Result):
    """A what-if between forecasts, which share their seed and their number of runs."""

    @property
    @abstractmethod
    def base(self) -> Forecast:
        """The first forecast."""

    @property
    def race(self) -> Scenario:  # type: ignore[override]
        """The first scenario."""
        return self.base.race

    @property
    def seed(self) -> int:  # type: ignore[override]
        """The seed of all."""
        return self.base.seed

    @property
    def runs(self) -> int:  # type: ignore[override]
        """Runs of each."""
        return len(self.base)


@dataclass(frozen=True, repr=False)
class Comparison(OfForecasts):
    """Two forecasts, paired run by run.

    Attributes
    ----------
    a, b : Forecast
        The first and the second.
    """

    a: Forecast
    b: Forecast

    @property
    def base(self) -> Forecast:
        """The first forecast."""
        return self.a

    def table(self) -> pd.DataFrame:
        """Return the two sides and their difference.

        Returns
        -------
        DataFrame
            By outcome (candidates, "no winner", "spill", mean "rounds"): `a`, `b`, `difference`
            (b - a) with the ends of its paired 95 % interval, `low` and `high`, and `clear`, False
            where the difference is within noise.  Equal scenarios differ by exactly 0.
        """
        left, right = kept_outcomes(self.a), kept_outcomes(self.b)
        same = self.a.race.hash == self.b.race.hash
        rows = {}
        for name in targets(self.race):
            x, y = left[name], right[name]
            change = NO_CHANGE if same else paired_interval(x, y)
            rows[name] = (x.mean(), y.mean(), *change, is_clear(change))
        return frame(rows, ["a", "b", "difference", "low", "high", "clear"], "outcome")

    def variance_ratio(self) -> pd.Series:
        """Return how many times more runs unpaired forecasts would need for the same error.

        Infinite where pairing leaves no error at all; 1 where there is none to begin with.
        """
        left, right = kept_outcomes(self.a), kept_outcomes(self.b)
        ratios = {name: _ratio(left[name], right[name]) for name in left}
        return pd.Series(ratios, name="variance ratio").rename_axis("outcome")

    def changes(self) -> list[str]:
        """Return what differs between the two scenarios, a phrase each."""
        return differences(self.a.race, self.b.race)

    def sentence(self) -> str:
        """Return the difference in words; what is within noise is called so."""
        table = self.table()
        chances = table.loc[list(self.race.names)]
        told = chances.index[0] if len(chances) == 2 else chances["difference"].abs().idxmax()
        parts = [chance_moves(str(told), table.loc[told]), likelier(self._day(), table.loc[SPILL])]
        nobody = table.loc[NO_WINNER]
        if nobody["clear"] and abs(nobody["difference"]) >= WORTH_A_WORD:
            parts.append(likelier("no winner", nobody))
        runs = f"{thousands(self.runs)} paired runs"
        return f"{phrase(self.changes())} {'; '.join(parts)} ({runs}, 95 % intervals)."

    def _day(self) -> str:
        """Return the weekday that "spill" means, if it is the same on both sides."""
        days = {next_weekday(fc.race) for fc in (self.a, self.b)}
        return days.pop() if len(days) == 1 else "a second day"


def _ratio(x: np.ndarray, y: np.ndarray) -> float:
    apart, together = float(x.var(ddof=1) + y.var(ddof=1)), float((y - x).var(ddof=1))
    if together == 0:
        return np.inf if apart else 1.0
    return apart / together


@dataclass(frozen=True, repr=False)
class SideBySide(OfForecasts):
    """Named variants of an election, paired run by run with the first.

    Attributes
    ----------
    forecasts : dict of Forecast
        By name; the first is the base.
    """

    forecasts: dict[str, Forecast]

    @property
    def base(self) -> Forecast:
        """The first forecast."""
        return next(iter(self.forecasts.values()))

    def table(self, target: str | None = None) -> pd.DataFrame:
        """Return each variant, and how it differs from the first.

        Parameters
        ----------
        target : str, optional
            One of the outcomes; default: all, below one another.

        Returns
        -------
        DataFrame
            By variant (and outcome): the `value` (a probability, or the mean rounds) with its own
            95 % Monte Carlo interval, `low` to `high`; the paired `change` against the first
            variant with its interval, `change_low` to `change_high`; `clear`, False where the
            change is within noise.
        """
        if target is not None:
            return self._one(checked_target(self.race, target))
        parts = {name: self._one(name) for name in targets(self.race)}
        return pd.concat(parts, names=["outcome", "variant"])

    def _one(self, target: str) -> pd.DataFrame:
        first = kept_outcomes(self.base)[target]
        rows = {}
        for name, fc in self.forecasts.items():
            values = kept_outcomes(fc)[target]
            change = NO_CHANGE if fc.race.hash == self.race.hash else paired_interval(first, values)
            rows[name] = (*mean_interval(values), *change, is_clear(change))
        return frame(rows, ["value", "low", "high", "change", "change_low", "change_high", "clear"], "variant")

    def sentence(self, target: str | None = None) -> str:
        """Return the variants' values of one target (default: the first candidate's win) in words."""
        target = checked_target(self.race, target)
        table = self.table(target)
        say = [format_value(value, target) for value in table["value"]]
        unit = "" if target == ROUNDS else " in 100"
        parts = [f"{name} {value}" for name, value in zip(table.index, say, strict=True)]
        what = describe_target(self.race, target)
        same = [str(name) for name in table.index[1:][~table["clear"].iloc[1:]]]
        noise = f"; within noise of {table.index[0]}: {', '.join(same)}" if same else ""
        return f"{what[0].upper()}{what[1:]}{unit}: {', '.join(parts)}{noise}."


# -- words ---------------------------------------------------------------------------------------

HARDLY = 0.0005
"""A change that is smaller than this, whatever the luck, shows no digit in points."""


def chance_moves(name: str, row: pd.Series) -> str:
    """Return how a candidate's chance moves: "Pope's chance falls by 14 points (13 to 15)".

    Examples
    --------
    >>> row = pd.Series({"difference": -0.141, "low": -0.151, "high": -0.132, "clear": True})
    >>> chance_moves("Pope", row)
    "Pope's chance falls by 14 points (13 to 15)"
    """
    if row["clear"]:
        return f"{name}'s chance {'falls' if row['difference'] < 0 else 'rises'} by {points(row)}"
    return f"{name}'s chance {_still(row, 'does not move', 'does not move beyond noise')}"


def likelier(what: str, row: pd.Series) -> str:
    """Return how something becomes likelier: "Tuesday becomes likelier by 3 points (2 to 4)".

    Examples
    --------
    >>> row = pd.Series({"difference": 0.002, "low": -0.004, "high": 0.008, "clear": False})
    >>> likelier("Tuesday", row)
    'Tuesday is as likely as before, within noise (-0.4 to +0.8 points)'
    """
    if row["clear"]:
        return f"{what} becomes {'less likely' if row['difference'] < 0 else 'likelier'} by {points(row)}"
    return f"{what} {_still(row, 'is as likely as before', 'is as likely as before, within noise')}"


def _still(row: pd.Series, nothing: str, noise: str) -> str:
    if max(-row["low"], row["high"]) < HARDLY:
        return nothing
    return f"{noise} ({100 * row['low']:+.1f} to {100 * row['high']:+.1f} points)"


def points(row: pd.Series) -> str:
    """Return the size of a clear difference in points, with its interval and no digit too many.

    Examples
    --------
    >>> points(pd.Series({"difference": 0.009, "low": 0.007, "high": 0.011}))
    '0.9 points (0.7 to 1.1)'
    """
    middle, one, other = (100 * abs(row[key]) for key in ("difference", "low", "high"))
    low, high = sorted((one, other))
    digits = 0 if high - low > 1 and low >= 0.5 else 1
    say = f"{middle:.{digits}f}"
    return f"{say} {'point' if say in ('1', '1.0') else 'points'} ({low:.{digits}f} to {high:.{digits}f})"
