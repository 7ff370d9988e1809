"""Files that show whether they were changed: text in parts, a hash of each, and a checksum in the last line.

What a hash can prove is little, and worth saying.  Whoever changes the file can compute a new checksum and write it
into the last line: a sealed file alone proves nothing.  It is the checksum *published* on the day - in a message, a
newspaper, with a notary, its first twelve digits will do - that ties the file to that day.  Then nobody, its author
least of all, can say later that the forecast had been another one.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from textwrap import fill
from typing import Any

import tomli_w

from iomsim.errors import FileError, quote
from iomsim.house_style import NO_BREAK

SHORT = 12
"""Digits of a checksum that are printed and published: 48 bits."""

SIGNS = 100
"""Letters in a line of a long text."""

LAST = re.compile(r'checksum = "([0-9a-f]{64})"\n')

CHANGED = "was changed after it was sealed"


def digest(text: str | bytes) -> str:
    """Return the SHA-256 of a text, as ``sha256sum`` prints it."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def sealed(head: str, parts: Mapping[str, str]) -> str:
    """Return the text of a sealed file: a comment, the parts under a line each, their hashes, the checksum.

    Examples
    --------
    >>> text = sealed("# Nothing but an example.", {"all": "answer = 42"})
    >>> text.splitlines()[-1][:12], unseal(text.encode(), "x") == text
    ('checksum = "', True)
    """
    body = f"{head}\n" + "".join(f"{_line(name)}{text}\n\n" for name, text in parts.items())
    hashes = {name: digest(part)[:SHORT] for name, part in _apart(body, parts).items()}
    body += f"{_line('seal')}[seal]\nparts = {row(hashes)}\n"
    return f'{body}checksum = "{digest(body)}"\n'


def unseal(raw: bytes, where: str) -> str:
    """Return the text of a sealed file, if nothing in it was changed.

    Raises
    ------
    FileError
        If it was, naming the first part that does not agree; or if it is no sealed file.
    """
    text = raw.decode("utf-8", errors="replace")
    if _agrees(raw) and text.encode() == raw:
        return text
    if _agrees(raw.replace(b"\r\n", b"\n").rstrip() + b"\n"):
        raise FileError(f"{where} {CHANGED}: only its line ends were; write it with \\n at every end, and no more")
    if _line("seal") not in text:
        raise FileError(f"{where} is damaged or is no registration: a line '# == seal ==' is missing")
    above, _, last = text.removesuffix("\n").rpartition("\n")
    found = LAST.fullmatch(f"{last}\n")
    if found is None:
        raise FileError(f"{where} {CHANGED}: its last line is not the checksum")
    raise FileError(f"{where} {CHANGED}: {_what(above + chr(10), found[1])}")


def _agrees(raw: bytes) -> bool:
    """Return whether the last line holds the checksum of those above it."""
    body, newline, last = raw.removesuffix(b"\n").rpartition(b"\n")
    return raw.endswith(b"\n") and last == b'checksum = "%s"' % digest(body + newline).encode()


def _what(body: str, said: str) -> str:
    """Return which part does not agree with its hash."""
    content, _, seal = body.partition(_line("seal"))
    stated = dict(re.findall(r'(\w+) = "([0-9a-f]{12})"', seal))
    for name, part in _apart(content, stated).items():
        if digest(part)[:SHORT] != stated[name]:
            return f"the first part that does not agree with its hash is {quote(name)}"
    return f"its checksum says {said[:SHORT]}, and the content has {digest(body)[:SHORT]}"


def _line(name: str) -> str:
    return f"# == {name} ==\n"


def _apart(body: str, names: Iterable[str]) -> dict[str, str]:
    """Return the text above each part's line and below it, the comment at the beginning with the first part."""
    parts, rest = {}, body
    names = list(names)
    for name, following in zip(names, [*names[1:], None], strict=False):
        own, line, rest = rest.partition(_line(following)) if following else (rest, "", "")
        parts[name] = own + line
    return parts


# -- how it is written -----------------------------------------------------------------------------


def value(given: Any) -> str:
    r"""Return a value as TOML writes it: numbers in six digits after the point, texts on one line.

    Examples
    --------
    >>> value(0.1234567), value("a\nb"), value(["x"]), value({"a": 1, "b": math.nan})
    ('0.123457', '"a\\nb"', '[\n    "x",\n]', '{ a = 1 }')
    """
    if isinstance(given, Mapping):
        return row(given)
    if isinstance(given, (list, tuple)):
        return "[" + "".join(f"\n    {value(part)}," for part in given) + "\n" * bool(given) + "]"
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, float):
        given = round(given, 6) + 0.0
    return tomli_w.dumps({"x": given}).removeprefix("x = ").rstrip("\n")


def row(cells: Mapping[str, Any]) -> str:
    """Return a row of a table on one line, without what is missing."""
    held = {key: cell for key, cell in cells.items() if not (isinstance(cell, float) and math.isnan(cell))}
    return "{ " + ", ".join(f"{_key(key)} = {value(cell)}" for key, cell in held.items()) + " }"


def _key(key: str) -> str:
    """Return a key, in quotes where TOML wants them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else value(key)


def table(name: str, pairs: Mapping[str, Any]) -> str:
    """Return a table with a key a line; the empty name is the top."""
    return "\n".join([f"[{name}]"] * bool(name) + [f"{key} = {value(given)}" for key, given in pairs.items()])


def long_text(text: str) -> str:
    """Return a text on lines of its own, as it is where TOML allows that."""
    as_it_is = "'''" not in text and all(sign.isprintable() or sign == "\n" for sign in text)
    return f"'''\n{text}'''" if as_it_is else value(text)


def counts(pairs: Iterable[tuple[object, int]]) -> str:
    """Return what was counted, how often: ``1 2031, 2 1512``, on short lines."""
    together = ", ".join(f"{key}{NO_BREAK}{count}" for key, count in pairs)
    return fill(together, SIGNS).replace(NO_BREAK, " ") + "\n"


def counted(text: str) -> list[tuple[str, int]]:
    """Return what :func:`counts` wrote.

    Examples
    --------
    >>> counted(counts([("12:20", 3), ("12:21", 5)]))
    [('12:20', 3), ('12:21', 5)]
    """
    pairs = [part.split(" ") for part in " ".join(text.split()).split(", ")] if text.split() else []
    if any(len(pair) != 2 or not (pair[1].isascii() and pair[1].isdecimal()) for pair in pairs):
        raise ValueError("counts are written as '1 2031, 2 1512'")
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("something is counted twice")
    return [(key, int(number)) for key, number in pairs]
