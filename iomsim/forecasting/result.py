"""What all what-ifs answer with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from iomsim._version import VERSION
from iomsim.forecasting.estimates import thousands
from iomsim.forecasting.forecast import Forecast
from iomsim.model.scenario import Scenario


class Result(ABC):
    """A what-if's answer: a sentence, a table, a chart, and what is needed to make it again."""

    race: Scenario
    seed: int
    runs: int

    SHOWN = 15
    EACH = "each"

    @abstractmethod
    def sentence(self) -> str:
        """Return the finding in words."""

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """Return the numbers."""

    def stamp(self) -> str:
        """Return what is needed to make this again, in one line."""
        p = self.provenance
        return (
            f"iomsim {p['version']} · seed {p['seed']} · {thousands(p['runs'])} runs {self.EACH} · "
            f"scenario {p['scenario']} · rules {p['rules']}"
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, seed, runs, scenario hash, rules and title."""
        return {
            "version": VERSION,
            "seed": self.seed,
            "runs": self.runs,
            "scenario": self.race.hash,
            "rules": self.race.rules.label,
            "title": self.race.title,
        }

    def __repr__(self) -> str:
        """Return the sentence, the head of the table and the stamp."""
        table = self._head()
        shown = [table.to_string(max_rows=self.SHOWN)] if len(table) else []
        return "\n\n".join([self.sentence(), *shown, self.stamp()])

    def _repr_html_(self) -> str:
        table = self._head().to_html(border=0, max_rows=self.SHOWN)
        return f"<div><p>{escape(self.sentence())}</p>{table}<p><small>{escape(self.stamp())}</small></p></div>"

    def _head(self) -> pd.DataFrame:
        """Return the part of the table that is shown."""
        return self.table().round(3)


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


def frame(rows: Mapping[Any, Any], columns: Sequence[str], name: str) -> pd.DataFrame:
    """Return a table from its rows."""
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns)).rename_axis(name)
