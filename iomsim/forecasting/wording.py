"""The answer in words; every number comes from the forecast's own tables, and no election is played for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.clock import DAY
from iomsim.errors import IomsimError
from iomsim.forecasting.drivers import READING, Drivers, drivers
from iomsim.forecasting.estimates import Z95, Estimate, in_100, level_with_first, row_in_100
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING, Tables, excluded
from iomsim.forecasting.targets import SPILL
from iomsim.house_style import Text, capital, count, number, number_of, percent, series, thousands
from iomsim.model.events import in_words
from iomsim.model.moments import moment_in_words
from iomsim.model.parameters import describe_parameter
from iomsim.model.quantities import in_digits
from iomsim.rules.procedure import ENDINGS

MARGIN = 0.05
"""Leads below this are called level, and what moves a chance by less is not told: no assumption is as good as that."""

TOLD = 0.005
"""Chances below this are not told of nobody and of "still voting": no hundredth of the elections."""

LARGE = 0.01
"""A simulation error above this belongs in the answer; a smaller one is in the stamp."""

Z80 = 1.2815515655446004
"""90 % point of the normal law: ranges of parameters are so many sds wide on either side."""

SHIFTED = 0.3
"""An assumption is told to have moved if its median has by so many sds of what was believed before the vote."""

ENOUGH_DRAWS = 10
"""Draws of the assumptions that are left after announcements, below which nothing is told of single ones."""

MOST_NAMED = 6
"""As many candidates are told one by one."""

COUNTED = ("chance of", "minutes", "spread of", "decay of", "exposure of", "readiness", "reluctance")
"""How the names of assumptions begin that have an article in a sentence."""

HOW = {"majority": "by majority", "acclamation": "by acclamation", "confirmed": "in a yes/no round"}


# -- the answer ----------------------------------------------------------------------------------


def answer(fc: Tables, detail: bool = False) -> Text:
    """Return who wins, after how many rounds, what it hangs on, and that it is a model: three or four sentences.

    With `detail`, also the ranges of all chances, the simulation error, the readings of the rules and the horizon.
    """
    if told := over(fc):
        return Text(told)
    parts = [who(fc), how_long(fc), hangs_on(fc), no_poll(fc)]
    return Text(" ".join(filter(None, [*parts, *(details(fc) if detail else [])])))


def headline(fc: Tables) -> Text:
    """Return the answer in one sentence: who, how many rounds, and the next day.

    Examples
    --------
    >>> import iomsim as iom
    >>> print(headline(iom.forecast(iom.load("minimal"), runs=2000, seed=1)))  # doctest: +ELLIPSIS
    A and B are level, ...; voting takes 2 rounds in the median
    (80 % chance of 1 to 7), with a ... in 100 chance that it runs into Tuesday.
    """
    if told := over(fc):
        return Text(told)
    first, rest = _lead(fc)
    short = bool(level(fc) or likely(fc))
    left = f", leaving {series(rest)}" if rest and not short else ""
    days = series([f"{a_chance(*_pair(chance))} that it {what}" for what, chance in _days(fc, short)]).rstrip(",")
    return Text(f"{capital(_since(fc) + first)}{left}; voting takes {_rounds(fc)}{', with ' * bool(days)}{days}.")


# -- when it is over -----------------------------------------------------------------------------


def over(fc: Tables) -> str:
    """Return how it ended, if that has been announced and is certain by rule; else nothing."""
    if not fc.certain:
        return ""
    ending, winner = fc.endings()["probability"].idxmax()
    after = f"after {number_of(fc.announced, 'round')}" if fc.announced else "before the first round"
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
    after, cut_off = f"after {number_of(fc.race.rules.max_rounds, 'round')}", _at_the_deadline(fc)
    open_ = fc.summary.count(fc.summary.ends["ending"] == ENDINGS.index("open"))
    return cut_off if cut_off and open_ == fc.summary.count(late(fc)) else f"{after} or {cut_off}" if cut_off else after


def _when(fc: Tables) -> str:
    """Return when it ended, if that has been announced."""
    ended = fc.summary.ends["minute"]
    if fc.reached is None or (ended != int(fc.reached)).any():
        return ""
    moment = fc.opening_date + timedelta(minutes=fc.reached)
    return f", on {fc.day_in_words(moment.date())} at {moment:%H:%M}"


# -- what has been announced ---------------------------------------------------------------------


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
    said = ["\N{EN DASH}".join(counts) if known else _noun(fc, first), *(_noun(fc, event) for event in others)]
    return f"After {series(said)}{'' if known and not others else ','} "


def _noun(fc: Tables, event: Mapping[str, Any]) -> str:
    """Return an event as something after which something is so."""
    kind, name = event["event"], event.get("name")
    words = {
        "withdraw": f"{name}'s withdrawal",
        "eliminate": f"{name}'s exit",
        "elect": f"{name}'s election",
        "go on": "the call for another round",
        "adjourn": f"an adjournment until {event.get('until')}",
        "announce": f"a tally of {in_words(event)}" if kind == "announce" else "",
        "confirm": f"a vote of {in_words(event)}" if kind == "confirm" else "",
    }
    return words.get(kind) or in_words(event)


def _since(fc: Tables) -> str:
    """Return the beginning of the first sentence: what was announced, and that no assumption is moved."""
    return since(fc) or ("on the best guesses " if fc.draws is None else "")


# -- who -----------------------------------------------------------------------------------------


def who(fc: Tables) -> str:
    """Return who wins, with the chances of all; "nobody" is what the rules end without a winner.

    Examples
    --------
    >>> import iomsim as iom
    >>> ahead = iom.load("minimal").with_pressure(East=0.0).with_rules("four-rounds")
    >>> who(iom.forecast(ahead, runs=4000, seed=1))  # doctest: +ELLIPSIS
    'A is ahead, with a ... in 100 chance, leaving ... for B and ... for nobody.'
    """
    first, rest = _lead(fc)
    left = f", leaving {series(rest)}" if rest else ""
    return f"{capital(_since(fc) + first)}{left}".removesuffix(".") + "."


def _lead(fc: Tables) -> tuple[str, list[str]]:
    """Return who is ahead, or what else is most to be expected, with its chance; and the chances of all else."""
    table, first, most, even = fc.chances(), standing(fc)[0], likely(fc), level(fc)
    said = {str(name): (p, error) for name, p, error in table[["probability", "mc_error"]].itertuples()}
    told: list[str] = []
    if most == NO_WINNER:
        words, told = "most likely there is no winner", []
    elif most:
        words, told = f"{without_winner(fc)}, with {a_chance(*said[most])}", [most]
        words = words[0].lower() + words[1:]
    elif len(standing(fc)) == 1:
        words, told = f"only {first} still stands, with {a_chance(*said[first])} of being elected", [first]
    elif not even:
        words, told = f"{first} is ahead, with {a_chance(*said[first])}", [first]
    else:
        even = sorted(even, key=fc.race.names.index)
        words, told = f"{are_level(even)}, {_beside([said[name] for name in even])}", even
    return words, _rest(fc, {name: pair for name, pair in said.items() if name not in told})


def _beside(chances: list[tuple[float, float]]) -> str:
    """Return the chances of those who are level."""
    words = [in_a_sentence(*chance) for chance in chances]
    if len(set(words)) == 1:
        return f"each with {a_chance(*chances[0])}"
    low, high = (in_a_sentence(*end(chances)) for end in (min, max))
    told = f"of {series(words)}" if len(words) <= MOST_NAMED else f"between {low} and {high}"
    return f"with chances {told} in 100"


def _rest(fc: Tables, said: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return the chances of candidates, of nobody and of those still voting, so far as they are worth a word."""
    names = [name for name in standing(fc) if name in said and said[name][0] >= TOLD]
    shown = names if len(names) <= MOST_NAMED else names[: MOST_NAMED - 1]
    rest = [f"{in_a_sentence(*said[name])} for {name}" for name in shown]
    if others := names[len(shown) :]:
        together = fc.share(fc.summary.ends["winner"].isin([fc.race.names.index(name) for name in others]))
        rest.append(f"{in_a_sentence(*_pair(together))} for the {number(len(others))} others")
    ends = {name: what for name, what in _ends(fc).items() if name in said and said[name][0] >= TOLD}
    return rest + [f"{in_a_sentence(*said[name])} {what}" for name, what in ends.items()]


