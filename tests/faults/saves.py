"""Every kind of save, over what was saved before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from toys import night_of, toy

import iomsim as iom
from iomsim.charts import files as chart_files, interactive as with_sliders, report as reports
from iomsim.charts.sliders import sliders
from iomsim.files import write_csv
from iomsim.registered import scorebook
from iomsim.validation.synthetic import synthetic_contests, to_files

EVE = datetime(2023, 5, 14, 18, tzinfo=UTC)

Save = Callable[[Path], object]


class Kind(NamedTuple):
    """A kind of save: what is in a folder before, the save, and the next one; after so many steps it is killed."""

    old: Save
    new: Save
    again: Save
    stride: int = 1


def forecast(seed: int, runs: int = 300) -> iom.Forecast:
    """Return a small forecast of an election that is unsure."""
    return iom.forecast(toy(15, "ABC"), runs, seed, progress=False)


def of_forecast() -> Kind:
    """A saved forecast."""
    old, new = forecast(1), forecast(2)
    return _over(lambda folder: old.save(folder / "fc.npz"), lambda folder: new.save(folder / "fc.npz"))


def of_tables() -> Kind:
    """The tables of a forecast."""
    old, new = forecast(1), forecast(2)
    return _over(lambda folder: old.to_csv(folder), lambda folder: new.to_csv(folder), 13)


def of_workbook() -> Kind:
    """A forecast as a workbook."""
    old, new = forecast(1), forecast(2)
    return _over(lambda folder: old.to_excel(folder / "fc.xlsx"), lambda folder: new.to_excel(folder / "fc.xlsx"), 13)


def of_scenario() -> Kind:
    """A scenario."""
    old, new = toy(15, "ABC"), toy(15, "ABCD")
    return _over(lambda folder: old.save(folder / "race.toml"), lambda folder: new.save(folder / "race.toml"))


def of_report() -> Kind:
    """A report: the page is made once, for its making is not what is tried."""
    pages = {seed: reports.html(forecast(seed)) for seed in (1, 2)}
    reports.html = lambda fc: pages[fc.seed]  # type: ignore[assignment]
    old, new = forecast(1), forecast(2)
    return _over(lambda folder: iom.report(old, folder / "r.html"), lambda folder: iom.report(new, folder / "r.html"))


def of_sliders() -> Kind:
    """A page with sliders: made once."""
    races = (toy(15, "AB"), toy(15, "ABC"))
    played = {race: sliders(race, levels=2, runs=20, seed=1, progress=False) for race in races}
    with_sliders.sliders = lambda race, **_: played[race]  # type: ignore[assignment]
    old, new = (lambda folder, race=race: iom.interactive(race, folder / "s.html") for race in races)
    return _over(old, new)


def of_chart(end: str) -> Kind:
    """A chart: the picture is made once."""
    fig, other = Figure(), Figure()
    fig.add_subplot().plot([1, 2, 3])
    other.add_subplot().plot([3, 1, 2])
    honest = chart_files.written
    chart_files.written = cache(honest)  # type: ignore[assignment]
    place = f"chart.{end}"
    return _over(
        lambda folder: chart_files.save(fig, folder / place), lambda folder: chart_files.save(other, folder / place)
    )


def of_csv() -> Kind:
    """A table, as the command line writes it."""
    tables = [pd.DataFrame({"name": [f"{word} {i}" for i in range(3000)]}) for word in ("old", "new")]
    return _over(*(lambda folder, table=table: write_csv(folder / "t.csv", table) for table in tables))


def of_history() -> Kind:
    """Simulated contests as a folder of two files."""
    old, new = (synthetic_contests(2, seed=seed, rules="who", candidates=3) for seed in (1, 2))
    return _over(lambda folder: to_files(old, folder), lambda folder: to_files(new, folder))


def of_log() -> Kind:
    """The log of a day, with one event and with two."""

    def one(folder: Path) -> None:
        night_of(toy(15, "ABC"), 300, seed=1, log=folder / "day.jsonl").tell("A=6 B=5 C=4 at 10:30")

    def two(folder: Path) -> None:
        day = iom.replay(folder / "day.jsonl", folder / "day.jsonl")
        if len(day.events) == 1:
            day.tell("A=7 B=5 C=3 at 11:00")

    return _over(one, two)


def of_registration() -> Kind:
    """A registration, which is never written over another."""
    fc = forecast(1)

    def again(folder: Path) -> None:
        with suppress(iom.FileError):
            iom.register(fc, folder / "mine.toml", at=EVE)
        assert iom.registration(folder / "mine.toml").seed == fc.seed

    return Kind(lambda folder: None, lambda folder: iom.register(fc, folder / "mine.toml", at=EVE), again)


def of_ledger() -> Kind:
    """A ledger, with one line and with two."""
    with tempfile.TemporaryDirectory() as place:
        told = [iom.register(forecast(seed), Path(place) / f"{seed}.toml", at=EVE) for seed in (1, 2)]
        lines = [iom.score(one, winner="A", rounds=2, at=EVE).line for one in told]

    def again(folder: Path) -> None:
        there = [line["checksum"] for line in scorebook.read(folder / "scores.csv")]
        scorebook.append(folder / "scores.csv", lines[1], again=lines[1]["checksum"] in there)

    def add(number: int) -> Save:
        return lambda folder: scorebook.append(folder / "scores.csv", lines[number])

    return Kind(add(0), add(1), again)


def _over(old: Save, new: Save, stride: int = 1) -> Kind:
    return Kind(old, new, new, stride)


KINDS: dict[str, Callable[[], Kind]] = {
    "forecast": of_forecast,
    "tables": of_tables,
    "workbook": of_workbook,
    "scenario": of_scenario,
    "report": of_report,
    "sliders": of_sliders,
    **{end: lambda end=end: of_chart(end) for end in ("png", "svg", "pdf")},  # type: ignore[misc]
    "csv": of_csv,
    "history": of_history,
    "log": of_log,
    "registration": of_registration,
    "ledger": of_ledger,
}


def of_liar(beside: bool) -> Kind:
    """A save that is none: into the file itself, or beside it under a name that nobody finds again."""
    texts = [word * 100_000 for word in ("old", "newer")]

    def save(folder: Path, text: str) -> None:
        place = folder / "t.txt"
        if not beside:
            place.write_text(text, encoding="utf-8")
            return
        part = Path(tempfile.mktemp(dir=folder, prefix="."))
        part.write_text(text, encoding="utf-8")
        part.rename(place)

    return _over(*(lambda folder, text=text: save(folder, text) for text in texts))


LIARS: dict[str, Callable[[], Kind]] = {
    "in place": lambda: of_liar(beside=False),
    "left behind": lambda: of_liar(beside=True),
}
"""Saves that must be seen to be wrong."""


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def folder_with(parent: Path, files: dict[str, bytes]) -> Path:
    """Return a new folder with these files."""
    place = Path(tempfile.mkdtemp(dir=parent))
    for name, content in files.items():
        (place / name).write_bytes(content)
    return place


def made_by(parent: Path, *saves: Any) -> dict[str, bytes]:
    """Return what saves leave in a new folder."""
    place = folder_with(parent, {})
    for save in saves:
        save(place)
    return contents(place)
