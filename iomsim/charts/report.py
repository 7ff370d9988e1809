"""A forecast to hand on: one self-contained page, one folder; and the way back.

The page needs nothing but a browser: charts are inline SVG with text alternatives, tables can be
downloaded as csv, and everything needed to make the forecast again is inside (:func:`rerun`).
"""

from __future__ import annotations

import hashlib
import json
import re
from html import escape
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict, StringConstraints

from iomsim._version import VERSION
from iomsim.charts import Plots, of
from iomsim.charts.files import svg
from iomsim.charts.style import DARK_PHONE, mark, styled
from iomsim.errors import FileError, quote_path
from iomsim.files import csv_text, read_bytes, write_csv, write_whole
from iomsim.forecasting.archive import Drawn, Runs, Version, Whole, carried, self_contained
from iomsim.forecasting.arrays import Damaged
from iomsim.forecasting.forecast import Forecast, open_forecast
from iomsim.forecasting.run import whole_forecast
from iomsim.forecasting.tables import TABLES
from iomsim.forecasting.wording import details, how_long, no_poll, over, what_matters_shown, who
from iomsim.house_style import capital, together
from iomsim.model import briefing
from iomsim.model.catalogue import dumps
from iomsim.model.moments import full_date
from iomsim.model.quantities import in_digits
from iomsim.model.scenario import Scenario

SECTIONS = {
    "win_probability": "Who wins",
    "decision_time": "When it is decided",
    "rounds": "After how many rounds",
    "trajectories": "How the share moves",
    "flows": "Who changes sides",
}
"""The charts of a report, with their headings."""

LARGE, SMALL = 760, 390
"""Pixels that a chart is wide in the page, and on a phone."""

MAX_COLUMNS = 7
"""Columns of a table that fit into the page."""

TAG = re.compile(r"<(?!svg|!)[^>]*>")
"""The tags of a picture: what is written between them is left as it is."""

UNSEEN = re.compile(r"(?s)<metadata>.*?</metadata>|<style.*?</style>|(?<=</desc>)\s*<title>.*?</title>")
"""What of a picture says again what the page says, or its style."""

PATH = re.compile(r'(?<= d=")[^"]*')
NAME, LINK = re.compile(r' id="([^"]*)"'), re.compile(r'(?<=href="#)[^"]*|(?<=url\(#)[^)]*')
"""Where the tags of a picture say the way of a line, name a part of it, and mean one."""

SPARE = re.compile(r'font-family: [^;"]*;? ?|(?<=[:;]) | transform="rotate\(-?0 [^"]*"')
"""What tags hold and nobody needs: letters, of which the page's style says all, spaces, and turns by nothing."""

COLOUR = re.compile(r"(#[0-9a-fA-F]{6})(?![0-9a-fA-F])")
"""A colour of a picture."""

DIGITS, SPACE = re.compile(r"-?\d+\.\d{2,}"), re.compile(r"\s*([A-Za-z])\s*|\s+")
"""Numbers of a picture with more digits than anybody sees, and where its paths hold what nobody needs."""

STROKE = re.compile(r'<path d="([^"]*)"((?: clip-path="[^"]*")? style="fill:none[^"]*")/>')
UPRIGHT, LEVEL = re.compile(r"M(\S+) ([^A-Z ]+)L\1 "), re.compile(r"M(\S+) ([^A-Z ]+)L([^A-Z ]+) \2(?=[A-Z]|$)")
"""A line of a picture; one that is upright, one that is level."""

BOTH = re.compile(r"var\(--c([0-9a-f]{6})-([0-9a-f]{6})\)")
"""A colour on a light page, and on a dark one."""

UNSAFE = re.compile(rb"[^\w ,.:;/()!*+=@-]", re.ASCII)
"""Bytes that an address in an attribute does not hold as they are."""

LARGEST = 2**28
"""Bytes of a report that is read."""

NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do for a page: draw it; no script is run, and nothing is fetched."""

MARK = '<script type="application/json" id="iomsim-forecast">'
"""Before the block from which the forecast can be made again."""

EVIDENCE = ["value", "low", "high", "unit", "grade", "source"]
"""What is shown of every parameter."""


def report(fc: Forecast, path: str | Path) -> Path:
    """Write a forecast as a self-contained page: answer, charts, tables, assumptions, and how to make it again.

    The page follows the reader's colours, light or dark, and is as wide as the screen: on a phone it has charts that
    are drawn for it.

    Parameters
    ----------
    fc : Forecast
        What is reported.
    path : str or Path
        The file, .html.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import iomsim as iom, tempfile
    >>> fc = iom.forecast(iom.load("minimal"), runs=200, seed=1)
    >>> page = iom.report(fc, Path(tempfile.mkdtemp()) / "report.html")
    >>> fc.answer().split(". ")[0] in page.read_text(encoding="utf-8")
    True
    """
    path = Path(path)
    write_whole(path, html(fc))
    return path


def write_folder(fc: Forecast, folder: str | Path) -> list[Path]:
    """Write everything into a folder: answer, tables, charts (png and svg), report, saved forecast.

    The runs themselves are in the saved forecast only; ``fc.to_csv(folder)`` writes them as csv.
    """
    target, plots = Path(folder), of(fc)
    answer, saved = target / "answer.txt", target / "forecast.npz"
    written = fc.to_csv(target, runs=False)
    fc.save(saved)  # before all that can be drawn again from it
    write_whole(answer, f"{fc.answer()!s}\n\n{fc.stamp()}\n")
    written += [plots.save(name, target / f"{name}.{kind}") for name in plots.names() for kind in ("png", "svg")]
    written += _write_drivers(fc, target)
    return [*written, answer, saved, report(fc, target / "report.html")]


def _write_drivers(fc: Forecast, target: Path) -> list[Path]:
    """Write what the answer hangs on: a table and a chart of who wins, and of the next day."""
    written = []
    for name, found in what_matters_shown(fc).items():
        written += [of(found).save("drivers", target / f"{name}.{kind}") for kind in ("png", "svg")]
        written.append(target / f"{name}.csv")
        write_csv(written[-1], found.table())
    return written


# -- the page ------------------------------------------------------------------------------------


def html(fc: Forecast) -> str:
    """Return the report as one HTML document."""
    race = fc.race
    answered = [name for name, table in TABLES.items() if table.in_words]
    body = [
        as_of(race),
        f"<h1>{escape(race.title)}</h1>",
        f"<p class='about'>{escape(race.about)}</p>" if race.about else "",
        f"<p class='answer'>{escape(together(opening(fc)))}</p>",
        *(_answered(fc, name, name in answered) for name in SECTIONS),
        *_assumptions(fc),
        *(_section(TABLES[name].heading, _numbers(fc, name)) for name in answered if name not in SECTIONS),
        _section("The answer in full", _in_full(fc)),
        _evidence(fc),
        f"<footer><p>{escape(fc.stamp())}</p>{rights(race)}</footer>",
    ]
    return document(race.title, body, f"{MARK}{_recipe(fc)}</script>", NOTHING_RUNS)


def document(title: str, body: list[str], tail: str, policy: str) -> str:
    """Return a page that needs nothing else: what it shows, and what stands behind that, unseen."""
    content, style = "\n".join(filter(None, body)), (files("iomsim.charts") / "report.css").read_text(encoding="utf-8")
    pairs = sorted(set(BOTH.findall(content)))
    by_day, by_night = ("".join(f" --c{a}-{b}: #{(a, b)[i]};" for a, b in pairs) for i in (0, 1))
    style += f":root {{{by_day} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{by_night} }} }}\n"
    return (
        f"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body><main>"
        f"{content}</main>\n{tail}</body></html>\n"
    )


def opening(fc: Forecast) -> str:
    """Return the answer in three sentences: who, how many rounds, and that it is a model."""
    return over(fc) or " ".join(filter(None, [who(fc), how_long(fc), no_poll(fc)]))


def _in_full(fc: Forecast) -> str:
    """Return the whole answer: its sentences, and one by one what they leave out."""
    more = [] if over(fc) else details(fc)
    rest = "".join(f"<li>{escape(together(sentence))}</li>" for sentence in more)
    return f"<p>{escape(together(fc.answer()))}</p>{f'<ul>{rest}</ul>' if rest else ''}"


def as_of(race: Scenario) -> str:
    """Return the day of what is known, as it stands at the top of a page; nothing if the scenario has none."""
    return f"<p class='as-of'>As of {full_date(race.as_of, weekday=True)}</p>" if race.as_of else ""


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


def _answered(fc: Forecast, name: str, table: bool) -> str:
    """Return the section of a question that has a chart; its numbers are those of the table, if there is one."""
    plots = of(fc)
    more = _numbers(fc, name) if table else _link(plots.chart(name).data, name)
    return _section(SECTIONS[name], _picture(plots, name, name), more)


def _numbers(fc: Forecast, name: str) -> str:
    """Return a table of a forecast in words, and its numbers to take away."""
    table = TABLES[name]
    shown = "" if table.in_words is None else _table(_upright(table.in_words(fc)), f"{table.heading}, in 100 elections")
    return shown + _link(table.numbers(fc), name)


def _section(heading: str, *content: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{''.join(content)}</section>"


def _picture(plots: Plots, name: str, file: str, **options: Any) -> str:
    """Return a chart with its words: drawn for a page and for a phone, and in the colours of light and of dark ones."""
    chart = plots.chart(name, **options)

    def drawn(theme: Any, width: int) -> str:
        chart.draw(fig := Figure(), False, theme)  # the stamp stands at the foot of the page
        return svg(fig, width, theme)

    large = in_both(drawn("light", LARGE), drawn("dark", LARGE), file)
    small = in_both(drawn("phone", SMALL), drawn(DARK_PHONE, SMALL), f"{file}-s")
    words = f"<details><summary>in words</summary><p>{escape(chart.caption.text)}</p></details>"
    return (
        f"<figure><div class='large'>{large}</div><div class='small'>{small}</div>"
        f"<figcaption>{words}</figcaption></figure>"
    )


def in_both(light: str, dark: str, file: str) -> str:
    """Return a picture for light and for dark pages: one drawing, with both colours wherever they differ.

    If the two drawings differ in more than colours, it is the light one, on a page of its own.
    """
    light, dark = (_bare(picture, file) for picture in (light, dark))
    parts, others = COLOUR.split(light), COLOUR.split(dark)
    if parts[::2] != others[::2]:
        return f"<div class='paper'>{light}</div>"
    parts[1::2] = map(two_colours, parts[1::2], others[1::2])
    return _together("".join(parts))


def two_colours(light: str, dark: str) -> str:
    """Return a colour for light and for dark pages.

    Examples
    --------
    >>> two_colours("#882255", "#B16F91"), two_colours("#0072B2", "#0072B2")
    ('var(--c882255-b16f91)', '#0072B2')
    """
    return light if light == dark else f"var(--c{light[1:].lower()}-{dark[1:].lower()})"


def on_pages(colour: str) -> str:
    """Return the colour of a mark for light and for dark pages."""
    seen = []
    for theme in ("light", "dark"):
        with styled(theme):
            seen.append(mark(colour))
    return two_colours(*seen)


def _bare(picture: str, file: str) -> str:
    """Return a picture as a part of a page: without what the page says of it, and with names that no other has."""
    picture = UNSEEN.sub("", picture)
    tags = TAG.findall(picture)
    meant = dict.fromkeys(name for tag in tags for name in LINK.findall(tag))
    names = {name: f"{file}-{i}" for i, name in enumerate(meant)}

    def renamed(tag: re.Match[str]) -> str:
        own = NAME.sub(lambda name: f' id="{names[name[1]]}"' if name[1] in names else "", tag[0])
        own = DIGITS.sub(_rounded, own)
        return SPARE.sub("", LINK.sub(lambda link: names[link[0]], PATH.sub(_shortened, own)))

    return re.sub(r">\s+<", "><", TAG.sub(renamed, picture))


def _rounded(number: re.Match[str]) -> str:
    """Return a number to the tenth of a point, one below ten, as small marks are made of, to the hundredth."""
    value = float(number[0])
    return f"{value:.{1 if abs(value) >= 10 else 2}f}".rstrip("0").rstrip(".")


def _shortened(path: re.Match[str]) -> str:
    """Return a path in fewer signs."""
    way = SPACE.sub(lambda space: space[1] or " ", path[0]).strip()
    return LEVEL.sub(r"M\1 \2H\3", UPRIGHT.sub(r"M\1 \2V", way))


def _together(picture: str) -> str:
    """Return a picture in which lines of one look that follow one another are one path."""

    def joined(run: re.Match[str]) -> str:
        lines = groupby(STROKE.findall(run[0]), key=lambda line: line[1])
        return "".join(f'<path d="{"".join(way for way, _ in same)}"{look}/>' for look, same in lines)

    return re.sub(f"(?:{STROKE.pattern}){{2,}}", joined, picture)


def _assumptions(fc: Forecast) -> list[str]:
    """Return the sections on what the answer hangs on."""
    return [
        _section(f"What {found.subject} hangs on", _picture(of(found), "drivers", name), _link(found.table(), name))
        for name, found in what_matters_shown(fc).items()
    ]


def _evidence(fc: Forecast) -> str:
    """Return the section on what the forecast rests on: the briefing, every parameter, the facts."""
    table = fc.race.evidence()
    parameters = _table(table[EVIDENCE], "Every parameter, with its range, grade and source")
    return _section(
        "What it rests on",
        briefing.table(fc.race, "The election as it is described"),
        "<h3>Facts it starts from</h3>" + briefing.facts(fc.race),
        "<h3>Every parameter</h3>"
        f"<details><summary>value, range, unit, grade and source</summary>{parameters}</details>",
        _link(table, "evidence"),
    )


# -- tables --------------------------------------------------------------------------------------


def _upright(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of more columns than fit beside one another turned by a quarter."""
    return table.T.rename_axis(None) if len(table.columns) > MAX_COLUMNS else table


