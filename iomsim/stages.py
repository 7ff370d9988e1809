"""How an election day stands: the possible worlds, and what the rules make of their last round."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from iomsim import kernel, simulate
from iomsim.clock import DAY
from iomsim.compiled import Draws, Plan, draw
from iomsim.errors import AnnouncementError
from iomsim.hours import Hours, opening_hours, renewed
from iomsim.moves import MORE, SWEEPS, rejuvenate
from iomsim.particles import Cloud, beside, effective_size, new_cloud, resample, weights
from iomsim.scenario import Scenario
from iomsim.streams import BLOCK, Floats

Ints = NDArray[np.int16]
Flags = NDArray[np.bool_]

FEW = 0.01
"""Share of worlds that is few to survive."""


class Scene(NamedTuple):
    """Where a step is taken: the election, its arrays, and the step's random numbers.

    The clocks have numbers of their own, so that an announced time changes nothing but the time.
    """

    race: Scenario
    plan: Plan
    rng: np.random.Generator
    clock_rng: np.random.Generator

    @property
    def setting(self) -> kernel.Setting:
        """What the kernel needs to know."""
        return simulate.setting_of(self.plan)


@dataclass(frozen=True)
class Stage:
    """How the election stands after an event; immutable, so that an event can be undone.

    Attributes
    ----------
    cloud : Cloud
        The possible worlds; P of them.
    hours : Hours
        Their clocks.
    round_ : int
        Rounds held.
    votes, valid : ndarrays of int, shapes (m, K, P), (m, P)
        The tallies of the rounds held, in every world (they differ where little was announced); -1
        for who did not stand.
    flows : ndarray of int, shape (m, K, K, P)
        Members present who went from one candidate to another before each round.
    standing : ndarray of bool, shape (K,)
        Who still stands.
    alone : int
        Candidate who faces a yes/no round next, or -1.
    refusals : ndarray of int, shape (P,)
        Times the trailing camp did not concede, in every world.
    crowded, two_way : int
        Inconclusive rounds with three or more standing, and between two.
    pending : bool
        The last round's consequences (concession, elimination, end) are still to come.
    over : tuple (winner, ending) or None
        How it ended, if it has.
    at : float or None
        Minute of the last event, if any was announced.
    told : str
        What was announced last.
    surprise : float
        How far out it was: the probability that the model gave to anything as far out.
    surprising : str
        What was far out, in words.
    chance : float
        Probability that the model gave exactly this.
    size : float
        Effective number of particles after it, before resampling.
    """

    cloud: Cloud
    hours: Hours
    round_: int
    votes: Ints
    valid: Ints
    flows: Ints
    standing: Flags
    refusals: Ints
    alone: int = -1
    crowded: int = 0
    two_way: int = 0
    pending: bool = False
    over: tuple[int, int] | None = None
    at: float | None = None
    told: str = "before the vote"
    surprise: float = 1.0
    surprising: str = ""
    chance: float = 1.0
    size: float = 0.0

    @property
    def contenders(self) -> int:
        """How many stand."""
        return int(self.standing.sum())

    @property
    def present(self) -> Ints:
        """Members present in every world."""
        return np.count_nonzero(~self.cloud.draws.absent, axis=0).astype(np.int16)

    def pick(self, index: NDArray[np.intp]) -> Stage:
        """Return some of the worlds."""
        return replace(
            self,
            cloud=self.cloud.pick(index),
            hours=self.hours.pick(index),
            votes=self.votes[..., index],
            valid=self.valid[..., index],
            flows=self.flows[..., index],
            refusals=self.refusals[index],
        )


def opening(plan: Plan, particles: int, seed: int) -> Stage:
    """Return the worlds before the vote: the runs of the ordinary forecast of this seed."""
    draws: Draws = beside([draw(plan, seed, b, n) for b, n in enumerate(simulate.portions(particles, BLOCK))])
    k = plan.candidates
    return Stage(
        cloud=new_cloud(plan, draws),
        hours=opening_hours(plan, draws.keys),
        round_=0,
        votes=np.zeros((0, k, particles), dtype=np.int16),
        valid=np.zeros((0, particles), dtype=np.int16),
        flows=np.zeros((0, k, k, particles), dtype=np.int16),
        standing=np.ones(k, dtype=bool),
        refusals=np.zeros(particles, dtype=np.int16),
        size=float(particles),
    )


# -- weighing ------------------------------------------------------------------------------------


def weigh(stage: Stage, log_factor: Floats, otherwise: str) -> Stage:
    """Return the stage with its worlds weighed by a probability; if none is left, say what is wrong."""
    log_weight = stage.cloud.log_weight + log_factor
    if not np.isfinite(log_weight).any():
        raise AnnouncementError(otherwise)
    return replace(stage, cloud=replace(stage.cloud, log_weight=log_weight), size=effective_size(log_weight))


def refreshed(scene: Scene, stage: Stage) -> Stage:
    """Resample at half the effective size, and move the copies apart."""
    if stage.size >= stage.cloud.size / 2:
        return stage
    stage = evened(scene.rng, scene.plan, stage)
    if not stage.round_:
        return stage
    sweeps = MORE if stage.size < FEW * stage.cloud.size else SWEEPS
    return replace(stage, cloud=rejuvenate(scene.rng, scene.plan, stage.cloud, sweeps))


def evened(rng: np.random.Generator, plan: Plan, stage: Stage) -> Stage:
    """Return the stage with equally weighted worlds; copies of a world will go different ways."""
    log_weight = stage.cloud.log_weight
    if not np.ptp(log_weight):
        return stage
    stage = stage.pick(resample(log_weight, float(rng.random())))
    size = stage.cloud.size
    draws = replace(stage.cloud.draws, keys=rng.integers(0, 2**64, size, dtype=np.uint64))
    clocks = renewed(rng, stage.hours.keys, stage.hours.now // DAY, plan.pace.sits_on)
    return replace(
        stage,
        cloud=replace(stage.cloud, draws=draws, log_weight=np.zeros(size)),
        hours=replace(stage.hours, keys=clocks),
    )


# -- what the rules make of the last round -------------------------------------------------------


def state_of(plan: Plan, stage: Stage) -> kernel.State:
    """Return how the worlds stand, as the kernel sees it, their members left out."""
    draws, size, k = stage.cloud.draws, stage.cloud.size, plan.candidates

    def everywhere(value: int, *rows: int) -> Ints:
        return np.full((*rows, size), value, dtype=np.int16)

    return kernel.State(
        run=np.arange(size),
        keys=draws.keys,
        fluid=draws.fluid,
        present=stage.present,
        counts=everywhere(0, k),
        votes=np.maximum(stage.votes[-1], 0) if stage.round_ else everywhere(0, k),
        standing=np.repeat(stage.standing[:, None], size, axis=1),
        gone=everywhere(-1),
        alone=everywhere(stage.alone),
        refusals=stage.refusals.copy(),
        crowded=everywhere(stage.crowded),
        two_way=everywhere(stage.two_way),
        done=np.zeros(size, dtype=bool),
    )


def field_of(plan: Plan, stage: Stage) -> kernel.Field:
    """Return the worlds with their members, as the kernel plays them on."""
    draws, k = stage.cloud.draws, plan.candidates
    stance = np.where(draws.absent, np.float32(0), stage.cloud.stance) if k == 2 else stage.cloud.stance
    if not stage.round_:
        field = kernel.opening(simulate.setting_of(plan), draws.keys, draws.fluid, draws.absent, stance)
        return replace(field, standing=np.repeat(stage.standing[:, None], stage.cloud.size, axis=1))
    intention = stage.cloud.intention.copy()
    intention[draws.absent] = k
    counts = np.stack([np.count_nonzero(intention == c, axis=0) for c in range(k)]).astype(np.int16)
    out = np.flatnonzero(~stage.standing & counts.any(axis=1))
    gone = int(out[0]) if out.size else -1
    for other in out[1:]:  # all of them must think again
        intention[intention == other] = gone
        counts[gone] += counts[other]
        counts[other] = 0
    if k == 2:
        intention[draws.absent] = 0
    state = state_of(plan, stage)
    now = vars(state) | {"counts": counts, "gone": np.full_like(state.gone, gone)}
    return kernel.Field(**now, stance=stance, intention=intention)


def elected_by(plan: Plan, stage: Stage) -> tuple[Flags, Ints]:
    """Return in which worlds the last round elected somebody, and who leads."""
    state = state_of(plan, stage)
    need = kernel.needed(simulate.setting_of(plan), state, stage.valid[-1], stage.round_)
    leader, ahead = kernel.leading(state.votes)
    return ahead & (state.votes.max(axis=0) >= need), leader


class Lead(NamedTuple):
    """Who leads after a round, with how many votes, how many elect, and whether either is only a median."""

    candidate: int
    votes: int
    need: int
    rough_votes: bool
    rough_need: bool


def lead(plan: Plan, stage: Stage) -> Lead:
    """Return who leads after the last round; what was not announced is put at its median over the worlds."""
    need = kernel.needed(simulate.setting_of(plan), state_of(plan, stage), stage.valid[-1], stage.round_)
    w = weights(stage.cloud.log_weight)
    votes = [middle(row, w) for row in stage.votes[-1]]
    leader, real = int(np.argmax(votes)), w > 0
    rough = (bool(np.ptp(x[real])) for x in (stage.votes[-1][leader], need))
    return Lead(leader, votes[leader], middle(need, w), *rough)


def middle(x: Ints, w: Floats) -> int:
    """Return the weighted median."""
    order = np.argsort(x, kind="stable")
    return int(x[order][np.searchsorted(np.cumsum(w[order]), 0.5)])


def decided(plan: Plan, stage: Stage) -> Stage:
    """Return the stage with its winner, if the announced tally elects one whatever was not announced."""
    elected, leader = elected_by(plan, stage)
    real = np.isfinite(stage.cloud.log_weight)
    who = np.unique(leader[real])
    if elected[real].all() and who.size == 1:
        return replace(stage, over=(int(who[0]), kernel.MAJORITY), pending=False)
    return stage


def inconclusive(plan: Plan, stage: Stage) -> Stage:
    """Return the worlds in which the last round elected nobody."""
    elected, _ = elected_by(plan, stage)
    return weigh(stage, np.where(elected, -np.inf, 0.0), "the last round elected somebody in every possible world")


def first_among(votes: Ints, standing: Flags) -> Floats:
    """Return each candidate's chance to lead, ties broken by lot, shape (K, P)."""
    papers = np.where(standing[:, None], votes, -1)
    top = papers == papers.max(axis=0)
    return np.asarray(top / top.sum(axis=0))


