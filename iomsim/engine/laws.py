"""The laws of the model, each in one place; every other module that needs one calls it here.

All are elementwise in the runs: a parameter may be a number, or an array with one entry a run, and a run
gets the same bits either way.  `b` is a namespace of behaviour (:attr:`iomsim.engine.plan.Plan.behaviour`).
Where its arrays have one entry for each of some columns, such as the draws of the assumptions, `column` says which
one each run takes: what depends on nothing else is then found by column.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from iomsim.typing import Flags, Floats, Ints, PerRun, Places

FLATTENING = 0.346
"""Hidden spread of variance s**2 flattens a logit by sqrt(1 + 0.346 s**2): the logistic-normal
approximation with 16 sqrt(3) / (15 pi) (Zeger, Liang and Albert 1988, Biometrics 44, 1049-1060)."""

FLOOR = 0.5
"""Votes at which a share is floored before its logarithm is taken."""


def conviction_scale(conviction: PerRun) -> PerRun:
    """Return `c`, by which leans are multiplied to undo the flattening that hidden conviction causes.

    Examples
    --------
    >>> round(float(conviction_scale(1.8)), 4)
    1.4564
    """
    return np.sqrt(1.0 + FLATTENING * np.square(conviction))


def normal_noise(b: SimpleNamespace) -> PerRun:
    """Return the sd of all that is normal in one candidate's `v`: common and regional shock, hidden conviction."""
    scale = np.square(conviction_scale(b.conviction))
    shared = scale * (np.square(b.common_sd) + np.square(b.region_sd))
    return np.sqrt((shared + np.square(b.conviction)) / 2.0)


def campaign_effect(spread: PerRun, normals: PerRun) -> Floats:
    """Return how well a sponsor's campaign works: lognormal with mean 1 and log-sd `spread`."""
    return np.exp(spread * normals - np.square(spread) / 2)


def absence(absent: PerRun, cross_pressure: PerRun, exposure: Floats) -> Floats:
    """Return P(absent) by member: pressure from every sponsor at once keeps members away.

    Parameters
    ----------
    absent, cross_pressure : float or ndarray, shape (B,)
        Absence of everybody, and what the smallest of the exposures adds per unit.
    exposure : ndarray, shape (S, N, 1) or (S, N, B)
        Exposure of the members to the sponsors.
    """
    least = exposure.min(axis=0) if len(exposure) else np.zeros(exposure.shape[1:])
    return np.minimum(1.0, absent + cross_pressure * least)


def abstention(abstain: PerRun, pinned: Flags) -> Floats:
    """Return the probability that a member who is present hands in no valid paper; the pinned always vote."""
    return np.where(pinned, 0.0, abstain)


def straying(stray: PerRun, pinned: Flags) -> Floats:
    """Return the probability that a valid paper is for a name that does not stand; those of the pinned never are."""
    return np.where(pinned, 0.0, stray)


def decayed_openness(first: PerRun, floor: PerRun, decay: PerRun, rounds: int | Ints) -> PerRun:
    """Return the openness `rounds` rounds after it was `first`: geometric decay to a floor."""
    return floor + (first - floor) * np.power(decay, rounds)


def openness(b: SimpleNamespace, fluid: Flags, round_: int, night: Flags, column: Places | None = None) -> Floats:
    """Return the probability that a member thinks again before a round, shape (B,).

    Parameters
    ----------
    b : namespace
        The behaviour.
    fluid : ndarray of bool, shape (B,)
        Which contests move; the others freeze.
    round_ : int
        The coming round.  Everybody thinks before round 1.
    night : ndarray of bool, shape (B,)
        Where a night has passed since the last round: then `overnight` is a floor.
    column : ndarray of int, shape (B,), optional
        The columns of the behaviour.
    """
    if round_ == 1:
        return np.ones(fluid.size)
    entrenched, moving = (
        some(decayed_openness(first, b.openness_inf, b.decay, round_ - 2), column)
        for first in (b.openness_entrenched, b.openness_fluid)
    )
    omega = np.where(fluid, moving, entrenched)
    if not (night.any() and np.any(b.overnight)):
        return omega
    return np.where(night, np.maximum(omega, some(b.overnight, column)), omega)


def momentum(b: SimpleNamespace, fluid: Flags, crowded: Flags, column: Places | None = None) -> Floats:
    """Return the log-odds that a candidate gains per unit of log share in the last tally, shape (B,).

    Parameters
    ----------
    b : namespace
        The behaviour.
    fluid : ndarray of bool, shape (B,)
        Which contests move; the others freeze.
    crowded : ndarray of bool, shape (B,)
        Where three or more stood in the last round: gaps among many are wider than between two, and pull less.
    column : ndarray of int, shape (B,), optional
        The columns of the behaviour.

    Examples
    --------
    >>> b = SimpleNamespace(momentum_fluid=3.0, momentum_entrenched=0.6, momentum_field=0.5)
    >>> momentum(b, np.array([True, True, False]), np.array([False, True, True])).tolist()
    [3.0, 1.5, 0.3]
    """
    between_two = np.where(fluid, some(b.momentum_fluid, column), some(b.momentum_entrenched, column))
    if not crowded.any():
        return between_two
    return np.where(crowded, between_two * some(b.momentum_field, column), between_two)


