"""What holds all over the package: how values compare, and what arguments are called."""

from __future__ import annotations

import importlib
import pkgutil
import typing
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
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
