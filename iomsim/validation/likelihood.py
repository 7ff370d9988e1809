"""How likely announced tallies and withdrawals are under the between-rounds parameters.

Fitting needs the likelihood of many contests at thousands of parameter values, for which particles
would be too slow and too noisy.  Between two candidates it can be had in closed form, but for two
approximations (moves from a round among three or more have coarser ones: :mod:`iomsim.validation.crowded`):

* Given the announced shares (which momentum looks at), the level and the regime, members move
  independently.  A round's tally is a sum over members, so the tallies of consecutive rounds have
  exactly computable means and covariances (members who did not think again between two rounds vote
  alike in both), and their joint law is taken as normal: the central limit theorem, good for tens
  of members and more.
* The rounds' common shocks enter to first order, as normals of their variance.

The level of every series is integrated out over a grid, against a flat prior; the regime is summed over; hidden
conviction is integrated by the Gauss-Hermite rule.  How ready a camp is to concede does not depend on the
tallies, and is exact.  The tests check the whole against counts of simulated contests and against the live
update, which makes neither approximation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from iomsim.engine.laws import FLOOR, concession, conviction_scale, decayed_openness
from iomsim.typing import Floats
from iomsim.validation.contest import Contest
from iomsim.validation.crowded import ROUNDING, CrowdedMove, crowded_log_likelihood, crowded_moves
from iomsim.validation.segments import REGIMES, Segment, segments

LEVELS, REACH = 15, 4.5
"""Grid of the level, and how many standard errors of the first tally it reaches to either side."""

NODES = 24
"""Points of the Gauss-Hermite rule over hidden conviction."""

MAX_ROUNDS = 10
"""Rounds of a segment that are taken together."""

BATCH = 2**18
"""Numbers worked on at a time, so that they stay in the cache."""

OF_CONCESSION = ("concede_a", "concede_b")


@dataclass(frozen=True, eq=False)
class TallySeries:
    """The tallies of a segment between two candidates: what the likelihood looks at.

    Attributes
    ----------
    votes : ndarray, shape (m, 2)
        Votes of both in each round.
    size : int
        Members entitled to vote.
    before : int
        Rounds for one seat held before the first of them.
    """

    votes: Floats
    size: int
    before: int = 0

    def present(self, away: float) -> float:
        """Return the members present throughout, if this part of those missing at first is absent throughout."""
        valid = self.votes.sum(axis=1)
        return float(max(self.size - away * (self.size - valid[0]), valid.max()))


@dataclass(frozen=True)
class ConcessionRecord:
    """How often the trailing one of two did not concede, and whether it then did."""

    non_concessions: int
    conceded: bool


def tally_series(contest: Contest) -> tuple[TallySeries, ...]:
    """Return the segments of at least two rounds in which the same two stand throughout.

    Longer ones are cut every ten rounds, each piece starting from the last tally of the one before.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> [part.votes.tolist() for part in tally_series(contest("UNSC2014-WEOG"))]
    [[[120.0, 73.0], [132.0, 60.0]]]
    """
    return tuple(piece for segment in segments(contest) for piece in _pieces(segment))


def _pieces(segment: Segment) -> list[TallySeries]:
    tallies = np.array([known.tally for known in segment.rounds], dtype=float)
    stand = tallies[-1] > 0
    two = np.flatnonzero(((tallies > 0) == stand).all(axis=1))
    if stand.sum() != 2 or two.size < 2:
        return []
    votes, before = tallies[two[0] :, stand], segment.before + int(two[0])
    cuts = range(0, len(votes) - 1, MAX_ROUNDS - 1)
    return [TallySeries(votes[i : i + MAX_ROUNDS], segment.contest.size, before + i) for i in cuts]


def concession_record(contest: Contest) -> ConcessionRecord:
    """Return the rounds between two without a concession, unknown rounds included, and whether one then conceded.

    After a round that elects, and after a tie, nobody can concede; nor where the rules know no withdrawal.  Whether
    the other is then acclaimed or still voted on, it is a concession; a compromise on an outsider is none.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> concession_record(contest("UNSC2007-EEG")), concession_record(contest("UNSC2020-AF")).non_concessions
    (ConcessionRecord(non_concessions=1, conceded=True), 1)
    """
    end, decided = contest.rounds[-1] if contest.rounds else None, contest.decided_round
    voted_on = end is not None and end.kind == "single" and end.round == decided and contest.ending != "open"
    conceded = contest.ending == "acclamation" or voted_on
    if contest.rules.withdrawal == "none" and not conceded:
        return ConcessionRecord(0, False)
    last = decided - (contest.ending != "open") - voted_on
    tied = {known.round for known in contest.ordinary if known.tied}
    asked = [round_ for round_ in range(contest.two_way_from, last + 1) if round_ not in tied]
    return ConcessionRecord(len(asked), conceded)


# -- the likelihood --------------------------------------------------------------------------------


def log_likelihood(
    contests: Iterable[Contest], theta: SimpleNamespace, advance: Callable[[int], object] = lambda _: None
) -> Floats:
    """Return the log-likelihood of each contest at each parameter value, shape (contests, D).

    Parameters
    ----------
    contests : contests
        What was announced.
    theta : namespace of ndarrays, shape (D,)
        The fields of the behaviour; and three numbers, `conviction`, `secrecy`, and `away`, the part of the
        papers missing at first that are of members absent throughout.
    advance : callable, optional
        Is told the number of parameter values after each contest.
    """
    out = []
    for one in contests:
        pieces: tuple[TallySeries | CrowdedMove, ...] = (*tally_series(one), *crowded_moves(one))
        out.append(tally_log_likelihood(pieces, theta) + concession_log_likelihood(concession_record(one), theta))
        advance(len(theta.fluid))
    return np.array(out)


def concession_log_likelihood(record: ConcessionRecord, theta: SimpleNamespace) -> Floats:
    """Return the log-probability of the rounds without a concession and of the concession."""
    stayed = concession(theta, np.arange(record.non_concessions)[:, None])
    out = np.log1p(-stayed).sum(axis=0)
    return out + (np.log(concession(theta, record.non_concessions)) if record.conceded else 0.0)


def tally_log_likelihood(pieces: Iterable[TallySeries | CrowdedMove], theta: SimpleNamespace) -> Floats:
    """Return the log-likelihood of a contest's tallies, shape (D,); its regime is the same throughout."""
    pieces, size = tuple(pieces), len(theta.fluid)
    if not pieces:
        return np.zeros(size)
    if size > 1 and all(np.ptp(value) == 0 for key, value in vars(theta).items() if key not in OF_CONCESSION):
        first = {key: value if np.ndim(value) == 0 else value[:1] for key, value in vars(theta).items()}
        return np.repeat(tally_log_likelihood(pieces, SimpleNamespace(**first)), size)
    with np.errstate(divide="ignore"):
        chance = np.log(theta.fluid), np.log1p(-theta.fluid)
    fluid, frozen = (sum(piece_log_likelihood(piece, theta, regime) for piece in pieces) for regime in REGIMES)
    return np.asarray(np.logaddexp(chance[0] + fluid, chance[1] + frozen))


