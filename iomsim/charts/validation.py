"""The charts of a backtest: whether it is calibrated, and where the real tallies fell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from iomsim.charts.base import Chart, Page
from iomsim.charts.caption import written
from iomsim.charts.dotplots import MARKERS, mark
from iomsim.charts.labels import key, named_rows, note, place, right_of
from iomsim.charts.measures import lay_out, lines_of, wrapped
from iomsim.charts.style import PHONE_INCHES, dark, faint, haloed, ink, on_a_phone, pale, pt, quiet, tiny
from iomsim.charts.text import short
from iomsim.house_style import count, percent, series
from iomsim.validation.verdict import Backtest, Case

BLUE = "#0072B2"
COLOURS = (BLUE, "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Of groups of forecasts, in their order."""

DODGE, LABEL = 0.014, 6.5
"""By how much groups are drawn beside one another where the same was said, and, in points, how far apart their counts.
"""
PANELS_PER_LINE, ON_A_PHONE = 4, 2
"""Contests side by side."""

QUANTILES = {"p5": 0.05, "p20": 0.2, "p80": 0.8, "p95": 0.95}

EVENT_WORDS = {"over next": "over by the end of the next round", "leader wins": "the leader is the final winner"}


@dataclass
class Reliability(Chart[Backtest]):
    """Draw how often an event came where the model had given it a probability.

    The steps are the isotonic regression of what came on what was said; the band is where they
    would lie, in 90 of 100 cases, if every probability were right and rounds were independent.

    Parameters
    ----------
    event : {"over next", "leader wins"}
        Over by the end of the next round; the leader of the round is the final winner.
    """

    event: str = "over next"
    size = (4.6, 4.4)

    @cached_property
    def data(self) -> pd.DataFrame:
        """The reliability curve: by forecast the observed frequency, its count, and the band."""
        return self.result.reliability(self.event)

    def finding(self) -> str:
        found, by_luck = self.result.outside(self.event)
        what = f"{self.result.kind.capitalize()}: {EVENT_WORDS[self.event]}"
        some = f"{found} of {len(self.data)} probabilities"
        if found > by_luck:
            return f"{what}, outside the band of a calibrated forecaster for {some}, more than luck explains"
        return f"{what}, no further from calibrated than luck explains: {some} outside the band"

    def reading(self) -> str:
        parts = self.result.decomposition(self.event)
        held = [case.contest.id for case in self.result.cases]
        longest = max(held, key=held.count)
        return (
            f"{count(len(held), 'round')}, {held.count(longest)} of them of {longest}. Brier score {parts.score:.2f} = "
            f"{parts.miscalibration:.2f} miscalibration \N{MINUS SIGN} {parts.discrimination:.2f} discrimination + "
            f"{parts.uncertainty:.2f} uncertainty. The band takes rounds as independent; those of one contest are not."
        )

    def marks(self, ax: Axes) -> None:
        x, y = self.data["forecast"], self.data["observed"]
        ax.fill_between(x, self.data["low"], self.data["high"], step="mid", color=faint(), lw=0, label="band")
        ax.plot([0, 1], [0, 1], color=quiet(), lw=0.8, ls="--", label="calibrated")
        ax.step(x, y, where="mid", color=BLUE, lw=1.8, label="observed")
        ax.scatter(x, y, s=9 + 5 * self.data["count"], color=BLUE, zorder=3)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="probability given", ylabel="how often it came")


@dataclass
class Ranks(Chart[Backtest]):
    """Draw where the real next shares fell in their forecasts: flat if those have the right spread.

    Parameters
    ----------
    bins : int, default 5
        Bars.
    """

    bins: int = 5
    size = (4.6, 4.4)

    @cached_property
    def data(self) -> pd.DataFrame:
        """The rank histogram of the next shares."""
        return self.result.ranks(self.bins)

    def finding(self) -> str:
        from scipy.stats import binom

        low, high = np.asarray(binom.ppf([0.05, 0.95], self.data["count"].sum(), 2 / len(self.data)))
        spread = "not clearly too narrow or too wide"
        spread = "too narrow" if self._outer > high else "too wide" if self._outer < low else spread
        return f"{self.result.kind.capitalize()}: forecasts of the next share are {spread}"

    def reading(self) -> str:
        return (
            f"{count(int(self.data['count'].sum()), 'next share')}; the outer bars hold {self._outer}, a right "
            f"forecast would put {2 * self.data['expected'].iloc[0]:.0f} there. Grey: 90 of 100 for each bar."
        )

    @property
    def _outer(self) -> Any:
        return self.data["count"].iloc[[0, -1]].sum()

    def marks(self, ax: Axes) -> None:
        data = self.data
        middle, width = (data["start"] + data["end"]) / 2, data["end"] - data["start"]
        ax.bar(middle, data["count"], 0.92 * width, color=BLUE, label="observed")
        ax.axhspan(data["low"].min(), data["high"].max(), color=faint(), zorder=0, lw=0, label="band")
        ax.axhline(data["expected"].iloc[0], color=quiet(), lw=0.8, ls="--", label="calibrated")
        ax.set(xlim=(0, 1), xlabel="place of the real share in its forecast", ylabel="rounds")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.tick_params(axis="x", pad=pt(5))  # the zeros of both axes stand apart


