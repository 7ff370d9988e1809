"""What pages that need nothing else are made of: charts in the colours of the reader, tables, head and foot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any
from xml.dom import minidom

import pandas as pd
from matplotlib.figure import Figure

from iomsim.charts.base import Chart
from iomsim.charts.files import svg
from iomsim.charts.fonts import IN_XML, isolated
from iomsim.charts.style import (
    FIRST_DAY,
    LATER_DAY,
    NOBODY_GREY,
    STILL_GREY,
    Theme,
    dark,
    faint,
    ink,
    mark,
    paper,
    quiet,
    styled,
)
from iomsim.files import csv_text
from iomsim.house_style import capital
from iomsim.model.moments import full_date
from iomsim.model.quantities import in_digits
from iomsim.model.scenario import Scenario

DRAWN: dict[str, tuple[Theme, float]] = {"large": ("light", 105.5), "small": ("phone", 96.0)}
"""The drawings of a chart, by the class of the style that shows them: their themes, and pixels to an inch."""

COLUMN = 800
"""Pixels above which a chart is broader than the words of a page, where there is room: so that its own can be read."""

MAX_COLUMNS = 7
"""Columns of a table that fit into the page."""

UNSEEN = ("metadata", "style", "title", "desc")
"""Parts of a picture that say again what the page says."""

SPARE = re.compile(r"font-family: [^;]*;?|stroke-dashoffset: 0;|^rotate\(-?0 .*|\s+(?=[A-Za-z]|$)|(?<=[A-Za-z:;])\s+")
"""What attributes hold and nobody needs: letters, of which the page's style says all, turns by nothing, and spaces."""

LONG, COLOUR = re.compile(r"-?\d+\.\d{2,}"), re.compile("(#[0-9a-f]{6})")
LINK, UPRIGHT = re.compile(r"(?<=^#)\w{11}$|(?<=url\(#)\w+"), re.compile(r"(?<=M)(\S+) (\S+)L\1 ")
"""In attributes: numbers of more digits than anybody sees, colours, and the names of other parts of the picture."""

BOTH = re.compile(r"var\(--c([0-9a-f]{6})-([0-9a-f]{6})\)")
"""A colour on a light page, and on a dark one."""

UNSAFE = re.compile(rb"[^\w ,.:;/()!*+=@-]", re.ASCII)
"""Bytes that an address in an attribute does not hold as they are."""

NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do for a page: draw it; no script is run, and nothing is fetched."""


def document(title: str, body: list[str], tail: str, policy: str) -> str:
    """Return a page that needs nothing else: what it shows, and what stands behind that, unseen."""
    content = isolated("\n".join(filter(None, body))).translate(IN_XML)
    style = (files("iomsim.charts") / "report.css").read_text(encoding="utf-8")
    pairs = sorted(set(BOTH.findall(content)))
    content = BOTH.sub(lambda both: f"var(--c{pairs.index(both.groups())})", content)
    day, night = ("".join(f" --c{i}: #{pair[end]};" for i, pair in enumerate(pairs)) for end in (0, 1))
    style += f":root {{{day} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{night} }} }}\n"
    return (
        f"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body><main>"
        f"{content}</main>\n{tail}</body></html>\n"
    )


def as_of(race: Scenario, more: str = "") -> str:
    """Return the day of what is known, as it stands at the top of a page; nothing if the scenario has none."""
    return f"<p class='as-of'>As of {full_date(race.as_of, weekday=True)}{more}</p>" if race.as_of else ""


def rights(race: Scenario) -> str:
    """Return where what is known is from, and under which licences, for the foot of a page."""
    held = race.columns()
    own = held[(held["source"] != "") & ~held["source"].str.startswith("derived")]
    by_licence = [f"{name}: {'; '.join(dict.fromkeys(part))}" for name, part in own.groupby("licence")["source"]]
    told = f" Columns of members, by licence. {'. '.join(map(capital, by_licence))}." if by_licence else ""
    return (
        f"<p>Sources: each parameter and each fact names its own.{escape(told)}</p>"
        "<p>Made with iomsim, which is free software under the MIT licence.</p>"
    )


def section(heading: str, *content: str) -> str:
    """Return a part of a page under a heading."""
    return f"<section><h2>{escape(heading)}</h2>{''.join(content)}</section>"


def picture(chart: Chart[Any], file: str) -> str:
    """Return a chart with its words: drawn for a page and for a phone, in the colours of light and of dark pages."""
    drawn, twins = "", by_night(chart.result.race.colours.values())
    for look, (theme, density) in DRAWN.items():
        chart.draw(fig := Figure(), False, theme)  # the stamp stands at the foot of the page
        width = round(density * fig.get_figwidth())
        made = as_part(svg(fig, width, theme), f"{file}-{look[0]}", *twins)
        drawn += f"<div class='{look}{' broad' * (width > COLUMN)}'>{made}</div>"
    words = f"<details><summary>in words</summary><p>{escape(chart.caption.text)}</p></details>"
    return f"<figure>{drawn}<figcaption>{words}</figcaption></figure>"


def by_night(colours: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what each colour of a light page is on light and on dark ones, if it is that of words, and if of marks.

    Marks may have the colours of words too.

    Examples
    --------
    >>> words, marks = by_night(["#0072B2", "#D55E00"])
    >>> words["#0072b2"], marks["#0072b2"]
    ('var(--c0072b2-2b8abe)', '#0072b2')
    >>> marks["#d55e00"], marks["#c25400"], words["#c25400"]
    ('#d55e00', 'var(--cc25400-d55e00)', 'var(--cc25400-d55e00)')
    """
    pages, colours = [], [*colours, FIRST_DAY, LATER_DAY, NOBODY_GREY, STILL_GREY]
    for theme in ("light", "dark"):
        with styled(theme):
            own = [dark(), quiet(), faint(), paper()]
            pages.append([[colour.lower() for colour in (*own, *map(look, colours))] for look in (ink, mark)])
    words, marks = (
        {day: day if day == night else f"var(--c{day[1:]}-{night[1:]})" for day, night in zip(*both, strict=True)}
        for both in zip(*pages, strict=True)
    )
    return words, words | marks


