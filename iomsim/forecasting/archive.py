"""One file per forecast: arrays, scenario, seed and version, with a checksum and no pickle."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.errors import FileError, reason
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.summary import Summary
from iomsim.model import electorate
from iomsim.model.catalogue import dumps, loads
from iomsim.model.scenario import Scenario

FORMAT = 1
"""Version of the file format; a reader refuses what is newer than itself."""


def save(fc: Forecast, path: str | Path) -> None:
    """Write a forecast to one compressed file.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    meta = {
        "format": FORMAT,
        "version": fc.version,
        "seed": fc.seed,
        "runs": len(fc),
        "stopped": fc.stopped,
        "announced": fc.announced,
        "events": list(fc.events),
        "out": list(fc.out),
        "certain": fc.certain,
        "reached": fc.reached,
        "scenario": dumps(self_contained(fc.race)),
        "hash": fc.race.hash,
        "rule_sets": fc.rule_sets().to_dict(orient="split"),
    }
    arrays = _arrays(fc) | {"meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)}
    arrays["digest"] = np.frombuffer(_digest(arrays), dtype=np.uint8)
    try:
        with open(path, "wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise FileError(f"cannot write {str(path)!r}: {reason(error)}") from None


def open_forecast(path: str | Path) -> Forecast:
    """Read a forecast back; every table is the one that was saved, bit for bit.

    Raises
    ------
    FileError
        If the file is missing, damaged, not a forecast, or written in a newer format.
    """
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        digest, meta = bytes(arrays.pop("digest")), json.loads(bytes(arrays["meta"]))
        newer = meta["format"] > FORMAT
    except OSError as error:
        raise FileError(f"cannot read {str(path)!r}: {reason(error)}") from None
    except Exception:  # what a damaged or foreign file does to its reader has no end of names
        raise FileError(f"{str(path)!r} is damaged or is no saved forecast") from None
    if newer:
        raise FileError(
            f"{str(path)!r} was written by iomsim {meta.get('version')} in format {meta['format']}; "
            f"this version reads formats up to {FORMAT}, so update iomsim"
        )
    if digest != _digest(arrays):
        raise FileError(f"{str(path)!r} is damaged: its content does not match its checksum")
    return _restore(meta, arrays, path)


def _restore(meta: dict[str, Any], arrays: dict[str, np.ndarray], path: str | Path) -> Forecast:
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
    sides = meta["rule_sets"]
    return Forecast(
        race=loads(meta["scenario"], str(path)),
        seed=meta["seed"],
        summary=summary,
        outcomes=Outcomes(**parts["outcomes"]) if "outcomes" in parts else None,
        version=meta["version"],
        stopped=meta["stopped"],
        announced=meta["announced"],
        events=tuple(meta["events"]),
        out=tuple(meta["out"]),
        certain=meta["certain"],
        reached=meta["reached"],
        _by_rules=partial(_as_saved, pd.DataFrame(sides["data"], sides["index"], sides["columns"])),
    )


def _as_saved(sides: pd.DataFrame, fc: Forecast) -> pd.DataFrame:
    """Return the rule sets side by side as they were saved: nothing is played again."""
    return sides.rename_axis("rules")


def _arrays(fc: Forecast) -> dict[str, np.ndarray]:
    """Return every array of a forecast by a dotted name."""
    groups: dict[str, dict[str, Any]] = {
        "ends": {column: fc.summary.ends[column].to_numpy() for column in fc.summary.ends},
        "summary": {key: getattr(fc.summary, key) for key in ("shares", "flows", "voting")},
        "examples": vars(fc.summary.examples),
        "outcomes": vars(fc.outcomes) if fc.outcomes is not None else {},
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


def tables_of(fc: Forecast) -> dict[str, pd.DataFrame]:
    """Return the tables that answer, by name."""
    return {
        "win_probability": fc.win_probability(),
        "rounds": fc.rounds(),
        "endings": fc.endings(),
        "decided_at": fc.decided_at(),
        "rule_sets": fc.rule_sets(),
    }


def to_csv(fc: Forecast, folder: str | Path, runs: bool = True) -> list[Path]:
    """Write every table as csv into a folder, with the stamp as JSON; return the files.

    Raises
    ------
    FileError
        If the folder or a file in it cannot be written.
    """
    tables = tables_of(fc) | {"evidence": fc.race.evidence(), "members": fc.race.members}
    if runs and fc.outcomes is not None:
        tables |= {"runs": fc.runs, "tallies": fc.tallies}
    texts = {f"{name}.csv": table.to_csv(index=name not in PLAIN) for name, table in tables.items()}
    return _write(Path(folder), texts | {"stamp.json": json.dumps(fc.provenance, indent=2) + "\n"})


PLAIN = ("tallies", "members")
"""Tables whose index is only a row number."""


def _write(folder: Path, texts: dict[str, str]) -> list[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write into {str(folder)!r}: {reason(error)}") from None
    return [folder / name for name in texts]
