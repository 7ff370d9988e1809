"""What a number of runs came to, counted: the one source of every sentence, table and chart.

The counts of two sets of runs add, so a forecast of any size can be gathered block by block.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Flags, Longs

BINS = 400
"""Classes of the share of valid papers, each a quarter of a point wide."""

EXAMPLES = 9
"""Runs shown in full as example paths: trust rises with their number up to about nine."""

MOST_ROUNDS, MOST_MINUTES, MOST_CANDIDATES = 2**11, 2**27, 17
"""More than any run holds, more than any clock shows, and more than stand, "nobody" among them."""


@dataclass(frozen=True, eq=False)
class Summary:
    """Counts over runs; K candidates, R rounds at most.

    Attributes
    ----------
    runs : int
        How many runs were counted.
    ends : DataFrame
        One row per draw of the assumptions and distinct way to end, with columns `draw` (0 if they are fixed),
        `winner` (index, -1 for none), `ending` (index into ENDINGS), `rounds`, `minute` (since midnight of the
        opening date, -1 if open) and `count`.
    shares : ndarray of int, shape (R, K, BINS)
        Histogram of each standing candidate's share of the valid papers, round by round,
        yes/no rounds left out.
    flows : ndarray of int, shape (R, K, K)
        Members whose intention went from one candidate to another before a round, summed.
    voting : ndarray of int, shape (R,)
        Runs that held this round (yes/no rounds left out): the runs behind `shares` and `flows`.
    examples : Outcomes
        The first runs in full.
    draws : int
        How many draws of the assumptions there are; 0 if they are fixed.
    """

    runs: int
    ends: pd.DataFrame
    shares: Longs
    flows: Longs
    voting: Longs
    examples: Outcomes
    draws: int = 0

    def count(self, where: Any) -> int:
        """Return the number of runs whose end fulfils a condition on `ends`."""
        return int(self.ends["count"].to_numpy()[np.asarray(where)].sum())

    def tally(self, key: str, size: int, where: Any = slice(None)) -> Longs:
        """Return the number of runs for each value 0..size-1 of a column of `ends`."""
        chosen = self.ends[where]
        return np.bincount(chosen[key], weights=chosen["count"], minlength=size).astype(np.int64)[:size]

    def by_draw(self, where: Any = slice(None)) -> tuple[Longs, Longs]:
        """Return, for each draw of the assumptions, the runs whose end fulfils a condition on `ends`, and all its runs.

        Where the assumptions are fixed there is one, of all runs.
        """
        return self.tally_by_draw(np.zeros(len(self.ends), dtype=np.int64), 1, where)[0], self.runs_of_draws

    @cached_property
    def runs_of_draws(self) -> Longs:
        """Runs of each draw of the assumptions."""
        return np.bincount(self.ends["draw"], self.ends["count"], max(self.draws, 1)).astype(np.int64)

    def tally_by_draw(self, codes: Longs, size: int, where: Any = slice(None)) -> Longs:
        """Return the runs for each code 0..size-1, one for every row of `ends`, and each draw, shape (size, draws)."""
        wide, ends = max(self.draws, 1), self.ends
        cell = np.asarray(codes)[where] * wide + ends["draw"].to_numpy()[where]
        counts = np.bincount(cell, weights=ends["count"].to_numpy()[where], minlength=size * wide)
        return counts.astype(np.int64).reshape(-1, wide)[:size]

    def only(self, draws: Flags) -> Summary:
        """Return how the runs of some of the draws end; what was counted of all together stays with all."""
        ends = self.ends[draws[self.ends["draw"]]]
        return replace(self, runs=int(ends["count"].sum()), ends=ends)

    def quantile(self, key: str, probability: Any, where: Any = slice(None)) -> np.ndarray:
        """Return quantiles of a column of `ends`, every run counting once (inverted CDF)."""
        chosen = self.ends[where]
        return np.quantile(chosen[key], probability, weights=chosen["count"], method="inverted_cdf")

    def share_quantile(self, round_: int, candidate: int, probability: Any) -> np.ndarray:
        """Return quantiles of a share in one round among the runs that held it (NaN if none did)."""
        counts = self.shares[round_ - 1, candidate]
        total = counts.sum()
        if not total:
            return np.full(np.shape(probability), np.nan)
        edges = np.arange(BINS + 1) / BINS
        return np.interp(np.asarray(probability) * total, np.concatenate([[0], np.cumsum(counts)]), edges)


def summarise(outcomes: Outcomes, max_rounds: int, draws: int = 0) -> Summary:
    """Count the outcomes of one or more blocks; `draws` of the assumptions were made, 0 if they are fixed."""
    votes, valid, flows, round_ = outcomes.votes, outcomes.valid, outcomes.flows, round_numbers(outcomes)
    alone = yes_no_rows(outcomes)
    if alone.any():
        kept = np.flatnonzero(~alone)
        votes, valid, flows = (part.take(kept, axis=0) for part in (votes, valid, flows))
        round_ = round_.take(kept)
    return Summary(
        runs=outcomes.size,
        ends=counted(codes_of(vars(outcomes))),
        shares=_shares(votes, valid, round_, max_rounds),
        flows=_flows(flows, round_, max_rounds),
        voting=np.bincount(round_ - 1, minlength=max_rounds),
        examples=outcomes.head(EXAMPLES),
        draws=draws,
    )


def merge(parts: Iterable[Summary]) -> Summary:
    """Add the counts of several summaries; the examples are the first one's."""
    pieces = list(parts)
    if len(pieces) == 1:
        return pieces[0]
    codes = np.concatenate([codes_of(piece.ends) for piece in pieces])
    counts = np.concatenate([piece.ends["count"] for piece in pieces])
    return Summary(
        runs=sum(piece.runs for piece in pieces),
        ends=counted(codes, counts),
        shares=np.sum([piece.shares for piece in pieces], axis=0),
        flows=np.sum([piece.flows for piece in pieces], axis=0),
        voting=np.sum([piece.voting for piece in pieces], axis=0),
        examples=pieces[0].examples,
        draws=pieces[0].draws,
    )


