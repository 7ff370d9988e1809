"""Election day: how the forecast moved with each announcement, and what was learned from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from iomsim.charts.base import Chart
from iomsim.charts.dotplots import looks_of, mark
from iomsim.charts.labels import key, named_rows, note, right_of, row
from iomsim.charts.measures import height_points, lay_out, text_width, width_points
from iomsim.charts.style import (
    NOBODY_GREY,
    STILL_GREY,
    dark,
    haloed,
    ink,
    mark as visible,
    on_a_phone,
    paper,
    pt,
    quiet,
    small,
)
from iomsim.charts.text import called_short, how_sure, short, short_names, tally_text, with_announced
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.report import CAVEAT, COMMON_SHOCK, NET_LEVEL, READINESS, votes_at_level
from iomsim.engine import paths
from iomsim.forecasting.estimates import Z95, in_100, level_with_first, row_in_100
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING
from iomsim.forecasting.wording import TOLD, favourite, in_a_sentence
from iomsim.house_style import capital, number_of, some_of
from iomsim.model.leanings import mean_votes
from iomsim.model.moments import WEEK, month_name, weekday_name
from iomsim.model.parameters import describe_parameter
from iomsim.typing import Flags, Floats

MAX_EVENTS = 12
"""Events that are drawn, the last ones."""

TELLING = 0.1
"""Sds of the prior by which something moves at least to be told."""

MAX_ASSUMPTIONS, TOLD_SHIFT = 6, 0.2
"""Assumptions drawn of which something was learned, and by how many sds of the prior they moved at least."""

BEYOND_LUCK = 3.3
"""Standard errors of its mean by which one of some fifty assumptions moves at least: 95 % for all of them together."""

LEAST_GAP = 4
"""Points between words under ticks, at least."""

LABEL_GAP = 6.5
"""Of 100 elections, what labels keep between them."""

TICKS = {
    "start": "before",
    "elect": "elected",
    "withdraw": "withdrawal",
    "eliminate": "one is out",
    "confirm": "yes/no",
    "go on": "goes on",
    "adjourn": "adjourned",
}
"""What stands under the tick of an event that is no tally."""

ARROW = "\N{RIGHTWARDS ARROW}"
IN_100 = " in 100"
READING_IS = "the rules: "


class DayChart(Chart[ElectionDay]):
    """A chart of an election day."""

    @cached_property
    def fc(self) -> Forecast:
        """The forecast after the last announcement."""
        return self.result.forecast()

    def source(self) -> Forecast:
        return self.fc

    def title(self) -> str:
        return called_short(self.finding(), self.result.race.names)


@dataclass(kw_only=True)
class Live(DayChart):
    """Draw the probabilities after each announcement, with the tally under each tick.

    Parameters
    ----------
    most : int, default 12
        Events that are drawn, the last ones.

    Examples
    --------
    >>> import iomsim as iom
    >>> day = iom.live(iom.load("geneva-2023"), particles=300, seed=1)
    >>> _ = day.announce(Pope=98, Vitorino=67)
    >>> day.plot.live_data().index.get_level_values("step").unique().size
    2
    """

    most: int = MAX_EVENTS

    @cached_property
    def data(self) -> pd.DataFrame:
        """The probabilities after each announcement, the prior forecast first.

        By outcome (candidates, "nobody" and "still voting" where they were ever told, "spill" into the next day) and
        step: the table of :meth:`iomsim.ElectionDay.chances`, and the `prior` that the chance started from.
        """
        table = self.result.chances().loc[list(self._looks)]
        prior = table["probability"].xs(0, level="step")
        return table.assign(prior=prior[table.index.get_level_values("outcome")].to_numpy())

    @property
    def _steps(self) -> pd.Index:
        """Return the steps that are drawn."""
        return self.data.index.get_level_values("step").unique()[-self.most :]

    @property
    def _shaded(self) -> bool:
        """Return whether there are ranges at two steps one after the other, between which can be shaded."""
        ranged = (self.data["low"] < self.data["high"]).groupby("step").any()[self._steps].to_numpy()
        return bool((ranged[1:] & ranged[:-1]).any())

    @cached_property
    def _looks(self) -> dict[str, tuple[str, str, bool]]:
        """Colour and marker of every outcome that is drawn; hollow for what is nobody's win."""
        chances, looks = self.result.chances()["probability"], looks_of(self.result.race)
        spill = looks.pop("spill")
        del looks[NO_WINNER]
        rest = {NOBODY: (NOBODY_GREY, "X", False), STILL_VOTING: (STILL_GREY, "P", True)}
        return looks | {name: look for name, look in rest.items() if chances[name].max() >= TOLD} | {"spill": spill}

    def title(self) -> str:
        told = with_announced(self.fc, self.finding()) if self.result.events else self.finding()
        return called_short(told, self.result.race.names)

    def finding(self) -> str:
        last = len(self.result.events)
        first = favourite(self.fc)
        line = self.data.loc[first]
        now, before = (in_a_sentence(*line.loc[step, ["probability", "mc_error"]]) for step in (last, 0))
        if not last:
            return f"Nothing is announced yet: {first} wins in {now} of 100 elections"
        moved = line["probability"].iloc[-1] - line["probability"].iloc[0]
        way = "as" if now == before else f"{'up' if moved > 0 else 'down'} from {before}"
        return f"{first} wins in {now} of 100 elections, {way} before the vote"

    def reading(self) -> str:
        words = "The forecast after each announcement; dotted: the forecast before the vote."
        timed = self.result.history()["at"].notna().any()
        hours = f"Hours of {self.result.race.clock.timezone}." * bool(timed)
        last = self.data.xs(self._steps[-1], level="step")
        sure = [how_sure(self.fc, self.data, "Shaded" if self._shaded else "Thin lines")]
        if last["low"].isna().all() and self.data["low"].notna().any():
            now = how_sure(self.fc, last)
            sure.append(f"After the last announcement: {now[:1].lower()}{now[1:]}")
        return " ".join(filter(None, [words, *sure, hours]))

    def alt(self) -> str:
        last = self.data.index.get_level_values("step")[-1]
        lines = self.data[["probability", "mc_error"]].groupby("outcome", sort=False)
        parts = [f"{name} {', '.join(row_in_100(*row) for row in line.to_numpy())}" for name, line in lines]
        return f"Line chart of probabilities in 100 after each of {last} announcements: {'; '.join(parts)}."

    def marks(self, ax: Axes) -> None:
        steps = self._steps
        ends: dict[str, pd.Series] = {}
        for outcome, (colour, marker, hollow) in self._looks.items():
            line, colour = self.data.loc[outcome].loc[steps], visible(colour)
            prior = [100 * line["prior"].iloc[0]] * 2
            ax.plot([steps[0] - 0.4, steps[-1]], prior, color=colour, lw=0.9, ls=(0, (1, 2)), zorder=1)
            if (line["low"] < line["high"]).any():
                low, high = 100 * line["low"], 100 * line["high"]
                if self._shaded:
                    ax.fill_between(steps, low, high, color=colour, alpha=0.15, lw=0)
                else:
                    ax.vlines(steps - 0.03 * (1 + len(ends)), low, high, color=colour, lw=1.1)
            face = paper() if hollow else colour
            ax.plot(steps, 100 * line["probability"], marker, ls="-", lw=1.6, color=colour, mfc=face, ms=5.5, zorder=3)
            ends[outcome] = line.iloc[-1]
        self._name_lines(ax, ends, int(steps[-1]))
        ax.set(ylim=(-3, 103), xlim=(steps[0] - 0.4, steps[-1] + 0.1 + 0.24 * max(len(steps), 3)))
        ax.set(ylabel="of 100 elections")
        ax.grid(axis="y")
        lay_out(ax)  # so that what was announced fits under it
        self._announced(ax, steps)

    def _name_lines(self, ax: Axes, ends: dict[str, pd.Series], last: int) -> None:
        """Write at the end of each line what it is and where it stands; lines that meet share no place."""
        names, looks = self.result.race.names, self._looks
        words = {name: f"{called} wins" for name, called in short_names(names, 14).items()}
        words |= {NOBODY: NOBODY, STILL_VOTING: STILL_VOTING, "spill": f"into {self.fc.next_day_in_words}"}
        high = height_points(ax)
        gap = max(LABEL_GAP, 106 * 1.3 * small() / high)
        heights = spread([100 * line["probability"] for line in ends.values()], gap)
        for (outcome, line), height in zip(ends.items(), heights, strict=True):
            text = f"{words[outcome]} {row_in_100(line['probability'], line['mc_error'])}"
            note(
                ax, text, (last, height), (pt(9), 0), va="center", color=ink(looks[outcome][0]), fontsize=small(),
                weight="bold" if outcome in names else "normal", path_effects=haloed(),
            )  # fmt: skip

    def _announced(self, ax: Axes, steps: pd.Index) -> None:
        """Write under the ticks what was announced, and when; without room for all under every second, or third."""
        history, fc = self.result.history(), self.fc
        size = small() if on_a_phone() else float(mpl.rcParams["font.size"])
        events = ["start", *(told["event"] for told in self.result.events)]
        ticks = [TICKS.get(events[step]) or tally_text(fc, history.loc[step, "round"]) for step in steps]
        moments = [history.loc[step, "at"] for step in steps]
        when = ["" if pd.isna(at) else f"{_day(at, fc)}{at:%H:%M}" for at in moments]
        kept = _with_room(ax, zip(ticks, when, strict=True), size)
        ax.set_xticks(steps, np.where(kept, ticks, ""), fontsize=size)
        ax.tick_params(axis="x", length=0)
        if any(when):
            row(ax, "", steps[kept], np.array(when)[kept], 1)


