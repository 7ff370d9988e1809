"""Execute notebooks: ``python tests/run_notebooks.py notebooks/*.ipynb`` writes their outputs into them."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

SECONDS_A_CELL = 300

STATE, VIEW = "application/vnd.jupyter.widget-state+json", "application/vnd.jupyter.widget-view+json"
"""Where a notebook keeps its widgets, and where a cell says which of them it shows."""


class NotebookFailed(AssertionError):
    """A cell of a notebook that did not run."""


def environment(folder: Path) -> dict[str, str]:
    """Return the kernel's environment: charts inline, no progress bars, nothing of the user's own IPython."""
    ours = ("MPLBACKEND", "IPYTHONDIR")
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    return kept | {"IPYTHONDIR": str(folder / ".ipython"), "TQDM_DISABLE": "1"}


def with_steady_widgets(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Keep of the widgets those that are shown, and name them alike every time: or the file would always change."""
    state: dict[str, Any] = book.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    views = [output.data[VIEW] for output in outputs if VIEW in output.get("data", {})]
    shown = [view["model_id"] for view in views]
    for model in shown:  # grows while it is read: a widget is made of others
        shown += [one for one in re.findall(r"IPY_MODEL_(\w+)", json.dumps(state[model])) if one not in shown]
    names = {model: f"{number:032x}" for number, model in enumerate(dict.fromkeys(shown))}
    for view in views:
        view["model_id"] = names[view["model_id"]]
    if names:
        text = json.dumps({name: state[model] for model, name in names.items()})
        kept = json.loads(re.sub(r"IPY_MODEL_(\w+)", lambda found: f"IPY_MODEL_{names[found[1]]}", text))
        book.metadata["widgets"] = {STATE: {"state": kept, "version_major": 2, "version_minor": 0}}
    return book


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """Return the notebook with fresh outputs; its files, if it writes any, go into `folder`."""
    book = nbformat.read(path, as_version=4)
    reached = 0

    def remember(cell: object, cell_index: int) -> None:
        nonlocal reached
        reached = cell_index

    with TemporaryDirectory() as sockets:  # files, for two kernels that start at once may be given the same port
        connection = {"transport": "ipc", "connection_file": f"{sockets}/kernel.json"}
        client = NotebookClient(
            book,
            config=Config(KernelManager=connection),
            timeout=SECONDS_A_CELL,
            kernel_name="python3",
            record_timing=False,  # or the committed file would change with every execution; the next line too
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=remember,
        )
        try:
            return with_steady_widgets(client.execute(env=environment(folder)))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            source = book.cells[reached].source
            raise NotebookFailed(f"{path.name}, cell {reached + 1}:\n{source}\n\n{error}") from None


def main(names: list[str]) -> None:
    """Execute each named notebook and write it back."""
    for name in names:
        path = Path(name)
        print(path, file=sys.stderr)
        with TemporaryDirectory() as folder:
            nbformat.write(execute(path, Path(folder)), path)


if __name__ == "__main__":
    main(sys.argv[1:])