def _table(table: pd.DataFrame, caption: str) -> str:
    """Return a table with its caption, whose headings say what they are the headings of."""
    heads = [*(str(name or "") for name in table.index.names), *map(str, table.columns)]
    head = "".join(f"<th scope='col'>{escape(name)}</th>" if name else "<td></td>" for name in heads)
    rows = ""
    for key, *cells in table.itertuples(name=None):
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


def _link(table: pd.DataFrame, name: str) -> str:
    """Return a table as a file in the page."""
    data = UNSAFE.sub(lambda byte: b"%%%02X" % byte[0][0], csv_text(table).encode()).decode()
    return f"<p><a class='csv' download='{name}.csv' href='data:text/csv;charset=utf-8,{data}'>{name}.csv</a></p>"


# -- and back ------------------------------------------------------------------------------------


def _recipe(fc: Forecast) -> str:
    content = {"provenance": fc.provenance, "scenario": dumps(self_contained(fc.race)), "digest": digest(fc)}
    return in_json(content)


def in_json(content: Any, **style: Any) -> str:
    """Return JSON for a block of a page, which nothing in it can end."""
    return json.dumps(content, **style).replace("<", "\\u003c")


def digest(fc: Forecast) -> str:
    """Return a hash of how every run ended: equal for equal forecasts, bit for bit."""
    ends = fc.summary.ends.sort_values(list(fc.summary.ends)).astype("int64")
    return hashlib.sha256(ends.to_numpy().tobytes()).hexdigest()


