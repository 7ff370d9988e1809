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

The level of every stretch is integrated out over a grid, against a flat prior; the regime is summed
over; hidden conviction is integrated by Gauss and Hermite's rule.  How ready a camp is to concede does not depend
on the tallies, and is exact.  The tests check the whole against counts of simulated contests and
against the live update, which makes neither approximation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from iomsim.engine.laws import FLATTENING
from iomsim.typing import Floats
from iomsim.validation.contest import Contest
from iomsim.validation.segments import Stretch, stretches

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

REGIMES = ("fluid", "entrenched")
OF_PATIENCE = ("concede_a", "concede_b")


@dataclass(frozen=True, eq=False)
class Moves:
    """The tallies of a stretch between two candidates: what the likelihood looks at.

    Attributes
    ----------
    votes : ndarray, shape (m, 2)
        Votes of both in each round.
    size : int
        Members entitled to vote.
    before : int
        Rounds for one seat held before the first of them.
    """

    votes: Floats
    size: int
    before: int = 0

    def present(self, away: float) -> float:
        """Return the members present throughout, if this part of those missing at first is away for good."""
        valid = self.votes.sum(axis=1)
        return float(max(self.size - away * (self.size - valid[0]), valid.max()))


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
    >>> from iomsim.validation.contests import contest
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
    return [Moves(votes[i : i + LONGEST], stretch.contest.size, before + i) for i in cuts]


def patience_of(contest: Contest) -> Patience:
    """Return the refusals to concede between two, unknown rounds included, and whether one then conceded.

    A round that elects, and a tie, ask nobody.  A compromise on an outsider is no concession: the
    contest counts as refused to the end.

    Examples
    --------
    >>> from iomsim.validation.contests import contest
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
        The fields of the behaviour; and two numbers, `conviction` and `away`, the part of the papers
        missing at first that are of members away for good.
    """
    return np.array([of_tallies(moves_of(one), theta) + of_patience(patience_of(one), theta) for one in contests])


def of_patience(patience: Patience, theta: SimpleNamespace) -> Floats:
    """Return the log-probability of refusals and a concession; readiness is beta, integrated out."""
    a, b = theta.concede_a, theta.concede_b
    m = np.arange(patience.refusals)[:, None]
    out = np.log((b + m) / (a + b + m)).sum(axis=0)
    return out + (np.log(a / (a + b + patience.refusals)) if patience.conceded else 0.0)


def of_tallies(pieces: Iterable[Moves], theta: SimpleNamespace) -> Floats:
    """Return the log-likelihood of a contest's tallies, shape (D,); its regime is the same throughout."""
    pieces, size = tuple(pieces), len(theta.fluid)
    if not pieces:
        return np.zeros(size)
    if size > 1 and all(np.ptp(value) == 0 for key, value in vars(theta).items() if key not in OF_PATIENCE):
        return np.repeat(of_tallies(pieces, _part(theta, slice(1))), size)
    with np.errstate(divide="ignore"):
        chance = np.log(theta.fluid), np.log1p(-theta.fluid)
    fluid, frozen = (sum(of_moves(piece, theta, regime) for piece in pieces) for regime in REGIMES)
    return np.asarray(np.logaddexp(chance[0] + fluid, chance[1] + frozen))


def of_moves(moves: Moves, theta: SimpleNamespace, regime: str) -> Floats:
    """Return the log-density of the tallies after the first in a regime, given the first, shape (D,)."""
    size = len(theta.fluid)
    parts = [_chunk(moves, _part(theta, slice(i, i + CHUNK)), regime) for i in range(0, size, CHUNK)]
    return np.concatenate(parts)


def _part(theta: SimpleNamespace, where: slice) -> SimpleNamespace:
    return SimpleNamespace(
        **{key: value if np.ndim(value) == 0 else value[where] for key, value in vars(theta).items()}
    )


