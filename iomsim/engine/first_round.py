"""How members vote in the first round, exactly: what a mean share is made of.

What a member thinks of a candidate is the candidate's lean, plus lognormal campaigns, plus normal shocks and hidden
conviction; these are independent from candidate to candidate, and of two candidates only the difference counts.  So
the laws are one-dimensional, and are added up by their characteristic functions: each campaign, whatever their
number, costs a sum of its own and no grid over all of them.  Where members are exposed in many different ways, a
campaign's sum is found for a few pulls, and a polynomial through them gives the others.

* Of two, with X the difference of their `v` without the logit's noise (Fourier transform of the logistic function)::

      P(first) = 1/2 + integral over w > 0 of  Im E exp(i w X) / sinh(pi w)

* Of more, a multinomial logit is the choice of the greatest of ``v_k`` + Gumbel noise.  With the distribution ``F_k``
  of that sum, inverted from its characteristic function (Gil-Pelaez 1951, Biometrika 38, 481-482)::

      P(k) = integral of  F_k'(x) times the product of F_j(x) over j other than k

Integrals are sums at midpoints, whose error falls exponentially; what is added up repeats beyond a period, which is
chosen so that nothing lies there.  Everything is elementwise in the columns, or a sum (or a small matrix product)
within a column, so that a column gets the same bits worked out alone or among others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from iomsim.engine import laws
from iomsim.engine.plan import Classes, ExposureTerm, Plan
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

FINENESS = 1.0
"""Step between points of a law, in units of its width."""

PULLS = (8, 12, 16, 24, 32, 48, 64, 96)
"""Pulls of a sponsor that stand for all."""

NEARNESS = 7.0
"""Logarithm of what is left of the error where polynomials of pulls end, of strong campaigns; of all, 1e-5 is left."""

GEMM, GEMV = 2**17, 2**13
"""Multiplications of a product of matrices, or of one and a vector, that no library shares out among threads."""

ELEMENTS = 40_000
"""Numbers of a block of columns: they fit into the cache."""


def first_round_chances(plan: Plan) -> Floats:
    """Return every member's chance to vote for each candidate in the first round.

    It is the chance that a paper of the member, if there is one for somebody who stands, is for the candidate; over
    everything that a run draws once: campaigns, shocks, hidden conviction.  Pinned members vote for theirs.

    Parameters
    ----------
    plan : Plan
        The election; its values are numbers, or arrays with one entry a column.

    Returns
    -------
    ndarray, shape (K, N, B)
        By candidate, member and column; within 0.0001.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").with_pinned(B=["M2"]).plan
    >>> chances = first_round_chances(plan.at({"candidates.A.appeal": np.array([0.0, 0.5])}))
    >>> chances.shape
    (2, 175, 2)
    >>> chances[0, :2].round(2).tolist()
    [[0.5, 0.61], [0.0, 0.0]]
    """
    chances = class_chances(plan)[:, plan.classes.of_member]
    for k in range(plan.candidates):
        chances[:, plan.pins == k] = np.eye(plan.candidates)[k, :, None, None]
    return chances


def first_round_votes(plan: Plan) -> Floats:
    """Return the mean number of papers for each candidate in the first round, over everything that a run draws.

    Parameters
    ----------
    plan : Plan
        The election; its values are numbers, or arrays with one entry a column.

    Returns
    -------
    ndarray, shape (K, B)
        By candidate and column.

    Examples
    --------
    >>> import iomsim as iom
    >>> first_round_votes(iom.load("geneva-2023").plan)[:, 0].round(1).tolist()
    [78.4, 78.4]
    """
    members = members_of(plan, max(map(np.size, plan.values.values())))
    return np.asarray(members.bound + (class_chances(plan) * members.weight.T).sum(axis=1))


def class_chances(plan: Plan) -> Floats:
    """Return the chance of those who are free to choose to vote for each candidate in the first round.

    Parameters
    ----------
    plan : Plan
        The election; its values are numbers, or arrays with one entry a column.

    Returns
    -------
    ndarray, shape (K, C, B)
        By candidate, class of member and column.
    """
    width = max(map(np.size, plan.values.values()))
    members = members_of(plan, width)
    named = [0] if plan.candidates == 2 else list(range(plan.candidates))
    start = np.zeros((len(named), width))
    chances = np.empty((plan.candidates, members.classes, width))
    for columns, size in blocks(members, named, np.arange(width), start):
        chances[:, :, columns] = _chances_of(members.of(columns), named, start[:, columns], size).swapaxes(1, 2)
    return chances


def pulls(plan: Plan) -> Floats:
    """Return by how much each sponsor moves each member in secret, if its campaign has its average effect.

    Returns
    -------
    ndarray, shape (S, N, B)
        In log-odds, 0 or more.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").plan  # a strength of 0.5, and a secrecy of 0.4
    >>> pulls(plan)[:, 0].round(2).tolist()
    [[0.3], [0.3]]
    """
    members = members_of(plan, max(map(np.size, plan.values.values())))
    return (members.pull / members.scale[:, None]).swapaxes(1, 2)[:, plan.classes.of_member]


# -- the members -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Members:
    """What the first round depends on, by column and class of member; B columns, C classes.

    Attributes
    ----------
    weight : ndarray, shape (B, C)
        Mean number of papers for candidates of those who are free to choose.
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

    def of(self, columns: Places) -> Members:
        """Return some of the columns."""
        return Members(
            self.weight[columns], self.bound, self.lean[:, columns], self.pull[:, columns], self.backs,
            self.levels, self.spread[:, columns], self.scale[columns], self.noise[columns],
        )  # fmt: skip

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.weight.shape[1]

    @property
    def votes(self) -> Floats:
        """Mean number of papers of the free for candidates, shape (B,)."""
        return self.weight.sum(axis=1)


