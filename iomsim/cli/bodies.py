"""The commands `bodies` and `start`: whose rules are known, and a scenario of one of them to work on."""

from __future__ import annotations

import argparse
from textwrap import wrap
from typing import Any

from iomsim.house_style import hanging
from iomsim.model.bodies import bodies, body
from iomsim.model.briefing import of_body
from iomsim.model.catalogue import draft

WIDTH = 80
"""Columns of a terminal."""


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("bodies", help="list the bodies whose rules ship, or tell what is known of one")
    one.add_argument("body", nargs="?", help="the id of one of them, such as who")
    one.set_defaults(run=run_bodies)
    one = commands.add_parser("start", help="write a scenario of a body to work on, as TOML")
    one.add_argument("body", help="an id of `iomsim bodies`, such as who")
    one.add_argument("--candidates", nargs="+", required=True, metavar="NAME", help="who stands")
    one.add_argument(
        "--members", metavar="FILE", help="a csv or workbook of the members, with a column `name`; or a shipped table"
    )
    one.add_argument("--reading", metavar="NAME", help="a reading of the body's rules (the first one of its file)")
    one.set_defaults(run=run_start)


def run_bodies(arguments: argparse.Namespace) -> None:
    """Print the table, or one body in full."""
    if arguments.body is None:
        print("\n".join(table()))
        return
    for head, line in of_body(body(arguments.body)):
        print(hanging(head, line, WIDTH))


def table() -> list[str]:
    """Return the table of bodies in lines that fit a terminal; names go on below where they are long."""
    rows = [("body", "members", "readings", "grade", "name")]
    rows += [(row.Index, str(row.members), str(row.readings), row.grade, row.name) for row in bodies().itertuples()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    out = []
    for id, members, readings, grade, name in rows:
        start = f"{id:<{widths[0]}}  {members:>{widths[1]}}  {readings:>{widths[2]}}  {grade:<{widths[3]}}  "
        out += wrap(name, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
    return out


def run_start(arguments: argparse.Namespace) -> None:
    """Print the file."""
    print(draft(arguments.body, arguments.candidates, arguments.members, arguments.reading), end="")
