"""Numbers that remember where they came from, and the models that hold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import time
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn, Self, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from iomsim.engine import paths
from iomsim.errors import ScenarioError, quote
from iomsim.house_style import unfit_name, unfit_text
from iomsim.model.docs import Help, with_attributes
from iomsim.model.messages import WORDS, expected, in_words, plain
from iomsim.rules.procedure import GIVEN, Grade

Number = Annotated[float, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]


def _refuse(unfit: Callable[[str], str]) -> AfterValidator:
    """Refuse texts that cannot be shown."""

    def check(text: str) -> str:
        if said := unfit(text):
            raise ValueError(said)
        return text

    return AfterValidator(check)


Name = Annotated[str, Field(min_length=1), _refuse(unfit_name)]
"""What something is called: on one line, and no sign of it turns or steers what stands around it."""

Line = Annotated[str, _refuse(lambda text: text and unfit_name(text))]
"""A title, which may be empty."""

Selector = Annotated[str, _refuse(lambda text: text and unfit_name(text, LONGEST_SELECTOR))]
"""What members are chosen by: it is repeated where a group of them is named."""

Text = Annotated[str, _refuse(unfit_text)]
"""A text of some lines."""

LONGEST_SELECTOR = 2_000
"""Signs of what members are chosen by."""

MODEL = "the model's default"

RANGE = ("value", "low", "high")

K = TypeVar("K")
V = TypeVar("V")


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:  # it has no public name
    ModelMetaclass = type(BaseModel)


class Spoken(ModelMetaclass):
    """Has a description that is made by hand refused in our words, as one from a file is."""

    def __call__(cls: Any, *args: Any, **data: Any) -> Any:
        """Make one."""
        if args:
            parts = ", ".join(list(cls.model_fields)[:3])
            raise ScenarioError(
                f"the parts of {cls.__name__} are given by name ({parts}), got {quote(args[0])} without"
            )
        with in_words(cls, data, cls.__name__.lower()):
            return ModelMetaclass.__call__(cls, **data)


class FrozenModel(BaseModel, metaclass=Spoken):
    """A description: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Have the help of a class tell its fields, if these say what they mean."""
        told = [attribute(key, field) for key, field in cls.model_fields.items() if field.description]
        if told:
            cls.__doc__ = with_attributes(cls.__doc__ or "", told)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Return the description that a mapping holds."""
        with in_words(cls, obj, cls.__name__.lower()):
            return super().model_validate(obj, **options)

    def _label(self, key: str, part: str | None = None) -> str:
        """Return what readers of a chart call the parameter of a field, or a part of it."""
        return type(self).model_fields[key].title or key

    def __dir__(self) -> list[str]:
        """Return our names, not pydantic's, for completion."""
        ours = [kind for kind in type(self).__mro__ if kind.__module__.startswith("iomsim.")]
        names = {name for kind in ours for name in vars(kind) if not name.startswith(("_", "model_"))}
        return sorted(names | set(type(self).model_fields))

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


class FrozenDict(dict[K, V]):
    """A dict inside a description: it can be read, and not changed.

    Examples
    --------
    >>> FrozenDict(nato=1.5)["nato"]
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


class Quantity(FrozenModel):
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
    unit: Line = ""
    grade: Grade = "assumed"
    source: Text = GIVEN

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

    def __repr__(self) -> str:
        """Return the value with its range, unit and grade."""
        return f"{self} [{self.grade}]"

    def __str__(self) -> str:
        """Return the value with its range and unit."""
        value, low, high = in_digits(self.value, self.low, self.high)
        span = "" if self.low == self.high else f" ({low} to {high})"
        return f"{value}{span} {self.unit}".rstrip()


WORDS[Quantity] = "a number, or a table with value, low and high"


def in_order(quantity: Quantity) -> tuple[float, float, float]:
    """Return the value of a quantity and both ends of its range."""
    return quantity.value, quantity.low, quantity.high


def in_digits(*numbers: float) -> tuple[str, ...]:
    """Return numbers as readers are told them: three significant digits, more only to tell different ones apart.

    Examples
    --------
    >>> in_digits(0.227272727), in_digits(0.4, 0.40004), in_digits(1440, 999.8, 0.5)
    (('0.227',), ('0.4', '0.40004'), ('1440', '1000', '0.5'))
    """
    for digits in range(3, 18):
        told = tuple(map(_told, numbers, [digits] * len(numbers)))
        if len(set(told)) == len(set(numbers)):
            break
    return told


def _told(x: float, digits: int) -> str:
    """Return a number in so many digits; one with more before its point is told to the unit."""
    short = float(f"{x:.{digits}g}") + 0.0
    return f"{short:.{digits}g}" if abs(short) < 10**digits else f"{round(x):g}"


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
    """What values a parameter may take, with the words for it; `low` itself may be left out.

    `link` is the scale on which its range is symmetric: "identity", "log" or "logit" (see :mod:`iomsim.model.links`).
    """

    words: str
    low: float
    high: float
    without_low: bool = False
    link: str = "identity"

    @property
    def least(self) -> float:
        """The least value inside."""
        return math.nextafter(self.low, math.inf) if self.without_low else self.low

    def fit(self, x: Any) -> Any:
        """Return whether values lie inside, elementwise; what is no number does not."""
        return (x > self.low if self.without_low else x >= self.low) & (x <= self.high)

    def check(self, quantity: Quantity) -> Quantity:
        """Refuse a quantity that reaches outside."""
        for key in RANGE:
            if not self.fit(getattr(quantity, key)):
                raise ValueError(f"{_named(key)}must be {self.words}, got {getattr(quantity, key):g}")
        return quantity

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Have pydantic check the fields that are annotated with these bounds."""
        return core_schema.no_info_after_validator_function(self.check, handler(kind))