def _ends(fc: Tables) -> dict[str, str]:
    """Return what there may be in place of a winner, in words."""
    return {NOBODY: "for nobody", STILL_VOTING: f"still voting {unfinished(fc)}"}


def standing(fc: Tables) -> list[str]:
    """Return the candidates who may still be elected, the likeliest first."""
    chances = fc.win_probability()["probability"].iloc[:-1].drop(list(fc.out))
    return [str(name) for name in chances.sort_values(ascending=False, kind="stable").index]


def level(fc: Tables) -> list[str]:
    """Return who are as likely as the likeliest, for all that is known, that one first; nobody if it is ahead."""
    table, names = fc.win_probability(), standing(fc)
    error, first = table["mc_error"], names[0]
    behind = {name: table["probability"][first] - table["probability"][name] for name in names}
    found = [name for name in names if behind[name] < max(MARGIN, error[first] + error[name])]
    return found if len(found) > 1 else []


def are_level(names: list[str]) -> str:
    """Return that several are level, by name if they are not too many.

    Examples
    --------
    >>> are_level(["A", "B"]), are_level(["A", "B", "C"]), are_level(list("ABCDEFG"))
    ('A and B are level', 'A, B and C are level', 'seven candidates are level')
    """
    return f"{series(names) if len(names) <= MOST_NAMED else number_of(len(names), 'candidate')} are level"


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


