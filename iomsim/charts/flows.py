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

from iomsim.charts.base import ForecastChart
from iomsim.charts.labels import announced_inches, announced_rows, note, row
from iomsim.charts.measures import height_points, lay_out, width_points
from iomsim.charts.style import haloed, ink, mark, pt, quiet, small
from iomsim.charts.text import left_in_100, on_best_guesses, short_names, whole_parts
from iomsim.errors import whole_number
from iomsim.forecasting.summary import BINS
from iomsim.typing import Flags, Floats

Looks = dict[str, dict[str, Any]]
"""How the members of each candidate are drawn."""

ABSENT = "absent"

FEW = 100
"""Runs; what rests on fewer is grey, and no sentence is made of it."""

HALF_WIDTH = 0.05
"""Half the width of a bar, in rounds."""

END = 0.09
"""How long the ends of elections are, in rounds."""

NUMBER_PLACES = {-0.68: 0.16, -0.32: 0.84, -0.5: 0.5, -0.8: 0.05, -0.2: 0.95}
"""Where a stream may carry its number: rounds before its end, and what part of its way it has gone there."""

CLOSE = 1.25
"""Points from line to line, for letters of one point, where words stand close."""

NUMBER_POINTS = 27
"""Points at the right of a bar that its number and half of one on a stream take."""

SPACING = 0.03
"""Space between streams, as a part of all members."""


