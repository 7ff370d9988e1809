"""What a polled chance means on the scale of the leans: the inverse of what shared shocks and conviction do to a logit.

A member says to vote for candidate `k` with chance ``p_k``.  In the model it votes by a softmax of ``m_k + sd Z_k``,
where ``sd Z_k`` stands for all that is normal in ``v`` (the common and the regional shock, hidden conviction), and the
mean of that softmax is flatter than the softmax of `m`.  The `m` whose mean is `p` are found here.

A softmax is the choice of the greatest of ``m_k + sd Z_k`` + Gumbel noise, all noises of one law with distribution `F`
and density `f`, so that the mean chance is ``integral of f(x - m_k) times the product of F(x - m_j) over j other
than k``.  `F` comes from its characteristic function, ``gamma(1 - i w) exp(-(sd w)**2 / 2)``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from iomsim.engine import laws
from iomsim.typing import Floats, PerRun

LEAST = 0.001
"""Polled chances below (and above one less that) count as so much: nobody is certain of a secret vote."""

STEP = 0.1
"""Step in ``log(1 + sd)`` between the spreads for which `m` is solved; between them it is interpolated."""

FREQUENT, POINTS = 20.0, 240
"""Logarithm of what is left of a characteristic function where its sum stops; points of an integral."""

ROUNDS, CLOSE = 40, 1e-6
"""Most steps of a solution, and the error of a log chance at which they end."""


def clipped(chances: Floats) -> Floats:
    """Return chances that leave a little to every candidate, and add up to 1, shape (K, ...).

    Examples
    --------
    >>> clipped(np.array([[1.0], [0.0]])).round(3).tolist()
    [[0.999], [0.001]]
    """
    held = np.clip(chances, LEAST, 1.0 - LEAST)
    return np.asarray(held / held.sum(axis=0))


def positions(chances: Floats, sd: PerRun) -> Floats:
    """Return where members stand whose mean chances are as polled.

    Parameters
    ----------
    chances : ndarray, shape (K, C)
        Of each of C members; they add up to 1 and none is 0.
    sd : float or ndarray, shape (B,)
        Standard deviation of all that is normal in one candidate's `v`.

    Returns
    -------
    ndarray, shape (K, C, 1) or (K, C, B)
        Log-odds on the scale of `v`, with mean 0 over the candidates.  The mean chances are met within 0.0005.

    Examples
    --------
    >>> m = positions(np.array([[0.8, 0.5], [0.2, 0.5]]), np.array([0.0, 1.5]))
    >>> (m[0, 0] - m[1, 0]).round(2).tolist()
    [1.39, 2.31]
    """
    spread = np.atleast_1d(np.asarray(sd, dtype=float))
    place = np.log1p(spread) / STEP
    lower = np.floor(place).astype(int)
    part = place - lower
    table = np.ascontiguousarray(chances, dtype=float)
    key = table.shape, table.tobytes()
    solved = {node: _at_node(*key, node) for node in sorted({*lower.tolist(), *(lower + 1).tolist()})}
    first = np.stack([solved[node] for node in lower.tolist()], axis=-1)
    second = np.stack([solved[node] for node in (lower + 1).tolist()], axis=-1)
    return np.asarray(_width(spread) * (first + part * (second - first)))


def mean_chances(where: Floats, sd: float) -> Floats:
    """Return the mean chances of members that stand at `where`, both of shape (K, C).

    Examples
    --------
    >>> mean_chances(np.array([[1.0], [0.0]]), 0.0).round(3).tolist()  # a plain logit
    [[0.731], [0.269]]
    """
    return _law(where, sd)[0]


def _law(where: Floats, sd: float) -> tuple[Floats, Floats]:
    """Return the mean chances of members, shape (K, C), and their derivatives by the positions, shape (K, K, C)."""
    x, below, dense = _noise(sd)
    at = (where.max(axis=0) + x[:, None])[None] - where[:, None]  # (K, X, C)
    upto = np.interp(at, x, below, left=0.0, right=1.0)
    hazard = np.interp(at, x, dense, left=0.0, right=0.0) / np.maximum(upto, 1e-12)
    greatest = np.prod(upto, axis=0) * (x[1] - x[0])
    own = greatest * hazard
    slope = -np.einsum("kxc,jxc->kjc", own, hazard)
    each = range(len(where))
    slope[each, each] -= slope.sum(axis=1)
    return own.sum(axis=1), slope


def _width(sd: PerRun) -> PerRun:
    """Return how much wider than a Gumbel law its sum with a normal law is."""
    return np.sqrt(1.0 + 6.0 / np.pi**2 * np.square(sd))


@lru_cache(maxsize=512)
def _at_node(shape: tuple[int, ...], table: bytes, node: int) -> Floats:
    """Return positions in units of the noise's width, for the spread of a node, shape (K, C)."""
    asked = np.frombuffer(table).reshape(shape)
    distinct, of_member = np.unique(asked, axis=1, return_inverse=True)
    sd = float(np.expm1(node * STEP))
    width, goal = float(_width(sd)), np.log(distinct)
    where = width * (goal - goal[-1])
    for _ in range(ROUNDS):
        chances, slope = _law(where, sd)
        missing = (goal - np.log(np.maximum(chances, 1e-300)))[:-1]
        if np.abs(missing).max() < CLOSE:
            break
        jacobian = (slope / np.maximum(chances, 1e-300)[:, None])[:-1, :-1]
        step = np.linalg.solve(jacobian.transpose(2, 0, 1), missing.T[:, :, None])[:, :, 0].T
        where[:-1] += np.clip(step, -width, width)
    where -= where.mean(axis=0)
    return np.asarray((where / width)[:, of_member.reshape(-1)])


@lru_cache(maxsize=64)
def _noise(sd: float) -> tuple[Floats, Floats, Floats]:
    """Return points, and the distribution and density there, of a Gumbel law plus a normal one of so much sd."""
    low, high = -(4.0 + 6.0 * sd), 18.0 + 6.0 * sd
    x = np.linspace(low, high, POINTS)
    step = 2.0 * np.pi / (1.5 * (high - low))
    last = 2.0 * FREQUENT / (np.pi / 2 + np.sqrt(np.pi**2 / 4 + 2.0 * FREQUENT * sd**2))
    w = np.asarray(step * (np.arange(int(np.ceil(last / step))) + 0.5), dtype=float)
    law = laws.gumbel(w) * np.exp(-np.square(sd * w) / 2)
    wave = np.exp(-1j * np.multiply.outer(x, w)) * law
    dense = wave.real.sum(axis=1) * step / np.pi
    below = 0.5 - (wave.imag / w).sum(axis=1) * step / np.pi
    return x, np.clip(below, 0.0, 1.0), np.maximum(dense, 0.0)
