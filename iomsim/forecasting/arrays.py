"""Arrays of numbers in one zip file, as `numpy.savez_compressed` writes it, read without believing a word of it.

What is read is what iomsim writes: plain numbers, each array by a header of one form.  No pickle, no code and no other
type gets in, and nothing is allocated before the file has shown that it holds so much.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from iomsim.errors import IomsimError
from iomsim.house_style import thousands

START = b"PK\x03\x04"
"""How a zip file begins."""

HEADER = re.compile(
    rb"\{'descr': '([<|][iuf][1248])', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,15}, )*(?:\d{1,15},?)?)\), \} *\n"
)
"""What stands before the numbers of an array."""

NPY = b"\x93NUMPY\x01\x00"
"""How an array begins, before the length of its header."""

TIGHTEST = 1032
"""How many bytes one byte of a zip file can stand for."""

MOST_PARTS = 20_000
"""Arrays of a file: two for each parameter, and a few more."""

SMALL, AT_ONCE = 2**12, 2**20
"""Bytes of an array that is read with its header; bytes of others that are unpacked at once."""


class Damaged(IomsimError):
    """A file that is no such file; says why, in the words that follow "it"."""


class Packed(NamedTuple):
    """An array in a file: the code of its numbers, such as "<i8", its shape, and where its numbers start.

    `head` is what stands at its beginning; of a small one it is all.
    """

    code: str
    shape: tuple[int, ...]
    place: ZipInfo
    start: int
    head: bytes


class Archive:
    """The arrays of an open file, by name.

    Attributes
    ----------
    parts : dict of Packed
        What there is.
    """

    def __init__(self, file: ZipFile, size: int) -> None:
        self._file, places = file, file.infolist()
        if len(places) > MOST_PARTS:
            raise Damaged(f"has more than {thousands(MOST_PARTS)} parts")
        self.parts = {place.filename.removesuffix(".npy"): self._packed(place) for place in places}
        if len(self.parts) < len(places):
            raise Damaged("has two parts of one name")
        if sum(place.compress_size for place in places) > size:
            raise Damaged("claims to be longer than it is")

    def _packed(self, place: ZipInfo) -> Packed:
        if place.file_size > TIGHTEST * (place.compress_size + 1):
            raise Damaged("claims to hold more than it can")
        with self._file.open(place) as part:
            head = part.read(min(place.file_size, SMALL))
        start = 10 + int.from_bytes(head[8:10], "little")
        found = HEADER.fullmatch(head[10:start])
        if not head.startswith(NPY) or found is None:
            raise Damaged("holds something else than arrays of numbers")
        code, shape = found[1].decode(), tuple(int(length) for length in re.findall(rb"\d+", found[2]))
        if len(shape) > 3 or start + prod(shape) * int(code[-1]) != place.file_size:
            raise Damaged("has an array that is longer or shorter than it claims")
        return Packed(code, shape, place, start, head)

    def read(self, name: str) -> NDArray[Any]:
        """Return an array, which cannot be changed."""
        packed = self.parts[name]
        if packed.place.file_size <= SMALL:
            return np.frombuffer(packed.head, packed.code, offset=packed.start).reshape(packed.shape)
        array = np.empty(packed.shape, packed.code)
        left = array.reshape(-1).view(np.uint8).data
        with self._file.open(packed.place) as part:
            part.read(packed.start)
            while left:
                piece = part.read(min(len(left), AT_ONCE))
                if not piece:
                    raise Damaged("has an array that is shorter than it claims")
                left[: len(piece)] = piece
                left = left[len(piece) :]
        array.setflags(write=False)
        return array


@contextmanager
def opened(path: str | Path) -> Iterator[Archive]:
    """Open a file of arrays: see :class:`Archive`.

    Raises
    ------
    OSError
        If it cannot be opened.
    Exception
        What a damaged or foreign file does to its reader has no end of names; :class:`Damaged` says why.
    """
    if Path(path).exists() and not (Path(path).is_file() or Path(path).is_dir()):
        raise OSError(0, "it is no file")  # a pipe would have us wait
    with open(path, "rb") as raw:
        if raw.read(len(START)) != START:
            raise Damaged("does not begin as a file of arrays does")
        with ZipFile(raw) as file:
            yield Archive(file, raw.seek(0, 2))


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the file that arrays make; :func:`opened` reads it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "arrays.npz"
    ...     _ = path.write_bytes(packed({"votes": np.arange(3)}))
    ...     with opened(path) as file:
    ...         {name: file.read(name) for name in file.parts}
    {'votes': array([0, 1, 2])}
    """
    file = BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def digest(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a checksum of named arrays: of what they are called, of what kind they are, and of every number."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}".encode())
        total.update(array.reshape(-1).view(np.uint8).data)
    return total.digest()
