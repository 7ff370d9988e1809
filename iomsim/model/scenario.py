"""`Scenario`: a description that gives changed copies of itself, and shows and saves itself.

Nothing is ever changed in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ConfigDict

from iomsim.engine import paths
from iomsim.engine.balance import solve_levels
from iomsim.engine.plan import Plan
from iomsim.engine.rng import fresh_seed
from iomsim.errors import IomsimError, ScenarioError, quote, unknown, whole_number
from iomsim.files import refuse_another_kind, write_whole
from iomsim.house_style import series
from iomsim.model import briefing, toml, whip
from iomsim.model.assumptions import DRAWS, drawn
from iomsim.model.bodies import HOME, reading
from iomsim.model.clock import Clock
from iomsim.model.columns import columns_of
from iomsim.model.components import SHORTHANDS, Behaviour, Held, Sponsor, Tie
from iomsim.model.description import CERTAINLY, Description
from iomsim.model.docs import Help, Named, attributes_of, named
from iomsim.model.leanings import leanings
from iomsim.model.ledger import Ledger
from iomsim.model.links import moved, neat
from iomsim.model.messages import in_words
from iomsim.model.pledges import RUNS, Pledges, tally
from iomsim.model.quantities import RANGE, SETTING, FrozenModel, Parameter, Quantity, in_full, keyword, put
from iomsim.model.turnout import ABSENT, absent_for, as_turnout
from iomsim.rules.procedure import Procedure
from iomsim.rules.short_form import KNOBS, from_short_form

Setting = float | tuple[float, float, float]
"""What a parameter is set to: a value, whose range is shifted with it, or a value with its low and high."""


def _pressed(race: Scenario | None) -> list[Help]:
    """Return what is said of the sponsors of a race."""
    field = Sponsor.model_fields["strength"]
    return [
        Help(one.name, SETTING, f"{in_full(field, one.strength)} It backs {one.backs}.")
        for one in (race.sponsors if race else ())
    ]


def _multiplied(race: Scenario | None) -> list[Help]:
    """Return what is said of the sponsors of a race whose strengths are multiplied."""
    return [
        Help(one.name, "float", f"Above 0; its strength is now {one.strength}.")
        for one in (race.sponsors if race else ())
    ]


def _stands(race: Scenario | None) -> list[Help]:
    """Return what is said of the candidates of a race."""
    return [Help(name, "str or list of str", f"Members to pin to {name}.") for name in (race.names if race else ())]


def _fields(description: type[FrozenModel], now: FrozenModel | None) -> list[Help]:
    """Return what is said of the fields of a description."""
    return [keyword(key, field, now and getattr(now, key)) for key, field in description.model_fields.items()]


def _behaves(race: Scenario | None) -> list[Help]:
    """Return what is said of the behaviour."""
    several = [Help(key, SETTING, f"Sets {series(list(fields))}.") for key, fields in SHORTHANDS.items()]
    return [*_fields(Behaviour, race and race.behaviour), *several]


def _timed(race: Scenario | None) -> list[Help]:
    """Return what is said of the clock."""
    return _fields(Clock, race and race.clock)


def _ruled(_: Scenario | None) -> list[Help]:
    """Return what is said of the rules: the name is that of a reading, which is another parameter."""
    parts = [part for part in attributes_of(Procedure.__doc__ or "") if part.name != "name"]
    return [*parts, *(Help(key, *told) for key, told in KNOBS.items())]


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

    model_config = ConfigDict(ignored_types=(Named,), use_attribute_docstrings=False)  # it has no fields of its own

    # -- changing ---------------------------------------------------------------------------

    @named(_pressed)
    def with_pressure(
        self, /, *, low: float | None = None, high: float | None = None, **strengths: Setting
    ) -> Scenario:
        """Return a copy with other sponsor strengths (log-odds on the average member, in public).

        What is believed of a number moves with it: the range is shifted, as wide as it was on the scale of its kind
        (in proportion for strengths).  A strength set to 0 is known: it has no range.

        Parameters
        ----------
        low, high : float, optional
            Ends of the range of the strength that is set, if it is one.
        **strengths : float or (value, low, high)
            By sponsor.

        Raises
        ------
        UnknownNameError
            If there is no sponsor of that name.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("geneva-2023")
        >>> for what_if in (race, race.with_pressure(Washington=0.9), race.with_pressure(Washington=0.9, low=0.8)):
        ...     print(what_if.sponsor("Washington").strength)
        0.6 (0.32 to 1.14) log-odds
        0.9 (0.48 to 1.71) log-odds
        0.9 (0.8 to 1.71) log-odds
        """
        return self.with_parameters(
            {self._strength(name): value for name, value in strengths.items()}, low=low, high=high
        )

    @named(_multiplied)
    def scaled(self, /, **factors: float) -> Scenario:
        """Return a copy with sponsors' strengths and their ranges multiplied.

        Parameters
        ----------
        **factors : float
            Above 0, by sponsor.

        Raises
        ------
        UnknownNameError
            If there is no sponsor of that name.
        ScenarioError
            If a factor is not above 0.

        Examples
        --------
        >>> import iomsim as iom
        >>> print(iom.load("geneva-2023").scaled(Washington=2).sponsor("Washington").strength)
        1.2 (0.64 to 2.28) log-odds
        """
        settings: dict[str, Setting] = {}
        for name, factor in factors.items():
            path = self._strength(name)
            times = _number(f"the factor of {name}", factor)
            if times <= 0:
                cure = f"with_pressure({name}=0) takes its pressure away"
                raise ScenarioError(f"the factor of {name} must be above 0, got {factor:g}; {cure}")
            q = self.sponsor(name).strength
            settings[path] = (neat(times * q.value), neat(times * q.low), neat(times * q.high))
        return self.with_parameters(settings)

    def _strength(self, name: str) -> str:
        """Return the path of a sponsor's strength."""
        self.sponsor(name)
        return paths.strength(name)

    @named(_behaves)
    def with_behaviour(self, *, low: float | None = None, high: float | None = None, **changes: Setting) -> Scenario:
        """Return a copy with other behaviour.

        Ranges are shifted with the values, or given, as in :meth:`with_pressure`.

        Parameters
        ----------
        low, high : float, optional
            Ends of the range, if one number is set.
        **changes : float or (value, low, high)
            By parameter of :class:`iomsim.Behaviour`; `openness` and `momentum` set all of their kind.

        Raises
        ------
        UnknownNameError
            If there is no such parameter; the nearest name is given.
        ScenarioError
            If a value or a range is not possible.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("geneva-2023").with_behaviour(secrecy=0.7, overnight=(0.1, 0.05, 0.2))
        >>> print(race.behaviour.secrecy, race.behaviour.overnight, sep="; ")
        0.7 (0.467 to 0.84) fraction; 0.1 (0.05 to 0.2) probability
        """
        values: dict[str, Setting] = {}
        for key, value in changes.items():
            for name in SHORTHANDS.get(key, (key,)):
                if name not in Behaviour.model_fields:
                    raise unknown("parameter of the behaviour", name, [*Behaviour.model_fields, *SHORTHANDS])
                values[paths.behaviour(name)] = value
        return self.with_parameters(values, low=low, high=high)

    @named(_ruled)
    def with_rules(self, name: str | Procedure | None = None, **changes: Any) -> Scenario:
        """Return a copy under another reading of its body's rules, a procedure, or with parts of the rules changed.

        Parameters
        ----------
        name : str or Procedure, optional
            A reading of the scenario's body (of the IOM if it names none), or a procedure; default the rules as
            they are.
        **changes
            Parts of a :class:`~iomsim.Procedure`, or of the short form.

        Raises
        ------
        UnknownNameError
            If there is no such reading, or no such part; the nearest name is given.
        ScenarioError
            If the rules cannot be.

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
        if not isinstance(weights, Mapping):
            raise ScenarioError(f"give the weights of the readings by name, {{'strict': 1.0}}, got {quote(weights)}")
        given = {"grade": "assumed", "source": "set by the user"}
        readings = [{"name": name, "weight": weight} | given for name, weight in weights.items()]
        if not readings:
            raise ScenarioError("give the weight of at least one reading")
        return self._with(rules=None, readings=readings)

    @named(_timed)
    def with_clock(self, *, low: float | None = None, high: float | None = None, **changes: Any) -> Scenario:
        """Return a copy with another clock.

        Ranges are shifted with the numbers, or given, as in :meth:`with_pressure`.

        Parameters
        ----------
        low, high : float, optional
            Ends of the range, if one number is set.
        **changes
            By part of a :class:`iomsim.Clock`: numbers for quantities, or dates, days and sittings.

        Raises
        ------
        UnknownNameError
            If there is no such part; the nearest name is given.
        ScenarioError
            If the clock contradicts itself, or a value or a range is not possible.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("geneva-2023").with_clock(opens="2023-05-15T15:00", round_minutes=90)
        >>> print(race.clock.opens, race.clock.round_minutes, sep="; ")
        2023-05-15 15:00:00; 90 (64.3 to 116) minutes
        """
        numbers: dict[str, Setting] = {}
        others: dict[str, Any] = {}
        for key, value in changes.items():
            if key not in Clock.model_fields:
                raise unknown("part of the clock", key, Clock.model_fields)
            (numbers if isinstance(getattr(self.clock, key), Quantity) else others)[key] = value
        changed = self._with(clock={**dict(self.clock), **others}) if others else self
        return changed.with_parameters({paths.clock(key): value for key, value in numbers.items()}, low=low, high=high)

    def with_parameters(
        self, values: Mapping[str, Setting], *, low: float | None = None, high: float | None = None
    ) -> Scenario:
        """Return a copy with parameters set by dotted path.

        What is believed of a number moves with it: the range is shifted, as wide as it was on the scale of its kind
        (in proportion for strengths and minutes, in odds for probabilities), and clipped to what is possible.  A
        number set to the end of its scale, such as a strength of 0 or a probability of 1, is known: it has no range.

        Parameters
        ----------
        values : mapping of str to float or (value, low, high)
            By dotted path: a value, or a value with its range.
        low, high : float, optional
            Ends of the range, if one number is set.

        Raises
        ------
        UnknownNameError
            If there is no such parameter; the nearest path is named.
        ScenarioError
            If a value or a range is not possible, or `low` or `high` is given for several numbers.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("geneva-2023")
        >>> print(race.with_parameters({"behaviour.secrecy": 0.5}).behaviour.secrecy)
        0.5 (0.273 to 0.692) fraction
        >>> print(race.with_parameters({"behaviour.secrecy": (0.5, 0.45, 0.6)}).behaviour.secrecy)
        0.5 (0.45 to 0.6) fraction
        """
        known = self._parameters
        if len(values) != 1 and (low is not None or high is not None):
            told = f"{len(values)} are set ({' and '.join(values)})" if values else "none is set"
            raise ScenarioError(
                f"low and high are the range of one number, but {told}; give each its own: (value, low, high)"
            )
        raw = dict(self)
        for path, value in values.items():
            if path not in known:
                raise _not_free(self, path) or unknown("parameter", path, known)
            quantity = _at(path, known[path], value, low, high)
            if quantity is not known[path].quantity:
                raw = put(raw, known[path].keys, quantity)
        return build(self._held_from(raw), self.title, self.plan)

    def with_ties(self, *ties: Tie) -> Scenario:
        """Return a copy with further ties."""
        return self._with(ties=(*self.ties, *ties))

    @named(_stands)
    def with_pinned(self, /, **members: str | tuple[str, ...] | list[str]) -> Scenario:
        """Return a copy with further members pinned: they always vote for a candidate, and are never absent.

        Parameters
        ----------
        **members : str or list of str
            Members by name or id, by candidate.

        Examples
        --------
        >>> import iomsim as iom
        >>> iom.load("geneva-2023").with_pinned(Pope=["CAN"]).electorate.pinned["Pope"]
        ('USA', 'CAN')
        """
        pinned = dict(self.electorate.pinned)
        for name, who in members.items():
            self.candidate(name)
            pinned[name] = (
                *pinned.get(name, ()),
                *([who] if isinstance(who, str) or not hasattr(who, "__iter__") else who),
            )
        return self._with(electorate={**dict(self.electorate), "pinned": pinned})

    def swing(self, count: int, who: str | Iterable[str], to: str) -> Scenario:
        """Return a copy in which so many members of a group go over to a candidate, drawn anew in each run.

        They go over in the first round, before its papers are counted: drawn at random among those of the group who
        are there and intend another candidate.  So the candidate's first tally rises by exactly as many intentions
        (of whom a few hand in blank papers), where so many are left to go over; of fewer, all go.  The briefing,
        ``print(race)``, says how many go over on average.  From then on they do not think again while the candidate
        stands.  A level stated for the race is that before the swing.  See :class:`iomsim.Swing`.

        Parameters
        ----------
        count : int
            How many members.
        who : str or iterable of str
            A group (a value of the column `group` of ``race.members``), a selector, or members by name or id.
        to : str
            The candidate.

        Raises
        ------
        UnknownNameError
            If there is no such candidate.
        ScenarioError
            If there is no such group, or fewer members of it are free to go over.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("geneva-2023").swing(20, "African", to="Pope")
        >>> print(race.swings[0].name)
        20 of the African members to Pope
        >>> race.without_swings() == iom.load("geneva-2023")
        True
        """
        count = whole_number("the count of a swing", count, 1)
        self.candidate(to)
        members: Any = who if isinstance(who, str) else tuple(who) if hasattr(who, "__iter__") else ()
        if not members or not all(isinstance(name, str) for name in members):
            raise ScenarioError(f"a swing is of a group, a selector or a list of members, got {quote(who)}")
        swing = {"count": count, "who": members, "to": to, "source": "set by the user"}
        return self._with(swings=(*self.swings, swing))

    def without_swings(self) -> Scenario:
        """Return a copy in which nobody goes over, as it was before :meth:`swing`."""
        return self._with(swings=()) if self.swings else self

    def with_turnout(self, members: float, *, low: float | None = None, high: float | None = None) -> Scenario:
        """Return a copy in which so many members are present in the first round on average, on the best guesses.

        `behaviour.absent` is set to what gives that turnout, given who is pinned (always there), who has no vote
        (never there), and the absence under cross-pressure.  Its range is shifted as by :meth:`with_behaviour`, or is
        that from `high` to `low`.

        Parameters
        ----------
        members : float
            How many, in heads.
        low, high : float, optional
            Ends of the range, in heads.

        Raises
        ------
        ScenarioError
            If it is a share, or not possible.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("minimal").with_turnout(140, low=126, high=147)
        >>> print(race.behaviour.absent)
        0.15 (0.11 to 0.23) probability
        """
        value = absent_for(self, members)
        most = None if low is None else absent_for(self, low, "the low of the turnout")
        least = None if high is None else absent_for(self, high, "the high of the turnout")
        known = [heads for heads in (low, members, high) if heads is not None]
        if known != sorted(known):
            raise ScenarioError(f"low <= turnout <= high must hold, got {', '.join(f'{heads:g}' for heads in known)}")
        changed = self.with_parameters({ABSENT: value}, low=least, high=most)
        absent = changed._parameters[ABSENT]
        raw = put(dict(changed), absent.keys, as_turnout(absent.quantity, float(members)))
        return build(raw, self.title, changed.plan)

    def with_pledges(
        self, frame: pd.DataFrame | str | Path, *, discounts: Mapping[str, Setting] | None = None
    ) -> Scenario:
        """Return a copy that knows of a whip count; called again, it adds to the ledger.

        A pledge multiplies the odds of the vote: it adds the discount of its kind, in log-odds, to the lean of the
        member.  With a keep rate `q` that is ``ln(q / (1 - q))``: of members that are otherwise undecided the part `q`
        keep the pledge (a symmetric confusion matrix: a part `q` of those who mean to vote for the candidate pledge,
        and a part ``1 - q`` of the others).  So a written pledge, of which 10 % do not come, is worth 2.20; an oral
        one, 20 %, 1.39; one that the candidate's own side claims, of which 72 % come, 0.94; a public one 2.0.  All have
        wide ranges (:data:`iomsim.model.ledger.DISCOUNTS`), and are parameters: ``ledger.discounts.written``.

        Like every log-odds of the model it is flattened a little by the shocks that all share: with the usual ones, one
        or two pledges in a hundred fewer are expected than `q` says.

        Several pledges of a member to one candidate count as the strongest (public, signed, written, oral, claimed);
        of a member that has pledged to several candidates each counts half.  Members that are pinned or have no vote
        stay in the ledger, without effect: :meth:`pledges` and :meth:`evidence` say so.

        Of a race with a stated level, that is the level before the pledges: they move the race, as what one side alone
        knows does; :meth:`balanced` states the level again, with them.  What the scenario has as a tie already would
        count twice; leave it out.

        Parameters
        ----------
        frame : DataFrame, str or Path
            A table, or a file with one: the columns member, candidate and kind, and if one likes date and source.
            Kinds are public, signed, written, oral, claimed ("claimed by the candidate's side").
        discounts : mapping of float or (value, low, high), optional
            Log-odds by kind, in place of the usual ones; the range moves with a value, as in :meth:`with_pressure`.

        Raises
        ------
        ScenarioError, UnknownNameError
            If a row or a column cannot be read: a sentence with the row.

        Examples
        --------
        >>> import iomsim as iom
        >>> import pandas as pd
        >>> heard = pd.DataFrame({"member": ["Kenya", "Mexico"], "candidate": ["Pope", "Vitorino"],
        ...                       "kind": ["written", "oral"]})
        >>> race = iom.load("geneva-2023").with_pledges(heard)
        >>> race.ledger
        Ledger: two pledges, one to Pope and one to Vitorino
          written: 2.2 (0.7 to 2.9) log-odds
          oral: 1.39 (0.35 to 2.2) log-odds
        """
        heard = whip.pledges_of(frame, self.electorate.frame, self.names)
        before = self.ledger or Ledger()
        known = {"pledges": (*before.pledges, *heard), "discounts": before.discounts}
        race = self._with(ledger=known if known["pledges"] else None)
        settings = {}
        if discounts is not None and not isinstance(discounts, Mapping):
            raise ScenarioError(f"give the discounts by kind of pledge, {{'oral': 1.0}}, got {quote(discounts)}")
        for kind, setting in (discounts or {}).items():
            used = race.ledger.discounts if race.ledger else {}
            if kind not in used:
                raise unknown("kind of pledge in the ledger", kind, used)
            settings[paths.discount(kind)] = setting
        return race.with_parameters(settings)

    def pledges(self, seed: int | None = None, runs: int = RUNS) -> Pledges:
        """Return what the pledges of the ledger come to: how many of the pledged vote for the candidate.

        Parameters
        ----------
        seed : int, optional
            Addresses the random numbers; None draws one.
        runs : int
            Elections whose first rounds are drawn, over the assumptions.

        Returns
        -------
        Pledges
            Shows itself as a sentence and a table; ``table("kind")`` is by kind, `ledger` has a row a pledge.

        Raises
        ------
        ScenarioError
            If the race has no ledger.

        Examples
        --------
        >>> import iomsim as iom
        >>> import pandas as pd
        >>> heard = pd.DataFrame({"member": ["Kenya", "Ghana", "Peru"], "candidate": "Pope", "kind": "written"})
        >>> print(iom.load("geneva-2023").with_pledges(heard).pledges(seed=1).sentence())
        Pope: three pledged, two to three expected.
        """
        return tally(self, seed, runs)

    def with_polling(self, frame: pd.DataFrame | pd.Series | str | Path, *, trust: Setting = 1.0) -> Scenario:
        """Return a copy that knows what members said that were asked; called again, later answers replace earlier ones.

        The lean of a member that was asked becomes ``(1 - trust) * lean + trust * polled``, and its sponsors' pulls are
        multiplied by ``1 - trust``; with `trust` 1 its mean chance over the runs is the one polled (within 0.005), with
        0 nothing changes.  In a single run it still moves with the shocks that all share.  Of a race with a stated
        level, that is the level before the poll.

        Parameters
        ----------
        frame : DataFrame, Series, str or Path
            A table, or a file with one: the members in a column `member` or in the index, and a column of chances for
            every candidate but one, or for all.  A member without a row, or without chances, was not asked.
        trust : float or (value, low, high), default 1.0
            How much the answers are believed, 0 to 1.

        Raises
        ------
        ScenarioError, UnknownNameError
            If a row or a column cannot be read: a sentence with the row.

        Examples
        --------
        >>> import iomsim as iom
        >>> import pandas as pd
        >>> race = iom.load("geneva-2023").with_polling(pd.Series({"Kenya": 0.7, "Peru": 0.55}, name="Pope"), trust=0.8)
        >>> race.polling
        Polling: two members were asked, trusted 0.8
        """
        asked = whip.chances_of(frame, self.electorate.frame, self.names)
        before = self.polling.chances if self.polling else {}
        return self._with(polling={"trust": _set(paths.TRUST, trust), "chances": {**before, **asked}})

    def _with(self, **changes: Any) -> Scenario:
        return build(self._held_from({**dict(self), **changes}), self.title)

    def _held_from(self, changed: dict[str, Any]) -> dict[str, Any]:
        """Return changed fields that remember what the level was stated for, if there is one."""
        if not self.level:
            return changed
        held = dict(self.held or Held())
        for part in Held.model_fields:
            if held[part] is None and changed[part] is not getattr(self, part):
                held[part] = Ledger() if part == "ledger" and self.ledger is None else getattr(self, part)
        return changed if not any(held.values()) else {**changed, "held": Held.model_construct(**held)}

    def balanced(self, share: float | Mapping[str, float] = 0.5) -> Scenario:
        """Return a copy whose appeals make the mean first-round shares as asked.

        The ranges of the appeals are shifted with them, as wide as they were.  The shares are those before members go
        over in a swing.

        Parameters
        ----------
        share : float, mapping of float or Series
            Mean share of the papers for candidates of the first one, or of several by name.  Those
            not named keep their appeal.  The shares of all add up to 1; then one, which follows, keeps its appeal.

        Raises
        ------
        ScenarioError
            If a share is not between 0 and 1, or they add up to what they cannot.

        Examples
        --------
        >>> import iomsim as iom
        >>> race = iom.load("minimal").balanced(0.6)
        >>> iom.load("minimal").balanced({"A": 0.6, "B": 0.4}) == race
        True
        """
        targets = dict(share) if isinstance(share, (Mapping, pd.Series)) else {self.names[0]: share}
        if not targets:
            raise ScenarioError("give the share of at least one candidate")
        for name, target in targets.items():
            self.candidate(name)
            if isinstance(target, bool) or not isinstance(target, (int, float)) or not 0 < target < 1:
                raise ScenarioError(f"the share of {name} must be between 0 and 1, got {quote(target)}")
        if self.polling is not None:
            raise ScenarioError("a level is that before members are polled: balance the race first, then with_polling")
        targets = self._without_one(targets)
        if self.level:
            return self._levelled_at(targets)
        shift = solve_levels(self.plan, {self.names.index(name): target for name, target in targets.items()})[:, 0]
        return self.with_parameters(
            {paths.appeal(name): float(self.candidate(name).appeal.value + shift[self.names.index(name)])
             for name in targets}
        )  # fmt: skip

    def _without_one(self, shares: dict[str, float]) -> dict[str, float]:
        """Return the shares that say it all: of those of all candidates, one follows from the others'."""
        total, everybody = sum(shares.values()), len(shares) == len(self.names)
        if everybody and abs(total - 1) <= CERTAINLY:
            left = next((name for name in self.names[::-1] if name not in self.level), self.names[-1])
            return {name: target for name, target in shares.items() if name != left}
        if total >= 1:
            cure = "; those of all add up to 1" if everybody else ""
            raise ScenarioError(f"the shares asked for must add up to less than 1, got {total:g}{cure}")
        if everybody and not self.level:
            raise ScenarioError(f"the shares of all candidates must add up to 1, got {total:g}; or leave one out")
        return shares

    def _levelled_at(self, targets: Mapping[str, float]) -> Scenario:
        """Return a copy that states another level, for the election as it is now; its belief is shifted with it."""
        if len(self.names) == 2 and not targets.keys() & self.level.keys():  # of two, one level says it all
            targets = {next(iter(self.level)): 1.0 - share for share in targets.values()}
        level = {**self.level, **{name: self.level.get(name, share) for name, share in targets.items()}}
        if len(level) == len(self.names):
            level = {name: level[name] for name in targets}
        bare = [
            {key: part for key, part in dict(candidate).items() if key != "appeal" or candidate.name not in level}
            for candidate in self.candidates
        ]
        fresh = build({**dict(self), "candidates": bare, "level": level, "held": None}, self.title)
        return fresh.with_parameters({paths.level(name): share for name, share in targets.items()})

    def save(self, path: str | Path) -> None:
        """Write the scenario to a TOML file; :func:`iomsim.load` gives an equal one back.

        Raises
        ------
        FileError
            If the file is not called .toml, or cannot be written.
        """
        refuse_another_kind(path, "a scenario", ".toml", "")
        write_whole(path, toml.dumps(self))

    # -- showing ----------------------------------------------------------------------------

    def leanings(self, assumptions: int | str = DRAWS, seed: int | None = None) -> pd.DataFrame:
        """Return whom members lean to in the first round, how sure that is, and what it comes from: one row a member.

        Chances are exact, not counted in runs: over everything that a run draws (campaigns, shocks, hidden
        conviction).  What swings do (:meth:`swing`) is not in them, as these draw their members at random.

        Parameters
        ----------
        assumptions : int or "fixed", default 400
            How many draws of the assumptions the chances are worked out for; "fixed" for the best guesses alone.
        seed : int, optional
            Addresses the draws: those of a forecast with this seed.  None draws one; ``attrs["seed"]`` keeps it.

        Returns
        -------
        DataFrame
            By the members' names, in the order of the member table:

            * ``id``, ``group``, and ``vote``: "free", "pinned", "barred" from the first ballot, or "none";
            * ``present``: the chance to be there;
            * a column for each candidate: the chance that the member's valid paper is for it, the mean over the
              draws; NaN for members that may not vote;
            * ``NAME_low``, ``NAME_high`` for each: the 10 % and 90 % points of that chance over the draws.  NaN for
              fixed assumptions;
            * ``leans_to``: the candidate on whose side of a half the whole range lies (of more than two: that is ahead
              in at least 90 % of the draws), or "unsettled"; for fixed assumptions the one that is ahead;
            * what it comes from, on the best guesses, in log-odds of the first of two candidates over the other, in
              secret: ``log_odds``, the systematic lean, is the sum of ``appeal``, ``pull of SPONSOR`` for each sponsor,
              ``ties``, and ``pledges`` and ``polling`` if the scenario has them.  Of more than two candidates they
              are ``log_odds of NAME``, ``appeal of NAME``, ``ties to NAME``, ..., and a sponsor's pull is towards the
              one that it backs.  NaN for members that are not free to choose;
            * ``region_sd``: the spread of the swing that the member's group shares, in log-odds;
            * ``net_pull``: the sum of the sponsors' pulls, towards the first of two if above 0 (of more: ``pull to
              NAME``);
            * ``pull_towards``: the candidate whose sponsors pull harder in at least 90 % of the draws, or "unsettled";
              missing where nobody pulls; and ``agreed``: the share of the draws that point to the likelier of them.

        Raises
        ------
        IomsimError
            If `assumptions` is neither a number of draws nor "fixed".

        Examples
        --------
        >>> import iomsim as iom
        >>> found = iom.load("geneva-2023").leanings(seed=1)
        >>> len(found), round(float(found["Pope"].mean()), 2)
        (175, 0.5)

        Those closest to a half first, and those of whom least is known:

        >>> closest = found.loc[(found["Pope"] - 0.5).abs().sort_values().index]
        >>> widest = found.loc[(found["Pope_high"] - found["Pope_low"]).sort_values(ascending=False).index]
        >>> bool(widest["Pope_low"].iloc[0] < 0.5 < widest["Pope_high"].iloc[0])
        True

        Of how many it is settled whom they lean to, and which way they are pulled:

        >>> settled = found[["leans_to", "pull_towards"]].isin(["Pope", "Vitorino"]).sum()
        >>> bool(0 < settled["pull_towards"] < settled["leans_to"] < 175)
        True
        """
        seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
        found = leanings(self, drawn(self, seed, assumptions))
        found.attrs["seed"] = seed
        return found

    def columns(self) -> pd.DataFrame:
        """Return what the columns of the member table mean, and what they hold: one row a column.

        Returns
        -------
        DataFrame
            By `column`: `meaning`, `unit` ("yes/no" for 1 and 0), `year`, `source`, `licence` and the `transform`
            advised for a sponsor's exposure, as the dictionary of the shipped tables says; how many members are
            `known` and how many `missing`; the `least` and the `greatest` number, NaN for texts; `grade` and `note`.
            Columns that are not those of a shipped table, cell by cell, have no meaning, unless you know it.

        Examples
        --------
        >>> import iomsim as iom
        >>> table = iom.load("geneva-2023").columns()
        >>> table.loc["us_aid_share", ["unit", "year", "source"]].tolist()
        ['share', '2019', 'derived: oda_us_musd_2019 / oda_all_musd_2019, clipped to 0 to 1']
        >>> int(table.loc["unga_ideal_point_2019", "missing"])
        3
        """
        return columns_of(self.electorate)

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
    with in_words(Scenario, data, where):
        race: Scenario = Scenario.__pydantic_validator__.validate_python(dict(data), context=plan)
        return race


