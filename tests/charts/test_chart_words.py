"""Nothing that a chart writes is cut off or runs into something else."""

from __future__ import annotations

from itertools import combinations

import pytest
from chart_cases import CASES, ON_AXES, case, picture
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from toys import slow_but

from iomsim.charts.base import captions


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


@pytest.mark.parametrize("name", slow_but(CASES, "two", "eight", "live"))
@pytest.mark.parametrize("chart", ON_AXES)
def test_no_words_are_cut_or_overlap(name: str, chart: str) -> None:
    fig = picture(name, chart).figure
    assert collisions(fig) == []
    [caption] = captions(fig)
    assert len(caption.text) > 40
    assert "nan" not in caption.text


@pytest.mark.parametrize("name", slow_but(["eight", "live"], "live"))
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
