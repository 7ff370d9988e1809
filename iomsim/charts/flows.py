"""Who changes sides between the rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from iomsim.charts.base import Caption, canvas, finish, root, row
from iomsim.charts.facts import announced_votes, headed
from iomsim.charts.style import QUIET, SMALL, haloed, ink
from iomsim.charts.text import short
from iomsim.errors import whole_number
from iomsim.forecasting.estimates import in_100

if TYPE_CHECKING:
    from iomsim.forecasting.forecast import Forecast

ABSENT = "absent"
HALF = 0.06
"""Half the width of a bar, in rounds."""

PLACES = {-0.68: 0.16, -0.32: 0.84}
"""Where a stream may carry its number: rounds before its end, and what part of its way it has gone there."""

AIR = 0.03
"""Space between streams, as a part of all members."""


def flows_data(fc: Forecast, rounds: int = 4) -> pd.DataFrame:
    """Return how many members move from one candidate to another between rounds.

    Means over the runs that hold the later of the two rounds (yes/no rounds left out), of what
    members intend: a spoilt paper changes no intention.  The absent stay away for the whole election.

    Parameters
    ----------
    fc : Forecast
        What to count.
    rounds : int, default 4
        Rounds shown.

    Returns
    -------
    DataFrame
        One row per later `round`, `origin` and `destination`: `members`, and `voting`, the part of
        all runs that hold the round.  Empty if no run holds a second round.
    """
    names, entitled = fc.race.names, float(fc.race.votes.sum())
    rows: list[tuple[Any, ...]] = []
    for later in range(2, whole_number("rounds", rounds, 2) + 1):
        held = int(fc.summary.voting[later - 1]) if later <= len(fc.summary.voting) else 0
        if held:
            mean, voting = fc.summary.flows[later - 1] / held, held / len(fc)
            rows += [(later, a, b, mean[i, j], voting) for i, a in enumerate(names) for j, b in enumerate(names)]
            rows.append((later, ABSENT, ABSENT, entitled - mean.sum(), voting))
    return pd.DataFrame(rows, columns=["round", "origin", "destination", "members", "voting"])


def flows(
    fc: Forecast,
    *,
    ax: Axes | Figure | SubFigure | None = None,
    rounds: int = 4,
    stamp: bool = True,
) -> Axes:
    """Draw who changes sides between the first rounds, as streams of members.

    Every stream is a mean over the elections that hold the later round.  Where many end, those
    that go on are others than those that were there, so a bar has two halves: the left is the
    mean over the elections that hold the round, the right over those that go on to the next.

    Parameters
    ----------
    fc : Forecast
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    rounds : int, default 4
        Rounds shown.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

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
    data = flows_data(fc, rounds)
    with canvas(ax, (7.2, 4.2)) as ax:
        ax.spines[:].set_visible(False)
        ax.set(xticks=[], yticks=[])
        if data.empty:
            ax.text(
                0.5,
                0.5,
                "After the first round voting is over, or the leader stands alone.",
                ha="center",
                va="center",
                color=QUIET,
                transform=ax.transAxes,
            )
        else:
            _streams(ax, fc, data)
            _under(ax, fc, [1, *sorted(set(data["round"]))])
        finish(ax, _caption(fc, data), stamp)
    return ax


def finding(data: pd.DataFrame) -> str:
    """Return how many members change sides, between the first rounds and between the last."""
    if data.empty:
        return "No election holds a second round between candidates"
    moved = data[data["origin"] != data["destination"]].groupby("round")["members"].sum()
    first, last = int(moved.index[0]), int(moved.index[-1])
    present = data[(data["round"] == first) & (data["origin"] != ABSENT)]["members"].sum()
    words = f"{moved[first]:.0f} of {present:.0f} members change sides between rounds {first - 1} and {first}"
    return words if first == last else f"{words}, {moved[last]:.0f} between rounds {last - 1} and {last}"


def _caption(fc: Forecast, data: pd.DataFrame) -> Caption:
    reading = (
        "Members, on average over the elections still voting. A bar's left half: elections that hold the round; "
        "its right half: those that go on."
    )
    moves = data[data["origin"] != data["destination"]]
    largest = moves.sort_values("members", ascending=False, kind="stable").head(4)
    words = [f"{m.origin} to {m.destination} {m.members:.0f} before round {m.round}" for m in largest.itertuples()]
    alt = f"Stream chart of members between rounds. {finding(data)}. Largest moves: {'; '.join(words)}."
    return Caption(headed(fc, finding(data)), "" if data.empty else reading, alt, fc.stamp(), fc.provenance)


