"""Simulated contests in the form of past ones: what was announced, and what a record then tells of the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from iomsim.engine.outcomes import Outcomes
from iomsim.engine.paths import behaviour as path_of
from iomsim.engine.simulate import simulate
from iomsim.errors import IomsimError, whole_number
from iomsim.model.assumptions import draw_assumptions
from iomsim.model.bodies import body, readings
from iomsim.model.components import WEEKDAYS, Behaviour
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import ENDINGS, Procedure
from iomsim.validation.contest import Contest
from iomsim.validation.rounds import RoundTally, rules_of

NAMES = tuple("ABCDEFGHIJKLMNOP")
"""Who may stand."""

FIRST_DAY = date(2001, 1, 1)
"""A Monday, on which simulated contests begin."""

QUICK = {"round_minutes": 1.0, "round_log_sd": 0.0, "formalities": 1.0, "formalities_log_sd": 0.0, "consultation": 0.0}
"""A clock by which a day has room for all rounds, so that only `rounds_a_day` puts a night between them."""


def synthetic_contests(
    number: int,
    behaviour: Behaviour | None = None,
    *,
    seed: int,
    size: int | None = None,
    candidates: int = 2,
    level_sd: float = 0.4,
    rules: Procedure | str | None = None,
    uncertain: bool = False,
    rounds_a_day: int | None = None,
) -> tuple[Contest, ...]:
    """Return simulated contests in the form of past ones, to test the testing.

    They are told as real records tell them: who stands, votes and valid papers of every round, a vote of yes or no
    as one on a candidate and on No, and after a withdrawal the vote on who is left as a formality.

    Parameters
    ----------
    number : int
        How many.
    behaviour : Behaviour, optional
        How members vote and change their minds; default the model's.
    seed : int
        Addresses their random numbers.
    size : int, optional
        Members; default those of the body if `rules` names one, else 175.
    candidates : int, default 2
        Who stand: A, B, ...
    level_sd : float, default 0.4
        Spread of the level, in log-odds of the first round's share.
    rules : Procedure or str, optional
        The rules, or the id of a shipped body whose rules are meant; default two thirds of the valid papers, three
        ballots of all, then the last leaves until two stand, of whom one may withdraw.
    uncertain : bool, default False
        Whether every contest draws values of its own from the ranges of the behaviour.
    rounds_a_day : int, optional
        Rounds after which a night comes, on weekdays; default all on one day.

    Raises
    ------
    IomsimError
        If a number is not whole or too small, no body has this id, or the rules have no phase for so many.

    Examples
    --------
    >>> [one.id for one in synthetic_contests(2, seed=1)]
    ['synthetic-1', 'synthetic-2']
    >>> [one] = synthetic_contests(1, seed=1, candidates=3, rules="au")
    >>> one.size, [known.kind for known in one.rounds]
    (49, ['round', 'round', 'round', 'round', 'round', 'round', 'yes-no'])
    """
    whole_number("number", number, 1)
    if whole_number("candidates", candidates, 2) > len(NAMES):
        raise IomsimError(f"candidates must be at most {len(NAMES)}, got {candidates}")
    names = NAMES[:candidates]
    blank = _blank(rules, size, candidates)
    race = _race(blank, names, behaviour, level_sd, rounds_a_day)
    drawn = draw_assumptions(race, seed, number).parameters if uncertain else {}
    values = {path: array for path, array in drawn.items() if path in _OF_BEHAVIOUR}
    out = simulate(race.plan, values, number, seed)
    days = _days(blank.rules.max_rounds, rounds_a_day)
    return tuple(_as_contest(blank, out, run, names, days) for run in range(number))


_OF_BEHAVIOUR = {path_of(field) for field in Behaviour.model_fields}


def _blank(rules: Procedure | str | None, size: int | None, candidates: int) -> Contest:
    """Return a contest before its first round."""
    name, members = "simulated", 175
    if isinstance(rules, str):
        name, members = body(rules).name, body(rules).electorate.size
        rules = next(iter(readings(rules).values()))
    rules = rules or rules_of("until-two-thirds", threshold="2/3", eliminate_after=3)
    return Contest("synthetic", name, None, size or members, rules, candidates, (), 1, 1, "", "open", None)


def _race(
    blank: Contest, names: tuple[str, ...], behaviour: Behaviour | None, level_sd: float, rounds_a_day: int | None
) -> Scenario:
    race = blank.race(names, behaviour, common_sd=level_sd)
    return race.with_clock(opens=f"{FIRST_DAY}T10:00", days=WEEKDAYS, rounds_a_day=rounds_a_day, **QUICK)


def _days(rounds: int, rounds_a_day: int | None) -> list[date]:
    """Return the weekday on which each round is held."""
    days = (day for n in range(7 * rounds) if (day := FIRST_DAY + timedelta(n)).weekday() < 5)
    held = [day for day, _ in zip(days, range(rounds), strict=False)]
    return [held[r // rounds_a_day if rounds_a_day else 0] for r in range(rounds)]


def _as_contest(blank: Contest, out: Outcomes, run: int, names: tuple[str, ...], days: list[date]) -> Contest:
    """Return one run as a contest."""
    first, held = int(out.starts[run]), int(out.rounds[run])
    ending, rows = ENDINGS[out.ending[run]], slice(first, first + held)
    rounds = tuple(_announced(blank.rules, names, out.votes[rows], out.valid[rows], days))
    withdrew = ending == "acclamation" or rounds[-1].kind == "single"
    return Contest(
        id=f"synthetic-{run + 1}",
        body=blank.body,
        year=FIRST_DAY.year,
        size=blank.size,
        rules=blank.rules,
        started=len(names),
        rounds=rounds,
        rounds_total=held + (ending == "acclamation"),
        decided_round=held,
        decided_how="withdrawal" if withdrew else ending,
        ending=ending,
        winner=names[out.winner[run]] if out.winner[run] >= 0 else None,
        synthetic=True,
    )


def _announced(
    rules: Procedure, names: tuple[str, ...], votes: np.ndarray, valid: np.ndarray, days: list[date]
) -> Iterator[RoundTally]:
    """Yield the rounds of a run: whoever stands alone without the rules having said so does because of a withdrawal."""
    stage: Any = rules.first_stage(len(names))
    for r, row in enumerate(votes):
        stand = [k for k in range(len(names)) if row[k] >= 0]
        who, tally = tuple(names[k] for k in stand), tuple(int(row[k]) for k in stand)
        by_rule = stage is not None and rules.phases[stage.phase].vote == "yes-no"
        kind = "round" if len(stand) > 1 else "yes-no" if by_rule else "single"
        if kind == "yes-no":
            who, tally = (*who, "No"), (*tally, int(valid[r]) - sum(tally))
        yield RoundTally(r + 1, who, tally, int(valid[r]), None, days[r], kind)
        stage = rules.next_stage(stage, len(names)).stage if stage is not None else None
