"""Names that would do harm where somebody forgot that they are names, elections full of them, and what is harmless."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

from toys import timed

from iomsim.model.scenario import Scenario

WEAPONS = (
    *("<script>alert(1)</script>", "</script><!--", "--> <svg onload=x>", "]]>a", "&lt;b&gt;", "&#0;a", "' onclick='b"),
    *("$\\frac{", "$a$ and $b_{", "\\alpha", "{x!r}", "{a", "{name}", "%s%n", "100% A", "a\\", "A'\"\\", "A`b`"),
    *("=cmd()|' /C calc'!A0", "@SUM(A1)", "+1+A", "-2+A", "\N{FULLWIDTH EQUALS SIGN}a", "A;=b", "A,B", 'a"b', "'''x"),
    *("../../x", "/etc/passwd", "C:\\x.txt", "..a", "~a", "a|b", "(?P<x>", "[a", "^a$", "a.*", "x" * 200),
    *("A=B", "g=N and not near", "not a", "A:B", "A: 1", "A and B", "[rules]", "[[candidates]]", "# == seal ==a"),
    *("behaviour.secrecy", "candidates.Bob.appeal", "A.B", ".a.", 'id="x"', "url(#x)", 'href="#a"', "_A", "all"),
    *("__class__", "self", "nan", "None", "True", "index", "name", "count", "winner", "run", "share", "draw", "minute"),
    *("Tuesday", "win", "Bob_error", "term", "kind", "\u738b", "\u0623\u062d\u0645\u062f", "e\u0301", "\u200fA"),
    *("A\u200d\U0001f600", "A\u2014B"),
)
"""What somebody may be called."""

NO_NAMES = (
    "\x1b[31mred",
    "a\x07",
    "a\nb",
    "a\rb",
    "\u202eabc",
    "a\u2066b",
    "\ud800",
    "a\x00",
    "a\x85b",
    " ",
    "x" * 201,
)
"""What nobody may be called."""

STEERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Signs that steer a terminal, or turn the order of the text around them."""

OF_COLUMNS = (
    "spill",
    "no winner",
    "nobody",
    "round",
    "weight",
    "mc_error",
    "rules",
    "reading",
    "step",
    "appeal of Bob",
)
"""What no candidate may be called, as tables would have two columns of the name."""

ROLES = (
    "title",
    "about",
    "candidate",
    "full_name",
    "sponsor",
    "member",
    "group",
    "column",
    "tie",
    "label",
    "rules",
    "source",
)
"""What has a name, or words that somebody wrote."""


def named(**names: str) -> dict[str, Any]:
    """Return an election in which these are called so."""
    call = {role: names.get(role, usual) for role, usual in zip(ROLES, USUAL, strict=True)}
    rows = [{"name": f"M{i}", "g": "NS"[i % 2], "near": int(i < 5), call["column"]: i + 0.5} for i in range(15)]
    rows[0]["name"], rows[0]["g"] = call["member"], call["group"]
    rows[1]["g"] = call["group"]
    ann = call["candidate"]
    return timed(
        {
            "title": call["title"],
            "about": call["about"],
            "electorate": {"table": rows, "group": "g"},
            "candidates": [
                {"name": ann, "full_name": call["full_name"], "appeal": between(0.1, -1, 1, source=call["source"])},
                {"name": "Bob"},
            ],
            "sponsors": [
                {"name": call["sponsor"], "backs": ann, "strength": between(0.6, 0.3, 1.1)},
                {"name": "East", "backs": "Bob", "strength": between(0.4, 0.0, 0.9)},
            ],
            "ties": [
                {"name": call["tie"], "label": call["label"], "who": "near", "candidate": ann}
                | {"log_odds": between(1, 0, 2)}
            ],
            "readings": [
                {"name": "until-two-thirds", "weight": 0.6},
                {"rules": {"name": call["rules"], "threshold": "2/3"}, "weight": 0.4},
            ],
        }
    )  # fmt: skip


USUAL = ("a race", "about it", "Ann", "", "West", "M0", "N", "trade", "tie", "", "own", "made up")


def between(value: float, low: float, high: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, **more}


def mixed(number: int) -> dict[str, str]:
    """Return a weapon for every role; in as many cases as there are weapons each has every role once."""
    names = {role: WEAPONS[(number + 7 * place) % len(WEAPONS)] for place, role in enumerate(ROLES)}
    column = names["column"].replace("name", "names")  # a table of members has a column `name`
    return names | {"about": f"{names['about']}\n{names['about']}", "column": column}


def told(race: Scenario) -> list[str]:
    """Return what is called somehow in a race, in the order of the roles."""
    ann, west, tie, first = race.candidates[0], race.sponsors[0], race.ties[0], race.electorate.frame.iloc[0]
    column = next(
        name for name in race.electorate.frame.columns if race.electorate.frame[name].tolist()[1:3] == [1.5, 2.5]
    )
    rules = race.readings[1].name
    return [
        race.title, race.about, ann.name, ann.full_name, west.name, first["name"], first["group"], column, tie.name,
        tie.label, rules, ann.appeal.source,
    ]  # fmt: skip


# -- what is harmless -------------------------------------------------------------------------------


def steers(text: str) -> bool:
    """Say whether a text steers a terminal, but for ends of lines and tabs."""
    return STEERS.search(re.sub(r"\r?\n|\t", "", text)) is not None


class Page(HTMLParser):
    """What a browser makes of a page."""

    VOID = ("meta", "br", "hr", "img", "link", "input")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def is_harmless(text: str, scripts: int = 0) -> Page:
    """Return a page in which everything is closed, nothing is run, and nothing comes from elsewhere."""
    page = Page(text)
    assert page.open == []
    assert page.tags.count("script") == scripts
    assert not {"iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [value or "" for name, value in page.attributes if name in ("href", "src", "xlink:href", "action")]
    assert all(link.startswith(("#", "data:text/csv;charset=utf-8,", "data:image/png;base64,")) for link in links)
    assert not steers(text)
    return page


def is_picture(text: str) -> ElementTree.Element:
    """Return the root of an svg that does nothing but draw."""
    root = ElementTree.fromstring(text)
    assert not [tag for tag in root.iter() if tag.tag.endswith(("}script", "}foreignObject"))]
    assert not [name for tag in root.iter() for name in tag.attrib if name.startswith("on")]
    return root


def is_computed(cell: str) -> bool:
    """Say whether a spreadsheet computes a cell that is no number."""
    number = re.fullmatch(r"-?(\d+(\.\d*)?(e[+-]?\d+)?|inf)", cell)
    return number is None and cell.strip()[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def is_table(text: str) -> None:
    """Fail unless a csv has a cell for every column, and no cell is computed."""
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert len(set(head)) == len(head)
    assert {len(row) for row in rows} == {len(head)}
    assert not [cell for row in [head, *rows] for cell in row if is_computed(cell)]
    assert not steers(text)
