"""Random procedures, in the words of a TOML file, and small rooms to hold them in."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from rules.slow_procedures import BLANK, NO, STRAY, YES

FRACTIONS = (*("2/3", ">1/2") * 3, "3/5", "3/4", "3/4", "4/5", ">2/3", "2/5", ">1/3", "most")


def random_threshold(dice: Random, members: int) -> Any:
    def one() -> Any:
        count = dice.randint(1 + members // 2, members)
        return dice.choice((count, str(count))) if dice.random() < 0.12 else dice.choice(FRACTIONS)

    return [one() for _ in range(dice.randint(1, 4))] if dice.random() < 0.3 else one()


def random_phase(dice: Random, members: int, name: str, may_ask: bool, is_last: bool) -> dict[str, Any]:
    """Return a phase; `may_ask`: it may be a yes/no ballot, as others are held before it."""
    phase: dict[str, Any] = {"name": name}
    if may_ask and dice.random() < 0.3:
        phase["vote"] = "yes-no"
    elif dice.random() < 0.4:
        phase["drop"] = dice.choice((1, 1, 1, 2))
        if dice.random() < 0.4:
            phase["down_to"] = dice.randint(1, 4)
    field = dice.random()
    if field < 0.2:
        phase["keep"] = dice.randint(1, 4)
    elif field < 0.35:
        phase["field"] = "all but the last"
    elif field < 0.55:
        phase["field"] = "all"
    elif field < 0.65:
        phase["field"] = "remaining"
    if dice.random() < 0.35:
        phase["standing"] = dice.randint(2, 5)
    ends_itself = "drop" in phase and phase.get("standing", 0) > phase.get("down_to", 2)
    may_go_on = (is_last or ends_itself) and "vote" not in phase
    if not may_go_on or dice.random() < 0.5:
        phase["ballots"] = dice.randint(1, 3)
    if dice.random() < 0.35:
        phase["threshold"] = random_threshold(dice, members)
    if dice.random() < 0.25:
        phase["base"] = dice.choice(("valid", "present", "entitled"))
    if dice.random() < 0.5 and phase.get("vote") != "yes-no":
        phase["tie"] = dice.choice(("lot", "extra", "extra"))
    if dice.random() < 0.3:
        phase["barred"] = dice.random() < 0.8
    return phase


def random_procedure(dice: Random, members: int) -> dict[str, Any]:
    """Return a valid procedure for a body of so many members."""
    count, phases, may_ask = dice.randint(1, 6), [], False
    for i in range(count):
        phase = random_phase(dice, members, f"phase {i + 1}", may_ask, i == count - 1)
        may_ask |= phase.get("standing", 0) <= 2
        phases.append(phase)
    table = {
        "name": "made up",
        "threshold": random_threshold(dice, members),
        "withdrawal": dice.choice(("none", "acclamation", "vote", "vote")),
        "phases": phases,
        "max_rounds": dice.randint(3, 14),
    }
    if dice.random() < 0.6:
        table["base"] = dice.choice(("valid", "present", "entitled"))
    if {"ballots", "standing"} & phases[-1].keys():
        table["after"] = dice.choice(("fail", "suspend", "repeat", "repeat"))
        if table["after"] == "repeat":
            table["repeat_from"] = dice.choice(phases)["name"]
    return table


class SmallRoom:
    """A few members whose papers are drawn: the same draws for whoever asks the same question."""

    def __init__(self, seed: str, members: int, candidates: int) -> None:
        dice = Random(seed)
        self.seed = seed
        self.candidates = tuple(f"C{k + 1}" for k in range(candidates))
        self.homes = tuple(dice.choice(self.candidates) if dice.random() < 0.2 else None for _ in range(members))
        self.taste = {name: dice.random() for name in (*self.candidates, YES, NO)}
        self.strays, self.blanks, self.absences = (dice.choice((0.0, 0.05, 0.2)) for _ in range(3))
        self.landslides, self.conceding = dice.choice((0.02, 0.1)), dice.choice((0.0, 0.2, 0.6))
        self.lots: dict[int, dict[str, float]] = {}

    def papers(self, ballot: int, voters: Sequence[int], choices: Sequence[str], extra: bool) -> list[str | None]:
        dice = Random(f"{self.seed}, papers {ballot} {extra}")
        strays = 0.0 if YES in choices else self.strays
        blanks = 1.0 if dice.random() < 0.04 else self.blanks
        weights = [self.taste[name] + 0.3 for name in choices]
        if dice.random() < self.landslides:
            weights[dice.randrange(len(weights))] += 6.0
        drawn: list[str | None] = []
        for _ in voters:
            if dice.random() < self.absences:
                drawn.append(None)
            elif dice.random() < blanks:
                drawn.append(BLANK)
            elif dice.random() < strays:
                drawn.append(STRAY)
            else:
                drawn.extend(dice.choices(choices, weights))
        return drawn

    def withdraws(self, ballot: int, standing: Sequence[str], trailing: str | None) -> str | None:
        dice = Random(f"{self.seed}, withdrawal {ballot}")
        if trailing is not None:
            return trailing if dice.random() < self.conceding else None
        return dice.choice(sorted(standing)) if dice.random() < self.conceding / 2 else None

    def tickets(self, ballot: int) -> dict[str, float]:
        if ballot not in self.lots:
            dice = Random(f"{self.seed}, lots {ballot}")
            self.lots[ballot] = {name: dice.random() for name in self.candidates}
        return self.lots[ballot]


def small_room(number: int) -> SmallRoom:
    """Return the room of a number: three to twelve members, mostly two to six candidates."""
    dice = Random(f"room {number}")
    candidates = dice.randint(7, 16) if dice.random() < 0.06 else dice.choice((2, 2, 3, 3, 4, 5, 6))
    return SmallRoom(f"room {number}", dice.randint(3, 12), candidates)


def procedure_for(number: int, members: int) -> dict[str, Any]:
    return random_procedure(Random(f"procedure {number}"), members)
