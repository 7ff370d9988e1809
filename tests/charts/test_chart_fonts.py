"""Letters that the font of the charts lacks."""

from __future__ import annotations

import warnings

import matplotlib as mpl
import pytest
from matplotlib import font_manager
from matplotlib.text import Text

import iomsim as iom
from iomsim.charts import fonts
from iomsim.charts.style import styled

ONLY_IN_SERIF = "\N{MODIFIER LETTER LOW UP ARROWHEAD}"  # of the fonts that come with matplotlib, not in DejaVu Sans
NOWHERE = "\N{CJK UNIFIED IDEOGRAPH-738B}"


@pytest.fixture(autouse=True)
def _only_the_fonts_of_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [font for font in font_manager.fontManager.ttflist if font.fname.startswith(mpl.get_data_path())]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    fonts._tell.cache_clear()


def _named(name: str) -> iom.Forecast:
    race = iom.load("minimal")
    race = type(race).model_validate({**dict(race), "candidates": [{"name": name}, {"name": "B"}], "sponsors": []})
    return iom.forecast(race, runs=50, seed=1, progress=False)


def test_another_font_is_found_for_what_one_lacks() -> None:
    before = mpl.rcParams["font.family"]
    with styled(words=f"Pope {ONLY_IN_SERIF}"):
        found = mpl.rcParams["font.family"]
    assert found[: len(before)] == before
    assert len(found) == len(before) + 1
    path = font_manager.findfont(font_manager.FontProperties(family=found[-1:]))
    assert ONLY_IN_SERIF in fonts._signs(path)
    assert mpl.rcParams["font.family"] == before


def test_letters_that_no_font_has_are_told_once() -> None:
    fc = _named(f"{NOWHERE} Yi")
    with pytest.warns(UserWarning, match=f"no font of this machine has '{NOWHERE}'; a box is drawn in place"):
        fc.plot.draw("win_probability")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fc.plot.svg("win_probability")


def test_names_from_right_to_left_need_a_new_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    arabic = "\N{ARABIC LETTER MEEM}\N{ARABIC LETTER REH}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.setattr(mpl, "__version__", "3.11.0")
        fonts.families(arabic)
        monkeypatch.setattr(mpl, "__version__", "3.10.1")
        with pytest.raises(UserWarning, match=r"3\.10\.1 does not set names from right to left"):
            fonts.families(arabic)


@pytest.mark.parametrize("chart", ["win_probability", "decision_time"])
def test_a_number_stays_where_it_is_written_beside_a_name_from_right_to_left(
    chart: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alef = "\N{HEBREW LETTER ALEF}"
    monkeypatch.setattr(mpl, "__version__", "3.11.0")
    fig = _named(f"{alef}{alef} {alef}").plot.draw(chart)
    fig.draw_without_rendering()  # which labels ticks anew
    told = [text.get_text() for text in fig.findobj(Text) if alef in text.get_text()]
    assert len(told) >= 1
    assert [text.count(f"\u2068{alef}{alef} {alef}\u2069") for text in told] == [1] * len(told)


def test_what_is_lacking_is_told_also_where_another_font_has_a_part() -> None:
    with pytest.warns(UserWarning, match=f"no font of this machine has '{NOWHERE}';"):
        assert len(fonts.families(f"{ONLY_IN_SERIF}{NOWHERE}")) == len(mpl.rcParams["font.family"]) + 1
