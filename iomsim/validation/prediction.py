"""What a forecaster says after a round, what the model says when a contest is replayed, and what both earn."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iomsim.election_day.election_day import ElectionDay, UnexpectedTallyWarning, live
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import AnnouncementError
from iomsim.model.components import Behaviour
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats
from iomsim.validation.contest import Contest
from iomsim.validation.rounds import Aftermath, RoundTally
from iomsim.validation.scores import (
    brier,
    categorical_brier,
    categorical_log_score,
    crps_ensemble,
    log_score,
    ranked_probability,
)
from iomsim.validation.segments import Segment, restarted, segments

MAX_TO_COME = 10
"""Rounds still to come are told apart up to this number, which means "so many or more"."""

SMOOTHING = 1e-3
"""Weight of the uniform law with which probabilities are mixed before a logarithm is taken, so that one event
that had been called impossible, or that few runs could not show, does not decide the mean."""

SCORES = {
    "winner, log": "probability of the final winner",
    "winner, Brier": "probability of the final winner",
    "over next, log": "over by the end of the next round, or not",
    "over next, Brier": "over by the end of the next round, or not",
    "next share, CRPS": "the leader's share of the next round's votes, in points",
    "rounds, RPS": "rounds still to come",
    "ending, log": "how it ended",
}
"""The proper scores, and what each scores; all are better when lower."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a forecaster says after a round; None for what it says nothing about.

    Attributes
    ----------
    shares, weights : ndarray, shape (n,)
        The leader's share of the next round's votes: possible values and their probabilities; no
        weights for an equally weighted sample.
    over_next : float
        Probability that all is over by the end of the next round.
    to_come : ndarray, shape (MAX_TO_COME + 1,)
        Probabilities of 0, 1, ... rounds still to come, the last one open.
    winner : ndarray, shape (K + 1,)
        Final winner: the candidates, leader first, then nobody of them.
    ending : ndarray, shape (5,)
        How it ends, as in :data:`iomsim.rules.procedure.ENDINGS`.
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
        at = np.maximum(np.array(levels) - 1e-12, 0.0)  # a level reached by a sum of weights is reached
        return list(map(float, np.quantile(self.shares, at, weights=self.weights, method="inverted_cdf")))


def scored(prediction: Prediction, candidates: tuple[str, ...], aftermath: Aftermath) -> dict[str, float]:
    """Return every score of a prediction, NaN where nothing was said or nothing is known.

    Parameters
    ----------
    prediction : Prediction
        What was said.
    candidates : tuple of str
        The candidates, in the prediction's order.
    aftermath : Aftermath
        What followed.

    Examples
    --------
    Half a chance of the winner costs ln 2 (slightly more as it is mixed with a little of the uniform law):

    >>> said = Prediction(winner=np.array([0.5, 0.3, 0.2]))
    >>> round(scored(said, ("A", "B"), Aftermath(None, 1, "A", "majority"))["winner, log"], 3)
    0.693
    """
    winner = len(candidates) if aftermath.winner is None else candidates.index(aftermath.winner)
    out = dict.fromkeys(SCORES, np.nan)
    if prediction.winner is not None:
        out["winner, log"] = float(categorical_log_score(smoothed(prediction.winner), winner))
        out["winner, Brier"] = float(categorical_brier(prediction.winner, winner))
    if prediction.over_next is not None:
        p = (1 - SMOOTHING) * prediction.over_next + SMOOTHING / 2
        out["over next, log"] = float(log_score(p, aftermath.over_next))
        out["over next, Brier"] = float(brier(prediction.over_next, aftermath.over_next))
    if prediction.shares is not None and len(prediction.shares) and aftermath.next_share is not None:
        crps = crps_ensemble(prediction.shares, aftermath.next_share, prediction.weights)
        out["next share, CRPS"] = 100 * float(crps)
    if prediction.to_come is not None:
        out["rounds, RPS"] = float(ranked_probability(prediction.to_come, min(aftermath.to_come, MAX_TO_COME)))
    if prediction.ending is not None:
        ending = ENDINGS.index(aftermath.ending)
        out["ending, log"] = float(categorical_log_score(smoothed(prediction.ending), ending))
    return out


def smoothed(pmf: Floats) -> Floats:
    """Return probabilities mixed with a little of the uniform law."""
    return (1 - SMOOTHING) * pmf + SMOOTHING / pmf.shape[-1]


def frequencies(codes: NDArray[Any], size: int) -> Floats:
    """Return how often each of `size` codes occurs, the last one for all beyond.

    Examples
    --------
    >>> frequencies(np.array([0, 1, 1, 7]), 3).tolist()
    [0.25, 0.5, 0.25]
    """
    counts = np.bincount(np.minimum(codes, size - 1), minlength=size)
    return counts / max(len(codes), 1)


# -- the model's predictions ----------------------------------------------------------------------

PARTICLES = 4000

LARGE = 400
"""An electorate above which fewer particles are used: a tally costs as much as members times votes."""

MIN_EFFECTIVE_SHARE, MIN_EFFECTIVE = 0.01, 5
"""Share of effective particles, and their number, below which a segment is ended and another one started."""


EARLY = time(8, 59)
"""Until when the meeting is adjourned where a night passes: just before the sitting opens, so that the night is over
when the next round begins, and not before (:data:`iomsim.validation.contest.DATED`)."""

MORE, MOST = 4, 30_000
"""By how much the particles grow where too few agree with the first tally of a segment, and where that ends."""


@dataclass(frozen=True, eq=False)
class ReplayStep:
    """What the model said after a round.

    Attributes
    ----------
    round : int
        The round just announced.
    prediction : Prediction
        Its forecast, candidates in the order of that round's votes.
    conditioning : str
        What it was conditioned on: exactly, or restarted from a tally.
    effective : float
        Effective particles after the tally.
    surprise : float
        Two-sided tail probability that the model had given to the tally (1 where a segment starts).
    """

    round: int
    prediction: Prediction
    conditioning: str
    effective: float
    surprise: float


