"""`Registration`: a forecast that was written down before the event, read back and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.errors import FileError, IomsimError, reason
from iomsim.forecasting.estimates import in_words
from iomsim.forecasting.result import Result
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.house_style import Text, thousands
from iomsim.model.catalogue import loads
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats, Longs
from iomsim.validation.sealed import SHORT, counted, read_bytes, unseal

FORMAT = 1
"""Version of the file; a reader refuses others."""

STEP = 0.25
"""Width of the classes of the first shares, in points."""


class Ensemble(NamedTuple):
    """Values and how many runs came to each."""

    values: Floats
    weights: Longs


@dataclass(frozen=True, eq=False)
class Law:
    """What a registration says of the event, as counts of runs.

    Attributes
    ----------
    names : tuple of str
        The candidates.
    outcomes : tuple of str
        Who may win: the candidates, "nobody", "still voting".
    excluded : tuple of str
        Outcomes that the rules exclude, and candidates who no longer stood.
    runs : int
        All runs.
    ways : DataFrame
        Runs by `winner` (its number among the outcomes), `ending` and `rounds` held, in the column `count`.
    ended : Ensemble
        When it ended, in minutes since midnight of the opening date, as the clocks of the seat show them.
    latest : float
        Where what is still voting stands: the latest end of all runs; no earlier than the deadline, or without one
        than the end of the next day with a sitting.
    shares : dict of Ensemble
        By candidate, the share of the next tally (the first, unless some were announced), in points.
    opens, next_day, timezone : datetime, date, str
        When voting opens, the next day with a sitting after that, and where the clocks are.
    announced, most, entitled : int
        Rounds known at the registration, rounds simulated at most, members with a vote.
    """

    names: tuple[str, ...]
    outcomes: tuple[str, ...]
    excluded: tuple[str, ...]
    runs: int
    ways: pd.DataFrame
    ended: Ensemble
    latest: float
    shares: dict[str, Ensemble]
    opens: datetime
    next_day: date
    timezone: str
    announced: int
    most: int
    entitled: int

    @property
    def winner(self) -> Floats:
        """Probability of each outcome."""
        return self._chances(self.ways["winner"], len(self.outcomes))

    @property
    def ending(self) -> Floats:
        """Probability of each ending."""
        return self._chances(self.ways["ending"], len(ENDINGS))

    @property
    def rounds(self) -> Floats:
        """Probability of 0, 1, ... rounds held; the last class is open."""
        return self._chances(self.ways["rounds"], self.most + 1)

    @property
    def still(self) -> int:
        """Runs that were still voting when they were given up."""
        return int(self.ways["count"][self.ways["winner"] == self.outcomes.index(STILL_VOTING)].sum())

    @property
    def minutes(self) -> Ensemble:
        """When it ends, what is still voting put at the latest moment."""
        values, weights = self.ended
        return Ensemble(np.append(values, self.latest), np.append(weights, self.still))

    @property
    def next_day_chance(self) -> float:
        """Probability that voting is not over when the day before the next with a sitting ends, at midnight."""
        late = self.ended.values >= self.next_minute
        return float(self.ended.weights[late].sum() + self.still) / self.runs

    @property
    def next_minute(self) -> float:
        """Midnight at which the next day with a sitting begins, in minutes."""
        return self.minute(datetime.combine(self.next_day, datetime.min.time()))

    def minute(self, moment: datetime) -> float:
        """Return a moment at the seat in minutes since midnight of the opening date."""
        return (moment - datetime.combine(self.opens.date(), datetime.min.time())) / timedelta(minutes=1)

    def moment(self, minute: float) -> datetime:
        """Return the moment at the seat that lies so many minutes after midnight of the opening date."""
        return datetime.combine(self.opens.date(), datetime.min.time()) + timedelta(minutes=float(minute))

    def _chances(self, codes: pd.Series, size: int) -> Floats:
        totals = np.bincount(codes, weights=self.ways["count"], minlength=size)
        return np.asarray(totals / self.runs)


@dataclass(frozen=True, repr=False, eq=False)
class Registration(Result):
    """A registered forecast.

    Attributes
    ----------
    path : Path
        Its file.
    checksum : str
        SHA-256 of all lines of the file but the last, in which it stands: ``sed '$d' FILE | sha256sum``.
    content : dict
        What the file says, as TOML is read.
    law : Law
        The part by which it is scored.
    """

    path: Path
    checksum: str
    content: Mapping[str, Any]
    law: Law

    EACH = "in all"

    @property
    def short(self) -> str:
        """The first twelve digits of the checksum, to publish."""
        return self.checksum[:SHORT]

    @property
    def title(self) -> str:
        """What the election is called."""
        return str(self.content["title"])

    @property
    def registered(self) -> datetime:
        """When the forecast was registered, UTC: as the machine's clock said, or as it was given."""
        moment: datetime = self.content["registered"]
        return moment

    @property
    def opened(self) -> datetime:
        """When voting opens, or opened, UTC."""
        return self.law.opens.replace(tzinfo=ZoneInfo(self.law.timezone)).astimezone(UTC)

    @property
    def hindsight(self) -> bool:
        """Whether it was registered after voting had opened."""
        return self.registered >= self.opened

    @property
    def not_known(self) -> tuple[str, ...]:
        """What was not known, sentence by sentence."""
        return tuple(self.content["not_known"])

    @cached_property
    def race(self) -> Scenario:  # type: ignore[override]
        """The scenario, read from the file."""
        return loads(self.content["scenario"]["text"], f"the scenario in {str(self.path)!r}")

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Of the random numbers."""
        return int(self.content["seed"])

    @property
    def runs(self) -> int:  # type: ignore[override]
        """Elections simulated."""
        return self.law.runs

    def table(self) -> pd.DataFrame:
        """Return who wins, with range and error, as it was registered."""
        rows = pd.DataFrame(self.content["tables"]["who_wins"]).set_index("winner")
        return rows.reindex(columns=["probability", "low", "high", "mc_error"])

    def sentence(self) -> str:
        """Return the answer as it was registered, when, and under which checksum."""
        late = f" This is hindsight: voting had opened on {self.opened:%Y-%m-%d %H:%M} UTC." if self.hindsight else ""
        return Text(f"{self.content['answer']} Registered {self.registered:%Y-%m-%d %H:%M} UTC as {self.short}.{late}")

    @property
    def provenance(self) -> dict[str, Any]:
        """Version, seed, runs, scenario hash, rules, title and checksum."""
        keys = ("version", "seed", "runs", "scenario_hash", "rules", "title", "draws")
        return {key.removesuffix("_hash"): self.content[key] for key in keys} | {"checksum": self.checksum}

    def stamp(self) -> str:
        """Return what is needed to make the forecast again, and the whole checksum, in one line."""
        p = self.provenance
        drawn = "assumptions fixed" if p["draws"] == "fixed" else f"{p['draws']} draws of the assumptions"
        return (
            f"iomsim {p['version']} · seed {p['seed']} · {thousands(p['runs'])} runs, {drawn} · scenario "
            f"{p['scenario']} · rules {p['rules']} · checksum {p['checksum']}"
        )

    def _head(self) -> pd.DataFrame:
        return in_words(self.table())


def registration(path: str | Path) -> Registration:
    """Read a registration, and refuse one that was changed since it was written.

    Parameters
    ----------
    path : str or Path
        A file that :func:`iomsim.register` wrote.

    Raises
    ------
    FileError
        If the file is missing, is no registration, was written in another format, or was changed: then the first
        part that does not agree with its hash is named.

    Notes
    -----
    That the checksum agrees says that the file is as it was sealed, not when, nor by whom: see
    :func:`iomsim.register`.

    Examples
    --------
    >>> import iomsim as iom, tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.toml"
    >>> told = iom.register(iom.load("minimal"), file, runs=500, seed=1, progress=False)
    >>> iom.registration(file).checksum == told.checksum
    True
    >>> _ = file.write_text(file.read_text(encoding="utf-8").replace("seed = 1", "seed = 2"), encoding="utf-8")
    >>> iom.registration(file)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    iomsim.errors.FileError: '...mine.toml' was changed after it was sealed: the first part that does not agree \