def last_among(votes: Ints, standing: Flags) -> Floats:
    """Return each candidate's chance to be last of those standing, ties broken by lot, shape (K, P)."""
    return first_among(np.iinfo(np.int16).max - votes, standing)


def readiness(plan: Plan, stage: Stage) -> Floats:
    """Return the chance that the trailing one of two concedes now, in every world.

    Before anything was seen it is the mean of Beta(a, b); every refusal makes it less ready: the law
    of a Polya urn.  In a tie nobody concedes.
    """
    b = plan.behaviour
    ahead = kernel.leading(np.maximum(stage.votes[-1], 0))[1]
    ready = b.concede_a / (b.concede_a + b.concede_b + stage.refusals)
    return np.where(ahead & plan.rules.concession, ready, 0.0)


def went_on(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after a round, given that nothing has ended the election: no concession came.

    Raises
    ------
    AnnouncementError
        If the announcements leave open who is out by the rules, or who stands alone.
    """
    if not stage.pending:
        return stage
    plan = scene.plan
    stage = inconclusive(plan, stage)
    return after_two(scene, stage) if stage.contenders == 2 else after_more(scene, stage)


def after_two(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after an inconclusive round between two, given that nobody conceded."""
    rules, ready = scene.plan.rules, readiness(scene.plan, stage)
    with np.errstate(divide="ignore"):
        stage = weigh(stage, np.log1p(-ready), "the trailing candidate concedes for certain under the scenario")
    stage = replace(stage, refusals=stage.refusals + (ready > 0), two_way=stage.two_way + 1, pending=False)
    if rules.max_two_way is None or stage.two_way < rules.max_two_way:
        return stage
    leads = first_among(stage.votes[-1], stage.standing)
    return replace(stage, alone=the_one(scene, stage, leads, "stands alone now; announce who is out"))


def after_more(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after an inconclusive round between three or more."""
    stage = replace(stage, crowded=stage.crowded + 1, pending=False)
    if not elimination_due(scene.plan, stage.crowded):
        return stage
    last = last_among(stage.votes[-1], stage.standing)
    return without(stage, the_one(scene, stage, last, "is out; announce it"))


def elimination_due(plan: Plan, crowded: int) -> bool:
    """Return whether the last of three or more leaves after so many inconclusive rounds."""
    first = plan.rules.eliminate_after
    return first is not None and crowded >= first and (crowded - first) % plan.rules.eliminate_every == 0


def by_rule(scene: Scene, stage: Stage) -> Stage:
    """Return the stage after a round between three or more, if the rules alone say what follows from it."""
    if stage.over is not None or stage.contenders == 2:
        return stage
    elected, _ = elected_by(scene.plan, stage)
    last = possible(stage, last_among(stage.votes[-1], stage.standing))
    due = elimination_due(scene.plan, stage.crowded + 1)
    if elected[np.isfinite(stage.cloud.log_weight)].any() or (due and last.size > 1):
        return stage
    out = f"; {scene.race.names[last[0]]} is out by the rules" if due else ""
    return replace(after_more(scene, stage), told=stage.told + out)


def possible(stage: Stage, chance: Floats) -> NDArray[np.intp]:
    """Return the candidates of whom something may be true, by its chance in every world, (K, P)."""
    return np.flatnonzero((chance[:, np.isfinite(stage.cloud.log_weight)] > 0).any(axis=1))


def the_one(scene: Scene, stage: Stage, chance: Floats, what: str) -> int:
    """Return the candidate of whom something is true in every world, or ask."""
    maybe = possible(stage, chance)
    if maybe.size == 1:
        return int(maybe[0])
    names = " or ".join(scene.race.names[c] for c in maybe)
    raise AnnouncementError(f"the announcements leave open whether {names} {what} with night.eliminate(...)")


def without(stage: Stage, candidate: int) -> Stage:
    """Return the stage without a candidate."""
    standing = stage.standing.copy()
    standing[candidate] = False
    return replace(stage, standing=standing)
