"""Segments of a past contest that can be conditioned on exactly, and the scenario that each is.

Rounds that are known one after the other, between candidates of whom some may leave but none comes back, are
one segment: the live update goes through it round by round.  Where a tally is missing, or two seats were filled
at once, the members' convictions are not known any more.  A new segment then starts from the next tally alone,
as if it were a first round, but as far on as the rounds before have brought it: openness has decayed, the rounds
without a concession count, and so do the rounds that the rules count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.laws import decayed_openness
from iomsim.model.components import Behaviour
from iomsim.model.quantities import Quantity
from iomsim.model.scenario import Scenario
from iomsim.rules.bar import Bar
from iomsim.rules.procedure import Procedure, Stage, Step
from iomsim.typing import Floats
from iomsim.validation.contest import DATED, Contest
from iomsim.validation.rounds import MAX_CANDIDATES, RoundTally

LEVEL_SD = 1.0
"""Spread of the level around the first tally of a segment, in log-odds times the root of the number of
candidates: between two 0.7, five times what a tally of 190 leaves open, so that the tally decides."""

CAMP = {"strength": 2.5, "spread": 1.5}
"""What holds the votes of the leader of three or more together: a sponsor of unknown weight, to whom half of the
members are open and the others are not.

Of many candidates one leads because a camp is behind it, and what its rivals lose goes to the leader no more than to
the next (of votes freed by an exit the leader got 36 %, the second 33 %); without a camp the model gives the leader
most of them.  How strong the camp is nobody knows: by the spread it may be next to nothing, or all there is.  The
two numbers were chosen with the shipped contests in view.
"""

CLEAR_LEAD = 0.1
"""The leader's log share above that of the second from which on the camp counts in full; between equals nobody has one.
"""

MAX_ROUNDS = 30
"""Rounds after which a new segment starts: the first tally says little of members by then, and the cost of
conditioning grows with the square of the rounds."""

REGIMES = ("fluid", "entrenched")

LEAST_MISSING = 0.02
"""Probability, at least, that a member hands in no valid paper."""


@dataclass(frozen=True)
class Segment:
    """Consecutive known rounds of a contest.

    Attributes
    ----------
    contest : Contest
        Whose rounds they are.
    rounds : tuple of RoundTally
        The rounds, with the votes of `names` only.
    names : tuple of str
        Who stood in the first of them, most votes first.
    why : str
        Why it starts here: empty for the beginning of the contest.
    camp : bool
        Whether the leader of three or more may have a camp behind it (:data:`CAMP`).
    """

    contest: Contest
    rounds: tuple[RoundTally, ...]
    names: tuple[str, ...]
    why: str = ""
    camp: bool = True

    @property
    def start(self) -> int:
        """Number of its first round."""
        return self.rounds[0].round

    @property
    def before(self) -> int:
        """Rounds for one seat that were held before it: so far has openness decayed."""
        seats = max((a.round for a in self.contest.rounds if a.kind == "two-seat" and a.round < self.start), default=0)
        return self.start - 1 - seats

    @property
    def non_concessions(self) -> int:
        """Times before it that the trailing one of two did not concede; unknown rounds count, ties do not."""
        first, tied = self.contest.two_way_from, [a.round for a in self.contest.ordinary if a.tied]
        return sum(round_ not in tied for round_ in range(first, self.start)) if len(self.names) == 2 else 0

    def conditioning(self, round_: int) -> str:
        """Say what a forecast after a round is conditioned on.

        Examples
        --------
        >>> from iomsim.validation.data import contest
        >>> [part.conditioning(part.start) for part in segments(contest("WHO2017"))]
        ['exact: round 1']
        >>> segments(contest("UNSC2014-WEOG"))[0].conditioning(2)
        'restart at round 2 (two seats at once before)'
        """
        some = f"rounds {self.start}-{round_}" if round_ > self.start else f"round {round_}"
        if not self.why:
            return f"exact: {some}"
        then = f", then exact to {round_}" if round_ > self.start else ""
        return f"restart at round {self.start} ({self.why}){then}"

    def scenario(self, behaviour: Behaviour | None = None) -> Scenario:
        """Return the scenario whose first round is the first of the segment.

        The level is centred on that round's tally, with a spread many times what the tally itself
        leaves open: before it nothing is forecast, and after it the tally has spoken.  The leader of three or more
        has a camp of unknown strength (:data:`CAMP`).
        """
        b = behaviour or Behaviour()
        votes = np.array(self.rounds[0].tally) + 0.5
        pull = (1 - b.secrecy.value) * self.camp_strength * self.contest.size / self._open_to
        logs = _appeals(votes / votes.sum(), pull, self._open_to / self.contest.size)
        appeals = dict(zip(self.names, (logs - logs.mean()).tolist(), strict=True))
        changes = self._used_up(b) | self._attendance(b) | {"common_sd": LEVEL_SD / len(self.names) ** 0.5}
        return self.contest.race(self.names, b, self.rules, appeals, DATED, self._camp if pull else None, **changes)

    @property
    def camp_strength(self) -> float:
        """Strength of the leader's camp: none between two, and where the first two are level."""
        first, second, *others = (votes + 0.5 for votes in self.rounds[0].tally)
        if not others or not self.camp:
            return 0.0
        return CAMP["strength"] * min(1.0, float(np.log(first / second)) / CLEAR_LEAD)

    @property
    def _open_to(self) -> int:
        """Members who are open to the leader's camp."""
        return (self.contest.size + 1) // 2

    @property
    def _camp(self) -> dict[str, Any]:
        """Return the members and the sponsor of a race with a camp."""
        size, strength = self.contest.size, self.camp_strength
        names = [f"Member {i + 1}" for i in range(size)]
        members = pd.DataFrame({"name": names, "camp": [i < self._open_to for i in range(size)]})
        named = {"name": f"the camp of {self.names[0]}", "backs": self.names[0], "exposure": {"camp": 1.0}}
        return {"electorate": {"members": members}, "sponsors": [named | CAMP | {"strength": strength}]}

    def _used_up(self, b: Behaviour) -> dict[str, Any]:
        """Return the behaviour as the rounds before have left it, every range moved as its value is.

        Members who have thought again already did so under the pull of earlier tallies, taken to have been much
        like this one; only the others still have that move before them.  So momentum keeps the share of those
        who have not.
        """
        out = {"concede_b": _each(b.concede_b, lambda x: x + self.non_concessions)}
        floor, decay = b.openness_inf.value, b.decay.value

        def openness(first: float) -> Floats:
            return np.asarray(decayed_openness(first, floor, decay, np.arange(self.before + 1)))

        for regime in REGIMES if self.before else ():
            first, momentum = getattr(b, f"openness_{regime}"), getattr(b, f"momentum_{regime}")
            still = float(np.prod(1 - openness(first.value)[:-1]))
            out[f"openness_{regime}"] = _each(first, lambda x: float(openness(x)[-1]))
            out[f"momentum_{regime}"] = _each(momentum, still.__mul__)
        return out

    def _attendance(self, b: Behaviour) -> dict[str, float]:
        """Return absence, abstention and stray papers that make as many papers missing as in the first tally.

        Where the rules bar members while their candidate stands, papers grow as candidates leave: then nobody is
        absent for good.
        """
        first, size = self.rounds[0], self.contest.size
        missing = max(1 - first.base / size, LEAST_MISSING)
        barred = any(phase.barred for phase in self.contest.rules.phases)
        absent = 0.0 if barred else missing * absent_part(b.absent.value, b.abstain.value)
        left = 1 - absent
        abstain, stray = ((missing - absent) / left, first.strays / size / left) if left > 0 else (0.0, 0.0)
        return {"absent": absent, "abstain": abstain} | ({"stray": stray} if stray else {})

    @property
    def rules(self) -> Procedure:
        """The rules as the rounds before have left them: at the stage where so many stand after so many ballots.

        Where the record says that candidates were voted on though the rules had left one alone, or had ended it, the
        stage before counts.
        """
        rules, two_way_from, k = self.contest.rules, self.contest.two_way_from, len(self.names)
        stage = rules.first_stage(max(self.contest.started, 2))
        for round_ in range(self.start - self.before, self.start):
            standing = 2 if round_ >= two_way_from else max(3, k)
            stage = self._voted(rules.next_stage(stage._replace(standing=standing), standing), stage)
        stage = self._voted(rules.without(stage._replace(standing=k), k, 0), stage._replace(standing=k))
        return _with_bar(rules.resumed(stage, self.start), self.rounds[0])

    def _voted(self, step: Step, before: Stage) -> Stage:
        after = step.stage
        return before if after is None or self.contest.rules.phases[after.phase].vote == "yes-no" else after


