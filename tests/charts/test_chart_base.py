"""How charts are drawn, captioned and stamped, whatever they show."""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from chart_cases import ON_AXES, bars, beside, case, picture, pivotal, plane, sobol, tornado, words_of
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from toys import slow_but

import iomsim as iom
from iomsim.charts import STYLE
from iomsim.charts.canvas import steady
from iomsim.charts.caption import captions
from iomsim.charts.labels import key
from iomsim.charts.style import contrast, dark, ink, mark, on_a_phone, paper, quiet, styled
from iomsim.errors import IomsimError, UnknownNameError
from iomsim.model.description import PALETTE
from iomsim.model.scenario import Scenario

RESULTS: dict[str, Any] = {
    "tornado": lambda: tornado(behaviour__fluid={0.1: -0.2, 0.9: 0.1}),
    "sobol": lambda: sobol(behaviour__fluid=(0.4, 0.3, 0.5, 0.6, 0.5, 0.7, True)),
    "pivotal": lambda: pivotal(4),
    "scenarios": beside,
    "pressure_grid": plane,
}


@pytest.mark.slow
def test_a_summary_is_enough() -> None:
    bare = replace(case("two"), outcomes=None)
    for chart in ON_AXES:
        [caption] = captions(picture("two", chart).figure)
        assert bare.plot.alt(chart) == caption.text


def test_colours_are_those_of_the_scenario() -> None:
    race: Scenario = iom.load("geneva-2023")
    pink = race._with(candidates=[race.candidates[0].model_copy(update={"colour": "#FF00AA"}), race.candidates[1]])
    fc = iom.forecast(pink, runs=100, seed=1, progress=False)
    assert to_hex(bars(fc.plot.win_probability(rules=False))[0].get_facecolor()) == "#ff00aa"


def test_these_are_the_charts(fc: iom.Forecast) -> None:
    assert fc.plot.names() == [
        "dashboard",
        "decision_time",
        "flows",
        "leanings",
        "rounds",
        "trajectories",
        "win_probability",
    ]


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_page_is_a_figure(fc: iom.Forecast) -> None:
    fig = fc.plot.dashboard()
    assert plt.get_fignums() == [fig.number]
    assert isinstance(fig, Figure)


LOUD = {"font.size": 20, "axes.spines.left": False, "axes.facecolor": "pink", "text.color": "navy", "axes.grid": True}


@pytest.mark.parametrize("name", slow_but(["decision_time", "win_probability"], "decision_time"))
def test_global_settings_are_left_alone_and_a_theme_does_not_depend_on_them(fc: iom.Forecast, name: str) -> None:
    light = fc.plot.svg(name, theme="light")
    assert fc.plot.svg(name) == light
    with mpl.rc_context(LOUD):
        before = dict(mpl.rcParams)
        assert fc.plot.svg(name, theme="light") == light
        assert dict(mpl.rcParams) == before


def test_what_the_user_has_set_goes_over_the_house_style(fc: iom.Forecast) -> None:
    plain = fc.plot.rounds()
    with mpl.rc_context(LOUD):
        loud = fc.plot.rounds()
    sizes = [{text.get_fontsize() for text in ax.get_xticklabels()} for ax in (plain, loud)]
    assert sizes == [{9}, {20}]
    assert (to_hex(loud.get_facecolor()), loud.title.get_color()) == (to_hex("pink"), "navy")
    assert loud.title.get_fontsize() == pytest.approx(11 * 20 / 9)  # in proportion
    assert loud.figure.get_figwidth() == pytest.approx(plain.figure.get_figwidth() * 20 / 9)
    assert not loud.spines["left"].get_visible()
    with mpl.rc_context({"figure.figsize": (10, 3)}):
        assert fc.plot.rounds().figure.get_size_inches().tolist() == [10, 3]
    with mpl.rc_context({"figure.figsize": (4.5, 3)}), styled():
        assert plane().plot.chart("pressure_grid").inches() == (9.6, 5.1)  # its panels stand beside one another


