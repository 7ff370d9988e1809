"""What a registered forecast got right and what wrong, in plain words; every number comes from the score's tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from iomsim.forecasting.estimates import in_100, span_in_100
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.forecasting.wording import HOW, MARGIN
from iomsim.house_style import Text, capital, number, number_of, ordinal, percent, series
from iomsim.model.moments import full_date, moment_in_words
from iomsim.registered.earned import FORECAST
from iomsim.registered.outcome import SOMEBODY_ELSE

WHO = {
    NOBODY: "nobody was elected",
    STILL_VOTING: "voting was not over",
    SOMEBODY_ELSE: "somebody was elected who did not stand when this was registered",
}

SUBJECTS = {
    "winner, log": "who wins",
    "rounds, RPS": "the rounds",
    "next day, log": "the next day",
    "next tally, CRPS": "the tally",
}
"""Scores on which there are rivals; of two for the same thing the logarithm is told."""


def sentence(found: Any) -> Text:
    """Return who won, what that had been given, and how it compares."""
    return Text(" ".join(filter(None, [_hindsight(found), _winner(found), *_compared(found)[:1], found.remark])))


def words(found: Any) -> Text:
    """Return what the forecast got right and what wrong, in sentences."""
    return Text(" ".join(paragraphs(found)))


def paragraphs(found: Any) -> list[str]:
    """Return these sentences, those about one thing together: what came, in short, and against others."""
    came = [_winner(found), _rounds(found), _ending(found), _ended(found), " ".join(_tally(found))]
    others = " ".join([*_compared(found), found.remark]).strip()
    last = "One election judges no forecast: keep a ledger of several."
    return [part for part in (_hindsight(found), *came, _verdict(found), others, last) if part]


def _hindsight(found: Any) -> str:
    known = found.registration
    if not known.hindsight:
        return ""
    day, opened = full_date(known.registered.date()), full_date(known.law.opens.date())
    return f"This is hindsight: the forecast was registered on {day}, and voting had opened on {opened}."


# -- what came, beside what had been said ----------------------------------------------------------


def _winner(found: Any) -> str:
    """Return who won and what that had been given, among how many."""
    row = found.places.loc["winner"]
    who = WHO.get(row["came"], f"{row['came']} was elected")
    if row["came"] == SOMEBODY_ELSE:
        return f"{capital(who)}, which the forecast could not foresee: it gave that nothing."
    table = found.registration.table()
    low, high = table.loc[row["came"], ["low", "high"]]
    spread = span_in_100(low, high) if row["chance"] else ""
    given = f"the forecast gave that {in_100(row['chance'])} in 100{f' ({spread} over its assumptions)' * bool(spread)}"
    rank = f"{_rank(row)} of {number(int(row['of']))} outcomes"
    if not row["chance"]:
        given, rank = "in none of the forecast's runs did that happen", ""
    first = table["probability"].idxmax()
    ahead = "" if row["likelier"] == 0 else f"it had {_thought(first)} at {in_100(table['probability'][first])}"
    told = "; ".join(filter(None, [", ".join(filter(None, [given, rank])), ahead]))
    return f"{capital(who)}; {told}{_level(found)}."


def _thought(name: str) -> str:
    """Return an outcome as something that is thought likelier."""
    return {NOBODY: "no winner", STILL_VOTING: "an open end"}.get(name, name)


def _rank(row: pd.Series) -> str:
    """Return the place of what came by its chance.

    Examples
    --------
    >>> _rank(pd.Series({"likelier": 0})), _rank(pd.Series({"likelier": 2}))
    ('the likeliest', 'the third likeliest')
    """
    return "the likeliest" if not row["likelier"] else f"the {ordinal(int(row['likelier']) + 1)} likeliest"


def _level(found: Any) -> str:
    """Return that the two first were as good as level, if they were, so that being right is luck."""
    two = found.registration.table()["probability"].sort_values(ascending=False).to_numpy()[:2]
    if two[0] - two[1] >= MARGIN or found.places.loc["winner", "likelier"] > 1:
        return ""
    return ", but the two first were as good as level"


def _rounds(found: Any) -> str:
    """Return what more or fewer rounds had been given than there were."""
    if "rounds" not in found.places.index:
        return ""
    row, law = found.places.loc["rounds"], found.registration.law
    held, median = int(row["came"]), int(row["median"])
    took = f"it took {number(held)}"
    if held < median:
        more = float(law.rounds[held + 1 :].sum())
        said = f"It gave {number_of(held + 1, 'round')} or more {in_100(more)} in 100, and {took}"
    elif held > median:
        fewer = float(law.rounds[:held].sum())
        said = f"It gave fewer than {number_of(held, 'round')} {in_100(fewer)} in 100, and {took}"
    else:
        said = f"It expected {number_of(held, 'round')}, and {took}"
    return f"{said}{_within(row, number(int(row['low'])), number(int(row['high'])))}.{_together(found)}"


def _together(found: Any) -> str:
    """Return what this winner after so many rounds had been given."""
    row = found.places.loc["winner and rounds"]
    if not row["chance"]:
        return " This outcome after so many rounds came in none of its runs."
    held = number_of(int(found.outcome.rounds), "round")
    outcome = {NOBODY: "no winner", STILL_VOTING: "no end"}.get(found.outcome.winner, found.outcome.winner)
    of = f"{_rank(row)} of {row['of']} courses" if row["of"] > 1 else "the only course"
    return f" {capital(outcome)} after {held} was {of}, with {in_100(row['chance'])} in 100."


def _ending(found: Any) -> str:
    """Return what the way in which it ended had been given."""
    if found.outcome.ending not in HOW:
        return ""
    row = found.places.loc["ending"]
    given = f"{in_100(row['chance'])} in 100" if row["chance"] else "none of its runs"
    return f"An election {HOW[row['came']]}, whoever it is of, had been given {given}: {_rank(row)} way to end."


def _ended(found: Any) -> str:
    """Return where the hour lay, and what the next day had been given."""
    if "ended" not in found.places.index:
        return ""
    came, law = found.places, found.registration.law
    row, late, since = came.loc["ended"], came.loc["next day"], law.opens.date()
    chance = in_100(late["chance"] if late["came"] else 1 - late["chance"])
    day = f"{moment_in_words(_midnight(law), since).rpartition(' ')[0]}"
    ran = f"had been given {chance} in 100, and voting {'did' if late['came'] else 'did not'}"
    hour = ""
    if found.outcome.ended is not None:
        low, median, high = (moment_in_words(row[key], since) for key in ("low", "median", "high"))
        hour = (
            f"It ended on {moment_in_words(found.outcome.ended, since)}, {_at(row['point'])} "
            f"(median {median}){_within(row, low, high)}. "
        )
    return f"{hour}That voting runs into {day} {ran}."


def _midnight(law: Any) -> Any:
    return law.moment(law.next_minute)


def _tally(found: Any) -> list[str]:
    """Return where the shares of the tally lay; of two candidates the first will do."""
    law = found.registration.law
    names = [name for name in found.outcome.shares if f"share of {name}" in found.places.index]
    which = f"The {ordinal(law.announced + 1)} tally"
    told = []
    for name in names[:1] if len(law.names) == 2 else names:
        row = found.places.loc[f"share of {name}"]
        low, median, high = (percent(100 * row[key], 1) for key in ("low", "median", "high"))
        told.append(
            f"{which} gave {name} {percent(100 * row['came'], 1)}, {_at(row['point'])} "
            f"(median {median}){_within(row, low, high)}."
        )
    return told


def _at(point: float) -> str:
    """Return at which point of the forecast something lay.

    Examples
    --------
    >>> _at(0.848), _at(0.001)
    ('at the 85 % point of the forecast', 'below the 1 % point of the forecast')
    """
    if point < 0.01:
        return f"below the {percent(1)} point of the forecast"
    if point > 0.99:
        return f"above the {percent(99)} point of the forecast"
    return f"at the {percent(100 * point)} point of the forecast"


def _within(row: pd.Series, low: str, high: str) -> str:
    """Return whether something lay in the middle 80 % of the forecast."""
    middle = f"its middle {percent(80)}, {low if low == high else f'{low} to {high}'}"
    return f", inside {middle}" if row["inside"] else f", outside {middle}"


# -- in short --------------------------------------------------------------------------------------


def _verdict(found: Any) -> str:
    """Return what was right and what was wrong, item by item."""
    came, right = found.places, list[str]()
    wrong, unsure, half = list[str](), list[str](), list[str]()
    first = came.loc["winner", "likelier"] == 0
    (unsure if _level(found) else right if first else wrong).append("the winner")
    names, alone = list(found.outcome.shares), len(found.registration.law.names) == 2
    items = {"rounds": "the number of rounds", "ended": "the hour of the end"}
    items |= {f"share of {name}": f"the share of {name}" for name in (names[:1] if alone else names)}
    leaned = _leaned(found)
    for asked, words_ in items.items():
        if asked in came.index and not np.isnan(came.loc[asked, "point"]):
            good = half if asked == "rounds" and leaned else right
            (good if came.loc[asked, "inside"] else wrong).append(words_)
    if "next day" in came.index:
        (right if came.loc["next day", "chance"] > 0.5 else wrong).append("the next day")
    other = f"inside its range, though {leaned} were likelier than not"
    parts = [("right", right), ("wrong", wrong), (other, half), ("neither right nor wrong", unsure)]
    said = [f"{what}: {series(things)}" for what, things in parts if things]
    return f"{capital('; '.join(said))}. (A number is right if it lay in the forecast's middle {percent(80)}.)"


def _leaned(found: Any) -> str:
    """Return "more rounds" or "fewer rounds" if one of them was likelier than not; else nothing."""
    if found.outcome.rounds is None:
        return ""
    law = found.registration.law
    held = min(found.outcome.rounds, law.most)
    fewer, more = float(law.rounds[:held].sum()), float(law.rounds[held + 1 :].sum())
    return "more rounds" if more > 0.5 else "fewer rounds" if fewer > 0.5 else ""


def _compared(found: Any) -> list[str]:
    """Return how it did against those who know nothing, and against the market, on each thing."""
    table, told = found.table(), []
    for score, subject in SUBJECTS.items():
        if score not in table.index:
            continue
        own, rivals = table.loc[score, FORECAST], table.loc[score].drop(FORECAST).dropna()
        beaten = [name for name in rivals.index if own < rivals[name] - 5e-4]
        lost = [name for name in rivals.index if own > rivals[name] + 5e-4]
        level = [name for name in rivals.index if name not in (*beaten, *lost)]
        groups = [("better than", beaten), ("worse than", lost), ("level with", level)]
        against = [
            f"{verdict} {series([f'{name} ({rivals[name]:.2f})' for name in names])}"
            for verdict, names in groups
            if names
        ]
        if against:
            told.append(f"On {subject} it scored {own:.2f} ({_unit(score)}): {series(against)}.")
    return told


def _unit(score: str) -> str:
    """Return what a score is, with the way in which it is read."""
    kinds = {"log": "logarithm", "RPS": "ranked probability score", "CRPS": "points off"}
    return f"{kinds[score.rpartition(', ')[2]]}, lower is better"
