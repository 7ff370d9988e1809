"""The look of the charts: themes, colours and sizes.

While a chart is drawn, its look is in matplotlib's settings (:func:`styled`), and all colours of words and lines, all
sizes and distances are read from there: a chart fits a dark page, or large letters, without knowing of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal

import matplotlib as mpl
import matplotlib.style
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke

from iomsim.charts.fonts import families
from iomsim.errors import IomsimError, unknown

Theme = Literal["light", "dark", "print", "phone"]

FIRST_DAY, LATER_DAY = "#DDCC77", "#882255"
"""Voting ends on the opening day, or later; clear of every candidate's colour, and of all greys."""

NOBODY_GREY, STILL_GREY = "#999999", "#BFBFBF"
"""The rules end an election without a winner, or it is still open when the simulation stops."""

READABLE, VISIBLE = 4.5, 3.0
"""Contrast to the page that words need, and marks (WCAG 2)."""

INKS = {"#D55E00": "#C25400"}
"""Darker twins, for text, of colours that are too light for it on white."""

FONT_SIZE = 9.0
"""Points of the house's letters; all other sizes and distances are in proportion."""

LEAST_SIZE = 5.0
"""Points of letters that are never made smaller."""

LETTERS = ("font.size", "axes.titlesize", "axes.labelsize", "legend.fontsize")
"""The settings that say how large letters are."""

PHONE_INCHES = 390 / 96
"""Width of a chart for a phone: 390 pixels of the web."""

STYLE: dict[str, Any] = {
    "font.size": FONT_SIZE,
    "text.color": "#222222",
    "text.parse_math": False,  # a name may hold a dollar sign
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.facecolor": "white",
    "axes.labelcolor": "#222222",
    "axes.edgecolor": "#767676",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": "cycler('color', ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'])",
    "xtick.color": "#767676",
    "ytick.color": "#767676",
    "xtick.labelcolor": "#222222",
    "ytick.labelcolor": "#222222",
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
    "savefig.facecolor": "auto",
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "svg.hashsalt": "iomsim",
    "pdf.fonttype": 42,
}
"""The look of the charts; ``plt.style.use(iomsim.charts.STYLE)`` gives it to charts of your own."""

THEMES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"text.color": "#EEEEEE", "axes.facecolor": "#16181C", "figure.facecolor": "#16181C"},
    "print": {"text.color": "black", "savefig.dpi": 300},
    "phone": {"font.size": 10.0},
}
"""What the themes change in the house's look; what follows from the colours and the size of letters is derived."""

OURS = {"text.parse_math", "svg.fonttype", "svg.hashsalt", "pdf.fonttype", "axes.axisbelow"}
"""Settings that a chart needs as they are."""

NO_GLYPH = r"Glyph (\d+) "
"""How matplotlib begins to say that its font lacks a sign."""

NO_ROOM = "constrained_layout not applied"
"""How it begins to say that words take all the room."""

_theme: Theme | None = None  # of the chart that is being drawn


# -- the look while a chart is drawn -----------------------------------------------------------------


@contextmanager
def styled(theme: Theme | None = None, page: Any = None, words: str = "") -> Iterator[None]:
    """Draw in a theme; without one in the look of the house, over which what the user has set in matplotlib goes.

    Parameters
    ----------
    theme : {"light", "dark", "print", "phone"}, optional
        The theme.
    page : colour, optional
        The page on which is drawn, if it is there already and no theme is given.
    words : str
        What will be written, for which fonts are needed.

    Raises
    ------
    UnknownNameError
        If there is no such theme.
    """
    global _theme
    if theme is not None and (not isinstance(theme, str) or theme not in THEMES):
        raise (
            unknown("theme", theme, THEMES)
            if isinstance(theme, str)
            else IomsimError(f"theme must be one of {', '.join(THEMES)}; got a {type(theme).__name__}")
        )
    before, _theme = _theme, theme or _theme
    sharpness = {"figure.dpi": mpl.rcParams["figure.dpi"]}
    try:
        with matplotlib.style.context([_look(theme, page), sharpness], after_reset=True), warnings.catch_warnings():
            for said in (NO_GLYPH, NO_ROOM):  # in our words where a chart becomes a file
                warnings.filterwarnings("ignore", said, UserWarning)
            mpl.rcParams["font.family"] = families(words)
            yield
    finally:
        _theme = before


def on_a_phone() -> bool:
    """Return whether the chart that is being drawn is one for a phone."""
    return _theme == "phone"


def _look(theme: Theme | None, page: Any) -> dict[Any, Any]:
    """Return the settings of a look, with all that follows from its colours and the size of its letters."""
    given = dict(THEMES[theme]) if theme else _changed_by_the_user()
    if page is not None:
        given |= {"figure.facecolor": page, "axes.facecolor": given.get("axes.facecolor", page)}
    look = STYLE | given
    own, around = look["text.color"], look["figure.facecolor"]
    if to_rgba(around)[3] < 1:  # who has no page of a colour knows which words can be read on it
        around = "white" if contrast(own, "white") > contrast(own, "black") else "black"
    inside = look["axes.facecolor"] if to_rgba(look["axes.facecolor"])[3] == 1 else around
    tries = [(words, colour) for colour in (inside, around) for words in (own, "#222222", "#EEEEEE")]
    words, inside = max(tries, key=lambda pair: min(READABLE, contrast(*pair), contrast(pair[0], around)))
    paper = to_hex(inside)
    if words != own:
        given = {key: value for key, value in given.items() if not key.endswith(("labelcolor", "text.color"))}
    size = FontProperties(size=look["font.size"]).get_size_in_points() / FONT_SIZE
    faded = _mixed(words, paper, READABLE)
    follows = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), words)
    follows |= dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), faded)
    follows |= {"grid.color": _mixed(words, paper, 1.25), "axes.titlesize": 11 * size, "legend.fontsize": 8 * size}
    follows |= {"axes.facecolor": paper}
    given = {key: value for key, value in given.items() if key not in ("axes.facecolor", "grid.color")}
    return STYLE | follows | given


