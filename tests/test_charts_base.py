"""How charts are drawn, captioned, stamped and saved, whatever they show."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from inspect import signature
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from toys import toy

import iomsim as iom
from iomsim.charts import STYLE, Plots, save
from iomsim.charts.base import key
from iomsim.charts.style import contrast, ink
from iomsim.charts.text import short
from iomsim.errors import IomsimError, UnknownNameError
from iomsim.model.scenario import PALETTE

SVG = "{http://www.w3.org/2000/svg}"
ON_AXES = [name for name in Plots.names() if name != "dashboard"]


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    """A quick forecast: thirty members, two candidates."""
    return iom.forecast(
        toy(30, behaviour={"common_sd": 0.6}, rules="until-two-thirds"), runs=400, seed=3, progress=False
    )


@pytest.fixture(autouse=True)
def _tidy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody shows a figure, and none is left behind by one test for the next."""
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a chart was shown"))
    plt.close("all")


# -- where it is drawn -------------------------------------------------------------------------------


def test_these_are_the_charts() -> None:
    assert Plots.names() == ["dashboard", "decision_time", "flows", "rounds", "trajectories", "win_probability"]


@pytest.mark.parametrize("name", ON_AXES)
def test_without_axes_a_chart_gets_a_new_figure(fc: iom.Forecast, name: str) -> None:
    mine = plt.figure().add_subplot()
    ax = getattr(fc.plot, name)()
    assert isinstance(ax, Axes)
    assert ax.figure is not mine.figure
    assert len(plt.get_fignums()) == 2
    assert not mine.has_data()
    assert not mine.texts
    assert mine.get_title() == ""


@pytest.mark.parametrize("name", ON_AXES)
def test_given_axes_are_drawn_in(fc: iom.Forecast, name: str) -> None:
    fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
    assert getattr(fc.plot, name)(ax=right) is right
    assert plt.get_fignums() == [fig.number]
    assert tuple(fig.get_size_inches()) == (12, 4)
    assert right.get_title()
    assert not left.get_title()
    assert not left.texts


@pytest.mark.parametrize("name", ON_AXES)
def test_an_empty_figure_will_do_as_well(fc: iom.Forecast, name: str) -> None:
    fig = Figure(figsize=(12, 5))
    left, right = fig.subfigures(1, 2)
    ax = getattr(fc.plot, name)(ax=left)
    assert ax.figure is left
    assert not right.axes
    assert plt.get_fignums() == []


def test_something_else_is_refused(fc: iom.Forecast) -> None:
    with pytest.raises(IomsimError, match="ax must be matplotlib Axes or an empty Figure, got list"):
        fc.plot.rounds(ax=[1, 2])


def test_the_page_is_a_figure(fc: iom.Forecast) -> None:
    fig = fc.plot.dashboard()
    assert plt.get_fignums() == [fig.number]
    assert isinstance(fig, Figure)


# -- style -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["decision_time", "win_probability"])
def test_global_settings_are_left_alone_and_do_not_matter(fc: iom.Forecast, name: str) -> None:
    plain = fc.plot.svg(name)
    loud = {"font.size": 30, "axes.spines.top": True, "axes.facecolor": "pink", "axes.titlelocation": "right"}
    with mpl.rc_context(loud):
        before = dict(mpl.rcParams)
        assert fc.plot.svg(name) == plain
        assert dict(mpl.rcParams) == before


def test_given_axes_get_the_look(fc: iom.Forecast) -> None:
    mine, own = plt.figure().add_subplot(), fc.plot.trajectories()
    fc.plot.trajectories(ax=mine)
    for ax in (mine, own):
        assert [ax.spines[side].get_visible() for side in ("left", "bottom", "top", "right")] == [
            True,
            True,
            False,
            False,
        ]
        assert {line.get_color() for line in ax.get_ygridlines()} == {"#E6E6E6"}
        assert {text.get_fontsize() for text in ax.get_xticklabels()} == {9}


def test_the_style_is_ready_for_charts_of_your_own() -> None:
    with mpl.rc_context():
        plt.style.use(STYLE)
        assert mpl.rcParams["axes.spines.top"] is False


