"""`register`: write down what is forecast, in one file, before the event."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import IomsimError, quote
from iomsim.files import refuse_another_kind, refuse_existing, write_whole
from iomsim.forecasting.archive import self_contained
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.run import whole_forecast
from iomsim.forecasting.summary import BINS
from iomsim.forecasting.tables import NO_WINNER, NOBODY, STILL_VOTING, Tables, excluded, first_rounds
from iomsim.model import evidence
from iomsim.model.assumptions import DRAWS
from iomsim.model.catalogue import dumps
from iomsim.model.events import in_words
from iomsim.model.scenario import Scenario
from iomsim.registered.law import STEP
from iomsim.registered.registration import FORMAT, Registration, checked
from iomsim.registered.sealed import counts, long_text, sealed, table
from iomsim.registered.unknowns import cited, not_known
from iomsim.rules.procedure import ENDINGS

RUNS = 100_000
"""Elections simulated for a registration, unless said otherwise: the simulation error is then below a point."""

SELDOM = 0.001
"""Hours less likely than this are left out of the table for readers; the law has them all."""

HEAD = """\
# A registration of iomsim: what was forecast, written down before the event, to be scored after it.
#
# No sign of this file can be changed without the last line showing it: that is the SHA-256 of all lines above it.
#     sed '$d' FILE | sha256sum
# What it cannot show: whoever rewrites the whole file can rewrite that line too, and the time of registration is
# what the machine's clock said, or what was given. So publish the checksum on the day; its first 12 digits will do.
"""


def register(
    race: Scenario | Forecast,
    path: str | Path,
    *,
    runs: int | None = None,
    seed: int | None = None,
    assumptions: int | str | None = None,
    executor: Any = None,
    progress: bool = True,
    at: datetime | None = None,
) -> Registration:
    """Write down in one file what is forecast, before the event, to be scored after it.

    The file is TOML, to be read, compared and published: the forecast's tables; the law by which
    :func:`iomsim.score` scores it, as counts of runs; the scenario in full, from which it can be made again; its
    assumptions with their grades; and what is not known, in words.  But for the time, the same forecast gives the
    same file.

    Parameters
    ----------
    race : Scenario or Forecast
        The election, which is then forecast; or a forecast already made, opened from a file, or of an election day.
    path : str or Path
        The file, .toml, which must not be there yet.
    runs : int, default 100 000
        Elections to simulate, of a scenario.
    seed : int, optional
        As for :func:`iomsim.forecast`; None draws one.
    assumptions : int or "fixed", default 400
        As for :func:`iomsim.forecast`.
    executor, progress
        As for :func:`iomsim.forecast`.
    at : datetime, optional
        The time of registration, UTC unless it says another zone; default that of the machine's clock.  The file
        says which of the two it is.

    Returns
    -------
    Registration
        What was written, read back; `short` are the first digits of its checksum.

    Raises
    ------
    FileError
        If the file is there already, is called otherwise, or cannot be written.
    IomsimError
        If it is neither a scenario nor a forecast, or all is over already.

    Notes
    -----
    **What the checksum proves, and what not.**  The last line is the SHA-256 of all lines above it, so any change of
    any sign shows - unless whoever made it computes the last line anew, which anybody can.  The file by itself
    therefore proves nothing about when it was written, or that it is the only one: somebody may register ten
    forecasts and show the one that came true.  What ties it to a day is that its checksum was *published* on that
    day, where its author cannot change it; the first twelve digits will do (it takes some 2**48 tries to find another
    file with the same).  Publish it, and that there is one.

    Examples
    --------
    >>> import iomsim as iom, tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.toml"
    >>> told = iom.register(iom.load("minimal"), file, runs=500, seed=1, progress=False)
    >>> len(told.short), told.race.hash == iom.load("minimal").hash, len(told.not_known) > 5
    (12, True, True)
    """
    path = Path(path)
    refuse_another_kind(path, "a registration", ".toml", "")
    refuse_existing(path)
    moment, clock = _time(at)
    fc = _forecast(race, runs, seed, assumptions, executor, progress)
    if fc.certain:
        raise IomsimError("nothing is left to forecast: how the election ends is known")
    text = sealed(HEAD, _parts(fc, moment, clock))
    told = checked(text.encode(), path)  # what cannot be read again is not written
    write_whole(path, text, new=True)
    return told


def _forecast(race: Any, runs: int | None, seed: Any, assumptions: Any, executor: Any, progress: bool) -> Forecast:
    """Return the forecast that is given, or that of the scenario."""
    if isinstance(race, Forecast):
        given = {"runs": runs, "seed": seed, "assumptions": assumptions, "executor": executor}
        if known := [name for name, value in given.items() if value is not None]:
            raise IomsimError(f"the forecast is made already; leave out {' and '.join(known)}, or give the scenario")
        return race
    if not isinstance(race, Scenario):
        raise IomsimError(f"register takes a Scenario or a Forecast, got {type(race).__name__}")
    draws = DRAWS if assumptions is None else assumptions
    return whole_forecast(
        race,
        RUNS if runs is None else runs,
        seed,
        assumptions=draws,
        executor=executor,
        keep="summary",
        progress=progress,
    )


def _time(at: datetime | None) -> tuple[datetime, str]:
    """Return the time of registration in UTC, to the second, and where it is from."""
    if at is None:
        return datetime.now(UTC).replace(microsecond=0), "the machine's clock"
    if not isinstance(at, datetime):
        raise IomsimError(f"at is the time of registration, a datetime, got {quote(at)}")
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.replace(microsecond=0), "given, not taken from a clock"


# -- its parts -------------------------------------------------------------------------------------


def _parts(fc: Forecast, at: datetime, clock: str) -> dict[str, str]:
    """Return the parts of the file by name."""
    scenario = table("scenario", {})
    text = long_text(dumps(self_contained(fc.race)))
    return {
        "forecast": table("", _said(fc, at, clock)),
        "tables": table("tables", _tables(fc)),
        "law": _law(fc),
        "assumptions": table("assumptions", _assumptions(fc)),
        "scenario": f"{scenario}\ntext = {text}",
    }


def _said(fc: Forecast, at: datetime, clock: str) -> dict[str, Any]:
    """Return what was said, when, and what is needed to make it again."""
    p = fc.provenance
    opens = fc.race.clock.opens
    told = {
        "format": FORMAT,
        "title": fc.race.title,
        "registered": at,
        "time_is": clock,
        "voting_opens": opens,
        "version": p["version"],
        "seed": p["seed"],
        "runs": p["runs"],
        "draws": p["assumptions"],
        "scenario_hash": p["scenario"],
        "rules": p["rules"],
        "answer": fc.answer()[:],
        "answer_in_detail": fc.answer(detail=True)[:],
        "announced": [in_words(event) for event in fc.events],
        "not_known": not_known(fc),
    }
    return {key: part for key, part in told.items() if part not in ("", [])}


def _tables(fc: Tables) -> dict[str, Any]:
    """Return the tables for readers: chances with their range over the assumptions and their simulation error."""
    spill, (middle, low, high) = fc.spill(), fc.median_rounds()
    sides = {name: part.as_row() | {"weight": len(part) / len(fc)} for name, part in fc.by_reading().items()}
    kept = [*fc.race.names, NOBODY, STILL_VOTING, "spill", "median_rounds", "weight"]
    return {
        "who_wins": _rows(fc.chances()),
        "rounds_held": {"median": middle, "low": low, "high": high},
        "elected_in_round": _rows(first_rounds(fc).rename(index=str).rename_axis("round")),
        "endings": _rows(fc.endings().query("probability > 0")),
        "next_day": {
            "day": fc.next_day,
            "probability": spill.value,
            "low": spill.low,
            "high": spill.high,
            "mc_error": spill.mc_error,
        },
        "decided_at": _hours(fc),
        "next_tally": _next_tally(fc),
        "readings": [{"reading": name} | {key: side[key] for key in kept} for name, side in sides.items()],
    }


def _hours(fc: Tables) -> list[dict[str, Any]]:
    """Return when somebody is elected: date, day and hour as text; the last row is that nobody is."""
    table = fc.decided_at().reset_index().drop(columns="cumulative")
    rows = []
    for row in _rows(table[table["probability"] >= SELDOM].set_index("hour")):
        hour, day = row.pop("hour"), row.pop("day")
        when = (f"{hour:%Y-%m-%d}", day, f"{hour:%H:%M}") if hour is not pd.NaT else (NO_WINNER, "", "")
        rows.append(dict(zip(("date", "day", "hour"), when, strict=True)) | row)
    return rows


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.reset_index().to_dict(orient="records")


def _next_tally(fc: Tables) -> list[dict[str, Any]]:
    """Return the share of each candidate in the next tally, in points: median and middle 80 %."""
    points = [0.1, 0.5, 0.9]
    said = {name: 100 * fc.summary.share_quantile(fc.announced + 1, k, points) for k, name in enumerate(fc.race.names)}
    return [
        {"round": fc.announced + 1, "candidate": name}
        | dict(zip(("low", "median", "high"), map(float, low), strict=True))
        for name, low in said.items()
        if not np.isnan(low).any()
    ]


def _law(fc: Tables) -> str:
    """Return the counts of runs by which it is scored."""
    names, ends, clock = fc.race.names, fc.summary.ends, fc.race.clock
    ended = ends[ends["minute"] >= 0].groupby("minute")["count"].sum()
    moments = [fc.opening_date + timedelta(minutes=int(minute)) for minute in ended.index]
    late = datetime.combine(fc.next_day, time()) + timedelta(days=1) if clock.deadline is None else clock.deadline
    told = {
        "candidates": list(names),
        "excluded": [*fc.out, *_never(fc)],
        "entitled": int(fc.race.plan.entitled),
        "opens": clock.opens,
        "timezone": clock.timezone,
        "next_day": fc.next_day,
        "latest": max([late, *moments[-1:]]),
        "announced": fc.announced,
        "most_rounds": fc.race.rules.max_rounds,
    }
    parts = [table("law", told), "# Runs by who wins and how; by the number of rounds held: so many runs."]
    won = ends.assign(winner=ends["winner"].where(ends["winner"] >= 0, len(names)))
    for (winner, ending), way in won.groupby(["winner", "ending"]):
        end = ENDINGS[ending]
        who = names[winner] if winner < len(names) else {"failed": NOBODY, "open": STILL_VOTING}[end]
        held = way.groupby("rounds")["count"].sum()
        parts.append(_block("ways", {"winner": who, "ending": end}, "rounds", held.items()))
    parts.append("# Runs by the minute at which they ended, as the clocks of the seat show it.")
    days = pd.Series(ended.to_numpy(), pd.DatetimeIndex(moments))
    for day, runs in days.groupby(days.index.date) if moments else ():
        hours = [(f"{moment:%H:%M}", int(number)) for moment, number in runs.items()]
        parts.append(_block("ended", {"day": day}, "runs", hours))
    parts.append("# Runs by the share of the next tally: from so many points on, a quarter of a point wide.")
    for k, name in enumerate(names):
        shares = fc.summary.shares[fc.announced, k] if fc.announced < len(fc.summary.shares) else np.zeros(BINS)
        pairs = [(f"{STEP * place:g}", int(shares[place])) for place in np.flatnonzero(shares)]
        if pairs:
            parts.append(_block("next_tally", {"candidate": name}, "runs", pairs))
    return "\n".join(parts)


def _never(fc: Tables) -> list[str]:
    """Return which of "nobody" and "still voting" the rules exclude."""
    chances = fc.chances()
    return [name for name in excluded(fc.race, fc.rules_played) if not chances["probability"][name]]


def _block(name: str, pairs: dict[str, Any], key: str, numbers: Any) -> str:
    return f"{table(f'[law.{name}]', pairs)}\n{key} = {long_text(counts(numbers))}"


def _assumptions(fc: Tables) -> dict[str, Any]:
    """Return every parameter with its range, grade and source; the readings of the rules; and the facts."""
    shown = ["value", "low", "high", "unit", "grade", "source"]
    facts = evidence.facts().loc[cited(fc.race), ["grade", "statement", "source"]]
    return {"parameters": _rows(fc.race.evidence()[shown]), "facts": _rows(facts)}
