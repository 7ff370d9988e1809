"""One round, exactly: laws of tallies, of shares and of yes votes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from iomsim.errors import IomsimError, whole_number
from iomsim.rules.ruleset import RULE_SETS, Rules
from iomsim.typing import Floats, Longs

STRICT = RULE_SETS["strict"]

FLATTENING = 0.346
"""Hidden spread of variance s**2 flattens a logit by sqrt(1 + 0.346 s**2) (Zeger, Liang and Albert
1988, *Biometrics* 44, 1049-1060)."""

# -- sums of independent members -----------------------------------------------------------------


def poisson_binomial(chances: ArrayLike) -> Floats:
    """Return the law of the number of successes among independent trials that are not alike.

    Parameters
    ----------
    chances : array_like, shape (N, ...)
        Probability of success of each trial; further axes are separate laws.

    Returns
    -------
    ndarray, shape (N + 1, ...)
        Probability of 0, 1, ..., N successes.

    Raises
    ------
    IomsimError
        If a chance is no probability.

    Notes
    -----
    By direct convolution, O(N**2) per law.  Only non-negative numbers are added, so that the tails
    keep their relative precision, which a Fourier transform would lose.  See Hong (2013), "On
    computing the distribution function for the Poisson binomial distribution", *Computational
    Statistics & Data Analysis* 59, 41-51.

    Examples
    --------
    >>> poisson_binomial([0.5, 0.5]).tolist()
    [0.25, 0.5, 0.25]
    """
    each = probabilities("chances", chances)
    law = np.zeros((len(each) + 1, *each.shape[1:]))
    law[0] = 1.0
    for count, p in enumerate(each, start=1):
        law[1 : count + 1] = law[1 : count + 1] * (1 - p) + law[:count] * p
        law[0] *= 1 - p
    return law


def at_least(law: ArrayLike) -> Floats:
    """Return P(X >= x) for x = 0, 1, ..., added up from the far end, where the numbers are small.

    Examples
    --------
    >>> at_least(poisson_binomial([0.5, 0.5])).tolist()
    [1.0, 0.75, 0.25]
    """
    return np.cumsum(np.asarray(law, dtype=float)[::-1], axis=0)[::-1]


def joint_tallies(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the joint law of two candidates' votes.

    Parameters
    ----------
    first, second : array_like, shape (N,)
        Probability that a member's paper is for the first, for the second; what is missing to 1 is
        the probability of no valid paper.

    Returns
    -------
    ndarray, shape (N + 1, N + 1)
        Probability of `i` votes for the first and `j` for the second.

    Examples
    --------
    >>> joint_tallies([0.5], [0.25]).tolist()
    [[0.25, 0.25], [0.5, 0.0]]
    """
    p, q = probabilities("first", first), probabilities("second", second)
    none = probabilities("first + second", p + q, complement=True)
    law = np.zeros((len(p) + 1, len(p) + 1))
    law[0, 0] = 1.0
    for a, b, neither in zip(p, q, none, strict=True):
        before, law = law, law * neither
        law[1:] += before[:-1] * a
        law[:, 1:] += before[:, :-1] * b
    return law


# -- the first round -------------------------------------------------------------------------------


def first_chance(lean: ArrayLike, conviction: float = 0.0) -> Floats:
    """Return the chance that a member votes for the first candidate in round 1.

    Parameters
    ----------
    lean : array_like
        Systematic lean towards the first over the second, in log-odds on the scale of shares.
    conviction : float
        Sd of the hidden conviction, over which the chance is averaged.

    Notes
    -----
    ``E sigma(c lean + conviction Z)`` with ``c = sqrt(1 + 0.346 conviction**2)`` and Z standard
    normal, by the trapezoid rule, whose error for such a smooth and bounded function falls
    exponentially with the step (Goodwin 1949, *Mathematical Proceedings of the Cambridge
    Philosophical Society* 45, 241-245): here it is below 1e-12.

    Examples
    --------
    >>> first_chance([0.0, 1.0], conviction=1.8).round(3).tolist()
    [0.5, 0.721]
    """
    if not (np.isfinite(conviction) and conviction >= 0):
        raise IomsimError(f"conviction must be 0 or more, got {conviction!r}")
    z = np.linspace(-8.5, 8.5, 2 * int(170 * max(1.0, conviction / 3)) + 1)
    weights = np.exp(-z * z / 2)
    steep = np.sqrt(1 + FLATTENING * conviction**2) * np.asarray(lean, dtype=float)
    return sigma(steep[..., None] + conviction * z) @ (weights / weights.sum())