def _appeals(shares: Floats, pull: Floats | float, part: float) -> Floats:
    """Return the log-odds at which these are the mean shares where the first is pulled in a part of the members.

    Examples
    --------
    >>> _appeals(np.array([0.5, 0.25, 0.25]), 0.0, 0.5).round(3).tolist()
    [-0.693, -1.386, -1.386]
    >>> bool(_appeals(np.array([0.5, 0.25, 0.25]), 2.0, 0.5)[0] < -0.693)
    True
    """
    logs, leader = np.log(shares), np.arange(shares.size) == 0
    for _ in range(200 if pull else 0):
        odds = np.exp(np.stack([logs, logs + pull * leader]))
        chances = np.array([1 - part, part]) @ (odds / odds.sum(axis=1, keepdims=True))
        logs = logs + np.log(shares / chances)
    return np.asarray(logs)


def _each(quantity: Quantity, change: Callable[[float], float]) -> Quantity:
    """Return a quantity whose value and both ends are changed alike."""
    low, value, high = map(change, (quantity.low, quantity.value, quantity.high))
    return quantity.model_copy(update={"low": min(low, value), "value": value, "high": max(value, high)})


def _with_bar(rules: Procedure, first: RoundTally) -> Procedure:
    """Return rules whose first ballot has the bar that was announced, where it elected nobody against theirs."""
    if first.needed is None or max(first.tally) >= first.needed:
        return rules
    now, *later = rules.phases
    bars = now.threshold or rules.threshold
    bars = (Bar.of(first.needed), *(bars[1:] or bars))
    changed = {"threshold": bars} if now.threshold is None else {"phases": (replace(now, threshold=bars), *later)}
    return rules.with_(**changed, name=rules.name)


