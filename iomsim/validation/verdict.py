"""What a backtest found: every forecast, every score by case, and the comparison with the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.errors import unknown
from iomsim.forecasting.result import Result
from iomsim.rules.procedure import ENDINGS
from iomsim.validation.calibration import Decomposition, bootstrap_mean, corp, pit, rank_histogram, reliability
from iomsim.validation.contest import Contest
from iomsim.validation.prediction import SCORES, Prediction, ReplayStep, scored
from iomsim.validation.rounds import Aftermath, Situation

MODEL = "model"

EVENTS = ("over next", "leader wins")
"""What calibration can be asked of: over by the end of the next round; the leader is the final winner."""


@dataclass(frozen=True, eq=False)
class Case:
    """A round of a contest, what every forecaster said after it, and what followed."""

    contest: Contest
    situation: Situation
    aftermath: Aftermath
    step: ReplayStep
    predictions: dict[str, Prediction]


@dataclass(frozen=True, repr=False, eq=False)
class Backtest(Result):
    """Forecasts of past contests and their scores.

    Attributes
    ----------
    contests : tuple of Contest
        Those that were asked for.
    cases : tuple of Case
        Every round after which a forecast was made.
    model : str
        Which behaviour was used.
    particles, seed : int
        As given.
    note : str
        What to bear in mind when reading the result.
    """

    contests: tuple[Contest, ...]
    cases: tuple[Case, ...]
    model: str
    particles: int
    seed: int
    note: str = ""

    SHOWN = 40

    # -- forecasts and scores ----------------------------------------------------------------

    @cached_property
    def forecasts(self) -> pd.DataFrame:
        """Every forecast: a row per contest, round and forecaster, beside what came.

        `conditioning` says what the model's row is conditioned on: exactly the rounds named, or
        restarted from a tally because what lies before is not known; `surprise` is the two-sided
        tail probability that it had given to the tally; `effective` its particles.  Of the next
        share the median and the middle 80 % are shown.
        """
        return pd.DataFrame([_row(case, name) for case in self.cases for name in case.predictions])

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Every score: a row per contest, round and forecaster, a column per score."""
        return pd.DataFrame(
            {"contest": case.contest.id, "round": case.situation.round, "forecaster": name}
            | scored(prediction, case.situation.candidates, case.aftermath)
            for case in self.cases
            for name, prediction in case.predictions.items()
        )

    @property
    def rows(self) -> pd.DataFrame:
        """Every forecast and every score, in one table for files."""
        return self.forecasts.merge(self.scores, on=["contest", "round", "forecaster"])

    @cached_property
    def skipped(self) -> pd.DataFrame:
        """The announced rounds after which nothing was forecast, and why; round 0 where none is known."""
        used = {(case.contest.id, case.situation.round) for case in self.cases}
        left = [(c, a) for c in self.contests for a in c.rounds if (c.id, a.round) not in used]
        rows = [(c.id, a.round, "held out" if c.held_out else c.unused(a)) for c, a in left]
        rows += [(c.id, 0, "no tally known") for c in self.contests if not c.rounds]
        return pd.DataFrame(rows, columns=["contest", "round", "why"])

    # -- comparison with the baselines -------------------------------------------------------

    def table(self) -> pd.DataFrame:
        """Return where the model beats each baseline and where it loses.

        Returns
        -------
        DataFrame
            By score and baseline: the mean scores on the same cases (contests count alike, however
            many rounds they took), the baseline's excess over the model with its 95 % bootstrap
            interval over contests (`difference`, `low`, `high`; above 0 the model is better), in
            how many of the contests the model was `ahead`, and the verdict.
        """
        wide = {score: self._wide(score) for score in SCORES}
        pairs = [(score, baseline) for score in SCORES for baseline in wide[score].columns.drop(MODEL)]
        both = {(score, baseline): wide[score][[MODEL, baseline]].dropna() for score, baseline in pairs}
        rows = {key: self._compared(frame, key[1]) for key, frame in both.items() if len(frame)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["score", "baseline"])

    def _wide(self, score: str) -> pd.DataFrame:
        if score not in SCORES:
            raise unknown("score", score, SCORES)
        wide = self.scores.pivot(index=["contest", "round"], columns="forecaster", values=score)
        order = [(case.contest.id, case.situation.round) for case in self.cases]
        return wide.reindex(order)[list(self.cases[0].predictions)].rename_axis(None, axis=1)

    def _compared(self, both: pd.DataFrame, baseline: str) -> dict[str, Any]:
        gap = bootstrap_mean(both[baseline] - both[MODEL], _contest(both), seed=self.seed, by_group=True)
        means = both.groupby(level="contest").mean()
        return {
            "model's": means[MODEL].mean(),
            "baseline's": means[baseline].mean(),
            "difference": gap.value,
            "low": gap.low,
            "high": gap.high,
            "ahead": int((means[MODEL] < means[baseline]).sum()),
            "contests": len(means),
            "model is": "better" if gap.low > 0 else "worse" if gap.high < 0 else "not told apart",
        }

    def by_contest(self, score: str = "winner, log") -> pd.DataFrame:
        """Return a score's mean over the rounds of each contest, by forecaster; lower is better.

        Raises
        ------
        UnknownNameError
            If there is no such score.
        """
        return self._wide(score).groupby(level="contest", sort=False).mean()

    def model_scores(self) -> pd.DataFrame:
        """Return the model's mean scores with their 95 % bootstrap intervals over contests."""
        rows = {}
        for score, judges in SCORES.items():
            own = self._wide(score)[MODEL].dropna()
            mean = bootstrap_mean(own, _contest(own), seed=self.seed, by_group=True)
            counts = {"contests": len(set(_contest(own))), "rounds": len(own), "judges": judges}
            rows[score] = mean._asdict() | counts
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("score")

    # -- calibration -------------------------------------------------------------------------

    def reliability(self, event: str = "over next") -> pd.DataFrame:
        """Return the reliability curve of the model's probabilities of an event.

        Parameters
        ----------
        event : {"over next", "leader wins"}
            Over by the end of the next round; the leader of the round is the final winner.

        Returns
        -------
        DataFrame
            As :func:`iomsim.validation.calibration.reliability`.  The rounds of one contest are not independent;
            the band does not know that, and is too narrow where one contest gives many rounds.
        """
        return reliability(*self.events(event), seed=self.seed)

    def decomposition(self, event: str = "over next") -> Decomposition:
        """Return what the Brier score of an event is made of (:func:`iomsim.validation.calibration.corp`)."""
        return corp(*self.events(event))

    def events(self, event: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the model's probabilities of an event, and whether it came, round by round."""
        if event not in EVENTS:
            raise unknown("event", event, EVENTS)
        if event == "over next":
            pairs = [(case.step.prediction.over_next, case.aftermath.over_next) for case in self.cases]
        else:
            wins = [case.step.prediction.winner for case in self.cases]
            leads = [case.aftermath.winner == case.situation.candidates[0] for case in self.cases]
            pairs = [(p[0] if p is not None else None, lead) for p, lead in zip(wins, leads, strict=True)]
        said, came = zip(*pairs, strict=True)
        return np.array(said, dtype=float), np.array(came, dtype=bool)

    @cached_property
    def pits(self) -> np.ndarray:
        """Where each next share fell in its forecast, 0 to 1; uniform if the forecasts are right."""
        known = [(case.step.prediction.shares, case.aftermath.next_share) for case in self.cases]
        pairs = [(said, came) for said, came in known if came is not None and said is not None and len(said)]
        return np.array([float(pit(said, came, seed=self.seed + i)) for i, (said, came) in enumerate(pairs)])

    def ranks(self, bins: int = 5) -> pd.DataFrame:
        """Return the rank histogram of the next shares (:func:`iomsim.validation.calibration.rank_histogram`)."""
        return rank_histogram(self.pits, bins)

    # -- showing -----------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """Which contests these are: "past contests", or "synthetic contests" if they were simulated."""
        return "synthetic contests" if all(one.synthetic for one in self.contests) else "past contests"

    def sentence(self) -> str:
        """Return what the table says: where the model wins, and where it loses."""
        table = self.table().reset_index()
        won, lost = (_listed(table[table["model is"] == verdict]) for verdict in ("better", "worse"))
        behind = _listed(table[2 * table["ahead"] < table["contests"]])
        rounds, contests = len(self.cases), len({case.contest.id for case in self.cases})
        judged = f"{rounds} round{'s' * (rounds != 1)} of {contests} {self.kind.removesuffix('s' * (contests == 1))}"
        worst = self.by_contest("winner, log")[MODEL].idxmax()
        return (
            f"Judged after {judged}, {self.model} does clearly better on "
            f"{won or 'nothing'}; clearly worse on {lost or 'nothing'}. The other comparisons cannot be told apart "
            f"with so few contests. In most contests it was behind on {behind or 'nothing'}. It was most surprised by "
            f"who won {worst}. {self.note}"
        ).strip()

    def stamp(self) -> str:
        """Return what is needed to make this backtest again, in one line."""
        p = self.provenance
        return f"iomsim {p['version']} · seed {p['seed']} · {p['particles']} particles · {p['model']} · {p['contests']}"

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, seed, particles, model and contests."""
        held = list(dict.fromkeys(case.contest.id for case in self.cases))
        names = ", ".join(held) if len(held) < 4 else f"{len(held)} {self.kind}"
        return {
            "version": VERSION,
            "seed": self.seed,
            "particles": self.particles,
            "model": self.model,
            "contests": names,
        }

    def _repr_html_(self) -> str:
        left = ", ".join(f"{count} {why}" for why, count in self.skipped.groupby("why").size().items())
        note = f"<p>Rounds after which nothing is forecast: {escape(left)}.</p>" if left else ""
        return f"<div>{super()._repr_html_()}{note}</div>"


def _contest(rows: pd.DataFrame | pd.Series) -> np.ndarray:
    return rows.index.get_level_values("contest").to_numpy()


def _listed(rows: pd.DataFrame) -> str:
    """Return scores with the baselines they concern, in words."""
    groups = rows.groupby("score", sort=False)["baseline"]
    return "; ".join(f"{score} (against {', '.join(names)})" for score, names in groups)


def _row(case: Case, name: str) -> dict[str, Any]:
    prediction, names, came = case.predictions[name], case.situation.candidates, case.aftermath
    low, middle, high = prediction.quantiles(0.1, 0.5, 0.9)
    winner = [*names, None].index(came.winner)
    own = name == MODEL
    return {
        "contest": case.contest.id,
        "round": case.situation.round,
        "forecaster": name,
        "conditioning": case.step.conditioning if own else "",
        "leader": names[0],
        "share": case.situation.share,
        "next_low": low,
        "next_median": middle,
        "next_high": high,
        "next_share": came.next_share,
        "p_over_next": prediction.over_next,
        "over_next": came.over_next,
        "rounds_median": _median(prediction.to_come),
        "to_come": came.to_come,
        "p_leader": _at(prediction.winner, 0),
        "p_nobody": _at(prediction.winner, -1),
        "p_winner": _at(prediction.winner, winner),
        "winner": came.winner or "nobody of them",
        "p_ending": _at(prediction.ending, ENDINGS.index(came.ending)),
        "ending": came.ending,
        "surprise": case.step.surprise if own else np.nan,
        "effective": case.step.effective if own else np.nan,
    }


def _at(pmf: Any, place: int) -> float:
    return np.nan if pmf is None else float(pmf[place])


def _median(pmf: Any) -> float:
    """Return the median number of rounds to come; the last category stands for itself or more."""
    return np.nan if pmf is None else float(np.searchsorted(np.cumsum(pmf), 0.5))
