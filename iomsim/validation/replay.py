"""Past contests replayed: what the model said after every announced round."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from iomsim.election_day.election_day import Night, UnexpectedTallyWarning, live
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import AnnouncementError
from iomsim.model.components import Behaviour
from iomsim.rules.ruleset import ENDINGS
from iomsim.typing import Floats
from iomsim.validation.contest import Contest
from iomsim.validation.prediction import LAST, Outlook, frequencies
from iomsim.validation.rounds import Announced
from iomsim.validation.segments import Stretch, broken, stretches

PARTICLES = 4000
LARGE = 400
"""An electorate above which particles are saved: a tally costs as much as members times votes."""

FEWEST, FEWEST_OF_ALL = 0.01, 5
"""Share of effective particles, and their number, below which a stretch is broken off and restarted."""


@dataclass(frozen=True, eq=False)
class Said:
    """What the model said after a round.

    Attributes
    ----------
    round : int
        The round just announced.
    outlook : Outlook
        Its forecast, candidates in the order of that round's votes.
    conditioning : str
        What it was conditioned on: exactly, or restarted from a tally.
    effective : float
        Effective particles after the tally.
    surprise : float
        Two-sided tail probability that the model had given to the tally (1 where a stretch starts).
    """

    round: int
    outlook: Outlook
    conditioning: str
    effective: float
    surprise: float


def replay_contest(
    contest: Contest, behaviour: Behaviour | None = None, *, particles: int = PARTICLES, seed: int = 0
) -> Iterator[Said]:
    """Yield what the model says after every round that leaves a contest open.

    Parameters
    ----------
    contest : Contest
        The contest; nothing but rounds already announced is used.
    behaviour : Behaviour, optional
        How members vote and change their minds; default the model's.
    particles : int, default 4000
        Possible worlds; fewer for electorates above 400.
    seed : int
        Addresses the random numbers, together with the contest's id and the round, so that no contest
        depends on which others are replayed.

    Examples
    --------
    >>> from iomsim.validation.contests import contest
    >>> [said] = replay_contest(contest("UNSC2020-AF"), particles=500)
    >>> said.conditioning, said.outlook.over_next > 0.2
    ('exact: round 1', True)
    """
    for stretch in stretches(contest):
        yield from replay_stretch(stretch, behaviour, particles, seed)


def replay_stretch(stretch: Stretch, behaviour: Behaviour | None, particles: int, seed: int) -> Iterator[Said]:
    """Yield what the model says round by round; where too few worlds are left, restart."""
    contest, size = stretch.contest, worlds(particles, stretch.contest.size)
    last = max((known for known in contest.points), default=0)
    night = live(stretch.scenario(behaviour), size, address(seed, contest.id, stretch.start))
    for known in stretch.rounds:
        if known.round > last:
            return
        if not announce(night, known) or night.effective_size < max(FEWEST * size, FEWEST_OF_ALL):
            if known.round == stretch.start:
                raise AnnouncementError(f"{contest.id}, round {known.round}: no possible world agrees with the tally")
            rest = broken(stretch, known.round, "the rounds before left too few worlds")
            yield from replay_stretch(rest, behaviour, particles, seed)
            return
        if known.round in contest.points:
            surprise = night.stage.surprise if known.round > stretch.start else 1.0
            outlook = outlook_of(night, contest.at(known.round).field)
            yield Said(known.round, outlook, stretch.conditioning(known.round), night.effective_size, surprise)


def worlds(particles: int, members: int) -> int:
    """Return how many particles an electorate of this size is given."""
    return max(int(particles * min(1.0, LARGE / members)), 2)


def address(seed: int, name: str, round_: int) -> int:
    """Return a seed of its own for a stretch, whatever else is replayed."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode()), round_]).generate_state(1)[0])


def announce(night: Night, known: Announced) -> bool:
    """Announce a round, and before it who is not there any more; say whether that was possible."""
    votes, standing = known.votes, night.stage.standing
    gone = [name for name, there in zip(night.race.names, standing, strict=True) if there and not votes[name]]
    try:
        for name in gone if night.stage.round_ and standing.sum() - len(gone) > 1 else []:
            night.eliminate(name)
        left = [name for name, there in zip(night.race.names, night.stage.standing, strict=True) if there]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnexpectedTallyWarning)
            night.announce({name: votes[name] for name in left})
    except AnnouncementError:
        return False
    return True


def outlook_of(night: Night, field: tuple[str, ...]) -> Outlook:
    """Return the forecast of a night, for the candidates in this order."""
    out = night.play_on()
    return outlook_from(out, night.stage.round_, [night.race.names.index(name) for name in field])


def outlook_from(out: Outcomes, held: int, order: list[int]) -> Outlook:
    """Return what runs say after `held` rounds, of candidates in this order (all others are nobody)."""
    place = dict(zip(order, range(len(order)), strict=True))
    winner = np.array([place.get(k, len(order)) for k in range(out.votes.shape[1])] + [len(order)])
    to_come = out.rounds.astype(int) - held
    return Outlook(
        shares=next_shares(out, held, order),
        over_next=float(np.mean(to_come <= 1)),
        to_come=frequencies(to_come, LAST + 1),
        winner=frequencies(winner[out.winner], len(order) + 1),
        ending=frequencies(out.ending.astype(int), len(ENDINGS)),
    )


def next_shares(out: Outcomes, held: int, order: list[int]) -> Floats:
    """Return the leader's share of the next round in every run that holds one between candidates."""
    rows = (out.starts + held)[out.rounds > held]
    votes = out.votes[rows][:, order].astype(float)
    between = (votes >= 0).sum(axis=1) > 1
    votes = np.maximum(votes[between], 0.0)
    total = votes.sum(axis=1)
    return np.asarray(votes[total > 0, 0] / total[total > 0])
