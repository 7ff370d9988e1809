"""The log of an election day: JSON, one line for the day and one for every event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from iomsim._version import VERSION
from iomsim.errors import FileError
from iomsim.forecasting.archive import self_contained
from iomsim.model.catalogue import dumps, loads
from iomsim.model.events import EVENTS, Event
from iomsim.model.scenario import Scenario

FORMAT = 1
"""Version of the log; a reader refuses what is newer than itself."""


class Logged(NamedTuple):
    """What a log says: the scenario, the worlds carried, the seed, and the events."""

    race: Scenario
    particles: int
    seed: int
    events: list[Event]


def write(path: Path, race: Scenario, particles: int, seed: int, events: Sequence[Event]) -> None:
    """Write the log of a day, whole: nobody ever reads half of one.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    day = {"format": FORMAT, "version": VERSION, "seed": seed, "particles": particles}
    header = day | {"scenario": dumps(self_contained(race))}
    lines = (json.dumps(entry, ensure_ascii=False) for entry in (header, *events))
    part = path.with_name(path.name + ".part")
    try:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise FileError(f"cannot write the log {str(path)!r}: {error.strerror}") from None


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
        kinds = [event["event"] for event in events]
    except OSError as error:
        raise FileError(f"cannot read the log {str(path)!r}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{str(path)!r} is damaged or is no log of an election day ({error})") from None
    if known["format"] > FORMAT:
        raise FileError(f"{str(path)!r} was written by iomsim {known['version']}; update iomsim to read it")
    if not set(kinds) <= set(EVENTS):
        raise FileError(f"{str(path)!r} is damaged or is no log of an election day (events {', '.join(kinds)})")
    return Logged(loads(known["scenario"], str(path)), known["particles"], known["seed"], events)
