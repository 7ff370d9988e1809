"""Several readings of the rules side by side, each election under one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from iomsim.errors import ScenarioError
from iomsim.rules.bar import Bar
from iomsim.rules.phase import Phase
from iomsim.rules.procedure import Procedure, Stage, Step


@dataclass(frozen=True)
class Rulebook:
    """Several readings of the rules, as one procedure whose phases are numbered through all of them.

    An election never leaves the reading that it begins with, so the number of its phase says which one that is.

    Attributes
    ----------
    readings : tuple of Procedure
        With the same horizon.

    Examples
    --------
    >>> capped = Procedure(phases=[Phase(ballots=3)], after="fail")
    >>> book = Rulebook((capped, Procedure()))
    >>> len(book.phases), book.next_stage(Stage(0, 2, 2), 2).stage, book.next_stage(Stage(1, 2, 2), 2).stage.phase
    (2, None, 1)
    """

    readings: tuple[Procedure, ...]

    def __post_init__(self) -> None:
        horizons = sorted({reading.max_rounds for reading in self.readings})
        if len(horizons) != 1:
            raise ScenarioError(
                f"readings must be simulated over as many rounds, got max_rounds {' and '.join(map(str, horizons))}"
            )

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of all."""
        return tuple(phase for reading in self.readings for phase in reading.phases)

    @cached_property
    def _places(self) -> list[tuple[Procedure, int]]:
        """The reading of each phase, and the number of that reading's first phase."""
        places: list[tuple[Procedure, int]] = []
        for reading in self.readings:
            places += [(reading, len(places))] * len(reading.phases)
        return places

    @property
    def max_rounds(self) -> int:
        """Ballots after which a run is left open."""
        return self.readings[0].max_rounds

    @cached_property
    def withdrawals(self) -> tuple[str, ...]:
        """What a withdrawal leads to, by phase."""
        return tuple(reading.withdrawal for reading, _ in self._places)

    @cached_property
    def bases(self) -> set[str]:
        """The bases of their phases."""
        return set().union(*(reading.bases for reading in self.readings))

    def first_phases(self, candidates: int) -> tuple[int, ...]:
        """Return the phase of the first ballot under each reading."""
        if candidates not in self._firsts:
            phases, place = [], 0
            for reading in self.readings:
                phases.append(place + reading.first_stage(candidates).phase)
                place += len(reading.phases)
            self._firsts[candidates] = tuple(phases)
        return self._firsts[candidates]

    @cached_property
    def _firsts(self) -> dict[int, tuple[int, ...]]:
        return {}

    def base_of(self, phase: int) -> str:
        """Return the base of a phase."""
        reading, first = self._places[phase]
        return reading.base_of(phase - first)

    def bar(self, phase: int, held: int, ballot: int) -> Bar:
        """Return the bar of a ballot: see :meth:`Procedure.bar`."""
        reading, first = self._places[phase]
        return reading.bar(phase - first, held, ballot)

    def next_stage(self, stage: Stage, in_race: int, withdrew: int = 0) -> Step:
        """Return what follows an inconclusive ballot: see :meth:`Procedure.next_stage`."""
        reading, first = self._places[stage.phase]
        step = reading.next_stage(stage._replace(phase=stage.phase - first), in_race, withdrew)
        return step if step.stage is None else step._replace(stage=step.stage._replace(phase=step.stage.phase + first))
