"""The analytic twin: small elections computed, not simulated, to check the simulation by.

Given what a run draws once, members act independently within a round.  So a tally is a sum of
independent indicators, whose law is found by convolution; and where members of a class lean alike,
the counts of those who intend the first of two candidates are a Markov chain, which is followed
round by round until it is absorbed.  Nothing here is random, nothing is approximated beyond the
rounding of floats, and nothing is shared with the simulation except the rules.

Two candidates throughout; everybody present hands in a valid paper in the chain.

Examples
--------
Thirty members who lean slightly to the first, and follow the last tally:

>>> from laws import exact
>>> path = exact.openness_by_round(first=0.55, floor=0.04, decay=0.45, rounds=20)
>>> ends = exact.chain(30, 0.2, openness=path, momentum=3.0, rules=exact.STRICT.with_(max_rounds=20))
>>> ends.table()["probability"].head(3).round(4).tolist()
[0.1485, 0.3883, 0.1567]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from iomsim.errors import IomsimError, whole_number
from iomsim.model.bodies import readings
from iomsim.rules.bar import Bar
from iomsim.rules.procedure import ENDINGS, Procedure, Stage

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]

STRICT = readings()["strict"]
TWO_THIRDS = Bar.of("2/3")

FLATTENING = 0.346
"""Hidden spread of variance s**2 flattens a logit by sqrt(1 + 0.346 s**2) (Zeger, Liang and Albert
1988, *Biometrics* 44, 1049-1060)."""

# -- sums of independent members -----------------------------------------------------------------


def poisson_binomial(chances: ArrayLike) -> Floats:
    """Return the law of the number of successes among independent trials that are not alike.

    Parameters
    ----------
    chances : array_like, shape (N, ...)
        Probability of success of each trial; further axes are separate laws.

    Returns
    -------
    ndarray, shape (N + 1, ...)
        Probability of 0, 1, ..., N successes.

    Raises
    ------
    IomsimError
        If a chance is no probability.

    Notes
    -----
    By direct convolution, O(N**2) per law.  Only non-negative numbers are added, so that the tails
    keep their relative precision, which a Fourier transform would lose.  See Hong (2013), "On
    computing the distribution function for the Poisson binomial distribution", *Computational
    Statistics & Data Analysis* 59, 41-51.

    Examples
    --------
    >>> poisson_binomial([0.5, 0.5]).tolist()
    [0.25, 0.5, 0.25]
    """
    each = probabilities("chances", chances)
    law = np.zeros((len(each) + 1, *each.shape[1:]))
    law[0] = 1.0
    for count, p in enumerate(each, start=1):
        law[1 : count + 1] = law[1 : count + 1] * (1 - p) + law[:count] * p
        law[0] *= 1 - p
    return law


def at_least(law: ArrayLike) -> Floats:
    """Return P(X >= x) for x = 0, 1, ..., added up from the far end, where the numbers are small.

    Examples
    --------
    >>> at_least(poisson_binomial([0.5, 0.5])).tolist()
    [1.0, 0.75, 0.25]
    """
    return np.cumsum(np.asarray(law, dtype=float)[::-1], axis=0)[::-1]


def joint_tallies(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the joint law of two candidates' votes.

    Parameters
    ----------
    first, second : array_like, shape (N,)
        Probability that a member's paper is for the first, for the second; what is missing to 1 is
        the probability of no valid paper.

    Returns
    -------
    ndarray, shape (N + 1, N + 1)
        Probability of `i` votes for the first and `j` for the second.

    Examples
    --------
    >>> joint_tallies([0.5], [0.25]).tolist()
    [[0.25, 0.25], [0.5, 0.0]]
    """
    p, q = probabilities("first", first), probabilities("second", second)
    none = probabilities("first + second", p + q, complement=True)
    law = np.zeros((len(p) + 1, len(p) + 1))
    law[0, 0] = 1.0
    for a, b, neither in zip(p, q, none, strict=True):
        before, law = law, law * neither
        law[1:] += before[:-1] * a
        law[:, 1:] += before[:, :-1] * b
    return law


# -- the first round -------------------------------------------------------------------------------


