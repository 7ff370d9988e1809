"""Two scenarios on the same random numbers: what a difference in the assumptions is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import PairingError, whole_number
from iomsim.estimates import Z95
from iomsim.forecast import NO_WINNER, Forecast
from iomsim.running import forecast, fresh_seed
from iomsim.scenario import Scenario

MOST_NAMED = 3
"""Changes named one by one in a sentence; more are counted."""


def compare(
    a: Scenario | Forecast, b: Scenario | Forecast, *, runs: int = 10_000, seed: int | None = None, executor: Any = None
) -> Comparison:
    """Compare two scenarios run by run, on common random numbers.

    Parameters
    ----------
    a, b : Scenario or Forecast
        What is compared; two forecasts must have the same seed and number of runs.
    runs, seed : int
        For scenarios: how many runs, and the seed of both.
    executor : object with ``map`` or ``submit``, optional
        Where the runs are played.

    Returns
    -------
    Comparison

    Raises
    ------
    PairingError
        If the two cannot be paired: other candidates, other members, another seed or number of runs.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> same = compare(race, race, runs=500, seed=1).table()
    >>> float(same["difference"].abs().max())
    0.0
    """
    if isinstance(a, Scenario) and isinstance(b, Scenario):
        seed = fresh_seed() if seed is None else seed
        whole_number("runs", runs, 2)
        return paired(*(forecast(race, runs, seed, executor=executor, progress=False) for race in (a, b)))
    if isinstance(a, Forecast) and isinstance(b, Forecast):
        return paired(a, b)
    raise PairingError(f"compare two scenarios or two forecasts, got {type(a).__name__} and {type(b).__name__}")


def paired(a: Forecast, b: Forecast) -> Comparison:
    """Pair two forecasts, or say why they cannot be paired."""
    if a.scenario.names != b.scenario.names:
        raise PairingError(f"the candidates differ: {', '.join(a.scenario.names)} and {', '.join(b.scenario.names)}")
    members = [fc.scenario.electorate.frame["id"].tolist() for fc in (a, b)]
    if members[0] != members[1]:
        raise PairingError("the members differ, so that runs cannot be paired")
    if a.seed != b.seed:
        raise PairingError(f"the seeds differ ({a.seed} and {b.seed}); make both forecasts with the same seed")
    if len(a) != len(b):
        raise PairingError(f"the numbers of runs differ ({len(a)} and {len(b)}); make both with the same runs")
    if a.outcomes is None or b.outcomes is None:
        raise PairingError("a forecast that kept only its summary cannot be paired; make it with keep='runs'")
    return Comparison(a, b)


def indicators(fc: Forecast) -> pd.DataFrame:
    """Return, run by run, who won, whether voting spilled over, and the rounds, as numbers."""
    assert fc.outcomes is not None
    out = fc.outcomes
    limit = (fc.next_day - fc.opening_date.date()).days * 24 * 60
    columns: dict[str, Any] = {name: out.winner == k for k, name in enumerate(fc.scenario.names)}
    columns[NO_WINNER] = out.winner < 0
    columns["spill"] = (out.minute < 0) | (out.minute >= limit)
    return pd.DataFrame(columns).assign(rounds=out.rounds).astype(float)


def paired_interval(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of b - a and its 95 % interval.

    For shares (0 or 1) half a run is added to each kind of discordant pair (Agresti and Min 2005,
    *Statistics in Medicine* 24, 729-740), so that few changes do not look like certainty.

    Examples
    --------
    Four runs of which one changes hands:

    >>> middle, low, high = paired_interval(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    >>> middle, round(low, 2), round(high, 2)
    (0.25, -0.22, 0.62)
    """
    change, n = b - a, len(a)
    middle = float(change.mean())
    if set(np.unique(change)) <= {-1.0, 0.0, 1.0}:
        up, down = (change > 0).sum() + 0.5, (change < 0).sum() + 0.5
        centre, m = (up - down) / (n + 2), n + 2
        half = Z95 * np.sqrt(up + down - (up - down) ** 2 / m) / m
        return middle, float(min(centre - half, middle)), float(max(centre + half, middle))
    half = Z95 * float(change.std(ddof=1)) / np.sqrt(n)
    return middle, middle - half, middle + half


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two forecasts, paired run by run.

    Attributes
    ----------
    a, b : Forecast
        The first and the second.
    """

    a: Forecast
    b: Forecast

    def table(self) -> pd.DataFrame:
        """Return the two sides and their difference.

        Returns
        -------
        DataFrame
            By outcome (candidates, "no winner", "spill", mean "rounds"): `a`, `b`, `difference`
            (b - a) with `low` and `high`, and `clear`, False where the difference is within noise.
        """
        left, right = indicators(self.a), indicators(self.b)
        same = self.a.scenario.hash == self.b.scenario.hash
        rows = {}
        for name in left:
            x, y = left[name].to_numpy(), right[name].to_numpy()
            middle, low, high = (0.0, 0.0, 0.0) if same else paired_interval(x, y)
            rows[name] = (x.mean(), y.mean(), middle, low, high, low > 0 or high < 0)
        columns = ["a", "b", "difference", "low", "high", "clear"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("outcome")

    def variance_ratio(self) -> pd.Series:
        """Return how many times more runs unpaired forecasts would need for the same error."""
        left, right = indicators(self.a), indicators(self.b)
        apart = left.var(ddof=1) + right.var(ddof=1)
        return (apart / (right - left).var(ddof=1)).rename("variance ratio")

    def changes(self) -> list[str]:
        """Return what differs between the two scenarios, a phrase each."""
        return differences(self.a.scenario, self.b.scenario)

    def sentence(self) -> str:
        """Return the difference in words."""
        table, first = self.table(), self.a.scenario.names[0]
        what = phrase(self.changes())
        day = f"{self.a.next_day:%A}"
        parts = [_moves(f"{first}'s chance", table.loc[first]), _moves(f"that of {day}", table.loc["spill"])]
        return f"{what} {parts[0]}; {parts[1]} ({len(self.a):,} paired runs, 95 %)."

    def __repr__(self) -> str:
        """Return the sentence and the table."""
        return f"{self.sentence()}\n\n{self.table().round(4).to_string()}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<div><p>{escape(self.sentence())}</p>{self.table().round(4).to_html(border=0)}</div>"


def differences(a: Scenario, b: Scenario) -> list[str]:
    """Return what differs between two scenarios, a phrase each.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> differences(race, race.with_pressure(Washington=0))
    ["Washington's strength 0 instead of 0.6"]
    """
    old, new = a.parameters(), b.parameters()
    out = [
        f"{_plain(path)} {new[path].value:g} instead of {old[path].value:g}"
        for path in old
        if path in new and new[path].value != old[path].value
    ]
    if a.rules.rules != b.rules.rules:
        out.append(f"rules {b.rules.name} instead of {a.rules.name}")
    if set(old) != set(new):
        out.append("other ties or exposures")
    if (a.electorate, a.clock.opens, a.clock.sittings) != (b.electorate, b.clock.opens, b.clock.sittings):
        out.append("another electorate or session")
    return out


def phrase(changes: list[str]) -> str:
    """Return the changes as the beginning of a sentence."""
    if not changes:
        return "With nothing changed"
    if len(changes) > MOST_NAMED:
        return f"With {len(changes)} changes"
    return "With " + " and ".join(changes)


def _plain(path: str) -> str:
    head, _, rest = path.partition(".")
    if head in ("sponsors", "candidates"):
        name, _, what = rest.partition(".")
        return f"{name}'s {what.replace('.', ' ')}"
    return rest.replace("_", " ").replace(".", " ")


def _moves(what: str, row: pd.Series) -> str:
    points = [100 * abs(row[key]) for key in ("difference", "low", "high")]
    if row["difference"] == 0 and row["low"] == row["high"] == 0:
        return f"{what} does not change"
    if not row["clear"]:
        return f"{what} moves by less than the noise ({100 * row['low']:+.1f} to {100 * row['high']:+.1f} points)"
    verb = "falls" if row["difference"] < 0 else "rises"
    digits = 0 if abs(points[1] - points[2]) > 1 else 1
    low, high = sorted(points[1:])
    return f"{what} {verb} by {points[0]:.{digits}f} points ({low:.{digits}f} to {high:.{digits}f})"
