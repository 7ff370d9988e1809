"""The notebooks run from the first cell to the last, and are committed as they ran."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from run_notebooks import STATE, VIEW, NotebookFailed, execute

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

pytestmark = pytest.mark.notebooks
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]


def write(path: Path, *sources: str) -> Path:
    """Write a notebook of these code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@each
def test_it_runs(path: Path, tmp_path: Path) -> None:
    execute(path, tmp_path)


@each
def test_it_is_committed_with_its_outputs(path: Path) -> None:
    cells = code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    outputs = [out for cell in cells for out in cell.outputs]
    assert not [out for out in outputs if out.output_type == "error" or out.get("name") == "stderr"]


@each
def test_it_begins_with_its_question(path: Path) -> None:
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "?" in first.source


@each
def test_it_ends_with_what_it_does_not_show(path: Path) -> None:
    prose = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    assert "what this does not show" in prose[-1].lower()


def test_a_broken_cell_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "broken.ipynb", "x = 1", "x / 0", "x = 2")
    with pytest.raises(NotebookFailed, match=r"(?s)broken\.ipynb, cell 2:\nx / 0\n.*ZeroDivisionError"):
        execute(path, tmp_path)


def test_files_go_into_the_folder_and_no_port_is_taken(tmp_path: Path) -> None:
    """Ports are given out before they are taken: two kernels that start at once could be given the same."""
    connection = "from ipykernel.connect import get_connection_info\nget_connection_info(unpack=True)['transport']"
    path = write(tmp_path / "book.ipynb", "import pathlib\npathlib.Path('here').write_text('there')", connection)
    book = execute(path, tmp_path)
    assert (tmp_path / "here").read_text() == "there"
    assert "execution" not in book.cells[0].metadata
    assert book.cells[1].outputs[0].data["text/plain"] == "'ipc'"


def test_every_chart_of_a_notebook_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the shell says; and not only the first: to import pyplot within a style would switch figures off."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    make = "import iomsim as iom\nfc = iom.forecast(iom.load('minimal'), runs=200, seed=1)"
    sources = [make, "fc.plot.rounds();", "fc.plot.win_probability();", "fc.plot.dashboard();", "fc"]
    book = execute(write(tmp_path / "charts.ipynb", *sources), tmp_path)
    shown = [["image/png" in out.get("data", {}) for out in cell.outputs] for cell in book.cells]
    assert shown == [[], [True], [True], [True], [False]]


def test_widgets_that_are_shown_are_kept_under_steady_names(tmp_path: Path) -> None:
    make = "import ipywidgets as w\nother, box = w.IntSlider(1), w.VBox([w.IntSlider(2)])"
    path = write(tmp_path / "widgets.ipynb", make, "box")
    first, again = (execute(path, tmp_path) for _ in range(2))
    assert first.cells[1].outputs[0].data == again.cells[1].outputs[0].data
    assert first.metadata == again.metadata
    state = first.metadata["widgets"][STATE]["state"]
    assert first.cells[1].outputs[0].data[VIEW]["model_id"] in state
    assert [one["state"]["value"] for one in state.values() if one["model_name"] == "IntSliderModel"] == [2]


def test_a_notebook_without_widgets_keeps_none(tmp_path: Path) -> None:
    path = write(tmp_path / "none.ipynb", "import ipywidgets as w\nhidden = w.IntSlider(1)", "1")
    assert "widgets" not in execute(path, tmp_path).metadata
