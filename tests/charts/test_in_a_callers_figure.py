"""Every chart in a figure that somebody else made, and in every look: no words are cut off or run into others.

Add a chart to the registry, and it is tested here.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import pytest
from chart_cases import ON_AXES, all_charts, case, collisions, faint_words, plots, ticks
from matplotlib.figure import Figure
from matplotlib.text import Text
from toys import slow_but

CHARTS, PAGES = all_charts(pages=False), all_charts(pages=True)

PAIRS = [*pairwise(CHARTS), (CHARTS[-1], CHARTS[0])]
"""Every chart once at the left and once at the right."""

LAYOUTS = (None, "constrained", "compressed", "tight")
LARGE = {"font.size": 14}
LOOKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "dark": ([{}], {"theme": "dark"}),
    "print": ([{}], {"theme": "print"}),
    "phone": ([{}], {"theme": "phone"}),
    "large": ([LARGE], {}),
    "a dark style": (["dark_background"], {}),
}


@cache
def alone(chart: str) -> list[Any]:
    """Return the ticks of a chart in a figure of its own."""
    shown, name = plots(chart)
    fig = shown.draw(name)
    fig.draw_without_rendering()
    return ticks(fig.axes[0])


def beside(charts: tuple[str, str], layout: str | None, **size: Any) -> Figure:
    """Return a figure that was made for two charts."""
    fig, axes = plt.subplots(1, 2, **{"figsize": (8, 4), "layout": layout} | size)
    for chart, ax in zip(charts, axes, strict=True):
        shown, name = plots(chart)
        getattr(shown, name)(ax=ax)
    fig.draw_without_rendering()
    return fig


QUICK = ("Forecast.rounds", "Forecast.trajectories", None)
BOTH = [(*pair, layout) for pair in PAIRS for layout in LAYOUTS[:2]]


@pytest.mark.parametrize(("left", "right", "layout"), slow_but(BOTH, QUICK))
def test_two_charts_stand_side_by_side(left: str, right: str, layout: str | None) -> None:
    fig = beside((left, right), layout)
    assert collisions(fig) == []
    for name, ax in zip((left, right), fig.axes, strict=True):
        assert ticks(ax) == alone(name)
        assert ax.get_window_extent().height > 60 / 72 * fig.dpi


SERIF = {"font.family": "serif", "font.size": 14}


@pytest.mark.slow
@pytest.mark.parametrize(("left", "right", "layout"), BOTH)
def test_letters_that_are_too_large_for_a_half_become_smaller(left: str, right: str, layout: str | None) -> None:
    with plt.style.context([SERIF]):
        fig = beside((left, right), layout)
    assert collisions(fig) == []
    sizes = {text.get_fontsize() for ax in fig.axes for text in ax.findobj(Text) if text.get_text().strip()}
    assert 4 < min(sizes) < max(sizes) < 12
    for ax in fig.axes:
        assert ax.get_window_extent().height > 40 / 72 * fig.dpi


@pytest.mark.slow
@pytest.mark.parametrize("look", [{}, SERIF], ids=["plain", "serif"])
@pytest.mark.parametrize(("left", "right"), [*pairwise([*ON_AXES, ON_AXES[0]])])
def test_eight_candidates_have_room_in_halves(left: str, right: str, look: dict[str, Any]) -> None:
    with plt.style.context([look]):
        fig, axes = plt.subplots(1, 2, figsize=(8, 4))
        for ax, chart in zip(axes, (left, right), strict=True):
            getattr(case("eight").plot, chart)(ax=ax)
        fig.draw_without_rendering()
    assert collisions(fig) == []


MIXED = [(layout, "Forecast.rounds") for layout in LAYOUTS]


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "chart"), slow_but(MIXED, MIXED[1]))
def test_a_chart_leaves_room_for_what_is_there(layout: str | None, chart: str) -> None:
    fig, axes = plt.subplots(2, 2, figsize=(9, 8), layout=layout)
    fig.suptitle("What others wrote")
    axes[0, 0].barh(["a label", "b"], [1, 2])
    shown, name = plots(chart)
    getattr(shown, name)(ax=axes[0, 1])
    getattr(shown, name)(ax=axes[1, 0])
    axes[1, 1].plot([0, 1])
    fig.draw_without_rendering()
    assert collisions(fig) == []


def test_axes_that_were_put_somewhere_stay_there() -> None:
    fig = plt.figure(figsize=(9, 6))
    ax = fig.add_axes((0.3, 0.3, 0.5, 0.3))
    shown, name = plots("Forecast.rounds")
    getattr(shown, name)(ax=ax)
    assert ax.get_position().bounds == pytest.approx((0.3, 0.3, 0.5, 0.3))


CROWDED = [("eight, live", chart) for chart in ON_AXES] + [("body", "win_probability"), ("certain", "trajectories")]


@pytest.mark.slow
@pytest.mark.parametrize("style", ["ggplot", "fivethirtyeight", "phone"])
@pytest.mark.parametrize(("name", "chart"), CROWDED)
def test_many_words_have_room_in_every_style(name: str, chart: str, style: str) -> None:
    with plt.style.context([] if style == "phone" else style):
        fig = case(name).plot.draw(chart, theme="phone" if style == "phone" else None)
    fig.draw_without_rendering()
    assert collisions(fig) == []


SIZES = [{"figure.figsize": (6, 4), "font.size": 14}, {"figure.figsize": (5, 3.5)}, {"figure.figsize": (12, 8)} | LARGE]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["large letters", "small", "large"])
@pytest.mark.parametrize("chart", ON_AXES)
def test_a_figure_of_the_users_size_has_room_for_all_words(chart: str, size: dict[str, Any]) -> None:
    with plt.style.context([size]):
        fig = case("live, two rounds").plot.draw(chart)
    fig.draw_without_rendering()
    assert collisions(fig) == []


SEEN = [(look, chart) for look in LOOKS for chart in (*CHARTS, *PAGES)]


@pytest.mark.parametrize(("look", "chart"), slow_but(SEEN, ("dark", "Forecast.rounds"), ("phone", "Forecast.rounds")))
def test_words_can_be_read_in_every_look(look: str, chart: str) -> None:
    styles, options = LOOKS[look]
    shown, name = plots(chart)
    with plt.style.context(styles):
        fig = shown.draw(name, **options)
        fig.draw_without_rendering()
    assert collisions(fig) == []
    assert faint_words(fig) == []
    if chart in CHARTS:
        assert ticks(fig.axes[0]) == alone(chart)
