"""The course of an election under a procedure: who stands, who leaves, who is elected; many runs at once, or one.

No number is drawn here: lots come as tickets, one a candidate, from whoever plays.  :func:`proceed` is the one place
in which a procedure is applied; the simulation and the live update call it for many runs, :class:`Course` for the
tallies of one election.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from iomsim.errors import AnnouncementError
from iomsim.rules.bar import Bar
from iomsim.rules.procedure import Procedure, Stage, Step
from iomsim.rules.rulebook import Rulebook
from iomsim.typing import Flags, Floats, Ints, Longs, Places

MORE_THAN_HALF = Bar.of(">1/2")

Tickets = Callable[[Places], Floats]
"""Gives some of the runs a ticket for every candidate, in [0, 1), shape (K, runs): the highest wins a tie."""


class Position(NamedTuple):
    """Where elections stand, one column each; B columns, K candidates.

    `phase`, `held` (its ballots held) and `alone` (who faces a yes/no vote, or -1) have shape ``(B,)``; `standing` and
    `withdrawn` have shape ``(K, B)``: who withdrew after the last ballot still counts as standing until the rules
    have been applied.
    """

    phase: Ints
    held: Ints
    standing: Flags
    withdrawn: Flags
    alone: Ints


def begin(procedure: Procedure | Rulebook, candidates: int, runs: int, reading: Any = 0) -> Position:
    """Return where elections stand before their first ballot; `reading` says under which one, of all or of each."""
    first = np.array(procedure.first_phases(candidates), dtype=np.int16)
    return Position(
        phase=np.broadcast_to(first[np.asarray(reading, dtype=np.intp)], runs).copy(),
        held=np.zeros(runs, dtype=np.int16),
        standing=np.ones((candidates, runs), dtype=bool),
        withdrawn=np.zeros((candidates, runs), dtype=bool),
        alone=np.full(runs, -1, dtype=np.int16),
    )


def needed(procedure: Procedure | Rulebook, at: Position, ballot: int, bases: dict[str, Ints]) -> Longs:
    """Return the votes that elect in a ballot, shape (B,); of one who stands alone "most" are more yes than no.

    Parameters
    ----------
    procedure : Procedure or Rulebook
        The rules.
    at : Position
        Where the elections stand.
    ballot : int
        Number of the ballot.
    bases : dict of ndarray of int, shape (B,)
        Valid papers, members present and members with a vote.
    """
    whole, codes = _coded(at.phase, at.held, (at.alone >= 0).view(np.int8))
    asked: dict[tuple[Bar, str], list[int]] = {}
    for phase, held, alone, code in codes:
        bar, base = procedure.bar(phase, held, ballot), procedure.base_of(phase)
        of_one = alone and bar.kind == "most"
        asked.setdefault((MORE_THAN_HALF, "valid") if of_one else (bar, base), []).append(code)
    out = np.zeros(at.phase.size, dtype=np.int64)
    for (bar, base), own in asked.items():
        papers = bases[base]
        table = np.asarray(bar.needed(np.arange(int(papers.max(initial=0)) + 1)))
        if len(asked) == 1:
            return table.take(papers)
        columns = np.flatnonzero(np.isin(whole, own))
        out[columns] = table.take(papers[columns])
    return out


def leading(votes: Ints) -> tuple[Ints, Flags]:
    """Return the candidate with most votes and whether nobody shares that place."""
    if len(votes) == 2:
        return (votes[1] > votes[0]).view(np.int8), votes[0] != votes[1]
    leader, top = np.zeros(votes.shape[1], dtype=np.int8), votes[0]
    for k in range(1, len(votes)):
        leader = np.where(votes[k] > top, np.int8(k), leader)
        top = np.maximum(top, votes[k])
    return leader, np.count_nonzero(votes == top, axis=0) == 1


def tied(procedure: Procedure | Rulebook, at: Position, votes: Ints) -> Flags:
    """Return who must face each other in an extra ballot before the procedure can go on, shape (K, B).

    Nobody where no cut is due, where the votes decide it, where a lot does, or after a yes/no ballot.
    """
    out = np.zeros(at.standing.shape, dtype=bool)
    if any(phase.tie == "extra" for phase in procedure.phases):
        for step, columns in _steps(procedure, at):
            if step.stage is not None and step.tie == "extra":
                base = (_left(at, step) & (at.alone < 0))[:, columns]
                out[:, columns] = at_the_cut(np.where(base, votes[:, columns], -1), base, step.stage.standing)
    return out


def at_the_cut(votes: Ints, standing: Flags, places: int) -> Flags:
    """Return who is level at the last of so many places, with fewer places than are level; shapes (K, B)."""
    if places >= len(votes):
        return np.zeros(standing.shape, dtype=bool)
    order = -np.sort(-votes, axis=0)
    last, next_ = order[places - 1], order[places]
    return np.asarray(standing & (votes == last) & (last == next_))


def proceed(
    procedure: Procedure | Rulebook, at: Position, votes: Ints, tickets: Tickets, extra: Ints | None = None
) -> tuple[Position, Flags]:
    """Apply the rules after a ballot that elected nobody.

    The last of those who stand leaves if the phase says so; the next phase begins when its ballots are spent, or
    when fewer stand than it is held for.

    Parameters
    ----------
    procedure : Procedure or Rulebook
        The rules.
    at : Position
        Where the elections stood in the ballot.
    votes : ndarray of int, shape (K, B)
        The last tally of a choice.
    tickets : callable
        The lots.
    extra : ndarray of int, shape (K, B), optional
        Votes of extra ballots between those who were :func:`tied`.

    Returns
    -------
    Position
        Where they stand before the next ballot.
    ndarray of bool, shape (B,)
        Where the rules end the election without a winner.
    """
    phase, held, alone = at.phase.copy(), at.held.copy(), at.alone.copy()
    standing, failed = at.standing, np.zeros(at.phase.size, dtype=bool)
    for step, columns in _steps(procedure, at):
        if step.stage is None:
            failed[columns] = True
            continue
        phase[columns], held[columns] = step.stage.phase, step.stage.held
        base = _left(at, step)
        if step.stage.standing != np.count_nonzero(at.standing[:, columns[0]]) or step.reopened:
            standing = standing.copy() if standing is at.standing else standing
            level = None if extra is None else extra[:, columns]
            standing[:, columns] = survivors(
                votes[:, columns], base[:, columns], step.stage.standing, tickets(columns), level
            )
        if step.begins:
            yes_no = procedure.phases[step.stage.phase].vote == "yes-no"
            alone[columns] = first_of(votes[:, columns], standing[:, columns], tickets(columns)) if yes_no else -1
    return Position(phase, held, standing, at.withdrawn, alone), failed


def moving(procedure: Procedure | Rulebook, at: Position) -> Flags:
    """Return where something follows from a ballot that elected nobody, shape (B,); the others go on as before."""
    whole, codes = _stages(at)
    moves = np.zeros(int(whole.max(initial=0)) + 1, dtype=bool)
    for stage, in_race, withdrew, code in codes:
        step = procedure.next_stage(stage, in_race, withdrew)
        moves[code] = step.begins or step.stage != stage
    return moves.take(whole)


def survivors(votes: Ints, standing: Flags, places: int, tickets: Floats, extra: Ints | None = None) -> Flags:
    """Return who keeps one of so many places: by votes, then by those of an extra ballot, then by lot."""
    keys = [tickets, np.zeros_like(votes) if extra is None else extra, np.where(standing, votes, -1)]
    order = np.lexsort(keys, axis=0)
    out = np.zeros(standing.shape, dtype=bool)
    np.put_along_axis(out, order[max(len(votes) - places, 0) :], True, axis=0)
    return out & standing


def first_of(votes: Ints, standing: Flags, tickets: Floats) -> Ints:
    """Return who of those standing has most votes, a tie broken by lot; shape (B,)."""
    return survivors(votes, standing, 1, tickets).argmax(axis=0).astype(np.int16)


def _left(at: Position, step: Step) -> Flags:
    """Return who may be among those who stand next, before a cut."""
    return ~at.withdrawn if step.reopened else at.standing & ~at.withdrawn


def _steps(procedure: Procedure | Rulebook, at: Position) -> list[tuple[Step, Places]]:
    """Return what follows in each group of columns that stand alike, whatever the names."""
    whole, codes = _stages(at)
    return [
        (procedure.next_stage(stage, in_race, withdrew), np.flatnonzero(whole == code))
        for stage, in_race, withdrew, code in codes
    ]


def _stages(at: Position) -> tuple[Longs, list[tuple[Stage, int, int, int]]]:
    """Return how each column stands, whatever the names, as a number, and what the numbers that occur stand for."""
    k = len(at.standing) + 1
    gone = at.withdrawn & at.standing if at.withdrawn.any() else at.withdrawn
    stands, in_race, withdrew = (np.count_nonzero(flags, axis=0) for flags in (at.standing, ~at.withdrawn, gone))
    whole, codes = _coded(at.phase, at.held, (stands * k + in_race) * k + withdrew)
    return whole, [
        (Stage(phase, held, count // k // k), count // k % k, count % k, code) for phase, held, count, code in codes
    ]


def _coded(*codes: Ints) -> tuple[Longs, list[tuple[int, ...]]]:
    """Return each column's combination of codes as one number, and the distinct combinations with their numbers."""
    sizes = [int(code.max(initial=0)) + 1 for code in codes]
    whole = np.zeros(codes[0].size, dtype=np.int64)
    for code, size in zip(codes, sizes, strict=True):
        whole = whole * size + code
    distinct = []
    for number in np.flatnonzero(np.bincount(whole)).tolist():
        parts, rest = [number], number
        for size in reversed(sizes):
            rest, part = divmod(rest, size)
            parts.insert(0, part)
        distinct.append(tuple(parts))
    return whole, distinct