def replay_contest(
    contest: Contest,
    behaviour: Behaviour | None = None,
    *,
    particles: int = PARTICLES,
    seed: int = 0,
    assumptions: int | str = "fixed",
    camp: bool | None = None,
) -> Iterator[ReplayStep]:
    """Yield what the model says after every round that elected nobody.

    Parameters
    ----------
    contest : Contest
        The contest; nothing but rounds already announced is used.
    behaviour : Behaviour, optional
        How members vote and change their minds; default the model's.
    particles : int, default 4000
        Particles; fewer for electorates above 400.
    seed : int
        Addresses the random numbers, together with the contest's id and the round, so that no contest
        depends on which others are replayed.
    assumptions : int or "fixed", default "fixed"
        Draws of the behaviour's ranges that the particles follow, or the values alone.
    camp : bool, optional
        Whether the leader of three or more may have a camp behind it (:data:`iomsim.validation.segments.CAMP`);
        default yes, but in simulated contests.

    Notes
    -----
    A night between two rounds is played where their dates say so: when a round is announced, so is the day of the
    next.  Whoever is not named any more is out by the rules where these put somebody out, and has withdrawn elsewhere.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> [step] = replay_contest(contest("UNSC2020-AF"), particles=500)
    >>> step.conditioning, step.prediction.over_next > 0.2
    ('exact: round 1', True)
    """
    for segment in segments(contest, camp):
        yield from replay_segment(segment, behaviour, particles, seed, assumptions)


def replay_segment(
    segment: Segment, behaviour: Behaviour | None, particles: int, seed: int, assumptions: int | str = "fixed"
) -> Iterator[ReplayStep]:
    """Yield what the model says round by round; where too few particles are left, restart."""
    contest, last = segment.contest, max(segment.contest.points, default=0)
    if segment.start > last:
        return
    size = max(int(particles * min(1.0, LARGE / contest.size)), 2)
    seed_ = segment_seed(seed, contest.id, segment.start)
    day = live(segment.scenario(behaviour), size, seed_, assumptions=assumptions)
    for known in segment.rounds:
        if known.round > last:
            return
        possible, first = announce(day, known), known.round == segment.start
        if not possible or day.effective_size < max(MIN_EFFECTIVE_SHARE * size, MIN_EFFECTIVE):
            if first and size < MOST:
                yield from replay_segment(segment, behaviour, MORE * particles, seed, assumptions)
                return
            if not first:
                rest = restarted(segment, known.round, "the rounds before left too few particles")
                yield from replay_segment(rest, behaviour, particles, seed, assumptions)
                return
            if not possible:
                raise AnnouncementError(f"{contest.id}, round {known.round}: no particle agrees with the tally")
        if night := contest.night_after(known.round):
            day.adjourn(datetime.combine(night, EARLY))
        if known.round in contest.points:
            surprise = day.state.surprise if known.round > segment.start else 1.0
            order = [day.race.names.index(name) for name in contest.at(known.round).field]
            said = predict(day.play_on(), day.state.round_, order)
            yield ReplayStep(known.round, said, segment.conditioning(known.round), day.effective_size, surprise)


def segment_seed(seed: int, name: str, round_: int) -> int:
    """Return a seed of its own for a segment, whatever else is replayed."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode()), round_]).generate_state(1)[0])


def announce(day: ElectionDay, known: RoundTally) -> bool:
    """Announce a round that elected nobody, and before it who does not stand any more; say whether that was possible.

    All valid papers are announced, so that those for other names count in the base.
    """
    votes, standing = known.votes, day.state.standing
    gone = [name for name, there in zip(day.race.names, standing, strict=True) if there and not votes[name]]
    try:
        for name in gone if day.state.round_ and standing.sum() - len(gone) > 1 else []:
            leave = day.eliminate if puts_out(day) else day.withdraw
            leave(name)
        left = [name for name, there in zip(day.race.names, day.state.standing, strict=True) if there]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnexpectedTallyWarning)
            day.announce({name: votes[name] for name in left}, valid=known.base)
    except AnnouncementError:
        return False
    return day.state.ended is None


def puts_out(day: ElectionDay) -> bool:
    """Return whether the rules put somebody out after the last round."""
    state = day.state
    stage = day.plan.rules.next_stage(state.stage, state.contenders).stage
    return state.pending and (stage is None or stage.standing < state.contenders)


def predict(out: Outcomes, held: int, order: list[int]) -> Prediction:
    """Return what runs say after `held` rounds, of candidates in this order (all others are nobody)."""
    place = dict(zip(order, range(len(order)), strict=True))
    winner = np.array([place.get(k, len(order)) for k in range(out.votes.shape[1])] + [len(order)])
    to_come = out.rounds.astype(int) - held
    return Prediction(
        shares=next_shares(out, held, order),
        over_next=float(np.mean(to_come <= 1)),
        to_come=frequencies(to_come, MAX_TO_COME + 1),
        winner=frequencies(winner[out.winner], len(order) + 1),
        ending=frequencies(out.ending.astype(int), len(ENDINGS)),
    )


def next_shares(out: Outcomes, held: int, order: list[int]) -> Floats:
    """Return the leader's share of the next round in every run that holds one between candidates."""
    rows = (out.starts + held)[out.rounds > held]
    votes = out.votes[rows][:, order].astype(float)
    between = (votes >= 0).sum(axis=1) > 1
    votes = np.maximum(votes[between], 0.0)
    total = votes.sum(axis=1)
    return np.asarray(votes[total > 0, 0] / total[total > 0])
