"""How likely a tally is after one among three or more, under the between-rounds parameters.

Each such move is taken by itself, given the tally before it; in a contest they are tied together by its regime only.
Approximated is this:

* The contest starts again from the earlier tally as if it were a first round, the way :mod:`iomsim.validation.segments`
  does: those who have thought again before did so under the pull of tallies much like this one, so of the pull
  there is left the part of the members who have not.  Those whose candidate leaves choose without any.
* The level that gives the earlier tally is found; how far it may lie from there, under a flat prior, enters to first
  order, and so do the shocks of the round.
* The camp of the leader (:data:`iomsim.validation.segments.CAMP`) is as strong as one of a few values, all equally
  likely, anew in every move.
* Given those, members move independently: means and covariances of both tallies are sums over members, with hidden
  conviction integrated over fixed points.  The joint law is taken as normal, the smallest candidates together.

What the moments depend on apart from the openness, in which they are linear, is one number: the momentum times
`momentum_field`.  So they are worked out once a move on a grid of it, and looked up for all parameter values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from iomsim.engine.laws import FLOOR, campaign_effect, conviction_scale, decayed_openness
from iomsim.typing import Flags, Floats, Places
from iomsim.validation.contest import Contest
from iomsim.validation.segments import CAMP, Segment, segments

POINTS = 512
"""Fixed points over hidden conviction, each taken with its mirror image."""

STRONGEST, STEPS = 12.0, 13
"""The strongest pull that is looked up (beyond it nothing changes), and how many values of it there are."""

ROUNDING = 1 / 12
"""Variance that makes a normal density at a whole number stand for the probability of that number."""

Spline = Callable[[Floats], Floats]
"""Factors by the pull."""

SMALL = 8
"""Votes that a candidate needs to be looked at alone."""

OPEN = 0.5
"""The part of the members who are open to a camp."""

CAMPS = 5
"""How many strengths of a camp stand for its law."""

BATCH = 2048
"""Parameter values worked on at a time."""


@dataclass(frozen=True)
class CrowdedMove:
    """Two consecutive tallies, of which the first is among three or more.

    Attributes
    ----------
    votes : tuple of int
        Votes of everybody in the earlier round.
    after : tuple of int or None
        Their votes in the later one; None of those who have left.
    size : int
        Members entitled to vote.
    before : int
        Rounds for one seat held before the earlier one.
    camp : float
        Mean strength of the camp of one candidate, as of a sponsor; 0 for none.
    leader : int
        Whose camp it is, by place.
    """

    votes: tuple[int, ...]
    after: tuple[int | None, ...]
    size: int
    before: int = 0
    camp: float = 0.0
    leader: int = 0

    @property
    def stands(self) -> Flags:
        """Who stands in the later round."""
        return np.array([votes is not None for votes in self.after])

    @property
    def apart(self) -> Places:
        """Those whose votes in the later round are looked at one by one, by place.

        The smallest who stand are taken together, until they had at least :data:`SMALL` votes: for fewer a normal law
        is none.  Their sum follows from the papers.
        """
        votes = np.where(self.stands, self.votes, 0)
        order = np.argsort(-votes, kind="stable")
        rest = votes.sum() - np.cumsum(votes[order])
        return np.sort(order[: max(int((rest >= SMALL).sum()), 1)])

    def present(self, away: float) -> float:
        """Return the members present throughout, if this part of those missing at first is absent throughout."""
        first, second = sum(self.votes), sum(votes or 0 for votes in self.after)
        return float(max(self.size - away * (self.size - first), first, second))


def crowded_moves(contest: Contest) -> tuple[CrowdedMove, ...]:
    """Return the moves of a contest from a round among three or more, of whom some may leave but nobody comes back.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> crowded_moves(contest("WHO2017"))
    (CrowdedMove(votes=(95, 52, 38), after=(121, 62, None), size=186, before=0, camp=2.5, leader=0),)
    """
    return tuple(move for segment in segments(contest) for move in _moves(segment))


def _moves(segment: Segment) -> Iterator[CrowdedMove]:
    one, first = segment.contest, segment.names[0]
    for a, b in pairwise(one.at(known.round) for known in segment.rounds):
        votes, before = b.votes, segment.before + a.round - segment.start
        if len(a.field) > 2:
            camp, leader = (segment.camp_strength, a.field.index(first)) if first in a.field else (0.0, 0)
            after = tuple(votes.get(name) for name in a.field)
            yield CrowdedMove(a.among(a.field).tally, after, one.size, before, camp, leader)


# -- the likelihood --------------------------------------------------------------------------------


def crowded_log_likelihood(move: CrowdedMove, theta: SimpleNamespace, regime: str) -> Floats:
    """Return the log-density of the later tally in a regime, given the earlier one, shape (D,)."""
    each = [_given_camp(move, theta, regime, pull) for pull in camps(move, theta)]
    return np.asarray(np.logaddexp.reduce(each, axis=0) - np.log(len(each)))


def camps(move: CrowdedMove, theta: SimpleNamespace) -> list[float]:
    """Return by how much one half of the members may be drawn to the leader, equally likely; like sponsors' log-odds.

    Examples
    --------
    >>> t = SimpleNamespace(conviction=1.8, secrecy=0.4)
    >>> [round(pull, 2) for pull in camps(CrowdedMove((95, 52, 38), (121, 62, None), 186, camp=2.5), t)]
    [0.21, 0.65, 1.42, 3.11, 9.7]
    """
    from scipy.special import ndtri

    mean = conviction_scale(theta.conviction) * (1 - theta.secrecy) * move.camp / OPEN
    z = ndtri((np.arange(CAMPS) + 0.5) / CAMPS)
    return [float(x) for x in campaign_effect(CAMP["spread"], z) * mean] if mean else [0.0]


def _given_camp(move: CrowdedMove, theta: SimpleNamespace, regime: str, camp: float) -> Floats:
    omega, still = _thinking(move, theta, regime)
    x = np.broadcast_to(getattr(theta, f"momentum_{regime}") * theta.momentum_field, omega.shape)
    round_sd = np.broadcast_to(theta.round_sd, omega.shape)
    table = _table(move, float(theta.conviction), camp, move.present(theta.away))
    out = np.empty(len(omega))
    for start in range(0, len(omega), BATCH):
        part = slice(start, start + BATCH)
        out[part] = _log_density(move, *_moments(move, _at(table, omega[part], still[part], x[part]), round_sd[part]))
    return out


def _thinking(move: CrowdedMove, theta: SimpleNamespace, regime: str) -> tuple[Floats, Floats]:
    """Return who thinks again before the later round, and who has not done so before the earlier one, as parts."""
    rounds = np.arange(move.before + 1)[:, None]
    first = getattr(theta, f"openness_{regime}")
    omega = np.asarray(decayed_openness(first, theta.openness_inf, theta.decay, rounds))
    return omega[-1], np.asarray(np.prod(1 - omega[:-1], axis=0))


class _Table(NamedTuple):
    """What a move's moments are made of, as factors: of those who do not think again; of choices, by the pull.

    Factors are the rows of a matrix with a column for each candidate that is told apart: the mean chance to intend it
    in the later round; then the roots of three parts of the covariance of its votes (:func:`_moments`).
    """

    same: Floats
    pulled: Spline
    freed: Spline | None


@lru_cache(512)
def _table(move: CrowdedMove, conviction: float, camp: float, present: float) -> _Table:
    """Return the table of a move whose leader half of the members are drawn to by so many log-odds."""
    from scipy.interpolate import CubicSpline

    votes, stands = np.array(move.votes, dtype=float), move.stands
    hidden = conviction / np.sqrt(2) * _points(len(votes))
    hidden[:: round(1 / OPEN), move.leader] += min(camp, STRONGEST)
    logs = np.log(np.maximum(votes, FLOOR))
    logs, level = logs - np.log(np.exp(logs).sum()), logs.copy()
    for _ in range(30):  # Newton, for the level at which these are the mean shares
        q = _softmax(level + hidden)
        spread = np.diag(q.mean(axis=0)) - q.T @ q / len(q)
        step = np.linalg.solve(spread[:-1, :-1], (np.exp(logs) - q.mean(axis=0))[:-1])
        level[:-1] += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    n, stays = len(q), q[:, stands].sum(axis=1)

    def factors(mean: Floats, both: Floats, slope: Floats, sway: Floats) -> Floats:
        return _factors(move, q.mean(axis=0), spread, present, _Choice(mean, both, slope, sway))

    def chosen(pull: float, asked: Floats, who: Flags) -> Floats:
        """Return the factors of those who choose anew: those whose candidates are `who`, asked with these chances."""
        c = _softmax(np.where(stands, level + hidden, -np.inf) + pull * logs)
        mean, pairs, sign = asked @ c / n, q.T @ c / n, 1 if who is stands else -1
        sway = np.diag(mean) - (c * asked[:, None]).T @ c / n
        slope = sway + sign * (pairs * stands[:, None] - (q * stays[:, None]).T @ c / n).T
        return factors(mean, pairs * who[:, None], slope, sway)

    def splined(pulls: Floats, asked: Floats, who: Flags) -> Spline:
        found: Spline = CubicSpline(pulls, np.array([chosen(x, asked, who) for x in pulls]))
        return found

    kept = np.where(stands, q.mean(axis=0), 0.0)
    same = factors(kept, np.diag(kept), spread * stands[:, None], np.zeros_like(spread))
    grid = np.linspace(0, STRONGEST, STEPS)
    freed = None if stands.all() else splined(-grid[::-1], 1 - stays, ~stands)
    return _Table(same, splined(grid, stays, stands), freed)


class _Choice(NamedTuple):
    """Of some of the members: the mean chance to intend each candidate in the later round, (K,).

    And, all (K, K): that of intending one in the earlier and one in the later round (`both`); the derivatives of the
    mean to the level of every candidate (`slope`), and those to a shock (`sway`).
    """

    mean: Floats
    both: Floats
    slope: Floats
    sway: Floats


def _factors(move: CrowdedMove, shares: Floats, slope: Floats, present: float, later: _Choice) -> Floats:
    """Return the factors of some members, which those of all are the sum of.

    Under a flat prior the level's mean tally is normal around the tally itself with its covariance; with it the later
    tally goes as its `slope` says, where a chance deviation from it would carry over as `both` says.
    """
    n1, n2, at = sum(move.votes), sum(votes or 0 for votes in move.after), move.apart
    root = np.linalg.cholesky(n1 * (np.diag(shares) - np.outer(shares, shares))[:-1, :-1])
    across = n1 * n2 / present * (later.both - np.outer(shares, later.mean))[:-1, at]
    carried = np.linalg.solve(root, across)
    follows = n2 / n1 * root.T @ (later.slope[at, :-1] @ np.linalg.inv(slope[:-1, :-1])).T
    return np.vstack([later.mean[at], carried, follows - carried, n2 / np.sqrt(2) * later.sway[:, at]])


@cache
def _points(candidates: int) -> Floats:
    """Return points that stand for independent normals, shape (2 POINTS, K)."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    z = ndtri(qmc.Sobol(candidates, seed=1).random(POINTS))
    return np.concatenate([z, -z])


