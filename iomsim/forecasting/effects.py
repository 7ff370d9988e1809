"""How much of the variance of a chance each assumption explains, and the curve of the chance along it.

Every draw of the assumptions has been played a number of times, so there are pairs: the parameters of a draw, and how
often the event came.  What is wanted is a first-order index, ``Var E(event | parameter) / Var P(event | assumptions)``,
without playing anything again.

* The curve ``E(event | parameter)`` is a natural cubic spline in the normal score of the draw, with five free
  numbers; a parameter that has no order has a mean for each level.  On synthetic truths it beat polynomials (of the
  score and of the rank) and bins: eight bins lose a tenth of a steep curve, sixteen are twice as noisy.
* Fitting makes a parameter that does nothing look like one that does something.  The squared size of the fitted curve
  is therefore lowered by what noise alone would add to it; the noise is measured around the curve, so that it holds
  the other parameters and the luck of the runs too.  A parameter that does nothing averages 0, and may fall below it.
* Where draws are independent, what is noise to one parameter is known of another.  The curves of those that certainly
  matter are fitted together, and every other is tried on what they leave: this halves the errors.  The variance that
  is shared out is then the sum of these parts and of what is left (interactions), without the chance correlations
  between the parameters of a few hundred draws.  A live update ties assumptions to one another; there each curve is
  fitted alone, and shares may add up to more than 1.
* The luck of the runs is taken out of the variance: the mean over the draws of ``p (1 - p) / (runs - 1)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import fdtrc, ndtri

from iomsim.errors import IomsimError
from iomsim.forecasting.estimates import Z95
from iomsim.typing import Flags, Floats, Places

KNOTS = {1: [], 3: [0.05, 0.35, 0.65, 0.95], 5: [0.05, 0.23, 0.41, 0.59, 0.77, 0.95]}
"""By the free numbers of a curve: the ranks between which it is cubic (Harrell 2001, table 2.3)."""

ENOUGH = {5: 200, 3: 40, 1: 8}
"""Effective draws that a curve with so many free numbers needs."""

CERTAIN, CLEAR = 0.01, 0.05
"""Chance of error at which a parameter is fitted with the others, and that of calling any clear that does nothing."""

PASSES = 4
"""Times that what is left of the answers is looked through for more parameters that certainly matter."""

TINY = 1e-12
"""What is rounding, of a variance or of a part of one."""


# -- what is explained ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Answers:
    """What the draws of the assumptions came to; C draws that have runs.

    Attributes
    ----------
    mean : ndarray, shape (C,)
        Mean of the event, or of a number, over the runs of each draw.
    noise : ndarray, shape (C,)
        Variance of these means by the luck of the runs, unbiased.
    weight : ndarray, shape (C,)
        Share of the runs.
    drawn : ndarray of bool
        Which of all draws these are.
    source : ndarray of int, shape (C,)
        Draws of the same number come from one draw, such as several readings of the rules beside the same
        parameters: there is no more in them than in one.
    """

    mean: Floats
    noise: Floats
    weight: Floats
    drawn: Flags
    source: Places

    @classmethod
    def of(
        cls, sums: ArrayLike, runs: ArrayLike, squares: ArrayLike | None = None, source: ArrayLike | None = None
    ) -> Answers:
        """Return the answers from sums over the runs of each draw.

        Parameters
        ----------
        sums : array_like, shape (draws,)
            Sums of what is looked at over the runs of each draw: hits, if it is an event.
        runs : array_like of int, shape (draws,)
            Runs of each draw; 0 leaves it out.
        squares : array_like, shape (draws,), optional
            Sums of the squares; default: `sums`, as for an event.
        source : array_like of int, shape (draws,), optional
            From which draw each comes; default: from itself.

        Raises
        ------
        IomsimError
            If no draw has two runs: the luck of the runs cannot be told from the assumptions then.

        Examples
        --------
        >>> answers = Answers.of([10, 20, 0], [100, 100, 0])
        >>> answers.mean, answers.noise.round(5)
        (array([0.1, 0.2]), array([0.00091, 0.00162]))
        """
        n = np.asarray(runs, dtype=float)
        drawn = n > 0
        total = np.asarray(sums, dtype=float)[drawn]
        square = total if squares is None else np.asarray(squares, dtype=float)[drawn]
        n = n[drawn]
        twice = n >= 2
        if not twice.any():
            raise IomsimError("no draw of the assumptions has two runs; play at least twice as many runs as draws")
        mean = total / n
        within = np.maximum(square[twice] - n[twice] * mean[twice] ** 2, 0.0) / (n[twice] - 1)
        spread = np.full(n.size, np.average(within, weights=n[twice]))
        spread[twice] = within
        origin = np.arange(drawn.size) if source is None else np.asarray(source)
        return cls(mean, spread / n, n / n.sum(), drawn, np.unique(origin[drawn], return_inverse=True)[1])

    def together(self, parts: Floats) -> Floats:
        """Return sums over the draws that come from one, shapes ``(..., C)`` to ``(..., sources)``."""
        if self.source.max() == self.source.size - 1:
            return parts
        return parts @ (self.source[:, None] == np.arange(self.source.max() + 1))

    @cached_property
    def effective(self) -> float:
        """How many draws of equal weight these are worth."""
        return float(1 / np.square(self.together(self.weight)).sum())

    @cached_property
    def overall(self) -> float:
        """The mean over everything."""
        return float(self.weight @ self.mean)


# -- curves --------------------------------------------------------------------------------------


class Scale:
    """The columns that a curve along a parameter is made of: orthonormal and of mean 0 over the draws.

    Parameters
    ----------
    values : Series, shape (C,)
        The parameter in every draw; categorical if it has no order.
    weight : ndarray, shape (C,)
        Weight of the draws, of sum 1.
    free : int
        Free numbers of the curve.
    """

    def __init__(self, values: pd.Series, weight: Floats, free: int) -> None:
        self.levels = list(values.cat.categories) if isinstance(values.dtype, pd.CategoricalDtype) else None
        if self.levels is None:
            self.known, self.rank = ranks(values.to_numpy(dtype=float), weight)
            self.knots = ndtri(np.array(KNOTS[free]))
        raw = self._raw(values)
        self.middle = weight @ raw
        size = np.sqrt(weight @ np.square(raw - self.middle))
        self.size = np.where(size > np.sqrt(TINY), size, 1.0)
        centred = (raw - self.middle) / self.size
        length, direction = np.linalg.eigh(centred.T @ (weight[:, None] * centred))
        kept = length > 1e-9  # a parameter with few values has fewer columns
        self.turn = direction[:, kept] / np.sqrt(length[kept])

    @property
    def free(self) -> int:
        """How many columns there are."""
        return self.turn.shape[1]

    def columns(self, values: Any) -> Floats:
        """Return the columns at some values, shape ``(values, free)``."""
        return ((self._raw(values) - self.middle) / self.size) @ self.turn

    def _raw(self, values: Any) -> Floats:
        """Return columns that say the same, as they come."""
        if self.levels is not None:
            return np.array([[value == level for level in self.levels] for value in values], dtype=float)
        return spline(ndtri(np.interp(np.asarray(values, dtype=float), self.known, self.rank)), self.knots)


def ranks(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the different values, in order, and their ranks between 0 and 1: the middle of the weight of each.

    Draws that lie on an edge, beyond which nothing is possible, have the rank of the innermost of them, so that a curve
    arrives there without a jump.

    Examples
    --------
    >>> values = np.array([0.0, 0.0, 0.0, 1.0, 2.0])
    >>> ranks(values, np.full(5, 0.2))
    (array([0., 1., 2.]), array([0.5, 0.7, 0.9]))
    """
    known, place, count = np.unique(values, return_inverse=True, return_counts=True)
    mass = np.bincount(place, weights=weight, minlength=known.size)
    rank, spare = np.cumsum(mass) - mass / 2, (mass - mass / count) / 2
    if known.size > 1:
        rank[0] += spare[0]
        rank[-1] -= spare[-1]
    return known, rank


