"""`Tables`: what the counts of a forecast say; `TABLES`: its tables, for files, report, JSON and commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.engine.clock import DAY, DAY_NAMES
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import IomsimError, unknown
from iomsim.forecasting import estimates
from iomsim.forecasting.estimates import Estimate, in_100, in_words, row_in_100
from iomsim.forecasting.summary import Summary, round_numbers, yes_no_rows
from iomsim.house_style import count
from iomsim.model.assumptions import Assumptions
from iomsim.model.components import WEEKDAYS
from iomsim.model.events import events_digest
from iomsim.model.moments import day_in_words, weekday_name
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS, Procedure
from iomsim.typing import Longs

NO_WINNER, NOBODY, STILL_VOTING = "no winner", "nobody", "still voting"
"""That a run elects nobody, and what that is made of: the rules end it, or it is open when the simulation stops."""

ROUNDS_SHOWN = 8
"""Rounds shown one by one."""


def excluded(race: Scenario, rules: Sequence[Procedure]) -> list[str]:
    """Return which of "nobody" and "still voting" all these readings of the rules exclude, unless all withdraw."""
    longest = [reading.longest(len(race.names)) for reading in rules]
    ends = all(most is not None and most <= rules[0].max_rounds for most in longest) and race.clock.deadline is None
    return [NOBODY] * (not any(reading.can_fail for reading in rules)) + [STILL_VOTING] * ends


def own_rules(fc: Tables) -> pd.DataFrame:
    """Return the table of readings of a forecast that is beside no other: its own row."""
    return rule_sets_table({fc.race.rules.name: fc.as_row()})


def sides_columns(names: Sequence[str]) -> list[str]:
    """Return the columns of the table of readings.

    Examples
    --------
    >>> sides_columns(["A", "B"])[:9]
    ['A', 'B', 'no winner', 'spill', 'nobody', 'still voting', 'median_rounds', 'weight', 'A_low']
    """
    chances = [*names, NO_WINNER, "spill", NOBODY, STILL_VOTING]
    beside = [f"{chance}_{what}" for chance in chances for what in ("low", "high", "mc_error")]
    return [*chances, "median_rounds", "weight", *beside]


def rule_sets_table(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return the table of readings from its rows."""
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rules")


