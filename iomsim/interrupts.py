"""Ctrl-C, heard where it does no harm.

What has been finished is taken in, added up and written while Ctrl-C waits; where something is played or waited
for, it is welcome, and raises `KeyboardInterrupt` there.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, local, main_thread

_THREAD = local()


class CtrlC:
    """Ctrl-C while it waits: how often it was pressed, and whether it is welcome now."""

    def __init__(self) -> None:
        self.pressed, self.welcome = 0, False

    def __call__(self, *_: object) -> None:
        """Handle the signal: raise where it is welcome, and the second time anywhere."""
        self.pressed += 1
        if self.welcome or self.pressed > 1:
            raise KeyboardInterrupt


@contextmanager
def interrupts_wait() -> Iterator[CtrlC]:
    """Have Ctrl-C wait for the next :func:`interrupts_welcome`; the second time it comes at once.

    Whoever calls asks in the end whether it was `pressed`.  Where signals are not for us to handle - in other threads,
    under a handler that is not Python's own - nothing changes.

    Examples
    --------
    >>> _ = signal.signal(signal.SIGINT, signal.default_int_handler)  # as it is, but for what runs in the background
    >>> with interrupts_wait() as ctrl_c:
    ...     signal.raise_signal(signal.SIGINT)
    >>> ctrl_c.pressed
    1
    """
    ctrl_c = CtrlC()
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield ctrl_c
        return
    _THREAD.ctrl_c = ctrl_c
    try:
        signal.signal(signal.SIGINT, ctrl_c)
        yield ctrl_c
    finally:
        _THREAD.ctrl_c = None
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Have Ctrl-C wait for the end, unless it is welcome before."""
    with interrupts_wait() as ctrl_c:
        yield
    if ctrl_c.pressed:
        raise KeyboardInterrupt


@contextmanager
def interrupts_welcome() -> Iterator[None]:
    """Let Ctrl-C come, also one that waited.

    Examples
    --------
    >>> _ = signal.signal(signal.SIGINT, signal.default_int_handler)  # as it is, but for what runs in the background
    >>> with interrupts_wait():
    ...     signal.raise_signal(signal.SIGINT)
    ...     try:
    ...         with interrupts_welcome():
    ...             print("never said")
    ...     except KeyboardInterrupt:
    ...         print("it waited")
    it waited
    """
    ctrl_c: CtrlC | None = getattr(_THREAD, "ctrl_c", None)
    if ctrl_c is None:
        yield
        return
    ctrl_c.welcome = True
    try:
        if ctrl_c.pressed:
            raise KeyboardInterrupt
        yield
    finally:
        ctrl_c.welcome = False


@contextmanager
def not_for_children(*signals: signal.Signals) -> Iterator[None]:
    """Have processes that are begun meanwhile not hear some signals: they are for who began them, and says what to do.

    Here a signal waits till the end.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
