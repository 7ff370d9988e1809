"""How a body elects, as data: a procedure is a list of phases, and a stage is where an election stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import Any, Literal, NamedTuple, get_args

from iomsim.errors import ScenarioError, quote, unknown
from iomsim.rules.bar import BASES, TWO_THIRDS, Bar, as_written, bars_of
from iomsim.rules.phase import MOST_BALLOTS, Phase, known_parts, one_of, text, whole
from iomsim.rules.words import ENDS, rules_in_words

ENDINGS = ("majority", "acclamation", "confirmed", "failed", "open")
"""How a run can end.  The last two have no winner: the rules end it, or voting goes on beyond the horizon."""

AFTER = ("fail", "suspend", "repeat")
WITHDRAWALS = ("none", "acclamation", "vote")

Grade = Literal["verified", "inferred", "recalled", "assumed"]
"""How well something is known."""

GIVEN = "given by the user"
"""The source of what has none."""

MAX_BALLOTS = 40
MOST_PHASES = 100
"""Ballots after which a run is left open unless said otherwise: a horizon of the simulation, not a rule."""


class Stage(NamedTuple):
    """Where an election stands in a procedure, whatever the names.

    `phase` counts from 0, `held` are the ballots that the phase has held (counted as far as it makes a difference),
    `standing` says how many stand.
    """

    phase: int
    held: int
    standing: int


class Step(NamedTuple):
    """What follows an inconclusive ballot, whatever the names.

    `stage` is that of the next ballot, None if the rules end the election; `reopened` says that all who have not
    withdrawn stand again; `tie` is how a tie at the cut is broken; `begins` says that another phase begins.
    """

    stage: Stage | None
    reopened: bool = False
    tie: str = "lot"
    begins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """The rules of one election: what elects, who leaves, when it ends.  What it does not say does not happen.

    Attributes
    ----------
    name : str
        Of a body's reading, or any label of your own.
    phases : tuple of Phase
        In the order in which they are held.
    threshold : tuple of Bar
        Of successive ballots, the last one stays; a phase may have its own.
    base : {"valid", "present", "entitled"}
        What the threshold is a share of: valid papers (stray ones too), members present, members with a vote.
    withdrawal : {"none", "acclamation", "vote"}
        May the trailing one of two withdraw, and what does the other then face?  A vote is one ballot of yes or
        no; if it fails, the election fails.
    after : {"fail", "suspend", "repeat"} or None
        What follows the last phase: no winner, no winner for now (both end as "failed"), or `repeat_from`.  None
        where the last phase goes on.
    repeat_from : str
        Name of a phase.
    max_rounds : int
        Ballots after which a run is left open: a horizon of the simulation, not a rule.
    grade, source : str
        How well the rules are known, and from where; procedures that differ in nothing else are equal.

    Examples
    --------
    >>> rules = Procedure(threshold=">1/2", phases=[Phase(standing=3, drop=1), Phase()])
    >>> rules.needed(100), Procedure(threshold=["2/3", "2/3", ">1/2"]).needed(183, ballot=3)
    (51, 92)
    >>> print(rules.sentence(2))
    More than half of the votes cast elect. Ballots go on without limit.
    """

    name: str = "own rules"
    phases: tuple[Phase, ...] = (Phase(),)
    threshold: tuple[Bar, ...] = (Bar("at least", TWO_THIRDS),)
    base: str = "valid"
    withdrawal: str = "none"
    after: str | None = None
    repeat_from: str = ""
    max_rounds: int = MAX_BALLOTS
    grade: str = field(default="assumed", compare=False, repr=False)
    source: str = field(default=GIVEN, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", bars_of(self.threshold))
        if not isinstance(self.phases, (list, tuple)):
            raise ScenarioError(f"phases must be a list of phases or tables, got {quote(self.phases)}")
        object.__setattr__(self, "phases", tuple(map(Phase.of, self.phases)))
        text("the name of the rules", self.name)
        one_of("base", self.base, BASES)
        one_of("withdrawal", self.withdrawal, WITHDRAWALS)
        one_of("grade", self.grade, get_args(Grade))
        whole("max_rounds", self.max_rounds, 1)
        if self.max_rounds > MOST_BALLOTS:
            raise ScenarioError(f"max_rounds must be at most {MOST_BALLOTS}, got {quote(self.max_rounds)}")
        self._check_phases()

    def _check_phases(self) -> None:
        if not self.phases:
            raise ScenarioError(
                f"the rules {quote(self.name)} have no phase; give at least one, {{}} for ballots without limit"
            )
        if len(self.phases) > MOST_PHASES:
            raise ScenarioError(f"rules have at most {MOST_PHASES} phases, got {len(self.phases)}")
        names = [phase.name for phase in self.phases if phase.name]
        for name in names:
            if names.count(name) > 1:
                raise ScenarioError(f"two phases are called {quote(name)}; names must differ")
        for number, phase in enumerate(self.phases[:-1], start=1):
            if not phase.bounded:
                what = repr(phase.name) if phase.name else f"number {number}"
                raise ScenarioError(
                    f"phase {what} never ends, so that the next is never held; give it ballots or standing"
                )
        if self.phases[0].vote == "yes-no":
            raise ScenarioError("the first phase is a vote on the leader alone, but nobody leads before a ballot")
        if self.after is not None:
            one_of("after", self.after, AFTER)
        if self.phases[-1].bounded != (self.after is not None):
            if self.after is None:
                raise ScenarioError(
                    "the last phase has an end; say what then follows: after = 'fail', 'suspend' or 'repeat'"
                )
            raise ScenarioError(
                f"after = {quote(self.after)} is never reached, for the last phase has no end; give it ballots"
            )
        if (self.after == "repeat") != bool(self.repeat_from):
            raise ScenarioError("after = 'repeat' and repeat_from = the name of a phase belong together")
        if self.repeat_from and self.repeat_from not in names:
            raise unknown("phase", self.repeat_from, names)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Procedure:
        """Return a procedure from a table of a file.

        Examples
        --------
        >>> Procedure.of({"threshold": "most", "phases": [{"ballots": 1}], "after": "fail"}).after
        'fail'
        """
        return cls(**known_parts(cls, table, "part of the rules"))

    def with_(self, **changes: Any) -> Procedure:
        """Return a changed procedure, marked so in its name unless that is given.

        Examples
        --------
        >>> Procedure(name="ours").with_(base="present").name
        'ours, changed'
        """
        for key in changes:
            if key not in PARTS:
                raise unknown("part of the rules", key, PARTS)
        changed = replace(self, **changes)
        if changed == self or "name" in changes or self.name.endswith(", changed"):
            return changed
        return replace(changed, name=f"{self.name}, changed")

    @property
    def nameless(self) -> Procedure:
        """The same rules without their own words: two that always elect alike by what they say are equal then.

        Examples
        --------
        >>> Procedure(name="ours", phases=[Phase(name="all")]).nameless == Procedure(name="theirs").nameless
        True
        """
        names = [phase.name for phase in self.phases]
        phases = tuple(replace(phase, name=str(number)) for number, phase in enumerate(self.phases, start=1))
        again = str(names.index(self.repeat_from) + 1) if self.repeat_from else ""
        return replace(self, name="", phases=phases, repeat_from=again)

    # -- stages ---------------------------------------------------------------------------------

    def first_stage(self, candidates: int) -> Stage:
        """Return where an election stands before its first ballot.

        Raises
        ------
        ScenarioError
            If there is no phase in which so many can be voted for.
        """
        stage = self._enter(Stage(-1, 0, candidates), candidates, Step(None), voted=False).stage
        if stage is None or self.phases[stage.phase].vote == "yes-no":
            raise ScenarioError(
                f"the rules {quote(self.name)} have no phase in which {candidates} candidates are voted for"
            )
        return stage

    def first_phases(self, candidates: int) -> tuple[int, ...]:
        """Return the phase of the first ballot under each reading: of one."""
        return (self.first_stage(candidates).phase,)

    def next_stage(self, stage: Stage, in_race: int, withdrew: int = 0) -> Step:
        """Return what follows an inconclusive ballot.

        Parameters
        ----------
        stage : Stage
            That of the ballot.
        in_race : int
            How many have not withdrawn, those put out by the rules included.
        withdrew : int, default 0
            How many of those standing withdrew after the ballot; each takes the place of one who would be dropped.
        """
        phase, standing = self.phases[stage.phase], stage.standing
        left = min(max(min(standing, phase.down_to), standing - phase.drop), standing - withdrew)
        spent = phase.ballots is not None and stage.held + 1 >= phase.ballots
        held = min(stage.held + 1, max(phase.ballots or 0, len(phase.threshold or ())))
        return self._from(Stage(stage.phase, held, left), in_race, phase.tie, spent)

    def without(self, stage: Stage, in_race: int, withdrew: int = 1) -> Step:
        """Return where an election stands after withdrawals that do not follow a ballot at once."""
        return self._from(stage._replace(standing=stage.standing - withdrew), in_race, "lot", spent=False)

    def _from(self, stage: Stage, in_race: int, tie: str, spent: bool) -> Step:
        if spent or stage.standing < self.phases[stage.phase].standing:
            return self._enter(stage, in_race, Step(None, tie=tie), voted=True)
        return Step(stage, tie=tie)

    def _enter(self, stage: Stage, in_race: int, step: Step, voted: bool) -> Step:
        """Return the first of the following phases that can be held; if none can, the rules end the election."""
        index, standing, reopened, tie = stage.phase, stage.standing, step.reopened, step.tie
        for _ in range(2 * len(self.phases)):
            index += 1
            if index == len(self.phases):
                if self.after != "repeat":
                    return Step(None, begins=True)
                index = [phase.name for phase in self.phases].index(self.repeat_from)
            phase = self.phases[index]
            back = phase.field == "all" and voted
            asked = in_race if back else standing
            if asked < phase.standing:
                continue
            kept = phase.cut(asked) if voted else asked
            reopened, tie = reopened or back, phase.tie if kept < asked else tie
            standing = kept
            if standing >= phase.standing:
                return Step(Stage(index, 0, standing), reopened, tie, begins=True)
        return Step(None, begins=True)

    def stages(self, candidates: int) -> Iterator[Stage]:
        """Yield the stages of the ballots if none decides and nobody withdraws, up to the horizon."""
        stage: Stage | None = self.first_stage(candidates)
        for _ in range(self.max_rounds):
            if stage is None:
                return
            yield stage
            stage = self.next_stage(stage, candidates).stage

    @property
    def readings(self) -> tuple[Procedure, ...]:
        """These rules alone: see :class:`iomsim.rules.rulebook.Rulebook`."""
        return (self,)

    @property
    def withdrawals(self) -> tuple[str, ...]:
        """What a withdrawal leads to, by phase."""
        return (self.withdrawal,) * len(self.phases)

    @property
    def can_fail(self) -> bool:
        """Whether they can end an election without a winner."""
        return self.after in ENDS or self.withdrawal == "vote" or self.fewest_again > 1

    @property
    def fewest_again(self) -> int:
        """How many must stand for it to begin again, where it does; with fewer the election fails."""
        if self.after != "repeat":
            return 1
        start = [phase.name for phase in self.phases].index(self.repeat_from)
        return min(phase.standing for phase in self.phases[start:])

    def longest(self, candidates: int) -> int | None:
        """Return the most ballots that they can take with so many candidates; None if there is no end to them.

        Examples
        --------
        >>> rules = Procedure(phases=[Phase(ballots=3), Phase(vote="yes-no", ballots=1)], after="fail")
        >>> rules.longest(2), Procedure().longest(2)
        (4, None)
        """
        most = int(self.withdrawal == "vote")
        for phase in self.phases:
            shrinks = phase.drop and phase.down_to < phase.standing
            if phase.standing > candidates:
                continue
            if self.after == "repeat" or (phase.ballots is None and not shrinks):
                return None
            most += candidates if phase.ballots is None else phase.ballots
        return most

    def resumed(self, stage: Stage, ballot: int) -> Procedure:
        """Return what is left of the procedure from a stage on, whose ballot is number `ballot` of the whole.

        Examples
        --------
        >>> from iomsim.rules.procedure import Stage
        >>> phases = [Phase(name="all", ballots=3), Phase(keep=2)]
        >>> rules = Procedure(threshold=["2/3", "2/3", ">1/2"], phases=phases)
        >>> left = rules.resumed(Stage(0, 2, 3), 3)
        >>> left.phases, left.needed(100), left.needed(100, ballot=2)
        ((Phase(name='all', ballots=1), Phase(keep=2)), 51, 51)
        """
        now, later = self.phases[stage.phase], self.phases[stage.phase + 1 :]
        bars = None if now.threshold is None else now.threshold[min(stage.held, len(now.threshold) - 1) :]
        ballots = None if now.ballots is None else max(now.ballots - stage.held, 1)
        first = replace(now, field="remaining", keep=None, ballots=ballots, threshold=bars)
        phases, repeat_from = [first, *later], self.repeat_from
        if repeat_from and repeat_from not in [phase.name for phase in later]:
            start = [phase.name for phase in self.phases].index(repeat_from)
            phases += [replace(phase, name=f"{phase.name} again") for phase in self.phases[start:]]
            repeat_from = f"{repeat_from} again"
        return replace(
            self,
            phases=tuple(phases),
            threshold=self.threshold[min(ballot, len(self.threshold)) - 1 :],
            repeat_from=repeat_from,
        )

    # -- the bar ---------------------------------------------------------------------------------

    def bar(self, phase: int, held: int, ballot: int) -> Bar:
        """Return the bar of a ballot: the phase, how many the phase has held, and its number in the whole."""
        own = self.phases[phase].threshold
        bars, number = (self.threshold, ballot - 1) if own is None else (own, held)
        return bars[min(number, len(bars) - 1)]

    @property
    def bars(self) -> tuple[Bar, ...]:
        """All bars there are, those of the whole first."""
        return (*self.threshold, *(bar for phase in self.phases for bar in phase.threshold or ()))

    @property
    def bases(self) -> set[str]:
        """The bases of its phases."""
        return {self.base_of(phase) for phase in range(len(self.phases))}

    def base_of(self, phase: int) -> str:
        """Return the base of a phase."""
        return self.phases[phase].base or self.base

    def needed(self, base: Any, ballot: int = 1, candidates: int = 2) -> Any:
        """Return the votes that elect in a ballot, if all before were inconclusive and nobody withdrew.

        Parameters
        ----------
        base : int or ndarray of int
            Papers or members of which the bar is a share.
        ballot : int
            Number of the ballot, from 1; beyond the last one that the rules know, that one.
        candidates : int
            How many stand at the beginning.

        Raises
        ------
        ScenarioError
            If the number of the ballot is none, or if so many candidates are voted for in no phase.
        """
        whole("ballot", ballot, 1)
        *_, (number, stage) = islice(enumerate(self.stages(candidates), start=1), ballot)
        return self.bar(stage.phase, stage.held, number).needed(base)

    def sentence(self, candidates: int = 2) -> str:
        """Return the rules as plain words, for as many candidates as stand.

        Raises
        ------
        ScenarioError
            If there is no phase in which so many can be voted for.
        """
        whole("candidates", candidates, 1)
        self.first_stage(candidates)
        told = [phase.told(self.threshold, self.base) for phase in self.phases]
        back = [phase.name for phase in self.phases].index(self.repeat_from) if self.repeat_from else None
        return rules_in_words(told, self.withdrawal, self.after, back, candidates)

    def table(self) -> dict[str, Any]:
        """Return the procedure as a table of a file; :meth:`of` gives an equal one back."""
        out: dict[str, Any] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if part.name == "phases":
                value = [phase.table() for phase in self.phases]
            elif part.name == "threshold":
                value = as_written(value)
            elif value == part.default and part.name not in ("name", "grade", "source"):
                continue
            out[part.name] = value
        return out


PARTS = tuple(part.name for part in fields(Procedure))
COMPARED = tuple(part.name for part in fields(Procedure) if part.compare)
"""What decides an election, and the name."""
