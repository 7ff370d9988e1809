"""How a forecast shows itself."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from toys import toy

import iomsim as iom
from iomsim.house_style import thousands


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


def test_a_forecast_is_not_changed_or_compared_by_accident(forecasts: dict[str, iom.Forecast]) -> None:
    fc = forecasts["strict"]
    with pytest.raises(AttributeError):
        fc.seed = 5  # type: ignore[misc]
    assert fc == fc
    assert fc != forecasts["four-rounds"]
    assert len({fc, forecasts["four-rounds"]}) == 2


def test_a_forecast_shows_answer_table_and_stamp(fc: iom.Forecast) -> None:
    shown = repr(fc)
    assert shown.startswith(fc.race.title)
    assert fc.answer() in shown
    assert fc.stamp() in shown
    chances = fc.chances()
    possible = chances.index[(chances["high"] > 0) | chances.index.isin(fc.race.names)]
    lines = shown.splitlines()
    assert all(any(line.startswith(f"{name} ") for line in lines) for name in possible)
    assert any(line.startswith("nobody ") for line in lines) == fc.race.rules.can_fail
    assert "0.0%" not in shown
    assert "100.0%" not in shown


def test_the_stamp_is_what_is_needed_to_do_it_again(fc: iom.Forecast) -> None:
    p = fc.provenance
    assert fc.stamp() == (
        f"iomsim {iom.__version__} · seed {p['seed']} · {thousands(p['runs'])} runs"
        f" · scenario {fc.race.hash} · rules {fc.race.rules.name}"
    )
    assert p == {
        "version": iom.__version__, "seed": fc.seed, "runs": len(fc), "scenario": fc.race.hash,
        "rules": fc.race.rules.name, "title": fc.race.title, "announced": 0, "events": [],
    }  # fmt: skip


class Text(HTMLParser):
    """Collects what can be read on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_forecast_in_html_is_escaped() -> None:
    race = toy(9, candidates=[{"name": "<b>A</b>"}, {"name": "B & C"}], title="<script>alert(1)</script>")
    page = Text()
    page.feed(make(race, 50)._repr_html_())
    assert {"script", "b"}.isdisjoint(page.tags)
    for said in (
        "<script>alert(1)</script>",
        "B & C",
        "95 % (Monte Carlo)",
        make(race, 50).answer(),
        make(race, 50).stamp(),
    ):
        assert said in page.words
    assert "svg" in page.tags
