"""How a scenario and a forecast show themselves: a briefing in text and in HTML."""

from __future__ import annotations

from html import escape
from typing import Any

from iomsim.engine import paths
from iomsim.house_style import ENDLESS, count, hanging, in_html, number_of
from iomsim.model import evidence
from iomsim.model.bodies import MANY, Body, body
from iomsim.model.clock import Clock, listed
from iomsim.model.description import Description
from iomsim.model.ledger import told as pledged
from iomsim.model.moments import date_in_words, full_date
from iomsim.model.parameters import describe_parameter
from iomsim.model.quantities import in_digits

WEIGHTY = (
    paths.behaviour("common_sd"),
    paths.behaviour("fluid"),
    paths.behaviour("secrecy"),
    paths.behaviour("region_sd"),
    paths.clock("round_minutes"),
)
"""Shown after the appeals and strengths among the assumptions that matter."""


def lines(race: Description) -> list[tuple[str, str]]:
    """Return the briefing as pairs of a heading and a line."""
    out = [("Election", race.title)]
    if race.as_of:
        out.append(("As of", full_date(race.as_of, weekday=True)))
    pinned = sum(len(members) for members in race.electorate.pinned.values())
    out.append(("Electorate", f"{len(race.electorate.frame)} members, {race.votes.sum()} with a vote, {pinned} pinned"))
    out += [("Candidate", _candidate(race, name)) for name in race.names]
    if race.body:
        out.append(("Body", f"{race.body} ({body(race.body).name})"))
    out += [("Rules", line) for line in _rules(race)]
    out += [("Swing", line) for line in swings(race)]
    out.append(("Clock", _clock(race.clock)))
    if race.ledger is not None:
        out.append(("Pledges", pledged(race.ledger)))
    if race.polling is not None:
        out.append(
            ("Polled", f"{number_of(len(race.polling.chances), 'member')}, trusted {race.polling.trust.value:g}")
        )
    out += [("Assumption", line) for line in assumptions(race)]
    out += [("Fact", f"{row.statement} [{row.grade}]") for row in _facts(race)]
    return out


def of_body(one: Body) -> list[tuple[str, str]]:
    """Return what is known of a body as pairs of a heading and a line, each with its grade and source.

    Examples
    --------
    >>> dict(of_body(body("un-tourism")))["Body"]
    'un-tourism: UN Tourism, Secretary-General'
    """
    seats = one.electorate
    clock = Clock.model_validate(one.clock.model_extra)
    told = [("Body", f"{one.id}: {one.name}")] + [("About", one.about)] * bool(one.about)
    table = f", in the table {seats.members}" if seats.members else ""
    members = f"{seats.size} members entitled on {full_date(seats.date)}{table}"
    told += [("Kind", one.kind), ("Electorate", _known(members, seats)), ("Clock", _known(_clock(clock), one.clock))]
    told.append(("Secrecy", _known(f"{one.secrecy.ballot} ballot", one.secrecy)))
    for name, rules in one.procedures.items():
        told.append(("Reading", f"{name}: {_known(rules.sentence(MANY), rules)}"))
    return told


def _known(what: str, known: Any) -> str:
    return f"{what.removesuffix('.')}. [{known.grade}: {known.source}]"


def text(race: Description) -> str:
    """Return the briefing as plain text, without the facts."""
    return "\n".join(hanging(head, line, ENDLESS) for head, line in lines(race) if head != "Fact")


def html(race: Description) -> str:
    """Return the briefing as HTML, the facts folded away."""
    about = f"<p>{escape(race.about)}</p>" if race.about else ""
    return in_html(f"<h4>{escape(race.title)}</h4>{about}{table(race)}{facts(race)}")


def table(race: Description, caption: str = "") -> str:
    """Return the briefing as a table in HTML, without the title and the facts."""
    rows = "".join(
        f"<tr><th scope='row' style='text-align:left;vertical-align:top'>{escape(head)}</th>"
        f"<td style='text-align:left'>{escape(line)}</td></tr>"
        for head, line in lines(race)[1:]
        if head != "Fact"
    )
    return f"<table>{f'<caption>{escape(caption)}</caption>' * bool(caption)}{rows}</table>"


