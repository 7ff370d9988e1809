"""Binomial numbers by inversion, for many numbers of trials at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from iomsim.typing import Floats, Ints, PerRun, Places, Shorts

CELLS = 1024
"""Cells of the guide table: nearly every quantile is settled by the cell that `u` lies in."""

UNDERFLOW = 600.0
"""Minus the logarithm of P(0) from which on it is too near to nothing to count from."""

LARGEST = 1024
"""Beyond so many trials a table would take more room than it saves time."""


def binomial_quantile(trials: Ints, p: PerRun, u: Floats) -> Shorts:
    """Return the binomial number whose distribution function first exceeds `u`.

    `p` is one number, or has one entry for each of the last axis of `trials` and `u`.

    A guide table (Chen and Asau 1974, *Journal of the ACM* 21, 591-599) says from where to count,
    and in which cells there is nothing to count.

    Examples
    --------
    >>> binomial_quantile(np.array([2, 2, 2]), 0.5, np.array([0.2, 0.25, 0.8])).tolist()
    [0, 1, 2]
    """
    if isinstance(p, np.ndarray):
        return _of_many_laws(trials, p, u)
    if p in (0.0, 1.0):
        return trials.astype(np.int16) * np.int16(p)
    most = 1 << int(trials.max(initial=0)).bit_length()
    if most > LARGEST:
        from scipy.stats import binom

        return np.maximum(binom.ppf(u, trials, p), 0).astype(np.int16)
    table, guide = tables(most, p)
    cell = (u * CELLS).astype(np.intp)
    cell += trials * np.intp(CELLS)
    out = guide.take(cell)
    flat = out.reshape(-1)
    shared = np.flatnonzero(flat < 0)
    flat[shared] = _count_on(table, trials.reshape(-1)[shared], u.reshape(-1)[shared], ~flat[shared])
    return out


def _count_on(table: Floats, trials: Ints, u: Floats, out: Ints) -> Ints:
    """Count from `out` up to the quantile."""
    short = np.flatnonzero(u >= table[trials, out])
    while short.size:
        out[short] += 1
        short = short[u[short] >= table[trials[short], out[short]]]
    return out


TOGETHER = 4
"""Counts up to which all are looked at together: most are settled by then, and the rest are picked out."""


def _of_many_laws(trials: Ints, p: Floats, u: Floats) -> Shorts:
    """Count up from 0 by the ratio of neighbouring probabilities; where P(0) is next to nothing, ask scipy."""
    within = (p > 0.0) & (p < 1.0)
    law = np.where(within, p, 0.5)
    log_none, odds = trials * np.log1p(-law), law / (1.0 - law)
    far = within & (log_none < -UNDERFLOW)
    mass = np.exp(log_none)
    reached, out = mass.copy(), np.zeros(trials.shape, dtype=np.int16)
    on = within & (u >= mass) & (trials > 0)
    if far.any():
        on &= ~far
    left = trials.astype(float)
    for count in range(1, TOGETHER + 1):
        out += on
        mass *= left
        mass *= odds / count
        left -= 1.0
        reached += mass
        on &= u >= reached
        on &= left > 0.0
    short, flat = np.flatnonzero(on), out.reshape(-1)
    odds = np.broadcast_to(odds, trials.shape)
    left, mass, reached, odds, u_ = (x.reshape(-1).take(short) for x in (left, mass, reached, odds, u))
    count = TOGETHER
    while short.size:
        count += 1
        flat[short] = count
        mass = mass * left * (odds / count)
        left = left - 1.0
        reached = reached + mass
        on = np.flatnonzero((u_ >= reached) & (left > 0.0))
        short = short.take(on)
        left, mass, reached, odds, u_ = (x.take(on) for x in (left, mass, reached, odds, u_))
    if far.any():
        from scipy.stats import binom

        out[far] = np.maximum(binom.ppf(u[far], trials[far], np.broadcast_to(p, trials.shape)[far]), 0)
    certain = np.broadcast_to(p >= 1.0, trials.shape)
    return np.where(certain, trials, out).astype(np.int16) if certain.any() else out


@lru_cache(maxsize=16)
def tables(most: int, p: float) -> tuple[Floats, Shorts]:
    """Return P(X <= x) for X ~ Bin(n, p), n = 0..most in rows, and the flat guide to it.

    By Pascal's rule.  The guide of cell `j` is the quantile `x` of ``j / CELLS``, or ``-1 - x`` if
    that of the cell's end is another one.
    """
    pmf = np.zeros((most + 1, most + 2))
    pmf[0, 0] = 1.0
    for n in range(1, most + 1):
        pmf[n] = (1 - p) * pmf[n - 1]
        pmf[n, 1:] += p * pmf[n - 1, :-1]
    cdf = np.cumsum(pmf, axis=1)
    cdf[np.arange(most + 2) >= np.arange(most + 1)[:, None]] = 1.0
    first = _steps_up_to(np.ceil(cdf * CELLS))[:, :-1]  # steps at or below the cell's beginning
    last = _steps_up_to(np.floor(cdf * CELLS) + 1)[:, 1:]  # steps below its end
    return cdf, np.where(first == last, first, ~first).astype(np.int16).reshape(-1)


def _steps_up_to(cell: Floats) -> Places:
    """Return, row by row, how many of the numbers are at most 0, 1, ..., `CELLS`."""
    rows, wide = len(cell), CELLS + 2
    at = cell.astype(np.intp) + wide * np.arange(rows)[:, None]
    return np.cumsum(np.bincount(at.ravel(), minlength=rows * wide).reshape(rows, wide), axis=1)[:, : CELLS + 1]
