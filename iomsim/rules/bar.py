"""The votes that elect: a share of a base, a count, or more than anybody else; in whole numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from iomsim.errors import ScenarioError, quote

LONGEST = 60
FAR = re.compile(r"e[+-]?[0-9_]{3}")
"""Signs of a threshold at most, and exponents that none has."""

FINEST = 10**12
"""The largest count, and the largest denominator of a share: times any votes it is a number that arrays hold."""

MOST = 1000
"""Ballots at most that have a bar of their own."""

BASES = ("valid", "present", "entitled")
"""What two thirds are two thirds of."""

TWO_THIRDS = Fraction(2, 3)

NEARLY = Fraction(1, 200)
"""A decimal this near to two thirds was meant to be two thirds: 0.667 of 165 papers is 111, not 110."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The votes that elect.

    Attributes
    ----------
    kind : {"at least", "more than", "count", "most"}
        A share of the base that must be reached, or exceeded; a number of votes; more than anybody else.
    value : Fraction or None
        The share or the number; None for "most".

    Examples
    --------
    >>> [str(Bar.of(text)) for text in ("2/3", "> 1/2", 33, "most")]
    ['2/3', '>1/2', '33', 'most']
    >>> [Bar.of(text).needed(165) for text in ("2/3", ">1/2", 33, "most")]
    [110, 83, 33, 1]
    """

    kind: str
    value: Fraction | None = None

    @classmethod
    def of(cls, value: Any) -> Bar:
        """Return a bar from what was written: "2/3", ">1/2", 33, "most".

        Raises
        ------
        ScenarioError
            If it cannot be read, or is one half, which would elect with exactly half of the votes.
        """
        if isinstance(value, Bar):
            return value
        text = _written(value)
        if text == "most":
            return cls("most")
        strict = text.startswith(">") and not text.startswith(">=")
        try:
            share = Fraction(text.lstrip(">=").strip())
        except (ValueError, ZeroDivisionError):
            raise _bad_threshold(value) from None
        if share.denominator > FINEST:
            share = share.limit_denominator(FINEST)
        if 1 < share <= FINEST and share.denominator == 1 and not strict:
            return cls("count", share)
        if not 0 < share <= 1 or (strict and share == 1):
            raise ScenarioError(f"threshold must be above 0 and at most 1, or a count of votes, got {quote(value)}")
        if share == Fraction(1, 2) and not strict:
            raise ScenarioError(
                f"threshold {text} would elect with exactly half of the votes; write '>1/2' for a majority"
            )
        if "." in text and abs(share - TWO_THIRDS) < NEARLY:
            if abs(share - TWO_THIRDS) > Fraction(1, 10**12):
                raise ScenarioError(
                    f"threshold {text} is not two thirds and elects otherwise where it matters; "
                    f"write '{'>' * strict}2/3'"
                )
            share = TWO_THIRDS
        return cls("more than" if strict else "at least", share)

    def needed(self, base: Any) -> Any:
        """Return the fewest votes that elect when the base is `base`, a number or an array, in whole numbers.

        A float of 0.667 would be wrong exactly where the law is decided.  At least one vote is always needed, so
        that a ballot without a valid paper elects nobody.  For "most" one vote suffices, for a tie at the top
        elects nobody whatever the bar.
        """
        if self.value is None or self.kind == "count":
            least = 1 if self.value is None else int(self.value)
            return least if isinstance(base, int) else np.full(np.shape(base), least)
        part, whole = self.value.numerator, self.value.denominator
        need = base * part // whole + 1 if self.kind == "more than" else -(-base * part // whole)
        return max(1, need) if isinstance(need, int) else np.maximum(1, need)

    @property
    def share(self) -> float | None:
        """The share of the base; None for a count and for most votes."""
        return None if self.value is None or self.kind == "count" else float(self.value)

    def __str__(self) -> str:
        """Return what is written for it in a file."""
        if self.value is None:
            return "most"
        return f"{'>' * (self.kind == 'more than')}{self.value}" if self.value != 1 else "1/1"


def _written(value: Any) -> str:
    """Return a threshold as it is written, in small letters; nothing for what is none."""
    try:
        text = str(value).strip().casefold()
    except (ValueError, RecursionError):  # a whole number of thousands of digits, lists in lists in lists
        return ""
    return "" if isinstance(value, bool) or len(text) > LONGEST or FAR.search(text) else text


def _bad_threshold(value: Any) -> ScenarioError:
    return ScenarioError(f"threshold must be '2/3', '>1/2', a count of votes such as 33, or 'most', got {quote(value)}")


def votes_needed(base: Any, threshold: Any = TWO_THIRDS) -> Any:
    """Return the fewest votes that reach a threshold of `base`, a number or an array, in whole numbers.

    Examples
    --------
    >>> [votes_needed(base) for base in (143, 148, 165, 175)], votes_needed(164, ">1/2")
    ([96, 99, 110, 117], 83)
    """
    return Bar.of(threshold).needed(base)


def bars_of(value: Any) -> tuple[Bar, ...]:
    """Return the bars of successive ballots; the last one stays."""
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise ScenarioError("threshold is an empty list; give one for each ballot, the last one stays")
    if len(values) > MOST:
        raise ScenarioError(f"threshold has at most {MOST} entries, one for each ballot, got {len(values)}")
    return tuple(map(Bar.of, values))


def as_written(bars: Sequence[Bar]) -> Any:
    """Return bars as a file states them."""
    return str(bars[0]) if len(bars) == 1 else [str(bar) for bar in bars]
