"""Descriptions as TOML."""

from __future__ import annotations

from typing import Any

import tomli_w
from pydantic import BaseModel

from iomsim.model.components import written_rules
from iomsim.rules.procedure import Procedure


def dumps(description: BaseModel) -> str:
    """Return a description as TOML, leaving out what says nothing."""
    return tomli_w.dumps(_plain(description))


def _plain(value: Any) -> Any:
    """Turn a description into what TOML knows."""
    if isinstance(value, BaseModel):
        pairs = ((key, getattr(value, key)) for key in type(value).model_fields)
        return {
            key: written_rules(part, getattr(value, "body", "")) if isinstance(part, Procedure) else _plain(part)
            for key, part in pairs
            if part not in (None, (), {}) and (key, part) != ("body", "")
        }
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
