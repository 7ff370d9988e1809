"""A ledger of scores: a csv with a line for every registered forecast that was scored."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import FileError, quote, quote_path
from iomsim.files import alone, as_meant, csv_text, read_bytes, write_whole
from iomsim.house_style import number_of, unfit_text
from iomsim.model.tables import MOST_BYTES
from iomsim.registered.earned import FORECAST, FORECASTERS, SCORES

OF_THE_FORECAST = ("checksum", "title", "registered", "voting_opens", "hindsight", "version", "scenario", "runs")
OF_THE_EVENT = ("winner", "rounds", "ended", "ending", "next_tally", "prices")
PLACES = ("chance_of_winner", "outcomes_likelier", "outcomes", "point_of_rounds", "point_of_end")
PAIRS = [(score, who) for score in SCORES for who in FORECASTERS]
COLUMNS = (*OF_THE_FORECAST, "scored", *OF_THE_EVENT, *PLACES, *(f"{score} [{who}]" for score, who in PAIRS))
"""The columns of the ledger, which are fixed: missing scores are empty cells."""

INSTANT, NUMBER = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"(?:-?\d{1,12}\.\d{6})?"
WRITTEN = {"checksum": re.compile("[0-9a-f]{64}"), "hindsight": re.compile("yes|no")}
WRITTEN |= dict.fromkeys(("registered", "scored"), re.compile(INSTANT))
WRITTEN |= dict.fromkeys((f"{score} [{who}]" for score, who in PAIRS), re.compile(NUMBER))
"""How the cells are written that a scorebook counts on."""


def line(found: Any) -> dict[str, Any]:
    """Return the line of a score."""
    known, came, places, table = found.registration, found.outcome, found.places, found.table()
    scored = datetime.now(UTC) if found.at is None else found.at
    scored = scored.replace(tzinfo=UTC) if scored.tzinfo is None else scored.astimezone(UTC)
    prices = found.market.prices if found.market else {}
    points = {what: places["point"].get(what, np.nan) for what in ("rounds", "ended")}
    return {
        "checksum": known.checksum,
        "title": known.title,
        "registered": _instant(known.registered),
        "voting_opens": _instant(known.opened),
        "hindsight": "yes" if known.hindsight else "no",
        "version": known.content["version"],
        "scenario": known.content["scenario_hash"],
        "runs": known.runs,
        "scored": _instant(scored),
        "winner": came.winner,
        "rounds": "" if came.rounds is None else came.rounds,
        "ended": "" if came.ended is None else f"{came.ended:%Y-%m-%dT%H:%M}",
        "ending": came.ending or "",
        "next_tally": "; ".join(f"{name}={share:.6g}" for name, share in came.shares.items()),
        "prices": "; ".join(f"{name}={price:.6g}" for name, price in prices.items()),
        "chance_of_winner": _cell(places.loc["winner", "chance"]),
        "outcomes_likelier": places.loc["winner", "likelier"],
        "outcomes": places.loc["winner", "of"],
        "point_of_rounds": _cell(points["rounds"]),
        "point_of_end": _cell(points["ended"]),
    } | {
        f"{score} [{who}]": _cell(table[who][score]) if who in table and score in table.index else ""
        for score, who in PAIRS
    }


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _cell(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.6f}"


def append(path: Path, entry: dict[str, Any], again: bool = False) -> None:
    """Append a line to a ledger, which is made if it is not there; nobody ever reads half of it.

    Raises
    ------
    FileError
        If the file is something else, or has a line of the registration already and it is not to be replaced
        `again`.
    """
    with alone(path):
        lines = read(path) if path.exists() else []
        same = [old for old in lines if old["checksum"] == entry["checksum"]]
        if same and not again:
            raise FileError(
                f"{quote_path(path)} has a line of registration {entry['checksum'][:12]} already, scored on "
                f"{same[0]['scored']}; say again=True (--again) to replace it"
            )
        if again and not same:
            raise FileError(f"{quote_path(path)} has no line of registration {entry['checksum'][:12]} to replace")
        told = {key: str(cell) for key, cell in entry.items()}
        lines = [told if old["checksum"] == entry["checksum"] else old for old in lines] + [told] * (not same)
        write_whole(path, _text(lines))


def read(path: Path) -> list[dict[str, str]]:
    """Return the lines of a ledger.

    Raises
    ------
    FileError
        If the file is missing, or is none.
    """
    raw = read_bytes(path, most=MOST_BYTES)
    try:
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        if tuple(next(reader, ())) != COLUMNS:
            raise ValueError
        rows = [(reader.line_num, row) for row in reader if row]
        lines = [(number, dict(zip(COLUMNS, map(as_meant, row), strict=True))) for number, row in rows]
    except (ValueError, csv.Error):
        raise FileError(f"{quote_path(path)} is no ledger of scores; give another name, or that of a ledger") from None
    for number, entry in lines:
        _check(entry, f"{quote_path(path)}, line {number}")
    return [entry for _, entry in lines]


def _check(entry: dict[str, str], where: str) -> None:
    """Refuse a line that no score has written."""
    for column, pattern in WRITTEN.items():
        if not pattern.fullmatch(entry[column]):
            raise FileError(f"{where}: no score has written {quote(entry[column])} as its {quote(column)}")
    for column, cell in entry.items():
        if said := unfit_text(cell):
            raise FileError(f"{where}: its {quote(column)} {said}")


def _text(lines: list[dict[str, str]]) -> str:
    return csv_text(pd.DataFrame(lines, columns=list(COLUMNS)), index=False)


def scorebook(path: str | Path) -> pd.DataFrame:
    """Return the mean scores of a ledger, the forecasts against everybody else on the same elections.

    Parameters
    ----------
    path : str or Path
        A csv that :func:`iomsim.score` or ``iomsim score --ledger`` wrote.

    Returns
    -------
    DataFrame
        By `score` and `against` whom: the mean scores on the elections on which both said something, lower is
        better, how often the forecast was `ahead`, and the number of `elections`; of them so many are `hindsight`.

    Raises
    ------
    FileError
        If the file is missing or is no ledger.

    Examples
    --------
    >>> import iomsim as iom, tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = iom.register(iom.load("minimal"), folder / "mine.toml", runs=2000, seed=1, progress=False)
    >>> _ = iom.score(folder / "mine.toml", winner="A", rounds=2, ledger=folder / "scores.csv")
    >>> iom.scorebook(folder / "scores.csv")["elections"].tolist()
    [1, 1, 1, 1, 1]
    """
    lines = read(Path(path))
    if not lines:
        raise FileError(f"{quote_path(path)} is an empty ledger, with {number_of(0, 'line')}")
    frame = pd.DataFrame(lines)
    rows = {}
    for score, who in PAIRS:
        own, other = (pd.to_numeric(frame[f"{score} [{name}]"], errors="coerce") for name in (FORECAST, who))
        both = own.notna() & other.notna()
        if who != FORECAST and both.any():
            rows[score, who] = {
                "forecast's": own[both].mean(),
                "other's": other[both].mean(),
                "ahead": int((own < other)[both].sum()),
                "elections": int(both.sum()),
                "hindsight": int((frame["hindsight"] == "yes")[both].sum()),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["score", "against"])
