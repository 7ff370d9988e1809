"""Where work is done - here, in threads, in processes, on a cluster - and a bar that shows how far it is.

An executor is anything with `submit` in the style of `concurrent.futures`, among them thread and
process pools and Dask's ``Client.get_executor()``, or else anything with a `map` of one function
over one list, such as a `multiprocessing` pool.  None does the work here, when its result is asked for.

Calls must say all there is to know by their arguments, for they are done anywhere, in any order.

Use processes to be faster.  Threads are welcome, but elections are many short array operations with
the interpreter's lock between them: on two cores, two threads took 0.76 s for what one took 0.66 s,
and two processes 0.44 s.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any

from iomsim.errors import BlockError, IomsimError, reason
from iomsim.interrupts import interrupts_welcome, not_for_children

AHEAD = 1024
"""Calls that are handed over before the first one's result is taken: memory does not grow with their number."""

POLL = 0.1
"""Seconds after which it is looked whether the workers of a pool are alive."""

ENDED = "a worker process ended all at once; it was killed, perhaps because there was no memory left"

Call = tuple[Any, ...]


@dataclass(frozen=True)
class Spread:
    """A function of several arguments as a function of one tuple, for executors that only map."""

    function: Callable[..., Any]

    def __call__(self, call: Call) -> Any:
        """Make the call."""
        return self.function(*call)


def spread(executor: Any, function: Callable[..., Any], *arguments: Iterable[Any]) -> Iterator[Any]:
    """Map a function over lists of arguments, wherever the executor puts the calls; results come in order.

    Raises
    ------
    IomsimError
        If the executor has neither `submit` nor `map`.

    Examples
    --------
    >>> list(spread(None, divmod, [7, 8], [2, 3]))
    [(3, 1), (2, 2)]
    """
    return in_order(executor, function, zip(*arguments, strict=True))


def in_order(executor: Any, function: Callable[..., Any], calls: Iterable[Call], rescue: bool = False) -> Iterator[Any]:
    """Make calls and yield their results in order.

    What has not begun when a call fails, or when nobody asks for more, is cancelled.  With `rescue`, the
    results of later calls that are done by then are yielded before the failure is raised; of an interruption, those
    without a gap.

    Raises
    ------
    BlockError
        If the executor breaks, as where a worker is killed.
    """
    if hasattr(executor, "submit"):
        return _in_order(executor, function, calls, rescue)
    return _one_by_one(executor, function, calls)


def _one_by_one(executor: Any, function: Callable[..., Any], calls: Iterable[Call]) -> Iterator[Any]:
    """Make calls, or wait for their results; Ctrl-C is welcome meanwhile, not once the last one is taken."""
    for result in _promised(executor, function, calls):
        try:
            with interrupts_welcome():
                taken = result()
        except Exception as error:
            if broken(error):
                raise _told(error) from error
            raise
        yield taken


def _promised(executor: Any, function: Callable[..., Any], calls: Iterable[Call]) -> Iterator[Callable[[], Any]]:
    """Return, for every call, what makes it or waits for its result."""
    if executor is None:
        return (partial(function, *call) for call in calls)
    calls = list(calls)
    if hasattr(executor, "map_async"):
        results = _pooled(executor, Spread(function), calls)
    elif hasattr(executor, "map"):
        results = iter(executor.map(Spread(function), calls))
    else:
        raise IomsimError(f"an executor needs map or submit, got {type(executor).__name__}")
    return (partial(next, results) for _ in calls)


def _pooled(pool: Any, function: Callable[..., Any], calls: list[Call]) -> Iterator[Any]:
    """Yield what a `multiprocessing` pool makes of calls; it would wait forever for a worker that was killed."""
    workers, work = _workers(pool), pool.map_async(function, calls)
    while not work.ready():
        work.wait(POLL)
        if not work.ready() and not workers <= _workers(pool):
            raise BlockError(f"the executor broke: {ENDED}")
    yield from work.get()


def _workers(pool: Any) -> set[int]:
    """Return the numbers of a pool's processes; none if it gives work to new ones every so often."""
    lasting = getattr(pool, "_maxtasksperchild", None) is None
    return {worker.pid for worker in getattr(pool, "_pool", ()) if hasattr(worker, "pid")} if lasting else set()


def _in_order(executor: Any, function: Callable[..., Any], calls: Iterable[Call], rescue: bool) -> Iterator[Any]:
    waiting: deque[Any] = deque()
    try:
        for call in calls:
            waiting.append(_submitted(executor, function, call))
            if len(waiting) >= AHEAD:
                yield _taken(waiting)
        while waiting:
            yield _taken(waiting)
    except Exception as error:
        cancel(waiting)
        if rescue:
            yield from [future.result() for future in waiting if _is_done(future)]
        if broken(error):
            raise _told(error) from error
        raise
    except KeyboardInterrupt:
        cancel(waiting)
        while rescue and waiting and _is_done(waiting[0]):
            yield waiting.popleft().result()
        raise
    finally:
        cancel(waiting)


