"""The chart of who wins."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chart_cases import bars, case, picture, plain, words
from matplotlib.colors import to_hex

from iomsim.charts import win_probability
from iomsim.charts.style import NOBODY_GREY, STILL_GREY
from iomsim.forecasting.estimates import row_in_100
from iomsim.forecasting.wording import who


def _whiskers(container: Any) -> list[np.ndarray]:
    if not hasattr(container, "has_xerr"):
        return []
    return [segment for collection in container.lines[2] for segment in collection.get_segments()]


@pytest.mark.parametrize("name", ["two", "three", "eight", "live", "body", "nine tenths"])
def test_bars_are_the_table_of_winners(name: str) -> None:
    fc = case(name)
    table, ax = fc.plot.win_probability_data(), picture(name, "win_probability")
    whole = fc.chances()
    assert table[list(whole)].equals(whole.loc[table.index])
    assert [bar.get_width() for bar in bars(ax)] == pytest.approx(list(100 * table["probability"]))
    colours = fc.race.colours | {"nobody": NOBODY_GREY, "still voting": STILL_GREY}
    assert [to_hex(bar.get_facecolor()).upper() for bar in bars(ax)] == [colours[str(n)] for n in table.index]
    for bar, (p, low, high) in zip(bars(ax), table[list(whole)].to_numpy(), strict=True):
        assert f"{row_in_100(p, low, high)} in 100" in words(ax)
        assert bar.get_height() > 0
    whiskers = [segment for lines in ax.containers for bar in [lines] for segment in _whiskers(bar)]
    assert np.array(whiskers)[:, :, 0] == pytest.approx(100 * table[["low", "high"]].to_numpy())
    assert max(ax.get_xlim()) >= 100 * table["high"].max()


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
        assert line.get_markerfacecolor() == "white"
        assert name in words(ax)
    assert not [line for line in fc.plot.win_probability(rules=False).lines if line.get_marker() in "osD^v"]
    assert list(fc.plot.win_probability_data(rules=False)) == ["probability", "low", "high"]


@pytest.mark.parametrize("name", ["two", "three", "strict", "certain", "live", "one run", "body", "nine tenths"])
def test_the_title_of_winners_agrees_with_the_answer(name: str) -> None:
    fc = case(name)
    title = plain(fc.plot.draw("win_probability").axes[0].get_title())
    opening, _, told = who(fc).partition(":")
    assert opening in title
    nobody = re.search(r"nobody ((?:about )?\S+) in 100", told)
    still = re.search(r"; (.+?) in 100 are still voting(.*)\.", told)
    assert ("nobody wins" in title) == bool(nobody)
    assert ("still voting" in title) == bool(still)
    if nobody:
        assert f"nobody wins in {nobody[1]}" in title
    if still:
        assert re.search(rf"{still[1]}( of 100 elections)? are still voting{still[2]}", title)


def test_a_body_with_one_reading_has_no_marks() -> None:
    ax = picture("body", "win_probability")
    assert not [line for line in ax.lines if line.get_marker() in "osD^v"]
    assert not any("under each reading" in text for text in words(ax))
    assert "Hollow" not in " ".join(words(ax))
    assert case("body").plot.win_probability_data().columns.tolist() == ["probability", "low", "high"]


def test_intervals_say_no_more_than_they_know() -> None:
    assert any(re.fullmatch(r"\s*\d\.\d to \d\.\d", text) for text in words(picture("two", "win_probability")))
    few = picture("one run", "win_probability")
    assert any(re.fullmatch(r"\s*<1 to \d\d", text) for text in words(few))
    assert not any(re.search(r"\b(0|100) in 100", text) for text in words(picture("certain", "win_probability")))
    assert {"100 in 100", "0 in 100"} <= set(words(picture("over", "win_probability")))  # by rule: that is how it ended


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.30, 0.319, "30.0 to 31.9"), (0.30, 0.35, "30 to 35"), (0.0, 0.0004, "<0.1"), (1, 1, "")],
)
def test_a_decimal_is_written_where_an_interval_is_that_narrow(low: float, high: float, said: str) -> None:
    assert win_probability.span_of(pd.Series({"low": low, "high": high})) == said
