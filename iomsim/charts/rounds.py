"""After how many rounds voting is over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from iomsim.charts.base import ForecastChart, key, lay_out, note, range_lines, row, tips
from iomsim.charts.style import FIRST_DAY, LATER_DAY, NOBODY_GREY, faint, haloed, ink, quiet
from iomsim.charts.text import announced_votes, chance, how_sure, left_in_100, short_names
from iomsim.engine.clock import DAY
from iomsim.errors import IomsimError, quote
from iomsim.forecasting.estimates import table
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.forecasting.wording import rounds_in_words, unfinished
from iomsim.model.moments import weekday_name
from iomsim.rules.procedure import ENDINGS

MAX_BARS = 12
"""Rounds with a bar of their own, the last of them open-ended."""

HATCHED: dict[str, Any] = {"hatch": "////", "edgecolor": "white"}
OPEN: dict[str, Any] = {"facecolor": "white", "hatch": "////", "edgecolor": NOBODY_GREY}
DAYS = (
    {"color": FIRST_DAY},
    {"facecolor": FIRST_DAY} | HATCHED,
    {"color": LATER_DAY},
    {"facecolor": LATER_DAY} | HATCHED,
    OPEN,
)
"""The parts of a bar by day: ends on the opening day, and without a winner; later, and without a winner; still open."""

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "majority": ("by majority", {"color": "#5B4A8A"}),
    "acclamation": ("the other withdraws", {"color": "#B3A2D6"}),
    "confirmed": ("confirmed alone", {"color": "#66A891"}),
    "failed": (NOBODY, {"facecolor": NOBODY_GREY} | HATCHED),
    "open": (STILL_VOTING, OPEN),
}
"""The parts of a bar by ending, in words and as drawn."""


AFTER_MIDNIGHT = "after midnight"


@dataclass(kw_only=True)
class Rounds(ForecastChart):
    """Draw in which round voting ends, and under each round how many elections are still undecided.

    "Nobody" is what the rules end without a winner; elections that are still voting after the last round that is
    simulated, or at the deadline, are parts of their own of its bar.

    Parameters
    ----------
    by : {"day", "ending"}
        Stack the bars by the day on which voting ends, or by how it ends.
    most : int, default 12
        Rounds with a bar of their own; the last one takes all later rounds too.

    Raises
    ------
    IomsimError
        If `by` is neither "day" nor "ending".

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.rounds_data().loc["12+", "undecided"]
    np.float64(0.0)
    """

    by: str = "day"
    most: int = MAX_BARS
    size = (7.2, 3.4)

    @cached_property
    def data(self) -> pd.DataFrame:
        """In which round voting ends, split as the bars are.

        By round, the last one pooled ("12+"): one column of probabilities for each part of the
        bars, their sum `ends` with its range over the assumptions, `low` to `high`, and its Monte Carlo error,
        `mc_error`; and `undecided`, the runs still open afterwards.
        """
        fc, summary, most = self.result, self.result.summary, self.most
        held = max(int(summary.ends["rounds"].max()), 1)
        labels = [str(r) for r in range(1, held + 1)] if held <= most else [*map(str, range(1, most)), f"{most}+"]
        bar = np.clip(summary.ends["rounds"], 1, len(labels)).to_numpy() - 1  # what ends before round 1 goes with it
        counts = summary.tally_by_draw(bar, len(labels))
        hits, runs = (counts, summary.runs_of_draws) if summary.draws else (counts[:, 0], len(fc))
        whole = table(hits, runs, pd.Index(labels, name="round")).rename(columns={"probability": "ends"})
        whole = whole.assign(low=whole["ends"], high=whole["ends"], mc_error=0.0) if fc.certain else whole
        parts = {name: summary.tally_by_draw(bar, len(labels), where).sum(axis=1) for name, where in self._parts()}
        out = pd.DataFrame({name: number / len(fc) for name, number in parts.items()}, index=whole.index).join(whole)
        out["undecided"] = (len(fc) - np.cumsum(counts.sum(axis=1))) / len(fc)
        return out

    def _parts(self) -> list[tuple[str, Any]]:
        """Return the parts of a bar: name and which ends belong to it."""
        fc, ends = self.result, self.result.summary.ends
        if self.by == "ending":
            return [(name, ends["ending"] == e) for e, name in enumerate(ENDINGS) if (ends["ending"] == e).any()]
        if self.by != "day":
            raise IomsimError(f"rounds can be split by 'day' or 'ending', got {quote(self.by)}")
        won, over, first = ends["winner"] >= 0, ends["minute"] >= 0, ends["minute"] < DAY
        late = AFTER_MIDNIGHT if fc.over_before_next_day else f"{fc.next_day_in_words} or later"
        days = ((weekday_name(fc.opening_date), over & first), (late, over & ~first))
        parts = [(name, when & who) for day, when in days for name, who in ((day, won), (f"{day}, {NOBODY}", ~won))]
        return [*parts, (STILL_VOTING, ~over)]

    def finding(self) -> str:
        return rounds_in_words(self.result)

    def reading(self) -> str:
        split = "the day of the end" if self.by == "day" else "how it ends"
        words = f"Of 100 elections, how many end after so many rounds, by {split}."
        return f"{words} {how_sure(self.result, self.data)}".strip()

    def alt(self) -> str:
        bars = "; ".join(f"round {name} {chance(self.result, p)}" for name, p in self.data["ends"].items())
        return f"Bar chart of the rounds to the end, of 100 elections: {bars}."

    def marks(self, ax: Axes) -> float:
        data, x = self.data, _places(self.data)
        floor, parts = np.zeros(len(data)), data.loc[:, :"ends"].iloc[:, :-1]
        looks = list(DAYS) if self.by == "day" else [WAYS[part][1] for part in parts]
        for part, look in zip(parts, looks, strict=True):
            ax.bar(x, 100 * data[part], bottom=floor, width=0.8, lw=0, **look)
            floor = floor + 100 * data[part].to_numpy()
        lines = range_lines(ax, x, data, upright=True)
        for place, share, line in zip(x, data["ends"], lines, strict=True):
            if share:  # beside the line, at the bar that it is the height of
                look = {"ha": "left", "path_effects": haloed()} if line else {"ha": "center"}
                note(ax, chance(self.result, share), (place, 100 * share), (2.5 * line, 2.5), **look)
        ax.set(ylim=(0, 1.14 * tips(data, "ends").max()), xlim=(0.4, max(x[-1], 6) + 0.6), yticks=[])
        ax.spines["left"].set_visible(False)
        self._under(ax, x)
        return self._key(ax, parts.sum()) + 4

    def _key(self, ax: Axes, totals: pd.Series) -> float:
        """Say what the colours are, and how often each comes; return the height of it."""
        if self.by == "ending":
            entries = [(WAYS[part][0], totals[part], WAYS[part][1]) for part in totals.index]
        else:  # the days with all that ends on them, and apart from them those without a winner
            ends = [f"over {'' if name == AFTER_MIDNIGHT else 'on '}{name}" for name in totals.index[[0, 2]]]
            entries = [(end, totals.iloc[i : i + 2].sum(), DAYS[i]) for end, i in zip(ends, (0, 2), strict=True)]
            entries.append((f"hatched: {NOBODY}", totals.iloc[1::2].sum(), {"facecolor": quiet()} | HATCHED))
            entries.append((STILL_VOTING, totals.iloc[4], DAYS[4]))
        lay_out(ax)  # so that as many entries as fit stand beside one another
        when = {STILL_VOTING: f"{STILL_VOTING} {unfinished(self.result)}"}
        shown = [(f"{when.get(word, word)}: {chance(self.result, p)} of 100", look) for word, p, look in entries if p]
        return key(ax, [Patch(lw=0, **look) for _, look in shown], [word for word, _ in shown], above=True)

    def _under(self, ax: Axes, x: np.ndarray) -> None:
        """Write the rounds, under them the elections still undecided, and what has been announced."""
        fc, data = self.result, self.data
        ax.set_xticks(x, list(data.index))
        ax.tick_params(axis="x", length=0)
        left = [left_in_100(p) for p in data["undecided"]]
        held = min(max(fc.announced - 1, 0), len(left))
        row(ax, "round", [], [], 0)
        row(ax, "still undecided", x, ["all"] * held + left[held:], 1)
        last = min(fc.announced, len(data))
        if last:
            ax.axvspan(0.5, last + 0.5, color=faint(), zorder=0)
        called = short_names(fc.race.names)
        for line, (name, votes) in enumerate(announced_votes(fc, last).items(), start=2):
            colour = ink(fc.race.colours[name])
            row(ax, f"{called[name]}, announced", x[:last], votes, line, color=colour, weight="bold")


def _places(data: pd.DataFrame) -> np.ndarray:
    """Return where the bars stand; one that is open-ended stands apart."""
    return np.arange(1, len(data) + 1) + np.array([0.4 * str(name).endswith("+") for name in data.index])
