"""Saved forecasts that somebody has altered: the tables of what is in the file, if it is a forecast, or a sentence."""

from __future__ import annotations

import functools
import io
import json
import random
import tempfile
import tomllib
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.harness import NASTY, bytes_like, each, lengths, plain_like, rng, survives
from toys import night_of, toy, unsure

import iomsim as iom
from iomsim.forecasting.arrays import digest
from iomsim.forecasting.summary import codes_of, counted, summarise
from iomsim.forecasting.tables import TABLES, own_rules

SHORT_RULES = {"name": "four-rounds", "max_rounds": 6}

NUMBERS = (0, 1, -1, 2, 3, 7, 9, 10, 39, 40, 41, 127, 128, 255, 10**4, 2**31 - 1, 2**31, 2**53, 2**63 - 1, -(2**63))


def make(race: iom.Scenario, runs: int, **options: Any) -> iom.Forecast:
    return iom.forecast(race, runs, 1, progress=False, **options)


@functools.cache
def forecasts() -> list[iom.Forecast]:
    """Return forecasts of all kinds: with runs and without, drawn and fixed, before the vote, on the day, after it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", iom.UnexpectedTallyWarning)
        day = night_of(toy(9, rules="one-two-way"), particles=40, seed=1, assumptions=8)
        day.tell("5-4 at 11:00")
        on_the_day = day.forecast()
        day.tell("B withdraws")
    return [
        make(unsure(9), 60, assumptions=8),
        make(unsure(9, "ABC"), 60, assumptions=8, keep="summary"),
        make(toy(9, "ABC", rules=SHORT_RULES), 40, assumptions="fixed"),
        make(toy(9, rules=SHORT_RULES), 20, keep="summary", assumptions="fixed"),
        on_the_day,
        day.forecast(),
    ]


@functools.cache
def files() -> list[bytes]:
    """Return the files in which they are saved."""
    return [saved(fc) for fc in forecasts()]


def saved(fc: iom.Forecast) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        fc.save(Path(folder) / "fc.npz")
        return (Path(folder) / "fc.npz").read_bytes()


@functools.lru_cache(16)
def read(data: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data)) as file:
        return {name: file[name] for name in file.files}


def written(arrays: Mapping[str, Any]) -> bytes:
    """Return a file of arrays of any kind, with the checksum that belongs to them."""
    rest = {name: np.asarray(array) for name, array in arrays.items() if name != "digest"}
    try:
        rest["digest"] = np.frombuffer(digest(rest), dtype=np.uint8)
    except (TypeError, ValueError):  # arrays that have none
        rest["digest"] = np.zeros(32, dtype=np.uint8)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.savez(file, allow_pickle=True, **rest)
    return file.getvalue()


def words_of(arrays: Mapping[str, np.ndarray]) -> Any:
    return json.loads(arrays["meta"].tobytes())


def worded(arrays: Mapping[str, np.ndarray], words: Any) -> bytes:
    return written({**arrays, "meta": np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)})


# -- what is done to a file -----------------------------------------------------------------------


def altered(chance: random.Random, data: bytes) -> bytes:
    """Return the file of a forecast that nobody saved."""
    arrays = dict(read(data))
    match chance.randrange(12):
        case 0:
            return bytes_like(chance, data)
        case 1 | 2:
            return worded(arrays, plain_like(chance, words_of(arrays)))
        case 3:
            words = words_of(arrays)
            key = chance.choice([*words, "rule_sets", "events", "out"])
            words[key] = chance.choice(NASTY) if chance.random() < 0.5 else plain_like(chance, words[key])
            return worded(arrays, words)
        case 4:
            words = words_of(arrays)
            text = (
                bytes_like(chance, words["scenario"].encode()) if chance.random() < 0.5 else renumbered(chance, words)
            )
            return worded(arrays, words | {"scenario": text.decode(errors="replace")})
        case 5:
            return rezipped(chance, data)
        case 6:
            names = list(arrays)
            one, two = chance.choice(names), chance.choice(names)
            arrays[one], arrays[two] = arrays[two], arrays[one]
        case 7:
            name = chance.choice(list(arrays))
            arrays[chance.choice((f"{name}x", "outcomes.x", "played.x", "ends", "../../x", ""))] = arrays[name]
            if chance.random() < 0.7:
                del arrays[name]
        case _:
            for name in chance.choices(
                [name for name in arrays if name not in ("meta", "digest")], k=chance.randint(1, 2)
            ):
                arrays[name] = array_like(chance, arrays[name])
    return written(arrays)


def renumbered(chance: random.Random, words: Any) -> bytes:
    """Return the text of a scenario with other digits in it."""
    text = words["scenario"]
    return "".join(str(chance.randrange(10)) if x.isdigit() and chance.random() < 0.02 else x for x in text).encode()


def array_like(chance: random.Random, array: np.ndarray) -> np.ndarray:
    """Return an array of other numbers, another kind of them, or another shape."""
    array = array.copy() if array.ndim else array.reshape(1)
    match chance.randrange(9):
        case 0:
            code = chance.choice(
                ("f8", "f4", ">i8", ">f8", "i2", "u1", "S8", "U3", "O", "?", "c16", "M8[s]", "i4,i4", "V8")
            )
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    return array.astype(code)
                except (TypeError, ValueError):
                    return np.zeros(array.shape, code)
        case 1:
            start = chance.randrange(len(array) + 1)
            return np.delete(array, slice(start, start + chance.choice((1, 2, 10**6))), axis=0)
        case 2:
            return np.concatenate([array, array[: chance.choice((1, 2, 10**6))]])
        case 3:
            return chance.choice(
                (array[None], array.reshape(-1), np.asfortranarray(array), array[:0], array.sum(), array.T)
            )
        case 4:
            return array[np.random.default_rng(chance.randrange(10**6)).permutation(len(array))]
        case 5 if array.dtype.kind == "f" and array.size:
            array.flat[chance.randrange(array.size)] = chance.choice(
                (np.nan, np.inf, -np.inf, 1e308, -1.0, 0.5, 5e-324)
            )
        case _ if array.size:
            at, number = chance.randrange(array.size), chance.choice(NUMBERS)
            number = number if chance.random() < 0.5 else int(array.flat[at]) + chance.choice((-1, 1, 2))
            array.flat[at] = np.array(number).astype(array.dtype) if abs(number) < 2**63 else 0
    return array


def rezipped(chance: random.Random, data: bytes) -> bytes:
    """Return a zip file that is made another way: parts twice, packed otherwise, with lies about their size."""
    out = io.BytesIO()
    how = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", how) as file:
        warnings.simplefilter("ignore")  # two parts of one name
        names = source.namelist()
        chance.shuffle(names)
        chosen, trick = chance.choice(names), chance.randrange(6)
        for name in names:
            content = source.read(name)
            if name == chosen and trick == 0:
                file.writestr(name, content)
            if name == chosen and trick == 1:
                content = content.replace(b"(", b"(1000000000000, ", 1).replace(b", }" + b" " * 15, b", }", 1)
            if name == chosen and trick == 2:
                content += bytes(chance.choice((1, 1000, 10**7)))
            if name == chosen and trick == 3:
                content = content.replace(b"'<i8'", chance.choice((b"'|O' ", b"'<M8'", b"__x__", b"'>i8'")), 1)
            file.writestr(name, content)
    bent = bytearray(out.getvalue())
    if trick == 4:  # the directory at the end lies about a size
        at = bent.rindex(b"PK\x01\x02") + chance.choice((20, 24))
        bent[at : at + 4] = chance.choice((0, 1, 10**6, 2**32 - 1)).to_bytes(4, "little")
    return bytes(chance.choice((b"", b"#!/bin/sh\n"))) + bytes(bent) if trick == 5 else bytes(bent)


def otherwise(chance: random.Random, fc: iom.Forecast) -> bytes | None:
    """Return the file of a forecast whose runs ended otherwise, counted anew, or that was told otherwise.

    None if it cannot be saved.
    """
    facts = {
        "announced": chance.choice((fc.announced, 0, 1, 2, 50)),
        "out": chance.choice((fc.out, (), ("A",), ("B",), ("C",), ("A", "B"))),
        "certain": chance.choice((fc.certain, True, False)),
        "reached": chance.choice((fc.reached, None, 0.0, 660.0, 2e5, float("nan"))),
    }
    facts = {key: value for key, value in facts.items() if chance.random() < 0.2}
    with np.errstate(all="ignore"):
        return survives(lambda: saved(replace(recounted(chance, fc), **facts, compare_rules=own_rules)))


def recounted(chance: random.Random, fc: iom.Forecast) -> iom.Forecast:
    """Return a forecast some of whose runs, or counts, are others."""
    out, ends = fc.outcomes, fc.summary.ends.copy()
    changed = {key: ends[key].to_numpy(copy=True) for key in ends}
    if out is not None:
        changed = {key: getattr(out, key).copy() for key in ("winner", "ending", "minute", "present", "draw")}
    for _ in range(chance.randint(1, 3)):
        array = changed[chance.choice(list(changed))]
        array[chance.randrange(array.size)] = chance.choice(
            (array[chance.randrange(array.size)], chance.randrange(-1, 9) % 128)
        )
    if out is not None:
        other = replace(out, **changed)
        return replace(fc, outcomes=other, summary=summarise(other, len(fc.summary.voting), fc.summary.draws))
    count = changed["count"]
    ends = counted(codes_of(changed), count)
    return replace(fc, summary=replace(fc.summary, ends=ends, runs=int(ends["count"].sum())))


# -- what comes of it -----------------------------------------------------------------------------


def agrees(fc: iom.Forecast, data: bytes) -> None:
    """Fail unless a forecast says what stands in its file, read without our reader."""
    arrays = read(data)
    words = words_of(arrays)
    names = [candidate["name"] for candidate in tomllib.loads(words["scenario"])["candidates"]]
    count = arrays["ends.count"]
    shares = [count[arrays["ends.winner"] == k].sum() / words["runs"] for k in (*range(len(names)), -1)]
    table = fc.win_probability()
    assert list(table.index) == [*names, "no winner"]
    assert table["probability"].tolist() == pytest.approx(shares, abs=1e-12)
    assert (fc.seed, len(fc), fc.version, fc.stopped) == tuple(
        words[key] for key in ("seed", "runs", "version", "stopped")
    )
    assert fc.rule_sets().index.tolist() == words["rule_sets"]["index"]
    assert np.array_equal(fc.rule_sets().to_numpy(float), np.array(words["rule_sets"]["data"], float), equal_nan=True)
    if fc.outcomes is not None:
        assert np.array_equal(fc.runs["winner"].value_counts(sort=False, normalize=True), shares)
        assert np.array_equal(fc.outcomes.votes, arrays["outcomes.votes"])
    if fc.draws is not None:
        assert {f"assumptions.{path}" for path in fc.draws.values} == {
            x for x in arrays if x.startswith("assumptions.")
        }


def told(fc: iom.Forecast, deep: bool) -> None:
    """Have a forecast say all that it can."""
    assert fc.answer(detail=True)
    assert fc.headline()
    assert fc.stamp() in repr(fc)
    for table in TABLES.values():
        table.numbers(fc)
        if table.in_words:
            table.in_words(fc)
    fc.probability(winner=fc.race.names[0], round=1)
    assert (fc.runs is not None, fc.tallies is not None) if fc.outcomes is not None else True
    if fc.draws is not None:
        survives(fc.drivers)
    if deep:
        for name in ("rounds", "trajectories", "flows", "decision_time", "win_probability"):
            getattr(fc.plot, f"{name}_data")()
        with tempfile.TemporaryDirectory() as folder:
            fc.to_csv(folder)
            iom.report(fc, Path(folder) / "report.html")


def case(number: int) -> None:
    """Alter a saved forecast, and open it."""
    chance = rng("saved forecasts", number)
    which = chance.randrange(len(files()))
    data = otherwise(chance, forecasts()[which]) if chance.random() < 0.3 else altered(chance, files()[which])
    if data is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fc.npz"
        path.write_bytes(data)
        opened = survives(lambda: iom.open_forecast(path))
        assert [file.name for file in Path(folder).iterdir()] == ["fc.npz"]
    if opened is not None:
        agrees(opened, data)
        survives(lambda: told(opened, deep=number % 25 == 24))


@lengths()
def test_whatever_is_done_to_a_file_it_is_a_forecast_or_a_sentence(numbers: range) -> None:
    each(numbers, case)
