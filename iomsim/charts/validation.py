"""The charts of a backtest: whether it is calibrated, and where the real tallies fell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from iomsim.charts.accessor import Accessor, Chart
from iomsim.charts.base import Caption, canvas, finish, lay_out, page, remember, wrapped
from iomsim.charts.style import DARK, FAINT, QUIET, SMALL, TINY
from iomsim.charts.text import short
from iomsim.forecasting.estimates import count

if TYPE_CHECKING:
    from iomsim.validation.verdict import Backtest, Case

BLUE = "#0072B2"
ACROSS = 4
"""Contests side by side."""

BANDS = {"p5": 0.05, "p20": 0.2, "p80": 0.8, "p95": 0.95}

EVENT_WORDS = {"over next": "over by the end of the next round", "leader wins": "the leader is the final winner"}


# -- calibration ---------------------------------------------------------------------------------


def reliability_data(test: Backtest, event: str = "over next") -> pd.DataFrame:
    """Return the reliability curve: by forecast the observed frequency, its count, and the band."""
    return test.reliability(event)


def reliability(
    test: Backtest,
    event: str = "over next",
    *,
    ax: Axes | Figure | SubFigure | None = None,
    stamp: bool = True,
) -> Axes:
    """Draw how often an event came where the model had given it a probability.

    The steps are the isotonic regression of what came on what was said; the band is where they
    would lie, in 90 of 100 cases, if every probability were right and rounds were independent.

    Parameters
    ----------
    test : Backtest
        What to draw.
    event : {"over next", "leader wins"}
        Over by the end of the next round; the leader of the round is the final winner.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    stamp : bool, default True
        Write under the chart what is needed to make it again.

    Examples
    --------
    >>> import iomsim as iom
    >>> test = iom.backtest(["UNSC2007-EEG", "UNSC2020-AF"], particles=100)
    >>> test.plot.reliability().get_xlabel()
    'probability given'
    """
    data = reliability_data(test, event)
    with canvas(ax, (4.6, 4.4)) as ax:
        ax.fill_between(data["forecast"], data["low"], data["high"], step="mid", color=FAINT, lw=0, label="band")
        ax.plot([0, 1], [0, 1], color=QUIET, lw=0.8, ls="--", label="calibrated")
        ax.step(data["forecast"], data["observed"], where="mid", color=BLUE, lw=1.8, label="observed")
        ax.scatter(data["forecast"], data["observed"], s=9 + 5 * data["count"], color=BLUE, zorder=3)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="probability given", ylabel="how often it came")
        finish(ax, _reliability_caption(test, event, data), stamp)
    return ax


def _reliability_caption(test: Backtest, event: str, data: pd.DataFrame) -> Caption:
    parts = test.decomposition(event)
    inside = data["observed"].between(data["low"] - 1e-9, data["high"] + 1e-9)
    fits = "within the band of a calibrated forecaster" if inside.all() else (
        f"outside the band of a calibrated forecaster for {(~inside).sum()} of {len(data)} probabilities"
    )  # fmt: skip
    said = f"{test.kind.capitalize()}: {EVENT_WORDS[event]}, {fits}"
    held = [case.contest.id for case in test.cases]
    longest = max(held, key=held.count)
    reading = (
        f"{count(len(held), 'round')}, {held.count(longest)} of them of {longest}. Brier score {parts.score:.2f} = "
        f"{parts.miscalibration:.2f} miscalibration - {parts.discrimination:.2f} discrimination + "
        f"{parts.uncertainty:.2f} uncertainty. The band takes rounds as independent; those of one contest are not."
    )
    return Caption(said, reading, "", test.stamp(), test.provenance)


def ranks_data(test: Backtest, bins: int = 5) -> pd.DataFrame:
    """Return the rank histogram of the next shares."""
    return test.ranks(bins)


def ranks(test: Backtest, bins: int = 5, *, ax: Axes | Figure | SubFigure | None = None, stamp: bool = True) -> Axes:
    """Draw where the real next shares fell in their forecasts: flat if those have the right spread.

    Parameters
    ----------
    test : Backtest
        What to draw.
    bins : int, default 5
        Bars.
    ax : Axes or empty Figure, optional
        Where to draw; a new figure by default.
    stamp : bool, default True
        Write under the chart what is needed to make it again.
    """
    data = ranks_data(test, bins)
    with canvas(ax, (4.6, 4.4)) as ax:
        middle, width = (data["start"] + data["end"]) / 2, data["end"] - data["start"]
        ax.bar(middle, data["count"], 0.92 * width, color=BLUE, label="observed")
        ax.axhspan(data["low"].min(), data["high"].max(), color=FAINT, zorder=0, lw=0, label="band")
        ax.axhline(data["expected"].iloc[0], color=QUIET, lw=0.8, ls="--", label="calibrated")
        ax.set(xlim=(0, 1), xlabel="place of the real share in its forecast", ylabel="rounds")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        finish(ax, _ranks_caption(test, data), stamp)
    return ax


def _ranks_caption(test: Backtest, data: pd.DataFrame) -> Caption:
    outer, total = data["count"].iloc[[0, -1]].sum(), data["count"].sum()
    share = outer / max(total, 1) * len(data) / 2
    spread = "too narrow" if share > 1.25 else "too wide" if share < 0.75 else "of about the right width"
    said = f"{test.kind.capitalize()}: forecasts of the next share are {spread}"
    reading = (
        f"{count(int(total), 'next share')}; the outer bars hold {outer}, a right forecast would put "
        f"{2 * data['expected'].iloc[0]:.0f} there. Grey: 90 of 100 for each bar."
    )
    return Caption(said, reading, "", test.stamp(), test.provenance)


def calibration_data(test: Backtest) -> pd.DataFrame:
    """Return all that the page draws: panel, then the columns of its own table."""
    tables = {event: test.reliability(event) for event in EVENT_WORDS} | {"ranks": test.ranks()}
    return pd.concat(tables, names=["panel", "row"])


def calibration(test: Backtest, *, fig: Figure | None = None) -> Figure:
    """Draw on one page whether the model is calibrated: two events, and the spread of the next share.

    Parameters
    ----------
    test : Backtest
        What to draw; the titles say whether its contests are past or synthetic.
    fig : Figure, optional
        An empty figure to draw in; a new one by default.

    Examples
    --------
    >>> import iomsim as iom
    >>> from iomsim.validation.synthetic import synthetic_contests
    >>> test = iom.backtest(synthetic_contests(4, seed=1, size=30), particles=50)
    >>> len(test.plot.calibration().axes)
    3
    """
    with page(fig, (12.6, 4.7)) as drawn:
        cells = drawn.subplots(1, 3)
        for ax, event in zip(cells, EVENT_WORDS, strict=False):
            reliability(test, event, ax=ax, stamp=False)
        ranks(test, ax=cells[2], stamp=False)
        drawn.supxlabel(test.stamp(), x=0.01, ha="left", fontsize=TINY, color=QUIET)
        titles = [_reliability_caption(test, event, test.reliability(event)) for event in EVENT_WORDS]
        whole = [*titles, _ranks_caption(test, test.ranks())]
        alt = " ".join(f"{caption.title}. {caption.reading}" for caption in whole)
        remember(drawn, Caption(whole[0].title, whole[0].reading, alt, test.stamp(), test.provenance))
    return drawn


# -- history -------------------------------------------------------------------------------------


def history_data(test: Backtest) -> pd.DataFrame:
    """Return the real trajectories and the forecasts they ran through.

    Returns
    -------
    DataFrame
        A row per contest and round: `share` of the one who led when the forecasts begin, and, if a
        forecast was made after the round before, its quantiles `p5`, `p20`, `p80`, `p95`.
    """
    rows = [row for contest in dict.fromkeys(case.contest for case in test.cases) for row in _rows(test, contest)]
    return pd.DataFrame(rows, columns=["contest", "round", "share", *BANDS])


def _rows(test: Backtest, contest: Any) -> list[dict[str, Any]]:
    cases = [case for case in test.cases if case.contest is contest]
    who = cases[0].situation.candidates[0]
    bands = {case.situation.round + 1: _band(case, who) for case in cases}
    first = cases[0].situation.round
    shares = {known.round: known.share(who) for known in contest.ordinary if known.round >= first}
    rounds = sorted({*shares, *(round_ for round_, band in bands.items() if band)})
    return [
        {"contest": contest.id, "round": round_, "share": shares.get(round_)} | bands.get(round_, {})
        for round_ in rounds
    ]


def _band(case: Case, who: str) -> dict[str, float]:
    """Return the quantiles of one's next share; that of a trailing one only if just two stand."""
    names = case.situation.candidates
    found = dict(zip(BANDS, case.step.prediction.quantiles(*BANDS.values()), strict=True))
    if np.isnan(found["p5"]) or who not in names or (who != names[0] and len(names) > 2):
        return {}
    if who == names[0]:
        return found
    return dict(zip(BANDS, [1 - q for q in reversed(found.values())], strict=True))


