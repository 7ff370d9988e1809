"""Segments of a past contest that can be conditioned on exactly, and the scenario that each is.

Rounds that are known one after the other, between candidates of whom some may leave but none comes back, are
one segment: the live update goes through it round by round.  Where a tally is missing, or two seats were filled
at once, the members' convictions are not known any more.  A new segment then starts from the next tally alone,
as if it were a first round, but as far on as the rounds before have brought it: openness has decayed, the rounds
without a concession count, and so do the rounds that the rules count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from iomsim.engine.laws import decayed_openness
from iomsim.model.components import Behaviour
from iomsim.model.scenario import Scenario
from iomsim.rules.procedure import Procedure, Stage, Step
from iomsim.validation.contest import Contest
from iomsim.validation.rounds import RoundTally

LEVEL_SD = 1.0
"""Spread of the level around the first tally of a segment, in log-odds times the root of the number of
candidates: between two 0.7, five times what a tally of 190 leaves open, so that the tally decides."""

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
    """

    contest: Contest
    rounds: tuple[RoundTally, ...]
    names: tuple[str, ...]
    why: str = ""

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
        leaves open: before it nothing is forecast, and after it the tally has spoken.
        """
        b = behaviour or Behaviour()
        logs = np.log(np.array(self.rounds[0].tally) + 0.5)
        appeals = dict(zip(self.names, (logs - logs.mean()).tolist(), strict=True))
        changes = self._used_up(b) | self._attendance(b) | {"common_sd": LEVEL_SD / len(self.names) ** 0.5}
        return self.contest.race(self.names, b, self.rules, appeals, **changes)

    def _used_up(self, b: Behaviour) -> dict[str, float]:
        """Return the behaviour as the rounds before have left it.

        Members who have thought again already did so under the pull of earlier tallies, taken to have been much
        like this one; only the others still have that move before them.  So momentum keeps the share of those
        who have not.
        """
        out = {"concede_b": b.concede_b.value + self.non_concessions}
        for regime in REGIMES:
            first, floor = getattr(b, f"openness_{regime}").value, b.openness_inf.value
            omega = np.asarray(decayed_openness(first, floor, b.decay.value, np.arange(self.before + 1)))
            out[f"openness_{regime}"] = float(omega[-1])
            out[f"momentum_{regime}"] = getattr(b, f"momentum_{regime}").value * float(np.prod(1 - omega[:-1]))
        return out

    def _attendance(self, b: Behaviour) -> dict[str, float]:
        """Return absence and abstention that make as many papers missing as in the first tally."""
        missing = max(1 - sum(self.rounds[0].tally) / self.contest.size, LEAST_MISSING)
        absent = missing * absent_part(b.absent.value, b.abstain.value)
        return {"absent": absent, "abstain": (missing - absent) / (1 - absent) if absent < 1 else 0.0}

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
        return rules.resumed(stage, self.start)

    def _voted(self, step: Step, before: Stage) -> Stage:
        after = step.stage
        return before if after is None or self.contest.rules.phases[after.phase].vote == "yes-no" else after


def absent_part(absent: float, abstain: float) -> float:
    """Return which part of the papers missing in a round are of members absent throughout.

    Examples
    --------
    >>> round(absent_part(0.05, 0.018), 3), absent_part(0.0, 0.0)
    (0.745, 0.0)
    """
    return absent / (absent + (1 - absent) * abstain) if absent else 0.0


def segments(contest: Contest) -> tuple[Segment, ...]:
    """Return the segments of a contest, by round.

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
    return tuple(_segment(contest, part, _reason(contest, part[0])) for part in parts)


def restarted(segment: Segment, round_: int, why: str) -> Segment:
    """Return the rest of a segment from a round on, restarted for a reason."""
    last = segment.rounds[-1].round
    rest = [known for known in segment.contest.ordinary if round_ <= known.round <= last]
    return _segment(segment.contest, rest, why)


def _continues(part: list[RoundTally], after: RoundTally) -> bool:
    before = part[-1]
    return after.round == before.round + 1 and set(after.field) <= set(before.field) and len(part) < MAX_ROUNDS


def _segment(contest: Contest, rounds: list[RoundTally], why: str) -> Segment:
    names = rounds[0].field
    return Segment(contest, tuple(known.among(names) for known in rounds), names, why)


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
