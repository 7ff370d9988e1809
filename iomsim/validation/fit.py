"""The between-rounds parameters, fitted to past contests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.engine.executors import progress_bar
from iomsim.errors import IomsimError, unknown, whole_number
from iomsim.forecasting.result import Result
from iomsim.house_style import count, percent
from iomsim.memory import refuse_too_many
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
PRIOR_PART, ASIDE = 0.25, 0.25
"""Later draws: from a normal with 1.5 times the posterior's covariance, a quarter still from the prior, and a quarter
around the posteriors without one kind of body, and without the contest that weighs most."""

SHIFTED = 0.25
"""Prior standard deviations by which a posterior mean must move for it to say something."""

TAIL = 0.025
"""Posterior probability on either side below which a value is not believed."""

PINNED, LOOSE = 0.5, 0.15
"""A posterior variance below half of the prior's counts as pinned down, above 0.85 of it as not."""

KEPT, ENOUGH = 4000, 200
"""Equally weighted draws of the posterior; and effective ones, below which a sentence warns."""

PLURAL = {"world assembly": "world assemblies", "regional assembly": "regional assemblies", "board": "boards"}
"""Kinds of bodies in words."""


def body_kind(contest: Contest) -> str:
    """Return the kind of body that a contest was held in, for a body that is not shipped "unknown"."""
    return contest.body_kind or "unknown"


