"""Bodies that elect: their procedures, electorates and clocks, read from files; no code knows one of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from iomsim.errors import IomsimError, ScenarioError, UnknownNameError, nearest, quote, unknown
from iomsim.model.evidence import shipped_folders, shipped_text
from iomsim.model.quantities import FrozenModel, Whole
from iomsim.rules.procedure import Grade, Procedure
from iomsim.rules.short_form import from_short_form

HOME = "iom"
"""The body whose readings a scenario means that names none."""


BodyKind = Literal["world assembly", "regional assembly", "board", "persons"]
"""Who votes: the states of the world, those of a region, some states on a board, or persons on their own account."""


class _Sourced(FrozenModel):
    """What states how well it is known, and from where."""

    grade: Grade
    source: str = Field(min_length=1)


class Seats(_Sourced):
    """Who votes: how many members are entitled at a date, and the shipped table that names them, if there is one."""

    size: Whole
    date: date
    members: str | None = None
    group: str | None = None


class Secrecy(_Sourced):
    """Whether the vote is secret."""

    ballot: Literal["secret", "public"]


class Timetable(_Sourced):
    """The keys of a scenario's clock."""

    model_config = {"extra": "allow"}


class Reading(_Sourced):
    """One reading of the rules, in the keys of a :class:`~iomsim.Procedure`."""

    model_config = {"extra": "allow"}

    about: str = ""


class Body(FrozenModel):
    """A body as its file describes it.

    Attributes
    ----------
    id, name, about : str
        Name of its folder, its name and the post, and a word on it.
    kind : str
        Who votes: "world assembly", "regional assembly", "board" (of states) or "persons".
    reading : str
        The reading of its rules that a scenario starts with.
    electorate, clock, secrecy
        Who votes, when, and how; each with grade and source.
    readings : dict of Reading
        What its rules are taken to say, by name.
    """

    id: str
    name: str
    about: str = ""
    kind: BodyKind
    reading: str
    electorate: Seats
    clock: Timetable
    secrecy: Secrecy
    readings: dict[str, Reading]

    @property
    def procedures(self) -> dict[str, Procedure]:
        """The readings as procedures, the one that a scenario starts with first."""
        names = sorted(self.readings, key=lambda name: name != self.reading)
        return {name: self._procedure(name) for name in names}

    def _procedure(self, name: str) -> Procedure:
        table = {key: value for key, value in dict(self.readings[name]).items() if key != "about"}
        try:
            return from_short_form({"name": name, **table})
        except IomsimError as error:
            raise ScenarioError(f"body {quote(self.id)}, reading {quote(name)}: {error}") from None


def body(id: str) -> Body:
    """Return a shipped body.

    Raises
    ------
    UnknownNameError
        If there is none of this id; the nearest is named, also by its name in full.

    Examples
    --------
    >>> body("iom").reading
    'until-two-thirds'
    >>> body("world health organization")
    Traceback (most recent call last):
    iomsim.errors.UnknownNameError: no body named 'world health organization'; did you mean 'who'?
    """
    known, text = shipped_folders("bodies"), str(id)
    if text in known:
        return _read(text)
    meant = [one for one in known if len(text) > 2 and text.casefold() in _read(one).name.casefold()]
    if len(meant) == 1 and nearest(text, known) is None:
        raise UnknownNameError(f"no body named {quote(text)}; did you mean {quote(meant[0])}?")
    raise unknown("body", text, known)


@cache
def _read(id: str) -> Body:
    table = tomllib.loads(shipped_text(f"bodies/{id}", "body", ".toml", "body"))
    try:
        found = Body(id=id, **table)
    except IomsimError as error:
        raise ScenarioError(f"body {quote(id)}: {error}") from None
    if found.reading not in found.readings:
        raise unknown(f"reading of the body {quote(id)}", found.reading, found.readings)
    return found


MANY = 16
"""Candidates for whom rules are told in full: as many as there may be."""


@cache
def readings(id: str = HOME) -> Mapping[str, Procedure]:
    """Return the readings of a body's rules by name, the one that a scenario starts with first.

    Examples
    --------
    >>> list(readings("iom"))[0], readings("iom")["strict"].withdrawal
    ('until-two-thirds', 'none')
    """
    return body(id).procedures


def reading(name: str, id: str = HOME) -> Procedure:
    """Return one reading of a body's rules.

    Raises
    ------
    UnknownNameError
        If the body has none of this name.
    """
    if not isinstance(name, str) or name not in readings(id):
        raise unknown(f"reading of the rules of {quote(id)}", name, readings(id))
    return readings(id)[name]


def told_apart(rules: Procedure, id: str) -> Procedure:
    """Return rules that are called like a reading of their body, and are not that reading, as a change of it.

    Examples
    --------
    >>> told_apart(Procedure(name="strict", threshold=">1/2"), "iom").name
    'strict, changed'
    """
    called = readings(id or HOME).get(rules.name, rules)
    return rules if called == rules else rules.with_(name=f"{rules.name}, changed")


def siblings(rules: Procedure, id: str) -> Mapping[str, Procedure]:
    """Return the readings beside which a forecast under these rules is shown: those of its body only.

    Of a scenario that names no body they are those of the home body if its rules are one of them, or a change of
    one; rules of one's own have none.
    """
    if not id and rules.name.removesuffix(", changed") not in readings(HOME):
        return {}
    return readings(id or HOME)


def bodies() -> pd.DataFrame:
    """Return the shipped bodies: what they elect, who votes, under which rules, and how well these are known.

    Returns
    -------
    DataFrame
        By id: `name`, `kind` (who votes: the states of the world or of a region, a board of states, or persons),
        `members` (entitled at `date`, without a time), `readings` (how many readings of the rules), `rules` (the one
        that a scenario starts with, in words, for three or more candidates), `ballot` (secret or public), and the
        `grade` of these rules: how well they are known.

    Examples
    --------
    >>> bodies().loc["iom", ["members", "readings"]].tolist()
    [175, 5]
    """
    rows = [_row(body(id)) for id in shipped_folders("bodies")]
    table = pd.DataFrame(rows).set_index("body")
    return table.assign(date=pd.to_datetime(table["date"]))


def _row(one: Body) -> dict[str, Any]:
    return {
        "body": one.id,
        "name": one.name,
        "kind": one.kind,
        "members": one.electorate.size,
        "date": one.electorate.date,
        "readings": len(one.readings),
        "rules": one.procedures[one.reading].sentence(MANY),
        "ballot": one.secrecy.ballot,
        "grade": one.readings[one.reading].grade,
    }
