"""The description of an election: a value that does nothing and can be questioned.

A `Scenario` is loaded from TOML, shows itself in a notebook, and gives changed copies; nothing is
ever changed in place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError, model_validator

from iomsim.errors import IomsimError, ScenarioError, advice, unknown
from iomsim.model import evidence as evidence_table
from iomsim.model.components import SHORTHANDS, Behaviour, Candidate, Clock, Day, RuleBook, Sponsor, Tie, rule_book
from iomsim.model.electorate import Electorate, rows
from iomsim.model.messages import explain
from iomsim.model.quantities import Frozen, Quantity, numbers_only, put, walk
from iomsim.model.selectors import select
from iomsim.rules.ruleset import Rules, rule_set

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C00", "#332288")


WORDS: dict[str, Any] = {
    **dict.fromkeys(("title", "about", "as_of", "facts", "rules"), True),
    "electorate": {"members": True, "table": True, "size": True},
    "candidates": {"__all__": {"full_name", "colour"}},
}
"""What the hash of a scenario leaves out, or takes from elsewhere: the members and the rules."""


TAKEN = ("no winner", "nobody", "valid", "probability", "low", "high", "cumulative", "spill", "rounds", "median_rounds")
"""What sentences and tables call other things than candidates."""


class Scenario(Frozen):
    """An election as described: who votes, who stands, who presses, by which rules, and when.

    Read one with :func:`iomsim.load`; change it with the ``with_...`` methods, each of which
    returns a changed copy.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> len(race.members)
    175
    >>> race.with_pressure(Washington=0.9).sponsor("Washington").strength.value
    0.9
    """

    title: str = "An election"
    about: str = ""
    as_of: Day | None = None
    facts: tuple[str, ...] = ()
    electorate: Electorate
    candidates: tuple[Candidate, ...] = Field(min_length=2, max_length=8)
    sponsors: tuple[Sponsor, ...] = ()
    ties: tuple[Tie, ...] = ()
    behaviour: Behaviour = Behaviour()
    rules: RuleBook = RuleBook()
    clock: Clock = Clock(opens=datetime(2023, 5, 15, 10))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for kind, things in (("candidates", self.candidates), ("sponsors", self.sponsors), ("ties", self.ties)):
            _distinct(kind, [thing.name for thing in things])
        _callable(self.names)
        for sponsor in self.sponsors:
            _backed(f"sponsor {sponsor.name!r} backs", sponsor.backs, self.names)
        for tie in self.ties:
            _backed(f"tie {tie.name!r} binds to", tie.candidate, self.names)
        for name in self.electorate.pinned:
            _backed("a member is pinned to", name, self.names)
        self.exposure, self.tie_table, self.pins, self.votes  # noqa: B018 - refused now, not later
        _sourced(self)
        return self

    # -- asking -----------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names."""
        return tuple(candidate.name for candidate in self.candidates)

    @property
    def colours(self) -> dict[str, str]:
        """A colour for every candidate and for "no winner"."""
        own = {c.name: c.colour or PALETTE[i] for i, c in enumerate(self.candidates)}
        return own | {"no winner": "#999999"}

    def candidate(self, name: str) -> Candidate:
        """Return a candidate by name."""
        return _named("candidate", name, self.candidates)

    def sponsor(self, name: str) -> Sponsor:
        """Return a sponsor by name."""
        return _named("sponsor", name, self.sponsors)

    @property
    def exposure(self) -> np.ndarray:
        """Exposure of every member to every sponsor, shape ``(sponsors, members)``, mean 1 each."""
        frame = self.electorate.frame
        return np.array([_exposure(sponsor, frame) for sponsor in self.sponsors]).reshape(-1, len(frame))

    @property
    def tie_table(self) -> np.ndarray:
        """Log-odds of ties, shape ``(candidates, members)``."""
        frame = self.electorate.frame
        table = np.zeros((len(self.candidates), len(frame)))
        for tie in self.ties:
            bound = _selected(f"tie {tie.name!r}", frame, tie.who)
            if not bound.any():
                raise ScenarioError(f"tie {tie.name!r} binds no member; give a selector that finds some, or names")
            table[self.names.index(tie.candidate), bound] += tie.log_odds.value
        return table

    @property
    def pins(self) -> np.ndarray:
        """Index of the candidate a member is pinned to, -1 for the free ones; shape ``(members,)``."""
        frame = self.electorate.frame
        pins = np.full(len(frame), -1)
        for name, members in self.electorate.pinned.items():
            for row in rows(frame, members):
                if pins[row] >= 0:
                    twice = "twice" if pins[row] == self.names.index(name) else "to two candidates"
                    raise ScenarioError(f"{frame['name'][row]} is pinned {twice}; name it once")
                pins[row] = self.names.index(name)
        return pins

    @property
    def votes(self) -> np.ndarray:
        """Which members have a vote, shape ``(members,)``."""
        frame = self.electorate.frame
        votes = np.ones(len(frame), dtype=bool)
        votes[rows(frame, self.electorate.without_vote)] = False
        pinned = self.pins >= 0
        if (pinned & ~votes).any():
            raise ScenarioError(f"{frame['name'][np.argmax(pinned & ~votes)]} is pinned but has no vote")
        if not votes.any():
            raise ScenarioError("no member has a vote")
        return votes

    @property
    def members(self) -> pd.DataFrame:
        """The member table with each member's exposures, ties and pin."""
        frame = self.electorate.frame
        for sponsor, row in zip(self.sponsors, self.exposure, strict=True):
            frame[f"exposure to {sponsor.name}"] = row
        for name, row in zip(self.names, self.tie_table, strict=True):
            frame[f"tie to {name}"] = row
        pins = self.pins
        frame["pinned"] = [self.names[pin] if pin >= 0 else "" for pin in pins]
        frame["has_vote"] = self.votes
        return frame

    def parameters(self) -> dict[str, Quantity]:
        """Return every parameter by its dotted path.

        Examples
        --------
        >>> import iomsim as iom
        >>> iom.load("geneva-2023").parameters()["behaviour.fluid"].value
        0.7
        """
        return dict(walk(self))

    def evidence(self) -> pd.DataFrame:
        """Return the provenance table: one row per parameter, with what its source says."""
        table = [
            {
                "parameter": path,
                "value": q.value,
                "low": q.low,
                "high": q.high,
                "unit": q.unit,
                "grade": q.grade,
                "source": q.source,
                "statement": " ".join(evidence_table.statements(q.source)),
            }
            for path, q in self.parameters().items()
        ]
        book = self.rules
        table.append(
            {"parameter": "rules", "value": book.label, "low": book.label, "high": book.label, "unit": "rule set",
             "grade": book.grade, "source": book.source, "statement": " ".join(evidence_table.statements(book.source))}
        )  # fmt: skip
        return pd.DataFrame(table).set_index("parameter")

    @property
    def hash(self) -> str:
        """Twelve hex digits that change with anything that can change a result, and not with words."""
        content = numbers_only(self.model_dump(mode="json", exclude=WORDS))
        content |= {"rules": repr(self.rules.rules.with_(name="")), "members": self.electorate.frame.to_csv()}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(self.hash)

    # -- changing ---------------------------------------------------------------------------

    def with_pressure(self, **strengths: float) -> Scenario:
        """Return a copy with other sponsor strengths (log-odds on the average member, in public).

        Raises
        ------
        UnknownNameError
            If there is no sponsor of that name.
        """
        for name in strengths:
            self.sponsor(name)
        return self.with_parameters({f"sponsors.{name}.strength": value for name, value in strengths.items()})

    def with_behaviour(self, **changes: float) -> Scenario:
        """Return a copy with other behaviour; `openness` and `momentum` set all of their kind."""
        paths: dict[str, float] = {}
        for key, value in changes.items():
            for name in SHORTHANDS.get(key, (key,)):
                if name not in Behaviour.model_fields:
                    raise unknown("parameter of the behaviour", name, [*Behaviour.model_fields, *SHORTHANDS])
                paths[f"behaviour.{name}"] = value
        return self.with_parameters(paths)

    def with_rules(self, name: str | Rules | None = None, **changes: Any) -> Scenario:
        """Return a copy under a shipped rule set, or with parts of the rules changed.

        Examples
        --------
        >>> import iomsim as iom
        >>> iom.load("geneva-2023").with_rules("four-rounds").rules.rules.max_two_way
        3
        """
        rules = self.rules.rules if name is None else name if isinstance(name, Rules) else rule_set(name)
        return self._with(rules=rule_book(rules.with_(**changes)))

    def with_clock(self, **changes: Any) -> Scenario:
        """Return a copy with another clock: numbers for quantities, or dates, days and sittings."""
        numbers: dict[str, float] = {}
        others: dict[str, Any] = {}
        for key, value in changes.items():
            if key not in Clock.model_fields:
                raise unknown("part of the clock", key, Clock.model_fields)
            (numbers if isinstance(getattr(self.clock, key), Quantity) else others)[key] = value
        changed = self._with(clock={**dict(self.clock), **others}) if others else self
        return changed.with_parameters({f"clock.{key}": value for key, value in numbers.items()})

    def with_parameters(self, values: Mapping[str, float]) -> Scenario:
        """Return a copy with parameters set by dotted path.

        Raises
        ------
        UnknownNameError
            If there is no such parameter; the nearest path is named.

        Examples
        --------
        >>> import iomsim as iom
        >>> quiet = iom.load("geneva-2023").with_parameters({"behaviour.secrecy": 1.0})
        >>> quiet.behaviour.secrecy.value
        1.0
        """
        known = self.parameters()
        raw = dict(self)
        for path, value in values.items():
            if path not in known:
                raise unknown("parameter", path, known)
            raw = put(raw, path, _at(path, known[path], value))
        return _build(raw, self.title)

    def with_ties(self, *ties: Tie) -> Scenario:
        """Return a copy with further ties."""
        return self._with(ties=(*self.ties, *ties))

    def with_pinned(self, **members: str | tuple[str, ...] | list[str]) -> Scenario:
        """Return a copy with further members pinned, by candidate: ``with_pinned(Pope=["CAN"])``."""
        pinned = dict(self.electorate.pinned)
        for name, who in members.items():
            self.candidate(name)
            pinned[name] = (*pinned.get(name, ()), *([who] if isinstance(who, str) else who))
        return self._with(electorate={**dict(self.electorate), "pinned": pinned})

    def _with(self, **changes: Any) -> Scenario:
        return _build({**dict(self), **changes}, self.title)

    def balanced(self, share: float | Mapping[str, float] = 0.5) -> Scenario:
        """Return a copy whose appeals make the mean first-round shares as asked.

        Parameters
        ----------
        share : float or mapping of float
            Mean share of the valid papers of the first candidate, or of several by name.  Those
            not named keep their appeal.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("minimal").balanced(0.6)
        """
        from iomsim.engine.balance import balanced

        return balanced(self, share)

    def save(self, path: str | Path) -> None:
        """Write the scenario to a TOML file; :func:`iomsim.load` gives an equal one back."""
        from iomsim.model.catalogue import save

        save(self, path)

    # -- showing ----------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return the facts of the scenario in a few lines."""
        from iomsim.model.briefing import text

        return text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from iomsim.model.briefing import html

        return html(self)


