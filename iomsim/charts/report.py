"""A forecast to hand on: one self-contained page, one folder; and the way back.

The page needs nothing but a browser: charts are inline SVG with text alternatives, tables can be
downloaded as csv, and everything needed to make the forecast again is inside (:func:`rerun`).
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict, StringConstraints

from iomsim._version import VERSION
from iomsim.charts import Plots, of
from iomsim.charts.files import svg
from iomsim.errors import FileError, quote_path
from iomsim.files import csv_text, read_bytes, write_csv, write_whole
from iomsim.forecasting.archive import Drawn, Runs, Version, Whole, carried, self_contained
from iomsim.forecasting.arrays import Damaged
from iomsim.forecasting.forecast import Forecast, open_forecast
from iomsim.forecasting.run import whole_forecast
from iomsim.forecasting.tables import TABLES
from iomsim.forecasting.wording import what_matters_shown
from iomsim.model import briefing
from iomsim.model.catalogue import dumps
from iomsim.model.scenario import Scenario

SECTIONS = {
    "win_probability": "Who wins",
    "decision_time": "When it is decided",
    "rounds": "After how many rounds",
    "trajectories": "How the share moves",
    "flows": "Who changes sides",
}
"""The charts of a report, with their headings."""

CHART_PIXELS = 760
"""Width of a chart in the page."""

MAX_COLUMNS = 7
"""Columns of a table that fit into the page."""

TAG, PART = re.compile(r"<(?!svg|!)[^>]*>"), re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')
"""The tags of a picture, and where they name a part of it; pictures of one page would draw with each other's."""

LARGEST = 2**28
"""Bytes of a report that is read."""

NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do for a page: draw it; no script is run, and nothing is fetched."""

MARK = '<script type="application/json" id="iomsim-forecast">'
"""Before the block from which the forecast can be made again."""


def report(fc: Forecast, path: str | Path) -> Path:
    """Write a forecast as a self-contained page: answer, charts, tables, assumptions, and how to make it again.

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
    >>> fc.answer().split(":")[0] in page.read_text(encoding="utf-8")
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


def html(fc: Forecast) -> str:
    """Return the report as one HTML document."""
    race = fc.race
    body = [
        f"<h1>{escape(race.title)}</h1>",
        f"<p class='about'>{escape(race.about)}</p>" if race.about else "",
        f"<p class='answer'>{escape(fc.answer())}</p>",
        *(_picture(of(fc), name, heading, name) for name, heading in SECTIONS.items()),
        *_assumptions(fc),
        *(
            _section(table.heading, _upright(table.in_words(fc)).to_html(border=0), table.numbers(fc), name)
            for name, table in TABLES.items()
            if table.in_words
        ),
        _evidence(fc),
        f"<footer>{escape(fc.stamp())}</footer>",
    ]
    style = (files("iomsim.charts") / "report.css").read_text(encoding="utf-8")
    return (
        f"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_RUNS}">'
        f"<title>{escape(race.title)}</title><style>{style}</style></head>\n<body><main>"
        + "\n".join(filter(None, body))
        + f"</main>\n{MARK}{_recipe(fc)}</script></body></html>\n"
    )


def _picture(plots: Plots, name: str, heading: str, file: str, numbers: Any = None, **options: Any) -> str:
    """Return a section with a chart, its words, and numbers (its own by default) to take away as a file."""
    chart, fig = plots.chart(name, **options), Figure()
    chart.draw(fig)
    picture = svg(fig, CHART_PIXELS)
    picture = TAG.sub(lambda tag: PART.sub(f"{file}-", tag[0]), picture)
    words = f"<details><summary>in words</summary>{escape(chart.caption.text)}</details>"
    caption = f"<figcaption>{words}{_link(chart.data if numbers is None else numbers, file)}</figcaption>"
    return f"<section><h2>{escape(heading)}</h2><figure>{picture}{caption}</figure></section>"


def _assumptions(fc: Forecast) -> list[str]:
    """Return the sections on what the answer hangs on."""
    return [
        _picture(of(found), "drivers", f"What {found.subject} hangs on", name, found.table())
        for name, found in what_matters_shown(fc).items()
    ]


def _upright(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of more columns than fit beside one another turned by a quarter."""
    return table.T.rename_axis(None) if len(table.columns) > MAX_COLUMNS else table


def _section(heading: str, content: str, table: pd.DataFrame, name: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{content}{_link(table, name)}</section>"


def _link(table: pd.DataFrame, name: str) -> str:
    data = b64encode(csv_text(table).encode()).decode()
    return f"<a class='csv' download='{name}.csv' href='data:text/csv;base64,{data}'>{name}.csv</a>"


def _evidence(fc: Forecast) -> str:
    table = fc.race.evidence()
    shown = table[["value", "low", "high", "unit", "grade", "source"]].to_html(border=0)
    details = f"<details><summary>every parameter, its range, grade and source</summary>{shown}</details>"
    return _section("What it rests on", briefing.html(fc.race) + details, table, "evidence")


# -- and back ------------------------------------------------------------------------------------


def _recipe(fc: Forecast) -> str:
    content = {"provenance": fc.provenance, "scenario": dumps(self_contained(fc.race)), "digest": digest(fc)}
    return json.dumps(content).replace("<", "\\u003c")


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
