"""Words that fit: names cut short, sentences broken into lines."""

from __future__ import annotations

from textwrap import fill, shorten


def balanced(text: str) -> str:
    r"""Return the text in as many lines, of about the same length.

    Examples
    --------
    >>> balanced("nobody wins in three of a hundred\nelections")
    'nobody wins in three\nof a hundred elections'
    """
    words, breaks = text.replace("\n", " "), text.count("\n")
    widths = range(max(len(words) // (breaks + 1), 1), len(words) + 1)
    tries = (fill(words, width, break_on_hyphens=False) for width in widths)
    return next((lines for lines in tries if lines.count("\n") <= breaks), text)


def short(name: str, width: int = 18, lines: int = 1) -> str:
    """Return a name broken into a few lines, the rest left out.

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


def short_parameter(name: str, width: int = 40) -> str:
    """Return the name of a parameter with whose it is cut short, never what it is.

    Examples
    --------
    >>> short_parameter("Wilhelmina Featherstonehaugh-Cholmondeley's appeal", 30)
    "Wilhelmina …'s appeal"
    """
    whose, of, what = name.rpartition("'s ")
    room = width - len(of + what)
    return f"{short(whose, room)}{of}{what}" if whose and room >= 8 else short(name, width)


def columns(words: list[str], points: float) -> int:
    """Return in how many columns small words fit into a width, filled column by column.

    Examples
    --------
    >>> columns(["one", "two", "three"], 400), columns(["one", "two", "three"], 80)
    (3, 1)
    """
    for across in range(len(words), 1, -1):
        deep = -(-len(words) // across)
        longest = [max(map(len, words[first : first + deep])) for first in range(0, len(words), deep)]
        if sum(4.2 * letters + 24 for letters in longest) <= points:
            return across
    return 1
