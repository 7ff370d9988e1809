"""From a scenario to plain arrays, and from a block's address to what its runs draw once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from iomsim.engine import rng
from iomsim.engine.clock import Calendar, Pace
from iomsim.engine.rng import BLOCK, Purpose
from iomsim.model.scenario import Scenario
from iomsim.rules.ruleset import Rules
from iomsim.typing import U64, Flags, Floats, Longs, Places, Singles

CERTAIN = 1e4
"""Log-odds that stand for certainty: members pinned to a candidate."""

FLATTENING = 0.346
"""Hidden spread of variance s**2 flattens a logit by sqrt(1 + 0.346 s**2): the logistic-normal
approximation with 16 sqrt(3) / (15 pi) (Zeger, Liang and Albert 1988, Biometrics 44, 1049-1060)."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A scenario as arrays; K candidates, S sponsors, N members, G groups.

    Attributes
    ----------
    names, sponsors : tuple of str
        The candidates and the sponsors.
    lean : ndarray, shape (K, N)
        Appeal and ties, in log-odds.
    load : ndarray, shape (S, N)
        Log-odds by which a sponsor of average effect moves each member in secret.
    backs : ndarray of int, shape (S,)
        Which candidate each sponsor backs.
    spreads : ndarray, shape (S,)
        Log-sd of the sponsors' effect.
    group : ndarray of int, shape (N,)
        Each member's group, 0 to G - 1.
    absent : ndarray, shape (N,)
        Probability of absence: 0 for pinned members, 1 without a vote.
    pins : ndarray of int, shape (N,)
        Candidate a member is pinned to, or -1.
    entitled : int
        Members with a vote.
    behaviour : namespace of float
        The scenario's behaviour as plain numbers.
    """

    names: tuple[str, ...]
    sponsors: tuple[str, ...]
    lean: Floats
    load: Floats
    backs: Places
    spreads: Floats
    group: Places
    absent: Floats
    pins: Places
    entitled: int
    behaviour: SimpleNamespace
    rules: Rules
    calendar: Calendar
    pace: Pace

    @property
    def candidates(self) -> int:
        """How many stand at the start."""
        return len(self.names)

    @property
    def members(self) -> int:
        """How many members there are."""
        return len(self.group)

    @cached_property
    def kind(self) -> Places:
        """Each member's class, shape ``(N,)``: those of a class lean alike whatever the run draws."""
        return self._classes[1]

    def by_kind(self, weights: tuple[float, ...]) -> tuple[Places, Singles, Singles]:
        """Return group ``(C,)``, weighted lean ``(C, 1)`` and weighted load ``(S, C, 1)`` of every class."""
        if weights not in self._weighted:
            one, w = self._classes[0], np.array(weights)
            lean, load = w @ self.lean[:, one], self.load[:, one] * w[self.backs][:, None]
            self._weighted[weights] = lean.astype(np.float32)[:, None], load.astype(np.float32)[..., None]
        return self.group[self._classes[0]], *self._weighted[weights]

    @cached_property
    def _weighted(self) -> dict[tuple[float, ...], tuple[Singles, Singles]]:
        return {}

    @cached_property
    def _classes(self) -> tuple[Places, Places]:
        table = np.vstack([self.lean, self.load, self.group])
        _, one, kind = np.unique(table, axis=1, return_index=True, return_inverse=True)
        return one, kind.reshape(-1)  # numpy 2.0.0 gives it a second axis

    @property
    def pinned(self) -> Longs:
        """How many members are pinned to each candidate, shape ``(K,)``."""
        return np.bincount(self.pins[self.pins >= 0], minlength=self.candidates)


def compile_scenario(race: Scenario) -> Plan:
    """Return the arrays of a scenario."""
    b = SimpleNamespace(**{key: getattr(race.behaviour, key).value for key in type(race.behaviour).model_fields})
    exposure = race.exposure
    strength = np.array([sponsor.strength.value for sponsor in race.sponsors]).reshape(-1, 1)
    appeal = np.array([candidate.appeal.value for candidate in race.candidates]).reshape(-1, 1)
    return Plan(
        names=race.names,
        sponsors=tuple(sponsor.name for sponsor in race.sponsors),
        lean=appeal + race.tie_table,
        load=(1.0 - b.secrecy) * strength * exposure,
        backs=np.array([race.names.index(sponsor.backs) for sponsor in race.sponsors], dtype=np.intp),
        spreads=np.array([sponsor.spread.value for sponsor in race.sponsors]),
        group=np.unique(race.electorate.frame["group"].to_numpy(dtype=str), return_inverse=True)[1],
        absent=_absence(race, b, exposure),
        pins=race.pins,
        entitled=int(race.votes.sum()),
        behaviour=b,
        rules=race.rules.rules,
        calendar=race.clock.calendar(),
        pace=race.clock.pace(),
    )


def _absence(race: Scenario, b: SimpleNamespace, exposure: Floats) -> Floats:
    """Return P(absent); pressure from every side at once keeps members away."""
    pulled = exposure.min(axis=0) if len(exposure) else 0.0
    absent = np.minimum(1.0, b.absent + b.cross_pressure_absence * pulled) * np.ones(len(race.votes))
    absent[race.pins >= 0] = 0.0
    absent[~race.votes] = 1.0
    return absent


