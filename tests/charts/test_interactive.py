"""The page with sliders: what it holds and what it allows; what it does stands in `test_in_a_browser.py`."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from weapons import Page

import iomsim as iom
from iomsim.charts import interactive
from iomsim.charts.sliders import Sliders, sliders
from iomsim.errors import IomsimError


@pytest.fixture(scope="module")
def panel() -> Sliders:
    race = iom.load("geneva-2023")
    return sliders(race, points=2, levels=2, readings=True, runs=100, seed=1, progress=False)


@pytest.fixture(scope="module")
def page(panel: Sliders) -> str:
    return interactive.html(panel)


def test_only_the_script_of_ours_runs_and_nothing_is_fetched(page: str) -> None:
    reader = Page(page)
    assert reader.open == []
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    [script] = re.findall(r"(?s)<script>(.*?)</script>", page)
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    assert reader.tags.count("script") == 2  # the other is the points, which are no script
    assert not [name for name, _ in reader.attributes if name in ("src", "href") or name.startswith("on")]


def test_every_slider_has_a_label_and_begins_where_the_scenario_is(panel: Sliders, page: str) -> None:
    labels = dict(re.findall(r"<label for='(\w+)'>([^<]*)</label>", page))
    inputs = dict(re.findall(r"<input type='range' id='(\w+)'[^>]* value='([^']*)'", page))
    names = ["Washington's strength", "Brussels's strength", "Secrecy", "Pope's first-round level"]
    assert [html.unescape(labels[name]) for name in inputs] == names
    assert list(map(float, inputs.values())) == [0.6, 0.45, 0.4, 0.5]
    assert labels["reading"] == "Reading of the rules"
    assert re.findall(r"<option>([^<]*)", page) == list(panel.rulings)


def test_it_shows_the_scenario_before_anything_is_moved(panel: Sliders, page: str) -> None:
    shown = {"Pope": "Pope", "Vitorino": "Vitorino", "no winner": "no winner", "spill": "into Tuesday"}
    for place, (name, row) in enumerate(shown.items()):
        said = html.escape(panel.say(panel.at()[name]))
        assert f"<th scope='row'>{row}</th><td class='number' id='n{place}'>{said}</td>" in page
    assert f"<strong id='median'>{panel.at()['median_rounds']:.0f} round" in page
    assert "As of Sunday 14 May 2023" in page
    assert "not how sure it is" in page


def test_the_page_holds_all_points_as_they_were_counted(panel: Sliders, page: str) -> None:
    block = page.partition(interactive.BLOCK)[2].partition("</script>")[0]
    told = json.loads(block)
    assert told["table"] == panel.table.ravel().tolist()
    assert told["axes"] == [axis.tolist() for axis in panel.axes.values()]
    assert [len(axis) for axis in told["axes"]] == [3, 3, 3]  # two points, and the scenario's own
    assert panel.table.shape == (5, 3, 3, 3, told["columns"])


def test_a_file_is_written_or_there_is_a_sentence(tmp_path: Path) -> None:
    race = iom.load("minimal")
    page = iom.interactive(race, tmp_path / "x.html", points=2, levels=2, runs=20, seed=1, progress=False)
    assert page.stat().st_size < 50_000
    with pytest.raises(IomsimError, match="points must be a whole number of at least 2"):
        iom.interactive(race, tmp_path / "y.html", points=1)
