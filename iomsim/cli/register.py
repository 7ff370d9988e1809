"""The commands `register` and `score`: a forecast written down before the event, and judged after it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from iomsim.cli.common import (
    assumption_arguments,
    heading,
    play,
    run_arguments,
    say,
    scenario,
    scenario_arguments,
)
from iomsim.errors import IomsimError, quote
from iomsim.forecasting.result import plain
from iomsim.house_style import on_screen
from iomsim.registered.post_mortem import paragraphs
from iomsim.registered.register import RUNS, register
from iomsim.registered.registration import registration
from iomsim.registered.scorebook import append, scorebook
from iomsim.registered.scoring import Score, score

LEDGER = "scores.csv"
"""The ledger, unless another is named."""


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("register", help="write down a forecast before the event, to be scored after it")
    scenario_arguments(one)
    one.add_argument("-o", "--out", metavar="FILE", type=Path, help="the file (NAME-DATE.registration.toml)")
    run_arguments(one, RUNS)
    assumption_arguments(one)
    one.set_defaults(run=run_register)
    one = commands.add_parser("score", help="score a registered forecast, once it is known what came")
    one.add_argument("file", type=Path, help="a registration, or a ledger, whose mean scores are printed")
    one.add_argument("--winner", metavar="NAME", help="a candidate; or nobody, 'still voting', 'somebody else'")
    one.add_argument("--rounds", type=int, metavar="N", help="rounds held")
    one.add_argument("--ended", metavar="WHEN", help="local time of the seat: '2023-05-15 16:35', 'Tuesday 10:30'")
    one.add_argument("--ending", metavar="HOW", help="majority, acclamation, confirmed")
    told = one.add_mutually_exclusive_group()
    told.add_argument("--first", nargs="+", metavar="VOTES", help="the first tally: 98 67, or Pope=98 Vitorino=67")
    told.add_argument("--share", nargs="+", metavar="NAME=X", help="in its place, shares: Pope=0.594")
    one.add_argument("--market", nargs="+", metavar="NAME=X", help="prices to compare with: Pope=0.55 Vitorino=0.45")
    kept = one.add_mutually_exclusive_group()
    kept.add_argument(
        "--ledger", metavar="FILE", type=Path, help=f"the csv to which a line is appended ({LEDGER}, beside the file)"
    )
    kept.add_argument("--no-ledger", action="store_true", help="print the score, and keep no line of it")
    one.add_argument("--again", action="store_true", help="replace the line that the ledger has already")
    one.set_defaults(run=run_score)


def run_register(arguments: argparse.Namespace) -> None:
    """Forecast, write it down, and print what to publish."""
    race = scenario(arguments)
    name = Path(arguments.scenario).stem
    path = arguments.out or Path(f"{name}-{race.clock.opens:%Y-%m-%d}.registration.toml")
    told = play(register, arguments, race, path, assumptions=arguments.assumptions)
    say(heading(told.title), told.content["answer"])
    say(heading("What is not known"), *told.not_known)
    say(
        f"{path} is registered, {told.registered:%Y-%m-%d %H:%M:%S} UTC."
        + " This is hindsight: voting had opened by then." * told.hindsight
    )
    print(f"publish   {told.short}")
    print(f"in full   {told.checksum}")


def run_score(arguments: argparse.Namespace) -> None:
    """Score a registration, print what was right and what was wrong; or the mean scores of a ledger."""
    if arguments.winner is None:
        return _without_winner(arguments.file)
    found = score(
        arguments.file,
        winner=arguments.winner,
        rounds=arguments.rounds,
        ended=arguments.ended,
        ending=arguments.ending,
        first=_tally(arguments.first),
        share=_numbers("--share", arguments.share),
        market=_numbers("--market", arguments.market),
    )
    show(found)
    if not arguments.no_ledger:
        ledger = arguments.ledger or arguments.file.with_name(LEDGER)
        append(ledger, found.line, arguments.again)
        print(f"\na line in {ledger}, registration {found.registration.short}")
    return None


def show(found: Score) -> None:
    """Print a score: what came, what that had been given, the scores."""
    say(heading(found.registration.title), *paragraphs(found))
    say(heading("Scores, lower is better"), plain(found.table().map(_shown)))
    print(on_screen(found.stamp()))


def _shown(score: float) -> str:
    return "" if score != score else f"{score:.3f}"


def _without_winner(path: Path) -> None:
    """Print the mean scores of a ledger; say of a registration what is missing."""
    if path.suffix == ".csv":
        print(plain(scorebook(path).round(3)))
        return
    told = registration(path)
    raise IomsimError(f"{told.short} is as it was registered; say what came: --winner {told.law.names[0]} --rounds 2")


def _tally(words: list[str] | None) -> Any:
    """Read ``98 67``, or ``Pope=98 Vitorino=67``."""
    if words is None:
        return None
    if all(word.isascii() and word.isdecimal() for word in words):
        return [int(word) for word in words]
    votes = _numbers("--first", words) or {}
    return {name: int(number) if number.is_integer() else number for name, number in votes.items()}


def _numbers(option: str, words: list[str] | None) -> dict[str, float] | None:
    """Read ``Pope=0.55 Vitorino=0.45``, or ``Pope=55%``."""
    if words is None:
        return None
    found: dict[str, float] = {}
    for word in words:
        name, equals, number = word.rpartition("=")
        try:
            value = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise IomsimError(f"{option} takes NAME=NUMBER, got {quote(word)}; for instance {option} Pope=0.55")
        if name in found:
            raise IomsimError(f"{option} names {name} twice")
        found[name] = value
    return found
