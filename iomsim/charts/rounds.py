"""After how many rounds voting is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch

from iomsim.charts.base import Caption, canvas, finish, key, row
from iomsim.charts.facts import DASH, announced_votes, chance, headed
from iomsim.charts.style import DARK, FIRST_DAY, LATER_DAY, QUIET, ink
from iomsim.charts.text import short
from iomsim.engine.clock import DAY
from iomsim.errors import IomsimError
from iomsim.forecasting.estimates import table
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.wording import how_long
from iomsim.rules.ruleset import ENDINGS

if TYPE_CHECKING:
    from iomsim.forecasting.forecast import Forecast

MOST = 12
"""Rounds with a bar of their own, the last of them open-ended."""

HATCHED: dict[str, Any] = {"hatch": "////", "edgecolor": "white"}
DAYS = (
    {"color": FIRST_DAY},
    {"facecolor": FIRST_DAY} | HATCHED,
    {"color": LATER_DAY},
    {"facecolor": LATER_DAY} | HATCHED,
)
"""The parts of a bar by day: ends on the opening day, and without a winner; later, and without a winner."""

LOOKS: dict[str, dict[str, Any]] = {
    "majority": {"color": "#5B4A8A"},
    "acclamation": {"color": "#B3A2D6"},
    "confirmed": {"color": "#66A891"},
    "failed": {"facecolor": "#999999"} | HATCHED,
    "unresolved": {"facecolor": "#CCCCCC"} | HATCHED,
}
WORDS = {
    "majority": "by majority",
    "acclamation": "the other withdraws",
    "confirmed": "confirmed alone",
    "failed": "nobody: refused alone",
    "unresolved": "nobody: still open at the end",
}


def rounds_data(fc: Forecast, by: str = "day", most: int = MOST) -> pd.DataFrame:
    """Return in which round voting ends, split as the bars are.

    Returns
    -------
    DataFrame
        By round, the last one pooled ("12+"): one column of probabilities for each part of the
        bars, their sum `ends` with its Monte Carlo interval `low` to `high`, and `undecided`, the
        runs still open afterwards.

    Raises
    ------
    IomsimError
        If `by` is neither "day" nor "ending".

    Notes
    -----
    By day, what is never over counts as later.
    """
    held = int(fc.summary.ends["rounds"].max())
    hits = {name: _pooled(fc.summary.tally("rounds", held + 1, where)[1:], most) for name, where in _parts(fc, by)}
    ends = np.sum(list(hits.values()), axis=0)
    whole = table(ends, len(fc), _labels(held, most)).rename(columns={"probability": "ends"})
    whole = whole.assign(low=whole["ends"], high=whole["ends"]) if fc.certain else whole
    out = pd.DataFrame({name: count / len(fc) for name, count in hits.items()}, index=whole.index).join(whole)
    out["undecided"] = (len(fc) - np.cumsum(ends)) / len(fc)
    return out


def _parts(fc: Forecast, by: str) -> list[tuple[str, Any]]:
    """Return the parts of a bar: name and which ends belong to it."""
    ends = fc.summary.ends
    if by == "ending":
        return [(name, ends["ending"] == e) for e, name in enumerate(ENDINGS) if (ends["ending"] == e).any()]
    if by != "day":
        raise IomsimError(f"rounds can be split by 'day' or 'ending', got {by!r}")
    won, first = ends["winner"] >= 0, (ends["minute"] >= 0) & (ends["minute"] < DAY)
    days = ((f"{fc.opening_date:%A}", first), (f"{fc.next_day:%A} or later", ~first))
    return [(name, when & who) for day, when in days for name, who in ((day, won), (f"{day}, {NO_WINNER}", ~won))]


def _pooled(hits: np.ndarray, most: int) -> np.ndarray:
    return np.append(hits[: most - 1], hits[most - 1 :].sum()) if len(hits) > most else hits


def _labels(held: int, most: int) -> pd.Index:
    names = [str(r) for r in range(1, min(held, most) + 1)]
    return pd.Index([*names[:-1], f"{most}+"] if held > most else names, name="round")


def rounds(
    fc: Forecast,
    *,
    ax: Axes | Figure | SubFigure | None = None,
    by: str = "day",
    most: int = MOST,
    stamp: bool = True,
) -> Axes:
    """Draw in which round voting ends, and under each round how many elections are still undecided.

    Parameters
    ----------
    fc : Forecast
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    by : {"day", "ending"}
        Stack the bars by the day on which voting ends, or by how it ends.
    most : int, default 12
        Rounds with a bar of their own; the last one takes all later rounds too.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.rounds_data().loc["12+", "undecided"]
    np.float64(0.0)
    """
    data = rounds_data(fc, by, most)
    with canvas(ax, (7.2, 3.4)) as ax:
        _stack(ax, fc, data, by)
        _under(ax, fc, data)
        finish(ax, _caption(fc, data, by), stamp, above=_key(ax, fc, data, by) + 4)
    return ax


def finding(fc: Forecast) -> str:
    """Return how many rounds voting takes, in the words of the answer."""
    return how_long(fc).partition(", and ")[0].replace(" %", "\N{NO-BREAK SPACE}%")


def _caption(fc: Forecast, data: pd.DataFrame, by: str) -> Caption:
    split = "the day of the end" if by == "day" else "how it ends"
    bars = "; ".join(f"round {name} {chance(fc, p)}" for name, p in data["ends"].items())
    return Caption(
        headed(fc, finding(fc)),
        f"Of 100 elections, how many end after so many rounds, by {split}; whiskers: simulation error (95 %).",
        f"Bar chart of the rounds to the end, of 100 elections: {bars}.",
        fc.stamp(),
        fc.provenance,
    )


def _stack(ax: Axes, fc: Forecast, data: pd.DataFrame, by: str) -> None:
    x, floor, parts = _places(data), np.zeros(len(data)), _split(data)
    looks = list(DAYS) if by == "day" else [LOOKS[part] for part in parts]
    for part, look in zip(parts, looks, strict=True):
        ax.bar(x, 100 * data[part], bottom=floor, width=0.8, lw=0, **look)
        floor = floor + 100 * data[part].to_numpy()
    error = np.maximum([floor - 100 * data["low"], 100 * data["high"] - floor], 0)
    ax.errorbar(x, floor, yerr=error, color=DARK, ls="", lw=0.8)
    for place, top, share in zip(x, 100 * data["high"], data["ends"], strict=True):
        if share:
            ax.annotate(chance(fc, share), (place, top), xytext=(0, 2.5), textcoords="offset points", ha="center")
    ax.set(ylim=(0, 114 * data["high"].max()), xlim=(0.4, max(x[-1], 6) + 0.6), yticks=[])
    ax.spines["left"].set_visible(False)


def _split(data: pd.DataFrame) -> list[str]:
    return list(data.columns[: list(data.columns).index("ends")])


def _key(ax: Axes, fc: Forecast, data: pd.DataFrame, by: str) -> float:
    """Say what the colours are, and how often each comes; return the height of it."""
    totals = data[_split(data)].sum()
    entries = (
        [(WORDS[part], totals[part], LOOKS[part]) for part in totals.index] if by == "ending" else _day_key(totals)
    )
    shown = [(f"{word}: {chance(fc, p)} of 100", look) for word, p, look in entries if p]
    return key(ax, [Patch(lw=0, **look) for _, look in shown], [word for word, _ in shown], above=True)


def _day_key(totals: pd.Series) -> list[tuple[str, float, dict[str, Any]]]:
    """Return the days with all that ends on them, and apart from them those without a winner."""
    today, later = totals.index[0], totals.index[2]
    nobody = {"facecolor": QUIET} | HATCHED
    return [
        (today, totals.iloc[:2].sum(), DAYS[0]),
        (later, totals.iloc[2:].sum(), DAYS[2]),
        (f"hatched: {NO_WINNER}", totals.iloc[1::2].sum(), nobody),
    ]


def _places(data: pd.DataFrame) -> np.ndarray:
    """Return where the bars stand; one that is open-ended stands apart."""
    return np.arange(1, len(data) + 1) + np.array([0.4 * str(name).endswith("+") for name in data.index])


def _under(ax: Axes, fc: Forecast, data: pd.DataFrame) -> None:
    """Write the rounds, under them the elections still undecided, and what has been announced."""
    x = _places(data)
    ax.set_xticks(x, list(data.index))
    ax.tick_params(axis="x", length=0)
    left = [chance(fc, p) if p else DASH for p in data["undecided"]]
    held = min(max(fc.announced - 1, 0), len(left))
    row(ax, "round", [], [], 0)
    row(ax, "still undecided", x, ["all"] * held + left[held:], 1)
    last = min(fc.announced, len(data))
    if last:
        ax.axvspan(0.5, last + 0.5, color="#F0F0F0", zorder=0)
    for line, (name, votes) in enumerate(announced_votes(fc, last).items(), start=2):
        colour = ink(fc.race.colours[name])
        row(ax, f"{short(name)}, announced", x[:last], votes, line, color=colour, weight="bold")
