"""Docstrings as they are at run time; what they call ``:class:`~iomsim.Phase``` is a link on the site."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import getdoc
from operator import attrgetter
from typing import Any

import griffe

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")


class Roles(griffe.Extension):
    """Take the help of functions as Python shows it, lists that are made included; write roles as links."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change a docstring."""
        if obj.docstring is not None:
            text = at_run_time(obj) if obj.is_function else obj.docstring.value
            obj.docstring.value = ROLE.sub(lambda role: link(obj, role[2], short=bool(role[1])), text)


def at_run_time(obj: griffe.Object) -> str:
    """Return the help that Python shows."""
    home = obj.module.path
    return getdoc(attrgetter(obj.path.removeprefix(f"{home}."))(import_module(home))) or ""


def link(obj: griffe.Object, name: str, short: bool) -> str:
    """Return a link to what a docstring names by its path or, being a neighbour, by its name."""
    shown = name.rpartition(".")[2] if short else name
    home = obj if obj.is_class else obj.parent
    path = name if home is None or name.startswith("iomsim.") else f"{home.path}.{name}"
    return f'<autoref identifier="{path}" optional><code>{shown}</code></autoref>'
