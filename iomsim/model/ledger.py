"""A whip count as a description: who has pledged to whom, how, and what a pledge of that kind is worth.

A pledge is a signal with a confusion matrix, not a vote.  If a part `q` of those who mean to vote for a candidate
pledge to it, and a part ``1 - q`` of those who do not (a symmetric confusion matrix), then hearing the pledge
multiplies the odds of the vote by ``q / (1 - q)``: it adds ``ln(q / (1 - q))`` to the log-odds, and of members that are
otherwise undecided the part `q` keep it.  Where 10 % of these do not come, a pledge is worth ``ln(0.9 / 0.1) = 2.20``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from iomsim.errors import ScenarioError, UnknownNameError, advice, quote
from iomsim.house_style import capital, number, number_of, series
from iomsim.model.dates import Day
from iomsim.model.evidence import statements
from iomsim.model.names import finder
from iomsim.model.quantities import LEAN, RANGE, FrozenDict, FrozenModel, Name, Quantity, Strength, Text, stated
from iomsim.model.tables import MOST_ROWS
from iomsim.typing import Floats, Longs

Kind = Literal["public", "signed", "written", "oral", "claimed"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of pledges, the strongest first: of several from a member to a candidate the first counts."""

NAMES = {
    "public": "a public pledge",
    "signed": "a signed pledge",
    "written": "a written pledge",
    "oral": "an oral pledge",
    "claimed": "a claimed pledge",
}


def _worth(value: float, low: float, high: float, source: str, grade: Any = "inferred") -> Quantity:
    return Quantity(value=value, low=low, high=high, unit="log-odds", grade=grade, source=source)


DISCOUNTS: dict[str, Quantity] = {
    "public": _worth(2.0, 1.4, 2.6, "pledge-by-name", "assumed"),
    "signed": _worth(2.20, 1.1, 2.9, "whip-signed", "assumed"),
    "written": _worth(2.20, 0.7, 2.9, "whip-written, pledge-written", "recalled"),
    "oral": _worth(1.39, 0.35, 2.2, "whip-oral, pledge-oral", "recalled"),
    "claimed": _worth(0.94, 0.4, 1.4, "claims-kept"),
}
"""What a pledge of each kind is worth unless a ledger says otherwise: the log-odds that it adds."""

SHARED = 0.5
"""What each pledge counts of a member that has pledged to several candidates.

To have pledged to both tells next to nothing (fact `pledge-both`): two of a kind cancel each other out, and of two
kinds half of the difference is left.
"""


class Pledge(FrozenModel):
    """One line of a whip count.

    Attributes
    ----------
    member, candidate : str
        Who has pledged, by name or id, and to whom.
    kind : {"public", "signed", "written", "oral", "claimed"}
        Said in public by name, signed, written, oral, or claimed by the candidate's side.
    date : date, optional
        When.
    source : str
        From where it is known.
    """

    member: Name
    candidate: Name
    kind: Kind
    date: Day | None = None
    source: Text = ""

    @property
    def name(self) -> str:
        """The pledge in words."""
        return f"{self.member} to {self.candidate}"


class Ledger(FrozenModel):
    """A whip count: pledges, and what a pledge of each kind is worth.

    Examples
    --------
    >>> Ledger(pledges=[{"member": "Brazil", "candidate": "Vitorino", "kind": "oral"}])
    Ledger: one pledge, to Vitorino
      oral: 1.39 (0.35 to 2.2) log-odds
    """

    pledges: Annotated[tuple[Pledge, ...], Field(max_length=MOST_ROWS)] = ()
    """As they were heard; see :class:`Entry` for what each counts."""
    discounts: Annotated[dict[str, Strength], AfterValidator(FrozenDict)] = stated("log-odds", LEAN, FrozenDict())
    """Log-odds that a pledge of a kind adds to the lean of its member towards the candidate; of the kinds in the ledger
    only.  Default :data:`DISCOUNTS`."""

    @model_validator(mode="before")
    @classmethod
    def _usual_discounts(cls, data: Any) -> Any:
        """Have kinds without a discount take the usual one."""
        given = data.get("discounts", {}) if isinstance(data, Mapping) else None
        pledges = data.get("pledges", ()) if isinstance(data, Mapping) else ()
        if not isinstance(given, Mapping) or not isinstance(pledges, (list, tuple)):
            return data
        kinds = [dict(one).get("kind") for one in pledges if isinstance(one, (Mapping, Pledge))]
        usual = {kind: DISCOUNTS[kind] for kind in KINDS if kind in kinds and kind not in given}
        both = {**usual, **given}
        return {**data, "discounts": {kind: both[kind] for kind in (*KINDS, *given) if kind in both}}

    @model_validator(mode="after")
    def _used(self) -> Self:
        used = {pledge.kind for pledge in self.pledges}
        for kind in self.discounts:
            if kind not in KINDS:
                raise ScenarioError(
                    f"the ledger's discounts name {quote(kind)}, which is no kind; {advice(kind, KINDS)}"
                )
            if kind not in used:
                have = f"it has {series([k for k in KINDS if k in used])}" if used else "it is empty"
                raise ScenarioError(f"the ledger's discounts name {quote(kind)}, but it has no such pledge; {have}")
        return self

    def _label(self, key: str, part: str | None = None) -> str:
        return f"what {NAMES.get(str(part), key)} is worth"

    def __repr__(self) -> str:
        """Return the number of pledges and what they are worth."""
        rows = [f"  {kind}: {worth}" for kind, worth in self.discounts.items()]
        return "\n".join([f"Ledger: {told(self)}", *rows])

    __str__ = __repr__


