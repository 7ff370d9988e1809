"""The charts of a forecast: what is drawn and written is what its tables say, and can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Text
from toys import toy

import iomsim as iom
from iomsim.charts import win_probability
from iomsim.charts.base import captions
from iomsim.charts.dashboard import heading
from iomsim.charts.facts import tally
from iomsim.charts.session_axis import BIN, lay_days
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import IomsimError
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.forecast import Forecast, from_outcomes
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.wording import who
from iomsim.model.scenario import Scenario, build
from iomsim.rules.ruleset import ENDINGS

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
CHARTS = ("decision_time", "flows", "rounds", "trajectories", "win_probability")


def geneva(rules: str = "until-two-thirds", runs: int = 1500, **parts: Any) -> Forecast:
    race = iom.load("geneva-2023").with_rules(rules, **parts)
    return iom.forecast(race, runs=runs, seed=2023, progress=False)


def crowd() -> Forecast:
    described = {"title": "a crowd", "electorate": {"size": 40}, "candidates": [{"name": name} for name in LONG]}
    return iom.forecast(build(described), runs=300, seed=2, progress=False)


def evening(after: int = 1, at: str = "15:50") -> Forecast:
    """Return the forecast of Geneva after one or two announced rounds, or (after=0) a withdrawal."""
    night = iom.live(iom.load("geneva-2023"), particles=1500, seed=2023)
    night.announce(Pope=98, Vitorino=67, at="12:20")
    if after == 2:
        night.announce(Pope=104, Vitorino=61, at=at)
    if not after:
        night.withdraw("Vitorino", at="12:40")
    return night.forecast()


def friday() -> Forecast:
    return iom.forecast(iom.load("iom-2018"), runs=800, seed=2023, progress=False)


CASES = {
    "two": geneva,
    "three": friday,
    "eight": crowd,
    "strict": lambda: geneva("strict"),
    "one two-way round": lambda: geneva("one-two-way"),
    "certain": lambda: iom.forecast(iom.load("geneva-2023").balanced(share=0.97), runs=300, seed=1, progress=False),
    "one run": lambda: geneva(runs=1),
    "live": evening,
    "live, two rounds": lambda: evening(2),
    "live, on Tuesday": lambda: evening(2, at="2023-05-16 11:10"),
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
        ending=np.array([ENDINGS.index(e) for e in ("majority", "acclamation", "majority", "unresolved")], np.uint8),
        rounds=np.array([1, 2, 2, 3], dtype=np.int16),
        minute=np.array([12 * 60, 16 * 60 + 10, 34 * 60 + 40, -1], dtype=np.int32),
        present=np.full(4, 9, dtype=np.int16),
        votes=np.array([[6, 3], [5, 4], [4, 5], [5, 4], [7, 2], [5, 4], [5, 4], [5, 4]], dtype=np.int16),
        valid=np.full(8, 9, dtype=np.int16),
        flows=np.array([none, none, [[4, 1], [0, 4]], none, [[5, 0], [2, 2]], none, stay, stay], dtype=np.int16),
    )
    return from_outcomes(toy(9, rules={"name": "three", "max_rounds": 3}), 1, [told])


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    yield
    plt.close("all")


def words(ax: Axes | Figure) -> list[str]:
    return [text.get_text() for text in ax.findobj(Text) if text.get_text().strip()]


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


# -- readable ----------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("chart", CHARTS)
def test_no_words_are_cut_or_overlap(name: str, chart: str) -> None:
    fig = picture(name, chart).figure
    assert collisions(fig) == []
    [caption] = captions(fig)
    assert len(caption.text) > 40
    assert "nan" not in caption.text


@pytest.mark.parametrize("name", ["eight", "live"])
def test_no_words_are_cut_or_overlap_on_the_page(name: str) -> None:
    assert collisions(picture(name, "dashboard").figure) == []


def test_the_check_above_can_fail() -> None:
    fig = case("two").plot.draw("rounds")
    [ax] = fig.axes
    ax.text(3, 0.1, "over the bars")
    ax.text(3.1, 0.1, "and over this")
    fig.text(0, 1.5, "above the page")
    fig.draw_without_rendering()
    assert collisions(fig) == [("above the page", "the edge"), ("over the bars", "and over this")]


# -- who wins ----------------------------------------------------------------------------------------


def bars(ax: Axes) -> list[Rectangle]:
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


@pytest.mark.parametrize("name", ["two", "three", "eight", "live"])
def test_bars_are_the_table_of_winners(name: str) -> None:
    fc = case(name)
    table, ax = fc.win_probability(), picture(name, "win_probability")
    assert [bar.get_width() for bar in bars(ax)] == pytest.approx(list(100 * table["probability"]))
    assert [to_hex(bar.get_facecolor()).upper() for bar in bars(ax)] == list(fc.race.colours.values())
    half = (table["high"] - table["low"]) / 2
    for bar, p, h in zip(bars(ax), table["probability"], half, strict=True):
        assert f"{in_100(p, h)} in 100" in words(ax)
        assert bar.get_height() > 0
    whiskers = [segment for lines in ax.containers for bar in [lines] for segment in _whiskers(bar)]
    assert np.array(whiskers)[:, :, 0] == pytest.approx(100 * table[["low", "high"]].to_numpy())
    assert max(ax.get_xlim()) >= 100 * table["high"].max()


def _whiskers(container: Any) -> list[np.ndarray]:
    if not hasattr(container, "has_xerr"):
        return []
    return [segment for collection in container.lines[2] for segment in collection.get_segments()]


def test_hollow_marks_are_the_rule_sets() -> None:
    fc = case("two")
    ax = picture("two", "win_probability")
    marks = [line for line in ax.lines if line.get_marker() in "osD^" and len(line.get_xdata()) == 3]
    sides = fc.rule_sets()
    assert len(marks) == len(sides) == len({line.get_marker() for line in marks})
    for line, (name, side) in zip(marks, sides.iterrows(), strict=True):
        assert line.get_xdata() == pytest.approx(100 * side[list(fc.win_probability().index)].to_numpy(dtype=float))
        assert line.get_markerfacecolor() == "white"
        assert name in words(ax)
    assert not [line for line in fc.plot.win_probability(rules=False).lines if line.get_marker() in "osD^"]
    assert list(fc.plot.win_probability_data(rules=False)) == ["probability", "low", "high"]


@pytest.mark.parametrize("name", ["two", "three", "strict", "certain", "live", "one run"])
def test_the_title_of_winners_agrees_with_the_answer(name: str) -> None:
    fc = case(name)
    title = plain(fc.plot.draw("win_probability").axes[0].get_title())
    opening = who(fc).partition(":")[0]
    assert opening in title
    nobody = re.search(r"nobody (.+?) in 100", fc.answer())[1]
    assert f"nobody wins in {nobody}" in title


def test_intervals_say_no_more_than_they_know() -> None:
    assert any(re.fullmatch(r"\s*\d\.\d to \d\.\d", text) for text in words(picture("two", "win_probability")))
    few = picture("one run", "win_probability")
    assert any(re.fullmatch(r"\s*<1 to \d\d", text) for text in words(few))
    assert not any(re.search(r"\b(0|100) in 100", text) for text in words(picture("certain", "win_probability")))
    assert {"100 in 100", "0 in 100"} <= set(words(picture("over", "win_probability")))  # by rule: that is how it ended


# -- rounds ------------------------------------------------------------------------------------------


def heights(ax: Axes) -> np.ndarray:
    """Return the heights of all bars by place."""
    out: dict[float, float] = {}
    for bar in bars(ax):
        if bar.get_width() == pytest.approx(0.8):
            x = round(bar.get_x() + 0.4, 6)
            out[x] = out.get(x, 0.0) + bar.get_height()
    return np.array([out[x] for x in sorted(out)])


@pytest.mark.parametrize("by", ["day", "ending"])
@pytest.mark.parametrize("name", ["two", "three", "one two-way round", "live"])
def test_bars_are_the_table_of_rounds(name: str, by: str) -> None:
    fc = case(name)
    data, table, ax = fc.plot.rounds_data(by=by), fc.rounds(), fc.plot.rounds(by=by)
    ends = (table["probability"] + table["ended_without_winner"]).to_numpy()
    pooled = np.append(ends[:11], ends[11:].sum()) if len(ends) > 12 else ends
    assert data["ends"].to_numpy() == pytest.approx(pooled)
    assert heights(ax) == pytest.approx(100 * pooled)
    assert data["ends"].sum() == pytest.approx(1)
    parts = data.iloc[:, : list(data).index("ends")]
    assert parts.sum(axis=1).to_numpy() == pytest.approx(pooled)
    assert [t.get_text() for t in ax.get_xticklabels()] == list(data.index)
    assert all(in_100(p) in words(ax) for p in pooled if p)


def test_the_last_bar_is_open_ended_and_stands_apart() -> None:
    ax = case("two").plot.rounds(most=5)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2", "3", "4", "5+"]
    gaps = np.diff(ax.get_xticks())
    assert gaps[-1] > gaps[0] == 1
    assert case("one two-way round").plot.rounds_data().index.tolist() == ["1", "2"]


@pytest.mark.parametrize("name", ["two", "three", "strict"])
def test_under_each_round_stands_who_is_undecided(name: str) -> None:
    fc = case(name)
    below = line_of(picture(name, "rounds"), "still undecided")
    assert below[:-1] == [in_100(p) for p in fc.rounds()["undecided"].iloc[:11]]
    assert below[-1] == "\N{EN DASH}"


@pytest.mark.parametrize("name", ["two", "three", "strict", "live"])
def test_the_days_of_the_rounds_are_the_spill(name: str) -> None:
    fc = case(name)
    legend = [text.get_text() for text in picture(name, "rounds").get_legend().get_texts()]
    late = fc.spill().value
    assert legend[:2] == [
        f"{fc.opening_date:%A}: {in_100(1 - late)} of 100",
        f"{fc.next_day:%A} or later: {in_100(late)} of 100",
    ]
    nobody = fc.win_probability()["probability"][NO_WINNER]
    assert legend[2] == f"hatched: no winner: {in_100(nobody)} of 100"


def test_ways_to_end_are_the_table_of_endings() -> None:
    fc = case("one two-way round")
    data = fc.plot.rounds_data(by="ending")
    table = fc.endings()["probability"].groupby("ending").sum()
    for ending in ("majority", "acclamation", "confirmed", "failed"):
        assert data[ending].sum() == pytest.approx(table[ending])
    assert "unresolved" not in data
    with pytest.raises(IomsimError, match="split by 'day' or 'ending', got 'hour'"):
        fc.plot.rounds(by="hour")


def test_the_title_of_rounds_is_the_median() -> None:
    fc = case("two")
    middle, low, high = fc.median_rounds()
    assert f"{middle} round" in picture("two", "rounds").get_title()
    assert f"{low} to {high}" in plain(picture("two", "rounds").get_title())


def test_four_elections_by_round() -> None:
    data = hand().plot.rounds_data()
    assert data["Monday"].tolist() == [0.25, 0.25, 0]
    assert data["Tuesday or later"].tolist() == [0, 0.25, 0]
    assert data["Tuesday or later, no winner"].tolist() == [0, 0, 0.25]
    assert data["Monday, no winner"].tolist() == [0, 0, 0]
    assert data["undecided"].tolist() == [0.75, 0.25, 0]
    ends = hand().plot.rounds_data(by="ending")
    assert ends[["majority", "acclamation", "unresolved"]].to_numpy().tolist() == [
        [0.25, 0, 0],
        [0.25, 0.25, 0],
        [0, 0, 0.25],
    ]


# -- the clock ---------------------------------------------------------------------------------------


def spans(ax: Axes) -> list[tuple[float, ...]]:
    """Return from where to where patches reach in x, and in y."""
    boxes = [patch.get_path().transformed(patch.get_patch_transform()).get_extents() for patch in ax.patches]
    return [(box.x0, box.x1, box.y0, box.y1) for box in boxes]


def dots(ax: Axes) -> EllipseCollection:
    [found] = [collection for collection in ax.collections if isinstance(collection, EllipseCollection)]
    return found


def test_four_elections_on_the_clock() -> None:
    data = hand().plot.decision_time_data(n_dots=4)
    assert data["ended_at"].astype(str).tolist()[:3] == [
        "2023-05-15 12:00:00",
        "2023-05-15 16:10:00",
        "2023-05-16 10:40:00",
    ]
    assert data["ended_at"].isna().tolist() == [False, False, False, True]
    assert data["day"].tolist() == ["Monday", "Monday", "Tuesday", "later or never"]
    assert data["winner"].tolist() == ["A", "B", "A", NO_WINNER]
    assert data["spills"].tolist() == [False, False, True, True]


def test_four_elections_stand_where_they_end() -> None:
    ax = hand().plot.decision_time(n_dots=4)
    x, y = dots(ax).get_offsets().T
    ten, noon, ten_past_four = 0.0, 4.0, 12.0  # half-hours since 10:00; the stack of 16:10 begins at 16:00
    monday = 2 * (18 - 10)
    tuesday = monday + 3  # a night is three stacks wide
    assert x.tolist() == pytest.approx([ten + noon + 0.5, ten_past_four + 0.5, tuesday + 1.5, tuesday + monday + 3 + 2])
    assert y == pytest.approx(np.full(4, y[0]))
    colours = [to_hex(colour).upper() for colour in dots(ax).get_facecolors()]
    assert colours == ["#0072B2", "#D55E00", "#0072B2", "#999999"]
    assert "2 of 4 dots" in words(ax)
    assert "2 of 4 dots on Tuesday or later" in words(ax)
    assert "later or\nnever: 1" in words(ax)


def test_a_shorter_axis_sends_more_to_the_last_column() -> None:
    data = hand().plot.decision_time_data(n_dots=4, days=1)
    assert data["day"].tolist() == ["Monday", "Monday", "later or never", "later or never"]
    assert hand().plot.decision_time_data(n_dots=4, days=3)["day"].tolist()[2:] == ["Tuesday", "later or never"]


@pytest.mark.parametrize("name", CASES)
def test_fifty_dots_within_the_axes(name: str) -> None:
    fc = case(name)
    fig = fc.plot.draw("decision_time")
    fig.draw_without_rendering()
    [ax] = fig.axes
    found = dots(ax)
    x, y = found.get_offsets().T
    assert len(x) == 50
    unit = ax.get_window_extent().width / np.ptp(ax.get_xlim())
    [radius] = set(np.round(found.get_transforms()[:, 0, 0] / unit, 9))  # as drawn, from pixels to units of x
    high = ax.get_window_extent().height / unit  # dots are as wide as x says: the height in the same units
    scale = high / np.ptp(ax.get_ylim())
    assert (x - radius).min() >= ax.get_xlim()[0]
    assert (x + radius).max() <= ax.get_xlim()[1]
    assert (y * scale - radius).min() >= -1e-9
    assert (y * scale + radius).max() <= high
    gaps = [np.hypot(a - c, (b - d) * scale) for (a, b), (c, d) in combinations(zip(x, y, strict=True), 2)]
    assert min(gaps) > 2 * radius  # none hides another


@pytest.mark.parametrize("name", CASES)
def test_dots_late_are_the_spill(name: str) -> None:
    fc = case(name)
    data, ax = fc.plot.decision_time_data(), picture(name, "decision_time")
    late = int(data["spills"].sum())
    assert abs(late - 50 * fc.spill().value) <= 0.5
    assert f"{late} of 50 dots on {fc.next_day:%A} or later" in words(ax)
    assert "1 in 50" in " ".join(words(ax))
    wins = data["winner"].value_counts()
    for name_, p in fc.win_probability()["probability"].items():
        assert abs(wins.get(name_, 0) - 50 * p) <= 1.5
    assert data["ended_at"].dropna().is_monotonic_increasing


@pytest.mark.parametrize("name", ["two", "three", "strict", "live"])
def test_dots_stand_in_the_half_hour_in_which_they_end(name: str) -> None:
    fc = case(name)
    data, clock = fc.plot.decision_time_data(), lay_days(fc, fc.plot.decision_time_data(), 2)
    ax = picture(name, "decision_time")
    x = dots(ax).get_offsets()[:, 0]
    minutes = ((data["ended_at"] - fc.opening_date).dt.total_seconds() / 60).to_numpy()
    for day in clock:
        here = (minutes >= day.start) & (minutes < day.stop)
        assert (np.abs(x[here] - day.place(minutes[here])) < 1).all()
        assert (x[here] > day.x).all()
        assert (x[here] < day.end).all()
    on = (data["day"] != "later or never").to_numpy()
    assert on.sum() == sum(((minutes >= day.start) & (minutes < day.stop)).sum() for day in clock)
    assert x[~on].min(initial=np.inf) > clock[-1].end
    assert all(later.x - earlier.end == 3 for earlier, later in pairwise(clock))


def test_after_a_friday_comes_a_monday() -> None:
    ax = picture("three", "decision_time")
    assert {"Friday 29 June", "Monday 2 July", "weekend"} <= set(words(ax))
    assert "night" not in words(ax)
    assert "night" in words(picture("two", "decision_time"))
    closed = iom.load("geneva-2023").with_clock(days=("Mon", "Thu"))
    fc = iom.forecast(closed, runs=200, seed=1, progress=False)
    assert {"Thursday 18 May", "no sitting"} <= set(words(fc.plot.decision_time()))


def test_lunch_is_shaded_and_hours_are_those_of_the_sittings() -> None:
    fc = case("two")
    ax = picture("two", "decision_time")
    day = lay_days(fc, fc.plot.decision_time_data(), 2)[0]
    assert (day.place(13 * 60), day.place(15 * 60), 0, 1) in spans(ax)
    assert words(ax).count("lunch") == 2
    hours = dict(zip(ax.get_xticks(), [t.get_text() for t in ax.get_xticklabels()], strict=True))
    assert hours[day.place(13 * 60)] == "13:00"
    assert list(hours.values())[:4] == ["10:00", "13:00", "15:00", "18:00"]
    assert BIN * day.place(13 * 60) == 180


def test_breaks_are_shaded_and_sittings_are_not() -> None:
    sittings = (("09:00", "10:30"), ("11:30", "13:00"), ("15:00", "18:00"))
    race = iom.load("geneva-2023").with_clock(sittings=sittings, opens="2023-05-15T09:00:00")
    fc = iom.forecast(race, runs=200, seed=1, progress=False)
    ax, clock = fc.plot.decision_time(), lay_days(fc, fc.plot.decision_time_data(), 2)
    shades = {(start, stop) for start, stop, *_ in spans(ax) if stop - start < 5}
    breaks = ((630, 690), (780, 900))
    assert shades == {tuple(day.place(day.start // 1440 * 1440 + m) for m in b) for day in clock for b in breaks}
    assert words(ax).count("lunch") == 2


def test_dots_can_be_coloured_by_day() -> None:
    fc = case("two")
    ax = fc.plot.decision_time(by="day")
    late = fc.plot.decision_time_data()["spills"]
    colours = [to_hex(colour).upper() for colour in dots(ax).get_facecolors()]
    assert colours == ["#882255" if spills else "#BBBBBB" for spills in late]
    assert ax.get_legend() is None
    with pytest.raises(IomsimError, match="coloured by 'day' or 'winner', got 'hour'"):
        fc.plot.decision_time(by="hour")


def test_the_key_counts_the_winners_dots() -> None:
    fc = case("three")
    counts = fc.plot.decision_time_data()["winner"].value_counts()
    said = [text.get_text() for text in picture("three", "decision_time").get_legend().get_texts()]
    assert said == [f"{name}: {counts[name]} dots" for name in [*fc.race.names, NO_WINNER]]


@pytest.mark.parametrize("wrong", [{"n_dots": 0}, {"days": 0}, {"n_dots": 2.5}])
def test_dots_and_days_are_whole_numbers(wrong: dict[str, Any]) -> None:
    with pytest.raises(IomsimError, match=f"{next(iter(wrong))} must be a whole number of at least 1"):
        case("two").plot.decision_time(**wrong)


# -- paths -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two", "three"])
def test_bands_are_quantiles_of_the_shares(name: str) -> None:
    fc = case(name)
    data = fc.plot.trajectories_data()
    for k, candidate in enumerate(fc.race.names):
        for r in (1, 2, 5):
            row = data.loc[candidate, r]
            assert row["voting"] == fc.summary.shares[r - 1, k].sum() / len(fc)
            expected = fc.summary.share_quantile(r, k, [0.05, 0.2, 0.35, 0.65, 0.8, 0.95])
            assert row[["p5", "p20", "p35", "p65", "p80", "p95"]].to_numpy(dtype=float) == pytest.approx(expected)


def test_the_words_for_paths_say_who_is_left() -> None:
    [caption] = captions(picture("two", "trajectories").figure)
    second = in_100(case("two").summary.voting[1] / len(case("two")))
    assert f"Still voting, of 100: round 1 all, round 2 {second}, round 3 " in caption.text


def test_thin_bands_are_not_drawn() -> None:
    data = case("one run").plot.trajectories_data()
    assert data[["p5", "p95"]].isna().all(axis=None)
    assert (data["voting"] == 1).all()
    bands = case("two").plot.trajectories_data().loc["Pope"]
    assert (bands["p5"].notna() == (bands["voting"] * len(case("two")) >= 20)).all()


def levels(ax: Axes) -> list[float]:
    """Return where dashed lines lie."""
    return sorted(float(line.get_ydata()[0]) for line in ax.lines if line.get_linestyle() == "--")


def test_two_candidates_share_one_picture_with_both_lines() -> None:
    fc = case("two")
    ax = picture("two", "trajectories")
    assert levels(ax) == pytest.approx([100 / 3, 200 / 3])
    leader = fc.win_probability()["probability"].iloc[:-1].idxmax()
    other = next(name for name in fc.race.names if name != leader)
    high, low = label(ax, f"two thirds elect {leader}"), label(ax, f"two thirds elect {other}")
    assert high.xy[1] == pytest.approx(200 / 3)
    assert low.xy[1] == pytest.approx(100 / 3)
    data = fc.plot.trajectories_data().loc[leader]
    assert line_of(ax, "still voting") == ["all", *[in_100(p) for p in data["voting"].iloc[1:]]]
    assert data["voting"].to_numpy() == pytest.approx(fc.summary.voting[:12] / len(fc))
    outlines = [band.get_paths()[0].vertices for band in ax.collections]
    first = [{round(float(y), 6) for x, y in outline if x == 1} for outline in outlines]
    ends = [
        {round(100 * data.loc[1, end], 6) for end in pair} for pair in (("p5", "p95"), ("p20", "p80"), ("p35", "p65"))
    ]
    assert first == ends


def test_nine_examples_are_drawn_as_they_went() -> None:
    fc = case("two")
    ax = picture("two", "trajectories")
    k = fc.race.names.index(fc.win_probability()["probability"].iloc[:-1].idxmax())
    solid = [line for line in ax.lines if line.get_linestyle() == "-" and line.get_marker() == "None"]
    runs = fc.summary.examples
    assert len(solid) == runs.size == 9
    for line, start, held in zip(solid, runs.starts, runs.rounds, strict=True):
        share = 100 * runs.votes[start : start + held, k] / runs.valid[start : start + held]
        assert line.get_ydata() == pytest.approx(share[:12])
    ends = [line for line in ax.lines if line.get_marker() == "o"]
    colours = {0: "#0072B2", 1: "#D55E00", -1: "#999999"}
    over = [run for run in range(9) if runs.rounds[run] <= 12]
    assert [line.get_color() for line in ends] == [colours[int(runs.winner[run])] for run in over]


def test_more_candidates_have_a_panel_each() -> None:
    for name in ("three", "eight"):
        fc = case(name)
        panels = fc.plot.trajectories().child_axes
        assert [panel.get_label() for panel in panels] == list(fc.race.names)
        assert len({panel.get_ylim() for panel in panels}) == 1
        assert all(levels(panel) == pytest.approx([200 / 3]) for panel in panels)
        assert any(line.get_marker() == "x" for panel in panels for line in panel.lines)


def test_the_lines_follow_the_rules() -> None:
    fc = geneva(runs=200, threshold="3/5")
    assert levels(fc.plot.trajectories()) == pytest.approx([40, 60])
    assert any(text.startswith("3/5 elect") for text in words(fc.plot.trajectories()))
    fc = geneva("strict", runs=200, simple_majority_from=3)
    lines = [line for line in fc.plot.trajectories().lines if line.get_linestyle() == "--"]
    spans = {(round(float(line.get_ydata()[0]), 3), *map(float, line.get_xdata())) for line in lines}
    assert {(66.667, 0.6, 2.5), (33.333, 0.6, 2.5)} < spans
    assert {level for level, start, _ in spans if start == 2.5} == {50}
    fc = geneva(runs=200, base="present")
    assert any("two thirds of those present, so this share or more," in text for text in words(fc.plot.trajectories()))


def test_the_title_of_paths_is_the_band() -> None:
    fc = case("two")
    data = fc.plot.trajectories_data()
    leader = fc.win_probability()["probability"].iloc[:-1].idxmax()
    low, high = (100 * data.loc[(leader, 1), end] for end in ("p20", "p80"))
    title = plain(picture("two", "trajectories").get_title())
    assert title == f"{leader} takes {low:.0f} to {high:.0f} % in round 1 in 60 of 100 elections"


# -- moves of members --------------------------------------------------------------------------------


def test_four_elections_of_moves() -> None:
    data = hand().plot.flows_data(rounds=3)
    table = {(m.round, m.origin, m.destination): m.members for m in data.itertuples()}
    assert table == pytest.approx(
        {
            (2, "A", "A"): 14 / 3, (2, "A", "B"): 1 / 3, (2, "B", "A"): 2 / 3, (2, "B", "B"): 10 / 3,
            (3, "A", "A"): 5, (3, "A", "B"): 0, (3, "B", "A"): 0, (3, "B", "B"): 4,
            (2, "absent", "absent"): 0, (3, "absent", "absent"): 0,
        }
    )  # fmt: skip
    assert data.set_index("round")["voting"].groupby("round").first().tolist() == [0.75, 0.25]


@pytest.mark.parametrize("name", ["two", "three", "eight", "live"])
def test_nobody_is_lost_between_rounds(name: str) -> None:
    fc = case(name)
    data = fc.plot.flows_data()
    assert sorted(set(data["round"])) == [2, 3, 4]
    assert data.groupby("round")["members"].sum().to_numpy() == pytest.approx(float(fc.race.votes.sum()))
    assert (data["members"] >= 0).all()
    ax = picture(name, "flows")
    assert len([patch for patch in ax.patches if isinstance(patch, PathPatch)]) == (data["members"] > 0).sum()
    assert line_of(ax, "round") == ["1", "2", "3", "4"]
    voting = fc.summary.voting[:4] / len(fc)
    assert line_of(ax, "still voting") == ["all" if p == 1 else in_100(p) for p in voting]


def test_bars_of_members_are_the_sums_of_streams() -> None:
    fc = case("two")
    data, ax = fc.plot.flows_data(), picture("two", "flows")
    into = data.groupby(["round", "destination"])["members"].sum()
    out = data.groupby(["round", "origin"])["members"].sum()
    drawn = sorted(bar.get_height() for bar in bars(ax))
    assert drawn == pytest.approx(sorted([*into, *out]))
    for name in fc.race.names:
        assert f"{name} {out[2, name]:.0f}" in words(ax)
        assert f"{into[2, name]:.0f}" in words(ax)
    streams = [patch.get_path().vertices for patch in ax.patches if isinstance(patch, PathPatch)]
    thick = sorted(float(v[-2][1] - v[0][1]) for v in streams)
    assert thick == pytest.approx(sorted(data["members"][data["members"] > 0]))
    for v in streams:
        assert v[4][1] - v[3][1] == pytest.approx(v[7][1] - v[0][1])  # as thick at its end as at its start


def test_the_title_of_moves_counts_those_who_change_sides() -> None:
    fc = case("two")
    data = fc.plot.flows_data()
    moved = data[data["origin"] != data["destination"]].groupby("round")["members"].sum()
    title = plain(picture("two", "flows").get_title())
    there = data[(data["round"] == 2) & (data["origin"] != "absent")]["members"].sum()
    assert there < 170  # a guard: some of the 175 are away
    assert f"{moved[2]:.0f} of {there:.0f} members change sides between rounds 1 and 2" in title
    assert f"{moved[4]:.0f} between rounds 3 and 4" in title
    assert "B to A 1 before round 2; A to B 0 before round 2" in captions(hand().plot.flows(rounds=3))[0].text


def test_without_a_second_round_there_is_a_sentence() -> None:
    fc = case("one two-way round")
    assert fc.plot.flows_data().empty
    ax = picture("one two-way round", "flows")
    assert "No election holds a second round between candidates" in plain(ax.get_title())
    assert not ax.patches


# -- election day ------------------------------------------------------------------------------------


def test_what_was_announced_is_a_fact() -> None:
    fc = case("live, two rounds")
    assert tally(fc, 1) == {"Pope": 98, "Vitorino": 67}
    assert tally(fc, 2) == {"Pope": 104, "Vitorino": 61}
    assert tally(fc, 3) is None
    assert tally(case("two"), 1) is None


def test_what_was_announced_in_part_is_not() -> None:
    night = iom.live(iom.load("geneva-2023"), particles=1500, seed=2023)
    night.announce({"Pope": "at least 90"}, at="12:20")
    fc = night.forecast()
    assert tally(fc, 1) is None
    assert fc.plot.rounds().get_title().startswith("After round 1: ")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.30, 0.319, "30.0 to 31.9"), (0.30, 0.35, "30 to 35"), (0.0, 0.0004, "<0.1"), (1, 1, "")],
)
def test_a_decimal_is_written_where_an_interval_is_that_narrow(low: float, high: float, said: str) -> None:
    assert win_probability.span_of(pd.Series({"low": low, "high": high})) == said


def test_what_the_examples_agree_on_by_chance_is_no_fact() -> None:
    """One count and the papers are known, so that one share is; the other two are not, whatever the examples say."""
    night = iom.live(toy(15, "ABC", rules="strict"), particles=300, seed=1)
    fc = night.announce(A=6, valid=14) and night.forecast()
    alike = replace(fc, summary=replace(fc.summary, examples=fc.outcomes.head(1)))
    assert tally(alike, 1) is None
    night.undo()
    fc = night.announce(A=6, B=5, C=3) and night.forecast()
    assert tally(replace(fc, summary=replace(fc.summary, examples=fc.outcomes.head(1))), 1) == {"A": 6, "B": 5, "C": 3}


@pytest.mark.parametrize("chart", CHARTS)
def test_live_charts_begin_with_what_was_announced(chart: str) -> None:
    assert picture("live", chart).get_title().startswith("After 98\N{EN DASH}67: ")
    assert not picture("two", chart).get_title().startswith("After")
    title = plain(picture("over", chart).get_title())
    assert f"{title}." == case("over").answer()


@pytest.mark.parametrize("chart", ["rounds", "flows"])
def test_announced_votes_stand_under_their_rounds(chart: str) -> None:
    ax = getattr(case("live, two rounds").plot, chart)()
    assert line_of(ax, "Pope, announced") == ["98", "104"]
    assert line_of(ax, "Vitorino, announced") == ["67", "61"]
    x = [label(ax, votes).xy[0] for votes in ("98", "104")]
    assert x == [1, 2]


def test_held_rounds_are_shaded_and_certain() -> None:
    ax = picture("live, two rounds", "rounds")
    assert (0.5, 2.5, 0, 1) in spans(ax)
    left = case("live, two rounds").rounds()["undecided"]
    assert 0.5 < left[2] < 0.995  # a concession may come
    assert line_of(ax, "still undecided")[:3] == ["all", *map(in_100, left[[2, 3]])]


def test_the_path_so_far_is_drawn_solid() -> None:
    ax = picture("live, two rounds", "trajectories")
    [told] = [line for line in ax.lines if line.get_label() == "announced"]
    assert told.get_xdata().tolist() == [1, 2]
    assert told.get_ydata() == pytest.approx([100 * 98 / 165, 100 * 104 / 165])
    assert "announced" in words(ax)
    data = case("live, two rounds").plot.trajectories_data().loc["Pope"]
    assert data["announced"].tolist()[:3] == [True, True, False]
    assert data.loc[1, ["p5", "p95"]].tolist() == pytest.approx([98 / 165] * 2)


def test_what_has_passed_is_shaded_on_the_clock() -> None:
    fc = case("live")
    ax, day = picture("live", "decision_time"), lay_days(fc, fc.plot.decision_time_data(), 2)[0]
    [solid] = [line for line in ax.lines if line.get_linewidth() == 4]
    assert solid.get_xdata().tolist() == [day.x, day.place(12 * 60 + 20)]
    assert "announced\n98\N{EN DASH}67\nas of 12:20" in words(ax)
    assert dots(ax).get_offsets()[:, 0].min() > day.place(12 * 60 + 20)


def test_on_tuesday_the_axis_begins_with_tuesday() -> None:
    fc = case("live, on Tuesday")
    ax = picture("live, on Tuesday", "decision_time")
    assert ax.get_title().endswith("Voting has run into Tuesday")
    assert {"Tuesday 16 May", "Wednesday 17 May", "50 of 50 dots on Tuesday or later"} <= set(words(ax))
    assert lay_days(fc, fc.plot.decision_time_data(), 2)[0].start // (24 * 60) == 1


# -- the page ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["eight", "live"])
def test_the_page_holds_the_answer_and_four_charts(name: str) -> None:
    fc = case(name)
    fig = picture(name, "dashboard").figure
    assert len(fig.axes) == 4
    assert plain(fc.answer()) in [plain(text) for text in words(fig)]
    titles = {plain(ax.get_title()) for ax in fig.axes}
    alone = {plain(picture(name, chart).get_title()) for chart in CHARTS if chart != "flows"}
    assert titles == alone
    [caption] = captions(fig)
    assert caption.text.endswith(fc.answer())


def test_the_page_says_as_of_when() -> None:
    assert heading(case("two")).endswith("as of Sunday 14 May 2023")
    assert heading(case("live")).endswith("after round 1 (98\N{EN DASH}67)")
    assert heading(hand()) == "toy"
    assert heading(case("live")) in words(picture("live", "dashboard").figure)


# -- all together ------------------------------------------------------------------------------------


def test_a_summary_is_enough() -> None:
    bare = replace(case("two"), outcomes=None)
    for chart in CHARTS:
        [caption] = captions(picture("two", chart).figure)
        assert bare.plot.alt(chart) == caption.text


def test_colours_are_those_of_the_scenario() -> None:
    race: Scenario = iom.load("geneva-2023")
    pink = race._with(candidates=[{**dict(race.candidates[0]), "colour": "#FF00AA"}, race.candidates[1]])
    fc = iom.forecast(pink, runs=100, seed=1, progress=False)
    assert to_hex(bars(fc.plot.win_probability(rules=False))[0].get_facecolor()) == "#ff00aa"