@dataclass(frozen=True, repr=False, eq=False)
class Tables:
    """The tables of a forecast; its attributes are those of :class:`iomsim.Forecast`."""

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
    draws: Assumptions | None = None
    compare_rules: Callable[[Tables], pd.DataFrame] = own_rules

    def __len__(self) -> int:
        """Return the number of runs."""
        return self.summary.runs

    def win_probability(self) -> pd.DataFrame:
        """Return who wins: candidates and "no winner".

        Returns
        -------
        DataFrame
            As in every table: `probability`, over everything that is unsure; its range over the assumptions, `low`
            to `high` (missing where the assumptions are fixed, or the runs too few to tell); and `mc_error`, half
            the width of its 95 % Monte Carlo interval.  What is 0 or 1 by rule has no error.
        """
        return self._winners.copy()

    def chances(self) -> pd.DataFrame:
        """Return who wins as sentences and charts tell it, with what "no winner" is made of.

        Returns
        -------
        DataFrame
            Candidates; "nobody", where the rules end the election without a winner; and "still voting", where it
            is not over after the last round that is simulated, or at the deadline: with the columns of
            :meth:`win_probability`.  What the rules exclude is 0 without error.
        """
        return self._chances.copy()

    @cached_property
    def _winners(self) -> pd.DataFrame:
        """Who wins: counted once, for nearly every sentence and chart asks for it."""
        names = [*self.race.names, NO_WINNER]
        winner = self.summary.ends["winner"].to_numpy()
        counts = self.summary.tally_by_draw(np.where(winner < 0, len(names) - 1, winner), len(names))
        return self._table(counts, pd.Index(names, name="winner"), never=self.out)

    @cached_property
    def _chances(self) -> pd.DataFrame:
        """Who wins as sentences and charts tell it."""
        counts = self.summary.tally_by_draw(self.summary.ends["ending"], len(ENDINGS))
        counts = counts[[ENDINGS.index(name) for name in ("failed", "open")]]
        never = [name for name in excluded(self.race, self.rules_played) if not counts[int(name == STILL_VOTING)].any()]
        rest = self._table(counts, pd.Index([NOBODY, STILL_VOTING], name="winner"), never)
        return pd.concat([self._winners.drop(NO_WINNER), rest])

    @property
    def rules_played(self) -> tuple[Procedure, ...]:
        """The readings of the rules that the runs follow."""
        return (self.race.rules,) if self.draws is None else self.draws.readings

    def rounds(self) -> pd.DataFrame:
        """Return the rounds to decision.

        Returns
        -------
        DataFrame
            By round: `probability` that somebody is elected in it, with its range and error;
            `cumulative`, elected by then; `ended_without_winner`, elections that fail in this
            round or are given up after it (before round 1: counted with it); and `undecided`,
            still open afterwards.
        """
        ends = self.summary.ends
        last = int(ends["rounds"].max())
        won = ends["winner"] >= 0
        elected, lost = (self.summary.tally("rounds", last + 1, where) for where in (won, ~won))
        elected, lost = elected[1:], np.append(lost[:2].sum(), lost[2:])[:last]
        counts = self.summary.tally_by_draw(ends["rounds"], last + 1, won)[1:]
        out = self._table(counts, pd.RangeIndex(1, last + 1, name="round"))
        out["cumulative"] = np.cumsum(elected) / len(self)
        out["ended_without_winner"] = lost / len(self)
        out["undecided"] = (len(self) - np.cumsum(elected + lost)) / len(self)
        return out

    def endings(self) -> pd.DataFrame:
        """Return how it ended and for whom: ending and winner by probability, range and error."""
        names, ends = [*self.race.names, NO_WINNER], self.summary.ends
        pairs = [
            (e, k)
            for e, ending in enumerate(ENDINGS)
            for k in ([-1] if ending in ("failed", "open") else range(len(names) - 1))
        ]
        codes = ends["ending"].to_numpy() * len(names) + ends["winner"].to_numpy() + 1
        counts = self.summary.tally_by_draw(codes, len(ENDINGS) * len(names))[
            [e * len(names) + k + 1 for e, k in pairs]
        ]
        index = pd.MultiIndex.from_tuples([(ENDINGS[e], names[k]) for e, k in pairs], names=["ending", "winner"])
        return self._table(counts, index)

    def decided_at(self) -> pd.DataFrame:
        """Return when somebody is elected, hour by hour.

        Returns
        -------
        DataFrame
            By `hour`, the beginning of an hour as the clocks of the seat show it (a date and time without a time
            zone; that of the seat is ``fc.race.clock.timezone``): the `day` in words; `probability` that somebody is
            elected in that hour, with its range over the assumptions and its error; `cumulative`, that somebody is
            elected by its end.  The last row counts the runs that elect nobody: its hour is missing (``NaT``), its day
            is "no winner", and it has no `cumulative`.

            Days are called by their weekday; from a week after the opening on with their date, so that no two are
            called the same.
        """
        won = (self.summary.ends["winner"] >= 0).to_numpy()
        hour = self.summary.ends["minute"].to_numpy() // 60
        hours, place = np.unique(hour[won], return_inverse=True)
        codes = np.full(hour.size, hours.size)
        codes[won] = place
        counts = self.summary.tally_by_draw(codes, hours.size + 1)
        when = [self.opening_date + timedelta(hours=int(h)) for h in hours]
        index = pd.DatetimeIndex([*when, pd.NaT], dtype="datetime64[s]", name="hour")
        out = self._table(counts, index)
        out.insert(0, "day", [*(self.day_in_words(moment.date()) for moment in when), NO_WINNER])
        out["cumulative"] = [*np.cumsum(counts[:-1].sum(axis=1)) / len(self), np.nan]
        return out

    def rule_sets(self) -> pd.DataFrame:
        """Return the readings of the rules side by side.

        Of a scenario that weighs several they are these, each by the runs that follow it.  Otherwise they are the
        readings of the body, played on the same random numbers; rules of the scenario's own that are none of them
        come first.  On an election day they are those under which what was announced could have happened.

        Returns
        -------
        DataFrame
            By reading: probability of each candidate, of no winner, and that voting spills into the next day
            (`spill`); the median rounds; what "no winner" is made of, "nobody" (the rules end it) and "still
            voting"; and the `weight` of the reading: the share of the runs that follow it (missing where it is played
            beside them).  Then, of each of these chances, its range over the assumptions and its Monte Carlo error:
            `Pope_low`, `Pope_high`, `Pope_mc_error` and so on (missing where the assumptions are fixed or the runs
            too few, and of all but the spill in forecasts that were saved before version 0.2).
        """
        return self._rule_sets.copy()

    @cached_property
    def _rule_sets(self) -> pd.DataFrame:
        return self.compare_rules(self)

    def spill(self, day: str | date | None = None) -> Estimate:
        """Return the probability that voting is not over when the day before `day` ends, at midnight.

        Parameters
        ----------
        day : str or date, optional
            A weekday such as "Tuesday" (the first one after the opening), or a date.  Default: the
            next day with a sitting after the opening.

        Notes
        -----
        Days are those of the calendar, and a run that is never over counts: what ends at 00:40 in a
        sitting that passes midnight has run into the next day.

        Raises
        ------
        IomsimError
            If there is no such weekday, or the day is not after the opening.
        """
        if day is None or str(day).casefold() == self.race.clock.next_day_in_words.casefold():
            wanted = self.next_day
        else:
            wanted = _later_day(self.opening_date.date(), day)
        return self.share(self.runs_into(wanted))

    def runs_into(self, day: date) -> pd.Series:
        """Return which of the summary's `ends` are those of runs that are not over when the day before `day` ends."""
        minute = self.summary.ends["minute"]
        return (minute >= self._minutes_to(day)) | (minute < 0)

    def share(self, where: Any) -> Estimate:
        """Return the chance of a condition on the summary's `ends`."""
        if not self.summary.draws:
            return Estimate.of(self.summary.count(where), len(self))
        return Estimate.over(*self.summary.by_draw(where))

    def median_rounds(self) -> tuple[int, int, int]:
        """Return the median, and the 10 % and 90 % points, of the rounds held."""
        low, middle, high = self.summary.quantile("rounds", [0.1, 0.5, 0.9])
        return int(middle), int(low), int(high)

    def as_row(self) -> dict[str, float]:
        """Return the row that this forecast makes beside others, as in :meth:`rule_sets`."""
        spill = self.spill()
        days = [[spill.value, spill.low, spill.high, spill.mc_error]]
        chances = np.concatenate([self._winners, days, self._chances.loc[[NOBODY, STILL_VOTING]]])
        values = [*chances[:, 0].tolist(), self.median_rounds()[0], np.nan, *chances[:, 1:].ravel().tolist()]
        return dict(zip(sides_columns(self.race.names), values, strict=True))

    def by_reading(self) -> dict[str, Tables]:
        """Return the forecast under each reading that the scenario weighs and some runs follow, by its name."""
        if self.draws is None or len(self.draws.readings) == 1:
            return {}
        parts = {}
        for number, rules in enumerate(self.draws.readings):
            own = self.summary.only(self.draws.reading == number)
            if own.runs:
                parts[rules.name] = replace(self, summary=own, draws=self.draws.under(rules))
        return parts

    @property
    def assumptions(self) -> pd.DataFrame:
        """The draws of the assumptions, one row each: the parameters that vary, by path, and the `reading`.

        Run `i` of a forecast follows row ``draw`` of :attr:`runs`.

        Raises
        ------
        IomsimError
            If the forecast played the best guesses.
        """
        if self.draws is None:
            raise IomsimError(
                "this forecast played the best guesses; make it with assumptions=400 to see draws of them"
            )
        return self.draws.table.copy()

    # -- tables of runs ---------------------------------------------------------------------

    @property
    def runs(self) -> pd.DataFrame:
        """One row per run: winner, ending, rounds, members present, when it ended, and its `draw` of the assumptions.

        `winner` and `ending` are categories.  `ended_at` and `decided_at` are moments by the clocks of the seat,
        without a time zone (that is ``fc.race.clock.timezone``); the first is missing for runs still open, the second
        also for failed ones.
        """
        return self._runs.copy()

    @property
    def tallies(self) -> pd.DataFrame:
        """One row per run, round and standing candidate.

        `votes` and `valid`, papers; `share`, the one over the other (0 to 1); `candidate` and `kind` of the round
        ("ballot" or "yes/no", where votes are the yes), categories.
        """
        return self._tallies.copy()

    @cached_property
    def _runs(self) -> pd.DataFrame:
        out, names = self.all_outcomes, [*self.race.names, NO_WINNER]
        ended = pd.Series(np.datetime64(self.opening_date, "m") + out.minute.astype("timedelta64[m]"))
        known = ended.where(out.minute >= 0)
        return pd.DataFrame(
            {
                "winner": pd.Categorical.from_codes(np.where(out.winner < 0, len(names) - 1, out.winner), names),
                "ending": pd.Categorical.from_codes(out.ending, list(ENDINGS)),
                "rounds": out.rounds,
                "present": out.present,
                "ended_at": known,
                "decided_at": known.where(out.winner >= 0),
                "draw": out.draw,
            },
            index=pd.RangeIndex(out.size, name="run"),
        )

    @cached_property
    def _tallies(self) -> pd.DataFrame:
        out = self.all_outcomes
        row, k = np.nonzero(out.votes >= 0)
        votes, valid = out.votes[row, k], out.valid[row]
        return pd.DataFrame(
            {
                "run": np.repeat(np.arange(out.size), out.rounds)[row],
                "round": round_numbers(out)[row],
                "candidate": pd.Categorical.from_codes(k, self.race.names),
                "votes": votes,
                "valid": valid,
                "share": votes / np.maximum(valid, 1),
                "kind": pd.Categorical.from_codes(yes_no_rows(out)[row].astype(int), ["ballot", "yes/no"]),
            }
        )

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

    @cached_property
    def _found(self) -> dict[str, Any]:
        """What chances hang on, by target, so that it is worked out once."""
        return {}

    # -- days and provenance ----------------------------------------------------------------

    @property
    def opening_date(self) -> datetime:
        """Midnight of the day on which the session opens."""
        return datetime.combine(self.race.clock.opens.date(), datetime.min.time())

    @property
    def next_day(self) -> date:
        """The first day with a sitting after the opening date; if there is none, the day after it."""
        return self.race.clock.next_day

    @property
    def next_day_in_words(self) -> str:
        """That day by its weekday; by its date where the weekday could mean another and it is still to come."""
        return weekday_name(self.next_day) if self.spilled else self.race.clock.next_day_in_words

    def day_in_words(self, day: date) -> str:
        """Return a day by its weekday if it is within a week from the opening, else by its date."""
        return day_in_words(day, self.opening_date.date())

    @property
    def over_before_next_day(self) -> bool:
        """Whether the deadline comes before the sittings of another day."""
        clock = self.race.clock
        return clock.deadline is not None and clock.deadline <= datetime.combine(self.next_day, clock.sittings[0][0])

    @property
    def spilled(self) -> bool:
        """Whether something was announced on the next day already, so that the spill is a fact."""
        return self.reached is not None and self.reached >= self._minutes_to(self.next_day)

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, seed, runs, scenario hash, rules, title, the rounds announced, and all that was announced."""
        return {
            "version": self.version,
            "seed": self.seed,
            "runs": len(self),
            "scenario": self.race.hash,
            "rules": self.race.rules.name,
            "title": self.race.title,
            "assumptions": "fixed" if self.draws is None else self.draws.count,
            "announced": self.announced,
            "events": [dict(event) for event in self.events],
        }

    def stamp(self) -> str:
        """Return what is needed to make this forecast again, in one line."""
        p = self.provenance
        return (
            f"iomsim {p['version']} · seed {p['seed']} · {count(p['runs'], 'run')}"
            f"{', assumptions fixed' if self.draws is None else f' of {self.draws.count} draws of the assumptions'}"
            f" · simulation error {100 * self.mc_error:.1f} points · scenario {p['scenario']}"
            f" · rules {self._rules_named}"
        ) + (f" · {len(self.events)} announced, {events_digest(self.events)}" if self.events else "")

    @property
    def mc_error(self) -> float:
        """The largest Monte Carlo error of who wins and of the next day: half the width of its 95 % interval."""
        return max(float(self.win_probability()["mc_error"].max()), self.spill().mc_error)

    @property
    def _rules_named(self) -> str:
        """The rules by name; of several readings the weightiest, and how many they are."""
        several = len(self.rules_played)
        return self.race.rules.name if several == 1 else f"{self.race.rules.name} and {several - 1} other readings"

    def _minutes_to(self, day: date) -> int:
        return (day - self.opening_date.date()).days * DAY

    def _table(self, counts: Longs, index: pd.Index, never: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table from the counts of each draw, shape (rows, draws); some are 0 by rule."""
        drawn = self.summary.draws > 0
        runs = self.summary.runs_of_draws if drawn else len(self)
        out = estimates.table(counts if drawn else counts[:, 0], runs, index)
        sure = ["low", "high", "mc_error"]
        if self.certain:
            out[sure] = np.stack([out["probability"], out["probability"], np.zeros(len(out))], axis=1)
        out.loc[list(never), sure] = 0.0
        return out


