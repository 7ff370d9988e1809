"""Dots with whiskers: Sobol indices, pivotal members, variants side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from iomsim.charts.base import Caption, canvas, finish, key, named_rows, place
from iomsim.charts.style import DARK, LATER_DAY, QUIET, SMALL, ink
from iomsim.charts.text import short, short_parameter
from iomsim.errors import whole_number
from iomsim.forecasting.estimates import count, in_100
from iomsim.forecasting.tables import NO_WINNER
from iomsim.model.parameters import describe_parameter
from iomsim.sensitivity.paired import SPILL, describe_target, next_weekday

if TYPE_CHECKING:
    from iomsim.model.scenario import Scenario
    from iomsim.sensitivity.compare import SideBySide
    from iomsim.sensitivity.pivotal import Pivotal
    from iomsim.sensitivity.sobol import Sobol

MARKERS = "os^vP*Xp"
"""Of the candidates, beside their colours."""


def dot(ax: Axes, y: float, values: Iterable[float], colour: str, marker: str, hollow: bool = False) -> None:
    """Draw a value with its interval."""
    value, low, high = values
    ax.hlines(y, low, high, color=colour, lw=1.1, zorder=2)
    ax.plot(value, y, marker, color=colour, mfc="white" if hollow else colour, ms=5.5, mew=1.2, zorder=3)


def _mark(colour: str, marker: str, hollow: bool = False) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, mfc="white" if hollow else colour, ms=5.5, mew=1.2, lw=1.1)


# -- Sobol indices -------------------------------------------------------------------------------


def sobol_data(found: Sobol) -> pd.DataFrame:
    """Return the indices that are drawn, with a column `name` as it is written."""
    table = found.table()
    table.insert(0, "name", [describe_parameter(found.race, str(path)) for path in table.index])
    return table


def sobol(found: Sobol, *, ax: Axes | Figure | SubFigure | None = None, stamp: bool = True) -> Axes:
    """Draw how much of the variance each assumption explains, alone and with its interactions.

    Parameters
    ----------
    found : Sobol
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> shares = iom.sobol(iom.load("minimal"), parameters=["secrecy", "fluid"], samples=8, runs=100, seed=1)
    >>> shares.plot.sobol().get_xlabel()
    'share of the variance, %'
    """
    data = sobol_data(found)
    with canvas(ax, (7.2, 1.9 + 0.42 * len(data))) as ax:
        for y, (_, row) in enumerate(data.iterrows()):
            colour = DARK if row["clear"] else QUIET
            for name, shift, marker, hollow in (("first", -0.12, "o", False), ("total", 0.12, "D", True)):
                dot(ax, y + shift, _percent(row, name), colour, marker, hollow)
            if not row["clear"]:
                _beside(ax, y, 100 * max(row["total_high"], row["first_high"], 0.0), "within noise of zero")
        ax.axvline(0, color=QUIET, lw=0.8)
        named_rows(ax, [short_parameter(name) for name in data["name"]])
        ax.set(xlabel="share of the variance, %")
        ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
        high = key(ax, [_mark(DARK, "o"), _mark(DARK, "D", True)], ["alone", "with its interactions"], above=True)
        finish(ax, _sobol_caption(found, data), stamp, above=high)
    return ax


def _percent(row: pd.Series, name: str) -> list[float]:
    return [100 * float(row[f"{name}{end}"]) for end in ("", "_low", "_high")]


def _beside(ax: Axes, y: float, x: float, words: str) -> None:
    ax.annotate(
        words, (x, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=SMALL, color=QUIET,
        annotation_clip=False,
    )  # fmt: skip


def _sobol_caption(found: Sobol, data: pd.DataFrame) -> Caption:
    what, top = describe_target(found.race, found.target), data.iloc[0]
    value, low, high = (f"{100 * np.clip(top[f'total{end}'], 0, 1):.0f}" for end in ("", "_low", "_high"))
    share = f"{value}\N{NO-BREAK SPACE}% ({low} to {high})"
    title = f"None of these assumptions moves {what} beyond noise"
    if top["clear"]:
        title = f"{top['name'][0].upper()}{top['name'][1:]} explains {share} of the variance of {what}"
    reading = (
        "When all these assumptions move over their ranges at once. Lines: 95 % intervals. An index says what an "
        "assumption is worth to the answer, not what tallies could teach about it: those do not tell one sponsor's "
        "strength from another's or from secrecy."
    )
    shares = [
        f"{row['name']} {100 * row['first']:.0f} alone, {100 * row['total']:.0f} in all" for _, row in data.iterrows()
    ]
    alt = f"Dot plot of Sobol indices, in percent: {'; '.join(shares)}."
    return Caption(title, reading, alt, found.stamp(), found.provenance)


# -- pivotal members -----------------------------------------------------------------------------


def pivotal_data(found: Pivotal, most: int = 15) -> pd.DataFrame:
    """Return the members that are drawn: those with whom a push does most."""
    table = found.table()
    return table[table["free"]].head(whole_number("most", most, 1))


def pivotal(found: Pivotal, *, ax: Axes | Figure | SubFigure | None = None, most: int = 15, stamp: bool = True) -> Axes:
    """Draw what the next phone call is worth, by member.

    Parameters
    ----------
    found : Pivotal
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    most : int, default 15
        Members drawn.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> calls = iom.pivotal(iom.load("minimal"), runs=2000, checked=0, seed=1)
    >>> calls.plot.pivotal(most=3).get_xlabel()
    'points of win probability'
    """
    data = pivotal_data(found, most)
    colour = found.race.colours[found.candidate]
    won = data["won_over_win"].notna().any()
    with canvas(ax, (7.2, 1.9 + 0.28 * max(len(data), 1))) as ax:
        for y, (_, row) in enumerate(data.iterrows()):
            dot(ax, y, _percent(row, "win"), colour, "o")
            if not np.isnan(row["won_over_win"]):
                dot(ax, y, _percent(row, "won_over_win"), DARK, "D", hollow=True)
        named_rows(ax, [short(str(name), 30) for name in data.index])
        ax.axvline(0, color=QUIET, lw=0.8)
        ax.set(xlabel="points of win probability")
        ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
        _support(ax, data, found.candidate)
        marks, words = [_mark(colour, "o"), _mark(DARK, "D", True)], ["a push of one log-odds", "won over for good"]
        high = key(ax, marks[: 1 + won], words[: 1 + won], [ink(colour), DARK][: 1 + won], above=True)
        finish(ax, _pivotal_caption(found, data), stamp, above=max(high, 20))
    return ax


def _support(ax: Axes, data: pd.DataFrame, candidate: str) -> None:
    """Write at the right how the members lean now."""
    place(
        ax,
        (1, 1),
        f"for {short(candidate, 12)} now,\nof 100",
        (6, 3),
        ha="left",
        va="bottom",
        fontsize=SMALL,
        color=QUIET,
    )
    for y, share in enumerate(data["support"]):
        ax.annotate(
            in_100(share), (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=SMALL, color=QUIET, annotation_clip=False,
        )  # fmt: skip


def _pivotal_caption(found: Pivotal, data: pd.DataFrame) -> Caption:
    many = len(found.rivals()) if len(data) else 0
    if data.empty:
        title = f"No member can be moved towards {short(found.candidate, 28)}"
    elif data["win_low"].iloc[0] <= 0:
        title = f"No call for {short(found.candidate, 28)} does anything beyond noise"
    else:
        title = f"The next call for {short(found.candidate, 28)} does most in {data.index[0]}"
        title += f", but {count(many, 'other')} cannot be told apart from it" if many else ""
    reading = (
        f"Dots: how much likelier {short(found.candidate, 28)} wins; lines: simulation error (95 %). A push of one "
        "log-odds moves a member from 50 to 73 in 100."
    )
    worth = [f"{name} {100 * row['win']:.1f}" for name, row in data.iterrows()]
    alt = f"Dot plot of members by what a push is worth, in points: {', '.join(worth)}."
    return Caption(title, reading, alt, found.stamp(), found.provenance)


# -- variants ------------------------------------------------------------------------------------


def scenarios_data(found: SideBySide) -> pd.DataFrame:
    """Return what is drawn: by outcome and variant the probability, its interval, and the change."""
    table = found.table()
    return table[table.index.get_level_values("outcome") != "rounds"]


def scenarios(found: SideBySide, *, ax: Axes | Figure | SubFigure | None = None, stamp: bool = True) -> Axes:
    """Draw named variants below one another: who wins, nobody, and whether voting runs into the next day.

    Parameters
    ----------
    found : SideBySide
        What to draw.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("minimal")
    >>> beside = iom.side_by_side({"as it is": race, "public": race.with_behaviour(secrecy=0)}, runs=200, seed=1)
    >>> [label.get_text() for label in beside.plot.scenarios().get_yticklabels()]
    ['as it is', 'public']
    """
    data = scenarios_data(found)
    looks = looks_of(found.race)
    step = min(0.13, 0.8 / (len(looks) - 1))  # so that many outcomes stay in the row of their variant
    with canvas(ax, (7.6, 1.9 + max(0.5, 0.11 * len(looks)) * len(found.forecasts))) as ax:
        for i, (outcome, (colour, marker, hollow)) in enumerate(looks.items()):
            shift = step * (i - (len(looks) - 1) / 2)
            for y, (_, row) in enumerate(data.loc[outcome].iterrows()):
                dot(ax, y + shift, [100 * row[part] for part in ("value", "low", "high")], colour, marker, hollow)
            ax.axvline(100 * data.loc[outcome, "value"].iloc[0], color=colour, lw=0.8, ls=(0, (1, 2)), zorder=1)
        named_rows(ax, [short(name, 40) for name in found.forecasts])
        ax.set(xlabel="of 100 elections")
        ax.set_xlim(max(ax.get_xlim()[0], -2), min(ax.get_xlim()[1], 102))
        words = [*(f"{short(name)} wins" for name in found.race.names), "no winner", f"into {next_weekday(found.race)}"]
        marks, inks = [_mark(*look) for look in looks.values()], [ink(look[0]) for look in looks.values()]
        high = key(ax, marks, words, inks, above=True)
        finish(ax, _scenarios_caption(found, data), stamp, above=high)
    return ax


def looks_of(race: Scenario) -> dict[str, tuple[str, str, bool]]:
    """Return colour and marker of every outcome; hollow for what is nobody's win."""
    colours = race.colours
    own = {name: (colours[name], marker, False) for name, marker in zip(race.names, MARKERS, strict=False)}
    return own | {NO_WINNER: (colours[NO_WINNER], "X", False), SPILL: (LATER_DAY, "D", True)}


