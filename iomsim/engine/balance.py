"""Analysts think in shares, the model in log-odds: find the appeals that give a share.

What a member thinks of a candidate is the candidate's lean, plus lognormal campaigns, plus normal shocks and hidden
conviction; these are independent from candidate to candidate, and of two candidates only the difference counts.  So
the laws are one-dimensional, and are added up by their characteristic functions: each campaign, whatever their
number, costs a sum of its own and no grid over all of them.

* Of two, with X the difference of their `v` without the logit's noise (Fourier transform of the logistic function)::

      P(first) = 1/2 + integral over w > 0 of  Im E exp(i w X) / sinh(pi w)

* Of more, a multinomial logit is the choice of the greatest of ``v_k`` + Gumbel noise.  With the distribution ``F_k``
  of that sum, inverted from its characteristic function (Gil-Pelaez 1951, Biometrika 38, 481-482)::

      P(k) = integral of  F_k'(x) times the product of F_j(x) over j other than k

Integrals are sums at midpoints, whose error falls exponentially; what is added up repeats beyond a period, which is
chosen so that nothing lies there.  Everything is elementwise in the columns, or a sum (or a small matrix product)
within a column, so that a column gets the same bits solved alone or among others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from iomsim.engine import laws
from iomsim.engine.plan import Classes, ExposureTerm, Plan
from iomsim.errors import ScenarioError
from iomsim.typing import Flags, Floats, Longs, PerRun, Places

DECAY = 10.0
"""Logarithm of what is left of an integrand where its sum stops."""

MARGIN = 9.0
"""Log-odds beyond which a logit counts as certain."""

NORMAL_REACH = 4.0
"""Standard deviations beyond which a normal law is cut off."""

STRAY = 2.0
"""Log-odds by which a solution may differ from the guess around which its laws were laid out."""

FARTHEST = 45.0
"""Log-odds beyond which a class is certain, whatever a campaign does."""

NODES = (7, 12, 20, 32, 48, 80, 128)
"""How many campaigns stand for all: a Gauss rule, then sums at equal steps."""

CLOSE = 1e-4
"""Error of the logit of a share at which the step that follows is the last."""

FINENESS = 1.0
"""Step between points of a law, in units of its width."""

TOGETHER = 8
"""Campaigns that are worked on at once."""

LEAST = 2e-6
"""Shares below are not told apart: sums of the laws are no better than that."""

SPARED = 0.01
"""Share of the free members' papers that is left where a share is moved into reach."""

STEPS, ATTEMPTS = 60, 60

ELEMENTS = 40_000
"""Numbers of a block of columns: they fit into the cache."""


def solve_levels(plan: Plan, targets: Mapping[int, PerRun]) -> Floats:
    """Return what to add to the appeals so that mean shares of the first round are as asked.

    The mean share of a candidate is the mean number of its papers over the mean number of valid papers, over everything
    that a run draws: campaigns, shocks, hidden conviction, absence, abstention.  Members barred from the first ballot
    have no part in it.

    Parameters
    ----------
    plan : Plan
        The election; its values are numbers, or arrays with one entry a column.
    targets : dict of float or ndarray, shape (B,)
        Mean share by the candidate's number.

    Returns
    -------
    ndarray, shape (K, B)
        In log-odds; 0 for candidates without a target.  Shares are met within 0.0005.

    Raises
    ------
    ScenarioError
        If a share is out of reach.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").plan.at({"behaviour.conviction": np.array([0.5, 1.8])})
    >>> solve_levels(plan, {0: 0.6}).round(2).tolist()
    [[0.44, 0.45], [0.0, 0.0]]
    """
    width = max(np.size(value) for value in (*plan.values.values(), *targets.values()))
    members = _members(plan, width)
    asked = {k: np.broadcast_to(np.asarray(target, dtype=float), (width,)) for k, target in targets.items()}
    named = _free_to_choose(plan, asked)
    goal = _of_the_free(plan, members, named)
    guess = _first_guess(members, list(named), goal)
    shift = np.zeros((plan.candidates, width))
    shift[list(named)] = _refined(plan, members, named, goal, guess)
    return shift