def _with_room(ax: Axes, words: Iterable[tuple[str, str]], size: float) -> Flags:
    """Return which words can stand under ticks one apart, without touching: the last, and as many before it as can."""
    wide = np.array([max(text_width(word, size) for word in both) for both in words])
    apart = width_points(ax) / float(np.ptp(ax.get_xlim()))
    step = 1
    while step < len(wide) and (wide[::-step][1:] + wide[::-step][:-1]).max() / 2 + pt(LEAST_GAP) > step * apart:
        step += 1
    kept = np.zeros(len(wide), dtype=bool)
    kept[::-step] = True
    return kept


def _day(at: pd.Timestamp, fc: Forecast) -> str:
    """Return the day of an announcement, if it is not the opening's: its weekday, or its date after a week."""
    since = (at.date() - fc.opening_date.date()).days
    return "" if not since else f"{weekday_name(at)[:3]} " if since < WEEK else f"{at.day} {month_name(at)[:3]} "


def spread(places: list[float], gap: float = LABEL_GAP, top: float = 100.0) -> list[float]:
    """Return places at least `gap` from each other, in their order and near where they were.

    Examples
    --------
    >>> spread([98.0, 1.0, 2.0, 50.0], gap=5.0)
    [98.0, 1.0, 6.0, 50.0]
    """
    order = np.argsort(places, kind="stable")
    out = np.array(places, dtype=float)[order]
    for i in range(1, len(out)):
        out[i] = max(out[i], out[i - 1] + gap)
    ceiling = top + gap / 2
    for i in range(len(out) - 1, -1, -1):
        out[i] = min(out[i], ceiling)
        ceiling = out[i] - gap
    back = np.empty_like(out)
    back[order] = out
    return back.tolist()


