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

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from iomsim.errors import IomsimError

AHEAD = 1024
"""Calls that are handed over before the first one's result is taken: memory does not grow with their number."""

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
    results of later calls that are done by then are yielded before the failure is raised.
    """
    if hasattr(executor, "submit"):
        return _in_order(executor, function, calls, rescue)
    return _one_by_one(executor, function, calls)


def _one_by_one(executor: Any, function: Callable[..., Any], calls: Iterable[Call]) -> Iterator[Any]:
    if executor is None:
        return (function(*call) for call in calls)
    if hasattr(executor, "map"):
        return iter(executor.map(Spread(function), list(calls)))
    raise IomsimError(f"an executor needs map or submit, got {type(executor).__name__}")


def _in_order(executor: Any, function: Callable[..., Any], calls: Iterable[Call], rescue: bool) -> Iterator[Any]:
    waiting: deque[Any] = deque()
    try:
        for call in calls:
            waiting.append(executor.submit(function, *call))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except Exception:
        cancel(waiting)
        if rescue:
            done = [future for future in waiting if future.done() and not future.cancelled()]
            yield from [future.result() for future in done if future.exception() is None]
        raise
    finally:
        cancel(waiting)


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
            future = executor.submit(function, *call)
            numbers[future] = number
            future.add_done_callback(done.put)
            if len(numbers) >= AHEAD:
                yield _outcome(numbers, done.get())
        while numbers:
            yield _outcome(numbers, done.get())
    finally:
        cancel(numbers)


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
        return number, None, error


def cancel(futures: Iterable[Any]) -> None:
    """Cancel what has not begun."""
    for future in futures:
        if hasattr(future, "cancel"):
            future.cancel()


@contextmanager
def progress_bar(runs: int, wanted: bool, unit: str = "runs") -> Iterator[Callable[[int], object]]:
    """Offer a function that moves a bar on by so many runs, or what else counts, or does nothing if none is wanted.

    The bar is on stderr, and shows itself once the work has taken two seconds.
    """
    if not wanted:
        yield lambda _: None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm without ipywidgets falls back to text, and says so
        from tqdm.auto import tqdm
    with tqdm(total=runs, unit=f" {unit}", delay=2, leave=False) as bar:
        yield bar.update
