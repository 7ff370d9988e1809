"""Past days of voting, event by event as they became known: hindsight, kept apart from all evidence."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from iomsim.model.evidence import shipped_text


@dataclass(frozen=True)
class Event:
    """Something that became known.

    Attributes
    ----------
    say : str
        The event as one would type it on the day.
    note, grade, source : str
        What it was, how well it is known, and from where.
    """

    say: str
    note: str
    grade: str
    source: str


@dataclass(frozen=True)
class Day:
    """A past day of voting.

    Attributes
    ----------
    title, scenario : str
        What it is called, and the shipped scenario of its eve.
    events : tuple of Event
        What became known, in order.
    """

    title: str
    scenario: str
    events: tuple[Event, ...]


def day(name: str) -> Day:
    """Return a past day of voting by name.

    Raises
    ------
    UnknownNameError
        If no day of this name is shipped.

    Examples
    --------
    >>> [event.say for event in day("2023").events]
    ['Pope=98 Vitorino=67 at 12:20', 'withdraw Vitorino at 16:35']
    """
    data = tomllib.loads(shipped_text("days", name, ".toml", "day"))
    return Day(data["title"], data["scenario"], tuple(Event(**event) for event in data["events"]))
