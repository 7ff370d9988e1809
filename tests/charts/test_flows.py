"""The chart of members who change sides."""

from __future__ import annotations

import re

import pytest
from chart_cases import bars, case, hand, line_of, picture, plain, words
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import PathPatch
from toys import slow_but

from iomsim.charts.caption import captions
from iomsim.charts.flows import END
from iomsim.forecasting.estimates import in_100


def test_four_elections_of_moves() -> None:
    data = hand().plot.flows_data(rounds=3)
    table = {(m.round, m.origin, m.destination): m.members for m in data.itertuples()}
    assert table == pytest.approx(
        {
            (1, "A", "A"): 5.25, (1, "B", "B"): 3.75, (1, "absent", "absent"): 0,
            (2, "A", "A"): 14 / 3, (2, "A", "B"): 1 / 3, (2, "B", "A"): 2 / 3, (2, "B", "B"): 10 / 3,
            (3, "A", "A"): 5, (3, "A", "B"): 0, (3, "B", "A"): 0, (3, "B", "B"): 4,
            (2, "absent", "absent"): 0, (3, "absent", "absent"): 0,
        },
        abs=0.01,
    )  # fmt: skip
    assert data.set_index("round")["voting"].groupby("round").first().tolist() == [1, 0.75, 0.25]


def test_the_first_round_is_that_of_all_elections() -> None:
    fc = case("one-sided")
    data = fc.plot.flows_data().query("round == 1").set_index("destination")["members"]
    runs = fc.outcomes
    first = runs.starts[runs.rounds > 0]
    tally, present = runs.votes[first].mean(axis=0), runs.present.mean()
    assert data[["Pope", "Vitorino"]].to_numpy() == pytest.approx(present * tally / tally.sum(), abs=0.2)
    going = fc.summary.flows[1].sum(axis=1) / fc.summary.voting[1]
    assert data["Pope"] - going[0] > 15  # those that go on are others
    ax = picture("one-sided", "flows")
    whole = [bar.get_height() for bar in bars(ax) if bar.get_width() > 1.05 * END and bar.get_x() < 1]
    assert whole == pytest.approx(list(data))
    for name in fc.race.names:
        [number] = [int(label.split()[1]) for label in words(ax) if label.startswith(f"{name} ")]
        assert abs(number - data[name]) < 1


def test_few_runs_are_grey_and_make_no_sentence() -> None:
    fc, ax = case("one-sided"), picture("one-sided", "flows")
    assert 0 < fc.summary.voting[1] < 100
    second = in_100(fc.summary.voting[1] / len(fc))
    title = plain(ax.get_title())
    assert title == f"Too few ballots to say who changes sides: {second} of 100 elections hold a second round"
    [caption] = captions(ax)
    assert caption.reading.endswith("Grey: fewer than 100 runs.")
    assert "Largest" not in caption.text
    colours = {to_hex(patch.get_facecolor()) for patch in ax.patches if isinstance(patch, PathPatch)}
    assert len(colours) == 1
    own = {fc.race.colours[name].lower() for name in fc.race.names}
    assert colours.isdisjoint(own)
    assert {to_hex(bar.get_facecolor()) for bar in bars(ax) if bar.get_x() > 1.5}.isdisjoint(own)
    assert {to_hex(bar.get_facecolor()) for bar in bars(ax) if bar.get_x() < 1.5} >= own
    assert not [
        text for text in ax.texts if text.get_text().isdigit() and text.get_ha() == "center" and text.get_zorder() == 5
    ]
    assert plain(hand().plot.chart("flows").caption.title) == "Too few runs to say who changes sides"
    assert "Grey" not in captions(picture("two", "flows"))[0].reading


@pytest.mark.parametrize("name", slow_but(["two", "three", "eight", "live"], "three", "live"))
def test_nobody_is_lost_between_rounds(name: str) -> None:
    fc = case(name)
    data = fc.plot.flows_data()
    assert sorted(set(data["round"])) == [1, 2, 3, 4]
    assert data.groupby("round")["members"].sum().to_numpy() == pytest.approx(float(fc.race.votes.sum()))
    assert (data["members"] >= 0).all()
    ax = picture(name, "flows")
    streams = data[(data["members"] > 0) & (data["round"] > 1) & (data["origin"] != "absent")]
    assert len([patch for patch in ax.patches if isinstance(patch, PathPatch)]) == len(streams)
    assert line_of(ax, "round") == ["1", "2", "3", "4"]
    voting = fc.summary.voting[:4] / len(fc)
    assert line_of(ax, "hold a ballot") == ["all" if p == 1 else in_100(p) for p in voting]


