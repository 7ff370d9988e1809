"""The filter's state: weighted particles, what is announced of the election, and both as the kernel sees them.

A particle holds which draw of the assumptions it follows, what its run drew once, and every member's intention.
Arrays are members first, particles last.  A plan of uncertain assumptions has one column a draw; the plan of some
particles, :meth:`Particles.under`, has one column each.

Absence depends on nothing else in a particle, so it is integrated out rather than fixed: whoever has not voted yet
may be absent or may have abstained so far, and is drawn anew in every round from what is left open.  Until then
such members have an intention like everybody else; it counts nowhere.  Once the members present were announced, who
is absent stays as it was drawn given their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar

import numpy as np

from iomsim.election_day.clocks import Clocks, initial_clocks, with_new_keys
from iomsim.election_day.conditioning import effective_size, resample
from iomsim.election_day.tally import Need
from iomsim.engine import laws
from iomsim.engine.plan import Draws, Plan, draw, member_odds
from iomsim.engine.rng import BLOCK, FREEDOM
from iomsim.engine.simulate import chunk_sizes
from iomsim.engine.state import ActiveRuns, Entry, before_round_one
from iomsim.errors import AnnouncementError
from iomsim.rules.procedure import Stage
from iomsim.typing import Codes, Flags, Floats, Places, Shorts, Singles

CHUNK = 256
"""Particles of 175 members that are propagated at a time, fewer of more: their tables stay in the cache."""

LEAST = np.float32(1e-37)
"""Smallest probability whose logarithm is taken."""

# -- particles -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ObservedRound:
    """One announced round in every particle; K candidates, N members, P particles.

    `intention` are the members' intentions in it, shape (N, P); `shocks` its shocks, (K, P); `last_votes` the
    tally of the round before, (K, P); `standing` who stood, (K,); `crowded` whether three or more stood in the round
    before; `barred` who may not vote, (N,); `night` whether a night had passed, (P,).
    """

    round_: int
    standing: Flags
    crowded: bool
    barred: Flags
    intention: Codes
    shocks: Floats
    last_votes: Floats
    night: Flags


@dataclass(frozen=True, eq=False)
class Particles:
    """The particles: their draws, weights and intentions.

    Attributes
    ----------
    draws : Draws
        What each run drew once.
    draw : ndarray of int, shape (P,)
        Which draw of the assumptions each follows: its column of the plan.
    log_weight : ndarray, shape (P,)
        Log-weights, up to a constant.
    seen : ndarray of bool, shape (N, P)
        Who has handed in a valid paper so far.
    called : bool
        Whether the members present were announced, or the rules ask for their number, so that who is absent stays as
        it was drawn in the first round.
    rounds : tuple of ObservedRound
        The rounds observed, the first one first.
    """

    draws: Draws
    draw: Places
    log_weight: Floats
    seen: Flags
    called: bool = False
    rounds: tuple[ObservedRound, ...] = ()

    @property
    def size(self) -> int:
        """How many particles there are."""
        return self.log_weight.size

    @property
    def intention(self) -> Codes | None:
        """What every member intended in the last round, shape (N, P); None before the first."""
        return self.rounds[-1].intention if self.rounds else None

    def under(self, plan: Plan) -> Plan:
        """Return the plan with one column for each of the particles, by the draw that it follows."""
        return plan.of(self.draw)

    def pick(self, index: Places | slice) -> Particles:
        """Return some of the particles with their histories."""
        return replace(
            self,
            draws=columns(self.draws, index),
            draw=self.draw[index],
            log_weight=self.log_weight[index],
            seen=self.seen[:, index],
            rounds=tuple(columns(observed, index) for observed in self.rounds),
        )


SHARED = ("round_", "standing", "crowded", "barred")
"""Fields that all particles have in common."""

Record = TypeVar("Record", Draws, ObservedRound)


def columns(record: Record, index: Places | slice) -> Record:
    """Return the entries of some particles."""
    own = [f.name for f in fields(record) if f.name not in SHARED]
    picked: dict[str, Any] = {name: getattr(record, name)[..., index] for name in own}
    return replace(record, **picked)


def concatenate(records: Sequence[Record]) -> Record:
    """Put the entries of several sets of particles side by side."""
    own = [f.name for f in fields(records[0]) if f.name not in SHARED]
    joined: dict[str, Any] = {name: np.concatenate([getattr(r, name) for r in records], axis=-1) for name in own}
    return replace(records[0], **joined)


def numbers_of(plan: Plan) -> int:
    """Return how many columns a plan has: the draws of the assumptions; 1 if all its values are numbers."""
    return max((np.size(value) for value in plan.values.values()), default=1)


def absence(plan: Plan) -> Floats:
    """Return the probability of absence, as of `Plan.absent`, taken from what was computed of it by draw."""
    chances, own = plan.coins
    return chances if own is None else chances.take(own, axis=1)


def odds_of_all(plan: Plan, draws: Draws) -> Singles:
    """Return where members stand, the absent included, as of :func:`iomsim.engine.plan.member_odds`."""
    return member_odds(plan, replace(draws, absent=np.zeros((1, 1), dtype=bool)))


# -- what members may do in a round --------------------------------------------------------------


def draw_shocks(rng: np.random.Generator, plan: Plan, size: int) -> Floats:
    """Draw a round's shocks: Student t with 5 degrees of freedom, scaled, shape (K, P)."""
    unit = np.sqrt((FREEDOM - 2.0) / FREEDOM) * rng.standard_t(FREEDOM, (plan.candidates, size))
    return np.asarray(laws.shock_scale(plan.behaviour) * unit)


