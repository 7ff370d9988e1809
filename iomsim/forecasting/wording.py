"""The answer in words; every number comes from the forecast's own tables."""

from __future__ import annotations

import math
from datetime import timedelta

import pandas as pd

from iomsim.engine.clock import DAY_NAMES
from iomsim.forecasting.estimates import in_100, row_in_100
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING, Tables
from iomsim.house_style import capital, count, number, number_of, percent, series
from iomsim.model.bodies import siblings
from iomsim.model.events import in_words
from iomsim.model.moments import moment_in_words
from iomsim.rules.procedure import ENDINGS

MARGIN = 0.05
"""Leads below this are called level, however many runs tell them: no assumption is as good as that."""

TOLD = 0.005
"""Chances below this are not told as "still voting": no hundredth of the elections."""

MOST_NAMED = 4
"""As many who are level are named."""

HOW = {"majority": "by majority", "acclamation": "by acclamation", "confirmed": "in a yes/no round"}


def answer(fc: Tables) -> str:
    """Return who wins, after how many rounds and when, and both kinds of uncertainty: three sentences.

    A fourth tells the range over the assumptions, if they have been moved.
    """
    first = since(fc) + going_on(fc, who(fc)) if fc.events else who(fc)
    return over(fc) or " ".join([first, how_long(fc), how_sure(fc)])


def over(fc: Tables) -> str:
    """Return how it ended, if that has been announced and is certain by rule; else nothing."""
    if not fc.certain:
        return ""
    ending, winner = fc.endings()["probability"].idxmax()
    after = f"after {_rounds(fc.announced)}" if fc.announced else "before the first round"
    if ending in HOW:
        return f"It is over: {winner} is elected {HOW[ending]} {after}{_when(fc)}."
    if ending == "failed":
        gone = withdrawn(fc)
        why = f" {after} ({gone})" if gone else f", and {failed(fc)} {after}"
        return f"It is over: nobody is elected{why}{_when(fc)}."
    if fc.announced < fc.race.rules.max_rounds:
        return f"Voting ended unfinished {unfinished(fc)}, {after}."
    return f"Voting is still open {after}, where the forecast ends."


def withdrawn(fc: Tables) -> str:
    """Return that those who were left have withdrawn, if that is what was announced last; else nothing."""
    if not fc.events or fc.events[-1]["event"] != "withdraw":
        return ""
    gone = {event["name"] for event in fc.events if event["event"] == "withdraw"}
    return "both have withdrawn" if len(gone) == len(fc.race.names) == 2 else "nobody is left"


def failed(fc: Tables) -> str:
    """Return what the rules make of an election without a winner."""
    rules = fc.race.rules
    suspended = rules.after == "suspend" and rules.withdrawal != "vote"
    return "the election is suspended" if suspended else "the election fails"


def unfinished(fc: Tables) -> str:
    """Return when elections are left that are still voting: at the deadline, after the last round simulated.

    Examples
    --------
    >>> import iomsim as iom
    >>> unfinished(iom.forecast(iom.load("minimal"), runs=200, seed=1))
    'after 40 rounds'
    """
    after, late = f"after {_rounds(fc.race.rules.max_rounds)}", _at_the_deadline(fc)
    open_ = fc.summary.count(fc.summary.ends["ending"] == ENDINGS.index("open"))
    return late if late and open_ == fc.summary.count(_late(fc)) else f"{after} or {late}" if late else after


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
    return f"After {series([tally, *map(in_words, others)])} "


def going_on(fc: Tables, sentence: str) -> str:
    """Return a sentence as it goes on after its beginning: with a small letter, unless it begins with a name."""
    named = sentence.startswith((*fc.race.names, *DAY_NAMES))
    return sentence if named else sentence[:1].lower() + sentence[1:]


def who(fc: Tables) -> str:
    """Return who wins, with the chances of all; "nobody" is what the rules end without a winner.

    Examples
    --------
    >>> import iomsim as iom
    >>> ahead = iom.load("minimal").with_pressure(East=0.0).with_rules("four-rounds")
    >>> who(iom.forecast(ahead, runs=4000, seed=1))  # doctest: +ELLIPSIS
    'A is ahead: A wins ... in 100, B ... in 100 and nobody ... in 100.'
    """
    table = fc.chances()
    said = {str(name): f"{row_in_100(*row)} in 100" for name, *row in table[["probability", "mc_error"]].itertuples()}
    first, *others = standing(fc)
    names = [*others, *[NOBODY] * bool(table["mc_error"][NOBODY])]
    told = series([f"{first} wins {said[first]}", *(f"{name} {said[name]}" for name in names)])
    return f"{_position(fc)}: {told}{_given_up(fc)}."


def _given_up(fc: Tables) -> str:
    """Return how many are still voting after the last round simulated, if that is worth a word."""
    ends, most = fc.summary.ends, fc.race.rules.max_rounds
    left = fc.share((ends["ending"] == ENDINGS.index("open")) & (ends["rounds"] >= most))
    if left.value < TOLD:
        return ""
    return f"; {left} are still voting{f' after {_rounds(most)}' * (likely(fc) != STILL_VOTING)}"


def standing(fc: Tables) -> list[str]:
    """Return the candidates who may still be elected, the likeliest first."""
    chances = fc.win_probability()["probability"].iloc[:-1].drop(list(fc.out))
    return [str(name) for name in chances.sort_values(ascending=False, kind="stable").index]


def level(fc: Tables) -> list[str]:
    """Return who are as likely as the likeliest, for all that is known, that one first; nobody if it is ahead."""
    table, names = fc.win_probability(), standing(fc)
    error = table["mc_error"]
    first = names[0]
    behind = {name: table["probability"][first] - table["probability"][name] for name in names}
    found = [name for name in names if behind[name] < max(MARGIN, error[first] + error[name])]
    return found if len(found) > 1 else []


