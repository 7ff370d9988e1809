"""One file per forecast: arrays, scenario, seed and version, with a checksum and no pickle.

The checksum shows damage.  It is no secret, so that it says nothing of who made a file: whatever comes out of one is
held against the schema, the scenario and the runs, and what does not agree is no forecast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from iomsim._version import VERSION
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import FileError, IomsimError, quote, quote_path, reason
from iomsim.files import write_whole
from iomsim.forecasting.arrays import Archive, Damaged, digest, opened, packed
from iomsim.forecasting.checks import complaints, complaints_of_sides
from iomsim.forecasting.summary import BINS, EXAMPLES, Summary
from iomsim.forecasting.tables import Tables, sides_columns
from iomsim.memory import SMALL, free, in_bytes
from iomsim.model import electorate, toml
from iomsim.model.assumptions import DRAWS_AT_MOST, Assumptions
from iomsim.model.catalogue import dumps
from iomsim.model.quantities import Text
from iomsim.model.scenario import Scenario, build
from iomsim.model.tables import MOST_BYTES

FORMAT, OLDEST = 3, 2
"""Version of the file format, and the oldest that is read: in 2 only the spill had an interval by reading."""

OLD_SIDES = ("no winner", "spill", "low", "high", "mc_error", "median_rounds", "nobody", "still voting", "weight")
"""Columns of the table of readings after the candidates, in format 2."""

COUNTED = ("shares", "flows", "voting")
"""What a summary counts in arrays."""

PLAIN_FIELDS = ("version", "seed", "stopped", "announced", "certain", "reached")
"""Fields of a forecast that JSON keeps as they are."""

DIGEST = 32
"""Bytes of the checksum."""

ENDS = dict.fromkeys(("draw", "winner", "ending", "rounds", "minute", "count"), "<i8")
"""Columns of the ends that a summary counts, with the code of their numbers."""

OF_RUNS = {"winner": "|i1", "ending": "|u1", "rounds": "<i2", "minute": "<i4", "present": "<i2", "draw": "<i4"}
OF_ROUNDS = {"votes": 1, "valid": 0, "flows": 2}
"""Arrays of runs, one entry each, with the code of their numbers; and of their rounds, with the axes that have an entry
for each candidate, all of the code "<i2"."""

VERSIONS = re.compile(r"[0-9A-Za-z.+-]{1,40}")

Version = Annotated[str, StringConstraints(pattern=rf"^{VERSIONS.pattern}$")]
Whole = Annotated[int, Field(ge=0)]
Runs = Annotated[int, Field(ge=1, lt=2**53)]
Drawn = Annotated[int, Field(ge=1)] | Literal["fixed"]
"""What files say of the making of a forecast: its version, seed, runs and draws of the assumptions."""


class Sides(BaseModel):
    """The table of readings, as pandas splits it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    columns: list[str]
    index: list[str]
    data: list[list[int | float]]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.data) != len(self.index) or {len(row) for row in self.data} - {len(self.columns)}:
            raise ValueError("rows and columns do not fit")
        return self

    def frame(self, names: Sequence[str], format: int) -> pd.DataFrame:
        """Return the table, with the columns that it has today; what an old one does not know is missing."""
        table = pd.DataFrame(self.data, self.index, self.columns).rename_axis("rules")
        if format < FORMAT and list(table) == [*names, *OLD_SIDES]:
            table = table.rename(columns={key: f"spill_{key}" for key in ("low", "high", "mc_error")})
            table = table.reindex(columns=sides_columns(names))
        return table