def piece_log_likelihood(piece: TallySeries | CrowdedMove, theta: SimpleNamespace, regime: str) -> Floats:
    """Return the log-density of the tallies of a series or a move in a regime, given the first of them, shape (D,)."""
    if isinstance(piece, CrowdedMove):
        return crowded_log_likelihood(piece, theta, regime)
    return series_log_likelihood(piece, theta, regime)


def series_log_likelihood(series: TallySeries, theta: SimpleNamespace, regime: str) -> Floats:
    """Return the log-density of the tallies after the first in a regime, given the first, shape (D,).

    A member of conviction z who thinks again before round s intends the first candidate with probability
    ``a[s] = expit(level + z + pull[s])``, and does so before every round with probability ``omega``.  So the chances
    of each round are a mixture of the `a`, whose weights depend neither on level nor on conviction: all that is
    integrated over conviction are the means of the `a` and of their products.
    """
    votes, first = series.votes, getattr(theta, f"openness_{regime}")
    ratio = np.log(np.maximum(votes[:-1, 0], FLOOR) / np.maximum(votes[:-1, 1], FLOOR))
    pull = _exp(-getattr(theta, f"momentum_{regime}") * ratio[:, None])  # (m - 1, D), as are the next two
    rounds = series.before + np.arange(len(ratio))[:, None]
    omega = np.asarray(decayed_openness(first, theta.openness_inf, theta.decay, rounds))
    still = np.prod(1 - decayed_openness(first, theta.openness_inf, theta.decay, np.arange(series.before)[:, None]), 0)
    nodes, mass = np.polynomial.hermite_e.hermegauss(NODES)
    hidden, mass = np.exp(-theta.conviction * nodes)[:, None], mass / mass.sum()
    known = slice(None) if series.before else slice(1)  # before round 1 the level is the same for all values
    level = _exp(-_levels(votes[0], theta.conviction, pull[0, known], still[known], hidden, mass))
    size, step = len(first), max(BATCH // (len(votes) * len(nodes) * LEVELS), 1)
    out = np.empty(size)
    for start in range(0, size, step):
        part = slice(start, start + step)
        lean = hidden[..., None] * (level[part] if series.before else level)  # (nodes, 1 or D, levels)
        chances = [1 / (1 + lean), *(1 / (1 + lean * e[part, None]) for e in pull)]
        means = [_mean(mass, a) for a in chances]
        products = [[_mean(mass, a * b) for b in chances[: s + 1]] for s, a in enumerate(chances)]
        mixed = [still[part, None], *omega[:, part, None]]
        mean, spread = _moments(
            means, products, mixed, theta.round_sd[part, None], votes.sum(axis=1), series.present(theta.away)
        )
        out[part] = _log_density([a - b for a, b in zip(votes[:, 0], mean, strict=True)], spread)
    return out


def _exp(x: Floats) -> Floats:
    """Return the exponential, bounded so that products of three are finite and no two are 0 times infinity."""
    return np.asarray(np.exp(np.clip(x, -230, 230)))


def _mean(mass: Floats, values: Floats) -> Floats:
    """Return the mean over the first axis."""
    return np.asarray((mass @ values.reshape(len(mass), -1)).reshape(values.shape[1:]))


def _levels(first: Floats, conviction: float, pull: Floats, still: Floats, hidden: Floats, mass: Floats) -> Floats:
    """Return a grid of levels, as members' log-odds, around the one that gives the first tally; (D, levels).

    Members who have not thought again (a part `still` of them) stand where their conviction puts them; the others
    did so under the pull of tallies that nobody knows, taken to have been like this one.
    """
    valid = first.sum()
    share = (first[0] + 0.5) / (valid + 1)
    scale, goal = conviction_scale(conviction), np.log(share / (1 - share))
    middle = np.full(len(pull), goal)
    for _ in range(6):
        lean = hidden * _exp(-scale * middle)
        now = still * (mass @ (1 / (1 + lean))) + (1 - still) * (mass @ (1 / (1 + lean * pull)))
        middle += goal - np.log(now / (1 - now))
    error = 1 / np.sqrt(valid * share * (1 - share))
    return np.asarray(scale * (middle[:, None] + error * np.linspace(-REACH, REACH, LEVELS)))


def _moments(
    means: list[Floats],
    products: list[list[Floats]],
    mixed: list[Floats],
    round_sd: Floats,
    valid: Floats,
    present: float,
) -> tuple[list[Floats], list[list[Floats]]]:
    """Return means and covariances (lower triangle) of the first candidate's votes, m and m x m of shape (D, levels).

    Parameters
    ----------
    means, products : lists of ndarray
        Means over conviction, and of the products (lower triangle), of the probabilities to intend the candidate:
        before the series without a pull, and for those who think again before each round after the first.
    mixed : list of ndarray
        The part of the members to whom the first applies in the first round (the second applies to the others);
        then the part that thinks again before each later round.
    round_sd : ndarray
        Spread of a round's shock, in log-odds.
    valid : ndarray, shape (m,)
        Papers of each round: of a random part of the members present.
    present : float
        Members present.
    """
    rounds = range(len(valid))

    def product(s: int, t: int) -> Floats:
        return products[max(s, t)][min(s, t)]

    def mix(values: list[Floats]) -> list[Floats]:
        """Return what holds in each round of what holds for those who think again before each."""
        out = [mixed[0] * values[0] + (1 - mixed[0]) * values[1]]
        for w, value in zip(mixed[1:], values[1:], strict=True):
            out.append((1 - w) * out[-1] + w * value)
        return out

    average = mix(means)
    half = [mix([product(s, t) for s in rounds]) for t in rounds]  # [think again before t][round]
    alike = [mix([half[t][r] for t in rounds]) for r in rounds]  # both rounds, thought through anew
    spread: list[list[Floats]] = []
    kept: list[Floats] = []  # of those who thought before each earlier round, who has not done so since
    shocks: list[Floats] = []  # variance of the mean probability by the shocks up to each round
    for r in rounds:
        w = mixed[r] if r else np.zeros(())
        push = round_sd * w * (means[r] - products[r][r]) if r else np.zeros(())
        kept = [k * (1 - w) for k in kept]
        shocks.append(((1 - w) ** 2 * shocks[-1] if r else 0.0) + push**2)
        row = [
            valid[r] * valid[s]
            * ((alike[r][s] + k * (average[s] - alike[s][s]) - average[r] * average[s]) / present + k * shocks[s])
            for s, k in enumerate(kept)
        ]  # fmt: skip
        spread.append([*row, valid[r] * average[r] * (1 - average[r]) + ROUNDING + valid[r] ** 2 * shocks[r]])
        kept.append(np.ones(()))
    return [n * a for n, a in zip(valid, average, strict=True)], spread


def _log_density(gap: list[Floats], spread: list[list[Floats]]) -> Floats:
    """Return the log-density of the later gaps given the first, the level integrated out: Cholesky by columns.

    The axes of the matrix are lists, so that every step is one operation along parameter values and levels.
    """
    scaled: list[Floats] = []  # gaps not explained by those before, in units of the diagonal
    lower: list[list[Floats]] = []  # of the unit triangle, times the diagonal
    diagonal: list[Floats] = []
    logs: list[Floats] = []
    for row, x in zip(spread, gap, strict=True):
        left: list[Floats] = []
        for j, value in enumerate(row[:-1]):
            left.append(value - sum(left[k] * lower[j][k] / diagonal[k] for k in range(j)))
        d = row[-1] - sum(value**2 / diagonal[k] for k, value in enumerate(left))
        y = x - sum(value * scaled[k] for k, value in enumerate(left))
        lower.append(left)
        diagonal.append(d)
        scaled.append(y / d)
        logs.append(-0.5 * (y * scaled[-1] + np.log(2 * np.pi * d)))
    return np.asarray(np.logaddexp.reduce(sum(logs), axis=-1) - np.logaddexp.reduce(logs[0], axis=-1))
