"""How the shares of the vote may move from round to round."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.transforms import Bbox

from iomsim.charts.base import Caption, canvas, finish, place, root, row
from iomsim.charts.facts import DASH, headed, tally
from iomsim.charts.style import DARK, SMALL, haloed, ink
from iomsim.charts.text import short
from iomsim.errors import whole_number
from iomsim.forecasting.estimates import count, in_100
from iomsim.forecasting.summary import yes_no_rows

if TYPE_CHECKING:
    from iomsim.forecasting.forecast import Forecast

MOST = 12
"""Rounds shown."""

BANDS = {30: (0.35, 0.65), 60: (0.20, 0.80), 90: (0.05, 0.95)}
"""Of 100 elections, how many lie inside a band, and its ends."""

OVER, UNDER = 15, 40
"""Points over a panel for its name, and under it for the rounds."""

FEWEST = 20
"""Runs that a band is drawn from; fewer show nothing but noise."""

FRACTIONS = {Fraction(2, 3): "two thirds", Fraction(1, 2): "half", Fraction(1, 3): "one third"}


# -- the numbers ---------------------------------------------------------------------------------


def trajectories_data(fc: Forecast, most: int = MOST) -> pd.DataFrame:
    """Return the bands: where a candidate's share lies among the runs in which the round is voted.

    Yes/no rounds are left out.  A band of fewer than 20 runs is missing.

    Returns
    -------
    DataFrame
        By candidate and round: `p5`, `p20`, `p35`, `p65`, `p80` and `p95`, quantiles of the share
        of valid papers; `voting`, the part of all runs in which the round is held and the
        candidate stands; and `announced`, whether the round is a fact.
    """
    rounds = range(1, _last_round(fc, whole_number("most", most, 1)) + 1)
    rows = {(name, r): _band(fc, k, r) for k, name in enumerate(fc.race.names) for r in rounds}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["candidate", "round"])


def _last_round(fc: Forecast, most: int) -> int:
    """Return the last round to show: the last that some run votes in, if not later than `most`."""
    return min(most, int(np.flatnonzero(fc.summary.voting).max(initial=0)) + 1)


def _band(fc: Forecast, k: int, round_: int) -> dict[str, Any]:
    voting = int(fc.summary.shares[round_ - 1, k].sum())
    known = share_announced(fc, k, round_)
    ends = sorted(p for pair in BANDS.values() for p in pair)
    enough = fc.summary.share_quantile(round_, k, ends) if voting >= FEWEST else np.full(len(ends), np.nan)
    quantiles = enough if known is None else np.full(len(ends), known)
    named = {f"p{round(100 * p)}": float(q) for p, q in zip(ends, quantiles, strict=True)}
    return {**named, "voting": voting / len(fc), "announced": round_ <= fc.announced}


def share_announced(fc: Forecast, k: int, round_: int) -> float | None:
    """Return a candidate's share in an announced round, or None where it is not known."""
    known = tally(fc, round_)
    votes = None if known is None else known.get(fc.race.names[k])
    examples = fc.summary.examples
    valid = examples.valid[examples.starts[0] + round_ - 1] if votes is not None else 0
    return float(votes / valid) if votes is not None and valid else None


def paths(fc: Forecast, k: int, most: int = MOST) -> list[tuple[np.ndarray, int, bool]]:
    """Return the examples: a candidate's share by round, who wins (-1: nobody), and whether the end is shown."""
    runs = fc.summary.examples
    alone = yes_no_rows(runs)
    out = []
    for start, held, winner in zip(runs.starts, runs.rounds, runs.winner, strict=True):
        here = slice(start, start + held)
        share = np.where(runs.votes[here, k] >= 0, runs.votes[here, k] / np.maximum(runs.valid[here], 1), np.nan)
        share = share[~alone[here]]
        out.append((share[:most], int(winner), len(share) <= most))
    return out


# -- the picture ---------------------------------------------------------------------------------


