"""What pages are made of: pictures that are small and have the colours of the reader, and what stands at the foot."""

from __future__ import annotations

import html
from xml.etree import ElementTree

import pytest
from toys import toy

import iomsim as iom
from iomsim.charts import of, pages
from iomsim.charts.files import svg
from iomsim.charts.report import SECTIONS
from iomsim.charts.style import VISIBLE, contrast

NIGHT = "#16181c"
"""The page of a dark chart."""


def at_night(picture: str) -> str:
    """Return a part of a page with the colours that it has on dark ones."""
    return pages.BOTH.sub(r"#\2", picture)


def colours(picture: str, words: bool) -> list[str]:
    """Return the colours of a picture in their order: of its words, or of all else."""
    tree = ElementTree.fromstring(picture)
    looks = [one.get("style", "") for one in tree.iter() if one.tag.endswith("}text") == words]
    return [colour for look in looks for colour in pages.COLOUR.findall(look)]


@pytest.fixture(scope="module")
def fc() -> iom.Forecast:
    return iom.forecast(toy(15, "ABC", rules="until-two-thirds"), 400, 3, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", SECTIONS)
def test_a_light_drawing_is_on_dark_pages_what_the_dark_one_is(name: str, fc: iom.Forecast) -> None:
    raw = {theme: svg(of(fc).draw(name, stamp=False, theme=theme), 760, theme) for theme in ("light", "dark")}  # type: ignore[arg-type]
    by_day = pages.as_part(raw["light"], "a", *pages.by_night(fc.race.colours.values()))
    night, dark = at_night(by_day), pages.as_part(raw["dark"], "a", {}, {})
    assert pages.COLOUR.sub("", night) == pages.COLOUR.sub("", dark)
    assert colours(night, words=True) == colours(dark, words=True)
    for shown, wanted in zip(colours(night, words=False), colours(dark, words=False), strict=True):
        assert shown == wanted or contrast(shown, NIGHT) >= VISIBLE  # lines in the ink of words may be in that of marks
    assert at_night(by_day) != pages.BOTH.sub(r"#\1", by_day)  # a guard


RAW = """<svg xmlns="http://www.w3.org/2000/svg" aria-label="of 1.2345 and #222222">
 <title>a</title> <desc>b</desc> <metadata><a>c</a></metadata> <defs><style>*{}</style></defs>
 <g id="line2d_1">
 <path id="m0123456789" d="M 10.123456 20 \nL 10.123456 5 \nL 3 0.00461 \nz\n" style="fill: none"/> </g>
 <path d="M 1 2 \nL 1.5 2 \n" clip-path="url(#p0123456789)" style="stroke-dashoffset: 0; fill: #0072b2"/>
 <use xlink:href="#m0123456789" xmlns:xlink="x" fill="#ffffff" style="fill: #abcdef"/>
 <text style="font-size: 9px; font-family: 'A', b; fill: #0072b2"
  transform="rotate(-0 1 2)">a: b;  &lt; 1.2345 #222222</text>
 <text transform="translate(1 2.346) rotate(-90)">a</text>
</svg>"""


def test_a_picture_becomes_small_without_a_change() -> None:
    found = pages.as_part(RAW, "x", *pages.by_night(["#0072B2"]))
    assert found == (
        '<svg xmlns="http://www.w3.org/2000/svg" aria-label="of 1.2345 and #222222"><defs/>'
        '<g><path id="x0" d="M10.1 20V5L3 0z" style="fill:none"/></g>'
        '<path d="M1 2L1.5 2" clip-path="url(#x1)" style="fill:#0072b2"/>'
        '<use xmlns:xlink="x" xlink:href="#x0" fill="var(--cffffff-16181c)" style="fill:#abcdef"/>'
        '<text style="font-size:9px;fill:var(--c0072b2-2b8abe)">a: b;  &lt; 1.2345 #222222</text>'
        '<text transform="translate(1 2.35)rotate(-90)">a</text></svg>'
    )


def test_a_page_says_each_colour_once_for_light_and_for_dark() -> None:
    page = pages.document(
        "A", ["<p style='color:var(--c222222-eeeeee)'></p>", "<b style='color:var(--c222222-eeeeee)'>"], "", ""
    )
    assert page.count("color:var(--c0)") == 2
    assert ":root { --c0: #222222; }" in page
    assert "@media screen and (prefers-color-scheme: dark) { :root { --c0: #eeeeee; } }" in page


def test_words_from_right_to_left_are_isolated_from_the_numbers_beside_them() -> None:
    page = pages.document("A", ["<p>\u05d0\u05d1 \u05d2, 17 to B</p>", "<text>C: 5, \u0645 3</text>"], "", "")
    assert "<p>&#x2068;\u05d0\u05d1 \u05d2&#x2069;, 17 to B</p>\n<text>C: 5, &#x2068;\u0645&#x2069; 3</text>" in page


def test_the_foot_of_the_page_names_sources_and_licences() -> None:
    foot = html.unescape(pages.rights(iom.load("geneva-2023")))
    assert "CIA World Factbook, 11 May 2023" in foot
    assert "OECD terms and conditions: figures with attribution: OECD, DAC table 2a, net disbursements." in foot
    assert "derived" not in foot
    assert "MIT licence" in pages.rights(toy(15))
