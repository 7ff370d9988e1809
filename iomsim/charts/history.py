"""The record of past contests: every contest as a small path, and the rounds most like a tally."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from iomsim.charts.base import Chart, Page
from iomsim.charts.caption import written
from iomsim.charts.labels import heading, named_rows, note, place, right_of
from iomsim.charts.style import PHONE_INCHES, dark, haloed, ink, on_a_phone, paper, pt, quiet, small, tiny
from iomsim.charts.text import DASH, short
from iomsim.house_style import count, number_of, percent
from iomsim.validation.contest import Contest
from iomsim.validation.courses import end_of, over_at
from iomsim.validation.record import WON_FIRST, WON_OPEN, History, groups_of
from iomsim.validation.similar import FIRST, Alike

LEADER, OTHER = "#0072B2", "#D55E00"
"""The leader of the first ballot that is known; the one who won instead."""

MARKS = {"majority": "o", "withdrawal": ">", "confirmed": "s", "failed": "X", "open": "D"}
"""How a contest ended, as a mark."""

END_WORDS = {
    "majority": "elected",
    "withdrawal": "the other withdrew",
    "confirmed": "confirmed alone",
    "failed": "failed",
    "open": "nobody of those who stood",
}

LOW, HIGH = 0.2, 0.75
"""The shares at the bottom and the top of a row."""

ONE_COLUMN = 14
"""Contests up to which they lie below one another; more fill two columns."""

ROW = 0.36
"""Inches between contests."""

NUMBERED = (1, 2, 3, 5, 10, 20, 50, 100)
"""Rounds that are numbered."""


class Row(NamedTuple):
    """A line of a column: a heading, a contest, or a part of the key."""

    text: str = ""
    contest: Contest | None = None
    ends: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Paths(Page[History]):
    """Draw every contest of the record as a small path: the leader's share of the papers, round by round.

    The blue line is the leader of the first ballot that is known, the orange one who won instead; dotted where rounds
    are not known or were no vote between candidates.  The thin dark line is what elected.  The mark at the end says how
    the contest ended.  Rounds are on a logarithmic scale.  What the model would have said is in another chart: that of
    :func:`iomsim.backtest`.

    Parameters
    ----------
    group : {"kind", "body", "body_kind", "bar", "candidates", "ending", "grade", "decade"}
        What contests are grouped by; in a group those whose leader had most come first.

    Examples
    --------
    >>> import iomsim as iom
    >>> past = iom.history().filter(contest=["UNSC2020-AF", "UNSC2007-EEG"])
    >>> past.plot.history_data()[["contest", "round", "who"]].values.tolist()[:2]
    [['UNSC2020-AF', 1, 'Kenya'], ['UNSC2020-AF', 2, 'Kenya']]
    """

    group: str = "kind"

    @cached_property
    def groups(self) -> dict[str, list[Contest]]:
        """The contests that have a ballot to draw, by group, in their order."""
        names = groups_of(self.result.each(), self.group)
        drawn = [one for one in self.result.contests if one.ordinary]
        order = sorted(drawn, key=lambda one: (-_share(one, one.ordinary[0].field[0])[0][1], one.id))
        return {name: found for name in names.unique() if (found := [one for one in order if names[one.id] == name])}

    @cached_property
    def data(self) -> pd.DataFrame:
        """The paths: a row per contest, candidate who is followed, and known round.

        `who` has `share` of the papers, and `needed` is the share that elected; `role` is "leader" for the one who led
        the first known ballot, "winner" for somebody else who won; `group` is that of the contest.
        """
        rows = [
            {"contest": one.id, "group": name, "role": role, "who": who, "round": round_, "share": share}
            for name, contests in self.groups.items()
            for one in contests
            for role, who in _followed(one).items()
            for round_, share in _share(one, who)
        ]
        needs = {
            (one.id, round_): need for found in self.groups.values() for one in found for round_, need in _bar(one)
        }
        table = pd.DataFrame(rows, columns=["contest", "group", "role", "who", "round", "share"])
        table["needed"] = [needs[key] for key in zip(table["contest"], table["round"], strict=True)]
        return table

    # -- words -------------------------------------------------------------------------------------

    def finding(self) -> str:
        table = self.result.table()
        if not self.groups:
            return "No contest with a known ballot is left to draw"
        for question, when in (
            (WON_OPEN, "where a first ballot between two elected nobody, its leader won"),
            (WON_FIRST, "the leader of the first ballot won"),
        ):
            row = table.loc[question]
            if row["of"]:
                drawn = count(len(self.result.contests), "past contest")
                return f"{drawn}: {when} in {row['count']:d} of {row['of']:d}"
        return count(len(self.result.contests), "past contest")

    def reading(self) -> str:
        left = len(self.result.contests) - sum(map(len, self.groups.values()))
        said = (
            "Share of the papers by round (logarithmic scale): blue the leader of the first known ballot, with that "
            "share in percent; orange who won instead; thin dark lines what elected. Dotted: rounds not known, or no "
            "vote between candidates."
        )
        said += f" Picked by {'; '.join(self.result.filters)}." if self.result.filters else ""
        return said + (f" {count(left, 'contest')} without a known ballot not drawn." if left else "")

    def alt(self) -> str:
        told = (f"{one.id}: {_told(one)}" for found in self.groups.values() for one in found)
        return f"Small paths, a line for each contest. {self.finding()}. {'; '.join(told)}."

    # -- marks -------------------------------------------------------------------------------------

    @property
    def columns(self) -> list[list[Row]]:
        """The lines of each column."""
        lines = [
            line for name, found in self.groups.items() for line in (Row(name), *(Row(one.id, one) for one in found))
        ]
        across = 1 if on_a_phone() or len(lines) <= ONE_COLUMN + len(self.groups) else 2
        names = tuple(dict.fromkeys(end_of(one) for found in self.groups.values() for one in found))
        shown = [ending for ending in MARKS if ending in names]
        wide = 1 if on_a_phone() else 2
        legend = [Row(), *(Row(ends=tuple(shown[at : at + wide])) for at in range(0, len(shown), wide))]
        room = -(-(len(lines) + len(legend) + across - 1) // across)
        return list(_filled(lines, room, legend))

    def natural(self) -> tuple[float, float]:
        high = ROW * max([3, *map(len, self.columns)])
        return (PHONE_INCHES, 3.4 + high) if on_a_phone() else ((6.4, 11.4)[len(self.columns) > 1], 1.7 + high)

    def panels(self, fig: Any, stamp: bool) -> None:
        columns = self.columns
        cells = fig.subplots(1, len(columns), squeeze=False)[0]
        written(fig, self.finding(), [self.reading(), self.caption.stamp * stamp])
        depth = max([3, *map(len, columns)])
        last = max((over_at(one) for found in self.groups.values() for one in found), default=1)
        for ax, rows in zip(cells, columns, strict=True):
            self._column(ax, rows, depth, max(last, 3))

    def _column(self, ax: Axes, rows: list[Row], depth: int, last: int) -> None:
        ax.set_xscale("log")
        ax.set(xlim=(0.82, 1.12 * last), ylim=(depth - 0.4, -0.6))
        ticks = [round_ for round_ in NUMBERED if round_ <= last and not (round_ == 3 and on_a_phone())]
        ax.set_xticks(ticks, [str(round_) for round_ in ticks])
        ax.set_xticks([], minor=True)
        ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False, labelsize=small())
        named = [(y, short(row.text, 18), _told(row.contest)) for y, row in enumerate(rows) if row.contest]
        words = [f"{name}\n{told}" if on_a_phone() else name for _, name, told in named]
        ax.set_yticks([y for y, *_ in named], words, fontsize=small(), linespacing=1.1)
        ax.tick_params(axis="y", length=0, pad=pt(12))
        place(ax, (0, 1), "round", (pt(-7), pt(5)), ha="right", va="bottom", fontsize=small(), color=quiet())
        ax.spines[["left", "bottom", "right"]].set_visible(False)
        ax.spines["top"].set_visible(True)
        for y, row in enumerate(rows):
            if row.contest:
                _path(ax, y, row.contest)
            elif row.ends:
                _legend(ax, y, row.ends)
            elif row.text:
                heading(ax, y + 0.12, row.text, -70, fontsize=pt(8.5))


def _filled(rows: list[Row], room: int, legend: list[Row]) -> Iterator[list[Row]]:
    """Give the lines of column after column; a group that goes on in the next has its heading again."""
    column: list[Row] = []
    heading = Row()
    for row in rows:
        heading = heading if row.contest else row
        if len(column) >= room or (not row.contest and len(column) + 2 > room):
            yield column
            column = [] if heading is row else [Row(f"{heading.text}, continued")]
        column.append(row)
    yield [*column, *legend]


def _at(y: float, share: float) -> float:
    """Return the height of a share in a row."""
    return y + 0.48 - 0.96 * (np.clip(share, LOW, HIGH) - LOW) / (HIGH - LOW)


def _path(ax: Axes, y: int, one: Contest) -> None:
    """Draw a contest in its row."""
    bar = _bar(one)
    ends = [(max(one.ordinary[0].round, 1), bar[0][1]), *bar, (max(over_at(one), bar[-1][0] + 0.35), bar[-1][1])]
    ax.plot([x for x, _ in ends], [_at(y, share) for _, share in ends], color=dark(), lw=0.6, drawstyle="steps-post")
    followed = _followed(one)
    for role, who in followed.items():
        known, colour = _share(one, who), LEADER if role == "leader" else OTHER
        for (before, a), (after, b) in pairwise(known):
            look: dict[str, Any] = {"color": colour, "lw": 1.3, "ls": "-" if after == before + 1 else ":"}
            ax.plot([before, after], [_at(y, a), _at(y, b)], **look)
        ax.plot([x for x, _ in known], [_at(y, share) for _, share in known], "o", color=colour, ms=1.8)
    last = "winner" if "winner" in followed else "leader"
    round_, share = _share(one, followed[last])[-1]
    nobody = one.winner != followed[last]
    colour = quiet() if nobody else LEADER if last == "leader" else OTHER
    if over_at(one) > round_:
        ax.plot([round_, over_at(one)], [_at(y, share)] * 2, color=colour, lw=1.1, ls=":")
    ax.plot(max(over_at(one), round_), _at(y, share), **_mark(end_of(one), colour))
    first = _share(one, followed["leader"])[0]
    look = {"ha": "right", "va": "center", "fontsize": tiny(), "color": ink(LEADER), "path_effects": haloed()}
    note(ax, f"{100 * first[1]:.0f}", (first[0], _at(y, first[1])), (pt(-4), 0), **look)
    if not on_a_phone():  # there it stands under the name
        right_of(ax, y, _told(one), color=ink(colour), fontsize=pt(7.5))


def _mark(ending: str, colour: str) -> dict[str, Any]:
    hollow = ending == "open"
    return {
        "marker": MARKS[ending],
        "ms": 5,
        "color": colour,
        "mfc": paper() if hollow else colour,
        "zorder": 4,
        "ls": "",
    }


def _legend(ax: Axes, y: int, ends: tuple[str, ...]) -> None:
    """Write what the marks at the end are."""
    for place_, ending in zip((0.0, 0.55), ends, strict=False):
        ax.plot(place_, y, transform=ax.get_yaxis_transform(), clip_on=False, **_mark(ending, dark()))
        look: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "va": "center",
            "fontsize": small(),
            "color": quiet(),
        }
        note(ax, END_WORDS[ending], (place_, y), (pt(7), 0), **look)


def _followed(one: Contest) -> dict[str, str]:
    """Return whose shares are drawn: the leader of the first known ballot, and who won instead, if that one stood."""
    leader = one.ordinary[0].field[0]
    stood = one.winner is not None and any(one.winner in known.votes for known in one.ordinary)
    return {"leader": leader} | ({"winner": str(one.winner)} if stood and one.winner != leader else {})


def _share(one: Contest, who: str) -> list[tuple[int, float]]:
    """Return somebody's shares of the papers by round."""
    return [(known.round, known.votes[who] / known.base) for known in one.ordinary if who in known.votes]


