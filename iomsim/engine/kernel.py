"""The rounds of many runs at once: arrays in, arrays out.

The kernel draws nothing of its own: every number comes from a run's key and the address
``(round, lane)``, so a run is the same whatever its neighbours do.  Here a round is held and the rules
are applied to it; what moves the members is in `laws`, how they vote in `choice_binary` and
`choice_multinomial`, and how the runs stand in `state`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from iomsim.engine import laws, rng
from iomsim.engine.binomial import binomial_quantile
from iomsim.engine.choice import Reconsideration
from iomsim.engine.packing import total
from iomsim.engine.plan import Plan
from iomsim.engine.rng import Lane
from iomsim.engine.state import ActiveRuns, KernelOutput, RoundRecord, concatenate
from iomsim.rules.ruleset import ENDINGS
from iomsim.typing import U64, Flags, Floats, Ints, Places

COMPACT_BELOW = 0.85
"""Finished runs are dropped when fewer than this share of the columns are still in play."""

ROUNDS_APART = 3
"""Rounds that waves of runs hold one wave after the other, so that a wave stays in the cache."""

MAJORITY, ACCLAMATION, CONFIRMED, FAILED, UNRESOLVED = range(len(ENDINGS))
STILL_OPEN = -1


class RoundClock(Protocol):
    """Anything that lets a round pass and says where a night came before it."""

    def too_late(self, active: Places) -> Places:
        """Return which of the runs `active`, by their place in it, may start no further round."""

    def hold_round(self, active: Places, round_: int) -> Flags:
        """Let one round pass in the runs `active`."""

    def concessions(self, runs: Places) -> None:
        """Let the time of a withdrawal pass."""


Watch = Callable[[int, ActiveRuns], object]
"""Looks at the runs of a wave as they stand after the papers of a round."""


def play(
    plan: Plan,
    waves: Iterable[ActiveRuns],
    runs: int,
    clock: RoundClock,
    after: int = 0,
    recorded: bool = True,
    watch: Watch | None = None,
) -> KernelOutput:
    """Play runs to their end: wave by wave while most are open, then what is left side by side.

    What a round costs apart from its members is shared by all runs that hold it together, so that late
    rounds, which few runs reach, had better be shared.

    Parameters
    ----------
    plan : Plan
        The election; its values are numbers, or arrays with one entry a run.
    waves : iterable of ActiveRuns
        The runs as they stand after round `after`; they are used up.
    runs : int
        How many there are in all.
    clock : RoundClock
        The clocks of the runs.
    after : int
        Rounds already held.
    recorded : bool
        Whether the rounds are recorded, or only how the runs end.
    watch : callable, optional
        Is shown the round and the runs after each round's papers, before the rules are applied.

    Returns
    -------
    KernelOutput
        Ending, winner and rounds of every run, and the records of every round played here.
    """
    last = plan.rules.max_rounds
    out = KernelOutput(
        winner=np.full(runs, -1, dtype=np.int8),
        ending=np.full(runs, UNRESOLVED, dtype=np.uint8),
        rounds=np.full(runs, last, dtype=np.int16),
        records=[],
    )
    apart = min(after + ROUNDS_APART, last)
    left = [advance(plan, wave, clock, out, range(after + 1, apart + 1), recorded, watch) for wave in waves]
    advance(plan, concatenate(plan, left), clock, out, range(apart + 1, last + 1), recorded, watch)
    return out


def advance(
    plan: Plan,
    runs: ActiveRuns,
    clock: RoundClock,
    out: KernelOutput,
    rounds: Iterable[int],
    recorded: bool = True,
    watch: Watch | None = None,
) -> ActiveRuns:
    """Hold these rounds and write down what comes of them; return the runs still open."""
    live = np.flatnonzero(~runs.done)
    for round_ in rounds:
        late = live[clock.too_late(runs.run[live])]
        if late.size:
            out.rounds[runs.run[late]], runs.done[late] = round_ - 1, True
            live = np.flatnonzero(~runs.done)
        if live.size < COMPACT_BELOW * runs.width:
            runs = runs.keep(live)
            live = np.arange(live.size)
        if not live.size:
            break
        night = np.zeros(runs.width, dtype=bool)
        night[live] = clock.hold_round(runs.run[live], round_)
        counted, ended = play_round(plan, runs, round_, night)
        if recorded:
            record = RoundRecord(round_, runs.run, *counted)
            out.records.append(record if live.size == runs.width else record.of(live))
        if watch is not None:
            watch(round_, runs)
        conceded, elected, how = apply_rules(plan, runs, round_, ended)
        clock.concessions(runs.run[conceded & ~runs.done])
        over = live[how[live] != STILL_OPEN]
        ended_runs = runs.run[over]
        out.winner[ended_runs], out.ending[ended_runs], out.rounds[ended_runs] = elected[over], how[over], round_
        runs.done[over] = True
        live = np.flatnonzero(~runs.done)
    return runs.keep(live)


def play_round(
    plan: Plan, runs: ActiveRuns, round_: int, night: Flags
) -> tuple[tuple[Ints, Ints, Ints], tuple[Ints, Ints]]:
    """Hold one round; return what was recorded, and who is elected and how by the count alone."""
    flows = reconsider(plan, runs, round_, night)
    runs.votes = runs.counts - abstentions(plan, runs, round_)
    if plan.candidates > 2:
        runs.crowded = runs.standing.sum(axis=0, dtype=np.int8) > 2
    valid = runs.votes.sum(axis=0, dtype=np.int16)
    leader, ahead = leading(runs.votes)
    need = needed(plan, runs, valid, round_)
    how = np.where(ahead & (runs.votes.max(axis=0) >= need), np.int8(MAJORITY), np.int8(STILL_OPEN))
    votes = runs.votes.copy() if plan.candidates == 2 else np.where(runs.standing, runs.votes, np.int16(-1))
    asked = np.flatnonzero(runs.unopposed >= 0)
    if asked.size:
        yes = confirmations(plan, runs, round_, asked)
        votes[:, asked] = -1
        votes[runs.unopposed[asked], asked] = yes
        leader[asked] = runs.unopposed[asked]
        how[asked] = np.where(yes >= plan.rules.needed(valid[asked], round_), CONFIRMED, FAILED)
    return (votes, valid, flows), (leader, how)


def needed(plan: Plan, runs: ActiveRuns, valid: Ints, round_: int) -> Ints:
    """Return the votes that elect in a round, in whole numbers."""
    base = {"valid": valid, "present": runs.present}.get(plan.rules.base)
    if base is None:
        return np.full(runs.width, plan.rules.needed(plan.entitled, round_))
    table = plan.rules.needed(np.arange(int(base.max(initial=0)) + 1), round_)
    return np.asarray(table).take(base)


def leading(votes: Ints) -> tuple[Ints, Flags]:
    """Return the candidate with most votes and whether nobody shares that place."""
    if len(votes) == 2:
        return (votes[1] > votes[0]).view(np.int8), votes[0] != votes[1]
    leader, top = np.zeros(votes.shape[1], dtype=np.int8), votes[0]
    for k in range(1, len(votes)):
        leader = np.where(votes[k] > top, np.int8(k), leader)
        top = np.maximum(top, votes[k])
    return leader, total((votes == top).view(np.uint8)) == 1


# -- after an inconclusive round -----------------------------------------------------------------


def apply_rules(plan: Plan, runs: ActiveRuns, round_: int, ended: tuple[Ints, Ints]) -> tuple[Flags, Ints, Ints]:
    """Let the trailing camp concede, the last one leave, or the leader stand alone.

    Returns
    -------
    conceded : ndarray of bool
        Where the trailing candidate withdrew after this round.
    elected, how : ndarrays of int
        The winner (-1 for none) and the ending; `STILL_OPEN` where the election goes on.
    """
    leader, how = ended
    elected = np.where((how == STILL_OPEN) | (how == FAILED), np.int8(-1), leader)
    inconclusive = how == STILL_OPEN
    two = runs.standing.sum(axis=0, dtype=np.int8) == 2
    conceded = concede(plan, runs, round_, inconclusive & two)
    if plan.rules.after_concession == "acclamation":
        np.copyto(elected, leader, where=conceded)
        how[conceded] = ACCLAMATION
    else:
        np.copyto(runs.unopposed, leader, where=conceded)
        runs.conceded = conceded
    eliminate(plan, runs, round_, inconclusive & ~two)
    put_alone(plan, runs, round_, inconclusive & two & ~conceded)
    return conceded, elected, how


def concede(plan: Plan, runs: ActiveRuns, round_: int, where: Flags) -> Flags:
    """Return where the trailing candidate of two withdraws; in a tie nobody concedes or refuses."""
    if not plan.rules.concession:
        return np.zeros(runs.width, dtype=bool)
    asked = where & leading(runs.votes)[1]
    chance = laws.concession(runs.behaviour, runs.non_concessions)
    conceded = asked & (rng.uniform(runs.keys, round_, Lane.CONCEDE) < chance)
    runs.non_concessions = runs.non_concessions + (asked & ~conceded)
    return conceded


def eliminate(plan: Plan, runs: ActiveRuns, round_: int, where: Flags) -> None:
    """Count inconclusive rounds among three or more, and drop the last candidate when due."""
    runs.multiway_rounds = runs.multiway_rounds + where
    if plan.candidates == 2:
        return
    due = np.flatnonzero(where & plan.rules.elimination_due(runs.multiway_rounds))
    if due.size:
        last = by_lot(laws.trails(runs.votes, runs.standing)[:, due], runs.keys[due], round_)
        runs.standing[last, due] = False


def put_alone(plan: Plan, runs: ActiveRuns, round_: int, where: Flags) -> None:
    """Count inconclusive rounds between two, and let the leader face a yes/no round when due."""
    runs.two_way_rounds = runs.two_way_rounds + where
    cap = plan.rules.max_two_way
    if cap is not None:
        due = np.flatnonzero(where & (runs.two_way_rounds >= cap))
        runs.unopposed[due] = by_lot(laws.leads(runs.votes, runs.standing)[:, due], runs.keys[due], round_)


def by_lot(tied: Flags, keys: U64, round_: int) -> Ints:
    """Return one of the tied candidates of every column, each with the same chance."""
    ticket = np.floor(rng.uniform(keys, round_, Lane.LOT) * tied.sum(axis=0))
    return (tied & (np.cumsum(tied, axis=0) - 1 == ticket)).argmax(axis=0)


# -- papers --------------------------------------------------------------------------------------


def abstentions(plan: Plan, runs: ActiveRuns, round_: int) -> Ints:
    """Return how many intending members of each candidate hand in no valid paper, shape (K, B).

    Members abstain independently of each other and of their intention, so those of one candidate
    are binomial.  Pinned members always vote.
    """
    free = np.maximum(runs.counts - plan.pinned[:, None].astype(np.int16), 0)
    u = rng.uniform(runs.keys, round_, rng.lanes(Lane.ABSTAIN, plan.candidates))
    return binomial_quantile(free, runs.behaviour.abstain, u)


def confirmations(plan: Plan, runs: ActiveRuns, round_: int, asked: Places) -> Ints:
    """Return the yes votes where the leader stands alone.

    Each of the leader's own voters says yes with probability `yes_own` (the pinned always), each
    of the others with probability y, one draw a run, whose law is another where the other candidate withdrew.
    """
    b, keys, alone = laws.select(runs.behaviour, asked), runs.keys[asked], runs.unopposed[asked]
    own = runs.votes[alone, asked]
    voting = runs.votes[:, asked].sum(axis=0)
    sure = np.minimum(plan.pinned[alone], own)
    y = laws.others_yes(b, runs.conceded[asked], rng.uniform(keys, round_, Lane.YES_SHARE))
    voter = np.arange(voting.max(initial=0))[:, None]
    draw = rng.uniform(keys, round_, (Lane.YES + voter).astype(np.uint64))
    says_yes = (voter < sure) | (draw < np.where(voter < own, b.yes_own, y))
    return np.count_nonzero(says_yes & (voter < voting), axis=0)


# -- intentions ----------------------------------------------------------------------------------


def reconsider(plan: Plan, runs: ActiveRuns, round_: int, night: Flags) -> Ints:
    """Let open members think again; set the counts, return the flows, shape (K, K, B)."""
    assert runs.choices is not None
    omega = laws.openness(runs.behaviour, runs.fluid, round_, night)
    alone = runs.unopposed >= 0
    omega[alone] = 0.0
    chance = shocks(plan, runs, round_)
    moved = Reconsideration(omega, pull(plan, runs, round_) + chance, chance, runs.departed & ~alone, runs.standing)
    flows = runs.choices.reconsider(runs.keys, round_, moved)
    came, left = (flows.sum(axis=axis, dtype=np.int16) for axis in (0, 1))
    runs.counts = runs.counts + came - left
    if round_ == 1:
        return np.zeros_like(flows)
    for k in range(plan.candidates):
        flows[k, k] = runs.counts[k] - came[k]
    return flows


def pull(plan: Plan, runs: ActiveRuns, round_: int) -> Floats:
    """Return the log-odds every candidate gains by the last tally, shape (K, B); none before the first round."""
    if round_ == 1:
        return np.zeros(runs.votes.shape)
    return laws.pull(runs.behaviour, runs.fluid, runs.crowded, runs.votes)


def shocks(plan: Plan, runs: ActiveRuns, round_: int) -> Floats:
    """Return the log-odds every candidate gains by what has happened since the last round, shape (K, B)."""
    if round_ == 1 or not np.any(runs.behaviour.round_sd):
        return np.zeros(runs.votes.shape)
    sway = rng.student(runs.keys, round_, rng.lanes(Lane.SWAY, plan.candidates))
    return np.asarray(laws.shock_scale(runs.behaviour) * sway, dtype=np.float64)