def round_numbers(outcomes: Outcomes) -> Longs:
    """Return the round of every row of tallies, from 1."""
    held = outcomes.rounds.astype(np.int64)
    return np.arange(held.sum()) - np.repeat(outcomes.starts, held) + 1


def yes_no_rows(outcomes: Outcomes) -> Flags:
    """Return which rows of tallies are yes/no rounds: those in which one alone stood."""
    return np.asarray(sum((stands >= 0).astype(np.int8) for stands in outcomes.votes.T) == 1)


def codes_of(ends: Any) -> Longs:
    """Return how runs ended, each as one number: then the distinct ends take a sort and no search."""
    code = np.asarray(ends["draw"], dtype=np.int64) * MOST_CANDIDATES + ends["winner"] + 1
    code = code * len(ENDINGS) + ends["ending"]
    return np.asarray((code * MOST_ROUNDS + ends["rounds"]) * MOST_MINUTES + ends["minute"] + 1, dtype=np.int64)


def counted(codes: Longs, counts: Longs | None = None) -> pd.DataFrame:
    """Count the distinct ends, from their numbers."""
    if counts is None:
        code, count = np.unique(codes, return_counts=True)
    else:
        code, place = np.unique(codes, return_inverse=True)
        count = np.bincount(place, counts).astype(np.int64)
    rest, minute = np.divmod(code, MOST_MINUTES)
    rest, rounds = np.divmod(rest, MOST_ROUNDS)
    rest, ending = np.divmod(rest, len(ENDINGS))
    draw, winner = np.divmod(rest, MOST_CANDIDATES)
    columns = {"draw": draw, "winner": winner - 1, "ending": ending, "rounds": rounds, "minute": minute - 1}
    return pd.DataFrame(columns | {"count": count})


def _shares(votes: np.ndarray, valid: np.ndarray, round_: Longs, max_rounds: int) -> Longs:
    nowhere = max_rounds * BINS
    papers, first, none = np.maximum(valid, 1).astype(float), (round_ - 1) * BINS, valid <= 0
    counts = []
    for own in votes.T:
        share = own / papers
        share *= BINS
        cell = np.minimum(share, BINS - 1, out=share).astype(np.int64)
        cell += first
        np.putmask(cell, (own < 0) | none, nowhere)
        counts.append(np.bincount(cell, minlength=nowhere + 1)[:nowhere].reshape(max_rounds, BINS))
    return np.stack(counts, axis=1).astype(np.int64)


def _flows(flows: np.ndarray, round_: Longs, max_rounds: int) -> Longs:
    k = flows.shape[1]
    sums = [np.bincount(round_ - 1, flows[:, a, b], minlength=max_rounds) for a in range(k) for b in range(k)]
    return np.array(sums, dtype=np.int64).T.reshape(max_rounds, k, k)
