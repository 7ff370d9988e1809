"""Processes of the command line that play: they begin with it, and end with it whatever happens."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import active_children, get_context, parent_process
from threading import Event, Thread
from typing import Any

from iomsim.interrupts import not_for_children

GRACE = 2
"""Seconds in which a worker that was told to stop hands over what it has."""

POLL = 0.1
"""Seconds after which it is looked whether the workers live."""


class Workers(ProcessPoolExecutor):
    """So many processes, which are told to stop in the end, in the middle of what they do.

    They do not hear Ctrl-C, and hear SIGTERM as what it is here: stop, and do nothing more.  They leave with the
    process that began them, even if that was killed.
    """

    def __init__(self, processes: int) -> None:
        super().__init__(processes, mp_context=get_context("spawn"), initializer=_begin)
        self._others = set(active_children())
        self._over = Event()
        watched = self._over, self._processes, self._result_queue
        Thread(target=_break_if_one_is_killed, args=watched, daemon=True).start()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Hand a call over; the first one begins the processes."""
        with not_for_children(signal.SIGINT, signal.SIGTERM):
            return super().submit(unless_stopped, pickle.dumps((function, arguments, named)))

    def __exit__(self, *_: object) -> None:
        manager: Any = self._executor_manager_thread  # forgotten by the next line, and so waited for by nobody
        self.shutdown(wait=False, cancel_futures=True)
        if hasattr(signal, "pthread_sigmask"):  # on Windows it would kill them
            for process in set(active_children()) - self._others:
                process.terminate()
        if manager is not None:
            manager.join()
        self._over.set()


def _break_if_one_is_killed(over: Event, processes: Any, results: Any) -> None:
    """Wait until a pool is over; if a process ends before, and the pool does not soon, end the others, and so the pool.

    A process that is killed in the middle of a result leaves half of it: who reads it would wait for the rest for ever,
    and the others for their turn to write.  Without all who could write it, there is an end to it.
    """
    while not over.wait(POLL):
        if any(process.exitcode is not None for process in list(processes.values())):
            break
    if not over.wait(2 * GRACE):
        for process in list(processes.values()):
            process.kill()
        results._writer.close()


class _Worker:
    """How it stands in this process."""

    at_work = stopped = False


def unless_stopped(call: bytes) -> Any:
    """Make a call in a worker, unless it was told to stop; to read the first one imports much.

    Examples
    --------
    >>> unless_stopped(pickle.dumps((divmod, (7, 2), {})))
    (3, 1)
    """
    _Worker.at_work = True
    try:
        if _Worker.stopped:
            raise KeyboardInterrupt
        function, arguments, named = pickle.loads(call)
        return function(*arguments, **named)
    finally:
        _Worker.at_work = False


def _begin() -> None:
    """Begin a worker."""
    Thread(target=_leave_with_parent, daemon=True).start()
    if hasattr(signal, "pthread_sigmask"):
        signal.signal(signal.SIGTERM, _stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))


def _stop(*_: object) -> None:
    """Stop, and end soon, even if another worker was killed that had the queue of calls for itself."""
    _Worker.stopped = True
    signal.alarm(GRACE)
    if _Worker.at_work:
        raise KeyboardInterrupt


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
