"""Descriptions as TOML, read and written."""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any

import tomli_w
from pydantic import BaseModel

from iomsim.errors import FileError, ScenarioError
from iomsim.model.components import WeightedReading, is_unsaid, written_rules
from iomsim.model.ledger import Pledge
from iomsim.model.tables import MOST_BYTES
from iomsim.rules.procedure import Procedure

KEY = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
DEEP = re.compile(rf"""(?<![\w.-])(?:{KEY}[ \t]*+\.[ \t]*+){{200}}""")
"""A key of more parts than any has; a reader takes time that grows as the square of their number."""


def parsed(text: str, where: str) -> dict[str, Any]:
    """Return what a TOML text says.

    Raises
    ------
    FileError
        If it is none, or no reader can take it: a sentence that begins with `where`.

    Examples
    --------
    >>> parsed("a.b = 1", "x.toml"), len(parsed("", "x.toml"))
    ({'a': {'b': 1}}, 0)
    >>> parsed("a = " + "9" * 5000, "x.toml")
    Traceback (most recent call last):
    iomsim.errors.FileError: x.toml is not valid TOML: it holds a number of thousands of digits
    """
    no = f"{where} is not valid TOML"
    if DEEP.search(text):
        raise FileError(f"{no}: it holds a key of more than 200 parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{no}: {error}") from None
    except RecursionError:
        raise FileError(f"{no}: it holds lists or tables within lists or tables, hundreds of them") from None
    except ValueError:
        raise FileError(f"{no}: it holds a number of thousands of digits") from None


def dumps(description: BaseModel) -> str:
    """Return a description as TOML, leaving out what says nothing.

    Raises
    ------
    ScenarioError
        If it is longer than what is read.
    """
    table = _plain(description)
    for candidate in table.get("candidates", ()):
        if candidate["name"] in table.get("level", {}):
            candidate.pop("appeal", None)  # it follows from the level
    text = tomli_w.dumps(table)
    if len(text.encode()) > MOST_BYTES:
        most = f"{MOST_BYTES // 10**6} MB, the most that is read"
        raise ScenarioError(f"as TOML it has more than {most}; leave out columns of the member table that are not used")
    return text


def _plain(value: Any, id: str = "") -> Any:
    """Turn a description into what TOML knows."""
    if isinstance(value, BaseModel):
        if isinstance(value, WeightedReading):
            return _reading(value, id)
        id = getattr(value, "body", id)
        pairs = ((key, getattr(value, key)) for key in type(value).model_fields)
        return {
            key: written_rules(part, id) if isinstance(part, Procedure) else _plain(part, id)
            for key, part in pairs
            if part not in (None, (), {}) and (key, part) != ("body", "")
            if part != "" or not isinstance(value, Pledge)
            if not is_unsaid(value, key)
            if key != "rules" or not _follows(part, getattr(value, "readings", ()))
        }
    if isinstance(value, dict):
        return {key: _plain(math.nan if part is None else part, id) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part, id) for part in value]
    return value


def _follows(rules: Any, readings: tuple[WeightedReading, ...]) -> bool:
    """Return whether rules are those of the weightiest reading, the first of several: they need not be stated."""
    return bool(readings) and max(readings, key=lambda part: part.weight).rules == rules


def _reading(part: WeightedReading, id: str) -> dict[str, Any]:
    """Return a weighed reading, one of the body's by its name."""
    rules = written_rules(part.rules, id)
    told = {"weight": part.weight, "grade": part.grade, "source": part.source}
    return {"name": part.name, **told} if set(rules) == {"name", "grade", "source"} else {"rules": rules, **told}
