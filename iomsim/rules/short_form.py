"""The short form of common rules: a few knobs instead of phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iomsim.errors import ScenarioError, quote, unknown
from iomsim.rules.bar import Bar, bars_of
from iomsim.rules.phase import MOST_BALLOTS, Phase, whole
from iomsim.rules.procedure import PARTS, Procedure

NOTHING = {"eliminate_after": "never", "max_two_way": "unlimited", "simple_majority_from": "never"}
"""How a file says that a knob does not apply; None says it in Python."""

KNOBS = {
    "eliminate_after": (
        "int or None",
        "With three or more standing the last leaves after each ballot from this one on; None: never.",
    ),
    "max_two_way": (
        "int or None",
        "After so many ballots between two the leader alone faces a yes/no vote, which decides; None: never.",
    ),
    "simple_majority_from": ("int or None", "From this ballot on more than half suffices; None: never."),
    "concession": ("bool", "Whether the trailing one of two may withdraw."),
    "after_concession": (
        '{"acclamation", "confirmation"}',
        "What the other faces then; the latter is a vote of yes or no.",
    ),
}
"""What the short form has beside the parts of a procedure: what each takes, and what it does."""

AFTER_CONCESSION = {"acclamation": "acclamation", "confirmation": "vote", "vote": "vote"}


def from_short_form(stated: Mapping[str, Any], old: Procedure | None = None) -> Procedure:
    """Return the procedure that a table in the short form means, or `old` changed by it.

    The knobs are those of :data:`KNOBS`; other keys are parts of a :class:`Procedure`.

    Raises
    ------
    UnknownNameError
        If there is no such part or knob; the nearest is named.
    ScenarioError
        If a value cannot be, or `old` has phases that the knobs cannot say.

    Examples
    --------
    >>> from_short_form({"threshold": ">1/2", "eliminate_after": 1}).phases
    (Phase(standing=3, drop=1), Phase())
    """
    for key in stated:
        if key not in (*KNOBS, *PARTS):
            raise unknown("part of the rules", key, (*KNOBS, *PARTS))
    table = {key: None if value == NOTHING.get(key) else value for key, value in stated.items()}
    knobs = {key: table.pop(key) for key in KNOBS if key in table}
    if "withdrawal" in table and knobs.keys() & {"concession", "after_concession"}:
        raise ScenarioError("withdrawal, and concession or after_concession, exclude each other; leave one out")
    parts = dict(table)
    if "concession" in knobs and not isinstance(knobs["concession"], bool):
        raise ScenarioError(f"concession must be true or false, got {quote(knobs['concession'])}")
    if {"eliminate_after", "max_two_way"} & set(knobs):
        if "phases" in parts:
            raise ScenarioError("phases, and eliminate_after or max_two_way, exclude each other; leave one out")
        base = parts.get("base", Procedure().base if old is None else old.base)
        known: dict[str, Any] = {"eliminate_after": None, "max_two_way": None} if old is None else _knobs_of(old)
        known = {"alone": None if base == "valid" else "valid"} | known
        parts |= _phases(**known | {key: knobs[key] for key in known if key in knobs})
    if knobs.keys() & {"concession", "after_concession"}:
        parts["withdrawal"] = _withdrawal(knobs, "none" if old is None else old.withdrawal)
    if "simple_majority_from" in knobs:
        first = bars_of(parts.get("threshold", Procedure().threshold if old is None else old.threshold))[0]
        parts["threshold"] = _falling(first, knobs["simple_majority_from"])
    return Procedure.of(parts) if old is None else old.with_(**parts)


def _withdrawal(knobs: Mapping[str, Any], old: str) -> str:
    then = knobs.get("after_concession", "acclamation" if old == "none" else old)
    if not isinstance(then, str) or then not in AFTER_CONCESSION:
        raise ScenarioError(f"after_concession must be acclamation or confirmation; got {quote(then)}")
    return AFTER_CONCESSION[then] if knobs.get("concession", old != "none") else "none"


def _falling(first: Bar, simple_from: int | None) -> tuple[Bar, ...]:
    if simple_from is None:
        return (first,)
    whole("simple_majority_from", simple_from, 1)
    if simple_from > MOST_BALLOTS:
        raise ScenarioError(f"simple_majority_from must be at most {MOST_BALLOTS}, got {quote(simple_from)}")
    return (*[first] * (simple_from - 1), Bar.of(">1/2"))


def _phases(eliminate_after: int | None, max_two_way: int | None, alone: str | None = None) -> dict[str, Any]:
    """Return phases and end; `alone` is the base of the yes/no vote."""
    many: list[Phase] = []
    if eliminate_after is not None:
        whole("eliminate_after", eliminate_after, 1)
        many = [Phase(standing=3, drop=1)]
        if eliminate_after > 1:
            many = [
                Phase(name="all", standing=3, ballots=eliminate_after),
                Phase(name="elimination", standing=3, field="all but the last", drop=1),
            ]
    if max_two_way is None:
        return {"phases": (*many, Phase(name="two" if eliminate_after and eliminate_after > 1 else "")), "after": None}
    whole("max_two_way", max_two_way, 1)
    two = Phase(name="two", ballots=max_two_way)
    last = Phase(name="alone", vote="yes-no", ballots=1, base=alone)
    return {"phases": (*(many or [Phase(standing=3)]), two, last), "after": "fail"}


def _knobs_of(old: Procedure) -> dict[str, Any]:
    """Return the knobs that give a procedure's phases."""
    first, last = old.phases[0], old.phases[-1]
    two = next((phase.ballots for phase in old.phases if phase.name == "two"), None)
    alone = {"alone": last.base} if last.vote == "yes-no" else {}
    for eliminate_after in (None, 1, first.ballots):
        knobs: dict[str, Any] = {"eliminate_after": eliminate_after, "max_two_way": two, **alone}
        if {part: getattr(old, part) for part in ("phases", "after")} == _phases(**knobs):
            return knobs
    raise ScenarioError(
        f"the rules {quote(old.name)} have phases of their own, which eliminate_after and max_two_way cannot say; "
        "give with_rules(phases=[...])"
    )