# -- how long ------------------------------------------------------------------------------------


def how_long(fc: Tables) -> str:
    """Return how many rounds it takes, and the chances of another day and of the deadline."""
    subject = {f"runs into {fc.next_day_in_words}": "voting"}
    days = [
        f"the chance that {subject.get(what, 'it')} {what} is {in_a_sentence(*_pair(chance))} in 100"
        for what, chance in _days(fc)
    ]
    days = [f"voting has run into {fc.next_day_in_words} already"] * fc.spilled + days
    held = f", with {thousands(fc.announced)} already held" * bool(fc.announced)
    return f"Voting takes {'; '.join(filter(None, [_rounds(fc, held), series(days)]))}."


def rounds_in_words(fc: Tables) -> str:
    """Return how many rounds it takes: the median, with the range that has an 80 % chance.

    Examples
    --------
    >>> import iomsim as iom
    >>> rounds_in_words(iom.forecast(iom.load("minimal"), runs=2000, seed=1))
    'Voting takes 2 rounds in the median (80 % chance of 1 to 7)'
    """
    return f"Voting takes {_rounds(fc)}"


def _rounds(fc: Tables, held: str = "") -> str:
    """Return the median of the rounds with their 80 % range; at the last that is simulated it may be more."""
    most = fc.race.rules.max_rounds
    middle, low, high = fc.median_rounds()
    more = " or more"
    rounds = f"{count(middle, 'round')}{more * (middle == most)} in the median{held}"
    joint = "or" if high == low + 1 and high < most else "to"
    span = f" ({percent(80)} chance of {thousands(low)} {joint} {thousands(high)}{more * (high == most)})"
    return f"{rounds}{span if low < high else ''}"


