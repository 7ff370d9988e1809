"""What is made while the site is built: tables and pages from the code, formulas, and what examples print and draw.

mkdocs calls what begins with ``on_``; all else knows nothing of it.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from inspect import cleandoc
from io import StringIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

import iomsim as iom
from iomsim.charts import CHARTS, files
from iomsim.charts.caption import captions
from iomsim.charts.measures import root
from iomsim.model.bodies import MANY, body
from iomsim.model.evidence import shipped_folders, statements

# -- examples: Python in a page is run, and what it prints and draws stands below it ----------------------------------

EXAMPLE = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
"""A block of Python in a page."""

THEMES = ("light", "dark", "phone")
"""The themes in which every chart is drawn; the site shows that of the page and the screen."""

Keep = Callable[[str, str, str], str]
"""Keeps a picture: an SVG, its text alternative and its theme; returns what a page says to show it."""


def with_results(text: str, keep: Keep, written: dict[str, str] | None = None) -> str:
    """Return a page with the results of its examples, which share their names and run from the first to the last.

    Pages that they write are `written`, by name.
    """
    names: dict[str, Any] = {"print": in_one_piece}
    with TemporaryDirectory() as folder, chdir(folder):
        page = EXAMPLE.sub(lambda block: block[0] + results(block[1], names, keep), text)
        for path in Path(folder).glob("*.html"):
            (written if written is not None else {})[path.name] = path.read_text(encoding="utf-8")
    return page


def in_one_piece(*said: Any, **how: Any) -> None:
    """Print for a page, which breaks lines itself."""
    print(*map(format, said), **how)


def results(code: str, names: dict[str, Any], keep: Keep) -> str:
    """Run an example; return what it prints, and its last value or the chart that it draws."""
    try:
        *before, last = ast.parse(code).body
        asked = last.value if isinstance(last, ast.Expr) else None
        if asked is None:
            before.append(last)
        with redirect_stdout(StringIO()) as said:
            exec(compile(ast.Module(before, []), "example", "exec"), names)
            value = None if asked is None or is_chart(asked) else evaluated(asked, names)
            drawn = [picture(asked, theme, names, keep) for theme in THEMES] if is_chart(asked) else []
    except Exception as error:
        error.add_note(f"in the example\n{code}")
        raise
    shown, page = said.getvalue(), ""
    if isinstance(value, pd.DataFrame):
        page = f'\n<div class="frame" markdown="0">{cells(value)}</div>\n'
    elif value is not None and not isinstance(value, Path):
        shown += f"{value!r}\n"
    told = f"\n``` {{ .text .output .no-copy }}\n{shown}```\n" if shown else ""
    return told + page + (f"\n{''.join(drawn)}\n{{ .chart }}\n" if drawn else "")


def cells(frame: pd.DataFrame) -> str:
    """Return a frame as a table of the site: a named index is the first column, and rows have no numbers."""
    shown = frame.reset_index() if any(name is not None for name in frame.index.names) else frame
    return shown.to_html(border=0, index=not isinstance(shown.index, pd.RangeIndex)).replace(' class="dataframe"', "")


def evaluated(asked: ast.expr, names: dict[str, Any]) -> Any:
    """Return what an expression comes to."""
    return eval(compile(ast.Expression(asked), "example", "eval"), names)


def is_chart(asked: ast.expr | None) -> bool:
    """Return whether an expression draws a chart: it calls a method of a ``.plot``."""
    method = asked.func if isinstance(asked, ast.Call) else None
    return isinstance(method, ast.Attribute) and isinstance(method.value, ast.Attribute) and method.value.attr == "plot"


def picture(asked: ast.expr | None, theme: Any, names: dict[str, Any], keep: Keep) -> str:
    """Draw a chart in a theme, and keep it."""
    assert isinstance(asked, ast.Call)
    themed = ast.keyword("theme", ast.Constant(theme))
    call = ast.Call(asked.func, asked.args, [*asked.keywords, themed])
    drawn = evaluated(ast.fix_missing_locations(ast.copy_location(call, asked)), names)
    made = keep(files.svg(drawn, theme=theme), " ".join(one.text for one in captions(drawn)), theme)
    plt.close(root(drawn))
    return made


# -- parts of pages: `<!-- made: NAME: WHICH -->` is where they belong -----------------------------------------------


def plain(text: str) -> str:
    """Return a text in which no sign means anything to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|$])", r"\\\1", text)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table of Markdown; a bar or a line's end in a cell is written so that it stays there."""
    cells = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', '&#124;').replace(chr(10), ' ') for c in row)} |" for row in cells)


