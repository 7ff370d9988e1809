"""The chart of members who change sides."""

from __future__ import annotations

import pytest
from chart_cases import bars, case, hand, line_of, picture, plain, words
from matplotlib.patches import PathPatch

from iomsim.charts.base import captions
from iomsim.forecasting.estimates import in_100


def test_four_elections_of_moves() -> None:
    data = hand().plot.flows_data(rounds=3)
    table = {(m.round, m.origin, m.destination): m.members for m in data.itertuples()}
    assert table == pytest.approx(
        {
            (2, "A", "A"): 14 / 3, (2, "A", "B"): 1 / 3, (2, "B", "A"): 2 / 3, (2, "B", "B"): 10 / 3,
            (3, "A", "A"): 5, (3, "A", "B"): 0, (3, "B", "A"): 0, (3, "B", "B"): 4,
            (2, "absent", "absent"): 0, (3, "absent", "absent"): 0,
        }
    )  # fmt: skip
    assert data.set_index("round")["voting"].groupby("round").first().tolist() == [0.75, 0.25]


@pytest.mark.parametrize("name", ["two", "three", "eight", "live"])
def test_nobody_is_lost_between_rounds(name: str) -> None:
    fc = case(name)
    data = fc.plot.flows_data()
    assert sorted(set(data["round"])) == [2, 3, 4]
    assert data.groupby("round")["members"].sum().to_numpy() == pytest.approx(float(fc.race.votes.sum()))
    assert (data["members"] >= 0).all()
    ax = picture(name, "flows")
    assert len([patch for patch in ax.patches if isinstance(patch, PathPatch)]) == (data["members"] > 0).sum()
    assert line_of(ax, "round") == ["1", "2", "3", "4"]
    voting = fc.summary.voting[:4] / len(fc)
    assert line_of(ax, "hold a ballot") == ["all" if p == 1 else in_100(p) for p in voting]


def test_bars_of_members_are_the_sums_of_streams() -> None:
    fc = case("two")
    data, ax = fc.plot.flows_data(), picture("two", "flows")
    into = data.groupby(["round", "destination"])["members"].sum()
    out = data.groupby(["round", "origin"])["members"].sum()
    drawn = sorted(bar.get_height() for bar in bars(ax))
    assert drawn == pytest.approx(sorted([*into, *out]))
    for name in fc.race.names:
        assert f"{name} {out[2, name]:.0f}" in words(ax)
        assert f"{into[2, name]:.0f}" in words(ax)
    streams = [patch.get_path().vertices for patch in ax.patches if isinstance(patch, PathPatch)]
    thick = sorted(float(v[-2][1] - v[0][1]) for v in streams)
    assert thick == pytest.approx(sorted(data["members"][data["members"] > 0]))
    for v in streams:
        assert v[4][1] - v[3][1] == pytest.approx(v[7][1] - v[0][1])  # as thick at its end as at its start


def test_the_title_of_moves_counts_those_who_change_sides() -> None:
    fc = case("two")
    data = fc.plot.flows_data()
    moved = data[data["origin"] != data["destination"]].groupby("round")["members"].sum()
    title = plain(picture("two", "flows").get_title())
    there = data[(data["round"] == 2) & (data["origin"] != "absent")]["members"].sum()
    assert there < 170  # a guard: some of the 175 are away
    assert f"{moved[2]:.0f} of {there:.0f} members change sides between rounds 1 and 2" in title
    assert f", and {moved[4]:.0f} between rounds 3 and 4" in title
    assert "B to A 1 before round 2; A to B 0 before round 2" in captions(hand().plot.flows(rounds=3))[0].text


def test_without_a_second_round_there_is_a_sentence() -> None:
    fc = case("one two-way round")
    assert fc.plot.flows_data().empty
    ax = picture("one two-way round", "flows")
    assert "No election holds a second round between candidates" in plain(ax.get_title())
    assert not ax.patches
