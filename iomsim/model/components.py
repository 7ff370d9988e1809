"""The frozen parts of a scenario: candidates, sponsors, ties, behaviour and rules; its clock is in `clock`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from iomsim.engine.clock import DAY_NAMES
from iomsim.errors import quote
from iomsim.house_style import count as count_of, series, unfit_name
from iomsim.model.bodies import HOME, reading, readings
from iomsim.model.electorate import Electorate
from iomsim.model.exposure import TRANSFORMS, WRITTEN, by_key
from iomsim.model.ledger import Ledger
from iomsim.model.messages import TABLES
from iomsim.model.quantities import (
    LONGEST_SELECTOR,
    FrozenDict,
    FrozenModel,
    Line,
    LogOdds,
    LogSpread,
    Name,
    Number,
    Probability,
    Quantity,
    Selector,
    Shape,
    Spread,
    Strength,
    Text,
    Weight,
    Whole,
    default,
)
from iomsim.model.tables import MOST_MEMBERS
from iomsim.rules.procedure import GIVEN, MAX_BALLOTS, Grade, Procedure
from iomsim.rules.short_form import from_short_form

WEEKDAYS = tuple(name[:3] for name in DAY_NAMES)


class _Named(FrozenModel):
    """A thing that is called by its name."""

    name: Name

    def _label(self, key: str, part: str | None = None) -> str:
        return f"{self.name}'s {key}"


class Candidate(_Named):
    """One who stands.

    Attributes
    ----------
    name, full_name : str
        Short name used everywhere, and the name in full.  Names - of members, groups, sponsors, ties and rules too -
        have at most 200 signs, of any script, and none that ends a line, steers a terminal, or turns the order of
        the text around it.
    colour : str, optional
        Hex colour in charts.
    appeal : Quantity
        Log-odds in favour with every member, before pressure and ties.
    """

    full_name: Line = ""
    colour: str | None = Field(default=None, pattern=r"^#[0-9A-Fa-f]{6}$")
    appeal: LogOdds = default(0.0, -0.3, 0.3, "log-odds", source="no lead is assumed for anybody")


def _terms_as_tables(schema: dict[str, Any]) -> None:
    """Have the schema of files take terms of an exposure as tables too."""
    exposure = schema["properties"]["exposure"]
    weight, text = exposure["additionalProperties"], {"type": "string"}
    parts = {"column": text, "transform": {"enum": [*TRANSFORMS]}, "who": text, "weight": weight}
    entry = {"type": "object", "properties": parts, "required": ["weight"], "additionalProperties": False}
    by_key = {"type": "object", "additionalProperties": {"anyOf": [weight, entry]}}
    rest = {key: part for key, part in exposure.items() if key not in ("type", "additionalProperties")}
    schema["properties"]["exposure"] = {"anyOf": [by_key, {"type": "array", "items": entry}], **rest}


class Sponsor(_Named):
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
        Weights by term: a selector (``"nato and not eu"``), or a column of numbers with its transform
        (``"log1p(us_aid)"``; "log1p", "rank", "share" or "none"), scaled to mean 1 over the members where it is known.
        A member's exposure is the weighted sum of its terms, scaled to mean 1 over the members.
    """

    model_config = ConfigDict(json_schema_extra=_terms_as_tables)

    backs: str
    strength: Strength
    spread: LogSpread = default(0.40, 0.2, 0.8, "log-sd")
    exposure: Annotated[dict[Selector, Weight], BeforeValidator(by_key), AfterValidator(FrozenDict)] = FrozenDict(
        {"all": Quantity(value=1.0, low=1.0, high=1.0, unit="weight", source="every member alike")}
    )

    def _label(self, key: str, part: str | None = None) -> str:
        if key == "spread":
            return f"how unevenly {self.name}'s pressure works"
        if part is None:
            return f"{self.name}'s {key}"
        measured = WRITTEN.fullmatch(part)
        return (
            f"exposure of {quote(part)} to {self.name}" if measured is None else f"{self.name}'s pull by {measured[2]}"
        )


