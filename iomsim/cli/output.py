"""What ``--json`` prints, for programs that read it: ``iomsim schema --output``.

A table is a list of rows; what is missing is null.  Keys are only added within a version; what is taken away, renamed
or meant otherwise raises it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = 1
"""Version of the output."""

Probability = Annotated[float, Field(ge=0, le=1)]
Missing = Probability | None
Whole = Annotated[int, Field(ge=0)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")]


class Part(BaseModel):
    """An object of the output: it has no other keys."""

    model_config = ConfigDict(extra="forbid")


class Chance(Part):
    """A chance over everything that is unsure; its range over the assumptions; half its 95 % Monte Carlo interval."""

    probability: Probability
    low: Missing
    high: Missing
    mc_error: Annotated[float, Field(ge=0)]


class Spill(Chance):
    """The chance that voting is not over when the day before this one ends."""

    into: Day


class Winner(Chance):
    """The chance of a candidate, or of "no winner"."""

    winner: str


class Round(Chance):
    """The chance that somebody is elected in a round, and what has become of the elections by its end."""

    round: Annotated[int, Field(ge=1)]
    cumulative: Probability
    ended_without_winner: Probability
    undecided: Probability


class Ending(Chance):
    """The chance of an ending, by its winner."""

    ending: str
    winner: str


class Hour(Chance):
    """The chance that somebody is elected in an hour by the clocks of the seat; without one: that nobody is."""

    hour: Moment | None
    day: str
    cumulative: Missing


class Reading(BaseModel):
    """Chances under a reading of the rules: a key for every candidate, "no winner", "nobody", "still voting", "spill".

    Beside each of them ``NAME_low``, ``NAME_high`` and ``NAME_mc_error``.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Missing]

    rules: str
    median_rounds: Whole
    weight: Missing


class Rounds(Part):
    """The rounds held: the median, and the 10 % and 90 % points, over the runs."""

    median: Whole
    low: Whole
    high: Whole


class Driver(Part):
    """What an assumption explains of a chance, and the chance at its low and high."""

    parameter: str
    name: str
    share: float
    share_error: float
    clear: bool
    value_low: float | None
    value_high: float | None
    reading_low: str | None
    reading_high: str | None
    at_low: float | None
    at_high: float | None


class HangsOn(Part):
    """Which assumptions a chance hangs on."""

    target: str
    sentence: str
    table: list[Driver]


class Provenance(Part):
    """What is needed to make the forecast again."""

    version: str
    seed: Whole
    runs: Annotated[int, Field(ge=1)]
    scenario: Annotated[str, Field(description="The hash of the scenario.")]
    rules: str
    title: str
    assumptions: int | Literal["fixed"]
    announced: Whole
    events: list[dict[str, Any]]


class Output(Part):
    """What ``iomsim forecast --json`` prints."""

    output_version: Annotated[Literal[1], Field(description="The version of this description.")]
    title: str
    headline: str
    answer: str
    spill: Spill
    median_rounds: Rounds
    win_probability: list[Winner]
    rounds: list[Round]
    endings: list[Ending]
    decided_at: list[Hour]
    rule_sets: list[Reading]
    drivers_winner: HangsOn | None = None
    drivers_next_day: HangsOn | None = None
    provenance: Provenance


def output_schema() -> dict[str, Any]:
    """Return the JSON schema of what ``--json`` prints."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Output.model_json_schema()
