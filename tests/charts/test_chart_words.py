"""Nothing that a chart writes is cut off or runs into something else."""

from __future__ import annotations

import pytest
from chart_cases import CASES, ON_AXES, case, collisions, picture
from toys import slow_but

from iomsim.charts.caption import captions


@pytest.mark.slow
@pytest.mark.parametrize("name", slow_but(CASES, "two", "eight", "live"))
@pytest.mark.parametrize("chart", ON_AXES)
def test_no_words_are_cut_or_overlap(name: str, chart: str) -> None:
    fig = picture(name, chart).figure
    assert collisions(fig) == []
    [caption] = captions(fig)
    assert len(caption.text) > 40
    assert "nan" not in caption.text


@pytest.mark.slow
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