def absent_part(absent: float, abstain: float) -> float:
    """Return which part of the papers missing in a round are of members absent throughout.

    Examples
    --------
    >>> round(absent_part(0.05, 0.018), 3), absent_part(0.0, 0.0)
    (0.745, 0.0)
    """
    return absent / (absent + (1 - absent) * abstain) if absent else 0.0


def segments(contest: Contest, camp: bool | None = None) -> tuple[Segment, ...]:
    """Return the segments of a contest, by round; by default simulated contests have no camp.

    Examples
    --------
    >>> from iomsim.validation.data import contest
    >>> [[known.round for known in part.rounds] for part in segments(contest("UNSC2016-WEOG"))]
    [[2, 3, 4, 5]]
    >>> [(part.start, part.why) for part in segments(contest("UNSC2011-EEG"))]
    [(9, 'rounds 1-8 unknown'), (16, 'rounds 12-15 unknown')]
    """
    parts: list[list[RoundTally]] = []
    for known in contest.ordinary:
        if parts and _continues(parts[-1], known):
            parts[-1].append(known)
        else:
            parts.append([known])
    behind = not contest.synthetic if camp is None else camp
    return tuple(_segment(contest, part, _reason(contest, part[0]), behind) for part in parts)


def restarted(segment: Segment, round_: int, why: str) -> Segment:
    """Return the rest of a segment from a round on, restarted for a reason."""
    last = segment.rounds[-1].round
    rest = [known for known in segment.contest.ordinary if round_ <= known.round <= last]
    return _segment(segment.contest, rest, why, segment.camp)


def _continues(part: list[RoundTally], after: RoundTally) -> bool:
    before = part[-1]
    known = set(after.field) <= {*part[0].field} & {*before.votes}
    return after.round == before.round + 1 and known and len(part) < MAX_ROUNDS


def _segment(contest: Contest, rounds: list[RoundTally], why: str, camp: bool) -> Segment:
    names = _stood(contest, rounds[0])
    return Segment(contest, tuple(known.among(names) for known in rounds), names, why, camp)


def _stood(contest: Contest, first: RoundTally) -> tuple[str, ...]:
    """Return who stood in the first round of a segment: its main candidates.

    Where the rules put out the last after the very first ballot, that may be somebody with next to no votes.
    """
    started, named = contest.started, sorted(first.votes, key=lambda name: -first.votes[name])
    if first.round > 1 or started <= len(first.field):
        return first.field
    after = contest.rules.next_stage(contest.rules.first_stage(started), started).stage
    return tuple(named[: min(started, MAX_CANDIDATES)]) if after and after.standing < started else first.field


def _reason(contest: Contest, first: RoundTally) -> str:
    if first.round == 1:
        return ""
    earlier = [known for known in contest.rounds if known.round < first.round and known.kind != "partial"]
    last = earlier[-1].round if earlier else 0
    if last < first.round - 1:
        gap = f"rounds {last + 1}-{first.round - 1}" if last + 1 < first.round - 1 else f"round {last + 1}"
        return f"{gap} unknown"
    if earlier[-1].kind == "two-seat":
        return "two seats at once before"
    return f"{MAX_ROUNDS} rounds before" if set(first.field) <= set(earlier[-1].field) else "other candidates before"
