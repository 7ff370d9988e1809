"""Steps of an election day: from one stage to the next by what was announced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from iomsim.election_day.between_rounds import (
    by_rule,
    decided,
    first_among,
    inconclusive,
    last_among,
    readiness,
    went_on,
    without,
)
from iomsim.election_day.clocks import Hours, consulted, ends_at, known, pass_round, waits_until
from iomsim.election_day.expectations import Surprise, expect, surprise
from iomsim.election_day.guide import steer
from iomsim.election_day.particles import Passage, effective_size, shocks, stance_of_all, weights
from iomsim.election_day.propagate import live_through
from iomsim.election_day.state import Scene, Stage, field_of, refreshed, weigh
from iomsim.election_day.tally import Tally, tally_of
from iomsim.election_day.times import moment_of
from iomsim.engine import kernel
from iomsim.engine.clock import DAY
from iomsim.engine.state import pack_runs
from iomsim.errors import AnnouncementError, whole_number
from iomsim.typing import Flags, Floats, Shorts


def step(scene: Scene, stage: Stage, event: Mapping[str, Any]) -> Stage:
    """Return the stage after an event.

    Raises
    ------
    AnnouncementError
        If it cannot have happened.
    """
    if stage.over is not None:
        raise AnnouncementError("the election is over; night.undo() takes the last event back")
    return STEPS[event["event"]](scene, stage, event)


# -- a round -------------------------------------------------------------------------------------


def announce(scene: Scene, stage: Stage, event: Mapping[str, Any]) -> Stage:
    """Return the stage after a round of which something is known."""
    stage = went_on(scene, stage)
    names, plan = scene.race.names, scene.plan
    if stage.alone >= 0:
        raise AnnouncementError(f"{names[stage.alone]} stands alone; announce the yes/no round: night.confirm(yes, no)")
    if stage.contenders == 1:
        raise AnnouncementError("nobody else stands")
    if stage.round_ >= plan.rules.max_rounds:
        raise AnnouncementError(f"the rules end the election after {stage.round_} rounds")
    tally = tally_of(event["votes"], event.get("valid"), names, stage.standing, plan.entitled)
    stage, lived = arrive(scene, stage, event.get("at"))
    return by_rule(scene, decided(plan, refreshed(scene, observe(scene, stage, lived, tally))))


def arrive(scene: Scene, stage: Stage, at: Any) -> tuple[Stage, Passage]:
    """Return the stage with its clocks at the end of the coming round, and the round before its votes."""
    plan, size, round_ = scene.plan, stage.cloud.size, stage.round_ + 1
    before = stage.hours.now // DAY
    stage = timed(scene, stage, at)
    last = stage.votes[-1] if stage.round_ else np.ones((plan.candidates, size))
    lived = Passage(
        round_=round_,
        standing=stage.standing,
        after=np.zeros((1, size), dtype=np.uint8),
        eta=shocks(scene.rng, plan, size),
        votes=last.astype(float),
        night=before < stage.hours.now // DAY,
    )
    return stage, lived


def timed(scene: Scene, stage: Stage, at: Any) -> Stage:
    """Return the stage with its clocks at the end of the coming round, announced or not."""
    if at is None:
        return replace(stage, hours=pass_round(scene.plan, stage.hours, stage.round_ + 1))
    minute = moment_of(at, scene.race.clock.opens, stage.at)
    stage, hours = clocked(scene, stage, ends_at(scene.plan, stage.hours, minute), minute)
    return replace(stage, hours=hours, at=minute)


def clocked(scene: Scene, stage: Stage, log_density: Floats, minute: float) -> tuple[Stage, Hours]:
    """Return the stage and its clocks after something was heard at an announced minute.

    Where the night before a round matters to how members vote, clocks and votes belong together, and
    the worlds are weighed; otherwise the clocks are sorted by themselves.
    """
    if scene.plan.behaviour.overnight and np.isfinite(log_density).any():
        stage = weigh(stage, log_density, "the announced time agrees with no possible world")
        log_density = np.zeros_like(log_density)
    return stage, known(scene.clock_rng, scene.plan, stage.hours, log_density, minute)


def observe(scene: Scene, stage: Stage, lived: Passage, tally: Tally) -> Stage:
    """Return the stage after a round: steer, weigh, and draw who voted how."""
    plan, rng, cloud = scene.plan, scene.rng, stage.cloud
    expected = expect(plan, cloud, lived, tally.valid)
    odds, what = surprise(tally, expected, weights(cloud.log_weight))
    before = log_total(cloud.log_weight)
    if not cloud.passages:
        draws, log_ratio = steer(cloud.draws, expected.votes, tally)
        cloud = replace(cloud, draws=draws, stance=stance_of_all(plan, draws), log_weight=cloud.log_weight + log_ratio)
    moved, votes = live_through(rng, plan, cloud, lived, tally)
    if not np.isfinite(moved.log_weight).any():
        said = tally.words(lived.standing)
        raise AnnouncementError(f"{said} is impossible under the scenario: no possible world agrees with it")
    earlier = cloud.intention if cloud.passages else None
    shown = np.where(lived.standing[:, None], votes, np.int16(-1))
    moves = flows(earlier, moved.intention, moved.draws.absent, plan.candidates)
    return held(
        stage, shown, votes.sum(axis=0, dtype=np.int16), moves,
        cloud=moved, pending=True, told=tally.words(lived.standing), surprise=odds, surprising=what,
        chance=float(np.exp(log_total(moved.log_weight) - before)), size=effective_size(moved.log_weight),
    )  # fmt: skip


def held(stage: Stage, votes: Shorts, valid: Shorts, flow: Shorts, **changes: Any) -> Stage:
    """Return the stage with one more round on record."""
    return replace(
        stage,
        round_=stage.round_ + 1,
        votes=np.concatenate([stage.votes, votes[None]]),
        valid=np.concatenate([stage.valid, valid[None]]),
        flows=np.concatenate([stage.flows, flow[None]]),
        **changes,
    )


def log_total(log_weight: Floats) -> float:
    """Return the logarithm of the sum of weights."""
    return float(np.logaddexp.reduce(log_weight))


def flows(before: np.ndarray | None, after: np.ndarray, absent: Flags, k: int) -> Shorts:
    """Return how many members present went from one candidate to another, shape (K, K, P)."""
    out = np.zeros((k, k, after.shape[1]), dtype=np.int16)
    if before is not None:
        code = np.where(absent, np.uint8(k * k), before * np.uint8(k) + after)
        for a in range(k):
            for b in range(k):
                out[a, b] = np.count_nonzero(code == a * k + b, axis=0)
    return out


# -- between rounds ------------------------------------------------------------------------------


def withdraw(scene: Scene, stage: Stage, event: Mapping[str, Any]) -> Stage:
    """Return the stage after a withdrawal.

    Between two it is the concession of the model where the candidate trails; a withdrawal that the
    model does not foresee is a fact that teaches nothing.
    """
    name, plan = event["name"], scene.plan
    k = candidate(scene, stage, name)
    if stage.alone >= 0:
        raise AnnouncementError(f"{scene.race.names[stage.alone]} stands alone already; a withdrawal changes nothing")
    if stage.pending:
        stage = inconclusive(plan, stage)
    if stage.contenders > 2:
        crowded = stage.crowded + stage.pending
        return done(scene, without(replace(stage, crowded=crowded), k), event, f"{name} withdraws")
    if stage.pending:
        trails = last_among(stage.votes[-1], stage.standing)[k]
        stage = agreeing(stage, trails * readiness(plan, stage))
    other = int(np.flatnonzero(without(stage, k).standing)[0])
    if plan.rules.after_concession == "confirmation":
        return done(scene, replace(stage, alone=other), event, f"{name} withdraws")
    over = (other, kernel.ACCLAMATION)
    stage = replace(stage, hours=consulted(plan, stage.hours))
    return done(scene, replace(stage, over=over), event, f"{name} withdraws, {scene.race.names[other]} is acclaimed")


def eliminate(scene: Scene, stage: Stage, event: Mapping[str, Any]) -> Stage:
    """Return the stage after a candidate is out by the rules, by lot, or by decision of the chair."""
    name, plan = event["name"], scene.plan
    k = candidate(scene, stage, name)
    if stage.contenders == 2:
        return stands_alone(scene, stage, k, event)
    if stage.pending:
        stage = replace(inconclusive(plan, stage), crowded=stage.crowded + 1)
        if plan.rules.elimination_due(stage.crowded):
            stage = agreeing(stage, last_among(stage.votes[-1], stage.standing)[k])
    return done(scene, without(stage, k), event, f"{name} is out")


def stands_alone(scene: Scene, stage: Stage, out: int, event: Mapping[str, Any]) -> Stage:
    """Return the stage after one of the last two is out, so that the other faces a yes/no round."""
    plan = scene.plan
    cap = plan.rules.max_two_way
    if not stage.pending or cap is None or stage.two_way + 1 < cap:
        raise AnnouncementError("only two stand, and the rules put neither out now: announce a withdrawal")
    stage = inconclusive(plan, stage)
    ready = readiness(plan, stage)
    other = int(np.flatnonzero(without(stage, out).standing)[0])
    stage = agreeing(stage, (1.0 - ready) * first_among(stage.votes[-1], stage.standing)[other])
    stage = replace(stage, refusals=stage.refusals + (ready > 0), two_way=stage.two_way + 1, alone=other)
    return done(scene, stage, event, f"{event['name']} is out")


def go_on(scene: Scene, stage: Stage, event: Mapping[str, Any]) -> Stage:
    """Return the stage after it is known that nobody conceded and another round will be held."""
    if not stage.pending:
        raise AnnouncementError("nothing is open after the last event: announce a tally")
    if stage.round_ >= scene.plan.rules.max_rounds:
        raise AnnouncementError(f"the rules end the election after {stage.round_} rounds")
    return done(scene, went_on(scene, stage), event, "nobody concedes" if stage.contenders == 2 else "voting goes on")


def confirm(scene: Scene, stage: Stage, event: Mapping[str, Any]) -> Stage:
    """Return the stage after the yes/no round, which ends the election."""
    stage = went_on(scene, stage)
    plan = scene.plan
    if stage.alone < 0:
        raise AnnouncementError("more than one candidate stands; announce a tally, or a withdrawal first")
    yes, no = (count(key, event[key]) for key in ("yes", "no"))
    if yes + no > plan.entitled:
        raise AnnouncementError(f"{yes + no} papers are more than the {plan.entitled} members with a vote")
    k, size = plan.candidates, stage.cloud.size
    votes = np.full((k, size), -1, dtype=np.int16)
    votes[stage.alone] = yes
    odds, what = yes_no_surprise(scene, stage, yes / max(yes + no, 1))
    stage = timed(scene, stage, event.get("at"))
    stage = held(stage, votes, np.full(size, yes + no, dtype=np.int16), np.zeros((k, k, size), dtype=np.int16))
    passed = yes >= plan.rules.needed(yes + no, stage.round_)
    over = (stage.alone, kernel.CONFIRMED) if passed else (-1, kernel.FAILED)
    told = f"{scene.race.names[stage.alone]} alone: {yes} yes, {no} no"
    return replace(stage, over=over, told=told, surprise=odds, surprising=what, chance=1.0)


def yes_no_surprise(scene: Scene, stage: Stage, share: float) -> Surprise:
    """Return how far out a share of yes is: by playing the round in every world."""
    runs = pack_runs(scene.plan, [field_of(scene.plan, stage)], stage.cloud.size)
    no_night = np.zeros(runs.width, dtype=bool)
    (votes, valid, _), _ = kernel.play_round(scene.plan, runs, stage.round_ + 1, no_night)
    played, w = votes[stage.alone] / np.maximum(valid, 1), weights(stage.cloud.log_weight)
    return Surprise(float(min(1.0, 2 * min(w @ (played <= share), w @ (played >= share)))), "an answer this far out")


def adjourn(scene: Scene, stage: Stage, event: Mapping[str, Any]) -> Stage:
    """Return the stage after it is known that nothing happens before a moment."""
    minute = moment_of(event["until"], scene.race.clock.opens, stage.at)
    stage, hours = clocked(scene, stage, waits_until(scene.plan, stage.hours, minute), minute)
    moment = datetime.combine(scene.race.clock.opens.date(), time()) + timedelta(minutes=minute)
    told = f"adjourned until {moment:%A %H:%M}"
    return refreshed(scene, replace(stage, hours=hours, at=minute, told=told, surprise=1.0, chance=1.0))


def candidate(scene: Scene, stage: Stage, name: str) -> int:
    """Return the index of a candidate who still stands."""
    scene.race.candidate(name)
    k = scene.race.names.index(name)
    if not stage.standing[k]:
        raise AnnouncementError(f"{name} does not stand any more")
    return k


def count(key: str, value: Any) -> int:
    """Return a number of papers."""
    try:
        return whole_number(key, value, 0)
    except ValueError as error:
        raise AnnouncementError(str(error)) from None


def agreeing(stage: Stage, chance: Floats) -> Stage:
    """Weigh the worlds by the chance they gave to what happened, if any world gave it one."""
    with np.errstate(divide="ignore"):
        log_chance = np.log(chance)
    if not np.isfinite(stage.cloud.log_weight + log_chance).any():
        return stage
    return weigh(stage, log_chance, "")


def done(scene: Scene, stage: Stage, event: Mapping[str, Any], told: str) -> Stage:
    """Return the stage after something that needs no further word on the last round."""
    if event.get("at") is not None:
        minute = moment_of(event["at"], scene.race.clock.opens, stage.at)
        nothing = np.zeros(stage.cloud.size)
        stage = replace(stage, hours=known(scene.clock_rng, scene.plan, stage.hours, nothing, minute), at=minute)
    quiet = replace(stage, pending=False, told=told, surprise=1.0, chance=1.0)
    return refreshed(scene, quiet)


STEPS: dict[str, Callable[[Scene, Stage, Mapping[str, Any]], Stage]] = {
    "announce": announce,
    "withdraw": withdraw,
    "eliminate": eliminate,
    "confirm": confirm,
    "go on": go_on,
    "adjourn": adjourn,
}
