"""Events of an election day in words, read and said."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator, model_validator

from iomsim.errors import LONGEST, AnnouncementError, advice, quote, whole_number
from iomsim.model.lines import ANSWER_WORDS, EXAMPLE, PAPER_WORDS, PAPERS, Counts, Line, newcomer, quoted

Event = dict[str, Any]

EVENTS = {
    "announce": EXAMPLE,
    "inconclusive": "inconclusive at 12:20",
    "elect": "elected Pope at 18:00",
    "withdraw": "withdraw Vitorino at 16:30",
    "eliminate": "eliminate Vitorino",
    "confirm": "confirm yes=110 no=40 at 18:00",
    "go on": "go on",
    "adjourn": "adjourn until 15:00",
    "correct": "correct round 1: Pope=99 Vitorino=66",
    "undo": "undo",
}
"""What can happen, each with a line that says it."""

# -- what an event may tell ------------------------------------------------------------------------

LARGEST = 10**9
"""More than anybody counts."""

FIGURE = re.compile(r"(?:(at least|>=|at most|<=)\s*)?([0-9]{1,9})")
BOUNDS = {">=": "at least", "<=": "at most"}


def figure_of(name: str, value: Any) -> tuple[str, int]:
    """Return what is told of somebody's votes: "at least", "at most" or "", and a number.

    Raises
    ------
    AnnouncementError
        If it is neither a whole number nor such a bound.

    Examples
    --------
    >>> figure_of("Pope", 98), figure_of("Pope", ">=90"), figure_of("Pope", "at most 60")
    (('', 98), ('at least', 90), ('at most', 60))
    """
    found = FIGURE.fullmatch(str(value).strip()) if isinstance(value, str) or is_count(value) else None
    if found is None:
        who = name if len(str(name)) <= LONGEST else quote(name)
        raise AnnouncementError(f"votes for {who} must be a whole number or 'at least 90', got {quote(value)}")
    return BOUNDS.get(found[1], found[1] or ""), int(found[2])


def paper_count(key: str, value: Any) -> int:
    """Return a number of papers or members that was told; `key` is one of `iomsim.model.lines.PAPERS`.

    Raises
    ------
    AnnouncementError
        If it is no whole number.
    """
    if not is_count(value):
        whose = "members" if key == "present" else "papers"
        raise AnnouncementError(f"{key} must be a whole number of {whose}, got {quote(value)}")
    return int(value)


def is_count(value: Any) -> bool:
    """Return whether a value is a whole number to which something may be counted."""
    return not isinstance(value, bool) and isinstance(value, Integral) and 0 <= int(value) <= LARGEST


class Told(BaseModel):
    """What an event tells, each kind of event exactly what belongs to it: see `KINDS_OF_EVENTS`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event: str

    @field_validator("at", "until", mode="before", check_fields=False)
    @classmethod
    def _is_a_text(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str) and not (value is None and info.field_name == "at"):
            raise AnnouncementError(f"no time {quote(value)}; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'")
        return value


class Timed(Told):
    """What happened at a time, if that was announced."""

    at: str | None = None


class Named(Timed):
    """What happened to a candidate."""

    name: str

    @field_validator("name", mode="before")
    @classmethod
    def _is_a_name(cls, value: Any) -> Any:
        if not isinstance(value, str):
            raise AnnouncementError(f"name must be that of a candidate, got {quote(value)}")
        return value


class Counted(Timed):
    """What was counted in a round: papers, and members present."""

    round: int | None = None
    valid: int | None = None
    others: int | None = None
    blank: int | None = None
    invalid: int | None = None
    abstentions: int | None = None
    present: int | None = None
    needed: int | None = None

    @field_validator("round", mode="before")
    @classmethod
    def _is_a_round(cls, value: Any) -> int | None:
        if value is not None and not (is_count(value) and value > 0):
            raise AnnouncementError(f"round must be a whole number of at least 1, got {quote(value)}")
        return None if value is None else int(value)

    @field_validator(*PAPERS, mode="before")
    @classmethod
    def _is_counted(cls, value: Any, info: ValidationInfo) -> int | None:
        return None if value is None else paper_count(str(info.field_name), value)


