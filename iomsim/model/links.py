"""The law of what is believed about a number: its value, its range, and the scale on which the range is symmetric.

A quantity states a value with a range, `low` to `high`: the median and the middle 80 % of what may be believed.  It
is drawn from the two-piece normal on the link scale `g` of its bounds, ``g(x) = g(value) + s z`` with `z` standard
normal, where `s` is ``(g(value) - g(low)) / 1.2816`` below the value and ``(g(high) - g(value)) / 1.2816`` above it.
The links are "logit" for fractions and probabilities, "log" for what is above 0, "identity" for log-odds.  If the
value or an end of the range is not inside the link's domain, the link is the identity, and draws are clipped to the
domain (a weight of 0.4, from 0 to 1, is never negative) and to the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from iomsim.model.quantities import RANGE, Bounds, Parameter, Quantity, in_digits
from iomsim.typing import Floats

Z90 = 1.2815515655446004
"""The 90 % point of the standard normal: a range is the middle 80 %."""

SET = "set to "
"""How the source of a number begins that an analyst has set."""

DIGITS = 12
"""Digits after the point of what is shifted on the scale of the numbers themselves."""


class Link(NamedTuple):
    """A scale: its function and inverse, and between which ends it is defined (the ends left out).

    `move` takes a number along with another one, from `old` to `new`: as far on the scale.  It needs no logarithms,
    so that every processor finds the same bits, and so the same hash of a scenario.
    """

    to: Callable[[Any], Any]
    back: Callable[[Any], Any]
    move: Callable[[float, float, float], float]
    low: float
    high: float

    @property
    def edges(self) -> tuple[float, float]:
        """The ends of where it is defined."""
        return self.low, self.high

    def holds(self, *numbers: float) -> bool:
        """Return whether it is defined for all the numbers."""
        return all(self.low < x < self.high for x in numbers)


def _same(x: Any) -> Any:
    return x


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


def _expit(x: Any) -> Any:
    """Return the inverse of the logit, without overflow on either side."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def _move_odds(x: float, old: float, new: float) -> float:
    """Return a probability with its odds multiplied as those of `old` are to become those of `new`."""
    yes, no = x * (1 - old) * new, (1 - x) * old * (1 - new)
    return yes / (yes + no)


LINKS: dict[str, Link] = {
    "identity": Link(
        _same, _same, lambda x, old, new: round(math.fsum((x, new, -old)), DIGITS) + 0.0, -math.inf, math.inf
    ),
    "log": Link(np.log, np.exp, lambda x, old, new: x * (new / old), 0.0, math.inf),
    "logit": Link(_logit, _expit, _move_odds, 0.0, 1.0),
}


def link_of(bounds: Bounds, *numbers: float) -> Link:
    """Return the link on which numbers are compared: the identity if one of them is not inside the link's domain.

    Examples
    --------
    >>> from iomsim.model.quantities import PROBABILITIES
    >>> link_of(PROBABILITIES, 0.2, 0.5) is LINKS["logit"], link_of(PROBABILITIES, 0.0, 0.5) is LINKS["identity"]
    (True, True)
    """
    link = LINKS[bounds.link]
    return link if link.holds(*numbers) else LINKS["identity"]


def limits(bounds: Bounds, *numbers: float) -> tuple[float, float]:
    """Return between which values a number stays that has these: the bounds, and the ends of the link's domain.

    Only a number that lies outside the domain already, such as a negative weight, is not held in it.

    Examples
    --------
    >>> from iomsim.model.quantities import WEIGHTS
    >>> limits(WEIGHTS, 0.0, 1.0), limits(WEIGHTS, -0.5, 1.0)
    ((0.0, 1000000.0), (-1000000.0, 1000000.0))
    """
    link = LINKS[bounds.link]
    inside = all(link.low <= x <= link.high for x in numbers)
    low, high = (max(bounds.least, link.low), min(bounds.high, link.high)) if inside else (bounds.least, bounds.high)
    return float(low), float(high)


