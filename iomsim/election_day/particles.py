"""A cloud of possible worlds: what it holds, what it weighs, and what its members may do in a round.

Every particle holds what its run drew once and every member's intention.  Arrays are members first,
particles last.

Absence depends on nothing else a world holds, so it is never fixed: whoever has not voted yet may be
absent or may have abstained so far, and is drawn anew in every round from what is left open.  Until
they show up such members have an intention like everybody else; it counts nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from iomsim.engine import laws
from iomsim.engine.plan import Draws, Plan, member_odds
from iomsim.engine.rng import FREEDOM
from iomsim.typing import Codes, Flags, Floats, Places, Singles

CHUNK = 256
"""Particles that live through a round at a time: their tables stay in the cache."""

LEAST = np.float32(1e-37)
"""Smallest probability whose logarithm is taken."""

NOBODY_AWAY = np.zeros((1, 1), dtype=bool)


@dataclass(frozen=True, eq=False)
class Passage:
    """One announced round as the particles lived it; K candidates, N members, P particles.

    `after` are the members' intentions, shape (N, P); `eta` the round's shocks, (K, P); `votes` the
    tally of the round before, (K, P); `standing` who stood, (K,); `night` whether a night had
    passed, (P,).
    """

    round_: int
    standing: Flags
    after: Codes
    eta: Floats
    votes: Floats
    night: Flags


@dataclass(frozen=True, eq=False)
class Cloud:
    """The particles, where their members stand, and the rounds they have been through.

    Attributes
    ----------
    draws : Draws
        What each run drew once.
    stance : ndarray of float32
        As for the kernel, but the absent stand somewhere too.
    log_weight : ndarray, shape (P,)
        Log-weights, on any scale.
    seen : ndarray of bool, shape (N, P)
        Who has handed in a valid paper so far.
    passages : tuple of Passage
        The rounds, the first one first.
    """

    draws: Draws
    stance: Singles
    log_weight: Floats
    seen: Flags
    passages: tuple[Passage, ...] = ()

    @property
    def size(self) -> int:
        """How many particles there are."""
        return self.log_weight.size

    @property
    def intention(self) -> Codes:
        """What every member intended in the last round, shape (N, P)."""
        return self.passages[-1].after

    def pick(self, index: Places | slice) -> Cloud:
        """Return some of the particles, with everything they have lived."""
        return replace(
            self,
            draws=columns(self.draws, index),
            stance=self.stance[..., index],
            log_weight=self.log_weight[index],
            seen=self.seen[:, index],
            passages=tuple(columns(lived, index) for lived in self.passages),
        )


SHARED = ("round_", "standing")
"""Parts of a record that all particles have in common."""

Record = TypeVar("Record", Draws, Passage)


def columns(record: Record, index: Places | slice) -> Record:
    """Return what a record of arrays says of some particles."""
    own = [f.name for f in fields(record) if f.name not in SHARED]
    picked: dict[str, Any] = {name: getattr(record, name)[..., index] for name in own}
    return replace(record, **picked)


def beside(records: list[Record]) -> Record:
    """Put what several records say of their particles side by side."""
    own = [f.name for f in fields(records[0]) if f.name not in SHARED]
    joined: dict[str, Any] = {name: np.concatenate([getattr(r, name) for r in records], axis=-1) for name in own}
    return replace(records[0], **joined)


def gather(parts: list[Cloud]) -> Cloud:
    """Put several clouds that lived through the same rounds side by side."""
    return Cloud(
        draws=beside([part.draws for part in parts]),
        stance=np.concatenate([part.stance for part in parts], axis=-1),
        log_weight=np.concatenate([part.log_weight for part in parts]),
        seen=np.concatenate([part.seen for part in parts], axis=-1),
        passages=tuple(beside(list(lived)) for lived in zip(*(part.passages for part in parts), strict=True)),
    )


def new_cloud(plan: Plan, draws: Draws) -> Cloud:
    """Return the worlds before the first round, equally weighted."""
    nobody = np.zeros(draws.absent.shape, dtype=bool)
    return Cloud(draws, stance_of_all(plan, draws), np.zeros(draws.keys.size), nobody)


def stance_of_all(plan: Plan, draws: Draws) -> Singles:
    """Return where members stand, the absent included."""
    return member_odds(plan, replace(draws, absent=NOBODY_AWAY))


# -- weights -------------------------------------------------------------------------------------


def weights(log_weight: Floats) -> Floats:
    """Return normalised weights."""
    w = np.exp(log_weight - log_weight.max())
    return w / w.sum()


def effective_size(log_weight: Floats) -> float:
    """Return the effective number of particles (Kish): one over the sum of squared weights."""
    return float(1.0 / (weights(log_weight) ** 2).sum())


def resample(log_weight: Floats, u: float) -> Places:
    """Return particles in proportion to their weights, systematically (one uniform for all).

    Examples
    --------
    >>> resample(np.log([0.5, 0.25, 0.25]), 0.1).tolist()
    [0, 0, 1]
    """
    count = log_weight.size
    edges = np.cumsum(weights(log_weight))
    return np.minimum(np.searchsorted(edges, (np.arange(count) + u) / count, side="right"), count - 1)


# -- what members may do in a round --------------------------------------------------------------


def thoughts(stance: Singles, pull: Floats, standing: Flags) -> Singles:
    """Return whom members would intend if they thought again, shape (K, N, P)."""
    if len(standing) == 2:
        against = np.exp(np.clip(pull[1] - pull[0], -80, 80)).astype(np.float32)
        with np.errstate(over="ignore"):
            first = np.float32(1) / (np.float32(1) + stance * against)
        return np.stack([first, np.float32(1) - first])
    v = stance + np.where(standing[:, None], pull, -np.inf).astype(np.float32)[:, None]
    v -= v.max(axis=0)
    np.exp(v, out=v)
    v /= v.sum(axis=0)
    return np.asarray(v)


def shocks(rng: np.random.Generator, plan: Plan, size: int) -> Floats:
    """Draw a round's shocks: Student t with 5 degrees of freedom, scaled, shape (K, P)."""
    unit = np.sqrt((FREEDOM - 2.0) / FREEDOM) * rng.standard_t(FREEDOM, (plan.candidates, size))
    return np.asarray(laws.shock_scale(plan.behaviour) * unit)


