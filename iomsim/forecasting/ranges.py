"""The range of a chance over the assumptions, from a few runs of each of their draws.

The runs of a draw in which something happens are binomial: their share strays from the chance given the draw.  What is
wanted is the law of these chances.  It is found among all laws on a fine grid: the Beta law of their mean and variance
is where the search starts, and steps of the EM algorithm towards the most likely law roughen it until a step gains next
to nothing (Laird and Louis 1991, *Computational Statistics & Data Analysis* 12, 27-37).  So a smooth law stays
smooth, and two readings of the rules, or "never" under most of them, are told apart as far as the runs can.
"""

from __future__ import annotations

import numpy as np

from iomsim.typing import Floats, Longs

RANGE = (0.1, 0.9)
"""Points of the law of a chance over the assumptions that are shown as its range."""

CELLS, MOST_CELLS = 200, 2000
"""Cells of the grid; more, if so many runs tell chances apart that lie in one cell."""

GAIN, MOST_STEPS = 0.1, 200
"""Log-likelihood that a step must gain for another to follow, and the most steps."""

WIDEST = 0.98
"""Part of the greatest variance, that of "never" and "always", up to which a Beta law is stated."""

FLOOR = 1e-6
"""Mass that is spread over all cells, so that no draw is impossible."""


def range_of_chances(hits: Longs, runs: Longs, variance: float) -> tuple[float, float]:
    """Return the ends of the range of a chance over draws of the assumptions.

    Parameters
    ----------
    hits, runs : ndarray of int, shape (C,)
        Runs of each draw in which it happened, and all of them; at least one.  A draw counts by its runs.
    variance : float
        Of the chances given the draws; at 0 they are all the same.

    Returns
    -------
    low, high : float
        The 10 % and 90 % points of the chance given the assumptions.

    Examples
    --------
    Two readings of the rules, of which only the rarer one lets it happen:

    >>> hits = np.random.default_rng(1).binomial(25, [0.0, 0.0, 0.0, 0.4] * 100)
    >>> [round(x, 2) for x in range_of_chances(hits, np.full(400, 25), variance=0.03)]
    [0.0, 0.41]
    """
    weight = runs / runs.sum()
    mean = float(hits.sum() / runs.sum())
    most = mean * (1.0 - mean)
    if variance <= 1e-12 * most:
        return mean, mean
    edges, law = _beta(mean, min(variance, WIDEST * most), max(CELLS, int(np.pi * np.sqrt(runs.max()))))
    codes, place = np.unique(hits * (int(runs.max()) + 1) + runs, return_inverse=True)
    happened, held = np.divmod(codes, int(runs.max()) + 1)
    law = _roughened(law, happened, held, np.bincount(place, weight).astype(float), float(1.0 / (weight @ weight)))
    low, high = np.interp(RANGE, np.concatenate([[0.0], np.cumsum(law) / law.sum()]), edges)
    return float(low), float(high)


def _beta(mean: float, variance: float, cells: int) -> tuple[Floats, Floats]:
    """Return the edges of the grid's cells, and the mass of a Beta law in each."""
    from scipy.special import betainc  # loads slowly

    edges = np.sin(np.pi / 2 * np.arange(min(cells, MOST_CELLS) + 1) / min(cells, MOST_CELLS)) ** 2
    size = mean * (1.0 - mean) / variance - 1.0
    law = np.diff(betainc(mean * size, (1.0 - mean) * size, edges))
    return edges, np.maximum(law, FLOOR / law.size)


def _roughened(law: Floats, hits: Longs, runs: Longs, weight: Floats, draws: float) -> Floats:
    """Return a law of chances after so many EM steps as are worth it.

    Each entry of `hits` in `runs` was seen with its `weight`, as if in so many `draws` together.
    """
    chance = np.sin(np.pi / 2 * (np.arange(law.size) + 0.5) / law.size) ** 2
    share = np.clip(hits / runs, 0.5 / runs, 1.0 - 0.5 / runs)[:, None]
    log_odds = hits[:, None] * np.log(chance / share) + (runs - hits)[:, None] * np.log((1.0 - chance) / (1.0 - share))
    likelihood, before = np.exp(log_odds), -np.inf
    for _ in range(MOST_STEPS):
        seen = likelihood @ law
        reached = draws * float(weight @ np.log(seen))
        if reached - before < GAIN:
            break
        before, law = reached, law * ((weight / seen) @ likelihood)
    return law
