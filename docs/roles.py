"""Docstrings as they are at run time, with links where they call ``:class:`~iomsim.Phase```, and all defaults right."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import getdoc
from operator import attrgetter
from typing import Any

import griffe

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")

ENTRY = re.compile(r"^ *([\w*, ]+) : .*$", re.MULTILINE)
"""What begins an entry of a list: names, and what they may be."""


class Roles(griffe.Extension):
    """Take the help of functions as Python shows it, lists that are made included; write roles as links."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change a docstring."""
        if obj.docstring is not None:
            text = at_run_time(obj) if obj.is_function else obj.docstring.value
            text = ENTRY.sub(lambda entry: entry[0].replace("``", ""), text)
            obj.docstring.value = ROLE.sub(lambda role: link(obj, role[2], short=bool(role[1])), text)
            if isinstance(obj, griffe.Function):
                mend_defaults(obj, obj.docstring)


def mend_defaults(obj: griffe.Function, docstring: griffe.Docstring) -> None:
    """Give every parameter its own default: of several in one entry, griffe gives all that of the first one.

    Of choices in braces it takes the first.  What an entry says itself stays.
    """
    said = {name for entry in ENTRY.finditer(docstring.value) if "default" in entry[0] for name in entry[1].split(", ")}
    for part in docstring.parsed:
        if isinstance(part, griffe.DocstringSectionParameters):
            for one in part.value:
                if one.name not in said:
                    one.value = obj.parameters[one.name].default if one.name in obj.parameters else None


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