class Ballot(Counted):
    """A round between candidates: their votes, as far as they are known."""

    votes: dict[str, int | str | None] | None = None

    @field_validator("votes", mode="before")
    @classmethod
    def _are_figures(cls, value: Any) -> Any:
        """Return votes by candidate, each a number or a bound such as "at least 90"."""
        if not isinstance(value, Mapping | None):
            raise AnnouncementError(f"votes must be a table of votes by candidate, got {quote(value)}")
        told = {name: figure_of(name, votes) for name, votes in (value or {}).items() if votes is not None}
        plain = {name: f"{bound} {number}" if bound else number for name, (bound, number) in told.items()}
        return None if value is None else {name: plain.get(name) for name in value}


class Answer(Counted):
    """A round of yes or no on one who stands alone."""

    yes: int | None = None
    no: int | None = None

    @field_validator("yes", "no", mode="before")
    @classmethod
    def _is_counted_if_told(cls, value: Any, info: ValidationInfo) -> int | None:
        key = str(info.field_name)
        return None if value is None else paper_count(key, whole_number(key, value, 0))

    @model_validator(mode="after")
    def _has_both(self) -> Answer:
        if self.yes is None or self.no is None:
            raise AnnouncementError(YES_AND_NO)
        return self


class Adjournment(Told):
    """Nothing happens before a moment."""

    until: str


KINDS_OF_EVENTS: dict[str, type[Told]] = {
    **dict.fromkeys(("announce", "inconclusive", "correct"), Ballot),
    **dict.fromkeys(("elect", "withdraw", "eliminate"), Named),
    **dict.fromkeys(("go on", "undo"), Timed),
    "confirm": Answer,
    "adjourn": Adjournment,
}
"""What each kind of event tells; a correction tells what the round told that it corrects."""

YES_AND_NO = f"a vote on one alone has yes and no; write for instance {quote(EVENTS['confirm'])}"


def checked(event: Any, names: Sequence[str] = ()) -> Event:
    """Return an event as it is applied and written down, if it tells what an event of its kind may tell.

    Parameters
    ----------
    event : mapping
        The event, as :func:`event_of` returns it or as it stands in a log.
    names : sequence of str, optional
        The candidates; who is named must be one of them.

    Raises
    ------
    AnnouncementError, UnknownNameError
        If it tells anything else: what, and what would do.

    Examples
    --------
    >>> checked({"event": "announce", "votes": {"Pope": ">=90", "Vitorino": "67"}, "at": None})
    {'event': 'announce', 'votes': {'Pope': 'at least 90', 'Vitorino': 67}, 'at': None}
    >>> checked({"event": "withdraw", "nam": "Vitorino"})
    Traceback (most recent call last):
    iomsim.errors.AnnouncementError: unknown 'nam' in 'withdraw'; did you mean 'name'?
    """
    if not isinstance(event, Mapping):
        raise AnnouncementError(f"an event is a table, such as {quote(SAMPLE)}; got {quote(event)}")
    kind = event.get("event")
    if not isinstance(kind, str) or kind not in KINDS_OF_EVENTS:
        raise AnnouncementError(f"no event {quote(kind)}; there are {', '.join(EVENTS)}")
    model = KINDS_OF_EVENTS[kind]
    if kind == "correct":
        if event.get("round") is None:
            raise AnnouncementError(WHICH_ROUND)
        answered = any(event.get(key) is not None for key in ("yes", "no"))
        if answered and "votes" in event:
            raise AnnouncementError("a round has votes by candidate, or yes and no; tell what it had")
        model = Answer if answered else model
    try:
        told = model.model_validate(dict(event))
    except ValidationError as error:
        raise AnnouncementError("; ".join(_sentences(error, kind, model))) from None
    plain = {key: getattr(told, key) for key in event}
    for name in (plain.get("votes") or {}) if names else ():
        if name not in names:
            raise newcomer(name, names, tuple(PAPERS))
    if names and "name" in plain and plain["name"] not in names:
        raise newcomer(plain["name"], names)
    return plain