def first_chance(lean: ArrayLike, conviction: float = 0.0) -> Floats:
    """Return the chance that a member votes for the first candidate in round 1.

    Parameters
    ----------
    lean : array_like
        Systematic lean towards the first over the second, in log-odds on the scale of shares.
    conviction : float
        Sd of the hidden conviction, over which the chance is averaged.

    Notes
    -----
    ``E expit(c lean + conviction Z)`` with ``c = sqrt(1 + 0.346 conviction**2)`` and Z standard
    normal, by the trapezoid rule, whose error for such a smooth and bounded function falls
    exponentially with the step (Goodwin 1949, *Mathematical Proceedings of the Cambridge
    Philosophical Society* 45, 241-245): here it is below 1e-12.

    Examples
    --------
    >>> first_chance([0.0, 1.0], conviction=1.8).round(3).tolist()
    [0.5, 0.721]
    """
    if not (np.isfinite(conviction) and conviction >= 0):
        raise IomsimError(f"conviction must be 0 or more, got {conviction!r}")
    z = np.linspace(-8.5, 8.5, 2 * int(170 * max(1.0, conviction / 3)) + 1)
    weights = np.exp(-z * z / 2)
    steep = np.sqrt(1 + FLATTENING * conviction**2) * np.asarray(lean, dtype=float)
    return expit(steep[..., None] + conviction * z) @ (weights / weights.sum())


def first_round(
    lean: ArrayLike,
    conviction: float = 0.0,
    absent: ArrayLike = 0.0,
    abstain: float = 0.0,
    pinned: ArrayLike | None = None,
) -> Floats:
    """Return the joint law of the two tallies of round 1, given what a run draws once.

    Parameters
    ----------
    lean : array_like, shape (N,)
        Systematic lean of each member towards the first over the second, shocks included.
    conviction : float
        Sd of the hidden conviction; members' convictions are independent, so that averaging over
        them leaves the members independent.
    absent : array_like, shape (N,) or a number
        Probability that a member is absent.
    abstain : float
        Probability that a member who is present hands in no valid paper.
    pinned : array_like of int, shape (N,), optional
        0 or 1 for members who always vote, and for that candidate; -1 for the others.

    Returns
    -------
    ndarray, shape (N + 1, N + 1)
        As of :func:`joint_tallies`.

    Examples
    --------
    Three members without a lean; the chance that the first gets two of the three votes, or more:

    >>> law = first_round([0.0, 0.0, 0.0])
    >>> decided(law).tolist()
    [0.5, 0.5, 0.0]
    """
    chance = first_chance(lean, conviction)
    papers = (1 - probabilities("absent", absent)) * (1 - probabilities("abstain", abstain))
    first, second = chance * papers, (1 - chance) * papers
    if pinned is not None:
        pins = np.asarray(pinned)
        first, second = (np.where(pins >= 0, pins == k, x) for k, x in ((0, first), (1, second)))
    return joint_tallies(first, second)


def decided(law: Floats, rules: Procedure = STRICT, round_: int = 1) -> Floats:
    """Return the chances that a round elects the first, the second, nobody.

    Parameters
    ----------
    law : ndarray, shape (N + 1, N + 1)
        Joint law of the tallies, as of :func:`joint_tallies`.
    rules : Procedure
        Whose bases are all "valid": tallies tell nothing of who else was present.
    round_ : int
        The round, as far as the rules look at it.

    Examples
    --------
    >>> decided(joint_tallies([1.0, 1.0, 0.5], [0.0, 0.0, 0.5])).tolist()
    [1.0, 0.0, 0.0]
    """
    if rules.bases != {"valid"}:
        raise IomsimError(f"tallies decide only where the base is 'valid', got {', '.join(sorted(rules.bases))}")
    a, b = _votes(law)
    need = rules.needed(a + b, round_)
    first, second = ((x >= need) & (x > y) for x, y in ((a, b), (b, a)))
    return np.array([law[first].sum(), law[second].sum(), law[~first & ~second].sum()])


def share_law(law: Floats) -> pd.Series:
    """Return the law of the first candidate's share of the valid papers.

    Rounds without a valid paper have no share and are left out, so that the sum may be below 1.

    Examples
    --------
    >>> share_law(joint_tallies([0.5, 0.5], [0.5, 0.25])).to_dict()
    {0.0: 0.25, 0.5: 0.375, 1.0: 0.375}
    """
    a, b = _votes(law)
    known = (a + b > 0) & (law > 0)
    found = pd.Series(law[known], index=pd.Index(a[known] / (a + b)[known], name="share"), name="probability")
    return found.groupby(level=0).sum()


def _votes(law: Floats) -> tuple[Longs, Longs]:
    """Return the votes of both candidates in every cell of a joint law."""
    grid = np.indices(law.shape)
    return grid[0], grid[1]


# -- yes or no -------------------------------------------------------------------------------------