def _submitted(executor: Any, function: Callable[..., Any], call: Call) -> Any:
    """Hand a call over; processes that are begun for it leave Ctrl-C to this one."""
    with not_for_children(signal.SIGINT):
        return executor.submit(function, *call)


def _taken(waiting: deque[Any]) -> Any:
    """Wait for the first of these, and take it."""
    with interrupts_welcome():
        waiting[0].result()
    return waiting.popleft().result()


def _is_done(future: Any) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def as_done(
    executor: Any, function: Callable[..., Any], calls: Iterable[Call]
) -> Iterator[tuple[int, Any, Exception | None]]:
    """Make calls and yield number, result and failure of each as soon as it is done, whatever became of others.

    Examples
    --------
    >>> [(i, result, str(error)) for i, result, error in as_done(None, divmod, [(7, 2), (1, 0)])]
    [(0, (3, 1), 'None'), (1, None, 'integer division or modulo by zero')]
    """
    if not hasattr(executor, "submit"):
        for number, (result, error) in enumerate(_one_by_one(executor, Safely(function), calls)):
            yield number, result, error
        return
    numbers: dict[Any, int] = {}
    done: SimpleQueue[Any] = SimpleQueue()
    try:
        for number, call in enumerate(calls):
            try:
                future = _submitted(executor, function, call)
            except Exception as error:  # such as a pool that is broken
                yield number, None, _told(error)
                continue
            numbers[future] = number
            future.add_done_callback(done.put)
            if len(numbers) >= AHEAD:
                yield _outcome(numbers, _next_of(done))
        while numbers:
            yield _outcome(numbers, _next_of(done))
    except KeyboardInterrupt:
        cancel(numbers)
        for future in [future for future in numbers if _is_done(future)]:
            yield _outcome(numbers, future)
        raise
    finally:
        cancel(numbers)


def _next_of(done: SimpleQueue[Any]) -> Any:
    with interrupts_welcome():
        return done.get()


@dataclass(frozen=True)
class Safely:
    """A function that returns its result and no error, or no result and its error."""

    function: Callable[..., Any]

    def __call__(self, *call: Any) -> tuple[Any, Exception | None]:
        """Make the call."""
        try:
            return self.function(*call), None
        except Exception as error:
            return None, error


def _outcome(numbers: dict[Any, int], future: Any) -> tuple[int, Any, Exception | None]:
    number = numbers.pop(future)
    try:
        return number, future.result(), None
    except Exception as error:
        return number, None, _told(error)


def _told(error: Exception) -> Exception:
    """Return what failed, and in a sentence if it is the executor."""
    return BlockError(f"the executor broke: {broken(error)}") if broken(error) else error


def broken(error: BaseException | None) -> str:
    """Return what broke an executor, or "" if something else failed.

    Examples
    --------
    >>> broken(BrokenExecutor("its initializer failed")), broken(ValueError("too large"))
    ('its initializer failed', '')
    """
    if isinstance(error, BrokenExecutor):
        return ENDED if "terminated abruptly" in str(error) else reason(error)
    if isinstance(error, CancelledError):
        return "the work was cancelled, or the cluster is gone"
    return "its workers died, one after the other, over the same work" if type(error).__name__ == "KilledWorker" else ""


def cancel(futures: Iterable[Any]) -> None:
    """Cancel what has not begun."""
    for future in futures:
        if hasattr(future, "cancel"):
            future.cancel()


@contextmanager
def progress_bar(total: int, wanted: bool, unit: str = "runs") -> Iterator[Callable[[int], object]]:
    """Offer a function that counts what is done, in runs or what else, and moves a bar on if one is wanted.

    The bar is on stderr, if that is a terminal or a notebook, and shows itself once the work has taken two seconds.
    Ctrl-C says how far the work was.
    """
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        if bar is not None:
            with suppress(OSError):  # nobody reads stderr any more
                bar.update(more)

    bar = _bar(total, unit) if wanted else None
    try:
        yield advance
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted after {done} of {total} {unit}") from None
    finally:
        if bar is not None:
            with suppress(OSError):
                bar.close()


def _bar(total: int, unit: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm without ipywidgets falls back to text, and says so
        from tqdm.auto import tqdm
    off = not _is_seen() or bool(os.environ.get("TQDM_DISABLE"))  # which tqdm's bar with ipywidgets does not read
    return tqdm(total=total, unit=f" {unit}", delay=2, leave=False, disable=off)


def _is_seen() -> bool:
    """Return whether somebody looks at stderr: in a terminal or a notebook, not where it is a pipe or a file."""
    if "ipykernel" in sys.modules:
        return True
    with suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
        return sys.stderr.isatty()
    return False
