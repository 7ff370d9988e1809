"""The words of charts: names cut short, and what has been announced."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from chart_cases import LONG, ON_AXES, case, label, line_of, picture, plain
from toys import slow_but, toy

import iomsim as iom
from iomsim.charts.measures import balanced, lines_of, text_width
from iomsim.charts.text import letters, short, short_names, tally, whole_parts, with_announced


def test_what_was_announced_is_a_fact() -> None:
    fc = case("live, two rounds")
    assert tally(fc, 1) == {"Pope": 98, "Vitorino": 67}
    assert tally(fc, 2) == {"Pope": 104, "Vitorino": 61}
    assert tally(fc, 3) is None
    assert tally(case("two"), 1) is None


def test_what_was_announced_in_part_is_not() -> None:
    night = iom.live(iom.load("geneva-2023"), particles=1500, seed=2023)
    night.announce({"Pope": "at least 90"}, at="12:20")
    fc = night.forecast()
    assert tally(fc, 1) is None
    assert fc.plot.rounds().get_title().startswith("After round 1 voting takes ")


def test_what_the_examples_agree_on_by_chance_is_no_fact() -> None:
    """One count and the papers are known, so that one share is; the other two are not, whatever the examples say."""
    night = iom.live(toy(15, "ABC", rules="strict"), particles=300, seed=1)
    fc = night.announce(A=6, valid=14) and night.forecast()
    alike = replace(fc, summary=replace(fc.summary, examples=fc.outcomes.head(1)))
    assert tally(alike, 1) is None
    night.undo()
    fc = night.announce(A=6, B=5, C=3) and night.forecast()
    assert tally(replace(fc, summary=replace(fc.summary, examples=fc.outcomes.head(1))), 1) == {"A": 6, "B": 5, "C": 3}


@pytest.mark.parametrize("chart", slow_but(ON_AXES, "flows", "rounds"))
def test_live_charts_begin_with_what_was_announced(chart: str) -> None:
    said = plain(picture("live", chart).get_title())
    assert re.match("After 98\N{EN DASH}67(?:, [0-9]| [A-Za-z])", said)  # two numbers do not stand side by side
    assert not picture("two", chart).get_title().startswith("After")
    title = plain(picture("over", chart).get_title())
    assert f"{title}." == case("over").answer()


@pytest.mark.parametrize("chart", ["rounds", "flows"])
def test_announced_votes_stand_under_their_rounds(chart: str) -> None:
    ax = getattr(case("live, two rounds").plot, chart)()
    assert line_of(ax, "Pope, announced") == ["98", "104"]
    assert line_of(ax, "Vitorino, announced") == ["67", "61"]
    x = [label(ax, votes).xy[0] for votes in ("98", "104")]
    assert x == [1, 2]


@pytest.mark.parametrize("width", [8, 18, 28])
@pytest.mark.parametrize("name", ["Bo", "Maria do Carmo de Albuquerque e Castro", "L" * 60, "an 18-letters name"])
def test_short_names_are_short(name: str, width: int) -> None:
    assert 0 < len(short(name, width)) <= width
    assert short(name, width) == name or "…" in short(name, width)
    assert all(len(line) <= width for line in short(name, width, lines=2).splitlines())
    assert len(short(name, width, lines=2).splitlines()) <= 2


@pytest.mark.parametrize("width", [8, 18, 28])
def test_last_names_survive_and_tell_apart(width: int) -> None:
    pairs = ["Ngozi Okonjo-Iweala", "Uche Okonjo-Iweala", "Ngozi Achebe"]
    for names in (LONG, pairs, ["John Smith the Elder of Nowhere", "John Smith the Younger of Nowhere", "Nowhere"]):
        called = short_names(names, width)
        assert list(called) == list(names)
        assert len(set(called.values())) == len(names)
        assert all(0 < letters(told) <= width for told in called.values())
        assert all(told == name for name, told in called.items() if letters(name) <= width)
        two = short_names(names, width, lines=2)
        assert all(line for told in two.values() for line in told.splitlines())
        assert max(told.count("\n") for told in two.values()) <= 1
    assert short_names(["Amy Pope", "Ngozi Okonjo-Iweala"])["Ngozi Okonjo-Iweala"] == "Okonjo-Iweala"
    wide = "\N{CJK UNIFIED IDEOGRAPH-738B}" * 10
    assert letters(short_names([wide, "Bo"], 18)[wide]) <= 18 < letters(wide)


def test_parts_add_up_to_their_rounded_sum() -> None:
    draws = np.random.default_rng(1)
    for _ in range(50):
        parts = 30 * draws.random(draws.integers(1, 9))
        whole = whole_parts(parts)
        assert sum(whole) == round(parts.sum())
        assert np.abs(np.array(whole) - parts).max() < 1


def test_lines_of_a_title_are_even_and_never_wider_than_their_room() -> None:
    title = "After 15-10-9-8-7-5-4-2 MMMM WWWW wins, not Featherstonehaugh-Cholmondeley in 38 of 100 elections"
    for room in (230.0, 260.0, 330.0):
        lines = balanced(title, room, 11.0, "bold").split("\n")
        wide = [text_width(line, 11.0, "bold") for line in lines]
        assert max(wide) <= room
        assert len(lines) == len(lines_of(title, room, 11.0, "bold").split("\n"))
        assert "Featherstonehaugh-Cholmondeley" in " ".join(lines)


def test_a_name_never_takes_more_lines_than_it_has() -> None:
    for name in ("common shock towards Κωνσταντίνος Παπαδόπουλος (log-odds)", "a " * 40, "x" * 90):
        assert short(name, 30, 2).count("\n") <= 1


def test_a_percent_sign_stays_with_its_number(many: iom.Scenario) -> None:
    ax = iom.forecast(many, runs=50, seed=1, progress=False).plot.rounds()
    assert "80\N{NO-BREAK SPACE}% chance" in ax.get_title().replace("\n", " ")


def test_after_what_was_announced_a_sentence_goes_on_with_a_small_letter_but_for_names() -> None:
    day = iom.live(toy(9, ["Wilhelmina Featherstonehaugh-Cholmondeley", "B"]), particles=200, seed=1)
    day.announce({"Wilhelmina Featherstonehaugh-Cholmondeley": 5, "B": 4})
    fc = day.forecast()
    called = short_names(fc.race.names, 28)[fc.race.names[0]]
    assert called != fc.race.names[0]
    for sentence in (f"{called} is ahead", "B is ahead", "Tuesday is near"):
        assert with_announced(fc, sentence).endswith(sentence)
    assert with_announced(fc, "Voting takes 1 round").endswith(" voting takes 1 round")
