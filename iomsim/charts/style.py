"""The look of the charts: colours, sizes, and a style that leaves the global settings alone."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patheffects import withStroke

DARK, QUIET, FAINT = "#222222", "#767676", "#E6E6E6"
"""Text and lines that matter; text that steps back (contrast 4.5 on white); grids and shades."""

FIRST_DAY, LATER_DAY = "#BBBBBB", "#882255"
"""Voting ends on the opening day, or later; clear of every candidate's colour."""

NOBODY_GREY, STILL_GREY = "#999999", "#BFBFBF"
"""The rules end an election without a winner, or it is still open when the simulation stops."""

INKS = {"#D55E00": "#C25400", "#999999": QUIET, FIRST_DAY: QUIET}
"""Darker twins, for text, of colours that are too light for it on white."""

STYLE: dict[str, Any] = {
    "font.size": 9,
    "text.color": DARK,
    "text.parse_math": False,  # a name may hold a dollar sign
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.labelcolor": DARK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": "cycler('color', ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'])",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": DARK,
    "ytick.labelcolor": DARK,
    "grid.color": FAINT,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "iomsim",
    "pdf.fonttype": 42,
}
"""The look of the charts; ``plt.style.use(iomsim.charts.STYLE)`` gives it to charts of your own."""

NO_GLYPH = r"Glyph (\d+) "
"""How matplotlib begins to say that its font lacks a sign."""

NO_ROOM = "constrained_layout not applied"
"""How it begins to say that words take all the room."""

SMALL = 8.0
TINY = 6.5
"""Points: annotations, and the stamp."""


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the charts, whatever the global settings are; they stay untouched."""
    sharpness = {"figure.dpi": mpl.rcParams["figure.dpi"]}
    with matplotlib.style.context([STYLE, sharpness], after_reset=True), warnings.catch_warnings():
        for said in (NO_GLYPH, NO_ROOM):  # in our words where a chart becomes a file
            warnings.filterwarnings("ignore", said, UserWarning)
        yield


def ink(colour: str) -> str:
    """Return a colour dark enough for text on white (contrast 4.5, WCAG 2).

    Examples
    --------
    >>> ink("#0072B2"), ink("#D55E00"), ink("#999999")
    ('#0072B2', '#C25400', '#767676')
    """
    dark = INKS.get(colour.upper(), colour)
    while contrast(dark) < 4.5:
        red, green, blue = to_rgb(dark)
        dark = to_hex((0.97 * red, 0.97 * green, 0.97 * blue)).upper()
    return dark


def pale(colour: str) -> str:
    """Return a colour that steps back behind the same colour in full.

    Examples
    --------
    >>> pale("#0072B2")
    '#99c7e0'
    """
    red, green, blue = to_rgb(colour)
    return to_hex((0.4 * red + 0.6, 0.4 * green + 0.6, 0.4 * blue + 0.6))


def contrast(colour: str) -> float:
    """Return the contrast of a colour to white, 1 to 21 (WCAG 2).

    Examples
    --------
    >>> round(contrast("#000000"), 1), round(contrast("#0072B2"), 1)
    (21.0, 5.2)
    """
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


def haloed(width: float = 2.0) -> list[Any]:
    """Return the effect that keeps words legible over lines: a white rim."""
    return [withStroke(linewidth=width, foreground="white")]
