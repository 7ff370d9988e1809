"""What an election is described by, and the questions that a description answers by itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator

from iomsim.engine import paths
from iomsim.engine.balance import solve_levels, within_reach
from iomsim.engine.plan import ExposureTerm, Plan, Polled, Swing as PlannedSwing, Tie as BoundTie
from iomsim.engine.simulate import gone_over
from iomsim.errors import IomsimError, ScenarioError, advice, quote, unknown
from iomsim.house_style import as_seen
from iomsim.model import evidence as evidence_table, ledger as ledgers, polling as polls
from iomsim.model.bodies import HOME, body, reading, told_apart
from iomsim.model.clock import Clock
from iomsim.model.components import (
    UNSAID,
    Behaviour,
    Candidate,
    Held,
    RulesOfFile,
    Sponsor,
    Swing,
    Tie,
    WeightedReading,
    is_unsaid,
)
from iomsim.model.dates import Day
from iomsim.model.electorate import Electorate, as_csv, members_of, rows, select
from iomsim.model.events import EVENTS
from iomsim.model.exposure import missing, term
from iomsim.model.ledger import Entry, Ledger
from iomsim.model.lines import PAPERS, exactly
from iomsim.model.links import shifted
from iomsim.model.names import OWN
from iomsim.model.polling import Polling
from iomsim.model.quantities import (
    LEAN,
    FrozenDict,
    FrozenModel,
    Level,
    Line,
    Name,
    Parameter,
    Quantity,
    Text,
    in_order,
    replace_quantities,
    stated,
    walk,
)
from iomsim.rules.procedure import Procedure
from iomsim.rules.rulebook import Rulebook
from iomsim.typing import Ints

PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C00", "#332288",
    "#69FF87", "#B400FF", "#6900D2", "#FFC3FF", "#4B3C00", "#8787FF", "#5A005A", "#87D278",
)  # fmt: skip
"""Colours of the candidates.  Any two of the sixteen are as far apart, also for the colour-blind, as the nearest two
of the first eight are to somebody who does not see red or green."""

WORDS: dict[str, Any] = {
    **dict.fromkeys(("title", "about", "as_of", "facts", "body", "rules"), True),
    "electorate": {"members": True, "table": True, "size": True},
    "candidates": {"__all__": {"full_name", "colour"}},
    "ties": {"__all__": {"label"}},
    "swings": {"__all__": {"grade", "source"}},
    "readings": True,
    "held": True,
    "ledger": {"pledges": {"__all__": {"date", "source"}}},
}
"""What the hash of a scenario leaves out, or takes from elsewhere: the members and the rules."""

SHOWN = 5
"""Members that a sentence names."""

CERTAINLY = 1e-6
"""How far weights of readings, or shares of all candidates, may add up to something else than 1."""

COLUMNS = ("no winner", "nobody", "still voting", "probability", "low", "high", "cumulative", "rounds",
           "median_rounds", "event", "at", "round", "spill", "effective_size", "odds", "chance", "out", "spilled",
           "certain", "id", "group", "vote", "leans_to", "log_odds", "appeal", "ties", "pledges", "polling",
           "region_sd", "net_pull", "pull_towards", "agreed", "unsettled", "member")  # fmt: skip
TAKEN = {*COLUMNS, *PAPERS, *EVENTS, "tally", "votes", "yes", "no", "elected"}
"""What tables, sentences and announcements call other things than candidates, in small letters."""

MADE_OF = ("log_odds of", "appeal of", "polling of", "ties to", "pledges to", "votes for")
"""Before a candidate's name in the heading of a column."""

BESIDE = ("_low", "_high", "_mc_error")
"""After a candidate's name, in the heading of what stands beside its chance."""

HEADINGS = ("mc_error", "weight", "rules", "reading", "step")
"""Headings of columns beside those of candidates: whoever is called so has a capital."""


