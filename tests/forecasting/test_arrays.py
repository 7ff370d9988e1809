"""Arrays in a file: what is read is what was written, and nothing is believed before it is seen."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import iomsim as iom
from iomsim.forecasting import arrays
from iomsim.forecasting.arrays import SMALL, Damaged, digest, opened, packed

ARRAYS: dict[str, np.ndarray] = {
    "winner": np.array([0, -1, 1], dtype=np.int8),
    "votes": np.arange(12, dtype=np.int16).reshape(6, 2),
    "flows": np.zeros((0, 2, 2), dtype=np.int16),
    "a.b.npy": np.array([0.5, np.nan, np.inf]),
    "long": np.arange(100_000),
    "at the edge": np.zeros((SMALL - 128) // 8),
    "one": np.array(5, dtype=np.uint8),
}


def read(path: Path) -> dict[str, np.ndarray]:
    with opened(path) as file:
        return {name: file.read(name) for name in file.parts}


def refused(path: Path) -> str:
    with pytest.raises(Damaged) as error:
        read(path)
    return str(error.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_is_read_is_what_was_written(save: Any, tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    save(path, **ARRAYS)
    found = read(path)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()
        assert not found[name].flags.writeable
    assert digest(found) == digest(ARRAYS)


def test_a_checksum_is_of_names_kinds_shapes_and_numbers() -> None:
    one = {"a": np.arange(6), "b": np.zeros(2)}
    others = [
        {"a": np.arange(6), "c": np.zeros(2)},
        {"a": np.arange(6), "b": np.zeros(2, dtype=np.int64)},
        {"a": np.arange(6).reshape(2, 3), "b": np.zeros(2)},
        {"a": np.arange(6), "b": np.array([0.0, -0.0])},
        {"a": np.arange(6)},
    ]
    assert digest(dict(reversed(one.items()))) == digest(one)
    assert digest({"a": np.arange(12)[::2] // 2, "b": np.zeros(2)}) == digest(one)
    assert len({digest(one), *map(digest, others)}) == 6


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}], dtype=object),
        np.array(["A"]),
        np.array([b"A"]),
        np.array([1], dtype=">i8"),
        np.array([1j]),
        np.array([True]),
        np.zeros(2, dtype="i4,i4"),
        np.asfortranarray(np.zeros((2, 3))),
        np.array(["2023-05-15"], dtype="M8[s]"),
        np.zeros((1, 1, 1, 1)),
    ],
    ids=lambda array: str(array.dtype),
)
def test_other_kinds_are_refused_unread(array: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", a=array)
    assert refused(tmp_path / "arrays.npz").startswith(("holds something else", "has an array that is longer"))


def zipped(path: Path, *parts: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as file:
        for name, content in parts:
            file.writestr(name, content)
    return path


def npy(shape: str, numbers: bytes, code: str = "<i8") -> bytes:
    text = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + numbers


@pytest.mark.parametrize(
    "shape",
    ["(1000000000000,)", "(999999999999999, 999999999999999, 999999999999999)", "(3,)", "(0,)", "(-1,)", "(1,) * 9",
     "(" * 90, "(2, 1", "(2 1)", "()()", "(1e9,)", "(True, 2)"],
)  # fmt: skip
def test_a_header_is_not_believed(shape: str, tmp_path: Path) -> None:
    path = zipped(tmp_path / "arrays.npz", ("a.npy", npy(shape, bytes(16))))
    assert refused(path).startswith(("holds something else", "has an array that is longer or shorter"))
    zipped(path, ("a.npy", npy("(2,)", bytes(16))))
    assert read(path)["a"].tolist() == [0, 0]  # guard


def test_a_header_costs_no_more_than_its_length(tmp_path: Path) -> None:
    """Guard: a pattern that goes back and forth would take longer than there is time."""
    path = zipped(tmp_path / "arrays.npz", ("a.npy", npy("(" + "1" * 3000 + "!", b"")))
    assert refused(path).startswith("holds something else")


@pytest.mark.parametrize(
    ("offset", "number", "said"),
    [(24, 2**31, "claims to hold more than it can"), (20, 2**31, "claims to be longer than it is")],
)
def test_a_directory_that_lies_about_sizes(offset: int, number: int, said: str, tmp_path: Path) -> None:
    path = zipped(tmp_path / "arrays.npz", ("a.npy", npy("(2,)", bytes(16))), how=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + offset
    data[at : at + 4] = number.to_bytes(4, "little")
    path.write_bytes(data)
    assert refused(path) == said


def test_parts_of_one_name_and_parts_that_share_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    with pytest.warns(UserWarning, match="Duplicate name"):
        zipped(path, ("a.npy", npy("(2,)", bytes(16))), ("a.npy", npy("(2,)", bytes(16))))
    assert refused(path) == "has two parts of one name"
    zipped(path, ("a.npy", npy("(2,)", bytes(16))), ("a", npy("(2,)", bytes(16))))
    assert refused(path) == "has two parts of one name"
    zipped(path, *((f"{i:03}.npy", npy("(500,)", os.urandom(4000))) for i in range(3)))
    data = path.read_bytes()
    for at in [i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"]:
        data = data[: at + 42] + bytes(4) + data[at + 46 :]  # all are where the first is
    path.write_bytes(data)
    with pytest.raises(Exception, match=r"differ|Overlapped"):
        read(path)


def test_very_many_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_PARTS", 2)
    path = zipped(tmp_path / "arrays.npz", *((f"{i}.npy", npy("(2,)", bytes(16))) for i in range(3)))
    assert refused(path) == "has more than 2 parts"


def test_what_stands_before_an_archive_makes_it_none(tmp_path: Path) -> None:
    path = zipped(tmp_path / "arrays.npz", ("a.npy", npy("(2,)", bytes(16))))
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert zipfile.is_zipfile(path)
    assert refused(path) == "does not begin as a file of arrays does"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_does_not_have_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(iom.FileError, match=r"cannot read '.*pipe': it is no file"):
        iom.open_forecast(tmp_path / "pipe")


def test_what_a_forecast_does_not_have_is_never_unpacked(tmp_path: Path) -> None:
    """Of a forecast of 20 runs, whose votes would fill 32 MB from a file of less than one."""
    path = tmp_path / "fc.npz"
    iom.forecast(iom.load("minimal"), 20, 1, assumptions="fixed", progress=False).save(path)
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts["outcomes.votes.npy"] = npy(f"({2**23}, 2)", bytes(2**25), "<i2")
    zipped(path, *parts.items())
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    with pytest.raises(iom.FileError, match=r"or more or fewer, than belong into 'outcomes\.votes'"):
        iom.open_forecast(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**24


def test_a_file_made_here_is_one_of_numpy(tmp_path: Path) -> None:
    with np.load(io.BytesIO(packed(ARRAYS)), allow_pickle=False) as file:
        assert {name.removesuffix(".npy") for name in file.files} == {name.removesuffix(".npy") for name in ARRAYS}
