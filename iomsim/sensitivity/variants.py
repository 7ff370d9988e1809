"""Named variants of an election side by side, on the same random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from iomsim.errors import IomsimError, PairingError
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.result import frame
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.compare import OfForecasts, forecasts, obstacle, seen_in
from iomsim.sensitivity.intervals import NO_CHANGE, is_clear, mean_interval, paired_interval
from iomsim.sensitivity.paired import ROUNDS, checked_target, spoken, targets, worded


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
        At least two, with the same candidates and members.  Forecasts must have the same seed and
        number of runs; beside them, scenarios are played with theirs.
    runs : int, default 10_000
        For scenarios: how many runs of each.
    seed : int, optional
        For scenarios: the seed of all; None draws one.
    executor : object with ``map`` or ``submit``, optional
        Where runs are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

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
        reason = obstacle(base[1], fc)
        if reason:
            raise PairingError(f"{name!r} cannot be put beside {base[0]!r}: {reason}")
    return SideBySide(made)


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
        first = seen_in(self.base)[target]
        rows = {}
        for name, fc in self.forecasts.items():
            values = seen_in(fc)[target]
            change = NO_CHANGE if fc.race.hash == self.race.hash else paired_interval(first, values)
            rows[name] = (*mean_interval(values), *change, is_clear(change))
        return frame(rows, ["value", "low", "high", "change", "change_low", "change_high", "clear"], "variant")

    def sentence(self, target: str | None = None) -> str:
        """Return the variants' values of one target (default: the first candidate's win) in words."""
        target = checked_target(self.race, target)
        table = self.table(target)
        say = [worded(value, target) for value in table["value"]]
        unit = "" if target == ROUNDS else " in 100"
        parts = [f"{name} {value}" for name, value in zip(table.index, say, strict=True)]
        return f"{_capital(spoken(self.race, target))}{unit}: {', '.join(parts)}{self._noise(table)}."

    def _noise(self, table: pd.DataFrame) -> str:
        """Return which variants cannot be told from the first."""
        same = [str(name) for name in table.index[1:][~table["clear"].iloc[1:]]]
        return f"; within noise of {table.index[0]}: {', '.join(same)}" if same else ""


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
