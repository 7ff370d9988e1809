"""What an announcement did, and what the announcements say of a run's draws, in words and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from iomsim.election_day.between_rounds import needed_last
from iomsim.election_day.conditioning import weights
from iomsim.election_day.state import FilterState
from iomsim.engine import laws
from iomsim.engine.plan import Plan, contrast
from iomsim.house_style import capital, count, in_lines, thousands
from iomsim.typing import Floats

RARE = 1e-3
"""Announcements less expected than this come with a warning."""

ENOUGH = 100
"""Effective sample size below which the report calls what follows rough."""

CAVEAT = (
    "A tally moves the net level, and the rounds together show how far the contest moves. What it cannot tell is how "
    "the level splits: between the sponsors, against secrecy, and between common and regional shocks. Those rows "
    "move together, a little, and only as the assumptions before the vote tie them to each other."
)
"""What to say beside every table or chart of what was learned."""


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """What the last announcement did; prints as a sentence or two.

    Attributes
    ----------
    plan : Plan
        The election.
    state : FilterState
        How the election stands after it.
    """

    plan: Plan
    state: FilterState

    def __str__(self) -> str:
        """Return the event, how many votes are missing, and a word of caution where it is due."""
        state, parts = self.state, [f"{capital(self.state.label)}."]
        if state.round_ and state.ended is None:
            parts.append(needed(self.plan, state))
        if state.alone >= 0 and state.ended is None:
            parts.append(f"{self.plan.names[state.alone]} stands alone now, and the next round is a vote of yes or no.")
        if state.effective_size < min(ENOUGH, state.particles.size) and state.ended is None:
            parts.append(rough(state))
        if state.surprise < RARE:
            parts.append(caution(state))
        return " ".join(parts)

    def __repr__(self) -> str:
        """Return the same in lines."""
        return in_lines(str(self))


def needed(plan: Plan, state: FilterState) -> str:
    """Return how far the leader was from being elected in the last round.

    Where the announcements leave it open, the posterior median, marked "about".
    """
    if not state.round_:
        need = plan.rules.needed(plan.entitled, 1, plan.candidates)
        return f"No round has been held; {need} votes elect if all {plan.entitled} members vote."
    w = weights(state.particles.log_weight)
    medians = np.quantile(state.votes[-1], 0.5, axis=1, weights=w, method="inverted_cdf").astype(int)
    leader = int(medians.argmax())
    needs = needed_last(plan, state)
    votes, need = medians[leader], int(np.quantile(needs, 0.5, weights=w, method="inverted_cdf"))
    rough_votes, rough_need = (bool(np.ptp(x[w > 0])) for x in (state.votes[-1][leader], needs))
    name, short, bar = plan.names[leader], need - votes, f"{'about ' * rough_need}{need}"
    if short <= 0:
        return f"{name} has {'about ' * rough_votes}{votes} votes, and {bar} elect."
    if state.ended is not None:
        return "The election is over, and no votes are needed."
    about = "about " * (rough_votes or rough_need)
    return f"{name} is {about}{count(short, 'vote')} short of {bar}."


def rough(state: FilterState) -> str:
    """Return that few of the simulated elections agree with what was announced."""
    counts = f"about {thousands(round(state.effective_size))} of {thousands(state.particles.size)} simulated elections"
    return f"The numbers that follow are rough: only {counts} agree with what was announced, so play more of them."


def caution(state: FilterState) -> str:
    """Return a word of caution about an announcement that was nearly impossible under the model."""
    odds = one_in(state.surprise, state.particles.size)
    return f"The model gave {state.surprising} {odds}; treat what follows with care."


def one_in(odds: float, particles: int) -> str:
    """Return long odds in words, with no more digits than the particles support.

    Examples
    --------
    >>> one_in(1 / 4123, 20_000), one_in(1e-9, 20_000)
    ('about 1 in 4\u202f100', 'less than 1 in 20\u202f000')
    """
    if odds * particles < 1:
        return f"less than 1 in {thousands(particles)}"
    return f"about 1 in {thousands(int(float(f'{1 / odds:.2g}')))}"


# -- prior and posterior -------------------------------------------------------------------------


def learned(plan: Plan, before: FilterState, now: FilterState) -> pd.DataFrame:
    """Return the run-level quantities before the vote and now: mean, sd, 10, 50 and 90 % points."""
    rows: dict[str, dict[str, float]] = {}
    for when, state in (("prior", before), ("now", now)):
        w = weights(state.particles.log_weight)
        for name, x in quantities(plan, state).items():
            mean = float(w @ x)
            points = np.quantile(x, (0.1, 0.5, 0.9), weights=w, method="inverted_cdf")
            row = rows.setdefault(name, {}) | {f"{when} mean": mean, f"{when} sd": float(np.sqrt(w @ (x - mean) ** 2))}
            rows[name] = row | {f"{when} {q} %": float(p) for q, p in zip((10, 50, 90), points, strict=True)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")


def quantities(plan: Plan, state: FilterState) -> dict[str, Floats]:
    """Return the quantities an analyst can have an opinion on, in every particle."""
    own = state.particles.under(plan)
    draws, b = state.particles.draws, own.behaviour
    shown = {k: name for k, name in enumerate(plan.names) if plan.candidates > 2 or k == 0}
    out = {f"net level of {name} (log-odds)": level(plan, state, k) for k, name in shown.items()}
    effect = laws.campaign_effect(own.spread, draws.campaign)
    out |= {f"effect of {name}'s campaign (1 = average)": effect[s] for s, name in enumerate(plan.sponsors)}
    for k, name in shown.items():
        shock = b.common_sd / np.sqrt(2.0) * (against_others(plan, k) @ draws.appeal)
        out[f"common shock towards {name} (log-odds)"] = shock
    out["the contest is fluid"] = draws.fluid.astype(float)
    if plan.rules.withdrawal != "none":
        from scipy.special import betaincinv

        even = (np.arange(draws.keys.size) * 0.6180339887498949 + 0.5 / draws.keys.size) % 1.0
        readiness = betaincinv(
            b.concede_a, b.concede_b + state.non_concessions, even
        )  # its posterior is Beta(a, b + m)
        out["readiness to concede"] = np.asarray(readiness)
    out["members present"] = state.present.astype(float)
    return out


def against_others(plan: Plan, k: int) -> Floats:
    """Return the weights of a candidate against the mean of the others."""
    return np.where(np.arange(plan.candidates) == k, 1.0, -1.0 / (plan.candidates - 1))


def level(plan: Plan, state: FilterState, k: int) -> Floats:
    """Return a candidate's systematic lean against the others, averaged over members."""
    weights_of = against_others(plan, k).tolist()
    own = state.particles.under(plan)
    return np.asarray(contrast(own, state.particles.draws, weights_of).mean(axis=0, dtype=float))
