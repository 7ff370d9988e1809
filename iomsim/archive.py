"""One file per forecast: arrays, scenario, seed and version, with a checksum and no pickle."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim.errors import FileError
from iomsim.forecast import Forecast
from iomsim.library import dumps, loads
from iomsim.scenario import Scenario
from iomsim.simulate import Outcomes
from iomsim.summary import Summary

FORMAT = 1
"""Version of the file format; a reader refuses what is newer than itself."""


def save(fc: Forecast, path: str | Path) -> None:
    """Write a forecast to one compressed file."""
    arrays = _arrays(fc)
    meta = {
        "format": FORMAT,
        "version": fc.version,
        "seed": fc.seed,
        "runs": len(fc),
        "scenario": dumps(self_contained(fc.scenario)),
        "hash": fc.scenario.hash,
        "rule_sets": fc.rule_sets().to_dict(orient="split"),
        "digest": _digest(arrays),
    }
    with open(path, "wb") as file:
        arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def open_forecast(path: str | Path) -> Forecast:
    """Read a forecast back; every table is the one that was saved, bit for bit.

    Raises
    ------
    FileError
        If the file is missing, damaged, not a forecast, or written in a newer format.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(bytes(arrays.pop("meta")))
    except OSError as error:
        raise FileError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise FileError(f"{str(path)!r} is damaged or is no saved forecast ({error})") from None
    return _restore(meta, arrays, path)


def _restore(meta: dict[str, Any], arrays: dict[str, np.ndarray], path: str | Path) -> Forecast:
    if meta.get("format", 0) > FORMAT:
        raise FileError(
            f"{str(path)!r} was written by iomsim {meta.get('version')} in format {meta['format']}; "
            f"this version reads formats up to {FORMAT}, so update iomsim"
        )
    if meta.get("digest") != _digest(arrays):
        raise FileError(f"{str(path)!r} is damaged: its content does not match its checksum")
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        array.setflags(write=False)
        group, _, key = name.partition(".")
        parts.setdefault(group, {})[key] = array
    summary = Summary(
        runs=meta["runs"],
        ends=pd.DataFrame(parts["ends"]),
        examples=Outcomes(**parts["examples"]),
        **parts["summary"],
    )
    outcomes = Outcomes(**parts["outcomes"]) if "outcomes" in parts else None
    fc = Forecast(loads(meta["scenario"], str(path)), meta["seed"], summary, outcomes, meta["version"])
    sides = meta["rule_sets"]
    fc._kept["rule_sets"] = pd.DataFrame(sides["data"], sides["index"], sides["columns"]).rename_axis("rules")
    return fc


def _arrays(fc: Forecast) -> dict[str, np.ndarray]:
    """Return every array of a forecast by a dotted name."""
    groups: dict[str, dict[str, Any]] = {
        "ends": {column: fc.summary.ends[column].to_numpy() for column in fc.summary.ends},
        "summary": {key: getattr(fc.summary, key) for key in ("shares", "flows", "voting")},
        "examples": vars(fc.summary.examples),
        "outcomes": vars(fc.outcomes) if fc.outcomes is not None else {},
    }
    return {f"{group}.{key}": np.asarray(part) for group, parts in groups.items() for key, part in parts.items()}


def _digest(arrays: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    return total.hexdigest()


def self_contained(race: Scenario) -> Scenario:
    """Return the scenario with its member table inside, so that later tables cannot change it."""
    electorate = race.electorate
    if electorate.table is not None:
        return race
    short = electorate.id or ("iso3" if "iso3" in electorate.frame.columns else electorate.name)
    raw = electorate.frame.drop(columns=["group"]).rename(columns={"name": electorate.name})
    raw = raw.drop(columns=["id"]) if short in raw.columns else raw.rename(columns={"id": short})
    rows = tuple(raw.astype(object).to_dict("records"))
    inside = electorate.model_copy(update={"table": rows, "members": None, "size": None})
    return race.model_copy(update={"electorate": inside})


def to_csv(fc: Forecast, folder: str | Path) -> list[Path]:
    """Write every table as csv into a folder, with the stamp as JSON; return the files."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    tables = {
        "win_probability": fc.win_probability(),
        "rounds": fc.rounds(),
        "endings": fc.endings(),
        "decided_at": fc.decided_at(),
        "rule_sets": fc.rule_sets(),
        "evidence": fc.scenario.evidence(),
        "members": fc.scenario.members,
    }
    if fc.outcomes is not None:
        tables |= {"runs": fc.runs, "tallies": fc.tallies}
    files = []
    for name, table in tables.items():
        files.append(target / f"{name}.csv")
        table.to_csv(files[-1], index=name not in ("tallies", "members"))
    files.append(target / "stamp.json")
    files[-1].write_text(json.dumps(fc.provenance, indent=2) + "\n", encoding="utf-8")
    return files