def _days(fc: Tables, short: bool = False) -> list[tuple[str, Estimate]]:
    """Return what voting may do, in respect of the next day and the deadline, with its chance, unless it is a fact.

    The deadline is left out where who is still voting then has been told, unless the sentence is `short`.
    """
    out = []
    if not fc.spilled and not fc.over_before_next_day:
        out.append((f"runs into {fc.next_day_in_words}", fc.spill()))
    cut_off = fc.share(late(fc))
    told = unfinished(fc) == _at_the_deadline(fc) and cut_off.value >= TOLD and not short
    if fc.race.clock.deadline is not None and not told:
        out.append((f"is unfinished {_at_the_deadline(fc)},", cut_off))
    return out


def _at_the_deadline(fc: Tables) -> str:
    deadline = fc.race.clock.deadline
    return "" if deadline is None else f"at the deadline, {moment_in_words(deadline, fc.opening_date.date())}"


def late(fc: Tables) -> pd.Series:
    """Return which ends are those of runs that the deadline cuts off."""
    ends = fc.summary.ends
    return (ends["ending"] == ENDINGS.index("open")) & (ends["rounds"] < fc.race.rules.max_rounds)


# -- what it hangs on ----------------------------------------------------------------------------


def hangs_on(fc: Tables) -> str:
    """Return what the answer hangs on: the assumption that matters most, and the reading of the rules.

    After announcements: what they teach about these, and the reading of the rules.
    """
    first = learned(fc) if fc.events else by_assumption(fc)
    rules = by_rules(fc)
    if rules:
        rules = f"much {'still ' * bool(fc.events)}hangs on how the rules are read: {rules}"
    told = "; and ".join(filter(None, [first, rules]))
    return f"{capital(told)}." if told else ""


def by_rules(fc: Tables) -> str:
    """Return how far the readings of the rules that were played are apart; nothing if it is not worth a word.

    For the likeliest winner, for nobody and for the next day (or the deadline), the largest effect first.
    """
    parts, moved = fc.by_reading(), list[Any]()
    for what in _questions(fc) if len(parts) > 1 else ():
        chances = {name: _chance(part, what) for name, part in parts.items()}
        low, high = (pick(chances, key=lambda name: chances[name].value) for pick in (min, max))
        apart = chances[high].value - chances[low].value
        if apart >= max(MARGIN, chances[high].mc_error + chances[low].mc_error):
            moved.append((apart, what, low, high, chances))
    told: list[str] = []
    for _, what, low, high, chances in sorted(moved, key=lambda move: -move[0]):
        least, most = (in_a_sentence(*_pair(chances[name])) for name in (low, high))
        if told:
            told.append(f"{_briefly(fc, what)} from {least} ({low}) to {most} ({high})")
        else:
            told.append(f"{_named(fc, what)} goes from {least} in 100 ({low}) to {most} ({high})")
    return series(told)


def by_assumption(fc: Tables, what: str = "") -> str:
    """Return which assumption but the rules a chance hangs on most, if it can be told; default: the main one."""
    what = what or main(fc)
    top = _top(fc, what)
    if top is None:
        return ""
    path, low, high = top
    least, most = in_a_sentence(low), in_a_sentence(high)
    label = describe_parameter(fc.race, path)
    label = f"{'the ' * label.startswith(COUNTED)}{label}"
    return f"{_named(fc, what)} hangs most on {label} ({least} in 100 where it is low, {most} where it is high)"


def _top(fc: Tables, what: str) -> tuple[str, float, float] | None:
    """Return the assumption on which a chance hangs most, and the chance at the ends of its range."""
    found = what_matters(fc, what)
    table = pd.DataFrame() if found is None else found.table().drop(READING, errors="ignore")
    if table.empty:
        return None
    if level_with_first(table["share"], Z95 * table["share_error"]).sum() > 1:
        return None  # it cannot be told from the next
    path, top = str(table.index[0]), table.iloc[0]
    low, high = float(top["at_low"]), float(top["at_high"])
    return (path, low, high) if top["clear"] and abs(high - low) >= MARGIN else None