def _softmax(x: Floats) -> Floats:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _at(table: _Table, omega: Floats, still: Floats, x: Floats) -> Floats:
    """Return the factors at D parameter values, shape (D, rows, candidates told apart)."""
    w = omega[:, None, None]
    out = (1 - w) * table.same + w * table.pulled(np.minimum(still * x, STRONGEST))
    return out if table.freed is None else out + table.freed(np.maximum(-(1 - still) * x, -STRONGEST))


def _moments(move: CrowdedMove, factors: Floats, round_sd: Floats) -> tuple[Floats, Floats]:
    """Return mean and covariance of the later votes of those told apart, the level integrated out; (D, d), (D, d, d).

    To the covariance given the level, less what the earlier tally explains, come how far the level may lie elsewhere
    and the shocks.
    """
    n2, k = sum(votes or 0 for votes in move.after), len(move.votes)
    mean, carried, gap, sway = factors[:, 0], factors[:, 1:k], factors[:, k : 2 * k - 1], factors[:, 2 * k - 1 :]
    own = n2 * (mean[:, :, None] * np.eye(mean.shape[1]) - mean[:, :, None] * mean[:, None, :])
    shocks = round_sd[:, None, None] ** 2 * _squared(sway)
    return n2 * mean, own - _squared(carried) + _squared(gap) + shocks + ROUNDING * np.eye(mean.shape[1])


def _squared(factor: Floats) -> Floats:
    return np.asarray(np.swapaxes(factor, 1, 2) @ factor)


def _log_density(move: CrowdedMove, mean: Floats, spread: Floats) -> Floats:
    """Return the log-density of the votes of those who are told apart."""
    gap = np.array([move.after[k] for k in move.apart], dtype=float) - mean
    root = np.linalg.cholesky(spread)
    scaled = np.linalg.solve(root, gap[..., None])[..., 0]
    logs = np.log(np.diagonal(root, axis1=1, axis2=2))
    return np.asarray(-0.5 * (scaled**2 + np.log(2 * np.pi)).sum(axis=1) - logs.sum(axis=1))
