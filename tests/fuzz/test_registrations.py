"""Registrations that were forged, with a right checksum, and broken ledgers of scores: they hold, or are refused."""

from __future__ import annotations

import csv
import tomllib
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import tomli_w
from fuzz.harness import NASTY, SHORT, bytes_like, each, lengths, plain_like, rng, survives
from toys import toy

import iomsim as iom
from iomsim.registered.scorebook import scorebook
from iomsim.registered.sealed import digest

EVE = datetime(2023, 5, 14, 18, tzinfo=UTC)


@cache
def texts() -> tuple[bytes, bytes, bytes]:
    """Return two registrations, and a ledger of their scores."""
    with TemporaryDirectory() as folder:
        ledger, files = Path(folder) / "scores.csv", []
        for i, race in enumerate((toy(9), toy(9, "ABC", rules="four-rounds"))):
            files.append(Path(folder) / f"{i}.toml")
            iom.register(race, files[-1], runs=50, seed=4, assumptions=4, progress=False, at=EVE)
            iom.score(files[-1], winner="A", rounds=2, ledger=ledger, at=EVE)
        return files[0].read_bytes(), files[1].read_bytes(), ledger.read_bytes()


def forged(body: bytes) -> bytes:
    """Return the text of a registration with the checksum that it would have."""
    return body + f'checksum = "{digest(body)}"\n'.encode()


def case(number: int, folder: Path) -> None:
    chance = rng("registrations", number)
    original = texts()[chance.randrange(2)]
    path = folder / f"{number}.toml"
    if chance.random() < 0.15:
        return ledger_case(number, folder)
    if chance.random() < 0.3:
        data = bytes_like(chance, original)
        body = data.rpartition(b"checksum")[0]
        data = data if chance.random() < 0.3 else forged(body)
    else:
        content = plain_like(chance, tomllib.loads(original.decode()))
        content = content if isinstance(content, dict) else {}
        content.pop("seal", None)
        try:
            told = tomli_w.dumps(content)
            data = forged(f"{told}\n# == seal ==\n[seal]\nparts = {{}}\n".encode())
        except (TypeError, ValueError, AttributeError):  # what TOML cannot say
            return None
    path.write_bytes(data)
    found = survives(lambda: iom.registration(path))
    if found is None:
        return None
    said = found.table()["probability"]
    assert said.sum() == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(said.reindex(list(found.law.outcomes)), found.law.winner, atol=1e-5)
    assert found.law.shares.keys() <= set(found.law.names)
    survives(lambda: (found.sentence(), found.stamp(), str(found), found.not_known, found.hindsight))
    ledger = folder / f"{number}.csv"
    scored = survives(lambda: iom.score(path, winner=found.law.names[0], rounds=1, ledger=ledger, at=EVE))
    if scored is not None:
        assert len(scorebook(ledger)) > 0
    return None


def ledger_case(number: int, folder: Path) -> None:
    chance = rng("ledgers", number)
    path, data = folder / f"{number}.csv", texts()[2]
    if chance.random() < 0.5:
        data = bytes_like(chance, data)
    else:
        rows = list(csv.reader(StringIO(data.decode(), newline="")))
        nasty = [str(value) for value in NASTY if "\ud800" not in str(value)]
        row = chance.choice(rows)
        row[chance.randrange(len(row))] = chance.choice(nasty + row)
        out = StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(rows)
        data = out.getvalue().encode()
    path.write_bytes(data)
    table = survives(lambda: scorebook(path))
    if table is not None:
        assert np.isfinite(table[["forecast's", "other's"]].to_numpy()).all()
    (folder / f"{number}.toml").write_bytes(texts()[0])
    again = survives(lambda: iom.score(folder / f"{number}.toml", winner="B", ledger=path, again=True, at=EVE))
    assert again is not None or path.read_bytes() == data


@lengths(SHORT // 2)
def test_registrations(numbers: range, tmp_path: Path) -> None:
    each(numbers, case, tmp_path)
