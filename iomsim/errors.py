"""The exceptions of iomsim: each names the thing, what was got, and what would work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from numbers import Integral
from typing import Any

LONGEST, LONGEST_PATH, LONGEST_LINE, MOST_LINES = 80, 400, 1200, 5
"""Signs of a value, of a path and of a line that a message repeats, and the lines that it has."""

STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Signs that steer a terminal, or turn the order of what stands around them, and halves of signs."""


class IomsimError(ValueError):
    """Root of every error that iomsim raises on purpose: a sentence, or a few, fit to be shown anywhere."""

    def __init__(self, message: object = "") -> None:
        super().__init__(presentable(str(message)))


class ScenarioError(IomsimError):
    """A scenario that cannot be simulated as it is written."""


class UnknownNameError(IomsimError):
    """A name that the scenario, the catalogue or the table does not have."""


class AnnouncementError(IomsimError):
    """An announced event that cannot have happened under the rules."""


class FileError(IomsimError):
    """A file that is missing, damaged, or written by a newer version."""


class BlockError(IomsimError):
    """A block of runs that a worker could not play.

    Attributes
    ----------
    partial : Forecast or None
        What had been finished before.
    """

    partial: Any = None


class PairingError(IomsimError):
    """Two forecasts that cannot be compared run by run."""


def presentable(text: str) -> str:
    r"""Return a message as it may be shown: at most five lines, none very long, and no sign that steers a terminal.

    Examples
    --------
    >>> print(presentable("no file named \x1b[2J"))
    no file named \x1b[2J
    >>> presentable("\n".join("abcdefg")).splitlines()
    ['a', 'b', 'c', 'd', '... and 3 more']
    """
    lines = STEERING.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text).split("\n")
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [f"... and {len(lines) - MOST_LINES + 1} more"]
    return "\n".join(_cut(line, LONGEST_LINE) for line in lines)


def quote(value: object, most: int = LONGEST) -> str:
    """Return a value as a message repeats it: as Python writes it, cut where it is long.

    All that is not ours - what stands in a file, what was typed - gets into messages through here.

    Examples
    --------
    >>> quote("Pope"), quote(0.5), quote("a" * 1000, most=12)
    ("'Pope'", '0.5', "'aaaaa...'")
    """
    if isinstance(value, (str, bytes)):
        value = value[: most + 1]  # what is cut anyway need not be written
    try:
        return _cut(repr(value), most)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, or tables in tables in tables
        return "a very long number" if isinstance(value, int) else f"a {type(value).__name__}"


def quote_path(path: object) -> str:
    """Return a path as a message repeats it.

    Examples
    --------
    >>> print(quote_path("races/mine.toml"))
    'races/mine.toml'
    """
    return quote(str(path), LONGEST_PATH)


def _cut(text: str, most: int) -> str:
    """Return a text of at most so many signs; what is quoted stays so."""
    end = text[-1:] if text[:1] in "'\"" else ""
    return text if len(text) <= most else f"{text[: most - 3 - len(end)]}...{end}"


def nearest(name: str, options: Iterable[str]) -> str | None:
    """Return the option that looks most like `name`, or begins with it, ignoring case; or None.

    Examples
    --------
    >>> nearest("Washingtn", ["Washington", "Brussels"]), nearest("four", ["strict", "four-rounds"])
    ('Washington', 'four-rounds')
    """
    by_fold = {str(option).casefold(): str(option) for option in options}
    fold = str(name).casefold()
    close = get_close_matches(fold, by_fold, n=1, cutoff=0.6)
    longer = [option for option in by_fold if len(fold) >= 3 and option.startswith(fold)]
    return by_fold[[*close, *longer][0]] if close or longer else None


def unknown(kind: str, name: object, options: Iterable[str]) -> UnknownNameError:
    """Build the error for a `name` that is not among the `options`.

    Examples
    --------
    >>> print(unknown("sponsor", "Washingtn", ["Washington", "Brussels"]))
    no sponsor named 'Washingtn'; did you mean 'Washington'?
    """
    return UnknownNameError(f"no {kind} named {quote(str(name))}; {advice(str(name), options)}")


def advice(name: str, options: Iterable[str]) -> str:
    """Say which option was probably meant, or list what there is."""
    choices = list(dict.fromkeys(str(option) for option in options))
    close = nearest(name, choices)
    return listed(choices) if close is None else f"did you mean {quote(close)}?"


def listed(options: Iterable[str]) -> str:
    """Say what there is, the first dozen of many.

    Examples
    --------
    >>> listed(["A", "B"]), listed("A"), listed([])
    ('there are A, B', 'there is A', 'there is none here')
    """
    choices = list(dict.fromkeys(options))
    if not choices:
        return "there is none here"
    shown = ", ".join(choices[:12]) + (", ..." if len(choices) > 12 else "")
    return f"there is {shown}" if len(choices) == 1 else f"there are {shown}"


def reason(error: Exception) -> str:
    """Return why a file could not be read or written, on one line.

    Examples
    --------
    >>> reason(FileNotFoundError(2, "No such file or directory", "x.toml"))
    'No such file or directory'
    """
    if isinstance(error, UnicodeEncodeError):
        return "half a sign is no text"
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(told).split())


@contextmanager
def writing(place: object) -> Iterator[None]:
    """Say in one sentence why a file or folder could not be written.

    Examples
    --------
    >>> with writing("x.png"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    iomsim.errors.FileError: cannot write 'x.png': No space left on device
    """
    try:
        yield
    except IomsimError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"cannot write {quote_path(place)}: {reason(error)}") from None


MOST_DIGITS = 40
"""Digits of a whole number: more are neither a count nor a seed."""


def whole_number(name: str, value: Any, at_least: int) -> int:
    """Return `value` if it is a whole number of at least `at_least`.

    Examples
    --------
    >>> whole_number("runs", 10, 1)
    10
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise IomsimError(f"{name} must be a whole number of at least {at_least}, got {quote(value)}")
    if value >= 10**MOST_DIGITS:
        raise IomsimError(f"{name} must be a whole number of at most {MOST_DIGITS} digits, got {quote(value)}")
    return int(value)