def test_what_goes_on_and_what_ends_are_the_bar() -> None:
    fc = case("two")
    data, ax = fc.plot.flows_data(), picture("two", "flows")
    into = data.groupby(["round", "destination"])["members"].sum()
    drawn = [bar for bar in bars(ax) if bar.get_width() > 1.05 * END]
    assert sorted(bar.get_height() for bar in drawn) == pytest.approx(sorted(into))
    ends = {(round(bar.get_x()), bar.get_facecolor()[:3]): bar.get_height() for bar in bars(ax) if bar not in drawn}
    voting = data.groupby("round")["voting"].first()
    out = data.groupby(["round", "origin"])["members"].sum()
    for name in fc.race.names:
        for r in (1, 2, 3):
            on = out[r + 1, name] * voting[r + 1] / voting[r]
            assert ends[r, to_rgb(fc.race.colours[name])] == pytest.approx(into[r, name] - on)
    streams = [patch.get_path().vertices for patch in ax.patches if isinstance(patch, PathPatch)]
    some = data[(data["members"] > 0) & (data["round"] > 1) & (data["origin"] != "absent")]
    thick = sorted(float(v[4][1] - v[3][1]) for v in streams)
    assert thick == pytest.approx(sorted(some["members"]))
    part = (voting / voting.shift())[some["round"]].to_numpy()
    thin = sorted(float(v[7][1] - v[0][1]) for v in streams)
    assert thin == pytest.approx(sorted(some["members"] * part))


@pytest.mark.parametrize("name", ["two", "three", "live"])
def test_numbers_add_up(name: str) -> None:
    fc, ax = case(name), picture(name, "flows")
    data, title = fc.plot.flows_data(), plain(ax.get_title())
    parts = {
        r: [int(t.get_text()) for t in ax.texts if t.get_zorder() == 5 and r - 1 < t.get_position()[0] < r]
        for r in (2, 4)
    }
    told = [int(number) for number in re.findall(r"(\d+)(?: of \d+ members change sides)? between", title)]
    assert told == [sum(parts[2]), sum(parts[4])]
    start = [label for label in words(ax) if re.fullmatch(rf"({'|'.join([*fc.race.names, 'absent'])}) \d+", label)]
    numbers = [int(label.split()[-1]) for label in start]
    assert sum(numbers) == fc.race.votes.sum()
    assert f" of {sum(numbers[:-1])} members " in title
    assert data["members"].min() >= 0


def test_the_title_of_moves_counts_those_who_change_sides() -> None:
    fc = case("two")
    data = fc.plot.flows_data()
    moved = data[data["origin"] != data["destination"]].groupby("round")["members"].sum()
    title = plain(picture("two", "flows").get_title())
    there = data[(data["round"] == 1) & (data["origin"] != "absent")]["members"].sum()
    assert there < 170  # a guard: some of the 175 are away
    assert f"{moved[2]:.0f} of {there:.0f} members change sides between rounds 1 and 2" in title
    assert f", and {moved[4]:.0f} between rounds 3 and 4" in title
    largest = captions(picture("two", "flows"))[0].text.partition("Largest moves: ")[2]
    assert re.match(r"(Pope to Vitorino|Vitorino to Pope) \d+ before round 2; ", largest)


def test_without_a_second_round_there_is_a_sentence() -> None:
    fc = case("one two-way round")
    assert set(fc.plot.flows_data()["round"]) == {1}
    ax = picture("one two-way round", "flows")
    assert "No election holds a second round between candidates" in plain(ax.get_title())
    assert len(bars(ax)) == 3
    assert "After the first round voting is over,\nor the leader stands alone." in words(ax)


def test_after_announced_rounds_the_title_tells_what_is_ahead() -> None:
    for name, first in (("live", 2), ("live, on Tuesday", 3)):
        title = plain(picture(name, "flows").get_title())
        data = case(name).plot.flows_data()
        moved = data[data["origin"] != data["destination"]].groupby("round")["members"].sum()
        assert f"{moved[first]:.0f} of " in title
        assert f" members change sides between rounds {first - 1} and {first}, and {moved[4]:.0f} between" in title
    past = plain(case("live, two rounds").plot.chart("flows", rounds=2).finding())
    assert re.search(r"members have changed sides between rounds 1 and 2$", past)
