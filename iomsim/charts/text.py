"""The words of charts: names cut short, sentences broken into lines, and what has been announced."""

from __future__ import annotations

from textwrap import fill, shorten

import numpy as np
import pandas as pd

from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.wording import going_on, over, points
from iomsim.house_style import percent

DASH = "\N{EN DASH}"

# -- words that fit ------------------------------------------------------------------------------


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
    >>> columns(["one", "two", "three", "four"], 120)  # three columns are of two, one and one
    2
    """
    for across in range(len(words), 1, -1):
        longest = [max(map(len, part)) for part in np.array_split(np.array(words, dtype=object), across)]
        if sum(4.2 * letters + 24 for letters in longest) <= points:
            return across
    return 1


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
    after = f"After {tally_text(fc, fc.announced)}{',' * sentence[:1].isdigit()} "
    return f"{after}{going_on(fc, sentence)}" if fc.announced else sentence


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
