"""The runs in play, as arrays: how they stand, where their members stand, and what is written down.

Arrays are members first, runs last, so that comparison and summation run along contiguous memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from iomsim.engine.choice_binary import Pair
from iomsim.engine.choice_multinomial import Crowd
from iomsim.engine.packing import total
from iomsim.rules.ruleset import Rules
from iomsim.typing import U64, Codes, Flags, Ints, Longs, Places, Shorts, Singles


class Setting(NamedTuple):
    """What all runs of a block share.

    `pinned` counts the pinned members per candidate, shape ``(K,)``; `entitled` the members with
    a vote; `behaviour` holds the model's parameters as plain numbers.
    """

    candidates: int
    entitled: int
    pinned: Longs
    behaviour: SimpleNamespace
    rules: Rules


@dataclass(eq=False)
class State:
    """How the runs in play stand, one column each; B columns, K candidates.

    Attributes
    ----------
    run : ndarray of int, shape (B,)
        Number of the run.
    keys, fluid, present : ndarrays, shape (B,)
        The run's key, whether its contest moves, and how many members are present.
    counts, votes : ndarrays of int, shape (K, B)
        Members intending each candidate, and the papers of the last round.
    standing : ndarray of bool, shape (K, B)
        Who has neither withdrawn nor been eliminated.
    gone : ndarray of int, shape (B,)
        Candidate who left after the last round, or -1.
    alone : ndarray of int, shape (B,)
        Candidate who faces a yes/no round next, or -1.
    refusals, crowded, two_way : ndarrays of int, shape (B,)
        Times the trailing camp did not concede; inconclusive rounds with three or more standing;
        inconclusive rounds between two.
    done : ndarray of bool, shape (B,)
        Finished runs that have not yet been dropped.
    """

    run: Places
    keys: U64
    fluid: Flags
    present: Ints
    counts: Ints
    votes: Ints
    standing: Flags
    gone: Ints
    alone: Ints
    refusals: Ints
    crowded: Ints
    two_way: Ints
    done: Flags

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.run.size


COLUMNS = [f.name for f in fields(State)]


@dataclass(eq=False)
class Field(State):
    """Runs before they are played, or played on; N members.

    Attributes
    ----------
    stance : ndarray of float32, shape (N, B) or (K, N, B)
        Odds against candidate 0 (two candidates), or log-odds of every candidate.
    intention : ndarray of uint8, shape (N, B)
        Candidate a member intends to vote for; K for the absent where three or more stand.
        Between two candidates the absent carry 0, never move, and are taken off the counts.
    """

    stance: Singles
    intention: Codes


@dataclass(eq=False)
class Hall(State):
    """Runs that are being played: the members have taken their seats."""

    minds: Pair | Crowd

    def keep(self, columns: Places) -> Hall:
        """Return the hall with only these columns."""
        kept = {name: getattr(self, name).take(columns, axis=-1) for name in COLUMNS}
        return Hall(minds=self.minds.keep(columns), **kept)


def seated(parts: Iterable[Field], width: int) -> Hall:
    """Seat the members of several fields, `width` runs in all, side by side."""
    minds: Pair | Crowd | None = None
    columns: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    at = 0
    for part in parts:
        if minds is None:
            minds = (Pair if part.stance.ndim == 2 else Crowd).room(part.stance.shape, width)
        minds.put(slice(at, at + part.width), part.stance, part.intention)
        at += part.width
        for name, arrays in columns.items():
            arrays.append(getattr(part, name))
    assert minds is not None
    return Hall(minds=minds, **{name: np.concatenate(arrays, axis=-1) for name, arrays in columns.items()})


def abreast(halls: Sequence[Hall]) -> Hall:
    """Put the runs of several halls side by side."""
    if len(halls) == 1:
        return halls[0]
    first, *others = (hall.minds for hall in halls)
    columns = {name: np.concatenate([getattr(hall, name) for hall in halls], axis=-1) for name in COLUMNS}
    return Hall(minds=first.beside(others), **columns)


class Rows(NamedTuple):
    """One round of the runs that held it: run, votes (K, n), valid (n,), flows (K, K, n)."""

    round_: int
    run: Places
    votes: Ints
    valid: Ints
    flows: Ints

    def of(self, columns: Places) -> Rows:
        """Return the rows of some of the runs."""
        return Rows(self.round_, *(array.take(columns, axis=-1) for array in self[1:]))


class Played(NamedTuple):
    """How every run of a block ended, and the rounds it held."""

    winner: NDArray[np.int8]
    ending: Codes
    rounds: Shorts
    rows: list[Rows]


def opening(setting: Setting, keys: U64, fluid: Flags, absent: Flags, stance: Singles, first: int = 0) -> Field:
    """Return the field before the first round, its runs numbered from `first` on.

    Until they vote, all present count for candidate 0.
    """
    k, (n, width) = setting.candidates, absent.shape
    nothing, nobody = np.zeros(width, dtype=np.int16), np.full(width, -1, dtype=np.int16)
    intention = np.zeros((n, width), dtype=np.uint8)
    if k > 2:
        intention[absent] = k
    present = (n - total(absent.view(np.uint8))).astype(np.int16)
    counts = np.zeros((k, width), dtype=np.int16)
    counts[0] = present
    return Field(
        run=np.arange(first, first + width),
        keys=keys,
        fluid=fluid,
        present=present,
        counts=counts,
        votes=np.zeros((k, width), dtype=np.int16),
        standing=np.ones((k, width), dtype=bool),
        gone=nobody,
        alone=nobody,
        refusals=nothing,
        crowded=nothing,
        two_way=nothing,
        done=np.zeros(width, dtype=bool),
        stance=stance,
        intention=intention,
    )


# -- records -------------------------------------------------------------------------------------


def ragged(played: Played, candidates: int) -> tuple[Shorts, ...]:
    """Return votes (R, K), valid (R,) and flows (R, K, K) ordered by run, then round."""
    k, held = candidates, played.rounds.astype(np.int64)
    start = np.cumsum(held) - held
    table = np.zeros((int(held.sum()), k + 1 + k * k), dtype=np.int16)
    for rows in played.rows:
        at = start[rows.run] + (rows.round_ - 1)
        table[at] = np.concatenate([rows.votes, rows.valid[None], rows.flows.reshape(k * k, -1)], dtype=np.int16).T
    return table[:, :k], table[:, k], table[:, k + 1 :].reshape(-1, k, k)
