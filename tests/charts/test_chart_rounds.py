"""The chart of rounds."""

from __future__ import annotations

import numpy as np
import pytest
from chart_cases import bars, case, hand, line_of, picture, plain, spans, words
from matplotlib.axes import Axes

from iomsim.errors import IomsimError
from iomsim.forecasting.estimates import in_100


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


@pytest.mark.parametrize("name", ["two", "three", "strict", "live", "body"])
def test_the_days_of_the_rounds_are_the_spill(name: str) -> None:
    fc = case(name)
    legend = [text.get_text() for text in picture(name, "rounds").get_legend().get_texts()]
    spill, still = fc.spill().value, fc.chances()["probability"]["still voting"]
    assert legend[:2] == [
        f"{fc.opening_date:%A}: {in_100(1 - spill)} of 100",
        f"{fc.next_day:%A} or later: {in_100(spill - still)} of 100",
    ]
    nobody, still = fc.chances()["probability"][["nobody", "still voting"]]
    rest = [f"hatched: nobody: {in_100(nobody)} of 100"] * bool(nobody)
    rest += [f"still voting after 40 rounds: {in_100(still)} of 100"] * bool(still)
    assert legend[2:] == rest
    assert rest or name == "certain"


def test_ways_to_end_are_the_table_of_endings() -> None:
    fc = case("one two-way round")
    data = fc.plot.rounds_data(by="ending")
    table = fc.endings()["probability"].groupby("ending").sum()
    for ending in ("majority", "acclamation", "confirmed", "failed"):
        assert data[ending].sum() == pytest.approx(table[ending])
    assert "open" not in data
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
