"""Events of an election day in words, read and said."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from iomsim.errors import AnnouncementError, quote
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
        raise AnnouncementError(f"which round? write for instance {quote(EVENTS['correct'])}")
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
        raise AnnouncementError(f"a vote on one alone has yes and no; write for instance {quote(EVENTS['confirm'])}")
    return {"event": "confirm", "yes": told.pop("yes"), "no": told.pop("no"), "at": counts.at} | told


def _figures(counts: Counts) -> Event:
    return {"votes": counts.votes, "valid": counts.papers.pop("valid", None), "at": counts.at} | counts.papers
