"""Runs as tidy tables: one row per run; one row per run, round and candidate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.forecasting.summary import round_numbers, yes_no_rows
from iomsim.rules.ruleset import ENDINGS


def runs_table(out: Outcomes, names: Sequence[str], midnight: datetime) -> pd.DataFrame:
    """Return one row per run: winner, ending, rounds, members present, and when it ended.

    Parameters
    ----------
    out : Outcomes
        The runs.
    names : sequence of str
        The candidates, and last what stands for nobody.
    midnight : datetime
        Of the day on which the session opens.
    """
    ended = np.datetime64(midnight, "m") + out.minute.astype("timedelta64[m]")
    known = pd.Series(ended).where(out.minute >= 0)
    return pd.DataFrame(
        {
            "winner": pd.Categorical.from_codes(np.where(out.winner < 0, len(names) - 1, out.winner), list(names)),
            "ending": pd.Categorical.from_codes(out.ending, list(ENDINGS)),
            "rounds": out.rounds,
            "present": out.present,
            "ended_at": known,
            "decided_at": known.where(out.winner >= 0),
        },
        index=pd.RangeIndex(out.size, name="run"),
    )


def tallies_table(out: Outcomes, candidates: Sequence[str]) -> pd.DataFrame:
    """Return one row per run, round and standing candidate: votes, valid papers, share, kind of round."""
    row, k = np.nonzero(out.votes >= 0)
    run = np.repeat(np.arange(out.size), out.rounds)
    votes, valid = out.votes[row, k], out.valid[row]
    return pd.DataFrame(
        {
            "run": run[row],
            "round": round_numbers(out)[row],
            "candidate": pd.Categorical.from_codes(k, list(candidates)),
            "votes": votes,
            "valid": valid,
            "share": votes / np.maximum(valid, 1),
            "kind": pd.Categorical.from_codes(yes_no_rows(out)[row].astype(int), ["ballot", "yes/no"]),
        }
    )
