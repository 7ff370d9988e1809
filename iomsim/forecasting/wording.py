"""The answer in words; every number comes from the forecast's own tables."""

from __future__ import annotations

import math
from datetime import timedelta

import pandas as pd

from iomsim.forecasting.estimates import count, in_100, row_in_100
from iomsim.forecasting.tables import Tables
from iomsim.model.events import in_words
from iomsim.model.moments import moment_in_words
from iomsim.rules.procedure import ENDINGS

MARGIN = 0.05
"""Leads below this are called level, however many runs tell them: no assumption is as good as that."""

HOW = {"majority": "by majority", "acclamation": "by acclamation", "confirmed": "in a yes/no round"}


def answer(fc: Tables) -> str:
    """Return who wins, after how many rounds and when, and both kinds of uncertainty: three sentences.

    A fourth tells the range over the assumptions, if they have been moved.
    """
    moved = [fc.assumptions.answer()] if fc.assumptions else []
    return over(fc) or " ".join([since(fc) + who(fc), how_long(fc), how_sure(fc), *moved])


def over(fc: Tables) -> str:
    """Return how it ended, if that has been announced and is certain by rule; else nothing."""
    if not fc.certain:
        return ""
    ending, winner = fc.endings()["probability"].idxmax()
    after = f"after {_rounds(fc.announced)}" if fc.announced else "before the first round"
    if ending in HOW:
        return f"It is over: {winner} is elected {HOW[ending]} {after}{_when(fc)}."
    return f"It is over: nobody is elected {after} ({_why(fc, ending)}){_when(fc)}."


def _why(fc: Tables, ending: str) -> str:
    """Return why nobody is elected: what the ending is called, or that those who were left have withdrawn."""
    if not fc.events or fc.events[-1]["event"] != "withdraw":
        return ending
    return "both have withdrawn" if len(fc.race.names) == 2 else "nobody is left"


def _when(fc: Tables) -> str:
    """Return when it ended, if that has been announced."""
    ended = fc.summary.ends["minute"]
    if fc.reached is None or (ended != int(fc.reached)).any():
        return ""
    moment = fc.opening_date + timedelta(minutes=fc.reached)
    return f", on {fc.day_in_words(moment.date())} at {moment:%H:%M}"


def since(fc: Tables) -> str:
    """Return what the forecast starts from: nothing before the vote, later what was announced last."""
    if not fc.events:
        return ""
    told = ("announce", "inconclusive", "correct")
    last = max((i for i, event in enumerate(fc.events) if event["event"] in told), default=0)
    first, *others = fc.events[last:]
    votes = [(first.get("votes") or {}).get(name) for name in fc.race.names]
    counts = [str(count) for count in votes if isinstance(count, int)]
    known = (
        first["event"] == "announce" and len(counts) > 1 and len(counts) == sum(count is not None for count in votes)
    )
    tally = "\N{EN DASH}".join(counts) if known else in_words(first)
    return f"After {'; '.join([tally, *map(in_words, others)])}: "


def who(fc: Tables) -> str:
    """Return who wins, with the chances of all.

    Examples
    --------
    >>> import iomsim as iom
    >>> ahead = iom.load("minimal").with_pressure(East=0.0).with_rules("strict")
    >>> who(iom.forecast(ahead, runs=4000, seed=1))  # doctest: +ELLIPSIS
    'A is ahead: A wins ... in 100, B ... in 100, and nobody ... in 100.'
    """
    table = fc.win_probability()
    said = {name: f"{row_in_100(*row)} in 100" for name, *row in table.itertuples()}
    first, *others = standing(fc)
    nobody = f"nobody {said[table.index[-1]]}"
    told = ", ".join([f"{first} wins {said[first]}", *(f"{name} {said[name]}" for name in others), f"and {nobody}"])
    return f"{_position(fc)}: {told}."


def standing(fc: Tables) -> list[str]:
    """Return the candidates who may still be elected, the likeliest first."""
    chances = fc.win_probability()["probability"].iloc[:-1].drop(list(fc.out))
    return [str(name) for name in chances.sort_values(ascending=False, kind="stable").index]


def is_level(fc: Tables) -> bool:
    """Return whether the two likeliest are as likely, for all that is known."""
    table, names = fc.win_probability(), standing(fc)[:2]
    if len(names) < 2:
        return False
    first, second = table["probability"][names]
    return bool(first - second < max(MARGIN, ((table["high"] - table["low"])[names] / 2).sum()))


