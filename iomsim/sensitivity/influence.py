"""What a push of each member is worth, for all members from the same runs.

Moving a member by `d` log-odds is moving its hidden conviction ``z ~ N(0, 1)`` by ``d g``, with
``g = c / s`` between two candidates and ``sqrt(2) c / s`` among more (`s` the conviction, `c` the
factor that undoes its flattening), so the change of E[f] per unit of log-odds is ``g E[f z]``: the
score-function estimator (Glynn 1990, *Communications of the ACM* 33(10), 75-84), unbiased, and no
run is played twice.

From `f` is taken what the *other* members' first ballots say about it, a control variate: the mean
of `f` near the share that the candidate has in the first round without this member, from a pilot
with runs of its own.  As that does not depend on the member's `z`, the estimate stays unbiased,
and its variance falls several times.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim.engine import kernel, simulate
from iomsim.engine.executors import progress_bar, spread
from iomsim.engine.laws import conviction_scale
from iomsim.engine.plan import Plan, draw, member_odds
from iomsim.engine.rng import BLOCK
from iomsim.engine.state import before_round_one, pack_runs
from iomsim.errors import ScenarioError
from iomsim.forecasting.estimates import Z95
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import SPILL, run_outcomes
from iomsim.typing import Flags, Floats, Longs, Singles

WIN = "win"
TARGETS = (WIN, SPILL)

PILOT, PILOT_BLOCKS = 1 << 20, 16
"""First block of the pilot, and how many: runs of their own, far from those that are averaged."""

CLASSES = 25
"""Classes of the first-round share within which the pilot averages."""


class Sums(NamedTuple):
    """Sums over runs, by member: of the weighted outcomes, their squares, support and presence."""

    first: Floats
    second: Floats
    support: Longs
    present: Longs


class Guess(NamedTuple):
    """A pilot's mean outcome by the candidate's first-round share, for one target and one regime."""

    share: Floats
    mean: Floats


Guesses = tuple[tuple[Guess, ...], ...]
"""By target, then by regime (entrenched, fluid)."""


def pushes(
    race: Scenario, name: str, runs: int, seed: int, executor: Any = None, progress: bool = False
) -> pd.DataFrame:
    """Return, by member, the change of P(win) and P(spill) per unit of log-odds towards a candidate."""
    plan, k = race.plan, race.names.index(name)
    if plan.behaviour.conviction == 0:
        raise ScenarioError("pivotal members need a hidden conviction above 0; set behaviour.conviction")
    guesses = pilot(race, k, seed)
    sizes = simulate.chunk_sizes(runs, simulate.SPAN * BLOCK)
    firsts = [simulate.SPAN * i for i in range(len(sizes))]
    same = [[thing] * len(sizes) for thing in (race, k, seed, guesses)]
    sums: list[Sums] = []
    with progress_bar(runs, progress) as advance:
        for size, part in zip(sizes, spread(executor, summed, *same, firsts, sizes), strict=True):
            sums.append(part)
            advance(size)
    return _table(race, plan, k, _added(sums), runs)


def pilot(race: Scenario, k: int, seed: int) -> Guesses:
    """Return what first rounds say about the outcomes."""
    plan = race.plan
    seen_first = [opening(plan, k, seed, PILOT + block, BLOCK) for block in range(PILOT_BLOCKS)]
    share = np.concatenate([x.intends.sum(axis=0) / np.maximum(x.present.sum(axis=0), 1) for x in seen_first])
    fluid = np.concatenate([x.fluid for x in seen_first])
    outcomes = _outcomes(race, k, seed, PILOT, PILOT_BLOCKS * BLOCK)
    return tuple(tuple(_guess(f[fluid == side], share[fluid == side]) for side in (False, True)) for f in outcomes)


def _guess(f: Floats, share: Floats) -> Guess:
    """Return the mean outcome in classes of about equal size; 0 if there is nothing to learn from."""
    if not f.size:
        return Guess(np.zeros(1), np.zeros(1))
    order = np.argsort(share, kind="stable")
    classes = [part for part in np.array_split(order, CLASSES) if part.size]
    at = np.array([share[part].mean() for part in classes])
    distinct = np.unique(at, return_index=True)[1]
    return Guess(at[distinct], np.array([f[part].mean() for part in classes])[distinct])


def summed(race: Scenario, k: int, seed: int, guesses: Guesses, first: int, size: int) -> Sums:
    """Return the sums over a span of blocks: the unit of work that travels to executors."""
    plan, sizes = race.plan, simulate.chunk_sizes(size, BLOCK)
    outcomes = np.split(_outcomes(race, k, seed, first, size), np.cumsum(sizes)[:-1], axis=1)
    parts = [
        _weigh(opening(plan, k, seed, first + i, n), f, guesses)
        for i, (n, f) in enumerate(zip(sizes, outcomes, strict=True))
    ]
    return _added(parts)


def _weigh(start: Opening, outcomes: Floats, guesses: Guesses) -> Sums:
    z = start.z * start.present
    weighted = np.stack([z * left(f, guess, start) for f, guess in zip(outcomes, guesses, strict=True)])
    return Sums(weighted.sum(axis=2), (weighted**2).sum(axis=2), start.intends.sum(axis=1), start.present.sum(axis=1))


def _added(parts: list[Sums]) -> Sums:
    return Sums(*(np.sum(part, axis=0) for part in zip(*parts, strict=True)))


def left(f: Floats, guess: tuple[Guess, ...], start: Opening) -> Floats:
    """Return, by member and run, what is left of an outcome after what the others' first ballots say about it."""
    votes, there = start.intends.sum(axis=0), np.maximum(start.present.sum(axis=0), 1)
    whole, without = (
        np.where(start.fluid, *(np.interp(share, side.share, side.mean) for side in reversed(guess)))
        for share in (votes / there, (votes - 1) / there)
    )
    return f - np.where(start.intends, without, whole)


