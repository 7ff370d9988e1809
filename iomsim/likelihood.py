"""How likely announced tallies and withdrawals are under the between-rounds parameters.

Fitting needs the likelihood of many contests at thousands of parameter values, for which particles
would be too slow and too noisy.  Between two candidates it can be had in closed form, but for two
approximations:

* Given the announced shares (which momentum looks at), the level and the regime, members move
  independently.  A round's tally is a sum over members, so the tallies of a stretch of rounds have
  exactly computable means and covariances (members who did not think again between two rounds vote
  alike in both), and their joint law is taken as normal: the central limit theorem, good for tens
  of members and more.
* The rounds' common shocks enter to first order, as normals of their variance.

The level is integrated out over a grid, against a flat prior; the regime is summed over; hidden
conviction is integrated by Gauss and Hermite's rule.  How ready a camp is to concede does not depend
on the tallies, and is exact.  The tests check the whole against counts of simulated contests and
against the live update, which makes neither approximation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from iomsim.compiled import FLATTENING
from iomsim.past import Contest
from iomsim.scores import Floats
from iomsim.stretches import Stretch, stretches

LEVELS, REACH = 15, 4.5
"""Grid of the level, and how many standard errors of the first tally it reaches to either side."""

NODES = 24
"""Points of the Gauss-Hermite rule over hidden conviction."""

ROUNDING = 1 / 12
"""Variance that makes a normal density at a whole number stand for the probability of that number."""

LONGEST = 10
"""Rounds of a stretch that are taken together."""

CHUNK = 128
"""Parameter values worked on at a time."""


@dataclass(frozen=True)
class Moves:
    """The tallies of a stretch between two candidates: what the likelihood looks at.

    Attributes
    ----------
    votes : ndarray, shape (m, 2)
        Votes of both in each round.
    present : float
        Members present throughout: half of those missing in the first tally count as absent for good,
        and every round's voters are a random part of the others.
    before : int
        Rounds for one seat held before the first of them.
    """

    votes: Floats
    present: float
    before: int = 0


@dataclass(frozen=True)
class Patience:
    """How often the trailing one of two stayed in, and whether it then withdrew."""

    refusals: int
    conceded: bool


def moves_of(contest: Contest) -> tuple[Moves, ...]:
    """Return the stretches of at least two rounds in which the same two stand throughout.

    Longer ones are cut every ten rounds, each piece starting from the last tally of the one before.

    Examples
    --------
    >>> from iomsim.contests import contest
    >>> [part.votes.tolist() for part in moves_of(contest("UNSC2014-WEOG"))]
    [[[120.0, 73.0], [132.0, 60.0]]]
    """
    return tuple(piece for stretch in stretches(contest) for piece in _pieces(stretch))


def _pieces(stretch: Stretch) -> list[Moves]:
    tallies = np.array([known.tally for known in stretch.rounds], dtype=float)
    stand = tallies[-1] > 0
    two = np.flatnonzero(((tallies > 0) == stand).all(axis=1))
    if stand.sum() != 2 or two.size < 2:
        return []
    votes, before = tallies[two[0] :, stand], stretch.before + int(two[0])
    cuts = range(0, len(votes) - 1, LONGEST - 1)
    return [_moves(votes[i : i + LONGEST], stretch.contest.size, before + i) for i in cuts]


def _moves(votes: Floats, size: int, before: int) -> Moves:
    valid = votes.sum(axis=1)
    return Moves(votes, max((size + valid[0]) / 2, valid.max()), before)


def patience_of(contest: Contest) -> Patience:
    """Return the refusals to concede between two, unknown rounds included, and whether one then conceded.

    A round that elects, and a tie, ask nobody.  A compromise on an outsider is no concession: the
    contest counts as refused to the end.

    Examples
    --------
    >>> from iomsim.contests import contest
    >>> patience_of(contest("UNSC2007-EEG")), patience_of(contest("UNSC2020-AF")).refusals
    (Patience(refusals=1, conceded=True), 1)
    """
    conceded = contest.ending == "acclamation"
    last = contest.decided_round - (contest.ending in ("majority", "acclamation", "confirmed", "failed"))
    last = contest.decided_round if contest.ending == "unresolved" else last
    tied = {known.round for known in contest.ordinary if known.tied}
    asked = [round_ for round_ in range(contest.two_way_from, last + 1) if round_ not in tied]
    return Patience(len(asked), conceded)


# -- tallies ---------------------------------------------------------------------------------------


def log_likelihood(contests: Iterable[Contest], theta: SimpleNamespace) -> Floats:
    """Return the log-likelihood of each contest at each parameter value, shape (contests, D).

    Parameters
    ----------
    contests : contests
        What was announced.
    theta : namespace of ndarrays, shape (D,)
        The fields of the behaviour (`conviction` a number).
    """
    return np.array(
        [
            sum((of_moves(part, theta) for part in moves_of(one)), of_patience(patience_of(one), theta))
            for one in contests
        ]
    )


def of_patience(patience: Patience, theta: SimpleNamespace) -> Floats:
    """Return the log-probability of refusals and a concession; readiness is beta, integrated out."""
    a, b = theta.concede_a, theta.concede_b
    m = np.arange(patience.refusals)[:, None]
    out = np.log((b + m) / (a + b + m)).sum(axis=0)
    return out + (np.log(a / (a + b + patience.refusals)) if patience.conceded else 0.0)


def of_moves(moves: Moves, theta: SimpleNamespace) -> Floats:
    """Return the log-likelihood of the tallies after the first, shape (D,)."""
    size = len(theta.fluid)
    parts = [_chunk(moves, _part(theta, slice(i, i + CHUNK))) for i in range(0, size, CHUNK)]
    return np.concatenate(parts)


def _part(theta: SimpleNamespace, where: slice) -> SimpleNamespace:
    return SimpleNamespace(
        **{key: value if np.ndim(value) == 0 else value[where] for key, value in vars(theta).items()}
    )


def _chunk(moves: Moves, theta: SimpleNamespace) -> Floats:
    grid, start, z, mass = _worlds(moves, theta.conviction)
    fluid = _regime(moves, theta, "fluid", grid, z, mass)
    frozen = _regime(moves, theta, "entrenched", grid, z, mass)
    with np.errstate(divide="ignore"):
        chance = np.log(np.stack([theta.fluid, 1 - theta.fluid]))
    given = np.logaddexp(fluid + chance[0, :, None], frozen + chance[1, :, None])  # (D, levels)
    return np.asarray(np.logaddexp.reduce(given, axis=1) - np.logaddexp.reduce(start))


def _worlds(moves: Moves, conviction: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the grid of levels, the first tally's log-density there, and the rule over conviction."""
    nodes, mass = np.polynomial.hermite_e.hermegauss(NODES)
    first, valid = moves.votes[0, 0], moves.votes[0].sum()
    share = (first + 0.5) / (valid + 1)
    error = 1 / np.sqrt(valid * share * (1 - share))
    grid = np.log(share / (1 - share)) + error * np.linspace(-REACH, REACH, LEVELS)
    mass = mass / mass.sum()
    p = expit(np.sqrt(1 + FLATTENING * conviction**2) * grid[:, None] + conviction * nodes) @ mass
    start = _normal(first - valid * p, valid * p * (1 - p) + ROUNDING)
    return grid, start, conviction * nodes, mass