@dataclass(kw_only=True)
class Flows(ForecastChart):
    """Draw who changes sides between the first rounds, as streams of members.

    A bar is a round as it is on average over all elections that hold it.  From it go the streams of the elections
    that hold another, which widen to all of those, and short ends of the elections that do not: who goes on may be
    others than who was there.  What rests on fewer than 100 runs is grey.

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
    >>> fc.plot.flows_data(rounds=2).groupby("round")["members"].sum().round(6).to_dict()
    {1: 175.0, 2: 175.0}
    """

    rounds: int = 4
    size = (7.2, 4.2)

    def natural(self) -> tuple[float, float]:
        """Return the size for the house's letters: higher, where more than two have a row of announced votes."""
        return self.size[0], self.size[1] + announced_inches(self.result)

    @cached_property
    def data(self) -> pd.DataFrame:
        """How many members stand where in the first round, and how many move from one candidate to another later.

        Means over the runs that hold the round (yes/no rounds left out), of what members intend: a spoilt paper
        changes no intention.  The absent stay away for the whole election.  In round 1 these are the mean shares of
        the valid papers, of all members present.

        One row per `round`, `origin` (the round before; in round 1 the same as `destination`) and `destination`:
        `members`, and `voting`, the part of all runs that hold the round.
        """
        fc, names = self.result, self.result.race.names
        entitled, rows = float(fc.race.votes.sum()), list[tuple[Any, ...]]()
        for round_ in range(1, whole_number("rounds", self.rounds, 2) + 1):
            held = int(fc.summary.voting[round_ - 1]) if round_ <= len(fc.summary.voting) else 0
            if held:
                mean = fc.summary.flows[round_ - 1] / held if round_ > 1 else np.diag(self._first())
                pairs = [(a, a) for a in range(len(names))] if round_ == 1 else np.ndindex(mean.shape)
                part = held / len(fc)
                rows += [(round_, names[a], names[b], mean[a, b], part) for a, b in pairs]
                rows.append((round_, ABSENT, ABSENT, entitled - mean.sum(), part))
        return pd.DataFrame(rows, columns=["round", "origin", "destination", "members", "voting"])

    def _first(self) -> Floats:
        """Return the members for each candidate in the first round, on average over all runs that hold it."""
        fc, summary = self.result, self.result.summary
        held, later = (float(runs) for runs in [*summary.voting, 0][:2])
        if held == later:
            return summary.flows[1].sum(axis=1) / held
        if fc.outcomes is not None:
            present = fc.outcomes.present.mean()
        else:
            present = summary.flows[1].sum() / later if later else summary.examples.present.mean()
        shares = summary.shares[0] @ (np.arange(BINS) + 0.5)
        return np.asarray(present * shares / shares.sum())

    @cached_property
    def _solid(self) -> pd.DataFrame:
        """The moves that rest on runs enough to be told."""
        moves = self.data[(self.data["round"] > 1) & (self.data["voting"] * len(self.result) >= FEW)]
        return moves[moves["origin"] != moves["destination"]]

    def _present(self) -> int:
        """Return the members present in round 1, as the bar's numbers add up."""
        return sum(whole_parts(self.data.loc[self.data["round"] == 1, "members"])[:-1])

    def finding(self) -> str:
        second = self.data.loc[self.data["round"] == 2, "voting"]
        if second.empty:
            return "No election holds a second round between candidates"
        if self._solid.empty:
            few = len(self.result) < FEW
            held = "" if few else f": {left_in_100(second.iloc[0])} of 100 elections hold a second round"
            return f"Too few {'runs' if few else 'ballots'} to say who changes sides{held}"
        moved = self._solid.groupby("round")["members"].sum()
        ahead = moved[moved.index > self.result.announced]
        verb, told = ("have changed", moved) if ahead.empty else ("change", ahead)
        first, last = int(told.index[0]), int(told.index[-1])
        words = f"{moved[first]:.0f} of {self._present()} members {verb} sides between rounds {first - 1} and {first}"
        return words if first == last else f"{words}, and {moved[last]:.0f} between rounds {last - 1} and {last}"

    def reading(self) -> str:
        data = self.data
        if data.empty:
            return ""
        told = "Bars: members for each, on average over the elections that hold the round."
        if data["round"].max() > 1:
            told += " Short ends: elections without another ballot; streams: those with one, widened to all of them."
        if (data["voting"] * len(self.result) < FEW).any():
            told += f" Grey: fewer than {FEW} runs."
        return f"{told}{on_best_guesses(self.result)}"

    def alt(self) -> str:
        largest = self._solid.sort_values("members", ascending=False, kind="stable").head(4)
        words = [f"{m.origin} to {m.destination} {m.members:.0f} before round {m.round}" for m in largest.itertuples()]
        moves = f" Largest moves: {'; '.join(words)}." * bool(words)
        return f"Stream chart of members between rounds. {self.finding()}.{moves}"

    def marks(self, ax: Axes) -> None:
        ax.spines[:].set_visible(False)
        ax.set(xticks=[], yticks=[])
        if not self.data.empty:
            self._streams(ax)
            self._under(ax, sorted(set(self.data["round"])))
        if self.data["round"].max() < 2 or self.data.empty:
            words = "After the first round voting is over,\nor the leader stands alone."
            ax.text(0.55, 0.5, words, ha="center", va="center", color=quiet(), transform=ax.transAxes)

    @cached_property
    def _bars(self) -> dict[int, pd.Series]:
        """The members for each candidate, and the absent, by round."""
        names = [*self.result.race.names, ABSENT]
        rounds = self.data.groupby(["round", "destination"])["members"].sum().groupby("round")
        return {int(r): members.droplevel(0).reindex(names) for r, members in rounds}

    @cached_property
    def _moves(self) -> dict[int, pd.DataFrame]:
        """The streams that lead to a round."""
        out, names = {}, [*self.result.race.names, ABSENT]
        held = self.data.groupby("round")["voting"].first()
        for round_, moves in self.data[self.data["round"] > 1].groupby("round"):
            table = moves.pivot(index="origin", columns="destination", values="members")
            whole, part = table.reindex(index=names, columns=names).fillna(0.0), held[round_] / held[round_ - 1]
            out[int(round_)] = _placed(self._bars[int(round_) - 1], whole, part, self._total)
        return out

    @property
    def _total(self) -> float:
        return float(self.result.race.votes.sum())

    def _looks(self, round_: int) -> Looks:
        """Return how the members of a round are drawn, and who move there: in their candidate's colour, or grey.

        The absent are an outline.
        """
        held = self.result.summary.voting[round_ - 1]
        colours = {name: mark(colour) if held >= FEW else quiet() for name, colour in self.result.race.colours.items()}
        looks: Looks = {name: {"facecolor": colour, "lw": 0} for name, colour in colours.items()}
        return looks | {ABSENT: {"facecolor": "none", "edgecolor": quiet(), "lw": 0.8}}

    def _streams(self, ax: Axes) -> None:
        """Draw bars, ribbons and ends; members are counted downwards from the first candidate."""
        total, last = self._total, max(self._bars)
        ax.set(xlim=(0.9, max(last, 2) + 0.35), ylim=(total * (1 + SPACING * len(self._bars[1])), -0.01 * total))
        for round_, members in self._bars.items():
            looks = self._looks(round_)
            for (name, height), top in zip(members.items(), _tops(members, total), strict=True):
                ax.bar(round_, height, bottom=top, width=2 * HALF_WIDTH, zorder=4, **looks[str(name)])
            _names(ax, members, total, round_, looks)
            if round_ < last:
                streams = self._moves[round_ + 1]
                _ends(ax, streams, members, total, round_, looks)
                _ribbons(ax, streams, round_ + 1, self._looks(round_ + 1))

    def late_marks(self, ax: Axes) -> None:
        lay_out(ax)
        member = height_points(ax) / abs(np.ptp(ax.get_ylim()))  # in points
        wide = width_points(ax) / np.ptp(ax.get_xlim())  # of a round
        for round_ in self._bars:
            named: list[Any] = [text for text in ax.texts if text.get_label() == f"members {round_}"]
            heights = [text.xy[1] for text in named]
            for text in named:
                apart = min((abs(text.xy[1] - other) for other in heights if other != text.xy[1]), default=self._total)
                text.set_fontsize(min(small(), member * apart / CLOSE))
            if round_ + 1 in self._moves and self.result.summary.voting[round_] >= FEW:
                beside = [place for place in NUMBER_PLACES if (1 + place - HALF_WIDTH) * wide < pt(NUMBER_POINTS)]
                taken = {place: heights.copy() if place in beside and round_ > 1 else [] for place in NUMBER_PLACES}
                _counts(ax, self._moves[round_ + 1], round_ + 1, self._looks(round_ + 1), taken, pt(14) / member)

    def _under(self, ax: Axes, rounds: list[int]) -> None:
        """Write the rounds, how many elections still vote, and what has been announced."""
        fc = self.result
        row(ax, "round", rounds, rounds, 0)
        voting = fc.summary.voting[np.array(rounds) - 1] / len(fc)
        row(ax, "hold a ballot", rounds, [left_in_100(p) for p in voting], 1)
        announced_rows(ax, fc, [r for r in rounds if r <= fc.announced])