def trajectories(
    fc: Forecast,
    *,
    ax: Axes | Figure | SubFigure | None = None,
    most: int = MOST,
    stamp: bool = True,
) -> Axes:
    """Draw how the shares may move: bands of the elections still voting, and nine examples.

    With two candidates the leader's share tells all, and the other is elected below the lower
    line; with more each candidate has a panel.  Elections that are over leave the bands, which is
    why those seem to turn back towards the middle: the row "still voting" says how many are left.

    Parameters
    ----------
    fc : Forecast
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    most : int, default 12
        Rounds shown.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.trajectories_data().loc[("A", 1), "voting"]
    np.float64(1.0)
    """
    data = trajectories_data(fc, most)
    k = leader(fc)
    many = len(fc.race.names)
    lines = -(-many // 4) if many > 2 else 1
    with canvas(ax, (7.2, 3.9 if many == 2 else 1.4 + 2.2 * lines)) as ax:
        if many == 2:
            _panel(ax, fc, data, k)
            _elected(ax, fc, k)
            _under(ax, data.loc[fc.race.names[k]], "still voting", 1)
        else:
            _panels(ax, fc, data, lines)
        finish(ax, _caption(fc, data, k), stamp)
    return ax


def leader(fc: Forecast) -> int:
    """Return the candidate most likely to win."""
    return int(np.argmax(fc.win_probability()["probability"].to_numpy()[:-1]))


def finding(fc: Forecast, data: pd.DataFrame, k: int) -> str:
    """Return where the leader's share lies in the first round that is still to come."""
    name = fc.race.names[k]
    mine = data.loc[name]
    ahead = mine[~mine["announced"] & mine["p20"].notna()]
    if ahead.empty:
        last = share_announced(fc, k, len(mine))
        took = f"{short(name, 28)} took {100 * last:.0f}\N{NO-BREAK SPACE}% in round {len(mine)}" if last else ""
        return took or "Too few elections vote to say where the shares lie"
    round_, low, high = ahead.index[0], 100 * ahead["p20"].iloc[0], 100 * ahead["p80"].iloc[0]
    where = "elections" if ahead["voting"].iloc[0] == 1 else "elections that hold it"
    span = f"{low:.0f} to {high:.0f} %".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{short(name, 28)} takes {span} in round {round_} in 60 of 100 {where}"


def _caption(fc: Forecast, data: pd.DataFrame, k: int) -> Caption:
    many = len(fc.race.names) > 2
    whose = "the shares" if many else f"{short(fc.race.names[k])}'s share"
    reading = (
        f"Bands: {whose} of valid papers in 30, 60 and 90 of 100 elections still voting (last row). "
        f"Lines: {count(len(paths(fc, k)), 'election')}; dot: decided, in the winner's colour"
        f"{'; cross: the candidate is out' if many else ''}."
    )
    said = headed(fc, finding(fc, data, k))
    voting = data.loc[fc.race.names[k], "voting"]
    alt = f"Fan chart of shares by round. {said}. Still voting, of 100: " + ", ".join(
        f"round {r} {_left(p)}" for r, p in voting.items()
    )
    return Caption(said, reading, f"{alt}.", fc.stamp(), fc.provenance)


def _panel(ax: Axes, fc: Forecast, data: pd.DataFrame, k: int, label: bool = True) -> None:
    """Draw one candidate's bands, the examples, what is announced, and the line that elects."""
    name = fc.race.names[k]
    mine = data.loc[name]
    _bands(ax, mine, fc.race.colours[name])
    _examples(ax, fc, k, len(mine))
    past = [share_announced(fc, k, r) for r in range(1, min(fc.announced, len(mine)) + 1)]
    if any(share is not None for share in past):
        shares = [np.nan if share is None else 100 * share for share in past]
        ax.plot(range(1, len(past) + 1), shares, "-o", color=DARK, lw=2.5, ms=5, zorder=5, label="announced")
        words = "announced" if label else ""
        ax.annotate(
            words, (1, shares[0]), xytext=(0, -7), textcoords="offset points", ha="left", va="top",
            fontsize=SMALL, weight="bold", path_effects=haloed(),
        )  # fmt: skip
    ax.set(xlim=(0.6, max(len(mine), 4) + 0.4), ylim=_limits(fc, mine, k), axisbelow=True)
    ax.yaxis.set_major_formatter("{x:.0f} %")
    ax.grid(axis="y")
    for start, stop, share in _needed(fc, *ax.get_xlim()):
        for level in (share, 1 - share) if len(fc.race.names) == 2 and share > 0.5 else (share,):
            ax.plot([start, stop], [100 * level] * 2, color=DARK, lw=0.9, ls=(0, (4, 2)), zorder=2.5)


def _bands(ax: Axes, mine: pd.DataFrame, colour: str) -> None:
    rounds = mine.index.to_numpy(dtype=float)
    x = np.concatenate([[rounds[0] - 0.12], rounds, [rounds[-1] + 0.12]])
    for (low, high), alpha in zip(reversed(BANDS.values()), (0.15, 0.2, 0.3), strict=True):
        floor, top = (np.pad(100 * mine[f"p{round(100 * p)}"].to_numpy(), 1, mode="edge") for p in (low, high))
        ax.fill_between(x, floor, top, color=colour, alpha=alpha, lw=0)


def _examples(ax: Axes, fc: Forecast, k: int, most: int) -> None:
    colours = [fc.race.colours[name] for name in (*fc.race.names, "no winner")]
    for share, winner, ends in paths(fc, k, most):
        rounds = np.arange(1, len(share) + 1)
        ax.plot(rounds, 100 * share, color=ink(colours[winner]), lw=0.8, alpha=0.8, zorder=3)
        last = np.flatnonzero(~np.isnan(share))[-1:]
        if ends and (last + 1 == len(share)).all():
            ax.plot(rounds[last], 100 * share[last], "o", color=colours[winner], mec="white", mew=0.6, ms=5, zorder=4)
        elif (last + 1 < len(share)).all():
            ax.plot(rounds[last], 100 * share[last], "x", color=DARK, mew=0.9, ms=3.5, zorder=4)


def _limits(fc: Forecast, mine: pd.DataFrame, k: int) -> tuple[float, float]:
    """Return the limits of the shares: all that is drawn, and the lines."""
    shares = [
        *mine.filter(regex="^p").to_numpy().ravel(),
        *np.concatenate([path for path, _, _ in paths(fc, k, len(mine))]),
    ]
    lines = [share for _, _, share in _needed(fc, 1, len(mine))]
    floor = [1 - max(lines) - 0.05] if len(fc.race.names) == 2 else [0.0]
    low, high = np.nanmin([*shares, *floor]), np.nanmax([*shares, max(lines) + 0.05])
    return max(100 * low - 3, 0), min(100 * high + 3, 100)


def _needed(fc: Forecast, start: float, stop: float) -> list[tuple[float, float, float]]:
    """Return the stretches of rounds and the share that elects in each."""
    rules = fc.race.rules
    change = rules.simple_majority_from
    if change is None or change - 0.5 >= stop:
        return [(start, stop, float(rules.threshold))]
    later = (max(change - 0.5, start), stop, 0.5)
    return [later] if change <= 1 else [(start, change - 0.5, float(rules.threshold)), later]


def _elected(ax: Axes, fc: Forecast, k: int) -> None:
    """Say at the lines who is elected there."""
    base = fc.race.rules.base
    _, stop, share = _needed(fc, *ax.get_xlim())[-1]
    more = "" if base == "valid" else f" of those {base}, so this share or more,"
    ends = [(k, share, 2, "bottom")] + [(1 - k, 1 - share, -2, "top")] * (share > 0.5)
    for who, level, shift, va in ends:
        name = fc.race.names[who]
        ax.annotate(
            f"{needed_words(fc, share)}{more} elect {short(name)}", (stop, 100 * level), xytext=(0, shift),
            textcoords="offset points", ha="right", va=va, color=ink(fc.race.colours[name]), weight="bold",
            fontsize=SMALL, path_effects=haloed(),
        )  # fmt: skip


def needed_words(fc: Forecast, share: float) -> str:
    """Return the share that elects in words."""
    threshold = fc.race.rules.threshold
    return FRACTIONS.get(threshold, str(threshold)) if share == float(threshold) else "more than half"


def _left(p: float) -> str:
    """Return how many elections of 100 are left, "all" and none told apart from nearly so."""
    return "all" if p == 1 else in_100(p) if p else DASH


def _under(ax: Axes, mine: pd.DataFrame, label: str, step: int) -> None:
    """Write the rounds and, under them, how many elections of 100 still vote."""
    shown = mine.iloc[::step]
    ax.set_xticks(list(shown.index), [str(r) for r in shown.index])
    row(ax, "round" if label else "", [], [], 0)
    row(ax, label, shown.index, [_left(p) for p in shown["voting"]], 1)


def _panels(ax: Axes, fc: Forecast, data: pd.DataFrame, lines: int) -> None:
    """Give every candidate a panel inside the axes."""
    ax.set_axis_off()
    names = fc.race.names
    across = -(-len(names) // lines)
    top = max(_limits(fc, data.loc[name], k)[1] for k, name in enumerate(names))
    for k, name in enumerate(names):
        line, column = divmod(k, across)
        panel = ax.inset_axes((0, 0, 1, 1), label=name)
        panel.set_axes_locator(_cell(ax, (line, lines), (column, across)))
        _panel(panel, fc, data, k, label=not k)
        panel.set_ylim(0, top)
        panel.tick_params(labelsize=SMALL - 1, labelleft=column == 0)
        place(
            panel, (0, 1), short(name, 22), (2, 3), color=ink(fc.race.colours[name]), weight="bold", fontsize=SMALL
        )
        if not k:
            _, stop, share = _needed(fc, *panel.get_xlim())[-1]
            panel.annotate(
                needed_words(fc, share), (stop, 100 * share), xytext=(0, 2), textcoords="offset points",
                ha="right", fontsize=SMALL - 1, path_effects=haloed(),
            )  # fmt: skip
        _under(panel, data.loc[name], "standing" if column == 0 else "", max(1, len(data.loc[name]) // 4))


def _cell(ax: Axes, line: tuple[int, int], column: tuple[int, int]) -> Callable[[Any, Any], Bbox]:
    """Return what finds the place of a panel in a grid, with room in points for what is written around it."""

    def locate(_panel: Any, _renderer: Any) -> Bbox:
        box = ax.get_position()
        point = box.height / ax.get_window_extent().height * root(ax).dpi / 72
        high, wide = (box.height + UNDER * point) / line[1], box.width / column[1]
        top = box.y1 - line[0] * high - OVER * point
        return Bbox.from_extents(
            box.x0 + column[0] * wide, top - high + (OVER + UNDER) * point, box.x0 + (column[0] + 0.9) * wide, top
        )

    return locate
