"""Descriptions as TOML."""

from __future__ import annotations

import math
from typing import Any

import tomli_w
from pydantic import BaseModel

from iomsim.model.components import WeightedReading, is_unsaid, written_rules
from iomsim.model.ledger import Pledge
from iomsim.rules.procedure import Procedure


def dumps(description: BaseModel) -> str:
    """Return a description as TOML, leaving out what says nothing."""
    table = _plain(description)
    for candidate in table.get("candidates", ()):
        if candidate["name"] in table.get("level", {}):
            candidate.pop("appeal", None)  # it follows from the level
    return tomli_w.dumps(table)


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
