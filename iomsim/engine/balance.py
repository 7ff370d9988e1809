"""Analysts think in shares, the model in log-odds: find the appeals that give a share.

Newton's steps, on the exact laws of :mod:`iomsim.engine.first_round`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from iomsim.engine import laws
from iomsim.engine.first_round import STRAY, Law, Members, blocks, law_around, members_of
from iomsim.engine.plan import Plan
from iomsim.errors import ScenarioError
from iomsim.typing import Flags, Floats, PerRun

CLOSE = 1e-4
"""Error of the logit of a share at which the step that follows is the last."""

LEAST = 2e-6
"""Shares below are not told apart: sums of the laws are no better than that."""

SPARED = 0.01
"""Share of the free members' papers that is left where a share is moved into reach."""

STEPS, ATTEMPTS = 60, 60

TOGETHER = 1024
"""Columns that are solved together: the memory that it takes does not grow with their number."""


def solve_levels(plan: Plan, targets: Mapping[int, PerRun]) -> Floats:
    """Return what to add to the appeals so that mean shares of the first round are as asked.

    The mean share of a candidate is the mean number of its papers over the mean number of papers for all candidates (of
    the valid papers, those for names that do not stand left out), over everything that a run draws: campaigns, shocks,
    hidden conviction, absence, abstention, stray papers.  Members barred from the first ballot have no part in it.

    Parameters
    ----------
    plan : Plan
        The election; its values are numbers, or arrays with one entry a column.
    targets : dict of float or ndarray, shape (B,)
        Mean share by the candidate's number.

    Returns
    -------
    ndarray, shape (K, B)
        In log-odds; 0 for candidates without a target.  Shares are met within 0.0005.

    Raises
    ------
    ScenarioError
        If a share is out of reach.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").plan.at({"behaviour.conviction": np.array([0.5, 1.8])})
    >>> solve_levels(plan, {0: 0.6}).round(2).tolist()
    [[0.44, 0.45], [0.0, 0.0]]
    """
    width = max(np.size(value) for value in (*plan.values.values(), *targets.values()))
    if width > TOGETHER:
        return np.concatenate([solve_levels(*part) for part in _parts(plan, targets, width)], axis=1)
    members = members_of(plan, width)
    asked = {k: np.broadcast_to(np.asarray(target, dtype=float), (width,)) for k, target in targets.items()}
    named = _free_to_choose(plan, asked)
    goal = _of_the_free(plan, members, named)
    guess = _first_guess(members, list(named), goal)
    shift = np.zeros((plan.candidates, width))
    shift[list(named)] = _refined(plan, members, named, goal, guess)
    return shift


def within_reach(plan: Plan, targets: Mapping[int, PerRun]) -> dict[int, Floats]:
    """Return mean shares as asked for; those out of reach, because too many members are pinned, moved into it.

    A share that the free members cannot give is moved to where they give a candidate, or leave to the others, one in a
    hundred of their papers; shares that leave nothing to the others are made smaller together.

    Parameters
    ----------
    plan, targets
        As for :func:`solve_levels`; not all candidates are named.

    Returns
    -------
    dict of ndarray, shape (B,)
        What is within reach is the same to the bit.

    Examples
    --------
    >>> import iomsim as iom
    >>> plan = iom.load("minimal").with_pinned(A=[f"M{i}" for i in range(1, 71)]).plan
    >>> within_reach(plan, {0: np.array([0.3, 0.5])})[0].round(2).tolist()
    [0.44, 0.5]
    """
    width = max(np.size(value) for value in (*plan.values.values(), *targets.values()))
    if width > TOGETHER:
        parts = [within_reach(*part) for part in _parts(plan, targets, width)]
        return {k: np.concatenate([part[k] for part in parts]) for k in targets}
    members, named = members_of(plan, width), list(targets)
    asked = np.array([np.broadcast_to(np.asarray(target, dtype=float), (width,)) for target in targets.values()])
    votes, total, bound = members.votes, members.votes + members.bound.sum(axis=0), members.bound[named]
    goal = (asked * total - bound) / votes
    moved = np.where(goal > 0.0, np.where(goal < 1.0, goal, 1.0 - SPARED), SPARED)
    moved = np.where(moved.sum(axis=0) < 1.0, moved, moved * (1.0 - SPARED) / moved.sum(axis=0))
    shares = np.where(moved == goal, asked, (moved * votes + bound) / total)
    return dict(zip(named, shares, strict=True))


def _parts(plan: Plan, targets: Mapping[int, PerRun], width: int) -> Iterator[tuple[Plan, dict[int, PerRun]]]:
    """Cut the columns of what is asked into parts."""
    for start in range(0, width, TOGETHER):
        columns = np.arange(start, min(start + TOGETHER, width))
        yield plan.of(columns), {k: laws.some(target, columns) for k, target in targets.items()}


# -- what is asked -----------------------------------------------------------------------------------


def _free_to_choose(plan: Plan, asked: dict[int, Floats]) -> dict[int, Floats]:
    """Leave one candidate out if all are named: its share follows from the others'."""
    if len(asked) < plan.candidates:
        return asked
    total = np.sum(list(asked.values()), axis=0)
    if np.abs(total - 1.0).max() > 1e-9:
        worst = int(np.argmax(np.abs(total - 1.0)))
        raise ScenarioError(f"the shares of all candidates must add up to 1, got {total[worst]:g}; leave one out")
    return dict(list(asked.items())[:-1])


