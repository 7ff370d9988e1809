"""What a number of runs came to, counted: the one source of every sentence, table and chart.

The counts of two sets of runs add, so a forecast of any size can be gathered block by block.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iomsim.rules import ENDINGS
from iomsim.simulate import Outcomes

BINS = 400
"""Classes of the share of valid papers, each a quarter of a point wide."""

EXAMPLES = 9
"""Runs shown in full as example paths: trust rises with their number up to about nine."""

Ints = NDArray[np.int64]
_ALONE = (ENDINGS.index("confirmed"), ENDINGS.index("failed"))


@dataclass(frozen=True, eq=False)
class Summary:
    """Counts over runs; K candidates, R rounds at most.

    Attributes
    ----------
    runs : int
        How many runs were counted.
    ends : DataFrame
        One row per distinct way to end, with columns `winner` (index, -1 for none), `ending`
        (index into ENDINGS), `rounds`, `minute` (since midnight of the opening date, -1 if
        unresolved) and `count`.
    shares : ndarray of int, shape (R, K, BINS)
        Histogram of each standing candidate's share of the valid papers, round by round,
        yes/no rounds left out.
    flows : ndarray of int, shape (R, K, K)
        Members whose intention went from one candidate to another before a round, summed.
    voting : ndarray of int, shape (R,)
        Runs that held this round (yes/no rounds left out): the runs behind `shares` and `flows`.
    examples : Outcomes
        The first runs in full.
    """

    runs: int
    ends: pd.DataFrame
    shares: Ints
    flows: Ints
    voting: Ints
    examples: Outcomes

    def count(self, where: Any) -> int:
        """Return the number of runs whose end fulfils a condition on `ends`."""
        return int(self.ends["count"].to_numpy()[np.asarray(where)].sum())

    def tally(self, key: str, size: int, where: Any = slice(None)) -> Ints:
        """Return the number of runs for each value 0..size-1 of a column of `ends`."""
        chosen = self.ends[where]
        return np.bincount(chosen[key], weights=chosen["count"], minlength=size).astype(np.int64)[:size]

    def quantile(self, key: str, probability: Any, where: Any = slice(None)) -> np.ndarray:
        """Return quantiles of a column of `ends`, every run counting once (inverted CDF)."""
        chosen = self.ends[where].sort_values(key)
        cumulative = np.cumsum(chosen["count"].to_numpy())
        rank = np.ceil(np.asarray(probability) * cumulative[-1] - 1e-9).clip(1)
        return chosen[key].to_numpy()[np.searchsorted(cumulative, rank)]

    def share_quantile(self, round_: int, candidate: int, probability: Any) -> np.ndarray:
        """Return quantiles of a share in one round among the runs that held it (NaN if none did)."""
        counts = self.shares[round_ - 1, candidate]
        total = counts.sum()
        if not total:
            return np.full(np.shape(probability), np.nan)
        edges = np.arange(BINS + 1) / BINS
        return np.interp(np.asarray(probability) * total, np.concatenate([[0], np.cumsum(counts)]), edges)


def summarise(outcomes: Outcomes, max_rounds: int) -> Summary:
    """Count the outcomes of one or more blocks."""
    votes, valid, round_, alone = _rows(outcomes)
    k = votes.shape[1]
    ordinary = ~alone
    voting = np.bincount(round_[ordinary] - 1, minlength=max_rounds)
    return Summary(
        runs=outcomes.size,
        ends=_ends(outcomes),
        shares=_shares(votes[ordinary], valid[ordinary], round_[ordinary], max_rounds),
        flows=_flows(outcomes.flows[ordinary], round_[ordinary], max_rounds, k),
        voting=voting.astype(np.int64),
        examples=outcomes.head(EXAMPLES),
    )


def merge(parts: Iterable[Summary]) -> Summary:
    """Add the counts of several summaries; the examples are the first one's."""
    pieces = list(parts)
    keys = ["winner", "ending", "rounds", "minute"]
    ends = pd.concat([piece.ends for piece in pieces]).groupby(keys, as_index=False)["count"].sum()
    return Summary(
        runs=sum(piece.runs for piece in pieces),
        ends=ends,
        shares=np.sum([piece.shares for piece in pieces], axis=0),
        flows=np.sum([piece.flows for piece in pieces], axis=0),
        voting=np.sum([piece.voting for piece in pieces], axis=0),
        examples=pieces[0].examples,
    )


def round_numbers(outcomes: Outcomes) -> Ints:
    """Return the round of every row of tallies, from 1."""
    held = outcomes.rounds.astype(np.int64)
    return np.arange(held.sum()) - np.repeat(outcomes.starts, held) + 1


def yes_no_rows(outcomes: Outcomes) -> NDArray[np.bool_]:
    """Return which rows of tallies are yes/no rounds: the last of a confirmed or failed run."""
    alone = np.zeros(len(outcomes.valid), dtype=bool)
    asked = np.isin(outcomes.ending, _ALONE)
    alone[(outcomes.starts + outcomes.rounds - 1)[asked]] = True
    return alone


def _rows(outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray, Ints, NDArray[np.bool_]]:
    return outcomes.votes, outcomes.valid, round_numbers(outcomes), yes_no_rows(outcomes)


def _ends(outcomes: Outcomes) -> pd.DataFrame:
    columns = {
        "winner": outcomes.winner.astype(np.int64),
        "ending": outcomes.ending.astype(np.int64),
        "rounds": outcomes.rounds.astype(np.int64),
        "minute": outcomes.minute.astype(np.int64),
    }
    table = np.stack(list(columns.values()), axis=1)
    code = (((table[:, 0] + 1) * 8 + table[:, 1]) * 2048 + table[:, 2]) * 2**32 + table[:, 3] + 1
    _, first, count = np.unique(code, return_index=True, return_counts=True)
    return pd.DataFrame(table[first], columns=list(columns)).assign(count=count)


def _shares(votes: np.ndarray, valid: np.ndarray, round_: Ints, max_rounds: int) -> Ints:
    k = votes.shape[1]
    counted = (votes >= 0) & (valid > 0)[:, None]
    share = votes / np.maximum(valid, 1)[:, None]
    cell = ((round_ - 1)[:, None] * k + np.arange(k)) * BINS + np.minimum(share * BINS, BINS - 1).astype(np.int64)
    return np.bincount(cell[counted], minlength=max_rounds * k * BINS).reshape(max_rounds, k, BINS)


def _flows(flows: np.ndarray, round_: Ints, max_rounds: int, k: int) -> Ints:
    out = np.zeros((max_rounds, k, k), dtype=np.int64)
    for a in range(k):
        for b in range(k):
            out[:, a, b] = np.bincount(round_ - 1, weights=flows[:, a, b], minlength=max_rounds)
    return out
