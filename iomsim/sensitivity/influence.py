"""What a push of each member is worth, for all members from the same runs, under every draw of the assumptions.

Moving a member by `d` log-odds is moving its hidden conviction ``z ~ N(0, 1)`` by ``d g``, with
``g = c / s`` between two candidates and ``sqrt(2) c / s`` among more (`s` the conviction of the run, `c` the
factor that undoes its flattening), so the change of E[f] per unit of log-odds is ``E[g f z]``: the
score-function estimator (Glynn 1990, *Communications of the ACM* 33(10), 75-84), unbiased, and no
run is played twice.

From `f` is taken what the *other* members' first ballots say about it, a control variate: the mean
of `f` near the share that the candidate has in the first round without this member, from a pilot
with runs of its own.  As that does not depend on the member's `z`, the estimate stays unbiased,
and its variance falls several times.

A part of the effect is known almost without noise: what a vote more in the first ballot changes in that mean, times
the slope of the chance of that vote.  This *local* part says which members have most to give, and under which draws
votes are worth most; :mod:`iomsim.sensitivity.shrinkage` draws the noisy whole towards it.

Runs are summed in *cells*: run `i` falls into cell ``i mod M``, with `M` a multiple of twice the number of draws, so
that every cell follows one draw, and a draw has cells that share nothing but the draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from iomsim.engine import paths, simulate
from iomsim.engine.executors import progress_bar
from iomsim.engine.laws import conviction_scale
from iomsim.engine.packing import total
from iomsim.engine.plan import Draws, Plan, draw, member_odds
from iomsim.engine.rng import BLOCK
from iomsim.engine.simulate import Parameters
from iomsim.engine.state import ActiveRuns
from iomsim.errors import ScenarioError
from iomsim.forecasting.run import followed
from iomsim.forecasting.targets import SPILL
from iomsim.memory import refuse_too_many
from iomsim.model.assumptions import Assumptions, played
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import spills
from iomsim.typing import Flags, Floats, Longs, PerRun, Shorts, Singles

WIN = "win"
TARGETS = (WIN, SPILL)

PILOT, PILOT_BLOCKS = 1 << 20, 16
"""First block of the pilot, and how many: runs of their own, far from those that are averaged."""

CLASSES = 25
"""Classes of the first-round share within which the pilot averages."""

OF_A_DRAW = 250.0
"""Bytes of a draw of the assumptions by member and candidate, as measured."""

CELLS = 400
"""Cells at least, from whose differences the error is estimated where the assumptions are fixed."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over runs; T targets, N members, M cells.

    Attributes
    ----------
    worth, local : ndarray, shape (T, N, M)
        Of what a push is worth, by target, and of its local part.
    square : ndarray, shape (T, M)
        Of the squares of what all members together are worth beyond their local parts.
    runs : ndarray of int, shape (M,)
        Runs in each cell.
    support, present : ndarray of int, shape (N,)
        Runs in which a member intends the candidate in the first round, and in which it is there.
    """

    worth: Floats
    local: Floats
    square: Floats
    runs: Longs
    support: Longs
    present: Longs

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


class Guess(NamedTuple):
    """A pilot's mean outcome by the candidate's first-round share, for one target and one regime."""

    share: Floats
    mean: Floats


Guesses = tuple[tuple[Guess, ...], ...]
"""By target, then by regime (entrenched, fluid)."""


def pushes(
    race: Scenario,
    name: str,
    runs: int,
    seed: int,
    draws: Assumptions | None = None,
    executor: Any = None,
    progress: bool = False,
) -> Sums:
    """Return the sums of what a push of each member towards a candidate is worth; without draws on the best guesses.

    Raises
    ------
    ScenarioError
        If members have no hidden conviction, or have none under a draw.
    """
    plan = race.plan if draws is None else played(race)
    parameters, k = followed(draws, runs), race.names.index(name)
    conviction = parameters.get(paths.behaviour("conviction"), plan.behaviour.conviction)
    if np.min(np.asarray(conviction)) <= 0:
        raise ScenarioError(
            "pivotal members need a hidden conviction above 0; set behaviour.conviction, and its range, above 0"
        )
    size = 0 if draws is None else draws.count
    refuse_too_many(size, "draws of the assumptions", OF_A_DRAW * len(plan.members) * plan.candidates)
    guesses = pilot(plan, parameters, k, seed)
    work = partial(summed, k=k, guesses=guesses, cells=cells_of(size))
    sums: Sums | None = None
    with progress_bar(runs, progress) as advance:
        for part in simulate.iter_spans(plan, parameters, runs, seed, executor, work, blocks=simulate.SPAN):
            sums = part if sums is None else sums + part
            advance(int(part.runs.sum()))
    assert sums is not None
    return sums


def cells_of(draws: int) -> int:
    """Return the number of cells: a multiple of twice the draws; 0 draws are fixed ones.

    Examples
    --------
    >>> cells_of(400), cells_of(0), cells_of(3)
    (800, 400, 402)
    """
    draws = max(draws, 1)
    return 2 * draws * -(-CELLS // (2 * draws))


def pilot(plan: Plan, parameters: Parameters, k: int, seed: int) -> Guesses:
    """Return what first rounds say about the outcomes."""
    blocks = played_blocks(plan, parameters, k, seed, PILOT, PILOT_BLOCKS * BLOCK)
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


def summed(
    plan: Plan, parameters: Parameters, seed: int, first: int, size: int, *, k: int, guesses: Guesses, cells: int
) -> Sums:
    """Return the sums over a span of blocks: the unit of work that travels to executors."""
    blocks = played_blocks(plan, parameters, k, seed, first, size)
    members = blocks[0].z.shape[0]
    worth, local = (np.zeros((len(TARGETS), members, cells)) for _ in range(2))
    square = np.zeros((len(TARGETS), cells))
    runs, (support, present) = np.zeros(cells, dtype=np.int64), np.zeros((2, members), dtype=np.int64)
    for i, block in enumerate(blocks):
        whole, part = contributions(block, guesses)
        beyond = np.square((whole - part).sum(axis=1))
        for cell, own in in_cells((first + i) * BLOCK, block.fluid.size, cells):
            worth[..., cell] += whole[..., own]
            local[..., cell] += part[..., own]
            square[:, cell] += beyond[:, own]
            runs[cell] += 1
        support += block.intends.sum(axis=1)
        present += block.present.sum(axis=1)
    return Sums(worth, local, square, runs, support, present)


def in_cells(first: int, size: int, cells: int) -> list[tuple[slice, slice]]:
    """Return where the runs from `first` on fall: slices of neighbouring cells, and of the runs that fall there.

    Examples
    --------
    >>> in_cells(5, 6, 4)
    [(slice(1, 4, None), slice(0, 3, None)), (slice(0, 3, None), slice(3, 6, None))]
    """
    found, done = [], 0
    while done < size:
        cell = (first + done) % cells
        n = min(cells - cell, size - done)
        found.append((slice(cell, cell + n), slice(done, done + n)))
        done += n
    return found


def contributions(block: Block, guesses: Guesses) -> tuple[Singles, Singles]:
    """Return what every run says a push is worth, and the local part of it, shape (T, N, B).

    It is ``g z (f - h)``, with `h` the guess from the others' first ballots: another one where the member intends
    the candidate.
    """
    z = block.z * block.present
    intending = z * block.intends
    guessed = np.array([guess_of(guess, block) for guess in guesses])
    rest = (block.gain * (block.outcomes - guessed[:, 0])).astype(np.float32)
    vote = (guessed[:, 0] - guessed[:, 1]).astype(np.float32)
    worth = z * rest[:, None]
    worth += intending * np.asarray(block.gain * vote, dtype=np.float32)[:, None]
    return worth, (block.slope * block.present) * vote[:, None]


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
        Hidden convictions towards the candidate; 0 of the pinned.
    slope : ndarray of float32, shape (N, B)
        By how much a log-odds raises the chance to intend the candidate in the first round; 0 of the pinned.
    intends, present : ndarrays of bool, shape (N, B)
        Who intends the candidate in the first round, and who is there.
    votes, there : ndarrays of int, shape (B,)
        How many they are.
    fluid : ndarray of bool, shape (B,)
        Which contests move.
    gain : float or ndarray, shape (B,)
        By how much a log-odds moves a hidden conviction.
    outcomes : ndarray, shape (targets, B)
        Whether the candidate wins, and whether voting spills over.
    """

    z: Singles
    slope: Singles
    intends: Flags
    present: Flags
    votes: Shorts
    there: Shorts
    fluid: Flags
    gain: PerRun
    outcomes: Floats