def what_matters(fc: Tables, what: str) -> Drivers | None:
    """Return what a chance hangs on; None where that cannot be told, or is told already."""
    if fc.draws is None or fc.certain or (what == NEXT_DAY and (fc.spilled or fc.over_before_next_day)):
        return None
    try:
        return drivers(fc, SPILL if what == NEXT_DAY else what)
    except IomsimError:  # too few draws, or runs of each
        return None


def what_matters_shown(fc: Tables) -> dict[str, Drivers]:
    """Return what a page tells of what the answer hangs on, by the name of its file: who wins, and the next day."""
    found = {"drivers_winner": what_matters(fc, main(fc)), "drivers_next_day": what_matters(fc, NEXT_DAY)}
    return {name: each for name, each in found.items() if each is not None}


def learned(fc: Tables) -> str:
    """Return what was announced teaches about the level and the reading of the rules; nothing before the vote."""
    told = [*_level_moved(fc), *_read_anew(fc)] if fc.events and fc.draws is not None else []
    return f"what was announced {series(told)}" if told else ""


def _shifted(fc: Tables, path: str) -> tuple[float, float, float]:
    """Return the best guess of a parameter before the vote, its median now, and how far that is in sds of the first."""
    known, weight = fc.race.parameters()[path], fc.summary.runs_of_draws
    values = fc.draws.values[path] if fc.draws else np.array([known.value])
    now = float(np.quantile(values, 0.5, weights=weight, method="inverted_cdf"))
    return known.value, now, abs(now - known.value) / (known.high - known.low) * 2 * Z80


def _level_moved(fc: Tables) -> list[str]:
    """Return how far the level has moved, if it has."""
    told = []
    for path in [path for path in fc.draws.values if path.startswith("level.")] if fc.draws else []:
        then, now, shift = _shifted(fc, path)
        if shift >= SHIFTED:
            told.append(f"moves {describe_parameter(fc.race, path)} from {in_100(then)} to {in_100(now)} in 100")
    return told


def _read_anew(fc: Tables) -> list[str]:
    """Return which readings of the rules cannot be any more, and which has become much likelier."""
    if not fc.race.readings:
        return []
    then = {reading.name: reading.weight for reading in fc.race.readings}
    now = {name: len(part) / len(fc) for name, part in fc.by_reading().items()} or {fc.rules_played[0].name: 1.0}
    gone = [name for name in then if name not in now]
    top = max(now, key=lambda name: now[name] - then.get(name, 0.0))
    likelier = f"makes {top} likelier ({in_100(now[top])} in 100, {in_100(then.get(top, 0.0))} before)"
    told = len(now) > 1 and now[top] - then.get(top, 0.0) >= 2 * MARGIN
    return [f"rules out {series(gone)}"] * bool(gone) + [likelier] * told


def _other_moved(fc: Tables) -> str:
    """Return which assumption but the level the announcements have moved most."""
    paths = [path for path in fc.draws.values if not path.startswith("level.")] if fc.events and fc.draws else []
    if not paths:
        return ""
    path = max(paths, key=lambda path: _shifted(fc, path)[2])
    then, now, shift = _shifted(fc, path)
    alike = pd.Series(fc.summary.runs_of_draws).groupby(fc.draws.values[path]).sum() if fc.draws else pd.Series([1.0])
    if (alike.sum() ** 2) / (alike**2).sum() < ENOUGH_DRAWS:
        return ""
    before, after = in_digits(then, now)
    label = describe_parameter(fc.race, path)
    return f"Of the other assumptions {label} has moved most, from {before} to {after}." if shift >= SHIFTED else ""


def main(fc: Tables) -> str:
    """Return what the answer is about: the likeliest candidate, or that there is no winner."""
    return likely(fc) or favourite(fc)


def favourite(fc: Tables) -> str:
    """Return the likeliest candidate; of several who are level, the one that the scenario names first."""
    return min(level(fc), key=fc.race.names.index, default=standing(fc)[0])


NEXT_DAY, DEADLINE = "next day", "deadline"


