"""What came of an election, and the prices somebody had named: as they are typed, checked against the registration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from numbers import Real
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from iomsim.errors import IomsimError, quote, unknown, whole_number
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING
from iomsim.house_style import number_of, series
from iomsim.model.moments import before_the_opening, read_moment
from iomsim.registered.law import Law
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats

SOMEBODY_ELSE = "somebody else"
"""Who was elected without having stood at the registration: every forecast gives that nothing."""

ENDS = {NOBODY: ("failed",), STILL_VOTING: ("open",)}
"""The endings of what has no winner; a candidate's are the others."""


@dataclass(frozen=True)
class Outcome:
    """What came; None, or nothing, for what is not told.

    Attributes
    ----------
    winner : str
        A candidate, "nobody", "still voting" or "somebody else".
    rounds : int or None
        Rounds held.
    ended : datetime or None
        When it ended, as the clocks of the seat showed it.
    ending : str or None
        How, one of :data:`iomsim.rules.procedure.ENDINGS`.
    shares : dict of float
        By candidate, the share of the next tally after the registration: the first, if none was known.
    """

    winner: str
    rounds: int | None = None
    ended: datetime | None = None
    ending: str | None = None
    shares: Mapping[str, float] = field(default_factory=dict)


def outcome(
    law: Law,
    winner: Any,
    rounds: Any = None,
    ended: Any = None,
    ending: Any = None,
    first: Any = None,
    share: Any = None,
) -> Outcome:
    """Return what came, as it is told.

    Raises
    ------
    UnknownNameError
        If there is no such candidate or ending; the nearest name is given.
    IomsimError
        If something told cannot be, or contradicts something else.
    """
    came = _winner(law, winner)
    if rounds is not None:
        rounds = whole_number("rounds", rounds, law.announced)
        if rounds == 0 and came != NOBODY:
            raise IomsimError("rounds are those held, 1 at least where somebody is elected; got 0")
    if ended is not None and came == STILL_VOTING:
        raise IomsimError("what is still voting has not ended; leave ended out")
    if first is not None and share is not None:
        raise IomsimError("give the votes of the tally or the shares, not both")
    shares = _shares(law, share) if first is None else _votes(law, first)
    if shares and rounds is not None and rounds <= law.announced:
        raise IomsimError(f"no tally can have come after the registration if {number_of(rounds, 'round')} were held")
    return Outcome(came, rounds, _moment(law, ended), _ending(came, ending), shares)


def _winner(law: Law, winner: Any) -> str:
    options = [*law.outcomes, SOMEBODY_ELSE]
    if winner == NO_WINNER:
        raise IomsimError(
            f"say which way there is no winner: {quote(NOBODY)} (the rules end it) or {quote(STILL_VOTING)}"
        )
    if not isinstance(winner, str) or winner not in options:
        raise unknown("outcome", winner, options)
    return winner


def _ending(winner: str, ending: Any) -> str | None:
    if ending is None:
        return ENDS.get(winner, (None,))[0]
    if ending not in ENDINGS:
        raise unknown("ending", ending, ENDINGS)
    possible = ENDS.get(winner, tuple(name for name in ENDINGS if name not in ("failed", "open")))
    if ending not in possible:
        raise IomsimError(
            f"with {quote(winner)} as its outcome it ended as {series(possible, 'or')}, not {quote(ending)}"
        )
    return str(ending)


def _moment(law: Law, ended: Any) -> datetime | None:
    """Return a moment as the clocks of the seat showed it; one with an offset is taken there."""
    if ended is None:
        return None
    moment = ended if isinstance(ended, datetime) else _with_offset(str(ended))
    moment = read_moment(ended, law.opens) if moment is None else moment
    if moment.tzinfo is not None:
        moment = moment.astimezone(ZoneInfo(law.timezone)).replace(tzinfo=None)
    if moment < law.opens:
        raise IomsimError(f"{before_the_opening(moment, law.opens)}; hours are those of {law.timezone}")
    return moment