# -- one election --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Course:
    """One election, tally after tally.

    Attributes
    ----------
    procedure : Procedure
        The rules.
    entitled : int
        Members with a vote.
    phase, held, ballot : int
        The phase, how many ballots it has held, and how many were held in all.
    standing, withdrawn : tuple of bool
        Who stands, and who has withdrawn.
    alone : int
        Who faces a yes/no vote next, or -1.
    conceded : bool
        Whether that is because the other withdrew: then the vote decides.
    votes : tuple of int
        The last tally of a choice.
    ended : str or None
        How it ended, one of :data:`iomsim.rules.procedure.ENDINGS`.
    elected : int
        Who is elected, or -1.

    Examples
    --------
    >>> from iomsim.rules.procedure import Procedure
    >>> course = Course.begin(Procedure(phases=[{"ballots": 1}, {"keep": 2}]), candidates=3, entitled=100)
    >>> course = course.after(votes=(40, 35, 25))
    >>> course.may_stand, course.needed(valid=98), course.after(votes=(66, 32, 0)).ended
    ((True, True, False), 66, 'majority')
    """

    procedure: Procedure
    entitled: int
    phase: int
    held: int
    standing: tuple[bool, ...]
    withdrawn: tuple[bool, ...]
    alone: int = -1
    conceded: bool = False
    ballot: int = 0
    votes: tuple[int, ...] = ()
    ended: str | None = None
    elected: int = -1

    @classmethod
    def begin(cls, procedure: Procedure, candidates: int, entitled: int) -> Course:
        """Return an election before its first ballot."""
        at = begin(procedure, candidates, 1)
        nobody = (False,) * candidates
        return cls(procedure, entitled, int(at.phase[0]), 0, (True,) * candidates, nobody, votes=(0,) * candidates)

    @property
    def in_race(self) -> tuple[bool, ...]:
        """Who stands and has not withdrawn."""
        return tuple(stands and not gone for stands, gone in zip(self.standing, self.withdrawn, strict=True))

    @property
    def may_stand(self) -> tuple[bool, ...]:
        """Who may be voted for in the coming ballot."""
        return tuple(k == self.alone for k in range(len(self.standing))) if self.alone >= 0 else self.standing

    def needed(self, valid: int = 0, present: int = 0, entitled: int | None = None) -> int:
        """Return the votes that elect in the coming ballot."""
        known = {"valid": valid, "present": present, "entitled": self.entitled if entitled is None else entitled}
        bases = {name: np.array([count]) for name, count in known.items()}
        return int(needed(self.procedure, self._position, self.ballot + 1, bases)[0])

    def after(
        self,
        votes: Sequence[int],
        valid: int | None = None,
        present: int | None = None,
        tickets: Sequence[float] | None = None,
        extra: Sequence[int] | None = None,
        withdraws: int | Sequence[int] | None = None,
        entitled: int | None = None,
    ) -> Course:
        """Return the election after a ballot between those who stand.

        Parameters
        ----------
        votes : sequence of int
            By candidate; 0 for who does not stand.
        valid : int, optional
            Valid papers, stray ones included; default the sum of the votes.
        present : int, optional
            Members present; default the valid papers.
        tickets : sequence of float, optional
            Lots: of those level at a cut, the highest tickets stay.  Needed only where a lot decides.
        extra : sequence of int, optional
            Votes of the extra ballot between those who are :meth:`tied`.
        withdraws : int or sequence of int, optional
            Who withdraws after the ballot.
        entitled : int, optional
            Members with a vote in this ballot, if some are barred.

        Raises
        ------
        AnnouncementError
            If the election is over, a yes/no vote is due, there are votes for somebody who does not stand, or a lot
            is needed and there is none.
        """
        self._open(alone=False)
        for k, stands in enumerate(self.standing):
            if votes[k] and not stands:
                raise AnnouncementError(f"candidate {k} does not stand and cannot get {votes[k]} votes; say valid=")
        papers = sum(votes) if valid is None else valid
        need = self.needed(papers, papers if present is None else present, entitled)
        leader, ahead = leading(np.array(votes)[:, None])
        held = replace(self, votes=tuple(votes), ballot=self.ballot + 1)
        if ahead[0] and max(votes) >= need:
            return replace(held, ended="majority", elected=int(leader[0]))
        return held._inconclusive(withdraws, tickets, extra)

    def unknown(self, out: int | Sequence[int] = (), withdraws: int | Sequence[int] | None = None) -> Course:
        """Return the election after a ballot that elected nobody and whose tally is not known.

        Parameters
        ----------
        out : int or sequence of int, optional
            Who has no part in the next ballot: needed where the tally decides it.
        withdraws : int or sequence of int, optional
            Who withdraws after the ballot.

        Raises
        ------
        AnnouncementError
            If the election is over, a yes/no vote is due, or others than those named leave by the rules.

        Examples
        --------
        >>> from iomsim.rules.procedure import Procedure
        >>> course = Course.begin(Procedure(phases=[{"ballots": 2}, {"keep": 2}]), candidates=3, entitled=100)
        >>> course.unknown().unknown(out=1).may_stand
        (True, False, True)
        """
        self._open(alone=False)
        gone = _numbers(out)
        votes = tuple(int(stands and k not in gone) for k, stands in enumerate(self.standing))
        held = replace(self, votes=votes, ballot=self.ballot + 1)
        after = held._inconclusive(withdraws, None, None)
        if after.ended is None and any(after.may_stand[k] for k in gone):
            raise AnnouncementError("nobody leaves by the rules now, or not those named")
        return replace(after, votes=(0,) * len(votes))

    def answered(
        self,
        yes: int,
        no: int,
        present: int | None = None,
        tickets: Sequence[float] | None = None,
        entitled: int | None = None,
    ) -> Course:
        """Return the election after a yes/no vote on the one who stands alone."""
        self._open(alone=True)
        papers = yes + no
        held = replace(self, ballot=self.ballot + 1)
        if yes >= self.needed(papers, papers if present is None else present, entitled):
            return replace(held, ended="confirmed", elected=self.alone)
        return replace(held, ended="failed") if self.conceded else held._proceed(tickets, None)

    def tied(self, votes: Sequence[int], withdraws: int | Sequence[int] | None = None) -> tuple[bool, ...]:
        """Return who would face an extra ballot after this tally and these withdrawals."""
        held = self._leaving(withdraws)
        return tuple(map(bool, tied(self.procedure, held._position, np.array(votes)[:, None])[:, 0]))

    def _inconclusive(
        self,
        withdraws: int | Sequence[int] | None,
        tickets: Sequence[float] | None,
        extra: Sequence[int] | None,
    ) -> Course:
        held = self._leaving(withdraws)
        if not any(held.in_race):
            return replace(held, ended="failed")
        if sum(held.in_race) == 1 < sum(self.standing) and self.procedure.withdrawal != "none":
            other = held.in_race.index(True)
            if self.procedure.withdrawal == "acclamation":
                return replace(held, ended="acclamation", elected=other)
            return replace(held, alone=other, conceded=True, held=held.held + 1)._until_the_horizon()
        return held._proceed(tickets, extra)

    def _proceed(self, tickets: Sequence[float] | None, extra: Sequence[int] | None) -> Course:
        order = range(len(self.votes))
        results = [self._applied(lots, extra) for lots in ([order, order[::-1]] if tickets is None else [tickets])]
        (at, failed), (other, _) = results[0], results[-1]
        if (at.standing != other.standing).any() or (at.alone != other.alone).any():
            raise AnnouncementError("the tally leaves a tie, which a lot decides; say who is out")
        if failed[0]:
            return replace(self, ended="failed")
        after = replace(
            self,
            phase=int(at.phase[0]),
            held=int(at.held[0]),
            standing=tuple(map(bool, at.standing[:, 0])),
            alone=int(at.alone[0]),
        )
        return after._until_the_horizon()

    def _until_the_horizon(self) -> Course:
        return replace(self, ended="open") if self.ballot >= self.procedure.max_rounds else self

    def _applied(self, tickets: Sequence[float], extra: Sequence[int] | None) -> tuple[Position, Flags]:
        lots, votes = np.array([tickets], dtype=float).T, np.array(self.votes)[:, None]
        level = None if extra is None else np.array(extra)[:, None]
        return proceed(self.procedure, self._position, votes, lambda columns: lots, level)

    @property
    def _position(self) -> Position:
        def column(value: Sequence[bool]) -> NDArray[np.bool_]:
            return np.array(value, dtype=bool)[:, None]

        phase, held, alone = (np.array([value], dtype=np.int16) for value in (self.phase, self.held, self.alone))
        return Position(phase, held, column(self.standing), column(self.withdrawn), alone)

    def _leaving(self, withdraws: int | Sequence[int] | None) -> Course:
        held = self
        for k in _numbers(withdraws):
            if not held.in_race[k]:
                raise AnnouncementError(f"candidate {k} does not stand any more and cannot withdraw")
            held = replace(held, withdrawn=tuple(gone or number == k for number, gone in enumerate(held.withdrawn)))
        return held

    def _open(self, alone: bool) -> None:
        if self.ended is not None:
            raise AnnouncementError(f"the election is over ({self.ended}); no ballot follows")
        if (self.alone >= 0) != alone:
            raise AnnouncementError("one stands alone: tell yes and no" if self.alone >= 0 else "more than one stands")


def _numbers(withdraws: int | Sequence[int] | None) -> Sequence[int]:
    return () if withdraws is None else (withdraws,) if isinstance(withdraws, int) else withdraws
