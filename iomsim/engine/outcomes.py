"""What a number of runs came to, as small arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iomsim.engine.kernel import OPEN
from iomsim.engine.state import KernelOutput
from iomsim.typing import Codes, Floats, Longs, Shorts


@dataclass(frozen=True, eq=False)
class Endings:
    """How a number of runs ended, as small arrays; `n` runs.

    Attributes
    ----------
    winner : ndarray of int8, shape (n,)
        Index of the winner, -1 for none.
    ending : ndarray of uint8, shape (n,)
        Index into `ENDINGS`.
    rounds : ndarray of int16, shape (n,)
        Rounds held, a yes/no round included.
    minute : ndarray of int32, shape (n,)
        When the run ended by the clocks of the seat, in whole minutes since midnight of the opening date;
        -1 if open.
    present : ndarray of int16, shape (n,)
        Members present.
    """

    winner: NDArray[np.int8]
    ending: Codes
    rounds: Shorts
    minute: NDArray[np.int32]
    present: Shorts

    @property
    def size(self) -> int:
        """How many runs there are."""
        return self.winner.size

    def part(self, start: int, stop: int) -> Endings:
        """Return the runs from `start` up to `stop`."""
        return Endings(**{name: array[start:stop] for name, array in vars(self).items()})


@dataclass(frozen=True, eq=False)
class Outcomes(Endings):
    """What a number of runs came to: how they ended, and their rounds; K candidates, `R` rows of rounds.

    Attributes
    ----------
    votes, valid, flows : ndarrays of int16, shapes (R, K), (R,), (R, K, K)
        One row per run and round, in this order.  Votes are -1 for who does not stand; in a yes/no
        round the leader's entry counts the yes.  ``flows[:, k, l]`` are the members whose
        intention went from `k` to `l` before the round; zero in round 1.
    draw : ndarray of int, shape (n,)
        The draw of the assumptions that each run follows; 0 where they are fixed.

    Examples
    --------
    >>> import iomsim as iom
    >>> from iomsim.engine.simulate import simulate
    >>> out = simulate(iom.load("minimal").plan, {}, runs=100, seed=1)
    >>> out.size, out.votes.shape == (out.rounds.sum(), 2), out.head(10).size
    (100, True, 10)
    """

    votes: Shorts
    valid: Shorts
    flows: Shorts
    draw: NDArray[np.int32]

    @property
    def starts(self) -> Longs:
        """Row at which each run's rounds begin."""
        held = self.rounds.astype(np.int64)
        return np.cumsum(held) - held

    def part(self, start: int, stop: int) -> Outcomes:
        """Return the runs from `start` up to `stop`."""
        first, last = (int(self.rounds[:run].astype(np.int64).sum()) for run in (start, stop))
        rows = {"votes", "valid", "flows"}
        cut = {name: slice(first, last) if name in rows else slice(start, stop) for name in vars(self)}
        return Outcomes(**{name: array[cut[name]] for name, array in vars(self).items()})

    def head(self, runs: int) -> Outcomes:
        """Return the first `runs` runs."""
        return self.part(0, min(runs, self.size))


def join(parts: Iterable[Outcomes]) -> Outcomes:
    """Put outcomes behind one another, as read-only arrays."""
    pieces = list(parts)
    joined = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in vars(pieces[0])}
    for array in joined.values():
        array.setflags(write=False)
    return Outcomes(**joined)


def endings(out: KernelOutput, now: Floats, present: Shorts) -> Endings:
    """Collect how the kernel's runs ended; `now` is what the clocks show at their end."""
    minute = np.where(out.ending == OPEN, -1, np.floor(now)).astype(np.int32)
    return Endings(out.winner, out.ending, out.rounds, minute, present)


def outcomes(out: KernelOutput, candidates: int, now: Floats, present: Shorts) -> Outcomes:
    """Collect what the kernel's runs came to; `now` is what the clocks show at their end."""
    end = endings(out, now, present)
    fixed = np.zeros(end.size, dtype=np.int32)
    return Outcomes(end.winner, end.ending, end.rounds, end.minute, end.present, *by_run(out, candidates), fixed)


def by_run(out: KernelOutput, candidates: int) -> tuple[Shorts, Shorts, Shorts]:
    """Return votes (R, K), valid (R,) and flows (R, K, K) ordered by run, then round."""
    k, held = candidates, out.rounds.astype(np.int64)
    start = np.cumsum(held) - held
    table = np.zeros((int(held.sum()), k + 1 + k * k), dtype=np.int16)
    for record in out.records:
        at = start[record.run] + (record.round_ - 1)
        rows = [record.votes, record.valid[None], record.flows.reshape(k * k, -1)]
        table[at] = np.concatenate(rows, dtype=np.int16).T
    return table[:, :k], table[:, k], table[:, k + 1 :].reshape(-1, k, k)