FINITE = "between -1e6 and 1e6"
"""Log-odds and weights lie far beyond certainty, but every number of the model stays finite."""

PROBABILITIES = Bounds("between 0 and 1", 0, 1, link="logit")
LEVELS = Bounds("above 0 and below 1", 0, math.nextafter(1, 0), without_low=True, link="logit")
LOG_ODDS = Bounds(FINITE, -1e6, 1e6)
WEIGHTS = Bounds(FINITE, -1e6, 1e6, link="log")
STRENGTHS = Bounds("between 0 and 1e6", 0, 1e6, link="log")

Probability = Annotated[Quantity, PROBABILITIES]
Level = Annotated[Quantity, LEVELS]
LogOdds = Annotated[Quantity, LOG_ODDS]
Weight = Annotated[Quantity, WEIGHTS]
Strength = Annotated[Quantity, STRENGTHS]
Spread = Annotated[Quantity, Bounds("between 0 and 1000", 0, 1000, link="log")]
LogSpread = Annotated[Quantity, Bounds("between 0 and 10", 0, 10, link="log")]
Shape = Annotated[Quantity, Bounds("between 1e-12 and 1e12", 1e-12, 1e12, link="log")]
Minutes = Annotated[Quantity, Bounds("above 0 and at most 1440", 0, 1440, without_low=True, link="log")]
Pause = Annotated[Quantity, Bounds("between 0 and 10080", 0, 10080, link="log")]
PaceSpread = Annotated[Quantity, Bounds("between 0 and 1.5", 0, 1.5, link="log")]


# Where in an election a parameter acts.
LEAN = "where members stand"
PRESENT = "who is there"
PAPERS = "papers of every round"
BETWEEN = "between rounds"
BETWEEN_TWO = "after a ballot between two"
ALONE = "a vote on one alone"
CLOCK = "the clock"

SETTING = "float or (value, low, high)"
"""What a method takes that sets a parameter."""


def default(
    value: float, low: float, high: float, unit: str, label: str | None = None, source: str = MODEL, acts: str = ""
) -> Any:
    """Return the field of a parameter: its default, which is assumed, what readers of a chart call it, where it acts.

    What it means is said in the docstring below it.
    """
    return stated(unit, acts, Quantity(value=value, low=low, high=high, unit=unit, source=source), label)


def stated(unit: str, acts: str, default: Any = ..., label: str | None = None) -> Any:
    """Return the field of parameters: their unit, and where in an election they act; without a default, all state them.

    Both are in the schema of files, too.
    """
    return Field(default, title=label, json_schema_extra={"unit": unit, "acts": acts})


def attribute(key: str, field: FieldInfo) -> Help:
    """Return what is said of a field in the help of its class."""
    return Help(key, _type_in_words(field.annotation) + ("" if field.is_required() else ", optional"), in_full(field))


def keyword(key: str, field: FieldInfo, now: Any = None) -> Help:
    """Return what is said of a field in the help of a method that sets it; `now` is what an object has there."""
    return Help(key, SETTING if _bounds_of(field) else expected(field.annotation), in_full(field, now))


def meaning(field: FieldInfo) -> str:
    """Return what a field means.

    Examples
    --------
    >>> from iomsim.model.components import Sponsor
    >>> meaning(Sponsor.model_fields["strength"])
    'By how much it moves the average member in public.'
    """
    return " ".join((field.description or "").split())


