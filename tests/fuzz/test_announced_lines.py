"""Lines that nobody would type: read as they are meant, or refused with what is in the way; and small days of them."""

from __future__ import annotations

import functools
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.harness import each, lengths, rng, survives
from fuzz.test_logs import happens
from toys import night_of, toy, unsure

import iomsim as iom
from iomsim.election_day.election_day import ElectionDay
from iomsim.model.events import EVENTS, Event, checked, event_of, in_words, say
from iomsim.model.lines import comment_at
from iomsim.model.scenario import build

FIELDS = (
    ("Pope", "Vitorino"),
    ("A", "B", "C"),
    ("Milan 2026", "Åre 2026", "Milan"),
    ("U.S.", "Dr. No", "Bó Jr."),
    ('The "Rock"', "A=1", "Team #1", "x; y, z"),
    ("Perez", "Pérez", "Peréz"),
    ("9 8 x", "67th", "At 12:20"),
    ("Atl", "And", "Least", "Is out"),
    ("=cmd()", "<script>", "$\\frac{1}$", "{0!r}", "'=x"),
    ("O'Neil", "D\N{RIGHT SINGLE QUOTATION MARK}Arc", "Stockholm-Åre"),
    ("Weiß", "İnan", "Inan", "\N{LATIN SMALL LIGATURE FI}x"),
    ("a" * 200, "a" * 199, "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"),
    ("अनीता", "محمد", "李小龍", "Ä\N{WOMAN}"),
    tuple(f"N{i}" for i in range(16)),
)
"""Candidates: names of one letter, of many, of signs that a line knows, in other scripts, that look alike."""

WORDS = (
    *("=", ":", ",", ";", "-", "\N{EN DASH}", "(", ")", "/", "&", "#", '"', "'", ".", "%", ">=", "<=", "\u00a0", "\n"),
    *("at", "at least", "at most", "to", "for", "and", "against", "votes", "got", "with", "round", "round 2", "of"),
    *("is", "elected", "out", "withdraws", "withdraw", "eliminate", "confirm", "go on", "undo", "adjourn until"),
    *("correct", "no result", "without result", "valid", "blank papers", "others", "abstentions", "present", "needed"),
    *("yes", "no", "at 12:20", "at Tuesday 10:30", "12:20", "0", "1", "9", "12", "98", "1,098", "1 098", "10.5", "٩"),
    *("²", "1e3", "9" * 400, "-1", "+1", "announce", "tally", "correct round 1:", "nobody"),
    *("\x1b[2J", "\u202e", "\ud800", "\x00"),
)
"""What lines are made of, and what gets into them."""


def typed(chance: random.Random, names: tuple[str, ...]) -> str:
    """Return a line: one that says something, with slips of the pen, or words in any order."""
    if chance.random() < 0.4:
        words = [chance.choice([*names, *WORDS, *map(str, range(10))]) for _ in range(chance.randint(0, 12))]
        return chance.choice((" ", " ", "")).join(words)
    line = chance.choice([say(happens(chance, list(names))), *EVENTS.values()])
    for _ in range(chance.randint(0, 3)):
        start = chance.randrange(len(line) + 1)
        stop = min(len(line), start + chance.choice((0, 1, 3, 20)))
        put = chance.choice(["", "", line[start:stop] * 2, chance.choice(WORDS), chance.choice(names), line])
        line = line[:start] + put + line[stop:]
    return line


def case(number: int) -> None:
    chance = rng("line", number)
    names = chance.choice(FIELDS)
    standing = [name for name in names if chance.random() < 0.7]
    line = typed(chance, names)
    event = survives(lambda: event_of(line, names, standing, [names, standing]))
    if event is not None:
        reads_back(event, names)
    survives(lambda: comment_at(line, names))
    said = survives(lambda: checked(happens(chance, list(names)), names))
    if said is not None:
        reads_back(said, names)
    if number % 8 == 0:
        with tempfile.TemporaryDirectory() as folder:
            is_told(chance, Path(folder) / "day.log")


def reads_back(event: Event, names: tuple[str, ...]) -> None:
    """An event that was read may stand in a log, and the line that says it is read as the same event."""
    known = survives(lambda: checked(event, names))
    empty = not any(part not in (None, {}) for key, part in event.items() if key not in ("event", "at", "round"))
    if known is None or (empty and event["event"] in ("announce", "correct")):
        return
    assert known == event
    bare = {key: value for key, value in event.items() if value is not None}
    votes = {name: count for name, count in (event.get("votes") or {}).items() if count is not None}
    bare |= {"votes": votes} if "votes" in event else {}
    again = event_of(say(event), names)
    assert {key: value for key, value in again.items() if value is not None} == bare, say(event)
    assert event["event"] == "undo" or in_words(event)


# -- small days ------------------------------------------------------------------------------------


@functools.cache
def races() -> tuple[iom.Scenario, ...]:
    leaves, alone = {"concession": True, "eliminate_after": 1}, {"concession": True, "base": "present"}
    return toy(9), toy(9, "ABC", rules=leaves), toy(9, rules="one-two-way"), toy(9, rules=alone), unsure(9)


def is_told(chance: random.Random, path: Path) -> None:
    """A day goes on whatever is typed: each line happens and is in the log, or is refused and changes nothing."""
    race = chance.choice(races())
    day = night_of(race, particles=20, seed=1, log=path, assumptions=chance.choice(("fixed", 3)))
    before = [(day.belief, path.read_bytes())]
    for _ in range(chance.randint(2, 5)):
        plausible = chance.random() < 0.9
        line = say(happens(chance, list(race.names))) if plausible else typed(chance, race.names)
        report = survives(lambda line=line: day.tell(line))
        if report is None:
            assert (day.belief, path.read_bytes()) == before[-1]
            continue
        assert str(report)
        before = [*before[: len(day.events)], (day.belief, path.read_bytes())]
        assert len(before) == len(day.events) + 1
        assert as_a_day(day)
    again = iom.replay(path)
    assert again.events == day.events
    assert alike(again, day)
    while day.events:
        day.undo()
        assert (day.belief, path.read_bytes()) == before[len(day.events)]


def as_a_day(day: ElectionDay) -> bool:
    """What is believed of it can be told, and is a law."""
    chances = day.forecast().win_probability()["probability"]
    assert chances.between(0, 1).all()
    assert chances.sum() == pytest.approx(1, abs=1e-9)
    return bool(repr(day))


def alike(a: ElectionDay, b: ElectionDay) -> bool:
    """Two days are equal in every bit that counts."""

    def bits(day: ElectionDay) -> list[Any]:
        parts = [[s.votes, s.valid, s.attendance, s.flows, s.particles.log_weight, s.particles.draws.keys, s.clocks.now,
                  s.standing, s.stage, s.ended] for s in day.belief.possible]  # fmt: skip
        return [day.belief.weights, *(part for state in parts for part in state)]

    return all(np.array_equal(x, y) for x, y in zip(bits(a), bits(b), strict=True))


def test_these_are_names_that_candidates_may_have() -> None:
    for names in FIELDS:
        assert build({"electorate": {"size": 9}, "candidates": [{"name": name} for name in names]}).names == names


@pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")
@lengths()
def test_a_line_is_an_event_or_refused(numbers: range) -> None:
    each(numbers, case)
