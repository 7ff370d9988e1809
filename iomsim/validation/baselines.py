"""Simple forecasters with which the model is compared.

Each takes the situation after a round and returns its :class:`~iomsim.validation.prediction.Prediction`.  They know
the tallies and the votes needed, of as many valid papers as in the last round; only the regression learns from other
contests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from iomsim.typing import Floats
from iomsim.validation.contest import Contest
from iomsim.validation.prediction import MAX_TO_COME, Prediction, frequencies
from iomsim.validation.rounds import Situation

LEADER_WINS = 0.8
HAZARD = 0.45

Baseline = Callable[[Situation], Prediction]


def nothing_changes(situation: Situation) -> Prediction:
    """Say that the next round repeats this one for ever, and that the leader is the winner."""
    never = np.eye(MAX_TO_COME + 1)[MAX_TO_COME]
    leader = np.eye(len(situation.candidates) + 1)[0]
    return Prediction(shares=np.array([situation.share]), over_next=0.0, to_come=never, winner=leader)


def leader_wins(situation: Situation) -> Prediction:
    """Give the leader 0.8, and share the rest among the others and nobody."""
    others = len(situation.candidates)
    return Prediction(winner=np.array([LEADER_WINS, *[(1 - LEADER_WINS) / others] * others]))


def constant_hazard(situation: Situation) -> Prediction:
    """Let every further round be the last with probability 0.45."""
    return Prediction(over_next=HAZARD, to_come=geometric(np.full(MAX_TO_COME, HAZARD)))


def binomial_redraw(situation: Situation) -> Prediction:
    """Let every member vote anew in every round, independently, with this round's shares as chances.

    The tallies are then binomial around this one, and the rounds to come geometric.
    """
    from scipy.stats import binom

    total, shares = sum(situation.votes), np.array(situation.votes) / sum(situation.votes)
    votes = np.arange(total + 1)
    coming = situation.round + 1 + np.arange(MAX_TO_COME)
    need = np.array([situation.needed(int(round_), situation.valid) for round_ in coming])
    reached = np.asarray(binom.sf(need[:, None] - 1, total, shares))  # round by candidate
    hazard = np.minimum(reached.sum(axis=1), 1.0)
    return Prediction(
        shares=votes / total,
        weights=np.asarray(binom.pmf(votes, total, shares[0])),
        over_next=float(hazard[0]),
        to_come=geometric(hazard),
        winner=_first_to(reached, hazard),
    )


def geometric(hazard: Floats) -> Floats:
    """Return P(0, 1, ..., MAX_TO_COME or more rounds to come) from the chances that each coming one decides.

    Examples
    --------
    >>> geometric(np.full(MAX_TO_COME, 0.5))[:4].tolist()
    [0.0, 0.5, 0.25, 0.125]
    """
    open_ = np.concatenate([[1.0], np.cumprod(1 - hazard)])
    out = np.concatenate([[0.0], open_[:-1] * hazard])
    out[MAX_TO_COME] = open_[MAX_TO_COME - 1]
    return out


def _first_to(reached: Floats, hazard: Floats) -> Floats:
    """Return who is elected first, the last known chances holding for ever."""
    open_ = np.concatenate([[1.0], np.cumprod(1 - hazard)])
    won = (open_[:-1, None] * reached).sum(axis=0)
    rest = reached[-1].sum()
    won = won + (open_[-1] * reached[-1] / rest if rest > 0 else 0.0)
    won = won / max(won.sum(), 1.0)
    return np.append(won, max(1.0 - won.sum(), 0.0))


# -- the regression --------------------------------------------------------------------------------

PATHS, HORIZON = 2000, 40
"""Sample paths of the regression, and the rounds that it looks ahead."""

PRIOR_SD, PRIOR_NOISE, PRIOR_WEIGHT = 0.5, 0.2, 4.0
"""Before any transition is seen: coefficients within 0.5 of "nothing changes", and a residual sd of
0.2 log-odds that counts as four transitions."""


@dataclass(frozen=True, eq=False)
class MomentumRegression:
    """The leader's next log-odds as a straight line in the last: a regression with a weak prior.

    ``next = b0 + b1 last + b2 first + noise``, where `first` marks the first time that the same
    candidates meet again.  The conjugate prior (normal, inverse gamma) stands at "nothing changes",
    so that the regression also says something where there is nothing to learn from.

    Attributes
    ----------
    mean, precision : ndarrays, shapes (3,), (3, 3)
        Posterior of the coefficients, given the noise.
    shape, rate : float
        Posterior of the noise's inverse variance.
    """

    mean: Floats
    precision: Floats
    shape: float
    rate: float

    def __call__(self, situation: Situation) -> Prediction:
        """Return the prediction from sample paths of the leader's share."""
        from scipy.special import expit

        rng = np.random.default_rng([situation.round, *situation.votes])
        total = sum(situation.votes)
        variance = 1 / rng.gamma(self.shape, 1 / self.rate, PATHS)
        root = np.linalg.cholesky(np.linalg.inv(self.precision))
        b = self.mean[:, None] + np.sqrt(variance) * (root @ rng.standard_normal((3, PATHS)))
        x = np.full(PATHS, log_odds(situation.votes[0], total))
        rounds, winner = np.full(PATHS, MAX_TO_COME), np.full(PATHS, len(situation.candidates))
        open_, first_shares = np.ones(PATHS, dtype=bool), None
        for ahead in range(1, HORIZON + 1):
            x = b[0] + b[1] * x + b[2] * (situation.first and ahead == 1)
            x = np.clip(x + np.sqrt(variance) * rng.standard_normal(PATHS), -30, 30)
            share = expit(x)
            first_shares = share if ahead == 1 else first_shares
            elected = _elected(situation, situation.round + ahead, share)
            now = open_ & (elected >= 0)
            rounds[now], winner[now] = ahead, elected[now]
            open_ &= ~now
        return Prediction(
            shares=first_shares,
            over_next=float(np.mean((rounds == 1) & ~open_)),
            to_come=frequencies(rounds, MAX_TO_COME + 1),
            winner=frequencies(winner, len(situation.candidates) + 1),
        )


