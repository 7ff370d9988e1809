"""The between-rounds parameters, fitted to past contests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.errors import IomsimError, whole_number
from iomsim.forecasting.result import Result
from iomsim.house_style import count, percent
from iomsim.model.components import Behaviour
from iomsim.model.quantities import Quantity, in_digits
from iomsim.model.scenario import Scenario, build
from iomsim.typing import Floats
from iomsim.validation.contest import Contest
from iomsim.validation.data import contests as read_contests
from iomsim.validation.likelihood import log_likelihood
from iomsim.validation.priors import LAWS, chosen, from_scores, priors
from iomsim.validation.segments import absent_part

DRAWS = 8192
STAGES = 3
"""Rounds of adaptation: the first draws come from the prior, the later ones from where it led."""

WIDER = 1.5
PRIOR_PART = 0.25
"""Later draws: from a normal with 1.5 times the posterior's covariance, a quarter still from the prior."""

PINNED, LOOSE = 0.5, 0.15
"""A posterior variance below half of the prior's counts as pinned down, above 0.85 of it as not."""

KEPT, ENOUGH = 4000, 200
"""Equally weighted draws of the posterior; and effective ones, below which a sentence warns."""


def fit(
    contests: Iterable[Contest] | None = None,
    parameters: Iterable[str] | None = None,
    *,
    prior: Mapping[str, Any] | None = None,
    base: Behaviour | None = None,
    draws: int = DRAWS,
    seed: int = 2023,
) -> Fit:
    """Fit the between-rounds parameters to the tallies and withdrawals of past contests.

    Parameters
    ----------
    contests : contests, optional
        What to learn from; default the shipped ones.  Those held out are always left out.
    parameters : names, optional
        Fields of the behaviour, or "openness", "momentum", "floor", "concession"; default all ten that
        have a prior.  The others stay as in `base`, so does `momentum_field`: only moves between two are
        looked at.
    prior : mapping of frozen scipy.stats laws, optional
        Priors of your own by field; default :data:`iomsim.validation.priors.LAWS`, which are wide.
    base : Behaviour, optional
        Everything that is not fitted; default the model's.
    draws : int, default 8192
        Parameter values per stage.
    seed : int
        Addresses them.

    Returns
    -------
    Fit
        Its `table()` sets posterior beside prior and default.

    Notes
    -----
    The likelihood is analytic (:mod:`iomsim.validation.likelihood`); the posterior is an importance sample,
    adapted in three stages whose draws are all kept with the weights of their mixture (Cappé et al.
    2004, *Journal of Computational and Graphical Statistics* 13, 907-929).  Since the likelihood of
    every contest is kept, the posterior without a contest costs nothing more.

    Examples
    --------
    >>> learned = fit(parameters=["concession"], draws=500)
    >>> learned.table().loc["concede_b", "pinned down"] in ("yes", "partly", "no")
    True
    """
    whole_number("draws", draws, 100)
    given = tuple(read_contests() if contests is None else contests)
    used = tuple(one for one in given if not one.held_out)
    if not used:
        raise IomsimError("no contest to learn from; those held out are never used")
    keys = chosen(parameters)
    laws = priors(keys, prior)
    b = base or Behaviour()
    return Fit(used, b, laws, *_adapted(used, laws, b, draws, np.random.default_rng(seed)), seed)


