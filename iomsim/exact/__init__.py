"""The analytic twin: small elections computed, not simulated, to check the simulation by.

Given what a run draws once, members act independently within a round.  So a tally is a sum of
independent indicators, whose law is found by convolution; and where members of a class lean alike,
the counts of those who intend the first of two candidates are a Markov chain, which is followed
round by round until it is absorbed.  Nothing here is random, nothing is approximated beyond the
rounding of floats, and nothing is shared with the simulation except the rules.

Two candidates throughout; everybody present hands in a valid paper in the chain.

Examples
--------
Thirty members who lean slightly to the first, and follow the last tally:

>>> from iomsim import exact
>>> path = exact.openness_by_round(first=0.55, floor=0.04, decay=0.45, rounds=20)
>>> ends = exact.chain(30, 0.2, openness=path, momentum=3.0, rules=exact.STRICT.with_(max_rounds=20))
>>> ends.table()["probability"].head(3).round(4).tolist()
[0.1485, 0.3883, 0.1567]
"""

from __future__ import annotations

from iomsim.exact.chains import Ends, beta_hazards, chain, mixture, openness_by_round
from iomsim.exact.tallies import (
    STRICT,
    at_least,
    confirmation,
    decided,
    first_chance,
    first_round,
    joint_tallies,
    poisson_binomial,
    share_law,
    yes_law,
)

__all__ = [
    "STRICT",
    "Ends",
    "at_least",
    "beta_hazards",
    "chain",
    "confirmation",
    "decided",
    "first_chance",
    "first_round",
    "joint_tallies",
    "mixture",
    "openness_by_round",
    "poisson_binomial",
    "share_law",
    "yes_law",
]