SAMPLE = '{"event": "withdraw", "name": "Vitorino", "at": "16:30"}'
WHICH_ROUND = f"which round? write for instance {quote(EVENTS['correct'])}"


def _sentences(error: ValidationError, kind: str, model: type[Told]) -> Iterator[str]:
    """Yield what is wrong with an event; what is missing only if it is not there under another name."""
    problems = error.errors()
    misspelt = any(problem["type"] == "extra_forbidden" for problem in problems)
    for problem in problems:
        key = str(problem["loc"][0]) if problem["loc"] else ""
        match problem["type"]:
            case "extra_forbidden":
                yield f"unknown {quote(key)} in {quote(kind)}; {advice(key, [*model.model_fields][1:])}"
            case "missing" if misspelt:
                continue
            case "missing":
                yield f"{quote(key)} is missing in {quote(kind)}; write for instance {quote(EVENTS[kind])}"
            case "value_error":
                yield str(problem["ctx"]["error"])
            case _:
                yield f"{key} of {quote(kind)} cannot be {quote(problem['input'])}; such as {quote(EVENTS[kind])}"


# -- said, and named -------------------------------------------------------------------------------


def say(event: Mapping[str, Any]) -> str:
    """Return an event as the line that :func:`event_of` understands.

    Examples
    --------
    >>> say({"event": "announce", "votes": {"Pope": 98, "Vitorino": "at least 60"}, "valid": 165, "at": "12:20"})
    'announce Pope=98 Vitorino>=60 valid=165 at 12:20'
    >>> say({"event": "correct", "round": 1, "votes": {"Pope": 99}, "others": 2, "at": None})
    'correct round 1: Pope=99 others=2'
    """
    kind, votes = event["event"], (event.get("votes") or {}).items()
    which = f"round {event['round']}:" if event.get("round") is not None else ""
    name = quoted(event["name"]) if event.get("name") is not None else ""
    told = [f"{quoted(who)}{_sign(value)}" for who, value in votes if value is not None]
    told += [f"{what}={event[what]}" for what in ("yes", "no", *PAPERS) if event.get(what) is not None]
    until = f"until {event['until']}" if kind == "adjourn" else ""
    at = f"at {event['at']}" if event.get("at") is not None else ""
    return " ".join(filter(None, [kind, which, name, *told, until, at]))


def events_digest(events: Sequence[Mapping[str, Any]]) -> str:
    """Return a short name for a sequence of events, the same wherever they are the same."""
    return hashlib.sha256("\n".join(map(say, events)).encode()).hexdigest()[:6]


def in_words(event: Mapping[str, Any]) -> str:
    """Return an event as one would tell it.

    Examples
    --------
    >>> in_words({"event": "announce", "votes": {"Pope": 98, "Vitorino": "at least 60"}, "abstentions": 6})
    'Pope 98, Vitorino at least 60, 6 abstaining'
    """
    told = [f"{name} {value}" for name, value in (event.get("votes") or {}).items() if value is not None]
    told += [f"{event[what]} {what}" for what in ("yes", "no") if event.get(what) is not None]
    told += [f"{event[what]} {words}" for what, words in PAPERS.items() if event.get(what) is not None]
    counted = ", ".join(told)
    return {
        "announce": counted,
        "inconclusive": f"a round without result{f' ({counted})' if counted else ''}",
        "elect": f"{event.get('name')} is elected",
        "withdraw": f"{event.get('name')} withdraws",
        "eliminate": f"{event.get('name')} is out",
        "confirm": counted,
        "go on": "voting goes on",
        "adjourn": f"adjourned until {event.get('until')}",
        "correct": f"the correction of round {event.get('round')} to {counted}",
    }[event["event"]]