def build(data: Mapping[str, Any], where: str = "scenario") -> Scenario:
    """Return the scenario that a mapping describes, as read from TOML.

    Raises
    ------
    ScenarioError
        One sentence per problem, with the key, what was got and what would work.
    """
    return _build(data, where)


def _build(data: Mapping[str, Any], where: str) -> Scenario:
    try:
        return Scenario.model_validate(dict(data))
    except ValidationError as error:
        raise explain(error, Scenario, data, where) from None
    except IomsimError as error:
        raise type(error)(f"{where}: {error}") from None


def _at(path: str, old: Quantity, value: float) -> Quantity:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ScenarioError(f"{path} must be a number, got {value!r}")
    if not np.isfinite(value):
        raise ScenarioError(f"{path} must be a finite number, got {value}")
    return old if float(value) == old.value else old.at(float(value))


def _named(kind: str, name: str, things: tuple[Any, ...]) -> Any:
    for thing in things:
        if thing.name == name:
            return thing
    raise unknown(kind, name, [thing.name for thing in things])


def _distinct(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f"two {kind} are called {name!r}; names must differ")


def described(asker: str, race: Any) -> Scenario:
    """Return a scenario as it is; refuse anything else, and say who asked for one."""
    if not isinstance(race, Scenario):
        raise IomsimError(f"{asker} takes a Scenario, got {type(race).__name__}; read one with iomsim.load")
    return race