def spline(score: Floats, knots: Floats) -> Floats:
    """Return natural cubic splines: the score, and a bend at all but two of the knots; straight beyond the ends.

    Examples
    --------
    >>> spline(np.array([-3.0, 0.0, 3.0]), np.array([-1.0, 0.0, 1.0])).round(2)
    array([[-3.  ,  0.  ],
           [ 0.  ,  0.25],
           [ 3.  ,  4.5 ]])
    """
    columns = [score]
    if len(knots) > 2:
        cubes = [np.maximum(score - knot, 0.0) ** 3 for knot in knots]
        *inner, before, last = knots
        scale = (last - knots[0]) ** 2
        columns += [
            (cube + (cubes[-1] * (before - knot) - cubes[-2] * (last - knot)) / (last - before)) / scale
            for knot, cube in zip(inner, cubes, strict=False)
        ]
    return np.stack(columns, axis=1)


# -- shares --------------------------------------------------------------------------------------


class Effect(NamedTuple):
    """What one parameter does to the event.

    Attributes
    ----------
    scale : Scale
        Its columns.
    size, error : ndarray
        How much of each makes up the curve, and the covariance of these numbers.
    variance, variance_error : float
        Variance of ``E(event | parameter)``, unbiased, and its standard error.
    rest_error : float
        Standard error of the variance that is left around the curve.
    chance : float
        Chance that noise alone looks as large.
    """

    scale: Scale
    size: Floats
    error: Floats
    variance: float
    variance_error: float
    rest_error: float
    chance: float


