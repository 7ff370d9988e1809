"""Descriptions as TOML."""

from __future__ import annotations

from typing import Any

import tomli_w
from pydantic import BaseModel

from iomsim.model.components import written_rules
from iomsim.rules.ruleset import Rules


def dumps(description: BaseModel) -> str:
    """Return a description as TOML, leaving out what says nothing."""
    return tomli_w.dumps(_plain(description))


def _plain(value: Any) -> Any:
    """Turn a description into what TOML knows."""
    if isinstance(value, BaseModel):
        pairs = ((key, getattr(value, key)) for key in type(value).model_fields)
        return {key: _plain(part) for key, part in pairs if part is not None and part != () and part != {}}
    if isinstance(value, Rules):
        return written_rules(value)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
