"""Election days on file: the log of a day (JSON, a line for the day and one for every event), and past days.

Past days are hindsight, kept apart from all evidence.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from iomsim._version import VERSION
from iomsim.errors import FileError, quote_path
from iomsim.files import write_whole
from iomsim.forecasting.archive import self_contained
from iomsim.model.catalogue import dumps, loads
from iomsim.model.events import EVENTS, Event
from iomsim.model.evidence import shipped_text
from iomsim.model.scenario import Scenario

FORMAT = 3
"""Version of the log; a reader refuses what is newer than itself."""


class Logged(NamedTuple):
    """What a log says: the scenario, the particles, the seed, the draws of the assumptions, and the events."""

    race: Scenario
    particles: int
    seed: int
    assumptions: int | str
    events: list[Event]


def write(path: Path, log: Logged) -> None:
    """Write the log of a day, whole: nobody ever reads half of one.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    day = {"format": FORMAT, "version": VERSION, "seed": log.seed, "particles": log.particles}
    header = day | {"assumptions": log.assumptions, "scenario": dumps(self_contained(log.race))}
    lines = (json.dumps(entry, ensure_ascii=False) for entry in (header, *log.events))
    write_whole(path, "\n".join(lines) + "\n")


def read(path: Path) -> Logged:
    """Read the log of a day.

    Raises
    ------
    FileError
        If the file is missing, damaged, or written in a newer format.
    """
    try:
        header, *events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        known = {key: header[key] for key in ("format", "version", "particles", "seed", "scenario")}
        known["assumptions"] = header.get("assumptions", "fixed")  # before format 3 they were
        kinds = [event["event"] for event in events]
    except OSError as error:
        raise FileError(f"cannot read the log {quote_path(path)}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{quote_path(path)} is damaged or is no log of an election day ({error})") from None
    if known["format"] > FORMAT:
        raise FileError(f"{quote_path(path)} was written by iomsim {known['version']}; update iomsim to read it")
    if not set(kinds) <= set(EVENTS):
        raise FileError(f"{quote_path(path)} is damaged or is no log of an election day (events {', '.join(kinds)})")
    race = loads(known["scenario"], str(path))
    return Logged(race, known["particles"], known["seed"], known["assumptions"], events)


# -- past days -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PastEvent:
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
class PastDay:
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
    events: tuple[PastEvent, ...]


def past_day(name: str) -> PastDay:
    """Return a past day of voting by name.

    Raises
    ------
    UnknownNameError
        If no day of this name is shipped.

    Examples
    --------
    >>> [event.say for event in past_day("2023").events]
    ['Pope=98 Vitorino=67 at 12:20', 'withdraw Vitorino at 16:35', 'Pope is elected']
    """
    data = tomllib.loads(shipped_text("days", name, ".toml", "day"))
    return PastDay(data["title"], data["scenario"], tuple(PastEvent(**event) for event in data["events"]))
