"""The table of facts, and the files that ship with the library."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from io import StringIO

import pandas as pd

from iomsim.errors import UnknownNameError, nearest, quote, unknown

SHIPPED = "iomsim.seeds"
DICTIONARY = "columns"
"""The file beside the member tables that says what their columns mean."""

ALIASES = "aliases"
"""The file beside them that says what states are called."""

PUBLISHED = ("pre", "day", "post")
"""When the text of a fact appeared: before the vote, on the day after its first ballot, later."""


def shipped_names(folder: str, suffix: str) -> list[str]:
    """Return the names of the shipped files of one kind, without their suffix; what explains tables is none of them."""
    entries = (files(SHIPPED) / folder).iterdir()
    names = sorted(entry.name.removesuffix(suffix) for entry in entries if entry.name.endswith(suffix))
    return [name for name in names if folder != "members" or name not in (DICTIONARY, ALIASES)]


def shipped_folders(folder: str) -> list[str]:
    """Return the names of the shipped folders of one kind."""
    return sorted(
        entry.name for entry in (files(SHIPPED) / folder).iterdir() if entry.is_dir() and entry.name[0] != "_"
    )


def shipped_text(folder: str, name: str, suffix: str, kind: str) -> str:
    """Return the text of a shipped file.

    Raises
    ------
    UnknownNameError
        If nothing of this name is shipped; the nearest name is given.
    """
    names = shipped_names(folder, suffix)
    if name not in names:
        raise unknown(kind, name, names)
    return (files(SHIPPED) / folder / (name + suffix)).read_text(encoding="utf-8")


@cache
def shipped_texts(index: str, *place: str) -> pd.DataFrame:
    """Return a shipped csv with all its cells as texts, by one of its columns; it is read once, and not to be changed.

    Examples
    --------
    >>> shipped_texts("id", "facts.csv").loc["opening-hour", "value"]
    '9'
    """
    text = files(SHIPPED).joinpath(*place).read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), dtype=str, keep_default_na=False).set_index(index)


def _facts() -> pd.DataFrame:
    return shipped_texts("id", "facts.csv")


def facts() -> pd.DataFrame:
    """Return the facts of the shipped scenarios, and what became known too late for them.

    Returns
    -------
    DataFrame
        By `id`: `statement`, `value` and `unit` if it is a number, `grade` ("verified": read in the source;
        "inferred" from it; "recalled" from memory; "assumed"), `source`, `as_of`, the date on which it was known, and
        `published`: whether the text that it rests on appeared

        * "pre": before the first ballot of the vote,
        * "day": on the day of the vote, after that ballot, or
        * "post": later.

        The vote is that of Geneva on Monday 15 May 2023, and for the facts whose id begins with "iom-2018" that of
        29 June 2018.  Only "pre" enters a scenario.  News of 15 May that tell what is to come appeared on that
        morning, before the vote began: they are "pre", and as of the 14th, of which they report.  What the library
        measured on past contests itself is "pre" too: the contest of Geneva is held out, though one of the some fifty
        contests (African Union, February 2025) is younger.

    Examples
    --------
    >>> table = facts()
    >>> table.loc["opening-hour", ["value", "grade", "published"]].tolist()
    ['9', 'verified', 'pre']
    >>> table.index[table["published"] == "post"].tolist()
    ['us-funding', 'three-then-alone']
    """
    return _facts().copy()


def cited(source: str) -> list[str]:
    """Return the fact ids that a parameter's source names, if it names any.

    Examples
    --------
    >>> cited("because nobody knows"), cited("eu-27, oif-47")
    ([], ['eu-27', 'oif-47'])
    """
    ids = _parts(source)
    return ids if all(part in _facts().index for part in ids) else []


def statements(source: str) -> list[str]:
    """Return what the facts that a source names say.

    Examples
    --------
    >>> statements("because nobody knows"), len(statements("eu-27, oif-47"))
    ([], 2)
    """
    return [str(_facts().loc[i, "statement"]) for i in cited(source)]


def published(source: str) -> str:
    """Return the latest time at which a fact that a source names was published; "" if it names none.

    Examples
    --------
    >>> published("eu-27, oif-47"), published("eu-27, three-then-alone"), published("because nobody knows")
    ('pre', 'post', '')
    """
    when = [str(_facts().loc[i, "published"]) for i in cited(source)]
    return max(when, key=PUBLISHED.index, default="")


def check(what: str, source: str) -> None:
    """Refuse a source that means to name facts, but misspells one.

    Where one part between commas is a fact, the others must be too; and a part that is one word and
    looks very much like a fact is taken for a misspelt one.

    Raises
    ------
    UnknownNameError
        With the nearest fact.
    """
    ids = _parts(source)
    table = _facts().index
    meant = any(part in table for part in ids) or all(_misspelt(part) for part in ids)
    for part in ids:
        if meant and part not in table:
            known(f"the source of {what}", part)


def known(what: str, fact: str) -> None:
    """Refuse the id of a fact that is not in the table."""
    if fact not in _facts().index:
        close = nearest(fact, _facts().index)
        hint = f"did you mean {quote(close)}?" if close else "name facts only, or give a reason without one"
        raise UnknownNameError(f"{what} names no fact: {quote(fact)}; {hint}")


def _parts(source: str) -> list[str]:
    return [part.strip() for part in source.split(",")]


@cache
def _misspelt(word: str) -> bool:
    return " " not in word and bool(get_close_matches(word, _facts().index, n=1, cutoff=0.85))
