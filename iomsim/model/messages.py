"""Why a description is refused, in our words: a sentence per problem, with what would work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from iomsim.engine import paths
from iomsim.errors import FileError, IomsimError, ScenarioError, advice, nearest, quote
from iomsim.house_style import series, unfit_name

WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    date: "a date such as 2023-05-15",
    time: "a time such as 10:00",
    datetime: "a date and time such as 2023-05-15T10:00",
    tuple: "a list",
    dict: "a table",
}
"""What a place takes, by its type; others add theirs."""

TABLES: dict[Any, type[BaseModel]] = {}
"""The tables from which what is no description itself is read; others add theirs."""


MOST_PROBLEMS = 50
"""Problems of a description that are looked at."""


class Place(NamedTuple):
    """Where in a description a problem lies: its path in words, its type, what stands there."""

    path: tuple[str, ...]
    wanted: Any
    got: Any

    @property
    def name(self) -> str:
        """The dotted path."""
        return paths.joined(self.path)


def explain(error: ValidationError, model: type[BaseModel], data: Any, where: str) -> IomsimError:
    """Turn pydantic's report on `data` into one sentence per problem.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    model : type
        The description that was to be made.
    data : mapping, usually
        What it was to be made from.
    where : str
        The file, or the title of the scenario: every sentence begins with it.
    """
    found = list(dict.fromkeys(islice(sentences(error, model, data), MOST_PROBLEMS)))
    kind = (
        FileError
        if {type(problem.get("ctx", {}).get("error")) for problem in error.errors()} == {FileError}
        else ScenarioError
    )
    return kind("\n".join(f"{where}: {sentence}" for sentence in found))


@contextmanager
def in_words(model: type[BaseModel], data: Any, where: str) -> Iterator[None]:
    """Have pydantic's report on `data` raised as :func:`explain` tells it."""
    try:
        yield
    except ValidationError as error:
        raise explain(error, model, data, where) from None


def sentences(error: ValidationError, model: type[BaseModel], data: Any) -> Iterator[str]:
    """Yield a sentence per problem, leaving out what only follows from another one."""
    problems = error.errors(include_url=False)
    spare = [problem for problem in problems if problem["type"] == "extra_forbidden"][:MOST_PROBLEMS]
    misspelt = {(*problem["loc"][:-1], _meant(problem, model)) for problem in spare}
    broken = {problem["loc"][:1] for problem in problems if len(problem["loc"]) > 1}
    for problem in problems:
        if problem["type"] == "missing" and problem["loc"] in misspelt:
            continue  # it is there, under a name that is refused anyway
        if problem["type"] == "too_short" and problem["loc"] in broken:
            continue  # entries that are refused were not counted
        yield _sentence(problem, find(problem["loc"], model, data))


def _meant(problem: Any, model: type[BaseModel]) -> str | None:
    return nearest(str(problem["loc"][-1]), _parts(find(problem["loc"][:-1], model, {}).wanted))


def _sentence(problem: Any, place: Place) -> str:
    name, context = place.name or "it", problem.get("ctx", {})
    got = place.got.isoformat() if isinstance(place.got, date | time) else quote(place.got)
    match problem["type"]:
        case "extra_forbidden":
            key = str(problem["loc"][-1])
            return f"unknown key {quote(paths.joined((*place.path, key)))}; {advice(key, _parts(place.wanted))}"
        case "missing":
            return f"{quote(place.name)} is missing"
        case "value_error" if isinstance(half := context["error"], UnicodeEncodeError):  # pandas keeps texts in pyarrow
            return _joined(place.name, f"must hold whole signs, got {quote(half.object[half.start : half.end])}")
        case "value_error":
            return _joined(place.name, str(context["error"]))
        case "too_short":
            return f"{name} must have at least {context['min_length']} entries, got {context['actual_length']}"
        case "too_long":
            return f"{name} must have at most {context['max_length']} entries, got {context['actual_length']}"
        case "string_too_short":
            return f"{name} must not be empty"
        case "string_unicode":
            return f"{name} must hold whole signs, got {got}"
        case "string_pattern_mismatch":
            return f"{name} must be a hex colour such as '#0072B2', got {got}"
        case _:
            return f"{name} must be {expected(place.wanted)}, got {got}"


