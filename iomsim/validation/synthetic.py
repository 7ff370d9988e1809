"""Simulated contests in the form of past ones: what was announced, and what a record then tells of the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.engine.paths import behaviour as path_of
from iomsim.engine.simulate import simulate
from iomsim.errors import IomsimError, whole_number
from iomsim.files import write_csv
from iomsim.house_style import series
from iomsim.model.assumptions import draw_assumptions
from iomsim.model.bodies import bodies, body, readings
from iomsim.model.components import Behaviour
from iomsim.rules.procedure import ENDINGS, Procedure
from iomsim.validation.contest import DATED, Contest
from iomsim.validation.rounds import RoundTally, rules_of

NAMES = tuple("ABCDEFGHIJKLMNOP")
"""Who may stand."""

FIRST_DAY = date(2001, 1, 1)
"""The day on which simulated contests begin."""

QUICK: dict[str, Any] = {
    **DATED,
    "opens": datetime.combine(FIRST_DAY, time(10)),
    "formalities_log_sd": 0.0,
    "round_minutes": 1.0,
    "round_log_sd": 0.0,
    "consultation": 0.0,
}
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
        How members vote and change their minds, and hand in stray papers; default the model's.
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
        Rounds after which a night comes; default all on one day.

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
    race = blank.race(names, behaviour, common_sd=level_sd).with_clock(rounds_a_day=rounds_a_day, **QUICK)
    drawn = draw_assumptions(race, seed, number).parameters if uncertain else {}
    values = {path: array for path, array in drawn.items() if path in _OF_BEHAVIOUR}
    out = simulate(race.plan, values, number, seed)
    return tuple(_as_contest(blank, out, run, names, rounds_a_day) for run in range(number))


_OF_BEHAVIOUR = {path_of(field) for field in Behaviour.model_fields}


def _blank(rules: Procedure | str | None, size: int | None, candidates: int) -> Contest:
    """Return a contest before its first round."""
    held_by, members = "simulated", 175
    if isinstance(rules, str):
        held_by, members = rules, body(rules).electorate.size
        rules = rules_of("synthetic", rules)
    rules = rules or rules_of("until-two-thirds", threshold="2/3", eliminate_after=3)
    return Contest("synthetic", held_by, None, size or members, rules, candidates, (), 1, 1, "", "open", None)


def _as_contest(blank: Contest, out: Outcomes, run: int, names: tuple[str, ...], a_day: int | None) -> Contest:
    """Return one run as a contest."""
    first, held = int(out.starts[run]), int(out.rounds[run])
    ending, rows = ENDINGS[out.ending[run]], slice(first, first + held)
    rounds = tuple(_announced(blank.rules, names, out.votes[rows], out.valid[rows], a_day))
    withdrew = ending == "acclamation" or (ending == "confirmed" and rounds[-1].kind == "single")
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
    rules: Procedure, names: tuple[str, ...], votes: np.ndarray, valid: np.ndarray, a_day: int | None
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
        day = FIRST_DAY + timedelta(r // a_day if a_day else 0)
        yield RoundTally(r + 1, who, tally, int(valid[r]), None, day, kind)
        stage = rules.next_stage(stage, len(names)).stage if stage is not None else None


# -- as files ----------------------------------------------------------------------------------------


def to_files(contests: Iterable[Contest], folder: str | Path) -> Path:
    """Write contests as the two files of a folder of one's own; :func:`iomsim.contests` reads them back.

    Rules that are those of the contest's body are left to it; others are written as phases.  What is simulated is
    past where it is read.

    Parameters
    ----------
    contests : iterable of Contest
        Simulated or past ones.
    folder : str or Path
        Where to; made if it is not there.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    IomsimError
        If the rules are such that no column says them: several bars of successive ballots.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from iomsim.validation.data import contests
    >>> told = synthetic_contests(2, seed=1, rules="who", candidates=3)
    >>> [one.rounds for one in contests(to_files(told, mkdtemp()))] == [one.rounds for one in told]
    True
    """
    told, place = tuple(contests), Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    _write(place / "elections.csv", [_election_cells(one) for one in told])
    _write(place / "tallies.csv", [cells for one in told for known in one.rounds for cells in _tally_cells(one, known)])
    return place


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    write_csv(path, pd.DataFrame(rows), index=False)


def _election_cells(one: Contest) -> dict[str, Any]:
    return {
        "election_id": one.id,
        "body": one.body,
        "year": one.year,
        "candidates_first_round": one.started,
        "rounds_total": one.rounds_total,
        "decided_how": one.decided_how,
        "winner": one.winner or "none",
        "electorate_size": one.size,
        **_rules_cells(one),
        "held_out": int(one.held_out),
        "class": one.label,
        "note": one.note,
    }


def _rules_cells(one: Contest) -> dict[str, Any]:
    """Return what has to be said of the rules."""
    rules = one.rules
    of_body = [rules_of(one.id, one.body, name) for name in (readings(one.body) if one.body in bodies().index else ())]
    same = next((reading for reading in of_body if reading.nameless == rules.nameless), None)
    columns = ("reading", "threshold_share", "base", "withdrawal", "phases", "after", "repeat_from")
    if same is not None:
        return dict.fromkeys(columns, "") | {"reading": same.name}
    if len(rules.threshold) > 1:
        raise IomsimError(
            f"{one.id} has several bars, {series([str(bar) for bar in rules.threshold])}; give them to its phases"
        )
    phases = f"[{', '.join(_inline(phase.table()) for phase in rules.phases)}]"
    stated = ("", rules.threshold[0], rules.base, rules.withdrawal, phases, rules.after or "", rules.repeat_from)
    return dict(zip(columns, stated, strict=True))


def _inline(value: Any) -> str:
    """Return a value as TOML in a line.

    Examples
    --------
    >>> _inline({"name": "two", "keep": 2, "barred": True, "threshold": ["2/3", ">1/2"]})
    "{ name = 'two', keep = 2, barred = true, threshold = ['2/3', '>1/2'] }"
    """
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return f"{{ {', '.join(f'{key} = {_inline(part)}' for key, part in value.items())} }}"
        case list():
            return f"[{', '.join(map(_inline, value))}]"
        case str():
            return f"'{value}'"
    return str(value)


def _tally_cells(one: Contest, known: RoundTally) -> Iterator[dict[str, Any]]:
    of_round = {
        "election_id": one.id,
        "date": known.date,
        "round": known.round,
        "votes_cast_or_valid": known.valid,
        "majority_required": known.needed,
        "seats": max(2, -(-known.base // one.size)) if known.kind == "two-seat" else 1,
        "kind": known.kind,
        "grade": known.grade,
    }
    for name, votes in (*known.votes.items(), *((key.capitalize(), papers) for key, papers in known.papers)):
        yield of_round | {"candidate": name, "votes": votes}
