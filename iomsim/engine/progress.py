"""A progress bar for whoever waits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(runs: int, wanted: bool) -> Iterator[Callable[[int], object]]:
    """Offer a function that moves a bar on by so many runs, or does nothing if none is wanted.

    The bar is on stderr, and shows itself once the work has taken two seconds.
    """
    if not wanted:
        yield lambda _: None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm without ipywidgets falls back to text, and says so
        from tqdm.auto import tqdm
    with tqdm(total=runs, unit=" runs", delay=2, leave=False) as bar:
        yield bar.update