def _sign(value: Any) -> str:
    text = str(value).replace("at least", ">=").replace("at most", "<=").replace(" ", "")
    return text if text[0] in "<>" else f"={text}"


KINDS = {
    r"announce[sd]?|tally|result": "announce",
    r"inconclusive|no\s+(?:result|decision)|without\s+(?:a\s+)?result|no(?:body|\s*one)\s+(?:(?:is|was)\s+)?elected": (
        "inconclusive"
    ),
    r"elect(?:s|ed)?": "elect",
    r"withdr(?:aws?|ew|awn|awal\s+of)": "withdraw",
    r"eliminated?|out": "eliminate",
    r"confirm(?:ed|ation)?": "confirm",
    r"go(?:es)?\s+on|continue[sd]?": "go on",
    r"adjourn(?:ed)?": "adjourn",
    r"(?:is\s+)?correct(?:ed|ion)?(?:\s+(?:of|to))?": "correct",
    r"undo": "undo",
}
"""How a line begins, if not with a candidate's name."""

SAID_OF = {
    r"(?:(?:is|was|has\s+been)\s+)?elected|wins|has\s+won": "elect",
    r"withdraws|withdrew|(?:(?:has|is)\s+)?withdrawn": "withdraw",
    r"(?:is\s+)?(?:out|eliminated)": "eliminate",
}
"""What is said of a candidate whose name begins a line."""

LAST = r"(?=[\s,;]*$|[\s,;]+at\s)"
"""Nothing but a time follows."""

OF_ROUNDS = ("announce", "inconclusive", "confirm", "correct")


def event_of(
    line: str,
    names: Sequence[str],
    standing: Sequence[str] | None = None,
    earlier: Sequence[Sequence[str]] = (),
) -> Event:
    """Return the event that a line says, as :meth:`iomsim.election_day.election_day.ElectionDay.apply` takes it.

    Parameters
    ----------
    line : str
        A tally as it is read out or printed: ``announce Pope=98 Vitorino=67 at 12:20`` (the first word may be left
        out), ``98-67`` (in the order of the candidates), ``France: 1,098 votes, Japan: 967; 6 abstentions``,
        ``67 for Vitorino, 98 for Pope``, ``Pope at least 90 valid=165``, with any of `PAPERS`.  Or what else
        happened: ``round 1 without result``, ``Pope is elected``, ``withdraw Vitorino at 16:30``, ``Isaacs is out``,
        ``confirm yes=86 no=57``, ``go on``, ``adjourn until Tuesday 10:00``, ``correct round 1: 99-66``, ``undo``.
        Names are read whatever their capitals, and without their accents where that leaves no doubt; a name with
        one of ``= < > "`` in it stands in double quotes.
    names : sequence of str
        The candidates.
    standing : sequence of str, optional
        Those to whom bare numbers belong; default: all.
    earlier : sequence of sequences of str, optional
        Those to whom they belong where the tally of an earlier round is corrected.

    Raises
    ------
    AnnouncementError, UnknownNameError
        If the line says nothing that can be understood; the sentence points at what is in the way.

    Examples
    --------
    >>> event_of("98-67 at 12:20", ["Pope", "Vitorino"])
    {'event': 'announce', 'votes': {'Pope': 98, 'Vitorino': 67}, 'valid': None, 'at': '12:20'}
    >>> event_of("withdraw Vitorino", ["Pope", "Vitorino"])
    {'event': 'withdraw', 'name': 'Vitorino', 'at': None}
    >>> event_of("Milan 2026 47, Åre 2026 34; 1 abstention", ["Milan 2026", "Åre 2026"])["votes"]
    {'Milan 2026': 47, 'Åre 2026': 34}
    """
    said, standing = Line(line, names), names if standing is None else standing
    name, end = next(said.names_at(0), ("", 0))
    if name:
        kind, end = _kind(said, end, SAID_OF)
        return {"event": kind, "name": name, "at": said.when(end)} if kind else _tally(said, 0, standing)
    kind, end = _kind(said, 0, KINDS)
    found = re.compile(r"\s*round\s+(\d+)\b[\s:,]*", re.IGNORECASE).match(said.text, end)
    if found and not kind:
        kind, end = _kind(said, found.end(), KINDS)
    elif found:
        end = found.end()
    if kind == "correct" and not found:
        raise AnnouncementError(WHICH_ROUND)
    if found and kind == "correct" and 0 < int(found[1]) <= len(earlier):
        standing = earlier[int(found[1]) - 1]
    if found and kind in ("", *OF_ROUNDS):
        return _of_round(said, kind, end, standing) | {"round": int(found[1])}
    return _of_round(said, kind, end, standing) if kind in OF_ROUNDS else _other(said, kind, end, standing)