def parameters(kinds: str) -> str:
    """Return what the parameters of some kinds mean, where they act, and what they are believed to be."""
    return entries(iom.parameters(), kinds, iom.parameters(iom.load("geneva-2023")))


def of_geneva(kinds: str) -> str:
    """Return the parameters of some kinds that the scenario of Geneva has, without what is so of all scenarios."""
    table = iom.parameters(iom.load("geneva-2023"))
    return entries(table, kinds, table, general=False)


def entries(table: pd.DataFrame, kinds: str, known: pd.DataFrame, general: bool = True) -> str:
    """Return an entry for each parameter of a table: what is so in `general`, and what it is believed to be.

    Where the same numbers are `known` with grade and source, it is these that are told.
    """
    out = []
    for path, row in table[table.index.str.split(".").str[0].isin(kinds.split(", "))].iterrows():
        better = known.loc[path] if path in known.index else row
        told = better if (better[NUMBERS] == row[NUMBERS]).all() else row
        value = "Each scenario states it" if pd.isna(row["value"]) else stated(row)
        facts = " ".join(statements(told["source"])) or told["source"]
        why = f"\n\n    *{told['grade']}*: {plain(facts)}" if told["grade"] else ""
        means = ROLE.sub(r"`\2`", row["meaning"]) + "\n\n    " if general else ""
        where = f"; may be {row['possible']}. Acts: {row['acts']}" if general else ""
        name = f"`{path}` - {plain(row['label'])} {{ #{path.replace(' ', '-')} }}"
        out.append(f"{name}\n\n:   {means}{value}{where}.{why}")
    return "\n\n".join(out)


def stated(row: pd.Series) -> str:
    """Return a value with its range and its unit."""
    span = f" ({row['low']:g} to {row['high']:g})" if row["low"] < row["high"] else ""
    return f"**{row['value']:g}**{span} {row['unit']}".strip()


NUMBERS = ["value", "low", "high"]
ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")


def bodies(_: str) -> str:
    """Return the table of bodies."""
    rows = [
        (f"[`{id}`](#{id})", row["name"], row["kind"], str(row["members"]), str(row["readings"]), row["grade"])
        for id, row in iom.bodies().iterrows()
    ]
    return table(("", "body and post", "who votes", "members", "readings", "grade"), rows)


def rules(_: str) -> str:
    """Return the rules of every body in words, with all their readings and from where they are."""
    return "\n\n".join(map(of_body, shipped_folders("bodies")))


def of_body(id: str) -> str:
    """Return what is known of a body."""
    one = body(id)
    seats = one.electorate
    parts = [
        f"### {one.name} {{ #{id} }}",
        plain(one.about),
        f"{seats.size} members were entitled on {seats.date:%-d %B %Y}; the ballot is {one.secrecy.ballot}.",
    ]
    for name, procedure in one.procedures.items():
        sentences = [(procedure.sentence(MANY), "three or more stand"), (procedure.sentence(2), "two stand")]
        words = sentences[:1] if sentences[0][0] == sentences[1][0] else sentences
        told = "\n\n".join(f"    {f'*If {when}:* ' if len(words) > 1 else ''}{said}" for said, when in words)
        stated = one.readings[name]
        start = " (a scenario starts with it)" if name == one.reading and len(one.procedures) > 1 else ""
        parts.append(f"`{name}`{start}\n\n:   {told.strip()}\n\n    *{stated.grade}*: {plain(stated.source)}")
    return "\n\n".join(parts)


MADE = {"parameters": parameters, "of geneva": of_geneva, "bodies": bodies, "rules": rules}
"""What is made, by name."""

PLACE = re.compile(r"<!-- made: ([^:>]+?)(?:: (.*?))? -->")


def with_what_is_made(text: str) -> str:
    """Return a page in which what is made stands where it belongs."""
    return PLACE.sub(lambda place: MADE[place[1]](place[2] or ""), text)


