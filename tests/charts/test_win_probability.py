"""The chart of who wins."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from chart_cases import bars, case, collisions, picture, plain, ranges, words
from matplotlib.colors import to_hex
from toys import slow_but

from iomsim.charts import win_probability
from iomsim.charts.style import NOBODY_GREY
from iomsim.forecasting.estimates import row_in_100, span_in_100
from iomsim.forecasting.wording import are_level, in_a_sentence, level, standing, without_winner

CHANCE = ["probability", "low", "high", "mc_error"]


UNCERTAIN = ["two", "weighed", "three"]
FIXED = ["fixed", "one run", "certain", "eight", "body", "nine tenths"]  # the best guesses, or too few runs for a range


@pytest.mark.parametrize("name", slow_but([*UNCERTAIN, *FIXED, "live"], "three", "body", "live"))
def test_bars_are_the_table_of_winners(name: str) -> None:
    fc = case(name)
    table, ax = fc.plot.win_probability_data(), picture(name, "win_probability")
    whole = fc.chances()
    assert table[list(whole)].equals(whole.loc[table.index])
    assert [bar.get_width() for bar in bars(ax)] == pytest.approx(list(100 * table["probability"]))
    colours = fc.race.colours | {"nobody": NOBODY_GREY, "still voting": "#FFFFFF"}  # an outline
    assert [to_hex(bar.get_facecolor()).upper() for bar in bars(ax)] == [colours[str(n)] for n in table.index]
    for bar, p, error in zip(bars(ax), table["probability"], table["mc_error"], strict=True):
        assert f"{row_in_100(p, error)} in 100" in words(ax)
        assert bar.get_height() > 0
    assert max(ax.get_xlim()) >= 100 * table[["probability", "high"]].max(axis=None)


@pytest.mark.parametrize("name", UNCERTAIN)
def test_lines_are_the_range_over_the_assumptions(name: str) -> None:
    table, ax = case(name).plot.win_probability_data(), picture(name, "win_probability")
    unsure = np.flatnonzero(table["mc_error"])
    assert len(unsure) > 1
    ends = 100 * table[["low", "high"]].to_numpy()[unsure]
    assert ranges(ax) == pytest.approx(np.column_stack([unsure, ends]))
    [told] = [text for text in words(ax) if text.startswith("Bars: ")]
    assert "Thin lines: the middle 80 % over the assumptions." in plain(told).replace("\N{NO-BREAK SPACE}", " ")
    for (low, high), p in zip(ends / 100, table["probability"].iloc[unsure], strict=True):
        assert p < 0.01 or any(text.strip() == span_in_100(low, high) for text in words(ax))
    places = {text.xyann[0] for text in ax.texts if text.get_text().endswith(" in 100")}
    where = {text.xy[0] for text in ax.texts if text.get_text().endswith(" in 100")}
    assert len(places) == len(where) == 1  # not at the end of a line, whose value it would seem


@pytest.mark.parametrize("name", FIXED)
def test_simulation_error_is_told_and_never_drawn(name: str) -> None:
    fc, ax = case(name), picture(name, "win_probability")
    assert ranges(ax).size == 0
    assert not ax.containers or all(not hasattr(part, "has_xerr") for part in ax.containers)
    table = fc.chances()
    worst = 100 * table["mc_error"].max()
    reading = fc.plot.chart("win_probability").caption.reading
    start = "On the best guesses" if name == "fixed" else "Too few runs for the range over the assumptions"
    assert f"{start}; simulation error at most {worst:.1f} point" in reading
    assert "lines" not in reading
    assert not any(re.search(r"\d to \d", text) for text in words(ax))


def test_how_it_ended_has_neither() -> None:
    reading = case("over").plot.chart("win_probability").caption.reading
    assert "lines" not in reading
    assert "error" not in reading
    assert ranges(picture("over", "win_probability")).size == 0


def test_hollow_marks_are_the_rule_sets() -> None:
    fc = case("two")
    ax = picture("two", "win_probability")
    rows = fc.plot.win_probability_data().index.tolist()
    assert rows == ["Pope", "Vitorino", "nobody", "still voting"]  # other readings can end without a winner
    assert "0 in 100" in words(ax)  # these rules cannot
    marks = [line for line in ax.lines if line.get_marker() in "osD^v" and len(line.get_xdata()) == 4]
    sides = fc.rule_sets()
    assert len(marks) == len(sides) == len({line.get_marker() for line in marks})
    for line, (name, side) in zip(marks, sides.iterrows(), strict=True):
        assert line.get_xdata() == pytest.approx(100 * side[rows].to_numpy(dtype=float))
        assert line.get_markerfacecolor() == "#ffffff"
        assert name in words(ax)
    assert not [line for line in fc.plot.win_probability(rules=False).lines if line.get_marker() in "osD^v"]
    assert list(fc.plot.win_probability_data(rules=False)) == CHANCE


def test_weights_stand_beside_the_readings() -> None:
    fc, ax = case("weighed"), picture("weighed", "win_probability")
    key = [text.get_text() for text in ax.get_legend().get_texts()]
    assert key == [f"{name} ({100 * weight:.0f})" for name, weight in fc.rule_sets()["weight"].items()]
    assert "until-two-thirds (55)" in key
    assert "under each reading of the rules and its weight, of 100:" in words(ax)
    assert "under each reading of the rules:" in words(picture("two", "win_probability"))  # played beside it, unweighed


TITLED = ["two", "weighed", "fixed", "three", "strict", "certain", "live", "one run", "body", "nine tenths"]


@pytest.mark.parametrize("name", slow_but(TITLED, "two", "certain", "live", "one run", "nine tenths"))
def test_the_title_of_winners_agrees_with_the_answer(name: str) -> None:
    fc = case(name)
    title, table = plain(fc.plot.draw("win_probability").axes[0].get_title()), fc.chances()
    said = {str(who): in_a_sentence(*row) for who, *row in table[["probability", "mc_error"]].itertuples()}
    even = sorted(level(fc), key=fc.race.names.index)
    if without_winner(fc):
        assert title.startswith(without_winner(fc))
    elif even:
        assert are_level(even) in title
        assert are_level(even) in plain(fc.answer())
    else:
        assert f"{standing(fc)[0]} is ahead and wins in {said[standing(fc)[0]]} of 100 elections" in title
    told = {who: table["probability"][who] >= 0.005 for who in ("nobody", "still voting")}
    assert (f"nobody wins in {said['nobody']}" in title) == told["nobody"] == ("nobody" in title)
    unfinished = rf"{said['still voting']}( of 100 elections)? (is|are) still voting"
    assert bool(re.search(unfinished, title)) == told["still voting"]


def test_a_body_with_one_reading_has_no_marks() -> None:
    ax = picture("body", "win_probability")
    assert not [line for line in ax.lines if line.get_marker() in "osD^v"]
    assert not any("under each reading" in text for text in words(ax))
    assert "Hollow" not in " ".join(words(ax))
    assert case("body").plot.win_probability_data().columns.tolist() == CHANCE


def test_what_is_certain_and_what_is_not() -> None:
    assert not any(re.search(r"\b(0|100) in 100", text) for text in words(picture("certain", "win_probability")))
    assert {"100 in 100", "0 in 100"} <= set(words(picture("over", "win_probability")))  # by rule: that is how it ended


def test_half_is_a_line() -> None:
    [half] = [line for line in picture("two", "win_probability").lines if line.get_label() == "half"]
    assert list(half.get_xdata()) == [50, 50]
    assert 50 in picture("two", "win_probability").get_xticks()
    few = picture("eight", "win_probability")  # where nobody comes near it there is none
    assert max(few.get_xticks()) < 50
    assert not [line for line in few.lines if line.get_label() == "half"]


def test_a_range_by_rule_is_no_range() -> None:
    def span(*row: float) -> str:
        return win_probability.span_of(pd.Series(row, index=CHANCE))

    assert span(0.0, 0.0, 0.0, 0.0) == ""
    assert span(0.5, np.nan, np.nan, 0.01) == ""
    assert span(0.001, 0.0, 0.002, 0.001) == ""  # "<1 in 100  <1" says no more
    assert span(0.15, 0.1, 0.2, 0.01) == "10 to 20"


@pytest.mark.slow
def test_long_names_in_low_rows_take_one_line() -> None:
    fig, (ax, other) = plt.subplots(1, 2, figsize=(8, 4))
    case("eight").plot.win_probability(ax=ax)
    other.set_axis_off()
    fig.draw_without_rendering()
    assert collisions(fig) == []
    assert not any("\n" in label.get_text() for label in ax.get_yticklabels())


def test_no_line_of_a_style_goes_through_the_words() -> None:
    with plt.style.context("ggplot"):  # which draws a grid
        ax = case("two").plot.win_probability()
    assert not any(line.get_visible() for line in ax.get_ygridlines())
    assert all(line.get_visible() for line in ax.get_xgridlines())
