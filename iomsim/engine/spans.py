"""Cuts runs into blocks, plays them wherever an executor puts them, and gathers the results."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iomsim.engine import kernel, rng
from iomsim.engine.clock import Timetable
from iomsim.engine.executors import in_order
from iomsim.engine.plan import Draws, Plan, compile_scenario, draw, stances
from iomsim.engine.rng import BLOCK
from iomsim.errors import BlockError
from iomsim.model.scenario import Scenario
from iomsim.typing import Codes, Floats, Longs, Shorts

BEFORE_ROUNDS = ("secrecy", "common_sd", "region_sd", "conviction", "absent", "cross_pressure_absence", "fluid")
"""Behaviour that has done its work before the first round."""

SPAN = 16
"""Blocks that are played together: what a round costs apart from its members is shared."""

LONG, MANY = 4, 5
"""With more than so `MANY` spans to play here, `LONG` ones are made: so many times as long."""

WAVE = 16
"""Blocks of 175 members that hold their first rounds side by side, and stay in the cache."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What a number of runs came to, as small arrays; K candidates, `n` runs, `R` rows of rounds.

    Attributes
    ----------
    winner : ndarray of int8, shape (n,)
        Index of the winner, -1 for none.
    ending : ndarray of uint8, shape (n,)
        Index into `ENDINGS`.
    rounds : ndarray of int16, shape (n,)
        Rounds held, a yes/no round included.
    minute : ndarray of int32, shape (n,)
        When the run ended, in whole minutes since midnight of the opening date; -1 if unresolved.
    present : ndarray of int16, shape (n,)
        Members present.
    votes, valid, flows : ndarrays of int16, shapes (R, K), (R,), (R, K, K)
        One row per run and round, in this order.  Votes are -1 for who does not stand; in a yes/no
        round the leader's entry counts the yes.  ``flows[:, k, l]`` are the members whose
        intention went from `k` to `l` before the round; zero in round 1.
    """

    winner: NDArray[np.int8]
    ending: Codes
    rounds: Shorts
    minute: NDArray[np.int32]
    present: Shorts
    votes: Shorts
    valid: Shorts
    flows: Shorts

    @property
    def size(self) -> int:
        """How many runs there are."""
        return self.winner.size

    @property
    def starts(self) -> Longs:
        """Row at which each run's rounds begin."""
        held = self.rounds.astype(np.int64)
        return np.cumsum(held) - held

    def part(self, start: int, stop: int) -> Outcomes:
        """Return the runs from `start` up to `stop`."""
        first, last = (int(self.rounds[:run].astype(np.int64).sum()) for run in (start, stop))
        rows = {"votes", "valid", "flows"}
        cut = {name: slice(first, last) if name in rows else slice(start, stop) for name in vars(self)}
        return Outcomes(**{name: array[cut[name]] for name, array in vars(self).items()})

    def head(self, runs: int) -> Outcomes:
        """Return the first `runs` runs."""
        return self.part(0, min(runs, self.size))


def join(parts: Iterable[Outcomes]) -> Outcomes:
    """Put the outcomes of several blocks behind one another, as read-only arrays."""
    pieces = list(parts)
    joined = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in vars(pieces[0])}
    for array in joined.values():
        array.setflags(write=False)
    return Outcomes(**joined)


def setting_of(plan: Plan) -> kernel.Setting:
    """Return what the kernel needs to know of a plan."""
    return kernel.Setting(plan.candidates, plan.entitled, plan.pinned, plan.behaviour, plan.rules)


def play_span(race: Scenario, seed: int, first: int, size: int) -> Outcomes:
    """Play `size` runs from block `first` on: the unit of work that travels to executors.

    Examples
    --------
    >>> import iomsim as iom
    >>> play_span(iom.load("minimal"), seed=1, first=0, size=10).size
    10
    """
    return play_cells((race,), seed, first, size)[0]


def play_cells(races: Sequence[Scenario], seed: int, first: int, size: int) -> list[Outcomes]:
    """Play the same `size` runs of several scenarios, side by side where that is possible.

    Scenarios that differ only in where members stand (appeal, pressure, exposure, ties, pins,
    secrecy, shocks, conviction) share their rounds, which saves most of the cost of small samples.
    """
    plans = [plan_of(race) for race in races]
    out: dict[int, Outcomes] = {}
    for group in alike(plans):
        played = play_abreast([plans[i] for i in group], seed, first, size)
        out.update({cell: played.part(n * size, (n + 1) * size) for n, cell in enumerate(group)})
    return [out[cell] for cell in range(len(races))]


def alike(plans: Sequence[Plan]) -> list[list[int]]:
    """Return the indices of plans, grouped by what must be equal for runs to share a round."""
    groups: dict[str, list[int]] = {}
    for index, plan in enumerate(plans):
        rounds = {key: value for key, value in vars(plan.behaviour).items() if key not in BEFORE_ROUNDS}
        sittings = (plan.calendar.opens.tobytes(), plan.calendar.closes.tobytes(), plan.calendar.opening)
        shared = (plan.names, plan.members, plan.entitled, plan.pinned.tolist(), rounds, plan.rules, plan.pace)
        groups.setdefault(repr((shared, sittings, plan.calendar.last_call)), []).append(index)
    return list(groups.values())


