"""The words of charts: names cut short, sentences broken into lines, and what has been announced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import fill, shorten
from unicodedata import combining, east_asian_width

import numpy as np
import pandas as pd

from iomsim.engine.clock import DAY_NAMES
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.wording import over, points
from iomsim.house_style import percent

DASH = "\N{EN DASH}"

IN_TITLES = 28
"""Letters of a candidate's name in a title."""

NONE = "none"
"""The group, in shipped tables, of those who are of no group."""

COLUMN_IS = re.compile(r"'\w+=([A-Za-z][^' ]*)'")
"""Whom a parameter is about, where that is one word in a column."""

JOINING = ("and", "e", "of", "the", "und", "y", "&")
"""Words with which what is left of a name does not begin."""

# -- words that fit ------------------------------------------------------------------------------


def short(name: str, width: int = 18, lines: int = 1) -> str:
    """Return a text broken into a few lines, the rest left out; of candidates see :func:`short_names`.

    Examples
    --------
    >>> short("Amy Pope"), short("Wilhelmina Featherstonehaugh-Cholmondeley", 14)
    ('Amy Pope', 'Wilhelmina …')
    """
    if lines > 1:
        tries = (fill(short(name, room), width) for room in range(width * lines - lines, width - 1, -1))
        return next(text for text in tries if text.count("\n") < lines)
    cut = shorten(name, width, placeholder=" …").strip()
    return cut if cut != "…" else f"{name[: width - 1]}…"


def short_names(names: Sequence[str], width: int = 18, lines: int = 1) -> dict[str, str]:
    """Return what candidates are called where there is no room: by their last names, each of them differently.

    As much of the end of a name as fits is kept; who would be called the same has the first name's beginning before
    it.  Letters that are twice as wide count twice.

    Examples
    --------
    >>> short_names(["Amy Pope", "Ngozi Okonjo-Iweala"])
    {'Amy Pope': 'Amy Pope', 'Ngozi Okonjo-Iweala': 'Okonjo-Iweala'}
    >>> list(short_names(["Wilhelmina Featherstonehaugh", "Wolfgang Featherstonehaugh"], 20).values())
    ['Wi. Featherstonehau…', 'Wo. Featherstonehau…']
    """
    if lines > 1:
        rooms = range(width * lines - lines, width - 1, -1)
        tries = [{name: fill(called, width) for name, called in short_names(names, room).items()} for room in rooms]
        return {name: next(found[name] for found in tries if found[name].count("\n") < lines) for name in names}
    called = {name: _end_of(name, width) for name in names}
    alike = [name for name in names if called[name] != name and list(called.values()).count(called[name]) > 1]
    rest = {called[name] for name in names if name not in alike}
    all_told = zip(*(_told_apart(name, width, at) for at, name in enumerate(alike, start=1)), strict=True)
    apart = (told for told in all_told if len({*told} - rest) == len(alike))
    return called | dict(zip(alike, next(apart, ()), strict=False))


def called_short(text: str, names: Sequence[str], width: int = IN_TITLES) -> str:
    """Return a text in which candidates are called as they are where there is no room: see :func:`short_names`.

    Examples
    --------
    >>> called_short("Ngozi Okonjo-Iweala's appeal", ["Amy Pope", "Ngozi Okonjo-Iweala"], 18)
    "Okonjo-Iweala's appeal"
    """
    for name, called in sorted(short_names(names, width).items(), key=lambda pair: -len(pair[0])):
        text = text.replace(name, called)
    return text


def of_group(name: str) -> str:
    """Return how a group is named in a list; the shipped tables have "none" for members of no group.

    Examples
    --------
    >>> of_group("African"), of_group("none")
    ('African', 'No group')
    """
    return "No group" if name == NONE else name


def _end_of(name: str, width: int) -> str:
    """Return the name, or as many of its last words as fit, or the beginning of its last word."""
    words = name.split()
    tails = [" ".join(words[first:]) for first in range(len(words)) if first == 0 or words[first] not in JOINING]
    fitting = (tail for tail in [name, *tails] if letters(tail) <= width)
    return next(fitting, "") or _cut(words[-1] if words else name, width)


def _told_apart(name: str, width: int, at: int) -> Iterator[str]:
    """Yield shorter names that begin with more and more of the first one; at last they are numbered."""
    first, last = name.split()[0], name.split()[-1]
    for kept in range(1, max(width - 6, 2)):
        start = f"{first[:kept]}. " if kept < len(first) else f"{first} "
        yield f"{start}{_end_of(last, max(width - letters(start), 2))}" if first != last else _cut(name, width)
    yield f"{_end_of(last, width - letters(f' {at}'))} {at}"


def _cut(word: str, width: int) -> str:
    """Return as much of the beginning of a word as fits."""
    return next(f"{word[:kept]}…" for kept in range(len(word) - 1, -1, -1) if letters(word[:kept]) < width)


def letters(text: str) -> int:
    """Return how many letters wide a text is; Chinese, Japanese and Korean ones are as wide as two.

    Examples
    --------
    >>> letters("Amy Pope"), letters("\N{CJK UNIFIED IDEOGRAPH-738B}\N{CJK UNIFIED IDEOGRAPH-6BC5}")
    (8, 4)
    """
    return sum(2 if east_asian_width(letter) in "WF" else not combining(letter) for letter in text)


