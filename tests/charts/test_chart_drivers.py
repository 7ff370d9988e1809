"""The charts of drivers: what is drawn is what the result says, in a figure of its own and in a caller's."""

from __future__ import annotations

from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from chart_cases import words
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from PIL import Image
from toys import elect, toy

import iomsim as iom
from iomsim.charts.caption import captions
from iomsim.charts.drivers import draw_curve
from iomsim.charts.style import LATER_DAY
from iomsim.engine.first_round import first_round_votes
from iomsim.errors import IomsimError
from iomsim.forecasting.drivers import Drivers


@pytest.fixture(scope="module")
def geneva() -> iom.Forecast:
    return iom.forecast(iom.load("geneva-2023"), runs=10_000, seed=1, progress=False, assumptions=200)


@pytest.fixture(scope="module")
def tuesday(geneva: iom.Forecast) -> Drivers:
    return geneva.drivers("Tuesday")


@pytest.fixture(scope="module")
def page(tuesday: Drivers) -> Figure:
    fig = tuesday.plot.draw("drivers")
    fig.draw_without_rendering()
    return fig


def panels(fig: Figure) -> list[Axes]:
    return [ax for ax in fig.axes if ax.get_title(loc="left")]


def unbroken(text: str) -> str:
    return text.replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def test_a_panel_for_each_of_the_weightiest(tuesday: Drivers, page: Figure) -> None:
    table = tuesday.table()
    clear = table[table["clear"]]
    titles = [unbroken(ax.get_title(loc="left")) for ax in panels(page)]
    expected = [f"{row['name']} ({100 * row['share']:.0f} %)" for _, row in clear.head(6).iterrows()]
    assert titles == expected
    assert 1 < len(titles) <= 6


def test_the_title_is_the_finding(tuesday: Drivers, page: Figure) -> None:
    [caption] = captions(page)
    assert caption.title == tuesday.finding()
    assert unbroken(page._suptitle.get_text()) == tuesday.finding()  # type: ignore[attr-defined]
    assert tuesday.forecast.stamp() in unbroken(page._supxlabel.get_text())  # type: ignore[attr-defined]
    assert "the rules" in caption.text


def test_the_curves_are_those_of_the_result(tuesday: Drivers, page: Figure) -> None:
    data = tuesday.plot.drivers_data()
    shown = list(data.index.unique("parameter"))
    for ax, path in zip(panels(page), shown, strict=True):
        curve = tuesday.curve(path)
        assert np.allclose(data.loc[path, ["chance", "low", "high"]], curve[["chance", "low", "high"]])
        headline = ax.lines[0]
        assert np.allclose(headline.get_ydata(), 100 * tuesday.forecast.spill().value)
        if path == "reading":
            [dots] = [c for c in ax.collections if isinstance(c, PathCollection)]
            assert np.allclose(dots.get_offsets()[:, 1], 100 * np.sort(curve["chance"]))
            weight = curve.sort_values("chance")["weight"].to_numpy()
            assert (np.argsort(dots.get_sizes()) == np.argsort(weight, kind="stable")).all()
        else:
            line = ax.lines[1]
            assert np.allclose(line.get_xydata(), np.column_stack([curve.index, 100 * curve["chance"]]))
            row = tuesday.table().loc[path]
            for marker, end in zip(ax.lines[2:4], ("low", "high"), strict=True):
                assert np.allclose(marker.get_xydata(), [[row[f"value_{end}"], 100 * row[f"at_{end}"]]])
            band = ax.collections[0].get_paths()[0].vertices
            assert np.isclose(band[:, 1].max(), 100 * curve["high"].max())