def _adapted(
    used: tuple[Contest, ...], laws: Mapping[str, Any], b: Behaviour, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return draws (normal scores), their log-proposal relative to the prior, and the likelihoods."""
    size = len(laws)
    normals: list[tuple[Floats, Floats]] = []
    scores: Floats = np.empty((0, size))
    log_likelihoods: Floats = np.empty((len(used), 0))
    for stage in range(STAGES):
        new = rng.standard_normal((draws, size))
        if stage:
            normals.append(_normal_at(scores, _log_weights(log_likelihoods.sum(axis=0), _mixture(scores, normals))))
            moved = rng.random(draws) >= PRIOR_PART
            middle, root = normals[-1]
            new[moved] = middle + new[moved] @ root.T
        scores = np.concatenate([scores, new])
        log_likelihoods = np.concatenate([log_likelihoods, log_likelihood(used, _theta(laws, b, new))], axis=1)
    return scores, _mixture(scores, normals), log_likelihoods


def _theta(laws: Mapping[str, Any], b: Behaviour, scores: Floats) -> SimpleNamespace:
    fixed = {key: np.full(len(scores), getattr(b, key).value) for key in LAWS}
    away = absent_part(b.absent.value, b.abstain.value)
    return SimpleNamespace(**fixed | from_scores(laws, scores), conviction=b.conviction.value, away=away)


def _normal_at(scores: Floats, log_weights: Floats) -> tuple[Floats, Floats]:
    """Return middle and root of a normal around the weighted draws, a little wider than they are."""
    w = np.exp(log_weights)
    middle = w @ scores
    spread = WIDER * ((scores - middle) * w[:, None]).T @ (scores - middle) + 1e-4 * np.eye(scores.shape[1])
    return middle, np.asarray(np.linalg.cholesky(spread))


def _mixture(scores: Floats, normals: list[tuple[Floats, Floats]]) -> Floats:
    """Return the log-density of the mixture of all stages, relative to the prior's."""
    prior = -0.5 * (scores**2).sum(axis=1)
    stages = [np.zeros(len(scores))]
    for middle, root in normals:
        scaled = np.linalg.solve(root, (scores - middle).T)
        log_ratio = -0.5 * (scaled**2).sum(axis=0) - np.log(np.diag(root)).sum() - prior
        stages.append(np.logaddexp(np.log(PRIOR_PART), np.log(1 - PRIOR_PART) + log_ratio))
    return np.asarray(np.logaddexp.reduce(stages, axis=0) - np.log(len(stages)))


def _log_weights(log_likelihood_: Floats, log_proposal: Floats) -> Floats:
    raw = log_likelihood_ - log_proposal
    return np.asarray(raw - np.logaddexp.reduce(raw))


@dataclass(frozen=True, repr=False, eq=False)
class Fit(Result):
    """The posterior of the between-rounds parameters, as a weighted sample.

    Attributes
    ----------
    contests : tuple of Contest
        What was learned from.
    base : Behaviour
        Everything that was not fitted.
    laws : dict
        The priors by parameter.
    scores : ndarray, shape (D, parameters)
        The draws as normal scores of the prior.
    log_proposal : ndarray, shape (D,)
        Log-density they were drawn from, relative to the prior.
    log_likelihoods : ndarray, shape (contests, D)
        Log-likelihood of every contest.
    seed : int
        As given.
    """

    contests: tuple[Contest, ...]
    base: Behaviour
    laws: dict[str, Any]
    scores: Floats
    log_proposal: Floats
    log_likelihoods: Floats
    seed: int

    @cached_property
    def values(self) -> pd.DataFrame:
        """The parameter values of all draws."""
        return pd.DataFrame(from_scores(self.laws, self.scores))

    @cached_property
    def weights(self) -> Floats:
        """Posterior weights of the draws."""
        return np.exp(_log_weights(self.log_likelihoods.sum(axis=0), self.log_proposal))

    @property
    def effective(self) -> float:
        """Effective number of draws (Kish)."""
        return float(1 / (self.weights**2).sum())

    @property
    def posterior(self) -> pd.DataFrame:
        """The posterior as 4000 equally weighted draws, one column per parameter."""
        edges = np.cumsum(self.weights)
        index = np.searchsorted(edges, (np.arange(KEPT) + 0.5) / KEPT * edges[-1], side="right")
        return self.values.iloc[np.minimum(index, len(edges) - 1)].reset_index(drop=True)

    def without(self, contest: Contest) -> Fit:
        """Return the posterior as if this contest, or any with the same rounds, had not been there."""
        keep = [one.id != contest.id and one.rounds != contest.rounds for one in self.contests]
        left = tuple(one for one, kept in zip(self.contests, keep, strict=True) if kept)
        return replace(self, contests=left, log_likelihoods=self.log_likelihoods[np.array(keep, dtype=bool)])

    def quantile(self, key: str, *levels: float) -> list[float]:
        """Return posterior quantiles of a parameter."""
        found = np.quantile(self.values[key].to_numpy(), levels, weights=self.weights, method="inverted_cdf")
        return [float(value) for value in found]

    def table(self) -> pd.DataFrame:
        """Return the posterior beside prior and default.

        Returns
        -------
        DataFrame
            By parameter: `prior` and `prior_sd`; posterior `mean`, `sd`, and middle 80 % from `low` to
            `high`; `contraction`, the share of the prior's variance that the contests took away;
            whether that counts as `pinned down`; the model's `default` and how much of the
            posterior lies below it; `disagrees` where that is less than 2.5 or more than 97.5 %.
        """
        return pd.DataFrame({key: self._row(key) for key in self.laws}).T.rename_axis("parameter").infer_objects()

    def _row(self, key: str) -> dict[str, Any]:
        x, w, law = self.values[key].to_numpy(), self.weights, self.laws[key]
        mean = float(w @ x)
        sd = float(np.sqrt(w @ (x - mean) ** 2))
        low, high = self.quantile(key, 0.1, 0.9)
        taken = 1 - sd**2 / law.var()
        default = getattr(self.base, key).value
        below = float(w[x < default].sum())
        return {
            "prior": float(law.mean()),
            "prior_sd": float(law.std()),
            "mean": mean,
            "sd": sd,
            "low": low,
            "high": high,
            "contraction": float(taken),
            "pinned down": "yes" if taken > PINNED else "partly" if taken > LOOSE else "no",
            "default": default,
            "below default": below,
            "disagrees": not 0.025 <= below <= 0.975,
        }

    def trade_offs(self, least: float = 0.4) -> pd.DataFrame:
        """Return the pairs of parameters whose posterior correlation is at least so strong.

        What is known of such a pair is rather a combination than each.
        """
        z = self.scores - self.weights @ self.scores
        spread = (z * self.weights[:, None]).T @ z
        matrix = spread / np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
        keys = list(self.laws)
        pairs = [(keys[i], keys[j], matrix[i, j]) for i in range(len(keys)) for j in range(i)]
        rows = sorted((pair for pair in pairs if abs(pair[2]) >= least), key=lambda pair: -abs(pair[2]))
        return pd.DataFrame(rows, columns=["parameter", "and", "correlation"])

    @property
    def behaviour(self) -> Behaviour:
        """The behaviour with fitted values (posterior means) and ranges (middle 80 %)."""
        return Behaviour(**dict(self.base) | {key: self._quantity(key) for key in self.laws})

    def _quantity(self, key: str) -> Quantity:
        low, high = self.quantile(key, 0.1, 0.9)
        mean = float(self.weights @ self.values[key].to_numpy())
        old = getattr(self.base, key)
        what = f"posterior mean and middle {percent(80)} (default {in_digits(old.value)[0]})"
        source = f"fitted to {len(self.contests)} past contests: {what}"
        return Quantity(
            value=mean, low=min(low, mean), high=max(high, mean), unit=old.unit, grade="inferred", source=source
        )

    def scenario(self, race: Scenario) -> Scenario:
        """Return a scenario with the fitted values and ranges, each saying where it comes from.

        Examples
        --------
        >>> import iomsim as iom
        >>> learned = iom.fit(parameters=["concession"], draws=500)
        >>> learned.scenario(iom.load("geneva-2023")).behaviour.concede_a.grade
        'inferred'
        """
        fitted = {key: self._quantity(key) for key in self.laws}
        return build({**dict(race), "behaviour": dict(race.behaviour) | fitted}, race.title)

    def sentence(self) -> str:
        """Return what the contests pin down, what they cannot, and where they contradict the defaults."""
        table = self.table()
        groups = {word: list(table.index[table["pinned down"] == word]) for word in ("yes", "partly", "no")}
        against = list(table.index[table["disagrees"].astype(bool)])
        said = [
            f"pinned down: {_words(groups['yes'])}",
            f"in part: {_words(groups['partly'])}" if groups["partly"] else "",
            f"next to nothing is said of {_words(groups['no'])}" if groups["no"] else "",
            f"contradicted: the default of {_words(against)}" if against else "no default is contradicted",
        ]
        few = f" Only about {self.effective:.0f} draws agree with the contests, so ask for more."
        few = few if self.effective < ENOUGH else ""
        return f"By {count(len(self.contests), 'contest')}, {'; '.join(filter(None, said))}.{few}"

    def stamp(self) -> str:
        """Return what is needed to make this fit again, in one line."""
        p = self.provenance
        contests = count(p["contests"], "contest")
        return f"iomsim {p['version']} · seed {p['seed']} · {p['draws']} draws · {contests} · {p['parameters']}"

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, seed, draws of all stages, contests and parameters."""
        return {
            "version": VERSION,
            "seed": self.seed,
            "draws": len(self.scores),
            "contests": len(self.contests),
            "parameters": ", ".join(self.laws),
        }


def _words(names: list[str]) -> str:
    return ", ".join(names) if names else "nothing"
