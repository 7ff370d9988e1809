"""What a past contest was and what came of it, in one row."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import pandas as pd

from iomsim.validation.contest import Contest
from iomsim.validation.data import GRADES
from iomsim.validation.rounds import RoundTally

TYPES = {
    "body": "object", "body_kind": "object", "year": "Int64", "members": "Int64", "candidates": "Int64",
    "kind": "object", "bar": "object", "grade": "object", "rounds": "Int64",
    "first_leader": "object", "first_share": "float64", "first_leader_won": "boolean",
    "two_from": "Int64", "two_leader": "object", "two_share": "float64", "two_leader_won": "boolean",
    "two_left_open": "boolean", "two_ballots": "Int64", "over_next": "boolean", "next_share": "float64",
    "move": "float64", "overtaken": "boolean",
    "withdrew": "object", "withdrew_after": "Int64", "withdrew_after_two": "Int64", "withdrew_share": "float64",
    "ending": "object", "how": "object", "winner": "object", "held_out": "boolean",
}  # fmt: skip
"""The columns of such a table."""

ENDS = ("majority", "withdrawal", "confirmed", "failed", "open")
"""How a contest can end: elected; the other withdrew, whether the one left was acclaimed or voted on; alone in a vote
of yes or no, as the rules have it; without a winner, by the rules; without one of those who stood."""


def courses(contests: Iterable[Contest]) -> pd.DataFrame:
    """Return contests in one row each: see :meth:`iomsim.validation.record.History.each`."""
    listed = list(contests)
    index = pd.Index([one.id for one in listed], name="contest", dtype=object)
    return pd.DataFrame([_row(one) for one in listed], index=index, columns=list(TYPES)).astype(TYPES)


def _row(one: Contest) -> dict[str, Any]:
    first, two = next(iter(one.ordinary), None), first_between(one, 2)
    return {
        "body": one.body,
        "body_kind": one.body_kind,
        "year": one.year,
        "members": one.size,
        "candidates": one.started,
        "kind": one.kind,
        "bar": str(one.rules.threshold[0]),
        "grade": grade_of(one),
        "rounds": one.rounds_total,
        "first_leader": led_by(first),
        "first_share": share_of_first(first),
        "first_leader_won": won(one, first),
        **({} if two is None else _between_two(one, two)),
        **_withdrawal(one, two),
        "ending": end_of(one),
        "how": one.decided_how,
        "winner": one.winner,
        "held_out": one.held_out,
    }


def _between_two(one: Contest, two: RoundTally) -> dict[str, Any]:
    """Return what is known from the first ballot between two on."""
    told = {
        "two_from": two.round,
        "two_leader": led_by(two),
        "two_share": share_of_first(two),
        "two_leader_won": won(one, two),
        "two_left_open": left_open(one, two),
    }
    if not left_open(one, two):
        return told
    then = next_between(one, two)
    moved = None if then is None else then.share(two.field[0])
    return told | {
        "two_ballots": over_at(one) - two.round + 1,
        "over_next": over_at(one) <= two.round + 1,
        "next_share": moved,
        "move": None if moved is None else 100 * (moved - (share_of_first(two) or 0)),
        "overtaken": overtaken(one, two),
    }


def _withdrawal(one: Contest, two: RoundTally | None) -> dict[str, Any]:
    out = withdrew(one)
    if out is None:
        return {}
    who, last = out
    return {
        "withdrew": who,
        "withdrew_after": last.round,
        "withdrew_after_two": None if two is None else last.round - two.round + 1,
        "withdrew_share": last.share(who),
    }


# -- questions to one contest ------------------------------------------------------------------------


def grade_of(one: Contest) -> str:
    """Return how well the tallies of a contest are known: the grade of the worst."""
    order = (*GRADES, "")
    return max((known.grade for known in one.rounds), key=order.index, default="")


def bar_in(one: Contest, round_: int) -> str:
    """Return what elected in a round, as far as the rules say.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> [bar_in(contest("WHO2017"), round_) for round_ in (1, 2, 3)]
    ['2/3', '2/3', '>1/2']
    """
    *_, (ballot, stage) = islice(enumerate(one.rules.stages(max(one.started, 2)), start=1), round_)
    return str(one.rules.bar(stage.phase, stage.held, ballot))


def first_between(one: Contest, candidates: int) -> RoundTally | None:
    """Return the first ballot of a contest between so many for one seat; None if there was none, or it is not known.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> first_between(contest("WHO2017"), 2).tally
    (121, 62)
    >>> first_between(contest("UNSC2011-EEG"), 2) is None     # the first that is known is round 9
    True
    """
    known = next((known for known in one.ordinary if len(known.field) == candidates), None)
    if known is None:
        return None
    continued = known.round == 1 or any(other.round == known.round - 1 for other in one.rounds)
    return known if continued or (candidates == 2 and known.round == one.two_way_from) else None


def next_between(one: Contest, known: RoundTally) -> RoundTally | None:
    """Return the next ballot, if it is known and the same stood in it."""
    then = (other for other in one.ordinary if other.round == known.round + 1)
    return next((other for other in then if set(other.field) == set(known.field)), None)


def led_by(known: RoundTally | None) -> str | None:
    """Return who alone led a ballot; None if several did."""
    return None if known is None or known.tied else known.field[0]


def share_of_first(known: RoundTally | None) -> float | None:
    """Return the largest share of a ballot, among its main candidates."""
    return None if known is None else known.share(known.field[0])


def won(one: Contest, known: RoundTally | None) -> bool | None:
    """Return whether the leader of a ballot was elected in the end; None if nobody led it alone."""
    leader = led_by(known)
    return None if leader is None else one.winner == leader


def left_open(one: Contest, known: RoundTally) -> bool:
    """Return whether a ballot elected nobody."""
    return one.ending != "majority" or one.decided_round > known.round


def overtaken(one: Contest, known: RoundTally) -> bool | None:
    """Return whether the leader of a ballot was behind in a later one; None if none is known, or several led it.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> overtaken(contest("UNSC2016-WEOG"), contest("UNSC2016-WEOG").at(2))     # 99-92, 96-94, 96-95, 95-95
    False
    """
    leader, later = led_by(known), [other.votes for other in one.ordinary if other.round > known.round]
    if leader is None or not later:
        return None
    return any(max(votes.values()) > votes.get(leader, 0) for votes in later)


def withdrew(one: Contest) -> tuple[str, RoundTally] | None:
    """Return which of two withdrew in the end, and the last ballot before; None if nobody of two did.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> who, last = withdrew(contest("UNSC2007-EEG"))
    >>> who, last.round, last.tally
    ('Czech Republic', 2, (106, 81))
    """
    single = next((known.round for known in one.rounds if known.kind == "single"), one.decided_round + 1)
    last = next((known for known in one.ordinary if known.round == single - 1), None)
    if one.ending != "acclamation" and not (one.ending == "confirmed" and single <= one.decided_round):
        return None
    if last is None or len(last.field) != 2 or one.winner not in last.field:
        return None
    return next(name for name in last.field if name != one.winner), last


def end_of(one: Contest) -> str:
    """Return how a contest ended: one of ENDS.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> [end_of(contest(id)) for id in ("UNSC2007-EEG", "AU2025", "WHO2017")]
    ['withdrawal', 'confirmed', 'majority']
    """
    return "withdrawal" if one.ending == "acclamation" or withdrew(one) else one.ending


def over_at(one: Contest) -> int:
    """Return the round that decided: after a withdrawal the last one before it, also if the other was voted on.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> over_at(contest("UNSC2007-EEG")), over_at(contest("WHO2017"))
    (2, 3)
    """
    out = withdrew(one)
    return one.decided_round if out is None else out[1].round
