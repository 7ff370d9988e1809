"""The charts of an election day, by their artists and against the tables they draw."""

from __future__ import annotations

from functools import cache

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from chart_cases import LONG, collisions
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from toys import night_of, slow_but

import iomsim as iom
from iomsim.charts.caption import captions
from iomsim.charts.dotplots import looks_of
from iomsim.charts.election_day import spread
from iomsim.charts.style import NOBODY_GREY, STILL_GREY
from iomsim.election_day.election_day import ElectionDay
from iomsim.election_day.report import CAVEAT
from iomsim.engine.first_round import first_round_votes
from iomsim.errors import IomsimError
from iomsim.forecasting.wording import in_a_sentence
from iomsim.model.parameters import describe_parameter
from iomsim.model.scenario import build

pytestmark = pytest.mark.filterwarnings("ignore::iomsim.UnexpectedTallyWarning")

DASH = "\N{EN DASH}"
DAYS = {
    "before": ("geneva-2023", []),
    "noon": ("geneva-2023", ["98-67 at 12:20"]),
    "tuesday": ("geneva-2023", ["98-67 at 12:20", "go on", "97-68 at 16:10", "adjourn until Tuesday 10:00"]),
    "over": ("geneva-2023", ["98-67 at 12:20", "withdraw Vitorino at 16:35"]),
    "elected": ("geneva-2023", ["98-67 at 12:20", "Pope is elected at 17:00"]),
    "partly": ("geneva-2023", ["Pope at least 95", "Pope=100 Vitorino=63"]),
    "three": ("iom-2018", ["65-51-27", "valid=143", "68-52-22 at 13:55", "77-66"]),
}


@cache
def day(name: str) -> ElectionDay:
    race, lines = DAYS[name]
    night = night_of(iom.load(race), particles=600, seed=4)
    for line in lines:
        night.tell(line)
    return night


@cache
def unsure() -> ElectionDay:
    """Return noon under uncertain assumptions."""
    night = iom.live(iom.load("geneva-2023"), particles=2000, seed=4, assumptions=40)
    night.tell("98-67")
    return night


