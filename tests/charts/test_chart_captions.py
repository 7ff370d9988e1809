"""What charts say and how far their axes reach, letter by letter, from results that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from chart_cases import beside, hand, lines_of, pivotal, plane, sobol, tornado
from toys import night_of, toy

import iomsim as iom
from iomsim.charts.caption import captions
from iomsim.charts.rounds import MAX_BARS, Rounds

DASH = "\N{EN DASH}"


def wilson(hits: int, runs: int) -> tuple[float, float]:
    """Return Wilson's interval, written out."""
    p, z = hits / runs, 1.959964
    middle, half = p + z**2 / (2 * runs), z * (p * (1 - p) / runs + z**2 / (4 * runs**2)) ** 0.5
    return (middle - half) / (1 + z**2 / runs), (middle + half) / (1 + z**2 / runs)


ERROR = f"{50 * (wilson(2, 4)[1] - wilson(2, 4)[0]):.1f} points (95 %)"  # of what comes in two elections of four


# Four elections: A in round 1, B in round 2, A on Tuesday in round 2, one open after round 3 (see `hand`).
FOUR = {
    "win_probability": (
        "A and B are level; about 20 of 100 elections are still voting after three rounds",
        f"Bars: 4 runs. On the best guesses; simulation error at most {ERROR}.",
        "Bar chart of who wins: A about 50 in 100, B about 20 in 100, still voting about 20 in 100.",
        (0, 100),
        (2.65, -0.5),
    ),
    "rounds": (
        "Voting takes 2 rounds in the median (80 % chance of 1 to 3 or more)",
        "Of 100 elections, how many end after so many rounds, by the day of the end. "
        f"On the best guesses; simulation error at most {ERROR}.",
        "Bar chart of the rounds to the end, of 100 elections: round 1 25; round 2 50; round 3 25.",
        (0.4, 6.6),
        (0, 1.14 * 50),
    ),
    "decision_time": (
        "Voting runs into Tuesday in about 50 of 100 elections",
        "Each dot is 1 in 50 elections, placed where its voting ends, in the winner's colour. "
        f"On the best guesses; simulation error at most {ERROR}. Hours of Europe/Zurich.",
        "Dot plot of when voting ends, 50 equally likely elections: Monday 25; Tuesday 13; later or never 12. "
        "25 on Tuesday or later.",
        (-0.3, 16 + 3 + 16 + 3 + 4 + 0.3),  # two days of eight hours, two nights, four stacks of what never ends
        None,
    ),
    "trajectories": (
        "Too few elections vote to say where the shares lie",
        "Bands: A's share of valid papers in the elections that hold a ballot (last row). "
        "Lines: four elections as examples; dot: decided, in the winner's colour. On the best guesses.",
        "Fan chart of shares by round. Too few elections vote to say where the shares lie. "
        "Elections that hold a ballot, of 100: round 1 all, round 2 75, round 3 25.",
        (0.6, 4.4),
        (100 * (1 - 2 / 3 - 0.05) - 3, 100 * 7 / 9 + 3),
    ),
    "flows": (
        "Too few runs to say who changes sides",
        "Bars: members for each, on average over the elections that hold the round. Short ends: elections without "
        "another ballot; streams: those with one, widened to all of them. Grey: fewer than 100 runs. "
        "On the best guesses.",
        "Stream chart of members between rounds. Too few runs to say who changes sides.",
        (0.9, 3.35),
        (9 * (1 + 3 * 0.03), -0.09),
    ),
}