def nobody_likely(fc: Tables) -> bool:
    """Return whether more than half of the elections elect nobody."""
    return bool(fc.win_probability()["probability"].iloc[-1] > 0.5)


def _position(fc: Tables) -> str:
    """Return who is ahead, or what else is most to be expected."""
    first, *others = standing(fc)
    if nobody_likely(fc):
        return "Most likely nobody is elected"
    if not others:
        return f"Only {first} still stands"
    return f"{first} and {others[0]} are level" if is_level(fc) else f"{first} is ahead"


def how_long(fc: Tables) -> str:
    """Return the median and the 80 % range of the rounds, and the chances of another day and of the deadline."""
    middle, low, high = fc.median_rounds()
    most = fc.race.rules.max_rounds
    held = f", {_rounds(fc.announced)} of them already held" if fc.announced else ""
    length = f"Voting takes {_rounds(middle, most)} in the median (80 % range: {low} to {_or_more(high, most)}{held})"
    *first, last = [length, *filter(None, [another_day(fc), unfinished(fc)])]
    return f"{', '.join(first)}, and {last}."


def another_day(fc: Tables) -> str:
    """Return the chance that voting goes on on the next day with a sitting, unless the deadline comes before it."""
    if fc.spilled:
        return f"it has run into {fc.next_day_in_words} already"
    chance = f"the chance that it runs into {fc.next_day_in_words} is {fc.spill()}"
    return "" if fc.over_before_next_day else chance


def unfinished(fc: Tables) -> str:
    """Return the chance that the deadline ends the vote unfinished, if there is one."""
    deadline, ends = fc.race.clock.deadline, fc.summary.ends
    if deadline is None:
        return ""
    open_ = (ends["ending"] == ENDINGS.index("open")) & (ends["rounds"] < fc.race.rules.max_rounds)
    when = moment_in_words(deadline, fc.opening_date.date())
    return f"the chance that it is unfinished at the deadline, {when}, is {fc.share(open_)}"


def how_sure(fc: Tables) -> str:
    """Return the Monte Carlo error and, apart from it, the range over the rule sets."""
    table = fc.win_probability()
    points = 50 * max((table["high"] - table["low"]).max(), 2 * fc.spill().half_width)
    return (
        f"Simulation error, which shrinks with more runs, is at most {_points(points)} "
        f"({count(len(fc), 'run')}, 95 %); uncertainty about the rules, which does not, {_by_rules(fc)}."
    )


def _by_rules(fc: Tables) -> str:
    """Return how far the next day moves across the rule sets; once it is there, the favourite."""
    sides = fc.rule_sets()
    if len(sides) == 1:
        return "cannot be shown, for no other shipped rule set agrees with what has happened"
    what = fc.win_probability()["probability"].iloc[:-1].idxmax() if fc.spilled else "spill"
    day = "an unfinished vote" if fc.over_before_next_day else fc.next_day_in_words
    name = what if fc.spilled else day
    half = (sides["high"] - sides["low"]) / 2 if what == "spill" else pd.Series(0.0, sides.index)
    low, high = sides[what].idxmin(), sides[what].idxmax()
    least, most = (in_100(sides[what][rules], half[rules]) for rules in (low, high))
    if least == most:
        return f"leaves {name} at {most} in 100 under all {len(sides)} rule sets"
    return f"moves {name} from {least} in 100 ({low}) to {most} in 100 ({high}) over the {len(sides)} rule sets"


def _rounds(count: int, most: int | None = None) -> str:
    return f"{_or_more(count, most)} round{'' if count == 1 != most else 's'}"


def _or_more(count: int, most: int | None) -> str:
    """Return a count; at the last round the rules allow, it might have been more."""
    return f"{count} or more" if count == most else str(count)


def _points(points: float) -> str:
    """Return an error in points, rounded up to one digit.

    Examples
    --------
    >>> _points(0.31), _points(0.97), _points(2.4)
    ('0.4 points', '1 point', '3 points')
    """
    up = math.ceil(10 * points) / 10 if points <= 0.9 else math.ceil(points)
    return f"{up:g} point{'' if up == 1 else 's'}"