def _kind(said: Line, place: int, kinds: Mapping[str, str]) -> tuple[str, int]:
    """Return what kind of event the words at a place tell, and where they end; "" if they tell none."""
    last = LAST if kinds is SAID_OF else r"\b[\s:]*"
    for pattern, kind in kinds.items():
        found = re.compile(rf"\s*(?:{pattern}){last}", re.IGNORECASE).match(said.text, place)
        if found:
            return kind, found.end()
    return "", place


def _of_round(said: Line, kind: str, place: int, standing: Sequence[str]) -> Event:
    """Return what a line tells of a round."""
    if kind == "confirm":
        words, example = ANSWER_WORDS | PAPER_WORDS, EVENTS["confirm"]
        return _answer(said.counts(place, ("yes", "no"), words, example=example))
    if kind == "inconclusive":
        return {"event": kind} | _figures(said.counts(place, standing, PAPER_WORDS, least=0))
    told = _tally(said, place, standing)
    return told | {"event": kind} if kind == "correct" else told


def _other(said: Line, kind: str, place: int, standing: Sequence[str]) -> Event:
    """Return what a line tells that is no round, or a tally without a first word."""
    if kind in ("elect", "withdraw", "eliminate"):
        name, end = said.name(place, EVENTS[kind])
        return {"event": kind, "name": name, "at": said.when(end)}
    if kind == "adjourn":
        found = re.fullmatch(r"until\s+(.+)", said.text[place:], re.IGNORECASE)
        if found is None:
            raise AnnouncementError(f"cannot read {quote(said.text)}; write for instance {quote(EVENTS['adjourn'])}")
        return {"event": kind, "until": found[1]}
    if kind:
        return {"event": kind, "at": said.when(place)}
    for pattern in SAID_OF:
        if found := re.match(rf"(?!\d)(.+?)\s+(?:{pattern}){LAST}", said.text, re.IGNORECASE):
            raise newcomer(found[1], said.names)
    if not re.search(r"\d", said.text):
        raise AnnouncementError(
            f"cannot read {quote(said.text)}; there are {', '.join(EVENTS)}, such as {quote(EXAMPLE)}"
        )
    return _tally(said, place, standing)


def _tally(said: Line, place: int, standing: Sequence[str]) -> Event:
    """Return the tally that stands at a place, of candidates or of yes and no."""
    counts = said.counts(place, standing, ANSWER_WORDS | PAPER_WORDS)
    return _answer(counts) if {"yes", "no"} & counts.papers.keys() else {"event": "announce"} | _figures(counts)


def _answer(counts: Counts) -> Event:
    """Return the event of a yes/no round."""
    told = counts.votes | counts.papers
    if not {"yes", "no"} <= told.keys() or counts.votes.keys() - {"yes", "no"}:
        raise AnnouncementError(YES_AND_NO)
    return {"event": "confirm", "yes": told.pop("yes"), "no": told.pop("no"), "at": counts.at} | told


def _figures(counts: Counts) -> Event:
    return {"votes": counts.votes, "valid": counts.papers.pop("valid", None), "at": counts.at} | counts.papers
