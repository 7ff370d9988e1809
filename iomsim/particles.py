"""A cloud of possible worlds, and what an announced tally does to it.

Every particle holds what its run drew once and every member's intention.  A tally weighs the
particles by its exact probability, and the members' intentions are then drawn conditional on it.
Arrays are members first, particles last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from iomsim import kernel
from iomsim.compiled import Draws, Plan, contrast, stances, steepness
from iomsim.streams import Floats

CHUNK = 256
"""Particles whose tables are held at a time."""

SWEEPS = 2
"""Rounds of Metropolis moves after a resampling."""

STEP_RUN, STEP_MEMBER = 0.25, 0.6
"""Sizes of the moves of run-level and of members' draws."""

TINY = 1e-300

Codes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Passage:
    """One announced round as the particles lived it; K candidates, N members, P particles.

    `before` and `after` are the members' intentions, shape (N, P); `eta` the round's shocks,
    (K, P); `votes` the tally of the round before, (K, P); `standing` who stood, (K,); `gone`
    who had just left, or -1; `night` whether a night had passed, (P,).
    """

    round_: int
    before: Codes
    after: Codes
    eta: Floats
    votes: Floats
    standing: Flags
    gone: int
    night: Flags


@dataclass(frozen=True)
class Cloud:
    """The particles, their stances and weights, and the rounds they have been through."""

    draws: Draws
    stance: NDArray[np.float32]
    log_weight: Floats
    intention: Codes
    passages: tuple[Passage, ...] = ()

    @property
    def size(self) -> int:
        """How many particles there are."""
        return self.log_weight.size


def take(draws: Draws, index: NDArray[np.intp]) -> Draws:
    """Return the draws of some particles."""
    return Draws(**{f.name: getattr(draws, f.name)[..., index] for f in fields(Draws)})


def pick(cloud: Cloud, index: NDArray[np.intp]) -> Cloud:
    """Return the particles of an index, equally weighted, with everything they have lived."""
    lived = tuple(
        replace(p, before=p.before[:, index], after=p.after[:, index], eta=p.eta[:, index], votes=p.votes[:, index],
                night=p.night[index])
        for p in cloud.passages
    )  # fmt: skip
    return Cloud(
        take(cloud.draws, index), cloud.stance[..., index], np.zeros(index.size), cloud.intention[:, index], lived
    )


def weights(log_weight: Floats) -> Floats:
    """Return normalised weights."""
    w = np.exp(log_weight - log_weight.max())
    return w / w.sum()


def effective_size(log_weight: Floats) -> float:
    """Return the effective number of particles (Kish): one over the sum of squared weights."""
    return float(1.0 / (weights(log_weight) ** 2).sum())


def resample(log_weight: Floats, u: float) -> NDArray[np.intp]:
    """Return particles in proportion to their weights, systematically (one uniform for all).

    Examples
    --------
    >>> resample(np.log([0.5, 0.25, 0.25]), 0.1).tolist()
    [0, 0, 2]
    """
    count = log_weight.size
    edges = np.cumsum(weights(log_weight))
    return np.minimum(np.searchsorted(edges, (np.arange(count) + u) / count, side="right"), count - 1)


# -- the coming round ----------------------------------------------------------------------------


def thoughts(stance: NDArray[np.float32], pull: Floats, standing: Flags) -> Floats:
    """Return whom members would intend if they thought again, shape (K, N, P)."""
    if len(standing) == 2:
        with np.errstate(over="ignore"):
            first = 1.0 / (1.0 + stance.astype(np.float64) * np.exp(np.clip(pull[1] - pull[0], -80, 80)))
        return np.stack([first, 1.0 - first])
    v = stance + np.where(standing[:, None], pull, -np.inf)[:, None]
    v -= v.max(axis=0)
    np.exp(v, out=v)
    return v / v.sum(axis=0)


def pulls(plan: Plan, fluid: Flags, votes: Floats, eta: Floats) -> Floats:
    """Return the log-odds gained by the last tally and the round's shocks, shape (K, P)."""
    b = plan.behaviour
    return np.where(fluid, b.momentum_fluid, b.momentum_entrenched) * np.log(np.maximum(votes, 0.5)) + eta