def _who(who: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Refuse what members are chosen by if it cannot be shown."""
    for name in [who] if isinstance(who, str) else who:
        if said := unfit_name(name, LONGEST_SELECTOR):
            raise ValueError(said)
    return who


Who = Annotated[str | Annotated[tuple[str, ...], Field(max_length=MOST_MEMBERS)], AfterValidator(_who)]


class Tie(_Named):
    """Log-odds that bind named members or a bloc to a candidate: a pledge, a whip, a region.

    Attributes
    ----------
    name, candidate : str
        The tie, and whom it binds to.
    who : str or tuple of str
        A selector, or members by name or id.
    log_odds : Quantity
        How strongly.
    label : str, optional
        What readers call it; default "loyalty to Vitorino (European Union)", the tie's name in brackets.
    """

    who: Who
    candidate: str
    log_odds: LogOdds
    label: Line = ""

    def _label(self, key: str, part: str | None = None) -> str:
        return self.label or f"loyalty to {self.candidate} ({self.name})"


def _some(count: int) -> int:
    if count < 1:
        raise ValueError(f"must be at least 1, got {count}")
    return count


class Swing(FrozenModel):
    """Members who are said to move: so many of a group, drawn anew in each run, go over to a candidate.

    They do so in the first round, before its papers are counted: drawn at random among those of the group who are
    present and intend another candidate, whoever these are in that run.  Of fewer than `count` all go over.  From then
    on they do not think again while the candidate stands; once it has left they choose like others, and if it comes
    back they return when they think again.  They hand in blank papers, and answer yes or no to one who stands alone,
    as its other voters do.  Members who are pinned, or have no vote, do not go over.

    Attributes
    ----------
    count : int
        How many, at least 1.
    who : str or tuple of str
        A group of the member table (``"African"``), a selector (``"nato and not eu"``), or members by name or id.
    to : str
        The candidate.
    grade, source : str
        How well it is known, and from where.

    Examples
    --------
    >>> Swing(count=20, who="African", to="Pope").name
    '20 of the African members to Pope'
    """

    count: Annotated[Whole, AfterValidator(_some), WithJsonSchema({"type": "integer", "minimum": 1})]
    who: Who
    to: str
    grade: Grade = "assumed"
    source: Text = GIVEN

    @property
    def name(self) -> str:
        """The swing in words."""
        return f"{self.count} of {_members(self.who)} to {self.to}"


def _members(who: str | tuple[str, ...], most: int = 3) -> str:
    """Return whom a swing is drawn from, in words.

    Examples
    --------
    >>> _members("all"), _members("African"), _members("nato and not eu"), _members(("Peru", "Chile"))
    ('all members', 'the African members', "the 'nato and not eu' members", 'Peru and Chile')
    """
    if not isinstance(who, str):
        return series(list(who)) if len(who) <= most else count_of(len(who), "member")
    selector = "=" in who or " and " in who or who.startswith("not ")
    return "all members" if who == "all" else f"the {quote(who)} members" if selector else f"the {who} members"


class Behaviour(FrozenModel):
    """How members vote and change their minds; every field is a `Quantity`.

    The fields are those of the model: `secrecy` (fraction of outside pressure that the secret
    ballot cancels), the spreads of shared shocks (`common_sd`, `region_sd`), hidden `conviction`,
    absence and abstention, which part of the valid papers of the free is for names that do not stand
    (`stray`: such papers are in the base of the bar, and nobody's votes; 0: none), whether the
    contest is `fluid`, openness and momentum in both regimes, the `decay` and the floor of openness,
    the part of momentum that is left among three or more (`momentum_field`), round shocks, an
    `overnight` floor on openness (0: off), how readily the trailing camp concedes (`concede_a`,
    `concede_b`), and who says yes to a leader alone: of the own voters, of those whose candidate the
    rules have put out (`yes_opponent_a`, `yes_opponent_b`), and of those whose candidate withdrew
    (`yes_conceded_a`, `yes_conceded_b`).
    """

    secrecy: Probability = default(0.40, 0.2, 0.6, "fraction")
    common_sd: Spread = default(0.30, 0.15, 0.5, "log-odds", "spread of the common swing")
    region_sd: Spread = default(0.40, 0.2, 0.6, "log-odds", "spread of regional swings")
    conviction: Spread = default(1.8, 0.5, 3.0, "log-odds", "spread of convictions")
    absent: Probability = default(0.05, 0.01, 0.17, "probability", "absence")
    cross_pressure_absence: Probability = default(0.05, 0.0, 0.12, "probability", "absence under cross-pressure")
    abstain: Probability = default(0.018, 0.005, 0.04, "probability", "abstention")
    stray: Probability = default(0.0, 0.0, 0.0, "probability", "stray papers", "off unless asked for")
    fluid: Probability = default(0.70, 0.55, 0.88, "probability", "chance of a fluid contest")
    openness_fluid: Probability = default(0.55, 0.37, 0.83, "probability", "openness when fluid")
    openness_entrenched: Probability = default(0.15, 0.04, 0.33, "probability", "openness when entrenched")
    openness_inf: Probability = default(0.10, 0.04, 0.16, "probability", "openness in the long run")
    decay: Probability = default(0.65, 0.45, 0.80, "ratio per round", "decay of openness")
    momentum_fluid: LogOdds = default(3.0, 1.9, 4.0, "log-odds per log share", "momentum when fluid")
    momentum_entrenched: LogOdds = default(0.6, 0.0, 1.4, "log-odds per log share", "momentum when entrenched")
    momentum_field: Strength = default(0.5, 0.25, 1.0, "ratio", "momentum among three or more")
    round_sd: Spread = default(0.25, 0.10, 0.55, "log-odds", "spread of swings between rounds")
    overnight: Probability = default(0.0, 0.0, 0.11, "probability", "openness overnight", "off unless asked for")
    concede_a: Shape = default(1.1, 0.6, 2.0, "", "readiness to concede")
    concede_b: Shape = default(4.8, 2.0, 10.0, "", "reluctance to concede")
    yes_own: Probability = default(0.97, 0.93, 0.99, "probability", "yes to the leader from its own voters")
    yes_opponent_a: Shape = default(2.2, 1.0, 4.0, "", "readiness of opponents to say yes")
    yes_opponent_b: Shape = default(7.8, 4.0, 12.0, "", "reluctance of opponents to say yes")
    yes_conceded_a: Shape = default(3.0, 1.5, 6.0, "", "readiness to say yes after a withdrawal")
    yes_conceded_b: Shape = default(1.0, 0.5, 2.0, "", "reluctance to say yes after a withdrawal")


UNSAID = "stray"
"""A parameter of the behaviour that was once unknown: where it is off it is in no file, hash or table of evidence."""


def is_unsaid(part: Any, field: str) -> bool:
    """Return whether a field of a description need not be told: it is that of the behaviour, and off by default."""
    return isinstance(part, Behaviour) and field == UNSAID and getattr(part, field) == Behaviour().stray


SHORTHANDS = {
    "openness": ("openness_fluid", "openness_entrenched", "openness_inf"),
    "momentum": ("momentum_fluid", "momentum_entrenched"),
}
"""Names that set several parameters of the behaviour to one value."""


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


Threshold = Annotated[
    Annotated[str, BeforeValidator(_as_text)] | tuple[Annotated[str, BeforeValidator(_as_text)], ...],
    WithJsonSchema({"type": ["string", "number", "array"]}),
]


class PhaseTable(FrozenModel):
    """What a file may say of a phase: see :class:`iomsim.Phase`."""

    name: Line = ""
    field: str = "remaining"
    keep: Whole | None = None
    standing: Whole = 1
    ballots: Whole | None = None
    drop: Whole = 0
    down_to: Whole = 2
    vote: str = "choice"
    threshold: Threshold | None = None
    base: str | None = None
    tie: str = "lot"
    barred: bool = False


class RulesTable(FrozenModel):
    """What a file may say of the rules: a reading by name, what differs from it, or a procedure of its own.

    See :class:`iomsim.Procedure` for the parts, :func:`iomsim.rules.short_form.from_short_form` for the short form.
    """

    body: str = ""
    name: Line = ""
    grade: Grade = "assumed"
    source: Text = GIVEN
    threshold: Threshold = "2/3"
    base: str = "valid"
    withdrawal: str = "none"
    phases: tuple[PhaseTable, ...] = ()
    after: str | None = None
    repeat_from: str = ""
    max_rounds: Whole = MAX_BALLOTS
    concession: bool = False
    after_concession: str = "acclamation"
    eliminate_after: Whole | Literal["never"] = "never"
    max_two_way: Whole | Literal["unlimited"] = "unlimited"
    simple_majority_from: Whole | Literal["never"] = "never"

    def procedure(self) -> Procedure:
        """Return the rules that the table means."""
        stated = {key: getattr(self, key) for key in type(self).model_fields if key in self.model_fields_set}
        id = stated.pop("body", "")
        if "phases" in stated:
            stated["phases"] = [phase.model_dump(exclude_unset=True) for phase in self.phases]
        named = readings(id or HOME)
        if self.name in named:
            return from_short_form({key: value for key, value in stated.items() if key != "name"}, named[self.name])
        if not set(stated) - {"name", "grade", "source"}:
            return reading(self.name or next(iter(named)), id or HOME)
        return from_short_form(stated)


TABLES[Procedure] = RulesTable


class _FromTable:
    """Has pydantic read rules from a table, and write them as one."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any, validate: Any) -> Procedure:
            return value if isinstance(value, Procedure) else validate(value).procedure()

        return core_schema.no_info_wrap_validator_function(
            read,
            handler.generate_schema(RulesTable),
            serialization=core_schema.plain_serializer_function_ser_schema(Procedure.table),
        )


RulesOfFile = Annotated[Procedure, _FromTable]


def _share(weight: float) -> float:
    if not 0 < weight <= 1:
        raise ValueError(f"must be above 0 and at most 1, got {weight:g}")
    return weight


Weighed = Annotated[
    Number, AfterValidator(_share), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1})
]