def _streams(ax: Axes, fc: Forecast, data: pd.DataFrame) -> None:
    """Draw bars and ribbons; members are counted downwards from the first candidate."""
    colours = fc.race.colours | {ABSENT: "#CCCCCC"}
    tables = _tables(data, [*fc.race.names, ABSENT])
    total = next(iter(tables.values())).to_numpy().sum()
    rounds = [min(tables) - 1, *tables]
    ax.set(xlim=(rounds[0] - 0.1, rounds[-1] + 0.35), ylim=(total * (1 + AIR * len(colours)), -0.01 * total))
    for later, table in tables.items():
        before, after = table.sum(axis=1), table.sum(axis=0)
        _ribbons(ax, _placed(table, total), later, colours)
        _halves(ax, before, _tops(before, total), later - 1, HALF, colours)
        _halves(ax, after, _tops(after, total), later, -HALF, colours)
    for r in rounds:
        members = tables[r].sum(axis=0) if r in tables else tables[r + 1].sum(axis=1)
        side = -1 if r == rounds[0] else 0 if r == rounds[-1] else 1
        _names(ax, members, _tops(members, total), r, side, 0.012 * total, colours)


def _tables(data: pd.DataFrame, names: list[str]) -> dict[int, pd.DataFrame]:
    """Return for each later round the members by origin and destination."""
    wide = {int(r): t.pivot(index="origin", columns="destination", values="members") for r, t in data.groupby("round")}
    return {r: table.reindex(index=names, columns=names).fillna(0.0) for r, table in wide.items()}


def _tops(members: pd.Series, total: float) -> pd.Series:
    """Return where each stream begins: those before it and the air between."""
    return (members + AIR * total).cumsum() - (members + AIR * total)


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
    taken: dict[float, list[float]] = {place: [] for place in PLACES}
    for stream in streams.itertuples():
        moves = stream.origin != stream.destination
        ribbon = _ribbon(later - 1 + HALF, later - HALF, stream.left, stream.right, stream.members)
        look = {"color": colours[stream.origin], "alpha": 0.6 if moves else 0.25, "zorder": 3 if moves else 2}
        ax.add_patch(PathPatch(ribbon, lw=0, **look))
        for x, part in PLACES.items():
            y = stream.left + part * (stream.right - stream.left) + stream.members / 2
            if moves and stream.members >= 1 and all(abs(y - other) >= room for other in taken[x]):
                taken[x].append(y)
                ax.text(
                    later + x, y, f"{stream.members:.0f}", ha="center", va="center", fontsize=SMALL, weight="bold",
                    color=ink(colours[stream.origin]), zorder=5, path_effects=haloed(2.5),
                )  # fmt: skip
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


def _halves(ax: Axes, members: pd.Series, tops: pd.Series, round_: int, width: float, colours: dict[str, str]) -> None:
    for name, height in members.items():
        ax.bar(round_, height, bottom=tops[name], width=width, align="edge", color=colours[str(name)], lw=0, zorder=4)


def _names(
    ax: Axes, members: pd.Series, tops: pd.Series, round_: int, side: int, least: float, colours: dict[str, str]
) -> None:
    """Write the number of members beside each bar, with the names at the left of the first."""
    for name, height in members.items():
        if height < least and side >= 0:
            continue
        words = f"{short(str(name), 20)} {height:.0f}" if side < 0 else f"{height:.0f}"
        ax.annotate(
            words, (round_ + max(side, 0) * HALF, tops[name] + height / 2), xytext=(4 if side >= 0 else -4, 0),
            textcoords="offset points", ha="left" if side >= 0 else "right", va="center", fontsize=SMALL,
            color=ink(colours[str(name)]), path_effects=haloed(), zorder=6, weight="bold",
        )  # fmt: skip


def _under(ax: Axes, fc: Forecast, rounds: list[int]) -> None:
    row(ax, "round", rounds, rounds, 0)
    voting = fc.summary.voting[np.array(rounds) - 1] / len(fc)
    row(ax, "still voting", rounds, ["all" if p == 1 else in_100(p) for p in voting], 1)
    told = [r for r in rounds if r <= fc.announced]
    for line, (name, votes) in enumerate(announced_votes(fc, len(told)).items(), start=2):
        colour = ink(fc.race.colours[name])
        row(ax, f"{short(name)}, announced", told, votes, line, color=colour, weight="bold")