class Description(FrozenModel):
    """An election as described: who votes, who stands, who presses, by which rules, and when."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    title: Line = "An election"
    """What charts and reports call it."""
    about: Text = ""
    """What it is about, in a paragraph."""
    as_of: Day | None = None
    """The day on which what it uses was known."""
    facts: tuple[Name, ...] = Field((), max_length=1000)
    """Ids of further facts of :func:`iomsim.facts` that it rests on."""
    electorate: Electorate
    """Who votes."""
    candidates: tuple[Candidate, ...] = Field(min_length=2, max_length=16)
    """Who stands."""
    level: Annotated[dict[str, Level], AfterValidator(FrozenDict)] = stated("share", LEAN, FrozenDict())
    """Mean share of the first round's papers, by candidate, if that is stated in place of the appeal."""
    sponsors: tuple[Sponsor, ...] = Field((), max_length=100)
    """Who presses."""
    ties: tuple[Tie, ...] = Field((), max_length=1000)
    """What binds members to candidates."""
    swings: tuple[Swing, ...] = Field((), max_length=100)
    """How many members of which groups are said to go over."""
    behaviour: Behaviour = Behaviour()
    """How members vote and change their minds."""
    body: Line = ""
    """The body whose rules they are; default the IOM's."""
    rules: RulesOfFile = Field(default_factory=lambda: reading(body(HOME).reading))
    """How the body elects: a reading of its rules by name, or rules of your own."""
    readings: tuple[WeightedReading, ...] = Field((), max_length=100)
    """Several ways to read the rules, by weight; every election follows one."""
    clock: Clock = Clock(opens=datetime(2023, 5, 15, 9))
    """When it sits, and how long things take."""
    ledger: Ledger | None = None
    """Who has pledged to whom."""
    polling: Polling | None = None
    """What members said that were asked."""
    held: Held | None = None
    """Parts as they were when the level was stated; a saved what-if has them."""

    @model_validator(mode="before")
    @classmethod
    def _rules_of_body(cls, data: Any) -> Any:
        """Have the name of a reading mean one of the scenario's body, and no other rules."""
        if not isinstance(data, Mapping) or not isinstance(data.get("body", ""), str):
            return data
        id, rules = data.get("body", ""), data.get("rules")
        if isinstance(data.get("readings"), (list, tuple)):
            readings = [_reading_of_body(part, id) for part in data["readings"]]
            rules = _weightiest(readings) if rules is None else rules
            data = {**data, "readings": readings} | ({} if rules is None else {"rules": rules})
        if isinstance(rules, Procedure):
            return {**data, "rules": told_apart(rules, id)}
        if id and rules is None:
            rules = {"name": body(id).reading}
        return {**data, "rules": {**rules, "body": id}} if id and isinstance(rules, Mapping) else data

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        if isinstance(info.context, Plan):  # of a description that differs in the values of parameters only
            _possible(self.level, self.candidates)
            values = {path: q.value for path, q in self.parameters().items()}
            moved = any(info.context.values[paths.level(name)] != share.value for name, share in self.level.items())
            self.__dict__["_plan"] = info.context.at(values | (self._appeals if moved else {}))
            self.plan.check_exposure()
            return self
        for kind, things in (("candidates", self.candidates), ("sponsors", self.sponsors), ("ties", self.ties)):
            _distinct(kind, [thing.name for thing in things])
        _callable(self.names)
        _told_from(self.names, [sponsor.name for sponsor in self.sponsors])
        for sponsor in self.sponsors:
            _backed(f"sponsor {quote(sponsor.name)} backs", sponsor.backs, self.names)
        for tie in self.ties:
            _backed(f"tie {quote(tie.name)} binds to", tie.candidate, self.names)
        for swing in self.swings:
            _backed(f"the swing of {swing.name} goes to", swing.to, self.names)
        for name in self.electorate.pinned:
            _backed("a member is pinned to", name, self.names)
        for name in self.electorate.barred:
            _backed("members are barred by", name, self.names)
        _possible(self.level, self.candidates)
        _weighted(self.readings, self.rules)
        self.plan.check_exposure()
        _enough(self.swings, self.plan)
        for rules in self.procedures:
            rules.first_stage(len(self.names))
            most = max((int(bar.value or 0) for bar in rules.bars if bar.kind == "count"), default=0)
            if most > self.plan.entitled:
                raise ScenarioError(
                    f"rules.threshold asks for {most} votes, but only {self.plan.entitled} members have one"
                )
        for path, quantity in self.parameters().items():
            evidence_table.check(path, quantity.source)
        evidence_table.check("rules", self.rules.source)
        for swing in self.swings:
            evidence_table.check(f"the swing of {swing.name}", swing.source)
        for part in self.readings:
            evidence_table.check(f"the reading {quote(part.name)}", part.source)
        for fact in self.facts:
            evidence_table.known("facts", fact)
        return self

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
    def procedures(self) -> tuple[Procedure, ...]:
        """The readings of the rules that an election may follow; one, unless several are weighed."""
        return tuple(part.rules for part in self.readings) or (self.rules,)

    @property
    def plan(self) -> Plan:
        """The election on the best guesses, as the arrays that the engine plays; made once."""
        return self._plan

    @property
    def _levelled(self) -> Description:
        """The election at the time when its level was stated: it says which appeals give that level.

        A level is that of the election before its members were polled.
        """
        return self if self.held is None and self.polling is None else self._before

    @cached_property
    def _before(self) -> Description:
        then = {key: part for key, part in dict(self.held or {}).items() if part is not None}
        if then.get("ledger") == Ledger():
            then["ledger"] = None
        known = {**dict(self), **then, "held": None, "polling": None}
        return type(self).model_construct(**known)  # it was checked when it was stated

    @property
    def _appeals(self) -> dict[str, float]:
        """The appeals that give the level, by path, on the best guesses."""
        return {path: float(np.ravel(value)[0]) for path, value in appeals(self, {}).items()}

    @cached_property
    def _plan(self) -> Plan:
        return self._stated.at(self._appeals) if self.level else self._stated

    @cached_property
    def _stated(self) -> Plan:
        """The plan with the appeals as they are stated, whatever the level."""
        frame = self.electorate.frame
        return Plan(
            names=self.names,
            sponsors=tuple(sponsor.name for sponsor in self.sponsors),
            members=tuple(frame["name"]),
            backs=np.array([self.names.index(sponsor.backs) for sponsor in self.sponsors], dtype=np.intp),
            appeals=tuple(paths.appeal(name) for name in self.names),
            strengths=tuple(paths.strength(sponsor.name) for sponsor in self.sponsors),
            spreads=tuple(paths.spread(sponsor.name) for sponsor in self.sponsors),
            exposures=tuple(_exposure_terms(sponsor, frame) for sponsor in self.sponsors),
            ties=(*(_bound(tie, self.names, frame) for tie in self.ties), *self._pledged),
            group=np.unique(frame["group"].to_numpy(dtype=str), return_inverse=True)[1].reshape(-1),
            pins=self.pins,
            votes=self.votes,
            barred=self.barred,
            rules=self.rules,
            calendar=self.clock.calendar(),
            values={parameter.path: parameter.quantity.value for parameter in walk(self)},
            polled=self._polled,
            swings=tuple(
                PlannedSwing(swing.count, self.names.index(swing.to), _swung(swing, frame)) for swing in self.swings
            ),
        )

    @cached_property
    def _gone_over(self) -> Ints:
        """How many members go over in each swing of some runs, on the best guesses, shape ``(swings, runs)``."""
        return gone_over(self.plan)

    @property
    def _polled(self) -> Polled | None:
        """What members said that were asked, if any were."""
        if self.polling is None or not self.polling.chances:
            return None
        return Polled(paths.TRUST, self.polling.table(self.electorate.frame, self.names))

    @property
    def _pledged(self) -> list[BoundTie]:
        """The pledges as ties, one for each kind and candidate."""
        found = ledgers.bound(self._entries, len(self.electorate.frame)).items()
        return [
            BoundTie(paths.discount(kind), self.names.index(name), weights)
            for (kind, name), weights in sorted(found, key=lambda pair: pair[0])
        ]

    @cached_property
    def _entries(self) -> list[Entry]:
        """The pledges of the ledger, with what each counts."""
        if self.ledger is None:
            return []
        return ledgers.entries(self.ledger, self.electorate.frame, self.names, self.pins, self.votes)

    @property
    def exposure(self) -> np.ndarray:
        """Exposure of every member to every sponsor, shape ``(sponsors, members)``, mean 1 each."""
        return self.plan.exposure[..., 0].copy()

    @property
    def tie_table(self) -> np.ndarray:
        """Log-odds of ties, shape ``(candidates, members)``."""
        return np.array([row[:, 0] for row in self.plan.tie_table])

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
    def barred(self) -> np.ndarray:
        """Which members may not vote while a candidate stands, shape ``(candidates, members)``."""
        frame = self.electorate.frame
        out = np.zeros((len(self.names), len(frame)), dtype=bool)
        for name, members in self.electorate.barred.items():
            out[self.names.index(name), rows(frame, members)] = True
        return out

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
        exposures = {f"exposure to {s.name}": row for s, row in zip(self.sponsors, self.exposure, strict=True)}
        ties = {f"tie to {name}": row for name, row in zip(self.names, self.tie_table, strict=True)}
        made = ("pinned", "has_vote", *exposures, *ties)
        frame = self.electorate.frame.rename(columns={name: name + OWN for name in made})
        for name, row in {**exposures, **ties}.items():
            frame[name] = row
        pins = self.pins
        frame["pinned"] = [self.names[pin] if pin >= 0 else "" for pin in pins]
        frame["has_vote"] = self.votes
        return frame.astype({"id": str, "name": str})

    def parameters(self) -> dict[str, Quantity]:
        """Return every parameter by its dotted path.

        Examples
        --------
        >>> import iomsim as iom
        >>> iom.load("geneva-2023").parameters()["behaviour.fluid"].value
        0.7
        """
        return {path: parameter.quantity for path, parameter in self._parameters.items()}

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        """The parameters by path; appeals that follow from a level are none."""
        solved = self.level.keys() | (set(self.names) if len(self.level) == len(self.names) - 1 else set())
        skipped = {paths.appeal(name) for name in solved}
        return by_path(parameter for parameter in walk(self) if parameter.path not in skipped)

    def _label(self, key: str, part: str | None = None) -> str:
        return f"{part}'s first-round level" if key == "level" else super()._label(key, part)

    def evidence(self) -> pd.DataFrame:
        """Return the provenance table: one row per parameter, with what its source says.

        By dotted path: `value` with its range, `low` to `high` (10 % and 90 % points), in `unit`; `grade`, `source` and
        what facts the source names state, `statement`.  Readings of the rules are rows with their weights.
        `published` is when the youngest of the facts that a source names appeared: "pre", "day" or "post", as
        :func:`iomsim.facts` defines them; empty if the source is a reason and no fact.  A term of an exposure that is
        not known for some members says so.
        """
        unknown_for = self._unknown()
        table: list[dict[str, Any]] = [
            {
                "parameter": path,
                "value": q.value,
                "low": q.low,
                "high": q.high,
                "unit": q.unit,
                "grade": q.grade,
                "source": q.source,
                "statement": " ".join([*evidence_table.statements(q.source), *unknown_for.get(path, [])]),
            }
            for path, q in self.parameters().items()
            if path != paths.behaviour(UNSAID) or not is_unsaid(self.behaviour, UNSAID)
        ]
        weighed: list[tuple[str, float, Any]] = [(part.name, part.weight, part) for part in self.readings]
        weighed = weighed or [(self.rules.name, 1.0, self.rules)]
        rules = [(f"readings.{name}", weight, "weight", part.grade, part.source) for name, weight, part in weighed]
        swung = [(f"swings.{one.name}", one.count, "members", one.grade, one.source) for one in self.swings]
        for what, value, unit, grade, source in [*rules, *swung]:
            table.append(
                {"parameter": what, "value": value, "low": value, "high": value, "unit": unit, "grade": grade,
                 "source": source, "statement": " ".join(evidence_table.statements(source))}
            )  # fmt: skip
        table += ledgers.evidence(self.ledger, self._entries, self.electorate.frame)
        table += polls.evidence(self.polling, self.electorate.frame, self.names, self.pins, self.votes)
        out = pd.DataFrame(table).set_index("parameter")
        out.insert(out.columns.get_loc("source") + 1, "published", out["source"].map(evidence_table.published))
        return out

    def _unknown(self) -> dict[str, list[str]]:
        """Return a sentence for every term of an exposure that is not known for some members, by path."""
        frame = self.electorate.frame
        said = {}
        for sponsor in self.sponsors:
            for key in sponsor.exposure:
                names = frame["name"][missing(frame, key)].tolist()
                if names:
                    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
                    count = f"{len(names)} of {len(frame)} members, who count as the mean of the others"
                    said[paths.exposure(sponsor.name, key)] = [f"Not known for {count}: {shown}."]
        return said

    @property
    def hash(self) -> str:
        """Twelve hex digits that change with anything that can change a result, and not with words."""
        return self.hash_with({})

    def hash_with(self, values: Mapping[str, float]) -> str:
        """Return the hash of ``with_parameters(values)`` in a fraction of a millisecond: no copy is made or checked.

        Examples
        --------
        >>> import iomsim as iom
        >>> race, values = iom.load("geneva-2023"), {"behaviour.secrecy": 0.9}
        >>> race.hash_with(values) == race.with_parameters(values).hash
        True
        """
        pieces, places = self._hashed
        parameters = self._parameters
        changed = list(pieces)
        for path, value in values.items():
            if path not in parameters:
                raise unknown("parameter", path, parameters)
            changed[places[path]] = _piece(
                path, float(value), *shifted(parameters[path].quantity, parameters[path].bounds, float(value))
            )
        return _digest("".join([*changed, self._level_key]))[:12]

    @cached_property
    def _level_key(self) -> str:
        """A digest of what the level was stated for, the same in all what-ifs of a race."""
        if not self.level:
            return ""
        then = self._levelled
        pieces = (_piece(parameter.path, *in_order(parameter.quantity)) for parameter in walk(then))
        dumped = _ordered(replace_quantities(then.model_dump(mode="json", exclude=WORDS), lambda: next(pieces)))
        dumped["behaviour"] = {key: piece for key, piece in dumped["behaviour"].items() if piece}
        content = {key: dumped[key] for key in Held.model_fields if key in dumped}
        return _digest(json.dumps(content | {"members": as_csv(then.electorate)}, sort_keys=True))

    @cached_property
    def _hashed(self) -> tuple[list[str], dict[str, int]]:
        """What is hashed, in pieces; the piece that holds each parameter's value and range."""
        numbers = count()
        dumped = self.model_dump(mode="json", exclude=WORDS)
        content = _ordered(replace_quantities(dumped, lambda: f"\0{next(numbers)}"))
        content["clock"] = {key: value for key, value in content["clock"].items() if value is not None}
        content |= {"rules": repr(self.rules.nameless), "members": as_csv(self.electorate)}
        if self.readings:
            content["readings"] = [[repr(part.rules.nameless), part.weight] for part in self.readings]
        unsaid = content["behaviour"].pop(UNSAID)
        for key in ("level", "swings"):
            if not getattr(self, key):
                del content[key]
        pieces = re.split(r'"\\u0000(\d+)"', json.dumps(content, sort_keys=True) + json.dumps(unsaid))
        quantities = {parameter.path: parameter.quantity for parameter in walk(self)}
        paths = list(quantities)  # a dump has the quantities in the order in which they are walked
        places = {paths[int(number)]: 2 * i + 1 for i, number in enumerate(pieces[1::2])}
        for path, place in places.items():
            pieces[place] = _piece(path, *in_order(quantities[path]))
        return pieces, places

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(self.hash)

    def __getstate__(self) -> dict[Any, Any]:
        """Leave out of a pickle what is made again from the rest."""
        state = super().__getstate__()
        held = {key: value for key, value in state["__dict__"].items() if key in type(self).model_fields}
        return {**state, "__dict__": held}