def yes_law(own: int, others: int, yes_own: float = 0.97, a: float = 2.2, b: float = 7.8) -> Floats:
    """Return the law of the yes votes when the leader stands alone.

    The leader's `own` voters say yes independently with probability `yes_own`; the `others` with a
    probability drawn once, from Beta(a, b), so that their yes votes are beta-binomial.

    Returns
    -------
    ndarray, shape (own + others + 1,)

    Examples
    --------
    >>> yes_law(1, 1, yes_own=1.0, a=1.0, b=1.0).round(3).tolist()
    [0.0, 0.5, 0.5]
    """
    own, others = whole_number("own", own, 0), whole_number("others", others, 0)
    if not (a > 0 and b > 0):
        raise IomsimError(f"a and b must be above 0, got {a!r} and {b!r}")
    k = np.arange(others)
    steps = np.log((others - k) * (a + k) / ((k + 1) * (b + others - 1 - k)))  # ln of P(k + 1) / P(k)
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    mixed = np.exp(logs - logs.max())
    mixed /= mixed.sum()
    return np.convolve(poisson_binomial(np.full(own, yes_own)), mixed)


def confirmation(
    own: int, others: int, yes_own: float = 0.97, a: float = 2.2, b: float = 7.8, bar: Bar = TWO_THIRDS
) -> float:
    """Return the chance that the leader alone is confirmed by enough of `own + others` papers.

    "most" are more yes than no.

    Examples
    --------
    From 75 to 73, all voting:

    >>> round(confirmation(75, 73), 4)
    0.1656
    """
    need = (Bar.of(">1/2") if bar.kind == "most" else bar).needed(own + others)
    return float(yes_law(own, others, yes_own, a, b)[need:].sum())


# -- numbers ---------------------------------------------------------------------------------------


def probabilities(name: str, values: ArrayLike, complement: bool = False) -> Floats:
    """Return the values as floats if all are probabilities, or 1 minus them."""
    out = np.asarray(values, dtype=float)
    if not ((out >= 0) & (out <= 1 + 1e-12 * complement)).all():
        raise IomsimError(f"{name} must be between 0 and 1, got {out.min():g} to {out.max():g}")
    return np.maximum(1 - out, 0.0) if complement else out


# -- whole elections ------------------------------------------------------------------------------

FIRST, SECOND, NOBODY = range(3)
MAJORITY, ACCLAMATION, CONFIRMED, FAILED, OPEN = range(len(ENDINGS))

FLOOR = 0.5
"""Fewest votes that a share is taken of: the momentum of an empty tally is finite."""


def openness_by_round(first: float, floor: float, decay: float, rounds: int) -> Floats:
    """Return the openness before rounds 2, 3, ...: ``floor + (first - floor) decay**(r - 2)``.

    Examples
    --------
    >>> openness_by_round(0.5, 0.25, 0.5, rounds=4).tolist()
    [0.5, 0.375, 0.3125]
    """
    return np.asarray(floor + (first - floor) * float(decay) ** np.arange(rounds - 1))


def beta_hazards(a: float, b: float, count: int) -> Floats:
    """Return the chance to concede next after 0, 1, ... refusals, of a readiness from Beta(a, b).

    The more often a camp has refused, the less ready it turns out to be: a / (a + b + refusals).

    Examples
    --------
    >>> beta_hazards(1.0, 1.0, 3).round(3).tolist()
    [0.5, 0.333, 0.25]
    """
    return np.asarray(a / (a + b + np.arange(count)), dtype=float)


@dataclass(frozen=True, eq=False)
class Ends:
    """How an election ends, exactly.

    Attributes
    ----------
    chances : ndarray, shape (endings, 3, rounds)
        Probability to end this way (in the order of the rules' endings), for the first, the second
        or nobody, in this round.  The sum is 1.
    """

    chances: Floats

    def elected(self, candidate: int | None = None) -> Floats:
        """Return the probability to be elected in rounds 1, 2, ...: of candidate 0, 1, or either."""
        winners = self.chances[:, :NOBODY].sum(axis=0)
        return winners.sum(axis=0) if candidate is None else winners[candidate]

    def endings(self) -> dict[str, float]:
        """Return the probability of every ending."""
        return dict(zip(ENDINGS, self.chances.sum(axis=(1, 2)).tolist(), strict=True))

    def table(self) -> pd.DataFrame:
        """Return, by round, what ``Forecast.rounds()`` estimates, and both candidates' parts.

        Returns
        -------
        DataFrame
            By round: `first`, `second`; `probability` that either is elected in it; `cumulative`;
            `ended_without_winner`, in this round; and `undecided`, still open afterwards.
        """
        lost = self.chances[:, NOBODY].sum(axis=0)
        out = pd.DataFrame({"first": self.elected(FIRST), "second": self.elected(SECOND)})
        out["probability"] = self.elected()
        out["cumulative"] = out["probability"].cumsum()
        out["ended_without_winner"] = lost
        ended = self.chances.sum(axis=(0, 1))
        out["undecided"] = np.append(at_least(ended)[1:], 0.0)
        out.index = pd.RangeIndex(1, len(out) + 1, name="round")
        return out


