"""`Law`: what a registration says of an event, as counts of runs, by which it is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from iomsim.errors import quote, unknown
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.model.quantities import Name, Whole
from iomsim.model.tables import MOST_MEMBERS
from iomsim.registered.sealed import counted
from iomsim.rules.phase import MOST_BALLOTS
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats, Longs

T = TypeVar("T")

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


Date = Annotated[date, Field(strict=True)]
Moment = Annotated[datetime, Field(strict=True)]
Counted = Annotated[str, Field(max_length=2_000_000)]
Ballots = Annotated[Whole, Field(ge=0, le=MOST_BALLOTS)]


class Part(BaseModel):
    """A part of a registration; another version may say more of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Way(Part):
    """Runs that ended one way, by the number of rounds."""

    winner: Name
    ending: str
    rounds: Counted


class Day(Part):
    """Runs that ended on a day, by the hour."""

    day: Date
    runs: Counted


class Share(Part):
    """Runs by the share of a candidate in the next tally."""

    candidate: Name
    runs: Counted


class LawTable(Part):
    """The table `law` of a registration."""

    candidates: Annotated[tuple[Name, ...], Field(min_length=2, max_length=16)]
    excluded: tuple[Name, ...]
    entitled: Annotated[Whole, Field(ge=1, le=MOST_MEMBERS)]
    opens: Moment
    timezone: Name
    next_day: Date
    latest: Moment
    announced: Ballots
    most_rounds: Annotated[Whole, Field(ge=1, le=MOST_BALLOTS)]
    ways: tuple[Way, ...]
    ended: tuple[Day, ...] = ()
    next_tally: Annotated[tuple[Share, ...], Field(max_length=16)] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        names, outcomes = self.candidates, (*self.candidates, NOBODY, STILL_VOTING)
        if len(set(names)) < len(names):
            raise ValueError("two candidates have the same name")
        for kind, given, known in (
            ("outcome", [*self.excluded, *(way.winner for way in self.ways)], outcomes),
            ("ending", [way.ending for way in self.ways], ENDINGS),
            ("candidate", [part.candidate for part in self.next_tally], names),
        ):
            for name in given:
                if name not in known:
                    raise unknown(kind, name, known)
        try:
            ZoneInfo(self.timezone)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"no time zone {quote(self.timezone)}") from None
        if any(moment.tzinfo is not None for moment in (self.opens, self.latest)):
            raise ValueError("opens and latest are local times of the seat, without an offset")
        first = self.opens.date()
        if not 1800 <= first.year <= 2200 or not first < self.next_day <= first + FAR:
            raise ValueError("the next day does not follow the day on which voting opens")
        if not self.opens <= self.latest <= self.opens + FAR:
            raise ValueError("the latest moment does not follow the opening")
        if any(not first <= part.day <= self.latest.date() for part in self.ended):
            raise ValueError("runs end before voting opens, or after the latest moment")
        return self


FAR = timedelta(days=3650)
"""How long after the opening nothing is still going on."""


def law_of(law: LawTable, runs: int) -> Law:
    """Return the part by which a registration of so many runs is scored.

    Raises
    ------
    ValueError
        If its counts cannot be read, or do not add up.
    """
    outcomes, most = (*law.candidates, NOBODY, STILL_VOTING), law.most_rounds
    ways = pd.DataFrame(
        [
            (outcomes.index(way.winner), ENDINGS.index(way.ending), held, count)
            for way in law.ways
            for held, count in _counted(way.rounds, runs, str(most), int)
        ],
        columns=["winner", "ending", "rounds", "count"],
    ).astype(np.int64)
    _adds_up("ways", ways["count"].sum(), runs)
    if ways["rounds"].max() > most:
        raise ValueError(f"more rounds than the {most} simulated")
    midnight = datetime.combine(law.opens.date(), time())
    ended = [
        ((datetime.combine(part.day, hour) - midnight) / timedelta(minutes=1), n)
        for part in law.ended
        for hour, n in _counted(part.runs, runs, "12:20", lambda text: datetime.strptime(text, "%H:%M").time())
    ]
    latest = (law.latest - midnight) / timedelta(minutes=1)
    values = np.array([minute for minute, _ in ended], dtype=float)
    if ((values < 0) | (values > latest)).any():
        raise ValueError("runs end before voting opens, or after the latest moment")
    shares = {part.candidate: _shares(part.runs, runs) for part in law.next_tally}
    found = Law(
        law.candidates, outcomes, law.excluded, runs, ways,
        Ensemble(values, np.array([n for _, n in ended], dtype=np.int64)),
        latest, shares, law.opens, law.next_day, law.timezone, law.announced, most, law.entitled,
    )  # fmt: skip
    _adds_up("ends", found.ended.weights.sum() + found.still, runs)
    return found


def _shares(text: str, runs: int) -> Ensemble:
    """Return the middles of the classes of a share, in points."""
    pairs = _counted(text, runs, "48.25", float)
    if not pairs or not all(0 <= lower < 100 for lower, _ in pairs):
        raise ValueError("shares lie between 0 and 100 points")
    middles = np.array([lower + STEP / 2 for lower, _ in pairs])
    weights = np.array([n for _, n in pairs], dtype=np.int64)
    if weights.sum() > runs:
        raise ValueError(f"the shares add up to more than {runs} runs")
    return Ensemble(middles, weights)


def _counted(text: str, runs: int, example: str, read: Callable[[str], T]) -> list[tuple[T, int]]:
    """Return what was counted, read, and how often."""
    try:
        pairs = [(read(key), number) for key, number in counted(text)]
    except ValueError:
        raise ValueError(f"counts must be written as '{example} 2031, ...', got {quote(text)}") from None
    if any(number > runs for _, number in pairs):
        raise ValueError(f"a count is more than the {runs} runs")
    return pairs


def _adds_up(what: str, total: Any, runs: int) -> None:
    if int(total) != runs:
        raise ValueError(f"the {what} add up to {int(total)} runs of {runs}")