def _later_day(first: date, day: str | date) -> date:
    """Return the day that a weekday's name, a date or an ISO date means, if it is after the first."""
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
            raise IomsimError(
                f"the session opens on a {DAY_NAMES[first.weekday()]}; ask for a later day, or by its date"
            )
        return first + timedelta(days=ahead)
    try:
        return date.fromisoformat(str(name))
    except ValueError:
        raise unknown("day", name, DAY_NAMES) from None


# -- the list of tables ------------------------------------------------------------------------------


def first_rounds(fc: Tables) -> pd.DataFrame:
    """Return the first rounds one by one, and what comes after them in one row."""
    table = fc.rounds()
    shown = table[["probability", "low", "high", "mc_error"]].head(ROUNDS_SHOWN)
    if len(table) > ROUNDS_SHOWN:
        ends = fc.summary.ends
        later = fc.share((ends["winner"] >= 0) & (ends["rounds"] > ROUNDS_SHOWN))
        shown.loc[f"{ROUNDS_SHOWN + 1} or more"] = [later.value, later.low, later.high, later.mc_error]
    return shown.rename_axis("elected in round")


def rounds_in_words(fc: Tables) -> pd.DataFrame:
    """Return in which round somebody is elected, and how many end in it for nobody, per hundred.

    Rounds that have gone by without that are left out.
    """
    shown, ends = first_rounds(fc), fc.summary.ends
    told, rounds = in_words(shown), ends["rounds"].clip(1, len(shown))
    if fc.chances()["mc_error"][NOBODY]:
        failed = ends["ending"] == ENDINGS.index("failed")
        lost = [fc.share(failed & (rounds == number)) for number in range(1, len(shown) + 1)]
        told["nobody"] = [row_in_100(part.value, part.mc_error) for part in lost]
    return told.iloc[min(max(fc.announced - 1, 0), len(shown) - 1) :]