def test_given_axes_get_the_look(fc: iom.Forecast) -> None:
    mine, own = plt.figure().add_subplot(), fc.plot.trajectories()
    fc.plot.trajectories(ax=mine)
    for ax in (mine, own):
        shown = [ax.spines[side].get_visible() for side in ("left", "bottom", "top", "right")]
        assert shown == [True, True, False, False]
        assert {line.get_color() for line in ax.get_ygridlines()} == {"#e4e4e4"}
        assert {text.get_fontsize() for text in ax.get_xticklabels()} == {9}


@pytest.mark.parametrize(
    ("style", "page", "stays"),
    [
        ("dark_background", "black", "#000000"),
        ("dark_background", "#fff8ee", "#fff8ee"),  # a light page of its own, in a dark style
        ("default", "#102030", "#102030"),  # and the other way round
        pytest.param("default", "none", "#000000", marks=pytest.mark.slow),
    ],
)
def test_words_can_be_read_on_the_page_that_is_there(fc: iom.Forecast, style: str, page: str, stays: str) -> None:
    with plt.style.context(style):
        fig, ax = plt.subplots(facecolor=page)
        fc.plot.rounds(ax=ax)
    assert to_hex(fig.get_facecolor()) == stays
    around = "white" if page == "none" else page
    written = [text for text in fig.findobj(Text) if text.get_text().strip()]
    assert len(written) > 10
    assert all(contrast(text.get_color(), around) >= 4.4 for text in written)


@pytest.mark.parametrize("theme", ["light", "dark", "print", "phone"])
def test_a_theme_is_a_look_of_its_own(fc: iom.Forecast, theme: str) -> None:
    with plt.style.context("dark_background"):
        ax = fc.plot.rounds(theme=theme)
    page = to_hex(ax.figure.get_facecolor())
    assert (page == "#ffffff") == (theme != "dark")
    assert contrast(ax.title.get_color(), page) > 10
    assert (ax.figure.get_figwidth() == pytest.approx(390 / 96)) == (theme == "phone")


def test_there_is_no_other_theme(fc: iom.Forecast) -> None:
    with pytest.raises(UnknownNameError, match="no theme named 'drak'; did you mean 'dark'"):
        fc.plot.rounds(theme="drak")
    with pytest.raises(IomsimError, match="theme must be one of light, dark, print, phone; got a int"):
        fc.plot.rounds(theme=3)


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
    colours = [*PALETTE, "#999999", "#BBBBBB", "#882255", "#FFFF00"]
    for theme, page in (("light", "#ffffff"), ("dark", "#16181c")):
        with styled(theme):
            assert paper() == page
            assert all(contrast(ink(colour), page) >= 4.5 for colour in [*colours, quiet(), dark()])
            assert all(contrast(mark(colour), page) >= 3 for colour in colours if theme == "dark")
    assert contrast("#D55E00") < 4.5


def test_no_two_candidates_look_alike_to_anybody() -> None:
    """Distances in OKLab (Ottosson 2020) as seen without the red, green or blue cones (Machado et al. 2009)."""
    seen_without = {
        "none": np.eye(3),
        "red": np.array([[0.15229, 1.05258, -0.20487], [0.1145, 0.78628, 0.09922], [-0.00388, -0.04812, 1.052]]),
        "green": np.array([[0.36732, 0.86065, -0.22797], [0.28009, 0.6725, 0.04741], [-0.01182, 0.04294, 0.96888]]),
        "blue": np.array([[1.25553, -0.07675, -0.17878], [-0.07841, 0.93081, 0.1476], [0.00473, 0.69137, 0.3039]]),
    }
    cones = np.array([[0.41222, 0.53633, 0.05145], [0.2119, 0.6807, 0.1074], [0.0883, 0.28172, 0.62998]])
    axes = np.array([[0.21045, 0.79362, -0.00407], [1.978, -2.42859, 0.45059], [0.0259, 0.78277, -0.80868]])
    colours = np.array([to_rgb(colour) for colour in PALETTE])
    light = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    nearest = {}
    for cone, matrix in seen_without.items():
        lab = np.cbrt(np.clip(light @ matrix.T, 0, 1) @ cones.T) @ axes.T
        apart = np.linalg.norm(lab[:, None] - lab, axis=-1) + np.eye(len(lab))
        nearest[cone] = (apart.min(), apart[:8, :8].min())
    assert len(set(PALETTE)) == 16
    least = min(of_eight for _, of_eight in nearest.values())
    assert all(of_all >= least for of_all, _ in nearest.values())
    assert least > 0.07
    assert nearest["none"][0] > 0.11


