"""Imports point downwards only, also those inside functions."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "iomsim"

# From the ground up: a module may import those of the lines above its own, and none of its own line.
# A sub-package is one name; its modules may import each other, but not in circles.
LAYERS = """
    _version errors arrays
    rules streams scores estimates announcements executors store progress
    benches binomial
    ballots
    pair crowd
    states
    clock evidence selectors quantities kernel exact sentences
    electorate parts briefing refusals days
    scenario
    library compiled
    balance simulate
    summary
    tidy
    forecast
    archive running
    whatif live
    cells history
    study widgets
    charts
    report
    cli
    __main__ __init__
"""

# Upward imports that are meant, and why. They must not run when the module is imported: only inside a
# function, or for the type checker.
UPWARD = {
    ("scenario", "balance"): "race.balanced() is where an analyst looks for it",
    ("scenario", "library"): "race.save() is where an analyst looks for it",
    ("forecast", "archive"): "fc.save() is where an analyst looks for it",
    ("forecast", "charts"): "fc.plot is where an analyst looks for the charts",
    ("forecast", "whatif"): "fc.with_assumptions() is where an analyst looks for it",
    ("forecast", "report"): "fc.report() is where an analyst looks for it",
    ("live", "charts"): "results have their charts under .plot",
    ("history", "charts"): "results have their charts under .plot",
    ("whatif", "charts"): "results have their charts under .plot",
    ("briefing", "scenario"): "the type only: it describes what it is handed",
    ("briefing", "forecast"): "the type only: it describes what it is handed",
    ("sentences", "forecast"): "the type only: it words what it is handed",
}

# The analytic twin proves nothing if it shares code with what it checks.
APART = ("kernel", "exact")

LEVEL = {name: level for level, line in enumerate(LAYERS.strip().splitlines()) for name in line.split()}


class Import(NamedTuple):
    """One import of a module of iomsim by another; `eager` if it runs when the importing one is loaded."""

    source: str
    target: str
    line: int
    eager: bool

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}, imports {self.target}"


def module_name(path: Path, package: Path) -> str:
    """Return the dotted name below the package, `__init__` for the package itself."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def top(module: str) -> str:
    return module.partition(".")[0]


def modules(package: Path) -> dict[str, Path]:
    return {module_name(path, package): path for path in sorted(package.rglob("*.py"))}


def absolute(node: ast.ImportFrom, path: Path, package: Path) -> str:
    """Return the dotted name after `from`, without leading dots."""
    if not node.level:
        return node.module or ""
    folder = ("iomsim", *path.parent.relative_to(package).parts)
    return ".".join([*folder[: len(folder) - node.level + 1], *filter(None, [node.module])])


def targets(node: ast.AST, path: Path, package: Path) -> list[str]:
    """Return the dotted names below iomsim that a statement imports."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        origin = absolute(node, path, package)
        names = [f"{origin}.{alias.name}" for alias in node.names]
    else:
        return []
    return [name.partition(".")[2] for name in names if name.split(".")[0] == "iomsim"]


def home(name: str, there: Collection[str]) -> str:
    """Cut a dotted name back to the module it lies in: `rules.Rules` is in `rules`."""
    while name and name not in there and name not in LEVEL:
        name = name.rpartition(".")[0]
    return name or "__init__"


def statements(tree: ast.AST, eager: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node, and whether it runs when the module is loaded."""
    for child in ast.iter_child_nodes(tree):
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or for_types(child)
        yield child, eager and not later
        yield from statements(child, eager and not later)


def for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(package: Path) -> list[Import]:
    there = modules(package)
    return [
        Import(source, home(target, there), getattr(node, "lineno", 0), eager)
        for source, path in there.items()
        for node, eager in statements(ast.parse(path.read_text(encoding="utf-8")))
        for target in targets(node, path, package)
    ]


def points_down(arrow: Import) -> bool:
    source, target = top(arrow.source), top(arrow.target)
    if source == target:
        return "." in arrow.source or "." in arrow.target
    if not {source, target} <= set(LEVEL):
        return True  # a test of its own asks for the layer
    return LEVEL[target] < LEVEL[source]


def is_meant(arrow: Import) -> bool:
    return not arrow.eager and (top(arrow.source), top(arrow.target)) in UPWARD


def upward(package: Path) -> list[str]:
    """Return the imports that break the order, in words."""
    return [str(arrow) for arrow in imports(package) if not points_down(arrow) and not is_meant(arrow)]


def without_layer(package: Path) -> set[str]:
    return {top(name) for name in modules(package)} - set(LEVEL)


