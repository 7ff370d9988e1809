"""Sliders: what they say between the points of their grid, and how they hang together, without a browser."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from toys import chance, toy, voter

import iomsim as iom
from iomsim.charts.sliders import Sliders, _through, sliders
from iomsim.errors import IomsimError, UnknownNameError
from iomsim.forecasting.estimates import in_100


@pytest.fixture(scope="module")
def panel() -> Sliders:
    return sliders(voter(), points=9, runs=4000, seed=1)


def test_no_more_digits_than_the_runs_of_a_point_support(panel: Sliders) -> None:
    assert panel.say(0.5) == in_100(0.5, 1.96 * 0.5 / np.sqrt(4000)) == "50"
    few = sliders(voter(), points=3, runs=100, seed=1)
    assert few.say(0.52) == in_100(0.52, 0.098) == "about 50"
    assert few.say(0.0) == "<4"  # nothing in a hundred runs is no less than that


def test_the_answer_is_the_known_one(panel: Sliders) -> None:
    for strength, secrecy in ((0.0, 0.3), (1.0, 0.5), (1.3, 0.25), (2.0, 0.0), (2.0, 1.0)):
        found = panel.at(W=strength, secrecy=secrecy)
        assert found["A"] == pytest.approx(chance(strength=strength, secrecy=secrecy), abs=0.035)
        assert found["A"] + found["B"] == pytest.approx(1)
        assert found["rounds"] == pytest.approx(1)
    assert panel.at() == panel.at(W=1.0, secrecy=0.5)


def test_at_the_points_it_is_the_forecast_itself() -> None:
    """Two sponsors; half the strength in public is the strength behind half the secrecy."""
    race = iom.load("geneva-2023")
    panel = sliders(race, points=3, runs=300, seed=2, progress=False)
    half, whole = panel.tops["Washington"] / 2, panel.tops["Brussels"]
    public = race.with_behaviour(secrecy=0).with_pressure(Washington=half, Brussels=whole)
    fc = iom.forecast(public, runs=300, seed=2, progress=False, assumptions="fixed")
    for values in ({"Washington": half, "Brussels": whole, "secrecy": 0.0},):
        found = panel.at(**values)
        assert found["Pope"] == pytest.approx(fc.win_probability().loc["Pope", "probability"])
        assert found["spill"] == pytest.approx(fc.spill().value)
    assert panel.at(Washington=2 * half, Brussels=whole, secrecy=0.5) == pytest.approx(
        panel.at(Washington=half, Brussels=whole / 2, secrecy=0.0)
    )


def test_where_they_start_it_is_the_forecast_of_the_scenario(panel: Sliders) -> None:
    fc = iom.forecast(voter(), 4000, 1, assumptions="fixed", progress=False)
    assert panel.played()
    assert panel.at()["A"] == fc.win_probability().loc["A", "probability"]
    assert panel.at()["median_rounds"] == fc.median_rounds()[0]
    assert not panel.played(W=0.9)
    assert "Interpolated" in panel.sentence(W=0.9)
    assert "Interpolated" not in panel.sentence()


@pytest.mark.slow
def test_level_and_reading_are_those_of_the_scenario_so_changed() -> None:
    race = iom.load("geneva-2023")
    panel = sliders(race, points=2, levels=3, readings=True, runs=50, seed=2, progress=False)
    assert panel.start() == {
        "Washington": 0.6,
        "Brussels": 0.45,
        "secrecy": 0.4,
        "level": 0.5,
        "reading": race.rules.name,
    }
    low, high = panel.ends()["level"]
    assert (low, high) == pytest.approx((0.38, 0.62))  # twice its range
    for level, reading in ((0.5, "strict"), (low, race.rules.name), (high, "four-rounds")):
        asked = race.with_parameters({"level.Pope": level}).with_rules(reading)
        fc = iom.forecast(asked, 50, 2, assumptions="fixed", progress=False)
        found = panel.at(level=level, reading=reading)
        assert found["Pope"] == fc.win_probability().loc["Pope", "probability"]
        assert found["spill"] == fc.spill().value
    with pytest.raises(UnknownNameError, match="no reading named 'stricd'; did you mean 'strict'"):
        panel.at(reading="stricd")


def test_without_a_stated_level_the_appeal_moves_and_no_sponsor_is_needed() -> None:
    panel = sliders(toy(15, rules="strict"), levels=3, runs=200, seed=1, progress=False)
    assert panel.start() == {"level": 0.0}
    assert panel.at(level=1.0)["A"] > panel.at()["A"] > panel.at(level=-1.0)["A"]


def test_the_words_and_the_bars(panel: Sliders) -> None:
    words = panel.sentence(W=2.0, secrecy=0.0)
    assert words.startswith("On the best guesses of all else, wins in 100: A 8")
    assert "no winner <1. Voting runs into Tuesday in <1; 1 round in the median." in words
    shown = panel.html(W=2.0, secrecy=0.0)
    assert shown.count("background:") == 4
    assert "into Tuesday" in shown
    shown = repr(panel).splitlines()
    assert shown[0] == "sliders: W 0 to 2, secrecy 0 to 1"
    assert shown[1].startswith("On the best guesses of all else, wins in 100: A 6")


class Control:
    """A stand-in for ipywidgets' sliders and HTML: it remembers, and tells who watches."""

    def __init__(self, value: Any = None, **options: Any) -> None:
        self.value, self.options, self.watchers = value, options, []  # type: ignore[var-annotated]

    def observe(self, watcher: Any, names: str) -> None:
        assert names == "value"
        self.watchers.append(watcher)

    def move(self, value: float) -> None:
        self.value = value
        for watcher in self.watchers:
            watcher({"new": value})


