"""Numbers that remember where they came from, and the models that hold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import time
from numbers import Real
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from iomsim.errors import ScenarioError

Grade = Literal["verified", "inferred", "recalled", "assumed"]
Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]

GIVEN = "given by the user"

RANGE = ("value", "low", "high")

K = TypeVar("K")
V = TypeVar("V")


class Frozen(BaseModel):
    """A description: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __repr__(self) -> str:
        """Return what it holds, a line for each."""
        held = ((key, getattr(self, key)) for key in type(self).model_fields)
        shown = [f"  {key}: {_said(value)}" for key, value in held if value is not None]
        return "\n".join([type(self).__name__, *shown])

    __str__ = __repr__


def _said(value: Any) -> str:
    """Return a part of a description in words."""
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, tuple):
        pair = len(value) == 2 and isinstance(value[0], time)
        return (" to " if pair else ", ").join(map(_said, value))
    return repr(value) if isinstance(value, Quantity) else str(value)


class Settled(dict[K, V]):
    """A dict inside a description: it can be read, and not changed.

    Examples
    --------
    >>> Settled(nato=1.5)["nato"]
    1.5
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a description cannot be changed; make a changed copy with one of the with_... methods")

    __setitem__ = __delitem__ = __ior__ = _refuse
    pop = popitem = clear = update = setdefault = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickle makes it from, without changing it."""
        return type(self), (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        """Hash by content."""
        return hash(frozenset(self.items()))


class Quantity(Frozen):
    """A parameter: its value, its plausible range, and where it comes from.

    Attributes
    ----------
    value, low, high : float
        The value used and the plausible range around it; the range defaults to the value.
    unit : str
        Unit of the three.
    grade : {"verified", "inferred", "recalled", "assumed"}
        How well it is known.
    source : str
        A fact's id in the table of facts, several ids, or a plain reason.

    Examples
    --------
    >>> Quantity.model_validate(0.4).low
    0.4
    >>> float(Quantity(value=0.4, low=0.2, high=0.6, source="secrecy"))
    0.4
    """

    value: Number
    low: Number
    high: Number
    unit: str = ""
    grade: Grade = "assumed"
    source: str = GIVEN

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, (Real, dict)):
            return data
        parts = dict(data) if isinstance(data, dict) else {"value": data}
        parts |= {key: _as_float(parts[key]) for key in RANGE if key in parts}
        value = parts.get("value")
        range_ = value if isinstance(value, float) else 0.0  # without a value it is refused for that alone
        return {"low": range_, "high": range_} | parts

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for key in RANGE:
            if not math.isfinite(getattr(self, key)):
                raise ValueError(f"{_named(key)}must be a finite number, got {getattr(self, key)}")
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"low <= value <= high must hold, got low {self.low:g}, value {self.value:g}, high {self.high:g}"
            )
        return self

    def __float__(self) -> float:
        """Return the value."""
        return self.value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe it for editors: a plain number will do, and the range may be left out."""
        table = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"type": "number"}, {**table, "required": ["value"]}], "title": "Quantity"}

    def at(self, value: float) -> Quantity:
        """Return a copy set to `value` by the analyst; the range grows to hold it."""
        return Quantity(
            value=value,
            low=min(self.low, value),
            high=max(self.high, value),
            unit=self.unit,
            grade="assumed",
            source=f"set to {value:g} by the user (was {self.value:g}: {_first_source(self.source)})",
        )

    def __repr__(self) -> str:
        """Return the value with its range, unit and grade."""
        return f"{self} [{self.grade}]"

    def __str__(self) -> str:
        """Return the value with its range and unit."""
        span = "" if self.low == self.high else f" ({self.low:g} to {self.high:g})"
        return f"{self.value:g}{span} {self.unit}".rstrip()


def _first_source(source: str) -> str:
    """Return the source that stood there before the user changed the value, as one phrase."""
    first = source.rsplit(": ", 1)[-1].removesuffix(")") if source.startswith("set to ") else source
    return first.replace(", ", "; ")


def _as_float(value: Any) -> Any:
    """Return a number as a float; one beyond all floats is infinite, and refused as that."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _named(key: str) -> str:
    """Return how a complaint names a part of a quantity: the value goes without saying."""
    return "" if key == "value" else f"{key} "


class Bounds(NamedTuple):
    """What values a parameter may take, with the words for it; `low` itself may be left out."""

    words: str
    low: float
    high: float
    without_low: bool = False

    def fit(self, x: Any) -> Any:
        """Return whether values lie inside, elementwise; what is no number does not."""
        return (x > self.low if self.without_low else x >= self.low) & (x <= self.high)

    def check(self, quantity: Quantity) -> Quantity:
        """Refuse a quantity that reaches outside."""
        for key in RANGE:
            if not self.fit(getattr(quantity, key)):
                raise ValueError(f"{_named(key)}must be {self.words}, got {getattr(quantity, key):g}")
        return quantity


