"""Names of parameters: every path is written here, and read here.

A path is the keys that lead to a parameter, joined by full stops: ``sponsors.Washington.strength``.  It is a name,
not a list of keys: a sponsor may be called "U.S.", and ``sponsors.U.S..strength`` cannot be taken apart again.  All
that can be read from a path is its first key, which is one of the description's own.  Whoever needs the other keys
asks the description (`iomsim.model.quantities.Parameter.keys`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

V = TypeVar("V")

BEHAVIOUR, CLOCK, LEDGER = "behaviour", "clock", "ledger"
"""First keys of the parameters that are called by the name of their field alone."""

LEVEL = "level"
"""First key of the levels that are stated instead of appeals."""

TRUST = "polling.trust"
"""The path of how much members are believed that were polled."""


def joined(keys: Iterable[str]) -> str:
    """Return the path of keys.

    Examples
    --------
    >>> joined(["sponsors", "U.S.", "strength"])
    'sponsors.U.S..strength'
    """
    return ".".join(keys)


def appeal(candidate: str) -> str:
    """Return the path of a candidate's appeal."""
    return joined(("candidates", candidate, "appeal"))


def strength(sponsor: str) -> str:
    """Return the path of a sponsor's strength."""
    return joined(("sponsors", sponsor, "strength"))


def spread(sponsor: str) -> str:
    """Return the path of a sponsor's spread."""
    return joined(("sponsors", sponsor, "spread"))


def exposure(sponsor: str, who: str) -> str:
    """Return the path of the weight that a selector has in the exposure to a sponsor."""
    return joined(("sponsors", sponsor, "exposure", who))


def log_odds(tie: str) -> str:
    """Return the path of a tie's log-odds."""
    return joined(("ties", tie, "log_odds"))


def discount(kind: str) -> str:
    """Return the path of what a pledge of a kind is worth."""
    return joined((LEDGER, "discounts", kind))


def level(candidate: str) -> str:
    """Return the path of a candidate's stated level."""
    return joined((LEVEL, candidate))


def behaviour(field: str) -> str:
    """Return the path of a field of the behaviour."""
    return joined((BEHAVIOUR, field))


def clock(field: str) -> str:
    """Return the path of a field of the clock."""
    return joined((CLOCK, field))


def head(path: str) -> str:
    """Return the first key of a path.

    Examples
    --------
    >>> head("behaviour.fluid"), head("candidates.Dr. No.appeal")
    ('behaviour', 'candidates')
    """
    return path.partition(".")[0]


def by_field(values: Mapping[str, V], first: str) -> dict[str, V]:
    """Return the values of the behaviour, or of the clock, by their field.

    Examples
    --------
    >>> by_field({"behaviour.fluid": 0.7, "clock.last_call": 45.0}, BEHAVIOUR)
    {'fluid': 0.7}
    """
    return {path[len(first) + 1 :]: value for path, value in values.items() if head(path) == first}