def choice_probabilities(odds: Singles, pull: Floats, standing: Flags) -> Singles:
    """Return whom members would intend if they thought again, shape (K, N, P).

    The pull may be the same for all members, shape (K, P), or, among three or more, have one row for each, (K, N, P).
    """
    if odds.ndim == 2:
        against = np.exp(np.clip(pull[1] - pull[0], -80, 80)).astype(np.float32)
        with np.errstate(over="ignore"):
            first = np.float32(1) / (np.float32(1) + odds * against)
        return np.stack([first, np.float32(1) - first])
    pull = pull if pull.ndim == 3 else pull[:, None]
    v = odds + np.where(standing[:, None, None], pull, -np.inf).astype(np.float32)
    v -= v.max(axis=0)
    np.exp(v, out=v)
    v /= v.sum(axis=0)
    return np.asarray(v)


def intention_probabilities(
    plan: Plan, draws: Draws, odds: Singles, observed: ObservedRound, before: Codes | None
) -> Singles:
    """Return each member's probabilities to intend each candidate in a round, shape (K, N, P).

    `before` is what they intended before it; None before the first round.
    """
    if before is None:
        return choice_probabilities(odds, np.zeros_like(observed.shocks), observed.standing)
    crowded = np.array([observed.crowded])
    pull = laws.pull(plan.behaviour, draws.fluid, crowded, observed.last_votes) + observed.shocks
    openness = laws.openness(plan.behaviour, draws.fluid, observed.round_, observed.night).astype(np.float32)
    freed = None if observed.standing.all() else ~observed.standing[before]
    if freed is not None and freed.any():  # they choose at once, and without the pull of the last tally
        pull = np.where(freed, observed.shocks[:, None], pull[:, None])
        openness = np.where(freed, np.float32(1), openness)
    bound = np.flatnonzero((plan.pins >= 0) & observed.standing[plan.pins])
    if (before[bound] != plan.pins[bound, None]).any():  # their candidate has come back
        openness = np.where(np.isin(np.arange(len(before)), bound)[:, None], np.float32(1), openness)
    again = choice_probabilities(odds, pull, observed.standing)
    again *= openness
    for k in range(len(again)):
        again[k] += (np.float32(1) - openness) * (before == k)
    return again


def log_round_probability(
    plan: Plan, draws: Draws, odds: Singles, observed: ObservedRound, before: Codes | None
) -> Singles:
    """Return the log-probability of every member's intention in one round, shape (N, P)."""
    probability = by_code(observed.intention, intention_probabilities(plan, draws, odds, observed, before))
    return np.asarray(np.log(np.maximum(probability, LEAST)))


def log_path_probability(plan: Plan, draws: Draws, odds: Singles, rounds: tuple[ObservedRound, ...]) -> Singles:
    """Return the log-probability of every member's intentions in all rounds so far, shape (N, P)."""
    total = np.zeros(rounds[0].intention.shape, dtype=np.float32)
    before = None
    for observed in rounds:
        total += log_round_probability(plan, draws, odds, observed, before)
        before = observed.intention
    return total


def by_code(code: Codes, parts: np.ndarray) -> np.ndarray:
    """Return, entry by entry, that one of several arrays which a code names."""
    return parts.reshape(-1).take(code * np.intp(code.size) + np.arange(code.size).reshape(code.shape))


