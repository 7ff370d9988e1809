"""Whom members lean to: exact chances in the first round, their range over the assumptions, and what they come from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from iomsim.engine import paths
from iomsim.engine.first_round import barred_at_first, first_round_chances, first_round_votes, pulls
from iomsim.engine.plan import Plan
from iomsim.memory import refuse_too_many
from iomsim.model.assumptions import Assumptions, completed
from iomsim.model.description import Description
from iomsim.typing import Flags, Floats

RANGE = (0.1, 0.9)
"""The ends of ranges over the assumptions: the middle 80 % of the draws."""

AGREED = 0.9
"""Share of the draws from which on it is settled whom a member leans to, or is pulled towards."""

UNSETTLED = "unsettled"
"""Neither this candidate nor that in enough of the draws."""

VOTES = ("free", "pinned", "barred", "none")
"""What members do in the first round: choose, vote as they are pinned, or stay out: barred, or without a vote."""

OF_A_DRAW = 100.0
"""Bytes of a draw by member and candidate, as measured."""

NOTHING = 1e-12
"""Log-odds below which a pull is none."""


def leanings(race: Description, draws: Assumptions | None) -> pd.DataFrame:
    """Return whom the members of an election lean to; see :meth:`iomsim.Scenario.leanings`.

    Parameters
    ----------
    race : Description
        The election.
    draws : Assumptions or None
        Draws of its assumptions; None for the best guesses alone.
    """
    best, frame = race.plan, race.electorate.frame
    if draws is not None:
        refuse_too_many(draws.count, "draws of the assumptions", OF_A_DRAW * len(frame) * len(race.names))
    drawn = best if draws is None else draws.plan(race)
    votes = _votes(best)
    free, choosing = votes == "free", np.isin(votes, ("free", "pinned"))
    chances = first_round_chances(drawn)
    chances[:, ~choosing] = np.nan
    low, high = np.quantile(chances, RANGE, axis=2) if draws is not None else np.full((2, *chances.shape[:2]), np.nan)
    ahead = _ahead(chances) if draws is None or len(chances) > 2 else _beyond_half(low[0], high[0])
    columns: dict[str, Any] = {
        "id": frame["id"].to_numpy(),
        "group": frame["group"].to_numpy(),
        "vote": pd.Categorical(votes, VOTES),
        "present": 1.0 - drawn.absent.mean(axis=1),
        **dict(zip(race.names, chances.mean(axis=2), strict=True)),
        **_ranges(race.names, low, high),
        "leans_to": _settled(race.names, ahead, choosing),
        **{name: np.where(free, values, np.nan) for name, values in _components(best).items()},
        "region_sd": np.full(len(votes), float(best.behaviour.region_sd)),
        **_pulled(best, drawn, free, draws is not None),
    }
    return pd.DataFrame(columns, index=pd.Index(frame["name"].to_numpy(), name="member"))


def mean_votes(race: Description, path: str, values: ArrayLike, held: bool = False) -> Floats | None:
    """Return what values of a parameter mean in votes: the candidates' mean papers in the first round, exactly.

    All other parameters stay at their best guesses.

    Parameters
    ----------
    race : Description
        The election.
    path : str
        The parameter: the level, an appeal, a sponsor's strength, or the log-odds of a tie.
    values : array_like, shape (V,)
        Its values.
    held : bool, default False
        The appeals stay as they are, as in what-ifs of points; else a level that is stated stays as it is.

    Returns
    -------
    ndarray, shape (K, V), or None
        None for a parameter of another kind, and where a swing goes over before the first count.

    Examples
    --------
    >>> import iomsim as iom
    >>> mean_votes(iom.load("geneva-2023"), "level.Pope", [0.44, 0.5])[0].round(1).tolist()
    [69.0, 78.4]
    """
    plan = race.plan
    leaning = {*plan.appeals, *plan.strengths, *(tie.log_odds for tie in plan.ties)}
    if race.swings or not (path in leaning or paths.head(path) == paths.LEVEL):
        return None
    points = {path: np.asarray(values, dtype=float)}
    return first_round_votes(plan.at(completed(race, points, together=not held)))


def _votes(plan: Plan) -> np.ndarray:
    """Return what each member does in the first round, by its name in :data:`VOTES`."""
    votes = np.where(plan.pins >= 0, "pinned", "free")
    votes[barred_at_first(plan, 0)] = "barred"
    votes[~plan.votes] = "none"
    return votes


def _ranges(names: tuple[str, ...], low: Floats, high: Floats) -> dict[str, Floats]:
    ends = (("low", low), ("high", high))
    return {f"{name}_{end}": values[k] for k, name in enumerate(names) for end, values in ends}


# -- what is settled -------------------------------------------------------------------------------


def _beyond_half(low: Floats, high: Floats) -> Floats:
    """Return for two candidates 1 for the one on whose side of a half the whole range lies, shape (2, N)."""
    return np.array([low > 0.5, high < 0.5], dtype=float)


def _ahead(values: Floats) -> Floats:
    """Return the share of the draws in which each candidate is ahead of all others, shape (K, N); nobody in a tie.

    Examples
    --------
    >>> _ahead(np.array([[[0.4, 0.2, 0.1]], [[0.1, 0.3, 0.1]]])).round(2).tolist()
    [[0.33], [0.33]]
    """
    order = np.sort(values, axis=0)
    alone = order[-1] - order[-2] > NOTHING
    return np.asarray(((values == order[-1]) & alone).mean(axis=2))


def _settled(names: tuple[str, ...], ahead: Floats, known: Flags) -> pd.Categorical:
    """Return the candidate that is ahead in enough of the draws; where it is not known, nothing."""
    settled = ahead.max(axis=0) >= AGREED - NOTHING
    codes = np.where(settled, ahead.argmax(axis=0), len(names))
    return pd.Categorical.from_codes(np.where(known, codes, -1), [*names, UNSETTLED])


# -- what it comes from ------------------------------------------------------------------------------


def _components(plan: Plan) -> dict[str, Floats]:
    """Return what the systematic leans are made of on the best guesses, by column, shape (N,) each."""
    of_member = plan.classes.of_member
    rows, left = plan.standing()
    standing = np.array([np.broadcast_to(row, (len(plan.classes.first), 1))[of_member, 0] for row in rows])
    kept = np.broadcast_to(left, (len(plan.classes.first), 1))[of_member, 0]
    pledged = [paths.head(tie.log_odds) == paths.LEDGER for tie in plan.ties]
    appeal = np.array([kept * plan.values[path] for path in plan.appeals])
    ties, pledges = (kept * _bound(plan, [flag == heard for flag in pledged]) for heard in (False, True))
    pull = pulls(plan)[..., 0]
    total = standing + _by_candidate(plan, pull)
    parts = {"appeal": appeal, "ties": ties}
    parts |= {"pledges": pledges} if any(pledged) else {}
    parts |= {} if plan.polled is None else {"polling": standing - appeal - ties - pledges}
    if plan.candidates == 2:
        signs = np.where(plan.backs == 0, 1.0, -1.0)
        sponsors = {
            f"pull of {name}": sign * row + 0.0 for name, sign, row in zip(plan.sponsors, signs, pull, strict=True)
        }
        over = {name: values[0] - values[1] for name, values in parts.items()}
        return {"log_odds": total[0] - total[1], "appeal": over.pop("appeal"), **sponsors, **over}
    sponsors = {f"pull of {name}": row for name, row in zip(plan.sponsors, pull, strict=True)}
    named = {
        f"{what} {'to' if what in ('ties', 'pledges') else 'of'} {name}": row
        for what, values in {"log_odds": total, **parts}.items()
        for name, row in zip(plan.names, values, strict=True)
    }
    early = 2 * plan.candidates
    return {**dict(list(named.items())[:early]), **sponsors, **dict(list(named.items())[early:])}


def _bound(plan: Plan, counted: list[bool]) -> Floats:
    """Return the log-odds of some of the ties, shape (K, N)."""
    out = np.zeros((plan.candidates, len(plan.members)))
    for tie, counts in zip(plan.ties, counted, strict=True):
        if counts:
            out[tie.candidate] += float(plan.values[tie.log_odds]) * tie.bound
    return out


def _by_candidate(plan: Plan, pull: Floats) -> Floats:
    """Return sums of the sponsors' pulls by candidate, shape (K, N) or (K, N, B)."""
    out = np.zeros((plan.candidates, *pull.shape[1:]))
    for k, row in zip(plan.backs, pull, strict=True):
        out[k] += row
    return out


def _pulled(best: Plan, drawn: Plan, free: Flags, ranges: bool) -> dict[str, Any]:
    """Return the sum of the sponsors' pulls, to whom it points, and in how many of the draws."""
    sums = np.where(free, _by_candidate(best, pulls(best)[..., 0]), np.nan)
    if best.candidates == 2:
        net = {"net_pull": sums[0] - sums[1]}
    else:
        net = {f"pull to {name}": row for name, row in zip(best.names, sums, strict=True)}
    ahead = _ahead(_by_candidate(best, pulls(drawn)))
    most = ahead.max(axis=0)
    known = free & (most > 0.0)
    return {
        **net,
        "pull_towards": _settled(best.names, ahead, known),
        "agreed": np.where(known & ranges, most, np.nan),
    }