@dataclass(frozen=True, eq=False)
class Effects:
    """What every parameter does to the event.

    Attributes
    ----------
    answers : Answers
        What is explained.
    by_name : dict of Effect
        One for each parameter that has several values in the draws.
    variance : float
        What the shares are shares of: the variance of the event's chance over the assumptions; 0 if it is none that
        can be told from the luck of the runs.
    level_error : float
        Variance of the event's overall mean, by the luck of the runs and of the draws.
    shares : DataFrame
        By parameter: `share` of the variance, its standard `error`, and whether it is `clear` of noise.
    """

    answers: Answers
    by_name: dict[str, Effect]
    variance: float
    level_error: float
    shares: pd.DataFrame

    def curve(self, name: str, values: Any) -> pd.DataFrame:
        """Return ``E(event | parameter)`` at some of its values, with the ends of its 95 % interval at each of them."""
        middle, variance = np.full(len(values), self.answers.overall), np.zeros(len(values))
        if name in self.by_name:
            effect = self.by_name[name]
            columns = effect.scale.columns(values)
            middle += columns @ effect.size
            variance += np.einsum("vi,ij,vj->v", columns, effect.error, columns) + self.level_error
        half = Z95 * np.sqrt(variance)
        return pd.DataFrame({"value": middle, "low": middle - half, "high": middle + half})

    def means(self, levels: pd.Series) -> pd.DataFrame:
        """Return the mean of the event at each level of a parameter without an order, as in the draws that are there.

        Parameters
        ----------
        levels : Series, shape (C,)
            The parameter in every draw that has runs.

        Returns
        -------
        DataFrame
            By level that has runs: `value`, with the ends of its 95 % interval, `low` and `high`, from the draws as
            clusters; and its `weight`.
        """
        frame = pd.DataFrame({"weight": self.answers.weight, "mean": self.answers.mean}, index=levels.index)
        out = {}
        for level, own in frame.groupby(levels, observed=True):
            part = own["weight"] / own["weight"].sum()
            value, few = float(part @ own["mean"]), 1 / max(1 - float(part @ part), TINY)
            half = Z95 * float(np.sqrt(few * (part**2) @ (own["mean"] - value) ** 2))
            out[level] = (value, value - half, value + half, own["weight"].sum())
        return pd.DataFrame.from_dict(out, orient="index", columns=["value", "low", "high", "weight"])


