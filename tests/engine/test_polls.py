"""What a polled chance means on the scale of the leans: met by simulation, for two candidates and for more."""

from __future__ import annotations

import numpy as np
import pytest

from iomsim.engine import polls
from iomsim.typing import Floats

CHANCES = [
    [0.8, 0.2],
    [0.999, 0.001],
    [0.5, 0.5],
    [0.6, 0.3, 0.1],
    [0.998, 0.001, 0.001],
    [0.3, 0.3, 0.2, 0.1, 0.05, 0.05],
]
SPREADS = [0.0, 0.37, 1.33, 2.4, 9.0, 700.0]


def softmax(v: Floats) -> Floats:
    e = np.exp(v - v.max(axis=0))
    return np.asarray(e / e.sum(axis=0))


def simulated(where: Floats, sd: float, seed: int) -> tuple[Floats, Floats]:
    """Return mean chances of one member over many runs, and their standard errors."""
    z = np.random.default_rng(seed).standard_normal((where.size, 100_000))
    p = softmax(where[:, None] + sd * z)
    return p.mean(axis=1), p.std(axis=1) / np.sqrt(z.shape[1])


@pytest.mark.parametrize("sd", SPREADS)
@pytest.mark.parametrize("chances", CHANCES, ids=str)
def test_the_mean_chance_is_the_one_polled(chances: list[float], sd: float) -> None:
    asked = np.array(chances)
    where = polls.positions(asked[:, None], sd)[:, 0, 0]
    mean, error = simulated(where, sd, 7)
    assert np.abs(mean - asked).max() < 0.0005 + 4.5 * error.max()


@pytest.mark.parametrize("chances", CHANCES[::2], ids=str)
def test_positions_without_the_correction_are_rejected(chances: list[float]) -> None:
    asked = np.array(chances)
    if np.ptp(asked) == 0:
        return  # the middle is the middle
    mean, error = simulated(np.log(asked), 1.33, 7)
    assert np.abs(mean - asked).max() > 0.005 + 4.5 * error.max()


def test_without_noise_it_is_the_logarithm() -> None:
    asked = np.array([[0.6, 0.25], [0.3, 0.25], [0.1, 0.5]])
    assert polls.positions(asked, 0.0)[..., 0] == pytest.approx(np.log(asked) - np.log(asked).mean(axis=0), abs=0.002)


def test_columns_are_worked_out_one_by_one() -> None:
    asked, sd = np.array([[0.7, 0.5, 0.7], [0.3, 0.5, 0.3]]), np.array([0.2, 1.5, 3.1])
    together = polls.positions(asked, sd)
    assert together.shape == (2, 3, 3)
    for column, one in enumerate(sd):
        assert (polls.positions(asked, float(one))[..., 0] == together[..., column]).all()
    assert (together[:, 0] == together[:, 2]).all()  # members that say the same are alike


def test_more_noise_takes_a_wider_position() -> None:
    where = polls.positions(np.array([[0.8], [0.2]]), np.linspace(0, 5, 30))
    assert (np.diff(where[0, 0] - where[1, 0]) > 0).all()


def test_certainty_is_clipped() -> None:
    assert polls.clipped(np.array([1.0, 0.0])).tolist() == [0.999, 0.001]
    three = polls.clipped(np.array([1.0, 0.0, 0.0]))
    assert three.sum() == pytest.approx(1.0)
    assert three.min() > 0.0009
    assert polls.clipped(np.array([0.3, 0.7])).tolist() == [0.3, 0.7]
