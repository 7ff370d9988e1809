"""When voting ends: fifty equally likely elections on a clock without its nights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.lines import Line2D

from iomsim.charts.base import ForecastChart
from iomsim.charts.labels import key, note
from iomsim.charts.measures import lay_out, root
from iomsim.charts.session_axis import (
    HEAD_POINTS,
    NIGHT,
    Day,
    called,
    day_colours,
    day_of,
    draw_days,
    from_later_day,
    later_day,
    lay_days,
    name_days,
    points_per_unit,
    shade_past,
    shown_days,
    upright,
)
from iomsim.charts.style import NOBODY_GREY, STILL_GREY, ink, mark, on_a_phone, open_look, pt, quiet, small
from iomsim.charts.text import how_sure, short_names
from iomsim.engine.clock import DAY
from iomsim.errors import IomsimError, quote, whole_number
from iomsim.forecasting.estimates import Estimate
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.forecasting.wording import in_a_sentence
from iomsim.house_style import count, percent
from iomsim.typing import Floats, Longs

N_DOTS = 50
"""Equally likely elections; fifty are few enough to count and many enough to decide by."""

STACKS = (1, 2)
"""How wide stacks may be, in units of the axis: half an hour, or an hour where that makes larger dots."""

FULL = 0.8
"""The part of the height from which on dots fill it."""

DOT = 0.92
"""The diameter of a dot, as a part of its place."""

NEVER = np.iinfo(np.int64).max
OFF = "later or never"


@dataclass(kw_only=True)
class DecisionTime(ForecastChart):
    """Draw when voting ends: a quantile dotplot on a clock without its nights.

    Each dot is one of `n_dots` equally likely elections, so a question such as "is it over by
    lunch?" is answered by counting.  What ends after the days shown, or never, is in the last column.

    Parameters
    ----------
    by : {"winner", "day"}
        What the colours say.
    n_dots : int, default 50
        Number of dots.
    days : int, default 2
        Days with a sitting on the axis.

    Raises
    ------
    IomsimError
        If `by` is neither "day" nor "winner", or there is no whole number of dots or days.

    References
    ----------
    Fernandes, Walls, Munson, Hullman and Kay (2018), Uncertainty displays using quantile dotplots
    or CDFs improve transit decision-making, *CHI 2018*.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=500, seed=1, progress=False)
    >>> fc.plot.decision_time_data(n_dots=20).shape
    (20, 4)
    """

    by: str = "winner"
    n_dots: int = N_DOTS
    days: int = 2
    size = (7.2, 3.3)

    def __post_init__(self) -> None:
        if self.by not in ("day", "winner"):
            raise IomsimError(f"dots can be coloured by 'day' or 'winner', got {quote(self.by)}")

    def natural(self) -> tuple[float, float]:
        """Return the size for the house's letters: higher, where the key has many lines."""
        across = 1 if on_a_phone() else 3
        lines = -(-len(self.result.race.names) // across) if self.by == "winner" else 1
        return self.size[0], self.size[1] + 13 / 72 * max(lines - 1, 0)

    @cached_property
    def data(self) -> pd.DataFrame:
        """The dots: equally likely elections in the order in which their voting ends.

        Each stands for the same share of the runs and takes the middle one's end (quantiles at
        ``(i - 1/2) / n_dots``, inverted distribution).  Winners are dealt so that every winner's dots
        keep pace with its share of the runs; a dot's winner is not that of the middle run.

        By dot, from 1: `ended_at` (missing if voting is never over), `day` with which it is drawn ("Monday",
        ..., or "later or never" off the axis), `spills` (after the opening day) and `winner` ("nobody" where the
        rules end the election without one, "still voting" where it is never over).
        """
        fc, number = self.result, whole_number("n_dots", self.n_dots, 1)
        ends = fc.summary.ends
        minutes = np.where(ends["minute"] < 0, NEVER, ends["minute"])
        probability = (np.arange(number) + 0.5) / number
        minute = np.quantile(minutes, probability, weights=ends["count"], method="inverted_cdf").astype(np.int64)
        ended = [fc.opening_date + timedelta(minutes=int(m)) if m < NEVER else pd.NaT for m in minute]
        shown, over = shown_days(fc, self.days), int((minute < NEVER).sum())
        return pd.DataFrame(
            {
                "ended_at": pd.to_datetime(pd.Series(ended)),
                "day": [self._called(day) if day in shown else OFF for day in day_of(fc, minute).tolist()],
                "spills": minute >= DAY,
                "winner": self._dealt(over) + [STILL_VOTING] * (number - over),
            }
        ).set_axis(pd.RangeIndex(1, number + 1, name="dot"))

    def _called(self, day: int) -> str:
        return self.result.day_in_words(self.result.opening_date.date() + timedelta(days=day))

    def _dealt(self, number: int) -> list[str]:
        """Deal dots to winners: each goes to who is furthest behind the due share of the runs so far."""
        ends = self.result.summary.ends
        ends = ends[ends["minute"] >= 0].sort_values("minute", kind="stable")
        names = [*self.result.race.names, NOBODY]
        codes = [*range(len(names) - 1), -1]
        hits = np.array([np.cumsum(np.where(ends["winner"] == k, ends["count"], 0)) for k in codes])
        runs = np.cumsum(ends["count"].to_numpy())
        winners, dealt = [], np.zeros(len(names))
        for dot in range(1, number + 1):
            mark = dot / number * runs[-1]
            due = [np.interp(mark, np.append(0, runs), np.append(0, line)) for line in hits] / runs[-1] * number
            first = int(np.argmax(due - dealt))
            dealt[first] += 1
            winners.append(names[first])
        return winners

    def finding(self) -> str:
        fc, later = self.result, later_day(self.result)
        chance = f"{in_a_sentence(self._spill.value, self._spill.mc_error)} of 100 elections"
        told = f"Voting has run into {fc.next_day_in_words}"
        if later is None:
            return told if fc.spilled else f"Voting is unfinished at the deadline in {chance}"
        day = called(fc, later)
        return f"{told}; it runs on into {day} in {chance}" if fc.spilled else f"Voting runs into {day} in {chance}"

    @cached_property
    def _spill(self) -> Estimate:
        """The chance that is told: that voting runs into the later day."""
        fc, later = self.result, later_day(self.result)
        if not fc.spilled or later is None:
            return fc.spill()
        return fc.share(fc.runs_into(fc.opening_date.date() + timedelta(days=later)))

    def reading(self) -> str:
        colour = ", in the winner's colour." if self.by == "winner" else "."
        words = f"Each dot is 1 in {len(self.data)} elections, placed where its voting ends{colour}"
        return f"{words} {self._how_sure()} Hours of {self.result.race.clock.timezone}.".replace("  ", " ")

    def _how_sure(self) -> str:
        """Return the range of the title's chance over the assumptions, or that it is one on the best guesses."""
        spill, fc, later = self._spill, self.result, later_day(self.result)
        if fc.certain or (fc.spilled and later is None):
            return ""
        if not spill.span:
            return how_sure(fc, pd.DataFrame({"low": [spill.low], "mc_error": [spill.mc_error]}))
        what = "are unfinished at the deadline" if later is None else f"run into {called(fc, later)}"
        return f"Over the assumptions, {spill.span} of 100 elections {what} (middle {percent(80)})."

    def alt(self) -> str:
        data, later = self.data, later_day(self.result)
        places = "; ".join(f"{name} {n}" for name, n in data["day"].value_counts(sort=False).items())
        late = "unfinished" if later is None else f"on {called(self.result, later)} or later"
        return (
            f"Dot plot of when voting ends, {len(data)} equally likely elections: {places}. "
            f"{int(from_later_day(self.result, data).sum())} {late}."
        )

    @property
    def _colours(self) -> dict[str, str]:
        """The colours of the candidates, and of dots without a winner."""
        own = {name: mark(self.result.race.colours[name]) for name in self.result.race.names}
        return own | {NOBODY: NOBODY_GREY, STILL_VOTING: STILL_GREY}

    @cached_property
    def _clock(self) -> list[Day]:
        return lay_days(self.result, self.data, self.days)

    @cached_property
    def _block(self) -> tuple[float, int, int]:
        """Where the dots off the axis begin, how many stacks wide they stand, and their number."""
        off = int((self.data["day"] == OFF).sum())
        return self._clock[-1].end + NIGHT * bool(off), max(4, -(-off // 3)) if off else 0, off

    def marks(self, ax: Axes) -> float:
        fc, clock, (left, width, off) = self.result, self._clock, self._block
        ax.set(xlim=(-0.3, left + width + 0.3), ylim=(0, 1), yticks=[])
        draw_days(ax, fc, clock)
        name_days(ax, fc, self.data, clock)
        shade_past(ax, fc, clock)
        stand = upright(ax)
        if off:
            ax.plot([left, left + width], [0, 0], color=quiet(), lw=1.6, ls=":", clip_on=False)
            at, align = left + width / 2, "center"
            if stand:  # clear of the last hour
                at, align = max(left - 0.5, max(ax.get_xticks()) + pt(9) / points_per_unit(ax)), "left"
            look = {"ha": align, "va": "top", "fontsize": small(), "color": quiet()}
            note(ax, f"later or\nnever: {off}", (at, 0), (0, pt(-5)), xycoords=("data", "axes fraction"), **look)
        if self.by == "winner":
            colours, counts = self._colours, self.data["winner"].value_counts()
            names = [*fc.race.names, *(name for name in (NOBODY, STILL_VOTING) if name in counts)]
            shorter = short_names(fc.race.names)
            words = [f"{shorter.get(name, name)}: {count(int(counts.get(name, 0)), 'dot')}" for name in names]
            handles = [
                Line2D([], [], marker="o", ls="", markeredgewidth=0.8, **_look(colours[name], name == STILL_VOTING))
                for name in names
            ]
            down, spare = (38, 0.0) if stand else (21, pt(80) * bool(off))
            key(ax, handles, words, [ink(colours[name]) for name in names], down=down, spare=spare)
        return pt(HEAD_POINTS)

    def late_marks(self, ax: Axes) -> None:
        lay_out(ax)
        data, colours, frame = self.data, self._colours, ax.get_window_extent()
        unit = frame.width / np.ptp(ax.get_xlim())
        room = (frame.height - 16 / 72 * root(ax).dpi) / unit
        order = list(colours)
        code = data["winner"].map(order.index).to_numpy()
        left, width, _ = self._block
        across, size = max(
            ((across, _size(self._stacks(across), across, width, room)) for across in STACKS),
            key=lambda tried: tried[1] * min(_tallest(self._stacks(tried[0])) * tried[1] / room, FULL),
        )  # large dots that fill the height
        stack = self._stacks(across)
        ax.set_ylim(0, frame.height / unit)
        inks = (
            data["winner"].map(colours)
            if self.by == "winner"
            else np.where(from_later_day(self.result, data), *self._days())
        )
        hollow = (data["winner"] == STILL_VOTING) & (self.by == "winner")
        looks = [_look(str(colour), still) for colour, still in zip(inks, hollow, strict=True)]
        diameter = np.full(len(data), DOT * size)
        ax.add_collection(
            EllipseCollection(
                diameter, diameter, np.zeros(len(data)), units="x", lw=0.8, label="dots",
                offsets=_offsets(stack, code, (left, width), across, size), offset_transform=ax.transData,
                facecolors=[look["markerfacecolor"] for look in looks],
                edgecolors=[look["markeredgecolor"] for look in looks],
            ),
            autolim=False,
        )  # fmt: skip

    def _days(self) -> tuple[str, str]:
        """Return the colours of the later days and of those before."""
        first, later = day_colours(self.result)
        return mark(later), mark(first)

    def _stacks(self, across: int) -> Floats:
        """Return the left edge of each dot's stack, which is so many units wide; NaN for those off the axis."""
        minutes = (self.data["ended_at"] - self.result.opening_date) / pd.Timedelta(minutes=1)
        out = np.full(len(self.data), np.nan)
        for day in self._clock:
            here = ((minutes >= day.start) & (minutes < day.stop)).to_numpy()
            out[here] = day.x + np.floor((day.place(minutes[here]) - day.x) / across) * across
        return out


def _look(colour: str, hollow: bool) -> dict[str, Any]:
    """Return how a dot is drawn: hollow, if its election is still open."""
    look = open_look() if hollow else {"facecolor": colour, "edgecolor": colour}
    return {"markerfacecolor": look["facecolor"], "markeredgecolor": look["edgecolor"]}


def _size(stack: Floats, across: int, width: int, room: float) -> float:
    """Return the largest size at which all stacks, and the block of those off the axis, are at most `room` high."""
    tallest = _tallest(stack)
    off = np.isnan(stack).sum()

    def height(size: float) -> float:
        return size * max(tallest, -(-off // _across(width, size)))

    return next((size for size in np.arange(across, 0.05, -0.01) if height(size) <= room), 0.05)


def _tallest(stack: Floats) -> int:
    return int(np.unique(stack[~np.isnan(stack)], return_counts=True)[1].max(initial=0))


def _across(width: float, size: float) -> int:
    """Return how many dots stand side by side."""
    return max(int(width / size + 1e-9), 1)


def _offsets(stack: Floats, order: Longs, block: tuple[float, int], across: int, size: float) -> Floats:
    """Return the centres of the dots: row by row from the bottom, those of one stack in the given order."""
    out = np.zeros((len(stack), 2))
    lefts = np.unique(stack[~np.isnan(stack)])
    for here, left, width in [(stack == left, left, across) for left in lefts] + [(np.isnan(stack), *block)]:
        dots = np.flatnonzero(here)
        dots = dots[np.argsort(order[dots], kind="stable")]
        index, beside = np.arange(len(dots)), min(_across(width, size), max(len(dots), 1)) if width > across else 1
        centres = size * np.column_stack([index % beside - (beside - 1) / 2, index // beside + 0.5])
        out[dots] = centres + np.array([left + width / 2, 0])
    return out
