"""What holds all over the package: how values compare, and what arguments are called."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import iomsim

ARRAYS = (np.ndarray, pd.DataFrame, pd.Series)


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(iomsim.__path__, "iomsim."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def dataclasses() -> list[type]:
    own = {
        thing
        for module in modules()
        for thing in vars(module).values()
        if isinstance(thing, type) and is_dataclass(thing) and thing.__module__ == module.__name__
    }
    return sorted(own, key=lambda thing: (thing.__module__, thing.__name__))


def names_in(module: str) -> dict[str, object]:
    """Return what annotations of a module may speak of, whatever it imports for the type checker only."""
    everywhere = {name: thing for other in modules() for name, thing in vars(other).items()}
    return everywhere | vars(importlib.import_module(module))


def parts(annotation: object) -> Iterator[type]:
    """Yield the classes that an annotation is made of."""
    for part in (typing.get_origin(annotation), *typing.get_args(annotation), annotation):
        if isinstance(part, type) and not typing.get_args(part):
            yield part
        elif part is not annotation and part is not None:
            yield from parts(part)


@cache
def compares_arrays(kind: type) -> bool:
    """Return whether a class is compared field by field, and one of the fields is an array or such a class."""
    if issubclass(kind, ARRAYS):
        return True
    if not is_dataclass(kind) or kind.__eq__ is object.__eq__:
        return False
    names = names_in(kind.__module__)
    hints = typing.get_type_hints(kind, names, names)
    return any(compares_arrays(part) for hint in hints.values() for part in parts(hint))


@dataclass(frozen=True)
class Wrong:
    """Equal ones cannot be told: two arrays are not equal or unequal."""

    inside: list[np.ndarray]


def test_a_generated_comparison_of_arrays_is_seen() -> None:
    assert compares_arrays(Wrong)
    one, other = (Wrong([np.arange(3)]) for _ in range(2))
    with pytest.raises(ValueError, match="ambiguous"):
        one == other  # noqa: B015


@pytest.mark.parametrize("kind", dataclasses(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_what_holds_arrays_is_compared_by_identity(kind: type) -> None:
    assert not compares_arrays(kind)


# -- what arguments are called -------------------------------------------------------------------------


PLAYERS = [name for name in iomsim.__all__ if callable(getattr(iomsim, name)) and name[0].islower()]


def off_the_convention(function: typing.Callable) -> list[str]:
    """Return what is unusual in the arguments of a function that plays elections.

    One that follows announcements has particles in place of runs, and may have a seed of its own: a judgement of past
    contests is the same for everybody.
    """
    own = inspect.signature(function).parameters
    if "executor" not in own:
        return []
    follows = "particles" in own
    missing = [name for name in ("particles" if follows else "runs", "seed", "progress") if name not in own]
    by_place = [name for name in ("executor", "progress") if name in own and own[name].kind != KEYWORD]
    usual = {"progress": True} if follows else {"seed": None, "progress": True}
    return missing + by_place + [name for name in usual if name in own and own[name].default is not usual[name]]


KEYWORD = inspect.Parameter.KEYWORD_ONLY


def test_an_unusual_argument_is_seen() -> None:
    def stray(race: object, executor: object = None, *, runs: int = 1, seed: int = 3, progress: bool = False) -> None:
        """Take the executor by its place, and a seed of its own."""

    assert off_the_convention(stray) == ["executor", "seed", "progress"]


@pytest.mark.parametrize("name", PLAYERS)
def test_what_plays_elections_takes_the_same_arguments(name: str) -> None:
    assert not off_the_convention(getattr(iomsim, name))


def test_several_functions_play_elections() -> None:
    """A guard: none would pass as well."""
    assert sum("executor" in inspect.signature(getattr(iomsim, name)).parameters for name in PLAYERS) >= 7


# -- names and modules ----------------------------------------------------------------------------------


MODULES = [module.__name__ for module in modules()]


def test_completion_shows_the_public_names_only() -> None:
    assert dir(iomsim) == sorted(iomsim.__all__)
    assert not [name for name in iomsim.__all__ if isinstance(getattr(iomsim, name), ModuleType)]


def hidden(module: str) -> bool:
    """Return whether something else stands where a module should be found in its package."""
    package, _, name = module.rpartition(".")
    return vars(importlib.import_module(package)).get(name) is not importlib.import_module(module)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_can_be_imported_by_its_name(module: str) -> None:
    assert not hidden(module)
    space: dict[str, object] = {}
    exec(f"import {module} as m", space)
    assert space["m"] is sys.modules[module]


def test_a_hidden_module_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iomsim.model.events", len)
    assert hidden("iomsim.model.events")


def test_no_public_name_is_that_of_a_package() -> None:
    assert len(MODULES) > 60
    assert not {name for name in iomsim.__all__ if f"iomsim.{name}" in MODULES}


# -- what is loaded ------------------------------------------------------------------------------------


HEAVY = ("distributed", "matplotlib", "pandas", "pydantic", "scipy", "tqdm")


def test_importing_it_loads_nothing_heavy() -> None:
    """Most commands and workers need none of these, and half of the wait would be theirs."""
    code = f"import sys, iomsim; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_engine_loads_neither_the_description_nor_tables() -> None:
    code = f"import sys, iomsim.engine.simulate; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_type_checkers_are_told_the_same_names() -> None:
    stub = Path(iomsim.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    told = {
        (alias.asname, node.module)
        for node in ast.walk(ast.parse(stub))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == {(name, f"iomsim.{module}") for name, module in iomsim._HOME.items()}


# -- in whatever language ------------------------------------------------------------------------------


LOCAL = re.compile(
    r"\{[^{}]*:[^{}]*%-?[aAbBcpxX]\b[^{}]*\}|strftime\(.*%-?[aAbBcpxX]\b|^(?:from|import) (?:calendar|locale)\b",
    re.MULTILINE,
)
"""What answers in the language that the program around us has set."""


def asks_the_locale(source: str) -> list[str]:
    """Return what in a module depends on the language that is set."""
    return LOCAL.findall(source)


def test_what_depends_on_the_language_is_seen() -> None:
    assert asks_the_locale('f"{moment:%A} {moment.day} {moment:%H:%M}"') == ["{moment:%A}"]
    assert asks_the_locale("x.strftime('%d %b')") == ["strftime('%d %b"]
    assert asks_the_locale("from calendar import month_name") == ["from calendar"]
    assert asks_the_locale('f"{share:.0%} and {moment:%H:%M} {moment:%Y-%m-%d}"') == []


def test_dates_are_in_english_whatever_language_is_set() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in Path(iomsim.__path__[0]).glob("*/*.py")}
    assert len(sources) > 100
    assert {path.name: asks_the_locale(source) for path, source in sources.items() if asks_the_locale(source)} == {}
