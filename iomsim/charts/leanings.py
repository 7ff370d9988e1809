"""Whom members lean to: a dot for each, in blocks by group, with its range over the assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count as from_
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from iomsim.charts.base import Page
from iomsim.charts.caption import written
from iomsim.charts.labels import heading, place
from iomsim.charts.style import PHONE_INCHES, dark, faint, haloed, ink, on_a_phone, paper, pt, quiet, small
from iomsim.charts.text import of_group, short, short_names
from iomsim.errors import IomsimError, whole_number
from iomsim.forecasting.forecast import Forecast
from iomsim.house_style import count, percent, series, thousands
from iomsim.model.electorate import members_of, rows as rows_of
from iomsim.model.leanings import UNSETTLED, leanings

MOST = 210
"""Members that are drawn unless more are asked for."""

PER_COLUMN = ((26, 1), (70, 2), (MOST + 60, 3))
"""Rows up to which they are drawn in so many columns; else in four."""

ROW, PHONE_ROW, LARGE_ROW = 0.137, 0.16, 0.2
"""Inches between members: of many, of many on a phone, and of few."""

FEW = 40
"""Members up to which there is room for large rows."""

GREY = "#8C8C8C"
"""Members of whom it is not settled whom they lean to."""


class Row(NamedTuple):
    """A line of a column: the heading of a block, or a member."""

    text: str
    member: str | None = None
    colour: str = ""


@dataclass(frozen=True)
class _Exact:
    """What is needed to make exact chances again: no runs, and nothing of their luck."""

    fc: Forecast

    @property
    def provenance(self) -> dict[str, Any]:
        return self.fc.provenance

    def stamp(self) -> str:
        fc, p = self.fc, self.fc.provenance
        played = "assumptions fixed" if fc.draws is None else f"{count(fc.draws.count, 'draw')} of the assumptions"
        return f"iomsim {p['version']} · seed {p['seed']} · exact chances, {played} · scenario {p['scenario']}"


@dataclass(kw_only=True)
class Leanings(Page[Forecast]):
    """Draw whom members lean to in the first round, in blocks by group, with the ranges over the assumptions.

    Of two candidates, a dot is the chance of the first; it has the colour of the one that the member leans to where
    the range excludes a half, and is grey elsewhere.  Of more, the likeliest candidate has a dot and a range, in its
    colour where it is settled that it is ahead; small dots are the others.  Pinned members are squares; those without
    a vote are left out.

    Parameters
    ----------
    group : str, optional
        Only the members of a group, or those that a selector finds: "African", "nato and not eu".
    members : sequence of str, optional
        Only these, by name or id.
    top : int, optional
        Only so many: the most undecided.  Default at most 210.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("geneva-2023"), runs=400, seed=1, progress=False)
    >>> len(fc.plot.leanings_data(top=12))
    12
    """

    group: str | None = None
    members: Sequence[str] | None = None
    top: int | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """The leanings of all members that may vote."""
        table = leanings(self.result.race, self.result.draws)
        return table[table["vote"].isin(["free", "pinned"])]

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """The leanings of the members that are asked for."""
        frame, keep = self.result.race.electorate.frame, np.ones(len(self.result.race.electorate.frame), dtype=bool)
        if self.group is not None:
            keep &= members_of(frame, self.group)
        if self.members is not None:
            listed = [self.members] if isinstance(self.members, str) else list(self.members)
            keep &= np.isin(np.arange(len(frame)), rows_of(frame, listed))
        table = self.table[self.table.index.isin(frame["name"][keep])]
        if table.empty:
            raise IomsimError("no member with a vote is left to draw; ask for another group or other members")
        return table

    @cached_property
    def data(self) -> pd.DataFrame:
        """The leanings of the members that are drawn, in their order: see :meth:`iomsim.Scenario.leanings`."""
        most = MOST if self.top is None else whole_number("top", self.top, 1)
        table, names = self.chosen, list(self.result.race.names)
        ordered = np.sort(table[names].to_numpy(), axis=1)
        closest = np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")[:most]
        table = table.iloc[np.sort(closest)]
        first = table[names[0]]
        by_group = first.groupby(table["group"], sort=False).transform("mean")
        order = np.lexsort((np.arange(len(table)), -first, table["group"], -by_group))
        return table.iloc[order]

    def source(self) -> Any:
        return _Exact(self.result)

    # -- words ------------------------------------------------------------------------------------

    def finding(self) -> str:
        race, table = self.result.race, self.chosen
        whole = len(table) == len(self.table)
        who = count(len(table), "member")
        who = who if whole else f"{who} ({short(self.group, 30)})" if self.group else f"the {who} asked for"
        counts = [
            (int((table["leans_to"] == name).sum()), called) for name, called in short_names(race.names, 24).items()
        ]
        told = series([f"{thousands(number)} to {name}" for number, name in counts if number])
        settled = sum(number for number, _ in counts)
        if self.result.draws is None:
            return f"On the best guesses, of {who} {told.replace(' to ', ' lean to ', 1)}" if told else self._none(who)
        if not settled:
            return self._none(who)
        return f"For {thousands(settled)} of {who} it is settled whom they lean to: {told}"

    def _none(self, who: str) -> str:
        return f"For none of {who} is it settled whom they lean to"

    def reading(self) -> str:
        fc, names = self.result, list(short_names(self.result.race.names, 24).values())
        ranged = fc.draws is not None
        two = len(names) == 2
        parts = ["Dots: chance in 100 to vote for "]
        parts[0] += f"{names[0]} in the first round" if two else "the likeliest in the first round (small: for others)"
        if ranged:
            parts[0] += f"; lines: the middle {percent(80)} over the assumptions"
            parts[0] += "; grey where that holds 50." if two else "; hollow where it is ahead in under 9 of 10 draws."
        else:
            parts[0] += "; on the best guesses."
        parts += ["Squares: pinned."] if self.data["vote"].eq("pinned").any() else []
        parts += [self._pulls()] if ranged else []
        drawn, all_ = len(self.data), len(self.chosen)
        parts += [f"Drawn: the {thousands(drawn)} most undecided of {thousands(all_)}."] if drawn < all_ else []
        parts += [f"Before {series([swing.name for swing in fc.race.swings])} go over."] if fc.race.swings else []
        parts += ["As before the first ballot: what was announced is not in it."] if fc.events else []
        return " ".join(filter(None, parts))

    def _pulls(self) -> str:
        """Return of how many not even the direction of the net pull is settled."""
        pulled = self.chosen["pull_towards"].dropna()
        open_ = int((pulled == UNSETTLED).sum())
        if pulled.empty:
            return ""
        if not open_:
            return "Which way their sponsors pull is settled for all."
        return f"For {thousands(open_)} not even the direction of the net pull is settled."

    def alt(self) -> str:
        blocks = []
        for group, part in self.chosen.groupby("group", sort=False):
            blocks.append(f"{of_group(str(group))}: {_told(part, self.result.race.names)}")
        return f"Dot plot of members by group. {self.finding()}. {'; '.join(blocks)}."

    # -- marks ------------------------------------------------------------------------------------

    def natural(self) -> tuple[float, float]:
        across, lines = len(self._columns), max(map(len, self._columns))
        if on_a_phone():
            return PHONE_INCHES, 4.0 + self._row * lines
        return {1: 6.4, 2: 8.6, 3: 11.4}.get(across, 14.0), 2.15 + self._row * lines

    @property
    def _row(self) -> float:
        return LARGE_ROW if len(self.data) <= FEW else PHONE_ROW if on_a_phone() else ROW

    @property
    def _columns(self) -> list[list[Row]]:
        """The rows of each column: blocks one after the other, those that do not fit go on in the next."""
        blocks = [(str(group), part) for group, part in self.data.groupby("group", sort=False)]
        called = short_names(self.result.race.names, 24)
        key = [Row(called[name], colour=self.result.race.colours[name]) for name in self.result.race.names]
        key = key if len(key) > 2 else []
        headed = len(blocks) > 1
        total = len(self.data) + 2 * len(blocks) * headed + len(key)
        across = 1 if on_a_phone() else next((columns for most, columns in PER_COLUMN if total <= most), 4)
        least = -(-total // across) + (headed and across > 1)
        tries = (list(_filled(key, blocks, self.result.race.names, room, headed)) for room in from_(least))
        return next(columns for columns in tries if len(columns) <= across)

    def panels(self, fig: Any, stamp: bool) -> None:
        columns = self._columns
        cells = fig.subplots(1, len(columns), squeeze=False)[0]
        written(fig, self.finding(), [self.reading(), self.caption.stamp * stamp])
        lines = max(map(len, columns))
        for ax, rows in zip(cells, columns, strict=True):
            self._column(ax, rows, lines)

    def _column(self, ax: Axes, rows: list[Row], lines: int) -> None:
        names, colours = self.result.race.names, self.result.race.colours
        size = small() if self._row != ROW else pt(6.2)
        at = [y for y, row in enumerate(rows) if row.member is not None]
        who = [row.member for row in rows if row.member is not None]
        data = self.data.loc[who]
        ax.set_yticks(
            at, [short(row.text, 22 if on_a_phone() else 27) for row in rows if row.member is not None], fontsize=size
        )
        ax.tick_params(axis="y", length=0, pad=3)
        ax.set(ylim=(lines - 0.4, -0.6), xlim=(-3, 103), xticks=[0, 25, 50, 75, 100])
        ax.tick_params(axis="x", labelsize=small(), top=True, labeltop=True)
        ax.spines[["left", "right"]].set_visible(False)
        ax.spines[["top"]].set_visible(True)
        ax.vlines([0, 25, 75, 100], -0.6, lines - 0.4, color=faint(), lw=0.7, zorder=0)
        ax.axvline(50 if len(names) == 2 else 100 / len(names), color=quiet(), lw=0.9, zorder=1)
        for y, row in enumerate(rows):
            if row.member is None and row.text:
                dot = "\N{BLACK CIRCLE} " * bool(row.colour)
                look: dict[str, Any] = {"fontsize": 1.1 * size, "color": ink(row.colour or dark()), "in_layout": False}
                heading(ax, y, dot + row.text, -2, path_effects=haloed(), **look)
        (_two if len(names) == 2 else _many)(ax, np.array(at), data, names, colours, size)
        if len(names) == 2:
            for x, align, name in ((0, "left", names[1]), (1, "right", names[0])):
                look = {"ha": align, "va": "bottom", "fontsize": small(), "weight": "bold", "color": ink(colours[name])}
                place(ax, (x, 1), short_names(names, 16)[name], (0, pt(15)), **look)


def _filled(
    key: list[Row], blocks: list[tuple[str, pd.DataFrame]], names: tuple[str, ...], room: int, headed: bool
) -> Iterator[list[Row]]:
    """Give the rows of column after column, each of at most so many; blocks that go on have their heading again."""
    rows = list(key)
    for group, part in blocks:
        if rows and len(rows) + 4 > room:  # a heading, and two below it
            yield rows
            rows = []
        called = short(of_group(group), 26)
        rows += [Row("")] * bool(rows) + [Row(f"{called}: {_told(part, names)}")] * headed
        for member in part.index:
            if len(rows) >= room:
                yield rows
                rows = [Row(f"{called}, continued")] * headed
            rows.append(Row(str(member), str(member)))
    if rows:
        yield rows


def _told(part: pd.DataFrame, names: tuple[str, ...]) -> str:
    """Return how many lean to whom, in words."""
    counts = [(name, int((part["leans_to"] == name).sum())) for name in names]
    called = short_names(names, 14)
    told = [f"{number} to {called[name]}" for name, number in counts if number]
    left = len(part) - sum(number for _, number in counts)
    return ", ".join([*told, *[f"{left} open"] * bool(left)])


def _two(
    ax: Axes, at: np.ndarray, data: pd.DataFrame, names: tuple[str, ...], colours: dict[str, str], size: float
) -> None:
    chance = 100 * data[names[0]].to_numpy()
    inks = np.array([colours.get(str(name), GREY) for name in data["leans_to"]])
    low, high = (100 * data[f"{names[0]}_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
    some = low < high
    ax.hlines(at[some], low[some], high[some], colors=inks[some].tolist(), lw=1.3, alpha=0.55, zorder=2)
    _dots(ax, chance, at, inks, data["vote"].eq("pinned").to_numpy(), size)


def _dots(
    ax: Axes, x: np.ndarray, y: np.ndarray, inks: np.ndarray, pinned: np.ndarray, size: float, large: float = 1.0
) -> None:
    for square, marker in ((False, "o"), (True, "s")):
        own = pinned == square
        area = large * (0.6 * size) ** 2
        ax.scatter(
            x[own], y[own], s=area, c=inks[own], marker=marker, lw=0.5, edgecolors=paper(), zorder=3, clip_on=False
        )


def _many(
    ax: Axes, at: np.ndarray, data: pd.DataFrame, names: tuple[str, ...], colours: dict[str, str], size: float
) -> None:
    chances = 100 * data[list(names)].to_numpy()
    top = chances.argmax(axis=1)
    settled = data["leans_to"].to_numpy() == np.array(names)[top]
    own = np.array([colours[names[k]] for k in top])
    ends = [100 * np.array([row[f"{names[k]}_{end}"] for k, (_, row) in zip(top, data.iterrows(), strict=True)])
            for end in ("low", "high")]  # fmt: skip
    some = ends[0] < ends[1]
    ax.hlines(at[some], ends[0][some], ends[1][some], colors=own[some].tolist(), lw=1.3, alpha=0.55, zorder=2)
    pinned = data["vote"].eq("pinned").to_numpy()
    for k, name in enumerate(names):
        rest = top != k
        _dots(ax, chances[rest, k], at[rest], np.full(rest.sum(), colours[name]), pinned[rest], size, 0.4)
    lead = chances[np.arange(len(top)), top]
    _dots(ax, lead[settled], at[settled], own[settled], pinned[settled], size)
    look: dict[str, Any] = {"s": (0.55 * size) ** 2, "c": paper(), "lw": 1.0, "zorder": 4}
    ax.scatter(lead[~settled], at[~settled], edgecolors=own[~settled].tolist(), **look)