def facts(race: Description) -> str:
    """Return the facts as a list in HTML, folded away; nothing if there are none."""
    told = [f"{row.statement} [{row.grade}: {row.source}]" for row in _facts(race)]
    items = "".join(f"<li>{escape(line)}</li>" for line in told)
    return (
        f"<details><summary>{count(len(told), 'fact')} it starts from</summary><ul>{items}</ul></details>"
        if told
        else ""
    )


def assumptions(race: Description, most: int = 5) -> list[str]:
    """Return the assumptions that matter most, in a sentence each.

    First what sets the level (as it is stated, or the first candidate's appeal; the sponsors' strengths), then what
    spreads and moves it.
    """
    known = race.parameters()
    level = [*map(paths.level, race.level), paths.appeal(race.names[0])]
    level += [paths.strength(sponsor.name) for sponsor in race.sponsors]
    shown = [path for path in (*level, *WEIGHTY) if path in known][:most]
    return [
        f"{describe_parameter(race, path)} {known[path]} [{known[path].grade}]: {_reason(known[path].source)}"
        for path in shown
    ]


def _reason(source: str) -> str:
    """Return what the first fact of a source says, or the reason that stands there instead."""
    return (evidence.statements(source) or [source])[0]


def _candidate(race: Description, name: str) -> str:
    candidate = race.candidate(name)
    backers = [sponsor.name for sponsor in race.sponsors if sponsor.backs == name]
    behind = f", backed by {' and '.join(backers)}" if backers else ", without a sponsor"
    return f"{candidate.full_name or name}{behind}"


def _rules(race: Description) -> list[str]:
    """Return what the rules say; of several readings the weight of each, the weightiest first."""
    if not race.readings:
        return [f"{race.rules.name} [{race.rules.grade}]: {race.rules.sentence(len(race.names))}"]
    weighed = sorted(race.readings, key=lambda part: -part.weight)
    return [
        f"{part.name}, weight {in_digits(part.weight)[0]} [{part.grade}]: {part.rules.sentence(len(race.names))}"
        for part in weighed
    ]


def swings(race: Description) -> list[str]:
    """Return what is known of the members who go over, in a sentence for each swing: how many do, on the best guesses.

    Examples
    --------
    >>> import iomsim as iom
    >>> swings(iom.load("minimal").swing(9, "all", to="A"))
    ['9 of all members to A [assumed]: set by the user; of 175 members, 9 go over in every run']
    """
    if not race.swings:
        return []
    told = []
    for swing, planned, gone in zip(race.swings, race.plan.swings, race._gone_over, strict=True):
        short = int((gone < swing.count).sum())
        few = f"{gone.mean():.1f} go over on average: in {short} of {gone.size} runs fewer than {swing.count} are left"
        said = few if short else f"{swing.count} go over in every run"
        told.append(f"{swing.name} [{swing.grade}]: {swing.source}; of {int(planned.who.sum())} members, {said}")
    return told


def _clock(clock: Clock) -> str:
    parts = [
        f"opens {full_date(clock.opens, weekday=True)} {clock.opens:%H:%M} ({clock.timezone})",
        f"sits {', '.join(listed(clock.sittings))} on {', '.join(clock.days)}",
        f"about {in_digits(clock.round_minutes.value)[0]} minutes a round",
    ]
    if clock.closed:
        parts.append(f"off on {', '.join(date_in_words(day, clock.opens.date()) for day in clock.closed)}")
    if clock.rounds_a_day:
        parts.append(f"at most {number_of(clock.rounds_a_day, 'ballot')} a day")
    if clock.first_day:
        parts.append(f"at most {number_of(clock.first_day, 'ballot')} on the first day")
    if clock.deadline:
        parts.append(f"over on {date_in_words(clock.deadline.date(), clock.opens.date())} {clock.deadline:%H:%M}")
    return "; ".join(parts)


def _facts(race: Description) -> list:
    table = evidence.facts()
    return [row for row in table.itertuples() if row.Index in race.facts]
