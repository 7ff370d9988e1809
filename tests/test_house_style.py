"""How numbers and lists are written, and what a newsroom changes in it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pandas as pd
import pytest

import iomsim as iom
from iomsim import house_style
from iomsim.errors import IomsimError
from iomsim.forecasting.result import Result
from iomsim.house_style import (
    ENDLESS,
    SI,
    Text,
    columns,
    hanging,
    in_lines,
    number,
    number_of,
    on_screen,
    options,
    ordinal,
    percent,
    series,
    some_of,
    thousands,
)


@pytest.fixture(autouse=True)
def house() -> Iterator[None]:
    yield
    options(**SI)


def test_the_house_style_is_that_of_the_si() -> None:
    assert (percent(80), thousands(20_000)) == ("80 %", "20\N{NARROW NO-BREAK SPACE}000")


def test_a_newsroom_has_its_own_until_the_end_of_the_statement() -> None:
    with options(percent="80%", thousands=",") as now:
        assert (now.percent, now.thousands) == ("80%", ",")
        assert (percent(2.5, 1), thousands(1_234_567)) == ("2.5%", "1,234,567")
        with options(thousands=""):
            assert (percent(80), thousands(20_000)) == ("80%", "20000")
        assert thousands(20_000) == "20,000"
    assert (percent(80), thousands(999)) == ("80 %", "999")


def test_without_a_statement_it_stays() -> None:
    options(percent="80 per cent")
    assert percent("31 to 68") == "31 to 68 per cent"
    assert options().percent == "80 per cent"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"percent": "%"}, "percent must show how eighty percent are written, such as '80%', got '%'"),
        ({"percent": 80}, "percent must show how eighty percent are written, such as '80%', got 80"),
        ({"thousands": "."}, "thousands must be one sign such as ',' but no point, or '' for none; got '.'"),
        ({"percent": "80%", "thousands": "0"}, "thousands must be one sign"),
    ],
)
def test_what_cannot_be_an_option_changes_nothing(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(IomsimError, match=f"^{said.replace('.', '[.]')}"):
        options(**wrong)
    assert options() == house_style.Options(**SI, _before={})


def test_numbers_up_to_twelve_are_words() -> None:
    assert [number(n) for n in (0, 1, 12, 13)] == ["no", "one", "twelve", "13"]
    assert [number_of(n, "round") for n in (1, 2, 40)] == ["one round", "two rounds", "40 rounds"]
    assert [ordinal(n) for n in (1, 10, 11, 12, 13, 21, 22, 103, 111)] == [
        "first", "tenth", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th",
    ]  # fmt: skip


def test_lists_have_no_comma_before_and() -> None:
    assert [series(list("ABC"[:n])) for n in (1, 2, 3)] == ["A", "A and B", "A, B and C"]


def test_a_number_stays_with_its_percent_sign() -> None:
    assert in_lines("with an 80 % chance", 10) == "with an\n80 %\nchance"
    assert in_lines("a well-known no-break", 8) == "a\nwell-known\nno-break"


def test_a_text_is_printed_in_lines_and_stays_a_string(capsys: pytest.CaptureFixture[str]) -> None:
    text = Text("Pope and Vitorino are level. " * 5)
    print(text)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= house_style.WIDTH
    assert "\n" not in text
    assert json.loads(json.dumps(text)) == text == f"{text}"
    assert repr(text) == str(text)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Rows(Result):
    """Twenty rows of twelve columns."""

    race, seed, runs = iom.load("minimal"), 1, 100

    def sentence(self) -> str:
        return "Pope and Vitorino are level. " * 5

    def table(self) -> pd.DataFrame:
        return pd.DataFrame({f"column {i}": range(20) for i in range(12)}).rename_axis("row")


def test_on_a_terminal_lines_end_where_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    found, text = Rows(), Text(Rows().sentence())
    long = f"{text[:]}\n  {text[:]}"
    assert (on_screen(long), columns(ENDLESS)) == (long, ENDLESS)
    assert hanging("Rules", text[:], ENDLESS) == f"Rules:       {text[:].strip()}"
    assert max(map(len, repr(found).splitlines())) > 120
    assert "... 5 more; table() has them all" in repr(found).splitlines()
    assert "<p>... 5 more; table() has them all</p>" in found._repr_html_()
    monkeypatch.setattr(sys, "stdout", Terminal())
    for width in (300, 70):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = [
            line for x in (text, found, found.race) for line in [*str(x).splitlines(), *on_screen(long).split("\n")]
        ]
        assert max(map(len, lines)) <= width
        assert max(map(len, str(text).splitlines())) <= house_style.WIDTH
    assert all(repr(found).count(f"column {i} ") == 1 for i in range(12))
    assert any(line.startswith(house_style.BESIDE) for line in str(found.race).splitlines())
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stdout", stream)
        assert columns() == house_style.WIDTH


def test_everything_that_is_worded_follows() -> None:
    fc = iom.forecast(iom.load("minimal"), runs=2000, seed=1, progress=False)
    told = fc.stamp() + fc.answer()
    with options(percent="80%", thousands=","):
        news = fc.stamp() + fc.answer()
    assert "2\N{NARROW NO-BREAK SPACE}000 runs" in told
    assert news == told.replace("\N{NARROW NO-BREAK SPACE}", ",").replace(" %", "%") != told


def test_one_other_is_one() -> None:
    assert some_of(list("ABCD")) == "A, B, C (and one other)"