def as_part(picture: str, file: str, words: dict[str, str], marks: dict[str, str]) -> str:
    """Return a picture as a part of a page: in both colours, small, and with names that no other picture has."""
    tree = minidom.parseString(re.sub(r">\s+<", "><", picture))
    names: dict[str, str] = {}

    def named(name: str) -> str:
        return names.setdefault(name, f"{file}{len(names)}")

    for one in tree.getElementsByTagName("*"):
        if one.tagName in UNSEEN:
            parent: Any = one.parentNode
            parent.removeChild(one)
        twins = words if one.tagName == "text" else marks
        for key, value in [*one.attributes.items()]:
            if key == "id":
                value = "" if one.tagName == "g" else named(value)
            elif key != "aria-label":
                value = UPRIGHT.sub(r"\1 \2V", SPARE.sub("", LONG.sub(_rounded, value)))
                value = LINK.sub(lambda link: named(link[0]), value)
                value = "".join(twins.get(piece, piece) for piece in COLOUR.split(value))
            if value:
                one.setAttribute(key, value)
            else:
                one.removeAttribute(key)
    return tree.childNodes[0].toxml()


def _rounded(number: re.Match[str]) -> str:
    """Return a number to the tenth of a point, one below ten, as small marks are made of, to the hundredth."""
    value = float(number[0])
    return f"{value:.{1 if abs(value) >= 10 else 2}f}".rstrip("0").rstrip(".")


def as_table(frame: pd.DataFrame, caption: str) -> str:
    """Return a table with its caption; one of more columns than fit beside one another is turned by a quarter."""
    frame = frame.T.rename_axis(None) if len(frame.columns) > MAX_COLUMNS else frame
    heads = [*(str(name or "") for name in frame.index.names), *map(str, frame.columns)]
    head = "".join(f"<th scope='col'>{escape(name)}</th>" if name else "<td></td>" for name in heads)
    rows = ""
    for key, *cells in frame.itertuples(name=None):
        keys = key if isinstance(key, tuple) else (key,)
        rows += "<tr>" + "".join(f"<th scope='row'>{escape(str(one))}</th>" for one in keys)
        rows += "".join(f"<td>{escape(_cell(cell))}</td>" for cell in cells) + "</tr>\n"
    return (
        f"<div class='wide'><table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    """Return a cell as it is shown: nothing where nothing is known, and no more digits than tell numbers apart."""
    return "" if pd.isna(value) else in_digits(value)[0] if isinstance(value, float) else str(value)


def as_file(frame: pd.DataFrame, name: str) -> str:
    """Return a table as a file in the page."""
    data = UNSAFE.sub(lambda byte: b"%%%02X" % byte[0][0], csv_text(frame).encode()).decode()
    return f"<p><a class='csv' download='{name}.csv' href='data:text/csv;charset=utf-8,{data}'>{name}.csv</a></p>"


def in_json(content: Any, **style: Any) -> str:
    """Return JSON for a block of a page, which nothing in it can end."""
    return json.dumps(content, **style).replace("<", "\\u003c")
