"""The frozen parts of a scenario: candidates, sponsors, ties, behaviour, rules and clock."""

from __future__ import annotations

from datetime import date, datetime, time
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from iomsim.engine.clock import DAY_NAMES, Calendar, calendar
from iomsim.errors import advice
from iomsim.model.quantities import (
    Frozen,
    LogOdds,
    LogSpread,
    Minutes,
    PaceSpread,
    Pause,
    Probability,
    Settled,
    Shape,
    Spread,
    Strength,
    Weight,
    Whole,
    quantity,
)
from iomsim.rules import ruleset as rules_module
from iomsim.rules.ruleset import RULE_SETS, Rules, rule_set

WEEKDAYS = tuple(name[:3] for name in DAY_NAMES)
MODEL = "the model's default"


def _written(example: str) -> BeforeValidator:
    """Refuse numbers, which would be read as seconds since 1970."""

    def check(value: Any) -> Any:
        if isinstance(value, (int, float)):
            raise ValueError(f"must be {example}, got {value!r}")
        return value

    return BeforeValidator(check)


def _local(moment: Any) -> Any:
    if moment.tzinfo is not None:
        raise ValueError("is a local time of the seat; leave out the offset")
    return moment


Day = Annotated[date, _written("a date such as 2023-05-15")]
Hour = Annotated[time, _written("a time such as 10:00"), AfterValidator(_local)]
Moment = Annotated[datetime, _written("a date and time such as 2023-05-15T10:00"), AfterValidator(_local)]


class Candidate(Frozen):
    """One who stands.

    Attributes
    ----------
    name, full_name : str
        Short name used everywhere, and the name in full.
    colour : str, optional
        Hex colour in charts.
    appeal : Quantity
        Log-odds in favour with every member, before pressure and ties.
    """

    name: str = Field(min_length=1)
    full_name: str = ""
    colour: str | None = Field(default=None, pattern=r"^#[0-9A-Fa-f]{6}$")
    appeal: LogOdds = quantity(0.0, -0.3, 0.3, "log-odds", "no lead is assumed for anybody")


class Sponsor(Frozen):
    """A power that backs a candidate.

    Attributes
    ----------
    name, backs : str
        The power, and the candidate's name.
    strength : Quantity
        Log-odds by which it moves the average member in public.
    spread : Quantity
        Log-sd of how well its campaign works this time (lognormal with mean 1).
    exposure : dict of Quantity
        Weights by selector; a member's exposure is the sum of the weights it matches, scaled to
        mean 1 over the members.
    """

    name: str = Field(min_length=1)
    backs: str
    strength: Strength
    spread: LogSpread = quantity(0.40, 0.2, 0.8, "log-sd", MODEL)
    exposure: Annotated[dict[str, Weight], AfterValidator(Settled)] = Settled(
        {"all": quantity(1.0, 1.0, 1.0, "weight", "every member alike")}
    )


class Tie(Frozen):
    """Log-odds that bind named members or a bloc to a candidate: a pledge, a whip, a region."""

    name: str = Field(min_length=1)
    who: str | tuple[str, ...]
    candidate: str
    log_odds: LogOdds


class Behaviour(Frozen):
    """How members vote and change their minds; every field is a `Quantity`.

    The fields are those of the model: `secrecy` (fraction of outside pressure that the secret
    ballot cancels), the spreads of shared shocks (`common_sd`, `region_sd`), hidden `conviction`,
    absence and abstention, whether the contest is `fluid`, openness and momentum in both regimes,
    their `decay` and floor, round shocks, an `overnight` floor on openness (0: off), how readily
    the trailing camp concedes (`concede_a`, `concede_b`) and who says yes to a leader alone.
    """

    secrecy: Probability = quantity(0.40, 0.2, 0.6, "fraction", MODEL)
    common_sd: Spread = quantity(0.30, 0.15, 0.5, "log-odds", MODEL)
    region_sd: Spread = quantity(0.40, 0.2, 0.6, "log-odds", MODEL)
    conviction: Spread = quantity(1.8, 0.5, 3.0, "log-odds", MODEL)
    absent: Probability = quantity(0.05, 0.01, 0.17, "probability", MODEL)
    cross_pressure_absence: Probability = quantity(0.05, 0.0, 0.12, "probability", MODEL)
    abstain: Probability = quantity(0.018, 0.005, 0.04, "probability", MODEL)
    fluid: Probability = quantity(0.70, 0.55, 0.88, "probability", MODEL)
    openness_fluid: Probability = quantity(0.55, 0.37, 0.83, "probability", MODEL)
    openness_entrenched: Probability = quantity(0.15, 0.04, 0.33, "probability", MODEL)
    openness_inf: Probability = quantity(0.04, 0.01, 0.10, "probability", MODEL)
    decay: Probability = quantity(0.45, 0.32, 0.69, "ratio per round", MODEL)
    momentum_fluid: LogOdds = quantity(3.0, 1.9, 4.0, "log-odds per log share", MODEL)
    momentum_entrenched: LogOdds = quantity(0.6, 0.0, 1.4, "log-odds per log share", MODEL)
    round_sd: Spread = quantity(0.15, 0.02, 0.55, "log-odds", MODEL)
    overnight: Probability = quantity(0.0, 0.0, 0.11, "probability", "off unless asked for")
    concede_a: Shape = quantity(1.1, 0.6, 2.0, "", MODEL)
    concede_b: Shape = quantity(4.8, 2.0, 10.0, "", MODEL)
    yes_own: Probability = quantity(0.97, 0.93, 0.99, "probability", MODEL)
    yes_opponent_a: Shape = quantity(2.2, 1.0, 4.0, "", MODEL)
    yes_opponent_b: Shape = quantity(7.8, 4.0, 12.0, "", MODEL)


