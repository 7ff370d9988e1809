"""Charts as files and as parts of a page, which know how they were made."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from iomsim.charts.caption import captions
from iomsim.charts.fonts import IN_XML, tell_of
from iomsim.charts.measures import root
from iomsim.charts.style import NO_GLYPH, NO_ROOM, Theme, styled
from iomsim.errors import IomsimError, quote
from iomsim.files import write_whole

KINDS = ("png", "svg", "pdf")


def save(drawn: Axes | Figure, path: str | Path, theme: Theme | None = None) -> Path:
    """Write the figure to a file that knows how it was made.

    Parameters
    ----------
    drawn : Axes or Figure
        What a chart returned.
    path : str or Path
        A png, svg or pdf.  The provenance is in the file's metadata (`iomsim` in a png, `Source`
        in an svg, `Keywords` in a pdf) as JSON, the text alternative in `Description`, `<desc>`
        and `Subject`.  Written twice, an svg is the same byte for byte; its text is text.
    theme : str, optional
        The theme in which it was drawn, if any.

    Raises
    ------
    IomsimError
        If the file's ending is none of these.
    FileError
        If the file cannot be written.
    """
    path = Path(path)
    kind = path.suffix[1:].lower()
    if kind not in KINDS:
        raise IomsimError(f"a chart can be saved as {', '.join(KINDS)}; got {quote(path.name)}")
    content = written(drawn, kind, theme)
    write_whole(path, content)
    return path


def written(drawn: Axes | Figure, kind: str, theme: Theme | None = None) -> bytes:
    """Return the file that a figure makes, as bytes."""
    found, out = captions(drawn), io.BytesIO()
    title, alt = "; ".join(c.title for c in found), " ".join(c.text for c in found)
    made = json.dumps(_common([c.provenance for c in found]), ensure_ascii=False)
    metadata: dict[str, dict[str, Any]] = {
        "png": {"Title": title, "Description": alt, "iomsim": made},
        "svg": {"Title": title, "Description": alt, "Source": made, "Date": None},
        "pdf": {"Title": title, "Subject": alt, "Keywords": made, "CreationDate": None},
    }
    fig = root(drawn)
    with styled(theme), _in_our_words(), _put_back(fig), _rims_as_style(fig if kind == "svg" else None) as rims:
        dpi = 300 if theme == "print" else 200
        fig.savefig(out, format=kind, metadata=metadata[kind], dpi=dpi, bbox_inches="tight", pad_inches=0.08)
    if kind != "svg":
        return out.getvalue()
    return _spoken(rims(out.getvalue().decode()), title, alt).translate(IN_XML).encode()


@contextmanager
def _put_back(fig: Figure) -> Iterator[None]:
    """Put axes back to where they stood: a layout engine moves them while a file is made, by how sharp that is.

    So the next file of the figure is the one that it would have been without this.
    """
    stood = [(ax, ax.get_position(original=True), ax.get_position(), ax.get_in_layout()) for ax in fig.axes]
    try:
        yield
    finally:
        for ax, original, active, in_layout in stood:
            ax.set_position(original, "original")
            ax.set_position(active, "active")
            ax.set_in_layout(in_layout)


@contextmanager
def _rims_as_style(fig: Any) -> Iterator[Callable[[str], str]]:
    """Have the rims around words drawn by the browser: as marks of matplotlib's they would turn the words to paths.

    Gives what puts them into the SVG.
    """
    rimmed = {f"rim-{i}": text for i, text in enumerate(fig.findobj(Text) if fig else ()) if text.get_path_effects()}
    effects = {name: text.get_path_effects() for name, text in rimmed.items()}
    looks = {name: effect[0]._gc for name, effect in effects.items()}

    def put(svg: str) -> str:
        for name, look in looks.items():
            rim = f"paint-order: stroke; stroke: {look['foreground']}; stroke-width: {look['linewidth']:g}px; "
            svg = re.sub(rf'(?s)(<g id="{name}">.*?<text style=")', rf"\g<1>{rim}", svg, count=1)
        return svg

    for name, text in rimmed.items():
        text.set(path_effects=None, gid=name)
    try:
        yield put
    finally:
        for name, text in rimmed.items():
            text.set(path_effects=effects[name], gid=None)


def svg(drawn: Axes | Figure, width: int | None = None, theme: Theme | None = None) -> str:
    """Return the figure as an SVG element, to be put into a page; `width` in pixels."""
    text = written(drawn, "svg", theme).decode()
    text = text[text.index("<svg") :]
    if width is not None:
        text = re.sub(r'height="[^"]*"', "", text, count=1)
        text = re.sub(r'width="[^"]*"', f'width="{width}px"', text, count=1)
    return text


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Say in a sentence what names do to a chart: its font lacks signs of them (once), or they take all the room."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield
    lacking = [re.match(NO_GLYPH, str(one.message)) for one in seen]
    if signs := "".join(sorted({chr(int(found[1])) for found in lacking if found})):
        tell_of(signs)
    others = [one for one, found in zip(seen, lacking, strict=True) if not found]
    if any(str(one.message).startswith(NO_ROOM) for one in others):
        warnings.warn(
            "words leave hardly any room in the chart; shorter names, or a larger figure, would", stacklevel=4
        )
    for one in others:
        if not str(one.message).startswith(NO_ROOM):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _common(records: list[dict[str, Any]]) -> Any:
    """Return the one provenance that all charts share, or the list of those that differ."""
    different = [record for i, record in enumerate(records) if record not in records[:i]]
    return different[0] if len(different) == 1 else different


def _spoken(text: str, title: str, alt: str) -> str:
    """Give an SVG the title and description that screen readers look for."""
    head = text.index(">", text.index("<svg"))
    size = "max-width: 100%; height: auto"
    words = f"\n <title>{escape(title)}</title>\n <desc>{escape(alt)}</desc>"
    return f'{text[:head]} role="img" aria-label="{escape(alt)}" style="{size}">{words}{text[head + 1 :]}'
