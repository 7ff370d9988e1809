"""`score`: what a registered forecast earned, once it is known what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import IomsimError
from iomsim.forecasting.result import Result
from iomsim.house_style import Text
from iomsim.model.scenario import Scenario
from iomsim.registered import post_mortem, scorebook
from iomsim.registered.earned import FORECAST, SCORES, Said, minute_of, place_of, said, scored, spilled
from iomsim.registered.law import STEP, Ensemble
from iomsim.registered.outcome import Market, Outcome, market as market_of, outcome
from iomsim.registered.registration import Registration, registration
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats


def score(
    registered: str | Path | Registration,
    *,
    winner: str,
    rounds: int | None = None,
    ended: str | datetime | None = None,
    ending: str | None = None,
    first: Any = None,
    share: Mapping[str, float] | None = None,
    market: Mapping[str, float] | None = None,
    ledger: str | Path | None = None,
    again: bool = False,
    at: datetime | None = None,
) -> Score:
    """Score a registered forecast after the event, against simple baselines and against prices.

    Parameters
    ----------
    registered : str, Path or Registration
        The file that :func:`iomsim.register` wrote.
    winner : str
        Who was elected: a candidate; "nobody", where the rules ended the election without a winner; "still voting",
        where it was given up or went on; "somebody else", who had not stood.
    rounds : int, optional
        Rounds held.
    ended : str or datetime, optional
        When it ended, as the clocks of the seat showed it: "12:20" (on the opening day), "Tuesday 10:30",
        "2023-05-15 16:35".  A moment with an offset is taken there.
    ending : {"majority", "acclamation", "confirmed", "failed", "open"}, optional
        How it ended.
    first : sequence of int or mapping of int, optional
        The votes of the first tally after the registration, in the order of the candidates or by name.
    share : mapping of float, optional
        In its place, shares of the valid papers by candidate; those of some will do.
    market : mapping of float, optional
        Prices by candidate, 0 to 1: candidates without one share what the others leave; if all have one, they are
        divided by their sum.  `remark` says what was done.
    ledger : str or Path, optional
        A csv to which a line is appended; it is made if it is not there.
    again : bool, default False
        Replace the registration's line, if the ledger has one already.
    at : datetime, optional
        The time of scoring, for the ledger; default now.

    Returns
    -------
    Score

    Raises
    ------
    FileError
        If the registration was changed, or the ledger is something else or has the registration already.
    UnknownNameError, IomsimError
        If what is told cannot have come.

    Notes
    -----
    What is not told is not scored.  Scores are those of :mod:`iomsim.validation.scores`, lower is better.  A
    logarithm is taken of a chance, but of no less than a thousandth over the number of outcomes, the same for
    everybody: that something never happened in so many runs does not make it impossible.  What was still voting
    counts as ended at the latest moment that the registration names.

    Baselines: "even chances" among the candidates, a coin for the next day, an even split of the tally; the leader
    of the forecast at 0.8, the rest shared among the other candidates and "no winner"; every round the last with
    probability 0.45.

    Examples
    --------
    >>> import iomsim as iom, tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.toml"
    >>> _ = iom.register(iom.load("minimal"), file, runs=2000, seed=1, progress=False)
    >>> found = iom.score(file, winner="A", rounds=2, ended="2023-05-15 12:20", market={"A": 0.55, "B": 0.5})
    >>> found.table().loc["winner, log", ["even chances", "market"]].round(3).tolist()
    [0.693, 0.647]
    >>> print(found.remark)
    The prices add up to 1.05 and were divided by that.
    """
    known = registered if isinstance(registered, Registration) else registration(registered)
    came = outcome(known.law, winner, rounds, ended, ending, first, share)
    found = Score(known, came, market_of(known.law, market), at)
    if ledger is not None:
        scorebook.append(Path(ledger), found.line, again)
    elif again:
        raise IomsimError("again replaces a line of a ledger; say of which: ledger='scores.csv'")
    return found


@dataclass(frozen=True, repr=False, eq=False)
class Score(Result):
    """What a registered forecast earned.

    Attributes
    ----------
    registration : Registration
        The forecast.
    outcome : Outcome
        What came.
    market : Market or None
        Prices, as chances.
    at : datetime or None
        The time of scoring, if it was given.
    """

    registration: Registration
    outcome: Outcome
    market: Market | None = None
    at: datetime | None = None

    @property
    def remark(self) -> str:
        """What was done to the prices, so that they are chances."""
        return self.market.remark if self.market else ""

    def table(self) -> pd.DataFrame:
        """Return the scores, lower is better: a row a score, a column a forecaster; missing where it says nothing.

        Of what was not told there is no row.
        """
        law, came = self.registration.law, self.outcome
        columns = {name: scored(said, law, came) for name, said in self._said.items()}
        table = pd.DataFrame(columns, index=pd.Index(SCORES, name="score"))
        return table[table[FORECAST].notna()]

    def came(self) -> pd.DataFrame:
        """Return what came beside what had been said of it.

        Returns
        -------
        DataFrame
            By what is asked: what `came`, in words; the `chance` given to it; the `likelier` outcomes of how many
            (`of`); the `point` of the forecast at which it lay (0 to 1; half of what was level with it counts);
            the forecast's `median` with its middle 80 %, `low` to `high` (rounds, or shares), of the end of voting
            `median_at`, `low_at` and `high_at` (by the clocks of the seat, without a time zone); and whether it lay
            `inside` that.
        """
        table = self.places
        ends = table[["low", "median", "high"]]
        at = ends.map(lambda end: end if isinstance(end, datetime) else pd.NaT).astype("datetime64[s]")
        numbers = ends.map(lambda end: np.nan if isinstance(end, datetime) else end).astype(float)
        rest = {"came": table["came"].map(str).astype(str), "inside": table["inside"].astype("boolean")}
        return table.assign(**rest, **numbers).join(at.add_suffix("_at"))

    @property
    def places(self) -> pd.DataFrame:
        """What came beside what had been said of it, each cell as it is: see :meth:`came`."""
        columns = ["came", "chance", "likelier", "of", "point", "low", "median", "high", "inside"]
        rows = {asked: [row.get(key) for key in columns] for asked, row in self._came.items()}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("asked")
        numbers = {"chance": float, "likelier": "Int64", "of": "Int64", "point": float}
        return table.astype(object).astype(numbers)

    @cached_property
    def _came(self) -> dict[str, dict[str, Any]]:
        law, told = self.registration.law, self.outcome
        place = place_of(law, told.winner)
        possible = [k for k, name in enumerate(law.outcomes) if name not in law.excluded or k == place]
        rows: dict[str, dict[str, Any]] = {
            "winner": {"came": told.winner, **_ranked(np.append(law.winner, 0.0), place, len(possible))}
        }
        if told.rounds is not None:
            held = min(told.rounds, law.most)
            values = np.arange(law.most + 1, dtype=float)
            rows["rounds"] = {"came": told.rounds, "chance": float(law.rounds[held])}
            rows["rounds"] |= _placed(Ensemble(values, np.rint(law.rounds * law.runs).astype(np.int64)), held)
            together = law.ways.groupby(["winner", "rounds"])["count"].sum() / law.runs
            chance = float(together.get((place, held), 0.0))
            rows["winner and rounds"] = {
                "came": f"{told.winner} after {told.rounds}",
                "chance": chance,
                "likelier": int((together > chance).sum()),
                "of": len(together) + (chance == 0),
            }
        if told.ending is not None:
            rows["ending"] = {"came": told.ending, **_ranked(law.ending, ENDINGS.index(told.ending))}
        if self._minute is not None:
            rows["ended"] = {"came": "never" if told.ended is None else told.ended}
            rows["ended"] |= _placed(law.minutes, self._minute)
            rows["ended"] |= {key: law.moment(rows["ended"][key]) for key in ("low", "median", "high")}
            chance = law.next_day_chance
            rows["next day"] = {"came": self.spilled, "chance": chance if self.spilled else 1 - chance}
        for name, share in told.shares.items():
            if name in law.shares:
                rows[f"share of {name}"] = {"came": share, **_placed(law.shares[name], in_class(share), 0.01)}
        return rows

    @property
    def _minute(self) -> float | None:
        return minute_of(self.registration.law, self.outcome)

    @property
    def spilled(self) -> bool | None:
        """Whether voting ran into the next day with a sitting; None if the hour is not told."""
        return spilled(self.registration.law, self.outcome)

    @cached_property
    def _said(self) -> dict[str, Said]:
        return said(self.registration.law, self.market)

    def sentence(self) -> Text:
        """Return who won, what that had been given, and how it compares."""
        return post_mortem.sentence(self)

    def post_mortem(self) -> Text:
        """Return in plain words what the forecast got right, and what wrong."""
        return post_mortem.words(self)

    @property
    def line(self) -> dict[str, Any]:
        """The line of the ledger."""
        return scorebook.line(self)

    @property
    def ledger(self) -> pd.DataFrame:
        """The line of the ledger, as a table of one row."""
        return pd.DataFrame([self.line], columns=list(scorebook.COLUMNS))

    @property
    def race(self) -> Scenario:  # type: ignore[override]
        """The scenario that was registered."""
        return self.registration.race

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Of the forecast."""
        return self.registration.seed

    @property
    def runs(self) -> int:  # type: ignore[override]
        """Of the forecast."""
        return self.registration.runs

    @property
    def provenance(self) -> dict[str, Any]:
        """Those of the registration."""
        return self.registration.provenance

    def stamp(self) -> str:
        """Return what is needed to make the forecast again, and the checksum of the registration, in one line."""
        return self.registration.stamp()