SHORTHANDS = {
    "openness": ("openness_fluid", "openness_entrenched", "openness_inf"),
    "momentum": ("momentum_fluid", "momentum_entrenched"),
}
"""Names that set several parameters of the behaviour to one value."""


class RuleBook(Frozen):
    """The rules of the scenario: a shipped set by name, what differs from it, and the source."""

    name: str = "until-two-thirds"
    grade: str = "assumed"
    source: str = "given by the user"
    threshold: Annotated[str | None, WithJsonSchema({"type": ["string", "number"]})] = None
    base: str | None = None
    concession: bool | None = None
    after_concession: str | None = None
    eliminate_after: Whole | Literal["never"] | None = None
    eliminate_every: Whole | None = None
    max_two_way: Whole | Literal["unlimited"] | None = None
    max_rounds: Whole | None = None
    simple_majority_from: Whole | Literal["never"] | None = None

    @field_validator("threshold", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, (int, float, Fraction)) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _valid(self) -> Self:
        self.rules  # noqa: B018 - a rule book that cannot be read is refused at once
        return self

    @property
    def shipped(self) -> bool:
        """Whether these are a shipped rule set as it stands."""
        return self.rules == RULE_SETS.get(self.name)

    @property
    def label(self) -> str:
        """The name, which says so if a shipped rule set of this name was changed in parts.

        Examples
        --------
        >>> RuleBook(name="strict").label, RuleBook(name="strict", max_rounds=3).label
        ('strict', 'strict, changed')
        """
        return f"{self.name}, changed" if self.name in RULE_SETS and not self.shipped else self.name

    @property
    def rules(self) -> Rules:
        """The rules themselves."""
        stated = {key: getattr(self, key) for key in RULE_PARTS if getattr(self, key) is not None}
        changes = {key: None if value in ("never", "unlimited") else value for key, value in stated.items()}
        base = RULE_SETS.get(self.name)
        if base is None:
            if not changes:
                rule_set(self.name)
            base = Rules(name=self.name)
        return base.with_(**changes)


RULE_PARTS = tuple(key for key in rules_module.FIELDS if key != "name")


class Clock(Frozen):
    """The session: when it opens, when it sits, and how long things take.

    Times are local times of the seat.  `formalities` and `round_minutes` are medians of
    lognormals; `last_call` minutes must be left for a round to start; with probability `sits_on`
    a day's last sitting runs on until `sits_on_until`; a withdrawal is known `consultation`
    minutes after the count.
    """

    opens: Moment
    timezone: str = "Europe/Zurich"
    sittings: tuple[tuple[Hour, Hour], ...] = ((time(10), time(13)), (time(15), time(18)))
    days: tuple[str, ...] = WEEKDAYS[:5]
    sits_on_until: Hour = time(21)
    closed: tuple[Day, ...] = ()
    formalities: Minutes = quantity(60, 30, 120, "minutes", MODEL)
    formalities_log_sd: PaceSpread = quantity(0.30, 0.15, 0.5, "log-sd", MODEL)
    round_minutes: Minutes = quantity(70, 50, 90, "minutes", MODEL)
    round_log_sd: PaceSpread = quantity(0.25, 0.1, 0.4, "log-sd", MODEL)
    last_call: Pause = quantity(45, 20, 75, "minutes", MODEL)
    sits_on: Probability = quantity(0.25, 0.0, 0.7, "probability", MODEL)
    consultation: Pause = quantity(0, 0, 240, "minutes", MODEL)

    @field_validator("sittings", mode="after")
    @classmethod
    def _in_order(cls, sittings: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
        flat = [moment for sitting in sittings for moment in sitting]
        if not flat:
            raise ValueError("the clock never sits; give at least one sitting")
        if any(a >= b for a, b in pairwise(flat)):
            raise ValueError("must be in order and end after they begin")
        return sittings

    @field_validator("days", mode="after")
    @classmethod
    def _weekdays(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for day in days:
            if day not in WEEKDAYS:
                raise ValueError(f"no weekday {day!r}; {advice(day, WEEKDAYS)}")
        if not days:
            raise ValueError("the clock never sits; give at least one weekday")
        return days

    @model_validator(mode="after")
    def _sits(self) -> Self:
        if not 1800 <= self.opens.year <= 2200:
            raise ValueError(f"opens must lie between the years 1800 and 2200, got {self.opens.year}")
        self.calendar().check(SimpleNamespace(last_call=self.last_call.value, sits_on=self.sits_on.value))
        return self

    def calendar(self) -> Calendar:
        """Return the sittings laid out from the opening on."""
        weekdays = frozenset(WEEKDAYS.index(day) for day in self.days)
        return calendar(self.opens, self.sittings, weekdays, frozenset(self.closed), self.sits_on_until)


def rule_book(rules: Rules, source: str = "set by the user", grade: str = "assumed") -> RuleBook:
    """Return the rule book that spells out `rules`."""
    base = RULE_SETS.get(rules.name, Rules())
    parts = {key: getattr(rules, key) for key in RULE_PARTS if getattr(rules, key) != getattr(base, key)}
    nothing = {"eliminate_after": "never", "max_two_way": "unlimited", "simple_majority_from": "never"}
    stated = {key: nothing[key] if value is None else value for key, value in parts.items()}
    return RuleBook(name=rules.name, source=source, grade=grade, **stated)