def chances(plan: Plan, draws: Draws, stance: NDArray[np.float32], lived: Passage) -> Floats:
    """Return each member's probabilities to intend each candidate in a round, shape (K, N, P)."""
    if lived.round_ == 1:
        return thoughts(stance, np.zeros_like(lived.eta), lived.standing)
    again = thoughts(stance, pulls(plan, draws.fluid, lived.votes, lived.eta), lived.standing)
    omega = kernel.openness(plan.behaviour, draws.fluid, lived.round_, lived.night)
    reach = np.where(lived.before == lived.gone, 1.0, omega) if lived.gone >= 0 else omega
    again *= reach
    for k in range(len(again)):
        again[k] += (1.0 - reach) * (lived.before == k)
    return again


def path_chance(plan: Plan, draws: Draws, stance: NDArray[np.float32], passages: Sequence[Passage]) -> Floats:
    """Return the log-probability of every member's intentions so far, shape (N, P); 0 for the absent."""
    total = np.zeros(draws.absent.shape)
    for lived in passages:
        chance = chances(plan, draws, stance, lived)
        seen = np.take_along_axis(chance, np.minimum(lived.after, len(chance) - 1)[None].astype(np.intp), axis=0)[0]
        total += np.log(np.maximum(seen, TINY))
    total[draws.absent] = 0.0
    return total


# -- the first round -----------------------------------------------------------------------------
#
# Before the first tally nobody's absence and conviction has shown, so they need not be fixed: the
# tally is weighed with both integrated out, and they are drawn afterwards given what happened.
# That leaves weights that depend on run-level draws alone, and many more effective particles.

NODES = 24
"""Points of the Gauss-Hermite rule over conviction."""


def attend(rng: np.random.Generator, plan: Plan, cloud: Cloud, valid: int | None) -> tuple[Cloud, Flags, Floats]:
    """Draw who hands in a valid paper in the first round, and who is absent, given the number of papers.

    Returns
    -------
    cloud : Cloud
        With the absent drawn anew, given the papers (unchanged if their number is unknown).
    voters : ndarray of bool, shape (N, P)
    log_chance : ndarray, shape (P,)
        Log-probability of the number of papers: the same in every world.
    """
    abstain = np.where(plan.pins >= 0, 0.0, plan.behaviour.abstain)[:, None]
    if valid is None:
        present = ~cloud.draws.absent
        return cloud, present & (rng.random(present.shape) >= abstain), np.zeros(cloud.size)
    away = plan.absent[:, None]
    votes = (1.0 - away) * (1.0 - abstain)
    number = np.full(cloud.size, valid)
    voters, log_chance = sample_sum(rng, votes, number, number)
    absent = ~voters & (rng.random(voters.shape) * (1.0 - votes) < away)
    draws = replace(cloud.draws, absent=absent)
    return replace(cloud, draws=draws, stance=stances(plan, draws)), voters, log_chance


def first_chances(plan: Plan, cloud: Cloud, lived: Passage) -> Floats:
    """Return members' first-round probabilities, conviction integrated out (between two candidates)."""
    if plan.candidates > 2:
        return chances(plan, cloud.draws, cloud.stance, lived)
    lean = steepness(plan) * contrast(plan, cloud.draws, np.array([1.0, -1.0])).astype(np.float64)
    nodes, mass = np.polynomial.hermite_e.hermegauss(NODES)
    grid = np.linspace(lean.min() - 1e-6, lean.max() + 1e-6, 4001)
    at = grid[:, None] + plan.behaviour.conviction * nodes
    mean = (1.0 / (1.0 + np.exp(-np.clip(at, -500, 500)))) @ (mass / mass.sum())
    first = np.interp(lean, grid, mean)
    first[plan.pins == 0], first[plan.pins == 1] = 1.0, 0.0
    return np.stack([first, 1.0 - first])


