"""What a backtest found: every forecast, every score by case, and the comparison with the baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.errors import IomsimError, quote, unknown
from iomsim.forecasting.result import Result
from iomsim.house_style import count, in_html, percent, series
from iomsim.rules.procedure import ENDINGS
from iomsim.validation.calibration import (
    Decomposition,
    bootstrap_mean,
    bootstrap_ratio,
    corp,
    frequency,
    outside,
    pit,
    rank_histogram,
    reliability,
)
from iomsim.validation.contest import Contest
from iomsim.validation.losses import Losses, chance_words, losses
from iomsim.validation.prediction import SCORES, Prediction, ReplayStep, scored
from iomsim.validation.rounds import Aftermath, Situation

MODEL = "model"

EVENTS = ("over next", "leader wins")
"""What calibration can be asked of: over by the end of the next round; the leader is the final winner."""


INTERVALS = (0.5, 0.8, 0.95)
"""The middle parts of a forecast of the next share of which it is asked how often they hold it."""

BINS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Between which probabilities forecasts of an event are counted together."""

FEWEST = 6
"""Contests below which a difference is not told from chance: five that all go one way do so by luck once in sixteen."""


@dataclass(frozen=True, eq=False)
class Case:
    """A round of a contest, what every forecaster said after it, and what followed."""

    contest: Contest
    situation: Situation
    aftermath: Aftermath
    step: ReplayStep
    predictions: dict[str, Prediction]

    @property
    def standing(self) -> str:
        """Whether two stood in the round, or three or more."""
        return "two" if len(self.situation.candidates) == 2 else "three or more"


