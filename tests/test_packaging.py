"""What is built is what is in the tree, and the two files of metadata say the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from configparser import ConfigParser
from importlib.resources import files
from pathlib import Path

import pytest

import iomsim

ROOT = Path(__file__).parents[1]
EVIDENCE = {path.relative_to(ROOT) for kind in ("csv", "toml") for path in ROOT.glob(f"seeds/**/*.{kind}")}

# Where setup.cfg keeps what a name in pyproject's `dynamic` leaves to it.
DYNAMIC = {
    "version": ("metadata", "version"),
    "description": ("metadata", "description"),
    "readme": ("metadata", "long_description_content_type"),  # the text is made by setup.py
    "authors": ("metadata", "author"),
    "license": ("metadata", "license"),
    "keywords": ("metadata", "keywords"),
    "classifiers": ("metadata", "classifiers"),
    "urls": ("metadata", "project_urls"),
    "dependencies": ("options", "install_requires"),
    "optional-dependencies": ("options.extras_require", "test"),
    "scripts": ("options.entry_points", "console_scripts"),
}


@pytest.fixture(scope="module")
def setup() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def installed_as(path: Path) -> str:
    """Return where a file of the tree lies in the wheel."""
    return ("iomsim" / path if path.parts[0] == "seeds" else path).as_posix()


def test_both_files_name_the_same_package(setup: ConfigParser, project: dict) -> None:
    assert project["name"] == setup["metadata"]["name"] == "iomsim"
    assert project["requires-python"] == setup["options"]["python_requires"]


def test_dynamic_is_exactly_what_setup_cfg_sets(setup: ConfigParser, project: dict) -> None:
    set_there = {name for name, (section, key) in DYNAMIC.items() if setup.has_option(section, key)}
    assert set(project["dynamic"]) == set_there


def test_the_minimum_python_is_the_same_for_the_tools(setup: ConfigParser, project: dict) -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    minimum = project["requires-python"].removeprefix(">=")
    assert setup["mypy"]["python_version"] == minimum
    assert tools["ruff"]["target-version"] == "py" + minimum.replace(".", "")


def test_every_dependency_has_a_lower_bound(setup: ConfigParser) -> None:
    assert all(">=" in line for line in setup["options"]["install_requires"].split())


def test_the_version_is_a_literal_that_can_be_read_without_importing(setup: ConfigParser) -> None:
    module, _, name = setup["metadata"]["version"].removeprefix("attr: ").rpartition(".")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    assert f'{name} = "{iomsim.__version__}"' in source.splitlines()


def test_the_citation_is_of_this_version_and_the_last_of_the_changelog(setup: ConfigParser) -> None:
    said = dict(re.findall(r"^([a-z-]+): (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE))
    assert said["version"] == iomsim.__version__
    assert said["url"] == setup["metadata"]["url"]
    assert said["license"] == setup["metadata"]["license"]
    versions = re.findall(
        r"^## \[(\d\S+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert versions[0] == (said["version"], said["date-released"])


def test_every_package_in_the_tree_is_found() -> None:
    inside = {
        path.parent
        for top in ("iomsim", "seeds")
        for kind in ("py", "csv", "toml")
        for path in ROOT.glob(f"{top}/**/*.{kind}")
    }
    inside -= set(ROOT.glob("seeds/bodies/*"))  # data of the package above: their names may have hyphens
    assert [folder for folder in inside if not (folder / "__init__.py").is_file()] == []


def test_type_hints_are_published() -> None:
    assert (files("iomsim") / "py.typed").is_file()


def test_the_evidence_is_found_where_the_library_looks_for_it() -> None:
    assert EVIDENCE
    for path in EVIDENCE:
        found = files("iomsim.seeds").joinpath(*path.parts[1:])
        assert found.read_bytes() == (ROOT / path).read_bytes()


def run(*command: object, folder: Path) -> str:
    """Return what a program prints; fail with what it complains about."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


LEFT_OUT = (".git", ".venv*", ".*_cache", ".hypothesis", "build", "dist", "out", "site", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions, the wheel from the other, of a copy of the tree: a build leaves files behind."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "tree", ignore=shutil.ignore_patterns(*LEFT_OUT))
    said = run(sys.executable, "-m", "build", "--outdir", folder, folder / "tree", folder=folder)
    assert "ignored" not in said, said
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    [found] = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def source(built: Path) -> Path:
    [found] = built.glob("*.tar.gz")
    return found


@pytest.mark.slow
def test_a_package_index_takes_both(wheel: Path, source: Path, tmp_path: Path) -> None:
    said = run(sys.executable, "-m", "twine", "check", "--strict", wheel, source, folder=tmp_path)
    assert said.count("PASSED") == 2


@pytest.mark.slow
def test_the_readme_on_an_index_leads_to_the_project_and_shows_its_picture(wheel: Path, setup: ConfigParser) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    home = setup["metadata"]["url"]
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", text)
    assert len(links) > 12
    assert [to for _, to in links if not to.startswith(f"{home}/")] == []
    for picture, to in links:
        kind, _, path = to.removeprefix(f"{home}/").partition("/HEAD/")
        assert kind == ("raw" if picture else "blob")
        assert (ROOT / path).exists(), to
    assert any(picture for picture, _ in links)


@pytest.mark.slow
def test_whoever_has_the_source_can_run_the_tests(source: Path) -> None:
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    missing = {name for name in listed.splitlines() if not name.startswith(".git")} - names
    assert missing == set()


@pytest.mark.slow
def test_the_wheel_alone_makes_a_forecast(wheel: Path, tmp_path: Path) -> None:
    """In an environment that has nothing but what the wheel asks for."""
    venv.create(tmp_path / "bare", with_pip=True)
    binaries = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin")
    run(binaries / "python", "-m", "pip", "install", "--quiet", wheel, folder=tmp_path)
    said = run(binaries / "iomsim", "forecast", "--runs", "2000", "--seed", "1", "--out", "out", folder=tmp_path)
    assert "Pope and Vitorino are level" in said
    assert "Pope and Vitorino are level" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_wheel_is_for_every_machine(wheel: Path) -> None:
    assert wheel.name == f"iomsim-{iomsim.__version__}-py3-none-any.whl"


@pytest.mark.slow
def test_the_wheel_holds_all_code_and_evidence_and_no_more(wheel: Path) -> None:
    code = {path.relative_to(ROOT) for top in ("iomsim", "seeds") for path in ROOT.glob(f"{top}/**/*.py")}
    expected = {installed_as(path) for path in code | EVIDENCE} | {
        "iomsim/py.typed",
        "iomsim/__init__.pyi",
        "iomsim/charts/report.css",
        "iomsim/charts/interactive.js",
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert any(name.endswith("LICENSE") for name in names)


@pytest.mark.slow
def test_the_wheel_works_away_from_the_tree(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    program = (
        "import sys; sys.path.insert(0, 'site'); import iomsim\n"
        "assert iomsim.__file__.startswith(sys.argv[1]), iomsim.__file__\n"
        "print(*(iomsim.load(name).title for name in iomsim.catalogue().index), sep='\\n')"
    )
    titles = run(sys.executable, "-I", "-c", program, tmp_path, folder=tmp_path).splitlines()
    assert len(titles) == len(list((ROOT / "seeds/scenarios").glob("*.toml")))