@dataclass(frozen=True, eq=False)
class Draws:
    """What `B` runs draw once, as standard variates; the plan gives them their meaning.

    Attributes
    ----------
    keys : ndarray of uint64, shape (B,)
        The runs' keys for everything that happens inside rounds.
    campaign, appeal, region : ndarray, shapes (S, B), (K, B), (G, K, B)
        Standard normals behind the sponsors' effect, the common and the regional shocks.
    conviction : ndarray of float32, shape (N, B) for two candidates, else (K, N, B)
        Standard normals behind hidden conviction.  Of two candidates only the difference
        matters, and the difference of two independent normals over sqrt 2 is one normal.
    absent : ndarray of bool, shape (N, B)
        Who never votes in this election.
    fluid : ndarray of bool, shape (B,)
        Which contests move; the others freeze.
    """

    keys: U64
    campaign: Floats
    appeal: Floats
    region: NDArray[np.floating]
    conviction: Singles
    absent: Flags
    fluid: Flags


def draw(plan: Plan, seed: int, block: int, size: int = BLOCK) -> Draws:
    """Return what the first `size` runs of a block draw once."""

    def source(purpose: Purpose) -> np.random.Generator:
        return rng.generator(seed, block, purpose)

    k, n, b = plan.candidates, plan.members, plan.behaviour
    hidden = (n, BLOCK) if k == 2 else (k, n, BLOCK)
    return Draws(
        keys=rng.run_keys(seed, block, size),
        campaign=campaigns(plan.sponsors, seed, block)[:, :size],
        appeal=source(Purpose.APPEAL).standard_normal((k, BLOCK))[:, :size],
        region=rng.many_normals(source(Purpose.REGIONS), (plan.group.max() + 1, k, BLOCK))[..., :size],
        conviction=rng.many_normals(source(Purpose.CONVICTION), hidden)[..., :size],
        absent=rng.many_coins(source(Purpose.ABSENCE), plan.absent)[:, :size],
        fluid=source(Purpose.REGIME).random(BLOCK)[:size] < b.fluid,
    )


def campaigns(sponsors: Sequence[str], seed: int, block: int) -> Floats:
    """Return the normals behind the effect of each sponsor's campaign, shape ``(S, BLOCK)``.

    They are addressed by the sponsor's name, so that a sponsor who is added, or stands elsewhere in
    the list, leaves the others' numbers alone.
    """
    drawn = [rng.generator(seed, block, Purpose.SPONSORS, name).standard_normal(BLOCK) for name in sponsors]
    return np.array(drawn).reshape(-1, BLOCK)


def contrast(plan: Plan, draws: Draws, weights: Floats) -> Singles:
    """Return a weighted sum over candidates of the systematic leans, shape ``(N, B)``.

    With weights (1, 0) it is the lean `a` towards the first of two, with (-1, 1) the lean
    towards the second over the first.  Members of a class lean alike, so it is found by class.
    """
    b, spread = plan.behaviour, plan.spreads[:, None]
    group, lean, loads = plan.by_kind(tuple(weights.tolist()))
    effect = np.exp(spread * draws.campaign - spread**2 / 2).astype(np.float32)
    shocks = (b.region_sd * draws.region + b.common_sd * draws.appeal) / np.sqrt(2.0)
    level = np.zeros_like(shocks[:, 0])
    for k, weight in enumerate(weights):  # a matrix product is many times slower for so few columns
        level += weight * shocks[:, k]
    out = level.astype(np.float32)[group]
    out += lean
    for load, force in zip(loads, effect, strict=True):
        out += load * force
    return out.take(plan.kind, axis=0)


def leans(plan: Plan, draws: Draws) -> Singles:
    """Return the systematic lean `a` of every member in every run, shape ``(K, N, B)``."""
    return np.stack([contrast(plan, draws, weights) for weights in np.eye(plan.candidates)])


def steepness(plan: Plan) -> float:
    """Return `c`, which undoes the flattening that hidden conviction causes."""
    return float(np.sqrt(1.0 + FLATTENING * plan.behaviour.conviction**2))


def stances(plan: Plan, draws: Draws) -> Singles:
    """Return where members stand, as the kernel wants it.

    Returns
    -------
    ndarray of float32
        For two candidates ``exp(v1 - v0)``, the odds against the first, shape ``(N, B)``: 0 for
        members pinned to the first, infinity for those pinned to the second, 0 for the absent,
        who never move.  Otherwise the log-odds ``v``, shape ``(K, N, B)``.
    """
    c, spread = steepness(plan), np.float32(plan.behaviour.conviction)
    if plan.candidates > 2:
        v = np.float32(c) * leans(plan, draws) + spread / np.float32(np.sqrt(2.0)) * draws.conviction
        top = v.max(axis=0) + np.float32(CERTAIN)  # above whatever ties and pressure say
        for k in range(plan.candidates):
            v[k, plan.pins == k] = top[plan.pins == k]
        return v
    against = contrast(plan, draws, np.array([-c, c]))
    against -= spread * draws.conviction
    with np.errstate(over="ignore"):
        np.exp(against, out=against)
    against[plan.pins == 0] = 0.0
    against[plan.pins == 1] = np.inf
    bits = against.view(np.int32)  # times 0 or 1, as infinity times 0 would be no number
    np.multiply(bits, ~draws.absent, out=bits)
    return against
