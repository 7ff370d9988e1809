"""Forecasts after every announced round of past contests, scored beside simple baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from iomsim.engine.outcomes import Outcomes
from iomsim.errors import IomsimError, unknown, whole_number
from iomsim.model.components import Behaviour
from iomsim.model.links import moved
from iomsim.model.quantities import walk
from iomsim.model.scenario import Scenario
from iomsim.validation.baselines import fitted_baselines
from iomsim.validation.contest import Contest
from iomsim.validation.data import contests as read_contests
from iomsim.validation.fit import Fit, fit
from iomsim.validation.prediction import PARTICLES, predict, replay_contest, scored
from iomsim.validation.verdict import MODEL, Backtest, Case

SEED = 2023

IN_SAMPLE = (
    "The defaults were chosen with these contests in view; backtest(model='fitted') judges values that never saw "
    "the contest they are judged on."
)

Model = Behaviour | Scenario | Mapping[str, float] | Fit | str | None


def backtest(
    contests: str | Contest | Iterable[str | Contest] | None = None,
    model: Model = None,
    folder: str | Path | None = None,
    *,
    train: Iterable[Contest] | None = None,
    particles: int = PARTICLES,
    seed: int = SEED,
) -> Backtest:
    """Forecast past contests round by round, and score the forecasts beside simple baselines.

    After every announced round that left a contest open, with at least one more to come, the
    predictive distribution given that round and those before: the leader's next share, whether all
    is over by the end of the next round, the rounds still to come, the final winner, the ending.

    Parameters
    ----------
    contests : ids or contests, optional
        Which; default all of the folder except those held out.
    model : Behaviour, Scenario, mapping, Fit or "fitted", optional
        How members vote and change their minds: the model's defaults, a scenario's behaviour, a few
        changes of the defaults by name, or values fitted to the other contests.
    folder : str or Path, optional
        Your own ``elections.csv`` and ``tallies.csv``; default the shipped contests.
    train : contests, optional
        What anything fitted is fitted to; default the shipped contests.  The contest that is
        forecast, and whatever is held out, is always left out.
    particles, seed : int
        Particles of every forecast, and the seed.

    Returns
    -------
    Backtest
        Its `table()` says where the model wins and where it loses.

    Raises
    ------
    FileError, UnknownNameError, IomsimError
        If files or names are wrong, or there is nothing to forecast.

    Examples
    --------
    >>> test = backtest(["UNSC2019-EEG", "UNSC2020-AF"], particles=300)
    >>> test.forecasts.query("forecaster == 'model'")["over_next"].tolist()
    [True, True]
    """
    whole_number("particles", particles, 2)
    whole_number("seed", seed, 0)
    chosen = choose(contests, folder)
    training = tuple(read_contests() if train is None else train)
    behaviour = behaviour_by_contest(model, training)
    used = [one for one in chosen if contests is not None or not one.held_out]
    cases = tuple(case for one in used for case in _cases(one, behaviour(one), training, particles, seed))
    if not cases:
        reasons = "; ".join(f"{one.id}: {one.why_none}" for one in chosen[:3])
        raise IomsimError(f"nothing to forecast: no announced round was inconclusive with one to come ({reasons})")
    shipped = {one.rounds for one in read_contests()}
    note = IN_SAMPLE if model is None and any(case.contest.rounds in shipped for case in cases) else ""
    return Backtest(tuple(chosen), cases, _name_of(model), particles, seed, note)


def choose(wanted: Any, folder: str | Path | None) -> list[Contest]:
    """Return the contests that were asked for; by default all of the folder.

    Raises
    ------
    UnknownNameError, IomsimError
        If an id is not there, or a contest is asked for twice.
    """
    asked = [wanted] if isinstance(wanted, (str, Contest)) else wanted
    if not (asked is None or isinstance(asked, Iterable)):
        raise IomsimError(f"contests must be ids or contests, got {wanted!r}; iomsim.contests() lists them")
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
    if model == "fitted":
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
            raise unknown("model", model, ["fitted"])
    raise IomsimError(
        f"model must be a Behaviour, a Scenario, a Fit, changes by name or 'fitted', got {type(model).__name__}"
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


def _cases(
    contest: Contest, behaviour: Behaviour, training: tuple[Contest, ...], particles: int, seed: int
) -> Iterator[Case]:
    others = fitted_baselines(leaving_out(contest, training))
    for step in replay_contest(contest, behaviour, particles=particles, seed=seed):
        situation = contest.situation(step.round)
        predictions = {MODEL: step.prediction} | {name: baseline(situation) for name, baseline in others.items()}
        yield Case(contest, situation, contest.aftermath(step.round), step, predictions)


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