def test_moving_a_slider_changes_the_answer(panel: Sliders, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(FloatSlider=Control, HTML=Control, VBox=list)
    monkeypatch.setitem(sys.modules, "ipywidgets", stand_in)
    strength, secrecy, answer = panel.show()
    assert [c.options["description"] for c in (strength, secrecy)] == ["W's strength", "secrecy"]
    assert [(c.value, c.options["min"], c.options["max"]) for c in (strength, secrecy)] == [(1, 0, 2), (0.5, 0, 1)]
    assert answer.value == panel.html()
    strength.move(2.0)
    assert answer.value == panel.html(W=2.0)
    secrecy.move(0.0)
    assert answer.value == panel.html(W=2.0, secrecy=0.0)


def test_real_widgets_take_it_too(panel: Sliders) -> None:
    pytest.importorskip("ipywidgets")
    box = panel.show()
    box.children[0].value = 2.0
    assert box.children[-1].value == panel.html(W=2.0)


def test_sliders_begin_at_one_of_their_steps() -> None:
    """Else a browser would move them by itself."""
    pytest.importorskip("ipywidgets")
    panel = sliders(iom.load("geneva-2023"), points=3, runs=20, seed=1, progress=False)
    for (name, value), control in zip(panel.start().items(), panel.show().children, strict=False):
        steps = (value - control.min) / control.step
        assert steps == pytest.approx(round(steps)), name
        assert f"{value:{control.readout_format}}" == f"{value:.2f}"


def test_a_page_that_is_kept_shows_the_answer_where_no_widget_can_be(
    panel: Sliders, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ipywidgets")
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    panel._ipython_display_()
    assert set(shown[0]) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert shown[0]["text/html"] == panel.html()
    assert shown[0]["text/plain"] == repr(panel)


def test_without_ipywidgets_a_sentence_says_what_to_install(panel: Sliders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(IomsimError, match=r"need ipywidgets; install it with: pip install 'iomsim\[notebook\]'"):
        panel.show()


def test_bad_sliders_are_refused(panel: Sliders) -> None:
    with pytest.raises(IomsimError, match="for one or two sponsors, this election has 0"):
        sliders(toy(), seed=1)
    with pytest.raises(IomsimError, match="points must be a whole number of at least 2"):
        sliders(voter(), points=1, seed=1)
    with pytest.raises(UnknownNameError, match="no slider named 'secrcy'; did you mean 'secrecy'"):
        panel.at(secrcy=0.5)
    for value, said in ((3, "3"), (True, "True"), ("much", "'much'"), (float("nan"), "nan")):
        with pytest.raises(IomsimError, match=f"W must be between 0 and 2, got {said}"):
            panel.at(W=value)


def test_points_go_through_the_scenario() -> None:
    assert _through(np.array([0.0, 1.0]), 0.3).tolist() == [0.0, 0.3, 1.0]
    assert _through(np.array([0.0, 0.1 + 0.2, 1.0]), 0.3).tolist() == [0.0, 0.3, 1.0]  # not twice
