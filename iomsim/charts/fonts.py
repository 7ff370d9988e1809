"""Letters that the font of the charts lacks, or that are written from right to left."""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import cache

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from iomsim.errors import quote

JOINS_LETTERS = (3, 11)
"""The first matplotlib that sets text from right to left, and joins its letters."""

FROM_THE_RIGHT = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+"
RIGHT_TO_LEFT = re.compile(f"\u2068?({FROM_THE_RIGHT}(?:[ .'-]+{FROM_THE_RIGHT})*)\u2069?")
"""Words that are written from right to left."""

IN_XML = {0x2068: "&#x2068;", 0x2069: "&#x2069;"}
"""How files hold the signs that isolate words, so that they are seen there."""

NO_LETTERS = "Last Resort"
"""A font of boxes, which has all signs and none."""


def families(words: str) -> list[str]:
    """Return the families of fonts that have the signs of a text: those in force, and others of this machine if needed.

    Where no font has them all, or matplotlib is too old for what is written from right to left, a warning says so,
    once.

    Examples
    --------
    >>> families("Ngozi, Côte d'Ivoire") == mpl.rcParams["font.family"]
    True
    """
    own = list(mpl.rcParams["font.family"])
    if words.isascii():
        return own
    signs = {sign for sign in words if not sign.isspace() and unicodedata.category(sign)[0] != "C"}
    lacking = signs.difference(*(_signs(font_manager.findfont(FontProperties(family=[family]))) for family in own))
    while lacking:
        found = max(_fonts(), key=lambda font: len(lacking & _signs(font[1])), default=("", ""))
        having = lacking & _signs(found[1]) if found[1] else set()
        if not having:
            break
        own.append(found[0])
        lacking -= having
    if lacking:
        tell_of("".join(sorted(lacking)))
    if RIGHT_TO_LEFT.search(words) and not joins_letters():
        _tell(
            f"matplotlib {mpl.__version__} does not set names from right to left, nor join their letters; "
            f"matplotlib {'.'.join(map(str, JOINS_LETTERS))} does"
        )
    return own


def joins_letters() -> bool:
    """Return whether matplotlib sets text from right to left, and joins its letters."""
    return tuple(int(part) for part in mpl.__version__.split(".")[:2]) >= JOINS_LETTERS


def isolated(text: str) -> str:
    r"""Return a text whose words from right to left are isolated: a number beside them is not set at their other side.

    Examples
    --------
    >>> isolated("Amy Pope: 17 dots"), ascii(isolated("\N{HEBREW LETTER ALEF}: 17 dots"))
    ('Amy Pope: 17 dots', "'\\u2068\\u05d0\\u2069: 17 dots'")
    """
    return RIGHT_TO_LEFT.sub("\u2068\\g<1>\u2069", text)


def tell_of(signs: str) -> None:
    """Say, once, which signs the fonts lack."""
    _tell(f"no font of this machine has {quote(signs)}; a box is drawn in place of each sign until one is installed")


@cache
def _tell(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=2)


@cache
def _signs(path: str) -> frozenset[str]:
    return frozenset(map(chr, FT2Font(path).get_charmap()))


def _fonts() -> list[tuple[str, str]]:
    """Return the upright, regular fonts of this machine, each with its file."""
    return sorted(
        {
            font.name: font.fname
            for font in font_manager.fontManager.ttflist
            if font.style == "normal" and font.weight in (400, "normal", "regular") and NO_LETTERS not in font.name
        }.items()
    )