def within_reach(plan: Plan, targets: Mapping[int, PerRun]) -> dict[int, Floats]:
    """Return mean shares as asked for; those out of reach, because too many members are pinned, moved into it.

    A share that the free members cannot give is moved to where they give a candidate, or leave to the others, one in a
    hundred of their papers; shares that leave nothing to the others are made smaller together.

    Parameters
    ----------
    plan, targets
        As for :func:`solve_levels`; not all candidates are named.

    Returns
    -------
    dict of ndarray, shape (B,)
        What is within reach is the same to the bit.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").with_pinned(A=[f"M{i}" for i in range(1, 71)]).plan
    >>> within_reach(plan, {0: np.array([0.3, 0.5])})[0].round(2).tolist()
    [0.44, 0.5]
    """
    width = max(np.size(value) for value in (*plan.values.values(), *targets.values()))
    members, named = _members(plan, width), list(targets)
    asked = np.array([np.broadcast_to(np.asarray(target, dtype=float), (width,)) for target in targets.values()])
    votes, total, bound = members.votes, members.votes + members.bound.sum(axis=0), members.bound[named]
    goal = (asked * total - bound) / votes
    moved = np.where(goal > 0.0, np.where(goal < 1.0, goal, 1.0 - SPARED), SPARED)
    moved = np.where(moved.sum(axis=0) < 1.0, moved, moved * (1.0 - SPARED) / moved.sum(axis=0))
    shares = np.where(moved == goal, asked, (moved * votes + bound) / total)
    return dict(zip(named, shares, strict=True))


# -- the members -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Members:
    """What the first round depends on, by column and class of member; B columns, C classes.

    Attributes
    ----------
    weight : ndarray, shape (B, C)
        Mean number of valid papers of those who are free to choose.
    bound : ndarray, shape (K, B) or (K, 1)
        Papers of the pinned.
    lean : ndarray, shape (K, B, C)
        Appeal and ties times `c`.
    pull : ndarray, shape (S, B, C)
        A campaign of average effect, in secret, times `c`.
    backs : ndarray of int, shape (S,)
        Whom each sponsor backs.
    levels : tuple of Classes
        For each sponsor, one class of those that are exposed to it alike, and the place of every class among these.
    spread : ndarray, shape (S, B)
        Log-sd of the sponsors' effect.
    scale, noise : ndarrays, shape (B,)
        The factor `c`, and the sd of all that is normal in one candidate's `v`.
    """

    weight: Floats
    bound: Longs
    lean: Floats
    pull: Floats
    backs: Places
    levels: tuple[Classes, ...]
    spread: Floats
    scale: Floats
    noise: Floats

    def of(self, columns: Places) -> _Members:
        """Return some of the columns."""
        return _Members(
            self.weight[columns], self.bound, self.lean[:, columns], self.pull[:, columns], self.backs,
            self.levels, self.spread[:, columns], self.scale[columns], self.noise[columns],
        )  # fmt: skip

    @property
    def classes(self) -> int:
        return self.weight.shape[1]

    @property
    def votes(self) -> Floats:
        """Mean number of valid papers of the free, shape (B,)."""
        return self.weight.sum(axis=1)


def _members(plan: Plan, width: int) -> _Members:
    b, (first, of_member) = plan.behaviour, plan.classes
    exposure = plan.exposure[:, first]
    there = np.array([plan.votes & ~_barred(plan, reading) for reading in range(len(plan.book.readings))])
    free = np.array([np.bincount(of_member[row & (plan.pins < 0)], minlength=first.size) for row in there])
    reading = np.asarray(plan.values.get("readings", 0)).astype(np.intp).reshape(-1)
    absent = laws.absence(b.absent, b.cross_pressure_absence, exposure)
    scale = laws.conviction_scale(b.conviction)
    hidden = np.square(scale) * (np.square(b.common_sd) + np.square(b.region_sd)) + np.square(b.conviction)
    secret = scale * (1.0 - b.secrecy)
    pulls = [secret * plan.values[path] * row for path, row in zip(plan.strengths, exposure, strict=True)]
    rows = [plan.values[path] + table[first] for path, table in zip(plan.appeals, plan.tie_table, strict=True)]

    def by_class(parts: list[Floats]) -> Floats:
        shape = (len(parts), width, first.size)
        return np.array([np.broadcast_to(part, shape[:0:-1]).T for part in parts]).reshape(shape)

    return _Members(
        weight=by_class([(1.0 - absent) * (1.0 - b.abstain) * free[reading].T])[0],
        bound=np.array([(there & (plan.pins == k)).sum(axis=1)[reading] for k in range(plan.candidates)]),
        lean=by_class([scale * row for row in rows]),
        pull=by_class(pulls),
        backs=plan.backs,
        levels=tuple(_levels(terms, first) for terms in plan.exposures),
        spread=np.broadcast_to(plan.spread, (len(plan.sponsors), width)),
        scale=_column(scale, width),
        noise=_column(np.sqrt(hidden / 2.0), width),
    )


