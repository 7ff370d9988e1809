"""What several commands share: their arguments, and how tables are printed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from iomsim.engine import paths
from iomsim.errors import IomsimError, quote
from iomsim.house_style import in_lines, on_screen
from iomsim.memory import refuse_too_many
from iomsim.model.assumptions import DRAWS
from iomsim.model.catalogue import load
from iomsim.model.parameters import resolve
from iomsim.model.scenario import Scenario
from iomsim.workers import Workers

DEFAULT = "geneva-2023"
OF_A_PROCESS = 1.5e8
"""Bytes of a process with what it imports."""

SEED = 2023
"""The seed unless another is given: the same command prints the same numbers."""


def scenario_arguments(parser: argparse.ArgumentParser, positional: bool = True) -> None:
    """Add what says which election, and what is changed in it."""
    if positional:
        parser.add_argument("scenario", nargs="?", default=DEFAULT, help=f"a shipped name or a .toml file ({DEFAULT})")
    parser.add_argument("--rules", metavar="NAME", help="another reading of the body's rules, such as four-rounds")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="changes",
        help="set a parameter, by short name or dotted path: --set Washington=0.9 --set behaviour.secrecy=0.2",
    )  # fmt: skip
    parser.add_argument(
        "--swing", action="append", default=[], metavar="N:WHO:TO", dest="swings",
        help="members who go over, of a group or a selector, drawn anew in each run: --swing 20:African:Pope",
    )  # fmt: skip
    parser.add_argument("--turnout", type=float, metavar="N", help="members present in the first round on average")
    parser.add_argument("--pledges", metavar="FILE", help="a whip count: member, candidate, kind, date, source")
    parser.add_argument("--polling", metavar="FILE", help="members who were asked, and their chances by candidate")
    parser.add_argument("--trust", type=float, metavar="X", help="how much the answers are believed, 0 to 1 (1)")
    parser.add_argument("--share", type=float, metavar="X", help="balance the first candidate's mean first-round share")


def run_arguments(parser: argparse.ArgumentParser, runs: int) -> None:
    """Add how many runs, with which seed, and where."""
    parser.add_argument("--runs", type=int, default=runs, help=f"simulated elections ({runs:,})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of the random numbers ({SEED})")
    parser.add_argument("--jobs", type=int, default=1, help="processes to play them in (1); the numbers stay the same")


def assumption_arguments(parser: argparse.ArgumentParser, default: int | None = DRAWS) -> None:
    """Add how many draws of the assumptions are played; without a default, what is called decides."""
    parser.add_argument(
        "--assumptions", type=_draws, default=default, metavar="N",
        help=f"draws of the assumptions ({DRAWS}), or 'fixed' for the best guesses alone",
    )  # fmt: skip


def _draws(text: str) -> int | str:
    """Read a number of draws, or "fixed"."""
    try:
        return int(text) if text.isdecimal() else text
    except ValueError:  # of thousands of digits
        raise argparse.ArgumentTypeError(f"a number of draws, or 'fixed', got {quote(text)}") from None


def scenario(arguments: argparse.Namespace) -> Scenario:
    """Return the scenario that the arguments describe."""
    return changed(load(arguments.scenario), arguments)


def changed(race: Scenario, arguments: argparse.Namespace) -> Scenario:
    """Return the scenario with the changes that the arguments ask for."""
    if arguments.rules:
        race = race.with_rules(arguments.rules)
    known = [text for text in arguments.changes if not _is_heard(text)]
    race = race.with_parameters(dict(_setting(race, text) for text in known))
    if arguments.turnout is not None:
        race = race.with_turnout(arguments.turnout)
    race = race if arguments.share is None else race.balanced(arguments.share)
    if arguments.trust is not None and arguments.polling is None:
        raise IomsimError("--trust says how much a poll is believed; give its file too: --polling FILE")
    if arguments.pledges is not None:
        race = race.with_pledges(arguments.pledges)
    if arguments.polling is not None:
        race = race.with_polling(arguments.polling, trust=1.0 if arguments.trust is None else arguments.trust)
    race = race.with_parameters(dict(_setting(race, text) for text in arguments.changes if _is_heard(text)))
    for text in arguments.swings:
        race = race.swing(*_swing(text, race.names))
    return race


def _is_heard(text: str) -> bool:
    """Say whether a parameter is one that a whip count or a poll brings with it."""
    return text.strip().startswith((f"{paths.LEDGER}.", paths.TRUST))


def _swing(text: str, candidates: Sequence[str]) -> tuple[int, str, str]:
    """Read ``20:African:Pope``; there may be colons in names, too.

    Examples
    --------
    >>> _swing("20:un_regional_group=African:Pope", ["Pope", "Vitorino"])
    (20, 'un_regional_group=African', 'Pope')
    """
    count, _, rest = text.partition(":")
    named = [name for name in candidates if rest.endswith(f":{name}")]
    to = max(named, key=len) if named else rest.rpartition(":")[2]
    who, colon = rest[: -len(to) - 1], rest[: len(rest) - len(to)][-1:]
    if not colon or not count.strip().isdecimal():
        raise IomsimError(f"--swing takes N:WHO:TO, got {quote(text)}; for instance --swing 20:African:Pope")
    return int(count), who.strip(), to.strip()


def _setting(race: Scenario, text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")  # a selector in a path may hold one
    if not equals:
        raise IomsimError(f"--set takes NAME=VALUE, got {quote(text)}; for instance --set secrecy=0.2")
    path = resolve(race, name.strip())
    try:
        return path, float(value)
    except ValueError:
        raise IomsimError(f"--set {name} takes a number, got {quote(value)}") from None


def note(arguments: argparse.Namespace, text: str) -> None:
    """Say on stderr what is no result and no complaint, unless it is to be quiet."""
    if not arguments.quiet:
        print(text, file=sys.stderr)


@contextmanager
def without_bars(quiet: bool) -> Iterator[None]:
    """Show no progress, if it is to be quiet."""
    before = os.environ.get("TQDM_DISABLE")
    if quiet:
        os.environ["TQDM_DISABLE"] = "1"
    try:
        yield
    finally:
        if quiet:
            os.environ.pop("TQDM_DISABLE")
            os.environ |= {} if before is None else {"TQDM_DISABLE": before}


@contextmanager
def executor(arguments: argparse.Namespace) -> Iterator[Executor | None]:
    """Offer the processes that were asked for, or None."""
    if arguments.jobs < 1:
        raise IomsimError(f"--jobs must be at least 1, got {arguments.jobs}")
    if arguments.jobs == 1:
        yield None
        return
    refuse_too_many(arguments.jobs, "processes", OF_A_PROCESS)
    with Workers(arguments.jobs) as pool:
        yield pool


def play(function: Any, arguments: argparse.Namespace, *args: Any, **options: Any) -> Any:
    """Call what plays elections with the runs, the seed and the processes that were asked for."""
    with executor(arguments) as pool:
        return function(*args, runs=arguments.runs, seed=arguments.seed, executor=pool, **options)


@contextmanager
def unread_is_fine() -> Iterator[None]:
    """Let whoever reads stdout go away, as in ``iomsim forecast | head``; what is written to files is not lost."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        nobody_reads(sys.stdout)


def have_streams() -> None:
    """Have a stdin, a stdout and a stderr: one that was closed before Python began is empty."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8", errors="backslashreplace"))  # noqa: SIM115


def nobody_reads(stream: TextIO) -> None:
    """Have a stream lead nowhere from now on."""
    with suppress(OSError, ValueError, AttributeError):  # it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(message: object) -> None:
    """Say something on stderr, if anybody reads it."""
    try:
        print(on_screen(f"iomsim: {message}"), file=sys.stderr, flush=True)
    except OSError:
        nobody_reads(sys.stderr)  # nor is what is left of it tried again when Python ends


def say(*lines: object) -> None:
    """Print a paragraph and an empty line after it; what is one long line is broken into several."""
    said = [str(line) for line in lines]
    print(*(text if "\n" in text else in_lines(text) for text in said), sep="\n", end="\n\n")


def heading(text: str) -> str:
    """Return a heading: bold on a terminal, unless NO_COLOR is set."""
    bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[1m{text}\x1b[0m" if bold else text
