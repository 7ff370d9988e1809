"""The layers: imports point downwards only, also inside functions, for the type checker, and inside packages."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "iomsim"

# From the ground up.  A module may import its own package's and those of the lines above; nobody imports
# the package `iomsim` itself.
LAYERS = """
    errors interrupts typing _version
    files workers
    house_style
    memory
    rules
    engine
    model
    forecasting
    sensitivity election_day
    validation
    registered
    charts
    cli
    __main__ __init__
"""
LEVEL = {name: level for level, line in enumerate(LAYERS.strip().splitlines()) for name in line.split()}

BRIDGE = ("forecasting/result.py", "iomsim.charts")
"""The one place that reaches upwards, while it runs: a result's ``.plot``."""

FORBIDDEN = {"engine": {"pandas", "pydantic"}, "rules": {"pandas", "pydantic", "scipy"}}
"""Libraries that a layer does without."""


class Import(NamedTuple):
    """One import of a module of iomsim by another."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}, imports {self.target}"


def modules(package: Path) -> dict[str, Path]:
    """Return the modules by their dotted names below the package; a package stands for its `__init__`."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


def top(module: str) -> str:
    return module.partition(".")[0]


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
        names = [f"{absolute(node, path, package)}.{alias.name}" for alias in node.names]
    else:
        return []
    return [name.partition(".")[2] for name in names if top(name) == "iomsim"]


def imports(package: Path) -> list[Import]:
    """Return every import, wherever in a module it stands."""
    there = modules(package)

    def home(name: str) -> str:
        while name and name not in there:
            name = name.rpartition(".")[0]
        return name or "__init__"

    return [
        Import(source, home(target), getattr(node, "lineno", 0))
        for source, path in there.items()
        for node in statements(path.read_text(encoding="utf-8"))
        for target in targets(node, path, package)
    ]