def _levels(terms: Sequence[ExposureTerm], first: Places) -> Classes:
    table = np.vstack([term.column[first] for term in terms])
    _, one, place = np.unique(table, axis=1, return_index=True, return_inverse=True)
    return Classes(one, place.reshape(-1))


def _column(value: PerRun, width: int) -> Floats:
    return np.array(np.broadcast_to(value, (width,)), dtype=float)


def _barred(plan: Plan, reading: int) -> Flags:
    """Return who may not vote in the first ballot under a reading of the rules, shape (N,)."""
    rules = plan.book.readings[reading]
    phase = rules.phases[rules.first_stage(plan.candidates).phase]
    return np.asarray(plan.barred.any(axis=0) & phase.barred)


# -- what is asked -----------------------------------------------------------------------------------


def _free_to_choose(plan: Plan, asked: dict[int, Floats]) -> dict[int, Floats]:
    """Leave one candidate out if all are named: its share follows from the others'."""
    if len(asked) < plan.candidates:
        return asked
    total = np.sum(list(asked.values()), axis=0)
    if np.abs(total - 1.0).max() > 1e-9:
        worst = int(np.argmax(np.abs(total - 1.0)))
        raise ScenarioError(f"the shares of all candidates must add up to 1, got {total[worst]:g}; leave one out")
    return dict(list(asked.items())[:-1])


