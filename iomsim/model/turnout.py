"""Turnout in heads: how many members are present in the first round on average, and the absence that gives so many."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from iomsim.engine import paths
from iomsim.engine.plan import Plan
from iomsim.errors import ScenarioError, quote
from iomsim.model.description import Description
from iomsim.model.links import SET, neat
from iomsim.model.quantities import Quantity, in_digits

ABSENT = paths.behaviour("absent")

TURNOUT = f"{SET}a turnout of "
"""How the source of an absence begins that was set as a turnout."""


def mean_present(plan: Plan) -> float:
    """Return how many members are present in the first round on average, on the plan's values.

    Examples
    --------
    >>> import iomsim as iom
    >>> round(mean_present(iom.load("minimal").plan), 2)
    157.5
    """
    return float((1.0 - plan.absent[:, 0]).sum())


def absent_for(race: Description, heads: Any, what: str = "the turnout") -> float:
    """Return the absence on which so many members are present in the first round on average, on the best guesses.

    Raises
    ------
    ScenarioError
        If it is no number, a share, or not possible.

    Examples
    --------
    >>> import iomsim as iom
    >>> absent_for(iom.load("minimal"), 140.0)
    0.15
    """
    from scipy.optimize import brentq  # loads slowly

    plan = race.plan

    def present(absent: float) -> float:
        return mean_present(plan.at({ABSENT: absent}))

    least, most = present(1.0), present(0.0)
    if isinstance(heads, bool) or not isinstance(heads, int | float | np.number) or not math.isfinite(heads):
        raise ScenarioError(f"{what} is a number of members, such as {math.floor(most)}, got {quote(heads)}")
    heads = float(heads)
    if 0 < heads < 1:
        share = f"{in_digits(heads)[0]} of the {plan.entitled} with a vote are {round(heads * plan.entitled)}"
        raise ScenarioError(f"{what} is given in heads, got the share {heads:g}; {share}")
    pinned = f", {plan.pinned.sum()} of them pinned" if plan.pinned.any() else ""
    if not least - CLOSE <= heads <= most + CLOSE:
        raise ScenarioError(
            f"{what} must be between {_down(-least)} and {_down(most)} members, of {plan.entitled} with a vote"
            f"{pinned}, got {heads:g}{_cure(plan, heads, most)}"
        )
    if heads >= most - CLOSE or heads <= least + CLOSE:
        return 0.0 if heads >= most - CLOSE else 1.0
    return neat(float(brentq(lambda absent: present(absent) - heads, 0.0, 1.0, xtol=1e-15)))


CLOSE = 1e-9
"""Members that make no difference."""


def _down(members: float) -> str:
    """Return a number of members to a tenth, rounded down (a negative one: its size rounded up)."""
    return f"{abs(math.floor(10 * members + CLOSE)) / 10:g}"


def _cure(plan: Plan, heads: float, most: float) -> str:
    """Return what else has to change for a turnout that absence alone cannot give."""
    if not most < heads <= plan.entitled:
        return ""
    return "; for more, lower the absence under cross-pressure too (behaviour.cross_pressure_absence)"


def as_turnout(quantity: Quantity, heads: float) -> Quantity:
    """Return an absence whose source says that it was set as a turnout."""
    said = quantity.source.partition(" by the user")
    source = f"{TURNOUT}{in_digits(heads)[0]}{''.join(said[1:])}" if said[0].startswith(SET) else quantity.source
    return quantity.model_copy(update={"source": source})
