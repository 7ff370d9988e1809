"""How a forecast shows itself."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
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
    assert str(fc.answer()) in shown
    assert fc.stamp() in shown
    chances = fc.chances()
    possible = chances.index[(chances["mc_error"] > 0) | chances.index.isin(fc.race.names)]
    lines = shown.splitlines()
    assert all(any(line.strip().startswith(f"{name} ") for line in lines) for name in possible)
    assert any(line.strip().startswith("nobody ") for line in lines) == any(rules.can_fail for rules in fc.rules_played)
    assert "0.0%" not in shown
    assert "100.0%" not in shown


def test_the_stamp_is_what_is_needed_to_do_it_again(fc: iom.Forecast) -> None:
    p = fc.provenance
    draws = fc.draws.count if fc.draws else 0
    played = f" of {draws} draws of the assumptions" if draws else ", assumptions fixed"
    others = len(fc.race.readings) - 1 if draws and fc.race.readings else 0
    error = 100 * max(fc.spill().mc_error, *fc.win_probability()["mc_error"])
    runs = f"{thousands(p['runs'])} run{'s' if p['runs'] > 1 else ''}"
    assert fc.stamp() == (
        f"iomsim {iom.__version__} · seed {p['seed']} · {runs}{played}"
        f" · simulation error {error:.1f} points · scenario {fc.race.hash}"
        f" · rules {fc.race.rules.name}{f' and {others} other readings' if others else ''}"
    )
    assert p == {
        "version": iom.__version__, "seed": fc.seed, "runs": len(fc), "scenario": fc.race.hash,
        "rules": fc.race.rules.name, "title": fc.race.title, "announced": 0, "events": [],
        "assumptions": draws or "fixed",
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


@pytest.mark.parametrize(
    ("runs", "beside"), [(50, "simulation error"), pytest.param(800, "over the assumptions", marks=pytest.mark.slow)]
)
def test_a_forecast_in_html_is_escaped(runs: int, beside: str) -> None:
    race = toy(9, candidates=[{"name": "<b>A</b>"}, {"name": "B & C"}], title="<script>alert(1)</script>")
    page, fc = Text(), make(race, runs)
    page.feed(fc._repr_html_())
    assert {"script", "b"}.isdisjoint(page.tags)
    for said in ("<script>alert(1)</script>", "B & C", beside, fc.answer()[:], fc.stamp()):
        assert said in page.words
    assert "svg" in page.tags


@pytest.mark.parametrize("behaviour", [{"absent": 1.0}, {"abstain": 1.0}])
@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_where_nobody_votes_nobody_is_elected(behaviour: dict[str, float], names: str) -> None:
    """Everybody is absent, or all papers are blank."""
    fc = make(toy(30, names).with_behaviour(**behaviour), runs=100)
    table = fc.win_probability()["probability"]
    assert table["no winner"] == 1.0
    assert (table[list(names)] == 0.0).all()
    answer = str(fc.answer())
    assert not any(f"{name} wins" in answer for name in names)
    assert "nan" not in answer.lower()


def test_names_with_commas_quotes_and_semicolons_come_back_from_the_files(tmp_path: Path) -> None:
    names = ["Korea, Republic of", 'the "Left"', "c;d'e", "Á # 1"]
    fc = make(iom.Scenario.model_validate({"candidates": [{"name": n} for n in names], "electorate": {"size": 20}}), 50)
    fc.to_csv(tmp_path)
    assert pd.read_csv(tmp_path / "win_probability.csv")["winner"].tolist()[: len(names)] == names
