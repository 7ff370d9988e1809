"""The chart of shares from round to round."""

from __future__ import annotations

import re

import pytest
from chart_cases import case, geneva, label, line_of, picture, plain, words
from matplotlib.axes import Axes
from toys import slow_but

from iomsim.charts.caption import captions
from iomsim.charts.style import PHONE_INCHES, styled
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.wording import favourite


def levels(ax: Axes) -> list[float]:
    """Return where dashed lines lie."""
    return sorted(float(line.get_ydata()[0]) for line in ax.lines if line.get_linestyle() == "--")


@pytest.mark.parametrize("name", ["two", "three"])
def test_bands_are_quantiles_of_the_shares(name: str) -> None:
    fc = case(name)
    data = fc.plot.trajectories_data()
    for k, candidate in enumerate(fc.race.names):
        for r in (1, 2, 5):
            row = data.loc[candidate, r]
            assert row["voting"] == fc.summary.shares[r - 1, k].sum() / len(fc)
            expected = fc.summary.share_quantile(r, k, [0.1, 0.25, 0.75, 0.9])
            assert row[["p10", "p25", "p75", "p90"]].to_numpy(dtype=float) == pytest.approx(expected)


def test_the_words_for_paths_say_who_is_left() -> None:
    [caption] = captions(picture("two", "trajectories").figure)
    second = in_100(case("two").summary.voting[1] / len(case("two")))
    assert f"Elections that hold a ballot, of 100: round 1 all, round 2 {second}, round 3 " in caption.text


def test_thin_bands_are_not_drawn() -> None:
    data = case("one run").plot.trajectories_data()
    assert data[["p10", "p90"]].isna().all(axis=None)
    assert (data["voting"] == 1).all()
    bands = case("two").plot.trajectories_data().loc["Pope"]
    assert (bands["p10"].notna() == (bands["voting"] * len(case("two")) >= 20)).all()


def test_two_candidates_share_one_picture_with_both_lines() -> None:
    fc = case("two")
    ax = picture("two", "trajectories")
    assert levels(ax) == pytest.approx([100 / 3, 200 / 3])
    leader = favourite(fc)
    other = next(name for name in fc.race.names if name != leader)
    high, low = label(ax, f"two thirds elect {leader}"), label(ax, f"two thirds elect {other}")
    assert high.xy[1] == pytest.approx(200 / 3)
    assert low.xy[1] == pytest.approx(100 / 3)
    data = fc.plot.trajectories_data().loc[leader]
    assert line_of(ax, "round") == []  # the rounds themselves are the ticks
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [str(r) for r in range(1, 13)]
    assert line_of(ax, "hold a ballot") == ["all", *[in_100(p) for p in data["voting"].iloc[1:]]]
    assert data["voting"].to_numpy() == pytest.approx(fc.summary.voting[:12] / len(fc))
    outlines = [band.get_paths()[0].vertices for band in ax.collections]
    first = [{round(float(y), 6) for x, y in outline if x == 1} for outline in outlines]
    ends = [{round(100 * data.loc[1, end], 6) for end in pair} for pair in (("p10", "p90"), ("p25", "p75"))]
    assert first == ends


def test_nine_examples_are_drawn_as_they_went() -> None:
    fc = case("two")
    ax = picture("two", "trajectories")
    k = fc.race.names.index(favourite(fc))
    solid = [line for line in ax.lines if line.get_linestyle() == "-" and line.get_marker() == "None"]
    runs = fc.summary.examples
    assert len(solid) == runs.size == 9
    for line, start, held in zip(solid, runs.starts, runs.rounds, strict=True):
        share = 100 * runs.votes[start : start + held, k] / runs.valid[start : start + held]
        assert line.get_ydata() == pytest.approx(share[:12])
    ends = [line for line in ax.lines if line.get_marker() == "o"]
    colours = {0: "#0072B2", 1: "#D55E00", -1: "#999999"}
    over = [run for run in range(9) if runs.rounds[run] <= 12]
    assert [line.get_color() for line in ends] == [colours[int(runs.winner[run])] for run in over]


@pytest.mark.parametrize("name", slow_but(["three", "eight"], "eight"))
def test_more_candidates_have_a_panel_each(name: str) -> None:
    names, panels = case(name).race.names, picture(name, "trajectories").child_axes
    assert [panel.get_label() for panel in panels] == list(names)
    assert len({panel.get_ylim() for panel in panels}) == 1
    assert all(levels(panel) == pytest.approx([200 / 3]) for panel in panels)
    assert any(line.get_marker() == "x" for panel in panels for line in panel.lines)
    starts = [panel.get_axes_locator()(panel, None).x0 for panel in panels]
    for panel, start in zip(panels, starts, strict=True):  # rows are named at the left of each line of panels
        named = [text for text in words(panel) if text in ("round", "standing")]
        assert named == (["round", "standing"] if start == min(starts) else [])
    assert len(set(starts)) > 1