@dataclass
class SaidAndCame(Chart[Backtest]):
    """Draw how often an event came, for little and for much said, each with its number of rounds and contests.

    Parameters
    ----------
    event : {"leader wins", "over next"}
        As in `reliability`.
    by : {"standing", "kind", "body", "class"}, optional
        Tell groups of forecasts apart; None for all together.

    Examples
    --------
    >>> import iomsim as iom
    >>> test = iom.backtest(["UNSC2007-EEG", "WHO2017"], particles=200)
    >>> test.plot.said_and_came("over next").get_xlabel()
    'probability given'
    """

    event: str = "leader wins"
    by: str | None = "standing"
    size = (5.8, 5.2)

    @cached_property
    def data(self) -> pd.DataFrame:
        """What was said and what came, by group and by what was said; the rows "all" have them together."""
        table = self.result.reliability_table(self.event, self.by)
        return table if self.by else pd.concat({"all": table}, names=["group"])

    @property
    def bins(self) -> pd.DataFrame:
        """The rows that are drawn."""
        return self.data[self.data.index.get_level_values(1) != "all"]

    def finding(self) -> str:
        rows = self.data.xs("all", level=1)
        luck = rows["said"].between(rows["low"], rows["high"]).all()
        told = "no further apart than luck explains" if luck else "further apart than luck explains"
        return f"{self.result.kind.capitalize()}: {EVENT_WORDS[self.event]}, {self._said_came('')}, {told}"

    def reading(self) -> str:
        return (
            "On the dashed line what came is what was said. Lines: 95 % intervals, which know that rounds of a contest "
            f"are alike. Beside the dots: rounds (contests). If contests count alike: {self._said_came(' by contest')}."
        )

    def _said_came(self, counted: str) -> str:
        rows = self.data.xs("all", level=1)
        pairs = [
            f"given {100 * row['said' + counted]:.0f} in 100 and came in {100 * row['came' + counted]:.0f}"
            for _, row in rows.iterrows()
        ]
        named = [f" ({group})" * (group != "all") for group in rows.index]
        return "; ".join(map("".join, zip(pairs, named, strict=True)))

    def marks(self, ax: Axes) -> float:
        groups = list(dict.fromkeys(self.bins.index.get_level_values(0)))
        ax.plot([0, 1], [0, 1], color=quiet(), lw=0.8, ls="--", label="calibrated")
        looks = [(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i in range(len(groups))]
        for i, (group, (colour, marker)) in enumerate(zip(groups, looks, strict=True)):
            rows, shift = self.bins.loc[group], DODGE * (i - (len(groups) - 1) / 2)
            x = rows["said"] + shift
            ax.vlines(x, rows["low"], rows["high"], color=colour, lw=1.1, zorder=2, label=f"{group}, interval")
            ax.plot(x, rows["came"], marker, color=colour, ms=6, zorder=3, label=group)
            side = -1 if i < (len(groups) - 1) / 2 else 1
            shift_points = 7 * side, LABEL * ((len(groups) - 1) / 2 - i)
            look: dict[str, Any] = {"fontsize": tiny(), "color": ink(colour), "va": "center", "path_effects": haloed(2)}
            look["ha"] = "right" if side < 0 else "left"
            for at, row in zip(x, rows.itertuples(), strict=True):
                note(ax, f"{row.rounds} ({row.contests})", (at, row.came), shift_points, **look)
        ax.set(xlim=(-0.06, 1.1), ylim=(-0.06, 1.03), xlabel="probability given", ylabel="how often it came")
        if groups == ["all"]:
            return 0.0
        return key(ax, [mark(*look) for look in looks], groups, above=True)


@dataclass
class Coverage(Chart[Backtest]):
    """Draw how many of the real next shares the middle 50, 80 and 95 % of their forecasts held.

    Parameters
    ----------
    by : {"standing", "kind", "body", "class"}, optional
        Tell groups of forecasts apart; None for all together.

    Examples
    --------
    >>> import iomsim as iom
    >>> test = iom.backtest(["UNSC2007-EEG", "WHO2017"], particles=200)
    >>> len(test.plot.coverage(None).get_yticks())
    3
    """

    by: str | None = "standing"
    size, min_rows = (6.4, 1.7, 0.3), 3

    @cached_property
    def data(self) -> pd.DataFrame:
        """What the intervals were said to hold, and what they held, by group and interval."""
        table = self.result.coverage(self.by)
        return table if self.by else pd.concat({"all": table}, names=["group"])

    def finding(self) -> str:
        middle = self.data.xs(0.8, level=1)
        held = [
            f"{percent(100 * row['came'])}{'' if group == 'all' else f' ({group})'}"
            for group, row in middle.iterrows()
            if row["rounds"]
        ]
        middle_part = f"the middle {percent(80)} of forecasts of the next share held"
        return f"{self.result.kind.capitalize()}: {middle_part} {series(held) or 'none'}"

    def reading(self) -> str:
        return (
            "Dots: how many of the real next shares fell into the middle part of their forecast; lines: their 95 % "
            "intervals, which know that rounds of a contest are alike. Ticks: what the forecasts gave to it."
        )

    def marks(self, ax: Axes) -> None:
        rows = self.data
        y = np.arange(len(rows))
        ax.hlines(y, 100 * rows["low"], 100 * rows["high"], color=BLUE, lw=1.1, label="interval")
        ax.plot(100 * rows["came"], y, "o", color=BLUE, ms=6, label="came", zorder=3, clip_on=False)
        ax.plot(100 * rows["said"], y, "|", color=dark(), ms=13, mew=1.6, label="said", zorder=4)
        named = [f"{percent(100 * level)}{'' if group == 'all' else f', {group}'}" for group, level in rows.index]
        held = [f"{count(row.rounds, 'round')}, {count(row.contests, 'contest')}" for row in rows.itertuples()]
        named_rows(ax, named)
        for at, words in zip(y.tolist(), held, strict=True):
            right_of(ax, at, words)
        ax.set(xlim=(0, 101), xlabel="held, of 100 real next shares")


class Calibration(Page[Backtest]):
    """Draw on one page whether the model is calibrated: two events, and the spread of the next share.

    The titles say whether the contests are past or synthetic.
    """

    def natural(self) -> tuple[float, float]:
        return (PHONE_INCHES, 14.4) if on_a_phone() else (12.6, 4.7)

    @cached_property
    def charts(self) -> dict[str, Chart[Backtest]]:
        """The charts on the page."""
        return {event: Reliability(self.result, event) for event in EVENT_WORDS} | {"ranks": Ranks(self.result)}

    @cached_property
    def data(self) -> pd.DataFrame:
        """All that the page draws: panel, then the columns of its own table."""
        return pd.concat({name: chart.data for name, chart in self.charts.items()}, names=["panel", "row"])

    def finding(self) -> str:
        return self.charts["over next"].finding()

    def reading(self) -> str:
        return self.charts["over next"].reading()

    def alt(self) -> str:
        return " ".join(f"{chart.finding()}. {chart.reading()}" for chart in self.charts.values())

    def panels(self, fig: Any, stamp: bool) -> None:
        for ax, chart in zip(fig.subplots(*((3, 1) if on_a_phone() else (1, 3))), self.charts.values(), strict=True):
            chart.draw(ax, stamp=False)
        if stamp:
            stamp_lines = lines_of(self.result.stamp(), 0.97 * 72 * fig.bbox.width / fig.dpi, tiny())
            fig.supxlabel(stamp_lines, x=0.01, ha="left", fontsize=tiny(), color=quiet())


class History(Page[Backtest]):
    """Draw the real trajectories over what the model had said round by round: one panel per contest.

    Each bar is a forecast made after the round before: the middle 60 and 90 of 100.  The line is
    the share of the candidate who led when the forecasts begin, dotted across rounds not known.

    Examples
    --------
    >>> import iomsim as iom
    >>> test = iom.backtest(["UNSC2007-EEG", "UNSC2020-AF"], particles=100)
    >>> [ax.get_title(loc="left") for ax in test.plot.history().axes]
    ['UNSC2007-EEG', 'UNSC2020-AF']
    """

    @cached_property
    def contests(self) -> dict[str, Any]:
        """The contests with a case, by name."""
        return {case.contest.id: case.contest for case in self.result.cases}

    def natural(self) -> tuple[float, float]:
        lines = -(-len(self.contests) // _per_line())
        return (PHONE_INCHES, 2.6 + 1.8 * lines) if on_a_phone() else (12.6, 1.3 + 2.25 * lines)

    @cached_property
    def data(self) -> pd.DataFrame:
        """The real trajectories and the forecasts they ran through.

        A row per contest and round: `share` of the one who led when the forecasts begin, and, if a
        forecast was made after the round before, its quantiles `p5`, `p20`, `p80`, `p95`.
        """
        rows = [row for contest in self.contests.values() for row in self._rows(contest)]
        return pd.DataFrame(rows, columns=["contest", "round", "share", *QUANTILES])

    def _rows(self, contest: Any) -> list[dict[str, Any]]:
        cases = [case for case in self.result.cases if case.contest is contest]
        who, first = cases[0].situation.candidates[0], cases[0].situation.round
        bands = {case.situation.round + 1: _band(case, who) for case in cases}
        shares = {known.round: known.share(who) for known in contest.ordinary if known.round >= first}
        rounds = sorted({*shares, *(round_ for round_, band in bands.items() if band)})
        return [
            {"contest": contest.id, "round": round_, "share": shares.get(round_)} | bands.get(round_, {})
            for round_ in rounds
        ]

    def finding(self) -> str:
        both = self.data.dropna(subset=["share", "p5"])
        wide, inner = (
            int(both["share"].between(both[low] - 1e-9, both[high] + 1e-9).sum())
            for low, high in (("p5", "p95"), ("p20", "p80"))
        )
        return (
            f"{self.result.kind.capitalize()}: {wide} of {len(both)} real next shares fell into the middle 90 in 100 "
            f"of their forecast, and {inner} into the middle 60"
        )

    def reading(self) -> str:
        return (
            "Share of the candidate who led when the forecasts begin, by round. Bars: what was forecast after the "
            "round before. Full line: what elects; dashed: below it the other of two is elected."
        )

    def alt(self) -> str:
        return f"Small multiples. {self.finding()}. {self.reading()}"

    def panels(self, fig: Any, stamp: bool) -> None:
        names = len(self.contests)
        across = min(names, _per_line())
        cells = fig.subplots(-(-names // across), across, squeeze=False, sharey=True)
        lowest = min(0.2, np.floor(10 * self.data[["share", "p5"]].min().min()) / 10)
        for ax in cells.ravel()[names:]:
            ax.remove()
        written(fig, self.finding(), [self.reading(), self.result.stamp() * stamp])
        lay_out(cells[0, 0])  # so that lines break where they should
        for ax, (name, contest) in zip(cells.ravel(), self.contests.items(), strict=False):
            _panel(ax, contest, self.data[self.data["contest"] == name], lowest)


def _per_line() -> int:
    return ON_A_PHONE if on_a_phone() else PANELS_PER_LINE


def _band(case: Case, who: str) -> dict[str, float]:
    """Return the quantiles of one's next share; that of a trailing one only if just two stand."""
    names = case.situation.candidates
    found = dict(zip(QUANTILES, case.step.prediction.quantiles(*QUANTILES.values()), strict=True))
    if np.isnan(found["p5"]) or who not in names or (who != names[0] and len(names) > 2):
        return {}
    if who == names[0]:
        return found
    return dict(zip(QUANTILES, [1 - q for q in reversed(found.values())], strict=True))


def _panel(ax: Axes, contest: Any, rows: pd.DataFrame, lowest: float) -> None:
    told = rows.dropna(subset=["p5"])
    for low, high, colour in (("p5", "p95", pale(pale(BLUE))), ("p20", "p80", pale(BLUE))):
        ax.bar(told["round"], told[high] - told[low], 0.7, bottom=told[low], color=colour, lw=0)
    known = rows.dropna(subset=["share"])
    gaps = known["round"].diff().fillna(1) > 1
    ax.plot(known["round"], known["share"], color=dark(), lw=0.9, ls=":")
    for _, part in known.groupby(gaps.cumsum()):
        ax.plot(part["round"], part["share"], "-o", color=dark(), lw=1.3, ms=3)
    need = contest.rules.threshold[0].share
    if need is not None:
        ax.axhline(need, color=quiet(), lw=0.8)
        ax.axhline(1 - need, color=quiet(), lw=0.8, ls="--")
    first, last = rows["round"].min(), max(rows["round"].max(), rows["round"].min() + 1)
    ax.set(xlim=(first - 0.6, last + 0.6), ylim=(lowest, 0.9))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(lambda y, _: percent(100 * y))
    ax.set_title(contest.id, loc="left", fontsize=pt(9), weight="bold")
    look: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": tiny(), "color": quiet()}
    place(ax, (1, 1), wrapped(ax, _end(contest), tiny()), (pt(-2), pt(-2)), **look)


def _end(contest: Any) -> str:
    who = short(contest.winner, 22) if contest.winner else "nobody"
    how = contest.decided_how if contest.ending == "open" else contest.ending
    return f"round {contest.rounds_total}: {who} ({how or contest.ending})"
