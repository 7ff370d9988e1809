"""The obvious first vectorised version: plain NumPy in double precision over (runs, members).

The whole batch is drawn every round and decided runs leave it; no blocks, no buffers, no tricks.
"""

from __future__ import annotations

import numpy as np
from loop import World


def simulate(w: World, runs: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Play `runs` elections; return who won (-1 for nobody), in which round, and at what minute it ended."""
    rng = np.random.default_rng(seed)
    lean, pressure, pins = np.array(w.lean), np.array(w.pressure), np.array(w.pins)
    group, backs, spreads = np.array(w.group), np.array(w.backs), np.array(w.spreads)
    opens, closes, closes_late = np.array(w.opens), np.array(w.closes), np.array(w.closes_late)
    n, groups, half = len(group), group.max() + 1, np.sqrt(0.5)
    # what a run draws once
    effect = np.exp(spreads * rng.standard_normal((runs, len(spreads))) - spreads**2 / 2)
    common = w.common_sd * half * rng.standard_normal((runs, 2))
    region = w.region_sd * half * rng.standard_normal((runs, groups, 2))
    a = lean + common[:, None, :] + region[:, group, :]
    for s, k in enumerate(backs):
        a[:, :, k] += pressure[:, s] * effect[:, s, None]
    against = w.conviction_scale * (a[:, :, 1] - a[:, :, 0]) - w.conviction * rng.standard_normal((runs, n))
    here = rng.random((runs, n)) >= np.array(w.absent)
    fluid = (rng.random(runs) < w.fluid).astype(int)
    readiness = rng.beta(w.concede_a, w.concede_b, runs)
    longer = rng.random((runs, int(opens[-1] // 1440) + 1)) < w.sits_on
    now = w.opening + w.formalities[0] * np.exp(w.formalities[1] * rng.standard_normal(runs))

    winner = np.full(runs, -1)
    rounds = np.full(runs, w.max_rounds)
    minute = np.full(runs, -1)
    open_ = np.arange(runs)
    intention = np.zeros((runs, n), dtype=int)
    votes = np.zeros((runs, 2))
    for round_ in range(1, w.max_rounds + 1):
        # the clock
        sitting = np.searchsorted(closes_late, now, side="right")
        start = np.maximum(now, opens[sitting])
        while True:
            late = longer[np.arange(open_.size), (opens[sitting] // 1440).astype(int)]
            missed = start > np.where(late, closes_late[sitting], closes[sitting]) - w.last_call
            if not missed.any():
                break
            sitting[missed] += 1
            start = np.maximum(now, opens[sitting])
        now = start + w.minutes[0] * np.exp(w.minutes[1] * rng.standard_normal(open_.size))
        # what happened since the last round
        omega, pull = np.ones(open_.size), np.zeros(open_.size)
        if round_ > 1:
            first = np.array(w.openness)[fluid]
            omega = w.openness_inf + (first - w.openness_inf) * w.decay ** (round_ - 2)
            pull = np.array(w.momentum)[fluid] * np.diff(np.log(np.maximum(votes, 0.5)))[:, 0]
            shock = rng.standard_t(5, (open_.size, 2)) * np.sqrt(3 / 5)
            pull += w.round_sd * half * (shock[:, 1] - shock[:, 0])
        # the papers
        thinks = rng.random(against.shape) < omega[:, None]
        first = 1.0 / (1.0 + np.exp(np.minimum(against + pull[:, None], 500.0)))
        choice = (rng.random(against.shape) >= first).astype(int)
        choice = np.where(pins >= 0, pins, choice)
        intention = np.where(thinks, choice, intention)
        voting = here & ((rng.random(against.shape) >= w.abstain) | (pins >= 0))
        votes = np.stack([(voting & (intention == k)).sum(axis=1) for k in (0, 1)], axis=1)
        # the count
        top, valid = votes.max(axis=1), votes.sum(axis=1)
        ahead = votes[:, 0] != votes[:, 1]
        over = ahead & ((3 * top >= 2 * valid) | (rng.random(open_.size) < readiness))
        done = open_[over]
        winner[done], rounds[done] = votes[over].argmax(axis=1), round_
        minute[done] = np.floor(now[over])
        going = ~over
        open_, against, here, intention, votes = (x[going] for x in (open_, against, here, intention, votes))
        fluid, readiness, longer, now = (x[going] for x in (fluid, readiness, longer, now))
        if not open_.size:
            break
    return winner, rounds, minute
