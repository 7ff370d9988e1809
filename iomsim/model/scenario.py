"""`Scenario`: a description that gives changed copies of itself, and shows and saves itself.

Nothing is ever changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from iomsim.engine import paths
from iomsim.engine.balance import solve
from iomsim.engine.plan import Plan
from iomsim.errors import IomsimError, ScenarioError, unknown, writing
from iomsim.model import briefing, toml
from iomsim.model.bodies import HOME, reading
from iomsim.model.clock import Clock
from iomsim.model.components import SHORTHANDS, Behaviour, Held, Tie
from iomsim.model.description import Description
from iomsim.model.messages import explain
from iomsim.model.quantities import Quantity, put
from iomsim.rules.procedure import Procedure
from iomsim.rules.short_form import from_short_form


class Scenario(Description):
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
        return self.with_parameters({paths.strength(name): value for name, value in strengths.items()})

    def with_behaviour(self, **changes: float) -> Scenario:
        """Return a copy with other behaviour; `openness` and `momentum` set all of their kind."""
        values: dict[str, float] = {}
        for key, value in changes.items():
            for name in SHORTHANDS.get(key, (key,)):
                if name not in Behaviour.model_fields:
                    raise unknown("parameter of the behaviour", name, [*Behaviour.model_fields, *SHORTHANDS])
                values[paths.behaviour(name)] = value
        return self.with_parameters(values)

    def with_rules(self, name: str | Procedure | None = None, **changes: Any) -> Scenario:
        """Return a copy under another reading of its body's rules, a procedure, or with parts of the rules changed.

        Parameters
        ----------
        name : str or Procedure, optional
            A reading of the scenario's body (of the IOM if it names none), or a procedure; default the rules as
            they are.
        **changes
            Parts of a :class:`~iomsim.Procedure`, or of the short form: `concession`, `eliminate_after`,
            `max_two_way`, `simple_majority_from`.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("geneva-2023").with_rules("four-rounds")
        >>> [phase.name for phase in race.rules.phases], race.with_rules(threshold=">1/2").rules.needed(165)
        (['all', 'elimination', 'two', 'alone'], 83)
        """
        rules = (
            self.rules if name is None else name if isinstance(name, Procedure) else reading(name, self.body or HOME)
        )
        if changes or not isinstance(name, Procedure):
            rules = from_short_form({"source": "set by the user", "grade": "assumed"} | changes, rules)
        return self._with(rules=rules, readings=())

    def with_readings(self, weights: Mapping[str, float]) -> Scenario:
        """Return a copy that follows one of several readings of its body's rules, by their weights.

        Parameters
        ----------
        weights : mapping of float
            By the name of a reading of the body (of the IOM if the scenario names none); they add up to 1.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("minimal").with_readings({"strict": 0.3, "four-rounds": 0.7})
        >>> race.rules.name, [part.weight for part in race.readings]
        ('four-rounds', [0.3, 0.7])
        """
        given = {"grade": "assumed", "source": "set by the user"}
        readings = [{"name": name, "weight": weight} | given for name, weight in weights.items()]
        if not readings:
            raise ScenarioError("give the weight of at least one reading")
        return self._with(rules=None, readings=readings)

    def with_clock(self, **changes: Any) -> Scenario:
        """Return a copy with another clock: numbers for quantities, or dates, days and sittings."""
        numbers: dict[str, float] = {}
        others: dict[str, Any] = {}
        for key, value in changes.items():
            if key not in Clock.model_fields:
                raise unknown("part of the clock", key, Clock.model_fields)
            (numbers if isinstance(getattr(self.clock, key), Quantity) else others)[key] = value
        changed = self._with(clock={**dict(self.clock), **others}) if others else self
        return changed.with_parameters({paths.clock(key): value for key, value in numbers.items()})

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
        known = self._parameters
        raw = dict(self)
        for path, value in values.items():
            if path not in known:
                raise _not_free(self, path) or unknown("parameter", path, known)
            raw = put(raw, known[path].keys, _at(path, known[path].quantity, value))
        return build(self._held_from(raw), self.title, self.plan)

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
        return build(self._held_from({**dict(self), **changes}), self.title)

    def _held_from(self, changed: dict[str, Any]) -> dict[str, Any]:
        """Return changed fields that remember what the level was stated for, if there is one."""
        if not self.level:
            return changed
        held = dict(self.held or Held())
        for part in Held.model_fields:
            if held[part] is None and changed[part] is not getattr(self, part):
                held[part] = getattr(self, part)
        return changed if not any(held.values()) else {**changed, "held": Held.model_construct(**held)}

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
        targets = dict(share) if isinstance(share, Mapping) else {self.names[0]: share}
        if not targets:
            raise ScenarioError("give the share of at least one candidate")
        for name, target in targets.items():
            self.candidate(name)
            if isinstance(target, bool) or not isinstance(target, (int, float)) or not 0 < target < 1:
                raise ScenarioError(f"the share of {name} must be between 0 and 1, got {target!r}")
        if sum(targets.values()) >= 1:
            raise ScenarioError(f"the shares asked for must add up to less than 1, got {sum(targets.values()):g}")
        if self.level:
            level = {**self.level, **{name: self.level.get(name, share) for name, share in targets.items()}}
            if len(level) == len(self.names):
                level = {name: level[name] for name in targets}
            fresh = build({**dict(self), "level": level, "held": None}, self.title)
            return fresh.with_parameters({paths.level(name): share for name, share in targets.items()})
        shift = solve(self.plan, {self.names.index(name): float(target) for name, target in targets.items()})
        return self.with_parameters(
            {paths.appeal(name): float(self.candidate(name).appeal.value + shift[self.names.index(name)])
             for name in targets}
        )  # fmt: skip

    def save(self, path: str | Path) -> None:
        """Write the scenario to a TOML file; :func:`iomsim.load` gives an equal one back."""
        with writing(path):
            Path(path).write_text(toml.dumps(self), encoding="utf-8")

    # -- showing ----------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return the facts of the scenario in a few lines."""
        return briefing.text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return briefing.html(self)


def build(data: Mapping[str, Any], where: str = "scenario", plan: Plan | None = None) -> Scenario:
    """Return the scenario that a mapping describes, as read from TOML.

    With the `plan` of a scenario that differs in the values of parameters only, it need not be
    compiled anew.

    Raises
    ------
    ScenarioError
        One sentence per problem, with the key, what was got and what would work.
    """
    try:
        return Scenario.model_validate(dict(data), context=plan)
    except ValidationError as error:
        raise explain(error, Scenario, data, where) from None
    except IomsimError as error:
        raise type(error)(f"{where}: {error}") from None


def _not_free(race: Scenario, path: str) -> ScenarioError | None:
    """Return why a parameter that there is cannot be set: an appeal that follows from the level."""
    if not race.level or path not in race.plan.appeals:
        return None
    name = next(iter(race.level))
    return ScenarioError(
        f"{path} follows from the level that the scenario states; change that: race.balanced({{{name!r}: 0.55}})"
    )


def _at(path: str, old: Quantity, value: float) -> Quantity:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ScenarioError(f"{path} must be a number, got {value!r}")
    if not np.isfinite(value):
        raise ScenarioError(f"{path} must be a finite number, got {value}")
    return old if float(value) == old.value else old.at(float(value))


def described(asker: str, race: Any) -> Scenario:
    """Return a scenario as it is; refuse anything else, and say who asked for one."""
    if not isinstance(race, Scenario):
        raise IomsimError(f"{asker} takes a Scenario, got {type(race).__name__}; read one with iomsim.load")
    return race
