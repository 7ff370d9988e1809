"""Sobol indices, pivotal members and variants as dots."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from chart_cases import MANY, around, beside, lines_of, pivotal, race, sobol, tornado, words_of

import iomsim as iom
from iomsim.charts import dotplots
from iomsim.charts.caption import captions
from iomsim.charts.labels import ABOVE
from iomsim.charts.style import pale
from iomsim.forecasting.estimates import row_in_100

CHANCE = ["value", "mc_error"]


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


def test_no_index_is_named_that_cannot_be_told_from_the_next() -> None:
    found = sobol(
        sponsors__W__strength=(0.4, 0.3, 0.5, 0.55, 0.5, 0.6, True),
        behaviour__secrecy=(0.3, 0.2, 0.4, 0.5, 0.4, 0.56, True),
        behaviour__fluid=(0.2, 0.1, 0.3, 0.3, 0.2, 0.35, True),
    )
    names = "most of the variance of A's chance may come from W's strength or secrecy"
    assert found.plot.sobol().get_title().replace("\n", " ") == f"No single assumption stands out: {names}"
    assert f"no single one stands out: {names}. " in found.sentence()


def test_indices_within_noise_claim_nothing() -> None:
    ax = sobol(behaviour__fluid=(0.1, -0.3, 0.5, 0.2, -0.1, 0.6, False)).plot.sobol()
    assert ax.get_title().replace("\n", " ") == "None of these assumptions moves A's chance beyond noise"


def test_members_are_drawn_with_what_they_are_worth() -> None:
    found = pivotal(9)
    ax = found.plot.pivotal(most=3)
    assert lines_of(ax) == [(3.0, 0), (8.0, 0.24), (2.9, 1), (2.8, 2)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["M1", "M2", "M3"]
    assert {"50", "51", "52"} <= set(words_of(ax))
    said = ax.get_title().replace("\n", " ")
    assert said == "No single member stands out: a call for A is worth about 3 points in any of 9 members"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a push of one log-odds", "won over for good"]
    spans = [tuple(np.round(part.get_segments()[0][:, 0], 6)) for part in ax.collections]
    assert spans == [(1, 5), (7, 9), (0.9, 4.9), (0.8, 4.8)]


def test_members_under_draws_have_bars() -> None:
    ax = pivotal(3, draws=True).plot.pivotal()
    spans = [tuple(np.round(part.get_segments()[0][:, 0], 6)) for part in ax.collections]
    assert spans[:2] == [(2, 6), (1, 5)]
    assert "over the assumptions" in [t.get_text() for t in ax.get_legend().get_texts()]


def test_groups_are_drawn_by_the_mean_of_their_members() -> None:
    found = pivotal(9, groups=3)
    ax = found.plot.pivotal(by="group")
    assert lines_of(ax) == [(2.7, 0), (2.6, 1), (2.5, 2)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["G1", "G2", "G3"]
    assert ax.get_title().replace("\n", " ") == "No group stands out: a call for A is worth about 3 points a member"
    assert "for all groups at once" in found.plot.chart("pivotal", by="group").caption.reading
    one = pivotal(9, groups=1).plot.pivotal(by="group")
    assert one.get_title().replace("\n", " ") == "A call for A is worth about 3 points a member"  # the first of one
    with pytest.raises(iom.IomsimError, match="by must be 'member' or 'group', got 'state'"):
        found.plot.pivotal(by="state")


def test_members_clearly_behind_the_first_are_pale() -> None:
    found = pivotal(3)
    worth = found.worths.worth.copy()
    worth[2] = 10 * 0.001 + (worth[2] - worth[2].mean()) / 50
    apart = replace(found, worths=replace(found.worths, worth=worth))
    assert apart.rivals() == ["M2"]
    own = race().colours["A"]
    dots = [line for line in apart.plot.pivotal().lines if line.get_marker() == "o"]
    assert [mpl.colors.to_hex(line.get_color()).upper() for line in dots] == [own, own, pale(own).upper()]
    assert "; pale: clearly behind the first." in apart.plot.chart("pivotal").caption.reading
    assert "pale" not in found.plot.chart("pivotal").caption.reading


def test_a_chart_of_members_claims_nothing_it_does_not_know() -> None:
    assert pivotal(3, low=-0.1).plot.pivotal().get_title().replace("\n", " ") == (
        "No call for A does anything beyond noise"
    )
    empty = pivotal(3, free=False).plot.pivotal()
    assert empty.get_title() == "No member can be moved towards A"
    assert lines_of(empty) == []
    none = pivotal(3).plot.pivotal(by="group")
    assert none.get_title() == "There are no groups"


@pytest.mark.parametrize("names", ["AB", pytest.param("ABC", marks=pytest.mark.slow)])
def test_variants_are_drawn_with_all_outcomes(names: str) -> None:
    found = beside(names)
    ax = found.plot.scenarios()
    outcomes = [*names, "no winner", "spill"]
    table = found.table()
    expected = [round(100 * table.loc[(o, v), "value"], 6) for o in outcomes for v in found.forecasts]
    assert [x for x, _ in lines_of(ax)] == expected
    spans = [tuple(np.round(part.get_segments()[0][:, 0], 6)) for part in ax.collections]
    ends = [100 * table.loc[(o, v), ["low", "high"]].to_numpy(float) for o in outcomes for v in found.forecasts]
    assert np.allclose(spans, [(low, high) for low, high in ends if low < high], atol=1e-5)
    assert len(spans) > len(outcomes)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(found.forecasts)
    words = [*(f"{name} wins" for name in names), "no winner", "into Tuesday"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == words
    for name in found.forecasts:
        one, day = (row_in_100(*table.loc[(outcome, name), CHANCE]) for outcome in (names[0], "spill"))
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
    before, after = (row_in_100(*table.loc[variant, CHANCE]) for variant in ("as it is", top))
    assert said.endswith(f"from {before} to {after} in 100")
    same = iom.side_by_side({"one": race(), "other": race()}, runs=100, seed=1).plot.scenarios()
    assert same.get_title() == "Neither A's chance nor Tuesday moves beyond noise"
    slow = {"as it is": race(), "two hours a round": race().with_clock(round_minutes=120)}
    later = iom.side_by_side(slow, runs=400, seed=1)
    told = later.plot.scenarios().get_title().replace("\n", " ")
    before, after = (row_in_100(*row) for row in later.table("spill")[CHANCE].to_numpy())
    assert told == f"With 'two hours a round' Tuesday rises from {before} to {after} in 100"
    twice = {**slow, "as long": race().with_clock(round_minutes=121)}
    told = iom.side_by_side(twice, runs=400, seed=1).plot.scenarios().get_title().replace("\n", " ")
    names = "'two hours a round' or 'as long'"
    assert told == f"No single variant stands out: Tuesday may move most with {names}"


def test_a_chance_that_rises_by_less_than_is_told_does_not_rise_from_1_to_1() -> None:
    chart = beside().plot.chart("scenarios")
    data = chart.data.assign(clear=False)
    data.loc[("spill", "public"), ["value", "change", "clear"]] = [
        data.loc[("spill", "as it is"), "value"],
        0.004,
        True,
    ]
    vars(chart)["data"] = data
    now = row_in_100(*data.loc[("spill", "public"), CHANCE])
    assert chart.finding() == f"Tuesday stays at {now} in 100, though it rises with 'public'"


def test_on_a_phone_marks_stand_under_the_name_of_their_variant() -> None:
    ax = beside("ABC").plot.scenarios(theme="phone")
    shifts = [y - round(y - 0.19) for _, y in lines_of(ax)]
    assert min(shifts) > -ABOVE
    assert max(shifts) < 0.6


def test_variants_on_the_best_guesses_have_no_lines() -> None:
    variants = {"as it is": race(), "no pressure": race().with_pressure(W=0)}
    made = {name: iom.forecast(one, 300, 1, assumptions="fixed") for name, one in variants.items()}
    found = iom.side_by_side(made)
    assert len(found.plot.scenarios().collections) == 0
    reading = found.plot.chart("scenarios").caption.reading
    assert reading.startswith("On the best guesses; simulation error at most ")
    assert reading.endswith("all variants share their random numbers.")


def test_every_outcome_stays_in_the_row_of_its_variant(many: iom.Scenario) -> None:
    variants = {"as it is": many, "public": many.with_behaviour(secrecy=0), "strict": many.with_rules("strict")}
    ax = iom.side_by_side(variants, runs=40, seed=1).plot.scenarios()
    heights = np.array([line.get_ydata()[0] for line in ax.lines if line.get_marker() not in ("None", "")])
    assert len(heights) == len(variants) * (len(MANY) + 2)
    assert np.abs(heights - heights.round()).max() <= 0.41
    ax.figure.draw_without_rendering()
    row = ax.get_window_extent().height / (len(variants) + 0.2) / ax.figure.dpi * 72
    assert row > 10 * (len(MANY) + 2) * 0.6  # points: the marks of a variant can be told apart


def test_the_key_leaves_the_column_at_the_right_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dotplots, "short", lambda *_: "the Federated States of Micronesia")
    fig = pivotal(1, draws=True).plot.draw("pivotal")
    fig.draw_without_rendering()
    assert not any(
        fig.axes[0].get_legend().get_window_extent().overlaps(text.get_window_extent())
        for text in fig.axes[0].texts
        if "for A now" in text.get_text()
    )


def test_what_counts_is_the_side_between_two_indices() -> None:
    wide, narrow = (0.3, 0.2, 0.4), (0.49, 0.51)
    towards = sobol(a=(*wide, 0.5, 0.2, narrow[1], True), b=(*wide, 0.4, 0.39, 0.7, True))
    away = sobol(a=(*wide, 0.5, narrow[0], 0.8, True), b=(*wide, 0.4, 0.1, 0.41, True))
    assert (towards.most(), away.most()) == (["a", "b"], ["a"])
