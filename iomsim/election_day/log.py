"""Election days on file: the log of a day (JSON, a line for the day and one for every event), and past days.

Past days are hindsight, kept apart from all evidence.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from iomsim._version import VERSION
from iomsim.errors import AnnouncementError, FileError, IomsimError, quote, quote_path, writing
from iomsim.files import read_bytes, write_whole
from iomsim.forecasting.archive import scenario_of, self_contained
from iomsim.house_style import thousands
from iomsim.model.assumptions import DRAWS, DRAWS_AT_MOST
from iomsim.model.catalogue import dumps
from iomsim.model.events import Event, checked
from iomsim.model.evidence import shipped_names, shipped_text
from iomsim.model.messages import sentences
from iomsim.model.scenario import Scenario, refuse_swings
from iomsim.model.tables import text_of
from iomsim.rules.phase import MOST_BALLOTS

FORMAT = 3
"""Version of the log; a reader refuses what is newer than itself."""

MOST_PARTICLES = 10**9
"""More particles than any day has."""

MOST_EVENTS = 2 * MOST_BALLOTS
"""Events of a day: a tally, and one more, for every ballot that rules can have."""

MOST_BYTES = 64_000_000
"""Bytes of a log: more than the largest body and `MOST_EVENTS` take."""

USUAL_PARTICLES, USUAL_DRAWS = 200_000, 10 * DRAWS
"""Particles, and draws of the assumptions, that a day may well have."""

PATIENCE, LITTLE_PATIENCE = 60.0, 5.0
"""Seconds for which a day is played again without being asked twice: with so many, and with more."""


# -- the log of a day ------------------------------------------------------------------------------


class Header(BaseModel):
    """The first line of a log: to what the events were announced."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: int
    version: str
    seed: int
    particles: int
    assumptions: int | Literal["fixed"]
    scenario: str

    @field_validator("format", "seed", "particles", "assumptions", mode="before")
    @classmethod
    def _is_in_bounds(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name == "assumptions" and type(value) is not int:
            return value
        least, most = BOUNDS[str(info.field_name)]
        if type(value) is not int or not least <= value <= (value if most is None else most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {thousands(most)}"
            raise IomsimError(f"must be a whole number {bounds}, got {quote(value)}")
        return value


BOUNDS = {"format": (1, FORMAT), "seed": (0, None), "particles": (2, MOST_PARTICLES), "assumptions": (1, DRAWS_AT_MOST)}


@dataclass(frozen=True)
class Logged:
    """What a log says: the scenario, the particles, the seed, the draws of the assumptions, and the events.

    `places` are their lines in the file, for messages.
    """

    race: Scenario
    particles: int
    seed: int
    assumptions: int | str
    events: tuple[Event, ...]
    places: tuple[str, ...] = ()

    @property
    def draws(self) -> int:
        """Draws of the assumptions, one if they are fixed."""
        return self.assumptions if isinstance(self.assumptions, int) else 1


@dataclass(frozen=True)
class LogFile:
    """The file of a log and what is in it, as far as is known: nobody else's words are written over.

    Attributes
    ----------
    path : Path
        The file.
    content : bytes or None
        What was read from it or written to it last; None if it is still to be made.
    """

    path: Path
    content: bytes | None = None

    def write(self, log: Logged) -> LogFile:
        """Write the log of a day, whole: nobody ever reads half of one.

        Raises
        ------
        FileError
            If it cannot be written, or if something else has been written there.
        """
        day = {"format": FORMAT, "version": VERSION, "seed": log.seed, "particles": log.particles}
        header = day | {"assumptions": log.assumptions, "scenario": dumps(self_contained(log.race))}
        lines = (json.dumps(entry, ensure_ascii=False) for entry in (header, *log.events))
        with writing(self.path):
            data = ("\n".join(lines) + "\n").encode()
        if self.content is not None and self.path.exists() and read_bytes(self.path, most=MOST_BYTES) != self.content:
            raise FileError(f"somebody else has written to {quote_path(self.path)}; log to another file")
        write_whole(self.path, data, new=self.content is None)
        return LogFile(self.path, data)


def read(path: Path) -> tuple[Logged, LogFile]:
    """Read the log of a day, all of it, and check it line by line.

    Raises
    ------
    FileError
        If the file is missing, damaged, or written in a newer format; if a line tells no event.
    ScenarioError
        If its scenario is none.
    """
    data, where = read_bytes(path, f"the log {quote_path(path)}", MOST_BYTES), quote_path(path)
    told = text_of(data, where).split("\n")
    lines = [(number, line) for number, line in enumerate(told, 1) if line.strip()]
    if len(lines) > MOST_EVENTS + 1:
        raise FileError(f"{where} tells {thousands(len(lines) - 1)} events; a day has at most {thousands(MOST_EVENTS)}")
    entries = {f"{where}, line {number}": _entry(where, number, line) for number, line in lines}
    if not entries:
        raise FileError(f"{where} {NO_LOG}: there is nothing in it")
    place, *places = entries
    header = _header(where, place, entries.pop(place))
    race = scenario_of(header.scenario, place)
    refuse_swings("replay", race, "the first tally shows what became of it")
    events = tuple(_event(at, entry, race.names) for at, entry in entries.items())
    return Logged(race, header.particles, header.seed, header.assumptions, events, tuple(places)), LogFile(path, data)


NO_LOG = "is damaged or is no log of an election day"


def _entry(where: str, number: int, line: str) -> Any:
    """Return what a line holds; nothing in it is told twice."""
    try:
        return json.loads(line, object_pairs_hook=_once, parse_constant=_no_number)
    except IomsimError as error:
        raise FileError(f"{where}, line {number}: {error}") from None
    except (ValueError, RecursionError):
        raise FileError(f"{where} {NO_LOG}: line {number} is no table in JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise AnnouncementError(f"{quote(key)} stands twice; write it once")
        table[key] = value
    return table


def _no_number(text: str) -> None:
    raise AnnouncementError(f"{text} is no number")


def _header(where: str, place: str, entry: Any) -> Header:
    """Return the first line, checked."""
    if not isinstance(entry, dict) or "format" not in entry:
        raise FileError(f"{where} {NO_LOG}: it does not begin with the format, the seed and the scenario")
    written = entry["format"]
    if type(written) is int and written > FORMAT:
        raise FileError(f"{where} was written by iomsim {str(entry.get('version'))[:20]}; update iomsim to read it")
    if type(written) is int and written < 3:
        entry = {"assumptions": "fixed"} | entry  # before format 3 they were
    try:
        return Header.model_validate(entry)
    except ValidationError as error:
        said = dict.fromkeys(sentences(error, Header, entry))
        raise FileError("\n".join(f"{place}: {sentence}" for sentence in said)) from None


def _event(place: str, entry: Any, names: Sequence[str]) -> Event:
    """Return the event of a line, checked."""
    try:
        return checked(entry, names)
    except IomsimError as error:
        raise FileError(f"{place}: {error}") from None


def takes_long(log: Logged) -> bool:
    """Return whether a day is played again only if it is asked for twice."""
    usual = log.particles <= USUAL_PARTICLES and log.draws <= USUAL_DRAWS
    return seconds_to_play(log) > (PATIENCE if usual else LITTLE_PATIENCE)


def seconds_to_play(log: Logged) -> float:
    """Return about how long it takes to play a day again: each round for every particle, and all after a correction.

    Measured for up to 1009 members and three candidates; the particles that are resampled go through all rounds held.
    """
    held, rounds = 0, 1.0
    for event in log.events:
        if event["event"] == "correct":
            rounds += max(1, held - event["round"] + 1) * (1 + held / 4)
        else:
            is_round = event["event"] in ("announce", "inconclusive", "elect", "confirm")
            held += is_round
            rounds += (1.0 if is_round else 0.3) * (1 + held / 4)
    size = len(log.race.members) + 25
    return 2.5e-7 * log.particles * size * (2 * len(log.race.names) - 3) * rounds + 1e-6 * log.draws * size


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


def past_days() -> list[str]:
    """Return the names of the past days that are shipped."""
    return shipped_names("days", ".toml")


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
