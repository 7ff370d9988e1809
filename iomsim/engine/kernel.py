"""The rounds of many runs at once: arrays in, arrays out.

The kernel draws nothing of its own: every number comes from a run's key and the address
``(round, lane)``, so a run is the same whatever its neighbours do.  Here a round is held and the rules
are applied to it; what moves the members is in `laws`, how they vote in `choice_binary` and
`choice_multinomial`, and how the runs stand in `state`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import numpy as np

from iomsim.engine import laws, rng
from iomsim.engine.binomial import binomial_quantile
from iomsim.engine.choice import Reconsideration
from iomsim.engine.packing import pack_flags
from iomsim.engine.plan import Plan
from iomsim.engine.rng import Lane
from iomsim.engine.state import ActiveRuns, KernelOutput, RoundRecord, concatenate
from iomsim.engine.swings import go_over
from iomsim.rules import course
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Codes, Flags, Floats, Ints, Longs, PerRun, Places

COMPACT_BELOW = 0.85
"""Finished runs are dropped when fewer than this share of the columns are still in play."""

EXTRA_BALLOT = np.uint64(0x5851F42D4C957F2D)
"""Tells the random numbers of an extra ballot from those of the ballot before it."""

ROUNDS_APART = 3
"""Rounds that waves of runs hold one wave after the other, so that a wave stays in the cache."""

MAJORITY, ACCLAMATION, CONFIRMED, FAILED, OPEN = range(len(ENDINGS))
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
    last = plan.book.max_rounds
    out = KernelOutput(
        winner=np.full(runs, -1, dtype=np.int8),
        ending=np.full(runs, OPEN, dtype=np.uint8),
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
        conceded, extra, elected, how = apply_rules(plan, runs, round_, ended)
        clock.concessions(runs.run[conceded & ~runs.done])
        if extra.any():
            clock.hold_round(runs.run[extra & ~runs.done], round_)
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
    if round_ == 1 and plan.swings:
        go_over(plan, runs)
    before, roll = runs.votes, roll_call(plan, runs)
    runs.votes, strays = papers_of(plan, runs, round_, roll)
    if not plan.pairwise:
        runs.stood = np.where(runs.alone >= 0, runs.stood, runs.standing)
    valid = runs.votes.sum(axis=0, dtype=np.int16) + strays.sum(axis=0, dtype=np.int16)
    leader, ahead = course.leading(runs.votes)
    need = needed(plan, runs, valid, round_, roll)
    how = np.where(ahead & (runs.votes.max(axis=0) >= need), np.int8(MAJORITY), np.int8(STILL_OPEN))
    votes = runs.votes.copy() if plan.pairwise else np.where(runs.standing, runs.votes, np.int16(-1))
    asked = np.flatnonzero(runs.alone >= 0)
    if asked.size:
        yes = confirmations(plan, runs, round_, asked, roll)
        votes[:, asked] = -1
        votes[runs.alone[asked], asked] = yes
        leader[asked] = runs.alone[asked]
        how[asked] = np.where(yes >= need[asked], CONFIRMED, np.where(runs.conceded[asked], FAILED, STILL_OPEN))
        runs.votes[:, asked] = before[:, asked]  # what the rules and the members look back at is the last choice
    return (votes, valid, flows), (leader, how)


def needed(plan: Plan, runs: ActiveRuns, valid: Ints, round_: int, roll: RollCall) -> Longs:
    """Return the votes that elect in a round, in whole numbers."""
    bases = {"valid": valid, "present": runs.present - roll.barred.sum(axis=0)}
    if "entitled" in plan.book.bases:
        bases["entitled"] = np.broadcast_to(plan.entitled - roll.entitled, runs.width)
    return course.needed(plan.book, runs.position, round_, bases)


# -- after an inconclusive round -----------------------------------------------------------------


class Consequences(NamedTuple):
    """What follows from a round: where somebody withdrew, where an extra ballot was held, who is elected and how.

    `elected` is -1 for nobody, and `how` is `STILL_OPEN` where the election goes on.
    """

    conceded: Flags
    extra: Flags
    elected: Ints
    how: Ints


def apply_rules(plan: Plan, runs: ActiveRuns, round_: int, ended: tuple[Ints, Ints]) -> Consequences:
    """Let the trailing camp concede, then the rules say who leaves, who stands alone, and whether it ends."""
    leader, how = ended
    elected = np.where((how == STILL_OPEN) | (how == FAILED), np.int8(-1), leader)
    inconclusive = how == STILL_OPEN
    two = (runs.standing.sum(axis=0, dtype=np.int8) == 2) & (runs.alone < 0)
    conceded = concede(plan, runs, round_, inconclusive & two)
    acclaimed = conceded & by_phase(plan, runs, "acclamation")
    np.copyto(elected, leader, where=acclaimed)
    how[acclaimed] = ACCLAMATION
    faced = conceded & ~acclaimed
    if faced.any():
        np.copyto(runs.alone, leader, where=faced)
        runs.conceded, runs.held = runs.conceded | faced, runs.held + faced
        runs.standing = runs.standing & (~faced | (np.arange(plan.candidates)[:, None] == leader))
    extra = proceed(plan, runs, round_, np.flatnonzero(inconclusive & ~conceded), how)
    return Consequences(conceded, extra, elected, how)


def concede(plan: Plan, runs: ActiveRuns, round_: int, where: Flags) -> Flags:
    """Return where the trailing candidate of two withdraws; in a tie nobody concedes or refuses."""
    may = by_phase(plan, runs, "acclamation", "vote")
    if not np.any(may):
        return np.zeros(runs.width, dtype=bool)
    asked = where & may & course.leading(runs.votes)[1]
    chance = laws.concession(runs.behaviour, runs.non_concessions, runs.column)
    conceded = asked & (rng.uniform(runs.keys, round_, Lane.CONCEDE) < chance)
    runs.non_concessions = runs.non_concessions + (asked & ~conceded)
    return conceded


def by_phase(plan: Plan, runs: ActiveRuns, *withdrawals: str) -> Flags:
    """Return where the rules lead from a withdrawal to one of these, shape (B,); of one reading, one for all."""
    table = np.array([kind in withdrawals for kind in plan.book.withdrawals])
    return table[:1] if len(plan.book.readings) == 1 else table.take(runs.phase)


def proceed(plan: Plan, runs: ActiveRuns, round_: int, columns: Places, how: Ints) -> Flags:
    """Apply the rules to these runs, and mark those that they end; return where an extra ballot was held."""
    extra = np.zeros(runs.width, dtype=bool)
    if columns.size:
        columns = columns[course.moving(plan.book, runs.position)[columns]]
    if not columns.size:
        return extra
    keys, votes = runs.keys[columns], runs.votes[:, columns]
    at = course.Position(*(array.take(columns, axis=-1) for array in runs.position))

    def tickets(some: Places) -> Floats:
        return np.asarray(rng.uniform(keys[some], round_, rng.lanes(Lane.TICKET, plan.candidates)))

    level = course.tied(plan.book, at, votes)
    again = np.flatnonzero(level.any(axis=0))
    papers = np.zeros_like(votes)
    if again.size:
        papers[:, again] = extra_ballot(plan, runs, round_, columns[again], level[:, again])
        extra[columns[again]] = True
    after, failed = course.proceed(plan.book, at, votes, tickets, papers if again.size else None)
    how[columns[failed]] = FAILED
    for name, array in after._asdict().items():
        getattr(runs, name)[..., columns] = array
    return extra


def extra_ballot(plan: Plan, runs: ActiveRuns, round_: int, columns: Places, level: Flags) -> Ints:
    """Return the votes of one more ballot between those who are level, shape (K, columns).

    Their own voters stay with them; all others choose between them as they lean.  Afterwards everybody is where
    they were.
    """
    part = runs.part(columns)
    assert part.choices is not None
    part.keys = part.keys ^ EXTRA_BALLOT
    nothing, still = np.zeros(columns.size), np.zeros(level.shape)
    moved = Reconsideration(nothing, still, still, part.standing & ~level, level)
    flows = part.choices.reconsider(part.keys, round_, moved)
    part.counts = part.counts + flows.sum(axis=0, dtype=np.int16) - flows.sum(axis=1, dtype=np.int16)
    roll = roll_call(plan, part, extra=True)
    votes, _ = papers_of(plan, part, round_, roll)
    part.choices.release()
    return votes


# -- papers --------------------------------------------------------------------------------------


class RollCall(NamedTuple):
    """Members who do not vote like others, in numbers.

    Of shape ``(K, B)`` or ``(K, 1)``, by candidate: `barred`, those present who intend it but may not vote now; of
    the pinned who may vote, `bound` those who intend it and `pinned` those who are pinned to it.  Of shape ``(B,)``
    or ``(1,)``: `entitled`, those with a vote who are barred.
    """

    barred: Ints
    bound: Ints
    pinned: Ints
    entitled: Ints


def roll_call(plan: Plan, runs: ActiveRuns, extra: bool = False) -> RollCall:
    """Return who does not vote like others: members pinned, and those whom the phase bars while their candidate stands.

    The pinned intend their candidate while it stands, but for an `extra` ballot in which it does not.
    """
    pinned, nobody = plan.pinned[:, None].astype(np.int16), np.zeros((plan.candidates, 1), dtype=np.int16)
    bars = np.array([phase.barred for phase in plan.book.phases])
    barring = plan.barred.any() and bars.any()
    moved = not plan.pairwise and (extra or not (runs.standing & (runs.counts >= pinned))[plan.pinned > 0].all())
    if runs.choices is None or not (barring or moved):
        return RollCall(nobody, pinned, pinned, nobody[0])
    who = np.flatnonzero(plan.barred.any(axis=0) | (plan.pins >= 0))
    pins = plan.pins[who, None]
    out = (plan.barred[:, who, None] & (runs.standing & bars.take(runs.phase))[:, None]).any(axis=0)
    there = runs.choices.there(who) | (pins >= 0)
    intends = [runs.choices.intending(k, who) & there for k in range(plan.candidates)]
    count = [[x & out, x & ~out & (pins >= 0), ~out & (pins == k)] for k, x in enumerate(intends)]
    barred, bound, pinned = (np.count_nonzero(flags, axis=1).astype(np.int16) for flags in zip(*count, strict=True))
    return RollCall(barred, bound, pinned, np.count_nonzero(out & plan.votes[who, None], axis=0))


def papers_of(plan: Plan, runs: ActiveRuns, round_: int, roll: RollCall) -> tuple[Ints, Ints]:
    """Return every candidate's votes, and how many of those who intend it stray, shape (K, B).

    Members abstain and stray independently of each other and of their intention, which they keep, so those of one
    candidate are binomial: a part `abstain` of the free hand in no valid paper, and a part `stray` of the others one
    for a name that does not stand.  Pinned members do neither.  Strays are valid papers, but nobody's votes.
    """
    free = np.maximum(runs.counts - roll.barred - roll.bound, 0)
    silent = binomial_at(plan, runs, round_, Lane.ABSTAIN, free, runs.behaviour.abstain)
    votes, strays = runs.counts - roll.barred - silent, np.zeros((1, 1), dtype=np.int16)
    if np.any(runs.behaviour.stray):
        strays = binomial_at(plan, runs, round_, Lane.STRAY, free - silent, runs.behaviour.stray)
        strays = np.where(runs.alone < 0, strays, np.int16(0))  # yes or no is no question of names
        votes = votes - strays
    return votes, strays


def binomial_at(plan: Plan, runs: ActiveRuns, round_: int, lane: Lane, trials: Ints, chance: PerRun) -> Ints:
    """Return binomial numbers by candidate, shape (K, B), from the lanes that begin with one."""
    u = rng.uniform(runs.keys, round_, rng.lanes(lane, plan.candidates))
    return binomial_quantile(trials, laws.some(chance, runs.column), u)


def confirmations(plan: Plan, runs: ActiveRuns, round_: int, asked: Places, roll: RollCall) -> Ints:
    """Return the yes votes where the leader stands alone.

    Each of the leader's own voters says yes with probability `yes_own`, each of the others with probability y, one
    draw a run, whose law is another where the other candidate withdrew.  The pinned say yes to their own candidate
    and no to any other, whomever they intended last.
    """
    b, keys, alone = laws.select(runs.behaviour, runs.column[asked]), runs.keys[asked], runs.alone[asked]
    papers = runs.votes[:, asked]
    bound, pinned = (np.broadcast_to(x, runs.votes.shape)[:, asked] for x in (roll.bound, roll.pinned))
    column = np.arange(asked.size)
    sure = pinned[alone, column]
    own = sure + papers[alone, column] - bound[alone, column]
    free = sure + papers.sum(axis=0) - bound.sum(axis=0)
    y = laws.others_yes(b, runs.conceded[asked], rng.uniform(keys, round_, Lane.YES_SHARE))
    voter = np.arange(free.max(initial=0))[:, None]
    draw = rng.uniform(keys, round_, (Lane.YES + voter).astype(np.uint64))
    says_yes = (voter < sure) | (draw < np.where(voter < own, b.yes_own, y))
    return np.count_nonzero(says_yes & (voter < free), axis=0)


# -- intentions ----------------------------------------------------------------------------------


def reconsider(plan: Plan, runs: ActiveRuns, round_: int, night: Flags) -> Ints:
    """Let open members think again; set the counts, return the flows, shape (K, K, B)."""
    assert runs.choices is not None
    omega = laws.openness(runs.behaviour, runs.fluid, round_, night, runs.column)
    alone = runs.alone >= 0
    omega[alone] = 0.0
    chance = shocks(plan, runs, round_)
    must = runs.departed & ~alone
    moved = Reconsideration(
        omega, pull(plan, runs, round_) + chance, chance, must, runs.standing, recalled(plan, runs, round_)
    )
    flows = runs.choices.reconsider(runs.keys, round_, moved)
    came, left = (flows.sum(axis=axis, dtype=np.int16) for axis in (0, 1))
    runs.counts = runs.counts + came - left
    if round_ == 1:
        return np.zeros_like(flows)
    for k in range(plan.candidates):
        flows[k, k] = runs.counts[k] - came[k]
    return flows


def recalled(plan: Plan, runs: ActiveRuns, round_: int) -> Codes | None:
    """Return the members pinned to a candidate who has come back, a bit per member, shape (octets, B)."""
    back = runs.standing & (runs.counts < plan.pinned[:, None]) & (runs.alone < 0)
    if plan.pairwise or round_ == 1 or not back.any():
        return None
    planes = [pack_flags((plan.pins == k)[:, None]) for k in range(plan.candidates)]
    return np.asarray(np.bitwise_or.reduce([plane * back[k] for k, plane in enumerate(planes)]))


def pull(plan: Plan, runs: ActiveRuns, round_: int) -> Floats:
    """Return the log-odds every candidate gains by the last tally, shape (K, B); none before the first round."""
    if round_ == 1:
        return np.zeros(runs.votes.shape)
    seen = runs.votes if plan.pairwise else laws.looked_back_at(runs.votes, runs.stood, runs.standing)
    return laws.pull(runs.behaviour, runs.fluid, runs.crowded, seen, runs.column)


def shocks(plan: Plan, runs: ActiveRuns, round_: int) -> Floats:
    """Return the log-odds every candidate gains by what has happened since the last round, shape (K, B)."""
    if round_ == 1 or not np.any(runs.behaviour.round_sd):
        return np.zeros(runs.votes.shape)
    sway = rng.student(runs.keys, round_, rng.lanes(Lane.SWAY, plan.candidates))
    return np.asarray(laws.shock_scale(runs.behaviour, runs.column) * sway, dtype=np.float64)
