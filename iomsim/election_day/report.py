"""What an announcement did, and what announcements say of the assumptions and of a run's draws: words and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from iomsim.election_day.belief import Belief
from iomsim.election_day.between_rounds import needed_last
from iomsim.election_day.conditioning import weights
from iomsim.election_day.state import FilterState
from iomsim.engine import laws, paths
from iomsim.engine.first_round import first_round_votes
from iomsim.engine.plan import Plan, contrast
from iomsim.forecasting.estimates import in_100
from iomsim.house_style import capital, count, in_lines, number, number_of, series, thousands
from iomsim.model.assumptions import Assumptions
from iomsim.model.events import Event
from iomsim.model.parameters import describe_parameter
from iomsim.model.scenario import Scenario
from iomsim.typing import Floats

RARE = 1e-3
"""Announcements less expected than this come with a warning."""

ENOUGH = 100
"""Effective sample size below which the report calls what follows rough."""

CAVEAT = (
    "Tallies tell the net level, and together how far the contest moves. They cannot tell how the level splits between "
    "sponsors, secrecy, and common and regional shocks: those rows move only as the assumptions tie them together."
)
"""What to say beside every table or chart of what was learned."""


MOVED, LEVELS = 0.05, 0.02
"""By how much the chance of a reading of the rules, and the mean share of the first round, move to be told."""

FEW_DRAWS = 40
"""Draws of the assumptions that carry weight below which the report calls what is said of the assumptions rough."""


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """What the last announcement did; prints as a few sentences.

    Attributes
    ----------
    race : Scenario
        The election.
    first, before, now : Belief
        What was believed before the vote, before the announcement, and now.
    draws : Assumptions or None
        The draws of the assumptions before the vote; None if they are fixed.
    event : Event or None
        The announcement; None before the first, and where one was taken back.
    """

    race: Scenario
    first: Belief
    before: Belief
    now: Belief
    draws: Assumptions | None = None
    event: Event | None = None

    @property
    def plan(self) -> Plan:
        """The election under the weightiest reading of the rules."""
        return self.now.plan

    @property
    def state(self) -> FilterState:
        """How the election stands after it, under the weightiest reading of the rules."""
        return self.now.state

    def __str__(self) -> str:
        """Return the event, how many votes are missing, what was learnt, and a word of caution where it is due."""
        state, parts = self.state, [f"{capital(self.state.label)}."]
        if state.round_ and state.ended is None:
            parts.append(needed(self.plan, state))
        if state.alone >= 0 and state.ended is None:
            parts.append(f"{self.plan.names[state.alone]} stands alone now, and the next round is a vote of yes or no.")
        parts += about_the_rules(self)
        if not self.now.over:
            parts += about_the_level(self)
            if state.effective_size < min(ENOUGH, state.particles.size):
                parts.append(rough(state))
            elif self.draws is not None:
                parts += about_the_draws(self.now, self.draws.count)
        if state.surprise < RARE:
            parts.append(caution(state))
        return " ".join(parts)

    def __repr__(self) -> str:
        """Return the same in lines."""
        return in_lines(str(self))


def about_the_rules(report: Report) -> list[str]:
    """Return what the last event has taught about the readings of the rules, if it has taught much."""
    first, before, now = report.first, report.before, report.now
    names, said = [plan.rules.name for plan in now.plans], []
    gone = [r for r in before.alive if r not in now.alive]
    if gone:
        out = series([names[r] for r in gone])
        left = f"; {names[now.alive[0]]} is left" if len(now.alive) == 1 else ""
        said.append(f"{happened(report)}, which rules {out} out{left}.")
    weights = np.stack([first.weights, before.weights, now.weights])
    learnt = [r for r in now.alive if np.abs(weights[:2, r] - weights[2, r]).min() >= MOVED]
    if len(now.alive) > 1 and learnt:
        told = [f"{names[r]} {in_100(weights[0, r])} before the vote, {in_100(weights[2, r])} now" for r in learnt]
        said.append(f"The rules, in 100: {'; '.join(told)}.")
    ended = [r for r in now.alive if now.at(r).ended is not None]
    if ended and not now.over:
        chance = in_100(float(now.weights[ended].sum()))
        said.append(f"Under {series([names[r] for r in ended])} it is over ({chance} in 100); otherwise it goes on.")
    return said


def happened(report: Report) -> str:
    """Return what the last event showed, as far as the rules may forbid it."""
    state, event = report.state, report.event or {}
    kind, name = event.get("event"), event.get("name")
    if kind in ("announce", "inconclusive", "correct", "go on") and state.stages:
        standing = state.stages[-1].standing
        held = sum(stage.standing == standing for stage in state.stages)
        if kind == "go on":
            return f"Another round between {number(standing)} is to be held"
        return (
            f"{capital(number_of(held, 'round'))} between {number(standing)} {'has' if held == 1 else 'have'} been held"
        )
    if kind == "confirm":
        return "A vote of yes or no has been held"
    what = {"withdraw": "has withdrawn", "eliminate": "is out", "elect": "is elected"}
    return f"{name} {what[kind]}" if kind in what else "So it happened"


def about_the_level(report: Report) -> list[str]:
    """Return how far the level that was stated has moved, if it has moved far and did so now."""
    said: list[str] = []
    known = {} if report.draws is None else report.draws.values
    for name in [name for name in report.race.level if paths.level(name) in known]:
        values = known[paths.level(name)]
        then, before, now = (
            float(belief.draw_weights(values.size) @ values) for belief in (report.first, report.before, report.now)
        )
        if min(abs(now - then), abs(now - before)) >= LEVELS:
            share = f"{in_100(then)} in 100 before the vote, {in_100(now)} now"
            said.append(f"The level, {name}'s mean share of a first round: {share}.")
    return said


def about_the_draws(belief: Belief, count: int) -> list[str]:
    """Return how many draws of the assumptions still carry weight, if they are few."""
    weight = belief.draw_weights(count)
    left = 1.0 / float((weight**2).sum())
    if left >= min(FEW_DRAWS, count / 2):
        return []
    return [
        f"Only about {round(left)} of the {count} draws of the assumptions still carry weight: what is said of the "
        "assumptions is rough."
    ]


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


def learned(first: Belief, now: Belief, race: Scenario, draws: Assumptions | None) -> pd.DataFrame:
    """Return quantities before the vote and now: mean, sd, 10, 50 and 90 % points.

    Those of the run-level draws come first, then the level, the other assumptions that vary, and the readings.
    """
    rows: dict[str, dict[str, float]] = {}
    for when, belief in (("prior", first), ("now", now)):
        for name, x, w in [*of_runs(belief), *of_assumptions(belief, race, draws), *of_readings(belief)]:
            mean = float(w @ x)
            points = np.quantile(x, (0.1, 0.5, 0.9), weights=w, method="inverted_cdf")
            row = rows.setdefault(name, {}) | {f"{when} mean": mean, f"{when} sd": float(np.sqrt(w @ (x - mean) ** 2))}
            rows[name] = row | {f"{when} {q} %": float(p) for q, p in zip((10, 50, 90), points, strict=True)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")


Known = tuple[str, Floats, Floats]
"""A quantity: its name, values, and their weights, which add up to 1."""


def of_runs(belief: Belief) -> list[Known]:
    """Return what runs draw once, as far as an analyst can have an opinion on it."""
    if not belief.several:
        w = weights(belief.state.particles.log_weight)
        return [(name, x, w) for name, x in quantities(belief.plan, belief.state).items()]
    parts = [quantities(belief.plans[hall[0]], belief.at(hall[0])) for hall in belief.halls]
    w = weights(np.concatenate([belief.total(hall) for hall in belief.halls]))
    out = [(name, np.concatenate([part[name] for part in parts]), w) for name in parts[0] if name != READINESS]
    may = [r for r in belief.alive if belief.plans[r].rules.withdrawal != "none"]
    if may:
        ready = np.concatenate([readiness(belief.plans[r], belief.at(r)) for r in may])
        out.append((READINESS, ready, weights(np.concatenate([belief.at(r).particles.log_weight for r in may]))))
    return out


def of_assumptions(belief: Belief, race: Scenario, draws: Assumptions | None) -> list[Known]:
    """Return the assumptions that vary, the level first, by their labels."""
    if draws is None:
        return []
    votes, clock = (belief.draw_weights(draws.count, clock=of_clock) for of_clock in (False, True))
    order = sorted(draws.values, key=lambda path: paths.head(path) != paths.LEVEL)
    return [
        (describe_parameter(race, path), draws.values[path], clock if paths.head(path) == paths.CLOCK else votes)
        for path in order
    ]


def of_readings(belief: Belief) -> list[Known]:
    """Return the readings of the rules: 1 where the election follows them, else 0."""
    if not belief.several:
        return []
    return [
        (f"the rules: {plan.rules.name}", np.array([0.0, 1.0]), np.array([1.0 - chance, chance]))
        for plan, chance in zip(belief.plans, belief.weights.tolist(), strict=True)
    ]


def quantities(plan: Plan, state: FilterState) -> dict[str, Floats]:
    """Return the quantities an analyst can have an opinion on, in every particle."""
    own = state.particles.under(plan)
    draws, b = state.particles.draws, own.behaviour
    shown = {k: name for k, name in enumerate(plan.names) if plan.candidates > 2 or k == 0}
    out = {NET_LEVEL.format(name): level(plan, state, k) for k, name in shown.items()}
    effect = laws.campaign_effect(own.spread, draws.campaign)
    out |= {f"effect of {name}'s campaign (1 = average)": effect[s] for s, name in enumerate(plan.sponsors)}
    for k, name in shown.items():
        shock = b.common_sd / np.sqrt(2.0) * (against_others(plan, k) @ draws.appeal)
        out[COMMON_SHOCK.format(name)] = shock
    out["the contest is fluid"] = draws.fluid.astype(float)
    if plan.rules.withdrawal != "none":
        out[READINESS] = readiness(plan, state)
    out["members present"] = state.present.astype(float)
    return out


NET_LEVEL, COMMON_SHOCK = "net level of {} (log-odds)", "common shock towards {} (log-odds)"
"""What is added to the systematic leans of all members alike; a candidate's name stands in them."""