def told(ledger: Ledger) -> str:
    """Return how many pledges there are to each candidate, in words.

    Examples
    --------
    >>> told(Ledger(pledges=[{"member": name, "candidate": "A", "kind": "oral"} for name in ("M1", "M2")]))
    'two pledges, to A'
    """
    names = list(dict.fromkeys(pledge.candidate for pledge in ledger.pledges))
    if not names:
        return "no pledges"
    heard = [pledge.candidate for pledge in ledger.pledges]
    total = number_of(len(heard), "pledge")
    if len(names) == 1:
        return f"{total}, to {names[0]}"
    return f"{total}, {series([f'{number(heard.count(name))} to {name}' for name in names])}"


class Entry(NamedTuple):
    """A pledge of a ledger in an election: the member's row, how much it counts, and why not in full."""

    pledge: Pledge
    row: int
    counts: float
    note: str


def entries(
    ledger: Ledger, members: pd.DataFrame, names: tuple[str, ...], pins: Longs, votes: np.ndarray
) -> list[Entry]:
    """Return what each pledge of a ledger counts.

    Of several pledges from a member to a candidate the strongest counts (in the order of :data:`KINDS`), and once; of a
    member that has pledged to several candidates each counts half (:data:`SHARED`); those of members that are pinned or
    have no vote count nothing.

    Parameters
    ----------
    ledger : Ledger
        The pledges.
    members : DataFrame
        The member table.
    names : tuple of str
        The candidates.
    pins, votes : ndarray, shape (N,)
        Candidate each member is pinned to, or -1; who has a vote.

    Raises
    ------
    UnknownNameError, ScenarioError
        If there is no such member or candidate.
    """
    find = finder(members)
    places = [_row(find, pledge) for pledge in ledger.pledges]
    best: dict[tuple[int, str], int] = {}
    for number_, (row, pledge) in enumerate(zip(places, ledger.pledges, strict=True)):
        if pledge.candidate not in names:
            what = f"the ledger has a pledge of {pledge.member} to {quote(pledge.candidate)}, who does not stand"
            raise ScenarioError(f"{what}; {advice(pledge.candidate, names)}")
        other = best.get((row, pledge.candidate))
        if other is None or KINDS.index(pledge.kind) < KINDS.index(ledger.pledges[other].kind):
            best[row, pledge.candidate] = number_
    to: dict[int, list[str]] = {}
    for row, candidate in best:
        to.setdefault(row, []).append(candidate)
    found = []
    for number_, (row, pledge) in enumerate(zip(places, ledger.pledges, strict=True)):
        strongest = best[row, pledge.candidate]
        others = [name for name in to[row] if name != pledge.candidate]
        idle = without_effect(row, names, pins, votes)
        if idle:
            counts, note = 0.0, idle
        elif strongest != number_:
            kind = ledger.pledges[strongest].kind
            counts, note = 0.0, "counted once" if kind == pledge.kind else f"the {kind} pledge counts"
        elif others:
            counts, note = SHARED, f"counts half: pledged to {series(others)} too"
        else:
            counts, note = 1.0, ""
        found.append(Entry(pledge, row, counts, note))
    return found


def without_effect(row: int, names: tuple[str, ...], pins: Longs, votes: np.ndarray) -> str:
    """Return why it changes nothing what a member is heard to do; "" if it does.

    Examples
    --------
    >>> [without_effect(row, ("A", "B"), np.array([1, -1, -1]), np.array([1, 0, 1])) for row in range(3)]
    ['no effect: pinned to B', 'no effect: without a vote', '']
    """
    if not votes[row]:
        return "no effect: without a vote"
    return f"no effect: pinned to {names[pins[row]]}" if pins[row] >= 0 else ""


def _row(find: Callable[[str], int], pledge: Pledge) -> int:
    try:
        return find(pledge.member)
    except UnknownNameError as error:
        raise UnknownNameError(f"the ledger: {error}") from None


def bound(found: Iterable[Entry], size: int) -> dict[tuple[str, str], Floats]:
    """Return by kind and candidate how much each of so many members is bound by pledges, shape ``(size,)`` each."""
    out: dict[tuple[str, str], Floats] = {}
    for entry in found:
        weights = out.setdefault((entry.pledge.kind, entry.pledge.candidate), np.zeros(size))
        weights[entry.row] += entry.counts
    return out


def evidence(ledger: Ledger | None, found: Iterable[Entry], members: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row of the evidence for every pledge: the worth of its kind, times what it counts."""
    if ledger is None:
        return []
    out = []
    for pledge, row, counts, note in found:
        worth, who = ledger.discounts[pledge.kind], f"{members['name'][row]} to {pledge.candidate}"
        when = "" if pledge.date is None else f", {pledge.date.isoformat()}"
        said = f"{NAMES[pledge.kind].partition(' ')[2]} of {who}{when}{f'; {note}' if note else ''}."
        both = statements("pledge-both") if counts == SHARED else []
        out.append(
            {
                "parameter": f"pledge of {who}",
                **{key: counts * getattr(worth, key) for key in RANGE},
                "unit": worth.unit,
                "grade": worth.grade,
                "source": pledge.source or "the ledger",
                "statement": " ".join([capital(said), *both]),
            }
        )
    return out
