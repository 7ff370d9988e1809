"""`Registration`: a forecast that was written down before the event, read back and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from iomsim._version import VERSION
from iomsim.errors import FileError, IomsimError, quote_path, reason
from iomsim.files import read_bytes
from iomsim.forecasting.estimates import in_words
from iomsim.forecasting.result import Result
from iomsim.house_style import Text, thousands
from iomsim.model.catalogue import loads
from iomsim.model.scenario import Scenario
from iomsim.registered.law import Law, law_of
from iomsim.registered.sealed import SHORT, unseal

FORMAT = 1
"""Version of the file; a reader refuses others."""


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
        return loads(self.content["scenario"]["text"], f"the scenario in {quote_path(self.path)}")

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
        law = law_of(content)
        found = Registration(path, content["seal"]["checksum"], content, law)
        _consistent(found)
    except FileError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FileError(f"{where} is sealed, but not as iomsim writes a registration: {reason(error)}") from None
    return found


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