def _questions(fc: Tables) -> list[str]:
    """Return what is looked at under every reading of the rules."""
    days = [DEADLINE] * fc.over_before_next_day or [NEXT_DAY] * (not fc.spilled)
    return [favourite(fc), NOBODY, *days]


def _where(fc: Tables, what: str) -> Any:
    """Return which ends answer a question with yes."""
    ends = fc.summary.ends
    if what in fc.race.names:
        return ends["winner"] == fc.race.names.index(what)
    if what == NO_WINNER:
        return ends["winner"] < 0
    if what == DEADLINE:
        return late(fc)
    if what == NEXT_DAY:
        return (ends["minute"] < 0) | (ends["minute"] >= fc.race.plan.calendar.next_day * DAY)
    return ends["ending"] == ENDINGS.index({NOBODY: "failed", STILL_VOTING: "open"}[what])


def _chance(fc: Tables, what: str) -> Estimate:
    """Return the answer to a question."""
    found = fc.share(_where(fc, what))
    never = what in excluded(fc.race, fc.rules_played) and not found.value
    return Estimate(0.0, 0.0, 0.0, 0.0, found.runs) if never else found


def _named(fc: Tables, what: str) -> str:
    """Return the chance that is asked for, as the subject of a sentence."""
    words = {
        NOBODY: "the chance that nobody is elected",
        STILL_VOTING: f"the chance of still voting {unfinished(fc)}",
        NO_WINNER: "the chance of no winner",
        NEXT_DAY: f"the chance that voting runs into {fc.next_day_in_words}",
        DEADLINE: "the chance of an unfinished vote",
    }
    return words.get(what, f"{what}'s chance")


def _briefly(fc: Tables, what: str) -> str:
    """Return the chance that is asked for after another has been named."""
    words = {NOBODY: "that nobody is elected", NEXT_DAY: f"that of {fc.next_day_in_words}"}
    return words.get(what) or _named(fc, what).replace("the chance", "that").removesuffix(" chance")


# -- how sure ------------------------------------------------------------------------------------


def no_poll(fc: Tables) -> str:
    """Return that this is a model, with the ranges over its assumptions, and its error if that is large."""
    error = f"; the simulation itself may be off by {points(fc.mc_error)}" if fc.mc_error > LARGE else ""
    return f"This is a model and no poll{_how_far(fc)}{error}."


def _how_far(fc: Tables) -> str:
    if fc.draws is None:
        rules = f" and with the rules read as {fc.race.rules.name}" * bool(fc.race.readings)
        return f", on the best guesses alone{rules}: it does not say how far these may be off"
    if not fc.draws.values and len(fc.draws.readings) == 1:
        return ", and none of its assumptions has a range"
    ranges = [(what, _chance(fc, what)) for what in (main(fc), *_questions(fc)[2:])]
    told = [f"{(_briefly if i else _named)(fc, what)} {_lies(chance, i)}" for i, (what, chance) in enumerate(ranges)]
    if any(not chance.span for _, chance in ranges):
        return ", and too few elections were simulated to say how much hangs on its assumptions"
    return f": over its assumptions {series(told)}"


def _lies(chance: Estimate, more: int) -> str:
    """Return where a chance lies over the assumptions; the unit goes without saying if there are `more`."""
    low, high = (in_a_sentence(end) for end in (chance.low, chance.high))
    where = f"at {low}" if low == high else f"between {low} and {high}"
    return where if more else f"{'stays' if low == high else 'lies'} {where} in 100"


# -- everything ----------------------------------------------------------------------------------


def details(fc: Tables) -> list[str]:
    """Return what the answer leaves to the tables and the stamp, sentence by sentence."""
    told = [_other_moved(fc), _ranges(fc), _error(fc), _next_day_hangs_on(fc), _readings(fc), _horizon(fc)]
    return [*filter(None, told)]


