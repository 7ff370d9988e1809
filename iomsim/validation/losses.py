"""Where the model loses against the best baseline, and why: derived from what was said and what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import quote
from iomsim.forecasting.result import Result
from iomsim.house_style import capital, number, number_of, percent, series
from iomsim.validation.contest import Contest
from iomsim.validation.prediction import Prediction
from iomsim.validation.rounds import RoundTally

JUDGED = ("winner, log", "over next, log", "next share, CRPS", "rounds, RPS")
"""The scores by which losses are looked for: one for each thing that is foretold."""

EACH = 3
"""Contests that are named for each score."""

TELLING = 3
"""Contests from which on a group is named in words."""

PAPERS = 0.08
"""Part of the members by which the papers must grow or shrink to be told as a reason."""

UNSURE = 0.05
"""A probability that is lower is told with one digit more."""


@dataclass(frozen=True, eq=False)
class Told:
    """One forecast of the model and what came of it, as far as reasons are derived from it.

    Attributes
    ----------
    contest : Contest
        The contest.
    now, next_ : RoundTally, RoundTally or None
        The round after which it was made, and the one after, if that was a vote between candidates and is known.
    names : tuple of str
        Who stood, the leader first.
    said : Prediction
        What was said.
    came : Aftermath
        What followed.
    """

    contest: Contest
    now: RoundTally
    next_: RoundTally | None
    names: tuple[str, ...]
    said: Prediction
    came: Any

    @property
    def leader(self) -> str:
        """Who led."""
        return self.names[0]

    @cached_property
    def gone(self) -> tuple[str, ...]:
        """Who stood and was not voted on any more in the next round, fewest votes last."""
        known = [a for a in self.contest.rounds if a.round == self.now.round + 1 and a.kind in ("round", "single")]
        if not known:
            return ()
        last = max(known[0].votes, key=known[0].votes.__getitem__)
        still = {last} if known[0].kind == "single" else {name for name, votes in known[0].votes.items() if votes}
        return tuple(name for name in self.names if name not in still)

    @cached_property
    def withdrew(self) -> tuple[str, ...]:
        """Those of them whom the rules had not put out."""
        stages = list(self.contest.rules.stages(max(self.contest.started, 2)))
        after = [stage.standing for stage in stages[self.now.round - 1 : self.now.round + 1]]
        out = max(after[0] - after[1], 0) if len(after) > 1 else 0
        return self.gone[: len(self.gone) - out]

    @property
    def withdrawn(self) -> bool:
        """Whether somebody of two withdrew at once, and a vote on the other was a formality."""
        return any(a.kind == "single" and a.round == self.now.round + 1 for a in self.contest.rounds)

    def chance(self, name: str | None) -> float:
        """Return the probability that the final winner was given; None for nobody of those who stood."""
        place = -1 if name is None else self.names.index(name)
        return float(self.said.winner[place]) if self.said.winner is not None else np.nan


def _level(t: Told) -> str:
    votes = t.now.among(t.names).tally
    return f"{series(t.names[:2])} were level, so that who leads is a lot" if votes[0] == votes[1] else ""


def _outsider(t: Told) -> str:
    if t.came.winner is not None or not t.contest.winner:
        return ""
    return f"{t.contest.winner} was elected, who did not stand: the model knows nobody else than those who stand"


def _failed(t: Told) -> str:
    if t.came.winner is not None or t.contest.winner:
        return ""
    return f"nobody was elected, which was given {chance_words(t.chance(None))}"


def _overtaken(t: Told) -> str:
    if t.came.winner in (None, t.leader):
        return ""
    votes = t.now.votes
    return (
        f"{t.came.winner} came from behind, {votes[t.came.winner]} to {votes[t.leader]}, "
        f"which was given {chance_words(t.chance(t.came.winner))}"
    )


def _led(t: Told) -> str:
    if t.came.winner != t.leader or t.chance(t.leader) > 0.5:
        return ""
    return f"{t.leader}, who led, won, which was given {chance_words(t.chance(t.leader))}"


def _withdrew(t: Told) -> str:
    if len(t.names) < 3 or not t.withdrew:
        return ""
    return f"{series(t.withdrew)} withdrew while {number(len(t.names))} stood, which the model does not know"


def _entered(t: Told) -> str:
    new = [name for name in t.next_.field if name not in t.now.votes] if t.next_ else []
    return f"{series(new)} came in, whom nobody had voted on" if new else ""


def _freed(t: Told) -> str:
    free = sum(t.now.votes[name] for name in t.gone)
    if t.next_ is None or not free:
        return ""
    gained = t.next_.votes.get(t.leader, 0) - t.now.votes[t.leader]
    return f"of {number_of(free, 'vote')} that became free {t.leader} gained {number(gained) if gained > 0 else 'none'}"


def _papers(t: Told) -> str:
    if t.next_ is None or abs(t.next_.base - t.now.base) < PAPERS * t.contest.size:
        return ""
    many = "more" if t.next_.base > t.now.base else "fewer"
    return f"{t.next_.base} valid papers were handed in after {t.now.base}, {many} than the model moves between rounds"


def _moved(t: Told) -> str:
    if t.came.next_share is None or t.said.shares is None or not len(t.said.shares):
        return ""
    low, middle, high = (100 * end for end in t.said.quantiles(0.025, 0.5, 0.975))
    share, before = 100 * t.came.next_share, 100 * (t.now.share(t.leader) or 0.0)
    outside = not low - 1e-9 <= share <= high + 1e-9
    late = "late, " if outside and t.now.round > 2 else ""
    where = "outside" if outside else "within"
    return (
        f"{late}{t.leader} went from {percent(before, 1)} to {percent(share, 1)}, {where} the middle 95 in 100 of the "
        f"forecast ({low:.1f} to {high:.1f}, median {middle:.1f})"
    )


def _ended(t: Told) -> str:
    said = t.said.over_next
    if said is None or not t.came.over_next or said > 0.5:
        return ""
    when = "at once" if t.came.to_come == 0 else "after the next round"
    if t.withdrawn and t.came.winner:
        level = ", though the two were level, which the model rules out" if t.now.tied else ""
        return f"a withdrawal ended it{level}, and an end by the next round was given {chance_words(said)}"
    how = {
        "acclamation": f"a withdrawal ended it {when}",
        "failed": "the rules ended it without a winner in the next round",
        "confirmed": "the leader alone was confirmed in the next round",
        "open": f"the candidates gave up {when}",
    }.get(t.came.ending, "somebody was elected in the next round")
    return f"{how}, and an end by then was given {chance_words(said)}"


def _went_on(t: Told) -> str:
    said = t.said.over_next
    if said is None or t.came.over_next or said < 0.5:
        return ""
    more = number_of(t.came.to_come, "more round").replace("one more round", "only one more round")
    return f"it took {more}, and an end by the next was given {chance_words(said)}"


def _long(t: Told) -> str:
    if t.said.to_come is None or _ended(t) or _went_on(t):
        return ""
    middle = int(np.searchsorted(np.cumsum(t.said.to_come), 0.5))
    if abs(t.came.to_come - middle) < 2:
        return ""
    return f"{number_of(t.came.to_come, 'round')} came where {number(middle)} had been the median"


REASONS: dict[str, tuple[Callable[[Told], str], ...]] = {
    "winner, log": (_outsider, _failed, _overtaken, _led, _withdrew, _entered, _level),
    "over next, log": (_withdrew, _ended, _went_on, _papers),
    "next share, CRPS": (_withdrew, _entered, _level, _freed, _papers, _moved),
    "rounds, RPS": (_withdrew, _outsider, _ended, _went_on, _long),
}
"""What may have cost a score, the most telling first."""

TOLD_TOGETHER = 2
"""Reasons that are given for one forecast."""


def why(told: Told, score: str) -> str:
    """Return why a forecast lost: what came that the model did not give, or gave too little."""
    found = [reason for reason in (of(told) for of in REASONS[score]) if reason]
    return ", and ".join(found[:TOLD_TOGETHER]) if found else "it was given too little, and nothing else is known of it"


def chance_words(p: float) -> str:
    """Return a probability, with a digit more where it is near 0 or 1.

    Examples
    --------
    >>> chance_words(0.0), chance_words(0.013), chance_words(0.5)
    ('less than 0.05 %', '1.3 %', '50 %')
    """
    if p < 0.0005:
        return f"less than {percent(0.05, 2)}"
    return percent(100 * p, 1 if p < UNSURE or p > 1 - UNSURE else 0)


@dataclass(frozen=True, repr=False, eq=False)
class Losses(Result):
    """Where a backtest's model loses against the best baseline of each score, and why.

    Attributes
    ----------
    judged : Backtest
        Whose losses they are.
    groups : DataFrame
        The groups of forecasts in which the best baseline was better on average: by score, `by` and `group` the
        columns of :meth:`iomsim.Backtest.by`, most costly first.
    rounds : DataFrame
        Every forecast and score with what it cost against the best baseline, and why, most costly first.
    """

    judged: Any
    groups: pd.DataFrame
    rounds: pd.DataFrame

    SHOWN = 40

    def table(self) -> pd.DataFrame:
        """Return the forecasts that cost most, by score: of the worst three contests the worst round.

        Returns
        -------
        DataFrame
            By score, contest and round: the best baseline, both scores, what it cost (the difference), and why.
        """
        rows = self.rounds[self.rounds["cost"] > 0].reset_index()
        worst = rows.drop_duplicates(["score", "contest"]).groupby("score", sort=False).head(EACH)
        order = {score: i for i, score in enumerate(JUDGED)}
        worst = worst.sort_values("score", key=lambda names: names.map(order), kind="stable")
        return worst.set_index(["score", "contest", "round"])

    def sentence(self) -> str:
        """Return what the tables say, in words."""
        return " ".join(self.paragraphs())

    def paragraphs(self) -> list[str]:
        """Return the same, groups and every score by itself."""
        worst = self.table().reset_index()
        parts = [self._groups()]
        for score, rows in worst.groupby("score", sort=False):
            told = [f"{row.contest}, round {row.round}: {row.why}" for row in rows.itertuples()]
            parts.append(
                f"{capital(str(score))}, against {rows['baseline'].iloc[0]}, was lost most by {'; '.join(told)}."
            )
        return parts

    def _groups(self) -> str:
        told = self.groups[self.groups["contests"] >= TELLING].reset_index()
        sure, rest = (told[(told["model is"] == "worse") == clear] for clear in (True, False))
        worse = series([_group(row) for row in sure.itertuples()])
        maybe = series([_group(row) for row in rest.itertuples()])
        none = "In no group of forecasts is the model clearly worse than the best baseline."
        first = f"The model is clearly worse than the best baseline on {worse}." if worse else none
        return f"{first} It is behind on average, which may be chance, on {maybe}." if maybe else first

    def _head(self) -> pd.DataFrame:
        return self.table().drop(columns="why").round(3)

    def stamp(self) -> str:
        """Return what is needed to make it again, in one line."""
        return str(self.judged.stamp())

    @property
    def provenance(self) -> dict[str, Any]:
        """That of the backtest."""
        return dict(self.judged.provenance)


def _group(row: Any) -> str:
    where = f"with {row.group} standing" if row.by == "standing" else f"in {quote(row.group)}"
    return f"{row.score} {where} ({number_of(row.contests, 'contest')})"


def losses(judged: Any) -> Losses:
    """Return where the model of a backtest loses, and why (:meth:`iomsim.Backtest.loses`)."""
    best = {score: name for score in JUDGED if (name := _best(judged, score))}
    return Losses(judged, _groups(judged, best), _rounds(judged, best))


def _best(judged: Any, score: str) -> str:
    """Return the baseline with the lowest mean score; nothing if none speaks of it."""
    table = judged.table()
    if score not in table.index.get_level_values("score"):
        return ""
    return str(table.loc[score]["baseline's"].idxmin())


def _groups(judged: Any, best: dict[str, str]) -> pd.DataFrame:
    found = []
    for by in judged.groupings():
        table = judged.by(by)
        for (group, score, baseline), row in table.iterrows():
            if best.get(score) == baseline and row["difference"] < 0:
                found.append({"score": score, "by": by, "group": group, "baseline": baseline} | row.to_dict())
    columns = ["score", "by", "group", "baseline", *judged.table().columns]
    rows = pd.DataFrame(found, columns=columns)
    part = rows["difference"] / rows["baseline's"]
    return rows.iloc[np.argsort(part.to_numpy(dtype=float), kind="stable")].set_index(["score", "by", "group"])


def _rounds(judged: Any, best: dict[str, str]) -> pd.DataFrame:
    rows = []
    for score, baseline in best.items():
        both = judged.wide(score)[["model", baseline]]
        for case, (own, other) in zip(judged.cases, both.to_numpy(), strict=True):
            if np.isfinite(own - other):
                reason = why(told_of(case), score) if own > other else ""
                rows.append((score, case.contest.id, case.situation.round, baseline, own, other, own - other, reason))
    columns = ["score", "contest", "round", "baseline", "model's", "baseline's", "cost", "why"]
    frame = pd.DataFrame(rows, columns=columns).sort_values("cost", ascending=False, kind="stable")
    return frame.set_index(["score", "contest", "round"])


def told_of(case: Any) -> Told:
    """Return what the reasons are derived from."""
    contest, round_ = case.contest, case.situation.round
    next_ = next((known for known in contest.ordinary if known.round == round_ + 1), None)
    return Told(contest, contest.at(round_), next_, case.situation.candidates, case.step.prediction, case.aftermath)