def test_the_rug_holds_the_draws(tuesday: Drivers, page: Figure) -> None:
    path = next(path for path in tuesday.plot.drivers_data().index.unique("parameter") if path != "reading")
    place = list(tuesday.plot.drivers_data().index.unique("parameter")).index(path)
    [rug] = panels(page)[place].lines[4:]  # as many runs follow each: they are one line
    ends = tuesday.curve(path).index[[0, -1]]
    inside = tuesday.assumptions[path].between(*ends)
    assert sorted(rug.get_xdata()[::3]) == pytest.approx(sorted(tuesday.assumptions[path][inside]))


def test_panels_share_their_axis_which_holds_everything(tuesday: Drivers, page: Figure) -> None:
    limits = {ax.get_ylim() for ax in panels(page)}
    assert len(limits) == 1
    low, high = limits.pop()
    data = tuesday.plot.drivers_data()
    assert low == 0
    assert 100 * data["high"].max() < high <= 103


def test_words_stay_inside_the_figure(page: Figure) -> None:
    box = page.get_window_extent()
    for ax in panels(page):
        low, high = ax.get_xlim()
        ticks = [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
        for text in [*ax.texts, ax.yaxis.label, *ticks]:
            own = text.get_window_extent()
            assert box.x0 - 1 <= own.x0 <= own.x1 <= box.x1 + 1, text.get_text()
    for text in (page._suptitle, page._supxlabel):  # type: ignore[attr-defined]
        assert text.get_window_extent().x1 <= box.x1


def test_names_of_readings_do_not_touch(page: Figure) -> None:
    [ax] = [ax for ax in panels(page) if ax.get_title(loc="left").startswith("the rules")]
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(one.x1 <= two.x0 for one, two in pairwise(boxes))


def test_colours_are_those_of_the_other_charts(geneva: iom.Forecast, page: Figure) -> None:
    hexes = {mpl.colors.to_hex(line.get_color()) for ax in panels(page) for line in ax.lines[1:2]}
    assert hexes == {LATER_DAY.lower()}
    ax = geneva.drivers("Pope").plot.draw("curve").axes[0]
    assert mpl.colors.to_hex(ax.lines[1].get_color()) == geneva.race.colours["Pope"].lower()


def test_numbers_on_a_curve_that_is_high_stand_under_it(geneva: iom.Forecast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = geneva.drivers("Pope")
    table = found.table().assign(at_low=0.99, at_high=0.5)
    monkeypatch.setattr(Drivers, "table", lambda _: table)
    path, ax = str(table.index[0]), Figure().add_subplot()
    draw_curve(ax, found, path, found.curve(path))
    sides = {text.get_text(): text.get_va() for text in ax.texts}
    assert (sides["99"], sides["50"]) == ("top", "bottom")


def test_fewer_panels_on_request(tuesday: Drivers) -> None:
    fig = tuesday.plot.draw("drivers", most=2)
    assert len(fig.axes) == 2
    assert len(tuesday.plot.drivers_data(most=2).index.unique("parameter")) == 2
    with pytest.raises(IomsimError, match="most must be a whole number of at least 1, got 0"):
        tuesday.plot.drivers(most=0)


def test_rounds_are_no_hundredths(geneva: iom.Forecast) -> None:
    found = geneva.drivers("rounds")
    fig = found.plot.draw("drivers")
    assert fig.axes[0].get_ylabel() == "number of rounds"
    mean = float(geneva.runs["rounds"].mean())
    assert np.allclose(fig.axes[0].lines[0].get_ydata(), mean)
    assert "in 100" not in fig._suptitle.get_text()  # type: ignore[attr-defined]


def test_one_curve_in_axes_of_the_callers(tuesday: Drivers) -> None:
    fig, (left, right) = plt.subplots(1, 2, layout="constrained", figsize=(9, 4))
    before = dict(mpl.rcParams)
    assert tuesday.plot.curve("round_minutes", ax=left) is left
    assert tuesday.plot.curve("rules", ax=right) is right
    assert dict(mpl.rcParams) == before
    assert len(fig.axes) == 2
    said = unbroken(left.get_title(loc="left") or left.get_title())
    row = tuesday.table().loc["clock.round_minutes"]
    assert said.startswith(f"Along minutes a round (50 to 90) Tuesday rises from {100 * row['at_low']:.0f} to ")
    assert " under " in unbroken(right.get_title())
    assert "Dots: readings of the rules" in " ".join(map(unbroken, words(right)))
    with pytest.raises(IomsimError, match="no parameter named 'round_minute'"):
        tuesday.plot.curve("round_minute")


def test_a_level_has_a_second_scale_in_votes(geneva: iom.Forecast) -> None:
    """The mean papers of the first round are shared out as the level says, on the best guesses."""
    found = geneva.drivers("Vitorino")
    ax = found.plot.draw("curve", parameter="level.Pope").axes[0]
    papers = first_round_votes(geneva.race.plan).sum()
    [*_, last] = [at for at, text in enumerate(words(ax)) if text == "votes"]
    told = words(ax)[last + 1 : last + 1 + len(ax.get_xticks())]
    assert len(told) >= 2
    assert told == [f"{(1 - level) * papers:.0f}" for level in ax.get_xticks()]
    assert (
        "Votes: Vitorino's mean in the first round" in found.plot.chart("curve", parameter="level.Pope").caption.reading
    )
    assert "Votes" not in found.plot.chart("curve", parameter="secrecy").caption.reading
    assert "Votes" not in found.plot.chart("curve", parameter="Washington").caption.reading  # the level is stated


@pytest.mark.slow
def test_a_page_in_a_figure_of_the_callers(tuesday: Drivers) -> None:
    outer = plt.figure(figsize=(14, 6), layout="constrained")
    left, _ = outer.subfigures(1, 2)
    assert tuesday.plot.drivers(fig=left, most=2, stamp=False) is left
    assert tuesday.forecast.stamp() not in unbroken(left._supxlabel.get_text())
    fig = plt.figure()
    assert tuesday.plot.drivers(fig=fig) is fig


def test_where_nothing_matters_the_page_says_so(tmp_path: object) -> None:
    sure = iom.forecast(elect("AAAAAAAAAAAB"), runs=2000, seed=1, assumptions=50, progress=False)
    fig = sure.drivers().plot.draw("drivers")
    assert unbroken(fig._suptitle.get_text()).startswith("No assumption moves A's chance: it is ")  # type: ignore[attr-defined]
    assert "No assumption stands out from noise." in words(fig)
    assert sure.drivers().plot.drivers_data().empty
    ax = sure.drivers().plot.draw("curve").axes[0]
    assert "does not move A's chance beyond noise" in unbroken(ax.get_title())


def test_long_names_are_cut() -> None:
    long = "Her Excellency Ambassador Wilhelmina Featherstonehaugh-Cholmondeley"
    candidates = [{"name": long, "appeal": {"value": 0, "low": -1, "high": 1}}, {"name": "B"}]
    found = iom.forecast(toy(15, candidates=candidates), runs=4000, seed=1, assumptions=100, progress=False).drivers()
    fig = found.plot.draw("drivers")
    fig.draw_without_rendering()
    ax = fig.axes[0]
    assert ax.get_ylabel() == "chance in 100"
    assert "'s appeal" in unbroken(ax.get_title(loc="left"))
    height = ax.yaxis.label.get_window_extent()
    assert 0 <= height.y0 <= height.y1 <= fig.bbox.height


@pytest.mark.slow
def test_a_file_knows_how_it_was_made(tuesday: Drivers, tmp_path: object) -> None:
    saved = tuesday.plot.save("drivers", f"{tmp_path}/drivers.png")
    with Image.open(saved) as picture:
        assert picture.info["Title"] == tuesday.finding()
        assert f'"seed": {tuesday.seed}' in picture.info["iomsim"]
    one, two = (tuesday.plot.save("drivers", f"{tmp_path}/{name}.svg").read_bytes() for name in ("one", "two"))
    assert one == two
