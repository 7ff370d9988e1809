"""`forecast`: many runs, here or on an executor, until there are enough of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iomsim.engine import simulate
from iomsim.engine.executors import broken, progress_bar
from iomsim.engine.outcomes import Outcomes, join
from iomsim.engine.plan import Plan
from iomsim.engine.rng import BLOCK, fresh_seed
from iomsim.engine.simulate import SPAN
from iomsim.errors import BlockError, IomsimError, quote, whole_number
from iomsim.forecasting.estimates import left_by_draws
from iomsim.forecasting.forecast import Forecast, from_outcomes
from iomsim.forecasting.summary import BINS, Summary, merge, summarise
from iomsim.forecasting.tables import NO_WINNER, Tables, rule_sets_table
from iomsim.house_style import count, percent
from iomsim.interrupts import interrupts_wait
from iomsim.memory import SMALL, free, refuse_too_many
from iomsim.model.assumptions import DRAWS, Assumptions, drawn, played
from iomsim.model.bodies import siblings
from iomsim.model.scenario import Scenario, described

OTHER_RULES_RUNS = 10_000
"""Runs of each other reading of the rules beside a forecast, if the forecast itself has that many."""

MOST_DRAWS = 25_600
"""More draws of the assumptions are not advised."""

MOST_RUNS = 10_000_000
"""Runs at which the search for a precision gives up."""


MERGED = 16
"""Spans whose counts are added up together."""


class InterruptedForecastWarning(UserWarning):
    """A forecast was stopped early and holds what was finished."""


def forecast(
    race: Scenario,
    runs: int | None = None,
    seed: int | None = None,
    *,
    assumptions: int | str = DRAWS,
    precision: float | None = None,
    target: str | None = None,
    executor: Any = None,
    keep: str = "runs",
    progress: bool = True,
) -> Forecast:
    """Simulate an election many times and return what the runs say.

    Parameters
    ----------
    race : Scenario
        The election.
    runs : int, default 10_000
        How many elections to simulate.
    seed : int, optional
        Addresses all random numbers: the same seed plays the same elections, bit for bit, wherever
        they are played.  None draws one, and `Forecast.seed` keeps it.
    assumptions : int or "fixed", default 400
        How many draws of the scenario's assumptions are played: of every parameter with a range, of the level, and
        of the reading of the rules.  Run `i` follows draw ``i mod assumptions``.  "fixed" plays the best guesses:
        the values, and the weightiest reading.
    precision : float, optional
        Instead of `runs`: go on until the Monte Carlo error of the `target`, half the width of its 95 % interval,
        is at most this; 0.005 is half a point.  More runs of the same draws of the assumptions leave the error that
        comes of so many draws: where that is larger, the forecast stops, and `Forecast.stopped` says so.
    target : str, optional
        What `precision` is about: a candidate or "no winner" (probability to win), or "spill"
        (probability that voting runs into the next day).  Default: every candidate and "spill".
    executor : object with ``map`` or ``submit``, optional
        Where spans of runs are played: a `concurrent.futures` executor, Dask's
        ``Client.get_executor()``, a pool; None plays them here.
    keep : {"runs", "summary"}
        Keep every run, or only the counts: then memory does not grow with the runs on fixed assumptions, and with
        draws of them only as far as the ways to end under each draw differ.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Forecast

    Raises
    ------
    IomsimError
        If an argument makes no sense, or the runs do not fit into memory: how many would.
    BlockError
        If a worker or the executor fails: says where, and carries as `partial` what was finished.

    Warns
    -----
    InterruptedForecastWarning
        After Ctrl-C, if some runs were finished: they are returned.  A span that is finished is always among them; a
        second Ctrl-C ends the forecast at once.

    Notes
    -----
    Stopping when an interval is short enough looks at the data to decide how much of it to use.
    The width depends almost only on the share itself, so the number of runs at which it falls
    under the bound hardly depends on luck, and the coverage stays at its nominal 95 %: the tests
    measure it.

    Examples
    --------
    >>> import iomsim as iom
    >>> fc = iom.forecast(iom.load("geneva-2023"), runs=200, seed=2023)
    >>> fc.win_probability().index.tolist()
    ['Pope', 'Vitorino', 'no winner']
    """
    fc, interrupted = _made(race, runs, seed, assumptions, precision, target, executor, keep, progress)
    if interrupted:
        warnings.warn(interrupted, InterruptedForecastWarning, stacklevel=2)
    return fc


def whole_forecast(
    race: Scenario,
    runs: int,
    seed: int | None,
    *,
    assumptions: int | str = DRAWS,
    executor: Any = None,
    keep: str = "runs",
    progress: bool = True,
) -> Forecast:
    """Return the :func:`forecast` of all its runs, where a part of them is of no use: Ctrl-C ends it."""
    fc, interrupted = _made(race, runs, seed, assumptions, None, None, executor, keep, progress)
    if interrupted:
        raise KeyboardInterrupt(f"{interrupted}; nothing is kept")
    return fc


def _made(
    race: Scenario,
    runs: int | None,
    seed: int | None,
    assumptions: int | str,
    precision: float | None,
    target: str | None,
    executor: Any,
    keep: str,
    progress: bool,
) -> tuple[Forecast, str]:
    """Return a forecast, and how far it was when Ctrl-C was pressed; nothing if it was not."""
    described("forecast", race)
    if keep not in ("runs", "summary"):
        raise IomsimError(f"keep must be 'runs' or 'summary', got {quote(keep)}")
    if runs is not None and precision is not None:
        raise IomsimError("give runs or precision, not both")
    if target is not None and precision is None:
        raise IomsimError(f"target {quote(target)} is what precision is about; give precision too")
    seed = fresh_seed() if seed is None else whole_number("seed", seed, at_least=0)
    gathered = RunAccumulator(race, seed, keep, assumptions)
    asked = whole_number("runs", 10_000 if runs is None else runs, at_least=1)
    if precision is None:
        refuse_what_does_not_fit([(race, gathered.draws)], seed, asked, keep)
    with interrupts_wait() as ctrl_c:
        if precision is None:
            _play(gathered, asked, executor, progress)
        else:
            _play_until(gathered, precision, target, executor, progress)
        fc = gathered.forecast()
    pressed = f"interrupted when {fc.stopped}" if ctrl_c.pressed else ""
    return fc, fc.stopped if gathered.interrupted else pressed


def refuse_what_does_not_fit(
    cases: Sequence[tuple[Scenario, Assumptions | None]], seed: int, runs: int, keep: str = "runs"
) -> None:
    """Refuse forecasts, each with its draws of the assumptions, that need more memory than there is.

    Runs are held twice when their spans are joined, and half of that again is lost between arrays.  How many rounds
    they have is found out from a block of them, where it matters.
    """
    beside = sum(_beside_the_runs(race, runs) for race, _ in cases)
    each = 3.0 * (keep == "runs") * sum(_kept_of_a_run(race, race.rules.max_rounds) for race, _ in cases)
    if each and runs * each + beside > SMALL and runs * each + beside > free():
        each = 3.0 * sum(_kept_of_a_run(race, _mean_rounds(race, draws, seed, runs)) for race, draws in cases)
    cure = "; in Python, keep='summary' keeps their counts alone" if each and len(cases) == 1 else ""
    refuse_too_many(runs, f"runs{', each of them kept,' if each else ''}", each, beside, cure)


def _kept_of_a_run(race: Scenario, rounds: float) -> float:
    """Return the bytes of a run: how it ended, and in each round votes, valid papers and flows."""
    k = len(race.names)
    return 18.0 + 2.0 * rounds * (1 + k + k * k)


def _beside_the_runs(race: Scenario, runs: int) -> float:
    """Return the bytes of a span in the making, and of the counts of those that are added up together."""
    k, numbers = len(race.names), simulate.numbers(race.plan)
    span = 4.0 * numbers * min(runs, BLOCK * simulate.span_blocks(runs, None, numbers))
    return 2.5 * span + 8.0 * (MERGED + 2) * race.rules.max_rounds * k * (BINS + k)


def _mean_rounds(race: Scenario, draws: Assumptions | None, seed: int, runs: int) -> float:
    """Return the mean rounds of the first runs, and something to spare."""
    few, plan = min(runs, BLOCK), race.plan if draws is None else played(race)
    return 1.1 * float(simulate.play_endings(plan, followed(draws, few), seed, 0, few).rounds.mean())


class RunAccumulator:
    """The finished part of a forecast in the making."""

    def __init__(self, race: Scenario, seed: int, keep: str, assumptions: int | str) -> None:
        self.race, self.seed, self.keep = race, seed, keep
        self.draws = drawn(race, seed, assumptions)
        self.summaries: list[Summary] = []
        self.outcomes: list[Outcomes] = []
        self.stopped = ""
        self.interrupted = False

    @property
    def work(self) -> Callable[..., Any]:
        """What a worker does with a span: bring back every run, or only the counts."""
        return partial(play_draws if self.keep == "runs" else count_span, draws=self.count)

    @property
    def count(self) -> int:
        """How many draws of the assumptions there are; 0 if they are fixed."""
        return 0 if self.draws is None else self.draws.count

    @property
    def runs(self) -> int:
        """How many runs are finished."""
        return sum(part.runs for part in self.summaries)

    def add(self, part: Outcomes | Summary) -> int:
        """Add a finished span, or, if that is interrupted, nothing of it; return its runs."""
        kept = [part] if isinstance(part, Outcomes) else []
        if isinstance(part, Outcomes):
            part = summarise(part, self.race.rules.max_rounds, self.count)
        summaries = [*self.summaries, part]
        if len(summaries) > MERGED:
            summaries = [merge(summaries)]
        outcomes = [*self.outcomes, *kept]
        self.outcomes, self.summaries = outcomes, summaries
        return part.runs

    def counts(self) -> Forecast:
        """Return the forecast so far, without its runs."""
        return Forecast(self.race, self.seed, merge(self.summaries), draws=self.draws)

    def forecast(self) -> Forecast:
        """Return the forecast so far."""
        outcomes = join(self.outcomes) if self.outcomes else None
        counts = merge(self.summaries)
        return Forecast(
            self.race, self.seed, counts, outcomes, stopped=self.stopped, draws=self.draws, compare_rules=by_readings
        )


def play_draws(
    plan: Plan, parameters: simulate.Parameters, seed: int, first: int, size: int, *, draws: int
) -> Outcomes:
    """Play a span of runs, each under its draw of the assumptions; 0 draws are fixed ones."""
    out = simulate.play_span(plan, parameters, seed, first, size)
    return replace(out, draw=draw_of_run(draws, first * BLOCK, size)) if draws else out


def draw_of_run(draws: int, first: int, size: int) -> NDArray[np.int32]:
    """Return the draw of the assumptions that each run follows, from run number `first` on."""
    return ((first + np.arange(size)) % draws).astype(np.int32)


def by_readings(fc: Tables) -> pd.DataFrame:
    """Return a forecast under the readings of the rules: those weighed, or those of its body, its own among them."""
    weighed = {name: part.as_row() | {"weight": len(part) / len(fc)} for name, part in fc.by_reading().items()}
    if weighed:
        return rule_sets_table(weighed)
    own, named = fc.race.rules, siblings(fc.race.rules, fc.race.body)
    rows = {} if own in named.values() else {own.name: fc.as_row()}
    for name, rules in named.items():
        if rules == own:
            rows[name] = fc.as_row()
            continue
        race, runs = fc.race.with_rules(rules), min(len(fc), OTHER_RULES_RUNS)
        draws = None if fc.draws is None else fc.draws.under(rules)
        work = partial(play_draws, draws=0 if draws is None else draws.count)
        spans = list(simulate.iter_spans(race.plan, followed(draws, runs), runs, fc.seed, work=work))
        rows[name] = from_outcomes(race, fc.seed, spans, draws=draws).as_row()
    return rule_sets_table(rows)


def followed(draws: Assumptions | None, runs: int) -> simulate.Parameters:
    """Return what the engine plays of the draws that so many runs follow; nothing if the assumptions are fixed."""
    return {} if draws is None else {path: values[:runs] for path, values in draws.parameters.items()}


def count_span(plan: Plan, parameters: simulate.Parameters, seed: int, first: int, size: int, *, draws: int) -> Summary:
    """Play a span of runs and bring back only the counts."""
    return summarise(play_draws(plan, parameters, seed, first, size, draws=draws), plan.rules.max_rounds, draws)


def _play(
    gathered: RunAccumulator,
    runs: int,
    executor: Any,
    progress: bool,
    enough: Callable[[], bool] = lambda: False,
    blocks: int | None = None,
    aim: str = "",
) -> None:
    """Play the spans that lead to `runs` runs, or to as many as are `enough`; the `aim` is named if they do not."""
    start = gathered.runs
    aim = aim or f"of {runs} runs"
    gathered.stopped = f"all {runs} runs were played"
    plan = gathered.race.plan if gathered.draws is None else played(gathered.race)
    parameters = followed(gathered.draws, runs)
    work = simulate.iter_spans(plan, parameters, runs, gathered.seed, executor, gathered.work, start, blocks)
    try:
        with progress_bar(runs - start, progress) as advance, closing(work):
            for part in work:
                advance(gathered.add(part))
                if enough():
                    return
    except KeyboardInterrupt:
        if not gathered.runs:
            raise
        gathered.stopped, gathered.interrupted = f"interrupted after {gathered.runs} {aim}", True
    except BlockError as error:
        done = f"{gathered.runs} {aim}"
        gathered.stopped = f"failed after {done}"
        words = broken(error.__cause__)
        failure = BlockError(f"the executor broke after {done}: {words}") if words else error
        failure.partial = gathered.forecast() if gathered.runs else None
        raise failure from error.__cause__


def _play_until(gathered: RunAccumulator, precision: float, target: str | None, executor: Any, progress: bool) -> None:
    """Play span after span until the target is precise enough."""
    if isinstance(precision, bool) or not isinstance(precision, (int, float)) or not 0 < precision < 0.5:
        raise IomsimError(f"precision must be between 0 and 0.5, got {quote(precision)}; 0.005 is half a point")
    options = (*gathered.race.names, NO_WINNER, "spill")
    if target is not None and target not in options:
        raise IomsimError(f"target must be one of {', '.join(options)}; got {quote(target)}")

    def width() -> float:
        return half_width(gathered.counts(), target)

    def enough() -> bool:
        return width() <= precision or out_of_reach(gathered.counts(), target, precision) > 0

    while gathered.runs < MOST_RUNS:
        goal = min(MOST_RUNS, _suggested(gathered.runs, width() if gathered.runs else 1.0, precision))
        try:
            refuse_what_does_not_fit([(gathered.race, gathered.draws)], gathered.seed, goal, gathered.keep)
        except IomsimError as too_large:
            if not gathered.runs:
                raise
            gathered.stopped = f"stopped at {gathered.runs} runs: {too_large}"
            return
        _play(gathered, goal, executor, progress, enough, SPAN, f"runs, on the way to a half-width of {precision}")
        if width() <= precision:
            words = f"the {percent(95)} half-width of {target or 'every target'} reached {width():.4f} <= {precision}"
            gathered.stopped = words
            return
        if error := out_of_reach(gathered.counts(), target, precision):
            gathered.stopped = _too_few_draws(gathered, error, precision)
            return
        if gathered.interrupted:
            return
    gathered.stopped = f"gave up at {gathered.runs} runs before the half-width reached {precision}"


def out_of_reach(fc: Forecast, target: str | None, precision: float) -> float:
    """Return the error that the draws of the assumptions alone leave, if it is certainly above a precision; else 0."""
    if not fc.draws:
        return 0.0
    names, ends = fc.race.names, fc.summary.ends
    where = {name: ends["winner"] == k for k, name in enumerate(names)}
    where |= {NO_WINNER: ends["winner"] < 0, "spill": fc.runs_into(fc.next_day)}
    asked = where.values() if target is None else [where[target]]
    left = [left_by_draws(*fc.summary.by_draw(one)) for one in asked]
    return max((error for error, at_least in left if at_least > precision), default=0.0)


def _too_few_draws(gathered: RunAccumulator, error: float, precision: float) -> str:
    """Return that more runs would not do, and what would."""
    more = gathered.count * 2 ** math.ceil(2 * math.log2(error / precision))
    cure = f"assumptions={more} or " if more <= MOST_DRAWS else ""
    return (
        f"stopped at {gathered.runs} runs: {count(gathered.count, 'draw')} of the assumptions leave an error of "
        f"{100 * error:.2g} points, however many runs there are, and {100 * precision:.2g} were asked for; "
        f"{cure}assumptions='fixed' would do"
    )


def _suggested(runs: int, width: float, precision: float) -> int:
    """Return the runs, in whole spans, at which the half-width should fall under the precision.

    They only say how many spans are handed out at a time: whether they suffice is asked after each.

    Examples
    --------
    >>> _suggested(16_384, 0.02, 0.01) // 16_384, _suggested(16_384, 0.0101, 0.01) // 16_384
    (4, 2)
    """
    step = SPAN * BLOCK
    return step * max(runs // step + 1, math.ceil(runs * (width / precision) ** 2 / step))


def half_width(fc: Forecast, target: str | None) -> float:
    """Return the half-width of the interval of a target, or the widest of all."""
    widths = {**fc.win_probability()["mc_error"], "spill": fc.spill().mc_error}
    return float(max(widths.values()) if target is None else widths[target])
