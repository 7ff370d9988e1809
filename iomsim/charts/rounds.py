"""After how many rounds voting is over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from iomsim.charts.base import ForecastChart
from iomsim.charts.labels import announced_inches, announced_rows, key, note, range_lines, row, tips
from iomsim.charts.measures import lay_out, width_points
from iomsim.charts.session_axis import called, day_colours, day_of, later_day, present
from iomsim.charts.style import NOBODY_GREY, faint, haloed, mark, open_look, paper, pt, small
from iomsim.charts.text import announced_votes, chance, how_sure, left_in_100
from iomsim.engine.clock import DAY, HORIZON
from iomsim.errors import IomsimError, quote
from iomsim.forecasting.estimates import table
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.forecasting.wording import rounds_in_words, unfinished
from iomsim.model.moments import weekday_name
from iomsim.rules.procedure import ENDINGS

MAX_BARS = 12
"""Rounds with a bar of their own, the last of them open-ended."""

AFTER_MIDNIGHT = "after midnight"

WAYS = {
    "majority": ("by majority", "#5B4A8A"),
    "acclamation": ("the other withdraws", "#B3A2D6"),
    "confirmed": ("confirmed alone", "#66A891"),
    "failed": (NOBODY, NOBODY_GREY),
    "open": (STILL_VOTING, NOBODY_GREY),
}
"""The parts of a bar by ending: in words, and their colours."""


SIDE = 0.24
"""How far at the right of its middle the range of a bar is drawn: beside the bar's number."""


def _solid(colour: str, nobody: bool = False) -> dict[str, Any]:
    """Return how a part of a bar is drawn; what has no winner is hatched."""
    return {"facecolor": mark(colour), "lw": 0} | ({"hatch": "////", "edgecolor": paper()} if nobody else {})


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

    def natural(self) -> tuple[float, float]:
        """Return the size for the house's letters: higher, where more than two have a row of announced votes."""
        return self.size[0], self.size[1] + announced_inches(self.result)

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
        won, over = ends["winner"] >= 0, ends["minute"] >= 0
        later = later_day(fc)
        late = AFTER_MIDNIGHT if later is None else f"{called(fc, later)} or later"
        now = called(fc, day_of(fc, present(fc))) if fc.spilled else weekday_name(fc.opening_date)
        first = ends["minute"] < (DAY if later is None and not fc.spilled else (later or HORIZON) * DAY)
        days = ((now, over & first), (late, over & ~first))
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
        for part, look in zip(parts, self._looks(list(parts)), strict=True):
            seen = np.flatnonzero(data[part])
            heights = 100 * data[part].to_numpy()
            ax.bar(x[seen], heights[seen], bottom=floor[seen], width=0.8, **look)
            floor = floor + heights
        lines = range_lines(ax, x + SIDE, data, upright=True)
        most = max(x[-1], 6) + 0.2
        size = min(float(mpl.rcParams["font.size"]), self._narrow(ax, most))
        for place, share, line in zip(x, data["ends"], lines, strict=True):
            if share:  # at the left of the line, at the bar that it is the height of
                look = {"ha": "right", "path_effects": haloed()} if line else {"ha": "center"}
                at, shift = (place + SIDE * line, 100 * share), (pt(-2.5) * line, pt(2.5))
                note(ax, chance(self.result, share), at, shift, fontsize=size, **look)
        ax.set(ylim=(0, 1.14 * tips(data, "ends").max()), xlim=(0.4, most + 0.4), yticks=[])
        ax.spines["left"].set_visible(False)
        self._under(ax, x)
        return self._key(ax, parts.sum()) + 4

    @staticmethod
    def _narrow(ax: Axes, rounds: float, digits: int = 2) -> float:
        """Return the size of letters at which a number of so many digits is as wide as a round, in points."""
        return 0.75 * width_points(ax) / rounds / (0.7 * digits)

    def _looks(self, parts: list[str]) -> list[dict[str, Any]]:
        """Return how the parts of a bar are drawn."""
        if self.by == "ending":
            return [open_look() if part == "open" else _solid(WAYS[part][1], part == "failed") for part in parts]
        days = [_solid(colour, nobody) for colour in day_colours(self.result) for nobody in (False, True)]
        return [*days, open_look()]

    def _key(self, ax: Axes, totals: pd.Series) -> float:
        """Say what the colours are, and how often each comes; return the height of it."""
        if self.by == "ending":
            looks = self._looks(list(totals.index))
            entries = [(WAYS[part][0], totals[part], look) for part, look in zip(totals.index, looks, strict=True)]
        else:  # the days with all that ends on them, and apart from them those without a winner
            ends = [f"over {'' if name == AFTER_MIDNIGHT else 'on '}{name}" for name in totals.index[[0, 2]]]
            colours = day_colours(self.result)
            entries = [(end, totals.iloc[2 * i : 2 * i + 2].sum(), _solid(colours[i])) for i, end in enumerate(ends)]
            entries.append((f"hatched: {NOBODY}", totals.iloc[1:4:2].sum(), _solid(NOBODY_GREY, nobody=True)))
            entries.append((STILL_VOTING, totals.iloc[4], open_look()))
        lay_out(ax)  # so that as many entries as fit stand beside one another
        when = {STILL_VOTING: f"{STILL_VOTING} {unfinished(self.result)}"}
        shown = [(f"{when.get(word, word)}: {chance(self.result, p)} of 100", look) for word, p, look in entries if p]
        return key(ax, [Patch(**look) for _, look in shown], [word for word, _ in shown], above=True)

    def _under(self, ax: Axes, x: np.ndarray) -> None:
        """Write the rounds, under them the elections still undecided, and what has been announced."""
        fc, data = self.result, self.data
        ax.set_xticks(x, list(data.index))
        ax.tick_params(axis="x", length=0)
        left = [left_in_100(p) for p in data["undecided"]]
        held = min(max(fc.announced - 1, 0), len(left))
        left = ["all"] * held + left[held:]
        size = min(small(), self._narrow(ax, x[-1], max((len(word) for word in left if word != "all"), default=1)))
        row(ax, "round", [], [], 0)
        row(ax, "still undecided", x, left, 1, fontsize=size)
        last = min(fc.announced, len(data))
        if last:
            ax.axvspan(0.5, last + 0.5, color=faint(), alpha=0.6, lw=0, zorder=0)
        digits = max([1, *(len(count) for votes in announced_votes(fc, last).values() for count in votes)])
        announced_rows(ax, fc, list(x[:last]), min(small(), self._narrow(ax, len(data), digits)))


def _places(data: pd.DataFrame) -> np.ndarray:
    """Return where the bars stand; one that is open-ended stands apart."""
    return np.arange(1, len(data) + 1) + np.array([0.4 * str(name).endswith("+") for name in data.index])