def _not_free(race: Scenario, path: str) -> ScenarioError | None:
    """Return why a parameter that there is cannot be set: an appeal that follows from the level."""
    if not race.level or path not in race.plan.appeals:
        return None
    name = next(iter(race.level))
    return ScenarioError(
        f"{path} follows from the level that the scenario states; change that: race.balanced({{{quote(name)}: 0.55}})"
    )


def _at(path: str, old: Parameter, setting: Setting, low: float | None, high: float | None) -> Quantity:
    """Return the quantity of a parameter that is set; refuse what is no number, or no range around it."""
    if isinstance(setting, tuple):
        if len(setting) != len(RANGE) or low is not None or high is not None:
            raise ScenarioError(f"{path} must be a number, or (value, low, high), got {quote(setting)}")
        setting, low, high = setting
    value = _number(path, setting)
    ends = [None if end is None else _number(f"{path} {key}", end) for key, end in (("low", low), ("high", high))]
    if ends == [None, None] and value == old.quantity.value:
        return old.quantity
    for wrong in (ends[0] is not None and ends[0] > value, ends[1] is not None and ends[1] < value):
        if wrong:
            got = ", ".join(f"{key} {x:g}" for key, x in zip(RANGE, (value, *ends), strict=True) if x is not None)
            raise ScenarioError(f"{path}: low <= value <= high must hold, got {got}")
    return moved(old, value, *ends)


