"""What a registered forecast, the baselines and a market say of what came, and what each earns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from iomsim.forecasting.tables import STILL_VOTING
from iomsim.registered.law import Ensemble, Law
from iomsim.registered.outcome import SOMEBODY_ELSE, Market, Outcome
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats
from iomsim.validation.baselines import HAZARD, LEADER_WINS, geometric
from iomsim.validation.prediction import MAX_TO_COME, SMOOTHING
from iomsim.validation.scores import brier, categorical_brier, crps_ensemble, ranked_probability

SCORES = {
    "winner, log": "minus the logarithm of the chance of the outcome that came",
    "winner, Brier": "squared distance from the outcome that came, summed over the outcomes",
    "rounds, RPS": "rounds held, apart up to ten after the registration",
    "ended, CRPS": "the hour of the end, in hours",
    "next day, log": "voting into the next day, or not",
    "next day, Brier": "voting into the next day, or not",
    "next tally, CRPS": "the shares of the first tally after the registration, in points",
    "ending, log": "how it ended",
}
"""The scores, and what each scores; all are better when lower."""

FORECAST, EVEN, LEADER, CONSTANT, MARKET = (
    "forecast",
    "even chances",
    f"leader at {LEADER_WINS:g}",
    f"constant hazard {HAZARD:g}",
    "market",
)
FORECASTERS = (FORECAST, EVEN, LEADER, CONSTANT, MARKET)
"""Who is scored: the forecast, three that know nothing or next to nothing, and the prices that were named."""


class Said(NamedTuple):
    """What a forecaster said; None for what it says nothing about."""

    winner: Floats | None = None
    to_come: Floats | None = None
    ended: Ensemble | None = None
    next_day: float | None = None
    shares: Mapping[str, Ensemble] | None = None
    ending: Floats | None = None


def said(law: Law, prices: Market | None) -> dict[str, Said]:
    """Return what the forecast, the baselines and the market say."""
    k = len(law.names)
    to_come = np.zeros(MAX_TO_COME + 1)
    held = np.clip(np.arange(law.most + 1) - law.announced, 0, MAX_TO_COME)
    np.add.at(to_come, held, law.rounds)
    standing = [name not in law.excluded for name in law.names]
    even = np.append(np.array(standing) / sum(standing), [0.0, 0.0])
    split = {name: Ensemble(np.array([100.0 / sum(standing)]), np.array([1])) for name in law.shares}
    leader = int(np.argmax(law.winner[:k]))
    behind = np.full(k + 2, (1 - LEADER_WINS) / k)
    behind[leader] = LEADER_WINS
    behind[k:] /= 2  # "nobody" and "still voting" are two kinds of no winner
    return {
        FORECAST: Said(law.winner, to_come, law.minutes, law.next_day_chance, law.shares, law.ending),
        EVEN: Said(even, next_day=0.5, shares=split),
        LEADER: Said(behind),
        CONSTANT: Said(to_come=geometric(np.full(MAX_TO_COME, HAZARD))),
    } | ({MARKET: Said(prices.chances)} if prices else {})


def scored(told: Said, law: Law, came: Outcome) -> dict[str, float]:
    """Return every score of what a forecaster said, NaN where it says nothing or nothing is known."""
    out = dict.fromkeys(SCORES, np.nan)
    late, minute = spilled(law, came), minute_of(law, came)
    if told.winner is not None:
        pmf, place = np.append(told.winner, 0.0), place_of(law, came.winner)
        out["winner, log"] = log_of(pmf[place], len(told.winner))
        out["winner, Brier"] = float(categorical_brier(pmf, place))
    if told.to_come is not None and came.rounds is not None:
        out["rounds, RPS"] = float(ranked_probability(told.to_come, came.rounds - law.announced))
    if told.ended is not None and minute is not None and told.ended.weights.sum():
        values, weights = told.ended
        out["ended, CRPS"] = float(crps_ensemble(values / 60, minute / 60, weights))
    if told.next_day is not None and late is not None:
        out["next day, log"] = log_of(told.next_day if late else 1 - told.next_day, 2)
        out["next day, Brier"] = float(brier(told.next_day, late))
    if told.shares and came.shares:
        each = [
            float(crps_ensemble(told.shares[name].values, 100 * share, told.shares[name].weights))
            for name, share in came.shares.items()
            if name in told.shares
        ]
        out["next tally, CRPS"] = float(np.mean(each)) if each else np.nan
    if told.ending is not None and came.ending is not None:
        out["ending, log"] = log_of(told.ending[ENDINGS.index(came.ending)], len(ENDINGS))
    return out


def log_of(chance: float, outcomes: int) -> float:
    """Return minus the logarithm of a chance, or of a thousandth over the number of outcomes if that is more.

    Examples
    --------
    >>> round(log_of(0.5, 4), 4), round(log_of(0.0, 4), 4)
    (0.6931, 8.294)
    """
    return float(-np.log(max(chance, SMOOTHING / outcomes))) + 0.0  # no -0


def place_of(law: Law, winner: str) -> int:
    """Return the number of an outcome; "somebody else" comes last."""
    return len(law.outcomes) if winner == SOMEBODY_ELSE else law.outcomes.index(winner)


def minute_of(law: Law, came: Outcome) -> float | None:
    """Return when it ended, in minutes, as it is scored: at the latest moment of the registration if not before."""
    if came.winner == STILL_VOTING:
        return law.latest
    return None if came.ended is None else min(law.minute(came.ended), law.latest)


def spilled(law: Law, came: Outcome) -> bool | None:
    """Return whether voting ran into the next day with a sitting; None if that is not known."""
    if came.winner == STILL_VOTING:
        return True
    return None if came.ended is None else law.minute(came.ended) >= law.next_minute
