"""How the shares of the vote may move from round to round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from iomsim.charts.base import ForecastChart
from iomsim.charts.canvas import steady
from iomsim.charts.labels import note, place, row
from iomsim.charts.measures import (
    LEADING,
    NARROW,
    height_points,
    root,
    row_points,
    settle,
    text_width,
    width_points,
)
from iomsim.charts.style import dark, haloed, ink, mark, on_a_phone, paper, pt, quiet, small
from iomsim.charts.text import IN_TITLES, left_in_100, on_best_guesses, short_names, tally
from iomsim.errors import whole_number
from iomsim.forecasting.summary import yes_no_rows
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.wording import favourite
from iomsim.house_style import NO_BREAK, number_of, percent
from iomsim.rules.bar import Bar
from iomsim.rules.procedure import ENDINGS

MAX_ROUNDS = 12
"""Rounds shown."""

BANDS = {"half of the\nelections": (0.25, 0.75), "80 of 100": (0.10, 0.90)}
"""How many elections lie inside a band, as it is written beside it, and its ends."""

HEAD_POINTS, FOOT_POINTS = 15, 40
"""Points over a panel for its name, and under it for the rounds."""

LEAST_POINTS, LOW_POINTS = 20, 50
"""Points that a panel is high at least, and below which it has no room for several words."""

WORD_POINTS = 18
"""Points from word to word in the row under a panel."""

MIN_BAND_RUNS = 20
"""Runs that a band is drawn from; fewer show nothing but noise."""

COLUMNS, PHONE_COLUMNS = 4, 2
"""Panels beside one another, and where there is less room."""

FEW = 4
"""Rounds of which there is room for as many at least."""

END = 0.12
"""How far bands reach beyond their first and last rounds."""

FRACTIONS = {Fraction(2, 3): "two thirds", Fraction(1, 2): "half", Fraction(1, 3): "one third"}


@dataclass(kw_only=True)
class Trajectories(ForecastChart):
    """Draw how the shares may move: bands of the elections that vote on, and nine examples.

    With two candidates the leader's share tells all, and the other is elected below the lower
    line; with more each candidate has a panel.  Elections that are over leave the bands, which is
    why those seem to turn back towards the middle: the row "hold a ballot" says how many are left (a
    yes or no to the leader alone is none).

    Parameters
    ----------
    most : int, default 12
        Rounds shown.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.trajectories_data().loc[("A", 1), "voting"]
    np.float64(1.0)
    """

    most: int = MAX_ROUNDS
    size = (7.2, 3.9)

    def __post_init__(self) -> None:
        self.names, self.colours = self.result.race.names, self.result.race.colours
        self._called = short_names(self.names)

    def natural(self) -> tuple[float, float]:
        """Return the size for the house's letters: higher, where panels stand in several lines."""
        lines = self._panel_lines(PHONE_COLUMNS if on_a_phone() else COLUMNS)
        return self.size[0], self.size[1] if len(self.names) == 2 else 1.4 + 2.2 * lines

    def _panel_lines(self, across: int) -> int:
        """Return in how many lines panels stand, so many beside one another at most."""
        return -(-len(self.names) // across)

    # -- the numbers -----------------------------------------------------------------------------

    @cached_property
    def data(self) -> pd.DataFrame:
        """The bands: where a candidate's share lies among the runs in which the round is voted.

        Yes/no rounds are left out.  A band of fewer than 20 runs is missing.

        By candidate and round: `p10`, `p25`, `p75` and `p90`, quantiles of the share of valid papers; `voting`, the
        part of all runs in which the round is held and the candidate stands; and `announced`, whether the round is a
        fact.
        """
        voted = np.flatnonzero(self.result.summary.voting).max(initial=0) + 1
        rounds = range(1, min(whole_number("most", self.most, 1), int(voted)) + 1)
        rows = {(name, r): self._band(k, r) for k, name in enumerate(self.names) for r in rounds}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["candidate", "round"])

    def _band(self, k: int, round_: int) -> dict[str, Any]:
        fc = self.result
        voting, known = int(fc.summary.shares[round_ - 1, k].sum()), self._announced(k, round_)
        ends = sorted(p for pair in BANDS.values() for p in pair)
        enough = fc.summary.share_quantile(round_, k, ends) if voting >= MIN_BAND_RUNS else np.full(len(ends), np.nan)
        quantiles = np.full(len(ends), known) if known is not None else enough
        named = {f"p{round(100 * p)}": float(q) for p, q in zip(ends, quantiles, strict=True)}
        return {**named, "voting": voting / len(fc), "announced": round_ <= fc.announced}

    def _announced(self, k: int, round_: int) -> float | None:
        """Return a candidate's share in an announced round, or None where it is not known."""
        votes, examples = (tally(self.result, round_) or {}).get(self.names[k]), self.result.summary.examples
        valid = examples.valid[examples.starts[0] + round_ - 1] if votes is not None else 0
        return float(votes / valid) if votes is not None and valid else None

    def _examples(self, k: int, most: int) -> list[tuple[np.ndarray, int, bool]]:
        """Return a candidate's share by round, who wins (-1: nobody), and whether its end is shown."""
        runs = self.result.summary.examples
        share = np.where(runs.votes[:, k] >= 0, runs.votes[:, k] / np.maximum(runs.valid, 1), np.nan)
        ordinary, out = ~yes_no_rows(runs), []
        for start, held, winner, ending in zip(runs.starts, runs.rounds, runs.winner, runs.ending, strict=True):
            here = slice(start, start + held)
            path = share[here][ordinary[here]]
            out.append((path[:most], int(winner), len(path) <= most and ENDINGS[ending] != "open"))
        return out

    @cached_property
    def leader(self) -> int:
        """The candidate most likely to win; of several who are level, the first."""
        return self.names.index(favourite(self.result))

    # -- the words -------------------------------------------------------------------------------

    def finding(self) -> str:
        name = self.names[self.leader]
        called = short_names(self.names, IN_TITLES)[name]
        mine = self.data.loc[name]
        ahead = mine[~mine["announced"] & mine["p25"].notna()]
        if ahead.empty:
            last = self._announced(self.leader, len(mine))
            took = f"{called} took {percent(100 * last)} in round {len(mine)}" if last else ""
            return took or "Too few elections vote to say where the shares lie"
        round_, low, high = ahead.index[0], 100 * ahead["p25"].iloc[0], 100 * ahead["p75"].iloc[0]
        where = "all elections" if ahead["voting"].iloc[0] == 1 else "the elections that hold it"
        span = percent(f"{low:.0f} to {high:.0f}").replace(" ", NO_BREAK)
        return f"{called} takes {span} in round {round_} in half of {where}"

    def reading(self) -> str:
        many, shown = len(self.names) > 2, self.result.summary.examples.size
        whose = "the shares" if many else f"{self._called[self.names[self.leader]]}'s share"
        out = "; cross: the candidate is out" if many else ""
        return (
            f"Bands: {whose} of valid papers in the elections that hold a ballot (last row). Lines: "
            f"{number_of(shown, 'election')} as {'an example' if shown == 1 else 'examples'}; dot: decided, in the "
            f"winner's colour{out}.{on_best_guesses(self.result)}"
        )

    def alt(self) -> str:
        voting = self.data.loc[self.names[self.leader], "voting"]
        left = ", ".join(f"round {r} {left_in_100(p)}" for r, p in voting.items())
        return f"Fan chart of shares by round. {self.title()}. Elections that hold a ballot, of 100: {left}."

    # -- the picture -----------------------------------------------------------------------------

    def marks(self, ax: Axes) -> None:
        if len(self.names) > 2:
            self._panels(ax)
        else:
            self._panel(ax, self.leader)
            self._name_bands(ax, self.leader)
            self._elected(ax)
            _under(ax, self.data.loc[self.names[self.leader]], "hold a ballot", 1)

    def _panel(self, ax: Axes, k: int, label: bool = True) -> None:
        """Draw one candidate's bands, the examples, what is announced, and the line that elects."""
        mine = self.data.loc[self.names[k]]
        _bands(ax, mine, mark(self.colours[self.names[k]]))
        self._lines(ax, k, len(mine))
        past = [self._announced(k, r) for r in range(1, min(self.result.announced, len(mine)) + 1)]
        if any(share is not None for share in past):
            shares = [np.nan if share is None else 100 * share for share in past]
            ax.plot(range(1, len(past) + 1), shares, "-o", color=dark(), lw=2.5, ms=5, zorder=5, label="announced")
            look: dict[str, Any] = {"fontsize": small(), "weight": "bold", "path_effects": haloed()}
            words = "announced" if label else ""
            note(ax, words, (1, shares[0]), (0, -7), ha="left", va="top", annotation_clip=None, **look)
        ax.set(xlim=(0.6, max(len(mine), FEW) + 0.4), ylim=self._limits(mine, k), axisbelow=True)
        ax.yaxis.set_major_formatter(lambda y, _: percent(y))
        ax.grid(axis="y")
        for start, stop, share in self._needed(*ax.get_xlim()):
            for level in (share, 1 - share) if len(self.names) == 2 and share > 0.5 else (share,):
                ax.plot([start, stop], [100 * level] * 2, color=dark(), lw=0.9, ls=(0, (4, 2)), zorder=2.5)

    def _name_bands(self, ax: Axes, k: int) -> None:
        """Say at the right of the bands how many elections lie inside."""
        mine = self.data.loc[self.names[k]].dropna()
        if mine.empty or mine["announced"].iloc[-1]:
            return
        (inner, half), (outer, most) = BANDS.items()
        low, high, top = (100 * mine[f"p{round(100 * p)}"].iloc[-1] for p in (*half, most[1]))
        edge, line = ax.get_ylim()[1], pt(10) / height_points(ax) * float(np.ptp(ax.get_ylim()))
        outside = min(max((high + top) / 2, (low + high) / 2 + 1.8 * line), edge - line / 2)
        look: dict[str, Any] = {"va": "center", "fontsize": small(), "color": quiet(), "linespacing": 1.1}
        beside = len(self.names) == 2 and mine.index[-1] + 1 < ax.get_xlim()[1]  # there is room within the axes
        at = mine.index[-1] + END if beside else ax.get_xlim()[1]
        for words, height in ((inner, min((low + high) / 2, outside - 1.8 * line)), (outer, outside)):
            note(ax, words, (at, height), (pt(6), 0), path_effects=haloed(), **look)

    def _lines(self, ax: Axes, k: int, most: int) -> None:
        """Draw the examples; a dot or a cross where one ends for the candidate."""
        colours = [self.colours[name] for name in (*self.names, NO_WINNER)]
        for share, winner, ends in self._examples(k, most):
            rounds = np.arange(1, len(share) + 1)
            ax.plot(rounds, 100 * share, color=ink(colours[winner]), lw=0.8, alpha=0.8, zorder=3)
            last = np.flatnonzero(~np.isnan(share))[-1:]
            at = (rounds[last], 100 * share[last])
            if ends and (last + 1 == len(share)).all():
                ax.plot(*at, "o", color=mark(colours[winner]), mec=paper(), mew=0.6, ms=5, zorder=4)
            elif (last + 1 < len(share)).all():
                ax.plot(*at, "x", color=dark(), mew=0.9, ms=3.5, zorder=4)

    def _limits(self, mine: pd.DataFrame, k: int) -> tuple[float, float]:
        """Return the limits of the shares: all that is drawn, and the lines."""
        examples = np.concatenate([path for path, _, _ in self._examples(k, len(mine))])
        top = max((share for _, _, share in self._needed(0.5, len(mine) + 0.5)), default=0.5)
        floor = 1 - top - 0.05 if len(self.names) == 2 else 0.0
        shares = [*mine.filter(regex="^p").to_numpy().ravel(), *examples, floor, top + 0.05]
        return max(100 * np.nanmin(shares) - 3, 0), min(100 * np.nanmax(shares) + 3, 100)

    def _needed(self, start: float, stop: float) -> list[tuple[float, float, float]]:
        """Return from which round to which what share elects, if all rounds before were inconclusive."""
        out: list[tuple[float, float, float]] = []
        for round_, share in enumerate(self._shares, start=1):
            low, high = max(round_ - 0.5, start), min(round_ + 0.5, stop)
            if share is None or low >= high:
                continue
            if out and out[-1][1:] == (low, share):
                low = out.pop()[0]
            out.append((low, high, share))
        return out and [*out[:-1], (out[-1][0], stop, out[-1][2])]

    @cached_property
    def _bars(self) -> list[Bar]:
        rules = self.result.race.rules
        stages = rules.stages(len(self.names))
        return [rules.bar(stage.phase, stage.held, round_) for round_, stage in enumerate(stages, start=1)]

    @property
    def _shares(self) -> list[float | None]:
        members = self.result.race.plan.entitled
        return [int(bar.value) / members if bar.kind == "count" and bar.value else bar.share for bar in self._bars]

    def _elected(self, ax: Axes) -> None:
        """Say at the lines who is elected there."""
        base, k = self.result.race.rules.base, self.leader
        lines = self._needed(*ax.get_xlim())
        if not lines:
            return
        _, stop, share = lines[-1]
        more = "" if base == "valid" else f" of those {base}, so this share or more,"
        for who, level, shift, va in [(k, share, 2, "bottom")] + [(1 - k, 1 - share, -2, "top")] * (share > 0.5):
            name = self.names[who]
            look: dict[str, Any] = {"color": ink(self.colours[name]), "weight": "bold", "path_effects": haloed()}
            words = f"{self._share_in_words(share)}{more} elect {self._called[name]}"
            note(ax, words, (stop, 100 * level), (0, shift), ha="right", va=va, fontsize=small(), **look)

    def _share_in_words(self, share: float) -> str:
        bar = self._bars[self._shares.index(share)]
        words = FRACTIONS.get(bar.value, str(bar.value)) if bar.value else ""
        return f"{bar.value} votes" if bar.kind == "count" else f"{'more than ' * (bar.kind == 'more than')}{words}"

    def _panels(self, ax: Axes) -> None:
        """Give every candidate a panel inside the axes."""
        ax.set_axis_off()
        around, there = pt(HEAD_POINTS + FOOT_POINTS), row_points(ax) + pt(FOOT_POINTS)
        lines = self._panel_lines(COLUMNS if width_points(ax) > pt(NARROW) else PHONE_COLUMNS)
        lines = min(lines, max(int(there / (around + pt(LEAST_POINTS))), self._panel_lines(COLUMNS)))
        across = -(-len(self.names) // lines)
        wide, high = 0.9 * width_points(ax) / across, there / lines - around
        room = wide if across >= COLUMNS else 0.7 * wide  # beside narrow ones words take more
        called = short_names(self.names, max(int(room / (0.62 * small())), 8))
        longest = max(text_width(name, small(), "bold") for name in called.values())
        size = small() * min(wide / longest, 1.0)
        top = max(self._limits(self.data.loc[name], k)[1] for k, name in enumerate(self.names))
        for k, name in enumerate(self.names):
            line, column = divmod(k, across)
            panel = ax.inset_axes((0, 0, 1, 1), label=name)
            steady(panel)
            panel.set_axes_locator(_cell(ax, (line, lines), (column, across)))
            self._panel(panel, k, label=not k)
            panel.set_ylim(0, top)
            panel.tick_params(labelsize=min(small() - 1, high / LEADING), labelleft=column == 0)
            if high < pt(LOW_POINTS):
                panel.yaxis.set_major_locator(MaxNLocator(1))
            look: dict[str, Any] = {"color": ink(self.colours[name]), "weight": "bold", "fontsize": size}
            place(panel, (0, 1), called[name], (2, 3), **look)
            needed = self._needed(*panel.get_xlim())
            if not k and needed and high > pt(LOW_POINTS):
                _, stop, share = needed[-1]
                look = {"ha": "right", "fontsize": small() - 1, "path_effects": haloed()}
                note(panel, self._share_in_words(share), (stop, 100 * share), (0, 2), **look)
            mine = self.data.loc[name]
            if k == across - 1:
                settle(panel)
                self._name_bands(panel, k)
            step = max(1, len(mine) // 4, -int(-len(mine) * pt(WORD_POINTS) // wide))
            _under(panel, mine, "standing" if column == 0 else "", step)


def _bands(ax: Axes, mine: pd.DataFrame, colour: str) -> None:
    rounds = mine.index.to_numpy(dtype=float)
    x = np.concatenate([[rounds[0] - END], rounds, [rounds[-1] + END]])
    for (low, high), alpha in zip(reversed(BANDS.values()), (0.18, 0.32), strict=True):
        floor, top = (np.pad(100 * mine[f"p{round(100 * p)}"].to_numpy(), 1, mode="edge") for p in (low, high))
        ax.fill_between(x, floor, top, color=colour, alpha=alpha, lw=0)


def _under(ax: Axes, mine: pd.DataFrame, label: str, step: int) -> None:
    """Write the rounds and, under them, how many elections of 100 still vote."""
    shown = mine.iloc[::step]
    ax.set_xticks(list(shown.index), [str(r) for r in shown.index])
    row(ax, "round" if label else "", [], [], 0)
    row(ax, label, shown.index, [left_in_100(p) for p in shown["voting"]], 1)


def _cell(ax: Axes, line: tuple[int, int], column: tuple[int, int]) -> Callable[[Any, Any], Bbox]:
    """Return what finds the place of a panel in a grid, with room in points for what is written around it."""
    head, foot = pt(HEAD_POINTS), pt(FOOT_POINTS)

    def locate(_panel: Any, _renderer: Any) -> Bbox:
        box = ax.get_position()
        point = box.height / ax.get_window_extent().height * root(ax).dpi / 72
        high, wide = (box.height + foot * point) / line[1], box.width / column[1]
        left, top = box.x0 + column[0] * wide, box.y1 - line[0] * high - head * point
        floor = top - high + (head + foot) * point
        return Bbox.from_extents(left, floor, box.x0 + (column[0] + 0.9) * wide, top)

    return locate
