"""Election day: the forecast after "98 to 67".

A `Night` holds a cloud of possible worlds (`particles`), is told what has been announced, and
forecasts the rest with the same kernel as before the vote.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iomsim import kernel, simulate
from iomsim._version import VERSION
from iomsim.announcements import Tally, moment_of, tally_of
from iomsim.clock import DAY, Timetable
from iomsim.compiled import Draws, Plan, contrast, draw, stances
from iomsim.errors import AnnouncementError, FileError, IomsimError, whole_number
from iomsim.estimates import in_100
from iomsim.forecast import Forecast, from_outcomes
from iomsim.library import dumps, loads
from iomsim.particles import (
    Cloud,
    Passage,
    abstainers,
    allot,
    attend,
    chances,
    convince,
    effective_size,
    first_chances,
    pick,
    rejuvenate,
    resample,
    shocks,
    weights,
)
from iomsim.rules import RULE_SETS
from iomsim.running import fresh_seed
from iomsim.scenario import Scenario
from iomsim.streams import BLOCK, Floats

if TYPE_CHECKING:
    from iomsim.charts import NightPlots

LOG_FORMAT = 1
RARE = 1e-3
"""Announcements less expected than this come with a warning."""

NIGHT_PURPOSE = 100
"""First address of the random numbers of live steps, apart from those of runs."""


class UnexpectedTallyWarning(UserWarning):
    """An announcement that the model gave almost no chance."""


@dataclass(frozen=True)
class Stage:
    """How the election stands after an event; immutable, so that an event can be undone.

    Attributes
    ----------
    cloud : Cloud
        The possible worlds.
    round_ : int
        Rounds held.
    votes, valid : ndarrays, shapes (m, K, P), (m, P)
        The tallies of the rounds held, in every world (they differ where little was announced).
    flows : ndarray, shape (m, K, K, P)
        Members who went from one candidate to another before each round.
    standing : ndarray of bool, shape (K,)
        Who still stands.
    gone, alone : int
        Candidate who left after the last round, and the one who faces a yes/no round next; or -1.
    refusals, crowded, two_way : int
        As in the kernel's field.
    pending : bool
        The last round's consequences (concession, elimination, end) are still to come.
    now : ndarray, shape (P,)
        The clocks.
    over : tuple (winner, ending) or None
        How it ended, if it has.
    event, surprise : str, float
        What was announced last, and its tail probability under the model.
    size : float
        Effective number of particles after it, before resampling.
    """

    cloud: Cloud
    round_: int
    votes: NDArray[np.int64]
    valid: NDArray[np.int64]
    flows: NDArray[np.int64]
    standing: NDArray[np.bool_]
    gone: int
    alone: int
    refusals: int
    crowded: int
    two_way: int
    pending: bool
    now: Floats
    over: tuple[int, int] | None
    event: str
    surprise: float
    size: float
    chance: float = 1.0
    at: float | None = None


def live(race: Scenario, particles: int = 20_000, seed: int | None = None, log: str | Path | None = None) -> Night:
    """Open an election day.

    Parameters
    ----------
    race : Scenario
        The election as it was described before the vote.
    particles : int, default 20_000
        Possible worlds to carry.
    seed : int, optional
        Addresses all random numbers; None draws one, kept in `Night.seed`.
    log : path, optional
        A file to which every event is written as it is announced; :func:`replay` reads it.

    Examples
    --------
    >>> import iomsim as iom
    >>> night = iom.live(iom.load("geneva-2023"), particles=500, seed=2023)
    >>> _ = night.announce(Pope=98, Vitorino=67, at="12:20")
    >>> night.needed()
    'Pope is 12 votes short of 110.'
    """
    if not isinstance(race, Scenario):
        raise IomsimError(f"live takes a Scenario, got {type(race).__name__}; read one with iomsim.load")
    size = whole_number("particles", particles, 2)
    return Night(race, size, fresh_seed() if seed is None else whole_number("seed", seed, 0), log)


def replay(path: str | Path) -> Night:
    """Open an election day from its log: the same events, the same numbers.

    Raises
    ------
    FileError
        If the file is missing, damaged, or written in a newer format.
    """
    try:
        header, *events = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line]
        race = loads(header["scenario"], str(path))
    except OSError as error:
        raise FileError(f"cannot read the log {str(path)!r}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{str(path)!r} is damaged or is no log of an election day ({error})") from None
    if header.get("format", 0) > LOG_FORMAT:
        raise FileError(f"{str(path)!r} was written by iomsim {header.get('version')}; update iomsim to read it")
    night = live(race, header["particles"], header["seed"])
    for event in events:
        night.apply(event)
    return night


class Night:
    """An election day: what was announced, what it means, and what may come.

    Made by :func:`live`.  Every announcing method returns the night itself only as a short report
    (a :class:`Report`), and changes the night; :meth:`undo` takes the last event back.

    Attributes
    ----------
    race : Scenario
        The election.
    particles, seed : int
        Worlds carried, and the seed.
    events : list of dict
        What was announced, as in the log.
    """

    def __init__(self, race: Scenario, particles: int, seed: int, log: str | Path | None = None) -> None:
        self.race, self.particles, self.seed = race, particles, seed
        self.plan: Plan = simulate.plan_of(race)
        self.events: list[dict[str, Any]] = []
        self._log = None if log is None else Path(log)
        self._stages = [self._opening()]
        self._forecasts: dict[int, Forecast] = {}
        self._write()

    # -- what is announced ------------------------------------------------------------------

    def announce(
        self, tally: Mapping[str, Any] | None = None, *, valid: int | None = None, at: Any = None, **votes: Any
    ) -> Report:
        """Announce the tally of a round, or what is known of it.

        Parameters
        ----------
        tally, **votes
            Votes by candidate: a number, "at least 90", or left out where nothing is known.  A
            mapping serves where a name is no Python word.
        valid : int, optional
            Valid papers; known anyway if every candidate's votes are.
        at : str or datetime, optional
            When the round ended: "12:20" on the current day, or a full date and time.

        Returns
        -------
        Report
            What the announcement did; it prints as a sentence.

        Raises
        ------
        AnnouncementError
            If it cannot have happened; nothing is changed then.

        Warns
        -----
        UnexpectedTallyWarning
            If the model gave something like it less than 1 in 1 000.
        """
        merged = {**(tally or {}), **votes}
        return self._do({"event": "announce", "votes": merged, "valid": valid, "at": _text(at)})

    def withdraw(self, name: str, at: Any = None) -> Report:
        """Announce that a candidate withdraws."""
        return self._do({"event": "withdraw", "name": name, "at": _text(at)})

    def eliminate(self, name: str) -> Report:
        """Announce that a candidate is out, by the rules or by lot."""
        return self._do({"event": "eliminate", "name": name})

    def confirm(self, yes: int, no: int, at: Any = None) -> Report:
        """Announce the yes/no round on the one who stands alone."""
        return self._do({"event": "confirm", "yes": yes, "no": no, "at": _text(at)})

    def adjourn(self, until: Any) -> Report:
        """Announce that nothing happens before a moment: "15:00", or a full date and time."""
        return self._do({"event": "adjourn", "until": _text(until)})

    def undo(self) -> Report:
        """Take the last event back."""
        if not self.events:
            raise AnnouncementError("there is nothing to undo")
        self.events.pop()
        self._stages.pop()
        self._forecasts.pop(len(self._stages), None)
        self._write()
        return Report(self)

    def apply(self, event: Mapping[str, Any]) -> Report:
        """Apply an event as it stands in a log."""
        if event.get("event") not in STEPS:
            raise AnnouncementError(f"no event {event.get('event')!r}; there are {', '.join(STEPS)}")
        return self._do(dict(event))

    def _do(self, event: dict[str, Any]) -> Report:
        stage = STEPS[event["event"]](self, self._stages[-1], event)
        self._stages.append(stage)
        self.events.append(event)
        self._write()
        if stage.surprise < RARE:
            warnings.warn(str(Report(self)), UnexpectedTallyWarning, stacklevel=3)
        return Report(self)

    # -- what it means ----------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """How the election stands."""
        return self._stages[-1]

    @property
    def effective_size(self) -> float:
        """Effective number of particles after the last announcement, before resampling."""
        return self.stage.size

    def forecast(self) -> Forecast:
        """Return the forecast of the whole election given what has been announced."""
        return self._forecast(len(self._stages) - 1)

    def history(self) -> pd.DataFrame:
        """Return the probabilities after each announcement, the prior forecast first."""
        rows = []
        for step, stage in enumerate(self._stages):
            fc = self._forecast(step)
            at = None if stage.at is None else fc.opening_date + timedelta(minutes=stage.at)
            chances_ = fc.win_probability()["probability"].to_dict()
            rows.append({"event": stage.event, "at": at, "round": stage.round_, **chances_, "spill": fc.spill().value,
                         "effective_size": stage.size})  # fmt: skip
        return pd.DataFrame(rows).rename_axis("step")

    def needed(self) -> str:
        """Return how far the leader was from being elected in the last round."""
        stage = self.stage
        if not stage.round_:
            return "No round has been held."
        votes, valid = np.median(stage.votes[-1], axis=1), float(np.median(stage.valid[-1]))
        leader = int(votes.argmax())
        need = self.plan.rules.needed(self._base(valid))
        short = need - int(votes[leader])
        name = self.race.names[leader]
        if short <= 0:
            return f"{name} has reached the {need} votes that elect."
        return f"{name} is {short} vote{'s' if short > 1 else ''} short of {need}."

    def what_next(self) -> Next:
        """Return the coming round: its tally, the chance that it decides, and where the favourite changes."""
        if self.stage.over is not None:
            raise AnnouncementError("the election is over; there is no next round")
        return Next(self, self.forecast(), self.stage.round_ + 1)

    def learned(self) -> pd.DataFrame:
        """Return what the announcements say about what runs draw once, against the prior.

        Returns
        -------
        DataFrame
            By quantity: mean, sd and 10, 50 and 90 % points before and now.  One tally moves the net
            level only; how it splits between the sponsors, the shocks and the convictions it cannot
            tell (the sponsors' rows move together, and hardly).
        """
        rows = {}
        now = weights(self.stage.cloud.log_weight)
        before = _quantities(self.plan, self.race, self._stages[0].cloud.draws)
        after = _quantities(self.plan, self.race, self.stage.cloud.draws)
        flat = np.full(self.particles, 1.0 / self.particles)
        for name in before:
            rows[name] = {**_moments("prior", before[name], flat), **_moments("now", after[name], now)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")

    @property
    def plot(self) -> NightPlots:
        """The charts of an election day."""
        from iomsim.charts import NightPlots

        return NightPlots(self)

    def __repr__(self) -> str:
        """Return where things stand and the answer."""
        events = "; ".join(stage.event for stage in self._stages[1:]) or "nothing announced yet"
        return f"{self.race.title}: {events}\n{Report(self)}\n{self.forecast().answer()}"

    def _repr_html_(self) -> str:
        from html import escape

        table = self.history().drop(columns="effective_size").round(3).to_html(border=0)
        return f"<div><p>{escape(str(Report(self)))}</p><p>{escape(self.forecast().answer())}</p>{table}</div>"

    # -- inside -----------------------------------------------------------------------------

    def _opening(self) -> Stage:
        k, size = len(self.race.names), self.particles
        parts = [draw(self.plan, self.seed, b, n) for b, n in enumerate(simulate.portions(size, BLOCK))]
        draws = Draws(**{name: np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in vars(parts[0])})
        setting = simulate.setting_of(self.plan)
        field_ = kernel.opening(setting, draws.keys, draws.fluid, draws.absent, stances(self.plan, draws))
        cloud = Cloud(draws, field_.stance, np.zeros(size), field_.intention)
        clocks = Timetable(self.plan.calendar, self.plan.pace, draws.keys).now
        empty = np.zeros((0, k, size), dtype=np.int64)
        return Stage(cloud, 0, empty, np.zeros((0, size), dtype=np.int64), np.zeros((0, k, k, size), dtype=np.int64),
                     np.ones(k, dtype=bool), -1, -1, 0, 0, 0, False, clocks, None, "before the vote", 1.0,
                     float(size))  # fmt: skip

    def _rng(self) -> np.random.Generator:
        address = np.random.SeedSequence(self.seed, spawn_key=(NIGHT_PURPOSE, len(self._stages)))
        return np.random.Generator(np.random.SFC64(address))

    def _base(self, valid: float) -> int:
        base = self.plan.rules.base
        if base == "present":
            return int(np.median((~self.stage.cloud.draws.absent).sum(axis=0)))
        return self.plan.entitled if base == "entitled" else int(valid)

    def _forecast(self, step: int) -> Forecast:
        if step not in self._forecasts:
            self._forecasts[step] = continue_from(self, self._stages[step])
        return self._forecasts[step]

    def _write(self) -> None:
        if self._log is None:
            return
        header = {"format": LOG_FORMAT, "version": VERSION, "seed": self.seed, "particles": self.particles,
                  "scenario": dumps(self.race)}  # fmt: skip
        lines = [json.dumps(entry, ensure_ascii=False) for entry in (header, *self.events)]
        part = self._log.with_name(self._log.name + ".part")
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.replace(self._log)


def _text(moment: Any) -> Any:
    return moment.isoformat(sep=" ") if isinstance(moment, (datetime, date)) else moment


def _quantities(plan: Plan, race: Scenario, draws: Draws) -> dict[str, np.ndarray]:
    """Return the run-level quantities that an analyst can think about."""
    first = np.where(np.arange(plan.candidates) == 0, 1.0, -1.0 / (plan.candidates - 1))
    spread = plan.spreads[:, None]
    effect = np.exp(spread * draws.campaign - spread**2 / 2)
    out = {f"net level towards {race.names[0]} (log-odds)": contrast(plan, draws, first).mean(axis=0, dtype=float)}
    out |= {f"effect of {sponsor.name}'s campaign": effect[s] for s, sponsor in enumerate(race.sponsors)}
    lead = plan.behaviour.common_sd / np.sqrt(2.0) * (draws.appeal * first[:, None]).sum(axis=0)
    out[f"common shock towards {race.names[0]} (log-odds)"] = lead
    out["the contest is fluid"] = draws.fluid.astype(float)
    out["members present"] = (~draws.absent).sum(axis=0).astype(float)
    return out


def _moments(when: str, x: np.ndarray, w: np.ndarray) -> dict[str, float]:
    order = np.argsort(x, kind="stable")
    cumulative = np.cumsum(w[order])
    mean = float(w @ x)
    points = x[order][np.minimum(np.searchsorted(cumulative, [0.1, 0.5, 0.9]), x.size - 1)]
    spread = float(np.sqrt(max(w @ (x - mean) ** 2, 0.0)))
    return {f"{when} mean": mean, f"{when} sd": spread} | {
        f"{when} {q} %": float(p) for q, p in zip((10, 50, 90), points, strict=True)
    }


# -- steps: from one stage to the next -----------------------------------------------------------


def settled(night: Night, stage: Stage) -> Stage:
    """Return the stage after the consequences of an inconclusive round, as the rules dictate them.

    That another round (or yes/no round) is announced shows that nobody conceded after the last.
    """
    if not stage.pending:
        return stage
    rules, votes = night.plan.rules, stage.votes[-1]
    standing = int(stage.standing.sum())
    if standing == 2:
        tied = bool((votes[stage.standing][0] == votes[stage.standing][1]).all())
        capped = rules.max_two_way is not None and stage.two_way + 1 >= rules.max_two_way
        leader = int(np.where(stage.standing, np.median(votes, axis=1), -1).argmax())
        return replace(
            stage,
            pending=False,
            refusals=stage.refusals + (rules.concession and not tied),
            two_way=stage.two_way + 1,
            alone=leader if capped else -1,
        )
    crowded, first = stage.crowded + 1, rules.eliminate_after
    stage = replace(stage, pending=False, crowded=crowded)
    if first is None or crowded < first or (crowded - first) % rules.eliminate_every:
        return stage
    papers = np.where(stage.standing[:, None], votes, np.iinfo(np.int64).max)
    last = np.unique(
        np.concatenate(
            [np.flatnonzero(column == column.min()) for column in papers.T[:: max(1, papers.shape[1] // 200)]]
        )
    )
    if last.size > 1:
        names = " and ".join(night.race.names[i] for i in last)
        raise AnnouncementError(f"the tally leaves open whether {names} is out; announce it with night.eliminate(...)")
    return out_of_race(stage, int(last[0]))


def out_of_race(stage: Stage, candidate: int) -> Stage:
    """Return the stage without a candidate."""
    standing = stage.standing.copy()
    standing[candidate] = False
    return replace(stage, standing=standing, gone=candidate, pending=False)


def _announce(night: Night, stage: Stage, event: dict[str, Any]) -> Stage:
    _still_open(stage)
    stage = settled(night, stage)
    if stage.alone >= 0:
        name = night.race.names[stage.alone]
        raise AnnouncementError(f"{name} stands alone and faces a yes/no round; use night.confirm(yes=..., no=...)")
    if stage.round_ >= night.plan.rules.max_rounds:
        raise AnnouncementError(f"the rules end the election after {stage.round_} rounds")
    free = night.plan.entitled
    tally = tally_of(event["votes"], event.get("valid"), night.race.names, stage.standing, free)
    return observe(night, stage, tally, event.get("at"))


def observe(night: Night, stage: Stage, tally: Tally, at: Any) -> Stage:
    """Return the stage after a round: weigh, draw who voted how, resample, move."""
    plan, rng, cloud = night.plan, night._rng(), stage.cloud
    round_, size = stage.round_ + 1, cloud.size
    when, now, night_fell = _clock(night, stage, at, round_)
    last = stage.votes[-1] if stage.round_ else np.ones((plan.candidates, size), dtype=np.int64)
    lived = Passage(
        round_,
        cloud.intention,
        cloud.intention,
        shocks(rng, plan, size),
        last.astype(float),
        stage.standing,
        stage.gone,
        night_fell,
    )
    if round_ == 1:
        cloud, voters, log_valid = attend(rng, plan, cloud, tally.valid)
        chance = first_chances(plan, cloud, lived)
    else:
        voters, log_valid = _voters(rng, plan, cloud, tally)
        chance = chances(plan, cloud.draws, cloud.stance, lived)
    choice, log_tally = allot(rng, chance, voters, tally.low, tally.high)
    log_chance = log_valid + log_tally
    if not np.isfinite(log_chance + cloud.log_weight).any():
        raise AnnouncementError(f"{tally} is impossible under the scenario: not one possible world agrees with it")
    intention = _intentions(rng, plan, cloud, chance, choice)
    votes = np.stack([(choice == k).sum(axis=0) for k in range(plan.candidates)])
    flows = _flows(cloud.intention, intention, plan.candidates, round_)
    before = weights(cloud.log_weight)
    surprise = _tail(rng, chance, voters if tally.valid is None else None, cloud, tally, before)
    with np.errstate(divide="ignore"):
        whole = float(np.log(np.maximum(before @ np.exp(log_chance - log_chance.max()), 1e-300)) + log_chance.max())
    if round_ == 1:
        cloud = convince(rng, plan, cloud, intention)
    cloud = replace(
        cloud,
        log_weight=cloud.log_weight + log_chance,
        intention=intention,
        passages=(*cloud.passages, replace(lived, after=intention)),
    )
    stage = replace(
        stage, cloud=cloud, round_=round_, now=now, pending=True, at=when, gone=-1,
        votes=np.concatenate([stage.votes, votes[None]]), flows=np.concatenate([stage.flows, flows[None]]),
        valid=np.concatenate([stage.valid, votes.sum(axis=0)[None]]),
        event=str(tally), surprise=surprise, size=effective_size(cloud.log_weight), chance=float(np.exp(whole)),
    )  # fmt: skip
    stage = _refresh(night, rng, stage)
    return _decided(night, stage)


def _voters(rng: np.random.Generator, plan: Plan, cloud: Cloud, tally: Tally) -> tuple[NDArray[np.bool_], Floats]:
    """Draw who handed in a valid paper, given their number if it is known, and weigh it.

    Abstention does not depend on the intention: given the number of valid papers, those who
    abstained are a uniform subset of the members present who are not pinned.
    """
    present, p = ~cloud.draws.absent, plan.behaviour.abstain
    free = present & (plan.pins < 0)[:, None]
    if tally.valid is None:
        return present & ~(free & (rng.random(free.shape) < p)), np.zeros(cloud.size)
    from scipy.stats import binom

    missing = present.sum(axis=0) - tally.valid
    most = free.sum(axis=0)
    log_chance = binom.logpmf(missing, most, p)
    number = np.clip(missing, 0, most)
    return present & ~abstainers(rng, free, number), np.asarray(log_chance)


def _intentions(
    rng: np.random.Generator, plan: Plan, cloud: Cloud, chance: Floats, choice: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return everybody's intention: as voted, drawn for the abstaining, the absent's code for the absent."""
    k = plan.candidates
    u = rng.random(choice.shape)
    drawn = np.minimum((u >= np.cumsum(chance[:-1], axis=0)).sum(axis=0), k - 1).astype(np.uint8)
    out = np.where(choice < k, choice, drawn)
    out[cloud.draws.absent] = 0 if k == 2 else k
    return out


def _flows(before: np.ndarray, after: np.ndarray, k: int, round_: int) -> NDArray[np.int64]:
    out = np.zeros((k, k, before.shape[1]), dtype=np.int64)
    if round_ > 1:
        for a in range(k):
            for b in range(k):
                out[a, b] = ((before == a) & (after == b)).sum(axis=0)
    return out


def _tail(rng: np.random.Generator, chance: Floats, voters: Any, cloud: Cloud, tally: Tally, w: Floats) -> float:
    """Return the two-sided tail probability of the leader's announced share (1 if nothing is known of it)."""
    known = [k for k in range(len(chance)) if tally.low[k] == tally.high[k] and tally.high[k] > 0]
    if not known:
        return 1.0
    k = max(known, key=lambda i: tally.low[i])
    present = ~cloud.draws.absent
    share = ((rng.random(present.shape) < chance[k]) & present).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    whole = tally.valid if tally.valid is not None else float(w @ present.sum(axis=0))
    seen = tally.low[k] / max(whole, 1)
    return float(min(1.0, 2 * min(w @ (share <= seen + 1e-9), w @ (share >= seen - 1e-9))))


def _clock(night: Night, stage: Stage, at: Any, round_: int) -> tuple[float | None, Floats, NDArray[np.bool_]]:
    """Return the announced minute (or None), the clocks after the round, and where a night came before it."""
    size = stage.cloud.size
    if at is None:
        table = Timetable(night.plan.calendar, night.plan.pace, stage.cloud.draws.keys, stage.now.copy())
        fell = table.hold_round(np.arange(size), round_)
        return None, table.now, fell
    minute = moment_of(at, night.race.clock.opens, _last(stage))
    return minute, np.full(size, minute), np.full(size, _last_day(stage) < minute // DAY)


def _last(stage: Stage) -> float | None:
    return stage.at


def _last_day(stage: Stage) -> float:
    return 0.0 if stage.at is None else stage.at // DAY


def _refresh(night: Night, rng: np.random.Generator, stage: Stage) -> Stage:
    """Resample at half the effective size, and move the copies apart."""
    cloud = stage.cloud
    if stage.size >= cloud.size / 2:
        return stage
    index = resample(cloud.log_weight, float(rng.random()))
    cloud = pick(cloud, index)
    fresh = rng.integers(0, 2**64, cloud.size, dtype=np.uint64)
    cloud = replace(cloud, draws=replace(cloud.draws, keys=fresh))
    return replace(
        stage,
        cloud=rejuvenate(rng, night.plan, cloud),
        votes=stage.votes[..., index],
        valid=stage.valid[..., index],
        flows=stage.flows[..., index],
        now=stage.now[index],
    )


def _decided(night: Night, stage: Stage) -> Stage:
    """Return the stage with its winner, if the announced tally elects one for certain."""
    votes, valid = stage.votes[-1], stage.valid[-1]
    present = (~stage.cloud.draws.absent).sum(axis=0)
    base = {"valid": valid, "present": present, "entitled": np.full(valid.size, night.plan.entitled)}
    part = night.plan.rules.threshold
    need = np.maximum(1, -(-base[night.plan.rules.base] * part.numerator // part.denominator))
    leader, ahead = kernel.leading(votes)
    elected = ahead & (votes.max(axis=0) >= need)
    if elected.all() and (leader == leader[0]).all():
        return replace(stage, over=(int(leader[0]), kernel.MAJORITY), pending=False)
    return stage


def _still_open(stage: Stage) -> None:
    if stage.over is not None:
        raise AnnouncementError("the election is over; use night.undo() to take the last event back")


def _candidate(night: Night, stage: Stage, name: str) -> int:
    night.race.candidate(name)
    k = night.race.names.index(name)
    if not stage.standing[k]:
        raise AnnouncementError(f"{name} does not stand any more")
    return k


def _withdraw(night: Night, stage: Stage, event: dict[str, Any]) -> Stage:
    _still_open(stage)
    k = _candidate(night, stage, event["name"])
    if stage.alone >= 0:
        raise AnnouncementError(f"{night.race.names[stage.alone]} stands alone already; a withdrawal changes nothing")
    stage = _moved_on(night, stage, event.get("at"))
    what = f"{event['name']} withdraws"
    if stage.standing.sum() > 2:
        return replace(out_of_race(stage, k), event=what, surprise=1.0)
    other = int(np.flatnonzero(stage.standing & (np.arange(len(stage.standing)) != k))[0])
    if night.plan.rules.after_concession == "confirmation":
        return replace(stage, alone=other, pending=False, event=what, surprise=1.0)
    over = (other, kernel.ACCLAMATION)
    return replace(
        stage, over=over, pending=False, event=f"{what}, {night.race.names[other]} is acclaimed", surprise=1.0
    )


def _moved_on(night: Night, stage: Stage, at: Any) -> Stage:
    if at is None:
        return stage
    minute = moment_of(at, night.race.clock.opens, _last(stage))
    return replace(stage, now=np.full(stage.now.size, minute), at=minute)


def _eliminate(night: Night, stage: Stage, event: dict[str, Any]) -> Stage:
    _still_open(stage)
    k = _candidate(night, stage, event["name"])
    if stage.standing.sum() < 3:
        raise AnnouncementError("only two stand: announce a withdrawal, or the yes/no round of the one who is left")
    crowded = stage.crowded + stage.pending
    out = out_of_race(stage, k)
    return replace(out, crowded=crowded, event=f"{event['name']} is out", surprise=1.0)


def _confirm(night: Night, stage: Stage, event: dict[str, Any]) -> Stage:
    _still_open(stage)
    stage = settled(night, stage)
    if stage.alone < 0:
        raise AnnouncementError("more than one candidate stands; announce a tally, or a withdrawal first")
    yes, no = (whole_number(key, event[key], 0) for key in ("yes", "no"))
    if yes + no > night.plan.entitled:
        raise AnnouncementError(f"{yes + no} papers are more than the {night.plan.entitled} members with a vote")
    stage = _moved_on(night, stage, event.get("at"))
    passed = yes >= night.plan.rules.needed(night._base(yes + no))
    size, k = stage.now.size, night.plan.candidates
    votes = np.full((1, k, size), -1, dtype=np.int64)
    votes[0, stage.alone] = yes
    over = (stage.alone, kernel.CONFIRMED) if passed else (-1, kernel.FAILED)
    return replace(
        stage, round_=stage.round_ + 1, votes=np.concatenate([stage.votes, votes]),
        valid=np.concatenate([stage.valid, np.full((1, size), yes + no)]),
        flows=np.concatenate([stage.flows, np.zeros((1, k, k, size), dtype=np.int64)]),
        over=over, pending=False, surprise=1.0,
        event=f"{night.race.names[stage.alone]} alone: {yes} yes, {no} no",
    )  # fmt: skip


def _adjourn(night: Night, stage: Stage, event: dict[str, Any]) -> Stage:
    _still_open(stage)
    minute = moment_of(event["until"], night.race.clock.opens, _last(stage))
    moment = datetime.combine(night.race.clock.opens.date(), datetime.min.time()) + timedelta(minutes=minute)
    now = np.maximum(stage.now, minute)
    return replace(stage, now=now, event=f"adjourned until {moment:%A %H:%M}", surprise=1.0)


STEPS: dict[str, Any] = {
    "announce": _announce,
    "withdraw": _withdraw,
    "eliminate": _eliminate,
    "confirm": _confirm,
    "adjourn": _adjourn,
}


# -- the rest of the election --------------------------------------------------------------------


def continue_from(night: Night, stage: Stage) -> Forecast:
    """Return the forecast from a stage on, with the rule sets side by side."""
    fc = from_outcomes(night.race, night.seed, [play_on(night, stage, night.plan)], announced=stage.round_)
    if stage.round_:
        rows = {}
        for name, rules in RULE_SETS.items():
            race = night.race.with_rules(name)
            part = play_on(night, stage, replace(night.plan, rules=rules))
            rows[name] = from_outcomes(race, night.seed, [part]).side()
        fc._kept["rule_sets"] = pd.DataFrame.from_dict(rows, orient="index").rename_axis("rules")
    return fc


def play_on(night: Night, stage: Stage, plan: Plan) -> simulate.Outcomes:
    """Play every world from the stage to its end, and put the rounds announced before it."""
    stage = _equal_weights(night, stage)
    setting, size = simulate.setting_of(plan), stage.now.size
    present = (~stage.cloud.draws.absent).sum(axis=0)
    table = Timetable(plan.calendar, plan.pace, stage.cloud.draws.keys, stage.now.copy())
    if stage.over is not None:
        return _told(stage, table.now, present)
    field_ = _field(setting, stage, present)
    winner, ending = np.full(size, -1, dtype=np.int8), np.full(size, kernel.UNRESOLVED, dtype=np.uint8)
    rounds = np.full(size, stage.round_, dtype=np.int16)
    if stage.pending:
        how = np.full(size, kernel.OPEN)
        leader, ahead = kernel.leading(field_.votes)
        how[ahead & (field_.votes.max(axis=0) >= kernel.needed(setting, field_, stage.valid[-1], stage.round_))] = kernel.MAJORITY
        conceded, elected, how = kernel.settle(setting, field_, stage.round_, (leader, how))
        table.concessions(np.flatnonzero(conceded))
        done = how != kernel.OPEN
        winner[done], ending[done], field_.done = elected[done], how[done], done
    open_ = ~field_.done
    played = kernel.play(setting, field_, table, after=stage.round_)
    winner[open_], ending[open_], rounds[open_] = played.winner[open_], played.ending[open_], played.rounds[open_]
    whole = kernel.Played(winner, ending, rounds, [*_past(stage), *played.rows])
    return simulate.outcomes(whole, plan.candidates, table.now, present.astype(np.int16))


def _equal_weights(night: Night, stage: Stage) -> Stage:
    """Return the stage with equally weighted worlds, drawn anew if they are not."""
    cloud = stage.cloud
    if np.ptp(cloud.log_weight) == 0:
        return stage
    address = np.random.SeedSequence(night.seed, spawn_key=(NIGHT_PURPOSE + 1, stage.round_))
    rng = np.random.Generator(np.random.SFC64(address))
    index = resample(cloud.log_weight, float(rng.random()))
    cloud = pick(cloud, index)
    fresh = rng.integers(0, 2**64, cloud.size, dtype=np.uint64)
    return replace(
        stage, cloud=replace(cloud, draws=replace(cloud.draws, keys=fresh)), now=stage.now[index],
        votes=stage.votes[..., index], valid=stage.valid[..., index], flows=stage.flows[..., index],
    )  # fmt: skip


def _field(setting: kernel.Setting, stage: Stage, present: np.ndarray) -> kernel.Field:
    """Return the kernel's field at a stage."""
    cloud, size, k = stage.cloud, stage.now.size, setting.candidates
    field_ = kernel.opening(setting, cloud.draws.keys, cloud.draws.fluid, cloud.draws.absent, cloud.stance.copy())
    if not stage.round_:
        return field_

    def all_(value: int) -> np.ndarray:
        return np.full(size, value, dtype=np.int64)

    intention = np.ascontiguousarray(cloud.intention)
    return replace(
        field_,
        intention=intention.copy(),
        counts=np.stack([((intention == c) & ~cloud.draws.absent).sum(axis=0) for c in range(k)]),
        votes=stage.votes[-1].copy(),
        standing=np.repeat(stage.standing[:, None], size, axis=1),
        gone=all_(stage.gone),
        alone=all_(stage.alone),
        refusals=all_(stage.refusals),
        crowded=all_(stage.crowded),
        two_way=all_(stage.two_way),
    )


def _past(stage: Stage) -> list[kernel.Rows]:
    run = np.arange(stage.now.size)
    return [kernel.Rows(r + 1, run, stage.votes[r], stage.valid[r], stage.flows[r]) for r in range(stage.round_)]


def _told(stage: Stage, now: Floats, present: np.ndarray) -> simulate.Outcomes:
    """Return the outcomes of an election that is over: all worlds alike."""
    assert stage.over is not None
    size, (who, how) = stage.now.size, stage.over
    whole = kernel.Played(
        np.full(size, who, dtype=np.int8), np.full(size, how, dtype=np.uint8),
        np.full(size, stage.round_, dtype=np.int16), _past(stage),
    )  # fmt: skip
    return simulate.outcomes(whole, stage.votes.shape[1], now, present.astype(np.int16))


# -- what is shown -------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Report:
    """What the last announcement did; prints as a sentence or two."""

    night: Night = field(repr=False)

    def __str__(self) -> str:
        """Return the event, the particles left, and a word of caution where it is due."""
        stage = self.night.stage
        parts = [f"{stage.event}."]
        if stage.round_ and stage.surprise < 1.0:
            parts.append(
                f"{self.night.needed()} {stage.size:,.0f} of {self.night.particles:,} particles are effective."
            )
        if stage.surprise < RARE:
            odds = f"1 in {1 / max(stage.surprise, 1 / self.night.particles):,.0f} or less"
            parts.append(f"The model gave a tally this far out {odds}; treat what follows with care.")
        return " ".join(parts)

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class Next:
    """The coming round."""

    night: Night
    fc: Forecast
    round_: int

    def table(self) -> pd.DataFrame:
        """Return the predictive distribution of the first candidate's votes in the coming round.

        Returns
        -------
        DataFrame
            By votes: `probability` of exactly these (given that the round is held), and each
            candidate's and nobody's chance to win the election after them.
        """
        votes, winner = self._held()
        names = [*self.night.race.names, "no winner"]
        codes = np.where(winner < 0, len(names) - 1, winner)
        counts = pd.crosstab(votes, codes).reindex(columns=range(len(names)), fill_value=0)
        out = counts.div(counts.sum(axis=1), axis=0).set_axis(names, axis=1)
        out.insert(0, "probability", counts.sum(axis=1) / max(len(votes), 1))
        return out.rename_axis(f"votes for {names[0]}").rename_axis(None, axis=1)

    def _held(self) -> tuple[np.ndarray, np.ndarray]:
        out = self.fc.outcomes
        assert out is not None
        held = out.rounds >= self.round_
        row = (out.starts + self.round_ - 1)[held]
        return out.votes[row, 0].astype(int), out.winner[held]

    @property
    def decides(self) -> float:
        """Probability that the election ends with the coming round (given that it is held)."""
        out = self.fc.outcomes
        assert out is not None
        held = out.rounds >= self.round_
        return float((out.rounds[held] == self.round_).mean()) if held.any() else 0.0

    @property
    def held(self) -> float:
        """Probability that the coming round is held at all: nobody concedes before it."""
        assert self.fc.outcomes is not None
        return float((self.fc.outcomes.rounds >= self.round_).mean())

    def turning_point(self) -> int | None:
        """Return the fewest votes in the coming round that make the first candidate the favourite."""
        votes, winner = self._held()
        if not votes.size:
            return None
        order = np.argsort(votes, kind="stable")
        ahead = np.where(winner[order] == 0, 1, np.where(winner[order] >= 1, -1, 0))
        gain = np.concatenate([[0], np.cumsum(ahead)])
        best = int(np.argmin(gain))  # below it the others win more often, above it the first
        return int(votes[order][best]) if 0 < best < votes.size else None

    def __str__(self) -> str:
        """Return the coming round in words."""
        votes, _ = self._held()
        name = self.night.race.names[0]
        if not votes.size:
            return "No further round is expected."
        low, middle, high = np.quantile(votes, [0.1, 0.5, 0.9], method="inverted_cdf")
        turn = self.turning_point()
        where = f" {name} is the favourite from {turn} votes on." if turn is not None else ""
        return (
            f"Round {self.round_} is held in {in_100(self.held)} of 100 worlds; {name} then gets {middle:.0f} votes "
            f"({low:.0f} to {high:.0f} in the middle 80 of 100), and it ends the election in "
            f"{in_100(self.decides)} of 100.{where}"
        )

    __repr__ = __str__
