"""Election day: how the forecast moved with each announcement, and what was learned from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from iomsim.charts.accessor import Accessor, Chart
from iomsim.charts.base import Caption, canvas, finish, key, named_rows, row
from iomsim.charts.dotplots import looks_of
from iomsim.charts.facts import chance, headed, said
from iomsim.charts.style import DARK, QUIET, SMALL, haloed, ink
from iomsim.charts.text import short
from iomsim.election_day.report import CAVEAT
from iomsim.forecasting.estimates import in_100, wilson
from iomsim.forecasting.tables import NO_WINNER

if TYPE_CHECKING:
    from iomsim.election_day.election_day import ElectionDay

MOST = 12
"""Events that are drawn, the last ones."""

APART = 6.5
"""Points of a hundred that labels keep between them."""

SHORT = {
    **{"start": "before", "withdraw": "withdrawal", "eliminate": "one is out", "confirm": "yes/no"},
    **{"go on": "goes on", "adjourn": "adjourned"},
}
"""What stands under the tick of an event that is no tally."""

ARROW = "\N{RIGHTWARDS ARROW}"


# -- after each announcement ---------------------------------------------------------------------


def live_data(night: ElectionDay) -> pd.DataFrame:
    """Return the probabilities after each announcement, the prior forecast first.

    Returns
    -------
    DataFrame
        By outcome (candidates, "no winner", "spill" into the next day) and step: `value` with its
        Monte Carlo interval `low` to `high`, and the `prior` that it started from.
    """
    history = night.history()
    parts = {}
    for outcome in (*night.race.names, NO_WINNER, "spill"):
        value = history[outcome]
        low, high = wilson(value * night.particles, night.particles)
        sure = history["certain"] & value.isin([0.0, 1.0]) | np.array([outcome in out for out in history["out"]])
        if outcome == "spill":
            sure |= history["spilled"]
        table = pd.DataFrame({"value": value, "low": np.where(sure, value, low), "high": np.where(sure, value, high)})
        parts[outcome] = table.assign(prior=value.iloc[0])
    return pd.concat(parts, names=["outcome"])


def live(
    night: ElectionDay, *, ax: Axes | Figure | SubFigure | None = None, most: int = MOST, stamp: bool = True
) -> Axes:
    """Draw the probabilities after each announcement, with the tally under each tick.

    Parameters
    ----------
    night : ElectionDay
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    most : int, default 12
        Events that are drawn, the last ones.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> night = iom.live(iom.load("geneva-2023"), particles=300, seed=1)
    >>> _ = night.announce(Pope=98, Vitorino=67, at="12:20")
    >>> night.plot.live_data().loc["Pope", "value"].size
    2
    """
    data = live_data(night)
    steps = data.index.get_level_values("step").unique()[-most:]
    with canvas(ax, (7.2, 3.8)) as ax:
        ends = {}
        for outcome, (colour, marker, hollow) in looks_of(night.race).items():
            lines = data.loc[outcome].loc[steps]
            ax.axhline(100 * lines["prior"].iloc[0], color=colour, lw=0.9, ls=(0, (1, 2)), zorder=1)
            ax.fill_between(steps, 100 * lines["low"], 100 * lines["high"], color=colour, alpha=0.15, lw=0)
            face = "white" if hollow else colour
            ax.plot(steps, 100 * lines["value"], marker, ls="-", lw=1.6, color=colour, mfc=face, ms=5.5, zorder=3)
            ends[outcome] = lines.iloc[-1]
        _name_lines(ax, night, ends, int(steps[-1]))
        _announced(ax, night, steps)
        ax.set(ylim=(-3, 103), xlim=(steps[0] - 0.4, steps[-1] + 0.1 + 0.24 * max(len(steps), 3)))
        ax.set(ylabel="of 100 elections")
        ax.grid(axis="y")
        finish(ax, _live_caption(night, data), stamp)
    return ax


def _name_lines(ax: Axes, night: ElectionDay, ends: dict[str, pd.Series], last: int) -> None:
    """Write at the end of each line what it is and where it stands; lines that meet share no place."""
    fc = night.forecast()
    words = {name: f"{short(name, 14)} wins" for name in night.race.names}
    words |= {NO_WINNER: NO_WINNER, "spill": f"into {fc.next_day:%A}"}
    for (outcome, line), place in zip(
        ends.items(), spread([100 * line["value"] for line in ends.values()]), strict=True
    ):
        ax.annotate(
            f"{words[outcome]} {chance(fc, line['value'], (line['high'] - line['low']) / 2)}", (last, place),
            xytext=(9, 0), textcoords="offset points", va="center", color=ink(looks_of(night.race)[outcome][0]),
            fontsize=SMALL, weight="bold" if outcome in night.race.names else "normal", annotation_clip=False,
            path_effects=haloed(),
        )  # fmt: skip


def spread(places: list[float], apart: float = APART, top: float = 100.0) -> list[float]:
    """Return places at least `apart` from each other, in their order and near where they were.

    Examples
    --------
    >>> spread([98.0, 1.0, 2.0, 50.0], apart=5.0)
    [98.0, 1.0, 6.0, 50.0]
    """
    order = np.argsort(places, kind="stable")
    out = np.array(places, dtype=float)[order]
    for i in range(1, len(out)):
        out[i] = max(out[i], out[i - 1] + apart)
    ceiling = top + apart / 2
    for i in range(len(out) - 1, -1, -1):
        out[i] = min(out[i], ceiling)
        ceiling = out[i] - apart
    back = np.empty_like(out)
    back[order] = out
    return back.tolist()


def _announced(ax: Axes, night: ElectionDay, steps: pd.Index) -> None:
    """Write under each tick what was announced, and when."""
    history, fc = night.history(), night.forecast()
    x, told, when = list(steps), [], []
    for step in steps:
        event = night.events[step - 1]["event"] if step else "start"
        at = history.loc[step, "at"]
        told.append(SHORT.get(event) or said(fc, history.loc[step, "round"]))
        new_day = pd.notna(at) and at.date() != fc.opening_date.date()
        when.append("" if pd.isna(at) else f"{at:%a %H:%M}" if new_day else f"{at:%H:%M}")
    ax.set_xticks(x, told)
    ax.tick_params(axis="x", length=0)
    if any(when):
        row(ax, "", x, when, 1)


def _live_caption(night: ElectionDay, data: pd.DataFrame) -> Caption:
    fc, last = night.forecast(), data.index.get_level_values("step")[-1]
    values = data["value"].xs(last, level="step")
    first = values.loc[list(night.race.names)].idxmax()
    if last == 0:
        title = f"Nothing is announced yet: {first} wins {chance(fc, values[first])} in 100"
    else:
        before = in_100(data.loc[(first, 0), "value"])
        title = headed(fc, f"{first} wins {chance(fc, values[first])} in 100, before the vote it was {before}")
    reading = "The forecast after each announcement; dotted: the forecast before the vote; shaded: simulation error."
    parts = [
        f"{name} {', '.join(chance(fc, p) for p in data.loc[name, 'value'])}" for name in data.index.unique("outcome")
    ]
    alt = f"Line chart of probabilities in 100 after each of {last} announcements: {'; '.join(parts)}."
    return Caption(title, reading, alt, fc.stamp(), fc.provenance)


# -- what was learned ----------------------------------------------------------------------------


def learned_data(night: ElectionDay) -> pd.DataFrame:
    """Return what the announcements say about what runs draw once, against the prior.

    Returns
    -------
    DataFrame
        As of :meth:`iomsim.election_day.election_day.ElectionDay.learned`, with `shift`, how far the mean
        has moved in sds of the prior, and `narrowed`, the sd now over that of the prior.
    """
    table = night.learned()
    sd = table["prior sd"].where(table["prior sd"] > 0)
    shift = (table["now mean"] - table["prior mean"]) / sd
    return table.assign(shift=shift, narrowed=table["now sd"] / sd)


def learned(night: ElectionDay, *, ax: Axes | Figure | SubFigure | None = None, stamp: bool = True) -> Axes:
    """Draw what the announcements moved, before and now, in standard deviations of the prior.

    Parameters
    ----------
    night : ElectionDay
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Notes
    -----
    The caption says what tallies cannot tell.

    Examples
    --------
    >>> import iomsim as iom
    >>> night = iom.live(iom.load("geneva-2023"), particles=300, seed=1)
    >>> _ = night.announce(Pope=98, Vitorino=67)
    >>> bool(night.plot.learned_data()["shift"].iloc[0] > 0.5)
    True
    """
    data = learned_data(night)
    data = data[data["prior sd"] > 0]
    with canvas(ax, (7.2, 1.9 + 0.42 * len(data))) as ax:
        for y, (_, line) in enumerate(data.iterrows()):
            _before_and_now(ax, y, line)
        ax.axvline(0, color=QUIET, lw=0.8)
        named_rows(ax, [short(str(name), 30, 2) for name in data.index])
        ax.set(xlabel="sds of the prior from its mean")
        marks = [
            Line2D([], [], color=c, marker="o", mfc=f, ms=5.5, lw=1.1) for c, f in ((QUIET, "white"), (DARK, DARK))
        ]
        high = key(ax, marks, ["before the vote", "now"], [QUIET, DARK], above=True)
        finish(ax, _learned_caption(night, data), stamp, above=high)
    return ax


def _before_and_now(ax: Axes, y: int, line: pd.Series) -> None:
    """Draw a quantity before and now, and write its means at the right."""
    middle, sd = line["prior mean"], line["prior sd"]
    for when, shift, colour, face in (("prior", -0.14, QUIET, "white"), ("now", 0.14, DARK, DARK)):
        low, mean, high = ((line[f"{when} {part}"] - middle) / sd for part in ("10 %", "mean", "90 %"))
        if not is_share(line):
            ax.hlines(y + shift, low, high, color=colour, lw=1.3, zorder=2)
        ax.plot(mean, y + shift, "o", color=colour, mfc=face, ms=5.5, zorder=3)
    ax.annotate(
        f"{said_mean(line, 'prior')} {ARROW} {said_mean(line, 'now')}", (1, y),
        xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points", va="center", fontsize=SMALL,
        color=DARK, annotation_clip=False,
    )  # fmt: skip


def is_share(line: pd.Series) -> bool:
    """Return whether a quantity is a yes or no in every world, so that its mean is a probability."""
    return {line["prior 10 %"], line["prior 90 %"]} <= {0.0, 1.0}


def said_mean(line: pd.Series, when: str) -> str:
    """Return a mean in words: a probability per hundred, anything else as a number."""
    mean = line[f"{when} mean"]
    return f"{in_100(mean)} in 100" if is_share(line) else _number(mean, line["prior sd"])


def _number(value: float, sd: float) -> str:
    """Return a number with as many digits as a tenth of its spread deserves.

    Examples
    --------
    >>> _number(0.4437, 0.4), _number(161.237, 3.4), _number(-0.001, 0.3)
    ('0.44', '161.2', '0.00')
    """
    digits = int(np.clip(1 - np.floor(np.log10(sd)), 0, 3))
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _learned_caption(night: ElectionDay, data: pd.DataFrame) -> Caption:
    fc = night.forecast()
    moved = data["shift"].drop("members present", errors="ignore").abs()
    top = str(moved.idxmax())
    if not night.events or moved[top] < 0.1:
        title = "Nothing is learned yet beyond what was assumed"
    else:
        verb = "rises" if data.loc[top, "shift"] > 0 else "falls"
        after = f"After {said(fc, fc.announced)}: " if fc.announced else ""
        title = f"{after}{top.partition(' (')[0]} {verb} most, by {moved[top]:.1f} prior sds"
    reading = f"Lines: the middle 80 of 100 worlds. {CAVEAT}"
    means = [f"{name} {said_mean(line, 'prior')} to {said_mean(line, 'now')}" for name, line in data.iterrows()]
    alt = f"Dot plot of means before and now: {'; '.join(means)}. {CAVEAT}"
    return Caption(title, reading, alt, fc.stamp(), fc.provenance)


class ElectionDayPlots(Accessor):
    """The charts of an election day."""

    live = Chart(live)
    live_data = Chart(live_data)
    learned = Chart(learned)
    learned_data = Chart(learned_data)
