"""One file per forecast: arrays, scenario, seed and version, with a checksum and no pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.errors import FileError, quote_path, reason, writing
from iomsim.files import csv_text, write_whole
from iomsim.forecasting.summary import Summary
from iomsim.forecasting.tables import TABLES, Tables
from iomsim.model import electorate
from iomsim.model.assumptions import Assumptions
from iomsim.model.catalogue import dumps, loads
from iomsim.model.leanings import leanings
from iomsim.model.scenario import Scenario

FORMAT = 2
"""Version of the file format; a reader refuses others."""

COUNTED = ("shares", "flows", "voting")
"""What a summary counts in arrays."""

PLAIN_FIELDS = ("version", "seed", "stopped", "announced", "certain", "reached")
"""Fields of a forecast that JSON keeps as they are."""


def save(fc: Tables, path: str | Path) -> None:
    """Write a forecast to one compressed file.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
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
    arrays = _arrays(fc) | {"meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)}
    arrays["digest"] = np.frombuffer(_digest(arrays), dtype=np.uint8)
    file = BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    write_whole(path, file.getvalue())


def read(path: str | Path) -> dict[str, Any]:
    """Return the fields of a saved forecast.

    Raises
    ------
    FileError
        If the file is missing, damaged, not a forecast, or written in a newer format.
    """
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        digest, meta = bytes(arrays.pop("digest")), json.loads(bytes(arrays["meta"]))
        newer, older = meta["format"] > FORMAT, meta["format"] < FORMAT
    except OSError as error:
        raise FileError(f"cannot read {quote_path(path)}: {reason(error)}") from None
    except Exception:  # what a damaged or foreign file does to its reader has no end of names
        raise FileError(f"{quote_path(path)} is damaged or is no saved forecast") from None
    if newer:
        raise FileError(
            f"{quote_path(path)} was written by iomsim {meta.get('version')} in format {meta['format']}; "
            f"this version reads formats up to {FORMAT}, so update iomsim"
        )
    if older:
        raise FileError(
            f"{quote_path(path)} was written by iomsim {meta.get('version')} in format {meta['format']}, before "
            f"assumptions were drawn; this version reads format {FORMAT}, so make the forecast again from its scenario"
        )
    if digest != _digest(arrays):
        raise FileError(f"{quote_path(path)} is damaged: its content does not match its checksum")
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        array.setflags(write=False)
        group, _, key = name.partition(".")
        groups.setdefault(group, {})[key] = array
    ends, examples = pd.DataFrame(groups["ends"]), Outcomes(**groups["examples"])
    race, draws = loads(meta["scenario"], str(path)), None
    if meta["assumptions"] != "fixed":
        drawn, played = groups.get("assumptions", {}), groups.get("played", {})
        draws = Assumptions(drawn, groups["reading"]["number"], race.procedures, played)
    sides = meta["rule_sets"]
    sides = pd.DataFrame(sides["data"], sides["index"], sides["columns"]).rename_axis("rules")
    return {key: meta[key] for key in PLAIN_FIELDS} | {
        "race": race,
        "events": tuple(meta["events"]),
        "out": tuple(meta["out"]),
        "summary": Summary(
            runs=meta["runs"],
            ends=ends,
            examples=examples,
            draws=0 if draws is None else draws.count,
            **{key: groups["summary"][key] for key in COUNTED},
        ),
        "draws": draws,
        "outcomes": Outcomes(**groups["outcomes"]) if "outcomes" in groups else None,
        "compare_rules": partial(_as_saved, sides),
    }


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


def _digest(arrays: dict[str, np.ndarray]) -> bytes:
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    return total.digest()


def self_contained(race: Scenario) -> Scenario:
    """Return the scenario with its member table inside, so that later tables cannot change it."""
    return race.model_copy(update={"electorate": electorate.self_contained(race.electorate)})


def to_csv(fc: Tables, folder: str | Path, runs: bool = True) -> list[Path]:
    """Write every table as csv into a folder, those of the members too, with the stamp as JSON; return the files.

    Raises
    ------
    FileError
        If the folder or a file in it cannot be written.
    """
    tables = {name: table.numbers(fc) for name, table in TABLES.items()}
    tables |= {"evidence": fc.race.evidence(), "members": fc.race.members, "leanings": leanings(fc.race, fc.draws)}
    if runs and fc.outcomes is not None:
        tables |= {"runs": fc.runs, "tallies": fc.tallies}
    numbered = ("tallies", "members")  # their index is only a row number
    texts = {f"{name}.csv": csv_text(table, index=name not in numbered) for name, table in tables.items()}
    texts["stamp.json"] = json.dumps(fc.provenance, indent=2) + "\n"
    folder = Path(folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]
