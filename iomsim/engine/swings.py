"""Members who go over: so many of a group, drawn anew in each run, before the papers of the first round are counted.

Every member has a number in each swing of a run, whatever else happens there; of those who may go over they with
the smallest numbers do.  So ten of a group are among its twenty, and runs with a swing can be compared with runs
without one.
"""

from __future__ import annotations

import numpy as np

from iomsim.engine import rng
from iomsim.engine.choice import TILE, tiles
from iomsim.engine.plan import Plan
from iomsim.engine.rng import Lane
from iomsim.engine.state import ActiveRuns
from iomsim.typing import U64, Flags, Ints, Places

NEVER = np.uint64(2**64 - 1)
"""The number of those who may not go over."""


def go_over(plan: Plan, runs: ActiveRuns) -> Ints:
    """Let the swings' members go over, one swing after the other, and count them where they are now.

    May go over: who is there, has a vote, is pinned to nobody, intends another candidate, and has not gone over in a
    swing before.  Of fewer than are asked for all go.  They do not think again while the candidate stands.

    Returns
    -------
    ndarray of int, shape (swings, B)
        How many went over in each swing.
    """
    assert runs.choices is not None
    gone = np.zeros((len(plan.members), runs.width), dtype=bool)
    free, choosing, counted = plan.votes & (plan.pins < 0), runs.alone < 0, []
    for number, swing in enumerate(plan.swings, start=1):
        members, k = np.flatnonzero(swing.who & free), swing.candidate
        others = [runs.choices.intending(c, members) if c != k else None for c in range(plan.candidates)]
        possible = runs.choices.there(members) & choosing & ~gone[members] & ~runs.choices.intending(k, members)
        chosen = lowest(runs.keys, number, members, possible, swing.size)
        left = [0 if flags is None else np.count_nonzero(flags & chosen, axis=0) for flags in others]
        count = np.count_nonzero(chosen, axis=0)
        change = np.array([count if c == k else np.negative(left[c]) for c in range(plan.candidates)])
        runs.counts = runs.counts + change.astype(np.int16)
        runs.choices.bind(members, chosen, k)
        gone[members] |= chosen
        counted.append(count)
    return np.array(counted)


def lowest(keys: U64, number: int, members: Places, possible: Flags, count: int) -> Flags:
    """Return the `count` members with the smallest numbers of those possible, or all of fewer, shape ``(members, B)``.

    Examples
    --------
    >>> keys, who = np.arange(3, dtype=np.uint64), np.arange(4)
    >>> lowest(keys, 1, who, np.array([[True], [False], [True], [True]]) & (keys >= 0), 2).sum(axis=0).tolist()
    [2, 2, 2]
    """
    chosen = np.zeros_like(possible)
    if not members.size:
        return chosen
    lanes = (Lane.SWING + members).astype(np.uint64)
    place = min(count, members.size) - 1
    for tile in tiles(keys.size, TILE):
        numbers = np.where(possible[:, tile].T, rng.words(keys[tile, None], number, lanes), NEVER)
        last = np.partition(numbers, place, axis=1)[:, place]
        chosen[:, tile] = possible[:, tile] & (last >= numbers.T)
    return chosen
