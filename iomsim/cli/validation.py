"""The commands `history` and `backtest`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from iomsim.cli.common import SEED, assumption_arguments, executor, heading, plain, say, unread_is_fine
from iomsim.validation.backtest import PARTICLES, backtest
from iomsim.validation.data import contest, history
from iomsim.validation.verdict import EVENTS, GROUPS, Backtest


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("history", help="past elections by repeated secret vote, with their tallies")
    one.add_argument("contest", nargs="?", help="one of them, with all its tallies")
    _folder(one)
    one.set_defaults(run=run_history)
    one = commands.add_parser("backtest", help="what the model said after each past tally, and its scores")
    one.add_argument("contest", nargs="*", help="only these contests")
    _folder(one)
    one.add_argument("--model", help="'fitted' to the other contests, or '0.1', as that version was")
    one.add_argument("--by", choices=list(GROUPS), default="standing", help="tell groups of forecasts apart (standing)")
    assumption_arguments(one, default=None)
    one.add_argument("--particles", type=int, default=PARTICLES, help=f"particles of every forecast ({PARTICLES:,})")
    one.add_argument("--seed", type=int, default=SEED, help=f"seed of the random numbers ({SEED})")
    one.add_argument("--jobs", type=int, default=1, help="processes to forecast them in (1); the numbers stay the same")
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
    """Print on a page what was judged: scores, groups, honesty, losses."""
    with executor(arguments) as pool:
        found = backtest(
            arguments.contest or None,
            arguments.model,
            arguments.folder,
            particles=arguments.particles,
            seed=arguments.seed,
            assumptions=arguments.assumptions,
            executor=pool,
        )
    if arguments.csv:
        found.rows.to_csv(arguments.csv, index=False)
    with unread_is_fine():
        _page(found, arguments.by)


def _page(found: Backtest, by: str) -> None:
    """Print a backtest."""
    say(found.sentence())
    _shown("Scores", found.table())
    _shown(f"Winner and next share, by {by}", found.by(by).loc[(slice(None), ["winner, log", "next share, CRPS"]), :])
    _shown("Real next shares in the middle of their forecasts", found.coverage(by))
    for event in EVENTS:
        _shown(f"Said and came: {event}", found.reliability_table(event, by))
    print(heading("Where it loses, and why"))
    say(*found.loses().paragraphs())
    print(found.stamp())


def _shown(title: str, table: pd.DataFrame) -> None:
    print(heading(title), plain(table.round(2)), sep="\n", end="\n\n")
