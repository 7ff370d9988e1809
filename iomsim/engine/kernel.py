"""The rounds of many runs at once: arrays in, arrays out.

The kernel draws nothing of its own: every number comes from a run's key and the address
``(round, lane)``, so a run is the same whatever its neighbours do.  How the runs stand is in
`states`, what goes on in the members' heads in `ballots`; here is what follows from it: papers,
majorities, withdrawals, endings.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from iomsim.engine import rng
from iomsim.engine.binomial import binomial_quantile
from iomsim.engine.choice import Urge
from iomsim.engine.packing import total
from iomsim.engine.rng import Lane
from iomsim.engine.state import Field, Hall, Played, Rows, Setting, State, abreast, opening, ragged, seated
from iomsim.rules.ruleset import ENDINGS
from iomsim.typing import U64, Flags, Floats, Ints, Places

__all__ = ["Field", "Hall", "Played", "Rows", "Setting", "State", "opening", "ragged", "seated"]

CROWDED = 0.85
"""Finished runs are dropped when fewer than this share of the columns are still in play."""

APART = 3
"""Rounds that waves of runs hold one wave after the other, so that a wave stays in the cache."""

MAJORITY, ACCLAMATION, CONFIRMED, FAILED, UNRESOLVED = range(len(ENDINGS))
OPEN = -1


class Ticker(Protocol):
    """Anything that lets a round pass and says where a night came before it."""

    def hold_round(self, active: Places, round_: int) -> Flags:
        """Let one round pass in the runs `active`."""

    def concessions(self, runs: Places) -> None:
        """Let the time of a withdrawal pass."""


def play(setting: Setting, field: Field, ticker: Ticker, after: int = 0) -> Played:
    """Play every run of the field from the round `after` on to its end.

    Parameters
    ----------
    setting : Setting
        What all runs share.
    field : Field
        The runs as they stand after round `after`; it is used up.
    ticker : Ticker
        The clocks of the runs.
    after : int
        Rounds already held.

    Returns
    -------
    Played
        Ending, winner and rounds of every run, and the rows of every round played here.
    """
    return play_waves(setting, [seated([field], field.width)], field.width, ticker, after)


def play_waves(setting: Setting, waves: Iterable[Hall], runs: int, ticker: Ticker, after: int = 0) -> Played:
    """Play runs to their end: wave by wave while most are open, then what is left side by side.

    `runs` is how many there are in all.  What a round costs apart from its members is shared by
    all runs that hold it together, so that late rounds, which few runs reach, had better be shared.
    """
    last = setting.rules.max_rounds
    played = Played(
        winner=np.full(runs, -1, dtype=np.int8),
        ending=np.full(runs, UNRESOLVED, dtype=np.uint8),
        rounds=np.full(runs, last, dtype=np.int16),
        rows=[],
    )
    together = min(after + APART, last)
    left = [advance(setting, hall, ticker, played, range(after + 1, together + 1)) for hall in waves]
    advance(setting, abreast(left), ticker, played, range(together + 1, last + 1))
    return played


def advance(setting: Setting, hall: Hall, ticker: Ticker, played: Played, rounds: Iterable[int]) -> Hall:
    """Hold these rounds and write down what comes of them; return the runs still open."""
    live = np.flatnonzero(~hall.done)
    for round_ in rounds:
        if live.size < CROWDED * hall.width:
            hall = hall.keep(live)
            live = np.arange(live.size)
        if not live.size:
            break
        night = np.zeros(hall.width, dtype=bool)
        night[live] = ticker.hold_round(hall.run[live], round_)
        rows, ended = hold(setting, hall, round_, night)
        whole = Rows(round_, hall.run, *rows)
        played.rows.append(whole if live.size == hall.width else whole.of(live))
        conceded, elected, how = settle(setting, hall, round_, ended)
        ticker.concessions(hall.run[conceded & ~hall.done])
        over = live[how[live] != OPEN]
        runs = hall.run[over]
        played.winner[runs], played.ending[runs], played.rounds[runs] = elected[over], how[over], round_
        hall.done[over] = True
        live = np.flatnonzero(~hall.done)
    return hall.keep(live)


def hold(setting: Setting, hall: Hall, round_: int, night: Flags) -> tuple[tuple[Ints, Ints, Ints], tuple[Ints, Ints]]:
    """Hold one round; return what was recorded, and who is elected and how by the count alone."""
    flows = reconsider(setting, hall, round_, night)
    hall.votes = hall.counts - abstentions(setting, hall, round_)
    valid = hall.votes.sum(axis=0, dtype=np.int16)
    leader, ahead = leading(hall.votes)
    need = needed(setting, hall, valid, round_)
    how = np.where(ahead & (hall.votes.max(axis=0) >= need), np.int8(MAJORITY), np.int8(OPEN))
    votes = hall.votes.copy() if setting.candidates == 2 else np.where(hall.standing, hall.votes, np.int16(-1))
    asked = np.flatnonzero(hall.alone >= 0)
    if asked.size:
        yes = confirmations(setting, hall, round_, asked)
        votes[:, asked] = -1
        votes[hall.alone[asked], asked] = yes
        leader[asked] = hall.alone[asked]
        how[asked] = np.where(yes >= setting.rules.needed(valid[asked], round_), CONFIRMED, FAILED)
    return (votes, valid, flows), (leader, how)


def needed(setting: Setting, state: State, valid: Ints, round_: int) -> Ints:
    """Return the votes that elect in a round, in whole numbers."""
    base = {"valid": valid, "present": state.present}.get(setting.rules.base)
    if base is None:
        return np.full(state.width, setting.rules.needed(setting.entitled, round_))
    table = setting.rules.needed(np.arange(int(base.max(initial=0)) + 1), round_)
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


def settle(setting: Setting, state: State, round_: int, ended: tuple[Ints, Ints]) -> tuple[Flags, Ints, Ints]:
    """Let the trailing camp concede, the last one leave, or the leader stand alone.

    Returns
    -------
    conceded : ndarray of bool
        Where the trailing candidate withdrew after this round.
    elected, how : ndarrays of int
        The winner (-1 for none) and the ending; `OPEN` where the election goes on.
    """
    leader, how = ended
    elected = np.where((how == OPEN) | (how == FAILED), np.int8(-1), leader)
    inconclusive = how == OPEN
    state.gone = np.full(state.width, -1, dtype=np.int16)
    two = state.standing.sum(axis=0, dtype=np.int8) == 2
    conceded = concede(setting, state, round_, inconclusive & two)
    if setting.rules.after_concession == "acclamation":
        np.copyto(elected, leader, where=conceded)
        how[conceded] = ACCLAMATION
    else:
        np.copyto(state.alone, leader, where=conceded)
    eliminate(setting, state, round_, inconclusive & ~two)
    face_alone(setting, state, round_, inconclusive & two & ~conceded)
    return conceded, elected, how


def concede(setting: Setting, state: State, round_: int, where: Flags) -> Flags:
    """Return where the trailing candidate of two withdraws.

    A run's readiness h ~ Beta(a, b) is integrated out: after m refusals the next concession has
    probability a / (a + b + m), the law of a Polya urn.  In a tie nobody concedes or refuses.
    """
    if not setting.rules.concession:
        return np.zeros(state.width, dtype=bool)
    a, b = setting.behaviour.concede_a, setting.behaviour.concede_b
    asked = where & leading(state.votes)[1]
    chance = a / (a + b + np.arange(int(state.refusals.max(initial=0)) + 1))
    conceded = asked & (rng.uniform(state.keys, round_, Lane.CONCEDE) < chance.take(state.refusals))
    state.refusals = state.refusals + (asked & ~conceded)
    return conceded


def eliminate(setting: Setting, state: State, round_: int, where: Flags) -> None:
    """Count inconclusive rounds among three or more, and drop the last candidate when due."""
    first, every = setting.rules.eliminate_after, setting.rules.eliminate_every
    state.crowded = state.crowded + where
    if first is None or setting.candidates == 2:
        return
    due = np.flatnonzero(where & (state.crowded >= first) & ((state.crowded - first) % every == 0))
    if due.size:
        papers = np.where(state.standing, state.votes, np.iinfo(np.int16).max)[:, due]
        last = by_lot(papers == papers.min(axis=0), state.keys[due], round_)
        state.standing[last, due] = False
        state.gone[due] = last


def face_alone(setting: Setting, state: State, round_: int, where: Flags) -> None:
    """Count inconclusive rounds between two, and let the leader face a yes/no round when due."""
    state.two_way = state.two_way + where
    cap = setting.rules.max_two_way
    if cap is None:
        return
    due = np.flatnonzero(where & (state.two_way >= cap))
    papers = np.where(state.standing, state.votes, -1)[:, due]
    state.alone[due] = by_lot(papers == papers.max(axis=0), state.keys[due], round_)


def by_lot(tied: Flags, keys: U64, round_: int) -> Ints:
    """Return one of the tied candidates of every column, each with the same chance."""
    ticket = np.floor(rng.uniform(keys, round_, Lane.LOT) * tied.sum(axis=0))
    return (tied & (np.cumsum(tied, axis=0) - 1 == ticket)).argmax(axis=0)


# -- papers --------------------------------------------------------------------------------------


def abstentions(setting: Setting, state: State, round_: int) -> Ints:
    """Return how many intending members of each candidate hand in no valid paper, shape (K, B).

    Members abstain independently of each other and of their intention, so those of one candidate
    are binomial.  Pinned members always vote.
    """
    free = np.maximum(state.counts - setting.pinned[:, None].astype(np.int16), 0)
    draw = rng.uniform(state.keys, round_, lanes(Lane.ABSTAIN, setting.candidates))
    return binomial_quantile(free, setting.behaviour.abstain, draw)


def lanes(first: int, count: int) -> U64:
    """Return neighbouring lanes as a column."""
    return np.arange(first, first + count, dtype=np.uint64)[:, None]


def confirmations(setting: Setting, state: State, round_: int, asked: Places) -> Ints:
    """Return the yes votes where the leader stands alone.

    Each of the leader's own voters says yes with probability `yes_own` (the pinned always), each
    of the others with probability y ~ Beta(a, b), one draw a run.
    """
    from scipy.special import betaincinv

    b, keys, alone = setting.behaviour, state.keys[asked], state.alone[asked]
    own = state.votes[alone, asked]
    voting = state.votes[:, asked].sum(axis=0)
    sure = np.minimum(setting.pinned[alone], own)
    y = betaincinv(b.yes_opponent_a, b.yes_opponent_b, rng.uniform(keys, round_, Lane.YES_SHARE))
    voter = np.arange(voting.max(initial=0))[:, None]
    draw = rng.uniform(keys, round_, (Lane.YES + voter).astype(np.uint64))
    says_yes = (voter < sure) | (draw < np.where(voter < own, b.yes_own, y))
    return np.count_nonzero(says_yes & (voter < voting), axis=0)


# -- intentions ----------------------------------------------------------------------------------


def reconsider(setting: Setting, hall: Hall, round_: int, night: Flags) -> Ints:
    """Let open members think again; set the counts, return the flows, shape (K, K, B)."""
    omega = openness(setting.behaviour, hall.fluid, round_, night)
    omega[hall.alone >= 0] = 0.0
    flows = hall.minds.think(hall.keys, round_, Urge(omega, pull(setting, hall, round_), hall.gone, hall.standing))
    came, left = (flows.sum(axis=axis, dtype=np.int16) for axis in (0, 1))
    hall.counts = hall.counts + came - left
    if round_ == 1:
        return np.zeros_like(flows)
    for k in range(setting.candidates):
        flows[k, k] = hall.counts[k] - came[k]
    return flows


def openness(b: SimpleNamespace, fluid: Flags, round_: int, night: Flags) -> Floats:
    """Return the probability that a member thinks again before this round."""
    if round_ == 1:
        return np.ones(fluid.size)
    fading = b.decay ** (round_ - 2)
    entrenched, moving = (
        b.openness_inf + (first - b.openness_inf) * fading for first in (b.openness_entrenched, b.openness_fluid)
    )
    omega = np.where(fluid, moving, entrenched)
    return np.where(night, np.maximum(omega, b.overnight), omega) if b.overnight else omega


def pull(setting: Setting, state: State, round_: int) -> Floats:
    """Return the log-odds every candidate gains by the last tally and by what happens since."""
    b = setting.behaviour
    if round_ == 1:
        return np.zeros(state.votes.shape)
    momentum = np.where(state.fluid, b.momentum_fluid, b.momentum_entrenched)
    out = momentum * np.log(np.maximum(state.votes, 0.5))
    if b.round_sd:
        shock = rng.student(state.keys, round_, lanes(Lane.SWAY, setting.candidates))
        out += b.round_sd / np.sqrt(2.0) * shock
    return out