class Learned(DayChart):
    """Draw what the announcements moved, before and now, in standard deviations of the prior.

    Notes
    -----
    The caption says what tallies cannot tell.

    Examples
    --------
    >>> import iomsim as iom
    >>> day = iom.live(iom.load("geneva-2023"), particles=300, seed=1)
    >>> _ = day.announce(Pope=98, Vitorino=67)
    >>> bool(day.plot.learned_data()["shift"].iloc[0] > 0.5)
    True
    """

    def natural(self) -> tuple[float, float]:
        return 7.2, 1.9 + 0.42 * len(self._shown)

    @cached_property
    def data(self) -> pd.DataFrame:
        """What the announcements say about what runs draw once and about the assumptions, against the prior.

        The table of ``day.learned()`` with `shift`, how far the mean has moved in sds of the prior; `narrowed`, the sd
        now over that of the prior; `prior error` and `now error`, simulation errors of the means (95 %), and that of
        the shift, `error`; and, of levels, appeals, strengths and ties, `prior votes` and `now votes`: what the two
        means mean in papers of the first round, exactly.
        """
        table = self.result.learned()
        sd = table["prior sd"].where(table["prior sd"] > 0)
        shift, narrowed = (table["now mean"] - table["prior mean"]) / sd, table["now sd"] / sd
        before, now = self._luck(table)
        errors = {"prior error": Z95 * before * table["prior sd"], "now error": Z95 * now * table["now sd"]}
        ends = np.array([self._in_votes(str(name), line) for name, line in table.iterrows()])
        votes = dict(zip(("prior votes", "now votes"), ends.T, strict=True))
        return table.assign(shift=shift, narrowed=narrowed, error=np.hypot(*errors.values()) / sd, **errors, **votes)

    def _luck(self, table: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return the standard errors of means, in sds, before and now: those of particles, or of draws."""
        belief, draws = self.result.belief, self.result.draws
        before = np.where(table.index.str.startswith(READING_IS), 0.0, 1.0 / np.sqrt(belief.state.particles.size))
        now = np.full(len(table), 1.0 / np.sqrt(belief.state.effective_size))
        if draws is not None:
            assumed = table.index.isin([describe_parameter(self.result.race, path) for path in draws.values])
            before[assumed] = 1.0 / np.sqrt(draws.count)
            now[assumed] = np.sqrt((belief.draw_weights(draws.count) ** 2).sum())
        return before, now

    def _in_votes(self, quantity: str, line: pd.Series) -> tuple[float, float]:
        """Return what the means of a quantity before and now mean in votes; missing where they mean none."""
        race, means = self.result.race, [line["prior mean"], line["now mean"]]
        for k, name in enumerate(race.names):
            if quantity in (level := NET_LEVEL.format(name), COMMON_SHOCK.format(name)) and not race.swings:
                before, now = votes_at_level(race.plan, k, means, shocks=quantity != level)
                return before, now
        paths_of = {} if self.result.draws is None else self.result.draws.values
        path = next((path for path in paths_of if describe_parameter(race, path) == quantity), "")
        votes = mean_votes(race, path, means)
        whose = next((k for k, name in enumerate(race.names) if path in (paths.level(name), paths.appeal(name))), 0)
        before, now = (np.nan, np.nan) if votes is None else votes[whose]
        return before, now

    @cached_property
    def _shown(self) -> pd.DataFrame:
        """What is drawn: of the assumptions, of which there may be dozens, those that moved most, and not by luck."""
        moved = self.data[self.data["prior sd"] > 0]
        rest = moved.index.isin(self.result.parameters_unsure)
        clear = moved["shift"].abs() >= np.maximum(TOLD_SHIFT, BEYOND_LUCK / Z95 * moved["error"])
        most = moved["shift"].abs()[rest & clear].nlargest(MAX_ASSUMPTIONS)
        return moved[~rest | moved.index.isin(most.index)]

    def finding(self) -> str:
        moved = self._shown.drop("members present", errors="ignore").sort_values("shift", key=np.abs, ascending=False)
        if not self.result.events or abs(moved["shift"].iloc[0]) < TELLING:
            return "Nothing is learned yet beyond what was assumed"
        after = f"After {tally_text(self.fc, self.fc.announced)} " if self.fc.announced else ""
        alike = moved.index[level_with_first(moved["shift"].abs(), moved["error"])]
        if len(alike) > 1:
            names = some_of([_without_unit(str(name)) for name in alike])
            return capital(f"{after}what moved most may be {names}")
        top = moved.iloc[0]
        return capital(f"{after}what moved most is {_named(str(top.name))}, from {_moved(top, ' to ', ', or from ')}")

    def reading(self) -> str:
        left = int((self.data["prior sd"] > 0).sum()) - len(self._shown)
        rest = f"{capital(number_of(left, 'other assumption'))} {'has' if left == 1 else 'have'} hardly moved. "
        return f"Lines: the middle 80 of 100 particles. {rest * bool(left)}{CAVEAT}"

    def alt(self) -> str:
        means = [
            f"{name} {_mean_in_words(line, 'prior')} to {_mean_in_words(line, 'now')}"
            for name, line in self._shown.iterrows()
        ]
        return f"Dot plot of means before and now: {'; '.join(means)}. {CAVEAT}"

    def marks(self, ax: Axes) -> float:
        names = self.result.race.names
        named_rows(ax, [short(called_short(str(name), names, 16), 30, 2) for name in self._shown.index])
        looks = (("prior", -0.14, quiet(), paper()), ("now", 0.14, dark(), dark()))
        for y, (_, line) in enumerate(self._shown.iterrows()):
            for when, shift, colour, face in looks:
                parts = [line[f"{when} {part}"] for part in ("10 %", "mean", "90 %")]
                low, mean, high = ((part - line["prior mean"]) / line["prior sd"] for part in parts)
                if not _is_share(line):
                    ax.hlines(y + shift, low, high, color=colour, lw=1.3, zorder=2)
                ax.plot(mean, y + shift, "o", color=colour, mfc=face, ms=5.5, zorder=3)
            right_of(ax, y, _moved(line), color=dark())
        ax.axvline(0, color=quiet(), lw=0.8)
        ax.set(xlabel="sds of the prior from its mean")
        marks = [mark(quiet(), hollow=True, edge=1.0), mark(dark(), edge=1.0)]
        return key(ax, marks, ["before the vote", "now"], [quiet(), dark()], above=True)


def _named(quantity: str) -> str:
    """Return a quantity as a sentence calls it.

    Examples
    --------
    >>> _named("net level of Pope (log-odds)"), _named("the rules: strict"), _named("Pope's first-round level")
    ('the net level of Pope', 'the chance that the rules are read as strict', "Pope's first-round level")
    """
    name = _without_unit(quantity)
    if name.startswith("the "):
        return f"the chance that {name.replace(READING_IS, 'the rules are read as ')}"
    return name if "'" in name.partition(" of ")[0] or name == READINESS else f"the {name}"


def _moved(line: pd.Series, joint: str = f" {ARROW} ", then: str = "\n") -> str:
    """Return a mean before and now, and what both mean in votes, if that is another number."""
    before, now = (_mean_in_words(line, when) for when in ("prior", "now"))
    told = f"{before.removesuffix(IN_100)}{joint}{now}"
    if np.isnan(line["prior votes"]):
        return told
    before, now = (f"{line[f'{when} votes']:.0f}" for when in ("prior", "now"))
    return told if before == now else f"{told}{then}{before}{joint}{now} votes"


def _without_unit(quantity: str) -> str:
    """Return the name of a quantity without the bracket at its end; a candidate's name may hold others.

    Examples
    --------
    >>> _without_unit("net level of Pope (U.S.) (log-odds)")
    'net level of Pope (U.S.)'
    """
    return quantity.rpartition(" (")[0] if quantity.endswith(")") else quantity


def _is_share(line: pd.Series) -> bool:
    """Return whether a quantity is a yes or no in every particle, so that its mean is a probability."""
    return {line["prior 10 %"], line["prior 90 %"]} <= {0.0, 1.0}


def _mean_in_words(line: pd.Series, when: str) -> str:
    """Return a mean in words: a probability per hundred, anything else as a number."""
    mean = line[f"{when} mean"]
    if _is_share(line):
        return f"{in_100(mean, line[f'{when} error'])}{IN_100}"
    return _number(mean, max(line["prior error"], line["now error"]))


def _number(value: float, half: float) -> str:
    """Return a number with no more digits than half the width of its 95 % interval supports.

    Examples
    --------
    >>> _number(0.4437, 0.03), _number(161.237, 0.8), _number(-0.001, 0.3), _number(102.3, 8.0)
    ('0.44', '161', '0.0', '100')
    """
    digits = int(np.clip(np.floor(np.log10(4 / max(half, 1e-9)) + 1e-9), -3, 3))
    text = f"{round(value, digits):.{max(digits, 0)}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
