"""What a forecaster says after a round, and what that earns once it is known what followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iomsim.rules.ruleset import ENDINGS
from iomsim.typing import Floats
from iomsim.validation.rounds import Sequel
from iomsim.validation.scores import (
    brier,
    categorical_brier,
    categorical_log_score,
    crps_ensemble,
    log_score,
    ranked_probability,
)

LAST = 10
"""Rounds still to come are told apart up to this number, which means "so many or more"."""

DOUBT = 1e-3
"""Before a logarithm is taken, everybody's probabilities are mixed with so much of the uniform law:
nobody is ruined by one event that had been called impossible, or that few runs could not show."""

SCORES = {
    "winner, log": "probability of the final winner",
    "winner, Brier": "probability of the final winner",
    "over next, log": "over by the end of the next round, or not",
    "over next, Brier": "over by the end of the next round, or not",
    "next share, CRPS": "the leader's share of the next round's votes, in points",
    "rounds, RPS": "rounds still to come",
    "ending, log": "how it ended",
}
"""The proper scores, and what each judges; all are better when lower."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a forecaster says after a round; None for what it says nothing about.

    Attributes
    ----------
    shares, weights : ndarray, shape (n,)
        The leader's share of the next round's votes: possible values and their probabilities; no
        weights for an equally weighted sample.
    over_next : float
        Probability that all is over by the end of the next round.
    to_come : ndarray, shape (LAST + 1,)
        Probabilities of 0, 1, ... rounds still to come, the last one open.
    winner : ndarray, shape (K + 1,)
        Final winner: the candidates, leader first, then nobody of them.
    ending : ndarray, shape (5,)
        How it ends, as in :data:`iomsim.rules.ruleset.ENDINGS`.
    """

    shares: Floats | None = None
    weights: Floats | None = None
    over_next: float | None = None
    to_come: Floats | None = None
    winner: Floats | None = None
    ending: Floats | None = None

    def quantiles(self, *levels: float) -> list[float]:
        """Return quantiles of the next share; NaN if nothing is said of it."""
        if self.shares is None or not len(self.shares):
            return [np.nan] * len(levels)
        order = np.argsort(self.shares, kind="stable")
        weights = np.ones(len(order)) if self.weights is None else self.weights[order]
        reached = np.cumsum(weights) / weights.sum()
        places = np.minimum(np.searchsorted(reached, np.array(levels) - 1e-12), len(order) - 1)
        return [float(share) for share in self.shares[order][places]]


def scored(outlook: Outlook, candidates: tuple[str, ...], came: Sequel) -> dict[str, float]:
    """Return every score of an outlook, NaN where nothing was said or nothing is known.

    Parameters
    ----------
    outlook : Outlook
        What was said.
    candidates : tuple of str
        The candidates, in the outlook's order.
    came : Sequel
        What followed.

    Examples
    --------
    Half a chance of the winner costs ln 2 (here with a thousandth of doubt):

    >>> said = Outlook(winner=np.array([0.5, 0.3, 0.2]))
    >>> round(scored(said, ("A", "B"), Sequel(None, 1, "A", "majority"))["winner, log"], 3)
    0.693
    """
    winner = len(candidates) if came.winner is None else candidates.index(came.winner)
    ending = ENDINGS.index(came.ending)
    out = dict.fromkeys(SCORES, np.nan)
    if outlook.winner is not None:
        out["winner, log"] = float(categorical_log_score(doubted(outlook.winner), winner))
        out["winner, Brier"] = float(categorical_brier(outlook.winner, winner))
    if outlook.over_next is not None:
        p = (1 - DOUBT) * outlook.over_next + DOUBT / 2
        out["over next, log"] = float(log_score(p, came.over_next))
        out["over next, Brier"] = float(brier(outlook.over_next, came.over_next))
    if outlook.shares is not None and len(outlook.shares) and came.next_share is not None:
        out["next share, CRPS"] = 100 * float(crps_ensemble(outlook.shares, came.next_share, outlook.weights))
    if outlook.to_come is not None:
        out["rounds, RPS"] = float(ranked_probability(outlook.to_come, min(came.to_come, LAST)))
    if outlook.ending is not None:
        out["ending, log"] = float(categorical_log_score(doubted(outlook.ending), ending))
    return out


def doubted(pmf: Floats) -> Floats:
    """Return probabilities mixed with a little of the uniform law."""
    return (1 - DOUBT) * pmf + DOUBT / pmf.shape[-1]


def frequencies(codes: NDArray[Any], size: int) -> Floats:
    """Return how often each of `size` codes occurs, the last one for all beyond.

    Examples
    --------
    >>> frequencies(np.array([0, 1, 1, 7]), 3).tolist()
    [0.25, 0.5, 0.25]
    """
    counts = np.bincount(np.minimum(codes, size - 1), minlength=size)
    return counts / max(len(codes), 1)
