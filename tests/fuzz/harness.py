"""Cases that nobody would write by hand: a case is valid, or it is refused in one clear sentence, and soon.

Case n of a kind is always the same, so that one that failed can be run again by its number.
"""

from __future__ import annotations

import copy
import random
import re
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from iomsim.errors import LONGEST_LINE, MOST_LINES, IomsimError

Result = TypeVar("Result")

SHORT, LONG = 15, 2_000
"""Cases of a kind with every run of the tests, and behind the marker."""

SLOWEST = 5.0
"""Seconds of computing that a case may take."""

JARGON = re.compile(
    r"Traceback|NoneType|object (?:is|has|of)\b|not subscriptable|not iterable|positional argument|keyword argument|"
    r"ufunc|dtype|ndarray|codec|pydantic|validation error|Errno|<class|index \d+ is out|could not convert|"
    r"invalid literal|unhashable|attribute|KeyError|TypeError|ValueError|slice|operand|broadcast|concatenat"
)
"""What no sentence of ours says."""

STEERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 175, 10**6, 2**31, 2**63, 10**30),
    *(0.5, -0.0, 1e308, 5e-324, float("nan"), float("inf")),
    *("", " ", "0", "-1", "1e999", "nan", "None", "true", "2023-05-15", "25:61", "a" * 130_000, "{x!r}", "%s%n"),
    *("../../x", "=cmd()", "<script>", "$\\frac{", "\x1b[2J", "\u202eabc", "\u200f", "\ud800", "\x00", "x\ny", "'\"\\"),
    *("é", "e\u0301"),
    *([], {}, [[]], {"": ""}, [None], {"name": "A"}, [1, "a"], ["A", "A"], [{}] * 3),
)
"""Values that somebody else's file may hold anywhere."""

BYTES = (
    *(b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\r", b"\n\n", b'"', b"'''", b"[", b"[[", b"]" * 50),
    *(b"{" * 2_000, b"[" * 2_000, b"9" * 5_000, b"-", b"1e400", b"nan", b"inf", b",", b";", b"\t", b"=", b"#", b"0x"),
    *(
        b"\x1b[31m",
        "\u202e".encode(),
        "é".encode("cp1252"),
        b"x" * 130_000,
        b" = 1\n",
        b"\\u202e",
        b"1979-05-27T07:32:00Z",
    ),
)
"""What gets between the bytes of a file."""


def lengths(short: int = SHORT) -> pytest.MarkDecorator:
    """Have a test take the numbers of its cases: a few with every run of the tests, all of them behind the marker."""
    both = [range(short), pytest.param(range(LONG), marks=pytest.mark.fuzz)]
    return pytest.mark.parametrize("numbers", both, ids=["short", "long"])


def each(numbers: range, case: Callable[..., object], *arguments: object) -> None:
    """Run cases; one that fails says its number."""
    for number in numbers:
        try:
            case(number, *arguments)
        except BaseException as error:
            error.add_note(f"case {number}")
            raise


def rng(kind: str, number: int) -> random.Random:
    """Return the random numbers of a case."""
    return random.Random(f"{kind} {number}")


def survives(work: Callable[[], Result]) -> Result | None:
    """Return what a case comes to, or None if it was refused as it should be; all else fails."""
    start = time.process_time()
    result = None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            result = work()
        except IomsimError as error:
            is_a_sentence(str(error))
        except Exception as error:
            pytest.fail(f"no sentence of ours but {type(error).__name__}: {str(error)[:300]}")
    took = time.process_time() - start
    assert took < SLOWEST, f"took {took:.1f} s"
    for one in warned:
        assert one.category not in (RuntimeWarning, DeprecationWarning, FutureWarning), one.message
        assert not STEERS.search(str(one.message))
    return result


def is_a_sentence(text: str) -> None:
    """Fail unless a message is fit for whoever wrote the file."""
    lines = text.split("\n")
    assert text.strip(), "the message is empty"
    assert len(lines) <= MOST_LINES, f"{len(lines)} lines"
    assert max(map(len, lines)) <= LONGEST_LINE, f"{max(map(len, lines))} signs in a line"
    assert not STEERS.search(text), f"steers the terminal: {text!r}"
    assert not JARGON.search(text), f"jargon: {text}"


# -- mutations -------------------------------------------------------------------------------------


def bytes_like(chance: random.Random, data: bytes) -> bytes:
    """Return bytes changed in one to four places: turned, cut out, doubled, moved, or with something nasty in them."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        stop = min(len(data), start + chance.choice((0, 1, 2, 8, 64, 512)))
        piece = data[start:stop]
        match chance.randrange(8):
            case 0:
                data = data[:start] + bytes(chance.randrange(256) for _ in piece) + data[stop:]
            case 1:
                data = data[:start] + data[stop:]
            case 2:
                data = data[:stop] + piece + data[stop:]
            case 3:
                data = data[:start]
            case 4:
                other = chance.randrange(len(data) + 1)
                data = data[:other] + piece + data[other:]
            case 5:
                lines = data.split(b"\n")
                one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
                lines[one], lines[two] = lines[two], lines[one]
                data = b"\n".join(lines)
            case _:
                data = data[:start] + chance.choice(BYTES) + data[stop:]
    return data


def plain_like(chance: random.Random, value: Any) -> Any:
    """Return plain data - tables, lists, texts, numbers - changed in one to three places."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 3)):
        holders = list(_holders(value))
        if not holders:
            return chance.choice(NASTY)
        holder = chance.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            continue
        key = chance.choice(keys)
        match chance.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice((f"{key}x", str(key).upper(), "name", "", "\u202e", "a" * 500))] = holder.pop(key)
            case 1:
                holder.insert(key, copy.deepcopy(holder[key]))
            case 2:
                other = chance.choice(holders)
                inside = list(other.values()) if isinstance(other, dict) else other
                holder[key] = copy.deepcopy(chance.choice(inside)) if inside else None
            case _:
                holder[key] = copy.deepcopy(chance.choice(NASTY))
    return value


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _holders(part)
