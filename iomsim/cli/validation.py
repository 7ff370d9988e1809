"""The commands `history` and `backtest`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from iomsim.cli.common import SEED, plain, say
from iomsim.validation.backtest import backtest
from iomsim.validation.data import contest, history


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("history", help="past elections by repeated secret vote, with their tallies")
    one.add_argument("contest", nargs="?", help="one of them, with all its tallies")
    _folder(one)
    one.set_defaults(run=run_history)
    one = commands.add_parser("backtest", help="what the model said after each past tally, and its scores")
    one.add_argument("contest", nargs="*", help="only these contests")
    _folder(one)
    one.add_argument("--seed", type=int, default=SEED, help=f"seed of the random numbers ({SEED})")
    one.add_argument("--csv", metavar="FILE", type=Path, help="write what was said and scored, row by row")
    one.set_defaults(run=run_backtest)


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, help="your own elections.csv and tallies.csv")


def run_history(arguments: argparse.Namespace) -> None:
    """Print the elections, or the tallies of one."""
    tables = history(arguments.folder)
    if arguments.contest:
        name = contest(arguments.contest, arguments.folder).id
        rows = tables.tallies[tables.tallies["election_id"] == name]
        print(plain(rows.set_index("round")[["date", "candidate", "votes", "votes_cast_or_valid", "kind", "note"]]))
        return
    shown = ["body", "year", "electorate_size", "rounds_total", "decided_how", "winner"]
    print(plain(tables.elections.set_index("election_id")[shown]))


def run_backtest(arguments: argparse.Namespace) -> None:
    """Print the scores beside those of the baselines."""
    found = backtest(arguments.contest or None, folder=arguments.folder, seed=arguments.seed)
    say(found.sentence())
    print(plain(found.table()))
    if arguments.csv:
        found.rows.to_csv(arguments.csv, index=False)
