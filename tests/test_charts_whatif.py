"""The charts of what-ifs, by what they draw: from results made by hand, so that every number is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from toys import toy

import iomsim as iom
from iomsim.charts.base import captions
from iomsim.charts.tornado import HIGH, LOW, MOST
from iomsim.errors import IomsimError
from iomsim.forecasting.estimates import Interval, in_100
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.grid import Grid
from iomsim.sensitivity.pivotal import Pivotal
from iomsim.sensitivity.sobol import Sobol
from iomsim.sensitivity.tornado import Tornado
from iomsim.sensitivity.variants import SideBySide


@pytest.fixture(autouse=True)
def closed() -> Any:
    yield
    plt.close("all")


def race(names: str = "AB") -> Scenario:
    return toy(9, names, sponsors=[{"name": "W", "backs": "A", "strength": {"value": 1, "low": 0, "high": 2}}])


def around(value: float, half: float = 0.01) -> Interval:
    return Interval(value, value - half, value + half)


def tornado(**bars: dict[float | str, float]) -> Tornado:
    """Return a tornado of A's win and of Tuesday (minus that), with base 0.4 and the changes given."""
    made: dict[str, dict[float | str, dict[str, Interval]]] = {
        path.replace("__", "."): {
            value: {
                "A": around(x),
                "B": around(-x),
                "no winner": around(0),
                "spill": around(-x),
                "rounds": around(10 * x),
            }
            for value, x in ends.items()
        }
        for path, ends in bars.items()
    }
    base = {"A": around(0.4), "B": around(0.5), "no winner": around(0.1), "spill": around(0.3), "rounds": around(5.0)}
    return Tornado(race(), "A", 1, 1000, base, made)


@pytest.fixture
def three_bars() -> Tornado:
    return tornado(
        behaviour__secrecy={0.2: 0.1, 0.6: -0.05},
        sponsors__W__strength={0.0: -0.2, 2.0: 0.15},
        rules={"strict": -0.02, "one-two-way": -0.3, "four-rounds": -0.25, "until-two-thirds": 0.0},
        behaviour__fluid={0.1: -0.06, 0.9: -0.12},
        behaviour__decay={0.1: 0.001, 0.9: -0.001},
    )


def bars_of(ax: Axes) -> list[tuple[float, float, float, str]]:
    """Return every bar that has a length: middle, the two ends, colour."""
    found = []
    for bar in ax.patches:
        x, y = sorted((bar.get_x(), bar.get_x() + bar.get_width())), bar.get_y() + bar.get_height() / 2
        if abs(x[1] - x[0]) > 1e-9:
            found.append((round(y, 6), round(x[0], 6), round(x[1], 6), mpl.colors.to_hex(bar.get_facecolor()).upper()))
    return found


def words_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


# -- tornado ----------------------------------------------------------------------------------------


def test_bars_run_from_the_base_to_the_ends(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado()
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "W's strength",
        "rules",
        "secrecy",
        "chance of a fluid contest",
    ]
    assert bars_of(ax) == [
        (0, 20, 40, LOW),
        (0, 40, 55, HIGH),
        (1, 10, 40, LOW),  # the rules in force are the highest
        (2, 40, 50, LOW),
        (2, 35, 40, HIGH),
        (2.81, 34, 40, LOW),  # both ends on one side lie below one another
        (3.19, 28, 40, HIGH),
    ]