def _with_offset(text: str) -> datetime | None:
    """Return a moment that says its offset; None if the text is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _votes(law: Law, first: Any) -> dict[str, float]:
    """Return the shares of a tally: votes by candidate, or one after the other as the scenario names them."""
    if isinstance(first, Mapping):
        votes = {_candidate(law, name): whole_number(f"the votes of {name}", n, 0) for name, n in first.items()}
        if missing := [name for name in law.names if name not in votes]:
            raise IomsimError(f"the tally lacks {series(missing)}; give the votes of all, or shares of some")
    elif isinstance(first, Sequence) and not isinstance(first, str):
        if len(first) != len(law.names):
            raise IomsimError(f"a tally has a number for each of {series(law.names)}, got {len(first)}")
        votes = {name: whole_number(f"the votes of {name}", n, 0) for name, n in zip(law.names, first, strict=True)}
    else:
        raise IomsimError(f"the tally is votes by candidate, or a list of votes, got {quote(first)}")
    total = sum(votes.values())
    if not 0 < total <= law.entitled:
        raise IomsimError(f"the tally has {total} votes, and {law.entitled} members may vote; give one to all of them")
    return {name: number / total for name, number in votes.items()}


def _shares(law: Law, share: Any) -> dict[str, float]:
    """Return shares of the valid papers by candidate; those of some will do."""
    if share is None:
        return {}
    if not isinstance(share, Mapping):
        raise IomsimError(f"shares are given by candidate, such as {{{quote(law.names[0])}: 0.5}}, got {quote(share)}")
    shares = {_candidate(law, name): _fraction(f"the share of {name}", part) for name, part in share.items()}
    if sum(shares.values()) > 1 + 1e-3:
        raise IomsimError(f"the shares add up to {sum(shares.values()):.4g}, and can be 1 at most")
    return shares


def _candidate(law: Law, name: Any) -> str:
    if name not in law.names:
        raise unknown("candidate", name, law.names)
    return str(name)


def _fraction(what: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, Real) or not 0 <= float(given) <= 1:
        raise IomsimError(f"{what} must be between 0 and 1, got {quote(given)}; write 0.55 for 55 in 100")
    return float(given)


# -- prices ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Market:
    """Prices that somebody named, as chances.

    Attributes
    ----------
    prices : dict of float
        As they were given.
    chances : ndarray
        By outcome, summing to 1.
    remark : str
        What was done to them.
    """

    prices: Mapping[str, float]
    chances: Floats
    remark: str


def market(law: Law, prices: Any) -> Market | None:
    """Return prices as chances of the outcomes.

    Candidates without a price share evenly what the others leave.  Where all candidates have one, prices are divided
    by their sum: what bookmakers keep for themselves comes out.  "Nobody" and "still voting" count 0 unless they have
    a price.

    Raises
    ------
    UnknownNameError
        If a price is that of nobody who stands.
    IomsimError
        If a price is outside 0 to 1, all are 0, or they add up to more than 1 and candidates without a price are
        left nothing.
    """
    if prices is None:
        return None
    if not isinstance(prices, Mapping) or not prices:
        raise IomsimError(f"prices are given by outcome, such as {{{quote(law.names[0])}: 0.55}}, got {quote(prices)}")
    given = {}
    for name, price in prices.items():
        if name not in law.outcomes:
            raise unknown("outcome with a price", name, law.outcomes)
        given[str(name)] = _fraction(f"the price of {name}", price)
    total = math.fsum(given.values())
    missing = [name for name in law.names if name not in given]
    said = f"The prices add up to {total:.4g}"
    chances = dict(given)
    if missing:
        if total > 1 + 1e-9:
            raise IomsimError(f"the prices add up to {total:.4g}, which leaves nothing for {series(missing)}")
        rest = max(1.0 - total, 0.0)
        chances |= dict.fromkeys(missing, rest / len(missing))
        each = " each" * (len(missing) > 1)
        remark = (
            f"{said}; {series(missing)} had none, and what they leave counts for that: {rest / len(missing):.4g}{each}."
        )
    elif total <= 0:
        raise IomsimError("all prices are 0, which says nothing; give some of what may come")
    else:
        remark = "" if abs(total - 1) < 1e-9 else f"{said} and were divided by that."
    pmf = np.array([chances.get(name, 0.0) for name in law.outcomes])
    return Market(given, pmf / pmf.sum(), remark)