def convince(rng: np.random.Generator, plan: Plan, cloud: Cloud, intention: Codes) -> Cloud:
    """Draw the convictions of two candidates' voters given what they intend, by rejection."""
    if plan.candidates > 2:
        return cloud
    lean = steepness(plan) * contrast(plan, cloud.draws, np.array([1.0, -1.0]))
    sign = np.where(intention == 0, np.float32(1.0), np.float32(-1.0))
    z = rng.standard_normal(intention.shape, dtype=np.float32)
    fixed = cloud.draws.absent | (plan.pins >= 0)[:, None]
    open_ = np.flatnonzero(~fixed)
    lean, sign, flat = lean.ravel(), sign.ravel(), z.ravel()
    for _ in range(1000):
        v = sign[open_] * (lean[open_] + np.float32(plan.behaviour.conviction) * flat[open_])
        with np.errstate(over="ignore"):
            open_ = open_[rng.random(open_.size) >= 1.0 / (1.0 + np.exp(-v))]
        if not open_.size:
            break
        flat[open_] = rng.standard_normal(open_.size, dtype=np.float32)
    draws = replace(cloud.draws, conviction=flat.reshape(intention.shape))
    return replace(cloud, draws=draws, stance=stances(plan, draws))


# -- who voted how -------------------------------------------------------------------------------


def abstainers(rng: np.random.Generator, free: Flags, number: NDArray[np.int64]) -> Flags:
    """Draw a uniform subset of the free members of every particle, of the given size.

    Selection sampling, member by member (Knuth, *TAOCP* 2, algorithm 3.4.2 S).
    """
    out = np.zeros(free.shape, dtype=bool)
    left, wanted = free.sum(axis=0), number.copy()
    for i in range(len(free)):
        chosen = free[i] & (rng.random(wanted.size) * left < wanted)
        out[i] = chosen
        wanted -= chosen
        left = left - free[i]
    return out


def allot(
    rng: np.random.Generator, chance: Floats, voters: Flags, low: NDArray[np.int64], high: NDArray[np.int64]
) -> tuple[Codes, Floats]:
    """Draw who voted for whom, given bounds on every candidate's tally, and weigh the particles.

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    chance : ndarray, shape (K, N, P)
        Each member's probabilities.
    voters : ndarray of bool, shape (N, P)
        Who handed in a valid paper.
    low, high : ndarrays of int, shape (K,)
        Bounds on the tallies; equal where the tally is known.

    Returns
    -------
    choice : ndarray of uint8, shape (N, P)
        Candidate of every voter; K for the others.
    log_chance : ndarray, shape (P,)
        Log-probability of the tallies.

    Notes
    -----
    Candidate after candidate: the members still open vote for this one with their conditional
    probability, their number is Poisson-binomial, its table (by dynamic programming over members)
    gives both the probability of the tally and, read backwards, who they were.  Between two
    candidates that is exact.  With more, later factors depend on who was drawn before; the product
    is then an unbiased estimate of the tally's probability, and the draw together with it is
    properly weighted (sequential importance sampling with the exact conditional as proposal).
    """
    k = len(chance)
    choice = np.full(voters.shape, k, dtype=np.uint8)
    total = np.zeros(voters.shape[1])
    room = np.empty((len(voters) + 1) ** 2 * min(CHUNK, total.size))
    for start in range(0, total.size, CHUNK):
        part = slice(start, start + CHUNK)
        choice[:, part], total[part] = _allot(rng, chance[:, :, part], voters[:, part], low, high, room)
    return choice, total


