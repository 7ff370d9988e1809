"""The runs in play, as arrays: how they stand, where their members stand, and what is written down.

Arrays are members first, runs last, so that comparison and summation run along contiguous memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from iomsim.engine.choice_binary import BinaryChoice
from iomsim.engine.choice_multinomial import MultinomialChoice
from iomsim.engine.packing import total
from iomsim.engine.plan import Draws, Plan
from iomsim.rules import course
from iomsim.typing import U64, Codes, Flags, Ints, Places, Shorts, Singles


@dataclass(eq=False)
class ActiveRuns:
    """How the runs in play stand, one column each; B columns, K candidates.

    Attributes
    ----------
    run : ndarray of int, shape (B,)
        Number of the run.
    column : ndarray of int, shape (B,)
        Which entry of the behaviour's arrays it takes.
    keys, fluid, present : ndarrays, shape (B,)
        The run's key, whether its contest moves, and how many members are present.
    counts, votes : ndarrays of int, shape (K, B)
        Members intending each candidate, and the papers of the last choice.
    standing : ndarray of bool, shape (K, B)
        Who has neither withdrawn nor been eliminated.
    withdrawn : ndarray of bool, shape (K, B)
        Who has withdrawn.
    stood : ndarray of bool, shape (K, B)
        Who stood in the last choice, that of `votes`; not kept where there are two who stay in the race.
    phase, held : ndarrays of int, shape (B,)
        The phase of the rules, and the ballots held in it.
    alone : ndarray of int, shape (B,)
        Candidate who faces a yes/no round next, or -1.
    conceded : ndarray of bool, shape (B,)
        Whether that is because the other withdrew.
    non_concessions : ndarray of int, shape (B,)
        Times the trailing camp did not concede.
    done : ndarray of bool, shape (B,)
        Finished runs that have not yet been dropped.
    behaviour : namespace
        The plan's behaviour, its arrays with one entry for each of the columns that runs take.
    choices : BinaryChoice, MultinomialChoice or None
        The members' intentions; None where only the tallies matter.
    """

    run: Places
    column: Places
    keys: U64
    fluid: Flags
    present: Ints
    counts: Ints
    votes: Ints
    standing: Flags
    withdrawn: Flags
    stood: Flags
    phase: Ints
    held: Ints
    alone: Ints
    conceded: Flags
    non_concessions: Ints
    done: Flags
    behaviour: SimpleNamespace
    choices: BinaryChoice | MultinomialChoice | None = None

    @property
    def position(self) -> course.Position:
        """How they stand under the rules."""
        return course.Position(*(getattr(self, name) for name in course.Position._fields))

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.run.size

    @property
    def crowded(self) -> Flags:
        """Whether three or more stood in the last choice, shape (B,)."""
        return np.asarray(self.stood.sum(axis=0, dtype=np.int8) > 2)

    @property
    def departed(self) -> Flags:
        """Who does not stand any more but is still intended by members, shape (K, B)."""
        return ~self.standing & (self.counts > 0)

    def part(self, columns: Places) -> ActiveRuns:
        """Return a copy of these columns."""
        taken = {name: getattr(self, name).take(columns, axis=-1) for name in COLUMNS}
        choices = None if self.choices is None else self.choices.part(columns)
        return ActiveRuns(**taken, behaviour=self.behaviour, choices=choices)

    def keep(self, columns: Places) -> ActiveRuns:
        """Return only these columns; the others are used up."""
        kept = self.part(columns)
        if self.choices is not None:
            self.choices.release()
        return kept


COLUMNS = [f.name for f in fields(ActiveRuns) if f.name not in ("behaviour", "choices")]


class Entry(NamedTuple):
    """Runs about to be played, their members not yet packed.

    `odds` are those of :func:`iomsim.engine.plan.member_odds`; `intention`, of shape ``(N, B)``, is whom members
    intend to vote for, K for the absent.  Between two candidates who stay in the race the absent carry 0, never
    move, and are taken off the counts.
    """

    runs: ActiveRuns
    odds: Singles
    intention: Codes


def numbered(entry: Entry, first: int, column: Places) -> Entry:
    """Return the same runs, numbered from `first` on, with other columns of the behaviour."""
    return entry._replace(runs=replace(entry.runs, run=np.arange(first, first + entry.runs.width), column=column))


def pack_runs(plan: Plan, entries: Iterable[Entry], width: int) -> ActiveRuns:
    """Put runs side by side, `width` in all, with their members packed."""
    choices: BinaryChoice | MultinomialChoice | None = None
    parts: list[ActiveRuns] = []
    at = 0
    for runs, odds, intention in entries:
        if choices is None:
            choices = (BinaryChoice if odds.ndim == 2 else MultinomialChoice).empty(odds.shape, width)
        choices.fill(slice(at, at + runs.width), odds, intention)
        at += runs.width
        parts.append(runs)
    return _side_by_side(plan, parts, choices)


def concatenate(plan: Plan, parts: Sequence[ActiveRuns]) -> ActiveRuns:
    """Put packed runs side by side; the parts are used up."""
    if len(parts) == 1:
        return parts[0]
    first, *others = (part.choices for part in parts)
    return _side_by_side(plan, parts, None if first is None else first.beside(others))


def _side_by_side(
    plan: Plan, parts: Sequence[ActiveRuns], choices: BinaryChoice | MultinomialChoice | None
) -> ActiveRuns:
    columns = {name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in COLUMNS}
    return ActiveRuns(**columns, behaviour=plan.behaviour, choices=choices)


class RoundRecord(NamedTuple):
    """One round of the runs that held it: run, votes (K, n), valid (n,), flows (K, K, n)."""

    round_: int
    run: Places
    votes: Ints
    valid: Ints
    flows: Ints

    def of(self, columns: Places) -> RoundRecord:
        """Return the record of some of the runs."""
        return RoundRecord(self.round_, *(array.take(columns, axis=-1) for array in self[1:]))


class KernelOutput(NamedTuple):
    """How every run ended, and the rounds it held."""

    winner: NDArray[np.int8]
    ending: Codes
    rounds: Shorts
    records: list[RoundRecord]


def before_round_one(plan: Plan, draws: Draws, odds: Singles, first: int = 0, column: Places | None = None) -> Entry:
    """Return runs before the first round, numbered from `first` on; each takes a column of its own unless told.

    Until they vote, all present count for candidate 0.
    """
    k, (n, width) = plan.candidates, draws.absent.shape
    at, no = course.begin(plan.book, k, width, plan.values.get("readings", 0)), np.zeros(width, dtype=bool)
    intention = np.zeros((n, width), dtype=np.uint8)
    if not plan.pairwise:
        intention[draws.absent] = k
    present = (n - total(draws.absent.view(np.uint8))).astype(np.int16)
    counts = np.zeros((k, width), dtype=np.int16)
    counts[0] = present
    runs = ActiveRuns(
        run=np.arange(first, first + width),
        column=np.arange(first, first + width) if column is None else column,
        keys=draws.keys,
        fluid=draws.fluid,
        present=present,
        counts=counts,
        votes=np.zeros((k, width), dtype=np.int16),
        **at._asdict(),
        stood=np.zeros((k, width), dtype=bool),
        conceded=no,
        non_concessions=np.zeros(width, dtype=np.int16),
        done=no,
        behaviour=plan.behaviour,
    )
    return Entry(runs, odds, intention)