def _callable(candidates: tuple[str, ...]) -> None:
    """Refuse names that a table, a sentence or an announcement could not tell from something else."""
    for i, name in enumerate(candidates):
        if name in TAKEN:
            raise ScenarioError(f"a candidate cannot be called {name!r}, which means something else in the tables")
        if name != " ".join(name.split()) or not name.isprintable():
            raise ScenarioError(f"a candidate cannot be called {name!r}; leave out line breaks and spaces at the ends")
        for other in candidates[:i]:
            if name.casefold() == other.casefold():
                raise ScenarioError(f"candidates {other!r} and {name!r} differ only in capitals; names must differ")


def _backed(what: str, name: str, candidates: tuple[str, ...]) -> None:
    if name not in candidates:
        raise ScenarioError(f"{what} {name!r}, who does not stand; {advice(name, candidates)}")


def _exposure(sponsor: Sponsor, frame: pd.DataFrame) -> np.ndarray:
    weights = np.zeros(len(frame))
    for who, weight in sponsor.exposure.items():
        weights += weight.value * _selected(f"sponsor {sponsor.name!r}", frame, who)
    weights[np.abs(weights) < 1e-12] = 0.0
    if (weights < 0).any():
        member = frame["name"].iloc[int(np.argmin(weights))]
        raise ScenarioError(f"the exposure of {member} to {sponsor.name} is negative; weights must add up to 0 or more")
    if not weights.any():
        raise ScenarioError(f"no member is exposed to {sponsor.name}; give at least one weight above 0")
    return weights / weights.mean()


def _selected(what: str, frame: pd.DataFrame, who: str | tuple[str, ...]) -> np.ndarray:
    try:
        return select(frame, who)
    except IomsimError as error:
        raise ScenarioError(f"{what}: {error}") from None


def _sourced(race: Scenario) -> None:
    """Refuse sources that name a fact which is not there."""
    for path, quantity in walk(race):
        evidence_table.check(path, quantity.source)
    evidence_table.check("rules", race.rules.source)
    for fact in race.facts:
        evidence_table.known("facts", fact)