def chances(plan: Plan, draws: Draws, stance: Singles, lived: Passage, before: Codes | None) -> Singles:
    """Return each member's probabilities to intend each candidate in a round, shape (K, N, P).

    `before` is what they intended before it; None before the first round.
    """
    if before is None:
        return thoughts(stance, np.zeros_like(lived.eta), lived.standing)
    pull = laws.pull(plan.behaviour, draws.fluid, lived.votes, lived.eta)
    again = thoughts(stance, pull, lived.standing)
    omega = laws.openness(plan.behaviour, draws.fluid, lived.round_, lived.night).astype(np.float32)
    reach = omega if lived.standing.all() else np.where(lived.standing[before], omega, np.float32(1))
    again *= reach
    for k in range(len(again)):
        again[k] += (np.float32(1) - reach) * (before == k)
    return again


def path_chance(plan: Plan, draws: Draws, stance: Singles, passages: tuple[Passage, ...]) -> Singles:
    """Return the log-probability of what every member intended so far, shape (N, P)."""
    total = np.zeros(passages[0].after.shape, dtype=np.float32)
    before = None
    for lived in passages:
        total += step_chance(plan, draws, stance, lived, before)
        before = lived.after
    return total


def step_chance(plan: Plan, draws: Draws, stance: Singles, lived: Passage, before: Codes | None) -> Singles:
    """Return the log-probability of what every member intended in one round, shape (N, P)."""
    seen = chosen(lived.after, chances(plan, draws, stance, lived, before))
    return np.asarray(np.log(np.maximum(seen, LEAST)))


def chosen(code: Codes, parts: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Return, place by place, that one of several arrays which a code names."""
    out = parts[-1].copy()
    for k, part in enumerate(parts[:-1]):
        np.copyto(out, part, where=code == k)
    return out