def _allot(
    rng: np.random.Generator,
    chance: Floats,
    voters: Flags,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    room: Floats,
) -> tuple[Codes, Floats]:
    k = len(chance)
    choice = np.full(voters.shape, k, dtype=np.uint8)
    open_, rest = voters.copy(), np.ones(voters.shape)
    total = np.zeros(voters.shape[1])
    if k == 2 and low[0] == high[0] and low[1] == high[1] and low[1] < low[0]:
        mirrored, total = _allot(rng, chance[::-1], voters, low[::-1], high[::-1], room)  # the smaller table
        return np.where(mirrored < 2, 1 - mirrored, 2).astype(np.uint8), total
    for c in range(k - 1):
        left = open_.sum(axis=0)
        bottom = np.maximum(low[c], left - high[c + 1 :].sum())
        top = np.minimum(high[c], left - low[c + 1 :].sum())
        q = np.where(open_, np.clip(chance[c] / np.maximum(rest, TINY), 0.0, 1.0), 0.0)
        chosen, logp = sample_sum(rng, q, bottom, top, room)
        choice[chosen] = c
        total += logp
        open_ &= ~chosen
        rest -= chance[c]
    last = open_.sum(axis=0)
    choice[open_] = k - 1
    total[(last < low[-1]) | (last > high[-1])] = -np.inf
    return choice, total


def sample_sum(
    rng: np.random.Generator,
    q: Floats,
    bottom: NDArray[np.int64],
    top: NDArray[np.int64],
    room: Floats | None = None,
) -> tuple[Flags, Floats]:
    """Draw independent Bernoullis given that their sum lies in [bottom, top].

    Parameters
    ----------
    rng : Generator
        Source of the draws.
    q : ndarray, shape (N, P) or (N, 1)
        Probabilities; one column serves all particles.
    bottom, top : ndarrays of int, shape (P,)
        Bounds on the sum.
    room : ndarray, optional
        Memory for the table.

    Returns
    -------
    chosen : ndarray of bool, shape (N, P)
    log_chance : ndarray, shape (P,)
        Log-probability that the sum lies in the bounds: the table of partial sums, by dynamic
        programming over members (Hong 2013, *Computational Statistics and Data Analysis* 59, 41-51).
    """
    n, width, most = len(q), bottom.size, int(np.clip(top.max(initial=0), 0, len(q)))
    table = partial_sums(q, most, room)
    value = np.arange(most + 1)[:, None]
    mass = np.where((value >= bottom) & (value <= top), table[n], 0.0)
    whole = mass.sum(axis=0)
    with np.errstate(divide="ignore"):
        logp = np.log(whole)
    left = (np.cumsum(mass, axis=0) <= rng.random(width) * whole).sum(axis=0).clip(0, most)
    chosen = np.zeros((n, width), dtype=bool)
    column = np.arange(width) if q.shape[1] > 1 else np.zeros(width, dtype=np.intp)
    for i in range(n - 1, -1, -1):
        with_it = np.where(left > 0, table[i, np.maximum(left - 1, 0), column], 0.0) * q[i]
        chosen[i] = rng.random(width) * table[i + 1, left, column] < with_it
        left = left - chosen[i]
    return chosen, logp


def partial_sums(q: Floats, most: int, room: Floats | None = None) -> Floats:
    """Return P(sum of the first i = j) for i = 0..N and j = 0..most, shape (N + 1, most + 1, P).

    `room` is memory to put it in: fresh memory would cost more than filling it.
    """
    n, width = q.shape
    size = (n + 1) * (most + 1) * width
    table = (np.empty(size) if room is None else room[:size]).reshape(n + 1, most + 1, width)
    table[0] = 0.0
    table[0, 0] = 1.0
    term = np.empty((most, width))
    for i in range(n):
        np.multiply(table[i], 1.0 - q[i], out=table[i + 1])
        table[i + 1, 1:] += np.multiply(table[i, :-1], q[i], out=term)
    return table


# -- moves ---------------------------------------------------------------------------------------


def rejuvenate(rng: np.random.Generator, plan: Plan, cloud: Cloud) -> Cloud:
    """Move equally weighted particles without leaving the posterior (Metropolis-Hastings).

    Given what the members intended, the run-level normals and the convictions move by
    preconditioned Crank-Nicolson steps (Cotter et al. 2013, *Statistical Science* 28, 424-446),
    whose acceptance needs only the probability of the intentions; the regime and the rounds'
    shocks are proposed afresh from their laws.
    """
    likely = path_chance(plan, cloud.draws, cloud.stance, cloud.passages)
    for _ in range(SWEEPS):
        cloud, likely = _move_members(rng, plan, cloud, likely)
        cloud, likely = _move_runs(rng, plan, cloud, likely)
        if len(cloud.passages) > 1:
            cloud, likely = _move_regime(rng, plan, cloud, likely)
            cloud, likely = _move_shocks(rng, plan, cloud, likely)
    return cloud


