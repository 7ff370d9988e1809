"""Where a chart is drawn: a page of its own, or axes that somebody else made, in the look that is in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import AutoLocator, MaxNLocator

from iomsim.charts.measures import root
from iomsim.charts.style import Theme, dark, faint, quiet, styled
from iomsim.errors import IomsimError

TICKS = 6
"""Steps between the ticks of an axis of numbers, at most."""


@contextmanager
def page(fig: Any, theme: Theme | None, words: str, inches: Callable[[], tuple[float, float]]) -> Iterator[Any]:
    """Give an empty figure, inside the style for some words: the given one, or a new one of pyplot's."""
    drawn = _new_figure() if fig is None else fig
    if not isinstance(drawn, Figure | SubFigure):
        raise IomsimError(f"ax must be matplotlib Axes or an empty Figure, got {type(drawn).__name__}")
    with styled(theme, words=words):
        if isinstance(drawn, Figure):
            drawn.set_facecolor(mpl.rcParams["figure.facecolor"])
            drawn.set_size_inches(*inches())
            drawn.set_layout_engine("constrained")
        yield drawn


def _new_figure() -> Figure:
    """Return a new figure of pyplot's, made outside the style.

    The first one in a notebook switches the display of figures on for good; inside the style that
    would be taken back with it.
    """
    import matplotlib.pyplot as plt

    return plt.figure(FigureClass=ShownOnce)


class ShownOnce(Figure):
    """A figure of pyplot's that a notebook shows once, also where it is the last line of a cell.

    At the end of a cell the inline backend shows every open figure, and closes it.  A figure that is the value of the
    cell has been shown by then: so it is closed here.
    """

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.core.getipython import get_ipython
        from IPython.core.pylabtools import print_figure
        from IPython.display import display

        inline = "inline" in mpl.get_backend()
        if mpl.is_interactive() and not inline:
            return  # in a window, or a widget, of its own
        formatters = getattr(getattr(get_ipython(), "display_formatter", None), "formatters", {}) if inline else {}
        shown = {kind: data for kind, format_ in formatters.items() if (data := format_(self))}
        if not any(kind.startswith("image/") for kind in shown):
            shown["image/png"] = print_figure(self, "png", base64=True)
        display({kind: data[0] if isinstance(data, tuple) else data for kind, data in shown.items()}, raw=True)
        plt.close(self)


def colour_of(fig: Figure) -> Any:
    """Return the colour of a figure that is there already, None where what is behind it shows through."""
    colour = fig.get_facecolor()
    return to_hex(colour) if to_rgba(colour)[3] == 1 else None


def dressed(ax: Axes, theme: Theme | None) -> Axes:
    """Give axes that were made elsewhere the look of those that are made here; a theme gives the figure its page."""
    settings: Any = mpl.rcParams
    if theme:
        root(ax).set_facecolor(settings["figure.facecolor"])
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set(
            visible=settings[f"axes.spines.{side}"], color=quiet(), linewidth=settings["axes.linewidth"]
        )
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(settings["axes.labelsize"])
    ax.set(axisbelow=True, facecolor=settings["axes.facecolor"])
    ax.tick_params(labelsize=settings["font.size"], color=quiet(), labelcolor=dark(), grid_color=faint())
    return ax


def steady(ax: Axes) -> None:
    """Have ticks that do not depend on how large the axes are, unless there are others already, and no grid yet."""
    ax.grid(False)
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_locator(), AutoLocator):
            axis.set_major_locator(MaxNLocator(TICKS, steps=[1, 2, 5, 10]))
