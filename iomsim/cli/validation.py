"""The commands `history` and `backtest`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from iomsim.cli.common import SEED, assumption_arguments, executor, heading, say, unread_is_fine
from iomsim.files import write_csv
from iomsim.forecasting.result import Result, plain
from iomsim.house_style import on_screen
from iomsim.validation.backtest import PARTICLES, backtest
from iomsim.validation.data import contest
from iomsim.validation.record import GROUPS as RECORD_GROUPS, history
from iomsim.validation.similar import ANY, FIRST
from iomsim.validation.verdict import EVENTS, GROUPS, Backtest


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("history", help="past elections by repeated secret vote: what came of them")
    one.add_argument("contest", nargs="?", help="one of them, with all its tallies")
    _filters(one)
    one.add_argument("--by", choices=list(RECORD_GROUPS), help="the same questions by group")
    one.add_argument("--like", nargs="+", type=int, metavar="VOTES", help="the first rounds most like a tally: 98 67")
    one.add_argument(
        "--rounds", choices=[FIRST, ANY], default=FIRST, help="compare with --like first rounds or any (first)"
    )
    one.add_argument("-n", type=int, default=5, help="so many rounds with --like (5)")
    one.add_argument("--held-out", action="store_true", help="find with --like what is kept for scoring too")
    one.add_argument("--csv", metavar="FILE", type=Path, help="write what is shown, row by row")
    one.add_argument("-o", "--out", metavar="FILE", type=Path, help="draw it: a png, svg or pdf")
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


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--body", nargs="+", help="who voted: UNSC, IOM, ...")
    parser.add_argument("--years", metavar="SPAN", help="2006, 2000-2015 or 2010+")
    parser.add_argument("--candidates", metavar="SPAN", help="how many stood in the first round: 2, 3+ or 2-4")
    parser.add_argument("--size", metavar="SPAN", help="how many members: 30-60")
    parser.add_argument("--bar", help="what elects: 2/3 or '>1/2'; with --like, how far off it the leader was counts")
    parser.add_argument("--ending", nargs="+", help="how it ended: majority, withdrawal, confirmed, failed, open")
    parser.add_argument("--grade", nargs="+", help="how surely the tallies are known: verified, cited, ...")


PICKED = ("body", "years", "candidates", "size", "bar", "ending", "grade")
LISTED = ["body", "year", "members", "candidates", "rounds", "how", "winner"]


def run_history(arguments: argparse.Namespace) -> None:
    """Print what came of past elections, the rounds most like a tally, or the tallies of one election."""
    name = contest(arguments.contest, arguments.folder).id if arguments.contest else None
    picked = {key: getattr(arguments, key) for key in PICKED if key != "bar" or not arguments.like}
    past = history(arguments.folder).filter(**picked, contest=name)
    if arguments.like:
        options = {"n": arguments.n, "bar": arguments.bar, "rounds": arguments.rounds, "held_out": arguments.held_out}
        alike = past.like(*arguments.like, **options)
        say(alike)
        _kept(arguments, alike, "alike", alike.table())
    elif name:
        rows = past.tallies.set_index("round")
        shown = ["date", "candidate", "votes", "votes_cast_or_valid", "kind", "grade", "note"]
        print(plain(rows[rows.columns.intersection(shown, sort=False)]), *past.contests[0].story()[-1:], sep="\n\n")
        _kept(arguments, past, "history", rows)
    else:
        each = past.each()
        say(past.sentence())
        if past.contests:
            _printed("Contests", each[LISTED].fillna({"winner": "nobody"}))
            _printed("What came of them", past.answers() if arguments.by is None else past.answers(arguments.by))
        print(on_screen(past.stamp()))
        _kept(arguments, past, "history", each)


def _printed(title: str, table: pd.DataFrame) -> None:
    print(heading(title), plain(table), sep="\n", end="\n\n")


def _kept(arguments: argparse.Namespace, found: Result, chart: str, table: pd.DataFrame) -> None:
    """Write the files that were asked for."""
    if arguments.csv:
        write_csv(arguments.csv, table)
    if arguments.out:
        found.plot.save(chart, arguments.out)


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
        write_csv(arguments.csv, found.rows, index=False)
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
    print(on_screen(found.stamp()))


def _shown(title: str, table: pd.DataFrame) -> None:
    print(heading(title), plain(table.round(2)), sep="\n", end="\n\n")
