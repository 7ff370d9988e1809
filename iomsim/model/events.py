"""Events of an election day in words, read and said."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from iomsim.errors import AnnouncementError, unknown

Event = dict[str, Any]

EVENTS = {
    "announce": "announce Pope=98 Vitorino=67 at 12:20",
    "withdraw": "withdraw Vitorino at 16:30",
    "eliminate": "eliminate Vitorino",
    "confirm": "confirm yes=110 no=40 at 18:00",
    "go on": "go on",
    "adjourn": "adjourn until 15:00",
    "undo": "undo",
}
"""What can happen, each with a line that says it."""


def say(event: Mapping[str, Any]) -> str:
    """Return an event as the line that :func:`event_of` understands.

    Examples
    --------
    >>> say({"event": "announce", "votes": {"Pope": 98, "Vitorino": "at least 60"}, "valid": 165, "at": "12:20"})
    'announce Pope=98 Vitorino>=60 valid=165 at 12:20'
    """
    kind = event["event"]
    votes = " ".join(f"{name}{_sign(value)}" for name, value in (event.get("votes") or {}).items() if value is not None)
    papers = f"valid={event['valid']}" if event.get("valid") is not None else ""
    answer = f"yes={event['yes']} no={event['no']}" if kind == "confirm" else ""
    until = f"until {event['until']}" if kind == "adjourn" else ""
    at = f"at {event['at']}" if event.get("at") is not None else ""
    return " ".join(filter(None, [kind, event.get("name"), votes, papers, answer, until, at]))


def events_digest(events: Sequence[Mapping[str, Any]]) -> str:
    """Return a short name for a sequence of events, the same wherever they are the same."""
    return hashlib.sha256("\n".join(map(say, events)).encode()).hexdigest()[:6]


def in_words(event: Mapping[str, Any]) -> str:
    """Return an event as one would tell it.

    Examples
    --------
    >>> in_words({"event": "announce", "votes": {"Pope": 98, "Vitorino": "at least 60"}})
    'Pope 98, Vitorino at least 60'
    """
    told = [f"{name} {value}" for name, value in (event.get("votes") or {}).items() if value is not None]
    told += [f"{event.get('valid')} valid papers"] * (event.get("valid") is not None)
    return {
        "announce": ", ".join(told),
        "withdraw": f"{event.get('name')} withdraws",
        "eliminate": f"{event.get('name')} is out",
        "confirm": f"{event.get('yes')} yes, {event.get('no')} no",
        "go on": "voting goes on",
        "adjourn": f"adjourned until {event.get('until')}",
    }[event["event"]]


def _sign(value: Any) -> str:
    text = str(value).replace("at least", ">=").replace("at most", "<=").replace(" ", "")
    return text if text[0] in "<>" else f"={text}"


def event_of(line: str, names: Sequence[str], standing: Sequence[str] | None = None) -> Event:
    """Return the event that a line says, as :meth:`iomsim.election_day.election_day.ElectionDay.apply` takes it.

    Parameters
    ----------
    line : str
        For instance ``announce Pope=98 Vitorino=67 at 12:20`` (the first word may be left out),
        ``98-67 at 12:20`` (in the order of the candidates), ``Pope at least 90 valid=165``,
        ``withdraw Vitorino at 16:30``, ``eliminate Isaacs``, ``confirm yes=86 no=57``, ``go on``,
        ``adjourn until Tuesday 10:00``, ``undo``.
    names : sequence of str
        The candidates.
    standing : sequence of str, optional
        Those to whom bare numbers belong; default: all.

    Raises
    ------
    AnnouncementError, UnknownNameError
        If the line says nothing that can be understood.

    Examples
    --------
    >>> event_of("98-67 at 12:20", ["Pope", "Vitorino"])
    {'event': 'announce', 'votes': {'Pope': 98, 'Vitorino': 67}, 'valid': None, 'at': '12:20'}
    >>> event_of("withdraw Vitorino", ["Pope", "Vitorino"])
    {'event': 'withdraw', 'name': 'Vitorino', 'at': None}
    """
    text, at = _cut(line.strip(), r"\s+at\s+(?!least|most)")
    text, until = _cut(text, r"\s+until\s+")
    kind, rest = _kind(text)
    if (until is None) == (kind == "adjourn"):
        raise AnnouncementError(f"cannot read {line!r}; write for instance {EVENTS['adjourn']!r}")
    if kind == "announce":
        votes, valid = _votes(rest, names, names if standing is None else standing)
        return {"event": kind, "votes": votes, "valid": valid, "at": at}
    if kind in ("withdraw", "eliminate"):
        return {"event": kind, "name": _candidate(rest, names), "at": at}
    if kind == "confirm":
        found = re.fullmatch(r"(?:yes\s*=?\s*)?(\d+)[\s,\u2013-]*(?:no\s*=?\s*)?(\d+)", rest)
        if found is None:
            raise AnnouncementError(f"cannot read {line!r}; write for instance {EVENTS['confirm']!r}")
        return {"event": kind, "yes": int(found[1]), "no": int(found[2]), "at": at}
    if rest:
        raise AnnouncementError(f"cannot read {rest!r} after {kind!r}")
    return {"event": kind, "until": until} if kind == "adjourn" else {"event": kind, "at": at}


def _cut(text: str, before: str) -> tuple[str, str | None]:
    head, *tail = re.split(before, text, maxsplit=1)
    return head, tail[0].strip() if tail else None


KINDS = {
    r"announce[sd]?|tally": "announce",
    r"withdraws?|withdrawn": "withdraw",
    r"eliminated?|out": "eliminate",
    r"confirm(?:ed|ation)?": "confirm",
    r"go(?:es)? on|continue[sd]?": "go on",
    r"adjourn(?:ed)?": "adjourn",
    r"undo": "undo",
}


def _kind(text: str) -> tuple[str, str]:
    for pattern, kind in KINDS.items():
        found = re.match(rf"(?:{pattern})\b\s*", text, re.IGNORECASE)
        if found:
            return kind, text[found.end() :]
    if not re.search(r"\d", text):
        raise AnnouncementError(f"cannot read {text!r}; there are {', '.join(EVENTS)}, such as {EVENTS['announce']!r}")
    return "announce", text


def _candidate(text: str, names: Sequence[str]) -> str:
    by_fold = {name.casefold(): name for name in names}
    if not text.strip():
        raise AnnouncementError(f"who? write for instance {EVENTS['withdraw']!r}")
    if text.strip().casefold() not in by_fold:
        raise unknown("candidate", text.strip(), names)
    return by_fold[text.strip().casefold()]


COUNT = re.compile(r"[\s,]*(?P<name>\S.*?)\s*(?P<sign>>=|<=|=|\bat least\b|\bat most\b|\s)\s*(?P<count>\d+)(?=[\s,]|$)")


def _votes(text: str, names: Sequence[str], standing: Sequence[str]) -> tuple[dict[str, Any], int | None]:
    if re.fullmatch(r"\d+(?:\s*(?:[-\u2013:]|to)\s*\d+)+", text.strip()):
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        if len(numbers) != len(standing):
            raise AnnouncementError(f"{len(numbers)} numbers for {len(standing)} candidates; write whose they are")
        return dict(zip(standing, numbers, strict=True)), None
    votes: dict[str, Any] = {}
    place = 0
    for found in COUNT.finditer(text):
        if found.start() != place:
            break
        place, count = found.end(), int(found["count"])
        least = {">=": "at least ", "at least": "at least ", "<=": "at most ", "at most": "at most "}.get(found["sign"])
        papers = found["name"].casefold() == "valid" and least is None
        name = "valid" if papers else _candidate(found["name"], names)
        if name in votes:
            raise AnnouncementError(f"{name} stands twice in {text.strip()!r}; write it once")
        votes[name] = f"{least}{count}" if least else count
    if text[place:].strip(" ,") or not place:
        raise AnnouncementError(f"cannot read {text[place:].strip()!r}; write for instance {EVENTS['announce']!r}")
    return votes, votes.pop("valid", None)
