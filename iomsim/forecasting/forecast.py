"""`Forecast`: what all the runs say, as distributions, tables and sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.engine import simulate
from iomsim.engine.clock import DAY, DAY_NAMES
from iomsim.engine.outcomes import Outcomes, join
from iomsim.errors import IomsimError, unknown
from iomsim.forecasting import wording
from iomsim.forecasting.estimates import Estimate, in_words, table, thousands
from iomsim.forecasting.result import Plot
from iomsim.forecasting.summary import Summary, merge, summarise
from iomsim.forecasting.tables import runs_table, tallies_table
from iomsim.model.components import WEEKDAYS
from iomsim.model.events import events_digest
from iomsim.model.scenario import Scenario
from iomsim.rules.ruleset import ENDINGS, RULE_SETS

if TYPE_CHECKING:
    from iomsim.sensitivity.tornado import Tornado

NO_WINNER = "no winner"
SIDE_RUNS = 10_000
"""Runs of each other rule set in the side-by-side table, if the forecast itself has that many."""


def from_outcomes(race: Scenario, seed: int, parts: list[Outcomes], **told: Any) -> Forecast:
    """Return the forecast that blocks of outcomes add up to; `told` are its fields on an election day."""
    most = race.rules.max_rounds
    summary = merge(summarise(part, most) for part in parts)
    return Forecast(race, seed, summary, join(parts), **told)


def by_shipped_rules(fc: Forecast) -> pd.DataFrame:
    """Return what a forecast would be under every shipped rule set, its own rules first if they are not shipped."""
    own = fc.race.rules
    rows = {} if own.shipped else {own.label: fc.side()}
    rows |= {name: _under(fc, name) for name in RULE_SETS}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rules")


def _under(fc: Forecast, name: str) -> dict[str, float]:
    """Return the row of a rule set; under the rules in force it is what the forecast says."""
    race = fc.race.with_rules(name)
    if race.rules == fc.race.rules:
        return fc.side()
    runs = min(len(fc), SIDE_RUNS)
    return from_outcomes(race, fc.seed, list(simulate.iter_spans(race.plan, {}, runs, fc.seed))).side()


@dataclass(frozen=True, repr=False, eq=False)
class Forecast:
    """What all the runs say.

    Attributes
    ----------
    race : Scenario
        The election that was simulated.
    seed : int
        The seed of its random numbers.
    summary : Summary
        The counts behind every sentence, table and chart.
    outcomes : Outcomes or None
        Every run, unless only the summary was kept.
    version : str
        Version of the library that made it.
    stopped : str
        Why there are as many runs as there are.
    announced : int
        Rounds that are facts, not forecast: the same in every run as far as they were announced.
    events : tuple of dict
        What was announced on an election day, in order; empty before the vote.
    out : tuple of str
        Candidates who no longer stand, as far as is known: their chance is 0 by rule.
    certain : bool
        The election is over: how it ended is a fact, and its probability is 1 by rule.
    reached : float or None
        Minute of the last announced moment, since midnight of the opening date.
    assumptions : Tornado or None
        What moving the assumptions does, if that was asked for (:meth:`with_assumptions`).
    """

    race: Scenario
    seed: int
    summary: Summary
    outcomes: Outcomes | None = None
    version: str = VERSION
    stopped: str = "all runs asked for were played"
    announced: int = 0
    events: tuple[dict[str, Any], ...] = ()
    out: tuple[str, ...] = ()
    certain: bool = False
    reached: float | None = None
    assumptions: Tornado | None = None
    _by_rules: Callable[[Forecast], pd.DataFrame] = by_shipped_rules

    plot = Plot()

    def __len__(self) -> int:
        """Return the number of runs."""
        return self.summary.runs

    # -- distributions ----------------------------------------------------------------------

    def win_probability(self) -> pd.DataFrame:
        """Return who wins: candidates and "no winner" by probability, low and high.

        Intervals are 95 % Monte Carlo intervals (Wilson), here and in every table.
        """
        hits = [self.summary.count(self._ends["winner"] == k) for k in self._winners]
        out = self._table(hits, pd.Index([*self.race.names, NO_WINNER], name="winner"))
        out.loc[list(self.out), ["low", "high"]] = 0.0
        return out

    def rounds(self) -> pd.DataFrame:
        """Return the rounds to decision.

        Returns
        -------
        DataFrame
            By round: `probability` that somebody is elected in it, with `low` and `high`;
            `cumulative`, elected by then; `ended_without_winner`, elections that fail in this
            round or are given up after it; and `undecided`, still open afterwards.
        """
        held = self._last_round
        elected = self.summary.tally("rounds", held + 1, self._ends["winner"] >= 0)[1:]
        lost = self.summary.tally("rounds", held + 1, self._ends["winner"] < 0)[1:]
        out = self._table(elected, pd.RangeIndex(1, held + 1, name="round"))
        out["cumulative"] = np.cumsum(elected) / len(self)
        out["ended_without_winner"] = lost / len(self)
        out["undecided"] = (len(self) - np.cumsum(elected + lost)) / len(self)
        return out

    def endings(self) -> pd.DataFrame:
        """Return how it ended and for whom: ending and winner by probability, low, high."""
        pairs = [(e, k) for e in range(len(ENDINGS)) for k in self._possible(e)]
        hits = [self.summary.count((self._ends["ending"] == e) & (self._ends["winner"] == k)) for e, k in pairs]
        names = [(ENDINGS[e], self._name(k)) for e, k in pairs]
        return self._table(hits, pd.MultiIndex.from_tuples(names, names=["ending", "winner"]))

    def decided_at(self) -> pd.DataFrame:
        """Return when somebody is elected: date, weekday and hour by probability, low, high.

        `cumulative` adds the hours up; the last row counts the runs that elect nobody, which have no
        hour, so that its `cumulative` is missing.
        """
        chosen = self._ends[self._ends["winner"] >= 0]
        hour = (chosen["minute"] // 60).rename("hour")
        hits = chosen["count"].groupby(hour).sum()
        start = self.opening_date
        when = [start + timedelta(hours=int(h)) for h in hits.index]
        index = pd.MultiIndex.from_tuples(
            [(w.strftime("%Y-%m-%d"), DAY_NAMES[w.weekday()], f"{w:%H}:00") for w in when] + [(NO_WINNER, "", "")],
            names=["date", "day", "hour"],
        )
        out = table([*hits, len(self) - hits.sum()], len(self), index)
        out["cumulative"] = [*np.cumsum(hits) / len(self), np.nan]
        return out

    def spill(self, day: str | date | None = None) -> Estimate:
        """Return the probability that voting is not over when the day before `day` ends.

        Parameters
        ----------
        day : str or date, optional
            A weekday such as "Tuesday" (the first one after the opening), or a date.  Default: the
            next day with a sitting after the opening.

        Raises
        ------
        IomsimError
            If there is no such weekday, or the day is not after the opening.
        """
        limit = self._minutes_to(self._day(day))
        late = (self._ends["minute"] >= limit) | (self._ends["minute"] < 0)
        return Estimate.of(self.summary.count(late), len(self))

    def median_rounds(self) -> tuple[int, int, int]:
        """Return the median, and the 10 % and 90 % points, of the rounds held."""
        low, middle, high = self.summary.quantile("rounds", [0.1, 0.5, 0.9])
        return int(middle), int(low), int(high)

    def rule_sets(self) -> pd.DataFrame:
        """Return the shipped rule sets side by side, on the same random numbers.

        Rules of the scenario's own that are not shipped come first.  On an election day they are those
        under which what was announced could have happened, its own among them.

        Returns
        -------
        DataFrame
            By rule set: probability of each candidate, of no winner, and that voting spills into
            the next day (with `low` and `high`); the median rounds.
        """
        return self._rule_sets.copy()

    @cached_property
    def _rule_sets(self) -> pd.DataFrame:
        return self._by_rules(self)

    def side(self) -> dict[str, float]:
        """Return the row that this forecast makes beside others: chances, spill, median rounds."""
        spill = self.spill()
        return {
            **self.win_probability()["probability"].to_dict(),
            "spill": spill.value,
            "low": spill.low,
            "high": spill.high,
            "median_rounds": self.median_rounds()[0],
        }

    def with_assumptions(self, target: str | None = None, **how: Any) -> Forecast:
        """Return the same forecast, whose answer also tells the range over the assumptions.

        Parameters
        ----------
        target, **how
            As in :func:`iomsim.tornado`: every parameter is moved over its range, one at a time,
            on the random numbers of this forecast.  It takes some seconds.  A saved forecast does
            not keep it.

        Examples
        --------
        >>> import iomsim as iom
        >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1)
        >>> told = fc.with_assumptions(parameters=["secrecy", "fluid"], runs=200)
        >>> "Over the ranges of the other assumptions" in told.answer()
        True
        """
        from iomsim.sensitivity.tornado import assumptions

        return replace(self, assumptions=assumptions(self, target, **how))

    # -- sentences --------------------------------------------------------------------------

    def answer(self) -> str:
        """Return the answer in plain sentences: who, how many rounds, the next day or not.

        It names both kinds of uncertainty and keeps them apart: the Monte Carlo error, which
        shrinks with runs, and the range over the rule sets, which does not.
        """
        return wording.answer(self)

    def __repr__(self) -> str:
        """Return the answer, the table of winners and the stamp."""
        shown = in_words(self.win_probability()).to_string()
        return f"{self.race.title}\n{self.answer()}\n\n{shown}\n\n{self.stamp()}"

    def _repr_html_(self) -> str:
        from iomsim.model.briefing import forecast_html

        return forecast_html(self)

    def stamp(self) -> str:
        """Return what is needed to make this forecast again, in one line."""
        p = self.provenance
        return (
            f"iomsim {p['version']} · seed {p['seed']} · {thousands(p['runs'])} runs · scenario {p['scenario']}"
            f" · rules {p['rules']}"
        ) + (f" · {len(self.events)} announced, {events_digest(self.events)}" if self.events else "")

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, seed, runs, scenario hash, rules, title, the rounds announced, and all that was announced."""
        return {
            "version": self.version,
            "seed": self.seed,
            "runs": len(self),
            "scenario": self.race.hash,
            "rules": self.race.rules.label,
            "title": self.race.title,
            "announced": self.announced,
            "events": [dict(event) for event in self.events],
        }

    # -- tables of runs ---------------------------------------------------------------------

    @property
    def runs(self) -> pd.DataFrame:
        """One row per run: winner, ending, rounds, members present, and when it ended.

        `ended_at` is missing for unresolved runs; `decided_at` also for failed ones.
        """
        return self._runs.copy()

    @property
    def tallies(self) -> pd.DataFrame:
        """One row per run, round and standing candidate: votes, valid papers, share, kind of round."""
        return self._tallies.copy()

    @cached_property
    def _runs(self) -> pd.DataFrame:
        return runs_table(self.all_outcomes, [*self.race.names, NO_WINNER], self.opening_date)

    @cached_property
    def _tallies(self) -> pd.DataFrame:
        return tallies_table(self.all_outcomes, self.race.names)

    @property
    def all_outcomes(self) -> Outcomes:
        """Every run as arrays.

        Raises
        ------
        IomsimError
            If only the summary was kept.
        """
        if self.outcomes is None:
            raise IomsimError("this forecast kept only its summary; make it with keep='runs' to see every run")
        return self.outcomes

    # -- files ------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the forecast to one file, from which :func:`iomsim.open_forecast` reads it back."""
        from iomsim.forecasting.archive import save

        save(self, path)

    def to_csv(self, folder: str | Path, runs: bool = True) -> list[Path]:
        """Write every table as csv into a folder, and the runs if they are wanted; return the files."""
        from iomsim.forecasting.archive import to_csv

        return to_csv(self, folder, runs)

    def report(self, path: str | Path) -> Path:
        """Write a one-page report as a self-contained HTML file; return the file."""
        from iomsim.charts.report import write

        return write(self, path)

    # -- inside -----------------------------------------------------------------------------

    @property
    def opening_date(self) -> datetime:
        """Midnight of the day on which the session opens."""
        return datetime.combine(self.race.clock.opens.date(), datetime.min.time())

    @property
    def next_day(self) -> date:
        """The first day with a sitting after the opening date; if there is none, the day after it."""
        return self.opening_date.date() + timedelta(days=self.race.clock.calendar().next_day)

    @property
    def spilled(self) -> bool:
        """Whether something was announced on the next day already, so that the spill is a fact."""
        return self.reached is not None and self.reached >= self._minutes_to(self.next_day)

    def _minutes_to(self, day: date) -> int:
        return (day - self.opening_date.date()).days * DAY

    def _table(self, hits: Any, index: pd.Index) -> pd.DataFrame:
        out = table(hits, len(self), index)
        return out.assign(low=out["probability"], high=out["probability"]) if self.certain else out

    @property
    def _ends(self) -> pd.DataFrame:
        return self.summary.ends

    @property
    def _winners(self) -> list[int]:
        return [*range(len(self.race.names)), -1]

    @property
    def _last_round(self) -> int:
        return int(self._ends["rounds"].max())

    def _name(self, k: int) -> str:
        return self.race.names[k] if k >= 0 else NO_WINNER

    def _possible(self, ending: int) -> list[int]:
        return [-1] if ENDINGS[ending] in ("failed", "unresolved") else self._winners[:-1]

    def _day(self, day: str | date | None) -> date:
        if day is None:
            return self.next_day
        first = self.opening_date.date()
        wanted = day if isinstance(day, date) else _weekday_after(first, day)
        wanted = wanted.date() if isinstance(wanted, datetime) else wanted
        if wanted <= first:
            raise IomsimError(f"{wanted} is not after the opening on {first}; ask for a later day")
        return wanted


def _weekday_after(first: date, name: str) -> date:
    """Return the first day after `first` that has this weekday's name, or the ISO date written."""
    short = str(name)[:3].capitalize()
    if short in WEEKDAYS and DAY_NAMES[WEEKDAYS.index(short)].casefold().startswith(str(name).casefold()):
        ahead = (WEEKDAYS.index(short) - first.weekday()) % 7
        if ahead == 0:
            raise IomsimError(f"the session opens on a {DAY_NAMES[first.weekday()]}; ask for a later day")
        return first + timedelta(days=ahead)
    try:
        return date.fromisoformat(str(name))
    except ValueError:
        raise unknown("day", name, DAY_NAMES) from None
