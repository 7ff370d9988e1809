"""What all results share: a sentence, a table, charts, and what is needed to make them again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from html import escape
from importlib import import_module
from typing import Any

import pandas as pd

from iomsim._version import VERSION
from iomsim.house_style import in_html, in_lines, thousands
from iomsim.model.scenario import Scenario


class Plot:
    """The charts of a result: ``result.plot.<name>()`` draws one, ``result.plot.<name>_data()`` gives its numbers.

    They are looked up by the result's class in `iomsim.charts`, which is loaded when first asked.
    """

    def __get__(self, result: Any, owner: type) -> Any:
        """Return the charts of the result."""
        return self if result is None else import_module("iomsim.charts").of(result)


class Result(ABC):
    """A result: a sentence, a table, charts, and what is needed to make it again."""

    plot = Plot()

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
            "rules": self.race.rules.name,
            "title": self.race.title,
        }

    def __repr__(self) -> str:
        """Return the sentence, the head of the table and the stamp."""
        table = self._head()
        shown = [table.to_string(max_rows=self.SHOWN)] if len(table) else []
        return "\n\n".join([in_lines(self.sentence()), *shown, self.stamp()])

    def _repr_html_(self) -> str:
        table = self._head().to_html(border=0, max_rows=self.SHOWN)
        return in_html(f"<p>{escape(self.sentence())}</p>{table}<p><small>{escape(self.stamp())}</small></p>")

    def _head(self) -> pd.DataFrame:
        """Return the part of the table that is shown."""
        return self.table().round(3)


def frame(rows: Mapping[Any, Any], columns: Sequence[str], name: str) -> pd.DataFrame:
    """Return a table from its rows."""
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns)).rename_axis(name)