def played_blocks(plan: Plan, parameters: Parameters, k: int, seed: int, first: int, size: int) -> list[Block]:
    """Play a span of runs and return its blocks; of the columns of a parameter, the first is that of the first run."""
    waves: list[Flags] = []

    def watch(round_: int, runs: ActiveRuns) -> None:
        if round_ == 1 and runs.choices is not None:
            waves.append(runs.choices.intending(k))

    out = simulate.play_endings(plan, parameters, seed, first, size, watch)
    outcomes = np.stack([out.winner == k, spills(plan, out)]).astype(float)
    intending = np.concatenate(waves, axis=1)
    values = {path: np.ravel(value) for path, value in parameters.items()}
    width = max((value.size for value in values.values()), default=1)
    known = plan.at({path: np.resize(value, width) for path, value in values.items()})
    if width <= BLOCK:
        known = known.compiled()
    blocks = []
    for i, n in enumerate(simulate.chunk_sizes(size, BLOCK)):
        own = known.of((i * BLOCK + np.arange(n)) % width)
        draws, columns = draw(own, seed, first + i, n), slice(i * BLOCK, i * BLOCK + n)
        present = ~draws.absent
        z = draws.conviction[k] if plan.candidates > 2 else draws.conviction * np.float32(1 - 2 * k)
        z = np.where(plan.pins[:, None] < 0, z, np.float32(0))
        intends = intending[:, columns] & present
        votes, there = (total(flags.view(np.uint8)) for flags in (intends, present))
        conviction = own.behaviour.conviction
        scale = conviction_scale(conviction)
        gain = scale / np.maximum(conviction, 1e-300) * (1.0 if plan.candidates == 2 else np.sqrt(2.0))
        chance = first_chances(own, draws, k)
        slope = np.asarray(scale, dtype=np.float32) * chance * (1 - chance)
        blocks.append(Block(z, slope, intends, present, votes, there, draws.fluid, gain, outcomes[:, columns]))
    return blocks


def first_chances(plan: Plan, draws: Draws, k: int) -> Singles:
    """Return every member's chance to intend a candidate in the first round, before its shocks, shape ``(N, B)``."""
    odds = member_odds(plan, draws)
    if plan.pairwise:
        first = np.float32(1) / (np.float32(1) + odds)
        return first if k == 0 else np.float32(1) - first
    powers = np.exp(odds - odds.max(axis=0))
    return np.asarray(powers[k] / powers.sum(axis=0))