with its hash is 'forecast'
    """
    path = Path(path)
    return checked(read_bytes(path), path)


def checked(raw: bytes, path: Path) -> Registration:
    """Return the registration that the bytes of a file hold, if it is one and was not changed."""
    where = repr(str(path))
    text = unseal(raw, where)
    try:
        content = tomllib.loads(text)
        if content["format"] != FORMAT:
            raise FileError(
                f"{where} was written by iomsim {content['version']} in format {content['format']}; this version "
                f"reads format {FORMAT}"
            )
        law = _law(content)
        found = Registration(path, content["seal"]["checksum"], content, law)
        _consistent(found)
    except FileError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FileError(f"{where} is sealed, but not as iomsim writes a registration: {reason(error)}") from None
    return found


# -- reading it ------------------------------------------------------------------------------------


def _law(content: Mapping[str, Any]) -> Law:
    """Return the part by which a registration is scored."""
    law = content["law"]
    names = tuple(law["candidates"])
    outcomes, runs = (*names, NOBODY, STILL_VOTING), _whole(content["runs"], 1)
    opens, most = law["opens"], _whole(law["most_rounds"], 1)
    ways = pd.DataFrame(
        [
            (outcomes.index(way["winner"]), ENDINGS.index(way["ending"]), _whole(int(held)), count)
            for way in law["ways"]
            for held, count in counted(way["rounds"])
        ],
        columns=["winner", "ending", "rounds", "count"],
    )
    _adds_up("ways", ways["count"].sum(), runs)
    if ways["rounds"].max() > most:
        raise ValueError(f"more rounds than the {most} simulated")
    midnight = datetime.combine(opens.date(), datetime.min.time())
    ended = [
        ((datetime.combine(part["day"], datetime.strptime(hour, "%H:%M").time()) - midnight) / timedelta(minutes=1), n)
        for part in law.get("ended", [])
        for hour, n in counted(part["runs"])
    ]
    latest = (law["latest"] - midnight) / timedelta(minutes=1)
    values = np.array([minute for minute, _ in ended], dtype=float)
    shares = {part["candidate"]: _shares(part["runs"]) for part in law.get("next_tally", [])}
    if not set(shares) <= set(names) or ((values < 0) | (values > latest)).any():
        raise ValueError("the next tally or the ends do not belong to this election")
    ZoneInfo(law["timezone"])
    found = Law(
        names, outcomes, tuple(law["excluded"]), runs, ways,
        Ensemble(values, np.array([n for _, n in ended], dtype=np.int64)),
        latest, shares, opens, law["next_day"], law["timezone"],
        _whole(law["announced"]), most, _whole(law["entitled"], 1),
    )  # fmt: skip
    _adds_up("ends", found.ended.weights.sum() + found.still, runs)
    return found


def _shares(text: str) -> Ensemble:
    """Return the middles of the classes of a share, in points."""
    pairs = counted(text)
    if not pairs or not all(0 <= float(lower) < 100 for lower, _ in pairs):
        raise ValueError("shares lie between 0 and 100 points")
    middles = np.array([float(lower) + STEP / 2 for lower, _ in pairs])
    return Ensemble(middles, np.array([n for _, n in pairs], dtype=np.int64))


def _whole(value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{value!r} is no number of at least {least}")
    return value


def _adds_up(what: str, total: Any, runs: int) -> None:
    if int(total) != runs:
        raise ValueError(f"the {what} add up to {int(total)} runs of {runs}")


def _consistent(found: Registration) -> None:
    """Refuse a registration whose tables say something else than its law, or whose scenario is another."""
    said, counted_ = found.table()["probability"], pd.Series(found.law.winner, found.law.outcomes)
    if not np.allclose(said.reindex(counted_.index), counted_, atol=1e-6):
        raise ValueError("its table of who wins is not what its law comes to")
    if found.registered.tzinfo is None or not all(isinstance(line, str) for line in found.not_known):
        raise ValueError("the time of registration or what is not known cannot be read")
    found.stamp()
    found.sentence()
    if found.content["version"] == VERSION:  # another version may count other things into the hash
        try:
            same = found.race.hash == found.content["scenario_hash"]
        except IomsimError as error:
            raise ValueError(reason(error)) from None
        if not same:
            raise ValueError("its scenario has another hash than it states")