def mixture(parts: Iterable[tuple[float, Ends]]) -> Ends:
    """Return the ends of a contest that is one of several, by weight: fluid or entrenched.

    Examples
    --------
    >>> calm, wild = chain(9, openness=0.1), chain(9, openness=0.9)
    >>> round(float(mixture([(0.7, wild), (0.3, calm)]).chances.sum()), 12)
    1.0
    """
    weights, ends = zip(*parts, strict=True)
    if abs(sum(weights) - 1) > 1e-9:
        raise IomsimError(f"the weights of a mixture must add up to 1, got {sum(weights):g}")
    return Ends(np.tensordot(probabilities("weights", weights), [part.chances for part in ends], axes=1))


def chain(
    members: int | Sequence[int],
    log_odds: float | Sequence[float] = 0.0,
    *,
    openness: float | ArrayLike = 1.0,
    momentum: float = 0.0,
    rules: Procedure = STRICT,
    concede: float | tuple[float, float] = 0.0,
    yes_own: float = 0.97,
    yes_others: tuple[float, float] = (2.2, 7.8),
    yes_conceded: tuple[float, float] = (3.0, 1.0),
) -> Ends:
    """Follow an election of one or two classes of members round by round to its end.

    Parameters
    ----------
    members : int, or two of them
        Members of each class; all of them vote in every round.
    log_odds : float, or one per class
        How a class leans towards the first candidate.
    openness : float or array_like
        Probability that a member thinks again before rounds 2, 3, ...; the last one holds on.
    momentum : float
        Pull of the last tally: a member who thinks again adds
        ``momentum * ln(share of the first / share of the second)``, shares floored at half a vote.
    rules : Procedure
        As far as it matters to two of whom nobody is put out for good; nobody is ever elected in a tie.
    concede : float or (a, b)
        Probability that the trailing camp of an inconclusive round gives in, if the rules let it:
        the same after every round, or drawn once from Beta(a, b).
    yes_own, yes_others, yes_conceded : float, (a, b), (a, b)
        Who says yes to a leader alone, as in :func:`yes_law`; of the others if the rules have put
        theirs out, and if theirs conceded.

    Returns
    -------
    Ends

    Raises
    ------
    IomsimError
        If an argument makes no sense.

    Notes
    -----
    Of A members of a class who intend the first, Bin(A, 1 - w (1 - p)) stay, and of the B others
    Bin(B, w p) join them, where w is the openness and p depends on the class and the last tally.
    That is the Poisson-binomial law of A + B members of two kinds, so one function serves for all
    states at once.  The state is the count in every class, (n1 + 1)(n2 + 1) states, times the
    number of refusals if readiness to concede is drawn once.  A round costs about
    ``n * n * states`` operations.

    Examples
    --------
    Everybody open and no momentum: every round is a new toss, decided in 2 of 3 members' hands.

    >>> chain(3, rules=STRICT.with_(max_rounds=4)).elected().tolist()
    [1.0, 0.0, 0.0, 0.0]
    >>> chain(4, rules=STRICT.with_(max_rounds=4)).elected().tolist()
    [0.625, 0.234375, 0.087890625, 0.032958984375]
    """
    if not np.isfinite(momentum):
        raise IomsimError(f"momentum must be finite, got {momentum!r}")
    room = _room(members, log_odds)
    paths = np.atleast_1d(probabilities("openness", openness))
    hazards = _hazards(concede, rules)
    ends = np.zeros((len(ENDINGS), NOBODY + 1, rules.max_rounds))
    mass = np.zeros((len(hazards), room.size))
    mass[0] = room.moved(np.zeros((1, room.size)) + room.everybody, 1.0, 0.0)
    stages = list(rules.stages(2))
    for round_, stage in enumerate(stages, start=1):
        if rules.phases[stage.phase].vote == "yes-no":
            mass = _ask(mass, room, rules, stage, round_, (yes_own, *yes_others), ends)
            continue
        if stage.standing != 2:
            raise IomsimError("the chain knows no choice of one; give rules by which two stay in the race")
        if round_ > 1:
            mass = room.moved(mass, paths[min(round_ - 2, len(paths) - 1)], momentum)
        mass = _elect(mass, room, rules.bar(stage.phase, stage.held, round_), round_, ends)
        mass, left = _give_in(mass, room, rules, hazards, round_, ends)
        if round_ < rules.max_rounds:  # a vote after a withdrawal belongs to the phase, and decides
            next_ = stage._replace(held=stage.held + 1)
            refused = _ask(left[None], room, rules, next_, round_ + 1, (yes_own, *yes_conceded), ends)
            ends[FAILED, NOBODY, round_] += refused.sum()
        else:
            ends[OPEN, NOBODY, -1] += left.sum()
    spent = rules.next_stage(stages[-1], in_race=2).stage is None
    ends[FAILED if spent else OPEN, NOBODY, len(stages) - 1] += mass.sum()
    return Ends(ends)