def pcn(rng: np.random.Generator, x: np.ndarray, step: float) -> np.ndarray:
    """Propose standard normals near `x`: ``sqrt(1 - step**2) x + step N(0, 1)``."""
    noise = rng.standard_normal(x.shape, dtype=x.dtype)  # type: ignore[call-overload]
    return np.asarray(np.sqrt(1.0 - step**2).astype(x.dtype) * x + np.asarray(step, dtype=x.dtype) * noise)


def _move_members(rng: np.random.Generator, plan: Plan, cloud: Cloud, likely: Floats) -> tuple[Cloud, Floats]:
    draws = replace(cloud.draws, conviction=pcn(rng, cloud.draws.conviction, STEP_MEMBER))
    stance = stances(plan, draws)
    new = path_chance(plan, draws, stance, cloud.passages)
    yes = np.log(rng.random(new.shape)) < new - likely
    kept = replace(cloud.draws, conviction=np.where(yes, draws.conviction, cloud.draws.conviction))
    return replace(cloud, draws=kept, stance=np.where(yes, stance, cloud.stance)), np.where(yes, new, likely)


def _accept(
    rng: np.random.Generator, cloud: Cloud, likely: Floats, draws: Draws, stance: np.ndarray, new: Floats
) -> tuple[Cloud, Floats]:
    yes = np.log(rng.random(cloud.size)) < new.sum(axis=0) - likely.sum(axis=0)
    names = [f.name for f in fields(Draws)]
    kept = Draws(**{name: np.where(yes, getattr(draws, name), getattr(cloud.draws, name)) for name in names})
    moved = replace(cloud, draws=kept, stance=np.where(yes, stance, cloud.stance))
    return moved, np.where(yes, new, likely)


def _move_runs(rng: np.random.Generator, plan: Plan, cloud: Cloud, likely: Floats) -> tuple[Cloud, Floats]:
    old = cloud.draws
    draws = replace(
        old,
        campaign=pcn(rng, old.campaign, STEP_RUN),
        appeal=pcn(rng, old.appeal, STEP_RUN),
        region=pcn(rng, old.region, STEP_RUN),
    )
    stance = stances(plan, draws)
    return _accept(rng, cloud, likely, draws, stance, path_chance(plan, draws, stance, cloud.passages))


def _move_regime(rng: np.random.Generator, plan: Plan, cloud: Cloud, likely: Floats) -> tuple[Cloud, Floats]:
    draws = replace(cloud.draws, fluid=rng.random(cloud.size) < plan.behaviour.fluid)
    new = path_chance(plan, draws, cloud.stance, cloud.passages)
    return _accept(rng, cloud, likely, draws, cloud.stance, new)


def _move_shocks(rng: np.random.Generator, plan: Plan, cloud: Cloud, likely: Floats) -> tuple[Cloud, Floats]:
    proposed = tuple(replace(p, eta=shocks(rng, plan, cloud.size)) if p.round_ > 1 else p for p in cloud.passages)
    new = path_chance(plan, cloud.draws, cloud.stance, proposed)
    yes = np.log(rng.random(cloud.size)) < new.sum(axis=0) - likely.sum(axis=0)
    kept = tuple(replace(p, eta=np.where(yes, q.eta, p.eta)) for p, q in zip(cloud.passages, proposed, strict=True))
    return replace(cloud, passages=kept), np.where(yes, new, likely)


def shocks(rng: np.random.Generator, plan: Plan, size: int) -> Floats:
    """Draw a round's shocks: Student t with 5 degrees of freedom, scaled, shape (K, P)."""
    scale = plan.behaviour.round_sd / np.sqrt(2.0) * np.sqrt(3.0 / 5.0)
    return np.asarray(scale * rng.standard_t(5, (plan.candidates, size)))
