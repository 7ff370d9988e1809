"""Where would the next phone call do most?  What each single member is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iomsim import kernel, simulate
from iomsim.compiled import Plan, draw, steepness
from iomsim.errors import ScenarioError, whole_number
from iomsim.estimates import Z95
from iomsim.running import _bar
from iomsim.scenario import Scenario
from iomsim.streams import BLOCK
from iomsim.whatif import SPILL, Result, next_weekday, paired_interval, seed_and_runs, seen, watched

if TYPE_CHECKING:
    from iomsim.charts.whatif import PivotalPlots

WIN = "win"
TARGETS = (WIN, SPILL)

PILOT, PILOT_BLOCKS = 1 << 20, 16
"""First block of the pilot, and how many: runs of their own, far from those that are averaged."""

CLASSES = 25
"""Classes of the first-round share within which the pilot averages."""

Floats = NDArray[np.float64]


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
    """Return how much each member matters to a candidate's win, and to the next day.

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
        If members have no hidden conviction, on which the estimate rests.

    Notes
    -----
    A push needs no run of its own.  Moving a member by `d` log-odds is moving its hidden
    conviction ``z ~ N(0, 1)`` by ``d g``, with ``g = c / s`` between two candidates and
    ``sqrt(2) c / s`` among more (`s` the conviction, `c` the factor that undoes its flattening),
    so the change of E[f] per unit of log-odds is ``g E[f z]``: the score-function estimator (Glynn
    1990, *Communications of the ACM* 33(10), 75-84), unbiased, for all members from the same runs.
    From `f` is taken what the *other* members' first ballots say about it (a control variate: the
    mean of `f` near the share that the candidate has in the first round without this member, from a
    pilot with runs of its own).  As that does not depend on `z`, the estimate stays unbiased, and
    its variance falls several times.

    Examples
    --------
    >>> import iomsim as iom
    >>> calls = iom.pivotal(iom.load("minimal"), runs=2000, checked=0, seed=1)
    >>> calls.table().columns.tolist()[:4]
    ['group', 'support', 'win', 'win_low']
    """
    name = race.names[0] if candidate is None else race.candidate(candidate).name
    seed, runs = seed_and_runs(seed, runs)
    checked = whole_number("checked", checked, 0)
    found = pushes(race, name, runs, seed, executor, progress)
    first = [str(member) for member in found.index[found["free"]][:checked]]
    won = won_over(race, name, first, checked_runs, seed, executor)
    return Pivotal(race, name, seed, runs, found.join(won))


# -- a push --------------------------------------------------------------------------------------


class Sums(NamedTuple):
    """Sums over runs, by member: of the weighted outcomes, their squares, support and presence."""

    first: Floats
    second: Floats
    support: NDArray[np.int64]
    present: NDArray[np.int64]


class Guess(NamedTuple):
    """A pilot's mean outcome by the candidate's first-round share, for one target and one regime."""

    share: Floats
    mean: Floats


Guesses = tuple[tuple[Guess, ...], ...]
"""By target, then by regime (entrenched, fluid)."""


def pushes(
    race: Scenario, name: str, runs: int, seed: int, executor: Any = None, progress: bool = False
) -> pd.DataFrame:
    """Return, by member, the change of P(win) and P(spill) per unit of log-odds towards a candidate."""
    plan, k = simulate.plan_of(race), race.names.index(name)
    if plan.behaviour.conviction == 0:
        raise ScenarioError("pivotal members need a hidden conviction above 0; set behaviour.conviction")
    guesses = pilot(race, k, seed)
    sizes = simulate.portions(runs, simulate.SPAN * BLOCK)
    firsts = [simulate.SPAN * i for i in range(len(sizes))]
    same = [[thing] * len(sizes) for thing in (race, k, seed, guesses)]
    sums: list[Sums] = []
    with _bar(runs, progress) as advance:
        for size, part in zip(sizes, simulate.spread(executor, summed, *same, firsts, sizes), strict=True):
            sums.append(part)
            advance(size)
    return _table(race, plan, k, _added(sums), runs)


def pilot(race: Scenario, k: int, seed: int) -> Guesses:
    """Return what first rounds say about the outcomes."""
    plan = simulate.plan_of(race)
    seen_first = [opening(plan, k, seed, PILOT + block, BLOCK) for block in range(PILOT_BLOCKS)]
    share = np.concatenate([x.intends.sum(axis=0) / np.maximum(x.present.sum(axis=0), 1) for x in seen_first])
    fluid = np.concatenate([x.fluid for x in seen_first])
    outcomes = _outcomes(race, k, seed, PILOT, PILOT_BLOCKS * BLOCK)
    return tuple(tuple(_guess(f[fluid == side], share[fluid == side]) for side in (False, True)) for f in outcomes)


def _guess(f: Floats, share: Floats) -> Guess:
    """Return the mean outcome in classes of about equal size; 0 if there is nothing to learn from."""
    if not f.size:
        return Guess(np.zeros(1), np.zeros(1))
    order = np.argsort(share, kind="stable")
    classes = [part for part in np.array_split(order, CLASSES) if part.size]
    at = np.array([share[part].mean() for part in classes])
    distinct = np.unique(at, return_index=True)[1]
    return Guess(at[distinct], np.array([f[part].mean() for part in classes])[distinct])


def summed(race: Scenario, k: int, seed: int, guesses: Guesses, first: int, size: int) -> Sums:
    """Return the sums over a span of blocks: the unit of work that travels to executors."""
    plan, sizes = simulate.plan_of(race), simulate.portions(size, BLOCK)
    outcomes = np.split(_outcomes(race, k, seed, first, size), np.cumsum(sizes)[:-1], axis=1)
    parts = [
        _weigh(opening(plan, k, seed, first + i, n), f, guesses)
        for i, (n, f) in enumerate(zip(sizes, outcomes, strict=True))
    ]
    return _added(parts)


def _weigh(start: Opening, outcomes: Floats, guesses: Guesses) -> Sums:
    z = start.z * start.present
    weighted = np.stack([z * left(f, guess, start) for f, guess in zip(outcomes, guesses, strict=True)])
    return Sums(weighted.sum(axis=2), (weighted**2).sum(axis=2), start.intends.sum(axis=1), start.present.sum(axis=1))


def _added(parts: list[Sums]) -> Sums:
    return Sums(*(np.sum(part, axis=0) for part in zip(*parts, strict=True)))


def left(f: Floats, guess: tuple[Guess, ...], start: Opening) -> Floats:
    """Return, by member and run, what is left of an outcome after what the others' first ballots say about it."""
    votes, there = start.intends.sum(axis=0), np.maximum(start.present.sum(axis=0), 1)
    whole, without = (
        np.where(start.fluid, *(np.interp(share, side.share, side.mean) for side in reversed(guess)))
        for share in (votes / there, (votes - 1) / there)
    )
    return f - np.where(start.intends, without, whole)


