"""What is not known when a forecast is made, in sentences: from the grades of its evidence, and from the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from iomsim.forecasting.tables import Tables
from iomsim.house_style import capital, number, percent, series, thousands
from iomsim.model import evidence
from iomsim.model.parameters import describe_parameter
from iomsim.model.scenario import Scenario

LIMITS = (
    "Candidates withdraw in the model when two are left, never among three or more",
    "Nobody enters the race between rounds: a compromise candidate from outside has no chance in the model",
    "Members decide each for themselves, given what a run draws for all of them: bargains between camps, instructions "
    "that change overnight and blocs that move as one after a round are not simulated",
    "Who stays away in the first round stays away",
    "The ranges are those of the numbers stated; how far the model itself is from the way in which such bodies elect "
    "is in none of them",
)
"""What the model leaves out."""


def not_known(fc: Tables) -> list[str]:
    """Return what was not known when a forecast was made, sentence by sentence.

    Examples
    --------
    >>> import iomsim as iom
    >>> told = not_known(iom.forecast(iom.load("minimal"), runs=200, seed=1))
    >>> told[0].split(":")[0]
    'How even the race is was not measured'
    """
    race = fc.race
    told = [*_level(race), *_numbers(race), *_rules(race), *_facts(race), *_members(race), *_played(fc)]
    return [f"{line}." for line in [*told, *_limits(race)]]


def _level(race: Scenario) -> list[str]:
    """Return that nobody counted how even the race is."""
    known = race.parameters()
    stated = [path for path in known if path.startswith("level.")] or [p for p in known if p.startswith("candidates.")]
    graded = [f"{describe_parameter(race, path)} {known[path]} [{known[path].grade}]" for path in stated]
    polled = "" if race.polling is None else ", beside what members said that were asked"
    asked = f"How even the race is was not measured{polled}: {series(graded)}" if graded else ""
    return [asked] if asked else []


def _numbers(race: Scenario) -> list[str]:
    """Return how many of the numbers rest on what, and which are only assumed."""
    said = race.evidence().index
    known = {path: quantity for path, quantity in race.parameters().items() if path in said}
    grades = Counter(quantity.grade for quantity in known.values())
    assumed = [describe_parameter(race, path) for path, quantity in known.items() if quantity.grade == "assumed"]
    loose = [path for path, quantity in known.items() if quantity.grade != "verified" and quantity.low == quantity.high]
    each = sorted(grades.items(), key=lambda pair: -pair[1])
    counted = series([f"{count} {'is' if count == 1 else 'are'} {grade}" for grade, count in each])
    told = [f"Of {len(known)} numbers that the forecast rests on, {counted}"]
    if assumed:
        told.append(f"Nobody measured these, they are only assumed: {'; '.join(assumed)}")
    if loose:
        names = [describe_parameter(race, path) for path in loose]
        told.append(f"Not verified, and without a range all the same: {'; '.join(names)}")
    return told


def _rules(race: Scenario) -> list[str]:
    """Return how sure the reading of the rules is."""
    if len(race.readings) > 1:
        weights = [f"{part.name} {100 * part.weight:g}" for part in race.readings]
        grades = series([*dict.fromkeys(part.grade for part in race.readings)])
        return [f"How the rules are read is not sure: weights, in 100, {series(weights)} [{grades}]"]
    if race.rules.grade == "verified":
        return []
    return [f"The rules are read as {race.rules.name}, which is {race.rules.grade} and not verified"]


def _facts(race: Scenario) -> list[str]:
    """Return the facts that nobody read in a source."""
    table = evidence.facts().loc[cited(race)]
    weak = table[table["grade"] == "recalled"]
    inferred = table.index[table["grade"] == "inferred"]
    told = [f"Recalled from memory and not read in a source: {row.statement.rstrip('.')}" for row in weak.itertuples()]
    if len(inferred):
        told.append(f"{capital(number(len(inferred)))} of {len(table)} facts are inferred: {', '.join(inferred)}")
    return told


def cited(race: Scenario) -> list[str]:
    """Return the ids of all facts that a scenario names, in the order of the table of facts."""
    sources: Iterable[str] = race.evidence()["source"]
    named = {*race.facts, *(fact for source in sources for fact in evidence.cited(source))}
    return [fact for fact in evidence.facts().index if fact in named]


def _members(race: Scenario) -> list[str]:
    """Return of which members something is missing, and who is nobody in particular."""
    known = race.parameters()
    told = [
        f"{capital(describe_parameter(race, path))}: {line[0].lower()}{line[1:].rstrip('.')}"
        for path, lines in race._unknown().items()
        for line in lines
        if path in known
    ]
    frame = race.electorate.frame
    if set(frame.columns) <= {"id", "name", "group"}:
        told.append(f"Nothing is known of single members: the {len(frame)} are told apart by name only")
    return told


def _played(fc: Tables) -> list[str]:
    """Return what the runs leave open."""
    if fc.draws is None:
        return [
            "The best guesses alone were played: how far they may be off is not in the chances, which have no range"
        ]
    error = f"may be off by {100 * fc.mc_error:.1f} points for that alone ({percent(95)})"
    return [f"The chances are those of {thousands(len(fc))} runs, and {error}"]


def _limits(race: Scenario) -> list[str]:
    """Return what the model leaves out, so far as it concerns the race."""
    return [line for line in LIMITS if len(race.names) > 2 or "three or more" not in line]
