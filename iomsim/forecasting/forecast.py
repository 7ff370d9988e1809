"""`Forecast`: what all the runs say, as distributions, tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from iomsim.engine.outcomes import Outcomes, join
from iomsim.forecasting import archive, exports, questions, wording
from iomsim.forecasting.drivers import Drivers, Event, drivers
from iomsim.forecasting.estimates import Estimate
from iomsim.forecasting.result import Plot, plain
from iomsim.forecasting.summary import merge, summarise
from iomsim.forecasting.tables import Tables, chances_in_words
from iomsim.house_style import Text, in_html, in_lines, on_screen
from iomsim.model.scenario import Scenario


@dataclass(frozen=True, repr=False, eq=False)
class Forecast(Tables):
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
    draws : Assumptions or None
        The draws of the assumptions that the runs follow; None if they follow the best guesses.
    compare_rules : callable
        Makes the table of readings of the rules when it is first asked for.
    """

    plot = Plot()

    @classmethod
    def open(cls, path: str | Path) -> Forecast:
        """Read a forecast back; every table is the one that was saved, bit for bit.

        Whoever made the file: its counts are those of its runs, its scenario is one, and nothing in it is executed.

        Raises
        ------
        FileError
            If the file is missing, damaged, not a forecast, or written in another format.

        Examples
        --------
        >>> import iomsim as iom, tempfile
        >>> fc = iom.forecast(iom.load("minimal"), runs=200, seed=1)
        >>> fc.save(file := tempfile.mkdtemp() + "/forecast.npz")
        >>> iom.open_forecast(file).win_probability().equals(fc.win_probability())
        True
        """
        return cls(**archive.read(path))

    def save(self, path: str | Path) -> None:
        """Write the forecast to one file, from which :func:`iomsim.open_forecast` reads it back.

        Raises
        ------
        FileError
            If the file cannot be written; if this is a forecast under one reading of several, which goes with the
            whole forecast and cannot be opened without it.
        """
        archive.save(self, path)

    def to_csv(self, folder: str | Path, runs: bool = True) -> list[Path]:
        """Write every table as csv into a folder, and the runs if they are wanted; return the files.

        The first, ``answers.csv``, is the table of :meth:`to_frame`.
        """
        return exports.to_csv(self, folder, runs)

    def to_parquet(self, folder: str | Path, runs: bool = True) -> list[Path]:
        """Write the files of :meth:`to_csv` as Parquet, which keeps the types of columns; return the files.

        Raises
        ------
        IomsimError
            If pyarrow is not installed: ``pip install 'iomsim[files]'``.
        FileError
            If the folder or a file in it cannot be written.
        """
        return exports.to_parquet(self, folder, runs)

    def to_excel(self, path: str | Path, runs: bool = False) -> None:
        """Write a workbook: the answer in words, then a sheet for each file of :meth:`to_csv`.

        No text in it is a formula.

        Parameters
        ----------
        path : str or Path
            An .xlsx file.
        runs : bool, default False
            With the runs and their tallies, which a sheet must have room for.

        Raises
        ------
        IomsimError
            If openpyxl is not installed: ``pip install 'iomsim[files]'``; or a table has more rows than a sheet.
        FileError
            If the file is not called .xlsx, or cannot be written.
        """
        exports.to_excel(self, path, runs)

    def to_frame(self) -> pd.DataFrame:
        """Return all answers as one tidy table.

        Returns
        -------
        DataFrame
            One row an answer:

            * ``question`` (a category): "who wins", "runs into" (the next day), "unfinished at" (the deadline, if
              there is one), "elected in round", "how it ends", "elected in the hour from", "rounds held", "share of
              round N" (the next one);
            * ``outcome``: what is asked after: a candidate, "no winner" and what it is made of, a date, a round, an
              ending and its winner, the beginning of an hour; dates and hours as ISO 8601 has them, by the clocks of
              the seat;
            * ``reading``: the reading of the rules, or "all" for the forecast itself;
            * ``statistic`` (a category): "chance"; of numbers "10 % point", "median" and "90 % point" over the runs;
            * ``value``, and its ``unit`` (a category): "probability" (0 to 1), "rounds", "share of valid papers" (0 to
              1);
            * ``low`` and ``high``: the range of the chance over the assumptions, its 10 % and 90 % points; and
              ``mc_error``, half the width of its 95 % Monte Carlo interval.  All three are missing for numbers, the
              range also where the assumptions are fixed or the runs too few.

        Examples
        --------
        >>> import iomsim as iom
        >>> table = iom.forecast(iom.load("minimal"), runs=1000, seed=1).to_frame()
        >>> held = table.query("question == 'rounds held' and reading == 'all'")
        >>> held[["statistic", "value", "unit"]].values.tolist()
        [['10 % point', 1.0, 'rounds'], ['median', 2.0, 'rounds'], ['90 % point', 7.0, 'rounds']]
        """
        return exports.answers(self)

    def to_xarray(self) -> Any:
        """Return the forecast as arrays with names, if xarray is installed.

        Returns
        -------
        xarray.Dataset
            ``chance(outcome)`` and ``elected_in(round)``, probabilities, each with its ``_low``, ``_high`` and
            ``_mc_error``; ``assumption(draw, parameter)``, the draws of the assumptions, if there are some; and, if
            the runs were kept, ``votes(run, round, candidate)`` and ``valid(run, round)`` in papers (missing where a
            round was not held, or a candidate did not stand), ``winner``, ``ending``, ``rounds_held``, ``present``,
            ``ended_at``, ``decided_at`` (by the clocks of the seat, without a time zone) and ``draw_of_run`` by run.
            Its attributes are :attr:`provenance`.

        Raises
        ------
        IomsimError
            If xarray is not installed: ``pip install xarray``; or so many runs do not fit into memory.
        """
        return exports.to_xarray(self)

    def answer(self, detail: bool = False) -> Text:
        """Return the answer in three or four sentences: who, how many rounds, what it hangs on, and that it is no poll.

        Parameters
        ----------
        detail : bool, default False
            Tell everything: the ranges of all chances, the simulation error, the readings of the rules, the horizon.

        Returns
        -------
        Text
            A string that is printed in lines.  Chances are over all that is unsure; "between 31 and 68" is their
            range over the assumptions, the 10 % and 90 % points.  The simulation error is told if it is above one
            point; it stands in the stamp.  "Nobody" is what the rules end without a winner; what is still open when
            the simulation stops is told apart from it.  On fixed assumptions the answer begins "On the best guesses".
        """
        return wording.answer(self, detail)

    def headline(self) -> Text:
        """Return the answer in one sentence: who, how many rounds, and the next day."""
        return wording.headline(self)

    def probability(
        self,
        event: questions.Event | None = None,
        /,
        *,
        winner: str | None = None,
        round: int | None = None,
        day: str | date | None = None,
        between: tuple[Any, Any] | None = None,
        before: str | date | None = None,
        ending: str | None = None,
        given: Mapping[str, Any] | questions.Event | None = None,
    ) -> Estimate:
        """Return how probable it is that all that is asked for happens, in any combination.

        Parameters
        ----------
        event : callable or array_like of bool, optional
            Any event of the runs: a function of :attr:`runs` that says of each of them whether it happened, or
            what such a function gives.
        winner : str, optional
            A candidate; "no winner", or what it is made of, "nobody" and "still voting".
        round : int, optional
            Voting ends in this round, or with a withdrawal after it: so many rounds were held.  Runs that are still
            voting have not ended; they count if ``ending="open"`` is asked for too.
        day : str or date, optional
            Voting ends on this day of the calendar: "Monday" (the opening day or the next of its name), "Tuesday 23
            May", "2023-05-23" or a date.
        between : pair, optional
            Voting ends at the first moment or later, and before the second.  Moments are written as for
            `before`; hours alone are those of the `day`, or of the opening day if there is none.
        before : str, datetime or date, optional
            Voting ends before this moment, as the clocks of the seat show it: "Monday 18:00" (the opening day or
            the next of its name), "2023-05-16 12:00", "18:00" on the `day` or the opening day, or a datetime.  A day
            alone, "Tuesday" or a date, means its midnight.
        ending : {"majority", "acclamation", "confirmed", "failed", "open"}, optional
            How it ends.
        given : mapping, callable or array_like of bool, optional
            The condition of a conditional chance: a mapping of the keywords above, such as ``{"winner": "Pope"}``,
            or an event.

        Returns
        -------
        Estimate
            The share of the runs, or of those that fulfil the condition; its range over the assumptions and its
            Monte Carlo error.  Of a conditional chance draws of the assumptions count by their runs that fulfil
            the condition; the range is missing if these are too few.

        Raises
        ------
        UnknownNameError
            If there is no such winner or ending, or no such key of `given`; the nearest name is given.
        IomsimError
            If nothing is asked for, a moment cannot be read or is before the opening, moments exclude one another,
            an event does not say True or False of every run, no run fulfils the condition, or an event is asked
            of a forecast that kept only its summary.

        Examples
        --------
        >>> import iomsim as iom
        >>> fc = iom.forecast(iom.load("geneva-2023"), runs=2000, seed=1, progress=False)
        >>> fc.probability(before="Tuesday").value == 1 - fc.spill("Tuesday").value
        True
        >>> rare = fc.probability(winner="Pope", round=2, day="Monday", between=("12:00", "18:00"), ending="majority")
        >>> 0 < rare.value < fc.probability(winner="Pope", round=2).value < fc.probability(winner="Pope").value
        True

        Any event of the runs, and one thing given another:

        >>> fc.probability(lambda runs: runs["rounds"] <= 2).value == float((fc.runs["rounds"] <= 2).mean())
        True
        >>> late = fc.probability(winner="Vitorino", given={"day": "Tuesday"})
        >>> late.runs == int((fc.runs["ended_at"].dt.day == 16).sum())
        True

        Given an assumption, of which every run follows a draw:

        >>> public = fc.assumptions["behaviour.secrecy"] < 0.3
        >>> fc.probability(winner="Pope", given=lambda runs: public[runs["draw"]]).runs < 1000
        True
        """
        asked = questions.Question(winner, round, day, between, before, ending, event)
        return questions.probability(self, asked, given)

    def drivers(self, target: str | Event | None = None) -> Drivers:
        """Return which assumptions the answer hangs on, from the runs already played.

        Parameters
        ----------
        target : str or callable, optional
            A candidate's win (default: the first's), "nobody", "still voting" or "no winner", "spill" (or the weekday
            it means, such as "Tuesday"), "rounds" (their mean); or a function of :attr:`runs` that gives yes or no, or
            a number, for each.

        Returns
        -------
        Drivers
            The share of the variance over the assumptions that each explains by itself, and the curve of the
            chance along it.

        Raises
        ------
        UnknownNameError
            If there is no such target; the nearest name is given.
        IomsimError
            If the forecast played the best guesses, or has too few draws, or too few runs of each.

        Notes
        -----
        The share is ``Var E(event | assumption) / Var P(event | assumptions)``, the first-order index of Sobol, without
        the luck of the runs: see :mod:`iomsim.forecasting.effects`.  What assumptions do together is nobody's share.
        After announcements assumptions are no longer independent: a share holds what an assumption tells of others.

        Examples
        --------
        >>> import iomsim as iom
        >>> found = iom.forecast(iom.load("minimal"), runs=4000, seed=1).drivers("A")
        >>> found.table().columns.tolist()[:6]
        ['name', 'share', 'share_error', 'clear', 'value_low', 'value_high']
        >>> found.curve("secrecy").columns.tolist()
        ['chance', 'low', 'high']
        """
        return drivers(self, target)

    def __repr__(self) -> str:
        """Return the answer, the table of winners and the stamp."""
        shown = plain(chances_in_words(self))
        return f"{self.race.title}\n{in_lines(self.answer())}\n\n{shown}\n\n{on_screen(self.stamp())}"

    def _repr_html_(self) -> str:
        chances = chances_in_words(self).to_html(border=0)
        return in_html(
            f"<h4>{escape(self.race.title)}</h4><p>{escape(self.answer())}</p>"
            f"<div style='display:flex;gap:2em;align-items:center'>{chances}{self.plot.svg('decision_time')}</div>"
            f"<p><small>{escape(self.stamp())}</small></p>"
        )


open_forecast = Forecast.open


def from_outcomes(race: Scenario, seed: int, parts: list[Outcomes], **fields: Any) -> Forecast:
    """Return the forecast that blocks of outcomes add up to, with its other fields."""
    draws = fields.get("draws")
    count = 0 if draws is None else draws.count
    summary = merge(summarise(part, race.rules.max_rounds, count) for part in parts)
    return Forecast(race, seed, summary, join(parts), **fields)