def _ranges(fc: Tables) -> str:
    """Return the ranges of all chances."""
    asked = {name: f"for {name}" for name in standing(fc)} | _ends(fc)
    asked |= {NEXT_DAY: f"of {fc.next_day_in_words}"} if NEXT_DAY in _questions(fc) else {}
    chances = {words: _chance(fc, what) for what, words in asked.items()}
    told = [f"{_spelled(chance.span)} {words}" for words, chance in chances.items() if chance.span and chance.mc_error]
    return (
        f"Over the draws of the assumptions the chances, in 100, are {series(told)} "
        f"({percent(10)} to {percent(90)} points)."
        if fc.draws and told
        else ""
    )


def _error(fc: Tables) -> str:
    return f"The simulation error is at most {points(fc.mc_error)} ({count(len(fc), 'run')}, {percent(95)})."


def _next_day_hangs_on(fc: Tables) -> str:
    told = by_assumption(fc, NEXT_DAY) if NEXT_DAY in _questions(fc) else ""
    return f"{capital(told)}." if told else ""


def _readings(fc: Tables) -> str:
    """Return the chances under each reading of the rules."""
    parts = fc.by_reading()
    if len(parts) < 2:
        return ""
    asked = {name: f"for {name}" for name in standing(fc)} | _ends(fc)
    asked |= {NEXT_DAY: f"of {fc.next_day_in_words}"} if NEXT_DAY in _questions(fc) else {}
    told = []
    for name, part in parts.items():
        chances = [f"{in_a_sentence(*_pair(_chance(part, what)))} {words}" for what, words in asked.items()]
        told.append(f"{name} (weight {in_100(len(part) / len(fc))}) {series(chances)}")
    return f"By the reading of the rules the chances, in 100, are: {'; '.join(told)}."


def _horizon(fc: Tables) -> str:
    if STILL_VOTING in excluded(fc.race, fc.rules_played):
        return ""
    rounds = number_of(fc.race.rules.max_rounds, "round")
    return (
        f"Elections still voting {unfinished(fc)} are told apart from those that the rules end without a winner: "
        f"{rounds} are as many as are simulated, not a rule."
    )


# -- numbers -------------------------------------------------------------------------------------


def in_a_sentence(p: float, mc_error: float = np.nan) -> str:
    """Return a chance per hundred as it stands in a sentence.

    Examples
    --------
    >>> in_a_sentence(0.38), in_a_sentence(0.001, 0.001), in_a_sentence(0.0, 0.0), in_a_sentence(0.38, 0.07)
    ('38', 'less than 1', '0', 'about 40')
    """
    return _spelled(in_100(p) if np.isnan(mc_error) else row_in_100(p, mc_error))


def _spelled(said: str) -> str:
    """Return a number of chances as it stands in a sentence."""
    return said.replace("<", "less than ").replace(">", "more than ")


def a_chance(p: float, mc_error: float = np.nan) -> str:
    """Return a chance with its article.

    Examples
    --------
    >>> a_chance(0.98), a_chance(0.83), a_chance(0.18)
    ('a 98 in 100 chance', 'an 83 in 100 chance', 'an 18 in 100 chance')
    >>> a_chance(0.999), a_chance(0.38, 0.07)
    ('a chance of more than 99 in 100', 'a chance of about 40 in 100')
    """
    said = in_a_sentence(p, mc_error)
    if not said.isdigit():
        return f"a chance of {said} in 100"
    return f"{'an' if said.startswith('8') or said in ('11', '18') else 'a'} {said} in 100 chance"


def _pair(chance: Any) -> tuple[float, float]:
    """Return a chance and its simulation error."""
    if isinstance(chance, Estimate):
        return chance.value, chance.mc_error
    return float(chance["probability"]), float(chance["mc_error"])


def points(error: float) -> str:
    """Return an error in points, as the stamp has it.

    Examples
    --------
    >>> points(0.0031), points(0.01), points(0.024)
    ('0.3 points', '1.0 point', '2.4 points')
    """
    said = f"{max(100 * error, 0.1):.1f}"
    return f"{said} point{'' if said == '1.0' else 's'}"
