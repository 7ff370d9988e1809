"""Weights, and independent members drawn given their sum: pure functions on arrays, members first, particles last.

The sum of independent indicators that are not alike is Poisson-binomial; its table of partial sums gives the
exact probability of a tally and, read backwards, a sample of the members behind it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from iomsim.typing import Codes, Flags, Floats, Longs, PerRun, Places

TINY = 1e-300

# -- weights -------------------------------------------------------------------------------------


def weights(log_weight: Floats) -> Floats:
    """Return normalised weights."""
    w = np.exp(log_weight - log_weight.max())
    return w / w.sum()


def effective_size(log_weight: Floats) -> float:
    """Return the effective sample size (Kish): one over the sum of squared weights."""
    return float(1.0 / (weights(log_weight) ** 2).sum())


def resample(log_weight: Floats, u: float, count: int | None = None) -> Places:
    """Return particles, as many as there are or so many, in proportion to their weights, systematically.

    Examples
    --------
    >>> resample(np.log([0.5, 0.25, 0.25]), 0.1).tolist()
    [0, 0, 1]
    """
    count = log_weight.size if count is None else count
    edges = np.cumsum(weights(log_weight))
    return np.minimum(np.searchsorted(edges, (np.arange(count) + u) / count, side="right"), log_weight.size - 1)


def resample_within(rng: np.random.Generator, group: Longs, weight: Floats) -> tuple[Places, Floats]:
    """Return for every place one of its group, in proportion to their weights; and the mean weight of its group.

    Every group keeps its size; where all its weights are 0, so it is as it was.

    Examples
    --------
    >>> group, weight = np.array([0, 0, 1, 1]), np.array([0.0, 2.0, 1.0, 1.0])
    >>> place, mean = resample_within(np.random.default_rng(1), group, weight)
    >>> place[:2].tolist(), mean.tolist()
    ([1, 1], [1.0, 1.0, 1.0, 1.0])
    """
    order = np.lexsort((rng.random(group.size), group))
    first, count = np.unique(group[order], return_index=True, return_counts=True)[1:]
    sorted_ = weight[order]
    mean, start = (np.repeat(x, count) for x in (np.add.reduceat(sorted_, first) / count, first))
    share = np.where(mean > 0, sorted_ / np.maximum(mean, TINY), 1.0)  # those of a group add up to its size
    reached = np.searchsorted(np.cumsum(share), np.arange(group.size) + float(rng.random()), side="right")
    place, of_group = np.empty_like(order), np.empty(group.size)
    place[order] = order[np.clip(reached, start, start + np.repeat(count, count) - 1)]
    of_group[order] = mean
    return place, of_group


# -- members given their sum ---------------------------------------------------------------------


class SumSample(NamedTuple):
    """Who was drawn, shape (N, P), and the log-probability of the condition, shape (P,)."""

    chosen: Flags
    log_chance: Floats


LEAF = 8
"""Members of a leaf of the tree of sums, at least; fewer than twice as many."""


def sample_sum(rng: np.random.Generator, q: Floats, bottom: Longs, top: Longs) -> SumSample:
    """Draw independent Bernoullis given that their sum lies in [bottom, top].

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    q : ndarray, shape (N, P) or (N, 1)
        Probabilities; one column serves all particles.
    bottom, top : ndarrays of int, shape (P,)
        Bounds on the sum, both included.

    Returns
    -------
    SumSample
        Where the condition is impossible its log-probability is minus infinity, and the sample has no meaning.
        So it is taken to be where its chance is too small for a double, unless that is so in all particles.

    Notes
    -----
    By divide and conquer: the laws of the sums of neighbouring sets of members are convolved pairwise up to that of
    two halves, which costs N**2 / 4 per particle and the room of N log N numbers (the table of all partial sums,
    Hong 2013, *Computational Statistics and Data Analysis* 59, 41-51, takes N * top of both).  Downwards, every sum
    is split at random between its two sets, and within the smallest sets member by member.  Nothing is truncated.

    Examples
    --------
    Two of three members, one of whom is certain:

    >>> q = np.array([[0.5], [0.5], [1.0]])
    >>> drawn = sample_sum(np.random.default_rng(1), q, np.array([2]), np.array([2]))
    >>> int(drawn.chosen.sum()), bool(drawn.chosen[2, 0]), float(np.exp(drawn.log_chance[0]))
    (2, True, 0.5)
    """
    drawn = _sum_given(rng, q, bottom, top)
    if np.isfinite(drawn.log_chance).any():
        return drawn
    possible = ((q >= 1).sum(axis=0) <= top) & ((q > 0).sum(axis=0) >= bottom)
    return _far_sum(rng, q, bottom, top) if possible.any() else drawn


def _far_sum(rng: np.random.Generator, q: Floats, bottom: Longs, top: Longs) -> SumSample:
    """Do the same where the condition is too far out for its chance to be a double.

    Given their sum, independent indicators follow the same law if all their odds are multiplied by one number: here
    by that which moves the mean to the nearest end of what is asked for.
    """
    with np.errstate(divide="ignore"):
        no, yes = np.log1p(-q), np.log(q)
    goal = np.where(q.sum(axis=0) < bottom, bottom, top).astype(float)
    low, high = np.full(goal.size, -FARTHEST), np.full(goal.size, FARTHEST)
    for _ in range(HALVINGS):
        tilt = (low + high) / 2
        short = np.exp(yes + tilt - np.logaddexp(no, yes + tilt)).sum(axis=0) < goal
        low, high = np.where(short, tilt, low), np.where(short, high, tilt)
    tilted = np.logaddexp(no, yes + tilt)
    chosen, log_chance = _sum_given(rng, np.exp(yes + tilt - tilted), bottom, top, tilt, goal)
    return SumSample(chosen, log_chance - tilt * goal + tilted.sum(axis=0))


FARTHEST, HALVINGS = 700.0, 60
"""Log-odds by which members are moved at most, and steps in which it is found by how much."""


def _sum_given(
    rng: np.random.Generator, q: Floats, bottom: Longs, top: Longs, tilt: PerRun = 0.0, goal: PerRun = 0.0
) -> SumSample:
    """Do the same where the chances of all sums are doubles; each counts exp(-tilt * (sum - goal)) times."""
    n, width, columns = len(q), bottom.size, q.shape[1]
    most = int(np.clip(top.max(initial=0), 0, n))
    sets = 1 << max(0, (n // LEAF).bit_length() - 1)
    size = -(-n // sets)
    members = np.zeros((size, sets, columns))
    members.reshape(size * sets, columns)[:n] = q
    table = partial_sums(members.reshape(size, -1), min(size, most)).reshape(size + 1, -1, sets, columns)
    levels = [table[-1]]
    while levels[-1].shape[1] > 2:
        levels.append(convolved(levels[-1], most))
    values = np.arange(int(np.clip(bottom.min(initial=n), 0, most)), most + 1)
    if sets == 1:
        mass = np.broadcast_to(levels.pop()[values, 0], (values.size, width))
    else:
        mass = np.array([_mass_at(levels[-1], value) for value in values.tolist()]).reshape(values.size, -1)
    if np.any(tilt):
        mass = mass * np.exp(np.minimum(-tilt * (values[:, None] - goal), 0.0))
    mass = np.where((values[:, None] >= bottom) & (values[:, None] <= top), mass, 0.0)
    place, whole = _drawn(rng, mass)
    total = np.minimum(place + values[0], most)[None]
    while levels:
        left, right = np.split(levels.pop(), 2, axis=1)
        take = total - np.arange(len(left))[:, None, None]
        weight = left * _at(right, np.clip(take, 0, len(right) - 1))
        weight[(take < 0) | (take >= len(right))] = 0.0
        first = np.minimum(_drawn(rng, weight)[0], total)
        total = np.concatenate([first, np.minimum(total - first, len(right) - 1)])
    chosen = np.zeros((size, sets, width), dtype=bool)
    u = rng.random(chosen.shape)
    for i in range(size - 1, -1, -1):
        with_it = np.where(total > 0, _at(table[i], np.maximum(total - 1, 0)), 0.0) * members[i]
        chosen[i] = u[i] * _at(table[i + 1], total) < with_it
        total = total - chosen[i]
    with np.errstate(divide="ignore"):
        return SumSample(chosen.reshape(-1, width)[:n], np.log(whole))


def partial_sums(q: Floats, most: int) -> Floats:
    """Return P(sum of the first i = j) for i = 0..N and j = 0..most, shape (N + 1, most + 1, P).

    Examples
    --------
    >>> partial_sums(np.array([[0.5], [0.5]]), 2)[..., 0].tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.5, 0.25]]
    """
    n, width = q.shape
    table = np.zeros((n + 1, most + 1, width))
    table[0, 0] = 1.0
    term = np.empty((most, width))
    for i in range(n):
        np.multiply(table[i], 1.0 - q[i], out=table[i + 1])
        table[i + 1, 1:] += np.multiply(table[i, :-1], q[i], out=term)
    return table


def convolved(laws: Floats, most: int) -> Floats:
    """Return the laws up to `most` of the sums of the first set and the one in the middle, and so on; values first."""
    left, right = np.split(laws, 2, axis=1)
    out = np.zeros((min(2 * len(left) - 1, most + 1), *left.shape[1:]))
    term = np.empty_like(right)
    for j in range(len(left)):
        held = min(len(right), len(out) - j)
        out[j : j + held] += np.multiply(right[:held], left[j], out=term[:held])
    return out


def _mass_at(laws: Floats, value: int) -> Floats:
    """Return the probability that the sums of two sets add up to a value, shape (P,)."""
    first, last = max(0, value - len(laws) + 1), min(value, len(laws) - 1)
    return np.asarray((laws[first : last + 1, 0] * laws[value - last : value - first + 1, 1][::-1]).sum(axis=0))


def _drawn(rng: np.random.Generator, weight: Floats) -> tuple[Longs, Floats]:
    """Return a row drawn in proportion to its weight, column by column, and the sums; the weights are used up."""
    for j in range(1, len(weight)):  # much faster than cumsum along the first axis
        weight[j] += weight[j - 1]
    place = (weight <= rng.random(weight.shape[1:]) * weight[-1]).sum(axis=0)
    return np.minimum(place, len(weight) - 1), weight[-1]


def _at(table: Floats, value: Longs) -> Floats:
    """Return the entries of a table at one value for each set and particle; one column serves all particles."""
    sets, columns = table.shape[1:]
    column = np.arange(sets)[:, None] * columns + (np.arange(value.shape[-1]) if columns > 1 else 0)
    return table.reshape(-1).take(value * (sets * columns) + column)


def sample_votes(
    rng: np.random.Generator, chance: Floats, voters: Flags, low: Longs, high: Longs
) -> tuple[Codes, Floats]:
    """Draw who voted for whom given bounds on every candidate's tally.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    chance : ndarray, shape (K, N, P)
        Each member's probabilities.
    voters : ndarray of bool, shape (N, P)
        Who handed in a valid paper.
    low, high : ndarrays of int, shape (K,)
        Bounds on the tallies; equal where a tally is known.  The lower ones may differ between particles, (K, P).

    Returns
    -------
    choice : ndarray of uint8, shape (N, P)
        Candidate of every voter; K for the others.
    log_chance : ndarray, shape (P,)
        Log-probability of the tallies, or the logarithm of an unbiased estimate (see below).

    Notes
    -----
    Candidate after candidate, the smallest tally first: the members still open vote for this one
    with their conditional probability, and :func:`sample_sum` draws who they are.  Between two
    candidates that is exact.  With three or more, later factors depend on who was drawn before:
    the product is the ratio of target to proposal, an unbiased estimate of the probability of the
    tallies, and the draw together with it is properly weighted.  The joint table of all tallies
    would make the weight exact, but costs the product of the tallies where this costs their sum
    (for 65-51-27 some twenty times as much), and the factors hardly vary.

    Examples
    --------
    >>> chance = np.full((3, 4, 1), 1 / 3)
    >>> tally = np.array([2, 1, 1])
    >>> choice, log_chance = sample_votes(np.random.default_rng(1), chance, np.ones((4, 1), dtype=bool), tally, tally)
    >>> np.bincount(choice[:, 0]).tolist(), round(float(np.exp(log_chance[0])) * 81)
    ([2, 1, 1], 12)
    """
    k = len(chance)
    choice = np.full(voters.shape, k, dtype=np.uint8)
    open_, rest = voters.copy(), np.ones(voters.shape)
    total = np.zeros(voters.shape[1])
    order = np.argsort(high, kind="stable")
    if low.ndim > 1:  # the one with a bar to reach first: the weight is exact then
        order = np.argsort(-low.max(axis=1), kind="stable")
    for place, c in enumerate(order[:-1]):
        left, others = open_.sum(axis=0), order[place + 1 :]
        bottom = np.maximum(low[c], left - high[others].sum())
        top = np.minimum(high[c], left - low[others].sum(axis=0))
        q = np.where(open_, np.clip(chance[c] / np.maximum(rest, TINY), 0.0, 1.0), 0.0)
        chosen, log_chance = sample_sum(rng, q, bottom, top)
        choice[chosen] = c
        total += log_chance
        open_ &= ~chosen
        rest -= chance[c]
    choice[open_] = order[-1]
    last = open_.sum(axis=0)
    total[(last < low[order[-1]]) | (last > high[order[-1]])] = -np.inf
    return choice, total


def distribution(count: float, mean: Floats, variance: Floats, third: Floats) -> Floats:
    """Return P(X <= count) of sums of independent indicators with these central moments.

    The normal approximation with continuity and skewness corrected (Volkova 1996, *Theory of
    Probability and its Applications* 40, 791-794): right to a few in a thousand from thirty members on.

    Examples
    --------
    A hundred fair coins; exactly 0.0176:

    >>> round(float(distribution(39, np.array(50.0), np.array(25.0), np.array(0.0))), 4)
    0.0179
    """
    from scipy.special import ndtr

    sd = np.sqrt(np.maximum(variance, TINY))
    x = np.clip((count + 0.5 - mean) / sd, -40.0, 40.0)
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    return np.clip(ndtr(x) + third / np.maximum(sd**3, TINY) * (1 - x * x) * density / 6, 0.0, 1.0)
