"""A past contest: what was announced, how it ended, and what a forecaster knew in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from html import escape
from itertools import pairwise
from typing import Any

import pandas as pd

from iomsim.errors import AnnouncementError, ScenarioError
from iomsim.house_style import in_html, series
from iomsim.model.bodies import Body, body
from iomsim.model.catalogue import clock_of
from iomsim.model.components import WEEKDAYS, Behaviour
from iomsim.model.evidence import shipped_folders
from iomsim.model.lines import PAPERS
from iomsim.model.scenario import Scenario, build
from iomsim.rules.bar import Bar
from iomsim.rules.procedure import Procedure, Stage
from iomsim.validation.rounds import MAX_CANDIDATES, Aftermath, RoundTally, Situation, Transition, votes_to_win

LEVEL_SD = 1.7
"""Spread of the level before the first round, in log-odds: every share is then about equally likely."""

MAJORITY = 0.55
"""A bar of no more than this share of the base is a majority, not two thirds or the like."""

KINDS_OF_RULE = ("two thirds until reached", "two thirds, with an end", "more than half")
"""Two thirds without an end; two thirds, but the rules end it without, or with a lower bar, or by a vote on the leader
alone; and majorities."""

DATED = {
    "timezone": "UTC",
    "sittings": [[time(9), time(21)]],
    "days": WEEKDAYS,
    "formalities": 1.0,
    "round_minutes": 5.0,
}
"""A clock on which nights pass only where the dates say so: a score of rounds takes two hours."""

_NOTHING_KNOWN = {
    "common_sd": {"value": LEVEL_SD, "unit": "log-odds", "source": "every first share about equally likely"},
    "region_sd": {
        "value": 0.0,
        "unit": "log-odds",
        "source": "one class of members: the common shock is their region's too",
    },
}


@dataclass(frozen=True)
class Contest:
    """One past election.

    Attributes
    ----------
    id, body, year : str, str, int or None
        What it is called, who voted, and when.
    size : int
        Members entitled to vote.
    rules : Procedure
        What elects, who leaves and when the leader stands alone, as far as the files say.
    started : int
        Candidates of the first round.
    rounds : tuple of RoundTally
        What is known, by round number; there may be gaps.
    rounds_total : int
        Rounds held.
    decided_round : int
        The round that decided as the model counts: after a withdrawal the last round before it, the
        vote on whoever remained being a formality.
    decided_how : str
        In the words of the file.
    ending : str
        In the words of the model, one of :data:`iomsim.rules.procedure.ENDINGS`: a compromise on somebody who
        had not stood leaves the contest between those who had "open".
    winner : str or None
        Who was elected in the end, also an outsider.
    held_out : bool
        Kept for scoring; nothing may be fitted to it.
    synthetic : bool
        Simulated, not held.
    label : str
        What the file says in a column `class`: a group of one's own.
    note : str
        What the file remarks.
    """

    id: str
    body: str
    year: int | None
    size: int
    rules: Procedure
    started: int
    rounds: tuple[RoundTally, ...]
    rounds_total: int
    decided_round: int
    decided_how: str
    ending: str
    winner: str | None
    held_out: bool = False
    synthetic: bool = False
    label: str = ""
    note: str = ""

    # -- the rounds ---------------------------------------------------------------------------

    @cached_property
    def ordinary(self) -> tuple[RoundTally, ...]:
        """The known rounds between two candidates or more for one seat."""
        return tuple(known for known in self.rounds if known.kind == "round" and len(known.field) > 1)

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """The main candidates of the ordinary rounds, by first appearance."""
        return tuple(dict.fromkeys(name for known in self.ordinary for name in known.field))

    @property
    def tallies(self) -> pd.DataFrame:
        """What was announced: votes by round and candidate, and the kind of round."""
        rows = [
            {"round": known.round, "kind": known.kind, "candidate": name, "votes": votes, "valid": known.base}
            for known in self.rounds
            for name, votes in known.votes.items()
        ]
        return pd.DataFrame(rows, columns=["round", "kind", "candidate", "votes", "valid"]).set_index("round")

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """Consecutive known ordinary rounds between the same main candidates."""
        pairs = ((a, b) for a, b in pairwise(self.ordinary) if b.round == a.round + 1)
        same = ((a, b) for a, b in pairs if set(a.field) == set(b.field))
        return tuple(Transition(a.among(a.field), b.among(a.field), self.situation(a.round).first) for a, b in same)

    @property
    def points(self) -> tuple[int, ...]:
        """The announced rounds that elected nobody, also those after which somebody withdrew at once."""
        return tuple(known.round for known in self.ordinary if not self.unused(known))

    def unused(self, known: RoundTally) -> str:
        """Return why nothing is forecast after a round, or nothing if something is."""
        reasons = {
            "two-seat": "two seats at once",
            "yes-no": "a yes/no round",
            "single": "a formality after a withdrawal",
            "partial": "only some tallies known",
        }
        if known.kind in reasons:
            return reasons[known.kind]
        if len(known.field) < 2:
            return "one candidate had nearly all votes"
        if self._elects(known):
            return "it elected"
        return "no round was to come" if known.round > self.decided_round else ""

    @property
    def why_none(self) -> str:
        """Why nothing is forecast at all."""
        return ", ".join(f"round {known.round}: {self.unused(known)}" for known in self.rounds) or "no tally known"

    @property
    def two_way_from(self) -> int:
        """The first round between two for one seat: by the rules, or as it is known."""
        seats = max((known.round for known in self.rounds if known.kind == "two-seat"), default=0)
        known = next((a.round for a in self.ordinary if len(a.field) == 2), self.rounds_total + 1)
        if seats or self.started <= 2:
            return min(seats + 1, known)
        stages = enumerate(self.rules.stages(self.started), start=1)
        return min(next((ballot for ballot, stage in stages if stage.standing == 2), known), known)

    # -- what was known, and what followed -------------------------------------------------------

    def at(self, round_: int) -> RoundTally:
        """Return what was announced of an ordinary round.

        Raises
        ------
        AnnouncementError
            If this round is not known, or was not a vote between candidates for one seat.
        """
        for known in self.ordinary:
            if known.round == round_:
                return known
        have = ", ".join(str(known.round) for known in self.ordinary) or "none"
        raise AnnouncementError(f"{self.id} has no tally to forecast from in round {round_}; it has {have}")

    def situation(self, round_: int) -> Situation:
        """Return what a forecaster knew after a round; raises as :meth:`at`.

        Examples
        --------
        >>> from iomsim.validation.data import contest
        >>> contest("UNSC2007-EEG").situation(2).tallies
        ((95, 91), (106, 81))
        """
        now = self.at(round_)
        met = [a for a in self.ordinary if a.round <= round_ and set(a.field) == set(now.field)]
        continued = any(known.round == round_ - 1 for known in self.rounds)
        return Situation(
            candidates=now.field,
            rounds=tuple(a.round for a in met),
            tallies=tuple(a.among(now.field).tally for a in met),
            valid=now.base,
            size=self.size,
            rules=self.rules,
            started=self.started,
            first=len(met) == 1 and (round_ == 1 or continued),
        )

    def night_after(self, round_: int) -> date | None:
        """Return the date of the next round if it was held on a later day than this one; None if not, or not known.

        Examples
        --------
        >>> from iomsim.validation.data import contest
        >>> print(contest("UNSC2020-AF").night_after(1))
        2020-06-18
        """
        dates = {known.round: known.date for known in self.rounds}
        now, following = dates.get(round_), dates.get(round_ + 1)
        return following if now and following and following > now else None

    def aftermath(self, round_: int) -> Aftermath:
        """Return what followed a round, or with 0 what followed from the start; raises as :meth:`at`.

        Examples
        --------
        >>> from iomsim.validation.data import contest
        >>> contest("UNSC2007-EEG").aftermath(1)
        Aftermath(next_share=0.5668449197860963, to_come=2, winner='Croatia', ending='confirmed')
        """
        names = self.at(round_).field if round_ else self.candidates
        share = next((a.share(names[0]) for a in self.ordinary if a.round == round_ + 1), None)
        winner = self.winner if self.winner in names else None
        return Aftermath(share, max(self.decided_round - round_, 0), winner, self.ending)

    def needed(self, round_: int, valid: int) -> int:
        """Return the votes that elect in a round with so many valid papers.

        Examples
        --------
        >>> from iomsim.validation.data import contest
        >>> contest("WHO2017").needed(2, 183), contest("WHO2017").needed(3, 183)
        (122, 92)
        """
        return votes_to_win(self.rules, round_, valid, self.size, self.started)

    def _elects(self, known: RoundTally) -> bool:
        if known.round == self.decided_round and self.ending == "majority":
            return True
        return max(known.tally) >= (known.needed or self.needed(known.round, known.base))

    # -- as a scenario ---------------------------------------------------------------------------

    @property
    def scenario(self) -> Scenario:
        """The contest as a scenario in which nothing is known of sponsors.

        One class of members; nobody's appeal differs, but the level that all share is spread so
        widely (`common_sd` 1.7) that before round 1 every share is about equally likely.

        Raises
        ------
        ScenarioError
            If no two candidates are known.

        Examples
        --------
        >>> from iomsim.validation.data import contest
        >>> race = contest("UNSC2006-GRULAC").scenario
        >>> race.names, len(race.members), race.rules.needed(185)
        (('Guatemala', 'Venezuela'), 192, 124)
        """
        return self.race(self.candidates)

    def race(
        self,
        names: tuple[str, ...],
        behaviour: Behaviour | None = None,
        rules: Procedure | None = None,
        appeals: Mapping[str, float] | None = None,
        clock: Mapping[str, Any] | None = None,
        parts: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Scenario:
        """Return the contest between some of its candidates, under any behaviour.

        Parameters
        ----------
        names : tuple of str
            Who stands; of more than sixteen the first sixteen.
        behaviour : Behaviour, optional
            How members vote and change their minds; default the model's.
        rules : Procedure, optional
            Default the contest's.
        appeals : mapping of float, optional
            Candidates' appeal, 0 by default.
        clock : mapping, optional
            The clock; default the body's, or the model's, opening on the first day known.
        parts : mapping, optional
            Parts of a scenario in place of those given here, such as sponsors or an electorate.
        **changes
            What differs of the behaviour.

        Raises
        ------
        ScenarioError
            If fewer than two stand.
        """
        if len(names) < 2:
            raise ScenarioError(f"{self.id} has no tally of two candidates or more, so it makes no scenario")
        stand = names[:MAX_CANDIDATES]
        shipped = self._shipped_body
        return build(
            {
                "title": self.title,
                "about": "A past contest; nothing is known of sponsors, nor of the level before round 1.",
                "body": self.body if shipped else "",
                "electorate": {"size": self.size},
                "candidates": [{"name": name, "appeal": (appeals or {}).get(name, 0.0)} for name in stand],
                "behaviour": dict(behaviour or Behaviour()) | _NOTHING_KNOWN | changes,
                "rules": (rules or self.rules).with_(source="the record of the contest", grade="inferred"),
                "clock": self._opening(dict(clock or (clock_of(shipped) if shipped else {}))),
                **(parts or {}),
            },
            self.id,
        )

    def _opening(self, clock: dict[str, Any]) -> dict[str, Any]:
        """Return a clock that opens on the first day known, at its own hour, whatever day of the week that was."""
        hour = clock["opens"].time() if "opens" in clock else time(10)
        return clock | {"opens": datetime.combine(self._first_day, hour), "days": WEEKDAYS}

    @property
    def _first_day(self) -> date:
        dated = (known.date for known in self.rounds if known.date)
        return next(dated, date(min(max(self.year or 2000, 1900), 2200), 1, 1))

    # -- what kind of contest it was -----------------------------------------------------------------

    @property
    def kind(self) -> str:
        """What kind of rule it was held under: one of :data:`KINDS_OF_RULE`."""
        candidates = max(self.started, 2)
        bars = [self.rules.bar(stage.phase, stage.held, number) for number, stage in enumerate(self._stages, start=1)]
        shares = [share for bar in bars if (share := bar.share or _share_of(bar, self.size)) is not None]
        if not shares or shares[0] <= MAJORITY:
            return "more than half"
        ends = self.rules.longest(candidates) is not None or min(shares) <= MAJORITY
        return "two thirds, with an end" if ends else "two thirds until reached"

    @cached_property
    def body_kind(self) -> str:
        """What kind of body held it, as its file says; empty for a body that is not shipped."""
        return self._shipped_body.kind if self._shipped_body else ""

    @property
    def title(self) -> str:
        """The body by its full name, the year and the id."""
        held_by = self._shipped_body.name if self._shipped_body else self.body
        return " ".join(filter(None, [held_by, str(self.year or ""), f"({self.id})"]))

    @property
    def _shipped_body(self) -> Body | None:
        return body(self.body) if self.body in shipped_folders("bodies") else None

    @property
    def _stages(self) -> tuple[Stage, ...]:
        return tuple(self.rules.stages(max(self.started, 2)))

    def story(self) -> list[str]:
        """Return what happened, a line for each known round and one for the end.

        Examples
        --------
        >>> from iomsim.validation.data import contest
        >>> for line in contest("IOC2020").story():
        ...     print(line)
        Round 1: Tokyo 42, Istanbul 26, Madrid 26 (94 valid papers).
        Round 2, without Madrid: Tokyo 60, Istanbul 36 (96 valid papers, 49 needed).
        majority: Tokyo.
        """
        lines: list[str] = []
        for before, known in zip((None, *self.rounds), self.rounds, strict=False):
            lines.append(f"Round {known.round}{_changes(before, known)}: {_told(known)}.")
        return [*lines, f"{self.decided_how or self.ending}: {self.winner or 'nobody'}."]

    def __repr__(self) -> str:
        """Return the tallies and the end in a line."""
        known = ", ".join(f"{a.round}: {'-'.join(map(str, a.tally))}" for a in self.rounds) or "no tally known"
        return f"{self.id} ({known}): {self.decided_how or self.ending}, {self.winner or 'nobody'}"

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(line)}</li>" for line in self.story())
        return in_html(f"<p>{escape(self.title)}</p><ul>{lines}</ul>")


def _share_of(bar: Bar, size: int) -> float | None:
    return float(bar.value) / size if bar.kind == "count" and bar.value is not None and size else None


def _told(known: RoundTally) -> str:
    """Return a tally in words, with all that was announced of the papers."""
    votes = ", ".join(f"{name} {votes}" for name, votes in sorted(known.votes.items(), key=lambda item: -item[1]))
    papers = dict(known.papers) | {"valid": known.valid, "needed": known.needed}
    told = ", ".join(f"{number} {PAPERS[key]}" for key, number in papers.items() if number is not None)
    kind = {"two-seat": "for several seats", "yes-no": "on one alone", "single": "after a withdrawal"}.get(known.kind)
    return f"{votes}{f' ({told})' if told else ''}{f', {kind}' if kind else ''}"


def _changes(before: RoundTally | None, known: RoundTally) -> str:
    """Return who stood no longer in a round, and who came in, compared with the one before if that is known."""
    if before is None or before.round != known.round - 1 or known.kind in ("yes-no", "partial"):
        return ""
    left = [name for name in before.field if name not in known.votes]
    new = [name for name in known.field if name not in before.votes]
    said = [f"without {series(left)}" if left else "", f"with {series(new)} as well" if new else ""]
    return f", {' and '.join(filter(None, said))}" if left or new else ""