def pull(b: SimpleNamespace, fluid: Flags, crowded: Flags, votes: Ints, column: Places | None = None) -> Floats:
    """Return the log-odds that every candidate gains by the last tally, shape (K, B).

    `votes` are the last tally, shape (K, B).  That it is not divided by the valid papers adds the same to all.
    Members whose candidate has left do not feel it in that round.
    """
    return momentum(b, fluid, crowded, column) * np.log(np.maximum(votes, FLOOR))


def looked_back_at(votes: Ints, stood: Flags, stands: Flags) -> Ints:
    """Return the tally that members look back at: who comes back counts as level with the last of those voted on.

    Parameters
    ----------
    votes : ndarray of int, shape (K, B)
        The last tally.
    stood, stands : ndarrays of bool, shapes (K, B)
        Who was voted on in it, and who may be in the coming round.

    Examples
    --------
    >>> votes, stood = np.array([[9], [5], [0]]), np.array([[True], [True], [False]])
    >>> looked_back_at(votes, stood, np.array([[True], [True], [True]])).ravel().tolist()
    [9, 5, 5]
    """
    last = np.where(stood, votes, np.iinfo(np.int16).max).min(axis=0)
    return np.where(stands & ~stood, last, votes).astype(votes.dtype)


def shock_scale(b: SimpleNamespace, column: Places | None = None) -> PerRun:
    """Return what a shock of unit variance is multiplied by, so that the difference of two has sd `round_sd`."""
    return some(b.round_sd / np.sqrt(2.0), column)


def concession(b: SimpleNamespace, non_concessions: int | Ints, column: Places | None = None) -> PerRun:
    """Return the probability that the trailing one of two concedes after so many rounds without conceding.

    Readiness h ~ Beta(a, b) is integrated out: the law of a Polya urn, a / (a + b + m).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> concession(SimpleNamespace(concede_a=1.0, concede_b=4.0), 5)
    0.1
    """
    a, both = some(b.concede_a, column), some(b.concede_a + b.concede_b, column)
    return a / (both + non_concessions)


def others_yes(b: SimpleNamespace, conceded: Flags, u: Floats) -> Floats:
    """Return the share of the others' voters who say yes to a leader alone, from uniforms, shape (B,).

    It has one Beta law where the rules have left the others without a candidate, and another where the other
    candidate has `conceded`, shape (B,): many more follow who gives way than who is put out.
    """
    from scipy.special import betaincinv

    first = np.where(conceded, b.yes_conceded_a, b.yes_opponent_a)
    second = np.where(conceded, b.yes_conceded_b, b.yes_opponent_b)
    return np.asarray(betaincinv(first, second, u))


def leads(votes: Ints, standing: Flags) -> Flags:
    """Return who stands and has most votes, ties included; shapes (K, B)."""
    papers = np.where(standing, votes, -1)
    return np.asarray(papers == papers.max(axis=0))


def trails(votes: Ints, standing: Flags) -> Flags:
    """Return who stands and has fewest votes, ties included; shapes (K, B)."""
    papers = np.where(standing, votes, np.iinfo(np.int16).max)
    return np.asarray(papers == papers.min(axis=0))


# -- characteristic functions -------------------------------------------------------------------


def gumbel(frequency: Floats) -> NDArray[np.complex128]:
    """Return the characteristic function of the Gumbel law, ``gamma(1 - i w)``: Stirling's series, eight steps up.

    Examples
    --------
    >>> complex(gumbel(np.array([0.0]))[0]).real.__round__(9)
    1.0
    """
    z = 1.0 - 1j * frequency
    far = z + 8.0
    series = 1.0 / (12.0 * far) - 1.0 / (360.0 * far**3) + 1.0 / (1260.0 * far**5)
    found = np.exp((far - 0.5) * np.log(far) - far + series) * np.sqrt(2.0 * np.pi)
    for k in range(8):
        found = found / (z + k)
    return np.asarray(found)


# -- numbers for some of the runs ----------------------------------------------------------------


def select(numbers: SimpleNamespace, index: Places) -> SimpleNamespace:
    """Return numbers for some of the runs: arrays are indexed, what is the same for all stays as it is."""
    if not any(isinstance(value, np.ndarray) for value in vars(numbers).values()):
        return numbers
    return SimpleNamespace(**{key: some(value, index) for key, value in vars(numbers).items()})


def some(value: PerRun, index: Places | None) -> PerRun:
    """Return a value for some of the runs, or for all as it is."""
    return value.take(index) if index is not None and isinstance(value, np.ndarray) else value
