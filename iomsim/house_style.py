"""How numbers and lists are written in sentences, tables and charts: one house style, and what newsrooms change in it.

The house style is that of the SI: a space before the percent sign ("80 %"), narrow spaces between thousands
("20\u202f000").  `iomsim.options` sets another for everything that is worded or drawn afterwards.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

from iomsim.errors import IomsimError, quote

WIDTH = 88
"""Letters in a line of text that is printed."""

ENDLESS = sys.maxsize
"""Letters in a line that ends with its text."""

BESIDE = " " * 13
"""What is below a heading beside a text."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

SI = {"percent": "80 %", "thousands": "\N{NARROW NO-BREAK SPACE}"}
"""The house style."""

NAMED = 3
"""Things named of those that cannot be told apart."""

NO_BREAK = "\N{NO-BREAK SPACE}"

LONGEST_NAME, LONGEST_TEXT = 200, 20_000
"""Signs that a name may have, and a text of several lines."""

TURNING = "\u202a-\u202e\u2066-\u2069"
UNFIT = re.compile(f"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff{TURNING}]")
"""Signs that no name has: what steers a terminal, ends a line, turns the order of the text around it, or is none."""

UNSEEN = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Signs that nobody sees (Unicode: Default_Ignorable_Code_Point, and a blank of Braille), whatever else they are."""

UNFIT_IN_TEXTS = re.compile(UNFIT.pattern.replace("\0-\x1f", "\0-\x08\x0b\x0c\x0e-\x1f") + r"|\r(?!\n)")
"""Signs that no text of several lines has."""

_now = dict(SI)


@dataclass(frozen=True)
class Options:
    """The options that are in force; in a ``with`` statement, until it ends.

    Attributes
    ----------
    percent : str
        How eighty percent are written.
    thousands : str
        What stands between thousands.
    """

    percent: str
    thousands: str
    _before: dict[str, str] = field(repr=False, compare=False)

    def __enter__(self) -> Options:
        """Return the options, which are in force already."""
        return self

    def __exit__(self, *_: Any) -> None:
        """Go back to what was in force before."""
        _now.update(self._before)


def options(*, percent: str | None = None, thousands: str | None = None) -> Options:
    """Set how numbers are written, for everything that is worded or drawn from now on.

    Parameters
    ----------
    percent : str, optional
        How eighty percent are written: "80 %" (the house style), "80%", "80 percent" ...
    thousands : str, optional
        What stands between thousands: a narrow space (the house style), ",", "'", a space, or "" for nothing.

    Returns
    -------
    Options
        What is in force.  In a ``with`` statement it ends with that.  Without an argument nothing is changed.

    Raises
    ------
    IomsimError
        If an option cannot be understood.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("minimal"), runs=2000, seed=1)
    >>> with iom.options(percent="80%", thousands=","):
    ...     fc.stamp().split(" · ")[2], "80% chance" in fc.answer()
    ('2,000 runs of 400 draws of the assumptions', True)
    >>> iom.options().percent
    '80 %'
    """
    before = dict(_now)
    if percent is not None:
        if not isinstance(percent, str) or not re.fullmatch(r"80[^\d\n]+", percent):
            raise IomsimError(f"percent must show how eighty percent are written, such as '80%', got {quote(percent)}")
        _now["percent"] = percent
    if thousands is not None:
        if not isinstance(thousands, str) or not re.fullmatch(r"[^\w.\n]?", thousands):
            _now.update(before)
            raise IomsimError(
                f"thousands must be one sign such as ',' but no point, or '' for none; got {quote(thousands)}"
            )
        _now["thousands"] = thousands
    return Options(**_now, _before=before)


class Text(str):
    r"""A text that is printed, and shown in a console, in lines; otherwise it is a string like any other.

    Examples
    --------
    >>> told = Text("Expect three rounds. " * 6)
    >>> print(told)
    Expect three rounds. Expect three rounds. Expect three rounds. Expect three rounds.
    Expect three rounds. Expect three rounds.
    >>> "\n" in told
    False
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Return it in lines."""
        return in_lines(self)

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        """Return it as any other string."""
        return format(self[:], spec)


# -- numbers -------------------------------------------------------------------------------------


def percent(value: float | str, digits: int = 0) -> str:
    """Return a percentage: a number out of a hundred, or what stands in its place.

    Examples
    --------
    >>> percent(80), percent(2.5, digits=1), percent("31 to 68")
    ('80 %', '2.5 %', '31 to 68 %')
    """
    said = value if isinstance(value, str) else f"{value:.{digits}f}"
    return f"{said}{_now['percent'].removeprefix('80')}"


def thousands(count: int) -> str:
    """Return a count with the sign of the house between the thousands.

    Examples
    --------
    >>> thousands(100_000) == "100\u202f000"
    True
    """
    return f"{count:,}".replace(",", _now["thousands"])


def count(number: int, thing: str) -> str:
    """Return a number of things in figures.

    Examples
    --------
    >>> count(1, "run"), count(20_000, "run")
    ('1 run', '20\u202f000 runs')
    """
    return f"{thousands(number)} {thing}{'' if number == 1 else 's'}"


def number(value: int) -> str:
    """Return a whole number as it is written in a sentence: up to twelve as a word.

    Examples
    --------
    >>> number(3), number(40), number(20_000)
    ('three', '40', '20\u202f000')
    """
    return NUMBERS[value] if 0 <= value < len(NUMBERS) else thousands(value)


def number_of(value: int, thing: str) -> str:
    """Return a number of things as it is written in a sentence.

    Examples
    --------
    >>> number_of(1, "round"), number_of(9, "round"), number_of(40, "round")
    ('one round', 'nine rounds', '40 rounds')
    """
    return f"{number(value)} {thing}{'' if value == 1 else 's'}"


def ordinal(value: int) -> str:
    """Return a whole number as an ordinal.

    Examples
    --------
    >>> ordinal(4), ordinal(21), ordinal(113)
    ('fourth', '21st', '113th')
    """
    if value < len(ORDINALS):
        return ORDINALS[value]
    return f"{value}{'th' if value % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th')}"


# -- names ---------------------------------------------------------------------------------------


def unfit_name(name: str, most: int = LONGEST_NAME) -> str:
    r"""Return why a name cannot be shown, as a sentence goes on after it; nothing if it can.

    Letters of all scripts are names, with accents, joiners and the marks that say which way a word runs.  What
    steers a terminal, ends a line, or turns the order of the text around it is none, and at least one sign is seen.

    Examples
    --------
    >>> unfit_name("Côte d'Ivoire"), unfit_name("\u0645\u06cc\u200c\u062e"), unfit_name("Pope\u202e")
    ('', '', "must not hold '\\u202e', which turns the text around it; leave it out")
    """
    if len(name) > most:
        return f"must have at most {most} signs, got {len(name)}"
    if said := _unfit(UNFIT, name):
        return said
    seen = any(unicodedata.category(sign)[0] in "LNPS" for sign in UNSEEN.sub("", name))
    return "" if seen else "must have a sign that can be seen"


def as_seen(name: str) -> str:
    """Return a name without the signs and spaces in it that are not seen, and with its accents composed.

    Examples
    --------
    >>> as_seen("Po\N{ZERO WIDTH JOINER}pe"), len(as_seen("e\N{COMBINING ACUTE ACCENT}"))
    ('Pope', 1)
    """
    return " ".join(UNSEEN.sub("", unicodedata.normalize("NFC", name)).split())


def unfit_text(text: str) -> str:
    r"""Return why a text of some lines cannot be shown; nothing if it can.

    Examples
    --------
    >>> unfit_text("Two\nlines"), unfit_text("\x1b[2J")
    ('', "must not hold '\\x1b', which steers a terminal; leave it out")
    """
    if len(text) > LONGEST_TEXT:
        return f"must have at most {LONGEST_TEXT} signs, got {len(text)}"
    return _unfit(UNFIT_IN_TEXTS, text)


def _unfit(signs: re.Pattern[str], text: str) -> str:
    found = signs.search(text)
    if not found:
        return ""
    sign = found[0]
    if "\ud800" <= sign <= "\udfff" or sign in "\ufeff\ufffe\uffff" or "\ufdd0" <= sign <= "\ufdef":
        why = "which is no sign of a text"
    elif sign in "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029":
        why = "which ends a line"
    else:
        why = "which turns the text around it" if re.match(f"[{TURNING}]", sign) else "which steers a terminal"
    return f"must not hold {quote(sign)}, {why}; leave it out"


# -- lists, sentences, lines ---------------------------------------------------------------------


def series(parts: Sequence[str], last: str = "and") -> str:
    """Return things one after the other, with a word before the last.

    Examples
    --------
    >>> series(["A"]), series(["A", "B"]), series(["A", "B", "C"], "or")
    ('A', 'A and B', 'A, B or C')
    """
    return f" {last} ".join([", ".join(parts[:-1])] * (len(parts) > 1) + list(parts[-1:]))


def some_of(things: Sequence[str]) -> str:
    """Return the first of some things that cannot be told apart, and how many others there are.

    Examples
    --------
    >>> some_of(["A", "B"]), some_of(["A", "B", "C", "D", "E"])
    ('A or B', 'A, B, C (and two others)')
    """
    rest = len(things) - NAMED
    if rest > 0:
        return f"{', '.join(things[:NAMED])} (and {number(rest)} other{'' if rest == 1 else 's'})"
    return series(things, "or")


def capital(text: str) -> str:
    """Return a text with a capital at its beginning, as a sentence has.

    Examples
    --------
    >>> capital("two thirds of the votes cast")
    'Two thirds of the votes cast'
    """
    return text[:1].upper() + text[1:]


def together(text: str) -> str:
    """Return a text whose percentages do not come apart at the end of a line."""
    return text.replace(" %", f"{NO_BREAK}%")


def in_html(*parts: str) -> str:
    """Return pieces of HTML as one, whose dollar signs no notebook takes for formulas.

    Examples
    --------
    >>> in_html("<p>Kim $5 & Sons $6</p>")
    "<div class='tex2jax_ignore mathjax_ignore'><p>Kim $5 & Sons $6</p></div>"
    """
    return f"<div class='tex2jax_ignore mathjax_ignore'>{''.join(parts)}</div>"


def columns(most: int = WIDTH) -> int:
    """Return letters in a line that is printed: those of the terminal, if there is one, but at most so many."""
    try:
        seen = sys.stdout.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        seen = False
    return min(most, get_terminal_size().columns) if seen else most


def in_lines(text: str, width: int | None = None) -> str:
    r"""Return a text in lines, as it is printed; no number is parted from its unit.

    Lines have `width` letters, by default those of :func:`columns`.

    Examples
    --------
    >>> in_lines("Expect three rounds, with an 80 % chance of one to nine.", 34)
    'Expect three rounds, with an 80 %\nchance of one to nine.'
    """
    width = columns() if width is None else width
    lines = fill(together(text), width, break_long_words=False, break_on_hyphens=False)
    return lines.replace(f"{NO_BREAK}%", " %")


def on_screen(text: str) -> str:
    """Return a text as it is, its longer lines broken where the terminal ends, if there is one."""
    width = columns(ENDLESS)
    return "\n".join(in_lines(line, width) if len(line) > width else line for line in text.split("\n"))


def hanging(head: str, text: str, most: int) -> str:
    """Return a text in lines beside a word that says what it is of.

    Examples
    --------
    >>> print(hanging("Rules", "Two thirds of the votes cast elect.", 40))
    Rules:       Two thirds of the votes
                 cast elect.
    """
    lines = in_lines(text, max(columns(most) - len(BESIDE), 1))
    return f"{head + ':':<{len(BESIDE)}}" + lines.replace("\n", f"\n{BESIDE}")
