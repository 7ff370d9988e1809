"""``python -m iomsim`` is the command ``iomsim``: the process around it, its streams and signals.

Little is imported before Ctrl-C is taken care of, for the rest takes a second or two.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import Any

INTERRUPTED, TERMINATED = 130, 143


def main() -> int:
    """Run the command line in a process of its own; return the exit code.

    Wherever it falls, Ctrl-C ends it with 130 and one line, SIGTERM with 143.
    """
    open_streams()
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else whoever began it says what happens
    try:
        if ours:
            signal.signal(signal.SIGINT, _leave)
        from iomsim.cli import main as command

        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _terminate)
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return command()
    except KeyboardInterrupt:  # while it was said that there was one
        return INTERRUPTED
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def open_streams() -> None:
    """Keep the places of a closed stdin, stdout or stderr from what is opened later, and have every sign written."""
    number = -1
    while number <= 2:  # files that are opened must not take their places
        number = os.open(os.devnull, os.O_RDWR)
        os.set_inheritable(number, number <= 2)
    os.close(number)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _leave(*_: Any) -> None:
    """Leave at once: nothing has begun."""
    with suppress(OSError):
        os.write(2, b"iomsim: interrupted\n")
    os._exit(INTERRUPTED)


def _terminate(*_: Any) -> None:
    raise SystemExit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
