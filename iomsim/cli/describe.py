"""Commands about descriptions: `scenarios`, `show`, `leanings`, `pledges`, `validate`, `evidence`, `schema`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from typing import Any

from iomsim.cli.common import DEFAULT, SEED, assumption_arguments, scenario, scenario_arguments
from iomsim.cli.output import output_schema
from iomsim.election_day.log import past_days
from iomsim.errors import IomsimError, unknown
from iomsim.files import csv_text
from iomsim.forecasting.result import plain
from iomsim.model.bodies import bodies
from iomsim.model.catalogue import catalogue, load, schema
from iomsim.model.quantities import in_digits

COMPLETERS = {
    "bash": '%s() { compgen -W "%s" -- "$1"; compgen -f -- "$1"; }',
    "zsh": '%s() { _alternative "names:shipped:(%s)" "files:file:_files" }',
    "fish": "function %s; string split ' ' '%s'; __fish_complete_path (commandline -ct); end",
}
"""Functions that complete a shipped name or a file, by shell."""


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("scenarios", help="list the shipped scenarios")
    one.set_defaults(run=scenarios)
    one = commands.add_parser("show", help="print a scenario as a briefing")
    scenario_arguments(one)
    one.add_argument("--columns", action="store_true", help="what the columns of the member table mean and hold")
    one.set_defaults(run=show)
    one = commands.add_parser("leanings", help="print how each member leans, the closest to even first")
    scenario_arguments(one)
    assumption_arguments(one)
    one.add_argument("--seed", type=int, default=SEED, help=f"seed of the draws ({SEED})")
    one.add_argument("--csv", action="store_true", help="as csv, with all columns")
    one.set_defaults(run=leanings)
    one = commands.add_parser("pledges", help="print what a whip count comes to: --pledges FILE")
    scenario_arguments(one)
    one.add_argument("--seed", type=int, default=SEED, help=f"seed of the random numbers ({SEED})")
    one.set_defaults(run=pledges)
    one = commands.add_parser("validate", help="check a scenario file, and say what is wrong")
    one.add_argument("file", help="a .toml file, or a shipped name")
    one.set_defaults(run=validate)
    one = commands.add_parser("evidence", help="print every parameter with its range, grade and source")
    one.add_argument("scenario", nargs="?", default=DEFAULT, help=f"a shipped name or a .toml file ({DEFAULT})")
    one.add_argument("--csv", action="store_true", help="as csv, with the statements of the facts")
    one.set_defaults(run=evidence)
    one = commands.add_parser("schema", help="print the JSON schema of a scenario file, for editors; or of --json")
    one.add_argument("--output", action="store_true", help="of what --json prints")
    one.set_defaults(run=print_schema)


def scenarios(_: argparse.Namespace) -> None:
    """Print the catalogue."""
    table = catalogue()
    print(plain(table.assign(as_of=table["as_of"].dt.strftime("%Y-%m-%d").fillna(""))))


def show(arguments: argparse.Namespace) -> None:
    """Print the briefing, or the columns of the member table."""
    if arguments.columns:
        table = scenario(arguments).columns().astype(object)
        table = table.where(table.notna(), "")
        print(plain(table[["meaning", "unit", "year", "known", "least", "greatest", "transform"]]))
        return
    print(scenario(arguments))


def leanings(arguments: argparse.Namespace) -> None:
    """Print how members lean."""
    race = scenario(arguments)
    table = race.leanings(assumptions=arguments.assumptions, seed=arguments.seed)
    if arguments.csv:
        print(csv_text(table), end="")
        return
    first = race.names[0]
    told = table.iloc[(table[first] - 0.5).abs().argsort(kind="stable")]
    shown = ["group", "vote", *race.names, *(f"{first}_{end}" for end in ("low", "high")), "leans_to"]
    print(plain(told[shown].round(2)))


def pledges(arguments: argparse.Namespace) -> None:
    """Print what the pledges of a race come to."""
    print(scenario(arguments).pledges(seed=arguments.seed))


def validate(arguments: argparse.Namespace) -> int:
    """Say whether a file describes an election; 1 if it does not."""
    try:
        race = load(arguments.file)
    except IomsimError as error:
        print(error)
        return 1
    print(f"{arguments.file}: fine, {len(race.electorate.frame)} members, {' against '.join(race.names)}, {race.hash}")
    return 0


def evidence(arguments: argparse.Namespace) -> None:
    """Print the provenance table."""
    table = load(arguments.scenario).evidence()
    if arguments.csv:
        print(csv_text(table), end="")
        return
    ranges = [" to ".join(in_digits(low, high)) for low, high in table[["low", "high"]].to_numpy()]
    values = [in_digits(value)[0] for value in table["value"]]
    print(plain(table.assign(value=values, range=ranges)[["value", "range", "unit", "grade", "published", "source"]]))


def print_schema(arguments: argparse.Namespace) -> None:
    """Print the JSON schema of a scenario file, or of what --json prints."""
    print(json.dumps(output_schema() if arguments.output else schema(), indent=2))


def print_completion(top: argparse.ArgumentParser, shell: str) -> None:
    """Print what has a shell complete commands, options, shipped names and files."""
    if find_spec("shtab") is None:
        raise IomsimError("completion needs shtab; install it with: pip install 'iomsim[completion]'")
    import shtab

    if shell not in shtab.SUPPORTED_SHELLS:
        raise unknown("shell", shell, shtab.SUPPORTED_SHELLS)
    names = {"body": [*bodies().index], "shell": shtab.SUPPORTED_SHELLS}
    names_or_files = {"scenario": [*catalogue().index], "other": [*catalogue().index], "day": past_days()}
    for action in _arguments(top):
        if action.dest in names:
            action.choices = names[action.dest]
        elif action.dest in names_or_files:
            function = _completer(action.dest)
            action.complete = dict.fromkeys(COMPLETERS, function) | {"fish": f"({function})"}  # type: ignore[attr-defined]
        elif action.metavar in ("FILE", "DIR") or action.dest == "file":
            action.complete = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
    told = [(_completer(dest), " ".join(words)) for dest, words in names_or_files.items()]
    print(
        shtab.complete(top, shell, preamble="\n".join(COMPLETERS[shell] % one for one in told if shell in COMPLETERS))
    )


def _completer(dest: str) -> str:
    """Return the name of the function that completes an argument; by ``_file`` in it shtab knows that files do."""
    return f"_iomsim_file_or_{dest}"


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action.choices, dict):
            yield from chain.from_iterable(map(_arguments, action.choices.values()))
