"""The exceptions of iomsim: each names the thing, what was got, and what would work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from numbers import Integral
from typing import Any


class IomsimError(ValueError):
    """Root of every error that iomsim raises on purpose."""


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
    return UnknownNameError(f"no {kind} named {str(name)!r}; {advice(str(name), options)}")


def advice(name: str, options: Iterable[str]) -> str:
    """Say which option was probably meant, or list what there is."""
    choices = list(dict.fromkeys(str(option) for option in options))
    close = nearest(name, choices)
    return listed(choices) if close is None else f"did you mean {close!r}?"


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
    except OSError as error:
        raise FileError(f"cannot write {str(place)!r}: {reason(error)}") from None


def whole_number(name: str, value: Any, at_least: int) -> int:
    """Return `value` if it is a whole number of at least `at_least`.

    Examples
    --------
    >>> whole_number("runs", 10, 1)
    10
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise IomsimError(f"{name} must be a whole number of at least {at_least}, got {value!r}")
    return int(value)