def appeals(race: Description, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the appeals that give the level of a race, by path, where parameters have other values than the stated.

    A what-if keeps the appeals of the race for which the level was stated: what was changed since is not looked at.

    Parameters
    ----------
    race : Scenario
        A race with a level.
    values : mapping of float or ndarray, shape (B,)
        Values by path, of the race as it was; `level.NAME` is the level asked for.
    """
    plan, targets = _levels_asked(race, values)
    shift = solve_levels(plan, targets)
    return {plan.appeals[k]: plan.values[plan.appeals[k]] + shift[k] for k in targets}


def reachable_levels(race: Description, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the level asked for, by path, where it can be given by appeals, else moved to where it can.

    Parameters
    ----------
    race, values
        As for :func:`appeals`.
    """
    shares = within_reach(*_levels_asked(race, values))
    return {paths.level(race.names[k]): share for k, share in shares.items()}


def _levels_asked(race: Description, values: Mapping[str, Any]) -> tuple[Plan, dict[int, Any]]:
    """Return the plan of the race for which the level was stated, with these values, and the level by number."""
    then = race._levelled._stated
    plan = then.at({path: value for path, value in values.items() if path in then.values})
    return plan, {k: plan.values[paths.level(name)] for k, name in enumerate(race.names) if name in race.level}


def _reading_of_body(part: Any, id: str) -> Any:
    """Return a weighed reading as a table that holds its rules; one by name is that of the body."""
    if not isinstance(part, Mapping):
        return part
    rules = part.get("rules")
    if "name" in part:
        if rules is not None:
            raise ScenarioError(
                f"the reading {quote(part['name'])} is given by its name and by its rules; leave one out"
            )
        rules = reading(part["name"], id or HOME)
    elif isinstance(rules, Procedure):
        rules = told_apart(rules, id)
    elif isinstance(rules, Mapping) and id:
        rules = {**rules, "body": id}
    rest = {key: value for key, value in part.items() if key not in ("name", "rules")}
    return rest if rules is None else {**rest, "rules": rules}


def _weightiest(readings: Sequence[Any]) -> Any:
    """Return the rules of the weightiest reading, the first of several; None if the readings are refused anyway."""
    parts = [dict(part) for part in readings if isinstance(part, (Mapping, WeightedReading))]
    weights = [weight for part in parts if isinstance(weight := part.get("weight"), (int, float))]
    if not weights or len(weights) < len(readings):
        return None
    return parts[weights.index(max(weights))].get("rules")


def _possible(level: Mapping[str, Quantity], candidates: tuple[Candidate, ...]) -> None:
    """Refuse levels that no appeals can give, or that contradict appeals which are stated too."""
    names = [candidate.name for candidate in candidates]
    for name in level:
        if name not in names:
            raise ScenarioError(f"level names {quote(name)}, who does not stand; {advice(name, names)}")
        if "appeal" in candidates[names.index(name)].model_fields_set:
            raise ScenarioError(f"{name} has a level and an appeal; the appeal follows from the level, so leave it out")
    if len(level) == len(names):
        raise ScenarioError("level names every candidate; leave one out, whose share follows from the others'")
    total = sum(share.value for share in level.values())
    if total >= 1:
        raise ScenarioError(f"the levels must add up to less than 1, got {total:g}")


def _weighted(readings: tuple[WeightedReading, ...], rules: Procedure) -> None:
    """Refuse weights that are no law over readings, and rules that are none of them."""
    if not readings:
        return
    names = [part.name for part in readings]
    _distinct("readings", names)
    total = sum(part.weight for part in readings)
    if abs(total - 1) > CERTAINLY:
        raise ScenarioError(f"the weights of the readings must add up to 1, got {total:g}")
    if rules not in [part.rules for part in readings]:
        raise ScenarioError(
            f"the rules {quote(rules.name)} are none of the readings; leave rules out, or add their weight"
        )
    Rulebook(tuple(part.rules for part in readings))  # refuses other horizons


def _ordered(dumped: dict[str, Any]) -> dict[str, Any]:
    """Return a dumped description without what it does not have, and its pledges in an order of their own."""
    if dumped["ledger"] is not None:
        dumped["ledger"]["pledges"].sort(key=lambda pledge: json.dumps(pledge, sort_keys=True))
    return {key: part for key, part in dumped.items() if part is not None or key not in ("ledger", "polling")}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _piece(path: str, value: float, low: float, high: float) -> str:
    return "" if path == paths.behaviour(UNSAID) and not high else json.dumps([value, low, high])


def _named(kind: str, name: str, things: tuple[Any, ...]) -> Any:
    for thing in things:
        if thing.name == name:
            return thing
    raise unknown(kind, name, [thing.name for thing in things])


def by_path(parameters: Iterable[Parameter]) -> dict[str, Parameter]:
    """Return parameters by their path; refuse two of the same, as names with full stops could give."""
    known: dict[str, Parameter] = {}
    for parameter in parameters:
        other = known.setdefault(parameter.path, parameter)
        if other is not parameter:
            raise ScenarioError(
                f"{other.label} and {parameter.label} would both be called {other.path}; change one of the names"
            )
    return known


def _distinct(kind: str, names: list[str]) -> None:
    """Refuse things of one name, or whose names look the same."""
    looks: dict[str, str] = {}
    for name in names:
        other = looks.setdefault(as_seen(name), name)
        if names.count(name) > 1:
            raise ScenarioError(f"two {kind} are called {quote(name)}; names must differ")
        if other != name:
            raise ScenarioError(f"{kind} {quote(other)} and {quote(name)} look the same; names must differ")


def _callable(candidates: tuple[str, ...]) -> None:
    """Refuse names that a table, a sentence or an announcement could not tell from something else."""
    for i, name in enumerate(candidates):
        no = f"a candidate cannot be called {quote(name)}"
        if name.casefold() in TAKEN:
            taken = "which means something else in tables and announcements"
            raise ScenarioError(f"{no}, {taken}; write more of the name, such as {quote(f'Ms {name}')}")
        if name != " ".join(name.split()):
            raise ScenarioError(f"{no}; leave out all spaces but single ones between words")
        if not any(letter.isalpha() for letter in name):
            raise ScenarioError(f"{no}, which cannot be told from a number of votes; a name has a letter in it")
        for other in candidates[:i]:
            if exactly(as_seen(name)) == exactly(as_seen(other)):
                raise ScenarioError(
                    f"candidates {quote(other)} and {quote(name)} differ only in capitals; names must differ"
                )


def _told_from(candidates: tuple[str, ...], sponsors: Iterable[str]) -> None:
    """Refuse candidates that are called like a column beside theirs, such as those that tables make of other names."""
    made = {f"pull of {name}" for name in sponsors} | {f"{what} {name}" for what in MADE_OF for name in candidates}
    made |= {f"{name}{what}" for what in BESIDE for name in candidates}
    for name in candidates:
        if name in HEADINGS or name in made:
            raise ScenarioError(
                f"a candidate cannot be called {quote(name)}, as another column of tables is; write another name"
            )


def _backed(what: str, name: str, candidates: tuple[str, ...]) -> None:
    if name not in candidates:
        raise ScenarioError(f"{what} {quote(name)}, who does not stand; {advice(name, candidates)}")


def _enough(swings: tuple[Swing, ...], plan: Plan) -> None:
    """Refuse swings of more members than are free to go over: each alone, and all that draw on the same members."""
    free = plan.votes & (plan.pins < 0)
    for swing, planned in zip(swings, plan.swings, strict=True):
        within = [other.size for other in plan.swings if not (other.who & ~planned.who).any()]
        most = int((planned.who & free).sum())
        if sum(within) > most:
            asked = "1 member" if swing.count == 1 else f"{swing.count} members"
            more = f", and {len(within)} swings together for {sum(within)}" if len(within) > 1 else ""
            have = "none is" if most == 0 else "only 1 is" if most == 1 else f"only {most} are"
            raise ScenarioError(
                f"the swing of {swing.name} asks for {asked}{more}, but {have} free to go over: "
                "not pinned, and with a vote"
            )


def _exposure_terms(sponsor: Sponsor, frame: pd.DataFrame) -> tuple[ExposureTerm, ...]:
    with _said_of(f"sponsor {quote(sponsor.name)}"):
        return tuple(ExposureTerm(paths.exposure(sponsor.name, key), term(frame, key)) for key in sponsor.exposure)


def _bound(tie: Tie, names: tuple[str, ...], frame: pd.DataFrame) -> BoundTie:
    with _said_of(f"tie {quote(tie.name)}"):
        who = select(frame, tie.who)
    if not who.any():
        raise ScenarioError(f"tie {quote(tie.name)} binds no member; give a selector that finds some, or names")
    return BoundTie(paths.log_odds(tie.name), names.index(tie.candidate), who.astype(float))


def _swung(swing: Swing, frame: pd.DataFrame) -> np.ndarray:
    with _said_of(f"the swing of {swing.name}"):
        return members_of(frame, swing.who)


@contextmanager
def _said_of(what: str) -> Iterator[None]:
    """Say of which part of the description something is refused."""
    try:
        yield
    except IomsimError as error:
        raise ScenarioError(f"{what}: {error}") from None
