"""Analysts think in shares, the model in log-odds: find the appeals that give a share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from iomsim.engine.laws import conviction_scale
from iomsim.engine.plan import Draws, Plan, draw, leans
from iomsim.engine.rng import BLOCK
from iomsim.errors import ScenarioError
from iomsim.typing import Floats

SEED = 0
BLOCKS = 2
"""Blocks of draws behind the solution; each is used with its mirror image."""

REACH, FINEST = 5.5, 0.1
"""Standard deviations of hidden conviction that are averaged over, and the smallest step."""

TOLERANCE = 1e-7


def solve(plan: Plan, targets: dict[int, float]) -> Floats:
    """Return what to add to every candidate's appeal, by damped steps on the logit of the shares."""
    drawn = [draws for block in range(BLOCKS) for draws in mirrored(draw(plan, SEED, block, BLOCK))]
    leaning = [(leans(plan, draws), draws) for draws in drawn]
    index = np.array(list(targets))
    goal = np.array(list(targets.values()))
    shift = np.zeros(plan.candidates)
    for _ in range(200):
        now = np.mean([mean_share(plan, a + shift[:, None, None], draws) for a, draws in leaning], axis=0)[index]
        step = np.log(goal / (1 - goal)) - np.log(now / (1 - now))
        if np.abs(step).max() < TOLERANCE:
            return shift
        shift[index] += step
    raise ScenarioError("no appeal gives these shares; too many members are pinned or tied")


def mirrored(draws: Draws) -> list[Draws]:
    """Return the draws and their mirror image."""
    return [draws, replace(draws, campaign=-draws.campaign, appeal=-draws.appeal, region=-draws.region)]


def mean_share(plan: Plan, a: Floats, draws: Draws) -> Floats:
    """Return the candidates' mean shares of the first round, given the leans `a`."""
    chance = _two(plan, a) if plan.candidates == 2 else _many(plan, a, draws)
    for k in range(plan.candidates):
        chance[:, plan.pins == k] = 0.0
        chance[k, plan.pins == k] = 1.0
    attending = (1.0 - plan.absent[:, 0]) * (1.0 - plan.abstain[:, 0])
    return np.tensordot(chance.mean(axis=2), attending, axes=1) / attending.sum()


def _two(plan: Plan, a: Floats) -> Floats:
    gap, c = a[0] - a[1], conviction_scale(plan.behaviour.conviction)
    first = np.zeros_like(gap)
    for node, weight in zip(*nodes(plan.behaviour.conviction), strict=True):  # scipy's expit takes twice as long
        first += weight / (1.0 + np.exp(-np.clip(c * gap + plan.behaviour.conviction * node, -500, 500)))
    return np.stack([first, 1.0 - first])


def nodes(conviction: float) -> tuple[Floats, Floats]:
    """Return points and weights of the trapezoid rule over hidden conviction (two candidates).

    The rule converges exponentially for a logistic times a normal density; the step that is fine
    enough for a millionth shrinks with the conviction, down to `FINEST`.

    Examples
    --------
    >>> points, weights = nodes(1.8)
    >>> points.size, round(float(weights @ points**2), 6)
    (19, 1.0)
    """
    step = max(min(0.9, 1.2 / max(conviction, 1e-9)), FINEST)
    count = int(np.ceil(REACH / step))
    points: Floats = step * np.arange(-count, count + 1, dtype=np.float64)
    weights: Floats = np.exp(-points * points / 2)
    return points, weights / weights.sum()


def _many(plan: Plan, a: Floats, draws: Draws) -> Floats:
    v = conviction_scale(plan.behaviour.conviction) * a + plan.behaviour.conviction / np.sqrt(2.0) * draws.conviction
    v -= v.max(axis=0)
    np.exp(v, out=v)
    return v / v.sum(axis=0)


def solve_levels(plan: Plan, targets: dict[int, Any]) -> Floats:
    """Placeholder until the fast solver lands."""
    width = max((np.size(v) for v in (*plan.values.values(), *targets.values())), default=1)
    out = np.zeros((plan.candidates, width))
    for c in range(width):
        one = plan.at({p: float(v[c]) for p, v in plan.values.items() if isinstance(v, np.ndarray)})
        out[:, c] = solve(one, {k: float(np.broadcast_to(t, width)[c]) for k, t in targets.items()})
    return out
