"""Rules as plain words: a sentence for each group of phases, and the whole."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby

from iomsim.rules.bar import Bar
from iomsim.rules.phase import Phase

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
SHARES = {
    Fraction(1, 2): "half",
    Fraction(2, 3): "two thirds",
    Fraction(3, 5): "three fifths",
    Fraction(3, 4): "three quarters",
}
BASE_WORDS = {"valid": "the votes cast", "present": "the members present", "entitled": "all members with a vote"}
ENDS = {"fail": "the election fails", "suspend": "the election is suspended"}


def rules_in_words(
    phases: Sequence[Phase],
    threshold: Sequence[Bar],
    base: str,
    withdrawal: str,
    after: str | None,
    repeat_from: str,
    candidates: int,
) -> str:
    """Return the parts of a procedure as sentences, for as many candidates as stand."""
    shown = [phase for phase in phases if phase.standing <= candidates]
    out = [f"{_capital(bar_in_words(threshold[0], base))}{_later(threshold)}."]
    groups = [(standing, list(group)) for standing, group in groupby(shown, lambda phase: phase.standing)]
    for number, (standing, group) in enumerate(groups):
        last = group[-1] is phases[-1]
        end = _end(after, repeat_from) if last else ""
        out.append(f"{_capital(_group(standing, group, threshold[-1], base, number > 0))}{end}.")
    if withdrawal != "none":
        then = "acclaimed" if withdrawal == "acclamation" else "put to a yes/no vote, which decides"
        out.append(f"Of two, the one behind may withdraw; the other is then {then}.")
    return " ".join(out)


def bar_in_words(bar: Bar, base: str) -> str:
    """Return the votes that elect in words.

    Examples
    --------
    >>> bar_in_words(Bar.of("2/3"), "valid"), bar_in_words(Bar.of("most"), "valid")
    ('two thirds of the votes cast', 'more votes than anybody else')
    """
    if bar.value is None:
        return "more votes than anybody else"
    if bar.kind == "count":
        return f"{bar.value} votes"
    share = "all" if bar.value == 1 else SHARES.get(bar.value, str(bar.value))
    return f"{'more than ' * (bar.kind == 'more than')}{share} of {BASE_WORDS[base]}"


def _later(bars: Sequence[Bar]) -> str:
    changes = [(number, bar) for number, bar in enumerate(bars, start=1) if number > 1 and bar != bars[number - 2]]
    words = {number: bar_in_words(bar, "valid").removesuffix(" of the votes cast") for number, bar in changes}
    return "".join(f", from the {_ordinal(number)} ballot on {said}" for number, said in words.items())


def _group(standing: int, phases: Sequence[Phase], bar: Bar, base: str, later: bool) -> str:
    """Return consecutive phases that are held while so many stand."""
    plain = phases[0].keep is None and phases[0].field == "remaining"
    head = f"with {_number(standing)} or more" if standing > 1 else "between two" if later and plain else ""
    parts, rest = [], list(phases)
    while rest:
        phase = rest.pop(0)
        plain = phase.drop == 1 and phase.vote == "choice" and phase.ballots is None and phase.keep is None
        if plain and phase.field == "remaining" and phase.down_to == 2:
            parts.append(f"the last leaves after each inconclusive ballot{_own(phase, base)}{_barred(phase)}")
        elif _waits(phase) and rest and _drops_from_the_start(rest[0]):
            rest.pop(0)
            parts.append(f"the last leaves after each inconclusive ballot from the {_ordinal(phase.ballots or 0)} on")
        else:
            parts.append(phase_in_words(phase, bar, base))
    colon = ", " if parts and parts[0].startswith("the last leaves") else ": "
    return (head + colon if head else "") + "; then ".join(parts)


def _waits(phase: Phase) -> bool:
    return phase == Phase(name=phase.name, standing=phase.standing, ballots=phase.ballots) and phase.ballots is not None


def _drops_from_the_start(phase: Phase) -> bool:
    return phase == Phase(name=phase.name, standing=phase.standing, field="all but the last", drop=1)


def phase_in_words(phase: Phase, bar: Bar, base: str) -> str:
    """Return a phase in words, `bar` and `base` being the procedure's.

    Examples
    --------
    >>> phase_in_words(Phase(keep=2, ballots=3), Bar.of("2/3"), "valid")
    'the two with most votes: three ballots'
    """
    if phase.vote == "yes-no":
        needed = bar_in_words(phase.threshold[0] if phase.threshold else bar, phase.base or base)
        needed = needed.replace("of the votes cast", "of yes and no")
        more = f" in one of {_number(phase.ballots or 1)} ballots" if (phase.ballots or 1) > 1 else ""
        return f"the leader stands alone and needs {needed}{more}"
    who = {"remaining": "", "all but the last": "the last leaves: ", "all": "everybody again: "}[phase.field]
    who = f"the {_number(phase.keep)} with most votes: " if phase.keep else who
    held = _count(phase.ballots)
    if phase.drop:
        leaves = "the last leaves" if phase.drop == 1 else f"the last {_number(phase.drop)} leave"
        least = f" while more than {_number(phase.down_to)} stand" if phase.down_to != 2 else ""
        held += f", after each of which {leaves}{least}"
    return who + held + _own(phase, base) + _barred(phase)


def _barred(phase: Phase) -> str:
    return ", without the members barred while their candidate stands" if phase.barred else ""


def _own(phase: Phase, base: str) -> str:
    """Return the bar of a phase's own, and how ties are broken, where they differ from the rest."""
    bars = phase.threshold
    own = f", {bar_in_words(bars[0], phase.base or base)} needed{_later(bars)}" if bars else ""
    if not bars and phase.base is not None and phase.base != base:
        own = f", of {BASE_WORDS[phase.base]}"
    return own + ", a tie for the last place decided by an extra ballot" * (phase.tie == "extra")


def _end(after: str | None, repeat_from: str) -> str:
    if after is None:
        return ""
    return f"; otherwise {ENDS.get(after, f'it starts again with {repeat_from!r}')}"


def _count(ballots: int | None) -> str:
    return "ballots without limit" if ballots is None else f"{_number(ballots)} ballot{'s' * (ballots > 1)}"


def _number(value: int) -> str:
    return NUMBERS[value] if value < len(NUMBERS) else str(value)


def _ordinal(value: int) -> str:
    return ORDINALS[value] if value < len(ORDINALS) else f"{value}th"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
