"""Help that is made from what fields say of themselves: attributes of classes, parameters of methods, signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from inspect import Parameter, Signature, cleandoc, signature
from keyword import iskeyword
from textwrap import fill, indent
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

WIDTH = 96


class Help(NamedTuple):
    """What is said of an attribute or a parameter: its name, what it takes, and what it means."""

    name: str
    takes: str
    words: str

    def __str__(self) -> str:
        """Return it as numpydoc has it."""
        return f"{self.name} : {self.takes}\n{indent(fill(self.words, WIDTH), '    ')}"


def with_attributes(doc: str, entries: Iterable[Help]) -> str:
    """Return the docstring of a class with a section of its attributes, before its examples.

    Examples
    --------
    >>> with_attributes("A thing.", [Help("size", "int", "How large.")]).splitlines()[2:]
    ['Attributes', '----------', 'size : int', '    How large.']
    """
    before, examples, rest = cleandoc(doc).partition("\nExamples\n")
    section = "\n".join(["Attributes", "----------", *map(str, entries)])
    return f"{before.rstrip()}\n\n{section}" + (f"\n{examples}{rest}" if examples else "")


def with_parameters(doc: str, entries: Iterable[Help]) -> str:
    r"""Return the docstring of a function in which what it says of its ``**`` is said name by name.

    Examples
    --------
    >>> with_parameters("Sizes.\n**sizes : float\n    By name.\n", [Help("a", "int", "One."), Help("b", "int", "Two.")])
    'Sizes.\na : int\n    One.\nb : int\n    Two.'
    """
    before, _, after = cleandoc(doc).partition("\n**")
    lines = after.splitlines()
    end = next((i for i, line in enumerate(lines[1:], start=1) if not line.startswith(" ")), len(lines))
    return "\n".join([before, *map(str, entries), *lines[end:]])


def attributes_of(doc: str) -> list[Help]:
    """Return what the docstring of a class says of its attributes.

    Examples
    --------
    >>> attributes_of(with_attributes("A thing.", [Help("size", "int", "How large.")]))
    [Help(name='size', takes='int', words='How large.')]
    """
    section = cleandoc(doc).partition("\nAttributes\n----------\n")[2].partition("\n\n")[0]
    found: list[Help] = []
    for line in section.splitlines():
        if line.startswith(" "):
            found[-1] = found[-1]._replace(words=f"{found[-1].words} {line.strip()}".strip())
        else:
            names, _, takes = line.partition(" : ")
            found.append(Help(names, takes, ""))
    return [one._replace(name=name) for one in found for name in one.name.split(", ")]


class _Unchanged:
    """The default of a parameter that leaves things as they are; it is only shown."""

    def __repr__(self) -> str:
        return "unchanged"


def with_names(known: Signature, names: Iterable[str]) -> Signature:
    """Return a signature with names in place of its ``**``; what cannot be a keyword stays behind it.

    Examples
    --------
    >>> def change(*, low=None, **changes): ...
    >>> with_names(signature(change), ["high"])
    <Signature (*, low=None, high=unchanged)>
    """
    fixed = [p for p in known.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    rest = [p for p in known.parameters.values() if p.kind is Parameter.VAR_KEYWORD]
    taken = {p.name for p in fixed}
    names = [name for name in names if name not in taken]
    fit = [name for name in names if name.isidentifier() and not iskeyword(name)]
    named = [Parameter(name, Parameter.KEYWORD_ONLY, default=_Unchanged()) for name in fit]
    return known.replace(parameters=[*fixed, *named, *(rest if len(fit) < len(names) else [])])


class Named:
    """A method whose ``**`` is told name by name, in its help and its signature: those of its class, or of an object.

    Tab completes them, and shift-Tab shows them, in notebooks.
    """

    def __init__(self, function: Callable[..., Any], entries: Callable[[Any], list[Help]]) -> None:
        self._template, self._entries, self.__wrapped__ = _Told(function, entries), entries, function
        self.__doc__ = function.__doc__ = self._template.__doc__
        vars(function)["__signature__"] = self._template.__signature__

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """Return the method of an object, or of the class."""
        return self.__wrapped__ if owner is None else MethodType(self._template.of(owner), owner)


class _Told:
    """A function that works out its help and its signature when they are asked for: many more call it."""

    def __init__(self, function: Callable[..., Any], entries: Callable[[Any], list[Help]]) -> None:
        self._function, self._entries, self._owner = function, entries, None
        self._doc, self._signature = cleandoc(function.__doc__ or ""), signature(function)
        self.__module__, self.__name__, self.__qualname__ = (
            function.__module__,
            function.__name__,
            function.__qualname__,
        )

    def of(self, owner: Any) -> _Told:
        """Return the same for an object."""
        told = copy(self)
        told._owner = owner
        return told

    def __call__(self, /, *args: Any, **options: Any) -> Any:
        """Call the function."""
        return self._function(*args, **options)

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        """The help."""
        entries = self._entries(self._owner)
        return with_parameters(self._doc, entries) if entries else self._doc

    @property
    def __signature__(self) -> Signature:
        """The signature."""
        entries = self._entries(self._owner)
        return with_names(self._signature, [entry.name for entry in entries]) if entries else self._signature


if TYPE_CHECKING:
    F = TypeVar("F", bound=Callable[..., Any])

    def named(entries: Callable[[Any], list[Help]]) -> Callable[[F], F]:
        """Have type checkers see the method as it is."""
        ...
else:

    def named(entries):
        """Have the ``**`` of a method told name by name: `entries` gives them for an object, or for None."""
        return lambda function: Named(function, entries)
