"""The chart of a tornado, from results made by hand."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import pytest
from chart_cases import MANY, tornado, words_of
from matplotlib.axes import Axes
from toys import toy

import iomsim as iom
from iomsim.charts.text import short_parameter
from iomsim.charts.tornado import HIGH, LOW, MAX_BARS
from iomsim.errors import IomsimError
from iomsim.sensitivity.tornado import Tornado


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
    both = [text for text in ax.texts if text.get_text() == "0.1, 0.9"]
    assert [(round(text.xy[0], 6), text.xy[1], text.get_ha()) for text in both] == [(28, 3, "right")]
    assert len({text.get_fontsize() for text in ax.texts if text.xyann[1] == 0}) == 1  # none smaller than the others


def test_the_error_of_the_changes_is_told_and_not_drawn(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado()
    assert len(ax.collections) == 0
    assert "Simulation error of a change at most 1.0 point (95 %)." in three_bars.plot.chart("tornado").caption.reading
    low, high = ax.get_xlim()
    assert low < 10
    assert high > 55


def test_the_values_stand_at_the_ends(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado()
    at = {text.get_text(): (text.xy, text.get_ha()) for text in ax.texts}
    assert at["one-two-way"] == ((pytest.approx(10), 1), "right")
    assert at["2"] == ((pytest.approx(55), 0), "left")
    assert at["0"] == ((pytest.approx(20), 0), "right")
    assert "best guesses: 40" in at
    for word, ((x, _), side) in at.items():
        if side in ("left", "right") and word in ("one-two-way", "0", "2"):
            assert ax.get_xlim()[0] < x < ax.get_xlim()[1]


def test_on_a_phone_the_line_of_the_best_guesses_runs_under_the_names(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado(theme="phone")
    assert ax.lines[0].get_zorder() < ax.yaxis.get_zorder() < min(bar.get_zorder() for bar in ax.patches)


def test_an_end_that_changes_nothing_is_written_on_the_other_side() -> None:
    for ends, sides in (({0.0: 0.0, 240.0: 0.2}, ("right", "left")), ({0.0: 0.0, 240.0: -0.2}, ("left", "right"))):
        ax = tornado(clock__consultation=ends).plot.tornado()
        at = {text.get_text(): text.get_ha() for text in ax.texts}
        assert (at["0"], at["240"]) == sides


def test_the_title_is_the_finding_and_noise_is_counted(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado()
    assert ax.get_title().replace("\n", " ") == "A's chance hangs most on W's strength: 20 in 100 at 0, and 55 at 2"
    assert any("1 other within noise of zero." in words.replace("\n", " ") for words in words_of(ax))
    rules = tornado(rules={"strict": -0.3, "one-two-way": 0.2}).plot.tornado()
    title = rules.get_title().replace("\n", " ").replace("\N{NON-BREAKING HYPHEN}", "-")
    assert title == "A's chance hangs most on the rules: 10 in 100 under strict, and 60 under one-two-way"


def test_no_bar_is_named_that_cannot_be_told_from_the_next() -> None:
    found = tornado(sponsors__W__strength={0.0: -0.2, 2.0: 0.15}, behaviour__secrecy={0.2: 0.2, 0.6: -0.148})
    assert found.plot.tornado().get_title().replace("\n", " ") == (
        "No single assumption stands out: A's chance may hang most on W's strength or secrecy"
    )
    assert found.sentence().endswith("what matters most may be W's strength or secrecy.")


def test_another_target_may_be_drawn(three_bars: Tornado) -> None:
    ax = three_bars.plot.tornado(target="Tuesday")
    assert bars_of(ax)[0] == (0, 30, 50, LOW)
    assert ax.get_title().startswith("The chance that voting runs into Tuesday")
    ax = three_bars.plot.tornado(target="rounds")
    assert bars_of(ax)[0] == (0, 3, 5, LOW)
    assert ax.get_xlabel() == "rounds on average"
    assert "best guesses: 5.0" in words_of(ax)


def test_only_the_widest_are_drawn(three_bars: Tornado) -> None:
    ties = [{"name": f"t{i}", "who": "all", "candidate": "A", "log_odds": 0.1} for i in range(20)]
    bars = tornado(**{f"ties__t{i}__log_odds": {0.0: -0.1 - i / 100, 1.0: 0.1} for i in range(20)})
    many = replace(bars, race=toy(9, ties=ties))
    assert len(many.plot.tornado().get_yticklabels()) == MAX_BARS
    one = many.plot.tornado(most=1)
    assert [t.get_text() for t in one.get_yticklabels()] == ["loyalty to A (t19)"]
    assert "within noise" not in " ".join(words_of(one)).replace("\n", " ")  # the others are clear, if not drawn
    data = three_bars.plot.tornado_data(most=2)
    assert data["name"].tolist() == ["W's strength", "rules"]
    with pytest.raises(IomsimError, match="most must be a whole number of at least 1"):
        three_bars.plot.tornado(most=0)


def test_where_all_is_noise_the_tornado_is_empty_and_says_so() -> None:
    ax = tornado(behaviour__fluid={0.1: 0.001, 0.9: -0.001}).plot.tornado()
    assert bars_of(ax) == []
    assert ax.get_xlim()[1] >= 100  # no axis of a few points, which would look like something
    assert ax.get_title().replace("\n", " ") == "No single assumption moves A's chance beyond noise"
    assert not any("Simulation error" in words for words in words_of(ax))


def test_what_a_parameter_is_outlasts_whose_it_is(many: iom.Scenario) -> None:
    bars = iom.tornado(
        many, "B", parameters={f"candidates.{MANY[0]}.appeal": (-3.0, 3.0)}, rules=False, runs=200, seed=1
    )
    [label] = [text.get_text() for text in bars.plot.tornado().get_yticklabels()]
    assert label == "Nowhere's appeal"
    assert bars.plot.tornado_data()["name"].tolist() == [f"{MANY[0]}'s appeal"]
    assert short_parameter("secrecy") == "secrecy"
    assert short_parameter("exposure of 'un_regional_group=GRULAC' to Brussels", 28, 2).endswith("Brussels")
    assert short_parameter("West's exposure of 'a very long selector and not another'", 24) == "West's exposure of 'a …"
