"""What a push of each member is worth, for all members from the same runs, which play the best guesses.

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

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim.engine import simulate
from iomsim.engine.executors import progress_bar
from iomsim.engine.laws import conviction_scale
from iomsim.engine.packing import total
from iomsim.engine.plan import Plan, draw
from iomsim.engine.rng import BLOCK
from iomsim.engine.simulate import Parameters
from iomsim.engine.state import ActiveRuns
from iomsim.errors import ScenarioError
from iomsim.forecasting.estimates import Z95
from iomsim.forecasting.targets import SPILL
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import spills
from iomsim.typing import Flags, Floats, Longs, Shorts, Singles

WIN = "win"
TARGETS = (WIN, SPILL)

PILOT, PILOT_BLOCKS = 1 << 20, 16
"""First block of the pilot, and how many: runs of their own, far from those that are averaged."""

CLASSES = 25
"""Classes of the first-round share within which the pilot averages."""


class Sums(NamedTuple):
    """Sums over runs, by member: of the weighted outcomes, their squares, support and presence; and how many runs."""

    first: Floats
    second: Floats
    support: Longs
    present: Longs
    runs: int


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
    work = partial(summed, k=k, guesses=pilot(plan, k, seed))
    sums: list[Sums] = []
    with progress_bar(runs, progress) as advance:
        for part in simulate.iter_spans(plan, {}, runs, seed, executor, work, blocks=simulate.SPAN):
            sums.append(part)
            advance(part.runs)
    return _table(race, plan, k, _added(sums))


def pilot(plan: Plan, k: int, seed: int) -> Guesses:
    """Return what first rounds say about the outcomes."""
    blocks = played_blocks(plan, k, seed, PILOT, PILOT_BLOCKS * BLOCK)
    share = np.concatenate([block.votes / np.maximum(block.there, 1) for block in blocks])
    fluid = np.concatenate([block.fluid for block in blocks])
    outcomes = np.concatenate([block.outcomes for block in blocks], axis=1)
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


def summed(plan: Plan, parameters: Parameters, seed: int, first: int, size: int, *, k: int, guesses: Guesses) -> Sums:
    """Return the sums over a span of blocks: the unit of work that travels to executors."""
    return _added([_weigh(block, guesses) for block in played_blocks(plan, k, seed, first, size)])


def _weigh(block: Block, guesses: Guesses) -> Sums:
    """Return the sums over a block of ``z * (f - guess)``, with the guess for who intends the candidate or not.

    They are products of matrices: of convictions, of all and of those who intend, with what is left of the outcomes.
    """
    z = (block.z * block.present).astype(float)
    intending = z * block.intends
    guessed = np.array([guess_of(guess, block) for guess in guesses])
    left, own = (block.outcomes - guessed[:, side] for side in (0, 1))
    return Sums(
        (z @ left.T + intending @ (own - left).T).T,
        (z**2 @ (left**2).T + intending**2 @ (own**2 - left**2).T).T,
        block.intends.sum(axis=1),
        block.present.sum(axis=1),
        block.fluid.size,
    )


def _added(parts: list[Sums]) -> Sums:
    return Sums(*(np.sum(part, axis=0) for part in zip(*parts, strict=True)))


def guess_of(guess: tuple[Guess, ...], block: Block) -> tuple[Floats, Floats]:
    """Return what the others' first ballots say of an outcome in every run.

    The others of a member who does not intend the candidate, and of one who does.
    """
    there = np.maximum(block.there, 1)
    whole, without = (
        np.where(block.fluid, *(np.interp(share, side.share, side.mean) for side in reversed(guess)))
        for share in (block.votes / there, (block.votes - 1) / there)
    )
    return whole, without


class Block(NamedTuple):
    """A block of runs as their first round finds them, and how they end; N members, B runs.

    Attributes
    ----------
    z : ndarray of float32, shape (N, B)
        Hidden convictions towards the candidate.
    intends, present : ndarrays of bool, shape (N, B)
        Who intends the candidate in the first round, and who is there.
    votes, there : ndarrays of int, shape (B,)
        How many they are.
    fluid : ndarray of bool, shape (B,)
        Which contests move.
    outcomes : ndarray, shape (targets, B)
        Whether the candidate wins, and whether voting spills over.
    """

    z: Singles
    intends: Flags
    present: Flags
    votes: Shorts
    there: Shorts
    fluid: Flags
    outcomes: Floats


def played_blocks(plan: Plan, k: int, seed: int, first: int, size: int) -> list[Block]:
    """Play a span of runs and return its blocks."""
    waves: list[Flags] = []

    def watch(round_: int, runs: ActiveRuns) -> None:
        if round_ == 1 and runs.choices is not None:
            waves.append(runs.choices.intending(k))

    out = simulate.play_endings(plan, {}, seed, first, size, watch)
    outcomes = np.stack([out.winner == k, spills(plan, out)]).astype(float)
    intending = np.concatenate(waves, axis=1)
    blocks = []
    for i, n in enumerate(simulate.chunk_sizes(size, BLOCK)):
        draws, columns = draw(plan, seed, first + i, n), slice(i * BLOCK, i * BLOCK + n)
        present = ~draws.absent
        z = draws.conviction[k] if plan.candidates > 2 else draws.conviction * np.float32(1 - 2 * k)
        intends = intending[:, columns] & present
        votes, there = (total(flags.view(np.uint8)) for flags in (intends, present))
        blocks.append(Block(z, intends, present, votes, there, draws.fluid, outcomes[:, columns]))
    return blocks


def _table(race: Scenario, plan: Plan, k: int, sums: Sums) -> pd.DataFrame:
    conviction = plan.behaviour.conviction
    gain = conviction_scale(conviction) / conviction * (1.0 if plan.candidates == 2 else np.sqrt(2.0))
    runs = sums.runs
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