READINESS = "how ready the one behind is to concede"
"""Not to be taken for the parameter of its law, "readiness to concede"."""


def readiness(plan: Plan, state: FilterState) -> Floats:
    """Return how ready the trailing camp is to concede in every particle, spread evenly over its law.

    Its posterior is Beta(a, b + m) after m times that it did not.
    """
    from scipy.special import betaincinv

    b, size = state.particles.under(plan).behaviour, state.particles.size
    even = (np.arange(size) * 0.6180339887498949 + 0.5 / size) % 1.0
    return np.asarray(betaincinv(b.concede_a, b.concede_b + state.non_concessions, even))


def against_others(plan: Plan, k: int) -> Floats:
    """Return the weights of a candidate against the mean of the others."""
    return np.where(np.arange(plan.candidates) == k, 1.0, -1.0 / (plan.candidates - 1))


def level(plan: Plan, state: FilterState, k: int) -> Floats:
    """Return a candidate's systematic lean against the others, averaged over members."""
    weights_of = against_others(plan, k).tolist()
    own = state.particles.under(plan)
    return np.asarray(contrast(own, state.particles.draws, weights_of).mean(axis=0, dtype=float))


def votes_at_level(plan: Plan, k: int, levels: ArrayLike, shocks: bool = False) -> Floats:
    """Return a candidate's mean papers in the first round where its net level is so many log-odds, exactly.

    All members are moved alike, and nothing else is: no common shock, and all parameters at their best guesses.
    With `shocks`, what is given is a common shock, which adds to the level of the best guesses.

    Examples
    --------
    >>> import iomsim as iom
    >>> votes_at_level(iom.load("minimal").plan, 0, [-1.0, 0.0, 1.0]).round(1).tolist()
    [44.1, 77.3, 110.5]
    """
    appeal, weights_of = plan.appeals[k], tuple(against_others(plan, k).tolist())
    at = float(np.mean(plan.values[appeal]))

    def mean_lean(moved: float) -> float:
        lean, pulls = plan.at({appeal: at + moved}).by_class(weights_of)
        return float(sum(pulls, np.asarray(lean, dtype=float))[plan.classes.of_member].mean())

    base = mean_lean(0.0)
    push = 1.0 if shocks else mean_lean(1.0) - base  # the polled move less than others
    alone = {appeal: at + (np.asarray(levels, dtype=float) - (not shocks) * base) / push}
    return np.asarray(first_round_votes(plan.at({**alone, paths.behaviour("common_sd"): 0.0}))[k])
