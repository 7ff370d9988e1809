"""What every forecast is, whatever file it comes from: numbers in their ranges, and counts that agree with the runs.

What says otherwise is told in the words that follow "it".
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, isfinite
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.engine.rng import BLOCK
from iomsim.errors import IomsimError, quote
from iomsim.forecasting.summary import MOST_MINUTES, MOST_ROUNDS, Summary, codes_of, counted, merge, summarise
from iomsim.forecasting.tables import Tables, sides_columns
from iomsim.house_style import thousands
from iomsim.model.assumptions import READINGS
from iomsim.model.events import checked
from iomsim.model.links import limits
from iomsim.rules.procedure import ENDINGS
from iomsim.typing import Floats

FAILED, OPEN = ENDINGS.index("failed"), ENDINGS.index("open")

TOGETHER = 2**16
"""Runs that are counted at once."""

CLOSE = 1e-9
"""How far chances that are the same may lie apart, written and read."""


def complaints(fc: Tables) -> Iterator[str]:
    """Yield what makes these no counts, runs and facts of a forecast; nothing if all agree.

    Examples
    --------
    >>> import iomsim as iom
    >>> from dataclasses import replace
    >>> fc = iom.forecast(iom.load("minimal"), runs=100, seed=1)
    >>> list(complaints(fc)), next(complaints(replace(fc, certain=True)))
    ([], 'knows what came, though nothing was announced')
    """
    yield from _of_draws(fc)
    yield from _of_ends(fc)
    yield from _of_facts(fc)
    yield from _of_outcomes(fc, fc.summary.examples, "an example")
    if fc.outcomes is None:
        yield from _of_counts(fc)
    else:
        yield from _of_outcomes(fc, fc.outcomes, "a run")
        yield from _recounted(fc, fc.outcomes)


def _within(array: Any, low: float, high: float) -> bool:
    """Return whether all numbers of an array lie between two (missing ones do not)."""
    return not array.size or bool(low <= array.min() <= array.max() <= high)


# -- runs ----------------------------------------------------------------------------------------


def _of_outcomes(fc: Tables, out: Outcomes, what: str) -> Iterator[str]:
    """Yield what no run can have come to."""
    members = len(fc.race.plan.members)
    yield from _ends(fc, vars(out), what)
    if len(out.valid) != out.rounds.sum(dtype=np.int64):
        yield f"has {what} of more or fewer rounds than there are"
    if not _within(out.present, 0, members):
        yield f"has {what} with more or fewer than the {members} members present"
    standing = sum((votes >= 0).astype(np.int8) for votes in out.votes.T)
    papers = sum(np.maximum(votes, 0, dtype=np.int32) for votes in out.votes.T)
    if not (_within(out.votes, -1, members) and _within(out.valid, 0, members) and np.all(standing > 0)):
        yield f"has {what} with a round whose votes cannot be"
    elif np.any(papers > out.valid):
        yield f"has {what} with a round of more votes than valid papers"
    first = out.starts[out.rounds > 0]
    if not _within(out.flows, 0, members) or np.any(out.flows.take(first, axis=0)):
        yield f"has {what} in which members go over who cannot"
    if not fc.events:  # what was announced is a fact: who stands alone is elected, whatever is known of a last tally
        won = np.flatnonzero(out.winner >= 0)
        if np.any(out.rounds.take(won) == 0):
            yield f"has {what} that was won before its first round"
        last = out.votes.take(out.starts.take(won) + out.rounds.take(won) - 1, axis=0)
        if np.any(last[np.arange(won.size), out.winner.take(won)] < np.ascontiguousarray(last.T).max(axis=0)):
            yield f"has {what} won by somebody who was not ahead in its last round"
    if fc.draws is not None and not fc.events and not _in_order(out.draw, fc.summary.draws, _partial(fc)):
        yield f"has {what} that follows another draw of the assumptions than its own"


def _in_order(draw: Any, draws: int, partial: bool) -> bool:
    """Return whether runs follow the draws in turn; of a partial forecast blocks may be missing."""
    place = np.arange(draw.size)
    if not partial:
        return bool(np.array_equal(draw, place % draws))
    first = draw[::BLOCK]
    in_turn = (np.repeat(first, BLOCK)[: draw.size] + place % BLOCK) % draws
    return not np.any(first % gcd(BLOCK, draws)) and bool(np.array_equal(draw, in_turn))


def _partial(fc: Tables) -> bool:
    """Return whether a forecast was stopped early, so that some spans may be missing between others."""
    return fc.stopped.startswith(("interrupted", "failed"))


def _ends(fc: Tables, ends: Any, what: str) -> Iterator[str]:
    """Yield what no election ends with, from its columns."""
    winner, ending, rounds, minute, draw = (
        np.asarray(ends[key]) for key in ("winner", "ending", "rounds", "minute", "draw")
    )
    if not _within(winner, -1, len(fc.race.names) - 1):
        yield f"has {what} whose winner does not stand"
    if not _within(ending, 0, len(ENDINGS) - 1) or np.any((winner < 0) != (ending >= FAILED)):
        yield f"has {what} whose ending does not go with its winner"
    if not _within(rounds, 0, fc.race.rules.max_rounds):
        yield f"has {what} with more rounds than the {fc.race.rules.max_rounds} that are simulated, or fewer than none"
    if not _within(minute, -1, MOST_MINUTES - 1) or np.any((minute < 0) != (ending == OPEN)):
        yield f"has {what} that ends at a moment that cannot be"
    if not _within(draw, 0, max(fc.summary.draws, 1) - 1):
        yield f"has {what} that follows a draw of the assumptions that is not there"


# -- counts --------------------------------------------------------------------------------------


def _of_ends(fc: Tables) -> Iterator[str]:
    """Yield what is wrong with the counts of how runs ended."""
    summary, ends = fc.summary, fc.summary.ends
    count = ends["count"].to_numpy()
    yield from _ends(fc, ends, "a way to end")
    if not count.size or count.min() < 1 or count.sum(dtype=float) != summary.runs:
        yield f"counts ends that do not add up to its {thousands(summary.runs)} runs"
    if np.any(np.diff(codes_of(ends)) <= 0):
        yield "counts an end twice, or out of order"
    runs = summary.runs_of_draws
    in_turn = (summary.runs - np.arange(runs.size) - 1) // runs.size + 1
    if not fc.events and not _partial(fc) and not np.array_equal(runs, in_turn):
        yield "has draws of the assumptions with more or fewer runs than follow them in turn"


def _of_counts(fc: Tables) -> Iterator[str]:
    """Yield what is wrong with counts of runs that are not there."""
    summary, members = fc.summary, len(fc.race.plan.members)
    ends, longest = summary.ends, summary.voting.size
    reached = summary.runs - np.cumsum(summary.tally("rounds", longest + 1))[:-1]
    if np.any(summary.voting < 0) or np.any(summary.voting > reached):
        yield "counts more runs in a round than there are"
    if np.any(summary.shares < 0) or np.any(summary.shares.sum(axis=2, dtype=float) > summary.voting[:, None]):
        yield "counts more shares of the votes than runs"
    most = members * summary.voting.astype(float)
    if np.any(summary.flows < 0) or np.any(summary.flows.sum(axis=(1, 2), dtype=float) > most):
        yield "counts more members that go over than there are"
    known = dict(zip(codes_of(ends).tolist(), ends["count"].tolist(), strict=True))
    example = counted(codes_of(vars(summary.examples)))
    if any(known.get(code, 0) < n for code, n in zip(codes_of(example).tolist(), example["count"], strict=True)):
        yield "has an example that ends as none of its runs does"


def _recounted(fc: Tables, out: Outcomes) -> Iterator[str]:
    """Yield what is counted otherwise than the runs are."""
    told, size = fc.summary, out.size
    if size != told.runs:
        yield f"says that it has {thousands(told.runs)} runs, and has {thousands(size)}"
        return
    spans = (out.part(start, min(start + TOGETHER, size)) for start in range(0, size, TOGETHER))
    found = merge(summarise(span, len(told.voting), told.draws) for span in spans)
    if not same_counts(found, told):
        yield "counts other things than its runs are"


def same_counts(a: Summary, b: Summary) -> bool:
    """Return whether two summaries hold the same counts and examples."""
    same = all(np.array_equal(getattr(a, key), getattr(b, key)) for key in ("shares", "flows", "voting"))
    pairs = zip(vars(a.examples).values(), vars(b.examples).values(), strict=True)
    return same and a.ends.equals(b.ends) and all(np.array_equal(one, other) for one, other in pairs)


# -- draws of the assumptions --------------------------------------------------------------------


def _of_draws(fc: Tables) -> Iterator[str]:
    """Yield what is wrong with the draws of the assumptions."""
    if fc.draws is None:
        return
    known, plan, draws = fc.race._parameters, fc.race.plan, fc.draws
    if draws.readings != fc.race.procedures:
        yield "is a part of a forecast, under one of several readings of the rules, which belongs to the whole"
    for path, values in draws.values.items():
        if path not in known:
            yield f"draws {quote(path)}, which its scenario does not have"
        quantity, bounds = known[path].quantity, known[path].bounds
        if not _within(values, *limits(bounds, quantity.low, quantity.high)):
            yield f"draws {quote(path)} from beyond what it can be"
        if not np.array_equal(values, draws.parameters.get(path, ())):
            yield f"plays another {quote(path)} than it draws"
    if not _within(draws.reading, 0, len(draws.readings) - 1):
        yield "draws a reading of the rules that its scenario does not have"
    if np.any(draws.parameters.get(READINGS, draws.reading) != draws.reading):
        yield "plays another reading of the rules than it draws"
    for path in draws.parameters.keys() - draws.values.keys() - {READINGS}:
        if path not in plan.values or not np.isfinite(draws.parameters[path]).all():
            yield f"plays {quote(path)} with what cannot be played"


# -- facts ---------------------------------------------------------------------------------------


def _of_facts(fc: Tables) -> Iterator[str]:
    """Yield what cannot have been announced."""
    names, ends = fc.race.names, fc.summary.ends
    told = bool(fc.announced or fc.out or fc.certain or fc.reached is not None)
    if told and not fc.events:
        yield "knows what came, though nothing was announced"
    if not 0 <= fc.announced <= ends["rounds"].min():
        yield f"says that {fc.announced} rounds were announced, and has runs with fewer"
    strangers = [name for name in fc.out if name not in names]
    if strangers:
        yield f"says that {quote(strangers[0])} is out, who does not stand"
    if any(fc.summary.count(ends["winner"] == names.index(name)) for name in fc.out):
        yield "has runs that elect somebody who is out"
    if fc.certain and ends["winner"].nunique() > 1:
        yield "says that it is over, and has several winners"
    if fc.reached is not None and not (isfinite(fc.reached) and 0 <= fc.reached < MOST_MINUTES):
        yield f"says that it stands at minute {quote(fc.reached)}"
    for event in fc.events:
        try:
            checked(event, names)
        except IomsimError as error:
            yield f"tells an event that is none: {str(error).splitlines()[0]}"


# -- the table of readings -----------------------------------------------------------------------


def complaints_of_sides(fc: Tables, sides: pd.DataFrame) -> Iterator[str]:
    """Yield what is wrong with the table of readings of the rules that came with a forecast.

    Rows of readings that its runs follow are those of its counts; the others were played beside it.
    """
    if list(sides) != sides_columns(fc.race.names) or not len(sides) or not sides.index.is_unique:
        yield "has another table of the readings of its rules than a forecast has"
        return
    known, beside = np.split(sides.to_numpy(dtype=float), [list(sides).index("weight") + 1], axis=1)
    chances, (median, weight) = known[:, :-2], known[:, -2:].T
    low, high = beside[:, ::3], beside[:, 1::3]
    numbers = np.concatenate([chances, weight[:, None], beside], axis=1)
    sums = chances[:, :-3].sum(axis=1) - 1, chances[:, -2:].sum(axis=1) - chances[:, -4]
    if (
        np.isnan(known[:, :-1]).any()
        or np.any((numbers < 0) | (numbers > 1 + CLOSE))
        or np.any(np.abs(sums) > CLOSE)
        or np.any(low > high)
        or np.any((median < 0) | (median > MOST_ROUNDS) | (median % 1 != 0))
    ):
        yield "has a table of the readings of its rules with numbers that cannot be"
    weighed = not np.isnan(weight).all()
    found = _rows(fc, weighed)
    if not found.keys() <= set(sides.index) or (weighed and len(found) != len(sides)):
        yield "has a table of other readings of the rules than its runs follow"
        return
    for name, row in found.items():
        if not np.allclose(known[sides.index.get_loc(name)], row, rtol=0, atol=CLOSE, equal_nan=True):
            yield f"has other chances under {quote(name)} than its runs give"


def _rows(fc: Tables, weighed: bool) -> dict[str, Floats]:
    """Return what follows from the counts alone of the rows of the table of readings that the runs follow, by name."""
    ends, readings = fc.summary.ends, [fc.race.rules]
    count, reading = ends["count"].to_numpy(), np.zeros(len(ends), dtype=np.intp)
    if weighed and fc.draws is not None:
        readings, reading = list(fc.draws.readings), fc.draws.reading[ends["draw"].to_numpy()]
    size = len(readings)

    def tally(codes: Any, wide: int) -> Floats:
        """Return the runs by reading and code."""
        return np.asarray(np.bincount(reading * wide + codes, count, size * wide), dtype=float).reshape(size, wide)

    spilled, runs = tally(fc.runs_into(fc.next_day), 2)[:, 1:], tally(np.zeros(len(ends), dtype=np.intp), 1)
    won = np.roll(tally(ends["winner"] + 1, len(fc.race.names) + 1), -1, axis=1)
    ended, rounds = tally(ends["ending"], len(ENDINGS)), tally(ends["rounds"], fc.race.rules.max_rounds + 1)
    median = (np.cumsum(rounds, axis=1) < runs / 2).sum(axis=1)[:, None]
    weight = runs / len(fc) if weighed else np.full(runs.shape, np.nan)
    chances = np.concatenate([won, spilled, ended[:, [FAILED, OPEN]]], axis=1) / np.maximum(runs, 1)
    rows = np.concatenate([chances, median, weight], axis=1)
    return {rules.name: row for rules, row, held in zip(readings, rows, runs, strict=True) if held}
