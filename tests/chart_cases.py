"""Forecasts and what-ifs that the tests of charts draw, and ways to read what is drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from toys import toy

import iomsim as iom
from iomsim.charts import CHARTS, Plots, of
from iomsim.charts.base import Page
from iomsim.charts.labels import RANGE
from iomsim.charts.style import contrast
from iomsim.election_day.election_day import ElectionDay
from iomsim.engine.outcomes import Outcomes
from iomsim.forecasting.drivers import Drivers
from iomsim.forecasting.estimates import Interval
from iomsim.forecasting.forecast import Forecast, from_outcomes
from iomsim.model.scenario import Scenario, build
from iomsim.rules.procedure import ENDINGS
from iomsim.sensitivity.compare import SideBySide
from iomsim.sensitivity.grid import Grid
from iomsim.sensitivity.pivotal import Pivotal, groups_table
from iomsim.sensitivity.shrinkage import Worths
from iomsim.sensitivity.sobol import Sobol
from iomsim.sensitivity.tornado import Tornado
from iomsim.validation.record import History
from iomsim.validation.similar import Alike
from iomsim.validation.verdict import Backtest

LONG = (
    "Her Excellency Ambassador Wilhelmina Featherstonehaugh-Cholmondeley",
    "Bo",
    "Maria do Carmo de Albuquerque e Castro",
    "Kim $5 & Sons $6",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "José Ángel Gurría Treviño",
    "Dr <b>Bold</b>",
    "_under_score_",
)


ON_AXES = ("decision_time", "flows", "rounds", "trajectories", "win_probability")


def geneva(rules: str = "until-two-thirds", runs: int = 1500, **parts: Any) -> Forecast:
    race = iom.load("geneva-2023").with_rules(rules, **parts)
    return iom.forecast(race, runs=runs, seed=2023, progress=False)


def crowd() -> Forecast:
    described = {"title": "a crowd", "electorate": {"size": 40}, "candidates": [{"name": name} for name in LONG]}
    return iom.forecast(build(described), runs=300, seed=2, progress=False)


def evening(after: int = 1, at: str = "15:50") -> Forecast:
    """Return the forecast of Geneva after one or two announced rounds, or (after=0) a withdrawal."""
    race = iom.load("geneva-2023")
    if not after:
        race = race.with_rules("until-two-thirds")  # under another reading there would be a vote of yes or no
    night = iom.live(race, particles=1500, seed=2023)
    night.announce(Pope=98, Vitorino=67, at="12:20")
    if after == 2:
        night.announce(Pope=104, Vitorino=61, at=at)
    if not after:
        night.withdraw("Vitorino", at="12:40")
    return night.forecast()


def weighed() -> Forecast:
    """Return Geneva with its five readings, each with its weight."""
    return iom.forecast(iom.load("geneva-2023"), runs=2000, seed=2023, progress=False)


def fixed() -> Forecast:
    return iom.forecast(iom.load("geneva-2023"), runs=1500, seed=2023, progress=False, assumptions="fixed")


def friday() -> Forecast:
    return iom.forecast(iom.load("iom-2018"), runs=800, seed=2023, progress=False)


def body() -> Forecast:
    """Return a forecast of the African Union: eight stand, and the election may be suspended."""
    return iom.forecast(iom.start("au", list("ABCDEFGH")), runs=400, seed=2, progress=False)


def sixteen() -> Forecast:
    race = iom.start("unesco", [*LONG, *(f"Candidate {n}" for n in range(9, 17))])
    return iom.forecast(race, runs=200, seed=2, progress=False)


def crowded_evening() -> Forecast:
    night = iom.live(crowd().race, particles=800, seed=1)
    night.announce(dict(zip(LONG, (9, 3, 6, 5, 5, 6, 4, 2), strict=True)), at="12:20")
    return night.forecast()


def nine_tenths() -> Forecast:
    rules = {"name": "high bar", "threshold": "9/10", "concession": False}
    return iom.forecast(toy(175, rules=rules), runs=400, seed=1, progress=False)


CASES = {
    "two": geneva,
    "weighed": weighed,
    "fixed": fixed,
    "three": friday,
    "eight": crowd,
    "body": body,
    "sixteen": sixteen,
    "nine tenths": nine_tenths,
    "four rounds": lambda: geneva("four-rounds"),
    "strict": lambda: geneva("strict"),
    "one two-way round": lambda: geneva("one-two-way"),
    "one-sided": lambda: iom.forecast(iom.load("geneva-2023").balanced(share=0.8), runs=2000, seed=1, progress=False),
    "certain": lambda: iom.forecast(iom.load("geneva-2023").balanced(share=0.97), runs=300, seed=1, progress=False),
    "one run": lambda: geneva(runs=1),
    "live": evening,
    "live, two rounds": lambda: evening(2),
    "live, on Tuesday": lambda: evening(2, at="2023-05-16 11:10"),
    "eight, live": crowded_evening,
    "over": lambda: evening(0),
}


@cache
def case(name: str) -> Forecast:
    return CASES[name]()


@cache
def picture(name: str, chart: str) -> Axes:
    """Return a chart of a case, drawn once; to be looked at only."""
    fig = case(name).plot.draw(chart)
    fig.draw_without_rendering()
    return fig.axes[0]


def hand() -> Forecast:
    """Return four elections of nine members that can be counted on one hand.

    A by majority in round 1 on Monday at 12:00; B in round 2 on Monday at 16:10, after A withdraws;
    A by majority in round 2 on Tuesday at 10:40; and one still open after round 3.
    """
    none, stay = [[0, 0], [0, 0]], [[5, 0], [0, 4]]
    told = Outcomes(
        winner=np.array([0, 1, 0, -1], dtype=np.int8),
        ending=np.array([ENDINGS.index(e) for e in ("majority", "acclamation", "majority", "open")], np.uint8),
        rounds=np.array([1, 2, 2, 3], dtype=np.int16),
        minute=np.array([12 * 60, 16 * 60 + 10, 34 * 60 + 40, -1], dtype=np.int32),
        present=np.full(4, 9, dtype=np.int16),
        votes=np.array([[6, 3], [5, 4], [4, 5], [5, 4], [7, 2], [5, 4], [5, 4], [5, 4]], dtype=np.int16),
        valid=np.full(8, 9, dtype=np.int16),
        flows=np.array([none, none, [[4, 1], [0, 4]], none, [[5, 0], [2, 2]], none, stay, stay], dtype=np.int16),
        draw=np.zeros(4, dtype=np.int16),
    )
    return from_outcomes(toy(9, rules={"name": "three", "concession": True, "max_rounds": 3}), 1, [told])


def words(ax: Axes | Figure) -> list[str]:
    return [text.get_text() for text in ax.findobj(Text) if text.get_text().strip()]


def shown(fig: Figure) -> list[Text]:
    """Return the texts that are really drawn: no labels of ticks outside the axes, nor of hidden axes."""
    hidden: set[Text] = set()
    for ax in fig.findobj(Axes):
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            low, high = sorted(limits)
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            hidden |= {t.label1 for t in ticks if not ax.axison or not low - 1e-9 <= t.get_loc() <= high + 1e-9}
    return [text for text in fig.findobj(Text) if text.get_text().strip() and text.get_visible() and text not in hidden]


def collisions(fig: Figure) -> list[tuple[str, str]]:
    """Return the texts that overlap, or lie partly outside the figure."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown(fig)]
    width, height = fig.bbox.width, fig.bbox.height
    outside = [(t, "the edge") for t, b in boxes if min(b.x0, b.y0, width - b.x1, height - b.y1) < -2]
    return outside + [
        (one, two)
        for (one, a), (two, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2
    ]


def label(ax: Axes, text: str) -> Text:
    [found] = [artist for artist in ax.findobj(Text) if artist.get_text() == text]
    return found


def line_of(ax: Axes, name: str) -> list[str]:
    """Return the words of the row under the axes that has this label."""
    y = label(ax, name).get_window_extent().y0
    row = [text for text in ax.texts if abs(text.get_window_extent().y0 - y) < 1 and text.get_text() != name]
    return [text.get_text() for text in sorted(row, key=lambda text: text.get_window_extent().x0)]


def plain(title: str) -> str:
    return re.sub(r"\s+", " ", title)


def bars(ax: Axes) -> list[Rectangle]:
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def ranges(ax: Axes) -> np.ndarray:
    """Return every line of a range over the assumptions: where it stands, and its two ends."""
    found = [part for part in ax.collections if part.get_label() == RANGE]
    lines = np.array([line for part in found for line in part.get_segments()]).reshape(-1, 4)
    upright = lines[:, 0] == lines[:, 2]
    return np.where(upright[:, None], lines[:, [0, 1, 3]], lines[:, [1, 0, 2]])


def spans(ax: Axes) -> list[tuple[float, ...]]:
    """Return from where to where patches reach in x, and in y."""
    boxes = [patch.get_path().transformed(patch.get_patch_transform()).get_extents() for patch in ax.patches]
    return [(box.x0, box.x1, box.y0, box.y1) for box in boxes]


def dots(ax: Axes) -> EllipseCollection:
    [found] = [collection for collection in ax.collections if isinstance(collection, EllipseCollection)]
    return found


def race(names: str = "AB") -> Scenario:
    return toy(9, names, sponsors=[{"name": "W", "backs": "A", "strength": {"value": 1, "low": 0, "high": 2}}])


def around(value: float, half: float = 0.01) -> Interval:
    return Interval(value, value - half, value + half)


def tornado(**bars: dict[float | str, float]) -> Tornado:
    """Return a tornado of A's win and of Tuesday (minus that), with base 0.4 and the changes given."""
    made: dict[str, dict[float | str, dict[str, Interval]]] = {
        path.replace("__", "."): {
            value: {
                "A": around(x),
                "B": around(-x),
                "no winner": around(0),
                "spill": around(-x),
                "rounds": around(10 * x),
            }
            for value, x in ends.items()
        }
        for path, ends in bars.items()
    }
    base = {"A": around(0.4), "B": around(0.5), "no winner": around(0.1), "spill": around(0.3), "rounds": around(5.0)}
    return Tornado(race(), "A", 1, 4000, base, made)


def words_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def sobol(**rows: tuple[float, ...]) -> Sobol:
    columns = ["first", "first_low", "first_high", "total", "total_low", "total_high", "clear"]
    table = pd.DataFrame.from_dict({k.replace("__", "."): v for k, v in rows.items()}, orient="index", columns=columns)
    return Sobol(race(), "A", 1, 500, 64, table.rename_axis("parameter"))


def lines_of(ax: Axes) -> list[tuple[float, float]]:
    """Return every marker: where it is."""
    found = [line for line in ax.lines if line.get_marker() not in ("None", "", None) and len(line.get_xdata()) == 1]
    return [(round(float(line.get_xdata()[0]), 6), round(float(line.get_ydata()[0]), 6)) for line in found]


def pivotal(count: int, free: bool = True, low: float = 0.01, draws: bool = False, groups: int = 0) -> Pivotal:
    """Return members of which M1 looks best by chance; those with draws have ranges, and some are in groups."""
    names, error = [f"M{i + 1}" for i in range(count)], (0.03 - low) / 1.96
    noise = np.random.default_rng(1).standard_normal((count, 400))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    win = 0.03 - np.arange(count) / 1000
    columns = {"group": [f"G{i % groups + 1}" if groups else "" for i in range(count)]}
    columns |= {"support": 0.5 + np.arange(count) / 100, "win": win, "win_low": win + low - 0.03}
    columns |= {"win_high": win + 0.02, "win_range_low": win - 0.01 if draws else np.nan}
    columns |= {"win_range_high": win + 0.03, "win_raw": win}
    columns |= {"spill": 0.0, "spill_low": -0.01, "spill_high": 0.01, "spill_raw": 0.0, "free": free}
    columns |= {"won_over_win": [0.08, *[np.nan] * (count - 1)], "won_over_win_low": 0.07, "won_over_win_high": 0.09}
    columns |= {f"won_over_spill{end}": 0.0 for end in ("", "_low", "_high")}
    members, runs = pd.DataFrame(columns, index=names), np.full(400, 10)
    if not draws:
        members["high"] = np.nan
    seen = (win[:, None] + 20 * error * noise)[: count * free]
    local = np.repeat(win[:, None], 400, axis=1)[: count * free]
    worths = Worths(10 * seen, 10 * local, np.full(400, 0.1), runs, 200 if draws else 0)
    table = groups_table(members, {"win": worths, "spill": worths})
    return Pivotal(race(), "A", 1, 1000, members, table, worths)


def beside(names: str = "AB") -> SideBySide:
    one = race(names)
    variants = {"as it is": one, "no pressure": one.with_pressure(W=0), "public": one.with_behaviour(secrecy=0)}
    return iom.side_by_side(variants, runs=800, seed=1)


def plane(names: str = "AB", size: int = 5) -> Grid:
    """Return a grid in which A's chance rises by 0.2 along W and falls by 0.1 along secrecy, per step."""
    axes = (tuple(np.linspace(0, 2, size)), tuple(np.linspace(0, 1, size - 1)))
    index = pd.MultiIndex.from_product(axes, names=["W", "secrecy"])
    x, y = (index.get_level_values(name).to_numpy() for name in ("W", "secrecy"))
    win = 0.3 + 0.3 * x - 0.2 * y
    cells = pd.DataFrame({"A": win, "B": 1 - win, "no winner": 0.0, "spill": 0.2 + 0.05 * x, "rounds": 3.0}, index)
    base = {"A": 0.52, "B": 0.48, "no winner": 0.0, "spill": 0.25, "rounds": 3.0}
    paths = ("sponsors.W.strength", "behaviour.secrecy")
    return Grid(race(names), ("W", "secrecy"), paths, axes, 1, 1000, base, cells.assign(median_rounds=3.0))


MANY = ["Wilhelmina Featherstonehaugh-Cholmondeley of Nowhere", *"BCDEFGH"]


# -- one of every chart, for what all of them promise --------------------------------------------------------


@cache
def result(kind: type) -> Any:
    """Return a result of a kind that has charts, made once."""
    made: dict[type, Callable[[], Any]] = {
        Forecast: lambda: case("two"),
        Drivers: lambda: case("two").drivers("Pope"),
        ElectionDay: _noon,
        Tornado: lambda: tornado(behaviour__fluid={0.1: -0.2, 0.9: 0.1}, behaviour__secrecy={0.2: 0.1, 0.6: -0.05}),
        Sobol: lambda: sobol(behaviour__fluid=(0.4, 0.3, 0.5, 0.6, 0.5, 0.7, True)),
        Pivotal: lambda: pivotal(8),
        SideBySide: beside,
        Grid: plane,
        Backtest: lambda: iom.backtest(["UNSC2016-WEOG", "IOM2018-DG", "IOM2019-DDG"], particles=100),
        History: iom.history,
        Alike: lambda: iom.history().like(98, 67),
    }
    return made[kind]()


def _noon() -> ElectionDay:
    night = iom.live(iom.load("geneva-2023"), particles=600, seed=4)
    night.announce(Pope=98, Vitorino=67, at="12:20")
    return night


def all_charts(pages: bool) -> list[str]:
    """Return the charts that fill a page, or those that are drawn into axes, such as "Forecast.rounds"."""
    charts = [(f"{kind.__name__}.{name}", chart) for kind, known in CHARTS.items() for name, chart in known.items()]
    return sorted(name for name, chart in charts if issubclass(chart, Page) == pages)


def plots(chart: str) -> tuple[Plots, str]:
    """Return the charts of a result that has this one, and its own name there."""
    kind, _, name = chart.partition(".")
    return of(result(next(one for one in CHARTS if one.__name__ == kind and name in CHARTS[one]))), name


def ticks(ax: Axes) -> list[Any]:
    """Return the ticks that are seen, of both axes and of the panels inside: where they are and what they say.

    Where their lines break does not matter.
    """
    out: list[Any] = []
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        seen = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
        out.append(
            [
                (round(float(at), 6), word.get_text().replace("-\n", "-").replace("\n", " "))
                for at, word in seen
                if low <= at <= high
            ]
        )
    return out + [ticks(panel) for panel in ax.child_axes]


def faint_words(fig: Figure, least: float = 3.0) -> list[str]:
    """Return the words that are hard to read on the page or on the paper of their axes."""
    pages = [fig.get_facecolor(), *(ax.get_facecolor() for ax in fig.findobj(Axes))]
    solid = {to_hex(page) for page in pages if page[3] == 1}
    return [t.get_text() for t in shown(fig) if min(contrast(to_hex(t.get_color()), page) for page in solid) < least]
