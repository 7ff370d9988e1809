"""Execute notebooks: ``python tests/run_notebooks.py notebooks/*.ipynb`` writes their outputs into them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SECONDS_A_CELL = 120


class NotebookFailed(AssertionError):
    """A cell of a notebook that did not run."""


def environment(folder: Path) -> dict[str, str]:
    """Return the kernel's environment: charts inline, no progress bars, nothing of the user's own IPython."""
    ours = ("MPLBACKEND", "IPYTHONDIR")
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    return kept | {"IPYTHONDIR": str(folder / ".ipython"), "TQDM_DISABLE": "1"}


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """Return the notebook with fresh outputs; its files, if it writes any, go into `folder`."""
    book = nbformat.read(path, as_version=4)
    client = NotebookClient(
        book,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        record_timing=False,  # or the committed file would change with every execution
        resources={"metadata": {"path": str(folder)}},
    )
    reached = 0

    def remember(cell: object, cell_index: int) -> None:
        nonlocal reached
        reached = cell_index

    client.on_cell_start = remember
    try:
        return client.execute(env=environment(folder))
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
