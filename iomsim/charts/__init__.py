"""The charts.

Each is a method of a result's ``.plot``, and a class of its own: ``fc.plot.rounds()`` is
``iomsim.charts.rounds.Rounds(fc).draw()``.  They return Axes (those of a whole page a Figure), draw
into a new figure unless they are given axes, and leave matplotlib's global settings alone.  Titles, keys
and rows under the axes find room by themselves: of a figure of several charts each keeps to its own part.

This package knows every result.  It must not know the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature, cleandoc, signature
from pathlib import Path
from typing import Any, overload

from matplotlib.figure import Figure

from iomsim.charts import files
from iomsim.charts.base import Chart
from iomsim.charts.dashboard import Dashboard
from iomsim.charts.decision_time import DecisionTime
from iomsim.charts.dotplots import PivotalMembers, Scenarios, SobolIndices
from iomsim.charts.drivers import DriverCurve, DriversPage
from iomsim.charts.election_day import Learned, Live
from iomsim.charts.files import save
from iomsim.charts.flows import Flows
from iomsim.charts.history import Paths, SimilarRounds
from iomsim.charts.leanings import Leanings
from iomsim.charts.pressure_grid import PressureGrid
from iomsim.charts.rounds import Rounds
from iomsim.charts.style import STYLE, Theme
from iomsim.charts.tornado import TornadoBars
from iomsim.charts.trajectories import Trajectories
from iomsim.charts.validation import Calibration, Coverage, History, Ranks, Reliability, SaidAndCame
from iomsim.charts.win_probability import WinProbability
from iomsim.election_day.election_day import ElectionDay
from iomsim.errors import IomsimError, quote, quote_path, unknown, writing
from iomsim.files import write_csv
from iomsim.forecasting.drivers import Drivers
from iomsim.forecasting.forecast import Forecast
from iomsim.sensitivity.compare import SideBySide
from iomsim.sensitivity.grid import Grid
from iomsim.sensitivity.pivotal import Pivotal
from iomsim.sensitivity.sobol import Sobol
from iomsim.sensitivity.tornado import Tornado
from iomsim.validation import record, similar
from iomsim.validation.verdict import Backtest

__all__ = ["CHARTS", "STYLE", "Plots", "of", "save"]

CHARTS: dict[type, dict[str, type[Chart[Any]]]] = {
    Forecast: {
        "win_probability": WinProbability,
        "rounds": Rounds,
        "decision_time": DecisionTime,
        "trajectories": Trajectories,
        "flows": Flows,
        "leanings": Leanings,
        "dashboard": Dashboard,
    },
    Drivers: {"drivers": DriversPage, "curve": DriverCurve},
    ElectionDay: {"live": Live, "learned": Learned},
    Tornado: {"tornado": TornadoBars},
    Sobol: {"sobol": SobolIndices},
    Pivotal: {"pivotal": PivotalMembers},
    SideBySide: {"scenarios": Scenarios},
    Grid: {"pressure_grid": PressureGrid},
    Backtest: {
        "reliability": Reliability,
        "said_and_came": SaidAndCame,
        "coverage": Coverage,
        "ranks": Ranks,
        "calibration": Calibration,
        "history": History,
    },
    record.History: {"history": Paths},
    similar.Alike: {"alike": SimilarRounds},
}
"""The charts of each kind of result."""

SHARED = """

Other Parameters
----------------
ax (fig of a whole page) : Axes or empty Figure, optional
    Where to draw; a new figure by default.
stamp : bool, default True
    Write under the chart what is needed to make it again.
theme : {"light", "dark", "print", "phone"}, optional
    The look: light, dark, black on white for paper, or 390 pixels wide for a phone.  By default that of the house, over
    which whatever you have set in matplotlib goes (a style, fonts, sizes, colours of page and words); axes that are
    given keep the page that they have.