def rule_sets_in_words(fc: Tables) -> pd.DataFrame:
    """Return the readings of the rules side by side, per hundred; endings that none of them has are left out."""
    table = fc.rule_sets()
    rest = [name for name in (NOBODY, STILL_VOTING) if table.get(name, pd.Series(0.0)).any()]
    spill = "unfinished" if fc.over_before_next_day else f"into {fc.next_day_in_words}"
    asked = [*fc.race.names, *rest, "spill"]
    errors = {name: table[f"{name}_mc_error"].fillna(1e-9) for name in asked}  # old files do not know them
    told = {name: map(row_in_100, table[name], errors[name]) for name in asked}
    shown = pd.DataFrame(told, table.index)
    shown = shown.rename(columns={"spill": spill}).assign(**{"median rounds": table["median_rounds"]})
    weighed = {} if table["weight"].isna().all() else {"weight in 100": table["weight"].map(in_100)}
    return shown.assign(**weighed)


def chances_in_words(fc: Tables) -> pd.DataFrame:
    """Return who wins per hundred; what the rules exclude is left out, but no candidate."""
    table = fc.chances()
    return in_words(table.drop([name for name in (NOBODY, STILL_VOTING) if not table["mc_error"][name]]))


class ResultTable(NamedTuple):
    """A table of a forecast: its heading, its numbers, and how it is shown to readers, if it is."""

    heading: str
    numbers: Callable[[Tables], pd.DataFrame]
    in_words: Callable[[Tables], pd.DataFrame] | None


TABLES = {
    "win_probability": ResultTable("Who wins", Tables.win_probability, chances_in_words),
    "rounds": ResultTable("After how many rounds", Tables.rounds, rounds_in_words),
    "endings": ResultTable("How it ends", Tables.endings, lambda fc: in_words(fc.endings().query("probability > 0"))),
    "decided_at": ResultTable("When it is decided", Tables.decided_at, None),
    "rule_sets": ResultTable("By the reading of the rules", Tables.rule_sets, rule_sets_in_words),
}
"""The tables that answer, by the name of their file."""
