"""What a past contest's rounds were, what a forecaster knew after one, and what then followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from iomsim.errors import ScenarioError, quote
from iomsim.model.bodies import reading as rules_reading, readings
from iomsim.model.evidence import shipped_folders
from iomsim.rules.procedure import Procedure
from iomsim.rules.short_form import from_short_form

STRAY_SHARE = 0.02
"""A name with no more than this share of a round's votes is a stray, not one of its field."""

MAX_CANDIDATES = 16
"""Candidates that a scenario can hold; votes for smaller ones are then strays too."""


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
    papers : tuple of (str, int)
        Papers without a candidate as far as they were told, by the words of :data:`iomsim.model.lines.PAPERS`:
        "others", "blank", "invalid", "abstentions", "present".
    grade : str
        How well the tally is known, the least well known of its votes (see :data:`iomsim.validation.data.GRADES`).
    """

    round: int
    candidates: tuple[str, ...]
    tally: tuple[int, ...]
    valid: int | None = None
    needed: int | None = None
    date: date | None = None
    kind: str = "round"
    papers: tuple[tuple[str, int], ...] = ()
    grade: str = ""

    @property
    def votes(self) -> dict[str, int]:
        """Votes by candidate."""
        return dict(zip(self.candidates, self.tally, strict=True))

    @property
    def base(self) -> int:
        """Valid papers; if they were not announced the votes and the papers for others that were."""
        return sum(self.tally) + dict(self.papers).get("others", 0) if self.valid is None else self.valid

    @property
    def strays(self) -> int:
        """Valid papers that name none of the candidates here."""
        return self.base - sum(self.tally)

    @property
    def field(self) -> tuple[str, ...]:
        """The main candidates, most votes first: those with over 2 % of the votes, sixteen at most."""
        return main_candidates(self.votes)

    @property
    def tied(self) -> bool:
        """Whether two main candidates share the first place."""
        top = sorted(self.tally)[-2:]
        return len(self.field) > 1 and top[0] == top[-1]

    def among(self, names: tuple[str, ...]) -> RoundTally:
        """Return the round with the votes of these candidates only; the other valid papers are strays."""
        votes = self.votes
        return replace(self, candidates=names, tally=tuple(votes.get(name, 0) for name in names), valid=self.base)

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
    valid : int
        Valid papers of the last of them, those for other names too.
    size : int
        Members entitled to vote.
    rules : Procedure
        What elects.
    started : int
        Candidates of the first round, from which the rules count.
    first : bool
        Is the next round the first in which these candidates meet again?
    """

    candidates: tuple[str, ...]
    rounds: tuple[int, ...]
    tallies: tuple[tuple[int, ...], ...]
    valid: int
    size: int
    rules: Procedure
    started: int
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
        return votes_to_win(self.rules, round_, valid, self.size, self.started)


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


def votes_to_win(rules: Procedure, round_: int, valid: int, size: int, started: int) -> int:
    """Return the votes that elect in a round with so many valid papers, of `size` members, if `started` stood at first.

    Examples
    --------
    >>> votes_to_win(rules_of("X", "who"), 2, 183, 186, 3), votes_to_win(rules_of("X", "au"), 1, 48, 49, 3)
    (122, 33)
    """
    return int(rules.needed(size if rules.base == "entitled" else valid, round_, max(started, 2)))


def rules_of(name: str, body: str = "", reading: str = "", **stated: Any) -> Procedure:
    """Return the rules that a contest was held under: those of its body, but for what is stated.

    Where the body is none that is shipped, what is not stated does not happen, except that the trailing one of two may
    withdraw, and the other is then acclaimed.  Phases that are stated take the place of all that follows the body's
    own, their end included.

    Parameters
    ----------
    name : str
        What they are called, if no body has them.
    body, reading : str
        Id of a shipped body and name of a reading of its rules; default the first one.
    **stated
        Parts of a :class:`~iomsim.Procedure` or knobs of its short form; None is not stated.

    Raises
    ------
    UnknownNameError, ScenarioError
        If there is no such reading, or the parts make no procedure.

    Examples
    --------
    >>> rules_of("X", "who").needed(183, 3, candidates=3), rules_of("X", threshold=">1/2").needed(58)
    (92, 30)
    >>> rules_of("X", "au", phases=[{"ballots": 2}, {"vote": "yes-no", "ballots": 1}], after="fail").base
    'entitled'
    """
    told = {key: value for key, value in stated.items() if value is not None}
    if body not in shipped_folders("bodies"):
        if reading:
            raise ScenarioError(
                f"a reading needs the id of a shipped body, got {quote(body)}; iomsim.bodies() lists them"
            )
        told = {"name": name, "threshold": "2/3"} | ({} if "withdrawal" in told else {"concession": True}) | told
        old = None
    else:
        old = rules_reading(reading, body) if reading else next(iter(readings(body).values()))
        told = ({"after": None, "repeat_from": ""} if "phases" in told else {}) | told
    rules = from_short_form(told, old)
    return rules.with_(max_rounds=MAX_ROUNDS, name=rules.name)


MAX_ROUNDS = 60
"""Rounds after which a past contest, played on, counts as never resolved."""
