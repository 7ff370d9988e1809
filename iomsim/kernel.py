"""The vectorised rounds: arrays in, arrays out.

Arrays are members first, runs last, so that comparison and summation run along contiguous
memory.  The kernel draws nothing of its own: every number comes from a run's key and the address
``(round, lane)``, so a run is the same whatever its neighbours do.

A ballot costs one 16-bit uniform.  A member who thinks again with probability `omega` and would
then intend candidate 0 with probability `p` is told by one number `s` in [0, 2**16): think again
if ``s < omega 2**16``, and intend candidate 0 if ``s < omega p 2**16``.  Only where the sixteen
bits equal the integer part of a bound (once in 65536) do finer digits matter, and only there are
they looked up: no probability is rounded.  Between two candidates ``p = 1 / (1 + against * m)``
factors into a member's part (once a run) and a common part (once a round), so that the loop over
rounds has no exponential.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from iomsim import streams
from iomsim.rules import ENDINGS, Rules
from iomsim.streams import U64, Floats, Lane

TILE, WIDE_TILE = 256, 1024
"""Columns of a pass over all members, or over few: what one pass touches stays in the cache."""

SCALE = np.float32(2**16)
TOP = np.float32(2**16 - 1)
STEEP = 80.0
"""Bound on the common log-odds of a round, inside the range of single precision."""

MAJORITY, ACCLAMATION, CONFIRMED, FAILED, UNRESOLVED = range(len(ENDINGS))
OPEN = -1

Singles = NDArray[np.float32]
Codes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


class Ticker(Protocol):
    """Anything that lets a round pass and says where a night came before it."""

    def hold_round(self, active: NDArray[np.intp], round_: int) -> Flags:
        """Let one round pass in the runs `active`."""

    def concessions(self, runs: NDArray[np.intp]) -> None:
        """Let the time of a withdrawal pass."""


class Setting(NamedTuple):
    """What all runs of a block share.

    `pinned` counts the pinned members per candidate, shape ``(K,)``; `entitled` the members with
    a vote; `behaviour` holds the model's parameters as plain numbers.
    """

    candidates: int
    entitled: int
    pinned: Ints
    behaviour: SimpleNamespace
    rules: Rules


@dataclass
class Field:
    """The runs still in play, one column each; B columns, K candidates, N members.

    Attributes
    ----------
    run : ndarray of int, shape (B,)
        Number of the run in its block.
    keys, fluid, present : ndarrays, shape (B,)
        The run's key, whether its contest moves, and how many members are present.
    stance : ndarray of float32, shape (N, B) or (K, N, B)
        Odds against candidate 0 (two candidates), or log-odds of every candidate.
    intention : ndarray of uint8, shape (N, B)
        Candidate a member intends to vote for; K for the absent where three or more stand.
        Between two candidates the absent carry 0, never move, and are taken off the counts.
    counts, votes : ndarrays of int, shape (K, B)
        Members intending each candidate, and the papers of the last round.
    standing : ndarray of bool, shape (K, B)
        Who has neither withdrawn nor been eliminated.
    gone : ndarray of int, shape (B,)
        Candidate who left after the last round, or -1.
    alone : ndarray of int, shape (B,)
        Candidate who faces a yes/no round next, or -1.
    refusals, crowded, two_way : ndarrays of int, shape (B,)
        Times the trailing camp did not concede; inconclusive rounds with three or more standing;
        inconclusive rounds between two.
    done : ndarray of bool, shape (B,)
        Finished runs that have not yet been dropped.
    """

    run: NDArray[np.intp]
    keys: U64
    fluid: Flags
    present: Ints
    stance: Singles
    intention: Codes
    counts: Ints
    votes: Ints
    standing: Flags
    gone: Ints
    alone: Ints
    refusals: Ints
    crowded: Ints
    two_way: Ints
    done: Flags

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.run.size

    def keep(self, columns: Flags) -> Field:
        """Return the field with only these columns (runs are every array's last axis)."""
        kept = {f.name: np.compress(columns, getattr(self, f.name), axis=-1) for f in fields(self)}
        return Field(**kept)


def abreast(parts: list[Field]) -> Field:
    """Put the runs of several fields side by side, numbered anew."""
    names = [f.name for f in fields(Field)]
    joined = {name: beside([getattr(part, name) for part in parts]) for name in names}
    return Field(**joined | {"run": np.arange(joined["run"].size)})


def beside(arrays: list[np.ndarray]) -> np.ndarray:
    """Join arrays along their last axis, with rows that do not start a power of two apart.

    Rows at such distances fall on the same lines of a cache, and a tile of them drives itself out.
    """
    width = sum(array.shape[-1] for array in arrays)
    room = width + TILE if width // TILE % 2 == 0 else width
    out = np.empty((*arrays[0].shape[:-1], room), dtype=arrays[0].dtype)[..., :width]
    return np.concatenate(arrays, axis=-1, out=out)


class Rows(NamedTuple):
    """One round of the runs that held it: run, votes (K, n), valid (n,), flows (K, K, n)."""

    round_: int
    run: NDArray[np.intp]
    votes: Ints
    valid: Ints
    flows: Ints


class Played(NamedTuple):
    """How every run of a block ended, and the rounds it held."""

    winner: NDArray[np.int8]
    ending: NDArray[np.uint8]
    rounds: NDArray[np.int16]
    rows: list[Rows]


def opening(setting: Setting, keys: U64, fluid: Flags, absent: Flags, stance: Singles) -> Field:
    """Return the field before the first round: everybody present is open.

    Until they vote, all present count for candidate 0.
    """
    k, (n, width) = setting.candidates, absent.shape
    nothing = np.zeros(width, dtype=np.int64)
    intention = np.zeros((n, width), dtype=np.uint8)
    if k > 2:
        intention[absent] = k
    return Field(
        run=np.arange(width),
        keys=keys,
        fluid=fluid,
        present=n - np.count_nonzero(absent, axis=0),
        stance=stance,
        intention=intention,
        counts=np.where(np.arange(k)[:, None] == 0, n - np.count_nonzero(absent, axis=0), 0),
        votes=np.zeros((k, width), dtype=np.int64),
        standing=np.ones((k, width), dtype=bool),
        gone=nothing - 1,
        alone=nothing - 1,
        refusals=nothing,
        crowded=nothing,
        two_way=nothing,
        done=np.zeros(width, dtype=bool),
    )


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
    winner = np.full(field.width, -1, dtype=np.int8)
    ending = np.full(field.width, UNRESOLVED, dtype=np.uint8)
    rounds = np.full(field.width, setting.rules.max_rounds, dtype=np.int16)
    played: list[Rows] = []
    for round_ in range(after + 1, setting.rules.max_rounds + 1):
        live = np.flatnonzero(~field.done)
        if not live.size:
            break
        if live.size < 0.8 * field.width:
            field = field.keep(~field.done)
            live = np.arange(live.size)
        night = np.zeros(field.width, dtype=bool)
        night[live] = ticker.hold_round(field.run[live], round_)
        rows, ended = hold(setting, field, round_, night)
        played.append(Rows(round_, field.run[live], *(part[..., live] for part in rows)))
        conceded, elected, how = settle(setting, field, round_, ended)
        ticker.concessions(field.run[live[conceded[live]]])
        over = live[how[live] != OPEN]
        runs = field.run[over]
        winner[runs], ending[runs], rounds[runs] = elected[over], how[over], round_
        field.done[over] = True
    return Played(winner, ending, rounds, played)


def hold(
    setting: Setting, field: Field, round_: int, night: Flags
) -> tuple[tuple[Ints, Ints, Ints], tuple[Ints, Ints]]:
    """Hold one round; return what was recorded, and who is elected and how by the count alone."""
    flows = reconsider(setting, field, round_, night)
    field.votes = field.counts - abstentions(setting, field, round_)
    valid = field.votes.sum(axis=0)
    leader, ahead = leading(field.votes)
    need = needed(setting, field, valid, round_)
    enough = ahead & (field.votes.max(axis=0) >= need)
    how = np.where(enough, MAJORITY, OPEN)
    votes = np.where(field.standing, field.votes, -1)
    asked = np.flatnonzero(field.alone >= 0)
    if asked.size:
        yes = confirmations(setting, field, round_, asked)
        votes[:, asked] = -1
        votes[field.alone[asked], asked] = yes
        leader[asked] = field.alone[asked]
        passed = yes >= need[asked]
        how[asked] = np.where(passed, CONFIRMED, FAILED)
    return (votes, valid, flows), (leader, how)


def needed(setting: Setting, field: Field, valid: Ints, round_: int) -> Ints:
    """Return the votes that elect in a round, in whole numbers."""
    entitled = np.full(field.width, setting.entitled)
    base = {"valid": valid, "present": field.present, "entitled": entitled}[setting.rules.base]
    return np.asarray(setting.rules.needed(base, round_))


def leading(votes: Ints) -> tuple[Ints, Flags]:
    """Return the candidate with most votes and whether nobody shares that place."""
    top = votes.max(axis=0)
    return votes.argmax(axis=0), (votes == top).sum(axis=0) == 1


# -- after an inconclusive round -----------------------------------------------------------------


def settle(setting: Setting, field: Field, round_: int, ended: tuple[Ints, Ints]) -> tuple[Flags, Ints, Ints]:
    """Let the trailing camp concede, the last one leave, or the leader stand alone.

    Returns
    -------
    conceded : ndarray of bool
        Where the trailing candidate withdrew after this round.
    elected, how : ndarrays of int
        The winner (-1 for none) and the ending; `OPEN` where the election goes on.
    """
    leader, how = ended
    elected = np.where((how == OPEN) | (how == FAILED), -1, leader)
    inconclusive = how == OPEN
    field.gone = np.full(field.width, -1, dtype=np.int64)
    two = field.standing.sum(axis=0) == 2
    conceded = concede(setting, field, round_, inconclusive & two)
    if setting.rules.after_concession == "acclamation":
        elected[conceded], how[conceded] = leader[conceded], ACCLAMATION
    else:
        field.alone[conceded] = leader[conceded]
    eliminate(setting, field, round_, inconclusive & ~two)
    face_alone(setting, field, round_, inconclusive & two & ~conceded)
    return conceded, elected, how


def concede(setting: Setting, field: Field, round_: int, where: Flags) -> Flags:
    """Return where the trailing candidate of two withdraws.

    A run's readiness h ~ Beta(a, b) is integrated out: after m refusals the next concession has
    probability a / (a + b + m), the law of a Polya urn.  In a tie nobody concedes or refuses.
    """
    nobody = np.zeros(field.width, dtype=bool)
    if not setting.rules.concession:
        return nobody
    a, b = setting.behaviour.concede_a, setting.behaviour.concede_b
    asked = where & leading(field.votes)[1]
    conceded = asked & (streams.uniform(field.keys, round_, Lane.CONCEDE) < a / (a + b + field.refusals))
    field.refusals = field.refusals + (asked & ~conceded)
    return conceded


def eliminate(setting: Setting, field: Field, round_: int, where: Flags) -> None:
    """Count inconclusive rounds among three or more, and drop the last candidate when due."""
    first, every = setting.rules.eliminate_after, setting.rules.eliminate_every
    field.crowded = field.crowded + where
    if first is None or setting.candidates == 2:
        return
    due = np.flatnonzero(where & (field.crowded >= first) & ((field.crowded - first) % every == 0))
    if due.size:
        papers = np.where(field.standing, field.votes, np.iinfo(np.int64).max)[:, due]
        last = by_lot(papers == papers.min(axis=0), field.keys[due], round_)
        field.standing[last, due] = False
        field.gone[due] = last


def face_alone(setting: Setting, field: Field, round_: int, where: Flags) -> None:
    """Count inconclusive rounds between two, and let the leader face a yes/no round when due."""
    field.two_way = field.two_way + where
    cap = setting.rules.max_two_way
    if cap is None:
        return
    due = np.flatnonzero(where & (field.two_way >= cap))
    papers = np.where(field.standing, field.votes, -1)[:, due]
    field.alone[due] = by_lot(papers == papers.max(axis=0), field.keys[due], round_)


def by_lot(tied: Flags, keys: U64, round_: int) -> Ints:
    """Return one of the tied candidates of every column, each with the same chance."""
    ticket = np.floor(streams.uniform(keys, round_, Lane.LOT) * tied.sum(axis=0))
    return (tied & (np.cumsum(tied, axis=0) - 1 == ticket)).argmax(axis=0)


# -- papers --------------------------------------------------------------------------------------


def abstentions(setting: Setting, field: Field, round_: int) -> Ints:
    """Return how many intending members of each candidate hand in no valid paper, shape (K, B).

    Members abstain independently of each other and of their intention, so those of one candidate
    are binomial.  Pinned members always vote.
    """
    out = np.zeros_like(field.counts)
    free = np.maximum(field.counts - setting.pinned[:, None], 0)
    for k in range(setting.candidates):
        draw = streams.uniform(field.keys, round_, Lane.ABSTAIN + k)
        out[k] = binomial_quantile(free[k], setting.behaviour.abstain, draw)
    return out


GUIDES = 256
"""Cells of the guide table: most quantiles are found in the first cell looked at."""


def binomial_quantile(trials: Ints, p: float, u: Floats) -> Ints:
    """Return the binomial number whose distribution function first exceeds `u`.

    A guide table (Chen and Asau 1974, *Journal of the ACM* 21, 591-599) says from where to count.
    """
    if p in (0.0, 1.0):
        return trials * int(p)
    table, guide = binomial_cdf(1 << int(trials.max(initial=0)).bit_length(), p)
    out = guide[trials, (u * GUIDES).astype(np.intp)]
    short = np.flatnonzero(u >= table[trials, out])
    while short.size:
        out[short] += 1
        short = short[u[short] >= table[trials[short], out[short]]]
    return out


@cache
def binomial_cdf(most: int, p: float) -> tuple[Floats, Ints]:
    """Return P(X <= x) for X ~ Bin(n, p), n = 0..most in rows, and the table's guide.

    By Pascal's rule; ``guide[n, j]`` is the quantile of ``j / GUIDES``.
    """
    pmf = np.zeros((most + 1, most + 2))
    pmf[0, 0] = 1.0
    for n in range(1, most + 1):
        pmf[n] = (1 - p) * pmf[n - 1]
        pmf[n, 1:] += p * pmf[n - 1, :-1]
    cdf = np.cumsum(pmf, axis=1)
    cdf[np.arange(most + 2) >= np.arange(most + 1)[:, None]] = 1.0
    cells = np.arange(GUIDES) / GUIDES
    return cdf, np.array([np.searchsorted(row, cells, side="right") for row in cdf])


def confirmations(setting: Setting, field: Field, round_: int, asked: NDArray[np.intp]) -> Ints:
    """Return the yes votes where the leader stands alone.

    Each of the leader's own voters says yes with probability `yes_own` (the pinned always), each
    of the others with probability y ~ Beta(a, b), one draw a run.
    """
    from scipy.special import betaincinv

    b, keys, alone = setting.behaviour, field.keys[asked], field.alone[asked]
    own = field.votes[alone, asked]
    voting = field.votes[:, asked].sum(axis=0)
    sure = np.minimum(setting.pinned[alone], own)
    y = betaincinv(b.yes_opponent_a, b.yes_opponent_b, streams.uniform(keys, round_, Lane.YES_SHARE))
    voter = np.arange(voting.max(initial=0))[:, None]
    draw = streams.uniform(keys, round_, (Lane.FINE + voter).astype(np.uint64))
    says_yes = (voter < sure) | (draw < np.where(voter < own, b.yes_own, y))
    return np.count_nonzero(says_yes & (voter < voting), axis=0)


# -- intentions ----------------------------------------------------------------------------------


def reconsider(setting: Setting, field: Field, round_: int, night: Flags) -> Ints:
    """Let open members think again; set the counts, return the flows, shape (K, K, B)."""
    omega = openness(setting.behaviour, field.fluid, round_, night)
    omega[field.alone >= 0] = 0.0
    draw = pull(setting, field, round_)
    flows = np.zeros((setting.candidates, setting.candidates, field.width), dtype=np.int64)
    if setting.candidates == 2 and round_ <= streams.EARLY:
        desk = Desk(len(field.intention), min(field.width, TILE))
        for tile in tiles(field.width, TILE):
            all_think(field, round_, tile, omega, draw, flows, desk)
    else:
        for tile in tiles(field.width, WIDE_TILE):
            some_think(setting, field, round_, tile, omega, draw, flows)
        moved = flows.sum(axis=0) - flows.sum(axis=1)
        field.counts = field.counts + moved
    for k in range(setting.candidates):
        flows[k, k] = field.counts[k] - flows[:, k].sum(axis=0)
    return flows if round_ > 1 else np.zeros_like(flows)


def openness(b: SimpleNamespace, fluid: Flags, round_: int, night: Flags) -> Floats:
    """Return the probability that a member thinks again before this round."""
    if round_ == 1:
        return np.ones(fluid.size)
    first = np.where(fluid, b.openness_fluid, b.openness_entrenched)
    omega = b.openness_inf + (first - b.openness_inf) * b.decay ** (round_ - 2)
    return np.where(night, np.maximum(omega, b.overnight), omega)


def pull(setting: Setting, field: Field, round_: int) -> Floats:
    """Return the log-odds every candidate gains by the last tally and by what happens since."""
    b = setting.behaviour
    if round_ == 1:
        return np.zeros(field.votes.shape)
    momentum = np.where(field.fluid, b.momentum_fluid, b.momentum_entrenched)
    out = momentum * np.log(np.maximum(field.votes, 0.5))
    if b.round_sd:
        for k in range(setting.candidates):
            out[k] += b.round_sd / np.sqrt(2.0) * streams.student(field.keys, round_, Lane.SWAY + 2 * k)
    return out


def tiles(width: int, size: int) -> Iterator[slice]:
    """Cut the columns into tiles."""
    return (slice(start, min(start + size, width)) for start in range(0, width, size))


class Desk:
    """Buffers for one tile: arrays made anew for every pass would cost more than the pass."""

    def __init__(self, members: int, width: int) -> None:
        self.booth = streams.Booth(members, width)
        self._singles = np.empty(members * width, dtype=np.float32)
        self._whole = np.empty(members * width, dtype=np.uint16)
        self._flags = np.empty((3, members * width), dtype=bool)

    def singles(self, shape: tuple[int, int]) -> Singles:
        """Return room for single-precision numbers."""
        return self._singles[: shape[0] * shape[1]].reshape(shape)

    def whole(self, shape: tuple[int, int]) -> NDArray[np.uint16]:
        """Return room for 16-bit numbers."""
        return self._whole[: shape[0] * shape[1]].reshape(shape)

    def flags(self, which: int, shape: tuple[int, int]) -> Flags:
        """Return room for flags, one of three."""
        return self._flags[which, : shape[0] * shape[1]].reshape(shape)


def all_think(field: Field, round_: int, tile: slice, omega: Floats, draw: Floats, flows: Ints, desk: Desk) -> None:
    """Let most members of a tile think again: two candidates, early rounds.

    One bound per member, from its odds and the round's common odds.
    """
    intention, keys = field.intention[:, tile], field.keys[tile]
    bits = desk.booth.sixteen(keys, round_)
    reach = (omega[tile] * SCALE).astype(np.float32)
    common = np.exp(np.clip(draw[1, tile] - draw[0, tile], -STEEP, STEEP)).astype(np.float32)
    with np.errstate(over="ignore"):
        bound = np.multiply(field.stance[:, tile], common, out=desk.singles(bits.shape))
    bound += np.float32(1.0)
    np.divide(reach, bound, out=bound)
    second = beyond(bits, bound, keys, round_, desk, out=desk.flags(0, bits.shape))
    settled = beyond(bits, reach, keys, round_, desk, out=desk.flags(1, bits.shape))
    moved = np.not_equal(intention.view(bool), second, out=desk.flags(2, bits.shape))
    np.greater(moved, settled, out=moved)  # moved and not settled
    second &= moved
    intention ^= moved.view(np.uint8)
    joined = total(second.view(np.uint8))
    flows[0, 1, tile] = joined
    flows[1, 0, tile] = total(moved.view(np.uint8)) - joined
    field.counts[1, tile] = total(intention)
    field.counts[0, tile] = field.present[tile] - field.counts[1, tile]


def total(flags: Codes) -> NDArray[np.uint16]:
    """Count the members flagged in every column, in the narrowest numbers that hold them."""
    narrow = np.uint8 if len(flags) < 256 else np.uint16
    return np.add.reduce(flags, axis=0, dtype=narrow).astype(np.uint16)


def some_think(
    setting: Setting, field: Field, round_: int, tile: slice, omega: Floats, draw: Floats, flows: Ints
) -> None:
    """Let members think again one by one, but all of a tile at once.

    For later rounds, when few do, and for three or more candidates.  Only members whose leading
    bits say that they may think again are looked at.
    """
    k, width = setting.candidates, tile.stop - tile.start
    reach, gone = omega[tile] * SCALE, field.gone[tile]
    member, column = suspects(field, round_, tile, np.where(gone >= 0, float(SCALE), reach))
    intention, keys = field.intention[:, tile], field.keys[tile]
    old = intention[member, column]
    s = streams.ballot(keys[column], round_, member.astype(np.uint64))
    reach = np.where(old == gone[column], float(SCALE), reach[column])
    think = np.flatnonzero((s < reach) & (old < k))
    member, column, old = member[think], column[think], old[think]
    new = choose(field, tile, member, column, s[think] / reach[think], draw)
    moved = np.flatnonzero(old != new)
    member, column, old, new = member[moved], column[moved], old[moved], new[moved]
    intention[member, column] = new
    code = (old.astype(np.int64) * k + new) * width + column
    flows[:, :, tile] += np.bincount(code, minlength=k * k * width).reshape(k, k, width)


def suspects(field: Field, round_: int, tile: slice, reach: Floats) -> tuple[Places, Places]:
    """Return member and column wherever the leading bits leave open that a member thinks again."""
    keys, members = field.keys[tile], len(field.intention)
    booth = streams.Booth(members, keys.size)
    if round_ <= streams.EARLY:
        limit = np.minimum(reach, 65535).astype(np.uint16)
        member, column = np.divmod(np.flatnonzero(booth.sixteen(keys, round_) <= limit), keys.size)
        return member, column
    limit = np.repeat(np.minimum(reach // 256, 255).astype(np.uint8), 8)
    row, place = np.divmod(np.flatnonzero(booth.eight(keys, round_) <= limit), limit.size)
    member, column = 8 * row + place % 8, place // 8
    real = member < members
    return member[real], column[real]


def choose(field: Field, tile: slice, member: Places, column: Places, u: Floats, draw: Floats) -> Codes:
    """Return whom these members of a tile intend when they think again, by uniforms `u`.

    The multinomial logit among those standing, by its cumulative probabilities.  Nobody chooses
    a candidate who is out, whatever the rounding.
    """
    standing, draw, k = field.standing[:, tile], draw[:, tile], len(field.standing)
    if k == 2:
        common = np.exp(np.clip(draw[1] - draw[0], -STEEP, STEEP)).astype(np.float32)
        with np.errstate(over="ignore"):
            first = 1.0 / (1.0 + field.stance[:, tile][member, column] * common[column])
        return (u >= first).astype(np.uint8)
    weights = field.stance[:, :, tile][:, member, column]
    weights += np.where(standing, draw, -np.inf).astype(np.float32)[:, column]
    weights -= weights.max(axis=0)
    np.exp(weights, out=weights)
    bounds = np.cumsum(weights, axis=0)
    bounds /= bounds[-1]
    last = k - 1 - standing[::-1].argmax(axis=0)
    return np.minimum((u >= bounds[:-1]).sum(axis=0), last[column]).astype(np.uint8)


def beyond(bits: NDArray[np.uint16], bound: Singles, keys: U64, round_: int, desk: Desk, out: Flags) -> Flags:
    """Return where uniforms lie at or beyond real-valued bounds in [0, 2**16], exactly.

    `bits` hold the integer parts of the uniforms; `bound` has their shape or is one per column.
    Where the integer parts are equal, the uniform's further digits decide.
    """
    capped = bound if bound.max(initial=0) < SCALE else np.minimum(bound, TOP)
    whole = desk.whole(bits.shape) if bound.ndim == 2 else np.empty(bound.shape, np.uint16)
    np.copyto(whole, capped, casting="unsafe")
    tied = np.flatnonzero(np.equal(bits, whole, out=out))
    np.greater_equal(bits, whole, out=out)
    if tied.size:
        member, column = np.divmod(tied, bits.shape[1])
        lanes = np.uint64(Lane.FINE) + member.astype(np.uint64)
        s = bits[member, column] + streams.uniform(keys[column], round_, lanes)
        out[member, column] = s >= np.broadcast_to(bound, bits.shape)[member, column]
    return out


def ragged(played: Played, candidates: int, after: int = 0) -> tuple[NDArray[np.int16], ...]:
    """Return votes (R, K), valid (R,) and flows (R, K, K) ordered by run, then round."""
    held = played.rounds.astype(np.int64) - after
    start = np.cumsum(held) - held
    total = int(held.sum())
    votes = np.zeros((total, candidates), dtype=np.int16)
    valid = np.zeros(total, dtype=np.int16)
    flows = np.zeros((total, candidates, candidates), dtype=np.int16)
    for rows in played.rows:
        at = start[rows.run] + rows.round_ - after - 1
        votes[at], valid[at], flows[at] = rows.votes.T, rows.valid, np.moveaxis(rows.flows, -1, 0)
    return votes, valid, flows