def fit(
    contests: Iterable[Contest] | None = None,
    parameters: Iterable[str] | None = None,
    *,
    prior: Mapping[str, Any] | None = None,
    base: Behaviour | None = None,
    draws: int = DRAWS,
    seed: int = 2023,
    progress: bool = True,
) -> Fit:
    """Fit the between-rounds parameters to the tallies and withdrawals of past contests.

    Parameters
    ----------
    contests : contests, optional
        What to learn from; default the shipped ones.  Those held out are always left out.
    parameters : names, optional
        Fields of the behaviour, or "openness", "momentum", "floor", "concession"; default all eleven that
        have a prior.  The others stay as in `base`.
    prior : mapping of frozen scipy.stats laws, optional
        Priors of your own by field; default :data:`iomsim.validation.priors.LAWS`, which are wide.
    base : Behaviour, optional
        Everything that is not fitted; default the model's.
    draws : int, default 8192
        Parameter values per stage.
    seed : int
        Addresses them.
    progress : bool, default True
        Show a progress bar on stderr, once it takes long.

    Returns
    -------
    Fit
        Its `table()` sets posterior beside prior and default, `by_kind()` kinds of bodies beside each other, and
        `left_out()` what it foresees of contests that it has not seen beside what the defaults do.

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
    refuse_too_many(draws, "draws", 32.0 * STAGES * (len(used) + len(laws)))
    with progress_bar(STAGES * draws * len(used), progress, "likelihoods") as advance:
        return Fit(used, b, laws, *_adapted(used, laws, b, draws, np.random.default_rng(seed), advance), seed)


def _adapted(
    used: tuple[Contest, ...],
    laws: Mapping[str, Any],
    b: Behaviour,
    draws: int,
    rng: np.random.Generator,
    advance: Callable[[int], object],
) -> tuple[Floats, Floats, Floats]:
    """Return draws (normal scores), their log-proposal relative to the prior, and the likelihoods."""
    size = len(laws)
    stages: list[list[Normal]] = []
    scores: Floats = np.empty((0, size))
    log_likelihoods: Floats = np.empty((len(used), 0))
    for stage in range(STAGES):
        new = rng.standard_normal((draws, size))
        if stage:
            stages.append(_normals(used, scores, log_likelihoods, _mixture(scores, stages)))
            edges = np.cumsum([normal.part for normal in stages[-1]])
            which = np.searchsorted(edges, rng.random(draws), side="right")  # beyond the last: from the prior
            for i, normal in enumerate(stages[-1]):
                new[which == i] = normal.middle + new[which == i] @ normal.root.T
        scores = np.concatenate([scores, new])
        found = log_likelihood(used, _theta(b, from_scores(laws, new), draws), advance)
        log_likelihoods = np.concatenate([log_likelihoods, found], axis=1)
    return scores, _mixture(scores, stages), log_likelihoods


class Normal(NamedTuple):
    """A part of what draws come from, with middle and root of its covariance."""

    part: float
    middle: Floats
    root: Floats


def _normals(used: tuple[Contest, ...], scores: Floats, log_likelihoods: Floats, log_proposal: Floats) -> list[Normal]:
    """Return normals around the posterior, without one kind of body, and without the contest that weighs most."""
    of = np.array([body_kind(one) for one in used])
    kinds = dict.fromkeys(of.tolist()) if len(set(of)) > 1 else {}
    total = log_likelihoods.sum(axis=0)
    squares = [(np.exp(_log_weights(total - one, log_proposal)) ** 2).sum() for one in log_likelihoods]
    heaviest = np.arange(len(used)) == np.argmax(squares)
    aside = [of != kind for kind in kinds] + [~heaviest] * (len(used) > 1)
    subsets = [(1 - PRIOR_PART - ASIDE * bool(aside), of == of), *((ASIDE / len(aside), some) for some in aside)]
    found = ((part, _log_weights(log_likelihoods[some].sum(axis=0), log_proposal)) for part, some in subsets)
    return [_normal_at(part, scores, log_weights) for part, log_weights in found]


def _theta(b: Behaviour, values: Mapping[str, Floats], size: int = 1) -> SimpleNamespace:
    fixed = {key: np.full(size, getattr(b, key).value) for key in LAWS}
    away = absent_part(b.absent.value, b.abstain.value)
    kept = {"conviction": b.conviction.value, "secrecy": b.secrecy.value, "away": away}
    return SimpleNamespace(**fixed | dict(values) | kept)


def _normal_at(part: float, scores: Floats, log_weights: Floats) -> Normal:
    """Return a normal around the weighted draws, a little wider than they are."""
    w = np.exp(log_weights)
    middle = w @ scores
    spread = WIDER * ((scores - middle) * w[:, None]).T @ (scores - middle) + 1e-4 * np.eye(scores.shape[1])
    return Normal(part, middle, np.asarray(np.linalg.cholesky(spread)))


def _mixture(scores: Floats, stages: list[list[Normal]]) -> Floats:
    """Return the log-density of the mixture of all stages, relative to the prior's: the first is the prior."""
    prior = -0.5 * (scores**2).sum(axis=1)
    logs = [np.zeros(len(scores))]
    for normals in stages:
        parts = [np.full(len(scores), np.log(1 - sum(normal.part for normal in normals)))]
        for part, middle, root in normals:
            scaled = np.linalg.solve(root, (scores - middle).T)
            parts.append(np.log(part) - 0.5 * (scaled**2).sum(axis=0) - np.log(np.diag(root)).sum() - prior)
        logs.append(np.logaddexp.reduce(parts, axis=0))
    return np.asarray(np.logaddexp.reduce(logs, axis=0) - np.log(len(logs)))


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
        return self._of([one.id != contest.id and one.rounds != contest.rounds for one in self.contests])

    def only(self, kind: str) -> Fit:
        """Return the posterior as if there had been no contests but those of one kind of body.

        Raises
        ------
        UnknownNameError
            If there is none of this kind.

        Examples
        --------
        >>> import iomsim as iom
        >>> len(iom.fit(parameters=["concession"], draws=500).only("world assembly").contests)
        18
        """
        if kind not in self.kinds:
            raise unknown("kind of body among the contests", kind, self.kinds)
        return self._of([body_kind(one) == kind for one in self.contests])

    def _of(self, keep: list[bool]) -> Fit:
        """Return the posterior from some of the contests: the draws are the same, their weights others."""
        some = tuple(one for one, kept in zip(self.contests, keep, strict=True) if kept)
        made = replace(self, contests=some, log_likelihoods=self.log_likelihoods[np.array(keep, dtype=bool)])
        vars(made)["values"] = self.values  # not worked out again
        return made

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of bodies whose contests were learned from, those with most contests first."""
        found = Counter(map(body_kind, self.contests))
        return tuple(kind for kind, _ in found.most_common())

    def quantile(self, key: str, *levels: float) -> list[float]:
        """Return posterior quantiles of a parameter."""
        found = np.quantile(self.values[key].to_numpy(), levels, weights=self.weights, method="inverted_cdf")
        return [float(value) for value in found]

    def table(self) -> pd.DataFrame:
        """Return the posterior beside prior and default.

        Returns
        -------
        DataFrame
            By parameter: `prior` and `prior_sd`; posterior `mean`, `sd`, and middle 80 % from `value_low` to
            `value_high`; `contraction`, the share of the prior's variance that the contests took away;
            whether that counts as `pinned down`; the model's `default` and how much of the
            posterior lies below it; `disagrees` where that is less than 2.5 or more than 97.5 %, and is so
            whichever contest is left out; and `leans on`, the contest without which the mean would be most
            different, and by how many `sd`s it then is (`moves`).
        """
        return pd.DataFrame({key: self._row(key) for key in self.laws}).T.rename_axis("parameter").infer_objects()

    def _row(self, key: str) -> dict[str, Any]:
        x, w, law = self.values[key].to_numpy(), self.weights, self.laws[key]
        mean, sd = _moments(x, w)
        low, high = self.quantile(key, 0.1, 0.9)
        taken = 1 - sd**2 / law.var()
        default = getattr(self.base, key).value
        below = float(w[x < default].sum())
        moves = (self._weights_without @ x - mean) / sd
        most = int(np.abs(moves).argmax())
        always = np.append(self._weights_without @ (x < default), below)
        return {
            "prior": float(law.mean()),
            "prior_sd": float(law.std()),
            "mean": mean,
            "sd": sd,
            "value_low": low,
            "value_high": high,
            "contraction": float(taken),
            "pinned down": "yes" if taken > PINNED else "partly" if taken > LOOSE else "no",
            "default": default,
            "below default": below,
            "disagrees": bool((always < TAIL).all() or (always > 1 - TAIL).all()),
            "leans on": self.contests[most].id,
            "moves": float(moves[most]),
        }

    @cached_property
    def _weights_without(self) -> Floats:
        """Posterior weights with each contest left out, shape (contests, D)."""
        return np.array([self.without(one).weights for one in self.contests])

    def by_kind(self) -> pd.DataFrame:
        """Return the posteriors from the contests of one kind of body alone.

        Returns
        -------
        DataFrame
            By parameter and kind of body: posterior `mean`, and middle 80 % from `value_low` to `value_high`, from its
            contests alone; the `effective` draws and the number of `contests`; how likely the value is `above` that of
            all other kinds together; and the `word`: "higher" or "lower" where that is beyond doubt (2.5 % shared by
            the kinds compared) whichever contest is left out, else "not told apart"; "cannot tell" where fewer
            than 200 draws agree with the contests of the kind, or with the others, or the kind says next to
            nothing of the parameter.

        Examples
        --------
        >>> list(fit(parameters=["concession"], draws=500).by_kind().loc["concede_a"].index)
        ['world assembly', 'regional assembly', 'board', 'persons']
        """
        return self._by_kind.copy()

    @cached_property
    def _by_kind(self) -> pd.DataFrame:
        rows = [row for kind in self.kinds for row in self._rows_of(kind)]
        by = pd.DataFrame(rows).set_index(["parameter", "kind"])
        return by.reindex(list(self.laws), level="parameter")

    def _rows_of(self, kind: str) -> list[dict[str, Any]]:
        own, others = self.only(kind), self._others(kind)
        few = not others.contests or min(own.effective, others.effective) < ENOUGH
        rows = []
        for i, key in enumerate(self.laws):
            mean, _ = _moments(self.values[key].to_numpy(), own.weights)
            low, high = own.quantile(key, 0.1, 0.9)
            above = self._above(kind, key)
            silent = few or _little_learned(*_moments(self.scores[:, i], own.weights))
            rows.append(
                {
                    "parameter": key,
                    "kind": kind,
                    "mean": mean,
                    "value_low": low,
                    "value_high": high,
                    "effective": own.effective,
                    "contests": len(own.contests),
                    "above": above,
                    "word": "cannot tell" if silent else self._word(kind, key, above),
                }
            )
        return rows

    def _others(self, kind: str) -> Fit:
        return self._of([body_kind(one) != kind for one in self.contests])

    def _above(self, kind: str, key: str) -> float:
        """Return how likely a kind's value is above that of the others, ties counting half; NaN if one is missing."""
        if kind not in self.kinds or len(self.kinds) < 2:
            return float("nan")
        order = np.argsort(self.values[key].to_numpy())
        w, v = (fit.weights[order] for fit in (self.only(kind), self._others(kind)))
        return float(w @ (np.cumsum(v) - v / 2))

    def _word(self, kind: str, key: str, above: float) -> str:
        tail = TAIL / len(self.kinds)
        if tail <= above <= 1 - tail:
            return "not told apart"
        left = np.array([self.without(one)._above(kind, key) for one in self.contests])
        always = {"higher": (left > 1 - tail).all(), "lower": (left < tail).all()}
        return next((word for word, holds in always.items() if holds), "not told apart")

    def left_out(self) -> pd.DataFrame:
        """Return how well every contest is foreseen from the others, and how well by the defaults.

        Both are log-likelihoods of what was announced after the first tally: of the posterior from the other
        contests, averaged over its draws, and of `base`, by default the model's behaviour.  The defaults were
        chosen with many of these contests in view, so the comparison favours them.

        Returns
        -------
        DataFrame
            By contest: its `kind` of body, the two log-likelihoods `fitted` and `default`, `gain` (how much greater
            that of the fit is), and the `effective` draws behind it.

        Examples
        --------
        >>> list(fit(parameters=["concession"], draws=500).left_out())
        ['kind', 'fitted', 'default', 'gain', 'effective']
        """
        default = log_likelihood(self.contests, _theta(self.base, {}))[:, 0]
        with np.errstate(divide="ignore"):
            fitted = np.logaddexp.reduce(np.log(self._weights_without) + self.log_likelihoods, axis=1)
        table = {
            "kind": [body_kind(one) for one in self.contests],
            "fitted": fitted,
            "default": default,
            "gain": fitted - default,
            "effective": 1 / (self._weights_without**2).sum(axis=1),
        }
        return pd.DataFrame(table, index=pd.Index([one.id for one in self.contests], name="contest"))

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
            f"contradicted: {self._contradicted(table, against)}" if against else "no default is contradicted",
        ]
        few = f" Only about {self.effective:.0f} draws agree with the contests, so ask for more."
        few = few if self.effective < ENOUGH else ""
        first = f"By {count(len(self.contests), 'contest')}, {'; '.join(filter(None, said))}.{few}"
        return " ".join(filter(None, [first, self._foreseen(), self._kinds_told_apart()]))

    def _contradicted(self, table: pd.DataFrame, against: list[str]) -> str:
        """Return the default and the fitted value of parameters, in words."""
        pairs = [(key, *in_digits(table.at[key, "default"], table.at[key, "mean"])) for key in against]
        return _words([f"{key} (default {default}, fitted {fitted})" for key, default, fitted in pairs])

    def _foreseen(self) -> str:
        gain = self.left_out()["gain"]
        if len(gain) < 2:
            return ""
        total, error = float(gain.sum()), float(gain.std() * len(gain) ** 0.5)
        how = "better than" if total > 2 * error else "worse than" if total < -2 * error else "as well as"
        sums = f"{total:+.1f} log units in all, standard error {error:.1f}"
        return f"Contests left out one by one are foreseen {how} by the defaults, chosen in view of many ({sums})."

    def _kinds_told_apart(self) -> str:
        if len(self.kinds) < 2:
            return ""
        told = self._by_kind["word"]
        told = told[told.isin(["higher", "lower"])]
        words = [f"{key} {word} in {PLURAL.get(kind, kind)}" for (key, kind), word in told.items()]
        return f"Kinds of bodies: {', '.join(words)}." if words else "Kinds of bodies cannot be told apart."

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


def _little_learned(mean: float, sd: float) -> bool:
    """Say whether a posterior of normal scores is next to the prior."""
    return 1 - sd**2 < LOOSE and abs(mean) < SHIFTED


def _moments(x: Floats, w: Floats) -> tuple[float, float]:
    """Return weighted mean and standard deviation."""
    mean = float(w @ x)
    return mean, float(np.sqrt(w @ (x - mean) ** 2))
