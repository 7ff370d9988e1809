"""`Law`: what a registration says of an event, as counts of runs, by which it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from iomsim.errors import quote
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.registered.sealed import counted
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats, Longs

STEP = 0.25
"""Width of the classes of the first shares, in points."""


class Ensemble(NamedTuple):
    """Values and how many runs came to each."""

    values: Floats
    weights: Longs


@dataclass(frozen=True, eq=False)
class Law:
    """What a registration says of the event, as counts of runs.

    Attributes
    ----------
    names : tuple of str
        The candidates.
    outcomes : tuple of str
        Who may win: the candidates, "nobody", "still voting".
    excluded : tuple of str
        Outcomes that the rules exclude, and candidates who no longer stood.
    runs : int
        All runs.
    ways : DataFrame
        Runs by `winner` (its number among the outcomes), `ending` and `rounds` held, in the column `count`.
    ended : Ensemble
        When it ended, in minutes since midnight of the opening date, as the clocks of the seat show them.
    latest : float
        Where what is still voting stands: the latest end of all runs; no earlier than the deadline, or without one
        than the end of the next day with a sitting.
    shares : dict of Ensemble
        By candidate, the share of the next tally (the first, unless some were announced), in points.
    opens, next_day, timezone : datetime, date, str
        When voting opens, the next day with a sitting after that, and where the clocks are.
    announced, most, entitled : int
        Rounds known at the registration, rounds simulated at most, members with a vote.
    """

    names: tuple[str, ...]
    outcomes: tuple[str, ...]
    excluded: tuple[str, ...]
    runs: int
    ways: pd.DataFrame
    ended: Ensemble
    latest: float
    shares: dict[str, Ensemble]
    opens: datetime
    next_day: date
    timezone: str
    announced: int
    most: int
    entitled: int

    @property
    def winner(self) -> Floats:
        """Probability of each outcome."""
        return self._chances(self.ways["winner"], len(self.outcomes))

    @property
    def ending(self) -> Floats:
        """Probability of each ending."""
        return self._chances(self.ways["ending"], len(ENDINGS))

    @property
    def rounds(self) -> Floats:
        """Probability of 0, 1, ... rounds held; the last class is open."""
        return self._chances(self.ways["rounds"], self.most + 1)

    @property
    def still(self) -> int:
        """Runs that were still voting when they were given up."""
        return int(self.ways["count"][self.ways["winner"] == self.outcomes.index(STILL_VOTING)].sum())

    @property
    def minutes(self) -> Ensemble:
        """When it ends, what is still voting put at the latest moment."""
        values, weights = self.ended
        return Ensemble(np.append(values, self.latest), np.append(weights, self.still))

    @property
    def next_day_chance(self) -> float:
        """Probability that voting is not over when the day before the next with a sitting ends, at midnight."""
        late = self.ended.values >= self.next_minute
        return float(self.ended.weights[late].sum() + self.still) / self.runs

    @property
    def next_minute(self) -> float:
        """Midnight at which the next day with a sitting begins, in minutes."""
        return self.minute(datetime.combine(self.next_day, time()))

    def minute(self, moment: datetime) -> float:
        """Return a moment at the seat in minutes since midnight of the opening date."""
        return (moment - datetime.combine(self.opens.date(), time())) / timedelta(minutes=1)

    def moment(self, minute: float) -> datetime:
        """Return the moment at the seat that lies so many minutes after midnight of the opening date."""
        return datetime.combine(self.opens.date(), time()) + timedelta(minutes=float(minute))

    def _chances(self, codes: pd.Series, size: int) -> Floats:
        totals = np.bincount(codes, weights=self.ways["count"], minlength=size)
        return np.asarray(totals / self.runs)


# -- reading it ------------------------------------------------------------------------------------


def law_of(content: Mapping[str, Any]) -> Law:
    """Return the part by which a registration is scored."""
    law = content["law"]
    names = tuple(law["candidates"])
    outcomes, runs = (*names, NOBODY, STILL_VOTING), _whole(content["runs"], 1)
    opens, most = law["opens"], _whole(law["most_rounds"], 1)
    ways = pd.DataFrame(
        [
            (outcomes.index(way["winner"]), ENDINGS.index(way["ending"]), _whole(int(held)), count)
            for way in law["ways"]
            for held, count in counted(way["rounds"])
        ],
        columns=["winner", "ending", "rounds", "count"],
    )
    _adds_up("ways", ways["count"].sum(), runs)
    if ways["rounds"].max() > most:
        raise ValueError(f"more rounds than the {most} simulated")
    midnight = datetime.combine(opens.date(), time())
    ended = [
        ((datetime.combine(part["day"], datetime.strptime(hour, "%H:%M").time()) - midnight) / timedelta(minutes=1), n)
        for part in law.get("ended", [])
        for hour, n in counted(part["runs"])
    ]
    latest = (law["latest"] - midnight) / timedelta(minutes=1)
    values = np.array([minute for minute, _ in ended], dtype=float)
    shares = {part["candidate"]: _shares(part["runs"]) for part in law.get("next_tally", [])}
    if not set(shares) <= set(names) or ((values < 0) | (values > latest)).any():
        raise ValueError("the next tally or the ends do not belong to this election")
    ZoneInfo(law["timezone"])
    found = Law(
        names, outcomes, tuple(law["excluded"]), runs, ways,
        Ensemble(values, np.array([n for _, n in ended], dtype=np.int64)),
        latest, shares, opens, law["next_day"], law["timezone"],
        _whole(law["announced"]), most, _whole(law["entitled"], 1),
    )  # fmt: skip
    _adds_up("ends", found.ended.weights.sum() + found.still, runs)
    return found


def _shares(text: str) -> Ensemble:
    """Return the middles of the classes of a share, in points."""
    pairs = counted(text)
    if not pairs or not all(0 <= float(lower) < 100 for lower, _ in pairs):
        raise ValueError("shares lie between 0 and 100 points")
    middles = np.array([float(lower) + STEP / 2 for lower, _ in pairs])
    return Ensemble(middles, np.array([n for _, n in pairs], dtype=np.int64))


def _whole(value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{quote(value)} is no number of at least {least}")
    return value


def _adds_up(what: str, total: Any, runs: int) -> None:
    if int(total) != runs:
        raise ValueError(f"the {what} add up to {int(total)} runs of {runs}")