@pytest.mark.parametrize("name", FOUR)
def test_four_elections_in_words_and_limits(name: str) -> None:
    title, reading, alt, x, y = FOUR[name]
    ax = hand().plot.draw(name).axes[0]
    [caption] = captions(ax)
    assert [part.replace("\N{NO-BREAK SPACE}", " ") for part in (caption.title, caption.reading, caption.alt)] == [
        title,
        reading,
        alt,
    ]
    assert ax.get_xlim() == pytest.approx(x)
    assert y is None or ax.get_ylim() == pytest.approx(y, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("rounds", {"by": "ending"}, "so many rounds, by how it ends. On the best guesses; "),
        ("decision_time", {"by": "day", "n_dots": 4}, "Each dot is 1 in 4 elections, placed where its voting ends."),
        (
            "win_probability",
            {"rules": False},
            "Bars: 4 runs. On the best guesses; simulation error",
        ),
    ],
)
def test_options_change_the_words(name: str, options: dict[str, object], said: str) -> None:
    [caption] = captions(hand().plot.draw(name, **options))
    assert said in caption.reading
    assert "Hollow" not in caption.reading  # there is one reading only


def test_the_last_bar_is_pooled_only_where_there_are_more_rounds() -> None:
    assert Rounds(hand(), most=3).data.index.tolist() == ["1", "2", "3"]
    two = Rounds(hand(), most=2).data
    assert two.index.tolist() == ["1", "2+"]
    assert two["ends"].tolist() == [0.25, 0.75]
    assert two["undecided"].tolist() == [0.75, 0]
    assert MAX_BARS == 12


def test_what_a_tornado_says() -> None:
    bars = tornado(behaviour__secrecy={0.2: 0.1, 0.6: -0.05}, behaviour__decay={0.1: 0.001, 0.9: -0.001})
    [caption] = captions(bars.plot.tornado())
    assert caption.title == "A's chance hangs most on secrecy: 50 in 100 at 0.2, and 35 at 0.6"
    assert caption.alt == f"Tornado chart. {caption.title}. secrecy 0.2 to 0.6: 50 to 35."
    assert caption.reading == (
        "Bars move one assumption at a time from the best guesses, to its low (light) or high (dark), which stand at "
        "the ends. Simulation error of a change at most 1.0 point (95 %). 1 other within noise of zero."
    )
    [rounds] = captions(bars.plot.tornado(target="rounds"))
    assert rounds.title.endswith(" hangs most on secrecy: 6.0 at 0.2, and 4.5 at 0.6")  # no "in 100"
    assert "Simulation error of a change at most 0.01 rounds (95 %)." in rounds.reading


def test_what_sobol_indices_say() -> None:
    ax = sobol(
        sponsors__W__strength=(0.4, 0.3, 0.5, 0.55, 0.5, 0.6, True),
        behaviour__fluid=(-0.01, -0.03, 0.02, 0.0, -0.01, 0.01, False),
    ).plot.sobol()
    [caption] = captions(ax)
    assert caption.alt == (
        "Dot plot of Sobol indices, in percent: W's strength 40 alone, 55 in all; "
        "chance of a fluid contest -1 alone, 0 in all."
    )
    assert ax.get_xlim()[0] < -3  # the interval below zero is shown
    assert sobol(behaviour__fluid=(0.4, 0.3, 0.5, 0.6, 0.5, 0.7, True)).plot.sobol().get_xlim()[0] <= 0


def test_what_members_are_worth_in_words() -> None:
    [caption] = captions(pivotal(3).plot.pivotal())
    assert caption.alt == "Dot plot of members by what a push is worth, in points: M1 3.0, M2 2.9, M3 2.8."
    assert caption.reading == (
        "Dots: how much likelier A wins, on the best guesses. Lines: 95 % intervals that hold for all members at once "
        "(of those won over: for each alone). A push of one log-odds moves a member from 50 to 73 in 100."
    )
    [drawn] = captions(pivotal(3, draws=True).plot.pivotal())
    assert "over all that is unsure" in drawn.reading
    assert "alone); bars: the middle 80 % over the assumptions. " in drawn.reading
    [one] = captions(pivotal(1).plot.pivotal())
    assert one.title == "The next call for A does most in M1"


