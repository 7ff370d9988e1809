"""A seed means the same bits wherever and on whatever executor it runs: of forecasts, studies, election days, files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import same_bits

SCRIPT = Path(same_bits.__file__)

ODD = {
    "an optimised Turk in New York": {
        "PYTHONHASHSEED": "1", "PYTHONOPTIMIZE": "1", "TZ": "America/New_York", "LC_ALL": "tr_TR.UTF-8",
    },
    "a German without UTF-8 on Kiritimati": {
        "PYTHONHASHSEED": "0", "PYTHONUTF8": "0", "TZ": "Pacific/Kiritimati", "LC_ALL": "de_DE", "COLUMNS": "40",
    },
    "nobody in particular in Kathmandu": {
        "PYTHONHASHSEED": "random", "PYTHONUTF8": "0", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "COLUMNS": "240",
    },
}  # fmt: skip
"""Environments in which nothing may be other than at home."""


def locales(folder: Path) -> Path:
    """Return a folder with the locales of Germany and Turkey, where they can be made; else all are that of C."""
    folder.mkdir()
    for name, charmap in {"tr_TR.UTF-8": "UTF-8", "de_DE": "ISO-8859-1"}.items():
        if shutil.which("localedef"):
            command = ["localedef", "-i", name.partition(".")[0], "-f", charmap, str(folder / name)]
            subprocess.run(command, capture_output=True, check=False)
    return folder


def made(folder: Path, kind: str = "", **environment: str) -> dict[str, list[str]]:
    """Return what another process makes."""
    here = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "LC_", "LANG", "TZ", "IOMSIM"))
    }
    found = os.pathsep.join((str(SCRIPT.parents[1]), str(SCRIPT.parent)))
    here |= {"PYTHONPATH": found, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, str(SCRIPT), str(folder), *[kind] * bool(kind)]
    done = subprocess.run(command, env=here | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    files: dict[str, list[str]] = json.loads(done.stdout)
    return files


def unequal(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    return [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]


@pytest.mark.slow
def test_neither_place_nor_executor_changes_a_bit(tmp_path: Path) -> None:
    spoken = {"LOCPATH": str(locales(tmp_path / "locales"))}
    places = {"home": {"PYTHONHASHSEED": "7"}} | {name: there | spoken for name, there in ODD.items()}
    with ThreadPoolExecutor(2) as two:
        begun = {name: two.submit(made, tmp_path / name, **there) for name, there in places.items()}
        begun |= {kind: two.submit(made, tmp_path / kind, kind) for kind in ("threads", "processes")}
        found = {name: work.result() for name, work in begun.items()}
    home = found["home"]
    spread = {name: files for name, files in home.items() if name.startswith(same_bits.SPREAD)}
    assert len(home) > 70
    assert len(spread) > 30
    for name, there in found.items():
        assert unequal(home if name in places else spread, there) == [], name
    twice = {"forecast/tables of the saved one": "forecast/tables", "election day/day again": "election day/day"}
    twice |= {"forecast/forecast again": "forecast/forecast", "study/table from files": "study/table"}
    for again, once in twice.items():
        names = [name for name in home if name.startswith(again)]
        assert names
        assert [name for name in names if home[name] != home[once + name.removeprefix(again)]] == []


@pytest.mark.dask
def test_a_cluster_changes_no_bit(tmp_path: Path) -> None:
    assert unequal(made(tmp_path / "here", "here"), made(tmp_path / "dask", "dask")) == []


def test_what_other_libraries_may_change() -> None:
    one = {name: ["1", "2"] for name in ("forecast/tables/rounds.csv", "forecast/tables/runs.csv", "study/table.csv")}
    one |= {"charts/a.svg": ["1", "1"], "study/cells/a.npz": ["1", "1"]}
    assert same_bits.differing(one, dict(one)) == []
    assert same_bits.differing(one, {name: ["3", "2"] for name in one}) == [
        *("forecast/tables/runs.csv", "study/cells/a.npz", "study/table.csv")
    ]
    assert same_bits.differing(one, {name: ["1", "3"] for name in one}) == ["forecast/tables/rounds.csv"]
    assert same_bits.differing(one, {"x": ["1", "2"]}) == sorted([*one, "x"])


def test_numbers_are_rounded_to_nine_digits() -> None:
    texts = (b"A,0.11675510485158548,-1.5e-07", b"A,0.1167551048515855,-1.5000000000000002e-07")
    assert same_bits.rounded(texts[0]) == same_bits.rounded(texts[1]) != same_bits.rounded(b"A,0.116755,-1.5e-07")