def chunks(plan: Plan, size: int) -> list[slice]:
    """Return the particles that are propagated together."""
    step = max(CHUNK // 2, min(CHUNK, CHUNK * 350 // (len(plan.members) * plan.candidates)))
    return [slice(start, min(start + step, size)) for start in range(0, size, step)]


def gathered(parts: Iterable[Sequence[np.ndarray]], where: Sequence[slice]) -> list[np.ndarray]:
    """Return arrays made chunk by chunk, as whole arrays: what each chunk has made is copied and let go."""
    whole: list[np.ndarray] = []
    for place, arrays in zip(where, parts, strict=True):
        whole = whole or [np.empty((*x.shape[:-1], where[-1].stop), x.dtype) for x in arrays]
        for target, x in zip(whole, arrays, strict=True):
            target[..., place] = x
    return whole


# -- the state -----------------------------------------------------------------------------------


Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class UpdateContext:
    """What an update needs: the election under its rules, and random numbers of its own.

    The clocks have a generator of their own, so that an announced time changes nothing but the time.

    Several readings of the rules share a `hall`, in which everything happens once: members vote and clocks pass as
    they do, whatever the rules make of it.  Under one reading there is none.
    """

    plan: Plan
    opens: datetime
    rng: np.random.Generator
    clock_rng: np.random.Generator
    hall: dict[tuple[Any, ...], tuple[tuple[Any, ...], Any]] | None = None

    def once(self, key: tuple[Any, ...], work: Callable[[], Result]) -> Result:
        """Return what work makes of what its key holds; if it was done under another reading, what that made of it."""
        if self.hall is None:
            return work()
        address = tuple(part if isinstance(part, PLAIN) else id(part) for part in key)
        if address not in self.hall:
            self.hall[address] = key, work()  # the key is kept, so that no id is used twice
        result: Result = self.hall[address][1]
        return result


PLAIN = (str, bytes, int, float, tuple, type(None))
"""What is compared by its value; all else is the same only if it is the same object."""


@dataclass(frozen=True, eq=False)
class FilterState:
    """How the election stands after an event; immutable, so that an event can be undone.

    Attributes
    ----------
    particles : Particles
        The weighted particles; P of them.
    clocks : Clocks
        Their clocks.
    round_ : int
        Rounds held.
    votes, valid : ndarrays of int, shapes (m, K, P), (m, P)
        The tallies of the rounds held, in every particle (they differ where little was announced); -1
        for who did not stand.  Valid papers for others count in `valid` only.
    attendance : ndarray of int, shape (m, P)
        Members present in each round: as announced, or as they were drawn.
    flows : ndarray of int, shape (m, K, K, P)
        Members present who went from one candidate to another before each round.
    standing : ndarray of bool, shape (K,)
        Who still stands.
    non_concessions : ndarray of int, shape (P,)
        Times the trailing camp did not concede, in every particle.
    withdrawn : ndarray of bool, shape (K,)
        Who has withdrawn.
    stage : Stage
        The phase of the rules, the ballots held in it, and how many stand.
    stages : tuple of Stage
        Those of the rounds held.
    entitled : tuple of int
        Members with a vote who were not barred from them.
    alone : int
        Candidate who faces a yes/no round next, or -1.
    conceded : bool
        Whether that is because the other withdrew.
    pending : bool
        The last round's consequences (concession, elimination, end) are still to come.
    ended : tuple (winner, ending) or None
        How it ended, if it has.
    at : float or None
        Minute of the last event, if any was announced.
    label : str
        The last event in words.
    surprise : float
        The probability that the model gave to anything as far out as the last announcement.
    surprising : str
        What was far out, in words.
    chance : float
        Probability that the model gave exactly this.
    foreseen : bool
        Whether the model gave the last event any chance; if not, it was taken over as a fact.
    effective_size : float
        Effective sample size after it, before resampling.
    """

    particles: Particles
    clocks: Clocks
    round_: int
    votes: Shorts
    valid: Shorts
    attendance: Shorts
    flows: Shorts
    standing: Flags
    non_concessions: Shorts
    withdrawn: Flags
    stage: Stage
    stages: tuple[Stage, ...] = ()
    entitled: tuple[int, ...] = ()
    alone: int = -1
    conceded: bool = False
    pending: bool = False
    ended: tuple[int, int] | None = None
    at: float | None = None
    label: str = "before the vote"
    surprise: float = 1.0
    surprising: str = ""
    chance: float = 1.0
    foreseen: bool = True
    effective_size: float = 0.0

    @property
    def contenders(self) -> int:
        """How many stand."""
        return int(self.standing.sum())

    @property
    def in_race(self) -> Flags:
        """Who stands and has not withdrawn, shape (K,): before the vote after a withdrawal, the other."""
        return self.standing & (np.arange(self.standing.size) == self.alone) if self.conceded else self.standing

    @property
    def last_choice(self) -> Shorts:
        """The last tally of a vote between candidates, shape (K, P); -1 for who did not stand."""
        choices = [votes for votes in self.votes if (votes >= 0).any(axis=1).sum() > 1]
        return np.asarray(choices[-1] if choices else self.votes[-1])

    @property
    def looked_back_at(self) -> Shorts:
        """The last tally of a choice as members see it, shape (K, P)."""
        votes = self.last_choice
        return np.asarray(laws.looked_back_at(np.maximum(votes, 0), votes >= 0, self.standing[:, None]))

    @property
    def crowded(self) -> bool:
        """Whether three or more stood in it."""
        return bool(self.round_) and int((self.last_choice >= 0).any(axis=1).sum()) > 2

    @property
    def out(self) -> Places:
        """Who cannot be elected any more."""
        alone = np.arange(self.standing.size) == self.alone
        return np.flatnonzero(~(alone if self.alone >= 0 else self.standing))

    @property
    def present(self) -> Shorts:
        """Members present in every particle."""
        return np.count_nonzero(~self.particles.draws.absent, axis=0).astype(np.int16)

    def as_after(self, round_: int) -> FilterState:
        """Return the state with the rounds on record up to one only."""
        held = {
            name: getattr(self, name)[:round_]
            for name in ("votes", "valid", "attendance", "flows", "stages", "entitled")
        }
        return replace(self, round_=round_, **held)

    def own(self, index: Places) -> FilterState:
        """Return the state with what only its reading of the rules knows of some of the particles."""
        return replace(self, non_concessions=self.non_concessions[index])

    def pick(self, index: Places) -> FilterState:
        """Return some of the particles."""
        return replace(
            self,
            particles=self.particles.pick(index),
            clocks=self.clocks.pick(index),
            votes=self.votes[..., index],
            valid=self.valid[..., index],
            attendance=self.attendance[..., index],
            flows=self.flows[..., index],
            non_concessions=self.non_concessions[index],
        )


def initial_state(plan: Plan, size: int, seed: int) -> FilterState:
    """Return the particles before the vote: the runs of the ordinary forecast of this seed."""
    follows = np.arange(size) % numbers_of(plan)
    sizes = chunk_sizes(size, BLOCK)
    parts = [draw(plan.of(follows[b * BLOCK : b * BLOCK + n]), seed, b, n) for b, n in enumerate(sizes)]
    draws: Draws = concatenate(parts)
    k = plan.candidates
    nobody = np.zeros(draws.absent.shape, dtype=bool)
    return FilterState(
        particles=Particles(draws, follows, np.zeros(size), nobody, called="present" in plan.book.bases),
        clocks=initial_clocks(plan, draws.keys, follows),
        round_=0,
        votes=np.zeros((0, k, size), dtype=np.int16),
        valid=np.zeros((0, size), dtype=np.int16),
        attendance=np.zeros((0, size), dtype=np.int16),
        flows=np.zeros((0, k, k, size), dtype=np.int16),
        standing=np.ones(k, dtype=bool),
        non_concessions=np.zeros(size, dtype=np.int16),
        withdrawn=np.zeros(k, dtype=bool),
        stage=plan.rules.first_stage(k),
        effective_size=float(size),
    )


def reweight(state: FilterState, log_factor: Floats, otherwise: str) -> FilterState:
    """Multiply the weights by a probability; if none is left above 0, say what is wrong."""
    log_weight = state.particles.log_weight + log_factor
    if not np.isfinite(log_weight).any():
        raise AnnouncementError(otherwise)
    particles = replace(state.particles, log_weight=log_weight)
    return replace(state, particles=particles, effective_size=effective_size(log_weight))


def nights_matter(plan: Plan, particles: Particles) -> bool:
    """Return whether clocks say something of the votes, given the assumptions.

    Where it is unsure whether nights matter, they do so only if a night has passed before a round in some particles.
    """
    overnight = plan.behaviour.overnight
    if np.ndim(overnight) == 0:
        return bool(overnight)
    return any(observed.night.any() and not observed.night.all() for observed in particles.rounds[1:])


def clocks_apart(plan: Plan, particles: Particles) -> bool:
    """Return whether the clocks are kept apart from the particles: where the pace is unsure, and says nothing of votes.

    Then particles that are resampled leave the clocks alone, so that no draw of the pace is lost by what was voted.
    """
    unsure = any(np.ndim(value) for value in vars(plan.pace).values())
    return unsure and not nights_matter(plan, particles)


def picked(plan: Plan, state: FilterState, index: Places) -> FilterState:
    """Return some of the particles, as many as there are; the clocks stay as they are where they are kept apart."""
    some = state.pick(index)
    return replace(some, clocks=state.clocks) if clocks_apart(plan, state.particles) else some


def resampled(rng: np.random.Generator, plan: Plan, state: FilterState) -> FilterState:
    """Return equally weighted particles; copies get keys of their own, so that they part."""
    log_weight = state.particles.log_weight
    if not np.ptp(log_weight):
        return state
    state = with_own_keys(rng, plan, picked(plan, state, resample(log_weight, float(rng.random()))))
    return replace(state, particles=replace(state.particles, log_weight=np.zeros(state.particles.size)))


def with_own_keys(rng: np.random.Generator, plan: Plan, state: FilterState) -> FilterState:
    """Return particles with new keys: what is drawn by them from now on."""
    keys = rng.integers(0, 2**64, state.particles.size, dtype=np.uint64)
    particles = replace(state.particles, draws=replace(state.particles.draws, keys=keys))
    return replace(state, particles=particles, clocks=with_new_keys(rng, plan, state.clocks))


def barred_from(plan: Plan, stage: Stage, standing: Flags) -> Flags:
    """Return who may not vote in a round because a candidate stands and the phase bars them, shape (N,)."""
    return np.asarray(plan.barred[standing].any(axis=0) & plan.rules.phases[stage.phase].barred)


def need_of(plan: Plan, stage: Stage, entitled: int, round_: int) -> Need:
    """Return how many votes elect in a round of a stage."""
    return Need(plan.rules.bar(stage.phase, stage.held, round_), plan.rules.base_of(stage.phase), entitled)


# -- as the kernel sees it -----------------------------------------------------------------------


def active_runs(plan: Plan, state: FilterState) -> ActiveRuns:
    """Return how the particles stand, as the kernel sees it, their members left out."""
    draws, size, k = state.particles.draws, state.particles.size, plan.candidates

    def everywhere(value: int, *rows: int) -> Shorts:
        return np.full((*rows, size), value, dtype=np.int16)

    return ActiveRuns(
        run=np.arange(size),
        column=state.particles.draw,
        keys=draws.keys,
        fluid=draws.fluid,
        present=state.present,
        counts=everywhere(0, k),
        votes=np.maximum(state.last_choice, 0) if state.round_ else everywhere(0, k),
        standing=np.repeat(state.in_race[:, None], size, axis=1),
        withdrawn=np.repeat(state.withdrawn[:, None], size, axis=1),
        stood=state.last_choice >= 0 if state.round_ else everywhere(0, k) > 0,
        phase=everywhere(state.stage.phase),
        held=everywhere(state.stage.held),
        alone=everywhere(state.alone),
        conceded=np.full(size, state.conceded),
        non_concessions=state.non_concessions.copy(),
        done=np.zeros(size, dtype=bool),
        behaviour=plan.behaviour,
    )


def entry_of(plan: Plan, state: FilterState) -> Entry:
    """Return the particles with their members, as the kernel plays them on."""
    draws, k, own = state.particles.draws, plan.candidates, state.particles.under(plan)
    odds = member_odds(own, draws) if plan.pairwise else odds_of_all(own, draws)
    if state.particles.intention is None:
        entry = before_round_one(own, draws, odds)
        now = active_runs(plan, state)
        return entry._replace(runs=replace(now, present=entry.runs.present, counts=entry.runs.counts))
    intention = state.particles.intention.copy()
    intention[draws.absent] = k
    counts = np.stack([np.count_nonzero(intention == c, axis=0) for c in range(k)]).astype(np.int16)
    if plan.pairwise:
        intention[draws.absent] = 0
    return Entry(replace(active_runs(plan, state), counts=counts), odds, intention)