def short_parameter(name: str, width: int = 40, lines: int = 1) -> str:
    """Return the name of a parameter, in a few lines, with whose it is cut short, never what it is.

    Examples
    --------
    >>> short_parameter("Wilhelmina Featherstonehaugh-Cholmondeley's appeal", 30)
    "Wilhelmina …'s appeal"
    >>> short_parameter("exposure of 'un_regional_group=GRULAC' to Brussels")
    'exposure of GRULAC to Brussels'
    """
    name = COLUMN_IS.sub(r"\1", name)
    if lines > 1:
        rooms = range(width * lines - lines, width - 1, -1)
        return next(text for room in rooms if (text := fill(short_parameter(name, room), width)).count("\n") < lines)
    whose, of, what = name.rpartition("'s ")
    room = width - len(of + what)
    return f"{short(whose, room)}{of}{what}" if whose and room >= 8 else short(name, width)


def columns(widths: Sequence[float], room: float) -> int:
    """Return in how many columns marks with words beside them fit into a room, filled column by column.

    Parameters
    ----------
    widths : sequence of float
        Those of the words, in the sizes of their letters; a mark and the gaps around it take three.
    room : float
        The width that there is, in the same unit.

    Examples
    --------
    >>> columns([2, 2, 3], 40), columns([2, 2, 3], 9)
    (3, 1)
    >>> columns([2, 2, 3, 2], 14)  # three columns are of two, one and one
    2
    """
    for across in range(len(widths), 1, -1):
        if sum(max(part) + 3 for part in np.array_split(np.asarray(widths), across)) <= room:
            return across
    return 1


def whole_parts(parts: Sequence[float] | pd.Series) -> list[int]:
    """Return parts as whole numbers that add up to their sum: those with the largest remainders are rounded up.

    Examples
    --------
    >>> whole_parts([9.5, 9.5]), whole_parts([10.4, 10.4, 4.3]), whole_parts([])
    ([10, 9], [11, 10, 4], [])
    """
    values = np.asarray(parts, dtype=float)
    floors = np.floor(values)
    left = round(float(values.sum())) - int(floors.sum())
    floors[np.argsort(floors - values, kind="stable")[:left]] += 1
    return [int(part) for part in floors]


# -- what has been announced ---------------------------------------------------------------------


def tally(fc: Forecast, round_: int) -> dict[str, int] | None:
    """Return the votes announced for a round, or None where they are not known in full.

    The announced rounds are the same in every run as far as they are known; what was announced in
    part ("at least 90") differs from run to run.
    """
    if round_ > fc.announced:
        return None
    rows = fc.summary.examples.votes[fc.summary.examples.starts + round_ - 1]
    classes = np.count_nonzero(fc.summary.shares[round_ - 1], axis=-1)
    if (rows != rows[0]).any() or (classes > 1).any():
        return None
    return {name: int(votes) for name, votes in zip(fc.race.names, rows[0], strict=True) if votes >= 0}


def tally_text(fc: Forecast, round_: int) -> str:
    """Return the tally of an announced round, such as 98-67 with a dash, or the number of the round."""
    known = tally(fc, round_)
    return f"round {round_}" if known is None else DASH.join(map(str, known.values()))


def announced_votes(fc: Forecast, rounds: int) -> dict[str, list[str]]:
    """Return for each candidate the votes announced in each of the first rounds, "" where unknown."""
    known = [tally(fc, r) or {} for r in range(1, rounds + 1)]
    return {name: [str(votes.get(name, "")) for votes in known] for name in fc.race.names if rounds}


def with_announced(fc: Forecast, sentence: str) -> str:
    """Return a finding, after what was announced if something was; or how it ended, if it has."""
    if told := over(fc).removesuffix("."):
        return told
    if not fc.announced:
        return sentence
    named = sentence.startswith((*fc.race.names, *short_names(fc.race.names, IN_TITLES).values(), *DAY_NAMES))
    rest = sentence if named else sentence[:1].lower() + sentence[1:]
    return f"After {tally_text(fc, fc.announced)}{',' * sentence[:1].isdigit()} {rest}"


# -- how sure ------------------------------------------------------------------------------------


def how_sure(fc: Forecast, table: pd.DataFrame, lines: str = "Thin lines") -> str:
    """Return that the lines of a chart are the range over the assumptions.

    Where there is no range, it says why, and how large the simulation error is.  Nothing where all is certain.

    Parameters
    ----------
    fc : Forecast
        What is drawn.
    table : DataFrame
        The chances that are drawn, with their range `low` to `high` and their `mc_error`.
    lines : str
        What the range is drawn as.
    """
    unsure = table[table["mc_error"] > 0]
    if unsure.empty:
        return ""
    if unsure["low"].notna().any():
        return f"{lines}: the middle {percent(80)} over the assumptions."
    error = f"simulation error at most {points(float(unsure['mc_error'].max()))} ({percent(95)})"
    if fc.summary.draws:
        return f"Too few runs for the range over the assumptions; {error}."
    return f"On the best guesses; {error}."


def on_best_guesses(fc: Forecast) -> str:
    """Return that a chart that shows no range is one of the best guesses, if it is; else nothing."""
    return "" if fc.summary.draws or fc.certain else " On the best guesses."


def chance(fc: Forecast, p: float) -> str:
    """Return a probability per hundred; 0 and 100 only by rule: what is certain has no error at all."""
    return f"{100 * p:.0f}" if fc.certain else in_100(p)


def left_in_100(p: float) -> str:
    """Return how many elections of 100 are left, "all" and none told apart from nearly so."""
    return "all" if p == 1 else in_100(p) if p else DASH
