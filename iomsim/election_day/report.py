"""What an announcement did, in a sentence or two."""

from __future__ import annotations

from dataclasses import dataclass

from iomsim.election_day.between_rounds import lead
from iomsim.election_day.state import Stage
from iomsim.engine.plan import Plan
from iomsim.forecasting.estimates import thousands

RARE = 1e-3
"""Announcements less expected than this come with a warning."""

ENOUGH = 100
"""Effective particles below which the report calls what follows rough."""


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """What the last announcement did; prints as a sentence or two.

    Attributes
    ----------
    stage : Stage
        How the election stands after it.
    needed : str
        How far the leader was from being elected.
    particles : int
        Worlds carried.
    """

    stage: Stage
    needed: str
    particles: int

    def __str__(self) -> str:
        """Return the event, the particles left, and a word of caution where it is due."""
        stage, parts = self.stage, [f"{self.stage.told[0].upper()}{self.stage.told[1:]}."]
        if stage.round_ and stage.over is None:
            parts.append(self.needed)
        if stage.size < self.particles and stage.over is None:
            parts.append(effective(stage.size, self.particles))
        if stage.surprise < RARE:
            parts.append(caution(stage, self.particles))
        return " ".join(parts)

    __repr__ = __str__


def needed(plan: Plan, stage: Stage) -> str:
    """Return how far the leader was from being elected in the last round.

    Where the announcements leave it open, the median over the possible worlds, marked "about".
    """
    if not stage.round_:
        need = plan.rules.needed(plan.entitled, 1)
        return f"No round has been held; {need} votes elect if all {plan.entitled} members vote."
    leader = lead(plan, stage)
    name, short = plan.names[leader.candidate], leader.need - leader.votes
    bar = f"{'about ' * leader.rough_need}{leader.need}"
    if short <= 0:
        return f"{name} has {'about ' * leader.rough_votes}{leader.votes} votes, and {bar} elect."
    if stage.over is not None:
        return "The election is over; no votes are needed."
    rough = "about " * (leader.rough_votes or leader.rough_need)
    return f"{name} is {rough}{short} vote{'s' if short > 1 else ''} short of {bar}."


def effective(size: float, particles: int) -> str:
    """Return how many particles are effective, in a sentence."""
    counts = f"{thousands(round(size))} of {thousands(particles)} particles"
    if size < ENOUGH:
        return f"Only {counts} are effective: the numbers that follow are rough."
    return f"{counts} are effective."


def caution(stage: Stage, particles: int) -> str:
    """Return a word of caution about an announcement that was nearly impossible under the model."""
    odds = one_in(stage.surprise, particles)
    return f"The model gave {stage.surprising} {odds}; treat what follows with care."


def one_in(odds: float, particles: int) -> str:
    """Return long odds in words, with no more digits than the worlds support.

    Examples
    --------
    >>> one_in(1 / 4123, 20_000), one_in(1e-9, 20_000)
    ('about 1 in 4\u202f100', 'less than 1 in 20\u202f000')
    """
    if odds * particles < 1:
        return f"less than 1 in {thousands(particles)}"
    return f"about 1 in {thousands(int(float(f'{1 / odds:.2g}')))}"
