"""Who is elected, who leaves, and when it stops: exact integers, no randomness."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np

from iomsim.errors import ScenarioError, unknown

ENDINGS = ("majority", "acclamation", "confirmed", "failed", "unresolved")
"""How a run can end; the last two have no winner."""

BASES = ("valid", "present", "entitled")
"""What the two thirds are two thirds of."""

TWO_THIRDS = Fraction(2, 3)

Grade = Literal["verified", "inferred", "recalled", "assumed"]
"""How well something is known."""

GIVEN = "given by the user"
"""The source of what has none."""

NEARLY = Fraction(1, 200)
"""A decimal this near to two thirds was meant to be two thirds: 0.667 of 165 papers is 111, not 110."""

MOST_ROUNDS = 40
"""Rounds after which a run is given up unless the rules say otherwise: no cap, as good as."""


def votes_needed(base: Any, threshold: Fraction = TWO_THIRDS) -> Any:
    """Return the fewest votes that reach `threshold` of `base`, a number or an array, in whole numbers.

    A float of 0.667 would be wrong exactly where the law is decided.  At least one vote is
    always needed, so that a round without a valid paper elects nobody.

    Examples
    --------
    >>> [votes_needed(base) for base in (143, 148, 165, 175)]
    [96, 99, 110, 117]
    """
    need = -(-base * threshold.numerator // threshold.denominator)
    return max(1, need) if isinstance(need, int) else np.maximum(1, need)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one election.

    Attributes
    ----------
    name : str
        A shipped rule set, or any label of your own.
    threshold : Fraction
        Share of the base that elects, written "2/3".  Above 0, at most 1.
    base : {"valid", "present", "entitled"}
        Valid papers; members present; members with a vote.  In a yes/no round it is always the
        papers that say yes or no.
    concession : bool
        May the trailing one of the last two withdraw?
    after_concession : {"acclamation", "confirmation"}
        What the one who remains faces.
    eliminate_after, eliminate_every : int or None, int
        With three or more standing: inconclusive rounds before the first elimination (None:
        nobody is ever eliminated), and between the next ones.
    max_two_way : int or None
        Inconclusive rounds between the last two after which the leader alone faces a yes/no
        round (None: they go on).
    max_rounds : int
        No round is held after this one; a run still open then is *unresolved*.
    simple_majority_from : int or None
        From this round on more than half of the base elects (None: never).  The World Health
        Assembly of 2017 did so from its third round on.
    grade, source : str
        How well the rules are known, and from where, as for every :class:`~iomsim.Quantity`; rules
        that differ in nothing else are equal.

    Examples
    --------
    >>> Rules(max_two_way=3).max_two_way
    3
    >>> Rules(threshold="1/2").threshold
    Fraction(1, 2)
    """

    name: str = "until-two-thirds"
    threshold: Fraction = TWO_THIRDS
    base: str = "valid"
    concession: bool = True
    after_concession: str = "acclamation"
    eliminate_after: int | None = 3
    eliminate_every: int = 1
    max_two_way: int | None = None
    max_rounds: int = MOST_ROUNDS
    simple_majority_from: int | None = None
    grade: str = field(default="assumed", compare=False, repr=False)
    source: str = field(default=GIVEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", _threshold(self.threshold))
        _one_of("base", self.base, BASES)
        _one_of("after_concession", self.after_concession, ("acclamation", "confirmation"))
        _one_of("grade", self.grade, get_args(Grade))
        if not isinstance(self.concession, bool):
            raise ScenarioError(f"concession must be true or false, got {self.concession!r}")
        for key in ("eliminate_after", "max_two_way", "simple_majority_from"):
            _whole(key, getattr(self, key), none_allowed=True)
        for key in ("eliminate_every", "max_rounds"):
            _whole(key, getattr(self, key), none_allowed=False)
        if self.max_rounds > 1000:
            raise ScenarioError(f"max_rounds must be at most 1000, got {self.max_rounds}")

    @property
    def shipped(self) -> bool:
        """Whether these are a shipped rule set as it stands."""
        return self == RULE_SETS.get(self.name)

    @property
    def label(self) -> str:
        """The name, which says so if a shipped rule set of this name was changed in parts.

        Examples
        --------
        >>> Rules(name="strict", concession=False).label, Rules(name="strict", max_rounds=3).label
        ('strict', 'strict, changed')
        """
        return f"{self.name}, changed" if self.name in RULE_SETS and not self.shipped else self.name

    def with_(self, **changes: Any) -> Rules:
        """Return changed rules; an unknown part is refused with the nearest valid name."""
        for key in changes:
            if key not in FIELDS:
                raise unknown("part of the rules", key, FIELDS)
        return replace(self, **changes)

    def needed(self, base: Any, round_: int = 1) -> Any:
        """Return the votes that elect in a round when the base is `base`, a number or an array.

        Examples
        --------
        >>> Rules().needed(165), Rules(simple_majority_from=3).needed(183, round_=3)
        (110, 92)
        """
        if self.simple_majority_from is not None and round_ >= self.simple_majority_from:
            return base // 2 + 1
        return votes_needed(base, self.threshold)

    def elimination_due(self, rounds: Any) -> Any:
        """Return whether the last of three or more leaves after so many inconclusive rounds, a number or an array.

        Examples
        --------
        >>> [Rules(eliminate_after=3, eliminate_every=2).elimination_due(rounds) for rounds in (2, 3, 4, 5)]
        [False, True, False, True]
        """
        if self.eliminate_after is None:
            return np.zeros(np.shape(rounds), dtype=bool)
        return (rounds >= self.eliminate_after) & ((rounds - self.eliminate_after) % self.eliminate_every == 0)

    def sentence(self, candidates: int = 2) -> str:
        """Return the rules as plain words, for as many candidates as stand."""
        parts = [f"elected with {self.threshold} of the {_BASE_WORDS[self.base]}"]
        if self.simple_majority_from is not None:
            parts.append(f"from round {self.simple_majority_from} on more than half suffices")
        if candidates > 2 and self.eliminate_after is not None:
            parts.append(
                f"while three or more stand the last is out after round {self.eliminate_after}{self._next_out}"
            )
        if self.max_two_way is not None:
            parts.append(
                f"after {self.max_two_way} inconclusive two-way round{'s' * (self.max_two_way > 1)}"
                " the leader alone faces a yes/no round"
            )
        if self.max_rounds != MOST_ROUNDS:
            parts.append(f"given up after round {self.max_rounds}")
        elif self.max_two_way is None:
            parts.append("no cap on the rounds")
        if self.concession:
            then = "acclaimed" if self.after_concession == "acclamation" else "put to a yes/no round"
            parts.append(f"the trailing one of two may withdraw, the other is then {then}")
        else:
            parts.append("no concession")
        return "; ".join(parts)

    @property
    def _next_out(self) -> str:
        every = self.eliminate_every
        return f", and another after every {f'{every} rounds' if every > 1 else 'round'} from then on"


def _threshold(value: Any) -> Fraction:
    try:
        threshold = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ScenarioError(f"threshold must be a fraction such as '2/3', got {value!r}") from None
    if not 0 < threshold <= 1:
        raise ScenarioError(f"threshold must be above 0 and at most 1, got {value!r}; write '2/3'")
    if "." in str(value) and abs(threshold - TWO_THIRDS) < NEARLY:
        if abs(threshold - TWO_THIRDS) < Fraction(1, 10**12):
            return TWO_THIRDS
        raise ScenarioError(f"threshold {value} is not two thirds and elects otherwise where it matters; write '2/3'")
    return threshold


def _one_of(key: str, value: Any, options: tuple[str, ...]) -> None:
    if value not in options:
        raise ScenarioError(f"{key} must be one of {', '.join(options)}; got {value!r}")


def _whole(key: str, value: Any, none_allowed: bool) -> None:
    if value is None and none_allowed:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ScenarioError(f"{key} must be a whole number of at least 1, got {value!r}")


FIELDS = tuple(part.name for part in fields(Rules))
PARTS = tuple(part.name for part in fields(Rules) if part.compare and part.name != "name")
"""What decides an election: all but the name, and where the rules are known from."""

_BASE_WORDS = {
    "valid": "valid papers",
    "present": "members present",
    "entitled": "members with a vote",
}

RULE_SETS: dict[str, Rules] = {
    rules.name: rules
    for rules in (
        Rules(name="until-two-thirds"),
        Rules(name="strict", concession=False),
        Rules(name="four-rounds", max_two_way=3),
        Rules(name="one-two-way", max_two_way=1),
    )
}
"""The shipped rule sets by name."""


def rule_set(name: str) -> Rules:
    """Return a shipped rule set.

    Raises
    ------
    UnknownNameError
        If there is none of this name.

    Examples
    --------
    >>> rule_set("strict").concession
    False
    """
    if name not in RULE_SETS:
        raise unknown("rule set", name, RULE_SETS)
    return RULE_SETS[name]