class Meta(BaseModel):
    """What a saved forecast says in words."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    format: int
    version: Version
    runs: Runs
    seed: Whole
    assumptions: Drawn
    stopped: Text
    announced: Whole
    certain: bool
    reached: int | float | None
    events: list[dict[str, Any]]
    out: list[str]
    scenario: str
    hash: str
    rule_sets: Sides


def save(fc: Tables, path: str | Path) -> None:
    """Write a forecast to one compressed file.

    Raises
    ------
    FileError
        If the file cannot be written, or could not be opened again: if its counts, runs and words are no forecast, such
        as a part of one, under one reading of the rules.
    """
    no = f"cannot save this forecast as {quote_path(path)}: it"
    for complaint in complaints(fc):
        raise FileError(f"{no} {complaint}")
    meta = {
        "format": FORMAT,
        "runs": len(fc),
        "assumptions": fc.provenance["assumptions"],
        "events": list(fc.events),
        "out": list(fc.out),
        "scenario": dumps(self_contained(fc.race)),
        "hash": fc.race.hash,
        "rule_sets": fc.rule_sets().to_dict(orient="split"),
    } | {key: getattr(fc, key) for key in PLAIN_FIELDS}
    try:
        _understood(meta)
    except Damaged as error:
        raise FileError(f"{no} {error}") from None
    arrays = _arrays(fc) | {"meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)}
    arrays["digest"] = np.frombuffer(digest(arrays), dtype=np.uint8)
    write_whole(path, packed(arrays))


def read(path: str | Path) -> dict[str, Any]:
    """Return the fields of a saved forecast.

    Raises
    ------
    FileError
        If the file is missing, damaged, not a forecast, or written in another format.
    """
    why = ""
    try:
        with opened(path) as file:
            return _fields(file, str(path))
    except FileError:
        raise
    except Damaged as error:
        why = f": it {error}"
    except MemoryError:
        raise FileError(f"cannot read {quote_path(path)}: it takes more memory than there is") from None
    except OSError as error:
        raise FileError(f"cannot read {quote_path(path)}: {reason(error)}") from None
    except Exception:  # what a damaged or foreign file does to its reader has no end of names
        pass
    raise FileError(f"{quote_path(path)} is damaged or is no saved forecast{why}")


def _fields(file: Archive, path: str) -> dict[str, Any]:
    """Return the fields of a forecast from the arrays of an open file, if they are those of one."""
    meta = _meta(file, path)
    race = carried(meta.scenario)
    _fit(file, meta, race)
    size = sum(part.place.file_size for part in file.parts.values())
    if size > SMALL and size > (there := free()):
        takes = f"it takes {in_bytes(size)} of memory, {in_bytes(there)} are free"
        raise FileError(f"cannot read {quote_path(path)}: {takes}")
    arrays = {name: file.read(name) for name in file.parts}
    if arrays.pop("digest").tobytes() != digest(arrays):
        raise FileError(f"{quote_path(path)} is damaged: its content does not match its checksum")
    if meta.version == VERSION and meta.hash != race.hash:
        raise Damaged("holds another scenario than its hash says")
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        group, _, key = name.partition(".")
        groups.setdefault(group, {})[key] = array
    draws = None
    if meta.assumptions != "fixed":
        drawn, played = groups.get("assumptions", {}), groups.get("played", {})
        draws = Assumptions(drawn, groups["reading"]["number"], race.procedures, played)
    sides = meta.rule_sets.frame(race.names, meta.format)
    fields = {key: getattr(meta, key) for key in PLAIN_FIELDS} | {
        "race": race,
        "events": tuple(meta.events),
        "out": tuple(meta.out),
        "summary": Summary(
            runs=meta.runs,
            ends=pd.DataFrame({key: groups["ends"][key] for key in ENDS}),
            examples=Outcomes(**groups["examples"]),
            draws=0 if draws is None else draws.count,
            **{key: groups["summary"][key] for key in COUNTED},
        ),
        "draws": draws,
        "outcomes": Outcomes(**groups["outcomes"]) if "outcomes" in groups else None,
        "compare_rules": partial(_as_saved, sides),
    }
    fc = Tables(**fields)
    for complaint in chain(complaints(fc), complaints_of_sides(fc, sides)):
        raise Damaged(complaint)
    return fields


def _meta(file: Archive, path: str) -> Meta:
    """Return the words of a forecast."""
    if file.parts["meta"].code != "|u1" or file.parts["meta"].shape[0] > 2 * MOST_BYTES:
        raise Damaged("says more than it can have to say")
    words = json.loads(file.read("meta").tobytes())
    format, version = words["format"], words.get("version")
    if isinstance(format, bool) or not isinstance(format, int):
        raise Damaged("has no format")
    known = version if isinstance(version, str) and VERSIONS.fullmatch(version) else quote(version)
    if format > FORMAT:
        raise FileError(
            f"{quote_path(path)} was written by iomsim {known} in format {quote(format)}; "
            f"this version reads formats up to {FORMAT}, so update iomsim"
        )
    if format < OLDEST:
        raise FileError(
            f"{quote_path(path)} was written by iomsim {known} in format {quote(format)}, before "
            f"assumptions were drawn; this version reads formats {OLDEST} to {FORMAT}, so make the forecast again from "
            "its scenario"
        )
    return _understood(words)


def _understood(words: Any) -> Meta:
    """Return the words of a forecast, if they are some."""
    try:
        return Meta.model_validate(words)
    except ValidationError as error:
        key, *_ = error.errors()[0]["loc"]
        raise Damaged(f"says nothing that can be about its {quote(key)}") from None


def _fit(file: Archive, meta: Meta, race: Scenario) -> None:
    """Refuse a file whose arrays have other names, numbers or shapes than those of such a forecast; none is read."""
    parts, k, most = file.parts, len(race.names), race.rules.max_rounds
    length = {name: part.shape[0] if part.shape else 0 for name, part in parts.items()}
    rounds = {"shares": (most, k, BINS), "flows": (most, k, k), "voting": (most,)}
    wanted = {f"summary.{key}": ("<i8", shape) for key, shape in rounds.items()}
    wanted |= {f"ends.{key}": (code, (length.get("ends.count", 0),)) for key, code in ENDS.items()}
    groups = {"examples": min(EXAMPLES, meta.runs)}
    if any(name.startswith("outcomes.") for name in parts):
        groups["outcomes"] = meta.runs
    for group, runs in groups.items():
        rows = length.get(f"{group}.valid", 0)
        wanted |= {f"{group}.{key}": (code, (runs,)) for key, code in OF_RUNS.items()}
        wanted |= {f"{group}.{key}": ("<i2", (rows, *(k,) * axes)) for key, axes in OF_ROUNDS.items()}
    if meta.assumptions != "fixed":
        count = (meta.assumptions,)
        drawn = [name for name in parts if name.partition(".")[0] in ("assumptions", "played")]
        wanted |= dict.fromkeys(drawn, ("<f8", count)) | {"reading.number": ("<i8", count)}
    wanted |= {"meta": ("|u1", parts["meta"].shape), "digest": ("|u1", (DIGEST,))}
    for name in (*wanted, *parts):
        if name not in parts:
            raise Damaged(f"lacks {quote(name)}")
        if (parts[name].code, parts[name].shape) != wanted.get(name):
            raise Damaged(f"holds other numbers, or more or fewer, than belong into {quote(name)}")
    too_many = any(length[f"{group}.valid"] > most * runs for group, runs in groups.items())
    if too_many or max(length["ends.count"], length.get("reading.number", 0) - DRAWS_AT_MOST) > meta.runs:
        raise Damaged("holds more than its runs can come to")


def scenario_of(text: str, where: str) -> Scenario:
    r"""Return the scenario that a file carries, with its members inside: no other file is read for it.

    Raises
    ------
    IomsimError
        If it is none, or has its members elsewhere.

    Examples
    --------
    >>> scenario_of('electorate.size = 9\ncandidates = [{name = "A"}, {name = "B"}]', "mine").names
    ('A', 'B')
    >>> scenario_of('electorate.members = "all.csv"\ncandidates = [{name = "A"}, {name = "B"}]', "mine")
    Traceback (most recent call last):
    iomsim.errors.FileError: mine has its members in another file, 'all.csv'; they must be inside
    """
    if len(text) > MOST_BYTES:
        raise FileError(f"{where} is longer than {MOST_BYTES // 10**6} MB, the most that is read")
    data = toml.parsed(text, where)
    members = data.get("electorate")
    if isinstance(members, dict) and "members" in members:
        raise FileError(
            f"{where} has its members in another file, {quote_path(members['members'])}; they must be inside"
        )
    return build(data, where)


def carried(text: str) -> Scenario:
    """Return the scenario that a file of ours carries.

    Raises
    ------
    Damaged
        If it is none.
    """
    try:
        return scenario_of(text, "its scenario")
    except IomsimError as error:
        raise Damaged(f"holds no election: {str(error).splitlines()[0]}") from None


def _as_saved(sides: pd.DataFrame, fc: Tables) -> pd.DataFrame:
    """Return the table of readings as it was saved: nothing is played again."""
    return sides


def _arrays(fc: Tables) -> dict[str, np.ndarray]:
    """Return every array of a forecast by a dotted name."""
    groups: dict[str, Mapping[str, Any]] = {
        "ends": {column: fc.summary.ends[column].to_numpy() for column in fc.summary.ends},
        "summary": {key: getattr(fc.summary, key) for key in COUNTED},
        "examples": vars(fc.summary.examples),
        "outcomes": vars(fc.outcomes) if fc.outcomes is not None else {},
    }
    if fc.draws is not None:
        groups |= {
            "assumptions": fc.draws.values,
            "played": fc.draws.parameters,
            "reading": {"number": fc.draws.reading},
        }
    return {f"{group}.{key}": np.asarray(part) for group, parts in groups.items() for key, part in parts.items()}


def self_contained(race: Scenario) -> Scenario:
    """Return the scenario with its member table inside, so that later tables cannot change it."""
    return race.model_copy(update={"electorate": electorate.self_contained(race.electorate)})
