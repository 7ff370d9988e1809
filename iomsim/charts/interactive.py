"""A page with sliders that needs no server: who wins as pressure, secrecy, level and reading are moved by hand.

The points are played here (:func:`iomsim.charts.sliders.sliders`); the page holds them, and a small script of ours
interpolates between them as :func:`iomsim.charts.sliders.between` does.  It loads nothing.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from iomsim._version import VERSION
from iomsim.charts.pages import NOTHING_RUNS, as_of, by_night, document, in_json, rights
from iomsim.charts.sliders import LEVEL, READING, SECRECY, SINGLE, Sliders, sliders
from iomsim.charts.style import LATER_DAY
from iomsim.files import PAGES, refuse_another_kind, write_whole
from iomsim.forecasting.targets import next_weekday
from iomsim.house_style import capital, count
from iomsim.model.scenario import Scenario

POINTS, LEVELS = 9, 7
"""Points along each pressure, and along the level: interpolation errs by less than the simulation of a point."""

BLOCK = '<script type="application/json" id="iomsim-sliders">'
"""Before the points, which nothing executes."""

HINTS = {
    SECRECY: "0: everybody can see how a member votes; 1: nobody can",
    LEVEL: "before anything else here is moved",
    "strength": "log-odds by which it moves the average member if everybody can see the vote",
}
"""What is not plain from the name of a slider of this kind."""


def interactive(
    race: Scenario,
    path: str | Path,
    *,
    points: int = POINTS,
    levels: int = LEVELS,
    runs: int = 2_000,
    seed: int | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Path:
    """Write a page in which pressure, secrecy, level and reading are sliders: one file, for any browser.

    Parameters
    ----------
    race : Scenario
        An election with two sponsors at most.
    path : str or Path
        The file, .html.
    points : int, default 9
        Points along each pressure.
    levels : int, default 7
        Points along the level.
    runs, seed : int
        Runs of each point, and the seed of all.
    executor : object with ``map`` or ``submit``, optional
        Where they are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    IomsimError
        If the election has more than two sponsors, or one is called like another slider.
    FileError
        If the file is not called .html, or cannot be written.

    Notes
    -----
    At the points, and where the sliders stand at first, the numbers are those of the simulated elections; in between
    they are interpolated, linear along each axis.  In 60 random places of Geneva's race that was off by at most 1.2
    points, and by half a point on average, against a simulation error of 2.2 points.

    Examples
    --------
    >>> import iomsim as iom, tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "what-if.html"
    >>> iom.interactive(iom.load("minimal"), file, points=2, levels=2, runs=50, seed=1, progress=False).name
    'what-if.html'
    """
    path = Path(path)
    refuse_another_kind(path, "a page", *PAGES)
    panel = sliders(
        race, points=points, levels=levels, readings=True, runs=runs, seed=seed, executor=executor, progress=progress
    )
    write_whole(path, html(panel))
    return path


def html(panel: Sliders) -> str:
    """Return the page of played sliders as one HTML document."""
    race = panel.race
    script = (files("iomsim.charts") / "interactive.js").read_text(encoding="utf-8")
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    title = f"What if? {race.title}"
    body = [
        as_of(race),
        f"<h1>{escape(title)}</h1>",
        f"<p class='about'>{escape(race.about)}</p>" if race.about else "",
        f"<p>{_what_it_is(panel)}</p>",
        "<noscript><p>The sliders need scripts, which are switched off here: the numbers are those of the scenario "
        "itself.</p></noscript>",
        f"<div class='board'>{_answer(panel)}</div>",
        f"<footer><p>{escape(_stamp(panel))}</p>{rights(race)}</footer>",
    ]
    tail = f"{BLOCK}{in_json(_points(panel), separators=(',', ':'))}</script>\n<script>{script}</script>"
    return document(title, body, tail, f"{NOTHING_RUNS}; script-src 'sha256-{allowed}'")


def _what_it_is(panel: Sliders) -> str:
    """Return what the numbers are, and what they are not."""
    points = panel.table[..., 0].size
    together = (
        " A sponsor moves members by what secrecy leaves of its strength: less secrecy and more strength do the same."
        if panel.tops
        else ""
    )
    return escape(
        f"Move a slider, and the numbers answer at once. They come from {count(points, 'point')} at which "
        f"{count(panel.runs, 'election')} each were simulated, and are interpolated in between. All that has no slider "
        f"here is at its best guess: these numbers say what would follow, not how sure it is.{together}"
    )


def _controls(panel: Sliders) -> str:
    """Return a labelled slider for each number, and a choice of reading."""
    rows = []
    for i, one in enumerate(_numbers(panel)):
        words = f"<small id='h{i}'>{escape(HINTS[one['kind']])}"
        words += f"; secrecy leaves <span id='l{i}'>{_left(panel, one):.2f}</span>" * (one["kind"] == "strength")
        shown = f"{one['value']:.{one['digits']}f}"
        rows.append(
            f"<div class='slider'><label for='c{i}'>{escape(capital(panel.label(one['name'])))}</label>"
            f"<output id='o{i}' for='c{i}'>{shown}</output>"
            f"<input type='range' id='c{i}' min='{one['low']}' max='{one['high']}' step='{one['step']}' "
            f"value='{one['value']}' aria-valuetext='{shown}' autocomplete='off' aria-describedby='h{i}'>"
            f"{words}</small></div>"
        )
    if len(panel.rulings) > 1:
        options = "".join(f"<option>{escape(name)}</option>" for name in panel.rulings)
        rules = escape(panel.race.rules.sentence(len(panel.race.names)))
        rows.append(
            f"<div class='slider'><label for='reading'>{escape(capital(panel.label(READING)))}</label>"
            f"<select id='reading' autocomplete='off' aria-describedby='rules'>{options}</select>"
            f"<small id='rules'>{rules}</small></div>"
        )
    return "".join(rows) + "<button type='button' id='reset'>Back to the scenario</button>"


def _numbers(panel: Sliders) -> list[dict[str, Any]]:
    """Return the sliders of numbers: what they are called, where they start, where they end, and their steps."""
    start, sponsors = panel.start(), list(panel.tops)
    out: list[dict[str, Any]] = []
    for name, (low, high) in panel.ends().items():
        digits = panel.digits(name)
        kind = name if name in (SECRECY, LEVEL) else "strength"
        one = {"name": name, "kind": kind, "value": start[name], "low": low, "high": high}
        one |= {"step": 10.0**-digits, "digits": digits}
        out.append(one | ({"left": 1 + sponsors.index(name)} if kind == "strength" else {}))
    return out


def _left(panel: Sliders, one: dict[str, Any]) -> float:
    """Return what secrecy leaves of a strength at first."""
    return (1 - panel.race.behaviour.secrecy.value) * float(one["value"])


def _answer(panel: Sliders) -> str:
    """Return the sliders, and the numbers where they stand at first, with bars, in places that the script finds."""
    race, row = panel.race, panel.row({}).tolist()
    wins, spill, single = row[: len(race.names) + 1], row[len(race.names) + 1], row[-2 - SINGLE : -2]
    rounds = [count(k + 1, "round") for k in range(SINGLE)] + [f"{SINGLE + 1} or more"]
    _, marks = by_night(race.colours.values())
    day = {f"into {next_weekday(race)}": marks[LATER_DAY.lower()]}
    colours = {name: marks[colour.lower()] for name, colour in race.colours.items()}
    median = count(round(row[-1]), "round")
    first, later = len(wins), len(wins) + 1
    held = dict.fromkeys(rounds, "var(--text)")
    return (
        f"<section class='now' role='status'><h2>What comes of it</h2>"
        f"{_bars(panel, 'Who wins, in 100 elections', colours, wins, 0)}"
        f"{_bars(panel, 'Voting runs into another day, in 100', day, [spill], first)}"
        f"<p class='about' id='played'>{escape(_played(panel))}</p></section>"
        f"<section class='moves'><h2>Move</h2>{_controls(panel)}</section>"
        f"<section class='rounds'><h2>After how many rounds</h2>"
        f"<p>It takes <strong id='median'>{median}</strong> in the median.</p>"
        f"{_bars(panel, 'Rounds held, in 100 elections', held, [*single, max(1 - sum(single), 0.0)], later)}</section>"
    )


def _bars(panel: Sliders, caption: str, colours: dict[str, str], shares: list[float], first: int) -> str:
    """Return a table of chances with bars; `first` is the number of its first row."""
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td class='number' id='n{j}'>{escape(panel.say(p))}</td>"
        f"<td class='bar'><span id='b{j}' style='width:{100 * p:.2f}%;background:{colour}'></span></td></tr>"
        for j, ((name, colour), p) in enumerate(zip(colours.items(), shares, strict=True), first)
    )
    return f"<table class='bars'><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>"


def _played(panel: Sliders) -> str:
    return f"Played here: {count(panel.runs, 'election')}."


def _points(panel: Sliders) -> dict[str, Any]:
    """Return what the script reads."""
    many = len(panel.race.names)
    return {
        "runs": panel.runs,
        "columns": panel.table.shape[-1],
        "single": SINGLE,
        "axes": [axis.tolist() for axis in panel.axes.values()],
        "controls": _numbers(panel),
        "readings": [{"name": name, "sentence": rules.sentence(many)} for name, rules in panel.rulings.items()],
        "played": _played(panel),
        "interpolated": f"Interpolated between points of {count(panel.runs, 'election')}.",
        "table": panel.table.ravel().tolist(),
    }


def _stamp(panel: Sliders) -> str:
    """Return what is needed to make the page again, in one line."""
    worst = panel.error(0.5)
    return (
        f"iomsim {VERSION} · seed {panel.seed} · {count(panel.table[..., 0].size, 'point')} of "
        f"{count(panel.runs, 'run')} · simulation error of a point up to {100 * worst:.1f} points · "
        f"scenario {panel.race.hash} · assumptions fixed"
    )
