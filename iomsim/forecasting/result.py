"""What all results share: a sentence, a table, charts, and what is needed to make them again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from html import escape
from importlib import import_module
from typing import Any

import pandas as pd

from iomsim._version import VERSION
from iomsim.house_style import ENDLESS, columns, in_html, in_lines, on_screen, thousands
from iomsim.model.scenario import Scenario

REST = "table() has them all"
"""Where the rows are that are not shown."""


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

    def text(self, rest: str = REST) -> str:
        """Return what is printed: the sentence, the head of the table, and the stamp; `rest` says who has all rows."""
        table = self._head()
        shown = [plain(table.head(self.SHOWN)) + self._more(table, f"\n{{}}; {rest}")] if len(table) else []
        return "\n\n".join([in_lines(self.sentence()), *shown, on_screen(self.stamp())])

    def __repr__(self) -> str:
        """Return the sentence, the head of the table and the stamp."""
        return self.text()

    def _repr_html_(self) -> str:
        table = self._head()
        shown = table.head(self.SHOWN).to_html(border=0) + self._more(table, f"<p>{{}}; {REST}</p>")
        return in_html(f"<p>{escape(self.sentence())}</p>{shown}<p><small>{escape(self.stamp())}</small></p>")

    def _head(self) -> pd.DataFrame:
        """Return the table as it is shown, of which the first rows are."""
        return self.table().round(3)

    def _more(self, table: pd.DataFrame, how: str) -> str:
        """Return how many rows are not shown, if there are some."""
        rest = len(table) - self.SHOWN
        return how.format(f"... {thousands(rest)} more") if rest > 0 else ""


def plain(table: pd.DataFrame) -> str:
    """Return a table as text, its index names in the line of the columns.

    What is wider than the terminal is shown some columns after the other.

    Examples
    --------
    >>> print(plain(frame({"Pope": [46], "Vitorino": [45]}, ["in 100"], "winner")))
      winner  in 100
        Pope      46
    Vitorino      45
    """
    whole, named = columns(ENDLESS), any(table.index.names)
    text = str((table.reset_index() if named else table).to_string(index=not named, sparsify=False))
    if max(map(len, text.splitlines())) <= whole:
        return text
    if named and table.index.nlevels == 1:
        table = table.rename_axis(index=None, columns=table.index.name)
    return str(table.to_string(line_width=whole))


def frame(rows: Mapping[Any, Any], columns: Sequence[str], name: str) -> pd.DataFrame:
    """Return a table from its rows."""
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns)).rename_axis(name)
