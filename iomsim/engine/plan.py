"""An election as arrays (`Plan`), and what every run draws once (`Draws`).

A plan is a structure - members, selectors, ties, rules, calendar - and the value of every parameter.  A value
is a number, or an array with one entry a run; what is computed from it then has a last axis of runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from iomsim.engine import laws, paths, polls, rng
from iomsim.engine.clock import Calendar
from iomsim.engine.rng import BLOCK, Purpose
from iomsim.errors import ScenarioError, unknown
from iomsim.rules.procedure import Procedure
from iomsim.rules.rulebook import Rulebook
from iomsim.typing import U64, Flags, Floats, Longs, PerRun, Places, Singles

CERTAIN = 1e4
"""Log-odds that stand for certainty: members pinned to a candidate."""

SLIGHTEST = np.float32(1e-37)
"""Odds too small to matter that still tell who is there from the absent, whose odds are 0."""

SMALL, LARGE = (2**18, 32), (2**21, 16)
"""Most normals of a block whose numbers are kept for other points on them, and how many such blocks are kept."""


class ExposureTerm(NamedTuple):
    """A column of the members that exposes them to a sponsor, shape ``(N,)``, and the path of its weight."""

    weight: str
    column: Floats


class Tie(NamedTuple):
    """How much a tie binds each member, shape ``(N,)``, to which candidate, and the path of its log-odds.

    A member is bound by the log-odds times its entry: 1 in full, 0 not at all.
    """

    log_odds: str
    candidate: int
    bound: Floats


class Polled(NamedTuple):
    """Chances of the members that were asked, 0 for all candidates where a member was not, and the path of the trust.

    The chances have shape ``(K, N)``; those of a member that was asked add up to 1, and none is 0.
    """

    trust: str
    chances: Floats

    @property
    def asked(self) -> Flags:
        """Who was asked, shape (N,)."""
        return np.asarray(self.chances.any(axis=0))


class Swing(NamedTuple):
    """How many members go over to which candidate, and of whom they are drawn, shape ``(N,)``."""

    size: int
    candidate: int
    who: Flags


class Classes(NamedTuple):
    """Members that lean alike whatever the run draws: one of each class ``(C,)``, and every member's class ``(N,)``."""

    first: Places
    of_member: Places


