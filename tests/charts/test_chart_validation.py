"""The charts of a backtest: what is drawn and written is what its tables say."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

import iomsim as iom
from iomsim.charts.caption import captions
from iomsim.errors import IomsimError, UnknownNameError
from iomsim.validation.synthetic import synthetic_contests
from iomsim.validation.verdict import Backtest


@pytest.fixture(scope="module")
def judged() -> Backtest:
    return iom.backtest(["UNSC2007-EEG", "UNSC2016-WEOG", "IOM2018-DG", "IOM2019-DDG"], particles=200)


@pytest.fixture(scope="module")
def made_up() -> Backtest:
    return iom.backtest(synthetic_contests(6, seed=1, size=30), particles=60)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize("event", ["over next", "leader wins"])
def test_the_reliability_curve_is_the_table(judged: Backtest, event: str) -> None:
    data = judged.reliability(event)
    ax = judged.plot.reliability(event)
    [dots] = [part for part in ax.collections if isinstance(part, PathCollection)]
    assert dots.get_offsets().tolist() == data[["forecast", "observed"]].to_numpy().tolist()
    parts = judged.decomposition(event)
    [caption] = captions(ax)
    assert f"Brier score {parts.score:.2f} = {parts.miscalibration:.2f} miscalibration" in caption.reading
    assert f"{len(judged.cases)} rounds, 4 of them of UNSC2016-WEOG" in caption.reading
    assert ax.get_title().replace("\n", " ") == caption.title


def test_a_curve_is_called_off_only_beyond_luck(judged: Backtest, monkeypatch: pytest.MonkeyPatch) -> None:
    for found, said in ((3, "no further from calibrated than luck explains: 3 of "), (4, " more than luck explains")):
        monkeypatch.setattr(Backtest, "outside", lambda *_, found=found: (found, 3))
        assert said in judged.plot.chart("reliability").caption.title


def test_what_was_said_and_came_is_told_with_its_luck(judged: Backtest, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = judged.plot.chart("said_and_came", by=None)
    whole = chart.data.xs("all", level=1).iloc[0]
    told = f"given {100 * whole['said']:.0f} in 100 and came in {100 * whole['came']:.0f}"
    assert chart.caption.title.endswith(f"{told}, no further apart than luck explains")
    chart = judged.plot.chart("said_and_came", by=None)
    monkeypatch.setitem(vars(chart), "data", chart.data.assign(high=0.0, low=0.0))
    assert chart.finding().endswith(", further apart than luck explains")


def test_the_rank_histogram_is_the_table(judged: Backtest) -> None:
    data = judged.ranks(4)
    ax = judged.plot.ranks(4)
    assert [bar.get_height() for bar in ax.containers[0]] == data["count"].tolist()
    assert f"{len(judged.pits)} next shares" in captions(ax)[0].reading


def test_what_a_right_forecast_would_give_is_shaded(judged: Backtest) -> None:
    curve, data = judged.plot.reliability("over next"), judged.reliability("over next")
    [band] = next(part for part in curve.collections if part.get_label() == "band").get_paths()
    for x, low, high in data.loc[data["low"] < data["high"], ["forecast", "low", "high"]].to_numpy():
        at = (low - 0.01, low + 0.01, high - 0.01, high + 0.01)
        assert [band.contains_point((x, y)) for y in at] == [False, True, True, False]
    assert (curve.get_xlim(), curve.get_ylim()) == ((-0.02, 1.02), (-0.02, 1.02))
    assert (curve.get_xlabel(), curve.get_ylabel()) == ("probability given", "how often it came")
    bars, data = judged.plot.ranks(4), judged.ranks(4)
    [shade] = [patch for patch in bars.patches if patch.get_label() == "band"]
    box = shade.get_path().transformed(shade.get_patch_transform()).get_extents()
    assert (box.y0, box.y1) == pytest.approx((data["low"].min(), data["high"].max()))
    [even] = [line for line in bars.lines if line.get_label() == "calibrated"]
    assert even.get_ydata() == pytest.approx([len(judged.pits) / 4] * 2)
    assert bars.get_xlim() == (0, 1)
    assert (bars.get_xlabel(), bars.get_ylabel()) == ("place of the real share in its forecast", "rounds")


def test_a_histogram_names_its_spread(judged: Backtest) -> None:
    from dataclasses import replace

    narrow = replace(judged)
    object.__setattr__(narrow, "pits", np.array([0.01, 0.02, 0.99, 0.98, 0.03]))
    assert captions(narrow.plot.ranks())[0].title.endswith("are too narrow")
    wide = replace(judged)
    object.__setattr__(wide, "pits", np.repeat([0.5, 0.45, 0.55, 0.5, 0.52], 2))
    assert captions(wide.plot.ranks())[0].title.endswith("are too wide")
    right = replace(judged)
    object.__setattr__(right, "pits", np.array([0.1, 0.3, 0.5, 0.7, 0.9]))
    [caption] = captions(right.plot.ranks())
    assert "not clearly too narrow or too wide" in caption.title
    assert "the outer bars hold 2, a right forecast would put 2 there" in caption.reading
    few = replace(judged)
    object.__setattr__(few, "pits", np.array([0.5, 0.45, 0.55, 0.1, 0.52]))  # one of five in the outer bars: luck
    assert "not clearly" in captions(few.plot.ranks())[0].title


@pytest.mark.slow
def test_past_and_synthetic_contests_are_never_mixed_up(judged: Backtest, made_up: Backtest) -> None:
    for chart in ("reliability", "ranks", "calibration", "history"):
        assert captions(judged.plot.draw(chart))[0].title.startswith("Past contests: ")
        assert captions(made_up.plot.draw(chart))[0].title.startswith("Synthetic contests: ")


@pytest.mark.slow
def test_the_page_holds_both_events_and_the_spread(judged: Backtest) -> None:
    fig = judged.plot.calibration()
    assert len(fig.axes) == 3
    assert judged.stamp() in [text.get_text() for text in fig.findobj(mpl.text.Text)]
    panels = judged.plot.calibration_data().index.get_level_values("panel")
    assert set(panels) == {"over next", "leader wins", "ranks"}


def test_trajectories_are_the_announced_tallies(judged: Backtest) -> None:
    data = judged.plot.history_data().set_index(["contest", "round"])
    assert data.loc["UNSC2016-WEOG", "share"].dropna().tolist() == pytest.approx(
        [99 / 191, 96 / 190, 96 / 191, 95 / 190]
    )
    assert data.loc[("IOM2018-DG", 4), "share"] == pytest.approx(77 / 143)
    fig = judged.plot.history()
    lines = {ax.get_title(loc="left"): [line.get_ydata() for line in ax.lines] for ax in fig.axes}
    for name, drawn in lines.items():
        shares = data.loc[name, "share"].dropna().to_numpy()
        assert drawn[0].tolist() == shares.tolist()
    for ax in fig.axes:
        rows = data.loc[ax.get_title(loc="left")]
        told = rows.dropna(subset=["p5"])
        wide, narrow = ([(bar.get_y(), bar.get_y() + bar.get_height()) for bar in part] for part in ax.containers)
        assert np.array(wide).reshape(-1, 2) == pytest.approx(told[["p5", "p95"]].to_numpy())
        assert np.array(narrow).reshape(-1, 2) == pytest.approx(told[["p20", "p80"]].to_numpy())
        first, last = rows.index.min(), rows.index.max()
        assert ax.get_xlim() == pytest.approx((first - 0.6, max(last, first + 1) + 0.6))
        assert ax.get_ylim() == (0.2, 0.9)


def test_bands_are_the_forecasts_made_one_round_before(judged: Backtest) -> None:
    data = judged.plot.history_data().set_index(["contest", "round"])
    for case in judged.cases:
        key = (case.contest.id, case.situation.round + 1)
        shares = case.step.prediction.shares
        if shares is None or not len(shares):
            assert key not in data.index or np.isnan(data.loc[key, "p5"])
        elif (
            case.situation.candidates[0]
            == judged.cases[[c.contest.id for c in judged.cases].index(key[0])].situation.candidates[0]
        ):
            assert data.loc[key, "p20"] == pytest.approx(np.quantile(shares, 0.2, method="inverted_cdf"))
            assert data.loc[key, "p95"] == pytest.approx(np.quantile(shares, 0.95, method="inverted_cdf"))


def test_one_who_falls_behind_keeps_the_band_of_ones_own_share(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from contest_files import own

    own(tmp_path, {1: {"A": 52, "B": 46}, 2: {"A": 47, "B": 51}, 3: {"A": 30, "B": 68}}, winner="B")
    swapped = iom.backtest(folder=tmp_path, particles=150)
    data = swapped.plot.history_data().set_index("round")
    case = next(case for case in swapped.cases if case.situation.round == 2)
    assert case.situation.candidates[0] == "B"
    assert data.loc[3, "share"] == pytest.approx(30 / 98)
    low, high = case.step.prediction.quantiles(0.05, 0.95)
    assert data.loc[3, ["p5", "p95"]].tolist() == pytest.approx([1 - high, 1 - low])


def test_the_title_counts_what_fell_into_the_bands(judged: Backtest) -> None:
    data = judged.plot.history_data().dropna(subset=["share", "p5"])
    within = {
        (low, high): int(((data["share"] >= data[low] - 1e-9) & (data["share"] <= data[high] + 1e-9)).sum())
        for low in ("p5", "p20")
        for high in ("p80", "p95")
    }
    told, crossed = (within["p5", "p95"], within["p20", "p80"]), (within["p5", "p80"], within["p20", "p95"])
    assert len(set(told)) == 2  # a guard
    assert not set(told) & set(crossed)
    said = captions(judged.plot.draw("history"))[0].title
    assert f"{within['p5', 'p95']} of {len(data)} real next shares" in said
    assert said.endswith(f"{within['p20', 'p80']} into the middle 60")


def test_charts_draw_where_they_are_told_and_leave_the_settings_alone(judged: Backtest) -> None:
    before = dict(mpl.rcParams)
    fig, ax = plt.subplots()
    assert judged.plot.reliability(ax=ax) is ax
    assert judged.plot.ranks(ax=Figure()).figure is not fig
    mine = Figure()
    assert judged.plot.history(fig=mine) is mine
    assert dict(mpl.rcParams) == before


def test_a_wrong_event_or_canvas_is_refused(judged: Backtest) -> None:
    with pytest.raises(UnknownNameError, match="no event named 'over'"):
        judged.plot.reliability("over")
    with pytest.raises(IomsimError, match="Axes or an empty Figure"):
        judged.plot.calibration(fig="here")  # type: ignore[arg-type]


def test_a_file_knows_how_it_was_made(judged: Backtest, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = judged.plot.save("reliability", tmp_path / "r.svg")
    text = path.read_text(encoding="utf-8")
    assert "UNSC2016-WEOG" in text
    assert f"&quot;seed&quot;: {judged.seed}" in text or f'"seed": {judged.seed}' in text


def test_said_and_came_is_the_table_with_its_numbers(judged: Backtest) -> None:
    for by, groups in (("standing", {"two", "three or more"}), (None, {"all"})):
        data = judged.plot.said_and_came_data("over next", by)
        rows = data[data.index.get_level_values(1) != "all"]
        ax = judged.plot.said_and_came("over next", by)
        dots = [line for line in ax.lines if line.get_label() in groups]
        assert {line.get_label() for line in dots} == groups
        for line in dots:
            own = rows.loc[line.get_label()]
            assert line.get_ydata().tolist() == own["came"].tolist()
            assert line.get_xdata() == pytest.approx(own["said"].to_numpy(), abs=0.02)
        told = [text.get_text() for text in ax.texts]
        assert [f"{row.rounds} ({row.contests})" for row in rows.itertuples()] == [t for t in told if t.endswith(")")]


def test_the_coverage_chart_has_what_was_said_and_what_came(judged: Backtest) -> None:
    data = judged.coverage("standing")
    ax = judged.plot.coverage()
    came, said = (next(line for line in ax.lines if line.get_label() == name) for name in ("came", "said"))
    assert came.get_xdata() == pytest.approx(100 * data["came"].to_numpy())
    assert said.get_xdata() == pytest.approx(100 * data["said"].to_numpy())
    middle = data.loc[("two", 0.8)]
    assert f"{100 * middle['came']:.0f} % (two)" in captions(ax)[0].title
    counts = [f"{row.rounds} rounds, {row.contests} contests" for row in data.itertuples()]
    told = [text.get_text() for text in ax.texts]
    assert [text for text in told if "rounds, " in text or "round, " in text] == [
        text.replace("1 contests", "1 contest").replace("1 rounds", "1 round") for text in counts
    ]


def test_low_shares_stay_inside_the_panels_of_the_history(judged: Backtest) -> None:
    from dataclasses import replace

    first = judged.cases[0]
    low = replace(first, step=replace(first.step, prediction=replace(first.step.prediction, shares=np.array([0.07]))))
    fig = replace(judged, cases=(low, *judged.cases[1:])).plot.history()
    assert {ax.get_ylim() for ax in fig.axes} == {(0.0, 0.9)}
