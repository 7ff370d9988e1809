"""What can be asked of a forecast and of every what-if: a candidate's win, no winner, the next day, the rounds."""

from __future__ import annotations

from iomsim.engine.clock import DAY_NAMES
from iomsim.errors import IomsimError, quote, unknown
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.tables import NO_WINNER
from iomsim.model.moments import weekday_name
from iomsim.model.scenario import Scenario

SPILL, ROUNDS = "spill", "rounds"


def targets(race: Scenario) -> list[str]:
    """Return what can be asked of a what-if: candidates, "no winner", "spill" and "rounds"."""
    return [*race.names, NO_WINNER, SPILL, ROUNDS]


def checked_target(race: Scenario, target: str | None) -> str:
    """Return the target under its own name; None and "win" mean the first candidate's win.

    The next day with a sitting, by its weekday or its date in words, means "spill".

    Raises
    ------
    UnknownNameError
        If nothing of that name can be asked.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> checked_target(race, None), checked_target(race, "Tuesday")
    ('Pope', 'spill')
    """
    known, later = targets(race), next_weekday(race)
    if target is None or target in known:
        return race.names[0] if target is None else target
    word = str(target).casefold()
    if word == "win":
        return race.names[0]
    if word in (later.casefold(), later.casefold().split()[0]):
        return SPILL
    if word in {day.casefold() for day in DAY_NAMES}:
        raise IomsimError(
            f"no target {quote(target)}: voting begins on {weekday_name(race.clock.opens)}, and what is asked is "
            f"whether it runs into the next day with a sitting; ask for {quote(later)}"
        )
    raise unknown("target", target, [*known, later])


def next_weekday(race: Scenario) -> str:
    """Return the first day with a sitting after the opening date: its weekday, or its date if that could mislead."""
    return race.clock.next_day_in_words


def describe_target(race: Scenario, target: str) -> str:
    """Return what a target measures, in words."""
    words = {NO_WINNER: "the chance of no winner", ROUNDS: "the mean number of rounds"}
    words[SPILL] = f"the chance that voting runs into {next_weekday(race)}"
    return words.get(target, f"{target}'s chance")


def format_value(value: float, target: str, half_width: float = 0.0) -> str:
    """Return a value of a target in words: a chance per hundred, or rounds with a decimal.

    A chance has no more digits than half the width of its interval supports.

    Examples
    --------
    >>> format_value(0.314, "spill"), format_value(4.27, "rounds")
    ('31', '4.3')
    """
    return f"{value:.1f}" if target == ROUNDS else in_100(value, half_width)