class Opening(NamedTuple):
    """A block of runs after the first round's intentions; N members, B runs.

    Attributes
    ----------
    z : ndarray of float32, shape (N, B)
        Hidden convictions towards the candidate.
    intends, present : ndarrays of bool, shape (N, B)
        Who intends the candidate, and who is there.
    fluid : ndarray of bool, shape (B,)
        Which contests move.
    """

    z: NDArray[np.float32]
    intends: NDArray[np.bool_]
    present: NDArray[np.bool_]
    fluid: NDArray[np.bool_]


def opening(plan: Plan, k: int, seed: int, block: int, size: int) -> Opening:
    """Return a block as its first round finds it, from the same addressed numbers as the election itself."""
    setting, draws = simulate.setting_of(plan), draw(plan, seed, block, size)
    field = simulate.enter(plan, setting, draws)
    kernel.reconsider(setting, field, 1, np.zeros(size, dtype=bool))
    present = ~draws.absent
    z = draws.conviction[k] if plan.candidates > 2 else draws.conviction * np.float32(1 - 2 * k)
    return Opening(z, (field.intention == k) & present, present, draws.fluid)


def _outcomes(race: Scenario, k: int, seed: int, first: int, size: int) -> Floats:
    """Return who wins and what spills over in a span of runs, shape ``(targets, runs)``."""
    values = seen(race, simulate.play_span(race, seed, first, size))
    return np.stack([values[race.names[k]], values[SPILL]])