def _bar(one: Contest) -> list[tuple[int, float]]:
    """Return the shares of the papers that elected, by round."""
    return [(a.round, (a.needed or one.needed(a.round, a.base)) / a.base) for a in one.ordinary]


def _told(one: Contest) -> str:
    """Return who won, and after how many rounds."""
    return f"{short(one.winner, 18) if one.winner else 'nobody'}, {count(one.rounds_total, 'round')}"


class SimilarRounds(Chart[Alike]):
    """Draw the rounds most like a tally: the leader's share, where it went in the next round, and what came of it.

    Dots are the leaders' shares, arrows lead to those of the next round, strokes are what elected.  The line is
    the tally that was asked about.

    Examples
    --------
    >>> import iomsim as iom
    >>> iom.history().like(98, 67, n=2).plot.alike_data()["leader"].tolist()
    ['Kazakhstan', 'Kenya']
    """

    size, min_rows = (9.6, 1.9, 0.34), 1

    @cached_property
    def data(self) -> pd.DataFrame:
        """The rounds that are drawn: see :meth:`iomsim.validation.similar.Alike.table`."""
        return self.result.table()

    def finding(self) -> str:
        led = self.data["leader_won"].dropna()
        asked = DASH.join(map(str, self.result.asked.votes))
        if self.data.empty:
            return f"The record has no {self.result.rounds_told()}"
        many = number_of(len(self.data), "round")
        if not len(led):
            return f"The {many} most like {asked} were tied"
        return f"After the {many} most like {asked} the leader won in {int(led.sum())} of {len(led)}"

    def reading(self) -> str:
        which = "the first ballot" if self.result.asked.rounds == FIRST else "the most similar ballot"
        marked = list(self.data.index[self.data["held_out"]])
        held = f" Held out for scoring: {', '.join(marked)}." if marked else ""
        return (
            f"Dots: the leader's share in {which} between so many, the nearest on top; blue if the leader won. Arrows: "
            "to the next ballot, where the same stood again. Strokes: what elected. Line: the tally asked about."
            f"{held}"
        )

    def alt(self) -> str:
        told = (f"{name}: {row['tally']}, then {_end(row)}" for name, row in self.data.iterrows())
        return f"Dot plot. {self.finding()}. {'; '.join(told)}."

    def marks(self, ax: Axes) -> float:
        asked, data = 100 * self.result.asked.share, self.data
        ax.axvline(asked, color=quiet(), lw=0.9, ls="--", zorder=1)
        colours = [quiet() if won is pd.NA else LEADER if won else OTHER for won in data["leader_won"]]
        named = [f"{short(str(name), 20)}{' *' * bool(row['held_out'])}" for name, row in data.iterrows()]
        told = [f"{row['tally'].replace('-', DASH)}: {_end(row)}" for _, row in data.iterrows()]
        told = [words.partition(" (")[0] for words in told] if on_a_phone() else told
        named_rows(ax, named)
        for y, (colour, words, (_, row)) in enumerate(zip(colours, told, data.iterrows(), strict=True)):
            right_of(ax, y, words, color=ink(colour))
            share, then = 100 * row["share"], 100 * row["next_share"]
            need = share + 100 * row["short"]
            ax.plot([need, need], [y - 0.28, y + 0.28], color=dark(), lw=1.0, zorder=2)
            if np.isfinite(then) and abs(then - share) > 0.3:
                arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
                ax.annotate("", (then, y), (share, y), arrowprops=arrow)
            ax.plot(share, y, "o", color=colour, ms=5.5, zorder=3)
        ax.set_xlabel("share of the leader, of 100")
        shares = pd.concat([data["share"], data["next_share"], data["share"] + data["short"]]).dropna() * 100
        ax.set_xlim(min([asked, *shares]) - 1.5, max([asked, *shares]) + 1.5)
        look: dict[str, Any] = {"va": "bottom", "ha": "center", "fontsize": small(), "color": quiet()}
        note(ax, percent(asked), (asked, 1), (0, pt(2)), xycoords=("data", "axes fraction"), **look)
        return pt(14.0)


def _end(row: pd.Series) -> str:
    """Return what came of a round in a few words."""
    who = short(row["winner"], 18) if isinstance(row["winner"], str) else "nobody"
    after = int(row["rounds_after"])
    when = "next round" if after == 1 else f"after {number_of(after, 'round')}" if after else "at once"
    return f"{who}, {when} ({END_WORDS[row['ending']] if row['ending'] != 'open' else 'had not stood'})"