def test_other_words_replace_the_title_and_stay_at_the_left(fc: iom.Forecast) -> None:
    ax = fc.plot.rounds()
    left = ax.title.get_window_extent().x0
    ax.set_title("2023, as sponsored")
    assert ax.get_title() == "2023, as sponsored"
    assert ax.get_title(loc="left") == ""
    assert ax.title.get_window_extent().x0 == pytest.approx(left, abs=1)
    assert ax.title.get_window_extent().x0 == pytest.approx(ax.get_window_extent().x0, abs=2)


def test_colours_of_text_are_dark_enough_to_read() -> None:
    assert all(contrast(ink(colour)) >= 4.5 for colour in [*PALETTE, "#999999", "#BBBBBB", "#882255", "#FFFF00"])
    assert (ink("#0072B2"), ink("#D55E00"), ink("#999999")) == ("#0072B2", "#C25400", "#767676")
    assert contrast("#D55E00") < 4.5


def test_a_key_shows_every_word_also_one_that_matplotlib_would_hide() -> None:
    ax = Figure(figsize=(7, 3)).add_subplot()
    height = key(ax, [ax.plot([0, 1])[0] for _ in range(2)], ["_hidden", "shown"], inks=["#0072B2", "#C25400"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["_hidden", "shown"]
    assert [text.get_color() for text in ax.get_legend().get_texts()] == ["#0072B2", "#C25400"]
    assert height == 13
    assert key(ax, ax.lines[:], ["x" * 70, "y" * 70]) == 26


@pytest.mark.parametrize("width", [8, 18, 28])
@pytest.mark.parametrize("name", ["Bo", "Maria do Carmo de Albuquerque e Castro", "L" * 60, "an 18-letters name"])
def test_short_names_are_short(name: str, width: int) -> None:
    assert 0 < len(short(name, width)) <= width
    assert short(name, width) == name or "…" in short(name, width)
    assert all(len(line) <= width for line in short(name, width, lines=2).splitlines())
    assert len(short(name, width, lines=2).splitlines()) <= 2


# -- the accessor ------------------------------------------------------------------------------------


def test_every_chart_has_its_numbers() -> None:
    assert all(hasattr(Plots, f"{name}_data") for name in ON_AXES)


def test_help_is_the_functions_own_without_the_forecast(fc: iom.Forecast) -> None:
    assert "Parameters" in fc.plot.rounds.__doc__
    assert list(signature(fc.plot.rounds).parameters) == ["ax", "by", "most", "stamp"]
    assert repr(fc.plot).startswith("charts: dashboard, decision_time")


@pytest.mark.parametrize("do", ["draw", "svg", "alt"])
def test_an_unknown_chart_is_refused(fc: iom.Forecast, do: str) -> None:
    with pytest.raises(UnknownNameError, match=r"no chart named 'round'; did you mean 'rounds'\?"):
        getattr(fc.plot, do)("round")


# -- captions and files ------------------------------------------------------------------------------


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", ON_AXES)
def test_the_stamp_is_under_the_chart_unless_unwanted(fc: iom.Forecast, name: str) -> None:
    ax = getattr(fc.plot, name)()
    assert words(ax).count(fc.stamp()) == 1
    stamp = next(text for text in ax.texts if text.get_text() == fc.stamp())
    others = [text.get_window_extent().y0 for text in ax.texts if text is not stamp and text.get_text().strip()]
    assert stamp.get_window_extent().y1 <= min(others) + 1
    assert fc.stamp() not in words(getattr(fc.plot, name)(stamp=False))


def test_the_stamp_is_on_the_page_once(fc: iom.Forecast) -> None:
    fig = fc.plot.draw("dashboard")
    assert fig._supxlabel.get_text() == fc.stamp()
    assert not any(fc.stamp() in words(ax) for ax in fig.axes)


@pytest.mark.parametrize("name", ["dashboard", "flows"])
def test_a_png_knows_how_it_was_made(fc: iom.Forecast, name: str, tmp_path: Path) -> None:
    path = fc.plot.save(name, tmp_path / "chart.png")
    assert plt.get_fignums() == []  # nor is a figure left behind
    with Image.open(path) as image:
        assert json.loads(image.text["iomsim"]) == fc.provenance
        assert image.text["Title"]
        assert fc.answer() in image.text["Description"] or name == "flows"


@pytest.mark.parametrize("name", ["rounds", "trajectories"])
def test_an_svg_is_the_same_twice_and_speaks(fc: iom.Forecast, name: str, tmp_path: Path) -> None:
    once, twice = (fc.plot.save(name, tmp_path / f"{i}.svg").read_bytes() for i in range(2))
    assert once == twice
    tree = ElementTree.fromstring(once)
    assert tree.findtext(f"{SVG}desc") == fc.plot.alt(name) == tree.get("aria-label")
    assert tree.findtext(f"{SVG}title")
    source = tree.find(".//{http://purl.org/dc/elements/1.1/}source")
    assert json.loads(source.text) == fc.provenance
    assert tree.find(".//{http://purl.org/dc/elements/1.1/}date") is None


def test_a_pdf_knows_how_it_was_made(fc: iom.Forecast, tmp_path: Path) -> None:
    data = fc.plot.save("win_probability", tmp_path / "chart.PDF", rules=False).read_bytes()
    assert f'"scenario": "{fc.race.hash}"'.encode() in data
    assert b"/CreationDate" not in data


def test_what_was_drawn_can_be_saved_later(fc: iom.Forecast, tmp_path: Path) -> None:
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4), layout="constrained")
    fc.plot.rounds(ax=left)
    fc.plot.win_probability(ax=right, rules=False)
    with Image.open(save(fig, tmp_path / "both.png")) as image:
        assert json.loads(image.text["iomsim"]) == fc.provenance
        assert left.get_title().replace("\n", " ") in image.text["Title"].replace("\n", " ")
    with Image.open(save(right, tmp_path / "same.png")) as image:
        assert image.text["Title"].count(";") >= 1