def chain_with_strays(
    members: int,
    log_odds: float,
    stray: float,
    *,
    openness: float | ArrayLike = 1.0,
    momentum: float = 0.0,
    rules: Procedure = STRICT,
) -> Ends:
    """Follow an election of one class in which every paper is with a chance for a name that does not stand.

    Such a paper is valid, and in the base of the bar, but nobody's vote, and its member intends whom it did.  What the
    members look back at are the votes.  There are only choices between the two, and nobody concedes.

    Notes
    -----
    The state is the count of those who intend the first; given it both tallies are independent binomials, by which a
    round elects and on which the next depends.

    Examples
    --------
    Of three members with two for the first, both papers must be for it:

    >>> ends = chain_with_strays(3, 50.0, 0.5, rules=STRICT.with_(max_rounds=1))
    >>> ends.elected().tolist(), chain_with_strays(3, 50.0, 0.0, rules=STRICT.with_(max_rounds=1)).elected().tolist()
    ([0.5], [1.0])
    """
    probabilities("stray", stray)
    room, counts = _room(members, log_odds), np.arange(members + 1)
    paths = np.atleast_1d(probabilities("openness", openness))
    ends = np.zeros((len(ENDINGS), NOBODY + 1, rules.max_rounds))
    counted = np.stack([poisson_binomial(np.full(n, 1 - stray)) @ np.eye(n + 1, members + 1) for n in counts])
    mass = room.moved(room.everybody[None], 1.0, 0.0)[0]
    stages = list(rules.stages(2))
    for round_, stage in enumerate(stages, start=1):
        joint = mass[:, None, None] * counted[:, :, None] * counted[::-1, None, :]
        need = rules.bar(stage.phase, stage.held, round_).needed(members)
        a, b = counts[:, None], counts[None, :]
        for k, won in ((FIRST, (a >= need) & (a > b)), (SECOND, (b >= need) & (b > a))):
            ends[MAJORITY, k, round_ - 1] += joint[:, won].sum()
            joint[:, won] = 0.0
        mass = joint.sum(axis=(1, 2))
        if round_ < len(stages):
            omega = paths[min(round_ - 1, len(paths) - 1)]
            logs = np.log(np.maximum(counts, FLOOR))
            mass = np.zeros(members + 1)
            for votes in np.argwhere(joint.any(axis=0)):
                chance = expit(log_odds + momentum * (logs[votes[0]] - logs[votes[1]]))
                mass += poisson_binomial(_members(members, counts, chance, omega)) @ joint[:, votes[0], votes[1]]
    ends[OPEN, NOBODY, -1] += mass.sum()
    return Ends(ends)


@dataclass(frozen=True, eq=False)
class _Room:
    """The states of a chain: how many of each class intend the first candidate."""

    sizes: tuple[int, int]
    log_odds: tuple[float, float]
    counts: tuple[Longs, Longs]

    @property
    def size(self) -> int:
        return self.counts[0].size

    @property
    def members(self) -> int:
        return sum(self.sizes)

    @property
    def tally(self) -> Longs:
        """Votes for the first in every state."""
        return self.counts[0] + self.counts[1]

    @property
    def everybody(self) -> Floats:
        """All mass in the last state: before the first round it does not matter which."""
        return (self.tally == self.members).astype(float)

    @property
    def leader(self) -> Floats:
        """Which part of a state has the first, and which the second, for its leader; (2, states)."""
        ahead = np.sign(2 * self.tally - self.members)
        return np.array([(1 + ahead) / 2, (1 - ahead) / 2])

    def moved(self, mass: Floats, openness: float, momentum: float) -> Floats:
        """Return where the mass, shape (layers, states), is after members have thought again."""
        shares = np.maximum([self.tally, self.members - self.tally], FLOOR)
        pull = momentum * (np.log(shares[0]) - np.log(shares[1]))
        first, second = (
            poisson_binomial(_members(n, count, expit(lean + pull), openness))
            for n, count, lean in zip(self.sizes, self.counts, self.log_odds, strict=True)
        )
        return np.array([((first * layer) @ second.T).ravel() for layer in mass])