"""


class Plots:
    """The charts of a result: ``.plot.<name>()`` draws, ``.plot.<name>_data()`` gives the numbers."""

    def __init__(self, result: Any) -> None:
        self._result, self._charts = result, CHARTS[type(result)]

    def names(self) -> list[str]:
        """Return the names of the charts."""
        return sorted(self._charts)

    def chart(self, name: str, **options: Any) -> Chart[Any]:
        """Return a chart that is not drawn yet.

        Raises
        ------
        UnknownNameError
            If there is no such chart.
        """
        if name not in self._charts:
            raise unknown("chart", name, self.names())
        return self._charts[name](self._result, **options)

    def draw(self, name: str, *, stamp: bool = True, theme: Theme | None = None, **options: Any) -> Figure:
        """Return a chart as a figure that nobody shows: for files and pages."""
        fig = Figure()
        self.chart(name, **options).draw(fig, stamp, theme)
        return fig

    @overload
    def save(self, name: str, path: str | Path, /, **options: Any) -> Path: ...
    @overload
    def save(
        self, folder: str | Path, /, *, formats: Sequence[str] = ..., theme: Theme | None = None, stamp: bool = True
    ) -> list[Path]: ...
    def save(self, name: str | Path, path: str | Path | None = None, /, **options: Any) -> Path | list[Path]:
        """Draw one chart into a file, or all into a folder.

        Parameters
        ----------
        name : str
            A chart; options are those of the chart.
        path : str or Path
            Its file, png, svg or pdf; see :func:`iomsim.charts.save`.
        folder : str or Path
            Instead of both: all charts are saved there, each with a csv of its numbers beside it (``rounds.png``,
            ``rounds_chart.csv``) in the shape that tools for charts on the web take: labels, then columns of numbers.
        formats : sequence of {"png", "svg", "pdf"}, default ("png", "svg")
            The files of each chart in the folder.
        theme : {"light", "dark", "print", "phone"}, optional
            As of the charts; so is `stamp`.

        Returns
        -------
        Path or list of Path
            The file, or the files.

        Raises
        ------
        IomsimError
            If a format is none of these, or a chart is named without a file.
        FileError
            If a file cannot be written.

        Examples
        --------
        >>> import iomsim as iom, tempfile
        >>> fc = iom.forecast(iom.load("minimal"), runs=200, seed=1)
        >>> saved = fc.plot.save(tempfile.mkdtemp(), formats=["svg"], theme="dark")
        >>> sorted(path.name for path in saved)[:3]
        ['dashboard.svg', 'decision_time.svg', 'decision_time_chart.csv']
        """
        if path is None:
            return self._save_all(Path(name), **options)
        return files.save(self.draw(str(name), **options), path, options.get("theme"))

    def _save_all(
        self, folder: Path, formats: Sequence[str] = ("png", "svg"), theme: Theme | None = None, stamp: bool = True
    ) -> list[Path]:
        if str(folder) in self._charts or folder.suffix[1:].lower() in files.KINDS:
            raise IomsimError(
                f"plot.save takes a folder for all charts, or a chart and its file, such as "
                f"save('rounds', 'rounds.png'); got {quote_path(folder)} alone"
            )
        for kind in (wanted := [formats] if isinstance(formats, str) else list(formats)):
            if kind not in files.KINDS:
                raise IomsimError(f"formats must be of {', '.join(files.KINDS)}; got {quote(kind)}")
        saved = []
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for name in self.names():
            chart, fig = self.chart(name), Figure()
            chart.draw(fig, stamp, theme)
            saved += [files.save(fig, folder / f"{name}.{kind}", theme) for kind in wanted]
            if type(chart).data is not Chart.data:
                write_csv(table := folder / f"{name}_chart.csv", chart.sheet(), index=False)
                saved.append(table)
        return saved

    def svg(self, name: str, *, width: int | None = None, **options: Any) -> str:
        """Return a chart as an SVG element, for a page; `width` in pixels."""
        return files.svg(self.draw(name, **options), width, options.get("theme"))

    def alt(self, name: str, **options: Any) -> str:
        """Return a chart's text alternative."""
        return self.chart(name, **options).caption.text

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a chart, or its numbers, as a method."""
        kind = None if name.startswith("_") else self._charts.get(name.removesuffix("_data"))
        numbers = name.endswith("_data")
        if kind is None or (numbers and kind.data is Chart.data):
            raise AttributeError(unknown("chart", name, self.names()))
        return _method(kind, self._result, numbers)

    def __dir__(self) -> list[str]:
        """Return the names of the charts and of their numbers too."""
        names = [*self._charts, *(f"{name}_data" for name in self._charts)]
        return sorted({*super().__dir__(), *(name for name in names if hasattr(self, name))})

    def __repr__(self) -> str:
        """Return the names of the charts."""
        return f"charts: {', '.join(self.names())}"


def of(result: Any) -> Plots:
    """Return the charts of a result: what is behind its ``.plot``.

    Raises
    ------
    AttributeError
        If there are none of its kind.
    """
    if type(result) not in CHARTS:
        raise AttributeError(f"there is no chart of a {type(result).__name__}")
    return Plots(result)


def _method(kind: type[Chart[Any]], result: Any, numbers: bool) -> Callable[..., Any]:
    """Return a chart, or its numbers, as a function of the options, with the help of its class."""

    def data(*args: Any, **options: Any) -> Any:
        return kind(result, *args, **options).data

    def draw(*args: Any, stamp: bool = True, theme: Theme | None = None, **options: Any) -> Any:
        target = options.pop(kind.where, None)
        return kind(result, *args, **options).draw(target, stamp, theme)

    method, doc = (data, kind.data.__doc__) if numbers else (draw, f"{cleandoc(kind.__doc__ or '')}{SHARED}")
    parameters = list(signature(kind).parameters.values())[1:]
    if not numbers:
        named = [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
        where = Parameter(kind.where, Parameter.KEYWORD_ONLY, default=None)
        stamp = Parameter("stamp", Parameter.KEYWORD_ONLY, default=True)
        theme = Parameter("theme", Parameter.KEYWORD_ONLY, default=None)
        parameters = [*(p for p in parameters if p not in named), where, *named, stamp, theme]
    method.__doc__ = doc
    vars(method)["__signature__"] = Signature(parameters)
    return method