def quantile(quantity: Quantity, bounds: Bounds, u: Floats | Sequence[float] | float) -> Floats:
    """Return quantiles of what is believed about a quantity.

    Parameters
    ----------
    quantity : Quantity
        Its value, the median; its low and high, the 10 % and 90 % points.
    bounds : Bounds
        Its link, and what it may be: quantiles beyond are clipped, as by :func:`limits`.
    u : array_like of float
        Levels, in (0, 1); uniform ones give draws.

    Returns
    -------
    ndarray
        One entry a level.  At 0.5 it is the value to the bit; where `low` equals `value`, so is
        everything below (and above where `high` does): a quantity without a range does not vary.

    Examples
    --------
    >>> from iomsim.model.quantities import PROBABILITIES, STRENGTHS
    >>> quantile(Quantity(value=0.6, low=0.3, high=1.0), STRENGTHS, [0.1, 0.5, 0.9]).round(6).tolist()
    [0.3, 0.6, 1.0]
    >>> quantile(Quantity(value=0.25, low=0.0, high=0.7), PROBABILITIES, [0.05, 0.5]).tolist()  # clipped
    [0.0, 0.25]
    """
    from scipy.special import ndtri  # loads slowly

    levels = np.asarray(u, dtype=float)
    value, low, high = (getattr(quantity, key) for key in RANGE)
    if low == high:
        return np.full(levels.shape, value)
    link = link_of(bounds, value, low, high)
    middle = link.to(value)
    z = ndtri(levels)
    step = z * np.where(z < 0, middle - link.to(low), link.to(high) - middle) / Z90
    with np.errstate(over="ignore"):  # what is beyond all floats is clipped
        drawn = np.where(step == 0, value, link.back(middle + step))
    return np.clip(drawn, *limits(bounds, low, high))


def shifted(quantity: Quantity, bounds: Bounds, value: float) -> tuple[float, float]:
    """Return the range of a quantity that is set to another value: as wide on the link scale, on either side.

    A value at an end of the link's domain, such as a strength of 0 or a probability of 1, is known: it has no
    range.  Where an end of the old range lies there, the shift is that of the numbers themselves.

    Parameters
    ----------
    quantity : Quantity
        As it was.
    bounds : Bounds
        Its link, and what it may be: the range is clipped as by :func:`limits`.
    value : float
        The new value.

    Returns
    -------
    tuple of float
        The new low and high.

    Examples
    --------
    >>> from iomsim.model.quantities import PROBABILITIES, STRENGTHS
    >>> strength = Quantity(value=0.6, low=0.3, high=1.0)
    >>> shifted(strength, STRENGTHS, 1.2), shifted(strength, STRENGTHS, 0.0)
    ((0.6, 2.0), (0.0, 0.0))
    >>> shifted(Quantity(value=0.25, low=0.0, high=0.7), PROBABILITIES, 0.5)
    (0.25, 0.95)
    """
    old = (quantity.value, quantity.low, quantity.high)
    if value == quantity.value:
        return quantity.low, quantity.high
    if quantity.low == quantity.high or not bounds.fit(value) or value in LINKS[bounds.link].edges:
        return value, value
    link = link_of(bounds, *old, value)
    low, high = (neat(link.move(end, quantity.value, value)) for end in (quantity.low, quantity.high))
    least, most = limits(bounds, *old, value)
    low = value if quantity.low == quantity.value else max(min(low, value), least)
    high = value if quantity.high == quantity.value else min(max(high, value), most)
    return low, high


def moved(parameter: Parameter, value: float, low: float | None = None, high: float | None = None) -> Quantity:
    """Return the quantity of a parameter that an analyst sets: the range is shifted, or the one given.

    Its source says what it was.  Nothing is checked: the description that it is put into does.

    Parameters
    ----------
    parameter : Parameter
        As it was.
    value : float
        The new value.
    low, high : float, optional
        Ends of the new range; default as :func:`shifted`.

    Examples
    --------
    >>> import iomsim as iom
    >>> parameter = iom.load("minimal")._parameters["behaviour.absent"]
    >>> print(parameter.quantity, "->", moved(parameter, 0.1))
    0.05 (0.01 to 0.17) probability -> 0.1 (0.0209 to 0.302) probability
    """
    q = parameter.quantity
    ends = shifted(q, parameter.bounds, value)
    first = q.source.rsplit(": ", 1)[-1].removesuffix(")") if q.source.startswith(SET) else q.source
    new, old = in_digits(value, q.value)
    return Quantity(
        value=value,
        low=ends[0] if low is None else low,
        high=ends[1] if high is None else high,
        unit=q.unit,
        grade="assumed",
        source=f"{SET}{new} by the user (was {old}: {first.replace(', ', '; ')})",
    )


def neat(x: float) -> float:
    """Return the number of nine digits that is meant by one with a trace of arithmetic, such as 0.30000000000000004.

    Examples
    --------
    >>> neat(0.1 + 0.2), neat(1 / 3)
    (0.3, 0.3333333333333333)
    """
    short = float(f"{x:.9g}")
    return short if math.isclose(x, short, rel_tol=1e-11, abs_tol=0.0) else x
