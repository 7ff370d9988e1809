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
    ALONE,
    BETWEEN,
    BETWEEN_TWO,
    LEAN,
    LONGEST_SELECTOR,
    PAPERS,
    PRESENT,
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
    stated,
)
from iomsim.model.tables import MOST_MEMBERS
from iomsim.rules.procedure import GIVEN, MAX_BALLOTS, Grade, Procedure
from iomsim.rules.short_form import from_short_form

WEEKDAYS = tuple(name[:3] for name in DAY_NAMES)


class _Named(FrozenModel):
    """A thing that is called by its name."""

    name: Name
    """What it is called everywhere."""

    def _label(self, key: str, part: str | None = None) -> str:
        return f"{self.name}'s {key}"


class Candidate(_Named):
    """One who stands.

    Names - of members, groups, sponsors, ties and rules too - have at most 200 signs, of any script, and none that ends
    a line, steers a terminal, or turns the order of the text around it.
    """

    full_name: Line = ""
    """The name in full; default the name."""
    colour: str | None = Field(default=None, pattern=r"^#[0-9A-Fa-f]{6}$")
    """Hex colour in charts."""
    appeal: LogOdds = default(0.0, -0.3, 0.3, "log-odds", source="no lead is assumed for anybody", acts=LEAN)
    """Log-odds in favour with every member, before pressure and ties."""


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
    """A power that backs a candidate."""

    model_config = ConfigDict(json_schema_extra=_terms_as_tables)

    backs: str
    """The candidate's name."""
    strength: Strength = stated("log-odds", LEAN)
    """By how much it moves the average member in public."""
    spread: LogSpread = default(0.40, 0.2, 0.8, "log-sd", acts=LEAN)
    """How unevenly its campaigns work: log-sd of the factor by which this one does (lognormal with mean 1)."""
    exposure: Annotated[dict[Selector, Weight], BeforeValidator(by_key), AfterValidator(FrozenDict)] = stated(
        "weight",
        LEAN,
        FrozenDict({"all": Quantity(value=1.0, low=1.0, high=1.0, unit="weight", source="every member alike")}),
    )
    """How much each term weighs: a selector (``"nato and not eu"``), or a column of numbers with its transform
    (``"log1p(us_aid)"``; "log1p", "rank", "share" or "none"), scaled to mean 1 over the members where it is known.  A
    member's exposure is the weighted sum of its terms, scaled to mean 1 over the members."""

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
    """Log-odds that bind named members or a bloc to a candidate: a pledge, a whip, a region."""

    who: Who
    """A selector, or members by name or id."""
    candidate: str
    """Whom it binds to."""
    log_odds: LogOdds = stated("log-odds", LEAN)
    """How strongly it binds."""
    label: Line = ""
    """What readers call it; default "loyalty to Vitorino (European Union)", the tie's name in brackets."""

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
    """How members vote and change their minds; every field is a `Quantity`."""

    secrecy: Probability = default(0.40, 0.2, 0.6, "fraction", acts=LEAN)
    """Fraction of outside pressure that the secret ballot cancels: 0 in public, 1 where pressure is of no use."""
    common_sd: Spread = default(0.30, 0.15, 0.5, "log-odds", "spread of the common swing", acts=LEAN)
    """Spread of the swing between two candidates that all members share, drawn once in each run."""
    region_sd: Spread = default(0.40, 0.2, 0.6, "log-odds", "spread of regional swings", acts=LEAN)
    """Spread of the swing between two candidates that the members of a group share, drawn once in each run."""
    conviction: Spread = default(1.8, 0.5, 3.0, "log-odds", "spread of convictions", acts=LEAN)
    """Spread of what members hold that nobody sees, and keep for the whole election.  Leans are scaled so that all
    other numbers keep their meaning in terms of shares."""
    absent: Probability = default(0.05, 0.01, 0.17, "probability", "absence", acts=PRESENT)
    """Chance that a member is absent from the whole election."""
    cross_pressure_absence: Probability = default(
        0.05, 0.0, 0.12, "probability", "absence under cross-pressure", acts=PRESENT
    )
    """What a member's chance to be absent gains for each unit of the least of its exposures: pressure from all sides
    keeps members away."""
    abstain: Probability = default(0.018, 0.005, 0.04, "probability", "abstention", acts=PAPERS)
    """Chance that a member who is present hands in no valid paper in a round; it keeps its intention.  Never of those
    who are pinned."""
    stray: Probability = default(
        0.0, 0.0, 0.0, "probability", "stray papers", source="off unless asked for", acts=PAPERS
    )
    """Chance that a valid paper of a member that is free to choose is for a name that does not stand: it counts in the
    base of the bar, and as nobody's vote.  0: none."""
    fluid: Probability = default(0.70, 0.55, 0.88, "probability", "chance of a fluid contest", acts=BETWEEN)
    """Chance that the contest is fluid, in which members move after a round; else it is entrenched, and freezes."""
    openness_fluid: Probability = default(0.55, 0.37, 0.83, "probability", "openness when fluid", acts=BETWEEN)
    """Chance that a member thinks again before the second round of a fluid contest."""
    openness_entrenched: Probability = default(
        0.15, 0.04, 0.33, "probability", "openness when entrenched", acts=BETWEEN
    )
    """Chance that a member thinks again before the second round of an entrenched contest."""
    openness_inf: Probability = default(0.10, 0.04, 0.16, "probability", "openness in the long run", acts=BETWEEN)
    """Chance that a member thinks again before a round in the long run, in contests of both kinds."""
    decay: Probability = default(0.65, 0.45, 0.80, "ratio per round", "decay of openness", acts=BETWEEN)
    """What each round leaves of the distance of openness from that of the long run."""
    momentum_fluid: LogOdds = default(3.0, 1.9, 4.0, "log-odds per log share", "momentum when fluid", acts=BETWEEN)
    """What a candidate gains, with members who think again in a fluid contest, per unit of its log share in the last
    tally."""
    momentum_entrenched: LogOdds = default(
        0.6, 0.0, 1.4, "log-odds per log share", "momentum when entrenched", acts=BETWEEN
    )
    """What a candidate gains, with members who think again in an entrenched contest, per unit of its log share in the
    last tally."""
    momentum_field: Strength = default(0.5, 0.25, 1.0, "ratio", "momentum among three or more", acts=BETWEEN)
    """What is left of momentum where three or more stood in the last round."""
    round_sd: Spread = default(0.25, 0.10, 0.55, "log-odds", "spread of swings between rounds", acts=BETWEEN)
    """Spread of the swing between two candidates that all members share who think again, drawn anew before each round
    (Student's t with 5 degrees of freedom, scaled)."""
    overnight: Probability = default(
        0.0, 0.0, 0.11, "probability", "openness overnight", source="off unless asked for", acts=BETWEEN
    )
    """Least chance that a member thinks again before the first round after a night.  0: nights change nothing."""
    concede_a: Shape = default(1.1, 0.6, 2.0, "", "readiness to concede", acts=BETWEEN_TWO)
    """First shape of the Beta law of how ready the trailing one of two is to withdraw.  After m ballots in which it did
    not, the chance is a / (a + b + m)."""
    concede_b: Shape = default(4.8, 2.0, 10.0, "", "reluctance to concede", acts=BETWEEN_TWO)
    """Second shape of the Beta law of how ready the trailing one of two is to withdraw: the greater, the less."""
    yes_own: Probability = default(0.97, 0.93, 0.99, "probability", "yes to the leader from its own voters", acts=ALONE)
    """Chance that one of the leader's own voters says yes where the leader stands alone."""
    yes_opponent_a: Shape = default(2.2, 1.0, 4.0, "", "readiness of opponents to say yes", acts=ALONE)
    """First shape of the Beta law of the share of the others' voters who say yes where the rules put their candidate
    out; its mean is a / (a + b)."""
    yes_opponent_b: Shape = default(7.8, 4.0, 12.0, "", "reluctance of opponents to say yes", acts=ALONE)
    """Second shape of the Beta law of the share of the others' voters who say yes where the rules put their candidate
    out: the greater, the fewer."""
    yes_conceded_a: Shape = default(3.0, 1.5, 6.0, "", "readiness to say yes after a withdrawal", acts=ALONE)
    """First shape of the Beta law of the share of the others' voters who say yes where their candidate withdrew; its
    mean is a / (a + b)."""
    yes_conceded_b: Shape = default(1.0, 0.5, 2.0, "", "reluctance to say yes after a withdrawal", acts=ALONE)
    """Second shape of the Beta law of the share of the others' voters who say yes where their candidate withdrew: the
    greater, the fewer."""


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