@cache
def statements(text: str) -> list[ast.AST]:
    """Return the imports of a module, wherever they stand."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]


def upward(package: Path) -> list[str]:
    """Return the imports that break the table, in words."""
    return [str(arrow) for arrow in imports(package) if not points_down(top(arrow.source), top(arrow.target))]


def points_down(source: str, target: str) -> bool:
    if not {source, target} <= set(LEVEL):
        return True  # a test of its own asks for the layer
    return LEVEL[target] < LEVEL[source] or (source == target and source != "__init__")


def circle(package: Path) -> list[str]:
    """Return modules that import each other in a circle, if there are any."""
    graph: dict[str, set[str]] = {name: set() for name in modules(package)}
    for arrow in imports(package):
        if not arrow.source.startswith(f"{arrow.target}.") and arrow.source != arrow.target:
            graph[arrow.source].add(arrow.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def dynamic(package: Path) -> set[tuple[str, str]]:
    """Return the modules of iomsim that are imported by their name as a text, and where."""
    call = re.compile(r"(?:import_module|__import__)\(\s*f?[\"'](iomsim[\w.]*)")
    return {
        (path.relative_to(package).as_posix(), name)
        for path in package.rglob("*.py")
        if path != package / "__init__.py"  # above all others, it may load any of them
        for name in call.findall(path.read_text(encoding="utf-8"))
    }


def without_layer(package: Path) -> set[str]:
    return {top(name) for name in modules(package)} - set(LEVEL)


def test_every_module_has_one_layer() -> None:
    assert not without_layer(PACKAGE)
    assert len(LAYERS.split()) == len(LEVEL)


def test_imports_point_downwards() -> None:
    assert not upward(PACKAGE)


def test_nothing_is_imported_in_circles() -> None:
    assert not circle(PACKAGE)


def test_there_is_one_bridge_upwards() -> None:
    assert dynamic(PACKAGE) == {BRIDGE}


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_does_without(layer: str) -> None:
    names = [f"iomsim.{name}" for name in modules(PACKAGE) if top(name) == layer]
    # the package's own __init__ would load everything: it is stood in for by an empty one
    code = (
        "import sys, types; stub = types.ModuleType('iomsim'); "
        f"stub.__path__ = [{str(PACKAGE)!r}]; sys.modules['iomsim'] = stub; import importlib; "
        f"[importlib.import_module(name) for name in {names}]; "
        f"print(sorted({FORBIDDEN[layer]} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_package_says_what_it_knows() -> None:
    for name, path in modules(PACKAGE).items():
        if path.name == "__init__.py" and name != "__init__":
            said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            assert "knows" in said.casefold(), name
            assert "must not" in said or "everything" in said, name


def test_the_evidence_computes_nothing() -> None:
    for path in (ROOT / "seeds").rglob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body), path


# -- what ARCHITECTURE.md and CONTRIBUTING.md name is there ------------------------------------------------

NAMED = re.compile(r"`((?:iomsim|tests|seeds|notebooks|docs|\.ci)/[\w./-]*|[\w./-]+\.(?:py|toml|csv|cfg|md|ipynb))`")


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_what_a_page_names_exists(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len(named) > 5
    missing = [name for name in named if not (ROOT / name).exists() and not (PACKAGE / name).exists()]
    assert not missing


def test_the_picture_shows_every_package_in_its_order() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    picture = text.split("```")[1]
    found = [picture.index(name) for line in reversed(LAYERS.strip().splitlines()[1:-1]) for name in line.split()]
    levels = [picture[:at].count("\n") for at in found]
    assert levels == sorted(levels)


def test_the_pages_are_linked() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"]({page})" in readme for page in ("ARCHITECTURE.md", "CONTRIBUTING.md"))


# -- and each check can fail ---------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package, to be spoilt."""
    return Path(
        shutil.copytree(PACKAGE, tmp_path / "iomsim", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    )


def plant(package: Path, module: str, text: str) -> None:
    path = package / f"{module}.py"
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(before + "\n" + text + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("rules/procedure", "from iomsim.forecasting.forecast import Forecast"),
        ("rules/procedure", "import iomsim.forecasting.forecast as results"),
        ("rules/procedure", "import numpy, iomsim.forecasting"),
        ("rules/procedure", "from iomsim import forecasting"),
        ("rules/procedure", "from iomsim import Forecast"),
        ("rules/procedure", "import iomsim"),
        ("rules/procedure", "from ..forecasting import forecast"),
        ("rules/procedure", "def late():\n    from iomsim.engine.rng import BLOCK"),
        ("rules/procedure", "class Late:\n    def late(self):\n        import iomsim.forecasting"),
        ("rules/procedure", "try:\n    from iomsim.engine.rng import BLOCK\nexcept ImportError:\n    pass"),
        ("rules/procedure", "if TYPE_CHECKING:\n    from iomsim.forecasting.forecast import Forecast"),
        ("forecasting/forecast", "from iomsim.charts import of"),
        ("sensitivity/paired", "from iomsim.election_day import state"),
        ("charts/planted", "from ..cli import main"),
        ("engine/kernel", "from iomsim.model.scenario import Scenario"),
    ],
)
def test_an_upward_import_is_seen(copy: Path, module: str, text: str) -> None:
    before = upward(copy)
    plant(copy, module, text)
    [found] = set(upward(copy)) - set(before)
    assert found.startswith(module.replace("/", "."))


@pytest.mark.parametrize(
    "text",
    [
        "from iomsim import errors",
        "from ..forecasting import Forecast",
        "from . import planted_too",
        "def late():\n    from iomsim.forecasting.summary import Summary",
        "import iomsimulator, numpy",
    ],
)
def test_a_downward_import_is_not_blamed(copy: Path, text: str) -> None:
    before = upward(copy)
    plant(copy, "charts/planted_too", "")
    plant(copy, "charts/planted", text)
    assert upward(copy) == before


def test_a_module_without_a_layer_is_seen(copy: Path) -> None:
    plant(copy, "stray", "")
    assert without_layer(copy) - without_layer(PACKAGE) == {"stray"}


def test_a_circle_of_imports_inside_functions_is_seen(copy: Path) -> None:
    plant(copy, "charts/one", "from iomsim.charts import other")
    plant(copy, "charts/other", "def late():\n    from iomsim.charts.one import x")
    assert {"charts.one", "charts.other"} <= set(circle(copy))


def test_a_second_bridge_is_seen(copy: Path) -> None:
    plant(copy, "engine/kernel", 'def late():\n    return import_module("iomsim.charts")')
    assert ("engine/kernel.py", "iomsim.charts") in dynamic(copy)
