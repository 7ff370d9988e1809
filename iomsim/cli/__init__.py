"""The command line: ``iomsim forecast geneva-2023``.

Results go to stdout, progress and complaints to stderr.  Exit codes: 0 done, 1 the answer is no
(`validate`), 2 bad input, 130 interrupted, 143 terminated.

Knows everything.  It must not compute: every number comes from a function that a notebook can call.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from iomsim._version import VERSION
from iomsim.cli import bodies, describe, election_day, forecasts, register, sensitivity, validation
from iomsim.cli.common import complain, have_streams, nobody_reads, unread_is_fine, without_bars
from iomsim.errors import IomsimError, presentable, quote_path, reason
from iomsim.forecasting.run import InterruptedForecastWarning

BAD_INPUT, INTERRUPTED = 2, 130

EXAMPLES = """\
examples:
  iomsim forecast                    who wins in Geneva, when, after how many rounds
  iomsim forecast --rules four-rounds --set secrecy=0.2 --out out
  iomsim bodies                      whose rules are known; iomsim bodies who: these
  iomsim start who --candidates A B C > my-election.toml
  iomsim forecast my-election.toml --json --quiet
  iomsim tornado --target Tuesday    which assumption that answer hangs on
  iomsim live                        type the tallies as they are announced
  iomsim replay 2023                 Monday 15 May 2023 as it happened
  iomsim register -o mine.toml       write a forecast down before the event
  iomsim score mine.toml --winner Pope --rounds 1 --ended "Monday 16:35"
"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints may be shown anywhere, whatever was typed."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how it is used, and exit."""
        super().error(presentable(message))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = Parser(
        prog="iomsim",
        description="Forecast a secret vote of states: who wins, when, after how many rounds.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"iomsim {VERSION}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for family in (forecasts, describe, bodies, sensitivity, election_day, register, validation):
        family.add_to(commands)
    one = commands.add_parser("completion", help='have a shell complete commands: eval "$(iomsim completion bash)"')
    one.add_argument("shell", metavar="SHELL", help="bash, zsh, fish ...")
    one.set_defaults(run=lambda arguments: describe.print_completion(top, arguments.shell))
    for one in commands.choices.values():
        one.add_argument("-q", "--quiet", action="store_true", help="no progress and no notes: results and complaints")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code.

    Examples
    --------
    >>> main(["validate", "minimal"])                                # doctest: +ELLIPSIS
    minimal: fine, 175 members, A against B, ...
    0
    """
    have_streams()
    arguments = parser().parse_args(argv)
    told: list[Any] = []

    def tell(message: Warning | str, category: Any, *_: object, **__: object) -> None:
        told.append(category)
        complain(message)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", InterruptedForecastWarning)
            warnings.showwarning = tell
            code = 0
            with without_bars(arguments.quiet), unread_is_fine():
                code = int(arguments.run(arguments) or 0)
            return INTERRUPTED if InterruptedForecastWarning in told else code
    except IomsimError as error:
        complain(error)
    except OSError as error:
        nobody_reads(sys.stdout)  # what could not be written to it is not tried again
        complain(f"{quote_path(error.filename) if error.filename else 'cannot write the output'}: {reason(error)}")
    except MemoryError as error:
        complain(f"there is not enough memory{f' ({error})' if str(error) else ''}; fewer runs need less")
    except KeyboardInterrupt as error:
        complain(str(error) or "interrupted")
        return INTERRUPTED
    return BAD_INPUT