@dataclass(frozen=True, eq=False)
class Plan:
    """An election as arrays; K candidates, S sponsors, N members, G groups.

    Attributes
    ----------
    names, sponsors, members : tuple of str
        Names of the candidates, the sponsors and the members.
    backs : ndarray of int, shape (S,)
        Which candidate each sponsor backs.
    appeals, strengths, spreads : tuple of str
        Paths of the candidates' appeals, and of the sponsors' strengths and spreads.
    exposures : tuple of tuple of ExposureTerm
        What exposes members to each sponsor.
    ties : tuple of Tie
        What binds members to candidates: ties, and pledges by kind.
    group : ndarray of int, shape (N,)
        Each member's group, 0 to G - 1.
    pins : ndarray of int, shape (N,)
        Candidate a member is pinned to, or -1.
    votes : ndarray of bool, shape (N,)
        Who has a vote.
    barred : ndarray of bool, shape (K, N)
        Who may not vote while a candidate stands, in the phases that say so.
    rules : Procedure
        Who is elected, who leaves, and when it ends.
    calendar : Calendar
        The sittings.
    values : dict of float or ndarray, shape (B,)
        Every parameter by its path.
    readings : tuple of Procedure
        Readings of the rules, if there are several: ``values["readings"]`` says which of them a run follows, by its
        number.
    polled : Polled, optional
        What members said that were asked.
    swings : tuple of Swing
        Members who go over before the papers of the first round are counted.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").plan
    >>> plan.candidates, plan.entitled, plan.values["behaviour.fluid"]
    (2, 175, 0.7)
    >>> plan.at({"behaviour.fluid": 0.5}).behaviour.fluid
    0.5
    """

    names: tuple[str, ...]
    sponsors: tuple[str, ...]
    members: tuple[str, ...]
    backs: Places
    appeals: tuple[str, ...]
    strengths: tuple[str, ...]
    spreads: tuple[str, ...]
    exposures: tuple[tuple[ExposureTerm, ...], ...]
    ties: tuple[Tie, ...]
    group: Places
    pins: Places
    votes: Flags
    barred: Flags
    rules: Procedure
    calendar: Calendar
    values: Mapping[str, PerRun]
    readings: tuple[Procedure, ...] = ()
    polled: Polled | None = None
    swings: tuple[Swing, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # what is computed stays here

    def at(self, values: Mapping[str, PerRun]) -> Plan:
        """Return the plan with other values: numbers, or arrays with one entry a run.

        Raises
        ------
        UnknownNameError
            If there is no parameter of that path.
        """
        for path in values:
            if path not in self.values:
                raise unknown("parameter", path, self.values)
        if not values:
            return self
        changed = replace(self, values={**self.values, **values})
        for name, read in self._reads.items():  # what is computed from other parameters stays as it is
            if name in self.__dict__ and read.isdisjoint(values):
                changed.__dict__[name] = self.__dict__[name]
        return changed

    def of(self, columns: Places) -> Plan:
        """Return the plan for some of its columns: of values with one entry a column, and of what they give, these.

        A plan of numbers is the same for all columns.

        Examples
        --------
        >>> import iomsim as iom
        >>> plan = iom.load("minimal").plan.at({"behaviour.fluid": np.array([0.5, 0.6])})
        >>> plan.of(np.array([1, 1, 0])).behaviour.fluid.tolist()
        [0.6, 0.6, 0.5]
        """
        if not any(isinstance(value, np.ndarray) for value in self.values.values()):
            return self
        chosen = replace(self, values={path: laws.some(value, columns) for path, value in self.values.items()})
        known = self.__dict__
        for name in ("_reads", "classes", "pinned", "pairwise", "book"):
            if name in known:
                chosen.__dict__[name] = known[name]
        if "coins" in known:
            chances, own = self.coins
            own = columns if own is None else own[columns]
            chosen.__dict__["coins"] = (chances, own if chances.shape[1] > 1 else None)
        if "spread" in known:
            chosen.__dict__["spread"] = _columns(self.spread, columns)
        if "_by_class" in known:
            chosen.__dict__["_by_class"] = {
                weights: (_columns(lean, columns), [_columns(pull, columns) for pull in pulls])
                for weights, (lean, pulls) in self._by_class.items()
            }
        return chosen

    @cached_property
    def _reads(self) -> dict[str, frozenset[str]]:
        """Which parameters each cached property reads."""
        weights = {term.weight for terms in self.exposures for term in terms}
        ties, absence = {tie.log_odds for tie in self.ties}, ("absent", "cross_pressure_absence")
        leaning, poll = ("secrecy", "conviction"), set[str]()
        if self.polled is not None:
            poll = {self.polled.trust, *map(paths.behaviour, ("conviction", "common_sd", "region_sd"))}
        reads = {
            "_reads": (),
            "classes": (),
            "pinned": (),
            "pairwise": (),
            "book": (),
            "behaviour": {path for path in self.values if paths.head(path) == paths.BEHAVIOUR},
            "pace": {path for path in self.values if paths.head(path) == paths.CLOCK},
            "spread": self.spreads,
            "_weights": weights,
            "exposure": weights,
            "tie_table": ties,
            "absent": {*weights, *(paths.behaviour(field) for field in absence)},
            "coins": {*weights, *(paths.behaviour(field) for field in absence)},
            "against": (paths.behaviour("conviction"),),
            "_by_class": {*weights, *ties, *self.appeals, *self.strengths, *map(paths.behaviour, leaning), *poll},
        }
        return {name: frozenset(read) for name, read in reads.items()}

    @property
    def candidates(self) -> int:
        """How many stand at the start."""
        return len(self.names)

    @cached_property
    def book(self) -> Procedure | Rulebook:
        """The rules as they are played: one procedure, or several readings side by side."""
        return Rulebook(self.readings) if self.readings else self.rules

    @cached_property
    def pairwise(self) -> bool:
        """Whether every choice is one between two candidates."""
        return self.candidates == 2 and all(
            stage.standing == 2
            for reading in self.book.readings
            for stage in reading.stages(2)
            if reading.phases[stage.phase].vote == "choice"
        )

    @cached_property
    def classes(self) -> Classes:
        """Members that lean alike."""
        rows = [tie.bound for tie in self.ties] + [term.column for terms in self.exposures for term in terms]
        rows += [] if self.polled is None else list(self.polled.chances)
        table = np.vstack([*rows, self.group])
        _, first, of_member = np.unique(table, axis=1, return_index=True, return_inverse=True)
        return Classes(first, of_member.reshape(-1))  # numpy 2.0.0 adds an axis

    @property
    def entitled(self) -> int:
        """How many members have a vote."""
        return int(self.votes.sum())

    @cached_property
    def pinned(self) -> Longs:
        """How many members are pinned to each candidate, shape ``(K,)``."""
        return np.bincount(self.pins[self.pins >= 0], minlength=self.candidates)

    @cached_property
    def behaviour(self) -> SimpleNamespace:
        """How members vote and change their minds, by field."""
        return SimpleNamespace(**paths.by_field(self.values, paths.BEHAVIOUR))

    @cached_property
    def pace(self) -> SimpleNamespace:
        """How long things take, by field of the clock."""
        return SimpleNamespace(**paths.by_field(self.values, paths.CLOCK))

    @cached_property
    def spread(self) -> Floats:
        """Log-sd of the sponsors' effect, shape ``(S, 1)`` or ``(S, B)``."""
        rows = np.broadcast_arrays(*(np.atleast_1d(self.values[path]) for path in self.spreads)) if self.spreads else []
        return np.array(rows, dtype=float).reshape(len(self.spreads), -1 if self.spreads else 1)

    def check_exposure(self) -> None:
        """Refuse weights that expose a member to a sponsor by less than nothing, or nobody.

        Raises
        ------
        ScenarioError
            If a member's weights add up to less than 0, or all are 0.
        """
        for sponsor, weights in zip(self.sponsors, self._weights, strict=True):
            if (weights < 0).any():
                member = self.members[int(np.argmin(weights)) % len(self.members)]
                raise ScenarioError(
                    f"the exposure of {member} to {sponsor} is negative; weights must add up to 0 or more"
                )
            if not weights.any(axis=1).all():
                raise ScenarioError(f"no member is exposed to {sponsor}; give at least one weight above 0")

    @cached_property
    def exposure(self) -> Floats:
        """Exposure of the members to the sponsors, scaled to mean 1, shape ``(S, N, 1)`` or ``(S, N, B)``.

        A member whose weights add up to less than 0 is not exposed; where nobody is, there is no pressure.  Draws of
        the assumptions may have such weights, descriptions may not: see :meth:`check_exposure`.
        """
        parts = []
        for weights in self._weights:
            weights = np.maximum(weights, 0.0)
            mean = weights.mean(axis=1, keepdims=True)
            parts.append((weights / np.where(mean > 0.0, mean, 1.0)).T)
        return np.stack(np.broadcast_arrays(*parts)) if parts else np.zeros((0, len(self.members), 1))

    @cached_property
    def _weights(self) -> list[Floats]:
        """Sums of the members' weights for each sponsor, each of shape ``(1, N)`` or ``(B, N)``.

        Members come last, so that their mean is added up alike in all runs.
        """
        found = []
        for terms in self.exposures:
            weights = np.zeros((1, len(self.members)))
            for term in terms:
                weights = weights + np.reshape(self.values[term.weight], (-1, 1)) * term.column
            found.append(np.where(np.abs(weights) < 1e-12, 0.0, weights))
        return found

    @cached_property
    def tie_table(self) -> list[Floats]:
        """Log-odds of ties by candidate, each of shape ``(N, 1)`` or ``(N, B)``."""
        table = [np.zeros((len(self.members), 1)) for _ in self.names]
        for tie in self.ties:
            table[tie.candidate] = table[tie.candidate] + self.values[tie.log_odds] * tie.bound[:, None]
        return table

    @cached_property
    def absent(self) -> Floats:
        """Probability of absence, shape ``(N, 1)`` or ``(N, B)``: 0 for the pinned, 1 without a vote."""
        b = self.behaviour
        chance = laws.absence(b.absent, b.cross_pressure_absence, self.exposure)
        return np.where(self.votes[:, None], np.where(self.pins[:, None] >= 0, 0.0, chance), 1.0)

    @cached_property
    def abstain(self) -> Floats:
        """Probability that a member who is present hands in no valid paper, shape ``(N, 1)`` or ``(N, B)``."""
        return np.asarray(laws.abstention(self.behaviour.abstain, self.pins[:, None] >= 0))

    @cached_property
    def stray(self) -> Floats:
        """Probability that a valid paper is for a name that does not stand, shape ``(N, 1)`` or ``(N, B)``."""
        return np.asarray(laws.straying(self.behaviour.stray, self.pins[:, None] >= 0))

    @cached_property
    def coins(self) -> tuple[Floats, Places | None]:
        """Chances of absence, shape ``(N, 1)`` or ``(N, C)``, and which column each run takes, if not its own."""
        return self.absent, None

    @cached_property
    def against(self) -> tuple[PerRun, PerRun]:
        """Weights of the leans of two candidates in the log-odds against the first."""
        c = laws.conviction_scale(self.behaviour.conviction)
        return (-c, c) if isinstance(c, np.ndarray) else (-float(c), float(c))

    def standing(self) -> tuple[list[Floats], PerRun]:
        """Return the systematic lean towards each candidate without pressure, and what a poll leaves of pressure.

        A member that was asked leans by ``(1 - trust) * (appeal + ties) + trust * polled``, and its sponsors' pulls are
        multiplied by ``1 - trust``.  With `trust` 1 its mean chance over the run-level laws is the one polled.

        Returns
        -------
        leans, left
            By class of member, each of shape (C, 1) or (C, B); `left` is 1 if nobody was asked.
        """
        first = self.classes.first
        rows = [self.values[path] + table[first] for path, table in zip(self.appeals, self.tie_table, strict=True)]
        if self.polled is None:
            return rows, 1.0
        asked = self.polled.asked[first]
        trust = np.asarray(self.values[self.polled.trust] * asked[:, None], dtype=float)
        found = polls.positions(self.polled.chances[:, first[asked]], laws.normal_noise(self.behaviour))
        polled = np.zeros((self.candidates, first.size, found.shape[2]))
        polled[:, asked] = found / laws.conviction_scale(self.behaviour.conviction)
        return [(1.0 - trust) * row + trust * said for row, said in zip(rows, polled, strict=True)], 1.0 - trust

    def by_class(self, weights: tuple[PerRun, ...]) -> tuple[Singles, list[Singles]]:
        """Return a weighted sum over candidates of appeal and ties, and of each sponsor's pull, by class of member.

        Parameters
        ----------
        weights : tuple of float or ndarray, shape (B,)
            One for every candidate.

        Returns
        -------
        lean, pulls : ndarray of float32 and one for every sponsor, shapes (C, 1) or (C, B)
            In log-odds; a pull is that of a campaign of average effect, in secret.
        """
        key = "against" if weights is self.__dict__.get("against") else weights
        if key in self._by_class:
            return self._by_class[key]
        first, values = self.classes.first, self.values
        rows, left = self.standing()
        lean = sum(weight * row for weight, row in zip(weights, rows, strict=True))
        secret = 1.0 - self.behaviour.secrecy
        pulls = [
            (secret * values[path] * exposure[first] * weights[backed] * left).astype(np.float32)
            for path, exposure, backed in zip(self.strengths, self.exposure, self.backs, strict=True)
        ]
        found = np.asarray(lean).astype(np.float32), pulls
        self._by_class[key] = found
        return found

    @cached_property
    def _by_class(self) -> dict[Any, tuple[Singles, list[Singles]]]:
        return {}

    def compiled(self) -> Plan:
        """Return the plan with what runs need of it computed, so that :meth:`of` takes it instead of computing it."""
        _ = self.spread, self.coins, self.pairwise, self.pinned
        if self.pairwise:
            self.by_class(self.against)
        else:
            for weights in np.eye(self.candidates).tolist():
                self.by_class(tuple(weights))
        return self


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
    drawn = block_numbers(plan, seed, block)
    return Draws(
        keys=drawn.keys[:size],
        campaign=drawn.campaign[:, :size],
        appeal=drawn.appeal[:, :size],
        region=drawn.region[..., :size],
        conviction=drawn.conviction[..., :size],
        absent=drawn.toss(*plan.coins)[:, :size],
        fluid=drawn.regime[:size] < plan.behaviour.fluid,
    )


@dataclass(eq=False)
class BlockNumbers:
    """What a block draws once, whatever the parameters: as in `Draws`, and what decides who is absent and what moves.

    They are the same at all points of a design, and read-only.
    """

    keys: U64
    campaign: Floats
    appeal: Floats
    region: Singles
    conviction: Singles
    coins: U64
    regime: Floats

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.setflags(write=False)
        self._tossed: tuple[Any, Any] = (None, None)

    def toss(self, absent: Floats, columns: Places | None = None) -> Flags:
        """Return who is absent; tossed once for the same chances."""
        chances, tossed = self._tossed
        if chances is not absent or columns is not None:
            tossed = rng.bernoulli_block(self.coins, absent, columns)
            self._tossed = None if columns is not None else absent, tossed
        return np.asarray(tossed)


def _columns(array: Any, columns: Places) -> Any:
    """Return columns of an array whose last axis has one entry a column, or one for all."""
    return array if array.shape[-1] == 1 else array.take(columns, axis=-1)


def block_numbers(plan: Plan, seed: int, block: int) -> BlockNumbers:
    """Return what a block draws; small elections' numbers are kept for other points and plans."""
    shape = plan.sponsors, plan.candidates, len(plan.members), int(plan.group.max()) + 1
    size = len(plan.members) * (1 if plan.candidates == 2 else plan.candidates) * BLOCK
    make = _small if size <= SMALL[0] else _large if size <= LARGE[0] else _numbers
    return make(seed, block, *shape)


def _numbers(seed: int, block: int, sponsors: tuple[str, ...], k: int, n: int, groups: int) -> BlockNumbers:
    def source(purpose: Purpose) -> np.random.Generator:
        return rng.generator(seed, block, purpose)

    hidden = (n, BLOCK) if k == 2 else (k, n, BLOCK)
    return BlockNumbers(
        keys=rng.run_keys(seed, block),
        campaign=campaigns(sponsors, seed, block),
        appeal=source(Purpose.APPEAL).standard_normal((k, BLOCK)),
        region=rng.normal_block(source(Purpose.REGIONS), (groups, k, BLOCK)),
        conviction=rng.normal_block(source(Purpose.CONVICTION), hidden),
        coins=rng.bernoulli_words(source(Purpose.ABSENCE), n),
        regime=source(Purpose.REGIME).random(BLOCK),
    )


_small, _large = (lru_cache(maxsize=blocks)(_numbers) for _, blocks in (SMALL, LARGE))


def campaigns(sponsors: Sequence[str], seed: int, block: int) -> Floats:
    """Return the normals behind the effect of each sponsor's campaign, shape ``(S, BLOCK)``.

    They are addressed by the sponsor's name, so that a sponsor who is added, or stands elsewhere in
    the list, leaves the others' numbers alone.
    """
    drawn = [rng.generator(seed, block, Purpose.SPONSORS, name).standard_normal(BLOCK) for name in sponsors]
    return np.array(drawn).reshape(-1, BLOCK)


def contrast(plan: Plan, draws: Draws, weights: Sequence[PerRun]) -> Singles:
    """Return a weighted sum over candidates of the systematic leans, shape ``(N, B)``.

    With weights (1, 0) it is the lean `a` towards the first of two, with (-1, 1) the lean
    towards the second over the first.  Members of a class lean alike, so it is found by class.
    """
    b, classes = plan.behaviour, plan.classes
    lean, pulls = plan.by_class(weights if isinstance(weights, tuple) else tuple(weights))
    effect = laws.campaign_effect(plan.spread, draws.campaign).astype(np.float32)
    region = np.asarray(b.region_sd, dtype=draws.region.dtype) * draws.region
    shocks = (region + b.common_sd * draws.appeal) / np.sqrt(2.0)
    level = np.zeros_like(shocks[:, 0])
    for k, weight in enumerate(weights):  # a matrix product is many times slower for so few columns
        level += weight * shocks[:, k]
    out = level.astype(np.float32)[plan.group[classes.first]]
    out += lean
    for pull, force in zip(pulls, effect, strict=True):
        out += pull * force
    return out.take(classes.of_member, axis=0)


def leans(plan: Plan, draws: Draws) -> Singles:
    """Return the systematic lean `a` of every member in every run, shape ``(K, N, B)``."""
    return np.stack([contrast(plan, draws, weights) for weights in np.eye(plan.candidates).tolist()])


def member_odds(plan: Plan, draws: Draws) -> Singles:
    """Return where members stand, as the kernel wants it.

    Returns
    -------
    ndarray of float32
        For two candidates who stay in the race ``exp(v1 - v0)``, the odds against the first, shape ``(N, B)``:
        0 for members pinned to the first, infinity for those pinned to the second, 0 for the absent,
        who never move, and, where it matters who is there, more than 0 for free members who are.  Otherwise the
        log-odds ``v``, shape ``(K, N, B)``.
    """
    conviction = plan.behaviour.conviction
    c, spread = laws.conviction_scale(conviction), np.asarray(conviction, dtype=np.float32)
    if not plan.pairwise:
        z = draws.conviction if plan.candidates > 2 else np.stack([draws.conviction, -draws.conviction])
        hidden = spread / np.float32(np.sqrt(2.0) if plan.candidates > 2 else 2.0) * z
        v = np.asarray(c, dtype=np.float32) * leans(plan, draws) + hidden
        top = v.max(axis=0) + np.float32(CERTAIN)  # above whatever ties and pressure say
        for k in range(plan.candidates):
            v[k, plan.pins == k] = top[plan.pins == k]
        return v
    against = contrast(plan, draws, plan.against)
    against -= spread * draws.conviction
    with np.errstate(over="ignore"):
        np.exp(against, out=against)
    if plan.swings or plan.barred.any():  # it matters who is there
        np.maximum(against, SLIGHTEST, out=against)
    against[plan.pins == 0] = 0.0
    against[plan.pins == 1] = np.inf
    bits = against.view(np.int32)  # times 0 or 1, as infinity times 0 would be no number
    np.multiply(bits, ~draws.absent, out=bits)
    return against