def loading(package: Path) -> dict[str, set[str]]:
    """Return which modules each one loads with itself."""
    graph: dict[str, set[str]] = {name: set() for name in modules(package)}
    for arrow in imports(package):
        if arrow.eager:
            graph[arrow.source].add(arrow.target)
    return graph


def circle(package: Path) -> list[str]:
    """Return modules that load each other in a circle, if there are any."""
    try:
        TopologicalSorter(loading(package)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reach(start: str, package: Path) -> set[str]:
    """Return everything that a module, or a sub-package, imports, directly or through others."""
    arrows = imports(package)
    found, new = set(), {name for name in modules(package) if top(name) == start}
    while new:
        found |= new
        new = {arrow.target for arrow in arrows if arrow.source in new} - found
    return {top(name) for name in found} - {start}


def test_every_module_has_a_layer() -> None:
    assert not without_layer(PACKAGE)


def test_no_module_is_in_two_layers() -> None:
    assert len(LAYERS.split()) == len(LEVEL)


def test_imports_point_downwards() -> None:
    assert not upward(PACKAGE)


def test_nothing_is_loaded_in_circles() -> None:
    assert not circle(PACKAGE)


def test_every_exception_is_still_needed() -> None:
    there = {(top(arrow.source), top(arrow.target)) for arrow in imports(PACKAGE)}
    assert set(UPWARD) <= there
    assert all(LEVEL[target] >= LEVEL[source] for source, target in UPWARD)


@pytest.mark.parametrize(("one", "other"), [APART, APART[::-1]])
def test_the_kernel_and_its_analytic_twin_share_no_road(one: str, other: str) -> None:
    assert other not in reach(one, PACKAGE)


def test_the_evidence_computes_nothing() -> None:
    for path in (ROOT / "seeds").rglob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body), path


@pytest.fixture(scope="module")
def as_it_is() -> list[str]:
    """Return what the package is blamed for unspoilt: nothing, or each plant would not be to blame alone."""
    return upward(PACKAGE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package, to be spoilt."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "iomsim", ignore=shutil.ignore_patterns("__pycache__")))


def plant(package: Path, module: str, text: str) -> None:
    path = package / f"{module}.py"
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(before + "\n" + text + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("rules", "from iomsim.forecasting.forecast import Forecast"),
        ("rules", "import iomsim.forecast as results"),
        ("rules", "import numpy, iomsim.forecast"),
        ("rules", "from iomsim import forecast"),
        ("rules", "from iomsim import Forecast"),
        ("rules", "import iomsim"),
        ("rules", "from .forecast import Forecast"),
        ("rules", "from . import forecast"),
        ("rules", "def late():\n    from iomsim.forecasting.forecast import Forecast"),
        ("rules", "class Late:\n    def late(self):\n        import iomsim.forecast"),
        ("rules", "try:\n    from iomsim.engine.rng import BLOCK\nexcept ImportError:\n    pass"),
        ("rules", "if TYPE_CHECKING:\n    from iomsim.forecasting.forecast import Forecast"),
        ("forecast", "from iomsim.charts import Plots"),
        ("charts/planted", "from ..cli import main"),
        ("charts/planted", "from iomsim.charts.report import page"),
        ("kernel", "from iomsim.exact import poisson_binomial"),
    ],
)
def test_an_upward_import_is_seen(copy: Path, as_it_is: list[str], module: str, text: str) -> None:
    plant(copy, module, text)
    [found] = set(upward(copy)) - set(as_it_is)
    assert found.startswith(module.replace("/", "."))


@pytest.mark.parametrize(
    "text",
    [
        "from iomsim import errors",
        "from ..forecast import Forecast",
        "from . import planted_too",
        "def late():\n    from iomsim.forecasting.summary import Summary",
        "import iomsimulator, numpy",
        "from __future__ import annotations",
    ],
)
def test_a_downward_import_is_not_blamed(copy: Path, as_it_is: list[str], text: str) -> None:
    plant(copy, "charts/planted_too", "")
    plant(copy, "charts/planted", text)
    assert upward(copy) == as_it_is


def test_a_module_without_a_layer_is_seen(copy: Path) -> None:
    plant(copy, "stray", "")
    assert without_layer(copy) - without_layer(PACKAGE) == {"stray"}


def test_a_circle_within_a_subpackage_is_seen(copy: Path) -> None:
    plant(copy, "charts/one", "from iomsim.charts import other")
    plant(copy, "charts/other", "from iomsim.charts.one import x")
    assert {"charts.one", "charts.other"} <= set(circle(copy))


def test_a_road_through_a_third_module_is_seen(copy: Path) -> None:
    plant(copy, "kernel", "def late():\n    from iomsim import between")
    plant(copy, "between", "from iomsim.exact.tallies import poisson_binomial")
    assert "exact" in reach("kernel", copy)
