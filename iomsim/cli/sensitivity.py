"""The commands `compare`, `grid`, `drivers`, `tornado`, `sobol` and `pivotal`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

from iomsim.cli.common import (
    assumption_arguments,
    changed,
    play,
    run_arguments,
    scenario,
    scenario_arguments,
)
from iomsim.errors import IomsimError, quote
from iomsim.files import write_csv
from iomsim.forecasting.result import plain
from iomsim.forecasting.run import forecast
from iomsim.memory import refuse_too_many
from iomsim.model.catalogue import load
from iomsim.sensitivity.compare import compare
from iomsim.sensitivity.grid import grid
from iomsim.sensitivity.pivotal import pivotal
from iomsim.sensitivity.sobol import sobol
from iomsim.sensitivity.tornado import tornado


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("compare", help="the scenario against a changed copy, on the same random numbers")
    scenario_arguments(one)
    one.add_argument("--with", dest="other", metavar="SCENARIO", help="another scenario instead of a changed copy")
    run_arguments(one, 20_000)
    assumption_arguments(one)
    one.set_defaults(run=run_compare)
    one = commands.add_parser("grid", help="one or two parameters over a range: NAME or NAME=LOW:HIGH:POINTS")
    one.add_argument("parameter", nargs="+", help="for instance Washington=0:1.2:13 Brussels=0:1:11")
    one.add_argument("--scenario", default="geneva-2023", help="a shipped name or a .toml file")
    scenario_arguments(one, positional=False)
    run_arguments(one, 2_000)
    outputs(one)
    one.set_defaults(run=run_grid)
    target = ("--target", 'a candidate, "no winner", "spill" or "rounds"')
    one = commands.add_parser("drivers", help="which assumptions the answer hangs on, from the runs of one forecast")
    scenario_arguments(one)
    one.add_argument(target[0], metavar="TARGET", help=f'{target[1]}; "nobody" or "still voting" too')
    run_arguments(one, 100_000)
    assumption_arguments(one)
    outputs(one)
    one.set_defaults(run=run_drivers)
    for function, words, runs, (option, what) in (
        (tornado, "which assumptions the answer hangs on, one at a time", 4_000, target),
        (sobol, "which assumptions the answer hangs on, all at once", 400, target),
        (
            pivotal,
            "what the next phone call is worth, by member and by group",
            50_000,
            ("--candidate", "whose win (the first candidate's)"),
        ),
    ):
        one = commands.add_parser(function.__name__, help=words)
        scenario_arguments(one)
        one.add_argument(option, dest="target", metavar=option[2:].upper(), help=what)
        run_arguments(one, runs)
        if function is pivotal:
            assumption_arguments(one)
        outputs(one)
        one.set_defaults(run=run_pivotal if function is pivotal else run_one, function=function)


def outputs(parser: argparse.ArgumentParser) -> None:
    """Add where the table and the chart go."""
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write the whole table")
    parser.add_argument("--chart", metavar="FILE", type=Path, help="draw it, as png, svg or pdf")


def run_compare(arguments: argparse.Namespace) -> None:
    """Print the paired difference."""
    base = load(arguments.scenario)
    other = changed(load(arguments.other) if arguments.other else base, arguments)
    names = None if arguments.other else ("as it is", "changed")
    found = play(compare, arguments, base, other, assumptions=arguments.assumptions, names=names)
    print(found)


def run_grid(arguments: argparse.Namespace) -> None:
    """Print the cells."""
    axes: dict[str, Any] = dict(_axis(text) for text in arguments.parameter)
    _show(play(grid, arguments, scenario(arguments), **axes), "pressure_grid", arguments)


def _axis(text: str) -> tuple[str, list[float] | None]:
    """Read ``secrecy=0:1:11`` or ``secrecy``.

    Examples
    --------
    >>> _axis("secrecy=0:1:3")
    ('secrecy', [0.0, 0.5, 1.0])
    """
    name, equals, span = text.rpartition("=")  # a selector in a path may hold one
    if not equals:
        return text, None
    parts = span.split(":")
    try:
        low, high, points = float(parts[0]), float(parts[1]), int(parts[2])
        if points < 1 or not math.isfinite(high - low):
            raise ValueError
    except (IndexError, ValueError):
        raise IomsimError(
            f"a range is written NAME=LOW:HIGH:POINTS, got {quote(text)}; for instance secrecy=0:1:11"
        ) from None
    refuse_too_many(points, "values", 64.0)
    return name, np.linspace(low, high, points).tolist()


def run_drivers(arguments: argparse.Namespace) -> None:
    """Print which assumptions matter to a forecast."""
    fc = play(forecast, arguments, scenario(arguments), assumptions=arguments.assumptions)
    _show(fc.drivers(arguments.target), "drivers", arguments)


def run_one(arguments: argparse.Namespace) -> None:
    """Print the bars of a tornado, or Sobol indices."""
    found = play(arguments.function, arguments, scenario(arguments), arguments.target)
    _show(found, arguments.function.__name__, arguments)


def run_pivotal(arguments: argparse.Namespace) -> None:
    """Print pivotal members, and what members are worth by group."""
    found = play(pivotal, arguments, scenario(arguments), arguments.target, assumptions=arguments.assumptions)
    _show(found, "pivotal", arguments)
    if len(found.groups) > 1:
        print("", plain(found.in_words("group")), sep="\n")


def _show(found: Any, chart: str, arguments: argparse.Namespace) -> None:
    """Print a result; write what was asked for."""
    print(found.text("--csv FILE writes them all"))
    if arguments.csv:
        write_csv(arguments.csv, found.table())
    if arguments.chart:
        found.plot.save(chart, arguments.chart)
