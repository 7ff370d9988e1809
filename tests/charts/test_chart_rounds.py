"""The chart of rounds."""

from __future__ import annotations

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pytest
from chart_cases import bars, case, hand, line_of, picture, plain, ranges, spans, words
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from toys import slow_but

from iomsim.charts.rounds import SIDE
from iomsim.charts.style import FIRST_DAY, LATER_DAY
from iomsim.errors import IomsimError
from iomsim.forecasting.estimates import in_100, table
from iomsim.forecasting.wording import rounds_in_words


def heights(ax: Axes) -> np.ndarray:
    """Return the heights of all bars by place."""
    out: dict[float, float] = {}
    for bar in bars(ax):
        if bar.get_width() == pytest.approx(0.8):
            x = round(bar.get_x() + 0.4, 6)
            out[x] = out.get(x, 0.0) + bar.get_height()
    return np.array([out[x] for x in sorted(out)])


@pytest.mark.parametrize("by", ["day", "ending"])
@pytest.mark.parametrize("name", slow_but(["two", "three", "one two-way round", "live"], "three", "live"))
def test_bars_are_the_table_of_rounds(name: str, by: str) -> None:
    fc = case(name)
    data, rounds, ax = fc.plot.rounds_data(by=by), fc.rounds(), fc.plot.rounds(by=by)
    ends = (rounds["probability"] + rounds["ended_without_winner"]).to_numpy()
    pooled = np.append(ends[:11], ends[11:].sum()) if len(ends) > 12 else ends
    assert data["ends"].to_numpy() == pytest.approx(pooled)
    assert heights(ax) == pytest.approx(100 * pooled)
    assert data["ends"].sum() == pytest.approx(1)
    parts = data.iloc[:, : list(data).index("ends")]
    assert parts.sum(axis=1).to_numpy() == pytest.approx(pooled)
    assert [t.get_text() for t in ax.get_xticklabels()] == list(data.index)
    assert all(in_100(p) in words(ax) for p in pooled if p)


@pytest.mark.parametrize("name", ["two", "weighed", "three"])
def test_lines_are_the_range_over_the_assumptions(name: str) -> None:
    fc = case(name)
    data, ax = fc.plot.rounds_data(most=4), fc.plot.rounds(most=4)
    draws, bar = fc.runs["draw"].to_numpy(), np.clip(fc.runs["rounds"], 1, 4).to_numpy()
    counts = np.array([np.bincount(draws[bar == r], minlength=400) for r in range(1, 5)])
    whole = table(counts, np.bincount(draws, minlength=400), data.index)
    assert data[["ends", "low", "high", "mc_error"]].to_numpy() == pytest.approx(whole.to_numpy())
    seen = (data["low"] < data["high"]).to_numpy()
    assert ranges(ax) == pytest.approx(np.column_stack([ax.get_xticks() + SIDE, 100 * data[["low", "high"]]])[seen])
    assert seen.any()
    assert ax.get_ylim()[1] > 100 * data["high"].max()
    assert "Thin lines: the middle" in fc.plot.chart("rounds").caption.reading
    beside = [text for text in ax.texts if text.get_ha() == "right" and text.get_text() in map(in_100, data["ends"])]
    heights = [float(text.xy[1]) for text in beside]  # at their bars, not at the ends of the lines
    assert heights == pytest.approx(list(100 * data["ends"][seen]))


def test_lines_never_go_through_numbers() -> None:
    for ax in (picture("weighed", "rounds"), case("two").plot.rounds(ax=plt.figure(figsize=(8, 4)).subplots(1, 2)[0])):
        ax.figure.draw_without_rendering()
        lines = [ax.transData.transform([(x, low), (x, high)]) for x, low, high in ranges(ax)]
        assert lines
        numbers = [text.get_window_extent() for text in ax.texts if text.get_text().strip("<>").isdigit()]
        crossed = [
            box
            for (x, y0), (_, y1) in lines
            for box in numbers
            if box.x0 < x < box.x1 and y0 < box.y1 < y1 + box.height
        ]
        assert crossed == []