@pytest.mark.slow
def test_the_lines_follow_the_rules() -> None:
    fc = geneva(runs=200, threshold="3/5")
    assert levels(fc.plot.trajectories()) == pytest.approx([40, 60])
    assert any(text.startswith("3/5 elect") for text in words(fc.plot.trajectories()))
    fc = geneva("strict", runs=200, simple_majority_from=3)
    lines = [line for line in fc.plot.trajectories().lines if line.get_linestyle() == "--"]
    spans = {(round(float(line.get_ydata()[0]), 3), *map(float, line.get_xdata())) for line in lines}
    assert {(66.667, 0.6, 2.5), (33.333, 0.6, 2.5)} < spans
    assert {level for level, start, _ in spans if start == 2.5} == {50}
    fc = geneva(runs=200, base="present")
    assert any("two thirds of those present, so this share or more," in text for text in words(fc.plot.trajectories()))


def test_the_title_of_paths_is_the_band() -> None:
    fc = case("two")
    data = fc.plot.trajectories_data()
    leader = favourite(fc)
    low, high = (100 * data.loc[(leader, 1), end] for end in ("p25", "p75"))
    title = plain(picture("two", "trajectories").get_title())
    assert title == f"{leader} takes {low:.0f} to {high:.0f} % in round 1 in half of all elections"
    assert plain(picture("live", "trajectories").get_title()).endswith(
        " in round 2 in half of the elections that hold it"
    )


def test_the_path_so_far_is_drawn_solid() -> None:
    ax = picture("live, two rounds", "trajectories")
    [told] = [line for line in ax.lines if line.get_label() == "announced"]
    assert told.get_xdata().tolist() == [1, 2]
    assert told.get_ydata() == pytest.approx([100 * 98 / 165, 100 * 104 / 165])
    assert "announced" in words(ax)
    data = case("live, two rounds").plot.trajectories_data().loc["Pope"]
    assert data["announced"].tolist()[:3] == [True, True, False]
    assert data.loc[1, ["p10", "p90"]].tolist() == pytest.approx([98 / 165] * 2)


def test_bands_are_named_beside_them() -> None:
    ax, data = picture("two", "trajectories"), case("two").plot.trajectories_data()
    last = data.loc[favourite(case("two"))].iloc[-1]
    half, most = label(ax, "half of the\nelections"), label(ax, "80 of 100")
    assert 100 * last["p25"] < half.xy[1] < 100 * last["p75"]
    assert 100 * last["p75"] < most.xy[1] < 100 * last["p90"]
    assert most.xy[1] - half.xy[1] > 5
    panels = picture("three", "trajectories").child_axes
    assert [sum(text == "80 of 100" for text in words(panel)) for panel in panels] == [0, 0, 1]
    reading = case("two").plot.chart("trajectories").caption.reading
    assert "Lines: nine elections as examples;" in reading
    assert "half of the\nelections" not in words(picture("one run", "trajectories"))


def test_every_line_that_elects_is_inside() -> None:
    ax = picture("certain", "trajectories")
    low, high = ax.get_ylim()
    assert all(low < level < high for level in levels(ax))
    assert len(levels(ax)) == 2


def test_one_round_alone_has_the_lines_that_elect_too() -> None:
    ax = picture("over", "trajectories")
    low, high = ax.get_ylim()
    assert low < 100 / 3 < 200 / 3 < high
    assert levels(ax) == pytest.approx([100 / 3, 200 / 3])


def test_it_is_as_wide_as_a_phone() -> None:
    with styled("phone"):
        assert case("two").plot.chart("trajectories").inches()[0] == PHONE_INCHES


def test_one_line_is_an_example() -> None:
    assert "Lines: one election as an example;" in case("one run").plot.chart("trajectories").reading()


@pytest.mark.slow
@pytest.mark.parametrize("chart", ["trajectories", "win_probability"])
def test_a_short_name_keeps_its_capital_after_what_was_announced(chart: str) -> None:
    title = case("eight, live").plot.chart(chart).title()
    assert re.match("After 9\N{EN DASH}.* Featherstonehaugh-Cholmonde… (takes|is)", title)


def test_bands_of_one_round_are_named_beside_it() -> None:
    ax = picture("certain", "trajectories")
    for words_ in ("half of the\nelections", "80 of 100"):
        x, y = label(ax, words_).xy
        assert 1 < x < 1.5
        assert ax.get_ylim()[0] < y < ax.get_ylim()[1]
