"""Logs of election days that somebody has altered: a day as the file tells it, if there can be one, or a sentence."""

from __future__ import annotations

import functools
import json
import random
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.harness import NASTY, bytes_like, each, lengths, plain_like, rng, survives
from toys import night_of, toy, unsure

import iomsim as iom
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.log import read
from iomsim.model.events import EVENTS, checked
from iomsim.model.lines import PAPERS

TWO = {"concession": True, "eliminate_after": 1}


@functools.cache
def logs() -> list[bytes]:
    """Return logs of days as they are: whole tallies and parts of them, ends of all kinds, corrections."""
    days = [
        (
            toy(9, rules=TWO),
            ["A=5 B=4 at 11:00", "go on", "A>=3 valid=8", "adjourn until Tuesday 10:00", "B withdraws"],
        ),
        (toy(9, "ABC", rules=TWO), ["4-3-2", "no result; 8 valid", "A elected at Monday 16:00"]),
        (toy(15, rules="one-two-way"), ["8-7", "correct round 1: 9-6 at 12:20", "confirm yes=6 no=9; 0 blank"]),
        (unsure(11), ["6-5; 0 abstentions", "A at most 6 at Monday 12:00", "A=8 B=3"]),
    ]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", iom.UnexpectedTallyWarning)
        return [_told(Path(folder) / f"{i}.log", *day, "fixed" if i < 3 else 4) for i, day in enumerate(days)]


def _told(path: Path, race: iom.Scenario, lines: list[str], assumptions: int | str) -> bytes:
    day = night_of(race, particles=20, seed=1, log=path, assumptions=assumptions)
    for line in lines:
        day.tell(line)
    return path.read_bytes()


def altered(chance: random.Random, data: bytes) -> bytes:
    """Return a log with something in it that nobody announced."""
    header, *events = [json.loads(line) for line in data.splitlines()]
    names = re.findall(r'candidates\]\]\nname = "(.+)"', header["scenario"])
    match chance.randrange(10):
        case 0:
            return bytes_like(chance, data)
        case 1:
            header = plain_like(chance, header)
        case 2:
            header["scenario"] = bytes_like(chance, header["scenario"].encode()).decode(errors="surrogateescape")
        case 3:
            header["scenario"] = re.sub(r"[0-9]", lambda x: _digit(chance, x[0]), header["scenario"])
        case 4:
            events = plain_like(chance, events)
        case 5:
            events = [figured(chance, event) for event in events]
        case 6:
            events[chance.randrange(len(events))] = happens(chance, names)
        case 7:
            events = [*events[: chance.randint(0, len(events))], happens(chance, names)]
        case 8:
            header |= {"seed": chance.randrange(10**9), "particles": chance.choice((2, 3, 50, 500))}
        case _:
            events = chance.choices([*events, *(happens(chance, names) for _ in range(9))], k=chance.randint(0, 4))
    lines = "\n".join(json.dumps(part, ensure_ascii=chance.random() < 0.5) for part in (header, *events))
    return lines.encode(errors="surrogatepass")


def _digit(chance: random.Random, digit: str) -> str:
    return str(chance.randrange(10)) if chance.random() < 0.02 else digit


def happens(chance: random.Random, names: list[str]) -> dict[str, Any]:
    """Return an event that may happen, wherever it comes."""
    kind = chance.choice([*EVENTS, "announce", "announce", "inconclusive", "go on"])
    figures = [*range(10), *range(10), "at least 4", "at most 6", ">=2", "7", None]
    votes = {"votes": {name: chance.choice(figures) for name in names if chance.random() < 0.9}}
    papers = {key: chance.randrange(12) for key in PAPERS if chance.random() < 0.1}
    at = chance.choice([None, None, "11:30", "15:00", "Tuesday 10:30", "Monday 12:00", "2023-05-17 10:00"])
    answer = {"yes": chance.randrange(10), "no": chance.randrange(8)}
    one = {"round": chance.randint(1, 3)} if kind == "correct" or chance.random() < 0.1 else {}
    match kind:
        case "announce" | "inconclusive":
            return {"event": kind, **votes, **papers, **one, "at": at}
        case "correct":
            return {"event": kind, **chance.choice([votes, votes, answer]), **papers, **one, "at": at}
        case "confirm":
            return {"event": kind, **answer, **papers, **one, "at": at}
        case "adjourn":
            return {"event": kind, "until": at or "17:00"}
        case "go on" | "undo":
            return {"event": kind, "at": at}
    return {"event": kind, "name": chance.choice(names), "at": at}


def figured(chance: random.Random, event: dict[str, Any]) -> dict[str, Any]:
    """Return an event, perhaps with another figure in it, or with one that belongs to another kind."""
    if chance.random() < 0.6:
        return event
    if event.get("votes") and chance.random() < 0.7:
        name = chance.choice([*event["votes"], "A", "B"])
        return event | {"votes": event["votes"] | {name: chance.choice([*range(12), *NASTY])}}
    return event | {chance.choice([*event, *PAPERS, "round"]): chance.choice([*range(10), *NASTY])}


def case(number: int) -> None:
    chance = rng("log", number)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.log"
        path.write_bytes(altered(chance, chance.choice(logs())))
        day = survives(lambda: iom.replay(path))
        if day is not None:
            is_the_day_of(day, path)
            survives(lambda: goes_on(day, path, chance))
            if number % 3 == 0:  # it takes longest
                survives(lambda: can_be_read(day))


def is_the_day_of(day: ElectionDay, path: Path) -> None:
    """What is announced is what stands in the file, and it is written as it was read."""
    header, *lines = [json.loads(line) for line in path.read_bytes().decode("utf-8-sig").split("\n") if line.strip()]
    told: list[Any] = []
    for event in map(checked, lines):
        told = told[:-1] if event["event"] == "undo" else [*told, event]
    assert day.events == told
    named = {name for event in lines for name in (*(event.get("votes") or {}), event.get("name"))} - {None}
    assert named <= set(day.race.names)
    assert day.race == iom.loads(header["scenario"])
    assert (day.seed, day.particles) == (header["seed"], header["particles"])
    again = path.with_name("again.log")
    day.log_to(again)
    kept, _ = read(again)
    assert (kept.race, kept.seed, kept.particles, list(kept.events)) == (day.race, day.seed, day.particles, told)
    assert kept.assumptions == day.assumptions == header.get("assumptions", "fixed")


def can_be_read(day: ElectionDay) -> None:
    """Every step has chances that are some, and the words say something."""
    table = day.history()
    chances = table[[*day.race.names, "no winner"]].to_numpy(float)
    assert len(table) == len(day.events) + 1
    assert np.all((chances >= 0) & (chances <= 1))
    assert chances.sum(axis=1) == pytest.approx(1, abs=1e-9)
    assert table[["odds", "chance"]].apply(lambda x: x.between(0, 1)).all(axis=None)
    assert str(day.forecast().answer()).strip()
    assert day.needed()


def goes_on(day: ElectionDay, path: Path, chance: random.Random) -> None:
    """What is announced next happens, and is in the log, or is refused, and nothing has changed."""
    state, before = day.state, path.with_name("again.log").read_bytes()
    event = plain_like(chance, {"event": "announce", "votes": dict.fromkeys(day.race.names, 4), "at": None})
    try:
        day.apply(event)
    except BaseException:
        assert day.state is state
        assert path.with_name("again.log").read_bytes() == before
        raise
    assert path.with_name("again.log").read_bytes().startswith(before) or event["event"] == "undo"


@lengths()
def test_a_log_is_played_or_refused(numbers: range) -> None:
    each(numbers, case)