def test_on_tuesday_the_days_are_tuesday_and_wednesday() -> None:
    fc = case("live, on Tuesday")
    data = fc.plot.rounds_data()
    assert list(data.columns[[0, 2]]) == ["Tuesday", "Wednesday or later"]
    later = fc.share(fc.runs_into(date(2023, 5, 17))).value - fc.chances()["probability"]["still voting"]
    assert data.iloc[:, 2:4].sum().sum() == pytest.approx(later)
    colours = {to_hex(bar.get_facecolor()).upper() for bar in bars(picture("live, on Tuesday", "rounds"))}
    assert LATER_DAY in colours  # Tuesday keeps its colour
    assert FIRST_DAY not in colours


def test_without_a_range_the_error_is_told() -> None:
    for name, why in (("fixed", "On the best guesses"), ("one run", "Too few runs for the range")):
        assert ranges(picture(name, "rounds")).size == 0
        reading = case(name).plot.chart("rounds").caption.reading
        worst = 100 * case(name).plot.rounds_data()["mc_error"].max()
        assert why in reading
        assert f"simulation error at most {worst:.1f} points" in reading
    over = case("over").plot.rounds_data()
    assert (over["mc_error"] == 0).all()
    assert "error" not in case("over").plot.chart("rounds").caption.reading


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


@pytest.mark.parametrize("name", ["two", "three", "strict", "live", "body"])
def test_the_days_of_the_rounds_are_the_spill(name: str) -> None:
    fc = case(name)
    legend = [text.get_text() for text in picture(name, "rounds").get_legend().get_texts()]
    spill, still = fc.spill().value, fc.chances()["probability"]["still voting"]
    assert legend[:2] == [
        f"over on {fc.opening_date:%A}: {in_100(1 - spill)} of 100",
        f"over on {fc.next_day:%A} or later: {in_100(spill - still)} of 100",
    ]
    nobody, still = fc.chances()["probability"][["nobody", "still voting"]]
    rest = [f"hatched: nobody: {in_100(nobody)} of 100"] * bool(nobody)
    rest += [f"still voting after 40 rounds: {in_100(still)} of 100"] * bool(still)
    assert legend[2:] == rest
    assert rest or name == "certain"


def test_ways_to_end_are_the_table_of_endings() -> None:
    fc = case("one two-way round")
    data = fc.plot.rounds_data(by="ending")
    endings = fc.endings()["probability"].groupby("ending").sum()
    for ending in ("majority", "acclamation", "confirmed", "failed"):
        assert data[ending].sum() == pytest.approx(endings[ending])
    assert "open" not in data
    with pytest.raises(IomsimError, match="split by 'day' or 'ending', got 'hour'"):
        fc.plot.rounds(by="hour")


def test_the_title_of_rounds_is_the_median() -> None:
    fc = case("two")
    middle, low, high = fc.median_rounds()
    title = plain(picture("two", "rounds").get_title()).replace("\N{NO-BREAK SPACE}", " ")
    assert title == rounds_in_words(fc)
    assert f"{middle} rounds in the median" in title
    assert f"{low} to {high}" in title


def test_four_elections_by_round() -> None:
    data = hand().plot.rounds_data()
    assert data["Monday"].tolist() == [0.25, 0.25, 0]
    assert data["Tuesday or later"].tolist() == [0, 0.25, 0]
    assert data["Tuesday or later, nobody"].tolist() == [0, 0, 0]
    assert data["Monday, nobody"].tolist() == [0, 0, 0]
    assert data["still voting"].tolist() == [0, 0, 0.25]
    assert data["undecided"].tolist() == [0.75, 0.25, 0]
    ends = hand().plot.rounds_data(by="ending")
    assert ends[["majority", "acclamation", "open"]].to_numpy().tolist() == [
        [0.25, 0, 0],
        [0.25, 0.25, 0],
        [0, 0, 0.25],
    ]


def test_held_rounds_are_shaded_and_certain() -> None:
    ax = picture("live, two rounds", "rounds")
    assert (0.5, 2.5, 0, 1) in spans(ax)
    left = case("live, two rounds").rounds()["undecided"]
    assert 0.5 < left[2] < 0.995  # a concession may come
    assert line_of(ax, "still undecided")[:3] == ["all", *map(in_100, left[[2, 3]])]


@pytest.mark.slow
@pytest.mark.parametrize("chart", ["rounds", "flows"])
def test_six_more_rows_of_announced_votes_make_a_chart_higher(chart: str) -> None:
    crowded, plain_ = (case(name).plot.chart(chart).natural()[1] for name in ("eight, live", "live"))
    assert crowded - plain_ == pytest.approx(6 * 13 / 72)