def _joined(name: str, said: str) -> str:
    """Put a name before what a validator of ours said, which may be the rest of a sentence."""
    if not name:
        return said
    return f"{name} {said}" if said.startswith(("must ", "is ", "holds ")) else f"{name}: {said}"


# -- where it is -----------------------------------------------------------------------------------


def find(loc: tuple[Any, ...], model: Any, data: Any) -> Place:
    """Return the place that pydantic calls `loc`, as far as it is one of the description.

    Entries of lists are called by their name, if they have one; the branches of a union, which
    pydantic reports one by one, are one place.
    """
    place = Place((), model, data)
    for part in loc:
        inner = _inside(place.wanted, part)
        if inner is None:
            break
        value = _entry(place.got, part)
        place = Place((*place.path, _called(value, part)), inner, value)
    return place


def _inside(wanted: Any, part: Any) -> Any:
    """Return the type of a part of a type, or None if it has no such part."""
    wanted = plain(wanted)
    if wanted in TABLES or _is_model(wanted):
        return plain(_parts(wanted).get(part))
    arguments = get_args(wanted)
    if get_origin(wanted) is dict and isinstance(part, str):
        return plain(arguments[1])
    if get_origin(wanted) is tuple and isinstance(part, int):
        return plain(arguments[0])
    return None


def plain(wanted: Any) -> Any:
    """Return a type without annotations, and without "or nothing".

    Examples
    --------
    >>> plain(Annotated[int, "strict"] | None)
    <class 'int'>
    """
    if get_origin(wanted) is Annotated:
        return plain(get_args(wanted)[0])
    if get_origin(wanted) in (Union, UnionType):
        options = [plain(option) for option in get_args(wanted) if option is not NoneType]
        return options[0] if len(options) == 1 else Union[tuple(options)]  # noqa: UP007
    return wanted


def _is_model(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, BaseModel)


def _parts(wanted: Any) -> dict[str, Any]:
    """Return the keys of a description with the type of each."""
    wanted = TABLES.get(wanted, wanted)
    return {key: field.annotation for key, field in wanted.model_fields.items()} if _is_model(wanted) else {}


def _entry(value: Any, part: Any) -> Any:
    """Return a part of raw data: a key of a mapping, an attribute of a description, an item of a list."""
    try:
        return getattr(value, part) if isinstance(value, BaseModel) else value[part]
    except (KeyError, IndexError, TypeError, AttributeError):
        return value


def _called(value: Any, part: Any) -> str:
    """Return what an entry is called: by its name in a list, else by its key."""
    if not isinstance(part, int):
        return quote(str(part)) if unfit_name(str(part)) else str(part)
    name = _entry(value, "name")
    called = isinstance(name, str) and name is not value and not unfit_name(name)
    return name if called else str(part + 1)


# -- what would work -------------------------------------------------------------------------------


def expected(wanted: Any) -> str:
    """Return in words what a place takes.

    Examples
    --------
    >>> expected(int | Literal["never"] | None)
    "a whole number or 'never'"
    """
    wanted = plain(wanted)
    origin = get_origin(wanted)
    if origin is Literal:
        return series([repr(option) for option in get_args(wanted)], "or")
    if origin in (Union, UnionType):
        return series(list(dict.fromkeys(map(expected, get_args(wanted)))), "or")
    if origin is tuple:
        return f"a list{_of(get_args(wanted)[0])}"
    return WORDS.get(wanted) or WORDS.get(origin) or "a table"


def _of(item: Any) -> str:
    item = plain(item)
    if get_origin(item) is tuple:
        return " of pairs" if item.__args__[-1] is not Ellipsis else " of lists"
    return " of tables" if _is_model(item) or get_origin(item) is dict else " of texts" if item is str else ""
