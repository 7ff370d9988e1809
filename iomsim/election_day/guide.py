"""Worlds steered towards an announced first tally, and weighed so that nothing is changed by it.

A tally far from what was expected leaves few of the worlds drawn before it.  But roughly one knows
what it asks for: the first shares are almost a linear function of the standard normals that a run
draws once, so that their posterior is almost normal.  The worlds are moved along the direction that
the tally speaks of to where that posterior lies, and the ratio of the densities before and after goes
into their weights.  However rough the approximation, the weighted worlds follow the exact posterior.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from iomsim.election_day.conditioning import TINY
from iomsim.election_day.expectations import Moments
from iomsim.election_day.tally import Tally
from iomsim.engine.plan import Draws
from iomsim.typing import Floats

WIDER = 1.3
"""By how much the worlds are spread wider than the approximation says, never beyond the prior."""


def steer(draws: Draws, expected: Moments, tally: Tally) -> tuple[Draws, Floats]:
    """Move what runs draw once towards a first tally.

    Parameters
    ----------
    draws : Draws
        Draws from the prior.
    expected : Moments
        What each world expects of the first tally.
    tally : Tally
        What was announced.

    Returns
    -------
    draws : Draws
        The moved draws.
    log_ratio : ndarray, shape (P,)
        Log of prior over proposal density: what it takes to weigh them as draws from the prior.
    """
    x = normals(draws)
    ratio, target, noise = log_ratios(expected, tally)
    slope, middle, rest = regress(x, ratio)
    axes, pull = np.linalg.qr(slope.T)  # slope @ x = pull.T @ (axes.T @ x)
    precision = pull @ np.linalg.solve(noise + rest, np.eye(len(noise)))
    values, vectors = np.linalg.eigh(np.eye(len(noise)) + precision @ pull.T)
    centre = vectors @ (vectors.T @ precision @ (target - middle) / values)
    exact = bool((tally.low == tally.high).all())
    spread = np.minimum(WIDER / np.sqrt(values), 1.0) if exact else np.ones(len(values))
    old = axes.T @ x
    new = centre[:, None] + (vectors * spread) @ vectors.T @ old
    log_ratio = ((old**2).sum(axis=0) - (new**2).sum(axis=0)) / 2 + np.log(spread).sum()
    return unpack(draws, x + axes @ (new - old)), log_ratio


def normals(draws: Draws) -> Floats:
    """Return the standard normals that the members of a run share, one row each."""
    return np.concatenate([draws.campaign, draws.appeal, draws.region.reshape(-1, draws.keys.size)])


def unpack(draws: Draws, x: Floats) -> Draws:
    """Put rows of standard normals back where they came from."""
    campaign, appeal, region = np.split(x, np.cumsum([len(draws.campaign), len(draws.appeal)]))
    return replace(draws, campaign=campaign, appeal=appeal, region=region.reshape(draws.region.shape))


def log_ratios(expected: Moments, tally: Tally) -> tuple[Floats, Floats, Floats]:
    """Return log-ratios of the expected votes to the last candidate's, their target, and its noise."""
    votes, mean = logs(expected.mean), expected.mean.mean(axis=1)
    target = logs(nearest(mean, tally))
    size = np.maximum(mean, 0.5)
    noise = np.diag(1.0 / size[:-1]) + 1.0 / size[-1]
    return votes[:-1] - votes[-1], target[:-1] - target[-1], noise


def nearest(mean: Floats, tally: Tally) -> Floats:
    """Return the votes, within what was announced, that are nearest to what was expected."""
    whole = mean.sum() if tally.valid is None else tally.valid
    return np.clip(mean * whole / max(mean.sum(), TINY), tally.low, tally.high)


def logs(votes: Floats) -> Floats:
    """Return the logarithms of votes, floored at half a vote."""
    return np.log(np.maximum(votes, 0.5))


def regress(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return slope, intercept and residual covariance of the least-squares fit of `y` by `x`."""
    design = np.vstack([x, np.ones(x.shape[1])])
    both = np.einsum("ip,jp->ij", np.vstack([y, design]), design)  # BLAS is slow for so few rows
    fit = both[: len(y)] @ np.linalg.pinv(both[len(y) :], hermitian=True)
    rest = y - fit @ design
    return fit[:, :-1], fit[:, -1], rest @ rest.T / x.shape[1]
