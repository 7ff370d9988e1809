"""Who changes sides between the rounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from iomsim.charts.base import ForecastChart, note, root, row
from iomsim.charts.style import haloed, ink, quiet, small
from iomsim.charts.text import announced_votes, left_in_100, on_best_guesses, short
from iomsim.errors import whole_number

ABSENT = "absent"
HALF_WIDTH = 0.06
"""Half the width of a bar, in rounds."""

NUMBER_PLACES = {-0.68: 0.16, -0.32: 0.84}
"""Where a stream may carry its number: rounds before its end, and what part of its way it has gone there."""

SPACING = 0.03
"""Space between streams, as a part of all members."""


@dataclass(kw_only=True)
class Flows(ForecastChart):
    """Draw who changes sides between the first rounds, as streams of members.

    Every stream is a mean over the elections that hold the later round.  Where many end, those
    that go on are others than those that were there, so a bar has two halves: the left is the
    mean over the elections that hold the round, the right over those that go on to the next.

    Parameters
    ----------
    rounds : int, default 4
        Rounds shown.

    Notes
    -----
    Tallies show the net of these moves only; how many members cross over in both directions is
    what the model says, also for rounds that were announced.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.flows_data(rounds=2)["members"].sum().round(6)
    np.float64(175.0)
    """

    rounds: int = 4
    size = (7.2, 4.2)

    @cached_property
    def data(self) -> pd.DataFrame:
        """How many members move from one candidate to another between rounds.

        Means over the runs that hold the later of the two rounds (yes/no rounds left out), of what
        members intend: a spoilt paper changes no intention.  The absent stay away for the whole election.

        One row per later `round`, `origin` and `destination`: `members`, and `voting`, the part of
        all runs that hold the round.  Empty if no run holds a second round.
        """
        fc, names = self.result, self.result.race.names
        entitled, rows = float(fc.race.votes.sum()), list[tuple[Any, ...]]()
        for later in range(2, whole_number("rounds", self.rounds, 2) + 1):
            held = int(fc.summary.voting[later - 1]) if later <= len(fc.summary.voting) else 0
            if held:
                mean, voting = fc.summary.flows[later - 1] / held, held / len(fc)
                rows += [(later, a, b, mean[i, j], voting) for i, a in enumerate(names) for j, b in enumerate(names)]
                rows.append((later, ABSENT, ABSENT, entitled - mean.sum(), voting))
        return pd.DataFrame(rows, columns=["round", "origin", "destination", "members", "voting"])

    def finding(self) -> str:
        data = self.data
        if data.empty:
            return "No election holds a second round between candidates"
        moved = data[data["origin"] != data["destination"]].groupby("round")["members"].sum()
        first, last = int(moved.index[0]), int(moved.index[-1])
        present = data[(data["round"] == first) & (data["origin"] != ABSENT)]["members"].sum()
        words = f"{moved[first]:.0f} of {present:.0f} members change sides between rounds {first - 1} and {first}"
        return words if first == last else f"{words}, and {moved[last]:.0f} between rounds {last - 1} and {last}"

    def reading(self) -> str:
        if self.data.empty:
            return ""
        return (
            "Members, on average over the elections still voting. A bar's left half: elections that hold the round; "
            f"its right half: those that go on.{on_best_guesses(self.result)}"
        )

    def alt(self) -> str:
        moves = self.data[self.data["origin"] != self.data["destination"]]
        largest = moves.sort_values("members", ascending=False, kind="stable").head(4)
        words = [f"{m.origin} to {m.destination} {m.members:.0f} before round {m.round}" for m in largest.itertuples()]
        return f"Stream chart of members between rounds. {self.finding()}. Largest moves: {'; '.join(words)}."

    def marks(self, ax: Axes) -> None:
        ax.spines[:].set_visible(False)
        ax.set(xticks=[], yticks=[])
        if self.data.empty:
            words = "After the first round voting is over, or the leader stands alone."
            ax.text(0.5, 0.5, words, ha="center", va="center", color=quiet(), transform=ax.transAxes)
        else:
            self._streams(ax)
            self._under(ax, [1, *sorted(set(self.data["round"]))])

    def _streams(self, ax: Axes) -> None:
        """Draw bars and ribbons; members are counted downwards from the first candidate."""
        colours = self.result.race.colours | {ABSENT: "#CCCCCC"}
        names = [*self.result.race.names, ABSENT]
        wide = self.data.pivot(index=["round", "origin"], columns="destination", values="members")
        tables = {
            int(r): wide.loc[r].reindex(index=names, columns=names).fillna(0.0) for r in wide.index.unique("round")
        }
        total = next(iter(tables.values())).to_numpy().sum()
        rounds = [min(tables) - 1, *tables]
        ax.set(xlim=(rounds[0] - 0.1, rounds[-1] + 0.35), ylim=(total * (1 + SPACING * len(colours)), -0.01 * total))
        for later, table in tables.items():
            _ribbons(ax, _placed(table, total), later, colours)
            halves = ((table.sum(axis=1), later - 1, HALF_WIDTH), (table.sum(), later, -HALF_WIDTH))
            for members, round_, width in halves:
                tops, inks = _tops(members, total), [colours[str(name)] for name in members.index]
                for height, top, colour in zip(members, tops, inks, strict=True):
                    ax.bar(round_, height, bottom=top, width=width, align="edge", color=colour, lw=0, zorder=4)
        for r in rounds:
            members = tables[r].sum() if r in tables else tables[r + 1].sum(axis=1)
            side = -1 if r == rounds[0] else 0 if r == rounds[-1] else 1
            _names(ax, members, total, r, side, colours)

    def _under(self, ax: Axes, rounds: list[int]) -> None:
        """Write the rounds, how many elections still vote, and what has been announced."""
        fc = self.result
        row(ax, "round", rounds, rounds, 0)
        voting = fc.summary.voting[np.array(rounds) - 1] / len(fc)
        row(ax, "hold a ballot", rounds, [left_in_100(p) for p in voting], 1)
        told = [r for r in rounds if r <= fc.announced]
        for line, (name, votes) in enumerate(announced_votes(fc, len(told)).items(), start=2):
            colour = ink(fc.race.colours[name])
            row(ax, f"{short(name)}, announced", told, votes, line, color=colour, weight="bold")


def _tops(members: pd.Series, total: float) -> pd.Series:
    """Return where each stream begins: those before it and the space between."""
    return (members + SPACING * total).cumsum() - (members + SPACING * total)


def _placed(table: pd.DataFrame, total: float) -> pd.DataFrame:
    """Return the streams one by one, with where they begin at the left and at the right, the largest first."""
    cells = table.to_numpy()
    left = _tops(table.sum(axis=1), total).to_numpy()[:, None] + np.cumsum(cells, axis=1) - cells
    right = _tops(table.sum(axis=0), total).to_numpy()[None, :] + np.cumsum(cells, axis=0) - cells
    pairs = pd.MultiIndex.from_product([table.index, table.columns], names=["origin", "destination"])
    flat = {"members": cells.ravel(), "left": left.ravel(), "right": right.ravel()}
    streams = pd.DataFrame(flat, index=pairs).reset_index()
    return streams[streams["members"] > 0].sort_values("members", ascending=False, kind="stable")


def _ribbons(ax: Axes, streams: pd.DataFrame, later: int, colours: dict[str, str]) -> None:
    """Draw the streams before a round, and count those who change sides where there is room for a number."""
    bottom, top = ax.get_ylim()
    room = 10 / 72 * root(ax).dpi / ax.get_window_extent().height * (bottom - top)
    taken: dict[float, list[float]] = {place: [] for place in NUMBER_PLACES}
    for stream in streams.itertuples():
        moves, colour = stream.origin != stream.destination, colours[stream.origin]
        ribbon = _ribbon(later - 1 + HALF_WIDTH, later - HALF_WIDTH, stream.left, stream.right, stream.members)
        ax.add_patch(PathPatch(ribbon, lw=0, color=colour, alpha=0.6 if moves else 0.25, zorder=3 if moves else 2))
        for x, part in NUMBER_PLACES.items():
            y = stream.left + part * (stream.right - stream.left) + stream.members / 2
            if moves and stream.members >= 1 and all(abs(y - other) >= room for other in taken[x]):
                taken[x].append(y)
                look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": small(), "weight": "bold"}
                look |= {"color": ink(colour), "zorder": 5, "path_effects": haloed(2.5)}
                ax.text(later + x, y, f"{stream.members:.0f}", **look)
                break


def _ribbon(start: float, stop: float, a: float, b: float, height: float) -> Path:
    """Return the closed outline of a stream from `a` to `b`, with the slope of a wave."""
    middle = (start + stop) / 2
    points = [
        (start, a), (middle, a), (middle, b), (stop, b),
        (stop, b + height), (middle, b + height), (middle, a + height), (start, a + height), (start, a),
    ]  # fmt: skip
    wave = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *wave, Path.LINETO, *wave, Path.CLOSEPOLY])


def _names(ax: Axes, members: pd.Series, total: float, round_: int, side: int, colours: dict[str, str]) -> None:
    """Write the number of members beside each bar, with the names at the left of the first."""
    for (name, height), top in zip(members.items(), _tops(members, total), strict=True):
        if height < 0.012 * total and side >= 0:
            continue
        words = f"{short(str(name), 20)} {height:.0f}" if side < 0 else f"{height:.0f}"
        look: dict[str, Any] = {"va": "center", "fontsize": small(), "weight": "bold", "zorder": 6}
        look |= {"color": ink(colours[str(name)]), "path_effects": haloed(), "ha": "left" if side >= 0 else "right"}
        at = round_ + max(side, 0) * HALF_WIDTH, top + height / 2
        note(ax, words, at, (4 if side >= 0 else -4, 0), annotation_clip=None, **look)