def rerun(path: str | Path) -> tuple[Forecast, bool]:
    """Make the forecast of a report, or of a saved forecast, again.

    Returns
    -------
    fc : Forecast
        The new forecast.
    same : bool
        Whether every run ended as it did in the file.

    Raises
    ------
    FileError
        If the file is missing, is neither a report nor a saved forecast, or says what cannot be of how it was made; if
        its forecast was made after announced rounds.
    """
    race, made, told = _read_back(Path(path))
    if made["announced"] or made["events"]:
        raise FileError(f"{quote_path(path)} is a forecast after announced rounds; replay the log of that day instead")
    fc = whole_forecast(race, made["runs"], made["seed"], assumptions=made["assumptions"])
    return fc, digest(fc) == told


class Made(BaseModel):
    """What the provenance of a report says that it was made with."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    version: Version
    seed: Whole
    runs: Runs
    scenario: str
    rules: str
    title: str
    assumptions: Drawn
    announced: Whole
    events: list[dict[str, Any]]


class Recipe(BaseModel):
    """What stands in a report, to make its forecast again."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    provenance: Made
    scenario: str
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _read_back(path: Path) -> tuple[Scenario, dict[str, Any], str]:
    if path.suffix.casefold() not in (".html", ".htm"):
        saved = open_forecast(path)
        return saved.race, saved.provenance, digest(saved)
    page, why = read_bytes(path, most=LARGEST), ""
    try:
        return _told_by(page.decode())
    except Damaged as error:
        why = f": it {error}"
    except (ValueError, RecursionError):  # no text, no JSON, or another table
        pass
    raise FileError(f"{quote_path(path)} is no report of iomsim, or is damaged{why}")


def _told_by(page: str) -> tuple[Scenario, dict[str, Any], str]:
    """Return what a page says of the making of its forecast, and the digest of how its runs ended."""
    _, found, rest = page.partition(MARK)
    if not found or MARK in rest:
        raise Damaged("holds no forecast, or several")
    recipe = Recipe.model_validate(json.loads(rest.partition("</script>")[0]))
    race, made = carried(recipe.scenario), recipe.provenance
    if made.version == VERSION and (made.scenario, made.title) != (race.hash, race.title):
        raise Damaged("holds another scenario than its provenance says")
    return race, made.model_dump(), recipe.digest