def are_level(names: list[str]) -> str:
    """Return that several are level, by name if they are not too many.

    Examples
    --------
    >>> are_level(["A", "B"]), are_level(["A", "B", "C"]), are_level(list("ABCDE"))
    ('A and B are level', 'A, B and C are level', 'Five candidates are level')
    """
    told = series(names) if len(names) <= MOST_NAMED else capital(number_of(len(names), "candidate"))
    return f"{told} are level"


def likely(fc: Tables) -> str:
    """Return what more than half of the elections come to without a winner; "" if less than half have none.

    "nobody" or "still voting", or "no winner" if neither is more than half by itself.
    """
    table = fc.chances()["probability"]
    parts = table[[NOBODY, STILL_VOTING]]
    if parts.sum() <= 0.5:
        return ""
    return str(parts.idxmax()) if parts.max() > 0.5 else NO_WINNER


def without_winner(fc: Tables) -> str:
    """Return that most elections have no winner, and why, if that is so; else nothing."""
    words = {
        NOBODY: "Most likely nobody is elected",
        STILL_VOTING: f"Most likely voting is not over {unfinished(fc)}",
        NO_WINNER: "Most likely there is no winner",
    }
    return words.get(likely(fc), "")


def _position(fc: Tables) -> str:
    """Return who is ahead, or what else is most to be expected."""
    first, *others = standing(fc)
    if likely(fc):
        return without_winner(fc)
    if not others:
        return f"Only {first} still stands"
    return are_level(level(fc)) if level(fc) else f"{first} is ahead"


def how_long(fc: Tables) -> str:
    """Return the median and the 80 % range of the rounds, and the chances of another day and of the deadline."""
    middle, low, high = fc.median_rounds()
    most = fc.race.rules.max_rounds
    held = f", including the {_already(fc.announced)} already held" if fc.announced else ""
    span = f" ({percent(80)} chance of {number(low)} to {_or_more(high, most)}{held})" if low < high else held
    return f"Expect {_rounds(middle, most)}{span}. {capital(series([*filter(None, [another_day(fc), in_time(fc)])]))}."


def another_day(fc: Tables) -> str:
    """Return the chance that voting runs into the next day with a sitting, unless the deadline comes before it."""
    if fc.spilled:
        return f"it has run into {fc.next_day_in_words} already"
    chance = f"the chance that it runs into {fc.next_day_in_words} is {fc.spill()}"
    return "" if fc.over_before_next_day else chance


def in_time(fc: Tables) -> str:
    """Return the chance that the deadline ends the vote unfinished, if there is one."""
    if fc.race.clock.deadline is None:
        return ""
    return f"the chance that it is unfinished {_at_the_deadline(fc)}, is {fc.share(_late(fc))}"


def _at_the_deadline(fc: Tables) -> str:
    deadline = fc.race.clock.deadline
    return "" if deadline is None else f"at the deadline, {moment_in_words(deadline, fc.opening_date.date())}"


def _late(fc: Tables) -> pd.Series:
    """Return which ends are those of runs that the deadline cuts off."""
    ends = fc.summary.ends
    return (ends["ending"] == ENDINGS.index("open")) & (ends["rounds"] < fc.race.rules.max_rounds)


def how_sure(fc: Tables) -> str:
    """Return the Monte Carlo error and, apart from it, the range over the readings of the rules."""
    points = 100 * fc.mc_error
    return (
        f"Simulation error is at most {_points(points)} ({count(len(fc), 'run')}, {percent(95)}). "
        f"More runs make it smaller, but not the uncertainty about the rules, which {_by_rules(fc)}."
    )


def _by_rules(fc: Tables) -> str:
    """Return how far the next day moves across the readings; once it is there, the favourite."""
    sides = fc.rule_sets()
    if len(sides) == 1:
        return f"cannot be shown, for {_only_reading(fc)}"
    what = fc.win_probability()["probability"].iloc[:-1].idxmax() if fc.spilled else "spill"
    day = "an unfinished vote" if fc.over_before_next_day else fc.next_day_in_words
    name = what if fc.spilled else day
    half = sides["mc_error"] if what == "spill" else pd.Series(0.0, sides.index)
    low, high = sides[what].idxmin(), sides[what].idxmax()
    least, most = (in_100(sides[what][rules], half[rules]) for rules in (low, high))
    if least == most:
        return f"leaves {name} at {most} in 100 under all {len(sides)} readings of them"
    return f"moves {name} from {least} in 100 ({low}) to {most} in 100 ({high}) over the {len(sides)} readings of them"


def _only_reading(fc: Tables) -> str:
    """Return why there is no other reading of the rules to set beside a forecast."""
    known = siblings(fc.race.rules, fc.race.body)
    if not known:
        return "the election has rules of its own"
    if all(rules == fc.race.rules for rules in known.values()):
        return "only one reading of them is known"
    return "no other reading of them agrees with what has happened"


def _rounds(count: int, most: int | None = None) -> str:
    return f"{_or_more(count, most)} round{'' if count == 1 != most else 's'}"


def _already(held: int) -> str:
    return "one" if held == 1 else number(held)


def _or_more(count: int, most: int | None) -> str:
    """Return a count; at the last round that is simulated, it might have been more."""
    return f"{number(count)} or more" if count == most else number(count)


def _points(points: float) -> str:
    """Return an error in points, rounded up to one digit.

    Examples
    --------
    >>> _points(0.31), _points(0.97), _points(2.4)
    ('0.4 points', '1 point', '3 points')
    """
    up = math.ceil(10 * points) / 10 if points <= 0.9 else math.ceil(points)
    return f"{up:g} point{'' if up == 1 else 's'}"
