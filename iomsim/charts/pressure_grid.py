"""A grid of pressures: two maps with contours, or two curves."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from iomsim.charts.base import Page
from iomsim.charts.caption import written
from iomsim.charts.labels import note
from iomsim.charts.measures import lay_out, root, wrapped
from iomsim.charts.style import LATER_DAY, PHONE_INCHES, dark, haloed, mark, on_a_phone, paper, pt, small
from iomsim.charts.text import called_short, short_names, short_parameter
from iomsim.charts.votes import votes_at, votes_scale
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import SPILL, next_weekday
from iomsim.forecasting.wording import points
from iomsim.house_style import capital, percent
from iomsim.model.parameters import describe_parameter
from iomsim.sensitivity.grid import Grid

CONTOURS = (10, 25, 50, 75, 90)
"""Of 100 elections."""

LITTLE = 0.12
"""A chance under which, and its twin over which, a curve leaves no room for words under it, or over it."""

OUTSIDE = "all else stays at the best guesses, which lie outside."


class PressureGrid(Page[Grid]):
    """Draw a grid: where the first candidate wins, and where voting runs into the next day.

    Two parameters make two maps with contours at 10, 25, 50, 75 and 90 of 100 elections, and a
    mark at the best guesses; one parameter makes two curves.  What is not on the axes stays at its best guess.

    Raises
    ------
    IomsimError
        If `ax` is not a figure.
    """

    where: ClassVar[str] = "ax"

    def natural(self) -> tuple[float, float]:
        return (PHONE_INCHES, 8.6) if on_a_phone() else (9.6, 5.1)

    @cached_property
    def data(self) -> pd.DataFrame:
        """The two surfaces that are drawn, one row per cell, with their simulation errors."""
        return pd.concat({name: self.result.errors(name) for name in (self.result.race.names[0], SPILL)}, axis=1)

    def finding(self) -> str:
        found, first = self.result, self.result.race.names[0]
        name, base = short_names(found.race.names, 28)[first], in_100(found.base[first], self._error)
        return f"{name} wins in {self._span(first)} of 100 elections over these ranges, {base} on the best guesses"

    @property
    def _error(self) -> float:
        """The largest simulation error of a cell."""
        return float(self.data.xs("mc_error", axis=1, level=1).max(axis=None))

    def _span(self, target: str) -> str:
        """Return the lowest and the highest chance, with no more digits than the error of a cell supports."""
        lowest, highest = self.result.cells[target].min(), self.result.cells[target].max()
        low, high = (in_100(p, self._error) for p in (lowest, highest))
        if low == high:
            return low
        if high.startswith(">") and float(high[1:]) <= 100 * lowest:  # few runs: a bound says less than the other end
            return f"{low} or more"
        if low.startswith("<") and float(low[1:]) >= 100 * highest:
            return f"{high} or fewer"
        return f"{low} to {high.removeprefix('about ') if low.startswith('about ') else high}"

    def reading(self) -> str:
        found = self.result
        marks = "Lines: 10, 25, 50, 75 and 90 of 100 elections; " if len(found.axes) == 2 else ""
        base = "ring: the best guesses, at which all else stays." if _holds_base(found) else OUTSIDE
        error = f"Simulation error at most {points(self._error)} ({percent(95)}), alike at all points."
        told = any(
            votes_at(found.race, path, [axis[0], axis[-1]], found.race.names[0], held=True) is not None
            for path, axis in zip(found.paths, found.axes, strict=True)
        )
        name = short_names(found.race.names, 28)[found.race.names[0]]
        votes = f" Votes: {name}'s mean in the first round at that value, all else at the best guesses." * told
        return f"{capital(marks + base)} {error}{votes}"

    def alt(self) -> str:
        return self.result.sentence()

    def panels(self, fig: Any, stamp: bool) -> None:
        found, first = self.result, self.result.race.names[0]
        wins, spills = (
            f"{short_names(found.race.names, 28)[first]} wins",
            f"Voting runs into {next_weekday(found.race)}",
        )
        targets = ((first, wins, _towards(found)), (SPILL, spills, "cividis_r"))
        cells = fig.subplots(*((2, 1) if on_a_phone() else (1, 2)))
        written(fig, self.finding(), [self.reading(), found.stamp() * stamp])
        for panel, (target, _, colours) in zip(cells, targets, strict=True):
            (_map if len(found.axes) == 2 else _curve)(panel, found, target, colours)
        lay_out(cells[0])  # so that lines break where they should
        for panel, (target, title, _) in zip(cells, targets, strict=True):
            words = wrapped(panel, f"{title}: {self._span(target)} of 100", pt(10), weight="bold")
            panel.set_title(words, loc="left", fontsize=pt(10))
        lay_out(cells[0])
        for panel, (target, *_) in zip(cells, targets, strict=True):
            if _holds_base(found):
                base = f"best guesses: {in_100(found.base[target], self._error)}"
                at = found.where if len(found.axes) == 2 else (found.where[0], 100 * found.base[target])
                _base_words(panel, (at[0], at[1]), base, len(found.axes) == 1 and _room_below(found, target))


def _towards(found: Grid) -> Colormap:
    """Return colours from the other candidate's (grey for several) over that of the page to the first's."""
    names, colours = found.race.names, found.race.colours
    other = names[1] if len(names) == 2 else NO_WINNER
    return LinearSegmentedColormap.from_list("win", [colours[other], paper(), colours[names[0]]])


def _limits(z: np.ndarray, middle: bool) -> tuple[float, float]:
    """Return the ends of the colours in tens: about 50, or about what there is.

    Examples
    --------
    >>> _limits(np.array([[31.0, 55.0]]), True), _limits(np.array([[21.0, 34.0]]), False)
    ((30.0, 70.0), (20.0, 40.0))
    """
    if middle:
        half = 10 * np.ceil(max(np.abs(z - 50).max(), 1) / 10)
        return float(50 - half), float(50 + half)
    low = 10 * np.floor(min(z.min(), 99) / 10)
    return float(low), float(max(10 * np.ceil(z.max() / 10), low + 10))


def _map(panel: Axes, found: Grid, target: str, colours: Any) -> None:
    surface = found.surface(target)
    x, y, z = (np.asarray(part, dtype=float) for part in (surface.columns, surface.index, 100 * surface.round(6)))
    low, high = _limits(z, middle=target != SPILL)
    mesh = panel.pcolormesh(x, y, z, cmap=colours, vmin=low, vmax=high, shading="nearest", rasterized=True)
    if min(z.shape) > 1:
        _contours(panel, x, y, z)
    _base(panel, found, target, found.where)
    panel.set(xlabel=_label(found, 0), ylabel=_label(found, 1))
    _in_votes(panel, found)
    for spine in panel.spines.values():
        spine.set_visible(False)
    whole = MaxNLocator(6, integer=True)
    bar = root(panel).colorbar(mesh, ax=panel, shrink=0.9, pad=0.02, aspect=28, ticks=whole)
    bar.set_label("of 100 elections", color=dark())
    bar.outline.set_visible(False)


def _in_votes(panel: Axes, found: Grid) -> None:
    """Write under the ticks of strengths, appeals and levels what they mean in the first candidate's votes."""
    if on_a_phone():
        panel.yaxis.set_major_locator(MaxNLocator(4))  # labels there take two lines
    for axis, path in zip((panel.xaxis, panel.yaxis), found.paths, strict=False):
        votes_scale(axis, found.race, path, found.race.names[0], held=True)