class Opening(NamedTuple):
    """A block of runs after the first round's intentions; N members, B runs.

    Attributes
    ----------
    z : ndarray of float32, shape (N, B)
        Hidden convictions towards the candidate.
    intends, present : ndarrays of bool, shape (N, B)
        Who intends the candidate, and who is there.
    fluid : ndarray of bool, shape (B,)
        Which contests move.
    """

    z: Singles
    intends: Flags
    present: Flags
    fluid: Flags


def opening(plan: Plan, k: int, seed: int, block: int, size: int) -> Opening:
    """Return a block as its first round finds it, from the same addressed numbers as the election itself."""
    draws = draw(plan, seed, block, size)
    runs = pack_runs(plan, [before_round_one(plan, draws, member_odds(plan, draws))], size)
    kernel.reconsider(plan, runs, 1, np.zeros(size, dtype=bool))
    assert runs.choices is not None
    present = ~draws.absent
    z = draws.conviction[k] if plan.candidates > 2 else draws.conviction * np.float32(1 - 2 * k)
    return Opening(z, (runs.choices.intentions() == k) & present, present, draws.fluid)


def _outcomes(race: Scenario, k: int, seed: int, first: int, size: int) -> Floats:
    """Return who wins and what spills over in a span of runs, shape ``(targets, runs)``."""
    values = run_outcomes(race.plan, simulate.play_endings(race.plan, {}, seed, first, size))
    return np.stack([values[race.names[k]], values[SPILL]])


def _table(race: Scenario, plan: Plan, k: int, sums: Sums, runs: int) -> pd.DataFrame:
    conviction = plan.behaviour.conviction
    gain = conviction_scale(conviction) / conviction * (1.0 if plan.candidates == 2 else np.sqrt(2.0))
    mean = gain * sums.first / runs
    half = Z95 * np.sqrt(np.maximum(gain**2 * sums.second / runs - mean**2, 0.0) / runs)
    free = (plan.pins < 0) & (plan.absent[:, 0] < 1)
    support = np.where(free, sums.support / np.maximum(sums.present, 1), (plan.pins == k) * 1.0)
    members = race.electorate.frame
    columns: dict[str, Any] = {"group": members["group"].to_numpy(), "support": support}
    for i, target in enumerate(TARGETS):
        columns |= {target: mean[i], f"{target}_low": mean[i] - half[i], f"{target}_high": mean[i] + half[i]}
    found = pd.DataFrame(columns, index=pd.Index(members["name"], name="member")).assign(free=free)
    found.loc[~free, [c for c in found if c not in ("group", "support", "free")]] = 0.0
    return found.sort_values(["free", WIN], ascending=False, kind="stable")
