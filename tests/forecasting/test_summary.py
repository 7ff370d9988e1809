"""Counts of runs against the runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import elect, same

import iomsim as iom
from iomsim.engine import simulate
from iomsim.forecasting import run
from iomsim.forecasting.summary import merge, summarise


def make(race: iom.Scenario, runs: int = 2000, seed: int = 1, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs=runs, seed=seed, progress=False, **options)


@pytest.mark.parametrize("runs", [1, 2, 3, 7, 10, 11, 100])
def test_the_middle_of_a_few_runs(runs: int, forecasts: dict[str, iom.Forecast]) -> None:
    """The smallest number that at least a tenth, half, nine tenths of the runs do not exceed.

    In floats 0.07 of a hundred runs are more than seven.
    """
    levels = (0.07, 0.1, 0.5, 0.9)
    whole = forecasts["strict"].outcomes
    assert whole is not None
    for start in range(0, 400, 20):
        summary = summarise(whole.part(start, start + runs), 40)
        held = whole.rounds[start : start + runs]
        for q, found in zip(levels, summary.quantile("rounds", levels), strict=True):
            assert found == min(n for n in held if np.mean(held <= n) >= q - 1e-9)


def test_shares_are_spread_evenly_over_their_class() -> None:
    summary = make(elect("AAABB", rules={"name": "strict", "max_rounds": 1}), 50).summary
    assert summary.share_quantile(1, 0, [0.1, 0.5, 0.9]) == pytest.approx([0.60025, 0.60125, 0.60225])
    nobody = make(elect("BBBBB", rules={"name": "strict", "max_rounds": 1}), 50).summary
    assert nobody.share_quantile(1, 0, [0.1, 0.5, 0.9]) == pytest.approx([0.00025, 0.00125, 0.00225])


def test_counts_of_parts_add_up(forecasts: dict[str, iom.Forecast]) -> None:
    out = forecasts["four-rounds"].outcomes
    assert out is not None
    parts = [summarise(out.part(a, b), 40) for a, b in ((0, 10), (10, 11), (11, 300))]
    merged, whole = merge(parts), summarise(out.part(0, 300), 40)
    assert merged.runs == whole.runs == 300
    pd.testing.assert_frame_equal(merged.ends, whole.ends)
    for key in ("shares", "flows", "voting"):
        assert np.array_equal(getattr(merged, key), getattr(whole, key)), key


def test_the_examples_are_the_first_runs(forecasts: dict[str, iom.Forecast]) -> None:
    out = forecasts["strict"].outcomes
    assert out is not None
    parts = [summarise(out.part(a, b), 40) for a, b in ((0, 4), (4, 50), (50, 200))]
    assert same(parts[1].examples, out.part(4, 13))
    assert same(merge(parts[1:]).examples, out.part(4, 13))
    assert same(merge(parts).examples, out.part(0, 4))


def test_counts_of_shares_and_flows_are_those_of_the_runs(fc: iom.Forecast) -> None:
    t, out = fc.tallies, fc.outcomes
    assert out is not None
    ballots = t[(t["kind"] == "ballot")]
    for r in (1, 2, 3):
        cell = ballots[ballots["round"] == r]
        assert fc.summary.voting[r - 1] == cell["run"].nunique()
        for k, name in enumerate(fc.race.names):
            shares = cell[(cell["candidate"] == name) & (cell["valid"] > 0)]["share"]
            counts = np.bincount(np.minimum((shares * 400).astype(int), 399), minlength=400)
            assert np.array_equal(fc.summary.shares[r - 1, k], counts)
        rows = (out.starts + r - 1)[out.rounds >= r]
        asked = np.isin(out.ending[out.rounds >= r], [2, 3]) & (out.rounds[out.rounds >= r] == r)
        assert np.array_equal(fc.summary.flows[r - 1], out.flows[rows[~asked]].astype(int).sum(axis=0))


def test_the_summary_alone_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SPAN", 1)
    monkeypatch.setattr(run, "OTHER_RULES_RUNS", 300)
    race = iom.load("iom-2018").with_rules("four-rounds")
    whole, counts = (make(race, 2500, keep=keep) for keep in ("runs", "summary"))
    assert counts.outcomes is None
    for table in ("win_probability", "rounds", "endings", "decided_at", "rule_sets"):
        pd.testing.assert_frame_equal(getattr(whole, table)(), getattr(counts, table)())
    assert whole.answer() == counts.answer()
    assert repr(whole) == repr(counts)
    assert np.array_equal(whole.summary.shares, counts.summary.shares)
    assert np.array_equal(whole.summary.flows, counts.summary.flows)
    for table in ("runs", "tallies"):
        with pytest.raises(iom.IomsimError, match="kept only its summary; make it with keep='runs'"):
            getattr(counts, table)


def test_runs_are_counted_draw_by_draw(forecasts: dict[str, iom.Forecast]) -> None:
    """Draws have unequal numbers of runs here, and one has none; parts add up to the whole."""
    out, draws = forecasts["unsure"].outcomes, 7
    assert out is not None
    out = replace(out.part(0, 300), draw=np.sort(np.arange(300) % 5 * (np.arange(300) % 3 > 0)).astype(np.int32))
    whole = summarise(out, 40, draws)
    merged = merge([summarise(out.part(a, b), 40, draws) for a, b in ((0, 10), (10, 170), (170, 300))])
    for summary in (whole, merged):
        hits, runs = summary.by_draw(summary.ends["rounds"] > 1)
        assert summary.draws == draws
        assert runs.tolist() == [int((out.draw == c).sum()) for c in range(draws)]
        assert hits.tolist() == [int(((out.draw == c) & (out.rounds > 1)).sum()) for c in range(draws)]
    pd.testing.assert_frame_equal(merged.ends, whole.ends)
