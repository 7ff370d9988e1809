"""Simulated contests in the form of past ones."""

from __future__ import annotations

from datetime import date

import numpy as np

from iomsim.engine.outcomes import Outcomes
from iomsim.engine.simulate import simulate
from iomsim.errors import whole_number
from iomsim.model.components import Behaviour
from iomsim.rules.procedure import ENDINGS
from iomsim.validation.contest import Contest
from iomsim.validation.rounds import RoundTally, rules_of


def synthetic_contests(
    number: int,
    behaviour: Behaviour | None = None,
    *,
    seed: int,
    size: int = 175,
    candidates: int = 2,
    level_sd: float = 0.4,
) -> tuple[Contest, ...]:
    """Return simulated contests in the form of past ones, to test the testing.

    Parameters
    ----------
    number : int
        How many.
    behaviour : Behaviour, optional
        How members vote and change their minds; default the model's.
    seed : int
        Addresses their random numbers.
    size : int, default 175
        Members.
    candidates : int, default 2
        Who stand: A, B, ...
    level_sd : float, default 0.4
        Spread of the level, in log-odds of the first round's share.

    Examples
    --------
    >>> [one.id for one in synthetic_contests(2, seed=1)]
    ['synthetic-1', 'synthetic-2']
    """
    whole_number("number", number, 1)
    names = tuple("ABCDEFGH"[: whole_number("candidates", candidates, 2)])
    rules = rules_of("until-two-thirds", "2/3", "valid", eliminate_after=3)
    blank = Contest("synthetic", "simulated", None, size, rules, candidates, (), 1, 1, "", "open", None)
    race = blank.race(names, behaviour, common_sd=level_sd)
    out = simulate(race.plan, {}, number, seed)
    return tuple(_as_contest(blank, out, run, names) for run in range(number))


def _as_contest(blank: Contest, out: Outcomes, run: int, names: tuple[str, ...]) -> Contest:
    """Return one run as a contest; a withdrawal is followed by a formality, as in the real records."""
    first, held = int(out.starts[run]), int(out.rounds[run])
    ending = ENDINGS[out.ending[run]]
    rounds = tuple(_announced(r + 1, out.votes[first + r], int(out.valid[first + r]), names) for r in range(held))
    return Contest(
        id=f"synthetic-{run + 1}",
        body=blank.body,
        year=None,
        size=blank.size,
        rules=blank.rules,
        started=len(names),
        rounds=rounds,
        rounds_total=held + (ending == "acclamation"),
        decided_round=held,
        decided_how=ending,
        ending=ending,
        winner=names[out.winner[run]] if out.winner[run] >= 0 else None,
        synthetic=True,
    )


def _announced(round_: int, votes: np.ndarray, valid: int, names: tuple[str, ...]) -> RoundTally:
    there = votes >= 0
    who = tuple(name for name, stands in zip(names, there, strict=True) if stands)
    return RoundTally(round_, who, tuple(int(v) for v in votes[there]), valid, None, date(2000, 1, 1))