def _table(race: Scenario, plan: Plan, k: int, sums: Sums, runs: int) -> pd.DataFrame:
    gain = steepness(plan) / plan.behaviour.conviction * (1.0 if plan.candidates == 2 else np.sqrt(2.0))
    mean = gain * sums.first / runs
    half = Z95 * np.sqrt(np.maximum(gain**2 * sums.second / runs - mean**2, 0.0) / runs)
    free = (plan.pins < 0) & (plan.absent < 1)
    support = np.where(free, sums.support / np.maximum(sums.present, 1), (plan.pins == k) * 1.0)
    members = race.electorate.frame
    columns: dict[str, Any] = {"group": members["group"].to_numpy(), "support": support}
    for i, target in enumerate(TARGETS):
        columns |= {target: mean[i], f"{target}_low": mean[i] - half[i], f"{target}_high": mean[i] + half[i]}
    found = pd.DataFrame(columns, index=pd.Index(members["name"], name="member")).assign(free=free)
    found.loc[~free, [c for c in found if c not in ("group", "support", "free")]] = 0.0
    return found.sort_values(["free", WIN], ascending=False, kind="stable")


# -- won over ------------------------------------------------------------------------------------


def won_over(
    race: Scenario, name: str, members: Sequence[str], runs: int, seed: int, executor: Any = None
) -> pd.DataFrame:
    """Return what it changes to win each of these members over for good, one at a time."""
    columns = [f"won_over_{target}{end}" for target in TARGETS for end in ("", "_low", "_high")]
    if not members:
        return pd.DataFrame(columns=columns, dtype=float)
    seed, runs = seed_and_runs(seed, runs)
    base, *cells = watched([race, *(pin(race, name, [member]) for member in members)], runs, seed, executor)
    rows = [[x for key in (name, SPILL) for x in paired_interval(base[key], cell[key])] for cell in cells]
    return pd.DataFrame(rows, index=pd.Index(members, name="member"), columns=columns)


def pin(race: Scenario, name: str, members: Sequence[str]) -> Scenario:
    """Return the scenario in which these members are won over for good."""
    return race.with_pinned(**{name: tuple(members)}) if members else race


# -- the result ----------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
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
        error, many = self._errors(WIN), self.members["free"].sum()
        behind = self.members[WIN].iloc[0] - self.members[WIN].to_numpy()
        close = (behind <= _strict(many * (many - 1) // 2) * np.hypot(error, error[0])) & self.members[
            "free"
        ].to_numpy()
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
            return f"No call for {self.candidate} does anything beyond noise; take more runs."
        return f"{self._call(top)}{self._others()}{self._for_good(top)} {self._next_day()}"

    def _call(self, top: pd.Series) -> str:
        return (
            f"The next phone call for {self.candidate} does most in {top.name}: a push of one log-odds is worth "
            f"{_points(top, WIN)} of win probability"
        )

    def _others(self) -> str:
        count = len(self.rivals())
        some = "another member" if count == 1 else f"{count} others"
        return f"; {some} cannot be told apart from it." if count else "."

    def _for_good(self, top: pd.Series) -> str:
        key = f"won_over_{WIN}"
        if key not in top or np.isnan(top[key]):
            return ""
        return f" Won over for good, it is worth {_points(top, key)}."

    def _next_day(self) -> str:
        """Return what the calls do to the next day."""
        day, error = next_weekday(self.race), self._errors(SPILL)
        top = int(self.members[SPILL].abs().to_numpy().argmax())
        row = self.members.iloc[top]
        if abs(row[SPILL]) <= _strict(2 * self.members["free"].sum()) * error[top]:
            return f"No single member moves {day} beyond noise."
        more = "less" if row[SPILL] < 0 else "more"
        return f"{day} changes most with {row.name}: {_points(row, SPILL)} {more} likely."

    def _head(self) -> pd.DataFrame:
        return self.members.head(self.SHOWN).round(4)

    @property
    def plot(self) -> PivotalPlots:
        """The charts of pivotal members."""
        from iomsim.charts.whatif import PivotalPlots

        return PivotalPlots(self)


def _strict(questions: int) -> float:
    """Return how many standard errors are beyond luck, when this many questions are asked at once."""
    return NormalDist().inv_cdf(1 - 0.05 / max(int(questions), 1))


def _points(row: pd.Series, key: str) -> str:
    """Return the size of a change in points, with its interval."""
    middle, *ends = (100 * float(row[f"{key}{end}"]) for end in ("", "_low", "_high"))
    low, high = sorted(ends if middle >= 0 else (-end for end in ends))
    return f"{abs(middle):.1f} points ({low:.1f} to {high:.1f})"
