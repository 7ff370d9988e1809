"""How an election day stands: the possible worlds, their weights, and how the kernel sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from iomsim.election_day.clocks import Hours, opening_hours, renewed
from iomsim.election_day.moves import MORE, SWEEPS, rejuvenate
from iomsim.election_day.particles import Cloud, beside, effective_size, new_cloud, resample
from iomsim.engine import simulate
from iomsim.engine.clock import DAY
from iomsim.engine.plan import Draws, Plan, draw
from iomsim.engine.rng import BLOCK
from iomsim.engine.state import ActiveRuns, Entry, before_round_one
from iomsim.errors import AnnouncementError
from iomsim.model.scenario import Scenario
from iomsim.typing import Flags, Floats, Places, Shorts

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


@dataclass(frozen=True, eq=False)
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
    votes: Shorts
    valid: Shorts
    flows: Shorts
    standing: Flags
    refusals: Shorts
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
    def out(self) -> Places:
        """Who cannot be elected any more."""
        alone = np.arange(self.standing.size) == self.alone
        return np.flatnonzero(~(alone if self.alone >= 0 else self.standing))

    @property
    def present(self) -> Shorts:
        """Members present in every world."""
        return np.count_nonzero(~self.cloud.draws.absent, axis=0).astype(np.int16)

    def pick(self, index: Places) -> Stage:
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
    draws: Draws = beside([draw(plan, seed, b, n) for b, n in enumerate(simulate.chunk_sizes(particles, BLOCK))])
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


# -- as the kernel sees it -----------------------------------------------------------------------


def state_of(plan: Plan, stage: Stage) -> ActiveRuns:
    """Return how the worlds stand, as the kernel sees it, their members left out."""
    draws, size, k = stage.cloud.draws, stage.cloud.size, plan.candidates

    def everywhere(value: int, *rows: int) -> Shorts:
        return np.full((*rows, size), value, dtype=np.int16)

    return ActiveRuns(
        run=np.arange(size),
        keys=draws.keys,
        fluid=draws.fluid,
        present=stage.present,
        counts=everywhere(0, k),
        votes=np.maximum(stage.votes[-1], 0) if stage.round_ else everywhere(0, k),
        standing=np.repeat(stage.standing[:, None], size, axis=1),
        departed=everywhere(-1),
        unopposed=everywhere(stage.alone),
        non_concessions=stage.refusals.copy(),
        multiway_rounds=everywhere(stage.crowded),
        two_way_rounds=everywhere(stage.two_way),
        done=np.zeros(size, dtype=bool),
        behaviour=plan.behaviour,
    )


def field_of(plan: Plan, stage: Stage) -> Entry:
    """Return the worlds with their members, as the kernel plays them on."""
    draws, k = stage.cloud.draws, plan.candidates
    odds = np.where(draws.absent, np.float32(0), stage.cloud.stance) if k == 2 else stage.cloud.stance
    if not stage.round_:
        entry = before_round_one(plan, draws, odds)
        standing = np.repeat(stage.standing[:, None], stage.cloud.size, axis=1)
        return entry._replace(runs=replace(entry.runs, standing=standing))
    intention = stage.cloud.intention.copy()
    intention[draws.absent] = k
    counts = np.stack([np.count_nonzero(intention == c, axis=0) for c in range(k)]).astype(np.int16)
    out = np.flatnonzero(~stage.standing & counts.any(axis=1))
    departed = int(out[0]) if out.size else -1
    for other in out[1:]:  # all of them must think again
        intention[intention == other] = departed
        counts[departed] += counts[other]
        counts[other] = 0
    if k == 2:
        intention[draws.absent] = 0
    runs = state_of(plan, stage)
    return Entry(replace(runs, counts=counts, departed=np.full_like(runs.departed, departed)), odds, intention)