def history(test: Backtest, *, fig: Figure | None = None) -> Figure:
    """Draw the real trajectories over what the model had said round by round: one panel per contest.

    Each bar is a forecast made after the round before: the middle 60 and 90 of 100.  The line is
    the share of the candidate who led when the forecasts begin, dotted across rounds not known.

    Parameters
    ----------
    test : Backtest
        What to draw.
    fig : Figure, optional
        An empty figure to draw in; a new one by default.

    Examples
    --------
    >>> import iomsim as iom
    >>> test = iom.backtest(["UNSC2007-EEG", "UNSC2020-AF"], particles=100)
    >>> [ax.get_title(loc="left") for ax in test.plot.history().axes]
    ['UNSC2007-EEG', 'UNSC2020-AF']
    """
    data = history_data(test)
    names = list(dict.fromkeys(data["contest"]))
    down = -(-len(names) // ACROSS)
    with page(fig, (12.6, 1.3 + 2.25 * down)) as drawn:
        cells = drawn.subplots(down, min(len(names), ACROSS), squeeze=False, sharey=True)
        for ax in cells.ravel()[len(names) :]:
            ax.remove()
        for ax, name in zip(cells.ravel(), names, strict=False):
            _panel(ax, test, name, data[data["contest"] == name])
        caption = _history_caption(test, data)
        lay_out(cells[0, 0])
        drawn.suptitle(f"{caption.title}\n", x=0.01, ha="left", fontsize=12, weight="bold", color=DARK)
        drawn.supxlabel(f"{caption.reading}\n{test.stamp()}", x=0.01, ha="left", fontsize=SMALL, color=QUIET)
        remember(drawn, caption)
    return drawn


def _panel(ax: Axes, test: Backtest, name: str, rows: pd.DataFrame) -> None:
    contest = next(case.contest for case in test.cases if case.contest.id == name)
    told = rows.dropna(subset=["p5"])
    for low, high, colour in (("p5", "p95", "#CFE3F1"), ("p20", "p80", "#8DBFE0")):
        ax.bar(told["round"], told[high] - told[low], 0.7, bottom=told[low], color=colour, lw=0)
    known = rows.dropna(subset=["share"])
    gaps = known["round"].diff().fillna(1) > 1
    ax.plot(known["round"], known["share"], color=DARK, lw=0.9, ls=":")
    for _, part in known.groupby(gaps.cumsum()):
        ax.plot(part["round"], part["share"], "-o", color=DARK, lw=1.3, ms=3)
    need = float(contest.rules.threshold)
    ax.axhline(need, color=QUIET, lw=0.8)
    ax.axhline(1 - need, color=QUIET, lw=0.8, ls="--")
    first, last = rows["round"].min(), max(rows["round"].max(), rows["round"].min() + 1)
    ax.set(xlim=(first - 0.6, last + 0.6), ylim=(0.2, 0.9))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.0f} %")
    ax.set_title(name, loc="left", fontsize=9, weight="bold")
    ax.annotate(
        wrapped(ax, _end(contest), TINY), (1, 1), xytext=(-2, -2), xycoords="axes fraction",
        textcoords="offset points", ha="right", va="top", fontsize=TINY, color=QUIET,
    )  # fmt: skip