def _contours(panel: Axes, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> None:
    inside = [level for level in CONTOURS if z.min() < level < z.max()]
    if inside:
        widths = [1.8 if level == 50 else 0.9 for level in inside]
        lines = panel.contour(x, y, z, inside, colors=dark(), linewidths=widths)
        for text in panel.clabel(lines, fmt="%d", fontsize=small()):
            text.set_path_effects(haloed(3))


def _curve(panel: Axes, found: Grid, target: str, colours: Any) -> None:
    table = 100 * found.errors(target)
    x = np.asarray(found.axes[0])
    colour = mark(found.race.colours.get(target, LATER_DAY))
    panel.plot(x, table["probability"], color=colour, lw=1.8)
    _base(panel, found, target, (found.where[0], 100 * found.base[target]))
    panel.set(xlabel=_label(found, 0), ylabel="of 100 elections", ylim=(-3, 103), yticks=[0, 25, 50, 75, 100])
    _in_votes(panel, found)
    panel.grid(axis="y")


def _room_below(found: Grid, target: str) -> bool:
    """Return whether words stand under a curve at the best guesses: where it rises, if it is not low, and on top."""
    x, p = np.asarray(found.axes[0]), found.errors(target)["probability"]
    rises = x.size > 1 and bool(np.interp(found.where[0], x[1:], np.diff(p)) > 0)
    return bool(found.base[target] > (LITTLE if rises else 1 - LITTLE))


def _base(panel: Axes, found: Grid, target: str, at: tuple[float, ...]) -> None:
    """Mark the best guesses, if they lie in the grid."""
    if _holds_base(found):
        panel.plot(*at, marker="o", ms=8, mfc=paper(), mec=dark(), mew=1.6, zorder=5)


def _base_words(panel: Axes, at: tuple[float, float], text: str, under: bool) -> None:
    """Write over the ring of the best guesses, or under it, what it is; names of contours give way."""
    across = float(panel.transLimits.transform(at)[0])
    look: dict[str, Any] = {"fontsize": small(), "weight": "bold", "path_effects": haloed(3)}
    look |= {
        "ha": "left" if across < 0.3 else "right" if across > 0.7 else "center",
        "va": "top" if under else "bottom",
    }
    words = note(panel, text, at, (0, pt(-8 if under else 8)), **look)
    for name in panel.texts:
        if name.get_text().isdigit() and name.get_window_extent().overlaps(words.get_window_extent().padded(3)):
            name.set_visible(False)


def _holds_base(found: Grid) -> bool:
    return all(axis[0] <= x <= axis[-1] for axis, x in zip(found.axes, found.where, strict=True))


def _label(found: Grid, axis: int) -> str:
    unit, name = found.race.parameters()[found.paths[axis]].unit, describe_parameter(found.race, found.paths[axis])
    name = short_parameter(called_short(name, found.race.names, 20))
    return name if not unit or unit in name else f"{name}, {unit}"