def _tops(members: pd.Series, total: float) -> pd.Series:
    """Return where each stream begins: those before it and the space between."""
    return (members + SPACING * total).cumsum() - (members + SPACING * total)


def _placed(before: pd.Series, table: pd.DataFrame, part: float, total: float) -> pd.DataFrame:
    """Return the streams one by one, the largest first: where they begin and how thick they are at both ends.

    Parameters
    ----------
    before : Series
        The members of the bar at the left.
    table : DataFrame
        Those who move, by origin and destination: the sums over its rows are the bar at the right.
    part : float
        The part of the elections at the left that go on.  Streams are so much thinner there.
    total : float
        All members.
    """
    cells = table.to_numpy()
    most = np.divide(before, table.sum(axis=1), out=np.ones(len(before)), where=table.sum(axis=1) > 0)
    thin = cells * np.minimum(part, most).to_numpy()[:, None]
    over = np.where(_ends_above(before), before - thin.sum(axis=1), 0.0)
    left = (_tops(before, total) + over).to_numpy()[:, None] + np.cumsum(thin, axis=1) - thin
    right = _tops(table.sum(axis=0), total).to_numpy()[None, :] + np.cumsum(cells, axis=0) - cells
    pairs = pd.MultiIndex.from_product([table.index, table.columns], names=["origin", "destination"])
    flat = {"members": cells, "thin": thin, "left": left, "right": right}
    streams = pd.DataFrame({name: values.ravel() for name, values in flat.items()}, index=pairs).reset_index()
    return streams[streams["members"] > 0].sort_values("members", ascending=False, kind="stable")


