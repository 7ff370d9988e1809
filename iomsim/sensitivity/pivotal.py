"""Where would the next phone call do most?  What each single member is worth, on the best guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import whole_number
from iomsim.forecasting.estimates import Z95
from iomsim.forecasting.result import Result
from iomsim.forecasting.targets import SPILL, next_weekday
from iomsim.house_style import number
from iomsim.model.scenario import Scenario, described, refuse_swings
from iomsim.sensitivity.influence import TARGETS, WIN, pushes
from iomsim.sensitivity.paired import paired_interval, seed_and_runs, simulate_points
from iomsim.typing import Floats


def pivotal(
    race: Scenario,
    candidate: str | None = None,
    *,
    runs: int = 200_000,
    checked: int = 15,
    checked_runs: int = 10_000,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Pivotal:
    """Return how much each member matters to a candidate's win, and to the next day, on the best guesses.

    Parameters
    ----------
    race : Scenario
        The election; hidden conviction must be above 0.
    candidate : str, optional
        Whose win (default: the first candidate's).
    runs : int, default 200_000
        Runs behind the estimate for all members at once.
    checked : int, default 15
        Members with the largest effect for whom the election is also played again with the member
        won over for good (pinned: always there, always for the candidate), run by run on common
        random numbers.
    checked_runs, seed : int
        Runs of each of these, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Pivotal

    Raises
    ------
    UnknownNameError
        If there is no such candidate.
    ScenarioError
        If members have no hidden conviction, on which the estimate rests, or the scenario has a swing.

    Notes
    -----
    A push needs no run of its own: all members share the runs, see `iomsim.sensitivity.influence`.  It is the
    slope at where a member stands; one log-odds moves a member from 50 to 73 in 100.

    Examples
    --------
    >>> import iomsim as iom
    >>> calls = iom.pivotal(iom.load("minimal"), runs=2000, checked=0, seed=1)
    >>> calls.table().columns.tolist()[:4]
    ['group', 'support', 'win', 'win_low']
    """
    refuse_swings("pivotal", described("pivotal", race), "who goes over hangs on all members at once")
    name = race.names[0] if candidate is None else race.candidate(candidate).name
    seed, runs = seed_and_runs(seed, runs)
    checked = whole_number("checked", checked, 0)
    found = pushes(race, name, runs, seed, executor, progress)
    first = [str(member) for member in found.index[found["free"]][:checked]]
    won = won_over(race, name, first, checked_runs, seed, executor)
    return Pivotal(race, name, seed, runs, found.join(won))


# -- won over ------------------------------------------------------------------------------------


def won_over(
    race: Scenario, name: str, members: Sequence[str], runs: int, seed: int, executor: Any = None
) -> pd.DataFrame:
    """Return what it changes to win each of these members over for good, one at a time."""
    columns = [f"won_over_{target}{end}" for target in TARGETS for end in ("", "_low", "_high")]
    if not members:
        return pd.DataFrame(columns=columns, dtype=float)
    seed, runs = seed_and_runs(seed, runs)
    races = [race, *(pin(race, name, [member]) for member in members)]
    base, *cells = simulate_points([(each, {}) for each in races], runs, seed, executor)
    rows = [[x for key in (name, SPILL) for x in paired_interval(base[key], cell[key])] for cell in cells]
    return pd.DataFrame(rows, index=pd.Index(members, name="member"), columns=columns)


def pin(race: Scenario, name: str, members: Sequence[str]) -> Scenario:
    """Return the scenario in which these members are won over for good."""
    return race.with_pinned(**{name: tuple(members)}) if members else race


# -- the result ----------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False, eq=False)
class Pivotal(Result):
    """What each member is worth to a candidate.

    Attributes
    ----------
    race : Scenario
        The election.
    candidate : str
        Whose win.
    seed, runs : int
        Seed and runs behind the pushes.
    members : DataFrame
        See :meth:`table`.
    """

    race: Scenario
    candidate: str
    seed: int
    runs: int
    members: pd.DataFrame

    EACH = "in all"

    def table(self) -> pd.DataFrame:
        """Return one row per member, the one with which a push does most first.

        Returns
        -------
        DataFrame
            By member: `group`; `support`, the chance to intend the candidate in round 1 if present;
            `win` and `spill`, the change of the probabilities per unit of log-odds towards the
            candidate, with 95 % intervals; `free`, False for the pinned and those without a vote;
            and, for the members with the largest `win`, `won_over_win` and `won_over_spill`: the
            change if the member is won over for good, with paired intervals.
        """
        return self.members.copy()

    def rivals(self) -> list[str]:
        """Return the members that cannot be told from the first: whoever is not among these is behind it.

        Luck alone makes some of many equal members look better than others; with 95 % confidence
        none of equal effect is left out (Bonferroni over all pairs).
        """
        error, free = self._errors(WIN), self.members["free"].to_numpy()
        behind = self.members[WIN].iloc[0] - self.members[WIN].to_numpy()
        pairs = free.sum() * (free.sum() - 1) // 2
        close = free & (behind <= _strict(pairs) * np.hypot(error, error[0]))
        return [str(member) for member in self.members.index[close][1:]]

    def _errors(self, target: str) -> Floats:
        """Return the standard errors of the pushes."""
        return ((self.members[f"{target}_high"] - self.members[target]) / Z95).to_numpy()

    def sentence(self) -> str:
        """Return where the next phone call would do most, and how sure that is."""
        top = self.members.iloc[0]
        if not top["free"]:
            return f"No member can be moved: all are pinned or have no vote, so no call helps {self.candidate}."
        if top["win_low"] <= 0:
            return f"No call for {self.candidate} does anything beyond noise on the best guesses; take more runs."
        return f"{self._call(top)}{self._others()}{self._for_good(top)} {self._next_day()}"

    def _call(self, top: pd.Series) -> str:
        return (
            f"On the best guesses, the next phone call for {self.candidate} does most in {top.name}: a push of one "
            f"log-odds raises the chance of winning by {_points(top, WIN)}"
        )

    def _others(self) -> str:
        count = len(self.rivals())
        some = "another member" if count == 1 else f"{number(count)} others"
        return f"; {some} cannot be told apart from it." if count else "."

    def _for_good(self, top: pd.Series) -> str:
        key = f"won_over_{WIN}"
        if key not in top or np.isnan(top[key]):
            return ""
        return f" To win it over for good would raise the chance by {_points(top, key)}."

    def _next_day(self) -> str:
        """Return what the calls do to the next day."""
        day, error = next_weekday(self.race), self._errors(SPILL)
        top = int(self.members[SPILL].abs().to_numpy().argmax())
        row = self.members.iloc[top]
        if abs(row[SPILL]) <= _strict(2 * self.members["free"].sum()) * error[top]:
            return f"No single member moves the chance that voting runs into {day} beyond noise."
        verb = "lowers" if row[SPILL] < 0 else "raises"
        return (
            f"The chance that voting runs into {day} changes most with {row.name}: a push {verb} it by "
            f"{_points(row, SPILL)}."
        )

    def _head(self) -> pd.DataFrame:
        return self.members.head(self.SHOWN).round(4)


def _strict(questions: int) -> float:
    """Return how many standard errors are beyond luck, when this many questions are asked at once."""
    return NormalDist().inv_cdf(1 - 0.05 / max(int(questions), 1))


def _points(row: pd.Series, key: str) -> str:
    """Return the size of a change in points, with its interval."""
    middle, *ends = (100 * float(row[f"{key}{end}"]) for end in ("", "_low", "_high"))
    low, high = sorted(ends if middle >= 0 else (-end for end in ends))
    return f"{abs(middle):.1f} points ({low:.1f} to {high:.1f})"
