"""The commands `forecast`, `report` and `rerun`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from iomsim.cli.common import (
    SEED,
    assumption_arguments,
    changed,
    executor,
    heading,
    note,
    run_arguments,
    say,
    scenario,
    scenario_arguments,
    unread_is_fine,
)
from iomsim.cli.output import VERSION as OUTPUT_VERSION
from iomsim.errors import IomsimError
from iomsim.forecasting.drivers import Drivers
from iomsim.forecasting.forecast import Forecast, open_forecast
from iomsim.forecasting.result import plain
from iomsim.forecasting.run import forecast
from iomsim.forecasting.tables import TABLES
from iomsim.forecasting.wording import what_matters_shown
from iomsim.house_style import on_screen

RUNS, RUNS_OF_A_POINT = 100_000, 2_000
"""Of a forecast; of each point behind sliders."""

SHOWN = 6
"""Assumptions that are printed of those that matter."""


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("forecast", help="who wins, after how many rounds, and into the next day or not")
    scenario_arguments(one)
    run_arguments(one, RUNS)
    one.add_argument(
        "--precision", type=float, metavar="X", help="instead of --runs: until every 95 %% half-width is X"
    )
    assumption_arguments(one)
    one.add_argument("--out", metavar="DIR", type=Path, help="write tables, charts, the report and the forecast there")
    one.add_argument("--json", action="store_true", help="print one JSON document; iomsim schema --output describes it")
    one.set_defaults(run=run_forecast)
    one = commands.add_parser("report", help="a page to hand on: of a forecast, or with sliders")
    scenario_arguments(one)
    run_arguments(one, RUNS)
    assumption_arguments(one, default=None)
    one.add_argument(
        "--interactive", action="store_true",
        help=f"pressure, secrecy, level and reading are sliders; --runs are those of each point ({RUNS_OF_A_POINT:,})",
    )  # fmt: skip
    one.add_argument("-o", "--out", metavar="FILE", type=Path, help="the page (report.html, or what-if.html)")
    one.set_defaults(run=run_report, runs=None, seed=None)
    one = commands.add_parser("rerun", help="make the forecast of a report or a saved forecast again, and compare")
    one.add_argument("file", type=Path, help="an .html report or a saved forecast")
    one.set_defaults(run=run_again)


def run_forecast(arguments: argparse.Namespace) -> None:
    """Forecast, print, and write what was asked for."""
    runs = None if arguments.precision else arguments.runs
    with executor(arguments) as pool:
        fc = forecast(
            scenario(arguments),
            runs,
            arguments.seed,
            precision=arguments.precision,
            executor=pool,
            assumptions=arguments.assumptions,
        )
    with unread_is_fine():
        if arguments.json:
            print(json.dumps(as_json(fc), indent=2))
        else:
            print_forecast(fc)
    if arguments.out:
        from iomsim.charts.report import write_folder  # loads matplotlib

        files = write_folder(fc, arguments.out)
        note(arguments, f"{len(files)} files in {arguments.out}; begin with {arguments.out / 'report.html'}")


def as_json(fc: Forecast) -> dict[str, Any]:
    """Return the forecast as plain data, as ``iomsim schema --output`` describes it."""
    spill = fc.spill()
    middle, low, high = fc.median_rounds()
    numbers = {name: records(table.numbers(fc)) for name, table in TABLES.items()}
    return {
        "output_version": OUTPUT_VERSION,
        "title": fc.race.title,
        "headline": fc.headline(),
        "answer": fc.answer(),
        "spill": {
            "into": fc.next_day.isoformat(),
            "probability": spill.value,
            "low": spill.low if spill.span else None,
            "high": spill.high if spill.span else None,
            "mc_error": spill.mc_error,
        },
        "median_rounds": {"median": middle, "low": low, "high": high},
        **numbers,
        **{name: _hangs_on(found) for name, found in what_matters_shown(fc).items()},
        "provenance": fc.provenance,
    }


def _hangs_on(found: Drivers) -> dict[str, Any]:
    return {"target": found.target, "sentence": found.sentence(), "table": records(found.table())}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain data; what is missing is null, and moments are written as ISO 8601 has them.

    Examples
    --------
    >>> records(pd.DataFrame({"p": [0.5, None]}, pd.DatetimeIndex(["2023-05-15 10:00", None], name="hour")))
    [{'hour': '2023-05-15T10:00:00', 'p': 0.5}, {'hour': None, 'p': None}]
    """
    text = table.reset_index().to_json(orient="records", date_format="iso", date_unit="s")
    return list(json.loads(text))


def print_forecast(fc: Forecast) -> None:
    """Print the answer and the tables behind it."""
    say(heading(fc.race.title), fc.answer())
    for table in TABLES.values():
        if table.in_words:
            say(heading(table.heading), plain(table.in_words(fc)))
    for found in what_matters_shown(fc).values():
        shown = found.in_words().head(SHOWN)
        say(heading(f"What {found.subject} hangs on"), plain(shown) if len(shown) else found.sentence())
    print(on_screen(fc.stamp()))


def run_report(arguments: argparse.Namespace) -> None:
    """Write a page: of a forecast that is made, or was saved; or with sliders."""
    from iomsim.charts.interactive import interactive  # loads matplotlib
    from iomsim.charts.report import report

    saved = open_forecast(arguments.scenario) if arguments.scenario.casefold().endswith(".npz") else None
    race = scenario(arguments) if saved is None else changed(saved.race, arguments)
    seed = SEED if arguments.seed is None else arguments.seed
    path = arguments.out or Path("what-if.html" if arguments.interactive else "report.html")
    if arguments.interactive:
        if arguments.assumptions not in (None, "fixed"):
            raise IomsimError("the sliders are on the best guesses of all else; leave --assumptions out")
        if saved is not None and saved.events:
            raise IomsimError("the sliders are of an election before the vote, and this forecast has announced rounds")
        with executor(arguments) as pool:
            interactive(race, path, runs=arguments.runs or RUNS_OF_A_POINT, seed=seed, executor=pool)
    elif saved is None:
        drawn = {} if arguments.assumptions is None else {"assumptions": arguments.assumptions}
        with executor(arguments) as pool:
            report(forecast(race, arguments.runs or RUNS, seed, executor=pool, **drawn), path)
    else:
        if race != saved.race or {arguments.runs, arguments.seed, arguments.assumptions} != {None}:
            raise IomsimError("a saved forecast is reported as it is; to change something, name its scenario instead")
        report(saved, path)
    print(path)


def run_again(arguments: argparse.Namespace) -> int:
    """Make a forecast again from its file; 1 if the numbers are not the same."""
    from iomsim.charts.report import rerun  # loads matplotlib

    fc, same = rerun(arguments.file)
    say(fc.answer(), fc.stamp())
    print("the numbers are the same, bit for bit" if same else "the numbers differ from those in the file")
    return 0 if same else 1
