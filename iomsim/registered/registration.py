"""`Registration`: a forecast that was written down before the event, read back and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError, field_validator, model_validator

from iomsim._version import VERSION
from iomsim.errors import FileError, IomsimError, quote, quote_path, reason
from iomsim.files import read_bytes
from iomsim.forecasting.archive import scenario_of
from iomsim.forecasting.estimates import in_words
from iomsim.forecasting.result import Result
from iomsim.house_style import Text, thousands
from iomsim.model.messages import sentences
from iomsim.model.quantities import Line, Name, Number, Text as Lines, Whole
from iomsim.model.scenario import Scenario
from iomsim.model.tables import MOST_BYTES
from iomsim.model.toml import parsed
from iomsim.registered.law import Law, LawTable, Moment, Part, law_of
from iomsim.registered.sealed import SHORT, unseal

FORMAT = 1
"""Version of the file; a reader refuses others."""

Fraction = Annotated[Number, Field(ge=0, le=1)]


class Chance(Part):
    """A row of the table of who wins."""

    winner: Name
    probability: Fraction
    low: Fraction | None = None
    high: Fraction | None = None
    mc_error: Fraction

    @property
    def by_rule(self) -> bool:
        """Whether it is 0 or 1 by the rules, and has no range."""
        return self.mc_error == 0 and self.probability in (0, 1)


class Shown(Part):
    """The tables of a registration, as far as they are shown again."""

    who_wins: Annotated[tuple[Chance, ...], Field(max_length=18)]

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        for row in self.who_wins:
            if (row.low is None) != (row.high is None) or (row.low or 0) > (1 if row.high is None else row.high):
                raise ValueError(f"the range of {quote(row.winner)} has not two ends in their order")
        if len({row.low is None for row in self.who_wins if not row.by_rule}) > 1:
            raise ValueError("some outcomes have a range, and others none")
        return self


class Written(Part):
    """The scenario of a registration."""

    text: Annotated[str, Field(max_length=MOST_BYTES)]


class Seal(Part):
    """Its last part."""

    checksum: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Content(Part):
    """What a registration says, as far as it is shown again or scored; the rest is for readers."""

    format: Literal[1]
    title: Line = ""
    registered: Moment
    version: Name
    seed: Annotated[Whole, Field(ge=0)]
    runs: Annotated[Whole, Field(ge=1, le=10**15)]
    draws: Annotated[Whole, Field(ge=1)] | Literal["fixed"]
    scenario_hash: Name
    rules: Name
    answer: Lines
    not_known: Annotated[tuple[Lines, ...], Field(max_length=10_000)] = ()
    tables: Shown
    law: LawTable
    scenario: Written
    seal: Seal

    @field_validator("registered")
    @classmethod
    def _of_the_world(cls, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            raise ValueError("must say its offset, such as 2023-05-14T18:00:00Z")
        return moment


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
        return str(self.content.get("title", ""))

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
        return tuple(self.content.get("not_known", ()))

    @cached_property
    def race(self) -> Scenario:  # type: ignore[override]
        """The scenario, read from the file."""
        return scenario_of(self.content["scenario"]["text"], f"the scenario in {quote_path(self.path)}")

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
        keys = ("version", "seed", "runs", "scenario_hash", "rules", "draws")
        told = {key.removesuffix("_hash"): self.content[key] for key in keys}
        return told | {"title": self.title, "checksum": self.checksum}

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
    return checked(read_bytes(path, most=MOST_BYTES), path)


def checked(raw: bytes, path: Path) -> Registration:
    """Return the registration that the bytes of a file hold, if it is one and was not changed."""
    where = quote_path(path)
    content = parsed(unseal(raw, where), where)
    form, version = content.get("format"), content.get("version")
    if isinstance(form, int) and form != FORMAT:
        raise FileError(
            f"{where} was written by iomsim {quote(version)} in format {quote(form)}; "
            f"this version reads format {FORMAT}"
        )
    no = f"{where} is sealed, but not as iomsim writes a registration"
    try:
        known = Content.model_validate(content)
        found = Registration(path, known.seal.checksum, content, law_of(known.law, known.runs))
        _consistent(found)
    except ValidationError as error:
        raise FileError(f"{no}: {next(sentences(error, Content, content))}") from None
    except ValueError as error:
        raise FileError(f"{no}: {reason(error)}") from None
    return found


def _consistent(found: Registration) -> None:
    """Refuse a registration whose tables say something else than its law, or whose scenario is another."""
    said, counted_ = found.table()["probability"], pd.Series(found.law.winner, found.law.outcomes)
    if not said.index.is_unique or len(said) != len(counted_):
        raise ValueError("its table of who wins has not a row for each outcome")
    if not np.allclose(said.reindex(counted_.index), counted_, atol=1e-6):
        raise ValueError("its table of who wins is not what its law comes to")
    if found.content["version"] == VERSION:  # another version may count other things into the hash
        try:
            same = found.race.hash == found.content["scenario_hash"]
        except IomsimError as error:
            raise ValueError(reason(error)) from None
        if not same:
            raise ValueError("its scenario has another hash than it states")
        if found.race.names != found.law.names or found.race.clock.opens != found.law.opens:
            raise ValueError("its scenario is not that of its law")