def test_a_key_shows_every_word_also_one_that_matplotlib_would_hide() -> None:
    ax = Figure(figsize=(7, 3)).add_subplot()
    with styled("light"):
        height = key(ax, [ax.plot([0, 1])[0] for _ in range(2)], ["_hidden", "shown"], inks=["#0072B2", "#C25400"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["_hidden", "shown"]
    assert [text.get_color() for text in ax.get_legend().get_texts()] == ["#0072B2", "#C25400"]
    assert height == 13
    with styled("light"):
        assert key(ax, ax.lines[:], ["x" * 70, "y" * 70]) == 26


def test_every_chart_has_its_numbers(fc: iom.Forecast) -> None:
    assert all(hasattr(fc.plot, f"{name}_data") for name in ON_AXES)


def test_help_is_the_functions_own_without_the_forecast(fc: iom.Forecast) -> None:
    assert "Parameters" in fc.plot.rounds.__doc__
    assert list(signature(fc.plot.rounds).parameters) == ["ax", "by", "most", "stamp", "theme"]
    assert repr(fc.plot).startswith("charts: dashboard, decision_time")


@pytest.mark.parametrize("do", ["draw", "svg", "alt"])
def test_an_unknown_chart_is_refused(fc: iom.Forecast, do: str) -> None:
    with pytest.raises(UnknownNameError, match=r"no chart named 'round'; did you mean 'rounds'\?"):
        getattr(fc.plot, do)("round")
    with pytest.raises(AttributeError, match=r"no chart named 'flow'; did you mean 'flows'\?"):
        _ = fc.plot.flow


@pytest.mark.parametrize("name", slow_but(RESULTS, "tornado", "sobol"))
def test_charts_have_manners(name: str, tmp_path: Path) -> None:
    """They leave settings and figures alone, draw where they are told, and know how they were made."""
    found = RESULTS[name]()
    before, figures = dict(mpl.rcParams), plt.get_fignums()
    fig = Figure()
    drawn = getattr(found.plot, name)(ax=fig)
    assert (drawn.figure if isinstance(drawn, Axes) else drawn) is fig
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == figures
    assert found.stamp() in " ".join([*(w for ax in fig.axes for w in words_of(ax)), fig.get_supxlabel()])
    assert name in found.plot.names()
    assert len(found.plot.alt(name)) > 40
    one, other = (found.plot.save(name, tmp_path / f"{i}.svg").read_bytes() for i in (1, 2))
    assert one == other
    assert found.race.hash.encode() in one


@pytest.mark.parametrize("name", [name for name in RESULTS if name != "pressure_grid"])
def test_charts_draw_into_given_axes_without_a_stamp(name: str) -> None:
    found = RESULTS[name]()
    _, (mine, other) = plt.subplots(1, 2)
    assert getattr(found.plot, name)(ax=other, stamp=False) is other
    assert not mine.has_data()
    assert found.stamp() not in words_of(other)


@pytest.mark.parametrize("words", ["#222222", "#eeeeee"])
def test_words_on_a_page_that_shows_through_stay_as_they_are(words: str) -> None:
    with mpl.rc_context({"figure.facecolor": "none", "axes.facecolor": "none", "text.color": words}), styled():
        assert dark() == words


def test_a_chart_inside_a_page_for_phones_is_one_for_phones() -> None:
    with styled("phone"):
        with styled():
            assert on_a_phone()
        with styled("light"):
            assert not on_a_phone()
    assert not on_a_phone()


def test_ticks_do_not_hang_on_the_size() -> None:
    small, large = (plt.figure(figsize=size).add_subplot() for size in ((1.2, 1.2), (12, 12)))
    for ax in (small, large):
        steady(ax)
        ax.set(xlim=(0, 97), ylim=(0, 1))
    assert small.get_xticks().tolist() == large.get_xticks().tolist()
    assert small.get_yticks().tolist() == large.get_yticks().tolist()
