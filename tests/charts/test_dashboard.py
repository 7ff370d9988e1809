"""The page of charts."""

from __future__ import annotations

import pytest
from chart_cases import ON_AXES, case, hand, picture, plain, words
from toys import slow_but

from iomsim.charts.caption import captions
from iomsim.charts.dashboard import Dashboard
from iomsim.forecasting.forecast import Forecast


@pytest.mark.slow
@pytest.mark.parametrize("name", slow_but(["eight", "live"], "live"))
def test_the_page_holds_the_answer_and_four_charts(name: str) -> None:
    fc = case(name)
    fig = picture(name, "dashboard").figure
    assert len(fig.axes) == 4
    assert plain(fc.answer()) in [plain(text) for text in words(fig)]
    titles = {plain(ax.get_title()) for ax in fig.axes}
    alone = {plain(picture(name, chart).get_title()) for chart in ON_AXES if chart != "flows"}
    assert titles == alone
    [caption] = captions(fig)
    assert caption.text.endswith(fc.answer())


def heading(fc: Forecast) -> str:
    return Dashboard(fc).finding()


def test_the_page_says_as_of_when() -> None:
    assert heading(case("two")).endswith("as of Sunday 14 May 2023")
    assert heading(case("live")).endswith("after round 1 (98\N{EN DASH}67)")
    assert heading(hand()) == "toy"
    assert heading(case("live")) in words(picture("live", "dashboard").figure)
