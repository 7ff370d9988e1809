"""The maps and curves of a grid."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from chart_cases import plane, race, words_of
from toys import toy

import iomsim as iom
from iomsim.engine.first_round import first_round_votes
from iomsim.errors import IomsimError


def test_maps_show_the_cells_where_they_are() -> None:
    found = plane()
    fig = found.plot.pressure_grid()
    left, right = fig.axes[:2]
    for panel, target in ((left, "A"), (right, "spill")):
        shown = panel.collections[0].get_array().reshape(4, 5)
        assert np.allclose(shown, 100 * found.surface(target).to_numpy())
    assert (left.get_xlabel(), left.get_ylabel()) == ("W's strength", "secrecy, fraction")
    assert left.get_title(loc="left") == "A wins: about 10 to 90 of 100"
    assert right.get_title(loc="left").replace("\n", " ") == "Voting runs into Tuesday: about 20 to 30 of 100"
    assert fig.get_suptitle().strip() == (
        "A wins in about 10 to 90 of 100 elections over these ranges, about 50 on the best guesses"
    )


def test_contours_lie_where_the_chance_is_even() -> None:
    left = plane().plot.pressure_grid().axes[0]
    lines = next(part for part in left.collections if isinstance(part, mpl.contour.ContourSet))
    assert lines.levels.tolist() == [25, 50, 75]
    even = lines.get_paths()[1].vertices
    assert np.allclose(0.3 + 0.3 * even[:, 0] - 0.2 * even[:, 1], 0.5)
    assert lines.get_linewidths()[1] > lines.get_linewidths()[0]


@pytest.mark.slow
def test_the_best_guesses_are_marked_and_the_colours_are_centred() -> None:
    left, right = plane().plot.pressure_grid().axes[:2]
    for panel, said in ((left, "best guesses: about 50"), (right, "best guesses: about 25")):
        assert panel.lines[-1].get_xydata().tolist() == [[1.0, 0.4]]
        assert said in words_of(panel)
    assert left.collections[0].get_clim() == (10, 90)
    assert right.collections[0].get_clim() == (20, 30)
    cmap = left.collections[0].cmap
    assert np.allclose(cmap(0.5), 1, atol=0.01)
    assert mpl.colors.to_hex(cmap(1.0)).upper() == race().colours["A"]
    assert mpl.colors.to_hex(cmap(0.0)).upper() == race().colours["B"]
    many = plane("ABC").plot.pressure_grid().axes[0].collections[0].cmap
    assert mpl.colors.to_hex(many(0.0)).upper() == race().colours["no winner"]


def test_even_is_white_wherever_the_grid_lies() -> None:
    found = plane()
    lopsided = replace(found, cells=found.cells.assign(A=0.6 + found.cells["A"] / 10))
    left = lopsided.plot.pressure_grid().axes[0]
    assert left.collections[0].get_clim() == (30, 70)


def test_best_guesses_outside_are_not_marked() -> None:
    for axes in ({"W": [1.5, 2.0]}, {"W": [1.5, 2.0], "secrecy": [0.0, 1.0]}):
        found = iom.grid(race(), runs=30, seed=1, **axes)
        fig = found.plot.pressure_grid()
        assert not any("best" in words for words in words_of(fig.axes[1]))
        assert "ll else stays at the best guesses, which lie outside." in fig.get_supxlabel().replace("\n", " ")
        assert fig.axes[0].get_xlim()[0] > 1.2


def test_one_parameter_makes_curves() -> None:
    found = iom.grid(race(), W=[0.0, 1.0, 2.0], runs=200, seed=1)
    left, right = found.plot.pressure_grid().axes
    for panel, target in ((left, "A"), (right, "spill")):
        assert np.allclose(panel.lines[0].get_ydata(), 100 * found.table()[target])
        assert panel.lines[1].get_xydata().tolist() == [[1.0, 100 * found.base[target]]]
        assert len(panel.collections) == 0  # the simulation error is told
    worst = max(found.errors(target)["mc_error"].max() for target in ("A", "spill"))
    assert f"Simulation error at most {100 * worst:.1f} points" in found.plot.chart("pressure_grid").caption.reading


def test_words_do_not_stand_on_a_curve_that_rises() -> None:
    left, right = iom.grid(race(), W=[0.0, 1.0, 2.0], runs=400, seed=1).plot.pressure_grid().axes
    up, down = (next(t for t in ax.texts if t.get_text().startswith("best guesses")) for ax in (left, right))
    assert np.diff(left.lines[0].get_ydata()).min() > 0  # a guard: A's chance rises with what presses for A
    assert up.xyann[1] < 0 <= abs(down.xyann[1])


def test_no_chance_is_told_that_contradicts_its_bounds() -> None:
    """Of few runs a chance near 0 or 100 is told as a bound, which may lie on the wrong side of the other end."""
    found = replace(plane(), runs=60)
    for chances, said in (
        (np.linspace(0.93, 1, 20), "about 90 or more"),
        (np.linspace(0, 0.07, 20), "about 10 or fewer"),
    ):
        chart = replace(found, cells=found.cells.assign(A=chances)).plot.chart("pressure_grid")
        assert chart.finding().startswith(f"A wins in {said} of 100 elections")


def test_words_at_the_best_guesses_stay_inside() -> None:
    """Of one who wins always, and of a day that never comes."""
    found = iom.grid(race(), W=[0.0, 1.0, 2.0], runs=40, seed=1)
    sure = found.cells.assign(A=1.0, spill=0.0)
    fig = replace(found, cells=sure, base={**found.base, "A": 1.0, "spill": 0.0}).plot.pressure_grid()
    fig.draw_without_rendering()
    for panel in fig.axes:
        [words] = [text for text in panel.texts if text.get_text().startswith("best guesses")]
        box, frame = words.get_window_extent(), panel.get_window_extent()
        assert frame.y0 <= box.y0 <= box.y1 <= frame.y1
        curve = panel.lines[0].get_window_extent()
        assert not curve.y0 <= (box.y0 + box.y1) / 2 <= curve.y1


def test_flat_and_thin_grids_are_drawn_without_contours() -> None:
    for axes in ({"W": [1.0], "secrecy": [0.0, 1.0]}, {"W": [0.0, 1.0], "fluid": [0.4, 0.5]}):
        fig = iom.grid(race(), runs=30, seed=1, **axes).plot.pressure_grid()
        assert len(fig.axes) == 4


def test_the_data_of_a_grid_have_both_surfaces() -> None:
    data = plane().plot.pressure_grid_data()
    assert list(data.columns) == [(t, c) for t in ("A", "spill") for c in ("probability", "mc_error")]
    with pytest.raises(IomsimError, match="must be matplotlib Axes or an empty Figure"):
        plane().plot.pressure_grid(ax="here")  # type: ignore[arg-type]


def test_a_row_of_equal_ends_is_told_once() -> None:
    cells = iom.grid(iom.load("minimal"), West=[0.5], runs=50, seed=1)
    assert " to " not in cells.sentence().split(", ", 1)[1]


def test_log_odds_have_a_second_scale_in_votes() -> None:
    """The mean papers of the first round where the appeals stay and the strength is another."""
    found = plane()
    fig = found.plot.pressure_grid()
    left = fig.axes[0]
    ticks = [tick for tick in left.get_xticks() if left.get_xlim()[0] <= tick <= left.get_xlim()[1]]
    votes = [first_round_votes(race().with_pressure(W=tick).plan)[0, 0] for tick in ticks]
    first = words_of(left).index("votes") + 1
    assert words_of(left)[first : first + len(ticks)] == [f"{number:.0f}" for number in votes]
    assert "Votes: A's mean in the first round" in fig.get_supxlabel().replace("\n", " ")
    plain = iom.grid(race(), fluid=[0.2, 0.8], runs=30, seed=1).plot.pressure_grid()
    assert "votes" not in words_of(plain.axes[0])


@pytest.mark.slow
def test_on_a_phone_levels_in_two_lines_have_room() -> None:
    two = toy(9, sponsors=[{"name": name, "backs": backs, "strength": 1.0} for name, backs in ("WA", "VB")])
    paths = ("sponsors.W.strength", "sponsors.V.strength")
    steps = tuple(np.linspace(0, 1.5, 4))
    found = plane(size=4)
    cells = pd.concat([found.cells.iloc[:4]] * 4).set_axis(pd.MultiIndex.from_product([steps] * 2, names=["W", "V"]))
    found = replace(found, race=two, names=("W", "V"), paths=paths, axes=(steps, steps), cells=cells)
    assert len(found.plot.draw("pressure_grid", theme="phone").axes[0].get_yticks()) <= 5
