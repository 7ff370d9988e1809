"""The chart of when voting ends, and its axis of sessions."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from chart_cases import CASES, case, dots, hand, picture, plain, spans, words
from matplotlib.colors import to_hex
from toys import slow_but

import iomsim as iom
from iomsim.charts.decision_time import STACKS
from iomsim.charts.session_axis import STACK_MINUTES, lay_days
from iomsim.charts.style import NOBODY_GREY
from iomsim.errors import IomsimError
from iomsim.forecasting.estimates import in_100


def test_four_elections_on_the_clock() -> None:
    data = hand().plot.decision_time_data(n_dots=4)
    assert data["ended_at"].astype(str).tolist()[:3] == [
        "2023-05-15 12:00:00",
        "2023-05-15 16:10:00",
        "2023-05-16 10:40:00",
    ]
    assert data["ended_at"].isna().tolist() == [False, False, False, True]
    assert data["day"].tolist() == ["Monday", "Monday", "Tuesday", "later or never"]
    assert data["winner"].tolist() == ["A", "B", "A", "still voting"]
    assert data["spills"].tolist() == [False, False, True, True]


def test_four_elections_stand_where_they_end() -> None:
    ax = hand().plot.decision_time(n_dots=4)
    x, y = dots(ax).get_offsets().T
    ten, noon, ten_past_four = (
        0.0,
        4.0,
        12.0,
    )  # half-hours since 10:00; stacks are an hour wide, 16:10 is in that of 16:00
    monday = 2 * (18 - 10)
    tuesday = monday + 3  # a night is three stacks wide
    assert x.tolist() == pytest.approx([ten + noon + 1, ten_past_four + 1, tuesday + 1, tuesday + monday + 3 + 2])
    assert y == pytest.approx(np.full(4, y[0]))
    colours = [to_hex(colour).upper() for colour in dots(ax).get_facecolors()]
    assert colours == ["#0072B2", "#D55E00", "#0072B2", "#FFFFFF"]  # who is still voting is hollow
    rims = [to_hex(colour).upper() for colour in dots(ax).get_edgecolors()]
    assert rims[:3] == colours[:3]
    assert rims[3] not in (*colours, NOBODY_GREY)
    assert "2 of 4 dots" in words(ax)
    assert "2 of 4 dots on Tuesday or later" in words(ax)
    assert "later or\nnever: 1" in words(ax)


def test_a_shorter_axis_sends_more_to_the_last_column() -> None:
    data = hand().plot.decision_time_data(n_dots=4, days=1)
    assert data["day"].tolist() == ["Monday", "Monday", "later or never", "later or never"]
    assert hand().plot.decision_time_data(n_dots=4, days=3)["day"].tolist()[2:] == ["Tuesday", "later or never"]


@pytest.mark.parametrize("name", slow_but(CASES, "two", "live", "one run", "eight"))
def test_fifty_dots_within_the_axes(name: str) -> None:
    fc = case(name)
    fig = fc.plot.draw("decision_time")
    fig.draw_without_rendering()
    [ax] = fig.axes
    found = dots(ax)
    x, y = found.get_offsets().T
    assert len(x) == 50
    unit = ax.get_window_extent().width / np.ptp(ax.get_xlim())
    [radius] = set(np.round(found.get_transforms()[:, 0, 0] / unit, 9))  # as drawn, from pixels to units of x
    high = ax.get_window_extent().height / unit  # dots are as wide as x says: the height in the same units
    scale = high / np.ptp(ax.get_ylim())
    assert (x - radius).min() >= ax.get_xlim()[0]
    assert (x + radius).max() <= ax.get_xlim()[1]
    assert (y * scale - radius).min() >= -1e-9
    assert (y * scale + radius).max() <= high
    gaps = [np.hypot(a - c, (b - d) * scale) for (a, b), (c, d) in combinations(zip(x, y, strict=True), 2)]
    assert min(gaps) > 2 * radius  # none hides another


@pytest.mark.parametrize("name", slow_but(CASES, "two", "live", "one run", "eight"))
def test_dots_late_are_the_spill(name: str) -> None:
    fc = case(name)
    data, ax = fc.plot.decision_time_data(), picture(name, "decision_time")
    late = int(data["spills"].sum())
    assert abs(late - 50 * fc.spill().value) <= 0.5
    if fc.spilled:
        after = fc.opening_date + timedelta(days=2)
        late = int((data["ended_at"].isna() | (data["ended_at"] >= after)).sum())
        assert f"{late} of 50 dots on {after:%A} or later" in words(ax)
    else:
        assert f"{late} of 50 dots on {fc.next_day:%A} or later" in words(ax)
    assert "1 in 50" in " ".join(words(ax))
    wins = data["winner"].value_counts()
    for name_, p in fc.chances()["probability"].items():
        assert abs(wins.get(name_, 0) - 50 * p) <= 1.5
    assert data["ended_at"].dropna().is_monotonic_increasing


@pytest.mark.parametrize("name", ["two", "three", "strict", "live"])
def test_dots_stand_in_the_hour_in_which_they_end(name: str) -> None:
    fc = case(name)
    data, clock = fc.plot.decision_time_data(), lay_days(fc, fc.plot.decision_time_data(), 2)
    ax = picture(name, "decision_time")
    x = dots(ax).get_offsets()[:, 0]
    minutes = ((data["ended_at"] - fc.opening_date).dt.total_seconds() / 60).to_numpy()
    for day in clock:
        here = (minutes >= day.start) & (minutes < day.stop)
        assert (np.abs(x[here] - day.place(minutes[here])) <= 1).all()
        assert (x[here] > day.x).all()
        assert (x[here] < day.end).all()
    on = (data["day"] != "later or never").to_numpy()
    assert on.sum() == sum(((minutes >= day.start) & (minutes < day.stop)).sum() for day in clock)
    assert x[~on].min(initial=np.inf) > clock[-1].end
    assert all(later.x - earlier.end == 3 for earlier, later in pairwise(clock))


def test_after_a_friday_comes_a_monday() -> None:
    ax = picture("three", "decision_time")
    assert {"Friday 29 June", "Monday 2 July", "weekend"} <= set(words(ax))
    assert "night" not in words(ax)
    assert "night" in words(picture("two", "decision_time"))
    closed = iom.load("geneva-2023").with_clock(days=("Mon", "Thu"))
    fc = iom.forecast(closed, runs=200, seed=1, progress=False)
    assert {"Thursday 18 May", "no sitting"} <= set(words(fc.plot.decision_time()))


def test_lunch_is_shaded_and_hours_are_those_of_the_sittings() -> None:
    fc = case("two")
    ax = picture("two", "decision_time")
    day = lay_days(fc, fc.plot.decision_time_data(), 2)[0]
    assert (day.place(13 * 60), day.place(15 * 60), 0, 1) in spans(ax)
    assert words(ax).count("lunch") == 2
    hours = dict(zip(ax.get_xticks(), [t.get_text() for t in ax.get_xticklabels()], strict=True))
    assert hours[day.place(13 * 60)] == "13:00"
    assert list(hours.values())[:4] == ["9:00", "13:00", "15:00", "18:00"]
    assert STACK_MINUTES * day.place(13 * 60) == 240


def test_no_break_is_named_that_has_passed() -> None:
    assert words(picture("live", "decision_time")).count("lunch") == 2
    assert words(picture("live, two rounds", "decision_time")).count("lunch") == 1  # Monday's is over at 15:50


@pytest.mark.slow
@pytest.mark.parametrize("name", ["eight, live", "live", "live, on Tuesday"])
def test_the_last_hour_stands_clear_of_the_last_column_on_a_phone(name: str) -> None:
    fig = case(name).plot.draw("decision_time", theme="phone")
    fig.draw_without_rendering()
    [ax] = fig.axes
    [never] = [text for text in ax.texts if text.get_text().startswith("later or")]
    hours = max(text.get_window_extent().x1 for text in ax.get_xticklabels())
    assert never.get_window_extent().x0 - hours > 7 / 100 * fig.dpi


def test_breaks_are_shaded_and_sittings_are_not() -> None:
    sittings = (("09:00", "10:30"), ("11:30", "13:00"), ("15:00", "18:00"))
    race = iom.load("geneva-2023").with_clock(sittings=sittings, opens="2023-05-15T09:00:00")
    fc = iom.forecast(race, runs=200, seed=1, progress=False)
    ax, clock = fc.plot.decision_time(), lay_days(fc, fc.plot.decision_time_data(), 2)
    shades = {(start, stop) for start, stop, *_ in spans(ax) if stop - start < 5}
    breaks = ((630, 690), (780, 900))
    assert shades == {tuple(day.place(day.start // 1440 * 1440 + m) for m in b) for day in clock for b in breaks}
    assert words(ax).count("lunch") == 2


@pytest.mark.parametrize(
    ("closes", "opens", "word"),
    [
        ("12:00", "13:00", "lunch"),
        pytest.param("11:30", "12:59", "break", marks=pytest.mark.slow),
        pytest.param("13:59", "15:00", "lunch", marks=pytest.mark.slow),
        ("14:00", "15:30", "break"),
    ],
)
def test_lunch_is_a_break_that_begins_before_two_and_lasts_until_one(closes: str, opens: str, word: str) -> None:
    clock = {"sittings": (("09:00", closes), (opens, "18:00")), "opens": "2023-05-15T09:00:00"}
    fc = iom.forecast(iom.load("geneva-2023").with_clock(**clock), runs=50, seed=1, progress=False)
    assert [text for text in words(fc.plot.decision_time(days=1)) if text in ("lunch", "break")] == [word]


def test_dots_can_be_coloured_by_day() -> None:
    fc = case("two")
    ax = fc.plot.decision_time(by="day")
    late = fc.plot.decision_time_data()["spills"]
    colours = [to_hex(colour).upper() for colour in dots(ax).get_facecolors()]
    assert colours == ["#882255" if spills else "#DDCC77" for spills in late]
    assert ax.get_legend() is None
    with pytest.raises(IomsimError, match="coloured by 'day' or 'winner', got 'hour'"):
        fc.plot.decision_time(by="hour")


def test_the_key_counts_the_winners_dots() -> None:
    fc = case("three")
    counts = fc.plot.decision_time_data()["winner"].value_counts()
    said = [text.get_text() for text in picture("three", "decision_time").get_legend().get_texts()]
    assert said == [f"{name}: {counts[name]} dots" for name in [*fc.race.names, "still voting"]]
    both = picture("four rounds", "decision_time").get_legend().get_texts()
    assert [text.get_text().partition(":")[0] for text in both] == ["Pope", "Vitorino", "nobody"]


@pytest.mark.parametrize("wrong", [{"n_dots": 0}, {"days": 0}, {"n_dots": 2.5}])
def test_dots_and_days_are_whole_numbers(wrong: dict[str, Any]) -> None:
    with pytest.raises(IomsimError, match=f"{next(iter(wrong))} must be a whole number of at least 1"):
        case("two").plot.decision_time(**wrong)


def test_what_has_passed_is_shaded_on_the_clock() -> None:
    fc = case("live")
    ax, day = picture("live", "decision_time"), lay_days(fc, fc.plot.decision_time_data(), 2)[0]
    [solid] = [line for line in ax.lines if line.get_linewidth() == 4]
    assert solid.get_xdata().tolist() == [day.x, day.place(12 * 60 + 20)]
    assert "announced\n98\N{EN DASH}67\nas of 12:20" in words(ax)
    assert dots(ax).get_offsets()[:, 0].min() > day.place(12 * 60 + 20)


def test_on_tuesday_the_axis_begins_with_tuesday() -> None:
    fc = case("live, on Tuesday")
    ax = picture("live, on Tuesday", "decision_time")
    into = in_100(fc.share(fc.runs_into(date(2023, 5, 17))).value)
    assert plain(ax.get_title()).endswith(
        f"104\N{EN DASH}61 voting has run into Tuesday; it runs on into Wednesday in {into} of 100 elections"
    )
    assert {"Tuesday 16 May", "Wednesday 17 May"} <= set(words(ax))
    assert not any("Tuesday or later" in text for text in words(ax))  # on Tuesday the question is another
    assert lay_days(fc, fc.plot.decision_time_data(), 2)[0].start // (24 * 60) == 1


@pytest.mark.parametrize("name", slow_but([name for name in CASES if name != "one run"], "two", "live"))
def test_dots_fill_the_height(name: str) -> None:
    ax = picture(name, "decision_time")
    found = dots(ax)
    y, low, high = found.get_offsets()[:, 1], *ax.get_ylim()
    unit = ax.get_window_extent().width / np.ptp(ax.get_xlim())
    radius = found.get_transforms()[0, 0, 0] / unit
    assert (y.max() + radius - low) / (high - low) > 0.6 or 2 * radius > 0.9 * max(STACKS)


def test_the_clock_is_named() -> None:
    assert "Hours of Europe/Zurich." in case("two").plot.chart("decision_time").caption.reading
    race = case("two").race.with_clock(timezone="Asia/Tokyo")
    assert "Asia/Tokyo" in iom.forecast(race, runs=20, seed=1, progress=False).plot.chart("decision_time").reading()


def test_hours_are_the_same_however_narrow_the_axes() -> None:
    wide = picture("two", "decision_time")
    narrow = case("two").plot.decision_time(ax=plt.figure(figsize=(8, 4)).subplots(1, 3)[0])
    told = [[t.get_text() for t in ax.get_xticklabels()] for ax in (wide, narrow)]
    assert told[0] == told[1]
    assert {t.get_rotation() for t in narrow.get_xticklabels()} == {90}
    assert {t.get_rotation() for t in wide.get_xticklabels()} == {0}


# -- midnight, deadlines, weeks --------------------------------------------------------------------------


def forecast(runs: int = 300, **clock: Any) -> iom.Forecast:
    return iom.forecast(iom.load("geneva-2023").with_rules("strict").with_clock(**clock), runs, seed=1, progress=False)


def test_a_sitting_that_passes_midnight_is_drawn_in_one_piece() -> None:
    fc = forecast(opens="2023-05-15T20:00", sittings=[["20:00", "02:00"]], formalities=30, days=["Mon", "Tue", "Wed"])
    data, ax = fc.plot.decision_time_data(), fc.plot.decision_time()
    first, second = lay_days(fc, data, 2)
    assert (first.start, second.start) == (20 * 60, 44 * 60)
    assert first.stop >= 26 * 60
    assert [text.get_text() for text in ax.get_xticklabels()] == ["20:00", "2:00"] * 2
    assert {"Monday 15 May", "Tuesday 16 May", "night"} <= set(words(ax))
    minutes = ((data["ended_at"] - fc.opening_date).dt.total_seconds() / 60).to_numpy()
    small_hours = (minutes >= 1440) & (minutes < 1440 + 240)
    assert small_hours.any()
    assert set(data["day"][small_hours]) == {"Monday"}  # the day on which their sitting opened
    assert data["spills"][small_hours].all()  # but Tuesday all the same
    x = dots(ax).get_offsets()[:, 0]
    assert (np.abs(x[small_hours] - first.place(minutes[small_hours])) < 1).all()
    [shade] = [span for span in spans(ax) if span[1] - span[0] > 5]
    assert shade[0] == first.place(1440)


def test_breaks_lie_where_they_do_if_what_may_come_begins_after_midnight() -> None:
    race = iom.load("geneva-2023").with_rules("strict")
    race = race.with_clock(opens="2023-05-15T18:00", sittings=[["18:00", "20:00"], ["22:00", "03:00"]])
    day = iom.live(race, particles=300, seed=1)
    day.announce(Pope=85, Vitorino=80, at="2023-05-16 00:40")
    fc = day.forecast()
    first, second = lay_days(fc, fc.plot.decision_time_data(), 2)
    assert (first.number, second.number) == (0, 1)
    assert first.start <= 1440 + 40 < first.stop
    ax = fc.plot.decision_time()
    assert "Monday 15 May" in words(ax)
    assert (second.place(1440 + 20 * 60), second.place(1440 + 22 * 60), 0, 1) in spans(ax)


def test_nothing_is_drawn_after_the_deadline() -> None:
    fc = forecast(1000, deadline="2023-05-15T18:00")
    ax, data = fc.plot.decision_time(), fc.plot.decision_time_data()
    assert "Tuesday" not in " ".join([ax.get_title(), *words(ax), *data["day"]])
    left = fc.endings().loc[("open", "no winner"), "probability"]
    assert f"unfinished at the deadline in about {round(20 * left) * 5} of 100 elections" in " ".join(
        ax.get_title().split()
    )
    assert (data["day"] == "later or never").sum() == pytest.approx(50 * left, abs=1)
    later = forecast(deadline="2023-05-16T12:00").plot.decision_time(days=5)
    assert {"Monday 15 May", "Tuesday 16 May"} < set(words(later))
    assert "Wednesday 17 May" not in words(later)
    assert "into Tuesday" in later.get_title()


def test_what_happens_after_the_deadline_is_drawn_too() -> None:
    race = iom.load("geneva-2023").with_rules("strict").with_clock(deadline="2023-05-15T18:00")
    day = iom.live(race, particles=300, seed=1)
    day.announce(Pope=85, Vitorino=80, at="Tuesday 11:00")
    assert "Tuesday 16 May" in words(day.forecast().plot.decision_time())


def test_a_weekday_that_could_mean_another_day_is_a_date() -> None:
    fc = forecast(days=["Mon"])
    ax = fc.plot.decision_time()
    assert "into Monday 22 May in" in " ".join(ax.get_title().split())
    assert fc.plot.decision_time_data()["day"].drop_duplicates().tolist() == [
        "Monday",
        "Monday 22 May",
        "later or never",
    ]
    assert any(text.endswith("dots on Monday 22 May or later") for text in words(ax))
    assert fc.plot.rounds_data().columns[2] == "Monday 22 May or later"
    day = iom.live(fc.race, particles=300, seed=1)
    day.announce(Pope=85, Vitorino=80, at="2023-05-22 11:10")
    told = day.forecast()
    assert "voting has run into Monday already" in told.answer()  # on that day itself no date is needed
    assert "22 May" not in told.answer()
    assert "22 May 11:10" in words(day.plot.live())


def test_elections_without_a_round_are_drawn() -> None:
    fc = forecast(formalities=35, deadline="2023-05-15T09:35")
    assert 0.3 < (fc.runs["rounds"] == 0).mean() < 0.7
    for name in ("decision_time", "rounds", "trajectories", "flows", "win_probability"):
        assert fc.plot.draw(name).axes
    data = fc.plot.rounds_data()
    assert data["still voting"].sum() == pytest.approx(fc.chances().loc["still voting", "probability"])
    assert data["ends"].sum() == pytest.approx(1)  # also what ends before the first round