def _changed_by_the_user() -> dict[str, Any]:
    """Return the settings that are not matplotlib's own any more."""
    default = mpl.rcParamsDefault
    return {
        key: value
        for key in mpl.rcParams
        if not key.startswith(("backend", "interactive", "toolbar")) and key not in OURS
        if (value := mpl.rcParams[key]) != default[key]
    }


# -- sizes -----------------------------------------------------------------------------------------


def shrink_letters(part: float) -> bool:
    """Make the letters in force smaller, if they are not too small already; return whether they were."""
    settings: Any = mpl.rcParams
    part = max(part, LEAST_SIZE / settings["font.size"])
    if part >= 1:
        return False
    # sizes in words, such as "large", follow
    settings.update({key: part * settings[key] for key in LETTERS if not isinstance(settings[key], str)})
    return True


def pt(points: float) -> float:
    """Return a size or distance in points, which is given for the house's letters, in proportion to the letters."""
    return points * float(mpl.rcParams["font.size"]) / FONT_SIZE


def small() -> float:
    """Return the size of annotations, in points."""
    return pt(8.0)


def tiny() -> float:
    """Return the size of the small print, in points."""
    return pt(6.5)


def title_size() -> float:
    """Return the size of titles, in points."""
    return float(FontProperties(size=mpl.rcParams["axes.titlesize"]).get_size_in_points())


# -- colours ---------------------------------------------------------------------------------------


def dark() -> str:
    """Return the colour of words and lines that matter."""
    return to_hex(mpl.rcParams["text.color"])


def quiet() -> str:
    """Return the colour of words that step back; they can still be read."""
    return _mixed(dark(), paper(), READABLE)


def faint() -> str:
    """Return the colour of grids and shades."""
    return _mixed(dark(), paper(), 1.25)


def paper() -> str:
    """Return the colour behind the marks."""
    return to_hex(mpl.rcParams["axes.facecolor"])


def ink(colour: str) -> str:
    """Return a colour made as dark, or on a dark page as light, as words need it (contrast 4.5, WCAG 2).

    Examples
    --------
    >>> with styled("light"):
    ...     ink("#0072B2"), ink("#D55E00"), ink("#999999")
    ('#0072B2', '#C25400', '#747474')
    >>> with styled("dark"):
    ...     ink("#D55E00"), ink("#882255")
    ('#D55E00', '#B16F91')
    """
    return _away_from_the_page(colour, READABLE)


def mark(colour: str) -> str:
    """Return a colour made as dark or as light as marks need it (contrast 3), if it is no pale one on white.

    Examples
    --------
    >>> with styled("light"):
    ...     mark("#882255"), mark("#DDCC77")
    ('#882255', '#DDCC77')
    """
    return colour if contrast("white", paper()) < contrast("black", paper()) else _away_from_the_page(colour, VISIBLE)


def pale(colour: str) -> str:
    """Return a colour that steps back, towards the page, behind the same colour in full.

    Examples
    --------
    >>> with styled("light"):
    ...     pale("#0072B2")
    '#99c7e0'
    """
    return _blend(colour, paper(), 0.4)


def open_look() -> dict[str, Any]:
    """Return how elections are drawn that are still open: as an outline."""
    return {"facecolor": paper(), "edgecolor": quiet(), "lw": 0.8}


def contrast(colour: Any, page: Any = "white") -> float:
    """Return the contrast of a colour to a page, 1 to 21 (WCAG 2).

    Examples
    --------
    >>> round(contrast("#000000"), 1), round(contrast("#0072B2"), 1), round(contrast("#0072B2", "black"), 1)
    (21.0, 5.2, 4.0)
    """
    low, high = sorted((_luminance(colour), _luminance(page)))
    return (high + 0.05) / (low + 0.05)


def haloed(width: float = 2.0) -> list[Any]:
    """Return the effect that keeps words legible over lines: a rim in the colour of the page."""
    return [withStroke(linewidth=width, foreground=paper())]


def _luminance(colour: Any) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _blend(colour: Any, other: Any, part: float) -> str:
    red, green, blue = (part * a + (1 - part) * b for a, b in zip(to_rgb(colour), to_rgb(other), strict=True))
    return to_hex((red, green, blue))


@lru_cache(maxsize=256)
def _mixed(words: Any, page: Any, least: float) -> str:
    """Return the palest mixture of the colour of words with that of the page that still has a contrast to it."""
    parts = [share / 100 for share in range(1, 101)]
    tries = (_blend(words, page, part) for part in parts)
    return next((colour for colour in tries if contrast(colour, page) >= least), to_hex(words))


def _away_from_the_page(colour: str, least: float) -> str:
    around = mpl.rcParams["figure.facecolor"]
    pages = (paper(), to_hex(around)) if to_rgba(around)[3] == 1 else (paper(),)
    end = "black" if contrast("black", pages[0]) > contrast("white", pages[0]) else "white"
    found = INKS.get(colour.upper(), colour) if end == "black" and least == READABLE else colour
    while min(contrast(found, page) for page in pages) < least and found not in ("#000000", "#FFFFFF"):
        found = _blend(found, end, 0.97).upper()
    return found
