"""Where would the next phone call do most?  What members and groups are worth, under every draw of the assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iomsim.engine import paths
from iomsim.engine.executors import in_order
from iomsim.engine.plan import Plan, Tie
from iomsim.engine.rng import BLOCK
from iomsim.engine.simulate import SPAN, run_span, span_calls
from iomsim.errors import IomsimError, quote, whole_number
from iomsim.forecasting.estimates import Z95, Interval, in_100
from iomsim.forecasting.result import Result
from iomsim.forecasting.run import draw_of_run, followed
from iomsim.forecasting.targets import SPILL, next_weekday
from iomsim.house_style import count, number, some_of, thousands
from iomsim.model.assumptions import DRAWS, Assumptions, drawn, played
from iomsim.model.electorate import grouped, rows
from iomsim.model.scenario import Scenario, described, refuse_swings
from iomsim.sensitivity.influence import TARGETS, WIN, Sums, pushes
from iomsim.sensitivity.paired import (
    RunOutcomes,
    change_over_draws,
    observe,
    paired_interval,
    refuse_too_many_runs,
    seed_and_runs,
)
from iomsim.sensitivity.shrinkage import Worths, critical, shrunk, student
from iomsim.typing import Flags, Floats

MOST_DRAWS = 4000
"""Draws of the assumptions at most: sums of every member are kept for each."""

OWN_LINE = 8
"""Members that can be moved from which on a group has a level of its own that its members are drawn towards."""

GROUPS = 12
"""Groups, the largest first, that are also pushed as a whole."""

RANGE_OF_WIN = ("win_range_low", "win_range_high")
"""Columns of the range over the assumptions."""

ONE, ALL = "any one", "all together"
"""Who of a group is pushed."""

MOSTLY = 2.0
"""How many times wider than the simulation error the range over the assumptions is where most of a number is that."""


def pivotal(
    race: Scenario,
    candidate: str | None = None,
    *,
    runs: int = 200_000,
    assumptions: int | str = DRAWS,
    checked: int = 10,
    checked_runs: int = 10_000,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Pivotal:
    """Return how much each member, and each group, matters to a candidate's win and to the next day.

    Parameters
    ----------
    race : Scenario
        The election; hidden conviction must be above 0.
    candidate : str, optional
        Whose win (default: the first candidate's).
    runs : int, default 200_000
        Runs behind the estimate for all members at once.
    assumptions : int or "fixed", default 400
        How many draws of the assumptions are played, as in :func:`iomsim.forecast`; "fixed" plays the best guesses.
    checked : int, default 10
        Members with the largest effect for whom the election is also played again with the member
        won over for good (pinned: always there, always for the candidate), run by run on common
        random numbers.  Unless it is 0, so is it with every group pushed as a whole.
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

    Estimates are drawn together (empirical Bayes), intervals hold for all members at once, and the range over the
    assumptions is what a push is worth under the draws: see `iomsim.sensitivity.shrinkage`.

    Examples
    --------
    >>> import iomsim as iom
    >>> calls = iom.pivotal(iom.load("minimal"), runs=2000, checked=0, seed=1)
    >>> calls.table().columns.tolist()[:8]
    ['group', 'support', 'win', 'win_low', 'win_high', 'win_range_low', 'win_range_high', 'win_raw']
    """
    refuse_swings("pivotal", described("pivotal", race), "who goes over hangs on all members at once")
    name = race.names[0] if candidate is None else race.candidate(candidate).name
    seed, runs = seed_and_runs(seed, runs)
    checked = whole_number("checked", checked, 0)
    draws = drawn(race, seed, assumptions)
    if draws is not None and draws.count > MOST_DRAWS:
        raise IomsimError(
            f"assumptions must be at most {thousands(MOST_DRAWS)} draws for pivotal members, got "
            f"{thousands(draws.count)}; {DRAWS} are the default"
        )
    sums = pushes(race, name, runs, seed, draws, executor, progress)
    members, worths = members_table(race, name, sums, draws)
    groups = groups_table(members, worths)
    first = [str(member) for member in members.index[members["free"]][:checked]]
    sets = whole_groups(members) if checked else {}
    plan, where = race.plan if draws is None else played(race), members_by_name(race)
    changed: list[Points] = [(pinned(plan, where[member], race.names.index(name)), {}) for member in first]
    changed += pushed(plan, [[where[member] for member in who] for who in sets.values()], race.names.index(name))
    found = changes(plan, changed, name, draws, checked_runs, seed, executor) if changed else []
    members = members.join(won_over_table(first, found[: len(first)]))
    groups = with_whole(groups, list(sets), found[len(first) :])
    return Pivotal(race, name, seed, runs, members, groups, worths[WIN])


# -- the tables ----------------------------------------------------------------------------------


def members_table(
    race: Scenario, name: str, sums: Sums, draws: Assumptions | None
) -> tuple[pd.DataFrame, dict[str, Worths]]:
    """Return one row a member, and by target what pushes are worth of those that can be moved, in the table's order."""
    plan = race.plan if draws is None else draws.plan(race)
    members = race.electorate.frame
    free = np.asarray((plan.pins < 0) & (plan.absent.min(axis=1) < 1))
    support = np.where(free, sums.support / np.maximum(sums.present, 1), (plan.pins == race.names.index(name)) * 1.0)
    size = 0 if draws is None else draws.count
    found = pd.DataFrame(
        {"group": members["group"].to_numpy(), "support": support}, index=pd.Index(members["name"], name="member")
    )
    worths = {
        target: Worths(worth[free], local[free], square, sums.runs, size)
        for target, worth, local, square in zip(TARGETS, sums.worth, sums.local, sums.square, strict=True)
    }
    for target, own in worths.items():
        for column, values in estimates(own, found["group"].to_numpy()[free], target).items():
            found[column] = 0.0
            found.loc[free, column] = values
    found["free"] = free
    order = np.lexsort((-found[WIN].to_numpy(), ~free))
    rows = (np.cumsum(free) - 1)[order][: int(free.sum())]
    return found.iloc[order], {target: own.of(rows) for target, own in worths.items()}


def estimates(worths: Worths, groups: NDArray[np.object_], target: str) -> dict[str, Floats]:
    """Return estimates of every member, drawn together, with intervals, the range (of winning), and as they were seen.

    They are drawn towards a line along their local part, with a level for every group of at least eight.
    """
    seen, each = worths.mean, np.eye(len(worths.worth))
    line = np.column_stack([group_levels(groups), worths.mean_local])
    middle = shrunk(seen, worths.error(each - 1.0 / max(len(each), 1)), line)
    half = critical(len(seen), worths.dof) * worths.error(each)
    middle = np.clip(middle, seen - half, seen + half)
    columns = {target: middle, f"{target}_low": seen - half, f"{target}_high": seen + half}
    if target == WIN:
        columns |= dict(zip(RANGE_OF_WIN, worths.range_over_draws(each, middle), strict=True))
    return columns | {f"{target}_raw": seen}


def group_levels(groups: NDArray[np.object_]) -> Floats:
    """Return columns that give every large group a level of its own, shape (N, levels).

    Members of the other groups share one; so few of them that they would be their own level share that of the largest.

    Examples
    --------
    >>> group_levels(np.array(["A"] * 9 + ["B"] * 8 + ["C"])).sum(axis=0)
    array([10.,  8.])
    """
    _, place, size = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    place = np.where(size[place] < OWN_LINE, -1, place.reshape(-1))
    if 0 < (place < 0).sum() < OWN_LINE and size.max() >= OWN_LINE:
        place = np.where(place < 0, size.argmax(), place)
    return np.asarray(place[:, None] == np.unique(place), dtype=float)


def groups_table(members: pd.DataFrame, worths: dict[str, Worths]) -> pd.DataFrame:
    """Return what pushing one member of each group is worth on average: the mean over those that can be moved."""
    free = members[members["free"]]
    sizes = free.loc[grouped(free.index, free["group"]), "group"].value_counts(sort=False)
    names = [str(group) for group in sizes.index]
    parts = np.array([(free["group"] == group) / sizes[group] for group in sizes.index]).reshape(len(names), len(free))
    columns: dict[str, Any] = {"members": sizes.to_numpy(), "support": parts @ free["support"].to_numpy()}
    for target, own in worths.items():
        seen, error = parts @ own.mean, own.error(parts)
        middle = np.clip(parts @ free[target].to_numpy(), seen - error, seen + error)
        half = critical(len(names), own.dof) * error
        columns |= {target: middle, f"{target}_low": seen - half, f"{target}_high": seen + half}
        if target == WIN:
            columns |= dict(zip(RANGE_OF_WIN, own.range_over_draws(parts, middle), strict=True))
        columns[f"{target}_raw"] = seen
    index = pd.MultiIndex.from_product([names, [ONE]], names=["group", "push"])
    return pd.DataFrame(columns, index=index).sort_values(WIN, ascending=False, kind="stable")


# -- played again --------------------------------------------------------------------------------


Points = tuple[Plan, Mapping[str, Floats]]
"""An election, and the values of parameters that no draw varies at every point; without any there is one point."""


def members_by_name(race: Scenario) -> dict[str, int]:
    """Return the number of every member."""
    return {str(name): i for i, name in enumerate(race.electorate.frame["name"])}


def pinned(plan: Plan, member: int, k: int) -> Plan:
    """Return the election in which a member is won over for good."""
    pins = plan.pins.copy()
    pins[member] = k
    return replace(plan, pins=pins)


def pushed(plan: Plan, sets: Sequence[Sequence[int]], k: int, by: float = 1.0) -> list[Points]:
    """Return an election with a point for each set of members, which leans by so many log-odds more there."""
    if not sets:
        return []
    names = [paths.log_odds(f"a push of set {i} that no scenario states") for i in range(len(sets))]
    bound = np.array([np.isin(np.arange(len(plan.members)), who) for who in sets])
    ties = tuple(Tie(name, k, row) for name, row in zip(names, bound * 1.0, strict=True))
    changed = replace(plan, ties=plan.ties + ties, values={**plan.values, **dict.fromkeys(names, 0.0)})
    return [(changed, dict(zip(names, by * np.eye(len(sets)), strict=True)))]


Change = dict[str, tuple[float, float, float, float, float]]
"""By target: a mean change, its 95 % interval, and its range over the assumptions."""


def changes(
    plan: Plan,
    others: Sequence[Points],
    name: str,
    draws: Assumptions | None,
    runs: int,
    seed: int,
    executor: Any = None,
) -> list[Change]:
    """Return what changed elections change, at every point, on the same draws of the assumptions and random numbers."""
    seed, runs = seed_and_runs(seed, runs)
    base, *cells = _played([(plan, {}), *others], draws, runs, seed, executor)
    keys = dict(zip(TARGETS, (name, SPILL), strict=True))
    return [{target: _change(base[key], cell[key], draws) for target, key in keys.items()} for cell in cells]


def _played(
    cases: Sequence[Points], draws: Assumptions | None, runs: int, seed: int, executor: Any
) -> list[RunOutcomes]:
    """Play elections that differ in what no draw varies; they follow the same draws."""
    refuse_too_many_runs(runs, [(plan.candidates, points) for plan, points in cases])
    calls: list[tuple[Any, ...]] = []
    for plan, points in cases:
        table = {path: np.reshape(values, (-1, 1)) for path, values in points.items()}
        size = max((len(values) for values in table.values()), default=1)
        blocks = SPAN if size == 1 or runs > SPAN * BLOCK else size * SPAN  # all points of few runs together
        calls += span_calls(plan, {**followed(draws, runs), **table}, runs, seed, executor, observe, blocks=blocks)
    found: dict[int, list[RunOutcomes]] = {}
    done = 0
    for part in chain.from_iterable(in_order(executor, run_span, calls)):
        found.setdefault(done // runs, []).append(part)
        done += part[SPILL].size
    return [{key: np.concatenate([part[key] for part in parts]) for key in parts[0]} for parts in found.values()]


def _change(base: Floats, other: Floats, draws: Assumptions | None) -> tuple[float, float, float, float, float]:
    if draws is None:
        return (*paired_interval(base, other), np.nan, np.nan)
    size = min(draws.count, base.size)
    mean, low, high, half = change_over_draws(other - base, draw_of_run(size, 0, base.size), size)
    return mean, mean - half, mean + half, low, high


def won_over_table(members: Sequence[str], found: Sequence[Change]) -> pd.DataFrame:
    """Return what it changes to win each of these members over for good, one at a time."""
    columns = [f"won_over_{target}{end}" for target in TARGETS for end in ("", "_low", "_high")]
    rows = [[x for target in TARGETS for x in change[target][:3]] for change in found]
    return pd.DataFrame(rows, index=pd.Index(list(members), name="member"), columns=columns, dtype=float)


def whole_groups(members: pd.DataFrame) -> dict[str, list[str]]:
    """Return the members of each group that can be moved: of the largest groups, those of at least two members."""
    free = members[members["free"] & grouped(members.index, members["group"])]
    sizes = free["group"].value_counts()
    large = sizes[sizes > 1].index[:GROUPS]
    return {str(group): [str(member) for member in free.index[free["group"] == group]] for group in large}


def with_whole(groups: pd.DataFrame, names: Sequence[str], found: Sequence[Change]) -> pd.DataFrame:
    """Return the table with rows of groups pushed as a whole, whose intervals hold for all of them at once."""
    wider = critical(len(names), 10**9) / Z95
    out = groups.copy()
    for name, change in zip(names, found, strict=True):
        row = groups.loc[(name, ONE)].copy()
        for target, (mean, low, high, *ends) in change.items():
            row[[target, f"{target}_raw"]] = mean
            row[[f"{target}_low", f"{target}_high"]] = mean + wider * (low - mean), mean + wider * (high - mean)
            if target == WIN:
                row[list(RANGE_OF_WIN)] = ends if ends[0] < ends[1] else np.nan
        out.loc[(name, ALL), :] = row
    return out.astype({"members": int})


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
    members, groups : DataFrame
        See :meth:`table` and :meth:`by_group`.
    worths : Worths
        What pushes are worth to the win, by draw of the assumptions, of the members that can be moved, in the table's
        order.
    """

    race: Scenario
    candidate: str
    seed: int
    runs: int
    members: pd.DataFrame
    groups: pd.DataFrame
    worths: Worths

    def stamp(self) -> str:
        """Return what is needed to make this again, in one line."""
        p, draws = self.provenance, min(self.worths.draws, self.runs)
        played = f"of {count(draws, 'draw')} of the assumptions" if draws else "on the best guesses"
        return (
            f"iomsim {p['version']} · seed {p['seed']} · {thousands(p['runs'])} runs {played} · "
            f"scenario {p['scenario']} · rules {p['rules']}"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per member, the one with which a push does most first.

        Returns
        -------
        DataFrame
            By member: `group`; `support`, the chance to intend the candidate in round 1 if present;
            `win` and `spill`, the change of the probabilities per unit of log-odds towards the
            candidate, over all that is unsure, drawn together as far as noise scatters them; the ends of their
            intervals, which hold for all members at once with 95 % (`win_low`, `win_high`, `spill_low`, `spill_high`);
            `win_range_low` and `win_range_high`, its range over the assumptions: the 10 % and 90 % points of `win`
            given these, missing if they are fixed; `win_raw` and `spill_raw`, the estimates as the runs have them, in
            the middle of their intervals; `free`, False for the pinned and those without a vote;
            and, for the members with the largest `win`, `won_over_win` and `won_over_spill`: the
            change if the member is won over for good, with paired 95 % intervals of each.
        """
        return self.members.copy()

    def by_group(self) -> pd.DataFrame:
        """Return what members are worth by their group.

        Returns
        -------
        DataFrame
            By group and who is pushed: "any one" is the mean over its members, "all together" a push of each of them
            at once (played again: of at most twelve groups, the largest, and of none if no member is `checked`; the
            range is missing where so many runs cannot tell it).
            Columns as in :meth:`table`, with `members`, how many can be moved; intervals hold for all groups at once.
            Members without a group are left out.

        Examples
        --------
        >>> import iomsim as iom
        >>> calls = iom.pivotal(iom.load("geneva-2023"), runs=2000, checked=1, checked_runs=400, seed=1)
        >>> calls.by_group().index.names, ("African", "all together") in calls.by_group().index
        (FrozenList(['group', 'push']), True)
        """
        return self.groups.copy()

    def rivals(self, by: str = "member") -> list[str]:
        """Return the members that cannot be told from the first: whoever is not among these is behind it.

        Luck alone makes some of many equal members look better than others; with 95 % confidence
        none of equal effect is left out (Bonferroni over all pairs).

        Parameters
        ----------
        by : {"member", "group"}
            Whether members are compared, or groups by the mean over their members.
        """
        names, parts = self._compared(by)
        return [name for name, behind in zip(names, _clearly_behind(self.worths, parts), strict=True) if not behind][1:]

    def best(self, by: str = "member") -> str | None:
        """Return the one member, or group, whose push is worth most; None if it cannot be told from all others."""
        names = self._compared(by)[0]
        return names[0] if names and self.moves() and not self.rivals(by) else None

    def _compared(self, by: str) -> tuple[list[str], Floats]:
        """Return the members, or the groups, in the order of their table, and what they weigh members by."""
        if by not in ("member", "group"):
            raise IomsimError(f"by must be 'member' or 'group', got {quote(by)}")
        free = self._free
        if by == "member":
            return [str(member) for member in free.index], np.eye(len(free))
        names = [str(group) for group, push in self.groups.index if push == ONE]
        inside = np.array([free["group"].astype(str) == name for name in names]).reshape(len(names), len(free))
        return names, inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)

    def worth(self, members: Sequence[str]) -> Interval:
        """Return what a push of any of some members, by name or id, is worth on average, with its 95 % interval."""
        part = self._part(members)
        half = critical(1, self.worths.dof) * float(self.worths.error(part)[0])
        middle = float(part[0] @ self._free[WIN].to_numpy())
        return Interval(middle, middle - half, middle + half)

    def range_of(self, members: Sequence[str]) -> tuple[float, float]:
        """Return the range over the assumptions of what a push of any of some members is worth on average."""
        low, high = self.worths.range_over_draws(self._part(members), np.array([self.worth(members).value]))
        return float(low[0]), float(high[0])

    @property
    def _free(self) -> pd.DataFrame:
        return self.members[self.members["free"]]

    def _part(self, members: Sequence[str]) -> Floats:
        frame = self.race.electorate.frame
        chosen = self._free.index.isin(frame["name"].iloc[rows(frame, tuple(members))])
        return np.asarray(chosen / max(chosen.sum(), 1), dtype=float)[None]

    def alike(self, by: str = "member") -> list[str]:
        """Return the first member, or group, and those that cannot be told from it."""
        return [self._compared(by)[0][0], *self.rivals(by)]

    def moves(self) -> bool:
        """Return whether pushes of the first, and of those that cannot be told from it, do anything beyond noise."""
        return bool(len(self._free)) and self.worth(self.alike()).low > 0

    def sentence(self) -> str:
        """Return where the next phone call would do most, and how sure that is."""
        if not len(self._free):
            return f"No member can be moved: all are pinned or have no vote, so no call helps {self.candidate}."
        if not self.moves():
            on = "" if self.worths.draws else " on the best guesses"
            return f"No call for {self.candidate} does anything beyond noise{on}; take more runs."
        words = " ".join([self._call(), *self._for_good(), *self._groups_told(), self._next_day()])
        return words if self.worths.draws else f"On the best guesses, {words[0].lower()}{words[1:]}"

    def _call(self) -> str:
        """Return who should be called, and what that is worth."""
        alike = self.alike()
        worth, ends = self.worth(alike), self.range_of(alike)
        half = worth.high - worth.value
        what = f"{in_points(worth.value, half)} of {self.candidate}'s chance to win (a push of one log-odds)"
        if self.best() is not None:
            said = f"A call for {self.candidate} in {alike[0]} is worth most, {what}"
        else:
            behind = len(self._free) - len(alike)
            rest = f"; {number(behind)} others are clearly behind" if behind > 1 else ""
            said = f"No single member stands out; a call in any of {some_of(alike)} is worth {about(what)}{rest}"
        if np.isnan(ends[0]):
            return f"{said}."
        low = in_digits_of(ends[0], half)
        most = ", so most of the doubt is assumption" if ends[1] - ends[0] > MOSTLY * 2 * half else ""
        return f"{said}. Over the assumptions that is {low} to {in_points(ends[1], half)}{most}."

    def _for_good(self) -> list[str]:
        """Return what winning over for good does, of those that were played."""
        key, alike = f"won_over_{WIN}", self.alike()
        known = self.members.loc[alike].dropna(subset=[key]) if key in self.members else self.members[:0]
        if not len(known):
            return []
        half = float((known[f"{key}_high"] - known[f"{key}_low"]).mean()) / 2
        whom = "it" if self.best() is not None else "one of them"
        return [f"To win {whom} over for good is worth {about(in_points(float(known[key].mean()), half))}."]

    def _groups_told(self) -> list[str]:
        """Return in which group a call does most, if there are several."""
        names = self._compared("group")[0]
        if len(names) < 2 or len(names) == len(self._free):
            return []
        best = self.best("group")
        if best is None:
            return ["No group stands out either."] if self.best() is None else []
        top = self.groups.loc[(best, ONE)]
        half = (top[f"{WIN}_high"] - top[f"{WIN}_low"]) / 2
        return [f"By group it does most in {quote(best)}: {in_points(top[WIN], half)} a member."]

    def _next_day(self) -> str:
        """Return what the calls do to the next day."""
        day = next_weekday(self.race)
        beyond = self._free[(self._free[f"{SPILL}_low"] > 0) | (self._free[f"{SPILL}_high"] < 0)]
        if not len(beyond):
            return f"No single member moves the chance that voting runs into {day} beyond noise."
        row = beyond.iloc[int(beyond[SPILL].abs().to_numpy().argmax())]
        verb = "lowers" if row[SPILL] < 0 else "raises"
        half = (row[f"{SPILL}_high"] - row[f"{SPILL}_low"]) / 2
        by = in_points(abs(row[SPILL]), half)
        return f"A push {verb} the chance that voting runs into {day} too, by {by} in {row.name}."

    def in_words(self, by: str = "member") -> pd.DataFrame:
        """Return members, or groups, as readers are shown them: what a push is worth in points of the chance to win.

        The interval holds for all of them at once; a point is one in 100.
        """
        table = self.members if by == "member" else self.groups
        known: dict[str, Sequence[str]] = {"points": [WIN], "95 % interval": [f"{WIN}_low", f"{WIN}_high"]}
        known |= {"over the assumptions": RANGE_OF_WIN, "won over": [f"won_over_{WIN}"]}
        told = table.filter(["group", "members"]).assign(**{"support in 100": table["support"].map(in_100)})
        for name, of in known.items():
            if table.columns.isin(of).any():
                told[name] = [_points(row) for row in table[[*of]].to_numpy(dtype=float)]
        return told

    def _head(self) -> pd.DataFrame:
        return self.in_words()


def _clearly_behind(worths: Worths, parts: Floats) -> Flags:
    """Return which weighted sums of members are certainly worth less than the first (Bonferroni over all pairs)."""
    pairs = len(parts) * (len(parts) - 1) // 2
    off = parts[:1] - parts
    strict = student(1 - 0.05 / max(pairs, 1), worths.dof)
    return np.asarray(off @ worths.mean > strict * worths.error(off))


# -- words ---------------------------------------------------------------------------------------


def _points(chances: Floats) -> str:
    """Return a change of a chance in points, or the two ends of one; nothing if it is missing."""
    return "" if np.isnan(chances).any() else " to ".join(f"{round(100 * x, 1) + 0.0:.1f}" for x in chances)


def about(what: str) -> str:
    """Return an amount as one that is not known exactly, unless it says only what it is less than.

    Examples
    --------
    >>> about("0.4 points"), about("less than 1 point")
    ('about 0.4 points', 'less than 1 point')
    """
    return what if what.startswith("less than") else f"about {what}"


def in_digits_of(change: float, half: float) -> str:
    """Return a change in points, with no more digits than the half-width of its interval supports.

    Examples
    --------
    >>> [in_digits_of(0.00684, half) for half in (0.0001, 0.001, 0.004)]
    ['0.68', '0.7', '1']
    """
    digits = int(np.clip(np.floor(-np.log10(max(100 * half, 1e-9)) + 1e-9), 0, 2))
    return f"{100 * change + 0.0:.{digits}f}"


def in_points(change: float, half: float) -> str:
    """Return a change in points with its unit; what rounds to nothing is below the last digit.

    Examples
    --------
    >>> in_points(0.0068, 0.001), in_points(0.01, 0.01), in_points(0.0002, 0.001)
    ('0.7 points', '1 point', 'less than 0.1 points')
    """
    said = in_digits_of(change, half)
    if float(said) == 0:
        least = said[:-1] + "1" if "." in said else "1"
        return f"less than {least} point{'' if least == '1' else 's'}"
    return f"{said} point{'' if said == '1' else 's'}"