def expit(x: Floats) -> Floats:
    """Return the probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(-x, -700, 700))))


def _normal(gap: Floats, variance: Floats) -> Floats:
    return -0.5 * (gap**2 / variance + np.log(2 * np.pi * variance))


def _regime(moves: Moves, theta: SimpleNamespace, regime: str, grid: Floats, hidden: Floats, mass: Floats) -> Floats:
    """Return the joint log-density of all tallies in a regime, shape (D, levels)."""
    votes = moves.votes
    lean = np.sqrt(1 + FLATTENING * theta.conviction**2) * grid[:, None] + hidden  # (levels, nodes)
    momentum, omega = getattr(theta, f"momentum_{regime}"), _openness(moves, theta, regime)
    chance = np.empty((len(momentum), len(grid), len(votes), len(hidden)))
    push = np.zeros_like(chance)
    chance[:, :, 0] = expit(lean)
    for r, w in enumerate(omega, start=1):
        gain = np.log(np.maximum(votes[r - 1, 0], 0.5) / np.maximum(votes[r - 1, 1], 0.5))
        again = expit(lean + (momentum * gain)[:, None, None])
        chance[:, :, r] = (1 - w)[:, None, None] * chance[:, :, r - 1] + w[:, None, None] * again
        push[:, :, r] = (w * theta.round_sd)[:, None, None] * again * (1 - again)
    mean, spread = _moments(chance, push @ mass, _kept(1 - omega), mass, moves)
    return _joint(votes[:, 0] - mean, spread)


def _openness(moves: Moves, theta: SimpleNamespace, regime: str) -> Floats:
    """Return who thinks again before each round but the first, shape (m - 1, D)."""
    passed = moves.before + np.arange(len(moves.votes) - 1)[:, None]
    first = getattr(theta, f"openness_{regime}")
    return theta.openness_inf + (first - theta.openness_inf) * theta.decay**passed


def _kept(keep: Floats) -> Floats:
    """Return the probability not to have thought again since round s by round r, shape (D, 1, m, m)."""
    rounds = len(keep) + 1
    out = np.zeros((keep.shape[1], 1, rounds, rounds))
    for r in range(rounds):
        for s in range(r + 1):
            out[:, 0, r, s] = np.prod(keep[s:r], axis=0)
    return out


def _moments(chance: Floats, push: Floats, kept: Floats, mass: Floats, moves: Moves) -> tuple[Floats, Floats]:
    """Return means (D, levels, m) and covariances (D, levels, m, m) of the first candidate's votes.

    Parameters
    ----------
    chance : ndarray, shape (D, levels, m, nodes)
        Members' probabilities to intend it, by round and conviction.
    push : ndarray, shape (D, levels, m)
        What one standard deviation of a round's shock adds to the mean of those probabilities.
    kept : ndarray, shape (D, 1, m, m)
        From :func:`_kept`.
    mass : ndarray, shape (nodes,)
        How common each conviction is.
    moves : Moves
        The tallies.
    """
    valid = moves.votes.sum(axis=1)
    average = chance @ mass
    alike = (chance * mass) @ np.swapaxes(chance, -1, -2)  # both rounds, thought through anew
    own = average - np.diagonal(alike, axis1=-2, axis2=-1)
    both = alike + kept * own[..., None, :] - average[..., None] * average[..., None, :]
    spread = np.tril(both * np.outer(valid, valid) / moves.present, -1)
    spread = spread + np.swapaxes(spread, -1, -2)
    own_round = np.arange(len(valid))
    spread[..., own_round, own_round] = valid * average * (1 - average) + ROUNDING
    shocks = valid[:, None] * kept * push[..., None, :]
    return valid * average, spread + shocks @ np.swapaxes(shocks, -1, -2)


def _joint(gap: Floats, spread: Floats) -> Floats:
    """Return the log-density of a multivariate normal at these gaps from its mean."""
    root = np.linalg.cholesky(spread)
    scaled = np.linalg.solve(root, gap[..., None])[..., 0]
    scale = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.asarray(-0.5 * (scaled**2).sum(axis=-1) - scale - 0.5 * gap.shape[-1] * np.log(2 * np.pi))