@cache
def picture(name: str, chart: str) -> Axes:
    return day(name).plot.draw(chart).axes[0]


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def ticks(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


def outcomes(night: ElectionDay) -> dict[str, str]:
    """Return what is drawn with its colour: also nobody and still voting, as far as they come."""
    looks, history = {name: look[0] for name, look in looks_of(night.race).items()}, night.history()
    spill, rest = looks.pop("spill"), {"nobody": NOBODY_GREY, "still voting": STILL_GREY}
    del looks["no winner"]
    return looks | {name: rest[name] for name in rest if history[name].max() >= 0.005} | {"spill": spill}


def drawn(ax: Axes, colour: str) -> Line2D:
    """Return the solid line of a colour."""
    [line] = [x for x in ax.lines if to_hex(x.get_color()).upper() == colour.upper() and x.get_linestyle() == "-"]
    return line


@pytest.mark.parametrize("name", slow_but(DAYS, "before", "tuesday", "partly"))
def test_lines_are_the_history(name: str) -> None:
    night, ax = day(name), picture(name, "live")
    history = night.history()
    for outcome, colour in outcomes(night).items():
        assert drawn(ax, colour).get_ydata() == pytest.approx(100 * history[outcome].to_numpy())
        assert list(drawn(ax, colour).get_xdata()) == list(history.index)


def test_the_shades_are_the_range_over_the_assumptions() -> None:
    night, tables = unsure(), []
    ax, data = night.plot.live(), night.plot.live_data()
    for number in range(2):
        fc = night._forecast(number)
        spill = pd.DataFrame([vars(fc.spill())], index=["spill"]).rename(columns={"value": "probability"})
        tables.append(pd.concat([fc.chances(), spill])[["probability", "low", "high", "mc_error"]])
    for outcome, band in zip(outcomes(night), ax.collections, strict=True):
        x, y = band.get_paths()[0].vertices.T
        for step, row in data.loc[outcome].iterrows():
            assert row[list(tables[step])].tolist() == tables[step].loc[outcome].tolist()
            assert (y[x == step].min(), y[x == step].max()) == pytest.approx((100 * row["low"], 100 * row["high"]))
            assert row["low"] <= row["probability"] <= row["high"]
    assert (data["high"] - data["low"]).max() > 0.3
    assert "Shaded: the middle 80 % over the assumptions." in night.plot.chart("live").caption.reading


def test_ranges_with_no_neighbour_are_lines() -> None:
    """Before the vote there is nothing to shade to, and after a surprise too few runs are left for a range."""
    chart = iom.live(iom.load("geneva-2023"), particles=2000, seed=4, assumptions=40).plot.chart("live")
    ax = chart.draw()
    row = chart.data.loc["Pope"].iloc[0]
    assert ax.collections[0].get_segments()[0][:, 1] == pytest.approx([100 * row["low"], 100 * row["high"]])
    assert "Thin lines: the middle 80 % over the assumptions." in chart.reading()
    few = iom.live(iom.load("geneva-2023"), particles=1500, seed=4)
    few.tell("98-67")
    said = few.plot.chart("live").reading()
    assert "assumptions. After the last announcement: too few runs for the range over the assumptions; simula" in said


@pytest.mark.slow
@pytest.mark.parametrize(("most", "told"), [(12, ["97", "", "97", "", "97", "", "97"]), (4, ["97"] * 4)])
def test_under_ticks_is_told_what_has_room(most: int, told: list[str]) -> None:
    night = night_of(iom.load("geneva-2023"), particles=300, seed=4)
    for hour in range(11, 18):
        night.tell(f"97-68 at {hour}:00")
    ax = night.plot.live(most=most, theme="phone")
    ax.figure.draw_without_rendering()
    assert [words[:2] for words in ticks(ax)][-len(told) :] == told
    assert f"97{DASH}68" in ticks(ax)[-1]
    assert collisions(ax.figure) == []


@pytest.mark.parametrize("name", ["noon", "tuesday"])
def test_on_the_best_guesses_nothing_is_shaded(name: str) -> None:
    assert len(picture(name, "live").collections) == 0
    reading = day(name).plot.chart("live").caption.reading
    worst = 100 * day(name).chances()["mc_error"].max()
    assert f"On the best guesses; simulation error at most {worst:.1f} points" in reading
    assert "haded" not in reading


def test_the_title_tells_the_chance_now_and_before() -> None:
    night = iom.live(iom.load("geneva-2023"), particles=400, seed=3)
    night.announce(Pope=90, Vitorino=75)
    before, now = night.history()["Pope"]
    assert now > before + 0.05  # a guard
    rows = night.chances().loc["Pope", ["probability", "mc_error"]].to_numpy()
    assert rows[:, 0].tolist() == [before, now]
    said = [in_a_sentence(*row) for row in rows]
    title = night.plot.live().get_title().replace("\n", " ")
    assert title.endswith(f"Pope wins in {said[1]} of 100 elections, up from {said[0]} before the vote")


def test_a_chance_that_falls_is_not_told_as_one_that_rises() -> None:
    night = night_of(iom.load("minimal").balanced(0.6), particles=400, seed=3)
    night.announce(A=84, B=84)
    assert night.chances().loc["A", "probability"].diff().iloc[-1] < -0.05  # a guard
    assert ", down from " in night.plot.live().get_title().replace("\n", " ")


def test_the_prior_forecast_is_dotted() -> None:
    night, ax = day("noon"), picture("noon", "live")
    dotted = sorted(float(line.get_ydata()[0]) for line in ax.lines if line.get_linestyle() != "-")
    prior = 100 * night.history().iloc[0][[*outcomes(night)]].astype(float)
    assert dotted == pytest.approx(sorted(prior))


@pytest.mark.parametrize(
    ("name", "told", "when"),
    [
        ("before", ["before"], []),
        ("noon", ["before", f"98{DASH}67"], ["12:20"]),
        (
            "tuesday",
            ["before", f"98{DASH}67", "goes on", f"97{DASH}68", "adjourned"],
            ["12:20", "12:20", "16:10", "Tue 10:00"],
        ),
        ("over", ["before", f"98{DASH}67", "withdrawal"], ["12:20", "16:35"]),
        ("elected", ["before", f"98{DASH}67", "elected"], ["12:20", "17:00"]),
        ("partly", ["before", "round 1", f"100{DASH}63"], []),
        ("three", ["before", f"65{DASH}51{DASH}27", "round 2", f"68{DASH}52{DASH}22", f"77{DASH}66"], ["13:55"] * 2),
    ],
)
def test_the_tally_stands_under_its_tick(name: str, told: list[str], when: list[str]) -> None:
    ax = picture(name, "live")
    assert ticks(ax) == told
    assert [text for text in words(ax) if ":" in text and text[-2:].isdigit()] == when


def test_titles_say_where_things_stand() -> None:
    titles = {name: picture(name, "live").get_title().replace("\n", " ") for name in DAYS}
    assert titles["before"].startswith("Nothing is announced yet: ")
    assert titles["noon"].startswith(f"After 98{DASH}67 Pope wins in ")
    assert "up from about 50 before the vote" in titles["noon"]
    assert f"{titles['over']}." == day("over").forecast().answer()


@pytest.mark.parametrize("name", DAYS)
def test_lines_are_named_at_their_end(name: str) -> None:
    night, ax = day(name), picture(name, "live")
    for candidate in night.race.names:
        [label] = [text for text in words(ax) if text.startswith(candidate)]
        number = label.rpartition(" ")[2].strip("<>")
        truth = 100 * night.history()[candidate].iloc[-1]
        assert float(number) == pytest.approx(truth, abs=2.51)  # of 600 particles: in steps of five
    assert any(text.startswith("into ") for text in words(ax))
    assert not any(text.startswith("no winner") for text in words(ax))
    assert [n for n in ("nobody", "still voting") if any(text.startswith(n) for text in words(ax))] == [
        n for n in outcomes(night) if n in ("nobody", "still voting")
    ]


def test_only_what_is_over_is_certain() -> None:
    def of_100(name: str) -> set[str]:
        return {t.rpartition(" ")[2] for t in words(picture(name, "live")) if t.startswith(("Pope", "Vito"))}

    assert of_100("over") == {"100", "0"}
    assert not {"100", "0"} & (of_100("noon") | of_100("tuesday"))


def test_labels_keep_apart() -> None:
    assert spread([1.0, 2.0, 3.0], gap=5.0) == [1.0, 6.0, 11.0]
    assert spread([99.0, 98.0, 97.0], gap=5.0, top=100.0) == [102.5, 97.5, 92.5]
    places = spread([0.0, 0.1, 0.2, 50.0, 99.9])
    assert (np.diff(sorted(places)) >= 6.5 - 1e-9).all()
    assert np.argsort(places).tolist() == [0, 1, 2, 3, 4]


def test_only_the_last_events_if_there_are_many() -> None:
    ax = day("tuesday").plot.draw("live", most=2).axes[0]
    assert ticks(ax) == [f"97{DASH}68", "adjourned"]


def test_the_data_twin_says_what_is_drawn() -> None:
    data = day("over").plot.live_data()
    assert data.index.names == ["outcome", "step"]
    last = data.xs(2, level="step")
    assert last.loc["Pope"].tolist()[:4] == [1.0, 1.0, 1.0, 0.0]
    assert last.loc["spill"].tolist()[:4] == [0.0, 0.0, 0.0, 0.0]
    assert data.loc["Pope", "prior"].nunique() == 1
    assert np.isnan(data.loc[("Pope", 1), "low"])
    assert data.loc[("Pope", 1), "mc_error"] > 0


# -- what was learned --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["noon", "three"])
def test_dots_are_the_means(name: str) -> None:
    table, ax = day(name).learned(), picture(name, "learned")
    dots = [(line.get_ydata()[0], line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert len(dots) == 2 * len(table)
    for y, (_, line) in enumerate(table.iterrows()):
        before, now = (x for at, x in sorted(dots) if round(at) == y)
        assert before == pytest.approx(0.0)
        assert now == pytest.approx((line["now mean"] - line["prior mean"]) / line["prior sd"])


def test_the_net_level_moves_and_the_sponsors_hardly() -> None:
    data = day("noon").plot.learned_data()
    assert data.loc["net level of Pope (log-odds)", "shift"] > 0.7
    assert data.loc["net level of Pope (log-odds)", "narrowed"] < 0.8
    assert (data.loc[data.index.str.startswith("effect of"), "narrowed"] > 0.75).all()
    assert (
        picture("noon", "learned")
        .get_title()
        .replace("\n", " ")
        .startswith(f"After 98{DASH}67 what moved most is the net level of Pope, from ")
    )


def test_what_tallies_cannot_tell_is_said_on_the_chart() -> None:
    ax = picture("noon", "learned")
    printed = " ".join(" ".join(words(ax)).split())
    assert CAVEAT in printed
    assert CAVEAT in captions(ax)[0].text


def test_means_stand_at_the_right() -> None:
    shown = words(picture("noon", "learned"))
    arrows = [text for text in shown if "\N{RIGHTWARDS ARROW}" in text]
    assert len(arrows) == len(day("noon").learned())
    [regime] = [text for text in arrows if text.endswith("in 100")]
    assert abs(int(regime.removeprefix("about ").split()[0]) - 70) <= 6


def test_log_odds_and_levels_are_told_in_votes_too() -> None:
    """What they mean in papers of a first round is exact: here against the mean share of the level itself."""
    night = unsure()
    data = night.plot.learned_data()
    told = data[["prior votes", "now votes"]].dropna()
    level = data.loc["Pope's first-round level"]
    papers = first_round_votes(night.race.plan)[:, 0].sum()
    assert told.loc["Pope's first-round level"].tolist() == pytest.approx(
        [papers * level["prior mean"], papers * level["now mean"]], abs=0.1
    )
    assert {"net level of Pope (log-odds)", "common shock towards Pope (log-odds)", "Washington's strength"} <= set(
        told.index
    )
    assert np.ptp(told.loc["Washington's strength"]) < 0.01  # the level is stated: its strength does not move it
    shown = words(night.plot.draw("learned").axes[0])
    votes = "{:.0f} \N{RIGHTWARDS ARROW} {:.0f} votes".format(*told.loc["Pope's first-round level"])
    assert any(text.endswith(f"\n{votes}") for text in shown)


@pytest.mark.slow
def test_of_whom_a_quantity_is_can_be_told_apart() -> None:
    described = {"title": "a crowd", "electorate": {"size": 40}, "candidates": [{"name": name} for name in LONG]}
    night = iom.live(build(described), particles=200, seed=1)
    night.announce(dict(zip(LONG, (12, 8, 6, 5, 4, 3, 1, 1), strict=True)))
    shown = [label.get_text() for label in night.plot.learned().get_yticklabels()]
    assert len(set(shown)) == len(shown)
    assert "Her Excellency" not in night.plot.live().get_title()


def test_nothing_is_named_that_moved_no_further_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = day("noon").plot.chart("learned")
    rows = chart.data.iloc[:3].assign(shift=[0.9, -0.8, 0.2], error=[0.1, 0.1, 0.1])
    monkeypatch.setitem(vars(chart), "data", rows)
    assert chart.finding() == (
        f"After 98{DASH}67 what moved most may be net level of Pope or effect of Washington's campaign"
    )


def test_of_many_assumptions_those_are_drawn_that_moved_most() -> None:
    night = unsure()
    table, many = night.plot.learned_data(), set(night.parameters_unsure)
    shown = [label.get_text().replace("\n", " ") for label in night.plot.learned().get_yticklabels()]
    own = [name for name in table.index if name not in many]
    assert len(many) > 30
    assert len(own) < len(shown) <= len(own) + 6
    assert {"Pope's first-round level", "the rules: strict", "how ready the one behind is to concede"} <= set(own)
    drawn = many & set(shown)
    assert "absence" in drawn  # more members came than was thought
    draws = night.belief.draw_weights(night.draws.count)
    for name in drawn:
        path = next(path for path in night.draws.values if describe_parameter(night.race, path) == name)
        values, prior = night.draws.values[path], table.loc[name]
        sd = np.sqrt(draws @ (values - draws @ values) ** 2)
        assert abs(draws @ values - prior["prior mean"]) > 3.2 * sd * np.sqrt((draws**2).sum())


def test_before_the_vote_nothing_is_learned() -> None:
    title = picture("before", "learned").get_title().replace("\n", " ")
    assert title == "Nothing is learned yet beyond what was assumed"
    assert (day("before").plot.learned_data()["shift"].dropna() == 0).all()


# -- as all charts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chart", ["live", "learned"])
def test_they_behave(chart: str) -> None:
    before = dict(mpl.rcParams)
    fig = Figure()
    ax = fig.add_subplot()
    assert getattr(day("noon").plot, chart)(ax=ax) is ax
    assert dict(mpl.rcParams) == before
    [caption] = captions(fig)
    assert caption.stamp == day("noon").forecast().stamp()
    assert caption.provenance["events"][0]["votes"] == {"Pope": 98, "Vitorino": 67}
    assert not any("seed" in text for text in words(day("noon").plot.draw(chart, stamp=False).axes[0]))
    with pytest.raises(IomsimError, match="ax must be matplotlib Axes"):
        getattr(day("noon").plot, chart)(ax="here")


def test_what_there_is() -> None:
    assert repr(day("noon").plot) == "charts: learned, live"
    assert day("noon").plot.alt("live").startswith("Line chart of probabilities in 100 after each of 1 announcements")
