"""The frozen parts of a scenario: candidates, sponsors, ties, behaviour, rules and clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from iomsim.engine.clock import DAY_NAMES, Calendar, calendar
from iomsim.errors import advice
from iomsim.model.quantities import (
    Frozen,
    Grade,
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
from iomsim.rules.ruleset import PARTS, RULE_SETS, Rules, rule_set

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


_NOTHING = {"eliminate_after": "never", "max_two_way": "unlimited", "simple_majority_from": "never"}
"""How a file says None."""


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float, Fraction)) and not isinstance(value, bool) else value


RULES_TABLE: dict[str, Any] = {
    **dict.fromkeys(("name", "source", "base", "after_concession"), str),
    "grade": Grade,
    "threshold": Annotated[str, BeforeValidator(_as_text), WithJsonSchema({"type": ["string", "number"]})],
    "concession": bool,
    **dict.fromkeys(("eliminate_every", "max_rounds"), Whole),
    **{key: Whole | Literal[word] for key, word in _NOTHING.items()},
}
"""What a file may say of the rules: a shipped set by name, what differs from it, and the source."""


def read_rules(table: Mapping[str, Any]) -> Rules:
    """Return the rules that a table of a file means."""
    stated = {key: None if value == _NOTHING.get(key) else value for key, value in table.items()}
    name = table.get("name", Rules().name)
    known = name in RULE_SETS or any(key in PARTS for key in stated)
    return (RULE_SETS.get(name, Rules()) if known else rule_set(name)).with_(**stated)


def written_rules(rules: Rules) -> dict[str, Any]:
    """Return rules as a table of a file: the name, the source, and what differs from the shipped set."""
    base = RULE_SETS.get(rules.name, Rules())
    parts = {key: getattr(rules, key) for key in PARTS if getattr(rules, key) != getattr(base, key)}
    if not parts and rules.name not in RULE_SETS:
        parts = {"threshold": rules.threshold}  # a name alone would mean a shipped set
    stated = {key: _NOTHING[key] if value is None else value for key, value in parts.items()}
    return {"name": rules.name, "grade": rules.grade, "source": rules.source, **stated} | (
        {"threshold": str(rules.threshold)} if "threshold" in stated else {}
    )


class _FromTable:
    """Has pydantic read rules from a table, and write them as one."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any, validate: Any) -> Rules:
            return value if isinstance(value, Rules) else read_rules(validate(value))

        fields = {
            key: core_schema.typed_dict_field(handler.generate_schema(wanted), required=False)
            for key, wanted in RULES_TABLE.items()
        }
        return core_schema.no_info_wrap_validator_function(
            read,
            core_schema.typed_dict_schema(fields, extra_behavior="forbid"),
            serialization=core_schema.plain_serializer_function_ser_schema(written_rules),
        )


RulesOfFile = Annotated[Rules, _FromTable]


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
