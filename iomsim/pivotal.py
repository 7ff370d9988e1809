"""Where would the next phone call do most?  What each single member is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from iomsim import simulate
from iomsim.compare import indicators, paired_interval
from iomsim.compiled import Draws, Plan, contrast, draw, steepness
from iomsim.errors import IomsimError, ScenarioError, whole_number
from iomsim.estimates import Z95, in_100
from iomsim.forecast import from_outcomes
from iomsim.running import fresh_seed
from iomsim.scenario import Scenario
from iomsim.streams import BLOCK
from iomsim.whatif import side_by_side

if TYPE_CHECKING:
    from iomsim.charts import PivotalPlots

BINS = 40
"""Classes of the run-level lean within which the control variate is the mean outcome."""

TARGETS = ("win", "spill")


def pivotal(
    race: Scenario,
    candidate: str | None = None,
    *,
    runs: int = 50_000,
    checked: int = 15,
    checked_runs: int = 10_000,
    seed: int | None = None,
    executor: Any = None,
) -> Pivotal:
    """Return how much each member matters to a candidate's win, and to Tuesday.

    Parameters
    ----------
    race : Scenario
        The election; hidden conviction must be above 0.
    candidate : str, optional
        Whose win (default: the first candidate's).
    runs : int, default 50_000
        Runs behind the estimate for all members at once.
    checked : int, default 15
        Members that matter most, for whom the election is also played again with the member won
        over for good (pinned), paired on common random numbers.
    checked_runs, seed : int
        Runs of each of these, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.

    Returns
    -------
    Pivotal

    Notes
    -----
    The nudge needs no run of its own.  Moving a member by `d` log-odds is moving its hidden
    conviction ``z ~ N(0, 1)`` by ``d c / s``, so the change of E[f] per unit of log-odds is
    ``(c / s) E[f z]``: the score-function (likelihood-ratio) estimator of Glynn (1990,
    *Communications of the ACM* 33(10), 75-84), unbiased for all members from the same runs.  As
    `z` is independent of everything run-level, the mean of `f` given the run-level lean may be
    taken off `f` first (a control variate, fitted on the other half of the runs so that it stays
    unbiased).
    """
    name = race.names[0] if candidate is None else race.candidate(candidate).name
    if race.behaviour.conviction.value == 0:
        raise ScenarioError("pivotal members need a hidden conviction above 0; set behaviour.conviction")
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    whole_number("runs", runs, 2 * BINS)
    nudges = scores(race, name, runs, seed)
    order = nudges["win"].abs().sort_values(ascending=False, kind="stable").index
    free = [member for member in order if nudges.loc[member, "free"]][: whole_number("checked", checked, 0)]
    won = won_over(race, name, free, checked_runs, seed, executor)
    return Pivotal(race, name, seed, runs, nudges.loc[order].drop(columns="free").join(won))


def scores(race: Scenario, name: str, runs: int, seed: int) -> pd.DataFrame:
    """Return, by member, the change of P(win) and P(spill) per unit of log-odds towards a candidate."""
    plan, k = simulate.plan_of(race), race.names.index(name)
    parts = [_moments(race, plan, k, seed, b, n) for b, n in enumerate(simulate.portions(runs, BLOCK))]
    outcome = np.concatenate([part[0] for part in parts], axis=1)
    level = np.concatenate([part[1] for part in parts])
    rest = outcome - np.stack([control(f, level) for f in outcome])
    first, second, support, at = 0.0, 0.0, 0.0, 0
    for block, n in enumerate(simulate.portions(runs, BLOCK)):
        z, chance = _conviction(plan, draw(plan, seed, block, n), k)
        f = rest[:, at : at + n]
        first, second = first + f @ z.T, second + f**2 @ (z**2).T
        support, at = support + chance.sum(axis=1), at + n
    gain = steepness(plan) / race.behaviour.conviction.value * (1.0 if plan.candidates == 2 else np.sqrt(2.0))
    mean = gain * first / runs
    half = Z95 * np.sqrt(np.maximum(gain**2 * second / runs - mean**2, 0.0) / runs)
    return _table(race, plan, k, mean, half, support / runs)


def _table(race: Scenario, plan: Plan, k: int, mean: Any, half: Any, support: Any) -> pd.DataFrame:
    frame = race.electorate.frame
    free = (plan.pins < 0) & (plan.absent < 1)
    columns: dict[str, Any] = {"group": frame["group"], "support": np.where(free, support, (plan.pins == k) * 1.0)}
    for i, target in enumerate(TARGETS):
        columns |= {target: np.where(free, mean[i], 0.0)}
        columns |= {f"{target}_low": np.where(free, mean[i] - half[i], 0.0)}
        columns |= {f"{target}_high": np.where(free, mean[i] + half[i], 0.0)}
    return pd.DataFrame(columns | {"free": free}).set_index(pd.Index(frame["name"], name="member"))


def _moments(race: Scenario, plan: Plan, k: int, seed: int, block: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the outcomes (win, spill) of a block's runs and their run-level lean towards `k`."""
    fc = from_outcomes(race, seed, [simulate.play_span(race, seed, block, n)])
    seen = indicators(fc)[[race.names[k], "spill"]].to_numpy().T
    return seen, contrast(plan, draw(plan, seed, block, n), _towards(plan, k)).mean(axis=0)


def _towards(plan: Plan, k: int) -> np.ndarray:
    """Return the weights of the lean towards `k` over the mean of the others."""
    return np.where(np.arange(plan.candidates) == k, 1.0, -1.0 / (plan.candidates - 1))


def control(f: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the mean of `f` near each run's level, fitted on the other half of the runs."""
    half = np.arange(f.size) % 2
    edges = np.quantile(level, np.linspace(0, 1, BINS + 1)[1:-1])
    cell = np.searchsorted(edges, level)
    out = np.empty_like(f)
    for side in (0, 1):
        other = half != side
        held = np.maximum(np.bincount(cell[other], minlength=BINS), 1)
        means = np.bincount(cell[other], weights=f[other], minlength=BINS) / held
        out[half == side] = means[cell[half == side]]
    return out


def _conviction(plan: Plan, draws: Draws, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return members' convictions towards `k`, and their chance to intend `k` in the first round."""
    s, c = plan.behaviour.conviction, steepness(plan)
    if plan.candidates == 2:
        towards = np.where(np.arange(2) == k, 1.0, -1.0)
        z = draws.conviction * np.float32(towards[0])
        return z, 1.0 / (1.0 + np.exp(-(c * contrast(plan, draws, towards) + s * z)))
    v = np.stack([c * contrast(plan, draws, w) for w in np.eye(plan.candidates)]) + s / np.sqrt(2) * draws.conviction
    v = np.exp(v - v.max(axis=0))
    return draws.conviction[k], v[k] / v.sum(axis=0)


def won_over(
    race: Scenario, name: str, members: Sequence[Any], runs: int, seed: int, executor: Any = None
) -> pd.DataFrame:
    """Return what it changes to win each of these members over for good, one at a time."""
    columns = [f"won_over_{target}{end}" for target in TARGETS for end in ("", "_low", "_high")]
    if not members:
        return pd.DataFrame(columns=columns, dtype=float)
    whole_number("checked_runs", runs, 2)
    races = [race, *(pin(race, name, [member]) for member in members)]
    base, *rest = [indicators(fc) for fc in side_by_side(races, runs, seed, executor)]
    rows = [
        [x for key in (name, "spill") for x in paired_interval(base[key].to_numpy(), other[key].to_numpy())]
        for other in rest
    ]
    return pd.DataFrame(rows, index=pd.Index(members, name="member"), columns=columns)


def pin(race: Scenario, name: str, members: Sequence[str]) -> Scenario:
    """Return the scenario in which these members are won over for good."""
    return race.with_pinned(**{name: tuple(members)})


@dataclass(frozen=True, repr=False)
class Pivotal:
    """What each member is worth to a candidate.

    Attributes
    ----------
    race : Scenario
        The election.
    candidate : str
        Whose win.
    seed, runs : int
        Seed and runs behind the nudges.
    members : DataFrame
        See :meth:`table`.
    """

    race: Scenario
    candidate: str
    seed: int
    runs: int
    members: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return one row per member, the one that matters most first.

        Returns
        -------
        DataFrame
            By member: `group`; `support`, the mean chance to intend the candidate in round 1; `win`
            and `spill`, the change of the probabilities per unit of log-odds, with 95 % intervals;
            and, for the members that matter most, `won_over_win` and `won_over_spill`: the change if
            the member is won over for good, with paired intervals.
        """
        return self.members.copy()

    def sentence(self) -> str:
        """Return where the next phone call would do most."""
        calls = self.members.dropna(subset=["won_over_win"]).sort_values("won_over_win", ascending=False)
        if calls.empty:
            top = self.members.iloc[0]
            return f"The next phone call for {self.candidate} does most in {top.name}."
        top = calls.iloc[0]
        points = [100 * top[f"won_over_win{end}"] for end in ("", "_low", "_high")]
        return (
            f"The next phone call for {self.candidate} does most in {top.name}, which leans to "
            f"{self.candidate} in {in_100(top['support'])} in 100: won over, it is worth "
            f"{points[0]:.1f} points of win probability ({points[1]:.1f} to {points[2]:.1f})."
        )

    def __repr__(self) -> str:
        """Return the sentence and the members that matter most."""
        return f"{self.sentence()}\n\n{self.members.head(15).round(4).to_string()}"

    def _repr_html_(self) -> str:
        return f"<div><p>{self.sentence()}</p>{self.members.head(15).round(4).to_html(border=0)}</div>"

    @property
    def plot(self) -> PivotalPlots:
        """The charts of pivotal members."""
        from iomsim.charts import PivotalPlots

        return PivotalPlots(self)


# -- what would have to happen -------------------------------------------------------------------


def paths_to(
    race: Scenario,
    candidate: str,
    probability: float = 0.5,
    *,
    runs: int = 4_000,
    seed: int | None = None,
    executor: Any = None,
) -> Paths:
    """Return the smallest changes that give a candidate a wanted probability to win.

    One at a time: another strength of each sponsor, within its range; or members won over, the
    most pivotal first.

    Parameters
    ----------
    race : Scenario
        The base case.
    candidate : str
        Who is to win.
    probability : float, default 0.5
        How probably.
    runs, seed : int
        Runs of each scenario that is tried, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("minimal")
    >>> ways = paths_to(race, race.names[1], 0.5, runs=300, seed=1)
    >>> "value" in ways.table().columns
    True
    """
    name = race.candidate(candidate).name
    if isinstance(probability, bool) or not 0 < probability < 1:
        raise IomsimError(f"probability must be between 0 and 1, got {probability!r}")
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)

    def chance(changed: Scenario) -> float:
        return float(side_by_side([changed], runs, seed, executor)[0].win_probability().loc[name, "probability"])

    base = chance(race)
    rows = [_by_pressure(race, sponsor.name, base, probability, chance) for sponsor in race.sponsors]
    rows.append(_by_members(race, name, base, probability, chance, seed))
    return Paths(race, name, probability, base, seed, runs, pd.DataFrame(rows).set_index("path"))


def _by_pressure(race: Scenario, sponsor: str, base: float, goal: float, chance: Any) -> dict[str, Any]:
    """Find the strength nearest to today's that reaches the goal, by bisection."""
    now = race.sponsor(sponsor).strength
    row = {"path": f"{sponsor}'s strength", "now": now.value, "value": np.nan, "reaches": np.nan, "members": ""}
    for end in (now.low, now.high):
        reached = chance(race.with_pressure(**{sponsor: end}))
        if (base - goal) * (reached - goal) > 0:
            row["reaches"] = _nearer(row["reaches"], reached, goal)
            continue
        inside, outside = now.value, end
        for _ in range(8):
            middle = (inside + outside) / 2
            met = (chance(race.with_pressure(**{sponsor: middle})) - goal) * (base - goal) <= 0
            inside, outside = (inside, middle) if met else (middle, outside)
        return row | {"value": outside, "reaches": chance(race.with_pressure(**{sponsor: outside}))}
    return row


def _nearer(a: float, b: float, goal: float) -> float:
    return b if np.isnan(a) or abs(b - goal) < abs(a - goal) else a


def _by_members(race: Scenario, name: str, base: float, goal: float, chance: Any, seed: int) -> dict[str, Any]:
    """Find how many of the most pivotal members must be won over, by bisection on their number."""
    row = {"path": "members won over", "now": 0, "value": np.nan, "reaches": base, "members": ""}
    if base >= goal:
        return row | {"value": 0}
    ranked = scores(race, name, 20 * BLOCK, seed)
    order = ranked[ranked["free"]].sort_values("win", ascending=False, kind="stable").index.tolist()
    if chance(pin(race, name, order)) < goal:
        return row | {"reaches": chance(pin(race, name, order))}
    few, many = 0, len(order)
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if chance(pin(race, name, order[:middle])) >= goal else (middle, many)
    return row | {"value": many, "reaches": chance(pin(race, name, order[:many])), "members": ", ".join(order[:many])}


@dataclass(frozen=True, repr=False)
class Paths:
    """What would have to happen for a candidate to win with a given probability."""

    race: Scenario
    candidate: str
    probability: float
    base: float
    seed: int
    runs: int
    ways: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return one row per way: today's value, the value needed (missing: none in range), what it reaches."""
        return self.ways.copy()

    def sentence(self) -> str:
        """Return the ways in words."""
        goal = f"{self.candidate} at {in_100(self.probability)} in 100 (now {in_100(self.base)})"
        found = [_way(str(path), row) for path, row in self.ways.iterrows() if not np.isnan(row["value"])]
        if not found:
            return f"Nothing within the ranges puts {goal}."
        return f"To put {goal}: " + "; or ".join(found) + "."

    def __repr__(self) -> str:
        """Return the sentence and the table."""
        return f"{self.sentence()}\n\n{self.ways.to_string()}"

    def _repr_html_(self) -> str:
        return f"<div><p>{self.sentence()}</p>{self.ways.to_html(border=0)}</div>"


def _way(path: str, row: pd.Series) -> str:
    if path == "members won over":
        return (
            f"{int(row['value'])} members won over ({row['members']})" if row["value"] else "nobody needs winning over"
        )
    return f"{path} at {row['value']:.2f} instead of {row['now']:.2f}"
