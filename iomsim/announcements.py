"""What can be announced of an election day, read and checked: events, votes, bounds, papers, times."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from iomsim.arrays import Flags, Longs
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

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


# -- a tally -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tally:
    """Bounds on every candidate's votes, and the valid papers if they are known.

    Attributes
    ----------
    names : tuple of str
        The candidates.
    low, high : ndarrays of int, shape (K,)
        Bounds; equal where the votes are known, and 0 for who does not stand.
    valid : int or None
        Valid papers.
    """

    names: tuple[str, ...]
    low: Longs
    high: Longs
    valid: int | None


def tally_of(votes: Mapping[str, Any], valid: Any, names: tuple[str, ...], standing: Flags, entitled: int) -> Tally:
    """Return the tally that was announced, with bounds on what was not.

    Raises
    ------
    AnnouncementError, UnknownNameError
        If it names nobody's candidate, is negative, or counts more papers than there are members.

    Examples
    --------
    >>> tally = tally_of({"A": 98, "B": "at least 60"}, None, ("A", "B"), np.array([True, True]), 175)
    >>> tally.low.tolist(), tally.high.tolist()
    ([98, 60], [98, 77])
    """
    low, high = np.zeros(len(names), dtype=np.int64), np.where(standing, entitled, 0)
    told = {name: value for name, value in votes.items() if value is not None}
    for name, value in told.items():
        k = _place(name, names)
        if not standing[k]:
            raise AnnouncementError(f"{name} does not stand any more and cannot get votes")
        low[k], high[k] = _bounds(name, value, entitled)
    if low.sum() > entitled:
        raise AnnouncementError(f"{low.sum()} votes are more than the {entitled} members with a vote")
    whole = _papers(valid, low, high, entitled)
    if not told and whole is None:
        raise AnnouncementError("nothing was announced; give votes by candidate, or valid=")
    room = entitled if whole is None else whole
    for own in np.flatnonzero(standing):
        others = np.arange(len(names)) != own
        high[own] = min(high[own], room - low[others].sum())
        low[own] = low[own] if whole is None else max(low[own], whole - high[others].sum())
    return Tally(names, low, high, whole)


def _place(name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise unknown("candidate", name, names)
    return names.index(name)


def _bounds(name: str, value: Any, entitled: int) -> tuple[int, int]:
    found = re.fullmatch(r"(?:(at least|>=|at most|<=)\s*)?(\d+)", str(value).strip())
    if found is None or isinstance(value, bool):
        raise AnnouncementError(f"votes for {name} must be a whole number or 'at least 90', got {value!r}")
    bound, number = found[1], int(found[2])
    if number > entitled:
        raise AnnouncementError(f"{name} cannot have {number} votes: only {entitled} members have a vote")
    return (0 if bound in ("at most", "<=") else number), (entitled if bound in ("at least", ">=") else number)


def _papers(valid: Any, low: Longs, high: Longs, entitled: int) -> int | None:
    """Return the number of valid papers: as announced, or the sum of the votes if all are known."""
    if valid is None:
        return int(low.sum()) if (low == high).all() else None
    if isinstance(valid, bool) or not isinstance(valid, (int, np.integer)) or valid < 0:
        raise AnnouncementError(f"valid must be a whole number of papers, got {valid!r}")
    if valid > entitled:
        raise AnnouncementError(f"{valid} papers are more than the {entitled} members with a vote")
    if not low.sum() <= valid <= high.sum():
        few = "at least " * bool((low < high).any()) if valid < low.sum() else "at most "
        total = low.sum() if valid < low.sum() else high.sum()
        few = "" if (low == high).all() else few
        raise AnnouncementError(f"the votes add up to {few}{total}, but {valid} valid papers were announced")
    return int(valid)


# -- a moment ------------------------------------------------------------------------------------


def moment_of(at: Any, opens: datetime, last: float | None) -> float:
    """Return a moment in minutes since midnight of the opening date.

    A bare "12:20" is on the day of the last event (or of the opening); "Tuesday 10:00" is on that day
    or the next of its name.

    Raises
    ------
    AnnouncementError
        If it cannot be read, or lies before the opening or before the last event.

    Examples
    --------
    >>> moment_of("12:20", datetime(2023, 5, 15, 10), None)
    740.0
    """
    midnight = datetime.combine(opens.date(), time())
    today = midnight + timedelta(days=0 if last is None else last // (24 * 60))
    moment = _read(at, today)
    minute = (moment - midnight).total_seconds() / 60
    if moment < opens:
        raise AnnouncementError(f"{moment:%A %H:%M} is before the opening on {opens:%A %H:%M}")
    if last is not None and minute < last:
        before = midnight + timedelta(minutes=last)
        raise AnnouncementError(
            f"{moment:%A %H:%M} is before the last event on {before:%A %H:%M}; write the date for another day"
        )
    return minute


def _read(at: Any, today: datetime) -> datetime:
    """Return a moment from a time, a weekday and a time, or a date and a time."""
    day, _, hour = str(at).strip().rpartition(" ")
    try:
        if not day and ":" in hour and "-" not in hour:
            return datetime.combine(today.date(), time.fromisoformat(hour))
        if len(day) >= 3 and day.isalpha():
            [weekday] = [i for i, name in enumerate(WEEKDAYS) if name.startswith(day.casefold())]
            ahead = timedelta(days=(weekday - today.weekday()) % 7)
            return datetime.combine(today.date() + ahead, time.fromisoformat(hour))
        moment = datetime.fromisoformat(str(at))
    except ValueError:
        raise AnnouncementError(f"no time {at!r}; write '12:20', 'Tuesday 10:30' or '2023-05-16 10:30'") from None
    if moment.tzinfo is not None:
        raise AnnouncementError(f"times are local, without an offset; got {at!r}")
    return moment


# -- events in words -----------------------------------------------------------------------------


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
    """Return the event that a line says, as :meth:`iomsim.live.night.Night.apply` takes it.

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
    valid, place = None, 0
    for found in COUNT.finditer(text):
        if found.start() != place:
            break
        place, count = found.end(), int(found["count"])
        least = {">=": "at least ", "at least": "at least ", "<=": "at most ", "at most": "at most "}.get(found["sign"])
        if found["name"].casefold() == "valid" and least is None:
            valid = count
        else:
            votes[_candidate(found["name"], names)] = f"{least}{count}" if least else count
    if text[place:].strip(" ,") or not place:
        raise AnnouncementError(f"cannot read {text[place:].strip()!r}; write for instance {EVENTS['announce']!r}")
    return votes, valid