def in_full(field: FieldInfo, now: Any = None) -> str:
    """Return what a field means, and of a parameter its unit, what values it may take, and what it is.

    Examples
    --------
    >>> from iomsim.model.components import Sponsor
    >>> in_full(Sponsor.model_fields["strength"])
    'By how much it moves the average member in public. In log-odds, between 0 and 1e6.'
    """
    said, bounds = meaning(field), _bounds_of(field)
    if bounds is None:
        return said if now in (None, ()) else f"{said} Now {_said(now)}."
    used = field.default if now is None else now
    stands = f"; {'default' if now is None else 'now'} {used}" if isinstance(used, Quantity) else ""
    unit = "" if stands else f"in {unit_of(field)}, "
    words = f"{unit}{bounds.words}{stands}."
    return f"{said} {words[0].upper()}{words[1:]}"


def unit_of(field: FieldInfo) -> str:
    """Return the unit of the parameters of a field."""
    return str(_extra(field)["unit"])


def acts(field: FieldInfo) -> str:
    """Return where in an election the parameters of a field act; "" if it holds none."""
    return str(_extra(field).get("acts", ""))


def _extra(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def _bounds_of(field: FieldInfo) -> Bounds | None:
    return next((note for note in field.metadata if isinstance(note, Bounds)), None)


def _type_in_words(wanted: Any) -> str:
    """Return what a field holds, as its class is called.

    Examples
    --------
    >>> _type_in_words(tuple[str, ...] | None), _type_in_words(dict[str, Weight])
    ('tuple of str', 'dict of Quantity')
    """
    wanted = plain(wanted)
    kind, parts = get_origin(wanted), get_args(wanted)
    if kind is tuple:
        pair = parts[-1] is not Ellipsis
        return f"({', '.join(map(_type_in_words, parts))})" if pair else f"tuple of {_type_in_words(parts[0])}"
    if kind is dict:
        return f"dict of {_type_in_words(parts[1])}"
    return " or ".join(map(_type_in_words, parts)) if parts else wanted.__name__


class Parameter(NamedTuple):
    """A quantity within a description: where it lies, what values it may take, what readers call it, and its field."""

    keys: tuple[str, ...]
    quantity: Quantity
    bounds: Bounds
    label: str
    field: FieldInfo

    @property
    def path(self) -> str:
        """The dotted path."""
        return paths.joined(self.keys)


def walk(model: FrozenModel, keys: tuple[str, ...] = ()) -> Iterator[Parameter]:
    """Yield every parameter below a description; what it holds from before is none of them."""
    for key, field in type(model).model_fields.items():
        if key == "held":
            continue
        value, here = getattr(model, key), (*keys, key)
        if isinstance(value, Quantity):
            bounds = next(note for note in field.metadata if isinstance(note, Bounds))
            yield Parameter(here, value, bounds, model._label(key), field)
        elif isinstance(value, FrozenModel):
            yield from walk(value, here)
        elif isinstance(value, dict):
            for part, weight in value.items():
                if isinstance(weight, Quantity):
                    yield Parameter((*here, part), weight, _bounds_of_parts(field), model._label(key, part), field)
        elif isinstance(value, tuple):
            for part in value:
                if isinstance(part, FrozenModel):
                    yield from walk(part, (*here, part.name))  # type: ignore[attr-defined]


def _bounds_of_parts(field: Any) -> Bounds:
    """Return the bounds of what a field keeps by name: ``dict[str, Weight]``."""
    return next(note for note in get_args(get_args(field.annotation)[1])[1:] if isinstance(note, Bounds))


def put(tree: Any, keys: tuple[str, ...], value: Any) -> Any:
    """Return a copy of nested descriptions with the leaf at `keys` replaced; things in a tuple go by their names."""
    if not keys:
        return value
    head, rest = keys[0], keys[1:]
    if isinstance(tree, tuple):
        return tuple(put(thing, rest, value) if dict(thing)["name"] == head else thing for thing in tree)
    return {**dict(tree), head: put(dict(tree)[head], rest, value)}


def replace_quantities(tree: Any, by: Callable[[], str]) -> Any:
    """Return a dumped description with every quantity replaced, in the order of :func:`walk`."""
    if isinstance(tree, dict):
        is_quantity = set(tree) == set(Quantity.model_fields)
        return by() if is_quantity else {key: replace_quantities(part, by) for key, part in tree.items()}
    return [replace_quantities(part, by) for part in tree] if isinstance(tree, list) else tree