def _named_or_stated(schema: dict[str, Any]) -> None:
    """Have the schema of files take a reading by its name, or its rules in full."""
    schema["properties"] = {"name": {"type": "string"}, **schema["properties"]}
    schema["required"] = ["weight"]
    schema["oneOf"] = [{"required": ["name"]}, {"required": ["rules"]}]


class WeightedReading(FrozenModel):
    """One way to read the rules, and how much it is believed.

    Attributes
    ----------
    rules : Procedure
        The rules so read; in a file the `name` of a reading of the body, or a table.
    weight : float
        The chance that the election follows it; those of a scenario add up to 1.
    grade, source : str
        How well the weight is known, and why.
    """

    model_config = ConfigDict(json_schema_extra=_named_or_stated)

    rules: RulesOfFile
    weight: Weighed
    grade: Grade = "assumed"
    source: Text = GIVEN

    @property
    def name(self) -> str:
        """The name of the rules."""
        return self.rules.name


class Held(FrozenModel):
    """Parts of a scenario as they were when its level was stated: a what-if keeps the appeals that they gave.

    A ledger without pledges stands for none.
    """

    electorate: Electorate | None = None
    candidates: tuple[Candidate, ...] | None = None
    sponsors: tuple[Sponsor, ...] | None = None
    ties: tuple[Tie, ...] | None = None
    behaviour: Behaviour | None = None
    ledger: Ledger | None = None


def written_rules(rules: Procedure, id: str) -> dict[str, Any]:
    """Return rules as a table of a file: a reading by its name, others in full."""
    if readings(id or HOME).get(rules.name) == rules:
        return {"name": rules.name, "grade": rules.grade, "source": rules.source}
    return rules.table()