def effects(answers: Answers, table: pd.DataFrame, independent: bool = True) -> Effects:
    """Share the variance of the event's chance out among the parameters.

    Parameters
    ----------
    answers : Answers
        What the draws came to.
    table : DataFrame
        The parameters, one row a draw (those without runs too); categorical where there is no order.
    independent : bool, default True
        The parameters were drawn independently of one another.

    Raises
    ------
    IomsimError
        If there are too few draws to tell a curve from noise.

    Examples
    --------
    Of two parameters one does something:

    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame(rng.random((400, 2)), columns=["a", "b"])
    >>> hits = rng.binomial(250, 0.2 + 0.6 * table["a"])
    >>> effects(Answers.of(hits, np.full(400, 250)), table).shares.round(2)
       share  error  clear
    a    1.0    0.0   True
    b    0.0    0.0  False
    """
    if answers.effective < ENOUGH[1]:
        raise IomsimError(
            f"{answers.effective:.3g} draws of the assumptions are too few to see which of them matters; "
            f"at least {ENOUGH[1]} are needed"
        )
    free = next(free for free, draws in ENOUGH.items() if answers.effective >= draws)
    drawn = table[answers.drawn]
    scales = {str(name): Scale(drawn[name], answers.weight, free) for name in table}
    columns = {name: scale.columns(drawn[name]) for name, scale in scales.items() if scale.free}
    kept = _certain(answers, columns) if independent else []
    whole = _Fit(answers, {name: columns[name] for name in kept})
    found = whole.inside | whole.outside({name: columns[name] for name in columns if name not in kept})
    parts = {name: whole.effect(scales[name], found[name]) for name in columns}
    variance = sum(parts[name].variance for name in kept) + max(whole.variance, 0.0)
    clear, alone = _clear({name: part.chance for name, part in parts.items()}), _Fit(answers, {})
    if variance <= TINY or (not clear and alone.variance < 2 * alone.variance_error):
        variance, clear = 0.0, []
    rows = dict.fromkeys(scales, (0.0, 0.0, False))
    for name, part in parts.items() if variance else ():
        beside = [parts[other].variance_error for other in kept if other != name]
        rows[name] = (*_share(part, beside, variance), name in clear)
    shares = pd.DataFrame(list(rows.values()), index=list(rows), columns=["share", "error", "clear"])
    return Effects(answers, parts, variance, whole.level_error, shares)


def _share(part: Effect, others: list[float], variance: float) -> tuple[float, float]:
    """Return a share and its standard error: by its own error, and by those of all that stands beside it."""
    share, beside = part.variance / variance, np.linalg.norm([*others, part.rest_error])
    return share, float(np.hypot((1 - share) * part.variance_error, share * beside) / variance)


def _clear(chances: dict[str, float]) -> list[str]:
    """Return whose chances are too small for luck, however many were looked at (Holm 1979).

    Examples
    --------
    >>> _clear({"a": 0.02, "b": 0.001, "c": 0.06})
    ['b', 'a']
    >>> _clear({"a": 0.03, "b": 0.03, "c": 0.03})
    []
    """
    out: list[str] = []
    for name in sorted(chances, key=lambda name: chances[name]):
        if chances[name] * (len(chances) - len(out)) >= CLEAR:
            break
        out.append(name)
    return out


def _certain(answers: Answers, columns: dict[str, Floats]) -> list[str]:
    """Return the parameters that certainly matter, as many as the draws can tell apart."""
    kept: list[str] = []
    for _ in range(PASSES):
        fit, before = _Fit(answers, {name: columns[name] for name in kept}), len(kept)
        found = fit.outside({name: columns[name] for name in columns if name not in kept})
        chances = {name: part.chance(fit.rounding) for name, part in found.items()}
        for name in sorted(chances, key=lambda name: (chances[name], name)):
            taken = sum(columns[other].shape[1] for other in [*kept, name])
            if chances[name] < CERTAIN and taken <= answers.effective / 4:
                kept.append(name)
        if len(kept) == before:
            break
    return kept


class _Part(NamedTuple):
    """What some columns hold of a fit."""

    size: Floats
    influence: Floats  # of each draw, times the root of its weight, on `size`
    left: Floats  # what the fit with them leaves, times the root of the weight
    pull: Floats  # how much each draw decides about its own fit
    dof: float

    def chance(self, rounding: float) -> float:
        """Return the chance that columns of mere noise fit as well (F test)."""
        held = float(self.size @ np.linalg.solve(self.influence @ self.influence.T, self.size))
        rest, free = max(float(self.left @ self.left), rounding), len(self.size)
        return _f_test(held / free / (rest / self.dof), free, self.dof) if held > rest * TINY else 1.0