def members_of(plan: Plan, width: int) -> Members:
    """Return what the first round of a plan depends on, for so many columns."""
    b, (first, of_member) = plan.behaviour, plan.classes
    exposure = plan.exposure[:, first]
    there = np.array([plan.votes & ~barred_at_first(plan, reading) for reading in range(len(plan.book.readings))])
    free = np.array([np.bincount(of_member[row & (plan.pins < 0)], minlength=first.size) for row in there])
    reading = np.asarray(plan.values.get("readings", 0)).astype(np.intp).reshape(-1)
    absent = laws.absence(b.absent, b.cross_pressure_absence, exposure)
    scale = laws.conviction_scale(b.conviction)
    secret = scale * (1.0 - b.secrecy)
    rows, left = plan.standing()
    pulls = [secret * plan.values[path] * row * left for path, row in zip(plan.strengths, exposure, strict=True)]

    def by_class(parts: list[Floats]) -> Floats:
        shape = (len(parts), width, first.size)
        return np.array([np.broadcast_to(part, shape[:0:-1]).T for part in parts]).reshape(shape)

    return Members(
        weight=by_class([(1.0 - absent) * (1.0 - b.abstain) * (1.0 - b.stray) * free[reading].T])[0],
        bound=np.array([(there & (plan.pins == k)).sum(axis=1)[reading] for k in range(plan.candidates)]),
        lean=by_class([scale * row for row in rows]),
        pull=by_class(pulls),
        backs=plan.backs,
        levels=tuple(_levels(plan, terms) for terms in plan.exposures),
        spread=np.broadcast_to(plan.spread, (len(plan.sponsors), width)),
        scale=_column(scale, width),
        noise=_column(laws.normal_noise(b), width),
    )


def _levels(plan: Plan, terms: Sequence[ExposureTerm]) -> Classes:
    rows = [term.column for term in terms] + ([] if plan.polled is None else [plan.polled.asked])
    table = np.vstack(rows)[:, plan.classes.first]
    _, one, place = np.unique(table, axis=1, return_index=True, return_inverse=True)
    return Classes(one, place.reshape(-1))


def _column(value: PerRun, width: int) -> Floats:
    return np.array(np.broadcast_to(value, (width,)), dtype=float)


