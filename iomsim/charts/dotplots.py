"""Dots, some with lines: Sobol indices, pivotal members, variants side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from iomsim.charts.base import Chart
from iomsim.charts.labels import key, named_rows, note, place, right_of
from iomsim.charts.measures import lay_out
from iomsim.charts.style import LATER_DAY, dark, faint, ink, mark as visible, on_a_phone, pale, paper, pt, quiet, small
from iomsim.charts.text import NONE, called_short, how_sure, of_group, short, short_names, short_parameter
from iomsim.errors import quote, whole_number
from iomsim.forecasting.estimates import in_100, level_with_first, row_in_100
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import SPILL, describe_target, next_weekday
from iomsim.house_style import capital, percent, some_of
from iomsim.model.parameters import describe_parameter
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.compare import SideBySide
from iomsim.sensitivity.pivotal import ONE, Pivotal, in_points
from iomsim.sensitivity.sobol import Sobol
from iomsim.typing import Flags

BELOW = 0.24
"""By how much, in rows, what it is worth to win a member over for good stands under what a push is worth."""

MARKERS = "os^vP*Xp<>hd"
"""Of the candidates, beside their colours; used again from the thirteenth on."""


def dot(ax: Axes, y: float, values: Sequence[float], colour: str, marker: str, hollow: bool = False) -> None:
    """Draw a value, with a line if there are two ends too."""
    value, low, high = values if len(values) == 3 else (*values, np.nan, np.nan)
    colour = visible(colour)
    if low < high:
        ax.hlines(y, low, high, color=colour, lw=1.1, zorder=2)
    ax.plot(value, y, marker, color=colour, mfc=paper() if hollow else colour, ms=5.5, mew=1.2, zorder=3)


def mark(colour: str, marker: str = "o", hollow: bool = False, edge: float = 1.2) -> Line2D:
    """Return a dot for the key."""
    colour = visible(colour)
    return Line2D([], [], color=colour, marker=marker, mfc=paper() if hollow else colour, ms=5.5, mew=edge, lw=1.1)


def _percent(row: pd.Series, name: str) -> list[float]:
    return [100 * float(row[f"{name}{end}"]) for end in ("", "_low", "_high")]


class SobolIndices(Chart[Sobol]):
    """Draw how much of the variance each assumption explains, alone and with its interactions."""

    size = (7.2, 1.9, 0.42)

    @cached_property
    def data(self) -> pd.DataFrame:
        """The indices that are drawn, with a column `name` as it is written."""
        table = self.result.table()
        table.insert(0, "name", [describe_parameter(self.result.race, str(path)) for path in table.index])
        return table

    def finding(self) -> str:
        what, top = describe_target(self.result.race, self.result.target), self.data.iloc[0]
        if not top["clear"]:
            return f"None of these assumptions moves {what} beyond noise"
        if len(most := self.result.most()) > 1:
            names = some_of([short_parameter(str(name)) for name in self.data.loc[most, "name"]])
            return f"No single assumption stands out: most of the variance of {what} may come from {names}"
        value, low, high = (f"{100 * np.clip(top[f'total{end}'], 0, 1):.0f}" for end in ("", "_low", "_high"))
        share = f"{percent(value)} ({low} to {high})"
        return f"{capital(top['name'])} explains {share} of the variance of {what}"

    def title(self) -> str:
        return called_short(self.finding(), self.result.race.names)

    def reading(self) -> str:
        return (
            "When these assumptions move over their ranges at once, all others at their best guesses. Lines: "
            f"{percent(95)} intervals. An index says what an assumption is worth to the answer, not what tallies could "
            "teach about it: those do not tell one sponsor's strength from another's or from secrecy."
        )

    def alt(self) -> str:
        shares = [
            f"{row['name']} {100 * row['first']:.0f} alone, {100 * row['total']:.0f} in all"
            for _, row in self.data.iterrows()
        ]
        return f"Dot plot of Sobol indices, in percent: {'; '.join(shares)}."

    def marks(self, ax: Axes) -> float:
        for y, (_, row) in enumerate(self.data.iterrows()):
            colour = dark() if row["clear"] else quiet()
            for name, shift, marker, hollow in (("first", -0.12, "o", False), ("total", 0.12, "D", True)):
                dot(ax, y + shift, np.clip(_percent(row, name), None, 100).tolist(), colour, marker, hollow)
            if not row["clear"]:
                right = 100 * max(row["total_high"], row["first_high"], 0.0)
                note(ax, "within noise of zero", (right, y), (pt(6), 0), va="center", fontsize=small(), color=quiet())
        ax.axvline(0, color=quiet(), lw=0.8)
        names = self.result.race.names
        named_rows(ax, [short_parameter(called_short(name, names, 20), 28, 2) for name in self.data["name"]])
        ax.set(xlabel="share of the variance, of 100")
        ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
        return key(ax, [mark(dark()), mark(dark(), "D", True)], ["alone", "with its interactions"], above=True)


@dataclass(kw_only=True)
class PivotalMembers(Chart[Pivotal]):
    """Draw what the next phone call is worth, by member or by group.

    Lines are the intervals, which hold for all at once; bars are the range over the assumptions.  Pale are those that
    are clearly behind the first.

    Parameters
    ----------
    by : {"member", "group"}
        Draw members, or groups by the mean over their members.
    most : int, default 15
        Rows drawn.
    """

    by: str = "member"
    most: int = 15
    size, min_rows = (7.2, 1.9, 0.28), 3

    @cached_property
    def data(self) -> pd.DataFrame:
        """The rows that are drawn: those with whom a push does most."""
        return self._table.head(whole_number("most", self.most, 1))

    @cached_property
    def _table(self) -> pd.DataFrame:
        """Return all members that can be moved, or all groups."""
        self._rivals  # noqa: B018  # refuses another `by`
        if self.by == "member":
            return self.result.table().loc[lambda table: table["free"]]
        table = self.result.by_group()
        return table[table.index.get_level_values("push") == ONE].droplevel("push")

    @cached_property
    def _rivals(self) -> list[str]:
        return self.result.rivals(self.by)

    def finding(self) -> str:
        found, name = self.result, short_names(self.result.race.names, 28)[self.result.candidate]
        if self.data.empty:
            return f"No member can be moved towards {name}" if self.by == "member" else "There are no groups"
        if not found.moves():
            return f"No call for {name} does anything beyond noise"
        best = found.best(self.by)
        alone = self.by == "group" and len(self._table) == 1
        if best is not None and not alone:
            group = "group " * (self.by == "group")
            where = "outside all groups" if group and best == NONE else f"in {group}{short(best, 30)}"
            return f"The next call for {name} does most {where}"
        each = found.worth(found.alike())
        worth = in_points(each.value, each.high - each.value)
        if self.by == "group":
            return f"{'A' if alone else 'No group stands out: a'} call for {name} is worth about {worth} a member"
        any_of = f"in any of {len(found.alike())} members"
        return f"No single member stands out: a call for {name} is worth about {worth} {any_of}"

    def reading(self) -> str:
        light = "; pale: clearly behind the first" * bool(self._behind().any())
        name = short_names(self.result.race.names, 28)[self.result.candidate]
        on, bars, alone = "on the best guesses", "", " (of those won over: for each alone)" * self._won
        if self.result.worths.draws:
            on, bars = (
                "over all that is unsure",
                f"; bars: the middle {percent(80)} over the assumptions" * self._ranged,
            )
        return (
            f"Dots: how much likelier {name} wins, {on}{light}. Lines: {percent(95)} "
            f"intervals that hold for all {self.by}s at once{alone}{bars}. A push of one log-odds moves a member from "
            "50 to 73 in 100."
        )

    @property
    def _won(self) -> bool:
        return bool("won_over_win" in self.data and self.data["won_over_win"].notna().any())

    @property
    def _ranged(self) -> bool:
        return bool(self.data["win_range_low"].notna().any())

    def _behind(self) -> Flags:
        """Return which rows are clearly behind the first."""
        return np.asarray(~self.data.index.isin([*self.data.index[:1], *self._rivals]))

    def alt(self) -> str:
        worth = [f"{name} {100 * row['win']:.1f}" for name, row in self.data.iterrows()]
        return f"Dot plot of {self.by}s by what a push is worth, in points: {', '.join(worth)}."

    def marks(self, ax: Axes) -> float:
        data, candidate = self.data, self.result.candidate
        colour = self.result.race.colours[candidate]
        for y, (behind, (_, row)) in enumerate(zip(self._behind(), data.iterrows(), strict=True)):
            low, high = 100 * row["win_range_low"], 100 * row["win_range_high"]
            if low < high:
                ax.hlines(y, low, high, color=faint(), lw=8, zorder=1)
            dot(ax, y, _percent(row, "win"), pale(colour) if behind else colour, "o")
            if self._won and not np.isnan(row["won_over_win"]):
                dot(ax, y + BELOW, _percent(row, "won_over_win"), dark(), "D", hollow=True)
        named_rows(ax, [of_group(short(str(name), 30)) for name in data.index])
        ax.axvline(0, color=quiet(), lw=0.8)
        ax.set(xlabel="points of win probability")
        ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
        name = short_names(self.result.race.names, 12)[candidate]
        if not on_a_phone():
            look = {"ha": "left", "va": "bottom", "fontsize": small(), "color": quiet()}
            place(ax, (1, 1), f"for {name} now,\nof 100", (pt(6), pt(3)), **look)
        for y, share in enumerate(data["support"]):
            right_of(ax, y, f"{in_100(share)}{f' of 100 for {name} now' * on_a_phone()}")
        shown = [
            (mark(colour), "a push of one log-odds", ink(colour), True),
            (Line2D([], [], color=faint(), lw=7, solid_capstyle="butt"), "over the assumptions", dark(), self._ranged),
            (mark(dark(), "D", True), "won over for good", dark(), self._won),
        ]
        marks, words, inks, _ = zip(*(part for part in shown if part[3]), strict=True)
        lay_out(ax)  # so that the key fits what the names leave
        return max(key(ax, list(marks), list(words), list(inks), above=True), pt(20))


class Scenarios(Chart[SideBySide]):
    """Draw named variants below one another: who wins, nobody, and whether voting runs into the next day.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("minimal")
    >>> beside = iom.side_by_side({"as it is": race, "public": race.with_behaviour(secrecy=0)}, runs=200, seed=1)
    >>> [label.get_text() for label in beside.plot.scenarios().get_yticklabels()]
    ['as it is', 'public']
    """

    def natural(self) -> tuple[float, float]:
        return 7.6, 1.9 + max(0.5, 0.11 * len(looks_of(self.result.race))) * len(self.result.forecasts)

    @cached_property
    def data(self) -> pd.DataFrame:
        """By outcome and variant the probability with its range over the assumptions, and the change."""
        table = self.result.table()
        return table[table.index.get_level_values("outcome") != "rounds"]

    def finding(self) -> str:
        name, day = self.result.race.names[0], next_weekday(self.result.race)
        moved = self.data.loc[[name, SPILL]]
        clear = moved[moved["clear"]]
        if clear.empty:
            return f"Neither {short_names(self.result.race.names, 28)[name]}'s chance nor {day} moves beyond noise"
        outcome, variant = clear["change"].abs().idxmax()
        lines = clear.loc[outcome].sort_values("change", key=np.abs, ascending=False, kind="stable")
        what = day if outcome == SPILL else f"{short_names(self.result.race.names, 28)[name]}'s chance"
        alike = lines.index[level_with_first(lines["change"].abs(), lines["change_error"])]
        if len(alike) > 1:
            return f"No single variant stands out: {what} may move most with {some_of([quote(one) for one in alike])}"
        verb = "falls" if lines["change"].iloc[0] < 0 else "rises"
        now, then = (row_in_100(*row[["value", "mc_error"]]) for row in (lines.iloc[0], self.data.loc[outcome].iloc[0]))
        if now == then:
            return f"{what} stays at {now} in 100, though it {verb} with {quote(variant)}"
        if len(self.result.forecasts) <= 2:
            return f"With {quote(variant)} {what} {verb} from {then} to {now} in 100"
        return f"{what} moves most with {quote(variant)}: it {verb} from {then} to {now} in 100"

    def reading(self) -> str:
        first = str(next(iter(self.result.forecasts)))
        shared = "random numbers" if self.result.base.draws is None else "draws of the assumptions and random numbers"
        return (
            f"{how_sure(self.result.base, self.data)} Differences from {quote(first)} (dotted) are known better than "
            f"that: all variants share their {shared}."
        ).strip()

    def alt(self) -> str:
        first, day = self.result.race.names[0], next_weekday(self.result.race)
        called = short_names(self.result.race.names)[first]
        wins, later = (self.data.loc[outcome, ["value", "mc_error"]] for outcome in (first, SPILL))
        parts = [
            f"{name}: {called} {row_in_100(*wins.loc[name])}, {day} {row_in_100(*later.loc[name])}"
            for name in self.result.forecasts
        ]
        return f"Dot plot of variants, in 100: {'; '.join(parts)}."

    def marks(self, ax: Axes) -> float:
        race, looks = self.result.race, looks_of(self.result.race)
        room, middle = (0.62, 0.19) if on_a_phone() else (0.8, 0.0)  # there the name of a variant stands over its marks
        step = min(0.13, room / (len(looks) - 1))  # so that many outcomes stay in the row of their variant
        for i, (outcome, (colour, marker, hollow)) in enumerate(looks.items()):
            shift, lines = middle + step * (i - (len(looks) - 1) / 2), self.data.loc[outcome]
            for y, (_, row) in enumerate(lines.iterrows()):
                dot(ax, y + shift, [100 * row[part] for part in ("value", "low", "high")], colour, marker, hollow)
            ax.axvline(100 * lines["value"].iloc[0], color=visible(colour), lw=0.8, ls=(0, (1, 2)), zorder=1)
        named_rows(ax, [short(name, 40) for name in self.result.forecasts])
        ax.set(xlabel="of 100 elections")
        ax.set_xlim(max(ax.get_xlim()[0], -2), min(ax.get_xlim()[1], 102))
        words = [
            *(f"{called} wins" for called in short_names(race.names).values()),
            "no winner",
            f"into {next_weekday(race)}",
        ]
        marks, inks = [mark(*look) for look in looks.values()], [ink(colour) for colour, *_ in looks.values()]
        lay_out(ax)
        return key(ax, marks, words, inks, above=True)


def looks_of(race: Scenario) -> dict[str, tuple[str, str, bool]]:
    """Return colour and marker of every outcome; hollow for what is nobody's win."""
    colours = race.colours
    own = {name: (colours[name], marker, False) for name, marker in zip(race.names, cycle(MARKERS), strict=False)}
    return own | {NO_WINNER: (colours[NO_WINNER], "X", False), SPILL: (LATER_DAY, "D", True)}