def play_abreast(plans: Sequence[Plan], seed: int, first: int, size: int) -> Outcomes:
    """Play the same runs of plans that share their rounds; the outcomes lie behind one another."""
    setting = setting_of(plans[0])
    sizes = portions(size, BLOCK)
    blocks = [(plan, first + i, n) for plan in plans for i, n in enumerate(sizes)]
    keys = np.concatenate([rng.run_keys(seed, first + i, n) for i, n in enumerate(sizes)] * len(plans))
    timetable = Timetable(plans[0].calendar, plans[0].pace, keys)
    present = np.empty(keys.size, dtype=np.int16)

    def entered(block: tuple[Plan, int, int], run: int) -> kernel.Field:
        plan, number, n = block
        field = enter(plan, setting, draw(plan, seed, number, n), run)
        present[run : run + n] = field.present
        return field

    def waves() -> Iterator[kernel.Hall]:
        run = 0
        for wave in grouped(blocks, abreast(plans[0])):
            width = sum(n for *_, n in wave)
            starts = np.cumsum([run, *(n for *_, n in wave)]).tolist()
            yield kernel.seated(map(entered, wave, starts), width)
            run += width

    played = kernel.play_waves(setting, waves(), keys.size, timetable)
    return outcomes(played, setting.candidates, timetable.now, present)


def abreast(plan: Plan) -> int:
    """Return how many blocks hold their first rounds side by side."""
    numbers = plan.members * (1 if plan.candidates == 2 else plan.candidates)
    return max(1, WAVE * 175 // numbers)


def grouped(things: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Cut a sequence into groups."""
    return (things[at : at + size] for at in range(0, len(things), size))


def enter(plan: Plan, setting: kernel.Setting, draws: Draws, first: int = 0) -> kernel.Field:
    """Return the runs of a block before their first round, numbered from `first` on."""
    return kernel.opening(setting, draws.keys, draws.fluid, draws.absent, stances(plan, draws), first)


@lru_cache(maxsize=1024)
def plan_of(race: Scenario) -> Plan:
    """Return the compiled scenario; compiled once in every process, as long as not too many others come."""
    return compile_scenario(race)


def outcomes(played: kernel.Played, candidates: int, now: Floats, present: Shorts) -> Outcomes:
    """Collect what a block's runs came to."""
    unresolved = played.ending == kernel.UNRESOLVED
    minute = np.where(unresolved, -1, np.floor(now)).astype(np.int32)
    votes, valid, flows = kernel.ragged(played, candidates)
    return Outcomes(played.winner, played.ending, played.rounds, minute, present, votes, valid, flows)


def packed(race: Scenario, executor: Any) -> Scenario | bytes:
    """Return what of a scenario goes to an executor: its bytes, which every worker unpacks and compiles once."""
    return race if executor is None else pickle.dumps(race)


def unpacked(sent: Scenario | bytes) -> Scenario:
    """Return the scenario that was sent."""
    return _unpacked(sent) if isinstance(sent, bytes) else sent


@lru_cache(maxsize=64)
def _unpacked(sent: bytes) -> Scenario:
    race: Scenario = pickle.loads(sent)
    return race


def portions(total: int, size: int) -> list[int]:
    """Cut a total into portions of a size, the last one with what is left.

    Examples
    --------
    >>> portions(2500, 1024)
    [1024, 1024, 452]
    """
    return [min(size, total - start) for start in range(0, total, size)]


def span(runs: int, executor: Any = None) -> int:
    """Return how many blocks are played together: more of them the more there are.

    What few runs come to, in the late rounds, costs least together; but here somebody waits and may
    interrupt, and elsewhere there must be work for every worker.
    """
    enough = MANY if executor is None else 50 * MANY
    return SPAN * (LONG if runs > enough * SPAN * BLOCK else 1)


def results(
    race: Scenario,
    runs: int,
    seed: int,
    executor: Any = None,
    work: Callable[..., Any] = play_span,
    start: int = 0,
    blocks: int | None = None,
) -> Generator[Any, None, None]:
    """Yield what `work` makes of every span of blocks, in order.

    If one fails, what is done already of those after it comes before its error.

    Parameters
    ----------
    race : Scenario
        What to play.
    runs, seed : int
        How many runs, and the seed that addresses their random numbers.
    executor : object with ``map`` or ``submit``, optional
        Where to play; None plays here.  The numbers do not depend on it.
    work : callable
        What a worker does with ``(race, seed, first block, size)``.
    start : int
        Runs already played, a whole number of spans.
    blocks : int, optional
        Blocks of a span; default: short ones, or long ones if there are many.
    """
    blocks = blocks or span(runs - start, executor)
    sizes = portions(runs - start, blocks * BLOCK)
    sent = packed(race, executor)
    calls = [(work, sent, seed, start // BLOCK + blocks * i, size) for i, size in enumerate(sizes)]
    yield from in_order(executor, attempt, calls, rescue=True)


def attempt(work: Callable[..., Any], sent: Scenario | bytes, seed: int, first: int, size: int) -> Any:
    """Do a worker's work; if it fails, say where."""
    try:
        return work(unpacked(sent), seed, first, size)
    except Exception as error:
        raise BlockError(
            f"the span of {size} runs from block {first} failed: {type(error).__name__}: {error}"
        ) from error
