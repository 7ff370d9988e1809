"""The chart of members: every dot is the table's, colours claim what is settled only, and all names can be read."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chart_cases import LONG, case, collisions, evening, words
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from toys import toy

import iomsim as iom
from iomsim.charts.caption import captions
from iomsim.charts.leanings import GREY, MOST
from iomsim.errors import IomsimError
from iomsim.forecasting.forecast import Forecast
from iomsim.model.scenario import Scenario, build


def measured(size: int, names: str | tuple[str, ...] = "AB", groups: int = 3, **electorate: Any) -> Scenario:
    """Return an election whose members are all exposed in ways of their own."""
    dice = np.random.default_rng(size)
    table = [
        {"name": f"Member {i + 1}", "g": f"region {i % groups}", "x": x, "y": y}
        for i, (x, y) in enumerate(dice.lognormal(0.0, 0.8, (size, 2)).round(3).tolist())
    ]
    sponsors = [
        {"name": s, "backs": name, "strength": {"value": 0.8, "low": 0.5, "high": 1.2}, "exposure": {column: 1.0}}
        for s, name, column in zip("WE", names, "xy", strict=False)
    ]
    described = {
        "title": "measured",
        "electorate": {"table": table, "group": "g", **electorate},
        "candidates": [{"name": name} for name in names],
        "sponsors": sponsors,
    }
    return build(described)


@cache
def forecast(size: int, names: str | tuple[str, ...] = "AB", assumptions: int | str = 60) -> Forecast:
    marked = {"pinned": {names[0]: ["Member 1"]}, "without_vote": ["Member 2"]} if size < 1000 else {}
    race = measured(size, names, **marked)
    return iom.forecast(race, runs=120, seed=3, progress=False, assumptions=assumptions)


def drawn(fc: Forecast, **options: Any) -> Figure:
    fig = fc.plot.draw("leanings", **options)
    fig.draw_without_rendering()
    return fig


def rows(ax: Axes) -> dict[int, str]:
    """Return the names at the left by their heights, as they are in the table: "Member 7"."""
    return {round(float(y)): label.get_text() for y, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}


def dots(fig: Figure) -> dict[str, tuple[float, str]]:
    """Return by member the chance that is drawn, and its colour."""
    found = {}
    for ax in fig.axes:
        names = rows(ax)
        for part in ax.collections:
            if isinstance(part, PathCollection) and len(part.get_offsets()):
                for (x, y), colour in zip(np.asarray(part.get_offsets()), part.get_facecolors(), strict=True):
                    found[names[round(y)]] = float(x), to_hex(colour).upper()
    return found


def lines(fig: Figure) -> dict[str, tuple[float, float]]:
    found = {}
    for ax in fig.axes:
        names = rows(ax)
        for part in ax.collections:
            if isinstance(part, LineCollection):
                for (x, y), (to, there) in part.get_segments():
                    if y == there:
                        found[names[round(y)]] = (x, to)
    return found


def test_a_dot_and_a_range_for_every_member_with_a_vote() -> None:
    fc = forecast(36)
    fig, table = drawn(fc), fc.race.leanings(60, seed=3)
    table = table[table["vote"] != "none"]
    shown, ends = dots(fig), lines(fig)
    assert set(shown) == set(table.index)
    assert "Member 2" not in shown
    colours = fc.race.colours
    for name, row in table.iterrows():
        chance, colour = shown[str(name)]
        assert chance == pytest.approx(100 * row["A"])
        assert colour == colours.get(row["leans_to"], GREY).upper()
        if row["vote"] == "free":
            assert ends[str(name)] == pytest.approx((100 * row["A_low"], 100 * row["A_high"]))
    open_ = table["A_low"].le(0.5) & table["A_high"].ge(0.5)
    assert {shown[str(name)][1] for name in table.index[open_]} == {GREY}
    assert {shown[str(name)][1] for name in table.index[~open_]} == {colours["A"], colours["B"]}


def test_members_lie_in_blocks_and_fall_within_them() -> None:
    fc = forecast(36)
    data = fc.plot.leanings_data()
    groups = data["group"].tolist()
    assert sum(a != b for a, b in pairwise(groups)) == 2
    for _, block in data.groupby("group", sort=False):
        assert block["A"].is_monotonic_decreasing
    means = data.groupby("group", sort=False)["A"].mean()
    assert means.is_monotonic_decreasing
    fig = drawn(fc)
    order = [name for ax in fig.axes for _, name in sorted(rows(ax).items())]
    assert order == data.index.tolist()
    told = [text for text in words(fig) if text.startswith("region ")]
    part = data[data["group"] == data["group"].iloc[0]]
    count = {name: int((part["leans_to"] == name).sum()) for name in ("A", "B", "unsettled")}
    said = ", ".join(f"{n} {what}" for n, what in zip(count.values(), ("to A", "to B", "open"), strict=True) if n)
    assert told[0] == f"{data['group'].iloc[0]}: {said}"


def test_the_title_counts_what_is_settled() -> None:
    fc = forecast(36)
    [caption] = captions(drawn(fc))
    table = fc.race.leanings(60, seed=3)
    table = table[table["vote"] != "none"]
    a, b = (int((table["leans_to"] == name).sum()) for name in "AB")
    assert caption.title == f"For {a + b} of 35 members it is settled whom they lean to: {a} to A and {b} to B"
    open_ = int((table["pull_towards"] == "unsettled").sum())
    assert f"For {open_} not even the direction of the net pull is settled." in caption.reading
    assert "Squares: pinned." in caption.reading
    assert "exact chances, 60 draws of the assumptions" in caption.stamp
    assert "simulation error" not in caption.stamp
    assert caption.provenance["seed"] == 3


def test_on_the_best_guesses_there_are_no_ranges() -> None:
    fc = forecast(36, assumptions="fixed")
    fig = drawn(fc)
    [caption] = captions(fig)
    assert lines(fig) == {}
    table = fc.race.leanings("fixed")
    a, b = (int((table["leans_to"] == name).sum()) for name in "AB")
    assert caption.title == f"On the best guesses, of 35 members {a} lean to A and {b} to B"
    assert "net pull" not in caption.reading
    assert "assumptions fixed" in caption.stamp


def test_of_three_the_likeliest_has_the_dot_and_the_range() -> None:
    fc = forecast(24, "ABC")
    fig, table = drawn(fc), fc.race.leanings(60, seed=3)
    ends = lines(fig)
    for name, row in table[table["vote"] == "free"].iterrows():
        top = max("ABC", key=lambda k: row[k])
        assert ends[str(name)] == pytest.approx((100 * row[f"{top}_low"], 100 * row[f"{top}_high"]))
    hollow = [
        part for ax in fig.axes for part in ax.collections
        if isinstance(part, PathCollection) and len(part.get_offsets()) and part.get_edgecolors().max() < 1.1
        and to_hex(part.get_facecolors()[0]) == "#ffffff"
    ]  # fmt: skip
    undecided = table[table["vote"].eq("free") & table["leans_to"].eq("unsettled")]
    assert sum(len(part.get_offsets()) for part in hollow) == len(undecided)
    assert {"\N{BLACK CIRCLE} A", "\N{BLACK CIRCLE} B", "\N{BLACK CIRCLE} C"} <= set(words(fig))


def test_only_those_asked_for() -> None:
    plot = forecast(36).plot
    assert set(plot.leanings_data(group="region 1")["group"]) == {"region 1"}
    assert sorted(plot.leanings_data(members=["Member 3", "Member 9"]).index) == ["Member 3", "Member 9"]
    table = plot.leanings_data()
    closest = (table["A"] - 0.5).abs().sort_values(kind="stable").index[:5]
    assert set(plot.leanings_data(top=5).index) == set(closest)
    assert "Drawn: the 5 most undecided of 35." in plot.chart("leanings", top=5).caption.reading
    assert "of 11 members (region 1)" in plot.chart("leanings", group="region 1").caption.title
    assert "of the 2 members asked for" in plot.chart("leanings", members=["Member 1", "Member 9"]).caption.title


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": 0}, "top must be"),
        ({"members": ["Atlantis"]}, "no member named 'Atlantis'"),
        ({"group": "region 9"}, "region 9"),
        ({"members": ["Member 2"]}, "no member with a vote is left"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(IomsimError, match=message):
        forecast(36).plot.leanings(**options)


@pytest.mark.slow
def test_of_very_many_the_most_undecided_are_drawn() -> None:
    fc = forecast(1009)
    data = fc.plot.leanings_data()
    assert len(data) == MOST
    rest = fc.race.leanings(60, seed=3).drop(data.index)
    assert (data["A"] - 0.5).abs().max() <= (rest["A"] - 0.5).abs().min()
    assert len(fc.plot.leanings_data(top=400)) == 400


def test_words_of_other_elections() -> None:
    alike = iom.forecast(toy(5), runs=50, seed=1, progress=False, assumptions=20)
    [caption] = captions(drawn(alike))
    assert caption.title == "For none of 5 members is it settled whom they lean to"
    assert "net pull" not in caption.reading
    swung = iom.forecast(toy(30).swing(3, "all", to="B"), runs=50, seed=1, progress=False, assumptions=20)
    assert "Before 3 of all members to B go over." in captions(drawn(swung))[0].reading


def test_on_election_day_it_is_that_of_the_morning() -> None:
    fc = evening()
    assert "what was announced is not in it" in fc.plot.chart("leanings").caption.reading


NAMED = {
    "shipped": lambda: case("two"),
    "three": lambda: case("three"),
    "few": lambda: forecast(12),
    "nameless": lambda: iom.forecast(toy(175), runs=40, seed=1, progress=False, assumptions=20),
    "eight with long names": lambda: forecast(20, LONG),
    "eight with long names beside a second column": lambda: forecast(40, LONG),
}


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "phone"])
@pytest.mark.parametrize("name", NAMED)
def test_no_words_are_cut_or_overlap(name: str, theme: str) -> None:
    assert collisions(drawn(NAMED[name](), theme=theme)) == []


def test_columns_are_of_about_the_same_height() -> None:
    fc = iom.forecast(build({"title": "t", "electorate": {"size": 60}, "candidates": [{"name": n} for n in LONG]}),
                      runs=20, seed=1, progress=False, assumptions=10)  # fmt: skip
    columns = [sum(bool(name) for name in rows(ax).values()) for ax in drawn(fc).axes]
    assert sum(columns) == 60
    assert min(columns) > 20


def test_who_is_of_no_group_is_not_of_a_group_called_none() -> None:
    headings = [text for text in words(drawn(case("two"))) if "open" in text or " to " in text]
    assert any(text.startswith("No group: ") for text in headings)
    assert "none:" not in case("two").plot.alt("leanings")


def test_it_is_saved_as_the_others_are(tmp_path: Path) -> None:
    path = forecast(12).plot.save("leanings", tmp_path / "leanings.svg")
    assert "Dot plot of members by group" in path.read_text(encoding="utf-8")
