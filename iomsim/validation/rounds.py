"""What a past contest's rounds were, what a forecaster knew after one, and what then followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from iomsim.rules.bar import Bar
from iomsim.rules.procedure import Procedure
from iomsim.rules.short_form import from_short_form

STRAY_SHARE = 0.05
"""A candidate with no more than this share of a round's votes is a stray, not one of its field."""

MAX_CANDIDATES = 16
"""Candidates that a scenario can hold; smaller ones are then strays too."""


def main_candidates(votes: Mapping[str, int]) -> tuple[str, ...]:
    """Return those with more than STRAY_SHARE of the votes, most votes first, and sixteen at most.

    Examples
    --------
    >>> main_candidates({"Romania": 78, "Estonia": 111, "Latvia": 1})
    ('Estonia', 'Romania')
    """
    least = STRAY_SHARE * sum(votes.values())
    order = sorted(votes, key=lambda name: -votes[name])
    return tuple(name for name in order if votes[name] > least)[:MAX_CANDIDATES]


@dataclass(frozen=True, slots=True)
class RoundTally:
    """What was announced of one round.

    Attributes
    ----------
    round : int
        From 1.
    candidates : tuple of str
        Everybody named, in the order of the file.
    tally : tuple of int
        Their votes.
    valid : int or None
        Valid papers, None if not announced.
    needed : int or None
        Votes that would have elected, None if not announced.
    date : date or None
        The day.
    kind : str
        "round", "two-seat", "yes-no", "single" or "partial" (see :data:`iomsim.validation.data.KINDS`).
    """

    round: int
    candidates: tuple[str, ...]
    tally: tuple[int, ...]
    valid: int | None = None
    needed: int | None = None
    date: date | None = None
    kind: str = "round"

    @property
    def votes(self) -> dict[str, int]:
        """Votes by candidate."""
        return dict(zip(self.candidates, self.tally, strict=True))

    @property
    def base(self) -> int:
        """Valid papers, or the sum of the votes if they were not announced."""
        return sum(self.tally) if self.valid is None else self.valid

    @property
    def field(self) -> tuple[str, ...]:
        """The main candidates, most votes first: those with over 5 % of the votes, sixteen at most."""
        return main_candidates(self.votes)

    @property
    def tied(self) -> bool:
        """Whether two main candidates share the first place."""
        top = sorted(self.tally)[-2:]
        return len(self.field) > 1 and top[0] == top[-1]

    def among(self, names: tuple[str, ...]) -> RoundTally:
        """Return the round with the votes of these candidates only, strays pooled out."""
        votes = self.votes
        tally = tuple(votes.get(name, 0) for name in names)
        return RoundTally(self.round, names, tally, sum(tally), self.needed, self.date, self.kind)

    def share(self, name: str) -> float | None:
        """Return a candidate's share of the main candidates' votes; None if it was not named."""
        votes = self.votes
        return votes[name] / sum(votes[other] for other in {*self.field, name}) if name in votes else None


class Transition(NamedTuple):
    """Two consecutive rounds between the same candidates, the leader of the first named first.

    `first` says whether the second is the first in which they met again.
    """

    before: RoundTally
    after: RoundTally
    first: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a forecaster may use after a round.

    Attributes
    ----------
    candidates : tuple of str
        The main candidates, the leader of this round first.
    rounds : tuple of int
        The known rounds between exactly these candidates, this one last.
    tallies : tuple of tuple of int, shape (len(rounds), K)
        Their votes.
    size : int
        Members entitled to vote.
    rules : Procedure
        What elects.
    first : bool
        Is the next round the first in which these candidates meet again?
    """

    candidates: tuple[str, ...]
    rounds: tuple[int, ...]
    tallies: tuple[tuple[int, ...], ...]
    size: int
    rules: Procedure
    first: bool

    @property
    def round(self) -> int:
        """The round just announced."""
        return self.rounds[-1]

    @property
    def votes(self) -> tuple[int, ...]:
        """Its votes, the leader's first."""
        return self.tallies[-1]

    @property
    def share(self) -> float:
        """The leader's share of them."""
        return self.votes[0] / sum(self.votes)

    def needed(self, round_: int, valid: int) -> int:
        """Return the votes that elect in a round with so many valid papers."""
        base = self.size if self.rules.base == "entitled" else valid
        return int(self.rules.needed(base, round_, len(self.candidates)))


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What followed a round.

    Attributes
    ----------
    next_share : float or None
        The leader's share of the next round's votes, strays pooled out; None if not known, or if
        the next round was no vote between candidates.
    to_come : int
        Rounds until the one that decided; 0 if a withdrawal decided at once.
    winner : str or None
        Who of the field finally won; None if nobody of them did.
    ending : str
        How it ended, one of :data:`iomsim.rules.procedure.ENDINGS`.
    """

    next_share: float | None
    to_come: int
    winner: str | None
    ending: str

    @property
    def over_next(self) -> bool:
        """Whether it was over by the end of the next round, in whatever way."""
        return self.to_come <= 1


def rules_of(name: str, threshold: Bar | str, base: str, **parts: Any) -> Procedure:
    """Return the rules that a contest was held under, from the columns of the file that say something.

    Whatever the body, the trailing one of two may withdraw, and the other is then acclaimed.

    Examples
    --------
    >>> rules_of("WHO2017", "2/3", "valid", simple_majority_from=3).needed(183, 3)
    92
    >>> rules_of("UNESCO2017", ">1/2", "valid").needed(58)
    30
    """
    stated = {key: value for key, value in parts.items() if value is not None}
    known = {"name": name, "threshold": threshold, "base": base, "concession": True, "max_rounds": MAX_ROUNDS}
    return from_short_form(known | stated)


MAX_ROUNDS = 60
"""Rounds after which a past contest, played on, counts as never resolved."""