def _end(contest: Any) -> str:
    who = short(contest.winner, 22) if contest.winner else "nobody"
    how = contest.decided_how if contest.ending == "unresolved" else contest.ending
    return f"round {contest.rounds_total}: {who} ({how or contest.ending})"


def _history_caption(test: Backtest, data: pd.DataFrame) -> Caption:
    both = data.dropna(subset=["share", "p5"])
    wide = int(both["share"].between(both["p5"] - 1e-9, both["p95"] + 1e-9).sum())
    inner = int(both["share"].between(both["p20"] - 1e-9, both["p80"] + 1e-9).sum())
    said = (
        f"{test.kind.capitalize()}: {wide} of {len(both)} real next shares fell into the middle 90 in 100 of their "
        f"forecast, {inner} into the middle 60"
    )
    reading = (
        "Share of the candidate who led when the forecasts begin, by round. Bars: what was forecast after the round "
        "before. Full line: what elects; dashed: below it the other of two is elected."
    )
    return Caption(said, reading, f"Small multiples. {said}. {reading}", test.stamp(), test.provenance)


class BacktestPlots(Accessor):
    """The charts of a backtest."""

    reliability = Chart(reliability)
    reliability_data = Chart(reliability_data)
    ranks = Chart(ranks)
    ranks_data = Chart(ranks_data)
    calibration = Chart(calibration)
    calibration_data = Chart(calibration_data)
    history = Chart(history)
    history_data = Chart(history_data)