def _chunk(moves: Moves, theta: SimpleNamespace, regime: str) -> Floats:
    votes, momentum = moves.votes, getattr(theta, f"momentum_{regime}")
    omega = _openness(moves, theta, regime)
    nodes, mass = np.polynomial.hermite_e.hermegauss(NODES)
    mass = mass / mass.sum()
    hidden = theta.conviction * nodes
    pull = momentum[:, None] * np.log(np.maximum(votes[:, 0], 0.5) / np.maximum(votes[:, 1], 0.5))  # (D, m)
    still = _still(moves, theta, regime)
    lean = _levels(moves, theta, pull[:, 0], still, hidden, mass)[..., None] + hidden  # (D, levels, nodes)
    chance = np.empty((*lean.shape[:2], len(votes), len(hidden)))
    push = np.zeros_like(chance)
    chance[:, :, 0] = _start(lean, _deep(pull[:, 0], lean), _deep(still, lean))
    for r, w in enumerate(omega, start=1):
        again, w = expit(lean + _deep(pull[:, r - 1], lean)), _deep(w, lean)
        chance[:, :, r] = (1 - w) * chance[:, :, r - 1] + w * again
        push[:, :, r] = _deep(theta.round_sd, lean) * w * again * (1 - again)
    mean, spread = _moments(chance, push @ mass, _kept(1 - omega), mass, votes.sum(axis=1), moves.present(theta.away))
    gap = votes[:, 0] - mean
    first = _joint(gap[..., :1], spread[..., :1, :1])
    return np.asarray(np.logaddexp.reduce(_joint(gap, spread), axis=1) - np.logaddexp.reduce(first, axis=1))


def _deep(x: Floats, like: Floats) -> Floats:
    """Return a row of values so shaped that it broadcasts along the first axis."""
    return x.reshape(-1, *[1] * (like.ndim - 1))


def _openness(moves: Moves, theta: SimpleNamespace, regime: str) -> Floats:
    """Return who thinks again before each round but the first, shape (m - 1, D)."""
    return _omega(theta, regime, moves.before + np.arange(len(moves.votes) - 1))


def _still(moves: Moves, theta: SimpleNamespace, regime: str) -> Floats:
    """Return the probability not to have thought again in any of the rounds before, shape (D,)."""
    return np.asarray(np.prod(1 - _omega(theta, regime, np.arange(moves.before)), axis=0))


def _omega(theta: SimpleNamespace, regime: str, passed: Any) -> Floats:
    first = getattr(theta, f"openness_{regime}")
    return np.asarray(theta.openness_inf + (first - theta.openness_inf) * theta.decay ** passed[:, None])


def _start(lean: Floats, pull: Floats, still: Floats) -> Floats:
    """Return members' probabilities in the first tally of a stretch.

    Those who have not thought again stand where their conviction puts them; the others did so under
    the pull of tallies that nobody knows, taken to have been like this one.
    """
    return np.asarray(still * expit(lean) + (1 - still) * expit(lean + pull))


def _levels(moves: Moves, theta: SimpleNamespace, pull: Floats, still: Floats, hidden: Floats, mass: Floats) -> Floats:
    """Return a grid of levels, as members' log-odds, around the one that gives the first tally; (D, levels)."""
    first, valid = moves.votes[0, 0], moves.votes[0].sum()
    share = (first + 0.5) / (valid + 1)
    steep = np.sqrt(1 + FLATTENING * theta.conviction**2)
    goal = np.log(share / (1 - share))
    middle = np.full(len(pull), goal)
    for _ in range(6):
        now = _start(steep * middle[:, None] + hidden, pull[:, None], still[:, None]) @ mass
        middle += goal - np.log(now / (1 - now))
    error = 1 / np.sqrt(valid * share * (1 - share))
    return np.asarray(steep * (middle[:, None] + error * np.linspace(-REACH, REACH, LEVELS)))


def expit(x: Floats) -> Floats:
    """Return the probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(-x, -700, 700))))


def _kept(keep: Floats) -> Floats:
    """Return the probability not to have thought again since round s by round r, shape (D, 1, m, m)."""
    rounds = len(keep) + 1
    out = np.zeros((keep.shape[1], 1, rounds, rounds))
    for r in range(rounds):
        for s in range(r + 1):
            out[:, 0, r, s] = np.prod(keep[s:r], axis=0)
    return out


def _moments(
    chance: Floats, push: Floats, kept: Floats, mass: Floats, valid: Floats, present: float
) -> tuple[Floats, Floats]:
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
    valid : ndarray, shape (m,)
        Papers of each round: of a random part of the members present.
    present : float
        Members present.
    """
    average = chance @ mass
    alike = (chance * mass) @ np.swapaxes(chance, -1, -2)  # both rounds, thought through anew
    own = average - np.diagonal(alike, axis1=-2, axis2=-1)
    both = alike + kept * own[..., None, :] - average[..., None] * average[..., None, :]
    spread = np.tril(both * np.outer(valid, valid) / present, -1)
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