def _set(path: str, setting: Setting) -> Quantity:
    """Return the quantity of a parameter that a user states, who knows it exactly unless a range is given."""
    if isinstance(setting, tuple):
        if len(setting) != len(RANGE):
            raise ScenarioError(f"{path} must be a number, or (value, low, high), got {quote(setting)}")
        value, low, high = (_number(path, x) for x in setting)
    else:
        value = low = high = _number(path, setting)
    if not low <= value <= high:
        raise ScenarioError(f"{path}: low <= value <= high must hold, got value {value:g}, low {low:g}, high {high:g}")
    return Quantity(value=value, low=low, high=high, unit="probability", source="set by the user")


def _number(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ScenarioError(f"{what} must be a number, got {quote(value)}")
    if not np.isfinite(value):
        raise ScenarioError(f"{what} must be a finite number, got {value}")
    return float(value)


def refuse_swings(asker: str, race: Scenario, why: str) -> None:
    """Refuse a scenario in which members go over, drawn anew in each run, and say what to do instead."""
    if race.swings:
        raise ScenarioError(
            f"{asker} takes a scenario without swings, as {why}, got one with {race.swings[0].name}; "
            "use race.without_swings(), or win members over by name with race.with_pinned(...)"
        )


def described(asker: str, race: Any) -> Scenario:
    """Return a scenario as it is; refuse anything else, and say who asked for one."""
    if not isinstance(race, Scenario):
        raise IomsimError(f"{asker} takes a Scenario, got {type(race).__name__}; read one with iomsim.load")
    return race