def test_variants_stay_within_what_is_possible() -> None:
    ax = beside().plot.scenarios()
    low, high = ax.get_xlim()
    assert low >= -2
    assert high <= 102
    assert min(x for x, _ in lines_of(ax)) >= low
    assert ax.get_ylim() == pytest.approx((3 - 0.4, -0.6))
    [caption] = captions(ax)
    assert caption.reading == (
        "Thin lines: the middle 80 % over the assumptions. Differences from 'as it is' (dotted) are known better than "
        "that: all variants share their draws of the assumptions and random numbers."
    )


def test_what_maps_and_curves_say() -> None:
    maps, curve = plane().plot.chart("pressure_grid").caption, iom.grid(toy(9), secrecy=[0, 1], runs=30, seed=1).plot
    rest = "ing: the best guesses, at which all else stays. Simulation error at most"
    low, high = wilson(500, 1000)
    error = f"{50 * (high - low):.1f} points (95 %), alike at all points."
    votes = "Votes: A's mean in the first round at that value, all else at the best guesses."
    assert maps.reading == f"Lines: 10, 25, 50, 75 and 90 of 100 elections; r{rest} {error} {votes}"
    assert maps.alt == plane().sentence()
    assert curve.chart("pressure_grid").caption.reading.startswith(f"R{rest}")


def test_what_a_day_says() -> None:
    day = night_of(toy(9), particles=200, seed=1)
    before = day.plot.chart("live").caption
    assert before.title.startswith("Nothing is announced yet: ")
    assert before.alt.startswith("Line chart of probabilities in 100 after each of 0 announcements: A ")
    day.announce(A=5, B=4)
    ax = day.plot.live()
    now = captions(ax)[0]
    assert now.title.startswith(f"After 5{DASH}4 A wins in ")
    words = "The forecast after each announcement; dotted: the forecast before the vote."
    assert now.reading.startswith(f"{words} ")
    rest = [name for name in ("nobody", "still voting") if day.history()[name].max() >= 0.005]
    assert now.alt.count(";") == len(["A", "B", *rest, "spill"]) - 1
    assert ax.get_ylim() == (-3, 103)
    assert ax.get_xlim() == pytest.approx((-0.4, 1 + 0.1 + 0.24 * 3))
    table = day.plot.learned_data()
    shown = table[table["prior sd"] > 0]
    assert day.plot.learned().get_ylim() == pytest.approx((len(shown) - 0.4, -0.6))
    assert np.isnan(table.loc[table["prior sd"] == 0, "shift"]).all()


@pytest.mark.slow
def test_axes_say_what_they_count() -> None:
    found = sobol(behaviour__fluid=(0.4, 0.3, 0.5, 0.6, 0.5, 0.7, True))
    bars = tornado(behaviour__secrecy={0.2: 0.1, 0.6: -0.05})
    day = iom.live(toy(9), particles=100, seed=1)
    axes = {
        "who wins": hand().plot.win_probability(),
        "what moves it": bars.plot.tornado(),
        "rounds": bars.plot.tornado(target="rounds"),
        "indices": found.plot.sobol(),
        "members": pivotal(3).plot.pivotal(),
        "variants": beside().plot.scenarios(),
        "learned": day.plot.learned(),
    }
    assert {name: ax.get_xlabel() for name, ax in axes.items()} == {
        "who wins": "of 100 elections",
        "what moves it": "of 100 elections",
        "rounds": "rounds on average",
        "indices": "share of the variance, of 100",
        "members": "points of win probability",
        "variants": "of 100 elections",
        "learned": "sds of the prior from its mean",
    }
    assert day.plot.live().get_ylabel() == "of 100 elections"
    maps = plane().plot.pressure_grid().axes[2:]
    assert [bar.get_ylabel() for bar in maps] == ["of 100 elections"] * 2
    curves = iom.grid(toy(9), secrecy=[0, 1], runs=30, seed=1).plot.pressure_grid().axes
    assert [ax.get_ylabel() for ax in curves] == ["of 100 elections"] * 2