def barred_at_first(plan: Plan, reading: int) -> Flags:
    """Return who may not vote in the first ballot under a reading of the rules, shape (N,)."""
    rules = plan.book.readings[reading]
    phase = rules.phases[rules.first_stage(plan.candidates).phase]
    return np.asarray(plan.barred.any(axis=0) & phase.barred)


# -- how fine -------------------------------------------------------------------------------------


class Law(Protocol):
    """Mean shares of the free, given what is added to the named candidates' appeals times `c`, shape (T, B)."""

    def __call__(self, added: Floats) -> tuple[Floats, Floats]:
        """Return the shares, shape (T, B), and their derivatives, shape (T, T, B)."""


class Size(NamedTuple):
    """Campaigns and pulls that stand for all, frequencies of a characteristic function, points of a law of many."""

    campaigns: int
    pulls: int
    frequencies: int
    points: int


def blocks(members: Members, named: list[int], columns: Places, start: Floats) -> Iterator[tuple[Places, Size]]:
    """Divide columns into blocks that are worked on in the same number of steps, and fit into the cache."""
    if not columns.size:
        return
    part, at = members.of(columns), start[:, columns]
    spans = _spans(part, named, at)
    counts = *_campaigns_needed(part), _rounded(spans.frequencies), _rounded(spans.points)
    sizes = np.stack(counts, axis=1)
    kinds, kind = np.unique(sizes, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    for number, row in enumerate(kinds.tolist()):
        size, own = Size(*row), columns[kind == number]
        step = max(1, ELEMENTS // (members.classes * max(size.frequencies, size.points)))
        for first in range(0, own.size, step):
            yield own[first : first + step], size


def _rounded(count: Floats) -> Longs:
    """Round up to whole fours, and large numbers to sixteens, so that many columns are alike."""
    step = np.where(count > 32, 16, 4)
    return (np.ceil(count / step) * step).astype(np.int64)


def _campaigns_needed(members: Members) -> tuple[Longs, Longs]:
    """Return how many campaigns, and how many pulls, stand for all of a sponsor's, by column.

    Sums at equal steps, and polynomials, converge at a rate that depends on how far off the real line the chance of a
    member, as a function of the normal behind the campaign or of the pull, has its first pole: where
    ``pull * exp(spread * u)`` is as far off as the logit's pole or the noise.  `u` is taken where the campaign is
    strong, and stronger for pulls: few of these cost much less than few campaigns.
    """
    campaigns, pulls = np.zeros((2, members.scale.size))
    two = len(members.lean) == 2
    width = np.sqrt(np.pi**2 + 2.0 * np.square(members.noise))
    wide = width if two else np.sqrt((np.pi / 2.0) ** 2 + np.square(members.noise))
    for spread, pull in zip(members.spread, members.pull, strict=True):
        strong = np.abs(pull).max(axis=1) * laws.campaign_effect(spread, 2.0)
        apart = np.ptp(pull, axis=1) * laws.campaign_effect(spread, 3.0)
        with np.errstate(divide="ignore"):
            pole = np.arctan2(width, strong) / spread
            rate = np.arcsinh(2.0 * wide / apart)
        campaigns = np.maximum(campaigns, np.where(strong > 0.0, 2.0 * NORMAL_REACH / (0.7 * pole), 0.0))
        pulls = np.maximum(pulls, NEARNESS / rate)
    campaigns = np.where(campaigns <= 12.0, 0.0, campaigns)  # the Gauss rule is better than its number says
    distinct = max((one.size for one, _ in members.levels), default=0)
    few = np.where(pulls > PULLS[-1], distinct, np.minimum(_upto(pulls, PULLS), distinct))
    return _upto(campaigns, NODES), few


def _upto(need: Floats, counts: tuple[int, ...]) -> Longs:
    return np.array(counts)[np.minimum(np.searchsorted(counts, need), len(counts) - 1)]


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


def _spans(members: Members, named: list[int], start: Floats) -> _Spans:
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


def _characteristic(members: Members, spans: _Spans, size: Size) -> list[tuple[Floats, Floats]]:
    """Return the mean cosine and sine of frequency times `v` without normal noise, by side, shapes (B, J, C)."""
    step = 2.0 * np.pi / spans.period
    found = [_harmonics(step[:, None] * lean, size.frequencies) for lean in spans.lean]
    rows = zip(spans.sides, members.pull, members.spread, members.levels, strict=True)
    for (side, sign), pull, spread, (one, place) in rows:
        effect = laws.campaign_effect(spread[:, None], campaign_nodes(size.campaigns)[0])

        def waves(at: Floats, effect: Floats = effect) -> Floats:
            angle = step[:, None, None] * np.minimum(at[:, None] * effect[:, :, None], spans.most[:, None, None])
            return _mean_harmonics(angle, campaign_nodes(size.campaigns)[1], size.frequencies)

        if one.size <= size.pulls:
            even, odd = waves(pull[:, one])[..., place]
        else:
            even, odd = _interpolated(waves, pull, size.pulls)
        real, imaginary = found[side]
        odd *= sign
        found[side] = real * even - imaginary * odd, real * odd + imaginary * even
    return found


def _interpolated(waves: Callable[[Floats], Floats], pull: Floats, count: int) -> Floats:
    """Return what is smooth in the pull for many pulls: by a polynomial through so many of them, column by column.

    They are Chebyshev's points between the least and the greatest pull of a column.

    Examples
    --------
    >>> pull = np.array([[0.1, 0.5, 0.7, 0.9]])
    >>> found = _interpolated(lambda at: np.exp(at)[None, :, None], pull, 8)
    >>> bool(np.allclose(found[0, :, 0], np.exp(pull)))
    True
    """
    low, high = pull.min(axis=1)[:, None], pull.max(axis=1)[:, None]
    half = np.maximum((high - low) / 2.0, 1e-300)
    nodes, coefficients = _chebyshev(count)
    basis = np.empty((len(pull), count, pull.shape[1]))
    x = (pull - low) / half - 1.0
    basis[:, 0], basis[:, 1] = 1.0, x
    twice = 2.0 * x
    for m in range(2, count):
        np.multiply(basis[:, m - 1], twice, out=basis[:, m])
        basis[:, m] -= basis[:, m - 2]
    at = np.matmul(waves(low + half * (1.0 + nodes)), coefficients)
    out = np.empty((*at.shape[:-1], pull.shape[1]))
    for part in _parts(pull.shape[1], at.shape[2] * count, GEMM):
        np.matmul(at, basis[:, :, part], out=out[..., part])
    return out


@lru_cache(maxsize=len(PULLS))
def _chebyshev(count: int) -> tuple[Floats, Floats]:
    """Return Chebyshev's points, and what turns values there into coefficients of Chebyshev's polynomials."""
    angle = np.pi * (np.arange(count) + 0.5) / count
    coefficients = np.cos(angle[:, None] * np.arange(count)) * (2.0 / count)
    coefficients[:, 0] /= 2.0
    return np.cos(angle), coefficients


def _parts(size: int, cost: int, most: int) -> list[slice]:
    """Return pieces of an axis, so that a product of matrices stays small: of larger ones threads make a mess."""
    step = max(1, most // cost)
    return [slice(first, first + step) for first in range(0, size, step)]


def _mean_harmonics(angle: Floats, weights: Floats, count: int) -> Floats:
    """Return weighted means of cosine and sine of 1/2, 3/2, 5/2, ... of angles, shapes (B, Q, M) to (2, B, J, M)."""
    out = np.empty((2, len(angle), count, angle.shape[2]))
    wave, spare = np.empty((2, 2, *angle.shape))
    np.cos(angle / 2.0, out=wave[0])
    np.sin(angle / 2.0, out=wave[1])
    before = np.stack([wave[0], -wave[1]])
    twice = 2.0 - 4.0 * np.square(wave[1])
    parts = _parts(angle.shape[2], weights.size, GEMV)
    for q in range(count):
        for part in parts:
            np.matmul(weights, wave[..., part], out=out[:, :, q, part])
        np.multiply(wave, twice, out=spare)
        spare -= before
        before, wave, spare = wave, spare, before
    return out


def _harmonics(angle: Floats, count: int) -> tuple[Floats, Floats]:
    """Return cosine and sine of 1/2, 3/2, 5/2, ... of an angle, along a new second axis.

    They follow from each other by the sum formula; a cosine takes many times longer.

    Examples
    --------
    >>> cosine, sine = _harmonics(np.array([0.1]), 3)
    >>> bool(np.allclose(cosine[0], np.cos([0.05, 0.15, 0.25])))
    True
    """
    cosine, sine = np.empty((2, len(angle), count, *angle.shape[1:]))
    np.cos(angle / 2.0, out=cosine[:, 0])
    np.sin(angle / 2.0, out=sine[:, 0])
    twice = 2.0 - 4.0 * np.square(sine[:, 0])
    for wave, mirrored in ((cosine, 1.0), (sine, -1.0)):
        np.multiply(wave[:, 0], twice - mirrored, out=wave[:, 1])
        for q in range(2, count):
            np.multiply(wave[:, q - 1], twice, out=wave[:, q])
            wave[:, q] -= wave[:, q - 2]
    return cosine, sine


def law_around(members: Members, named: list[int], start: Floats, size: Size) -> Law:
    """Return the mean shares as a function of what is added, worked out around `start`."""
    spans = _spans(members, named, start)
    laws_of_leans = _characteristic(members, spans, size)
    weight = members.weight / members.votes[:, None]
    if len(laws_of_leans) == 1:
        return _two(laws_of_leans[0], weight, members.noise, spans, start)
    return _many(laws_of_leans, weight, members.noise, spans, size.points, named, start)


def _chances_of(members: Members, named: list[int], start: Floats, size: Size) -> Floats:
    """Return the chances of the free by class, shape (K, B, C)."""
    spans = _spans(members, named, start)
    laws_of_leans = _characteristic(members, spans, size)
    if len(laws_of_leans) == 1:
        kernel = _kernel_of_two(members.noise, spans, size.frequencies)[1]
        first = np.clip(0.5 + np.matmul(kernel[:, None], laws_of_leans[0][1])[:, 0], 0.0, 1.0)
        return np.array([first, 1.0 - first])
    sums = _Sums(laws_of_leans, members.noise, spans, size.points)
    below, dense = zip(*(sums.of(k, np.zeros_like(members.noise)) for k in range(len(laws_of_leans))), strict=True)
    mass = [dense[k] * _product([*below[:k], *below[k + 1 :]]) for k in range(len(dense))]
    chances = np.maximum([(sums.grid[:, None, None] * row).sum(axis=2) for row in mass], 0.0)
    return np.asarray(chances / chances.sum(axis=0))


def _frequencies(period: Floats, count: int) -> tuple[Floats, Floats]:
    """Return the step between frequencies, shape (B,), and these, shape (B, J)."""
    step = 2.0 * np.pi / period
    return step, step[:, None] * (np.arange(count) + 0.5)


def _kernel_of_two(noise: Floats, spans: _Spans, count: int) -> tuple[Floats, Floats]:
    """Return frequencies, and what a law's sine is multiplied by at each of them; shapes (B, J)."""
    step, frequency = _frequencies(spans.period, count)
    damped = np.exp(-np.square(frequency * (noise * np.sqrt(2.0))[:, None]) / 2)
    return frequency, step[:, None] * damped / np.sinh(np.pi * frequency)


def _two(law_of_lean: tuple[Floats, Floats], weight: Floats, noise: Floats, spans: _Spans, start: Floats) -> Law:
    frequency, kernel = _kernel_of_two(noise, spans, law_of_lean[0].shape[1])
    even, odd = (kernel * np.matmul(part, weight[:, :, None])[:, :, 0] for part in law_of_lean)

    def law(added: Floats) -> tuple[Floats, Floats]:
        angle = frequency * (added - start)[0][:, None]
        cosine, sine = np.cos(angle), np.sin(angle)
        share = 0.5 + (sine * even + cosine * odd).sum(axis=1)
        slope = (frequency * (cosine * even - sine * odd)).sum(axis=1)
        return share[None], slope[None, None]

    return law


class _Sums:
    """Each candidate's lean with all its noise, Gumbel noise too: distribution and density at points, by class."""

    def __init__(self, laws_of_leans: list[tuple[Floats, Floats]], noise: Floats, spans: _Spans, points: int) -> None:
        step, frequency = _frequencies(spans.period, laws_of_leans[0][0].shape[1])
        self.grid, self.points, self.frequency = (spans.high - spans.low) / points, points, frequency
        x = spans.low[:, None] + self.grid[:, None] * (np.arange(points) + 0.5)
        damped = laws.gumbel(frequency) * np.exp(-np.square(frequency * noise[:, None]) / 2) * (step / np.pi)[:, None]
        real, imaginary = damped.real[:, :, None], damped.imag[:, :, None]
        self._leans = [
            np.concatenate([even * real - odd * imaginary, even * imaginary + odd * real], axis=1).swapaxes(1, 2)
            for even, odd in laws_of_leans
        ]
        self._waves = _harmonics(step[:, None] * x, frequency.shape[1])
        self._slow = 1.0 / frequency[:, :, None]

    def of(self, k: int, moved: Floats) -> tuple[Floats, Floats]:
        """Return the distribution and the density of one of them, moved by so much, shapes (B, C, points)."""
        leans, waves = self._leans[k], self._waves_at(moved)
        both = np.empty((*leans.shape[:2], waves.shape[2]))
        for part in _parts(leans.shape[1], waves.shape[1] * waves.shape[2], GEMM):
            np.matmul(leans[:, part], waves, out=both[:, part])
        return 0.5 + both[:, :, : self.points], both[:, :, self.points :]

    def _waves_at(self, moved: Floats) -> Floats:
        angle = (self.frequency * moved[:, None])[:, :, None]
        even, odd = np.cos(angle), np.sin(angle)
        waves, middle = self._waves, self.points
        cosine, sine = waves[0] * even + waves[1] * odd, waves[1] * even - waves[0] * odd
        out = np.empty((len(moved), 2 * self.frequency.shape[1], 2 * middle))
        upper, lower = np.split(out, 2, axis=1)
        np.multiply(sine, self._slow, out=upper[:, :, :middle])
        np.multiply(cosine, -self._slow, out=lower[:, :, :middle])
        upper[:, :, middle:], lower[:, :, middle:] = cosine, sine
        return out


def _many(
    laws_of_leans: list[tuple[Floats, Floats]],
    weight: Floats,
    noise: Floats,
    spans: _Spans,
    points: int,
    named: list[int],
    start: Floats,
) -> Law:
    sums = _Sums(laws_of_leans, noise, spans, points)
    weight = weight[:, :, None] * sums.grid[:, None, None]

    def law(added: Floats) -> tuple[Floats, Floats]:
        moved = np.zeros((len(laws_of_leans), len(noise)))
        moved[named] = added - start
        below, dense = zip(*(sums.of(k, by) for k, by in enumerate(moved)), strict=True)
        share = [_total(weight * dense[k] * _product([*below[:k], *below[k + 1 :]])) for k in named]
        hazard = [f / np.maximum(upto, 1e-6) for f, upto in zip(dense, below, strict=True)]
        greatest, every = weight * _product(below), sum(hazard)
        slope = np.empty((len(named), len(named), len(noise)))
        for i, k in enumerate(named):
            own = greatest * hazard[k]
            for j, other in enumerate(named):
                slope[i, j] = _total(own * (every - hazard[k])) if i == j else -_total(own * hazard[other])
        return np.array(share), slope

    return law


def _total(by_class: Floats) -> Floats:
    return by_class.reshape(len(by_class), -1).sum(axis=1)


def _product(parts: Sequence[Floats]) -> Floats:
    out = parts[0]
    for part in parts[1:]:
        out = out * part
    return out