# -- where it lay -----------------------------------------------------------------------------------


def _ranked(pmf: Floats, place: int, of: int | None = None) -> dict[str, Any]:
    """Return the chance of what came, and how many outcomes were likelier."""
    chance = float(pmf[place])
    return {"chance": chance, "likelier": int((pmf > chance).sum()), "of": len(pmf) if of is None else of}


def _placed(law: Ensemble, value: float, scale: float = 1.0) -> dict[str, Any]:
    """Return at which point of a forecast a value lay, and the forecast's median and middle 80 %."""
    values, weights = law
    total = weights.sum()
    if not total:
        return {"point": np.nan}
    below, level = weights[values < value].sum(), weights[values == value].sum()
    order = np.argsort(values, kind="stable")
    ends = np.quantile(values[order], [0.1, 0.5, 0.9], weights=weights[order], method="inverted_cdf")
    inside = bool(ends[0] <= value <= ends[2])
    low, median, high = map(float, ends * scale)
    point = float(below + level / 2) / float(total)
    return {"point": point, "low": low, "median": median, "high": high, "inside": inside}


def in_class(share: float) -> float:
    """Return the middle of the class of shares in which one lies, in points.

    Examples
    --------
    >>> in_class(98 / 165), in_class(1.0)
    (59.375, 99.875)
    """
    return float(min(np.floor(100 * share / STEP + 1e-9), 100 / STEP - 1) * STEP + STEP / 2)
