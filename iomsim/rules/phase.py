"""One phase of a procedure: who may stand in it, how many ballots it holds, and who leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from iomsim.errors import ScenarioError, quote, unknown
from iomsim.house_style import unfit_name
from iomsim.rules.bar import BASES, Bar, as_written, bars_of
from iomsim.rules.words import Told, phase_in_words

FIELDS = ("remaining", "all but the last", "all")
"""Who may stand when a phase begins: who still does; these without the last; everybody who has not withdrawn."""

VOTES = ("choice", "yes-no")
TIES = ("lot", "extra")

MOST_BALLOTS = 1000
"""Ballots that rules may count."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Phase:
    """One phase of a procedure.

    Attributes
    ----------
    name : str
        What `repeat_from` calls it.
    field : {"remaining", "all but the last", "all"}
        Who may stand when it begins: who still stands; these without the one with fewest votes in the last
        ballot; everybody who has not withdrawn, also those put out before.
    keep : int or None
        Only so many may stand when it begins, those with most votes in the last ballot.
    standing : int
        It is held only while at least so many stand; with fewer the next phase follows.
    ballots : int or None
        How many it may hold; None for no limit.
    drop, down_to : int
        How many leave after each inconclusive ballot, those with fewest votes, while more than `down_to` stand.
    vote : {"choice", "yes-no"}
        A vote between those who stand, or on the leader of the last ballot alone.
    threshold : tuple of Bar or None
        Of successive ballots of the phase, the last one stays; None for the procedure's.
    base : {"valid", "present", "entitled"} or None
        None for the procedure's.  In a yes/no ballot the valid papers are those that say yes or no.
    tie : {"lot", "extra"}
        How a tie at the cut of this phase is broken: by lot, or by one more ballot among the tied and then by lot.
    barred : bool
        Whether members barred while their candidate stands (:class:`iomsim.Electorate`) stay out of its ballots.

    Examples
    --------
    >>> Phase(keep=2, ballots=3).cut(5), Phase(standing=3).bounded
    (2, True)
    """

    name: str = ""
    field: str = "remaining"
    keep: int | None = None
    standing: int = 1
    ballots: int | None = None
    drop: int = 0
    down_to: int = 2
    vote: str = "choice"
    threshold: tuple[Bar, ...] | None = None
    base: str | None = None
    tie: str = "lot"
    barred: bool = False

    def __post_init__(self) -> None:
        text("the name of a phase", self.name)
        where = f"phase {quote(self.name)}" if self.name else "a phase"
        one_of(f"{where}: field", self.field, FIELDS)
        one_of(f"{where}: vote", self.vote, VOTES)
        one_of(f"{where}: tie", self.tie, TIES)
        if self.base is not None:
            one_of(f"{where}: base", self.base, BASES)
        for key in ("keep", "ballots"):
            if getattr(self, key) is not None:
                whole(f"{where}: {key}", getattr(self, key), 1)
        if self.ballots is not None and self.ballots > MOST_BALLOTS:
            raise ScenarioError(
                f"{where}: ballots must be at most {MOST_BALLOTS}, got {quote(self.ballots)}; leave it out for no limit"
            )
        for key, least in (("standing", 1), ("drop", 0), ("down_to", 1)):
            whole(f"{where}: {key}", getattr(self, key), least)
        if not isinstance(self.barred, bool):
            raise ScenarioError(f"{where}: barred must be true or false, got {quote(self.barred)}")
        if self.threshold is not None:
            object.__setattr__(self, "threshold", bars_of(self.threshold))
        if self.keep is not None and self.field != "remaining":
            raise ScenarioError(
                f"{where}: keep = {quote(self.keep)} and field = {quote(self.field)} exclude each other; leave one out"
            )
        if self.vote == "yes-no" and (self.ballots is None or self.drop):
            raise ScenarioError(
                f"{where}: a yes/no vote on one needs a number of ballots, and nobody can be dropped by it"
            )

    @classmethod
    def of(cls, table: Mapping[str, Any] | Phase) -> Phase:
        """Return a phase from a table of a file."""
        if isinstance(table, Phase):
            return table
        if not isinstance(table, Mapping):
            raise ScenarioError(f"a phase must be a Phase or a table such as {{'ballots': 3}}, got {quote(table)}")
        return cls(**known_parts(cls, table, "part of a phase"))

    @property
    def bounded(self) -> bool:
        """Whether it can be over."""
        return self.ballots is not None or self.standing > 1

    def cut(self, standing: int) -> int:
        """Return how many may stand when it begins, of so many who do."""
        if self.keep is not None:
            return min(standing, self.keep)
        return max(standing - 1, 1) if self.field == "all but the last" else standing

    def sentence(self) -> str:
        """Return the phase in plain words; what elects is told if the phase has a threshold of its own.

        Examples
        --------
        >>> Phase(standing=3, ballots=3).sentence(), Phase(keep=2, ballots=1).sentence()
        ('With three or more there are three ballots.', 'There is one ballot between the two with most votes.')
        """
        return phase_in_words(self.told((), "valid"))

    def told(self, bars: tuple[Bar, ...], base: str) -> Told:
        """Return what is told of it in words, `bars` and `base` being the procedure's."""
        return Told(
            standing=self.standing,
            field=self.field,
            keep=self.keep,
            ballots=self.ballots,
            drop=self.drop,
            down_to=self.down_to,
            vote=self.vote,
            bars=bars if self.threshold is None else self.threshold,
            base=self.base or base,
            extra=self.tie == "extra",
            barred=self.barred,
            own=self.threshold is not None,
        )

    def __repr__(self) -> str:
        """Return the phase with what it states."""
        return f"Phase({', '.join(f'{key}={quote(value)}' for key, value in self.table().items())})"

    def table(self) -> dict[str, Any]:
        """Return the phase as a table of a file."""
        stated = {part.name: getattr(self, part.name) for part in fields(self)}
        out = {part.name: stated[part.name] for part in fields(self) if stated[part.name] != part.default}
        return out | ({"threshold": as_written(self.threshold)} if self.threshold is not None else {})


def one_of(key: str, value: Any, options: tuple[str, ...]) -> None:
    """Refuse a value that is not among the options."""
    if value not in options:
        raise ScenarioError(f"{key} must be one of {', '.join(options)}; got {quote(value)}")


def text(key: str, value: Any) -> None:
    """Refuse what is not a text, or a name that cannot be shown."""
    if not isinstance(value, str):
        raise ScenarioError(f"{key} must be a text, got {quote(value)}")
    if value and (said := unfit_name(value)):
        raise ScenarioError(f"{key} {said}")


def whole(key: str, value: Any, least: int) -> None:
    """Refuse what is not a whole number, or too small."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ScenarioError(f"{key} must be a whole number of at least {least}, got {quote(value)}")


def known_parts(kind: Any, table: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return a table whose keys are all fields of a dataclass; refuse others with the nearest name."""
    known = [part.name for part in fields(kind)]
    for key in table:
        if key not in known:
            raise unknown(what, key, known)
    return dict(table)