def _elected(situation: Situation, round_: int, share: Floats) -> Any:
    """Return who is elected where the leader has this share and the others split the rest as before, -1 for nobody."""
    rest = np.array(situation.votes[1:], dtype=float)
    parts = np.concatenate([share[None], (1 - share) * (rest / max(rest.sum(), 1.0))[:, None]])
    best = parts.argmax(axis=0)
    enough = np.rint(parts.max(axis=0) * sum(situation.votes)) >= situation.needed(round_, situation.valid)
    return np.where(enough, best, -1)


def log_odds(votes: float, valid: float) -> float:
    """Return the log-odds of a share, finite also for none and for all."""
    return float(np.log((votes + 0.5) / (valid - votes + 0.5)))


def momentum(contests: Iterable[Contest]) -> MomentumRegression:
    """Return the regression fitted to the consecutive known rounds of contests.

    Examples
    --------
    >>> from iomsim.validation.data import contests
    >>> fitted = momentum(contests())
    >>> [bool(b > 0) for b in fitted.mean[1:]]
    [True, True]
    """
    rows = [t for contest in contests for t in contest.transitions]
    design = np.array([[1.0, log_odds(t.before.tally[0], sum(t.before.tally)), float(t.first)] for t in rows])
    design = design.reshape(-1, 3)
    result = np.array([log_odds(t.after.tally[0], sum(t.after.tally)) for t in rows])
    start, prior = np.array([0.0, 1.0, 0.0]), np.eye(3) * (PRIOR_NOISE / PRIOR_SD) ** 2
    precision = prior + design.T @ design
    mean = np.linalg.solve(precision, prior @ start + design.T @ result)
    left = result @ result + start @ prior @ start - mean @ precision @ mean
    rate = (PRIOR_WEIGHT * PRIOR_NOISE**2 + left) / 2
    return MomentumRegression(mean, precision, (PRIOR_WEIGHT + len(rows)) / 2, float(rate))


def fitted_baselines(training: Sequence[Contest]) -> dict[str, Baseline]:
    """Return the baselines by name, the regression fitted to these contests."""
    return {
        "nothing changes": nothing_changes,
        "leader wins at 0.8": leader_wins,
        "constant hazard 0.45": constant_hazard,
        "binomial redraw": binomial_redraw,
        "momentum regression": momentum(training),
    }