# -- the pages of the API reference: every public name, where it lives -------------------------------------------------

TITLES = {
    "model": "Scenarios",
    "rules": "Rules",
    "forecasting": "Forecasts",
    "sensitivity": "What-ifs and designs",
    "election_day": "Election day",
    "validation": "Past contests",
    "registered": "Registered forecasts",
    "charts": "Charts and report",
    "errors": "Errors",
    "house_style": "Options",
}
"""The packages with public names, in the order in which they are read."""


def reference() -> dict[str, str]:
    """Return the pages by path: the public names of each package, and the charts beside the report."""
    homes = iom._HOME
    pages = {
        package: "\n\n".join(
            [f"# {title}", *(f"::: iomsim.{name}" for name, home in homes.items() if home.split(".")[0] == package)]
        )
        for package, title in TITLES.items()
    }
    pages["charts"] += "\n\n" + charts()
    return {f"reference/{package}.md": text + "\n" for package, text in pages.items()}


def charts() -> str:
    """Return what every chart is, by the result whose `.plot` has it."""
    parts = [cleandoc(
        """
        ## Charts

        Each is a method of a result's `.plot`: `fc.plot.rounds()` draws, `fc.plot.rounds_data()` returns the numbers
        that are drawn. All of them take `ax`, where to draw (`fig` for a whole page); `stamp`, whether to write under
        the chart what is needed to make it again; and `theme`: "light", "dark", "print" or "phone".

        ::: iomsim.charts.Plots
            options: { heading: ".plot", heading_level: 3, members: [save, alt, svg] }
        """
    )]  # fmt: skip
    for kind, drawn in CHARTS.items():
        parts.append(f"### Charts of `{kind.__name__}`")
        for name, chart in drawn.items():
            alone = "members: false, inherited_members: false, show_bases: false, show_labels: false"
            options = f'    options: {{ heading: ".plot.{name}()", heading_level: 4, {alone} }}'
            parts.append(f"::: {chart.__module__}.{chart.__name__}\n{options}")
    return "\n\n".join(parts)


# -- formulas: MathML, which browsers draw themselves ------------------------------------------------------------------

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def with_formulas(page: str) -> str:
    """Return a page whose formulas, in TeX, are MathML."""
    from latex2mathml.converter import convert

    def drawn(found: re.Match[str]) -> str:
        display = "block" if found[1] == "div" else "inline"
        made = convert(html.unescape(found[2]).strip(), display=display)
        return f'<div class="formula">{made}</div>' if found[1] == "div" else made

    return FORMULA.sub(drawn, page)


# -- what mkdocs calls -------------------------------------------------------------------------------------------------


def on_config(config: Any) -> Any:
    """Add the reference to what can be navigated."""
    config.nav.append({"API": [{title: f"reference/{package}.md"} for package, title in TITLES.items()]})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the reference."""
    from mkdocs.structure.files import File

    for path, text in reference().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put what is made into a page, and the results of its examples."""
    from mkdocs.structure.files import File

    folder, stem = Path(page.file.src_uri).parent, Path(page.file.src_uri).stem

    def put(name: str, content: str) -> str:
        files.append(File.generated(config, (folder / name).as_posix(), content=content))
        return name

    def keep(svg: str, alt: str, theme: str) -> str:
        name = put(f"{stem}-{next(numbers)}-{theme}.svg", svg)
        said = re.sub(r"[\[\]]", "", alt)
        return f"[![{said}]({name}){{ loading=lazy }}]({name}){{ .{theme} }}"

    numbers, written = count(1), dict[str, str]()
    made = with_results(with_what_is_made(markdown), keep, written)
    for name, content in written.items():
        put(name, content)
    return made


def on_page_content(html: str, **_: Any) -> str:
    """Draw the formulas of a page."""
    return with_formulas(html)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that would fetch something from the network while it is read, or shows a formula as TeX."""
    if 'class="arithmatex"' in output:
        raise ValueError(f"{page.file.src_uri} has a formula that is not drawn")
    if found := re.search(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//[^"]*"', output):
        raise ValueError(f"{page.file.src_uri} loads something from the network: {found[0]}")
    return output