def _of_the_free(plan: Plan, members: _Members, named: dict[int, Floats]) -> Floats:
    """Return what the targets ask of the members who are free to choose, shape (T, B)."""
    votes, bound = members.votes, members.bound
    total = votes + bound.sum(axis=0)
    asked = np.array(list(named.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        goal = np.array((asked * total - bound[list(named)]) / votes)
    rest = 1.0 - goal.sum(axis=0)
    wrong = ~((goal > 0.0) & (goal < 1.0)) | ~(rest > 0.0)
    if wrong.any():
        column = int(np.argmax(wrong.any(axis=0)))
        raise _out_of_reach(plan, named, int(np.argmax(wrong[:, column])), column)
    return goal


def _out_of_reach(plan: Plan, named: dict[int, Floats], which: int, column: int) -> ScenarioError:
    total = sum(asked[column] for asked in named.values())
    if total >= 1:
        return ScenarioError(f"the shares of the first round must add up to less than 1, got {total:g}")
    k, asked = list(named.items())[which]
    where = f" (draw {column})" if asked.size > 1 else ""
    return ScenarioError(
        f"no appeal gives {plan.names[k]} a mean share of {asked[column]:.3g}{where}; "
        "too many members are pinned or tied"
    )


# -- Newton's steps --------------------------------------------------------------------------------


class _Law(Protocol):
    """Mean shares of the free, given what is added to the named candidates' appeals times `c`, shape (T, B)."""

    def __call__(self, added: Floats) -> tuple[Floats, Floats]:
        """Return the shares, shape (T, B), and their derivatives, shape (T, T, B)."""


def _newton(law: _Law, goal: Floats, start: Floats, most: float, close: float) -> tuple[Floats, Flags]:
    """Solve for the shares asked for, on their logits; return what is to be added, and which columns have settled.

    A column that has settled stays as it is, whatever the others do.
    """
    added, settled = start.copy(), np.zeros(start.shape[1], dtype=bool)
    limit, before = np.full(start.shape[1], 2.0), np.zeros_like(start)
    goal = np.clip(goal, LEAST, 1.0 - LEAST)
    for _ in range(STEPS):
        share, slope = law(added)
        share = np.clip(share, LEAST, 1.0 - LEAST)
        missing = np.log(goal / (1.0 - goal)) - np.log(share / (1.0 - share))
        step = _solved(slope / (share * (1.0 - share))[:, None], missing)
        size, error = np.abs(step).max(axis=0), np.abs(missing).max(axis=0)
        limit = np.where(sum(step * before) < 0.0, limit / 2.0, limit)  # it has gone too far
        before = step * np.minimum(1.0, limit / np.maximum(size, 1e-300))
        moved = np.where(settled, added, np.clip(added + before, start - most, start + most))
        settled = settled | (error < close) | (moved == added).all(axis=0)
        added = moved
        if settled.all():
            break
    return added, settled


def _solved(matrix: Floats, right: Floats) -> Floats:
    """Solve small systems of equations column by column, shapes (T, T, B) and (T, B), by elimination."""
    matrix, right = matrix.copy(), right.copy()
    size = len(right)
    for k in range(size):
        pivot = np.where(np.abs(matrix[k, k]) < 1e-14, 1e-14, matrix[k, k])
        for row in range(k + 1, size):
            factor = matrix[row, k] / pivot
            matrix[row] = matrix[row] - factor * matrix[k]
            right[row] = right[row] - factor * right[k]
        matrix[k, k] = pivot
    for k in reversed(range(size)):
        for j in range(k + 1, size):
            right[k] = right[k] - matrix[k, j] * right[j]
        right[k] = right[k] / matrix[k, k]
    return right


def _first_guess(members: _Members, named: list[int], goal: Floats) -> Floats:
    """Return a guess of what to add, times `c`: campaigns of average effect, and noise that flattens the logit."""
    pull = np.zeros_like(members.lean)
    for s, k in enumerate(members.backs):
        pull[k] += members.pull[s]
    flat = np.sqrt(1.0 + laws.FLATTENING * 2.0 * np.square(members.noise))
    weight = members.weight / members.votes[:, None]
    start = members.lean + pull

    def law(added: Floats) -> tuple[Floats, Floats]:
        v = start.copy()
        v[named] += added[:, :, None]
        v = v / flat[:, None]
        v = np.exp(v - v.max(axis=0))
        p = (v / sum(v))[named]
        share = (weight * p).sum(axis=2)
        both = -(weight * p[:, None] * p).sum(axis=3)
        for t in range(len(named)):
            both[t, t] += share[t]
        return share, both / flat

    return _newton(law, goal, np.zeros_like(goal), np.inf, 1e-2)[0]


def _refined(plan: Plan, members: _Members, named: dict[int, Floats], goal: Floats, guess: Floats) -> Floats:
    """Return what to add to the named candidates' appeals, shape (T, B), starting from a guess times `c`."""
    found, open_ = guess.copy(), np.arange(goal.shape[1])
    for _ in range(ATTEMPTS):
        strays = [open_[:0]]
        for columns, size in _blocks(members, list(named), open_, found):
            start = found[:, columns]
            law = _law(members.of(columns), list(named), start, size)
            found[:, columns], settled = _newton(law, goal[:, columns], start, STRAY, CLOSE)
            inside = (np.abs(found[:, columns] - start) < STRAY).all(axis=0)
            strays.append(columns[~(settled & inside)])
        open_ = np.sort(np.concatenate(strays))
        if not open_.size:
            return found / members.scale
    raise _out_of_reach(plan, named, 0, int(open_[0]))


class _Size(NamedTuple):
    """Campaigns that stand for all, frequencies of a characteristic function, and points of a law of more than two."""

    campaigns: int
    frequencies: int
    points: int


def _blocks(members: _Members, named: list[int], columns: Places, start: Floats) -> Iterator[tuple[Places, _Size]]:
    """Divide columns into blocks that are worked on in the same number of steps, and fit into the cache."""
    if not columns.size:
        return
    part, at = members.of(columns), start[:, columns]
    spans = _spans(part, named, at)
    sizes = np.stack([_campaigns_needed(part), _rounded(spans.frequencies), _rounded(spans.points)], axis=1)
    kinds, kind = np.unique(sizes, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    for number, row in enumerate(kinds.tolist()):
        size, own = _Size(*row), columns[kind == number]
        step = max(1, ELEMENTS // (members.classes * max(size.frequencies, size.points)))
        for first in range(0, own.size, step):
            yield own[first : first + step], size


def _rounded(count: Floats) -> Longs:
    """Round up to whole fours, and large numbers to sixteens, so that many columns are alike."""
    step = np.where(count > 32, 16, 4)
    return (np.ceil(count / step) * step).astype(np.int64)


def _campaigns_needed(members: _Members) -> Longs:
    """Return how many campaigns stand for all of a sponsor's, by column.

    Sums at equal steps converge at a rate that depends on how far off the real line the chance of a member, as a
    function of the normal behind the campaign, has its first pole: where ``pull * exp(spread * u)`` is as far off as
    the logit's pole or the noise.  `u` is taken where the campaign is strong.
    """
    need = np.zeros(members.scale.size)
    width = np.sqrt(np.pi**2 + 2.0 * np.square(members.noise))
    for spread, pull in zip(members.spread, members.pull, strict=True):
        strong = np.abs(pull).max(axis=1) * np.exp(2.0 * spread - np.square(spread) / 2)
        with np.errstate(divide="ignore"):
            pole = np.arctan2(width, strong) / spread
        need = np.maximum(need, np.where(strong > 0.0, 2.0 * NORMAL_REACH / (0.7 * pole), 0.0))
    need = np.where(need <= 12.0, 0.0, need)  # the Gauss rule is better than its number says
    return np.array(NODES)[np.minimum(np.searchsorted(NODES, need), len(NODES) - 1)]


@lru_cache(maxsize=len(NODES))
def campaign_nodes(count: int) -> tuple[Floats, Floats]:
    """Return normals and weights that stand for all campaigns.

    Examples
    --------
    >>> points, weights = campaign_nodes(7)
    >>> round(float(weights @ points**4), 6)
    3.0
    """
    if count == NODES[0]:
        points, weights = np.polynomial.hermite_e.hermegauss(count)
    else:
        points = np.linspace(-NORMAL_REACH, NORMAL_REACH, count)
        weights = np.exp(-np.square(points) / 2)
    return points, weights / weights.sum()


# -- two candidates, and more ----------------------------------------------------------------------


class _Spans(NamedTuple):
    """Where everything lies, by column, shape (B,), and what a campaign can do to a class.

    Attributes
    ----------
    lean : ndarray, shape (R, B, C)
        Leans at the start, without campaigns: of the named candidate over the other (R = 1), or of every candidate over
        the greatest lean of the class (R = K).
    sides : tuple of (int, float)
        By sponsor: which lean a campaign adds to, and its sign.
    most : ndarray, shape (B,)
        A campaign's contribution beyond which every class is certain: cut off there.
    period : ndarray
        What is added up repeats with this period (with the other sign).
    low, high : ndarrays
        Between them lies the greatest of all (more than two).
    frequencies, points : ndarrays
        How many are needed.
    """

    lean: Floats
    sides: tuple[tuple[int, float], ...]
    most: Floats
    period: Floats
    low: Floats
    high: Floats
    frequencies: Floats
    points: Floats


def _spans(members: _Members, named: list[int], start: Floats) -> _Spans:
    lean = members.lean.copy()
    lean[named] += start[:, :, None]
    two = len(lean) == 2
    noise = members.noise * (np.sqrt(2.0) if two else 1.0)
    pulls = sum(members.pull, np.zeros_like(members.weight))
    if two:
        lean = np.clip(lean[named] - lean[[1 - named[0]]], -FARTHEST, FARTHEST)
        sides = tuple((0, 1.0 if k == named[0] else -1.0) for k in members.backs)
        top = np.abs(lean[0]) + pulls
    else:
        centre = lean.max(axis=0)
        lean = np.maximum(lean - centre, -(MARGIN + 6.0 + 6.0 * noise)[:, None])
        sides = tuple((int(k), 1.0) for k in members.backs)
        top = pulls - lean.min(axis=0)
    most = top.max(axis=1) + MARGIN + 3.0 * noise
    highest, lowest = lean.copy(), lean.copy()
    for (side, sign), pull, spread in zip(sides, members.pull, members.spread, strict=True):
        strongest = np.exp(NORMAL_REACH * spread - np.square(spread) / 2)[:, None]
        effect = np.minimum(pull * strongest, most[:, None])
        (highest if sign > 0 else lowest)[side] += sign * effect
    tail = MARGIN + NORMAL_REACH * noise + STRAY
    upper, lower = highest.max(axis=(0, 2)), lowest.min(axis=(0, 2))
    if two:
        low = high = np.zeros_like(noise)
        period = np.maximum(upper, -lower) + tail
        slowest, points = np.pi, np.zeros_like(noise)
    else:
        low, high = -(2.7 + NORMAL_REACH * noise + STRAY), upper + tail
        period = high + np.maximum(2.7 + NORMAL_REACH * noise - lower, high - upper - low)
        slowest, points = np.pi / 2, (high - low) / (FINENESS * np.sqrt(1.0 + np.square(noise) / 2.0))
    last = 2.0 * DECAY / (slowest + np.sqrt(slowest**2 + 2.0 * DECAY * np.square(noise)))
    return _Spans(lean, sides, most, period, low, high, last * period / (2.0 * np.pi), points)


def _characteristic(members: _Members, spans: _Spans, count: int, campaigns: int) -> list[tuple[Floats, Floats]]:
    """Return the mean cosine and sine of frequency times `v` without normal noise, by side, shapes (J, B, C)."""
    step = (2.0 * np.pi / spans.period)[:, None]
    found = [_harmonics(step * lean, count) for lean in spans.lean]
    points, weights = campaign_nodes(campaigns)
    rows = zip(spans.sides, members.pull, members.spread, members.levels, strict=True)
    for (side, sign), pull, spread, (one, place) in rows:
        own, parts = pull[:, one], []
        for first in range(0, campaigns, TOGETHER):
            effect = laws.campaign_effect(spread, points[first : first + TOGETHER, None])[:, :, None]
            waves = _harmonics(step * np.minimum(own * effect, spans.most[:, None]), count)
            parts.append(waves)
        even, odd = (_weighted([wave[k] for wave in parts], weights)[:, :, place] for k in (0, 1))
        real, imaginary = found[side]
        odd = sign * odd
        found[side] = real * even - imaginary * odd, real * odd + imaginary * even
    return found


def _weighted(parts: list[Floats], weights: Floats) -> Floats:
    """Return the weighted sum along the second axis of all parts, term by term."""
    out = np.zeros_like(parts[0][:, 0])
    for k, weight in enumerate(weights.tolist()):
        out += weight * parts[k // TOGETHER][:, k % TOGETHER]
    return out


def _harmonics(angle: Floats, count: int) -> tuple[Floats, Floats]:
    """Return cosine and sine of 1/2, 3/2, 5/2, ... of an angle, along a new first axis.

    They follow from each other by the sum formula; a cosine takes many times longer.

    Examples
    --------
    >>> cosine, sine = _harmonics(np.array([0.1]), 3)
    >>> bool(np.allclose(cosine[:, 0], np.cos([0.05, 0.15, 0.25])))
    True
    """
    cosine, sine = np.empty((2, count, *angle.shape))
    np.cos(angle / 2.0, out=cosine[0])
    np.sin(angle / 2.0, out=sine[0])
    twice = 2.0 * np.cos(angle)
    for wave, mirrored in ((cosine, 1.0), (sine, -1.0)):
        np.multiply(wave[0], twice - mirrored, out=wave[1])
        for q in range(2, count):
            np.multiply(wave[q - 1], twice, out=wave[q])
            wave[q] -= wave[q - 2]
    return cosine, sine


def _law(members: _Members, named: list[int], start: Floats, size: _Size) -> _Law:
    """Return the mean shares as a function of what is added, worked out around `start`."""
    spans = _spans(members, named, start)
    laws_of_sides = _characteristic(members, spans, size.frequencies, size.campaigns)
    weight = members.weight / members.votes[:, None]
    if len(spans.lean) == 1:
        return _two(laws_of_sides[0], weight, spans.period, members.noise * np.sqrt(2.0), start)
    return _many(laws_of_sides, weight, members.noise, start, named, spans, size.points)


def _frequencies(period: Floats, count: int) -> tuple[Floats, Floats]:
    """Return the step between frequencies, shape (B,), and these, shape (B, J)."""
    step = 2.0 * np.pi / period
    return step, step[:, None] * (np.arange(count) + 0.5)


def _two(law_of_lean: tuple[Floats, Floats], weight: Floats, period: Floats, noise: Floats, start: Floats) -> _Law:
    step, frequency = _frequencies(period, len(law_of_lean[0]))
    kernel = step[:, None] * np.exp(-np.square(frequency * noise[:, None]) / 2) / np.sinh(np.pi * frequency)
    even, odd = (kernel * (weight * part).sum(axis=2).T.copy() for part in law_of_lean)

    def law(added: Floats) -> tuple[Floats, Floats]:
        angle = frequency * (added - start)[0][:, None]
        cosine, sine = np.cos(angle), np.sin(angle)
        share = 0.5 + (sine * even + cosine * odd).sum(axis=1)
        slope = (frequency * (cosine * even - sine * odd)).sum(axis=1)
        return share[None], slope[None, None]

    return law


def _many(
    laws_of_leans: list[tuple[Floats, Floats]],
    weight: Floats,
    noise: Floats,
    start: Floats,
    named: list[int],
    spans: _Spans,
    points: int,
) -> _Law:
    step, frequency = _frequencies(spans.period, len(laws_of_leans[0][0]))
    grid = (spans.high - spans.low) / points
    x = spans.low[:, None] + grid[:, None] * (np.arange(points) + 0.5)
    damped = _gumbel(frequency) * np.exp(-np.square(frequency * noise[:, None]) / 2) * (step / np.pi)[:, None]
    real, imaginary = damped.real.T[:, :, None], damped.imag.T[:, :, None]
    leans = [
        np.concatenate([even * real - odd * imaginary, even * imaginary + odd * real]).transpose(1, 2, 0).copy()
        for even, odd in laws_of_leans
    ]
    waves = [wave.transpose(1, 0, 2).copy() for wave in _harmonics(step[:, None] * x, frequency.shape[1])]
    slow = 1.0 / frequency[:, :, None]
    weight = weight[:, :, None] * grid[:, None, None]

    def waves_at(moved: Floats) -> Floats:
        angle = (frequency * moved[:, None])[:, :, None]
        even, odd = np.cos(angle), np.sin(angle)
        cosine, sine = waves[0] * even + waves[1] * odd, waves[1] * even - waves[0] * odd
        out = np.empty((len(x), 2 * frequency.shape[1], 2 * points))
        (upper, lower), middle = np.split(out, 2, axis=1), points
        np.multiply(sine, slow, out=upper[:, :, :middle])
        np.multiply(cosine, -slow, out=lower[:, :, :middle])
        upper[:, :, middle:], lower[:, :, middle:] = cosine, sine
        return out

    def law(added: Floats) -> tuple[Floats, Floats]:
        moved = np.zeros((len(leans), len(x)))
        moved[named] = added - start
        found = [np.matmul(lean, waves_at(by)) for lean, by in zip(leans, moved, strict=True)]
        below, dense = [0.5 + both[:, :, :points] for both in found], [both[:, :, points:] for both in found]
        share = [_total(weight * dense[k] * _product(below[:k] + below[k + 1 :])) for k in named]
        hazard = [f / np.maximum(upto, 1e-6) for f, upto in zip(dense, below, strict=True)]
        greatest, every = weight * _product(below), sum(hazard)
        slope = np.empty((len(named), len(named), len(x)))
        for i, k in enumerate(named):
            own = greatest * hazard[k]
            for j, other in enumerate(named):
                slope[i, j] = _total(own * (every - hazard[k])) if i == j else -_total(own * hazard[other])
        return np.array(share), slope

    return law


def _total(by_class: Floats) -> Floats:
    return by_class.reshape(len(by_class), -1).sum(axis=1)


def _product(parts: list[Floats]) -> Floats:
    out = parts[0]
    for part in parts[1:]:
        out = out * part
    return out


def _gumbel(frequency: Floats) -> NDArray[np.complex128]:
    """Return the characteristic function of the Gumbel law, ``gamma(1 - i w)``: Stirling's series, eight steps up.

    Examples
    --------
    >>> complex(_gumbel(np.array([0.0]))[0]).real.__round__(9)
    1.0
    """
    z = 1.0 - 1j * frequency
    far = z + 8.0
    series = 1.0 / (12.0 * far) - 1.0 / (360.0 * far**3) + 1.0 / (1260.0 * far**5)
    found = np.exp((far - 0.5) * np.log(far) - far + series) * np.sqrt(2.0 * np.pi)
    for k in range(8):
        found = found / (z + k)
    return np.asarray(found)
