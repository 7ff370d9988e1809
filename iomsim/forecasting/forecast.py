"""`Forecast`: what all the runs say, as distributions, tables and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from iomsim.engine.outcomes import Outcomes, join
from iomsim.forecasting import archive, wording
from iomsim.forecasting.result import Plot
from iomsim.forecasting.summary import merge, summarise
from iomsim.forecasting.tables import Tables, chances_in_words
from iomsim.house_style import in_lines
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

        Raises
        ------
        FileError
            If the file is missing, damaged, not a forecast, or written in a newer format.
        """
        return cls(**archive.read(path))

    def save(self, path: str | Path) -> None:
        """Write the forecast to one file, from which :func:`iomsim.open_forecast` reads it back."""
        archive.save(self, path)

    def to_csv(self, folder: str | Path, runs: bool = True) -> list[Path]:
        """Write every table as csv into a folder, and the runs if they are wanted; return the files."""
        return archive.to_csv(self, folder, runs)

    def answer(self) -> str:
        """Return the answer in plain sentences: who, how many rounds, the next day or not.

        It names both kinds of uncertainty and keeps them apart: the Monte Carlo error, which
        shrinks with runs, and the range over the readings of the rules, which does not.  "Nobody" is what the
        rules end without a winner; what is still open when the simulation stops is told apart from it.
        """
        return wording.answer(self)

    def __repr__(self) -> str:
        """Return the answer, the table of winners and the stamp."""
        shown = chances_in_words(self).to_string()
        return f"{self.race.title}\n{in_lines(self.answer())}\n\n{shown}\n\n{self.stamp()}"

    def _repr_html_(self) -> str:
        chances = chances_in_words(self).to_html(border=0)
        return (
            f"<div><h4>{escape(self.race.title)}</h4><p>{escape(self.answer())}</p>"
            f"<div style='display:flex;gap:2em;align-items:center'>{chances}{self.plot.svg('decision_time')}</div>"
            f"<p style='color:#767676;font-size:80%'>{escape(self.stamp())}</p></div>"
        )


open_forecast = Forecast.open


def from_outcomes(race: Scenario, seed: int, parts: list[Outcomes], **fields: Any) -> Forecast:
    """Return the forecast that blocks of outcomes add up to, with its other fields."""
    draws = fields.get("draws")
    count = 0 if draws is None else draws.count
    summary = merge(summarise(part, race.rules.max_rounds, count) for part in parts)
    return Forecast(race, seed, summary, join(parts), **fields)
