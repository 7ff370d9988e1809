"""Charts as files: what they know of themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import nbformat
import pytest
from chart_cases import ON_AXES, plain, plane
from matplotlib.axes import Axes
from PIL import Image
from run_notebooks import execute
from toys import slow_but

import iomsim as iom
from iomsim.charts import files, save
from iomsim.charts.files import svg
from iomsim.errors import IomsimError

SVG = "{http://www.w3.org/2000/svg}"


def texts(ax: Axes) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in ax.texts]


@pytest.mark.parametrize("name", slow_but(ON_AXES, "flows", "rounds"))
def test_the_stamp_is_under_the_chart_unless_unwanted(fc: iom.Forecast, name: str) -> None:
    ax = getattr(fc.plot, name)()
    assert texts(ax).count(fc.stamp()) == 1
    stamp = ax.texts[texts(ax).index(fc.stamp())]
    others = [text.get_window_extent().y0 for text in ax.texts if text is not stamp and text.get_text().strip()]
    assert stamp.get_window_extent().y1 <= min(others) + 1
    assert fc.stamp() not in texts(getattr(fc.plot, name)(stamp=False))


@pytest.mark.slow
def test_the_stamp_is_on_the_page_once(fc: iom.Forecast) -> None:
    fig = fc.plot.draw("dashboard")
    assert [text.get_text().replace("\n", " ") for text in fig.texts].count(fc.stamp()) == 1
    assert not any(fc.stamp() in texts(ax) for ax in fig.axes)


@pytest.mark.parametrize("name", slow_but(["dashboard", "flows"], "flows"))
def test_a_png_knows_how_it_was_made(fc: iom.Forecast, name: str, tmp_path: Path) -> None:
    path = fc.plot.save(name, tmp_path / "chart.png")
    assert plt.get_fignums() == []  # nor is a figure left behind
    with Image.open(path) as image:
        assert json.loads(image.text["iomsim"]) == fc.provenance
        assert image.text["Title"]
        assert fc.answer() in image.text["Description"] or name == "flows"


@pytest.mark.parametrize("name", slow_but(["rounds", "trajectories"], "rounds"))
def test_an_svg_is_the_same_twice_also_after_a_png_and_speaks(fc: iom.Forecast, name: str, tmp_path: Path) -> None:
    fig = fc.plot.draw(name)
    _, once = (save(fig, tmp_path / f"chart.{kind}").read_bytes() for kind in ("png", "svg"))
    assert once == fc.plot.save(name, tmp_path / "again.svg").read_bytes()
    tree = ElementTree.fromstring(once)
    assert tree.findtext(f"{SVG}desc") == fc.plot.alt(name) == tree.get("aria-label")
    assert tree.findtext(f"{SVG}title")
    source = tree.find(".//{http://purl.org/dc/elements/1.1/}source")
    assert json.loads(source.text) == fc.provenance
    assert tree.find(".//{http://purl.org/dc/elements/1.1/}date") is None


@pytest.mark.slow
def test_a_pdf_knows_how_it_was_made(fc: iom.Forecast, tmp_path: Path) -> None:
    data = fc.plot.save("win_probability", tmp_path / "chart.PDF", rules=False).read_bytes()
    assert f'"scenario": "{fc.race.hash}"'.encode() in data
    assert b"/CreationDate" not in data


@pytest.mark.slow
def test_what_was_drawn_can_be_saved_later(fc: iom.Forecast, tmp_path: Path) -> None:
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4), layout="constrained")
    fc.plot.rounds(ax=left)
    fc.plot.win_probability(ax=right, rules=False)
    with Image.open(save(fig, tmp_path / "both.png")) as image:
        assert json.loads(image.text["iomsim"]) == fc.provenance
        assert plain(left.get_title()) in plain(image.text["Title"])
    with Image.open(save(right, tmp_path / "same.png")) as image:
        assert image.text["Title"].count(";") >= 1


@pytest.mark.slow
def test_charts_of_different_forecasts_keep_both_provenances(fc: iom.Forecast, tmp_path: Path) -> None:
    other = iom.forecast(fc.race, runs=50, seed=4, progress=False)
    fig, axes = plt.subplots(1, 2, figsize=(14, 4))
    for forecast, ax in zip((fc, other), axes, strict=True):
        forecast.plot.rounds(ax=ax)
    with Image.open(save(fig, tmp_path / "both.png")) as image:
        assert json.loads(image.text["iomsim"]) == [fc.provenance, other.provenance]


def test_other_kinds_of_files_are_refused(fc: iom.Forecast, tmp_path: Path) -> None:
    with pytest.raises(IomsimError, match=re.escape("a chart can be saved as png, svg, pdf; got 'chart.gif'")):
        fc.plot.save("rounds", tmp_path / "chart.gif")
    assert list(tmp_path.iterdir()) == []


def test_an_svg_for_a_page_has_the_width_asked_for(fc: iom.Forecast) -> None:
    text = fc.plot.svg("rounds", width=420)
    assert text.startswith("<svg")
    tree = ElementTree.fromstring(text)
    assert tree.get("width") == "420px"
    assert tree.get("height") is None
    assert tree.get("viewBox")
    assert "max-width: 100%" in tree.get("style")
    assert ElementTree.fromstring(fc.plot.svg("rounds")).get("height")


@pytest.mark.slow
def test_names_cannot_break_the_page() -> None:
    names = ("<b>$x$ & Co", '"A" --> B')
    race = iom.load("minimal").with_rules("strict")
    data = {**dict(race), "candidates": [{"name": name} for name in names], "sponsors": []}
    odd = iom.forecast(type(race).model_validate(data), runs=50, seed=1, progress=False)
    for name in ("win_probability", "decision_time"):
        tree = ElementTree.fromstring(odd.plot.svg(name))
        assert tree.findtext(f"{SVG}desc") == odd.plot.alt(name)
    labels = [label.get_text() for label in odd.plot.win_probability(rules=False).get_yticklabels()]
    assert labels[0].replace("\n", " ") == names[0]


@pytest.mark.slow
def test_matplotlib_is_loaded_late_and_pyplot_later() -> None:
    program = (
        "import sys, iomsim\n"
        "assert 'matplotlib' not in sys.modules\n"
        "fc = iomsim.forecast(iomsim.load('minimal'), runs=20, seed=1, progress=False)\n"
        "fc.plot.rounds_data(), fc.plot.svg('rounds')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_text_in_an_svg_is_text_with_its_rim(fc: iom.Forecast) -> None:
    drawn = fc.plot.draw("flows")
    tree = ElementTree.fromstring(svg(drawn))
    said = {" ".join("".join(node.itertext()).split()) for node in tree.iter(f"{SVG}text")}
    for ax in drawn.axes:
        written = [text for text in ax.texts if text.get_text().strip() and "\n" not in text.get_text()]
        rimmed = [text for text in written if text.get_path_effects()]  # drawing has left them as they were
        assert rimmed
        assert {" ".join(text.get_text().split()) for text in written} <= said
    rims = [node for node in tree.iter(f"{SVG}text") if "paint-order: stroke; stroke: #ffffff" in node.get("style", "")]
    assert len(rims) == len(rimmed)


@pytest.mark.slow
def test_all_charts_go_into_a_folder_with_a_table_each(tmp_path: Path) -> None:
    saved = plane().plot.save(tmp_path / "there", formats=("svg", "pdf"), theme="dark")
    assert sorted(path.name for path in saved) == ["pressure_grid.pdf", "pressure_grid.svg", "pressure_grid_chart.csv"]
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == sorted(path.name for path in saved)
    assert "fill: #16181c" in (tmp_path / "there" / "pressure_grid.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("rounds",), "plot.save takes a folder for all charts, or a chart and its file, such as save('rounds', "),
        (("rounds.png",), "got 'rounds.png' alone"),
    ],
)
def test_a_chart_without_a_file_is_refused(fc: iom.Forecast, wrong: tuple[str, ...], said: str) -> None:
    with pytest.raises(IomsimError, match=re.escape(said)):
        fc.plot.save(*wrong)
    with pytest.raises(IomsimError, match="formats must be of png, svg, pdf; got 'gif'"):
        fc.plot.save("folder", formats=["gif"])


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["fc.plot.dashboard()", "page = fc.plot.dashboard()", "fc.plot.rounds().figure"])
def test_a_notebook_shows_a_chart_once(cell: str, tmp_path: Path) -> None:
    begin = 'import iomsim as iom\nfc = iom.forecast(iom.load("minimal"), runs=50, seed=1, progress=False)\n'
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(begin + cell)])
    nbformat.write(book, tmp_path / "one.ipynb")
    book = execute(tmp_path / "one.ipynb", tmp_path)
    pictures = [kind for output in book.cells[0].outputs for kind in output.get("data", {}) if "image/" in kind]
    assert pictures == ["image/png"]


def test_tables_for_charts_on_the_web_begin_with_labels(fc: iom.Forecast) -> None:
    assert fc.plot.chart("flows").sheet().columns[0] == "round"  # and not with the numbers of rows
    assert fc.plot.chart("rounds").sheet().columns[0] == "round"


def test_a_theme_is_that_of_the_file_too(fc: iom.Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr(files, "save", lambda drawn, path, theme: asked.append(theme))
    fc.plot.save("rounds", tmp_path / "rounds.png", theme="print")
    assert asked == ["print"]