def _members(size: int, count: Longs, chance: Floats, openness: float) -> Floats:
    """Return every member's probability to intend the first next, in all states: (size, states)."""
    stay, join = 1 - openness * (1 - chance), openness * chance
    return np.where(np.arange(size)[:, None] < count, stay, join)


def _elect(mass: Floats, room: _Room, bar: Bar, round_: int, ends: Floats) -> Floats:
    """Note who is elected by the count; return the mass that is left."""
    need = bar.needed(room.members)
    votes = np.array([room.tally, room.members - room.tally])
    enough = (votes >= need) & (room.leader == 1.0)
    ends[MAJORITY, :NOBODY, round_ - 1] += enough @ mass.sum(axis=0)
    return np.where(enough.any(axis=0), 0.0, mass)


def _give_in(
    mass: Floats, room: _Room, rules: Procedure, hazards: Floats, round_: int, ends: Floats
) -> tuple[Floats, Floats]:
    """Let the trailing camp concede; return the mass that goes on, and that of leaders left alone.

    A refusal moves the mass to the next layer.  In a tie nobody concedes and nobody refuses.
    """
    asked = np.where(room.leader.max(axis=0) == 1.0, mass, 0.0)
    gone = asked * hazards[:, None]
    refused = asked - gone
    going_on = mass - asked
    going_on[1:] += refused[:-1]
    going_on[-1] += refused[-1]
    alone = gone.sum(axis=0)
    if rules.withdrawal == "vote":
        return going_on, alone
    ends[ACCLAMATION, :NOBODY, round_ - 1] += room.leader @ alone
    return going_on, np.zeros_like(alone)


def _ask(
    mass: Floats,
    room: _Room,
    rules: Procedure,
    stage: Stage,
    round_: int,
    yes: tuple[float, float, float],
    ends: Floats,
) -> Floats:
    """Hold a yes/no round on the leader of every state that has mass (ties by lot); return the mass of the refused."""
    bar, left = rules.bar(stage.phase, stage.held, round_), np.zeros_like(mass)
    for state in np.flatnonzero(mass.any(axis=0)):
        for k, votes in ((FIRST, room.tally[state]), (SECOND, room.members - room.tally[state])):
            weight = mass[:, state] * room.leader[k, state]
            passes = confirmation(int(votes), int(room.members - votes), *yes, bar) if weight.any() else 0.0
            ends[CONFIRMED, k, round_ - 1] += weight.sum() * passes
            left[:, state] += weight * (1 - passes)
    return left


def _room(members: int | Sequence[int], log_odds: float | Sequence[float]) -> _Room:
    sizes = [members] if isinstance(members, int) else list(members)
    leans = np.atleast_1d(np.asarray(log_odds, dtype=float)).tolist()
    if not 1 <= len(sizes) == len(leans) <= 2:
        raise IomsimError(f"give one or two classes, each with its log-odds; got {members!r} and {log_odds!r}")
    if not np.isfinite(leans).all():
        raise IomsimError(f"log_odds must be finite, got {log_odds!r}")
    one, two = ([whole_number("members", n, 1) for n in sizes] + [0])[:2]
    first, second = np.indices((one + 1, two + 1)).reshape(2, -1)
    return _Room((one, two), (leans[0], leans[-1]), (first, second))


def _hazards(concede: float | tuple[float, float], rules: Procedure) -> Floats:
    """Return the chance to concede by the number of refusals; one layer if it is always the same."""
    if rules.withdrawal == "none":
        return np.zeros(1)
    if isinstance(concede, tuple):
        if len(concede) != 2 or not all(x > 0 for x in concede):
            raise IomsimError(f"concede must be two numbers above 0, got {concede!r}")
        return beta_hazards(*concede, rules.max_rounds)
    return probabilities("concede", [concede])