GROUPS: dict[str, Callable[[Case], str]] = {
    "standing": lambda case: case.standing,
    "kind": lambda case: case.contest.kind,
    "body": lambda case: case.contest.body,
    "class": lambda case: case.contest.label,
}
"""By what forecasts can be told apart: how many stood, the kind of rule, the body, the column `class` of the file."""


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
    assumptions : int or "fixed"
        Draws of the uncertain values of the behaviour.
    refused : dict of str
        Contests whose record cannot be followed to its end under its rules, and why.
    """

    contests: tuple[Contest, ...]
    cases: tuple[Case, ...]
    model: str
    particles: int
    seed: int
    note: str = ""
    assumptions: int | str = "fixed"
    refused: Mapping[str, str] = field(default_factory=dict)

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
        rows = [
            (c.id, a.round, "held out" if c.held_out else c.unused(a) or self.refused.get(c.id, "")) for c, a in left
        ]
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
            interval over contests (`difference`, `difference_low`, `difference_high`; above 0 the model is
            better), in how many of the contests the model was `ahead`, and the verdict.
        """
        wide = {score: self.wide(score) for score in SCORES}
        pairs = [(score, baseline) for score in SCORES for baseline in wide[score].columns.drop(MODEL)]
        both = {(score, baseline): wide[score][[MODEL, baseline]].dropna() for score, baseline in pairs}
        rows = {key: self._compared(frame, key[1]) for key, frame in both.items() if len(frame)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["score", "baseline"])

    def by(self, group: str) -> pd.DataFrame:
        """Return the table for every group of forecasts by itself.

        Parameters
        ----------
        group : {"standing", "kind", "body", "class"}
            How many stood in the round, two, or three or more; what kind of rule the contest had; which body voted;
            or what the column `class` of the file says.

        Returns
        -------
        DataFrame
            As :meth:`table`, by group, score and baseline.  With fewer than six contests no difference is told from
            chance.

        Raises
        ------
        UnknownNameError, IomsimError
            If there is no such group, or the file has no classes.

        Examples
        --------
        >>> import iomsim as iom
        >>> found = iom.backtest(["UNSC2007-EEG", "WHO2017"], particles=200).by("standing")
        >>> found.loc[("three or more", "winner, log", "leader wins at 0.8"), "contests"]
        np.int64(1)
        """
        return pd.concat({label: part.table() for label, part in self._parts(group)}, names=[group])

    def _parts(self, group: str | None) -> Iterator[tuple[str, Backtest]]:
        """Yield the groups with what was said in them; all, if no group is asked for."""
        if group is None:
            yield "all", self
            return
        labels = self.labels(group)
        for label in dict.fromkeys(labels):
            yield (
                label,
                replace(self, cases=tuple(c for c, own in zip(self.cases, labels, strict=True) if own == label)),
            )

    def labels(self, group: str) -> list[str]:
        """Return to which of the groups each case belongs; raises as :meth:`by`."""
        if group not in GROUPS:
            raise unknown("group of forecasts", group, GROUPS)
        labels = [GROUPS[group](case) for case in self.cases]
        if not any(labels):
            raise IomsimError(f"these contests say nothing of their {group}: their file has no column {quote(group)}")
        return [label or "not said" for label in labels]

    def groupings(self) -> tuple[str, ...]:
        """Return by what the forecasts can be told apart: those of the groups of which there are two at least."""
        return tuple(by for by, label in GROUPS.items() if len({label(case) for case in self.cases} - {""}) > 1)

    def loses(self) -> Losses:
        """Return where the model loses against the best baseline of each score, and why.

        Returns
        -------
        Losses
            Prints as sentences and a table; `groups` and `rounds` have all.

        Examples
        --------
        >>> import iomsim as iom
        >>> lost = iom.backtest(["UNSC2007-EEG", "WHO2017"], particles=200).loses()
        >>> lost.table().columns.tolist()
        ['baseline', "model's", "baseline's", 'cost', 'why']
        """
        return losses(self)

    def against(self, other: Backtest) -> pd.DataFrame:
        """Return the scores beside those of another backtest of the same contests: other values, or another version.

        Returns
        -------
        DataFrame
            By score: both means (contests count alike), their `ratio` with its 95 % bootstrap interval over contests,
            `ratio_low` to `ratio_high` (below 1 this one is better), in how many contests this one was `ahead`, the
            numbers of contests and rounds, and the verdict.

        Raises
        ------
        IomsimError
            If they have no round in common.

        Examples
        --------
        >>> import iomsim as iom
        >>> drawn, fixed = (iom.backtest("UNSC2020-AF", particles=200, assumptions=a) for a in (400, "fixed"))
        >>> drawn.against(fixed)["rounds"].unique().tolist()
        [1]
        """
        rows = {}
        for score in SCORES:
            pair = {"this": self.wide(score)[MODEL], "other": other.wide(score)[MODEL]}
            both = pd.concat(pair, axis=1, join="inner").dropna()
            ratio = bootstrap_ratio(both["this"], both["other"], _contest(both), seed=self.seed)
            means = both.groupby(level="contest").mean()
            rows[score] = {
                **means.mean().rename({"this": "this one's", "other": "other's"}).to_dict(),
                **{"ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high},
                "ahead": int((means["this"] < means["other"]).sum()),
                **{"contests": len(means), "rounds": len(both)},
                "this is": _verdict(ratio.high < 1, ratio.low > 1, len(means)),
            }
        if not any(row["rounds"] for row in rows.values()):
            raise IomsimError("the two backtests have no round in common")
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("score")

    def wide(self, score: str) -> pd.DataFrame:
        """Return a score by contest and round, a column for each forecaster.

        Raises
        ------
        UnknownNameError
            If there is no such score.
        """
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
            "difference_low": gap.low,
            "difference_high": gap.high,
            "ahead": int((means[MODEL] < means[baseline]).sum()),
            "contests": len(means),
            "rounds": len(both),
            "model is": _verdict(gap.low > 0, gap.high < 0, len(means)),
        }

    def by_contest(self, score: str = "winner, log") -> pd.DataFrame:
        """Return a score's mean over the rounds of each contest, by forecaster; lower is better.

        Raises
        ------
        UnknownNameError
            If there is no such score.
        """
        return self.wide(score).groupby(level="contest", sort=False).mean()

    def model_scores(self) -> pd.DataFrame:
        """Return the model's mean scores with their 95 % bootstrap intervals over contests."""
        rows = {}
        for score, judges in SCORES.items():
            own = self.wide(score)[MODEL].dropna()
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

    def outside(self, event: str = "over next") -> tuple[int, int]:
        """Return how many forecasts lie outside the band of a calibrated forecaster, and how many may by luck."""
        return outside(*self.events(event), seed=self.seed)

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

    def reliability_table(self, event: str = "over next", by: str | None = None) -> pd.DataFrame:
        """Return what was said of an event beside how often it came, for little and for much said.

        Parameters
        ----------
        event : {"over next", "leader wins"}
            As in :meth:`reliability`.
        by : {"standing", "kind", "body", "class"}, optional
            Tell groups apart, as in :meth:`by`.

        Returns
        -------
        DataFrame
            By group if asked for, and by what was said: the mean probability `said`; how often it `came`, with a 95 %
            interval that knows that rounds of a contest are alike; the same with contests counting alike, however many
            rounds they took; how many rounds and contests.  The row "all" has them together.

        Examples
        --------
        >>> import iomsim as iom
        >>> test = iom.backtest(["UNSC2007-EEG", "WHO2017"], particles=200)
        >>> test.reliability_table("leader wins").loc["all", ["rounds", "contests"]].astype(int).tolist()
        [4, 2]
        """
        tables = {label: part._reliable(event) for label, part in self._parts(by)}
        return pd.concat(tables, names=[by, "probability"]) if by else tables["all"]

    def _reliable(self, event: str) -> pd.DataFrame:
        said, came = self.events(event)
        contest = np.array([case.contest.id for case in self.cases])
        place = np.clip(np.searchsorted(BINS, said, side="right") - 1, 0, len(BINS) - 2)
        names = [f"{low:g} to {high:g}" for low, high in pairwise(BINS)]
        bins = [(name, place == i) for i, name in enumerate(names)] + [("all", np.full(len(said), True))]
        rows = {name: _told(said[held], came[held], contest[held]) for name, held in bins if held.any()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("probability")

    def coverage(self, by: str | None = None) -> pd.DataFrame:
        """Return how many of the real next shares fell into the middle 50, 80 and 95 % of their forecast.

        Parameters
        ----------
        by : {"standing", "kind", "body", "class"}, optional
            Tell groups apart, as in :meth:`by`.

        Returns
        -------
        DataFrame
            By group if asked for, and by interval: the probability that the forecasts gave to it (`said`; more than
            its name where shares are few), and the rest as in :meth:`reliability_table`.

        Examples
        --------
        >>> import iomsim as iom
        >>> iom.backtest(["UNSC2007-EEG", "WHO2017"], particles=200).coverage().index.tolist()
        [0.5, 0.8, 0.95]
        """
        tables = {label: part._covered() for label, part in self._parts(by)}
        return pd.concat(tables, names=[by, "interval"]) if by else tables["all"]

    def _covered(self) -> pd.DataFrame:
        held = [case for case in self.cases if _share_known(case)]
        contest = np.array([case.contest.id for case in held])
        rows = {}
        for level in INTERVALS:
            pairs = [_inside(case.step.prediction, case.aftermath.next_share or 0.0, level) for case in held]
            said, came = np.array(pairs, dtype=float).reshape(-1, 2).T
            rows[level] = _told(said, came.astype(bool), contest)
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("interval")

    @cached_property
    def pits(self) -> np.ndarray:
        """Where each next share fell in its forecast, 0 to 1; uniform if the forecasts are right."""
        pairs: list[Any] = [(c.step.prediction.shares, c.aftermath.next_share) for c in self.cases if _share_known(c)]
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
        said = [
            f"Judged after {judged}, {self.model} does clearly better on {won or 'nothing'}; clearly worse on "
            f"{lost or 'nothing'}. The other comparisons cannot be told apart with so few contests.",
            f"In most contests it was behind on {behind or 'nothing'}. It was most surprised by who won {worst}.",
            self.honesty(),
            f"Not followed to the end, as its rules do not allow what is recorded: {series(list(self.refused))}."
            if self.refused
            else "",
            self.note,
        ]
        return " ".join(filter(None, said))

    def honesty(self) -> str:
        """Return whether what was said came as often as it was said, and the least that was given to what came.

        Examples
        --------
        >>> import iomsim as iom
        >>> iom.backtest(["UNSC2007-EEG", "WHO2017"], particles=200).honesty().split(" with")[0]
        'That the leader wins was said'
        """
        wins, shares = self.reliability_table("leader wins"), self.coverage()
        parts = [_said_came("That the leader wins", wins.loc["all"])]
        some = [name for name in reversed(wins.index) if name.endswith("to 1")]
        if some:
            sure = wins.loc[some[0]]
            parts.append(
                f"where it was given more than {percent(100 * BINS[-2])} it came {_of(sure)} times, in "
                f"{percent(100 * sure['came by contest'])} if contests count alike"
            )
        if shares["rounds"].max() > 0:
            middle = shares.loc[0.8]
            parts.append(f"the middle 80 in 100 of the forecasts of the next share held {_of(middle)} real ones")
        return f"{'; '.join(parts)}. {self._least()}"

    def _least(self) -> str:
        """Say to what of all that came the least had been given: of winners, and of ends by the next round."""
        winners = [_at(case.step.prediction.winner, _winner(case)) for case in self.cases]
        ends, came = self.events("over next")
        found = []
        for what, chances in (("winner", winners), ("end, or not, by the next round", np.where(came, ends, 1 - ends))):
            place = int(np.nanargmin(chances))
            held = self.cases[place]
            where = f"{held.contest.id} after round {held.situation.round}"
            found.append(f"to the {what} of {where}, {chance_words(float(chances[place]))}")
        return f"Of what came, it had given least {series(found)}."

    def stamp(self) -> str:
        """Return what is needed to make this backtest again, in one line."""
        p = self.provenance
        drawn = self.assumptions if isinstance(self.assumptions, str) else f"{self.assumptions} draws"
        return (
            f"iomsim {p['version']} · seed {p['seed']} · {p['particles']} particles · assumptions: {drawn} · "
            f"{p['model']} · {p['contests']}"
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, seed, particles, model and contests."""
        held = list(dict.fromkeys(case.contest.id for case in self.cases))
        names = ", ".join(held) if len(held) < 4 else f"{len(held)} {self.kind}"
        return {
            "version": VERSION,
            "seed": self.seed,
            "particles": self.particles,
            "assumptions": self.assumptions,
            "model": self.model,
            "contests": names,
        }

    def _repr_html_(self) -> str:
        left = ", ".join(f"{count} {why}" for why, count in self.skipped.groupby("why").size().items())
        note = f"<p>Rounds after which nothing is forecast: {escape(left)}.</p>" if left else ""
        return in_html(super()._repr_html_(), note)


def _verdict(better: bool, worse: bool, contests: int) -> str:
    """Return what an interval says; of very few contests, that they say nothing."""
    if contests < FEWEST:
        return "too few contests"
    return "better" if better else "worse" if worse else "not told apart"


def _told(said: np.ndarray, came: np.ndarray, contest: np.ndarray) -> dict[str, Any]:
    """Return the mean of what was said and of what came, rounds alike and contests alike."""
    rounds, alike = frequency(came, contest), frequency(came, contest, by_group=True)
    means = pd.Series(said).groupby(contest).mean()
    return {
        **{"said": float(said.mean()) if len(said) else np.nan, "came": rounds.value},
        **{"low": rounds.low, "high": rounds.high},
        **{"said by contest": means.mean(), "came by contest": alike.value},
        **{"low by contest": alike.low, "high by contest": alike.high},
        **{"rounds": len(said), "contests": len(means)},
    }


def _of(row: pd.Series) -> str:
    return f"{round(row['came'] * row['rounds'])} of {int(row['rounds'])}"


def _said_came(event: str, row: pd.Series) -> str:
    came = f"{round(row['came'] * row['rounds'])} of {count(int(row['rounds']), 'round')}"
    by_contest = f"{row['said by contest']:.2f} and {row['came by contest']:.2f} if contests count alike"
    return f"{event} was said with {row['said']:.2f} on average and came in {came}, {row['came']:.2f} ({by_contest})"


def _winner(case: Case) -> int:
    """Return the place of who won in what was said of the winner."""
    return [*case.situation.candidates, None].index(case.aftermath.winner)


def _share_known(case: Case) -> bool:
    said = case.step.prediction.shares
    return case.aftermath.next_share is not None and said is not None and len(said) > 0


def _inside(said: Prediction, came: float, level: float) -> tuple[float, bool]:
    """Return the probability of the middle part of a forecast, and whether what came is in it."""
    low, high = said.quantiles((1 - level) / 2, (1 + level) / 2)
    shares = np.asarray(said.shares)
    held = (shares >= low - 1e-9) & (shares <= high + 1e-9)
    return float(np.average(held, weights=said.weights)), bool(low - 1e-9 <= came <= high + 1e-9)


def _contest(rows: pd.DataFrame | pd.Series) -> np.ndarray:
    return rows.index.get_level_values("contest").to_numpy()


def _listed(rows: pd.DataFrame) -> str:
    """Return scores with the baselines they concern, in words."""
    groups = rows.groupby("score", sort=False)["baseline"]
    return "; ".join(f"{score} (against {', '.join(names)})" for score, names in groups)


def _row(case: Case, name: str) -> dict[str, Any]:
    prediction, names, came = case.predictions[name], case.situation.candidates, case.aftermath
    low, middle, high = prediction.quantiles(0.1, 0.5, 0.9)
    winner = _winner(case)
    own = name == MODEL
    return {
        "contest": case.contest.id,
        "round": case.situation.round,
        "standing": len(names),
        "kind": case.contest.kind,
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
