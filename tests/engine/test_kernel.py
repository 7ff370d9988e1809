"""What the kernel does between rounds, apart from whole elections."""

from __future__ import annotations

import numpy as np
from scipy import stats
from toys import ALPHA

from iomsim.engine import kernel, rng
from iomsim.engine.rng import BLOCK

KEYS = rng.run_keys(2023, 0)


def test_a_lot_is_fair() -> None:
    tied = np.array([[1, 0, 1, 1]] * 3 * BLOCK, dtype=bool).T
    keys = np.concatenate([rng.run_keys(1, block) for block in range(3)])
    drawn = kernel.by_lot(tied, keys, 2)
    assert set(drawn) == {0, 2, 3}
    assert stats.chisquare(np.bincount(drawn)[[0, 2, 3]]).pvalue > ALPHA
    alone = np.zeros((4, 5), dtype=bool)
    alone[2] = True
    assert kernel.by_lot(alone, KEYS[:5], 1).tolist() == [2] * 5
