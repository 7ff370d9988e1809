"""Where nothing may be written, and where something else is already: a sentence, and what was there stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.saves import KINDS
from faults.scripts import told_by
from faults.test_full_disk import mounting

import iomsim as iom
from iomsim.charts.report import rerun

posix = pytest.mark.skipif(os.name != "posix", reason="needs users and modes")


@posix
@pytest.mark.faults
def test_folders_and_files_that_may_not_be_written(tmp_path: Path) -> None:
    assert told_by("denied", tmp_path, *KINDS) == {kind: [] for kind in KINDS}


@posix
@pytest.mark.faults
def test_a_disk_that_may_not_be_written(tmp_path: Path) -> None:
    assert told_by("denied", tmp_path, *KINDS, "read-only", before=mounting()) == {kind: [] for kind in KINDS}


WRITE: dict[str, Callable[[Any, Path], object]] = {
    "forecast": lambda fc, path: fc.save(path),
    "scenario": lambda fc, path: fc.race.save(path),
    "registration": lambda fc, path: iom.register(fc, path),
    "tables": lambda fc, path: fc.to_csv(path),
    "workbook": lambda fc, path: fc.to_excel(path),
    "log": lambda fc, path: iom.live(fc.race, 50, seed=1, log=path),
    "study": lambda fc, path: iom.Study.of([fc.race]).run(20, seed=1, folder=path, progress=False),
}

READ: dict[str, Callable[[Any, Path], object]] = {
    "forecast": lambda fc, path: iom.Forecast.open(path),
    "scenario": lambda fc, path: iom.load(path),
    "registration": lambda fc, path: iom.registration(path),
    "ledger": lambda fc, path: iom.scorebook(path),
    "log": lambda fc, path: iom.replay(path),
    "report": lambda fc, path: rerun(path),
    "history": lambda fc, path: iom.history(path),
    "pledges": lambda fc, path: fc.race.with_pledges(path),
}

FOLDERS = ("tables", "study", "history")
"""What is a folder anyway."""


@pytest.mark.parametrize("kind", [kind for kind in WRITE if kind not in FOLDERS])
def test_what_is_a_folder_is_not_written(kind: str, centre_forecast: iom.Forecast, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "mine").touch()
    with pytest.raises(iom.IomsimError, match=r"^(cannot write|the log) .*place'|^'.*place' exists already"):
        WRITE[kind](centre_forecast, place)
    assert [path.name for path in tmp_path.rglob("*")] == ["place", "mine"]


@pytest.mark.parametrize("kind", FOLDERS[:2])
def test_what_is_no_folder_is_not_written(kind: str, centre_forecast: iom.Forecast, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.write_text("mine", encoding="utf-8")
    with pytest.raises(iom.IomsimError, match=r"'.*place"):
        WRITE[kind](centre_forecast, place)
    assert place.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("kind", [kind for kind in WRITE if kind not in FOLDERS])
def test_where_there_is_no_folder_nothing_is_written(kind: str, centre_forecast: iom.Forecast, tmp_path: Path) -> None:
    with pytest.raises(iom.IomsimError, match=r"cannot write '.*place'"):
        WRITE[kind](centre_forecast, tmp_path / "no" / "place")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("there", [True, False])
def test_what_is_a_folder_or_nothing_is_not_read(
    kind: str, there: bool, centre_forecast: iom.Forecast, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    if there:
        place.mkdir()
    with pytest.raises(iom.IomsimError) as refused:
        READ[kind](centre_forecast, place)
    assert "Errno" not in str(refused.value)
    assert str(tmp_path) in str(refused.value)