def first_round(
    lean: ArrayLike,
    conviction: float = 0.0,
    absent: ArrayLike = 0.0,
    abstain: float = 0.0,
    pinned: ArrayLike | None = None,
) -> Floats:
    """Return the joint law of the two tallies of round 1, given what a run draws once.

    Parameters
    ----------
    lean : array_like, shape (N,)
        Systematic lean of each member towards the first over the second, shocks included.
    conviction : float
        Sd of the hidden conviction; members' convictions are independent, so that averaging over
        them leaves the members independent.
    absent : array_like, shape (N,) or a number
        Probability that a member is absent.
    abstain : float
        Probability that a member who is present hands in no valid paper.
    pinned : array_like of int, shape (N,), optional
        0 or 1 for members who always vote, and for that candidate; -1 for the others.

    Returns
    -------
    ndarray, shape (N + 1, N + 1)
        As of :func:`joint_tallies`.

    Examples
    --------
    Three members without a lean; the chance that the first gets two of the three votes, or more:

    >>> law = first_round([0.0, 0.0, 0.0])
    >>> decided(law).tolist()
    [0.5, 0.5, 0.0]
    """
    chance = first_chance(lean, conviction)
    papers = (1 - probabilities("absent", absent)) * (1 - probabilities("abstain", abstain))
    first, second = chance * papers, (1 - chance) * papers
    if pinned is not None:
        pins = np.asarray(pinned)
        first, second = (np.where(pins >= 0, pins == k, x) for k, x in ((0, first), (1, second)))
    return joint_tallies(first, second)


def decided(law: Floats, rules: Rules = STRICT, round_: int = 1) -> Floats:
    """Return the chances that a round elects the first, the second, nobody.

    Parameters
    ----------
    law : ndarray, shape (N + 1, N + 1)
        Joint law of the tallies, as of :func:`joint_tallies`.
    rules : Rules
        With ``base="valid"``: tallies tell nothing of who else was present.
    round_ : int
        The round, as far as the rules look at it.

    Examples
    --------
    >>> decided(joint_tallies([1.0, 1.0, 0.5], [0.0, 0.0, 0.5])).tolist()
    [1.0, 0.0, 0.0]
    """
    if rules.base != "valid":
        raise IomsimError(f"tallies decide only where the base is 'valid', got base {rules.base!r}")
    a, b = _votes(law)
    need = rules.needed(a + b, round_)
    first, second = ((x >= need) & (x > y) for x, y in ((a, b), (b, a)))
    return np.array([law[first].sum(), law[second].sum(), law[~first & ~second].sum()])


def share_law(law: Floats) -> pd.Series:
    """Return the law of the first candidate's share of the valid papers.

    Rounds without a valid paper have no share and are left out, so that the sum may be below 1.

    Examples
    --------
    >>> share_law(joint_tallies([0.5, 0.5], [0.5, 0.25])).to_dict()
    {0.0: 0.25, 0.5: 0.375, 1.0: 0.375}
    """
    a, b = _votes(law)
    known = (a + b > 0) & (law > 0)
    found = pd.Series(law[known], index=pd.Index(a[known] / (a + b)[known], name="share"), name="probability")
    return found.groupby(level=0).sum()


def _votes(law: Floats) -> tuple[Longs, Longs]:
    """Return the votes of both candidates in every cell of a joint law."""
    grid = np.indices(law.shape)
    return grid[0], grid[1]


# -- yes or no -------------------------------------------------------------------------------------


def yes_law(own: int, others: int, yes_own: float = 0.97, a: float = 2.2, b: float = 7.8) -> Floats:
    """Return the law of the yes votes when the leader stands alone.

    The leader's `own` voters say yes independently with probability `yes_own`; the `others` with a
    probability drawn once, from Beta(a, b), so that their yes votes are beta-binomial.

    Returns
    -------
    ndarray, shape (own + others + 1,)

    Examples
    --------
    >>> yes_law(1, 1, yes_own=1.0, a=1.0, b=1.0).round(3).tolist()
    [0.0, 0.5, 0.5]
    """
    own, others = whole_number("own", own, 0), whole_number("others", others, 0)
    if not (a > 0 and b > 0):
        raise IomsimError(f"a and b must be above 0, got {a!r} and {b!r}")
    k = np.arange(others)
    steps = np.log((others - k) * (a + k) / ((k + 1) * (b + others - 1 - k)))  # ln of P(k + 1) / P(k)
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    mixed = np.exp(logs - logs.max())
    mixed /= mixed.sum()
    return np.convolve(poisson_binomial(np.full(own, yes_own)), mixed)


def confirmation(
    own: int, others: int, yes_own: float = 0.97, a: float = 2.2, b: float = 7.8, rules: Rules = STRICT, round_: int = 1
) -> float:
    """Return the chance that the leader alone is confirmed by enough of `own + others` papers.

    Examples
    --------
    From 75 to 73, all voting:

    >>> round(confirmation(75, 73), 4)
    0.1656
    """
    return float(yes_law(own, others, yes_own, a, b)[rules.needed(own + others, round_) :].sum())


# -- numbers ---------------------------------------------------------------------------------------


def sigma(x: Any) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(np.asarray(x) / 2)))


def probabilities(name: str, values: ArrayLike, complement: bool = False) -> Floats:
    """Return the values as floats if all are probabilities, or 1 minus them."""
    out = np.asarray(values, dtype=float)
    if not ((out >= 0) & (out <= 1 + 1e-12 * complement)).all():
        raise IomsimError(f"{name} must be between 0 and 1, got {out.min():g} to {out.max():g}")
    return np.maximum(1 - out, 0.0) if complement else out
