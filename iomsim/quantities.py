"""Numbers that remember where they came from, and the models that hold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from iomsim.errors import ScenarioError, advice

Grade = Literal["verified", "inferred", "recalled", "assumed"]

GIVEN = "given by the user"


class Frozen(BaseModel):
    """A description: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


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

    value: float
    low: float
    high: float
    unit: str = ""
    grade: Grade = "assumed"
    source: str = GIVEN

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, (int, float, dict)):
            return data
        parts = dict(data) if isinstance(data, dict) else {"value": data}
        if "value" in parts:
            parts.setdefault("low", parts["value"])
            parts.setdefault("high", parts["value"])
        return parts

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for key in ("value", "low", "high"):
            if not math.isfinite(getattr(self, key)):
                raise ValueError(f"{key} must be a finite number, got {getattr(self, key)}")
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"low <= value <= high must hold, got low {self.low:g}, value {self.value:g}, high {self.high:g}"
            )
        return self

    def __float__(self) -> float:
        """Return the value."""
        return self.value

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

    def __str__(self) -> str:
        """Return the value with its range and unit."""
        span = "" if self.low == self.high else f" ({self.low:g} to {self.high:g})"
        return f"{self.value:g}{span} {self.unit}".rstrip()


def _first_source(source: str) -> str:
    """Return the source that stood there before the user changed the value."""
    return source.rsplit(": ", 1)[-1].rstrip(")") if source.startswith("set to ") else source


def _bounded(words: str, fits: Callable[[float], bool]) -> AfterValidator:
    def check(quantity: Quantity) -> Quantity:
        for key in ("value", "low", "high"):
            if not fits(getattr(quantity, key)):
                raise ValueError(f"{key} must be {words}, got {getattr(quantity, key):g}")
        return quantity

    return AfterValidator(check)


Probability = Annotated[Quantity, _bounded("between 0 and 1", lambda x: 0 <= x <= 1)]
Spread = Annotated[Quantity, _bounded("0 or more", lambda x: x >= 0)]
Positive = Annotated[Quantity, _bounded("above 0", lambda x: x > 0)]


def quantity(value: float, low: float, high: float, unit: str, source: str, grade: Grade = "assumed") -> Quantity:
    """Return a default parameter."""
    return Quantity(value=value, low=low, high=high, unit=unit, grade=grade, source=source)


def walk(model: Any, path: str = "") -> Iterator[tuple[str, Quantity]]:
    """Yield every quantity below a description with its dotted path."""
    if isinstance(model, Quantity):
        yield path, model
        return
    for key, child in _children(model):
        yield from walk(child, f"{path}.{key}" if path else key)


def _children(model: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(model, BaseModel):
        for key in type(model).model_fields:
            yield key, getattr(model, key)
    elif isinstance(model, dict):
        yield from model.items()
    elif isinstance(model, tuple):
        for child in model:
            if isinstance(child, BaseModel) and hasattr(child, "name"):
                yield str(child.name), child


def explain(error: ValidationError, model: type[BaseModel], where: str) -> ScenarioError:
    """Turn pydantic's report into one sentence per problem, naming key and nearest valid key."""
    return ScenarioError("\n".join(_sentence(problem, model, where) for problem in error.errors()))


def _sentence(problem: Any, model: type[BaseModel], where: str) -> str:
    path = [str(part) for part in problem["loc"] if part not in ("function-after", "function-before")]
    name = ".".join(path) or "the file"
    got = problem.get("input")
    match problem["type"]:
        case "extra_forbidden":
            options = _fields_at(model, problem["loc"][:-1])
            return f"{where}: unknown key {name!r}; {advice(path[-1], options)}"
        case "missing":
            return f"{where}: {name!r} is missing"
        case "value_error":
            return ": ".join([where, *filter(None, [".".join(path)]), str(problem["ctx"]["error"])])
        case _:
            return f"{where}: {name}: {problem['msg'].lower()}, got {_short(got)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields_at(model: Any, loc: tuple[Any, ...]) -> list[str]:
    """Return the valid keys of the model found at `loc` below `model`."""
    for part in loc:
        if isinstance(part, int):
            continue
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            continue
        model = _model_in(field.annotation) or model
    return list(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