LIMIT = 1e6
"""Log-odds and weights lie within this, far beyond certainty: every number of the model stays finite."""

WITHIN = {
    "probability": Bounds("between 0 and 1", 0, 1),
    "log-odds": Bounds("between -1e6 and 1e6", -LIMIT, LIMIT),
    "strength": Bounds("between 0 and 1e6", 0, LIMIT),
    "spread": Bounds("between 0 and 1000", 0, 1000),
    "log-spread": Bounds("between 0 and 10", 0, 10),
    "shape": Bounds("between 1e-12 and 1e12", 1e-12, 1e12),
    "minutes": Bounds("above 0 and at most 1440", 0, 1440, without_low=True),
    "pause": Bounds("between 0 and 10080", 0, 10080),
    "pace spread": Bounds("between 0 and 1.5", 0, 1.5),
}

Probability = Annotated[Quantity, AfterValidator(WITHIN["probability"].check)]
LogOdds = Annotated[Quantity, AfterValidator(WITHIN["log-odds"].check)]
Strength = Annotated[Quantity, AfterValidator(WITHIN["strength"].check)]
Weight = Annotated[Quantity, AfterValidator(WITHIN["log-odds"].check)]
Spread = Annotated[Quantity, AfterValidator(WITHIN["spread"].check)]
LogSpread = Annotated[Quantity, AfterValidator(WITHIN["log-spread"].check)]
Shape = Annotated[Quantity, AfterValidator(WITHIN["shape"].check)]
Minutes = Annotated[Quantity, AfterValidator(WITHIN["minutes"].check)]
Pause = Annotated[Quantity, AfterValidator(WITHIN["pause"].check)]
PaceSpread = Annotated[Quantity, AfterValidator(WITHIN["pace spread"].check)]


def quantity(value: float, low: float, high: float, unit: str, source: str) -> Quantity:
    """Return a default parameter; it is assumed."""
    return Quantity(value=value, low=low, high=high, unit=unit, grade="assumed", source=source)


def walk(model: Any, path: str = "") -> Iterator[tuple[str, Quantity]]:
    """Yield every quantity below a description with its dotted path."""
    return ((found, quantity) for found, quantity, _ in walk_with_bounds(model, path))


def walk_with_bounds(
    model: Any, path: str = "", within: Bounds = WITHIN["log-odds"]
) -> Iterator[tuple[str, Quantity, Bounds]]:
    """Yield every quantity below a description with its dotted path, and the bounds of its place."""
    if isinstance(model, Quantity):
        yield path, model, within
        return
    for key, child, bounds in _children(model):
        yield from walk_with_bounds(child, f"{path}.{key}" if path else key, bounds)


def _children(model: Any) -> Iterator[tuple[str, Any, Bounds]]:
    """Yield the parts of a description by key; where no bounds are stated they are those of weights."""
    usual = WITHIN["log-odds"]
    if isinstance(model, BaseModel):
        for key, field in type(model).model_fields.items():
            stated = (getattr(getattr(note, "func", None), "__self__", None) for note in field.metadata)
            yield key, getattr(model, key), next((x for x in stated if isinstance(x, Bounds)), usual)
    elif isinstance(model, dict):
        yield from ((key, part, usual) for key, part in model.items())
    elif isinstance(model, tuple):
        for child in model:
            if isinstance(child, BaseModel) and hasattr(child, "name"):
                yield str(child.name), child, usual


def put(tree: Any, path: str, value: Any) -> Any:
    """Return a copy of nested descriptions with the leaf at the dotted `path` replaced."""
    if not path:
        return value
    if isinstance(tree, tuple):
        things = [dict(thing) for thing in tree]
        head, rest = _key([thing["name"] for thing in things], path)
        return tuple(put(thing, rest, value) if thing["name"] == head else thing for thing in things)
    head, rest = _key(dict(tree), path)
    return {**dict(tree), head: put(dict(tree)[head], rest, value)}


def _key(keys: Iterable[str], path: str) -> tuple[str, str]:
    """Split off the key that a path begins with; a name or a selector may itself hold dots."""
    for key in keys:
        if path == key or path.startswith(f"{key}."):
            return key, path[len(key) + 1 :]
    raise ScenarioError(f"no parameter {path!r}")


def replace_quantities(tree: Any, by: Callable[[], str]) -> Any:
    """Return a dumped description with every quantity replaced, in the order of :func:`walk`."""
    if isinstance(tree, dict):
        is_quantity = set(tree) == set(Quantity.model_fields)
        return by() if is_quantity else {key: replace_quantities(part, by) for key, part in tree.items()}
    return [replace_quantities(part, by) for part in tree] if isinstance(tree, list) else tree
