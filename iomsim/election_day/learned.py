"""What announcements say about what a run draws once, against what was believed before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from iomsim.election_day.particles import weights
from iomsim.election_day.state import Stage
from iomsim.engine import laws
from iomsim.engine.plan import Plan, contrast
from iomsim.typing import Floats

CAVEAT = (
    "A tally moves the net level, and the rounds together show how far the contest moves. What it cannot tell is how "
    "the level splits: between the sponsors, against secrecy, and between common and regional shocks. Those rows "
    "move together, a little, and only as the assumptions before the vote tie them to each other."
)
"""What to say beside every table or chart of what was learned."""


def learned(plan: Plan, sponsors: list[str], before: Stage, now: Stage) -> pd.DataFrame:
    """Return the run-level quantities before the vote and now: mean, sd, 10, 50 and 90 % points."""
    rows = {}
    old, new = quantities(plan, sponsors, before), quantities(plan, sponsors, now)
    w = [weights(stage.cloud.log_weight) for stage in (before, now)]
    for name in old:
        rows[name] = moments("prior", old[name], w[0]) | moments("now", new[name], w[1])
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")


def quantities(plan: Plan, sponsors: list[str], stage: Stage) -> dict[str, Floats]:
    """Return what an analyst can think about, in every world."""
    draws = stage.cloud.draws
    out = {f"net level of {name} (log-odds)": level(plan, stage, k) for k, name in levels(plan).items()}
    effect = laws.campaign_effect(plan.spread, draws.campaign)
    out |= {f"effect of {name}'s campaign (1 = average)": effect[s] for s, name in enumerate(sponsors)}
    scale = plan.behaviour.common_sd / np.sqrt(2.0)
    for k, name in levels(plan).items():
        out[f"common shock towards {name} (log-odds)"] = scale * (against_others(plan, k) @ draws.appeal)
    out["the contest is fluid"] = draws.fluid.astype(float)
    if plan.rules.concession:
        out["readiness to concede"] = readiness_to_concede(plan, stage)
    out["members present"] = stage.present.astype(float)
    return out


def levels(plan: Plan) -> dict[int, str]:
    """Return the candidates whose level is shown: of two the first, of more all."""
    return {k: name for k, name in enumerate(plan.names) if plan.candidates > 2 or k == 0}


def against_others(plan: Plan, k: int) -> Floats:
    """Return the weights of a candidate against the mean of the others."""
    return np.where(np.arange(plan.candidates) == k, 1.0, -1.0 / (plan.candidates - 1))


def level(plan: Plan, stage: Stage, k: int) -> Floats:
    """Return a candidate's systematic lean against the others, averaged over members."""
    return np.asarray(contrast(plan, stage.cloud.draws, against_others(plan, k).tolist()).mean(axis=0, dtype=float))


def readiness_to_concede(plan: Plan, stage: Stage) -> Floats:
    """Return draws of h: after m refusals it follows Beta(a, b + m)."""
    from scipy.special import betaincinv

    b, size = plan.behaviour, stage.cloud.size
    even = (np.arange(size) * 0.6180339887498949 + 0.5 / size) % 1.0
    return np.asarray(betaincinv(b.concede_a, b.concede_b + stage.refusals, even))


def moments(when: str, x: Floats, w: Floats) -> dict[str, float]:
    """Return mean, sd and quantiles of weighted values."""
    order = np.argsort(x, kind="stable")
    cumulative = np.cumsum(w[order])
    mean = float(w @ x)
    points = x[order][np.minimum(np.searchsorted(cumulative, [0.1, 0.5, 0.9]), x.size - 1)]
    spread = float(np.sqrt(w @ (x - mean) ** 2))
    return {f"{when} mean": mean, f"{when} sd": spread} | {
        f"{when} {q} %": float(p) for q, p in zip((10, 50, 90), points, strict=True)
    }