class _Fit:
    """The weighted least-squares fit of the answers by their mean and some columns, orthonormal each by itself."""

    def __init__(self, answers: Answers, columns: dict[str, Floats]) -> None:
        self.answers, self.root = answers, np.sqrt(answers.weight)[:, None]
        known = np.concatenate([np.ones_like(self.root), *columns.values()], axis=1)
        known *= self.root
        back = np.linalg.inv(np.linalg.cholesky(known.T @ known)).T  # a QR of LAPACK waits for its threads
        self.base = known @ back
        scaled = self.root[:, 0] * (answers.mean - answers.overall)
        self.left = scaled - self.base @ (self.base.T @ scaled)
        self.pull = np.square(self.base).sum(axis=1)
        self.dof = max(answers.effective - known.shape[1], 1.0)
        self.rounding = TINY * float(scaled @ scaled)
        influence = back @ self.base.T
        ends = np.cumsum([1, *(part.shape[1] for part in columns.values())])
        self.inside = {
            name: _Part(influence[i:j] @ scaled, influence[i:j], self.left, self.pull, self.dof)
            for name, i, j in zip(columns, ends[:-1], ends[1:], strict=True)
        }
        around = self._errors(self.left, self.pull)
        self.variance = float(np.square(around).sum() - answers.weight @ answers.noise)
        self.variance_error = self._error_of_sum(np.square(around))
        self.level_error = float(np.square(answers.together(self.root[:, 0] * around)).sum())

    def outside(self, columns: dict[str, Floats]) -> dict[str, _Part]:
        """Return what more columns would hold, those of each parameter by themselves."""
        if not columns:
            return {}
        new = self.root * np.concatenate([*columns.values()], axis=1)
        new -= self.base @ (self.base.T @ new)
        ends = np.cumsum([0, *(part.shape[1] for part in columns.values())])
        return {name: self._part(new[:, i:j]) for name, i, j in zip(columns, ends[:-1], ends[1:], strict=True)}

    def _part(self, new: Floats) -> _Part:
        influence = np.asarray(np.linalg.solve(new.T @ new, new.T), dtype=np.float64)
        size = influence @ self.left
        pull, dof = self.pull + (new.T * influence).sum(axis=0), max(self.dof - len(size), 1.0)
        return _Part(size, influence, self.left - new @ size, pull, dof)

    def effect(self, scale: Scale, part: _Part) -> Effect:
        """Return what a parameter adds to all others of the fit.

        Its error holds where the noise differs from draw to draw, and where several draws come from one (Liang and
        Zeger 1986); whether it is noise is asked with and without that, but of levels that are compared within a draw.
        """
        around, size, free = self._errors(part.left, part.pull), part.size, len(part.size)
        scores = self.answers.together(part.influence * around)
        error = scores @ scores.T
        luck, twice = float(np.trace(error)), 2 * float(np.square(error).sum())
        variance_error = float(np.sqrt(max(4 * float(size @ error @ size) - twice, twice)))
        strength = float(size @ np.linalg.pinv(error, hermitian=True) @ size) / free
        left = max(part.dof - free + 1, 1.0)
        chance = _f_test(strength * left / part.dof, free, left) if luck > self.rounding else 0.0
        paired = scale.levels is not None and scores.shape[1] < self.left.size  # compared within draws
        chance = chance if paired else max(chance, part.chance(self.rounding))
        rest_error = self._error_of_sum(np.square(around))
        return Effect(scale, size, error, float(size @ size) - luck, variance_error, rest_error, chance)

    def _errors(self, left: Floats, pull: Floats) -> Floats:
        """Return errors from residuals, which the pull on the fit of a draw, and of those beside it, makes too small.

        The estimator HC2 of MacKinnon and White (1985, *Journal of Econometrics* 29, 305-325).
        """
        pull = self.answers.together(pull)
        pull = pull if pull.size == left.size else pull[self.answers.source]
        return left / np.sqrt(np.maximum(1 - pull, 0.1))

    def _error_of_sum(self, parts: Floats) -> float:
        """Return the standard error of a sum over the draws."""
        gap = self.answers.together(parts - self.answers.weight * parts.sum())
        return float(np.sqrt(np.square(gap).sum()))


def _f_test(ratio: float, free: int, rest: float) -> float:
    """Return the chance that an F ratio of noise is as large."""
    return float(fdtrc(free, rest, ratio))
