"""The report and the page with sliders as a browser shows them: words, width, colours, and what moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import NONE_HERE, Tab, browser

import iomsim as iom
from iomsim.charts import interactive, report
from iomsim.charts.sliders import Sliders, sliders
from iomsim.files import write_whole

pytestmark = pytest.mark.slow

SCREENS = [(1100, "light"), (1100, "dark"), (390, "light"), (390, "dark")]
PAGES = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 28)"}

CONTRASTS = """
(() => {
  const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => rgb.match(/[0-9.]+/g).slice(0, 3).map(Number).map(part)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const page = light(getComputedStyle(document.body).backgroundColor);
  const against = (rgb) => {
    const one = light(rgb);
    return (Math.max(one, page) + 0.05) / (Math.min(one, page) + 0.05);
  };
  const shown = (one) => one.getClientRects().length && one.textContent.trim();
  const words = [...document.querySelectorAll("svg text")].filter(shown);
  const rest = [...document.querySelectorAll("h1, h2, h3, p, th, td, li, summary, a, label, small")].filter(shown);
  const contrasts = (all, colour) => all.map((one) => against(getComputedStyle(one)[colour]));
  return [contrasts(words, "fill"), contrasts(rest, "color")];
})()
"""
"""The contrasts to the page of all words that are shown, in charts and elsewhere."""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    program = browser()
    if program is None:
        pytest.skip(NONE_HERE)
    with Tab(program, tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    return iom.forecast(iom.load("geneva-2023"), 20_000, 2023, progress=False)


@pytest.fixture(scope="module")
def told(fc: iom.Forecast, tmp_path_factory: pytest.TempPathFactory) -> str:
    return report.report(fc, tmp_path_factory.mktemp("report") / "report.html").as_uri()


@pytest.fixture(scope="module")
def panel() -> Sliders:
    race = iom.load("geneva-2023")
    return sliders(race, points=4, levels=4, readings=True, runs=400, seed=1, progress=False)


@pytest.fixture(scope="module")
def moved(panel: Sliders, tmp_path_factory: pytest.TempPathFactory) -> str:
    page: Path = tmp_path_factory.mktemp("sliders") / "what-if.html"
    write_whole(page, interactive.html(panel))
    return page.as_uri()


@pytest.fixture(params=["told", "moved"])
def page(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nothing_is_wider_than_the_screen_and_colours_are_those_of_the_reader(
    width: int, scheme: str, page: str, tab: Tab
) -> None:
    tab.open(page, width, scheme=scheme)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask("getComputedStyle(document.body).backgroundColor") == PAGES[scheme]
    words, rest = tab.ask(CONTRASTS)
    assert min(rest) > 4.4
    if scheme == "dark":  # on light pages some words are white, on bars
        assert not words or min(words) > 4.4
        fills = tab.ask("[...document.querySelectorAll('figure svg')].filter((one) => one.getClientRects().length)"
                        ".map((one) => getComputedStyle(one.querySelector('path')).fill)")  # fmt: skip
        assert set(fills) <= {PAGES["dark"]}
    assert tab.complaints == []


def test_on_paper_there_is_all_but_what_can_only_be_clicked(page: str, tab: Tab) -> None:
    shown = (
        "[...document.querySelectorAll({!r})].filter((one) => one.getClientRects().length).map((one) => one.tagName)"
    )
    tab.open(page)
    before = tab.ask(shown.format("h1, h2, .number, output, select, footer"))
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.ask(shown.format("h1, h2, .number, output, select, footer")) == before
    assert "H1" in before
    assert tab.ask(shown.format("details, h3, a, input, button")) == []
    tab.call("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("width", [1100, 390])
def test_words_can_be_found_in_sentences_tables_and_charts(width: int, fc: iom.Forecast, told: str, tab: Tab) -> None:
    tab.open(told, width)
    text = tab.ask("document.body.innerText").replace("\N{NO-BREAK SPACE}%", " %")
    assert report.opening(fc) in text
    assert "As of Sunday 14 May 2023" in text
    for words in ("two thirds elect Pope", "Monday 15 May", "withdrawal-then-vote", "OECD terms and conditions"):
        assert tab.ask(f"getSelection().removeAllRanges(); find({words!r})")
    large, small = tab.ask("['.large', '.small'].map((name) => document.querySelector(name).getClientRects().length)")
    assert (large, small) == ((1, 0) if width > 600 else (0, 1))


def test_the_page_begins_where_the_scenario_is(panel: Sliders, moved: str, tab: Tab) -> None:
    tab.open(moved)
    assert tab.ask("document.documentElement.className") == "moves"
    assert (
        tab.ask("[0, 1, 2, 3].map((i) => Number(document.getElementById(`n${i}`).dataset.value))")
        == list(panel.at().values())[:4]
    )
    assert "Played here" in tab.ask("document.getElementById('played').textContent")


def test_a_slider_that_is_moved_by_the_keyboard_changes_the_number(panel: Sliders, moved: str, tab: Tab) -> None:
    tab.open(moved)
    tab.ask("document.getElementById('c0').focus()")
    tab.press("ArrowRight", 30)
    assert tab.ask("document.getElementById('o0').textContent") == "0.90"
    found = panel.at(Washington=0.9)
    shown = tab.ask("[document.getElementById('n0').textContent, Number(document.getElementById('n0').dataset.value)]")
    assert shown == [panel.say(found["Pope"]), pytest.approx(found["Pope"], abs=1e-12)]
    assert panel.at()["Pope"] + 0.1 < found["Pope"]  # a guard
    assert "Interpolated" in tab.ask("document.getElementById('played').textContent")
    assert tab.ask("location.hash") == "#Washington=0.9"
    tab.press("Tab")
    assert tab.ask("document.activeElement.id") == "c1"
    tab.ask("document.getElementById('reset').click()")
    assert tab.ask("document.getElementById('n0').textContent") == panel.say(panel.at()["Pope"])
    assert tab.ask("location.hash") == ""


def test_wherever_the_sliders_stand_the_numbers_are_those_of_python(panel: Sliders, moved: str, tab: Tab) -> None:
    chance = np.random.default_rng(5)
    tab.open(moved)
    rows = len(panel.race.names) + 1 + 1 + 3
    for _ in range(25):
        values = {name: round(float(chance.uniform(*ends)), 2) for name, ends in panel.ends().items()}
        values["level"] = min(max(values["level"], panel.ends()["level"][0]), panel.ends()["level"][1])
        reading = str(chance.choice(list(panel.rulings)))
        tab.ask(f"location.hash = {'&'.join(f'{name}={value!r}' for name, value in values.items())!r}"
                f" + '&reading={reading}'; new Promise((done) => setTimeout(done, 0))")  # fmt: skip
        row = panel.row(values | {"reading": reading})
        shown = tab.ask(
            f"[...Array({rows}).keys()].map((i) => Number(document.getElementById(`n${{i}}`).dataset.value))"
        )
        assert shown == pytest.approx(row[:rows].tolist(), abs=1e-12)
        said = tab.ask(f"[...Array({rows}).keys()].map((i) => document.getElementById(`n${{i}}`).textContent)")
        assert said == [panel.say(p) for p in row[:rows].tolist()]
        assert tab.ask("document.getElementById('median').textContent").split()[0] == str(round(row[-1]))
        assert tab.ask("document.getElementById('rules').textContent") == panel.rulings[reading].sentence(2)


def test_halves_are_rounded_as_in_python(panel: Sliders, moved: str, tab: Tab) -> None:
    share = panel.table[..., 0] / panel.runs
    [where, *_] = np.argwhere((share * 20 % 2 == 0.5) & (share > 0.2) & (share < 0.8))  # 22.5, 32.5 ... in steps of 5
    level, *pressures = [axis[i] for axis, i in zip(panel.axes.values(), where[1:], strict=True)]
    values = dict(zip(panel.tops, map(float, pressures), strict=True)) | {"secrecy": 0.0, "level": float(level)}
    values["reading"] = list(panel.rulings)[where[0]]
    tab.open(f"{moved}#{'&'.join(f'{name}={value}' for name, value in values.items())}")
    p = panel.at(**values)["Pope"]
    assert panel.played(**values)
    assert tab.ask("document.getElementById('n0').textContent") == panel.say(p) == f"about {5 * int(p * 20)}"


def test_addresses_that_mean_nothing_are_left_out(panel: Sliders, moved: str, tab: Tab) -> None:
    tab.open(f"{moved}#Washington=9&secrecy=NaN&level=&reading=none&x&%E0%A4%A=1&Brussels=-3")
    assert tab.ask("['o0', 'o1', 'o2', 'o3'].map((id) => document.getElementById(id).textContent)") == [
        "1.14", "0.00", "0.40", "0.50"
    ]  # fmt: skip
    at_the_end = panel.at(Washington=panel.tops["Washington"], Brussels=0.0)
    assert tab.ask("document.getElementById('n0').textContent") == panel.say(at_the_end["Pope"])


def test_every_slider_has_a_name_for_those_who_do_not_see_it(moved: str, tab: Tab) -> None:
    tab.open(moved)
    tab.call("Accessibility.enable")
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    named = {one["name"]["value"] for one in nodes if one.get("role", {}).get("value") == "slider"}
    assert named == {"Washington's strength", "Brussels's strength", "Secrecy", "Pope's first-round level"}
    tables = [one["name"]["value"] for one in nodes if one.get("role", {}).get("value") == "table"]
    assert "Who wins, in 100 elections" in tables


def test_no_other_script_is_run(page: str, tab: Tab) -> None:
    tab.open(page)
    tab.ask("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))")
    assert tab.ask("window.ran") is None
    assert "Content Security Policy" in tab.complaints.pop()
    tab.complaints.clear()
