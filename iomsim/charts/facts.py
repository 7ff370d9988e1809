"""What is known already in a forecast made on election day: the announced rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iomsim.forecasting.estimates import in_100
from iomsim.forecasting.wording import over

if TYPE_CHECKING:
    from iomsim.forecasting.forecast import Forecast


DASH = "\N{EN DASH}"


def tally(fc: Forecast, round_: int) -> dict[str, int] | None:
    """Return the votes announced for a round, or None where they are not known in full.

    The announced rounds are the same in every run as far as they are known; what was announced in
    part ("at least 90") differs from run to run.
    """
    if round_ > fc.announced:
        return None
    rows = fc.summary.examples.votes[fc.summary.examples.starts + round_ - 1]
    classes = np.count_nonzero(fc.summary.shares[round_ - 1], axis=-1)
    if (rows != rows[0]).any() or (classes > 1).any():
        return None
    return {name: int(votes) for name, votes in zip(fc.race.names, rows[0], strict=True) if votes >= 0}


def said(fc: Forecast, round_: int) -> str:
    """Return the tally of an announced round in a few signs, such as 98-67 with a dash."""
    known = tally(fc, round_)
    return f"round {round_}" if known is None else DASH.join(map(str, known.values()))


def chance(fc: Forecast, p: float, half_width: float | None = None) -> str:
    """Return a probability per hundred; 0 and 100 only by rule: what is certain has no error at all."""
    return f"{100 * p:.0f}" if fc.certain or half_width == 0 else in_100(p, half_width or 0.0)


def headed(fc: Forecast, sentence: str) -> str:
    """Return a finding, after what was announced if something was; or how it ended, if it has."""
    if not fc.announced:
        return over(fc).removesuffix(".") or sentence
    return over(fc).removesuffix(".") or f"After {said(fc, fc.announced)}: {sentence}"


def announced_votes(fc: Forecast, rounds: int) -> dict[str, list[str]]:
    """Return for each candidate the votes announced in each of the first rounds, "" where unknown."""
    known = [tally(fc, r) or {} for r in range(1, rounds + 1)]
    return {name: [str(votes.get(name, "")) for votes in known] for name in fc.race.names if rounds}
