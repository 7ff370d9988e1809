"""Short names for the types of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

PerRun = float | Floats
"""A number for all runs, or an array with one entry a run."""

U64 = NDArray[np.uint64]
Longs = NDArray[np.int64]
Shorts = NDArray[np.int16]
Codes = NDArray[np.uint8]

Ints = NDArray[Any]
"""Whole numbers, of whatever width."""

Flags = NDArray[np.bool_]

Places = NDArray[np.intp]
"""Where something lies: indices of rows or columns."""