def test_charts_of_different_forecasts_keep_both_provenances(fc: iom.Forecast, tmp_path: Path) -> None:
    other = iom.forecast(fc.race, runs=50, seed=4, progress=False)
    fig, axes = plt.subplots(1, 2, figsize=(14, 4))
    for forecast, ax in zip((fc, other), axes, strict=True):
        forecast.plot.rounds(ax=ax)
    with Image.open(save(fig, tmp_path / "both.png")) as image:
        assert json.loads(image.text["iomsim"]) == [fc.provenance, other.provenance]


def test_other_kinds_of_files_are_refused(fc: iom.Forecast, tmp_path: Path) -> None:
    with pytest.raises(IomsimError, match=re.escape("a chart can be saved as png, svg, pdf; got 'chart.gif'")):
        fc.plot.save("rounds", tmp_path / "chart.gif")
    assert list(tmp_path.iterdir()) == []


def test_an_svg_for_a_page_has_the_width_asked_for(fc: iom.Forecast) -> None:
    text = fc.plot.svg("rounds", width=420)
    assert text.startswith("<svg")
    tree = ElementTree.fromstring(text)
    assert tree.get("width") == "420px"
    assert tree.get("height") is None
    assert tree.get("viewBox")
    assert "max-width: 100%" in tree.get("style")
    assert ElementTree.fromstring(fc.plot.svg("rounds")).get("height")


def test_names_cannot_break_the_page() -> None:
    names = ("<b>$x$ & Co", '"A" --> B')
    race = iom.load("minimal").with_rules("strict")
    data = {**dict(race), "candidates": [{"name": name} for name in names], "sponsors": []}
    odd = iom.forecast(type(race).model_validate(data), runs=50, seed=1, progress=False)
    for name in ("win_probability", "decision_time"):
        tree = ElementTree.fromstring(odd.plot.svg(name))
        assert tree.findtext(f"{SVG}desc") == odd.plot.alt(name)
    labels = [label.get_text() for label in odd.plot.win_probability(rules=False).get_yticklabels()]
    assert labels[0].replace("\n", " ") == names[0]


def test_matplotlib_is_loaded_late_and_pyplot_later() -> None:
    program = (
        "import sys, iomsim\n"
        "assert 'matplotlib' not in sys.modules\n"
        "fc = iomsim.forecast(iomsim.load('minimal'), runs=20, seed=1, progress=False)\n"
        "fc.plot.rounds_data(), fc.plot.svg('rounds')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
