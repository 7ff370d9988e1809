"""What is behind a result's ``.plot``."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from matplotlib.figure import Figure

from iomsim.charts import files
from iomsim.charts.base import captions
from iomsim.errors import unknown

P = ParamSpec("P")
R = TypeVar("R")


class Chart(Generic[P, R]):
    """A function of a result, shown as a method of the result's accessor.

    Its help is the function's own; the first argument is filled in.
    """

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self.function = function

    def __get__(self, plots: Accessor | None, owner: type) -> Callable[P, R]:
        """Return the function with the result filled in."""
        return self.function if plots is None else MethodType(self.function, plots._result)  # type: ignore[return-value]


class Accessor:
    """The charts of a result: ``.plot.<name>()`` draws, ``.plot.<name>_data()`` gives the numbers."""

    def __init__(self, result: Any) -> None:
        self._result = result

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the charts."""
        found = {name for kind in cls.__mro__ for name, value in vars(kind).items() if isinstance(value, Chart)}
        return sorted(name for name in found if not name.endswith("_data"))

    def draw(self, name: str, **options: Any) -> Figure:
        """Return a chart as a figure that nobody shows: for files and pages.

        Raises
        ------
        UnknownNameError
            If there is no such chart.
        """
        if name not in self.names():
            raise unknown("chart", name, self.names())
        chart, fig = getattr(self, name), Figure()
        where = "fig" if "fig" in signature(chart).parameters else "ax"
        chart(**{where: fig}, **options)
        return fig

    def save(self, name: str, path: str | Path, **options: Any) -> Path:
        """Draw a chart into a file; see :func:`iomsim.charts.save`."""
        return files.save(self.draw(name, **options), path)

    def svg(self, name: str, *, width: int | None = None, **options: Any) -> str:
        """Return a chart as an SVG element, for a page; `width` in pixels."""
        return files.svg(self.draw(name, **options), width)

    def alt(self, name: str, **options: Any) -> str:
        """Return a chart's text alternative."""
        return " ".join(caption.text for caption in captions(self.draw(name, **options)))

    def __repr__(self) -> str:
        """Return the names of the charts."""
        return f"charts: {', '.join(self.names())}"