def _ends_above(members: pd.Series) -> Flags:
    """Return of which candidates the ends of elections lie above the streams: out of the way of those."""
    return np.asarray(np.arange(len(members)) < len(members) // 2)


def _ends(ax: Axes, streams: pd.DataFrame, before: pd.Series, total: float, round_: int, looks: Looks) -> None:
    """Draw what does not go on as short ends."""
    gone = before - streams.groupby("origin")["thin"].sum().reindex(before.index).fillna(0.0)
    lows = np.where(_ends_above(before), _tops(before, total), _tops(before, total) + before - gone)
    for (name, height), low in zip(gone.items(), lows, strict=True):
        if name != ABSENT and height > 0:
            look = looks[str(name)] | {"alpha": 0.45}
            ax.bar(round_ + HALF_WIDTH, height, bottom=low, width=END, align="edge", zorder=2.5, **look)


def _ribbons(ax: Axes, streams: pd.DataFrame, later: int, looks: Looks) -> None:
    """Draw the streams that lead to a round, those who change sides over the others."""
    for stream in streams[streams["origin"] != ABSENT].itertuples():
        moves, colour = stream.origin != stream.destination, looks[stream.origin]["facecolor"]
        ribbon = _ribbon(later - 1 + HALF_WIDTH, later - HALF_WIDTH, *_stream_ends(stream))
        ax.add_patch(PathPatch(ribbon, lw=0, color=colour, alpha=0.6 if moves else 0.25, zorder=3 if moves else 2))


def _counts(
    ax: Axes, streams: pd.DataFrame, later: int, looks: Looks, taken: dict[float, list[float]], room: float
) -> None:
    """Count those who change sides on their streams, where no number is taken nearer than `room` members' heights."""
    moving = streams[streams["origin"] != streams["destination"]]
    for stream, number in zip(moving.itertuples(), whole_parts(moving["members"]), strict=True):
        for x, part in NUMBER_PLACES.items() if stream.members >= 1 else ():
            y = sum(weight * sum(end) / 2 for weight, end in zip((1 - part, part), _stream_ends(stream), strict=True))
            if all(abs(y - other) >= room for other in taken[x]):
                taken[x].append(y)
                look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": small(), "weight": "bold"}
                look |= {"color": ink(looks[stream.origin]["facecolor"]), "path_effects": haloed(2.5), "zorder": 5}
                ax.text(later + x, y, str(number), **look)
                break


def _stream_ends(stream: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return from where to where a stream reaches at its left and its right end."""
    return (stream.left, stream.left + stream.thin), (stream.right, stream.right + stream.members)


def _ribbon(start: float, stop: float, left: tuple[float, float], right: tuple[float, float]) -> Path:
    """Return the closed outline of a stream between its two ends, with the slope of a wave."""
    middle, (a, c), (b, d) = (start + stop) / 2, left, right
    x = [start, middle, middle, stop, stop, middle, middle, start, start]
    points = [*zip(x, [a, a, b, b, d, d, c, c, a], strict=True)]
    wave = [Path.CURVE4] * 3
    return Path(points, [Path.MOVETO, *wave, Path.LINETO, *wave, Path.CLOSEPOLY])


def _names(ax: Axes, members: pd.Series, total: float, round_: int, looks: Looks) -> None:
    """Write the number of members beside each bar, with the names at the left of the first."""
    called, first = short_names([str(name) for name in members.index], 20), round_ == 1
    tops, numbers = _tops(members, total), dict(zip(members.index, whole_parts(members), strict=True))
    for name, height in members[(members >= 0.012 * total) | (first & (members.index != ABSENT))].items():
        words = f"{called[str(name)]} {numbers[name]}" if first else str(numbers[name])
        colour = quiet() if name == ABSENT else ink(str(looks[str(name)]["facecolor"]))
        look: dict[str, Any] = {"va": "center", "fontsize": small(), "weight": "bold", "zorder": 6}
        look |= {"color": colour, "path_effects": haloed(), "ha": "right" if first else "left"}
        at = round_ - HALF_WIDTH if first else round_ + HALF_WIDTH
        note(ax, words, (at, tops[name] + height / 2), (pt(-4 if first else 4), 0), label=f"members {round_}", **look)
