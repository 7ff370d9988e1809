"""Many noisy means at once: drawn together, with intervals that hold for all of them, and their range over the draws.

* **Estimates.**  A member's effect is small against its noise, and the largest of many is largest by luck in part.
  Estimates are drawn towards a line through what is known almost without noise (the local part of the effect, the
  member's group): normal means with known errors around a regression (Fay and Herriot 1979, *Journal of the American
  Statistical Association* 74, 269-277), the variance between members by the equation of Paule and Mandel (1982,
  *Journal of Research of the National Bureau of Standards* 87, 377-385), the factor of Morris (1983, *JASA* 78, 47-55).
  None is moved by more than two standard errors (limited translation: Efron and Morris 1972, *JASA* 67, 130-139), so
  that one member unlike all others stays what it is.
* **Intervals** lie around the estimates as they were seen, so that they owe nothing to that model, and hold for all
  members at once with 95 % (Sidak 1967, *JASA* 62, 626-633).  The error is that of the draws of the assumptions as
  clusters (of 400 cells of runs, if they are fixed), with as many degrees of freedom, less one.
* **Ranges over the assumptions.**  A few hundred runs of a draw say next to nothing about one member, but its local
  part there is known well, and what all members together are worth beyond theirs is known better than that of one.  A
  member's effect under a draw is taken to be the local part, and its share of the rest.  The rest follows the sum of
  the local parts along a line, and strays from it by a variance that is what the noise of the runs leaves (Paule and
  Mandel again, the noise of every draw known from its runs); each draw's deviation is drawn together until that
  variance is left.  Against elections played again under every draw, the ends were right within a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iomsim.forecasting.ranges import RANGE
from iomsim.typing import Flags, Floats, Longs, Places

LIMIT = 2.0
"""Standard errors by which an estimate is moved at most."""

SPARE = 3
"""Estimates beyond the numbers of the line from which on they are drawn together."""

FAR = 9.0
"""Most that one counts for in the variance around a line, in units of its own: one unlike all others tells nothing."""

FEWEST = 2
"""Runs of a draw that say how noisy they are."""

RATIO = 2.0
"""How much wider, or narrower, a range is made at most, as an estimate is larger, or smaller, than the draws say."""


@dataclass(frozen=True, eq=False)
class Worths:
    """What pushes are worth, by the draws of the assumptions and halves of their runs; N members, M cells of runs.

    Attributes
    ----------
    worth, local : ndarray, shape (N, M)
        Sums over the runs of a cell of what a push is worth, and of its local part; see
        :class:`iomsim.sensitivity.influence.Sums`.
    square : ndarray, shape (M,)
        Sums of the squares of what all members together are worth beyond their local parts.
    runs : ndarray of int, shape (M,)
        Runs in each cell.
    draws : int
        Draws of the assumptions; 0 if they are fixed.  Cell `m` follows draw ``m mod draws``.
    """

    worth: Floats
    local: Floats
    square: Floats
    runs: Longs
    draws: int

    def of(self, members: Places) -> Worths:
        """Return these of some members, in that order."""
        return Worths(self.worth[members], self.local[members], self.square, self.runs, self.draws)

    @property
    def total(self) -> int:
        """How many runs there are."""
        return int(self.runs.sum())

    @property
    def mean(self) -> Floats:
        """What a push of each member is worth, as it was seen."""
        return np.asarray(self.worth.sum(axis=1) / self.total)

    @property
    def mean_local(self) -> Floats:
        """The part of it that the first ballot has."""
        return np.asarray(self.local.sum(axis=1) / self.total)

    @cached_property
    def clusters(self) -> tuple[Floats, Longs]:
        """Sums and runs of the clusters: of the draws, if there are several, else of the cells."""
        size = self.draws if self.draws > 1 else self.runs.size
        runs = self.runs.reshape(-1, size).sum(axis=0)
        sums = self.worth.reshape(len(self.worth), self.runs.size // size, size).sum(axis=1)
        return sums[:, runs > 0], runs[runs > 0]

    @property
    def dof(self) -> int:
        """Degrees of freedom of the errors."""
        return max(self.clusters[1].size - 1, 1)

    def error(self, parts: Floats) -> Floats:
        """Return standard errors of weighted sums of the members' means, shape ``(rows, N)`` to ``(rows,)``."""
        sums, runs = self.clusters
        off = parts @ (sums - self.mean[:, None] * (runs / 1.0))
        return np.asarray(np.sqrt((off**2).sum(axis=1) * runs.size / self.dof) / self.total)

    def range_over_draws(self, parts: Floats, middle: Floats) -> tuple[Floats, Floats]:
        """Return the ends of the range over the assumptions of weighted sums, which holds their `middle`.

        It is missing where the assumptions are fixed, or their draws have too few runs to tell.
        """
        halves, rest = self.halves, self.rest
        if rest is None:
            return (np.full(len(parts), np.nan),) * 2
        both = parts @ halves
        off = both - both.mean(axis=2, keepdims=True)
        local = off.mean(axis=0)
        own, seen = (off[0] * off[1]).sum(axis=1), (local**2).sum(axis=1)
        local *= np.sqrt(np.divide(np.maximum(own, 0.0), seen, out=np.zeros_like(seen), where=seen > 0))[:, None]
        share = np.maximum(self.mean_local, 0.0)
        share = share / share.sum() if share.sum() > 0 else np.full(share.size, 1.0 / share.size)
        off = local + (parts @ share)[:, None] * (rest - rest.mean())
        said = both.mean(axis=(0, 2)) + (parts @ share) * rest.mean()
        ratio = np.divide(middle, said, out=np.ones_like(said), where=(said > 0) & (middle > 0))
        low, high = np.quantile(off * np.clip(ratio, 1 / RATIO, RATIO)[:, None], RANGE, axis=1) + middle
        return np.minimum(low, middle), np.maximum(high, middle)

    def by_half(self, sums: Floats | Longs) -> Floats:
        """Return sums over the cells of each draw's halves, shape ``(..., M)`` to ``(2, ..., C)``."""
        split = sums.reshape(*sums.shape[:-1], self.runs.size // (2 * self.draws), 2, self.draws).sum(axis=-3)
        return np.asarray(np.moveaxis(split, -2, 0))[..., self.told]

    @cached_property
    def told(self) -> Flags:
        """Which draws have several runs in both halves."""
        runs = self.runs.reshape(-1, 2, self.draws).sum(axis=0)
        return np.asarray((runs > 0).all(axis=0) & (runs.sum(axis=0) > FEWEST))

    @cached_property
    def halves(self) -> Floats:
        """Local parts under the draws, by halves of their runs, shape ``(2, N, C)``; of draws that tell."""
        if self.draws < 2:
            return np.zeros((2, len(self.local), 0))
        return np.asarray(self.by_half(self.local) / self.by_half(self.runs)[:, None])

    @cached_property
    def rest(self) -> Floats | None:
        """What all members together are worth beyond their local parts under the draws, shape ``(C,)``, without noise.

        None where draws have too few runs to tell.
        """
        if self.draws < 2 or self.told.sum() < SPARE + 2 or not len(self.worth):
            return None
        runs, sums, squares = (
            self.by_half(x).sum(axis=0) for x in (self.runs, (self.worth - self.local).sum(axis=0), self.square)
        )
        seen = sums / runs
        noise = np.maximum(squares / runs - seen**2, 1e-300) / (runs - 1)
        local = self.halves.mean(axis=0).sum(axis=0)
        line = np.column_stack([np.ones_like(local), local])
        off, variance = _residuals(seen, noise, line, seen.size - 2)
        return np.asarray(seen - off * (1.0 - np.sqrt(variance / (variance + noise))))


def critical(questions: int, dof: int) -> float:
    """Return how many standard errors hold all of so many means with 95 %, on both sides (Sidak).

    Examples
    --------
    >>> round(critical(1, 10**6), 2), round(critical(146, 399), 2)
    (1.96, 3.61)
    """
    return student((1.0 + 0.95 ** (1.0 / max(questions, 1))) / 2.0, dof)


def student(chance: float, dof: int) -> float:
    """Return a point of Student's law."""
    from scipy.special import stdtrit  # loads slowly

    return float(stdtrit(dof, chance))


def shrunk(seen: Floats, error: Floats, columns: Floats) -> Floats:
    """Return estimates drawn towards a line through the columns, as far as noise alone would scatter them.

    Parameters
    ----------
    seen, error : ndarray, shape (n,)
        The estimates and their standard errors.
    columns : ndarray, shape (n, p)
        What the line is made of.

    Examples
    --------
    Alike but for noise, and unlike:

    >>> noise = np.random.default_rng(1).normal(size=50)
    >>> apart = [shrunk(k * noise, np.ones(50), np.ones((50, 1))).std() for k in (1.0, 10.0)]
    >>> [round(float(x), 2) for x in apart]
    [0.1, 8.7]
    """
    noisy = error > 0
    spare = noisy.sum() - np.linalg.matrix_rank(columns[noisy]) if noisy.any() else 0
    if spare < SPARE:
        return seen.copy()
    y, e2, x = seen[noisy], error[noisy] ** 2, columns[noisy]
    off, variance = _residuals(y, e2, x, spare)
    pull = e2 / (e2 + variance) * (spare - 2) / spare
    out = seen.copy()
    out[noisy] = y - np.clip(pull * off, -LIMIT * error[noisy], LIMIT * error[noisy])
    return out


def _residuals(y: Floats, e2: Floats, x: Floats, spare: int) -> tuple[Floats, float]:
    """Return how far estimates are from their line, and the variance around it beyond noise (Paule and Mandel)."""

    def around(variance: float) -> tuple[Floats, float]:
        root = 1.0 / np.sqrt(e2 + variance)
        line = x @ np.linalg.lstsq(root[:, None] * x, root * y, rcond=None)[0]
        return y - line, float(np.minimum(((y - line) * root) ** 2, FAR).sum())

    low, high = 0.0, float(y.var()) * y.size / spare + float(e2.max())
    if around(low)[1] <= spare:
        return around(low)[0], low
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if around(middle)[1] > spare else (low, middle)
    return around(high)[0], high