def _what_moves(found: SideBySide, data: pd.DataFrame) -> str:
    """Return the largest clear change, of the first candidate's chance or of the next day, in words."""
    name, day = found.race.names[0], next_weekday(found.race)
    moved = data.loc[[name, SPILL]]
    clear = moved[moved["clear"]]
    if clear.empty:
        return f"Neither {short(name, 28)}'s chance nor {day} moves beyond noise"
    outcome, variant = clear["change"].abs().idxmax()
    top, before = clear.loc[(outcome, variant)], data.loc[outcome, "value"].iloc[0]
    what = f"{day} moves" if outcome == SPILL else f"{short(name, 28)}'s chance moves"
    verb = "falls" if top["change"] < 0 else "rises"
    return f"{what} most with {variant!r}: it {verb} from {in_100(before)} to {in_100(top['value'])} in 100"


def _scenarios_caption(found: SideBySide, data: pd.DataFrame) -> Caption:
    first, day = str(next(iter(found.forecasts))), next_weekday(found.race)
    chances = data.loc[found.race.names[0]]
    reading = (
        f"Lines: each variant's own simulation error (95 %); against {first!r} (dotted) differences are known better, "
        "because all variants share their random numbers."
    )
    later = data.loc[SPILL, "value"]
    parts = [
        f"{name}: {short(found.race.names[0])} {in_100(value)}, {day} {in_100(later[name])}"
        for name, value in chances["value"].items()
    ]
    title = _what_moves(found, data)
    return Caption(
        title, reading, f"Dot plot of variants, in 100: {'; '.join(parts)}.", found.stamp(), found.provenance
    )
