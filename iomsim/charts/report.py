"""A forecast to hand on: one self-contained page, one folder; and the way back.

The page needs nothing but a browser: charts are inline SVG with text alternatives, tables can be
downloaded as csv, and everything needed to make the forecast again is inside (:func:`rerun`).
"""

from __future__ import annotations

import hashlib
import json
from html import escape
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from iomsim._version import VERSION
from iomsim.charts import of, save
from iomsim.charts.base import Chart
from iomsim.charts.pages import NOTHING_RUNS, as_file, as_of, as_table, document, in_json, picture, rights, section
from iomsim.errors import FileError, quote_path
from iomsim.files import PAGES, read_bytes, refuse_another_kind, write_csv, write_whole
from iomsim.forecasting.archive import Drawn, Runs, Version, Whole, carried, self_contained
from iomsim.forecasting.arrays import Damaged
from iomsim.forecasting.forecast import Forecast, open_forecast
from iomsim.forecasting.run import whole_forecast
from iomsim.forecasting.tables import TABLES
from iomsim.forecasting.wording import details, how_long, no_poll, over, what_matters_shown, who
from iomsim.house_style import together
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

LARGEST = 2**28
"""Bytes of a report that is read."""

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
        If the file is not called .html, or cannot be written.

    Examples
    --------
    >>> import iomsim as iom, tempfile
    >>> fc = iom.forecast(iom.load("minimal"), runs=200, seed=1)
    >>> page = iom.report(fc, tempfile.mkdtemp() + "/report.html")
    >>> fc.answer().split(". ")[0] in page.read_text(encoding="utf-8")
    True
    """
    path = Path(path)
    refuse_another_kind(path, "a page", *PAGES)
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
    for name in plots.names():
        fig = plots.draw(name)
        written += [save(fig, target / f"{name}.{kind}") for kind in ("png", "svg")]
    written += _write_drivers(fc, target)
    return [*written, answer, saved, report(fc, target / "report.html")]


def _write_drivers(fc: Forecast, target: Path) -> list[Path]:
    """Write what the answer hangs on: a table and a chart of who wins, and of the next day."""
    written = []
    for name, found in what_matters_shown(fc).items():
        fig = of(found).draw("drivers")
        written += [save(fig, target / f"{name}.{kind}") for kind in ("png", "svg")]
        written.append(target / f"{name}.csv")
        write_csv(written[-1], found.table())
    return written


# -- the page ------------------------------------------------------------------------------------


def html(fc: Forecast) -> str:
    """Return the report as one HTML document."""
    race = fc.race
    answered = [name for name, table in TABLES.items() if table.in_words]
    body = [
        as_of(race, " and what was announced since" * bool(fc.announced)),
        f"<h1>{escape(race.title)}</h1>",
        f"<p class='about'>{escape(race.about)}</p>" if race.about else "",
        f"<p class='answer'>{escape(together(opening(fc)))}</p>",
        *(_answered(fc, name, name in answered) for name in SECTIONS),
        *_assumptions(fc),
        *(section(TABLES[name].heading, _numbers(fc, name)) for name in answered if name not in SECTIONS),
        section("The answer in full", _in_full(fc)),
        _evidence(fc),
        f"<footer><p>{escape(fc.stamp())}</p>{rights(race)}</footer>",
    ]
    return document(race.title, body, f"{MARK}{_recipe(fc)}</script>", NOTHING_RUNS)


def opening(fc: Forecast) -> str:
    """Return the answer in three sentences: who, how many rounds, and that it is a model."""
    return over(fc) or " ".join(filter(None, [who(fc), how_long(fc), no_poll(fc)]))


def _in_full(fc: Forecast) -> str:
    """Return the whole answer: its sentences, and one by one what they leave out."""
    more = [] if over(fc) else details(fc)
    rest = "".join(f"<li>{escape(together(sentence))}</li>" for sentence in more)
    return f"<p>{escape(together(fc.answer()))}</p>{f'<ul>{rest}</ul>' if rest else ''}"


def _answered(fc: Forecast, name: str, table: bool) -> str:
    """Return the section of a question that has a chart; its numbers are those of the table, if there is one."""
    chart = of(fc).chart(name)
    more = _numbers(fc, name) if table else as_file(chart.data, name)
    return section(SECTIONS[name], picture(chart, name), more)


def _numbers(fc: Forecast, name: str) -> str:
    """Return a table of a forecast in words, and its numbers to take away."""
    table = TABLES[name]
    shown = "" if table.in_words is None else as_table(table.in_words(fc), f"{table.heading}, in 100 elections")
    return shown + as_file(table.numbers(fc), name)


def _assumptions(fc: Forecast) -> list[str]:
    """Return the sections on what the answer hangs on."""
    return [
        section(
            f"What {found.subject} hangs on", _weighed(of(found).chart("drivers"), name), as_file(found.table(), name)
        )
        for name, found in what_matters_shown(fc).items()
    ]


def _weighed(chart: Chart[Any], name: str) -> str:
    """Return the chart of what matters; a sentence, if nothing does that could be told from noise."""
    return f"<p>{escape(chart.caption.title)}.</p>" if chart.data.empty else picture(chart, name)


def _evidence(fc: Forecast) -> str:
    """Return the section on what the forecast rests on: the briefing, every parameter, the facts."""
    table, facts = fc.race.evidence(), briefing.facts(fc.race)
    parameters = as_table(table[EVIDENCE], "Every parameter, with its range, grade and source")
    return section(
        "What it rests on",
        briefing.table(fc.race, "The election as it is described"),
        f"<h3>Facts</h3>{facts}" * bool(facts),
        "<h3>Every parameter</h3>"
        f"<details><summary>value, range, unit, grade and source</summary>{parameters}</details>",
        as_file(table, "evidence"),
    )


# -- and back ------------------------------------------------------------------------------------


def _recipe(fc: Forecast) -> str:
    content = {"provenance": fc.provenance, "scenario": dumps(self_contained(fc.race)), "digest": digest(fc)}
    return in_json(content)


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