def _of_the_free(plan: Plan, members: Members, named: dict[int, Floats]) -> Floats:
    """Return what the targets ask of the members who are free to choose, shape (T, B)."""
    votes, bound = members.votes, members.bound
    total = votes + bound.sum(axis=0)
    asked = np.array(list(named.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        goal = np.array((asked * total - bound[list(named)]) / votes)
    rest = 1.0 - goal.sum(axis=0)
    wrong = ~((goal > 0.0) & (goal < 1.0)) | ~(rest > 0.0)
    if wrong.any():
        column = int(np.argmax(wrong.any(axis=0)))
        raise _out_of_reach(plan, named, int(np.argmax(wrong[:, column])), column)
    return goal


def _out_of_reach(plan: Plan, named: dict[int, Floats], which: int, column: int) -> ScenarioError:
    total = sum(asked[column] for asked in named.values())
    if total >= 1:
        return ScenarioError(f"the shares of the first round must add up to less than 1, got {total:g}")
    k, asked = list(named.items())[which]
    where = f" (draw {column})" if asked.size > 1 else ""
    return ScenarioError(
        f"no appeal gives {plan.names[k]} a mean share of {asked[column]:.3g}{where}; "
        "too many members are pinned or tied"
    )


# -- Newton's steps --------------------------------------------------------------------------------


def _newton(law: Law, goal: Floats, start: Floats, most: float, close: float) -> tuple[Floats, Flags]:
    """Solve for the shares asked for, on their logits; return what is to be added, and which columns have settled.

    A column that has settled stays as it is, whatever the others do.
    """
    added, settled = start.copy(), np.zeros(start.shape[1], dtype=bool)
    limit, before = np.full(start.shape[1], 2.0), np.zeros_like(start)
    goal = np.clip(goal, LEAST, 1.0 - LEAST)
    for _ in range(STEPS):
        share, slope = law(added)
        share = np.clip(share, LEAST, 1.0 - LEAST)
        missing = np.log(goal / (1.0 - goal)) - np.log(share / (1.0 - share))
        step = _solved(slope / (share * (1.0 - share))[:, None], missing)
        size, error = np.abs(step).max(axis=0), np.abs(missing).max(axis=0)
        limit = np.where(sum(step * before) < 0.0, limit / 2.0, limit)  # it has gone too far
        before = step * np.minimum(1.0, limit / np.maximum(size, 1e-300))
        moved = np.where(settled, added, np.clip(added + before, start - most, start + most))
        settled = settled | (error < close) | (moved == added).all(axis=0)
        added = moved
        if settled.all():
            break
    return added, settled


def _solved(matrix: Floats, right: Floats) -> Floats:
    """Solve small systems of equations column by column, shapes (T, T, B) and (T, B), by elimination."""
    matrix, right = matrix.copy(), right.copy()
    size = len(right)
    for k in range(size):
        pivot = np.where(np.abs(matrix[k, k]) < 1e-14, 1e-14, matrix[k, k])
        for row in range(k + 1, size):
            factor = matrix[row, k] / pivot
            matrix[row] = matrix[row] - factor * matrix[k]
            right[row] = right[row] - factor * right[k]
        matrix[k, k] = pivot
    for k in reversed(range(size)):
        for j in range(k + 1, size):
            right[k] = right[k] - matrix[k, j] * right[j]
        right[k] = right[k] / matrix[k, k]
    return right


def _first_guess(members: Members, named: list[int], goal: Floats) -> Floats:
    """Return a guess of what to add, times `c`: campaigns of average effect, and noise that flattens the logit."""
    pull = np.zeros_like(members.lean)
    for s, k in enumerate(members.backs):
        pull[k] += members.pull[s]
    flat = np.sqrt(1.0 + laws.FLATTENING * 2.0 * np.square(members.noise))
    weight = members.weight / members.votes[:, None]
    start = members.lean + pull

    def law(added: Floats) -> tuple[Floats, Floats]:
        v = start.copy()
        v[named] += added[:, :, None]
        v = v / flat[:, None]
        v = np.exp(v - v.max(axis=0))
        p = (v / sum(v))[named]
        share = (weight * p).sum(axis=2)
        both = -(weight * p[:, None] * p).sum(axis=3)
        for t in range(len(named)):
            both[t, t] += share[t]
        return share, both / flat

    return _newton(law, goal, np.zeros_like(goal), np.inf, 1e-2)[0]


def _refined(plan: Plan, members: Members, named: dict[int, Floats], goal: Floats, guess: Floats) -> Floats:
    """Return what to add to the named candidates' appeals, shape (T, B), starting from a guess times `c`."""
    found, open_ = guess.copy(), np.arange(goal.shape[1])
    for _ in range(ATTEMPTS):
        strays = [open_[:0]]
        for columns, size in blocks(members, list(named), open_, found):
            start = found[:, columns]
            law = law_around(members.of(columns), list(named), start, size)
            found[:, columns], settled = _newton(law, goal[:, columns], start, STRAY, CLOSE)
            inside = (np.abs(found[:, columns] - start) < STRAY).all(axis=0)
            strays.append(columns[~(settled & inside)])
        open_ = np.sort(np.concatenate(strays))
        if not open_.size:
            return found / members.scale
    raise _out_of_reach(plan, named, 0, int(open_[0]))