def test_whiskers_are_the_error_of_the_change(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado()
    spans = [tuple(np.round(part.get_segments()[0][:, 0], 6)) for part in ax.collections]
    assert spans[:2] == [(19, 21), (54, 56)]
    low, high = ax.get_xlim()
    assert low < 9
    assert high > 56


def test_the_values_stand_at_the_ends(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado()
    at = {text.get_text(): (text.xy, text.get_ha()) for text in ax.texts}
    assert at["one-two-way"] == ((pytest.approx(9), 1), "right")
    assert at["2"] == ((pytest.approx(56), 0), "left")
    assert at["0"] == ((pytest.approx(19), 0), "right")
    assert "base 40" in at
    for word, ((x, _), side) in at.items():
        if side in ("left", "right") and word in ("one-two-way", "0", "2"):
            assert ax.get_xlim()[0] < x < ax.get_xlim()[1]


def test_an_end_that_changes_nothing_is_written_on_the_other_side() -> None:
    for ends, sides in (({0.0: 0.0, 240.0: 0.2}, ("right", "left")), ({0.0: 0.0, 240.0: -0.2}, ("left", "right"))):
        ax = tornado(clock__consultation=ends).plot.tornado()
        at = {text.get_text(): text.get_ha() for text in ax.texts}
        assert (at["0"], at["240"]) == sides


def test_the_title_is_the_finding_and_noise_is_counted(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado()
    assert ax.get_title().replace("\n", " ") == "A's chance hangs most on W's strength: 20 in 100 at 0, 55 at 2"
    assert any("1 other within noise of the base." in words.replace("\n", " ") for words in words_of(ax))
    rules = tornado(rules={"strict": -0.3, "one-two-way": 0.2}).plot.tornado()
    title = rules.get_title().replace("\n", " ").replace("\N{NON-BREAKING HYPHEN}", "-")
    assert title == "A's chance hangs most on the rules: 10 in 100 under strict, 60 under one-two-way"


def test_another_target_may_be_drawn(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado(target="Tuesday")
    assert bars_of(ax)[0] == (0, 30, 50, LOW)
    assert ax.get_title().startswith("The chance that voting runs into Tuesday")
    ax = three_bars.plot.tornado(target="rounds")
    assert bars_of(ax)[0] == (0, 3, 5, LOW)
    assert ax.get_xlabel() == "rounds in the mean"
    assert "base 5.0" in words_of(ax)


def test_only_the_widest_are_drawn(three_bars: Tornado) -> None:
    many = tornado(**{f"ties__t{i}__log_odds": {0.0: -0.1 - i / 100, 1.0: 0.1} for i in range(20)})
    assert len(many.plot.tornado().get_yticklabels()) == MOST
    one = many.plot.tornado(most=1)
    assert [t.get_text() for t in one.get_yticklabels()] == ["the tie 't19'"]
    assert "within noise" not in " ".join(words_of(one)).replace("\n", " ")  # the others are clear, if not drawn
    data = three_bars.plot.tornado_data(most=2)
    assert data["name"].tolist() == ["W's strength", "rules"]
    with pytest.raises(IomsimError, match="most must be a whole number of at least 1"):
        three_bars.plot.tornado(most=0)


def test_where_all_is_noise_the_tornado_is_empty_and_says_so() -> None:
    ax = tornado(behaviour__fluid={0.1: 0.001, 0.9: -0.001}).plot.tornado()
    assert bars_of(ax) == []
    assert ax.get_title().replace("\n", " ") == "No single assumption moves A's chance beyond noise"


# -- Sobol indices ----------------------------------------------------------------------------------


def sobol(**rows: tuple[float, ...]) -> Sobol:
    columns = ["first", "first_low", "first_high", "total", "total_low", "total_high", "clear"]
    table = pd.DataFrame.from_dict({k.replace("__", "."): v for k, v in rows.items()}, orient="index", columns=columns)
    return Sobol(race(), "A", 1, 500, 64, table.rename_axis("parameter"))


def lines_of(ax: Axes) -> list[tuple[float, float]]:
    """Return every marker: where it is."""
    found = [line for line in ax.lines if line.get_marker() not in ("None", "", None) and len(line.get_xdata()) == 1]
    return [(round(float(line.get_xdata()[0]), 6), round(float(line.get_ydata()[0]), 6)) for line in found]


def test_what_matters_most_is_told_from_noise() -> None:
    found = tornado(behaviour__secrecy={0.2: 0.1, 0.6: -0.1}, behaviour__fluid={0.1: -0.06, 0.9: 0.0})
    found.bars["behaviour.secrecy"][0.2]["A"] = around(0.1, half=0.3)
    found.bars["behaviour.secrecy"][0.6]["A"] = around(-0.1, half=0.3)
    assert found.table("A").index.tolist() == ["behaviour.secrecy", "behaviour.fluid"]
    assert "what matters most is chance of a fluid contest (0.1: 34, 0.9: 40)" in found.sentence("A")


def test_indices_are_drawn_with_their_intervals() -> None:
    found = sobol(
        sponsors__W__strength=(0.4, 0.3, 0.5, 0.55, 0.5, 0.6, True),
        behaviour__fluid=(-0.01, -0.03, 0.02, 0.0, -0.01, 0.01, False),
    )
    ax = found.plot.sobol()
    assert lines_of(ax) == [(40, -0.12), (55, 0.12), (-1, 0.88), (0, 1.12)]
    spans = [tuple(np.round(part.get_segments()[0][:, 0], 6)) for part in ax.collections]
    assert spans == [(30, 50), (50, 60), (-3, 2), (-1, 1)]
    colours = [mpl.colors.to_hex(part.get_color()[0]) for part in ax.collections]
    assert colours[0] == colours[1] != colours[2] == colours[3]  # what is within noise steps back
    assert "within noise of zero" in words_of(ax)
    said = ax.get_title().replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")
    assert said == "W's strength explains 55 % (50 to 60) of the variance of A's chance"
    assert "W's strength 40 alone, 55 in all" in captions(ax)[0].text
    assert any("not what tallies could teach" in words.replace("\n", " ") for words in words_of(ax))
    assert found.plot.sobol_data()["name"].tolist() == ["W's strength", "chance of a fluid contest"]


def test_indices_within_noise_claim_nothing() -> None:
    ax = sobol(behaviour__fluid=(0.1, -0.3, 0.5, 0.2, -0.1, 0.6, False)).plot.sobol()
    assert ax.get_title().replace("\n", " ") == "None of these assumptions moves A's chance beyond noise"


# -- pivotal members --------------------------------------------------------------------------------


def pivotal(count: int, free: bool = True, low: float = 0.01) -> Pivotal:
    rows = {
        f"M{i + 1}": {
            "group": "", "support": 0.5 + i / 100, "win": 0.03 - i / 1000, "win_low": low - i / 1000,
            "win_high": 0.05 - i / 1000, "spill": 0.0, "spill_low": -0.01, "spill_high": 0.01, "free": free,
            "won_over_win": 0.08 if i == 0 else np.nan, "won_over_win_low": 0.07, "won_over_win_high": 0.09,
            "won_over_spill": 0.0, "won_over_spill_low": 0.0, "won_over_spill_high": 0.0,
        }
        for i in range(count)
    }  # fmt: skip
    return Pivotal(race(), "A", 1, 1000, pd.DataFrame.from_dict(rows, orient="index"))


def test_members_are_drawn_with_what_they_are_worth() -> None:
    found = pivotal(9)
    ax = found.plot.pivotal(most=3)
    assert lines_of(ax) == [(3.0, 0), (8.0, 0), (2.9, 1), (2.8, 2)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["M1", "M2", "M3"]
    assert {"50", "51", "52"} <= set(words_of(ax))
    said = ax.get_title().replace("\n", " ")
    assert said == "The next call for A does most in M1, but 8 others cannot be told apart from it"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a push of one log-odds", "won over for good"]


def test_a_chart_of_members_claims_nothing_it_does_not_know() -> None:
    assert pivotal(3, low=-0.01).plot.pivotal().get_title().replace("\n", " ") == (
        "No call for A does anything beyond noise"
    )
    empty = pivotal(3, free=False).plot.pivotal()
    assert empty.get_title() == "No member can be moved towards A"
    assert lines_of(empty) == []


# -- variants ---------------------------------------------------------------------------------------


def beside(names: str = "AB") -> SideBySide:
    one = race(names)
    variants = {"as it is": one, "no pressure": one.with_pressure(W=0), "public": one.with_behaviour(secrecy=0)}
    return iom.side_by_side(variants, runs=300, seed=1)


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_variants_are_drawn_with_all_outcomes(names: str) -> None:
    found = beside(names)
    ax = found.plot.scenarios()
    outcomes = [*names, "no winner", "spill"]
    table = found.table()
    expected = [round(100 * table.loc[(o, v), "value"], 6) for o in outcomes for v in found.forecasts]
    assert [x for x, _ in lines_of(ax)] == expected
    spans = [tuple(np.round(part.get_segments()[0][:, 0], 6)) for part in ax.collections]
    ends = [100 * table.loc[(o, v), ["low", "high"]].to_numpy(float) for o in outcomes for v in found.forecasts]
    assert np.allclose(spans, ends, atol=1e-5)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(found.forecasts)
    words = [*(f"{name} wins" for name in names), "no winner", "into Tuesday"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == words
    for name in found.forecasts:
        one, day = (in_100(table.loc[(outcome, name), "value"]) for outcome in (names[0], "spill"))
        assert f"{name}: {names[0]} {one}, Tuesday {day}" in captions(ax)[0].text
    heights = [y for _, y in lines_of(ax)]
    assert len(set(heights)) == len(heights)  # no mark hides another
    assert set(found.plot.scenarios_data().index.get_level_values("outcome")) == set(outcomes)


def test_the_title_of_variants_is_their_finding() -> None:
    found = beside()
    table = found.table("A")
    top = table["change"].abs().idxmax()
    said = found.plot.scenarios().get_title().replace("\n", " ")
    assert said.startswith(f"A's chance moves most with {top!r}: it ")
    assert said.endswith(f"to {100 * table.loc[top, 'value']:.0f} in 100")
    same = iom.side_by_side({"one": race(), "other": race()}, runs=100, seed=1).plot.scenarios()
    assert same.get_title() == "Neither A's chance nor Tuesday moves beyond noise"
    slow = {"as it is": race(), "two hours a round": race().with_clock(round_minutes=120)}
    later = iom.side_by_side(slow, runs=400, seed=1)
    told = later.plot.scenarios().get_title().replace("\n", " ")
    before, after = (100 * later.table("spill")["value"]).round()
    assert told == f"Tuesday moves most with 'two hours a round': it rises from {before:.0f} to {after:.0f} in 100"


# -- grids ------------------------------------------------------------------------------------------


def plane(names: str = "AB", size: int = 5) -> Grid:
    """Return a grid in which A's chance rises by 0.2 along W and falls by 0.1 along secrecy, per step."""
    axes = (tuple(np.linspace(0, 2, size)), tuple(np.linspace(0, 1, size - 1)))
    index = pd.MultiIndex.from_product(axes, names=["W", "secrecy"])
    x, y = (index.get_level_values(name).to_numpy() for name in ("W", "secrecy"))
    win = 0.3 + 0.3 * x - 0.2 * y
    cells = pd.DataFrame({"A": win, "B": 1 - win, "no winner": 0.0, "spill": 0.2 + 0.05 * x, "rounds": 3.0}, index)
    base = {"A": 0.52, "B": 0.48, "no winner": 0.0, "spill": 0.25, "rounds": 3.0}
    paths = ("sponsors.W.strength", "behaviour.secrecy")
    return Grid(race(names), ("W", "secrecy"), paths, axes, 1, 1000, base, cells.assign(median_rounds=3.0))


def test_maps_show_the_cells_where_they_are() -> None:
    found = plane()
    fig = found.plot.pressure_grid()
    left, right = fig.axes[:2]
    for panel, target in ((left, "A"), (right, "spill")):
        shown = panel.collections[0].get_array().reshape(4, 5)
        assert np.allclose(shown, 100 * found.surface(target).to_numpy())
    assert (left.get_xlabel(), left.get_ylabel()) == ("W's strength", "secrecy, fraction")
    assert left.get_title(loc="left") == "A wins: 10 to 90 of 100"
    assert right.get_title(loc="left") == "Voting runs into Tuesday: 20 to 30 of 100"
    assert fig.get_suptitle().strip() == "A wins in 10 to 90 of 100 elections over these ranges, 52 in the base case"


def test_contours_lie_where_the_chance_is_even() -> None:
    left = plane().plot.pressure_grid().axes[0]
    lines = next(part for part in left.collections if isinstance(part, mpl.contour.ContourSet))
    assert lines.levels.tolist() == [25, 50, 75]
    even = lines.get_paths()[1].vertices
    assert np.allclose(0.3 + 0.3 * even[:, 0] - 0.2 * even[:, 1], 0.5)
    assert lines.get_linewidths()[1] > lines.get_linewidths()[0]


def test_the_base_case_is_marked_and_the_colours_are_centred() -> None:
    left, right = plane().plot.pressure_grid().axes[:2]
    for panel, said in ((left, "base 52"), (right, "base 25")):
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


def test_a_base_case_outside_is_not_marked() -> None:
    for axes in ({"W": [1.5, 2.0]}, {"W": [1.5, 2.0], "secrecy": [0.0, 1.0]}):
        found = iom.grid(race(), runs=30, seed=1, **axes)
        fig = found.plot.pressure_grid()
        assert not any("base" in words for words in words_of(fig.axes[1]))
        assert any("the base case lies outside." in words for words in words_of(fig.axes[0]))
        assert fig.axes[0].get_xlim()[0] > 1.2


def test_one_parameter_makes_curves() -> None:
    found = iom.grid(race(), W=[0.0, 1.0, 2.0], runs=200, seed=1)
    left, right = found.plot.pressure_grid().axes
    for panel, target in ((left, "A"), (right, "spill")):
        assert np.allclose(panel.lines[0].get_ydata(), 100 * found.table()[target])
        assert panel.lines[1].get_xydata().tolist() == [[1.0, 100 * found.base[target]]]
        band = panel.collections[0].get_paths()[0].vertices[:, 1]
        errors = found.errors(target)
        assert (band.min(), band.max()) == pytest.approx((100 * errors["low"].min(), 100 * errors["high"].max()))


def test_flat_and_thin_grids_are_drawn_without_contours() -> None:
    for axes in ({"W": [1.0], "secrecy": [0.0, 1.0]}, {"W": [0.0, 1.0], "fluid": [0.4, 0.5]}):
        fig = iom.grid(race(), runs=30, seed=1, **axes).plot.pressure_grid()
        assert len(fig.axes) == 4


def test_the_data_of_a_grid_have_both_surfaces() -> None:
    data = plane().plot.pressure_grid_data()
    assert list(data.columns) == [(t, c) for t in ("A", "spill") for c in ("probability", "low", "high")]
    with pytest.raises(IomsimError, match="must be matplotlib Axes or an empty Figure"):
        plane().plot.pressure_grid(ax="here")  # type: ignore[arg-type]


# -- manners ----------------------------------------------------------------------------------------

RESULTS: dict[str, Any] = {
    "tornado": lambda: tornado(behaviour__fluid={0.1: -0.2, 0.9: 0.1}),
    "sobol": lambda: sobol(behaviour__fluid=(0.4, 0.3, 0.5, 0.6, 0.5, 0.7, True)),
    "pivotal": lambda: pivotal(4),
    "scenarios": beside,
    "pressure_grid": plane,
}


@pytest.mark.parametrize("name", RESULTS)
def test_charts_have_manners(name: str, tmp_path: Path) -> None:
    """They leave settings and figures alone, draw where they are told, and know how they were made."""
    found = RESULTS[name]()
    before, figures = dict(mpl.rcParams), plt.get_fignums()
    fig = Figure()
    drawn = getattr(found.plot, name)(ax=fig)
    assert (drawn.figure if isinstance(drawn, Axes) else drawn) is fig
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == figures
    assert found.stamp() in " ".join([*(w for ax in fig.axes for w in words_of(ax)), fig.get_supxlabel()])
    assert name in found.plot.names()
    assert len(found.plot.alt(name)) > 40
    one, other = (found.plot.save(name, tmp_path / f"{i}.svg").read_bytes() for i in (1, 2))
    assert one == other
    assert found.race.hash.encode() in one


@pytest.mark.parametrize("name", [name for name in RESULTS if name != "pressure_grid"])
def test_charts_draw_into_given_axes_without_a_stamp(name: str) -> None:
    found = RESULTS[name]()
    _, (mine, other) = plt.subplots(1, 2)
    assert getattr(found.plot, name)(ax=other, stamp=False) is other
    assert not mine.has_data()
    assert found.stamp() not in words_of(other)
