"""Ballots have their exact chances, whatever the bits they are decided by."""

from __future__ import annotations

import numpy as np
import pytest

from iomsim.engine import choice, choice_binary, packing, rng
from iomsim.engine.packing import MEMBERS_PER_BYTE, BallotBits


def told(
    odds: float, omega: float, bits: np.ndarray, digits: float, second: int, pull: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """Return whom members intend after a round in which their ballots' numbers are ``bits + digits``."""
    size = bits.size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rng, "shared_fraction", lambda keys, round_: np.full(keys.size, digits))
        patch.setattr(packing, "pairs", lambda keys, round_: np.repeat(keys, 2))
        patch.setattr(
            BallotBits, "of", lambda self, pairs: np.repeat(bits[pairs[::2].astype(int)], MEMBERS_PER_BYTE)[None]
        )
        shape = (MEMBERS_PER_BYTE, size)
        two = choice_binary.BinaryChoice.empty(shape, size)
        two.fill(slice(0, size), np.full(shape, odds, dtype=np.float32), np.full(shape, second, dtype=np.uint8))
        pulls = np.repeat(np.array(pull)[:, None], size, axis=1)
        stand = np.ones((2, size), dtype=bool)
        moved = choice.Reconsideration(np.full(size, omega), pulls, np.zeros((2, size)), ~stand, stand)
        two.reconsider(np.arange(size, dtype=np.uint64), 2, moved)
    intentions = two.intentions()
    assert (intentions == intentions[0]).all()
    return intentions[0]


ALL = np.arange(2**16, dtype=np.uint16)


@pytest.mark.parametrize(
    ("omega", "first"),
    [(1, 1 / 3), (0.999995, 0.99999), (0.3, 0.5), (0.3, 1e-7), (1.5 / 65536, 0.5), (0.4 / 65536, 0.99999), (0, 0.5)],
)
def test_over_all_numbers_a_ballot_has_its_exact_chance(omega: float, first: float) -> None:
    """Every number once, with further digits an eighth apart: shares are within half of such a cell."""
    odds, digits = np.float32(1 / first - 1), (np.arange(8) + 0.5) / 8
    exact = omega / (1 + float(odds))
    to_first = np.mean([1 - told(odds, omega, ALL, d, 1).mean() for d in digits])
    to_second = np.mean([told(odds, omega, ALL, d, 0).mean() for d in digits])
    cell = 0.51 / 8 / 65536 + 2e-7
    assert abs(to_first - exact) < cell
    assert abs(to_second - (omega - exact)) < 2 * cell


@pytest.mark.parametrize("omega", [1.0, 0.3, 0.7 / 65536])
@pytest.mark.parametrize(("odds", "goes"), [(0.0, 0), (np.inf, 1)])
def test_what_is_certain_stays_certain(odds: float, goes: int, omega: float) -> None:
    for digits in (0.0, 0.5, 1 - 2**-20):
        assert (told(odds, omega, ALL, digits, goes) == goes).all()


@pytest.mark.parametrize("steep", [0.0, 3.0, 20.0, 60.0])
def test_what_a_round_pulls_and_what_a_member_resists_cancel(steep: float) -> None:
    """Log-odds of 2 against the first, with the round pulling as strongly as the member resists."""
    odds, exact = np.exp(2.0 + steep), 1 / (1 + np.exp(2.0))
    found = [1 - told(odds, 1.0, ALL, d, 1, pull=(steep, 0.0)).mean() for d in (0.25, 0.75)]
    assert np.mean(found) == pytest.approx(exact, abs=2e-5)


def test_no_bound_for_certainty_is_rounded_below_it() -> None:
    """The bound of a member with odds 0 is never below what thinking again reaches, whatever the round's part."""
    pick = np.random.default_rng(1)
    reach = (pick.random(100_000) * rng.STEPS).astype(np.float32)
    near = np.exp(pick.normal(0, 5, reach.size)).astype(np.float32)
    far = choice_binary.rounded_up(reach, near)
    assert (far / near >= reach).all()
    assert not (reach * near / near >= reach).all()
    assert (np.abs(far.astype(float) / (reach.astype(float) * near) - 1) < 2.0**-23).all()


@pytest.mark.parametrize("steps", [65_533.5, 65_534.5, 65_535.0, 65_535.5, 65_536.0])
def test_whole_numbers_that_sixteen_bits_do_not_hold_are_known(steps: float) -> None:
    """Also those to which single precision rounds a bound up: 65535 and all but one are 65536."""
    thresholds = choice.Thresholds.of(np.array([steps / 2**16]), np.zeros(1))
    assert thresholds.wide or thresholds.below.max() < 2**16
    assert not (thresholds.wide and steps < 65_534)


def test_where_sixteen_bits_tie_the_further_digits_decide() -> None:
    odds = np.float32(2**16 / 1000.25 - 1)
    bits = np.array([999, 1000, 1001], dtype=np.uint16)
    assert told(odds, 1.0, bits, 0.2, 0).tolist() == [0, 0, 1]
    assert told(odds, 1.0, bits, 0.3, 0).tolist() == [0, 1, 1]
