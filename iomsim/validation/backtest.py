"""Forecasts after every announced round of past contests, scored beside simple baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from iomsim.engine.executors import in_order, progress_bar
from iomsim.engine.outcomes import Outcomes
from iomsim.errors import AnnouncementError, IomsimError, quote, unknown, whole_number
from iomsim.model.assumptions import DRAWS
from iomsim.model.components import Behaviour
from iomsim.model.links import moved
from iomsim.model.quantities import walk
from iomsim.model.scenario import Scenario
from iomsim.validation.baselines import Baseline, fitted_baselines
from iomsim.validation.contest import Contest
from iomsim.validation.data import contests as read_contests
from iomsim.validation.fit import Fit, fit
from iomsim.validation.prediction import ReplayStep, predict, replay_contest, scored
from iomsim.validation.verdict import MODEL, Backtest, Case

SEED = 2023

PARTICLES = 2000
"""Particles of every forecast: the mean scores then move by about a hundredth with the seed."""

IN_SAMPLE = (
    "The defaults were chosen with these contests in view; backtest(model='fitted') judges values that never saw "
    "the contest they are judged on."
)

FITTED = "fitted"

EARLIER: dict[str, dict[str, float]] = {
    "0.1": {"decay": 0.45, "openness_inf": 0.04, "round_sd": 0.15, "momentum_field": 1.0, "stray": 0.0}
}
"""What differed in the behaviour of earlier versions, by their name: contests froze sooner, and the last tally pulled
as much among three or more as between two."""

Model = Behaviour | Scenario | Mapping[str, float] | Fit | str | None


def backtest(
    contests: str | Contest | Iterable[str | Contest] | None = None,
    model: Model = None,
    folder: str | Path | None = None,
    *,
    train: Iterable[Contest] | None = None,
    particles: int = PARTICLES,
    seed: int = SEED,
    assumptions: int | str | None = None,
    camp: bool | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Backtest:
    """Forecast past contests round by round, and score the forecasts beside simple baselines.

    After every announced round that elected nobody, also where somebody then withdrew at once, the
    predictive distribution given that round and those before: the leader's next share, whether all
    is over by the end of the next round, the rounds still to come, the final winner, the ending.

    Parameters
    ----------
    contests : ids or contests, optional
        Which; default all of the folder except those held out.
    model : Behaviour, Scenario, mapping, Fit, "fitted" or "0.1", optional
        How members vote and change their minds: the model's defaults, a scenario's behaviour, a few
        changes of the defaults by name, values fitted to the other contests, or the values of version
        0.1 (:data:`EARLIER`), without a camp.  These are played by the rules, nights, papers and free votes of
        today: in version 0.1 voters whose candidate had left felt the pull of the
        last tally, too, and a withdrawal always acclaimed the other, which cannot be switched on again.
    folder : str or Path, optional
        Your own ``elections.csv`` and ``tallies.csv``; default the shipped contests.
    train : contests, optional
        What anything fitted is fitted to; default the shipped contests.  The contest that is
        forecast, and whatever is held out, is always left out.
    particles, seed : int
        Particles of every forecast, and the seed.
    assumptions : int or "fixed", optional
        How many draws of the uncertain values of the behaviour the particles follow, as in :func:`iomsim.live`;
        "fixed" plays the values alone.  Default 400, for version 0.1 "fixed", as it was.
        ``iomsim.backtest().against(iomsim.backtest(assumptions="fixed"))`` says what it changes.
    camp : bool, optional
        Whether the leader of three or more may have a camp of unknown strength behind it
        (:data:`iomsim.validation.segments.CAMP`); default yes, but for version 0.1 and in simulated contests.
    executor : optional
        Where contests are forecast, each for itself; default here.  The result is the same, bit for bit.
    progress : bool, default True
        Show a bar on stderr once it takes two seconds.

    Returns
    -------
    Backtest
        Its `table()` says where the model wins and where it loses, `by("standing")` in which groups, `coverage()`
        and `reliability_table()` whether it is honest, `loses()` what cost most, and why.

    Raises
    ------
    FileError, UnknownNameError, IomsimError
        If files or names are wrong, or there is nothing to forecast.

    Examples
    --------
    >>> test = backtest(["UNSC2019-EEG", "UNSC2020-AF"], particles=300)
    >>> test.forecasts.query("forecaster == 'model'")["over_next"].tolist()
    [True, True]

    How much better than version 0.1 it foretells the leader's next share:

    >>> ids = ["UNSC2007-EEG", "UNSC2019-EEG", "UNSC2020-AF"]
    >>> new, old = (backtest(ids, model, particles=300) for model in (None, "0.1"))
    >>> new.against(old).loc["next share, CRPS", ["ratio", "ratio_low", "ratio_high"]].astype(float).notna().all()
    np.True_
    """
    whole_number("particles", particles, 2)
    whole_number("seed", seed, 0)
    draws = assumptions_of(model, assumptions)
    chosen = choose(contests, folder)
    training = tuple(read_contests() if train is None else train)
    behaviour = behaviour_by_contest(model, training)
    camp = False if camp is None and is_earlier(model) else camp
    used = [one for one in chosen if contests is not None or not one.held_out]
    calls = [
        (one, behaviour(one), fitted_baselines(leaving_out(one, training)), particles, seed, draws, camp)
        for one in used
        if one.points
    ]
    played = _played(calls, executor, progress)
    cases = tuple(case for contest in played for case in contest.cases)
    refused = {call[0].id: contest.refused for call, contest in zip(calls, played, strict=True) if contest.refused}
    if not cases:
        reasons = "; ".join(f"{one.id}: {refused.get(one.id) or one.why_none}" for one in chosen[:3])
        raise IomsimError(f"nothing to forecast: no announced round was inconclusive ({reasons})")
    shipped = {one.rounds for one in read_contests()}
    note = IN_SAMPLE if model is None and any(case.contest.rounds in shipped for case in cases) else ""
    return Backtest(tuple(chosen), cases, _name_of(model), particles, seed, note, draws, refused)


def _played(calls: list[tuple[Any, ...]], executor: Any, progress: bool) -> list[Played]:
    """Return what was said of all contests in their order; the longest are begun first."""
    order = sorted(range(len(calls)), key=lambda i: -len(calls[i][0].points) * calls[i][0].size)
    found: dict[int, Played] = {}
    results = in_order(executor, _forecast, (calls[i] for i in order))
    with progress_bar(sum(len(call[0].points) for call in calls), progress, "rounds") as advance:
        for i, played in zip(order, results, strict=True):
            found[i] = played
            advance(len(calls[i][0].points))
    return [found[i] for i in range(len(calls))]


def is_earlier(model: Model) -> bool:
    """Return whether a model is an earlier version."""
    return isinstance(model, str) and model in EARLIER


def assumptions_of(model: Model, assumptions: int | str | None) -> int | str:
    """Return how many draws of the assumptions are played, or "fixed".

    Raises
    ------
    IomsimError
        If it is neither.

    Examples
    --------
    >>> assumptions_of(None, None), assumptions_of("0.1", None), assumptions_of(None, "fixed")
    (400, 'fixed', 'fixed')
    """
    if assumptions is None:
        return "fixed" if is_earlier(model) else DRAWS
    if isinstance(assumptions, str) and assumptions != "fixed":
        raise IomsimError(f"assumptions must be a number of draws, or 'fixed', got {quote(assumptions)}")
    return assumptions if isinstance(assumptions, str) else whole_number("assumptions", assumptions, 1)


def choose(wanted: Any, folder: str | Path | None) -> list[Contest]:
    """Return the contests that were asked for; by default all of the folder.

    Raises
    ------
    UnknownNameError, IomsimError
        If an id is not there, or a contest is asked for twice.
    """
    asked = [wanted] if isinstance(wanted, (str, Contest)) else wanted
    if not (asked is None or isinstance(asked, Iterable)):
        raise IomsimError(f"contests must be ids or contests, got {quote(wanted)}; iomsim.contests() lists them")
    asked = None if asked is None else list(asked)
    given = asked is not None and all(isinstance(one, Contest) for one in asked)
    there = {} if given and folder is None else {one.id: one for one in read_contests(folder)}
    if asked is None:
        return list(there.values())
    for one in asked:
        if not isinstance(one, Contest) and one not in there:
            raise unknown("contest", one, there)
    found = [one if isinstance(one, Contest) else there[one] for one in asked]
    ids = [one.id for one in found]
    if not ids or len(set(ids)) < len(ids):
        raise IomsimError(f"ask for at least one contest, and for none twice; got {ids}")
    return found


def behaviour_by_contest(model: Model, training: tuple[Contest, ...]) -> Callable[[Contest], Behaviour]:
    """Return a function from a contest to the behaviour by which it may be forecast.

    Raises
    ------
    UnknownNameError, IomsimError
        If the model is none of what :func:`backtest` takes.
    """
    if isinstance(model, str) and model == FITTED:
        model = fit(training)
    if isinstance(model, Fit):
        fitted = model
        return lambda contest: fitted.without(contest).behaviour
    behaviour = _behaviour(model)
    return lambda contest: behaviour


def _behaviour(model: Any) -> Behaviour:
    match model:
        case None:
            return Behaviour()
        case Behaviour():
            return model
        case Scenario():
            return model.behaviour
        case Mapping():
            return _changed(model)
        case str():
            if model not in EARLIER:
                raise unknown("model", model, [FITTED, *EARLIER])
            return _changed(EARLIER[model])
    raise IomsimError(
        f"model must be a Behaviour, a Scenario, a Fit, changes by name, 'fitted' or '0.1', got {type(model).__name__}"
    )


def _changed(changes: Mapping[str, float]) -> Behaviour:
    for key in changes:
        if key not in Behaviour.model_fields:
            raise unknown("parameter of the behaviour", key, Behaviour.model_fields)
    known = {parameter.path: parameter for parameter in walk(Behaviour())}
    return Behaviour(**dict(Behaviour()) | {key: moved(known[key], float(value)) for key, value in changes.items()})


def _name_of(model: Model) -> str:
    match model:
        case None:
            return "the model with its defaults"
        case str() if model in EARLIER:
            return f"the model with the values of version {model}"
        case Fit() | str():
            return "the model fitted to the other contests"
        case Scenario():
            return f"the model with the behaviour of {model.title}"
    return "the model with a behaviour of your own"


def leaving_out(contest: Contest, training: Iterable[Contest]) -> tuple[Contest, ...]:
    """Return the contests to which what forecasts this one may be fitted.

    Neither those held out, nor this one, nor one with the same rounds under another name.
    """
    return tuple(one for one in training if not one.held_out and one.id != contest.id and one.rounds != contest.rounds)


class Played(NamedTuple):
    """What everybody said of a contest, and why its record cannot be followed to the end."""

    cases: tuple[Case, ...]
    refused: str = ""


def _forecast(
    contest: Contest,
    behaviour: Behaviour,
    baselines: Mapping[str, Baseline],
    particles: int,
    seed: int,
    assumptions: int | str,
    camp: bool | None,
) -> Played:
    """Return what everybody said after each round of a contest; it depends on nothing but the arguments."""
    cases: list[Case] = []
    try:
        steps = replay_contest(contest, behaviour, particles=particles, seed=seed, assumptions=assumptions, camp=camp)
        cases.extend(_case(contest, step, baselines) for step in steps)
    except AnnouncementError as error:
        return Played(tuple(cases), str(error))
    return Played(tuple(cases))


def _case(contest: Contest, step: ReplayStep, baselines: Mapping[str, Baseline]) -> Case:
    situation = contest.situation(step.round)
    said = {MODEL: step.prediction} | {name: baseline(situation) for name, baseline in baselines.items()}
    return Case(contest, situation, contest.aftermath(step.round), step, said)


def score_outcomes(out: Outcomes, names: Sequence[str], contest: Contest, after: int = 0) -> pd.Series:
    """Return the proper scores of simulated runs, by what came of a contest.

    Parameters
    ----------
    out : Outcomes
        The runs: of a forecast made before the vote, or played on after announced rounds.
    names : sequence of str
        Their candidates.
    contest : Contest
        What came.
    after : int, default 0
        Rounds that the runs were conditioned on.

    Examples
    --------
    >>> import iomsim as iom
    >>> case = iom.contest("UNSC2020-AF")
    >>> fc = iom.forecast(case.scenario, runs=200, seed=1, progress=False)
    >>> score_outcomes(fc.all_outcomes, fc.race.names, case).index[0]
    'winner, log'
    """
    field = contest.at(after).field if after else contest.candidates
    prediction = predict(out, after, [names.index(name) for name in field])
    return pd.Series(scored(prediction, field, contest.aftermath(after)))
