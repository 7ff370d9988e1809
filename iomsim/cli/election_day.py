"""The commands `live` and `replay`: a day, announcement by announcement."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from iomsim.cli.common import SEED, assumption_arguments, heading, say, scenario, scenario_arguments
from iomsim.election_day.election_day import ElectionDay, live, replay
from iomsim.election_day.log import past_day, past_days
from iomsim.errors import FileError, IomsimError, quote_path
from iomsim.files import read_bytes
from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.result import plain
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.forecasting.wording import TOLD
from iomsim.house_style import count, on_screen
from iomsim.model.catalogue import load
from iomsim.model.lines import comment_at
from iomsim.model.tables import text_of

HELP = """\
what you can type:
  98 to 67                      a tally, the first candidate first
  Pope=98 Vitorino=67 at 12:20  leave out what is not known, or write Pope>=90
  Pope: 98; Vitorino: 65; 2 others, 6 abstentions
                                papers for nobody who stands; also blank,
                                invalid, present, valid=165
  no result                     a round that elected nobody, without figures
  Pope is elected               the same, of one that elected
  withdraw Vitorino at 16:30    a candidate withdraws
  eliminate NAME                is out by the rules
  confirm yes=86 no=57          a vote on the leader alone
  adjourn until 15:00           a break
  correct round 1: 99-66        a tally announced before
  undo    next    learned    history    help    quit"""

QUIT = ("quit", "exit", "q")


def add_to(commands: Any) -> None:
    """Add the commands of this family."""
    one = commands.add_parser("live", help="type the tallies as they are announced, and read what they mean")
    scenario_arguments(one)
    _particles(one)
    assumption_arguments(one)
    one.add_argument("--from", dest="source", metavar="FILE", type=Path, help="read announcements from a file")
    one.add_argument("--log", metavar="FILE", type=Path, help="keep a log, from which the day can be opened again")
    one.set_defaults(run=run_live)
    one = commands.add_parser("replay", help="play a past day, announcement by announcement (hindsight)")
    one.add_argument("day", help="2023, 2018, or the log of a day, with the particles and the seed that it has")
    _particles(one)
    assumption_arguments(one)
    one.add_argument("--patient", action="store_true", help="play a log again even if that may take minutes")
    one.set_defaults(run=run_replay)


def _particles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--particles", type=int, default=20_000, help="particles, the elections that are carried on (20,000)"
    )
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of the random numbers ({SEED})")


def run_live(arguments: argparse.Namespace) -> int:
    """Open a day; take lines from the prompt, a pipe or a file; 1 if a line of a file was refused."""
    drawn = arguments.assumptions
    day = live(scenario(arguments), arguments.particles, arguments.seed, log=arguments.log, assumptions=drawn)
    say(heading(day.race.title), day.forecast().answer())
    typed = arguments.source is None and sys.stdin.isatty()
    if typed:
        say(HELP)
    try:
        lines = _prompted() if typed else _read(arguments.source)
        done = [take(day, line) for line in takewhile(lambda line: line not in QUIT, lines)]
    except KeyboardInterrupt:
        kept = f", kept in {quote_path(arguments.log)}" if arguments.log else ""
        raise KeyboardInterrupt(f"interrupted after {count(len(day.events), 'event')}{kept}") from None
    return int(not typed and not all(done))


def _prompted() -> Iterator[str]:
    while True:
        try:
            yield input("> ").strip()
        except EOFError:
            return


def _read(path: Path | None) -> list[str]:
    """Return the lines of a file, or of what is piped in."""
    try:
        text = sys.stdin.read() if path is None else text_of(read_bytes(path), quote_path(path))
    except UnicodeDecodeError:
        raise FileError("what is piped in is not UTF-8; save it as UTF-8") from None
    return [line.strip() for line in text.splitlines()]


def take(day: ElectionDay, line: str) -> bool:
    """Do what a line says and print what it means; return whether it could be done."""
    line = line[: comment_at(line, day.race.names)].strip()
    try:
        if line:
            _do(day, line)
    except IomsimError as error:
        print(on_screen(f"refused: {error}") + "\n", file=sys.stderr)
        return False
    return True


def _do(day: ElectionDay, line: str) -> None:
    match line.casefold():
        case "help" | "?":
            say(HELP)
        case "next":
            say(day.what_next())
        case "history":
            say(table(day))
        case "learned":
            say(plain(day.learned().round(2)))
        case "undo":
            say(day.undo(), day.forecast().answer())
        case _:
            say(day.tell(line), day.forecast().answer())


def table(day: ElectionDay) -> str:
    """Return the probabilities after each announcement, per hundred; 0 and 100 once they are facts."""
    told = day.history()
    rest = [name for name in (NOBODY, STILL_VOTING) if (told[name] >= TOLD).any()]
    names = [*day.race.names, *rest, "spill"]
    shown = told[names].map(in_100).where(~told["certain"], (100 * told[names]).map("{:.0f}".format))
    next_day = day.forecast().next_day_in_words
    return plain(told[["event"]].join(shown).rename(columns={"spill": next_day}))


def run_replay(arguments: argparse.Namespace) -> None:
    """Play a past day; the forecast before it comes first.  Of a log, tell what was believed after every event."""
    if arguments.day not in past_days() and Path(arguments.day).is_file():
        day = replay(arguments.day, patient=arguments.patient)
        say(heading(day.race.title), day.forecast().answer())
        print(table(day))
        return
    known = past_day(arguments.day)
    day = live(load(known.scenario), arguments.particles, arguments.seed, assumptions=arguments.assumptions)
    say(heading(f"{known.title} (hindsight: nothing of it entered the forecast)"))
    say(heading("Before the vote"), day.forecast().answer())
    for event in known.events:
        say(heading(event.say), event.note, f"[{event.grade}: {event.source}]")
        say(day.tell(event.say), day.forecast().answer())
    print(table(day))
