"""What the pledges of a ledger come to: how many of the pledged vote for the candidate in the first round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iomsim._version import VERSION
from iomsim.engine.first_round import first_round_chances
from iomsim.engine.plan import Plan, draw, member_odds
from iomsim.engine.rng import BLOCK, Purpose, fresh_seed, generator
from iomsim.errors import ScenarioError, quote, whole_number
from iomsim.house_style import capital, in_html, in_lines, number, number_of, on_screen, series, thousands
from iomsim.model.assumptions import DRAWS, draw_assumptions
from iomsim.model.description import Description
from iomsim.model.ledger import KINDS, Entry
from iomsim.typing import Flags, Floats, Longs

RUNS = 4096
"""Elections whose first rounds are drawn."""

ANY = "any"
"""Stands for all kinds of pledges together."""

Group = tuple[str, str]
"""Those who have pledged to a candidate, by kind."""

COLUMNS = ("pledged", "double", "expected", "low", "high")

SAID = 12
"""Pledges without effect that are named one by one."""


@dataclass(frozen=True, eq=False)
class Pledges:
    """What a whip count comes to.

    Attributes
    ----------
    by_candidate, by_kind : DataFrame
        See :meth:`table`.
    ledger : DataFrame
        One row a pledge: member, candidate, kind, date, source; what it `counts` (1, half of it for members that have
        pledged to several candidates, 0 without effect), its `log_odds`, the `chance` that the member votes for the
        candidate, and a `note` that says why it does not count in full.
    seed, runs, scenario : int, int, str
        What is needed to make it again; the scenario by its hash.
    """

    by_candidate: pd.DataFrame
    by_kind: pd.DataFrame
    ledger: pd.DataFrame
    seed: int
    runs: int
    scenario: str

    def table(self, by: str = "candidate") -> pd.DataFrame:
        """Return how many have pledged, and how many of them are expected.

        Parameters
        ----------
        by : {"candidate", "kind"}
            One row a candidate, or one for each kind of pledge to each; a member with several to one candidate
            is under the kind that counts.

        Returns
        -------
        DataFrame
            Members that have `pledged`, those of them that have pledged to others too (`double`), how many are
            `expected` to vote for the candidate in the first round if present, and the middle 80 % of that number
            (`low`, `high`) over everything: chance and assumptions.  Members without a vote are not expected.
        """
        if by not in ("candidate", "kind"):
            raise ScenarioError(f"by must be 'candidate' or 'kind', got {quote(by)}")
        return (self.by_candidate if by == "candidate" else self.by_kind).copy()

    def sentence(self) -> str:
        """Return the finding in words."""
        parts = [
            f"{name}: {number(row.pledged)} pledged, {_span(row.low, row.high)} expected"
            for name, row in zip(self.by_candidate.index, self.by_candidate.itertuples(), strict=True)
            if row.pledged
        ]
        told = [f"{'; '.join(parts)}."] if parts else ["Nobody has pledged."]
        double = int(self.ledger.loc[self.ledger["counts"].between(0, 1, "neither"), "member"].nunique())
        if double:
            have = "has" if double == 1 else "have"
            told.append(
                f"{capital(number_of(double, 'member'))} {have} pledged to several, which counts half for each."
            )
        idle = [f"{row.member} ({row.note.partition(': ')[2]})" for row in self.ledger.itertuples() if _idle(row.note)]
        if idle:
            names = list(dict.fromkeys(idle))
            who = series(names) if len(names) <= SAID else f"{number(len(names))} members, pinned or without a vote"
            told.append(f"Without effect are pledges of {who}.")
        once = int((self.ledger["note"] == "counted once").sum())
        if once:
            told.append(f"{capital(number_of(once, 'line'))} {'says' if once == 1 else 'say'} what another does.")
        return " ".join(told)

    def __repr__(self) -> str:
        """Return the sentence, the table and what is needed to make it again."""
        return "\n\n".join([in_lines(self.sentence()), self.by_candidate.round(1).to_string(), on_screen(self._stamp)])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        table = self.by_candidate.round(1).to_html(border=0)
        return in_html(f"<p>{escape(self.sentence())}</p>{table}<p><small>{escape(self._stamp)}</small></p>")

    @property
    def _stamp(self) -> str:
        return f"iomsim {VERSION} · seed {self.seed} · {thousands(self.runs)} runs · scenario {self.scenario}"


def _idle(note: str) -> bool:
    return note.startswith("no effect")


def _span(low: float, high: float) -> str:
    """Return a range of whole numbers in words.

    Examples
    --------
    >>> _span(48.0, 55.0), _span(3.0, 3.0), _span(0.0, 1.0), _span(0.0, 0.0)
    ('48 to 55', 'three', 'up to one', 'none')
    """
    if low == 0:
        return f"up to {number(int(high))}" if high else "none"
    return number(int(low)) if low == high else f"{number(int(low))} to {number(int(high))}"


def tally(race: Description, seed: int | None, runs: int) -> Pledges:
    """Return what the pledges of a race come to: see :class:`Pledges`.

    Raises
    ------
    ScenarioError
        If the race has no ledger.
    """
    if race.ledger is None or not race.ledger.pledges:
        raise ScenarioError("the race has no ledger; race.with_pledges(frame) gives it one")
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    runs = whole_number("runs", runs, 1)
    plan, found = draw_assumptions(race, seed, min(DRAWS, runs)).plan(race), race._entries
    sure = first_round_chances(plan).mean(axis=2) * plan.votes
    groups = _groups(found, len(plan.members), race.names)
    counts: dict[Group, list[Longs]] = {group: [] for group in groups}
    for votes in _first_rounds(plan, seed, runs):
        for (name, kind), who in groups.items():
            came = votes[who & plan.votes] == race.names.index(name)
            counts[name, kind].append(came.sum(axis=0))
    several = np.sum([who for (_, kind), who in groups.items() if kind == ANY], axis=0) > 1
    rows = {}
    for (name, kind), who in groups.items():
        low, high = np.quantile(np.concatenate(counts[name, kind]), [0.1, 0.9], method="inverted_cdf").tolist()
        expected = float(sure[race.names.index(name), who].sum())
        rows[name, kind] = int(who.sum()), int((who & several).sum()), expected, int(low), int(high)
    kinds = [(name, kind) for name, kind in groups if kind != ANY]
    by_kind = pd.DataFrame([rows[group] for group in kinds], columns=list(COLUMNS))
    by_kind.index = pd.MultiIndex.from_tuples(kinds, names=["candidate", "kind"])
    by_candidate = pd.DataFrame(
        [rows[name, ANY] for name in race.names], columns=list(COLUMNS), index=pd.Index(race.names, name="candidate")
    )
    return Pledges(by_candidate, by_kind, _ledger(race, found, sure), seed, runs, race.hash)


def _groups(found: list[Entry], size: int, names: tuple[str, ...]) -> dict[Group, Flags]:
    """Return who has pledged to each candidate, in any way, and by the strongest kind of their pledges to it."""
    best: dict[tuple[int, str], int] = {}
    for entry in found:
        key, strength = (entry.row, entry.pledge.candidate), KINDS.index(entry.pledge.kind)
        best[key] = min(best.get(key, strength), strength)
    out: dict[Group, Flags] = {(name, kind): np.zeros(size, dtype=bool) for name in names for kind in (ANY, *KINDS)}
    for (row, name), strength in best.items():
        out[name, ANY][row] = out[name, KINDS[strength]][row] = True
    return {(name, kind): who for (name, kind), who in out.items() if kind == ANY or who.any()}


def _first_rounds(plan: Plan, seed: int, runs: int) -> Iterator[NDArray[np.int8]]:
    """Yield blocks of runs: which candidate every member votes for in the first round if it is there."""
    width = max(map(np.size, plan.values.values()))
    for block in range(-(-runs // BLOCK)):
        size = min(BLOCK, runs - block * BLOCK)
        columns = (block * BLOCK + np.arange(size)) % width
        part = plan.of(columns)
        drawn = draw(part, seed, block, size)
        odds = member_odds(part, replace(drawn, absent=np.zeros_like(drawn.absent)))
        u = generator(seed, block, Purpose.KEYS, "pledges").random((len(plan.members), BLOCK))[:, :size]
        if plan.pairwise:
            with np.errstate(invalid="ignore"):
                second = np.where(np.isinf(odds), 1.0, odds / (1.0 + odds))
            yield (u < second).astype(np.int8)
            continue
        v = np.exp(odds - odds.max(axis=0))
        upto = np.cumsum(v / v.sum(axis=0), axis=0)
        yield np.minimum((u >= upto).sum(axis=0), plan.candidates - 1).astype(np.int8)


def _ledger(race: Description, found: list[Entry], sure: Floats) -> pd.DataFrame:
    """Return a row for every pledge, with what it is worth."""
    discounts: Mapping[str, Any] = race.ledger.discounts if race.ledger else {}
    members = race.electorate.frame["name"]
    return pd.DataFrame(
        [
            {
                "member": members.iloc[entry.row],
                "candidate": entry.pledge.candidate,
                "kind": entry.pledge.kind,
                "date": entry.pledge.date,
                "source": entry.pledge.source,
                "counts": entry.counts,
                "log_odds": entry.counts * discounts[entry.pledge.kind].value,
                "chance": sure[race.names.index(entry.pledge.candidate), entry.row],
                "note": entry.note,
            }
            for entry in found
        ]
    )
